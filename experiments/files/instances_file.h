/* Allocation problems from a user's file (docs/allocate.md): HDF5, YAML or CSV.

   HDF5: `values` and `demands` [K, N, M], `budgets` [K, M], optional `weights` [K, N], `z` [K, N, M] (eq. 9),
   `agent_names` [N], `resource_names` [M]; or all without K: one instance. YAML and CSV: one instance, with
   names. What fits is read into memory, more is streamed: memory independent of K. */
#ifndef WAL_EXPERIMENTS_FILES_INSTANCES_FILE_H
#define WAL_EXPERIMENTS_FILES_INSTANCES_FILE_H

#include "experiments/files/array.h"
#include "models/mechanism/instances.h"

typedef struct {
  int64_t count;                         /* K */
  int n, m;                              /* agents, resources */
  bool single;                           /* the file has no K */
  const char *format;                    /* "HDF5", "YAML", "CSV" */
  bool streamed;                         /* read from the file block by block */
  char **agent_names, **resource_names;  /* [n], [m] owned; NULL: none */
  wal_array *values, *demands, *budgets; /* rows are instances; owned */
  wal_array *weights, *z;                /* NULL: none */
  double value[2], demand[2];            /* the smallest positive one and the largest; 0: all are 0 */
} wal_instances_file;

/* Opens, reads and checks: every number is looked at once. memory: bytes of numbers that may stay in memory;
   0: 1 GiB. WAL_E_INPUT names the file, the dataset and index or the line and column, what was found, and
   what was expected. */
wal_status wal_instances_file_open(const char *path, int64_t memory, wal_instances_file *out);
void wal_instances_file_close(wal_instances_file *file); /* accepts NULL and zeroed */

/* Some consecutive instances in memory. */
typedef struct {
  wal_owned_instances own; /* own.in: of the count last read */
  double *z;               /* [room, N, M]; NULL: the file has none */
  int64_t room;
} wal_instances_block;

/* Room for as many instances of the file as are worked on at a time: at most all of them, at most `most`. */
wal_status wal_instances_block_create(const wal_instances_file *file, int64_t most, wal_instances_block *out);
/* Instances [first, first + count) into the block, count <= room. */
wal_status wal_instances_block_read(const wal_instances_file *file, int64_t first, int64_t count,
                                    wal_instances_block *block);
void wal_instances_block_destroy(wal_instances_block *block); /* accepts a zeroed struct */

#endif
