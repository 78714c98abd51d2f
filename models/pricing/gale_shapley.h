/* Algorithm 1: a stable allocation by fractional Gale-Shapley with the cycle step, strongly polynomial. */
#ifndef WAL_PRICING_GALE_SHAPLEY_H
#define WAL_PRICING_GALE_SHAPLEY_H

#include <stdint.h>

#include "models/pricing/market.h"

typedef struct {
  int64_t calls;             /* of normal_update */
  int64_t cycles;            /* cycle steps */
  int64_t rounds;            /* of the main loop */
  int64_t failed_assertions; /* of the five printed ones: 0, or the paper or this program is wrong */
  int bits;                  /* exact: the longest numerator or denominator of a share bought */
} wal_gale_shapley_report;

/* All 0: the defaults. */
typedef struct {
  const int *order;   /* [n] which buyer proposes first; NULL: 0, 1, ...; equal items go by index */
  int64_t calls;      /* at most, WAL_E_DIVERGED then; 0: no limit */
  bool no_cycle_step; /* the plain loop, to show what the step is for */
} wal_gale_shapley_options;

/* In doubles, into out->x; rationals are not read. options, report: NULL for none. */
wal_status wal_gale_shapley(const wal_pricing_market *market, const wal_gale_shapley_options *options,
                            wal_pricing_allocation *out, wal_gale_shapley_report *report);
/* In rationals (market->exact), rounded into out->x, too. */
wal_status wal_gale_shapley_exact(const wal_pricing_market *market, const wal_gale_shapley_options *options,
                                  wal_pricing_allocation *out, wal_gale_shapley_report *report);
/* From a stable allocation x[n, m] in doubles to the rational one with the same support (shares over 1e-9),
   full items and spent budgets: their linear system, solved in rationals, and the result checked to be stable
   exactly. WAL_E_UNSUPPORTED: that system has not one solution, or an unstable one. */
wal_status wal_pricing_reconstruct(const wal_pricing_market *market, const double *x,
                                   wal_pricing_allocation *out);

#endif
