/* Which agents and entries an instance's program is about; the others get nothing. Private to
   models/mechanism and gpu/mechanism. */
#ifndef WAL_MECHANISM_PF_OPEN_H
#define WAL_MECHANISM_PF_OPEN_H

#include "models/common/vmath.h"
#include "models/mechanism/instances.h"

/* Without the calls that fmax and fmin are. A NaN on the left is lost. */
WAL_HD double wal_pf_max(double a, double b) { return a > b ? a : b; }
WAL_HD double wal_pf_min(double a, double b) { return a < b ? a : b; }

WAL_HD double wal_pf_weight(const wal_instances *in, int64_t k, int i) {
  return in->w ? in->w[k * in->n + i] : 1.0;
}

/* Agent i of instance k has a weight and can get some utility. */
WAL_HD bool wal_pf_takes_part(const wal_instances *in, int64_t k, int i) {
  const int64_t row = (k * in->n + i) * in->m;
  if (!(wal_pf_weight(in, k, i) > 0.0)) return false;
  for (int m = 0; m < in->m; m++)
    if (in->v[row + m] > 0.0 && in->x[row + m] > 0.0 && in->b[k * in->m + m] > 0.0) return true;
  return false;
}

/* The agents that take part ask for more of resource m than there is of it. */
static inline bool wal_pf_contested(const wal_instances *in, int64_t k, int m) {
  double asked = 0;
  for (int i = 0; i < in->n; i++)
    if (wal_pf_takes_part(in, k, i)) asked += in->x[(k * in->n + i) * in->m + m];
  return in->b[k * in->m + m] > 0 && asked > in->b[k * in->m + m];
}

/* An entry of an agent that takes part can be more than 0 at an optimum. */
WAL_HD bool wal_pf_open(double v, double x, double b, double z) {
  return x > 0.0 && b > 0.0 && (v > 0.0 || z < 0.0);
}

/* v . min(a, x) of one agent: wal_utility. */
WAL_HD double wal_utility_of(int m, const double *v, const double *x, const double *a) {
  double sum = 0;
  for (int j = 0; j < m; j++) sum += v[j] * fmin(a[j], x[j]);
  return sum;
}

#endif
