#include "models/nashwelfare/gale_below.h"

#include <math.h>

#include "models/common/lp.h"

/* Agent i, whose program is max <c, z> : A z <= B x + r, z <= h, by its dual: pi >= 0 and mu >= 0 with
   A'pi + mu >= (b_i / u_i) c and B'pi <= q. r'pi + h'mu goes into row `total`. */
static void add_agent(wal_lp *lp, const wal_utility *u, double weight, int total) {
  const wal_utility_lp *p = u->lp;
  const int first = wal_lp_columns(lp);
  for (int row = 0; row < p->a.rows; row++)
    wal_lp_set(lp, total, wal_lp_column(lp, 0, INFINITY, 0), p->r[row]);
  for (int z = 0; z < p->a.columns; z++) {
    const int row = wal_lp_row(lp, weight * p->c[z], INFINITY);
    for (int e = p->a.start[z]; e < p->a.start[z + 1]; e++)
      wal_lp_set(lp, row, first + p->a.row[e], p->a.value[e]);
    if (!isfinite(p->h[z])) continue;
    const int mu = wal_lp_column(lp, 0, INFINITY, 0);
    wal_lp_set(lp, row, mu, 1);
    wal_lp_set(lp, total, mu, p->h[z]);
  }
  for (int j = 0; j < u->m; j++) {
    if (p->b.start[j] == p->b.start[j + 1]) continue;
    const int row = wal_lp_row(lp, -INFINITY, 0);
    wal_lp_set(lp, row, j, -1);
    for (int e = p->b.start[j]; e < p->b.start[j + 1]; e++)
      wal_lp_set(lp, row, first + p->b.row[e], p->b.value[e]);
  }
}

/* Columns: q, the excess, the dual value, then the agents' own. */
static void fill(wal_lp *lp, const wal_nw_market *market, const double *utility, const double *p) {
  const int m = market->m, excess = m, value = m + 1;
  for (int j = 0; j < m; j++) wal_lp_column(lp, 0, INFINITY, 0);
  wal_lp_column(lp, -INFINITY, INFINITY, 0);
  wal_lp_column(lp, 0, INFINITY, 1);
  const int total = wal_lp_row(lp, -INFINITY, 0);
  wal_lp_set(lp, total, value, -1);
  for (int j = 0; j < m; j++) {
    wal_lp_set(lp, total, j, 1);
    const int row = wal_lp_row(lp, -INFINITY, p[j]);
    wal_lp_set(lp, row, j, 1);
    wal_lp_set(lp, row, excess, -1);
  }
  for (int i = 0; i < market->n; i++)
    add_agent(lp, market->utility[i], market->budget[i] / utility[i], total);
}

static wal_status solve(wal_lp *lp) {
  wal_lp_outcome outcome;
  const wal_status status = wal_lp_solve(lp, &outcome);
  if (status != WAL_OK || outcome == WAL_LP_OPTIMAL) return status;
  return wal_fail(WAL_E_DIVERGED, "the linear program of the Gale prices has no solution; expected one");
}

/* First the least dual value, then the least excess at that value. */
static wal_status solve_twice(wal_lp *lp, int m) {
  wal_status status = solve(lp);
  if (status != WAL_OK) return status;
  wal_lp_bound_column(lp, m + 1, 0, wal_lp_objective(lp) * (1 + 1e-11));
  wal_lp_cost(lp, m + 1, 0);
  wal_lp_cost(lp, m, 1);
  return solve(lp);
}

wal_status wal_nw_gale_below(const wal_nw_market *market, const wal_nw_solution *solution, const double *p,
                             double *q, double *excess) {
  double budgets = 0;
  for (int i = 0; i < market->n; i++) {
    budgets += market->budget[i];
    if (!market->utility[i]->lp)
      return wal_fail(WAL_E_UNSUPPORTED, "agents[%d]: a %s utility has no linear program (plc works)", i,
                      market->utility[i]->ops->name);
  }
  wal_lp *lp = wal_lp_create(false);
  if (!lp) return wal_fail(WAL_E_MEMORY, "no memory for the Gale prices of %d goods", market->m);
  fill(lp, market, solution->u, p);
  const wal_status status = solve_twice(lp, market->m);
  for (int j = 0; status == WAL_OK && j < market->m; j++) {
    const double value = wal_lp_value(lp, j);
    q[j] = value > 1e-14 * budgets ? value : 0; /* the rest is rounding */
  }
  if (status == WAL_OK) *excess = wal_lp_objective(lp) / budgets;
  wal_lp_destroy(lp);
  return status;
}
