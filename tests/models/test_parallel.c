#include <check.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "tests/suite.h"

/* Sums of two columns with cancellation: element i is +-1e8-sized noise and a small trend. */
static double noisy(int64_t i) {
  return 1e8 * (wal_rng_uniform(1, WAL_STREAM_TEST, (uint64_t)i) - 0.5) + 1e-3 * (double)(i % 7);
}

static wal_status sum_body(void *context, int64_t lo, int64_t hi, double *partial) {
  (void)context;
  for (int64_t i = lo; i < hi; i++) {
    partial[0] += noisy(i);
    partial[1] += 1.0;
  }
  return WAL_OK;
}

static const int64_t sizes[] = {1, 2, 1023, 1024, 1025, 5000, 127 * 1024, 128 * 1024, 128 * 1024 + 1, 500001};

START_TEST(same_bits_for_any_thread_count) {
  double one[2], many[2];
  wal_threads_set(1);
  ck_assert_int_eq(wal_threads(), 1);
  ck_assert_int_eq(wal_sum_chunks(sizes[_i], 2, sum_body, NULL, one), WAL_OK);
  for (int threads = 2; threads <= 5; threads++) {
    wal_threads_set(threads);
    ck_assert_int_eq(wal_sum_chunks(sizes[_i], 2, sum_body, NULL, many), WAL_OK);
    ck_assert_mem_eq(one, many, sizeof one);
  }
}
END_TEST

START_TEST(sum_agrees_with_long_double) {
  double sum[2];
  long double want = 0, magnitude = 0;
  for (int64_t i = 0; i < sizes[_i]; i++)
    want += (long double)noisy(i), magnitude += fabsl((long double)noisy(i));
  ck_assert_int_eq(wal_sum_chunks(sizes[_i], 2, sum_body, NULL, sum), WAL_OK);
  ck_assert(fabsl((long double)sum[0] - want) <= 1100 * 0x1p-53L * magnitude); /* within a chunk: in order */
  ck_assert(sum[1] == (double)sizes[_i]);
}
END_TEST

/* One 1 per chunk and a tiny tail: the tree's roundings are those of pairwise summation over the chunk index,
   written here as the plain recursion. */
static double chunk_value(int64_t chunk) { return wal_rng_normal(9, WAL_STREAM_TEST, (uint64_t)chunk) * 1e3; }

static wal_status chunk_body(void *context, int64_t lo, int64_t hi, double *partial) {
  (void)context, (void)hi;
  partial[0] = chunk_value(lo / WAL_CHUNK);
  return WAL_OK;
}

static double pairwise(int64_t lo, int64_t count) {
  if (count == 1) return chunk_value(lo);
  int64_t left = 1;
  while (left * 2 < count) left *= 2;
  return pairwise(lo, left) + pairwise(lo + left, count - left);
}

START_TEST(the_tree_is_pairwise_over_chunks) {
  for (int64_t chunks = 1; chunks <= 600; chunks += chunks < 20 ? 1 : 37) {
    double sum;
    ck_assert_int_eq(wal_sum_chunks(chunks * WAL_CHUNK - 5, 1, chunk_body, NULL, &sum), WAL_OK);
    ck_assert(sum == pairwise(0, chunks));
  }
}
END_TEST

static wal_status mark_body(void *context, int64_t lo, int64_t hi) {
  for (int64_t i = lo; i < hi; i++) ((unsigned char *)context)[i]++;
  return WAL_OK;
}

START_TEST(every_row_is_visited_once) {
  const int64_t n = sizes[_i];
  unsigned char *seen = calloc((size_t)n, 1);
  ck_assert_int_eq(wal_for_chunks(n, mark_body, seen), WAL_OK);
  for (int64_t i = 0; i < n; i++) ck_assert_int_eq(seen[i], 1);
  free(seen);
}
END_TEST

static wal_status failing_body(void *context, int64_t lo, int64_t hi) {
  (void)context, (void)hi;
  if (lo >= 40 * WAL_CHUNK) return wal_fail(WAL_E_INPUT, "row %d is bad", (int)lo);
  return WAL_OK;
}

static wal_status failing_sum(void *context, int64_t lo, int64_t hi, double *partial) {
  (void)partial;
  return failing_body(context, lo, hi);
}

START_TEST(the_lowest_failure_is_kept_with_its_message) {
  for (int threads = 1; threads <= 4; threads++) {
    double sum;
    wal_threads_set(threads);
    wal_fail(WAL_E_IO, "stale");
    ck_assert_int_eq(wal_for_chunks(200 * WAL_CHUNK, failing_body, NULL), WAL_E_INPUT);
    ck_assert_str_eq(wal_error(), "row 40960 is bad");
    wal_fail(WAL_E_IO, "stale");
    ck_assert_int_eq(wal_sum_chunks(200 * WAL_CHUNK, 1, failing_sum, NULL, &sum), WAL_E_INPUT);
    ck_assert_str_eq(wal_error(), "row 40960 is bad");
  }
}
END_TEST

START_TEST(nothing_to_do_is_zero) {
  double sum[2] = {5, 5};
  ck_assert_int_eq(wal_sum_chunks(0, 2, failing_sum, NULL, sum), WAL_OK);
  ck_assert(sum[0] == 0 && sum[1] == 0);
  ck_assert_int_eq(wal_for_chunks(0, failing_body, NULL), WAL_OK);
  wal_threads_set(0);
  ck_assert_int_eq(wal_threads(), 1);
}
END_TEST

/* ---- the team ---- */

static wal_status count_task(void *context, int64_t k) {
  (void)k;
  atomic_fetch_add((atomic_int *)context, 1);
  return WAL_OK;
}

static wal_status nested_task(void *context, int64_t k) {
  (void)k;
  return wal_for_tasks(10, count_task, context);
}

START_TEST(a_loop_inside_a_loop_runs_all_its_tasks) {
  atomic_int count = 0;
  wal_threads_set(4);
  ck_assert_int_eq(wal_for_tasks(50, nested_task, &count), WAL_OK);
  ck_assert_int_eq(count, 500);
}
END_TEST

static void *many_loops(void *count) {
  for (int k = 0; k < 500; k++) wal_for_tasks(7, count_task, count);
  return NULL;
}

START_TEST(two_callers_at_once_do_not_mix) {
  atomic_int counts[2] = {0, 0};
  pthread_t threads[2];
  wal_threads_set(3);
  for (int k = 0; k < 2; k++) ck_assert_int_eq(pthread_create(&threads[k], NULL, many_loops, &counts[k]), 0);
  for (int k = 0; k < 2; k++) pthread_join(threads[k], NULL);
  ck_assert_int_eq(counts[0], 3500);
  ck_assert_int_eq(counts[1], 3500);
}
END_TEST

START_TEST(a_forked_child_has_a_team_of_its_own) {
  atomic_int count = 0;
  wal_threads_set(3);
  many_loops(&count);
  const pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    many_loops(&count);
    _exit(count == 7000 ? 0 : 1);
  }
  int status;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

int main(void) {
  const int count = (int)(sizeof sizes / sizeof *sizes);
  Suite *s = suite_create("parallel");
  TCase *t = tcase_create("chunks");
  tcase_add_loop_test(t, same_bits_for_any_thread_count, 0, count);
  tcase_add_loop_test(t, sum_agrees_with_long_double, 0, count);
  tcase_add_test(t, the_tree_is_pairwise_over_chunks);
  tcase_add_loop_test(t, every_row_is_visited_once, 0, count);
  tcase_add_test(t, the_lowest_failure_is_kept_with_its_message);
  tcase_add_test(t, nothing_to_do_is_zero);
  tcase_add_test(t, a_loop_inside_a_loop_runs_all_its_tasks);
  tcase_add_test(t, two_callers_at_once_do_not_mix);
  tcase_add_test(t, a_forked_child_has_a_team_of_its_own);
  suite_add_tcase(s, t);
  return run_suite(s);
}
