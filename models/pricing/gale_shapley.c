#define WAL_EXACT 0
#include "models/pricing/gale_shapley_impl.h"

wal_status wal_gale_shapley(const wal_pricing_market *market, const wal_gale_shapley_options *options,
                            wal_pricing_allocation *out, wal_gale_shapley_report *report) {
  return gale_shapley(market, options, out, report);
}
