/* Algorithm 3 in either kind of number (number.h): edmonds_karp.c and edmonds_karp_exact.c. The flow f_ij =
   p_j x_ij is money; items of price 0 carry none and are given away. */
#include <string.h>

#include "models/pricing/number.h"
#include "models/pricing/revenue.h"
#include "models/pricing/stability.h"

typedef struct {
  const wal_pricing_market *market;
  int n, m;
  number *x;              /* [n, m] shares, at the beginning and the end */
  number *flow;           /* [n, m] */
  number *money;          /* [n] left */
  number *price, *unsold; /* [m]; unsold: p_j (1 - sum_i x_ij) */
  int *wanted, *count;    /* [n, m] valued items, best first; [n] how many */
  int *next;              /* [n] wanted items before it are sold out */
  int *from_item;         /* [n] whose part brought us to the buyer; START: its own money, UNSEEN */
  int *from_buyer;        /* [m] who reached the item, UNSEEN */
  int *queue;             /* [n] */
  number one, amount;     /* 1 and room for calculations */
} state;

enum { START = -1, UNSEEN = -2 };

static number *flow(state *s, int i, int j) { return &s->flow[(size_t)i * (size_t)s->m + (size_t)j]; }
static int *wanted(state *s, int i) { return s->wanted + (size_t)i * (size_t)s->m; }

/* The best item that buyer i wants and that is not sold out, -1: none. Sold out items stay so (Lemma 6). */
static int best_unsold(state *s, int i) {
  for (; s->next[i] < s->count[i]; s->next[i]++) {
    const int j = wanted(s, i)[s->next[i]];
    if (num_sgn(s->unsold[j])) return j;
  }
  return -1;
}

/* A shortest path from money to something unsold: its last buyer and that buyer's best unsold item (line 6).
   Edges (i, j) never bind: where i takes from k, p_j - f_ij >= f_kj. */
static bool find_path(state *s, int *buyer, int *item) {
  int tail = 0;
  for (int j = 0; j < s->m; j++) s->from_buyer[j] = UNSEEN;
  for (int i = 0; i < s->n; i++) {
    s->from_item[i] = num_sgn(s->money[i]) ? START : UNSEEN;
    if (s->from_item[i] == START) s->queue[tail++] = i;
  }
  for (int head = 0; head < tail; head++) {
    const int i = s->queue[head], best = best_unsold(s, i);
    *buyer = i;
    *item = best;
    if (best >= 0) return true;
    for (int w = 0; w < s->count[i]; w++) {
      const int j = wanted(s, i)[w];
      if (s->from_buyer[j] != UNSEEN) continue;
      s->from_buyer[j] = i;
      for (int k = 0; k < s->n; k++) {
        if (s->from_item[k] != UNSEEN || !num_sgn(*flow(s, k, j))) continue;
        s->from_item[k] = j;
        s->queue[tail++] = k;
      }
    }
  }
  return false;
}

/* The bottleneck of the path into s->amount (line 7). */
static void measure(state *s, int buyer, int item) {
  num_set(s->amount, s->unsold[item]);
  int i = buyer;
  for (int j; (j = s->from_item[i]) != START; i = s->from_buyer[j])
    if (num_cmp(*flow(s, i, j), s->amount) < 0) num_set(s->amount, *flow(s, i, j));
  if (num_cmp(s->money[i], s->amount) < 0) num_set(s->amount, s->money[i]);
}

static void augment(state *s, int buyer, int item) {
  measure(s, buyer, item);
  int i = buyer;
  num_add(*flow(s, i, item), *flow(s, i, item), s->amount);
  num_sub(s->unsold[item], s->unsold[item], s->amount);
  num_tidy(s->unsold[item], s->price[item]);
  for (int j; (j = s->from_item[i]) != START; i = s->from_buyer[j]) {
    number *loses = flow(s, i, j), *gains = flow(s, s->from_buyer[j], j);
    num_sub(*loses, *loses, s->amount);
    num_tidy(*loses, s->price[j]);
    num_add(*gains, *gains, s->amount);
  }
  num_sub(s->money[i], s->money[i], s->amount);
  num_tidy(s->money[i], NUM_MARKET(s->market, budget)[i]);
}

/* ---- from shares to flows and back ---- */

/* Price and unsold worth of item j; what is unsold of a free item goes to its first buyer. */
static void open_item(state *s, int j) {
  int buyer = -1;
  num_set(s->unsold[j], s->one);
  for (int i = 0; i < s->n; i++) {
    const size_t pair = (size_t)i * (size_t)s->m + (size_t)j;
    if (buyer < 0 && num_sgn(NUM_MARKET(s->market, value)[pair])) buyer = i;
    num_sub(s->unsold[j], s->unsold[j], s->x[pair]);
  }
  num_tidy(s->unsold[j], s->one);
  if (buyer < 0) return;
  const size_t first = (size_t)buyer * (size_t)s->m + (size_t)j;
  num_set(s->price[j], NUM_MARKET(s->market, price)[first]);
  if (!num_sgn(s->price[j])) num_add(s->x[first], s->x[first], s->unsold[j]);
  num_mul(s->unsold[j], s->unsold[j], s->price[j]);
  for (int i = 0; i < s->n; i++)
    num_mul(*flow(s, i, j), s->price[j], s->x[(size_t)i * (size_t)s->m + (size_t)j]);
}

static void open_buyer(state *s, int i) {
  num_set(s->money[i], NUM_MARKET(s->market, budget)[i]);
  for (int j = 0; j < s->m; j++) num_sub(s->money[i], s->money[i], *flow(s, i, j));
  num_tidy(s->money[i], NUM_MARKET(s->market, budget)[i]);
  s->count[i] = wal_pricing_wanted(s->market, i, wanted(s, i));
}

static void close_market(state *s) {
  for (int i = 0; i < s->n; i++)
    for (int j = 0; j < s->m; j++)
      if (num_sgn(s->price[j]))
        num_div(s->x[(size_t)i * (size_t)s->m + (size_t)j], *flow(s, i, j), s->price[j]);
}

static int64_t edmonds_karp(state *s) {
  int64_t augmentations = 0;
  int buyer, item;
  for (int j = 0; j < s->m; j++) open_item(s, j);
  for (int i = 0; i < s->n; i++) open_buyer(s, i);
  for (; find_path(s, &buyer, &item); augmentations++) augment(s, buyer, item);
  close_market(s);
  return augmentations;
}

static bool allocate(state *s) {
  const size_t n = (size_t)s->n, m = (size_t)s->m;
  s->flow = num_array(n * m);
  s->money = num_array(n);
  s->price = num_array(m);
  s->unsold = num_array(m);
  s->wanted = malloc(n * m * sizeof *s->wanted);
  s->count = malloc(n * sizeof *s->count);
  s->next = calloc(n, sizeof *s->next);
  s->from_item = malloc(n * sizeof *s->from_item);
  s->from_buyer = malloc(m * sizeof *s->from_buyer);
  s->queue = malloc(n * sizeof *s->queue);
  return s->flow && s->money && s->price && s->unsold && s->wanted && s->count && s->next && s->from_item &&
         s->from_buyer && s->queue;
}

static void destroy(state *s) {
  num_array_destroy(s->flow, (size_t)s->n * (size_t)s->m);
  num_array_destroy(s->money, (size_t)s->n);
  num_array_destroy(s->price, (size_t)s->m);
  num_array_destroy(s->unsold, (size_t)s->m);
  free(s->wanted);
  free(s->count);
  free(s->next);
  free(s->from_item);
  free(s->from_buyer);
  free(s->queue);
  num_clear(s->one);
  num_clear(s->amount);
}

static wal_status stable_edmonds_karp(const wal_pricing_market *market, wal_pricing_allocation *x,
                                      int64_t *augmentations) {
  state s = {.market = market, .n = market->n, .m = market->m, .x = NUM_ALLOCATION(x)};
  wal_status status = WAL_OK;
  num_init(s.one);
  num_init(s.amount);
  num_integer(s.one, 1);
  if (allocate(&s)) {
    const int64_t count = edmonds_karp(&s);
    if (augmentations) *augmentations = count;
  } else {
    status = wal_fail(WAL_E_MEMORY, "no memory for a flow from %d buyers to %d items", s.n, s.m);
  }
  destroy(&s);
  return status;
}

/* The market is fully non-personalised and the start compatible. */
static wal_status check_start(const wal_pricing_market *market, bool compatible,
                              const wal_stability_report *report) {
  if (!wal_pricing_is_uniform(market))
    return wal_fail(WAL_E_UNSUPPORTED,
                    "prices or priorities of an item differ between buyers; Algorithm 3 is for fully "
                    "non-personalised markets (Algorithm 1 takes all)");
  if (!compatible)
    return wal_fail(WAL_E_INPUT, "the start is not compatible: buyer %d, item %d: %s (shares of 0 work)",
                    report->buyer, report->item, wal_stability_text(report->fault));
  return WAL_OK;
}
