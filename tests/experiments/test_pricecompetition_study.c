/* The random study: what is not as a theorem demands fails, a number that should be one, too. */
#include <math.h>

#include "experiments/pricecompetition/study.h"
#include "tests/suite.h"

static const wal_price_value values[] = {
    {"ratio", 1, 2, "a claim", false}, {"other", 0, 0, NULL, false}, {"some", 0, 0, "a part", true}};

static const struct {
  double numbers[3];
  const char *message; /* NULL: as demanded */
} cases[] = {{{1, 7, 0}, NULL},
             {{2, NAN, NAN}, NULL},
             {{2.5, 0, 0}, "ratio is 2.5; expected at most 2 (a claim)"},
             {{0.5, 0, 0}, "ratio is 0.5; expected at least 1 (a claim)"},
             {{NAN, 0, 0}, "ratio is nan; expected at most 2 (a claim)"},
             {{INFINITY, 0, 0}, "ratio is inf; expected at most 2 (a claim)"},
             {{1, 0, -1}, "some is -1; expected at least 0 (a part)"}};

START_TEST(demands) {
  const wal_status status = wal_price_demand(values, 3, cases[_i].numbers);
  ck_assert_int_eq(status, cases[_i].message ? WAL_E_DIVERGED : WAL_OK);
  if (cases[_i].message) ck_assert_str_eq(wal_error(), cases[_i].message);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("pricecompetition_study");
  TCase *tests = tcase_create("study");
  tcase_add_loop_test(tests, demands, 0, sizeof cases / sizeof *cases);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
