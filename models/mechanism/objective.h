/* What training minimises, and its gradient in the allocations (rpfnet, eq. 10). Private to
   models/mechanism. */
#ifndef WAL_MECHANISM_OBJECTIVE_H
#define WAL_MECHANISM_OBJECTIVE_H

#include "models/mechanism/instances.h"

/* The reports of a step: the truth of K instances and R lies, lie r the truth of instance[r] but for the
   report of agent[r], its best misreport. By the envelope theorem the gradient of the exploitability is that
   at these reports, held where they are. All borrowed. */
typedef struct {
  const wal_instances *truth; /* K */
  const double *importance;   /* [K] weights, 1 in the mean: E[y] = (1/K) sum_k importance_k y_k */
  int64_t lies;               /* R */
  const int64_t *instance;    /* [R] */
  const int *agent;           /* [R] */
  int64_t attacked;           /* the first ones of the truth, to which importance belongs; 0: all K */
  const double *weight;       /* [K] of the welfare: its mean over PF's is sum_k weight_k NSW_k / reference_k;
                                 NULL: importance_k / K */
  const double *reference;    /* [K] NSW of PF; looked at where weight is given */
} wal_deviations;

/* sum_i gamma_i expl_unit E[expl_i] less the welfare: E[sum_i w_i log u_i] over the agents that take part
   (eq. 10, with expl_unit 1), or E[NSW] / nsw_scale, NSW over all agents or over those that take part. */
typedef struct {
  bool log;
  bool active;         /* NSW over the agents that take part, of the value too */
  const double *gamma; /* [N] */
  double expl_unit;
  double nsw_scale; /* NSW of PF */
} wal_objective;

typedef struct {
  double loss;
  double nsw;  /* E[NSW] */
  double expl; /* E[(1/N) sum_i expl_i] */
} wal_objective_value;

/* At the allocations a [K + R, N, M], those of the truth first: the value; E[expl_i] into expl [N]; the
   gradient into da [K + R, N, M]. scratch [2, K, N]. */
wal_objective_value wal_objective_gradient(const wal_objective *objective, const wal_deviations *d,
                                           const double *a, double *scratch, double *expl, double *da);

#endif
