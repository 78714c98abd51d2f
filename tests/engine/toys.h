/* A toy experiment whose points behave well, or badly on demand, and a way to call `walras` as a child
 * process. */
#ifndef WAL_TESTS_TOYS_H
#define WAL_TESTS_TOYS_H

#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/cli.h"
#include "engine/drawing.h"
#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "tests/scratch.h"

static const wal_param toy_params[] = {
    {"x", WAL_INT, "1", -1000, 1000, NULL, "1", "the number to square", NULL, true},
    {"seed", WAL_INT, "1", 0, 1000, NULL, "1", "seed of the noise", NULL, true},
    {"scale", WAL_REAL, "1", 0, 100, NULL, "1", "factor of the square", NULL, false},
    {"steps", WAL_INT, "0", 0, 1000, NULL, "1", "naps of 20 ms on the way", NULL, false},
    {"mood", WAL_TEXT, "well", 0, 0, "well|fail|diverge|abort|nan|empty", NULL, "what goes wrong", NULL,
     false},
};
static const wal_column toy_columns[] = {
    {"square", WAL_REAL, "1", "x squared times scale", 0, 1e-9, 0},
    {"noise", WAL_REAL, "1", "a normal number of the seed", 0, 0, 1e-6},
    {"sum", WAL_REAL, "1", "1 + 1/2 + ... + 1/5000 times scale", 0, 1e-12, 0},
    {"took", WAL_REAL, "s", "a clock", WAL_COLUMN_TIMING, 0, 0},
};

static inline wal_status toy_harmonic(void *context, int64_t lo, int64_t hi, double *partial) {
  const double scale = *(const double *)context;
  for (int64_t i = lo; i < hi; i++) partial[0] += scale / (double)(i + 1);
  return WAL_OK;
}

/* Each computed point leaves one byte in this file, so a test can count them. */
#define TOY_TALLY "tally"
/* While this file exists, points with odd x fail. */
#define TOY_BROKEN "broken"

static inline void toy_tally(void) {
  int file = open(TOY_TALLY, O_WRONLY | O_CREAT | O_APPEND, 0666);
  if (file >= 0 && write(file, "+", 1) == 1) close(file);
}

static inline wal_status toy_row(const wal_point *point, wal_sink *sink) {
  int64_t x = wal_point_int(point, "x");
  double scale = wal_point_real(point, "scale"), sum = 0;
  wal_status status = wal_sum_chunks(5000, 1, toy_harmonic, &scale, &sum);
  wal_sink_row(sink);
  wal_sink_real(sink, "square", scale * (double)(x * x));
  wal_sink_real(sink, "noise",
                wal_rng_normal((uint64_t)wal_point_int(point, "seed"), WAL_STREAM_TEST, (uint64_t)x));
  wal_sink_real(sink, "sum", sum);
  wal_sink_real(sink, "took", (double)getpid()); /* never the same twice */
  return status;
}

static inline wal_status toy_run_point(const wal_point *point, wal_sink *sink) {
  const char *mood = wal_point_text(point, "mood");
  int64_t steps = wal_point_int(point, "steps"), x = wal_point_int(point, "x");
  static const char *const names[] = {"step", "value"};
  for (int64_t s = 0; s < steps; s++) {
    usleep(20000);
    wal_sink_progress(sink, (double)(s + 1) / (double)steps, "napping");
  }
  toy_tally();
  printf("toy of x = %lld says hello\n", (long long)x);
  if (strcmp(mood, "fail") == 0)
    return wal_fail(WAL_E_UNSUPPORTED, "x is %lld; expected none (0 works)", (long long)x);
  if (access(TOY_BROKEN, F_OK) == 0 && x % 2) return wal_fail(WAL_E_IO, "the toy is broken");
  if (strcmp(mood, "abort") == 0) abort();
  if (strcmp(mood, "empty") == 0) return WAL_OK;
  if (strcmp(mood, "diverge") == 0) {
    for (int s = 0; s < 3; s++) wal_sink_trace(sink, "descent", 2, names, (double[]){s, 10.0 * s});
    return wal_fail(WAL_E_DIVERGED, "left the finite numbers at step 3");
  }
  wal_status status = toy_row(point, sink);
  if (strcmp(mood, "nan") == 0) wal_sink_real(sink, "noise", NAN);
  return status;
}

static inline wal_status toy_draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"x"}, *const measures[] = {"square"};
  return wal_drawing_standard_table(drawing, result, "Squares", keys, 1, measures, 1);
}

static const wal_experiment toy = {.id = "toy/squares",
                                   .title = "Squares",
                                   .paper = "A. Toymaker, Squares, 1900, Figure 1",
                                   .doc = "Squares a number.",
                                   .version = 1,
                                   .params = toy_params,
                                   .param_count = sizeof toy_params / sizeof *toy_params,
                                   .columns = toy_columns,
                                   .column_count = sizeof toy_columns / sizeof *toy_columns,
                                   .run_point = toy_run_point,
                                   .draw = toy_draw};
static const wal_experiment *const toys[] = {&toy, NULL};
#ifndef TOY_REGISTRY /* a test with experiments of its own names them before it includes this file */
#define TOY_REGISTRY toys
#endif
#ifndef TOY_DEVICES /* likewise devices */
#define TOY_DEVICES ((const wal_device_offer *const[]){NULL})
#endif

/* ---- A scratch folder to work in ---- */

static inline void toys_begin(void) {
  scratch_make();
  ck_assert_int_eq(chdir(scratch), 0);
}

static inline void toys_end(void) {
  ck_assert_int_eq(chdir("/"), 0);
  scratch_remove();
}

static inline void toys_write(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  ck_assert_ptr_nonnull(file);
  fputs(text, file);
  ck_assert_int_eq(fclose(file), 0);
}

/* Writes toy.yaml, a config named "toy" with this sweep. */
static inline void toys_config(const char *sweep) {
  char text[1024];
  snprintf(text, sizeof text, "experiment: toy/squares\nname: toy\nsweep:\n  grid: {%s}\n", sweep);
  toys_write("toy.yaml", text);
}

static inline long toys_tally(void) {
  static char bytes[4096];
  long count = scratch_read(TOY_TALLY, bytes, sizeof bytes);
  return count < 0 ? 0 : count;
}

/* ---- Calling walras ---- */

static char toys_out[65536], toys_err[65536]; /* what the last call printed */

/* Starts `walras LINE` (words split at spaces) in a child process, its output going to the files out and err.
 */
static inline pid_t toys_start(const char *line) {
  fflush(NULL);
  pid_t pid = fork();
  ck_assert_int_ge(pid, 0);
  if (pid) return pid;
  char text[1024], *words[64] = {"walras"};
  int count = 1;
  snprintf(text, sizeof text, "%s", line);
  for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) words[count++] = word;
  if (!freopen("out", "w", stdout) || !freopen("err", "w", stderr)) _exit(99);
  exit(wal_cli_main(count, words,
                    &(wal_program){TOY_REGISTRY, (const wal_command *const[]){NULL},
                                   (const wal_topic *const[]){NULL}, TOY_DEVICES}));
}

static inline void toys_read(const char *path, char *text, size_t size) {
  long length = scratch_read(path, text, size - 1);
  text[length < 0 ? 0 : length] = '\0';
}

/* Its exit code; minus the signal that killed it. */
static inline int toys_wait(pid_t pid) {
  int status = 0;
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  toys_read("out", toys_out, sizeof toys_out);
  toys_read("err", toys_err, sizeof toys_err);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static inline int toys_call(const char *line) { return toys_wait(toys_start(line)); }

#define ck_assert_says(text, wanted) \
  ck_assert_msg(strstr(text, wanted) != NULL, "expected '%s' in:\n%s", wanted, text)
#define ck_assert_silent_on(text, unwanted) \
  ck_assert_msg(strstr(text, unwanted) == NULL, "unexpected '%s' in:\n%s", unwanted, text)

#endif
