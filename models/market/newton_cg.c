#include <math.h>

#include "models/market/solvers.h"

static wal_status solve(const wal_market *market, const wal_solver_options *options, const wal_trace *trace,
                        wal_solution *solution) {
  (void)market, (void)options, (void)trace;
  *solution = (wal_solution){.certified_gap = NAN};
  return wal_fail(WAL_E_UNSUPPORTED, "newton_cg is not built yet; expected another solver (newton works)");
}

const wal_solver wal_solver_newton_cg = {"newton_cg",
                                         "Exact (Newton-CG)",
                                         "this project",
                                         .alpha = "(-inf, 1)",
                                         .sizes = "many goods: no m x m matrix",
                                         .devices = "cpu",
                                         .solve = solve};
