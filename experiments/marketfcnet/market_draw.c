/* How markets are drawn: one table, and one figure of the four measures. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/marketfcnet/market.h"

enum { KEYS_MAX = WAL_MARKET_PARAMS };

/* The groups of a result: rows that differ in the seed only. */
typedef struct {
  const wal_result *result;   /* borrowed */
  const char *keys[KEYS_MAX]; /* borrowed from the schema; keys[0] is the solver */
  int key_count;
  wal_group *groups; /* owned */
  int count;
} grouping;

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

static const struct {
  const char *name, *label;
} solver_labels[] = {
    {"naive", "Naive"},
    {"eg", "EG"},
    {"eg_m", "EG-m"},
    {"fc", "FC"},
    {"fc_share", "FC share"},
    {"newton", "Exact"},
    {"eg_scaled", "EG scaled"},
    {"pr", "Proportional response"},
    {"block", "Block-coordinate"},
    {"pace", "PACE"},
    {"tatonnement", "Tatonnement"},
    {"tower", "Tower"},
    {"newton_sample", "Exact on a sample"},
    {"closed_form", "Closed form"},
    {"newton_cg", "Newton-CG"},
};
enum { SOLVERS = sizeof solver_labels / sizeof *solver_labels };

static int solver_rank(const char *name) {
  int rank = 0;
  while (rank < SOLVERS && strcmp(solver_labels[rank].name, name)) rank++;
  return rank;
}

static const char *solver_label(const char *name) {
  int rank = solver_rank(name);
  return rank < SOLVERS ? solver_labels[rank].label : name;
}

/* The solver, then every swept parameter except the seed: what tells one row of the table from another. */
static void choose_keys(grouping *g) {
  const wal_config *config = g->result->config;
  g->keys[g->key_count++] = "solver";
  for (int p = 0; p < config->experiment->param_count; p++) {
    const char *name = config->experiment->params[p].name;
    if (config->swept[p] && strcmp(name, "seed") && strcmp(name, "solver") && g->key_count < KEYS_MAX)
      g->keys[g->key_count++] = name;
  }
}

static wal_stat group_stat(const grouping *g, int k, const char *column) {
  return wal_group_stat(g->result, g->keys, g->key_count, &g->groups[k], column);
}

static const char *group_solver(const grouping *g, int k) {
  const wal_frame *rows = g->result->rows;
  return wal_frame_text(rows, g->groups[k].row, wal_frame_find(rows, "solver"));
}

static int distinct_values(const wal_config *config, int param) {
  int distinct = 0;
  for (int i = 0; i < config->point_count; i++) {
    bool seen = false;
    for (int k = 0; k < i && !seen; k++)
      seen = wal_value_equal(&config->points[i].values[param], &config->points[k].values[param]);
    distinct += !seen;
  }
  return distinct;
}

/* The swept number with most values, to stand on the x axis; NULL when no number but the seed is swept. */
static const char *x_parameter(const wal_config *config) {
  const char *best = NULL;
  int best_count = 1;
  for (int p = 0; p < config->experiment->param_count; p++) {
    const wal_param *param = &config->experiment->params[p];
    bool number = param->type == WAL_INT || param->type == WAL_REAL;
    if (!config->swept[p] || !number || !strcmp(param->name, "seed")) continue;
    int count = distinct_values(config, p);
    if (count > best_count) best = param->name, best_count = count;
  }
  return best;
}

static void add_stat(wal_series *series, double x, wal_stat s) {
  bool spread = s.count > 1;
  if (series) wal_series_point(series, x, s.mean, spread ? s.min : NAN, spread ? s.max : NAN);
}

/* One category per solver: ours filled, the paper's hollow beside it. */
static void panel_by_solver(wal_panel *panel, const grouping *g, const char *column, double floor) {
  wal_series *ours = wal_panel_series(panel, WAL_POINTS, "this run", 0), *paper = NULL;
  for (int k = 0; k < g->count; k++) {
    wal_panel_category(panel, k, solver_label(group_solver(g, k)));
    add_stat(ours, k - 0.12, group_stat(g, k, column));
    double published = wal_result_published(g->result, g->groups[k].row, column);
    if (!(published > 0)) continue;
    if (!paper) paper = wal_panel_series(panel, WAL_HOLLOW, "paper", 1);
    if (paper) wal_series_point(paper, k + 0.12, published, NAN, NAN);
  }
  wal_panel_range(panel, -0.6, g->count - 0.4, floor, NAN);
  wal_panel_log(panel, false, true);
}

/* Name of a line: the solver and whatever else is swept besides the x parameter. */
static void line_name(const grouping *g, int k, const char *x, char *out, size_t size) {
  const wal_frame *rows = g->result->rows;
  size_t used = (size_t)snprintf(out, size, "%s", solver_label(group_solver(g, k)));
  for (int key = 1; key < g->key_count && used < size; key++) {
    if (!strcmp(g->keys[key], x)) continue;
    wal_value value = wal_frame_get(rows, g->groups[k].row, wal_frame_find(rows, g->keys[key]));
    char text[WAL_TEXT_MAX];
    wal_value_format(&value, text, sizeof text);
    used += (size_t)snprintf(out + used, size - used, ", %s = %s", g->keys[key], text);
  }
}

static bool same_line(const grouping *g, int a, int b, const char *x) {
  char name_a[512], name_b[512];
  line_name(g, a, x, name_a, sizeof name_a);
  line_name(g, b, x, name_b, sizeof name_b);
  return !strcmp(name_a, name_b);
}

/* Raised to the floor, so that a line of an exact method runs along the axis instead of breaking off. */
static wal_stat at_least(wal_stat s, double floor) {
  if (!(floor > 0) || s.count == 0) return s;
  s.mean = fmax(s.mean, floor);
  s.min = fmax(s.min, floor);
  s.max = fmax(s.max, floor);
  return s;
}

/* The line that group k begins, or nothing when an earlier group has begun it. */
static void add_line(wal_panel *panel, const grouping *g, int k, const char *column, double floor,
                     const char *x) {
  for (int earlier = 0; earlier < k; earlier++)
    if (same_line(g, earlier, k, x)) return;
  char name[512];
  line_name(g, k, x, name, sizeof name);
  int colour = g->key_count > 2 ? -1 : solver_rank(group_solver(g, k)) % 8;
  wal_series *line = wal_panel_series(panel, WAL_LINES, name, colour);
  int xcolumn = wal_frame_find(g->result->rows, x);
  for (int other = k; other < g->count; other++)
    if (same_line(g, other, k, x))
      add_stat(line, wal_frame_real(g->result->rows, g->groups[other].row, xcolumn),
               at_least(group_stat(g, other, column), floor));
}

/* One line per solver (and other swept parameter) against the x parameter. */
static void panel_against(wal_panel *panel, const grouping *g, const char *column, double floor,
                          const char *x) {
  double low = INFINITY, high = -INFINITY;
  int xcolumn = wal_frame_find(g->result->rows, x);
  for (int k = 0; k < g->count; k++) {
    double at = wal_frame_real(g->result->rows, g->groups[k].row, xcolumn);
    low = fmin(low, at), high = fmax(high, at);
    add_line(panel, g, k, column, floor, x);
  }
  wal_panel_range(panel, NAN, NAN, floor, NAN);
  wal_panel_log(panel, low > 0 && high >= 16 * low, true);
}

static void draw_figure(wal_drawing *drawing, const grouping *g) {
  const char *x = x_parameter(g->result->config);
  wal_figure *figure = wal_drawing_figure(drawing, "", g->result->config->title, 17.5, 12.5, 2, 2);
  wal_figure_note(figure, "Error bars: smallest and largest over the seeds");
  if (x)
    wal_figure_note(figure, "NG, VoA and VoP below %g are drawn at %g", measures[0].floor, measures[0].floor);
  for (int k = 0; figure && k < MEASURES; k++) {
    wal_panel *panel = wal_figure_panel(figure, measures[k].title, x ? x : "", measures[k].axis);
    if (!panel) return;
    wal_panel_legend(panel, k == 0 ? "top right" : NULL);
    if (x)
      panel_against(panel, g, measures[k].column, measures[k].floor, x);
    else
      panel_by_solver(panel, g, measures[k].column, measures[k].floor);
  }
}

wal_status wal_market_draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const columns[] = {"nash_gap", "voa", "vop", "solve_s", "measure_s"};
  grouping g = {.result = result};
  choose_keys(&g);
  wal_status status = wal_drawing_standard_table(drawing, result, result->config->title, g.keys, g.key_count,
                                                 columns, sizeof columns / sizeof *columns);
  if (status == WAL_OK) status = wal_group_rows(result, g.keys, g.key_count, &g.groups, &g.count);
  if (status == WAL_OK) draw_figure(drawing, &g);
  free(g.groups);
  return status;
}
