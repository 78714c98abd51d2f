/* walras train and walras apply as a user calls them. */
#include <check.h>
#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "models/common/rng.h"
#include "tests/scratch.h"
#include "tests/suite.h"

static char out[65536], err[65536]; /* what the last call printed */

/* Runs `walras LINE` through the shell in the scratch folder; returns its exit code. */
static int walras(const char *line) {
  char command[2048];
  snprintf(command, sizeof command, "cd '%s' && '%s' %s > out 2> err", scratch, WAL_BINARY, line);
  const int status = system(command);
  char *texts[] = {out, err};
  const char *const names[] = {"out", "err"};
  for (int i = 0; i < 2; i++) {
    const long length = scratch_read(scratch_path(names[i]), texts[i], sizeof out - 1);
    ck_assert_int_ge(length, 0);
    texts[i][length] = '\0';
  }
  ck_assert(WIFEXITED(status));
  return WEXITSTATUS(status);
}

#define TINY "--set fc_share.epochs=4 --set fc_share.inner=20 --set fc_share.width=8 "

static void assert_fine(const char *line) { ck_assert_msg(walras(line) == 0, "%s: %s", line, err); }

static void refused(const char *line, const char *message) {
  ck_assert_int_eq(walras(line), 2);
  ck_assert_msg(strstr(err, message), "expected '%s' in:\n%s", message, err);
}

/* The number after a word of the last output. */
static double number_after(const char *word) {
  const char *at = strstr(out, word);
  ck_assert_msg(at, "no '%s' in:\n%s", word, out);
  return strtod(at + strlen(word), NULL);
}

static hid_t dataset(hid_t file, const char *name, int rank, const hsize_t *shape, const double *numbers) {
  const hid_t space = H5Screate_simple(rank, shape, NULL);
  const hid_t set = H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  ck_assert_int_ge(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers), 0);
  H5Dclose(set);
  return H5Sclose(space);
}

/* A market with contexts in NAME: n buyers, m goods, d = 3, supplies n each; the goods are the same for the
   same m. */
static void write_market(const char *name, int n, int m, uint64_t seed) {
  double buyers[3 * 400], goods[3 * 8], supply[8];
  for (int k = 0; k < 3 * n; k++) buyers[k] = wal_rng_normal(seed, WAL_STREAM_TEST, (uint64_t)k);
  for (int k = 0; k < 3 * m; k++) goods[k] = wal_rng_normal(1, WAL_STREAM_TEST, (uint64_t)(10000 + k));
  for (int j = 0; j < m; j++) supply[j] = n;
  const hid_t file = H5Fcreate(scratch_path(name), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  dataset(file, "buyers", 2, (hsize_t[]){(hsize_t)n, 3}, buyers);
  dataset(file, "goods", 2, (hsize_t[]){(hsize_t)m, 3}, goods);
  dataset(file, "supply", 1, (hsize_t[]){(hsize_t)m}, supply);
  H5Fclose(file);
}

/* The network at its own prices on its own population: the measures of the training. */
START_TEST(drawn_populations) {
  assert_fine("train --set n=3000 --set m=4 --set d=3 --set alpha=0.3 " TINY "-o model.h5");
  const double gap = number_after("Nash gap NG");
  ck_assert(gap > 0 && gap < 0.1);
  assert_fine("apply model.h5 --set n=3000 --prices keep");
  ck_assert_double_eq_tol(number_after("Nash gap NG") / gap, 1, 1e-2); /* three digits, goods in float32 */
  assert_fine("apply model.h5 --set n=5000 --set seed=2 --set contexts=uniform -o out.h5");
  ck_assert_double_lt(number_after("VoA, VoP"), 1e-12);
  const hid_t file = H5Fopen(scratch_path("out.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
  hsize_t shape[2] = {0, 0};
  const hid_t set = H5Dopen2(file, "allocation", H5P_DEFAULT), space = H5Dget_space(set);
  H5Sget_simple_extent_dims(space, shape, NULL);
  ck_assert(shape[0] == 5000 && shape[1] == 4);
  H5Sclose(space), H5Dclose(set), H5Fclose(file);
  assert_fine("show model.h5");
  ck_assert(strstr(out, "walras-network-1") && strstr(out, "fc_share"));
  assert_fine("verify model.h5");
}
END_TEST

/* A market of one's own; another with the same goods; and those that the network does not know. */
START_TEST(markets_from_files) {
  write_market("a.h5", 400, 5, 1);
  write_market("b.h5", 300, 5, 2);
  write_market("c.h5", 300, 6, 2);
  assert_fine("train a.h5 --alpha 0.5 " TINY "-o model.h5");
  assert_fine("apply model.h5 b.h5 --alpha 0.5 -o b_out.h5");
  ck_assert_double_lt(number_after("Nash gap NG"), 0.1);
  refused("apply model.h5 b.h5 --alpha 0.9",
          "the market's alpha is 0.9; the network was trained at alpha = 0.5");
  refused("apply model.h5 c.h5 --alpha 0.5", "the market has m = 6 goods");
  refused("apply model.h5 b.h5 --alpha 0.5 --set n=4", "unknown parameter \"n\"");
  refused("apply model.h5 b.h5 --alpha 0.5 -o b.h5", "-o b.h5 is the input itself");
  refused("apply model.h5 b.h5 --alpha 0.5 -o model.h5", "-o model.h5 is the input itself");
  refused("train a.h5 --alpha 0.5 -o a.h5", "-o a.h5 is the input itself");
}
END_TEST

START_TEST(bad_calls) {
  refused("train --solver newton --set n=100", "newton trains no network; expected fc, fc_share or tower");
  /* before any training: n = 2^40 would take for ever */
  refused("train --set n=2^40 -o /dev/full", "cannot write /dev/full: it is not a regular file");
  refused("train --set nn=100", "unknown parameter \"nn\"");
  refused("apply none.h5", "none.h5");
  assert_fine("train --set n=100 --set m=2 " TINY "-o model.h5");
  refused("apply model.h5 --alpha 0", "--alpha is of a FILE; drawn buyers have the network's alpha, 0.5");
  refused("apply model.h5 --prices both", "--prices both: expected clear or keep");
  refused("apply model.h5 -o model.h5", "-o model.h5 is the");
  ck_assert_int_eq(truncate(scratch_path("model.h5"), 3000), 0);
  refused("apply model.h5", "damaged or truncated");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cli/train");
  TCase *tests = tcase_create("train");
  tcase_set_timeout(tests, 120);
  tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
  tcase_add_test(tests, drawn_populations);
  tcase_add_test(tests, markets_from_files);
  tcase_add_test(tests, bad_calls);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
