/* Cost of every mechanism against the number of agents and of resources. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/registry.h"
#include "experiments/rpfnet/cost.h"
#include "experiments/rpfnet/params.h"

static const wal_param params[] = {
    WAL_RPFNET_INSTANCE_PARAMS,
    WAL_RPFNET_COST_PARAMS,
    {"cost.cells", WAL_INT, "2^16", 1, 1e12, NULL, "entries", "of all instances measured for welfare", NULL,
     0},
};

static const wal_column columns[] = {
    {"parameters", WAL_INT, "1", "numbers in the network", WAL_COLUMN_OPTIONAL, 0, 0},
    {"allocate_us", WAL_REAL, "us", "inference, one thread, an instance", WAL_COLUMN_TIMING, 0, 0},
    {"gradient_us", WAL_REAL, "us", "gradient and Adam, one thread, an instance",
     WAL_COLUMN_TIMING | WAL_COLUMN_OPTIONAL, 0, 0},
    {"welfare", WAL_REAL, "1",
     "geometric mean over agents with demand of the utility over PF's (what is not learned)",
     WAL_COLUMN_OPTIONAL, 1e-4, 1e-9},
};

/* Logarithms of utilities summed over agents that have some, and how many. */
static wal_status sum_logs(const char *kind, const wal_instances *in, const wal_mechanism_options *options,
                           double *a, double *u, double *sum, int64_t *count) {
  wal_mechanism *f = NULL;
  wal_status status = wal_mechanism_create(kind, in->n, in->m, options, &f);
  if (status == WAL_OK) status = wal_mechanism_allocate(f, in, a);
  wal_mechanism_destroy(f);
  *sum = 0;
  *count = 0;
  if (status != WAL_OK) return status;
  wal_utilities(in, a, u);
  for (int64_t r = 0; r < in->count * in->n; r++)
    if (u[r] > 0) {
      *sum += log(u[r]);
      *count += 1;
    }
  return WAL_OK;
}

/* The geometric mean of utilities over PF's. */
static wal_status welfare_of(const wal_point *point, double *out) {
  const wal_law law = wal_rpfnet_law(point);
  const int64_t nm = (int64_t)law.n * law.m, cells = wal_point_int(point, "cost.cells");
  const int64_t count = cells / nm > 0 ? cells / nm : 1;
  const char *const kinds[] = {wal_point_text(point, "mechanism"), "pf"};
  wal_mechanism_options options;
  wal_owned_instances in;
  double *a = malloc((size_t)(count * (nm + law.n)) * sizeof *a), mean[2] = {NAN, NAN};
  wal_rpfnet_mechanism_options(point, &options);
  wal_status status = wal_instances_create(count, law.n, law.m, false, &in);
  if (status == WAL_OK && !a) status = wal_fail(WAL_E_MEMORY, "no memory for %lld entries", (long long)cells);
  if (status == WAL_OK) status = wal_law_draw(&law, 0, &in);
  for (int k = 0; status == WAL_OK && k < 2; k++) {
    int64_t agents;
    status = sum_logs(kinds[k], &in.in, &options, a, a + count * nm, &mean[k], &agents);
    mean[k] /= (double)agents;
  }
  *out = exp(mean[0] - mean[1]);
  wal_instances_destroy(&in);
  free(a);
  return status;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  const char *const kinds[] = {wal_point_text(point, "mechanism")};
  wal_rpfnet_cost cost;
  int64_t parameters = 0;
  double welfare = NAN;
  wal_status status = wal_rpfnet_parameters(kinds[0], (int)wal_point_int(point, "n"),
                                            (int)wal_point_int(point, "m"), &parameters);
  if (status == WAL_OK) status = wal_rpfnet_costs(point, 1, kinds, false, &cost);
  if (status == WAL_OK && !parameters) status = welfare_of(point, &welfare);
  if (status != WAL_OK) return status;
  wal_sink_row(sink);
  wal_sink_real(sink, "allocate_us", cost.allocate);
  if (parameters) wal_sink_int(sink, "parameters", parameters);
  if (!isnan(cost.gradient)) wal_sink_real(sink, "gradient_us", cost.gradient);
  if (!isnan(welfare)) wal_sink_real(sink, "welfare", welfare);
  return WAL_OK;
}

/* ---- drawing ---- */

static const char *const kinds_drawn[] = {
    "pf",      "pa",  "mixture",         "clip",        "exs",
    "softmax", "rpf", "rpf_equivariant", "rpf_monotone"}; /* v^theta costs what PF does */
enum { KINDS = sizeof kinds_drawn / sizeof *kinds_drawn, N = 0, M = 1 };

/* One number of a group: its n, m or a measure. */
static double size_of(const wal_grouping *by, int group, const char *name) {
  const int column = wal_frame_find(by->result->rows, name);
  return wal_frame_real(by->result->rows, by->groups[group].row, column);
}

static bool is_kind(const wal_grouping *by, int group, const char *kind) {
  const int column = wal_frame_find(by->result->rows, "mechanism");
  return strcmp(wal_frame_text(by->result->rows, by->groups[group].row, column), kind) == 0;
}

/* The size that `other` has in most groups: that of the line along which the first varies. */
static double common(const wal_grouping *by, const char *other) {
  double best = NAN;
  int most = 0;
  for (int k = 0; k < by->count; k++) {
    int same = 0;
    for (int l = 0; l < by->count; l++) same += size_of(by, l, other) == size_of(by, k, other);
    if (same > most) most = same, best = size_of(by, k, other);
  }
  return best;
}

/* A measure against a size, the other one held, and log-log least squares: the exponent, over the larger half
   of the sizes; NaN: fewer than two. */
typedef struct {
  const wal_grouping *by;
  const char *kind, *along, *held, *column;
  double at; /* of `held` */
} line;

static bool on_line(const line *l, int group) {
  return is_kind(l->by, group, l->kind) && size_of(l->by, group, l->held) == l->at &&
         wal_group_stat(l->by, group, l->column).count > 0;
}

static double exponent(const line *l) {
  double least = INFINITY, most = 0, count = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (int k = 0; k < l->by->count; k++)
    if (on_line(l, k)) {
      least = fmin(least, size_of(l->by, k, l->along));
      most = fmax(most, size_of(l->by, k, l->along));
    }
  for (int k = 0; k < l->by->count; k++) {
    if (!on_line(l, k) || size_of(l->by, k, l->along) < sqrt(least * most) * (1 - 1e-9)) continue;
    const double s = log(size_of(l->by, k, l->along)), t = log(wal_group_stat(l->by, k, l->column).mean);
    count++, x += s, y += t, xx += s * s, xy += s * t;
  }
  return count > 1 ? (xy - x * y / count) / (xx - x * x / count) : NAN;
}

/* The group on the line with the least size above `above`; -1: none. */
static int next_on_line(const line *l, double above) {
  int next = -1;
  double size = INFINITY;
  for (int g = 0; g < l->by->count; g++) {
    const double here = size_of(l->by, g, l->along);
    if (on_line(l, g) && here > above && here < size) size = here, next = g;
  }
  return next;
}

static void draw_panel(wal_figure *figure, const wal_grouping *by, const char *title, line l, bool legend) {
  char axis[64];
  snprintf(axis, sizeof axis, "%s", strcmp(l.along, "n") ? "resources M" : "agents N");
  wal_panel *panel = wal_figure_panel(figure, title, axis, "µs per instance");
  for (int k = 0; k < KINDS; k++) {
    wal_series *series = NULL;
    l.kind = kinds_drawn[k];
    double size = 0;
    for (int g; (g = next_on_line(&l, size)) >= 0;) {
      size = size_of(by, g, l.along);
      if (!series)
        series = wal_panel_series(panel, WAL_LINES, wal_rpfnet_label(l.kind), wal_rpfnet_colour(l.kind));
      wal_series_point(series, size, wal_group_stat(by, g, l.column).mean, NAN, NAN);
    }
  }
  wal_panel_log(panel, true, true);
  wal_panel_legend(panel, legend ? "top left" : NULL);
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by, double n, double m) {
  char title[96];
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 15, 2, 2);
  snprintf(title, sizeof title, "Inference, M = %g", m);
  draw_panel(figure, by, title, (line){by, "", "n", "m", "allocate_us", m}, true);
  snprintf(title, sizeof title, "Inference, N = %g", n);
  draw_panel(figure, by, title, (line){by, "", "m", "n", "allocate_us", n}, false);
  snprintf(title, sizeof title, "Gradient and Adam, M = %g", m);
  draw_panel(figure, by, title, (line){by, "", "n", "m", "gradient_us", m}, true);
  snprintf(title, sizeof title, "Gradient and Adam, N = %g", n);
  draw_panel(figure, by, title, (line){by, "", "m", "n", "gradient_us", n}, false);
  wal_figure_note(figure, "Each time is the least of several turns");
}

/* Time ~ N^p at common M, M^q at common N. */
static void draw_exponents(wal_drawing *drawing, const wal_grouping *by, double n, double m) {
  wal_table *table = wal_drawing_table(drawing, "exponents", "Growth of the cost with the sizes");
  static const char *const columns_of[] = {"allocate_us", "gradient_us"};
  wal_table_column(table, NULL, "mechanism", NULL);
  for (int c = 0; c < 2; c++)
    for (int s = N; s <= M; s++)
      wal_table_column(table, c ? "gradient" : "inference", s == N ? "N^p" : "M^q", "%.2f");
  for (int k = 0; k < KINDS; k++) {
    bool there = false;
    for (int g = 0; g < by->count; g++) there |= is_kind(by, g, kinds_drawn[k]);
    if (!there) continue;
    wal_table_row(table);
    wal_table_text(table, wal_rpfnet_label(kinds_drawn[k]));
    for (int c = 0; c < 2; c++) {
      const line along_n = {by, kinds_drawn[k], "n", "m", columns_of[c], m};
      const line along_m = {by, kinds_drawn[k], "m", "n", columns_of[c], n};
      wal_table_real(table, exponent(&along_n), NAN, 1);
      wal_table_real(table, exponent(&along_m), NAN, 1);
    }
  }
  wal_table_note(
      table, "least squares in logarithms over the larger half of the sizes: N at M = %g, M at N = %g", m, n);
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"mechanism", "n", "m"};
  static const char *const measures[] = {"allocate_us", "gradient_us", "welfare", "parameters"};
  wal_grouping by = {0};
  wal_status status =
      wal_drawing_standard_table(drawing, result, result->config->title, keys, 3, measures, 4);
  if (status == WAL_OK) status = wal_group_rows(result, keys, 3, &by);
  if (status == WAL_OK) {
    const double n = common(&by, "n"), m = common(&by, "m");
    draw_figure(drawing, &by, n, m);
    draw_exponents(drawing, &by, n, m);
  }
  wal_grouping_free(&by);
  return status;
}

const wal_experiment wal_rpfnet_scale = {
    .id = "rpfnet/scale",
    .title = "Cost against the numbers of agents and resources",
    .paper = WAL_RPFNET_PAPER ", section 6.4 (its sizes end at 10 x 3)",
    .doc =
        "Processor time per instance of every mechanism, to allocate and for a gradient, as agents and "
        "resources grow, with exponents fitted to the larger sizes. The budget is a fifth of an agent's "
        "largest demand times N, below the mean demand, so that resources stay contested at any N. Welfare "
        "of "
        "what is not learned: the geometric mean of utilities over PF's.",
    .version = 1,
    .devices = true,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
