/* CES utilities (marketfcnet, appendix A). Sums of powers are log-sum-exps of logarithms, so that values and
   prices may span the whole range of doubles. */
#include <math.h>

#include "models/common/vmath.h"
#include "models/market/welfare.h"

/* log sum_j exp(t_j), its terms taken one at a time: sum * exp(top). Starts as {-INFINITY, 0}. */
typedef struct {
  double top, sum;
} log_sum;

static void log_sum_add(log_sum *a, double t) {
  if (t == -INFINITY) return;
  if (t <= a->top) {
    a->sum += wal_exp(t - a->top);
  } else {
    a->sum = a->sum * wal_exp(a->top - t) + 1.0;
    a->top = t;
  }
}

static double log_sum_value(log_sum a) { return a.top + wal_log(a.sum); }

/* s_j <- exp(s_j) / sum_k exp(s_k). */
static void softmax(int m, double *s) {
  double top = -INFINITY, sum = 0.0;
  for (int j = 0; j < m; j++) top = s[j] > top ? s[j] : top;
#pragma omp simd
  for (int j = 0; j < m; j++) s[j] = wal_exp(s[j] - top);
  for (int j = 0; j < m; j++) sum += s[j];
  const double scale = 1.0 / sum;
  for (int j = 0; j < m; j++) s[j] *= scale;
}

static double total(int m, const double *v) {
  double sum = 0.0;
  for (int j = 0; j < m; j++) sum += v[j];
  return sum;
}

static double log_cobb_douglas(int m, const double *v, const double *x) {
  double sum = 0.0;
  for (int j = 0; j < m; j++)
    if (v[j] > 0.0) sum += v[j] * wal_log(x[j]);
  return sum / total(m, v);
}

static double log_leontief(int m, const double *v, const double *x) {
  double least = INFINITY;
  for (int j = 0; j < m; j++) {
    const double t = wal_log(v[j]) + wal_log(x[j]);
    least = t < least ? t : least;
  }
  return least;
}

double wal_ces_log_utility(double alpha, int m, const double *v, const double *x) {
  if (alpha == 0.0) return log_cobb_douglas(m, v, x);
  if (alpha == -INFINITY) return log_leontief(m, v, x);
  log_sum terms = {-INFINITY, 0.0}; /* eq. 15 */
  for (int j = 0; j < m; j++) {
    const double log_vx = wal_log(v[j]) + wal_log(x[j]);
    if (log_vx == -INFINITY && alpha < 0.0)
      return -INFINITY; /* complements: nothing of one is nothing at all */
    log_sum_add(&terms, alpha * log_vx);
  }
  return log_sum_value(terms) / alpha;
}

/* log max_j v_j/p_j (eq. 26). */
static double log_best_buy(int m, const double *v, const double *p) {
  double best = -INFINITY;
  for (int j = 0; j < m; j++) {
    const double t = wal_log(v[j]) - wal_log(p[j]);
    best = t > best ? t : best;
  }
  return best;
}

static double log_indirect_cobb_douglas(int m, const double *v, const double *p) {
  const double log_total = wal_log(total(m, v));
  double sum = 0.0; /* eq. 30 */
  for (int j = 0; j < m; j++)
    if (v[j] > 0.0) sum += v[j] * (wal_log(v[j]) - wal_log(p[j]) - log_total);
  return sum / total(m, v);
}

double wal_ces_log_indirect(double alpha, int m, const double *v, const double *p, double budget) {
  const double log_budget = wal_log(budget);
  if (alpha == 1.0) return log_budget + log_best_buy(m, v, p);
  if (alpha == 0.0) return log_budget + log_indirect_cobb_douglas(m, v, p);
  const double r = alpha == -INFINITY ? -1.0 : alpha / (1.0 - alpha); /* eqs. 25, 33 */
  log_sum terms = {-INFINITY, 0.0};
  for (int j = 0; j < m; j++) log_sum_add(&terms, r * (wal_log(v[j]) - wal_log(p[j])));
  return log_budget + log_sum_value(terms) / r;
}

static void best_buys(int m, const double *v, const double *p, double *s) {
  double best = 0.0;
  int ties = 0;
  for (int j = 0; j < m; j++) {
    const double ratio = v[j] / p[j];
    if (ratio > best) best = ratio, ties = 0;
    ties += ratio == best;
  }
  for (int j = 0; j < m; j++) s[j] = v[j] / p[j] == best ? 1.0 / ties : 0.0;
}

void wal_ces_shares_power(double r, int m, const double *v, const double *p, double *s) {
#pragma omp simd
  for (int j = 0; j < m; j++) s[j] = r * (wal_log(v[j]) - wal_log(p[j]));
  softmax(m, s);
}

void wal_ces_shares(double alpha, int m, const double *v, const double *p, double *s) {
  if (alpha == 1.0) {
    best_buys(m, v, p, s);
  } else if (alpha == 0.0) {
    const double scale = 1.0 / total(m, v);
    for (int j = 0; j < m; j++) s[j] = v[j] * scale;
  } else {
    wal_ces_shares_power(alpha == -INFINITY ? -1.0 : alpha / (1.0 - alpha), m, v, p, s);
  }
}

void wal_ces_demand(double alpha, int m, const double *v, const double *p, double budget, double *x) {
  if (alpha == -INFINITY) { /* eq. 32: v_j x_j = c for all goods, also for those that cost nothing */
    const double log_c = wal_ces_log_indirect(alpha, m, v, p, budget);
    for (int j = 0; j < m; j++) x[j] = wal_exp(log_c - wal_log(v[j]));
    return;
  }
  wal_ces_shares(alpha, m, v, p, x);
  for (int j = 0; j < m; j++) x[j] *= budget / p[j];
}

static void leontief_gradient(int m, const double *v, const double *x, double *g) {
  const double least = log_leontief(m, v, x);
  int ties = 0;
  for (int j = 0; j < m; j++) ties += wal_log(v[j]) + wal_log(x[j]) == least;
  for (int j = 0; j < m; j++) g[j] = wal_log(v[j]) + wal_log(x[j]) == least ? 1.0 / (ties * x[j]) : 0.0;
}

void wal_ces_log_utility_gradient(double alpha, int m, const double *v, const double *x, double *g) {
  if (alpha == -INFINITY) {
    leontief_gradient(m, v, x, g);
    return;
  }
  if (alpha == 0.0) {
    wal_ces_shares(alpha, m, v, NULL, g);
  } else { /* eq. 19 divided by u */
#pragma omp simd
    for (int j = 0; j < m; j++) g[j] = alpha * (wal_log(v[j]) + wal_log(x[j]));
    softmax(m, g);
  }
  for (int j = 0; j < m; j++) g[j] /= x[j];
}
