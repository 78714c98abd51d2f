#include "models/nashwelfare/utility.h"

void wal_utility_lp_destroy(wal_utility_lp *lp) { (void)lp; }
void wal_network_destroy(wal_network *network) { (void)network; }
double wal_utility_value(const wal_utility *u, const double *x) {
  (void)u;
  (void)x;
  return 0;
}
wal_status wal_utility_supergradient(const wal_utility *u, const double *x, double *g) {
  (void)u;
  (void)x;
  (void)g;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
bool wal_utility_is_network(const wal_utility *u) {
  (void)u;
  return false;
}
wal_status wal_utility_network(const wal_utility *u, wal_network *out) {
  (void)u;
  (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
void wal_utility_destroy(wal_utility *u) { (void)u; }
wal_status wal_utility_linear(int m, const double *v, wal_utility **out) {
  (void)m;
  (void)v;
  (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
wal_status wal_utility_bounded_linear(int m, const double *v, const double *l, wal_utility **out) {
  (void)m;
  (void)v;
  (void)l;
  (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
wal_status wal_utility_splc(int m, const int *start, const wal_segment *segments, wal_utility **out) {
  (void)m;
  (void)start;
  (void)segments;
  (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
wal_status wal_utility_leontief(int m, const double *a, wal_utility **out) {
  (void)m;
  (void)a;
  (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
wal_status wal_utility_leontief_free(int m, int segments, const double *a, const double *l,
                                     wal_utility **out) {
  (void)m;
  (void)segments;
  (void)a;
  (void)l;
  (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
wal_status wal_utility_generalized_network(const wal_network *network, wal_utility **out) {
  (void)network;
  (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
wal_status wal_utility_plc(int m, int pieces, const double *slope, const double *constant,
                           wal_utility **out) {
  (void)m;
  (void)pieces;
  (void)slope;
  (void)constant;
  (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
wal_status wal_utility_quadratic(int m, const double *c, const double *q, wal_utility **out) {
  (void)m;
  (void)c;
  (void)q;
  (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
wal_status wal_nw_market_create(int n, int m, wal_nw_market *out) {
  (void)n;
  (void)m;
  (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
void wal_nw_market_destroy(wal_nw_market *market) { (void)market; }
wal_status wal_nw_market_check(const wal_nw_market *market) {
  (void)market;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
double wal_nw_log_welfare(const wal_nw_market *market, const double *u) {
  (void)market;
  (void)u;
  return 0;
}
