/* The end of every test program's main(). */
#ifndef WAL_TESTS_SUITE_H
#define WAL_TESTS_SUITE_H

#include <check.h>
#include <stdlib.h>

/* Runs the suite (CK_FORK, CK_VERBOSITY from the environment), frees it, and returns the program's exit code. */
static inline int run_suite(Suite *suite) {
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
