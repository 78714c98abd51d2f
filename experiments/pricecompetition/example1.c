/* Example 1: maximin equilibria over prices, ownership, market non-clearance, and section 5's priority. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/pricecompetition/heat_map.h"
#include "experiments/pricecompetition/pricecompetition.h"
#include "experiments/registry.h"
#include "models/common/parallel.h"
#include "models/pricing/sellers.h"

static const wal_param params[] = {
    {"map", WAL_TEXT, "none", 0, 0, "none|p1_p2|p2_p3", "1",
     "none: the prices alone; else all pairs of two prices, the third one fixed", NULL, WAL_PARAM_KEY},
    {"p1", WAL_REAL, "2", 0, 100, NULL, "1", "price of item 1", "map=none|p2_p3", WAL_PARAM_KEY},
    {"p2", WAL_REAL, "1", 0, 100, NULL, "1", "price of item 2", "map=none", WAL_PARAM_KEY},
    {"p3", WAL_REAL, "1", 0, 100, NULL, "1", "price of item 3", "map=none|p1_p2", WAL_PARAM_KEY},
    {"owner3", WAL_INT, "2", 1, 2, NULL, "1", "the seller of item 3", NULL, WAL_PARAM_KEY},
    {"priority", WAL_BOOL, "false", 0, 0, NULL, "1", "item 2 goes to buyer 1 first (section 5); else a tie",
     "map=none", WAL_PARAM_KEY},
    {"points", WAL_INT, "31", 2, 1001, NULL, "1", "of each price of a map", NULL, 0},
    {"steps", WAL_INT, "30", 2, 200, NULL, "1", "of the grid of deviations, 0 to 5, for each price", NULL, 0},
};

static const wal_column columns[] = {
    {.name = "revenue_1",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "seller 1's guaranteed revenue",
     .flags = WAL_COLUMN_OPTIONAL,
     .atol = 1e-7},
    {.name = "revenue_2",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "seller 2's guaranteed revenue",
     .flags = WAL_COLUMN_OPTIONAL,
     .atol = 1e-7},
    {.name = "best_1",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "the most found that seller 1 can guarantee itself by other prices",
     .flags = WAL_COLUMN_OPTIONAL,
     .atol = 1e-4},
    {.name = "best_2",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "the same for seller 2",
     .flags = WAL_COLUMN_OPTIONAL,
     .atol = 1e-4},
    {.name = "sold_3",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "least share of item 3 that is sold",
     .flags = WAL_COLUMN_OPTIONAL,
     .atol = 1e-7},
    {.name = "cells", .type = WAL_INT, .unit = "1", .doc = "prices tried"},
    {.name = "equilibria",
     .type = WAL_INT,
     .unit = "1",
     .doc = "of these, without a deviation found that gains"},
    {.name = "gain_max",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "largest gain of the better off seller",
     .atol = 1e-4},
};

/* More than this is a gain. */
static const double least_gain = 1e-6;

/* ---- the market ---- */

typedef struct {
  int owner3, steps;
  bool priority;
} setting;

static wal_status example1(const setting *s, const double price[3], wal_pricing_market *out) {
  const double value[6] = {2, 1, 0, 1.0 / 3, 1, 1};
  wal_status status = wal_pricing_market_create(2, 3, out);
  if (status != WAL_OK) return status;
  memcpy(out->value, value, sizeof value);
  for (int k = 0; k < 6; k++) out->price[k] = price[k % 3];
  out->budget[0] = out->budget[1] = 2;
  out->owner[1] = 1;
  out->owner[2] = s->owner3 - 1;
  out->sellers = 2;
  status = wal_pricing_natural(out);
  if (s->priority) out->rank[1 * 2 + 1] = 1;
  return status;
}

/* Both sellers' guaranteed revenue (over revenue-optimal stable allocations; with priorities over all). */
static wal_status guaranteed(const setting *s, const double price[3], double revenue[2]) {
  wal_pricing_market market;
  wal_status status = example1(s, price, &market);
  if (status == WAL_OK)
    status = wal_guaranteed_revenue(&market, s->priority ? WAL_SELECT_ALL : WAL_SELECT_BEST, revenue);
  wal_pricing_market_destroy(&market);
  return status;
}

/* Prices of one item of the seller at which a buyer just prefers it to one of the other's items, which the
   grid may miss; the seller's other prices as they are in price[3]. */
static wal_status undercut(const setting *s, const double price[3], int seller, double *revenue) {
  static const double value[6] = {2, 1, 0, 1.0 / 3, 1, 1};
  const int owner[3] = {0, 1, s->owner3 - 1};
  wal_status status = WAL_OK;
  for (int k = 0; k < 18 && status == WAL_OK; k++) {
    const int buyer = k / 9, own = k / 3 % 3, other = k % 3;
    const double *v = value + 3 * buyer;
    double tried[3] = {price[0], price[1], price[2]}, both[2];
    if (owner[own] != seller || owner[other] == seller || !(v[other] > 0)) continue;
    tried[own] = v[own] / v[other] * price[other] * (1 - 1e-9);
    status = guaranteed(s, tried, both);
    if (status == WAL_OK) *revenue = fmax(*revenue, both[seller]);
  }
  return status;
}

/* The same with the seller's other item at every price of the grid: what no change of one price at a time
   finds. */
static wal_status undercut_beside(const setting *s, const double price[3], int seller, double high,
                                  double *revenue) {
  const int owner[3] = {0, 1, s->owner3 - 1};
  wal_status status = WAL_OK;
  for (int item = 0; item < 3; item++)
    for (int step = 0; owner[item] == seller && step <= s->steps && status == WAL_OK; step++) {
      double beside[3] = {price[0], price[1], price[2]};
      beside[item] = high * step / s->steps;
      status = undercut(s, beside, seller, revenue);
    }
  return status;
}

/* The most that a seller can guarantee itself against the other's prices. */
static wal_status best(const setting *s, const double price[3], int seller, double *revenue) {
  const wal_deviation_options options = {.selection = s->priority ? WAL_SELECT_ALL : WAL_SELECT_BEST,
                                         .high = 5,
                                         .steps = seller == 0 && s->owner3 == 2 ? 2 * s->steps : s->steps,
                                         .halvings = 8,
                                         .keep_priorities = s->priority};
  wal_pricing_market market;
  wal_deviation deviation = {0};
  wal_status status = example1(s, price, &market);
  if (status == WAL_OK) status = wal_best_deviation(&market, seller, &options, &deviation);
  *revenue = deviation.revenue;
  if (status == WAL_OK) status = undercut(s, price, seller, revenue);
  if (status == WAL_OK && s->owner3 - 1 == seller)
    status = undercut_beside(s, price, seller, options.high, revenue);
  if (status == WAL_OK) status = undercut(s, deviation.price, seller, revenue);
  wal_deviation_destroy(&deviation);
  wal_pricing_market_destroy(&market);
  return status;
}

/* ---- prices alone ---- */

static wal_status least_sold(const setting *s, const double price[3], double *sold) {
  const double c[6] = {0, 0, 1, 0, 0, 1};
  wal_pricing_market market;
  wal_stable_range range;
  wal_status status = example1(s, price, &market);
  if (status == WAL_OK)
    status = s->priority ? wal_stable_objective(&market, c, NULL, &range)
                         : wal_stable_objective_at_best(&market, c, NULL, &range);
  if (status == WAL_OK) {
    *sold = range.low;
    wal_stable_range_destroy(&range);
  }
  wal_pricing_market_destroy(&market);
  return status;
}

static wal_status run_prices(const wal_point *point, const setting *s, wal_sink *sink) {
  const double price[3] = {wal_point_real(point, "p1"), wal_point_real(point, "p2"),
                           wal_point_real(point, "p3")};
  double revenue[2], most[2], sold;
  wal_status status = guaranteed(s, price, revenue);
  for (int k = 0; k < 2 && status == WAL_OK; k++) status = best(s, price, k, &most[k]);
  if (status == WAL_OK) status = least_sold(s, price, &sold);
  if (status != WAL_OK) return status;
  const double gain = fmax(fmax(most[0] - revenue[0], most[1] - revenue[1]), 0);
  wal_sink_row(sink);
  wal_sink_real(sink, "revenue_1", revenue[0]);
  wal_sink_real(sink, "revenue_2", revenue[1]);
  wal_sink_real(sink, "best_1", most[0]);
  wal_sink_real(sink, "best_2", most[1]);
  wal_sink_real(sink, "sold_3", sold);
  wal_sink_int(sink, "cells", 1);
  wal_sink_int(sink, "equilibria", gain <= least_gain);
  wal_sink_real(sink, "gain_max", gain);
  if (s->priority || price[0] != 2 || price[1] != 1 || price[2] != 1 || gain <= least_gain) return WAL_OK;
  return wal_fail(
      WAL_E_DIVERGED,
      "a seller gains %g by deviating from the competitive equilibrium (2, 1, 1), against Theorem 3", gain);
}

/* ---- maps ---- */

typedef struct {
  const setting *s;
  int points;
  bool first;        /* over p1 and p2, else over p2 and p3 */
  double fixed;      /* p3, else p1 */
  double *gain;      /* [points, points] */
  double *by_column; /* [points] over p1: what seller 2 can do about it */
} price_map;

/* Multiples of 1/12 from 1/2, and of 1/6 for p3, at 31 points. */
static double price_at(bool third, int k, int points) {
  return third ? 5.0 * k / (points - 1) : 0.5 + 2.5 * k / (points - 1);
}

static void prices_of(const price_map *map, int64_t k, double price[3]) {
  const int x = (int)(k % map->points), y = (int)(k / map->points);
  price[0] = map->first ? price_at(false, x, map->points) : map->fixed;
  price[1] = price_at(false, map->first ? y : x, map->points);
  price[2] = map->first ? map->fixed : price_at(true, y, map->points);
}

static wal_status solve_column(void *context, int64_t k) {
  const price_map *map = context;
  double price[3];
  prices_of(map, k, price);
  return best(map->s, price, 1, &map->by_column[k]);
}

static wal_status solve_cell(void *context, int64_t k) {
  const price_map *map = context;
  double price[3], revenue[2], first;
  prices_of(map, k, price);
  wal_status status = guaranteed(map->s, price, revenue);
  if (status == WAL_OK) status = best(map->s, price, 0, &first);
  if (status != WAL_OK) return status;
  const double second = map->by_column[map->first ? k % map->points : 0];
  map->gain[k] = fmax(fmax(first - revenue[0], second - revenue[1]), 0);
  return WAL_OK;
}

static void send_map(const price_map *map, wal_sink *sink) {
  static const char *const names[] = {"p1", "p2", "p3", "gain", "equilibrium"};
  const int count = map->points * map->points;
  int equilibria = 0;
  double most = 0;
  for (int k = 0; k < count; k++) {
    double price[3];
    const bool equilibrium = map->gain[k] <= least_gain;
    prices_of(map, k, price);
    wal_sink_trace(sink, "map", 5, names,
                   (double[]){price[0], price[1], price[2], map->gain[k], equilibrium});
    equilibria += equilibrium;
    most = fmax(most, map->gain[k]);
  }
  wal_sink_row(sink);
  wal_sink_int(sink, "cells", count);
  wal_sink_int(sink, "equilibria", equilibria);
  wal_sink_real(sink, "gain_max", most);
}

/* Seller 2's best depends on p1 only, seller 1's on the others. */
static wal_status run_map(const wal_point *point, const setting *s, wal_sink *sink) {
  const bool first = strcmp(wal_point_text(point, "map"), "p1_p2") == 0;
  price_map map = {.s = s,
                   .points = (int)wal_point_int(point, "points"),
                   .first = first,
                   .fixed = wal_point_real(point, first ? "p3" : "p1")};
  const size_t points = (size_t)map.points;
  map.gain = malloc(points * points * sizeof *map.gain);
  map.by_column = malloc(points * sizeof *map.by_column);
  wal_status status = map.gain && map.by_column
                          ? wal_for_tasks(first ? map.points : 1, solve_column, &map)
                          : wal_fail(WAL_E_MEMORY, "no memory for a map of %d x %d", map.points, map.points);
  if (status == WAL_OK) status = wal_for_tasks((int64_t)(points * points), solve_cell, &map);
  if (status == WAL_OK) send_map(&map, sink);
  free(map.gain);
  free(map.by_column);
  return status;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  const bool map = strcmp(wal_point_text(point, "map"), "none") != 0;
  const setting s = {.owner3 = (int)wal_point_int(point, "owner3"),
                     .steps = (int)wal_point_int(point, "steps"),
                     .priority = !map && wal_point_bool(point, "priority")};
  return map ? run_map(point, &s, sink) : run_prices(point, &s, sink);
}

/* ---- the picture ---- */

static void draw_map(wal_figure *figure, const wal_result *result, int k) {
  static const char *const marks[] = {"equilibrium", "equilibrium"};
  const wal_point *point = &result->config->points[k];
  const bool first = strcmp(wal_point_text(point, "map"), "p1_p2") == 0;
  const wal_frame *trace = wal_result_trace(result, k, "map");
  const char *tics = "('2/3' 2./3, 1, '4/3' 4./3, 2, 3)";
  const wal_heat_map map = {.number = k,
                            .x = first ? "p1" : "p2",
                            .y = first ? "p2" : "p3",
                            .value = "gain",
                            .marks = marks,
                            .xlabel = first ? "p₁" : "p₂",
                            .ylabel = first ? "p₂" : "p₃",
                            .xtics = tics,
                            .ytics = first ? tics : "autofreq",
                            .ctics = "autofreq",
                            .high = wal_heat_map_most(trace, "gain")};
  char title[64];
  snprintf(title, sizeof title, first ? "p₃ = %.4g" : "p₁ = %.4g",
           wal_point_real(point, first ? "p3" : "p1"));
  wal_heat_map_draw(figure, title, trace, &map);
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  const wal_result *result = by->result;
  int maps = 0;
  for (int k = 0; k < result->config->point_count; k++) maps += wal_result_trace(result, k, "map") != NULL;
  if (maps == 0) return;
  wal_figure *figure = wal_drawing_figure(drawing, "", result->config->title, 17.5, 7.2, 1, maps);
  for (int k = 0; k < result->config->point_count; k++)
    if (wal_result_trace(result, k, "map")) draw_map(figure, result, k);
  wal_figure_note(
      figure,
      "Colours: how much more than now the better off seller can guarantee itself by other prices. "
      "Dots: no more than 1e-6 found: a maximin equilibrium with whichever revenue-optimal "
      "allocation. Definition 4 asks for one such allocation only, so other prices may be "
      "equilibria, too");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"map", "p1", "p2", "p3", "owner3", "priority"};
  static const char *const measures[] = {"revenue_1", "revenue_2", "best_1",     "best_2",
                                         "sold_3",    "cells",     "equilibria", "gain_max"};
  return wal_drawing_groups(result, drawing, keys, 6, measures, 8, draw_figure);
}

const wal_experiment wal_pricecompetition_example1 = {
    .id = "pricecompetition/example1",
    .title = "Example 1: maximin equilibria of sellers",
    .paper = WAL_PRICECOMPETITION_PAPER ", Example 1 and section 5",
    .doc =
        "Two buyers of budget 2; seller 1 has item 1, seller 2 items 2 and 3. Guaranteed revenue is the "
        "least over "
        "revenue-optimal stable allocations; deviations are searched on a grid of prices 0 to 5, then by "
        "pattern "
        "search and by undercutting. Rows: the competitive equilibrium (2, 1, 1), the other ones (4/3, 2/3, "
        "p3), item 3 with "
        "seller 1, "
        "and section 5's priority for buyer 1 at (2, 2/3, 2), by which seller 2 gains. Maps: the largest "
        "gain "
        "over two prices.",
    .version = 3,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
