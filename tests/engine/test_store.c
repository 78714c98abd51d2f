/* Result files and cache entries: there and back, and every way they can be broken. */
#include <check.h>
#include <fcntl.h>
#include <hdf5.h>
#include <hdf5_hl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/store.h"
#include "tests/engine/toy_result.h"
#include "tests/scratch.h"
#include "tests/suite.h"

/* HDF5 1.10 itself loses memory when an object header fails its checksum, which the flipped bits provoke. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libhdf5"; }

static void write_toy(const char *path) {
  wal_result *result = toy_result(true);
  ck_assert_msg(wal_store_write(result, path) == WAL_OK, "%s", wal_error());
  wal_result_free(result);
}

/* Reading must fail with exactly this message, "%s" standing for the path. */
static void expect_unreadable(const char *path, wal_status status, const char *format) {
  char expected[2048];
  wal_result *result = NULL;
  snprintf(expected, sizeof expected, format, path);
  ck_assert_int_eq(wal_store_read(path, toy_registry, &result), status);
  ck_assert_str_eq(wal_error(), expected);
  ck_assert_ptr_null(result);
}

/* --- round trips --- */

START_TEST(a_result_comes_back_the_same) {
  const char *path = scratch_path("toy/figure1.h5");
  wal_result *back = NULL, *result = toy_result(true);
  ck_assert_msg(wal_store_write(result, path) == WAL_OK, "%s", wal_error());
  ck_assert_msg(wal_store_read(path, toy_registry, &back) == WAL_OK, "%s", wal_error());
  toy_same_frames(result->rows, back->rows);
  ck_assert_int_eq(back->trace_count, 3);
  for (int t = 0; t < 3; t++) {
    ck_assert_int_eq(back->trace_point[t], t);
    ck_assert_str_eq(back->trace_name[t], "train");
    toy_same_frames(result->traces[t], back->traces[t]);
  }
  ck_assert_str_eq(back->config->yaml, toy_yaml);
  ck_assert_str_eq(back->config->name, result->config->name);
  ck_assert_str_eq(back->config->title, "Größe & Übermaß");
  ck_assert_int_eq(back->provenance.count, 4);
  for (int i = 0; i < 4; i++) {
    ck_assert_str_eq(back->provenance.names[i], result->provenance.names[i]);
    ck_assert_str_eq(back->provenance.values[i], result->provenance.values[i]);
  }
  ck_assert_double_eq(wal_result_published(back, 0, "gap"), 0.0217);
  wal_result_free(back);
  wal_result_free(result);
}
END_TEST

START_TEST(set_flags_come_back) {
  const char *const sets[] = {"alpha=0.75", "n=16"};
  const char *path = scratch_path("toy.h5");
  wal_result *back = NULL, *result = toy_result_of(toy_yaml, sets, 2, false, 0);
  ck_assert_msg(wal_store_write(result, path) == WAL_OK, "%s", wal_error());
  ck_assert_msg(wal_store_read(path, toy_registry, &back) == WAL_OK, "%s", wal_error());
  ck_assert_str_eq(back->config->sets, "alpha=0.75\nn=16");
  ck_assert_double_eq(wal_point_real(&back->config->points[0], "alpha"), 0.75);
  ck_assert_int_eq(wal_point_int(&back->config->points[3], "n"), 16);
  wal_result_free(back);
  wal_result_free(result);
}
END_TEST

START_TEST(the_same_result_gives_the_same_bytes) {
  static char a[1 << 20], b[1 << 20];
  write_toy(scratch_path("a.h5"));
  sleep(1); /* HDF5 would record seconds */
  write_toy(scratch_path("b.h5"));
  long length = scratch_read(scratch_path("a.h5"), a, sizeof a);
  ck_assert_int_eq(scratch_read(scratch_path("b.h5"), b, sizeof b), length);
  ck_assert_mem_eq(a, b, (size_t)length);
}
END_TEST

/* A verbatim YAML far beyond HDF5's 64 KiB for compact attributes. */
START_TEST(a_large_config_is_kept_verbatim) {
  enum { EXTRA = 300000 };
  char *yaml = calloc(1, sizeof toy_yaml + EXTRA);
  strcpy(yaml, toy_yaml);
  size_t length = strlen(yaml);
  while (length < sizeof toy_yaml + EXTRA - 64)
    length += (size_t)sprintf(yaml + length, "# a long remark of line %zu\n", length);
  wal_result *back = NULL, *result = toy_result_of(yaml, NULL, 0, true, 0);
  ck_assert_msg(wal_store_write(result, scratch_path("a.h5")) == WAL_OK, "%s", wal_error());
  ck_assert_msg(wal_store_read(scratch_path("a.h5"), toy_registry, &back) == WAL_OK, "%s", wal_error());
  ck_assert_str_eq(back->config->yaml, yaml);
  wal_result_free(back);
  wal_result_free(result);
  free(yaml);
}
END_TEST

START_TEST(an_outcome_comes_back_the_same) {
  const char *path = scratch_path("cache/0a.h5"), *key = "experiment toy/figure1\nsolver=naïve\n";
  wal_outcome back, outcome = toy_outcome(1, 20000); /* long enough to be compressed */
  outcome.seconds = 0.1;
  ck_assert_msg(wal_store_write_outcome(&outcome, key, path) == WAL_OK, "%s", wal_error());
  ck_assert_msg(wal_store_read_outcome(path, key, &back) == WAL_OK, "%s", wal_error());
  ck_assert_int_eq(back.status, WAL_OK);
  ck_assert_str_eq(back.error, "");
  ck_assert(back.seconds == 0.1 && back.peak_mib == 12);
  toy_same_frames(outcome.rows, back.rows);
  ck_assert_int_eq(back.trace_count, 1);
  toy_same_frames(outcome.traces[0], back.traces[0]);
  char *stored = NULL;
  ck_assert_int_eq(wal_store_read_key(path, &stored), WAL_OK);
  ck_assert_str_eq(stored, key);
  free(stored);
  wal_outcome_free(&back);
  wal_outcome_free(&outcome);
}
END_TEST

START_TEST(a_failed_outcome_comes_back) {
  wal_outcome back, outcome = toy_failure("diverged at λ = ∞");
  ck_assert_int_eq(wal_store_write_outcome(&outcome, "key", scratch_path("a.h5")), WAL_OK);
  ck_assert_msg(wal_store_read_outcome(scratch_path("a.h5"), NULL, &back) == WAL_OK, "%s", wal_error());
  ck_assert_int_eq(back.status, WAL_E_DIVERGED);
  ck_assert_str_eq(back.error, "diverged at λ = ∞");
  ck_assert_int_eq(wal_frame_rows(back.rows), 0);
  wal_outcome_free(&back);
  wal_outcome_free(&outcome);
}
END_TEST

START_TEST(an_outcome_of_another_point_is_refused) {
  char expected[512];
  wal_outcome back, outcome = toy_outcome(0, 1);
  ck_assert_int_eq(wal_store_write_outcome(&outcome, "one", scratch_path("a.h5")), WAL_OK);
  snprintf(expected, sizeof expected, "%s: belongs to another point; `walras run` computes this one anew",
           scratch_path("a.h5"));
  ck_assert_int_eq(wal_store_read_outcome(scratch_path("a.h5"), "two", &back), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(), expected);
  ck_assert_ptr_null(back.rows);
  ck_assert_int_eq(back.trace_count, 0);
  wal_outcome_free(&outcome);
}
END_TEST

START_TEST(a_corrupt_outcome_is_refused) {
  char expected[512];
  wal_outcome back;
  ck_assert_int_eq(wal_write_file(scratch_path("a.h5"), "garbage", 7), WAL_OK);
  snprintf(expected, sizeof expected,
           "%s: not an HDF5 file (7 bytes, without HDF5's signature); `walras run` computes the point "
           "anew",
           scratch_path("a.h5"));
  ck_assert_int_eq(wal_store_read_outcome(scratch_path("a.h5"), NULL, &back), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(), expected);
  ck_assert_ptr_null(back.rows);
}
END_TEST

/* --- the layout, read with plain HDF5 --- */

static void check_text_attribute(hid_t object, const char *name, const char *expected) {
  char text[512] = "";
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  ck_assert_int_ge(attribute, 0);
  hid_t type = H5Aget_type(attribute);
  ck_assert_int_eq(H5Tget_cset(type), H5T_CSET_UTF8);
  ck_assert_uint_le(H5Tget_size(type), sizeof text);
  ck_assert_int_ge(H5Aread(attribute, type, text), 0);
  ck_assert_str_eq(text, expected);
  H5Tclose(type);
  H5Aclose(attribute);
}

START_TEST(plain_hdf5_finds_columns_scales_and_attributes) {
  write_toy(scratch_path("a.h5"));
  hid_t file = H5Fopen(scratch_path("a.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
  check_text_attribute(file, "schema", "walras-result-1");
  check_text_attribute(file, "seeds", "1 2");
  check_text_attribute(file, "cpu", "A CPU @ 3.00 GHz ™");
  check_text_attribute(
      file, "published",
      "published:\n  - where: {solver: eg}\n    setting: {n: 2^20}\n    values: {gap: 0.0217}\n"
      "    source: Table 1\n");
  hid_t gap = H5Dopen2(file, "/rows/gap", H5P_DEFAULT);
  check_text_attribute(gap, "long_name", "Nash gap ≥ 0");
  check_text_attribute(gap, "units", "nats");
  ck_assert_int_gt(H5Aexists(gap, "DIMENSION_LIST"), 0);
  double values[5], fill = 0;
  ck_assert_int_ge(H5Dread(gap, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
  ck_assert(values[0] == 1.0 / 3 && values[1] == 0.25 && values[2] == 0.2 && isnan(values[3]));
  hid_t attribute = H5Aopen(gap, "_FillValue", H5P_DEFAULT);
  ck_assert_int_ge(H5Aread(attribute, H5T_NATIVE_DOUBLE, &fill), 0);
  ck_assert(isnan(fill));
  int64_t rows[4];
  hid_t row = H5Dopen2(file, "/rows/row", H5P_DEFAULT);
  ck_assert_int_gt(H5DSis_scale(row), 0);
  ck_assert_int_ge(H5Dread(row, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows), 0);
  for (int i = 0; i < 4; i++) ck_assert_int_eq(rows[i], i);
  ck_assert_int_ge(H5Lexists(file, "/traces/point_0002/train/epoch", H5P_DEFAULT), 1);
  H5Aclose(attribute);
  H5Dclose(row);
  H5Dclose(gap);
  H5Fclose(file);
}
END_TEST

/* --- files that cannot be read --- */

START_TEST(missing_file) {
  expect_unreadable(scratch_path("no.h5"), WAL_E_IO, "%s: cannot be read: No such file or directory");
}
END_TEST

START_TEST(not_hdf5) {
  const char *path = scratch_path("a.h5"), *message =
                                               "%s: not an HDF5 file (%d bytes, without HDF5's signature); "
                                               "`walras run CONFIG` writes results";
  char format[256];
  const int sizes[] = {0, 5, 12};
  for (int i = 0; i < 3; i++) {
    ck_assert_int_eq(wal_write_file(path, "hello, world", (size_t)sizes[i]), WAL_OK);
    snprintf(format, sizeof format, message, "%s", sizes[i]);
    expect_unreadable(path, WAL_E_INPUT, format);
  }
}
END_TEST

START_TEST(foreign_hdf5) {
  const char *path = scratch_path("a.h5");
  H5Fclose(H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  expect_unreadable(
      path, WAL_E_INPUT,
      "%s:/: not a walras file (no text attribute 'schema'; expected walras-result-1); `walras run CONFIG` "
      "writes results");
}
END_TEST

START_TEST(a_cache_entry_is_no_result) {
  const char *path = scratch_path("a.h5");
  wal_outcome outcome = toy_outcome(0, 1);
  ck_assert_int_eq(wal_store_write_outcome(&outcome, "key", path), WAL_OK);
  wal_outcome_free(&outcome);
  expect_unreadable(
      path, WAL_E_INPUT,
      "%s:/: attribute 'schema' is 'walras-outcome-1'; expected walras-result-1; `walras run CONFIG` "
      "writes results");
}
END_TEST

START_TEST(a_column_of_another_type) {
  const char *path = scratch_path("a.h5");
  write_toy(path);
  hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), space = H5Screate(H5S_SCALAR);
  H5Ldelete(file, "/rows/gap", H5P_DEFAULT);
  H5Dclose(H5Dcreate2(file, "/rows/gap", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Sclose(space);
  H5Fclose(file);
  expect_unreadable(
      path, WAL_E_INPUT,
      "%s:/rows/gap: has a type walras does not write; expected 64-bit integers, 64-bit floats, 8-bit truth "
      "values or fixed-length text of at most 256 bytes; `walras run configs/toy/figure1.yaml` makes the "
      "file again");
}
END_TEST

/* Changes a number in place, as a bad disk or a well-meant edit would. */
static void overwrite_gap(const char *path) {
  double values[4] = {1, 2, 3, 4};
  hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), gap = H5Dopen2(file, "/rows/gap", H5P_DEFAULT);
  ck_assert_int_ge(H5Dwrite(gap, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
  H5Dclose(gap);
  H5Fclose(file);
}

START_TEST(changed_numbers_are_told_by_the_checksum) {
  const char *path = scratch_path("a.h5"), *begin = ":/rows/gap: checksum differs: xxh128 says ",
             *end = "; `walras run configs/toy/figure1.yaml` makes the file again";
  wal_result *result = NULL;
  write_toy(path);
  overwrite_gap(path);
  ck_assert_int_eq(wal_store_read(path, toy_registry, &result), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), begin));
  ck_assert_ptr_nonnull(strstr(wal_error(), end));
}
END_TEST

START_TEST(an_unknown_experiment_is_told) {
  static const wal_experiment *const empty[] = {NULL};
  wal_result *result = NULL;
  write_toy(scratch_path("a.h5"));
  ck_assert_int_eq(wal_store_read(scratch_path("a.h5"), empty, &result), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), "toy/figure1"));
  ck_assert_ptr_null(result);
}
END_TEST

/* Cut at every 97th length: never a crash, always a message that begins with the path. */
START_TEST(truncated_anywhere) {
  static char bytes[1 << 20];
  const char *path = scratch_path("a.h5"), *cut = scratch_path("cut.h5");
  write_toy(path);
  long length = scratch_read(path, bytes, sizeof bytes);
  for (long size = 0; size < length; size += 97) {
    wal_result *result = NULL;
    FILE *file = fopen(cut, "wb");
    fwrite(bytes, 1, (size_t)size, file);
    fclose(file);
    ck_assert_int_eq(wal_store_read(cut, toy_registry, &result), WAL_E_INPUT);
    ck_assert_mem_eq(wal_error(), cut, strlen(cut));
  }
}
END_TEST

/* One flipped bit, in a child of its own each: it may not crash, and what is read is what was written or is
 * refused. */
START_TEST(a_flipped_bit_anywhere) {
  static char bytes[1 << 20];
  const char *path = scratch_path("a.h5"), *bad = scratch_path("bad.h5");
  write_toy(path);
  long length = scratch_read(path, bytes, sizeof bytes);
  wal_result *good = toy_result(true);
  long refused = 0;
  for (long at = 23 * _i; at < length; at += 4 * 23) {
    bytes[at] ^= (char)(1 << (at / 7 % 8));
    FILE *file = fopen(bad, "wb");
    fwrite(bytes, 1, (size_t)length, file);
    fclose(file);
    bytes[at] ^= (char)(1 << (at / 7 % 8));
    wal_result *result = NULL;
    if (wal_store_read(bad, toy_registry, &result) != WAL_OK) {
      refused++;
    } else {
      toy_same_frames(good->rows, result->rows);
      ck_assert_str_eq(result->config->yaml, toy_yaml);
    }
    wal_result_free(result);
  }
  ck_assert_int_gt(refused, 20);
  wal_result_free(good);
}
END_TEST

/* --- writes that fail --- */

START_TEST(disk_full_keeps_the_old_result) {
  char expected[1024];
  const char *path = scratch_path("toy/figure1.h5");
  wal_result *back = NULL, *result = toy_result(true);
  write_toy(path);
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = {4096, RLIM_INFINITY}, large = {RLIM_INFINITY, RLIM_INFINITY};
  snprintf(expected, sizeof expected, "cannot write %s: File too large (free some space and run again)",
           path);
  /* No assertion before the limit is lifted: Check reports through a file too. */
  const int limited = setrlimit(RLIMIT_FSIZE, &small);
  const wal_status status = wal_store_write(result, path);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &large), 0);
  ck_assert_int_eq(limited, 0);
  ck_assert_int_eq(status, WAL_E_IO);
  ck_assert_str_eq(wal_error(), expected);
  ck_assert_int_eq(scratch_entries(scratch_path("toy")), 1);
  ck_assert_int_eq(wal_store_read(path, toy_registry, &back), WAL_OK);
  wal_result_free(back);
  wal_result_free(result);
}
END_TEST

static const char *rewritten; /* the path */

static bool rewrite(void *result) { return wal_store_write(result, rewritten) == WAL_OK; }

START_TEST(kill_during_write_leaves_a_whole_result) {
  const char *path = scratch_path("a.h5");
  rewritten = path;
  FILE *nowhere = fopen("/dev/null", "w");
  wal_result *result = toy_result(true);
  int leftovers = 0;
  for (int kills = 0; kills < 20; kills++) {
    pid_t child = scratch_fork_loop(rewrite, result);
    usleep(700 * (unsigned)kills);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_msg(wal_store_verify(path, toy_registry, nowhere) == WAL_OK, "%s", wal_error());
    leftovers += scratch_entries(scratch) - 1;
  }
  ck_assert_int_gt(leftovers, 0); /* else no kill fell inside a write and this proved nothing */
  write_toy(path);
  ck_assert_int_eq(scratch_entries(scratch), 1);
  fclose(nowhere);
  wal_result_free(result);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("store");
  TCase *files = tcase_create("files");
  tcase_set_timeout(files, 60);
  tcase_add_checked_fixture(files, scratch_make, scratch_remove);
  tcase_add_test(files, a_result_comes_back_the_same);
  tcase_add_test(files, set_flags_come_back);
  tcase_add_test(files, the_same_result_gives_the_same_bytes);
  tcase_add_test(files, a_large_config_is_kept_verbatim);
  tcase_add_test(files, an_outcome_comes_back_the_same);
  tcase_add_test(files, a_failed_outcome_comes_back);
  tcase_add_test(files, an_outcome_of_another_point_is_refused);
  tcase_add_test(files, a_corrupt_outcome_is_refused);
  tcase_add_test(files, plain_hdf5_finds_columns_scales_and_attributes);
  tcase_add_test(files, missing_file);
  tcase_add_test(files, not_hdf5);
  tcase_add_test(files, foreign_hdf5);
  tcase_add_test(files, a_cache_entry_is_no_result);
  tcase_add_test(files, a_column_of_another_type);
  tcase_add_test(files, changed_numbers_are_told_by_the_checksum);
  tcase_add_test(files, an_unknown_experiment_is_told);
  tcase_add_test(files, truncated_anywhere);
  tcase_add_loop_test(files, a_flipped_bit_anywhere, 0, 4);
  tcase_add_test(files, disk_full_keeps_the_old_result);
  tcase_add_test(files, kill_during_write_leaves_a_whole_result);
  suite_add_tcase(suite, files);
  return run_suite(suite);
}
