/* One network, trained once, then used on buyers that it never saw: fresh ones, more of them, other laws of
   contexts, before the same goods. What a network offers that a solver does not, beside what a solver needs.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pool.h"
#include "experiments/marketfcnet/market.h"
#include "experiments/registry.h"
#include "models/market/network.h"
#include "models/market/welfare.h"

static const wal_column columns[] = {
    {"population", WAL_TEXT, "1", "training | fresh | 4n | 16n | normal, uniform or exponential",
     WAL_COLUMN_KEY, 0, 0},
    {"method", WAL_TEXT, "1",
     "kept: the network at its training prices; cleared: at prices that clear; demand: exact demand at those "
     "prices; "
     "exact; warm: exact begun at those prices",
     WAL_COLUMN_KEY, 0, 0},
    {"buyers", WAL_INT, "buyers", "buyers of the population", 0, 0, 0},
    {"nash_gap", WAL_REAL, "nats", "Nash gap NG (eqs. 9, 12)", 0, 1e-3, 1e-12},
    {"voa", WAL_REAL, "1", "violation of allocation VoA (eq. 13)", 0, 1e-3, 1e-9},
    {"vop", WAL_REAL, "1", "violation of price VoP (eq. 13)", 0, 1e-3, 1e-9},
    {"iterations", WAL_INT, "steps", "passes over all buyers to the prices", 0, 0, 0},
    {"solve_s", WAL_REAL, "s", "wall time to the prices, given those it begins at", WAL_COLUMN_TIMING, 0, 0},
    {"train_s", WAL_REAL, "s", "wall time of the training behind it", WAL_COLUMN_TIMING, 0, 0},
};

typedef struct {
  const wal_solver_options *options;
  wal_sink *sink;
  wal_trained_network network; /* owned */
  double train_s;
  const char *population; /* the one at hand */
} amortised;

static wal_status send(const amortised *a, const char *method, const wal_market *market,
                       const wal_allocation *allocation, const double *price, int64_t passes,
                       double solve_s) {
  wal_measures measures;
  const wal_status status = wal_measure(market, allocation, price, &measures);
  if (status != WAL_OK) return status;
  wal_sink_row(a->sink);
  wal_sink_text(a->sink, "population", a->population);
  wal_sink_text(a->sink, "method", method);
  wal_sink_int(a->sink, "buyers", market->n);
  wal_sink_real(a->sink, "nash_gap", measures.nash_gap);
  wal_sink_real(a->sink, "voa", measures.voa);
  wal_sink_real(a->sink, "vop", measures.vop);
  wal_sink_int(a->sink, "iterations", passes);
  wal_sink_real(a->sink, "solve_s", solve_s);
  wal_sink_real(a->sink, "train_s", a->train_s);
  return WAL_OK;
}

/* The network's allocation at some prices. */
static wal_status send_network(const amortised *a, const char *method, const wal_market *market,
                               const double *price, int64_t passes, double solve_s) {
  wal_allocation *allocation = NULL;
  wal_status status = wal_trained_network_allocation(&a->network, market, price, &allocation);
  if (status == WAL_OK) status = send(a, method, market, allocation, price, passes, solve_s);
  wal_allocation_destroy(allocation);
  return status;
}

static wal_status send_demand(const amortised *a, const wal_market *market, const double *price,
                              double solve_s) {
  wal_allocation *allocation = NULL;
  wal_status status = wal_allocation_demand(market, price, &allocation);
  if (status == WAL_OK) status = send(a, "demand", market, allocation, price, 1, solve_s);
  wal_allocation_destroy(allocation);
  return status;
}

/* start: prices to begin at; NULL: Newton's own. */
static wal_status send_exact(const amortised *a, const char *method, const wal_market *market,
                             const double *start) {
  wal_solver_options options = *a->options;
  options.newton.start = start;
  wal_solution exact = {0};
  const double begun = wal_now();
  wal_status status = wal_solver_solve(wal_solver_find("newton"), market, &options, NULL, &exact);
  const double solve_s = wal_now() - begun;
  if (status == WAL_OK)
    status = send(a, method, market, exact.allocation, exact.price, exact.iterations, solve_s);
  wal_solution_destroy(&exact);
  return status;
}

/* Every method on one population. */
static wal_status apply(amortised *a, const char *population, const wal_market *market) {
  double *price = malloc((size_t)market->m * sizeof *price);
  if (!price) return wal_fail(WAL_E_MEMORY, "no memory for %d prices", market->m);
  a->population = population;
  wal_sink_progress(a->sink, 0.5, population);
  wal_status status = send_network(a, "kept", market, a->network.lambda, 0, 0);
  const double begun = wal_now();
  if (status == WAL_OK) status = wal_trained_network_prices(&a->network, market, price);
  const double solve_s = wal_now() - begun;
  if (status == WAL_OK) status = send_network(a, "cleared", market, price, 1, solve_s);
  if (status == WAL_OK) status = send_demand(a, market, price, solve_s);
  if (status == WAL_OK) status = send_exact(a, "exact", market, NULL);
  if (status == WAL_OK) status = send_exact(a, "warm", market, price);
  free(price);
  return status;
}

static wal_status apply_to_fresh(amortised *a, const char *population, const wal_context_market *trained,
                                 wal_context_law law, int64_t n) {
  wal_context_market fresh = {0};
  const uint64_t seed = a->options->seed + 1000003; /* no seed of a config's few */
  wal_status status = wal_context_market_like(trained, law, seed, n, &fresh);
  if (status == WAL_OK) status = apply(a, population, &fresh.market);
  wal_context_market_destroy(&fresh);
  return status;
}

static wal_status apply_to_all(amortised *a, const wal_context_market *trained, wal_context_law law) {
  static const char *const laws[] = {"normal", "uniform", "exponential"};
  const int64_t n = trained->market.n;
  wal_status status = apply(a, "training", &trained->market);
  if (status == WAL_OK) status = apply_to_fresh(a, "fresh", trained, law, n);
  if (status == WAL_OK) status = apply_to_fresh(a, "4n", trained, law, 4 * n);
  if (status == WAL_OK) status = apply_to_fresh(a, "16n", trained, law, 16 * n);
  for (int other = 0; other < 3 && status == WAL_OK; other++)
    if (other != (int)law) status = apply_to_fresh(a, laws[other], trained, (wal_context_law)other, n);
  return status;
}

static wal_status train(amortised *a, const char *recipe, const wal_market *market) {
  const wal_trace trace = wal_market_trace(a->sink);
  wal_solution learned = {0};
  const double begun = wal_now();
  wal_status status = wal_solver_solve(wal_solver_find(recipe), market, a->options, &trace, &learned);
  a->train_s = wal_now() - begun;
  if (status == WAL_OK) status = wal_trained_network_export(learned.allocation, &a->network);
  wal_solution_destroy(&learned);
  return status;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  wal_solver_options options;
  wal_market_solver_options(point, &options);
  wal_context_market drawn = {0};
  wal_context_law law = WAL_CONTEXTS_NORMAL;
  amortised a = {.options = &options, .sink = sink};
  wal_status status = wal_context_law_parse(wal_point_text(point, "contexts"), &law);
  if (status == WAL_OK) status = wal_market_drawn(point, &drawn);
  if (status == WAL_OK) status = train(&a, wal_point_text(point, "solver"), &drawn.market);
  if (status == WAL_OK) status = apply_to_all(&a, &drawn, law);
  wal_trained_network_destroy(&a.network);
  wal_context_market_destroy(&drawn);
  return status;
}

/* ---- the picture ---- */

static const struct {
  const char *name, *label;
  int colour;
  bool timed; /* its prices are its own: they took time */
} methods[] = {{"kept", "network, prices kept", 5, false},
               {"cleared", "network, prices cleared", 2, true},
               {"demand", "exact demand, those prices", 4, false},
               {"exact", "Exact", 6, true},
               {"warm", "Exact, begun at those prices", 7, true}};
enum { METHODS = sizeof methods / sizeof *methods };

/* Populations in order of appearance; their number in the grouping's order. */
static double place(const wal_grouping *by, const char *names[], int *count, int group) {
  const wal_frame *rows = by->result->rows;
  const char *name = wal_frame_text(rows, by->groups[group].row, wal_frame_find(rows, "population"));
  int at = 0;
  while (at < *count && strcmp(names[at], name)) at++;
  if (at == *count) names[(*count)++] = name;
  return at;
}

static wal_panel *draw_panel(wal_figure *figure, const wal_grouping *by, const char *title,
                             const char *column, const char *axis, bool timed, double floor) {
  const wal_frame *rows = by->result->rows;
  const int method = wal_frame_find(rows, "method");
  const char *names[16];
  int count = 0;
  wal_panel *panel = wal_figure_panel(figure, title, "", axis);
  for (int e = 0; e < METHODS; e++) {
    if (timed && !methods[e].timed) continue;
    wal_series *series = wal_panel_series(panel, WAL_POINTS, methods[e].label, methods[e].colour);
    for (int k = 0; k < by->count; k++)
      if (!strcmp(wal_frame_text(rows, by->groups[k].row, method), methods[e].name))
        wal_market_add(series, place(by, names, &count, k) + 0.13 * (e - 2),
                       wal_market_at_least(wal_group_stat(by, k, column), floor));
  }
  for (int k = 0; k < count; k++) wal_panel_category(panel, k, names[k]);
  wal_panel_log(panel, false, true);
  wal_panel_range(panel, -0.5, count - 0.5, NAN, NAN);
  wal_panel_legend(panel, "top left");
  return panel;
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  const double floor = 1e-8;
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 8.5, 1, 2);
  draw_panel(figure, by, "Nash gap", "nash_gap", "NG (nats)", false, floor);
  wal_panel *time = draw_panel(figure, by, "Time to the prices", "solve_s", "seconds", true, NAN);
  wal_series *training = wal_panel_series(time, WAL_RULE, "training, once", 1);
  if (by->count > 0) wal_series_point(training, 0, wal_group_stat(by, 0, "train_s").mean, NAN, NAN);
  wal_figure_note(figure, "Bars: smallest and largest over the seeds; NG below %g is drawn at %g", floor,
                  floor);
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"population", "method"};
  static const char *const measures[] = {"buyers",     "nash_gap", "voa",    "vop",
                                         "iterations", "solve_s",  "train_s"};
  return wal_drawing_groups(result, drawing, keys, 2, measures, 7, draw_figure);
}

const wal_experiment wal_marketfcnet_amortised = {
    .id = "marketfcnet/amortised",
    .title = "One network, other buyers",
    .paper = WAL_MARKETFCNET_PAPER ", section 4",
    .doc =
        "Trains one network on one population, then gives it others before the same goods, without "
        "retraining: "
        "fresh buyers, 4 and 16 times as many, other laws of contexts. Its prices are kept, or cleared by "
        "one pass "
        "over the buyers. Beside it the exact solver, begun by itself and at the network's prices.",
    .version = 1,
    .devices = true,
    .params = wal_market_params,
    .param_count = WAL_MARKET_PARAMS,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
