#include "models/market/fc_loss.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "models/common/vmath.h"
#include "models/market/welfare.h"

/* Derivatives of goods that get no share are taken for 0 below this: in float32 they would be subnormal
   numbers on their way through the network, which cost ten times as much and vanish in every sum. */
static const double NOTHING = 1e-20;

wal_status wal_fc_estimator_parse(const char *solver, const char *name, wal_fc_estimator *estimator) {
  static const char *const names[] = {"diagonal", "product", "u_statistic"};
  for (int i = 0; i < 3; i++)
    if (strcmp(name, names[i]) == 0) {
      *estimator = (wal_fc_estimator)i;
      return WAL_OK;
    }
  return wal_fail(WAL_E_INPUT, "%s.estimator is '%s'; expected diagonal, product or u_statistic", solver,
                  name);
}

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
  for (int j = 0; j < m; j++) {
    const double slope = x[j] * dx[j] - wal_exp(z[j] - top) / sum * spent;
    dz[j] = fabs(slope) > NOTHING ? (float)slope : 0;
  }
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

/* The mean excess of the buyers that a buyer is paired with. Excesses: its own, its partner's in the other
   minibatch, the means of its own minibatch and of the other one. */
static double others_excess(wal_fc_estimator estimator, double batch, double own, double partner, double here,
                            double there) {
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

double wal_fc_buyer_term(const wal_fc_pair *pair, const double *excess, int64_t row, const double *x,
                         double *dx) {
  const int m = pair->m;
  const bool first = row < pair->batch;
  const double *here = excess + (first ? 0 : m), *there = excess + (first ? m : 0);
  const double *own = x + row * m, *partner = x + (first ? row + pair->batch : row - pair->batch) * m;
  const double budget = pair->budget[row], scale = 1.0 / (2.0 * pair->batch);
  double term = -budget * wal_ces_log_utility(pair->alpha, m, pair->v + row * m, own);
  wal_ces_log_utility_gradient(pair->alpha, m, pair->v + row * m, own, dx);
  for (int j = 0; j < m; j++) {
    const double y = own[j] - pair->mean[j];
    const double push = pair->rho * others_excess(pair->estimator, pair->batch, y, partner[j] - pair->mean[j],
                                                  here[j], there[j]);
    term += pair->lambda[j] * own[j] + 0.5 * push * y;
    dx[j] = scale * (-budget * dx[j] + pair->lambda[j] + push);
  }
  return scale * term;
}

double wal_fc_shared_term(const wal_fc_pair *pair) {
  double term = 0;
  for (int j = 0; j < pair->m; j++) term -= pair->lambda[j] * pair->mean[j];
  return term;
}

/* The estimate for one good, whose allocations are m apart. */
static double good_penalty(wal_fc_estimator estimator, int m, int batch, const double *x, double mean) {
  const double *other = x + (int64_t)batch * m;
  double first = 0, second = 0, sum = 0;
  for (int64_t i = 0; i < batch; i++) first += x[i * m], second += other[i * m];
  first = first / batch - mean, second = second / batch - mean;
  for (int64_t i = 0; i < batch; i++) {
    const double a = x[i * m] - mean, b = other[i * m] - mean;
    sum += a * others_excess(estimator, batch, a, b, first, second);
    sum += b * others_excess(estimator, batch, b, a, second, first);
  }
  return sum / (2.0 * batch);
}

double wal_fc_penalty(wal_fc_estimator estimator, int m, int batch, const double *x, const double *mean) {
  double sum = 0;
  for (int j = 0; j < m; j++) sum += good_penalty(estimator, m, batch, x + j, mean[j]);
  return sum;
}
