#include "models/pricing/duopoly.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/pricing/cells.h"
#include "models/pricing/two_buyers.h"

/* ---- markets ---- */

void wal_duopoly_destroy(wal_duopoly *duopoly) {
  if (!duopoly) return;
  free(duopoly->budget);
  free(duopoly->value);
  free(duopoly->owner);
  *duopoly = (wal_duopoly){0};
}

wal_status wal_duopoly_create(int n, int m, wal_duopoly *out) {
  *out = (wal_duopoly){.n = n, .m = m};
  if (n < 1 || m < 1)
    return wal_fail(WAL_E_INPUT,
                    "a duopoly of %d buyers and %d items; expected at least 1 of each (2 and 4 "
                    "work)",
                    n, m);
  out->budget = calloc((size_t)n, sizeof *out->budget);
  out->value = calloc((size_t)n * (size_t)m, sizeof *out->value);
  out->owner = calloc((size_t)m, sizeof *out->owner);
  if (out->budget && out->value && out->owner) return WAL_OK;
  wal_duopoly_destroy(out);
  return wal_fail(WAL_E_MEMORY, "no memory for a duopoly of %d buyers and %d items", n, m);
}

wal_status wal_duopoly_example2(double s, double t, wal_duopoly *out) {
  *out = (wal_duopoly){0};
  if (!(s >= 0 && s <= 1 && t >= 0 && t <= 1))
    return wal_fail(WAL_E_INPUT, "Example 2 with s = %g, t = %g; expected both on [0, 1] (0.5 works)", s, t);
  const wal_status status = wal_duopoly_create(2, 4, out);
  if (status != WAL_OK) return status;
  const double value[8] = {s, 2 * t, 2 * (1 - t), 1 - s, 2 * s, t, 1 - t, 2 * (1 - s)};
  memcpy(out->value, value, sizeof value);
  out->budget[0] = out->budget[1] = 2;
  out->owner[2] = out->owner[3] = 1;
  return WAL_OK;
}

/* Buyer i's preference for seller k's items: 0 the better, 1 the worse; both 0 where reports are equal. */
static int level_of(const double *a, const double *b, int i, int k) {
  return k == 0 ? a[i] > b[i] : b[i] > a[i];
}

static bool tie(double p, double q) { return fabs(p - q) <= 1e-12 * fmax(p, q); }

/* rank[n] of one item: how many of the n prices (`stride` apart) are higher. */
static void rank_by_price(int n, int stride, const double *price, int *rank) {
  for (int i = 0; i < n; i++) {
    rank[i] = 0;
    for (int k = 0; k < n; k++) {
      const double own = price[i * stride], other = price[k * stride];
      rank[i] += other > own && !tie(own, other);
    }
  }
}

wal_status wal_duopoly_market(const wal_duopoly *duopoly, const double *a, const double *b,
                              wal_pricing_market *out) {
  const int n = duopoly->n, m = duopoly->m;
  const wal_status status = wal_pricing_market_create(n, m, out);
  if (status != WAL_OK) return status;
  out->sellers = 2;
  memcpy(out->budget, duopoly->budget, (size_t)n * sizeof *out->budget);
  memcpy(out->owner, duopoly->owner, (size_t)m * sizeof *out->owner);
  for (int k = 0; k < n * m; k++) {
    const double value = duopoly->value[k], price = value * fmax(a[k / m], b[k / m]);
    out->price[k] = price;
    out->value[k] = price > 0 ? price / (1 + level_of(a, b, k / m, duopoly->owner[k % m])) : value;
  }
  for (int j = 0; j < m; j++) rank_by_price(n, m, out->price + j, out->rank + j * n);
  return WAL_OK;
}

/* ---- trade ---- */

static void two_buyers(const wal_duopoly *duopoly, const double *a, const double *b, wal_two_buyers *out) {
  const int m = duopoly->m;
  out->m = m;
  for (int j = 0; j < m; j++) out->owner[j] = duopoly->owner[j];
  for (int i = 0; i < 2; i++) {
    bool better = false; /* without gaps: level 1 becomes 0 where nothing of value is at 0 */
    out->budget[i] = duopoly->budget[i];
    for (int j = 0; j < m; j++) {
      const double value = duopoly->value[i * m + j];
      out->price[i][j] = value * fmax(a[i], b[i]);
      out->level[i][j] = value > 0 ? level_of(a, b, i, duopoly->owner[j]) : -1;
      better = better || out->level[i][j] == 0;
    }
    for (int j = 0; j < m && !better; j++)
      if (out->level[i][j] > 0) out->level[i][j] = 0;
  }
  for (int j = 0; j < m; j++) {
    const double p = out->price[0][j], q = out->price[1][j];
    out->first[j] = tie(p, q) ? -1 : q > p;
  }
}

static bool is_small(const wal_duopoly *duopoly) {
  return duopoly->n == 2 && duopoly->m <= WAL_TWO_BUYERS_ITEMS;
}

static wal_status seller_range(wal_stable_set *set, const wal_pricing_market *market, int seller, double *c,
                               double *low, double *high) {
  for (int k = 0; k < market->n * market->m; k++)
    c[k] = market->owner[k % market->m] == seller ? market->price[k] : 0;
  wal_status status = wal_stable_set_least(set, c, low, NULL);
  if (status == WAL_OK) status = wal_stable_set_most(set, c, high, NULL);
  return status;
}

static wal_status trade_by_cells(const wal_duopoly *duopoly, const double *a, const double *b,
                                 wal_duopoly_outcome *out) {
  const size_t size = (size_t)duopoly->n * (size_t)duopoly->m;
  wal_pricing_market market = {0};
  wal_stable_set *set = NULL;
  double *c = malloc(size * sizeof *c);
  wal_status status = c ? wal_duopoly_market(duopoly, a, b, &market)
                        : wal_fail(WAL_E_MEMORY, "no memory for a duopoly of %d buyers", duopoly->n);
  if (status == WAL_OK) status = wal_stable_set_create(&market, NULL, &set);
  for (int k = 0; k < 2 && status == WAL_OK; k++)
    status = seller_range(set, &market, k, c, &out->low[k], &out->high[k]);
  wal_stable_set_destroy(set);
  wal_pricing_market_destroy(&market);
  free(c);
  return status;
}

wal_status wal_duopoly_trade(const wal_duopoly *duopoly, const double *a, const double *b,
                             wal_duopoly_outcome *out) {
  if (!is_small(duopoly)) return trade_by_cells(duopoly, a, b, out);
  wal_two_buyers market;
  wal_status status = WAL_OK;
  two_buyers(duopoly, a, b, &market);
  for (int k = 0; k < 2 && status == WAL_OK; k++)
    status = wal_two_buyers_revenue(&market, k, &out->low[k], &out->high[k]);
  return status;
}

/* ---- best responses ---- */

/* How a report stands to the other seller's. The best report of every pair of ways is refined. */
typedef enum { BELOW, EQUAL, ABOVE, AT_PRIORITY, WAYS } way;
enum { RAISES = 32, STEPS = 24 };

typedef struct {
  double at[2];
  way ways[2];
  double revenue;
} candidate;

typedef struct {
  const wal_duopoly *duopoly;
  const double *other; /* [2] the other seller's reports */
  int seller;
  candidate best[2][WAYS * WAYS]; /* of the least, of the most revenue */
  int64_t tried;
} response_search;

/* [low, high] of the seller's revenue at its reports. */
static wal_status earn(response_search *search, const double *at, double *range) {
  const double *a = search->seller == 0 ? at : search->other, *b = search->seller == 0 ? search->other : at;
  wal_two_buyers market;
  two_buyers(search->duopoly, a, b, &market);
  search->tried++;
  return wal_two_buyers_revenue(&market, search->seller, &range[0], &range[1]);
}

static wal_status try_report(response_search *search, double first, double second, way way0, way way1) {
  const double at[2] = {first, second};
  double range[2];
  const wal_status status = earn(search, at, range);
  for (int k = 0; k < 2 && status == WAL_OK; k++) {
    candidate *best = &search->best[k][way0 * WAYS + way1];
    if (range[k] > best->revenue) *best = (candidate){{first, second}, {way0, way1}, range[k]};
  }
  return status;
}

/* Level k of reports to a buyer to whom the other seller reports `other`: below, equal, just above, then up
   to 200 times as much in even ratios. */
static double report_level(double other, int k, way *kind) {
  const double unit = other > 0 ? other : 1;
  *kind = k == 0 ? BELOW : k == 1 ? EQUAL : ABOVE;
  if (k == 0) return other / 2;
  if (k == 1) return other;
  return other + unit * (k == 2 ? 1e-9 : 1e-4 * pow(2e6, (k - 3) / (RAISES - 1.0)));
}

/* Reports above the other's to buyer i at which it pays just less, the same, just more than the other buyer
   for some item; that buyer gets `given`. */
static wal_status try_priorities(response_search *search, int i, double given, way given_way) {
  const wal_duopoly *duopoly = search->duopoly;
  const double paid = fmax(given, search->other[1 - i]);
  wal_status status = WAL_OK;
  double before = 0;
  for (int j = 0; j < duopoly->m; j++) {
    const double own = duopoly->value[i * duopoly->m + j], its = duopoly->value[(1 - i) * duopoly->m + j];
    if (!(own > 0) || !(its > 0) || tie(its / own, before)) continue;
    before = its / own;
    for (int side = -1; side <= 1 && status == WAL_OK; side++) {
      const double at = paid * before * (1 + 1e-9 * side);
      if (!(at > search->other[i])) continue;
      status = i == 0 ? try_report(search, at, given, AT_PRIORITY, given_way)
                      : try_report(search, given, at, given_way, AT_PRIORITY);
    }
  }
  return status;
}

static wal_status try_levels(response_search *search) {
  wal_status status = WAL_OK;
  for (int k = 0; k < RAISES + 3 && status == WAL_OK; k++) {
    way first_way, second_way;
    const double first = report_level(search->other[0], k, &first_way);
    for (int l = 0; l < RAISES + 3 && status == WAL_OK; l++) {
      const double second = report_level(search->other[1], l, &second_way);
      status = try_report(search, first, second, first_way, second_way);
    }
    const double again = report_level(search->other[1], k, &second_way);
    if (status == WAL_OK) status = try_priorities(search, 1, first, first_way);
    if (status == WAL_OK) status = try_priorities(search, 0, again, second_way);
  }
  return status;
}

/* From one candidate by factors exp(+-h) on the reports that are above the other seller's, alone and
   together (which keeps priorities); h halves where nothing is better. */
static wal_status refine(response_search *search, int which, candidate *best) {
  static const int moves[][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {-1, -1}, {1, -1}, {-1, 1}};
  wal_status status = WAL_OK;
  double h = 0.25;
  for (int step = 0, turns = 0; step < STEPS && turns < 4 * STEPS && status == WAL_OK; turns++) {
    bool better = false;
    for (int k = 0; k < 8 && status == WAL_OK; k++) {
      candidate next = *best;
      double range[2];
      bool inside = true;
      for (int i = 0; i < 2; i++) {
        if (moves[k][i] == 0) continue;
        next.at[i] *= exp(h * moves[k][i]);
        inside = inside && best->ways[i] >= ABOVE && next.at[i] > search->other[i];
      }
      if (!inside) continue;
      status = earn(search, next.at, range);
      if (status != WAL_OK || range[which] <= best->revenue) continue;
      better = range[which] > best->revenue + 1e-12;
      next.revenue = range[which];
      *best = next;
    }
    if (better) continue;
    h /= 2;
    step++;
  }
  return status;
}

/* The best of all ways, refined. */
static wal_status best_of(response_search *search, int which, double *revenue, double *at) {
  wal_status status = WAL_OK;
  *revenue = -1;
  for (int k = 0; k < WAYS * WAYS && status == WAL_OK; k++) {
    candidate *best = &search->best[which][k];
    if (best->revenue < 0) continue;
    status = refine(search, which, best);
    if (best->revenue <= *revenue) continue;
    *revenue = best->revenue;
    memcpy(at, best->at, sizeof best->at);
  }
  return status;
}

wal_status wal_duopoly_best_response(const wal_duopoly *duopoly, const double *a, const double *b, int seller,
                                     wal_duopoly_response *out) {
  if (!is_small(duopoly))
    return wal_fail(WAL_E_UNSUPPORTED,
                    "best responses in a duopoly of %d buyers and %d items; expected 2 buyers and at most %d "
                    "items",
                    duopoly->n, duopoly->m, WAL_TWO_BUYERS_ITEMS);
  response_search search = {.duopoly = duopoly, .other = seller == 0 ? b : a, .seller = seller};
  for (int k = 0; k < WAYS * WAYS; k++) search.best[0][k].revenue = search.best[1][k].revenue = -1;
  wal_status status = try_levels(&search);
  if (status == WAL_OK) status = best_of(&search, 0, &out->guaranteed, out->guaranteed_at);
  if (status == WAL_OK) status = best_of(&search, 1, &out->hoped, out->hoped_at);
  out->tried = search.tried;
  return status;
}

/* ---- profiles ---- */

void wal_duopoly_d5(wal_d5_profile kind, double s, double t, double c, double a[2], double b[2]) {
  const double u = 1 + t, w = 2 - s, sum = 2.0 / 3 * (u * u + w * w);
  const double idle = kind == WAL_D5_REPAIRED ? c : 1;
  const double over_first = sum / (u * u * w), over_second = sum / (u * w * w);
  a[0] = b[1] = idle;
  a[1] = kind == WAL_D5_PRINTED ? over_first : over_second;
  b[0] = kind == WAL_D5_PRINTED ? over_second : over_first;
}

wal_status wal_duopoly_d5_witness(bool deviates, wal_pricing_market *out) {
  static const int sixths[8] = {5, 2, 10, 1, 10, 1, 5, 2}; /* Table 2 */
  const int sevenths[2] = {8, deviates ? 7 : 8};           /* what is paid per value: the larger report */
  const int better[2] = {0, deviates ? 0 : 1};             /* the seller with the smaller report */
  wal_status status = wal_pricing_market_create(2, 4, out);
  if (status != WAL_OK) return status;
  status = wal_pricing_lift(out);
  for (int i = 0; i < 2 && status == WAL_OK; i++) mpq_set_si(out->exact->budget[i], 2, 1);
  for (int k = 0; k < 8 && status == WAL_OK; k++) {
    out->owner[k % 4] = k % 4 > 1;
    const unsigned long level = out->owner[k % 4] != better[k / 4];
    mpq_set_si(out->exact->price[k], sixths[k] * sevenths[k / 4], 42);
    mpq_set_si(out->exact->value[k], sixths[k] * sevenths[k / 4], 42 * (1 + level));
    mpq_canonicalize(out->exact->price[k]);
    mpq_canonicalize(out->exact->value[k]);
  }
  out->sellers = 2;
  if (status == WAL_OK) wal_pricing_round(out);
  if (status == WAL_OK) status = wal_pricing_natural(out);
  if (status != WAL_OK) wal_pricing_market_destroy(out);
  return status;
}
