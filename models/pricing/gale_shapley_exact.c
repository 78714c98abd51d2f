#define WAL_EXACT 1
#include "models/pricing/gale_shapley_impl.h"

wal_status wal_gale_shapley_exact(const wal_pricing_market *market, const wal_gale_shapley_options *options,
                                  wal_pricing_allocation *out, wal_gale_shapley_report *report) {
  if (!market->exact)
    return wal_fail(WAL_E_INPUT, "the market has no rationals; expected wal_pricing_lift or its own first");
  const wal_status status = gale_shapley(market, options, out, report);
  if (status == WAL_OK) wal_pricing_allocation_round(out);
  return status;
}
