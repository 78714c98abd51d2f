/* One random network under Algorithms 1 to 3 and the price decrease of Lemma 7.8, each call checked. */
#ifndef WAL_EXPERIMENTS_NASHWELFARE_FLOW_STUDY_H
#define WAL_EXPERIMENTS_NASHWELFARE_FLOW_STUDY_H

#include <stdbool.h>
#include <stdint.h>

#include "models/common/status.h"

#define WAL_FLOW_FAMILIES "splc|leontief_free|network|deep_network"

typedef struct {
  const char *family; /* of WAL_FLOW_FAMILIES; the first three as in models/nashwelfare/families.h */
  bool gale;          /* prices and x of a maximum Nash welfare, full of ties; not for deep networks */
  int m, inner;       /* goods; inner nodes of a deep network */
  uint64_t seed;
} wal_flow_law;

typedef struct {
  int nodes, arcs;
  int budget_iterations, price_iterations; /* calls of Algorithms 1 and 2 that each took */
  int pullbacks, reroutes; /* checked calls of Algorithm 1, of Algorithm 2 with a largest x'_k */
  int unlimited;           /* calls of Algorithm 2 without one */
  int asked, low;          /* times that Algorithm 3 came to line 13; printed delta <= 1 */
  double budget_distance, price_distance; /* to GD(q, b'), GD(q', b) */
  double violation;                       /* of eq. 11 by any pair */
  double disagreement;                    /* of an LP and its maximum flow, relative to u */
  char fault[240];                        /* the first claim that failed; "": none */
} wal_flow_measure;

/* Instance k of the law: prices and budgets random, x a random corner of GD(q, b); or (gale) those of an
   agent where four agents' Nash welfare is largest. The smaller budget and the lower prices are random. */
wal_status wal_flow_measure_instance(const wal_flow_law *law, int64_t k, wal_flow_measure *out);

#endif
