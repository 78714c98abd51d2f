/* Maximum revenue over stable allocations of fully non-personalised markets (Theorem 2): Algorithm 3 (stable
   Edmonds-Karp) and Algorithm 2 (two linear programs). WAL_E_UNSUPPORTED for other markets. */
#ifndef WAL_PRICING_REVENUE_H
#define WAL_PRICING_REVENUE_H

#include <stdint.h>

#include "models/pricing/market.h"

/* Algorithm 3. x: a compatible allocation to start from (0 is one), replaced by a revenue-optimal stable one
   in which no item sells less. In doubles (x->x), or in rationals (x->exact, and rounded into x->x).
   augmentations: how many, NULL: not wanted. */
wal_status wal_stable_edmonds_karp(const wal_pricing_market *market, wal_pricing_allocation *x,
                                   int64_t *augmentations);
wal_status wal_stable_edmonds_karp_exact(const wal_pricing_market *market, wal_pricing_allocation *x,
                                         int64_t *augmentations);
/* Algorithm 2 into out->x: stable to about 1e-7. */
wal_status wal_revenue_by_lp(const wal_pricing_market *market, wal_pricing_allocation *out, double *revenue);

#endif
