/* RPF-Net, Figure 1: what agent 1 gains by misreporting its value ratio, two agents and two resources. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/registry.h"
#include "experiments/rpfnet/rpfnet.h"

static const wal_param params[] = {
    WAL_RPFNET_SHARED_PARAMS,
    {"example.own", WAL_REAL, "0.5", 0.1, 1, NULL, "1", "agent 1's true value ratio v12/v11", NULL, 0},
    {"example.other", WAL_REAL, "0.25", 0.1, 0.99, NULL, "1", "agent 2's value ratio v22/v21", NULL, 0},
    {"example.points", WAL_INT, "117", 2, 1e6, NULL, "1", "reported ratios from 0.1 to 3", NULL, 0},
};

static const wal_column columns[] = {
    {"ratio", WAL_REAL, "1", "reported v12/v11", WAL_COLUMN_KEY, 0, 0},
    {"utility", WAL_REAL, "1", "utility of agent 1 at its true values", 0, 0.02, 1e-9},
    {"gain", WAL_REAL, "1", "utility over that of the truth, minus 1", 0, 0.05, 0.01},
    {"closed_form", WAL_REAL, "1", "utility under PF by hand", WAL_COLUMN_OPTIONAL, 1e-9, 0},
    {"best_gain", WAL_REAL, "1", "largest gain of all ratios; in the row of the truth", WAL_COLUMN_OPTIONAL,
     0.2, 0.02},
    {"best_ratio", WAL_REAL, "1", "the ratio behind it", WAL_COLUMN_OPTIONAL, 0.5, 0},
};

static const double low = 0.1, high = 3, cliff = 1e-6;

/* PF with demands and budgets of 1, v1 = (1, own), v2 = (1, other < 1), agent 1 reporting (1, r). Above the
   other's ratio it has all of resource 2 and (1 - r)/2 of resource 1, below it (1 + other)/2 of resource 1
   only; at r = other the allocation is not unique. */
static double closed_form(double own, double other, double r) {
  if (r < other) return 0.5 * (1 + other);
  return r < 1 ? 0.5 * (1 - r) + own : own;
}

static int compare_reals(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The truth, both sides of the cliff at the other's ratio, and a uniform grid without the ratio itself; in
   rising order into r [points + 3]. */
static int choose_ratios(double own, double other, int points, double *r) {
  int count = 0;
  r[count++] = other * (1 - cliff);
  r[count++] = other * (1 + cliff);
  if (fabs(own - other) > cliff) r[count++] = own;
  for (int k = 0; k < points; k++) {
    const double at = low + (high - low) * k / (points - 1);
    if (fabs(at - other) > cliff && fabs(at - own) > cliff) r[count++] = at;
  }
  qsort(r, (size_t)count, sizeof *r, compare_reals);
  return count;
}

/* Utilities of agent 1 for its reports into u [count]; the larger of two reported values is 1. */
static wal_status utilities(const wal_mechanism *f, double budget, double own, double other, const double *r,
                            int count, double *u) {
  wal_owned_instances reports;
  double *a = malloc((size_t)count * 4 * sizeof *a);
  wal_status status = wal_instances_create(count, 2, 2, false, &reports);
  if (status == WAL_OK && !a) status = wal_fail(WAL_E_MEMORY, "no memory for %d allocations", count);
  for (int k = 0; k < count && status == WAL_OK; k++) {
    double *v = reports.v + 4 * k, scale = fmax(1, r[k]);
    v[0] = 1 / scale, v[1] = r[k] / scale, v[2] = 1, v[3] = other;
    for (int e = 0; e < 4; e++) reports.x[4 * k + e] = 1;
    reports.b[2 * k] = reports.b[2 * k + 1] = budget;
  }
  if (status == WAL_OK) status = wal_mechanism_allocate(f, &reports.in, a);
  for (int k = 0; k < count && status == WAL_OK; k++) u[k] = a[4 * k] + own * a[4 * k + 1];
  wal_instances_destroy(&reports);
  free(a);
  return status;
}

static void send_rows(const wal_point *point, wal_sink *sink, const double *r, const double *u, int count) {
  const double own = wal_point_real(point, "example.own"), other = wal_point_real(point, "example.other");
  const bool exact =
      !strcmp(wal_point_text(point, "mechanism"), "pf") && wal_point_real(point, "budget") == 0.5;
  int best = 0, truth = 0;
  for (int k = 0; k < count; k++) {
    if (u[k] > u[best]) best = k;
    if (r[k] == own) truth = k;
  }
  for (int k = 0; k < count; k++) {
    wal_sink_row(sink);
    wal_sink_real(sink, "ratio", r[k]);
    wal_sink_real(sink, "utility", u[k]);
    wal_sink_real(sink, "gain", u[k] / u[truth] - 1);
    if (exact) wal_sink_real(sink, "closed_form", closed_form(own, other, r[k]));
    if (k == truth) wal_sink_real(sink, "best_gain", u[best] / u[truth] - 1);
    if (k == truth) wal_sink_real(sink, "best_ratio", r[best]);
  }
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  const double own = wal_point_real(point, "example.own"), other = wal_point_real(point, "example.other");
  const int points = (int)wal_point_int(point, "example.points");
  if (wal_point_int(point, "n") != 2 || wal_point_int(point, "m") != 2)
    return wal_fail(WAL_E_INPUT, "the example has two agents and two resources; expected n: 2 and m: 2");
  double *r = malloc(2 * (size_t)(points + 3) * sizeof *r), *u = r ? r + points + 3 : NULL;
  if (!r) return wal_fail(WAL_E_MEMORY, "no memory for %d ratios", points);
  wal_mechanism *f = NULL;
  wal_status status = wal_rpfnet_mechanism(point, sink, &f, NULL);
  const int count = choose_ratios(own, other, points, r);
  if (status == WAL_OK) status = utilities(f, 2 * wal_point_real(point, "budget"), own, other, r, count, u);
  if (status == WAL_OK) send_rows(point, sink, r, u, count);
  wal_mechanism_destroy(f);
  free(r);
  return status;
}

/* ---- the picture ---- */

/* A band over the seeds for each mechanism, and a dashed line at its truth. */
static void draw_panel(wal_panel *panel, const wal_grouping *by, const char *column, double scale,
                       double last_ratio) {
  const wal_frame *rows = by->result->rows;
  const int name = wal_frame_find(rows, "mechanism"), ratio = wal_frame_find(rows, "ratio");
  wal_series *series = NULL;
  const char *last = "";
  for (int k = 0; k < by->count; k++) {
    const int64_t row = by->groups[k].row;
    const char *mechanism = wal_frame_text(rows, row, name);
    if (strcmp(mechanism, last))
      series = wal_panel_series(panel, WAL_BAND, wal_rpfnet_label(mechanism), wal_rpfnet_colour(mechanism));
    last = mechanism;
    const wal_stat s = wal_group_stat(by, k, column);
    const double x = wal_frame_real(rows, row, ratio);
    if (x <= last_ratio) wal_series_point(series, x, scale * s.mean, scale * s.min, scale * s.max);
    if (wal_group_stat(by, k, "best_gain").count > 0)
      wal_panel_rawf(panel,
                     "set arrow from graph 0,first %g to graph 1,first %g nohead ls %d dt (2,4) lw 0.9 back",
                     scale * s.mean, scale * s.mean, wal_rpfnet_colour(mechanism) + 1);
  }
}

static double example(const wal_result *result, const char *name) {
  return wal_point_real(wal_result_point(result, 0), name);
}

/* PF's supremum, and the truth on the x axis. */
static void annotate(wal_panel *panel, const wal_result *result, bool gain) {
  const double own = example(result, "example.own"), other = example(result, "example.other");
  const double truth = closed_form(own, other, own), top = closed_form(own, other, other);
  const double y = gain ? 100 * (top / truth - 1) : top;
  wal_panel_rawf(panel,
                 "set object circle at first %g,%g size graph 0.008 fc rgb 'white' fs solid 1 border lc "
                 "rgb '#000000' front",
                 other, y);
  wal_panel_rawf(panel,
                 "set label '%s+%.2f%%, not attained' at first %g,%g left offset 0.8,0 "
                 "noenhanced font SMALL",
                 gain ? "sup " : "PF: supremum ", 100 * (top / truth - 1), fmax(own, other), y);
  wal_panel_rawf(panel,
                 "set arrow from first %g,graph 0 to first %g,graph 1 nohead lw 0.5 lc rgb '#B0B0B0' back",
                 own, own);
  wal_panel_rawf(
      panel, "set label 'truth' at first %g,graph 0.96 left offset 0.4,0 font SMALL textcolor rgb '#606060'",
      own);
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  const wal_result *result = by->result;
  wal_figure *figure = wal_drawing_figure(drawing, "", result->config->title, 17.5, 7.5, 1, 2);
  wal_panel *utility = wal_figure_panel(figure, "Utility of agent 1", "reported ratio v₁₂/v₁₁", "utility");
  draw_panel(utility, by, "utility", 1, high);
  annotate(utility, result, false);
  wal_panel_range(utility, low, high, NAN, NAN);
  wal_panel_legend(utility, "top right");
  wal_panel *gain = wal_figure_panel(figure, "Gain over the truth", "reported ratio v₁₂/v₁₁", "gain (%)");
  draw_panel(gain, by, "gain", 100, 1);
  annotate(gain, result, true);
  wal_panel_range(gain, low, 1, NAN, NAN);
  wal_panel_legend(gain, NULL);
  wal_figure_note(figure,
                  "Lines: means over the seeds, bands from the smallest to the largest. Dotted: the truth "
                  "under each mechanism");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"mechanism", "ratio"}, *const measures[] = {"best_gain", "best_ratio"};
  wal_grouping by = {0};
  wal_status status =
      wal_drawing_standard_table(drawing, result, result->config->title, keys, 1, measures, 2);
  if (status == WAL_OK) status = wal_group_rows(result, keys, 2, &by);
  if (status == WAL_OK) draw_figure(drawing, &by);
  wal_grouping_free(&by);
  return status;
}

const wal_experiment wal_rpfnet_fig1 = {
    .id = "rpfnet/fig1",
    .title = "What agent 1 gains by a lie under PF and under RPF-Net",
    .paper = WAL_RPFNET_PAPER ", Figure 1",
    .doc =
        "Two agents, two resources, demands, budgets and weights of 1, v1 = (1, 1/2), v2 = (1, 1/4). Agent 1 "
        "reports another ratio v12/v11, the larger value being 1, agent 2 the truth. Under PF agent 1 gains "
        "most just above agent 2's ratio: 1/6 of its utility, a supremum that no report attains, for at that "
        "ratio the allocation is not unique and below it agent 1 loses. Ratios at 1 +- 1e-6 times agent 2's "
        "are among the reports, the ratio itself is not.",
    .version = 1,
    .devices = true,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
