/* Propositions 3, 4 and 5: what a seller gains from a buyer with money left, and prices of equal bang per
   buck. */
#include <math.h>
#include <stdlib.h>

#include "experiments/pricecompetition/study.h"
#include "experiments/registry.h"
#include "models/pricing/gale_shapley.h"
#include "models/pricing/revenue.h"
#include "models/pricing/sellers.h"
#include "models/pricing/stability.h"

static const wal_param params[] = {WAL_PRICE_STUDY_PARAMS("uniform", "uniform", "3")};

static const wal_column columns[] = {
    {.name = "markets", .type = WAL_INT, .unit = "1", .doc = "markets drawn"},
    {.name = "tried3", .type = WAL_INT, .unit = "1", .doc = "prices raised as in Proposition 3"},
    {.name = "gain3",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "least gain of R_k / rise of the price; at least 1 by the proof of Proposition 3",
     .rtol = 1e-6},
    {.name = "tried4", .type = WAL_INT, .unit = "1", .doc = "prices raised as in Proposition 4"},
    {.name = "gain4",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "least gain of R_k / rise of the price; at least 1 by the proof of Proposition 4",
     .flags = WAL_COLUMN_OPTIONAL,
     .rtol = 1e-6},
    {.name = "tried5", .type = WAL_INT, .unit = "1", .doc = "buyers and sellers priced as in Proposition 5"},
    {.name = "stable5",
     .type = WAL_INT,
     .unit = "1",
     .doc = "of these, the same allocation still stable: all by Proposition 5"},
};

enum { TRIED3, GAIN3, TRIED4, GAIN4, TRIED5, STABLE5, LOST5 };
static const wal_price_value values[] = {
    [TRIED3] = {"tried3", 0, 0, NULL},
    [GAIN3] = {"gain3", 1 - 1e-6, INFINITY, "Proposition 3", true},
    [TRIED4] = {"tried4", 0, 0, NULL},
    [GAIN4] = {"gain4", 1 - 1e-6, INFINITY, "Proposition 4", true},
    [TRIED5] = {"tried5", 0, 0, NULL},
    [STABLE5] = {"stable5", 0, 0, NULL},
    [LOST5] = {"lost5", 0, 0, "Proposition 5: the allocation is still stable"},
};

/* ---- Propositions 3 and 4 ---- */

static void raise_price(wal_pricing_market *market, int j, double by) {
  for (int i = 0; i < market->n; i++) market->price[i * market->m + j] += by;
}

/* The least gain of an item's seller over the rise, by raising any one price of buyer i's items. */
static wal_status raise_all(wal_pricing_market *market, int i, double rise, double *tried, double *least) {
  double base[2], raised[2];
  wal_status status = wal_guaranteed_revenue(market, WAL_SELECT_BEST, base);
  for (int j = 0; j < market->m && status == WAL_OK; j++) {
    if (!(market->value[i * market->m + j] > 0)) continue;
    const double price = market->price[j];
    raise_price(market, j, rise);
    status = wal_guaranteed_revenue(market, WAL_SELECT_BEST, raised);
    for (int k = 0; k < market->n; k++) market->price[k * market->m + j] = price;
    if (status != WAL_OK) break;
    const int seller = market->owner[j];
    *least = fmin(isnan(*least) ? INFINITY : *least, (raised[seller] - base[seller]) / rise);
    ++*tried;
  }
  return status;
}

/* Buyer 0 can pay for all that it values and has half a unit left. */
static wal_status proposition3(wal_pricing_market *market, double *out) {
  const double budget = market->budget[0];
  market->budget[0] = 0.5;
  for (int j = 0; j < market->m; j++)
    if (market->value[j] > 0) market->budget[0] += market->price[j];
  const wal_status status = raise_all(market, 0, 0.25, &out[TRIED3], &out[GAIN3]);
  market->budget[0] = budget;
  return status;
}

static double money_left(const wal_pricing_market *market, const double *x, int i) {
  double left = market->budget[i];
  for (int j = 0; j < market->m; j++) left -= market->price[i * market->m + j] * x[i * market->m + j];
  return left;
}

/* Every buyer with money left in the revenue-optimal allocation of Algorithm 3. */
static wal_status proposition4(wal_pricing_market *market, double *out) {
  wal_pricing_allocation x = {0};
  wal_status status = wal_pricing_allocation_create(market->n, market->m, false, &x);
  if (status == WAL_OK) status = wal_stable_edmonds_karp(market, &x, NULL);
  for (int i = 0; i < market->n && status == WAL_OK; i++) {
    const double left = money_left(market, x.x, i);
    if (left > 1e-3) status = raise_all(market, i, left / 2, &out[TRIED4], &out[GAIN4]);
  }
  wal_pricing_allocation_destroy(&x);
  return status;
}

/* ---- Proposition 5 ---- */

static const double HIGH = 1e6;

/* Every item of `market` into a part f that is buyer i's alone, item j of out, and the rest, item m + j; what
   is not the seller's, or not partly i's, has one part of f = 1 or 0. */
static wal_status split(const wal_pricing_market *market, const double *x, int i, int seller, double *f,
                        wal_pricing_market *out, double *y) {
  const int n = market->n, m = market->m;
  const wal_status status = wal_pricing_market_create(n, 2 * m, out);
  if (status != WAL_OK) return status;
  for (int j = 0; j < m; j++) {
    const double share = x[i * m + j];
    f[j] = market->owner[j] == seller ? (share > 1 - 1e-9 ? 1 : share > 1e-9 ? share : 0) : 0;
    for (int k = 0; k < n; k++) {
      const int own = k * 2 * m + j, rest = own + m;
      out->budget[k] = market->budget[k];
      out->value[own] = f[j] * market->value[k * m + j], out->price[own] = f[j] * market->price[k * m + j];
      out->value[rest] = (1 - f[j]) * market->value[k * m + j];
      out->price[rest] = (1 - f[j]) * market->price[k * m + j];
      out->rank[j * n + k] = out->rank[(m + j) * n + k] = market->rank[j * n + k];
      y[own] = f[j] > 0 && k == i;
      y[rest] = f[j] < 1 && !(f[j] > 0 && k == i) ? x[k * m + j] / (1 - f[j]) : 0;
    }
  }
  return WAL_OK;
}

/* Buyer i's parts at the seller's mean bang per buck, out of reach for others, and the seller's other parts
   out of i's. */
static void equalise(const wal_pricing_market *market, const double *f, int i, int seller, double ratio,
                     wal_pricing_market *out) {
  const int n = market->n, m = market->m;
  for (int j = 0; j < m; j++) {
    if (market->owner[j] != seller) continue;
    if (f[j] < 1) out->price[i * 2 * m + m + j] = HIGH;
    for (int k = 0; f[j] > 0 && k < n; k++)
      out->price[k * 2 * m + j] = k == i ? out->value[k * 2 * m + j] / ratio : HIGH;
  }
}

static wal_status reprice(const wal_pricing_market *market, const double *x, int i, int seller, double *out) {
  const int n = market->n, m = market->m;
  double spent = 0, worth = 0;
  for (int j = 0; j < m; j++) {
    if (market->owner[j] != seller) continue;
    spent += market->price[i * m + j] * x[i * m + j], worth += market->value[i * m + j] * x[i * m + j];
  }
  if (!(spent > 1e-6)) return WAL_OK;
  double *y = malloc((size_t)n * 2 * (size_t)m * sizeof *y), *f = malloc((size_t)m * sizeof *f);
  wal_pricing_market other = {0};
  wal_stability_report report;
  wal_status status = y && f ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for %d x %d shares", n, 2 * m);
  if (status == WAL_OK) status = split(market, x, i, seller, f, &other, y);
  if (status == WAL_OK) {
    equalise(market, f, i, seller, worth / spent, &other);
    const bool stable = wal_stability_check(&other, y, WAL_CHECK_STABLE, 1e-7, &report);
    out[TRIED5]++, out[STABLE5] += stable, out[LOST5] += !stable;
  }
  wal_pricing_market_destroy(&other);
  free(y);
  free(f);
  return status;
}

/* A personalised market, its allocation by Algorithm 1, every buyer and seller. */
static wal_status proposition5(const wal_price_instance *at, double *out) {
  wal_pricing_market market;
  wal_pricing_allocation x = {0};
  wal_status status = wal_pricing_draw(at->k % 2 ? WAL_PRICING_STRICT : WAL_PRICING_NATURAL, at->seed, at->k,
                                       at->n, at->m, false, &market);
  if (status != WAL_OK) return status;
  status = wal_gale_shapley(&market, NULL, &x, NULL);
  for (int i = 0; i < at->n; i++)
    for (int k = 0; k < market.sellers && status == WAL_OK; k++) status = reprice(&market, x.x, i, k, out);
  wal_pricing_allocation_destroy(&x);
  wal_pricing_market_destroy(&market);
  return status;
}

/* ---- a point ---- */

static wal_status measure(const wal_price_instance *at, double *out) {
  wal_pricing_market market;
  wal_status status = wal_pricing_draw(WAL_PRICING_UNIFORM, at->seed, at->k, at->n, at->m, false, &market);
  if (status != WAL_OK) return status;
  for (int v = 0; v <= LOST5; v++) out[v] = v == GAIN3 || v == GAIN4 ? NAN : 0;
  status = proposition3(&market, out);
  if (status == WAL_OK) status = proposition4(&market, out);
  if (status == WAL_OK) status = proposition5(at, out);
  wal_pricing_market_destroy(&market);
  return status;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  static const wal_price_summary summaries[] = {
      {"tried3", "tried3", WAL_PRICE_SUM}, {"gain3", "gain3", WAL_PRICE_LEAST},
      {"tried4", "tried4", WAL_PRICE_SUM}, {"gain4", "gain4", WAL_PRICE_LEAST},
      {"tried5", "tried5", WAL_PRICE_SUM}, {"stable5", "stable5", WAL_PRICE_SUM}};
  const wal_price_study study = {.values = values,
                                 .value_count = sizeof values / sizeof *values,
                                 .summaries = summaries,
                                 .summary_count = sizeof summaries / sizeof *summaries,
                                 .measure = measure};
  return wal_price_study_run(point, sink, &study);
}

/* ---- the picture ---- */

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"n", "m"};
  static const char *const measures[] = {"markets", "tried3", "gain3",  "tried4",
                                         "gain4",   "tried5", "stable5"};
  wal_price_histogram what = {.value = "gain3",
                              .unit = "markets, Proposition 3",
                              .xlabel = "least gain of a seller / rise of the price",
                              .bins = 40,
                              .low = 0,
                              .high = 2,
                              .bound = 1,
                              .bound_label = "Proposition 3"};
  wal_status status =
      wal_drawing_standard_table(drawing, result, result->config->title, keys, 2, measures, 7);
  if (status != WAL_OK) return status;
  wal_figure *figure = wal_drawing_figure(drawing, "", result->config->title, 17.5, 7.5, 1, 2);
  wal_figure_note(
      figure,
      "A gain equal to the rise is in the bin on the right of the bound; Proposition 5 is in the table");
  status = wal_price_histograms(result, figure, &what);
  what.value = "gain4", what.unit = "markets, Proposition 4", what.bound_label = "Proposition 4";
  return status == WAL_OK ? wal_price_histograms(result, figure, &what) : status;
}

const wal_experiment wal_pricecompetition_propositions = {
    .id = "pricecompetition/propositions",
    .title = "Propositions 3, 4 and 5",
    .paper = WAL_PRICECOMPETITION_PAPER ", Propositions 3, 4 and 5",
    .doc =
        "Propositions 3 and 4 on random markets of one price an item: the price of an item that a buyer with "
        "money left values is raised, and its seller's guaranteed revenue R_k, exactly, must grow by the "
        "rise "
        "at least. Proposition 5 on personalised markets: a seller's items at equal bang per buck for a "
        "buyer "
        "with priorities as they were, must leave the allocation stable, by the checker to 1e-7. Else the "
        "point fails and names the "
        "market. "
        "Trace `markets`: a line per market.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
