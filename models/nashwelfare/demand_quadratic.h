/* Gale demand of the concave quadratic utilities of section 8. */
#ifndef WAL_NASHWELFARE_DEMAND_QUADRATIC_H
#define WAL_NASHWELFARE_DEMAND_QUADRATIC_H

#include "models/common/status.h"

/* The point y[m] of GD(q, b) for u = <c, y> - y'Qy/2, c[m], Q[m, m] positive definite (so there is one, up to
   goods of price 0 beyond satiation), q[m] >= 0, b > 0. */
wal_status wal_demand_gale_quadratic(int m, const double *c, const double *Q, const double *q, double b,
                                     double *y);

#endif
