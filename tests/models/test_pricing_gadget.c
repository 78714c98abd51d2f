/* The MAX-3SAT-3 gadget: stable allocations of all assignments, and the stable set of small formulas. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/pricing/cells.h"
#include "models/pricing/gadget.h"
#include "models/pricing/stability.h"
#include "tests/suite.h"

#define OK(call) ck_assert_msg((call) == WAL_OK, "%s", wal_error())

static const wal_gadget_options kinds[] = {
    {false, false, false, 0}, {false, true, false, 0}, {true, false, false, 0}, {true, true, false, 0}};

/* Every assignment's allocation is stable exactly, and its revenue is what the clauses say. */
static void check_assignments(const wal_formula *f, wal_gadget_options options) {
  for (uint64_t a = 0; a < 1ULL << f->variables; a++)
    for (int implement = 0; implement <= options.uniform; implement++) {
      wal_pricing_market market;
      wal_pricing_allocation x;
      wal_stability_report report;
      options.implement = implement;
      options.assignment = a;
      OK(wal_gadget_market(f, &options, true, &market));
      OK(wal_pricing_market_check(&market));
      OK(wal_pricing_allocation_create(market.n, market.m, true, &x));
      wal_gadget_allocation(f, &options, a, &x);
      ck_assert_msg(wal_stability_check_exact(&market, x.exact, WAL_CHECK_STABLE, &report), "buyer %d: %s",
                    report.buyer, wal_stability_text(report.fault));
      ck_assert_double_eq(wal_pricing_revenue(&market, x.x, NULL),
                          wal_gadget_base(&options) * f->variables + wal_formula_satisfied(f, a));
      ck_assert_uint_eq(wal_gadget_assignment(f, x.x), a);
      wal_pricing_allocation_destroy(&x);
      wal_pricing_market_destroy(&market);
    }
}

START_TEST(assignments_are_stable) {
  for (int k = 0; k < 12; k++) {
    wal_formula f;
    OK(wal_formula_draw(5, k, 1 + k % 4, 2 + k, &f));
    for (int kind = 0; kind < 4; kind++) check_assignments(&f, kinds[kind]);
    wal_formula_destroy(&f);
  }
}
END_TEST

/* Least and most revenue over the whole stable set. */
static void range(wal_formula f, wal_gadget_options options, double *low, double *high) {
  wal_pricing_market market;
  wal_stable_range found;
  OK(wal_gadget_market(&f, &options, false, &market));
  OK(wal_stable_objective(&market, market.price, NULL, &found));
  *low = found.low;
  *high = found.high;
  wal_stable_range_destroy(&found);
  wal_pricing_market_destroy(&market);
}

/* (x) and (not x): one clause of two. (x) and (x or y) and (not x): two of three. */
START_TEST(the_most_revenue_is_maxsat) {
  int one[2][3] = {{1}, {-1}}, two[3][3] = {{1}, {1, 2}, {-1}};
  const wal_formula formulas[] = {{1, 2, one}, {2, 3, two}};
  for (int f = 0; f < 2; f++)
    for (int kind = 0; kind < 4; kind++) {
      double low, high;
      range(formulas[f], kinds[kind], &low, &high);
      ck_assert_int_eq(wal_formula_most(&formulas[f]), f + 1);
      ck_assert_double_eq_tol(high, wal_gadget_base(&kinds[kind]) * (f + 1) + f + 1, 1e-7);
      ck_assert_double_ge(2 * low, high - 1e-7); /* Theorem 8 */
    }
}
END_TEST

/* Theorem 4's priorities leave one revenue where literal buyers prefer choice items; without preference the
   clause buyer may get nothing, though its literal is true. */
START_TEST(implementing_needs_strict_preferences) {
  int one[1][3] = {{1}};
  const wal_formula f = {1, 1, one};
  double low, high;
  range(f, (wal_gadget_options){true, true, true, 1}, &low, &high);
  ck_assert_double_eq_tol(low, 37, 1e-7);
  ck_assert_double_eq_tol(high, 37, 1e-7);
  range(f, (wal_gadget_options){true, true, true, 0}, &low, &high);
  ck_assert_double_eq_tol(low, 36, 1e-7);
  ck_assert_double_eq_tol(high, 36, 1e-7);
  range(f, (wal_gadget_options){true, false, true, 1}, &low, &high);
  ck_assert_double_eq_tol(low, 36, 1e-7);
  ck_assert_double_eq_tol(high, 37, 1e-7);
}
END_TEST

/* Three literals a clause, each variable at most three times: always satisfiable, by Hall's theorem. */
/* A variable is true where the buyer of its literal has more than half of the choice item. */
START_TEST(half_is_not_true) {
  int one[1][3] = {{1}};
  const wal_formula f = {1, 1, one};
  const wal_gadget_options options = {0};
  wal_pricing_market market;
  wal_pricing_allocation x;
  OK(wal_gadget_market(&f, &options, false, &market));
  OK(wal_pricing_allocation_create(market.n, market.m, false, &x));
  wal_gadget_allocation(&f, &options, 1, &x);
  for (int tenths = 0; tenths <= 10; tenths++) {
    double part[64];
    ck_assert_int_le(x.n * x.m, 64);
    for (int e = 0; e < x.n * x.m; e++) part[e] = x.x[e] * tenths / 10;
    ck_assert_uint_eq(wal_gadget_assignment(&f, part), tenths > 5);
  }
  wal_pricing_allocation_destroy(&x);
  wal_pricing_market_destroy(&market);
}
END_TEST

START_TEST(three_literals_are_always_satisfiable) {
  int full = 0;
  for (int k = 0; k < 4000; k++) {
    wal_formula f;
    bool three = true;
    OK(wal_formula_draw(7, k, 3 + k % 4, 2 + k % 5, &f));
    for (int c = 0; c < f.clauses; c++) three = three && f.clause[c][2];
    if (three) ck_assert_int_eq(wal_formula_most(&f), f.clauses);
    full += three;
    wal_formula_destroy(&f);
  }
  ck_assert_int_gt(full, 50);
}
END_TEST

START_TEST(bad_formulas) {
  int four[4][3] = {{1}, {1}, {-1}, {1}};
  const wal_formula f = {1, 4, four};
  wal_formula drawn;
  wal_pricing_market market;
  ck_assert_int_eq(wal_gadget_market(&f, &kinds[0], false, &market), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), "variable 1 appears 4 times"));
  ck_assert_int_eq(wal_formula_draw(1, 0, 21, 1, &drawn), WAL_E_INPUT);
  wal_formula_destroy(NULL);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("pricing_gadget");
  TCase *all = tcase_create("all");
  tcase_add_test(all, assignments_are_stable);
  tcase_add_test(all, the_most_revenue_is_maxsat);
  tcase_add_test(all, implementing_needs_strict_preferences);
  tcase_add_test(all, half_is_not_true);
  tcase_add_test(all, three_literals_are_always_satisfiable);
  tcase_add_test(all, bad_formulas);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
