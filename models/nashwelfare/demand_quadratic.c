#include "models/nashwelfare/demand_quadratic.h"

#include <math.h>
#include <string.h>

enum { SWEEPS = 100000, HALVINGS = 200 };

/* c_j - (Qy)_j */
static double slope(int m, const double *c, const double *Q, const double *y, int j) {
  double sum = c[j];
  for (int k = 0; k < m; k++) sum -= Q[j * m + k] * y[k];
  return sum;
}

/* argmax u(y) - rate <q, y> over y >= 0, by coordinates from y on; returns u(y). NAN: no end in sight. */
static double best_at(int m, const double *c, const double *Q, const double *q, double rate, double *y) {
  double moved = 1, size = 0, worth = 0;
  int sweep = 0;
  for (; sweep < SWEEPS && moved > 1e-15 * size; sweep++) {
    moved = size = 0;
    for (int j = 0; j < m; j++) {
      const double rise = slope(m, c, Q, y, j) - rate * q[j];
      const double next = fmax(0, y[j] + rise / Q[j * m + j]);
      moved = fmax(moved, fabs(next - y[j]));
      size = fmax(size, next);
      y[j] = next;
    }
  }
  for (int j = 0; j < m; j++) worth += 0.5 * (c[j] + slope(m, c, Q, y, j)) * y[j];
  return moved > 1e-12 * size ? NAN : worth;
}

/* y is in GD(q, b) where it maximises u - (u(y) / b) <q, y> (Lemma 4.3). The maximiser's utility falls in the
   rate that money has: one rate fits. */
wal_status wal_demand_gale_quadratic(int m, const double *c, const double *Q, const double *q, double b,
                                     double *y) {
  memset(y, 0, (size_t)m * sizeof *y);
  double low = 0, high = best_at(m, c, Q, q, 0, y) / b;
  for (int k = 0; k < HALVINGS && high > low; k++) {
    const double rate = low + (high - low) / 2;
    if (rate == low || rate == high) break;
    *(best_at(m, c, Q, q, rate, y) > rate * b ? &low : &high) = rate;
  }
  if (isnan(high) || isnan(best_at(m, c, Q, q, high, y)))
    return wal_fail(WAL_E_INPUT,
                    "the Gale demand of a quadratic utility was not found: Q is not positive "
                    "definite (the identity works)");
  return WAL_OK;
}
