/* The set of Gale prices. With the utilities' multipliers w_i = b_i / u_i it is all q of (q, pi) >= 0 that
   complement one optimal allocation: for each agent, G_i' pi_i + T_i' q >= 0 in columns below their bound,
   <= 0 in columns above 0, pi = 0 in rows with slack; q_j = 0 for goods left over. */
#include <math.h>
#include <stdlib.h>

#include "models/common/lp.h"
#include "models/nashwelfare/nash_welfare.h"
#include "models/nashwelfare/nash_welfare_program.h"

/* What counts as 0 of an amount, in goods or as money in terms of the budget. */
static const double nothing = 1e-6;

typedef struct {
  const wal_nw_program *p;
  const wal_nw_solution *at;
  double money;       /* sum of the budgets: prices in the program are shares of it */
  double *low, *high; /* [m] as shares */
} range;

/* An amount of good j this small is none to the agent. */
static double trifle(const range *d, const wal_nw_block *a, int j) {
  const double price = d->at->q[j] / d->money;
  return nothing * fmin(1, price > 0 ? a->budget / price : 1);
}

/* Every column takes one good, and there are no inner rows. */
static bool separable(const wal_nw_block *a) {
  for (int c = 0; c < a->columns && a->rows == 1; c++)
    if (a->start[c + 1] - a->start[c] != 2 || a->at[a->start[c]] >= a->goods ||
        a->at[a->start[c] + 1] != a->goods)
      return false;
  return a->rows == 1;
}

/* Prices from the slopes of a separable utility at y: w times the slope of every segment that is begun is at
   least the price, of every one that is not full at most. Segments of a good are filled by falling slope. */
static void bound_by_slopes(range *d, const wal_nw_block *a, const double *y, double w) {
  for (int c = 0; c < a->columns; c++) {
    const int local = a->at[a->start[c]], j = a->good[local];
    const double slope = -a->value[a->start[c] + 1] / a->value[a->start[c]], small = trifle(d, a, j);
    double begin = 0, end = 0;
    for (int f = 0; f < a->columns; f++) {
      const int e = a->start[f];
      if (a->at[e] != local) continue;
      const double other = -a->value[e + 1] / a->value[e], length = a->h[f] * a->value[e];
      if (other > slope) begin += length;
      if (other >= slope) end += length;
    }
    if (y[j] > begin + small) d->high[j] = fmin(d->high[j], w * slope);
    if (y[j] < end - small) d->low[j] = fmax(d->low[j], w * slope);
  }
}

/* ---- agents whose goods depend on one another: a linear program ---- */

/* Columns q[m], then the inner multipliers of the agents that are not separable. */
typedef struct {
  range *d;
  wal_lp *lp;
  double slack; /* that equations are given */
} face;

/* One optimal z for bundle y, its rows' slacks; z[columns], s[rows]. */
static wal_status read_columns(const wal_nw_block *a, const double *y, double *z, double *s) {
  wal_lp *lp = wal_lp_create(true);
  if (!lp) return wal_fail(WAL_E_MEMORY, "no memory for a linear program");
  for (int j = 0; j < a->goods; j++) wal_lp_row(lp, -INFINITY, y[a->good[j]]);
  for (int row = 0; row < a->rows - 1; row++) wal_lp_row(lp, -INFINITY, a->r[row]);
  for (int c = 0; c < a->columns; c++) {
    const int column = wal_lp_column(lp, 0, a->h[c], 0);
    for (int e = a->start[c]; e < a->start[c + 1]; e++)
      if (a->at[e] == a->goods + a->rows - 1)
        wal_lp_cost(lp, column, -a->value[e]);
      else
        wal_lp_set(lp, a->at[e], column, a->value[e]);
  }
  wal_lp_outcome outcome;
  wal_status status = wal_lp_solve(lp, &outcome);
  if (status == WAL_OK && outcome != WAL_LP_OPTIMAL)
    status = wal_fail(WAL_E_DIVERGED, "price range: a bundle's linear program has no optimum");
  for (int c = 0; status == WAL_OK && c < a->columns; c++) z[c] = wal_lp_value(lp, c);
  for (int row = 0; status == WAL_OK && row < a->rows - 1; row++)
    s[row] = a->r[row] - wal_lp_activity(lp, a->goods + row);
  wal_lp_destroy(lp);
  return status;
}

/* The agent's rows of the face: multipliers of rows with slack are 0, columns as in the file's first lines.
 */
static void add_agent(face *f, const wal_nw_block *a, const double *y, double w, const double *z,
                      const double *s) {
  const range *d = f->d;
  const int first = wal_lp_columns(f->lp);
  double share = 0; /* share: the most it takes of a good, for what counts as 0 */
  for (int j = 0; j < a->goods; j++) share = fmax(share, y[a->good[j]]);
  const double small = nothing * share;
  for (int row = 0; row < a->rows - 1; row++) wal_lp_column(f->lp, 0, s[row] > small ? 0 : INFINITY, 0);
  for (int c = 0; c < a->columns; c++) {
    double worth = 0;
    for (int e = a->start[c]; e < a->start[c + 1]; e++)
      if (a->at[e] == a->goods + a->rows - 1) worth = -a->value[e] * w;
    const bool used = z[c] > small, open = z[c] < a->h[c] - small;
    const double room = f->slack * fmax(worth, 1.0 / d->p->m);
    const int row = wal_lp_row(f->lp, open ? worth - room : -INFINITY, used ? worth + room : INFINITY);
    for (int e = a->start[c]; e < a->start[c + 1]; e++)
      if (a->at[e] < a->goods)
        wal_lp_set(f->lp, row, a->good[a->at[e]], a->value[e]);
      else if (a->at[e] < a->goods + a->rows - 1)
        wal_lp_set(f->lp, row, first + a->at[e] - a->goods, a->value[e]);
  }
}

static wal_status fill_face(face *f, const double *u) {
  range *d = f->d;
  const wal_nw_program *p = d->p;
  for (int j = 0; j < p->m; j++)
    wal_lp_column(f->lp, fmax(0, d->low[j] - f->slack), d->high[j] + f->slack, 0);
  wal_status status = WAL_OK;
  for (int i = 0; i < p->n && status == WAL_OK; i++) {
    const wal_nw_block *a = &p->agent[i];
    if (separable(a)) continue;
    const double *y = d->at->y + (int64_t)i * p->m;
    double *z = malloc(((size_t)a->columns + (size_t)a->rows) * sizeof *z);
    status = z ? read_columns(a, y, z, z + a->columns) : wal_fail(WAL_E_MEMORY, "no memory for agent %d", i);
    if (status == WAL_OK) add_agent(f, a, y, a->budget / (u[i] / a->unit), z, z + a->columns);
    free(z);
  }
  return status;
}

/* The least and the largest q_j on the face; *found false: it is empty but for a wider slack. */
static wal_status scan(const face *f, double *low, double *high, bool *found) {
  wal_lp_outcome outcome = WAL_LP_OPTIMAL;
  for (int j = 0; j < f->d->p->m; j++)
    for (int side = 0; side < 2; side++) {
      wal_lp_cost(f->lp, j, side == 0 ? 1 : -1);
      const wal_status status = wal_lp_solve(f->lp, &outcome);
      if (status != WAL_OK) return status;
      *found = outcome == WAL_LP_OPTIMAL;
      if (!*found) return WAL_OK;
      (side == 0 ? low : high)[j] = wal_lp_value(f->lp, j);
      wal_lp_cost(f->lp, j, 0);
    }
  return WAL_OK;
}

static wal_status bound_by_programs(range *d, double *low, double *high) {
  wal_status status = WAL_OK;
  bool found = false;
  for (double slack = 0; status == WAL_OK && !found && slack < 1e-4; slack = fmax(1e-10, 10 * slack)) {
    face f = {.d = d, .lp = wal_lp_create(false), .slack = slack};
    status = f.lp ? fill_face(&f, d->at->u) : wal_fail(WAL_E_MEMORY, "no memory for a linear program");
    if (status == WAL_OK) status = scan(&f, low, high, &found);
    wal_lp_destroy(f.lp);
  }
  if (status == WAL_OK && !found)
    status = wal_fail(WAL_E_DIVERGED,
                      "price range: the allocation is not optimal enough; expected one of wal_nw_maximise");
  return status;
}

/* ---- both ---- */

/* What separable agents and goods left over say. */
static bool bound_simply(range *d) {
  const wal_nw_program *p = d->p;
  bool all = true;
  for (int j = 0; j < p->m; j++) {
    double sold = 0;
    for (int i = 0; i < p->n; i++) sold += d->at->y[(int64_t)i * p->m + j];
    d->low[j] = 0;
    d->high[j] = sold < 1 - nothing ? 0 : 1; /* prices sum to at most all budgets */
  }
  for (int i = 0; i < p->n; i++) {
    const wal_nw_block *a = &p->agent[i];
    if (separable(a))
      bound_by_slopes(d, a, d->at->y + (int64_t)i * p->m, a->budget / (d->at->u[i] / a->unit));
    else
      all = false;
  }
  return all;
}

wal_status wal_nw_price_range(const wal_nw_market *market, const wal_nw_solution *solution, double *low,
                              double *high) {
  wal_nw_program p;
  range d = {.p = &p, .at = solution, .low = low, .high = high};
  wal_status status = wal_nw_program_create(market, &p);
  if (status != WAL_OK) return status;
  for (int i = 0; i < market->n; i++) d.money += market->budget[i];
  if (!bound_simply(&d)) {
    double *least = malloc(2 * (size_t)p.m * sizeof *least);
    status =
        least ? bound_by_programs(&d, least, least + p.m) : wal_fail(WAL_E_MEMORY, "no memory for prices");
    for (int j = 0; status == WAL_OK && j < p.m; j++) low[j] = least[j], high[j] = least[p.m + j];
    free(least);
  }
  for (int j = 0; status == WAL_OK && j < p.m; j++) { /* the solution's own prices are in the set */
    low[j] = fmin(d.money * low[j], solution->q[j]);
    high[j] = fmax(d.money * high[j], solution->q[j]);
  }
  wal_nw_program_destroy(&p);
  return status;
}
