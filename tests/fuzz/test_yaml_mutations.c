/* Mutations of a valid config: reading one never crashes (run under the sanitizers), and ends either with
   points or with a message that names the file. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/config.h"
#include "tests/fuzz/mutant.h"
#include "tests/suite.h"
#include "tests/toy.h"

enum { MUTATIONS = 4000 };

static const char config_text[] =
    "experiment: toy/table1\n"
    "name: toy/fuzz\n"
    "title: \"A \\\"quoted\\\" title\"\n"
    "params: {n: 2^4, alpha: -.inf, fc: {width: 8, cosine: true}, eg.step: 1e-3}\n"
    "sweep:\n"
    "  - grid: {alpha: [1, 0.5], seed: {from: 1, to: 4, steps: 3}}\n"
    "    zip: {n: [4, 8], m: [1, 2]}\n"
    "    exclude: [{alpha: 1, n: 4}]\n"
    "  - list: [{solver: eg, eg: {step: 1000}}, {solver: fc}]\n"
    "    random: {count: 3, seed: 7, draw: {alpha: {from: -4, to: 1}, n: {from: 2, to: 64, scale: pow2}}}\n"
    "profiles:\n"
    "  ci:\n"
    "    caption: >-\n"
    "      folded\n"
    "      text\n"
    "    params: {m: 7}\n"
    "    expect_s: 5\n"
    "  paper: {sweep: {grid: {fc.width: [8, 16]}}}\n"
    "published:\n"
    "  - {where: {solver: fc}, setting: {n: 2^20}, values: {gap: 2.17e-2}, source: Table 1}\n"
    "regression: [{rtol: {gap: 0.5}}]\n";

/* What YAML and our own grammar are sensitive to. */
static const char *const token_list[] = {"{",   "}",        "[",      "]",          ":",
                                         ",",   "- ",       "\n",     "\t",         "\"",
                                         "'",   "&a ",      "*a",     "!!int",      "#",
                                         "|\n", "---\n",    "\xFF",   "\xC3",       "2^",
                                         "-",   "1e9",      ".nan",   ".inf",       "9999999999999999999",
                                         "0",   "n",        "from: ", "scale: log", "? ",
                                         "%",   "steps: 2", "\x01",   "..."};
static const mutant_tokens tokens = {token_list, sizeof token_list / sizeof *token_list};

/* Reads one text; true when it was taken. */
static bool read_mutant(const char *text, int number) {
  wal_config *config;
  wal_status status = wal_config_parse(text, "fuzz.yaml", NULL, NULL, 0, toy_registry, &config);
  if (status == WAL_OK) {
    ck_assert_int_gt(config->point_count, 0);
    char *resolved = wal_config_resolved(config);
    ck_assert_ptr_nonnull(resolved);
    free(resolved);
  } else {
    ck_assert_msg(status == WAL_E_INPUT, "mutant %d: %s: %s", number, wal_status_text(status), wal_error());
    ck_assert_ptr_null(config);
    ck_assert_msg(strncmp(wal_error(), "fuzz.yaml", 9) == 0, "mutant %d: \"%s\"", number, wal_error());
  }
  wal_config_free(config);
  return status == WAL_OK;
}

START_TEST(mutants_are_taken_or_refused_in_words) {
  int taken = 0;
  mutant m;
  for (int k = 0; k < MUTATIONS; k++) {
    mutant_make(&m, (uint64_t)k, config_text, tokens);
    taken += read_mutant(m.text, k);
  }
  /* Both ends are reached: the mutants are neither all nonsense nor all harmless. */
  ck_assert_int_gt(taken, MUTATIONS / 100);
  ck_assert_int_lt(taken, MUTATIONS / 2);
}
END_TEST

START_TEST(every_prefix_is_taken_or_refused_in_words) {
  char text[sizeof config_text];
  for (size_t length = 0; length < sizeof config_text; length++) {
    memcpy(text, config_text, length);
    text[length] = '\0';
    read_mutant(text, (int)length);
  }
}
END_TEST

/* --set flags see the same treatment. */
START_TEST(mutated_flags_are_taken_or_refused_in_words) {
  for (int k = 0; k < MUTATIONS; k++) {
    mutant m;
    mutant_make(&m, (uint64_t)k, "eg.step=1,2.5", tokens);
    wal_config *config;
    const char *set = m.text;
    wal_status status = wal_config_parse(config_text, "fuzz.yaml", NULL, &set, 1, toy_registry, &config);
    if (status != WAL_OK) {
      ck_assert_int_eq(status, WAL_E_INPUT);
      ck_assert_msg(strncmp(wal_error(), "--set ", 6) == 0, "flag %d: \"%s\"", k, wal_error());
    }
    wal_config_free(config);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("yaml_mutations");
  TCase *tests = tcase_create("yaml_mutations");
  tcase_set_timeout(tests, 120); /* a hang is a failure; the sanitizers are slow */
  tcase_add_test(tests, mutants_are_taken_or_refused_in_words);
  tcase_add_test(tests, every_prefix_is_taken_or_refused_in_words);
  tcase_add_test(tests, mutated_flags_are_taken_or_refused_in_words);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
