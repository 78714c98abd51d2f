/* Gradient descent for EG (marketfcnet C.1) and its well-scaled relative: one free z_ij per buyer and good,
     x_ij = size_i unit_j softplus(z_ij),
     z_ij -= step scale (price_j - pull_i y_ij / (softplus(z_ij) sum_k y_ik)) softplus'(z_ij),
   y as below, with or without momentum. The paper's: size = unit = 1, pull_i = B_i, scale = 1/n, the gradient
   of its Lagrangian. Scaled: amounts in units of what a buyer's money would buy of an equal split, unit_j =
   Y_j/n, size_i = B_i n/B, and pull = scale = 1: every buyer's own problem then has budget 1, whatever n,
   budgets and supplies.

   z and its velocity are float32, as in the paper's framework by default; column sums are double. A step is
   one pass over z: the gradient needs only the buyer's own row and the column means, and the means of the new
   x are summed where they are made. Private to models/market. */
#ifndef WAL_MARKET_DESCENT_H
#define WAL_MARKET_DESCENT_H

#include <stdbool.h>

#include "models/market/market.h"

/* How log u's gradient is computed: d log u / d x_j = y_j / (x_j sum_k y_k) for every alpha, with y_j = */
typedef enum {
  WAL_DESCENT_LINEAR, /* w x,               w = v:        alpha = 1 */
  WAL_DESCENT_ROOT,   /* w sqrt(x),         w = sqrt(v):  alpha = 1/2 */
  WAL_DESCENT_CONST,  /* w,                 w = v:        alpha = 0 */
  WAL_DESCENT_POWER,  /* exp(alpha(w+log x)), w = log v:  other alpha */
  WAL_DESCENT_LEAST,  /* 1 where w x is least, w = v:     alpha = -inf */
} wal_descent_kind;

/* Tiles of 128 buyers, good by good, [tiles, m, 128]; buyers past n have no pull and do not count. */
typedef struct wal_descent_allocation wal_descent_allocation;
typedef struct {
  const wal_market *market;
  wal_descent_kind kind;
  float alpha, step, momentum, scale;
  wal_descent_allocation *x; /* owned: z, size, unit */
  float *w;                  /* [tiles, m, 128] */
  float *velocity;           /* [tiles, m, 128]; NULL without momentum */
  float *pull;               /* [tiles, 128] */
  double *mean;              /* [m] (1/n) sum_i size_i softplus(z_ij): at equilibrium Y_j/n, or 1 if scaled */
  double *price;             /* [m] the caller's, in the units of the gradient */
  double budget;             /* B = sum_i B_i */
} wal_descent;

/* momentum 0: no velocity is kept. Destroy it also after a failure. */
wal_status wal_descent_create(const wal_market *market, bool scaled, double step, double momentum,
                              wal_descent *out);
void wal_descent_destroy(wal_descent *descent); /* accepts a zeroed struct */

/* One gradient step at price[m] (or none), then mean[m]. WAL_E_DIVERGED where a mean is not finite. */
wal_status wal_descent_pass(wal_descent *descent, bool move);

const wal_allocation *wal_descent_allocation_of(
    const wal_descent *descent);                           /* borrowed; moves with the steps */
wal_allocation *wal_descent_release(wal_descent *descent); /* the same, now the caller's */

#endif
