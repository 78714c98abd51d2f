#include "models/pricing/sellers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* c[n, m]: prices of the seller's items, 0 of others'. */
static void revenue_of(const wal_pricing_market *market, int seller, double *c) {
  for (int k = 0; k < market->n * market->m; k++)
    c[k] = market->owner[k % market->m] == seller ? market->price[k] : 0;
}

/* R_k(p) of sellers first .. last. */
static wal_status guaranteed(const wal_pricing_market *market, wal_selection selection, int first, int last,
                             double *revenue) {
  wal_stable_set *set;
  wal_status status = wal_stable_set_create(market, NULL, &set);
  if (status != WAL_OK) return status;
  double *c = malloc((size_t)market->n * (size_t)market->m * sizeof *c);
  if (!c) status = wal_fail(WAL_E_MEMORY, "no memory for %d x %d prices", market->n, market->m);
  if (status == WAL_OK && selection == WAL_SELECT_BEST) status = wal_stable_set_keep_best(set);
  for (int k = first; k <= last && status == WAL_OK; k++) {
    revenue_of(market, k, c);
    status = wal_stable_set_least(set, c, &revenue[k - first], NULL);
  }
  free(c);
  wal_stable_set_destroy(set);
  return status;
}

wal_status wal_guaranteed_revenue(const wal_pricing_market *market, wal_selection selection,
                                  double *revenue) {
  return guaranteed(market, selection, 0, market->sellers - 1, revenue);
}

wal_status wal_guaranteed_revenue_of(const wal_pricing_market *market, wal_selection selection, int seller,
                                     double *revenue) {
  return guaranteed(market, selection, seller, seller, revenue);
}

/* c[sellers, n, m]. */
static wal_status maximin_gain(wal_stable_set *set, const wal_pricing_market *market, const double *c,
                               const double *best, double *gain, double *low, double *high) {
  wal_status status = wal_stable_set_keep_nearest(set, market->sellers, c, best, gain);
  for (int k = 0; k < market->sellers && status == WAL_OK; k++, c += market->n * market->m) {
    if (low) status = wal_stable_set_least(set, c, &low[k], NULL);
    if (high && status == WAL_OK) status = wal_stable_set_most(set, c, &high[k], NULL);
  }
  return status;
}

wal_status wal_maximin_gain(const wal_pricing_market *market, wal_selection selection, const double *best,
                            double *gain, double *low, double *high) {
  const size_t pairs = (size_t)market->n * (size_t)market->m;
  wal_stable_set *set;
  wal_status status = wal_stable_set_create(market, NULL, &set);
  if (status != WAL_OK) return status;
  double *c = malloc((size_t)market->sellers * pairs * sizeof *c);
  if (!c) status = wal_fail(WAL_E_MEMORY, "no memory for the prices of %d sellers", market->sellers);
  for (int k = 0; k < market->sellers && status == WAL_OK; k++) revenue_of(market, k, c + (size_t)k * pairs);
  if (status == WAL_OK && selection == WAL_SELECT_BEST) status = wal_stable_set_keep_best(set);
  if (status == WAL_OK) status = maximin_gain(set, market, c, best, gain, low, high);
  free(c);
  wal_stable_set_destroy(set);
  return status;
}

/* ---- deviations ---- */

/* A point y[dim] is the seller's prices: of its items, or of its items and the buyers who value them. */
typedef struct {
  const wal_deviation_options *options;
  wal_pricing_market market; /* a copy, with the prices tried; with rationals if the market has them */
  int seller, dim;
  int *item, *buyer; /* [dim]; buyer -1: all */
  double *y;         /* [dim] tried */
  double *best;      /* [dim] the best so far */
  double most;
  int64_t tried;
} deviation_search;

static void search_destroy(deviation_search *search) {
  wal_pricing_market_destroy(&search->market);
  free(search->item);
  free(search->buyer);
  free(search->y);
  free(search->best);
}

static void copy_rationals(mpq_t *from, size_t count, mpq_t *to) {
  for (size_t e = 0; e < count; e++) mpq_set(to[e], from[e]);
}

static wal_status copy_market(const wal_pricing_market *from, wal_pricing_market *to) {
  const size_t n = (size_t)from->n, m = (size_t)from->m;
  wal_status status = wal_pricing_market_create(from->n, from->m, to);
  if (status != WAL_OK) return status;
  to->sellers = from->sellers;
  memcpy(to->budget, from->budget, n * sizeof *to->budget);
  memcpy(to->value, from->value, n * m * sizeof *to->value);
  memcpy(to->price, from->price, n * m * sizeof *to->price);
  memcpy(to->rank, from->rank, n * m * sizeof *to->rank);
  memcpy(to->owner, from->owner, m * sizeof *to->owner);
  if (!from->exact) return WAL_OK;
  status = wal_pricing_lift(to);
  if (status != WAL_OK) {
    wal_pricing_market_destroy(to);
    return status;
  }
  copy_rationals(from->exact->budget, n, to->exact->budget);
  copy_rationals(from->exact->value, n * m, to->exact->value);
  copy_rationals(from->exact->price, n * m, to->exact->price);
  return WAL_OK;
}

static void add_price(deviation_search *search, int buyer, int item) {
  search->buyer[search->dim] = buyer;
  search->item[search->dim++] = item;
}

static void list_prices(deviation_search *search) {
  const wal_pricing_market *market = &search->market;
  for (int j = 0; j < market->m; j++) {
    if (market->owner[j] != search->seller) continue;
    if (!search->options->personalised) add_price(search, -1, j);
    for (int i = 0; search->options->personalised && i < market->n; i++)
      if (market->value[i * market->m + j] > 0) add_price(search, i, j);
  }
}

static wal_status search_create(const wal_pricing_market *market, int seller,
                                const wal_deviation_options *options, deviation_search *search) {
  const size_t room = (size_t)market->n * (size_t)market->m;
  *search = (deviation_search){.options = options, .seller = seller, .most = -1};
  const wal_status status = copy_market(market, &search->market);
  if (status != WAL_OK) return status;
  search->item = malloc(room * sizeof *search->item);
  search->buyer = malloc(room * sizeof *search->buyer);
  search->y = malloc(room * sizeof *search->y);
  search->best = malloc(room * sizeof *search->best);
  if (!search->item || !search->buyer || !search->y || !search->best) {
    search_destroy(search);
    return wal_fail(WAL_E_MEMORY, "no memory for the prices of %d buyers and %d items", market->n, market->m);
  }
  list_prices(search);
  return WAL_OK;
}

static void set_prices(deviation_search *search, const double *y) {
  wal_pricing_market *market = &search->market;
  for (int d = 0; d < search->dim; d++)
    for (int i = 0; i < market->n; i++) {
      const int pair = i * market->m + search->item[d];
      if (search->buyer[d] >= 0 && search->buyer[d] != i) continue;
      market->price[pair] = y[d];
      if (market->exact) mpq_set_d(market->exact->price[pair], y[d]);
    }
}

/* The guaranteed revenue at y, kept where it is the most so far. */
static wal_status try_prices(deviation_search *search) {
  double revenue = 0;
  set_prices(search, search->y);
  wal_status status = search->options->keep_priorities ? WAL_OK : wal_pricing_natural(&search->market);
  if (status == WAL_OK)
    status = wal_guaranteed_revenue_of(&search->market, search->options->selection, search->seller, &revenue);
  search->tried++;
  if (status != WAL_OK || revenue <= search->most) return status;
  search->most = revenue;
  memcpy(search->best, search->y, (size_t)search->dim * sizeof *search->best);
  return WAL_OK;
}

static wal_status try_grid(deviation_search *search) {
  const int levels = search->options->steps + 1;
  const double step = (search->options->high - search->options->low) / search->options->steps;
  double points = 1;
  for (int d = 0; d < search->dim; d++) points *= levels;
  if (points > 1e7)
    return wal_fail(
        WAL_E_UNSUPPORTED,
        "a grid of %d prices with %d levels each is too large; expected at most 10 million points "
        "(fewer steps)",
        search->dim, levels);
  wal_status status = WAL_OK;
  for (int64_t p = 0; p < (int64_t)points && status == WAL_OK; p++) {
    int64_t rest = p;
    for (int d = 0; d < search->dim; d++, rest /= levels)
      search->y[d] = search->options->low + step * (double)(rest % levels);
    status = try_prices(search);
  }
  return status;
}

/* Prices up and down, one at a time, from the best; true: one was better. */
static wal_status try_around(deviation_search *search, double step, bool *better) {
  const double before = search->most;
  wal_status status = WAL_OK;
  for (int d = 0; d < 2 * search->dim && status == WAL_OK; d++) {
    memcpy(search->y, search->best, (size_t)search->dim * sizeof *search->y);
    search->y[d / 2] = fmax(search->y[d / 2] + (d % 2 ? -step : step), 0);
    status = try_prices(search);
  }
  *better = search->most > before + 1e-12 * (1 + fabs(before));
  return status;
}

static wal_status refine(deviation_search *search) {
  double step = (search->options->high - search->options->low) / search->options->steps / 2;
  wal_status status = WAL_OK;
  for (int k = 0; k < search->options->halvings && status == WAL_OK; k++, step /= 2) {
    bool better = true;
    for (int moves = 0; better && moves < 16 && status == WAL_OK; moves++)
      status = try_around(search, step, &better);
  }
  return status;
}

wal_status wal_best_deviation(const wal_pricing_market *market, int seller,
                              const wal_deviation_options *options, wal_deviation *out) {
  deviation_search search;
  *out = (wal_deviation){0};
  if (seller < 0 || seller >= market->sellers || options->steps < 1 || !(options->low >= 0) ||
      !(options->high >= options->low))
    return wal_fail(WAL_E_INPUT,
                    "deviations of seller %d of %d, prices %g to %g in %d steps; expected a seller of the "
                    "market, 0 <= low <= high and a step (0 to 4 in 24 works)",
                    seller, market->sellers, options->low, options->high, options->steps);
  wal_status status = search_create(market, seller, options, &search);
  if (status != WAL_OK) return status;
  status = try_grid(&search);
  if (status == WAL_OK) status = refine(&search);
  if (status == WAL_OK) {
    set_prices(&search, search.best);
    out->revenue = search.most;
    out->tried = search.tried;
    out->price = search.market.price;
    search.market.price = NULL;
  }
  search_destroy(&search);
  return status;
}

void wal_deviation_destroy(wal_deviation *deviation) {
  if (!deviation) return;
  free(deviation->price);
  *deviation = (wal_deviation){0};
}
