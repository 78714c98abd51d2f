/* Points of MarketFCNet's figures: what their rows must satisfy whatever the numbers are. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/config.h"
#include "engine/sink.h"
#include "experiments/marketfcnet/market.h"
#include "experiments/registry.h"
#include "tests/suite.h"

/* Runs the first point of a figure's smoke profile under some --set flags. */
static wal_outcome run(const char *figure, const char *const sets[], int count) {
  char path[4096];
  snprintf(path, sizeof path, "%s/configs/marketfcnet/%s.yaml", WAL_SOURCE_DIR, figure);
  wal_config *config = NULL;
  ck_assert_msg(wal_config_load(path, "smoke", sets, count, wal_experiments(), &config) == WAL_OK, "%s",
                wal_error());
  wal_sink *sink = wal_sink_new(config->experiment, NULL, NULL);
  wal_outcome outcome = {0};
  wal_status status = config->experiment->run_point(&config->points[0], sink);
  status = wal_sink_finish(sink, status, &outcome);
  ck_assert_msg(status == WAL_OK && outcome.status == WAL_OK, "%s: %s", figure, outcome.error);
  wal_sink_free(sink);
  wal_config_free(config);
  return outcome;
}

static double real(const wal_outcome *o, int64_t row, const char *column) {
  return wal_frame_real(o->rows, row, wal_frame_find(o->rows, column));
}

static const char *text(const wal_outcome *o, int64_t row, const char *column) {
  return wal_frame_text(o->rows, row, wal_frame_find(o->rows, column));
}

/* 10 -> 256 four times -> 1 by hand: 2560 + 3 * 65536 + 256 weights. */
START_TEST(operations_of_the_papers_training) {
  wal_solver_options o;
  wal_solver_defaults(&o);
  ck_assert_int_eq(wal_market_weights(&o.fc, 10, 1), 199424);
  const double steps = 6.0 * 199424 * 2560 * 3000, passes = 2.0 * 199424 * 10 * 1048576 * 30;
  ck_assert_double_eq_tol(wal_market_training_flop(&o.fc, "fc", 1 << 20, 10, 5), steps + passes, 1);
  o.fc.price_buyers = 1 << 16;
  ck_assert_double_eq_tol(wal_market_training_flop(&o.fc, "fc", 1 << 20, 10, 5), steps + passes / 16, 1);
  o.tower.depth = 1; /* d x m weights, a row per buyer */
  o.tower.epochs = 30;
  o.tower.inner = 100;
  ck_assert_double_eq_tol(wal_market_training_flop(&o.tower, "tower", 100, 10, 5),
                          50.0 * (6.0 * 3000 * 256 + 2.0 * 100), 1);
}
END_TEST

/* C.2: "only return a result when all lambda_j > 0". Without rho they stay at 0. */
START_TEST(eg_without_a_result_is_a_row) {
  const char *const sets[] = {"solver=eg", "n=64", "eg.rho=0"};
  wal_outcome o = run("fig2", sets, 3);
  ck_assert_int_eq(wal_frame_rows(o.rows), 1);
  ck_assert_str_eq(text(&o, 0, "outcome"), "did not converge");
  ck_assert(isnan(real(&o, 0, "nash_gap")));
  wal_outcome_free(&o);
}
END_TEST

/* The CPU has float32; of the other formats it says that it has not, and gives no number. */
START_TEST(precisions_of_gpus_have_no_numbers_on_the_cpu) {
  static const char *const formats[] = {"fc.precision=float32", "fc.precision=tf32", "fc.precision=bf16"};
  for (int k = 0; k < 3; k++) {
    const char *const sets[] = {"solver=fc", "seed=1", formats[k]};
    wal_outcome o = run("precision", sets, 3);
    ck_assert_int_eq(wal_frame_rows(o.rows), 1);
    ck_assert_str_eq(text(&o, 0, "precision"), formats[k] + strlen("fc.precision="));
    ck_assert_str_eq(text(&o, 0, "outcome"), k ? "needs a GPU" : "ok");
    ck_assert_int_eq(isnan(real(&o, 0, "nash_gap")), k > 0);
    ck_assert_int_eq(isnan(real(&o, 0, "flop_per_s")), k > 0);
    wal_outcome_free(&o);
  }
}
END_TEST

START_TEST(the_gap_is_the_sum_of_its_parts) {
  static const char *const solvers[] = {"solver=fc_share", "solver=eg_m"};
  const char *const sets[] = {solvers[_i], "n=256"};
  wal_outcome o = run("gap-anatomy", sets, 2);
  ck_assert_int_gt(wal_frame_rows(o.rows), 2);
  for (int64_t row = 0; row < wal_frame_rows(o.rows); row++) {
    const double allocation = real(&o, row, "allocation_part"), price = real(&o, row, "price_part");
    ck_assert_double_eq_tol(real(&o, row, "nash_gap"), allocation + price, 1e-12);
    ck_assert_double_ge(allocation, -1e-12);
    ck_assert_double_ge(price, -1e-12);
    ck_assert_double_ge(real(&o, row, "worst_buyer"), real(&o, row, "allocation_error"));
  }
  wal_outcome_free(&o);
}
END_TEST

/* 4,000 draws: a standard deviation within 10%, a mean within 5 standard errors. Away from clearing (shift)
   the square is estimated where it is not 0. */
START_TEST(estimators_meet_theory) {
  static const char *const shifts[] = {"shift=0", "shift=0.3"};
  const char *const sets[] = {"batch=32", "draws=4000", "n=1024", shifts[_i]};
  wal_outcome o = run("estimators", sets, 4);
  ck_assert_int_eq(wal_frame_rows(o.rows), 4);
  for (int64_t row = 0; row < 4; row++) {
    ck_assert_double_le(fabs(real(&o, row, "bias_z")), 5);
    ck_assert_double_eq_tol(real(&o, row, "sd") / real(&o, row, "sd_theory"), 1, 0.1);
  }
  const double excess = exp(0.3) - 1; /* of each of 10 goods */
  if (_i == 1) ck_assert_double_eq_tol(real(&o, 0, "truth"), 10 * excess * excess, 1e-6);
  wal_outcome_free(&o);
}
END_TEST

START_TEST(amortised_prices_clear) {
  wal_outcome o = run("amortised", NULL, 0);
  ck_assert_int_eq(wal_frame_rows(o.rows), 6 * 5);
  for (int64_t row = 0; row < wal_frame_rows(o.rows); row++) {
    const char *method = text(&o, row, "method");
    const bool exact = !strcmp(method, "exact") || !strcmp(method, "warm");
    if (exact) ck_assert_double_le(fabs(real(&o, row, "nash_gap")), 1e-12);
    if (!exact) ck_assert_double_gt(real(&o, row, "nash_gap"), 1e-9);
    if (strcmp(method, "kept")) ck_assert_double_le(real(&o, row, "vop"), 1e-12);
    if (!strcmp(method, "cleared")) ck_assert_double_le(real(&o, row, "voa"), 1e-6);
  }
  wal_outcome_free(&o);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("experiments/figures");
  TCase *tc = tcase_create("points");
  tcase_set_timeout(tc, 60);
  tcase_add_test(tc, operations_of_the_papers_training);
  tcase_add_test(tc, eg_without_a_result_is_a_row);
  tcase_add_test(tc, precisions_of_gpus_have_no_numbers_on_the_cpu);
  tcase_add_loop_test(tc, the_gap_is_the_sum_of_its_parts, 0, 2);
  tcase_add_loop_test(tc, estimators_meet_theory, 0, 2);
  tcase_add_test(tc, amortised_prices_clear);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
