/* Theorem 2: Algorithm 3 from nothing and from Algorithm 1's allocation, in rationals and doubles, against
   Algorithm 2's linear programs. */
#include <math.h>

#include "models/common/rng.h"
#include "models/pricing/gale_shapley.h"
#include "models/pricing/kinds.h"
#include "models/pricing/revenue.h"
#include "models/pricing/stability.h"
#include "tests/suite.h"

#define OK(call) ck_assert_msg((call) == WAL_OK, "%s", wal_error())

enum { MARKETS = 400 };

static int side(int64_t k, uint64_t which) {
  return 1 + (int)wal_rng_below(4, WAL_STREAM_TEST, 2 * (uint64_t)k + which, 6);
}

/* Every third market has ties in prices and values, every fourth a free item and a buyer without money. */
static wal_pricing_market draw(int64_t k) {
  wal_pricing_market market;
  OK(wal_pricing_draw(WAL_PRICING_UNIFORM, 5, k, side(k, 0), side(k, 1), false, &market));
  for (int i = 0; i < market.n; i++) {
    if (k % 3 == 0) market.budget[i] = ceil(2 * market.budget[i]) / 2;
    for (int j = 0; j < market.m; j++) {
      const int e = i * market.m + j;
      if (k % 3 == 0)
        market.price[e] = ceil(2 * market.price[e]) / 2, market.value[e] = ceil(market.value[e]);
      if (k % 4 == 0 && j == 0) market.price[e] = 0;
    }
  }
  if (k % 4 == 0) market.budget[market.n - 1] = 0;
  OK(wal_pricing_lift(&market));
  OK(wal_pricing_market_check(&market));
  return market;
}

static void check_stable(const wal_pricing_market *market, wal_pricing_allocation *x, double tol) {
  wal_stability_report fault;
  const bool good = x->exact ? wal_stability_check_exact(market, x->exact, WAL_CHECK_STABLE, &fault)
                             : wal_stability_check(market, x->x, WAL_CHECK_STABLE, tol, &fault);
  ck_assert_msg(good, "buyer %d, item %d: %s", fault.buyer, fault.item, wal_stability_text(fault.fault));
}

static double sold(const wal_pricing_allocation *x, int j) {
  double sum = 0;
  for (int i = 0; i < x->n; i++) sum += x->x[i * x->m + j];
  return sum;
}

/* Exact revenue of both starts is the same, and the programs' to rounding. */
START_TEST(cold_and_warm_and_programs) {
  for (int64_t k = 0; k < MARKETS; k++) {
    wal_pricing_market market = draw(k);
    wal_pricing_allocation cold, warm, first, programs;
    double revenue;
    mpq_t a, b;
    mpq_inits(a, b, NULL);
    OK(wal_pricing_allocation_create(market.n, market.m, true, &cold));
    OK(wal_stable_edmonds_karp_exact(&market, &cold, NULL));
    OK(wal_gale_shapley_exact(&market, NULL, &first, NULL));
    OK(wal_gale_shapley_exact(&market, NULL, &warm, NULL));
    OK(wal_stable_edmonds_karp_exact(&market, &warm, NULL));
    check_stable(&market, &cold, 0);
    check_stable(&market, &warm, 0);
    for (int j = 0; j < market.m; j++) ck_assert(sold(&warm, j) >= sold(&first, j) - 1e-12); /* Lemma 6 */
    wal_pricing_revenue_exact(&market, cold.exact, a);
    wal_pricing_revenue_exact(&market, warm.exact, b);
    ck_assert(mpq_equal(a, b));
    OK(wal_revenue_by_lp(&market, &programs, &revenue));
    ck_assert_double_eq_tol(revenue, mpq_get_d(a), 1e-9 * (1 + revenue));
    check_stable(&market, &programs, 1e-7);
    ck_assert_double_eq_tol(wal_pricing_revenue(&market, programs.x, NULL), revenue, 1e-9 * (1 + revenue));
    mpq_clears(a, b, NULL);
    wal_pricing_allocation_destroy(&cold);
    wal_pricing_allocation_destroy(&warm);
    wal_pricing_allocation_destroy(&first);
    wal_pricing_allocation_destroy(&programs);
    wal_pricing_market_destroy(&market);
  }
}
END_TEST

START_TEST(doubles_as_rationals) {
  for (int64_t k = 0; k < MARKETS; k++) {
    wal_pricing_market market = draw(k);
    wal_pricing_allocation exact, doubles, warm;
    OK(wal_pricing_allocation_create(market.n, market.m, true, &exact));
    OK(wal_pricing_allocation_create(market.n, market.m, false, &doubles));
    OK(wal_stable_edmonds_karp_exact(&market, &exact, NULL));
    OK(wal_stable_edmonds_karp(&market, &doubles, NULL));
    OK(wal_gale_shapley(&market, NULL, &warm, NULL));
    OK(wal_stable_edmonds_karp(&market, &warm, NULL));
    check_stable(&market, &doubles, 1e-9);
    check_stable(&market, &warm, 1e-9);
    const double best = wal_pricing_revenue(&market, exact.x, NULL);
    ck_assert_double_eq_tol(wal_pricing_revenue(&market, doubles.x, NULL), best, 1e-10);
    ck_assert_double_eq_tol(wal_pricing_revenue(&market, warm.x, NULL), best, 1e-10);
    wal_pricing_allocation_destroy(&exact);
    wal_pricing_allocation_destroy(&doubles);
    wal_pricing_allocation_destroy(&warm);
    wal_pricing_market_destroy(&market);
  }
}
END_TEST

/* Corollary 2.1 on Section 4's market: from the stable allocation of revenue 1 to revenue 2, item 2 still
   sold out. */
START_TEST(section4) {
  wal_pricing_market market;
  wal_pricing_allocation x;
  int64_t augmentations;
  OK(wal_pricing_market_create(2, 2, &market));
  for (int i = 0; i < 2; i++) market.budget[i] = 1;
  for (int e = 0; e < 4; e++) market.price[e] = market.value[e] = 1;
  market.value[2] = 0;
  OK(wal_pricing_allocation_create(2, 2, false, &x));
  x.x[1] = 1;
  OK(wal_stable_edmonds_karp(&market, &x, &augmentations));
  ck_assert_int_eq(augmentations, 1);
  ck_assert_double_eq(x.x[0], 1);
  ck_assert_double_eq(x.x[1], 0);
  ck_assert_double_eq(x.x[3], 1);
  wal_pricing_allocation_destroy(&x);
  wal_pricing_market_destroy(&market);
}
END_TEST

START_TEST(refusals) {
  wal_pricing_market market = draw(1);
  wal_pricing_allocation x, out;
  double revenue;
  OK(wal_pricing_allocation_create(market.n, market.m, false, &x));
  x.x[0] = 2;
  ck_assert_int_eq(wal_stable_edmonds_karp(&market, &x, NULL), WAL_E_INPUT);
  ck_assert_int_eq(wal_stable_edmonds_karp_exact(&market, &x, NULL), WAL_E_INPUT);
  wal_pricing_allocation_destroy(&x);
  wal_pricing_market_destroy(&market);
  OK(wal_pricing_draw(WAL_PRICING_STRICT, 1, 0, 3, 3, false, &market));
  OK(wal_pricing_allocation_create(3, 3, false, &x));
  ck_assert_int_eq(wal_stable_edmonds_karp(&market, &x, NULL), WAL_E_UNSUPPORTED);
  ck_assert_int_eq(wal_revenue_by_lp(&market, &out, &revenue), WAL_E_UNSUPPORTED);
  wal_pricing_allocation_destroy(&x);
  wal_pricing_market_destroy(&market);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("pricing_revenue");
  TCase *tests = tcase_create("all");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, cold_and_warm_and_programs);
  tcase_add_test(tests, doubles_as_rationals);
  tcase_add_test(tests, section4);
  tcase_add_test(tests, refusals);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
