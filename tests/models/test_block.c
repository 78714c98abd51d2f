/* Block-coordinate proportional response. */
#include <string.h>

#include "models/common/parallel.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"
#include "tests/models/market_fixture.h"
#include "tests/suite.h"

enum { N = 40, M = 5 };

static wal_solver_options options_of(int block, double tol) {
  wal_solver_options options;
  wal_solver_defaults(&options);
  options.block.block = block;
  options.block.tol = tol;
  return options;
}

static wal_solution solve_or_fail(const wal_market *market, int block, double tol) {
  const wal_solver_options options = options_of(block, tol);
  wal_solution s;
  ck_assert_msg(wal_solver_solve(wal_solver_find("block"), market, &options, NULL, &s) == WAL_OK, "%s",
                wal_error());
  ck_assert_double_le(s.certified_gap, tol);
  return s;
}

/* ---- against the exact solver ---- */

static const double alphas[] = {0.9, 0.5, 0.25, 0, -0.5, -1, -4};
enum { ALPHAS = sizeof alphas / sizeof *alphas };

START_TEST(prices_are_newtons) {
  test_market t = test_market_create((uint64_t)_i, N, M, alphas[_i], 1);
  wal_solver_options options;
  wal_solver_defaults(&options);
  wal_solution exact;
  ck_assert_int_eq(wal_solver_find("newton")->solve(&t.market, &options, NULL, &exact), WAL_OK);
  const int blocks[] = {0, 1, 7, N};
  for (int k = 0; k < 4; k++) {
    wal_solution s = solve_or_fail(&t.market, blocks[k], 1e-13);
    for (int j = 0; j < M; j++) ck_assert_double_eq_tol(s.price[j] / exact.price[j], 1, 1e-4);
    wal_measures q;
    ck_assert_int_eq(wal_measure(&t.market, s.allocation, s.price, &q), WAL_OK);
    ck_assert_double_le(q.nash_gap, 1e-13);
    ck_assert_double_le(q.voa, 1e-13); /* what is bid is the price times what is received */
    ck_assert_double_le(q.vop, 1e-13);
    wal_solution_destroy(&s);
  }
  wal_solution_destroy(&exact);
  test_market_destroy(&t);
}
END_TEST

START_TEST(linear_prices_are_newtons) {
  test_market t = test_market_create(100 + (uint64_t)_i, N, M, 1, 1);
  wal_solver_options options;
  wal_solver_defaults(&options);
  wal_solution exact;
  ck_assert_int_eq(wal_solver_find("newton")->solve(&t.market, &options, NULL, &exact), WAL_OK);
  wal_solution s = solve_or_fail(&t.market, 0, 1e-8);
  for (int j = 0; j < M; j++) ck_assert_double_eq_tol(s.price[j] / exact.price[j], 1, 1e-3);
  /* complementary slackness of the answer: money on goods d below the best buy in log v/p is an average loss
     of d, which the gap bounds */
  double x[N * M], loss = 0, total = 0;
  ck_assert_int_eq(s.allocation->ops->fill(s.allocation, 0, N, x), WAL_OK);
  for (int i = 0; i < N; i++) {
    double best = 0;
    for (int j = 0; j < M; j++) best = fmax(best, t.values[i * M + j] / s.price[j]);
    for (int j = 0; j < M; j++)
      loss += s.price[j] * x[i * M + j] * (1 - t.values[i * M + j] / (s.price[j] * best));
    total += t.budget[i];
  }
  ck_assert_double_ge(loss, 0);
  ck_assert_double_le(loss / total, 1e-8);
  wal_solution_destroy(&s);
  wal_solution_destroy(&exact);
  test_market_destroy(&t);
}
END_TEST

/* ---- closed forms ---- */

START_TEST(two_buyers_one_good) {
  double values[] = {3, 0.2}, budget[] = {1, 2}, supply[] = {4};
  wal_source *source;
  ck_assert_int_eq(wal_source_dense(2, 1, values, budget, &source), WAL_OK);
  for (int k = 0; k < 3; k++) {
    const wal_market market = {
        .n = 2, .m = 1, .alpha = (double[]){1, 0.5, -1}[k], .buyers = source, .supply = supply};
    wal_solution s = solve_or_fail(&market, 1, 1e-15);
    double x[2];
    ck_assert_int_eq(s.allocation->ops->fill(s.allocation, 0, 2, x), WAL_OK);
    ck_assert_double_eq_tol(s.price[0], 0.75, 1e-15);
    ck_assert_double_eq_tol(x[0], 4.0 / 3, 1e-15);
    ck_assert_double_eq_tol(x[1], 8.0 / 3, 1e-15);
    wal_solution_destroy(&s);
  }
  wal_source_destroy(source);
}
END_TEST

/* Buyer 2 is indifferent, which fixes p1/p2 = 2; buyer 1 takes good 1 only: p = (8/3, 4/3). */
START_TEST(linear_by_hand) {
  const double values[4] = {3, 1, 2, 1}, budget[2] = {1, 3}, supply[2] = {1, 1};
  wal_source *source;
  ck_assert_int_eq(wal_source_dense(2, 2, values, budget, &source), WAL_OK);
  const wal_market market = {.n = 2, .m = 2, .alpha = 1, .buyers = source, .supply = supply};
  wal_solution s = solve_or_fail(&market, 1, 1e-12);
  double x[4];
  ck_assert_int_eq(s.allocation->ops->fill(s.allocation, 0, 2, x), WAL_OK);
  ck_assert_double_eq_tol(s.price[0], 8.0 / 3, 1e-5);
  ck_assert_double_eq_tol(s.price[1], 4.0 / 3, 1e-5);
  ck_assert_double_eq_tol(x[0], 3.0 / 8, 1e-5);
  ck_assert_double_eq_tol(x[1], 0, 1e-5);
  ck_assert_double_eq_tol(x[3], 1, 1e-5);
  wal_solution_destroy(&s);
  wal_source_destroy(source);
}
END_TEST

/* Buyers who want one good each, buyers who are the same twice, goods that are the same twice. */
START_TEST(zero_values_and_ties) {
  const double values[] = {1, 0, 0, 0, /**/ 0, 2, 2, 0, /**/ 0, 2, 2, 0, /**/ 0, 0, 0, 1e-30};
  const double budget[] = {1, 2, 2, 5}, supply[] = {1, 1, 1, 2}, expected[] = {1, 2, 2, 2.5};
  wal_source *source;
  ck_assert_int_eq(wal_source_dense(4, 4, values, budget, &source), WAL_OK);
  const wal_market market = {.n = 4, .m = 4, .alpha = 1, .buyers = source, .supply = supply};
  wal_solution s = solve_or_fail(&market, 2, 1e-13);
  for (int j = 0; j < 4; j++) ck_assert_double_eq_tol(s.price[j], expected[j], 1e-6);
  double x[16];
  ck_assert_int_eq(s.allocation->ops->fill(s.allocation, 0, 4, x), WAL_OK);
  for (int k = 0; k < 16; k++)
    if (values[k] == 0) ck_assert_double_eq(x[k], 0);
  wal_solution_destroy(&s);
  wal_source_destroy(source);
}
END_TEST

START_TEST(goods_nobody_wants_are_refused) {
  const double values[] = {1, 0, 2, 0}, supply[] = {1, 1};
  wal_source *source;
  ck_assert_int_eq(wal_source_dense(2, 2, values, NULL, &source), WAL_OK);
  const wal_market market = {.n = 2, .m = 2, .alpha = 1, .buyers = source, .supply = supply};
  const wal_solver_options options = options_of(1, 1e-8);
  wal_solution s;
  ck_assert_int_eq(wal_solver_find("block")->solve(&market, &options, NULL, &s), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), "good 1"));
  ck_assert_ptr_null(s.price);
  wal_source_destroy(source);
}
END_TEST

/* ---- the method ---- */

typedef struct {
  const test_market *market;
  int passes;
  long double f[64];   /* objective after each pass */
  double price[64][M]; /* and prices */
} history;

/* f of block.c, or -f for alpha < 0, at bids b_ij = p_j x_ij. */
static long double objective(const test_market *t, const double *x, const double *p) {
  const long double alpha = t->market.alpha, r = alpha / (1 - alpha);
  long double f = 0;
  for (int j = 0; j < t->market.m; j++) {
    const long double spent = (long double)p[j] * t->supply[j];
    f += spent * logl(spent);
    for (int i = 0; i < t->market.n; i++) {
      const long double bid = (long double)x[i * t->market.m + j] * p[j];
      f -= bid * logl((long double)t->values[i * t->market.m + j] * t->supply[j]);
      if (alpha < 1 && bid > 0) f += bid * logl(bid) / r;
    }
  }
  return alpha < 0 ? -f : f;
}

static void record(void *context, int64_t pass, const wal_allocation *allocation, const double *price) {
  history *h = context;
  double x[N * M];
  if (pass > 64) return;
  ck_assert_int_eq(allocation->ops->fill(allocation, 0, N, x), WAL_OK);
  h->f[pass - 1] = objective(h->market, x, price);
  memcpy(h->price[pass - 1], price, (size_t)h->market->market.m * sizeof *price);
  h->passes = (int)pass;
}

static history run_passes(const test_market *t, int block, int passes) {
  history h = {.market = t};
  wal_solver_options options = options_of(block, -1); /* never reached */
  options.block.max_steps = passes;
  wal_solution s;
  const wal_trace trace = {.context = &h, .state = record};
  ck_assert_int_eq(wal_solver_find("block")->solve(&t->market, &options, &trace, &s), WAL_E_DIVERGED);
  ck_assert_ptr_null(s.price);
  ck_assert_ptr_null(s.allocation);
  ck_assert_ptr_nonnull(strstr(wal_error(), "max_steps"));
  return h;
}

START_TEST(the_objective_never_rises) {
  static const double tried[] = {1, 0.9, 0.5, -1, -4};
  for (uint64_t seed = 0; seed < 6; seed++) {
    test_market t = test_market_create(seed, N, M, tried[_i], 2);
    history h = run_passes(&t, (int[]){1, 3, N}[seed % 3], 30);
    for (int k = 1; k < h.passes; k++) {
      const long double rounding = 1e-13L * fabsl(h.f[k]);
      ck_assert_msg(h.f[k] <= h.f[k - 1] + rounding, "pass %d: %Lg after %Lg", k, h.f[k], h.f[k - 1]);
    }
    ck_assert(h.f[h.passes - 1] < h.f[0]);
    test_market_destroy(&t);
  }
}
END_TEST

/* A scarce good that every buyer likes a little more than its price: what a buyer spends there is small
   before its step and far too much after a long one. */
START_TEST(long_steps_do_not_overshoot) {
  test_market t = test_market_create(13, N, 2, 1, 0.2);
  t.supply[0] = 1;
  t.supply[1] = 1e-6;
  history h = run_passes(&t, 1, 40);
  for (int k = 1; k < h.passes; k++)
    ck_assert_msg(h.f[k] <= h.f[k - 1] + 1e-13L * fabsl(h.f[k]), "pass %d: %Lg more", k, h.f[k] - h.f[k - 1]);
  test_market_destroy(&t);
}
END_TEST

/* All buyers in one block: proportional response, in long double from the same first bids. */
START_TEST(one_block_is_proportional_response) {
  const double alpha = (double[]){1, 0.7, 0.3}[_i];
  test_market t = test_market_create(7, N, M, alpha, 1);
  history h = run_passes(&t, N, 20);
  long double bid[N][M], p[M];
  for (int i = 0; i < N; i++) {
    long double total = 0;
    for (int j = 0; j < M; j++) total += bid[i][j] = (long double)t.values[i * M + j] * t.supply[j];
    for (int j = 0; j < M; j++) bid[i][j] *= t.budget[i] / total;
  }
  for (int pass = 0; pass <= 20; pass++) {
    for (int j = 0; j < M; j++) {
      p[j] = 0;
      for (int i = 0; i < N; i++) p[j] += bid[i][j] / t.supply[j];
      if (pass > 0) ck_assert_double_eq_tol(h.price[pass - 1][j] / (double)p[j], 1, 1e-12);
    }
    for (int i = 0; i < N; i++) {
      long double total = 0;
      for (int j = 0; j < M; j++) total += bid[i][j] = powl(t.values[i * M + j] * bid[i][j] / p[j], alpha);
      for (int j = 0; j < M; j++) bid[i][j] *= t.budget[i] / total;
    }
  }
  test_market_destroy(&t);
}
END_TEST

/* Ten blocks need fewer passes than one: the point of the method. */
START_TEST(more_blocks_need_fewer_passes) {
  test_market t = test_market_create(9, 1000, M, 1, 1);
  wal_solution one = solve_or_fail(&t.market, 1000, 1e-5), many = solve_or_fail(&t.market, 100, 1e-5);
  ck_assert_int_lt(3 * many.iterations, one.iterations);
  wal_solution_destroy(&one);
  wal_solution_destroy(&many);
  test_market_destroy(&t);
}
END_TEST

/* One pass with one seed and another: other orders of the blocks, other prices. */
START_TEST(the_order_is_drawn) {
  test_market t = test_market_create(9, N, M, 0.5, 1);
  wal_solver_options options = options_of(1, 1e9);
  wal_solution s[2];
  for (int k = 0; k < 2; k++) {
    options.seed = (uint64_t)k;
    ck_assert_int_eq(wal_solver_find("block")->solve(&t.market, &options, NULL, &s[k]), WAL_OK);
    ck_assert_int_eq(s[k].iterations, 1);
  }
  ck_assert_mem_ne(s[0].price, s[1].price, M * sizeof(double));
  wal_solution_destroy(&s[0]);
  wal_solution_destroy(&s[1]);
  test_market_destroy(&t);
}
END_TEST

START_TEST(same_bits_for_any_threads) {
  test_market t = test_market_create(11, 2000, M, 1, 1);
  const int threads = wal_threads();
  wal_threads_set(1);
  wal_solution a = solve_or_fail(&t.market, 700, 1e-4);
  wal_threads_set(3);
  wal_solution b = solve_or_fail(&t.market, 700, 1e-4);
  wal_threads_set(threads);
  ck_assert_int_eq(a.iterations, b.iterations);
  ck_assert_mem_eq(a.price, b.price, M * sizeof *a.price);
  ck_assert_mem_eq(&a.certified_gap, &b.certified_gap, sizeof a.certified_gap);
  double x[2][3 * M]; /* across two blocks */
  ck_assert_int_eq(a.allocation->ops->fill(a.allocation, 699, 702, x[0]), WAL_OK);
  for (int k = 0; k < 3; k++)
    ck_assert_int_eq(b.allocation->ops->fill(b.allocation, 699 + k, 700 + k, x[1] + k * M), WAL_OK);
  ck_assert_mem_eq(x[0], x[1], sizeof x[0]);
  wal_solution_destroy(&a);
  wal_solution_destroy(&b);
  test_market_destroy(&t);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("block");
  TCase *answers = tcase_create("answers"), *method = tcase_create("method");
  tcase_set_timeout(answers, 30);
  tcase_set_timeout(method, 30);
  tcase_add_loop_test(answers, prices_are_newtons, 0, ALPHAS);
  tcase_add_loop_test(answers, linear_prices_are_newtons, 0, 3);
  tcase_add_test(answers, two_buyers_one_good);
  tcase_add_test(answers, linear_by_hand);
  tcase_add_test(answers, zero_values_and_ties);
  tcase_add_test(answers, goods_nobody_wants_are_refused);
  tcase_add_loop_test(method, the_objective_never_rises, 0, 5);
  tcase_add_test(method, long_steps_do_not_overshoot);
  tcase_add_loop_test(method, one_block_is_proportional_response, 0, 3);
  tcase_add_test(method, more_blocks_need_fewer_passes);
  tcase_add_test(method, the_order_is_drawn);
  tcase_add_test(method, same_bits_for_any_threads);
  suite_add_tcase(suite, answers);
  suite_add_tcase(suite, method);
  return run_suite(suite);
}
