/* One pass over the buyers: double against sums written out, float32 against double, streamed against kept.
 */
#include <check.h>
#include <math.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/market/contexts.h"
#include "models/market/dual.h"
#include "tests/models/market_fixture.h"
#include "tests/suite.h"

enum { M = 5 };
static const double powers[] = {9, 1, 0, -0.5, -0.8};
enum { POWERS = sizeof powers / sizeof *powers };

typedef struct {
  double q[M], g[M], c[M], share[M], covariance[M * M];
  wal_dual_point point;
  wal_dual_sums sums;
} at_prices;

/* Prices that float32 can hold, as newton.c chooses them. */
static void set_prices(at_prices *at, double r) {
  const bool power = r != 0 && r != 1;
  for (int j = 0; j < M; j++) {
    at->q[j] = (float)(-1.5 + 0.3 * j);
    at->g[j] = r == 0 ? 1 : (float)exp(-at->q[j]);
    at->c[j] = 1;
  }
  at->point =
      (wal_dual_point){.power = power, .g = at->g, .c = at->c, .r = r, .q = at->q, .log_wanted = true};
  at->sums = (wal_dual_sums){.share = at->share, .covariance = at->covariance};
}

static wal_dual *dual_of(const wal_market *market, double r, bool single) {
  wal_dual *dual;
  const wal_weight weight = r == 0 || r == 1 ? WAL_WEIGHT_VALUE : WAL_WEIGHT_LOG;
  ck_assert_int_eq(wal_dual_create(market, weight, single, &dual), WAL_OK);
  return dual;
}

static void pass(wal_dual *dual, int64_t rows, double r, at_prices *at) {
  set_prices(at, r);
  ck_assert_msg(wal_dual_pass(dual, rows, &at->point, &at->sums) == WAL_OK, "%s", wal_error());
}

static double weight_of(double r, double v, const at_prices *at, int j) {
  return r == 0 || r == 1 ? at->g[j] * v : exp(r * (log(v) - at->q[j]));
}

/* The sums by their definition, for a dense source: its float32 columns are its roundings. */
START_TEST(sums_by_definition) {
  const int sizes[] = {1, 7, 128, 255, 257, 1025};
  for (int k = 0; k < 6; k++)
    for (int single = 0; single < 2; single++) {
      const double r = powers[_i], tol = single ? 2e-6 * (1 + fabs(r)) : 1e-12;
      test_market t = test_market_create(7, sizes[k], M, 0.5, 1);
      wal_dual *dual = dual_of(&t.market, r, single);
      at_prices at;
      pass(dual, sizes[k], r, &at);
      double share[M] = {0}, covariance[M][M] = {{0}}, log_sum = 0;
      for (int i = 0; i < sizes[k]; i++) {
        double e[M], sum = 0;
        for (int j = 0; j < M; j++) sum += e[j] = weight_of(r, t.values[i * M + j], &at, j);
        log_sum += t.budget[i] * log(sum);
        for (int j = 0; j < M; j++) {
          share[j] += t.budget[i] * e[j] / sum;
          for (int h = 0; h < M; h++) covariance[j][h] += t.budget[i] * e[j] * e[h] / (sum * sum);
        }
      }
      for (int j = 0; j < M; j++) {
        ck_assert_double_eq_tol(at.share[j] / share[j], 1, tol);
        for (int h = 0; h < M; h++)
          ck_assert_double_eq_tol(at.covariance[j * M + h] / covariance[j][h], 1, 2 * tol);
      }
      ck_assert_double_eq_tol(at.sums.log_sum, log_sum, tol * at.sums.budget * 10);
      wal_dual_destroy(dual);
      test_market_destroy(&t);
    }
}
END_TEST

/* Generated in float32 from the same random words: the double sums to float rounding; the same bits for any
   number of threads and without the covariance. */
START_TEST(single_is_double_rounded) {
  for (int law = 0; law < 3; law++) {
    const double r = powers[_i];
    wal_context_market market;
    ck_assert_int_eq(wal_context_market_create(law, 3, 20001, M, 5, 0.5, &market), WAL_OK);
    wal_dual *whole = dual_of(&market.market, r, false), *half = dual_of(&market.market, r, true);
    at_prices a, b, again;
    pass(whole, 20001, r, &a);
    wal_threads_set(1);
    pass(half, 20001, r, &b);
    wal_threads_set(3);
    set_prices(&again, r);
    again.sums.covariance = NULL;
    ck_assert_int_eq(wal_dual_pass(half, 20001, &again.point, &again.sums), WAL_OK);
    ck_assert_mem_eq(b.share, again.share, sizeof b.share);
    pass(half, 20001, r, &again);
    ck_assert_mem_eq(b.covariance, again.covariance, sizeof b.covariance);
    for (int j = 0; j < M; j++) {
      ck_assert_double_eq_tol(b.share[j] / a.share[j], 1, 2e-7 * (1 + fabs(r)));
      for (int h = 0; h < M; h++)
        ck_assert_double_eq_tol(b.covariance[j * M + h] / a.covariance[j * M + h], 1, 4e-7 * (1 + fabs(r)));
    }
    wal_dual_destroy(whole);
    wal_dual_destroy(half);
    wal_context_market_destroy(&market);
  }
}
END_TEST

/* Kept between passes, just made, or made anew every time. */
START_TEST(streamed_has_the_bits_of_kept) {
  wal_context_market market;
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, 3, 5003, M, 5, 0.5, &market), WAL_OK);
  const double r = powers[_i];
  wal_dual *kept = dual_of(&market.market, r, false), *streamed = dual_of(&market.market, r, false);
  wal_dual_stream(streamed);
  at_prices first, second, third;
  pass(kept, 1024, r, &first); /* a start from the first buyers */
  pass(kept, 5003, r, &first);
  pass(kept, 5003, r, &second);
  pass(streamed, 5003, r, &third);
  ck_assert_mem_eq(first.share, second.share, sizeof first.share);
  ck_assert_mem_eq(first.share, third.share, sizeof first.share);
  ck_assert_mem_eq(first.covariance, second.covariance, sizeof first.covariance);
  ck_assert_mem_eq(first.covariance, third.covariance, sizeof first.covariance);
  ck_assert(first.sums.log_sum == third.sums.log_sum && first.sums.budget == third.sums.budget);
  wal_dual_destroy(kept);
  wal_dual_destroy(streamed);
  wal_context_market_destroy(&market);
}
END_TEST

START_TEST(no_float32_for_leontief) {
  test_market t = test_market_create(7, 3, M, -INFINITY, 1);
  wal_dual *dual;
  ck_assert_int_eq(wal_dual_create(&t.market, WAL_WEIGHT_INVERSE, true, &dual), WAL_E_UNSUPPORTED);
  ck_assert_ptr_null(dual);
  test_market_destroy(&t);
}
END_TEST

int main(void) {
  Suite *s = suite_create("dual");
  TCase *t = tcase_create("passes");
  tcase_add_loop_test(t, sums_by_definition, 0, POWERS);
  tcase_add_loop_test(t, single_is_double_rounded, 0, POWERS);
  tcase_add_loop_test(t, streamed_has_the_bits_of_kept, 0, POWERS);
  tcase_add_test(t, no_float32_for_leontief);
  suite_add_tcase(s, t);
  return run_suite(s);
}
