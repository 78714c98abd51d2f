/* The exact equilibrium of a linear Fisher market that fits in memory, from prices nearby. Private to
   models/market.

   With q = log p and w = log v, prices minimise D(q) = sum_j Y_j e^{q_j} + sum_i B_i max_j (w_ij - q_j),
   which is convex. A buyer's money may go where w_ij - q_j is largest: its tight goods. A forest of tight
   edges fixes all price ratios within each of its trees; the tree's money fixes its level; and the money that
   flows along each edge follows from the leaves inwards. It is the equilibrium when no edge carries less than
   nothing and no buyer prefers another good.

   The method (an active set on D; the network simplex for Shmyrev's program, 2009): trees move to their own
   levels until some buyer finds a good of another tree as good as its own, which becomes an edge; an edge
   with a negative flow is cut. D never rises. */
#ifndef WAL_MARKET_TIGHT_FOREST_H
#define WAL_MARKET_TIGHT_FOREST_H

#include <stdint.h>

#include "models/common/status.h"

typedef struct {
  int m, n;             /* goods; buyers */
  const double *supply; /* [m] Y_j */
  const double *money;  /* [m] what others spend on good j at any prices, >= 0 */
  const double *budget; /* [n] B_i */
  const int64_t *first; /* [n + 1] buyer i's edges are first[i] .. first[i + 1] - 1, at least one */
  const int *good;      /* [edges] */
  const double *value;  /* [edges] w = log v, finite */
} wal_linear_market;

/* q[m]: a start, then the equilibrium's log prices; flow[edges]: money of each edge, >= 0, exactly 0 where it
   is not tight. power: where q solves the market of CES utilities of this power r, its spending is tried
   first. A good that no buyer has an edge to, with no money on it, falls by e^60 or more.
   WAL_E_DIVERGED when too many pivots are needed. */
wal_status wal_tight_forest(const wal_linear_market *market, double power, double *q, double *flow);

#endif
