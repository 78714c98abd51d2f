/* The naive baseline: marketfcnet, eq. 14: every buyer receives the same share of every good, every
   good's supply is worth the same. */
#include <math.h>
#include <stdlib.h>

#include "models/market/solvers.h"

static wal_status solve(const wal_market *market, const wal_solver_options *options, const wal_trace *trace,
                        wal_solution *solution) {
  (void)options, (void)trace;
  *solution = (wal_solution){.certified_gap = NAN};
  const int m = market->m;
  double budget;
  wal_status status = wal_total_budget(market, market->n, &budget);
  if (status != WAL_OK) return status;
  solution->price = malloc((size_t)m * sizeof *solution->price);
  double *x = malloc((size_t)m * sizeof *x);
  if (!solution->price || !x) {
    status = wal_fail(WAL_E_MEMORY, "no memory for %d prices", m);
  } else {
    for (int j = 0; j < m; j++) {
      x[j] = market->supply[j] / (double)market->n;
      solution->price[j] = budget / (m * market->supply[j]);
    }
    status = wal_allocation_constant(m, x, &solution->allocation);
  }
  free(x);
  return status;
}

const wal_solver wal_solver_naive = {
    "naive",          "Naive",       "marketfcnet, eq. 14", .alpha = "[-inf, 1]", .sizes = "any; streamed",
    .seam = "", .solve = solve};
