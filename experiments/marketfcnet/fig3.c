/* MarketFCNet, Figure 3: Nash gap (a) and time (b) over the size of the market, n x m. */
#include <math.h>
#include <stdio.h>

#include "experiments/marketfcnet/market.h"
#include "experiments/registry.h"

typedef struct {
  const char *column, *title, *axis;
  double floor;
} measure;

static double place(const void *context, const wal_frame *rows, int64_t row) {
  const double m = wal_frame_real(rows, row, wal_frame_find(rows, "m"));
  return m == *(const double *)context ? wal_frame_real(rows, row, wal_frame_find(rows, "n")) : NAN;
}

/* A panel per m; the y axis of a row of panels is the same. */
static void draw_row(wal_figure *figure, const wal_grouping *by, const measure *y, const double *m, int count,
                     double low, double high) {
  for (int k = 0; k < count; k++) {
    char title[96];
    snprintf(title, sizeof title, "%s, m = %g", y->title, m[k]);
    wal_panel *panel = wal_figure_panel(figure, title, "buyers n", k == 0 ? y->axis : "");
    wal_market_series(panel, WAL_LINES, by, y->column, y->floor, place, &m[k]);
    wal_panel_log(panel, true, true);
    wal_panel_range(panel, NAN, NAN, low, high);
    wal_panel_legend(panel, y->floor > 0 && k == 0 ? "top left" : NULL);
  }
}

/* Whole decades around the means of a column. */
static void decades(const wal_grouping *by, const measure *y, double *low, double *high) {
  *low = INFINITY, *high = 0;
  for (int k = 0; k < by->count; k++) {
    const wal_stat s = wal_market_at_least(wal_group_stat(by, k, y->column), y->floor);
    if (s.count > 0) *low = fmin(*low, s.min), *high = fmax(*high, s.max);
  }
  *low = *high > 0 ? pow(10, floor(log10(*low))) : NAN;
  *high = *high > 0 ? pow(10, ceil(log10(*high))) : NAN;
}

static int distinct_m(const wal_grouping *by, double m[8]) {
  const wal_frame *rows = by->result->rows;
  const int column = wal_frame_find(rows, "m");
  int count = 0;
  for (int k = 0; k < by->count && count < 8; k++) {
    const double value = wal_frame_real(rows, by->groups[k].row, column);
    int at = 0;
    while (at < count && m[at] != value) at++;
    if (at == count) m[count++] = value;
  }
  return count;
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  static const measure measures[] = {{"nash_gap", "(a) Nash gap", "NG (nats)", 1e-6},
                                     {"solve_s", "(b) Time", "seconds", NAN}};
  double m[8], low, high;
  const int count = distinct_m(by, m);
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 12, 2, count);
  wal_figure_note(figure, "Error bars: smallest and largest over the seeds; NG below %g is drawn at %g",
                  measures[0].floor, measures[0].floor);
  for (int k = 0; k < 2; k++) {
    decades(by, &measures[k], &low, &high);
    if (k == 0) high *= 30; /* room for the legend */
    draw_row(figure, by, &measures[k], m, count, low, high);
  }
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"m", "n", "solver"};
  static const char *const columns[] = {"nash_gap", "voa", "vop", "solve_s", "measure_s"};
  return wal_drawing_groups(result, drawing, keys, 3, columns, 5, draw_figure);
}

const wal_experiment wal_marketfcnet_fig3 = {
    .id = "marketfcnet/fig3",
    .title = "MarketFCNet by size of the market",
    .paper = WAL_MARKETFCNET_PAPER ", Figure 3",
    .doc =
        "The Nash gap and the time of the paper's methods, of the share output and of the exact solver over "
        "n "
        "and m. The paper prints bars without numbers, for n in {2^18, 2^20, 2^22} and m in {5, 10, 20}, and "
        "claims that MarketFCNet's gap and time hardly move while those of EG and EG-m grow with n.",
    .version = 1,
    .devices = true,
    .params = wal_market_params,
    .param_count = WAL_MARKET_PARAMS,
    .columns = wal_market_columns,
    .column_count = WAL_MARKET_COLUMNS,
    .run_point = wal_market_run_point,
    .draw = draw,
};
