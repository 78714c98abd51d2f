/* MarketFCNet, Figure 1: the training process, drawn from the config's real sizes. Nothing is trained. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "experiments/marketfcnet/market.h"
#include "experiments/registry.h"

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

__attribute__((format(printf, 2, 3))) static void add(wal_panel *panel, const char *format, ...) {
  char line[512];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  wal_panel_raw(panel, line);
}

/* 1048576 as 1,048,576. */
static const char *thousands(int64_t value, char out[32]) {
  char digits[24];
  const int length = snprintf(digits, sizeof digits, "%lld", (long long)value);
  char *at = out;
  for (int k = 0; k < length; k++) {
    if (k > 0 && (length - k) % 3 == 0) *at++ = ',';
    *at++ = digits[k];
  }
  *at = '\0';
  return out;
}

/* 3.1e9 as "3.1 G". */
static const char *scaled(double value, char out[32]) {
  static const char *const prefix[] = {"", "k", "M", "G", "T", "P", "E"};
  int k = 0;
  while (value >= 999.5 && k < 6) value /= 1000, k++;
  snprintf(out, 32, "%.3g %s", value, prefix[k]);
  return out;
}

static void box(wal_panel *panel, double x0, double y0, double x1, double y1, const char *colour) {
  add(panel, "set object rect from %g,%g to %g,%g fc rgb '%s' fs solid 0.18 border rgb '%s' lw 0.9 behind",
      x0, y0, x1, y1, colour, colour);
}

static void text(wal_panel *panel, double x, double y, const char *words) {
  add(panel, "set label '%s' at %g,%g center enhanced font SMALL", words, x, y);
}

static void heading(wal_panel *panel, double x, double y, const char *words) {
  add(panel, "set label '%s' at %g,%g center enhanced font ':Bold'", words, x, y);
}

static void arrow(wal_panel *panel, double x0, double y0, double x1, double y1) {
  add(panel, "set arrow from %g,%g to %g,%g size 1.6,22 filled lw 1.1 lc rgb '#404040'", x0, y0, x1, y1);
}

static void leg(wal_panel *panel, double x0, double y0, double x1, double y1) {
  add(panel, "set arrow from %g,%g to %g,%g nohead lw 1.1 lc rgb '#404040'", x0, y0, x1, y1);
}

/* A table of rows x columns cells with its lower left corner at (x, y): a sketch of a matrix. */
static void cells(wal_panel *panel, double x, double y, int rows, int columns_, double width, double height,
                  const char *colour) {
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < columns_; c++)
      add(panel, "set object rect from %g,%g to %g,%g fc rgb '%s' fs solid 0.55 border rgb 'white' lw 0.8",
          x + c * width / columns_, y + r * height / rows, x + (c + 1) * width / columns_,
          y + (r + 1) * height / rows, colour);
}

/* The network: a column of nodes per layer, more of them where it is wide. */
static void net(wal_panel *panel, double x0, double x1, double y, int depth) {
  const int hidden = depth - 1 < 4 ? depth - 1 : 4, layers = hidden + 2;
  double last_x = 0;
  int last_nodes = 0;
  for (int l = 0; l < layers; l++) {
    const int nodes = l == 0 ? 4 : l == layers - 1 ? 1 : 6;
    const double x = x0 + (x1 - x0) * l / (layers - 1), step = 3.2;
    for (int k = 0; k < nodes; k++) {
      const double at = y + (k - 0.5 * (nodes - 1)) * step;
      for (int p = 0; p < last_nodes; p++)
        add(panel, "set arrow from %g,%g to %g,%g nohead lw 0.25 lc rgb '#8FB8D8' back", last_x,
            y + (p - 0.5 * (last_nodes - 1)) * step, x, at);
      add(panel, "set object circle at %g,%g size 1.05 fc rgb '#0072B2' fs solid 1 noborder front", x, at);
    }
    last_x = x;
    last_nodes = nodes;
  }
}

static int64_t cell(const wal_result *result, int64_t row, const char *column) {
  return (int64_t)wal_frame_real(result->rows, row, wal_frame_find(result->rows, column));
}

static double real(const wal_result *result, int64_t row, const char *column) {
  return wal_frame_real(result->rows, row, wal_frame_find(result->rows, column));
}

static const char *recipe_name(const wal_result *result, int64_t row) {
  return wal_frame_text(result->rows, row, wal_frame_find(result->rows, "solver"));
}

#define SAY(x, y, ...) (snprintf(line, sizeof line, __VA_ARGS__), text(panel, x, y, line))

static void draw_data(wal_panel *panel, const wal_result *r, int64_t row) {
  char line[256], number[32];
  const int64_t m = cell(r, row, "m"), d = wal_point_int(wal_result_point(r, row), "d"),
                batch = cell(r, row, "batch");
  box(panel, 0, 44, 27, 74, "#7F7F7F");
  heading(panel, 13.5, 70.5, "population");
  SAY(13.5, 65.5, "n = %s", thousands(cell(r, row, "n"), number));
  SAY(13.5, 61.5, "buyers b_i ∈ R^{%lld}", (long long)d);
  SAY(13.5, 55.5, "budget B_i = ‖b_i‖");
  SAY(13.5, 51.5, "value v_{ij} =");
  SAY(13.5, 47.5, "softplus(b_i · g_j)");
  arrow(panel, 27, 59, 36, 59);
  heading(panel, 44.5, 70.5, "minibatch");
  cells(panel, 38, 51, 6, 4, 8, 16, "#009E73");
  cells(panel, 48, 55, 4, 4, 8, 11, "#E69F00");
  SAY(42, 48.5, "2M × %lld", (long long)d);
  SAY(52, 52.5, "m × %lld", (long long)d);
  SAY(46.5, 44, "M = %lld, drawn twice; m = %lld", (long long)batch, (long long)m);
}

static void draw_network(wal_panel *panel, const wal_result *r, int64_t row) {
  char line[256], number[32];
  const int64_t m = cell(r, row, "m"), batch = cell(r, row, "batch");
  const bool tower = !strcmp(recipe_name(r, row), "tower"); /* of the buyer alone */
  arrow(panel, 57.5, 59, 66, 59);
  box(panel, 66, 44, 116, 74, "#0072B2");
  heading(panel, 91, 70.5, tower ? "allocation network x_θ(b_i)" : "allocation network x_θ(b_i, g_j)");
  net(panel, 71, 111, 58.5, (int)cell(r, row, "depth"));
  SAY(91, 46.3, "%lld → %lld × %lld → %lld;  %s parameters", (long long)cell(r, row, "inputs"),
      (long long)cell(r, row, "width"), (long long)cell(r, row, "depth") - 1, (long long)(tower ? m : 1),
      thousands(cell(r, row, "parameters"), number));
  arrow(panel, 116, 59, 128, 59);
  SAY(122, 61.5, "%s", thousands(tower ? 2 * batch : 2 * batch * m, number));
  SAY(122, 56, !strcmp(recipe_name(r, row), "fc") ? "softplus" : "softmax");
}

static void draw_loss(wal_panel *panel, const wal_result *r, int64_t row) {
  char line[256], number[32];
  heading(panel, 150, 70.5, "allocation x_{ij}");
  cells(panel, 130, 50, 6, 10, 40, 17, "#56B4E9");
  SAY(150, 47, "2M × m = %lld × %lld", (long long)(2 * cell(r, row, "batch")), (long long)cell(r, row, "m"));
  arrow(panel, 160, 44.5, 160, 35);
  box(panel, 118, 12, 174, 35, "#D55E00");
  heading(panel, 146, 31.5, "estimated Lagrangian (eqs. 3, 5)");
  SAY(146, 26.5, "−^1/_{2M} Σ_i B_i log u_i(x_i)  +  Σ_j λ_j (x̄_j − 1)");
  SAY(146, 21.5, "+  ^ρ/_2 Σ_j (x̄_j − 1)(x̄′_j − 1)");
  SAY(146, 15.5, "one step: %sFLOP", scaled(real(r, row, "step_flop"), number));
  leg(panel, 124, 35, 124, 39);
  leg(panel, 124, 39, 91, 39);
  arrow(panel, 91, 39, 91, 44);
  SAY(107, 41.3, "Adam: K = %lld steps", (long long)cell(r, row, "inner"));
}

static void draw_prices(wal_panel *panel, const wal_result *r, int64_t row) {
  char line[256], number[32], more[32];
  box(panel, 36, 12, 100, 35, "#CC79A7");
  heading(panel, 68, 31.5, "prices λ_j, once an epoch");
  const bool share = strcmp(recipe_name(r, row), "fc") != 0;
  text(panel, 68, 26.5,
       share ? "log λ_j: Newton’s step for the minibatches’ shares"
             : "λ_j ← λ_j + β_t ρ (E x_j − 1),   β_t = 1/√t");
  SAY(68, 21.5, share ? "at the end cleared for %s buyers" : "E x_j from %s buyers",
      thousands(cell(r, row, "price_buyers"), number));
  SAY(68, 15.5, "one pass over them: %sFLOP;  %lld epochs", scaled(real(r, row, "price_flop"), number),
      (long long)cell(r, row, "epochs"));
  arrow(panel, 100, 23, 118, 23);
  SAY(109, 25.5, "λ_j");
  leg(panel, 91 - 15, 44, 91 - 15, 39);
  arrow(panel, 91 - 15, 39, 91 - 15, 35);
  SAY(70.5, 39.5, "E x_j");
  const double total = real(r, row, "train_flop"),
               prices = real(r, row, "price_flop") * (double)cell(r, row, "price_passes");
  SAY(87, 6.5, "All Adam steps: %sFLOP, the same at any n.  Passes for λ_j: %sFLOP.",
      scaled(total - prices, number), scaled(prices, more));
  SAY(87, 3, "The n × m allocation, %sB in float32, is never held.",
      scaled(real(r, row, "allocation_bytes"), number));
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
  wal_panel_range(panel, 0, 174, 0, 76);
  add(panel, "unset border; unset tics; unset grid; unset key");
  draw_data(panel, result, 0);
  draw_network(panel, result, 0);
  draw_loss(panel, result, 0);
  draw_prices(panel, result, 0);
  add(panel, "plot NaN notitle\nset border 3 ls 20; set tics");
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
