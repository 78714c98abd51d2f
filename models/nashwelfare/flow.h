/* Flow algorithms on generalised networks (section 7): fitting pairs, Pullback-Flow (Algorithm 1),
   Reroute-Flow (Algorithm 2), Budget-Decrease (Algorithm 3), and the price decrease of Lemma 7.8; both
   corrected: docs/errata.md.

   Amounts are compared by what they are worth, f_e pi_v, with a utility: that is free of units. */
#ifndef WAL_NASHWELFARE_FLOW_H
#define WAL_NASHWELFARE_FLOW_H

#include "models/nashwelfare/demand.h"

/* Tolerances, all relative. */
#define WAL_FLOW_TIGHT 1e-8 /* gamma_e pi_w = pi_v: a difference below this share of the larger is none */
#define WAL_FLOW_ZERO 1e-12 /* worth below this share of pair->u is nothing */

/* Flow f and potentials pi that satisfy eq. 11 for supply x: optimal for GenflowLP(x) and its dual. */
typedef struct {
  double *x;  /* [m] owned, as the next */
  double *f;  /* [arcs] */
  double *pi; /* [nodes], pi at the sink 1 */
  double u;   /* what worth is compared with: u(x) where the pair was found */
} wal_fitting_pair;
wal_status wal_fitting_pair_create(const wal_network *net, wal_fitting_pair *out); /* zeroed arrays */
wal_status wal_fitting_pair_copy(const wal_network *net, const wal_fitting_pair *pair, wal_fitting_pair *out);
void wal_fitting_pair_destroy(wal_fitting_pair *pair); /* accepts zeroed */

double wal_network_net(const wal_network *net, const double *f, int node); /* net_f(v) */
/* The largest violation of eq. 11, relative; 0 is fitting. */
double wal_fitting_violation(const wal_network *net, const wal_fitting_pair *pair);
/* A fitting pair for supply x. With (q, b) given (q not NULL) one with eq. 12, where x is in GD(q, b) to
   1e-6 (WAL_E_INPUT: it is not); out->x is then x to the accuracy that x has itself. */
wal_status wal_fitting_pair_find(const wal_network *net, const double *x, const double *q, double b,
                                 wal_fitting_pair *out);

/* An arc's part in the auxiliary network: of the arcs with gamma_e pi_w = pi_v > 0, those whose flow can
   rise, and, reversed, those whose flow can fall. */
typedef struct {
  bool tight, rise, fall;
} wal_arc_state;
/* f_e < h_e, 0 < f_e (whether tight or not), by worth. */
wal_arc_state wal_arc_state_of(const wal_network *net, const wal_fitting_pair *pair, int arc);
/* Adds to set[nodes] every node reached from it in the auxiliary network (backward: that reaches it). */
void wal_auxiliary_reach(const wal_network *net, const wal_fitting_pair *pair, bool backward, bool *set);
/* x_j > 0, by worth. */
bool wal_supplied(const wal_fitting_pair *pair, int good);

/* Algorithm 1 as the linear program of Lemma 7.3, into pair->x and pair->f. */
wal_status wal_pullback_flow(const wal_network *net, wal_fitting_pair *pair);
/* The same by maximum flow after relabelling (Remark 7.4). */
wal_status wal_pullback_flow_by_maxflow(const wal_network *net, wal_fitting_pair *pair);
/* Algorithm 2 for good k, pi_k > 0, as the linear program of Lemma 7.5. *unlimited: x'_k has no largest
   value (k reaches the sink along tight arcs without capacity); the pair is left as it was. */
wal_status wal_reroute_flow(const wal_network *net, int k, wal_fitting_pair *pair, bool *unlimited);
/* The same by maximum flow; where unlimited, the pair has k in place of other goods wherever it can be. */
wal_status wal_reroute_flow_by_maxflow(const wal_network *net, int k, wal_fitting_pair *pair,
                                       bool *unlimited);

typedef struct {
  int iterations;   /* of the loops: calls of Algorithms 1 and 2 */
  bool unlimited;   /* Algorithm 2 had no largest x'_k (Lemma 7.8 only) */
  double violation; /* of the fitting pair it ended with */
} wal_flow_report;
/* Sees each call of Algorithm 1 (k < 0) and of Algorithm 2 for good k: the pair before and after. */
typedef struct {
  wal_status (*see)(void *context, const wal_fitting_pair *before, const wal_fitting_pair *after, int k,
                    bool unlimited);
  void *context;
} wal_flow_observer;

/* Algorithm 3: x in GD(q, b) to x' <= x in GD(q, b'), b' < b; x1[m]. observer: may be NULL. */
wal_status wal_budget_decrease(const wal_network *net, const double *q, double b, double b1, const double *x,
                               double *x1, wal_flow_report *report, const wal_flow_observer *observer);
/* Lemma 7.8: x in GD(q, b) to x' in GD(q', b), q' <= q, with x'_j <= x_j wherever q'_j = q_j. */
wal_status wal_price_decrease(const wal_network *net, const double *q, const double *q1, double b,
                              const double *x, double *x1, wal_flow_report *report,
                              const wal_flow_observer *observer);

#endif
