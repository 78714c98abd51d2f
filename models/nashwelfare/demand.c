#include "models/nashwelfare/demand.h"

wal_status wal_demand(const wal_utility *u, const double *p, double b, wal_demand_set *out) {
  (void)u;
  (void)p;
  (void)b;
  (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
wal_status wal_demand_thrifty(const wal_utility *u, const double *p, double b, wal_demand_set *out) {
  (void)u;
  (void)p;
  (void)b;
  (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
wal_status wal_demand_gale(const wal_utility *u, const double *q, double b, wal_demand_set *out) {
  (void)u;
  (void)q;
  (void)b;
  (void)out;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
wal_status wal_demand_cost(const wal_utility *u, const double *p, double utility, double *cost) {
  (void)u;
  (void)p;
  (void)utility;
  (void)cost;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
double wal_demand_distance(const wal_utility *u, const double *p, double b, const wal_demand_set *set,
                           const double *x) {
  (void)u;
  (void)p;
  (void)b;
  (void)set;
  (void)x;
  return 0;
}
wal_status wal_demand_pick(const wal_utility *u, const double *p, const wal_demand_set *set, const double *c,
                           const double *low, const double *high, double *x, bool *found) {
  (void)u;
  (void)p;
  (void)set;
  (void)c;
  (void)low;
  (void)high;
  (void)x;
  (void)found;
  return wal_fail(WAL_E_UNSUPPORTED, "not written yet");
}
