/* Running: what is skipped, what runs again and why; crashes, kills, bad folders; the same bits whatever
 * happened. */
#include <check.h>
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "engine/plan.h"
#include "engine/store.h"
#include "tests/engine/toys.h"
#include "tests/suite.h"

#define RUN "run toy.yaml --no-plots"

static wal_result *read_result(const char *path) {
  wal_result *result = NULL;
  ck_assert_msg(wal_store_read(path, toys, &result) == WAL_OK, "%s", wal_error());
  return result;
}

static double real_at(const wal_result *result, int64_t row, const char *column) {
  return wal_frame_real(result->rows, row, wal_frame_find(result->rows, column));
}

static const char *text_at(const wal_result *result, int64_t row, const char *column) {
  return wal_frame_text(result->rows, row, wal_frame_find(result->rows, column));
}

/* Every cell but clocks and memory has the same bits. */
static void assert_same_rows(const char *a_path, const char *b_path) {
  wal_result *a = read_result(a_path), *b = read_result(b_path);
  ck_assert_int_eq(wal_frame_rows(a->rows), wal_frame_rows(b->rows));
  ck_assert_int_eq(wal_frame_columns(a->rows), wal_frame_columns(b->rows));
  for (int c = 0; c < wal_frame_columns(a->rows); c++) {
    if (wal_frame_column(a->rows, c)->flags & WAL_COLUMN_TIMING) continue;
    for (int64_t r = 0; r < wal_frame_rows(a->rows); r++) {
      wal_value x = wal_frame_get(a->rows, r, c), y = wal_frame_get(b->rows, r, c);
      bool same =
          wal_value_equal(&x, &y) || (wal_frame_missing(a->rows, r, c) && wal_frame_missing(b->rows, r, c));
      ck_assert_msg(same, "row %d of %s differs", (int)r, wal_frame_column(a->rows, c)->name);
    }
  }
  wal_result_free(a);
  wal_result_free(b);
}

/* Entries (HASH.h5) in a cache folder. */
static int count_entries(const char *folder) {
  int count = 0;
  DIR *listing = opendir(folder);
  if (!listing) return 0;
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
    count += entry->d_name[0] != '.' && strstr(entry->d_name, ".h5") != NULL;
  closedir(listing);
  return count;
}

/* Waits until a run has `count` entries in its cache; at most 10 s. */
static void wait_for_entries(const char *folder, int count) {
  for (int i = 0; i < 1000 && count_entries(folder) < count; i++) usleep(10000);
  ck_assert_int_ge(count_entries(folder), count);
}

/* The only entry of a cache folder. */
static void only_entry(char *path, size_t size) {
  DIR *listing = opendir("results/cache/toy");
  ck_assert_ptr_nonnull(listing);
  path[0] = '\0';
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
    if (entry->d_name[0] != '.') snprintf(path, size, "results/cache/toy/%s", entry->d_name);
  closedir(listing);
  ck_assert(path[0] != '\0');
}

/* ---- The plain case ---- */

START_TEST(rows_hold_what_the_points_sent) {
  toys_config("x: [2, 3, 5]");
  ck_assert_int_eq(toys_call(RUN), 0);
  wal_result *result = read_result("results/toy.h5");
  ck_assert_int_eq(wal_frame_rows(result->rows), 3);
  static const double squares[] = {4, 9, 25};
  for (int r = 0; r < 3; r++) ck_assert_double_eq(real_at(result, r, "square"), squares[r]);
  for (int r = 0; r < 3; r++) ck_assert_str_eq(text_at(result, r, "status"), "ok");
  wal_result_free(result);
}
END_TEST

START_TEST(banner_says_what_runs) {
  toys_config("x: [2, 3], seed: [1, 2, 3]");
  ck_assert_int_eq(toys_call(RUN " --jobs 2 --threads 1"), 0);
  ck_assert_says(toys_out, "| experiment  toy/squares: Squares ");
  ck_assert_says(toys_out, "| points      6 points: 6 new ");
  ck_assert_says(toys_out, "| seeds       1, 2, 3 ");
  ck_assert_says(toys_out, "2 jobs of 1 thread ");
  ck_assert_says(toys_out, "| constants   scale=1  steps=0  mood=well ");
  ck_assert_says(toys_out, "| sweeps      x: 2, 3 ");
  ck_assert_says(toys_out, "[6/6] x=");
  ck_assert_says(toys_out, "6 points: 0 cached, 6 run, 0 failed, in ");
}
END_TEST

START_TEST(finished_points_are_skipped) {
  toys_config("x: [2, 3, 5]");
  ck_assert_int_eq(toys_call(RUN), 0);
  ck_assert_int_eq(toys_tally(), 3);
  ck_assert_int_eq(toys_call(RUN), 0);
  ck_assert_int_eq(toys_tally(), 3);
  ck_assert_says(toys_out, "3 points: 3 cached, 0 run, 0 failed");
  toys_write("toy.yaml",
             "# a comment, another order, a point more\nname: toy\nexperiment: toy/squares\n"
             "params: {scale: 1.0}\nsweep:\n  grid: {x: [7, 5, 3, 2]}\n");
  ck_assert_int_eq(toys_call(RUN " --quiet"), 0);
  ck_assert_int_eq(toys_tally(), 4);
  ck_assert_str_eq(toys_out, "");
  ck_assert_int_eq(toys_call(RUN " --force"), 0);
  ck_assert_int_eq(toys_tally(), 8);
}
END_TEST

START_TEST(jobs_and_threads_do_not_change_a_bit) {
  toys_config("x: [1, 2, 3, 4, 5], seed: [1, 2], scale: [0.1]");
  ck_assert_int_eq(toys_call(RUN " --jobs 1 --threads 1 --results one"), 0);
  ck_assert_int_eq(toys_call(RUN " --jobs 3 --threads 2 --results three"), 0);
  assert_same_rows("one/toy.h5", "three/toy.h5");
}
END_TEST

START_TEST(pictures_and_tables_are_drawn) {
  toys_config("x: [2, 3]");
  ck_assert_int_eq(toys_call("run toy.yaml --plots pictures"), 0);
  char text[4096];
  toys_read("pictures/toy.csv", text, sizeof text);
  ck_assert_says(text, "9");
  ck_assert_int_eq(remove("pictures/toy.csv"), 0);
  ck_assert_int_eq(toys_call("plot results/toy.h5 --plots pictures"), 0);
  ck_assert_int_eq(access("pictures/toy.csv", F_OK), 0);
  ck_assert_int_eq(toys_tally(), 2);
}
END_TEST

/* ---- Reasons ---- */

START_TEST(dry_run_changes_nothing) {
  toys_config("x: [2, 3]");
  ck_assert_int_eq(toys_call(RUN " --dry-run"), 0);
  ck_assert_says(toys_out, "toy: 2 points: 2 new; to run: 2\n");
  ck_assert_says(toys_out, "  new      x=2   nothing cached yet\n");
  ck_assert_int_ne(access("results", F_OK), 0);
  ck_assert_int_eq(toys_tally(), 0);
}
END_TEST

START_TEST(plan_names_what_changed) {
  toys_config("x: [2, 3]");
  ck_assert_int_eq(toys_call(RUN), 0);
  ck_assert_int_eq(toys_call("run toy.yaml -n"), 0);
  ck_assert_says(toys_out, "  cached   x=2\n  cached   x=3\n");
  ck_assert_int_eq(toys_call("run toy.yaml -n --set scale=2"), 0);
  ck_assert_says(toys_out, "  stale    x=2   changed: scale 1 -> 2\n");
  ck_assert_int_eq(toys_call("run toy.yaml -n --set x=2,3,5"), 0);
  ck_assert_says(toys_out, "3 points: 2 cached, 1 new");
  ck_assert_says(toys_out, "-> 5\n");
  ck_assert_int_eq(toys_call("run toy.yaml -n --force"), 0);
  ck_assert_says(toys_out, "  forced   x=2\n");
}
END_TEST

START_TEST(versions_are_reasons_too) {
  bool swept[] = {true, false, false, false, false}, constant = false;
  wal_config config = {.experiment = &toy, .swept = swept};
  char text[256];
  const char *from = "experiment toy/squares\nversion 1\nmodels 1\nscale=1\nx=2\n";
  int count = wal_key_difference(from, "experiment toy/squares\nversion 1\nmodels 2\nscale=1\nx=3\n", &config,
                                 &constant, text, sizeof text);
  ck_assert_int_eq(count, 2);
  ck_assert(constant);
  ck_assert_str_eq(text, "models 1 -> 2, x 2 -> 3");
  count = wal_key_difference(from, "experiment toy/squares\nversion 1\nmodels 1\nscale=1\nx=3\n", &config,
                             &constant, text, sizeof text);
  ck_assert_int_eq(count, 1);
  ck_assert(!constant); /* x is swept: another value of it is a new point, not a stale one */
  count = wal_key_difference(from, "experiment toy/squares\nversion 1\nmodels 1\nnew=4\nscale=1\nx=2\n",
                             &config, &constant, text, sizeof text);
  ck_assert_int_eq(count, 1);
  ck_assert_str_eq(text, "new added as 4");
}
END_TEST

/* ---- Failures ---- */

START_TEST(failures_run_again_and_only_they) {
  toys_config("x: [2, 3, 4, 5]");
  toys_write(TOY_BROKEN, "");
  ck_assert_int_eq(toys_call(RUN), 1);
  ck_assert_says(toys_out, "FAILED after ");
  ck_assert_says(toys_out, ": the toy is broken\n");
  ck_assert_says(toys_out, "  | toy of x = 3 says hello\n");        /* its log */
  ck_assert_says(toys_out, " run toy.yaml --set x=3 --no-plots\n"); /* the command that runs it alone */
  ck_assert_says(toys_out, "4 points: 0 cached, 4 run, 2 failed");
  ck_assert_int_eq(toys_call(RUN " -n"), 0);
  ck_assert_says(toys_out, "4 points: 2 cached, 2 failed last time");
  ck_assert_says(toys_out, "  failed   x=3   the toy is broken\n");
  ck_assert_int_eq(remove(TOY_BROKEN), 0);
  ck_assert_int_eq(toys_call(RUN), 0);
  ck_assert_int_eq(toys_tally(), 6);
  ck_assert_int_eq(toys_call(RUN " --results fresh"), 0);
  assert_same_rows("results/toy.h5", "fresh/toy.h5");
}
END_TEST

START_TEST(fail_fast_stops_and_says_how_to_go_on) {
  toys_config("x: [2, 3, 4, 5]");
  toys_write(TOY_BROKEN, "");
  ck_assert_int_eq(toys_call(RUN " --fail-fast"), 1);
  ck_assert_int_eq(toys_tally(), 2);
  ck_assert_says(toys_out, "1 of 4 points are finished and kept; to continue:\n");
  ck_assert_int_ne(access("results/toy.h5", F_OK), 0);
}
END_TEST

/* The shell is the judge: the printed command, run by it, is the same run again. */
START_TEST(printed_commands_survive_a_shell) {
  ck_assert_int_eq(mkdir("it's a folder", 0777), 0);
  toys_write("it's a folder/toy.yaml", "experiment: toy/squares\nname: toy\nsweep: {grid: {x: [3, 4]}}\n");
  toys_write(TOY_BROKEN, "");
  char folder[] = "it's a folder/toy.yaml", results[] = "it's $HOME";
  char *words[] = {"walras", "run", folder, "-j", "2", "--results", results, "--no-plots", NULL};
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    if (!freopen("out", "w", stdout)) _exit(99);
    exit(wal_cli_main(8, words,
                      &(wal_program){toys, (const wal_command *const[]){NULL},
                                     (const wal_topic *const[]){NULL}, TOY_DEVICES}));
  }
  ck_assert_int_eq(toys_wait(pid), 1);
  char *alone = strstr(toys_out, " run 'it'\\''s a folder/toy.yaml' --set x=3 ");
  ck_assert_msg(alone != NULL, "no command in:\n%s", toys_out);
  alone[strcspn(alone, "\n")] = '\0';
  char command[1024], seen[1024];
  snprintf(command, sizeof command, "printf '%%s|' %s > words", alone);
  ck_assert_int_eq(system(command), 0);
  toys_read("words", seen, sizeof seen);
  ck_assert_str_eq(seen, "run|it's a folder/toy.yaml|--set|x=3|--results|it's $HOME|--no-plots|");
}
END_TEST

START_TEST(a_crash_fails_its_point_alone) {
  toys_config("x: [2], mood: [well, abort, fail]");
  ck_assert_int_eq(toys_call(RUN), 1);
  ck_assert_says(toys_out, "killed by signal 6 (Aborted); its log: results/logs/toy/");
  ck_assert_says(toys_out,
                 "  | toy of x = 2 says hello\n  to run this point alone:\n"); /* written before the abort */
  wal_result *result = read_result("results/toy.h5");
  ck_assert_int_eq(wal_frame_rows(result->rows), 3);
  ck_assert_str_eq(text_at(result, 0, "status"), "ok");
  ck_assert_double_eq(real_at(result, 0, "square"), 4);
  ck_assert_str_eq(text_at(result, 1, "status"), "failed");
  ck_assert_double_nan(real_at(result, 1, "square"));
  ck_assert_says(text_at(result, 1, "error"), "killed by signal 6");
  ck_assert_str_eq(text_at(result, 2, "error"), "x is 2; expected none (0 works)");
  wal_result_free(result);
  ck_assert_int_eq(toys_call(RUN " -n"), 0);
  ck_assert_says(toys_out, "3 points: 1 cached, 2 failed last time");
}
END_TEST

START_TEST(a_divergence_keeps_its_trace) {
  toys_config("x: [2], mood: [diverge]");
  ck_assert_int_eq(toys_call(RUN), 1);
  wal_result *result = read_result("results/toy.h5");
  ck_assert_str_eq(text_at(result, 0, "status"), "failed");
  const wal_frame *trace = wal_result_trace(result, 0, "descent");
  ck_assert_ptr_nonnull(trace);
  ck_assert_int_eq(wal_frame_rows(trace), 3);
  ck_assert_double_eq(wal_frame_real(trace, 2, wal_frame_find(trace, "value")), 20);
  wal_result_free(result);
}
END_TEST

START_TEST(nan_and_silence_are_failures) {
  toys_config("x: [2], mood: [nan, empty]");
  ck_assert_int_eq(toys_call(RUN), 1);
  ck_assert_says(toys_out, "column noise is NaN; a number was expected");
  ck_assert_says(toys_out, "toy/squares reported success but sent no row");
}
END_TEST

START_TEST(a_damaged_entry_is_named_and_recomputed) {
  toys_config("x: [2]");
  ck_assert_int_eq(toys_call(RUN), 0);
  char path[512], warning[600];
  only_entry(path, sizeof path);
  ck_assert_int_eq(truncate(path, 100), 0);
  ck_assert_int_eq(toys_call(RUN), 0);
  snprintf(warning, sizeof warning, "walras: warning: a damaged cache entry: %s: ", path);
  ck_assert_says(toys_err, warning);
  ck_assert_int_eq(toys_tally(), 2);
  ck_assert_int_eq(toys_call(RUN), 0);
  ck_assert_str_eq(toys_err, "");
  ck_assert_int_eq(toys_tally(), 2);
}
END_TEST

/* ---- Kills ---- */

#define SLOW "x: [1, 2, 3, 4, 5, 6], seed: [3], steps: [10]"

/* kill -9 after two points: their processes go too, and the rest of the points end with the bits of an
 * undisturbed run. */
START_TEST(kill_9_loses_only_points_in_progress) {
  toys_config(SLOW);
  pid_t pid = toys_start(RUN);
  wait_for_entries("results/cache/toy", 2);
  kill(pid, SIGKILL);
  ck_assert_int_eq(toys_wait(pid), -SIGKILL);
  ck_assert_int_ne(access("results/toy.h5", F_OK), 0);
  usleep(500000); /* longer than a point takes: an orphan would finish and be counted */
  int kept = count_entries("results/cache/toy");
  ck_assert_int_le(kept, 3);
  ck_assert_int_eq(toys_tally(), kept);
  ck_assert_int_eq(toys_call(RUN), 0);
  ck_assert_int_le(toys_tally(), 7);
  ck_assert_int_eq(toys_call(RUN " --results fresh --jobs 3"), 0);
  assert_same_rows("results/toy.h5", "fresh/toy.h5");
}
END_TEST

START_TEST(interrupt_keeps_finished_points) {
  static const int signals[] = {SIGINT, SIGTERM};
  toys_config(SLOW);
  pid_t pid = toys_start(RUN " --jobs 2");
  wait_for_entries("results/cache/toy", 2);
  kill(pid, signals[_i]);
  ck_assert_int_eq(toys_wait(pid), 130);
  ck_assert_says(toys_out, " of 6 points are finished and kept; to continue:\n");
  ck_assert_says(toys_out, " run toy.yaml --jobs 2 --no-plots\n");
  int kept = count_entries("results/cache/toy");
  ck_assert_int_lt(kept, 6);
  ck_assert_int_eq(toys_call(RUN), 0);
  ck_assert_int_eq(toys_tally(), 6); /* the stopped points had not reached their end */
}
END_TEST

START_TEST(two_runs_at_once_do_not_mix) {
  toys_config(SLOW);
  pid_t pid = toys_start(RUN);
  wait_for_entries("results/cache/toy", 1);
  ck_assert_int_eq(toys_call(RUN), 2);
  ck_assert_says(toys_err, "another `walras run` of toy is at work in results; wait for it or stop it");
  ck_assert_int_eq(toys_wait(pid), 0);
}
END_TEST

/* ---- Folders and disks ---- */

START_TEST(unusable_folders_are_found_before_any_work) {
  toys_config("x: [2]");
  toys_write("file", "");
  ck_assert_int_eq(toys_call(RUN " --results file/results"), 2);
  ck_assert_says(toys_err, "the results folder is of no use (--results DIR chooses another): ");
  ck_assert_int_eq(toys_call("run toy.yaml --plots file"), 2);
  ck_assert_says(toys_err, "the plots folder is of no use (--plots DIR or --no-plots): ");
  ck_assert_int_eq(toys_tally(), 0);
}
END_TEST

START_TEST(a_read_only_folder_is_refused) {
  toys_config("x: [2]");
  ck_assert_int_eq(mkdir("locked", 0555), 0);
  bool root = geteuid() == 0; /* whom permissions do not stop */
  ck_assert_int_eq(toys_call(RUN " --results locked"), root ? 0 : 2);
  ck_assert_int_eq(toys_tally(), root ? 1 : 0);
}
END_TEST

/* A limit on file sizes stands for a full disk: writing fails half way. */
START_TEST(a_full_disk_keeps_what_was_finished) {
  toys_config("x: [2]");
  ck_assert_int_eq(toys_call(RUN), 0);
  int kept = count_entries("results/cache/toy");
  toys_config("x: [2, 3]");
  pid_t pid = fork();
  ck_assert_int_ge(pid, 0);
  if (pid == 0) {
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){1024, 1024});
    _exit(toys_call(RUN));
  }
  int status = 0;
  waitpid(pid, &status, 0);
  ck_assert_int_eq(WEXITSTATUS(status), 2);
  toys_read("err", toys_err, sizeof toys_err);
  ck_assert_says(toys_err, "walras: ");
  ck_assert_int_eq(count_entries("results/cache/toy"), kept);
  ck_assert_int_eq(scratch_entries("results/cache/toy"),
                   2 + kept - 1); /* the lock and the entries, no leftovers */
  ck_assert_int_eq(toys_call(RUN), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("runner");
  TCase *tcase = tcase_create("runner");
  tcase_set_timeout(tcase, 60);
  tcase_add_checked_fixture(tcase, toys_begin, toys_end);
  tcase_add_test(tcase, rows_hold_what_the_points_sent);
  tcase_add_test(tcase, banner_says_what_runs);
  tcase_add_test(tcase, finished_points_are_skipped);
  tcase_add_test(tcase, jobs_and_threads_do_not_change_a_bit);
  tcase_add_test(tcase, pictures_and_tables_are_drawn);
  tcase_add_test(tcase, dry_run_changes_nothing);
  tcase_add_test(tcase, plan_names_what_changed);
  tcase_add_test(tcase, versions_are_reasons_too);
  tcase_add_test(tcase, failures_run_again_and_only_they);
  tcase_add_test(tcase, fail_fast_stops_and_says_how_to_go_on);
  tcase_add_test(tcase, printed_commands_survive_a_shell);
  tcase_add_test(tcase, a_crash_fails_its_point_alone);
  tcase_add_test(tcase, a_divergence_keeps_its_trace);
  tcase_add_test(tcase, nan_and_silence_are_failures);
  tcase_add_test(tcase, a_damaged_entry_is_named_and_recomputed);
  tcase_add_test(tcase, kill_9_loses_only_points_in_progress);
  tcase_add_loop_test(tcase, interrupt_keeps_finished_points, 0, 2);
  tcase_add_test(tcase, two_runs_at_once_do_not_mix);
  tcase_add_test(tcase, unusable_folders_are_found_before_any_work);
  tcase_add_test(tcase, a_read_only_folder_is_refused);
  tcase_add_test(tcase, a_full_disk_keeps_what_was_finished);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
