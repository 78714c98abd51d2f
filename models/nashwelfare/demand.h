/* Demand, thrifty demand and Gale demand of one agent: each a set, {x >= 0 : u(x) >= utility, <p, x> <=
   cost}, and so is given by two numbers. */
#ifndef WAL_NASHWELFARE_DEMAND_H
#define WAL_NASHWELFARE_DEMAND_H

#include "models/common/lp.h"
#include "models/nashwelfare/utility.h"

typedef struct {
  double utility; /* INFINITY: unbounded demand (a price of 0, or Gale prices outside of FQ) */
  double cost;    /* all x with this utility that cost at most this */
} wal_demand_set;

/* D(p, b), eq. 1: the best utility for a budget; the set's cost is b. p[m] >= 0, b > 0. */
wal_status wal_demand(const wal_utility *u, const double *p, double b, wal_demand_set *out);
/* The cheapest of these (Definition 2.8). */
wal_status wal_demand_thrifty(const wal_utility *u, const double *p, double b, wal_demand_set *out);
/* GD(q, b), eq. 2: argmax b log u(y) - <q, y>. */
wal_status wal_demand_gale(const wal_utility *u, const double *q, double b, wal_demand_set *out);

/* The cheapest cost of utility at least `utility`: C(u) = min <p, x> : u(x) >= utility; INFINITY: not to be
   had. */
wal_status wal_demand_cost(const wal_utility *u, const double *p, double utility, double *cost);

/* How far x is from the set: the larger of (utility - u(x))+ / utility and (<p, x> - cost)+ / max(cost, b).
 */
double wal_demand_distance(const wal_utility *u, const double *p, double b, const wal_demand_set *set,
                           const double *x);
/* A point of the set, to 1e-8 of its utility and cost, that minimises <c, x> with low <= x <= high (each may
   be NULL: 0, none). *found false: no point of the set is there. */
wal_status wal_demand_pick(const wal_utility *u, const double *p, const wal_demand_set *set, const double *c,
                           const double *low, const double *high, double *x, bool *found);
/* The least excess e >= 0 such that the set has a point x <= high + e; high[m], INFINITY: none. */
wal_status wal_demand_excess(const wal_utility *u, const double *p, const wal_demand_set *set,
                             const double *high, double *excess);

/* Adds an agent to a program: columns x[m] >= 0 from *x on, z from *z on, and the rows A z - B x <= r. */
void wal_demand_program(wal_lp *lp, const wal_utility_lp *form, int *x, int *z);

#endif
