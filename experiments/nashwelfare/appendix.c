#include "experiments/nashwelfare/appendix.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const wal_column wal_appendix_columns[WAL_APPENDIX_COLUMNS] = {
    {"equilibrium", WAL_INT, "1", "which of the stated equilibria: 1, 2, ...", WAL_COLUMN_KEY, 0, 0},
    {"u_ce", WAL_REAL, "1", "best utility of the followed agent at the equilibrium's prices (demand oracle)",
     WAL_COLUMN_OPTIONAL, 1e-7, 1e-9},
    {"u_ce_closed", WAL_REAL, "1", "the same, closed form", 0, 1e-9, 0},
    {"u_nw", WAL_REAL, "1", "utility of the followed agent at maximum Nash welfare (Eisenberg-Gale)",
     WAL_COLUMN_OPTIONAL, 1e-5, 0},
    {"u_nw_closed", WAL_REAL, "1", "the same, closed form", 0, 1e-9, 0},
    {"nw_ratio", WAL_REAL, "1", "Nash welfare of the equilibrium over the maximum", WAL_COLUMN_OPTIONAL, 1e-7,
     0},
    {"nw_ratio_closed", WAL_REAL, "1", "the same, closed form", WAL_COLUMN_OPTIONAL, 1e-9, 0},
    {"least_ratio", WAL_REAL, "1", "least over the agents of u_i(maximum) / u_i(equilibrium)",
     WAL_COLUMN_OPTIONAL, 1e-5, 0},
    {"violation", WAL_REAL, "1", "largest violation of an equilibrium's conditions", WAL_COLUMN_OPTIONAL, 0,
     1e-6},
    {"waste", WAL_REAL, "1", "most that an agent spends above the least cost of its utility, over its budget",
     WAL_COLUMN_OPTIONAL, 1e-6, 1e-6},
    {"gap", WAL_REAL, "1", "bound on what log Nash welfare may be short of its maximum", WAL_COLUMN_OPTIONAL,
     0, 1e-9},
};

/* ---- what is measured ---- */

typedef struct {
  int number;
  const wal_example_size *size;
  bool half;
  wal_nw_market market;
  wal_nw_solution best;
  double *p, *x;      /* [m], [n, m]: owned as one */
  double *u, *closed; /* [n] of the equilibrium, [n] of the maximum in closed form */
} study;

static void study_free(study *s) {
  free(s->p);
  wal_nw_solution_destroy(&s->best);
  wal_nw_market_destroy(&s->market);
}

static wal_status study_begin(int number, const wal_example_size *size, study *s) {
  s->number = number;
  s->size = size;
  wal_status status = wal_example(number, size, &s->market);
  if (status != WAL_OK) return status;
  const size_t n = (size_t)s->market.n, m = (size_t)s->market.m;
  s->p = calloc(m + n * m + 2 * n, sizeof *s->p);
  if (!s->p) return wal_fail(WAL_E_MEMORY, "no memory for an equilibrium of %d agents", s->market.n);
  s->x = s->p + m;
  s->u = s->x + n * m;
  s->closed = s->u + n;
  return wal_example_nash(number, size, s->closed);
}

wal_status wal_appendix_maximise(const wal_nw_market *market, wal_nw_solution *out) {
  wal_nw_options options = wal_nw_defaults();
  options.tol = 1e-12;
  return wal_nw_maximise(market, &options, out);
}

static double ratio_to(const study *s, double log_best) {
  return exp(wal_nw_log_welfare(&s->market, s->u) - log_best);
}

/* The stated equilibrium into p, x, u, and what closed forms say of it. */
static wal_status send_closed(study *s, int which, wal_sink *sink) {
  const int agent = wal_example_agent(s->number, s->size), m = s->market.m;
  const wal_status status = wal_example_equilibrium(s->number, s->size, which, s->p, s->x);
  if (status != WAL_OK) return status;
  for (int i = 0; i < s->market.n; i++) s->u[i] = wal_utility_value(s->market.utility[i], s->x + i * m);
  wal_sink_row(sink);
  wal_sink_int(sink, "equilibrium", which + 1);
  wal_sink_real(sink, "u_ce_closed", s->u[agent]);
  wal_sink_real(sink, "u_nw_closed", s->closed[agent]);
  wal_sink_real(sink, "nw_ratio_closed", ratio_to(s, wal_nw_log_welfare(&s->market, s->closed)));
  return WAL_OK;
}

/* The theorems: a violation fails the point. */
static wal_status check_bounds(const study *s, double nw_ratio, double least) {
  if (nw_ratio < WAL_NASHWELFARE_ANARCHY - 1e-9)
    return wal_fail(WAL_E_INTERNAL, "A.%d: Nash welfare ratio %.9g is below (1/e)^(1/e): against Theorem 1.1",
                    s->number, nw_ratio);
  if (s->half && least < 0.5 - 1e-7)
    return wal_fail(WAL_E_INTERNAL, "A.%d: an agent keeps %.9g of its utility: against Theorem 1.6",
                    s->number, least);
  return WAL_OK;
}

static wal_status send_measured(study *s, wal_sink *sink) {
  const int agent = wal_example_agent(s->number, s->size);
  wal_ce_report report;
  wal_demand_set demand;
  wal_status status = wal_ce_check(&s->market, s->x, s->p, &report);
  if (status == WAL_OK) status = wal_demand(s->market.utility[agent], s->p, s->market.budget[agent], &demand);
  if (status != WAL_OK) return status;
  double least = INFINITY;
  for (int i = 0; i < s->market.n; i++) least = fmin(least, s->best.u[i] / s->u[i]);
  const double nw_ratio = ratio_to(s, s->best.log_welfare);
  wal_sink_real(sink, "u_ce", demand.utility);
  wal_sink_real(sink, "u_nw", s->best.u[agent]);
  wal_sink_real(sink, "nw_ratio", nw_ratio);
  wal_sink_real(sink, "least_ratio", least);
  wal_sink_real(sink, "violation",
                fmax(fmax(report.oversold, report.unsold), fmax(report.overspent, report.demand_ratio - 1)));
  wal_sink_real(sink, "waste", report.waste);
  wal_sink_real(sink, "gap", s->best.gap);
  if (!wal_ce_holds(&report, 1e-7))
    return wal_fail(WAL_E_INTERNAL, "A.%d: the stated prices and allocation are no equilibrium", s->number);
  return check_bounds(s, nw_ratio, least);
}

wal_status wal_appendix_run(int number, const wal_example_size *size, bool half, wal_sink *sink) {
  study s = {.half = half};
  wal_status status = study_begin(number, size, &s);
  if (status == WAL_OK) status = wal_appendix_maximise(&s.market, &s.best);
  for (int k = 0; status == WAL_OK && k < wal_example_equilibria(number); k++) {
    status = send_closed(&s, k, sink);
    if (status == WAL_OK) status = send_measured(&s, sink);
  }
  study_free(&s);
  return status;
}

/* ---- pictures ---- */

double wal_appendix_mean(const wal_grouping *by, int group, const char *column) {
  return wal_group_stat(by, group, column).mean;
}

double wal_appendix_key(const wal_grouping *by, int group, const char *column) {
  const wal_frame *rows = by->result->rows;
  return wal_frame_real(rows, by->groups[group].row, wal_frame_find(rows, column));
}

/* The group with the least x above `from`, of this eps (NaN: of any); -1: none. */
static int next_group(const wal_grouping *by, const char *x, wal_appendix_filter keep, double eps,
                      double from) {
  int best = -1;
  for (int g = 0; g < by->count; g++) {
    const double at = wal_appendix_key(by, g, x);
    const bool ours = (!keep || keep(by, g)) && (isnan(eps) || wal_appendix_key(by, g, "eps") == eps);
    if (ours && at > from && (best < 0 || at < wal_appendix_key(by, best, x))) best = g;
  }
  return best;
}

static void add_line(wal_series *series, const wal_grouping *by, const char *x, wal_appendix_value y,
                     wal_appendix_filter keep, double eps) {
  for (int g = next_group(by, x, keep, eps, -INFINITY); g >= 0;
       g = next_group(by, x, keep, eps, wal_appendix_key(by, g, x)))
    if (!isnan(y(by, g))) wal_series_point(series, wal_appendix_key(by, g, x), y(by, g), NAN, NAN);
}

void wal_appendix_add(wal_panel *panel, wal_series_kind kind, const char *name, int colour,
                      const wal_grouping *by, const char *x, wal_appendix_value y, wal_appendix_filter keep) {
  add_line(wal_panel_series(panel, kind, name, colour), by, x, y, keep, NAN);
}

/* The largest eps of a group below this one; -INFINITY: none. */
static double next_eps(const wal_grouping *by, double below) {
  double most = -INFINITY;
  for (int g = 0; g < by->count; g++) {
    const double eps = wal_appendix_key(by, g, "eps");
    if (eps < below) most = fmax(most, eps);
  }
  return most;
}

void wal_appendix_add_each_eps(wal_panel *panel, wal_series_kind kind, const char *name, const int colours[4],
                               const wal_grouping *by, const char *x, wal_appendix_value y) {
  int k = 0;
  for (double eps = next_eps(by, INFINITY); eps > -INFINITY; eps = next_eps(by, eps)) {
    char label[96];
    snprintf(label, sizeof label, "%.64sε = %.6g", name ? name : "", eps);
    wal_series *series = wal_panel_series(panel, kind, name ? label : "", colours[k++ % 4]);
    add_line(series, by, x, y, NULL, eps);
  }
}

void wal_appendix_rule(wal_panel *panel, const char *name, double y) {
  wal_series_point(wal_panel_series(panel, WAL_RULE, name, 7), 0, y, NAN, NAN);
}
