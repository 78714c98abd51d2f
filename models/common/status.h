/* Status codes and the text of the last failure: one enum, its texts from one list. */
#ifndef WAL_COMMON_STATUS_H
#define WAL_COMMON_STATUS_H

#define WAL_STATUS_LIST(X)                                                                  \
  X(WAL_OK, "success")                                                                      \
  X(WAL_E_INPUT, "invalid input")            /* the user's YAML, HDF5, CSV or flags */      \
  X(WAL_E_IO, "input/output failure")        /* missing, unreadable, unwritable, full */    \
  X(WAL_E_MEMORY, "out of memory")                                                          \
  X(WAL_E_DIVERGED, "did not converge")      /* a solver left the finite numbers or its budget */ \
  X(WAL_E_UNSUPPORTED, "not supported")      /* e.g. this solver cannot take this alpha */  \
  X(WAL_E_INTERRUPTED, "interrupted")                                                       \
  X(WAL_E_INTERNAL, "internal error")        /* our own mistake; please report */

typedef enum {
#define X(code, text) code,
  WAL_STATUS_LIST(X)
#undef X
} wal_status;

/* Returns the fixed text of a code ("invalid input"). */
const char *wal_status_text(wal_status status);

/* Stores a printf-style message for this thread and returns `status`, so a failing function
   ends with `return wal_fail(WAL_E_INPUT, "n is 0; expected at least 1 (1024 works)");`.
   A message says what was wrong, where, what was expected, and a value that works. */
wal_status wal_fail(wal_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts context in front of the stored message ("configs/a.yaml:3:5: ") and returns `status`. */
wal_status wal_fail_in(wal_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The message of this thread's last failure; "" when none. Borrowed: valid until the next failure. */
const char *wal_error(void);

#endif
