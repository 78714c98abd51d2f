/* Maximum Nash welfare against the optimality conditions of Eisenberg and Gale, closed forms of Appendix A,
   and gaps by a linear program of its own (wal_nw_gap_check). */
#include <string.h>

#include "models/common/parallel.h"
#include "models/nashwelfare/examples.h"
#include "models/nashwelfare/families.h"
#include "models/nashwelfare/nash_welfare.h"
#include "models/nashwelfare/verify.h"
#include "tests/models/utility_fixture.h"

static wal_nw_market market_of(int n, int m) {
  wal_nw_market market;
  ck_assert_int_eq(wal_nw_market_create(n, m, &market), WAL_OK);
  return market;
}

static wal_nw_solution solved(const wal_nw_market *market) {
  wal_nw_solution s;
  const wal_status status = wal_nw_maximise(market, NULL, &s);
  ck_assert_msg(status == WAL_OK, "%s", wal_error());
  ck_assert_double_le(s.gap, 1e-10);
  ck_assert_double_eq_tol(s.log_welfare, wal_nw_log_welfare(market, s.u), 1e-14);
  for (int j = 0; j < market->m; j++) {
    double sold = 0;
    for (int i = 0; i < market->n; i++) {
      ck_assert_double_ge(s.y[i * market->m + j], 0);
      sold += s.y[i * market->m + j];
    }
    ck_assert_double_le(sold, 1); /* exactly */
    ck_assert_double_ge(s.q[j], 0);
  }
  return s;
}

/* ---- homogeneous utilities: the conditions of Eisenberg and Gale ---- */

/* Ties everywhere: values 0, 1, 2, 3. */
static void tied_values(int i, int m, double *v) {
  for (int j = 0; j < m; j++) v[j] = floor(4 * test_uniform((uint64_t)(100 * i + j)));
  v[i % m] = 2;
}

START_TEST(linear) {
  enum { N = 7, M = 5 };
  wal_nw_market market = market_of(N, M);
  double v[N][M], total = 0, paid = 0;
  for (int i = 0; i < N; i++) {
    tied_values(i, M, v[i]);
    market.budget[i] = 1 + i % 3;
    total += market.budget[i];
    ck_assert_int_eq(wal_utility_linear(M, v[i], &market.utility[i]), WAL_OK);
  }
  wal_nw_solution s = solved(&market);
  for (int j = 0; j < M; j++) paid += s.q[j];
  ck_assert_double_eq_tol(paid, total, 1e-9);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++) {
      const double worth = v[i][j] * market.budget[i] / s.u[i];
      ck_assert_double_le(worth, s.q[j] + 1e-7);
      if (s.y[i * M + j] > 1e-6) ck_assert_double_ge(worth, s.q[j] - 1e-7);
    }
  wal_nw_solution_destroy(&s);
  wal_nw_market_destroy(&market);
}
END_TEST

START_TEST(leontief) {
  enum { N = 6, M = 4 };
  wal_nw_market market = market_of(N, M);
  double a[N][M];
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < M; j++) a[i][j] = test_uniform((uint64_t)(500 + 10 * i + j));
    a[i][i % M] = 0;
    market.budget[i] = 1 + i;
    ck_assert_int_eq(wal_utility_leontief(M, a[i], &market.utility[i]), WAL_OK);
  }
  wal_nw_solution s = solved(&market);
  for (int i = 0; i < N; i++) { /* a unit of utility costs b / u */
    double cost = 0;
    for (int j = 0; j < M; j++) cost += a[i][j] * s.q[j];
    ck_assert_double_eq_tol(cost * s.u[i], market.budget[i], 1e-6);
  }
  for (int j = 0; j < M; j++) { /* what is left over is free */
    double sold = 0;
    for (int i = 0; i < N; i++) sold += a[i][j] * s.u[i];
    ck_assert_double_le(sold, 1 + 1e-9);
    ck_assert_double_eq_tol(s.q[j] * (1 - sold), 0, 1e-6);
  }
  wal_nw_solution_destroy(&s);
  wal_nw_market_destroy(&market);
}
END_TEST

/* One good: everyone has a share as large as that of the budget, from 1e-6 to 1e6. */
START_TEST(one_good) {
  enum { N = 13 };
  wal_nw_market market = market_of(N, 1);
  double total = 0, low, high;
  for (int i = 0; i < N; i++) {
    const double v = pow(10, 20 - 3 * i);
    market.budget[i] = pow(10, i - 6);
    total += market.budget[i];
    ck_assert_int_eq(wal_utility_linear(1, &v, &market.utility[i]), WAL_OK);
  }
  wal_nw_solution s = solved(&market);
  for (int i = 0; i < N; i++) ck_assert_double_eq_tol(s.y[i] * total / market.budget[i], 1, 1e-3);
  ck_assert_double_eq_tol(s.q[0], total, 1e-9 * total);
  ck_assert_int_eq(wal_nw_price_range(&market, &s, &low, &high), WAL_OK);
  ck_assert_double_eq_tol(low, total, 1e-5 * total);
  ck_assert_double_eq_tol(high, total, 1e-5 * total);
  wal_nw_solution_destroy(&s);
  wal_nw_market_destroy(&market);
}
END_TEST

/* ---- Appendix A ---- */

START_TEST(examples) {
  for (int number = 1; number <= WAL_EXAMPLES; number++) {
    wal_example_size size = wal_example_defaults(number);
    wal_nw_market market;
    double u[64];
    ck_assert_int_eq(wal_example(number, &size, &market), WAL_OK);
    ck_assert_int_le(market.n, 64);
    wal_nw_solution s = solved(&market);
    if (wal_example_nash(number, &size, u) == WAL_OK)
      for (int i = 0; i < market.n; i++) /* log welfare is flat: u is as good as the root of the gap */
        ck_assert_double_eq_tol(s.u[i] / u[i], 1, 2e-6);
    wal_nw_solution_destroy(&s);
    wal_nw_market_destroy(&market);
  }
}
END_TEST

static void check_range(const wal_nw_market *market, int count, const double (*expected)[2], double tol) {
  double low[64], high[64];
  wal_nw_solution s = solved(market);
  ck_assert_int_eq(wal_nw_price_range(market, &s, low, high), WAL_OK);
  for (int j = 0; j < count; j++) {
    ck_assert_double_eq_tol(low[j], expected[j][0], tol);
    ck_assert_double_eq_tol(high[j], expected[j][1], tol);
    ck_assert_double_ge(s.q[j], low[j]);
    ck_assert_double_le(s.q[j], high[j]);
  }
  wal_nw_solution_destroy(&s);
}

/* The market with each utility as its network: the range is then found by linear programs. */
static void to_networks(wal_nw_market *market) {
  for (int i = 0; i < market->n; i++) {
    wal_network net;
    wal_utility *u;
    ck_assert_int_eq(wal_utility_network(market->utility[i], &net), WAL_OK);
    ck_assert_int_eq(wal_utility_generalized_network(&net, &u), WAL_OK);
    wal_network_destroy(&net);
    wal_utility_destroy(market->utility[i]);
    market->utility[i] = u;
  }
}

START_TEST(price_ranges) {
  const double a1[2][2] = {{0.00624219725, 0.00624219725}, {0.39823008850, 0.39823008850}};
  const double a5[3][2] = {{0, 1}, {0, 1}, {1, 1}}, a9[3][2] = {{0, 1}, {1, 1}, {1, 1}};
  for (int nets = 0; nets < 2; nets++)
    for (int number = 1; number <= 9; number += 4) {
      wal_example_size size = wal_example_defaults(number);
      size.n = 3;
      wal_nw_market market;
      ck_assert_int_eq(wal_example(number, &size, &market), WAL_OK);
      if (nets) to_networks(&market);
      check_range(&market, number == 1 ? 2 : 3, number == 1 ? a1 : number == 5 ? a5 : a9, 2e-6);
      wal_nw_market_destroy(&market);
    }
}
END_TEST

/* One agent and one good, all of which it takes: q is between its slopes to the right and to the left of 1
   over its utility. */
static void check_one(wal_utility *u, double low, double high) {
  const double expected[1][2] = {{low, high}};
  wal_nw_market market = market_of(1, 1);
  market.utility[0] = u;
  check_range(&market, 1, expected, 2e-6);
  wal_nw_market_destroy(&market);
}

START_TEST(price_ranges_of_one_agent) {
  wal_utility *u = NULL;
  const test_arc full[] = {{0, 1, 1, INFINITY}, {1, 2, 2, 0.5}, {1, 2, 1, 0.5}};
  ck_assert_int_eq(test_network(1, 3, 2, 3, full, &u), WAL_OK);
  check_one(u, 0, 1 / 1.5);
  const test_arc kink[] = {{0, 1, 1, INFINITY}, {1, 2, 2, 1}, {1, 2, 1, INFINITY}};
  ck_assert_int_eq(test_network(1, 3, 2, 3, kink, &u), WAL_OK);
  check_one(u, 0.5, 1);
  /* the second piece is far above, or meets the first at 1 */
  ck_assert_int_eq(wal_utility_plc(1, 2, (double[]){1, 0.5}, (double[]){0, 0.9}, &u), WAL_OK);
  check_one(u, 1, 1);
  ck_assert_int_eq(wal_utility_plc(1, 2, (double[]){1, 0.5}, (double[]){0, 0.5}, &u), WAL_OK);
  check_one(u, 0.5, 1);
  /* a second segment of which a ten-thousandth is taken, and another left */
  const wal_segment thin[] = {{2, 0.9999}, {1, 0.0002}};
  ck_assert_int_eq(wal_utility_splc(1, (int[]){0, 2}, thin, &u), WAL_OK);
  check_one(u, 1 / 1.9999, 1 / 1.9999);
}
END_TEST

/* ---- degenerate markets ---- */

/* Everyone can be full, and a good that nobody wants: all prices are 0, for certain. */
START_TEST(all_satiated) {
  enum { N = 3, M = 3 };
  const double v[M] = {1, 2, 0}, l[M] = {0.2, 0.3, INFINITY};
  const double zero[M][2] = {{0, 0}, {0, 0}, {0, 0}};
  wal_nw_market market = market_of(N, M);
  for (int i = 0; i < N; i++)
    ck_assert_int_eq(wal_utility_bounded_linear(M, v, l, &market.utility[i]), WAL_OK);
  wal_nw_solution s = solved(&market);
  for (int i = 0; i < N; i++) ck_assert_double_eq_tol(s.u[i], 0.5, 1e-9);
  wal_nw_solution_destroy(&s);
  check_range(&market, M, zero, 1e-9);
  to_networks(&market);
  check_range(&market, M, zero, 1e-9);
  wal_nw_market_destroy(&market);
}
END_TEST

/* An agent who wants one good only, which all others want too, and slopes down to 1e-10. */
START_TEST(contested_and_tiny) {
  const double all[2] = {1, 1e-10}, one[2] = {0, 1e-10};
  wal_nw_market market = market_of(3, 2);
  ck_assert_int_eq(wal_utility_linear(2, all, &market.utility[0]), WAL_OK);
  ck_assert_int_eq(wal_utility_linear(2, all, &market.utility[1]), WAL_OK);
  ck_assert_int_eq(wal_utility_linear(2, one, &market.utility[2]), WAL_OK);
  wal_nw_solution s = solved(&market);
  ck_assert_double_eq_tol(s.u[0], 0.5, 1e-6);
  ck_assert_double_eq_tol(s.u[1], 0.5, 1e-6);
  ck_assert_double_eq_tol(s.u[2] / 1e-10, 1, 1e-6);
  wal_nw_solution_destroy(&s);
  wal_nw_market_destroy(&market);
}
END_TEST

/* Flow may go round between nodes 2 and 3 without end; nodes 5 and 6 are not reached or lead nowhere. */
START_TEST(networks_with_circles) {
  const test_arc arcs[] = {{0, 2, 1, INFINITY}, {1, 3, 0.5, INFINITY}, {2, 3, 1, INFINITY},
                           {3, 2, 1, INFINITY}, {2, 4, 2, 0.75},       {3, 4, 1, INFINITY},
                           {5, 4, 9, INFINITY}, {2, 6, 1, INFINITY}};
  wal_nw_market market = market_of(2, 2);
  for (int i = 0; i < 2; i++) ck_assert_int_eq(test_network(2, 7, 4, 8, arcs, &market.utility[i]), WAL_OK);
  wal_nw_solution s = solved(&market); /* 3/4 of a unit for each, as inflow to the arc that gains 2 */
  for (int i = 0; i < 2; i++) ck_assert_double_eq_tol(s.u[i], 1.5, 1e-9);
  wal_nw_solution_destroy(&s);
  wal_nw_market_destroy(&market);
}
END_TEST

/* ---- random markets ---- */

START_TEST(families) {
  for (const wal_family *f = wal_families; f->name; f++)
    for (int64_t k = 0; k < 100; k++) {
      wal_nw_market market;
      double gap, distance;
      ck_assert_int_eq(f->draw(5, k, 2 + (int)(k % 4), 2 + (int)(k % 3), &market), WAL_OK);
      wal_nw_solution s = solved(&market);
      ck_assert_int_eq(wal_nw_gap_check(&market, s.y, &gap), WAL_OK);
      ck_assert_msg(gap <= 1e-9, "%s %d: %g", f->name, (int)k, gap);
      ck_assert_int_eq(wal_nw_gale_check(&market, s.y, s.q, &distance), WAL_OK);
      ck_assert_msg(distance <= 1e-6, "%s %d: %g", f->name, (int)k, distance);
      wal_nw_solution_destroy(&s);
      wal_nw_market_destroy(&market);
    }
}
END_TEST

/* However early the method stops, no less than its gap is missing. */
START_TEST(gaps_are_bounds) {
  int early = 0;
  for (const wal_family *f = wal_families; f->name; f++)
    for (int64_t k = 0; k < 30; k++) {
      wal_nw_market market;
      ck_assert_int_eq(f->draw(8, k, 4, 3, &market), WAL_OK);
      wal_nw_solution best = solved(&market), s;
      wal_nw_options options = {.tol = 100};
      for (options.iterations = 1; options.iterations < 10; options.iterations++) {
        ck_assert_int_eq(wal_nw_maximise(&market, &options, &s), WAL_OK);
        const double missing = best.log_welfare - s.log_welfare;
        ck_assert_msg(missing <= s.gap + 1e-14, "%s %d: gap %g, missing %g", f->name, (int)k, s.gap, missing);
        early += missing > 1e-9;
        wal_nw_solution_destroy(&s);
      }
      wal_nw_solution_destroy(&best);
      wal_nw_market_destroy(&market);
    }
  ck_assert_int_gt(early, 500);
}
END_TEST

/* Never is a larger gap than was asked for an answer. */
START_TEST(gaps_are_as_asked) {
  for (const wal_family *f = wal_families; f->name; f++)
    for (int64_t k = 0; k < 30; k++) {
      wal_nw_market market;
      wal_nw_solution s;
      wal_nw_options options = wal_nw_defaults();
      ck_assert_int_eq(f->draw(8, k, 4, 3, &market), WAL_OK);
      for (options.tol = 1e-16; options.tol < 1e-12; options.tol *= 10)
        if (wal_nw_maximise(&market, &options, &s) == WAL_OK) {
          ck_assert_double_le(s.gap, options.tol);
          wal_nw_solution_destroy(&s);
        }
      wal_nw_market_destroy(&market);
    }
}
END_TEST

/* The same utilities as networks: the same welfare. */
START_TEST(as_networks) {
  for (const wal_family *f = wal_families; f->name; f++)
    for (int64_t k = 0; f->network && k < 10; k++) {
      wal_nw_market market;
      ck_assert_int_eq(f->draw(6, k, 4, 3, &market), WAL_OK);
      wal_nw_solution a = solved(&market);
      to_networks(&market);
      wal_nw_solution b = solved(&market);
      ck_assert_double_eq_tol(a.log_welfare, b.log_welfare, 2e-10);
      wal_nw_solution_destroy(&a);
      wal_nw_solution_destroy(&b);
      wal_nw_market_destroy(&market);
    }
}
END_TEST

/* No allocation drawn at random is better. */
START_TEST(nothing_is_better) {
  enum { N = 3, M = 3 };
  for (const wal_family *f = wal_families; f->name; f++) {
    wal_nw_market market;
    ck_assert_int_eq(f->draw(7, 1, N, M, &market), WAL_OK);
    wal_nw_solution s = solved(&market);
    for (uint64_t k = 0; k < 200; k++) {
      double x[N * M], u[N];
      const double step = k % 2 ? 1 : 1e-3; /* anywhere, or near */
      for (int j = 0; j < M; j++) {
        double sum = 0;
        for (int i = 0; i < N; i++) {
          x[i * M + j] = (1 - step) * s.y[i * M + j] + step * test_uniform(k * 64 + (uint64_t)(i * M + j));
          sum += x[i * M + j];
        }
        for (int i = 0; i < N; i++) x[i * M + j] /= sum;
      }
      for (int i = 0; i < N; i++) u[i] = wal_utility_value(market.utility[i], &x[i * M]);
      ck_assert_double_le(wal_nw_log_welfare(&market, u), s.log_welfare + s.gap + 1e-15);
    }
    wal_nw_solution_destroy(&s);
    wal_nw_market_destroy(&market);
  }
}
END_TEST

/* ---- threads, refusals ---- */

enum { TASKS = 12 };
typedef struct {
  double u[TASKS][5], q[TASKS][4];
} answers;

static wal_status solve_task(void *context, int64_t k) {
  answers *to = context;
  int count = 0;
  while (wal_families[count].name) count++;
  wal_nw_market market;
  wal_nw_solution s = {0};
  wal_status status = wal_families[k % count].draw(8, k, 5, 4, &market);
  if (status != WAL_OK) return status;
  status = wal_nw_maximise(&market, NULL, &s);
  if (status == WAL_OK) {
    memcpy(to->u[k], s.u, sizeof to->u[k]);
    memcpy(to->q[k], s.q, sizeof to->q[k]);
  }
  wal_nw_solution_destroy(&s);
  wal_nw_market_destroy(&market);
  return status;
}

START_TEST(same_bits_with_any_threads) {
  static answers one, many;
  wal_threads_set(1);
  ck_assert_int_eq(wal_for_tasks(TASKS, solve_task, &one), WAL_OK);
  wal_threads_set(8);
  ck_assert_int_eq(wal_for_tasks(TASKS, solve_task, &many), WAL_OK);
  ck_assert_int_eq(memcmp(&one, &many, sizeof one), 0);
}
END_TEST

START_TEST(refusals) {
  const double v[2] = {1, 1}, q[4] = {1, 0, 0, 1};
  wal_nw_market market = market_of(2, 2);
  wal_nw_solution s;
  ck_assert_int_eq(wal_utility_linear(2, v, &market.utility[0]), WAL_OK);
  ck_assert_int_eq(wal_nw_maximise(&market, NULL, &s), WAL_E_INPUT); /* agent 1 has no utility */
  ck_assert_ptr_null(s.u);
  ck_assert_int_eq(wal_utility_quadratic(2, v, q, &market.utility[1]), WAL_OK);
  ck_assert_int_eq(wal_nw_maximise(&market, NULL, &s), WAL_E_UNSUPPORTED);
  ck_assert_ptr_nonnull(strstr(wal_error(), "agent 1"));
  wal_utility_destroy(market.utility[1]);
  ck_assert_int_eq(wal_utility_linear(2, v, &market.utility[1]), WAL_OK);
  wal_nw_options options = wal_nw_defaults();
  options.tol = 0;
  ck_assert_int_eq(wal_nw_maximise(&market, &options, &s), WAL_E_INPUT);
  options = wal_nw_defaults();
  options.iterations = 2; /* too few: says so rather than give what it has */
  ck_assert_int_eq(wal_nw_maximise(&market, &options, &s), WAL_E_DIVERGED);
  market.budget[0] = -1;
  ck_assert_int_eq(wal_nw_maximise(&market, NULL, &s), WAL_E_INPUT);
  wal_nw_solution_destroy(&s);
  wal_nw_solution_destroy(NULL);
  wal_nw_market_destroy(&market);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("models/nash_welfare");
  TCase *tests = tcase_create("nash_welfare");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, linear);
  tcase_add_test(tests, leontief);
  tcase_add_test(tests, one_good);
  tcase_add_test(tests, examples);
  tcase_add_test(tests, price_ranges);
  tcase_add_test(tests, price_ranges_of_one_agent);
  tcase_add_test(tests, all_satiated);
  tcase_add_test(tests, contested_and_tiny);
  tcase_add_test(tests, networks_with_circles);
  tcase_add_test(tests, families);
  tcase_add_test(tests, gaps_are_bounds);
  tcase_add_test(tests, gaps_are_as_asked);
  tcase_add_test(tests, as_networks);
  tcase_add_test(tests, nothing_is_better);
  tcase_add_test(tests, same_bits_with_any_threads);
  tcase_add_test(tests, refusals);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
