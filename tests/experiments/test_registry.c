/* Every registered experiment is complete, and one name leads to its config and golden file. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/config.h"
#include "experiments/registry.h"
#include "models/market/solver.h"
#include "tests/suite.h"

static void in_source_tree(char *out, size_t size, const char *folder, const char *id, const char *ending) {
  snprintf(out, size, "%s/%s/%s%s", WAL_SOURCE_DIR, folder, id, ending);
}

START_TEST(test_descriptors_are_complete) {
  for (wal_registry e = wal_experiments(); *e; e++) {
    ck_assert_msg((*e)->title && (*e)->paper && (*e)->doc && (*e)->run_point && (*e)->draw, "%s", (*e)->id);
    ck_assert_msg((*e)->version >= 1, "%s has no version", (*e)->id);
    ck_assert_msg((*e)->param_count > 0 && (*e)->column_count > 0, "%s", (*e)->id);
    for (int p = 0; p < (*e)->param_count; p++) {
      const wal_param *param = &(*e)->params[p];
      ck_assert_msg(param->name && param->unit && param->doc, "%s parameter %d", (*e)->id, p);
      ck_assert_int_eq(wal_param_find(*e, param->name), p); /* no name twice */
    }
    for (int c = 0; c < (*e)->column_count; c++)
      ck_assert_msg((*e)->columns[c].name && (*e)->columns[c].unit && (*e)->columns[c].doc, "%s column %d",
                    (*e)->id, c);
  }
}
END_TEST

START_TEST(test_standard_values_are_in_range) {
  for (wal_registry e = wal_experiments(); *e; e++)
    for (int p = 0; p < (*e)->param_count; p++) {
      const wal_param *param = &(*e)->params[p];
      wal_value value;
      ck_assert_msg(wal_value_parse(param->type, param->standard, &value) == WAL_OK, "%s: %s", param->name,
                    wal_error());
      if (param->type == WAL_INT) ck_assert(value.i >= param->min && value.i <= param->max);
      if (param->type == WAL_REAL) ck_assert(value.r >= param->min && value.r <= param->max);
      if (param->choices) ck_assert_ptr_nonnull(strstr(param->choices, value.text));
    }
}
END_TEST

START_TEST(test_every_experiment_has_its_config_in_three_sizes) {
  static const char *const profiles[] = {"smoke", "ci", "paper"};
  for (wal_registry e = wal_experiments(); *e; e++)
    for (int k = 0; k < 3; k++) {
      char path[4096];
      in_source_tree(path, sizeof path, "configs", (*e)->id, ".yaml");
      wal_config *config = NULL;
      ck_assert_msg(wal_config_load(path, profiles[k], NULL, 0, wal_experiments(), &config) == WAL_OK, "%s",
                    wal_error());
      ck_assert_ptr_eq(config->experiment, *e);
      ck_assert_str_eq(config->name, (*e)->id);
      ck_assert_int_gt(config->point_count, 0);
      ck_assert_msg(config->expect_s > 0, "%s: profile %s has no expect_s", path, profiles[k]);
      wal_config_free(config);
    }
}
END_TEST

START_TEST(test_every_experiment_has_golden_rows) {
  for (wal_registry e = wal_experiments(); *e; e++) {
    char path[4096];
    in_source_tree(path, sizeof path, "tests/golden", (*e)->id, ".csv");
    ck_assert_msg(access(path, R_OK) == 0, "%s is missing: make golden ONLY=%s", path, (*e)->id);
  }
}
END_TEST

START_TEST(test_every_solver_choice_is_a_solver) {
  const wal_experiment *e = wal_experiment_find(wal_experiments(), "marketfcnet/table1");
  char choices[256];
  snprintf(choices, sizeof choices, "%s", e->params[wal_param_find(e, "solver")].choices);
  for (char *name = strtok(choices, "|"); name; name = strtok(NULL, "|"))
    ck_assert_msg(wal_solver_find(name) != NULL, "%s is offered but not in wal_solvers", name);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("experiments/registry");
  TCase *tc = tcase_create("registry");
  tcase_add_test(tc, test_descriptors_are_complete);
  tcase_add_test(tc, test_standard_values_are_in_range);
  tcase_add_test(tc, test_every_experiment_has_its_config_in_three_sizes);
  tcase_add_test(tc, test_every_experiment_has_golden_rows);
  tcase_add_test(tc, test_every_solver_choice_is_a_solver);
  suite_add_tcase(suite, tc);
  return run_suite(suite);
}
