/* The program as a user calls it, in the scratch folder. */
#ifndef WAL_TESTS_CLI_CALL_H
#define WAL_TESTS_CLI_CALL_H

#include <check.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/scratch.h"

static char out[65536], err[65536]; /* what the last call printed */
static const char *walras_program = WAL_BINARY;

static inline void read_text(const char *path, char *text, size_t size) {
  long length = scratch_read(path, text, size - 1);
  ck_assert_int_ge(length, 0);
  text[length] = '\0';
}

/* Runs `PREFIX walras LINE` through the shell; returns its exit code. */
static inline int walras_with(const char *prefix, const char *line) {
  char command[2048];
  snprintf(command, sizeof command, "cd '%s' && { %s '%s' %s; } > out 2> err", scratch, prefix,
           walras_program, line);
  int status = system(command);
  read_text(scratch_path("out"), out, sizeof out);
  read_text(scratch_path("err"), err, sizeof err);
  ck_assert(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static inline int walras(const char *line) { return walras_with("", line); }

static inline void assert_says(const char *text, const char *wanted) {
  ck_assert_msg(strstr(text, wanted) != NULL, "expected '%s' in:\n%s\n%s", wanted, text, err);
}

static inline void write_text(const char *name, const char *text) {
  FILE *file = fopen(scratch_path(name), "w");
  ck_assert_ptr_nonnull(file);
  fputs(text, file);
  fclose(file);
}

#endif
