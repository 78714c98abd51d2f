/* Gale prices below given prices (proofs of Theorems 1.3 and 1.6: there are some below the prices of every
   thrifty equilibrium). */
#ifndef WAL_NASHWELFARE_GALE_BELOW_H
#define WAL_NASHWELFARE_GALE_BELOW_H

#include "models/nashwelfare/nash_welfare.h"

/* Of all Gale prices, some q[m] with the least excess = max_j (q_j - p_j) / sum_i b_i: at most 0 where one
   vector of Gale prices is nowhere above p. Two linear programs over the
   duals of (EG) linearised at the solution's utilities, which are unique: the least value, then the least
   excess to 1e-11 of it. */
wal_status wal_nw_gale_below(const wal_nw_market *market, const wal_nw_solution *solution, const double *p,
                             double *q, double *excess);

#endif
