/* A Fisher market: n buyers with budgets and CES utilities, m divisible goods with supplies. */
#ifndef WAL_MARKET_MARKET_H
#define WAL_MARKET_MARKET_H

#include <stdbool.h>
#include <stdint.h>

#include "models/common/status.h"

/* Where buyers come from: the seam `source`. Rows [lo, hi) are produced on demand, in any order, from any
   thread; a population never has to fit in memory. Members: the contextual generator (contexts.h), dense
   arrays (below), files (issue "own markets"). */
typedef struct wal_source wal_source;
typedef struct {
  const char *name;
  /* values v_ij > 0 (at alpha >= 0 also 0), finite, into v[hi-lo, m] row-major; budgets B_i > 0 into
     budget[hi-lo]. Either pointer may be NULL. */
  wal_status (*rows)(const wal_source *source, int64_t lo, int64_t hi, double *v, double *budget);
  /* buyer contexts into b[hi-lo, d] row-major, float32 as networks take them; NULL if it has none. */
  wal_status (*contexts)(const wal_source *source, int64_t lo, int64_t hi, float *b);
  void (*destroy)(wal_source *source); /* accepts NULL */
  /* The numbers of rows() good by good, buyer lo + t's value for good j at v[j * stride + t], stride >= hi -
     lo. NULL: wal_source_columns transposes rows. */
  wal_status (*columns)(const wal_source *source, int64_t lo, int64_t hi, int64_t stride, double *v,
                        double *budget);
  /* The same rounded to float32, faster where the source can compute in float32 (contexts.h says how far such
     values are from rows()'s). NULL: wal_source_columns32 rounds. */
  wal_status (*columns32)(const wal_source *source, int64_t lo, int64_t hi, int64_t stride, float *v,
                          float *budget);
} wal_source_ops;
struct wal_source {
  const wal_source_ops *ops;
};

/* Values of m goods and budgets of buyers [lo, hi), laid out as ops->columns says, from any source. */
wal_status wal_source_columns(const wal_source *source, int m, int64_t lo, int64_t hi, int64_t stride,
                              double *v, double *budget);
wal_status wal_source_columns32(const wal_source *source, int m, int64_t lo, int64_t hi, int64_t stride,
                                float *v, float *budget);

/* A dense source over caller-owned arrays: values[n, m] row-major, budget[n] (NULL: all 1).
   Borrows both arrays; they must outlive the source. */
wal_status wal_source_dense(int64_t n, int m, const double *values, const double *budget, wal_source **out);
void wal_source_destroy(wal_source *source);

typedef struct {
  int64_t n;        /* buyers, >= 1 */
  int m;            /* goods, >= 1 */
  int d;            /* context dimension; 0 when the source has none */
  double alpha;     /* CES parameter in [-inf, 1]; -INFINITY is Leontief, 0 Cobb-Douglas, 1 linear */
  bool quasilinear; /* alpha = 1 only: money left over counts as utility, u_i = <v_i, x_i> + what is left of
                       B_i */
  const wal_source *buyers; /* borrowed */
  const double *supply;     /* [m] Y_j > 0, borrowed */
  const float *goods;       /* [m, d] good contexts g_j, borrowed; NULL when d == 0 */
} wal_market;

/* Checks sizes, alpha, supplies and (one streamed pass) budgets and values; the message names the index.
   Every buyer must value some good and every good be valued by some buyer (reduce.h leaves out the others). A
   value may be 0 at alpha >= 0: the buyer takes none of the good; at alpha < 0 it would have no utility. */
wal_status wal_market_check(const wal_market *market);

/* What a buyer receives, as a function of the buyer: the seam `allocation`. Solvers return one of these, so a
   solution needs no n x m array unless its method keeps one. fill() is thread-safe. */
typedef struct wal_allocation wal_allocation;
typedef struct {
  const char *name;
  /* x_ij >= 0 of buyers [lo, hi) into x[hi-lo, m] row-major. */
  wal_status (*fill)(const wal_allocation *allocation, int64_t lo, int64_t hi, double *x);
  void (*destroy)(wal_allocation *allocation);
} wal_allocation_ops;
struct wal_allocation {
  const wal_allocation_ops *ops;
};
void wal_allocation_destroy(wal_allocation *allocation); /* accepts NULL */

/* Every buyer gets x[m] (copied). */
wal_status wal_allocation_constant(int m, const double *x, wal_allocation **out);
/* The x[m] of such an allocation, NULL of any other. */
const double *wal_allocation_constant_of(const wal_allocation *allocation);
/* The rows of x[n, m]; takes ownership of x (allocated with malloc), also on failure. */
wal_status wal_allocation_dense(int64_t n, int m, double *x, wal_allocation **out);
/* Every buyer's CES demand at prices p[m] (copied): x_ij = B_i s_ij / p_j. Borrows the market. */
wal_status wal_allocation_demand(const wal_market *market, const double *p, wal_allocation **out);
/* The same, times scale[m] (copied; NULL: 1) good by good, with shares s_ij ~ (v_ij/p_j)^power where power is
   not NaN: what exact solvers return when prices reach 0 (alpha = -inf) or demand is a limit (alpha = 1). */
wal_status wal_allocation_demand_scaled(const wal_market *market, double power, const double *p,
                                        const double *scale, wal_allocation **out);
/* What a demand allocation was made of, so that another processor can make it too; false for any other. */
typedef struct {
  const wal_market *market;
  double power;            /* NaN: of the market's alpha */
  const double *p, *scale; /* [m] borrowed */
} wal_demand_parts;
bool wal_allocation_demand_of(const wal_allocation *allocation, wal_demand_parts *out);

#endif
