/* What fc_loss.h declares for one buyer, inline: one source for the CPU and devices. */
#ifndef WAL_MARKET_FC_FORMULAS_H
#define WAL_MARKET_FC_FORMULAS_H

#include <math.h>
#include <stdbool.h>

#include "models/common/vmath.h"
#include "models/market/ces_formulas.h"
#include "models/market/fc_loss.h"

/* Derivatives of goods that get no share are taken for 0 below this: in float32 they would be subnormal
   numbers on their way through the network, which cost ten times as much and vanish in every sum. */
#define WAL_FC_NOTHING 1e-20

WAL_HD void wal_fc_share_out(int m, const float *z, double budget, const double *lambda, double *x) {
  double top = z[0], sum = 0;
  for (int j = 1; j < m; j++) top = z[j] > top ? z[j] : top;
  for (int j = 0; j < m; j++) sum += x[j] = wal_exp(z[j] - top);
  for (int j = 0; j < m; j++) x[j] *= budget / (sum * lambda[j]);
}

WAL_HD void wal_fc_allocate_hd(wal_fc_output output, int m, const float *z, double budget,
                               const double *lambda, double *x) {
  if (output == WAL_FC_SHARE)
    wal_fc_share_out(m, z, budget, lambda, x);
  else
    for (int j = 0; j < m; j++) x[j] = wal_softplus(z[j]);
}

WAL_HD void wal_fc_pull_back_hd(wal_fc_output output, int m, const float *z, const double *x,
                                const double *dx, float *dz) {
  if (output == WAL_FC_SOFTPLUS) {
    for (int j = 0; j < m; j++)
      dz[j] = (float)(dx[j] * wal_exp(z[j] - x[j])); /* softplus' = e^(z - softplus) */
    return;
  }
  double top = z[0], sum = 0, spent = 0; /* dx_j/dz_k = x_j (1[j = k] - s_k) */
  for (int j = 1; j < m; j++) top = z[j] > top ? z[j] : top;
  for (int j = 0; j < m; j++) sum += wal_exp(z[j] - top);
  for (int j = 0; j < m; j++) spent += x[j] * dx[j];
  for (int j = 0; j < m; j++) {
    const double slope = x[j] * dx[j] - wal_exp(z[j] - top) / sum * spent;
    dz[j] = fabs(slope) > WAL_FC_NOTHING ? (float)slope : 0;
  }
}

/* The mean excess of the buyers that a buyer is paired with. Excesses: its own, its partner's in the other
   minibatch, the means of its own minibatch and of the other one. */
WAL_HD double wal_fc_others_excess(wal_fc_estimator estimator, double batch, double own, double partner,
                                   double here, double there) {
  switch (estimator) {
    case WAL_FC_DIAGONAL:
      return partner;
    case WAL_FC_PRODUCT:
      return there;
    case WAL_FC_U_STATISTIC:
      return (batch * (here + there) - own) / (2 * batch - 1);
    case WAL_FC_SQUARE:
      return 0.5 * (here + there);
  }
  return NAN;
}

WAL_HD double wal_fc_buyer_term_hd(const wal_fc_pair *pair, const double *excess, int64_t row,
                                   const double *x, double *dx) {
  const int m = pair->m;
  const bool first = row < pair->batch;
  const double *here = excess + (first ? 0 : m), *there = excess + (first ? m : 0);
  const double *own = x + row * m, *partner = x + (first ? row + pair->batch : row - pair->batch) * m;
  const double budget = pair->budget[row], scale = 1.0 / (2.0 * pair->batch);
  double term = -budget * wal_ces_log_utility_hd(pair->alpha, m, pair->v + row * m, own);
  wal_ces_log_utility_gradient_hd(pair->alpha, m, pair->v + row * m, own, dx);
  for (int j = 0; j < m; j++) {
    const double y = own[j] - pair->mean[j];
    const double push = pair->rho * wal_fc_others_excess(pair->estimator, pair->batch, y,
                                                         partner[j] - pair->mean[j], here[j], there[j]);
    term += pair->lambda[j] * own[j] + 0.5 * push * y;
    dx[j] = scale * (-budget * dx[j] + pair->lambda[j] + push);
  }
  return scale * term;
}

WAL_HD double wal_fc_shared_term_hd(const wal_fc_pair *pair) {
  double term = 0;
  for (int j = 0; j < pair->m; j++) term -= pair->lambda[j] * pair->mean[j];
  return term;
}

#endif
