/* Private to the store: a result file as it stands, read without the experiment it belongs to, so that
   `show`, `verify` and `diff` work on files of other versions too. */
#ifndef WAL_ENGINE_STORE_FILE_H
#define WAL_ENGINE_STORE_FILE_H

#include <stdio.h>

#include "engine/result.h"

#define WAL_RESULT_SCHEMA "walras-result-1"
#define WAL_OUTCOME_SCHEMA "walras-outcome-1"

typedef struct {
  wal_provenance attributes; /* every root attribute, in file order */
  wal_frame *rows;
  int trace_count;
  int *trace_point;  /* [trace_count] */
  char **trace_name; /* [trace_count] */
  wal_frame **traces;
} wal_stored;

/* Reads a file whose `schema` attribute is `schema`. With `findings` NULL the first thing wrong is the
   failure; else what is wrong inside the file is printed there, one line each, and counted. */
wal_status wal_stored_read(const char *path, const char *schema, FILE *findings, int *finding_count,
                           wal_stored *out);
void wal_stored_free(wal_stored *stored); /* accepts a zeroed struct */

/* Is this root attribute provenance, and not part of the layout (config, schema, title...)? */
bool wal_stored_is_provenance(const char *attribute);
/* "solver=eg seed=2": the keys of a row without its point number. */
void wal_row_label(const wal_frame *rows, int64_t row, char *out, size_t size);

#endif
