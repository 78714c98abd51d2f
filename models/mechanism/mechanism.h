/* The seam `mechanism`: every way to allocate resources without money, behind one call. A member is one file
   and one row of the table in mechanism.c. */
#ifndef WAL_MECHANISM_MECHANISM_H
#define WAL_MECHANISM_MECHANISM_H

#include "models/mechanism/instances.h"
#include "models/nn/mlp.h"

typedef struct {
  double rho;   /* mixture: share of PF; 0.5 */
  double theta; /* vtheta: values to this power; 0.35 */
  double clip_one,
      clip_both;    /* clip: limits of the centred log values where one resource or several are contested */
  int width, depth; /* networks: hidden width; linear layers; 0: the kind's own */
  char activation[16];     /* relu | tanh | silu; "": the kind's own */
  wal_precision precision; /* of the network's products on a device; the CPU: WAL_FLOAT32 */
  uint64_t seed;           /* of the initial weights */
  bool polish;       /* solve PF to a strict KKT residual (wal_pf_options); false: faster, to tol only */
  int64_t max_batch; /* largest batch that vjp() will see; 0: 4096 */
} wal_mechanism_options;
wal_mechanism_options wal_mechanism_defaults(void);

typedef struct wal_mechanism wal_mechanism;
typedef struct {
  const char *name;   /* "pf" */
  const char *title;  /* "Proportional fairness" */
  const char *source; /* paper, equation, appendix */
  bool learned;       /* has a network to train */
  wal_status (*create)(int n, int m, const wal_mechanism_options *options, wal_mechanism **out);
  void (*destroy)(wal_mechanism *f);
  /* The allocation of the reports `in` into a [K, N, M]: feasible, 0 <= a <= x, sum_i a_im <= b_m. Safe from
     any thread and from inside parallel loops; an instance's bits do not depend on its neighbours. */
  wal_status (*allocate)(const wal_mechanism *f, const wal_instances *in, double *a);
  /* Gradients of sum(da * a): dv, dx [K, N, M] in the reports (NULL: not wanted), and, for learned kinds, the
     gradient of f->net's parameters, which is overwritten. K <= max_batch. NULL: the kind has no derivative.
   */
  wal_status (*vjp)(wal_mechanism *f, const wal_instances *in, const double *da, double *dv, double *dx);
  /* Of a mechanism that draws lots (mixture), NULL for the others: the two it draws from, with their
     probabilities; owned by f. */
  void (*lots)(const wal_mechanism *f, const wal_mechanism *part[], double probability[]);
} wal_mechanism_kind;

/* A kind's own struct begins with this one. */
struct wal_mechanism {
  const wal_mechanism_kind *kind;
  int n, m; /* instances of this shape only */
  wal_mechanism_options options;
  wal_mlp *net; /* owned; NULL: nothing is learned */
};

/* The members, in the order of tables; NULL-terminated. */
extern const wal_mechanism_kind *const wal_mechanism_kinds[];
/* NULL when there is none of that name. */
const wal_mechanism_kind *wal_mechanism_find(const char *name);

/* options NULL: defaults. WAL_E_INPUT names the kinds when there is none of that name. */
wal_status wal_mechanism_create(const char *name, int n, int m, const wal_mechanism_options *options,
                                wal_mechanism **out);
void wal_mechanism_destroy(wal_mechanism *f); /* accepts NULL */
/* What f draws from, at most WAL_LOTS deterministic mechanisms: itself with probability 1 unless it draws
   lots. Returns how many.
   An agent's utility and the welfare under f are the means of those under the parts, not those of the mean
   allocation that allocate() gives: sum_m v min(a, x) is concave in a where a report asked for more than x,
   and so is the product of utilities. Only what is linear (efficiency) may be read off allocate(). */
enum { WAL_LOTS = 2 };
int wal_mechanism_lots(const wal_mechanism *f, const wal_mechanism *part[WAL_LOTS],
                       double probability[WAL_LOTS]);

/* The front door: checks the shape, then kind->allocate. */
wal_status wal_mechanism_allocate(const wal_mechanism *f, const wal_instances *in, double *a);

#endif
