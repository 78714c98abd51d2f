/* The pool of child processes, where the runner's tests cannot time what happens. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "engine/config.h"
#include "engine/pool.h"
#include "tests/engine/toys.h"
#include "tests/suite.h"

/* Asks the parent to end, then holds it until its child is dead: both news wait when it looks again. */
static void end_both(void *context, int task, double fraction, const char *what) {
  (void)context, (void)task, (void)fraction, (void)what;
  siginfo_t info;
  kill(getpid(), SIGTERM);
  ck_assert_int_eq(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
}

static bool count_ended(void *context, int task, const wal_task_end *end) {
  (void)task, (void)end;
  ++*(int *)context;
  return true;
}

/* A supervisor's SIGTERM goes to children and parent alike. */
START_TEST(a_child_that_dies_of_the_interruption_has_not_failed) {
  toys_begin();
  wal_config *config = NULL;
  const char *text = "experiment: toy/squares\nname: toy\nparams: {mood: abort, steps: 1}\n";
  ck_assert_int_eq(wal_config_parse(text, "toy.yaml", NULL, NULL, 0, toys, &config), WAL_OK);
  int ended = 0;
  wal_task task = {.point = &config->points[0], .key = "key", .entry = "entry.h5", .log = "log"};
  wal_pool_listener listener = {&ended, end_both, count_ended};
  ck_assert_int_eq(wal_pool_run(&task, 1, 1, 1, &listener), WAL_E_INTERRUPTED);
  ck_assert_int_eq(ended, 0);
  wal_config_free(config);
  toys_end();
}
END_TEST

int main(void) {
  Suite *suite = suite_create("pool");
  TCase *tcase = tcase_create("interrupt");
  tcase_add_test(tcase, a_child_that_dies_of_the_interruption_has_not_failed);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
