/* pricecompetition/tables: what the tables state agrees with what is computed, or an erratum says why not. */
#include "experiments/pricecompetition/tables.h"
#include "tests/experiments/errata_table.h"
#include "tests/suite.h"

START_TEST(every_difference_is_an_erratum) {
  check_errata_table("pricecompetition/tables", wal_tables_agree, wal_tables_erratum);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("pricecompetition/tables");
  TCase *all = tcase_create("all");
  tcase_add_test(all, every_difference_is_an_erratum);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
