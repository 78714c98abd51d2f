/* wal_write_file and wal_make_parent: whole or not at all, with the system's reason. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/store.h"
#include "tests/scratch.h"
#include "tests/suite.h"

START_TEST(writes_and_replaces) {
  char bytes[64];
  char *path = scratch_path("a/b/c.txt");
  ck_assert_int_eq(wal_write_file(path, "one\0two", 7), WAL_OK);
  ck_assert_int_eq(scratch_read(path, bytes, sizeof bytes), 7);
  ck_assert_mem_eq(bytes, "one\0two", 7);
  ck_assert_int_eq(wal_write_file(path, "", 0), WAL_OK);
  ck_assert_int_eq(scratch_read(path, bytes, sizeof bytes), 0);
  ck_assert_int_eq(scratch_entries(scratch_path("a/b")), 1);
}
END_TEST

START_TEST(relative_path_without_folder) {
  ck_assert_int_eq(chdir(scratch), 0);
  ck_assert_int_eq(wal_write_file("plain.txt", "x", 1), WAL_OK);
  ck_assert_int_eq(access(scratch_path("plain.txt"), R_OK), 0);
  ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(a_file_where_a_folder_should_be) {
  char expected[1024];
  ck_assert_int_eq(wal_write_file(scratch_path("a"), "x", 1), WAL_OK);
  snprintf(expected, sizeof expected,
           "cannot create the folder %s/a: File exists (a file and a folder share this name; move one away)",
           scratch);
  ck_assert_int_eq(wal_write_file(scratch_path("a/b.txt"), "x", 1), WAL_E_IO);
  ck_assert_str_eq(wal_error(), expected);
}
END_TEST

START_TEST(a_folder_where_the_file_should_be) {
  char expected[1024];
  ck_assert_int_eq(mkdir(scratch_path("a"), 0777), 0);
  snprintf(expected, sizeof expected,
           "cannot write %s/a: Is a directory (a file and a folder share this name; move one away)", scratch);
  ck_assert_int_eq(wal_write_file(scratch_path("a"), "x", 1), WAL_E_IO);
  ck_assert_str_eq(wal_error(), expected);
  ck_assert_int_eq(scratch_entries(scratch), 1);
}
END_TEST

/* A file-size limit is the portable full disk: write() fails part of the way. */
START_TEST(disk_full_keeps_the_old_file) {
  char bytes[64], expected[1024];
  char *path = scratch_path("big.bin");
  char *big = calloc(1, 100000);
  ck_assert_int_eq(wal_write_file(path, "old", 3), WAL_OK);
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = {4096, RLIM_INFINITY};
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
  snprintf(expected, sizeof expected, "cannot write %s: File too large (free some space and run again)",
           path);
  ck_assert_int_eq(wal_write_file(path, big, 100000), WAL_E_IO);
  ck_assert_str_eq(wal_error(), expected);
  ck_assert_int_eq(scratch_read(path, bytes, sizeof bytes), 3);
  ck_assert_mem_eq(bytes, "old", 3);
  ck_assert_int_eq(scratch_entries(scratch), 1);
  free(big);
}
END_TEST

/* In a child, so that a test run by root can give up root's rights. */
static void write_as_nobody(const char *path, const char *expected) {
  pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && setuid(65534) != 0) _exit(2);
    bool right = wal_write_file(path, "x", 1) == WAL_E_IO && strcmp(wal_error(), expected) == 0;
    if (!right) fprintf(stderr, "got: %s\n", wal_error());
    _exit(right ? 0 : 1);
  }
  int state = 0;
  ck_assert_int_eq(waitpid(child, &state, 0), child);
  ck_assert(WIFEXITED(state));
  ck_assert_int_eq(WEXITSTATUS(state), 0);
}

START_TEST(a_folder_we_may_not_write) {
  char expected[1024], path[512];
  ck_assert_int_eq(chmod(scratch, 0555), 0);
  snprintf(path, sizeof path, "%s/x.txt", scratch);
  snprintf(expected, sizeof expected,
           "cannot write %s: Permission denied (choose a folder you may write to, or change its permissions)",
           path);
  write_as_nobody(path, expected);
  snprintf(path, sizeof path, "%s/sub/x.txt", scratch);
  snprintf(
      expected, sizeof expected,
      "cannot create the folder %s/sub: Permission denied (choose a folder you may write to, or change its "
      "permissions)",
      scratch);
  write_as_nobody(path, expected);
  ck_assert_int_eq(scratch_entries(scratch), 0);
}
END_TEST

START_TEST(name_too_long) {
  char name[400] = "";
  memset(name, 'a', 300);
  ck_assert_int_eq(wal_write_file(scratch_path(name), "x", 1), WAL_E_IO);
  ck_assert_ptr_nonnull(strstr(wal_error(), "File name too long (choose a shorter name)"));
}
END_TEST

START_TEST(leftovers_are_removed_and_living_writers_are_not) {
  ck_assert_int_eq(wal_write_file(scratch_path(".x.h5.123-4.tmp"), "half", 4), WAL_OK);
  ck_assert_int_eq(wal_write_file(scratch_path(".x.h5.99999-0.tmp"), "half", 4), WAL_OK);
  ck_assert_int_eq(wal_write_file(scratch_path(".x.h5.mine.tmp"), "keep", 4), WAL_OK); /* not our pattern */
  ck_assert_int_eq(wal_write_file(scratch_path(".xx.h5.1-1.tmp"), "keep", 4), WAL_OK); /* another name */
  ck_assert_int_eq(wal_write_file(scratch_path(".x.h5.1-1.tmp~"), "keep", 4), WAL_OK); /* another ending */
  int living = open(scratch_path(".x.h5.99999-0.tmp"), O_RDONLY);
  ck_assert_int_eq(flock(living, LOCK_EX), 0);
  ck_assert_int_eq(wal_write_file(scratch_path("x.h5"), "new", 3), WAL_OK);
  ck_assert_int_ne(access(scratch_path(".x.h5.123-4.tmp"), F_OK), 0);
  ck_assert_int_eq(access(scratch_path(".x.h5.99999-0.tmp"), F_OK), 0);
  ck_assert_int_eq(scratch_entries(scratch), 5);
  close(living);
  ck_assert_int_eq(wal_write_file(scratch_path("x.h5"), "new", 3), WAL_OK);
  ck_assert_int_eq(scratch_entries(scratch), 4);
}
END_TEST

enum { BIG = 1 << 20 };

/* Rewrites one file with all 'a', then all 'b', ... */
static bool rewrite(void *path) {
  static char bytes[BIG];
  static int count;
  memset(bytes, 'a' + count++ % 26, BIG);
  return wal_write_file(path, bytes, BIG) == WAL_OK;
}

START_TEST(kill_during_write_leaves_a_whole_file) {
  static char bytes[BIG + 1];
  char path[512];
  snprintf(path, sizeof path, "%s/x.bin", scratch);
  int leftovers = 0;
  for (int kills = 0; kills < 20; kills++) {
    pid_t child = scratch_fork_loop(rewrite, path);
    usleep(700 * (unsigned)kills);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    int state = 0;
    ck_assert_int_eq(waitpid(child, &state, 0), child);
    ck_assert(WIFSIGNALED(state));
    long length = scratch_read(path, bytes, sizeof bytes);
    ck_assert_int_eq(length, BIG);
    ck_assert_int_eq(strspn(bytes, (char[2]){bytes[0]}), BIG);
    leftovers += scratch_entries(scratch) - 1;
  }
  ck_assert_int_gt(leftovers, 0); /* else no kill fell inside a write and this test proved nothing */
  ck_assert_int_eq(wal_write_file(path, "end", 3), WAL_OK);
  ck_assert_int_eq(scratch_entries(scratch), 1);
}
END_TEST

START_TEST(piece_by_piece) {
  char *path = scratch_path("a/b.txt"), text[8];
  wal_new_file *file = NULL;
  ck_assert_int_eq(wal_write_file(path, "old", 3), WAL_OK);
  ck_assert_int_eq(wal_new_file_begin(path, &file), WAL_OK);
  FILE *other = fopen(wal_new_file_temporary(file), "w");
  ck_assert_ptr_nonnull(other);
  fputs("new", other);
  ck_assert_int_eq(fclose(other), 0);
  ck_assert_int_eq(scratch_read(path, text, sizeof text), 3);
  ck_assert_mem_eq(text, "old", 3); /* until the end */
  if (_i == 0) {
    ck_assert_int_eq(wal_new_file_commit(file), WAL_OK);
  } else if (_i == 1) {
    wal_new_file_abandon(file);
  } else {
    ck_assert_int_eq(wal_new_file_fail(file, ENOSPC), WAL_E_IO);
    ck_assert_ptr_nonnull(strstr(wal_error(), "free some space and run again"));
  }
  ck_assert_int_eq(scratch_read(path, text, sizeof text), 3);
  ck_assert_mem_eq(text, _i == 0 ? "new" : "old", 3);
  ck_assert_int_eq(scratch_entries(scratch_path("a")), 1);
}
END_TEST

START_TEST(a_device_is_not_replaced) {
  ck_assert_int_eq(mkfifo(scratch_path("pipe"), 0666), 0);
  ck_assert_int_eq(wal_write_file(scratch_path("pipe"), "x", 1), WAL_E_IO);
  ck_assert_ptr_nonnull(strstr(wal_error(), "it is not a regular file"));
  ck_assert_int_eq(scratch_entries(scratch), 1);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("atomic_file");
  TCase *files = tcase_create("files");
  tcase_set_timeout(files, 60);
  tcase_add_checked_fixture(files, scratch_make, scratch_remove);
  tcase_add_test(files, writes_and_replaces);
  tcase_add_test(files, relative_path_without_folder);
  tcase_add_test(files, a_file_where_a_folder_should_be);
  tcase_add_test(files, a_folder_where_the_file_should_be);
  tcase_add_test(files, disk_full_keeps_the_old_file);
  tcase_add_test(files, a_folder_we_may_not_write);
  tcase_add_loop_test(files, piece_by_piece, 0, 3);
  tcase_add_test(files, a_device_is_not_replaced);
  tcase_add_test(files, name_too_long);
  tcase_add_test(files, leftovers_are_removed_and_living_writers_are_not);
  tcase_add_test(files, kill_during_write_leaves_a_whole_file);
  suite_add_tcase(suite, files);
  return run_suite(suite);
}
