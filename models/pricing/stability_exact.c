#define WAL_EXACT 1
#include "models/pricing/stability_impl.h"

bool wal_stability_check_exact(const wal_pricing_market *market, mpq_t *x, wal_stability_notion notion,
                               wal_stability_report *report) {
  check c = {.market = market, .x = x, .notion = notion, .report = report};
  mpq_init(c.tol);
  mpq_init(c.one);
  mpq_set_ui(c.one, 1, 1);
  const bool stable = run_check(&c);
  mpq_clear(c.tol);
  mpq_clear(c.one);
  return stable;
}
