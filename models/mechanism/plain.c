#include "models/mechanism/plain.h"

#include <stdlib.h>

#include "models/common/parallel.h"

wal_status wal_plain_create(const wal_mechanism_kind *kind, int n, int m,
                            const wal_mechanism_options *options, wal_mechanism **out) {
  wal_mechanism *f = *out = calloc(1, sizeof *f);
  if (!f) return wal_fail(WAL_E_MEMORY, "no memory for the mechanism %s", kind->name);
  *f = (wal_mechanism){.kind = kind, .n = n, .m = m, .options = *options};
  return WAL_OK;
}

void wal_plain_destroy(wal_mechanism *f) { free(f); }

wal_pf_options wal_plain_pf_options(const wal_mechanism *f) {
  wal_pf_options options = wal_pf_defaults();
  options.polish = f->options.polish;
  return options;
}

typedef struct {
  const wal_mechanism *f;
  const wal_value_map *map;
  const wal_instances *in;
  double *mapped; /* [K, N, M] */
  double *dv;     /* [K, N, M] */
} mapping;

static wal_status map_chunk(void *context, int64_t lo, int64_t hi) {
  const mapping *q = context;
  const int64_t nm = (int64_t)q->in->n * q->in->m;
  wal_status status = WAL_OK;
  for (int64_t k = lo; status == WAL_OK && k < hi; k++)
    status = q->map->map(q->f, q->in, k, q->mapped + k * nm);
  return status;
}

static wal_status pull_chunk(void *context, int64_t lo, int64_t hi) {
  const mapping *q = context;
  const int64_t nm = (int64_t)q->in->n * q->in->m;
  wal_status status = WAL_OK;
  for (int64_t k = lo; status == WAL_OK && k < hi; k++)
    status = q->map->pull(q->f, q->in, k, q->mapped + k * nm, q->dv + k * nm);
  return status;
}

/* The reports with mapped values: *out borrows `in` but for the values, which are to be freed. */
static wal_status map_values(mapping *q, wal_instances *out) {
  const wal_instances *in = q->in;
  const size_t count = (size_t)(in->count > 0 ? in->count : 1) * (size_t)in->n * (size_t)in->m;
  q->mapped = malloc(count * sizeof *q->mapped);
  if (!q->mapped)
    return wal_fail(WAL_E_MEMORY, "no memory for the values of %lld instances of %d x %d",
                    (long long)in->count, in->n, in->m);
  *out = *in;
  out->v = q->mapped;
  return wal_for_chunks(in->count, map_chunk, q);
}

wal_status wal_mapped_allocate(const wal_mechanism *f, const wal_value_map *map, const wal_instances *in,
                               double *a) {
  mapping q = {.f = f, .map = map, .in = in};
  const wal_pf_options options = wal_plain_pf_options(f);
  const wal_pf_solution solution = {.a = a};
  wal_instances reports;
  wal_status status = map_values(&q, &reports);
  if (status == WAL_OK) status = wal_pf_solve(&reports, NULL, &options, &solution);
  free(q.mapped);
  return status;
}

wal_status wal_mapped_vjp(const wal_mechanism *f, const wal_value_map *map, const wal_instances *in,
                          const double *da, double *dv, double *dx) {
  mapping q = {.f = f, .map = map, .in = in, .dv = dv};
  const wal_pf_options options = wal_plain_pf_options(f);
  const wal_pf_gradient gradient = {.dv = dv, .dx = dx};
  wal_instances reports;
  wal_status status = map_values(&q, &reports);
  if (status == WAL_OK) status = wal_pf_vjp(&reports, NULL, da, &options, NULL, &gradient);
  if (status == WAL_OK && dv) status = wal_for_chunks(in->count, pull_chunk, &q);
  free(q.mapped);
  return status;
}
