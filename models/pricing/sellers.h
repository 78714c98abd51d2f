/* Sellers: guaranteed revenue R_k(p) and maximin equilibria (Definition 4), deviations by grid and pattern
   search. */
#ifndef WAL_PRICING_SELLERS_H
#define WAL_PRICING_SELLERS_H

#include "models/pricing/cells.h"

/* Over which stable allocations a seller is guaranteed its revenue: those with the most revenue of the market
   (Definition 4), or all. */
typedef enum { WAL_SELECT_BEST, WAL_SELECT_ALL } wal_selection;

/* R_k(p) of every seller, the least over the selection, into revenue[sellers]. */
wal_status wal_guaranteed_revenue(const wal_pricing_market *market, wal_selection selection, double *revenue);
/* The same of one seller. */
wal_status wal_guaranteed_revenue_of(const wal_pricing_market *market, wal_selection selection, int seller,
                                     double *revenue);

/* Definition 4: what is left to gain at the market's prices, the least over the selection's allocations x of
   the most that a seller gains by going from its revenue in x to best[sellers], the most that other prices
   guarantee it. 0: with some x they are a maximin equilibrium. low, high[sellers] (NULL: not wanted):
   revenues over those x for which it is the least. */
wal_status wal_maximin_gain(const wal_pricing_market *market, wal_selection selection, const double *best,
                            double *gain, double *low, double *high);

/* What a seller may try: prices of its items, each low .. high in so many equal steps, all combinations; then
   a pattern search from the best, one price at a time, with steps that halve. A search: what it finds is
   guaranteed, but there may be more between the steps. */
typedef struct {
  wal_selection selection;
  double low, high;
  int steps;            /* at least 1 */
  int halvings;         /* of the pattern search; 0: the grid only */
  bool personalised;    /* a price for every buyer who values the item; else one an item */
  bool keep_priorities; /* else natural ones at the new prices */
} wal_deviation_options;
typedef struct {
  double revenue; /* the best guaranteed revenue found */
  double *price;  /* [n, m] with the seller's prices at it; owned */
  int64_t tried;  /* prices */
} wal_deviation;
/* WAL_E_UNSUPPORTED: a grid of more than 10 million prices. */
wal_status wal_best_deviation(const wal_pricing_market *market, int seller,
                              const wal_deviation_options *options, wal_deviation *out);
void wal_deviation_destroy(wal_deviation *deviation); /* accepts NULL and zeroed */

#endif
