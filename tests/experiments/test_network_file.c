/* Network files: what is written is read back and used to the same bits; damaged and foreign files are
   refused by name. */
#include <check.h>
#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/h5.h"
#include "engine/util.h"
#include "experiments/files/network_file.h"
#include "models/market/contexts.h"
#include "models/market/solver.h"
#include "tests/scratch.h"
#include "tests/suite.h"

enum { N = 600, GOODS = 4, D = 3 };

static wal_context_market market_of(int64_t n, double alpha) {
  wal_context_market market;
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, 5, n, GOODS, D, alpha, &market), WAL_OK);
  return market;
}

static void train(const wal_market *market, wal_solution *solution, wal_trained_network *network) {
  wal_solver_options options;
  wal_solver_defaults(&options);
  options.seed = UINT64_MAX - 5; /* more digits than a double has */
  options.fc_share.width = 8, options.fc_share.epochs = 2, options.fc_share.inner = 5,
  options.fc_share.batch = 16;
  ck_assert_int_eq(wal_solver_find("fc_share")->solve(market, &options, NULL, solution), WAL_OK);
  ck_assert_int_eq(wal_trained_network_export(solution->allocation, network), WAL_OK);
}

/* A network in DIR/model.h5. */
static void write_network(const char *path) {
  wal_context_market market = market_of(N, 0.5);
  wal_solution solution;
  wal_trained_network network;
  wal_provenance provenance = {0};
  train(&market.market, &solution, &network);
  ck_assert_int_eq(wal_provenance_add(&provenance, "market", "n=600 \"quoted\""), WAL_OK);
  ck_assert_msg(wal_network_file_write(&network, &provenance, path) == WAL_OK, "%s", wal_error());
  wal_provenance_free(&provenance);
  wal_trained_network_destroy(&network);
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
}

START_TEST(same_bits_after_a_file) {
  wal_context_market market = market_of(N, 0.5);
  wal_solution solution;
  wal_trained_network network, back;
  wal_provenance provenance;
  wal_allocation *again;
  train(&market.market, &solution, &network);
  write_network(scratch_path("new/folder/model.h5"));
  ck_assert_msg(wal_network_file_read(scratch_path("new/folder/model.h5"), &back, &provenance) == WAL_OK,
                "%s", wal_error());
  ck_assert_str_eq(wal_provenance_get(&provenance, "market"), "n=600 \"quoted\"");
  ck_assert_str_eq(back.recipe, "fc_share");
  ck_assert_str_eq(back.activation, network.activation);
  ck_assert(back.m == GOODS && back.d == D && back.alpha == 0.5 && back.width == 8 &&
            back.depth == network.depth);
  ck_assert(back.seed == network.seed && back.steps == 10 && back.parameter_count == network.parameter_count);
  ck_assert_mem_eq(back.goods, network.goods, GOODS * D * sizeof(float));
  ck_assert_mem_eq(back.lambda, network.lambda, GOODS * sizeof(double));
  ck_assert_mem_eq(back.mean, network.mean, GOODS * sizeof(double));
  ck_assert_int_eq(wal_trained_network_allocation(&back, &market.market, solution.price, &again), WAL_OK);
  double x[N * GOODS], y[N * GOODS];
  ck_assert_int_eq(solution.allocation->ops->fill(solution.allocation, 0, N, x), WAL_OK);
  ck_assert_int_eq(again->ops->fill(again, 0, N, y), WAL_OK);
  ck_assert_mem_eq(x, y, sizeof x);
  wal_allocation_destroy(again);
  wal_provenance_free(&provenance);
  wal_trained_network_destroy(&back);
  wal_trained_network_destroy(&network);
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
}
END_TEST

/* Reading fails with a message that has all these parts. */
static void refused(const char *path, wal_status status, const char *part, const char *other) {
  wal_trained_network network;
  wal_provenance provenance;
  ck_assert_int_eq(wal_network_file_read(path, &network, &provenance), status);
  ck_assert_msg(strstr(wal_error(), path) && strstr(wal_error(), part) && strstr(wal_error(), other), "%s",
                wal_error());
  ck_assert(!network.goods && !network.parameters && provenance.count == 0);
}

/* Cut anywhere, changed anywhere in its numbers: never read as if it were whole. */
START_TEST(damage_is_found) {
  write_network(scratch_path("model.h5"));
  char *bytes;
  size_t length;
  ck_assert_int_eq(wal_read_file(scratch_path("model.h5"), 1 << 20, &bytes, &length), WAL_OK);
  for (size_t cut = 0; cut < length; cut += length / 13) {
    FILE *file = fopen(scratch_path("cut.h5"), "wb");
    ck_assert_uint_eq(fwrite(bytes, 1, cut, file), cut);
    fclose(file);
    refused(scratch_path("cut.h5"), WAL_E_INPUT, "", "");
  }
  free(bytes);
  refused(scratch_path("none.h5"), WAL_E_IO, "none.h5", "");
}
END_TEST

/* Opens model.h5 for a change. */
static hid_t reopened(void) {
  write_network(scratch_path("model.h5"));
  return H5Fopen(scratch_path("model.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
}

START_TEST(changed_numbers_are_found) {
  hid_t file = reopened(), set = H5Dopen2(file, "lambda", H5P_DEFAULT);
  double lambda[GOODS];
  H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, lambda);
  lambda[2] += 1e-15 + lambda[2] * 1e-15;
  H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, lambda);
  H5Dclose(set), H5Fclose(file);
  refused(scratch_path("model.h5"), WAL_E_INPUT, "/lambda: ", "the checksum of the numbers");
  file = reopened();
  const double alpha = 0.25;
  hid_t attribute = H5Aopen(file, "alpha", H5P_DEFAULT);
  H5Awrite(attribute, H5T_NATIVE_DOUBLE, &alpha);
  H5Aclose(attribute), H5Fclose(file);
  refused(scratch_path("model.h5"), WAL_E_INPUT, "the checksum of the attributes", "");
}
END_TEST

START_TEST(foreign_files_are_refused) {
  hid_t file = reopened();
  H5Ldelete(file, "parameters", H5P_DEFAULT), H5Fclose(file);
  refused(scratch_path("model.h5"), WAL_E_INPUT, "dataset 'parameters' is missing", "");
  file = reopened();
  H5Ldelete(file, "goods", H5P_DEFAULT);
  const hsize_t shape[2] = {D, GOODS};
  hid_t space = H5Screate_simple(2, shape, NULL);
  H5Dclose(H5Dcreate2(file, "goods", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Sclose(space), H5Fclose(file);
  refused(scratch_path("model.h5"), WAL_E_INPUT, "/goods: ", "expected float32 numbers of shape [4, 3]");
  file = reopened();
  H5Adelete(file, "schema"), H5Fclose(file);
  refused(scratch_path("model.h5"), WAL_E_INPUT, "no text attribute 'schema'", "walras train");
  file = reopened();
  H5Adelete(file, "schema");
  wal_h5_set_text(file, "schema", "walras-result-1"), H5Fclose(file);
  refused(scratch_path("model.h5"), WAL_E_INPUT, "'walras-result-1'", "walras-network-1");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("experiments/network_file");
  TCase *tests = tcase_create("network_file");
  tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
  tcase_add_test(tests, same_bits_after_a_file);
  tcase_add_test(tests, damage_is_found);
  tcase_add_test(tests, changed_numbers_are_found);
  tcase_add_test(tests, foreign_files_are_refused);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
