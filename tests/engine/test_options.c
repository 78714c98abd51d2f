/* Flags: every form, every message. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/options.h"
#include "tests/suite.h"

static const wal_flag flags[] = {
    {"jobs", 'j', WAL_FLAG_COUNT, "N", "1", "points at a time"},
    {"set", 's', WAL_FLAG_LIST, "NAME=VALUE", NULL, "override a parameter"},
    {"results", 0, WAL_FLAG_TEXT, "DIR", "results", "folder of results"},
    {"dry-run", 'n', WAL_FLAG_SWITCH, NULL, NULL, "print the plan"},
};
static const wal_command command = {.name = "run",
                                    .usage = "CONFIG...",
                                    .min_args = 1,
                                    .max_args = 2,
                                    .summary = "run",
                                    .examples = "  walras run a.yaml\n",
                                    .flags = flags,
                                    .flag_count = 4};

/* Splits at spaces and parses. */
static wal_status parse(const char *line, wal_args **out) {
  static char text[256];
  char *words[32];
  int count = 0;
  snprintf(text, sizeof text, "%s", line);
  for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) words[count++] = word;
  return wal_args_parse(&command, count, words, out);
}

static wal_args *must_parse(const char *line) {
  wal_args *args = NULL;
  ck_assert_msg(parse(line, &args) == WAL_OK, "%s", wal_error());
  return args;
}

START_TEST(defaults_hold_when_nothing_is_given) {
  wal_args *args = must_parse("a.yaml");
  ck_assert_int_eq(wal_args_int(args, "jobs", 7), 1);
  ck_assert_str_eq(wal_args_text(args, "results"), "results");
  ck_assert(!wal_args_on(args, "dry-run"));
  int count = -1;
  wal_args_list(args, "set", &count);
  ck_assert_int_eq(count, 0);
  ck_assert_int_eq(wal_args_count(args), 1);
  ck_assert_str_eq(wal_args_at(args, 0), "a.yaml");
  ck_assert_ptr_null(wal_args_at(args, 1));
  wal_args_free(args);
}
END_TEST

START_TEST(long_short_and_equals_forms_agree) {
  static const char *const lines[] = {"a.yaml --jobs 3 --dry-run", "-j 3 -n a.yaml", "--jobs=3 a.yaml -n",
                                      "-j=3 --dry-run -- a.yaml"};
  for (int i = 0; i < 4; i++) {
    wal_args *args = must_parse(lines[i]);
    ck_assert_int_eq(wal_args_int(args, "jobs", 0), 3);
    ck_assert(wal_args_on(args, "dry-run"));
    ck_assert_str_eq(wal_args_at(args, 0), "a.yaml");
    wal_args_free(args);
  }
}
END_TEST

START_TEST(lists_keep_all_and_texts_the_last) {
  wal_args *args = must_parse("a.yaml --set n=1 --results x -s alpha=-1 --results=y");
  int count = 0;
  const char *const *sets = wal_args_list(args, "set", &count);
  ck_assert_int_eq(count, 2);
  ck_assert_str_eq(sets[0], "n=1");
  ck_assert_str_eq(sets[1], "alpha=-1");
  ck_assert_str_eq(wal_args_text(args, "results"), "y");
  wal_args_free(args);
}
END_TEST

START_TEST(after_two_dashes_everything_is_an_argument) {
  wal_args *args = must_parse("-- --jobs");
  ck_assert_str_eq(wal_args_at(args, 0), "--jobs");
  wal_args_free(args);
}
END_TEST

START_TEST(help_needs_no_arguments) {
  wal_args *args = must_parse("--help");
  ck_assert(wal_args_help(args));
  wal_args_free(args);
  args = must_parse("-h");
  ck_assert(wal_args_help(args));
  wal_args_free(args);
}
END_TEST

static const struct {
  const char *line, *message;
} refused[] = {
    {"a.yaml --job 2", "unknown flag --job; did you mean --jobs? (walras run --help lists the flags)"},
    {"a.yaml --dry-rum",
     "unknown flag --dry-rum; did you mean --dry-run? (walras run --help lists the flags)"},
    {"a.yaml --frobnicate=3", "unknown flag --frobnicate=3; walras run --help lists the flags"},
    {"a.yaml -jobs 2", "unknown flag -jobs; did you mean --jobs? (walras run --help lists the flags)"},
    {"a.yaml --jobs", "--jobs needs a value: --jobs N"},
    {"a.yaml --jobs 0", "--jobs 0; expected an integer from 1 to 2^20 (--jobs 2 works)"},
    {"a.yaml --jobs two", "--jobs two; expected an integer from 1 to 2^20 (--jobs 2 works)"},
    {"a.yaml --results=", "--results is empty; expected --results DIR (--results results is the default)"},
    {"a.yaml --dry-run=yes", "--dry-run takes no value, found --dry-run=yes"},
    {"--jobs 2", "walras run needs CONFIG...; walras run --help shows examples"},
    {"a b c", "walras run: unexpected argument c; usage: walras run CONFIG..."},
};

START_TEST(bad_lines_are_refused_with_a_message) {
  wal_args *args = NULL;
  ck_assert_int_eq(parse(refused[_i].line, &args), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(), refused[_i].message);
  ck_assert_ptr_null(args);
}
END_TEST

START_TEST(help_names_every_flag_and_example) {
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  wal_command_help(&command, out);
  fclose(out);
  static const char *const expected[] = {"Usage: walras run [FLAGS] CONFIG...",
                                         "-j, --jobs N             points at a time [1]",
                                         "--results DIR",
                                         "-n, --dry-run",
                                         "-h, --help",
                                         "  walras run a.yaml\n",
                                         "130 interrupted"};
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
    ck_assert_msg(strstr(text, expected[i]) != NULL, "'%s' is not in:\n%s", expected[i], text);
  free(text);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("options");
  TCase *tcase = tcase_create("options");
  tcase_add_test(tcase, defaults_hold_when_nothing_is_given);
  tcase_add_test(tcase, long_short_and_equals_forms_agree);
  tcase_add_test(tcase, lists_keep_all_and_texts_the_last);
  tcase_add_test(tcase, after_two_dashes_everything_is_an_argument);
  tcase_add_test(tcase, help_needs_no_arguments);
  tcase_add_loop_test(tcase, bad_lines_are_refused_with_a_message, 0,
                      (int)(sizeof refused / sizeof *refused));
  tcase_add_test(tcase, help_names_every_flag_and_example);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
