/* Joining outcomes into a result, looking up traces and published values, provenance. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/engine/toy_result.h"
#include "tests/suite.h"

static const char *column_name(const wal_result *result, int column) {
  return column < wal_frame_columns(result->rows) ? wal_frame_column(result->rows, column)->name : "";
}

static wal_value cell(const wal_result *result, int64_t row, const char *name) {
  int column = wal_frame_find(result->rows, name);
  ck_assert_msg(column >= 0, "no column %s", name);
  return wal_frame_get(result->rows, row, column);
}

START_TEST(columns_are_point_status_parameters_measures_costs) {
  static const char *const expected[] = {"point", "status",  "n",       "solver",   "eg.step",
                                         "fast",  "seed",    "gap",     "steps",    "converged",
                                         "note",  "solve_s", "seconds", "peak_mib", "error"};
  wal_result *result = toy_result(false);
  ck_assert_int_eq(wal_frame_columns(result->rows), 15);
  for (int c = 0; c < 15; c++) ck_assert_str_eq(column_name(result, c), expected[c]);
  ck_assert_uint_eq(wal_frame_column(result->rows, 0)->flags, WAL_COLUMN_KEY);
  ck_assert_uint_eq(wal_frame_column(result->rows, 3)->flags, WAL_COLUMN_KEY);
  ck_assert_uint_eq(wal_frame_column(result->rows, 7)->flags, 0);
  ck_assert_uint_eq(wal_frame_column(result->rows, 12)->flags, WAL_COLUMN_TIMING);
  wal_result_free(result);
}
END_TEST

START_TEST(a_swept_parameter_that_is_no_key_gets_a_column) {
  const char *const sets[] = {"alpha=0.5,-1", "seed=1"};
  wal_config *config = toy_config(toy_yaml, sets, 2);
  ck_assert_int_eq(config->point_count, 4);
  wal_outcome outcomes[4] = {{.error = NULL}};
  wal_provenance none = {0};
  wal_result *result = NULL;
  ck_assert_int_eq(wal_result_build(config, outcomes, &none, &result), WAL_OK);
  ck_assert_int_ge(wal_frame_find(result->rows, "alpha"), 0);
  ck_assert_int_eq(wal_frame_rows(result->rows), 0); /* finished points that sent no rows */
  wal_result_free(result);
}
END_TEST

START_TEST(rows_carry_their_point) {
  wal_result *result = toy_result(false);
  ck_assert_int_eq(wal_frame_rows(result->rows), 4);
  for (int p = 0; p < 4; p++) {
    ck_assert_int_eq(cell(result, p, "point").i, p);
    ck_assert_str_eq(cell(result, p, "status").text, "ok");
    ck_assert_str_eq(cell(result, p, "error").text, "");
    ck_assert_str_eq(cell(result, p, "solver").text, p < 2 ? "eg" : "naïve");
    ck_assert_int_eq(cell(result, p, "seed").i, p % 2 + 1);
    ck_assert_double_eq(cell(result, p, "seconds").r, 0.5 + p);
    ck_assert_int_eq(cell(result, p, "steps").i, INT64_C(9007199254740993) + p);
  }
  /* eg.step counts for eg only */
  ck_assert_double_eq(cell(result, 0, "eg.step").r, 0.25);
  ck_assert_double_nan(cell(result, 2, "eg.step").r);
  wal_result_free(result);
}
END_TEST

START_TEST(a_failed_point_is_marked_and_keeps_what_it_sent) {
  wal_config *config = toy_config(toy_yaml, NULL, 0);
  wal_outcome outcomes[TOY_POINTS];
  wal_provenance none = {0};
  wal_result *result = NULL;
  for (int p = 0; p < TOY_POINTS; p++) outcomes[p] = toy_outcome(p, 1);
  outcomes[2].status = WAL_E_DIVERGED;
  free(outcomes[2].error);
  outcomes[2].error = strdup("the gap grew");
  ck_assert_int_eq(wal_result_build(config, outcomes, &none, &result), WAL_OK);
  ck_assert_int_eq(wal_frame_rows(result->rows), 5);
  for (int row = 2; row < 4; row++) {
    ck_assert_int_eq(cell(result, row, "point").i, 2);
    ck_assert_str_eq(cell(result, row, "status").text, "failed");
    ck_assert_str_eq(cell(result, row, "error").text, "the gap grew");
  }
  ck_assert_double_eq(cell(result, 2, "gap").r, 0.2);
  ck_assert_double_nan(cell(result, 3, "gap").r);
  ck_assert_int_eq(cell(result, 4, "point").i, 3);
  ck_assert_ptr_nonnull(wal_result_trace(result, 2, "train"));
  for (int p = 0; p < TOY_POINTS; p++) wal_outcome_free(&outcomes[p]);
  wal_result_free(result);
}
END_TEST

/* 254 bytes and a two-byte letter do not fit 255: the letter goes whole. */
START_TEST(a_long_error_is_cut_between_characters) {
  char error[400] = "";
  memset(error, 'x', 254);
  strcpy(error + 254, "é and more");
  wal_config *config = toy_config(toy_yaml, NULL, 0);
  wal_outcome outcomes[TOY_POINTS] = {toy_failure(error)};
  wal_provenance none = {0};
  wal_result *result = NULL;
  ck_assert_int_eq(wal_result_build(config, outcomes, &none, &result), WAL_OK);
  error[254] = '\0';
  ck_assert_str_eq(cell(result, 0, "error").text, error);
  wal_outcome_free(&outcomes[0]);
  wal_result_free(result);
}
END_TEST

START_TEST(traces_are_found_by_point_and_name) {
  wal_result *result = toy_result(true);
  const wal_frame *trace = wal_result_trace(result, 2, "train");
  ck_assert_ptr_nonnull(trace);
  ck_assert_int_eq(wal_frame_rows(trace), 3);
  ck_assert_double_eq(wal_frame_real(trace, 1, 1), exp(-1) / 3);
  ck_assert_ptr_null(wal_result_trace(result, 2, "other"));
  ck_assert_ptr_null(wal_result_trace(result, 3, "train"));
  wal_result_free(result);
}
END_TEST

START_TEST(published_values_belong_to_their_rows) {
  wal_result *result = toy_result(true);
  ck_assert_double_eq(wal_result_published(result, 0, "gap"), 0.0217);
  ck_assert_double_eq(wal_result_published(result, 1, "gap"), 0.0217);
  ck_assert_double_nan(wal_result_published(result, 2, "gap"));
  ck_assert_double_nan(wal_result_published(result, 0, "steps"));
  ck_assert_double_nan(wal_result_published(result, 0, "no such column"));
  wal_result_free(result);
}
END_TEST

START_TEST(a_column_named_like_ours_is_our_mistake) {
  wal_experiment clash = toy_experiment;
  wal_column columns[] = {{"gap", WAL_REAL, "1", "gap", 0, 0, 0},
                          {"seconds", WAL_REAL, "s", "time", 0, 0, 0}};
  clash.columns = columns;
  clash.column_count = 2;
  const wal_experiment *const registry[] = {&clash, NULL};
  wal_config *config = NULL;
  ck_assert_int_eq(wal_config_parse("experiment: toy/figure1\n", "a.yaml", NULL, NULL, 0, registry, &config),
                   WAL_OK);
  wal_outcome outcome = {.error = NULL};
  wal_provenance none = {0};
  wal_result *result = NULL;
  ck_assert_int_eq(wal_result_build(config, &outcome, &none, &result), WAL_E_INTERNAL);
  ck_assert_str_eq(wal_error(), "two columns are named 'seconds'; rename the experiment's");
  ck_assert_ptr_null(result);
  wal_config_free(config); /* still ours */
}
END_TEST

START_TEST(half_built_things_can_be_freed) {
  wal_result_free(NULL);
  wal_outcome_free(NULL);
  wal_provenance_free(NULL);
  wal_outcome outcome = {.trace_count = 3};
  wal_outcome_free(&outcome);
  wal_result_free(calloc(1, sizeof(wal_result)));
}
END_TEST

/* --- provenance --- */

START_TEST(names_are_replaced_in_place) {
  wal_provenance p = {0};
  ck_assert_int_eq(wal_provenance_add(&p, "threads", "%d", 1), WAL_OK);
  ck_assert_int_eq(wal_provenance_add(&p, "cpu", "x"), WAL_OK);
  ck_assert_int_eq(wal_provenance_add(&p, "threads", "%d", 2), WAL_OK);
  ck_assert_int_eq(p.count, 2);
  ck_assert_str_eq(p.names[0], "threads");
  ck_assert_str_eq(wal_provenance_get(&p, "threads"), "2");
  ck_assert_ptr_null(wal_provenance_get(&p, "none"));
  wal_provenance_free(&p);
  ck_assert_int_eq(p.count, 0);
}
END_TEST

START_TEST(what_is_collected_is_true) {
  static const char *const names[] = {
      "walras", "git_commit",  "git_dirty", "compiler",  "compiler_flags", "build_type",
      "hdf5",   "libyaml",     "gnuplot",   "cpu",       "cores",          "threads",
      "device", "device_line", "kernel",    "generator", "start"};
  char host[256] = "";
  wal_provenance p;
  time_t before = time(NULL);
  ck_assert_msg(wal_provenance_collect(&wal_device_choice_cpu, &p) == WAL_OK, "%s", wal_error());
  ck_assert_int_eq(p.count, 17);
  for (int i = 0; i < 17; i++) {
    ck_assert_str_eq(p.names[i], names[i]);
    ck_assert_str_ne(p.values[i], "");
  }
  ck_assert_str_eq(wal_provenance_get(&p, "generator"), "Random123 philox4x32-10");
  ck_assert_str_eq(wal_provenance_get(&p, "device"), "cpu");
  ck_assert_str_eq(wal_provenance_get(&p, "device_line"), "cpu");
  ck_assert_ptr_nonnull(strstr(wal_provenance_get(&p, "compiler_flags"), "-ffp-contract=off"));
  ck_assert_int_le(atoi(wal_provenance_get(&p, "cores")), sysconf(_SC_NPROCESSORS_ONLN));
  struct tm utc = {0};
  ck_assert_ptr_nonnull(strptime(wal_provenance_get(&p, "start"), "%Y-%m-%dT%H:%M:%SZ", &utc));
  time_t start = timegm(&utc);
  ck_assert(start >= before && start <= time(NULL));
  gethostname(host, sizeof host - 1);
  for (int i = 0; i < p.count && strlen(host) > 3; i++) ck_assert_ptr_null(strstr(p.values[i], host));
  wal_provenance_free(&p);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("result");
  TCase *results = tcase_create("results");
  tcase_add_test(results, columns_are_point_status_parameters_measures_costs);
  tcase_add_test(results, a_swept_parameter_that_is_no_key_gets_a_column);
  tcase_add_test(results, rows_carry_their_point);
  tcase_add_test(results, a_failed_point_is_marked_and_keeps_what_it_sent);
  tcase_add_test(results, a_long_error_is_cut_between_characters);
  tcase_add_test(results, traces_are_found_by_point_and_name);
  tcase_add_test(results, published_values_belong_to_their_rows);
  tcase_add_test(results, a_column_named_like_ours_is_our_mistake);
  tcase_add_test(results, half_built_things_can_be_freed);
  tcase_add_test(results, names_are_replaced_in_place);
  tcase_add_test(results, what_is_collected_is_true);
  suite_add_tcase(suite, results);
  return run_suite(suite);
}
