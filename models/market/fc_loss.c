#include "models/market/fc_loss.h"

#include <string.h>

#include "models/market/fc_formulas.h"

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

void wal_fc_allocate(wal_fc_output output, int m, const float *z, double budget, const double *lambda,
                     double *x) {
  wal_fc_allocate_hd(output, m, z, budget, lambda, x);
}

void wal_fc_pull_back(wal_fc_output output, int m, const float *z, const double *x, const double *dx,
                      float *dz) {
  wal_fc_pull_back_hd(output, m, z, x, dx, dz);
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
  return wal_fc_buyer_term_hd(pair, excess, row, x, dx);
}

double wal_fc_shared_term(const wal_fc_pair *pair) { return wal_fc_shared_term_hd(pair); }

/* The estimate for one good, whose allocations are m apart. */
static double good_penalty(wal_fc_estimator estimator, int m, int batch, const double *x, double mean) {
  const double *other = x + (int64_t)batch * m;
  double first = 0, second = 0, sum = 0;
  for (int64_t i = 0; i < batch; i++) first += x[i * m], second += other[i * m];
  first = first / batch - mean, second = second / batch - mean;
  for (int64_t i = 0; i < batch; i++) {
    const double a = x[i * m] - mean, b = other[i * m] - mean;
    sum += a * wal_fc_others_excess(estimator, batch, a, b, first, second);
    sum += b * wal_fc_others_excess(estimator, batch, b, a, second, first);
  }
  return sum / (2.0 * batch);
}

double wal_fc_penalty(wal_fc_estimator estimator, int m, int batch, const double *x, const double *mean) {
  double sum = 0;
  for (int j = 0; j < m; j++) sum += good_penalty(estimator, m, batch, x + j, mean[j]);
  return sum;
}
