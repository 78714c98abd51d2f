/* Frames: cells, missing values, the two printers, and CSV read back to the same bits. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/frame.h"
#include "tests/scratch.h"
#include "tests/suite.h"

static const wal_column columns[] = {
    {.name = "solver", .type = WAL_TEXT, .unit = "1", .doc = "which solver", .flags = WAL_COLUMN_KEY},
    {.name = "n", .type = WAL_INT, .unit = "buyers", .doc = "buyers"},
    {.name = "gap", .type = WAL_REAL, .unit = "nats", .doc = "Nash gap", .rtol = 0.1},
    {.name = "ok", .type = WAL_BOOL},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static void add(wal_frame *frame, const char *solver, int64_t n, double gap, bool ok) {
  int64_t row = wal_frame_add(frame);
  wal_value text = {.type = WAL_TEXT};
  snprintf(text.text, sizeof text.text, "%s", solver);
  wal_frame_set(frame, row, 0, &text);
  wal_frame_set(frame, row, 1, &(wal_value){.type = WAL_INT, .i = n});
  wal_frame_set(frame, row, 2, &(wal_value){.type = WAL_REAL, .r = gap});
  wal_frame_set(frame, row, 3, &(wal_value){.type = WAL_BOOL, .b = ok});
}

static wal_frame *sample(void) {
  wal_frame *frame = wal_frame_new(columns, COLUMNS);
  ck_assert_ptr_nonnull(frame);
  add(frame, "eg", 1024, 0.1 + 0.2, true);
  add(frame, "a \"b\", c", -3, -INFINITY, false);
  wal_frame_add(frame);
  return frame;
}

static char *printed(const wal_frame *frame, wal_frame_format format) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  wal_frame_print(frame, out, format);
  fclose(out);
  return text;
}

START_TEST(columns_are_copied) {
  char name[] = "x";
  wal_column column = {.name = name, .type = WAL_INT};
  wal_frame *frame = wal_frame_new(&column, 1);
  name[0] = 'y';
  ck_assert_int_eq(wal_frame_columns(frame), 1);
  ck_assert_int_eq(wal_frame_find(frame, "x"), 0);
  ck_assert_int_eq(wal_frame_find(frame, "y"), -1);
  ck_assert_str_eq(wal_frame_column(frame, 0)->unit, "1");
  ck_assert_str_eq(wal_frame_column(frame, 0)->doc, "");
  wal_frame_free(frame);
  wal_frame_free(NULL);
}
END_TEST

START_TEST(cells_come_back) {
  wal_frame *frame = sample();
  ck_assert_int_eq(wal_frame_rows(frame), 3);
  ck_assert_str_eq(wal_frame_text(frame, 1, 0), "a \"b\", c");
  ck_assert_str_eq(wal_frame_get(frame, 0, 0).text, "eg");
  ck_assert_int_eq(wal_frame_get(frame, 0, 1).i, 1024);
  ck_assert_double_eq(wal_frame_real(frame, 0, 1), 1024);
  ck_assert_double_eq(wal_frame_real(frame, 0, 2), 0.1 + 0.2);
  ck_assert(wal_frame_get(frame, 0, 3).b);
  wal_frame_free(frame);
}
END_TEST

START_TEST(new_rows_are_missing) {
  wal_frame *frame = sample();
  for (int c = 0; c < 3; c++) {
    ck_assert(wal_frame_missing(frame, 2, c));
    ck_assert(!wal_frame_missing(frame, 0, c));
  }
  ck_assert(isnan(wal_frame_real(frame, 2, 1)));
  ck_assert_int_eq(wal_frame_get(frame, 2, 1).i, INT64_MIN);
  ck_assert_str_eq(wal_frame_text(frame, 2, 0), "");
  wal_frame_free(frame);
}
END_TEST

START_TEST(integers_become_reals) {
  wal_frame *frame = sample();
  wal_frame_set(frame, 2, 2, &(wal_value){.type = WAL_INT, .i = 7});
  ck_assert_double_eq(wal_frame_real(frame, 2, 2), 7);
  wal_frame_set(frame, 2, 2, &(wal_value){.type = WAL_INT, .i = INT64_MIN});
  ck_assert(wal_frame_missing(frame, 2, 2));
  wal_frame_free(frame);
}
END_TEST

START_TEST(rows_survive_growth) {
  wal_frame *frame = wal_frame_new(columns, COLUMNS);
  for (int i = 0; i < 1000; i++) add(frame, "s", i, i / 7.0, i % 2);
  for (int i = 0; i < 1000; i++) {
    ck_assert_int_eq(wal_frame_get(frame, i, 1).i, i);
    ck_assert_double_eq(wal_frame_real(frame, i, 2), i / 7.0);
    ck_assert(wal_frame_get(frame, i, 3).b == i % 2);
  }
  wal_frame_free(frame);
}
END_TEST

START_TEST(aligned_text) {
  wal_frame *frame = sample();
  char *text = printed(frame, WAL_FRAME_ALIGNED);
  ck_assert_str_eq(text,
                   "solver       n   gap     ok\n"
                   "eg        1024   0.3   true\n"
                   "a \"b\", c    -3  -inf  false\n"
                   "-            -     -  false\n");
  free(text);
  wal_frame_free(frame);
}
END_TEST

START_TEST(csv_text) {
  wal_frame *frame = sample();
  char *text = printed(frame, WAL_FRAME_CSV);
  ck_assert_str_eq(text,
                   "solver,n,gap,ok\n"
                   "eg,1024,0.30000000000000004,true\n"
                   "\"a \"\"b\"\", c\",-3,-inf,false\n"
                   ",,,false\n");
  free(text);
  wal_frame_free(frame);
}
END_TEST

static char *path; /* of the CSV file, in the scratch folder */

static void make_folder(void) {
  scratch_make();
  path = scratch_path("f.csv");
}

static void write_csv(const char *text) {
  FILE *file = fopen(path, "w");
  ck_assert_ptr_nonnull(file);
  fputs(text, file);
  fclose(file);
}

START_TEST(csv_reads_back) {
  wal_frame *frame = sample(), *back;
  add(frame, "two\nlines", 5, 1.0 / 3, true);
  char *text = printed(frame, WAL_FRAME_CSV);
  write_csv(text);
  ck_assert_msg(wal_frame_read_csv(path, columns, COLUMNS, &back) == WAL_OK, "%s", wal_error());
  ck_assert_int_eq(wal_frame_rows(back), wal_frame_rows(frame));
  for (int64_t row = 0; row < wal_frame_rows(frame); row++) {
    for (int c = 0; c < COLUMNS; c++) {
      wal_value a = wal_frame_get(frame, row, c), b = wal_frame_get(back, row, c);
      ck_assert(wal_value_equal(&a, &b));
    }
  }
  free(text);
  wal_frame_free(frame);
  wal_frame_free(back);
}
END_TEST

START_TEST(csv_takes_any_order_and_line_ends) {
  write_csv("gap,solver\r\n2^-1,eg\r\n,fc");
  wal_frame *frame;
  ck_assert_msg(wal_frame_read_csv(path, columns, COLUMNS, &frame) == WAL_OK, "%s", wal_error());
  ck_assert_int_eq(wal_frame_rows(frame), 2);
  ck_assert_double_eq(wal_frame_real(frame, 0, 2), 0.5);
  ck_assert_str_eq(wal_frame_text(frame, 0, 0), "eg");
  ck_assert_str_eq(wal_frame_text(frame, 1, 0), "fc");
  ck_assert(wal_frame_missing(frame, 1, 2) && wal_frame_missing(frame, 1, 1));
  wal_frame_free(frame);
}
END_TEST

START_TEST(bad_csv_is_refused) {
  struct {
    const char *text, *message;
  } cases[] = {
      {"", ": the file is empty; expected a line with the names of the columns"},
      {"solver,gpa\n", ":1: unknown column \"gpa\""},
      {"n,gap,n\n", ":1: column \"n\" is given twice"},
      {"n,gap\n1,2\n3\n", ":3: 1 cells; the header names 2 columns"},
      {"n,gap\n1,2,3\n", ":2: 3 cells; the header names 2 columns"},
      {"n,gap\n1,2\n\n", ":3: 1 cells; the header names 2 columns"},
      {"solver,n\n\"a\nb\",1\nx,y\n", ":4: column \"n\": \"y\" is not an integer (write 12, 2^20 or 1e6)"},
      {"solver,n\n\"a,1\n", ":2: a quote is opened and never closed"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    wal_frame *frame;
    char expected[600];
    write_csv(cases[i].text);
    ck_assert_int_eq(wal_frame_read_csv(path, columns, COLUMNS, &frame), WAL_E_INPUT);
    snprintf(expected, sizeof expected, "%s%s", path, cases[i].message);
    ck_assert_str_eq(wal_error(), expected);
    ck_assert_ptr_null(frame);
  }
}
END_TEST

START_TEST(missing_csv_is_refused) {
  wal_frame *frame;
  ck_assert_int_eq(wal_frame_read_csv("/nonexistent/f.csv", columns, COLUMNS, &frame), WAL_E_IO);
  ck_assert_str_eq(wal_error(), "/nonexistent/f.csv: cannot be read: No such file or directory");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("frame");
  TCase *tests = tcase_create("frame");
  tcase_add_checked_fixture(tests, make_folder, scratch_remove);
  tcase_add_test(tests, columns_are_copied);
  tcase_add_test(tests, cells_come_back);
  tcase_add_test(tests, new_rows_are_missing);
  tcase_add_test(tests, integers_become_reals);
  tcase_add_test(tests, rows_survive_growth);
  tcase_add_test(tests, aligned_text);
  tcase_add_test(tests, csv_text);
  tcase_add_test(tests, csv_reads_back);
  tcase_add_test(tests, csv_takes_any_order_and_line_ends);
  tcase_add_test(tests, bad_csv_is_refused);
  tcase_add_test(tests, missing_csv_is_refused);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
