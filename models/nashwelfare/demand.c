#include "models/nashwelfare/demand.h"

#include <math.h>
#include <stdlib.h>

#include "models/nashwelfare/demand_separable.h"

/* ---- programs of one agent ---- */

void wal_demand_program(wal_lp *lp, const wal_utility_lp *form, int *x, int *z) {
  *x = wal_lp_columns(lp);
  for (int j = 0; j < form->b.columns; j++) wal_lp_column(lp, 0, INFINITY, 0);
  *z = wal_lp_columns(lp);
  for (int c = 0; c < form->a.columns; c++) wal_lp_column(lp, 0, form->h[c], 0);
  const int row = wal_lp_rows(lp);
  for (int i = 0; i < form->a.rows; i++) wal_lp_row(lp, -INFINITY, form->r[i]);
  for (int c = 0; c < form->a.columns; c++)
    for (int k = form->a.start[c]; k < form->a.start[c + 1]; k++)
      wal_lp_set(lp, row + form->a.row[k], *z + c, form->a.value[k]);
  for (int j = 0; j < form->b.columns; j++)
    for (int k = form->b.start[j]; k < form->b.start[j + 1]; k++)
      wal_lp_set(lp, row + form->b.row[k], *x + j, -form->b.value[k]);
}

typedef struct {
  const wal_utility_lp *form;
  const double *p; /* [m] */
  double least;    /* a price below is 0 to the simplex method, which loses its way over tiny ones */
  wal_lp *lp;
  int x, z; /* first columns */
} program;

static wal_status begin(program *g, const wal_utility *u, const double *p, bool maximise) {
  *g = (program){.form = u->lp, .p = p, .lp = wal_lp_create(maximise)};
  for (int j = 0; j < u->m; j++) g->least = fmax(g->least, 1e-12 * p[j]);
  if (!g->lp) return wal_fail(WAL_E_MEMORY, "no memory for a linear program");
  wal_demand_program(g->lp, g->form, &g->x, &g->z);
  return WAL_OK;
}

static double price(const program *g, int j) { return g->p[j] >= g->least ? g->p[j] : 0; }

/* low <= <p, x> / unit <= high */
static int cost_row(program *g, double unit, double high) {
  const int row = wal_lp_row(g->lp, -INFINITY, high);
  for (int j = 0; j < g->form->b.columns; j++) wal_lp_set(g->lp, row, g->x + j, price(g, j) / unit);
  return row;
}

/* <c, z> / unit >= low */
static void utility_row(program *g, double unit, double low) {
  const int row = wal_lp_row(g->lp, low, INFINITY);
  for (int c = 0; c < g->form->a.columns; c++) wal_lp_set(g->lp, row, g->z + c, g->form->c[c] / unit);
}

/* The costs of the objective <c, z> - worth <p, x>. */
static void aim(program *g, double worth) {
  for (int c = 0; c < g->form->a.columns; c++) wal_lp_cost(g->lp, g->z + c, g->form->c[c]);
  for (int j = 0; j < g->form->b.columns; j++) wal_lp_cost(g->lp, g->x + j, -worth * price(g, j));
}

/* The optimal point's utility and cost; utility INFINITY: unbounded. */
static wal_status solve(program *g, wal_demand_set *out) {
  wal_lp_outcome outcome;
  const wal_status status = wal_lp_solve(g->lp, &outcome);
  if (status != WAL_OK) return status;
  *out = (wal_demand_set){0};
  if (outcome == WAL_LP_INFEASIBLE)
    return wal_fail(WAL_E_DIVERGED, "a demand's linear program, that has a point, was found to have none");
  if (outcome == WAL_LP_UNBOUNDED) out->utility = INFINITY;
  if (outcome == WAL_LP_UNBOUNDED) return WAL_OK;
  for (int c = 0; c < g->form->a.columns; c++) out->utility += g->form->c[c] * wal_lp_value(g->lp, g->z + c);
  for (int j = 0; j < g->form->b.columns; j++) out->cost += g->p[j] * wal_lp_value(g->lp, g->x + j);
  return WAL_OK;
}

/* ---- demand ---- */

static wal_status refuse(const wal_utility *u) {
  return wal_fail(WAL_E_UNSUPPORTED, "a %s utility is not piecewise linear: its demand is no linear program",
                  u->ops->name);
}

/* Answers for a separable utility; *done false: it is not. */
static wal_status buy(const wal_utility *u, const double *p, wal_pieces_until until, double limit,
                      wal_demand_set *out, bool *done) {
  if (!u->lp) return refuse(u);
  wal_pieces pieces;
  const wal_status status = wal_pieces_of(u->lp, &pieces);
  *done = pieces.count > 0;
  if (*done) {
    wal_pieces_sort(&pieces, p);
    *out = wal_pieces_buy(&pieces, until, limit);
  }
  wal_pieces_destroy(&pieces);
  return status;
}

wal_status wal_demand(const wal_utility *u, const double *p, double b, wal_demand_set *out) {
  bool done;
  wal_status status = buy(u, p, WAL_UNTIL_MONEY, b, out, &done);
  if (status == WAL_OK && !done) {
    program g;
    status = begin(&g, u, p, true);
    if (status != WAL_OK) return status;
    cost_row(&g, b, 1);
    aim(&g, 0);
    status = solve(&g, out);
    wal_lp_destroy(g.lp);
  }
  out->cost = b;
  return status;
}

wal_status wal_demand_cost(const wal_utility *u, const double *p, double utility, double *cost) {
  *cost = utility > u->satiation * (1 + 1e-9) ? INFINITY : 0;
  if (!(utility > 0) || *cost == INFINITY) return WAL_OK;
  utility = fmin(utility, u->satiation);
  bool done;
  wal_demand_set set;
  wal_status status = buy(u, p, WAL_UNTIL_UTILITY, utility, &set, &done);
  program g;
  if (status == WAL_OK && !done) {
    status = begin(&g, u, p, false);
    if (status != WAL_OK) return status;
    utility_row(&g, utility, 1);
    for (int j = 0; j < u->m; j++) wal_lp_cost(g.lp, g.x + j, price(&g, j));
    status = solve(&g, &set);
    wal_lp_destroy(g.lp);
  }
  *cost = set.cost;
  return status;
}

wal_status wal_demand_thrifty(const wal_utility *u, const double *p, double b, wal_demand_set *out) {
  const wal_status status = wal_demand(u, p, b, out);
  if (status != WAL_OK || out->utility == INFINITY) return status;
  return wal_demand_cost(u, p, out->utility, &out->cost);
}

/* ---- Gale demand ---- */

/* The best utility for a cost, V, is concave and piecewise linear; b log V(cost) - cost is searched between
   two points of V, costs in units of b (at most 1 by Lemma 4.1). On their chord the optimum has utility =
   slope, or is an end. The program max u - utility cost then tells that V has no point above that line
   there, or a point that becomes an end. */
static wal_status search(program *g, wal_demand_set low, wal_demand_set high, double b, wal_demand_set *out) {
  for (;;) {
    const double run = high.cost - low.cost, rise = high.utility - low.utility;
    const double slope = run > 0 ? rise / run : INFINITY;
    out->utility = fmin(fmax(slope, low.utility), high.utility);
    out->cost = rise > 0 ? low.cost + run * ((out->utility - low.utility) / rise) : low.cost;
    aim(g, out->utility / b);
    wal_demand_set top;
    const wal_status status = solve(g, &top);
    if (status != WAL_OK) return status;
    top.cost /= b;
    const double gain = top.utility - out->utility - out->utility * (top.cost - out->cost);
    const bool between = top.utility > low.utility && (top.utility < high.utility || top.cost < high.cost);
    if (!(gain > 1e-13 * out->utility) || !between) return WAL_OK;
    *(top.utility < out->utility ? &low : &high) = top;
  }
}

static wal_status search_all(program *g, double b, wal_demand_set *out) {
  const int row = cost_row(g, b, 1);
  aim(g, 0);
  wal_demand_set low, high;
  wal_status status = solve(g, &high);
  if (status != WAL_OK || high.utility == INFINITY) {
    *out = high;
    return status;
  }
  wal_lp_bound_row(g->lp, row, -INFINITY, 0);
  status = solve(g, &low);
  if (status != WAL_OK) return status;
  wal_lp_bound_row(g->lp, row, -INFINITY, 1);
  high.cost /= b;
  low.cost = 0;
  status = search(g, low, high, b, out);
  out->cost *= b;
  return status;
}

wal_status wal_demand_gale(const wal_utility *u, const double *q, double b, wal_demand_set *out) {
  bool done;
  wal_status status = buy(u, q, WAL_UNTIL_GALE, b, out, &done);
  if (status != WAL_OK || done) return status;
  program g;
  status = begin(&g, u, q, true);
  if (status == WAL_OK) status = search_all(&g, b, out);
  wal_lp_destroy(g.lp);
  return status;
}

/* ---- the set ---- */

double wal_demand_distance(const wal_utility *u, const double *p, double b, const wal_demand_set *set,
                           const double *x) {
  if (set->utility == INFINITY) return INFINITY;
  double cost = 0;
  for (int j = 0; j < u->m; j++) cost += p[j] * x[j];
  const double miss = set->utility > 0 ? 1 - wal_utility_value(u, x) / set->utility : 0;
  return fmax(0, fmax(miss, (cost - set->cost) / fmax(set->cost, b)));
}

/* A program whose points x are the set, at the first of them that it finds: the set's numbers are rounded, so
   to cost no more than this program's cheapest point is enough. */
static wal_status begin_set(program *g, const wal_utility *u, const double *p, const wal_demand_set *set) {
  if (!u->lp) return refuse(u);
  wal_status status = begin(g, u, p, false);
  if (status != WAL_OK) return status;
  const double unit = set->cost > 0 ? set->cost : 1;
  wal_demand_set cheapest;
  if (set->utility > 0) utility_row(g, set->utility, 1);
  for (int j = 0; j < u->m; j++) wal_lp_cost(g->lp, g->x + j, price(g, j) / unit);
  status = solve(g, &cheapest);
  for (int j = 0; j < u->m; j++) wal_lp_cost(g->lp, g->x + j, 0);
  cost_row(g, unit, fmax(set->cost, fmin(cheapest.cost, set->cost * (1 + 1e-9))) / unit);
  if (status != WAL_OK) wal_lp_destroy(g->lp);
  return status;
}

wal_status wal_demand_pick(const wal_utility *u, const double *p, const wal_demand_set *set, const double *c,
                           const double *low, const double *high, double *x, bool *found) {
  *found = false;
  if (set->utility == INFINITY) return WAL_OK;
  program g;
  wal_lp_outcome outcome;
  wal_status status = begin_set(&g, u, p, set);
  if (status != WAL_OK) return status;
  for (int j = 0; j < u->m; j++) {
    wal_lp_bound_column(g.lp, g.x + j, low ? fmax(low[j], 0) : 0, high ? high[j] : INFINITY);
    if (c) wal_lp_cost(g.lp, g.x + j, c[j]);
  }
  status = wal_lp_solve(g.lp, &outcome);
  if (status == WAL_OK && outcome == WAL_LP_UNBOUNDED)
    status = wal_fail(WAL_E_INPUT,
                      "the demand set has no point that is cheapest at these costs: it goes on for ever; "
                      "costs >= 0 work");
  *found = status == WAL_OK && outcome == WAL_LP_OPTIMAL;
  for (int j = 0; *found && j < u->m; j++) x[j] = fmax(0, wal_lp_value(g.lp, g.x + j));
  wal_lp_destroy(g.lp);
  return status;
}

wal_status wal_demand_excess(const wal_utility *u, const double *p, const wal_demand_set *set,
                             const double *high, double *excess) {
  *excess = INFINITY;
  if (set->utility == INFINITY) return WAL_OK;
  program g;
  wal_lp_outcome outcome;
  wal_status status = begin_set(&g, u, p, set);
  if (status != WAL_OK) return status;
  const int e = wal_lp_column(g.lp, 0, INFINITY, 1);
  for (int j = 0; j < u->m; j++) {
    if (high[j] == INFINITY) continue;
    const int row = wal_lp_row(g.lp, -INFINITY, high[j]);
    wal_lp_set(g.lp, row, g.x + j, 1);
    wal_lp_set(g.lp, row, e, -1);
  }
  status = wal_lp_solve(g.lp, &outcome);
  if (status == WAL_OK && outcome == WAL_LP_OPTIMAL) *excess = fmax(0, wal_lp_value(g.lp, e));
  wal_lp_destroy(g.lp);
  return status;
}
