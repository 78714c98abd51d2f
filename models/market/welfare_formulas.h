/* One buyer's part of the sums of welfare.h, inline, one source for the CPU and devices. Private to
   models/market and gpu/market. */
#ifndef WAL_MARKET_WELFARE_FORMULAS_H
#define WAL_MARKET_WELFARE_FORMULAS_H

#include "models/market/ces_formulas.h"
#include "models/market/welfare.h"

/* The power r of shares s_j ~ (v_j/p_j)^r; infinity at alpha = 1. */
WAL_HD double wal_ces_power(double alpha) { return alpha == -INFINITY ? -1.0 : alpha / (1.0 - alpha); }

/* With quasilinear utilities: the bundle is worth <v, x~>, the best b_i is `pace`. The dual's sum_j Y_j p_j
   is added later. */
WAL_HD void wal_quasilinear_terms(double budget, double worth, double pace,
                                  double *term /* [WAL_WELFARES] */) {
  const double left = fmax(0.0, budget - worth), u = worth + left;
  term[WAL_WELFARE_LNW] = budget * wal_log(u) - left;
  term[WAL_WELFARE_LFW] = budget * wal_log(budget / pace) - budget;
  term[WAL_WELFARE_GAP] = budget * wal_log(budget / (pace * u)) - budget + left;
  term[WAL_WELFARE_WSW] = budget * u;
  term[WAL_WELFARE_LEFT] = left;
}

#endif
