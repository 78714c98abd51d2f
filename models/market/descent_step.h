/* One gradient step of descent.h, cell by cell, for the CPU and for devices: the same bits for the same
   prices. */
#ifndef WAL_MARKET_DESCENT_STEP_H
#define WAL_MARKET_DESCENT_STEP_H

#include "models/common/vmath.h"
#include "models/market/descent.h"

/* w of a value v >= 0 in the gradient's units. */
WAL_HD float wal_descent_weight(wal_descent_kind kind, double v) {
  if (kind == WAL_DESCENT_ROOT) return (float)sqrt(v);
  return kind == WAL_DESCENT_POWER ? (float)log(v) : (float)v;
}

/* y of a good with x = softplus(z), up to a factor of the buyer's; the last two kinds compare it over the
   goods first and finish it with wal_descent_compared. */
WAL_HD float wal_descent_score(wal_descent_kind kind, float alpha, float w, float x) {
  if (kind == WAL_DESCENT_ROOT) return w * sqrtf(x);
  if (kind == WAL_DESCENT_CONST) return w;
  return kind == WAL_DESCENT_POWER ? alpha * (w + wal_logf(x)) : w * x;
}

WAL_HD int wal_descent_compares(wal_descent_kind kind) {
  return kind == WAL_DESCENT_POWER || kind == WAL_DESCENT_LEAST;
}

/* The one of two scores that counts, from wal_descent_worst on. */
WAL_HD float wal_descent_worst(wal_descent_kind kind) {
  return kind == WAL_DESCENT_LEAST ? INFINITY : -INFINITY;
}
WAL_HD float wal_descent_better(wal_descent_kind kind, float score, float best) {
  return (kind == WAL_DESCENT_LEAST ? score < best : score > best) ? score : best;
}
WAL_HD float wal_descent_compared(wal_descent_kind kind, float score, float best) {
  if (kind == WAL_DESCENT_LEAST) return score == best ? 1.0f : 0.0f;
  return wal_expf(score - best);
}

/* dL/dz; spend = pull / sum_k y_k, slope = softplus'(z). */
WAL_HD float wal_descent_gradient(float price, float spend, float y, float x, float slope, float scale) {
  return (price - spend * y / x) * slope * scale;
}

/* The prices' rule; target = Y_j/n. */
WAL_HD double wal_descent_price(wal_descent_rule rule, double mean, double target, double *lambda) {
  if (rule.law == WAL_DESCENT_AUGMENTED) return *lambda + rule.weight * (mean - target);
  const double within = fmin(fmax(mean, 0.1), 2.0);
  *lambda *= pow(within, rule.integral);
  return *lambda * pow(within, rule.weight);
}

#endif
