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

/* A good sold but for rounding is sold, and never more of it than there is. */
static void sell(double *y, int n, int m) {
  for (int j = 0; j < m; j++) {
    double sum = sold(y, n, m, j), by = 1;
    if (sum < 1 - 1e-6) continue;
    while (sum > 1 || by == 1) {
      by = sum > 1 ? (1 - 0x1p-53) / sum : 1 / sum;
      for (int i = 0; i < n; i++) y[(int64_t)i * m + j] *= by;
      sum = sold(y, n, m, j);
      if (by == 1) break;
    }
  }
}

static wal_status finish(const wal_nw_market *market, const wal_nw_program *p, wal_nw_point *x,
                         wal_nw_solution *out) {
  double *u = malloc((size_t)p->n * sizeof *u);
  if (!u) return wal_fail(WAL_E_MEMORY, "no memory for %d utilities", p->n);
  memset(out->y, 0, (size_t)p->n * (size_t)p->m * sizeof *out->y);
  read_bundles(p, x->z, out->y);
  sell(out->y, p->n, p->m);
  for (int i = 0; i < p->n; i++) {
    out->u[i] = wal_utility_value(market->utility[i], out->y + (int64_t)i * p->m);
    u[i] = out->u[i] / p->agent[i].unit;
  }
  out->gap = wal_nw_dual_gap(p, u, x->q, x->pi);
  double total = 0;
  for (int i = 0; i < p->n; i++) total += market->budget[i];
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
                      "%.2e (a tol of 1e-8 asks for less)",
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
