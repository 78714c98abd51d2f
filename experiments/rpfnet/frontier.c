/* RPF-Net: what Nash welfare costs in exploitability. Every mechanism over its own parameter, and the bound
   that no 2 x 2 mechanism passes. */
#include <stdio.h>
#include <string.h>

#include "experiments/registry.h"
#include "experiments/rpfnet/rpfnet.h"
#include "models/mechanism/frontier_bound.h"

static const wal_param params[] = {
    WAL_RPFNET_SHARED_PARAMS,
    {"bound.types", WAL_INT, "0", 0, 64, NULL, "1",
     "lower bound at 2 x 2: types of an agent given its demands; 0: no bound", "mechanism=pf", 0},
    {"bound.profiles", WAL_INT, "32", 1, 1e6, NULL, "1", "lower bound: demands sampled per kind of contest",
     "mechanism=pf", 0},
    {"bound.levels", WAL_INT, "0", 0, 8, NULL, "1",
     "lower bound: sampled levels of each demand to lie among; 0: lies about values only", "mechanism=pf", 0},
    {"bound.least", WAL_REAL, "0", 0, 2, NULL, "1",
     "lower bound: over mechanisms that never let u1/U1 + u2/U2 (U: PF's) fall below this", "mechanism=pf",
     0},
};

/* ---- a point ---- */

enum { KAPPAS = 6 };
static const double kappas[KAPPAS] = {10, 20, 40, 80, 160, 320};

static wal_status check_bound(const wal_point *point) {
  const int64_t n = wal_point_int(point, "n"), m = wal_point_int(point, "m");
  if (n == 2 && m == 2 && wal_point_real(point, "budget") == 0.5) return WAL_OK;
  return wal_fail(WAL_E_INPUT,
                  "bound.types is %lld with n %lld, m %lld, budget %g; the bound is for n: 2, m: 2, budget: "
                  "0.5 (bound.types: 0 leaves it out)",
                  (long long)wal_point_int(point, "bound.types"), (long long)n, (long long)m,
                  wal_point_real(point, "budget"));
}

/* The lines of the bound into the trace "bound": expl / expl(PF) >= intercept + kappa NSW / NSW(PF). */
static wal_status send_bound(const wal_point *point, wal_sink *sink) {
  wal_frontier_options o = wal_frontier_defaults();
  o.types = (int)wal_point_int(point, "bound.types");
  o.profiles = (int)wal_point_int(point, "bound.profiles");
  o.levels = (int)wal_point_int(point, "bound.levels");
  o.least = wal_point_real(point, "bound.least");
  o.demanded = wal_point_real(point, "demanded");
  o.seed = (uint64_t)wal_point_int(point, "seed");
  wal_frontier_point lines[KAPPAS];
  wal_frontier_pf_level pf;
  wal_status status = check_bound(point);
  if (status == WAL_OK) status = wal_frontier_bound(&o, kappas, KAPPAS, lines, &pf);
  static const char *const names[] = {"kappa",     "intercept", "table_nsw_ratio", "table_expl_ratio",
                                      "least_sum", "pf_nsw",    "pf_expl"};
  for (int k = 0; k < KAPPAS && status == WAL_OK; k++) {
    const double row[] = {lines[k].kappa, lines[k].bound, lines[k].nsw, lines[k].expl,
                          lines[k].least, pf.nsw,         pf.expl};
    wal_sink_trace(sink, "bound", 7, names, row);
  }
  return status;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  const bool bounded =
      !strcmp(wal_point_text(point, "mechanism"), "pf") && wal_point_int(point, "bound.types") > 0;
  const wal_status status = bounded ? send_bound(point, sink) : WAL_OK;
  return status == WAL_OK ? wal_rpfnet_run_point(point, sink) : status;
}

/* ---- the bound, from its traces ---- */

/* Points of one setting with several seeds: the mean of their bounds. */
enum { SEEDS_MAX = 16 };
typedef struct {
  double least;
  int levels, seeds;
  int points[SEEDS_MAX];
} bound_lines;

/* The trace's largest line at a ratio of Nash welfare. */
static double bound_at(const wal_frame *trace, double nsw) {
  const int kappa = wal_frame_find(trace, "kappa"), intercept = wal_frame_find(trace, "intercept");
  double most = 0;
  for (int64_t row = 0; row < wal_frame_rows(trace); row++)
    most = fmax(most, wal_frame_real(trace, row, intercept) + nsw * wal_frame_real(trace, row, kappa));
  return most;
}

static double mean_bound(const wal_result *result, const bound_lines *lines, double nsw) {
  double sum = 0;
  for (int s = 0; s < lines->seeds; s++)
    sum += bound_at(wal_result_trace(result, lines->points[s], "bound"), nsw);
  return sum / lines->seeds;
}

enum { BOUNDS_MAX = 6 };
static int find_bounds(const wal_result *result, bound_lines out[BOUNDS_MAX]) {
  const wal_frame *rows = result->rows;
  const int number = wal_frame_find(rows, "point");
  int count = 0;
  for (int64_t row = 0; row < wal_frame_rows(rows); row++) {
    const int p = (int)wal_frame_real(rows, row, number);
    if (!wal_result_trace(result, p, "bound")) continue;
    const wal_point *point = wal_result_point(result, row);
    const double least = wal_point_real(point, "bound.least");
    const int levels = (int)wal_point_int(point, "bound.levels");
    int at = 0;
    while (at < count && (out[at].least != least || out[at].levels != levels)) at++;
    if (at == BOUNDS_MAX) continue;
    if (at == count) out[count++] = (bound_lines){.least = least, .levels = levels};
    if (out[at].seeds < SEEDS_MAX) out[at].points[out[at].seeds++] = p;
  }
  return count;
}

static void name_bound(const bound_lines *lines, char *name, size_t size) {
  char sense[64] = "any mechanism";
  if (lines->least >= 2)
    snprintf(sense, sizeof sense, "without waste");
  else if (lines->least > 0)
    snprintf(sense, sizeof sense, "u₁/U₁ + u₂/U₂ ≥ %g", lines->least);
  snprintf(name, size, "LP bound, %s%s", sense, lines->levels ? ", demand lies" : "");
}

/* Shaded: where no mechanism is, and, lighter, none that wastes little. */
static void draw_bounds(wal_panel *panel, const wal_result *result, double from) {
  enum { STEPS = 200 };
  bound_lines lines[BOUNDS_MAX];
  const int count = find_bounds(result, lines);
  for (int k = 0; k < count; k++) {
    char name[96];
    name_bound(&lines[k], name, sizeof name);
    wal_series *series = wal_panel_series(panel, WAL_BAND, name, 7);
    for (int s = 0; s <= STEPS; s++) {
      const double nsw = from + (1 - from) * s / STEPS, y = mean_bound(result, &lines[k], nsw);
      wal_series_point(series, nsw, y, 0, y);
    }
  }
}

/* ---- panels ---- */

/* The groups of one size and budget. */
typedef struct {
  const wal_grouping *by;
  double n, m, budget;
} market_size;

static double real_of(const wal_grouping *by, int group, const char *name) {
  return wal_point_real(wal_result_point(by->result, by->groups[group].row), name);
}

static market_size size_of(const wal_grouping *by, int group) {
  const wal_point *point = wal_result_point(by->result, by->groups[group].row);
  return (market_size){by, (double)wal_point_int(point, "n"), (double)wal_point_int(point, "m"),
                       real_of(by, group, "budget")};
}

static bool of_size(const market_size *size, int group) {
  const market_size at = size_of(size->by, group);
  return at.n == size->n && at.m == size->m && at.budget == size->budget;
}

static const char *mechanism_of(const wal_grouping *by, int group) {
  const wal_frame *rows = by->result->rows;
  return wal_frame_text(rows, by->groups[group].row, wal_frame_find(rows, "mechanism"));
}

/* Points of a mechanism in the order of the config, joined where there are several. */
static void draw_mechanism(wal_panel *panel, const market_size *size, const char *mechanism,
                           const char *column) {
  const wal_grouping *by = size->by;
  char se[64];
  snprintf(se, sizeof se, "%s_se", column);
  const bool single = !strcmp(mechanism, "pf") || !strcmp(mechanism, "pa") || !strcmp(mechanism, "uniform");
  wal_series *series = NULL;
  for (int k = 0; k < by->count; k++) {
    if (!of_size(size, k) || strcmp(mechanism_of(by, k), mechanism)) continue;
    const wal_stat nsw = wal_group_stat(by, k, "nsw_ratio"), expl = wal_group_stat(by, k, column);
    if (nsw.count == 0 || expl.count == 0) continue;
    if (!series)
      series = wal_panel_series(panel, single ? WAL_POINTS : WAL_LINES, wal_rpfnet_label(mechanism),
                                wal_rpfnet_colour(mechanism));
    else if (single)
      return; /* the same point for every bound */
    wal_rpfnet_add(series, nsw.mean, expl, wal_group_stat(by, k, se));
  }
}

static void draw_published(wal_panel *panel, const market_size *size) {
  const wal_result *result = size->by->result;
  for (int k = 0; k < size->by->count; k++) {
    const int64_t row = size->by->groups[k].row;
    const double nsw = wal_result_published(result, row, "nsw_ratio"),
                 expl = wal_result_published(result, row, "expl_weak_ratio");
    if (!of_size(size, k) || isnan(nsw) || isnan(expl)) continue;
    wal_series *series = wal_panel_series(panel, WAL_HOLLOW, "RPF-Net, paper", wal_rpfnet_colour("rpf"));
    wal_series_point(series, nsw, expl, NAN, NAN);
    wal_panel_rawf(panel, "set label 'RPF-Net, paper' at first %g,%g left offset 0.8,0 font SMALL", nsw,
                   expl);
    return;
  }
}

typedef struct {
  double from, top; /* of the x axis and the y axis */
  bool strong;
} view;

static wal_panel *draw_panel(wal_figure *figure, const market_size *size, const char *title, view v) {
  char text[128];
  snprintf(text, sizeof text, "%g × %g%s: %s", size->n, size->m, size->budget == 0.25 ? ", budget N/4" : "",
           title);
  wal_panel *panel = wal_figure_panel(figure, text, "NSW, over PF's", "exploitability, over PF's");
  if (v.strong && size->n == 2 && size->m == 2) draw_bounds(panel, size->by->result, v.from);
  for (int k = 0; wal_mechanism_kinds[k]; k++)
    draw_mechanism(panel, size, wal_mechanism_kinds[k]->name, v.strong ? "expl_ratio" : "expl_weak_ratio");
  if (!v.strong) draw_published(panel, size);
  wal_panel_range(panel, v.from, 1.001, 0, v.top);
  wal_panel_legend(panel, NULL);
  return panel;
}

static bool has_weak(const market_size *size) {
  for (int k = 0; k < size->by->count; k++)
    if (of_size(size, k) && wal_group_stat(size->by, k, "expl_weak_ratio").count > 0) return true;
  return false;
}

/* 2 x 2 in three views, then every other size in one. */
static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  market_size sizes[4];
  int count = 0;
  for (int k = 0; k < by->count && count < 4; k++) {
    int s = 0;
    while (s < count && !of_size(&sizes[s], k)) s++;
    if (s == count) sizes[count++] = size_of(by, k);
  }
  int panels = 0;
  for (int s = 0; s < count; s++) panels += sizes[s].n == 2 ? 2 + has_weak(&sizes[s]) : 1;
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5,
                                          1.5 + 7.5 * ((panels + 1) / 2), (panels + 1) / 2, 2);
  for (int s = 0; s < count; s++) {
    wal_panel *first = draw_panel(figure, &sizes[s], "strong search", (view){0.95, NAN, true});
    if (s == 0) wal_panel_legend(first, "top left");
    if (sizes[s].n != 2) continue;
    draw_panel(figure, &sizes[s], "strong search, close", (view){0.985, 0.6, true});
    if (has_weak(&sizes[s]))
      wal_panel_legend(
          draw_panel(figure, &sizes[s], "one-start ascent, as in the paper", (view){0.985, 0.6, false}),
          NULL);
  }
  bound_lines lines[BOUNDS_MAX];
  if (find_bounds(by->result, lines) > 0)
    wal_figure_note(figure,
                    "Grey: no mechanism is under the line for any of them, by lies about values alone; under "
                    "the other one, none that meets its condition (U: PF's utilities) whatever is reported");
  wal_figure_note(
      figure,
      "Networks: from right to left as exploitability weighs more. Bars: one standard error over the "
      "held-out instances (paired with PF's) or, with several seeds, the smallest and the largest");
}

/* ---- tables ---- */

/* The mechanism, the size, and every swept parameter except the seed and the bound's. */
static int choose_keys(const wal_result *result, const char *keys[WAL_RPFNET_PARAMS]) {
  const wal_config *config = result->config;
  int count = 0;
  keys[count++] = "mechanism", keys[count++] = "n", keys[count++] = "m";
  for (int p = 0; p < WAL_RPFNET_PARAMS; p++) {
    const char *name = params[p].name;
    bool known = !strcmp(name, "seed");
    for (int k = 0; k < count; k++) known |= !strcmp(name, keys[k]);
    if (config->swept[p] && !known) keys[count++] = name;
  }
  return count;
}

static void draw_bound_table(wal_drawing *drawing, const wal_result *result) {
  static const double at[] = {0.9925, 0.9941, 0.9946, 0.9957, 0.996, 0.997, 0.9983};
  bound_lines lines[BOUNDS_MAX];
  const int count = find_bounds(result, lines);
  if (count == 0) return;
  wal_table *table = wal_drawing_table(
      drawing, "bound", "Lower bound on exploitability over PF's, at ratios of Nash welfare to PF's (2 x 2)");
  wal_table_column(table, NULL, "NSW ratio", "%.4f");
  for (int k = 0; k < count; k++) {
    char name[96];
    name_bound(&lines[k], name, sizeof name);
    wal_table_column(table, NULL, name, "%.3f");
  }
  for (size_t r = 0; r < sizeof at / sizeof *at; r++) {
    wal_table_row(table);
    wal_table_real(table, at[r], NAN, 1);
    for (int k = 0; k < count; k++) wal_table_real(table, mean_bound(result, &lines[k], at[r]), NAN, 1);
  }
  wal_table_note(table, "A numerical bound, not a certificate: see models/mechanism/frontier_bound.h");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const measures[] = {"nsw_ratio", "nsw_active_ratio", "expl_ratio", "expl_weak_ratio",
                                         "efficiency_ratio"};
  const char *keys[WAL_RPFNET_PARAMS];
  const int key_count = choose_keys(result, keys);
  const wal_status status = wal_drawing_groups(result, drawing, keys, key_count, measures, 5, draw_figure);
  if (status == WAL_OK) draw_bound_table(drawing, result);
  return status;
}

const wal_experiment wal_rpfnet_frontier = {
    .id = "rpfnet/frontier",
    .title = "What Nash welfare costs in exploitability",
    .paper = WAL_RPFNET_PAPER ", sections 2.2 and 6; the figure is ours",
    .doc =
        "Nash social welfare against exploitability, both over PF's on the same held-out instances: learned "
        "mechanisms over the weight of exploitability in their training, PF of clipped values over the "
        "limits, "
        "PF of powers of the values, mixtures of PF and PA. At 2 x 2 also a lower bound from linear programs "
        "over allocation tables (lies about values only, which is less than what the search tries): over all "
        "mechanisms, lotteries included (least 0), and over those that waste little at any report (least "
        "1.5). The "
        "one-start "
        "ascent finds less than the strong search: the paper's figures are of its kind.",
    .version = 2,
    .devices = true,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = wal_rpfnet_columns,
    .column_count = WAL_RPFNET_COLUMNS,
    .run_point = run_point,
    .draw = draw,
};
