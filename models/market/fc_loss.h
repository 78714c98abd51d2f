/* MarketFCNet's pieces that are plain functions: from network outputs to allocations and back, and the
   estimated Lagrangian of a pair of minibatches. */
#ifndef WAL_MARKET_FC_LOSS_H
#define WAL_MARKET_FC_LOSS_H

#include <stdint.h>

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

/* Two independent minibatches of `batch` buyers: rows [0, batch) and [batch, 2 batch). All borrowed. */
typedef struct {
  int m, batch;
  double alpha, rho;
  const double *v;      /* [2 batch, m] values */
  const double *budget; /* [2 batch] */
  const double *lambda; /* [m] multipliers */
  const double *mean;   /* [m] Y_j / n, which E[x_j] must meet */
} wal_fc_pair;

/* excess[2, m]: how far each minibatch's mean allocation is above the supply per buyer. x: [2 batch, m]. */
void wal_fc_excess(const wal_fc_pair *pair, const double *x, double *excess);

/* The part of the estimated Lagrangian (eq. 3) that is buyer `row`'s own, (-B log u(x) + sum_j lambda_j x_j)
   / 2M, and the derivative of the whole estimate with respect to x[m] into dx[m]. The penalty's square is
   estimated by the product of the two minibatches' mean excesses: unbiased like eq. 5, which pairs the buyers
   one by one, at a tenth of its standard deviation. */
double wal_fc_buyer_term(const wal_fc_pair *pair, const double *excess, int64_t row, const double *x,
                         double *dx);

/* The rest of the estimate: -sum_j lambda_j Y_j/n + rho/2 sum_j excess_1j excess_2j. */
double wal_fc_shared_term(const wal_fc_pair *pair, const double *excess);

#endif
