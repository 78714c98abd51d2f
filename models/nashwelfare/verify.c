#include "models/nashwelfare/verify.h"

#include <math.h>
#include <stdlib.h>

#include "models/nashwelfare/demand_separable.h"

static double dot(int m, const double *p, const double *x) {
  double sum = 0;
  for (int j = 0; j < m; j++) sum += p[j] * x[j];
  return sum;
}

static double sold(const wal_nw_market *market, const double *x, int good) {
  double sum = 0;
  for (int i = 0; i < market->n; i++) sum += x[i * market->m + good];
  return sum;
}

static double money(const wal_nw_market *market) {
  double sum = 0;
  for (int i = 0; i < market->n; i++) sum += market->budget[i];
  return sum;
}

/* ---- competitive equilibria ---- */

static void check_goods(const wal_nw_market *market, const double *x, const double *p, wal_ce_report *out) {
  for (int j = 0; j < market->m; j++) {
    const double left = 1 - sold(market, x, j);
    out->oversold = fmax(out->oversold, -left);
    out->unsold = fmax(out->unsold, p[j] * left / money(market));
  }
}

static wal_status check_agent(const wal_nw_market *market, const double *x, const double *p, int i,
                              wal_ce_report *out) {
  const wal_utility *u = market->utility[i];
  const double b = market->budget[i], spent = dot(market->m, p, &x[i * market->m]);
  const double worth = wal_utility_value(u, &x[i * market->m]);
  wal_demand_set best;
  double cheapest;
  wal_status status = wal_demand(u, p, b, &best);
  if (status == WAL_OK) status = wal_demand_cost(u, p, worth, &cheapest);
  if (status != WAL_OK) return wal_fail_in(status, "agent %d: ", i);
  const double ratio = worth > 0 ? best.utility / worth : INFINITY;
  if (ratio > out->demand_ratio) out->worst_agent = i;
  out->demand_ratio = fmax(out->demand_ratio, ratio);
  out->overspent = fmax(out->overspent, (spent - b) / b);
  out->waste = fmax(out->waste, (spent - cheapest) / b);
  for (int k = 0; k < market->n; k++) {
    const double other = wal_utility_value(u, &x[k * market->m]);
    if (other > 0) out->envy = fmax(out->envy, other / worth);
  }
  return WAL_OK;
}

wal_status wal_ce_check(const wal_nw_market *market, const double *x, const double *p, wal_ce_report *out) {
  *out = (wal_ce_report){0};
  for (int j = 0; j < market->m; j++)
    if (!(p[j] >= 0 && p[j] < INFINITY))
      return wal_fail(WAL_E_INPUT, "the price of good %d is %g; expected a number that is not negative", j,
                      p[j]);
  for (int k = 0; k < market->n * market->m; k++)
    if (!(x[k] >= 0 && x[k] < INFINITY))
      return wal_fail(WAL_E_INPUT, "agent %d has %g of good %d; expected a number that is not negative",
                      k / market->m, x[k], k % market->m);
  check_goods(market, x, p, out);
  wal_status status = WAL_OK;
  for (int i = 0; status == WAL_OK && i < market->n; i++) status = check_agent(market, x, p, i, out);
  return status;
}

bool wal_ce_holds(const wal_ce_report *report, double tol) {
  return report->oversold <= tol && report->unsold <= tol && report->overspent <= tol &&
         report->demand_ratio <= 1 + tol;
}

bool wal_ce_thrifty(const wal_ce_report *report, double tol) {
  return wal_ce_holds(report, tol) && report->waste <= tol;
}

/* ---- maximum Nash welfare ---- */

/* Adds an agent's segments, worth `weight` times their slope. *separable false: it has none. */
static wal_status add_pieces(const wal_utility_lp *form, double weight, wal_pieces *all, bool *separable) {
  wal_pieces own;
  wal_status status = wal_pieces_of(form, &own);
  *separable = own.count > 0;
  if (status == WAL_OK && *separable) {
    wal_piece *list = realloc(all->list, (size_t)(all->count + own.count) * sizeof *list);
    if (!list) status = wal_fail(WAL_E_MEMORY, "no memory for %d segments", all->count + own.count);
    if (list) all->list = list;
    for (int k = 0; status == WAL_OK && k < own.count; k++) {
      list[all->count] = own.list[k];
      list[all->count++].slope *= weight;
    }
  }
  wal_pieces_destroy(&own);
  return status;
}

/* One unit of each good to the segments that are worth most. */
static wal_status fill_pieces(int m, wal_pieces *all, double *value) {
  double *left = malloc((size_t)m * sizeof *left);
  if (!left) return wal_fail(WAL_E_MEMORY, "no memory for %d goods", m);
  for (int j = 0; j < m; j++) left[j] = 1;
  wal_pieces_sort(all, left);
  *value = 0;
  for (int k = 0; k < all->count; k++) {
    const wal_piece *piece = &all->list[k];
    const double given = fmin(piece->length, left[piece->good]);
    *value += piece->slope * given;
    left[piece->good] -= given;
  }
  free(left);
  return WAL_OK;
}

/* max sum_i weight_i u_i(z_i) over all allocations of one unit of each good, where every utility is
   separable; *done false: one is not. */
static wal_status best_separable(const wal_nw_market *market, const double *weight, double *value,
                                 bool *done) {
  wal_pieces all = {0};
  wal_status status = WAL_OK;
  *done = true;
  for (int i = 0; status == WAL_OK && *done && i < market->n; i++)
    status = add_pieces(market->utility[i]->lp, weight[i], &all, done);
  if (status == WAL_OK && *done) status = fill_pieces(market->m, &all, value);
  wal_pieces_destroy(&all);
  return status;
}

/* The same for any piecewise-linear utilities, by a linear program. */
static wal_status best_allocation(const wal_nw_market *market, const double *weight, double *value) {
  wal_lp *lp = wal_lp_create(true);
  if (!lp) return wal_fail(WAL_E_MEMORY, "no memory for a linear program");
  for (int j = 0; j < market->m; j++) wal_lp_row(lp, -INFINITY, 1);
  for (int i = 0; i < market->n; i++) {
    const wal_utility_lp *form = market->utility[i]->lp;
    int x, z;
    wal_demand_program(lp, form, &x, &z);
    for (int j = 0; j < market->m; j++) wal_lp_set(lp, j, x + j, 1);
    for (int c = 0; c < form->a.columns; c++) wal_lp_cost(lp, z + c, weight[i] * form->c[c]);
  }
  wal_lp_outcome outcome;
  wal_status status = wal_lp_solve(lp, &outcome);
  *value = outcome == WAL_LP_OPTIMAL ? wal_lp_objective(lp) : NAN;
  if (status == WAL_OK && outcome != WAL_LP_OPTIMAL)
    status = wal_fail(WAL_E_DIVERGED, "the program over all allocations has no optimum");
  wal_lp_destroy(lp);
  return status;
}

/* The concave logarithm is below its tangent: sum_i b_i log(u_i(z_i) / u_i(y_i)) is at most
   sum_i b_i (u_i(z_i) / u_i(y_i) - 1) for every z. */
wal_status wal_nw_gap_check(const wal_nw_market *market, const double *y, double *gap) {
  double *weight = malloc((size_t)market->n * sizeof *weight), best = 0;
  wal_status status = weight ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for %d agents", market->n);
  *gap = INFINITY;
  bool worthless = false;
  for (int i = 0; status == WAL_OK && i < market->n; i++) {
    const wal_utility *u = market->utility[i];
    if (!u->lp)
      status = wal_fail(WAL_E_UNSUPPORTED, "agent %d: a %s utility is no linear program", i, u->ops->name);
    weight[i] = market->budget[i] / wal_utility_value(u, &y[i * market->m]);
    worthless = worthless || weight[i] == INFINITY;
  }
  if (status == WAL_OK && !worthless) {
    bool done;
    status = best_separable(market, weight, &best, &done);
    if (status == WAL_OK && !done) status = best_allocation(market, weight, &best);
    *gap = best / money(market) - 1;
  }
  free(weight);
  return status;
}

wal_status wal_nw_gale_check(const wal_nw_market *market, const double *y, const double *q,
                             double *distance) {
  *distance = 0;
  for (int j = 0; j < market->m; j++) {
    const double left = 1 - sold(market, y, j);
    *distance = fmax(*distance, fmax(-left, q[j] * left / money(market)));
  }
  for (int i = 0; i < market->n; i++) {
    wal_demand_set gale;
    const double b = market->budget[i];
    const wal_status status = wal_demand_gale(market->utility[i], q, b, &gale);
    if (status != WAL_OK) return wal_fail_in(status, "agent %d: ", i);
    *distance = fmax(*distance, wal_demand_distance(market->utility[i], q, b, &gale, &y[i * market->m]));
  }
  return WAL_OK;
}
