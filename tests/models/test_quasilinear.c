/* Quasilinear utilities, u_i = <v_i, x_i> + money left: the measures, and every solver that takes them. */
#include <string.h>

#include "models/common/parallel.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"
#include "tests/models/market_fixture.h"
#include "tests/suite.h"

/* ---- the measures ---- */

/* One good. At price p buyer i spends all of B_i where v_i > p, nothing where v_i < p. Values 2 and 1/2,
   budgets 1: at p = 1 the first buyer buys the good, the second keeps its money. */
START_TEST(one_good_by_hand) {
  double values[] = {2, 0.5}, budget[] = {1, 1}, supply[] = {1}, price[] = {1};
  wal_source *source;
  ck_assert_int_eq(wal_source_dense(2, 1, values, budget, &source), WAL_OK);
  const wal_market market = {
      .n = 2, .m = 1, .alpha = 1, .quasilinear = true, .buyers = source, .supply = supply};
  ck_assert_int_eq(wal_market_check(&market), WAL_OK);
  double *x = calloc(2, sizeof *x);
  x[0] = 1;
  wal_allocation *allocation;
  ck_assert_int_eq(wal_allocation_dense(2, 1, x, &allocation), WAL_OK);
  wal_measures q;
  ck_assert_int_eq(wal_measure(&market, allocation, price, &q), WAL_OK);
  ck_assert_double_eq_tol(q.lnw, (log(2) - 1) / 2, 1e-15); /* u = (2, 1), money left (0, 1) */
  ck_assert_double_eq_tol(q.lfw, (log(2) - 1) / 2, 1e-15);
  ck_assert_double_eq_tol(q.nash_gap, 0, 1e-15);
  ck_assert_double_eq_tol(q.vop, 0, 1e-15);
  ck_assert_double_eq_tol(q.wsw, 1.5, 1e-15);
  price[0] = 1.5; /* the dual moves by p - 1 + log(1/p) of a buyer */
  ck_assert_int_eq(wal_measure(&market, allocation, price, &q), WAL_OK);
  ck_assert_double_eq_tol(q.nash_gap, (0.5 - log(1.5)) / 2, 1e-15);
  ck_assert_double_eq_tol(q.vop, log(2.5 / 2), 1e-15);
  wal_allocation_destroy(allocation);
  wal_source_destroy(source);
}
END_TEST

/* The two programs as written in welfare.h, summed in long double; b and d are found by a search. */
static long double programs_gap(const test_market *t, const double *x, const double *p) {
  const int n = (int)t->market.n, m = t->market.m;
  long double gap = 0, total = 0;
  for (int j = 0; j < m; j++) gap += t->supply[j] * p[j];
  for (int i = 0; i < n; i++) {
    const double budget = t->budget[i], *v = t->values + i * m;
    long double worth = 0, pace = 1, best = -INFINITY;
    for (int j = 0; j < m; j++) {
      long double given = 0;
      for (int k = 0; k < n; k++) given += x[k * m + j];
      worth += v[j] * x[i * m + j] * t->supply[j] / given;
      pace = fminl(pace, p[j] / v[j]);
    }
    for (int k = 0; k <= 100000; k++) { /* d in [0, B]: the money left */
      const long double left = budget * (k / 100000.0L);
      best = fmaxl(best, budget * logl(worth + left) - left);
    }
    gap += budget * logl(budget / pace) - budget - best;
    total += budget;
  }
  return gap / total;
}

START_TEST(gap_of_any_pair_is_that_of_the_programs) {
  for (uint64_t seed = 0; seed < 10; seed++) {
    test_market t = test_market_create(seed, 5, 3, 1, 1);
    t.market.quasilinear = true;
    double *x = malloc(15 * sizeof *x), p[3];
    for (uint64_t k = 0; k < 15; k++) x[k] = wal_rng_exponential(seed, WAL_STREAM_TEST, 100 + k);
    for (uint64_t j = 0; j < 3; j++) p[j] = wal_rng_exponential(seed, WAL_STREAM_TEST, 200 + j);
    const double expected = (double)programs_gap(&t, x, p);
    wal_allocation *allocation;
    ck_assert_int_eq(wal_allocation_dense(5, 3, x, &allocation), WAL_OK);
    wal_measures q;
    ck_assert_int_eq(wal_measure(&t.market, allocation, p, &q), WAL_OK);
    ck_assert_double_eq_tol(q.nash_gap, expected, 1e-9 * fmax(1, expected));
    ck_assert_double_eq_tol(q.nash_gap, q.lfw - q.lnw, 1e-13 * fmax(1, fabs(q.lfw)));
    ck_assert_double_ge(q.nash_gap, 0);
    wal_allocation_destroy(allocation);
    test_market_destroy(&t);
  }
}
END_TEST

/* ---- every solver that takes them ---- */

static double tolerance(const wal_solver *solver) { return strcmp(solver->name, "pace") == 0 ? 1e-5 : 1e-9; }

static wal_solution solve_or_fail(const wal_solver *solver, const test_market *t) {
  wal_solver_options options;
  wal_solver_defaults(&options);
  options.block.tol = options.pr.tol = options.pace.tol = tolerance(solver);
  options.block.max_steps = options.pr.max_steps = 1000000;
  wal_solution s;
  ck_assert_msg(wal_solver_solve(solver, &t->market, &options, NULL, &s) == WAL_OK, "%s: %s", solver->name,
                wal_error());
  return s;
}

/* A market whose buyers have `wealth` times the usual budgets. */
static test_market wealthy(uint64_t seed, int n, int m, double wealth) {
  test_market t = test_market_create(seed, n, m, 1, 1);
  t.market.quasilinear = true;
  for (int i = 0; i < n; i++) t.budget[i] *= wealth;
  return t;
}

#define FOR_EVERY_TAKER(solver)                                                  \
  for (const wal_solver *const *at = wal_solvers, *solver; (solver = *at); at++) \
    if (solver->quasilinear)

/* The equilibrium conditions, from the answer alone. With b_i = min(1, min_j p_j/v_ij), w_i = <v_i, x_i> and
   d_i = max(0, B_i - w_i): x_ij > 0 only where p_j = b_i v_ij, d_i > 0 only where b_i = 1 (as sums of what is
   lost, which the gap bounds exactly), and b_i (w_i + d_i) = B_i. */
START_TEST(equilibrium_conditions_hold) {
  enum { N = 30, M = 4 };
  static const double wealth[] = {1e-3, 0.1, 1, 10, 1e3};
  FOR_EVERY_TAKER(solver) {
    test_market t = wealthy((uint64_t)_i, N, M, wealth[_i]);
    wal_solution s = solve_or_fail(solver, &t);
    double x[N * M];
    ck_assert_int_eq(s.allocation->ops->fill(s.allocation, 0, N, x), WAL_OK);
    long double lost = 0, money = 0, given[M] = {0};
    for (int i = 0; i < N; i++) {
      long double pace = 1, worth = 0;
      for (int j = 0; j < M; j++) {
        pace = fminl(pace, (long double)s.price[j] / t.values[i * M + j]);
        worth += (long double)t.values[i * M + j] * x[i * M + j];
        given[j] += x[i * M + j];
      }
      const long double left = fmaxl(0, t.budget[i] - worth);
      lost += (1 - pace) * left;
      for (int j = 0; j < M; j++) lost += x[i * M + j] * (s.price[j] - pace * t.values[i * M + j]);
      money += t.budget[i];
    }
    const double tol = tolerance(solver);
    ck_assert_msg(lost <= tol * money, "%s: %Lg lost of %Lg", solver->name, lost, money);
    ck_assert_double_ge((double)lost, -1e-13 * (double)money);
    for (int j = 0; j < M; j++) ck_assert_double_eq_tol((double)given[j] / t.supply[j], 1, 1e-12);
    ck_assert_double_le(s.certified_gap, tol);
    wal_measures q;
    ck_assert_int_eq(wal_measure(&t.market, s.allocation, s.price, &q), WAL_OK);
    ck_assert_double_le(q.vop, 30 * sqrt(tol));
    wal_solution_destroy(&s);
    test_market_destroy(&t);
  }
}
END_TEST

/* One good: at price p those with v_i > p spend everything and those with v_i = p what is needed, so p is the
   largest price at which the buyers with v_i >= p can pay for the supply. */
START_TEST(one_good_by_its_condition) {
  enum { N = 7 };
  test_market t = wealthy((uint64_t)_i, N, 1, 0.5);
  double lo = 0, hi = 1e6;
  for (int k = 0; k < 200; k++) {
    const double p = 0.5 * (lo + hi);
    double pay = 0;
    for (int i = 0; i < N; i++) pay += t.values[i] >= p ? t.budget[i] : 0;
    if (pay >= p * t.supply[0])
      lo = p;
    else
      hi = p;
  }
  FOR_EVERY_TAKER(solver) {
    wal_solution s = solve_or_fail(solver, &t);
    ck_assert_double_eq_tol(s.price[0] / lo, 1, 10 * sqrt(tolerance(solver)));
    wal_solution_destroy(&s);
  }
  test_market_destroy(&t);
}
END_TEST

/* Money without end: nobody is bound by a budget, every good costs what it is worth to who values it most. A
   price h above costs the dual Y_j h, which the gap bounds. */
START_TEST(rich_buyers_pay_the_highest_value) {
  enum { N = 6, M = 3 };
  test_market t = wealthy((uint64_t)_i, N, M, 1e4);
  double money = 0;
  for (int i = 0; i < N; i++) money += t.budget[i];
  FOR_EVERY_TAKER(solver) {
    wal_solution s = solve_or_fail(solver, &t);
    for (int j = 0; j < M; j++) {
      double highest = 0;
      for (int i = 0; i < N; i++) highest = fmax(highest, t.values[i * M + j]);
      ck_assert_double_eq_tol(s.price[j], highest, s.certified_gap * money / t.supply[j] + 1e-9 * highest);
    }
    wal_solution_destroy(&s);
  }
  test_market_destroy(&t);
}
END_TEST

/* Money too short: nobody keeps any, and the market is the linear one. */
START_TEST(poor_buyers_keep_nothing) {
  enum { N = 20, M = 3 };
  test_market t = wealthy((uint64_t)_i, N, M, 1e-4), plain = t;
  plain.market.quasilinear = false;
  wal_solver_options options;
  wal_solver_defaults(&options);
  wal_solution exact;
  ck_assert_int_eq(wal_solver_find("newton")->solve(&plain.market, &options, NULL, &exact), WAL_OK);
  FOR_EVERY_TAKER(solver) {
    wal_solution s = solve_or_fail(solver, &t);
    for (int j = 0; j < M; j++)
      ck_assert_double_eq_tol(s.price[j] / exact.price[j], 1, 10 * sqrt(tolerance(solver)));
    wal_solution_destroy(&s);
  }
  wal_solution_destroy(&exact);
  test_market_destroy(&t);
}
END_TEST

/* ---- two buyers, two goods, by brute force ---- */

static double dual(const test_market *t, double p0, double p1) {
  double value = t->supply[0] * p0 + t->supply[1] * p1;
  for (int i = 0; i < 2; i++) {
    const double *v = t->values + 2 * i, pace = fmin(1, fmin(p0 / v[0], p1 / v[1]));
    value += t->budget[i] * log(t->budget[i] / pace) - t->budget[i];
  }
  return value / (t->budget[0] + t->budget[1]);
}

/* min over p1 of the dual at p0, golden section in p1: the dual is convex in the prices. */
static double least_over_second(const test_market *t, double p0, double most) {
  double lo = 0, hi = most;
  for (int k = 0; k < 100; k++) {
    const double a = lo + 0.382 * (hi - lo), b = lo + 0.618 * (hi - lo);
    if (dual(t, p0, a) < dual(t, p0, b))
      hi = b;
    else
      lo = a;
  }
  return dual(t, p0, lo);
}

static double least_dual(const test_market *t) {
  double most = 0;
  for (int j = 0; j < 2; j++) most = fmax(most, (t->budget[0] + t->budget[1]) / t->supply[j]);
  double lo = 0, hi = most;
  for (int k = 0; k < 100; k++) {
    const double a = lo + 0.382 * (hi - lo), b = lo + 0.618 * (hi - lo);
    if (least_over_second(t, a, most) < least_over_second(t, b, most))
      hi = b;
    else
      lo = a;
  }
  return least_over_second(t, lo, most);
}

START_TEST(two_by_two_by_brute_force) {
  test_market t = wealthy((uint64_t)_i, 2, 2, 0.5);
  const double least = least_dual(&t);
  FOR_EVERY_TAKER(solver) {
    wal_solution s = solve_or_fail(solver, &t);
    wal_measures q;
    ck_assert_int_eq(wal_measure(&t.market, s.allocation, s.price, &q), WAL_OK);
    const double slack = tolerance(solver) + 1e-12; /* lnw <= the optimum <= lfw */
    ck_assert_double_eq_tol(q.lfw, least, slack);
    ck_assert_double_eq_tol(q.lnw, least, slack);
    wal_solution_destroy(&s);
  }
  test_market_destroy(&t);
}
END_TEST

/* Values of 0, equal buyers, equal goods, and a buyer for whom everything is too dear. */
START_TEST(zero_values_and_ties) {
  double values[] = {4, 0, 0, /**/ 0, 2, 2, /**/ 0, 2, 2, /**/ 0.5, 0.5, 0.5};
  double budget[] = {1, 8, 8, 3}, supply[] = {1, 1, 1}, expected[] = {1, 2, 2};
  test_market t = {.values = values, .budget = budget, .supply = supply};
  ck_assert_int_eq(wal_source_dense(4, 3, values, budget, &t.source), WAL_OK);
  t.market =
      (wal_market){.n = 4, .m = 3, .alpha = 1, .quasilinear = true, .buyers = t.source, .supply = supply};
  FOR_EVERY_TAKER(solver) {
    wal_solution s = solve_or_fail(solver, &t);
    double x[12];
    for (int j = 0; j < 3; j++)
      ck_assert_double_eq_tol(s.price[j], expected[j], 10 * sqrt(tolerance(solver)));
    ck_assert_int_eq(s.allocation->ops->fill(s.allocation, 0, 4, x), WAL_OK);
    for (int k = 0; k < 9; k++)
      if (values[k] == 0) ck_assert_double_eq(x[k], 0);
    for (int j = 0; j < 3; j++) ck_assert_double_le(x[9 + j], 20 * tolerance(solver));
    wal_solution_destroy(&s);
  }
  wal_source_destroy(t.source);
}
END_TEST

START_TEST(same_bits_for_any_threads) {
  test_market t = wealthy(8, 3000, 4, 0.3);
  const int threads = wal_threads();
  wal_solver_options options;
  wal_solver_defaults(&options);
  options.block.tol = options.pr.tol = options.pace.tol = 1e-3;
  FOR_EVERY_TAKER(solver) {
    wal_solution s[2];
    for (int k = 0; k < 2; k++) {
      wal_threads_set(1 + 2 * k);
      ck_assert_int_eq(wal_solver_solve(solver, &t.market, &options, NULL, &s[k]), WAL_OK);
    }
    wal_threads_set(threads);
    ck_assert_mem_eq(s[0].price, s[1].price, 4 * sizeof *s[0].price);
    ck_assert_mem_eq(&s[0].certified_gap, &s[1].certified_gap, sizeof s[0].certified_gap);
    wal_solution_destroy(&s[0]);
    wal_solution_destroy(&s[1]);
  }
  test_market_destroy(&t);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("quasilinear");
  TCase *measures = tcase_create("measures");
  tcase_add_test(measures, one_good_by_hand);
  tcase_add_test(measures, gap_of_any_pair_is_that_of_the_programs);
  suite_add_tcase(suite, measures);
  TCase *answers = tcase_create("answers");
  tcase_set_timeout(answers, 60);
  tcase_add_loop_test(answers, equilibrium_conditions_hold, 0, 5);
  tcase_add_loop_test(answers, one_good_by_its_condition, 0, 5);
  tcase_add_loop_test(answers, rich_buyers_pay_the_highest_value, 0, 3);
  tcase_add_loop_test(answers, poor_buyers_keep_nothing, 0, 2);
  tcase_add_loop_test(answers, two_by_two_by_brute_force, 0, 10);
  tcase_add_test(answers, zero_values_and_ties);
  tcase_add_test(answers, same_bits_for_any_threads);
  suite_add_tcase(suite, answers);
  return run_suite(suite);
}
