/* What `walras solve` finds for a market with concave utilities, and how it is stored (docs/own-markets.md):
   utility [n], allocation [n, m], price [m], price_range [m, 2], best_utility [n], spent [n], supply and
   budget; on request equilibria. */
#ifndef WAL_EXPERIMENTS_FILES_CONCAVE_SOLUTION_FILE_H
#define WAL_EXPERIMENTS_FILES_CONCAVE_SOLUTION_FILE_H

#include "engine/result.h"
#include "experiments/files/concave_market_file.h"
#include "models/nashwelfare/equilibria.h"
#include "models/nashwelfare/nash_welfare.h"
#include "models/nashwelfare/verify.h"

#define WAL_CONCAVE_SOLUTION_SCHEMA "walras-concave-solution-1"

typedef struct {
  wal_nw_solution nash; /* allocation of maximum Nash welfare, Gale prices */
  double *range;        /* [m, 2] owned: of each Gale price */
  double *best;         /* [n] owned: the most utility that an agent's budget buys at these prices */
  double *spent;        /* [n] owned: <q, y_i> */
  wal_ce_report report; /* of allocation and prices as an approximate equilibrium */
  double checked_gap;   /* log NW* - log NW at most, by a linear program that knows the allocation only */
  double distance;      /* from the optimality conditions of (EG) */
  wal_equilibria equilibria; /* count 0: not asked for, or none found */
  double *ratio;             /* [equilibria.count] owned: Nash welfare of each over the maximum */
  double seconds;            /* of the solver, wall time */
} wal_concave_solution;
void wal_concave_solution_destroy(wal_concave_solution *solution); /* accepts zeroed */

/* Writes to `temporary`, which the caller commits. */
wal_status wal_concave_solution_write(const wal_concave_market_file *input,
                                      const wal_concave_solution *solution, const wal_provenance *texts,
                                      const char *temporary);

#endif
