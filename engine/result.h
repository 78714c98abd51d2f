/* One finished (or partly finished) run: the config, a row per point and seed, traces, provenance. */
#ifndef WAL_ENGINE_RESULT_H
#define WAL_ENGINE_RESULT_H

#include "engine/config.h"

/* What one point produced: the unit of the cache. */
typedef struct {
  wal_status status;   /* WAL_OK, or why it failed */
  char *error;         /* message of a failure, else "" */
  double seconds;      /* wall time of the point, s */
  double peak_mib;     /* peak resident memory, MiB */
  wal_frame *rows;     /* the experiment's columns */
  int trace_count;
  char **trace_names;  /* "train" */
  wal_frame **traces;
} wal_outcome;
void wal_outcome_free(wal_outcome *outcome); /* frees the members; accepts a zeroed struct */

/* Key-value provenance, ordered: git commit, dirty, compiler, flags, libraries, CPU, device, threads, start, end. */
typedef struct {
  int count;
  char **names, **values;
} wal_provenance;
wal_status wal_provenance_collect(wal_provenance *out);
wal_status wal_provenance_add(wal_provenance *p, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void wal_provenance_free(wal_provenance *p);

struct wal_result {
  wal_config *config;         /* owned */
  wal_frame *rows;            /* point, status, key and swept parameters, the experiment's columns, seconds, peak_mib */
  wal_provenance provenance;
  int trace_count;            /* one per (point, series) */
  int *trace_point;           /* [trace_count] */
  char **trace_name;
  wal_frame **traces;
};

/* Joins outcomes[config->point_count] (borrowed) into a result that takes ownership of config. A failed point gives one row
   with status "failed" and missing measures (plus the rows it had sent); the message goes to the `error` column. */
wal_status wal_result_build(wal_config *config, const wal_outcome *outcomes, const wal_provenance *provenance,
                            wal_result **out);
void wal_result_free(wal_result *result);
/* Trace `name` of a point; NULL: none. */
const wal_frame *wal_result_trace(const wal_result *result, int point, const char *name);
/* Published value of an experiment column for a row, NaN when none. */
double wal_result_published(const wal_result *result, int64_t row, const char *column);

#endif
