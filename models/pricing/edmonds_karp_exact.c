#define WAL_EXACT 1
#include "models/pricing/edmonds_karp_impl.h"

wal_status wal_stable_edmonds_karp_exact(const wal_pricing_market *market, wal_pricing_allocation *x,
                                         int64_t *augmentations) {
  wal_stability_report report;
  if (!market->exact || !x->exact)
    return wal_fail(WAL_E_INPUT,
                    "the market or the start has no rationals; expected both (wal_pricing_lift)");
  const bool compatible = wal_stability_check_exact(market, x->exact, WAL_CHECK_COMPATIBLE, &report);
  wal_status status = check_start(market, compatible, &report);
  if (status == WAL_OK) status = stable_edmonds_karp(market, x, augmentations);
  if (status == WAL_OK) wal_pricing_allocation_round(x);
  return status;
}
