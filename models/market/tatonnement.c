#include <math.h>

#include "models/market/solvers.h"

static wal_status solve(const wal_market *market, const wal_solver_options *options, const wal_trace *trace,
                        wal_solution *solution) {
  (void)market, (void)options, (void)trace;
  *solution = (wal_solution){.certified_gap = NAN};
  return wal_fail(WAL_E_UNSUPPORTED, "tatonnement is not built yet; expected another solver (newton works)");
}

const wal_solver wal_solver_tatonnement = {"tatonnement",
                                           "Tatonnement",
                                           "Walras 1874; Cheung, Cole and Devanur 2013; Anderson 1965",
                                           .alpha = "[-inf, 1)",
                                           .sizes = "any n, streamed past 1 GiB",
                                           .devices = "cpu",
                                           .solve = solve};
