/* Example 1: maximin equilibria over prices, ownership, competitiveness, market non-clearance, and section
   5's priority. */
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
    {"map", WAL_TEXT, "none", 0, 0, "none|p1_p2|p2_p3|all", "1",
     "none: the prices alone; else all pairs of two prices, the third one fixed, or all triples", NULL,
     WAL_PARAM_KEY},
    {"p1", WAL_TEXT, "2", 0, 0, NULL, "1", "price of item 1, a fraction", "map=none|p2_p3", WAL_PARAM_KEY},
    {"p2", WAL_TEXT, "1", 0, 0, NULL, "1", "price of item 2", "map=none", WAL_PARAM_KEY},
    {"p3", WAL_TEXT, "1", 0, 0, NULL, "1", "price of item 3", "map=none|p1_p2", WAL_PARAM_KEY},
    {"v12", WAL_TEXT, "1", 0, 0, NULL, "1", "value of item 2 to buyer 1, a fraction", NULL, WAL_PARAM_KEY},
    {"v21", WAL_TEXT, "1/3", 0, 0, NULL, "1", "value of item 1 to buyer 2", NULL, WAL_PARAM_KEY},
    {"owner3", WAL_INT, "2", 1, 2, NULL, "1", "the seller of item 3", NULL, WAL_PARAM_KEY},
    {"priority", WAL_BOOL, "false", 0, 0, NULL, "1", "item 2 goes to buyer 1 first (section 5); else a tie",
     "map=none", WAL_PARAM_KEY},
    {"points", WAL_INT, "31", 2, 1001, NULL, "1", "of each price of a map", "map=p1_p2|p2_p3", 0},
    {"points_all", WAL_INT, "16", 2, 101, NULL, "1", "of each of three prices", "map=all", 0},
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
     .doc = "largest gain by which prices miss an equilibrium",
     .atol = 1e-4},
    {.name = "gain_least",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "the least such gain: how far the nearest of the others is from one",
     .flags = WAL_COLUMN_OPTIONAL,
     .atol = 1e-4},
    {.name = "least_1",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "least revenue of seller 1 in an equilibrium",
     .flags = WAL_COLUMN_OPTIONAL,
     .atol = 1e-7},
    {.name = "most_2",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "most revenue of seller 2 in an equilibrium",
     .flags = WAL_COLUMN_OPTIONAL,
     .atol = 1e-7},
};

/* More than this is a gain: what beside a critical price costs is less. */
static const double least_gain = 1e-4;

/* ---- the market ---- */

typedef struct {
  mpq_t v12, v21;
  int owner3;
  bool priority;
} setting;

static wal_selection selection_of(const setting *s) { return s->priority ? WAL_SELECT_ALL : WAL_SELECT_BEST; }

/* "4/3". */
static wal_status read_fraction(const wal_point *point, const char *name, mpq_t out) {
  const char *text = wal_point_text(point, name);
  const bool read = mpq_set_str(out, text, 10) == 0 && mpz_sgn(mpq_denref(out)) != 0;
  if (read) mpq_canonicalize(out);
  if (read && mpq_sgn(out) >= 0 && mpq_cmp_si(out, 100, 1) <= 0) return WAL_OK;
  mpq_set_si(out, 0, 1);
  return wal_fail(WAL_E_INPUT,
                  "%s is %s; expected a whole number or a fraction from 0 to 100 (4/3 works, 1.5 is 3/2)",
                  name, text);
}

/* To all buyers. */
static void set_price(wal_pricing_market *market, int item, mpq_t price) {
  for (int i = 0; i < 2; i++) {
    mpq_set(market->exact->price[i * 3 + item], price);
    market->price[i * 3 + item] = mpq_get_d(price);
  }
}

/* Preferences are compared in rationals. */
static wal_status example1(const setting *s, mpq_t *price, wal_pricing_market *out) {
  const double value[6] = {2, 0, 0, 0, 1, 1};
  wal_status status = wal_pricing_market_create(2, 3, out);
  if (status != WAL_OK) return status;
  memcpy(out->value, value, sizeof value);
  out->budget[0] = out->budget[1] = 2;
  out->owner[1] = 1;
  out->owner[2] = s->owner3 - 1;
  out->sellers = 2;
  if (s->priority) out->rank[1 * 2 + 1] = 1;
  status = wal_pricing_lift(out);
  if (status != WAL_OK) return status;
  mpq_set(out->exact->value[1], s->v12);
  mpq_set(out->exact->value[3], s->v21);
  wal_pricing_round(out);
  for (int j = 0; j < 3; j++) set_price(out, j, price[j]);
  return WAL_OK;
}

/* ---- what a seller can guarantee itself ---- */

/* R_k(p) is the value of a flow: where no buyer is indifferent it is linear in prices but for where a sum of
   prices meets a sum of budgets and other prices, and where a buyer is indifferent it is no more than beside
   it (limits of stable allocations are stable, and the most revenue is continuous). So the most is beside a
   critical price of each item. */
typedef struct {
  const setting *s;
  wal_pricing_market market; /* with the prices tried */
  int own[2], count;         /* the seller's items */
  int seller;
  double most;
} deviation;

static wal_status try_item(deviation *d, int at);

static wal_status try_price(deviation *d, int at, mpq_t price) {
  double revenue;
  set_price(&d->market, d->own[at], price);
  if (at + 1 < d->count) return try_item(d, at + 1);
  const wal_status status = wal_guaranteed_revenue_of(&d->market, selection_of(d->s), d->seller, &revenue);
  if (status == WAL_OK) d->most = fmax(d->most, revenue);
  return status;
}

/* Just below and above; the last item nearer to its critical price, which may depend on the first one's. Both
   well above what the linear programs take for 0. */
static wal_status try_beside(deviation *d, int at, mpq_t critical) {
  const unsigned long parts = at + 1 < d->count ? 100000 : 1000000;
  wal_status status = WAL_OK;
  mpq_t price;
  mpq_init(price);
  for (int side = -1; side <= 1 && status == WAL_OK; side += 2) {
    mpq_set_si(price, side, parts);
    mpq_add(price, price, critical);
    if (mpq_sgn(price) > 0) status = try_price(d, at, price);
  }
  mpq_clear(price);
  return status;
}

/* Has the item a price already when the seller's item number `at` gets one? */
static bool is_known(const deviation *d, int at, int item) {
  for (int k = at; k < d->count; k++)
    if (d->own[k] == item) return false;
  return true;
}

/* Where a buyer is indifferent between the item and one of known price. */
static wal_status try_ties(deviation *d, int at) {
  const int own = d->own[at];
  wal_status status = WAL_OK;
  mpq_t tie;
  mpq_init(tie);
  for (int k = 0; k < 6 && status == WAL_OK; k++) {
    mpq_t *v = d->market.exact->value + k / 3 * 3;
    if (!is_known(d, at, k % 3) || mpq_sgn(v[own]) == 0 || mpq_sgn(v[k % 3]) == 0) continue;
    mpq_div(tie, v[own], v[k % 3]);
    mpq_mul(tie, tie, d->market.exact->price[k % 3]);
    status = try_beside(d, at, tie);
  }
  mpq_clear(tie);
  return status;
}

/* sign[j] p_j added up. */
static void signed_sum(mpq_t *price, const int sign[3], mpq_t out) {
  mpq_set_si(out, 0, 1);
  for (int j = 0; j < 3; j++) {
    if (sign[j] > 0) mpq_add(out, out, price[j]);
    if (sign[j] < 0) mpq_sub(out, out, price[j]);
  }
}

/* Sums and differences of known prices and budgets, up to all budgets; for the first of two items also their
   halves, where two conditions on both prices meet. */
static wal_status try_sums(deviation *d, int at) {
  const int parts = at + 1 < d->count ? 2 : 1;
  wal_status status = WAL_OK;
  mpq_t sum, budgets;
  mpq_inits(sum, budgets, NULL);
  for (int k = 0; k < 27 && status == WAL_OK; k++) {
    const int sign[3] = {k % 3 - 1, k / 3 % 3 - 1, k / 9 - 1};
    bool known = true;
    for (int j = 0; j < 3; j++) known = known && (sign[j] == 0 || is_known(d, at, j));
    for (int e = -8; e <= 8 && known && status == WAL_OK; e++) {
      signed_sum(d->market.exact->price, sign, sum);
      mpq_set_si(budgets, 2 * e, 1);
      mpq_add(sum, sum, budgets);
      for (int part = 1; part <= parts && status == WAL_OK; part++) {
        if (part == 2) mpq_div_2exp(sum, sum, 1);
        if (mpq_sgn(sum) > 0 && mpq_cmp_si(sum, 4, 1) <= 0) status = try_beside(d, at, sum);
      }
    }
  }
  mpq_clears(sum, budgets, NULL);
  return status;
}

static wal_status try_item(deviation *d, int at) {
  const wal_status status = try_ties(d, at);
  return status == WAL_OK ? try_sums(d, at) : status;
}

/* The most that a seller can guarantee itself against the other's prices, to about 2e-5. */
static wal_status best(const setting *s, mpq_t *price, int seller, double *revenue) {
  deviation d = {.s = s, .seller = seller};
  wal_status status = example1(s, price, &d.market);
  for (int j = 0; j < 3 && status == WAL_OK; j++)
    if (d.market.owner[j] == seller) d.own[d.count++] = j;
  if (status == WAL_OK) status = try_item(&d, 0);
  *revenue = d.most;
  wal_pricing_market_destroy(&d.market);
  return status;
}

/* ---- prices alone ---- */

typedef struct {
  double revenue[2]; /* guaranteed, R_k(p) */
  double gain;       /* Definition 4 */
  double sold;       /* least share of item 3 */
} prices_result;

static wal_status measure_prices(const setting *s, mpq_t *price, const double *most, prices_result *out) {
  const double c[6] = {0, 0, 1, 0, 0, 1};
  wal_pricing_market market;
  wal_stable_range range = {0};
  wal_status status = example1(s, price, &market);
  if (status == WAL_OK) status = wal_guaranteed_revenue(&market, selection_of(s), out->revenue);
  if (status == WAL_OK) status = wal_maximin_gain(&market, selection_of(s), most, &out->gain, NULL, NULL);
  if (status == WAL_OK)
    status = s->priority ? wal_stable_objective(&market, c, NULL, &range)
                         : wal_stable_objective_at_best(&market, c, NULL, &range);
  out->sold = range.low;
  wal_stable_range_destroy(&range);
  wal_pricing_market_destroy(&market);
  return status;
}

/* Theorem 3 is of natural priorities. */
static bool is_competitive(const setting *s, mpq_t *price) {
  return !s->priority && mpq_cmp_si(price[0], 2, 1) == 0 && mpq_cmp_si(price[1], 1, 1) == 0 &&
         mpq_cmp_si(price[2], 1, 1) == 0 && mpq_cmp_si(s->v12, 1, 1) == 0 && mpq_cmp_si(s->v21, 1, 3) == 0;
}

static wal_status run_prices(const setting *s, mpq_t *price, wal_sink *sink) {
  double most[2];
  prices_result result;
  wal_status status = WAL_OK;
  for (int k = 0; k < 2 && status == WAL_OK; k++) status = best(s, price, k, &most[k]);
  if (status == WAL_OK) status = measure_prices(s, price, most, &result);
  if (status != WAL_OK) return status;
  wal_sink_row(sink);
  wal_sink_real(sink, "revenue_1", result.revenue[0]);
  wal_sink_real(sink, "revenue_2", result.revenue[1]);
  wal_sink_real(sink, "best_1", most[0]);
  wal_sink_real(sink, "best_2", most[1]);
  wal_sink_real(sink, "sold_3", result.sold);
  wal_sink_int(sink, "cells", 1);
  wal_sink_int(sink, "equilibria", result.gain <= least_gain);
  wal_sink_real(sink, "gain_max", result.gain);
  if (!is_competitive(s, price) || result.gain <= least_gain) return WAL_OK;
  return wal_fail(
      WAL_E_DIVERGED,
      "a seller gains %g by deviating from the competitive equilibrium (2, 1, 1), against Theorem 3",
      result.gain);
}

/* ---- maps: seller 1's best depends on p2 and p3 only, seller 2's on p1 ---- */

typedef struct {
  const setting *s;
  mpq_t *fixed;    /* [3] the price where there is one only */
  int points;      /* where there are more */
  int count[3];    /* of each price: points, or 1 */
  double *best_1;  /* [count 3, count 2] */
  double *best_2;  /* [count 1] */
  double *gain;    /* [count 3, count 2, count 1] */
  double *least_1; /* like gain; seller 1's least revenue in an equilibrium, INFINITY: none */
  double *most_2;  /* like gain; -INFINITY: none */
} price_map;

static int64_t cells_of(const price_map *map) {
  return (int64_t)map->count[0] * map->count[1] * map->count[2];
}

/* Multiples of 1/12 from 1/2, and of 1/6 from 0 for p3, at 31 points. */
static void price_at(const price_map *map, int item, int k, mpq_t out) {
  const long steps = map->points - 1;
  if (map->count[item] == 1) {
    mpq_set(out, map->fixed[item]);
    return;
  }
  mpq_set_si(out, item == 2 ? 10 * (long)k : steps + 5 * (long)k, (unsigned long)(2 * steps));
  mpq_canonicalize(out);
}

static void prices_of(const price_map *map, int64_t k, mpq_t *price) {
  for (int j = 0; j < 3; j++) {
    mpq_init(price[j]);
    price_at(map, j, (int)(k % map->count[j]), price[j]);
    k /= map->count[j];
  }
}

static void prices_clear(mpq_t *price) { mpq_clears(price[0], price[1], price[2], NULL); }

/* First seller 2's, then seller 1's. */
static wal_status solve_best(void *context, int64_t k) {
  const price_map *map = context;
  const bool second = k < map->count[0];
  mpq_t price[3];
  prices_of(map, second ? k : (k - map->count[0]) * map->count[0], price);
  const wal_status status =
      best(map->s, price, second, second ? &map->best_2[k] : &map->best_1[k - map->count[0]]);
  prices_clear(price);
  return status;
}

static wal_status solve_cell(void *context, int64_t k) {
  const price_map *map = context;
  const double most[2] = {map->best_1[k / map->count[0]], map->best_2[k % map->count[0]]};
  double low[2], high[2];
  mpq_t price[3];
  wal_pricing_market market;
  prices_of(map, k, price);
  wal_status status = example1(map->s, price, &market);
  if (status == WAL_OK)
    status = wal_maximin_gain(&market, selection_of(map->s), most, &map->gain[k], NULL, NULL);
  const bool equilibrium = status == WAL_OK && map->gain[k] <= least_gain;
  if (equilibrium) status = wal_maximin_gain(&market, selection_of(map->s), most, &map->gain[k], low, high);
  map->least_1[k] = equilibrium ? low[0] : INFINITY;
  map->most_2[k] = equilibrium ? high[1] : -INFINITY;
  wal_pricing_market_destroy(&market);
  prices_clear(price);
  return status;
}

static void send_cells(const price_map *map, wal_sink *sink) {
  static const char *const names[] = {"p1", "p2", "p3", "gain", "equilibrium"};
  for (int64_t k = 0; k < cells_of(map); k++) {
    mpq_t price[3];
    prices_of(map, k, price);
    wal_sink_trace(sink, "map", 5, names,
                   (double[]){mpq_get_d(price[0]), mpq_get_d(price[1]), mpq_get_d(price[2]), map->gain[k],
                              map->gain[k] <= least_gain});
    prices_clear(price);
  }
}

static void send_map(const price_map *map, wal_sink *sink) {
  int equilibria = 0;
  double most = 0, nearest = INFINITY, least_1 = INFINITY, most_2 = -INFINITY;
  for (int64_t k = 0; k < cells_of(map); k++) {
    equilibria += map->gain[k] <= least_gain;
    most = fmax(most, map->gain[k]);
    if (map->gain[k] > least_gain) nearest = fmin(nearest, map->gain[k]);
    least_1 = fmin(least_1, map->least_1[k]);
    most_2 = fmax(most_2, map->most_2[k]);
  }
  wal_sink_row(sink);
  wal_sink_int(sink, "cells", cells_of(map));
  wal_sink_int(sink, "equilibria", equilibria);
  wal_sink_real(sink, "gain_max", most);
  if (most > least_gain) wal_sink_real(sink, "gain_least", nearest);
  if (equilibria == 0) return;
  wal_sink_real(sink, "least_1", least_1);
  wal_sink_real(sink, "most_2", most_2);
}

static bool map_alloc(price_map *map) {
  const size_t cells = (size_t)cells_of(map), rows = cells / (size_t)map->count[0];
  map->best_1 = malloc(rows * sizeof *map->best_1);
  map->best_2 = malloc((size_t)map->count[0] * sizeof *map->best_2);
  map->gain = malloc(cells * sizeof *map->gain);
  map->least_1 = malloc(cells * sizeof *map->least_1);
  map->most_2 = malloc(cells * sizeof *map->most_2);
  return map->best_1 && map->best_2 && map->gain && map->least_1 && map->most_2;
}

static void map_free(price_map *map) {
  free(map->best_1);
  free(map->best_2);
  free(map->gain);
  free(map->least_1);
  free(map->most_2);
}

static wal_status run_map(const wal_point *point, const setting *s, mpq_t *fixed, wal_sink *sink) {
  const char *which = wal_point_text(point, "map");
  const bool all = strcmp(which, "all") == 0;
  const int points = (int)wal_point_int(point, all ? "points_all" : "points");
  price_map map = {.s = s, .fixed = fixed, .points = points, .count = {points, points, points}};
  if (strcmp(which, "p2_p3") == 0) map.count[0] = 1;
  if (strcmp(which, "p1_p2") == 0) map.count[2] = 1;
  wal_status status =
      map_alloc(&map) ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for a map of %d prices each", points);
  if (status == WAL_OK)
    status = wal_for_tasks(map.count[0] + cells_of(&map) / map.count[0], solve_best, &map);
  if (status == WAL_OK) status = wal_for_tasks(cells_of(&map), solve_cell, &map);
  if (status == WAL_OK && !all) send_cells(&map, sink);
  if (status == WAL_OK) send_map(&map, sink);
  map_free(&map);
  return status;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  static const char *const names[] = {"p1", "p2", "p3"};
  const bool map = strcmp(wal_point_text(point, "map"), "none") != 0;
  setting s = {.owner3 = (int)wal_point_int(point, "owner3"),
               .priority = !map && wal_point_bool(point, "priority")};
  mpq_t price[3];
  mpq_inits(s.v12, s.v21, price[0], price[1], price[2], NULL);
  wal_status status = read_fraction(point, "v12", s.v12);
  if (status == WAL_OK) status = read_fraction(point, "v21", s.v21);
  for (int j = 0; j < 3 && status == WAL_OK; j++) status = read_fraction(point, names[j], price[j]);
  if (status == WAL_OK) status = map ? run_map(point, &s, price, sink) : run_prices(&s, price, sink);
  mpq_clears(s.v12, s.v21, price[0], price[1], price[2], NULL);
  return status;
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
  snprintf(title, sizeof title, first ? "p₃ = %s" : "p₁ = %s", wal_point_text(point, first ? "p3" : "p1"));
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
      "Colours: how much the better off seller gains by other prices, in the revenue-optimal allocation in "
      "which that is the least. Dots: nothing, a maximin equilibrium (Definition 4)");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"map", "p1", "p2", "p3", "v12", "v21", "owner3", "priority"};
  static const char *const measures[] = {"revenue_1",  "revenue_2", "best_1",     "best_2",
                                         "sold_3",     "cells",     "equilibria", "gain_max",
                                         "gain_least", "least_1",   "most_2"};
  return wal_drawing_groups(result, drawing, keys, 8, measures, 11, draw_figure);
}

const wal_experiment wal_pricecompetition_example1 = {
    .id = "pricecompetition/example1",
    .title = "Example 1: maximin equilibria of sellers",
    .paper = WAL_PRICECOMPETITION_PAPER ", Example 1 and section 5",
    .doc =
        "Two buyers of budget 2; seller 1 has item 1, seller 2 items 2 and 3. Prices are fractions and "
        "preferences are compared in rationals. By Definition 4 prices are a maximin equilibrium where some "
        "revenue-optimal stable allocation gives each seller as much as the most that other prices guarantee "
        "it (the least over revenue-optimal stable allocations); these are searched on a grid of prices 0 to "
        "5, then by pattern search and by undercutting. Rows: the competitive equilibrium (2, 1, 1), the "
        "other ones (4/3, 2/3, p3), item 3 with seller 1, and section 5's priority for buyer 1 at "
        "(2, 2/3, 2), by which seller 2 gains. Maps: over two prices; over all three for the remarks on v21 "
        "and v12.",
    .version = 4,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
