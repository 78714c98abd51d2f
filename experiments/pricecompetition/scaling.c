/* Cost of Algorithms 1 and 3 against the numbers of buyers and items. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "experiments/pricecompetition/study.h"
#include "experiments/registry.h"
#include "models/pricing/gale_shapley.h"
#include "models/pricing/revenue.h"
#include "models/pricing/stability.h"

static const wal_param params[] = {
    WAL_PRICE_STUDY_PARAMS("strict|natural|uniform|uniform-ranked", "strict", "16")};

static const wal_column columns[] = {
    {.name = "markets", .type = WAL_INT, .unit = "1", .doc = "markets drawn"},
    {.name = "calls",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "Algorithm 1 in doubles: calls of normal_update, mean",
     .rtol = 1e-6},
    {.name = "cycles", .type = WAL_REAL, .unit = "1", .doc = "Algorithm 1: cycle steps, mean", .rtol = 1e-6},
    {.name = "augmentations",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "Algorithm 3 in doubles, mean; one price an item",
     .flags = WAL_COLUMN_OPTIONAL,
     .rtol = 1e-6},
    {.name = "ms1",
     .type = WAL_REAL,
     .unit = "ms",
     .doc = "Algorithm 1: processor time, mean",
     .flags = WAL_COLUMN_TIMING},
    {.name = "ms3",
     .type = WAL_REAL,
     .unit = "ms",
     .doc = "Algorithm 3: processor time, mean",
     .flags = WAL_COLUMN_TIMING | WAL_COLUMN_OPTIONAL},
};

enum { STABLE1, CALLS, CYCLES, MS1, STABLE3, AUGMENTATIONS, MS3 };
static const wal_price_value values[] = {
    [STABLE1] = {"stable1", 1, 1, "Theorem 1: Algorithm 1 ends stable, to 1e-9"},
    [CALLS] = {"calls", 0, 0, NULL},
    [CYCLES] = {"cycles", 0, 0, NULL},
    [MS1] = {"ms1", 0, 0, NULL},
    [STABLE3] = {"stable3", 1, 1, "Theorem 2: Algorithm 3 ends stable, to 1e-9", true},
    [AUGMENTATIONS] = {"augmentations", 0, 0, NULL},
    [MS3] = {"ms3", 0, 0, NULL},
};

static double cpu_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static wal_status algorithm1(const wal_pricing_market *market, double *out) {
  wal_pricing_allocation x = {0};
  wal_gale_shapley_report report;
  wal_stability_report fault;
  const double begun = cpu_ms();
  const wal_status status = wal_gale_shapley(market, NULL, &x, &report);
  if (status != WAL_OK) return status;
  out[MS1] = cpu_ms() - begun;
  out[STABLE1] = wal_stability_check(market, x.x, WAL_CHECK_STABLE, 1e-9, &fault);
  out[CALLS] = (double)report.calls;
  out[CYCLES] = (double)report.cycles;
  wal_pricing_allocation_destroy(&x);
  return WAL_OK;
}

static wal_status algorithm3(const wal_pricing_market *market, double *out) {
  wal_pricing_allocation x = {0};
  wal_stability_report fault;
  int64_t augmentations = 0;
  wal_status status = wal_pricing_allocation_create(market->n, market->m, false, &x);
  const double begun = cpu_ms();
  if (status == WAL_OK) status = wal_stable_edmonds_karp(market, &x, &augmentations);
  if (status == WAL_OK) {
    out[MS3] = cpu_ms() - begun;
    out[STABLE3] = wal_stability_check(market, x.x, WAL_CHECK_STABLE, 1e-9, &fault);
    out[AUGMENTATIONS] = (double)augmentations;
  }
  wal_pricing_allocation_destroy(&x);
  return status;
}

static wal_status measure(const wal_price_instance *at, double *out) {
  wal_pricing_market market;
  const wal_pricing_kind kind = wal_pricing_kind_find(at->kind);
  wal_status status = wal_pricing_draw(kind, at->seed, at->k, at->n, at->m, false, &market);
  if (status != WAL_OK) return status;
  out[STABLE3] = out[AUGMENTATIONS] = out[MS3] = NAN;
  status = algorithm1(&market, out);
  if (status == WAL_OK && wal_pricing_is_uniform(&market)) status = algorithm3(&market, out);
  wal_pricing_market_destroy(&market);
  return status;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  static const wal_price_summary summaries[] = {{"calls", "calls", WAL_PRICE_MEAN},
                                                {"cycles", "cycles", WAL_PRICE_MEAN},
                                                {"augmentations", "augmentations", WAL_PRICE_MEAN},
                                                {"ms1", "ms1", WAL_PRICE_MEAN},
                                                {"ms3", "ms3", WAL_PRICE_MEAN}};
  const wal_price_study study = {.values = values,
                                 .value_count = sizeof values / sizeof *values,
                                 .summaries = summaries,
                                 .summary_count = sizeof summaries / sizeof *summaries,
                                 .measure = measure,
                                 .serial = true};
  return wal_price_study_run(point, sink, &study);
}

/* ---- the picture ---- */

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  static const struct {
    const char *title, *column, *axis, *ylabel;
  } panels[] = {{"Algorithm 1: updates", "calls", "n", "calls per market"},
                {"Algorithm 1: cycle steps", "cycles", "n", "steps per market"},
                {"Algorithm 1: time", "ms1", "n", "ms per market"},
                {"Algorithm 1: updates, n = 64", "calls", "m", "calls per market"},
                {"Algorithm 3: augmentations", "augmentations", "n", "augmentations per market"},
                {"Algorithm 3: time", "ms3", "n", "ms per market"}};
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 12.5, 2, 3);
  for (size_t k = 0; k < sizeof panels / sizeof *panels; k++) {
    const bool square = panels[k].axis[0] == 'n';
    wal_panel *panel =
        wal_figure_panel(figure, panels[k].title, square ? "buyers = items n" : "items m", panels[k].ylabel);
    wal_price_lines(panel, by, panels[k].column, square ? 0 : 64, square && k != 1);
    wal_panel_legend(panel, "top left");
  }
  wal_figure_note(figure,
                  "Exponents: least squares in logarithms over the "
                  "larger half of the sizes. Time of one thread");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"kind", "n", "m"};
  static const char *const measures[] = {"calls", "cycles", "ms1", "augmentations", "ms3"};
  return wal_drawing_groups(result, drawing, keys, 3, measures, 5, draw_figure);
}

const wal_experiment wal_pricecompetition_scaling = {
    .id = "pricecompetition/scaling",
    .title = "Cost of Algorithms 1 and 3 against the size of the market",
    .paper = WAL_PRICECOMPETITION_PAPER ", Theorems 1 and 2",
    .doc =
        "Calls of normal_update, cycle steps and processor time of "
        "Algorithm 1, augmentations and time of "
        "Algorithm 3, in doubles, against the numbers of buyers and items, "
        "with the exponents of growth. An "
        "answer that is not stable to 1e-9 fails the point and names the "
        "market. Trace `markets`: a line per "
        "market.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
