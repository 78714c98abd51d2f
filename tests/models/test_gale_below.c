/* Gale prices nowhere above given ones: examples whose Gale prices are known sets, and the range. */
#include <math.h>
#include <string.h>

#include "models/nashwelfare/examples.h"
#include "models/nashwelfare/families.h"
#include "models/nashwelfare/gale_below.h"
#include "models/nashwelfare/verify.h"
#include "tests/suite.h"

/* The example's Gale prices nearest to below p, checked to be Gale prices. */
static double excess_below(int number, int n, const double *p, double *q) {
  wal_example_size size = wal_example_defaults(number);
  size.n = n;
  wal_nw_market market;
  wal_nw_solution nw = {0};
  double excess = NAN, distance;
  ck_assert_int_eq(wal_example(number, &size, &market), WAL_OK);
  ck_assert_int_eq(wal_nw_maximise(&market, NULL, &nw), WAL_OK);
  ck_assert_msg(wal_nw_gale_below(&market, &nw, p, q, &excess) == WAL_OK, "%s", wal_error());
  ck_assert_int_eq(wal_nw_gale_check(&market, nw.y, q, &distance), WAL_OK);
  ck_assert_double_le(distance, 1e-5); /* a gap of 1e-12 leaves utilities at a breakpoint 1e-6 */
  wal_nw_solution_destroy(&nw);
  wal_nw_market_destroy(&market);
  return excess;
}

/* A.9: Gale prices ([0, 1], 1, ..., 1); below the equilibrium's (0, n / (n-1), ...), and below (1/2, 1, ...),
   not below (1/2, 0.9, 1): there by 0.1, in shares of the budgets 3. */
START_TEST(example_a9) {
  double q[3];
  ck_assert_double_le(excess_below(9, 3, (double[]){0, 1.5, 1.5}, q), 1e-6);
  ck_assert_double_eq_tol(q[0], 0, 1e-6);
  ck_assert_double_eq_tol(q[1], 1, 1e-6);
  ck_assert_double_le(excess_below(9, 3, (double[]){0.5, 1, 1}, q), 1e-6);
  ck_assert_double_le(q[0], 0.5 + 1e-6);
  ck_assert_double_eq_tol(excess_below(9, 3, (double[]){0.5, 0.9, 1}, q), 0.1 / 3, 1e-6);
}
END_TEST

/* A.5: the prices of both equilibria, all 1 and (0, ..., 0, n), are above some Gale prices. */
START_TEST(example_a5) {
  double q[4];
  ck_assert_double_le(excess_below(5, 4, (double[]){1, 1, 1, 1}, q), 1e-6);
  ck_assert_double_le(excess_below(5, 4, (double[]){0, 0, 0, 4}, q), 1e-6);
  for (int j = 0; j < 3; j++) ck_assert_double_le(q[j], 1e-6);
}
END_TEST

/* Where the range is a point, that point is the answer, whatever p is. */
START_TEST(unique_prices) {
  int unique = 0;
  for (int64_t k = 0; k < 20; k++) {
    wal_nw_market market;
    wal_nw_solution nw = {0};
    double low[3], high[3], q[3], excess, expected = -INFINITY, budgets = 0;
    const double p[3] = {0.3, 0.4, 0.5};
    ck_assert_int_eq(wal_family_find("plc")->draw(3, k, 2, 3, &market), WAL_OK);
    ck_assert_int_eq(wal_nw_maximise(&market, NULL, &nw), WAL_OK);
    ck_assert_int_eq(wal_nw_price_range(&market, &nw, low, high), WAL_OK);
    ck_assert_int_eq(wal_nw_gale_below(&market, &nw, p, q, &excess), WAL_OK);
    for (int i = 0; i < 2; i++) budgets += market.budget[i];
    bool point = true;
    for (int j = 0; j < 3; j++) {
      point = point && high[j] - low[j] < 1e-8;
      expected = fmax(expected, (low[j] - p[j]) / budgets);
      ck_assert_double_ge(q[j], low[j] - 1e-4);
      ck_assert_double_le(q[j], high[j] + 1e-4);
    }
    if (point) ck_assert_double_eq_tol(excess, expected, 1e-4);
    unique += point;
    wal_nw_solution_destroy(&nw);
    wal_nw_market_destroy(&market);
  }
  ck_assert_int_ge(unique, 3);
}
END_TEST

START_TEST(needs_a_linear_program) {
  wal_nw_market market;
  double q[1], excess;
  ck_assert_int_eq(wal_nw_market_create(1, 1, &market), WAL_OK);
  ck_assert_int_eq(wal_utility_quadratic(1, (double[]){1}, (double[]){1}, &market.utility[0]), WAL_OK);
  const wal_nw_solution nw = {.u = (double[]){0.5}};
  ck_assert_int_eq(wal_nw_gale_below(&market, &nw, (double[]){1}, q, &excess), WAL_E_UNSUPPORTED);
  ck_assert_ptr_nonnull(strstr(wal_error(), "agents[0]: a quadratic utility"));
  wal_nw_market_destroy(&market);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("gale_below");
  TCase *tests = tcase_create("gale_below");
  tcase_add_test(tests, example_a9);
  tcase_add_test(tests, example_a5);
  tcase_add_test(tests, unique_prices);
  tcase_add_test(tests, needs_a_linear_program);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
