#include <math.h>

#include "models/market/solvers.h"

static wal_status solve(const wal_market *market, const wal_solver_options *options, const wal_trace *trace,
                        wal_solution *solution) {
  (void)market, (void)options, (void)trace;
  *solution = (wal_solution){.certified_gap = NAN};
  return wal_fail(WAL_E_UNSUPPORTED, "closed_form is not built yet; expected another solver (newton works)");
}

const wal_solver wal_solver_closed_form = {
    "closed_form",    "Closed form", "Eisenberg 1961", .alpha = "0", .sizes = "any; streamed",
    .devices = "cpu", .solve = solve};
