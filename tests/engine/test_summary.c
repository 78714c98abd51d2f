/* Groups, their statistics and the notes against numbers worked out by hand (see toy_table.h). */
#include <check.h>

#include "tests/engine/toy_table.h"
#include "tests/suite.h"

static const char *const by_solver[] = {"solver"};
static const char *const by_both[] = {"solver", "seed"};
static const char *const measures[] = {"nash_gap", "voa", "vop", "solve_s"};

static toy *t;
static void setup(void) { t = toy_new(NULL); }
static void teardown(void) { toy_free(t); }

/* ---- groups ---- */

static void expect_group(const wal_group *group, int64_t row, int count, int failed) {
  ck_assert_int_eq(group->row, row);
  ck_assert_int_eq(group->count, count);
  ck_assert_int_eq(group->failed, failed);
}

START_TEST(groups_in_order_with_failures_apart) {
  wal_grouping by;
  ck_assert_int_eq(wal_group_rows(&t->result, by_solver, 1, &by), WAL_OK);
  ck_assert_int_eq(by.count, TOY_METHODS);
  expect_group(&by.groups[0], 0, 3, 0);
  expect_group(&by.groups[1], 3, 3, 0);
  expect_group(&by.groups[2], 6, 2, 1);
  expect_group(&by.groups[3], 9, 0, 3);
  ck_assert_int_eq(by.groups[2].rows[0], 6);
  ck_assert_int_eq(by.groups[2].rows[1], 8); /* seed 2 failed */
  wal_grouping_free(&by);
}
END_TEST

START_TEST(groups_by_two_keys_and_by_none) {
  wal_grouping by;
  ck_assert_int_eq(wal_group_rows(&t->result, by_both, 2, &by), WAL_OK);
  ck_assert_int_eq(by.count, TOY_POINTS);
  wal_grouping_free(&by);
  ck_assert_int_eq(wal_group_rows(&t->result, NULL, 0, &by), WAL_OK);
  ck_assert_int_eq(by.count, 1);
  expect_group(&by.groups[0], 0, 8, 4);
  wal_grouping_free(&by);
}
END_TEST

/* "a" then "1b" must not be taken for "a1" then "b". */
START_TEST(keys_are_not_run_together) {
  static const char *const by_texts[] = {"solver", "status"};
  static const char *const texts[][2] = {{"a", "1:b"}, {"a1:", "b"}, {"a", "1:b"}};
  for (int row = 0; row < 3; row++)
    for (int k = 0; k < 2; k++) {
      wal_value value = {.type = WAL_TEXT};
      snprintf(value.text, sizeof value.text, "%s", texts[row][k]);
      wal_frame_set(t->result.rows, row, wal_frame_find(t->result.rows, by_texts[k]), &value);
    }
  wal_grouping by;
  ck_assert_int_eq(wal_group_rows(&t->result, by_texts, 2, &by), WAL_OK);
  expect_group(&by.groups[0], 0, 2, 0);
  expect_group(&by.groups[1], 1, 1, 0);
  ck_assert_int_eq(by.groups[0].rows[1], 2);
  wal_grouping_free(&by);
}
END_TEST

START_TEST(a_finished_row_stands_for_its_group) {
  int status = wal_frame_find(t->result.rows, "status");
  wal_value failed = {.type = WAL_TEXT, .text = "failed"};
  wal_frame_set(t->result.rows, 0, status, &failed);
  wal_grouping by;
  ck_assert_int_eq(wal_group_rows(&t->result, by_solver, 1, &by), WAL_OK);
  expect_group(&by.groups[0], 1, 2, 1);
  wal_grouping_free(&by);
}
END_TEST

START_TEST(unknown_key_is_refused) {
  static const char *const wrong[] = {"solver", "sovler"};
  wal_grouping by;
  ck_assert_int_eq(wal_group_rows(&t->result, wrong, 2, &by), WAL_E_INTERNAL);
  ck_assert_str_eq(wal_error(),
                   "toy/table1: the drawing asks for a column sovler, which the rows do not have");
  ck_assert_ptr_null(by.groups);
}
END_TEST

/* ---- statistics ---- */

static wal_stat stat_by(const char *const keys[], int key_count, int group, const char *column) {
  wal_grouping by;
  ck_assert_int_eq(wal_group_rows(&t->result, keys, key_count, &by), WAL_OK);
  wal_stat stat = wal_group_stat(&by, group, column);
  wal_grouping_free(&by);
  return stat;
}

static wal_stat stat_of(int method, const char *column) { return stat_by(by_solver, 1, method, column); }

START_TEST(mean_deviation_and_ends) {
  wal_stat naive = stat_of(0, "nash_gap"), lossy = stat_of(2, "nash_gap");
  ck_assert_int_eq(naive.count, 3); /* 0.30, 0.32, 0.34 */
  ck_assert_double_eq_tol(naive.mean, 0.32, 1e-15);
  ck_assert_double_eq_tol(naive.sd, 0.02, 1e-15);
  ck_assert_double_eq(naive.min, 0.30);
  ck_assert_double_eq(naive.max, 0.34);
  ck_assert_int_eq(lossy.count, 2); /* 0.001 and 0.003: sd = 0.001 sqrt(2) */
  ck_assert_double_eq_tol(lossy.mean, 0.002, 1e-17);
  ck_assert_double_eq_tol(lossy.sd, 0.0014142135623730951, 1e-17);
}
END_TEST

START_TEST(no_row_and_one_row) {
  wal_stat none = stat_of(3, "nash_gap");
  ck_assert_int_eq(none.count, 0);
  ck_assert_double_nan(none.mean);
  ck_assert_double_nan(none.sd);
  wal_stat one = stat_by(by_both, 2, 1, "nash_gap");
  ck_assert_int_eq(one.count, 1);
  ck_assert_double_eq(one.mean, 0.32);
  ck_assert_double_nan(one.sd);
}
END_TEST

START_TEST(deviation_survives_a_large_mean) {
  int gap = wal_frame_find(t->result.rows, "nash_gap");
  for (int64_t row = 0; row < 3; row++) /* a sum of squares would lose all digits: 1e18 + 1 is 1e18 */
    wal_frame_set(t->result.rows, row, gap, &(wal_value){.type = WAL_REAL, .r = 1e9 + (double)row});
  ck_assert_double_eq(stat_of(0, "nash_gap").sd, 1.0);
}
END_TEST

START_TEST(missing_cells_do_not_count) {
  int gap = wal_frame_find(t->result.rows, "nash_gap");
  wal_frame_set(t->result.rows, 1, gap, &(wal_value){.type = WAL_REAL, .r = NAN});
  wal_stat naive = stat_of(0, "nash_gap"); /* 0.30, 0.34 */
  ck_assert_int_eq(naive.count, 2);
  ck_assert_double_eq_tol(naive.mean, 0.32, 1e-15);
}
END_TEST

/* ---- notes ---- */

static void keep_note(void *context, const char *note) { wal_text_add(context, "%s|", note); }

static char *notes_of(void (*which)(const wal_result *, wal_note_sink *, void *)) {
  wal_text text = {0};
  which(&t->result, keep_note, &text);
  return wal_text_steal(&text);
}

static void expect_notes(void (*which)(const wal_result *, wal_note_sink *, void *), const char *expected) {
  char *notes = notes_of(which);
  ck_assert_str_eq(notes, expected);
  free(notes);
}

START_TEST(failed_points_are_counted) { expect_notes(wal_notes_failed, "4 of 12 points failed|"); }
END_TEST

START_TEST(flags_are_told_and_their_absence_is_not) {
  expect_notes(wal_notes_sets, "Set on the command line: n=16384|");
  t->config.sets = (char[]){"n=16384\nalpha=-1"};
  expect_notes(wal_notes_sets, "Set on the command line: n=16384, alpha=-1|");
  t->config.sets = (char[]){""};
  expect_notes(wal_notes_sets, "");
}
END_TEST

START_TEST(published_settings_that_differ) {
  expect_notes(wal_notes_published, "Published at n = 1048576; here n = 16384|");
  t->setting[1].i = 512;
  expect_notes(wal_notes_published,
               "naive: published at n = 1048576; here n = 16384|eg: published at n = 512; here n = 16384|");
  t->setting[1].i = TOY_N;
  expect_notes(wal_notes_published, "naive: published at n = 1048576; here n = 16384|");
  t->setting[0].i = TOY_N;
  expect_notes(wal_notes_published, "");
  t->config.published_count = 0;
  expect_notes(wal_notes_published, "");
}
END_TEST

START_TEST(all_our_settings_are_named) {
  t->values[1][TOY_SIZE].i = 64; /* the second seed of naive */
  expect_notes(wal_notes_published,
               "naive: published at n = 1048576; here n = 16384, n = 64|"
               "eg: published at n = 1048576; here n = 16384|");
}
END_TEST

START_TEST(seeds) {
  ck_assert_int_eq(wal_seed_count(&t->result), 3);
  t->experiment.param_count = 2; /* no seed any more */
  ck_assert_int_eq(wal_seed_count(&t->result), 0);
}
END_TEST

/* ---- the standard table ---- */

static const wal_cell *cell(const wal_table *table, int row, const char *group, const char *header) {
  for (int c = 0; c < table->column_count; c++) {
    const char *g = table->columns[c].group;
    if (strcmp(table->columns[c].header, header) == 0 && (group ? g && strcmp(g, group) == 0 : !g))
      return &table->rows[row][c];
  }
  ck_abort_msg("no column %s %s", group ? group : "", header);
}

START_TEST(standard_table) {
  wal_drawing *drawing = wal_drawing_new(&t->result);
  ck_assert_int_eq(wal_drawing_standard_table(drawing, &t->result, "A caption", by_solver, 1, measures, 4),
                   WAL_OK);
  ck_assert_int_eq(drawing->table_count, 1);
  const wal_table *table = drawing->tables[0];
  ck_assert_int_eq(table->row_count, TOY_METHODS);
  ck_assert_str_eq(cell(table, 2, NULL, "solver")->text, "fc");
  /* 0.32 here, 0.5 published; eg 0.02 and 0.0625; voa 0.16 and a published 0 has no ratio */
  ck_assert_double_eq_tol(cell(table, 0, "nash_gap", "ours")->mean, 0.32, 1e-15);
  ck_assert_double_eq(cell(table, 0, "nash_gap", "paper")->mean, 0.5);
  ck_assert_double_eq_tol(cell(table, 0, "nash_gap", "ratio")->mean, 0.64, 1e-15);
  ck_assert_double_eq_tol(cell(table, 1, "nash_gap", "ratio")->mean, 0.32, 1e-15);
  ck_assert_double_eq(cell(table, 0, "voa", "paper")->mean, 0);
  ck_assert_double_nan(cell(table, 0, "voa", "ratio")->mean);
  ck_assert_double_nan(cell(table, 2, "nash_gap", "paper")->mean);
  ck_assert_int_eq(cell(table, 3, "nash_gap", "ours")->kind, WAL_CELL_FAILED);
  ck_assert_str_eq(cell(table, 3, NULL, "vop")->text, "step 0.1 is too large; 0.01 works");
  ck_assert_double_eq_tol(cell(table, 1, NULL, "solve_s [s]")->mean, 26, 1e-14);
  wal_drawing_free(drawing);
}
END_TEST

START_TEST(standard_table_notes) {
  static const char *const expected[] = {
      "Set on the command line: n=16384",
      "Mean ± standard deviation over 3 seeds",
      "ratio = ours / paper; -- where there is none",
      "Published at n = 1048576; here n = 16384",
      "4 of 12 points failed",
      "solver = fc: 1 of 3 failed and are not in the mean",
  };
  wal_drawing *drawing = wal_drawing_new(&t->result);
  ck_assert_int_eq(wal_drawing_standard_table(drawing, &t->result, "", by_solver, 1, measures, 4), WAL_OK);
  const wal_table *table = drawing->tables[0];
  ck_assert_int_eq(table->note_count, 6);
  for (int i = 0; i < 6; i++) ck_assert_str_eq(table->notes[i], expected[i]);
  wal_drawing_free(drawing);
}
END_TEST

START_TEST(standard_table_of_an_unknown_measure) {
  static const char *const wrong[] = {"nash_gap", "nashgap"};
  wal_drawing *drawing = wal_drawing_new(&t->result);
  ck_assert_int_eq(wal_drawing_standard_table(drawing, &t->result, "", by_solver, 1, wrong, 2),
                   WAL_E_INTERNAL);
  ck_assert_str_eq(wal_error(),
                   "toy/table1: the drawing asks for a column nashgap, which the rows do not have");
  ck_assert_int_eq(drawing->table_count, 0);
  wal_drawing_free(drawing);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("summary");
  TCase *tests = tcase_create("summary");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, groups_in_order_with_failures_apart);
  tcase_add_test(tests, groups_by_two_keys_and_by_none);
  tcase_add_test(tests, keys_are_not_run_together);
  tcase_add_test(tests, a_finished_row_stands_for_its_group);
  tcase_add_test(tests, unknown_key_is_refused);
  tcase_add_test(tests, mean_deviation_and_ends);
  tcase_add_test(tests, no_row_and_one_row);
  tcase_add_test(tests, deviation_survives_a_large_mean);
  tcase_add_test(tests, missing_cells_do_not_count);
  tcase_add_test(tests, failed_points_are_counted);
  tcase_add_test(tests, flags_are_told_and_their_absence_is_not);
  tcase_add_test(tests, published_settings_that_differ);
  tcase_add_test(tests, all_our_settings_are_named);
  tcase_add_test(tests, seeds);
  tcase_add_test(tests, standard_table);
  tcase_add_test(tests, standard_table_notes);
  tcase_add_test(tests, standard_table_of_an_unknown_measure);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
