/* Course bids in JSON, as ariel-research/fairpyx keeps them: {"valuations": {BUYER: {GOOD: NUMBER}},
   "item_capacities": {GOOD: NUMBER}}. As a Fisher market: students are buyers with equal budgets, courses
   goods whose supply is their capacity, bids linear values; a course without a bid is worth 0. */
#ifndef WAL_EXPERIMENTS_FILES_COURSE_BIDS_H
#define WAL_EXPERIMENTS_FILES_COURSE_BIDS_H

#include <stdio.h>

#include "models/common/status.h"

typedef struct {
  int n, m;
  char **buyers, **goods; /* [n], [m] owned */
  double *values;         /* [n, m] owned */
  double *supply;         /* [m] owned */
} wal_course_bids;

/* Reads with the project's YAML reader (4 MiB, 100,000 numbers and names; no tabs before a line's first
   character). Keys it does not know are named in `notes`. WAL_E_INPUT with file:line:column. */
wal_status wal_course_bids_read(const char *path, FILE *notes, wal_course_bids *out);
void wal_course_bids_free(wal_course_bids *bids); /* accepts NULL and zeroed */

/* Writes the market as HDF5 (market_file.h) with alpha = 1, whole or not at all. */
wal_status wal_course_bids_write(const wal_course_bids *bids, const char *source, const char *path);

#endif
