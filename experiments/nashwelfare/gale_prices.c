/* Proofs of Theorems 1.3 and 1.6: below the prices of a thrifty equilibrium there are Gale prices. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "experiments/nashwelfare/study.h"
#include "experiments/registry.h"
#include "models/nashwelfare/verify.h"

static const wal_param params[] = {WAL_STUDY_PARAMS(WAL_STUDY_NETWORKS)};

static const wal_column columns[] = {
    {.name = "markets", .type = WAL_INT, .unit = "1", .doc = "markets drawn"},
    {.name = "found",
     .type = WAL_INT,
     .unit = "1",
     .doc = "of these, with an equilibrium found",
     .rtol = 0.01},
    {.name = "equilibria", .type = WAL_INT, .unit = "1", .doc = "all of them", .rtol = 0.02},
    {.name = "excess_max",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "largest (q_j - p_j) / sum_i b_i over goods and equilibria, q the Gale prices nearest to below "
            "p; <= 0",
     .atol = 1e-6},
    {.name = "own_excess_max",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "the same with the one vector of Gale prices that the solver returns",
     .atol = 1e-2},
    {.name = "own_above",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "share of prices that those exceed by more than 1e-6 of all budgets",
     .atol = 1e-2},
    {.name = "unique",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "share of goods whose Gale price is unique to 1e-6 of all budgets",
     .atol = 1e-2},
    {.name = "distance",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "largest distance of q from the optimality conditions of (EG), checked anew",
     .atol = 1e-5},
};

/* ---- a point ---- */

enum { VALUES = 10, GOODS = 64 };

/* Lines of one equilibrium: a good each. */
static wal_status measure_equilibrium(const wal_study_market *in, int e, double *lines) {
  const int m = in->market->m;
  const wal_nw_solution nw = {
      .u = (double *)in->u, .y = (double *)in->y, .q = (double *)in->q, .gap = in->gap};
  const double *p = in->price + e * m;
  double q[GOODS], low[GOODS], high[GOODS], excess, distance, budgets = 0;
  for (int i = 0; i < in->market->n; i++) budgets += in->market->budget[i];
  wal_status status = wal_nw_gale_below(in->market, &nw, p, q, &excess);
  if (status == WAL_OK) status = wal_nw_gale_check(in->market, in->y, q, &distance);
  if (status == WAL_OK) status = wal_nw_price_range(in->market, &nw, low, high);
  for (int j = 0; status == WAL_OK && j < m; j++, lines += VALUES) {
    lines[1] = e;
    lines[2] = j;
    lines[3] = p[j] / budgets;
    lines[4] = q[j] / budgets;
    lines[5] = (q[j] - p[j]) / budgets;
    lines[6] = (in->q[j] - p[j]) / budgets;
    lines[7] = p[j] > 0 ? q[j] / p[j] : NAN;
    lines[8] = (high[j] - low[j]) / budgets;
    lines[9] = distance;
  }
  return status;
}

static wal_status measure(const wal_study_market *in, double *lines, int *count) {
  const int m = in->market->m;
  wal_status status = WAL_OK;
  *count = in->equilibria * m;
  for (int e = 0; status == WAL_OK && e < in->equilibria; e++)
    status = measure_equilibrium(in, e, lines + e * m * VALUES);
  return status;
}

static wal_status send_row(wal_sink *sink, const wal_study_lines *lines, int m) {
  wal_study_summary excess, own, distance;
  wal_status status = wal_study_summarise(lines, "excess", &excess);
  if (status == WAL_OK) status = wal_study_summarise(lines, "own_excess", &own);
  if (status == WAL_OK) status = wal_study_summarise(lines, "distance", &distance);
  if (status != WAL_OK) return status;
  int64_t above = 0, fixed = 0;
  for (int64_t line = 0; line < lines->count; line++) {
    above += lines->values[line * VALUES + 6] > 1e-6;
    fixed += lines->values[line * VALUES + 8] < 1e-6;
  }
  wal_sink_row(sink);
  wal_sink_int(sink, "markets", lines->markets);
  wal_sink_int(sink, "found", lines->found);
  wal_sink_int(sink, "equilibria", lines->count / m);
  wal_sink_real(sink, "excess_max", excess.max);
  wal_sink_real(sink, "own_excess_max", own.max);
  wal_sink_real(sink, "own_above", (double)above / (double)lines->count);
  wal_sink_real(sink, "unique", (double)fixed / (double)lines->count);
  wal_sink_real(sink, "distance", distance.max);
  return WAL_OK;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  static const char *const names[VALUES] = {"instance", "equilibrium", "good",  "price", "gale_price",
                                            "excess",   "own_excess",  "ratio", "width", "distance"};
  const int m = (int)wal_point_int(point, "m");
  const wal_study_task task = {names, VALUES, m * (int)wal_point_int(point, "most"), measure, "ratio"};
  wal_study_lines lines;
  wal_status status = wal_study_run(point, sink, &task, &lines);
  if (status == WAL_OK) status = send_row(sink, &lines, m);
  if (status == WAL_OK)
    status = wal_study_demand(point, &lines, "excess", -INFINITY, 1e-6,
                              "proof of Theorem 1.3: Gale prices q <= p");
  if (status == WAL_OK) status = wal_study_demand(point, &lines, "distance", 0, 1e-4, "q are Gale prices");
  wal_study_lines_free(&lines);
  return status;
}

/* ---- the picture ---- */

enum { SHOWN = 120 }; /* lines of a point */

/* Pairs of prices of the first equilibria found, and the line where both are equal. */
static void draw_family(const wal_result *result, int family, wal_figure *figure, bool legend) {
  wal_panel *panel = wal_figure_panel(figure, wal_nashwelfare_kinds[family].label, "equilibrium price p_j",
                                      "Gale price q_j");
  wal_series *points = wal_panel_series(panel, WAL_POINTS, "", family);
  wal_panel_range(panel, 0, 1.001, 0, 1.001); /* a price may be all budgets, but for rounding */
  for (int64_t row = 0; row < wal_frame_rows(result->rows); row++) {
    const wal_frame *trace = wal_study_trace(result, row, wal_nashwelfare_kinds[family].name);
    const int64_t lines = trace ? wal_frame_rows(trace) : 0;
    const int price = trace ? wal_frame_find(trace, "price") : 0,
              gale = trace ? wal_frame_find(trace, "gale_price") : 0;
    for (int64_t line = 0; line < lines && line < SHOWN; line++)
      wal_series_point(points, wal_frame_real(trace, line, price), wal_frame_real(trace, line, gale), NAN,
                       NAN);
  }
  wal_series *equal = wal_panel_series(panel, WAL_BAND, "q = p", 6);
  wal_series_point(equal, 0, 0, NAN, NAN);
  wal_series_point(equal, 1, 1, NAN, NAN);
  wal_panel_legend(panel, legend ? "top left" : NULL);
}

static wal_status draw_figure(const wal_result *result, wal_drawing *drawing) {
  const wal_study_histogram ratio = {
      .value = "ratio", .xlabel = "q_j / p_j", .low = 0, .high = 1.1, .bound = 1, .bound_label = "q = p"};
  wal_figure *figure = wal_drawing_figure(drawing, "", result->config->title, 17.5, 10.5, 2, 3);
  for (int family = 0; family < WAL_NASHWELFARE_FAMILIES; family++)
    if (wal_study_names(WAL_STUDY_NETWORKS, family)) draw_family(result, family, figure, family == 0);
  wal_figure_note(figure, "Prices in shares of all budgets, of the first %d goods of every size of market",
                  SHOWN);
  return wal_study_draw_distributions(result, figure, &ratio);
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const counts[] = {"markets", "found", "equilibria"};
  static const char *const headers[] = {"markets", "CE found", "CE"};
  const wal_study_table table = {.count_columns = 3,
                                 .counts = counts,
                                 .headers = headers,
                                 .value = "excess",
                                 .label = "(q_j - p_j) / sum_i b_i",
                                 .format = "%.1e",
                                 .bound = 0};
  const wal_status status = wal_study_draw_table(result, drawing, &table);
  return status == WAL_OK ? draw_figure(result, drawing) : status;
}

const wal_experiment wal_nashwelfare_gale_prices = {
    .id = "nashwelfare/gale-prices",
    .title = "Gale prices below equilibrium prices",
    .paper = WAL_NASHWELFARE_PAPER ", proofs of Theorems 1.3 and 1.6",
    .doc =
        "Random markets of a family: for each thrifty competitive equilibrium with prices p, the Gale prices "
        "q "
        "that exceed p least, by a linear program over all Gale prices; they are nowhere above p. More than "
        "1e-6 "
        "of all budgets fails the point and names the market. Prices are in shares of all budgets. Trace "
        "`markets`: a line per equilibrium and good.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
