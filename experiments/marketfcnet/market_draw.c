/* How markets are drawn: one table, and one figure of the four measures. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/index.h"
#include "experiments/marketfcnet/market.h"

enum { KEYS_MAX = WAL_MARKET_PARAMS };

/* A result by its groups: rows that differ in the seed only. */
typedef struct {
  const wal_result *result;   /* borrowed */
  const char *keys[KEYS_MAX]; /* borrowed from the schema; keys[0] is the solver */
  int key_count;
  wal_grouping by;
  const char *x;   /* the parameter on the x axis; NULL: the solvers */
  wal_index lines; /* with an x: the names of the lines */
  int *line_of;    /* [by.count] the line of each group; owned */
} view;

static const struct {
  const char *column, *title, *axis;
  double floor; /* smaller values are as good as exact: not drawn to scale; NaN: none */
} measures[] = {
    {"nash_gap", "Nash gap", "NG (nats)", 1e-6},
    {"voa", "Violation of allocation", "VoA", 1e-6},
    {"vop", "Violation of price", "VoP", 1e-6},
    {"solve_s", "Time to solve or train", "seconds", NAN},
};
enum { MEASURES = sizeof measures / sizeof *measures };

/* The solver, then every swept parameter except the seed: what tells one row of the table from another. */
static void choose_keys(view *v) {
  const wal_config *config = v->result->config;
  v->keys[v->key_count++] = "solver";
  for (int p = 0; p < config->experiment->param_count; p++) {
    const char *name = config->experiment->params[p].name;
    if (config->swept[p] && strcmp(name, "seed") && strcmp(name, "solver") && v->key_count < KEYS_MAX)
      v->keys[v->key_count++] = name;
  }
}

static const wal_group *group_at(const view *v, int k) { return &v->by.groups[k]; }

static const char *group_solver(const view *v, int k) {
  const wal_frame *rows = v->result->rows;
  return wal_frame_text(rows, group_at(v, k)->row, wal_frame_find(rows, "solver"));
}

/* The swept number with most values, to stand on the x axis; NULL when no number but the seed is swept. */
static const char *x_parameter(const wal_config *config) {
  const char *best = NULL;
  int best_count = 1;
  for (int p = 0; p < config->experiment->param_count; p++) {
    const wal_param *param = &config->experiment->params[p];
    bool number = param->type == WAL_INT || param->type == WAL_REAL;
    if (!config->swept[p] || !number || !strcmp(param->name, "seed")) continue;
    int count = 0;
    free(wal_config_distinct(config, p, &count));
    if (count > best_count) best = param->name, best_count = count;
  }
  return best;
}

/* One category per solver: ours filled, the paper's hollow beside it. */
static void panel_by_solver(wal_panel *panel, const view *v, const char *column, double floor) {
  wal_series *ours = wal_panel_series(panel, WAL_POINTS, "this run", 0), *paper = NULL;
  for (int k = 0; k < v->by.count; k++) {
    wal_panel_category(panel, k, wal_market_label(group_solver(v, k)));
    wal_market_add(ours, k - 0.12, wal_group_stat(&v->by, k, column));
    double published = wal_result_published(v->result, group_at(v, k)->row, column);
    if (!(published > 0)) continue;
    if (!paper) paper = wal_panel_series(panel, WAL_HOLLOW, "paper", 1);
    if (paper) wal_series_point(paper, k + 0.12, published, NAN, NAN);
  }
  wal_panel_range(panel, -0.6, v->by.count - 0.4, floor, NAN);
  wal_panel_log(panel, false, true);
}

/* Name of a group's line: the solver and whatever else is swept besides the x parameter. */
static void line_name(const view *v, int k, char *out, size_t size) {
  const wal_frame *rows = v->result->rows;
  size_t used = (size_t)snprintf(out, size, "%s", wal_market_label(group_solver(v, k)));
  for (int key = 1; key < v->key_count && used < size; key++) {
    int column = wal_frame_find(rows, v->keys[key]);
    if (!strcmp(v->keys[key], v->x) || wal_frame_missing(rows, group_at(v, k)->row, column)) continue;
    wal_value value = wal_frame_get(rows, group_at(v, k)->row, column);
    char text[WAL_TEXT_MAX];
    wal_value_format(&value, text, sizeof text);
    used += (size_t)snprintf(out + used, size - used, ", %s = %s", v->keys[key], text);
  }
}

/* Which line each group is on. */
static wal_status find_lines(view *v) {
  v->line_of = calloc((size_t)v->by.count + 1, sizeof *v->line_of);
  bool complete = v->line_of != NULL;
  for (int k = 0; k < v->by.count && complete; k++) {
    char name[512];
    line_name(v, k, name, sizeof name);
    v->line_of[k] = wal_index_add(&v->lines, name);
    complete = v->line_of[k] >= 0;
  }
  return complete ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for the lines of %d groups", v->by.count);
}

/* The series of the lines, in order of the groups that begin them. series [v->lines.count] */
static void begin_lines(wal_panel *panel, const view *v, wal_series **series) {
  for (int k = 0, begun = 0; k < v->by.count; k++) {
    if (v->line_of[k] != begun) continue;
    int colour = v->key_count > 2 ? -1 : wal_market_colour(group_solver(v, k));
    series[begun] = wal_panel_series(panel, WAL_LINES, v->lines.texts[begun], colour);
    begun++;
  }
}

/* One line per solver (and other swept parameter) against the x parameter. */
static wal_status panel_against(wal_panel *panel, const view *v, const char *column, double floor) {
  wal_series **series = calloc((size_t)v->lines.count + 1, sizeof *series);
  if (!series) return wal_fail(WAL_E_MEMORY, "no memory for %d lines", v->lines.count);
  double low = INFINITY, high = -INFINITY;
  int xcolumn = wal_frame_find(v->result->rows, v->x);
  begin_lines(panel, v, series);
  for (int k = 0; k < v->by.count; k++) {
    double at = wal_frame_real(v->result->rows, group_at(v, k)->row, xcolumn);
    low = fmin(low, at), high = fmax(high, at);
    wal_market_add(series[v->line_of[k]], at, wal_market_at_least(wal_group_stat(&v->by, k, column), floor));
  }
  wal_panel_range(panel, NAN, NAN, floor, NAN);
  wal_panel_log(panel, low > 0 && high >= 16 * low, true);
  free(series);
  return WAL_OK;
}

static wal_status draw_figure(wal_drawing *drawing, view *v) {
  wal_status status = v->x ? find_lines(v) : WAL_OK;
  wal_figure *figure = wal_drawing_figure(drawing, "", v->result->config->title, 17.5, 12.5, 2, 2);
  wal_figure_note(figure, "Error bars: smallest and largest over the seeds");
  if (v->x)
    wal_figure_note(figure, "NG, VoA and VoP below %g are drawn at %g", measures[0].floor, measures[0].floor);
  for (int k = 0; figure && k < MEASURES && status == WAL_OK; k++) {
    wal_panel *panel = wal_figure_panel(figure, measures[k].title, v->x ? v->x : "", measures[k].axis);
    wal_panel_legend(panel, k == 0 ? "top right" : NULL);
    if (v->x)
      status = panel_against(panel, v, measures[k].column, measures[k].floor);
    else
      panel_by_solver(panel, v, measures[k].column, measures[k].floor);
  }
  return status;
}

wal_status wal_market_draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const columns[] = {"nash_gap", "voa", "vop", "solve_s", "measure_s"};
  view v = {.result = result, .x = x_parameter(result->config)};
  choose_keys(&v);
  wal_status status = wal_drawing_standard_table(drawing, result, result->config->title, v.keys, v.key_count,
                                                 columns, sizeof columns / sizeof *columns);
  if (status == WAL_OK) status = wal_group_rows(result, v.keys, v.key_count, &v.by);
  if (status == WAL_OK) status = draw_figure(drawing, &v);
  wal_grouping_free(&v.by);
  wal_index_free(&v.lines);
  free(v.line_of);
  return status;
}
