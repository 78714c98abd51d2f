#include "models/market/certificate.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

wal_status wal_demand_create(const wal_market *market, bool logs, wal_demand *out) {
  const size_t m = (size_t)market->m;
  const double alpha = market->alpha;
  *out = (wal_demand){.market = market, .logs = logs, .gap = INFINITY};
  out->share = malloc(4 * m * sizeof *out->share);
  if (!out->share) return wal_fail(WAL_E_MEMORY, "no memory for %d prices", market->m);
  out->f = out->share + m;
  out->g = out->f + m;
  out->c = out->g + m;
  wal_weight weight = WAL_WEIGHT_LOG;
  if (!logs && (alpha == 0.0 || alpha == 0.5)) weight = WAL_WEIGHT_VALUE;
  if (!logs && alpha == -INFINITY) weight = WAL_WEIGHT_INVERSE;
  out->logs = weight == WAL_WEIGHT_LOG;
  return wal_dual_create(market, weight, false, &out->dual);
}

void wal_demand_destroy(wal_demand *demand) {
  wal_dual_destroy(demand->dual);
  free(demand->share);
}

/* The head of certificate.h. */
static double gap_bound(const wal_demand *d) {
  const double alpha = d->market->alpha;
  double sum = 0.0, most = -INFINITY;
  for (int j = 0; j < d->market->m; j++) {
    if (!(d->share[j] > DBL_MIN)) return INFINITY; /* nobody gets the good */
    const double part = d->share[j] / d->budget;
    sum += part * (alpha >= 0.0 || isinf(alpha) ? d->f[j] : expm1(-alpha * d->f[j]));
    most = fmax(most, d->f[j]);
  }
  if (alpha == -INFINITY) return fmax(most, 0.0);
  return fmax(alpha >= 0.0 ? sum : log1p(sum) / -alpha, 0.0);
}

/* Shares at log prices q: weights v/p, v or p/v as they stand, or powers of logs. */
static wal_dual_point point_at(wal_demand *d, const double *q) {
  const double alpha = d->market->alpha;
  if (d->logs)
    return (wal_dual_point){.power = true, .r = isinf(alpha) ? -1.0 : alpha / (1.0 - alpha), .q = q};
  for (int j = 0; j < d->market->m; j++) {
    d->g[j] = alpha == 0.0 ? 1.0 : exp(alpha > 0.0 ? -q[j] : q[j]);
    d->c[j] = 1.0;
  }
  return (wal_dual_point){.g = d->g, .c = d->c};
}

/* Log prices from -600 to 600: only ratios of prices matter, and those of goods whose price falls to 0 may
   stop there. */
static void bound(int m, double *q) {
  const double most = 600.0;
  double top = most;
  for (int j = 0; j < m; j++) top = fmax(top, q[j]);
  for (int j = 0; j < m; j++) q[j] = q[j] - (top - most) < -most ? -most : q[j] - (top - most);
}

wal_status wal_demand_at(wal_demand *d, double *q) {
  const int m = d->market->m;
  bound(m, q);
  const wal_dual_point point = point_at(d, q);
  wal_dual_sums sums = {.share = d->share};
  const wal_status status = wal_dual_pass(d->dual, d->market->n, &point, &sums);
  if (status != WAL_OK) return status;
  d->budget = sums.budget;
  double worth = 0.0;
  for (int j = 0; j < m; j++) worth += d->market->supply[j] * exp(q[j]);
  const double shift = log(d->budget / worth);
  for (int j = 0; j < m; j++) {
    q[j] += shift;
    d->f[j] = log(fmax(d->share[j], DBL_MIN) / d->market->supply[j]) - q[j]; /* a share may underflow */
    if (!isfinite(q[j]) || !isfinite(d->f[j]))
      return wal_fail(WAL_E_DIVERGED, "the price of good %d left the finite numbers (log price %g)", j, q[j]);
  }
  d->gap = gap_bound(d);
  return WAL_OK;
}

wal_status wal_demand_pair(const wal_demand *d, const double *q, wal_solution *solution) {
  for (int j = 0; j < d->market->m; j++) {
    solution->price[j] = exp(q[j]);
    d->g[j] = exp(-d->f[j]);
  }
  return wal_allocation_demand_scaled(d->market, NAN, solution->price, d->g, &solution->allocation);
}
