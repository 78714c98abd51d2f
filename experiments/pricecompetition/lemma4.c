/* Lemma 4: the least stable revenue of a bipartite graph's market is its minimum maximal matching. */
#include <math.h>
#include <stdio.h>

#include "experiments/pricecompetition/study.h"
#include "experiments/registry.h"
#include "models/common/rng.h"
#include "models/pricing/cells.h"

static const wal_param params[] = {WAL_PRICE_STUDY_PARAMS("graph", "graph", "4")};

static const wal_column columns[] = {
    {.name = "markets", .type = WAL_INT, .unit = "1", .doc = "graphs drawn"},
    {.name = "differ",
     .type = WAL_INT,
     .unit = "1",
     .doc = "of these, with a minimum maximal matching smaller than the maximum matching"},
    {.name = "least_error",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "largest |least revenue - minimum maximal matching|; 0 by Lemma 4",
     .atol = 1e-7},
    {.name = "most_error",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "largest |most revenue - maximum matching|; 0 by Theorem 2",
     .atol = 1e-7},
};

enum { LEAST, SMALLEST, MOST, LARGEST, LEAST_ERROR, MOST_ERROR, DIFFER };
static const wal_price_value values[] = {
    [LEAST] = {"least", 0, 0, NULL},
    [SMALLEST] = {"smallest", 0, 0, NULL},
    [MOST] = {"most", 0, 0, NULL},
    [LARGEST] = {"largest", 0, 0, NULL},
    [LEAST_ERROR] = {"least_error", 0, 1e-7, "Lemma 4"},
    [MOST_ERROR] = {"most_error", 0, 1e-7, "Theorem 2: the maximum matching"},
    [DIFFER] = {"differ", 0, 0, NULL},
};

/* Budgets, prices and values 1 on the edges of a random graph, in which every item has one. */
static wal_status make_market(const wal_price_instance *at, wal_pricing_market *out) {
  const wal_status status = wal_pricing_market_create(at->n, at->m, out);
  if (status != WAL_OK) return status;
  uint64_t next = (uint64_t)at->k << 32 | (uint64_t)at->n << 16;
  const double density = 0.2 + 0.6 * wal_rng_uniform(at->seed, WAL_STREAM_INSTANCES, next++);
  for (int i = 0; i < at->n; i++) out->budget[i] = 1;
  for (int j = 0; j < at->m; j++) {
    const int sure = (int)(at->n * wal_rng_uniform(at->seed, WAL_STREAM_INSTANCES, next++));
    for (int i = 0; i < at->n; i++) {
      const double u = wal_rng_uniform(at->seed, WAL_STREAM_INSTANCES, next++);
      out->value[i * at->m + j] = i == sure || u < density;
      out->price[i * at->m + j] = 1;
    }
  }
  return WAL_OK;
}

/* ---- every matching ---- */

typedef struct {
  const wal_pricing_market *market;
  uint64_t buyers, items; /* matched so far */
  int smallest, largest;  /* of the maximal ones */
} matchings;

static bool is_maximal(const matchings *of) {
  for (int i = 0; i < of->market->n; i++)
    for (int j = 0; j < of->market->m; j++)
      if (of->market->value[i * of->market->m + j] > 0 && !(of->buyers >> i & 1) && !(of->items >> j & 1))
        return false;
  return true;
}

/* Buyers from i on are still to be matched, or not. */
static void match(matchings *of, int i, int size) {
  if (i == of->market->n) {
    if (!is_maximal(of)) return;
    if (size < of->smallest) of->smallest = size;
    if (size > of->largest) of->largest = size;
    return;
  }
  match(of, i + 1, size);
  for (int j = 0; j < of->market->m; j++) {
    if (of->items >> j & 1 || !(of->market->value[i * of->market->m + j] > 0)) continue;
    of->buyers |= UINT64_C(1) << i, of->items |= UINT64_C(1) << j;
    match(of, i + 1, size + 1);
    of->buyers &= ~(UINT64_C(1) << i), of->items &= ~(UINT64_C(1) << j);
  }
}

/* ---- one market ---- */

static wal_status measure(const wal_price_instance *at, double *out) {
  wal_pricing_market market;
  wal_stable_range range = {0};
  if (at->n > 8 || at->m > 8)
    return wal_fail(WAL_E_UNSUPPORTED, "%d x %d; expected at most 8 x 8: every matching is tried", at->n,
                    at->m);
  wal_status status = make_market(at, &market);
  if (status != WAL_OK) return status;
  matchings all = {.market = &market, .smallest = at->n, .largest = 0};
  match(&all, 0, 0);
  status = wal_stable_objective(&market, market.price, NULL, &range);
  if (status == WAL_OK) {
    out[LEAST] = range.low;
    out[SMALLEST] = all.smallest;
    out[MOST] = range.high;
    out[LARGEST] = all.largest;
    out[LEAST_ERROR] = fabs(range.low - all.smallest);
    out[MOST_ERROR] = fabs(range.high - all.largest);
    out[DIFFER] = all.smallest < all.largest;
  }
  wal_stable_range_destroy(&range);
  wal_pricing_market_destroy(&market);
  return status;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  static const wal_price_summary summaries[] = {{"differ", "differ", WAL_PRICE_SUM},
                                                {"least_error", "least_error", WAL_PRICE_MOST},
                                                {"most_error", "most_error", WAL_PRICE_MOST}};
  const wal_price_study study = {.values = values,
                                 .value_count = sizeof values / sizeof *values,
                                 .summaries = summaries,
                                 .summary_count = sizeof summaries / sizeof *summaries,
                                 .measure = measure};
  return wal_price_study_run(point, sink, &study);
}

/* ---- the picture ---- */

/* Spreads points that are whole numbers, so that they can be counted: a fixed pattern of 7 x 7. */
static double spread(int64_t k, bool second) { return 0.08 * (double)((second ? k / 7 : k) % 7 - 3); }

static void add_points(const wal_result *result, wal_panel *panel, const char *x, const char *y) {
  double most = 1;
  for (int64_t row = 0; row < wal_frame_rows(result->rows); row++) {
    const int point = (int)wal_frame_real(result->rows, row, wal_frame_find(result->rows, "point"));
    const wal_frame *trace = wal_result_trace(result, point, "markets");
    if (!trace) continue;
    char name[64];
    snprintf(name, sizeof name, "%.0f x %.0f",
             wal_frame_real(result->rows, row, wal_frame_find(result->rows, "n")),
             wal_frame_real(result->rows, row, wal_frame_find(result->rows, "m")));
    wal_series *points = wal_panel_series(panel, WAL_POINTS, name, (int)(row % 8));
    for (int64_t k = 0; k < wal_frame_rows(trace); k++) {
      const double a = wal_frame_real(trace, k, wal_frame_find(trace, x));
      most = fmax(most, a);
      wal_series_point(points, a + spread(k, false),
                       wal_frame_real(trace, k, wal_frame_find(trace, y)) + spread(k, true), NAN, NAN);
    }
  }
  wal_series *line = wal_panel_series(panel, WAL_BAND, "equal", 6);
  wal_series_point(line, 0.5, 0.5, NAN, NAN);
  wal_series_point(line, most + 0.5, most + 0.5, NAN, NAN);
  wal_panel_range(panel, 0.5, most + 0.5, 0.5, most + 0.5);
  wal_panel_legend(panel, "top left");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"n", "m"};
  static const char *const measures[] = {"markets", "differ", "least_error", "most_error"};
  const wal_status status =
      wal_drawing_standard_table(drawing, result, result->config->title, keys, 2, measures, 4);
  if (status != WAL_OK) return status;
  wal_figure *figure = wal_drawing_figure(drawing, "", result->config->title, 17.5, 9, 1, 2);
  add_points(result, wal_figure_panel(figure, "Lemma 4", "minimum maximal matching", "least stable revenue"),
             "smallest", "least");
  add_points(result, wal_figure_panel(figure, "Theorem 2", "maximum matching", "most stable revenue"),
             "largest", "most");
  wal_figure_note(figure, "All numbers are whole; points are spread around them by a fixed pattern");
  return WAL_OK;
}

const wal_experiment wal_pricecompetition_lemma4 = {
    .id = "pricecompetition/lemma4",
    .title = "Lemma 4: least stable revenue and minimum maximal matching",
    .paper = WAL_PRICECOMPETITION_PAPER ", Lemma 4",
    .doc =
        "Random bipartite graphs as markets of budgets, prices and values 1: the least stable revenue, "
        "exactly, against the minimum maximal matching found by trying every matching, and the most against "
        "the maximum matching. A difference fails the point and names the graph. Trace `markets`: a line per "
        "graph.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
