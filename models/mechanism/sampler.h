/* The instances of a training step. Private to models/mechanism. */
#ifndef WAL_MECHANISM_SAMPLER_H
#define WAL_MECHANISM_SAMPLER_H

#include "models/mechanism/instances.h"

/* From a finite set of a law's first L instances, drawn with replacement, or fresh ones at every draw. Where
   few instances have a resource that is asked for beyond its budget, 7 of 8 are drawn from those and the
   others from the rest, with importance weights: means are those of the law. */
typedef struct {
  wal_law law;
  int64_t samples; /* L; 0: fresh */
  bool stratified;
  double contested;         /* probability of a contested instance */
  int64_t next;             /* the state: fresh: first instance not yet looked at; else: draws so far */
  wal_owned_instances pool; /* the L instances; fresh: the ones being looked at */
  int64_t *order;           /* [L] the contested ones, then the others; NULL: fresh */
  int64_t split;            /* how many are contested */
  int64_t *drawn;           /* [K] borrowed: which of the L were drawn goes here; NULL: not wanted */
} wal_sampler;

/* Do the agents that take part ask for more of some resource than there is, instance k? */
bool wal_instance_contested(const wal_instances *in, int64_t k);

/* contested: stratified as above where it pays. */
wal_status wal_sampler_create(const wal_law *law, int64_t samples, bool contested, wal_sampler *out);
void wal_sampler_destroy(wal_sampler *sampler); /* accepts a zeroed struct */

/* Fills the batch; its weights, 1 in the mean, go to importance [K]. A function of `next`, which moves on. */
wal_status wal_sampler_draw(wal_sampler *sampler, wal_owned_instances *batch, double *importance);

#endif
