/* Mutations of a fixed-pricing market, in YAML and JSON: reading one never crashes, and ends with a market
   that passes its check and has a stable allocation, or with a message that names the file. */
#include <check.h>

#include "experiments/files/pricing_market_file.h"
#include "models/pricing/gale_shapley.h"
#include "models/pricing/stability.h"
#include "tests/fuzz/mutant.h"
#include "tests/suite.h"

enum { MUTATIONS = 4000, SMALL = 64 };

static const char *const texts[] = {
    "budget: [2, 4/3, 0.5]\n"
    "value:\n"
    "  - [2, 1, 0]\n"
    "  - [1/3, 1, 1]\n"
    "  - [1, 1, 1e-3]\n"
    "price: [[4/3, 2/3, 3], [1, 0, 2], [1, 1, 1]]\n"
    "rank: [[0, 1, 1], [2, 0, 1], [0, 0, 0]]\n"
    "owner: [0, 1, 1]\n"
    "buyer_names: [Ada, Ben, Cy]\n"
    "item_names: [bread, wine, cheese]\n"
    "seller_names: [baker, grocer]\n",
    "{\"budget\": [1, \"1/2\"], \"value\": [[1, 2], [0.25, 1]],\n"
    "\t\"price\": [1, \"2/3\"], \"owner\": [1, 0]}\n"};

static const char *const token_list[] = {
    "{", "}",    "[",     "]",     ":",     ",",  "- ", "\n",   "\"",    "null",   ".inf", ".nan",  "-1",
    "0", "1e99", "1e-99", "1e999", "99999", "[]", "{}", "/",    "1/0",   "0/1",    "-1/2", "1/3/4", "#",
    "~", "2",    "3",     "&a ",   "*a ",   "e",  ".",  "rank", "owner", "price:", "\xFF", "1e400", "+1"};
static const mutant_tokens tokens = {token_list, sizeof token_list / sizeof *token_list};

static void assert_stable(const wal_pricing_market *market, int number) {
  wal_pricing_allocation x;
  wal_stability_report report;
  ck_assert_msg(wal_gale_shapley_exact(market, NULL, &x, NULL) == WAL_OK, "%d: %s", number, wal_error());
  ck_assert_msg(wal_stability_check_exact(market, x.exact, WAL_CHECK_STABLE, &report), "mutant %d: %s",
                number, wal_stability_text(report.fault));
  wal_pricing_allocation_destroy(&x);
}

/* Reads one text; true when it was taken. */
static bool read_mutant(const char *text, size_t length, int number) {
  wal_pricing_file file;
  const wal_status status = wal_pricing_file_parse(text, length, "fuzz.yaml", &file);
  if (status) {
    mutant_assert_refusal(status, number);
  } else {
    ck_assert_msg(wal_pricing_market_check(&file.market) == WAL_OK, "mutant %d: %s", number, wal_error());
    if (file.market.n * file.market.m <= SMALL) assert_stable(&file.market, number);
  }
  wal_pricing_file_close(&file);
  return status == WAL_OK;
}

START_TEST(mutants_are_taken_or_refused_in_words) {
  mutant_try_all(MUTATIONS, texts[_i], tokens, read_mutant);
}
END_TEST

START_TEST(every_prefix_is_taken_or_refused_in_words) { mutant_try_prefixes(texts[_i], read_mutant); }
END_TEST

int main(void) {
  Suite *suite = suite_create("price_mutations");
  TCase *tests = tcase_create("price_mutations");
  tcase_set_timeout(tests, 120); /* a hang is a failure; the sanitizers are slow */
  tcase_add_loop_test(tests, mutants_are_taken_or_refused_in_words, 0, 2);
  tcase_add_loop_test(tests, every_prefix_is_taken_or_refused_in_words, 0, 2);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
