/* The learning-rate schedule against its closed form. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "models/nn/schedule.h"
#include "tests/suite.h"

START_TEST(constant) {
  const wal_schedule s = {.peak = 1e-4, .steps = 10};
  for (int t = 0; t < 12; t++) ck_assert_double_eq(wal_schedule_rate(&s, t), 1e-4);
}
END_TEST

START_TEST(warmup_is_linear) {
  const wal_schedule s = {.peak = 0.5, .warmup = 4, .steps = 10};
  const double expected[] = {0.125, 0.25, 0.375, 0.5, 0.5, 0.5};
  for (int t = 0; t < 6; t++) ck_assert_double_eq(wal_schedule_rate(&s, t), expected[t]);
}
END_TEST

/* Half a cosine: the peak first, half of it in the middle, 1/2 (1 - 1/sqrt 2) of it at three quarters. */
START_TEST(cosine_decays) {
  const wal_schedule s = {.peak = 2, .warmup = 20, .cosine = true, .steps = 100};
  ck_assert_double_eq(wal_schedule_rate(&s, 19), 2);
  ck_assert_double_eq(wal_schedule_rate(&s, 20), 2);
  ck_assert_double_eq_tol(wal_schedule_rate(&s, 60), 1, 1e-12);
  ck_assert_double_eq_tol(wal_schedule_rate(&s, 80), 1 - sqrt(0.5), 1e-12);
  for (int t = 21; t < 100; t++) ck_assert_double_lt(wal_schedule_rate(&s, t), wal_schedule_rate(&s, t - 1));
  ck_assert_double_gt(wal_schedule_rate(&s, 99), 0);
  ck_assert_double_eq(wal_schedule_rate(&s, 100), 0);
}
END_TEST

/* A warm-up longer than the run never reaches the decay. */
START_TEST(long_warmup) {
  const wal_schedule s = {.peak = 1, .warmup = 8, .cosine = true, .steps = 4};
  for (int t = 0; t < 4; t++) ck_assert_double_eq(wal_schedule_rate(&s, t), (t + 1) / 8.0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("models/schedule");
  TCase *tests = tcase_create("rates");
  tcase_add_test(tests, constant);
  tcase_add_test(tests, warmup_is_linear);
  tcase_add_test(tests, cosine_decays);
  tcase_add_test(tests, long_warmup);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
