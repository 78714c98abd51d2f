/* A PF solution as places: which amounts are at their bounds and which are in the graph of pf_forest.h, read
   off an interior point's answer. Private to pf_polish.c and pf_places.c. */
#ifndef WAL_MECHANISM_PF_PLACES_H
#define WAL_MECHANISM_PF_PLACES_H

#include <math.h>

#include "models/mechanism/pf_forest.h"
#include "models/mechanism/pf_open.h"
#include "models/mechanism/pf_polish.h"

/* Where an element is: not in the program, at 0, at x_im, in the graph, or between its bounds but not in the
   graph, as it closes a circle of ties: its amount stays what it is. */
typedef enum { WAL_PF_OUT, WAL_PF_LOW, WAL_PF_HIGH, WAL_PF_FREE, WAL_PF_HELD } wal_pf_place;

typedef struct {
  double weight; /* distance from its bounds, as a share of the entry's amounts */
  int element;   /* or a node, with its money */
} wal_pf_candidate;

struct wal_pf_polish {
  wal_pf_forest forest;
  int n, m;
  const double *v, *x, *b, *z;  /* one instance, borrowed; z NULL: 0 */
  double *w, *have, *price;     /* [n] 0 where the agent has no part, [n + m], [n + m] */
  double *scale, *dearest;      /* [n + m] prices of the start; [m] largest p_im */
  double *amount, *goal;        /* [n m + m] now; where the graph's equations put them */
  double *mu, *nu;              /* [n m] */
  unsigned char *place;         /* [n m + m] */
  int *roots, *set;             /* [n + m] nodes, those with most money first; [n + m] union-find */
  bool *full;                   /* [n + m] the set has its extra */
  wal_pf_candidate *candidates; /* [n m + m], then [n + m] nodes */
};

static inline double wal_pf_z_of(const wal_pf_polish *p, int e) { return p->z ? p->z[e] : 0.0; }

static inline int wal_pf_entries(const wal_pf_polish *p) { return p->n * p->m; }

/* The largest amount of element e. */
static inline double wal_pf_most(const wal_pf_polish *p, int e) {
  return e < wal_pf_entries(p) ? p->x[e] : INFINITY;
}

/* What amounts of element e are measured by. */
static inline double wal_pf_unit(const wal_pf_polish *p, int e) {
  const double b = p->b[wal_pf_forest_resource(&p->forest, e)];
  return e < wal_pf_entries(p) ? wal_pf_min(p->x[e], b) : b;
}

void wal_pf_add_element(wal_pf_polish *p, int e);
/* Out of the graph, to another place. */
void wal_pf_remove_element(wal_pf_polish *p, int e, wal_pf_place to);
/* Puts element e at the bound that it met: its new place. */
wal_pf_place wal_pf_bound(wal_pf_polish *p, int e, bool high);

/* Places, amounts and the graph from the point's a, mu, nu and lambda. */
void wal_pf_read_places(wal_pf_polish *p, const wal_pf_solution *point);

#endif
