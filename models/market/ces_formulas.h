/* CES utilities of one buyer (marketfcnet, appendix A), one source for the CPU and devices: what welfare.h
   declares, inline, under the same names with _hd. Sums of powers are log-sum-exps of logarithms, so that
   values and prices may span the whole range of doubles. */
#ifndef WAL_MARKET_CES_FORMULAS_H
#define WAL_MARKET_CES_FORMULAS_H

#include <math.h>
#include <stddef.h>

#include "models/common/vmath.h"

#ifdef __cplusplus
#define WAL_LOOP_SIMD
#else
#define WAL_LOOP_SIMD _Pragma("omp simd")
#endif

/* log sum_j exp(t_j), its terms taken one at a time: sum * exp(top). Starts as {-INFINITY, 0}. */
typedef struct {
  double top, sum;
} wal_log_sum;

WAL_HD void wal_log_sum_add(wal_log_sum *a, double t) {
  if (t == -INFINITY) return;
  if (t <= a->top) {
    a->sum += wal_exp(t - a->top);
  } else {
    a->sum = a->sum * wal_exp(a->top - t) + 1.0;
    a->top = t;
  }
}

WAL_HD double wal_log_sum_value(wal_log_sum a) { return a.top + wal_log(a.sum); }

/* s_j <- exp(s_j) / sum_k exp(s_k). */
WAL_HD void wal_softmax(int m, double *s) {
  double top = -INFINITY, sum = 0.0;
  for (int j = 0; j < m; j++) top = s[j] > top ? s[j] : top;
  WAL_LOOP_SIMD
  for (int j = 0; j < m; j++) s[j] = wal_exp(s[j] - top);
  for (int j = 0; j < m; j++) sum += s[j];
  const double scale = 1.0 / sum;
  for (int j = 0; j < m; j++) s[j] *= scale;
}

WAL_HD double wal_ces_total(int m, const double *v) {
  double sum = 0.0;
  for (int j = 0; j < m; j++) sum += v[j];
  return sum;
}

WAL_HD double wal_ces_log_cobb_douglas(int m, const double *v, const double *x) {
  double sum = 0.0;
  for (int j = 0; j < m; j++)
    if (v[j] > 0.0) sum += v[j] * wal_log(x[j]);
  return sum / wal_ces_total(m, v);
}

WAL_HD double wal_ces_log_leontief(int m, const double *v, const double *x) {
  double least = INFINITY;
  for (int j = 0; j < m; j++) {
    const double t = wal_log(v[j]) + wal_log(x[j]);
    least = t < least ? t : least;
  }
  return least;
}

WAL_HD double wal_ces_log_utility_hd(double alpha, int m, const double *v, const double *x) {
  if (alpha == 0.0) return wal_ces_log_cobb_douglas(m, v, x);
  if (alpha == -INFINITY) return wal_ces_log_leontief(m, v, x);
  wal_log_sum terms = {-INFINITY, 0.0}; /* eq. 15 */
  for (int j = 0; j < m; j++) {
    const double log_vx = wal_log(v[j]) + wal_log(x[j]);
    if (log_vx == -INFINITY && alpha < 0.0)
      return -INFINITY; /* complements: nothing of one is nothing at all */
    wal_log_sum_add(&terms, alpha * log_vx);
  }
  return wal_log_sum_value(terms) / alpha;
}

/* log max_j v_j/p_j (eq. 26). */
WAL_HD double wal_ces_log_best_buy(int m, const double *v, const double *p) {
  double best = -INFINITY;
  for (int j = 0; j < m; j++) {
    const double t = wal_log(v[j]) - wal_log(p[j]);
    best = t > best ? t : best;
  }
  return best;
}

WAL_HD double wal_ces_log_indirect_cobb_douglas(int m, const double *v, const double *p) {
  const double log_total = wal_log(wal_ces_total(m, v));
  double sum = 0.0; /* eq. 30 */
  for (int j = 0; j < m; j++)
    if (v[j] > 0.0) sum += v[j] * (wal_log(v[j]) - wal_log(p[j]) - log_total);
  return sum / wal_ces_total(m, v);
}

WAL_HD double wal_ces_log_indirect_hd(double alpha, int m, const double *v, const double *p, double budget) {
  const double log_budget = wal_log(budget);
  if (alpha == 1.0) return log_budget + wal_ces_log_best_buy(m, v, p);
  if (alpha == 0.0) return log_budget + wal_ces_log_indirect_cobb_douglas(m, v, p);
  const double r = alpha == -INFINITY ? -1.0 : alpha / (1.0 - alpha); /* eqs. 25, 33 */
  wal_log_sum terms = {-INFINITY, 0.0};
  for (int j = 0; j < m; j++) wal_log_sum_add(&terms, r * (wal_log(v[j]) - wal_log(p[j])));
  return log_budget + wal_log_sum_value(terms) / r;
}

WAL_HD void wal_ces_best_buys(int m, const double *v, const double *p, double *s) {
  double best = 0.0;
  int ties = 0;
  for (int j = 0; j < m; j++) {
    const double ratio = v[j] / p[j];
    if (ratio > best) best = ratio, ties = 0;
    ties += ratio == best;
  }
  for (int j = 0; j < m; j++) s[j] = v[j] / p[j] == best ? 1.0 / ties : 0.0;
}

WAL_HD void wal_ces_shares_power_hd(double r, int m, const double *v, const double *p, double *s) {
  WAL_LOOP_SIMD
  for (int j = 0; j < m; j++) s[j] = r * (wal_log(v[j]) - wal_log(p[j]));
  wal_softmax(m, s);
}

WAL_HD void wal_ces_shares_hd(double alpha, int m, const double *v, const double *p, double *s) {
  if (alpha == 1.0) {
    wal_ces_best_buys(m, v, p, s);
  } else if (alpha == 0.0) {
    const double scale = 1.0 / wal_ces_total(m, v);
    for (int j = 0; j < m; j++) s[j] = v[j] * scale;
  } else {
    wal_ces_shares_power_hd(alpha == -INFINITY ? -1.0 : alpha / (1.0 - alpha), m, v, p, s);
  }
}

WAL_HD void wal_ces_demand_hd(double alpha, int m, const double *v, const double *p, double budget,
                              double *x) {
  if (alpha == -INFINITY) { /* eq. 32: v_j x_j = c for all goods, also for those that cost nothing */
    const double log_c = wal_ces_log_indirect_hd(alpha, m, v, p, budget);
    for (int j = 0; j < m; j++) x[j] = wal_exp(log_c - wal_log(v[j]));
    return;
  }
  wal_ces_shares_hd(alpha, m, v, p, x);
  for (int j = 0; j < m; j++) x[j] *= budget / p[j];
}

WAL_HD void wal_ces_leontief_gradient(int m, const double *v, const double *x, double *g) {
  const double least = wal_ces_log_leontief(m, v, x);
  int ties = 0;
  for (int j = 0; j < m; j++) ties += wal_log(v[j]) + wal_log(x[j]) == least;
  for (int j = 0; j < m; j++) g[j] = wal_log(v[j]) + wal_log(x[j]) == least ? 1.0 / (ties * x[j]) : 0.0;
}

WAL_HD void wal_ces_log_utility_gradient_hd(double alpha, int m, const double *v, const double *x,
                                            double *g) {
  if (alpha == -INFINITY) {
    wal_ces_leontief_gradient(m, v, x, g);
    return;
  }
  if (alpha == 0.0) {
    wal_ces_shares_hd(alpha, m, v, NULL, g);
  } else { /* eq. 19 divided by u */
    WAL_LOOP_SIMD
    for (int j = 0; j < m; j++) g[j] = alpha * (wal_log(v[j]) + wal_log(x[j]));
    wal_softmax(m, g);
  }
  for (int j = 0; j < m; j++) g[j] /= x[j];
}

#endif
