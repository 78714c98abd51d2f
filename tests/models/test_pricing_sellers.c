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

/* ---- Definition 4 ---- */

/* Example 1 with p3 = 2, in sixths: all that is spent, y[i][j], is tried. */
typedef struct {
  int p[3];
  int total, gain; /* the most that stable allocations earn; the least of the larger gain over those */
} sixths;

static bool stable_in_sixths(const int p[3], int y[2][3]) {
  static const int v[2][3] = {{6, 3, 0}, {1, 3, 3}};
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 3; j++) {
      if (v[i][j] == 0 || y[0][j] + y[1][j] == p[j]) continue;
      if (y[i][0] + y[i][1] + y[i][2] < 12) return false;
      for (int k = 0; k < 3; k++)
        if (y[i][k] > 0 && p[k] * v[i][j] > p[j] * v[i][k]) return false;
    }
  return true;
}

static void try_in_sixths(sixths *s, int y[2][3], const int best[2]) {
  int revenue[2] = {0, 0};
  for (int j = 0; j < 3; j++) {
    if (y[0][j] + y[1][j] > s->p[j]) return;
    revenue[j > 0] += y[0][j] + y[1][j];
  }
  const int total = revenue[0] + revenue[1];
  if (total < s->total || !stable_in_sixths(s->p, y)) return;
  int gain = best[0] - revenue[0] > best[1] - revenue[1] ? best[0] - revenue[0] : best[1] - revenue[1];
  gain = gain > 0 ? gain : 0;
  if (total > s->total || gain < s->gain) s->gain = gain;
  s->total = total;
}

static void try_all_in_sixths(sixths *s, const int best[2]) {
  for (int a = 0; a <= 12; a++)
    for (int b = 0; a + b <= 12; b++)
      for (int c = 0; c <= 12; c++)
        for (int d = 0; c + d <= 12; d++)
          for (int e = 0; c + d + e <= 12; e++) try_in_sixths(s, (int[2][3]){{a, b, 0}, {c, d, e}}, best);
}

/* What other prices guarantee at p3 = 2: seller 1 the money that item 2 leaves to buyer 1, or to undercut it;
   seller 2 what is left of both budgets when seller 1 sells out, or p2 + p3 = p1 just below p1 / 2. */
static void best_in_sixths(const int p[3], int best[2]) {
  const int undercut = 2 * p[1] < 12 ? 2 * p[1] : 12;
  best[0] = 12 - p[1] > undercut ? 12 - p[1] : undercut;
  best[1] = p[0] < 12 ? 24 - p[0] : p[0];
}

static wal_pricing_market exact_example1(int sixths1, int sixths2, int sixths3) {
  const int price[3] = {sixths1, sixths2, sixths3};
  wal_pricing_market market = example1(1, 1, 1);
  OK(wal_pricing_lift(&market));
  mpq_set_si(market.exact->value[3], 1, 3);
  for (int k = 0; k < 6; k++) {
    mpq_set_si(market.exact->price[k], price[k % 3], 6);
    mpq_canonicalize(market.exact->price[k]);
  }
  wal_pricing_round(&market);
  return market;
}

START_TEST(definition_4) {
  int equilibria = 0;
  for (int k = 0; k < 16 * 16; k++) {
    sixths s = {.p = {3 + k % 16, 3 + k / 16, 12}};
    int best[2];
    double gain, low[2], high[2];
    best_in_sixths(s.p, best);
    try_all_in_sixths(&s, best);
    wal_pricing_market market = exact_example1(s.p[0], s.p[1], s.p[2]);
    OK(wal_maximin_gain(&market, WAL_SELECT_BEST, (double[]){best[0] / 6.0, best[1] / 6.0}, &gain, low,
                        high));
    ck_assert_msg((gain <= 1e-9) == (s.gain == 0), "p1 %d/6, p2 %d/6: %g, %d/6", s.p[0], s.p[1], gain,
                  s.gain);
    ck_assert_double_le(gain, s.gain / 6.0 + 1e-9);
    ck_assert_double_ge(gain, (s.gain - 1) / 6.0 - 1e-9);
    for (int b = 0; b < 2; b++) {
      ck_assert_double_ge(low[b], best[b] / 6.0 - gain - 1e-9);
      ck_assert_double_eq_tol(low[b] + high[1 - b], s.total / 6.0, 1e-9);
    }
    equilibria += s.gain == 0;
    wal_pricing_market_destroy(&market);
  }
  ck_assert_int_eq(equilibria, 34);
}
END_TEST

/* (11/6, 11/12, 2): buyer 1 is indifferent, so seller 1 is guaranteed 13/12 only; but in one optimal
   allocation it has 11/6, all that it can have. */
START_TEST(one_allocation_is_enough) {
  double revenue[2], gain, low[2], high[2];
  wal_pricing_market market = exact_example1(11, 0, 12);
  for (int i = 0; i < 2; i++) mpq_set_si(market.exact->price[3 * i + 1], 11, 12);
  wal_pricing_round(&market);
  OK(wal_guaranteed_revenue(&market, WAL_SELECT_BEST, revenue));
  ck_assert_double_eq_tol(revenue[0], 13.0 / 12, 1e-9);
  OK(wal_maximin_gain(&market, WAL_SELECT_BEST, (double[]){11.0 / 6, 13.0 / 6}, &gain, low, high));
  ck_assert_double_eq_tol(gain, 0, 1e-9);
  ck_assert_double_eq_tol(low[0], 11.0 / 6, 1e-9);
  ck_assert_double_eq_tol(high[1], 13.0 / 6, 1e-9);
  OK(wal_maximin_gain(&market, WAL_SELECT_BEST, (double[]){2, 7.0 / 3}, &gain, low, high));
  ck_assert_double_eq_tol(gain, 1.0 / 6, 1e-9); /* both want 1/6 more, of 4 */
  ck_assert_double_eq_tol(low[0], 11.0 / 6, 1e-9);
  ck_assert_double_eq_tol(high[0], 11.0 / 6, 1e-9);
  wal_pricing_market_destroy(&market);
}
END_TEST

/* Items 1 and 2 cost buyer 1 the same per value, k/10 for 7 and k/70 for 1; in doubles it may prefer item
   2, where it comes first, and then buyer 2 has all its money for item 3. */
static wal_pricing_market tie(int k) {
  wal_pricing_market market = exact_example1(0, 0, 6);
  market.owner[1] = 0;
  market.rank[1 * 2 + 1] = 1;
  for (int i = 0; i < 2; i++) {
    mpq_set_si(market.exact->price[3 * i], k, 10);
    mpq_set_si(market.exact->price[3 * i + 1], k, 70);
    mpq_set_si(market.exact->budget[i], i == 0 ? k : 35, 70);
    for (int j = 0; j < 2; j++) mpq_canonicalize(market.exact->price[3 * i + j]);
    mpq_canonicalize(market.exact->budget[i]);
  }
  mpq_set_si(market.exact->value[0], 7, 1);
  mpq_set_si(market.exact->value[3], 0, 1);
  wal_pricing_round(&market);
  return market;
}

/* A search keeps the rationals of who does not deviate. */
START_TEST(deviations_keep_ties) {
  const wal_deviation_options stay = {
      .selection = WAL_SELECT_ALL, .low = 1, .high = 1, .steps = 1, .keep_priorities = true};
  int rounded = 0;
  for (int k = 1; k < 15; k++) {
    wal_pricing_market market = tie(k), doubles = market;
    wal_deviation deviation;
    double revenue[2];
    OK(wal_best_deviation(&market, 1, &stay, &deviation));
    ck_assert_double_eq_tol(deviation.revenue, 0.5 - k / 70.0, 1e-9);
    wal_deviation_destroy(&deviation);
    doubles.exact = NULL;
    OK(wal_guaranteed_revenue(&doubles, WAL_SELECT_ALL, revenue));
    rounded += fabs(revenue[1] - 0.5) < 1e-9;
    wal_pricing_market_destroy(&market);
  }
  ck_assert_int_gt(rounded, 0); /* or the test is none */
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

/* Section 4: buyer 0 takes item 0 or 1, buyer 1 values item 1 only. In the best allocations both are sold. */
START_TEST(selections_differ) {
  double revenue[2];
  wal_pricing_market market;
  OK(wal_pricing_market_create(2, 2, &market));
  for (int k = 0; k < 4; k++) {
    market.value[k] = k != 2;
    market.price[k] = market.budget[k / 2] = 1;
  }
  market.owner[1] = 1;
  market.sellers = 2;
  OK(wal_guaranteed_revenue(&market, WAL_SELECT_ALL, revenue));
  ck_assert_double_eq_tol(revenue[0], 0, 1e-9);
  ck_assert_double_eq_tol(revenue[1], 1, 1e-9);
  OK(wal_guaranteed_revenue(&market, WAL_SELECT_BEST, revenue));
  ck_assert_double_eq_tol(revenue[0], 1, 1e-9);
  OK(wal_guaranteed_revenue_of(&market, WAL_SELECT_ALL, 1, &revenue[0]));
  ck_assert_double_eq_tol(revenue[0], 1, 1e-9);
  wal_pricing_market_destroy(&market);
}
END_TEST

/* At (p1, 2/3, 9/2) seller 1 has p1 below 3/2 and 4/3 above: from the grid's 1.8 the way is down, then up. In
   doubles and in rationals. */
START_TEST(the_search_goes_down) {
  const wal_deviation_options options = {
      .selection = WAL_SELECT_BEST, .high = 3.6, .steps = 2, .halvings = 10};
  wal_deviation deviation;
  wal_pricing_market market = _i ? exact_example1(8, 4, 27) : example1(4.0 / 3, 2.0 / 3, 4.5);
  OK(wal_best_deviation(&market, 0, &options, &deviation));
  ck_assert_double_ge(deviation.revenue, 1.49);
  ck_assert_double_eq_tol(deviation.price[0], deviation.revenue, 1e-9);
  wal_deviation_destroy(&deviation);
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
  tcase_add_test(tests, definition_4);
  tcase_add_test(tests, one_allocation_is_enough);
  tcase_add_test(tests, deviations_keep_ties);
  tcase_add_test(tests, ownership);
  tcase_add_test(tests, own_priority);
  tcase_add_test(tests, selections_differ);
  tcase_add_loop_test(tests, the_search_goes_down, 0, 2);
  tcase_add_test(tests, answers_of_theorem_7);
  tcase_add_test(tests, search_of_theorem_7);
  tcase_add_test(tests, bad_options);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
