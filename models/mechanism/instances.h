/* Allocation problems without money (rpfnet, section 2): N agents with values and demands, M divisible
   resources with budgets. A batch of K of them is three arrays; metrics and the paper's laws of random ones.
 */
#ifndef WAL_MECHANISM_INSTANCES_H
#define WAL_MECHANISM_INSTANCES_H

#include <stdbool.h>
#include <stdint.h>

#include "models/common/status.h"

/* Borrowed arrays, row-major. An agent takes part when its weight and some v_im x_im b_m are positive; the
   others are allocated nothing and have utility 0. */
typedef struct {
  int64_t count;   /* K >= 0 */
  int n, m;        /* agents N >= 1, resources M >= 1 */
  const double *v; /* [K, N, M] values, >= 0 */
  const double *x; /* [K, N, M] demands, >= 0 */
  const double *b; /* [K, M] budgets, >= 0 */
  const double *w; /* [K, N] weights, >= 0; NULL: all 1 */
} wal_instances;

/* Instances [first, first + count) of the batch. */
wal_instances wal_instances_part(const wal_instances *in, int64_t first, int64_t count);
/* Negative, NaN or infinite entries: WAL_E_INPUT naming the array and the index ("values[3,0,1] is nan;
 * ..."). */
wal_status wal_instances_check(const wal_instances *in);
/* The same for a part of a larger batch, whose first instance is the `first` of it in messages; -1: for a
   single instance, whose index is left out ("values[0,1]"). */
wal_status wal_instances_check_part(const wal_instances *in, int64_t first);

bool wal_instance_takes_part(const wal_instances *in, int64_t k, int i);

/* v . min(a, x) of one agent (eq. 1): v, x the truth, a what some reports led to; all [M]. */
double wal_utility(int m, const double *v, const double *x, const double *a);
/* u_i = sum_m v_im min(a_im, x_im) (eq. 1) under `in`, the truth, into u [K, N], of the allocation a [K, N,
   M] that some reports led to. */
void wal_utilities(const wal_instances *in, const double *a, double *u);
/* Nash social welfare prod_i u_i^w_i (eq. 2) of each instance, into nsw [K]: 0 where an agent of positive
   weight has none. active: over the agents that take part only; 1 where there are none. */
void wal_nash_welfare(const wal_instances *in, const double *u, bool active, double *nsw);
/* sum of the allocation over sum of the budgets (section 6), into efficiency [K]. */
void wal_efficiency(const wal_instances *in, const double *a, double *efficiency);

/* ---- random instances ---- */

typedef enum {
  WAL_LAW_UNIFORM,    /* (17): v, x ~ U(low, high), each demand kept with probability `demanded` */
  WAL_LAW_PERTURBED,  /* (18): the same plus Cauchy(0, scale), projected to [low, high] */
  WAL_LAW_ADVERSARIAL /* (19): every agent reports its best misreport under PF, alone against the others'
                         truth */
} wal_law_kind;

typedef struct {
  wal_law_kind kind;
  int n, m;
  double low, high; /* 0.1, 1 */
  double demanded;  /* probability that a demand is not 0: 0.5; (19) has 1 */
  double scale;     /* of the Cauchy perturbation: 0.01 */
  double budget;    /* of each resource, a fraction of N: 0.5 */
  uint64_t seed;
  uint32_t stream; /* WAL_STREAM_TRAINING or WAL_STREAM_HELD_OUT: the two never share an instance */
} wal_law;
/* The paper's law (17) with N agents, M resources, b = N/2, on the stream WAL_STREAM_HELD_OUT. */
wal_law wal_law_default(int n, int m, uint64_t seed);
/* "uniform", "perturbed", "adversarial"; WAL_E_INPUT names the three otherwise. */
wal_status wal_law_parse(const char *name, wal_law_kind *kind);

/* A batch that owns its arrays. */
typedef struct {
  wal_instances in;      /* over the arrays below */
  double *v, *x, *b, *w; /* w NULL: all 1 */
} wal_owned_instances;
wal_status wal_instances_create(int64_t count, int n, int m, bool weights,
                                wal_owned_instances *out); /* zeroed */
void wal_instances_destroy(wal_owned_instances *in);       /* accepts a zeroed struct */

/* Instances first, first + 1, ... of the law into the batch's own arrays (its count, n and m): instance k has
   the same bits wherever and with whatever neighbours it is drawn. */
wal_status wal_law_draw(const wal_law *law, int64_t first, wal_owned_instances *out);

#endif
