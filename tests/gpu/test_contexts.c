/* Buyers as the device makes them: the CPU's bits, for every law and shape, drawn or uploaded. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gpu/market/inspect.h"
#include "models/common/rng.h"
#include "models/market/contexts.h"
#include "tests/gpu/gpu_suite.h"

/* m goods and d elements; buyers [lo, hi). */
static const struct {
  int m, d;
  int64_t lo, hi;
} shapes[] = {{10, 5, 0, 1000},
              {1, 1, 0, 1},
              {3, 4, 7, 300},
              {2, 7, 255, 258},
              {2, 1, 0, 513}, /* 257 pairs of elements: one more than a block has threads */
              {5, 5, (int64_t)1 << 40, ((int64_t)1 << 40) + 33}};
enum { SHAPES = sizeof shapes / sizeof *shapes, LAWS = 3 };

/* Whatever the device makes of [lo, hi) against the CPU's source, to the bit. */
static void same_columns(const wal_market *market, int64_t lo, int64_t hi) {
  const size_t rows = (size_t)(hi - lo), cells = rows * (size_t)market->m;
  double *v = malloc(2 * (cells + rows) * sizeof *v), *want = v + cells + rows;
  ck_assert_int_eq(wal_source_columns(market->buyers, market->m, lo, hi, hi - lo, want, want + cells),
                   WAL_OK);
  ck_assert_msg(wal_cuda_columns(market, lo, hi, v, v + cells) == WAL_OK, "%s", wal_error());
  ck_assert(memcmp(v, want, (cells + rows) * sizeof *v) == 0);
  free(v);
}

static void same_columns32(const wal_market *market, int64_t lo, int64_t hi) {
  const size_t rows = (size_t)(hi - lo), cells = rows * (size_t)market->m;
  float *v = malloc(2 * (cells + rows) * sizeof *v), *want = v + cells + rows;
  ck_assert_int_eq(wal_source_columns32(market->buyers, market->m, lo, hi, hi - lo, want, want + cells),
                   WAL_OK);
  ck_assert_msg(wal_cuda_columns32(market, lo, hi, v, v + cells) == WAL_OK, "%s", wal_error());
  ck_assert(memcmp(v, want, (cells + rows) * sizeof *v) == 0);
  free(v);
}

static void same_contexts(const wal_market *market, int64_t lo, int64_t hi) {
  const size_t cells = (size_t)(hi - lo) * (size_t)market->d;
  float *b = malloc(2 * cells * sizeof *b), *want = b + cells;
  ck_assert_int_eq(market->buyers->ops->contexts(market->buyers, lo, hi, want), WAL_OK);
  ck_assert_msg(wal_cuda_contexts(market, lo, hi, b) == WAL_OK, "%s", wal_error());
  ck_assert(memcmp(b, want, cells * sizeof *b) == 0);
  free(b);
}

START_TEST(drawn_has_the_cpus_bits) {
  const int law = _i % LAWS, k = _i / LAWS;
  wal_context_market market;
  ck_assert_int_eq(wal_context_market_create((wal_context_law)law, 11 + (uint64_t)k, shapes[k].hi,
                                             shapes[k].m, shapes[k].d, 0.5, &market),
                   WAL_OK);
  same_columns(&market.market, shapes[k].lo, shapes[k].hi);
  same_columns32(&market.market, shapes[k].lo, shapes[k].hi);
  same_contexts(&market.market, shapes[k].lo, shapes[k].hi);
  wal_context_market_destroy(&market);
}
END_TEST

/* Values of 0 and of all sizes in an array of the caller's. */
START_TEST(dense_is_uploaded) {
  enum { N = 1500, M = 7 };
  double *values = malloc((N * M + N) * sizeof *values), *budget = values + N * M;
  for (int k = 0; k < N * M; k++)
    values[k] = k % 11 ? exp(5 * wal_rng_normal(3, WAL_STREAM_TEST, (uint64_t)k)) : 0;
  for (int i = 0; i < N; i++) budget[i] = 1 + i;
  wal_source *source;
  ck_assert_int_eq(wal_source_dense(N, M, values, budget, &source), WAL_OK);
  const wal_market market = {.n = N, .m = M, .buyers = source};
  same_columns(&market, 0, N);
  same_columns(&market, 1023, 1031);
  same_columns32(&market, 1, N);
  wal_chunk_limit(400); /* in pieces */
  same_columns(&market, 10, N);
  wal_chunk_limit(0);
  float b;
  ck_assert_int_eq(wal_cuda_contexts(&market, 0, 1, &b), WAL_E_UNSUPPORTED);
  wal_source_destroy(source);
  free(values);
}
END_TEST

/* Contexts of the caller's, rows of a generated market's, are read on the host. */
static wal_status read_rows(const void *given, int64_t lo, int64_t hi, double *b) {
  memcpy(b, (const double *)given + 3 * lo, (size_t)(hi - lo) * 3 * sizeof *b);
  return WAL_OK;
}

START_TEST(given_contexts_are_uploaded) {
  enum { N = 300 };
  double contexts[N * 3], goods[] = {1, 2, 3, -1, 0, 1};
  for (int k = 0; k < N * 3; k++) contexts[k] = wal_rng_normal(3, WAL_STREAM_TEST, (uint64_t)k);
  wal_source *source;
  ck_assert_int_eq(wal_source_given_contexts(2, 3, goods, read_rows, contexts, &source), WAL_OK);
  const wal_market market = {.n = N, .m = 2, .d = 3, .buyers = source};
  same_columns(&market, 0, N);
  same_contexts(&market, 17, N);
  wal_chunk_limit(100);
  same_contexts(&market, 17, N);
  wal_chunk_limit(0);
  wal_source_destroy(source);
}
END_TEST

static wal_status fails(const wal_source *source, int64_t lo, int64_t hi, double *v, double *budget) {
  (void)source, (void)hi, (void)v, (void)budget;
  return wal_fail(WAL_E_IO, "row %lld is missing", (long long)lo);
}

START_TEST(a_source_that_fails_says_so) {
  const wal_source_ops ops = {.name = "none", .rows = fails};
  const wal_source source = {&ops};
  const wal_market market = {.n = 3, .m = 1, .buyers = &source};
  double v[3], budget[3];
  ck_assert_int_eq(wal_cuda_columns(&market, 0, 3, v, budget), WAL_E_IO);
  ck_assert_str_eq(wal_error(), "row 0 is missing");
}
END_TEST

START_TEST(too_many_at_once_says_what_and_how_much) {
  wal_context_market market;
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, 1, (int64_t)1 << 40, 2, 5, 0.5, &market),
                   WAL_OK);
  double none;
  ck_assert_int_eq(wal_cuda_columns(&market.market, 0, (int64_t)1 << 40, &none, &none), WAL_E_MEMORY);
  ck_assert_msg(strstr(wal_error(), "values of buyers: 25165824.0 MiB asked"), "%s", wal_error());
  ck_assert_msg(strstr(wal_error(), "a smaller n"), "%s", wal_error());
  wal_context_market_destroy(&market);
}
END_TEST

int main(void) {
  Suite *s = suite_create("gpu contexts");
  TCase *t = tcase_create("buyers");
  tcase_set_timeout(t, 300);
  tcase_add_loop_test(t, drawn_has_the_cpus_bits, 0, LAWS * SHAPES);
  tcase_add_test(t, dense_is_uploaded);
  tcase_add_test(t, given_contexts_are_uploaded);
  tcase_add_test(t, too_many_at_once_says_what_and_how_much);
  tcase_add_test(t, a_source_that_fails_says_so);
  suite_add_tcase(s, t);
  return gpu_suite_run(s);
}
