/* Markets from files: the same numbers from every format, in memory and streamed; what is refused, and how.
 */
#include <check.h>
#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "experiments/files/course_bids.h"
#include "experiments/files/market_file.h"
#include "models/common/rng.h"
#include "models/market/contexts.h"
#include "models/market/reduce.h"
#include "tests/scratch.h"
#include "tests/suite.h"

/* ---- files ---- */

enum { N = 2500, M = 4, D = 3 };

static hid_t create(const char *name) {
  hid_t file = H5Fcreate(scratch_path(name), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  ck_assert_int_ge(file, 0);
  return file;
}

/* Cells of `memory` stored as `stored`; chunk 0: contiguous, else that many rows a chunk, compressed. */
static void put(hid_t file, const char *name, int rank, const hsize_t *size, hid_t stored, hid_t memory,
                const void *cells, hsize_t chunk) {
  hid_t space = H5Screate_simple(rank, size, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
  const hsize_t chunks[2] = {chunk, rank > 1 ? size[1] : 1};
  if (chunk) H5Pset_chunk(creation, rank, chunks);
  if (chunk) H5Pset_deflate(creation, 1);
  hid_t dataset = H5Dcreate2(file, name, stored, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  ck_assert_int_ge(dataset, 0);
  if (cells) ck_assert_int_ge(H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, cells), 0);
  H5Dclose(dataset);
  H5Pclose(creation);
  H5Sclose(space);
}

static void put_matrix(hid_t file, const char *name, hsize_t rows, hsize_t columns, const double *cells) {
  const hsize_t size[2] = {rows, columns};
  put(file, name, 2, size, H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, cells, 0);
}

static void put_vector(hid_t file, const char *name, hsize_t count, const double *cells) {
  put(file, name, 1, &count, H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, cells, 0);
}

static void put_alpha(hid_t file, double alpha) {
  hid_t space = H5Screate(H5S_SCALAR);
  hid_t attribute = H5Acreate2(file, "alpha", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, H5T_NATIVE_DOUBLE, &alpha);
  H5Aclose(attribute);
  H5Sclose(space);
}

/* Small integers, so that every number type holds them; in every row something is positive. */
static void integers(double *cells, int count) {
  for (int k = 0; k < count; k++)
    cells[k] = (double)wal_rng_below(1, WAL_STREAM_TEST, (uint64_t)k, 100) + (k % M == 0);
}

static wal_status open_market(const char *name, double alpha, int64_t memory, wal_market_file *out) {
  const wal_market_file_options options = {.alpha = alpha, .memory = memory};
  return wal_market_file_open(scratch_path(name), &options, out);
}

/* ---- numbers ---- */

static const struct {
  const char *name;
  hid_t *stored;
} types[] = {
    {"double", &H5T_NATIVE_DOUBLE_g}, {"float", &H5T_NATIVE_FLOAT_g},   {"int8", &H5T_NATIVE_INT8_g},
    {"int16", &H5T_NATIVE_INT16_g},   {"int32", &H5T_NATIVE_INT32_g},   {"int64", &H5T_NATIVE_INT64_g},
    {"uint8", &H5T_NATIVE_UINT8_g},   {"uint16", &H5T_NATIVE_UINT16_g}, {"uint32", &H5T_NATIVE_UINT32_g},
    {"uint64", &H5T_NATIVE_UINT64_g}, {"big-endian", &H5T_IEEE_F64BE_g}};
enum { TYPES = sizeof types / sizeof *types, LAYOUTS = 2, MODES = 2 };

static void assert_rows(const wal_market *market, const double *values, const double *budgets) {
  static const int64_t ranges[][2] = {{0, N}, {7, 135}, {1000, 1001}, {N - 1, N}};
  double *v = malloc(N * M * sizeof *v), *budget = malloc(N * sizeof *budget);
  for (int k = 0; k < 4; k++) {
    const int64_t lo = ranges[k][0], hi = ranges[k][1], rows = hi - lo;
    ck_assert_int_eq(market->buyers->ops->rows(market->buyers, lo, hi, v, budget), WAL_OK);
    ck_assert_mem_eq(v, values + lo * M, (size_t)(rows * M) * sizeof *v);
    ck_assert_mem_eq(budget, budgets + lo, (size_t)rows * sizeof *v);
    memset(budget, 0, (size_t)rows * sizeof *budget);
    ck_assert_int_eq(wal_source_columns(market->buyers, M, lo, hi, rows, v, budget), WAL_OK);
    ck_assert_mem_eq(budget, budgets + lo, (size_t)rows * sizeof *v);
    for (int64_t i = 0; i < rows; i++)
      for (int j = 0; j < M; j++) ck_assert(v[j * rows + i] == values[(lo + i) * M + j]);
  }
  free(v);
  free(budget);
}

START_TEST(every_type_in_every_layout) {
  const int type = _i / (LAYOUTS * MODES), layout = _i / MODES % LAYOUTS, mode = _i % MODES;
  double *values = malloc(N * M * sizeof *values), *budgets = malloc(N * sizeof *budgets);
  const double supply[M] = {1, 2, 3, 4};
  integers(values, N * M);
  for (int i = 0; i < N; i++) budgets[i] = 1 + i % 7;
  const hsize_t size[2] = {N, M}, n = N;
  hid_t file = create("market.h5");
  put(file, "values", 2, size, *types[type].stored, H5T_NATIVE_DOUBLE, values, layout ? 300 : 0);
  put(file, "budgets", 1, &n, *types[type].stored, H5T_NATIVE_DOUBLE, budgets, layout ? 1000 : 0);
  put_vector(file, "supply", M, supply);
  put_alpha(file, 0.5);
  H5Fclose(file);
  wal_market_file market;
  ck_assert_msg(open_market("market.h5", NAN, mode ? 1000 : 0, &market) == WAL_OK, "%s", wal_error());
  ck_assert_int_eq(market.streamed, mode);
  ck_assert(market.market.n == N && market.market.m == M && market.market.alpha == 0.5);
  ck_assert(market.has_budgets && market.has_supply && !market.good_names);
  ck_assert_mem_eq(market.market.supply, supply, sizeof supply);
  assert_rows(&market.market, values, budgets);
  wal_market_file_close(&market);
  free(values);
  free(budgets);
}
END_TEST

/* Contexts in a file are the generator's market, bit for bit. */
START_TEST(contexts_are_the_generators) {
  wal_context_market drawn;
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, 5, N, M, D, -1.0, &drawn), WAL_OK);
  double *b = malloc(N * D * sizeof *b), *v = malloc(N * M * sizeof *v), *budget = malloc(N * sizeof *budget);
  double goods[M * D];
  float b32[2][64 * D];
  for (int k = 0; k < N * D; k++)
    b[k] = wal_context_element(WAL_CONTEXTS_NORMAL, 5, WAL_STREAM_BUYERS, k / D, D, k % D);
  for (int k = 0; k < M * D; k++)
    goods[k] = wal_context_element(WAL_CONTEXTS_NORMAL, 5, WAL_STREAM_GOODS, k / D, D, k % D);
  hid_t file = create("market.h5");
  put_matrix(file, "buyers", N, D, b);
  put_matrix(file, "goods", M, D, goods);
  ck_assert_int_eq(drawn.source->ops->rows(drawn.source, 0, N, v, budget), WAL_OK);
  for (int i = 0; i < N && _i >= 2; i++) budget[i] = 2.0 + i;
  if (_i >= 2) put_vector(file, "budgets", N, budget);
  H5Fclose(file);
  wal_market_file market;
  ck_assert_msg(open_market("market.h5", -1.0, _i % 2 ? 1000 : 0, &market) == WAL_OK, "%s", wal_error());
  ck_assert(market.streamed == (_i % 2 == 1) && market.market.d == D);
  assert_rows(&market.market, v, budget);
  ck_assert_int_eq(drawn.source->ops->contexts(drawn.source, 100, 164, b32[0]), WAL_OK);
  const wal_source *buyers = market.market.buyers;
  ck_assert_int_eq(buyers->ops->contexts(buyers, 100, 164, b32[1]), WAL_OK);
  ck_assert_mem_eq(b32[0], b32[1], sizeof b32[0]);
  ck_assert_mem_eq(drawn.goods, market.market.goods, M * D * sizeof *drawn.goods);
  wal_market_file_close(&market);
  wal_context_market_destroy(&drawn);
  free(b);
  free(v);
  free(budget);
}
END_TEST

/* A population in a file on the disk and in memory is solved to the same bits. */
START_TEST(streamed_solutions_have_the_same_bits) {
  double *values = malloc(N * M * sizeof *values);
  integers(values, N * M);
  hid_t file = create("market.h5");
  const hsize_t size[2] = {N, M};
  put(file, "values", 2, size, H5T_NATIVE_FLOAT, H5T_NATIVE_DOUBLE, values, _i ? 100 : 0);
  H5Fclose(file);
  double price[2][M];
  for (int mode = 0; mode < 2; mode++) {
    wal_market_file market;
    wal_solution solution;
    wal_solver_options options;
    wal_solver_defaults(&options);
    ck_assert_int_eq(open_market("market.h5", 0.5, mode ? 1000 : 0, &market), WAL_OK);
    ck_assert_int_eq(
        wal_solver_solve(wal_solver_find("newton"), &market.market, &options, &(wal_trace){0}, &solution),
        WAL_OK);
    memcpy(price[mode], solution.price, sizeof price[mode]);
    wal_solution_destroy(&solution);
    wal_market_file_close(&market);
  }
  ck_assert_mem_eq(price[0], price[1], sizeof price[0]);
  free(values);
}
END_TEST

/* A user block before HDF5's own bytes, as MATLAB writes one, moves the place of the cells. */
START_TEST(user_blocks_are_skipped) {
  double *values = malloc(N * M * sizeof *values), *budgets = malloc(N * sizeof *budgets);
  integers(values, N * M);
  for (int i = 0; i < N; i++) budgets[i] = 1.0;
  hid_t creation = H5Pcreate(H5P_FILE_CREATE);
  H5Pset_userblock(creation, 2048);
  hid_t file = H5Fcreate(scratch_path("market.h5"), H5F_ACC_TRUNC, creation, H5P_DEFAULT);
  put_matrix(file, "values", N, M, values);
  H5Fclose(file);
  wal_market_file market;
  ck_assert_msg(open_market("market.h5", 0.5, _i ? 1000 : 0, &market) == WAL_OK, "%s", wal_error());
  assert_rows(&market.market, values, budgets);
  wal_market_file_close(&market);
  free(values);
  free(budgets);
}
END_TEST

/* 10 GB declared, a kilobyte on the disk: streamed, in an address space that could never hold it. */
START_TEST(a_large_compressed_dataset_is_not_loaded) {
  const hsize_t size[2] = {125000000, 10}, chunk[2] = {4096, 10};
  const double fill = NAN;
  hid_t file = create("market.h5"), space = H5Screate_simple(2, size, NULL);
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, 2, chunk);
  H5Pset_deflate(creation, 1);
  H5Pset_fill_value(creation, H5T_NATIVE_DOUBLE, &fill);
  H5Dclose(H5Dcreate2(file, "values", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, creation, H5P_DEFAULT));
  H5Fclose(file);
  struct stat found;
  ck_assert_int_eq(stat(scratch_path("market.h5"), &found), 0);
  ck_assert_int_lt(found.st_size, 100000);
#ifndef __SANITIZE_ADDRESS__ /* which reserves terabytes */
  const struct rlimit limit = {(rlim_t)1 << 31, (rlim_t)1 << 31};
  ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
#endif
  wal_market_file market;
  ck_assert_int_eq(open_market("market.h5", 0.5, 0, &market), WAL_E_INPUT);
  ck_assert_msg(strstr(wal_error(), "values[0, 0] is nan") != NULL, "%s", wal_error());
}
END_TEST

/* Nothing is written but their shape: HDF5 would have to read 2 GiB for a row, or 0.5 GiB for each band of
 * rows. */
START_TEST(chunks_that_are_too_large) {
  static const struct {
    hsize_t size[2], chunk[2];
    const char *message;
  } cases[] = {
      {{1 << 28, 1}, {1 << 28, 1}, "in chunks of 2.00 GiB; expected at most 1 GiB (h5repack -l values"},
      {{1024, 65536}, {1024, 64}, "of which a row touches 0.50 GiB; expected at most 0.25 (h5repack"}};
  hid_t file = create("market.h5"), space = H5Screate_simple(2, cases[_i].size, NULL);
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, 2, cases[_i].chunk);
  H5Dclose(H5Dcreate2(file, "values", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, creation, H5P_DEFAULT));
  H5Fclose(file);
  wal_market_file market;
  ck_assert_int_eq(open_market("market.h5", 0.5, 1000, &market), WAL_E_INPUT);
  ck_assert_msg(strstr(wal_error(), cases[_i].message) != NULL, "%s", wal_error());
}
END_TEST

/* ---- refusals of HDF5 ---- */

static void assert_refused(const char *name, double alpha, const char *message) {
  wal_market_file market;
  const wal_status status = open_market(name, alpha, 0, &market);
  ck_assert_msg(status == WAL_E_INPUT, "status %d: %s", status, wal_error());
  ck_assert_msg(strncmp(wal_error(), scratch_path(name), strlen(scratch_path(name))) == 0, "%s", wal_error());
  ck_assert_msg(strstr(wal_error(), message) != NULL, "expected '%s' in: %s", message, wal_error());
  wal_market_file_close(&market); /* zeroed by the failure */
}

/* One bad number in a market of ones, [3, 2]: dataset, index, number, alpha. */
static const struct {
  const char *dataset;
  int at;
  double number, alpha;
  const char *message;
} bad_numbers[] = {
    {"values", 5, -1.0, 0.5, "values[2, 1] is -1; expected a finite number of at least 0"},
    {"values", 5, NAN, 0.5, "values[2, 1] is nan"},
    {"values", 0, INFINITY, 0.5, "values[0, 0] is inf"},
    {"values", 3, 0.0, -1.0, "values[1, 1] is 0; at alpha = -1, where every good is indispensable"},
    {"values", 3, 0.0, -INFINITY, "values[1, 1] is 0; at alpha = -inf"},
    {"budgets", 2, 0.0, 0.5, "budgets[2] is 0; expected a positive finite number (1 works)"},
    {"budgets", 1, -2.0, 0.5, "budgets[1] is -2"},
    {"budgets", 1, NAN, 0.5, "budgets[1] is nan"},
    {"budgets", 1, INFINITY, 0.5, "budgets[1] is inf"},
    {"supply", 1, 0.0, 0.5, "supply[1] is 0; expected a positive finite number (1 works)"},
    {"supply", 0, -3.0, 0.5, "supply[0] is -3"},
    {"supply", 0, NAN, 0.5, "supply[0] is nan"},
    {"supply", 0, INFINITY, 0.5, "supply[0] is inf"},
};

START_TEST(bad_numbers_are_named) {
  double values[6] = {1, 1, 1, 1, 1, 1}, budgets[3] = {1, 1, 1}, supply[2] = {1, 1};
  double *cells = bad_numbers[_i].dataset[0] == 'v'   ? values
                  : bad_numbers[_i].dataset[0] == 'b' ? budgets
                                                      : supply;
  cells[bad_numbers[_i].at] = bad_numbers[_i].number;
  hid_t file = create("market.h5");
  put_matrix(file, "values", 3, 2, values);
  put_vector(file, "budgets", 3, budgets);
  put_vector(file, "supply", 2, supply);
  H5Fclose(file);
  assert_refused("market.h5", bad_numbers[_i].alpha, bad_numbers[_i].message);
}
END_TEST

START_TEST(bad_contexts_are_named) {
  static const struct {
    double b[4], g[4];
    const char *message;
  } cases[] = {{{1, 2, NAN, 4}, {1, 2, 3, 4}, "buyers[1, 0] is nan; expected a finite number"},
               {{1, 2, 0, 0}, {1, 2, 3, 4}, "buyers[1] is all zeros, so that its budget ||b|| would be 0"},
               {{1, 2, 3, 4}, {1, INFINITY, 3, 4}, "goods[0, 1] is inf; expected a finite number"}};
  hid_t file = create("market.h5");
  put_matrix(file, "buyers", 2, 2, cases[_i].b);
  put_matrix(file, "goods", 2, 2, cases[_i].g);
  H5Fclose(file);
  assert_refused("market.h5", 0.5, cases[_i].message);
}
END_TEST

static const double ones[64] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

START_TEST(a_buyer_who_values_nothing) {
  const double values[6] = {1, 2, 0, 0, 3, 4};
  hid_t file = create("market.h5");
  put_matrix(file, "values", 3, 2, values);
  H5Fclose(file);
  assert_refused("market.h5", 1.0, "values[1] is 0 for every good: a buyer who values nothing");
}
END_TEST

START_TEST(a_good_that_nobody_wants_is_taken) {
  const double values[6] = {1, 0, 2, 0, 3, 0};
  wal_market_file market;
  wal_reduced_market reduced;
  hid_t file = create("market.h5");
  put_matrix(file, "values", 3, 2, values);
  H5Fclose(file);
  ck_assert_int_eq(open_market("market.h5", 1.0, 0, &market), WAL_OK);
  ck_assert_int_eq(wal_reduced_market_create(&market.market, &reduced), WAL_OK);
  ck_assert(reduced.market.m == 1 && reduced.good[0] == 0);
  wal_reduced_market_destroy(&reduced);
  wal_market_file_close(&market);
}
END_TEST

START_TEST(shapes_that_do_not_fit) {
  static const struct {
    const char *name;
    hsize_t rows, columns; /* columns 0: one dimension */
    const char *message;
  } cases[] = {{"budgets", 2, 0, "dataset budgets has shape [2]; expected [3]: one budget per buyer"},
               {"budgets", 3, 1, "dataset budgets has shape [3, 1]; expected [3]"},
               {"supply", 3, 0, "dataset supply has shape [3]; expected [2]: one supply per good"},
               {"good_names", 2, 0, "dataset good_names holds no text; expected names"},
               {"value", 3, 2, ""}, /* beside values: another name, ignored */
               {"budget", 3, 0, "unknown dataset budget; did you mean budgets?"}};
  hid_t file = create("market.h5");
  put_matrix(file, "values", 3, 2, ones);
  if (cases[_i].columns)
    put_matrix(file, cases[_i].name, cases[_i].rows, cases[_i].columns, ones);
  else
    put_vector(file, cases[_i].name, cases[_i].rows, ones);
  H5Fclose(file);
  wal_market_file market;
  if (*cases[_i].message) {
    assert_refused("market.h5", 0.5, cases[_i].message);
  } else {
    ck_assert_int_eq(open_market("market.h5", 0.5, 0, &market), WAL_OK);
    wal_market_file_close(&market);
  }
}
END_TEST

START_TEST(values_of_another_kind) {
  hid_t file = create("market.h5"), text = H5Tcopy(H5T_C_S1);
  hid_t compound = H5Tcreate(H5T_COMPOUND, 8);
  const hsize_t size[2] = {2, 2}, wide[2] = {2, 70000};
  H5Tset_size(text, 3);
  H5Tinsert(compound, "a", 0, H5T_NATIVE_DOUBLE);
  static const char *const messages[] = {
      "dataset values has shape [2]; expected [any, any]: a row per buyer, a column per good",
      "dataset values holds text; expected numbers (float64, float32 or integers)",
      "dataset values holds a compound type; expected numbers",
      "dataset values has 70000 columns; expected at most 65536",
      "no market: found prices; expected values [n, m], or buyers [n, d] and goods [m, d]",
      "no market: found nothing; expected values [n, m]",
      "unknown dataset valuse; did you mean values?"};
  if (_i == 0) put_vector(file, "values", 2, ones);
  if (_i == 1) put(file, "values", 2, size, text, text, NULL, 0);
  if (_i == 2) put(file, "values", 2, size, compound, compound, NULL, 0);
  if (_i == 3) put(file, "values", 2, wide, H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, NULL, 1);
  if (_i == 4) put_vector(file, "prices", 2, ones);
  if (_i == 6) put_matrix(file, "valuse", 2, 2, ones);
  H5Tclose(text);
  H5Tclose(compound);
  H5Fclose(file);
  assert_refused("market.h5", 0.5, messages[_i]);
}
END_TEST

/* A chunk as a filter wrote it that this library does not have. */
START_TEST(compressed_in_an_unknown_way) {
  const hsize_t size[2] = {2, 2}, origin[2] = {0, 0};
  const double bytes[4] = {1, 2, 3, 4};
  hid_t file = H5Fcreate(scratch_path("m.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  hid_t space = H5Screate_simple(2, size, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, 2, size);
  H5Pset_filter(creation, 32000, H5Z_FLAG_OPTIONAL, 0, NULL); /* h5py's lzf */
  hid_t dataset = H5Dcreate2(file, "values", H5T_IEEE_F64LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  ck_assert_int_ge(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, origin, sizeof bytes, bytes), 0);
  H5Dclose(dataset), H5Pclose(creation), H5Sclose(space), H5Fclose(file);
  assert_refused("m.h5", 0.5,
                 "dataset values is compressed with a plugin (filter 32000), which this HDF5 does");
}
END_TEST

START_TEST(alpha_is_needed_and_checked) {
  hid_t file = create("market.h5");
  put_matrix(file, "values", 3, 2, ones);
  if (_i) put_alpha(file, 1.5);
  H5Fclose(file);
  assert_refused("market.h5", NAN, _i ? "alpha is 1.5; expected a number from -inf to 1" : "give --alpha 1");
}
END_TEST

START_TEST(truncated_anywhere) {
  static char bytes[1 << 16];
  hid_t file = create("whole.h5");
  put_matrix(file, "values", 8, 8, ones);
  H5Fclose(file);
  const long length = scratch_read(scratch_path("whole.h5"), bytes, sizeof bytes);
  ck_assert_int_gt(length, 1000);
  for (long keep = 0; keep < length; keep += 1 + length / 40) {
    FILE *out = fopen(scratch_path("cut.h5"), "wb");
    fwrite(bytes, 1, (size_t)keep, out);
    fclose(out);
    wal_market_file market;
    ck_assert_int_eq(open_market("cut.h5", 0.5, 0, &market), WAL_E_INPUT);
  }
}
END_TEST

/* Cut short while it is read: what was whole when it was opened. */
START_TEST(a_file_that_shrinks_is_an_error) {
  double *values = malloc(N * M * sizeof *values), row[M];
  integers(values, N * M);
  hid_t file = create("market.h5");
  put_matrix(file, "values", N, M, values);
  H5Fclose(file);
  wal_market_file market;
  ck_assert_int_eq(open_market("market.h5", 0.5, 1000, &market), WAL_OK);
  ck_assert_int_eq(truncate(scratch_path("market.h5"), 4096), 0);
  const wal_source *buyers = market.market.buyers;
  ck_assert_int_eq(buyers->ops->rows(buyers, N - 1, N, row, NULL), WAL_E_IO);
  ck_assert_msg(strstr(wal_error(), "dataset values cannot be read") != NULL, "%s", wal_error());
  wal_market_file_close(&market);
  free(values);
}
END_TEST

/* ---- CSV ---- */

static void write_text(const char *name, const char *text) {
  FILE *file = fopen(scratch_path(name), "wb");
  ck_assert_ptr_nonnull(file);
  fputs(text, file);
  fclose(file);
}

START_TEST(csv_with_everything) {
  write_text("market.csv",
             "\xEF\xBB\xBF"
             "buyer, bread ,budget,\"wine, red\"\r\nann,1.5,2,1e-3\r\n\r\n\"b \"\"ob\"\"\",0,1,2\r\n"
             "supply,10,,5");
  const double values[4] = {1.5, 1e-3, 0, 2}, budgets[2] = {2, 1}, supply[2] = {10, 5};
  double v[4], budget[2];
  wal_market_file market;
  ck_assert_msg(open_market("market.csv", 0.5, 0, &market) == WAL_OK, "%s", wal_error());
  ck_assert(market.market.n == 2 && market.market.m == 2);
  ck_assert_int_eq(market.market.buyers->ops->rows(market.market.buyers, 0, 2, v, budget), WAL_OK);
  ck_assert_mem_eq(v, values, sizeof v);
  ck_assert_mem_eq(budget, budgets, sizeof budget);
  ck_assert_mem_eq(market.market.supply, supply, sizeof supply);
  ck_assert_str_eq(market.good_names[0], "bread");
  ck_assert_str_eq(market.good_names[1], "wine, red");
  ck_assert_str_eq(market.buyer_names[1], "b \"ob\"");
  wal_market_file_close(&market);
}
END_TEST

static const struct {
  const char *text, *message;
} bad_csv[] = {
    {"", ": is empty; expected a header"},
    {"a,b\n", ": no buyers; expected a row of values for each"},
    {"1,2\n3,4\n", ":1:1: the first line holds the number 1; expected a header"},
    {"a,b\n1\n", ":2:2: the line ends after 1 cells; the header has 2 columns"},
    {"a,b\n1,2,3\n", ":2:5: a cell too many; the header has 2 columns"},
    {"a,b\n1,2\n1, x\n", ":3:4: the value of \"b\" is \"x\"; expected a number such as 1.5"},
    {"a,b\n1,\n", ":2:3: the value of \"b\" is empty; expected a number (0 works)"},
    {"a,b\n1,-2\n", ":2:3: the value of \"b\" is -2; expected a non-negative finite number"},
    {"a,b\n1,nan\n", ":2:3: the value of \"b\" is nan"},
    {"a,b\n1,1e999\n", ":2:3: the value of \"b\" is 1e999"},
    {"a,b\n1,1\n0,0\n", ":3:1: a buyer who values nothing"},
    {"a,a\n1,1\n", ":1: two goods are named \"a\""},
    {"a,,b\n1,1,1\n", ":1:3: a column without a name"},
    {"a;b\n1;2\n", ":1:1: the name \"a;b\" has a semicolon or a tab in it; expected commas"},
    {"buyer,a\nx,\"1\n", ":2:3: a quote that does not end"},
    {"buyer,a\n\"x\ny\",1\nz,b\n", ":4:3: the value of \"a\" is \"b\""},
    {"buyer,a\n\"x\"y,1\n", ":2:1: text after a closing quote"},
    {"buyer,budget,a\nx,0,1\n", ":2:3: the budget is 0; expected a positive finite number"},
    {"buyer,budget,a\nx,1,1\nsupply,1,1\n", ":3:8: the row supply has no budget"},
    {"buyer,a\nx,1\nsupply,0\n", ":3:8: the supply of \"a\" is 0; expected a positive finite number"},
    {"buyer,a\nx,1\nsupply,2\nsupply,2\n", ":4:1: a second row supply"},
    {"a,budget,budget\n1,1,1\n", ":1:10: a second column budget"},
    {"buyer,budget\nx,1\n", ":1: no goods; expected a header"},
    {"buyer,Budget,a\nx,1,1\n", ":1:7: the column \"Budget\" is no good; did you mean \"budget\"?"},
    {"Buyers,a\nx,1\n", ":1:1: the column \"Buyers\" is no good; did you mean \"buyer\"?"},
    {"buyer,a\nx,1\nSupply,2\n", ":3:1: a buyer \"Supply\"; did you mean the row \"supply\"?"},
    {"a,b\n1,0x10\n", ":2:3: the value of \"b\" is \"0x10\"; expected a number such as 1.5"},
    {"a,b\n1,\xFF\n", ": byte 0xFF at 6 is not UTF-8 text"},
};

START_TEST(csv_is_refused_with_its_place) {
  write_text("market.csv", bad_csv[_i].text);
  assert_refused("market.csv", 0.5, bad_csv[_i].message);
}
END_TEST

START_TEST(missing_files) {
  wal_market_file market;
  ck_assert_int_eq(open_market("none.csv", 0.5, 0, &market), WAL_E_IO);
  ck_assert_ptr_nonnull(strstr(wal_error(), "No such file"));
  ck_assert_int_eq(open_market("", 0.5, 0, &market), WAL_E_IO);
  ck_assert_ptr_nonnull(strstr(wal_error(), "is a folder"));
}
END_TEST

/* ---- course bids ---- */

START_TEST(course_bids_become_a_market) {
  write_text("bids.json",
             "{\"valuations\": {\"s1\": {\"c2\": 7, \"c1\": 2.5}, \"s2\": {\"c1\": 1}},\n"
             " \"agent_capacities\": {\"s1\": 2}, \"item_capacities\":{\"c1\":3,\"c2\":4, \"c3\": 5}}");
  const double values[6] = {2.5, 7, 0, 1, 0, 0}, supply[3] = {3, 4, 5};
  char notes[256] = "";
  FILE *sink = fmemopen(notes, sizeof notes, "w");
  wal_course_bids bids;
  ck_assert_msg(wal_course_bids_read(scratch_path("bids.json"), sink, &bids) == WAL_OK, "%s", wal_error());
  fclose(sink);
  ck_assert_ptr_nonnull(strstr(notes, "\"agent_capacities\" is ignored"));
  ck_assert_int_eq(wal_course_bids_write(&bids, scratch_path("bids.json"), scratch_path("m.h5")), WAL_OK);
  wal_course_bids_free(&bids);
  wal_market_file market;
  double v[6], budget[2];
  ck_assert_msg(open_market("m.h5", NAN, 0, &market) == WAL_OK, "%s", wal_error());
  ck_assert(market.market.n == 2 && market.market.m == 3 && market.market.alpha == 1.0);
  ck_assert_int_eq(market.market.buyers->ops->rows(market.market.buyers, 0, 2, v, budget), WAL_OK);
  ck_assert_mem_eq(v, values, sizeof v);
  ck_assert(budget[0] == 1.0 && budget[1] == 1.0);
  ck_assert_mem_eq(market.market.supply, supply, sizeof supply);
  ck_assert_str_eq(market.good_names[2], "c3");
  ck_assert_str_eq(market.buyer_names[1], "s2");
  wal_market_file_close(&market);
}
END_TEST

static const struct {
  const char *text, *message;
} bad_bids[] = {
    {"[1, 2]", ":1:1: expected {\"valuations\": {...}, \"item_capacities\": {...}}"},
    {"{\"valuations\": {\"s\": {\"c\": 1}}}", ":1:1: no \"item_capacities\""},
    {"{\"valuations\": {}, \"item_capacities\": {\"c\": 1}}", ":1:16: \"valuations\" has no entries"},
    {"{\"valuations\": {\"s\": {\"c\": -1}}, \"item_capacities\": {\"c\": 1}}",
     ":1:28: the bid is -1; expected a finite number, 0 or more"},
    {"{\"valuations\": {\"s\": {\"c\": .inf}}, \"item_capacities\": {\"c\": 1}}",
     ":1:28: the bid is inf; expected a finite number, 0 or more"},
    {"{\"valuations\": {\"s\": {\"c\": \"1\"}}, \"item_capacities\": {\"c\": 1}}",
     ":1:28: the bid: expected a number such as 0.5"},
    {"{\"valuations\": {\"s\": {\"c\": 1}}, \"item_capacities\": {\"c\": 0}}",
     ":1:58: the capacity is 0; expected a finite number above 0"},
    {"{\"valuations\": {\"s\": {\"d\": 1}}, \"item_capacities\": {\"c\": 1}}",
     ":1:23: a bid for \"d\", which item_capacities does not have"},
    {"{\"valuations\": {\"s\": [1]}, \"item_capacities\": {\"c\": 1}}", ":1:22: expected a mapping"},
    {"{\"valuations\": {\"s\": {\"c\": 1}", ":1:"},
};

START_TEST(course_bids_are_refused_with_their_place) {
  wal_course_bids bids;
  write_text("bids.json", bad_bids[_i].text);
  ck_assert_int_eq(wal_course_bids_read(scratch_path("bids.json"), stdout, &bids), WAL_E_INPUT);
  ck_assert_msg(strstr(wal_error(), bad_bids[_i].message) != NULL, "expected '%s' in: %s",
                bad_bids[_i].message, wal_error());
}
END_TEST

#define COUNT(array) (int)(sizeof array / sizeof *array)

int main(void) {
  Suite *suite = suite_create("market_file");
  TCase *t = tcase_create("market_file");
  tcase_set_timeout(t, 60);
  tcase_add_checked_fixture(t, scratch_make, scratch_remove);
  tcase_add_loop_test(t, every_type_in_every_layout, 0, TYPES * LAYOUTS * MODES);
  tcase_add_loop_test(t, contexts_are_the_generators, 0, 4);
  tcase_add_loop_test(t, streamed_solutions_have_the_same_bits, 0, 2);
  tcase_add_loop_test(t, user_blocks_are_skipped, 0, 2);
  tcase_add_test(t, a_large_compressed_dataset_is_not_loaded);
  tcase_add_loop_test(t, chunks_that_are_too_large, 0, 2);
  tcase_add_loop_test(t, bad_numbers_are_named, 0, COUNT(bad_numbers));
  tcase_add_loop_test(t, bad_contexts_are_named, 0, 3);
  tcase_add_test(t, a_buyer_who_values_nothing);
  tcase_add_test(t, a_good_that_nobody_wants_is_taken);
  tcase_add_loop_test(t, shapes_that_do_not_fit, 0, 6);
  tcase_add_loop_test(t, values_of_another_kind, 0, 7);
  tcase_add_test(t, compressed_in_an_unknown_way);
  tcase_add_loop_test(t, alpha_is_needed_and_checked, 0, 2);
  tcase_add_test(t, truncated_anywhere);
  tcase_add_test(t, a_file_that_shrinks_is_an_error);
  tcase_add_test(t, csv_with_everything);
  tcase_add_loop_test(t, csv_is_refused_with_its_place, 0, COUNT(bad_csv));
  tcase_add_test(t, missing_files);
  tcase_add_test(t, course_bids_become_a_market);
  tcase_add_loop_test(t, course_bids_are_refused_with_their_place, 0, COUNT(bad_bids));
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
