#include "models/market/fc_loss.h"

#include "models/common/vmath.h"
#include "models/market/welfare.h"

static void share_out(int m, const float *z, double budget, const double *lambda, double *x) {
  double top = z[0], sum = 0;
  for (int j = 1; j < m; j++) top = z[j] > top ? z[j] : top;
  for (int j = 0; j < m; j++) sum += x[j] = wal_exp(z[j] - top);
  for (int j = 0; j < m; j++) x[j] *= budget / (sum * lambda[j]);
}

void wal_fc_allocate(wal_fc_output output, int m, const float *z, double budget, const double *lambda,
                     double *x) {
  if (output == WAL_FC_SHARE)
    share_out(m, z, budget, lambda, x);
  else
    for (int j = 0; j < m; j++) x[j] = wal_softplus(z[j]);
}

void wal_fc_pull_back(wal_fc_output output, int m, const float *z, const double *x, const double *dx,
                      float *dz) {
  if (output == WAL_FC_SOFTPLUS) {
    for (int j = 0; j < m; j++)
      dz[j] = (float)(dx[j] * wal_exp(z[j] - x[j])); /* softplus' = e^(z - softplus) */
    return;
  }
  double top = z[0], sum = 0, spent = 0; /* dx_j/dz_k = x_j (1[j = k] - s_k) */
  for (int j = 1; j < m; j++) top = z[j] > top ? z[j] : top;
  for (int j = 0; j < m; j++) sum += wal_exp(z[j] - top);
  for (int j = 0; j < m; j++) spent += x[j] * dx[j];
  for (int j = 0; j < m; j++) dz[j] = (float)(x[j] * dx[j] - wal_exp(z[j] - top) / sum * spent);
}

void wal_fc_excess(const wal_fc_pair *pair, const double *x, double *excess) {
  const int m = pair->m;
  for (int half = 0; half < 2; half++, excess += m, x += (int64_t)pair->batch * m) {
    for (int j = 0; j < m; j++) excess[j] = 0;
    for (int64_t i = 0; i < pair->batch; i++)
      for (int j = 0; j < m; j++) excess[j] += x[i * m + j];
    for (int j = 0; j < m; j++) excess[j] = excess[j] / pair->batch - pair->mean[j];
  }
}

double wal_fc_buyer_term(const wal_fc_pair *pair, const double *excess, int64_t row, const double *x,
                         double *dx) {
  const int m = pair->m;
  const double *v = pair->v + row * m, *other = excess + (row < pair->batch ? m : 0);
  const double budget = pair->budget[row], scale = 1.0 / (2.0 * pair->batch);
  double term = -budget * wal_ces_log_utility(pair->alpha, m, v, x);
  wal_ces_log_utility_gradient(pair->alpha, m, v, x, dx);
  for (int j = 0; j < m; j++) {
    term += pair->lambda[j] * x[j];
    dx[j] = scale * (-budget * dx[j] + pair->lambda[j] + pair->rho * other[j]);
  }
  return scale * term;
}

double wal_fc_shared_term(const wal_fc_pair *pair, const double *excess) {
  double term = 0;
  for (int j = 0; j < pair->m; j++)
    term += 0.5 * pair->rho * excess[j] * excess[pair->m + j] - pair->lambda[j] * pair->mean[j];
  return term;
}
