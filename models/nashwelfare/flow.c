#include "models/nashwelfare/flow.h"

wal_status wal_fitting_pair_create(const wal_network *net, wal_fitting_pair *out) {
  (void)net;
  (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
void wal_fitting_pair_destroy(wal_fitting_pair *pair) { (void)pair; }
double wal_network_net(const wal_network *net, const double *f, int node) {
  (void)net;
  (void)f;
  (void)node;
  return 0;
}
double wal_fitting_violation(const wal_network *net, const wal_fitting_pair *pair) {
  (void)net;
  (void)pair;
  return 0;
}
wal_status wal_fitting_pair_find(const wal_network *net, const double *x, const double *q, double b,
                                 wal_fitting_pair *out) {
  (void)net;
  (void)x;
  (void)q;
  (void)b;
  (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
wal_status wal_pullback_flow(const wal_network *net, wal_fitting_pair *pair) {
  (void)net;
  (void)pair;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
wal_status wal_pullback_flow_by_maxflow(const wal_network *net, wal_fitting_pair *pair) {
  (void)net;
  (void)pair;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
wal_status wal_reroute_flow(const wal_network *net, int k, wal_fitting_pair *pair) {
  (void)net;
  (void)k;
  (void)pair;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
wal_status wal_budget_decrease(const wal_network *net, const double *q, double b, double b1, const double *x,
                               double *x1, wal_flow_report *report) {
  (void)net;
  (void)q;
  (void)b;
  (void)b1;
  (void)x;
  (void)x1;
  (void)report;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
wal_status wal_price_decrease(const wal_network *net, const double *q, const double *q1, double b,
                              const double *x, double *x1, wal_flow_report *report) {
  (void)net;
  (void)q;
  (void)q1;
  (void)b;
  (void)x;
  (void)x1;
  (void)report;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
