/* PF with probability rho, else PA (rpfnet, section 6). */
#include <stdlib.h>

#include "models/mechanism/plain.h"

typedef struct {
  wal_mechanism base;
  wal_mechanism *pf, *pa; /* owned */
} mixture;

static void destroy(wal_mechanism *f) {
  mixture *q = (mixture *)f;
  if (!q) return;
  wal_mechanism_destroy(q->pf);
  wal_mechanism_destroy(q->pa);
  free(q);
}

static wal_status create(int n, int m, const wal_mechanism_options *options, wal_mechanism **out) {
  if (!(options->rho >= 0 && options->rho <= 1))
    return wal_fail(WAL_E_INPUT, "rho is %g; expected a probability from 0 to 1 (0.5 works)", options->rho);
  mixture *q = calloc(1, sizeof *q);
  if (!q) return wal_fail(WAL_E_MEMORY, "no memory for the mechanism mixture");
  q->base = (wal_mechanism){.kind = &wal_mechanism_mixture, .n = n, .m = m, .options = *options};
  wal_status status = wal_mechanism_pf.create(n, m, options, &q->pf);
  if (status == WAL_OK) status = wal_mechanism_pa.create(n, m, options, &q->pa);
  if (status == WAL_OK)
    *out = &q->base;
  else
    destroy(&q->base);
  return status;
}

static void lots(const wal_mechanism *f, const wal_mechanism *part[], double probability[]) {
  const mixture *q = (const mixture *)f;
  part[0] = q->pf;
  part[1] = q->pa;
  probability[0] = f->options.rho;
  probability[1] = 1 - f->options.rho;
}

/* The mean of the two allocations. */
static wal_status allocate(const wal_mechanism *f, const wal_instances *in, double *a) {
  const mixture *q = (const mixture *)f;
  const int64_t count = in->count * in->n * in->m;
  double *burnt = malloc((size_t)(count > 0 ? count : 1) * sizeof *burnt);
  if (!burnt)
    return wal_fail(WAL_E_MEMORY, "no memory for %lld instances of %d x %d", (long long)in->count, in->n,
                    in->m);
  wal_status status = q->pf->kind->allocate(q->pf, in, a);
  if (status == WAL_OK) status = q->pa->kind->allocate(q->pa, in, burnt);
  for (int64_t e = 0; status == WAL_OK && e < count; e++)
    a[e] = f->options.rho * a[e] + (1 - f->options.rho) * burnt[e];
  free(burnt);
  return status;
}

const wal_mechanism_kind wal_mechanism_mixture = {
    .name = "mixture",
    .title = "PF-PA mixture",
    .source = "rpfnet, section 6",
    .learned = false,
    .create = create,
    .destroy = destroy,
    .allocate = allocate,
    .lots = lots,
};
