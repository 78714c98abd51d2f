/* What the formats of market_file.h share: each fills these parts. Private to experiments/files. */
#ifndef WAL_EXPERIMENTS_FILES_READER_H
#define WAL_EXPERIMENTS_FILES_READER_H

#include <stdio.h>

#include "experiments/files/array.h"

typedef struct {
  int64_t n;
  int m, d;
  wal_array *values;                /* [n, m]; NULL: contexts instead */
  wal_array *buyers;                /* [n, d]; NULL: values instead */
  double *goods;                    /* [m, d]; NULL likewise */
  wal_array *budgets;               /* [n]; NULL: none given */
  double *supply;                   /* [m]; NULL: none given */
  double alpha;                     /* NaN: none given */
  char **buyer_names, **good_names; /* [n], [m]; NULL: none given */
  bool streamed;
} wal_market_parts;

/* Does a file have HDF5's signature? At byte 0 or, behind a user block (MATLAB's), at 512, 1024, 2048... */
bool wal_is_h5(FILE *file);

/* Both fill zeroed parts, which the caller frees, after failures too. Messages begin with the path. */
wal_status wal_market_read_h5(const char *path, int64_t memory, wal_market_parts *out);
wal_status wal_market_read_csv(const char *path, wal_market_parts *out);

void wal_market_parts_free(wal_market_parts *parts);
void wal_names_free(char **names, int64_t count); /* accepts NULL */

#endif
