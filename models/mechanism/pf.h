/* Proportional fairness, plain (rpfnet, eq. 4) and regularised (eq. 9): for every instance of a batch

     min_a  - sum_i w_i log(v_i . a_i) + <a, z>   s.t.  0 <= a <= x,  sum_i a_im <= b_m,

   its duals, a certificate, and derivatives of a function of the allocation. */
#ifndef WAL_MECHANISM_PF_H
#define WAL_MECHANISM_PF_H

#include "models/mechanism/instances.h"

typedef struct {
  double tol;    /* stop when every complementarity product and residual is below: 1e-9 */
  int max_steps; /* interior-point steps: 100 */
  bool polish;   /* an active-set step at the end: KKT <= 1e-9 strictly, and gradients as exact as finite
                    differences (1e-8; otherwise about 1e5 tol near a kink). false while training: only what
                    does not converge is polished, and kept where its residual is then 1e-6 or less */
} wal_pf_options;
wal_pf_options wal_pf_defaults(void); /* tol 1e-9, 100 steps, polished */

/* Where results go; each may be NULL: not wanted. Caller-owned. */
typedef struct {
  double *a;      /* [K, N, M] the allocation; one of several where it is not unique */
  double *u;      /* [K, N] v_i . a_i of the reported values */
  double *lambda; /* [K, M] multipliers of the budgets, >= 0: the prices */
  double *mu;     /* [K, N, M] multipliers of a >= 0, >= 0 */
  double *nu;     /* [K, N, M] multipliers of a <= x, >= 0 */
  double *kkt;    /* [K] largest residual of the KKT system (11) and of feasibility, as wal_pf_kkt has it */
  int *steps;     /* [K] interior-point steps; 0: the demands fit */
} wal_pf_solution;

/* z [K, N, M] of either sign; NULL: 0, plain PF. Vectorised over instances, parallel over chunks of them
   (serial when called from inside a parallel loop); the bits of an instance's result do not depend on its
   neighbours. WAL_E_DIVERGED names an instance that did not reach tol.
   On a device (below): one call at a time, others wait; what is too small for it stays on the CPU, whose
   answer agrees to tol but not to the bit. */
wal_status wal_pf_solve(const wal_instances *in, const double *z, const wal_pf_options *options,
                        const wal_pf_solution *out);

/* Gradients of sum(da * a) in the inputs (section 4, Appendix D, with the corrections of docs/rpfnet.md);
   each may be NULL. Where the allocation is not differentiable: one of the subgradients, that of smallest
   norm. */
typedef struct {
  double *dv, *dx, *dz; /* [K, N, M] */
  double *db;           /* [K, M] */
  double *dw;           /* [K, N] */
} wal_pf_gradient;
/* Solves, then pulls da [K, N, M] back; `out` as for wal_pf_solve (NULL: not wanted). */
wal_status wal_pf_vjp(const wal_instances *in, const double *z, const double *da,
                      const wal_pf_options *options, const wal_pf_solution *out,
                      const wal_pf_gradient *gradient);

/* The seam: both of the above by one processor, for wal_device (models/common/device.h). */
typedef struct wal_pf_ops {
  int64_t least; /* entries K N M from which a batch is worth sending; below it the CPU is asked */
  int64_t busy;  /* entries K N M of a batch that keeps it busy */
  wal_status (*solve)(const wal_instances *in, const double *z, const wal_pf_options *options,
                      const wal_pf_solution *out);
  wal_status (*vjp)(const wal_instances *in, const double *z, const double *da, const wal_pf_options *options,
                    const wal_pf_solution *out, const wal_pf_gradient *gradient);
} wal_pf_ops;
extern const wal_pf_ops wal_pf_cpu;

/* Instances of n x m that one call had better have where a caller is free to choose: `cpu`, what suits the
   CPU, or more where a device wants more. */
int64_t wal_pf_batch(int n, int m, int64_t cpu);

/* wal_pf_cpu's vjp (da NULL: solve) for the `count` instances in list[] of the batch alone; the others'
   results stay as they are. For what a device did not solve. */
wal_status wal_pf_cpu_some(const wal_instances *in, const double *z, const double *da,
                           const wal_pf_options *options, const wal_pf_solution *out,
                           const wal_pf_gradient *gradient, const int64_t *list, int64_t count);

/* The largest KKT residual of the point's (a, lambda, mu, nu) for each instance into kkt [K], computed from
   nothing else. It has no unit: the same after any change of units of values, amounts and weights.

   An agent takes part when its weight and some v_im are positive where x_im and b_m are. An entry is open
   where its agent takes part, x_im > 0, b_m > 0 and v_im > 0 or z_im < 0; every other entry must be 0 and its
   multipliers say nothing. With u_i = v_i . a_i, p_im = w_i v_im / u_i, the size of an entry's multipliers
   d_im = max(p_im, |z_im|, lambda_m) and of its amounts k_im = min(x_im, b_m, u_i / v_im), the largest over
   open entries and resources with b_m > 0 of
     (11a) stationarity     |z_im - p_im - mu_im + nu_im + lambda_m| / d_im
     (11b) complementarity  |mu_im a_im| / (d_im k_im)
     (11c)                  |nu_im (x_im - a_im)| / (d_im k_im)
     (11d)                  (lambda_m / max(lambda_m, max_i p_im)) |b_m - sum_i a_im| / b_m
     feasibility            -a_im / k_im, (a_im - x_im) / k_im, (sum_i a_im - b_m) / b_m
     signs                  -mu_im / d_im, -nu_im / d_im; a negative lambda_m or a NaN is infinite.
   A closed entry counts |a_im| / min(x_im, b_m), infinite where that is 0 and a_im is not; an agent that
   takes part and has u_i = 0 is infinite. */
void wal_pf_kkt(const wal_instances *in, const double *z, const wal_pf_solution *point, double *kkt);

/* Whether a [K, N, M], an answer of wal_pf_solve, is the only optimal allocation of each instance, into
   unique [K]. Utilities are always unique; the allocation is not where amounts strictly between 0 and x_im
   can go around a circle of agents and resources (ties) at no loss to anybody. A closed entry is 0 by
   convention, though an agent may not mind to have it. */
wal_status wal_pf_unique(const wal_instances *in, const double *z, const double *a, bool *unique);

#endif
