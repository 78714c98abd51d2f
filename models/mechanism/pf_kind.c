/* Proportional fairness (eq. 4) as a mechanism: the solver of pf.h behind the seam. */
#include <stddef.h>

#include "models/mechanism/plain.h"

static wal_status create(int n, int m, const wal_mechanism_options *options, wal_mechanism **out) {
  return wal_plain_create(&wal_mechanism_pf, n, m, options, out);
}

static wal_status allocate(const wal_mechanism *f, const wal_instances *in, double *a) {
  const wal_pf_options options = wal_plain_pf_options(f);
  const wal_pf_solution solution = {.a = a};
  return wal_pf_solve(in, NULL, &options, &solution);
}

static wal_status vjp(wal_mechanism *f, const wal_instances *in, const double *da, double *dv, double *dx) {
  const wal_pf_options options = wal_plain_pf_options(f);
  const wal_pf_gradient gradient = {.dv = dv, .dx = dx};
  return wal_pf_vjp(in, NULL, da, &options, NULL, &gradient);
}

const wal_mechanism_kind wal_mechanism_pf = {
    .name = "pf",
    .title = "Proportional fairness",
    .source = "rpfnet, eq. 4",
    .learned = false,
    .create = create,
    .destroy = wal_plain_destroy,
    .allocate = allocate,
    .vjp = vjp,
};
