/* The program as a user calls it: exit codes and messages. */
#include <check.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "models/common/version.h"
#include "tests/scratch.h"
#include "tests/suite.h"

static char out[65536], err[65536]; /* what the last call printed */

static void read_text(const char *path, char *text, size_t size) {
  long length = scratch_read(path, text, size - 1);
  ck_assert_int_ge(length, 0);
  text[length] = '\0';
}

/* Runs `walras LINE` through the shell in the source folder; returns its exit code. */
static int walras(const char *line) {
  char command[2048];
  snprintf(command, sizeof command, "cd '%s' && { '%s' %s; } > '%s' 2> '%s'", WAL_SOURCE_DIR, WAL_BINARY,
           line, scratch_path("out"), scratch_path("err"));
  int status = system(command);
  read_text(scratch_path("out"), out, sizeof out);
  read_text(scratch_path("err"), err, sizeof err);
  ck_assert(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static const char *const commands[] = {"run",  "report", "list",   "explain", "schema", "show",
                                       "plot", "diff",   "verify", "compare", "golden"};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void assert_says(const char *text, const char *wanted) {
  ck_assert_msg(strstr(text, wanted) != NULL, "expected '%s' in:\n%s", wanted, text);
}

START_TEST(help_names_every_command) {
  ck_assert_int_eq(walras("--help"), 0);
  for (int c = 0; c < COMMANDS; c++) {
    char line[32];
    snprintf(line, sizeof line, "\n  %-8s ", commands[c]);
    assert_says(out, line);
  }
  assert_says(out, "Examples:\n");
  assert_says(out, "Exit codes: 0 success; 1 ");
  ck_assert_str_eq(err, "");
}
END_TEST

START_TEST(every_command_helps_with_examples) {
  char line[64], usage[64];
  snprintf(line, sizeof line, "%s --help", commands[_i]);
  snprintf(usage, sizeof usage, "Usage: walras %s", commands[_i]);
  ck_assert_int_eq(walras(line), 0);
  assert_says(out, usage);
  assert_says(out, "Examples:\n  walras ");
  assert_says(out, "Exit codes: ");
}
END_TEST

START_TEST(no_command_is_bad_input) {
  ck_assert_int_eq(walras(""), 2);
  assert_says(err, "Usage: walras COMMAND");
  ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(version_is_said) {
  ck_assert_int_eq(walras("--version"), 0);
  assert_says(out, "walras " WAL_VERSION " (models version ");
}
END_TEST

START_TEST(list_names_table_1) {
  ck_assert_int_eq(walras("list"), 0);
  assert_says(out, "marketfcnet/table1 ");
}
END_TEST

START_TEST(explain_tells_of_a_parameter) {
  ck_assert_int_eq(walras("explain marketfcnet/table1"), 0);
  assert_says(out, "Parameters (walras explain marketfcnet/table1 NAME tells more):");
  ck_assert_int_eq(walras("explain marketfcnet/table1 alpha"), 0);
  assert_says(out, "alpha: ");
  assert_says(out, "  default: 0.5\n");
}
END_TEST

START_TEST(schema_is_json) {
  ck_assert_int_eq(walras("schema marketfcnet/table1 | python3 -m json.tool"), 0);
}
END_TEST

/* A line, the start of its message on stderr; the exit code is 2 and nothing goes to stdout. */
static const struct {
  const char *line, *message;
} refused[] = {
    {"rum", "walras: unknown command 'rum'; did you mean 'run'?"},
    {"frobnicate", "walras: unknown command 'frobnicate'; walras --help lists the commands"},
    {"--verison", "walras: unknown flag '--verison'; "},
    {"run", "walras run needs CONFIG..."},
    {"run --dryrun configs/marketfcnet/table1.yaml",
     "walras: unknown flag --dryrun; did you mean --dry-run?"},
    {"run --jobs 0 configs/marketfcnet/table1.yaml", "walras: --jobs 0; expected an integer from 1 to 2^20"},
    {"run no/such.yaml", "no/such.yaml"},
    {"run configs/marketfcnet/table1.yaml -n --profile papre", "papre"},
    {"run configs/marketfcnet/table1.yaml -n --set n=0", "n"},
    {"run configs/marketfcnet/table1.yaml -n --set alpah=1", "did you mean"},
    {"run configs/marketfcnet/table1.yaml -n --set solver=egg", "eg"},
    {"run configs -n --profile no_such_profile",
     "walras: no config with profile no_such_profile below configs"},
    {"run configs/marketfcnet/table1.yaml --keep-going --fail-fast",
     "walras: --keep-going and --fail-fast contradict"},
    {"explain marketfcnet/tabel1",
     "walras: unknown experiment 'marketfcnet/tabel1'; did you mean 'marketfcnet/table1'?"},
    {"explain marketfcnet/table1 alhpa", "did you mean"},
    {"schema nothing/here", "walras: unknown experiment 'nothing/here'; walras list names them all"},
    {"show no/such.h5", "no/such.h5"},
    {"verify no/such.h5", "no/such.h5"},
    {"diff no/such.h5 no/other.h5", "no/such.h5"},
    {"plot README.md no/such.h5", "walras: "},
    {"golden no/such.h5", "walras: walras golden needs -o CSV"},
    {"golden no/such.h5 -o /tmp/no.csv", "no/such.h5"},
    {"compare no/such.h5 no/such.csv", "no/such.h5"},
};

START_TEST(bad_input_is_refused_with_a_message) {
  ck_assert_int_eq(walras(refused[_i].line), 2);
  assert_says(err, refused[_i].message);
  ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(dry_run_counts_the_points) {
  char line[256];
  snprintf(line, sizeof line,
           "run configs/marketfcnet/table1.yaml -n --set n=64 --set solver=naive,newton --set "
           "seed=1 --results %s",
           scratch_path("none"));
  ck_assert_int_eq(walras(line), 0);
  assert_says(out, "marketfcnet/table1: 2 points: 2 new; to run: 2");
  ck_assert_int_eq(scratch_entries(scratch), 2); /* out and err: nothing was created */
}
END_TEST

START_TEST(a_full_output_is_the_machines_failure) {
  ck_assert_int_eq(walras("list > /dev/full"), 2);
  assert_says(err, "walras: cannot write to the standard output");
}
END_TEST

/* What a picture and its tables name is what was run, not what the config says. */
START_TEST(set_values_are_in_labels_and_tables) {
  char line[512], text[65536];
  snprintf(line, sizeof line,
           "run configs/nashwelfare/a10.yaml --profile smoke --set eps=0.3 --results '%s' --plots '%s'",
           scratch_path("results"), scratch_path("plots"));
  ck_assert_msg(walras(line) == 0, "%s", err);
  read_text(scratch_path("plots/nashwelfare/a10.gp"), text, sizeof text);
  assert_says(text, "spent, ε = 0.3");
  ck_assert_ptr_null(strstr(text, "ε = 0.1"));
  snprintf(line, sizeof line,
           "run configs/nashwelfare/poa.yaml --profile smoke --set instances=2 --results '%s' --plots '%s'",
           scratch_path("results"), scratch_path("plots"));
  ck_assert_msg(walras(line) == 0, "%s", err);
  read_text(scratch_path("plots/nashwelfare/poa.md"), text, sizeof text);
  assert_says(text, "Set on the command line: instances=2");
}
END_TEST

/* Here some points never come to line 13 of Algorithm 3: a share of none is no number, and no failure. */
START_TEST(a_share_of_none_is_no_failure) {
  char line[512];
  snprintf(line, sizeof line,
           "run configs/nashwelfare/budget-decrease.yaml --profile smoke --set instances=1 --no-plots "
           "--results '%s'",
           scratch_path("results"));
  ck_assert_msg(walras(line) == 0, "%s", err);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cli");
  TCase *tcase = tcase_create("cli");
  tcase_set_timeout(tcase, 60);
  tcase_add_checked_fixture(tcase, scratch_make, scratch_remove);
  tcase_add_test(tcase, help_names_every_command);
  tcase_add_loop_test(tcase, every_command_helps_with_examples, 0, COMMANDS);
  tcase_add_test(tcase, no_command_is_bad_input);
  tcase_add_test(tcase, version_is_said);
  tcase_add_test(tcase, list_names_table_1);
  tcase_add_test(tcase, explain_tells_of_a_parameter);
  tcase_add_test(tcase, schema_is_json);
  tcase_add_loop_test(tcase, bad_input_is_refused_with_a_message, 0, (int)(sizeof refused / sizeof *refused));
  tcase_add_test(tcase, dry_run_counts_the_points);
  tcase_add_test(tcase, a_full_output_is_the_machines_failure);
  tcase_add_test(tcase, set_values_are_in_labels_and_tables);
  tcase_add_test(tcase, a_share_of_none_is_no_failure);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
