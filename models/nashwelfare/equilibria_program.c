#include "models/nashwelfare/equilibria_program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/lp.h"
#include "models/nashwelfare/money.h"

/* z_k is column k, its choice column n + k, w_k row k. */
typedef struct {
  const wal_money *money;
  double *q;    /* [n] with the potentials' floors */
  double *most; /* [n] bounds of z */
  wal_lp *lp;
} program;

static double money_total(const wal_nw_market *market) {
  double total = 0;
  for (int i = 0; i < market->n; i++) total += market->budget[i];
  return total;
}

/* Bounds of z: prices and flows by all the money, an agent's potentials by 1000 times that. */
static void bound(program *g) {
  const wal_money *money = g->money;
  const int n = money->market->n, m = money->market->m, capped = money->capped;
  const double total = money_total(money->market), high = 1000 * total;
  double *most = g->most + capped;
  for (int k = 0; k < money->potentials; k++) most[k] = k < m ? total : high;
  most += money->potentials;
  for (int e = 0, rent = 0; e < money->arcs; e++) {
    const wal_money_arc *arc = &money->arc[e];
    most[e] = total;
    if (isfinite(arc->capacity)) g->most[rent++] = arc->gain * high;
  }
  most += money->arcs;
  for (int i = 0, s = 0; i < n; i++)
    if (isfinite(money->satiation[i])) most[s++] = money->market->budget[i] / money->satiation[i];
}

/* 0 <= z_k <= most_k y_k and 0 <= w_k <= (the most that w_k can be) (1 - y_k). */
static void write_rows(program *g) {
  const wal_lcp *lcp = &g->money->lcp;
  const int n = lcp->n;
  for (int k = 0; k < n; k++) wal_lp_column(g->lp, 0, g->most[k], 0);
  for (int k = 0; k < n; k++) {
    wal_lp_column(g->lp, 0, 1, 0);
    wal_lp_integer(g->lp, n + k);
    wal_lp_row(g->lp, -g->q[k], INFINITY);
  }
  for (int k = 0; k < n; k++) {
    const int upper = wal_lp_row(g->lp, -INFINITY, 0), chosen = wal_lp_row(g->lp, -INFINITY, 0);
    double high = g->q[k];
    for (int l = 0; l < n; l++) {
      const double a = lcp->m[(size_t)k * (size_t)n + (size_t)l];
      wal_lp_set(g->lp, k, l, a);
      wal_lp_set(g->lp, upper, l, a);
      high += fmax(0, a) * g->most[l];
    }
    wal_lp_bound_row(g->lp, upper, -INFINITY, high - g->q[k]);
    wal_lp_set(g->lp, upper, n + k, high);
    wal_lp_set(g->lp, chosen, k, 1);
    wal_lp_set(g->lp, chosen, n + k, -g->most[k]);
  }
}

/* With the choices made, the linear program without large bounds: z_k or w_k is 0. */
static wal_status settle(program *g, const double *cost, wal_lp_outcome *outcome) {
  const wal_lcp *lcp = &g->money->lcp;
  const int n = lcp->n, m = g->money->market->m;
  wal_lp *lp = wal_lp_create(false);
  if (!lp) return wal_fail(WAL_E_MEMORY, "no memory for a linear program");
  for (int k = 0; k < n; k++) {
    const bool on = wal_lp_value(g->lp, n + k) > 0.5;
    const int good = k - g->money->capped;
    wal_lp_column(lp, 0, on ? INFINITY : 0, good >= 0 && good < m ? cost[good] : 0);
    wal_lp_row(lp, -g->q[k], on ? -g->q[k] : INFINITY);
  }
  for (int k = 0; k < n; k++)
    for (int l = 0; l < n; l++) wal_lp_set(lp, k, l, lcp->m[(size_t)k * (size_t)n + (size_t)l]);
  wal_lp_destroy(g->lp);
  g->lp = lp;
  return wal_lp_solve(lp, outcome);
}

static wal_status judge(program *g, double *p, double *x, wal_program_outcome *outcome) {
  const wal_money *money = g->money;
  const wal_nw_market *market = money->market;
  const int m = market->m, capped = money->capped;
  memset(x, 0, (size_t)market->n * (size_t)m * sizeof(double));
  for (int j = 0; j < m; j++) p[j] = wal_lp_value(g->lp, capped + j) + money->level[j];
  for (int e = 0; e < money->arcs; e++) {
    const wal_money_arc *arc = &money->arc[e];
    if (arc->from < m)
      x[arc->agent * m + arc->from] +=
          fmax(0, wal_lp_value(g->lp, capped + money->potentials + e)) / p[arc->from];
  }
  wal_ce_report report;
  const wal_status status = wal_ce_check(market, x, p, &report);
  if (!status && wal_ce_holds(&report, 1e-7) && wal_ce_thrifty(&report, 1e-7)) *outcome = WAL_PROGRAM_FOUND;
  return status;
}

static wal_status choose(program *g, const double *cost, int nodes, double *p, double *x,
                         wal_program_outcome *outcome) {
  wal_lp_outcome ended;
  bound(g);
  write_rows(g);
  for (int j = 0; j < g->money->market->m; j++) wal_lp_cost(g->lp, g->money->capped + j, cost[j]);
  wal_lp_limit(g->lp, nodes);
  wal_status status = wal_lp_solve(g->lp, &ended);
  if (status == WAL_E_DIVERGED && nodes > 0) {
    *outcome = WAL_PROGRAM_STOPPED;
    return WAL_OK;
  }
  if (status || (ended != WAL_LP_OPTIMAL && ended != WAL_LP_FEASIBLE)) return status;
  status = settle(g, cost, &ended);
  return status || ended != WAL_LP_OPTIMAL ? status : judge(g, p, x, outcome);
}

/* q and the floors of the potentials: prices at `floor`, agents' nodes at a share of what that allows. */
static wal_status lift(program *g, wal_money *money, double floor) {
  const int n = money->market->n, m = money->market->m, rows = money->lcp.n;
  double *draw = calloc((size_t)(m + 2 * n), sizeof(double));
  if (!draw) return wal_fail(WAL_E_MEMORY, "no memory for floors");
  for (int j = 0; j < m; j++) draw[j] = floor * money_total(money->market);
  for (int i = 0; i < n; i++) draw[m + i] = 0.5;
  wal_money_cover(money, draw, draw + m, draw + m + n, g->q);
  for (int k = 0; k < rows; k++) g->q[k] += money->lcp.q[k];
  free(draw);
  return WAL_OK;
}

wal_status wal_equilibrium_program(const wal_nw_market *market, const double *cost, double floor, int nodes,
                                   double *p, double *x, wal_program_outcome *outcome) {
  wal_money money;
  *outcome = WAL_PROGRAM_NONE;
  wal_status status = wal_nw_market_check(market);
  if (!status) status = wal_money_create(market, &money);
  if (status) return status;
  const size_t rows = (size_t)money.lcp.n;
  program g = {&money, malloc(rows * sizeof(double)), malloc(rows * sizeof(double)), wal_lp_create(false)};
  status =
      g.q && g.most && g.lp ? lift(&g, &money, floor) : wal_fail(WAL_E_MEMORY, "no memory for a program");
  if (!status) status = choose(&g, cost, nodes, p, x, outcome);
  free(g.q);
  free(g.most);
  wal_lp_destroy(g.lp);
  wal_money_destroy(&money);
  return status;
}
