/* Linear and mixed-integer programs: against enumeration, closed forms and finite differences. */
#include <math.h>

#include "models/common/lp.h"
#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "tests/suite.h"

static wal_lp_outcome solve(wal_lp *lp) {
  wal_lp_outcome outcome;
  ck_assert_msg(wal_lp_solve(lp, &outcome) == WAL_OK, "%s", wal_error());
  return outcome;
}

/* max 3x + 2y : x + y <= 4, x + 3y <= 6, 0 <= x <= 3, y >= 0: x = 3, y = 1, 11. */
static wal_lp *example(bool maximise, double unit) {
  wal_lp *lp = wal_lp_create(maximise);
  const double sign = maximise ? unit : -unit;
  const int x = wal_lp_column(lp, 0, 3, 3 * sign), y = wal_lp_column(lp, 0, INFINITY, 2 * sign);
  const int first = wal_lp_row(lp, -INFINITY, 4), second = wal_lp_row(lp, -INFINITY, 6);
  wal_lp_set(lp, first, x, 1);
  wal_lp_set(lp, first, y, 1);
  wal_lp_set(lp, second, x, 1);
  wal_lp_set(lp, second, y, 3);
  return lp;
}

/* ---- answers and duals ---- */

START_TEST(answers_have_the_signs_of_derivatives) {
  for (int k = 0; k < 4; k++) {
    const bool maximise = k % 2;
    const double unit = k < 2 ? 1 : 1e-9, sign = maximise ? unit : -unit;
    wal_lp *lp = example(maximise, unit);
    ck_assert_int_eq(solve(lp), WAL_LP_OPTIMAL);
    ck_assert_double_eq_tol(wal_lp_objective(lp), 11 * sign, 1e-12 * unit);
    ck_assert_double_eq_tol(wal_lp_value(lp, 0), 3, 1e-12);
    ck_assert_double_eq_tol(wal_lp_value(lp, 1), 1, 1e-12);
    ck_assert_double_eq_tol(wal_lp_activity(lp, 1), 6, 1e-12);
    const double dual[2] = {wal_lp_dual(lp, 0), wal_lp_dual(lp, 1)}, reduced = wal_lp_reduced(lp, 0);
    const double before = wal_lp_objective(lp), h = 1e-3;
    wal_lp_bound_row(lp, 0, -INFINITY, 4 - h); /* both rows meet there: only this side is row 0's */
    ck_assert_int_eq(solve(lp), WAL_LP_OPTIMAL);
    ck_assert_double_eq_tol(dual[0] + dual[1], 2 * sign - dual[1] * 2, 1e-9 * unit); /* stationary in y */
    ck_assert_double_eq_tol(reduced, 3 * sign - dual[0] - dual[1], 1e-9 * unit);
    ck_assert_double_le((before - wal_lp_objective(lp)) / sign, 2 * h + 1e-9);
    wal_lp_destroy(lp);
  }
}
END_TEST

/* Random programs without ties: each dual and reduced cost is the difference quotient of its bound. */
START_TEST(duals_are_derivatives) {
  enum { ROWS = 4, COLUMNS = 5 };
  for (int k = 0; k < 40; k++) {
    wal_lp *lp = wal_lp_create(k % 2);
    const double sign = k % 2 ? 1 : -1;
    double high[ROWS];
    uint64_t at = 0;
    for (int j = 0; j < COLUMNS; j++)
      wal_lp_column(lp, 0, 0.5, sign * (0.5 + wal_rng_uniform((uint64_t)k, WAL_STREAM_TEST, at++)));
    for (int i = 0; i < ROWS; i++) {
      high[i] = 0.5 + wal_rng_uniform((uint64_t)k, WAL_STREAM_TEST, at++);
      wal_lp_row(lp, -INFINITY, high[i]);
      for (int j = 0; j < COLUMNS; j++)
        wal_lp_set(lp, i, j, wal_rng_uniform((uint64_t)k, WAL_STREAM_TEST, at++));
    }
    ck_assert_int_eq(solve(lp), WAL_LP_OPTIMAL);
    const double before = wal_lp_objective(lp), h = 1e-7;
    double dual[ROWS];
    for (int i = 0; i < ROWS; i++) dual[i] = wal_lp_dual(lp, i);
    for (int i = 0; i < ROWS; i++) {
      wal_lp_bound_row(lp, i, -INFINITY, high[i] + h);
      ck_assert_int_eq(solve(lp), WAL_LP_OPTIMAL);
      ck_assert_double_eq_tol((wal_lp_objective(lp) - before) / h, dual[i], 1e-6);
      wal_lp_bound_row(lp, i, -INFINITY, high[i]);
    }
    wal_lp_destroy(lp);
  }
}
END_TEST

/* ---- outcomes ---- */

START_TEST(infeasible_unbounded_and_crossed) {
  wal_lp *lp = example(true, 1);
  wal_lp_bound_row(lp, 0, 8, INFINITY);
  ck_assert_int_eq(solve(lp), WAL_LP_INFEASIBLE);
  wal_lp_bound_row(lp, 0, -INFINITY, INFINITY);
  wal_lp_bound_row(lp, 1, -INFINITY, INFINITY);
  ck_assert_int_eq(solve(lp), WAL_LP_UNBOUNDED);
  wal_lp_bound_row(lp, 1, 5, 2);
  ck_assert_int_eq(solve(lp), WAL_LP_INFEASIBLE);
  wal_lp_bound_row(lp, 1, 6, 6);
  wal_lp_bound_column(lp, 0, 2, 1);
  ck_assert_int_eq(solve(lp), WAL_LP_INFEASIBLE);
  wal_lp_bound_column(lp, 0, 0, 3); /* and it can be solved again */
  ck_assert_int_eq(solve(lp), WAL_LP_OPTIMAL);
  ck_assert_double_eq_tol(wal_lp_objective(lp), 11, 1e-12);
  wal_lp_destroy(lp);
}
END_TEST

START_TEST(without_rows_or_entries) {
  wal_lp *lp = wal_lp_create(false);
  const int x = wal_lp_column(lp, -2, 5, 1);
  ck_assert_int_eq(solve(lp), WAL_LP_OPTIMAL);
  ck_assert_double_eq(wal_lp_value(lp, x), -2);
  const int row = wal_lp_row(lp, 1, INFINITY); /* 0 >= 1 */
  ck_assert_int_eq(solve(lp), WAL_LP_INFEASIBLE);
  wal_lp_set(lp, row, x, 2);
  ck_assert_int_eq(solve(lp), WAL_LP_OPTIMAL);
  ck_assert_double_eq_tol(wal_lp_value(lp, x), 0.5, 1e-12);
  wal_lp_destroy(lp);
}
END_TEST

START_TEST(bad_numbers_are_told) {
  const double bad[3] = {NAN, INFINITY, -INFINITY};
  wal_lp_outcome outcome;
  for (int k = 0; k < 3; k++) {
    wal_lp *lp = example(true, 1);
    wal_lp_set(lp, 0, 0, bad[k]);
    ck_assert_int_eq(wal_lp_solve(lp, &outcome), WAL_E_INPUT);
    wal_lp_destroy(lp);
    lp = example(true, 1);
    wal_lp_cost(lp, 0, bad[k]);
    ck_assert_int_eq(wal_lp_solve(lp, &outcome), WAL_E_INPUT);
    wal_lp_destroy(lp);
  }
  wal_lp *lp = example(true, 1);
  wal_lp_set(lp, 0, 0, 5); /* there already */
  ck_assert_int_eq(wal_lp_solve(lp, &outcome), WAL_E_INTERNAL);
  wal_lp_destroy(lp);
  wal_lp_destroy(NULL);
}
END_TEST

/* ---- changed programs ---- */

/* A chain of changed bounds, costs, rows and columns: as if each program were new. */
START_TEST(solved_again_is_solved_anew) {
  enum { STEPS = 60 };
  wal_lp *kept = wal_lp_create(true);
  double high[STEPS], value[STEPS][3];
  for (int j = 0; j < 3; j++) wal_lp_column(kept, 0, INFINITY, 1 + j);
  for (int k = 0; k < STEPS; k++) {
    wal_lp *fresh = wal_lp_create(true);
    high[k] = 0.2 + wal_rng_uniform(7, WAL_STREAM_TEST, (uint64_t)k);
    const int row = wal_lp_row(kept, -INFINITY, high[k]), turned = k / 2;
    high[turned] *= 1.1;
    wal_lp_bound_row(kept, turned, -INFINITY, high[turned]);
    for (int j = 0; j < 3; j++) {
      value[k][j] = 0.1 + wal_rng_uniform(8, WAL_STREAM_TEST, (uint64_t)(3 * k + j));
      wal_lp_set(kept, row, j, value[k][j]);
      wal_lp_cost(kept, j, 1 + (j + k) % 3);
      wal_lp_column(fresh, 0, INFINITY, 1 + (j + k) % 3);
    }
    for (int r = 0; r <= k; r++) {
      wal_lp_row(fresh, -INFINITY, high[r]);
      for (int j = 0; j < 3; j++) wal_lp_set(fresh, r, j, value[r][j]);
    }
    ck_assert_int_eq(solve(kept), WAL_LP_OPTIMAL);
    ck_assert_int_eq(solve(fresh), WAL_LP_OPTIMAL);
    ck_assert_double_eq_tol(wal_lp_objective(kept), wal_lp_objective(fresh), 1e-12);
    wal_lp_destroy(fresh);
  }
  wal_lp_destroy(kept);
}
END_TEST

/* ---- numbers far from 1 ---- */

/* The best segment by value / price under one budget row, in units from 1e-8 to 1e8. */
START_TEST(badly_scaled_knapsacks) {
  enum { GOODS = 30 };
  for (int k = 0; k < 50; k++) {
    wal_lp *lp = wal_lp_create(true);
    const int row = wal_lp_row(lp, -INFINITY, 1);
    double best = 0;
    for (int j = 0; j < GOODS; j++) {
      const uint64_t at = (uint64_t)(2 * GOODS * k + 2 * j);
      const double value = pow(10, 8 - 16 * wal_rng_uniform(3, WAL_STREAM_TEST, at));
      const double price = pow(10, 8 - 16 * wal_rng_uniform(3, WAL_STREAM_TEST, at + 1));
      wal_lp_set(lp, row, wal_lp_column(lp, 0, INFINITY, value), price);
      best = fmax(best, value / price);
    }
    ck_assert_int_eq(solve(lp), WAL_LP_OPTIMAL);
    ck_assert_double_eq_tol(wal_lp_objective(lp) / best, 1, 1e-9);
    wal_lp_destroy(lp);
  }
}
END_TEST

/* ---- integers ---- */

enum { ITEMS = 9 };
static double knapsack_by_hand(const double *value, const double *weight) {
  double best = 0;
  for (int set = 0; set < 1 << ITEMS; set++) {
    double worth = 0, load = 0;
    for (int j = 0; j < ITEMS; j++)
      if (set >> j & 1) worth += value[j], load += weight[j];
    if (load <= 2 && worth > best) best = worth;
  }
  return best;
}

START_TEST(binary_knapsacks) {
  for (int k = 0; k < 20; k++) {
    double value[ITEMS], weight[ITEMS];
    wal_lp *lp = wal_lp_create(true);
    const int row = wal_lp_row(lp, -INFINITY, 2);
    for (int j = 0; j < ITEMS; j++) {
      value[j] = wal_rng_uniform(4, WAL_STREAM_TEST, (uint64_t)(2 * (ITEMS * k + j)));
      weight[j] = wal_rng_uniform(4, WAL_STREAM_TEST, (uint64_t)(2 * (ITEMS * k + j) + 1));
      wal_lp_column(lp, 0, 1, value[j]);
      wal_lp_set(lp, row, j, weight[j]);
      wal_lp_integer(lp, j);
    }
    ck_assert_int_eq(solve(lp), WAL_LP_OPTIMAL);
    ck_assert_double_eq_tol(wal_lp_objective(lp), knapsack_by_hand(value, weight), 1e-9);
    wal_lp_limit(lp, 1);
    wal_lp_outcome outcome;
    const wal_status status = wal_lp_solve(lp, &outcome);
    ck_assert(status == WAL_E_DIVERGED || (status == WAL_OK && outcome != WAL_LP_INFEASIBLE));
    wal_lp_limit(lp, 0);
    wal_lp_bound_row(lp, row, 100, INFINITY);
    ck_assert_int_eq(solve(lp), WAL_LP_INFEASIBLE);
    wal_lp_destroy(lp);
  }
}
END_TEST

/* ---- threads ---- */

static wal_status one_task(void *context, int64_t k) {
  double *out = context;
  wal_lp *outer = example(k % 2, 1), *inner = example(true, 1 + (double)k);
  wal_lp_outcome outcome;
  wal_status status = wal_lp_solve(inner, &outcome);
  if (status == WAL_OK) out[k] = wal_lp_objective(inner);
  wal_lp_destroy(inner); /* the other program of this thread lives on */
  if (status == WAL_OK) status = wal_lp_solve(outer, &outcome);
  if (status == WAL_OK) out[k] += wal_lp_objective(outer);
  wal_lp_destroy(outer);
  return status;
}

START_TEST(programs_of_many_threads) {
  enum { TASKS = 400 };
  double out[TASKS];
  wal_threads_set(8);
  ck_assert_int_eq(wal_for_tasks(TASKS, one_task, out), WAL_OK);
  for (int k = 0; k < TASKS; k++) ck_assert_double_eq_tol(out[k], 11 * (1 + k) + (k % 2 ? 11 : -11), 1e-9);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("models/lp");
  TCase *tests = tcase_create("lp");
  tcase_add_test(tests, answers_have_the_signs_of_derivatives);
  tcase_add_test(tests, duals_are_derivatives);
  tcase_add_test(tests, infeasible_unbounded_and_crossed);
  tcase_add_test(tests, without_rows_or_entries);
  tcase_add_test(tests, bad_numbers_are_told);
  tcase_add_test(tests, solved_again_is_solved_anew);
  tcase_add_test(tests, badly_scaled_knapsacks);
  tcase_add_test(tests, binary_knapsacks);
  tcase_add_test(tests, programs_of_many_threads);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
