/* A small column table: the rows of a result, one trace, one golden file. */
#ifndef WAL_ENGINE_FRAME_H
#define WAL_ENGINE_FRAME_H

#include <stdio.h>

#include "engine/value.h"

typedef enum {
  WAL_COLUMN_KEY = 1,      /* identifies the row (a parameter, point, seed); compared exactly */
  WAL_COLUMN_TIMING = 2,   /* a clock or memory reading: never compared by the regression */
  WAL_COLUMN_OPTIONAL = 4, /* a measure that some rows do not have, such as the cost of training */
} wal_column_flags;

typedef struct {
  const char *name;  /* [a-z0-9_.]+ */
  wal_type type;
  const char *unit;  /* "s", "1", "nats", "buyers"; "1" when dimensionless */
  const char *doc;   /* long_name: one line */
  unsigned flags;    /* wal_column_flags */
  double rtol, atol; /* regression: |a - golden| <= atol + rtol |golden| */
} wal_column;

typedef struct wal_frame wal_frame;

wal_frame *wal_frame_new(const wal_column *columns, int count); /* copies the names and docs; NULL: no memory */
void wal_frame_free(wal_frame *frame);                          /* accepts NULL */
int wal_frame_columns(const wal_frame *frame);
int64_t wal_frame_rows(const wal_frame *frame);
const wal_column *wal_frame_column(const wal_frame *frame, int column);
int wal_frame_find(const wal_frame *frame, const char *name); /* -1: none */

/* Appends a row of missing values (NaN, INT64_MIN, "", false) and returns its index, or -1 without memory. */
int64_t wal_frame_add(wal_frame *frame);
void wal_frame_set(wal_frame *frame, int64_t row, int column, const wal_value *value); /* converts int -> real */
wal_value wal_frame_get(const wal_frame *frame, int64_t row, int column);
/* Any numeric cell as a double; NaN when missing. */
double wal_frame_real(const wal_frame *frame, int64_t row, int column);
const char *wal_frame_text(const wal_frame *frame, int64_t row, int column); /* borrowed; text columns only */
bool wal_frame_missing(const wal_frame *frame, int64_t row, int column);

/* One row printer with several formats; the first line names the columns. */
typedef enum { WAL_FRAME_ALIGNED, WAL_FRAME_CSV } wal_frame_format;
void wal_frame_print(const wal_frame *frame, FILE *out, wal_frame_format format);
/* Reads what WAL_FRAME_CSV wrote, by the names of its columns, in any order; an unknown one is refused. */
wal_status wal_frame_read_csv(const char *path, const wal_column *columns, int count, wal_frame **out);

#endif
