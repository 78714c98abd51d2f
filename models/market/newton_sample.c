#include <math.h>

#include "models/market/solvers.h"

static wal_status solve(const wal_market *market, const wal_solver_options *options, const wal_trace *trace,
                        wal_solution *solution) {
  (void)market, (void)options, (void)trace;
  *solution = (wal_solution){.certified_gap = NAN};
  return wal_fail(WAL_E_UNSUPPORTED,
                  "newton_sample is not built yet; expected another solver (newton works)");
}

const wal_solver wal_solver_newton_sample = {"newton_sample",      "Exact on a sample", "this project",
                                             .alpha = "(-inf, 1]", .sizes = "any n",    .devices = "cpu",
                                             .solve = solve};
