/* A control without a network: proportional fairness of the reported values to a power theta. 1 is PF; at 0
   reports of values do nothing. */
#include <math.h>

#include "models/common/vmath.h"
#include "models/mechanism/plain.h"

static wal_status create(int n, int m, const wal_mechanism_options *options, wal_mechanism **out) {
  if (!(options->theta >= 0 && options->theta <= 1))
    return wal_fail(WAL_E_INPUT, "theta is %g; expected a power from 0 to 1 (0.35 works)", options->theta);
  return wal_plain_create(&wal_mechanism_vtheta, n, m, options, out);
}

/* (v / max v)^theta, agent by agent: PF does not look at the scale of an agent's values. */
static wal_status map(const wal_mechanism *f, const wal_instances *in, int64_t k, double *mapped) {
  for (int i = 0; i < in->n; i++) {
    const double *v = in->v + (k * in->n + i) * in->m;
    double top = 0;
    for (int m = 0; m < in->m; m++) top = fmax(top, v[m]);
    const double log_top = wal_log(top);
    for (int m = 0; m < in->m; m++)
      mapped[i * in->m + m] = v[m] > 0 ? wal_exp(f->options.theta * (wal_log(v[m]) - log_top)) : 0;
  }
  return WAL_OK;
}

/* d v~/d v = theta v~/v; the scale moves nothing. */
static wal_status pull(const wal_mechanism *f, const wal_instances *in, int64_t k, const double *mapped,
                       double *dv) {
  const double *v = in->v + k * in->n * in->m;
  for (int e = 0; e < in->n * in->m; e++)
    dv[e] = v[e] > 0 ? f->options.theta * (mapped[e] * dv[e] / v[e]) : 0;
  return WAL_OK;
}

static const wal_value_map powers = {map, pull};

static wal_status allocate(const wal_mechanism *f, const wal_instances *in, double *a) {
  return wal_mapped_allocate(f, &powers, in, a);
}

static wal_status vjp(wal_mechanism *f, const wal_instances *in, const double *da, double *dv, double *dx) {
  return wal_mapped_vjp(f, &powers, in, da, dv, dx);
}

const wal_mechanism_kind wal_mechanism_vtheta = {
    .name = "vtheta",
    .title = "PF of v^theta",
    .source = "ours: a control without a network",
    .learned = false,
    .create = create,
    .destroy = wal_plain_destroy,
    .allocate = allocate,
    .vjp = vjp,
};
