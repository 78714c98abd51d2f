/* Datasets of doubles written to an HDF5 file on the disk, rows at a time; system errors as the system's.
   Private to experiments/files. */
#ifndef WAL_EXPERIMENTS_FILES_DATASET_H
#define WAL_EXPERIMENTS_FILES_DATASET_H

#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/result.h"

typedef struct {
  const char *name;
  int rank;               /* 1 to 3 */
  hsize_t size[3];        /* [rank] */
  const char *unit, *doc; /* attributes units and long_name */
  hid_t id;               /* -1: not created */
  bool flag;              /* 0 or 1 each, stored as bytes */
} wal_dataset;

/* Creates it in the file; WAL_E_IO where the disk is full, say. What is open when the file is closed, the
   file closes. */
wal_status wal_dataset_create(hid_t file, wal_dataset *set);
/* Rows [from, from + rows) of the first dimension. */
wal_status wal_dataset_write(const wal_dataset *set, int64_t from, int64_t rows, const double *cells);
/* Closes it, when its last cells may reach the disk; accepts one that was not created. */
wal_status wal_dataset_close(wal_dataset *set);
/* All three at once. */
wal_status wal_dataset_put(hid_t file, wal_dataset set, const double *cells);

/* A number of a summary as attribute. */
typedef struct {
  const char *name;
  double value; /* NaN: left out */
} wal_number_attribute;
/* The file's attributes: schema, walras_version, numbers, texts. */
wal_status wal_attributes_write(hid_t file, const char *schema, const wal_number_attribute numbers[],
                                int count, const wal_provenance *texts);

/* Flushes and closes a file; status: how its writing went, which is returned where it failed. */
wal_status wal_dataset_end(hid_t file, wal_status status);

#endif
