/* The stable set of a small market exactly: a union of polytopes (cells), searched by branch and bound over
   linear programs. Two ways to cut it, of which the one with fewer cells is taken:
   - by buyers: for every buyer the worst of its preference levels that it may hold, on which its budget is
     spent and above which everything is closed to it; or everything is closed to it;
   - by items: for every item the lowest priority that it is sold down to, or not sold out. */
#ifndef WAL_PRICING_CELLS_H
#define WAL_PRICING_CELLS_H

#include <stdint.h>

#include "models/pricing/market.h"

/* How many cells: the less of prod_i (1 + levels of buyer i) and prod_j (1 + classes of item j); INT64_MAX
   where it is more. */
int64_t wal_stable_cells(const wal_pricing_market *market);

/* NULL instead: as said here. */
typedef struct {
  int64_t most_cells;    /* refused above, with the count: WAL_E_UNSUPPORTED; 0: 10^9 */
  int64_t most_programs; /* linear programs for one question: refused alike; 0: 10^6 */
} wal_cells_options;

/* One stable set, to be asked many questions. By one thread at a time. */
typedef struct wal_stable_set wal_stable_set;
wal_status wal_stable_set_create(const wal_pricing_market *market, const wal_cells_options *options,
                                 wal_stable_set **out);
void wal_stable_set_destroy(wal_stable_set *set); /* accepts NULL */
/* The least, or most, of <c, x> and where: c[n, m], x[n, m] (NULL: not wanted). */
wal_status wal_stable_set_least(wal_stable_set *set, const double *c, double *value, double *x);
wal_status wal_stable_set_most(wal_stable_set *set, const double *c, double *value, double *x);
/* From here only stable allocations with the most revenue (to 1e-11 of it). */
wal_status wal_stable_set_keep_best(wal_stable_set *set);
/* How far x must fall short of wanted[count] in the worst k: the least over the set of
   max(0, max_k wanted[k] - <c_k, x>), c[count, n, m]; 0: one allocation has all that is wanted. From here
   only allocations that fall no further short (to 1e-11). */
wal_status wal_stable_set_keep_nearest(wal_stable_set *set, int count, const double *c, const double *wanted,
                                       double *shortfall);
int64_t wal_stable_set_programs(const wal_stable_set *set); /* linear programs solved so far */

/* min and max of <c, x> over all stable allocations, c[n, m], with where they are. */
typedef struct {
  double low, high;
  wal_pricing_allocation at_low, at_high;
} wal_stable_range;
wal_status wal_stable_objective(const wal_pricing_market *market, const double *c,
                                const wal_cells_options *options, wal_stable_range *out);
void wal_stable_range_destroy(wal_stable_range *range); /* accepts NULL and zeroed */
/* The same over revenue-optimal stable allocations only (Definition 4). */
wal_status wal_stable_objective_at_best(const wal_pricing_market *market, const double *c,
                                        const wal_cells_options *options, wal_stable_range *out);
/* Is there one stable allocation only? The widest range of a share x_ij; unique: not more than 1e-7. */
wal_status wal_stable_unique(const wal_pricing_market *market, const wal_cells_options *options, bool *unique,
                             double *widest);

#endif
