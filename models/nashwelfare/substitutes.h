/* Search for counterexamples to the properties of Definition 2.14 and to submodularity (section 8). */
#ifndef WAL_NASHWELFARE_SUBSTITUTES_H
#define WAL_NASHWELFARE_SUBSTITUTES_H

#include <stdint.h>

#include "models/nashwelfare/demand.h"

typedef enum {
  WAL_SUBSTITUTES_PRICES, /* (i): y in GD(q, b), q' <= q: a y' in GD(q', b), y'_j <= y_j where q'_j = q_j */
  WAL_SUBSTITUTES_BUDGET, /* (ii): y in GD(q, b), b' < b: a y' in GD(q, b'), y' <= y */
  WAL_SUBSTITUTES_SIGMA,  /* (Sigma): y in GD(0, b): a y' in GD(q, b), y' <= y */
  WAL_SUBSTITUTES_SUBMODULAR, /* u(x) + u(y) >= u(x v y) + u(x ^ y) */
} wal_substitutes_property;

typedef struct {
  const wal_utility *u;
  const double *c, *q; /* [m], [m, m] of a quadratic one; NULL: it is piecewise linear */
} wal_substitutes_agent;

typedef struct {
  bool tried;    /* false: the property says nothing here, as prices are outside of FQ */
  double excess; /* how much of a good the best y' has too much, over the largest y_j; of submodularity: the
                    shortfall over u(x) + u(y). 0: holds */
} wal_substitutes_trial;

/* Trial k: prices (in every other trial such that GD has ties), budget, and a y that no other in its Gale
   demand is below, are functions of (seed, k). */
wal_status wal_substitutes_try(const wal_substitutes_agent *agent, wal_substitutes_property property,
                               uint64_t seed, int64_t k, wal_substitutes_trial *out);

#endif
