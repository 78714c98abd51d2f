/* walras solve and walras import as a user calls them. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "models/common/rng.h"
#include "models/market/welfare.h"
#include "tests/cli/call.h"
#include "tests/h5_put.h"
#include "tests/suite.h"

/* ---- markets and solutions ---- */

enum { N = 40, M = 5 };

typedef struct {
  double values[N * M], budget[N], supply[M];
} test_market;

/* Zeros where `zeros`; every buyer and every good has a positive value. Written as market.csv. */
static test_market write_market(uint64_t seed, bool zeros) {
  test_market t;
  FILE *file = fopen(scratch_path("market.csv"), "w");
  ck_assert_ptr_nonnull(file);
  fprintf(file, "buyer,budget,a,b,c,d,e\n");
  for (int i = 0; i < N; i++) {
    t.budget[i] = exp(wal_rng_normal(seed, WAL_STREAM_TEST, (uint64_t)(1000 + i)));
    fprintf(file, "s%d,%.17g", i, t.budget[i]);
    for (int j = 0; j < M; j++) {
      const double v = exp(wal_rng_normal(seed, WAL_STREAM_TEST, (uint64_t)(i * M + j)));
      t.values[i * M + j] = zeros && v < 0.7 && i % M != j ? 0.0 : v;
      fprintf(file, ",%.17g", t.values[i * M + j]);
    }
    fprintf(file, "\n");
  }
  fprintf(file, "supply,");
  for (int j = 0; j < M; j++) {
    t.supply[j] = 1.0 + j;
    fprintf(file, ",%.17g", t.supply[j]);
  }
  fclose(file);
  return t;
}

/* ---- what it solves ---- */

/* The conditions of an equilibrium, from what was written: supplies sold out, budgets spent, and every
   buyer's bundle worth as much as the best that its budget buys at the prices (wal_ces_log_indirect; alpha =
   1: best bang per buck). */
START_TEST(the_solution_is_an_equilibrium) {
  static const double alphas[] = {0.9, 0.5, 0.0, -1.0, -4.0, 1.0};
  const double alpha = alphas[_i];
  const test_market t = write_market(3, alpha >= 0.0);
  double price[M], x[N * M], utility[N], log_utility[N], sold[M] = {0}, budgets = 0, worth = 0, lnw = 0;
  char line[256];
  snprintf(line, sizeof line, "solve market.csv --alpha %g -o solution.h5", alpha);
  ck_assert_msg(walras(line) == 0, "%s", err);
  h5_get("solution.h5", "price", M, price);
  h5_get("solution.h5", "allocation", N * M, x);
  h5_get("solution.h5", "utility", N, utility);
  h5_get("solution.h5", "log_utility", N, log_utility);
  for (int i = 0; i < N; i++) {
    const double *v = t.values + i * M, *xi = x + i * M;
    double spent = 0.0;
    for (int j = 0; j < M; j++) {
      ck_assert(xi[j] >= 0.0);
      spent += price[j] * xi[j];
      sold[j] += xi[j];
    }
    ck_assert_double_eq_tol(spent, t.budget[i], 1e-6 * t.budget[i]);
    ck_assert_double_eq_tol(log_utility[i], wal_ces_log_utility(alpha, M, v, xi), 1e-12);
    ck_assert_double_eq_tol(log_utility[i], wal_ces_log_indirect(alpha, M, v, price, t.budget[i]), 1e-6);
    ck_assert_double_eq_tol(utility[i], exp(log_utility[i]), 1e-12 * utility[i]);
    budgets += t.budget[i];
    lnw += t.budget[i] * log_utility[i];
  }
  for (int j = 0; j < M; j++) {
    ck_assert_double_eq_tol(sold[j], t.supply[j], 1e-12 * t.supply[j]);
    worth += t.supply[j] * price[j];
  }
  ck_assert_double_eq_tol(worth, budgets, 1e-12 * budgets);
  ck_assert_double_eq_tol(h5_attribute("solution.h5", "log_nash_welfare"), lnw / budgets, 1e-12);
  ck_assert(fabs(h5_attribute("solution.h5", "nash_gap")) < 1e-9);
  ck_assert(h5_attribute("solution.h5", "alpha") == alpha);
  ck_assert(h5_attribute("solution.h5", "iterations") >= 1);
}
END_TEST

/* A method whose goods are not sold out, or too often: what is written is scaled to the supply (eq. 12). */
START_TEST(approximations_clear_the_market) {
  const test_market t = write_market(3, false);
  double x[N * M], log_utility[N], sold[M] = {0};
  ck_assert_int_eq(
      walras("solve market.csv --alpha 0.5 --solver newton_sample --set newton_sample.buyers=3 -o s.h5"), 0);
  ck_assert_double_gt(h5_attribute("s.h5", "voa"), 1e-3);
  h5_get("s.h5", "allocation", N * M, x);
  h5_get("s.h5", "log_utility", N, log_utility);
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < M; j++) sold[j] += x[i * M + j];
    ck_assert_double_eq_tol(log_utility[i], wal_ces_log_utility(0.5, M, t.values + i * M, x + i * M), 1e-12);
  }
  for (int j = 0; j < M; j++) ck_assert_double_eq_tol(sold[j], t.supply[j], 1e-12 * t.supply[j]);
}
END_TEST

START_TEST(what_is_written_can_be_shown) {
  write_market(3, false);
  ck_assert_int_eq(walras("solve market.csv --alpha 0.5 -o s.h5"), 0);
  ck_assert_int_eq(walras("show s.h5"), 0);
  assert_says(out, "walras-solution-1");
  assert_says(out, "allocation");
  assert_says(out, "/good_names          [5] text  a, b, c, d, e\n");
  ck_assert_int_eq(walras("verify s.h5"), 0);
}
END_TEST

START_TEST(the_summary_is_printed) {
  write_market(3, false);
  ck_assert_int_eq(walras("solve market.csv --alpha 0.5"), 0);
  assert_says(out, "market            market.csv (CSV)\n");
  assert_says(out, "buyers n          40\n");
  assert_says(out, "solver            newton: Exact");
  assert_says(out, "log Nash welfare  ");
  assert_says(out, "\ngood         price        supply         worth\na     ");
  ck_assert_ptr_null(strstr(out, "Wrote"));
  ck_assert_str_eq(err, "");
  ck_assert_int_eq(scratch_entries(scratch), 3); /* market.csv, out, err */
}
END_TEST

START_TEST(goods_that_nobody_wants) {
  double price[3], x[6];
  write_text("market.csv", "a,b,c\n1,0,2\n3,0,1\n");
  ck_assert_int_eq(walras("solve market.csv --alpha 0.5 -o s.h5"), 0);
  assert_says(out, "1 good that nobody wants has price 0 and is given to nobody");
  assert_says(out, "the file gives no supply: 1 of each good");
  h5_get("s.h5", "price", 3, price);
  h5_get("s.h5", "allocation", 6, x);
  ck_assert(price[0] > 0 && price[1] == 0 && price[2] > 0);
  ck_assert(x[1] == 0 && x[4] == 0);
  ck_assert_double_eq_tol(price[0] + price[2], 2.0, 1e-12);
}
END_TEST

/* Money that is worth keeping is kept: the second buyer pays no more than 0.4 for its good. */
START_TEST(quasilinear_utilities) {
  double price[2], utility[2];
  write_text("market.csv", "a,b\n3,0\n0,0.4\n");
  ck_assert_int_eq(walras("solve market.csv --alpha 1 --quasilinear --set block.tol=1e-12 -o s.h5"), 0);
  assert_says(out, "alpha             1, quasilinear\n");
  h5_get("s.h5", "price", 2, price);
  h5_get("s.h5", "utility", 2, utility);
  ck_assert_double_eq_tol(price[0], 1.0, 1e-6);
  ck_assert_double_eq_tol(price[1], 0.4, 1e-6);
  ck_assert_double_eq_tol(utility[0], 3.0, 1e-6);
  ck_assert_double_eq_tol(utility[1], 1.0, 1e-6);
}
END_TEST

START_TEST(one_buyer_or_one_good) {
  double price[2];
  write_text("market.csv", _i ? "a,b\n1,3\n" : "a\n1\n5\n");
  ck_assert_int_eq(walras("solve market.csv --alpha 0.5 -o s.h5"), 0);
  h5_get("s.h5", "price", 1 + _i, price);
  if (_i == 0) ck_assert_double_eq_tol(price[0], 2.0, 1e-12);
  /* one buyer owns all: p_j ~ du/dx_j ~ v_j^alpha Y_j^(alpha-1) */
  if (_i == 1) ck_assert_double_eq_tol(price[1] / price[0], sqrt(3.0), 1e-12);
}
END_TEST

/* Values over 30 orders of magnitude: finite, and an equilibrium. */
START_TEST(thirty_orders_of_magnitude) {
  static const char *const alphas[] = {"1", "0.9999", "0.5", "0.001", "0", "-1", "-300", "-inf"};
  FILE *file = fopen(scratch_path("market.csv"), "w");
  fprintf(file, "a,b,c,d\n");
  for (uint64_t i = 0; i < 50; i++)
    for (uint64_t j = 0; j < 4; j++)
      fprintf(file, "%.17g%c", pow(10.0, 30.0 * wal_rng_uniform(1, WAL_STREAM_TEST, 4 * i + j) - 15.0),
              j < 3 ? ',' : '\n');
  fclose(file);
  char line[128];
  double log_utility[50];
  snprintf(line, sizeof line, "solve market.csv --alpha %s -o s.h5", alphas[_i]);
  ck_assert_msg(walras(line) == 0, "%s", err);
  ck_assert(fabs(h5_attribute("s.h5", "nash_gap")) < 1e-8);
  h5_get("s.h5", "log_utility", 50, log_utility);
  for (int i = 0; i < 50; i++) ck_assert(isfinite(log_utility[i]));
}
END_TEST

/* Identical buyers get 1/n of each good; newton_cg where the choice is the program's. */
START_TEST(many_goods_take_the_matrix_free_solver) {
  static const char *const flags[] = {"", "--set newton.tol=1e-9", "--solver naive"}, *const solvers[] = {
                                                                                          "newton_cg",
                                                                                          "newton", "naive"};
  FILE *file = fopen(scratch_path("market.csv"), "w");
  for (int j = 0; j < 520; j++) fprintf(file, "g%d%c", j, j < 519 ? ',' : '\n');
  for (int k = 0; k < 2 * 520; k++) fprintf(file, "%d%c", 1 + k % 520, k % 520 < 519 ? ',' : '\n');
  fclose(file);
  char line[128], said[64];
  double price[520];
  snprintf(line, sizeof line, "solve market.csv --alpha 0.5 %s -o s.h5", flags[_i]);
  snprintf(said, sizeof said, "solver            %s:", solvers[_i]);
  ck_assert_msg(walras(line) == 0, "%s", err);
  assert_says(out, said);
  h5_get("s.h5", "price", 520, price); /* equal buyers: p_j ~ v_j^alpha Y_j^(alpha-1) */
  if (_i < 2) ck_assert_double_eq_tol(price[399] / price[0], 20.0, 1e-6);
}
END_TEST

START_TEST(options_reach_the_solver) {
  write_market(3, false);
  ck_assert_int_eq(walras("solve market.csv --alpha -1 --solver naive"), 0);
  assert_says(out, "solver            naive");
  ck_assert_int_eq(walras("solve market.csv --alpha -1 --set newton.max_steps=1 -o s.h5"), 1);
  assert_says(err, "newton.max_steps: 1");
  ck_assert_int_eq(access(scratch_path("s.h5"), F_OK), -1);
  ck_assert_int_eq(walras("solve market.csv --alpha -1 --set newton.tol=1e-3 -o s.h5 --threads 1"), 0);
  ck_assert(h5_attribute("s.h5", "certified_gap") > 1e-16);
}
END_TEST

/* The allocation goes out in blocks; 12,000,000 cells are too many unasked. */
START_TEST(a_large_allocation_is_asked_for) {
  const hsize_t size[2] = {1200000, 10};
  double row[10] = {0};
  const double fill = 2.0;
  hid_t file = H5Fcreate(scratch_path("m.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  hid_t space = H5Screate_simple(2, size, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_fill_value(creation, H5T_NATIVE_DOUBLE, &fill);
  H5Dclose(H5Dcreate2(file, "values", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, creation, H5P_DEFAULT));
  H5Fclose(file);
  ck_assert_int_eq(walras("solve m.h5 --alpha 0 --solver naive -o s.h5"), 0);
  assert_says(out, "--allocation adds the 1200000 x 10 allocation (0.0894 GiB)");
  ck_assert(!h5_has("s.h5", "allocation") && h5_has("s.h5", "utility"));
  ck_assert_int_eq(walras("solve m.h5 --alpha 0 --solver naive -o s.h5 --allocation"), 0);
  file = H5Fopen(scratch_path("s.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
  hid_t dataset = H5Dopen2(file, "allocation", H5P_DEFAULT), all = H5Dget_space(dataset);
  const hsize_t start[2] = {size[0] - 1, 0}, count[2] = {1, 10};
  hid_t memory = H5Screate_simple(2, count, NULL);
  H5Sselect_hyperslab(all, H5S_SELECT_SET, start, NULL, count, NULL);
  ck_assert_int_ge(H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, all, H5P_DEFAULT, row), 0);
  for (int j = 0; j < 10; j++) ck_assert_double_eq_tol(row[j], 1.0 / 1200000, 1e-15);
  H5Fclose(file);
}
END_TEST

START_TEST(course_bids_are_imported_and_solved) {
  double price[3];
  write_text("bids.json",
             "{\"valuations\": {\"s\": {\"c1\": 1, \"c2\": 3}, \"t\": {\"c1\": 4}},"
             "\"item_capacities\": {\"c1\": 2, \"c2\": 1, \"c3\": 5}, \"item_conflicts\": {}}");
  ck_assert_int_eq(walras("import bids.json -o bids.h5"), 0);
  assert_says(out, "\"item_conflicts\" is ignored");
  ck_assert_int_eq(walras("solve bids.h5 -o s.h5"), 0);
  assert_says(out, "c3 ");
  h5_get("s.h5", "price", 3, price); /* s buys c2, t buys c1: 1 each, over supplies of 1 and 2 */
  ck_assert_double_eq_tol(price[0], 0.5, 1e-8);
  ck_assert_double_eq_tol(price[1], 1.0, 1e-8);
  ck_assert(price[2] == 0.0);
}
END_TEST

/* The same market in a config: the same welfare, n and m from the file. */
START_TEST(a_config_sweeps_the_file) {
  double rows[2], n[2];
  write_market(3, true);
  write_text("mine.yaml",
             "experiment: marketfcnet/table1\n"
             "params: {alpha: 0.5, contexts: {source: file, path: market.csv}}\n"
             "sweep: {grid: {solver: [naive, newton], seed: [1]}}\n");
  ck_assert_msg(walras("run mine.yaml --results r --plots p --no-plots") == 0, "%s", err);
  ck_assert_int_eq(walras("solve market.csv --alpha 0.5 -o s.h5"), 0);
  h5_get("r/mine.h5", "rows/lnw", 2, rows);
  h5_get("r/mine.h5", "rows/n", 2, n);
  ck_assert(rows[0] < rows[1] && rows[1] == h5_attribute("s.h5", "log_nash_welfare"));
  ck_assert(n[0] == N && n[1] == N);
  h5_get("r/mine.h5", "rows/m", 2, n);
  ck_assert(n[0] == M && n[1] == M);
  ck_assert_msg(walras("verify r/mine.h5") == 0, "%s", out); /* train_flop is nobody's here */
}
END_TEST

/* ---- what it refuses ---- */

static const struct {
  const char *line;
  int code;
  const char *message;
} refused[] = {
    {"solve", 2, "walras solve needs FILE"},
    {"solve none.csv --alpha 1", 2, "walras: none.csv: cannot be read: No such file or directory"},
    {"solve /dev/zero --alpha 1", 2, "walras: /dev/zero: is not a regular file"},
    {"solve . --alpha 1", 2, "walras: .: is a folder; expected a file"},
    {"solve market.csv", 2, "walras: market.csv: no alpha: the file does not say"},
    {"solve market.csv --alpha 2", 2, "walras: --alpha: alpha is 2; expected a number of at most 1"},
    {"solve market.csv --alpha x", 2, "walras: --alpha: alpha: \"x\" is not a number"},
    {"solve market.csv --alpha 1 --solver newtn", 2, "did you mean \"newton\"?"},
    {"solve market.csv --alpha 1 --solver fc", 2, "fc needs buyers and goods with contexts"},
    {"solve market.csv --alpha 0.5 --quasilinear", 2, "block takes quasilinear utilities at alpha = 1 only"},
    {"solve market.csv --alpha 1 --quasilinear --solver newton", 2, "a solver that takes it (pr, block"},
    {"solve market.csv --alpha 1 --set newton.tl=1", 2, "did you mean \"newton.tol\"?"},
    {"solve market.csv --alpha 1 --set newton.tol=2", 2, "newton.tol is 2; expected a number from 0 to 1"},
    {"solve market.csv --alpha 1 --set newton.tol", 2, "expected OPTION=VALUE"},
    {"solve market.csv --alpha 1 --set pr.tol=1", 2, "pr.tol counts with solver=pr only"},
    {"solve market.csv --alpha 1 --set n=5", 2, "unknown parameter \"n\" of walras solve"},
    {"solve market.csv --alpha 1 --allocation", 2, "--allocation needs a file to write to"},
    {"solve market.csv --alpha 1 -o ./market.csv", 2, "-o ./market.csv is the input itself"},
    {"solve market.csv --alpha 1 -o link.csv", 2, "-o link.csv is the input itself"},
    {"solve market.csv --alpha 1 -o s.csv", 2, "-o s.csv: what is written is HDF5"},
    {"import bad.csv -o ./bad.csv", 2, "-o ./bad.csv is the input itself"},
    {"solve market.csv --alpha 1 -o /dev/full", 2, "cannot write /dev/full: it is not a regular file"},
    {"solve market.csv --alpha 1 -o /proc/none/s.h5", 2, "cannot create the folder /proc/none"},
    {"solve market.csv --alpha 1 -o .", 2, "Is a directory"},
    {"solve bad.csv --alpha 1", 2, "walras: bad.csv:2:3: the value of \"b\" is \"x\""},
    {"import market.csv", 2, "walras import needs -o MARKET.h5"},
    {"import none.json -o m.h5", 2, "none.json: cannot be read"},
    {"import market.csv -o m.h5", 2, "market.csv:"},
};

START_TEST(bad_input_is_refused_with_a_message) {
  write_market(3, false);
  write_text("bad.csv", "a,b\n1,x\n");
  ck_assert_int_eq(symlink("market.csv", scratch_path("link.csv")), 0);
  ck_assert_int_eq(walras(refused[_i].line), refused[_i].code);
  assert_says(err, refused[_i].message);
  ck_assert_str_eq(out, "");
  ck_assert_int_eq(scratch_entries(scratch), 5); /* what was written above, out, err */
}
END_TEST

/* ---- whole or not at all ---- */

START_TEST(a_full_disk_keeps_the_old_file) {
  write_market(3, false);
  write_text("s.h5", "old");
  char text[8];
  for (int blocks = 1; blocks <= 16; blocks *= 2) { /* of 1 KiB; the file has 25 */
    char prefix[64];
    snprintf(prefix, sizeof prefix, "ulimit -f %d;", blocks);
    ck_assert_int_eq(walras_with(prefix, "solve market.csv --alpha 0.5 -o s.h5"), 2);
    assert_says(err, "walras: s.h5: cannot write");
    assert_says(err, "File too large");
    read_text(scratch_path("s.h5"), text, sizeof text);
    ck_assert_str_eq(text, "old");
    ck_assert_int_eq(scratch_entries(scratch), 4); /* market.csv, s.h5, out, err */
  }
}
END_TEST

/* The program with a solver that takes for ever, once its temporary file is there. */
static pid_t begin_long_solve(void) {
  pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    const int none = open("/dev/null", O_WRONLY);
    dup2(none, STDOUT_FILENO);
    dup2(none, STDERR_FILENO);
    signal(SIGINT, SIG_DFL); /* ignored where the tests run in the background */
    signal(SIGHUP, SIG_DFL);
    if (chdir(scratch) == 0)
      execl(WAL_BINARY, "walras", "solve", "market.csv", "--alpha", "0.5", "-o", "s.h5", "--solver", "eg",
            "--set", "eg.epochs=1000000", "--set", "eg.inner=1000000", "--set", "eg.early_stop=false",
            (char *)NULL);
    _exit(1);
  }
  for (int wait_ms = 0; scratch_entries(scratch) < 2 && wait_ms < 20000; wait_ms += 10) usleep(10000);
  ck_assert_int_eq(scratch_entries(scratch), 2); /* market.csv and the temporary file */
  return child;
}

START_TEST(interrupted_without_a_trace) {
  static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
  int status;
  write_market(3, false);
  pid_t child = begin_long_solve();
  usleep(50000);
  ck_assert_int_eq(kill(child, signals[_i]), 0);
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert(WIFEXITED(status));
  ck_assert_int_eq(WEXITSTATUS(status), 130);
  ck_assert_int_eq(scratch_entries(scratch), 1);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("solve");
  TCase *t = tcase_create("solve");
  tcase_set_timeout(t, 60);
  tcase_add_checked_fixture(t, scratch_make, scratch_remove);
  tcase_add_loop_test(t, the_solution_is_an_equilibrium, 0, 6);
  tcase_add_test(t, approximations_clear_the_market);
  tcase_add_test(t, what_is_written_can_be_shown);
  tcase_add_test(t, the_summary_is_printed);
  tcase_add_test(t, goods_that_nobody_wants);
  tcase_add_test(t, quasilinear_utilities);
  tcase_add_loop_test(t, one_buyer_or_one_good, 0, 2);
  tcase_add_loop_test(t, thirty_orders_of_magnitude, 0, 8);
  tcase_add_loop_test(t, many_goods_take_the_matrix_free_solver, 0, 3);
  tcase_add_test(t, options_reach_the_solver);
  tcase_add_test(t, a_large_allocation_is_asked_for);
  tcase_add_test(t, course_bids_are_imported_and_solved);
  tcase_add_test(t, a_config_sweeps_the_file);
  tcase_add_loop_test(t, bad_input_is_refused_with_a_message, 0, (int)(sizeof refused / sizeof *refused));
  tcase_add_test(t, a_full_disk_keeps_the_old_file);
  tcase_add_loop_test(t, interrupted_without_a_trace, 0, 3);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
