/* The random study: quantiles by hand, and a violated bound fails with the market's number and seed. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/config.h"
#include "experiments/nashwelfare/study.h"
#include "experiments/registry.h"
#include "tests/suite.h"

static const char *const names[] = {"instance", "ratio"};
static const wal_study_task task = {names, 2, 1, NULL, "ratio"};

START_TEST(quantiles) {
  double values[2 * 200];
  for (int line = 0; line < 200; line++) {
    values[2 * line] = line;
    values[2 * line + 1] = 199 - line;
  }
  values[1] = NAN; /* what was 199 */
  const wal_study_lines lines = {.task = &task, .count = 200, .values = values};
  wal_study_summary ratio;
  ck_assert_int_eq(wal_study_summarise(&lines, "ratio", &ratio), WAL_OK);
  ck_assert_int_eq(ratio.count, 199);
  ck_assert_double_eq(ratio.min, 0);
  ck_assert_double_eq(ratio.low, 1);
  ck_assert_double_eq(ratio.mean, 99);
  ck_assert_double_eq(ratio.high, 197);
  ck_assert_double_eq(ratio.max, 198);
  const wal_study_lines none = {.task = &task};
  ck_assert_int_eq(wal_study_summarise(&none, "ratio", &ratio), WAL_OK);
  ck_assert(ratio.count == 0 && isnan(ratio.min));
}
END_TEST

START_TEST(a_violated_bound_fails) {
  wal_config *config = NULL;
  const char *sets[] = {"family=network", "n=3", "m=2", "seed=5"};
  ck_assert_msg(wal_config_load(WAL_SOURCE_DIR "/configs/nashwelfare/poa.yaml", "smoke", sets, 4,
                                wal_experiments(), &config) == WAL_OK,
                "%s", wal_error());
  double values[] = {7, 0.8, 9, NAN, 11, 0.5};
  const wal_study_lines lines = {.task = &task, .count = 3, .values = values};
  ck_assert_int_eq(wal_study_demand(&config->points[0], &lines, "ratio", 0.5, 1, "a claim"), WAL_OK);
  ck_assert_int_eq(wal_study_demand(&config->points[0], &lines, "ratio", 0.6, 1, "a claim"), WAL_E_DIVERGED);
  ck_assert_str_eq(wal_error(),
                   "market 11 of network, 3 x 2, seed 5: ratio is 0.5; expected at least 0.6 (a claim)");
  ck_assert_int_eq(wal_study_demand(&config->points[0], &lines, "ratio", 0, 0.7, "a claim"), WAL_E_DIVERGED);
  ck_assert_str_eq(wal_error(),
                   "market 7 of network, 3 x 2, seed 5: ratio is 0.8; expected at most 0.7 (a claim)");
  const wal_study_task whole = {names, 2, 1, NULL, NULL};
  const wal_study_lines lacking = {.task = &whole, .count = 3, .values = values};
  ck_assert_int_eq(wal_study_demand(&config->points[0], &lacking, "ratio", 0.5, 1, "a claim"),
                   WAL_E_DIVERGED);
  ck_assert_str_eq(wal_error(),
                   "market 9 of network, 3 x 2, seed 5: ratio is nan; expected at most 1 (a claim)");
  wal_config_free(config);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("nashwelfare_study");
  TCase *tests = tcase_create("study");
  tcase_add_test(tests, quantiles);
  tcase_add_test(tests, a_violated_bound_fails);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
