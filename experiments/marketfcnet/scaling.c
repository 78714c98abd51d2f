/* Time, memory and gap of every method against the number of buyers, which are streamed. */
#include <math.h>
#include <string.h>

#include "experiments/marketfcnet/market.h"
#include "experiments/registry.h"

/* Lines: the methods, the exact one twice; those of the paper and the best in the first figure, the others in
   the second. */
static const struct {
  const char *solver;
  bool single;
  const char *label;
  int colour, figure;
} lines[] = {{"newton", false, "Exact", 6, 0},
             {"newton", true, "Exact, values in float32", 7, 0},
             {"newton_sample", false, "Exact on a sample", 1, 0},
             {"tatonnement", false, "Tatonnement", 5, 0},
             {"pr", false, "Proportional response", 3, 0},
             {"eg_m", false, "EG-m", 4, 0},
             {"fc", false, "FC", 0, 0},
             {"fc_share", false, "FC share", 2, 0},
             {"closed_form", false, "Closed form (alpha = 0)", 3, 1},
             {"newton_cg", false, "Newton-CG", 5, 1},
             {"block", false, "Block-coordinate", 7, 1},
             {"pace", false, "PACE (alpha = 1)", 0, 1},
             {"eg_scaled", false, "EG scaled", 1, 1},
             {"eg", false, "EG", 4, 1},
             {"tower", false, "Tower", 2, 1}};
enum { LINES = sizeof lines / sizeof *lines };

static int line_of(const wal_frame *rows, int64_t row) {
  const char *solver = wal_frame_text(rows, row, wal_frame_find(rows, "solver"));
  const int column = wal_frame_find(rows, "newton.single");
  const bool single =
      column >= 0 && !wal_frame_missing(rows, row, column) && wal_frame_get(rows, row, column).b;
  int line = 0;
  while (line < LINES && (strcmp(lines[line].solver, solver) || lines[line].single != single)) line++;
  return line;
}

static void draw_panel(wal_figure *figure, int which, const wal_grouping *by, const char *title,
                       const char *column, const char *axis, double floor, const char *legend) {
  const wal_frame *rows = by->result->rows;
  const int n = wal_frame_find(rows, "n");
  wal_panel *panel = wal_figure_panel(figure, title, "buyers n", axis);
  for (int line = 0; line < LINES; line++) {
    if (lines[line].figure != which) continue;
    wal_series *series = NULL;
    for (int k = 0; k < by->count; k++) {
      const int64_t row = by->groups[k].row;
      if (line_of(rows, row) != line) continue;
      if (!series) series = wal_panel_series(panel, WAL_LINES, lines[line].label, lines[line].colour);
      wal_market_add(series, wal_frame_real(rows, row, n),
                     wal_market_at_least(wal_group_stat(by, k, column), floor));
    }
  }
  wal_panel_log(panel, true, true);
  wal_panel_legend(panel, legend);
}

static bool has_line(const wal_grouping *by, int which) {
  for (int k = 0; k < by->count; k++) {
    const int line = line_of(by->result->rows, by->groups[k].row);
    if (line < LINES && lines[line].figure == which) return true;
  }
  return false;
}

static void draw_figure(wal_drawing *drawing, int which, const wal_grouping *by) {
  const double floor = 1e-15;
  if (!has_line(by, which)) return;
  wal_figure *figure =
      wal_drawing_figure(drawing, which ? "others" : "", by->result->config->title, 17.5, 14, 2, 2);
  draw_panel(figure, which, by, "Time to solve or train", "solve_s", "seconds", NAN, "top left");
  draw_panel(figure, which, by, "Peak memory", "peak_mib", "MiB", NAN, NULL);
  draw_panel(figure, which, by, "Nash gap", "nash_gap", "NG (nats)", floor, NULL);
  draw_panel(figure, which, by, "Time to measure NG on all buyers", "measure_s", "seconds", NAN, NULL);
  wal_figure_note(figure, "NG below %g is drawn at %g", floor, floor);
}

static void draw_figures(wal_drawing *drawing, const wal_grouping *by) {
  for (int which = 0; which < 2; which++) draw_figure(drawing, which, by);
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"solver", "n", "alpha", "newton.single"};
  static const char *const measures[] = {"nash_gap", "voa", "iterations", "solve_s", "measure_s", "peak_mib"};
  const int count =
      wal_frame_find(result->rows, "newton.single") < 0 ? 3 : 4; /* a column where it is swept */
  return wal_drawing_groups(result, drawing, keys, count, measures, 6, draw_figures);
}

const wal_experiment wal_marketfcnet_scaling = {
    .id = "marketfcnet/scaling",
    .title = "Time, memory and gap against the number of buyers",
    .paper = WAL_MARKETFCNET_PAPER ", section 6 (its sizes end at 2^22)",
    .doc =
        "Every method on markets of growing size. Buyers are drawn on demand: a method that keeps nothing "
        "per buyer "
        "takes the same memory at any n. Peak memory is that of the point's process, the measuring included.",
    .version = 1,
    .devices = true,
    .params = wal_market_params,
    .param_count = WAL_MARKET_PARAMS,
    .columns = wal_market_columns,
    .column_count = WAL_MARKET_COLUMNS,
    .run_point = wal_market_run_point,
    .draw = draw,
};
