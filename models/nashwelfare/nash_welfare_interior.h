/* Interior-point method on program (EG) in the form of nash_welfare_program.h. */
#ifndef WAL_NASHWELFARE_NASH_WELFARE_INTERIOR_H
#define WAL_NASHWELFARE_NASH_WELFARE_INTERIOR_H

#include "models/nashwelfare/nash_welfare_program.h"

/* A point: columns and rows of all agents one after the other. */
typedef struct {
  double *z, *v, *l, *k; /* [columns] z >= 0 and its multiplier l; v = h - z and its k (0: no bound) */
  double *s, *pi;        /* [rows] slacks, at utility rows utilities; multipliers */
  double *t, *q;         /* [m] of the supplies */
} wal_nw_point;

typedef struct {
  double tol;     /* of the gap */
  double start;   /* products at the start, times m: 0.1 is usual */
  int iterations; /* at most */
} wal_nw_interior_options;

/* The point with the least gap found, and that gap: an estimate, as its bundles may be oversold by rounding.
   point's arrays are allocated here, to be freed by wal_nw_point_destroy. */
wal_status wal_nw_interior(const wal_nw_program *program, const wal_nw_interior_options *options,
                           wal_nw_point *point, double *gap, int *iterations);
void wal_nw_point_destroy(wal_nw_point *point); /* accepts NULL and zeroed */

/* log NW* <= sum_i b_i log u_i + this for any u > 0 [n] (in the blocks' units), whatever q, pi >= 0 are:
   Lagrangian duality, after pi has been made feasible. Utility rows' multipliers w are lowered, inner ones
   raised where columns without bound ask for it; then q and pi are scaled so that their value is 1.
   INFINITY: pi could not be made feasible. */
double wal_nw_dual_gap(const wal_nw_program *program, const double *u, double *q, double *pi);

#endif
