/* Competitive duopoly pricing: two buyers' polygons against cells; Propositions 1 and 2; D.5. */
#include <math.h>
#include <string.h>

#include "models/common/rng.h"
#include "models/pricing/cells.h"
#include "models/pricing/duopoly.h"
#include "models/pricing/gale_shapley.h"
#include "models/pricing/stability.h"
#include "models/pricing/two_buyers.h"
#include "tests/suite.h"

#define OK(call) ck_assert_msg((call) == WAL_OK, "%s", wal_error())

static double uniform(uint64_t k) { return wal_rng_uniform(11, WAL_STREAM_TEST, k); }

static wal_duopoly example2(double s, double t) {
  wal_duopoly duopoly;
  OK(wal_duopoly_example2(s, t, &duopoly));
  return duopoly;
}

/* ---- revenue: polygons against cells ---- */

static void check_against_cells(const wal_duopoly *duopoly, const double *a, const double *b, uint64_t k) {
  wal_pricing_market market;
  wal_duopoly_outcome outcome;
  wal_stable_range range;
  double c[16];
  OK(wal_duopoly_trade(duopoly, a, b, &outcome));
  OK(wal_duopoly_market(duopoly, a, b, &market));
  for (int seller = 0; seller < 2; seller++) {
    for (int e = 0; e < market.n * market.m; e++)
      c[e] = market.owner[e % market.m] == seller ? market.price[e] : 0;
    OK(wal_stable_objective(&market, c, NULL, &range));
    ck_assert_msg(fabs(outcome.low[seller] - range.low) < 1e-8 * (1 + range.low) &&
                      fabs(outcome.high[seller] - range.high) < 1e-8 * (1 + range.high),
                  "%d: seller %d: %.12g .. %.12g, by cells %.12g .. %.12g", (int)k, seller,
                  outcome.low[seller], outcome.high[seller], range.low, range.high);
    wal_stable_range_destroy(&range);
  }
  wal_pricing_market_destroy(&market);
}

/* Reports from a few numbers, so that preferences and priorities tie often; items of value 0. */
START_TEST(polygons_are_cells) {
  for (uint64_t k = 0; k < 400; k++) {
    wal_duopoly duopoly = example2(floor(7 * uniform(8 * k)) / 6, floor(7 * uniform(8 * k + 1)) / 6);
    double report[4];
    for (int e = 0; e < 4; e++) {
      const double draw = uniform(8 * k + 2 + (uint64_t)e);
      report[e] = k % 2 ? 3 * draw : exp2(floor(4 * draw) - 2) * (draw > 0.1);
    }
    check_against_cells(&duopoly, report, report + 2, k);
    wal_duopoly_destroy(&duopoly);
  }
}
END_TEST

START_TEST(other_values) { /* five items, budgets that differ */
  for (uint64_t k = 0; k < 100; k++) {
    wal_duopoly duopoly;
    double report[4];
    OK(wal_duopoly_create(2, 5, &duopoly));
    for (uint64_t e = 0; e < 10; e++) {
      duopoly.value[e] = floor(4 * uniform(10000 + 20 * k + e)) / 2;
      if (e < 5) duopoly.owner[e] = uniform(10000 + 20 * k + 10 + e) < 0.5;
      if (e < 4) report[e] = ceil(4 * uniform(10000 + 20 * k + 15 + e)) / 2;
    }
    duopoly.budget[0] = 1;
    duopoly.budget[1] = floor(4 * uniform(10000 + 20 * k + 19));
    check_against_cells(&duopoly, report, report + 2, k);
    wal_duopoly_destroy(&duopoly);
  }
}
END_TEST

/* Buyer 1 has money for item 0, but no value: seller 0 gets what buyer 0 spends there, 0 to 1/2. */
START_TEST(no_value_no_trade) {
  const wal_two_buyers market = {.m = 2,
                                 .budget = {0.5, 2},
                                 .price = {{1, 1}, {1, 1}},
                                 .level = {{0, 0}, {-1, 0}},
                                 .first = {-1, -1},
                                 .owner = {0, 1}};
  double low, high;
  OK(wal_two_buyers_revenue(&market, 0, &low, &high));
  ck_assert_double_eq_tol(low, 0, 1e-12);
  ck_assert_double_eq_tol(high, 0.5, 1e-12);
  OK(wal_two_buyers_revenue(&market, 1, &low, &high));
  ck_assert_double_eq_tol(low, 1, 1e-12);
  ck_assert_double_eq_tol(high, 1, 1e-12);
}
END_TEST

/* One buyer with money, an item each, equal reports: it takes either. */
START_TEST(equal_reports_tie) {
  wal_duopoly duopoly;
  wal_duopoly_outcome outcome;
  OK(wal_duopoly_create(2, 2, &duopoly));
  duopoly.value[0] = duopoly.value[1] = duopoly.budget[0] = duopoly.owner[1] = 1;
  OK(wal_duopoly_trade(&duopoly, (double[]){1, 1}, (double[]){1, 1}, &outcome));
  for (int k = 0; k < 2; k++) {
    ck_assert_double_eq_tol(outcome.low[k], 0, 1e-12);
    ck_assert_double_eq_tol(outcome.high[k], 1, 1e-12);
  }
  wal_duopoly_destroy(&duopoly);
}
END_TEST

/* 3/10 for both buyers: 0.3 and 3 x 0.1, which is more in doubles. */
START_TEST(prices_tie_to_rounding) {
  wal_duopoly duopoly;
  wal_pricing_market market;
  OK(wal_duopoly_create(2, 1, &duopoly));
  duopoly.value[0] = 0.3;
  duopoly.value[1] = 0.1;
  OK(wal_duopoly_market(&duopoly, (double[]){1, 3}, (double[]){1, 3}, &market));
  ck_assert_double_lt(market.price[0], market.price[1]);
  ck_assert_int_eq(market.rank[0], market.rank[1]);
  wal_pricing_market_destroy(&market);
  wal_duopoly_destroy(&duopoly);
}
END_TEST

START_TEST(three_buyers) { /* twins share what one of twice the budget gets */
  wal_duopoly duopoly;
  wal_duopoly_outcome outcome;
  OK(wal_duopoly_create(3, 2, &duopoly));
  memcpy(duopoly.value, (double[]){1, 2, 1, 2, 2, 1}, 6 * sizeof(double));
  memcpy(duopoly.budget, (double[]){1, 1, 2}, 3 * sizeof(double));
  duopoly.owner[1] = 1;
  OK(wal_duopoly_trade(&duopoly, (double[]){1, 1, 4.0 / 3}, (double[]){4.0 / 3, 4.0 / 3, 1}, &outcome));
  for (int k = 0; k < 2; k++) {
    ck_assert_double_eq_tol(outcome.low[k], 2, 1e-9);
    ck_assert_double_eq_tol(outcome.high[k], 2, 1e-9);
  }
  wal_duopoly_destroy(&duopoly);
}
END_TEST

/* ---- equilibria ---- */

/* How much more than at (a, b) the better off seller finds, by its guaranteed or hoped-for revenue. */
static double gain(double s, double t, const double *a, const double *b, bool hoped) {
  wal_duopoly duopoly = example2(s, t);
  wal_duopoly_outcome now, check;
  wal_duopoly_response response;
  double most = -INFINITY;
  OK(wal_duopoly_trade(&duopoly, a, b, &now));
  for (int k = 0; k < 2; k++) {
    OK(wal_duopoly_best_response(&duopoly, a, b, k, &response));
    const double *at = hoped ? response.hoped_at : response.guaranteed_at;
    OK(wal_duopoly_trade(&duopoly, k == 0 ? at : a, k == 0 ? b : at, &check));
    ck_assert_double_eq_tol(hoped ? check.high[k] : check.low[k],
                            hoped ? response.hoped : response.guaranteed, 1e-12);
    most = fmax(most, hoped ? response.hoped - now.high[k] : response.guaranteed - now.low[k]);
  }
  wal_duopoly_destroy(&duopoly);
  return most;
}

/* Against all pairs of reports of a grid: below, at, and above the other's by up to 50 times; and what a
   response earns is what trade at it gives. */
START_TEST(responses_beat_a_grid) {
  enum { LEVELS = 60 };
  for (uint64_t k = 0; k < 24; k++) {
    wal_duopoly duopoly = example2(uniform(50000 + 8 * k), uniform(50001 + 8 * k));
    wal_duopoly_response response;
    wal_duopoly_outcome outcome;
    double other[2], at[2], low = 0, high = 0;
    const int seller = k % 2;
    for (uint64_t i = 0; i < 2; i++) other[i] = 0.25 + uniform(50002 + 8 * k + i);
    for (int p = 0; p < LEVELS * LEVELS; p++) {
      at[0] = other[0] * (0.9 + pow(p % LEVELS / (LEVELS - 1.0), 3) * 50);
      at[1] = other[1] * (0.9 + pow(p / LEVELS / (LEVELS - 1.0), 3) * 50);
      OK(wal_duopoly_trade(&duopoly, seller ? other : at, seller ? at : other, &outcome));
      low = fmax(low, outcome.low[seller]);
      high = fmax(high, outcome.high[seller]);
    }
    OK(wal_duopoly_best_response(&duopoly, other, other, seller, &response));
    ck_assert_msg(response.guaranteed >= low - 1e-9, "%d: %.9g, grid %.9g", (int)k, response.guaranteed, low);
    ck_assert_msg(response.hoped >= high - 1e-9, "%d: %.9g, grid %.9g", (int)k, response.hoped, high);
    const double *r = response.guaranteed_at;
    OK(wal_duopoly_trade(&duopoly, seller ? other : r, seller ? r : other, &outcome));
    ck_assert_double_eq_tol(outcome.low[seller], response.guaranteed, 1e-9);
    wal_duopoly_destroy(&duopoly);
  }
}
END_TEST

START_TEST(proposition_1) {
  const double inside[][2] = {{0.5, 0.5}, {0.35, 0.65}, {0.4, 0.6}, {1.0 / 3, 1.0 / 3}, {2.0 / 3, 1.0 / 3}};
  const double outside[][2] = {{0.25, 0.5}, {0.75, 0.5}, {0.5, 0.25}, {0.5, 0.75}, {1, 0}, {0.1, 0.1}};
  const double ones[2] = {1, 1};
  for (int k = 0; k < 5; k++) {
    ck_assert_double_le(gain(inside[k][0], inside[k][1], ones, ones, false), 1e-9);
    ck_assert_double_le(gain(inside[k][0], inside[k][1], ones, ones, true), 1e-9);
  }
  for (int k = 0; k < 6; k++)
    ck_assert_double_gt(gain(outside[k][0], outside[k][1], ones, ones, false), 1e-3);
  ck_assert_double_le(gain(0, 0, ones, ones, false), 1e-9); /* one seller owns everything */
  ck_assert_double_le(gain(1, 1, ones, ones, false), 1e-9);
}
END_TEST

/* R_1 of the proof, where seller 1 is the cheaper for buyer 2 and asks p > 1 of buyer 1. */
START_TEST(revenue_of_proposition_1) {
  for (int k = 1; k < 6; k++) {
    const double s = 0.5, t = 0.4, p = 1 + k / 20.0;
    wal_duopoly duopoly = example2(s, t);
    wal_duopoly_outcome outcome;
    const double expected = 2 * s + 4 - (8.0 / 3 - 2 * t) * p - 4.0 / 3 / p;
    OK(wal_duopoly_trade(&duopoly, (double[]){p, 0.5}, (double[]){1, 1}, &outcome));
    ck_assert_double_eq_tol(outcome.low[0], expected, 1e-12);
    ck_assert_double_eq_tol(outcome.high[0], expected, 1e-12);
    wal_duopoly_destroy(&duopoly);
  }
}
END_TEST

START_TEST(proposition_2) {
  const double a[2] = {1, 4.0 / 3}, b[2] = {4.0 / 3, 1};
  wal_duopoly duopoly = example2(1, 0);
  wal_duopoly_outcome outcome;
  wal_pricing_market market;
  wal_stable_range range;
  OK(wal_duopoly_trade(&duopoly, a, b, &outcome));
  for (int k = 0; k < 2; k++) {
    ck_assert_double_eq_tol(outcome.low[k], 2, 1e-12);
    ck_assert_double_eq_tol(outcome.high[k], 2, 1e-12);
  }
  OK(wal_duopoly_market(&duopoly, a, b, &market));
  for (int e = 0; e < 8; e++) {
    double c[8] = {0};
    c[e] = 1;
    OK(wal_stable_objective(&market, c, NULL, &range));
    ck_assert_double_eq_tol(range.low, duopoly.value[e] > 0 ? 0.5 : 0, 1e-9);
    ck_assert_double_eq_tol(range.high, duopoly.value[e] > 0 ? 0.5 : 0, 1e-9);
    wal_stable_range_destroy(&range);
  }
  wal_pricing_market_destroy(&market);
  wal_duopoly_destroy(&duopoly);
  ck_assert_double_le(gain(1, 0, a, b, false), 1e-9);
  ck_assert_double_le(gain(1, 0, a, b, true), 1e-9);
}
END_TEST

/* ---- Appendix D.5 ---- */

START_TEST(d5_revenue) { /* R_1 = 2 + 4/3 (u/w - w/u) on the path of the exchanged profile */
  for (int k = 0; k < 49; k++) {
    const double s = 2.0 / 3 + k % 7 / 18.0, t = k / 7 / 18.0, u = 1 + t, w = 2 - s;
    wal_duopoly duopoly = example2(fmin(s, 1), t);
    wal_duopoly_outcome outcome;
    double a[2], b[2];
    const double expected = 2 + 4.0 / 3 * (u / w - w / u);
    wal_duopoly_d5(WAL_D5_EXCHANGED, fmin(s, 1), t, 0, a, b);
    OK(wal_duopoly_trade(&duopoly, a, b, &outcome));
    ck_assert_double_eq_tol(outcome.low[0], expected, 1e-9);
    ck_assert_double_eq_tol(outcome.high[0], expected, 1e-9);
    ck_assert_double_eq_tol(outcome.low[1], 4 - expected, 1e-9);
    wal_duopoly_destroy(&duopoly);
  }
}
END_TEST

START_TEST(d5_witness) { /* s = 5/6, t = 1/6: 43/21 is more than 2 */
  wal_duopoly duopoly = example2(5.0 / 6, 1.0 / 6);
  wal_duopoly_outcome outcome;
  double a[2], b[2];
  wal_duopoly_d5(WAL_D5_PRINTED, 5.0 / 6, 1.0 / 6, 0, a, b);
  ck_assert_double_eq_tol(a[1], 8.0 / 7, 1e-14);
  ck_assert_double_eq_tol(b[0], 8.0 / 7, 1e-14);
  OK(wal_duopoly_trade(&duopoly, a, b, &outcome));
  ck_assert_double_eq_tol(outcome.high[0], 2, 1e-12);
  OK(wal_duopoly_trade(&duopoly, (double[]){1, 0.5}, b, &outcome));
  ck_assert_double_eq_tol(outcome.low[0], 43.0 / 21, 1e-12);
  ck_assert_double_eq_tol(outcome.high[0], 43.0 / 21, 1e-12);
  wal_duopoly_destroy(&duopoly);
  ck_assert_double_ge(gain(5.0 / 6, 1.0 / 6, a, b, false), 43.0 / 21 - 2 - 1e-12);
}
END_TEST

/* In rationals: what Algorithm 1 finds is stable and earns 2, and 43/21; cells find no other revenue. */
START_TEST(d5_witness_in_rationals) {
  const int expected[2][2] = {{2, 1}, {43, 21}};
  for (int k = 0; k < 2; k++) {
    wal_pricing_market market;
    wal_pricing_allocation x;
    wal_gale_shapley_report report;
    wal_stability_report fault;
    wal_stable_range range;
    double c[8] = {0};
    mpq_t revenue, term;
    mpq_inits(revenue, term, NULL);
    OK(wal_duopoly_d5_witness(k == 1, &market));
    OK(wal_gale_shapley_exact(&market, NULL, &x, &report));
    ck_assert(wal_stability_check_exact(&market, x.exact, WAL_CHECK_STABLE, &fault));
    for (int e = 0; e < 8; e++) {
      if (market.owner[e % 4] != 0) continue;
      c[e] = market.price[e];
      mpq_mul(term, market.exact->price[e], x.exact[e]);
      mpq_add(revenue, revenue, term);
    }
    ck_assert_int_eq(mpq_cmp_si(revenue, expected[k][0], (unsigned long)expected[k][1]), 0);
    OK(wal_stable_objective(&market, c, NULL, &range));
    ck_assert_double_eq_tol(range.low, mpq_get_d(revenue), 1e-10);
    ck_assert_double_eq_tol(range.high, mpq_get_d(revenue), 1e-10);
    wal_stable_range_destroy(&range);
    wal_pricing_allocation_destroy(&x);
    wal_pricing_market_destroy(&market);
    mpq_clears(revenue, term, NULL);
  }
}
END_TEST

START_TEST(d5_repair) { /* idle levels of 0.85: no gain; of 1: at (2/3, 1/3) and (1, 0) only */
  const double points[][2] = {{5.0 / 6, 1.0 / 6}, {0.7, 0.1}, {0.9, 0.3}, {1, 0}};
  double a[2], b[2];
  for (int k = 0; k < 4; k++) {
    const double s = points[k][0], t = points[k][1];
    wal_duopoly_d5(WAL_D5_REPAIRED, s, t, 0.85, a, b);
    ck_assert_double_le(gain(s, t, a, b, false), 1e-9);
    wal_duopoly_d5(WAL_D5_EXCHANGED, s, t, 0, a, b);
    if (s < 1) ck_assert_double_gt(gain(s, t, a, b, false), 1e-3);
    if (s == 1) ck_assert_double_le(gain(s, t, a, b, false), 1e-9);
  }
}
END_TEST

/* At s = 2/3, t = 0 the repaired profile earns seller 0 11/9; where both buyers pay 4/3 for its item a lucky
   tie sells all of it. */
START_TEST(d5_selection_matters) {
  const double s = 2.0 / 3, t = 0;
  wal_duopoly duopoly = example2(s, t);
  wal_duopoly_outcome outcome;
  double a[2], b[2];
  wal_duopoly_d5(WAL_D5_REPAIRED, s, t, 0.85, a, b);
  OK(wal_duopoly_trade(&duopoly, a, b, &outcome));
  ck_assert_double_eq_tol(outcome.low[0], 11.0 / 9, 1e-12);
  ck_assert_double_eq_tol(outcome.high[0], 11.0 / 9, 1e-12);
  OK(wal_duopoly_trade(&duopoly, (double[]){2, 1}, b, &outcome));
  ck_assert_double_eq_tol(outcome.high[0], 4.0 / 3, 1e-12);
  ck_assert_double_lt(outcome.low[0], 11.0 / 9);
  ck_assert_double_le(gain(s, t, a, b, false), 1e-9);
  ck_assert_double_ge(gain(s, t, a, b, true), 1.0 / 9 - 1e-6);
  wal_duopoly_destroy(&duopoly);
}
END_TEST

START_TEST(bad_input) {
  wal_duopoly duopoly;
  wal_duopoly_response response;
  ck_assert_int_eq(wal_duopoly_example2(1.5, 0, &duopoly), WAL_E_INPUT);
  ck_assert_int_eq(wal_duopoly_example2(0, NAN, &duopoly), WAL_E_INPUT);
  ck_assert_int_eq(wal_duopoly_create(0, 2, &duopoly), WAL_E_INPUT);
  OK(wal_duopoly_create(3, 2, &duopoly));
  ck_assert_int_eq(
      wal_duopoly_best_response(&duopoly, (double[]){1, 1, 1}, (double[]){1, 1, 1}, 0, &response),
      WAL_E_UNSUPPORTED);
  wal_duopoly_destroy(&duopoly);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("pricing_duopoly");
  TCase *tests = tcase_create("duopoly");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, polygons_are_cells);
  tcase_add_test(tests, other_values);
  tcase_add_test(tests, no_value_no_trade);
  tcase_add_test(tests, equal_reports_tie);
  tcase_add_test(tests, prices_tie_to_rounding);
  tcase_add_test(tests, responses_beat_a_grid);
  tcase_add_test(tests, three_buyers);
  tcase_add_test(tests, proposition_1);
  tcase_add_test(tests, revenue_of_proposition_1);
  tcase_add_test(tests, proposition_2);
  tcase_add_test(tests, d5_revenue);
  tcase_add_test(tests, d5_witness);
  tcase_add_test(tests, d5_witness_in_rationals);
  tcase_add_test(tests, d5_repair);
  tcase_add_test(tests, d5_selection_matters);
  tcase_add_test(tests, bad_input);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
