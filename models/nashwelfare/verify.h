/* Independent checks of an allocation and prices, from nothing else (Definitions 2.7-2.11). Each agent's best
   bundle is found anew by a linear program. */
#ifndef WAL_NASHWELFARE_VERIFY_H
#define WAL_NASHWELFARE_VERIFY_H

#include "models/nashwelfare/demand.h"

typedef struct {
  double oversold;     /* max_j (sum_i x_ij - 1)+ */
  double unsold;       /* max_j p_j (1 - sum_i x_ij)+ / sum_i b_i */
  double overspent;    /* max_i (<p, x_i> - b_i)+ / b_i */
  double demand_ratio; /* max_i max{u_i : budget} / u_i(x_i): alpha of Definition 2.10; INFINITY: an agent
                          has none, or could have without limit */
  double waste;        /* max_i (<p, x_i> - cheapest cost of u_i(x_i)) / b_i: 0 is thrifty (Definition 2.8),
                          where demand_ratio is 1 */
  double envy;         /* max_ik u_i(x_k) / u_i(x_i): beta of Definition 2.11 */
  int worst_agent;     /* of demand_ratio */
} wal_ce_report;

/* x[n, m] >= 0, p[m] >= 0. */
wal_status wal_ce_check(const wal_nw_market *market, const double *x, const double *p, wal_ce_report *out);
/* A competitive equilibrium to tol (1e-7 is usual): oversold, unsold, overspent, demand_ratio - 1. */
bool wal_ce_holds(const wal_ce_report *report, double tol);
bool wal_ce_thrifty(const wal_ce_report *report, double tol);

/* An upper bound on (log NW* - log NW(y)), rigorous: by concavity of the logarithm, of one linear program
   over all feasible allocations (sum_i b_i / u_i(y_i) u_i(z_i) - sum_i b_i) / sum_i b_i. */
wal_status wal_nw_gap_check(const wal_nw_market *market, const double *y, double *gap);
/* How far q and y are from the optimality conditions of (EG): the largest of the agents' distances to
   GD_i(q, b_i), oversold, and q_j (1 - sum_i y_ij) / sum b. */
wal_status wal_nw_gale_check(const wal_nw_market *market, const double *y, const double *q, double *distance);

#endif
