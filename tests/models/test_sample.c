/* closed_form and newton_sample. */
#include <string.h>

#include "models/common/parallel.h"
#include "models/market/contexts.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"
#include "tests/models/market_fixture.h"
#include "tests/suite.h"

static wal_status solve(const char *name, const wal_market *market, int64_t buyers, wal_solution *s) {
  wal_solver_options options;
  wal_solver_defaults(&options);
  options.newton_sample.buyers = buyers;
  return wal_solver_find(name)->solve(market, &options, NULL, s);
}

/* p_j = (1/Y_j) sum_i B_i v_ij/v_t in long double; a fifth of the values are 0. */
START_TEST(closed_form_by_definition) {
  enum { N = 3001, M = 5 };
  test_market t = test_market_create(1, N, M, 0, 3);
  for (int i = 0; i < N; i++) t.values[i * M + i % M] = 0;
  wal_solution s, exact;
  ck_assert_msg(solve("closed_form", &t.market, 0, &s) == WAL_OK, "%s", wal_error());
  ck_assert_msg(solve("newton", &t.market, 0, &exact) == WAL_OK, "%s", wal_error());
  for (int j = 0; j < M; j++) {
    long double spent = 0;
    for (int i = 0; i < N; i++) {
      long double total = 0;
      for (int k = 0; k < M; k++) total += t.values[i * M + k];
      spent += t.budget[i] * t.values[i * M + j] / total;
    }
    ck_assert_double_eq_tol(s.price[j] * t.supply[j] / (double)spent, 1, 1e-14);
    ck_assert_double_eq_tol(exact.price[j] / s.price[j], 1, 1e-12);
  }
  wal_measures m;
  ck_assert_msg(wal_measure(&t.market, s.allocation, s.price, &m) == WAL_OK, "%s", wal_error());
  ck_assert_double_le(fabs(m.nash_gap), 1e-14);
  ck_assert_double_le(m.voa, 1e-14);
  ck_assert_double_le(m.vop, 1e-14);
  wal_solution_destroy(&s);
  wal_solution_destroy(&exact);
  t.market.alpha = 0.5;
  ck_assert_int_eq(solve("closed_form", &t.market, 0, &s), WAL_E_UNSUPPORTED);
  ck_assert_str_eq(wal_error(), "closed_form takes alpha = 0, not 0.5; newton takes any alpha");
  test_market_destroy(&t);
}
END_TEST

/* 64 times as many buyers: the gap falls like 1/buyers, at least 10 times; like its root for Leontief
   utilities, which feel the scarcest good at first order: at least 4 times. The whole budget is asked for;
   bits do not depend on threads. */
START_TEST(samples_come_near) {
  static const double alphas[] = {0.9, 0.5, 0, -1, 1, -INFINITY};
  wal_context_market c;
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, 7, 1 << 16, 5, 5, alphas[_i], &c), WAL_OK);
  double gap[2];
  for (int k = 0; k < 2; k++) {
    wal_threads_set(k + 1);
    wal_solution s, again;
    wal_measures m;
    ck_assert_msg(solve("newton_sample", &c.market, k == 0 ? 64 : 4096, &s) == WAL_OK, "%s", wal_error());
    wal_threads_set(3);
    ck_assert_int_eq(solve("newton_sample", &c.market, k == 0 ? 64 : 4096, &again), WAL_OK);
    ck_assert_mem_eq(s.price, again.price, 5 * sizeof(double));
    ck_assert_msg(wal_measure(&c.market, s.allocation, s.price, &m) == WAL_OK, "%s", wal_error());
    ck_assert_double_le(m.vop, 1e-13);
    ck_assert(isnan(s.certified_gap));
    gap[k] = m.nash_gap;
    wal_solution_destroy(&s);
    wal_solution_destroy(&again);
  }
  ck_assert_double_le(gap[1], (isinf(alphas[_i]) ? 0.25 : 0.1) * gap[0]);
  ck_assert_double_ge(gap[1], 0);
  wal_context_market_destroy(&c);
}
END_TEST

/* A source whose values say which buyer was asked for. */
static int asked[100];
static wal_status who(const wal_source *source, int64_t lo, int64_t hi, double *v, double *budget) {
  (void)source;
  for (int64_t i = lo; i < hi; i++) {
    if (v) v[2 * (i - lo)] = v[2 * (i - lo) + 1] = 1, asked[i]++;
    if (budget) budget[i - lo] = 1;
  }
  return WAL_OK;
}

/* 30 of 100: nobody twice, about 30 different ones, and the sample's budgets add up to the population's. */
START_TEST(nobody_is_drawn_twice) {
  const wal_source_ops ops = {.name = "who", .rows = who};
  const wal_source source = {&ops};
  const double supply[2] = {1, 1};
  const wal_market market = {.n = 100, .m = 2, .alpha = 0, .buyers = &source, .supply = supply};
  wal_threads_set(1);
  wal_solution s;
  memset(asked, 0, sizeof asked);
  ck_assert_int_eq(solve("newton_sample", &market, 30, &s), WAL_OK);
  int most = 0, different = 0;
  for (int i = 0; i < 100; i++) {
    different += asked[i] > 0;
    most = asked[i] > most ? asked[i] : most;
  }
  ck_assert_int_eq(different, 30);
  for (int i = 0; i < 100; i++) ck_assert(asked[i] == 0 || asked[i] == most);
  ck_assert_double_eq_tol(s.price[0], 50, 1e-10);
  wal_solution_destroy(&s);
}
END_TEST

/* Runs of one and two buyers, the two alike: a buyer drawn stands for its whole run. */
START_TEST(runs_weigh_what_they_hold) {
  enum { N = 3, M = 2 };
  test_market t = test_market_create(4, N, M, 0.5, 1);
  for (int j = 0; j < M; j++) t.values[2 * M + j] = t.values[M + j];
  t.budget[2] = t.budget[1];
  wal_solution s, exact;
  ck_assert_int_eq(solve("newton_sample", &t.market, 2, &s), WAL_OK);
  ck_assert_int_eq(solve("newton", &t.market, 0, &exact), WAL_OK);
  for (int j = 0; j < M; j++) ck_assert_double_eq_tol(s.price[j] / exact.price[j], 1, 1e-9);
  wal_solution_destroy(&s);
  wal_solution_destroy(&exact);
  test_market_destroy(&t);
}
END_TEST

START_TEST(whole_populations_and_bad_samples) {
  enum { N = 50, M = 3 };
  test_market t = test_market_create(3, N, M, 0.5, 1);
  wal_solution s, exact;
  ck_assert_int_eq(solve("newton_sample", &t.market, N, &s), WAL_OK);
  ck_assert_int_eq(solve("newton", &t.market, 0, &exact), WAL_OK);
  ck_assert_mem_eq(s.price, exact.price, M * sizeof(double));
  wal_solution_destroy(&s);
  wal_solution_destroy(&exact);
  ck_assert_int_eq(solve("newton_sample", &t.market, 0, &s), WAL_E_INPUT);
  for (int i = 0; i < N; i++) t.values[i * M + 1] = 0;
  ck_assert_int_eq(solve("newton_sample", &t.market, 10, &s), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(),
                   "in a sample of 10 buyers (newton_sample.buyers): no buyer values good 1; "
                   "expected at least one positive value (or leave it out)");
  ck_assert_ptr_null(s.price);
  test_market_destroy(&t);
}
END_TEST

int main(void) {
  Suite *s = suite_create("sample");
  TCase *t = tcase_create("closed form and samples");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, closed_form_by_definition);
  tcase_add_loop_test(t, samples_come_near, 0, 6);
  tcase_add_test(t, nobody_is_drawn_twice);
  tcase_add_test(t, runs_weigh_what_they_hold);
  tcase_add_test(t, whole_populations_and_bad_samples);
  suite_add_tcase(s, t);
  return run_suite(s);
}
