/* Checks of equilibria and of Nash-welfare optima: true ones pass, perturbed ones do not. */
#include <math.h>
#include <string.h>

#include "models/common/rng.h"
#include "models/nashwelfare/verify.h"
#include "tests/suite.h"

static const double tol = 1e-7;

static double uniform(uint64_t seed, int at) { return wal_rng_uniform(seed, WAL_STREAM_TEST, (uint64_t)at); }

static wal_nw_market market_of(int n, int m) {
  wal_nw_market market;
  ck_assert_int_eq(wal_nw_market_create(n, m, &market), WAL_OK);
  return market;
}

/* A.1, with three thrifty equilibria. */
static wal_nw_market example_1(void) {
  const int start[3] = {0, 1, 2};
  wal_nw_market market = market_of(2, 2);
  const wal_segment first[2] = {{1.3, 0.8}, {0.45, INFINITY}}, second[2] = {{0.01, 0.3}, {2, 0.8}};
  ck_assert_int_eq(wal_utility_splc(2, start, first, &market.utility[0]), WAL_OK);
  ck_assert_int_eq(wal_utility_splc(2, start, second, &market.utility[1]), WAL_OK);
  return market;
}

/* A.10 with n = 3, eps = .1 and a last budget of 18. */
static wal_nw_market example_10(void) {
  wal_nw_market market = market_of(4, 3);
  for (int i = 0; i < 3; i++) {
    const double v[3] = {i == 0, i == 1, i == 2};
    ck_assert_int_eq(wal_utility_linear(3, v, &market.utility[i]), WAL_OK);
  }
  const double a[3] = {1, 1, 1}, l[1] = {1.8};
  ck_assert_int_eq(wal_utility_leontief_free(3, 1, a, l, &market.utility[3]), WAL_OK);
  market.budget[3] = 18;
  return market;
}

static wal_ce_report check(const wal_nw_market *market, const double *x, const double *p) {
  wal_ce_report report;
  ck_assert_msg(wal_ce_check(market, x, p, &report) == WAL_OK, "%s", wal_error());
  return report;
}

static double gap_of(const wal_nw_market *market, const double *y) {
  double gap;
  ck_assert_msg(wal_nw_gap_check(market, y, &gap) == WAL_OK, "%s", wal_error());
  return gap;
}

static double gale_distance(const wal_nw_market *market, const double *y, const double *q) {
  double distance;
  ck_assert_msg(wal_nw_gale_check(market, y, q, &distance) == WAL_OK, "%s", wal_error());
  return distance;
}

/* ---- equilibria ---- */

START_TEST(equilibria_of_a1_pass) {
  const double p[3][2] = {{1, 1}, {1.3, 0.45}, {2.0 / 201, 400.0 / 201}};
  const double share = (1 - p[2][0] * 0.2) / p[2][1]; /* agent 1 buys .2 of good 0 first */
  const double x[3][4] = {{0.8, 0.2, 0.2, 0.8}, {0.7, 0.2, 0.3, 0.8}, {0.8, 1 - share, 0.2, share}};
  wal_nw_market market = example_1();
  for (int k = 0; k < 3; k++) {
    const wal_ce_report report = check(&market, x[k], p[k]);
    ck_assert_msg(wal_ce_thrifty(&report, tol), "%d: %g %g %g %g %g", k, report.oversold, report.unsold,
                  report.overspent, report.demand_ratio - 1, report.waste);
  }
  wal_nw_market_destroy(&market);
}
END_TEST

START_TEST(perturbed_equilibria_fail) {
  const double p[2] = {1, 1}, x[4] = {0.8, 0.2, 0.2, 0.8};
  wal_nw_market market = example_1();
  for (int sign = -1; sign <= 1; sign += 2) {
    for (int j = 0; j < 2; j++) {
      double other[2] = {p[0], p[1]};
      other[j] += sign * 1e-5;
      const wal_ce_report report = check(&market, x, other);
      ck_assert(!wal_ce_thrifty(&report, tol));
    }
    for (int k = 0; k < 4; k++) {
      double other[4];
      memcpy(other, x, sizeof x);
      other[k] += sign * 1e-5;
      const wal_ce_report report = check(&market, other, p);
      ck_assert(!wal_ce_thrifty(&report, tol));
    }
  }
  const double swapped[4] = {0.2, 0.8, 0.8, 0.2}; /* clears, and costs the budgets */
  const wal_ce_report report = check(&market, swapped, p);
  ck_assert_double_le(report.oversold + report.unsold + report.overspent, 1e-12);
  ck_assert_double_gt(report.demand_ratio, 1.5);
  ck_assert(!wal_ce_holds(&report, tol));
  wal_nw_market_destroy(&market);
}
END_TEST

START_TEST(a10_is_not_thrifty) {
  const double p[3] = {1, 10, 10};
  const double x[12] = {1, 0, 0, 0, 0.1, 0, 0, 0, 0.1, 0, 0.9, 0.9};
  wal_nw_market market = example_10();
  const wal_ce_report report = check(&market, x, p);
  ck_assert(wal_ce_holds(&report, tol));
  ck_assert(!wal_ce_thrifty(&report, tol));
  ck_assert_double_eq_tol(report.waste, (18 - 1.8) / 18, 1e-9);
  wal_nw_market_destroy(&market);
}
END_TEST

/* Every number of the report, told by hand. */
START_TEST(reports_by_hand) {
  wal_nw_market market = market_of(2, 2);
  ck_assert_int_eq(wal_utility_linear(2, (double[2]){1, 2}, &market.utility[0]), WAL_OK);
  ck_assert_int_eq(wal_utility_linear(2, (double[2]){3, 1}, &market.utility[1]), WAL_OK);
  const double x[4] = {0.5, 0.5, 0.7, 0.1}, p[2] = {1, 1.5};
  const wal_ce_report report = check(&market, x, p);
  ck_assert_double_eq_tol(report.oversold, 0.2, 1e-12);
  ck_assert_double_eq_tol(report.unsold, 1.5 * 0.4 / 2, 1e-12);
  ck_assert_double_eq_tol(report.overspent, 0.25, 1e-12);
  ck_assert_double_eq_tol(report.demand_ratio, 3 / 2.2,
                          1e-9); /* agent 1: 3 for its money; agent 0: (4/3) / 1.5 */
  ck_assert_int_eq(report.worst_agent, 1);
  ck_assert_double_eq_tol(report.waste, 1.25 - 1.5 / 2 * 1.5, 1e-9);
  ck_assert_double_eq_tol(report.envy, 1, 1e-12); /* 2 for 2.2, .9 for 1.5: itself */
  const double nothing[4] = {1, 1, 0, 0};
  ck_assert(check(&market, nothing, p).demand_ratio == INFINITY);
  ck_assert(check(&market, nothing, p).envy == INFINITY);
  ck_assert(check(&market, x, (double[2]){0, 1}).demand_ratio == INFINITY);
  wal_ce_report unused;
  ck_assert_int_eq(wal_ce_check(&market, x, (double[2]){-1, 1}, &unused), WAL_E_INPUT);
  ck_assert_int_eq(wal_ce_check(&market, (double[4]){NAN}, p, &unused), WAL_E_INPUT);
  wal_nw_market_destroy(&market);
}
END_TEST

/* ---- maximum Nash welfare ---- */

/* A.1: the first equilibrium has the maximum; q_0 by agent 1, q_1 by agent 0. */
START_TEST(optimum_of_a1) {
  const double best[4] = {0.8, 0.2, 0.2, 0.8}, second[4] = {0.7, 0.2, 0.3, 0.8};
  const double q[2] = {0.01 / 1.602, 0.45 / 1.13};
  wal_nw_market market = example_1();
  ck_assert_double_eq_tol(gap_of(&market, best), 0, 1e-9);
  ck_assert_double_eq_tol(gale_distance(&market, best, q), 0, 1e-9);
  ck_assert_double_ge(gap_of(&market, second), -log(0.94101) - 1e-4);
  for (int j = 0; j < 2; j++) {
    double other[2] = {q[0], q[1]};
    other[j] *= 1.001;
    ck_assert_double_gt(gale_distance(&market, best, other), 1e-6);
    other[j] = 0.999 * q[j];
    ck_assert_double_gt(gale_distance(&market, best, other), 1e-6);
  }
  ck_assert_double_gt(gale_distance(&market, second, q), 1e-3);
  wal_nw_market_destroy(&market);
}
END_TEST

/* One agent at Gale demand, half of a good with a price left over. */
START_TEST(a_priced_good_left_over_is_no_optimum) {
  const double y[1] = {0.5}, q[1] = {2};
  wal_nw_market market = market_of(1, 1);
  ck_assert_int_eq(wal_utility_linear(1, (double[1]){1}, &market.utility[0]), WAL_OK);
  ck_assert_double_eq_tol(gale_distance(&market, y, q), 1, 1e-12);
  wal_nw_market_destroy(&market);
}
END_TEST

/* The gap is no less than the distance to any allocation, and 0 where agents want different goods. */
START_TEST(gaps_are_bounds) {
  for (int k = 0; k < 50; k++) {
    wal_nw_market market = market_of(3, 3);
    for (int i = 0; i < 3; i++) {
      const double a[9] = {uniform((uint64_t)k, 3 * i),
                           uniform((uint64_t)k, 3 * i + 1),
                           0,
                           0,
                           uniform((uint64_t)k, 3 * i + 2),
                           0,
                           0,
                           0,
                           0.5},
                   l[3] = {0.2 + uniform((uint64_t)k, 100 + i), 0.3, INFINITY};
      ck_assert_int_eq(i ? wal_utility_leontief_free(3, 3, a, l, &market.utility[i])
                         : wal_utility_linear(3, a, &market.utility[i]),
                       WAL_OK);
      market.budget[i] = 1 + i;
    }
    double y[2][9], u[2][3], log_welfare[2];
    for (int t = 0; t < 2; t++) {
      for (int j = 0; j < 3; j++) {
        double sum = 0;
        for (int i = 0; i < 3; i++) sum += y[t][3 * i + j] = uniform(900, 18 * k + 9 * t + 3 * i + j);
        for (int i = 0; i < 3; i++) y[t][3 * i + j] /= sum;
      }
      for (int i = 0; i < 3; i++) u[t][i] = wal_utility_value(market.utility[i], &y[t][3 * i]);
      log_welfare[t] = wal_nw_log_welfare(&market, u[t]);
    }
    ck_assert_double_ge(gap_of(&market, y[0]), log_welfare[1] - log_welfare[0]);
    ck_assert_double_ge(gap_of(&market, y[1]), log_welfare[0] - log_welfare[1]);
    wal_nw_market_destroy(&market);
  }
  wal_nw_market market = example_10();
  for (int i = 0; i < 4; i++) market.budget[i] = 1;
  const double shares[12] = {0.55, 0, 0, 0, 0.55, 0, 0, 0, 0.55, 0.45, 0.45, 0.45};
  ck_assert_double_gt(gap_of(&market, shares), 1e-3);
  const double best[12] = {0.75, 0, 0, 0, 0.75, 0, 0, 0, 0.75, 0.25, 0.25, 0.25}; /* 1 / .75 each */
  ck_assert_double_eq_tol(gap_of(&market, best), 0, 1e-9);
  const double q[3] = {4.0 / 3, 4.0 / 3, 4.0 / 3};
  ck_assert_double_eq_tol(gale_distance(&market, best, q), 0, 1e-9);
  const double none[12] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0};
  ck_assert(gap_of(&market, none) == INFINITY);
  wal_nw_market_destroy(&market);
}
END_TEST

/* Separable utilities, whose bound is closed, against a linear program: one agent, with a good of its own,
   has the same utility as SPLC and as a minimum of two pieces. */
START_TEST(gaps_in_closed_form) {
  enum { N = 5, M = 4 };
  for (uint64_t k = 0; k < 20; k++) {
    double gap[2], y[N * M];
    for (int e = 0; e < N * M; e++) y[e] = uniform(k, e) / N;
    for (int way = 0; way < 2; way++) {
      wal_nw_market market = market_of(N, M);
      for (int i = 0; i < N - 1; i++) {
        const int start[M + 1] = {0, 2, 3, 4, 4};
        const double slope = uniform(k, 100 + 9 * i);
        const wal_segment segments[4] = {{slope, uniform(k, 101 + 9 * i)},
                                         {slope * uniform(k, 102 + 9 * i), INFINITY},
                                         {uniform(k, 103 + 9 * i), uniform(k, 104 + 9 * i)},
                                         {uniform(k, 105 + 9 * i), INFINITY}};
        ck_assert_int_eq(wal_utility_splc(M, start, segments, &market.utility[i]), WAL_OK);
        market.budget[i] = 1 + i;
      }
      const int start[M + 1] = {0, 0, 0, 0, 2};
      const wal_segment segments[2] = {{2, 0.25}, {1, INFINITY}};
      const double pieces[2 * M] = {0, 0, 0, 2, 0, 0, 0, 1}, constants[2] = {0, 0.25};
      ck_assert_int_eq(way ? wal_utility_plc(M, 2, pieces, constants, &market.utility[N - 1])
                           : wal_utility_splc(M, start, segments, &market.utility[N - 1]),
                       WAL_OK);
      gap[way] = gap_of(&market, y);
      wal_nw_market_destroy(&market);
    }
    ck_assert_double_gt(gap[0], 1e-3);
    ck_assert_double_eq_tol(gap[0], gap[1], 1e-9 * gap[1]);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("models/verify");
  TCase *tests = tcase_create("verify");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, equilibria_of_a1_pass);
  tcase_add_test(tests, perturbed_equilibria_fail);
  tcase_add_test(tests, a10_is_not_thrifty);
  tcase_add_test(tests, reports_by_hand);
  tcase_add_test(tests, optimum_of_a1);
  tcase_add_test(tests, a_priced_good_left_over_is_no_optimum);
  tcase_add_test(tests, gaps_are_bounds);
  tcase_add_test(tests, gaps_in_closed_form);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
