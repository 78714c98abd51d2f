/* PACE: items arrive one at a time. */
#include <string.h>

#include "models/common/parallel.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"
#include "tests/models/market_fixture.h"
#include "tests/suite.h"

enum { N = 20, M = 4 };

static wal_status solve(const wal_market *market, uint64_t seed, int64_t items, double tol,
                        const wal_trace *trace, wal_solution *s) {
  wal_solver_options options;
  wal_solver_defaults(&options);
  options.seed = seed;
  options.pace.items = items;
  options.pace.tol = tol;
  return wal_solver_solve(wal_solver_find("pace"), market, &options, trace, s);
}

static wal_solution solve_or_fail(const wal_market *market, uint64_t seed, int64_t items, double tol) {
  wal_solution s;
  ck_assert_msg(solve(market, seed, items, tol, NULL, &s) == WAL_OK, "%s", wal_error());
  return s;
}

/* ---- answers ---- */

START_TEST(prices_and_utilities_are_newtons) {
  test_market t = test_market_create((uint64_t)_i, N, M, 1, 1);
  wal_solver_options options;
  wal_solver_defaults(&options);
  wal_solution exact, s = solve_or_fail(&t.market, 1, 0, 1e-5);
  ck_assert_int_eq(wal_solver_find("newton")->solve(&t.market, &options, NULL, &exact), WAL_OK);
  double x[2][N * M];
  ck_assert_int_eq(s.allocation->ops->fill(s.allocation, 0, N, x[0]), WAL_OK);
  ck_assert_int_eq(exact.allocation->ops->fill(exact.allocation, 0, N, x[1]), WAL_OK);
  for (int j = 0; j < M; j++) ck_assert_double_eq_tol(s.price[j] / exact.price[j], 1, 0.02);
  for (int i = 0; i < N; i++) {
    double u[2] = {0, 0};
    for (int k = 0; k < 2 * M; k++) u[k / M] += t.values[i * M + k % M] * x[k / M][i * M + k % M];
    ck_assert_double_eq_tol(u[0] / u[1], 1, 0.02);
  }
  wal_measures q;
  ck_assert_int_eq(wal_measure(&t.market, s.allocation, s.price, &q), WAL_OK);
  ck_assert_double_eq(q.nash_gap, s.certified_gap);
  ck_assert_double_le(q.nash_gap, 1e-5);
  ck_assert_double_le(q.voa, 1e-12);
  wal_solution_destroy(&s);
  wal_solution_destroy(&exact);
  test_market_destroy(&t);
}
END_TEST

/* p = (B_0 + B_1) / Y, goods in proportion to budgets, whatever the values. */
START_TEST(two_buyers_one_good) {
  const double values[] = {3, 0.2}, budget[] = {1, 2}, supply[] = {4};
  wal_source *source;
  ck_assert_int_eq(wal_source_dense(2, 1, values, budget, &source), WAL_OK);
  const wal_market market = {.n = 2, .m = 1, .alpha = 1, .buyers = source, .supply = supply};
  wal_solution s = solve_or_fail(&market, 1, 0, 1e-9);
  double x[2];
  ck_assert_int_eq(s.allocation->ops->fill(s.allocation, 0, 2, x), WAL_OK);
  ck_assert_double_eq_tol(s.price[0], 0.75, 1e-3);
  ck_assert_double_eq_tol(x[0], 4.0 / 3, 1e-3);
  ck_assert_double_eq_tol(x[1], 8.0 / 3, 1e-3);
  wal_solution_destroy(&s);
  wal_source_destroy(source);
}
END_TEST

/* A buyer gets nothing of what it does not value; equal buyers share; a good that nobody values is refused.
 */
START_TEST(zero_values_and_ties) {
  double values[] = {1, 0, 0, /**/ 0, 2, 2, /**/ 0, 2, 2};
  const double budget[] = {1, 2, 2}, supply[] = {1, 1, 1}, expected[] = {1, 2, 2};
  wal_source *source;
  ck_assert_int_eq(wal_source_dense(3, 3, values, budget, &source), WAL_OK);
  const wal_market market = {.n = 3, .m = 3, .alpha = 1, .buyers = source, .supply = supply};
  wal_solution s = solve_or_fail(&market, 1, 0, 1e-5);
  double x[9];
  ck_assert_int_eq(s.allocation->ops->fill(s.allocation, 0, 3, x), WAL_OK);
  for (int j = 0; j < 3; j++) ck_assert_double_eq_tol(s.price[j], expected[j], 0.02 * expected[j]);
  for (int k = 0; k < 9; k++)
    if (values[k] == 0) ck_assert_double_eq(x[k], 0);
  ck_assert_double_eq_tol(x[4] + x[5], 1, 0.02);
  wal_solution_destroy(&s);
  values[0 * 3 + 1] = 1;
  for (int i = 0; i < 3; i++) values[i * 3 + 2] = 0;
  ck_assert_int_eq(solve(&market, 1, 0, 1e-5, NULL, &s), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), "good 2"));
  ck_assert_ptr_null(s.price);
  wal_source_destroy(source);
}
END_TEST

/* ---- the method ---- */

/* As the method is written: every b_i anew for every item, every bid looked at. */
static void literal(const test_market *t, uint64_t seed, int items, double *won) {
  const int n = (int)t->market.n, m = t->market.m;
  double total = 0, money = 0, utility[N] = {0}, bound[N];
  for (int j = 0; j < m; j++) total += t->supply[j];
  for (int i = 0; i < n; i++) money += t->budget[i];
  for (int i = 0; i < n; i++) {
    double worth = 0;
    for (int j = 0; j < m; j++) worth += t->values[i * m + j] * t->supply[j];
    bound[i] = fmin(1.05 * money / worth, t->market.quasilinear ? 1 : INFINITY);
  }
  memset(won, 0, (size_t)(n * m) * sizeof *won);
  for (int k = 0; k < items; k++) {
    double at = total * wal_rng_uniform(seed, WAL_STREAM_ITEMS, (uint64_t)k), best = 0;
    int j = 0, winner = 0;
    for (at -= t->supply[0]; at > 0 && j < m - 1; at -= t->supply[j]) j++;
    for (int i = 0; i < n; i++) {
      const double pace = utility[i] > 0 ? fmin(bound[i], t->budget[i] * k / (total * utility[i])) : bound[i],
                   bid = pace * t->values[i * m + j];
      if (bid > best) best = bid, winner = i;
    }
    utility[winner] += t->values[winner * m + j];
    won[winner * m + j] += 1;
  }
}

START_TEST(winners_are_those_of_every_bid) {
  enum { ITEMS = 3000 };
  for (uint64_t seed = 0; seed < 4; seed++) {
    test_market t = test_market_create(seed, N, M, 1, 1);
    t.market.quasilinear = _i == 1;
    for (int i = 0; i < N && t.market.quasilinear; i++) t.budget[i] *= i % 3 ? 0.3 : 30; /* some keep money */
    wal_solution s = solve_or_fail(&t.market, seed, ITEMS, 0);
    double won[N * M], x[N * M], arrived[M] = {0};
    literal(&t, seed, ITEMS, won);
    ck_assert_int_eq(s.iterations, ITEMS);
    ck_assert_int_eq(s.allocation->ops->fill(s.allocation, 0, N, x), WAL_OK);
    for (int k = 0; k < N * M; k++) arrived[k % M] += won[k];
    for (int k = 0; k < N * M; k++)
      ck_assert_double_eq_tol(x[k], won[k] * t.supply[k % M] / arrived[k % M], 1e-12);
    wal_solution_destroy(&s);
    test_market_destroy(&t);
  }
}
END_TEST

enum { CHECKS = 16 };
typedef struct {
  int rows;
  double items[CHECKS], gap[CHECKS];
} history;

static void record(void *context, int count, const char *const names[], const double values[]) {
  history *h = context;
  ck_assert_int_eq(count, 2);
  ck_assert_str_eq(names[1], "gap");
  if (h->rows == CHECKS) return;
  h->items[h->rows] = values[0];
  h->gap[h->rows++] = values[1];
}

/* The gap falls like log t / t: from 2^8 n items to 2^15 n, its mean over twelve draws of the items. */
START_TEST(gap_falls_as_proven) {
  enum { DRAWS = 12, EARLY = 8, LATE = 15 };
  test_market t = test_market_create(3, N, M, 1, 1);
  t.market.quasilinear = _i == 1;
  double early = 0, late = 0, t0 = 0, t1 = 0;
  for (uint64_t seed = 0; seed < DRAWS; seed++) {
    history h = {0};
    wal_solution s;
    const wal_trace trace = {.context = &h, .row = record};
    ck_assert_int_eq(solve(&t.market, seed, (int64_t)N << LATE, 0, &trace, &s), WAL_OK);
    ck_assert_int_eq(h.rows, LATE + 1);
    early += h.gap[EARLY] / DRAWS;
    late += h.gap[LATE] / DRAWS;
    t0 = h.items[EARLY];
    t1 = h.items[LATE];
    wal_solution_destroy(&s);
  }
  const double bound = (log(t1) / t1) / (log(t0) / t0);
  ck_assert_msg(late <= 1.5 * bound * early, "%g at %g items, %g at %g", early, t0, late, t1);
  ck_assert_double_ge(late, 0.05 * bound * early); /* and no faster: items come by chance */
  test_market_destroy(&t);
}
END_TEST

START_TEST(too_few_items_are_said) {
  test_market t = test_market_create(5, N, M, 1, 1);
  wal_solution s;
  ck_assert_int_eq(solve(&t.market, 1, 3, 0, NULL, &s), WAL_E_DIVERGED);
  ck_assert_ptr_nonnull(strstr(wal_error(), "3 items"));
  ck_assert_ptr_null(s.price);
  test_market_destroy(&t);
}
END_TEST

START_TEST(same_bits_for_any_threads) {
  test_market t = test_market_create(6, 3000, M, 1, 1);
  const int threads = wal_threads();
  wal_threads_set(1);
  wal_solution a = solve_or_fail(&t.market, 1, 100000, 0);
  wal_threads_set(3);
  wal_solution b = solve_or_fail(&t.market, 1, 100000, 0), other = solve_or_fail(&t.market, 2, 100000, 0);
  wal_threads_set(threads);
  ck_assert_mem_eq(a.price, b.price, M * sizeof *a.price);
  ck_assert_mem_eq(&a.certified_gap, &b.certified_gap, sizeof a.certified_gap);
  ck_assert_mem_ne(a.price, other.price, M * sizeof *a.price);
  wal_solution_destroy(&a);
  wal_solution_destroy(&b);
  wal_solution_destroy(&other);
  test_market_destroy(&t);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("pace");
  TCase *answers = tcase_create("answers"), *method = tcase_create("method");
  tcase_set_timeout(answers, 60);
  tcase_set_timeout(method, 60);
  tcase_add_loop_test(answers, prices_and_utilities_are_newtons, 0, 3);
  tcase_add_test(answers, two_buyers_one_good);
  tcase_add_test(answers, zero_values_and_ties);
  tcase_add_loop_test(method, winners_are_those_of_every_bid, 0, 2);
  tcase_add_loop_test(method, gap_falls_as_proven, 0, 2);
  tcase_add_test(method, too_few_items_are_said);
  tcase_add_test(method, same_bits_for_any_threads);
  suite_add_tcase(suite, answers);
  suite_add_tcase(suite, method);
  return run_suite(suite);
}
