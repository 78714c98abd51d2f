/* Maximum Nash welfare (program EG) of any market with piecewise-linear utilities: allocation, Gale prices,
   their range, and a rigorous gap. */
#ifndef WAL_NASHWELFARE_NASH_WELFARE_H
#define WAL_NASHWELFARE_NASH_WELFARE_H

#include "models/nashwelfare/utility.h"

typedef struct {
  double tol; /* of the gap; 1e-10. Iterations go on to a hundredth of it, or 1e-12, where rounding allows */
  int iterations; /* at most; 200 */
} wal_nw_options;
wal_nw_options wal_nw_defaults(void);

typedef struct {
  double *u;          /* [n] utilities: unique */
  double *y;          /* [n, m] one optimal allocation: sum_i y_ij <= 1 exactly */
  double *q;          /* [m] Gale prices: one optimal dual solution */
  double log_welfare; /* sum_i b_i log u_i / sum_i b_i */
  double gap;         /* log NW* - log_welfare <= gap, from a dual feasible point */
  int iterations;
} wal_nw_solution;
void wal_nw_solution_destroy(wal_nw_solution *solution); /* accepts NULL and zeroed */

/* options NULL: the defaults. WAL_E_DIVERGED: the gap stayed above tol. WAL_E_UNSUPPORTED: an agent without a
   linear program. Same bits on every run and with any number of threads. */
wal_status wal_nw_maximise(const wal_nw_market *market, const wal_nw_options *options, wal_nw_solution *out);

/* The set of Gale prices is convex; its box low[m], high[m] (equal: unique). Closed form for separable
   utilities; otherwise 2 m linear programs over the optimal dual face. */
wal_status wal_nw_price_range(const wal_nw_market *market, const wal_nw_solution *solution, double *low,
                              double *high);

#endif
