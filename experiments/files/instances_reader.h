/* The formats of instances_file.h: each fills a zeroed struct, which the caller closes, after failures too.
   Messages begin with the path. Private to experiments/files. */
#ifndef WAL_EXPERIMENTS_FILES_INSTANCES_READER_H
#define WAL_EXPERIMENTS_FILES_INSTANCES_READER_H

#include "experiments/files/instances_file.h"

wal_status wal_instances_read_h5(const char *path, int64_t memory, wal_instances_file *out);
wal_status wal_instances_read_yaml(const char *path, wal_instances_file *out);
wal_status wal_instances_read_csv(const char *path, wal_instances_file *out);

/* One instance as it is read from a text: n and m are known before the numbers are. */
typedef struct {
  double *values, *demands, *z; /* [n, m], owned; z NULL: none */
  double *budgets;              /* [m] */
  double *weights;              /* [n]; 1 each where has_weights is false */
  bool has_weights;
} wal_instance_text;
/* Zeroed numbers, weights 1; of at most WAL_ARRAY_ROW_MAX each. */
wal_status wal_instance_text_create(int n, int m, bool z, wal_instance_text *out);
void wal_instance_text_destroy(wal_instance_text *text); /* accepts a zeroed struct */
/* Moves the numbers into the arrays of a single instance; `text` is zeroed. */
wal_status wal_instance_text_give(wal_instance_text *text, wal_instances_file *out);

#endif
