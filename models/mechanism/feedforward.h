/* What the feed-forward kinds of the paper share: one row of inputs for an instance, the reports (v, x, b)
   free of units; and shares of each resource by a softmax. Private to models/mechanism. */
#ifndef WAL_MECHANISM_FEEDFORWARD_H
#define WAL_MECHANISM_FEEDFORWARD_H

#include "models/mechanism/learned.h"

/* Inputs of a row: values of whole budgets, v_im b_m over the agent's largest [N, M]; demands in equal shares
   of the budget, N min(x_im, b_m) / b_m [N, M]; how scarce a resource is, the sum of demands over the budget,
   less 1 [M]. A report of all values times a constant, and a change of a resource's unit, change nothing;
   weights are not seen. */
static inline int wal_feedforward_inputs(int n, int m) { return 2 * n * m + m; }
wal_status wal_feedforward_encode(const wal_learned *f, const wal_learned_batch *q, float *rows);
wal_status wal_feedforward_encode_vjp(const wal_learned *f, const wal_learned_batch *q, const float *drows,
                                      double *dv, double *dx);

/* For each resource a softmax over `slots` >= N outputs, y [M, slots]; agent i is given share i of the
   budget, at most its demand; the shares of slots N, ... are withheld. */
wal_status wal_shares_decode(int slots, const wal_instances *in, const float *y, double *a);
wal_status wal_shares_vjp(int slots, const wal_instances *in, const float *y, const double *da, float *dy,
                          double *dv, double *dx);

#endif
