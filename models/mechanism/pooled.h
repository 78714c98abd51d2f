/* One row of inputs for each entry (i, m) of an instance, pooled over the other agents and over agent i's
   other resources, so that one small network serves any N and M and is equivariant under permutations of
   both. Nothing in a row depends on v_i; scaling any agent's values changes nothing. Private to
   models/mechanism.

   Demands count up to the budget: d_im = min(x_im, b_m) / b_m. An agent's share of a resource is the part of
   the utility of its whole demand that it would get there, s_im = v_im d_im b_m / sum_m' v_im' d_im' b_m'.
   What the others leave in any case is secure, g_im = min(d_im, max(0, 1 - sum_{j != i} d_jm)); the rest is
   disputed, q_im = d_im - g_im. */
#ifndef WAL_MECHANISM_POOLED_H
#define WAL_MECHANISM_POOLED_H

#include "models/mechanism/learned.h"

enum {
  WAL_POOLED_SECURE,          /* g_im N / 2 */
  WAL_POOLED_DISPUTED,        /* q_im N / 2 */
  WAL_POOLED_ASKED,           /* sum_{j != i} d_jm */
  WAL_POOLED_SPENT,           /* sum_{j != i} s_jm 2 / N: what the others would spend there first */
  WAL_POOLED_MEAN,            /* of the others' shares, weighted by demand */
  WAL_POOLED_MOST,            /* largest of the others' shares, 0 if none */
  WAL_POOLED_SECURE_BESIDE,   /* sum_{m' != m} g_im' N / 2 */
  WAL_POOLED_DISPUTED_BESIDE, /* sum_{m' != m} q_im' N / 2 */
  WAL_POOLED_SPENT_BESIDE,    /* sum_{m' != m} q_im' N / 2 * what the others would spend there */
  WAL_POOLED_INPUTS
};

/* An agent wants entry m of its row: it would be given some. */
static inline bool wal_pooled_wants(const wal_instances *in, int64_t row, const double *b, int m) {
  return in->v[row + m] > 0 && in->x[row + m] > 0 && b[m] > 0;
}

/* s [M] of the agent whose entries begin at `row`, b [M] its instance's budgets: 0 for what it does not want.
 */
void wal_pooled_shares(const wal_instances *in, int64_t row, const double *b, double *s);
/* Adds to dv, dx [M] of that agent the gradient of sum(ds * s). */
void wal_pooled_shares_vjp(const wal_instances *in, int64_t row, const double *b, const double *s,
                           const double *ds, double *dv, double *dx);

/* The same of one of them. */
double wal_pooled_share(const wal_instances *in, int64_t row, const double *b, int m);
void wal_pooled_share_vjp(const wal_instances *in, int64_t row, const double *b, int m, double ds, double *dv,
                          double *dx);

/* log(s / (1 - s)) within +-WAL_POOLED_LOGIT, and its slope: how much more an agent has from one resource
   than from all its others. */
#define WAL_POOLED_LOGIT 4.0
double wal_pooled_logit(double s, double *slope);

/* The rows of `in` into rows [K, N, M, stride], the first WAL_POOLED_INPUTS of each; what is beside an entry
   that is not wanted is there, the rest of its row is 0. */
void wal_pooled_encode(const wal_instances *in, int stride, float *rows);
/* Adds the gradient of sum(drows * rows) to dv, dx [K, N, M]. */
void wal_pooled_vjp(const wal_instances *in, int stride, const float *drows, double *dv, double *dx);

#endif
