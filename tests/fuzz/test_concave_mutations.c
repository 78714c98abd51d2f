/* Mutations of a market with concave utilities, in YAML and JSON: reading one never crashes, and ends with a
   market that passes its check, or with a message that names the file. */
#include <check.h>

#include "experiments/files/concave_market_file.h"
#include "tests/fuzz/mutant.h"
#include "tests/suite.h"

enum { MUTATIONS = 4000 };

static const char *const texts[] = {
    "goods: 2\n"
    "good_names: [bread, wine]\n"
    "budget: [1, 2, 0.5, 1, 1, 2, 3]\n"
    "agents:\n"
    "  - {type: linear, values: [3, 1], name: Ada}\n"
    "  - {type: bounded_linear, values: [3, 1], limits: [0.5, null]}\n"
    "  - type: splc\n"
    "    segments: [[[2, 0.5], [1, null]], [[1, .inf]]]\n"
    "  - {type: leontief, a: [1, 0.5]}\n"
    "  - {type: leontief_free, a: [[1, 2], [0.5, 1]], ell: [1, 2]}\n"
    "  - {type: generalized_network, nodes: 4, sink: 3, arcs: [[0, 2, 1, 0.5], [1, 2, 2, null], [2, 3, 1]]}\n"
    "  - {type: plc, pieces: [[0, 1, 2], [0.5, 0.5, 0.1]]}\n",
    "{\"goods\": 2, \"agents\": [{\"type\": \"generalized_network\", \"nodes\": 3, \"sink\": 2,\n"
    "\t\"arcs\": [[0, 2, 1, 0.5], [1, 0, 2, null], [0, 1, 0.5, 1e3]]},\n"
    "\t{\"name\": \"B\\u00e9n\", \"type\": \"splc\", \"segments\": [[[2, 0.5], [1, null]], []]}]}\n"};

static const char *const token_list[] = {
    "{",        "}",    "[",       "]",  ":",    ",",     "- ",     "\n",   "\t",        "\"",
    "null",     ".inf", ".nan",    "-1", "0",    "1e999", "1e-400", "2^20", "99999",     "[]",
    "{}",       "\\u0", "#",       "~",  "2",    "3",     "&a ",    "*a ",  "[0, 1, 2]", "linear",
    "leontief", "a",    "values:", "1",  "\xFF", "-",     "ell",    "sink"};
static const mutant_tokens tokens = {token_list, sizeof token_list / sizeof *token_list};

/* Reads one text; true when it was taken. */
static bool read_mutant(const char *text, size_t length, int number) {
  wal_concave_market_file file;
  const wal_status status = wal_concave_market_parse(text, length, "fuzz.yaml", &file);
  if (status) {
    mutant_assert_refusal(status, number);
  } else {
    ck_assert_msg(wal_nw_market_check(&file.market) == WAL_OK, "mutant %d: %s", number, wal_error());
  }
  wal_concave_market_close(&file);
  return status == WAL_OK;
}

START_TEST(mutants_are_taken_or_refused_in_words) {
  mutant_try_all(MUTATIONS, texts[_i], tokens, read_mutant);
}
END_TEST

START_TEST(every_prefix_is_taken_or_refused_in_words) { mutant_try_prefixes(texts[_i], read_mutant); }
END_TEST

int main(void) {
  Suite *suite = suite_create("concave_mutations");
  TCase *tests = tcase_create("concave_mutations");
  tcase_set_timeout(tests, 120); /* a hang is a failure; the sanitizers are slow */
  tcase_add_loop_test(tests, mutants_are_taken_or_refused_in_words, 0, 2);
  tcase_add_loop_test(tests, every_prefix_is_taken_or_refused_in_words, 0, 2);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
