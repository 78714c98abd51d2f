/* Commands over several configs and results: folders, bad members, the closing report. */
#include <check.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/engine/toys.h"
#include "tests/suite.h"

static const char *const good =
    "experiment: toy/squares\nname: good\npublished: [{where: {x: 3}, values: {square: 18}, source: Table "
    "9}]\n"
    "sweep: {grid: {x: [2, 3], seed: [1, 2]}}\nprofiles: {smoke: {expect_s: 90}}\n";
static const char *const plain = "experiment: toy/squares\nname: plain\nsweep: {grid: {x: [5]}}\n";
static const char *const broken = "experiment: toy/squares\nname: broken\nparams: {y: 5}\n";

static void begin(void) {
  toys_begin();
  ck_assert_int_eq(mkdir("configs", 0777), 0);
  ck_assert_int_eq(mkdir("configs/paper", 0777), 0);
  toys_write("configs/paper/good.yaml", good);
  toys_write("configs/plain.yaml", plain);
  toys_write("configs/readme.txt", "not a config");
}

START_TEST(a_folder_runs_every_config) {
  ck_assert_int_eq(toys_call("run configs --no-plots"), 0);
  ck_assert_int_eq(toys_tally(), 5);
  ck_assert_int_eq(access("results/good.h5", F_OK), 0);
  ck_assert_int_eq(access("results/plain.h5", F_OK), 0);
}
END_TEST

START_TEST(a_folder_with_a_profile_runs_those_that_have_it) {
  ck_assert_int_eq(toys_call("run configs --no-plots --profile smoke"), 0);
  ck_assert_int_eq(toys_tally(), 4);
  ck_assert_int_ne(access("results/plain.h5", F_OK), 0);
}
END_TEST

START_TEST(a_quiet_dry_run_sums_up) {
  toys_write("configs/paper/more.yaml",
             "experiment: toy/squares\nname: more\nprofiles: {smoke: {expect_s: 30}}\n");
  ck_assert_int_eq(toys_call("run configs --dry-run --quiet --profile smoke"), 0);
  ck_assert_str_eq(toys_out,
                   "2 configs; with nothing cached about 2 min 00 s on 2 cores\n"
                   "good: 4 points: 4 new; to run: 4, about 1 min 30 s on 2 cores\n"
                   "more: 1 point: 1 new; to run: 1, about 30 s on 2 cores\n");
}
END_TEST

/* expect_s is of the profile as it stands. */
START_TEST(overridden_parameters_take_no_expectation) {
  ck_assert_int_eq(toys_call("run configs/paper/good.yaml -n -q --profile smoke --set steps=1000"), 0);
  ck_assert_str_eq(toys_out, "good: 4 points: 4 new; to run: 4\n");
}
END_TEST

START_TEST(a_bad_config_does_not_stop_the_others) {
  toys_write("configs/broken.yaml", broken);
  ck_assert_int_eq(toys_call("run configs --no-plots"), 2);
  ck_assert_says(toys_err, "walras: configs/broken.yaml:3:10: ");
  ck_assert_int_eq(toys_tally(), 5);
}
END_TEST

START_TEST(a_failure_sets_the_exit_code_and_the_others_run) {
  toys_write(TOY_BROKEN, "");
  ck_assert_int_eq(toys_call("run configs --no-plots"), 1);
  ck_assert_int_eq(toys_tally(), 5);
  ck_assert_int_eq(toys_call("report configs"), 1);
  ck_assert_says(toys_out, "     4      2 "); /* good: x = 3 failed for both seeds */
}
END_TEST

/* Square of 3 is 9; the paper is said to have 18. */
START_TEST(report_compares_with_the_paper) {
  ck_assert_int_eq(toys_call("run configs --plots pictures"), 0);
  ck_assert_int_eq(toys_call("report --plots pictures"), 0);
  ck_assert_says(toys_out, "results/good.h5\n");
  ck_assert_says(toys_out, "    pictures/good.{md,csv,tex}\n");
  ck_assert_says(toys_out, "    square       ours / paper at its farthest: 0.5  (x=3)\n");
}
END_TEST

START_TEST(report_says_where_the_paper_measured_elsewhere) {
  toys_write(
      "configs/plain.yaml",
      "experiment: toy/squares\nname: plain\nsweep: {grid: {x: [3]}}\n"
      "published: [{where: {x: 3}, setting: {scale: 4, steps: 0}, values: {square: 18}, source: Table 9}]\n");
  ck_assert_int_eq(toys_call("run configs/plain.yaml --no-plots"), 0);
  ck_assert_int_eq(toys_call("report configs/plain.yaml"), 0);
  ck_assert_says(toys_out, "farthest: 0.5  (scale = 1, paper 4)\n");
}
END_TEST

START_TEST(help_and_wrong_words) {
  ck_assert_int_eq(toys_call("help run"), 0);
  ck_assert_says(toys_out, "Usage: walras run [FLAGS] CONFIG...\n");
  ck_assert_int_eq(toys_call("show no.h5"), 2);
  ck_assert_says(
      toys_err,
      "no.h5: No such file or directory; expected a result, such as results/toy/squares.h5, or a config\n");
  ck_assert_int_eq(toys_call("help rnu"), 2);
  ck_assert_says(toys_err, "unknown command 'rnu'; did you mean 'run'?");
  ck_assert_int_eq(toys_call("--hepl"), 2);
  ck_assert_says(toys_err, "unknown flag '--hepl'; did you mean '--help'?");
}
END_TEST

START_TEST(report_names_what_is_not_there) {
  ck_assert_int_eq(toys_call("run configs/plain.yaml --no-plots"), 0);
  ck_assert_int_eq(toys_call("report"), 1);
  ck_assert_says(toys_out,
                 "configs/paper/good.yaml      not there: configs/paper/good.yaml has no result yet");
  ck_assert_says(toys_out, "results/plain.h5\n");
}
END_TEST

START_TEST(a_config_stands_for_its_result) {
  ck_assert_int_eq(toys_call("show configs/plain.yaml"), 2);
  ck_assert_says(toys_err, "configs/plain.yaml has no result yet: results/plain.h5 is missing (walras run ");
  ck_assert_int_eq(toys_call("run configs/plain.yaml --no-plots"), 0);
  ck_assert_int_eq(toys_call("show configs/plain.yaml"), 0);
  ck_assert_int_eq(toys_call("verify configs/plain.yaml"), 0);
  ck_assert_int_eq(toys_call("diff configs/plain.yaml results/plain.h5"), 0);
  ck_assert_int_eq(toys_call("plot configs/plain.yaml --plots again --quiet"), 0);
  ck_assert_int_eq(access("again/plain.csv", F_OK), 0);
}
END_TEST

START_TEST(different_numbers_make_diff_say_1) {
  ck_assert_int_eq(toys_call("run configs/plain.yaml --no-plots"), 0);
  ck_assert_int_eq(toys_call("run configs/plain.yaml --no-plots --set scale=2 --results other"), 0);
  ck_assert_int_eq(toys_call("diff results/plain.h5 other/plain.h5"), 1);
  ck_assert_says(toys_out, "square");
}
END_TEST

START_TEST(golden_rows_of_a_folder) {
  ck_assert_int_eq(toys_call("run configs --no-plots"), 0);
  ck_assert_int_eq(toys_call("golden configs -o kept"), 0);
  ck_assert_str_eq(toys_out, "kept/good.csv\nkept/plain.csv\n");
  ck_assert_int_eq(toys_call("compare configs kept"), 0);
  ck_assert_int_eq(toys_call("golden configs -o kept.csv"), 2);
  ck_assert_says(toys_err,
                 "kept.csv is one file, and there are 2 results; a folder such as tests/golden works");
  ck_assert_int_eq(remove("kept/good.csv"), 0);
  ck_assert_int_eq(toys_call("compare configs kept"), 2);
  ck_assert_says(toys_err, "kept/good.csv");
  ck_assert_says(toys_out, "plain: 1 rows, "); /* the other one was compared all the same */
}
END_TEST

int main(void) {
  Suite *suite = suite_create("commands");
  TCase *tcase = tcase_create("commands");
  tcase_set_timeout(tcase, 60);
  tcase_add_checked_fixture(tcase, begin, toys_end);
  tcase_add_test(tcase, a_folder_runs_every_config);
  tcase_add_test(tcase, a_folder_with_a_profile_runs_those_that_have_it);
  tcase_add_test(tcase, a_quiet_dry_run_sums_up);
  tcase_add_test(tcase, overridden_parameters_take_no_expectation);
  tcase_add_test(tcase, a_bad_config_does_not_stop_the_others);
  tcase_add_test(tcase, a_failure_sets_the_exit_code_and_the_others_run);
  tcase_add_test(tcase, report_compares_with_the_paper);
  tcase_add_test(tcase, report_says_where_the_paper_measured_elsewhere);
  tcase_add_test(tcase, help_and_wrong_words);
  tcase_add_test(tcase, report_names_what_is_not_there);
  tcase_add_test(tcase, a_config_stands_for_its_result);
  tcase_add_test(tcase, different_numbers_make_diff_say_1);
  tcase_add_test(tcase, golden_rows_of_a_folder);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
