/* How much network MarketFCNet needs: the Nash gap against the operations of the training, for hidden widths.
 */
#include <math.h>
#include <stdio.h>

#include "experiments/marketfcnet/market.h"
#include "experiments/registry.h"

static const char *const recipes[] = {"fc", "fc_share", "tower"};
enum { RECIPES = sizeof recipes / sizeof *recipes };

/* The width that counts for a row's solver; NaN: it has no network, or the config does not sweep it. */
static double width_of(const wal_frame *rows, int64_t row) {
  for (int r = 0; r < RECIPES; r++) {
    char name[64];
    snprintf(name, sizeof name, "%s.width", recipes[r]);
    const int column = wal_frame_find(rows, name);
    if (column >= 0 && !wal_frame_missing(rows, row, column)) return wal_frame_real(rows, row, column);
  }
  return NAN;
}

static double by_flop(const void *context, const wal_frame *rows, int64_t row) {
  (void)context;
  return wal_frame_real(rows, row, wal_frame_find(rows, "train_flop"));
}

static double by_width(const void *context, const wal_frame *rows, int64_t row) {
  (void)context;
  return width_of(rows, row);
}

static void draw_panel(wal_figure *figure, const wal_grouping *by, const char *title, const char *xlabel,
                       const char *column, const char *axis, wal_market_place place, const char *legend) {
  wal_panel *panel = wal_figure_panel(figure, title, xlabel, axis);
  wal_market_series(panel, WAL_LINES, by, column, NAN, place, NULL);
  wal_panel_log(panel, true, true);
  wal_panel_legend(panel, legend);
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 7, 1, 3);
  draw_panel(figure, by, "Gap against operations", "FLOP of the training", "nash_gap", "NG (nats)", by_flop,
             "top right");
  draw_panel(figure, by, "Gap against width", "hidden width", "nash_gap", "NG (nats)", by_width, NULL);
  draw_panel(figure, by, "Time", "hidden width", "solve_s", "seconds", by_width, NULL);
  wal_figure_note(figure, "Error bars, with several seeds: smallest and largest");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"solver", "train_flop"};
  static const char *const measures[] = {"nash_gap", "voa", "vop", "solve_s"};
  return wal_drawing_groups(result, drawing, keys, 2, measures, 4, draw_figure);
}

const wal_experiment wal_marketfcnet_width = {
    .id = "marketfcnet/width",
    .title = "How much network MarketFCNet needs",
    .paper = WAL_MARKETFCNET_PAPER ", section 4 and appendix C.2 (width 256)",
    .doc =
        "The Nash gap after training against the floating-point operations that it took, for hidden widths "
        "from 8 "
        "to 256: the paper's softplus output (fc), at its learning rate, and the share output (fc_share).",
    .version = 1,
    .devices = true,
    .params = wal_market_params,
    .param_count = WAL_MARKET_PARAMS,
    .columns = wal_market_columns,
    .column_count = WAL_MARKET_COLUMNS,
    .run_point = wal_market_run_point,
    .draw = draw,
};
