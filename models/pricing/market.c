#include "models/pricing/market.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "models/pricing/rational.h"

wal_status wal_pricing_market_create(int n, int m, wal_pricing_market *out) {
  memset(out, 0, sizeof *out);
  if (n < 1 || m < 1)
    return wal_fail(WAL_E_INPUT,
                    "a market of %d buyers and %d items; expected at least 1 of each (2 and 2 work)", n, m);
  const size_t pairs = (size_t)n * (size_t)m;
  *out = (wal_pricing_market){.n = n, .m = m, .sellers = 1};
  out->budget = calloc((size_t)n, sizeof *out->budget);
  out->value = calloc(pairs, sizeof *out->value);
  out->price = calloc(pairs, sizeof *out->price);
  out->rank = calloc(pairs, sizeof *out->rank);
  out->owner = calloc((size_t)m, sizeof *out->owner);
  if (out->budget && out->value && out->price && out->rank && out->owner) return WAL_OK;
  wal_pricing_market_destroy(out);
  return wal_fail(WAL_E_MEMORY, "no memory for a market of %d buyers and %d items", n, m);
}

static void destroy_exact(wal_pricing_exact *exact, int n, int m) {
  if (!exact) return;
  wal_rationals_destroy(exact->budget, (size_t)n);
  wal_rationals_destroy(exact->value, (size_t)n * (size_t)m);
  wal_rationals_destroy(exact->price, (size_t)n * (size_t)m);
  free(exact);
}

void wal_pricing_market_destroy(wal_pricing_market *market) {
  if (!market) return;
  destroy_exact(market->exact, market->n, market->m);
  free(market->budget);
  free(market->value);
  free(market->price);
  free(market->rank);
  free(market->owner);
  memset(market, 0, sizeof *market);
}

static void lift(const double *from, size_t count, mpq_t *to) {
  for (size_t e = 0; e < count; e++) mpq_set_d(to[e], from[e]);
}

static void round_to(mpq_t *from, size_t count, double *to) {
  for (size_t e = 0; e < count; e++) to[e] = mpq_get_d(from[e]);
}

wal_status wal_pricing_lift(wal_pricing_market *market) {
  const size_t n = (size_t)market->n, pairs = n * (size_t)market->m;
  wal_pricing_exact *exact = market->exact ? market->exact : calloc(1, sizeof *exact);
  if (exact && !market->exact)
    *exact = (wal_pricing_exact){wal_rationals(n), wal_rationals(pairs), wal_rationals(pairs)};
  if (!exact || !exact->budget || !exact->value || !exact->price) {
    destroy_exact(exact, market->n, market->m);
    return wal_fail(WAL_E_MEMORY, "no memory for the rationals of %d buyers and %d items", market->n,
                    market->m);
  }
  market->exact = exact;
  lift(market->budget, n, exact->budget);
  lift(market->value, pairs, exact->value);
  lift(market->price, pairs, exact->price);
  return WAL_OK;
}

void wal_pricing_round(wal_pricing_market *market) {
  const size_t n = (size_t)market->n, pairs = n * (size_t)market->m;
  round_to(market->exact->budget, n, market->budget);
  round_to(market->exact->value, pairs, market->value);
  round_to(market->exact->price, pairs, market->price);
}

/* ---- prices, priorities, preferences ---- */

static int compare_prices(const wal_pricing_market *market, int i, int k, int j) {
  const size_t a = (size_t)i * (size_t)market->m + (size_t)j, b = (size_t)k * (size_t)market->m + (size_t)j;
  if (market->exact) return mpq_cmp(market->exact->price[a], market->exact->price[b]);
  return (market->price[a] > market->price[b]) - (market->price[a] < market->price[b]);
}

typedef struct {
  const wal_pricing_market *market;
  int item;
} price_order;

static int high_first(const void *a, const void *b, void *context) {
  const price_order *order = context;
  return compare_prices(order->market, *(const int *)b, *(const int *)a, order->item);
}

wal_status wal_pricing_natural(wal_pricing_market *market) {
  const int n = market->n;
  int *buyers = malloc((size_t)n * sizeof *buyers);
  if (!buyers) return wal_fail(WAL_E_MEMORY, "no memory for %d buyers", n);
  for (int j = 0; j < market->m; j++) {
    int *rank = market->rank + (size_t)j * (size_t)n;
    for (int i = 0; i < n; i++) buyers[i] = i;
    qsort_r(buyers, (size_t)n, sizeof *buyers, high_first, &(price_order){market, j});
    rank[buyers[0]] = 0;
    for (int k = 1; k < n; k++)
      rank[buyers[k]] = rank[buyers[k - 1]] + (compare_prices(market, buyers[k - 1], buyers[k], j) != 0);
  }
  free(buyers);
  return WAL_OK;
}

bool wal_pricing_is_uniform(const wal_pricing_market *market) {
  const int n = market->n, m = market->m;
  for (int j = 0; j < m; j++) {
    const int *rank = market->rank + (size_t)j * (size_t)n;
    for (int i = 0, first = -1; i < n; i++) {
      if (!(market->value[(size_t)i * (size_t)m + (size_t)j] > 0)) continue;
      if (first < 0) first = i;
      if (rank[i] != rank[first] || compare_prices(market, i, first, j) != 0) return false;
    }
  }
  return true;
}

int wal_pricing_prefers(const wal_pricing_market *market, int i, int j, int k) {
  const size_t a = (size_t)i * (size_t)market->m + (size_t)j, b = (size_t)i * (size_t)market->m + (size_t)k;
  if (!market->exact) {
    const double left = market->price[a] * market->value[b], right = market->price[b] * market->value[a];
    return (left > right) - (left < right);
  }
  mpq_t left, right;
  mpq_inits(left, right, NULL);
  mpq_mul(left, market->exact->price[a], market->exact->value[b]);
  mpq_mul(right, market->exact->price[b], market->exact->value[a]);
  const int order = mpq_cmp(left, right);
  mpq_clears(left, right, NULL);
  return order;
}

typedef struct {
  const wal_pricing_market *market;
  int buyer;
} preference_order;

static int best_first(const void *a, const void *b, void *context) {
  const preference_order *order = context;
  const int j = *(const int *)a, k = *(const int *)b;
  const int prefers = wal_pricing_prefers(order->market, order->buyer, j, k);
  return prefers ? prefers : (j > k) - (j < k);
}

int wal_pricing_wanted(const wal_pricing_market *market, int i, int *wanted) {
  int count = 0;
  for (int j = 0; j < market->m; j++)
    if (market->value[(size_t)i * (size_t)market->m + (size_t)j] > 0) wanted[count++] = j;
  qsort_r(wanted, (size_t)count, sizeof *wanted, best_first, &(preference_order){market, i});
  return count;
}

/* ---- checks ---- */

static wal_status check_pairs(const wal_pricing_market *market, const char *name, const double *array) {
  const int n = market->n, m = market->m;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++) {
      const double a = array[(size_t)i * (size_t)m + (size_t)j];
      if (!(a >= 0) || isinf(a))
        return wal_fail(WAL_E_INPUT, "buyer %d, item %d: %s %g; expected a number from 0 up (1 works)", i, j,
                        name, a);
    }
  return WAL_OK;
}

static wal_status check_item(const wal_pricing_market *market, int j) {
  bool valued = false;
  for (int i = 0; i < market->n; i++) {
    const int rank = market->rank[(size_t)j * (size_t)market->n + (size_t)i];
    if (rank < 0)
      return wal_fail(WAL_E_INPUT, "item %d, buyer %d: rank %d; expected 0 (the highest priority) or more", j,
                      i, rank);
    valued |= market->value[(size_t)i * (size_t)market->m + (size_t)j] > 0;
  }
  if (!valued)
    return wal_fail(WAL_E_INPUT, "item %d: no buyer values it; expected one value above 0 (1 works)", j);
  if (market->owner[j] < 0 || market->owner[j] >= market->sellers)
    return wal_fail(WAL_E_INPUT, "item %d: owner %d; expected a seller from 0 to %d", j, market->owner[j],
                    market->sellers - 1);
  return WAL_OK;
}

wal_status wal_pricing_market_check(const wal_pricing_market *market) {
  wal_status status = WAL_OK;
  for (int i = 0; i < market->n; i++)
    if (!(market->budget[i] >= 0) || isinf(market->budget[i]))
      return wal_fail(WAL_E_INPUT, "buyer %d: budget %g; expected a number from 0 up (1 works)", i,
                      market->budget[i]);
  if (status == WAL_OK) status = check_pairs(market, "value", market->value);
  if (status == WAL_OK) status = check_pairs(market, "price", market->price);
  for (int j = 0; j < market->m && status == WAL_OK; j++) status = check_item(market, j);
  return status;
}

/* ---- allocations ---- */

wal_status wal_pricing_allocation_create(int n, int m, bool exact, wal_pricing_allocation *out) {
  const size_t pairs = (size_t)n * (size_t)m;
  *out = (wal_pricing_allocation){n, m, calloc(pairs, sizeof *out->x), exact ? wal_rationals(pairs) : NULL};
  if (out->x && (!exact || out->exact)) return WAL_OK;
  wal_pricing_allocation_destroy(out);
  return wal_fail(WAL_E_MEMORY, "no memory for an allocation of %d items to %d buyers", m, n);
}

void wal_pricing_allocation_destroy(wal_pricing_allocation *allocation) {
  if (!allocation) return;
  free(allocation->x);
  wal_rationals_destroy(allocation->exact, (size_t)allocation->n * (size_t)allocation->m);
  memset(allocation, 0, sizeof *allocation);
}

void wal_pricing_allocation_round(wal_pricing_allocation *allocation) {
  round_to(allocation->exact, (size_t)allocation->n * (size_t)allocation->m, allocation->x);
}

double wal_pricing_revenue(const wal_pricing_market *market, const double *x, double *revenue) {
  const int n = market->n, m = market->m;
  double total = 0;
  for (int k = 0; revenue && k < market->sellers; k++) revenue[k] = 0;
  for (int j = 0; j < m; j++) {
    double item = 0;
    for (int i = 0; i < n; i++) {
      const size_t e = (size_t)i * (size_t)m + (size_t)j;
      item += market->price[e] * x[e];
    }
    if (revenue) revenue[market->owner[j]] += item;
    total += item;
  }
  return total;
}

void wal_pricing_revenue_exact(const wal_pricing_market *market, mpq_t *x, mpq_t out) {
  const size_t pairs = (size_t)market->n * (size_t)market->m;
  mpq_t paid;
  mpq_init(paid);
  mpq_set_ui(out, 0, 1);
  for (size_t e = 0; e < pairs; e++) {
    if (!mpq_sgn(x[e])) continue;
    mpq_mul(paid, market->exact->price[e], x[e]);
    mpq_add(out, out, paid);
  }
  mpq_clear(paid);
}
