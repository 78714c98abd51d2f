/* The pass over the buyers on the device against the CPU's, and the exact solvers that go through it. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gpu/market/dual.h"
#include "models/market/contexts.h"
#include "models/market/solver.h"
#include "tests/gpu/gpu_market.h"
#include "tests/gpu/gpu_suite.h"

enum { MOST = 370 }; /* goods */

typedef struct {
  double g[MOST], c[MOST], q[MOST], clear[MOST], share[MOST], covariance[MOST * MOST];
  wal_dual_point point;
  wal_dual_sums sums;
} at_prices;

typedef enum { PLAIN, PLAIN_WEIGHTED, POWER, COMPLEMENTS, STEEP, INVERSE, FORMS } form;

/* Prices that float32 can hold. */
static void set_prices(at_prices *at, int m, form f, bool covariance) {
  static const double powers[FORMS] = {[POWER] = 2.5, [COMPLEMENTS] = -0.7, [STEEP] = 3000};
  for (int j = 0; j < m; j++) {
    at->q[j] = (float)(0.3 * sin(j + 1.0));
    at->g[j] = f == PLAIN ? 1 : (float)exp(-at->q[j]);
    at->c[j] = f == PLAIN || f == PLAIN_WEIGHTED ? 1 : (float)exp(at->q[j]);
    at->clear[j] = exp(0.1 * cos(j));
  }
  at->point = (wal_dual_point){
      .power = powers[f] != 0, .g = at->g, .c = at->c, .r = powers[f], .q = at->q, .log_wanted = true};
  at->sums = (wal_dual_sums){.share = at->share, .covariance = covariance ? at->covariance : NULL};
}

static wal_dual *dual_of(const wal_market *market, form f, bool single, bool device) {
  wal_dual *dual;
  const wal_weight weight = f == INVERSE ? WAL_WEIGHT_INVERSE : f < POWER ? WAL_WEIGHT_VALUE : WAL_WEIGHT_LOG;
  on_device(device);
  ck_assert_msg(wal_dual_create(market, weight, single, &dual) == WAL_OK, "%s", wal_error());
  ck_assert_ptr_eq(dual->ops, device ? &wal_dual_cuda : &wal_dual_cpu);
  on_device(false);
  return dual;
}

static void pass(wal_dual *dual, int64_t rows, form f, bool covariance, at_prices *at) {
  set_prices(at, dual->market->m, f, covariance);
  ck_assert_msg(wal_dual_pass(dual, rows, &at->point, &at->sums) == WAL_OK, "%s", wal_error());
}

/* Every sum within tol of the other, relatively; logarithms in units of the budget. */
static void same_sums(int m, const at_prices *a, const at_prices *b, double tol) {
  for (int j = 0; j < m; j++) ck_assert_double_eq_tol(a->share[j], b->share[j], tol * b->share[j] + DBL_MIN);
  for (int k = 0; a->sums.covariance && k < m * m; k++)
    ck_assert_double_eq_tol(a->covariance[k], b->covariance[k], 2 * tol * b->covariance[k] + DBL_MIN);
  ck_assert_double_eq_tol(a->sums.budget, b->sums.budget, tol * b->sums.budget);
  ck_assert_double_eq_tol(a->sums.log_sum, b->sums.log_sum, tol * (fabs(a->point.r) + 10) * b->sums.budget);
}

/* From 89 goods on several blocks share the covariance; from 361 on a tile has fewer than 32 buyers. */
static const struct {
  int n, m;
} shapes[] = {{1, 1},    {1, 3},    {129, 5}, {1003, 10}, {700, 11},
              {333, 17}, {100, 64}, {40, 70}, {23, 101},  {19, 370}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

START_TEST(sums_are_the_cpus) {
  const form f = (form)(_i % FORMS);
  const int n = shapes[_i / FORMS].n, m = shapes[_i / FORMS].m;
  gpu_market t = gpu_market_create(n, m, 0.5, f < POWER || f == POWER ? 13 : 0);
  wal_dual *cpu = dual_of(&t.market, f, false, false), *cuda = dual_of(&t.market, f, false, true);
  at_prices *a = malloc(2 * sizeof *a), *b = a + 1;
  for (int covariance = 0; covariance < 2; covariance++) {
    pass(cpu, n, f, covariance, a);
    pass(cuda, n, f, covariance, b);
    /* At power 3000 roundings of log prices come back 3000 times as large; the CPU leaves out the smallest.
     */
    if (f == STEEP)
      for (int j = 0; j < m; j++) ck_assert_double_eq_tol(a->share[j], b->share[j], 1e-12 * a->sums.budget);
    else
      same_sums(m, b, a, 1e-12);
  }
  free(a);
  wal_dual_destroy(cpu);
  wal_dual_destroy(cuda);
  gpu_market_destroy(&t);
}
END_TEST

/* float32: as near to double as the CPU's. Shares of the smallest values have the fewest digits. */
START_TEST(single_is_double_rounded) {
  const form f = (form)(_i % (STEEP));
  const int n = shapes[_i / STEEP].n, m = shapes[_i / STEEP].m;
  gpu_market t = gpu_market_create(n, m, 0.5, 0);
  wal_dual *cpu = dual_of(&t.market, f, false, false), *cuda = dual_of(&t.market, f, true, true);
  at_prices *a = malloc(2 * sizeof *a), *b = a + 1;
  pass(cpu, n, f, true, a);
  pass(cuda, n, f, true, b);
  same_sums(m, b, a, 2e-6 * (1 + fabs(a->point.r)));
  pass(cuda, n, f, false, b);
  same_sums(m, b, a, 2e-6 * (1 + fabs(a->point.r)));
  free(a);
  wal_dual_destroy(cpu);
  wal_dual_destroy(cuda);
  gpu_market_destroy(&t);
}
END_TEST

START_TEST(linear_gap_is_the_cpus) {
  const int n = shapes[_i].n, m = shapes[_i].m;
  gpu_market t = gpu_market_create(n, m, 1, 7);
  wal_dual *cpu = dual_of(&t.market, POWER, false, false), *cuda = dual_of(&t.market, POWER, false, true);
  static at_prices a, b;
  set_prices(&a, m, POWER, false);
  set_prices(&b, m, POWER, false);
  a.point.clear = a.clear, b.point.clear = b.clear;
  ck_assert_int_eq(wal_dual_pass(cpu, n, &a.point, &a.sums), WAL_OK);
  ck_assert_int_eq(wal_dual_pass(cuda, n, &b.point, &b.sums), WAL_OK);
  ck_assert_double_eq_tol(a.sums.linear_gap, b.sums.linear_gap, 1e-12 * a.sums.budget);
  ck_assert_double_eq_tol(a.sums.budget, b.sums.budget, 1e-12 * a.sums.budget);
  wal_dual_destroy(cpu);
  wal_dual_destroy(cuda);
  gpu_market_destroy(&t);
}
END_TEST

/* Kept, made again every time, or in chunks; the first buyers before all of them: the same bits. */
START_TEST(chunks_have_the_bits_of_the_whole) {
  enum { N = 1501, M = 6 };
  const bool single = _i;
  wal_context_market market;
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, 3, N, M, 5, 0.5, &market), WAL_OK);
  wal_dual *kept = dual_of(&market.market, POWER, single, true);
  static at_prices first, part, other;
  pass(kept, 900, POWER, true, &part);
  pass(kept, N, POWER, true, &first);
  pass(kept, N, POWER, true, &other);
  ck_assert_mem_eq(first.share, other.share, M * sizeof(double));
  wal_chunk_limit(single ? 500 : 1); /* 1: less than a run, which a chunk has at least */
  wal_dual *chunked = dual_of(&market.market, POWER, single, true);
  wal_dual_stream(kept);
  for (int k = 0; k < 3; k++) {
    pass(k < 2 ? chunked : kept, N, POWER, true, &other);
    ck_assert_mem_eq(first.share, other.share, M * sizeof(double));
    ck_assert_mem_eq(first.covariance, other.covariance, M * M * sizeof(double));
    ck_assert(first.sums.log_sum == other.sums.log_sum && first.sums.budget == other.sums.budget);
  }
  pass(chunked, 900, POWER, true, &other);
  ck_assert_mem_eq(part.covariance, other.covariance, M * M * sizeof(double));
  wal_chunk_limit(0);
  wal_dual_destroy(kept);
  wal_dual_destroy(chunked);
  wal_context_market_destroy(&market);
}
END_TEST

/* ---- solvers ---- */

static wal_solution solve(const char *name, const wal_market *market, bool device) {
  wal_solver_options options;
  wal_solver_defaults(&options);
  options.newton_sample.buyers = 300;
  wal_solution solution;
  on_device(device);
  const wal_status status = wal_solver_solve(wal_solver_find(name), market, &options, NULL, &solution);
  on_device(false);
  ck_assert_msg(status == WAL_OK, "%s: %s", name, wal_error());
  return solution;
}

static void same_prices(const char *name, const wal_market *market, double tol) {
  wal_solution cpu = solve(name, market, false), cuda = solve(name, market, true);
  for (int j = 0; j < market->m; j++)
    ck_assert_double_eq_tol(cuda.price[j], cpu.price[j], tol * cpu.price[j] + DBL_MIN);
  wal_solution_destroy(&cpu);
  wal_solution_destroy(&cuda);
}

static const double alphas[] = {1, 0.5, 0.25, 0, -1, -8, -INFINITY};
enum { ALPHAS = sizeof alphas / sizeof *alphas };

START_TEST(newton_finds_the_cpus_prices) {
  wal_context_market market;
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, 3, 700, 4, 5, alphas[_i], &market), WAL_OK);
  same_prices("newton", &market.market, 1e-10);
  if (_i == 1) same_prices("newton_sample", &market.market, 1e-10);
  wal_context_market_destroy(&market);
  gpu_market t = gpu_market_create(60, 13, alphas[_i], alphas[_i] >= 0 ? 7 : 0);
  same_prices("newton", &t.market, 1e-10);
  gpu_market_destroy(&t);
}
END_TEST

/* Those that stop early stop at the same step: as near as their sums are. */
START_TEST(other_solvers_find_the_cpus_prices) {
  static const char *const names[] = {"pr", "tatonnement"};
  wal_context_market market;
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_UNIFORM, 3, 200, 3, 4, 0.5, &market), WAL_OK);
  same_prices(names[_i], &market.market, 1e-9);
  wal_context_market_destroy(&market);
}
END_TEST

/* float32's prices are right to about 1e-6, and the certificate holds for them. */
START_TEST(newton_in_single) {
  wal_context_market market;
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, 3, 2000, 5, 5, 0.5, &market), WAL_OK);
  wal_solution cpu = solve("newton", &market.market, false), cuda;
  wal_solver_options options;
  wal_solver_defaults(&options);
  options.newton.single = true;
  on_device(true);
  ck_assert_int_eq(wal_solver_solve(wal_solver_find("newton"), &market.market, &options, NULL, &cuda),
                   WAL_OK);
  on_device(false);
  for (int j = 0; j < 5; j++) ck_assert_double_eq_tol(cuda.price[j], cpu.price[j], 2e-6 * cpu.price[j]);
  ck_assert_double_le(cuda.certified_gap, 1e-11);
  wal_solution_destroy(&cpu);
  wal_solution_destroy(&cuda);
  wal_context_market_destroy(&market);
}
END_TEST

int main(void) {
  Suite *s = suite_create("gpu dual");
  TCase *t = tcase_create("passes");
  tcase_set_timeout(t, 300);
  tcase_add_loop_test(t, sums_are_the_cpus, 0, FORMS * SHAPES);
  tcase_add_loop_test(t, single_is_double_rounded, 0, STEEP * SHAPES);
  tcase_add_loop_test(t, linear_gap_is_the_cpus, 0, SHAPES);
  tcase_add_loop_test(t, chunks_have_the_bits_of_the_whole, 0, 2);
  suite_add_tcase(s, t);
  t = tcase_create("solvers");
  tcase_set_timeout(t, 300);
  tcase_add_loop_test(t, newton_finds_the_cpus_prices, 0, ALPHAS);
  tcase_add_loop_test(t, other_solvers_find_the_cpus_prices, 0, 2);
  tcase_add_test(t, newton_in_single);
  suite_add_tcase(s, t);
  return gpu_suite_run(s);
}
