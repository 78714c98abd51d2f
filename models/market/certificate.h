/* The buyers' demand at given prices and the Nash gap that it certifies: one streamed pass, no covariance.
   Private to models/market.

   At prices p that spend all budgets, S_j = sum_i B_i s_ij is what buyers spend on good j, F_j = log(S_j /
   (Y_j p_j)) its excess. The pair (demand scaled good by good with e^{-F_j} to clear, p), eq. 12, has the
   Nash gap (eq. 9) NG = -1/(alpha B) sum_i B_i log sum_j s_ij e^{-alpha F_j},   B = sum_i B_i, which Jensen's
   inequality bounds by the sums S alone: alpha > 0:  sum_j (S_j/B) F_j, the divergence of spending from
   worth, at most 1/(1-alpha) times too large near an equilibrium (alpha = 0: equality); alpha < 0:  1/|alpha|
   log sum_j (S_j/B) e^{|alpha| F_j}, at most 1 + |alpha| times too large there; alpha = -inf: its limit max_j
   F_j, which is the gap itself. */
#ifndef WAL_MARKET_CERTIFICATE_H
#define WAL_MARKET_CERTIFICATE_H

#include "models/market/dual.h"
#include "models/market/solver.h"

typedef struct {
  const wal_market *market;
  wal_dual *dual;
  bool logs;     /* the dual's weights are log v, for passes at other powers too */
  double *share; /* [m] S_j */
  double *f;     /* [m] F_j */
  double *g, *c; /* [m] what a plain pass needs */
  double budget; /* B */
  double gap;    /* the bound, nats; infinity where it overflows or nobody gets a good */
} wal_demand;

/* alpha < 1. logs: see above; otherwise the weights that cost least. */
wal_status wal_demand_create(const wal_market *market, bool logs, wal_demand *out);
void wal_demand_destroy(wal_demand *demand); /* accepts a zeroed struct */

/* One pass at log prices q[m], which it scales to sum_j Y_j p_j = B. Above 600 all are lowered together;
   those below -600 are raised to it, so that goods whose prices fall to 0 (alpha = -inf) keep positive ones.
   WAL_E_DIVERGED where a price is not finite. */
wal_status wal_demand_at(wal_demand *demand, double *q);

/* The certified pair at the q of the last wal_demand_at as the solution's prices [m, there] and allocation
 * [created].
 */
wal_status wal_demand_pair(const wal_demand *demand, const double *q, wal_solution *solution);

#endif
