/* Progress: the bar's arithmetic, and what is printed where. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/progress.h"
#include "tests/suite.h"

/* 3 of 12 points in 6 s is 0.5/s, so the other 9 take 18 s. */
START_TEST(bar_shows_share_rate_and_eta) {
  char line[256];
  wal_progress_bar(line, sizeof line, 100, 3, 12, 3, 6, "seed=1");
  ck_assert_str_eq(line, "[#####...............]  3/12  0.5/s  ETA 18 s  seed=1");
}
END_TEST

/* One point half done after 60 s: 0.5/min, a minute to go. */
START_TEST(fractions_of_points_count) {
  char line[256];
  wal_progress_bar(line, sizeof line, 100, 0, 1, 0.5, 60, "");
  ck_assert_str_eq(line, "[##########..........] 0/1  0.5/min  ETA 1 min 00 s  ");
}
END_TEST

START_TEST(nothing_known_is_said_so) {
  char line[256];
  wal_progress_bar(line, sizeof line, 100, 0, 2, 0, 0, "x");
  ck_assert_str_eq(line, "[....................] 0/2  -  ETA ?  x");
}
END_TEST

START_TEST(bar_fits_the_terminal) {
  char line[256];
  wal_progress_bar(line, sizeof line, 30, 3, 12, 3, 6, "a very long description of what goes on");
  ck_assert_int_eq((int)strlen(line), 30);
}
END_TEST

static const struct {
  double seconds;
  const char *text;
} times[] = {
    {0.042, "0.042 s"},   {0, "0 s"},          {9.9, "9.9 s"},         {9.96, "10 s"},       {59.4, "59 s"},
    {59.6, "1 min 00 s"}, {200, "3 min 20 s"}, {3599.6, "1 h 00 min"}, {7500, "2 h 05 min"}, {-1, "?"}};

START_TEST(times_read_well) {
  char text[32];
  wal_format_seconds(times[_i].seconds, text, sizeof text);
  ck_assert_str_eq(text, times[_i].text);
}
END_TEST

/* Two points, the second failing; returns what was printed. */
static char *play(bool terminal, bool quiet) {
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  wal_progress *progress = wal_progress_new(out, terminal, quiet, 2, 0);
  wal_progress_update(progress, 0, "seed=1", 0.5, "epoch 1/2", 1);
  wal_progress_ended(progress, 0, "seed=1", 2, NULL, 2);
  wal_progress_ended(progress, 1, "seed=2", 0.5, "diverged", 3);
  wal_progress_free(progress);
  fclose(out);
  return text;
}

START_TEST(files_get_one_line_per_point) {
  char *text = play(false, false);
  ck_assert_str_eq(text, "[1/2] seed=1  done in 2 s\n[2/2] seed=2  FAILED after 0.5 s: diverged\n");
  free(text);
}
END_TEST

START_TEST(quiet_prints_failures_only) {
  for (int terminal = 0; terminal < 2; terminal++) {
    char *text = play(terminal, true);
    ck_assert_str_eq(text, "[2/2] seed=2  FAILED after 0.5 s: diverged\n");
    free(text);
  }
}
END_TEST

/* The bar is redrawn in place and wiped before a line stays. */
START_TEST(terminals_get_a_bar) {
  char *text = play(true, false);
  ck_assert_ptr_nonnull(
      strstr(text, "\r\033[K[#####...............] 0/2  0.5/s  ETA 3 s  seed=1: epoch 1/2"));
  ck_assert_ptr_nonnull(strstr(text, "\r\033[K[1/2] seed=1  done in 2 s\n"));
  const char *end = "FAILED after 0.5 s: diverged\n";
  ck_assert_str_eq(text + strlen(text) - strlen(end), end);
  free(text);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("progress");
  TCase *tcase = tcase_create("progress");
  tcase_add_test(tcase, bar_shows_share_rate_and_eta);
  tcase_add_test(tcase, fractions_of_points_count);
  tcase_add_test(tcase, nothing_known_is_said_so);
  tcase_add_test(tcase, bar_fits_the_terminal);
  tcase_add_loop_test(tcase, times_read_well, 0, (int)(sizeof times / sizeof *times));
  tcase_add_test(tcase, files_get_one_line_per_point);
  tcase_add_test(tcase, quiet_prints_failures_only);
  tcase_add_test(tcase, terminals_get_a_bar);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
