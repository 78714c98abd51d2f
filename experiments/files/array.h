/* Rows of a numeric dataset of an HDF5 file as doubles, from any thread. Private to experiments/files.

   A dataset that may stay in memory is read whole. A larger one is streamed: contiguous datasets of this
   machine's number types by pread at their place in the file, without the library and its lock; chunked,
   compressed and foreign ones through the library, one thread at a time. */
#ifndef WAL_EXPERIMENTS_FILES_ARRAY_H
#define WAL_EXPERIMENTS_FILES_ARRAY_H

#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

#include "models/common/status.h"

enum { WAL_ARRAY_COLUMNS_MAX = 65536, WAL_ARRAY_ROW_MAX = 1 << 24 };
typedef struct wal_array wal_array;

/* What a dataset must be. -1: any number. */
typedef struct {
  int rank;     /* 1, 2 or 3 */
  int64_t rows; /* its first dimension */
  int64_t columns;
  int64_t third;   /* of rank 3: [rows, columns, third], a row of which is columns * third numbers */
  const char *why; /* who asks for this shape: "one budget per row of values" */
} wal_array_shape;

/* Opens dataset `name` and checks it. WAL_E_INPUT names it, what was found (type, shape, chunks) and what was
   expected. Before anything is read, load or stream it. */
wal_status wal_array_open(hid_t file, const char *name, const wal_array_shape *shape, wal_array **out);
int64_t wal_array_rows(const wal_array *array);
int wal_array_columns(const wal_array *array); /* numbers of a row: 1 for rank 1 */
int wal_array_size(const wal_array *array,
                   int k); /* dimension 1 or 2 of an open dataset; 1 beyond its rank */

/* Reads the whole array into memory. */
wal_status wal_array_load(wal_array *array);
/* Leaves it in the file, which is at `path`. */
wal_status wal_array_stream(wal_array *array, const char *path);
/* An array in memory: takes over cells[rows, columns], malloc'd, on failure too. */
wal_status wal_array_of(const char *name, int64_t rows, int columns, double *cells, wal_array **out);

/* Rows [lo, hi) into out[hi-lo, columns]. Thread-safe. WAL_E_IO where the file ends early. */
wal_status wal_array_read(const wal_array *array, int64_t lo, int64_t hi, double *out);
const char *wal_array_name(const wal_array *array);
/* Is there a link of this name? */
bool wal_array_exists(hid_t file, const char *name);
/* Refuses a dataset whose name is close to one of `known` that the file lacks: a misspelling would mean a
   default in silence. expected ends the message. */
wal_status wal_array_check_names(hid_t file, const char *const known[], int count, const char *expected);
/* "found NAMES; EXPECTED": the end of a message about a file without what was wanted. */
wal_status wal_array_fail_missing(hid_t file, const char *what, const char *expected);
void wal_array_free(wal_array *array); /* accepts NULL */

#endif
