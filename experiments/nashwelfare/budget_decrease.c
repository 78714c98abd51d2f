/* Section 7: Algorithms 1 to 3 and the price decrease of Lemma 7.8 on random networks. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/drawing.h"
#include "experiments/nashwelfare/flow_study.h"
#include "experiments/nashwelfare/nashwelfare.h"
#include "experiments/registry.h"
#include "models/common/parallel.h"

static const wal_param params[] = {
    {"family", WAL_TEXT, "splc", 0, 0, WAL_FLOW_FAMILIES, "1",
     "law of the utilities; deep_network: goods to a row of inner nodes, each to two of the next three", NULL,
     WAL_PARAM_KEY},
    {"prices", WAL_TEXT, "random", 0, 0, "random|gale", "1",
     "random, x a random corner of GD(q, b); or those of a maximum Nash welfare of four agents with its x",
     "family=splc|leontief_free|network", WAL_PARAM_KEY},
    {"m", WAL_INT, "4", 1, 64, NULL, "goods", "number of goods", NULL, WAL_PARAM_KEY},
    {"inner", WAL_INT, "3", 1, 256, NULL, "nodes", "inner nodes of a deep network (the family network has 3)",
     "family=deep_network", WAL_PARAM_KEY},
    {"instances", WAL_INT, "250", 1, 1e6, NULL, "1", "number of utilities, each with prices and budgets",
     NULL, 0},
    {"seed", WAL_INT, "1", 0, 9007199254740992.0, NULL, "1", "key of every random number of the point", NULL,
     WAL_PARAM_KEY},
};

static const wal_column columns[] = {
    {"correct", WAL_REAL, "1", "share of instances on which every claim held", 0, 0, 0},
    {"nodes", WAL_REAL, "nodes", "nodes of the network, mean", 0, 1e-9, 0},
    {"arcs", WAL_REAL, "arcs", "arcs of the network, mean", 0, 1e-9, 0},
    {"iterations", WAL_REAL, "1", "Budget-Decrease: calls of Pullback-Flow, mean", 0, 0.02, 0},
    {"iterations_max", WAL_INT, "1", "the same, most", 0, 0, 1},
    {"price_iterations", WAL_REAL, "1", "Lemma 7.8: calls of Reroute-Flow and Pullback-Flow, mean", 0, 0.02,
     0},
    {"price_iterations_max", WAL_INT, "1", "the same, most", 0, 0, 2},
    {"distance", WAL_REAL, "1", "Lemma 7.7: distance of x' to GD(q, b'), most", 0, 0, 1e-7},
    {"price_distance", WAL_REAL, "1", "Lemma 7.8: distance of x' to GD(q', b), most", 0, 0, 1e-7},
    {"violation", WAL_REAL, "1", "of eq. 11 by any flow and potentials, relative, most", 0, 0, 1e-7},
    {"pullbacks", WAL_INT, "calls", "calls of Pullback-Flow, each by both forms, Lemma 7.3 checked", 0, 0.02,
     0},
    {"reroutes", WAL_INT, "calls",
     "calls of Reroute-Flow with a largest x'_k, by both forms, Lemma 7.5 checked", 0, 0.02, 0},
    {"unlimited", WAL_INT, "calls", "calls of Reroute-Flow without a largest x'_k", 0, 0.02, 0},
    {"disagreement", WAL_REAL, "1", "linear program against maximum flow, relative to u(x), most", 0, 0,
     1e-7},
    {"asked", WAL_REAL, "1", "share of instances where Algorithm 3 came to line 13", 0, 0.02, 0},
    {"printed_low", WAL_REAL, "1", "share of the times there with a printed delta of at most 1",
     WAL_COLUMN_OPTIONAL, 0.02, 0},
};

/* ---- a point ---- */

typedef struct {
  wal_flow_law law;
  wal_flow_measure *measures; /* [instances] owned */
} study;

static wal_status measure(void *context, int64_t k) {
  study *s = context;
  wal_flow_measure *out = &s->measures[k];
  const wal_status status = wal_flow_measure_instance(&s->law, k, out);
  if (status == WAL_OK || status == WAL_E_MEMORY) return status;
  snprintf(out->fault, sizeof out->fault, "%s", wal_error()); /* an algorithm that gives up is a fault too */
  return WAL_OK;
}

/* Sums and largest values over the instances. */
typedef struct {
  int64_t correct, first_fault; /* -1: none */
  int64_t iterations, price_iterations, pullbacks, reroutes, unlimited, asking, asked, low;
  int most, price_most;
  double nodes, arcs, distance, price_distance, violation, disagreement;
} summary;

static void add(summary *sum, const wal_flow_measure *one, int64_t k) {
  if (one->fault[0] && sum->first_fault < 0) sum->first_fault = k;
  sum->correct += !one->fault[0];
  sum->nodes += one->nodes;
  sum->arcs += one->arcs;
  sum->iterations += one->budget_iterations;
  sum->price_iterations += one->price_iterations;
  sum->most = one->budget_iterations > sum->most ? one->budget_iterations : sum->most;
  sum->price_most = one->price_iterations > sum->price_most ? one->price_iterations : sum->price_most;
  sum->pullbacks += one->pullbacks;
  sum->reroutes += one->reroutes;
  sum->unlimited += one->unlimited;
  sum->asking += one->asked > 0;
  sum->asked += one->asked;
  sum->low += one->low;
  sum->distance = fmax(sum->distance, one->budget_distance);
  sum->price_distance = fmax(sum->price_distance, one->price_distance);
  sum->violation = fmax(sum->violation, one->violation);
  sum->disagreement = fmax(sum->disagreement, one->disagreement);
}

static void send_row(wal_sink *sink, const summary *sum, int64_t instances) {
  const double count = (double)instances;
  wal_sink_row(sink);
  wal_sink_real(sink, "correct", (double)sum->correct / count);
  wal_sink_real(sink, "nodes", sum->nodes / count);
  wal_sink_real(sink, "arcs", sum->arcs / count);
  wal_sink_real(sink, "iterations", (double)sum->iterations / count);
  wal_sink_int(sink, "iterations_max", sum->most);
  wal_sink_real(sink, "price_iterations", (double)sum->price_iterations / count);
  wal_sink_int(sink, "price_iterations_max", sum->price_most);
  wal_sink_real(sink, "distance", sum->distance);
  wal_sink_real(sink, "price_distance", sum->price_distance);
  wal_sink_real(sink, "violation", sum->violation);
  wal_sink_int(sink, "pullbacks", sum->pullbacks);
  wal_sink_int(sink, "reroutes", sum->reroutes);
  wal_sink_int(sink, "unlimited", sum->unlimited);
  wal_sink_real(sink, "disagreement", sum->disagreement);
  wal_sink_real(sink, "asked", (double)sum->asking / count);
  if (sum->asked) wal_sink_real(sink, "printed_low", (double)sum->low / (double)sum->asked);
}

/* Trace "iterations": how many instances took each number of calls. */
static void send_histogram(wal_sink *sink, const study *s, const summary *sum, int64_t instances) {
  static const char *const names[] = {"iterations", "budget", "price"};
  const int most = sum->most > sum->price_most ? sum->most : sum->price_most;
  for (int calls = 0; calls <= most; calls++) {
    double line[3] = {calls, 0, 0};
    for (int64_t k = 0; k < instances; k++) {
      line[1] += s->measures[k].budget_iterations == calls;
      line[2] += s->measures[k].price_iterations == calls;
    }
    wal_sink_trace(sink, "iterations", 3, names, line);
  }
}

static wal_status send(const study *s, int64_t instances, wal_sink *sink) {
  summary sum = {.first_fault = -1};
  for (int64_t k = 0; k < instances; k++) add(&sum, &s->measures[k], k);
  send_row(sink, &sum, instances);
  send_histogram(sink, s, &sum, instances);
  if (sum.first_fault < 0) return WAL_OK;
  return wal_fail(WAL_E_DIVERGED,
                  "%s with %d goods, instance %" PRId64 " of seed %" PRIu64 " (%" PRId64 " of %" PRId64
                  " failed): %s",
                  s->law.family, s->law.m, sum.first_fault, s->law.seed, instances - sum.correct, instances,
                  s->measures[sum.first_fault].fault);
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  study s = {.law = {.family = wal_point_text(point, "family"),
                     .gale = !strcmp(wal_point_text(point, "prices"), "gale"),
                     .m = (int)wal_point_int(point, "m"),
                     .inner = (int)wal_point_int(point, "inner"),
                     .seed = (uint64_t)wal_point_int(point, "seed")}};
  const int64_t instances = wal_point_int(point, "instances");
  s.measures = calloc((size_t)instances, sizeof *s.measures);
  if (!s.measures) return wal_fail(WAL_E_MEMORY, "no memory for %" PRId64 " instances", instances);
  wal_status status = wal_for_tasks(instances, measure, &s);
  if (status == WAL_OK) status = send(&s, instances, sink);
  free(s.measures);
  return status;
}

/* ---- the picture ---- */

enum { MOST = 512 }; /* iterations that are told apart */

static double number(const wal_result *result, int64_t row, const char *name) {
  const int column = wal_frame_find(result->rows, name);
  return column < 0 ? NAN : wal_frame_real(result->rows, row, column);
}

static bool is_of(const wal_result *result, int64_t row, int family) {
  const int column = wal_frame_find(result->rows, "family");
  return column >= 0 &&
         !strcmp(wal_frame_text(result->rows, row, column), wal_nashwelfare_kinds[family].name);
}

static bool of_gale_prices(const wal_result *result, int64_t row) {
  const int column = wal_frame_find(result->rows, "prices");
  return column >= 0 && !strcmp(wal_frame_text(result->rows, row, column), "gale");
}

/* Adds the trace of a row's point to counts[MOST]; `what`: its column. */
static void add_counts(const wal_result *result, int64_t row, const char *what, double *counts) {
  const wal_frame *trace = wal_result_trace(result, (int)number(result, row, "point"), "iterations");
  if (!trace) return;
  const int calls = wal_frame_find(trace, "iterations"), count = wal_frame_find(trace, what);
  for (int64_t line = 0; line < wal_frame_rows(trace); line++) {
    const int at = (int)wal_frame_real(trace, line, calls);
    counts[at < MOST ? at : MOST - 1] += wal_frame_real(trace, line, count);
  }
}

/* The share of a family's instances that took at least so many calls. */
static void draw_tail(wal_panel *panel, const wal_result *result, int family, const char *what) {
  double counts[MOST] = {0}, all = 0;
  for (int64_t row = 0; row < wal_frame_rows(result->rows); row++)
    if (is_of(result, row, family)) add_counts(result, row, what, counts);
  for (int calls = 0; calls < MOST; calls++) all += counts[calls];
  if (!(all > 0)) return;
  wal_series *line = wal_panel_series(panel, WAL_LINES, wal_nashwelfare_kinds[family].label, family);
  double left = all;
  for (int calls = 0; calls < MOST && left > 0; calls++) {
    if (calls > 0) wal_series_point(line, calls, left / all, NAN, NAN);
    left -= counts[calls];
  }
}

static void draw_tails(wal_figure *figure, const wal_result *result, const char *title, const char *what,
                       bool legend) {
  wal_panel *panel = wal_figure_panel(figure, title, "calls", "share of instances with at least these");
  wal_panel_log(panel, false, true);
  for (int family = 0; family < WAL_NASHWELFARE_KINDS; family++) draw_tail(panel, result, family, what);
  wal_panel_range(panel, 0, NAN, NAN, 1);
  wal_panel_legend(panel, legend ? "bottom left" : NULL);
}

/* Mean calls of Budget-Decrease against the arcs, at random prices. */
static void draw_sizes(wal_figure *figure, const wal_result *result) {
  wal_panel *panel = wal_figure_panel(figure, "Budget-Decrease, by size", "arcs", "calls, mean");
  wal_panel_log(panel, true, false);
  wal_panel_range(panel, NAN, NAN, 1, NAN);
  for (int family = 0; family < WAL_NASHWELFARE_KINDS; family++) {
    wal_series *line = NULL;
    for (int64_t row = 0; row < wal_frame_rows(result->rows); row++) {
      if (!is_of(result, row, family) || of_gale_prices(result, row)) continue;
      if (!line) line = wal_panel_series(panel, WAL_LINES, wal_nashwelfare_kinds[family].label, family);
      wal_series_point(line, number(result, row, "arcs"), number(result, row, "iterations"), NAN, NAN);
    }
  }
  wal_panel_legend(panel, NULL);
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  const wal_result *result = by->result;
  wal_figure *figure = wal_drawing_figure(drawing, "", result->config->title, 17.5, 7, 1, 3);
  draw_tails(figure, result, "Budget-Decrease (Algorithm 3)", "budget", true);
  draw_tails(figure, result, "Price decrease (Lemma 7.8)", "price", false);
  draw_sizes(figure, result);
  wal_figure_note(
      figure,
      "Calls: of Pullback-Flow on the left and on the right, of Reroute-Flow and Pullback-Flow in "
      "the middle. Right: random prices alone");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"family", "prices", "m", "inner"};
  static const char *const measures[] = {"correct",        "distance",  "price_distance", "iterations",
                                         "iterations_max", "pullbacks", "reroutes",       "unlimited",
                                         "disagreement",   "asked",     "printed_low"};
  return wal_drawing_groups(result, drawing, keys, 4, measures, 11, draw_figure);
}

const wal_experiment wal_nashwelfare_budget_decrease = {
    .id = "nashwelfare/budget-decrease",
    .title = "Less budget and lower prices by flows",
    .paper = WAL_NASHWELFARE_PAPER ", section 7, Algorithms 1 to 3",
    .doc =
        "Generalised network utilities are Gale-substitutes (Theorem 1.5), by two algorithms: "
        "Budget-Decrease "
        "turns a Gale demand x into one x' <= x for a smaller budget, the price decrease of Lemma 7.8 into "
        "one for lower prices. Both are run as corrected (docs/errata.md), every call of Pullback-Flow and "
        "Reroute-Flow as a linear program and as a maximum flow, Lemmas 7.3 and 7.5 checked after each, the "
        "answers against the Gale demand found without flows. A claim that fails makes the point fail.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
