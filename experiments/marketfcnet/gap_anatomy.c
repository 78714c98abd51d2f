/* What the Nash gap is made of along training, and what it says of the distance to the equilibrium
   (marketfcnet, Proposition 5.6). Rows: the iterate after each epoch, measured against the exact equilibrium.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/marketfcnet/market.h"
#include "experiments/registry.h"
#include "models/common/parallel.h"
#include "models/market/welfare.h"

static const wal_column columns[] = {
    {"epoch", WAL_INT, "1", "epochs done", WAL_COLUMN_KEY, 0, 0},
    {"nash_gap", WAL_REAL, "nats", "Nash gap NG = allocation_part + price_part", 0, 1e-3, 1e-12},
    {"allocation_part", WAL_REAL, "nats", "OPT - LNW of the projected allocation", 0, 1e-3, 1e-12},
    {"price_part", WAL_REAL, "nats", "LFW of the projected prices - OPT", 0, 1e-3, 1e-12},
    {"price_error", WAL_REAL, "1", "||p - p*|| / ||p*||, projected prices", 0, 1e-3, 1e-9},
    {"allocation_error", WAL_REAL, "1",
     "root mean square of ||x_i - x_i*|| over buyers, projected allocation", 0, 1e-3, 1e-9},
    {"worst_buyer", WAL_REAL, "1", "largest ||x_i - x_i*||", 0, 1e-3, 1e-9},
    {"wsw_error", WAL_REAL, "1", "|WSW - WSW*| / WSW*, projected allocation", 0, 1e-3, 1e-9},
};

/* The exact equilibrium, and where to report. */
typedef struct {
  const wal_market *market;
  wal_sink *sink;
  wal_solution exact; /* owned */
  wal_measures optimum;
  int64_t epoch;     /* reported so far */
  wal_status status; /* of the first state that could not be measured */
} anatomy;

/* ---- distance of an iterate from the equilibrium ---- */

typedef struct {
  const anatomy *a;
  const wal_allocation *allocation;
  const double *scale; /* [m] alpha_j of eq. 12; NULL: only sum the columns */
  double *worst;       /* [chunks] largest ||x_i - x_i*||^2 */
} distance;

/* sum[0..m): sum_i x_ij; with a scale sum[0]: sum_i ||alpha x_i - x_i*||^2. */
static wal_status distance_body(void *context, int64_t lo, int64_t hi, double *sum) {
  const distance *d = context;
  const wal_allocation *exact = d->a->exact.allocation;
  const int64_t m = d->a->market->m, cells = (hi - lo) * m;
  double *x = malloc(2 * (size_t)cells * sizeof *x), *best = x ? x + cells : NULL;
  if (!x) return wal_fail(WAL_E_MEMORY, "no memory for %lld buyers", (long long)(hi - lo));
  wal_status status = d->allocation->ops->fill(d->allocation, lo, hi, x);
  if (!status && d->scale) status = exact->ops->fill(exact, lo, hi, best);
  for (int64_t k = 0; !status && !d->scale && k < cells; k++) sum[k % m] += x[k];
  for (int64_t i = 0; !status && d->scale && i < hi - lo; i++) {
    double square = 0;
    for (int64_t j = 0; j < m; j++) {
      const double away = d->scale[j] * x[i * m + j] - best[i * m + j];
      square += away * away;
    }
    sum[0] += square;
    d->worst[lo / WAL_CHUNK] = fmax(d->worst[lo / WAL_CHUNK], square);
  }
  free(x);
  return status;
}

static wal_status allocation_error(const anatomy *a, const wal_allocation *allocation, double *rms,
                                   double *worst) {
  const wal_market *market = a->market;
  const int64_t chunks = (market->n + WAL_CHUNK - 1) / WAL_CHUNK;
  double *scale = calloc((size_t)(market->m + chunks), sizeof *scale), sum;
  if (!scale) return wal_fail(WAL_E_MEMORY, "no memory for %lld chunks", (long long)chunks);
  distance d = {.a = a, .allocation = allocation, .worst = scale + market->m};
  wal_status status = wal_sum_chunks(market->n, market->m, distance_body, &d, scale);
  for (int j = 0; j < market->m; j++) scale[j] = market->supply[j] / scale[j];
  d.scale = scale;
  if (!status) status = wal_sum_chunks(market->n, 1, distance_body, &d, &sum);
  *worst = 0;
  for (int64_t c = 0; c < chunks; c++) *worst = fmax(*worst, sqrt(d.worst[c]));
  *rms = sqrt(sum / (double)market->n);
  free(scale);
  return status;
}

/* ||p - p*|| / ||p*|| with p scaled to the worth of p* (both meet eq. 10). */
static double price_error(const anatomy *a, const double *price) {
  const double *best = a->exact.price, *supply = a->market->supply;
  double worth = 0, best_worth = 0, away = 0, norm = 0;
  for (int j = 0; j < a->market->m; j++) worth += supply[j] * price[j], best_worth += supply[j] * best[j];
  for (int j = 0; j < a->market->m; j++) {
    const double difference = price[j] * best_worth / worth - best[j];
    away += difference * difference;
    norm += best[j] * best[j];
  }
  return sqrt(away / norm);
}

/* ---- one state of training ---- */

static void send(const anatomy *a, int64_t epoch, const wal_measures *now, double price, double rms,
                 double worst) {
  const double optimum = a->optimum.lfw;
  wal_sink_row(a->sink);
  wal_sink_int(a->sink, "epoch", epoch);
  wal_sink_real(a->sink, "nash_gap", now->nash_gap);
  wal_sink_real(a->sink, "allocation_part", optimum - now->lnw);
  wal_sink_real(a->sink, "price_part", now->lfw - optimum);
  wal_sink_real(a->sink, "price_error", price);
  wal_sink_real(a->sink, "allocation_error", rms);
  wal_sink_real(a->sink, "worst_buyer", worst);
  wal_sink_real(a->sink, "wsw_error", fabs(now->wsw / a->optimum.wsw - 1));
}

/* While some lambda is not positive the measures do not exist: such epochs have no row. */
static void on_state(void *context, int64_t iteration, const wal_allocation *allocation,
                     const double *price) {
  anatomy *a = context;
  (void)iteration; /* in units that differ; the solvers drawn here report once an epoch */
  a->epoch++;
  for (int j = 0; j < a->market->m; j++)
    if (!(price[j] > 0)) return;
  wal_measures now;
  double rms = NAN, worst = NAN;
  wal_status status = wal_measure(a->market, allocation, price, &now);
  if (status == WAL_OK) status = allocation_error(a, allocation, &rms, &worst);
  if (status == WAL_OK) send(a, a->epoch, &now, price_error(a, price), rms, worst);
  if (a->status == WAL_OK) a->status = status;
}

static void on_progress(void *context, double fraction, const char *what) {
  wal_sink_progress(((anatomy *)context)->sink, fraction, what);
}

static wal_status solve_both(anatomy *a, const wal_solver *solver, const wal_solver_options *options) {
  wal_status status = wal_solver_solve(wal_solver_find("newton"), a->market, options, NULL, &a->exact);
  if (status == WAL_OK) status = wal_measure(a->market, a->exact.allocation, a->exact.price, &a->optimum);
  if (status != WAL_OK) return status;
  const wal_trace trace = {.context = a, .progress = on_progress, .state = on_state};
  wal_solution learned = {0};
  status = wal_solver_solve(solver, a->market, options, &trace, &learned);
  wal_solution_destroy(&learned);
  return status == WAL_OK ? a->status : status;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  const wal_solver *solver = wal_solver_find(wal_point_text(point, "solver"));
  wal_solver_options options;
  wal_market_solver_options(point, &options);
  wal_context_market drawn = {0};
  anatomy a = {.sink = sink};
  wal_status status = wal_market_drawn(point, &drawn);
  a.market = &drawn.market;
  if (status == WAL_OK) status = solve_both(&a, solver, &options);
  wal_solution_destroy(&a.exact);
  wal_context_market_destroy(&drawn);
  return status;
}

/* ---- the picture ---- */

typedef struct {
  const char *column, *title, *axis;
  double rate; /* of NG that Proposition 5.6 allows at most: error = O(NG^rate) */
} error_kind;

static const error_kind errors[] = {
    {"price_error", "Prices", "||p - p*|| / ||p*||", 0.5},
    {"allocation_error", "Allocation, mean square", "rms ||x_i - x_i*||", 0.5},
    {"worst_buyer", "Allocation, worst buyer", "max ||x_i - x_i*||", 0.5},
    {"wsw_error", "Weighted social welfare", "|WSW - WSW*| / WSW*", 1},
};
enum { ERRORS = sizeof errors / sizeof *errors };

/* Sums of log NG and log error over the rows of one solver. */
typedef struct {
  int count;
  double x, y, xx, xy, low, high; /* low, high: of NG */
} fit;

static fit fit_rows(const wal_frame *rows, const char *solver, const char *column) {
  const int name = wal_frame_find(rows, "solver"), gap = wal_frame_find(rows, "nash_gap"),
            error = wal_frame_find(rows, column);
  fit f = {.low = INFINITY, .high = 0};
  for (int64_t row = 0; row < wal_frame_rows(rows); row++) {
    const double g = wal_frame_real(rows, row, gap), e = wal_frame_real(rows, row, error);
    if ((solver && strcmp(wal_frame_text(rows, row, name), solver)) || !(g > 0) || !(e > 0)) continue;
    f.count++;
    f.x += log(g);
    f.y += log(e);
    f.xx += log(g) * log(g);
    f.xy += log(g) * log(e);
    f.low = fmin(f.low, g);
    f.high = fmax(f.high, g);
  }
  return f;
}

static double slope_of(const fit *f) {
  const double n = f->count;
  return n > 1 ? (n * f->xy - f->x * f->y) / (n * f->xx - f->x * f->x) : NAN;
}

/* Every epoch of every seed is a point; the legend has the fitted slopes. */
static void draw_error(wal_figure *figure, const wal_result *result, const error_kind *kind,
                       const char *const solvers[], int count) {
  const wal_frame *rows = result->rows;
  const int name = wal_frame_find(rows, "solver"), gap = wal_frame_find(rows, "nash_gap"),
            error = wal_frame_find(rows, kind->column);
  wal_panel *panel = wal_figure_panel(figure, kind->title, "NG (nats)", kind->axis);
  for (int s = 0; s < count; s++) {
    const fit f = fit_rows(rows, solvers[s], kind->column);
    char label[96];
    snprintf(label, sizeof label, "%s: %.2f", wal_market_label(solvers[s]), slope_of(&f));
    wal_series *series = wal_panel_series(panel, WAL_POINTS, label, wal_market_colour(solvers[s]));
    for (int64_t row = 0; row < wal_frame_rows(rows); row++)
      if (!strcmp(wal_frame_text(rows, row, name), solvers[s]) && !wal_frame_missing(rows, row, gap))
        wal_series_point(series, wal_frame_real(rows, row, gap), wal_frame_real(rows, row, error), NAN, NAN);
  }
  const fit all = fit_rows(rows, NULL, kind->column);
  char label[32];
  snprintf(label, sizeof label, "slope %g", kind->rate);
  wal_series *line = wal_panel_series(panel, WAL_BAND, label, 7);
  for (int end = 0; end < 2 && all.count > 0; end++) {
    const double g = end ? all.high : all.low, level = (all.y - kind->rate * all.x) / all.count;
    wal_series_point(line, g, exp(level) * pow(g, kind->rate), NAN, NAN);
  }
  wal_panel_log(panel, true, true);
  wal_panel_legend(panel, "top left");
}

static double at_epoch(const void *context, const wal_frame *rows, int64_t row) {
  return wal_frame_real(rows, row, *(const int *)context);
}

static int distinct_solvers(const wal_grouping *by, const char *solvers[8]) {
  const wal_frame *rows = by->result->rows;
  const int name = wal_frame_find(rows, "solver");
  int count = 0;
  for (int k = 0; k < by->count && count < 8; k++) {
    const char *solver = wal_frame_text(rows, by->groups[k].row, name);
    int at = 0;
    while (at < count && strcmp(solvers[at], solver)) at++;
    if (at == count) solvers[count++] = solver;
  }
  return count;
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  const wal_result *result = by->result;
  const char *solvers[8];
  const int count = distinct_solvers(by, solvers), epoch = wal_frame_find(result->rows, "epoch");
  wal_figure *figure = wal_drawing_figure(drawing, "", result->config->title, 17.5, 13, 2, 3);
  wal_panel *part = wal_figure_panel(figure, "Allocation part", "epoch", "OPT - LNW (nats)");
  wal_market_series(part, WAL_LINES, by, "allocation_part", NAN, at_epoch, &epoch);
  wal_panel_log(part, false, true);
  part = wal_figure_panel(figure, "Price part", "epoch", "LFW - OPT (nats)");
  wal_market_series(part, WAL_LINES, by, "price_part", NAN, at_epoch, &epoch);
  wal_panel_log(part, false, true);
  wal_panel_legend(part, NULL);
  for (int k = 0; k < ERRORS; k++) draw_error(figure, result, &errors[k], solvers, count);
  wal_figure_note(
      figure,
      "Parts: means, bars from the smallest to the largest of the seeds. Errors: a point per epoch "
      "and seed; legends give the slope fitted to them, grey lines the rates of Proposition 5.6");
}

static void draw_slopes(wal_drawing *drawing, const wal_grouping *by) {
  const char *solvers[8];
  const int count = distinct_solvers(by, solvers);
  wal_table *table = wal_drawing_table(drawing, "slopes", "Fitted rates: error ~ NG^slope");
  wal_table_column(table, NULL, "solver", NULL);
  for (int k = 0; k < ERRORS; k++) wal_table_column(table, NULL, errors[k].column, "%.2f");
  for (int s = 0; s < count; s++) {
    wal_table_row(table);
    wal_table_text(table, solvers[s]);
    for (int k = 0; k < ERRORS; k++) {
      const fit f = fit_rows(by->result->rows, solvers[s], errors[k].column);
      wal_table_real(table, slope_of(&f), NAN, 1);
    }
  }
}

static void draw_all(wal_drawing *drawing, const wal_grouping *by) {
  draw_figure(drawing, by);
  draw_slopes(drawing, by);
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"solver", "epoch"};
  static const char *const measures[] = {"nash_gap",         "allocation_part", "price_part", "price_error",
                                         "allocation_error", "worst_buyer",     "wsw_error"};
  return wal_drawing_groups(result, drawing, keys, 2, measures, 7, draw_all);
}

const wal_experiment wal_marketfcnet_gap_anatomy = {
    .id = "marketfcnet/gap-anatomy",
    .title = "What the Nash gap is made of",
    .paper = WAL_MARKETFCNET_PAPER ", section 5.1 and Proposition 5.6",
    .doc =
        "Along training, the Nash gap split at the optimum OPT of the exact solver into the allocation's "
        "part OPT "
        "- LNW and the prices' LFW - OPT, and set against the distances to the equilibrium: Proposition 5.6 "
        "says that those of prices and allocations are O(sqrt(NG)) and that of weighted social welfare "
        "O(NG).",
    .version = 1,
    .devices = true,
    .params = wal_market_params,
    .param_count = WAL_MARKET_PARAMS,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
