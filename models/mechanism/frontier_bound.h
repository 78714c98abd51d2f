/* What any mechanism for two agents and two resources must give up: a numerical lower bound on exploitability
   at a level of Nash welfare, under law (17) with budgets and weights of 1 (rpfnet, Definitions 2 and 3).

   Types, an agent's reports, are sampled: one at the same random place of each of `types` cells of equal
   probability of the ratio of its values, given its demands. A mechanism's allocations at the sampled types
   are a table; its exploitability by lies among the types is at most that by all lies; and a type drawn from
   the sample has the law. So the mean over samples of the tables' optima (frontier_table.h) is at most

       min_f  E expl(f) - kappa E NSW(f),

   and E expl(f) >= bound + kappa E NSW(f) for every f. It rises with the number of types: half of the cells
   are a sample of their own.

   What it is not: certified. Its mean over samples is an estimate, with a different one for every seed, and
   the simplex method is in floating point. Nor is it tight: there are more lies than `types`, and `least` 0
   admits waste at half its price (least 2 has the right price at PF, but is a bound only for mechanisms
   that waste nothing; in between, see frontier_table.h). */
#ifndef WAL_MECHANISM_FRONTIER_BOUND_H
#define WAL_MECHANISM_FRONTIER_BOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "models/common/status.h"

typedef struct {
  double low, high, demanded; /* of law (17): 0.1, 1, 0.5; high <= 1, the budget */
  int types;                  /* ratios of values of an agent, per demands: 8 */
  int profiles; /* sampled demands of both agents: 64; of the simplest kind of contest 16 times these */
  int levels;   /* 0: lies about values only; else of each positive demand, to lie among */
  bool scale;   /* types have a value each, not the mean given their ratio: a bound for mechanisms that
                   read more than the ratio too, but a lower one for so few types */
  double least; /* mechanisms with u_1/U_1 + u_2/U_2 >= least only, U that of PF: 0 for all; see
                   frontier_table.h */
  uint64_t seed;
} wal_frontier_options;
wal_frontier_options wal_frontier_defaults(void);

/* At one multiplier kappa; NSW and exploitability as shares of PF's. */
typedef struct {
  double kappa;     /* of NSW / NSW(PF), in units of expl(PF) */
  double bound;     /* expl / expl(PF) >= bound + kappa NSW / NSW(PF) */
  double nsw, expl; /* of the table found: what it reaches against lies among the types */
  double least;     /* its smallest u_1/U_1 + u_2/U_2 */
} wal_frontier_point;

typedef struct {
  double nsw, expl; /* of PF; exploitability by value lies, all of them */
} wal_frontier_pf_level;

/* For each kappa [count] into points [count]. Parallel; the same bits with any number of threads. */
wal_status wal_frontier_bound(const wal_frontier_options *options, const double *kappa, int count,
                              wal_frontier_point *points, wal_frontier_pf_level *pf);

/* The bound at a share `nsw` of PF's Nash welfare: the largest over the points; at least 0. */
double wal_frontier_at(const wal_frontier_point *points, int count, double nsw);

#endif
