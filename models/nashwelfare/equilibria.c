#include "models/nashwelfare/equilibria.h"

wal_equilibria_options wal_equilibria_defaults(void) { return (wal_equilibria_options){0}; }
void wal_equilibria_destroy(wal_equilibria *equilibria) { (void)equilibria; }
wal_status wal_equilibria_find(const wal_nw_market *market, const wal_equilibria_options *options,
                               wal_equilibria *out) {
  (void)market;
  (void)options;
  (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
wal_status wal_excess_demand(const wal_nw_market *market, const double *p, double *low, double *high) {
  (void)market;
  (void)p;
  (void)low;
  (void)high;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
