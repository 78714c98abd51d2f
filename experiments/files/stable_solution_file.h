/* What `walras stable` finds for a fixed-pricing market, and how it is stored (docs/pricecompetition.md):
   allocation [n, m], revenue [sellers], spent [n], sold [m]; in rationals also allocation_exact [n, m] and
   revenue_exact [sellers] as text. */
#ifndef WAL_EXPERIMENTS_FILES_STABLE_SOLUTION_FILE_H
#define WAL_EXPERIMENTS_FILES_STABLE_SOLUTION_FILE_H

#include <stdint.h>

#include "engine/result.h"
#include "experiments/files/pricing_market_file.h"

#define WAL_STABLE_SOLUTION_SCHEMA "walras-stable-1"

typedef struct {
  const char *objective, *method;
  wal_pricing_allocation allocation; /* exact NULL: in doubles */
  double tol;                        /* of the stability check that it passed; 0: in rationals */
  double total;                      /* revenue */
  double *revenue;                   /* [sellers] owned, as the next */
  double *spent, *sold;              /* [n], [m] */
  mpq_t *exact_revenue;              /* [sellers + 1], the total last; NULL: in doubles */
  int64_t cells;                     /* of the stable set; INT64_MAX: or more */
  int unique;                        /* 1, 0; -1: not settled */
  double widest;  /* the widest range of a share over the stable set; NaN: not settled */
  double seconds; /* of the method, wall time */
} wal_stable_solution;
void wal_stable_solution_destroy(const wal_pricing_market *market, wal_stable_solution *solution);
/* revenue, spent, sold and their rationals from the allocation. */
wal_status wal_stable_solution_measure(const wal_pricing_market *market, wal_stable_solution *solution);

/* Writes to `temporary`, which the caller commits. */
wal_status wal_stable_solution_write(const wal_pricing_file *input, const wal_stable_solution *solution,
                                     const wal_provenance *texts, const char *temporary);

#endif
