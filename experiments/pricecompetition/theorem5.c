/* Theorem 5: with strict preferences and strict natural priorities there is one stable allocation. */
#include <math.h>
#include <string.h>

#include "experiments/pricecompetition/study.h"
#include "experiments/registry.h"
#include "models/pricing/cells.h"
#include "models/pricing/gale_shapley.h"

static const wal_param params[] = {
    WAL_PRICE_STUDY_PARAMS("strict-natural|strict|natural|uniform-ranked", "strict-natural", "3")};

static const wal_column columns[] = {
    {.name = "markets", .type = WAL_INT, .unit = "1", .doc = "markets drawn"},
    {.name = "strict",
     .type = WAL_INT,
     .unit = "1",
     .doc = "of these, strict and natural: the theorem's conditions",
     .rtol = 0},
    {.name = "unique",
     .type = WAL_INT,
     .unit = "1",
     .doc = "with one stable allocation: no share ranges over more than 1e-7",
     .atol = 1},
    {.name = "widest",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "widest range of a share",
     .rtol = 1e-6,
     .atol = 1e-7},
    {.name = "widest_strict",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "of the markets with the theorem's conditions; 0 by Theorem 5",
     .flags = WAL_COLUMN_OPTIONAL,
     .atol = 1e-7},
    {.name = "orders",
     .type = WAL_INT,
     .unit = "1",
     .doc = "for which Algorithm 1 gives the same rationals in two orders of proposing",
     .rtol = 0.02},
};

enum { STRICT, UNIQUE, WIDEST, WIDEST_STRICT, ORDERS, ORDERS_STRICT };
static const wal_price_value values[] = {
    [STRICT] = {"strict", 0, 0, NULL},
    [UNIQUE] = {"unique", 0, 0, NULL},
    [WIDEST] = {"widest", 0, 0, NULL},
    [WIDEST_STRICT] = {"widest_strict", -1e-7, 1e-7, "Theorem 5", true},
    [ORDERS] = {"orders", 0, 0, NULL},
    [ORDERS_STRICT] = {"orders_strict", 1, 1, "Theorem 5: the same rationals in any order of proposing",
                       true},
};

/* ---- one market ---- */

static wal_status make_market(const wal_price_instance *at, wal_pricing_market *out) {
  const bool strict_natural = strcmp(at->kind, "strict-natural") == 0;
  const wal_pricing_kind kind = strict_natural ? WAL_PRICING_STRICT : wal_pricing_kind_find(at->kind);
  wal_status status = wal_pricing_draw(kind, at->seed, at->k, at->n, at->m, true, out);
  if (status == WAL_OK && strict_natural) status = wal_pricing_natural(out);
  return status;
}

/* Are prices and priorities of item j different, and in the same order, for all who value it? */
static bool is_strict_item(const wal_pricing_market *market, int j) {
  const int *rank = market->rank + (size_t)j * (size_t)market->n;
  for (int i = 0; i < market->n; i++)
    for (int k = 0; k < market->n; k++) {
      const int a = i * market->m + j, b = k * market->m + j;
      if (i == k || !(market->value[a] > 0 && market->value[b] > 0)) continue;
      if (market->price[a] == market->price[b] ||
          (market->price[a] > market->price[b]) != (rank[i] < rank[k]))
        return false;
    }
  return true;
}

static bool is_strict(const wal_pricing_market *market) {
  for (int j = 0; j < market->m; j++)
    if (!is_strict_item(market, j)) return false;
  for (int i = 0; i < market->n; i++)
    for (int j = 0; j < market->m; j++)
      for (int k = 0; k < j; k++)
        if (market->value[i * market->m + j] > 0 && market->value[i * market->m + k] > 0 &&
            wal_pricing_prefers(market, i, j, k) == 0)
          return false;
  return true;
}

static wal_status run_orders(const wal_pricing_market *market, bool *equal) {
  wal_pricing_allocation x = {0}, y = {0};
  int order[64];
  for (int i = 0; i < market->n; i++) order[i] = market->n - 1 - i;
  wal_status status = wal_gale_shapley_exact(market, NULL, &x, NULL);
  if (status == WAL_OK)
    status = wal_gale_shapley_exact(market, &(wal_gale_shapley_options){.order = order}, &y, NULL);
  *equal = true;
  for (int e = 0; status == WAL_OK && e < market->n * market->m; e++)
    *equal = *equal && mpq_equal(x.exact[e], y.exact[e]);
  wal_pricing_allocation_destroy(&x);
  wal_pricing_allocation_destroy(&y);
  return status;
}

static wal_status measure(const wal_price_instance *at, double *out) {
  wal_pricing_market market;
  bool unique = false, equal = false;
  double widest = NAN;
  if (at->n > 64) return wal_fail(WAL_E_UNSUPPORTED, "%d buyers; expected at most 64, such as 4", at->n);
  wal_status status = make_market(at, &market);
  if (status != WAL_OK) return status;
  status = wal_stable_unique(&market, NULL, &unique, &widest);
  if (status == WAL_OK) status = run_orders(&market, &equal);
  const bool strict = is_strict(&market);
  out[STRICT] = strict;
  out[UNIQUE] = unique;
  out[WIDEST] = widest;
  out[WIDEST_STRICT] = strict ? widest : NAN;
  out[ORDERS] = equal;
  out[ORDERS_STRICT] = strict ? equal : NAN;
  wal_pricing_market_destroy(&market);
  return status;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  static const wal_price_summary summaries[] = {{"strict", "strict", WAL_PRICE_SUM},
                                                {"unique", "unique", WAL_PRICE_SUM},
                                                {"widest", "widest", WAL_PRICE_MOST},
                                                {"widest_strict", "widest_strict", WAL_PRICE_MOST},
                                                {"orders", "orders", WAL_PRICE_SUM}};
  const wal_price_study study = {.values = values,
                                 .value_count = sizeof values / sizeof *values,
                                 .summaries = summaries,
                                 .summary_count = sizeof summaries / sizeof *summaries,
                                 .measure = measure};
  return wal_price_study_run(point, sink, &study);
}

/* ---- the picture ---- */

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"kind", "n", "m"};
  static const char *const measures[] = {"markets", "strict", "unique", "orders", "widest", "widest_strict"};
  const wal_price_histogram what = {.value = "widest",
                                    .unit = "markets",
                                    .xlabel = "widest range of a share",
                                    .bins = 40,
                                    .low = 0,
                                    .high = 1};
  wal_status status =
      wal_drawing_standard_table(drawing, result, result->config->title, keys, 3, measures, 6);
  if (status != WAL_OK) return status;
  wal_figure *figure = wal_drawing_figure(drawing, "", result->config->title, 17.5, 11, 2, 2);
  wal_figure_note(figure, "Theorem 5 covers the first panel only: every range there is 0");
  return wal_price_histograms(result, figure, &what);
}

const wal_experiment wal_pricecompetition_theorem5 = {
    .id = "pricecompetition/theorem5",
    .title = "Theorem 5: one stable allocation",
    .paper = WAL_PRICECOMPETITION_PAPER ", Theorem 5",
    .doc =
        "How far a share of an item ranges over all stable allocations of random markets, exactly. With "
        "strict "
        "preferences and strict natural priorities the range must be 0, and Algorithm 1 must give the same "
        "rationals in two orders of proposing; else the point fails and names the market. Beside it, markets "
        "with ties or with priorities that are not natural. Trace `markets`: a line per market.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
