/* Theorem 1 and Lemma 1: Algorithm 1 in rationals and in doubles, its answers checked by the definition. */
#include <math.h>
#include <string.h>

#include "experiments/pricecompetition/study.h"
#include "experiments/registry.h"
#include "models/pricing/gale_shapley.h"
#include "models/pricing/stability.h"

static const wal_param params[] = {
    WAL_PRICE_STUDY_PARAMS("strict|natural|uniform|uniform-ranked|tied", "strict", "4")};

static const wal_column columns[] = {
    {.name = "markets", .type = WAL_INT, .unit = "1", .doc = "markets drawn"},
    {.name = "stable", .type = WAL_INT, .unit = "1", .doc = "with a stable answer in rationals"},
    {.name = "rounded",
     .type = WAL_INT,
     .unit = "1",
     .doc = "with an answer in doubles that is stable to 1e-9"},
    {.name = "lemma1",
     .type = WAL_INT,
     .unit = "1",
     .doc = "compatible allocations tried on Lemma 1, two a market"},
    {.name = "unstable", .type = WAL_INT, .unit = "1", .doc = "of these, not stable"},
    {.name = "calls",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "calls of normal_update in rationals, mean",
     .rtol = 1e-6},
    {.name = "calls_max", .type = WAL_INT, .unit = "1", .doc = "most", .rtol = 1e-6},
    {.name = "cycles", .type = WAL_REAL, .unit = "1", .doc = "cycle steps, mean", .rtol = 1e-6},
    {.name = "cycles_max", .type = WAL_INT, .unit = "1", .doc = "most", .rtol = 1e-6},
    {.name = "cyclic", .type = WAL_INT, .unit = "1", .doc = "markets with a cycle step"},
    {.name = "bits",
     .type = WAL_INT,
     .unit = "bits",
     .doc = "longest numerator or denominator seen",
     .rtol = 1e-6},
};

enum { STABLE, ROUNDED, FAILED, LEMMA1, UNSTABLE, CALLS, CYCLES, CYCLIC, BITS };
static const wal_price_value values[] = {
    [STABLE] = {"stable", 1, 1, "Theorem 1: Algorithm 1 ends stable"},
    [ROUNDED] = {"rounded", 1, 1, "Algorithm 1 in doubles, stable to 1e-9"},
    [FAILED] = {"failed", 0, 0, "the five assertions of Algorithm 1"},
    [LEMMA1] = {"lemma1", 2, 2, "Lemma 1: compatible allocations that agree with it"},
    [UNSTABLE] = {"unstable", 0, 0, NULL},
    [CALLS] = {"calls", 0, 0, NULL},
    [CYCLES] = {"cycles", 0, 0, NULL},
    [CYCLIC] = {"cyclic", 0, 0, NULL},
    [BITS] = {"bits", 0, 0, NULL},
};

/* ---- Lemma 1 ---- */

/* Is item j sold out and, but for buyer i, held only by buyers of no lower priority? */
static bool is_closed(const wal_pricing_market *market, mpq_t *x, int i, int j) {
  const int *rank = market->rank + (size_t)j * (size_t)market->n;
  bool closed = true;
  mpq_t sold;
  mpq_init(sold);
  for (int k = 0; k < market->n; k++) {
    mpq_t *share = &x[k * market->m + j];
    mpq_add(sold, sold, *share);
    if (k != i && mpq_sgn(*share) > 0 && rank[k] > rank[i]) closed = false;
  }
  closed = closed && mpq_cmp_ui(sold, 1, 1) == 0;
  mpq_clear(sold);
  return closed;
}

/* Has buyer i spent its budget, or all of every item that is open to it? */
static bool is_served(const wal_pricing_market *market, mpq_t *x, int i) {
  bool all = true;
  mpq_t spent, cost;
  mpq_inits(spent, cost, NULL);
  for (int j = 0; j < market->m; j++) {
    const int e = i * market->m + j;
    mpq_mul(cost, market->exact->price[e], x[e]);
    mpq_add(spent, spent, cost);
    if (market->value[e] > 0 && mpq_cmp_ui(x[e], 1, 1) != 0 && !is_closed(market, x, i, j)) all = false;
  }
  const bool depleted = mpq_equal(spent, market->exact->budget[i]);
  mpq_clears(spent, cost, NULL);
  return all || depleted;
}

/* Adds an allocation, known to be compatible by construction, to the counts of Lemma 1. */
static wal_status try_lemma(const wal_pricing_market *market, mpq_t *x, double *out) {
  wal_stability_report report;
  if (!wal_stability_check_exact(market, x, WAL_CHECK_COMPATIBLE, &report))
    return wal_fail(WAL_E_DIVERGED, "buyer %d, item %d: %s; expected a compatible allocation", report.buyer,
                    report.item, wal_stability_text(report.fault));
  bool served = true;
  for (int i = 0; i < market->n; i++) served = served && is_served(market, x, i);
  const bool stable = wal_stability_check_exact(market, x, WAL_CHECK_STABLE, &report);
  out[LEMMA1] += stable == served;
  out[UNSTABLE] += !stable;
  return WAL_OK;
}

/* Buyers of odd index have half of their budgets: stable then, compatible with the whole. */
static wal_status halve(wal_pricing_market *market, wal_pricing_allocation *x) {
  mpq_t half, two;
  mpq_inits(half, two, NULL);
  mpq_set_ui(half, 1, 2);
  mpq_set_ui(two, 2, 1);
  for (int i = 1; i < market->n; i += 2) mpq_mul(market->exact->budget[i], market->exact->budget[i], half);
  const wal_status status = wal_gale_shapley_exact(market, NULL, x, NULL);
  for (int i = 1; i < market->n; i += 2) mpq_mul(market->exact->budget[i], market->exact->budget[i], two);
  mpq_clears(half, two, NULL);
  return status;
}

/* ---- one market ---- */

static wal_status run_exactly(const wal_pricing_market *market, double *out) {
  wal_pricing_allocation x = {0};
  wal_gale_shapley_report report;
  wal_stability_report stability;
  wal_status status = wal_gale_shapley_exact(market, NULL, &x, &report);
  if (status != WAL_OK) return status;
  out[STABLE] = wal_stability_check_exact(market, x.exact, WAL_CHECK_STABLE, &stability);
  out[FAILED] = (double)report.failed_assertions;
  out[CALLS] = (double)report.calls;
  out[CYCLES] = (double)report.cycles;
  out[CYCLIC] = report.cycles > 0;
  out[BITS] = report.bits;
  status = try_lemma(market, x.exact, out);
  wal_pricing_allocation_destroy(&x);
  return status;
}

static wal_status run_in_doubles(const wal_pricing_market *market, double *out) {
  wal_pricing_allocation x = {0};
  wal_stability_report stability;
  const wal_status status = wal_gale_shapley(market, NULL, &x, NULL);
  if (status != WAL_OK) return status;
  out[ROUNDED] = wal_stability_check(market, x.x, WAL_CHECK_STABLE, 1e-9, &stability);
  wal_pricing_allocation_destroy(&x);
  return WAL_OK;
}

static wal_status measure(const wal_price_instance *at, double *out) {
  wal_pricing_market market;
  wal_pricing_allocation x = {0};
  const wal_pricing_kind kind = wal_pricing_kind_find(at->kind);
  wal_status status = wal_pricing_draw(kind, at->seed, at->k, at->n, at->m, true, &market);
  if (status != WAL_OK) return status;
  out[LEMMA1] = out[UNSTABLE] = 0;
  status = run_exactly(&market, out);
  if (status == WAL_OK) status = run_in_doubles(&market, out);
  if (status == WAL_OK) status = halve(&market, &x);
  if (status == WAL_OK) status = try_lemma(&market, x.exact, out);
  wal_pricing_allocation_destroy(&x);
  wal_pricing_market_destroy(&market);
  return status;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  static const wal_price_summary summaries[] = {
      {"stable", "stable", WAL_PRICE_SUM},  {"rounded", "rounded", WAL_PRICE_SUM},
      {"lemma1", "lemma1", WAL_PRICE_SUM},  {"unstable", "unstable", WAL_PRICE_SUM},
      {"calls", "calls", WAL_PRICE_MEAN},   {"calls_max", "calls", WAL_PRICE_LARGEST},
      {"cycles", "cycles", WAL_PRICE_MEAN}, {"cycles_max", "cycles", WAL_PRICE_LARGEST},
      {"cyclic", "cyclic", WAL_PRICE_SUM},  {"bits", "bits", WAL_PRICE_LARGEST}};
  const wal_price_study study = {.values = values,
                                 .value_count = sizeof values / sizeof *values,
                                 .summaries = summaries,
                                 .summary_count = sizeof summaries / sizeof *summaries,
                                 .measure = measure};
  return wal_price_study_run(point, sink, &study);
}

/* ---- the picture ---- */

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 7.5, 1, 3);
  wal_panel *panel = wal_figure_panel(figure, "Updates", "buyers = items n", "mean of a market");
  wal_price_lines(panel, by, "calls", 0, true);
  wal_panel_legend(panel, "top left");
  panel = wal_figure_panel(figure, "Cycle steps", "buyers = items n", "mean of a market");
  wal_price_lines(panel, by, "cycles", 0, false);
  wal_panel_legend(panel, NULL);
  panel = wal_figure_panel(figure, "Longest rational", "buyers = items n", "bits");
  wal_price_lines(panel, by, "bits", 0, false);
  wal_panel_legend(panel, NULL);
  wal_figure_note(figure, "Exponents: least squares in logarithms over the larger half of the sizes");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"kind", "n", "m"};
  static const char *const measures[] = {"markets", "stable", "rounded", "lemma1",     "unstable",
                                         "calls",   "cycles", "cyclic",  "cycles_max", "bits"};
  return wal_drawing_groups(result, drawing, keys, 3, measures, 10, draw_figure);
}

const wal_experiment wal_pricecompetition_theorem1 = {
    .id = "pricecompetition/theorem1",
    .title = "Theorem 1: Algorithm 1 finds a stable allocation",
    .paper = WAL_PRICECOMPETITION_PAPER ", Theorem 1, Lemma 1 and Algorithm 1",
    .doc =
        "Algorithm 1 with the cycle step on random markets of five kinds, in rationals and in doubles. Every "
        "answer must pass the checker, that works from the definition alone, and the printed assertions must "
        "hold; Lemma 1 is tried on the answer and on a compatible allocation made with smaller budgets. Else "
        "the point fails and names the market. Trace `markets`: a line per market.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
