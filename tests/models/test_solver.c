/* The front door: which markets each member takes, by its row of the table. */
#include <string.h>

#include "models/market/contexts.h"
#include "models/market/solver.h"
#include "tests/models/market_fixture.h"
#include "tests/suite.h"

static bool takes_alpha(const char *ranges, double alpha) {
  const wal_solver solver = {.name = "probe", .alpha = ranges};
  const wal_market market = {.n = 1, .m = 1, .alpha = alpha};
  return wal_solver_takes(&solver, &market);
}

START_TEST(ranges_are_read_as_written) {
  ck_assert(takes_alpha("1", 1));
  ck_assert(!takes_alpha("1", 0.5));
  ck_assert(takes_alpha("[-inf, 1]", -INFINITY));
  ck_assert(takes_alpha("[-inf, 1]", 1));
  ck_assert(!takes_alpha("(-inf, 1)", -INFINITY));
  ck_assert(!takes_alpha("(-inf, 1)", 1));
  ck_assert(takes_alpha("(-inf, 1)", -1e300));
  const char *several = "-inf, [-300, 0.9999], 1";
  ck_assert(takes_alpha(several, -INFINITY));
  ck_assert(!takes_alpha(several, -301));
  ck_assert(takes_alpha(several, -300));
  ck_assert(takes_alpha(several, 0.9999));
  ck_assert(!takes_alpha(several, 0.99995));
  ck_assert(takes_alpha(several, 1));
  ck_assert(!takes_alpha("every", 0));
}
END_TEST

/* Every row of the table takes some usual alpha: none is misspelt. */
START_TEST(every_row_is_readable) {
  static const double usual[] = {1, 0.5, 0, -1, -INFINITY};
  for (const wal_solver *const *s = wal_solvers; *s; s++) {
    const wal_solver plain = {.name = (*s)->name, .alpha = (*s)->alpha};
    int taken = 0;
    for (int k = 0; k < 5; k++)
      taken += wal_solver_takes(&plain, &(wal_market){.n = 1, .m = 1, .alpha = usual[k]});
    ck_assert_msg(taken > 0, "%s: \"%s\" takes none of the usual alpha", (*s)->name, (*s)->alpha);
  }
}
END_TEST

START_TEST(refusals_name_those_that_take_it) {
  test_market t = test_market_create(1, 4, 2, 0.5, 1);
  wal_solver_options options;
  wal_solver_defaults(&options);
  wal_solution s;
  ck_assert_int_eq(wal_solver_solve(wal_solver_find("pace"), &t.market, &options, NULL, &s),
                   WAL_E_UNSUPPORTED);
  ck_assert_ptr_nonnull(strstr(wal_error(), "newton"));
  ck_assert_ptr_nonnull(strstr(wal_error(), "alpha = 0.5"));
  ck_assert_ptr_null(s.price);
  ck_assert_int_eq(wal_solver_solve(wal_solver_find("fc"), &t.market, &options, NULL, &s), WAL_E_UNSUPPORTED);
  ck_assert_ptr_nonnull(strstr(wal_error(), "contexts"));
  t.market.alpha = 1;
  t.market.quasilinear = true;
  for (const wal_solver *const *member = wal_solvers; *member; member++)
    if (!(*member)->quasilinear) {
      ck_assert_int_eq(wal_solver_solve(*member, &t.market, &options, NULL, &s), WAL_E_UNSUPPORTED);
      ck_assert_ptr_nonnull(strstr(wal_error(), "quasilinear"));
    }
  t.market.alpha = 0.5;
  ck_assert_int_eq(wal_market_check(&t.market), WAL_E_INPUT);
  test_market_destroy(&t);
}
END_TEST

START_TEST(taken_markets_are_solved) {
  test_market t = test_market_create(1, 4, 2, 0.5, 1);
  wal_solver_options options;
  wal_solver_defaults(&options);
  wal_solution s;
  ck_assert_int_eq(wal_solver_solve(wal_solver_find("newton"), &t.market, &options, NULL, &s), WAL_OK);
  ck_assert_double_le(s.certified_gap, options.newton.tol);
  wal_solution_destroy(&s);
  test_market_destroy(&t);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("solver");
  TCase *door = tcase_create("front door");
  tcase_add_test(door, ranges_are_read_as_written);
  tcase_add_test(door, every_row_is_readable);
  tcase_add_test(door, refusals_name_those_that_take_it);
  tcase_add_test(door, taken_markets_are_solved);
  suite_add_tcase(suite, door);
  return run_suite(suite);
}
