/* Theorems 4 and 6: stable revenue of the market made of a formula, against the clauses satisfied. */
#include "models/pricing/gadget.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/drawing.h"
#include "experiments/pricecompetition/pricecompetition.h"
#include "experiments/registry.h"
#include "models/common/rng.h"
#include "models/pricing/cells.h"
#include "models/pricing/gale_shapley.h"
#include "models/pricing/stability.h"

static const wal_param params[] = {
    {"prices", WAL_TEXT, "personalised", 0, 0, "personalised|uniform", "1",
     "Theorem 6 (natural priorities), or Theorem 4 (own priorities)", NULL, WAL_PARAM_KEY},
    {"variables", WAL_INT, "2", 1, WAL_FORMULA_VARIABLES, NULL, "1", "variables of a formula", NULL,
     WAL_PARAM_KEY},
    {"clauses", WAL_INT, "4", 1, 60, NULL, "1", "clauses of a formula, at most", NULL, WAL_PARAM_KEY},
    {"formulas", WAL_INT, "20", 1, 1e5, NULL, "1", "random formulas", NULL, 0},
    {"runs", WAL_INT, "20", 0, 1e5, NULL, "1", "runs of Algorithm 1 a formula, buyers and items shuffled",
     NULL, 0},
    {"all", WAL_BOOL, "false", 0, 0, NULL, "1", "search the whole stable set, too: small formulas only", NULL,
     0},
    {"seed", WAL_INT, "1", 0, 9007199254740992.0, NULL, "1", "key of every random number of the point", NULL,
     WAL_PARAM_KEY},
};

static const wal_column columns[] = {
    {"allocations", WAL_INT, "1", "assignments made allocations, all stable in rationals", 0, 0, 0},
    {"difference", WAL_REAL, "1", "most |revenue - base - clauses satisfied| of these", 0, 0, 1e-9},
    {"runs_done", WAL_INT, "1", "stable allocations by Algorithm 1", 0, 0, 0},
    {"runs_below", WAL_INT, "1", "of these, with less revenue than base + clauses satisfied", 0, 0, 0},
    {"slack_min", WAL_REAL, "1", "least base + clauses satisfied - revenue of these; at least 0", 0, 0, 1e-9},
    {"unsatisfiable", WAL_INT, "1", "formulas with MAXSAT below their clauses", 0, 0, 0},
    {"most_difference", WAL_REAL, "1", "most |max revenue - base - MAXSAT|, whole stable set", 0, 0, 1e-6},
    {"ratio_max", WAL_REAL, "1", "most of max / min revenue, whole stable set; at most 2", 0, 1e-6, 0},
};

/* ---- a point ---- */

typedef struct {
  const wal_point *point;
  wal_sink *sink;
  uint64_t seed;
  int64_t k; /* the formula's number */
  wal_gadget_options options;
  wal_formula formula;
  wal_pricing_market market;
  int64_t allocations, runs, below, unsatisfiable;
  double difference, slack, most_difference, ratio;
} study;

static double base(const study *s) { return wal_gadget_base(&s->options) * s->formula.variables; }

/* The allocation of every assignment: stable, and its revenue. */
static wal_status try_assignments(study *s) {
  static const char *const names[] = {"formula", "satisfied", "revenue"};
  wal_pricing_allocation x;
  wal_stability_report report;
  wal_status status = wal_pricing_allocation_create(s->market.n, s->market.m, true, &x);
  for (uint64_t a = 0; status == WAL_OK && a < 1ULL << s->formula.variables; a++) {
    wal_gadget_allocation(&s->formula, &s->options, a, &x);
    const int satisfied = wal_formula_satisfied(&s->formula, a);
    const double revenue = wal_pricing_revenue(&s->market, x.x, NULL) - base(s);
    if (!wal_stability_check_exact(&s->market, x.exact, WAL_CHECK_STABLE, &report))
      status =
          wal_fail(WAL_E_DIVERGED, "formula %lld, assignment %llu: buyer %d, item %d: %s", (long long)s->k,
                   (unsigned long long)a, report.buyer, report.item, wal_stability_text(report.fault));
    s->difference = fmax(s->difference, fabs(revenue - satisfied));
    s->allocations++;
    wal_sink_trace(s->sink, "assignments", 3, names, (double[]){(double)s->k, satisfied, revenue});
  }
  wal_pricing_allocation_destroy(&x);
  if (status == WAL_OK && s->difference > 0)
    status = wal_fail(WAL_E_DIVERGED, "formula %lld: revenue differs from base + satisfied clauses by %g",
                      (long long)s->k, s->difference);
  return status;
}

/* A random order of count things. */
static void shuffle(uint64_t seed, uint64_t first, int count, int *order) {
  for (int i = 0; i < count; i++) {
    const int at = (int)wal_rng_below(seed, WAL_STREAM_SEARCH, first + (uint64_t)i, (uint64_t)i + 1);
    order[i] = order[at];
    order[at] = i;
  }
}

/* The market with its items in this order. */
static wal_status permuted(const wal_pricing_market *market, const int *items, wal_pricing_market *out) {
  const int n = market->n, m = market->m;
  const wal_status status = wal_pricing_market_create(n, m, out);
  if (status != WAL_OK) return status;
  memcpy(out->budget, market->budget, (size_t)n * sizeof *out->budget);
  for (int j = 0; j < m; j++) {
    memcpy(out->rank + j * n, market->rank + items[j] * n, (size_t)n * sizeof *out->rank);
    for (int i = 0; i < n; i++) {
      out->price[i * m + j] = market->price[i * m + items[j]];
      out->value[i * m + j] = market->value[i * m + items[j]];
    }
  }
  return WAL_OK;
}

/* Algorithm 1 with buyers and items in these orders, into x, its items in the market's own order. */
static wal_status run_ordered(const study *s, const int *buyers, const int *items, double *x) {
  const int n = s->market.n, m = s->market.m;
  const wal_gale_shapley_options options = {.order = buyers};
  wal_pricing_market market = {0};
  wal_pricing_allocation found = {0};
  wal_status status = permuted(&s->market, items, &market);
  if (status == WAL_OK) status = wal_gale_shapley(&market, &options, &found, NULL);
  for (int e = 0; status == WAL_OK && e < n * m; e++) x[e / m * m + items[e % m]] = found.x[e];
  wal_pricing_allocation_destroy(&found);
  wal_pricing_market_destroy(&market);
  return status;
}

/* Its revenue is not above base + the clauses that its assignment satisfies: the reduction's inequality. */
static wal_status judge_run(study *s, double *x) {
  static const char *const names[] = {"formula", "satisfied", "revenue"};
  wal_stability_report report;
  const int satisfied = wal_formula_satisfied(&s->formula, wal_gadget_assignment(&s->formula, x));
  const double revenue = wal_pricing_revenue(&s->market, x, NULL) - base(s), slack = satisfied - revenue;
  if (!wal_stability_check(&s->market, x, WAL_CHECK_STABLE, 1e-9, &report))
    return wal_fail(WAL_E_DIVERGED, "formula %lld, Algorithm 1: buyer %d, item %d: %s", (long long)s->k,
                    report.buyer, report.item, wal_stability_text(report.fault));
  if (slack < -1e-9)
    return wal_fail(WAL_E_DIVERGED, "formula %lld: a stable revenue of %g above base + %d satisfied clauses",
                    (long long)s->k, revenue, satisfied);
  s->slack = fmin(s->slack, slack);
  s->below += slack > 1e-9;
  s->runs++;
  wal_sink_trace(s->sink, "runs", 3, names, (double[]){(double)s->k, satisfied, revenue});
  return WAL_OK;
}

static wal_status try_orders(study *s) {
  const int n = s->market.n, m = s->market.m;
  const int64_t runs = wal_point_int(s->point, "runs");
  int *order = malloc((size_t)(n + m) * sizeof *order);
  double *x = malloc((size_t)n * (size_t)m * sizeof *x);
  wal_status status = order && x ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for %d buyers", n);
  for (int64_t r = 0; status == WAL_OK && r < runs; r++) {
    const uint64_t first = (uint64_t)(s->k * runs + r) << 12;
    shuffle(s->seed, first, n, order);
    shuffle(s->seed, first + (uint64_t)n, m, order + n);
    status = run_ordered(s, order, order + n, x);
    if (status == WAL_OK) status = judge_run(s, x);
  }
  free(order);
  free(x);
  return status;
}

/* Least and most revenue of all stable allocations. */
static wal_status search_all(study *s) {
  static const char *const names[] = {"formula", "maxsat", "low", "high"};
  const int most = wal_formula_most(&s->formula);
  wal_stable_range range = {0};
  const wal_status status = wal_stable_objective(&s->market, s->market.price, NULL, &range);
  const double low = range.low, high = range.high;
  wal_stable_range_destroy(&range);
  if (status != WAL_OK) return status;
  s->most_difference = fmax(s->most_difference, fabs(high - base(s) - most));
  s->ratio = fmax(s->ratio, high / low);
  wal_sink_trace(s->sink, "ranges", 4, names, (double[]){(double)s->k, most, low - base(s), high - base(s)});
  if (s->most_difference > 1e-6 || s->ratio > 2 + 1e-9)
    return wal_fail(WAL_E_DIVERGED, "formula %lld: stable revenues %.9g to %.9g, base %g, MAXSAT %d",
                    (long long)s->k, low, high, base(s), most);
  return WAL_OK;
}

static wal_status study_formula(study *s) {
  const int variables = (int)wal_point_int(s->point, "variables"),
            clauses = (int)wal_point_int(s->point, "clauses");
  wal_status status = wal_formula_draw(s->seed, s->k, variables, clauses, &s->formula);
  if (status == WAL_OK) status = wal_gadget_market(&s->formula, &s->options, true, &s->market);
  if (status == WAL_OK) s->unsatisfiable += wal_formula_most(&s->formula) < s->formula.clauses;
  if (status == WAL_OK) status = try_assignments(s);
  if (status == WAL_OK) status = try_orders(s);
  if (status == WAL_OK && wal_point_bool(s->point, "all")) status = search_all(s);
  wal_pricing_market_destroy(&s->market);
  wal_formula_destroy(&s->formula);
  return status;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  study s = {.point = point, .sink = sink, .seed = (uint64_t)wal_point_int(point, "seed"), .slack = INFINITY};
  s.options.uniform = strcmp(wal_point_text(point, "prices"), "uniform") == 0;
  wal_status status = WAL_OK;
  const int64_t formulas = wal_point_int(point, "formulas");
  for (s.k = 0; status == WAL_OK && s.k < formulas; s.k++) {
    wal_sink_progress(sink, (double)s.k / (double)formulas, "formulas");
    status = study_formula(&s);
  }
  if (status != WAL_OK) return status;
  wal_sink_row(sink);
  wal_sink_int(sink, "allocations", s.allocations);
  wal_sink_real(sink, "difference", s.difference);
  wal_sink_int(sink, "runs_done", s.runs);
  wal_sink_int(sink, "runs_below", s.below);
  if (s.runs) wal_sink_real(sink, "slack_min", s.slack);
  wal_sink_int(sink, "unsatisfiable", s.unsatisfiable);
  if (wal_point_bool(point, "all")) {
    wal_sink_real(sink, "most_difference", s.most_difference);
    wal_sink_real(sink, "ratio_max", s.ratio);
  }
  return WAL_OK;
}

/* ---- the picture ---- */

static const char *const kinds[2] = {"personalised", "uniform"};
static const char *const labels[2] = {"Theorem 6, personalised prices", "Theorem 4, one price an item"};

/* Points drawn so far, each once. */
typedef struct {
  double x[4096], y[4096];
  int count;
} points;

static bool add_new(points *seen, double x, double y) {
  for (int k = 0; k < seen->count; k++)
    if (seen->x[k] == x && fabs(seen->y[k] - y) < 1e-6) return false;
  if (seen->count == 4096) return false;
  seen->x[seen->count] = x;
  seen->y[seen->count++] = y;
  return true;
}

/* Trace `trace` of the points with these prices: column y against x, moved sideways by `aside`. */
static void add_points(wal_series *series, const wal_result *result, const char *prices, const char *trace,
                       const char *x, const char *y, double aside) {
  static points seen;
  seen.count = 0;
  for (int p = 0; p < result->config->point_count; p++) {
    const wal_frame *lines = wal_result_trace(result, p, trace);
    if (!lines || strcmp(wal_point_text(&result->config->points[p], "prices"), prices)) continue;
    const int cx = wal_frame_find(lines, x), cy = wal_frame_find(lines, y);
    for (int64_t row = 0; row < wal_frame_rows(lines); row++) {
      const double at = wal_frame_real(lines, row, cx), value = wal_frame_real(lines, row, cy);
      if (add_new(&seen, at, value)) wal_series_point(series, at + aside, value, NAN, NAN);
    }
  }
}

static wal_panel *open_panel(wal_figure *figure, const char *title, const char *xlabel, double most) {
  wal_panel *panel = wal_figure_panel(figure, title, xlabel, "revenue less 37n (Theorem 4: 36n)");
  wal_series *line = wal_panel_series(panel, WAL_BAND, "equal", 7);
  wal_series_point(line, 0, 0, 0, 0);
  wal_series_point(line, most, most, most, most);
  wal_panel_range(panel, -0.5, most + 0.5, -0.5, most * 1.35);
  wal_panel_legend(panel, "top left");
  return panel;
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  const wal_result *result = by->result;
  wal_figure *figure = wal_drawing_figure(drawing, "", result->config->title, 17.5, 7.5, 1, 3);
  double most = 1;
  for (int p = 0; p < result->config->point_count; p++)
    most = fmax(most, (double)wal_point_int(&result->config->points[p], "clauses"));
  wal_panel *panel = open_panel(figure, "Allocations of assignments", "clauses satisfied", most);
  for (int k = 0; k < 2; k++)
    add_points(wal_panel_series(panel, WAL_POINTS, labels[k], k), result, kinds[k], "assignments",
               "satisfied", "revenue", 0.2 * k - 0.1);
  panel = open_panel(figure, "Algorithm 1, random orders", "clauses that its assignment satisfies", most);
  for (int k = 0; k < 2; k++)
    add_points(wal_panel_series(panel, WAL_POINTS, labels[k], k), result, kinds[k], "runs", "satisfied",
               "revenue", 0.2 * k - 0.1);
  panel = open_panel(figure, "All stable allocations", "MAXSAT", most);
  for (int k = 0; k < 2; k++) {
    add_points(wal_panel_series(panel, WAL_POINTS, k ? "most, Theorem 4" : "most, Theorem 6", k), result,
               kinds[k], "ranges", "maxsat", "high", 0.2 * k - 0.1);
    add_points(wal_panel_series(panel, WAL_POINTS, k ? "least, Theorem 4" : "least, Theorem 6", k + 2),
               result, kinds[k], "ranges", "maxsat", "low", 0.2 * k - 0.1);
  }
  wal_figure_note(figure, "Each point once, both kinds moved sideways by 0.1.");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"prices", "variables", "clauses"};
  static const char *const measures[] = {"allocations", "difference",    "runs_done",       "runs_below",
                                         "slack_min",   "unsatisfiable", "most_difference", "ratio_max"};
  return wal_drawing_groups(result, drawing, keys, 3, measures, 8, draw_figure);
}

const wal_experiment wal_pricecompetition_gadget = {
    .id = "pricecompetition/gadget",
    .title = "Theorems 4 and 6: revenue of the MAX-3SAT-3 gadget",
    .paper = WAL_PRICECOMPETITION_PAPER ", Theorems 4 and 6, Table 3",
    .doc =
        "Random formulas whose variables appear at most three times become markets (Table 3). The allocation "
        "of every assignment is checked to be stable in rationals, with revenue 37 a variable (36 at one "
        "price an item) and 1 a satisfied clause. Stable allocations that Algorithm 1 finds with buyers and "
        "items in random orders earn no more than the assignment that is read from them. For small formulas "
        "the least and most revenue over the whole stable set: the most is MAXSAT. What differs fails the "
        "point.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
