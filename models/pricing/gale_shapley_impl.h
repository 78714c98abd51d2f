/* Algorithm 1 in either kind of number (number.h): gale_shapley.c and gale_shapley_exact.c. */
#include <assert.h>
#include <limits.h>
#include <string.h>

#include "models/pricing/gale_shapley.h"
#include "models/pricing/number.h"

/* The threshold of an item that is not sold out: every rank is above it. */
enum { OPEN = INT_MAX };

/* One normal_update of this round. */
typedef struct {
  int buyer, item;
  int loser;     /* who lost some of the item, -1: nobody */
  int previous;  /* the buyer's call before in this round, -1: none */
  bool broke;    /* had the loser no money before? */
  number amount; /* that the buyer got */
  number before; /* the buyer's money before */
} call;

typedef struct {
  const wal_pricing_market *market;
  const wal_gale_shapley_options *options;
  int n, m;
  number *price;            /* [n, m] of the market */
  number *x;                /* [n, m] */
  number *money;            /* [n] left */
  number *unsold;           /* [m] */
  int *wanted;              /* [n, m] valued items of a buyer, best first, wanted_count[n] of them */
  int *wanted_count, *next; /* [n]; next: the first of them that may be proposable */
  int *threshold;           /* [m] item j is proposable to ranks below it */
  int *holders, *held_by;   /* [m, n] holders of an item by rank, then arrival; [m] how many */
  int *queue;               /* [n] a ring of buyers that got money */
  bool *queued;             /* [n] */
  int first, waiting;       /* in the ring */
  call *log;                /* [2 n + 1] calls of this round */
  int *last;                /* [n] the buyer's last call in log, -1: none */
  int logged;
  number one, want, part, product; /* 1 and room for calculations */
  wal_gale_shapley_report report;
} state;

static number *share(state *s, int i, int j) { return &s->x[(size_t)i * (size_t)s->m + (size_t)j]; }
static number *price(state *s, int i, int j) { return &s->price[(size_t)i * (size_t)s->m + (size_t)j]; }
static int rank(const state *s, int i, int j) {
  return s->market->rank[(size_t)j * (size_t)s->n + (size_t)i];
}

static void expect(state *s, bool printed_assertion) {
  s->report.failed_assertions += !printed_assertion;
  assert(printed_assertion);
}

static void note_bits(state *s, number a) {
  const int bits = num_bits(a);
  if (bits > s->report.bits) s->report.bits = bits;
}

/* ---- holders of an item, lowest priority last ---- */

static int lowest_holder(const state *s, int j) {
  return s->held_by[j] ? s->holders[(size_t)j * (size_t)s->n + (size_t)s->held_by[j] - 1] : -1;
}

/* After all of its rank. */
static void add_holder(state *s, int j, int i) {
  int *list = s->holders + (size_t)j * (size_t)s->n, low = 0, high = s->held_by[j];
  const int own = rank(s, i, j);
  while (low < high) {
    const int middle = (low + high) / 2;
    if (rank(s, list[middle], j) <= own)
      low = middle + 1;
    else
      high = middle;
  }
  memmove(list + low + 1, list + low, (size_t)(s->held_by[j] - low) * sizeof *list);
  list[low] = i;
  s->held_by[j]++;
}

/* Who holds none of j any more leaves. */
static bool settle(state *s, int j, int loser) {
  const bool leaves = !num_sgn(*share(s, loser, j));
  if (leaves) {
    assert(lowest_holder(s, j) == loser);
    s->held_by[j]--;
  }
  return leaves;
}

/* A sold out item closes to the rank of its lowest holder. */
static void close_item(state *s, int j) {
  if (num_sgn(s->unsold[j])) return;
  const int lowest = rank(s, lowest_holder(s, j), j);
  if (lowest < s->threshold[j]) s->threshold[j] = lowest;
}

/* ---- proposals ---- */

/* Buyer i's best proposable item, -1: none. What is not proposable never is again. */
static int best_item(state *s, int i) {
  const int *wanted = s->wanted + (size_t)i * (size_t)s->m;
  for (; s->next[i] < s->wanted_count[i]; s->next[i]++) {
    const int j = wanted[s->next[i]];
    if (rank(s, i, j) < s->threshold[j]) return j;
  }
  return -1;
}

static void enqueue(state *s, int i) {
  if (s->queued[i] || !num_sgn(s->money[i])) return;
  s->queue[(s->first + s->waiting++) % s->n] = i;
  s->queued[i] = true;
}

/* s->want = min(1 - x_ij, money_i / p_ij); is it the money that binds? */
static bool demand(state *s, int i, int j) {
  num_sub(s->want, s->one, *share(s, i, j));
  if (!num_sgn(*price(s, i, j))) return false;
  num_div(s->part, s->money[i], *price(s, i, j));
  if (num_cmp(s->part, s->want) > 0) return false;
  num_set(s->want, s->part);
  return true;
}

/* s->part = min(s->want, what there is), moved from `from` to buyer i's share and to the call's amount. */
static void move(state *s, call *c, number from, bool *enough) {
  *enough = num_cmp(s->want, from) <= 0;
  num_set(s->part, *enough ? s->want : from);
  num_sub(from, from, s->part);
  num_tidy(from, s->one);
  num_add(c->amount, c->amount, s->part);
  num_sub(s->want, s->want, s->part);
}

/* The lowest holder of the call's item gives up what is wanted. */
static void take_from_lowest(state *s, call *c, bool *enough, bool *left) {
  const int loser = lowest_holder(s, c->item);
  c->loser = loser;
  c->broke = !num_sgn(s->money[loser]);
  move(s, c, *share(s, loser, c->item), enough);
  num_mul(s->product, s->part, *price(s, loser, c->item));
  num_add(s->money[loser], s->money[loser], s->product);
  enqueue(s, loser);
  *left |= settle(s, c->item, loser);
}

/* normal_update(i, j). Does the round go on: j was sold out, one buyer lost some of it and nobody left? */
static bool normal_update(state *s, call *c) {
  const int i = c->buyer, j = c->item;
  const bool was_full = s->threshold[j] != OPEN, money_binds = demand(s, i, j);
  bool enough, left = false;
  int losers = 0;
  num_set(c->before, s->money[i]);
  num_integer(c->amount, 0);
  c->loser = -1;
  move(s, c, s->unsold[j], &enough);
  if (!num_sgn(*share(s, i, j))) add_holder(s, j, i);
  for (; !enough && lowest_holder(s, j) != i; losers++) take_from_lowest(s, c, &enough, &left);
  num_add(*share(s, i, j), *share(s, i, j), c->amount);
  num_mul(s->product, c->amount, *price(s, i, j));
  num_sub(s->money[i], s->money[i], s->product);
  num_tidy(s->money[i], NUM_MARKET(s->market, budget)[i]);
  if (money_binds && enough) num_integer(s->money[i], 0);
  close_item(s, j);
  enqueue(s, i);
  note_bits(s, *share(s, i, j));
  s->report.calls++;
  if (was_full && !left) expect(s, losers == 1); /* line 8 */
  return was_full && !left && losers == 1;
}

/* ---- the cycle step (lines 12 to 18) ---- */

/* Calls [second, logged) of the log are the cycle; the printed assertions of lines 13 to 15. */
static void check_cycle(state *s, int second) {
  const int length = s->logged - second, first = s->log[second].previous;
  expect(s, second - first == length);
  for (int k = 0; k < length; k++) {
    const call *c = &s->log[second + k], *before = &s->log[first + k];
    expect(s, before->buyer == c->buyer && before->item == c->item);
    for (int l = 0; l < k; l++)
      expect(s, s->log[second + l].buyer != c->buyer && s->log[second + l].item != c->item);
    if (k < length - 1) expect(s, c->broke);
  }
}

/* How many times more the cycle can be gone round at once, into s->want; is it buyer i0's money that ends it,
   of which it loses `cost` a time? (r of line 17 is one more: the cycle's calls stay.) */
static bool cycle_length(state *s, int second, number cost) {
  const int i0 = s->log[second].buyer;
  for (int k = second; k < s->logged; k++) {
    call *c = &s->log[k];
    num_div(s->part, *share(s, c->loser, c->item), c->amount);
    if (k == second || num_cmp(s->part, s->want) < 0) num_set(s->want, s->part);
  }
  num_sub(cost, s->log[second].before, s->money[i0]);
  if (num_sgn(cost) <= 0) return false;
  num_div(s->part, s->money[i0], cost);
  if (num_cmp(s->part, s->want) > 0) return false;
  num_set(s->want, s->part);
  return true;
}

static void cycle_step(state *s, int second) {
  const int i0 = s->log[second].buyer;
  number cost;
  num_init(cost);
  check_cycle(s, second);
  const bool money_binds = cycle_length(s, second, cost);
  for (int k = second; k < s->logged; k++) {
    call *c = &s->log[k];
    number *loses = share(s, c->loser, c->item), *gains = share(s, c->buyer, c->item);
    num_mul(s->product, s->want, c->amount);
    num_add(*gains, *gains, s->product);
    num_sub(*loses, *loses, s->product);
    num_tidy(*loses, s->one);
    settle(s, c->item, c->loser);
    close_item(s, c->item);
    note_bits(s, *gains);
  }
  num_mul(s->product, s->want, cost);
  num_sub(s->money[i0], s->money[i0], s->product);
  num_tidy(s->money[i0], NUM_MARKET(s->market, budget)[i0]);
  if (money_binds) num_integer(s->money[i0], 0);
  enqueue(s, i0);
  num_clear(cost);
  s->report.cycles++;
}

/* ---- the main loop ---- */

/* One round from buyer i with money: proposals passed on from loser to loser, until line 10 ends them. */
static void play_round(state *s, int i) {
  s->logged = 0;
  s->report.rounds++;
  for (int j = best_item(s, i); j >= 0; j = best_item(s, i)) {
    const int before = s->last[i];
    if (before >= 0 && s->log[before].previous >= 0) {
      if (!s->options->no_cycle_step) cycle_step(s, before);
      break;
    }
    call *c = &s->log[s->logged];
    c->buyer = i;
    c->item = j;
    c->previous = before;
    s->last[i] = s->logged++;
    if (!normal_update(s, c)) break;
    i = c->loser;
    if (!num_sgn(s->money[i])) break; /* it had paid nothing: line 9 thinks of prices above 0 */
  }
  for (int k = 0; k < s->logged; k++) s->last[s->log[k].buyer] = -1;
}

static wal_status play(state *s) {
  const int64_t most = s->options->calls;
  for (int k = 0; k < s->n; k++) enqueue(s, s->options->order ? s->options->order[k] : k);
  while (s->waiting) {
    const int i = s->queue[s->first];
    s->first = (s->first + 1) % s->n;
    s->waiting--;
    s->queued[i] = false;
    if (!num_sgn(s->money[i]) || best_item(s, i) < 0) continue;
    if (most && s->report.calls >= most)
      return wal_fail(WAL_E_DIVERGED,
                      "not stable after %lld calls; expected the limit to be larger (0: none)",
                      (long long)s->report.calls);
    play_round(s, i);
  }
  return WAL_OK;
}

/* ---- making and ending ---- */

static void destroy(state *s) {
  num_array_destroy(s->money, (size_t)s->n);
  num_array_destroy(s->unsold, (size_t)s->m);
  for (int k = 0; s->log && k <= 2 * s->n; k++) {
    num_clear(s->log[k].amount);
    num_clear(s->log[k].before);
  }
  free(s->wanted);
  free(s->wanted_count);
  free(s->next);
  free(s->threshold);
  free(s->holders);
  free(s->held_by);
  free(s->queue);
  free(s->queued);
  free(s->log);
  free(s->last);
  num_clear(s->one);
  num_clear(s->want);
  num_clear(s->part);
  num_clear(s->product);
}

static bool allocate(state *s) {
  const size_t n = (size_t)s->n, m = (size_t)s->m;
  s->money = num_array(n);
  s->unsold = num_array(m);
  s->wanted = malloc(n * m * sizeof *s->wanted);
  s->wanted_count = malloc(n * sizeof *s->wanted_count);
  s->next = calloc(n, sizeof *s->next);
  s->threshold = malloc(m * sizeof *s->threshold);
  s->holders = malloc(m * (n + 1) * sizeof *s->holders);
  s->held_by = calloc(m, sizeof *s->held_by);
  s->queue = malloc(n * sizeof *s->queue);
  s->queued = calloc(n, sizeof *s->queued);
  s->log = calloc(2 * n + 1, sizeof *s->log);
  s->last = malloc(n * sizeof *s->last);
  for (size_t k = 0; s->log && k <= 2 * n; k++) {
    num_init(s->log[k].amount);
    num_init(s->log[k].before);
  }
  return s->money && s->unsold && s->wanted && s->wanted_count && s->next && s->threshold && s->holders &&
         s->held_by && s->queue && s->queued && s->log && s->last;
}

static void start(state *s) {
  for (int i = 0; i < s->n; i++) {
    num_set(s->money[i], NUM_MARKET(s->market, budget)[i]);
    s->last[i] = -1;
    s->wanted_count[i] = wal_pricing_wanted(s->market, i, s->wanted + (size_t)i * (size_t)s->m);
    for (int j = 0; j < s->m; j++) num_integer(*share(s, i, j), 0);
  }
  for (int j = 0; j < s->m; j++) {
    num_set(s->unsold[j], s->one);
    s->threshold[j] = OPEN;
  }
}

static wal_status gale_shapley(const wal_pricing_market *market, const wal_gale_shapley_options *options,
                               wal_pricing_allocation *out, wal_gale_shapley_report *report) {
  static const wal_gale_shapley_options defaults;
  state s = {.market = market, .options = options ? options : &defaults, .n = market->n, .m = market->m};
  wal_status status = wal_pricing_allocation_create(s.n, s.m, WAL_EXACT, out);
  if (status != WAL_OK) return status;
  s.price = NUM_MARKET(market, price);
  s.x = NUM_ALLOCATION(out);
  num_init(s.one);
  num_init(s.want);
  num_init(s.part);
  num_init(s.product);
  num_integer(s.one, 1);
  if (allocate(&s)) {
    start(&s);
    status = play(&s);
  } else {
    status = wal_fail(WAL_E_MEMORY, "no memory for Algorithm 1 with %d buyers and %d items", s.n, s.m);
  }
  if (report) *report = s.report;
  destroy(&s);
  if (status != WAL_OK) wal_pricing_allocation_destroy(out);
  return status;
}
