/* Algorithm 1 in rationals and doubles on random markets, judged by the definition of stability; the
   definition by hand-made allocations. */
#include <math.h>
#include <string.h>

#include "models/common/rng.h"
#include "models/pricing/cells.h"
#include "models/pricing/gale_shapley.h"
#include "models/pricing/kinds.h"
#include "models/pricing/rational.h"
#include "models/pricing/stability.h"
#include "tests/suite.h"

#define OK(call) ck_assert_msg((call) == WAL_OK, "%s", wal_error())

enum { MARKETS = 1200 };

static int side(int64_t k, uint64_t which) {
  return 1 + (int)wal_rng_below(3, WAL_STREAM_TEST, 2 * (uint64_t)k + which, 6);
}

static wal_pricing_market draw(wal_pricing_kind kind, int64_t k) {
  wal_pricing_market market;
  OK(wal_pricing_draw(kind, 1, k, side(k, 0), side(k, 1), true, &market));
  OK(wal_pricing_market_check(&market));
  return market;
}

/* ---- Algorithm 1 (Theorem 1, Lemma 2) ---- */

START_TEST(exact_is_stable) {
  int64_t cycles = 0;
  for (int64_t k = 0; k < MARKETS; k++) {
    wal_pricing_market market = draw((wal_pricing_kind)_i, k);
    wal_pricing_allocation x;
    wal_gale_shapley_report report;
    wal_stability_report fault;
    OK(wal_gale_shapley_exact(&market, NULL, &x, &report));
    ck_assert_int_eq(report.failed_assertions, 0);
    ck_assert_msg(wal_stability_check_exact(&market, x.exact, WAL_CHECK_STABLE, &fault),
                  "%s %d: buyer %d, item %d: %s", wal_pricing_kind_name((wal_pricing_kind)_i), (int)k,
                  fault.buyer, fault.item, wal_stability_text(fault.fault));
    cycles += report.cycles;
    wal_pricing_allocation_destroy(&x);
    wal_pricing_market_destroy(&market);
  }
  if (_i == WAL_PRICING_STRICT) ck_assert_int_gt(cycles, MARKETS / 20);
}
END_TEST

START_TEST(doubles_are_stable) {
  for (int64_t k = 0; k < MARKETS; k++) {
    wal_pricing_market market = draw((wal_pricing_kind)_i, k);
    wal_pricing_allocation x;
    wal_gale_shapley_report report;
    wal_stability_report fault;
    OK(wal_gale_shapley(&market, NULL, &x, &report));
    ck_assert_int_eq(report.failed_assertions, 0);
    ck_assert_msg(wal_stability_check(&market, x.x, WAL_CHECK_STABLE, 1e-9, &fault),
                  "%s %d: buyer %d, item %d: %s", wal_pricing_kind_name((wal_pricing_kind)_i), (int)k,
                  fault.buyer, fault.item, wal_stability_text(fault.fault));
    wal_pricing_allocation_destroy(&x);
    wal_pricing_market_destroy(&market);
  }
}
END_TEST

/* Without it the plain loop needs many calls, or never ends, where the algorithm takes a step. */
START_TEST(the_cycle_step_is_needed) {
  int unfinished = 0;
  for (int64_t k = 0; k < 100; k++) {
    wal_pricing_market market;
    wal_pricing_allocation x;
    wal_gale_shapley_report report;
    OK(wal_pricing_draw(WAL_PRICING_STRICT, 2, k, 4, 4, true, &market));
    OK(wal_gale_shapley_exact(&market, NULL, &x, &report));
    wal_pricing_allocation_destroy(&x);
    const bool cyclic = report.cycles > 0;
    const wal_status status = wal_gale_shapley_exact(
        &market, &(wal_gale_shapley_options){.calls = 100, .no_cycle_step = true}, &x, &report);
    if (!cyclic) OK(status);
    unfinished += status == WAL_E_DIVERGED;
    ck_assert_int_eq(report.cycles, 0);
    if (status == WAL_OK) wal_pricing_allocation_destroy(&x);
    wal_pricing_market_destroy(&market);
  }
  ck_assert_int_gt(unfinished, 10);
}
END_TEST

/* Theorem 5: strict priorities and preferences, natural priorities: one stable allocation, whoever proposes
   first. */
START_TEST(strict_natural_markets_have_one_allocation) {
  for (int64_t k = 0; k < 200; k++) {
    wal_pricing_market market = draw(WAL_PRICING_STRICT, k);
    OK(wal_pricing_natural(&market));
    int order[6];
    for (int i = 0; i < market.n; i++) order[i] = market.n - 1 - i;
    wal_pricing_allocation x, y;
    OK(wal_gale_shapley_exact(&market, NULL, &x, NULL));
    OK(wal_gale_shapley_exact(&market, &(wal_gale_shapley_options){.order = order}, &y, NULL));
    for (int e = 0; e < market.n * market.m; e++) ck_assert(mpq_equal(x.exact[e], y.exact[e]));
    wal_pricing_allocation_destroy(&x);
    wal_pricing_allocation_destroy(&y);
    wal_pricing_market_destroy(&market);
  }
}
END_TEST

/* The doubles' support, solved exactly, against Algorithm 1 in rationals. */
START_TEST(doubles_are_reconstructed) {
  for (int64_t k = 0; k < 300; k++) {
    wal_pricing_market market = draw(WAL_PRICING_STRICT, k);
    wal_pricing_allocation x, doubles, y;
    OK(wal_gale_shapley_exact(&market, NULL, &x, NULL));
    OK(wal_gale_shapley(&market, NULL, &doubles, NULL));
    OK(wal_pricing_reconstruct(&market, doubles.x, &y));
    for (int e = 0; e < market.n * market.m; e++) ck_assert(mpq_equal(x.exact[e], y.exact[e]));
    wal_pricing_allocation_destroy(&x);
    wal_pricing_allocation_destroy(&doubles);
    wal_pricing_allocation_destroy(&y);
    wal_pricing_market_destroy(&market);
  }
}
END_TEST

/* Appendix D.5 at s = 5/6, t = 1/6: with a = (1, 8/7) and b = (8/7, 1) seller 1 has 2, with a_2 = 1/2 exactly
   43/21: no equilibrium. Buyer i pays v_ij max(a_i, b_i) and prefers the seller with the smaller of a_i, b_i
   (Definition 5); order is all that counts, so values are prices, or half of that at the other seller. */
static wal_pricing_market duopoly(const long a[4], const long b[4]) { /* numerators, denominators */
  static const long sixths[2][4] = {{5, 2, 10, 1},
                                    {10, 1, 5, 2}}; /* s, 2t, 2(1-t), 1-s; 2s, t, 1-t, 2(1-s) */
  wal_pricing_market market;
  OK(wal_pricing_market_create(2, 4, &market));
  OK(wal_pricing_lift(&market));
  for (int i = 0; i < 2; i++) {
    const long first = a[2 * i] * b[2 * i + 1], second = b[2 * i] * a[2 * i + 1]; /* a_i, b_i in one unit */
    const long *paid = first > second ? a : b;
    mpq_set_ui(market.exact->budget[i], 2, 1);
    for (int j = 0; j < 4; j++) {
      mpq_t *price = &market.exact->price[4 * i + j], *value = &market.exact->value[4 * i + j];
      const bool dearer = j < 2 ? first > second : second > first;
      mpq_set_si(*price, sixths[i][j] * paid[2 * i], 6 * (unsigned long)paid[2 * i + 1]);
      mpq_canonicalize(*price);
      mpq_div_2exp(*value, *price, dearer);
    }
  }
  wal_pricing_round(&market);
  OK(wal_pricing_natural(&market));
  OK(wal_pricing_market_check(&market));
  return market;
}

static void first_seller_gets(const long a[4], const long b[4], unsigned long up, unsigned long down) {
  wal_pricing_market market = duopoly(a, b);
  wal_pricing_allocation x;
  mpq_t revenue, paid;
  mpq_inits(revenue, paid, NULL);
  OK(wal_gale_shapley_exact(&market, NULL, &x, NULL));
  for (int e = 0; e < 8; e++) {
    mpq_mul(paid, market.exact->price[e], x.exact[e]);
    if (e % 4 < 2) mpq_add(revenue, revenue, paid);
  }
  ck_assert_int_eq(mpq_cmp_ui(revenue, up, down), 0);
  double c[8];
  for (int e = 0; e < 8; e++) c[e] = e % 4 < 2 ? market.price[e] : 0;
  wal_stable_range range; /* whatever is selected */
  OK(wal_stable_objective(&market, c, NULL, &range));
  ck_assert_double_eq_tol(range.low, mpq_get_d(revenue), 1e-9);
  ck_assert_double_eq_tol(range.high, mpq_get_d(revenue), 1e-9);
  wal_stable_range_destroy(&range);
  wal_pricing_allocation_destroy(&x);
  wal_pricing_market_destroy(&market);
  mpq_clears(revenue, paid, NULL);
}

START_TEST(the_duopoly_hypothesis_fails) {
  const long b[4] = {8, 7, 1, 1};
  first_seller_gets((const long[]){1, 1, 8, 7}, b, 2, 1);
  first_seller_gets((const long[]){1, 1, 1, 2}, b, 43, 21);
}
END_TEST

/* ---- the definition ---- */

/* Section 4: B = 1, 1, v = [[1, 1], [0, 1]], p = 1. */
static wal_pricing_market section4(void) {
  wal_pricing_market market;
  OK(wal_pricing_market_create(2, 2, &market));
  for (int i = 0; i < 2; i++) market.budget[i] = 1;
  for (int e = 0; e < 4; e++) market.price[e] = market.value[e] = 1;
  market.value[2] = 0;
  OK(wal_pricing_lift(&market));
  return market;
}

/* What both checkers say of x[2, 2]. */
static wal_stability_fault verdict(const wal_pricing_market *market, const double x[4],
                                   wal_stability_notion notion) {
  wal_stability_report doubles, exact;
  mpq_t *q = wal_rationals(4);
  double copy[4];
  for (int e = 0; e < 4; e++) mpq_set_d(q[e], copy[e] = x[e]);
  wal_stability_check(market, copy, notion, 1e-9, &doubles);
  wal_stability_check_exact(market, q, notion, &exact);
  wal_rationals_destroy(q, 4);
  ck_assert_int_eq(doubles.fault, exact.fault);
  return exact.fault;
}

START_TEST(definition) {
  wal_pricing_market market = section4();
  const struct {
    double x[4];
    wal_stability_fault stable, compatible;
  } cases[] = {
      {{1, 0, 0, 1}, WAL_STABLE, WAL_STABLE},                                 /* revenue 2 */
      {{0, 1, 0, 0}, WAL_STABLE, WAL_STABLE},                                 /* revenue 1 */
      {{0.5, 0.5, 0, 0.5}, WAL_STABLE, WAL_STABLE},                           /* between */
      {{0, 0, 0, 0}, WAL_UNSTABLE_MONEY, WAL_STABLE},                         /* nobody buys */
      {{1, 0, 0, 0.5}, WAL_UNSTABLE_MONEY, WAL_STABLE},                       /* buyer 2 has money left */
      {{1, 0.5, 0, 0.5}, WAL_UNSTABLE_BUDGET, WAL_UNSTABLE_BUDGET},           /* buyer 1: 3/2 */
      {{0, 1, 0, 0.5}, WAL_UNSTABLE_OVERSOLD, WAL_UNSTABLE_OVERSOLD},         /* item 2 */
      {{0.5, 0.5, 0.5, 0.5}, WAL_UNSTABLE_WORTHLESS, WAL_UNSTABLE_WORTHLESS}, /* buyer 2, item 1 */
      {{-0.5, 0, 0, 0}, WAL_UNSTABLE_SHARE, WAL_UNSTABLE_SHARE},
  };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    ck_assert_int_eq(verdict(&market, cases[k].x, WAL_CHECK_STABLE), cases[k].stable);
    ck_assert_int_eq(verdict(&market, cases[k].x, WAL_CHECK_COMPATIBLE), cases[k].compatible);
  }
  wal_pricing_market_destroy(&market);
}
END_TEST

/* Section 4's two buyers between revenues 1 and 2: shares of item 1 are free. */
START_TEST(no_reconstruction_of_what_is_not_determined) {
  wal_pricing_market market = section4();
  wal_pricing_allocation y;
  market.value[2] = 1;
  OK(wal_pricing_lift(&market));
  ck_assert_int_eq(wal_pricing_reconstruct(&market, (double[]){0.5, 0.5, 0.5, 0.5}, &y), WAL_E_UNSUPPORTED);
  OK(wal_pricing_reconstruct(&market, (double[]){1, 0, 0, 1 - 1e-12}, &y));
  ck_assert(mpq_cmp_ui(y.exact[3], 1, 1) == 0);
  wal_pricing_allocation_destroy(&y);
  wal_pricing_market_destroy(&market);
}
END_TEST

/* Priorities and preferences: buyer 1 likes item 1 better, buyer 2 has it; who has the priority decides. */
START_TEST(priorities_decide) {
  wal_pricing_market market = section4();
  market.value[0] = 2, market.value[2] = 1;
  OK(wal_pricing_lift(&market));
  const double x[4] = {0, 1, 1, 0};
  ck_assert_int_eq(verdict(&market, x, WAL_CHECK_STABLE), WAL_STABLE);
  market.rank[1] = 1; /* item 1: buyer 1 before buyer 2 */
  ck_assert_int_eq(verdict(&market, x, WAL_CHECK_STABLE), WAL_UNSTABLE_ENVY);
  ck_assert_int_eq(verdict(&market, x, WAL_CHECK_COMPATIBLE), WAL_UNSTABLE_ENVY);
  market.rank[0] = 2; /* the other way round */
  ck_assert_int_eq(verdict(&market, x, WAL_CHECK_STABLE), WAL_STABLE);
  wal_pricing_market_destroy(&market);
}
END_TEST

/* ---- markets ---- */

static void refused(wal_pricing_market *market, const char *expected) {
  ck_assert_int_eq(wal_pricing_market_check(market), WAL_E_INPUT);
  ck_assert_msg(strstr(wal_error(), expected) != NULL, "%s", wal_error());
  wal_pricing_market_destroy(market);
}

/* Buyer 0 holds what it likes best (item 0) and least (item 1); item 2, between them, is unsold. */
START_TEST(the_worst_item_counts) {
  wal_pricing_market market;
  wal_stability_report fault;
  OK(wal_pricing_market_create(1, 3, &market));
  market.budget[0] = 2;
  for (int j = 0; j < 3; j++) market.price[j] = 1;
  market.value[0] = 3;
  market.value[1] = 1;
  market.value[2] = 2;
  ck_assert(!wal_stability_check(&market, (double[]){1, 1, 0}, WAL_CHECK_STABLE, 1e-9, &fault));
  ck_assert_int_eq(fault.fault, WAL_UNSTABLE_ENVY);
  ck_assert_int_eq(fault.item, 2);
  ck_assert(wal_stability_check(&market, (double[]){1, 0, 1}, WAL_CHECK_STABLE, 1e-9, &fault));
  wal_pricing_market_destroy(&market);
}
END_TEST

/* Best first, equal ones by index; and one price with two priorities is personalised. */
START_TEST(wanted_and_uniform) {
  int wanted[4];
  wal_pricing_market market;
  OK(wal_pricing_market_create(2, 4, &market));
  for (int k = 0; k < 8; k++) market.value[k] = k % 4 == 3 ? 2 : k % 4 != 1;
  for (int k = 0; k < 8; k++) market.price[k] = 1;
  ck_assert_int_eq(wal_pricing_wanted(&market, 0, wanted), 3);
  ck_assert(wanted[0] == 3 && wanted[1] == 0 && wanted[2] == 2);
  ck_assert(wal_pricing_is_uniform(&market));
  market.rank[2 * 2 + 1] = 1;
  ck_assert(!wal_pricing_is_uniform(&market));
  market.value[2] = 0; /* one who does not value the item has no say */
  ck_assert(wal_pricing_is_uniform(&market));
  wal_pricing_market_destroy(&market);
}
END_TEST

/* One price in both uniform kinds; priorities differ in the ranked one. */
START_TEST(kinds_are_what_they_say) {
  int ranked = 0;
  for (int64_t k = 0; k < 50; k++) {
    wal_pricing_market plain, market;
    OK(wal_pricing_draw(WAL_PRICING_UNIFORM, 2, k, 4, 4, false, &plain));
    OK(wal_pricing_draw(WAL_PRICING_UNIFORM_RANKED, 2, k, 4, 4, false, &market));
    ck_assert(wal_pricing_is_uniform(&plain));
    ranked += !wal_pricing_is_uniform(&market);
    OK(wal_pricing_natural(&market));
    ck_assert(wal_pricing_is_uniform(&market));
    wal_pricing_market_destroy(&plain);
    wal_pricing_market_destroy(&market);
  }
  ck_assert_int_gt(ranked, 40);
}
END_TEST

/* Of equal priority who came first stays: buyer 2, before both, takes the half of the last to come. */
START_TEST(first_come_stays) {
  static const int orders[2][3] = {{0, 1, 2}, {1, 0, 2}};
  for (int last = 0; last < 2; last++) {
    wal_pricing_market market;
    wal_pricing_allocation x;
    OK(wal_pricing_market_create(3, 1, &market));
    for (int i = 0; i < 3; i++) {
      market.value[i] = market.price[i] = 1;
      market.budget[i] = 0.5;
      market.rank[i] = i < 2;
    }
    OK(wal_gale_shapley(&market, &(wal_gale_shapley_options){.order = orders[1 - last]}, &x, NULL));
    ck_assert_double_eq(x.x[last], 0);
    ck_assert_double_eq(x.x[1 - last], 0.5);
    ck_assert_double_eq(x.x[2], 0.5);
    wal_pricing_allocation_destroy(&x);
    wal_pricing_market_destroy(&market);
  }
}
END_TEST

START_TEST(refusals) {
  wal_pricing_market market = section4();
  market.budget[1] = -1;
  refused(&market, "buyer 1: budget -1");
  market = section4();
  market.price[1] = NAN;
  refused(&market, "buyer 0, item 1: price");
  market = section4();
  market.value[2] = INFINITY;
  refused(&market, "buyer 1, item 0: value inf");
  market = section4();
  market.value[0] = 0;
  refused(&market, "item 0: no buyer values it");
  market = section4();
  market.rank[3] = -2;
  refused(&market, "item 1, buyer 1: rank -2");
  market = section4();
  market.owner[1] = 1;
  refused(&market, "item 1: owner 1");
  ck_assert_int_eq(wal_pricing_market_create(0, 2, &market), WAL_E_INPUT);
}
END_TEST

START_TEST(natural_priorities) {
  wal_pricing_market market;
  OK(wal_pricing_market_create(4, 1, &market));
  const double price[4] = {2, 5, 2, 0};
  for (int i = 0; i < 4; i++) market.price[i] = price[i], market.value[i] = 1;
  ck_assert(!wal_pricing_is_uniform(&market));
  OK(wal_pricing_natural(&market));
  const int rank[4] = {1, 0, 1, 2};
  for (int i = 0; i < 4; i++) ck_assert_int_eq(market.rank[i], rank[i]);
  market.value[1] = market.value[3] = 0;
  ck_assert(wal_pricing_is_uniform(&market));
  wal_pricing_market_destroy(&market);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("pricing_stable");
  TCase *tests = tcase_create("all");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, exact_is_stable, 0, WAL_PRICING_KINDS);
  tcase_add_loop_test(tests, doubles_are_stable, 0, WAL_PRICING_KINDS);
  tcase_add_test(tests, the_cycle_step_is_needed);
  tcase_add_test(tests, strict_natural_markets_have_one_allocation);
  tcase_add_test(tests, doubles_are_reconstructed);
  tcase_add_test(tests, the_duopoly_hypothesis_fails);
  tcase_add_test(tests, definition);
  tcase_add_test(tests, no_reconstruction_of_what_is_not_determined);
  tcase_add_test(tests, priorities_decide);
  tcase_add_test(tests, the_worst_item_counts);
  tcase_add_test(tests, wanted_and_uniform);
  tcase_add_test(tests, kinds_are_what_they_say);
  tcase_add_test(tests, first_come_stays);
  tcase_add_test(tests, refusals);
  tcase_add_test(tests, natural_priorities);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
