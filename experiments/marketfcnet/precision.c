/* What the number formats of a GPU's matrix units cost MarketFCNet: gap and time of the same training in
   float32, tf32 and bf16. The CPU has float32 only; its rows of the others say so and hold no numbers. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/pool.h"
#include "experiments/marketfcnet/market.h"
#include "experiments/registry.h"
#include "models/common/device.h"
#include "models/market/network.h"
#include "models/market/welfare.h"

#define NEEDS_GPU "needs a GPU"

static const wal_column columns[] = {
    {"precision", WAL_TEXT, "1", "number format of the network's matrix products", WAL_COLUMN_KEY, 0, 0},
    {"outcome", WAL_TEXT, "1", "ok, or why there is no number", 0, 0, 0},
    {"engine", WAL_TEXT, "1", "what computed the network's layers", 0, 0, 0},
    {"nash_gap", WAL_REAL, "nats", "Nash gap NG (eqs. 9, 12), measured in double", WAL_COLUMN_OPTIONAL, 1e-3,
     1e-12},
    {"voa", WAL_REAL, "1", "violation of allocation VoA (eq. 13)", WAL_COLUMN_OPTIONAL, 1e-3, 1e-9},
    {"vop", WAL_REAL, "1", "violation of price VoP (eq. 13)", WAL_COLUMN_OPTIONAL, 1e-3, 1e-9},
    {"train_s", WAL_REAL, "s", "wall time of training", WAL_COLUMN_TIMING, 0, 0},
    {"train_flop", WAL_REAL, "FLOP", "floating-point operations of the training", WAL_COLUMN_OPTIONAL, 1e-12,
     0},
    {"flop_per_s", WAL_REAL, "FLOP/s", "train_flop / train_s", WAL_COLUMN_TIMING, 0, 0},
};

/* Trains and measures into the row that was begun. */
static wal_status train(const wal_point *point, const wal_solver_options *options, const wal_market *market,
                        wal_sink *sink) {
  const wal_solver *solver = wal_solver_find(wal_point_text(point, "solver"));
  const wal_network_options *recipe = wal_market_recipe(options, solver->name);
  const wal_trace trace = wal_market_trace(sink);
  const double flop = wal_market_training_flop(recipe, solver->name, market->n, market->m, market->d);
  wal_solution solution = {0};
  wal_trained_network network = {0};
  wal_measures measures;
  const double begun = wal_now();
  wal_status status = wal_solver_solve(solver, market, options, &trace, &solution);
  const double seconds = wal_now() - begun;
  wal_sink_progress(sink, 1, "measuring");
  if (status == WAL_OK) status = wal_measure(market, solution.allocation, solution.price, &measures);
  if (status == WAL_OK) status = wal_trained_network_export(solution.allocation, &network);
  if (status == WAL_OK) wal_sink_text(sink, "engine", network.engine);
  wal_trained_network_destroy(&network);
  wal_solution_destroy(&solution);
  if (status != WAL_OK) return status;
  wal_sink_text(sink, "outcome", "ok");
  wal_sink_real(sink, "nash_gap", measures.nash_gap);
  wal_sink_real(sink, "voa", measures.voa);
  wal_sink_real(sink, "vop", measures.vop);
  wal_sink_real(sink, "train_s", seconds);
  wal_sink_real(sink, "train_flop", flop);
  wal_sink_real(sink, "flop_per_s", flop / seconds);
  return WAL_OK;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  wal_solver_options options;
  wal_market_solver_options(point, &options);
  const char *name = wal_point_text(point, "solver");
  const wal_network_options *recipe = wal_market_recipe(&options, name);
  if (!recipe) return wal_fail(WAL_E_INPUT, "solver is %s; expected one with a network (fc works)", name);
  wal_sink_row(sink);
  wal_sink_text(sink, "precision", recipe->precision);
  if (wal_device_now() == &wal_device_cpu && strcmp(recipe->precision, "float32") != 0) {
    wal_sink_text(sink, "outcome", NEEDS_GPU);
    return WAL_OK;
  }
  wal_context_market drawn = {0};
  wal_status status = wal_market_drawn(point, &drawn);
  if (status == WAL_OK) status = train(point, &options, &drawn.market, sink);
  wal_context_market_destroy(&drawn);
  return status;
}

/* ---- the table and the figure: a group per solver and precision ---- */

static const char *text_of(const wal_grouping *by, int group, const char *column) {
  const wal_frame *rows = by->result->rows;
  return wal_frame_text(rows, by->groups[group].row, wal_frame_find(rows, column));
}

static void draw_table(wal_drawing *drawing, const wal_grouping *by) {
  static const struct {
    const char *column, *header, *format;
  } cells[] = {{"nash_gap", "NG (nats)", "%.2e"},
               {"voa", "VoA", "%.2e"},
               {"vop", "VoP", "%.2e"},
               {"train_s", "training (s)", "%.3g"},
               {"flop_per_s", "FLOP/s", "%.2e"}};
  enum { CELLS = sizeof cells / sizeof *cells };
  wal_table *table = wal_drawing_table(drawing, "", by->result->config->title);
  bool missing = false;
  wal_table_column(table, NULL, "method", NULL);
  wal_table_column(table, NULL, "precision", NULL);
  for (int c = 0; c < CELLS; c++) wal_table_column(table, NULL, cells[c].header, cells[c].format);
  for (int k = 0; k < by->count; k++) {
    wal_table_row(table);
    wal_table_text(table, wal_market_label(text_of(by, k, "solver")));
    wal_table_text(table, text_of(by, k, "precision"));
    missing = missing || strcmp(text_of(by, k, "outcome"), NEEDS_GPU) == 0;
    for (int c = 0; c < CELLS; c++) {
      const wal_stat s = wal_group_stat(by, k, cells[c].column);
      wal_table_real(table, s.mean, s.sd, s.count);
    }
  }
  if (missing) wal_table_note(table, "--: " NEEDS_GPU ", and this was computed on the CPU");
}

static int place_of(const char *precision) {
  static const char *const places[] = {"float32", "tf32", "bf16"};
  int k = 0;
  while (k < 2 && strcmp(places[k], precision) != 0) k++;
  return k;
}

/* Methods side by side over each precision. */
static void draw_panel(wal_figure *figure, const wal_grouping *by, const char *title, const char *column,
                       const char *axis, const char *legend) {
  static const char *const solvers[] = {"fc", "fc_share", "tower"};
  wal_panel *panel = wal_figure_panel(figure, title, "", axis);
  for (int s = 0; s < 3; s++) {
    wal_series *series = NULL;
    for (int k = 0; k < by->count; k++) {
      if (strcmp(text_of(by, k, "solver"), solvers[s]) != 0) continue;
      const char *precision = text_of(by, k, "precision");
      if (!series)
        series =
            wal_panel_series(panel, WAL_POINTS, wal_market_label(solvers[s]), wal_market_colour(solvers[s]));
      const bool there = strcmp(text_of(by, k, "outcome"), NEEDS_GPU) != 0;
      char label[64];
      snprintf(label, sizeof label, "%s%s", precision, there ? "" : ": " NEEDS_GPU);
      wal_panel_category(panel, place_of(precision), label);
      if (there) wal_market_add(series, place_of(precision) + 0.15 * (s - 1), wal_group_stat(by, k, column));
    }
  }
  wal_panel_range(panel, -0.6, 2.6, NAN, NAN);
  wal_panel_log(panel, false, true);
  wal_panel_legend(panel, legend);
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"solver", "precision"};
  wal_grouping by = {0};
  const wal_status status = wal_group_rows(result, keys, 2, &by);
  if (status == WAL_OK) {
    draw_table(drawing, &by);
    wal_figure *figure = wal_drawing_figure(drawing, "", result->config->title, 17.5, 7, 1, 2);
    draw_panel(figure, &by, "Gap", "nash_gap", "NG (nats)", "top right");
    draw_panel(figure, &by, "Time of training", "train_s", "seconds", NULL);
    wal_figure_note(figure, "Error bars, with several seeds: smallest and largest");
  }
  wal_grouping_free(&by);
  return status;
}

const wal_experiment wal_marketfcnet_precision = {
    .id = "marketfcnet/precision",
    .title = "MarketFCNet in float32, tf32 and bf16",
    .paper = WAL_MARKETFCNET_PAPER ", section 4 and appendix C.2",
    .doc =
        "The same training with the matrix products of the network in float32, tf32 or bf16: Nash gap, "
        "violations and "
        "time. Parameters, sums, Adam and every measure stay in float32 or double. tf32 and bf16 are of "
        "GPUs: on the "
        "CPU their rows say so and hold no numbers.",
    .version = 1,
    .devices = true,
    .any_precision = true,
    .params = wal_market_params,
    .param_count = WAL_MARKET_PARAMS,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
