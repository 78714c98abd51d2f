#include <string.h>

#include "models/common/parallel.h"
#include "models/market/contexts.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"
#include "tests/models/market_fixture.h"
#include "tests/suite.h"

enum { N = 40, M = 5 };
static const double alphas[] = {0.99, 0.9, 0.5, 0.25, 0, -1, -4, -100};
enum { ALPHAS = sizeof alphas / sizeof *alphas };

static wal_status solve(const wal_market *market, const wal_solver_options *options, wal_solution *s) {
  wal_solver_options defaults;
  wal_solver_defaults(&defaults);
  return wal_solver_find("newton")->solve(market, options ? options : &defaults, NULL, s);
}

static wal_solution solve_or_fail(const wal_market *market) {
  wal_solution s;
  ck_assert_msg(solve(market, NULL, &s) == WAL_OK, "%s", wal_error());
  return s;
}

/* What buyers spend on each good at p (eqs. 21-24, 27-28), in long double, without log-sum-exps. */
static void spending(const test_market *t, const long double *p, long double *spent) {
  const double alpha = t->market.alpha;
  for (int j = 0; j < t->market.m; j++) spent[j] = 0;
  for (int64_t i = 0; i < t->market.n; i++) {
    const double *v = t->values + i * t->market.m;
    long double share[M], total = 0;
    for (int j = 0; j < t->market.m; j++) {
      share[j] = alpha == 0 ? v[j] : expl(alpha / (1 - (long double)alpha) * logl(v[j] / p[j]));
      total += share[j];
    }
    for (int j = 0; j < t->market.m; j++) spent[j] += t->budget[i] * share[j] / total;
  }
}

/* The equilibrium conditions recomputed from the prices alone: demand is supply. */
START_TEST(demand_meets_supply) {
  for (uint64_t seed = 0; seed < 10; seed++) {
    test_market t = test_market_create(seed, N, M, alphas[_i], 1);
    wal_solution s = solve_or_fail(&t.market);
    long double p[M], spent[M];
    for (int j = 0; j < M; j++) p[j] = s.price[j];
    spending(&t, p, spent);
    for (int j = 0; j < M; j++) ck_assert_double_eq_tol((double)(spent[j] / (t.supply[j] * p[j])), 1, 1e-9);
    wal_measures m;
    ck_assert_int_eq(wal_measure(&t.market, s.allocation, s.price, &m), WAL_OK);
    ck_assert_double_le(fabs(m.nash_gap), 1e-12);
    ck_assert_double_le(s.certified_gap, 1e-12);
    ck_assert_double_le(m.voa, 1e-9);
    ck_assert_double_le(m.vop, 1e-14);
    wal_solution_destroy(&s);
    test_market_destroy(&t);
  }
}
END_TEST

/* A second method: damped tatonnement in log prices, thousands of plain steps. */
START_TEST(tatonnement_finds_the_same_prices) {
  test_market t = test_market_create(50, N, M, alphas[_i], 1);
  wal_solution s = solve_or_fail(&t.market);
  const double r = alphas[_i] / (1 - alphas[_i]), damping = 1 / (1 + fmax(r, 0));
  long double p[M], spent[M];
  for (int j = 0; j < M; j++) p[j] = 1;
  for (int k = 0; k < 5000; k++) {
    spending(&t, p, spent);
    for (int j = 0; j < M; j++) p[j] *= powl(spent[j] / (t.supply[j] * p[j]), damping);
  }
  for (int j = 0; j < M; j++) ck_assert_double_eq_tol(s.price[j] / (double)p[j], 1, 1e-9);
  wal_solution_destroy(&s);
  test_market_destroy(&t);
}
END_TEST

/* A third for substitutes: proportional response, which moves bids and never computes a demand. */
START_TEST(proportional_response_finds_the_same_prices) {
  const double alpha = _i == 0 ? 0.5 : 0.25;
  test_market t = test_market_create(51, N, M, alpha, 1);
  wal_solution s = solve_or_fail(&t.market);
  long double bid[N][M], p[M];
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++) bid[i][j] = t.budget[i] / M;
  for (int k = 0; k < 2000; k++) {
    for (int j = 0; j < M; j++) {
      p[j] = 0;
      for (int i = 0; i < N; i++) p[j] += bid[i][j] / t.supply[j];
    }
    for (int i = 0; i < N; i++) {
      long double total = 0;
      for (int j = 0; j < M; j++) total += bid[i][j] = powl(t.values[i * M + j] * bid[i][j] / p[j], alpha);
      for (int j = 0; j < M; j++) bid[i][j] *= t.budget[i] / total;
    }
  }
  for (int j = 0; j < M; j++) ck_assert_double_eq_tol(s.price[j] / (double)p[j], 1, 1e-9);
  wal_solution_destroy(&s);
  test_market_destroy(&t);
}
END_TEST

START_TEST(cobb_douglas_closed_form) {
  test_market t = test_market_create(52, N, M, 0, 2);
  wal_solution s = solve_or_fail(&t.market);
  for (int j = 0; j < M; j++) {
    double spent = 0;
    for (int i = 0; i < N; i++) {
      double total = 0;
      for (int k = 0; k < M; k++) total += t.values[i * M + k];
      spent += t.budget[i] * t.values[i * M + j] / total;
    }
    ck_assert_double_eq_tol(s.price[j], spent / t.supply[j], 1e-13 * s.price[j]);
  }
  wal_solution_destroy(&s);
  test_market_destroy(&t);
}
END_TEST

/* Buyer 2 is indifferent, which fixes p1/p2 = 2; buyer 1 takes good 1 only: p = (8/3, 4/3). */
START_TEST(linear_by_hand) {
  const double values[4] = {3, 1, 2, 1}, budget[2] = {1, 3}, supply[2] = {1, 1};
  wal_source *source;
  ck_assert_int_eq(wal_source_dense(2, 2, values, budget, &source), WAL_OK);
  const wal_market market = {.n = 2, .m = 2, .alpha = 1, .buyers = source, .supply = supply};
  wal_solution s = solve_or_fail(&market);
  ck_assert_double_eq_tol(s.price[0], 8.0 / 3, 1e-4);
  ck_assert_double_eq_tol(s.price[1], 4.0 / 3, 1e-4);
  double x[4];
  ck_assert_int_eq(s.allocation->ops->fill(s.allocation, 0, 2, x), WAL_OK);
  ck_assert_double_eq_tol(x[0], 3.0 / 8, 1e-4);
  ck_assert_double_eq_tol(x[1], 0, 1e-4);
  ck_assert_double_eq_tol(x[3], 1, 1e-4);
  wal_solution_destroy(&s);
  wal_source_destroy(source);
}
END_TEST

/* Linear: what buyers hold is nearly all best buys, and clears. The accuracy is stated by certified_gap. */
START_TEST(linear_markets) {
  for (uint64_t seed = 0; seed < 5; seed++) {
    test_market t = test_market_create(60 + seed, 3000, M, 1, 1);
    wal_solution s = solve_or_fail(&t.market);
    wal_measures m;
    ck_assert_int_eq(wal_measure(&t.market, s.allocation, s.price, &m), WAL_OK);
    ck_assert_double_le(m.nash_gap, 1e-9);
    ck_assert_double_le(m.nash_gap, s.certified_gap * (1 + 1e-6) + 1e-14);
    ck_assert_double_le(m.voa, 1e-8);
    ck_assert_double_le(m.vop, 1e-13);
    wal_solution_destroy(&s);
    test_market_destroy(&t);
  }
}
END_TEST

/* Few buyers: nearly all are tied between goods, and prices stand or fall with each of them. Nearly linear
   utilities take the same road. */
START_TEST(few_linear_buyers) {
  static const int buyers[] = {1, 2, 3, 50, 500};
  for (int k = 0; k < 5; k++)
    for (uint64_t seed = 1; seed <= 3; seed++) {
      wal_context_market market;
      ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_UNIFORM, seed, buyers[k], 7, 5,
                                                 _i == 0 ? 1 : 0.999999, &market),
                       WAL_OK);
      wal_solution s = solve_or_fail(&market.market);
      wal_measures m;
      ck_assert_int_eq(wal_measure(&market.market, s.allocation, s.price, &m), WAL_OK);
      ck_assert_double_le(fabs(m.nash_gap), 1e-9);
      ck_assert_double_le(m.nash_gap, s.certified_gap + 1e-10); /* shares at power 1e6 have lost six digits */
      wal_solution_destroy(&s);
      wal_context_market_destroy(&market);
    }
}
END_TEST

/* z_j = sum_i B_i (1/v_ij) / sum_k p_k/v_ik, the Leontief demand, in long double. */
static void leontief_demand(const test_market *t, const long double *p, long double *z) {
  for (int j = 0; j < M; j++) z[j] = 0;
  for (int64_t i = 0; i < t->market.n; i++) {
    long double cost = 0;
    for (int j = 0; j < M; j++) cost += p[j] / t->values[i * M + j];
    for (int j = 0; j < M; j++) z[j] += t->budget[i] / t->values[i * M + j] / cost;
  }
}

/* Complementarity from the prices alone; and the multiplicative update p z/Y, an EM algorithm, tends there
 * too. */
START_TEST(leontief_markets) {
  int zeros = 0;
  for (uint64_t seed = 0; seed < 10; seed++) {
    test_market t = test_market_create(70 + seed, N, M, -INFINITY, 0.5);
    wal_solution s = solve_or_fail(&t.market);
    long double p[M], z[M];
    for (int j = 0; j < M; j++) p[j] = s.price[j];
    leontief_demand(&t, p, z);
    for (int j = 0; j < M; j++) {
      ck_assert_double_ge(s.price[j], 0);
      ck_assert_double_le((double)z[j] / t.supply[j], 1 + 1e-9);
      if (p[j] > 0) ck_assert_double_eq_tol((double)z[j] / t.supply[j], 1, 1e-5);
      zeros += p[j] == 0;
    }
    wal_measures m;
    ck_assert_int_eq(wal_measure(&t.market, s.allocation, s.price, &m), WAL_OK);
    ck_assert_double_le(m.nash_gap, 1e-11);
    ck_assert_double_le(m.voa, 1e-13); /* what nobody needs at price 0 is given away */
    for (int j = 0; j < M; j++) p[j] = 1;
    for (int k = 0; k < 20000; k++) {
      leontief_demand(&t, p, z);
      for (int j = 0; j < M; j++) p[j] *= z[j] / t.supply[j];
    }
    double worth = 0;
    for (int j = 0; j < M; j++) worth += s.price[j] * t.supply[j];
    for (int j = 0; j < M; j++)
      ck_assert_double_eq_tol(s.price[j] * t.supply[j] / worth, (double)p[j] * t.supply[j] / worth, 1e-3);
    wal_solution_destroy(&s);
    test_market_destroy(&t);
  }
  ck_assert_int_gt(zeros, 0); /* the case is exercised */
}
END_TEST

START_TEST(degenerate_markets) {
  const double all[] = {1, 0.9, 0.5, 0, -1, -INFINITY};
  const int sizes[][2] = {{1, 1}, {1, 4}, {7, 1}, {2, 5}};
  for (int a = 0; a < 6; a++)
    for (int k = 0; k < 4; k++) {
      test_market t = test_market_create(80, sizes[k][0], sizes[k][1], all[a], 1);
      wal_solution s = solve_or_fail(&t.market);
      wal_measures m;
      ck_assert_msg(wal_measure(&t.market, s.allocation, s.price, &m) == WAL_OK, "%s", wal_error());
      ck_assert_double_le(fabs(m.nash_gap), 1e-11);
      wal_solution_destroy(&s);
      test_market_destroy(&t);
    }
}
END_TEST

/* Goods that some buyers do not value, and values over 24 orders of magnitude. */
START_TEST(zeros_and_wide_values) {
  test_market t = test_market_create(81, N, M, _i == 0 ? 0.5 : 0.7, 1);
  for (int i = 0; i < N; i++) t.values[i * M + i % M] = 0;
  wal_solution s = solve_or_fail(&t.market);
  ck_assert_double_le(s.certified_gap, 1e-12);
  wal_solution_destroy(&s);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++) t.values[i * M + j] *= pow(10, 6 * (j - 2)) * (1 + 1e-6);
  s = solve_or_fail(&t.market);
  wal_measures m;
  ck_assert_int_eq(wal_measure(&t.market, s.allocation, s.price, &m), WAL_OK);
  ck_assert_double_le(fabs(m.nash_gap), 1e-12);
  wal_solution_destroy(&s);
  test_market_destroy(&t);
}
END_TEST

/* Contextual markets large enough for the start from the first buyers; the same bits for any thread count. */
START_TEST(threads_do_not_change_bits) {
  const double all[] = {0.5, 0.7, 0, 1, -INFINITY};
  wal_context_market market;
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, 3, 40000, 4, 5, all[_i], &market), WAL_OK);
  wal_threads_set(1);
  wal_solution one = solve_or_fail(&market.market);
  wal_threads_set(3);
  wal_solution three = solve_or_fail(&market.market);
  ck_assert_mem_eq(one.price, three.price, 4 * sizeof(double));
  ck_assert_int_eq(one.iterations, three.iterations);
  wal_measures m;
  ck_assert_int_eq(wal_measure(&market.market, one.allocation, one.price, &m), WAL_OK);
  ck_assert_double_le(fabs(m.nash_gap), 1.1e-12);
  wal_solution_destroy(&one);
  wal_solution_destroy(&three);
  wal_context_market_destroy(&market);
}
END_TEST

typedef struct {
  int rows;
  double first_gap, last_gap;
} seen;

static void count_row(void *context, int count, const char *const names[], const double values[]) {
  seen *s = context;
  s->rows++;
  for (int k = 0; k < count; k++)
    if (strcmp(names[k], "gap") == 0) {
      if (s->rows == 1) s->first_gap = values[k];
      s->last_gap = values[k];
    }
}

/* A loose tolerance stops early; the certificate still bounds the gap of what is returned. */
START_TEST(certificates_are_upper_bounds) {
  for (int k = 0; k < ALPHAS; k++)
    for (double tol = 1e-1; tol > 1e-10; tol *= 1e-2) {
      test_market t = test_market_create(90, N, M, alphas[k], 1);
      wal_solver_options options;
      wal_solver_defaults(&options);
      options.newton.tol = tol;
      wal_solution s;
      wal_measures m;
      ck_assert_int_eq(solve(&t.market, &options, &s), WAL_OK);
      ck_assert_int_eq(wal_measure(&t.market, s.allocation, s.price, &m), WAL_OK);
      ck_assert_double_le(s.certified_gap, tol);
      ck_assert_double_le(m.nash_gap, s.certified_gap + 1e-14);
      wal_solution_destroy(&s);
      test_market_destroy(&t);
    }
}
END_TEST

/* The certificate at the start, p_j ~ 1/Y_j, against the measured gap of those prices and their demand: never
   below it, and above by no more than twice the series' rest, D^3 / (3 |alpha| (1 - D)). */
START_TEST(certificate_is_the_gap) {
  enum { MANY = 1000 };
  int compared = 0;
  static const double some[] = {0.5, 0.3, 0.2, -0.2, -0.4};
  for (uint64_t seed = 0; seed < 20; seed++) {
    const double alpha = some[seed % 5];
    test_market t = test_market_create(seed, MANY, M, alpha, 2);
    for (int j = 0; j < M; j++)
      t.supply[j] = 2; /* nearly in equilibrium at equal prices: shares differ, their sums do not */
    wal_solver_options options;
    wal_solver_defaults(&options);
    options.newton.tol = 1;
    seen rows = {0, 0, 0};
    const wal_trace trace = {.context = &rows, .row = count_row};
    wal_solution s;
    ck_assert_int_eq(wal_solver_find("newton")->solve(&t.market, &options, &trace, &s), WAL_OK);
    long double p[M], spent[M], budget = 0;
    double price[M], largest = 0;
    for (int64_t i = 0; i < MANY; i++) budget += t.budget[i];
    for (int j = 0; j < M; j++) p[j] = price[j] = (double)budget / (M * t.supply[j]);
    spending(&t, p, spent);
    for (int j = 0; j < M; j++)
      largest = fmax(largest, fabs(pow((double)(t.supply[j] * p[j] / spent[j]), alpha) - 1));
    wal_allocation *demand;
    wal_measures m;
    ck_assert_int_eq(wal_allocation_demand(&t.market, price, &demand), WAL_OK);
    ck_assert_int_eq(wal_measure(&t.market, demand, price, &m), WAL_OK);
    const double rest = largest * largest * largest / (3 * fabs(alpha) * (1 - largest));
    if (largest < 0.2) { /* from 0.5 on it says infinity */
      ck_assert_double_ge(rows.first_gap, m.nash_gap);
      ck_assert_double_le(rows.first_gap, m.nash_gap + 2 * rest);
      compared++;
    }
    wal_allocation_destroy(demand);
    wal_solution_destroy(&s);
    test_market_destroy(&t);
  }
  ck_assert_int_ge(compared, 10);
}
END_TEST

START_TEST(too_few_steps_fail_with_their_trace) {
  test_market t = test_market_create(73, N, M, _i == 0 ? -1 : -INFINITY, 0.5);
  wal_solver_options options;
  wal_solver_defaults(&options);
  options.newton.max_steps = 1;
  if (_i == 1) options.newton.tol = -1; /* Leontief may be done in one step */
  seen rows = {0, 0, 0};
  const wal_trace trace = {.context = &rows, .row = count_row};
  wal_solution s;
  ck_assert_int_eq(wal_solver_find("newton")->solve(&t.market, &options, &trace, &s), WAL_E_DIVERGED);
  ck_assert_ptr_nonnull(strstr(wal_error(), "newton.max_steps"));
  ck_assert_int_ge(rows.rows, 1);
  ck_assert(isfinite(rows.last_gap) || _i == 0);
  ck_assert_ptr_null(s.price);
  ck_assert_ptr_null(s.allocation);
  wal_solution_destroy(&s);
  test_market_destroy(&t);
}
END_TEST

/* Begun at the answer it is there; begun anywhere it ends there; 0 is no price. */
START_TEST(given_prices_to_begin_at) {
  test_market t = test_market_create(3, N, M, 0.5, 1);
  wal_solution cold = solve_or_fail(&t.market), warm;
  wal_solver_options options;
  wal_solver_defaults(&options);
  double p[M];
  for (int j = 0; j < M; j++) p[j] = 7 * cold.price[j]; /* the common factor does not count */
  options.newton.start = p;
  ck_assert_int_eq(solve(&t.market, &options, &warm), WAL_OK);
  ck_assert_int_le(warm.iterations, 1);
  wal_solution_destroy(&warm);
  for (int j = 0; j < M; j++) p[j] = 1 + j;
  ck_assert_int_eq(solve(&t.market, &options, &warm), WAL_OK);
  for (int j = 0; j < M; j++) ck_assert_double_eq_tol(warm.price[j] / cold.price[j], 1, 1e-7);
  wal_solution_destroy(&warm);
  p[2] = 0;
  ck_assert_int_eq(solve(&t.market, &options, &warm), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(), "newton.start[2] is 0; expected prices above 0");
  wal_solution_destroy(&cold);
  test_market_destroy(&t);
}
END_TEST

/* In float32: the double prices to 1e-7 (alpha >= 0), a gap of no more than 1e-12 by the measures, which are
   in double; the same bits for any number of threads. */
START_TEST(single_finds_the_double_prices) {
  const double all[] = {0.9, 0.5, 0, -1, -4};
  const int64_t sizes[] = {1, 7, 3001, 40001};
  wal_solver_options options;
  wal_solver_defaults(&options);
  for (int law = 0; law < 3; law++)
    for (int k = 0; k < 4; k++) {
      wal_context_market market;
      ck_assert_int_eq(wal_context_market_create(law, 4, sizes[k], M, 5, all[_i], &market), WAL_OK);
      const wal_solution whole = solve_or_fail(&market.market);
      wal_solution one, three;
      options.newton.single = true;
      wal_threads_set(1);
      ck_assert_msg(solve(&market.market, &options, &one) == WAL_OK, "%s", wal_error());
      wal_threads_set(3);
      ck_assert_msg(solve(&market.market, &options, &three) == WAL_OK, "%s", wal_error());
      ck_assert_mem_eq(one.price, three.price, M * sizeof(double));
      /* few roundings do not average out, and prices are 1 - alpha times as sensitive as shares */
      const double tol = (sizes[k] < 3000 ? 3e-6 : 1e-7) * (1 - fmin(all[_i], 0));
      for (int j = 0; j < M; j++) ck_assert_double_eq_tol(one.price[j] / whole.price[j], 1, tol);
      wal_measures measures;
      ck_assert_int_eq(wal_measure(&market.market, one.allocation, one.price, &measures), WAL_OK);
      ck_assert_double_le(fabs(measures.nash_gap), 1e-12);
      ck_assert_double_le(one.certified_gap, 1e-12);
      wal_solution_destroy((wal_solution *)&whole);
      wal_solution_destroy(&one);
      wal_solution_destroy(&three);
      wal_context_market_destroy(&market);
    }
}
END_TEST

/* A tolerance below what float32 can show is not an endless search; linear and Leontief utilities are
 * refused. */
START_TEST(limits_of_single) {
  wal_solver_options options;
  wal_solver_defaults(&options);
  options.newton.single = true;
  options.newton.tol = 1e-30;
  test_market t = test_market_create(91, 3000, M, 0.5, 1);
  wal_solution s;
  ck_assert_msg(solve(&t.market, &options, &s) == WAL_OK, "%s", wal_error());
  ck_assert_double_le(s.certified_gap, 1e-13);
  wal_solution_destroy(&s);
  for (int k = 0; k < 2; k++) {
    t.market.alpha = k == 0 ? 1 : -INFINITY;
    ck_assert_int_eq(solve(&t.market, &options, &s), WAL_E_UNSUPPORTED);
    ck_assert_ptr_null(s.price);
  }
  test_market_destroy(&t);
}
END_TEST

START_TEST(names_are_found) {
  ck_assert_ptr_null(wal_solver_find("oracle"));
  for (const wal_solver *const *s = wal_solvers; *s; s++) {
    ck_assert_ptr_eq(wal_solver_find((*s)->name), *s);
    ck_assert((*s)->title[0] && (*s)->source[0] && (*s)->alpha[0] && (*s)->sizes[0] && (*s)->seam);
  }
}
END_TEST

int main(void) {
  Suite *s = suite_create("newton");
  TCase *t = tcase_create("exact");
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, demand_meets_supply, 0, ALPHAS);
  tcase_add_loop_test(t, tatonnement_finds_the_same_prices, 0, ALPHAS);
  tcase_add_loop_test(t, proportional_response_finds_the_same_prices, 0, 2);
  tcase_add_test(t, cobb_douglas_closed_form);
  tcase_add_test(t, linear_by_hand);
  tcase_add_test(t, linear_markets);
  tcase_add_loop_test(t, few_linear_buyers, 0, 2);
  tcase_add_test(t, leontief_markets);
  tcase_add_test(t, degenerate_markets);
  tcase_add_loop_test(t, zeros_and_wide_values, 0, 2);
  tcase_add_loop_test(t, threads_do_not_change_bits, 0, 5);
  tcase_add_test(t, certificates_are_upper_bounds);
  tcase_add_test(t, certificate_is_the_gap);
  tcase_add_loop_test(t, too_few_steps_fail_with_their_trace, 0, 2);
  tcase_add_test(t, given_prices_to_begin_at);
  tcase_add_loop_test(t, single_finds_the_double_prices, 0, 5);
  tcase_add_test(t, limits_of_single);
  tcase_add_test(t, names_are_found);
  suite_add_tcase(s, t);
  return run_suite(s);
}
