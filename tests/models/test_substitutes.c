/* The search for counterexamples, and the Gale demand of quadratic utilities. */
#include <math.h>

#include "models/common/rng.h"
#include "models/nashwelfare/demand_quadratic.h"
#include "models/nashwelfare/substitutes.h"
#include "tests/suite.h"

enum { M = 3 };
static const double c[M] = {4, 4, 4}, Q[M * M] = {1, 0.6, 0.6, 0.6, 1, 0, 0.6, 0, 1};

static double gradient(const double *y, int j) {
  double sum = c[j];
  for (int k = 0; k < M; k++) sum -= Q[j * M + k] * y[k];
  return sum;
}

static double worth(const double *y) {
  double sum = 0;
  for (int j = 0; j < M; j++) sum += 0.5 * (c[j] + gradient(y, j)) * y[j];
  return sum;
}

/* ---- quadratic utilities ---- */

/* Section 8: (.5, .5, .5) at the gradient over the utility; y_3 rises as q_2 falls. */
START_TEST(section_8) {
  const double start[M] = {0.5, 0.5, 0.5};
  double q[M], y[M];
  for (int j = 0; j < M; j++) q[j] = gradient(start, j) / worth(start);
  ck_assert_double_eq_tol(q[0], 0.5446, 5e-5);
  ck_assert_double_eq_tol(q[1], 0.6009, 5e-5);
  ck_assert_int_eq(wal_demand_gale_quadratic(M, c, Q, q, 1, y), WAL_OK);
  for (int j = 0; j < M; j++) ck_assert_double_eq_tol(y[j], 0.5, 1e-12);
  q[1] -= 0.05;
  ck_assert_int_eq(wal_demand_gale_quadratic(M, c, Q, q, 1, y), WAL_OK);
  ck_assert_double_eq_tol(y[2], 0.6052, 5e-5);
}
END_TEST

/* Lemma 4.3: gradient <= q u / b, equal where y_j > 0. */
START_TEST(quadratic_demands_meet_their_conditions) {
  for (int k = 0; k < 200; k++) {
    double q[M], y[M];
    for (int j = 0; j < M; j++) q[j] = 2 * wal_rng_uniform(1, WAL_STREAM_TEST, (uint64_t)(M * k + j));
    if (k % 5 == 0) q[k % M] = 0;
    const double b = 0.1 + 2 * wal_rng_uniform(2, WAL_STREAM_TEST, (uint64_t)k);
    ck_assert_int_eq(wal_demand_gale_quadratic(M, c, Q, q, b, y), WAL_OK);
    for (int j = 0; j < M; j++) {
      const double slack = q[j] * worth(y) / b - gradient(y, j);
      ck_assert_double_ge(slack, -1e-10);
      ck_assert_double_le(slack * y[j], 1e-10);
      ck_assert_double_ge(y[j], 0);
    }
  }
}
END_TEST

START_TEST(flat_quadratics_are_refused) {
  const double flat[1] = {0}, one[1] = {1}, q[1] = {1};
  double y[1];
  ck_assert_int_eq(wal_demand_gale_quadratic(1, one, flat, q, 1, y), WAL_E_INPUT);
}
END_TEST

/* ---- the search ---- */

/* Trials that fail; *tried: those that say something. */
static int failures(const wal_substitutes_agent *agent, wal_substitutes_property property, int count,
                    int *tried) {
  int found = 0;
  *tried = 0;
  for (int k = 0; k < count; k++) {
    wal_substitutes_trial trial;
    ck_assert_msg(wal_substitutes_try(agent, property, 9, k, &trial) == WAL_OK, "%s", wal_error());
    found += trial.excess > 1e-6;
    *tried += trial.tried;
  }
  return found;
}

/* Three equal goods up to 1: fails (Sigma) as A.10 does, and nothing else. */
START_TEST(a10_fails_sigma_alone) {
  wal_utility *u = NULL;
  int tried;
  ck_assert_int_eq(wal_utility_leontief_free(M, 1, (double[M]){1, 1, 1}, (double[1]){1}, &u), WAL_OK);
  const wal_substitutes_agent agent = {.u = u};
  ck_assert_int_gt(failures(&agent, WAL_SUBSTITUTES_SIGMA, 50, &tried), 10);
  ck_assert_int_eq(tried, 50);
  ck_assert_int_eq(failures(&agent, WAL_SUBSTITUTES_PRICES, 50, &tried), 0);
  ck_assert_int_eq(failures(&agent, WAL_SUBSTITUTES_BUDGET, 50, &tried), 0);
  ck_assert_int_eq(failures(&agent, WAL_SUBSTITUTES_SUBMODULAR, 50, &tried), 0);
  wal_utility_destroy(u);
}
END_TEST

/* Of two complements, a cheaper one draws the other up; linear utilities pass everything. */
START_TEST(complements_fail) {
  wal_utility *u = NULL;
  int tried;
  ck_assert_int_eq(wal_utility_leontief(2, (double[2]){1, 2}, &u), WAL_OK);
  const wal_substitutes_agent agent = {.u = u};
  ck_assert_int_gt(failures(&agent, WAL_SUBSTITUTES_PRICES, 50, &tried), 20);
  ck_assert_int_eq(failures(&agent, WAL_SUBSTITUTES_BUDGET, 50, &tried), 0);
  ck_assert_int_gt(failures(&agent, WAL_SUBSTITUTES_SUBMODULAR, 50, &tried), 5);
  wal_utility_destroy(u);
  ck_assert_int_eq(wal_utility_linear(2, (double[2]){1, 2}, &u), WAL_OK);
  const wal_substitutes_agent linear = {.u = u};
  for (int p = 0; p < 4; p++) ck_assert_int_eq(failures(&linear, (wal_substitutes_property)p, 50, &tried), 0);
  wal_utility_destroy(u);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("models/substitutes");
  TCase *tests = tcase_create("substitutes");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, section_8);
  tcase_add_test(tests, quadratic_demands_meet_their_conditions);
  tcase_add_test(tests, flat_quadratics_are_refused);
  tcase_add_test(tests, a10_fails_sigma_alone);
  tcase_add_test(tests, complements_fail);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
