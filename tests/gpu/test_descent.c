/* EG's gradient descent on the device against the CPU's member, and the three solvers that use it.

   For the same prices both take the same step to the bit: the formulas are one source (descent_step.h), each
   operation rounded once. Means are where they part: the CPU adds eight amounts in float32 before it goes on
   in double, the device adds in double, so a mean differs by up to 8 2^-25 relatively, and with it the prices
   of the next step. These markets' steps contract, so k steps stay within k 2^-20. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/market/contexts.h"
#include "models/market/descent.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"
#include "tests/gpu/gpu_suite.h"
#include "tests/models/market_fixture.h"

void wal_chunk_limit(int64_t buyers); /* gpu/market/buyers.h */

static const double alphas[] = {1, 0.5, 0, -1, -INFINITY}; /* one of each wal_descent_kind */
enum { KINDS = 5 };

static wal_descent create(const wal_device *device, const wal_market *market, bool scaled, double step,
                          double momentum) {
  const wal_descent_rule augmented = {WAL_DESCENT_AUGMENTED, .weight = 0.5},
                         integral = {WAL_DESCENT_INTEGRAL, .weight = 0.9, .integral = 0.05};
  wal_descent s;
  wal_device_use(device);
  const wal_status status =
      wal_descent_create(market, scaled, step, momentum, scaled ? integral : augmented, &s);
  wal_device_use(NULL);
  ck_assert_msg(status == WAL_OK, "%s", wal_error());
  for (int j = 0; j < market->m; j++) s.lambda[j] = s.price[j] = scaled ? 1.0 / market->m : 0.3 + 0.1 * j;
  return s;
}

static void run(wal_descent *s, int steps) {
  ck_assert_msg(wal_descent_run(s, steps) == WAL_OK, "%s", wal_error());
}

/* x[n, m] of all buyers, to be freed. */
static double *amounts(const wal_descent *s) {
  const int64_t n = s->market->n;
  double *x = malloc((size_t)(n * s->market->m) * sizeof *x);
  const wal_allocation *a = wal_descent_allocation_of(s);
  ck_assert_int_eq(a->ops->fill(a, 0, n, x), WAL_OK);
  return x;
}

static void assert_close(const wal_descent *gpu, const wal_descent *cpu, double tolerance) {
  double *x = amounts(gpu), *y = amounts(cpu);
  const int64_t cells = cpu->market->n * cpu->market->m;
  if (tolerance == 0.0) ck_assert_mem_eq(x, y, (size_t)cells * sizeof *x);
  for (int64_t k = 0; k < cells; k++)
    ck_assert_msg(fabs(x[k] - y[k]) <= tolerance * fabs(y[k]), "cell %lld: %.9g, the CPU has %.9g",
                  (long long)k, x[k], y[k]);
  for (int j = 0; j < cpu->market->m; j++) {
    const double most = tolerance + 0x1p-20;
    ck_assert_double_le(fabs(gpu->mean[j] - cpu->mean[j]), most * cpu->mean[j]);
    ck_assert_double_le(fabs(gpu->price[j] - cpu->price[j]), most * (fabs(cpu->price[j]) + cpu->mean[j]));
    ck_assert_double_le(fabs(gpu->lambda[j] - cpu->lambda[j]), most * fabs(cpu->lambda[j]));
  }
  free(x), free(y);
}

/* Both members from the same start; one step to the bit, then 10 and `steps`, unless a rounding can change
   which good is least. */
static void compare(const wal_market *market, bool scaled, double step, double momentum, int steps) {
  wal_descent gpu = create(&wal_device_cuda, market, scaled, step, momentum),
              cpu = create(NULL, market, scaled, step, momentum);
  ck_assert_str_eq(gpu.ops->name, "cuda");
  ck_assert_str_eq(cpu.ops->name, "cpu");
  ck_assert_double_eq(gpu.budget, cpu.budget);
  assert_close(&gpu, &cpu, 0.0);
  run(&gpu, 1), run(&cpu, 1);
  assert_close(&gpu, &cpu, 0.0);
  if (market->alpha > -INFINITY && steps > 1) {
    run(&gpu, 9), run(&cpu, 9);
    assert_close(&gpu, &cpu, 10 * 0x1p-20);
    run(&gpu, (steps - 10) / 3), run(&gpu, steps - 10 - (steps - 10) / 3), run(&cpu, steps - 10);
    assert_close(&gpu, &cpu, steps * 0x1p-20);
  }
  wal_descent_destroy(&gpu);
  wal_descent_destroy(&cpu);
}

/* Every kind, with momentum or not, the paper's form and the scaled one; n is no multiple of 32 or 128. */
START_TEST(steps_are_the_cpus) {
  const double alpha = alphas[_i % KINDS];
  const bool scaled = _i / KINDS % 2;
  const double momentum = _i / KINDS / 2 ? 0.9 : 0.0, step = (scaled ? 0.5 : 60) * (momentum > 0 ? 0.1 : 1);
  test_market t = test_market_create(7, 165, 4, alpha, 0.5);
  for (int j = 0; j < 4; j++) t.supply[j] *= 165;
  compare(&t.market, scaled, step, momentum, 100);
  test_market_destroy(&t);
}
END_TEST

/* One buyer, one good, and every kernel: up to 5, 10, 20 goods in registers, any number. */
START_TEST(shapes_are_the_cpus) {
  static const int shapes[][2] = {{1, 1}, {1, 3}, {130, 1}, {33, 5}, {40, 7}, {129, 10}, {40, 20}, {70, 23}};
  const int n = shapes[_i / 2][0], m = shapes[_i / 2][1];
  test_market t = test_market_create(8, n, m, _i % 2 ? -1 : 0.5, 0.5);
  for (int j = 0; j < m; j++) t.supply[j] *= n;
  compare(&t.market, true, 0.3, 0.5, 20);
  test_market_destroy(&t);
}
END_TEST
enum { SHAPES = 8 };

/* Contexts are drawn on the device; more buyers than one block takes. */
START_TEST(contexts_are_the_cpus) {
  wal_context_market t;
  ck_assert_int_eq(wal_context_market_create((wal_context_law)_i, 5, 1000, 6, 3, _i ? 0.5 : -1, &t), WAL_OK);
  compare(&t.market, _i == 2, _i == 2 ? 0.5 : 100, 0.0, 20);
  wal_context_market_destroy(&t);
}
END_TEST

/* So many that a thread takes two buyers and a good has more sums than a block has threads. */
START_TEST(many_buyers_are_the_cpus) {
  const int n = (1 << 18) + 77;
  test_market t = test_market_create(13, n, 1, 0.5, 0.5);
  t.supply[0] = n;
  compare(&t.market, false, 0.5 * n, 0.0, 1);
  test_market_destroy(&t);
}
END_TEST

/* Run without a step: the start is an equal split, so that the rule leaves the prices at lambda. */
START_TEST(no_step_makes_means_and_prices) {
  test_market t = test_market_create(9, 77, 3, 0.5, 0.5);
  wal_descent s = create(&wal_device_cuda, &t.market, false, 1, 0);
  run(&s, 0);
  for (int j = 0; j < 3; j++) {
    const double naive = t.supply[j] / 77, before = 0.3 + 0.1 * j;
    ck_assert_double_eq_tol(s.mean[j], naive, 1e-6 * naive);
    ck_assert_double_eq_tol(s.price[j], before, 1e-6);
    ck_assert(s.lambda[j] == before);
  }
  wal_descent_destroy(&s);
  test_market_destroy(&t);
}
END_TEST

START_TEST(repeats_to_the_bit) {
  test_market t = test_market_create(10, 700, 5, alphas[_i], 0.5);
  for (int j = 0; j < 5; j++) t.supply[j] *= 700;
  wal_descent s[2];
  double *x[2];
  for (int k = 0; k < 2; k++) {
    s[k] = create(&wal_device_cuda, &t.market, true, 0.1, 0.9);
    for (int steps = 0; steps < 20; steps += k ? 20 : 5) run(&s[k], k ? 20 : 5); /* in one go, or in four */
    x[k] = amounts(&s[k]);
  }
  ck_assert_mem_eq(x[0], x[1], 3500 * sizeof(double));
  ck_assert_mem_eq(s[0].price, s[1].price, 5 * sizeof(double));
  for (int k = 0; k < 2; k++) wal_descent_destroy(&s[k]), free(x[k]);
  test_market_destroy(&t);
}
END_TEST

/* A released allocation outlives the descent and no longer moves; parts are rows of the whole. */
START_TEST(allocation_is_released) {
  test_market t = test_market_create(11, 50, 3, 0.5, 0.5);
  wal_descent s = create(&wal_device_cuda, &t.market, true, 0.3, 0);
  run(&s, 3);
  double *x = amounts(&s), part[7 * 3];
  run(&s, 1);
  double *moved = amounts(&s);
  ck_assert_mem_ne(x, moved, 150 * sizeof *x);
  wal_allocation *a = wal_descent_release(&s);
  wal_descent_destroy(&s);
  ck_assert_int_eq(a->ops->fill(a, 20, 27, part), WAL_OK);
  ck_assert_mem_eq(part, moved + 60, sizeof part);
  wal_allocation_destroy(a);
  free(x), free(moved);
  test_market_destroy(&t);
}
END_TEST

/* The device's measures read the iterate where it is; the CPU's, a copy of it. */
START_TEST(measures_read_it_in_place) {
  test_market t = test_market_create(14, 333, 4, 0.5, 0.5);
  const double prices[] = {0.3, 0.4, 0.5, 0.6};
  wal_descent s = create(&wal_device_cuda, &t.market, _i == 1, _i == 1 ? 0.3 : 3, 0);
  wal_measures a, b;
  for (int steps = 1; steps <= 4; steps += 3) { /* again after it has moved */
    run(&s, steps);
    wal_device_use(&wal_device_cuda);
    ck_assert_int_eq(wal_measure(&t.market, wal_descent_allocation_of(&s), prices, &a), WAL_OK);
    wal_chunk_limit(300); /* all buyers, or two chunks of them: the same bits */
    ck_assert_int_eq(wal_measure(&t.market, wal_descent_allocation_of(&s), prices, &b), WAL_OK);
    wal_chunk_limit(0);
    ck_assert_mem_eq(&a, &b, sizeof a);
    wal_device_use(NULL);
    ck_assert_int_eq(wal_measure(&t.market, wal_descent_allocation_of(&s), prices, &b), WAL_OK);
    ck_assert_double_eq_tol(a.nash_gap, b.nash_gap, 1e-12);
    ck_assert_double_eq_tol(a.voa, b.voa, 1e-12);
    ck_assert_double_eq_tol(a.vop, b.vop, 1e-12);
    ck_assert_double_eq_tol(a.lnw, b.lnw, 1e-12);
  }
  wal_descent_destroy(&s);
  test_market_destroy(&t);
}
END_TEST

static wal_status solve(const wal_device *device, const char *solver, const wal_market *market,
                        const wal_solver_options *options, wal_solution *out) {
  wal_device_use(device);
  const wal_status status = wal_solver_find(solver)->solve(market, options, NULL, out);
  wal_device_use(NULL);
  return status;
}

/* Near the equilibrium on both devices, by the CPU's measures of what each returned. */
START_TEST(solvers_agree) {
  static const char *const names[] = {"eg", "eg_m", "eg_scaled"};
  test_market t = test_market_create(5, 60, 3, _i < 3 ? 0.5 : -1, 0.5);
  for (int j = 0; j < 3; j++) t.supply[j] = 60;
  wal_solver_options o;
  wal_solver_defaults(&o);
  o.eg.epochs = 40, o.eg.inner = 60, o.eg.rho = 1, o.eg.step = _i % 3 == 1 ? 0.3 : 3;
  o.eg_scaled.tol = 1e-5;
  wal_solution gpu, cpu;
  wal_measures a, b;
  ck_assert_msg(solve(&wal_device_cuda, names[_i % 3], &t.market, &o, &gpu) == WAL_OK, "%s", wal_error());
  ck_assert_msg(solve(NULL, names[_i % 3], &t.market, &o, &cpu) == WAL_OK, "%s", wal_error());
  ck_assert_int_eq(gpu.iterations, cpu.iterations);
  for (int j = 0; j < 3; j++) ck_assert_double_eq_tol(gpu.price[j], cpu.price[j], 1e-4 * cpu.price[j]);
  ck_assert_int_eq(wal_measure(&t.market, gpu.allocation, gpu.price, &a), WAL_OK);
  ck_assert_int_eq(wal_measure(&t.market, cpu.allocation, cpu.price, &b), WAL_OK);
  ck_assert_double_eq_tol(a.nash_gap, b.nash_gap, 1e-6);
  ck_assert_double_le(a.nash_gap, 1e-2);
  wal_solution_destroy(&gpu);
  wal_solution_destroy(&cpu);
  test_market_destroy(&t);
}
END_TEST

START_TEST(leaving_the_finite_numbers_is_said) {
  test_market t = test_market_create(6, 60, 3, 0.5, 0.5);
  wal_solver_options o;
  wal_solver_defaults(&o);
  o.eg.epochs = 2, o.eg.inner = 50, o.eg.step = 1e38;
  wal_solution s;
  ck_assert_int_eq(solve(&wal_device_cuda, "eg_m", &t.market, &o, &s), WAL_E_DIVERGED);
  ck_assert_ptr_nonnull(strstr(wal_error(), "left the finite numbers; a smaller eg.step"));
  ck_assert_ptr_null(s.price);
  test_market_destroy(&t);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("gpu descent");
  TCase *tests = tcase_create("descent");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, steps_are_the_cpus, 0, 4 * KINDS);
  tcase_add_loop_test(tests, shapes_are_the_cpus, 0, 2 * SHAPES);
  tcase_add_loop_test(tests, contexts_are_the_cpus, 0, 3);
  tcase_add_test(tests, many_buyers_are_the_cpus);
  tcase_add_test(tests, no_step_makes_means_and_prices);
  tcase_add_loop_test(tests, repeats_to_the_bit, 0, KINDS);
  tcase_add_test(tests, allocation_is_released);
  tcase_add_loop_test(tests, measures_read_it_in_place, 0, 2);
  tcase_add_loop_test(tests, solvers_agree, 0, 6);
  tcase_add_test(tests, leaving_the_finite_numbers_is_said);
  suite_add_tcase(suite, tests);
  return gpu_suite_run(suite);
}
