#include "models/nashwelfare/nash_welfare.h"

wal_nw_options wal_nw_defaults(void) { return (wal_nw_options){0}; }
void wal_nw_solution_destroy(wal_nw_solution *solution) { (void)solution; }
wal_status wal_nw_maximise(const wal_nw_market *market, const wal_nw_options *options, wal_nw_solution *out) {
  (void)market;
  (void)options;
  (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
wal_status wal_nw_price_range(const wal_nw_market *market, const wal_nw_solution *solution, double *low,
                              double *high) {
  (void)market;
  (void)solution;
  (void)low;
  (void)high;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
