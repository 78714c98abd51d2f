/* Samples of types for frontier_bound.h: what law (17) makes of two agents and two resources. Private to
   models/mechanism and its tests. */
#ifndef WAL_MECHANISM_FRONTIER_SAMPLE_H
#define WAL_MECHANISM_FRONTIER_SAMPLE_H

#include "models/mechanism/frontier_bound.h"
#include "models/mechanism/frontier_table.h"

/* Two agents' types, and the probability (with lies about values only, of this kind of contest) that the
   sample stands for, over the number of samples of its kind. */
typedef struct {
  wal_frontier_type *types[2]; /* [n] owned */
  int n[2];
  double weight;
} wal_frontier_sample;

int64_t wal_frontier_samples(const wal_frontier_options *options);
wal_status wal_frontier_draw(const wal_frontier_options *options, int64_t k, wal_frontier_sample *out);
void wal_frontier_sample_destroy(wal_frontier_sample *sample);

/* PF's Nash welfare, and its exploitability by any value lies (not only those of the types), over the types
   of a problem: the law's own values, their range that of the options. */
wal_status wal_frontier_pf_level_of(const wal_frontier_problem *problem, const wal_frontier_options *options,
                                    wal_frontier_pf_level *out);

/* Mean PF Nash welfare of what no sample contains: with lies about values only, demands that no lie matters
 * for. */
double wal_frontier_settled(const wal_frontier_options *options);

/* The ratio v_0 / v_1 of two U(low, high) values that is exceeded with probability 1 - p, and the mean of
   (v_0, v_1) given it. */
double wal_frontier_ratio(double low, double high, double p);
void wal_frontier_mean_values(double low, double high, double ratio, double v[2]);

#endif
