#include "models/nashwelfare/verify.h"

wal_status wal_ce_check(const wal_nw_market *market, const double *x, const double *p, wal_ce_report *out) {
  (void)market;
  (void)x;
  (void)p;
  (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
bool wal_ce_holds(const wal_ce_report *report, double tol) {
  (void)report;
  (void)tol;
  return false;
}
bool wal_ce_thrifty(const wal_ce_report *report, double tol) {
  (void)report;
  (void)tol;
  return false;
}
wal_status wal_nw_gap_check(const wal_nw_market *market, const double *y, double *gap) {
  (void)market;
  (void)y;
  (void)gap;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
wal_status wal_nw_gale_check(const wal_nw_market *market, const double *y, const double *q,
                             double *distance) {
  (void)market;
  (void)y;
  (void)q;
  (void)distance;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
