/* Guaranteed revenues and deviations: Example 1 with its equilibria, Theorem 7. */
#include <math.h>
#include <string.h>

#include "models/common/rng.h"
#include "models/pricing/sellers.h"
#include "tests/suite.h"

#define OK(call) ck_assert_msg((call) == WAL_OK, "%s", wal_error())

/* ---- Example 1: seller 1 has item 1, seller 2 items 2 and 3 ---- */

static wal_pricing_market example1(double p1, double p2, double p3) {
  const double value[6] = {2, 1, 0, 1.0 / 3, 1, 1}, price[3] = {p1, p2, p3};
  wal_pricing_market market;
  OK(wal_pricing_market_create(2, 3, &market));
  memcpy(market.value, value, sizeof value);
  for (int k = 0; k < 6; k++) market.price[k] = price[k % 3];
  market.budget[0] = market.budget[1] = 2;
  market.owner[1] = market.owner[2] = 1;
  market.sellers = 2;
  return market;
}

static void check_revenue(wal_pricing_market market, double first, double second) {
  double revenue[2];
  OK(wal_guaranteed_revenue(&market, WAL_SELECT_BEST, revenue));
  ck_assert_double_eq_tol(revenue[0], first, 1e-9);
  ck_assert_double_eq_tol(revenue[1], second, 1e-9);
  wal_pricing_market_destroy(&market);
}

START_TEST(revenues_of_example_1) {
  check_revenue(example1(2, 1, 1), 2, 2);
  for (int k = 0; k <= 4; k++) check_revenue(example1(4.0 / 3, 2.0 / 3, 2 + k / 2.0), 4.0 / 3, 8.0 / 3);
}
END_TEST

/* The best that a seller is guaranteed by prices 0, 1/12, ... 5. */
static double best_of(wal_pricing_market market, int seller, double *price) {
  const wal_deviation_options options = {
      .selection = WAL_SELECT_BEST, .low = 0, .high = 5, .steps = seller == 0 ? 60 : 30, .halvings = 8};
  wal_deviation deviation;
  OK(wal_best_deviation(&market, seller, &options, &deviation));
  const double revenue = deviation.revenue;
  if (price) *price = deviation.price[0];
  ck_assert_int_gt(deviation.tried, 60);
  wal_deviation_destroy(&deviation);
  wal_pricing_market_destroy(&market);
  return revenue;
}

START_TEST(equilibria_of_example_1) {
  double price;
  for (int seller = 0; seller < 2; seller++) {
    ck_assert_double_le(best_of(example1(2, 1, 1), seller, NULL), 2 + 1e-9);
    for (int p3 = 2; p3 <= 4; p3++)
      ck_assert_double_le(best_of(example1(4.0 / 3, 2.0 / 3, p3), seller, NULL),
                          (seller ? 8.0 : 4.0) / 3 + 1e-9);
  }
  check_revenue(example1(17.0 / 12, 2.0 / 3, 4.5), 17.0 / 12, 4 - 17.0 / 12); /* all is spent */
  check_revenue(example1(3.0 / 2, 2.0 / 3, 4.5), 4.0 / 3, 2.5);               /* buyer 2 is indifferent */
  const double best = best_of(example1(4.0 / 3, 2.0 / 3, 4.5), 0, &price);
  ck_assert_double_ge(best, 17.0 / 12 - 1e-9); /* all of item 1 at any price below 3/2 */
  ck_assert_double_lt(best, 1.5);
  ck_assert_double_eq_tol(best, price, 1e-9);
}
END_TEST

/* Item 3 with seller 1: seller 2 then does better than 2/3, by p_2 = 1. */
START_TEST(ownership) {
  double revenue[2];
  wal_pricing_market market = example1(4.0 / 3, 1, 2);
  market.owner[2] = 0;
  OK(wal_guaranteed_revenue(&market, WAL_SELECT_BEST, revenue));
  ck_assert_double_eq_tol(revenue[1], 1, 1e-9);
  wal_pricing_market_destroy(&market);
}
END_TEST

/* Section 5: item 2 for buyer 1 first, at the deviation from the competitive equilibrium. */
START_TEST(own_priority) {
  double revenue[2], widest;
  bool unique;
  wal_pricing_market market = example1(2, 2.0 / 3, 2);
  market.rank[1 * 2 + 1] = 1;
  OK(wal_guaranteed_revenue(&market, WAL_SELECT_ALL, revenue));
  ck_assert_double_eq_tol(revenue[1], 8.0 / 3, 1e-9);
  OK(wal_stable_unique(&market, NULL, &unique, &widest));
  ck_assert(unique);
  wal_pricing_market_destroy(&market);
}
END_TEST

/* ---- Theorem 7 ---- */

static wal_pricing_market table1(double p11, double p12, double p21, double p22) {
  const double value[4] = {1, 2, 2, 1}, price[4] = {p11, p12, p21, p22};
  wal_pricing_market market;
  OK(wal_pricing_market_create(2, 2, &market));
  memcpy(market.value, value, sizeof value);
  memcpy(market.price, price, sizeof price);
  market.budget[0] = market.budget[1] = 2;
  market.owner[1] = 1;
  market.sellers = 2;
  OK(wal_pricing_natural(&market));
  return market;
}

/* Seller 1's answers in the proof (shrunk eps), and (1, 1 + p22) in the case that it leaves out. */
static void answer(double p12, double p22, double *p11, double *p21) {
  const double eps = 0.01;
  *p21 = 1 + p22;
  *p11 = p12 > 0 ? p12 / 4 : 1;
  if (p22 > 1) return;
  *p21 = p12 < 2 ? 4 : 2 / eps;
  *p11 = p12 < 2 ? 4 : (1 - eps) / 2 * p12;
  if (p12 > 4) *p11 = *p21 = 2 + fmin(eps, (p12 - 4) / 4);
}

START_TEST(answers_of_theorem_7) {
  double revenue[2], p11, p21;
  for (uint64_t k = 0; k < 60; k++) {
    const double p12 = k % 6 == 5 ? 0 : 6 * wal_rng_uniform(3, WAL_STREAM_TEST, 2 * k),
                 p22 = k % 6 == 5 ? 1 + wal_rng_uniform(3, WAL_STREAM_TEST, 2 * k + 1)
                                  : 3 * wal_rng_uniform(3, WAL_STREAM_TEST, 2 * k + 1);
    answer(p12, p22, &p11, &p21);
    wal_pricing_market market = table1(p11, p12, p21, p22);
    OK(wal_guaranteed_revenue(&market, WAL_SELECT_ALL, revenue));
    ck_assert_msg(revenue[0] > 2, "p12 %g, p22 %g: %.9f", p12, p22, revenue[0]);
    wal_pricing_market_destroy(&market);
  }
  wal_pricing_market market = table1(1, 0, 2.5, 1.5);
  OK(wal_guaranteed_revenue(&market, WAL_SELECT_ALL, revenue));
  ck_assert_double_eq_tol(revenue[0], 11.0 / 5, 1e-9);
  wal_pricing_market_destroy(&market);
}
END_TEST

START_TEST(search_of_theorem_7) { /* finds an answer without the proof */
  for (uint64_t k = 0; k < 6; k++) {
    wal_pricing_market market = table1(1, 0.5 + (double)k, 1, 1.5 - 0.25 * (double)k);
    const wal_deviation_options options = {
        .selection = WAL_SELECT_ALL, .low = 0, .high = 8, .steps = 16, .halvings = 6, .personalised = true};
    wal_deviation deviation;
    OK(wal_best_deviation(&market, 0, &options, &deviation));
    ck_assert_msg(deviation.revenue > 2, "%d: %.9f", (int)k, deviation.revenue);
    wal_deviation_destroy(&deviation);
    wal_pricing_market_destroy(&market);
  }
}
END_TEST

START_TEST(bad_options) {
  wal_pricing_market market = table1(1, 1, 1, 1);
  wal_deviation deviation;
  const wal_deviation_options none = {.high = 1}, back = {.low = 2, .high = 1, .steps = 3},
                              large = {.high = 1, .steps = 100000, .personalised = true};
  ck_assert_int_eq(wal_best_deviation(&market, 0, &none, &deviation), WAL_E_INPUT);
  ck_assert_int_eq(wal_best_deviation(&market, 0, &back, &deviation), WAL_E_INPUT);
  ck_assert_int_eq(wal_best_deviation(&market, 2, &large, &deviation), WAL_E_INPUT);
  ck_assert_int_eq(wal_best_deviation(&market, 0, &large, &deviation), WAL_E_UNSUPPORTED);
  wal_pricing_market_destroy(&market);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("pricing_sellers");
  TCase *tests = tcase_create("sellers");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, revenues_of_example_1);
  tcase_add_test(tests, equilibria_of_example_1);
  tcase_add_test(tests, ownership);
  tcase_add_test(tests, own_priority);
  tcase_add_test(tests, answers_of_theorem_7);
  tcase_add_test(tests, search_of_theorem_7);
  tcase_add_test(tests, bad_options);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
