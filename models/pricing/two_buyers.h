/* The stable set of two buyers, fast: what a seller may earn, by polygons in the plane of what buyer 0 and
   buyer 1 spend. */
#ifndef WAL_PRICING_TWO_BUYERS_H
#define WAL_PRICING_TWO_BUYERS_H

#include "models/common/status.h"

enum { WAL_TWO_BUYERS_ITEMS = 16 };

typedef struct {
  int m; /* at most WAL_TWO_BUYERS_ITEMS */
  double budget[2];
  double price[2][WAL_TWO_BUYERS_ITEMS];
  int level[2][WAL_TWO_BUYERS_ITEMS]; /* preferences: 0 the best, then 1, ... without gaps; -1: no value */
  int first[WAL_TWO_BUYERS_ITEMS];    /* the buyer with priority; -1: a tie */
  int owner[WAL_TWO_BUYERS_ITEMS];
} wal_two_buyers;

/* The least and the most revenue of a seller over all stable allocations. WAL_E_DIVERGED: none to rounding.
 */
wal_status wal_two_buyers_revenue(const wal_two_buyers *market, int seller, double *low, double *high);

#endif
