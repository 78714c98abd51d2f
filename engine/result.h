/* One finished (or partly finished) run: the config, a row per point and seed, traces, provenance. */
#ifndef WAL_ENGINE_RESULT_H
#define WAL_ENGINE_RESULT_H

#include "engine/config.h"
#include "engine/device.h"

/* What one point produced: the unit of the cache. */
typedef struct {
  wal_status status; /* WAL_OK, or why it failed */
  char *error;       /* message of a failure, else "" */
  double seconds;    /* wall time of the point, s */
  double peak_mib;   /* peak resident memory, MiB */
  wal_frame *rows;   /* the experiment's columns */
  int trace_count;
  char **trace_names; /* "train" */
  wal_frame **traces;
} wal_outcome;
void wal_outcome_free(wal_outcome *outcome); /* frees the members; accepts a zeroed struct */

/* Key-value provenance, ordered: git commit, dirty, compiler, flags, libraries, CPU, device, threads, start,
   end. The runner adds what it alone knows (jobs, threads per point); `end` is set by wal_result_build. */
typedef struct {
  int count;
  char **names, **values;
} wal_provenance;
wal_status wal_provenance_collect(const wal_device_choice *device, wal_provenance *out);
/* Adds at the end, or replaces the value of a name that is there. */
wal_status wal_provenance_add(wal_provenance *p, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Records this moment, ISO 8601 in UTC. */
wal_status wal_provenance_now(wal_provenance *p, const char *name);
const char *wal_provenance_get(const wal_provenance *p, const char *name); /* borrowed; NULL: none */
void wal_provenance_free(wal_provenance *p);

struct wal_result {
  wal_config *config; /* owned */
  wal_frame *rows; /* point, status, key and swept parameters, the experiment's columns, seconds, peak_mib */
  wal_provenance provenance;
  int trace_count;  /* one per (point, series) */
  int *trace_point; /* [trace_count] */
  char **trace_name;
  wal_frame **traces;
};

/* Joins outcomes[config->point_count] (borrowed) into a result that takes ownership of config, on success
   only. Columns: point, status, the key and swept parameters, the experiment's, seconds, peak_mib, error. A
   finished point's rows have status "ok". A failed point gives the rows it had sent and one with missing
   measures, all with status "failed" and the message in `error`. */
wal_status wal_result_build(wal_config *config, const wal_outcome *outcomes, const wal_provenance *provenance,
                            wal_result **out);
void wal_result_free(wal_result *result);
/* Trace `name` of a point; NULL: none. */
const wal_frame *wal_result_trace(const wal_result *result, int point, const char *name);
/* The point that a row belongs to, borrowed; NULL: the row's number is out of range. */
const wal_point *wal_result_point(const wal_result *result, int64_t row);
/* The published entry that has a value of an experiment column for a row, borrowed; NULL: none. */
const wal_published *wal_result_entry(const wal_result *result, int64_t row, const char *column);
/* Published value of an experiment column for a row, NaN when none. */
double wal_result_published(const wal_result *result, int64_t row, const char *column);

#endif
