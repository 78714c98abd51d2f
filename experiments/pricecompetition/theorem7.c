/* Theorem 7: whatever seller 2's prices, seller 1 has a response that guarantees it more than 2. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/pricecompetition/heat_map.h"
#include "experiments/pricecompetition/pricecompetition.h"
#include "experiments/registry.h"
#include "models/common/parallel.h"
#include "models/pricing/sellers.h"

static const wal_param params[] = {
    {"points", WAL_INT, "31", 2, 1001, NULL, "1", "grid points of p12 and of p22", NULL, 0},
    {"p12_max", WAL_REAL, "6", 0.1, 1000, NULL, "1", "seller 2's prices to buyer 1 are 0 to this", NULL,
     WAL_PARAM_KEY},
    {"p22_max", WAL_REAL, "3", 0.1, 1000, NULL, "1", "seller 2's prices to buyer 2 are 0 to this", NULL,
     WAL_PARAM_KEY},
    {"steps", WAL_INT, "16", 2, 200, NULL, "1", "of the search's grid for each price of seller 1, 0 to 8",
     NULL, 0},
};

static const wal_column columns[] = {
    {.name = "cells", .type = WAL_INT, .unit = "1", .doc = "prices (p12, p22) of seller 2"},
    {.name = "above",
     .type = WAL_INT,
     .unit = "1",
     .doc = "of these, where seller 1's response guarantees more than 2: all, by Theorem 7"},
    {.name = "completed",
     .type = WAL_INT,
     .unit = "1",
     .doc = "cells of the case that the proof leaves out, p12 = 0 and p22 > 1"},
    {.name = "proof_min",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "least guaranteed revenue by the responses of the proof",
     .rtol = 1e-7},
    {.name = "best_min",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "least guaranteed revenue by that response or, if better, one found by search",
     .rtol = 1e-4},
    {.name = "best_max", .type = WAL_REAL, .unit = "1", .doc = "its largest", .rtol = 1e-4},
    {.name = "left_out",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "seller 1's revenue at p12 = 0, p22 = 3/2 by (p11, p21) = (1, 5/2); 11/5",
     .atol = 1e-9},
};

/* ---- the market of Table 1 ---- */

static wal_status table1(const double price[4], wal_pricing_market *out) {
  static const double value[4] = {1, 2, 2, 1};
  const wal_status status = wal_pricing_market_create(2, 2, out);
  if (status != WAL_OK) return status;
  memcpy(out->value, value, sizeof value);
  memcpy(out->price, price, 4 * sizeof *price);
  out->budget[0] = out->budget[1] = 2;
  out->owner[1] = 1;
  out->sellers = 2;
  return wal_pricing_natural(out);
}

/* Seller 1's least revenue over all stable allocations; price[4]: p11, p12, p21, p22. */
static wal_status guaranteed(const double price[4], double *revenue) {
  wal_pricing_market market;
  double both[2] = {0};
  wal_status status = table1(price, &market);
  if (status == WAL_OK) status = wal_guaranteed_revenue(&market, WAL_SELECT_ALL, both);
  wal_pricing_market_destroy(&market);
  *revenue = both[0];
  return status;
}

/* The response of the proof for its "sufficiently small" eps, and (1, 1 + p22) in the case left out. */
static void respond(double p12, double p22, double eps, double *p11, double *p21) {
  if (p22 > 1) {
    *p11 = p12 > 0 ? p12 / 4 : 1;
    *p21 = 1 + p22;
  } else if (p12 < 2) {
    *p11 = *p21 = 4;
  } else if (p12 > 4) {
    *p11 = *p21 = 2 + fmin(eps, (p12 - 4) / 4);
  } else if (p12 > 2) {
    *p11 = (1 - eps) / 2 * p12;
    *p21 = 2 / eps;
  } else {
    *p11 = eps;
    *p21 = 1 / eps;
  }
}

/* ---- a point ---- */

typedef struct {
  int points, steps;
  double p12_max, p22_max;
  double *proof, *best; /* [points, points] */
} theorem;

static void prices_of(const theorem *t, int64_t k, double *p12, double *p22) {
  *p12 = t->p12_max * (double)(k % t->points) / (t->points - 1);
  *p22 = t->p22_max * (double)(k / t->points) / (t->points - 1);
}

/* The best over eps = 1/4, 1/8, ... 2^-12. */
static wal_status by_proof(double p12, double p22, double *best) {
  wal_status status = WAL_OK;
  *best = 0;
  for (double eps = 0.25; eps > 1e-4 && status == WAL_OK; eps /= 2) {
    double price[4] = {0, p12, 0, p22}, revenue;
    respond(p12, p22, eps, &price[0], &price[2]);
    status = guaranteed(price, &revenue);
    *best = fmax(*best, revenue);
  }
  return status;
}

static wal_status by_search(double p12, double p22, int steps, double *best) {
  const wal_deviation_options options = {
      .selection = WAL_SELECT_ALL, .high = 8, .steps = steps, .halvings = 6, .personalised = true};
  const double price[4] = {1, p12, 1, p22};
  wal_pricing_market market;
  wal_deviation deviation = {0};
  wal_status status = table1(price, &market);
  if (status == WAL_OK) status = wal_best_deviation(&market, 0, &options, &deviation);
  *best = deviation.revenue;
  wal_deviation_destroy(&deviation);
  wal_pricing_market_destroy(&market);
  return status;
}

static wal_status solve_cell(void *context, int64_t k) {
  const theorem *t = context;
  double p12, p22;
  prices_of(t, k, &p12, &p22);
  wal_status status = by_proof(p12, p22, &t->proof[k]);
  if (status == WAL_OK) status = by_search(p12, p22, t->steps, &t->best[k]);
  if (status == WAL_OK) t->best[k] = fmax(t->best[k], t->proof[k]);
  return status;
}

static wal_status send(const theorem *t, wal_sink *sink) {
  static const char *const names[] = {"p12", "p22", "proof", "best"};
  const int count = t->points * t->points;
  double proof_min = INFINITY, best_min = INFINITY, best_max = 0, left_out;
  int above = 0, completed = 0;
  for (int k = 0; k < count; k++) {
    double p12, p22;
    prices_of(t, k, &p12, &p22);
    wal_sink_trace(sink, "map", 4, names, (double[]){p12, p22, t->proof[k], t->best[k]});
    above += t->proof[k] > 2 + 1e-9;
    completed += !(p12 > 0) && p22 > 1;
    proof_min = fmin(proof_min, t->proof[k]);
    best_min = fmin(best_min, t->best[k]);
    best_max = fmax(best_max, t->best[k]);
  }
  const wal_status status = guaranteed((double[]){1, 0, 2.5, 1.5}, &left_out);
  if (status != WAL_OK) return status;
  wal_sink_row(sink);
  wal_sink_int(sink, "cells", count);
  wal_sink_int(sink, "above", above);
  wal_sink_int(sink, "completed", completed);
  wal_sink_real(sink, "proof_min", proof_min);
  wal_sink_real(sink, "best_min", best_min);
  wal_sink_real(sink, "best_max", best_max);
  wal_sink_real(sink, "left_out", left_out);
  return above == count ? WAL_OK
                        : wal_fail(WAL_E_DIVERGED,
                                   "%d of %d responses guarantee no more than 2, against "
                                   "Theorem 7; see the trace `map`",
                                   count - above, count);
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  theorem t = {.points = (int)wal_point_int(point, "points"),
               .steps = (int)wal_point_int(point, "steps"),
               .p12_max = wal_point_real(point, "p12_max"),
               .p22_max = wal_point_real(point, "p22_max")};
  const size_t count = (size_t)t.points * (size_t)t.points;
  t.proof = malloc(count * sizeof *t.proof);
  t.best = malloc(count * sizeof *t.best);
  wal_status status = t.proof && t.best
                          ? wal_for_tasks((int64_t)count, solve_cell, &t)
                          : wal_fail(WAL_E_MEMORY, "no memory for a map of %d x %d", t.points, t.points);
  if (status == WAL_OK) status = send(&t, sink);
  free(t.proof);
  free(t.best);
  return status;
}

/* ---- the picture ---- */

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  const wal_frame *trace = wal_result_trace(by->result, 0, "map");
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 7.6, 1, 2);
  wal_heat_map map = {.x = "p12",
                      .y = "p22",
                      .value = "proof",
                      .xlabel = "p₁₂, seller 2's price to buyer 1",
                      .ylabel = "p₂₂, seller 2's price to buyer 2",
                      .xtics = "0, 1, 6",
                      .ytics = "autofreq",
                      .ctics = "2, 0.5, 4",
                      .low = 2,
                      .high = 4};
  wal_heat_map_draw(figure, "Seller 1's guaranteed revenue, response of the proof", trace, &map);
  map.number = 1;
  map.value = "best";
  wal_heat_map_draw(figure, "The same, or one found by search if better", trace, &map);
  wal_figure_note(figure,
                  "At p12 = 0, p22 > 1, which the proof leaves out, the response is (1, 1 + p22). "
                  "Searches give lower bounds: their steps show");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"p12_max", "p22_max"};
  static const char *const measures[] = {"cells",    "above",    "completed", "proof_min",
                                         "best_min", "best_max", "left_out"};
  return wal_drawing_groups(result, drawing, keys, 2, measures, 7, draw_figure);
}

const wal_experiment wal_pricecompetition_theorem7 = {
    .id = "pricecompetition/theorem7",
    .title = "Theorem 7: no stationary state with personalised prices",
    .paper = WAL_PRICECOMPETITION_PAPER ", Theorem 7, Table 1",
    .doc =
        "Two buyers of budget 2, an item for each of two sellers. For every pair of prices of seller 2 on a "
        "grid, "
        "seller 1's least revenue over all stable allocations: by the response of the proof (the best of eps "
        "= "
        "1/4 ... 2^-12 where it wants one small enough), and by a search over its prices. The two sellers "
        "have at most "
        "4 together, so that no prices are stationary. A response that does not guarantee more "
        "than 2 fails the point.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
