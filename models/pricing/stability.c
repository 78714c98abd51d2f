#define WAL_EXACT 0
#include <math.h>

#include "models/pricing/stability_impl.h"

const char *wal_stability_text(wal_stability_fault fault) {
  switch (fault) {
    case WAL_STABLE:
      return "stable";
    case WAL_UNSTABLE_SHARE:
      return "a share is below 0 or not a number";
    case WAL_UNSTABLE_OVERSOLD:
      return "more than the whole item is sold";
    case WAL_UNSTABLE_BUDGET:
      return "the buyer spends more than its budget";
    case WAL_UNSTABLE_WORTHLESS:
      return "the buyer holds an item of value 0";
    case WAL_UNSTABLE_MONEY:
      return "the buyer has money left for an item open to it";
    case WAL_UNSTABLE_ENVY:
      return "the buyer holds an item worse than one open to it";
    case WAL_UNSTABLE_MEMORY:
      return "no memory to check";
  }
  return "unknown";
}

bool wal_stability_check(const wal_pricing_market *market, double *x, wal_stability_notion notion, double tol,
                         wal_stability_report *report) {
  check c = {
      .market = market, .x = (number *)x, .notion = notion, .one = {1}, .tol = {tol}, .report = report};
  const size_t pairs = (size_t)market->n * (size_t)market->m;
  for (size_t e = 0; e < pairs; e++)
    if (!isfinite(x[e]))
      return fault(&c, WAL_UNSTABLE_SHARE, (int)(e / (size_t)market->m), (int)(e % (size_t)market->m));
  return run_check(&c);
}
