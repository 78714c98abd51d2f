/* What outlives a run: whole or none whatever happens to the file or to its writers; --force; shared by
   points, by configs and by runs. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "engine/experiment.h"

static const wal_experiment *const kept_toys[];
#define TOY_REGISTRY kept_toys
#include "engine/blobs.h"
#include "engine/store.h"
#include "tests/engine/toys.h"
#include "tests/suite.h"

/* A toy whose points all want one number, which takes long to compute: the count of points that had to. */
static const wal_param kept_params[] = {
    {"x", WAL_INT, "1", 0, 100, NULL, "1", "which point", NULL, WAL_PARAM_KEY},
    {"key", WAL_TEXT, "shared", 0, 0, NULL, "1", "what it is kept as", NULL, 0},
};
static const wal_column kept_columns[] = {{"number", WAL_INT, "1", "the number", 0, 0, 0}};

static wal_status kept_number(wal_sink *sink, const char *key, long *number) {
  void *bytes = NULL;
  int64_t size = 0;
  wal_status status = wal_sink_load(sink, key, &bytes, &size);
  if (status) return status;
  bool found = bytes && size == sizeof *number;
  if (found) memcpy(number, bytes, sizeof *number);
  free(bytes);
  if (found) return WAL_OK;
  toy_tally();
  *number = toys_tally();
  return wal_sink_save(sink, key, number, sizeof *number);
}

static wal_status kept_run(const wal_point *point, wal_sink *sink) {
  long number = 0;
  wal_status status = kept_number(sink, wal_point_text(point, "key"), &number);
  if (status) return status;
  wal_sink_row(sink);
  wal_sink_int(sink, "number", number);
  return WAL_OK;
}

static const wal_experiment kept_toy = {.id = "toy/kept",
                                        .title = "Kept",
                                        .paper = "None",
                                        .doc = "None.",
                                        .version = 1,
                                        .params = kept_params,
                                        .param_count = 2,
                                        .columns = kept_columns,
                                        .column_count = 1,
                                        .run_point = kept_run,
                                        .draw = toy_draw};
static const wal_experiment *const kept_toys[] = {&kept_toy, NULL};

/* ---- One blob ---- */

static wal_blobs at(const char *folder) {
  wal_blobs blobs = {.folder = folder};
  wal_blob_session(blobs.session);
  return blobs;
}

static void save(const wal_blobs *blobs, const char *key, const char *text) {
  ck_assert_msg(wal_blob_save(blobs, key, text, (int64_t)strlen(text)) == WAL_OK, "%s", wal_error());
}

/* expected NULL: none. */
static void finds(const wal_blobs *blobs, const char *key, const char *expected) {
  void *bytes = &bytes;
  int64_t size = -1;
  ck_assert_msg(wal_blob_load(blobs, key, &bytes, &size) == WAL_OK, "%s", wal_error());
  if (!expected) ck_assert_ptr_null(bytes);
  if (!expected) return;
  ck_assert_ptr_nonnull(bytes);
  ck_assert_int_eq(size, (int64_t)strlen(expected));
  ck_assert_mem_eq(bytes, expected, strlen(expected));
  free(bytes);
}

START_TEST(kept_and_replaced_by_key) {
  wal_blobs blobs = at("kept/here");
  finds(&blobs, "a", NULL);
  save(&blobs, "a", "one");
  save(&blobs, "b", "two, and longer");
  finds(&blobs, "a", "one");
  save(&blobs, "a", "three");
  finds(&blobs, "a", "three");
  finds(&blobs, "b", "two, and longer");
  finds(&blobs, "c", NULL);
  save(&blobs, "b", "");
  finds(&blobs, "b", "");
  ck_assert_int_eq(scratch_entries("kept/here"), 2);
}
END_TEST

START_TEST(without_a_folder_nothing_is_kept) {
  wal_blobs blobs = at(NULL);
  save(&blobs, "a", "one");
  finds(&blobs, "a", NULL);
}
END_TEST

/* The only file of kept/. */
static void only_file(char path[512]) {
  DIR *listing = opendir("kept");
  ck_assert_ptr_nonnull(listing);
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
    if (entry->d_name[0] != '.') snprintf(path, 512, "kept/%s", entry->d_name);
  closedir(listing);
}

/* Writes as it comes, without waiting for the disk. */
static void overwrite(const char *path, const char *bytes, long length) {
  FILE *file = fopen(path, "wb");
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(fwrite(bytes, 1, (size_t)length, file), (size_t)length);
  ck_assert_int_eq(fclose(file), 0);
}

START_TEST(damage_anywhere_is_none) {
  char path[512], bytes[512];
  wal_blobs blobs = at("kept");
  save(&blobs, "net n=2", "weights");
  only_file(path);
  const long length = scratch_read(path, bytes, sizeof bytes);
  for (long b = 0; b < length; b++) {
    bytes[b] ^= 0x20;
    overwrite(path, bytes, length);
    finds(&blobs, "net n=2", NULL);
    bytes[b] ^= 0x20;
  }
  for (long b = 0; b < length; b++) {
    overwrite(path, bytes, b);
    finds(&blobs, "net n=2", NULL);
  }
  bytes[length] = 0;
  overwrite(path, bytes, length + 1);
  finds(&blobs, "net n=2", NULL);
  save(&blobs, "net n=2", "new");
  finds(&blobs, "net n=2", "new");
}
END_TEST

START_TEST(a_file_moved_to_another_key_is_none) {
  char from[512], to[512];
  wal_blobs blobs = at("kept");
  save(&blobs, "other", "o");
  only_file(to);
  ck_assert_int_eq(unlink(to), 0);
  save(&blobs, "mine!", "m");
  only_file(from);
  ck_assert_int_eq(rename(from, to), 0);
  finds(&blobs, "other", NULL);
}
END_TEST

START_TEST(a_folder_or_a_pipe_in_its_place) {
  char path[512];
  wal_blobs blobs = at("kept");
  save(&blobs, "a", "one");
  only_file(path);
  ck_assert_int_eq(unlink(path), 0);
  ck_assert_int_eq(mkfifo(path, 0666), 0);
  finds(&blobs, "a", NULL);
  ck_assert_int_eq(wal_blob_save(&blobs, "a", "x", 1), WAL_E_IO);
  ck_assert_says(wal_error(), "it is not a regular file");
  ck_assert_int_eq(unlink(path), 0);
  ck_assert_int_eq(mkdir(path, 0777), 0);
  finds(&blobs, "a", NULL);
  ck_assert_int_eq(wal_blob_save(&blobs, "a", "x", 1), WAL_E_IO);
  ck_assert_says(wal_error(), "Is a directory");
}
END_TEST

START_TEST(a_full_disk_keeps_the_old_one) {
  wal_blobs blobs = at("kept");
  char *big = calloc(1, 100000);
  save(&blobs, "a", "old");
  signal(SIGXFSZ, SIG_IGN);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){4096, RLIM_INFINITY}), 0);
  ck_assert_int_eq(wal_blob_save(&blobs, "a", big, 100000), WAL_E_IO);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}), 0);
  ck_assert_says(wal_error(), "cannot write kept/");
  ck_assert_says(wal_error(), "File too large (free some space and run again)");
  finds(&blobs, "a", "old");
  ck_assert_int_eq(scratch_entries("kept"), 1);
  free(big);
}
END_TEST

START_TEST(sizes_that_are_no_sizes) {
  wal_blobs blobs = at("kept");
  ck_assert_int_eq(wal_blob_save(&blobs, "a", "", -1), WAL_E_INPUT);
  ck_assert_int_eq(wal_blob_save(&blobs, "a", "", INT64_MAX), WAL_E_INPUT);
  ck_assert_says(wal_error(), "expected at most 1073741824");
}
END_TEST

START_TEST(fresh_sees_its_own_session_only) {
  wal_blobs old = at("kept"), mine = at("kept"), same = mine;
  ck_assert_str_ne(old.session, mine.session);
  mine.fresh = true;
  save(&old, "a", "old");
  finds(&mine, "a", NULL);
  finds(&same, "a", "old");
  save(&mine, "a", "new");
  finds(&mine, "a", "new");
  finds(&old, "a", "new");
}
END_TEST

/* ---- Writers that die, writers at the same time ---- */

enum { BIG = 1 << 17 };

/* Keeps all 'a', then all 'b', ... under one key. */
static bool rewrite(void *blobs) {
  static char bytes[BIG];
  static int count;
  memset(bytes, 'a' + count++ % 26, BIG);
  return wal_blob_save(blobs, "a", bytes, BIG) == WAL_OK;
}

/* The blob is whole: one letter all through. */
static void assert_whole(const wal_blobs *blobs) {
  void *bytes = NULL;
  int64_t size = 0;
  ck_assert_int_eq(wal_blob_load(blobs, "a", &bytes, &size), WAL_OK);
  ck_assert_ptr_nonnull(bytes);
  ck_assert_int_eq(size, BIG);
  const char *letters = bytes;
  for (int64_t i = 0; i < size; i++) ck_assert_msg(letters[i] == letters[0], "torn at %d", (int)i);
  free(bytes);
}

START_TEST(killed_writers_leave_a_whole_one) {
  wal_blobs blobs = at("kept");
  for (int kill_after = 0; kill_after < 5; kill_after++) {
    pid_t child = scratch_fork_loop(rewrite, &blobs);
    usleep((useconds_t)kill_after * 700);
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    assert_whole(&blobs);
  }
  save(&blobs, "a", "last");
  ck_assert_int_eq(scratch_entries("kept"), 1); /* no leftovers */
}
END_TEST

START_TEST(two_writers_of_one_key) {
  wal_blobs blobs = at("kept");
  pid_t one = scratch_fork_loop(rewrite, &blobs), two = scratch_fork_loop(rewrite, &blobs);
  for (int read = 0; read < 8; read++) assert_whole(&blobs);
  kill(one, SIGKILL);
  kill(two, SIGKILL);
  ck_assert_int_eq(waitpid(one, NULL, 0), one);
  ck_assert_int_eq(waitpid(two, NULL, 0), two);
  assert_whole(&blobs);
}
END_TEST

/* ---- Runs ---- */

#define RUN " --no-plots --threads 1"

static void config(const char *name, const char *sweep) {
  char path[64], text[512];
  snprintf(path, sizeof path, "%s.yaml", name);
  snprintf(text, sizeof text, "experiment: toy/kept\nname: %s\nsweep:\n  grid: {%s}\n", name, sweep);
  toys_write(path, text);
}

static int64_t number_of(const char *path, int64_t row) {
  wal_result *result = NULL;
  ck_assert_msg(wal_store_read(path, kept_toys, &result) == WAL_OK, "%s", wal_error());
  wal_value value = wal_frame_get(result->rows, row, wal_frame_find(result->rows, "number"));
  wal_result_free(result);
  return value.i;
}

START_TEST(points_configs_and_runs_share) {
  config("one", "x: [1, 2, 3]");
  config("two", "x: [4, 5]");
  ck_assert_int_eq(toys_call("run one.yaml two.yaml" RUN), 0);
  ck_assert_int_eq(toys_tally(), 1);
  ck_assert_int_eq(number_of("results/one.h5", 2), 1);
  ck_assert_int_eq(number_of("results/two.h5", 1), 1);
  config("two", "x: [6], key: [shared, other]");
  ck_assert_int_eq(toys_call("run two.yaml" RUN), 0);
  ck_assert_int_eq(toys_tally(), 2);
  ck_assert_int_eq(number_of("results/two.h5", 0), 1);
  ck_assert_int_eq(number_of("results/two.h5", 1), 2);
}
END_TEST

START_TEST(force_forgets_what_earlier_runs_kept) {
  config("one", "x: [1, 2]");
  config("two", "x: [3]");
  ck_assert_int_eq(toys_call("run one.yaml two.yaml" RUN), 0);
  ck_assert_int_eq(toys_tally(), 1);
  ck_assert_int_eq(toys_call("run one.yaml two.yaml --force" RUN), 0);
  ck_assert_int_eq(toys_tally(), 2); /* once for all three points */
  ck_assert_int_eq(number_of("results/one.h5", 0), 2);
  ck_assert_int_eq(number_of("results/two.h5", 0), 2);
  ck_assert_int_eq(toys_call("run two.yaml --force" RUN), 0);
  ck_assert_int_eq(toys_tally(), 3);
  config("two", "x: [7]");
  ck_assert_int_eq(toys_call("run two.yaml" RUN), 0);
  ck_assert_int_eq(number_of("results/two.h5", 0), 3);
}
END_TEST

START_TEST(two_jobs_with_one_key) {
  config("one", "x: [1, 2, 3, 4, 5, 6, 7, 8]");
  ck_assert_int_eq(toys_call("run one.yaml --jobs 4" RUN), 0);
  ck_assert_int_eq(scratch_entries("results/cache/blobs"), 1);
}
END_TEST

START_TEST(a_damaged_blob_is_made_again) {
  config("one", "x: [1]");
  ck_assert_int_eq(toys_call("run one.yaml" RUN), 0);
  ck_assert_int_eq(system("for f in results/cache/blobs/*; do truncate -s -1 $f; done"), 0);
  config("one", "x: [2]");
  ck_assert_int_eq(toys_call("run one.yaml" RUN), 0);
  ck_assert_int_eq(toys_tally(), 2);
}
END_TEST

/* A config may be called as the folder of blobs is. */
START_TEST(a_config_called_blobs) {
  config("blobs", "x: [1, 2]");
  ck_assert_int_eq(toys_call("run blobs.yaml" RUN), 0);
  ck_assert_int_eq(toys_call("run blobs.yaml" RUN), 0);
  ck_assert_says(toys_out, "2 cached, 0 run");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("blobs");
  TCase *tests = tcase_create("blobs");
  tcase_set_timeout(tests, 60);
  tcase_add_checked_fixture(tests, toys_begin, toys_end);
  tcase_add_test(tests, kept_and_replaced_by_key);
  tcase_add_test(tests, without_a_folder_nothing_is_kept);
  tcase_add_test(tests, damage_anywhere_is_none);
  tcase_add_test(tests, a_file_moved_to_another_key_is_none);
  tcase_add_test(tests, a_folder_or_a_pipe_in_its_place);
  tcase_add_test(tests, a_full_disk_keeps_the_old_one);
  tcase_add_test(tests, sizes_that_are_no_sizes);
  tcase_add_test(tests, fresh_sees_its_own_session_only);
  tcase_add_test(tests, killed_writers_leave_a_whole_one);
  tcase_add_test(tests, two_writers_of_one_key);
  tcase_add_test(tests, points_configs_and_runs_share);
  tcase_add_test(tests, force_forgets_what_earlier_runs_kept);
  tcase_add_test(tests, two_jobs_with_one_key);
  tcase_add_test(tests, a_damaged_blob_is_made_again);
  tcase_add_test(tests, a_config_called_blobs);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
