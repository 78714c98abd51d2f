/* The graph of a PF solution: agents and resources, joined by the amounts that are strictly between their
   bounds. Private to models/mechanism.

   Nodes are agents 0 .. n - 1 and resources n .. n + m - 1. An element is an amount, e = i m + j, or what is
   left of a resource, e = n m + j. Along an amount the prices of its ends, y_i = w_i / u_i and lambda_j, keep
   y_i v_ij - lambda_j = z_ij; what is left, and an amount without value, is a loop: lambda_j = -z (0 for what
   is left). So all prices of a tree are shift + slope t, and one element more, its extra, fixes t. Without
   one, t follows from the balance

     sum_i slope_i (w_i / (shift_i + slope_i t) - c_i) = sum_j slope_j b_j                     (decreasing in
   t)

   of the utilities c_i and the budgets b_j that the other amounts leave. The amounts themselves then follow
   from the leaves inwards. */
#ifndef WAL_MECHANISM_PF_FOREST_H
#define WAL_MECHANISM_PF_FOREST_H

#include <stdbool.h>

#include "models/common/status.h"

typedef struct {
  int n, m;
  const double *v, *z; /* [n, m] borrowed, set by the owner; z NULL: 0 */
  int count;           /* elements of the graph */
  int *element;        /* [n m + m] */

  /* By wal_pf_forest_explore: */
  int trees, spares;
  int *spare;      /* [n m + m] elements beyond one extra per tree */
  int *order, *up; /* [n + m] nodes from roots to leaves; each node's element towards the root, -1: a root */
  int *tree, *first;          /* [n + m] each node's tree; [n + m + 1] trees in order[] */
  int *extra;                 /* [n + m] each tree's extra; -1: none */
  long double *shift, *slope; /* [n + m]; long: lambda = y v - z may cancel */

  int *head, *link;  /* [n + m + 1], [2 n m + m] elements at each node */
  long double *need; /* [n + m] room */
} wal_pf_forest;

wal_status wal_pf_forest_create(int n, int m, wal_pf_forest *out);
void wal_pf_forest_destroy(wal_pf_forest *f); /* accepts a zeroed struct */

/* The ends of an element: its resource, and its agent or -1 where it is a loop. */
static inline int wal_pf_forest_resource(const wal_pf_forest *f, int e) { return e % f->m; }
static inline int wal_pf_forest_agent(const wal_pf_forest *f, int e) {
  return e < f->n * f->m && f->v[e] > 0.0 ? e / f->m : -1;
}

/* Trees from element[count]. Nodes are roots in the order roots[n + m]; a root's price is scale[node] at t
 * = 1. */
void wal_pf_forest_explore(wal_pf_forest *f, const int *roots, const double *scale);

/* How fast what element e asks for changes with t where its ends are in one tree; 0: its circle is a tie. */
long double wal_pf_forest_gain(const wal_pf_forest *f, int e);

/* Whether element e, whose ends are in one tree, can be its extra: the y_i that it asks for are positive. */
bool wal_pf_forest_closes(const wal_pf_forest *f, int e);

/* Prices [n + m] of weights w[n] and have[n + m], the c_i and b_j above. False where some y_i would not be a
   positive number. A resource alone without an extra, and an agent of weight 0, keep t = 1. */
bool wal_pf_forest_prices(const wal_pf_forest *f, const double *w, const double *have, double *price);

/* The amounts of all elements at these prices, into amount [n m + m]; other entries stay. */
void wal_pf_forest_amounts(wal_pf_forest *f, const double *w, const double *have, const double *price,
                           double *amount);

/* How the amounts of all elements change per unit of element e, which is not in the graph, along the optimum
   of the others, into change [n m + m]; other entries stay. */
void wal_pf_forest_change(wal_pf_forest *f, const double *w, const double *price, int e, double *change);

#endif
