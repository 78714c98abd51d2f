/* Theorem 3: at a competitive equilibrium no seller can be sure of more at other prices. */
#include <math.h>

#include "experiments/pricecompetition/study.h"
#include "experiments/registry.h"
#include "models/common/rng.h"
#include "models/pricing/sellers.h"

static const wal_param params[] = {WAL_PRICE_STUDY_PARAMS("equilibrium", "equilibrium", "3")};

static const wal_column columns[] = {
    {.name = "markets", .type = WAL_INT, .unit = "1", .doc = "markets drawn"},
    {.name = "clears",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "least R_k / value of the seller's items at the equilibrium; 1: all is sold",
     .rtol = 1e-9},
    {.name = "one_item",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "largest R_k at another price of one item / R_k at the equilibrium; at most 1 by Theorem 3",
     .rtol = 1e-6},
    {.name = "all_items",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "the same for other prices of all of the seller's items",
     .rtol = 1e-6},
};

enum { FACTOR, CLEARS, ONE_ITEM, ALL_ITEMS };
static const wal_price_value values[] = {
    [FACTOR] = {"factor", 0, 0, NULL},
    [CLEARS] = {"clears", 1 - 1e-9, 1 + 1e-9, "a competitive equilibrium clears the market"},
    [ONE_ITEM] = {"one_item", 0, 1 + 1e-8, "Theorem 3"},
    [ALL_ITEMS] = {"all_items", 0, 1 + 1e-8, "Theorem 3"},
};

typedef struct {
  uint64_t seed, next;
} stream;
static double uniform(stream *s) { return wal_rng_uniform(s->seed, WAL_STREAM_INSTANCES, s->next++); }
/* 1/8, 2/8, ..., high/8 */
static double eighths(stream *s, int high) { return (1 + (int)(high * uniform(s))) / 8.0; }

/* ---- a market with a competitive equilibrium ---- */

/* Money f_ij >= 0 from buyer to item on a random graph makes budgets and prices; an item's price per value is
   best for who pays for it, and worse for the others. All products are exact in doubles. */
static wal_status make_market(const wal_price_instance *at, stream *s, wal_pricing_market *out) {
  const wal_status status = wal_pricing_market_create(at->n, at->m, out);
  if (status != WAL_OK) return status;
  const int n = at->n, m = at->m;
  out->sellers = m > 1 ? 2 : 1;
  for (int j = 0; j < m; j++) out->owner[j] = j % 2;
  for (int e = 0; e < n * m; e++) /* every buyer and every item has an edge */
    out->value[e] = e / m % m == e % m || e % m % n == e / m || uniform(s) < 0.3 ? eighths(s, 8) : 0;
  for (int j = 0; j < m; j++) {
    double price = 0;
    for (int i = 0; i < n; i++) price += out->value[i * m + j], out->budget[i] += out->value[i * m + j];
    for (int i = 0; i < n; i++) out->price[i * m + j] = price;
  }
  for (int i = 0; i < n; i++) {
    const double scale = eighths(s, 16);
    for (int j = 0; j < m; j++) {
      const int e = i * m + j;
      const double worse = uniform(s) < 0.2 ? 0 : eighths(s, 7);
      out->value[e] = scale * out->price[e] * (out->value[e] > 0 ? 1 : worse);
    }
  }
  return WAL_OK;
}

/* ---- deviations ---- */

static void set_price(wal_pricing_market *market, int j, double price) {
  for (int i = 0; i < market->n; i++) market->price[i * market->m + j] = price;
}

/* R_k with the seller's items, or one of them, at prices up to a factor e^width from those p[m]; factor: of
   the last price that is changed. */
static wal_status deviate(wal_pricing_market *market, const double *p, int seller, double width, bool all,
                          stream *s, double *revenue, double *factor) {
  double both[2];
  const int owned = (market->m - seller + 1) / 2, only = (int)(owned * uniform(s));
  for (int item = 0; item < owned; item++) {
    const int j = seller + 2 * item;
    if (!all && item != only) continue;
    *factor = exp(width * (2 * uniform(s) - 1));
    set_price(market, j, p[j] * *factor);
  }
  const wal_status status = wal_guaranteed_revenue(market, WAL_SELECT_BEST, both);
  for (int j = 0; j < market->m; j++) set_price(market, j, p[j]);
  *revenue = both[seller];
  return status;
}

/* Two deviations of one seller: one item, all items. */
static wal_status try_both(wal_pricing_market *market, const double *p, int64_t k, stream *s, double *out) {
  static const double widths[] = {0.05, 0.2, 0.7, 2};
  const double width = widths[k / 2 % 4];
  const int seller = (int)(k % market->sellers);
  double base[2], one, all, last, worth = 0;
  wal_status status = wal_guaranteed_revenue(market, WAL_SELECT_BEST, base);
  if (status == WAL_OK) status = deviate(market, p, seller, width, false, s, &one, &out[FACTOR]);
  if (status == WAL_OK) status = deviate(market, p, seller, width, true, s, &all, &last);
  if (status != WAL_OK) return status;
  for (int j = seller; j < market->m; j += 2) worth += p[j];
  out[CLEARS] = base[seller] / worth;
  out[ONE_ITEM] = one / base[seller];
  out[ALL_ITEMS] = all / base[seller];
  return WAL_OK;
}

static wal_status measure(const wal_price_instance *at, double *out) {
  wal_pricing_market market;
  stream s = {at->seed, (uint64_t)at->k << 32 | (uint64_t)at->n << 16};
  double p[64];
  if (at->m > 64) return wal_fail(WAL_E_UNSUPPORTED, "%d items; expected at most 64, such as 4", at->m);
  wal_status status = make_market(at, &s, &market);
  if (status != WAL_OK) return status;
  for (int j = 0; j < at->m; j++) p[j] = market.price[j];
  status = try_both(&market, p, at->k, &s, out);
  wal_pricing_market_destroy(&market);
  return status;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  static const wal_price_summary summaries[] = {{"clears", "clears", WAL_PRICE_LEAST},
                                                {"one_item", "one_item", WAL_PRICE_MOST},
                                                {"all_items", "all_items", WAL_PRICE_MOST}};
  const wal_price_study study = {.values = values,
                                 .value_count = sizeof values / sizeof *values,
                                 .summaries = summaries,
                                 .summary_count = sizeof summaries / sizeof *summaries,
                                 .measure = measure};
  return wal_price_study_run(point, sink, &study);
}

/* ---- the picture ---- */

static void add_points(const wal_result *result, wal_figure *figure) {
  wal_panel *panel = wal_figure_panel(figure, "One item at another price", "price / at the equilibrium",
                                      "guaranteed revenue / at the equilibrium");
  wal_series *points = wal_panel_series(panel, WAL_POINTS, "", 0);
  for (int t = 0; t < result->trace_count; t++) {
    const wal_frame *trace = result->traces[t];
    for (int64_t k = 0; k < wal_frame_rows(trace); k++)
      wal_series_point(points, wal_frame_real(trace, k, wal_frame_find(trace, "factor")),
                       wal_frame_real(trace, k, wal_frame_find(trace, "one_item")), NAN, NAN);
  }
  wal_series_point(wal_panel_series(panel, WAL_RULE, "Theorem 3", 6), 0, 1, NAN, NAN);
  wal_panel_log(panel, true, false);
  wal_panel_range(panel, 0.1, 10, 0, 1.1);
  wal_panel_legend(panel, "bottom right");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"n", "m"};
  static const char *const measures[] = {"markets", "clears", "one_item", "all_items"};
  const wal_price_histogram what = {.value = "all_items",
                                    .unit = "deviations, all items of a seller",
                                    .xlabel = "guaranteed revenue / at the equilibrium",
                                    .bins = 44,
                                    .low = 0,
                                    .high = 1.1,
                                    .bound = 1,
                                    .bound_label = "Theorem 3"};
  wal_status status =
      wal_drawing_standard_table(drawing, result, result->config->title, keys, 2, measures, 4);
  if (status != WAL_OK) return status;
  wal_figure *figure = wal_drawing_figure(drawing, "", result->config->title, 17.5, 7.5, 1, 2);
  wal_figure_note(figure, "Revenue equal to the equilibrium's is in the bin on the right of the bound");
  add_points(result, figure);
  return wal_price_histograms(result, figure, &what);
}

const wal_experiment wal_pricecompetition_theorem3 = {
    .id = "pricecompetition/theorem3",
    .title = "Theorem 3: competitive equilibria are maximin equilibria",
    .paper = WAL_PRICECOMPETITION_PAPER ", Theorem 3",
    .doc =
        "Random markets built around a competitive equilibrium, two sellers: the revenue R_k that a seller "
        "is "
        "sure of (least over the stable allocations with the most revenue, exactly) at random other prices "
        "of "
        "one item or of all of its items, against that at the equilibrium. A ratio above 1 fails the point "
        "and "
        "names the market. Trace `markets`: a line per market.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
