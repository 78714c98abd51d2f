/* The solution of a market as a file (docs/own-markets.md): price [m], utility [n], log_utility [n],
   allocation [n, m], names, and the numbers of the summary as attributes. */
#ifndef WAL_EXPERIMENTS_FILES_SOLUTION_FILE_H
#define WAL_EXPERIMENTS_FILES_SOLUTION_FILE_H

#include "engine/result.h"
#include "experiments/files/market_file.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"

#define WAL_SOLUTION_SCHEMA "walras-solution-1"

/* A solution as it is shown and stored: supplies are sold out and (but for quasilinear utilities, where money
   itself fixes them) prices worth the budgets, sum_j Y_j p_j = sum_i B_i (eq. 12). */
typedef struct {
  const wal_market *market;         /* borrowed, as the next */
  const wal_allocation *allocation; /* as the solver gives it */
  double *price;                    /* [m] owned */
  double *scale;                    /* [m] owned: x~_ij = scale_j x_ij */
} wal_cleared;

/* Scales a solution of the market: one streamed pass. */
wal_status wal_cleared_create(const wal_market *market, const wal_solution *solution, wal_cleared *out);
void wal_cleared_destroy(wal_cleared *cleared); /* accepts NULL */

typedef struct {
  const wal_market_file *input; /* for its names */
  const wal_cleared *cleared;
  const wal_measures *measures;
  const wal_solution *solution;
  const wal_provenance *texts; /* text attributes */
  double seconds;              /* wall time of the solver */
  bool with_allocation;
  const wal_trace *trace; /* its progress; NULL: none */
} wal_solution_content;

/* Writes through HDF5 to `temporary`, which the caller commits. Rows go out in blocks: memory independent of
   n. WAL_E_IO: the disk is full, say. */
wal_status wal_solution_write(const wal_solution_content *content, const char *temporary);

#endif
