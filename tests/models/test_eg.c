#include <string.h>

#include "models/common/parallel.h"
#include "models/market/contexts.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"
#include "tests/models/market_fixture.h"
#include "tests/suite.h"

enum { N = 7, M = 3 };
static const double alphas[] = {1, 0.5, 0, 0.9, -1, -4, -INFINITY};
enum { ALPHAS = sizeof alphas / sizeof *alphas };

static wal_solver_options options_of(int epochs, int inner, double step) {
  wal_solver_options o;
  wal_solver_defaults(&o);
  o.eg.epochs = epochs;
  o.eg.inner = inner;
  o.eg.step = step;
  o.eg.lambda0 = 0.7;
  o.eg.rho = 0.3;
  o.eg.early_stop = false;
  return o;
}

static double softplus(double z) { return log1p(exp(z)); }

/* Runs a solver and returns its iterate z = softplus^-1(x), and lambda. */
static void iterate(const char *name, const test_market *t, const wal_solver_options *o, double *z,
                    double *lambda) {
  wal_solution s;
  ck_assert_msg(wal_solver_find(name)->solve(&t->market, o, NULL, &s) == WAL_OK, "%s", wal_error());
  ck_assert_int_eq(s.allocation->ops->fill(s.allocation, 0, N, z), WAL_OK);
  for (int k = 0; k < N * M; k++) z[k] = log(expm1(z[k]));
  memcpy(lambda, s.price, M * sizeof *lambda);
  wal_solution_destroy(&s);
}

/* The Lagrangian of eqs. 62-64 at z. */
static double lagrangian(const test_market *t, const double *z, double lambda, double rho) {
  double value = 0, mean[M] = {0};
  for (int i = 0; i < N; i++) {
    double x[M];
    for (int j = 0; j < M; j++) mean[j] += (x[j] = softplus(z[i * M + j])) / N;
    value -= t->budget[i] / N * wal_ces_log_utility(t->market.alpha, M, t->values + i * M, x);
  }
  for (int j = 0; j < M; j++) {
    const double c = mean[j] - t->supply[j] / N;
    value += lambda * c + rho / 2 * c * c;
  }
  return value;
}

static double slope(const test_market *t, double *z, int k, double lambda, double rho) {
  const double at = z[k], h = 1e-5;
  z[k] = at + h;
  const double up = lagrangian(t, z, lambda, rho);
  z[k] = at - h;
  const double down = lagrangian(t, z, lambda, rho);
  z[k] = at;
  return (up - down) / (2 * h);
}

START_TEST(starts_at_equal_bundles) {
  test_market t = test_market_create(1, N, M, 0.5, 1);
  wal_solver_options o = options_of(0, 1, 1);
  double z[N * M], lambda[M];
  iterate("eg", &t, &o, z, lambda);
  for (int k = 0; k < N * M; k++) ck_assert_double_eq_tol(softplus(z[k]), t.supply[k % M] / N, 1e-6);
  for (int j = 0; j < M; j++) ck_assert(lambda[j] == 0.7);
  test_market_destroy(&t);
}
END_TEST

/* The first and the third step are minus step times the Lagrangian's gradient, by finite differences. */
START_TEST(steps_are_the_gradient) {
  test_market t = test_market_create(2, N, M, alphas[_i], 0.5);
  for (int before = 0; before <= 2; before += 2) {
    const double step = 0.5;
    double from[N * M], to[N * M], lambda[M];
    wal_solver_options o = options_of(before ? 1 : 0, before ? before : 1, step);
    iterate("eg", &t, &o, from, lambda);
    o = options_of(1, before + 1, step);
    iterate("eg", &t, &o, to, lambda);
    if (alphas[_i] == -INFINITY && before == 0) /* nobody's least goods are tied */
      for (int k = 0; k < N * M; k++) ck_assert_double_ne(from[k], INFINITY);
    for (int k = 0; k < N * M; k++) {
      const double want = slope(&t, from, k, 0.7, 0.3);
      ck_assert_double_eq_tol((from[k] - to[k]) / step, want, 1e-5 * (1 + fabs(want)));
    }
  }
  test_market_destroy(&t);
}
END_TEST

/* velocity <- momentum velocity + gradient, z <- z - step velocity: the second step carries part of the
 * first. */
START_TEST(momentum_carries_the_last_step) {
  test_market t = test_market_create(3, N, M, 0.5, 0.5);
  const double step = 0.5;
  double z[3][N * M], lambda[M];
  for (int k = 0; k < 3; k++) {
    wal_solver_options o = options_of(k ? 1 : 0, k ? k : 1, step);
    o.eg.momentum = 0.8;
    iterate("eg_m", &t, &o, z[k], lambda);
  }
  for (int k = 0; k < N * M; k++) {
    const double gradient = slope(&t, z[1], k, 0.7, 0.3), carried = 0.8 * (z[1][k] - z[0][k]);
    ck_assert_double_eq_tol(z[2][k] - z[1][k], carried - step * gradient, 1e-5);
  }
  test_market_destroy(&t);
}
END_TEST

/* lambda_j += rho c_j / sqrt(epoch). */
START_TEST(multipliers_follow_the_violations) {
  test_market t = test_market_create(4, N, M, 0.5, 0.5);
  double z[N * M], lambda[3][M];
  for (int epochs = 0; epochs <= 2; epochs++) {
    wal_solver_options o = options_of(epochs, 4, 1.0);
    iterate("eg", &t, &o, z, lambda[epochs]);
    for (int j = 0; j < M && epochs > 0; j++) {
      double c = -t.supply[j] / N;
      for (int i = 0; i < N; i++) c += softplus(z[i * M + j]) / N;
      ck_assert_double_eq_tol(lambda[epochs][j] - lambda[epochs - 1][j], 0.3 * c / sqrt(epochs), 1e-6);
    }
  }
  test_market_destroy(&t);
}
END_TEST

/* With steps that fit the market, both methods come near the exact equilibrium. */
START_TEST(converges_where_steps_are_scaled) {
  const char *const names[] = {"eg", "eg_m"};
  test_market t = test_market_create(5, N, M, _i < 2 ? 0.5 : -1, 0.5);
  for (int j = 0; j < M; j++) t.supply[j] = N;
  wal_solver_options o = options_of(200, 200, _i % 2 ? 0.3 : 3);
  o.eg.rho = 1;
  wal_solution exact, s;
  wal_measures m;
  ck_assert_int_eq(wal_solver_find("newton")->solve(&t.market, &o, NULL, &exact), WAL_OK);
  ck_assert_int_eq(wal_solver_find(names[_i % 2])->solve(&t.market, &o, NULL, &s), WAL_OK);
  ck_assert_int_eq(wal_measure(&t.market, s.allocation, s.price, &m), WAL_OK);
  ck_assert_double_le(m.nash_gap, 1e-5);
  ck_assert_double_le(m.voa, 1e-3);
  ck_assert_double_le(m.vop, 1e-3);
  for (int j = 0; j < M; j++) ck_assert_double_eq_tol(s.price[j], exact.price[j], 5e-3 * exact.price[j]);
  ck_assert_int_eq(s.iterations, 200 * 200);
  ck_assert(isnan(s.certified_gap));
  wal_solution_destroy(&exact);
  wal_solution_destroy(&s);
  test_market_destroy(&t);
}
END_TEST

typedef struct {
  int rows;
  double gap, least;
} seen;

static void record(void *context, int count, const char *const names[], const double values[]) {
  seen *s = context;
  s->rows++;
  for (int k = 0; k < count; k++) {
    if (strcmp(names[k], "nash_gap") == 0) s->gap = values[k];
    if (strcmp(names[k], "lambda_min") == 0) s->least = values[k];
  }
}

static void count_state(void *context, int64_t epoch, const wal_allocation *x, const double *price) {
  seen *s = context;
  double row[M];
  ck_assert_int_eq(epoch, ++s->rows);
  ck_assert_int_eq(x->ops->fill(x, 0, 1, row), WAL_OK);
  s->least = price[0];
}

/* The iterate once an epoch, the last one what is returned. */
START_TEST(shows_its_state_once_an_epoch) {
  test_market t = test_market_create(5, N, M, 0.5, 0.5);
  const wal_solver_options o = options_of(7, 10, 1);
  seen states = {0, 0, 0};
  const wal_trace trace = {.context = &states, .state = count_state};
  wal_solution s;
  ck_assert_int_eq(wal_solver_find("eg")->solve(&t.market, &o, &trace, &s), WAL_OK);
  ck_assert_int_eq(states.rows, 7);
  ck_assert(states.least == s.price[0]);
  wal_solution_destroy(&s);
  test_market_destroy(&t);
}
END_TEST

/* C.2's rules, on both sides of n = 1000: steps per epoch, and the step. */
START_TEST(zero_means_the_papers_rule) {
  static const struct {
    int64_t n, inner;
    double alpha, step;
  } rules[] = {{1000, 100, 1, 0.1}, {1000, 100, 0.5, 1}, {1001, 1000, 1, 1e2}, {1001, 1000, -1, 1e3}};
  for (int k = 0; k < 4; k++) {
    wal_context_market market;
    ck_assert_int_eq(
        wal_context_market_create(WAL_CONTEXTS_UNIFORM, 4, rules[k].n, 2, 3, rules[k].alpha, &market),
        WAL_OK);
    wal_solver_options ours = options_of(1, 0, 0), stated = options_of(1, (int)rules[k].inner, rules[k].step);
    wal_solution a, b;
    ck_assert_int_eq(wal_solver_find("eg")->solve(&market.market, &ours, NULL, &a), WAL_OK);
    ck_assert_int_eq(wal_solver_find("eg")->solve(&market.market, &stated, NULL, &b), WAL_OK);
    ck_assert_int_eq(a.iterations, rules[k].inner);
    ck_assert_mem_eq(a.price, b.price, 2 * sizeof *a.price);
    wal_solution_destroy(&a);
    wal_solution_destroy(&b);
    wal_context_market_destroy(&market);
  }
}
END_TEST

/* Every buyer COPIES times with supplies COPIES times as large is the same market, where the paper's gradient
   is COPIES times smaller: as_if_n makes one copy of each move as they would there, by the paper's rule for
   the larger n. */
START_TEST(as_if_n_moves_like_the_larger_market) {
  enum { COPIES = 150 };
  const double alpha = _i == 0 ? 0.5 : 1;
  test_market t = test_market_create(6, N, M, alpha, 0.5),
              many = test_market_create(6, COPIES * N, M, alpha, 0.5);
  for (int i = 0; i < COPIES * N; i++) {
    many.budget[i] = t.budget[i % N];
    memcpy(many.values + i * M, t.values + i % N * M, M * sizeof(double));
  }
  for (int j = 0; j < M; j++) many.supply[j] = COPIES * t.supply[j];
  wal_solver_options o = options_of(3, 20, 0);
  wal_solution large, small;
  double x[N * M], y[N * M];
  ck_assert_int_eq(wal_solver_find("eg_m")->solve(&many.market, &o, NULL, &large), WAL_OK);
  o.eg.as_if_n = COPIES * N;
  ck_assert_int_eq(wal_solver_find("eg_m")->solve(&t.market, &o, NULL, &small), WAL_OK);
  ck_assert_int_eq(large.allocation->ops->fill(large.allocation, 0, N, x), WAL_OK);
  ck_assert_int_eq(small.allocation->ops->fill(small.allocation, 0, N, y), WAL_OK);
  double moved = 0;
  for (int k = 0; k < N * M; k++) {
    ck_assert_double_eq_tol(x[k], y[k], 1e-4 * x[k]);
    moved = fmax(moved, fabs(y[k] - t.supply[k % M] / N));
  }
  ck_assert_double_gt(moved, 0.1);
  for (int j = 0; j < M; j++) ck_assert_double_eq_tol(large.price[j], small.price[j], 1e-4 * large.price[j]);
  wal_solution_destroy(&large);
  wal_solution_destroy(&small);
  test_market_destroy(&t);
  test_market_destroy(&many);
}
END_TEST

START_TEST(stops_early_at_the_first_small_gap) {
  test_market t = test_market_create(5, N, M, 0.5, 0.5);
  for (int j = 0; j < M; j++) t.supply[j] = N;
  wal_solver_options o = options_of(200, 50, 3);
  o.eg.rho = 1;
  o.eg.early_stop = true;
  seen rows = {0, 0, 0};
  const wal_trace trace = {.context = &rows, .row = record};
  wal_solution s;
  ck_assert_int_eq(wal_solver_find("eg")->solve(&t.market, &o, &trace, &s), WAL_OK);
  ck_assert_double_lt(rows.gap, 1e-3);
  ck_assert_int_lt(rows.rows, 200);
  ck_assert_int_eq(s.iterations, rows.rows * 50);
  wal_solution_destroy(&s);
  o.eg.epochs = rows.rows - 1; /* one epoch less: the gap was not there yet */
  ck_assert_int_eq(wal_solver_find("eg")->solve(&t.market, &o, &trace, &s), WAL_OK);
  ck_assert_double_ge(rows.gap, 1e-3);
  wal_solution_destroy(&s);
  test_market_destroy(&t);
}
END_TEST

/* C.2: no result while a multiplier is not positive; the trace tells how it got there. */
START_TEST(fails_with_its_trace_where_lambda_is_not_positive) {
  test_market t = test_market_create(6, N, M, 0.5, 0.5);
  wal_solver_options o = options_of(1, 1, 0.7);
  o.eg.lambda0 = 50; /* one step takes nearly all of x, and rho times that violation is more than lambda */
  o.eg.rho = 1000;
  seen rows = {0, 0, 0};
  const wal_trace trace = {.context = &rows, .row = record};
  for (int j = 0; j < M; j++) t.supply[j] = N;
  wal_solution s;
  ck_assert_int_eq(wal_solver_find("eg")->solve(&t.market, &o, &trace, &s), WAL_E_DIVERGED);
  ck_assert_ptr_nonnull(strstr(wal_error(), "a result needs all of them positive"));
  ck_assert_int_eq(rows.rows, 1);
  ck_assert_double_le(rows.least, 0);
  ck_assert(isnan(rows.gap));
  ck_assert_ptr_null(s.price);
  test_market_destroy(&t);
}
END_TEST

START_TEST(fails_where_it_leaves_the_finite_numbers) {
  test_market t = test_market_create(6, N, M, 0.5, 0.5);
  wal_solver_options o = options_of(2, 50, 1e38);
  wal_solution s;
  ck_assert_int_eq(wal_solver_find("eg_m")->solve(&t.market, &o, NULL, &s), WAL_E_DIVERGED);
  ck_assert_ptr_nonnull(strstr(wal_error(), "eg.step"));
  test_market_destroy(&t);
}
END_TEST

START_TEST(threads_do_not_change_bits) {
  wal_context_market market;
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, 3, 5003, 4, 5, alphas[_i], &market),
                   WAL_OK);
  const wal_solver_options o = options_of(2, 20, 0);
  wal_solution s[2];
  double x[2][100 * 4];
  for (int k = 0; k < 2; k++) {
    wal_threads_set(1 + 2 * k);
    ck_assert_int_eq(wal_solver_find("eg_m")->solve(&market.market, &o, NULL, &s[k]), WAL_OK);
    ck_assert_int_eq(s[k].allocation->ops->fill(s[k].allocation, 4900, 5000, x[k]), WAL_OK);
  }
  ck_assert_mem_eq(s[0].price, s[1].price, 4 * sizeof(double));
  ck_assert_mem_eq(x[0], x[1], sizeof x[0]);
  for (int k = 0; k < 2; k++) wal_solution_destroy(&s[k]);
  wal_context_market_destroy(&market);
}
END_TEST

int main(void) {
  Suite *s = suite_create("eg");
  TCase *t = tcase_create("baselines");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, starts_at_equal_bundles);
  tcase_add_loop_test(t, steps_are_the_gradient, 0, ALPHAS);
  tcase_add_test(t, momentum_carries_the_last_step);
  tcase_add_test(t, multipliers_follow_the_violations);
  tcase_add_loop_test(t, converges_where_steps_are_scaled, 0, 4);
  tcase_add_test(t, shows_its_state_once_an_epoch);
  tcase_add_test(t, zero_means_the_papers_rule);
  tcase_add_loop_test(t, as_if_n_moves_like_the_larger_market, 0, 2);
  tcase_add_test(t, stops_early_at_the_first_small_gap);
  tcase_add_test(t, fails_with_its_trace_where_lambda_is_not_positive);
  tcase_add_test(t, fails_where_it_leaves_the_finite_numbers);
  tcase_add_loop_test(t, threads_do_not_change_bits, 0, ALPHAS);
  suite_add_tcase(s, t);
  return run_suite(s);
}
