/* pricecompetition/tables: what the tables state agrees with what is computed, or an erratum says why not. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "engine/config.h"
#include "experiments/pricecompetition/tables.h"
#include "experiments/registry.h"
#include "tests/suite.h"

static const wal_column columns[] = {{"status", WAL_TEXT, "1", "", WAL_COLUMN_KEY, 0, 0},
                                     {"quantity", WAL_TEXT, "1", "", WAL_COLUMN_KEY, 0, 0},
                                     {"value", WAL_REAL, "1", "", 0, 0, 0}};

static double stated(const wal_config *config, const char *quantity) {
  for (int e = 0; e < config->published_count; e++)
    if (!strcmp(config->published[e].where.value[0].text, quantity)) return config->published[e].value[0];
  return NAN;
}

START_TEST(every_difference_is_an_erratum) {
  const char *path = WAL_SOURCE_DIR "/configs/pricecompetition/tables.yaml";
  const char *golden = WAL_SOURCE_DIR "/tests/golden/pricecompetition/tables.csv";
  wal_config *config = NULL;
  wal_frame *rows = NULL;
  ck_assert_msg(wal_config_load(path, "ci", NULL, 0, wal_experiments(), &config) == WAL_OK, "%s",
                wal_error());
  ck_assert_msg(wal_frame_read_csv(golden, columns, 3, &rows) == WAL_OK, "%s", wal_error());
  int compared = 0;
  for (int64_t r = 0; r < wal_frame_rows(rows); r++) {
    const char *quantity = wal_frame_text(rows, r, 1);
    const double computed = wal_frame_real(rows, r, 2), print = stated(config, quantity);
    if (isnan(print)) continue;
    compared++;
    const bool agrees = wal_tables_agree(quantity, print, computed);
    ck_assert_msg(agrees == !wal_tables_erratum(quantity), "%s: stated %.9g, computed %.9g, erratum %s",
                  quantity, print, computed,
                  wal_tables_erratum(quantity) ? wal_tables_erratum(quantity) : "none");
  }
  ck_assert_int_eq(compared, config->published_count); /* each printed value has its computed one */
  wal_frame_free(rows);
  wal_config_free(config);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("pricecompetition/tables");
  TCase *all = tcase_create("all");
  tcase_add_test(all, every_difference_is_an_erratum);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
