/* nashwelfare/examples: what Appendix A states agrees with what is computed, or an erratum says why not. */
#include "experiments/nashwelfare/appendix.h"
#include "tests/experiments/errata_table.h"
#include "tests/suite.h"

static bool agree(const char *quantity, double stated, double computed) {
  (void)quantity;
  return wal_examples_agree(stated, computed);
}

START_TEST(test_every_difference_is_an_erratum) {
  check_errata_table("nashwelfare/examples", agree, wal_examples_erratum);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("nashwelfare/examples table");
  TCase *all = tcase_create("all");
  tcase_add_test(all, test_every_difference_is_an_erratum);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
