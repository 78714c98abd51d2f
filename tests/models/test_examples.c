/* Appendix A: the stated equilibria pass the check, maximum Nash welfare is the closed form's, and where
   print and correction differ (docs/errata.md) the correction holds and the print does not. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "models/nashwelfare/demand.h"
#include "models/nashwelfare/equilibria.h"
#include "models/nashwelfare/examples.h"
#include "models/nashwelfare/nash_welfare.h"
#include "models/nashwelfare/verify.h"
#include "tests/suite.h"

#define OK(call) ck_assert_msg((call) == WAL_OK, "%s", wal_error())
static const double anarchy = 0.69220062755534635387; /* (1/e)^(1/e) */

enum { MOST = 4096 };
static wal_nw_market market;
static wal_nw_solution best;
static double p[MOST], x[MOST], closed[MOST];

static void setup(void) {
  market = (wal_nw_market){0};
  best = (wal_nw_solution){0};
}
static void teardown(void) {
  wal_nw_solution_destroy(&best);
  wal_nw_market_destroy(&market);
}

static void make(int number, const wal_example_size *size) {
  teardown();
  setup();
  OK(wal_example(number, size, &market));
  ck_assert_int_le(market.n * market.m, MOST);
}
static void maximise(void) {
  wal_nw_options options = wal_nw_defaults();
  options.tol = 1e-12;
  OK(wal_nw_maximise(&market, &options, &best));
}
/* What a gap leaves of agent i's utility, and so of the prices slope b_i / u_i, relative: b_i (r - log(1 +
 * r)) <= gap sum_k b_k. */
static double left(int i) {
  double budgets = 0;
  for (int k = 0; k < market.n; k++) budgets += market.budget[k];
  return 1e-8 + 1.1 * sqrt(2 * best.gap * budgets / market.budget[i]);
}
static wal_example_size sized(int number, int n) {
  wal_example_size size = wal_example_defaults(number);
  size.n = n;
  return size;
}

/* Sizes at which each example with a size is tried. */
static const int sizes[] = {2, 3, 5, 8};
static bool has_size(int number) { return number == 5 || number >= 7; }
static bool too_large(int number, int n) { return number == 8 && n > 3; }

/* Nash welfare of equilibrium `which` over that of the utilities u. */
static double ratio(int number, const wal_example_size *size, int which, const double *u) {
  double own[MOST];
  OK(wal_example_equilibrium(number, size, which, p, x));
  for (int i = 0; i < market.n; i++) own[i] = wal_utility_value(market.utility[i], x + i * market.m);
  return exp(wal_nw_log_welfare(&market, own) - wal_nw_log_welfare(&market, u));
}

static void check_equilibria(int number, const wal_example_size *size) {
  make(number, size);
  OK(wal_example_nash(number, size, closed));
  for (int k = 0; k < wal_example_equilibria(number); k++) {
    wal_ce_report report;
    const double of_best = ratio(number, size, k, closed);
    OK(wal_ce_check(&market, x, p, &report));
    ck_assert_msg(wal_ce_holds(&report, 1e-9), "A.%d n=%d equilibrium %d: demand %.3g unsold %.3g", number,
                  size->n, k + 1, report.demand_ratio - 1, report.unsold);
    ck_assert_msg(wal_ce_thrifty(&report, 1e-7) == (number != 10), "A.%d equilibrium %d", number, k + 1);
    ck_assert_double_ge(of_best, anarchy);
    ck_assert_double_le(of_best, 1 + 1e-12);
  }
}

START_TEST(test_stated_equilibria_hold) {
  for (int number = 1; number <= WAL_EXAMPLES; number++) {
    if (number == 3) continue;
    for (int k = 0; k < (has_size(number) ? 4 : 1); k++) {
      if (too_large(number, sizes[k])) continue;
      const wal_example_size size = has_size(number) ? sized(number, sizes[k]) : wal_example_defaults(number);
      check_equilibria(number, &size);
    }
  }
}
END_TEST

static void check_nash(int number, const wal_example_size *size) {
  make(number, size);
  maximise();
  OK(wal_example_nash(number, size, closed));
  for (int i = 0; i < market.n; i++)
    ck_assert_msg(fabs(best.u[i] - closed[i]) <= left(i) * closed[i],
                  "A.%d n=%d agent %d: %.9g, closed form %.9g", number, size->n, i, best.u[i], closed[i]);
  ck_assert_double_eq_tol(best.log_welfare, wal_nw_log_welfare(&market, closed), 1e-9);
}

START_TEST(test_maximum_is_the_closed_form) {
  for (int number = 1; number <= WAL_EXAMPLES; number++) {
    if (number == 3) continue;
    for (int k = 0; k < (has_size(number) ? 4 : 1); k++) {
      if (too_large(number, sizes[k])) continue;
      wal_example_size size = has_size(number) ? sized(number, sizes[k]) : wal_example_defaults(number);
      check_nash(number, &size);
      if (number == 7) size.eps = 0.6, check_nash(number, &size);
      if (number == 9) size.printed = true, check_nash(number, &size);
    }
  }
}
END_TEST

/* ---- A.1, A.2 ---- */

START_TEST(test_a1_welfare_and_prices) {
  const wal_example_size size = wal_example_defaults(1);
  make(1, &size);
  maximise();
  ck_assert_double_eq_tol(best.u[0], 1.13, left(0));
  ck_assert_double_eq_tol(best.u[1], 1.602, left(1));
  double low[2], high[2];
  OK(wal_nw_price_range(&market, &best, low, high));
  const double q[] = {0.01 / 1.602, 0.45 / 1.13}; /* marginal utilities over utilities */
  for (int j = 0; j < 2; j++) {
    ck_assert_double_eq_tol(low[j], q[j], left(0));
    ck_assert_double_eq_tol(high[j], q[j], left(0));
  }
  ck_assert_double_eq_tol(ratio(1, &size, 0, best.u), 1, 1e-8);
  ck_assert_double_eq_tol(ratio(1, &size, 1, best.u), sqrt(1 * 1.603 / (1.13 * 1.602)), 1e-8);
  ck_assert_double_eq_tol(ratio(1, &size, 1, best.u), 0.94101, 1e-5);
}
END_TEST

START_TEST(test_a1_second_equilibrium_leaves_budget) { /* sum_j p_j < sum_i b_i: proof of Theorem 3.1 */
  const wal_example_size size = wal_example_defaults(1);
  make(1, &size);
  OK(wal_example_equilibrium(1, &size, 1, p, x));
  ck_assert_double_eq_tol(p[0] + p[1], 1.75, 1e-12);
  ck_assert(isfinite(market.utility[1]->satiation)); /* u_2 is bounded: satiable */
  ck_assert_double_eq_tol(market.utility[1]->satiation, 1.603, 1e-12);
}
END_TEST

START_TEST(test_a1_search_finds_three) {
  const wal_example_size size = wal_example_defaults(1);
  make(1, &size);
  const wal_equilibria_options options = wal_equilibria_defaults();
  wal_equilibria found = {0};
  OK(wal_equilibria_find(&market, &options, &found));
  ck_assert_int_eq(found.count, 3);
  const int order[] = {2, 0, 1}; /* by p_1 */
  for (int k = 0; k < 3; k++) {
    OK(wal_example_equilibrium(1, &size, order[k], p, x));
    for (int j = 0; j < 2; j++) ck_assert_double_eq_tol(found.list[k].p[j], p[j], 1e-6);
    for (int c = 0; c < 4; c++) ck_assert_double_eq_tol(found.list[k].x[c], x[c], 1e-5);
  }
  wal_equilibria_destroy(&found);
}
END_TEST

START_TEST(test_a2_ratio) {
  const wal_example_size size = wal_example_defaults(2);
  make(2, &size);
  maximise();
  ck_assert_double_eq_tol(ratio(2, &size, 1, best.u), 0.89145, 1e-5);
}
END_TEST

/* ---- A.3 ---- */

static const double d1 = 2 / 0.9 + 0.2 * 0.01, d2 = 0.01 + 2 / 0.85;

static wal_demand_set gale(const double *q) {
  wal_demand_set set;
  OK(wal_demand_gale(market.utility[0], q, 1, &set));
  return set;
}
/* The least (sign 1) or the most (-1) of good 1 over a Gale demand. */
static double extent(const double *q, double sign) {
  const wal_demand_set set = gale(q);
  const double c[] = {sign, 0};
  double y[2];
  bool found;
  OK(wal_demand_pick(market.utility[0], q, &set, c, NULL, NULL, y, &found));
  ck_assert(found);
  return y[0];
}

START_TEST(test_a3_utility_rises_with_prices) {
  const wal_example_size size = wal_example_defaults(3);
  make(3, &size);
  const double q[] = {0.1 / d1, 0.2 / d1}, corrected[] = {1 / d2, 1 / d2}, printed[] = {1 / d2, 0.2 / d2};
  ck_assert_double_eq_tol(gale(q).utility, d1, 1e-7);
  ck_assert_double_eq_tol(gale(corrected).utility, d2, 1e-7);
  ck_assert(q[0] < corrected[0] && q[1] < corrected[1] && d1 < d2);
  ck_assert_double_eq_tol(gale(printed).utility, 2.5, 1e-7); /* not the stated 2.3629 */
  ck_assert(printed[1] < q[1]);                              /* and prices do not rise */
  ck_assert_double_eq_tol(extent(printed, 1), 0, 1e-6);
  ck_assert_double_eq_tol(extent(printed, -1), 0, 1e-6);
}
END_TEST

START_TEST(test_a3_gale_demands_are_segments) {
  const wal_example_size size = wal_example_defaults(3);
  make(3, &size);
  const double q[] = {0.1 / d1, 0.2 / d1}, corrected[] = {1 / d2, 1 / d2};
  /* u = d1 on the line 2 + 0.1 y1 + 0.2 y2 = d1 within y1 + y2 >= d1; u = d2 on y1 + y2 = d2 likewise */
  ck_assert_double_eq_tol(extent(q, -1), (d1 - 2) / 0.1, 1e-5);
  ck_assert_double_eq_tol(extent(q, 1), 2 * d1 - (d1 - 2) / 0.1, 1e-5);
  ck_assert_double_eq_tol(extent(corrected, 1), 0, 1e-5);
  ck_assert_double_eq_tol(extent(corrected, -1), (0.2 * d2 + 2 - d2) / 0.1, 1e-5);
}
END_TEST

/* ---- A.4 to A.10 ---- */

START_TEST(test_a4_ratio_falls_to_the_bound) {
  const double eps[] = {0.5, 0.1, 0.01, 1e-3}, expected[] = {0.82343, 0.71955, 0.69496, 0.69248};
  for (int k = 0; k < 4; k++) {
    wal_example_size size = wal_example_defaults(4);
    size.eps = eps[k];
    make(4, &size);
    maximise();
    const double r = ratio(4, &size, 0, best.u);
    ck_assert_double_eq_tol(r, pow(pow(1 + eps[k] * (M_E - 1) / M_E, M_E - 1) / M_E, 1 / M_E), 1e-8);
    ck_assert_double_eq_tol(r, expected[k], 1e-5);
  }
  for (double b = 1.5; b < 6; b += 0.5) ck_assert_double_ge(pow(1 / b, 1 / b), anarchy); /* least at e */
}
END_TEST

START_TEST(test_a5_last_agent) {
  for (int k = 0; k < 4; k++) {
    const int n = sizes[k];
    const wal_example_size size = sized(5, n);
    make(5, &size);
    for (int which = 0; which < 2; which++) {
      wal_demand_set demand;
      OK(wal_example_equilibrium(5, &size, which, p, x));
      OK(wal_demand(market.utility[n - 1], p, 1, &demand));
      ck_assert_double_eq_tol(demand.utility, which == 0 ? 1 : 1.0 / n, 1e-9);
    }
    maximise();
    double low[8], high[8];
    OK(wal_nw_price_range(&market, &best, low, high));
    for (int j = 0; j < n; j++) {
      ck_assert_double_eq_tol(low[j], j < n - 1 ? 0 : 1, left(0));
      ck_assert_double_eq_tol(high[j], 1, left(0));
    }
  }
}
END_TEST

/* What agent 2 of A.6 can buy at the Gale price, over what it has; its share into *x2. */
static double a6_ratio(double alpha, bool printed, double *x2) {
  wal_example_size size = wal_example_defaults(6);
  wal_demand_set demand;
  size.alpha = alpha;
  size.printed = printed;
  make(6, &size);
  maximise();
  *x2 = best.y[1];
  OK(wal_demand(market.utility[1], best.q, 1, &demand));
  return demand.utility / best.u[1];
}

START_TEST(test_a6_beta) {
  const double alpha[] = {5, 10, 100}, printed[] = {1.7097, 1.8820, 1.98985};
  for (int k = 0; k < 3; k++) {
    const double a = alpha[k];
    double x2;
    ck_assert_double_eq_tol(a6_ratio(a, false, &x2), 2 - 1 / (a - 1), 4 * left(1));
    ck_assert_double_eq_tol(x2, 1 / a, left(1));
    ck_assert_double_eq_tol(a6_ratio(a, true, &x2), printed[k], 5e-5);
    ck_assert_double_eq_tol(x2, 1 / (2 * a) + 1 / (2 * (a - 1)), left(1));
    ck_assert_double_ge(x2 - 1 / a, 3e-5); /* the stated share is not optimal there */
  }
}
END_TEST

START_TEST(test_a7_small_enough_is_half) {
  const int n[] = {2, 3, 6};
  const double expected[] = {8.0 / 9, 7.0 / 8, 6.0 / 7};
  for (int k = 0; k < 3; k++) {
    wal_example_size size = sized(7, n[k]);
    make(7, &size);
    maximise();
    ck_assert_double_eq_tol(best.u[n[k]], 1, left(n[k]));
    size.eps = 0.6;
    make(7, &size);
    maximise();
    ck_assert_double_eq_tol(best.u[n[k]], expected[k], left(n[k]));
  }
}
END_TEST

START_TEST(test_a8_k) {
  const int n[] = {2, 3, 4, 10, 100, 10000};
  const double expected[] = {0.320377, 0.325139, 0.316364, 0.250925, 0.0945778, 0.00994962};
  for (int i = 0; i < 6; i++) ck_assert_double_eq_tol(wal_example_k(n[i]), expected[i], 1e-6);
  for (int m = 2; m < 1000000; m += 1 + m / 50) ck_assert_double_le(wal_example_k(m), 1 / sqrt(m));
  for (int m = 2; m < 50; m++) { /* the footnote's first inequality, at k = n^(-1/2) */
    const double k = 1 / sqrt(m), left = (m + 1) * k / (1 + k - k / m - k * k / m);
    ck_assert_msg((left >= m * k) == (m < 4), "n = %d", m);
  }
  const double a6 = 7 / (1 + 6 * wal_example_k(6) + 6 / 7.0), a7 = 8 / (1 + 7 * wal_example_k(7) + 7 / 8.0);
  ck_assert_double_eq_tol(a6, 1.9397, 5e-5);
  ck_assert_double_eq_tol(a7, 2.0850, 5e-5);
  ck_assert_double_eq_tol(101 / (1 + 100 * wal_example_k(100) + 100 / 101.0), 8.8226, 5e-5);
}
END_TEST

START_TEST(test_a9_needs_the_first_good) {
  wal_example_size size = sized(9, 6);
  make(9, &size);
  maximise();
  OK(wal_example_equilibrium(9, &size, 0, p, x));
  wal_demand_set demand;
  OK(wal_demand(market.utility[0], p, 1, &demand));
  ck_assert_double_eq_tol(demand.utility, 2 - 1.0 / 6, 1e-9);
  double low[6], high[6];
  OK(wal_nw_price_range(&market, &best, low, high));
  ck_assert_double_eq_tol(low[0], 0, left(0));
  for (int j = 0; j < 6; j++) {
    ck_assert_double_eq_tol(high[j], 1, left(0));
    if (j > 0) ck_assert_double_eq_tol(low[j], 1, left(0));
  }
  size.printed = true; /* v_11 = 0: everybody has (n - 1) / n in both */
  make(9, &size);
  maximise();
  OK(wal_demand(market.utility[0], p, 1, &demand));
  ck_assert_double_eq_tol(demand.utility, 5.0 / 6, 1e-9);
  ck_assert_double_eq_tol(best.u[0], 5.0 / 6, left(0));
}
END_TEST

START_TEST(test_a10_is_not_thrifty) {
  const int n[] = {3, 5};
  const double eps[] = {0.1, 0.05}, expected[] = {0.4, 0.24}, cost[] = {18, 76}, cheapest[] = {1.8, 3.8};
  for (int k = 0; k < 2; k++) {
    wal_example_size size = sized(10, n[k]);
    size.eps = eps[k];
    make(10, &size);
    maximise();
    ck_assert_double_eq_tol(best.u[0], expected[k], left(0));
    OK(wal_example_equilibrium(10, &size, 0, p, x));
    wal_ce_report report;
    OK(wal_ce_check(&market, x, p, &report));
    ck_assert(wal_ce_holds(&report, 1e-9));
    ck_assert(!wal_ce_thrifty(&report, 1e-3));
    ck_assert_double_eq_tol(report.waste, (cost[k] - cheapest[k]) / market.budget[n[k]], 1e-8);
    wal_demand_set gale_set; /* property (Sigma) fails: (0, 1-eps, ...) satiates, but GD at p wants good 1 */
    OK(wal_demand_gale(market.utility[n[k]], p, market.budget[n[k]], &gale_set));
    double y[8];
    bool found;
    OK(wal_demand_pick(market.utility[n[k]], p, &gale_set, NULL, NULL, x + n[k] * n[k], y, &found));
    ck_assert(!found);
  }
}
END_TEST

START_TEST(test_refusals) {
  wal_example_size size = wal_example_defaults(7);
  ck_assert_int_eq(wal_example(0, &size, &market), WAL_E_INPUT);
  ck_assert_int_eq(wal_example(11, &size, &market), WAL_E_INPUT);
  size.n = 1;
  ck_assert_int_eq(wal_example(7, &size, &market), WAL_E_INPUT);
  ck_assert_int_eq(wal_example_nash(3, &size, closed), WAL_E_UNSUPPORTED);
  ck_assert_int_eq(wal_example_equilibrium(3, &size, 0, p, x), WAL_E_INPUT);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("nashwelfare/examples");
  TCase *all = tcase_create("all");
  tcase_add_checked_fixture(all, setup, teardown);
  tcase_set_timeout(all, 60);
  tcase_add_test(all, test_stated_equilibria_hold);
  tcase_add_test(all, test_maximum_is_the_closed_form);
  tcase_add_test(all, test_a1_welfare_and_prices);
  tcase_add_test(all, test_a1_second_equilibrium_leaves_budget);
  tcase_add_test(all, test_a1_search_finds_three);
  tcase_add_test(all, test_a2_ratio);
  tcase_add_test(all, test_a3_utility_rises_with_prices);
  tcase_add_test(all, test_a3_gale_demands_are_segments);
  tcase_add_test(all, test_a4_ratio_falls_to_the_bound);
  tcase_add_test(all, test_a5_last_agent);
  tcase_add_test(all, test_a6_beta);
  tcase_add_test(all, test_a7_small_enough_is_half);
  tcase_add_test(all, test_a8_k);
  tcase_add_test(all, test_a9_needs_the_first_good);
  tcase_add_test(all, test_a10_is_not_thrifty);
  tcase_add_test(all, test_refusals);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
