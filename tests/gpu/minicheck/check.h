/* The part of Check's interface that the tests of gpu/ use, for machines without Check
   (gpu/run-on-device.sh). Tests run one after the other in this process, where one context of the device
   serves them all. A test that fails, or dies of a signal, is reported with its place and the next one runs;
   one that outlasts its limit ends the program, since a kernel that hangs cannot be left alone. Include it in
   one file of a program. */
#ifndef WAL_TESTS_MINICHECK_H
#define WAL_TESTS_MINICHECK_H

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- tests, cases, suites ---- */

typedef struct {
  const char *name, *file;
  int line;
  void (*body)(int _i);
} TTest;

typedef struct {
  const TTest *test;
  int from, to; /* _i of a loop test; [0, 1) of a plain one */
} minicheck_entry;

typedef struct TCase {
  const char *name;
  double timeout; /* s */
  int count;
  minicheck_entry *entries; /* [count] */
  struct TCase *next;
} TCase;

typedef struct {
  const char *name;
  TCase *first, **last; /* in the order in which they were added */
} Suite;

typedef struct {
  Suite *suite;
  int run, failed;
} SRunner;

enum print_output { CK_SILENT, CK_MINIMAL, CK_NORMAL, CK_VERBOSE, CK_ENV };

#define START_TEST(NAME)                                                                           \
  static void NAME##_body(int _i);                                                                 \
  static const TTest NAME##_test = {#NAME, __FILE__, __LINE__, NAME##_body}, *NAME = &NAME##_test; \
  static void NAME##_body(int _i __attribute__((unused)))
#define END_TEST

/* What runs now: where it may jump to when it fails, and the last place it was known to be at. */
static struct {
  sigjmp_buf failed;
  bool running;
  FILE *report; /* NULL: stdout */
  const Suite *suite;
  const TCase *tcase;
  minicheck_entry entry;
  int i;
  const char *file;
  int line;
} minicheck;

static inline FILE *minicheck_out(void) { return minicheck.report ? minicheck.report : stdout; }

static inline void *minicheck_room(void *old, size_t size) {
  void *room = realloc(old, size);
  if (room) return room;
  fprintf(stderr, "minicheck: no memory for %zu bytes\n", size);
  exit(EXIT_FAILURE);
}

static inline Suite *suite_create(const char *name) {
  Suite *suite = (Suite *)minicheck_room(NULL, sizeof *suite);
  *suite = (Suite){name, NULL, &suite->first};
  return suite;
}

static inline TCase *tcase_create(const char *name) {
  TCase *tcase = (TCase *)minicheck_room(NULL, sizeof *tcase);
  *tcase = (TCase){.name = name, .timeout = 300.0};
  return tcase;
}

static inline void suite_add_tcase(Suite *suite, TCase *tcase) {
  *suite->last = tcase;
  suite->last = &tcase->next;
}

static inline void tcase_set_timeout(TCase *tcase, double seconds) { tcase->timeout = seconds; }

static inline void tcase_add_loop_test(TCase *tcase, const TTest *test, int from, int to) {
  tcase->entries =
      (minicheck_entry *)minicheck_room(tcase->entries, (size_t)(tcase->count + 1) * sizeof *tcase->entries);
  tcase->entries[tcase->count++] = (minicheck_entry){test, from, to};
}

static inline void tcase_add_test(TCase *tcase, const TTest *test) { tcase_add_loop_test(tcase, test, 0, 1); }

/* ---- failures ---- */

/* The place of the failure, Check's way: file:line:F:case:test:_i: message. */
static inline void minicheck_head(char kind) {
  fprintf(minicheck_out(), "%s:%d:%c:%s:%s:%d: ", minicheck.file, minicheck.line, kind, minicheck.tcase->name,
          minicheck.entry.test->name, minicheck.i);
}

__attribute__((format(printf, 1, 2), noreturn)) static inline void minicheck_fail(const char *format, ...) {
  va_list values;
  va_start(values, format);
  if (minicheck.running) minicheck_head('F');
  vfprintf(minicheck_out(), format, values);
  fprintf(minicheck_out(), "\n");
  va_end(values);
  if (!minicheck.running) exit(EXIT_FAILURE); /* an assertion outside of any test */
  siglongjmp(minicheck.failed, 1);
}

static inline void minicheck_mark(const char *file, int line) {
  minicheck.file = file, minicheck.line = line;
}

static inline void minicheck_on_signal(int number) {
  minicheck_head(
      'E'); /* the last assertion that was reached; not safe after a crash, but the best there is */
  if (number == SIGALRM) {
    fprintf(minicheck_out(), "(after this point) test did not end within %g s; the program ends here\n",
            minicheck.tcase->timeout);
    fflush(NULL);
    _exit(EXIT_FAILURE);
  }
  fprintf(minicheck_out(), "(after this point) received signal %d (%s)\n", number, strsignal(number));
  siglongjmp(minicheck.failed, 1);
}

/* ---- running ---- */

static inline SRunner *srunner_create(Suite *suite) {
  SRunner *runner = (SRunner *)minicheck_room(NULL, sizeof *runner);
  *runner = (SRunner){suite, 0, 0};
  return runner;
}

static inline void minicheck_catch(void (*handler)(int)) {
  static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM};
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  for (size_t k = 0; k < sizeof signals / sizeof *signals; k++) sigaction(signals[k], &action, NULL);
}

/* One call of one test; whether it passed. */
static inline bool minicheck_run(const TCase *tcase, minicheck_entry entry, int i) {
  minicheck.tcase = tcase, minicheck.entry = entry, minicheck.i = i;
  minicheck_mark(entry.test->file, entry.test->line);
  if (sigsetjmp(minicheck.failed, 1) != 0) {
    alarm(0);
    minicheck.running = false;
    return false;
  }
  minicheck.running = true;
  alarm((unsigned)ceil(tcase->timeout));
  entry.test->body(i);
  alarm(0);
  minicheck.running = false;
  return true;
}

static inline void srunner_run_all(SRunner *runner, enum print_output mode) {
  const char *verbosity = getenv("CK_VERBOSITY");
  const bool all = mode == CK_VERBOSE || (mode == CK_ENV && verbosity && strcmp(verbosity, "verbose") == 0);
  minicheck_catch(minicheck_on_signal);
  for (TCase *t = runner->suite->first; t; t = t->next)
    for (int k = 0; k < t->count; k++)
      for (int i = t->entries[k].from; i < t->entries[k].to; i++) {
        const bool passed = minicheck_run(t, t->entries[k], i);
        runner->run++, runner->failed += !passed;
        if (passed && all) {
          minicheck_mark(t->entries[k].test->file, t->entries[k].test->line);
          minicheck_head('P');
          fprintf(minicheck_out(), "Passed\n");
        }
        fflush(minicheck_out());
      }
  minicheck_catch(SIG_DFL);
  fprintf(minicheck_out(), "%s: checks: %d, failures: %d\n", runner->suite->name, runner->run,
          runner->failed);
}

static inline int srunner_ntests_failed(const SRunner *runner) { return runner->failed; }
static inline int srunner_ntests_run(const SRunner *runner) { return runner->run; }

static inline void srunner_free(SRunner *runner) {
  for (TCase *t = runner->suite->first, *next; t; t = next) {
    next = t->next;
    free(t->entries);
    free(t);
  }
  free(runner->suite);
  free(runner);
}

/* ---- assertions ---- */

#define ck_assert_msg(TRUE_, ...)               \
  ((TRUE_) ? minicheck_mark(__FILE__, __LINE__) \
           : (minicheck_mark(__FILE__, __LINE__), minicheck_fail(__VA_ARGS__)))
#define ck_abort_msg(...) (minicheck_mark(__FILE__, __LINE__), minicheck_fail(__VA_ARGS__))
#define ck_assert(TRUE_) ck_assert_msg(TRUE_, "%s is false", #TRUE_)

/* X OP Y in `type`, both values shown with `format`. */
#define minicheck_compare(type, format, X, OP, Y)                                                           \
  do {                                                                                                      \
    const type minicheck_x = (X), minicheck_y = (Y);                                                        \
    ck_assert_msg(minicheck_x OP minicheck_y, "not %s: %s is " format ", %s is " format, #X " " #OP " " #Y, \
                  #X, minicheck_x, #Y, minicheck_y);                                                        \
  } while (0)

#define ck_assert_int_eq(X, Y) minicheck_compare(intmax_t, "%jd", X, ==, Y)
#define ck_assert_int_ne(X, Y) minicheck_compare(intmax_t, "%jd", X, !=, Y)
#define ck_assert_int_lt(X, Y) minicheck_compare(intmax_t, "%jd", X, <, Y)
#define ck_assert_int_le(X, Y) minicheck_compare(intmax_t, "%jd", X, <=, Y)
#define ck_assert_int_gt(X, Y) minicheck_compare(intmax_t, "%jd", X, >, Y)
#define ck_assert_int_ge(X, Y) minicheck_compare(intmax_t, "%jd", X, >=, Y)
#define ck_assert_uint_eq(X, Y) minicheck_compare(uintmax_t, "%ju", X, ==, Y)
#define ck_assert_uint_ne(X, Y) minicheck_compare(uintmax_t, "%ju", X, !=, Y)
#define ck_assert_uint_lt(X, Y) minicheck_compare(uintmax_t, "%ju", X, <, Y)
#define ck_assert_uint_le(X, Y) minicheck_compare(uintmax_t, "%ju", X, <=, Y)
#define ck_assert_uint_gt(X, Y) minicheck_compare(uintmax_t, "%ju", X, >, Y)
#define ck_assert_uint_ge(X, Y) minicheck_compare(uintmax_t, "%ju", X, >=, Y)
#define ck_assert_double_eq(X, Y) minicheck_compare(double, "%.17g", X, ==, Y)
#define ck_assert_double_ne(X, Y) minicheck_compare(double, "%.17g", X, !=, Y)
#define ck_assert_double_lt(X, Y) minicheck_compare(double, "%.17g", X, <, Y)
#define ck_assert_double_le(X, Y) minicheck_compare(double, "%.17g", X, <=, Y)
#define ck_assert_double_gt(X, Y) minicheck_compare(double, "%.17g", X, >, Y)
#define ck_assert_double_ge(X, Y) minicheck_compare(double, "%.17g", X, >=, Y)
#define ck_assert_float_eq(X, Y) minicheck_compare(float, "%.9g", X, ==, Y)
typedef const void *minicheck_pointer;
#define ck_assert_ptr_eq(X, Y) minicheck_compare(minicheck_pointer, "%p", X, ==, Y)
#define ck_assert_ptr_ne(X, Y) minicheck_compare(minicheck_pointer, "%p", X, !=, Y)
#define ck_assert_ptr_null(X) ck_assert_msg((X) == NULL, "%s is not NULL", #X)
#define ck_assert_ptr_nonnull(X) ck_assert_msg((X) != NULL, "%s is NULL", #X)

/* |X - Y| < TOLERANCE, as Check has it: a tolerance of 0 never holds, nor does NaN. */
#define minicheck_near(type, X, Y, TOLERANCE)                                                          \
  do {                                                                                                 \
    const type minicheck_x = (X), minicheck_y = (Y), minicheck_t = (TOLERANCE);                        \
    ck_assert_msg(minicheck_x - minicheck_y < minicheck_t && minicheck_y - minicheck_x < minicheck_t,  \
                  "not |%s - %s| < %s: %s is %.17g, %s is %.17g, %s is %.17g", #X, #Y, #TOLERANCE, #X, \
                  (double)minicheck_x, #Y, (double)minicheck_y, #TOLERANCE, (double)minicheck_t);      \
  } while (0)
#define ck_assert_double_eq_tol(X, Y, TOLERANCE) minicheck_near(double, X, Y, TOLERANCE)
#define ck_assert_float_eq_tol(X, Y, TOLERANCE) minicheck_near(float, X, Y, TOLERANCE)
#define ck_assert_double_nan(X) ck_assert_msg(isnan(X), "%s is not NaN", #X)
#define ck_assert_double_finite(X) ck_assert_msg(isfinite(X), "%s is not finite", #X)

#define ck_assert_str_eq(X, Y)                                                                     \
  do {                                                                                             \
    const char *minicheck_x = (X), *minicheck_y = (Y);                                             \
    ck_assert_msg(minicheck_x &&minicheck_y &&strcmp(minicheck_x, minicheck_y) == 0,               \
                  "not %s: %s is \"%s\", %s is \"%s\"", #X " == " #Y, #X,                          \
                  minicheck_x ? minicheck_x : "(null)", #Y, minicheck_y ? minicheck_y : "(null)"); \
  } while (0)

/* The first of `size` bytes where x and y differ; size when none does. */
static inline size_t minicheck_differ(const void *x, const void *y, size_t size) {
  size_t k = 0;
  while (k < size && ((const unsigned char *)x)[k] == ((const unsigned char *)y)[k]) k++;
  return k;
}

#define ck_assert_mem_eq(X, Y, SIZE)                                                             \
  do {                                                                                           \
    const size_t minicheck_size = (SIZE), minicheck_at = minicheck_differ(X, Y, minicheck_size); \
    ck_assert_msg(minicheck_at == minicheck_size, "%s and %s differ at byte %zu of %zu", #X, #Y, \
                  minicheck_at, minicheck_size);                                                 \
  } while (0)
#define ck_assert_mem_ne(X, Y, SIZE)                                                                       \
  ck_assert_msg(minicheck_differ(X, Y, SIZE) < (size_t)(SIZE), "%s and %s are the same %zu bytes", #X, #Y, \
                (size_t)(SIZE))

#endif
