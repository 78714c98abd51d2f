/* Quasilinear utilities, u_i = <v_i, x_i> + money left: the measures, and every solver that takes them. */
#include <string.h>

#include "models/common/parallel.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"
#include "tests/models/market_fixture.h"
#include "tests/suite.h"

/* ---- the measures ---- */

/* One good. At price p buyer i spends all of B_i where v_i > p, nothing where v_i < p. Values 2 and 1/2,
   budgets 1: at p = 1 the first buyer buys the good, the second keeps its money. */
START_TEST(one_good_by_hand) {
  double values[] = {2, 0.5}, budget[] = {1, 1}, supply[] = {1}, price[] = {1};
  wal_source *source;
  ck_assert_int_eq(wal_source_dense(2, 1, values, budget, &source), WAL_OK);
  const wal_market market = {
      .n = 2, .m = 1, .alpha = 1, .quasilinear = true, .buyers = source, .supply = supply};
  ck_assert_int_eq(wal_market_check(&market), WAL_OK);
  double *x = calloc(2, sizeof *x);
  x[0] = 1;
  wal_allocation *allocation;
  ck_assert_int_eq(wal_allocation_dense(2, 1, x, &allocation), WAL_OK);
  wal_measures q;
  ck_assert_int_eq(wal_measure(&market, allocation, price, &q), WAL_OK);
  ck_assert_double_eq_tol(q.lnw, (log(2) - 1) / 2, 1e-15); /* u = (2, 1), money left (0, 1) */
  ck_assert_double_eq_tol(q.lfw, (log(2) - 1) / 2, 1e-15);
  ck_assert_double_eq_tol(q.nash_gap, 0, 1e-15);
  ck_assert_double_eq_tol(q.vop, 0, 1e-15);
  ck_assert_double_eq_tol(q.wsw, 1.5, 1e-15);
  price[0] = 1.5; /* the dual moves by p - 1 + log(1/p) of a buyer */
  ck_assert_int_eq(wal_measure(&market, allocation, price, &q), WAL_OK);
  ck_assert_double_eq_tol(q.nash_gap, (0.5 - log(1.5)) / 2, 1e-15);
  ck_assert_double_eq_tol(q.vop, log(2.5 / 2), 1e-15);
  wal_allocation_destroy(allocation);
  wal_source_destroy(source);
}
END_TEST

/* The two programs as written in welfare.h, summed in long double; b and d are found by a search. */
static long double programs_gap(const test_market *t, const double *x, const double *p) {
  const int n = (int)t->market.n, m = t->market.m;
  long double gap = 0, total = 0;
  for (int j = 0; j < m; j++) gap += t->supply[j] * p[j];
  for (int i = 0; i < n; i++) {
    const double budget = t->budget[i], *v = t->values + i * m;
    long double worth = 0, pace = 1, best = -INFINITY;
    for (int j = 0; j < m; j++) {
      long double given = 0;
      for (int k = 0; k < n; k++) given += x[k * m + j];
      worth += v[j] * x[i * m + j] * t->supply[j] / given;
      pace = fminl(pace, p[j] / v[j]);
    }
    for (int k = 0; k <= 100000; k++) { /* d in [0, B]: the money left */
      const long double left = budget * (k / 100000.0L);
      best = fmaxl(best, budget * logl(worth + left) - left);
    }
    gap += budget * logl(budget / pace) - budget - best;
    total += budget;
  }
  return gap / total;
}

START_TEST(gap_of_any_pair_is_that_of_the_programs) {
  for (uint64_t seed = 0; seed < 10; seed++) {
    test_market t = test_market_create(seed, 5, 3, 1, 1);
    t.market.quasilinear = true;
    double *x = malloc(15 * sizeof *x), p[3];
    for (uint64_t k = 0; k < 15; k++) x[k] = wal_rng_exponential(seed, WAL_STREAM_TEST, 100 + k);
    for (uint64_t j = 0; j < 3; j++) p[j] = wal_rng_exponential(seed, WAL_STREAM_TEST, 200 + j);
    const double expected = (double)programs_gap(&t, x, p);
    wal_allocation *allocation;
    ck_assert_int_eq(wal_allocation_dense(5, 3, x, &allocation), WAL_OK);
    wal_measures q;
    ck_assert_int_eq(wal_measure(&t.market, allocation, p, &q), WAL_OK);
    ck_assert_double_eq_tol(q.nash_gap, expected, 1e-9 * fmax(1, expected));
    ck_assert_double_eq_tol(q.nash_gap, q.lfw - q.lnw, 1e-13 * fmax(1, fabs(q.lfw)));
    ck_assert_double_ge(q.nash_gap, 0);
    wal_allocation_destroy(allocation);
    test_market_destroy(&t);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("quasilinear");
  TCase *measures = tcase_create("measures");
  tcase_add_test(measures, one_good_by_hand);
  tcase_add_test(measures, gap_of_any_pair_is_that_of_the_programs);
  suite_add_tcase(suite, measures);
  return run_suite(suite);
}
