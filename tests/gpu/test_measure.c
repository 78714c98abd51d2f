/* Measures on the device against the CPU's: every kind of utility and allocation, whole and in chunks, and
   what cannot be measured. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gpu/market/measure.h"
#include "models/market/contexts.h"
#include "tests/gpu/gpu_market.h"
#include "tests/gpu/gpu_suite.h"

typedef struct {
  wal_status status;
  char error[256];
  wal_measures measures;
} measured;

static measured measure(const wal_market *market, const wal_allocation *allocation, const double *prices,
                        bool device) {
  measured out = {0};
  on_device(device);
  out.status = wal_measure(market, allocation, prices, &out.measures);
  on_device(false);
  if (out.status != WAL_OK) snprintf(out.error, sizeof out.error, "%s", wal_error());
  return out;
}

/* The gap is a sum of terms that may cancel: absolute, as are logarithms near 0. */
static void same(const wal_measures *a, const wal_measures *b) {
  ck_assert_double_eq_tol(a->lnw, b->lnw, 1e-12 * (1 + fabs(b->lnw)));
  ck_assert_double_eq_tol(a->lfw, b->lfw, 1e-12 * (1 + fabs(b->lfw)));
  ck_assert_double_eq_tol(a->nash_gap, b->nash_gap, 1e-12 * (1 + fabs(b->nash_gap)));
  ck_assert_double_eq_tol(a->voa, b->voa, 1e-12);
  ck_assert_double_eq_tol(a->vop, b->vop, 1e-12);
  ck_assert((isinf(a->wsw) && isinf(b->wsw)) || fabs(a->wsw - b->wsw) <= 1e-12 * (1 + fabs(b->lnw)) * b->wsw);
}

static void same_as_cpu(const wal_market *market, const wal_allocation *allocation, const double *prices) {
  const measured cpu = measure(market, allocation, prices, false),
                 cuda = measure(market, allocation, prices, true);
  ck_assert_msg(cpu.status == WAL_OK, "CPU: %s", cpu.error);
  ck_assert_msg(cuda.status == WAL_OK, "device: %s", cuda.error);
  same(&cuda.measures, &cpu.measures);
}

enum { MOST = 70 };
static void prices_of(int m, double *p) {
  for (int j = 0; j < m; j++) p[j] = exp(0.4 * sin(j + 1.0));
}

static const struct { int n, m; } shapes[] = {{1, 1}, {2, 3}, {1003, 10}, {300, 5}, {77, 70}};
enum { SHAPES = sizeof shapes / sizeof *shapes };
static const double alphas[] = {1, 0.95, 0.5, 1e-4, 0, -1e-4, -1, -20, -INFINITY};
enum { ALPHAS = sizeof alphas / sizeof *alphas };

START_TEST(demand_is_made_there) {
  const double alpha = alphas[_i % ALPHAS];
  const int n = shapes[_i / ALPHAS].n, m = shapes[_i / ALPHAS].m;
  double p[MOST], scale[MOST];
  gpu_market t = gpu_market_create(n, m, alpha, alpha == 0 || alpha == 1 ? 9 : 0);
  prices_of(m, p);
  for (int j = 0; j < m; j++) scale[j] = 1 + 0.1 * cos(j);
  wal_allocation *allocation;
  ck_assert_int_eq(wal_allocation_demand_scaled(&t.market, NAN, p, scale, &allocation), WAL_OK);
  /* Linear buyers take one good: with few of them nobody takes some goods. */
  if (alpha < 1 || n > 10 * m) same_as_cpu(&t.market, allocation, p);
  wal_allocation_destroy(allocation);
  if (alpha == 1) {
    ck_assert_int_eq(wal_allocation_demand_scaled(&t.market, 30, p, scale, &allocation), WAL_OK);
    same_as_cpu(&t.market, allocation, p);
    t.market.quasilinear = true;
    same_as_cpu(&t.market, allocation, p);
    wal_allocation_destroy(allocation);
  }
  gpu_market_destroy(&t);
}
END_TEST

/* Equal and dense allocations; the dense one is filled on the host. */
START_TEST(constants_and_arrays) {
  const double alpha = alphas[_i];
  enum { N = 700, M = 6 };
  double p[M], equal[M];
  gpu_market t = gpu_market_create(N, M, alpha, 0);
  double *x = malloc(N * M * sizeof *x);
  prices_of(M, p);
  for (int j = 0; j < M; j++) equal[j] = t.supply[j] / N;
  for (int k = 0; k < N * M; k++) x[k] = exp(wal_rng_normal(9, WAL_STREAM_TEST, (uint64_t)k));
  wal_allocation *constant, *dense;
  ck_assert_int_eq(wal_allocation_constant(M, equal, &constant), WAL_OK);
  ck_assert_int_eq(wal_allocation_dense(N, M, x, &dense), WAL_OK);
  same_as_cpu(&t.market, constant, p);
  same_as_cpu(&t.market, dense, p);
  wal_chunk_limit(100); /* chunks are uploaded in pieces */
  same_as_cpu(&t.market, dense, p);
  wal_chunk_limit(0);
  wal_allocation_destroy(constant);
  wal_allocation_destroy(dense);
  gpu_market_destroy(&t);
}
END_TEST

/* Demand of other buyers than the measured ones is filled on the host. */
START_TEST(demand_of_another_market) {
  wal_context_market a, b;
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, 3, 500, 4, 5, 0.5, &a), WAL_OK);
  ck_assert_int_eq(wal_context_market_like(&a, WAL_CONTEXTS_UNIFORM, 4, 500, &b), WAL_OK);
  double p[4];
  prices_of(4, p);
  wal_allocation *allocation;
  ck_assert_int_eq(wal_allocation_demand(&b.market, p, &allocation), WAL_OK);
  same_as_cpu(&a.market, allocation, p);
  wal_allocation_destroy(allocation);
  wal_context_market_destroy(&a);
  wal_context_market_destroy(&b);
}
END_TEST

START_TEST(chunks_have_the_bits_of_the_whole) {
  enum { N = 1300, M = 3 };
  wal_context_market market;
  ck_assert_int_eq(wal_context_market_create((wal_context_law)_i, 3, N, M, 5, -1, &market), WAL_OK);
  double p[M];
  prices_of(M, p);
  wal_allocation *allocation;
  ck_assert_int_eq(wal_allocation_demand(&market.market, p, &allocation), WAL_OK);
  const measured whole = measure(&market.market, allocation, p, true),
                 again = measure(&market.market, allocation, p, true);
  wal_chunk_limit(_i ? 600 : 1); /* 1: less than a run, which a chunk has at least */
  const measured chunked = measure(&market.market, allocation, p, true);
  wal_chunk_limit(0);
  ck_assert_int_eq(whole.status, WAL_OK);
  ck_assert_mem_eq(&whole.measures, &again.measures, sizeof whole.measures);
  ck_assert_mem_eq(&whole.measures, &chunked.measures, sizeof whole.measures);
  same_as_cpu(&market.market, allocation, p);
  wal_allocation_destroy(allocation);
  wal_context_market_destroy(&market);
}
END_TEST

/* ---- what cannot be measured ---- */

static void same_failure(const wal_market *market, const wal_allocation *allocation, const double *prices,
                         const char *part) {
  const measured cpu = measure(market, allocation, prices, false),
                 cuda = measure(market, allocation, prices, true);
  ck_assert_int_eq(cpu.status, WAL_E_DIVERGED);
  ck_assert_int_eq(cuda.status, WAL_E_DIVERGED);
  ck_assert_str_eq(cuda.error, cpu.error);
  ck_assert_msg(strstr(cuda.error, part), "%s", cuda.error);
  ck_assert(isnan(cuda.measures.nash_gap));
}

START_TEST(failures_are_the_cpus) {
  enum { N = 300, M = 3 };
  gpu_market t = gpu_market_create(N, M, -1, 0);
  const double p[] = {1, 2, 3}, bad[] = {1, NAN, 3}, none[] = {1, 1, 0}, endless[] = {1, INFINITY, 1};
  wal_allocation *allocation;
  ck_assert_int_eq(wal_allocation_constant(M, none, &allocation), WAL_OK);
  same_failure(&t.market, allocation, p, "good 2");
  same_failure(&t.market, allocation, bad, "good 1");
  wal_allocation_destroy(allocation);
  ck_assert_int_eq(wal_allocation_constant(M, endless, &allocation), WAL_OK);
  same_failure(&t.market, allocation, p, "good 1");
  wal_allocation_destroy(allocation);
  double *x = malloc(N * M * sizeof *x); /* the last buyer gets nothing */
  for (int k = 0; k < N * M; k++) x[k] = k < (N - 1) * M;
  ck_assert_int_eq(wal_allocation_dense(N, M, x, &allocation), WAL_OK);
  same_failure(&t.market, allocation, p, "worth nothing");
  wal_allocation_destroy(allocation);
  gpu_market_destroy(&t);
}
END_TEST

static wal_status broken(const wal_allocation *allocation, int64_t lo, int64_t hi, double *x) {
  (void)allocation, (void)lo, (void)hi, (void)x;
  return wal_fail(WAL_E_IO, "the file is gone");
}

START_TEST(an_allocation_that_fails_says_so) {
  const wal_allocation_ops ops = {.name = "broken", .fill = broken};
  const wal_allocation allocation = {&ops};
  gpu_market t = gpu_market_create(5, 2, 0.5, 0);
  const double p[] = {1, 1};
  const measured cuda = measure(&t.market, &allocation, p, true);
  ck_assert_int_eq(cuda.status, WAL_E_IO);
  ck_assert_str_eq(cuda.error, "the file is gone");
  gpu_market_destroy(&t);
}
END_TEST

int main(void) {
  Suite *s = suite_create("gpu measure");
  TCase *t = tcase_create("measures");
  tcase_set_timeout(t, 300);
  tcase_add_loop_test(t, demand_is_made_there, 0, ALPHAS * SHAPES);
  tcase_add_loop_test(t, constants_and_arrays, 0, ALPHAS);
  tcase_add_test(t, demand_of_another_market);
  tcase_add_loop_test(t, chunks_have_the_bits_of_the_whole, 0, 3);
  tcase_add_test(t, failures_are_the_cpus);
  tcase_add_test(t, an_allocation_that_fails_says_so);
  suite_add_tcase(s, t);
  return gpu_suite_run(s);
}
