/* What the mechanisms without a network share. Private to models/mechanism. */
#ifndef WAL_MECHANISM_PLAIN_H
#define WAL_MECHANISM_PLAIN_H

#include "models/mechanism/mechanisms.h"
#include "models/mechanism/pf.h"

/* A mechanism that is its kind and its options, nothing else. */
wal_status wal_plain_create(const wal_mechanism_kind *kind, int n, int m,
                            const wal_mechanism_options *options, wal_mechanism **out);
void wal_plain_destroy(wal_mechanism *f); /* accepts NULL */

/* The options of proportional fairness inside a mechanism. */
wal_pf_options wal_plain_pf_options(const wal_mechanism *f);

/* PF of other values than those reported: v~ = map(v), agent by agent. */
typedef struct {
  /* The mapped values of instance k into mapped [N, M]. */
  wal_status (*map)(const wal_mechanism *f, const wal_instances *in, int64_t k, double *mapped);
  /* dv [N, M], a gradient in mapped [N, M], becomes that in the reported values of instance k. */
  wal_status (*pull)(const wal_mechanism *f, const wal_instances *in, int64_t k, const double *mapped,
                     double *dv);
} wal_value_map;
/* allocate() and vjp() of such a mechanism. */
wal_status wal_mapped_allocate(const wal_mechanism *f, const wal_value_map *map, const wal_instances *in,
                               double *a);
wal_status wal_mapped_vjp(const wal_mechanism *f, const wal_value_map *map, const wal_instances *in,
                          const double *da, double *dv, double *dx);

#endif
