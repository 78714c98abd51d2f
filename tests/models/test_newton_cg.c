/* newton_cg against newton, whose own tests are by definition, and against the equilibrium's equations. */
#include <string.h>

#include "models/common/parallel.h"
#include "models/market/contexts.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"
#include "tests/models/market_fixture.h"
#include "tests/suite.h"

static wal_solution solve(const char *name, const wal_market *market) {
  wal_solver_options options;
  wal_solver_defaults(&options);
  wal_solution s;
  ck_assert_msg(wal_solver_find(name)->solve(market, &options, NULL, &s) == WAL_OK, "%s", wal_error());
  return s;
}

static const double alphas[] = {0.99, 0.9, 0.5, 0.2, 0, -1, -9, -30};
enum { ALPHAS = sizeof alphas / sizeof *alphas };

START_TEST(same_prices_as_newton) {
  static const int sizes[][2] = {{300, 50}, {2000, 67}, {40, 200}, {3, 5}, {1, 1}};
  for (int k = 0; k < 5; k++) {
    test_market t = test_market_create(1, sizes[k][0], sizes[k][1], alphas[_i], 1);
    wal_solution s = solve("newton_cg", &t.market), exact = solve("newton", &t.market);
    for (int j = 0; j < t.market.m; j++)
      ck_assert_double_eq_tol(s.price[j] / exact.price[j], 1, alphas[_i] < -10 ? 1e-5 : 1e-7);
    wal_measures m;
    ck_assert_msg(wal_measure(&t.market, s.allocation, s.price, &m) == WAL_OK, "%s", wal_error());
    ck_assert_double_le(fabs(m.nash_gap), 2e-12);
    ck_assert_double_le(m.nash_gap, s.certified_gap + 1e-13);
    ck_assert_double_le(s.certified_gap, 1e-12);
    ck_assert_double_le(m.vop, 1e-12);
    wal_solution_destroy(&s);
    wal_solution_destroy(&exact);
    test_market_destroy(&t);
  }
}
END_TEST

/* Demand is supply, in long double. */
START_TEST(demand_meets_supply) {
  enum { N = 500, M = 80 };
  test_market t = test_market_create(2, N, M, -0.5, 1);
  wal_solution s = solve("newton_cg", &t.market);
  long double spent[M] = {0};
  for (int i = 0; i < N; i++) {
    long double share[M], total = 0;
    for (int j = 0; j < M; j++)
      total += share[j] = powl(t.values[i * M + j] / (long double)s.price[j], -0.5L / 1.5L);
    for (int j = 0; j < M; j++) spent[j] += t.budget[i] * share[j] / total;
  }
  for (int j = 0; j < M; j++)
    ck_assert_double_eq_tol((double)(spent[j] / (t.supply[j] * (long double)s.price[j])), 1, 1e-7);
  wal_solution_destroy(&s);
  test_market_destroy(&t);
}
END_TEST

static void keep_first_gap(void *context, int count, const char *const names[], const double values[]) {
  double *gap = context;
  ck_assert_str_eq(names[count - 1], "gap");
  if (isnan(*gap)) *gap = values[count - 1];
}

/* The first step's certificate is about the demand at prices of 1, whose gap wal_measure knows. */
START_TEST(certificates_are_the_gap) {
  static const double some[] = {0.8, 0.5, 0.2, 0, -1};
  enum { N = 20000, M = 6 };
  test_market t = test_market_create(5, N, M, some[_i], 1);
  double price[M], gap = NAN;
  for (int j = 0; j < M; j++) price[j] = t.supply[j] = 1;
  const wal_trace trace = {.context = &gap, .row = keep_first_gap};
  wal_solver_options options;
  wal_solver_defaults(&options);
  wal_solution s;
  ck_assert_int_eq(wal_solver_find("newton_cg")->solve(&t.market, &options, &trace, &s), WAL_OK);
  wal_allocation *demand;
  wal_measures m;
  ck_assert_int_eq(wal_allocation_demand(&t.market, price, &demand), WAL_OK);
  ck_assert_int_eq(wal_measure(&t.market, demand, price, &m), WAL_OK);
  ck_assert_double_gt(m.nash_gap, 1e-7);
  ck_assert_double_ge(gap, m.nash_gap * (1 - 1e-4));
  ck_assert_double_le(gap, 1.2 * m.nash_gap);
  wal_allocation_destroy(demand);
  wal_solution_destroy(&s);
  test_market_destroy(&t);
}
END_TEST

/* Other units of money, beyond float32's too: the same prices in these units. */
START_TEST(units_of_money) {
  enum { N = 100, M = 30 };
  for (int k = 0; k < 2; k++) {
    const double unit = k == 0 ? 0x1p200 : 0x1p-200;
    test_market t = test_market_create(4, N, M, 0.9, 1), u = test_market_create(4, N, M, 0.9, 1);
    for (int i = 0; i < N; i++) u.budget[i] = unit * t.budget[i];
    wal_solution a = solve("newton_cg", &t.market), b = solve("newton_cg", &u.market);
    for (int j = 0; j < M; j++) ck_assert_double_eq_tol(b.price[j] / (unit * a.price[j]), 1, 1e-9);
    wal_solution_destroy(&a);
    wal_solution_destroy(&b);
    test_market_destroy(&t);
    test_market_destroy(&u);
  }
}
END_TEST

START_TEST(threads_do_not_change_bits) {
  wal_context_market c;
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, 1, 5000, 70, 5, 0.5, &c), WAL_OK);
  wal_threads_set(1);
  wal_solution one = solve("newton_cg", &c.market);
  wal_threads_set(3);
  wal_solution three = solve("newton_cg", &c.market);
  ck_assert_mem_eq(one.price, three.price, 70 * sizeof(double));
  wal_solution_destroy(&one);
  wal_solution_destroy(&three);
  wal_context_market_destroy(&c);
}
END_TEST

START_TEST(refusals_and_failures) {
  test_market t = test_market_create(3, 30, 8, 1, 1);
  wal_solver_options options;
  wal_solver_defaults(&options);
  wal_solution s;
  ck_assert_int_eq(wal_solver_find("newton_cg")->solve(&t.market, &options, NULL, &s), WAL_E_UNSUPPORTED);
  t.market.alpha = -INFINITY;
  ck_assert_int_eq(wal_solver_find("newton_cg")->solve(&t.market, &options, NULL, &s), WAL_E_UNSUPPORTED);
  t.market.alpha = 0.5;
  options.newton_cg.max_steps = 1;
  ck_assert_int_eq(wal_solver_find("newton_cg")->solve(&t.market, &options, NULL, &s), WAL_E_DIVERGED);
  ck_assert_ptr_nonnull(strstr(wal_error(), "newton_cg.max_steps"));
  ck_assert_ptr_null(s.price);
  test_market_destroy(&t);
}
END_TEST

int main(void) {
  Suite *s = suite_create("newton_cg");
  TCase *t = tcase_create("many goods");
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, same_prices_as_newton, 0, ALPHAS);
  tcase_add_test(t, demand_meets_supply);
  tcase_add_loop_test(t, certificates_are_the_gap, 0, 5);
  tcase_add_test(t, units_of_money);
  tcase_add_test(t, threads_do_not_change_bits);
  tcase_add_test(t, refusals_and_failures);
  suite_add_tcase(s, t);
  return run_suite(s);
}
