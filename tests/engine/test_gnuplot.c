/* Running gnuplot: what it says on stderr is a failure, whatever its exit code. */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/gnuplot.h"
#include "engine/store.h"
#include "tests/scratch.h"
#include "tests/suite.h"

/* Writes the script into the scratch folder and runs it there. */
static wal_status run(const char *script) {
  ck_assert_int_eq(wal_write_file(scratch_path("a.gp"), script, strlen(script)), WAL_OK);
  return wal_gnuplot_run(scratch, "a.gp");
}

/* A test may have taken PATH away. */
static void remove_scratch(void) {
  setenv("PATH", "/usr/bin:/bin", 1);
  scratch_remove();
}

static bool said(const char *words) { return strstr(wal_error(), words) != NULL; }

START_TEST(draws_in_the_folder) {
  ck_assert_int_eq(run("set terminal svg\nset output 'a.svg'\nplot sin(x)\n"), WAL_OK);
  ck_assert_int_eq(access(scratch_path("a.svg"), R_OK), 0);
}
END_TEST

START_TEST(a_warning_is_a_failure) {
  ck_assert_int_eq(run("set terminal svg\nset output 'a.svg'\nset xrange [0:1]\nplot 1\n"), WAL_E_IO);
  ck_assert_msg(said("gnuplot a.gp: "), "%s", wal_error());
  ck_assert_msg(said("empty y range"), "%s", wal_error());
}
END_TEST

START_TEST(an_error_is_a_failure) {
  ck_assert_int_eq(run("nonsense\n"), WAL_E_IO);
  ck_assert_msg(said("line 1: invalid command"), "%s", wal_error());
}
END_TEST

START_TEST(a_silent_exit_code_is_a_failure) {
  ck_assert_int_eq(run("exit status 3\n"), WAL_E_IO);
  ck_assert_str_eq(wal_error(), "gnuplot a.gp: exit code 3 without a message");
}
END_TEST

/* More than a pipe holds (64 KiB): the child must not wait for ever, and the message is cut. */
START_TEST(much_talk_does_not_hang) {
  ck_assert_int_eq(run("do for [i=1:20000] { print 'talk talk talk' }\n"), WAL_E_IO);
  ck_assert_msg(said("talk talk talk"), "%s", wal_error());
  ck_assert_uint_lt(strlen(wal_error()), 2000);
}
END_TEST

START_TEST(the_users_locale_and_settings_do_not_matter) {
  setenv("LC_ALL", "C", 1); /* in which utf8 warns */
  setenv("GNUTERM", "no such terminal", 1);
  ck_assert_int_eq(run("set encoding utf8\nset terminal svg\nset output 'a.svg'\nplot x title 'α'\n"),
                   WAL_OK);
}
END_TEST

START_TEST(not_installed) {
  setenv("PATH", scratch, 1);
  ck_assert_int_eq(run("plot x\n"), WAL_E_IO);
  ck_assert_str_eq(wal_error(),
                   "gnuplot is not installed, so no pictures were drawn (the scripts were written); "
                   "Debian package: gnuplot-nox (apt-get install gnuplot-nox fonts-dejavu-core)");
}
END_TEST

START_TEST(no_such_folder) {
  ck_assert_int_eq(wal_gnuplot_run(scratch_path("absent"), "a.gp"), WAL_E_IO);
  ck_assert_msg(said("cannot start gnuplot in ") && said("absent: No such file or directory"), "%s",
                wal_error());
}
END_TEST

START_TEST(no_such_script) {
  ck_assert_int_eq(wal_gnuplot_run(scratch, "absent.gp"), WAL_E_IO);
  ck_assert_msg(said("absent.gp"), "%s", wal_error());
}
END_TEST

int main(void) {
  Suite *suite = suite_create("gnuplot");
  TCase *tests = tcase_create("gnuplot");
  tcase_set_timeout(tests, 60);
  tcase_add_checked_fixture(tests, scratch_make, remove_scratch);
  tcase_add_test(tests, draws_in_the_folder);
  tcase_add_test(tests, a_warning_is_a_failure);
  tcase_add_test(tests, an_error_is_a_failure);
  tcase_add_test(tests, a_silent_exit_code_is_a_failure);
  tcase_add_test(tests, much_talk_does_not_hang);
  tcase_add_test(tests, the_users_locale_and_settings_do_not_matter);
  tcase_add_test(tests, not_installed);
  tcase_add_test(tests, no_such_folder);
  tcase_add_test(tests, no_such_script);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
