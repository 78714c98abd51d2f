#include "models/mechanism/objective.h"

#include <math.h>
#include <string.h>

#include "models/mechanism/pf_open.h"

/* Below this utility the logarithm goes on as a straight line would: its slope is bounded. */
static const double LEAST = 1e-12;

/* What instance k's welfare takes from the loss, and into slope [N] the derivative in its utilities u [N]. */
static double welfare(const wal_objective *o, const wal_instances *in, int64_t k, const double *u, double nsw,
                      double *slope) {
  double sum = 0;
  for (int i = 0; i < in->n; i++) {
    const double w = wal_pf_weight(in, k, i), utility = fmax(u[i], LEAST);
    slope[i] = 0;
    if (o->log && wal_pf_takes_part(in, k, i)) {
      sum += w * (log(utility) + fmin(u[i] / LEAST - 1, 0));
      slope[i] = w / utility;
    } else if (!o->log && nsw > 0 && w > 0 && u[i] > 0) { /* a factor of NSW */
      slope[i] = w * (nsw / u[i]) / o->nsw_scale;
    }
  }
  return o->log ? sum : nsw / o->nsw_scale;
}

/* The truth's welfare: the loss without exploitability, and its derivative in the utilities u [K, N] into
   slope [K, N]. */
static void begin(const wal_objective *o, const wal_deviations *d, const double *u, double *slope,
                  wal_objective_value *value) {
  const wal_instances *in = d->truth;
  const int n = in->n;
  for (int64_t k = 0; k < in->count; k++) {
    const double share = d->weight ? d->weight[k] : d->importance[k] / (double)in->count;
    const wal_instances one = wal_instances_part(in, k, 1);
    double nsw;
    wal_nash_welfare(&one, u + k * n, o->active, &nsw);
    if (share > 0) value->nsw += d->weight ? share * nsw / d->reference[k] * o->nsw_scale : share * nsw;
    value->loss -= share * welfare(o, in, k, u + k * n, nsw, slope + k * n);
    for (int i = 0; i < n; i++) slope[k * n + i] *= -share;
  }
}

/* Overwrites da [M] with slope times the gradient of v . min(a, x): what is beyond the true demand is worth
   nothing. */
static void spread(int m, const double *v, const double *x, const double *a, double slope, double *da) {
  for (int j = 0; j < m; j++) da[j] = a[j] <= x[j] ? slope * v[j] : 0;
}

wal_objective_value wal_objective_gradient(const wal_objective *o, const wal_deviations *d, const double *a,
                                           double *scratch, double *expl, double *da) {
  const wal_instances *in = d->truth;
  const int n = in->n, m = in->m;
  const int64_t nm = (int64_t)n * m, attacked = d->attacked ? d->attacked : in->count;
  double *u = scratch, *slope = scratch + in->count * n;
  wal_objective_value value = {0};
  wal_utilities(in, a, u);
  begin(o, d, u, slope, &value);
  memset(expl, 0, (size_t)n * sizeof *expl);
  memset(da + in->count * nm, 0, (size_t)(d->lies * nm) * sizeof *da);
  for (int64_t r = 0; r < d->lies; r++) {
    const int i = d->agent[r];
    const int64_t k = d->instance[r], truth = k * nm + (int64_t)i * m, lie = (in->count + r) * nm + i * m;
    const double share = d->importance[k] / (double)attacked, cost = o->gamma[i] * o->expl_unit * share;
    expl[i] += share * (wal_utility(m, in->v + truth, in->x + truth, a + lie) - u[k * n + i]);
    spread(m, in->v + truth, in->x + truth, a + lie, cost, da + lie);
    slope[k * n + i] -= cost;
  }
  for (int64_t r = 0; r < in->count * n; r++)
    spread(m, in->v + r * m, in->x + r * m, a + r * m, slope[r], da + r * m);
  for (int i = 0; i < n; i++) {
    value.loss += o->gamma[i] * o->expl_unit * expl[i];
    value.expl += expl[i] / n;
  }
  return value;
}
