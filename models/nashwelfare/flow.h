/* Flow algorithms on generalised networks (section 7): fitting pairs, Pullback-Flow (Algorithm 1),
   Reroute-Flow (Algorithm 2), Budget-Decrease (Algorithm 3, corrected: docs/errata.md), and the price
   decrease of Lemma 7.8. */
#ifndef WAL_NASHWELFARE_FLOW_H
#define WAL_NASHWELFARE_FLOW_H

#include "models/nashwelfare/demand.h"

/* Flow f and potentials pi that satisfy eq. 11 for supply x: optimal for GenflowLP(x) and its dual. */
typedef struct {
  double *x;  /* [m] owned, as the next */
  double *f;  /* [arcs] */
  double *pi; /* [nodes], pi at the sink 1 */
} wal_fitting_pair;
wal_status wal_fitting_pair_create(const wal_network *net, wal_fitting_pair *out); /* zeroed arrays */
void wal_fitting_pair_destroy(wal_fitting_pair *pair);                             /* accepts zeroed */

double wal_network_net(const wal_network *net, const double *f, int node); /* net_f(v) */
/* The largest violation of eq. 11, relative; 0 is fitting. */
double wal_fitting_violation(const wal_network *net, const wal_fitting_pair *pair);
/* A fitting pair for supply x: with (q, b) given (q not NULL) one with eq. 12 where x is in GD(q, b). */
wal_status wal_fitting_pair_find(const wal_network *net, const double *x, const double *q, double b,
                                 wal_fitting_pair *out);

/* Algorithm 1 as the linear program of Lemma 7.3, into pair->x and pair->f. */
wal_status wal_pullback_flow(const wal_network *net, wal_fitting_pair *pair);
/* The same by maximum flow after relabelling (Remark 7.4). */
wal_status wal_pullback_flow_by_maxflow(const wal_network *net, wal_fitting_pair *pair);
/* Algorithm 2 for good k, pi_k > 0. */
wal_status wal_reroute_flow(const wal_network *net, int k, wal_fitting_pair *pair);

typedef struct {
  int iterations;   /* of the loop */
  double violation; /* of the fitting pair it ended with */
} wal_flow_report;
/* Algorithm 3: x in GD(q, b) to x' <= x in GD(q, b'), b' < b; x1[m]. */
wal_status wal_budget_decrease(const wal_network *net, const double *q, double b, double b1, const double *x,
                               double *x1, wal_flow_report *report);
/* Lemma 7.8: x in GD(q, b) to x' in GD(q', b), q' <= q, with x'_j <= x_j wherever q'_j = q_j. */
wal_status wal_price_decrease(const wal_network *net, const double *q, const double *q1, double b,
                              const double *x, double *x1, wal_flow_report *report);

#endif
