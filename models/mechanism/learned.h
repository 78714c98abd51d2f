/* What the learned kinds share: encode (instances -> rows of inputs of a network), the network (models/nn),
   decode (its outputs -> a feasible allocation), and the way back. A kind gives a table of these and has
   wal_learned_destroy, wal_learned_allocate and wal_learned_vjp as its own. */
#ifndef WAL_MECHANISM_LEARNED_H
#define WAL_MECHANISM_LEARNED_H

#include "models/mechanism/mechanism.h"

typedef struct {
  int rows;            /* R: rows of the network for one instance: 1, or one for each agent, entry, ... */
  int inputs, outputs; /* of a row */
  int context;         /* doubles of prepare() for one instance; 0: none */
  int width, depth;    /* the kind's own, where the options leave them 0 */
  wal_activation activation;
} wal_learned_shape;

typedef struct wal_learned wal_learned;
/* A few instances (any count), and what a kind has computed of them once for all of its functions. */
typedef struct {
  wal_instances in;
  double *context;  /* [K * shape.context], laid out as the kind likes; NULL where that is 0 */
  double *dcontext; /* its gradient, which the functions add to; NULL: not wanted */
} wal_learned_batch;

/* All functions work on the caller's thread and leave `f` as it is; an instance's result does not depend on
   its neighbours. dv, dx: [K, N, M]. */
typedef struct {
  wal_learned_shape (*shape)(int n, int m);
  /* Into q->context; adds the gradient of sum(dcontext * context) to dv, dx. NULL where there is none. */
  wal_status (*prepare)(const wal_learned *f, const wal_learned_batch *q);
  wal_status (*prepare_vjp)(const wal_learned *f, const wal_learned_batch *q, double *dv, double *dx);
  /* The network's inputs into rows [K, R, inputs]: finite whatever the (valid) reports are. */
  wal_status (*encode)(const wal_learned *f, const wal_learned_batch *q, float *rows);
  /* Adds the gradient of sum(drows * rows) to dv, dx and q->dcontext. */
  wal_status (*encode_vjp)(const wal_learned *f, const wal_learned_batch *q, const float *drows, double *dv,
                           double *dx);
  /* The allocation a [K, N, M] from the network's outputs y [K, R, outputs]; feasible for any finite y. */
  wal_status (*decode)(const wal_learned *f, const wal_learned_batch *q, const float *y, double *a);
  /* The gradient of sum(da * a) in y into dy [K, R, outputs] and, where dv is not NULL (nor dx then), what
     the reports do to a beside the network: overwrites dv, dx, adds to q->dcontext. */
  wal_status (*decode_vjp)(const wal_learned *f, const wal_learned_batch *q, const float *y, const double *da,
                           float *dy, double *dv, double *dx);
} wal_learned_ops;

struct wal_learned {
  wal_mechanism base;
  const wal_learned_ops *ops;
  wal_learned_shape shape;    /* with the options' width, depth and activation */
  int64_t part;               /* instances that go through the network together in vjp() */
  float *x, *dx;              /* [part, R, inputs] */
  float *y, *dy;              /* [part, R, outputs] */
  double *context, *dcontext; /* [part * context] */
  float *gradient;            /* [parameters] the sum over parts */
};

/* The options' activation, or `standard` where it is "". */
wal_status wal_learned_activation(const char *name, wal_activation standard, wal_activation *out);

wal_status wal_learned_create(const wal_mechanism_kind *kind, const wal_learned_ops *ops, int n, int m,
                              const wal_mechanism_options *options, wal_mechanism **out);
void wal_learned_destroy(wal_mechanism *f);
/* In parallel over chunks of instances. */
wal_status wal_learned_allocate(const wal_mechanism *f, const wal_instances *in, double *a);
/* Any number of instances: larger batches than `part` go through the network in parts, whose gradients are
   added in order. */
wal_status wal_learned_vjp(wal_mechanism *f, const wal_instances *in, const double *da, double *dv,
                           double *dx);

#endif
