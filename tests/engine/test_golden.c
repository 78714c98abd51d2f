/* The regression: what moves is measured against its tolerance, by hand-computed fractions. */
#include <check.h>
#include <stdlib.h>

#include "engine/golden.h"
#include "tests/engine/toys.h"
#include "tests/suite.h"

static const char *const yaml =
    "experiment: toy/squares\nname: toy\nsweep:\n  grid: {x: [2, 3], seed: [1, 2]}\n"
    "regression: [{where: {x: 3}, rtol: {square: 0.5}, atol: {noise: 1}}]\n";

/* One finished point: square = x^2, noise = seed/8, sum = 2. */
static wal_outcome finished(const wal_point *point) {
  wal_outcome outcome = {.error = strdup(""), .seconds = 1, .peak_mib = 5};
  double x = (double)wal_point_int(point, "x");
  double cells[] = {x * x, (double)wal_point_int(point, "seed") / 8, 2, 0.25};
  outcome.rows = wal_frame_new(toy_columns, 4);
  wal_frame_add(outcome.rows);
  for (int c = 0; c < 4; c++)
    wal_frame_set(outcome.rows, 0, c, &(wal_value){.type = WAL_REAL, .r = cells[c]});
  return outcome;
}

static wal_result *make_result(const char *text) {
  wal_config *config = NULL;
  ck_assert_msg(wal_config_parse(text, "toy.yaml", NULL, NULL, 0, toys, &config) == WAL_OK, "%s",
                wal_error());
  wal_outcome outcomes[16];
  ck_assert_int_le(config->point_count, 16);
  int count = config->point_count;
  for (int i = 0; i < count; i++) outcomes[i] = finished(&config->points[i]);
  wal_result *result = NULL;
  ck_assert_msg(wal_result_build(config, outcomes, &(wal_provenance){0}, &result) == WAL_OK, "%s",
                wal_error());
  for (int i = 0; i < count; i++) wal_outcome_free(&outcomes[i]);
  return result;
}

static wal_result
    *result; /* of `yaml`, compared with its own rows in golden.csv after a test has moved some */
static int regressions;
static char *printed;

static void begin(void) {
  toys_begin();
  result = make_result(yaml);
  ck_assert_msg(wal_golden_write(result, "golden.csv") == WAL_OK, "%s", wal_error());
}

static void end(void) {
  wal_result_free(result);
  free(printed);
  printed = NULL;
  toys_end();
}

static void move(int64_t row, const char *column, double value) {
  wal_frame_set(result->rows, row, wal_frame_find(result->rows, column),
                &(wal_value){.type = WAL_REAL, .r = value});
}

static wal_status compare(void) {
  size_t length = 0;
  free(printed);
  FILE *out = open_memstream(&printed, &length);
  wal_status status = wal_golden_compare(result, "golden.csv", out, &regressions);
  fclose(out);
  return status;
}

static void must_compare(void) { ck_assert_msg(compare() == WAL_OK, "%s", wal_error()); }

START_TEST(nothing_moved_is_nothing_to_print) {
  must_compare();
  ck_assert_int_eq(regressions, 0);
  ck_assert_str_eq(
      printed,
      "toy: 4 rows, 4 columns compared; 0 columns moved, 0 cells beyond tolerance, 0 rows unmatched\n");
}
END_TEST

START_TEST(the_file_has_no_clocks) {
  char text[4096];
  toys_read("golden.csv", text, sizeof text);
  ck_assert_says(text, "status,x,seed,square,noise,sum\n");
  ck_assert_says(text, "ok,3,2,9,0.25,2\n");
}
END_TEST

/* Row 1 (x 2, seed 2): |4.000000001 - 4| = 1e-9 of 1e-9 * 4 is a quarter of the tolerance; noise moves by
 * 5e-7 of 1e-6. */
START_TEST(moves_within_tolerance_are_shown_and_pass) {
  move(1, "square", 4 + 1e-9);
  move(1, "noise", 0.25 + 5e-7);
  must_compare();
  ck_assert_int_eq(regressions, 0);
  ck_assert_says(printed, "ok   square");
  ck_assert_says(printed, "25%  x=2 seed=2\n");
  ck_assert_says(printed, "50%  x=2 seed=2\n");
  ck_assert_says(printed, "2 columns moved, 0 cells beyond tolerance");
}
END_TEST

/* 4.000000008 uses 200%; the worst of two cells is the one shown. */
START_TEST(moves_beyond_tolerance_fail) {
  move(0, "square", 4 + 4e-9 * 1.5);
  move(1, "square", 4 + 8e-9);
  must_compare();
  ck_assert_int_eq(regressions, 2);
  ck_assert_says(printed, "FAIL square               2 ");
  ck_assert_says(printed, "+8.00e-09      200%  x=2 seed=2\n");
}
END_TEST

/* The config's block gives x = 3 half of 9 for the square and 1 for the noise, and leaves x = 2 alone. */
START_TEST(the_config_may_widen_tolerances) {
  move(2, "square", 9 + 2.25);
  move(2, "noise", 0.125 + 0.75);
  must_compare();
  ck_assert_int_eq(regressions, 0);
  ck_assert_says(printed, "50%  x=3 seed=1\n");
  ck_assert_says(printed, "75%  x=3 seed=1\n");
  move(2, "square", 9 + 4.6);
  move(0, "noise", 0.5);
  must_compare();
  ck_assert_int_eq(regressions, 2);
}
END_TEST

START_TEST(clocks_never_count) {
  move(0, "took", 99);
  move(0, "seconds", 99);
  move(0, "peak_mib", 99);
  must_compare();
  ck_assert_int_eq(regressions, 0);
  ck_assert_silent_on(printed, "took");
}
END_TEST

START_TEST(a_missing_value_is_a_regression) {
  move(0, "noise", NAN);
  must_compare();
  ck_assert_int_eq(regressions, 1);
  ck_assert_says(printed, "FAIL noise");
  ck_assert_says(printed, "any  x=2 seed=1\n");
}
END_TEST

START_TEST(a_failed_point_is_a_regression) {
  wal_value failed = {.type = WAL_TEXT, .text = "failed"};
  wal_frame_set(result->rows, 0, wal_frame_find(result->rows, "status"), &failed);
  must_compare();
  ck_assert_int_eq(regressions, 1);
  ck_assert_says(printed, "FAIL status");
}
END_TEST

START_TEST(rows_missing_and_extra_are_named) {
  wal_result_free(result);
  result = make_result("experiment: toy/squares\nname: toy\nsweep:\n  grid: {x: [5, 3], seed: [1, 2]}\n");
  must_compare();
  ck_assert_int_eq(regressions, 4);
  ck_assert_says(printed, "FAIL missing row: x=2 seed=1\nFAIL missing row: x=2 seed=2\n");
  ck_assert_says(printed, "FAIL extra row, not in the golden file: x=5 seed=1\n");
  ck_assert_says(printed, "0 columns moved, 0 cells beyond tolerance, 4 rows unmatched\n");
}
END_TEST

START_TEST(a_foreign_csv_is_refused) {
  toys_write("golden.csv", "name,age\nada,36\n");
  ck_assert_int_eq(compare(), WAL_E_INPUT);
  ck_assert_says(wal_error(), "golden.csv");
}
END_TEST

START_TEST(the_commands_set_the_exit_code) {
  toys_config("x: [2, 3]");
  ck_assert_int_eq(toys_call("run toy.yaml --no-plots"), 0);
  ck_assert_int_eq(toys_call("golden toy.yaml -o kept"), 0);
  ck_assert_str_eq(toys_out, "kept/toy.csv\n");
  ck_assert_int_eq(toys_call("compare toy.yaml kept"), 0);
  ck_assert_int_eq(toys_call("run toy.yaml --no-plots --set scale=3 --results moved"), 0);
  ck_assert_int_eq(toys_call("compare moved/toy.h5 kept/toy.csv"), 1);
  ck_assert_says(toys_out, "FAIL square");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("golden");
  TCase *tcase = tcase_create("golden");
  tcase_add_checked_fixture(tcase, begin, end);
  tcase_add_test(tcase, nothing_moved_is_nothing_to_print);
  tcase_add_test(tcase, the_file_has_no_clocks);
  tcase_add_test(tcase, moves_within_tolerance_are_shown_and_pass);
  tcase_add_test(tcase, moves_beyond_tolerance_fail);
  tcase_add_test(tcase, the_config_may_widen_tolerances);
  tcase_add_test(tcase, clocks_never_count);
  tcase_add_test(tcase, a_missing_value_is_a_regression);
  tcase_add_test(tcase, a_failed_point_is_a_regression);
  tcase_add_test(tcase, rows_missing_and_extra_are_named);
  tcase_add_test(tcase, a_foreign_csv_is_refused);
  tcase_add_test(tcase, the_commands_set_the_exit_code);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
