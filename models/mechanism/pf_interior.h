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
#include "models/mechanism/simd64.h"

typedef struct {
  int n, m; /* agents and resources of the largest lane */
  /* [n, m] values, z, allocation a, t = x - a and the multipliers of a >= 0 and t >= 0. An entry that is not
     there: v = z = a = mu = nu = 0, t = 1. */
  wal_vec64 *v, *z, *a, *t, *mu, *nu;
  wal_vec64 *d, *g, *step, *first, *dmu, *dnu; /* [n, m] 1 / (mu/a + nu/t), right side, directions */
  wal_vec64 *u0;                               /* [n] utility from entries that are decided already */
  wal_vec64 *w, *u,
      *y; /* [n] weights, utilities, their duals; an agent that is not there: w = y = 0, u = 1 */
  wal_vec64 *k, *du, *dy,
      *cross;            /* [n] y / (u + y v'Dv), directions, product of the predictor's directions */
  wal_vec64 *s, *lambda; /* [m] budgets left over, prices; a resource that is not there: 1, 0 */
  wal_vec64 *omega;      /* [m] weight of the product s lambda */
  wal_vec64 *r, *dlambda, *used,
      *cross_s;       /* [m] right side, direction, sum of the agents' steps, as `cross` */
  wal_vec64 *chol;    /* [m (m + 1) / 2] L of L D L' by rows, 1/D on the diagonal */
  wal_mask64 running; /* lanes that have not converged */
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

/* The matrix at the present point: d, k and chol. */
void wal_pf_group_factor(wal_pf_group *group);
/* Solves K_i step_i + dlambda = g_i, sum_i step_i - (s/lambda) dlambda = -r with the last matrix, for the
   group's g and r. Leaves step, du = v . step, used = sum_i step_i and dlambda. */
void wal_pf_group_direction(wal_pf_group *group, wal_vec64 *step);

#endif
