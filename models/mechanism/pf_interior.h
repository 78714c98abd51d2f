/* The interior point behind pf.h: as many instances side by side as a vector register has lanes. An instance
   arrives here reduced to the agents, resources and entries that are left to decide, and in units where
   budgets, utilities and the largest weight are near 1. Nothing mixes lanes, and an entry, agent or resource
   that a lane lacks adds an exact 0: bits depend on neither neighbours nor the size of the group.

   Stationarity is written with one more dual per agent, y_i with u_i y_i = w_i, so that it is linear:
   - y_i v_im + z_im + lambda_m + nu_im - mu_im = 0. From a strictly feasible point every step keeps it, and
   Mehrotra's predictor and corrector drive the products to w_i a multiple that falls to 0. A step costs one
   system in the M prices, since each agent's block K_i = diag(mu/a + nu/t) + (y_i/u_i) v_i v_i' is inverted
   by a formula. */
#ifndef WAL_MECHANISM_PF_INTERIOR_H
#define WAL_MECHANISM_PF_INTERIOR_H

#include "models/common/status.h"
#include "models/mechanism/pf_formulas.h"

typedef struct {
  int n, m; /* agents and resources of the largest lane */
  /* [n, m] values, z, allocation a, t = x - a and the multipliers of a >= 0 and t >= 0. An entry that is not
     there: v = z = a = mu = nu = 0, t = 1. */
  wal_vec64 *v, *z, *a, *t, *mu, *nu;
  wal_vec64 *d, *ia, *it;              /* [n, m] 1 / (mu/a + nu/t), 1/a, 1/t; 0 where no entry is */
  wal_vec64 *first, *step, *dmu, *dnu; /* [n, m] the predictor's direction of a; the whole direction */
  /* [n] decided utility, weights, utilities, their duals. An agent that is not there: w = y = 0, u = 1. */
  wal_vec64 *u0, *w, *u, *y;
  wal_vec64 *iu, *iy;             /* [n] 1/u and 1/y; 0 and something large where no agent is */
  wal_vec64 *k, *du, *dy, *cross; /* [n] y / (u + y v'Dv), directions, the predictor's du dy */
  /* [m] budgets left over, prices, weights of s lambda. A resource that is not there: s = lambda = 0. */
  wal_vec64 *s, *lambda, *omega;
  wal_vec64 *dlambda, *used, *row; /* [m] direction, sum of the agents' directions, one agent's */
  wal_vec64 *chol;                 /* [m (m + 1) / 2] L of L D L' by rows, 1/D on the diagonal */
  wal_vec64 weight;                /* sum of the weights of all products */
  wal_mask64 running;              /* lanes that have not converged */
  int steps[WAL_LANES64];
  void *memory;
} wal_pf_group;

/* Room for groups of at most n agents and m resources. */
wal_status wal_pf_group_create(int n, int m, wal_pf_group *group);
void wal_pf_group_destroy(wal_pf_group *group); /* accepts a zeroed struct */

/* Lays the arrays out for n x m, at most what the group was created for, every lane empty. */
void wal_pf_group_clear(wal_pf_group *group, int n, int m);

/* Fills what follows from v, z, t = x, u0, w, s = b and omega of the lanes: a start strictly inside. */
void wal_pf_group_start(wal_pf_group *group);
/* Steps until every lane's products are below tol times their weights, or max_steps; the lanes still running
   then have failed. */
void wal_pf_group_solve(wal_pf_group *group, double tol, int max_steps);

/* The matrix of the point that a, t, mu, nu, u, y, s and lambda hold now; wal_pf_group_solve leaves its last
   point's. */
void wal_pf_group_factor(wal_pf_group *group);
/* With the matrix, solves K_i step_i + dlambda = dmu_i, sum_i step_i - (s/lambda) dlambda =
   0 for step, dlambda and du = v . step; dmu holds what the caller put there. */
void wal_pf_group_pull(wal_pf_group *group);

#endif
