/* MarketFCNet's pieces that are plain functions: from network outputs to allocations and back, and the
   estimated Lagrangian of a pair of minibatches. */
#ifndef WAL_MARKET_FC_LOSS_H
#define WAL_MARKET_FC_LOSS_H

#include <stdint.h>

#include "models/common/status.h"

/* How z_ij, the network's output for buyer i and good j, becomes an allocation. */
typedef enum {
  WAL_FC_SOFTPLUS, /* section 4.2: x_ij = softplus(z_ij) */
  WAL_FC_SHARE, /* [ours] x_ij = B_i s_ij / lambda_j, s_i = softmax(z_i): every buyer spends the whole budget
                 */
} wal_fc_output;

/* x[m] of one buyer from z[m]. Budget and lambda[m] > 0 are read by the share output only. */
void wal_fc_allocate(wal_fc_output output, int m, const float *z, double budget, const double *lambda,
                     double *x);

/* The derivative with respect to z[m] from that with respect to x[m], which wal_fc_allocate gave. */
void wal_fc_pull_back(wal_fc_output output, int m, const float *z, const double *x, const double *dx,
                      float *dz);

/* Estimates of the penalty's square (E[x_j] - Y_j/n)^2 from N = 2M buyers with excesses y_ij = x_ij - Y_j/n.
   Each is the mean over the buyers of y_ij times the mean excess of some others. */
typedef enum {
  WAL_FC_DIAGONAL,    /* eq. 5: buyer k of one minibatch with buyer k of the other; unbiased */
  WAL_FC_PRODUCT,     /* [ours] each with the other minibatch: the product of the two means; unbiased, at a
                         tenth of the standard deviation of eq. 5 at M = 128 */
  WAL_FC_U_STATISTIC, /* [ours] each with all the others: ((sum y)^2 - sum y^2) / (N (N - 1)); unbiased, the
                         least variance */
  WAL_FC_SQUARE,      /* each with all, itself too: the square of the mean; biased by Var(y) / N */
} wal_fc_estimator;

/* "diagonal", "product", "u_statistic"; WAL_E_INPUT names the three otherwise, and the solver whose option it
 * is. */
wal_status wal_fc_estimator_parse(const char *solver, const char *name, wal_fc_estimator *estimator);

/* The estimate for given allocations x[2 batch, m], rows [0, batch) and [batch, 2 batch) being the two
   minibatches, with supplies per buyer mean[m]: summed over the goods. */
double wal_fc_penalty(wal_fc_estimator estimator, int m, int batch, const double *x, const double *mean);

/* Two independent minibatches of `batch` buyers: rows [0, batch) and [batch, 2 batch). All borrowed. */
typedef struct {
  int m, batch;
  wal_fc_estimator estimator;
  double alpha, rho;
  const double *v;      /* [2 batch, m] values */
  const double *budget; /* [2 batch] */
  const double *lambda; /* [m] multipliers */
  const double *mean;   /* [m] Y_j / n, which E[x_j] must meet */
} wal_fc_pair;

/* excess[2, m]: how far each minibatch's mean allocation is above the supply per buyer. x: [2 batch, m]. */
void wal_fc_excess(const wal_fc_pair *pair, const double *x, double *excess);

/* The part of the estimated Lagrangian (eq. 3) that is buyer `row`'s own, with N = 2M
     (-B log u(x) + sum_j (lambda_j x_j + rho/2 y_j others_j)) / N,
   where others_j is the mean excess of the buyers that the estimator pairs this one with, and the derivative
   of the whole estimate with respect to this buyer's x[m] into dx[m]. x: [2 batch, m]. */
double wal_fc_buyer_term(const wal_fc_pair *pair, const double *excess, int64_t row, const double *x,
                         double *dx);

/* The rest of the estimate: -sum_j lambda_j Y_j/n. */
double wal_fc_shared_term(const wal_fc_pair *pair);

#endif
