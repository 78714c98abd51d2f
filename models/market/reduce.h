/* Goods that no buyer values. At alpha >= 0 they are worth nothing: an equilibrium gives them price 0 and
   nobody takes any. wal_market_check and the solvers refuse such goods; this leaves them out before and puts
   them back after:

     wal_reduced_market reduced;
     status = wal_reduced_market_create(&market, &reduced);
     ... check, solve and measure reduced.market ...
     status = wal_reduced_market_restore(&reduced, &solution);

   At alpha < 0 every value must be positive, and nothing is left out. */
#ifndef WAL_MARKET_REDUCE_H
#define WAL_MARKET_REDUCE_H

#include "models/market/solver.h"

typedef struct {
  wal_market market;  /* the wanted goods only; its buyers are the whole market's, fewer goods each. All goods
                         are wanted: the whole market itself */
  int goods;          /* of the whole market */
  int *good;          /* [market.m] owned: the number in the whole market of each wanted good, rising */
  wal_source *source; /* owned; NULL where nothing is left out */
  double *supply;     /* [market.m] owned; NULL likewise */
  float *contexts;    /* [market.m, d] owned; NULL likewise or without contexts */
} wal_reduced_market;

/* One streamed pass over the buyers. Borrows the market's buyers, which must outlive the reduced market.
   WAL_E_INPUT where no good is wanted by anybody. */
wal_status wal_reduced_market_create(const wal_market *market, wal_reduced_market *out);

/* Replaces a solution of the reduced market by the whole market's: price[goods], 0 for goods left out, and an
   allocation of rows[goods]. The allocation borrows the reduced market. On failure the solution is as it was.
 */
wal_status wal_reduced_market_restore(const wal_reduced_market *reduced, wal_solution *solution);

void wal_reduced_market_destroy(wal_reduced_market *reduced); /* accepts NULL */

#endif
