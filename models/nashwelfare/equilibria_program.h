/* Equilibria as mixed-integer programs: the money flows of money.h with every "complementary to" chosen by a
   0/1 variable and large bounds. Slow; a second method beside wal_equilibria_find. */
#ifndef WAL_NASHWELFARE_EQUILIBRIA_PROGRAM_H
#define WAL_NASHWELFARE_EQUILIBRIA_PROGRAM_H

#include "models/nashwelfare/verify.h"

typedef enum {
  WAL_PROGRAM_FOUND,   /* a thrifty equilibrium, by wal_ce_check to 1e-7 */
  WAL_PROGRAM_NONE,    /* no solution within the bounds, or one that is no equilibrium */
  WAL_PROGRAM_STOPPED, /* by the limit of nodes, without a solution */
} wal_program_outcome;

/* The thrifty equilibrium with the least <cost, p> among those with every price above floor (1e-4 is usual,
   in parts of sum_i b_i) and every agent's price of utility below 1000 times that; nodes at most, 0: no
   limit. p[m], x[n, m]. */
wal_status wal_equilibrium_program(const wal_nw_market *market, const double *cost, double floor, int nodes,
                                   double *p, double *x, wal_program_outcome *outcome);

#endif
