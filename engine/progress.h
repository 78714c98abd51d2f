/* Progress of a run: a bar redrawn in one line on a terminal, a line per point elsewhere. */
#ifndef WAL_ENGINE_PROGRESS_H
#define WAL_ENGINE_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

typedef struct wal_progress wal_progress;

/* total: points to run. quiet: failures only. NULL: no memory. `out` is borrowed. Times: s of one clock. */
wal_progress *wal_progress_new(FILE *out, bool terminal, bool quiet, int total, double now);
void wal_progress_free(wal_progress *progress); /* clears the bar; accepts NULL */

/* A running point reports: task in [0, total), its label, fraction in [0, 1], what it is doing. */
void wal_progress_update(wal_progress *progress, int task, const char *label, double fraction,
                         const char *what, double now);
/* A point ended after `seconds`; error NULL when it succeeded. */
void wal_progress_ended(wal_progress *progress, int task, const char *label, double seconds,
                        const char *error, double now);

/* The bar's line, without a newline, at most `width` columns: "[#####.....]  4/12  0.8/s  ETA 10 s  LABEL:
   WHAT". `work` is points done, counting fractions. */
void wal_progress_bar(char *out, size_t size, int width, int done, int total, double work, double elapsed,
                      const char *what);
/* "0.42 s", "12 s", "3 min 20 s", "2 h 05 min". */
void wal_format_seconds(double seconds, char *out, size_t size);

#endif
