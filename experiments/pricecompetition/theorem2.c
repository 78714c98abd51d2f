/* Theorem 2 and Corollary 2.1: Algorithm 3, from nothing and from a compatible allocation, against the two
   linear programs of Algorithm 2. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/pricecompetition/study.h"
#include "experiments/registry.h"
#include "models/pricing/gale_shapley.h"
#include "models/pricing/revenue.h"
#include "models/pricing/stability.h"

static const wal_param params[] = {WAL_PRICE_STUDY_PARAMS("uniform", "uniform", "4")};

static const wal_column columns[] = {
    {.name = "markets", .type = WAL_INT, .unit = "1", .doc = "markets drawn"},
    {.name = "stable",
     .type = WAL_INT,
     .unit = "1",
     .doc = "of these, with both answers of Algorithm 3 stable, in rationals",
     .rtol = 0},
    {.name = "lp_gap",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "largest |revenue of Algorithm 3 - of the linear program| / revenue",
     .atol = 1e-9},
    {.name = "warm_gap",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "largest difference of Algorithm 3's revenue from two starts, in rationals",
     .atol = 0},
    {.name = "dropped",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "most that an item sells less than in the compatible start, in rationals",
     .atol = 0},
    {.name = "cold", .type = WAL_REAL, .unit = "1", .doc = "augmentations from nothing, mean", .rtol = 1e-6},
    {.name = "warm",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "augmentations from the compatible allocation, mean",
     .rtol = 1e-6},
    {.name = "first",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "revenue of Algorithm 1's stable allocation / most, least; Theorem 8: at least 1/2",
     .rtol = 1e-6},
};

enum { STABLE, LP_GAP, WARM_GAP, DROPPED, COLD, WARM, FIRST };
static const wal_price_value values[] = {
    [STABLE] = {"stable", 1, 1, "Theorem 2: Algorithm 3 ends stable"},
    [LP_GAP] = {"lp_gap", 0, 1e-9, "Theorem 2: Algorithm 3 and the linear program agree"},
    [WARM_GAP] = {"warm_gap", 0, 0, "Theorem 2: the same revenue from any start"},
    [DROPPED] = {"dropped", 0, 0, "Corollary 2.1: every item sells at least as much"},
    [COLD] = {"cold", 0, 0, NULL},
    [WARM] = {"warm", 0, 0, NULL},
    [FIRST] = {"first", 0.5 - 1e-12, 1 + 1e-12, "Theorem 8"},
};

/* ---- one market ---- */

typedef struct {
  wal_pricing_market market;
  wal_pricing_allocation start, warm, cold, by_lp;
} work;

static void destroy(work *w) {
  wal_pricing_allocation_destroy(&w->start);
  wal_pricing_allocation_destroy(&w->warm);
  wal_pricing_allocation_destroy(&w->cold);
  wal_pricing_allocation_destroy(&w->by_lp);
  wal_pricing_market_destroy(&w->market);
}

/* A compatible allocation that need not be stable: Algorithm 1's where every second buyer has a quarter of
   its budget. */
static wal_status make_compatible(work *w) {
  wal_pricing_market *market = &w->market;
  mpq_t quarter;
  mpq_init(quarter);
  mpq_set_ui(quarter, 1, 4);
  for (int i = 0; i < market->n; i += 2) mpq_mul(market->exact->budget[i], market->exact->budget[i], quarter);
  const wal_status status = wal_gale_shapley_exact(market, NULL, &w->start, NULL);
  mpq_inv(quarter, quarter);
  for (int i = 0; i < market->n; i += 2) mpq_mul(market->exact->budget[i], market->exact->budget[i], quarter);
  mpq_clear(quarter);
  if (status != WAL_OK) return status;
  wal_stability_report report;
  if (wal_stability_check_exact(market, w->start.exact, WAL_CHECK_COMPATIBLE, &report)) return WAL_OK;
  return wal_fail(WAL_E_DIVERGED, "buyer %d, item %d of the start: %s; expected a compatible allocation",
                  report.buyer, report.item, wal_stability_text(report.fault));
}

static wal_status improve(work *w, double *out) {
  int64_t cold, warm;
  const int n = w->market.n, m = w->market.m;
  wal_status status = make_compatible(w);
  if (status == WAL_OK) status = wal_pricing_allocation_create(n, m, true, &w->warm);
  if (status == WAL_OK) status = wal_pricing_allocation_create(n, m, true, &w->cold);
  if (status != WAL_OK) return status;
  for (int e = 0; e < n * m; e++) mpq_set(w->warm.exact[e], w->start.exact[e]);
  status = wal_stable_edmonds_karp_exact(&w->market, &w->warm, &warm);
  if (status == WAL_OK) status = wal_stable_edmonds_karp_exact(&w->market, &w->cold, &cold);
  if (status == WAL_OK) out[COLD] = (double)cold, out[WARM] = (double)warm;
  return status;
}

/* The most that an item sells less in x than in the start; 0: none does. */
static double dropped(const work *w, mpq_t *x) {
  const int n = w->market.n, m = w->market.m;
  double most = 0;
  mpq_t less;
  mpq_init(less);
  for (int j = 0; j < m; j++) {
    mpq_set_ui(less, 0, 1);
    for (int i = 0; i < n; i++) {
      mpq_add(less, less, w->start.exact[i * m + j]);
      mpq_sub(less, less, x[i * m + j]);
    }
    if (mpq_sgn(less) > 0) most = fmax(most, mpq_get_d(less));
  }
  mpq_clear(less);
  return most;
}

static double revenue_gap(const work *w) {
  mpq_t a, b;
  mpq_inits(a, b, NULL);
  wal_pricing_revenue_exact(&w->market, w->warm.exact, a);
  wal_pricing_revenue_exact(&w->market, w->cold.exact, b);
  mpq_sub(a, a, b);
  const double gap = fabs(mpq_get_d(a));
  mpq_clears(a, b, NULL);
  return gap;
}

static wal_status compare(work *w, double *out) {
  wal_stability_report report;
  wal_pricing_allocation first = {0};
  double by_lp;
  wal_status status = wal_revenue_by_lp(&w->market, &w->by_lp, &by_lp);
  if (status == WAL_OK) status = wal_gale_shapley(&w->market, NULL, &first, NULL);
  if (status != WAL_OK) return status;
  const double revenue = wal_pricing_revenue(&w->market, w->cold.x, NULL);
  out[STABLE] = wal_stability_check_exact(&w->market, w->warm.exact, WAL_CHECK_STABLE, &report) &&
                wal_stability_check_exact(&w->market, w->cold.exact, WAL_CHECK_STABLE, &report);
  out[LP_GAP] = fabs(revenue - by_lp) / revenue;
  out[WARM_GAP] = revenue_gap(w);
  out[DROPPED] = dropped(w, w->warm.exact);
  out[FIRST] = wal_pricing_revenue(&w->market, first.x, NULL) / revenue;
  wal_pricing_allocation_destroy(&first);
  return WAL_OK;
}

static wal_status measure(const wal_price_instance *at, double *out) {
  work w = {0};
  wal_status status = wal_pricing_draw(WAL_PRICING_UNIFORM, at->seed, at->k, at->n, at->m, true, &w.market);
  if (status == WAL_OK) status = improve(&w, out);
  if (status == WAL_OK) status = compare(&w, out);
  destroy(&w);
  return status;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  static const wal_price_summary summaries[] = {
      {"stable", "stable", WAL_PRICE_SUM},      {"lp_gap", "lp_gap", WAL_PRICE_MOST},
      {"warm_gap", "warm_gap", WAL_PRICE_MOST}, {"dropped", "dropped", WAL_PRICE_MOST},
      {"cold", "cold", WAL_PRICE_MEAN},         {"warm", "warm", WAL_PRICE_MEAN},
      {"first", "first", WAL_PRICE_LEAST}};
  const wal_price_study study = {.values = values,
                                 .value_count = sizeof values / sizeof *values,
                                 .summaries = summaries,
                                 .summary_count = sizeof summaries / sizeof *summaries,
                                 .measure = measure};
  return wal_price_study_run(point, sink, &study);
}

/* ---- the picture ---- */

static void add_line(wal_panel *panel, const wal_grouping *by, const char *column, const char *label,
                     int colour) {
  wal_series *line = wal_panel_series(panel, WAL_LINES, label, colour);
  for (int g = 0; g < by->count; g++)
    wal_series_point(
        line, wal_frame_real(by->result->rows, by->groups[g].row, wal_frame_find(by->result->rows, "n")),
        wal_group_stat(by, g, column).mean, NAN, NAN);
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 7, 1, 2);
  wal_panel *panel =
      wal_figure_panel(figure, "Work of Algorithm 3", "buyers = items n", "augmentations per market");
  add_line(panel, by, "cold", "from nothing", 0);
  add_line(panel, by, "warm", "from a compatible allocation", 1);
  wal_panel_log(panel, true, true);
  wal_panel_legend(panel, "top left");
  panel =
      wal_figure_panel(figure, "Algorithm 1 against the most", "buyers = items n", "revenue / most revenue");
  add_line(panel, by, "first", "least of all markets", 2);
  wal_series_point(wal_panel_series(panel, WAL_RULE, "Theorem 8: 1/2", 6), 0, 0.5, NAN, NAN);
  wal_panel_log(panel, true, false);
  wal_panel_range(panel, NAN, NAN, 0.4, 1);
  wal_panel_legend(panel, "bottom right");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"n", "m"};
  static const char *const measures[] = {"markets", "stable", "lp_gap", "warm_gap",
                                         "dropped", "cold",   "warm",   "first"};
  return wal_drawing_groups(result, drawing, keys, 2, measures, 8, draw_figure);
}

const wal_experiment wal_pricecompetition_theorem2 = {
    .id = "pricecompetition/theorem2",
    .title = "Theorem 2: Algorithm 3 finds the most stable revenue",
    .paper = WAL_PRICECOMPETITION_PAPER ", Theorem 2 and Corollary 2.1",
    .doc =
        "Random markets of one price an item: Algorithm 3 in rationals from nothing and from a compatible "
        "allocation that is not stable in general. Both ends must be stable and of equal revenue, equal to "
        "the "
        "linear program's to 1e-9, and no item may sell less than at the start (Corollary 2.1); else the "
        "point "
        "fails and names the market. Trace `markets`: a line per market.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
