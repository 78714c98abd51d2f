#include <math.h>

#include "models/market/solvers.h"

static wal_status solve(const wal_market *market, const wal_solver_options *options, const wal_trace *trace,
                        wal_solution *solution) {
  (void)market, (void)options, (void)trace;
  *solution = (wal_solution){.certified_gap = NAN};
  return wal_fail(WAL_E_UNSUPPORTED, "eg_scaled is not built yet; expected another solver (newton works)");
}

const wal_solver wal_solver_eg_scaled = {"eg_scaled",
                                         "EG, well-scaled",
                                         "this project, from marketfcnet C.1 with a step per buyer",
                                         .alpha = "[-inf, 1]",
                                         .sizes = "8 bytes per buyer and good",
                                         .devices = "cpu",
                                         .solve = solve};
