/* Random markets: drawn the same alone, of both kinds of agents, and right at every size. */
#include <math.h>
#include <string.h>

#include "models/nashwelfare/families.h"
#include "tests/suite.h"

/* The family of this loop of a test. */
static const wal_family *at(int index) {
  ck_assert_ptr_nonnull(wal_families[index].name);
  return &wal_families[index];
}

static double value_of(const wal_nw_market *market, int i, double each) {
  double x[16];
  for (int j = 0; j < market->m; j++) x[j] = each;
  return wal_utility_value(market->utility[i], x);
}

START_TEST(an_instance_is_a_function_of_its_number) {
  wal_nw_market one, two, other;
  ck_assert_int_eq(at(_i)->draw(5, 9, 3, 4, &one), WAL_OK);
  ck_assert_int_eq(at(_i)->draw(5, 10, 3, 4, &other), WAL_OK);
  ck_assert_int_eq(at(_i)->draw(5, 9, 3, 4, &two), WAL_OK);
  for (int i = 0; i < 3; i++) {
    ck_assert(value_of(&one, i, 0.3) == value_of(&two, i, 0.3) && one.budget[i] == two.budget[i]);
    ck_assert(value_of(&one, i, 0.3) != value_of(&other, i, 0.3));
    ck_assert_double_eq(other.budget[i], 1);
    ck_assert(one.budget[i] > 0.25 && one.budget[i] < 2);
  }
  ck_assert(wal_family_equal_budgets(10) && !wal_family_equal_budgets(9));
  wal_nw_market_destroy(&one);
  wal_nw_market_destroy(&two);
  wal_nw_market_destroy(&other);
}
END_TEST

START_TEST(every_agent_has_a_use_for_something) {
  int satiable = 0, agents = 0;
  for (int64_t k = 0; k < 60; k++) {
    wal_nw_market market;
    const int n = 1 + (int)(k % 7), m = 1 + (int)(k / 7 % 8);
    ck_assert_int_eq(at(_i)->draw(1, k, n, m, &market), WAL_OK);
    ck_assert_int_eq(wal_nw_market_check(&market), WAL_OK);
    for (int i = 0; i < n; i++) {
      ck_assert_double_gt(value_of(&market, i, 1. / n), 0); /* everybody at once */
      ck_assert_int_eq(wal_utility_is_network(market.utility[i]), at(_i)->network);
      satiable += isfinite(market.utility[i]->satiation) != 0;
    }
    agents += n;
    wal_nw_market_destroy(&market);
  }
  if (strcmp(at(_i)->name, "linear") == 0) {
    ck_assert_int_eq(satiable, 0);
  } else {
    ck_assert_int_ge(satiable, agents / 4);
    ck_assert_int_le(satiable, agents * 3 / 4);
  }
}
END_TEST

START_TEST(families_are_found_by_name) {
  ck_assert_ptr_eq(wal_family_find("splc"), &wal_families[2]);
  ck_assert_ptr_null(wal_family_find("spl"));
  wal_nw_market market;
  ck_assert_int_eq(wal_families[0].draw(1, 0, 0, 2, &market), WAL_E_INPUT);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("families");
  TCase *tests = tcase_create("families");
  tcase_add_loop_test(tests, an_instance_is_a_function_of_its_number, 0, 6);
  tcase_add_loop_test(tests, every_agent_has_a_use_for_something, 0, 6);
  tcase_add_test(tests, families_are_found_by_name);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
