/* A table of stated and computed values: each stated one agrees with the computed one of the golden rows, or
   an erratum says why not. */
#ifndef WAL_TESTS_EXPERIMENTS_ERRATA_TABLE_H
#define WAL_TESTS_EXPERIMENTS_ERRATA_TABLE_H

#include <check.h>
#include <math.h>
#include <string.h>

#include "engine/config.h"
#include "experiments/registry.h"

static inline double stated_value(const wal_config *config, const char *quantity) {
  for (int e = 0; e < config->published_count; e++)
    if (!strcmp(config->published[e].where.value[0].text, quantity)) return config->published[e].value[0];
  return NAN;
}

/* id: "nashwelfare/examples". */
static inline void check_errata_table(const char *id,
                                      bool (*agree)(const char *quantity, double stated, double computed),
                                      const char *(*erratum)(const char *quantity)) {
  static const wal_column columns[] = {{"status", WAL_TEXT, "1", "", WAL_COLUMN_KEY, 0, 0},
                                       {"quantity", WAL_TEXT, "1", "", WAL_COLUMN_KEY, 0, 0},
                                       {"value", WAL_REAL, "1", "", 0, 0, 0}};
  char path[512], golden[512];
  snprintf(path, sizeof path, "%s/configs/%s.yaml", WAL_SOURCE_DIR, id);
  snprintf(golden, sizeof golden, "%s/tests/golden/%s.csv", WAL_SOURCE_DIR, id);
  wal_config *config = NULL;
  wal_frame *rows = NULL;
  ck_assert_msg(wal_config_load(path, "ci", NULL, 0, wal_experiments(), &config) == WAL_OK, "%s",
                wal_error());
  ck_assert_msg(wal_frame_read_csv(golden, columns, 3, &rows) == WAL_OK, "%s", wal_error());
  int compared = 0;
  for (int64_t r = 0; r < wal_frame_rows(rows); r++) {
    const char *quantity = wal_frame_text(rows, r, 1), *why = erratum(quantity);
    const double computed = wal_frame_real(rows, r, 2), print = stated_value(config, quantity);
    if (isnan(print)) continue;
    compared++;
    ck_assert_msg(agree(quantity, print, computed) == !why, "%s: stated %.9g, computed %.9g, erratum %s",
                  quantity, print, computed, why ? why : "none");
  }
  ck_assert_int_eq(compared, config->published_count); /* each printed value has its computed one */
  wal_frame_free(rows);
  wal_config_free(config);
}

#endif
