#include <string.h>

#include "tests/models/market_fixture.h"
#include "tests/suite.h"

enum { N = 2000, M = 3 };

static void expect(const wal_market *market, const char *text) {
  ck_assert_int_eq(wal_market_check(market), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(), text);
}

START_TEST(good_markets_pass) {
  const double alphas[] = {1, 0.5, 0, -3, -INFINITY};
  for (int k = 0; k < 5; k++) {
    test_market t = test_market_create(1, N, M, alphas[k], 1);
    ck_assert_msg(wal_market_check(&t.market) == WAL_OK, "%s", wal_error());
    test_market_destroy(&t);
    t = test_market_create(1, 1, 1, alphas[k], 1);
    ck_assert_int_eq(wal_market_check(&t.market), WAL_OK);
    test_market_destroy(&t);
  }
}
END_TEST

START_TEST(sizes_and_alpha) {
  test_market t = test_market_create(1, N, M, 0.5, 1);
  wal_market bad = t.market;
  bad.n = 0;
  expect(&bad, "n is 0; expected at least 1 buyer (1048576 works)");
  bad = t.market;
  bad.m = 0;
  expect(&bad, "m is 0; expected at least 1 good (10 works)");
  bad = t.market;
  bad.alpha = 1.01;
  expect(&bad, "alpha is 1.01; expected a number from -inf to 1 (0.5 works)");
  bad.alpha = NAN;
  expect(&bad, "alpha is nan; expected a number from -inf to 1 (0.5 works)");
  wal_source *source = t.source;
  ck_assert_int_eq(wal_source_dense(0, 3, t.values, NULL, &source), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(), "a market of 0 buyers and 3 goods; expected at least 1 of each");
  ck_assert_ptr_null(source);
  wal_source_destroy(source);
  wal_allocation_destroy(NULL);
  test_market_destroy(&t);
}
END_TEST

START_TEST(supplies_budgets_and_values_name_their_place) {
  test_market t = test_market_create(1, N, M, -1, 1);
  const double bad[] = {0, -1, NAN, INFINITY};
  const char *const shown[] = {"0", "-1", "nan", "inf"},
                    *const worth[] = {
                        "0, and at alpha < 0 a buyer who gets no value from one good has no "
                        "utility; expected a positive",
                        "-1; expected a positive", "nan; expected a positive", "inf; expected a positive"};
  for (int k = 0; k < 4; k++) {
    char text[200];
    double kept = t.supply[2];
    t.supply[2] = bad[k];
    snprintf(text, sizeof text, "the supply of good 2 is %s; expected a positive finite number (1 works)",
             shown[k]);
    expect(&t.market, text);
    t.supply[2] = kept;
    kept = t.budget[1500];
    t.budget[1500] = bad[k];
    snprintf(text, sizeof text, "the budget of buyer 1500 is %s; expected a positive finite number (1 works)",
             shown[k]);
    expect(&t.market, text);
    t.budget[1500] = kept;
    kept = t.values[1999 * M + 1];
    t.values[1999 * M + 1] = bad[k];
    snprintf(text, sizeof text, "the value of buyer 1999 for good 1 is %s finite number (1 works)", worth[k]);
    expect(&t.market, text);
    t.values[1999 * M + 1] = kept;
  }
  ck_assert_int_eq(wal_market_check(&t.market), WAL_OK);
  test_market_destroy(&t);
}
END_TEST

/* Substitutes (alpha > 0) may be worth nothing, as long as every buyer wants something and every good is
 * wanted. */
START_TEST(zero_values) {
  test_market t = test_market_create(1, N, M, 0.5, 1);
  t.values[7 * M + 1] = 0;
  ck_assert_int_eq(wal_market_check(&t.market), WAL_OK);
  t.values[7 * M] = t.values[7 * M + 2] = 0;
  expect(&t.market, "buyer 7 values no good; expected at least one positive value");
  t.values[7 * M] = 1;
  for (int i = 0; i < N; i++) t.values[i * M + 2] = 0;
  expect(&t.market, "no buyer values good 2; expected at least one positive value (or leave it out)");
  t.market.alpha = 0;
  expect(&t.market, "no buyer values good 2; expected at least one positive value (or leave it out)");
  t.values[2] = 1;
  ck_assert_int_eq(wal_market_check(&t.market), WAL_OK);
  t.market.alpha = 1;
  t.values[5] = -2;
  expect(&t.market, "the value of buyer 1 for good 2 is -2; expected a non-negative finite number (1 works)");
  test_market_destroy(&t);
}
END_TEST

START_TEST(budgets_default_to_one) {
  const double values[4] = {1, 2, 3, 4};
  double v[4], budget[2];
  wal_source *source;
  ck_assert_int_eq(wal_source_dense(2, 2, values, NULL, &source), WAL_OK);
  ck_assert_int_eq(source->ops->rows(source, 0, 2, v, budget), WAL_OK);
  ck_assert_mem_eq(v, values, sizeof v);
  ck_assert(budget[0] == 1 && budget[1] == 1);
  wal_source_destroy(source);
}
END_TEST

int main(void) {
  Suite *s = suite_create("market_check");
  TCase *t = tcase_create("door");
  tcase_add_test(t, good_markets_pass);
  tcase_add_test(t, sizes_and_alpha);
  tcase_add_test(t, supplies_budgets_and_values_name_their_place);
  tcase_add_test(t, zero_values);
  tcase_add_test(t, budgets_default_to_one);
  suite_add_tcase(s, t);
  return run_suite(s);
}
