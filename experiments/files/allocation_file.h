/* What `walras allocate` writes (docs/allocate.md): allocation [K, N, M], utility [K, N], log_nash_welfare
   and efficiency [K]; of proportional fairness lambda [K, M], kkt and unique [K]; on request exploitability
   [K, N] and the misreports behind it. Without K where the input has none. */
#ifndef WAL_EXPERIMENTS_FILES_ALLOCATION_FILE_H
#define WAL_EXPERIMENTS_FILES_ALLOCATION_FILE_H

#include "engine/result.h"
#include "experiments/files/dataset.h"
#include "experiments/files/instances_file.h"

#define WAL_ALLOCATION_SCHEMA "walras-allocation-1"

/* The answers for some consecutive instances; owned. */
typedef struct {
  double *a;            /* [K, N, M] */
  double *u;            /* [K, N] */
  double *log_welfare;  /* [K] over the agents that take part, nats */
  double *efficient;    /* [K] */
  double *welfare;      /* [K] prod_i u_i^w_i (eq. 2); not written */
  double *lambda;       /* [K, M]; NULL with kkt and unique: not PF */
  double *kkt, *unique; /* [K] */
  double *gain;         /* [K, N]; NULL with v and x: not asked */
  double *v, *x;        /* [K, N, M] each agent's best misreport */
} wal_allocation_block;
wal_status wal_allocation_block_create(const wal_instances_file *input, int64_t room, bool duals, bool attack,
                                       wal_allocation_block *out);
void wal_allocation_block_destroy(wal_allocation_block *block); /* accepts a zeroed struct */

enum { WAL_ALLOCATION_SETS = 10 };
typedef struct {
  hid_t file;
  wal_dataset sets[WAL_ALLOCATION_SETS]; /* in the order of the block's arrays, `welfare` left out */
} wal_allocation_file;

/* Creates the datasets that the block has in a new file at `temporary`, which the caller commits. */
wal_status wal_allocation_file_create(const wal_instances_file *input, const wal_allocation_block *block,
                                      const char *temporary, wal_allocation_file *out);
/* Instances [first, first + count). */
wal_status wal_allocation_file_write(const wal_allocation_file *file, const wal_instances_file *input,
                                     int64_t first, int64_t count, const wal_allocation_block *block);
/* Names and attributes, then closes the file. status: how the work went, returned where it failed. */
wal_status wal_allocation_file_end(wal_allocation_file *file, const wal_instances_file *input,
                                   const wal_provenance *texts, const wal_number_attribute numbers[],
                                   int count, wal_status status);

#endif
