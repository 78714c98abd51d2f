/* Proportional fairness, plain (rpfnet, eq. 4) and regularised (eq. 9): for every instance of a batch

     min_a  - sum_i w_i log(v_i . a_i) + <a, z>   s.t.  0 <= a <= x,  sum_i a_im <= b_m,

   its duals, a certificate, and derivatives of a function of the allocation. */
#ifndef WAL_MECHANISM_PF_H
#define WAL_MECHANISM_PF_H

#include "models/mechanism/instances.h"

typedef struct {
  double tol;    /* stop when every complementarity product and residual is below: 1e-9 */
  int max_steps; /* interior-point steps: 100 */
  bool polish;   /* an active-set step at the end: KKT <= 1e-9 strictly; false while training */
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
   neighbours. WAL_E_DIVERGED names an instance that did not reach tol. */
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

/* The largest KKT residual of (a, lambda, mu, nu) for each instance into kkt [K], computed from nothing else:
   stationarity (11a) times u_i, complementarity (11b-d), feasibility and signs. */
void wal_pf_kkt(const wal_instances *in, const double *z, const wal_pf_solution *point, double *kkt);

#endif
