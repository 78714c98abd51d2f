/* Linear programs over allocation tables: what any mechanism for two agents and two resources must give up
   when reports are restricted to finitely many types per agent. Private to models/mechanism and its tests.

   A table holds an allocation for every pair of types. Agent i of type s gains, against type t of the other,
   at least u_i(s; a(s', t)) - u_i(s; a(s, t)) for every other type s' of its own: linear in the table. Where
   s' asks for more than s wants, min(a, x) is replaced by its chord a x / x', which is never more. Nash
   welfare in units of PF's, p q with p = u_1 / U_1 and q = u_2 / U_2, is (s/2)^2 - (d/2)^2 of s = p + q and
   d = p - q. PF's optimality means s <= 2, so the first term lies below its chord over [least, 2], for every
   table with s >= least; the second is concave and cut by its tangents. The program

     min  sum_st w_s w_t ( (gain_1 + gain_2) / 2 - kappa U_1 U_2 [ (2 + least) s / 4 - least / 2 - (d/2)^2 ] )

   thus bounds mean exploitability - kappa mean Nash welfare from below, over all tables when least = 0. */
#ifndef WAL_MECHANISM_FRONTIER_TABLE_H
#define WAL_MECHANISM_FRONTIER_TABLE_H

#include "models/common/status.h"

typedef struct {
  double v[2], x[2]; /* mean value and demand of each resource */
  double weight;     /* probability */
} wal_frontier_type;

typedef struct {
  const wal_frontier_type *types[2]; /* [n[0]], [n[1]] of each agent; borrowed */
  int n[2];
  double b[2];  /* budgets */
  double least; /* of u_1/U_1 + u_2/U_2, in [0, 2]; 2: tangent at PF's frontier */
} wal_frontier_problem;

typedef struct {
  double bound; /* minimum of the program */
  double expl;  /* mean exploitability of the table found, lies among the types */
  double nsw;   /* its mean Nash welfare */
  double least; /* its smallest u_1/U_1 + u_2/U_2 */
} wal_frontier_optimum;

/* PF's utilities U [2, n0, n1] and allocations a [n0, n1, 2, 2] (may be NULL) at every pair of types. */
wal_status wal_frontier_pf(const wal_frontier_problem *problem, double *U, double *a);

/* Measures a table [n0, n1, 2, 2]: agent and resource last. bound: expl - kappa nsw. */
void wal_frontier_measure(const wal_frontier_problem *problem, const double *U, const double *table,
                          double kappa, wal_frontier_optimum *out);

/* Solves for each of kappa [count] in turn into out [count]; tables [count, n0, n1, 2, 2] may be NULL. */
wal_status wal_frontier_solve(const wal_frontier_problem *problem, const double *kappa, int count,
                              wal_frontier_optimum *out, double *tables);

#endif
