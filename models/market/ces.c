/* CES utilities (marketfcnet, appendix A): the formulas of ces_formulas.h as functions. */
#include "models/market/ces_formulas.h"
#include "models/market/welfare.h"

double wal_ces_log_utility(double alpha, int m, const double *v, const double *x) {
  return wal_ces_log_utility_hd(alpha, m, v, x);
}

double wal_ces_log_indirect(double alpha, int m, const double *v, const double *p, double budget) {
  return wal_ces_log_indirect_hd(alpha, m, v, p, budget);
}

void wal_ces_shares_power(double r, int m, const double *v, const double *p, double *s) {
  wal_ces_shares_power_hd(r, m, v, p, s);
}

void wal_ces_shares(double alpha, int m, const double *v, const double *p, double *s) {
  wal_ces_shares_hd(alpha, m, v, p, s);
}

void wal_ces_demand(double alpha, int m, const double *v, const double *p, double budget, double *x) {
  wal_ces_demand_hd(alpha, m, v, p, budget, x);
}

void wal_ces_log_utility_gradient(double alpha, int m, const double *v, const double *x, double *g) {
  wal_ces_log_utility_gradient_hd(alpha, m, v, x, g);
}
