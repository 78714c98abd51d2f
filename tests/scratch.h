/* A scratch folder per test: tcase_add_checked_fixture(tcase, scratch_make, scratch_remove). */
#ifndef WAL_TESTS_SCRATCH_H
#define WAL_TESTS_SCRATCH_H

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static char scratch[64]; /* the folder, "/tmp/walras_test_..." */

static inline void scratch_make(void) {
  strcpy(scratch, "/tmp/walras_test_XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(scratch));
}

static inline void scratch_remove(void) {
  char command[256];
  snprintf(command, sizeof command, "chmod -R u+w '%s' && rm -rf '%s'", scratch, scratch);
  ck_assert_int_eq(system(command), 0);
}

/* Path of a name in the folder; static storage for the last eight calls. */
static inline char *scratch_path(const char *name) {
  static char paths[8][512];
  static int next;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
  return path;
}

/* Files and folders in a folder, hidden ones too. */
static inline int scratch_entries(const char *path) {
  int count = 0;
  DIR *listing = opendir(path);
  ck_assert_ptr_nonnull(listing);
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) count++;
  closedir(listing);
  return count;
}

/* Reads at most `size` bytes of a file; -1 when it is not there. */
static inline long scratch_read(const char *path, char *bytes, size_t size) {
  FILE *file = fopen(path, "rb");
  if (!file) return -1;
  size_t length = fread(bytes, 1, size, file);
  fclose(file);
  return (long)length;
}

/* Forks a child that calls step(context) until killed, and returns once the first step is done. The step may
   not use Check's assertions: they report to the parent through a stream that a kill would tear. */
static inline pid_t scratch_fork_loop(bool (*step)(void *context), void *context) {
  int ready[2];
  char byte = 0;
  ck_assert_int_eq(pipe(ready), 0);
  pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    while (step(context))
      if (write(ready[1], &byte, 1) != 1) break;
    _exit(1);
  }
  close(ready[1]);
  ck_assert_int_eq(read(ready[0], &byte, 1), 1);
  return child; /* the reading end stays open until this process ends, else the child would be stopped by
                   SIGPIPE */
}

#endif
