/* Runs points in child processes, some at a time. A crash in one point fails that point alone. */
#ifndef WAL_ENGINE_POOL_H
#define WAL_ENGINE_POOL_H

#include "engine/blobs.h"
#include "engine/result.h"

typedef struct {
  const wal_point *point;   /* all borrowed */
  const char *key;          /* wal_point_key */
  const char *entry;        /* the cache entry that the child writes, whole or not at all */
  const char *log;          /* the child's stdout and stderr */
  const wal_blobs *blobs;   /* what it keeps between runs; NULL: nothing */
  const wal_device *device; /* the child's; the parent never uses it, or its forks could not. NULL: the CPU */
} wal_task;

enum { WAL_TASK_TEXT = 1024 };

/* How a task ended. */
typedef struct {
  wal_status status;
  bool crashed;              /* killed by a signal or left without a word: there is no entry */
  double seconds;            /* wall time, s */
  char error[WAL_TASK_TEXT]; /* "" when status is WAL_OK */
} wal_task_end;

typedef struct {
  void *context;
  void (*progress)(void *context, int task, double fraction, const char *what);
  /* false: start nothing more and stop what runs. */
  bool (*finished)(void *context, int task, const wal_task_end *end);
} wal_pool_listener;

/* Runs every task, `jobs` at a time, each with `threads` threads. WAL_E_INTERRUPTED: SIGINT or SIGTERM
   arrived, the children were stopped, entries already written stay. WAL_E_IO: an entry could not be written
   (disk full). */
wal_status wal_pool_run(const wal_task *tasks, int count, int jobs, int threads,
                        const wal_pool_listener *listener);

/* Seconds on the monotonic clock. */
double wal_now(void);

#endif
