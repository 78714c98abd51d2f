#include "models/nashwelfare/nash_welfare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/nashwelfare/nash_welfare_interior.h"

wal_nw_options wal_nw_defaults(void) { return (wal_nw_options){.tol = 1e-10, .iterations = 200}; }

void wal_nw_solution_destroy(wal_nw_solution *solution) {
  if (!solution) return;
  free(solution->u);
  free(solution->y);
  free(solution->q);
  *solution = (wal_nw_solution){0};
}

static bool solution_create(int n, int m, wal_nw_solution *out) {
  *out = (wal_nw_solution){0};
  out->u = calloc((size_t)n, sizeof *out->u);
  out->y = calloc((size_t)n * (size_t)m, sizeof *out->y);
  out->q = calloc((size_t)m, sizeof *out->q);
  return out->u && out->y && out->q;
}

/* ---- from the program's point to the market ---- */

/* y from what the columns take. */
static void read_bundles(const wal_nw_program *p, const double *z, double *y) {
  for (int i = 0; i < p->n; i++) {
    const wal_nw_block *a = &p->agent[i];
    for (int c = 0; c < a->columns; c++)
      for (int e = a->start[c]; e < a->start[c + 1]; e++)
        if (a->at[e] < a->goods) y[(int64_t)i * p->m + a->good[a->at[e]]] += a->value[e] * z[a->column0 + c];
  }
}

static double sold(const double *y, int n, int m, int j) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += y[(int64_t)i * m + j];
  return sum;
}

static void scale_good(double *y, int n, int m, int j, double by) {
  for (int i = 0; i < n; i++) y[(int64_t)i * m + j] *= by;
}

/* A good sold but for rounding is sold, and never more of it than there is. */
static void sell(double *y, int n, int m) {
  for (int j = 0; j < m; j++) {
    const double sum = sold(y, n, m, j);
    if (sum < 1 - 1e-6) continue;
    scale_good(y, n, m, j, 1 / sum);
    while (sold(y, n, m, j) > 1) scale_good(y, n, m, j, 1 - 0x1p-52);
  }
}

/* Prices and inner multipliers below `small` made 0; the gap then. q0[m], pi0[rows]. */
static double rounded_gap(const wal_nw_program *p, const double *u, const double *q, const double *pi,
                          double small, double *q0, double *pi0) {
  for (int j = 0; j < p->m; j++) q0[j] = q[j] < small ? 0 : q[j];
  for (int64_t row = 0; row < p->rows; row++) pi0[row] = pi[row] < small ? 0 : pi[row];
  for (int i = 0; i < p->n; i++) {
    const int64_t utility = p->agent[i].row0 + p->agent[i].rows - 1;
    pi0[utility] = pi[utility];
  }
  return wal_nw_dual_gap(p, u, q0, pi0);
}

/* Prices that are 0 but for rounding are 0, where the gap allows it. q[m], pi[rows] and room for as many. */
static double round_prices(const wal_nw_program *p, const double *u, double *q, double *pi, double *room) {
  const double gap = wal_nw_dual_gap(p, u, q, pi);
  for (double small = 1e-11; small > 1e-14; small /= 10) {
    const double rounded = rounded_gap(p, u, q, pi, small, room, room + p->m);
    if (!(rounded <= gap + 1e-12)) continue;
    memcpy(q, room, (size_t)p->m * sizeof *q);
    return rounded;
  }
  return gap;
}

/* Utility of bundle y in the agent's units, from its columns: scaled down until they fit into y and the rows.
   Negative: they do not fit by scaling. room[goods + rows]. */
static double fit_columns(const wal_nw_block *a, const double *z, const double *y, double *room) {
  const int inner = a->goods + a->rows - 1;
  double *terms = room + inner + 1, by = 1;
  memset(room, 0, 2 * (size_t)(inner + 1) * sizeof *room);
  for (int c = 0; c < a->columns; c++)
    for (int e = a->start[c]; e < a->start[c + 1]; e++) {
      room[a->at[e]] += a->value[e] * z[c];
      terms[a->at[e]] += fabs(a->value[e]) * z[c];
    }
  for (int row = 0; row < inner; row++) {
    const double has = row < a->goods ? y[a->good[row]] : a->r[row - a->goods];
    if (room[row] > has && has > 0)
      by = fmin(by, has / room[row]);
    else if (room[row] > 0x1p-50 * terms[row] && !(has > 0))
      return -1;
  }
  return -by * room[inner];
}

static double utility_of(const wal_utility *u, const wal_nw_block *a, const double *z, const double *y,
                         double *room) {
  const double own = wal_nw_value_is_quick(u, a) ? -1 : fit_columns(a, z + a->column0, y, room);
  return own > 0 ? own * a->unit : wal_utility_value(u, y);
}

static wal_status finish(const wal_nw_market *market, const wal_nw_program *p, wal_nw_point *x,
                         wal_nw_solution *out) {
  double *u = malloc(((size_t)p->n + 2 * ((size_t)p->m + (size_t)p->rows)) * sizeof *u), total = 0;
  if (!u) return wal_fail(WAL_E_MEMORY, "no memory for %d utilities", p->n);
  memset(out->y, 0, (size_t)p->n * (size_t)p->m * sizeof *out->y);
  read_bundles(p, x->z, out->y);
  sell(out->y, p->n, p->m);
  for (int i = 0; i < p->n; i++) {
    out->u[i] = utility_of(market->utility[i], &p->agent[i], x->z, out->y + (int64_t)i * p->m, u + p->n);
    u[i] = out->u[i] / p->agent[i].unit;
    total += market->budget[i];
  }
  out->gap = round_prices(p, u, x->q, x->pi, u + p->n);
  for (int j = 0; j < p->m; j++) out->q[j] = total * x->q[j];
  out->log_welfare = wal_nw_log_welfare(market, out->u);
  free(u);
  return WAL_OK;
}

/* Rarely, with slopes or budgets over many orders of magnitude, rounding stops one path short: then others.
 */
static wal_status attempt(const wal_nw_market *market, const wal_nw_program *p, const wal_nw_options *options,
                          wal_nw_solution *out) {
  static const double starts[] = {0.1, 10, 1e-3};
  wal_status status = WAL_OK;
  out->gap = INFINITY;
  for (int k = 0; status == WAL_OK && k < 3 && !(out->gap <= options->tol); k++) {
    wal_nw_point point = {0};
    double gap;
    int iterations;
    status = wal_nw_interior(p,
                             &(wal_nw_interior_options){
                                 .tol = options->tol, .start = starts[k], .iterations = options->iterations},
                             &point, &gap, &iterations);
    if (status == WAL_OK) status = finish(market, p, &point, out);
    out->iterations += iterations;
    wal_nw_point_destroy(&point);
  }
  if (status == WAL_OK && !(out->gap <= options->tol))
    status = wal_fail(WAL_E_DIVERGED,
                      "maximum Nash welfare: the gap stayed at %.2e after %d iterations; expected at most "
                      "%.2e (values or budgets may be too many orders of magnitude apart)",
                      out->gap, out->iterations, options->tol);
  return status;
}

static wal_status maximise(const wal_nw_market *market, const wal_nw_options *options, wal_nw_solution *out) {
  wal_nw_program program;
  wal_status status = wal_nw_program_create(market, &program);
  if (status != WAL_OK) return status;
  if (!solution_create(market->n, market->m, out))
    status = wal_fail(WAL_E_MEMORY, "no memory for %d bundles of %d goods", market->n, market->m);
  if (status == WAL_OK) status = attempt(market, &program, options, out);
  wal_nw_program_destroy(&program);
  return status;
}

wal_status wal_nw_maximise(const wal_nw_market *market, const wal_nw_options *options, wal_nw_solution *out) {
  const wal_nw_options how = options ? *options : wal_nw_defaults();
  *out = (wal_nw_solution){0};
  wal_status status = wal_nw_market_check(market);
  if (status == WAL_OK && (!(how.tol > 0) || how.iterations < 1))
    status = wal_fail(WAL_E_INPUT,
                      "maximum Nash welfare: tol %g and %d iterations; expected positive ones "
                      "(1e-10 and 200 work)",
                      how.tol, how.iterations);
  if (status == WAL_OK) status = maximise(market, &how, out);
  if (status != WAL_OK) wal_nw_solution_destroy(out);
  return status;
}
