#include <check.h>
#include <float.h>
#include <math.h>

#include "models/common/rng.h"
#include "models/market/welfare.h"
#include "tests/suite.h"

enum { M = 6 };
static const double alphas[] = {1, 0.9, 0.5, 0, -1, -4, -INFINITY};
enum { ALPHAS = sizeof alphas / sizeof *alphas };

static void draw(uint64_t seed, double spread, double out[M]) {
  for (uint64_t j = 0; j < M; j++) out[j] = exp(spread * wal_rng_normal(seed, WAL_STREAM_TEST, j));
}

/* The definition (appendix A), in long double and without logarithms. */
static double plain_log_utility(double alpha, const double *v, const double *x) {
  long double sum = 0, total = 0, least = INFINITY;
  for (int j = 0; j < M; j++) {
    total += v[j];
    least = fminl(least, (long double)v[j] * x[j]);
    sum += alpha == 0 ? v[j] * logl(x[j]) : powl((long double)v[j] * x[j], alpha);
  }
  if (alpha == -INFINITY) return (double)logl(least);
  return (double)(alpha == 0 ? sum / total : logl(sum) / alpha);
}

START_TEST(utility_is_the_definition) {
  for (uint64_t seed = 0; seed < 50; seed++) {
    double v[M], x[M];
    draw(2 * seed, 1, v);
    draw(2 * seed + 1, 1, x);
    const double want = plain_log_utility(alphas[_i], v, x);
    ck_assert_double_eq_tol(wal_ces_log_utility(alphas[_i], M, v, x), want, 1e-14 * (1 + fabs(want)));
  }
}
END_TEST

START_TEST(gradient_is_the_finite_difference) {
  for (uint64_t seed = 0; seed < 20; seed++) {
    double v[M], x[M], g[M];
    draw(2 * seed + 100, 1, v);
    draw(2 * seed + 101, 1, x);
    wal_ces_log_utility_gradient(alphas[_i], M, v, x, g);
    for (int j = 0; j < M; j++) {
      const double at = x[j], h = 1e-5 * at;
      x[j] = at + h;
      const double up = wal_ces_log_utility(alphas[_i], M, v, x);
      x[j] = at - h;
      const double down = wal_ces_log_utility(alphas[_i], M, v, x);
      x[j] = at;
      ck_assert_double_eq_tol(g[j], (up - down) / (2 * h), 1e-8 * (1 + fabs(g[j])));
    }
  }
}
END_TEST

/* Euler: u is homogeneous of degree 1, so sum_j x_j d log u / d x_j = 1. Ties of Leontief included. */
START_TEST(gradient_obeys_euler) {
  double v[M], x[M], g[M];
  draw(5, 1, v);
  draw(6, 1, x);
  if (alphas[_i] == -INFINITY) x[1] = 1e-3, v[1] = 2, x[2] = 1e-3, v[2] = 2; /* two scarcest goods */
  wal_ces_log_utility_gradient(alphas[_i], M, v, x, g);
  double sum = 0;
  for (int j = 0; j < M; j++) sum += x[j] * g[j];
  ck_assert_double_eq_tol(sum, 1, 1e-14);
}
END_TEST

START_TEST(demand_spends_the_budget_and_is_worth_the_indirect_utility) {
  for (uint64_t seed = 0; seed < 50; seed++) {
    double v[M], p[M], x[M], spent = 0;
    draw(2 * seed + 200, 1, v);
    draw(2 * seed + 201, 1, p);
    wal_ces_demand(alphas[_i], M, v, p, 3.5, x);
    for (int j = 0; j < M; j++) spent += p[j] * x[j];
    ck_assert_double_eq_tol(spent, 3.5, 1e-13);
    ck_assert_double_eq_tol(wal_ces_log_utility(alphas[_i], M, v, x),
                            wal_ces_log_indirect(alphas[_i], M, v, p, 3.5), 1e-13);
  }
}
END_TEST

/* KKT of (7): d log u/d x_j = p_j / B where x_j > 0, at most that elsewhere. (Leontief has no gradient there:
   no feasible bundle near by is better.) */
START_TEST(demand_satisfies_kkt) {
  for (uint64_t seed = 0; seed < 20; seed++) {
    double v[M], p[M], x[M], g[M];
    draw(2 * seed + 300, 1, v);
    draw(2 * seed + 301, 1, p);
    wal_ces_demand(alphas[_i], M, v, p, 2.0, x);
    if (alphas[_i] == 1) {
      double had = 0;
      for (int j = 0; j < M; j++) had += v[j] * x[j];
      for (int j = 0; j < M; j++) {
        ck_assert_double_le(v[j] / had, p[j] / 2.0 * (1 + 1e-14));
        if (x[j] > 0) ck_assert_double_eq_tol(v[j] / had, p[j] / 2.0, 1e-13 * p[j]);
      }
    } else if (alphas[_i] == -INFINITY) {
      for (int j = 1; j < M; j++) ck_assert_double_eq_tol(v[j] * x[j], v[0] * x[0], 1e-13 * v[0] * x[0]);
    } else {
      wal_ces_log_utility_gradient(alphas[_i], M, v, x, g);
      for (int j = 0; j < M; j++) ck_assert_double_eq_tol(g[j], p[j] / 2.0, 1e-12 * p[j]);
    }
  }
}
END_TEST

START_TEST(shares_add_to_one_and_ties_are_split) {
  const double v[4] = {2, 4, 4, 1}, p[4] = {1, 2, 2, 1};
  double s[4];
  wal_ces_shares(1, 4, v, p, s);
  ck_assert(s[0] == 1.0 / 3 && s[1] == 1.0 / 3 && s[2] == 1.0 / 3 && s[3] == 0);
  wal_ces_shares(0, 4, v, p, s);
  ck_assert_double_eq_tol(s[1], 4.0 / 11, 1e-16);
  wal_ces_shares(-INFINITY, 4, v, p, s); /* p/v = 1/2, 1/2, 1/2, 1 */
  ck_assert_double_eq_tol(s[0], 0.2, 1e-15);
  ck_assert_double_eq_tol(s[3], 0.4, 1e-15);
  wal_ces_shares(0.5, 4, v, p, s); /* v/p = 2, 2, 2, 1 */
  ck_assert_double_eq_tol(s[0], 2.0 / 7, 1e-15);
  wal_ces_shares_power(1.0, 4, v, p, s);
  ck_assert_double_eq_tol(s[3], 1.0 / 7, 1e-15);
}
END_TEST

/* As alpha -> -infinity, CES tends to Leontief: 0 <= log min - log CES <= log(M)/|alpha|. */
START_TEST(leontief_is_the_limit) {
  double v[M], x[M], p[M];
  draw(7, 1, v);
  draw(8, 1, x);
  draw(9, 1, p);
  for (double alpha = -10; alpha >= -1e12; alpha *= 10) {
    const double gap = wal_ces_log_utility(-INFINITY, M, v, x) - wal_ces_log_utility(alpha, M, v, x);
    ck_assert(gap >= -1e-15 && gap <= log(M) / -alpha + 1e-15);
    double s[M], limit[M];
    wal_ces_shares(alpha, M, v, p, s);
    wal_ces_shares(-INFINITY, M, v, p, limit);
    for (int j = 0; j < M; j++) ck_assert_double_eq_tol(s[j], limit[j], 10 / -alpha + 1e-15);
    ck_assert_double_eq_tol(wal_ces_log_indirect(alpha, M, v, p, 1),
                            wal_ces_log_indirect(-INFINITY, M, v, p, 1), 10 / -alpha + 1e-14);
  }
}
END_TEST

/* Values and prices over 60 orders of magnitude: finite, and shifted exactly by a common factor. */
START_TEST(extreme_values_do_not_overflow) {
  double v[M] = {1e-30, 1e30, 1, 1e15, 1e-15, 3}, p[M] = {1e30, 1e-30, 1e15, 1e-15, 1, 2}, x[M], s[M];
  wal_ces_demand(alphas[_i], M, v, p, 1.0, x);
  wal_ces_shares(alphas[_i], M, v, p, s);
  const double u = wal_ces_log_indirect(alphas[_i], M, v, p, 1.0);
  ck_assert(isfinite(u));
  double sum = 0;
  for (int j = 0; j < M; j++) {
    ck_assert(isfinite(x[j]) && x[j] >= 0);
    sum += s[j];
  }
  ck_assert_double_eq_tol(sum, 1, 1e-14);
  for (int j = 0; j < M; j++)
    v[j] *= 1e100; /* u scales with v, except Cobb-Douglas's indirect utility: v_j/v_t */
  const double shift = alphas[_i] == 0 ? 0 : log(1e100);
  ck_assert_double_eq_tol(wal_ces_log_indirect(alphas[_i], M, v, p, 1.0), u + shift,
                          1e-13 * (1 + fabs(u) + shift));
}
END_TEST

START_TEST(nothing_is_worth_minus_infinity) {
  const double v[2] = {1, 2}, half[2] = {1, 0}, none[2] = {0, 0};
  for (int k = 0; k < ALPHAS; k++) ck_assert(wal_ces_log_utility(alphas[k], 2, v, none) == -INFINITY);
  ck_assert(wal_ces_log_utility(0.5, 2, v, half) == 0.0 && wal_ces_log_utility(1, 2, v, half) == 0.0);
  for (int k = 3; k < ALPHAS; k++) ck_assert(wal_ces_log_utility(alphas[k], 2, v, half) == -INFINITY);
  const double unwanted[2] = {1, 0};
  double x[2];
  wal_ces_demand(0.5, 2, unwanted, v, 1.0, x);
  ck_assert(x[0] == 1.0 && x[1] == 0.0);
}
END_TEST

/* Leontief, one price 0: the free good is taken up to what the others can use. */
START_TEST(zero_prices_under_leontief) {
  const double v[3] = {1, 2, 4}, p[3] = {1, 0, 2};
  double x[3], s[3];
  wal_ces_demand(-INFINITY, 3, v, p, 3.0, x); /* c (1 + 2/4) = 3, c = 2 */
  ck_assert_double_eq_tol(x[0], 2, 1e-14);
  ck_assert_double_eq_tol(x[1], 1, 1e-14);
  ck_assert_double_eq_tol(x[2], 0.5, 1e-14);
  wal_ces_shares(-INFINITY, 3, v, p, s);
  ck_assert(s[1] == 0.0);
  ck_assert_double_eq_tol(wal_ces_log_indirect(-INFINITY, 3, v, p, 3.0), log(2), 1e-14);
}
END_TEST

int main(void) {
  Suite *s = suite_create("ces");
  TCase *t = tcase_create("utilities");
  tcase_add_loop_test(t, utility_is_the_definition, 0, ALPHAS);
  tcase_add_loop_test(t, gradient_is_the_finite_difference, 0, ALPHAS);
  tcase_add_loop_test(t, gradient_obeys_euler, 0, ALPHAS);
  tcase_add_loop_test(t, demand_spends_the_budget_and_is_worth_the_indirect_utility, 0, ALPHAS);
  tcase_add_loop_test(t, demand_satisfies_kkt, 0, ALPHAS);
  tcase_add_test(t, shares_add_to_one_and_ties_are_split);
  tcase_add_test(t, leontief_is_the_limit);
  tcase_add_loop_test(t, extreme_values_do_not_overflow, 0, ALPHAS);
  tcase_add_test(t, nothing_is_worth_minus_infinity);
  tcase_add_test(t, zero_prices_under_leontief);
  suite_add_tcase(s, t);
  return run_suite(s);
}
