/* RPF-Net, Figure 2: the pipeline, drawn from the config's real sizes. Nothing is trained. */
#include <string.h>

#include "experiments/registry.h"
#include "experiments/rpfnet/rpfnet.h"
#include "experiments/schematic/sketch.h"
#include "models/mechanism/learned.h"

static const wal_column columns[] = {
    {"rows", WAL_INT, "1", "rows that go through the network for one instance", 0, 0, 0},
    {"inputs", WAL_INT, "1", "inputs of a row", 0, 0, 0},
    {"outputs", WAL_INT, "1", "outputs of a row", 0, 0, 0},
    {"width", WAL_INT, "units", "hidden width", 0, 0, 0},
    {"depth", WAL_INT, "layers", "linear layers", 0, 0, 0},
    {"parameters", WAL_INT, "1", "weights and biases", 0, 0, 0},
    {"batch", WAL_INT, "instances", "s: instances of a training step", 0, 0, 0},
    {"candidates", WAL_INT, "1", "reports tried per agent in a training step", 0, 0, 0},
    {"allocations", WAL_INT, "1", "allocations computed in a training step", 0, 0, 0},
    {"unknowns", WAL_INT, "1", "N M: unknowns of the PF layer", 0, 0, 0},
    {"paper_system", WAL_INT, "1", "side of the linear system of the paper's backward pass, 3 N M + M", 0, 0,
     0},
    {"system", WAL_INT, "1", "side of ours, M", 0, 0, 0},
    {"paper_flop", WAL_REAL, "FLOP", "elimination in the paper's system", 0, 1e-12, 0},
    {"flop", WAL_REAL, "FLOP", "assembly and elimination of ours", 0, 1e-12, 0},
};

/* The parts of one instance's pass, and of one training step. */
static void send(const wal_learned *f, const wal_training_options *o, wal_sink *sink) {
  const int n = f->base.n, m = f->base.m;
  const double side = 3.0 * n * m + m;
  wal_sink_row(sink);
  wal_sink_int(sink, "rows", f->shape.rows);
  wal_sink_int(sink, "inputs", f->shape.inputs);
  wal_sink_int(sink, "outputs", f->shape.outputs);
  wal_sink_int(sink, "width", f->shape.width);
  wal_sink_int(sink, "depth", f->shape.depth);
  wal_sink_int(sink, "parameters", f->base.net->ops->parameter_count(f->base.net));
  wal_sink_int(sink, "batch", o->batch);
  wal_sink_int(sink, "candidates", o->attack.candidates);
  wal_sink_int(sink, "allocations", (int64_t)o->batch * (1 + (int64_t)n * o->attack.candidates));
  wal_sink_int(sink, "unknowns", (int64_t)n * m);
  wal_sink_int(sink, "paper_system", (int64_t)side);
  wal_sink_int(sink, "system", m);
  wal_sink_real(sink, "paper_flop", 2.0 / 3 * side * side * side);
  wal_sink_real(sink, "flop", 2.0 * n * m * m + 1.0 / 3 * m * m * m);
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  const char *name = wal_point_text(point, "mechanism");
  if (strncmp(name, "rpf", 3))
    return wal_fail(WAL_E_INPUT,
                    "mechanism is %s, without a PF layer; expected rpf, rpf_equivariant or "
                    "rpf_monotone",
                    name);
  wal_mechanism_options options;
  wal_training_options training;
  wal_rpfnet_mechanism_options(point, &options);
  wal_rpfnet_training_options(point, &training);
  wal_mechanism *f = NULL;
  const wal_status status = wal_mechanism_create(name, (int)wal_point_int(point, "n"),
                                                 (int)wal_point_int(point, "m"), &options, &f);
  if (status == WAL_OK) send((const wal_learned *)f, &training, sink);
  wal_mechanism_destroy(f);
  return status;
}

/* ---- the picture: a plane of 174 x 80 mm ---- */

static long long cell(const wal_result *result, const char *column) {
  return (long long)wal_frame_real(result->rows, 0, wal_frame_find(result->rows, column));
}

static double real(const wal_result *result, const char *column) {
  return wal_frame_real(result->rows, 0, wal_frame_find(result->rows, column));
}

static int at_most(long long value, int limit) { return value < limit ? (int)value : limit; }

/* What the agents say. */
static void draw_reports(wal_panel *panel, const wal_result *r) {
  const long long n = cell(r, "n"), m = cell(r, "m");
  const int rows = at_most(n, 12), cols = at_most(m, 5);
  wal_sketch_heading(panel, 13, 76, "reports");
  wal_sketch_cells(panel, 1, 50, rows, cols, 11, 21, "#009E73");
  wal_sketch_cells(panel, 14, 50, rows, cols, 11, 21, "#E69F00");
  wal_sketch_text(panel, 6.5, 47.5, "values v");
  wal_sketch_text(panel, 19.5, 47.5, "demands x");
  wal_sketch_text(panel, 13, 43.5, "%lld agents × %lld resources", n, m);
  wal_sketch_text(panel, 13, 39.5, "budgets b ∈ R^{%lld}", m);
  wal_sketch_arrow(panel, 26.5, 60, 33, 60);
}

static void draw_network(wal_panel *panel, const wal_result *r) {
  char number[32];
  wal_sketch_box(panel, 33, 40, 81, 79, "#0072B2");
  wal_sketch_heading(panel, 57, 76, "network z_ω(v, x, b)");
  wal_sketch_net(panel, 40, 74, 61.5, (int)cell(r, "depth"), at_most(cell(r, "outputs"), 4));
  wal_sketch_text(panel, 57, 47, "%lld %s: %lld → %lld × %lld → %lld", cell(r, "rows"),
                  cell(r, "rows") == 1 ? "row" : "rows", cell(r, "inputs"), cell(r, "width"),
                  cell(r, "depth") - 1, cell(r, "outputs"));
  wal_sketch_text(panel, 57, 42.8, "%s parameters", wal_sketch_thousands(cell(r, "parameters"), number));
  wal_sketch_arrow(panel, 81, 60, 94, 60);
  wal_sketch_text(panel, 87, 62.5, "z ∈ R^{%lld}", cell(r, "unknowns"));
}

static void draw_layer(wal_panel *panel, const wal_result *r) {
  wal_sketch_box(panel, 94, 40, 144, 79, "#CC79A7");
  wal_sketch_heading(panel, 119, 76, "regularised PF (eq. 9)");
  wal_sketch_text(panel, 119, 69.5, "min_a  −Σ_i w_i log(v_i · a_i) + ⟨a, z⟩");
  wal_sketch_text(panel, 119, 64.5, "0 ≤ a ≤ x,   Σ_i a_{im} ≤ b_m");
  wal_sketch_text(panel, 119, 58.5, "%lld unknowns, %lld prices λ", cell(r, "unknowns"), cell(r, "m"));
  wal_sketch_text(panel, 119, 52, "gradient in the paper: a system of");
  wal_sketch_text(panel, 119, 48, "3NM + M = %lld equations", cell(r, "paper_system"));
  wal_sketch_text(panel, 119, 43, "here: M = %lld equations", cell(r, "system"));
  wal_sketch_arrow(panel, 144, 60, 153, 60);
  wal_sketch_heading(panel, 163.5, 76, "allocation");
  wal_sketch_cells(panel, 155, 50, at_most(cell(r, "n"), 12), at_most(cell(r, "m"), 5), 17, 21, "#56B4E9");
  wal_sketch_text(panel, 163.5, 47, "a: %lld × %lld", cell(r, "n"), cell(r, "m"));
  wal_sketch_text(panel, 163.5, 43, "always feasible");
}

/* Algorithm 1 around it. */
static void draw_training(wal_panel *panel, const wal_result *r) {
  char number[32], more[32];
  wal_sketch_box(panel, 108, 12, 174, 34, "#D55E00");
  wal_sketch_heading(panel, 141, 30.5, "best misreports found");
  wal_sketch_text(panel, 141, 25.5, "expl_i = max_{v′,x′} u_i(f(v′, x′)) − u_i(f(v, x))");
  wal_sketch_text(panel, 141, 20.5, "%lld candidates for each of %lld agents,", cell(r, "candidates"),
                  cell(r, "n"));
  wal_sketch_text(panel, 141, 15.5, "%lld instances: %s allocations a step", cell(r, "batch"),
                  wal_sketch_thousands(cell(r, "allocations"), number));
  wal_sketch_arrow(panel, 163.5, 40.5, 163.5, 34);
  wal_sketch_box(panel, 33, 12, 92, 34, "#7F7F7F");
  wal_sketch_heading(panel, 62.5, 30.5, "Algorithm 1");
  wal_sketch_text(panel, 62.5, 25.5, "loss  Σ_i γ_i expl_i − NSW or its log");
  wal_sketch_text(panel, 62.5, 20.5, "γ_i ← max(0, γ_i + β(expl_i − ε)), or fixed");
  wal_sketch_text(panel, 62.5, 15.5, "ω: Adam");
  wal_sketch_arrow(panel, 108, 23, 92, 23);
  wal_sketch_arrow(panel, 57, 34, 57, 40);
  wal_sketch_text(panel, 87, 6.5, "Backward pass of the PF layer: %sFLOP as in the paper, %sFLOP here.",
                  wal_sketch_scaled(real(r, "paper_flop"), number), wal_sketch_scaled(real(r, "flop"), more));
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"mechanism", "n", "m"};
  static const char *const measures[] = {"rows",        "inputs",       "outputs", "width",
                                         "depth",       "parameters",   "batch",   "candidates",
                                         "allocations", "paper_system", "system"};
  const wal_status status =
      wal_drawing_standard_table(drawing, result, result->config->title, keys, 3, measures, 11);
  if (status != WAL_OK || wal_frame_rows(result->rows) == 0) return status;
  wal_figure *figure = wal_drawing_figure(drawing, "", result->config->title, 17.5, 9, 1, 1);
  wal_panel *panel = wal_figure_panel(figure, "", "", "");
  wal_sketch_begin(panel, 174, 80);
  draw_reports(panel, result);
  draw_network(panel, result);
  draw_layer(panel, result);
  draw_training(panel, result);
  wal_sketch_end(panel);
  return WAL_OK;
}

const wal_experiment wal_rpfnet_fig2 = {
    .id = "rpfnet/fig2",
    .title = "The pipeline of RPF-Net",
    .paper = WAL_RPFNET_PAPER ", Figure 2",
    .doc =
        "The schematic with the sizes of this config: reports, network, the PF layer with its linear systems "
        "(the paper's of 3 N M + M equations, ours of M), the search for misreports and Algorithm 1. Counts "
        "only: nothing is trained. The first point is drawn, all are in the table.",
    .version = 1,
    .params = wal_rpfnet_params,
    .param_count = WAL_RPFNET_PARAMS,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
