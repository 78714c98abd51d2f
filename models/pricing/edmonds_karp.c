#define WAL_EXACT 0
#include "models/pricing/edmonds_karp_impl.h"

wal_status wal_stable_edmonds_karp(const wal_pricing_market *market, wal_pricing_allocation *x,
                                   int64_t *augmentations) {
  wal_stability_report report;
  const bool compatible = wal_stability_check(market, x->x, WAL_CHECK_COMPATIBLE, 1e-9, &report);
  const wal_status status = check_start(market, compatible, &report);
  return status == WAL_OK ? stable_edmonds_karp(market, x, augmentations) : status;
}
