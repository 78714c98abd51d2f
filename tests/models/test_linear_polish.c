/* alpha = 1: exact equilibria of linear utilities. Truth: the equilibrium conditions, in long double, from
   prices and allocation alone. They are sufficient (Eisenberg and Gale 1959). */
#include <string.h>

#include "models/common/parallel.h"
#include "models/market/contexts.h"
#include "models/market/linear_polish.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"
#include "tests/models/market_fixture.h"
#include "tests/suite.h"

static wal_solution solve(const wal_market *market) {
  wal_solver_options options;
  wal_solver_defaults(&options);
  wal_solution s;
  ck_assert_msg(wal_solver_find("newton")->solve(market, &options, NULL, &s) == WAL_OK, "%s", wal_error());
  return s;
}

/* Budgets spent, supplies sold, and money on best buys only: each to `within`, relative. */
static void check_equilibrium(const test_market *t, const wal_solution *s, double within) {
  const int64_t n = t->market.n;
  const int m = t->market.m;
  double *x = malloc((size_t)(n * m) * sizeof *x);
  long double *sold = calloc((size_t)m, sizeof *sold);
  ck_assert_int_eq(s->allocation->ops->fill(s->allocation, 0, n, x), WAL_OK);
  for (int64_t i = 0; i < n; i++) {
    long double spent = 0, best = 0;
    for (int j = 0; j < m; j++) best = fmaxl(best, t->values[i * m + j] / (long double)s->price[j]);
    for (int j = 0; j < m; j++) {
      ck_assert(x[i * m + j] >= 0);
      spent += x[i * m + j] * (long double)s->price[j];
      sold[j] += x[i * m + j];
      if (x[i * m + j] > 0)
        ck_assert_double_ge((double)(t->values[i * m + j] / (long double)s->price[j] / best), 1 - within);
    }
    ck_assert_double_eq_tol((double)(spent / t->budget[i]), 1, within);
  }
  for (int j = 0; j < m; j++) ck_assert_double_eq_tol((double)(sold[j] / t->supply[j]), 1, within);
  free(sold);
  free(x);
  wal_measures measures;
  ck_assert_msg(wal_measure(&t->market, s->allocation, s->price, &measures) == WAL_OK, "%s", wal_error());
  ck_assert_double_le(fabs(measures.nash_gap), 1e-12);
  ck_assert_double_le(measures.voa, 1e-12);
  ck_assert_double_le(measures.vop, 1e-12);
  ck_assert_double_le(measures.nash_gap, s->certified_gap + 1e-15);
  ck_assert_double_le(s->certified_gap, 1e-12);
}

static void solve_and_check(test_market *t, double within) {
  wal_solution s = solve(&t->market);
  check_equilibrium(t, &s, within);
  wal_solution_destroy(&s);
  test_market_destroy(t);
}

static const int sizes[][2] = {{1, 1}, {1, 9},   {9, 1},   {2, 2},  {2, 12},   {3, 40},  {5, 5},
                               {7, 3}, {12, 30}, {26, 17}, {50, 7}, {300, 10}, {2000, 4}};
enum { SIZES = sizeof sizes / sizeof *sizes };

START_TEST(values_in_general_position) {
  for (uint64_t seed = 1; seed <= 10; seed++) {
    test_market t = test_market_create(seed, sizes[_i][0], sizes[_i][1], 1, 1 + (double)(seed % 3));
    solve_and_check(&t, 1e-11);
  }
}
END_TEST

/* Bids of few sizes, equal budgets, small supplies: cycles of ties, buyers alike. A share of bids is 0. */
static test_market integer_bids(uint64_t seed, int n, int m, uint64_t most, double zeros) {
  test_market t = test_market_create(seed, n, m, 1, 1);
  uint64_t k = 1000000;
  for (int i = 0; i < n * m; i++) {
    t.values[i] = 1.0 + (double)wal_rng_below(seed, WAL_STREAM_TEST, k++, most);
    if (wal_rng_uniform(seed, WAL_STREAM_TEST, k++) < zeros) t.values[i] = 0;
  }
  for (int i = 0; i < n; i++) t.budget[i] = 1, t.values[i * m + (i + (int)seed) % m] = (double)most;
  for (int j = 0; j < m; j++) {
    t.supply[j] = 1.0 + (double)wal_rng_below(seed, WAL_STREAM_TEST, k++, 3);
    t.values[(int)(seed + (uint64_t)j) % n * m + j] = 1; /* somebody wants it */
  }
  return t;
}

START_TEST(integer_bids_with_ties) {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    test_market t = integer_bids(seed, sizes[_i][0], sizes[_i][1], 1 + seed % 5, (double)(seed % 3) * 0.35);
    solve_and_check(&t, 1e-11);
  }
}
END_TEST

/* Everybody values everything alike: all prices equal, any division clears. */
START_TEST(everything_is_tied) {
  test_market t = test_market_create(3, 20, 8, 1, 1);
  for (int i = 0; i < 20 * 8; i++) t.values[i] = 3;
  wal_solution s = solve(&t.market);
  for (int j = 1; j < 8; j++) ck_assert_double_eq_tol(s.price[j] / s.price[0], 1, 1e-14);
  check_equilibrium(&t, &s, 1e-12);
  wal_solution_destroy(&s);
  test_market_destroy(&t);
}
END_TEST

/* Prices by hand: p = (8/3, 4/3), buyer 1 takes 3/8 of good 0 and nothing else. */
START_TEST(by_hand) {
  test_market t = test_market_create(1, 2, 2, 1, 1);
  memcpy(t.values, (double[]){3, 1, 2, 1}, 4 * sizeof(double));
  memcpy(t.budget, (double[]){1, 3}, 2 * sizeof(double));
  memcpy(t.supply, (double[]){1, 1}, 2 * sizeof(double));
  wal_solution s = solve(&t.market);
  ck_assert_double_eq_tol(s.price[0], 8.0 / 3, 1e-14);
  ck_assert_double_eq_tol(s.price[1], 4.0 / 3, 1e-14);
  double x[4];
  ck_assert_int_eq(s.allocation->ops->fill(s.allocation, 0, 2, x), WAL_OK);
  ck_assert_double_eq_tol(x[0], 3.0 / 8, 1e-14);
  ck_assert_double_eq(x[1], 0);
  ck_assert_double_eq_tol(x[3], 1, 1e-14);
  wal_solution_destroy(&s);
  test_market_destroy(&t);
}
END_TEST

/* Values over 30 orders of magnitude, budgets and supplies over 12. */
START_TEST(wide_ranges) {
  for (uint64_t seed = 1; seed <= 10; seed++) {
    test_market t = test_market_create(seed, 60, 6, 1, 1);
    for (int i = 0; i < 60 * 6; i++)
      t.values[i] = pow(10, 30 * wal_rng_uniform(seed, WAL_STREAM_SWEEP, (uint64_t)i) - 15);
    for (int i = 0; i < 60; i++) t.budget[i] = pow(10, i % 13 - 6);
    for (int j = 0; j < 6; j++) t.supply[j] = pow(10, 12 * j / 5.0 - 6);
    solve_and_check(&t, 1e-11);
  }
}
END_TEST

/* Prices that are much farther away than the power says: buyers who seem decided are not, with ties too. */
START_TEST(starts_far_away) {
  enum { N = 300, M = 10 };
  for (uint64_t seed = 1; seed <= 10; seed++) {
    test_market t = _i == 0 ? test_market_create(seed, N, M, 1, 1) : integer_bids(seed, N, M, 3, 0.2);
    wal_solution s = solve(&t.market);
    double q[M];
    for (int j = 0; j < M; j++)
      q[j] = log(s.price[j]) + 0.2 * wal_rng_normal(seed, WAL_STREAM_SWEEP, (uint64_t)j);
    s.certified_gap = 1;
    ck_assert_msg(wal_linear_polish(&t.market, 1e6, q, &s) == WAL_OK, "%s", wal_error());
    check_equilibrium(&t, &s, 1e-11);
    wal_solution_destroy(&s);
    test_market_destroy(&t);
  }
}
END_TEST

/* Large populations: distinct values (few near ties), and integer bids (most buyers tied exactly). */
START_TEST(many_buyers) {
  test_market t = _i == 0 ? test_market_create(5, 60000, 6, 1, 1) : integer_bids(5, 60000, 6, 4, 0.2);
  wal_threads_set(1);
  wal_solution one = solve(&t.market);
  check_equilibrium(&t, &one, 1e-11);
  wal_threads_set(3);
  wal_solution three = solve(&t.market);
  ck_assert_mem_eq(one.price, three.price, 6 * sizeof(double));
  wal_solution_destroy(&one);
  wal_solution_destroy(&three);
  test_market_destroy(&t);
}
END_TEST

/* The first buyers, with whom the solver begins, are unlike the others: they want two goods only, or one of
   them a million times more. */
START_TEST(first_buyers_mislead) {
  test_market t = test_market_create(7, 20000, 6, 1, 1);
  for (int i = 0; i < 9000; i++)
    for (int j = 0; j < 6; j++) t.values[i * 6 + j] *= _i == 0 ? j < 2 : j == 0 ? 1e6 : 1;
  solve_and_check(&t, 1e-11);
}
END_TEST

int main(void) {
  Suite *s = suite_create("linear_polish");
  TCase *t = tcase_create("linear utilities");
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, values_in_general_position, 0, SIZES);
  tcase_add_loop_test(t, integer_bids_with_ties, 0, SIZES);
  tcase_add_test(t, everything_is_tied);
  tcase_add_test(t, by_hand);
  tcase_add_test(t, wide_ranges);
  tcase_add_loop_test(t, starts_far_away, 0, 2);
  tcase_add_loop_test(t, many_buyers, 0, 2);
  tcase_add_loop_test(t, first_buyers_mislead, 0, 2);
  suite_add_tcase(s, t);
  return run_suite(s);
}
