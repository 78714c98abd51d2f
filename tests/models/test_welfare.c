#include <string.h>

#include "models/common/parallel.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"
#include "tests/models/market_fixture.h"
#include "tests/suite.h"

enum { N = 23, M = 4 };
static const double alphas[] = {1, 0.9, 0.5, 0, -1, -4, -INFINITY};
enum { ALPHAS = sizeof alphas / sizeof *alphas };

/* Measures x[N, M] (copied) and p. */
static wal_measures measure(const test_market *t, const double *x, const double *p) {
  double *copy = malloc(N * M * sizeof *copy);
  memcpy(copy, x, N * M * sizeof *copy);
  wal_allocation *allocation;
  ck_assert_int_eq(wal_allocation_dense(N, M, copy, &allocation), WAL_OK);
  wal_measures out;
  ck_assert_msg(wal_measure(&t->market, allocation, p, &out) == WAL_OK, "%s", wal_error());
  wal_allocation_destroy(allocation);
  return out;
}

static void random_pair(uint64_t seed, double *x, double *p) {
  for (uint64_t k = 0; k < N * M; k++) x[k] = wal_rng_exponential(seed, WAL_STREAM_TEST, 1000 + k);
  for (uint64_t j = 0; j < M; j++) p[j] = wal_rng_exponential(seed, WAL_STREAM_TEST, 2000 + j);
}

/* Eqs. 6, 8, 9, 12, 13 written out in long double. */
START_TEST(measures_are_their_definitions) {
  test_market t = test_market_create(1, N, M, alphas[_i], 1);
  double x[N * M], p[M], scaled[M];
  random_pair(1, x, p);
  long double budget = 0, worth = 0, lnw = 0, lfw = 0, wsw = 0, voa = 0, column[M] = {0};
  for (int i = 0; i < N; i++) {
    budget += t.budget[i];
    for (int j = 0; j < M; j++) column[j] += x[i * M + j];
  }
  for (int j = 0; j < M; j++) worth += t.supply[j] * p[j];
  for (int j = 0; j < M; j++) {
    scaled[j] = (double)(p[j] * budget / worth);
    voa += fabsl(logl(t.supply[j] / column[j])) / M;
  }
  for (int i = 0; i < N; i++) {
    double row[M];
    for (int j = 0; j < M; j++) row[j] = (double)(x[i * M + j] * t.supply[j] / column[j]);
    const long double u = wal_ces_log_utility(alphas[_i], M, t.values + i * M, row);
    lnw += t.budget[i] * u / budget;
    wsw += t.budget[i] * expl(u) / budget;
    lfw += t.budget[i] * wal_ces_log_indirect(alphas[_i], M, t.values + i * M, scaled, t.budget[i]) / budget;
  }
  const wal_measures got = measure(&t, x, p);
  ck_assert_double_eq_tol(got.lnw, (double)lnw, 1e-13);
  ck_assert_double_eq_tol(got.lfw, (double)lfw, 1e-13);
  ck_assert_double_eq_tol(got.nash_gap, (double)(lfw - lnw), 1e-13);
  ck_assert_double_eq_tol(got.wsw, (double)wsw, 1e-13 * (double)wsw);
  ck_assert_double_eq_tol(got.voa, (double)voa, 1e-14);
  ck_assert_double_eq_tol(got.vop, (double)fabsl(logl(budget / worth)), 1e-14);
  test_market_destroy(&t);
}
END_TEST

/* More buyers than a vector loop takes at once, values and amounts of zero where alpha allows: the functions
   of one buyer, buyer by buyer. */
START_TEST(measures_are_the_functions_of_one_buyer) {
  enum { BUYERS = 300 };
  const double alpha = alphas[_i];
  test_market t = test_market_create(2, BUYERS, M, alpha, 1);
  double *x = malloc(BUYERS * M * sizeof *x), column[M] = {0}, budget = 0, worth = 0, fixed[M];
  const double p[M] = {1, 2, 0.5, 3};
  for (int k = 0; k < BUYERS * M; k++) {
    const bool none = alpha > 0 && k % 7 == 0;
    x[k] = none && k % 2 ? 0 : wal_rng_exponential(2, WAL_STREAM_TEST, 5000 + (uint64_t)k);
    if (none && k % 2 == 0) t.values[k] = 0;
    column[k % M] += x[k];
  }
  for (int i = 0; i < BUYERS; i++) budget += t.budget[i];
  for (int j = 0; j < M; j++) worth += t.supply[j] * p[j];
  for (int j = 0; j < M; j++) fixed[j] = p[j] * budget / worth;
  long double lnw = 0, lfw = 0, wsw = 0;
  for (int i = 0; i < BUYERS; i++) {
    double row[M];
    for (int j = 0; j < M; j++) row[j] = x[i * M + j] * t.supply[j] / column[j];
    const double u = wal_ces_log_utility(alpha, M, t.values + i * M, row);
    lnw += t.budget[i] * u / budget;
    wsw += t.budget[i] * expl(u) / budget;
    lfw += t.budget[i] * wal_ces_log_indirect(alpha, M, t.values + i * M, fixed, t.budget[i]) / budget;
  }
  wal_allocation *allocation;
  wal_measures got;
  ck_assert_int_eq(wal_allocation_dense(BUYERS, M, x, &allocation), WAL_OK);
  ck_assert_msg(wal_measure(&t.market, allocation, p, &got) == WAL_OK, "%s", wal_error());
  ck_assert_double_eq_tol(got.lnw, (double)lnw, 1e-13 * (1 + fabs((double)lnw)));
  ck_assert_double_eq_tol(got.lfw, (double)lfw, 1e-13 * (1 + fabs((double)lfw)));
  ck_assert_double_eq_tol(got.wsw, (double)wsw, 1e-13 * (double)wsw);
  wal_allocation_destroy(allocation);
  test_market_destroy(&t);
}
END_TEST

/* The demand that is filled in over vectors of buyers is the demand of one buyer. */
START_TEST(demand_is_the_demand_of_one_buyer) {
  enum { BUYERS = 300 };
  test_market t = test_market_create(3, BUYERS, M, alphas[_i], 1);
  const double p[M] = {1, 2, 0.5, 3};
  static double x[BUYERS * M];
  wal_allocation *allocation;
  ck_assert_int_eq(wal_allocation_demand(&t.market, p, &allocation), WAL_OK);
  ck_assert_int_eq(allocation->ops->fill(allocation, 0, BUYERS, x), WAL_OK);
  for (int i = 0; i < BUYERS; i++) {
    double want[M];
    wal_ces_demand(alphas[_i], M, t.values + i * M, p, t.budget[i], want);
    for (int j = 0; j < M; j++) ck_assert_double_le(fabs(x[i * M + j] - want[j]), 1e-13 * want[j]);
  }
  wal_allocation_destroy(allocation);
  test_market_destroy(&t);
}
END_TEST

/* Theorem 5.5: NG >= 0 for every pair, = 0 at the equilibrium. */
START_TEST(gap_is_never_negative) {
  for (uint64_t seed = 0; seed < 200; seed++) {
    test_market t = test_market_create(seed, N, M, alphas[_i], 1);
    double x[N * M], p[M];
    random_pair(seed, x, p);
    ck_assert_double_gt(measure(&t, x, p).nash_gap, 1e-3);
    test_market_destroy(&t);
  }
}
END_TEST

START_TEST(gap_vanishes_at_the_equilibrium_and_grows_around_it) {
  test_market t = test_market_create(3, N, M, alphas[_i], 0.7);
  wal_solver_options options;
  wal_solver_defaults(&options);
  wal_solution s;
  wal_measures at, off;
  ck_assert_msg(wal_solver_find("newton")->solve(&t.market, &options, NULL, &s) == WAL_OK, "%s", wal_error());
  ck_assert_int_eq(wal_measure(&t.market, s.allocation, s.price, &at), WAL_OK);
  ck_assert_double_le(fabs(at.nash_gap), alphas[_i] == 1 ? 1e-7 : 2e-12);
  ck_assert_double_le(at.voa, 1e-6);
  ck_assert_double_le(at.vop, 1e-14);
  double p[M];
  memcpy(p, s.price, sizeof p);
  p[0] = 1.1 * p[0] + 1e-3; /* corollary 5.7: the equilibrium price minimises LFW */
  p[1] *= 0.9;
  ck_assert_int_eq(wal_measure(&t.market, s.allocation, p, &off), WAL_OK);
  ck_assert_double_gt(off.nash_gap, at.nash_gap);
  ck_assert_double_gt(off.lfw, at.lfw);
  ck_assert_double_eq_tol(off.lnw, at.lnw, 1e-13);
  wal_solution_destroy(&s);
  test_market_destroy(&t);
}
END_TEST

/* Scaling all prices, and each good's allocation, moves VoP and VoA only, and by the known logarithms. */
START_TEST(violations_of_known_scalings) {
  test_market t = test_market_create(4, N, M, alphas[_i], 1);
  double x[N * M], p[M];
  random_pair(4, x, p);
  double column[M] = {0}, budget = 0, worth = 0;
  for (int i = 0; i < N; i++) {
    budget += t.budget[i];
    for (int j = 0; j < M; j++) column[j] += x[i * M + j];
  }
  for (int j = 0; j < M; j++) worth += t.supply[j] * p[j];
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++) x[i * M + j] *= t.supply[j] / column[j];
  for (int j = 0; j < M; j++) p[j] *= budget / worth;
  const wal_measures base = measure(&t, x, p);
  ck_assert_double_le(base.voa, 1e-14);
  ck_assert_double_le(base.vop, 1e-14);
  const double factor[M] = {2, 0.5, 3, 1};
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++) x[i * M + j] *= factor[j];
  for (int j = 0; j < M; j++) p[j] *= 7;
  const wal_measures scaled = measure(&t, x, p);
  ck_assert_double_eq_tol(scaled.voa, (2 * log(2) + log(3)) / 4, 1e-14);
  ck_assert_double_eq_tol(scaled.vop, log(7), 1e-14);
  ck_assert_double_eq_tol(scaled.nash_gap, base.nash_gap, 1e-13);
  ck_assert_double_eq_tol(scaled.lnw, base.lnw, 1e-13);
  ck_assert_double_eq_tol(scaled.lfw, base.lfw, 1e-13);
  test_market_destroy(&t);
}
END_TEST

/* Section 5.2's symmetries: budgets and prices by one factor; supply and allocation by a factor per good with
   values and prices by its inverse (not Cobb-Douglas, whose values are weights). */
START_TEST(gap_is_invariant) {
  test_market t = test_market_create(6, N, M, alphas[_i], 1);
  double x[N * M], p[M];
  random_pair(6, x, p);
  const wal_measures base = measure(&t, x, p);
  for (int i = 0; i < N; i++) t.budget[i] *= 13;
  for (int j = 0; j < M; j++) p[j] *= 13;
  const wal_measures richer = measure(&t, x, p);
  ck_assert_double_eq_tol(richer.nash_gap, base.nash_gap, 1e-13);
  ck_assert_double_eq_tol(richer.vop, base.vop, 1e-13);
  ck_assert_double_eq_tol(richer.lnw, base.lnw, 1e-13);
  const double unit[M] = {10, 0.1, 4, 1e-3};
  for (int j = 0; j < M; j++) {
    t.supply[j] *= unit[j];
    p[j] /= unit[j];
    for (int i = 0; i < N; i++) {
      x[i * M + j] *= unit[j];
      if (alphas[_i] != 0) t.values[i * M + j] /= unit[j];
    }
  }
  const wal_measures units = measure(&t, x, p);
  ck_assert_double_eq_tol(units.nash_gap, base.nash_gap, 1e-12);
  ck_assert_double_eq_tol(units.voa, base.voa, 1e-13);
  test_market_destroy(&t);
}
END_TEST

static void expect_failure(const test_market *t, const double *x, const double *p, const char *text) {
  wal_allocation *allocation;
  wal_measures out;
  ck_assert_int_eq(wal_allocation_constant(M, x, &allocation), WAL_OK);
  ck_assert_int_eq(wal_measure(&t->market, allocation, p, &out), WAL_E_DIVERGED);
  ck_assert_str_eq(wal_error(), text);
  ck_assert(isnan(out.nash_gap) && isnan(out.voa));
  wal_allocation_destroy(allocation);
}

START_TEST(what_cannot_be_measured) {
  test_market t = test_market_create(7, N, M, 0.5, 1);
  const double x[M] = {1, 1, 1, 1}, p[M] = {1, 1, 1, 1};
  expect_failure(&t, x, (double[M]){1, 0, 1, 1},
                 "the price of good 1 is 0; a measure needs positive finite prices");
  expect_failure(&t, x, (double[M]){1, 1, -2, 1},
                 "the price of good 2 is -2; a measure needs positive finite prices");
  expect_failure(&t, x, (double[M]){1, 1, 1, NAN},
                 "the price of good 3 is nan; a measure needs positive finite prices");
  expect_failure(&t, (double[M]){1, 0, 1, 1}, p,
                 "buyers receive 0 of good 1 in total; expected a positive finite amount");
  expect_failure(&t, (double[M]){NAN, 1, 1, 1}, p,
                 "buyers receive nan of good 0 in total; expected a positive finite amount");
  expect_failure(&t, (double[M]){1, 1, 1, INFINITY}, p,
                 "buyers receive inf of good 3 in total; expected a positive finite amount");
  double *rows = calloc((size_t)N * M, sizeof *rows); /* all for buyer 0 */
  for (int j = 0; j < M; j++) rows[j] = 1;
  wal_allocation *unfair;
  wal_measures out;
  ck_assert_int_eq(wal_allocation_dense(N, M, rows, &unfair), WAL_OK);
  ck_assert_int_eq(wal_measure(&t.market, unfair, p, &out), WAL_E_DIVERGED);
  ck_assert_str_eq(wal_error(), "the Nash gap is inf: some buyer's bundle is worth nothing to it");
  ck_assert(isnan(out.nash_gap) && isnan(out.lnw));
  wal_allocation_destroy(unfair);
  test_market_destroy(&t);
}
END_TEST

START_TEST(same_bits_for_any_thread_count) {
  enum { BIG = 5000 };
  test_market t = test_market_create(8, BIG, M, 0.5, 1);
  const double p[M] = {1, 2, 0.5, 1};
  wal_allocation *demand;
  wal_measures one, two;
  ck_assert_int_eq(wal_allocation_demand(&t.market, p, &demand), WAL_OK);
  wal_threads_set(1);
  ck_assert_int_eq(wal_measure(&t.market, demand, p, &one), WAL_OK);
  wal_threads_set(2);
  ck_assert_int_eq(wal_measure(&t.market, demand, p, &two), WAL_OK);
  ck_assert_mem_eq(&one, &two, sizeof one);
  wal_allocation_destroy(demand);
  test_market_destroy(&t);
}
END_TEST

/* Equal bundles, every good's supply worth the same (eq. 14): feasible by construction. */
START_TEST(naive_is_feasible) {
  test_market t = test_market_create(9, N, M, alphas[_i], 1);
  wal_solver_options options;
  wal_solver_defaults(&options);
  wal_solution s;
  wal_measures m;
  ck_assert_int_eq(wal_solver_find("naive")->solve(&t.market, &options, NULL, &s), WAL_OK);
  ck_assert_int_eq(wal_measure(&t.market, s.allocation, s.price, &m), WAL_OK);
  ck_assert_double_le(m.voa, 1e-14);
  ck_assert_double_le(m.vop, 1e-14);
  ck_assert_double_gt(m.nash_gap, 1e-3);
  double budget = 0; /* eq. 14 */
  for (int i = 0; i < N; i++) budget += t.budget[i];
  for (int j = 0; j < M; j++) ck_assert_double_eq_tol(s.price[j] * M * t.supply[j] / budget, 1, 1e-14);
  wal_solution_destroy(&s);
  test_market_destroy(&t);
}
END_TEST

int main(void) {
  Suite *s = suite_create("welfare");
  TCase *t = tcase_create("measures");
  tcase_add_loop_test(t, measures_are_their_definitions, 0, ALPHAS);
  tcase_add_loop_test(t, measures_are_the_functions_of_one_buyer, 0, ALPHAS);
  tcase_add_loop_test(t, demand_is_the_demand_of_one_buyer, 0, ALPHAS);
  tcase_add_loop_test(t, gap_is_never_negative, 0, ALPHAS);
  tcase_add_loop_test(t, gap_vanishes_at_the_equilibrium_and_grows_around_it, 0, ALPHAS);
  tcase_add_loop_test(t, violations_of_known_scalings, 0, ALPHAS);
  tcase_add_loop_test(t, gap_is_invariant, 0, ALPHAS);
  tcase_add_test(t, what_cannot_be_measured);
  tcase_add_test(t, same_bits_for_any_thread_count);
  tcase_add_loop_test(t, naive_is_feasible, 0, ALPHAS);
  suite_add_tcase(s, t);
  return run_suite(s);
}
