/* HDF5 files of walras that are no results: shown by what they say, and every number looked at. */
#include <check.h>
#include <math.h>

#include "engine/checksum.h"
#include "engine/h5.h"
#include "engine/store.h"
#include "tests/scratch.h"
#include "tests/suite.h"

static char *told;
static size_t told_size;

/* A "solution": prices [3] in double and an allocation [2, 3] in float, as named values say. */
static void write_file(const char *path, const char *schema, const double price[3], const float x[6],
                       const char *checksum) {
  hid_t file, set, row, table;
  ck_assert_int_eq(wal_h5_create(&file), WAL_OK);
  ck_assert_int_eq(wal_h5_set_text(file, "schema", schema), WAL_OK);
  ck_assert_int_eq(wal_h5_set_text(file, "solver", "newton"), WAL_OK);
  ck_assert_int_eq(
      wal_h5_set_numbers(file, "nash_gap", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, &(double){0.125}), WAL_OK);
  row = H5Screate_simple(1, (hsize_t[]){3}, NULL);
  set = H5Dcreate2(file, "price", H5T_IEEE_F64LE, row, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, price);
  ck_assert_int_eq(wal_h5_set_text(set, "units", "money per good"), WAL_OK);
  ck_assert_int_eq(wal_h5_set_text(set, "xxh128", checksum), WAL_OK);
  wal_h5_close(set);
  wal_h5_close(row);
  table = H5Screate_simple(2, (hsize_t[]){2, 3}, NULL);
  set = H5Dcreate2(file, "allocation", H5T_IEEE_F32LE, table, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
  wal_h5_close(set);
  wal_h5_close(table);
  ck_assert_int_eq(wal_h5_save(file, path), WAL_OK);
  wal_h5_close(file);
}

static const wal_experiment *const none[] = {NULL};

static wal_status call(wal_status (*what)(const char *, wal_registry, FILE *), const char *path) {
  free(told);
  FILE *out = open_memstream(&told, &told_size);
  wal_status status = what(path, none, out);
  fclose(out);
  return status;
}

static void says(const char *wanted) {
  ck_assert_msg(strstr(told, wanted) != NULL, "expected '%s' in:\n%s", wanted, told);
}

static const double price[3] = {1, 2.5, 4};
static const float x[6] = {0, 1, 2, 3, 4, 5};
static char price_hash[33];

static void begin(void) {
  scratch_make();
  wal_bytes_hash(price, sizeof price, price_hash);
}

START_TEST(a_solution_is_shown) {
  char *path = scratch_path("a.h5");
  write_file(path, "walras-solution-1", price, x, price_hash);
  ck_assert_msg(call(wal_store_show, path) == WAL_OK, "%s", wal_error());
  says("  solver                   newton\n");
  says("  nash_gap                 0.125\n");
  says("  /price               [3] float64 money per good  1, 2.5, 4\n");
  says("  /allocation          [2, 3] float32  0, 1, 2, 3, 4, 5\n");
  ck_assert_msg(call(wal_store_verify, path) == WAL_OK, "%s", wal_error());
  says(
      "ok (walras-solution-1, no result: 2 datasets, 9 numbers, all finite; 1 of 2 checksums given, all "
      "agree)");
}
END_TEST

START_TEST(numbers_that_are_not_finite) {
  char *path = scratch_path("a.h5");
  const float bad[6] = {0, 1, 2, 3, NAN, INFINITY};
  write_file(path, "walras-solution-1", price, bad, price_hash);
  ck_assert_int_eq(call(wal_store_verify, path), WAL_E_INPUT);
  says("/allocation: nan at row 1, column 1; expected finite numbers\n");
}
END_TEST

START_TEST(a_checksum_that_differs) {
  char *path = scratch_path("a.h5");
  const double other[3] = {1, 2.5, 5};
  write_file(path, "walras-network-1", other, x, price_hash);
  ck_assert_int_eq(call(wal_store_verify, path), WAL_E_INPUT);
  says("/price: the checksum differs: the data give ");
}
END_TEST

START_TEST(a_file_of_somebody_else) {
  char *path = scratch_path("a.h5");
  write_file(path, "netcdf", price, x, price_hash);
  ck_assert_int_eq(call(wal_store_show, path), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), "attribute 'schema' is 'netcdf'; expected walras-result-1"));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("store_other");
  TCase *tests = tcase_create("store_other");
  tcase_add_checked_fixture(tests, begin, scratch_remove);
  tcase_add_test(tests, a_solution_is_shown);
  tcase_add_test(tests, numbers_that_are_not_finite);
  tcase_add_test(tests, a_checksum_that_differs);
  tcase_add_test(tests, a_file_of_somebody_else);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
