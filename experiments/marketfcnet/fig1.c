/* MarketFCNet, Figure 1: the training process, drawn from the config's real sizes. Nothing is trained. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiments/marketfcnet/market.h"
#include "experiments/registry.h"
#include "experiments/schematic/sketch.h"

static const wal_column columns[] = {
    {"batch", WAL_INT, "buyers", "M: buyers per minibatch", 0, 0, 0},
    {"inputs", WAL_INT, "1", "inputs of the network: the contexts of a buyer and a good", 0, 0, 0},
    {"width", WAL_INT, "units", "hidden width", 0, 0, 0},
    {"depth", WAL_INT, "layers", "linear layers", 0, 0, 0},
    {"parameters", WAL_INT, "1", "weights and biases", 0, 0, 0},
    {"inner", WAL_INT, "steps", "K: Adam steps between two updates of the multipliers", 0, 0, 0},
    {"epochs", WAL_INT, "1", "updates of the multipliers", 0, 0, 0},
    {"price_buyers", WAL_INT, "buyers", "buyers in a pass that sets the multipliers", 0, 0, 0},
    {"price_passes", WAL_INT, "1", "such passes", 0, 0, 0},
    {"step_flop", WAL_REAL, "FLOP", "operations of one Adam step: forward, gradients of weights and inputs",
     0, 1e-12, 0},
    {"price_flop", WAL_REAL, "FLOP", "operations of such a pass", 0, 1e-12, 0},
    {"train_flop", WAL_REAL, "FLOP", "operations of the whole training", 0, 1e-12, 0},
    {"allocation_bytes", WAL_REAL, "B",
     "what the n x m allocation would take in float32, which no step holds", 0, 1e-12, 0},
};

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  wal_solver_options options;
  wal_market_solver_options(point, &options);
  const char *recipe = wal_point_text(point, "solver");
  const wal_network_options *o = wal_market_recipe(&options, recipe);
  if (!o) return wal_fail(WAL_E_INPUT, "solver is %s; expected one with a network (fc works)", recipe);
  const int64_t n = wal_point_int(point, "n");
  const int m = (int)wal_point_int(point, "m"), d = (int)wal_point_int(point, "d");
  const bool tower = !strcmp(recipe, "tower");
  const int inputs = tower ? d : 2 * d, outputs = tower ? m : 1;
  const double total = wal_market_training_flop(o, recipe, n, m, d);
  wal_network_options still = *o; /* the same without Adam steps: the passes alone */
  still.inner = 0;
  const double prices = wal_market_training_flop(&still, recipe, n, m, d);
  wal_sink_row(sink);
  wal_sink_int(sink, "batch", o->batch);
  wal_sink_int(sink, "inputs", inputs);
  wal_sink_int(sink, "width", o->width);
  wal_sink_int(sink, "depth", o->depth);
  wal_sink_int(sink, "parameters",
               wal_market_weights(o, inputs, outputs) + (o->depth - 1) * (int64_t)o->width + outputs);
  wal_sink_int(sink, "inner", o->inner);
  wal_sink_int(sink, "epochs", o->epochs);
  wal_sink_int(sink, "price_buyers", o->price_buyers > 0 && o->price_buyers < n ? o->price_buyers : n);
  const int passes = wal_market_price_passes(o, recipe);
  wal_sink_int(sink, "price_passes", passes);
  wal_sink_real(sink, "step_flop", (total - prices) / o->epochs / o->inner);
  wal_sink_real(sink, "price_flop", prices / passes);
  wal_sink_real(sink, "train_flop", total);
  wal_sink_real(sink, "allocation_bytes", 4.0 * (double)n * m);
  return WAL_OK;
}

/* ---- the picture: a plane of 174 x 76 mm ---- */

static int64_t cell(const wal_result *result, int64_t row, const char *column) {
  return (int64_t)wal_frame_real(result->rows, row, wal_frame_find(result->rows, column));
}

static double real(const wal_result *result, int64_t row, const char *column) {
  return wal_frame_real(result->rows, row, wal_frame_find(result->rows, column));
}

static const char *recipe_name(const wal_result *result, int64_t row) {
  return wal_frame_text(result->rows, row, wal_frame_find(result->rows, "solver"));
}

static void draw_data(wal_panel *panel, const wal_result *r, int64_t row) {
  char number[32];
  const int64_t m = cell(r, row, "m"), d = wal_point_int(wal_result_point(r, row), "d"),
                batch = cell(r, row, "batch");
  wal_sketch_box(panel, 0, 44, 27, 74, "#7F7F7F");
  wal_sketch_heading(panel, 13.5, 70.5, "population");
  wal_sketch_text(panel, 13.5, 65.5, "n = %s", wal_sketch_thousands(cell(r, row, "n"), number));
  wal_sketch_text(panel, 13.5, 61.5, "buyers b_i ∈ R^{%lld}", (long long)d);
  wal_sketch_text(panel, 13.5, 55.5, "budget B_i = ‖b_i‖");
  wal_sketch_text(panel, 13.5, 51.5, "value v_{ij} =");
  wal_sketch_text(panel, 13.5, 47.5, "softplus(b_i · g_j)");
  wal_sketch_arrow(panel, 27, 59, 36, 59);
  wal_sketch_heading(panel, 44.5, 70.5, "minibatch");
  wal_sketch_cells(panel, 38, 51, 6, 4, 8, 16, "#009E73");
  wal_sketch_cells(panel, 48, 55, 4, 4, 8, 11, "#E69F00");
  wal_sketch_text(panel, 42, 48.5, "2M × %lld", (long long)d);
  wal_sketch_text(panel, 52, 52.5, "m × %lld", (long long)d);
  wal_sketch_text(panel, 46.5, 44, "M = %lld, drawn twice; m = %lld", (long long)batch, (long long)m);
}

static void draw_network(wal_panel *panel, const wal_result *r, int64_t row) {
  char number[32];
  const int64_t m = cell(r, row, "m"), batch = cell(r, row, "batch");
  const bool tower = !strcmp(recipe_name(r, row), "tower"); /* of the buyer alone */
  wal_sketch_arrow(panel, 57.5, 59, 66, 59);
  wal_sketch_box(panel, 66, 44, 116, 74, "#0072B2");
  wal_sketch_heading(panel, 91, 70.5,
                     tower ? "allocation network x_θ(b_i)" : "allocation network x_θ(b_i, g_j)");
  wal_sketch_net(panel, 71, 111, 58.5, (int)cell(r, row, "depth"), 1);
  wal_sketch_text(panel, 91, 46.3, "%lld → %lld × %lld → %lld;  %s parameters",
                  (long long)cell(r, row, "inputs"), (long long)cell(r, row, "width"),
                  (long long)cell(r, row, "depth") - 1, (long long)(tower ? m : 1),
                  wal_sketch_thousands(cell(r, row, "parameters"), number));
  wal_sketch_arrow(panel, 116, 59, 128, 59);
  wal_sketch_text(panel, 122, 61.5, "%s", wal_sketch_thousands(tower ? 2 * batch : 2 * batch * m, number));
  wal_sketch_text(panel, 122, 56, "%s", !strcmp(recipe_name(r, row), "fc") ? "softplus" : "softmax");
}

static void draw_loss(wal_panel *panel, const wal_result *r, int64_t row) {
  char number[32];
  wal_sketch_heading(panel, 150, 70.5, "allocation x_{ij}");
  wal_sketch_cells(panel, 130, 50, 6, 10, 40, 17, "#56B4E9");
  wal_sketch_text(panel, 150, 47, "2M × m = %lld × %lld", (long long)(2 * cell(r, row, "batch")),
                  (long long)cell(r, row, "m"));
  wal_sketch_arrow(panel, 160, 44.5, 160, 35);
  wal_sketch_box(panel, 118, 12, 174, 35, "#D55E00");
  wal_sketch_heading(panel, 146, 31.5, "estimated Lagrangian (eqs. 3, 5)");
  wal_sketch_text(panel, 146, 26.5, "−^1/_{2M} Σ_i B_i log u_i(x_i)  +  Σ_j λ_j (x̄_j − 1)");
  wal_sketch_text(panel, 146, 21.5, "+  ^ρ/_2 Σ_j (x̄_j − 1)(x̄′_j − 1)");
  wal_sketch_text(panel, 146, 15.5, "one step: %sFLOP", wal_sketch_scaled(real(r, row, "step_flop"), number));
  wal_sketch_leg(panel, 124, 35, 124, 39);
  wal_sketch_leg(panel, 124, 39, 91, 39);
  wal_sketch_arrow(panel, 91, 39, 91, 44);
  wal_sketch_text(panel, 107, 41.3, "Adam: K = %lld steps", (long long)cell(r, row, "inner"));
}

static void draw_prices(wal_panel *panel, const wal_result *r, int64_t row) {
  char number[32], more[32];
  wal_sketch_box(panel, 36, 12, 100, 35, "#CC79A7");
  wal_sketch_heading(panel, 68, 31.5, "prices λ_j, once an epoch");
  const bool share = strcmp(recipe_name(r, row), "fc") != 0;
  wal_sketch_text(panel, 68, 26.5, "%s",
                  share ? "log λ_j: Newton’s step for the minibatches’ shares"
                        : "λ_j ← λ_j + β_t ρ (E x_j − 1),   β_t = 1/√t");
  wal_sketch_text(panel, 68, 21.5, share ? "at the end cleared for %s buyers" : "E x_j from %s buyers",
                  wal_sketch_thousands(cell(r, row, "price_buyers"), number));
  wal_sketch_text(panel, 68, 15.5, "one pass over them: %sFLOP;  %lld epochs",
                  wal_sketch_scaled(real(r, row, "price_flop"), number), (long long)cell(r, row, "epochs"));
  wal_sketch_arrow(panel, 100, 23, 118, 23);
  wal_sketch_text(panel, 109, 25.5, "λ_j");
  wal_sketch_leg(panel, 91 - 15, 44, 91 - 15, 39);
  wal_sketch_arrow(panel, 91 - 15, 39, 91 - 15, 35);
  wal_sketch_text(panel, 70.5, 39.5, "E x_j");
  const double total = real(r, row, "train_flop"),
               prices = real(r, row, "price_flop") * (double)cell(r, row, "price_passes");
  wal_sketch_text(panel, 87, 6.5, "All Adam steps: %sFLOP, the same at any n.  Passes for λ_j: %sFLOP.",
                  wal_sketch_scaled(total - prices, number), wal_sketch_scaled(prices, more));
  wal_sketch_text(panel, 87, 3, "The n × m allocation, %sB in float32, is never held.",
                  wal_sketch_scaled(real(r, row, "allocation_bytes"), number));
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"solver", "n", "m"};
  static const char *const measures[] = {"batch",     "width",      "depth",        "parameters",
                                         "inner",     "epochs",     "price_buyers", "price_passes",
                                         "step_flop", "price_flop", "train_flop",   "allocation_bytes"};
  const wal_status status =
      wal_drawing_standard_table(drawing, result, result->config->title, keys, 3, measures, 12);
  if (status != WAL_OK || wal_frame_rows(result->rows) == 0) return status;
  wal_figure *figure = wal_drawing_figure(drawing, "", result->config->title, 17.5, 8.5, 1, 1);
  wal_panel *panel = wal_figure_panel(figure, "", "", "");
  wal_sketch_begin(panel, 174, 76);
  draw_data(panel, result, 0);
  draw_network(panel, result, 0);
  draw_loss(panel, result, 0);
  draw_prices(panel, result, 0);
  wal_sketch_end(panel);
  return WAL_OK;
}

const wal_experiment wal_marketfcnet_fig1 = {
    .id = "marketfcnet/fig1",
    .title = "How MarketFCNet trains",
    .paper = WAL_MARKETFCNET_PAPER ", Figure 1",
    .doc =
        "The schematic of the training process with the sizes of this config: minibatches, network, "
        "allocation matrix, loss and prices, and the operations that they take. Counts only: nothing is "
        "trained. The first point is drawn, all are in the table.",
    .version = 1,
    .params = wal_market_params,
    .param_count = WAL_MARKET_PARAMS,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
