/* The exact equilibrium of linear utilities (alpha = 1) from prices nearby. Private to models/market.

   At given prices most buyers of a large population have one good that is best by far; they spend all on it
   as long as prices move less than their margin. The others, few, are a small market that tight_forest.h
   solves exactly. Buyers whose near-best goods and value ratios are the same are one there: exact ties of
   many buyers, as integer bids have, cost nothing. */
#ifndef WAL_MARKET_LINEAR_POLISH_H
#define WAL_MARKET_LINEAR_POLISH_H

#include "models/market/solver.h"

/* q[m]: log prices of the market with CES utilities of a high power r = alpha/(1-alpha), scaled to sum_j Y_j
   p_j = sum_i B_i. Replaces the solution's price, allocation and certified gap where that lowers the gap;
   otherwise fails and leaves the solution alone. */
wal_status wal_linear_polish(const wal_market *market, double power, const double *q, wal_solution *solution);

#endif
