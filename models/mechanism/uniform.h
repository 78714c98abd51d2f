/* One resource among agents with single-peaked wishes: the uniform rule (Sprumont, 1991) with weights and
   offsets. Private to models/mechanism. */
#ifndef WAL_MECHANISM_UNIFORM_H
#define WAL_MECHANISM_UNIFORM_H

#include "models/mechanism/instances.h"

/* Agent i's entry of every array but weight stands at i * stride, so that a resource of [N, M] is a view. */
typedef struct {
  int n, stride;
  double budget;        /* >= 0 */
  const double *demand; /* [N] >= 0; 0: nothing is wanted */
  const double *weight; /* [N] w_i, > 0 where something is wanted; NULL: all 1 */
} wal_uniform;

/* The demands of instance k that count, into demand [N, M]: no more than there is, 0 where weight or value
   is 0; and of these resource j. */
void wal_uniform_demands(const wal_instances *in, int64_t k, double *demand);
wal_uniform wal_uniform_resource(const wal_instances *in, int64_t k, int j, const double *demand);

/* Into a [N] what maximises sum_i w_i log(a_i + o_i):

     a_i = min(x_i, max(0, w_i theta - o_i)),   sum_i a_i = b where more is asked for, else a_i = x_i.

   offset [N] o_i, NULL: 0, the uniform rule: equal shares of a unit of weight up to the demands. */
void wal_uniform_fill(const wal_uniform *r, const double *offset, double *a);

/* From da [N] at the filled a the gradients in the offsets and the demands; d_offset may be NULL. At a kink
   one of the one-sided ones. */
void wal_uniform_vjp(const wal_uniform *r, const double *a, const double *da, double *d_offset,
                     double *d_demand);

#endif
