/* walras show, verify and diff: exact lines on the toy result. */
#include <check.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

#include "tests/engine/toy_result.h"
#include "tests/scratch.h"
#include "tests/suite.h"

static char *printed; /* what the last report printed */

static void forget(void) {
  free(printed);
  printed = NULL;
}

static void fixture_remove(void) {
  forget();
  scratch_remove();
}

static const char *write_result(const char *name, wal_result *result) {
  static char paths[2][512]; /* a test writes two files at most */
  static int next;
  char *path = strcpy(paths[next++ % 2], scratch_path(name));
  ck_assert_msg(wal_store_write(result, path) == WAL_OK, "%s", wal_error());
  wal_result_free(result);
  return path;
}

static wal_status verify(const char *path) {
  size_t size;
  forget();
  FILE *out = open_memstream(&printed, &size);
  wal_status status = wal_store_verify(path, toy_registry, out);
  fclose(out);
  return status;
}

static bool differ(const char *a, const char *b) {
  size_t size;
  bool different = false;
  forget();
  FILE *out = open_memstream(&printed, &size);
  wal_status status = wal_store_diff(a, b, toy_registry, out, &different);
  fclose(out);
  ck_assert_msg(status == WAL_OK, "%s", wal_error());
  return different;
}

static void expect_printed(const char *format, ...) {
  char expected[4096];
  va_list args;
  va_start(args, format);
  vsnprintf(expected, sizeof expected, format, args);
  va_end(args);
  ck_assert_str_eq(printed, expected);
}

/* --- show --- */

START_TEST(show_says_everything) {
  static const char *const parts[] = {
      "Größe & Übermaß\n",
      "\nconfig: configs/toy/figure1.yaml, profile none\n",
      "  --set alpha=0.75\n",
      "\nparameters\n",
      "  alpha: 0.75\n",
      "\nprovenance\n",
      "  cpu            A CPU @ 3.00 GHz ™\n",
      "\nrows: 4\n",
      "left the finite numbers at step 7",
      "\ntraces: 3\n",
      "  point 0 (n=8 solver=eg eg.step=0.25 fast=false seed=1) train: 3 lines of epoch, gap\n",
  };
  const char *const sets[] = {"alpha=0.75"};
  const char *path = write_result("a.h5", toy_result_of(toy_yaml, sets, 1, true, 0));
  size_t size;
  FILE *out = open_memstream(&printed, &size);
  ck_assert_int_eq(wal_store_show(path, toy_registry, out), WAL_OK);
  fclose(out);
  const char *from = printed;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    const char *found = strstr(from, parts[i]);
    ck_assert_msg(found != NULL, "no \"%s\" where expected in:\n%s", parts[i], printed);
    from = found;
  }
}
END_TEST

/* --- verify --- */

START_TEST(verify_finds_nothing) {
  const char *path = write_result("a.h5", toy_result(true));
  ck_assert_int_eq(verify(path), WAL_OK);
  expect_printed("%s: ok (4 rows, 1 of them failed, 15 columns, 3 traces; every checksum agrees)\n", path);
}
END_TEST

START_TEST(verify_finds_missing_and_infinite_numbers) {
  wal_result *result = toy_result(true);
  toy_set(result->rows, 1, "gap", toy_real(NAN));
  toy_set(result->rows, 2, "gap", toy_real(NAN));
  toy_set(result->rows, 0, "steps", toy_int(INT64_MIN));
  toy_set(result->rows, 0, "gap", toy_real(INFINITY));
  const char *path = write_result("a.h5", result);
  ck_assert_int_eq(verify(path), WAL_E_INPUT);
  expect_printed(
      "/rows/gap: missing in 2 rows not marked failed, first in row 1 (n=8 solver=eg eg.step=0.25 fast=false "
      "seed=2)\n"
      "/rows/gap: infinite in 1 rows not marked failed, first in row 0 (n=8 solver=eg eg.step=0.25 "
      "fast=false "
      "seed=1)\n"
      "/rows/steps: missing in 1 rows not marked failed, first in row 0 (n=8 solver=eg eg.step=0.25 "
      "fast=false "
      "seed=1)\n"
      "%s: 3 findings; `walras run configs/toy/figure1.yaml` makes the file again\n",
      path);
}
END_TEST

START_TEST(verify_finds_a_status_nobody_knows) {
  wal_result *result = toy_result(false);
  toy_set(result->rows, 2, "status", toy_text("fine"));
  const char *path = write_result("a.h5", result);
  ck_assert_int_eq(verify(path), WAL_E_INPUT);
  expect_printed(
      "/rows/status: row 2 says 'fine'; expected ok or failed\n"
      "%s: 1 finding; `walras run configs/toy/figure1.yaml` makes the file again\n",
      path);
}
END_TEST

/* Overwrites the first value of a dataset through plain HDF5. */
static void overwrite(const char *path, const char *dataset) {
  double values[8] = {42};
  hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), data = H5Dopen2(file, dataset, H5P_DEFAULT);
  ck_assert_int_ge(H5Dwrite(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
  H5Dclose(data);
  H5Fclose(file);
}

START_TEST(verify_finds_every_bad_checksum) {
  const char *path = write_result("a.h5", toy_result(true));
  overwrite(path, "/rows/gap");
  overwrite(path, "/traces/point_0001/train/gap");
  ck_assert_int_eq(verify(path), WAL_E_INPUT);
  ck_assert_int_eq(strncmp(printed, "/rows/gap: checksum differs: xxh128 says ", 41), 0);
  ck_assert_ptr_nonnull(strstr(printed, "\n/traces/point_0001/train/gap: checksum differs: xxh128 says "));
  ck_assert_ptr_nonnull(strstr(printed, ": 2 findings; "));
}
END_TEST

START_TEST(verify_finds_a_changed_config) {
  const char *path = write_result("a.h5", toy_result(true));
  char text[sizeof toy_yaml];
  hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), attribute = H5Aopen(file, "config", H5P_DEFAULT);
  hid_t type = H5Aget_type(attribute);
  ck_assert_uint_eq(H5Tget_size(type), sizeof text);
  H5Aread(attribute, type, text);
  strstr(text, "0.25")[2] = '3';
  ck_assert_int_ge(H5Awrite(attribute, type, text), 0);
  H5Tclose(type);
  H5Aclose(attribute);
  H5Fclose(file);
  ck_assert_int_eq(verify(path), WAL_E_INPUT);
  ck_assert_int_eq(strncmp(printed, "/: checksum of attribute 'config' differs: config_xxh128 says ", 62), 0);
}
END_TEST

START_TEST(verify_finds_a_missing_column_and_group) {
  const char *path = write_result("a.h5", toy_result(true));
  hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  H5Ldelete(file, "/rows/error", H5P_DEFAULT);
  H5Ldelete(file, "/traces", H5P_DEFAULT);
  H5Fclose(file);
  ck_assert_int_eq(verify(path), WAL_E_INPUT);
  ck_assert_int_eq(strncmp(printed, "/: expected a group 'traces' here", 33), 0);
  ck_assert_ptr_nonnull(strstr(printed, "\n/rows/error: expected a column of type text\n"));
}
END_TEST

START_TEST(verify_says_when_the_file_cannot_be_read) {
  ck_assert_int_eq(verify(scratch_path("none.h5")), WAL_E_IO);
  expect_printed("%s", "");
  ck_assert_ptr_nonnull(strstr(wal_error(), "No such file or directory"));
}
END_TEST

/* --- diff --- */

START_TEST(identical_files) {
  const char *a = write_result("a.h5", toy_result(true)), *b = write_result("b.h5", toy_result(true));
  ck_assert(!differ(a, b));
  expect_printed("identical config and numbers: %s and %s\n", a, b);
}
END_TEST

START_TEST(provenance_and_timings_do_not_count) {
  wal_result *changed = toy_result(true);
  wal_provenance_add(&changed->provenance, "git_commit", "9999999");
  wal_provenance_add(&changed->provenance, "jobs", "2");
  toy_set(changed->rows, 2, "solve_s", toy_real(0.75)); /* sum over rows: 0.125 + 0.25 -> 0.125 + 0.75 */
  const char *a = write_result("a.h5", toy_result(true)), *b = write_result("b.h5", changed);
  ck_assert(!differ(a, b));
  expect_printed(
      "provenance (not counted)\n"
      "  git_commit: 0123abc -> 9999999\n"
      "  jobs: (none) -> 2\n"
      "timings (not counted)\n"
      "  solve_s: 0.375 -> 0.875 s, summed over 3 rows (ratio 2.33)\n"
      "identical config and numbers: %s and %s\n",
      a, b);
}
END_TEST

START_TEST(config_and_numbers_that_differ) {
  const char *const sets[] = {"alpha=0.75"};
  const char *a = write_result("a.h5", toy_result(true));
  const char *b = write_result("b.h5", toy_result_of(toy_yaml, sets, 1, true, 0.25));
  ck_assert(differ(a, b));
  expect_printed(
      "config\n"
      "  params.alpha: 0.25 -> 0.75\n"
      "numbers\n"
      "  n=8 solver=eg eg.step=0.25 fast=false seed=2 gap: 0.25 -> 0.5 (absolute 0.25, relative 0.5)\n"
      "2 differences\n");
}
END_TEST

START_TEST(a_failed_point_against_a_finished_one) {
  const char *a = write_result("a.h5", toy_result(true)), *b = write_result("b.h5", toy_result(false));
  ck_assert(differ(a, b));
  ck_assert_ptr_nonnull(strstr(printed, "fast=false seed=2 status: failed -> ok\n"));
  ck_assert_ptr_nonnull(strstr(printed, "seed=2 gap: (missing) -> 0.16666666666666666\n"));
  ck_assert_ptr_nonnull(strstr(printed, "seed=2 error: left the finite numbers at step 7 -> (missing)\n"));
}
END_TEST

/* The second file sweeps the seeds the other way round: rows are matched by their keys, not by their place.
 */
START_TEST(rows_are_matched_by_key) {
  const char *const sets[] = {"seed=2,3"};
  const char *a = write_result("a.h5", toy_result(false));
  const char *b = write_result("b.h5", toy_result_of(toy_yaml, sets, 1, false, 0));
  ck_assert(differ(a, b));
  char line[1024];
  snprintf(line, sizeof line, "  n=8 solver=eg eg.step=0.25 fast=false seed=1: only in %s\n", a);
  ck_assert_ptr_nonnull(strstr(printed, line));
  snprintf(line, sizeof line, "  n=8 solver=eg eg.step=0.25 fast=false seed=3: only in %s\n", b);
  ck_assert_ptr_nonnull(strstr(printed, line));
  /* seed 2 is point 1 of a (gap 1/4) and point 0 of b (gap 1/3) */
  ck_assert_ptr_nonnull(
      strstr(printed, "seed=2 gap: 0.25 -> 0.3333333333333333 (absolute 0.0833, relative 0.25)\n"));
}
END_TEST

START_TEST(traces_that_differ) {
  wal_result *changed = toy_result(true);
  toy_set(changed->traces[1], 0, "gap", toy_real(0.75)); /* was exp(0) / 2 */
  toy_set(changed->traces[1], 2, "gap", toy_real(exp(-2) / 2 + 0.5));
  const char *a = write_result("a.h5", toy_result(true)), *b = write_result("b.h5", changed);
  ck_assert(differ(a, b));
  expect_printed("traces\n  point 1 train gap: 2 of 3 lines differ, by at most 0.5\n1 difference\n");
}
END_TEST

START_TEST(a_file_that_is_not_there) {
  bool different = true;
  const char *a = write_result("a.h5", toy_result(true));
  ck_assert_int_eq(wal_store_diff(a, scratch_path("b.h5"), toy_registry, stdout, &different), WAL_E_IO);
  ck_assert(!different);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("store_report");
  TCase *reports = tcase_create("reports");
  tcase_set_timeout(reports, 30);
  tcase_add_checked_fixture(reports, scratch_make, fixture_remove);
  tcase_add_test(reports, show_says_everything);
  tcase_add_test(reports, verify_finds_nothing);
  tcase_add_test(reports, verify_finds_missing_and_infinite_numbers);
  tcase_add_test(reports, verify_finds_a_status_nobody_knows);
  tcase_add_test(reports, verify_finds_every_bad_checksum);
  tcase_add_test(reports, verify_finds_a_changed_config);
  tcase_add_test(reports, verify_finds_a_missing_column_and_group);
  tcase_add_test(reports, verify_says_when_the_file_cannot_be_read);
  tcase_add_test(reports, identical_files);
  tcase_add_test(reports, provenance_and_timings_do_not_count);
  tcase_add_test(reports, config_and_numbers_that_differ);
  tcase_add_test(reports, a_failed_point_against_a_finished_one);
  tcase_add_test(reports, rows_are_matched_by_key);
  tcase_add_test(reports, traces_that_differ);
  tcase_add_test(reports, a_file_that_is_not_there);
  suite_add_tcase(suite, reports);
  return run_suite(suite);
}
