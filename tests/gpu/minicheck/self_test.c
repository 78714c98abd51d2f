/* minicheck fails where it should: a suite of failures and of passes, its report read back. */
#include "tests/gpu/minicheck/check.h"

static int reached; /* what ran after an assertion that must have ended the test */

START_TEST(passes) {
  double nan = NAN;
  ck_assert(true);
  ck_assert_msg(1 < 2, "never shown: %d", _i);
  ck_assert_int_eq(-3, -3);
  ck_assert_uint_lt(2u, UINTMAX_MAX);
  ck_assert_double_le(1.0, 1.0);
  ck_assert_double_eq_tol(1.0, 1.0 + 1e-9, 1e-8);
  ck_assert_float_eq_tol(1.0f, 1.001f, 0.01f);
  ck_assert_double_nan(nan);
  ck_assert_str_eq("a", "a");
  ck_assert_ptr_null(NULL);
  ck_assert_ptr_eq(&nan, &nan);
  ck_assert_ptr_ne(&nan, NULL);
  ck_assert_ptr_nonnull(&nan);
  ck_assert_mem_eq("abc", "abd", 2);
  ck_assert_mem_ne("abc", "abd", 3);
}
END_TEST

static void deeper(int value) { ck_assert_int_eq(value, 7); }

/* Every kind of assertion, each of which must end its test. */
START_TEST(fails) {
  double nan = NAN;
  switch (_i) {
    case 0:
      ck_assert(reached < 0);
      break;
    case 1:
      ck_assert_msg(false, "value %d of %s", 5, "five");
      break;
    case 2:
      ck_assert_int_eq(1, 2);
      break;
    case 3:
      ck_assert_uint_lt(2u, 2u);
      break;
    case 4:
      ck_assert_double_eq(nan, nan);
      break;
    case 5:
      ck_assert_double_eq_tol(nan, 1.0, 1e300);
      break;
    case 6:
      ck_assert_double_eq_tol(1.0, 1.5, 0.5);
      break;
    case 7:
      ck_assert_double_eq_tol(1.0, 1.0, 0.0);
      break;
    case 8:
      ck_assert_float_eq_tol(1.0f, 0.9f, 0.05f);
      break;
    case 9:
      ck_assert_double_lt(1.0, 1.0);
      break;
    case 10:
      ck_assert_str_eq("a", "b");
      break;
    case 11:
      ck_assert_str_eq(NULL, "b");
      break;
    case 12:
      ck_assert_ptr_null(&nan);
      break;
    case 13:
      ck_assert_ptr_nonnull(NULL);
      break;
    case 14:
      ck_assert_mem_eq("abc", "abd", 3);
      break;
    case 15:
      ck_assert_mem_ne("abc", "abc", 3);
      break;
    case 16:
      deeper(6);
      break;
    case 17:
      raise(SIGSEGV);
      break;
    case 18:
      ck_abort_msg("no way on");
      break;
    case 19:
      ck_assert_ptr_eq(&nan, NULL);
      break;
  }
  reached++;
}
END_TEST
enum { FAILURES = 20 };

/* The suite of both; its report goes to a text that the caller frees. */
static SRunner *run(char **text, size_t *size) {
  Suite *suite = suite_create("self");
  TCase *tests = tcase_create("kinds"), *more = tcase_create("more");
  tcase_set_timeout(tests, 20);
  tcase_add_test(tests, passes);
  tcase_add_loop_test(tests, fails, 0, FAILURES);
  tcase_add_loop_test(more, passes, 3, 6);
  suite_add_tcase(suite, tests);
  suite_add_tcase(suite, more);
  SRunner *runner = srunner_create(suite);
  minicheck.report = open_memstream(text, size);
  srunner_run_all(runner, CK_NORMAL);
  fclose(minicheck.report);
  minicheck.report = NULL;
  return runner;
}

static int wrong;

static void expect(bool right, const char *what) {
  if (!right) fprintf(stderr, "minicheck: %s\n", what), wrong++;
}

/* A test that never ends takes the program with it, unsuccessfully. */
START_TEST(never_ends) { pause(); }
END_TEST

static int run_endless(void) {
  Suite *suite = suite_create("endless");
  TCase *tests = tcase_create("endless");
  tcase_set_timeout(tests, 1);
  tcase_add_test(tests, never_ends);
  suite_add_tcase(suite, tests);
  srunner_run_all(srunner_create(suite), CK_NORMAL);
  return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "--endless") == 0) return run_endless();
  char *text = NULL;
  size_t size = 0;
  SRunner *runner = run(&text, &size);
  expect(srunner_ntests_run(runner) == 4 + FAILURES, "tests were left out");
  expect(srunner_ntests_failed(runner) == FAILURES, "failures were not counted");
  expect(reached == 0, "a test went on after a failed assertion");
  expect(strstr(text, ":F:kinds:fails:1: value 5 of five\n") != NULL, "no message");
  expect(strstr(text, ":F:kinds:fails:2: not 1 == 2: 1 is 1, 2 is 2\n") != NULL, "no values");
  expect(strstr(text, ":F:kinds:fails:16: not value == 7: value is 6, 7 is 7\n") != NULL,
         "no failure from a function");
  expect(strstr(text, ":E:kinds:fails:17: (after this point) received signal") != NULL, "no signal");
  expect(strstr(text, "self_test.c:") != NULL, "no place");
  expect(strstr(text, "self: checks: 24, failures: 20\n") != NULL, "no summary");
  if (wrong) fprintf(stderr, "%s", text);
  free(text);
  srunner_free(runner);
  return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}
