/* Stability (Definition 2) and compatibility (Definition 3) from the definitions alone, with two repairs: an
   item of value 0 is never missed, and what a buyer holds already is not available to it. */
#ifndef WAL_PRICING_STABILITY_H
#define WAL_PRICING_STABILITY_H

#include "models/pricing/market.h"

/* Why an allocation is not stable: the first reason found. */
typedef enum {
  WAL_STABLE,
  WAL_UNSTABLE_SHARE,     /* x_ij < 0 or not a number */
  WAL_UNSTABLE_OVERSOLD,  /* item j: sum_i x_ij > 1 */
  WAL_UNSTABLE_BUDGET,    /* buyer i spends too much (condition 1) */
  WAL_UNSTABLE_WORTHLESS, /* buyer i holds item j of value 0 (condition 2) */
  WAL_UNSTABLE_MONEY,     /* buyer i has money left for item j, that is open to it (condition 3) */
  WAL_UNSTABLE_ENVY,      /* item j is open to buyer i, who holds one that is strictly worse (condition 3) */
  WAL_UNSTABLE_MEMORY,    /* could not be checked: no memory */
} wal_stability_fault;

typedef struct {
  wal_stability_fault fault;
  int buyer, item; /* -1: does not apply */
} wal_stability_report;
const char *wal_stability_text(wal_stability_fault fault);

/* Stability, or without condition "budget spent" compatibility, of x[n, m]. tol: shares up to it count as 0,
   money up to tol times the budget as spent, prices per value within tol of each other as equal; 1e-9 is
   usual. Returns whether no fault was found. */
typedef enum { WAL_CHECK_STABLE, WAL_CHECK_COMPATIBLE } wal_stability_notion;
bool wal_stability_check(const wal_pricing_market *market, double *x, wal_stability_notion notion, double tol,
                         wal_stability_report *report);
/* With rationals (market->exact, x[n, m]): no tolerance. */
bool wal_stability_check_exact(const wal_pricing_market *market, mpq_t *x, wal_stability_notion notion,
                               wal_stability_report *report);

#endif
