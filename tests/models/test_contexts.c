#include <check.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/rng.h"
#include "models/market/contexts.h"
#include "tests/suite.h"

static const wal_context_law laws[] = {WAL_CONTEXTS_NORMAL, WAL_CONTEXTS_UNIFORM, WAL_CONTEXTS_EXPONENTIAL};

static wal_context_market market_of(int law, int64_t n, int m, int d) {
  wal_context_market market;
  ck_assert_int_eq(wal_context_market_create(laws[law], 5, n, m, d, 0.5, &market), WAL_OK);
  return market;
}

START_TEST(names) {
  wal_context_law law;
  const char *const known[] = {"normal", "uniform", "exponential"};
  for (int k = 0; k < 3; k++) {
    ck_assert_int_eq(wal_context_law_parse(known[k], &law), WAL_OK);
    ck_assert_int_eq(law, laws[k]);
  }
  ck_assert_int_eq(wal_context_law_parse("gauss", &law), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(), "unknown context law 'gauss'; expected normal, uniform or exponential");
}
END_TEST

/* Mean, variance and covariance of two elements of a buyer, within 5 standard errors. */
START_TEST(moments) {
  enum { N = 200000, D = 5 };
  const double mean[] = {0, 0.5, 1}, var[] = {1, 1.0 / 12, 1}, kurt[] = {3, 1.8, 9};
  wal_context_market market = market_of(_i, N, 2, D);
  float *b = malloc((size_t)N * D * sizeof *b);
  ck_assert_int_eq(market.source->ops->contexts(market.source, 0, N, b), WAL_OK);
  double m1 = 0, m2 = 0, cross = 0;
  for (int k = 0; k < N * D; k++) {
    const double x = b[k] - mean[_i];
    m1 += x / (N * D);
    m2 += x * x / (N * D);
  }
  for (int i = 0; i < N; i++) cross += (b[i * D] - mean[_i]) * (b[i * D + 3] - mean[_i]) / N;
  ck_assert_double_le(fabs(m1), 5 * sqrt(var[_i] / (N * D)));
  ck_assert_double_le(fabs(m2 - var[_i]), 5 * var[_i] * sqrt((kurt[_i] - 1) / (N * D)));
  ck_assert_double_le(fabs(cross), 5 * var[_i] / sqrt(N));
  free(b);
  wal_context_market_destroy(&market);
}
END_TEST

static double distribution(int law, double x) {
  if (laws[law] == WAL_CONTEXTS_NORMAL) return gsl_cdf_ugaussian_P(x);
  return laws[law] == WAL_CONTEXTS_UNIFORM ? gsl_cdf_flat_P(x, 0, 1) : gsl_cdf_exponential_P(x, 1);
}

/* Kolmogorov and Smirnov: sqrt(N) times the largest distance of the empirical distribution from the law
   exceeds 2.23 with probability 1e-4 only. */
START_TEST(whole_distribution) {
  enum { N = 100000 };
  double *x = malloc(N * sizeof *x), largest = 0;
  for (int i = 0; i < N; i++) x[i] = wal_context_element(laws[_i], 7, WAL_STREAM_BUYERS, i, 1, 0);
  gsl_sort(x, 1, N);
  for (int i = 0; i < N; i++) {
    const double p = distribution(_i, x[i]);
    largest = fmax(largest, fmax(p - i / (double)N, (i + 1) / (double)N - p));
  }
  ck_assert_double_le(sqrt(N) * largest, 2.23);
  free(x);
}
END_TEST

/* B = ||b||_2 and v = softplus(<b, g>) recomputed from single elements with the C library. */
START_TEST(values_and_budgets_are_their_formulas) {
  enum { N = 300, M = 7, D = 5 };
  wal_context_market market = market_of(_i, N, M, D);
  double v[N * M], budget[N];
  ck_assert_int_eq(market.source->ops->rows(market.source, 0, N, v, budget), WAL_OK);
  for (int i = 0; i < N; i++) {
    double norm = 0;
    for (int e = 0; e < D; e++) norm += pow(wal_context_element(laws[_i], 5, WAL_STREAM_BUYERS, i, D, e), 2);
    ck_assert_double_eq_tol(budget[i], sqrt(norm), 1e-14 * budget[i]);
    for (int j = 0; j < M; j++) {
      double z = 0;
      for (int e = 0; e < D; e++)
        z += wal_context_element(laws[_i], 5, WAL_STREAM_BUYERS, i, D, e) *
             wal_context_element(laws[_i], 5, WAL_STREAM_GOODS, j, D, e);
      ck_assert_double_eq_tol(v[i * M + j], log1p(exp(z)), 1e-13 * (1 + fabs(z)));
    }
  }
  for (int j = 0; j < M; j++) {
    ck_assert(market.supply[j] == N);
    for (int e = 0; e < D; e++)
      ck_assert(market.goods[j * D + e] ==
                (float)wal_context_element(laws[_i], 5, WAL_STREAM_GOODS, j, D, e));
  }
  wal_context_market_destroy(&market);
}
END_TEST

/* Any chunk has the bits of the whole. */
START_TEST(random_access) {
  enum { N = 1000, M = 3, D = 5 };
  wal_context_market market = market_of(_i, N, M, D);
  static double v[N * M], budget[N], part_v[N * M], part_b[N];
  static float b[N * D], part_c[N * D];
  const wal_source *source = market.source;
  ck_assert_int_eq(source->ops->rows(source, 0, N, v, budget), WAL_OK);
  ck_assert_int_eq(source->ops->contexts(source, 0, N, b), WAL_OK);
  const int64_t cuts[][2] = {{0, 1}, {1, 2}, {7, 300}, {127, 129}, {128, 256}, {999, 1000}, {3, 1000}};
  for (int k = 0; k < 7; k++) {
    const int64_t lo = cuts[k][0], rows = cuts[k][1] - lo;
    ck_assert_int_eq(source->ops->rows(source, lo, lo + rows, part_v, part_b), WAL_OK);
    ck_assert_int_eq(source->ops->contexts(source, lo, lo + rows, part_c), WAL_OK);
    ck_assert_mem_eq(part_v, v + lo * M, (size_t)(rows * M) * sizeof *v);
    ck_assert_mem_eq(part_b, budget + lo, (size_t)rows * sizeof *budget);
    ck_assert_mem_eq(part_c, b + lo * D, (size_t)(rows * D) * sizeof *b);
  }
  ck_assert_int_eq(source->ops->rows(source, 5, 9, NULL, part_b), WAL_OK);
  ck_assert_mem_eq(part_b, budget + 5, 4 * sizeof *budget);
  ck_assert_int_eq(source->ops->rows(source, 5, 9, part_v, NULL), WAL_OK);
  ck_assert_mem_eq(part_v, v + 5 * M, 4 * M * sizeof *v);
  wal_context_market_destroy(&market);
}
END_TEST

/* Good by good the same bits, from the source's own columns and by transposition of a dense source's rows. */
START_TEST(columns_are_rows_transposed) {
  enum { N = 300, M = 3, STRIDE = 310 };
  wal_context_market market = market_of(_i, N, M, 5);
  static double v[N * M], budget[N], column[M * STRIDE], column_budget[N];
  ck_assert_int_eq(market.source->ops->rows(market.source, 0, N, v, budget), WAL_OK);
  wal_source *dense;
  ck_assert_int_eq(wal_source_dense(N, M, v, budget, &dense), WAL_OK);
  const wal_source *const sources[] = {market.source, dense};
  for (int k = 0; k < 2; k++) {
    const int lo = 5;
    ck_assert_int_eq(wal_source_columns(sources[k], M, lo, N, STRIDE, column, column_budget), WAL_OK);
    ck_assert_mem_eq(column_budget, budget + lo, (N - lo) * sizeof *budget);
    for (int i = lo; i < N; i++)
      for (int j = 0; j < M; j++) ck_assert(column[j * STRIDE + i - lo] == v[i * M + j]);
  }
  wal_source_destroy(dense);
  wal_context_market_destroy(&market);
}
END_TEST

static wal_status read_given(const void *given, int64_t lo, int64_t hi, double *b) {
  const int law = *(const int *)given;
  if (lo < 0) return wal_fail(WAL_E_IO, "no such row");
  for (int64_t i = lo; i < hi; i++)
    for (int e = 0; e < 3; e++)
      b[(i - lo) * 3 + e] = wal_context_element((wal_context_law)law, 7, WAL_STREAM_BUYERS, i, 3, e);
  return WAL_OK;
}

/* The same contexts, given instead of drawn, have the same values, budgets and float32 contexts. */
START_TEST(given_contexts_are_drawn_ones) {
  enum { N = 300, M = 2, D = 3 };
  wal_context_market market;
  wal_source *given;
  double goods[M * D], v[2][N * M], budget[2][N];
  float b[2][N * D];
  ck_assert_int_eq(wal_context_market_create((wal_context_law)_i, 7, N, M, D, 0.5, &market), WAL_OK);
  for (int k = 0; k < M * D; k++)
    goods[k] = wal_context_element((wal_context_law)_i, 7, WAL_STREAM_GOODS, k / D, D, k % D);
  ck_assert_int_eq(wal_source_given_contexts(M, D, goods, read_given, &_i, &given), WAL_OK);
  const wal_source *const sources[] = {market.source, given};
  for (int k = 0; k < 2; k++) {
    ck_assert_int_eq(sources[k]->ops->rows(sources[k], 0, N, v[k], budget[k]), WAL_OK);
    ck_assert_int_eq(sources[k]->ops->contexts(sources[k], 0, N, b[k]), WAL_OK);
  }
  ck_assert_mem_eq(v[0], v[1], sizeof v[0]);
  ck_assert_mem_eq(budget[0], budget[1], sizeof budget[0]);
  ck_assert_mem_eq(b[0], b[1], sizeof b[0]);
  ck_assert_int_eq(given->ops->rows(given, -5, 0, v[0], NULL), WAL_E_IO);
  ck_assert_int_eq(given->ops->contexts(given, -5, 0, b[0]), WAL_E_IO);
  wal_source_destroy(given);
  wal_context_market_destroy(&market);
}
END_TEST

/* In float32: budgets within 2^-21, values within 2^-19 (1 + |log v|) of the double ones, for rows of odd and
   even length; any chunk, also one that begins within a pair of rows, has the bits of the whole. */
START_TEST(columns32_are_columns_rounded) {
  enum { N = 3000, M = 3, STRIDE = 3010 };
  static double v[M * STRIDE], budget[N];
  static float v32[M * STRIDE], budget32[N], part_v[M * STRIDE], part_b[N];
  for (int d = 1; d <= 6; d++) {
    wal_context_market market = market_of(_i, N, M, d);
    ck_assert_int_eq(wal_source_columns(market.source, M, 0, N, STRIDE, v, budget), WAL_OK);
    ck_assert_int_eq(wal_source_columns32(market.source, M, 0, N, STRIDE, v32, budget32), WAL_OK);
    for (int i = 0; i < N; i++) {
      ck_assert_double_le(fabs(budget32[i] / budget[i] - 1), d == 1 ? 1 : 0x1p-19);
      for (int j = 0; j < M; j++) {
        const double want = v[j * STRIDE + i];
        ck_assert_double_le(fabs(v32[j * STRIDE + i] / want - 1), 0x1p-19 * (1 + fabs(log(want))));
      }
    }
    const int cuts[][2] = {{0, 1}, {1, 2}, {7, 300}, {255, 513}, {256, 512}, {N - 1, N}, {3, N}};
    for (int k = 0; k < 7; k++) {
      const int lo = cuts[k][0], rows = cuts[k][1] - lo;
      ck_assert_int_eq(wal_source_columns32(market.source, M, lo, lo + rows, rows, part_v, part_b), WAL_OK);
      ck_assert_mem_eq(part_b, budget32 + lo, (size_t)rows * sizeof *part_b);
      for (int j = 0; j < M; j++)
        ck_assert_mem_eq(part_v + j * rows, v32 + j * STRIDE + lo, (size_t)rows * sizeof *part_v);
    }
    ck_assert_int_eq(wal_source_columns32(market.source, M, 5, 9, 4, NULL, part_b), WAL_OK);
    ck_assert_mem_eq(part_b, budget32 + 5, 4 * sizeof *part_b);
    ck_assert_int_eq(wal_source_columns32(market.source, M, 5, 9, 4, part_v, NULL), WAL_OK);
    ck_assert_mem_eq(part_v, v32 + 5, 4 * sizeof *part_v);
    wal_context_market_destroy(&market);
  }
}
END_TEST

/* The market does not change its first buyers when it grows, and every row can be drawn far out. */
START_TEST(growth_keeps_the_first_buyers) {
  wal_context_market small = market_of(_i, 10, 2, 3), large = market_of(_i, (int64_t)1 << 40, 2, 3);
  double a[20], b[20], far[2];
  ck_assert_int_eq(small.source->ops->rows(small.source, 0, 10, a, NULL), WAL_OK);
  ck_assert_int_eq(large.source->ops->rows(large.source, 0, 10, b, NULL), WAL_OK);
  ck_assert_mem_eq(a, b, sizeof a);
  const int64_t last = ((int64_t)1 << 40) - 1;
  ck_assert_int_eq(large.source->ops->rows(large.source, last, last + 1, far, NULL), WAL_OK);
  ck_assert(far[0] > 0 && far[0] != a[0]);
  wal_context_market_destroy(&small);
  wal_context_market_destroy(&large);
}
END_TEST

/* The buyers are those of a market drawn by their law and seed, the goods those of the other: values of both
   are softplus of the products of their contexts. */
START_TEST(other_buyers_before_the_same_goods) {
  enum { N = 3, M = 4, D = 5 };
  wal_context_market first = market_of(0, 7, M, D), other;
  ck_assert_int_eq(wal_context_market_like(&first, laws[_i], 99, N, &other), WAL_OK);
  ck_assert_int_eq(other.market.n, N);
  ck_assert_mem_eq(other.goods, first.goods, sizeof(float) * M * D);
  double v[N * M];
  ck_assert_int_eq(other.source->ops->rows(other.source, 0, N, v, NULL), WAL_OK);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++) {
      double z = 0;
      for (int e = 0; e < D; e++)
        z += wal_context_element(laws[_i], 99, WAL_STREAM_BUYERS, i, D, e) *
             wal_context_element(laws[0], 5, WAL_STREAM_GOODS, j, D, e);
      ck_assert_double_eq_tol(v[i * M + j], log1p(exp(z)), 1e-13 * (1 + fabs(z)));
      ck_assert_double_eq(other.market.supply[j], N);
    }
  wal_context_market_destroy(&other);
  wal_context_market_destroy(&first);
}
END_TEST

START_TEST(bad_sizes) {
  wal_context_market market;
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, 1, 0, 5, 5, 0.5, &market), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(), "n is 0; expected at least 1 (1048576 works)");
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, 1, 5, 0, 5, 0.5, &market), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(), "m is 0; expected at least 1 (10 works)");
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, 1, 5, 5, 0, 0.5, &market), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(), "d is 0; expected at least 1 (5 works)");
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, 1, 5, 5, 5, 1.5, &market), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(), "alpha is 1.5; expected -inf to 1 (0.5 works)");
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, 1, 5, 5, 5, NAN, &market), WAL_E_INPUT);
  wal_context_market_destroy(&market); /* zeroed by the failures */
  wal_context_market_destroy(NULL);
}
END_TEST

int main(void) {
  Suite *s = suite_create("contexts");
  TCase *t = tcase_create("laws");
  tcase_add_test(t, names);
  tcase_add_loop_test(t, moments, 0, 3);
  tcase_add_loop_test(t, whole_distribution, 0, 3);
  tcase_add_loop_test(t, values_and_budgets_are_their_formulas, 0, 3);
  tcase_add_loop_test(t, random_access, 0, 3);
  tcase_add_loop_test(t, columns_are_rows_transposed, 0, 3);
  tcase_add_loop_test(t, given_contexts_are_drawn_ones, 0, 3);
  tcase_add_loop_test(t, columns32_are_columns_rounded, 0, 3);
  tcase_add_loop_test(t, growth_keeps_the_first_buyers, 0, 3);
  tcase_add_loop_test(t, other_buyers_before_the_same_goods, 0, 3);
  tcase_add_test(t, bad_sizes);
  suite_add_tcase(s, t);
  return run_suite(s);
}
