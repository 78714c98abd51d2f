#include "models/market/linear_polish.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/common/vmath.h"
#include "models/market/tight_forest.h"

/* ---- buyers with several near-best goods ---- */

typedef struct {
  int good;
  double ratio; /* log of the value over that for the buyer's first near-best good, in steps of GRID */
} near_good;

typedef struct {
  int64_t buyer;
  double budget;
  int count, class; /* near-best goods; which class */
  int64_t at;       /* the goods in `goods` */
  const near_good *goods;
} undecided;

/* Ratios that differ by rounding only are the same. */
static const double GRID = 0x1p-48;
static const int64_t MOST_GOODS = (int64_t)1 << 26;

typedef struct {
  const wal_market *market;
  const double *q; /* [m] borrowed */
  double power, near;
  double *money;     /* [m] of the buyers with one near-best good */
  undecided *buyers; /* [count] owned */
  near_good *goods;  /* [good_count] owned */
  int64_t count, room, good_count, good_room;
  pthread_mutex_t lock; /* of the lists */
} collection;

static void *grown(void *list, int64_t *room, int64_t needed, size_t size) {
  if (needed <= *room) return list;
  while (*room < needed) *room = *room > 0 ? 2 * *room : 1024;
  return realloc(list, (size_t)*room * size);
}

/* Adds a buyer and its near-best goods; in no promised order. */
static wal_status append(collection *c, undecided buyer, const near_good *goods) {
  wal_status status = WAL_OK;
  pthread_mutex_lock(&c->lock);
  undecided *buyers = grown(c->buyers, &c->room, c->count + 1, sizeof *buyers);
  near_good *all = grown(c->goods, &c->good_room, c->good_count + buyer.count, sizeof *all);
  if (buyers) c->buyers = buyers;
  if (all) c->goods = all;
  if (!buyers || !all) {
    status = wal_fail(WAL_E_MEMORY, "no memory for %lld tied buyers", (long long)c->count);
  } else if (c->good_count > MOST_GOODS) {
    status = wal_fail(WAL_E_DIVERGED, "more than %lld buyers are nearly tied", (long long)c->count);
  } else {
    buyer.at = c->good_count;
    memcpy(all + buyer.at, goods, (size_t)buyer.count * sizeof *goods);
    c->good_count += buyer.count;
    buyers[c->count++] = buyer;
  }
  pthread_mutex_unlock(&c->lock);
  return status;
}

/* log v_j of v[m] and the largest log v_j - q_j. */
static double log_values(int m, const double *q, double *v) {
  double best = -INFINITY;
#pragma omp simd
  for (int j = 0; j < m; j++) v[j] = wal_log(v[j]);
  for (int j = 0; j < m; j++) best = v[j] - q[j] > best ? v[j] - q[j] : best;
  return best;
}

static wal_status collect_buyer(collection *c, int64_t buyer, double *v, double budget, near_good *goods,
                                double *money) {
  const int m = c->market->m;
  const double best = log_values(m, c->q, v);
  int count = 0;
  for (int j = 0; j < m; j++)
    if (v[j] > -INFINITY && best - (v[j] - c->q[j]) <= c->near) {
      const double ratio = count > 0 ? v[j] - v[goods[0].good] : 0.0;
      goods[count++] = (near_good){j, GRID * nearbyint(ratio / GRID)};
    }
  if (count == 0)
    return wal_fail(WAL_E_INPUT, "buyer %lld values no good; expected at least one positive value",
                    (long long)buyer);
  if (count > 1) return append(c, (undecided){.buyer = buyer, .budget = budget, .count = count}, goods);
  money[goods[0].good] += budget;
  return WAL_OK;
}

static wal_status collect_body(void *context, int64_t lo, int64_t hi, double *money) {
  collection *c = context;
  const size_t m = (size_t)c->market->m, rows = (size_t)(hi - lo);
  double *v = malloc(rows * (m + 1) * sizeof *v), *budget = v ? v + rows * m : NULL;
  near_good *goods = malloc(m * sizeof *goods);
  wal_status status = v && goods ? c->market->buyers->ops->rows(c->market->buyers, lo, hi, v, budget)
                                 : wal_fail(WAL_E_MEMORY, "no memory for %zu buyers of %zu goods", rows, m);
  for (size_t i = 0; status == WAL_OK && i < rows; i++)
    status = collect_buyer(c, lo + (int64_t)i, v + i * m, budget[i], goods, money);
  free(v);
  free(goods);
  return status;
}

/* ---- classes of buyers ---- */

static int compare(double a, double b) { return (a > b) - (a < b); }

static int by_goods(const void *left, const void *right) {
  const undecided *a = left, *b = right;
  int order = (a->count > b->count) - (a->count < b->count);
  for (int e = 0; order == 0 && e < a->count; e++) {
    order = (a->goods[e].good > b->goods[e].good) - (a->goods[e].good < b->goods[e].good);
    if (order == 0) order = compare(a->goods[e].ratio, b->goods[e].ratio);
  }
  return order;
}

static int by_goods_then_buyer(const void *left, const void *right) {
  const undecided *a = left, *b = right;
  const int order = by_goods(left, right);
  return order != 0 ? order : (a->buyer > b->buyer) - (a->buyer < b->buyer);
}

static int by_buyer(const void *left, const void *right) {
  const undecided *a = left, *b = right;
  return (a->buyer > b->buyer) - (a->buyer < b->buyer);
}

/* The small market, and what is made of it. */
typedef struct {
  wal_linear_market market;
  double *budget; /* [n] */
  int64_t *first; /* [n + 1] */
  int *good;      /* [edges] */
  double *value;  /* [edges] */
  double *flow;   /* [edges] */
} classes;

static void free_classes(classes *k) {
  free(k->budget);
  free(k->first);
  free(k->good);
  free(k->value);
}

/* One class for each run of equal buyers; buyers are left in rising order. */
static wal_status make_classes(collection *c, classes *k) {
  const size_t n = (size_t)c->count, goods = (size_t)c->good_count;
  for (size_t i = 0; i < n; i++) c->buyers[i].goods = c->goods + c->buyers[i].at;
  if (n > 0) qsort(c->buyers, n, sizeof *c->buyers, by_goods_then_buyer);
  k->budget = calloc(n + 1, sizeof *k->budget);
  k->first = malloc((n + 1) * sizeof *k->first);
  k->good = malloc((goods + 1) * sizeof *k->good);
  k->value = malloc(2 * (goods + 1) * sizeof *k->value);
  if (!k->budget || !k->first || !k->good || !k->value)
    return wal_fail(WAL_E_MEMORY, "no memory for %zu tied buyers", n);
  k->flow = k->value + goods + 1;
  int number = 0;
  int64_t edge = 0;
  for (size_t i = 0; i < n; i++) {
    undecided *u = c->buyers + i;
    if (i == 0 || by_goods(u - 1, u) != 0) {
      k->first[number++] = edge;
      for (int e = 0; e < u->count; e++, edge++) {
        k->good[edge] = u->goods[e].good;
        k->value[edge] = u->goods[e].ratio;
      }
    }
    u->class = number - 1;
    k->budget[u->class] += u->budget;
  }
  k->first[number] = edge;
  if (n > 0) qsort(c->buyers, n, sizeof *c->buyers, by_buyer);
  k->market = (wal_linear_market){c->market->m, number,   c->market->supply, c->money,
                                  k->budget,    k->first, k->good,           k->value};
  return WAL_OK;
}

/* ---- the allocation ---- */

typedef struct {
  int64_t buyer;
  int class;
} member;

typedef struct {
  wal_allocation base;
  const wal_market *market; /* borrowed */
  int64_t count;
  double *price, *q; /* [m] and its logarithm */
  member *members;   /* [count], buyers rising */
  int64_t *first;    /* [classes + 1] */
  int *good;         /* [edges] */
  double *share;     /* [edges] of the budget */
} polished;

/* The first listed buyer that is not below `buyer`. */
static int64_t first_member(const polished *a, int64_t buyer) {
  int64_t lo = 0, hi = a->count;
  while (lo < hi) {
    const int64_t mid = lo + (hi - lo) / 2;
    if (a->members[mid].buyer < buyer)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo;
}

/* v[m] (overwritten by logarithms) to x[m]. */
static void best_buy(const polished *a, double *v, double budget, double *x) {
  const int m = a->market->m;
  log_values(m, a->q, v);
  int best = 0;
  for (int j = 1; j < m; j++)
    if (v[j] - a->q[j] > v[best] - a->q[best]) best = j;
  x[best] = budget / a->price[best];
}

static wal_status polished_fill(const wal_allocation *allocation, int64_t lo, int64_t hi, double *x) {
  const polished *a = (const polished *)allocation;
  const size_t m = (size_t)a->market->m, rows = (size_t)(hi - lo);
  double *v = malloc(rows * (m + 1) * sizeof *v), *budget = v ? v + rows * m : NULL;
  if (!v) return wal_fail(WAL_E_MEMORY, "no memory for %zu buyers of %zu goods", rows, m);
  const wal_status status = a->market->buyers->ops->rows(a->market->buyers, lo, hi, v, budget);
  int64_t next = first_member(a, lo);
  memset(x, 0, rows * m * sizeof *x);
  for (size_t i = 0; status == WAL_OK && i < rows; i++) {
    if (next < a->count && a->members[next].buyer == lo + (int64_t)i) {
      const int class = a->members[next++].class;
      for (int64_t e = a->first[class]; e < a->first[class + 1]; e++)
        x[i * m + (size_t)a->good[e]] = budget[i] * a->share[e] / a->price[a->good[e]];
    } else {
      best_buy(a, v + i * m, budget[i], x + i * m);
    }
  }
  free(v);
  return status;
}

static void polished_destroy(wal_allocation *allocation) {
  polished *a = (polished *)allocation;
  free(a->price);
  free(a->members);
  free(a->first);
  free(a->good);
  free(a->share);
  free(a);
}

static const wal_allocation_ops polished_ops = {"polished", polished_fill, polished_destroy};

static polished *new_polished(const wal_market *market, int64_t members, int class_count, int64_t edges) {
  polished *a = calloc(1, sizeof *a);
  if (!a) return NULL;
  *a = (polished){.base.ops = &polished_ops, .market = market, .count = members};
  a->price = malloc(2 * (size_t)market->m * sizeof *a->price);
  a->q = a->price ? a->price + market->m : NULL;
  a->members = malloc(((size_t)members + 1) * sizeof *a->members);
  a->first = malloc(((size_t)class_count + 1) * sizeof *a->first);
  a->good = malloc(((size_t)edges + 1) * sizeof *a->good);
  a->share = malloc(((size_t)edges + 1) * sizeof *a->share);
  if (a->price && a->members && a->first && a->good && a->share) return a;
  polished_destroy(&a->base);
  return NULL;
}

static wal_status make_allocation(const collection *c, const classes *k, const double *q, polished **out) {
  const int m = c->market->m, number = k->market.n;
  const int64_t edges = k->first[number];
  polished *a = *out = new_polished(c->market, c->count, number, edges);
  if (!a) return wal_fail(WAL_E_MEMORY, "no memory for %lld tied buyers", (long long)c->count);
  for (int j = 0; j < m; j++) a->q[j] = q[j], a->price[j] = exp(q[j]);
  for (int64_t i = 0; i < c->count; i++) a->members[i] = (member){c->buyers[i].buyer, c->buyers[i].class};
  memcpy(a->first, k->first, ((size_t)number + 1) * sizeof *a->first);
  memcpy(a->good, k->good, (size_t)edges * sizeof *a->good);
  for (int i = 0; i < number; i++) {
    double spent = 0.0;
    for (int64_t e = k->first[i]; e < k->first[i + 1]; e++) spent += k->flow[e];
    for (int64_t e = k->first[i]; e < k->first[i + 1]; e++) a->share[e] = k->flow[e] / spent;
  }
  return WAL_OK;
}

/* A bound on the pair's Nash gap: what the listed buyers' goods fall short of their best (others have their
   best), the rounding of ratios, and the projection of eq. 12: amounts shrink at most by min_j Y_j / sum_i
   x_ij and prices by sum B / sum Y p. spent[m]: room. */
static double certify(const collection *c, const classes *k, const polished *a, double *spent) {
  const int m = c->market->m;
  double lost = 0.0, listed = 0.0, budget = 0.0, worth = 0.0, most = 0.0;
  for (int j = 0; j < m; j++) budget += spent[j] = c->money[j];
  for (int i = 0; i < k->market.n; i++) {
    double best = -INFINITY, had = 0.0;
    for (int64_t e = k->first[i]; e < k->first[i + 1]; e++) best = fmax(best, k->value[e] - a->q[k->good[e]]);
    for (int64_t e = k->first[i]; e < k->first[i + 1]; e++) {
      had += a->share[e] * expm1(k->value[e] - a->q[k->good[e]] - best);
      spent[k->good[e]] += a->share[e] * k->budget[i];
    }
    lost -= k->budget[i] * log1p(had);
    listed += k->budget[i];
  }
  budget += listed;
  for (int j = 0; j < m; j++) {
    const double cost = c->market->supply[j] * a->price[j];
    worth += cost;
    most = fmax(most, log(spent[j] / cost));
  }
  return (lost + GRID * listed) / budget + most + fabs(log(worth / budget));
}

/* ---- rounds ---- */

/* The small market's equilibrium from c->q into q[m]; *moved: how far prices went apart. */
static wal_status solve_round(collection *c, classes *k, double *q, double *moved) {
  const int m = c->market->m;
  wal_status status = wal_sum_chunks(c->market->n, m, collect_body, c, c->money);
  if (status == WAL_OK) status = make_classes(c, k);
  memcpy(q, c->q, (size_t)m * sizeof *q);
  if (status == WAL_OK) status = wal_tight_forest(&k->market, c->power, q, k->flow);
  double low = INFINITY, high = -INFINITY;
  for (int j = 0; j < m; j++) low = fmin(low, q[j] - c->q[j]), high = fmax(high, q[j] - c->q[j]);
  *moved = high - low;
  return status;
}

static wal_status finish(const collection *c, const classes *k, const double *q, double *room,
                         wal_solution *solution) {
  polished *a;
  const wal_status status = make_allocation(c, k, q, &a);
  if (status != WAL_OK) return status;
  const double gap = certify(c, k, a, room);
  if (!(gap < solution->certified_gap)) {
    polished_destroy(&a->base);
    return wal_fail(WAL_E_DIVERGED, "gap %.3g of the exact prices; expected less than %.3g", gap,
                    solution->certified_gap);
  }
  memcpy(solution->price, a->price, (size_t)c->market->m * sizeof *a->price);
  wal_allocation_destroy(solution->allocation);
  solution->allocation = &a->base;
  solution->certified_gap = fmax(gap, 0.0);
  return WAL_OK;
}

/* One round: *done where the prices moved less than half of every decided buyer's margin; otherwise q is a
   better start and *near wider. */
static wal_status polish_round(const wal_market *market, double power, double *q, double *near,
                               double *room /* [3m] */, wal_solution *solution, bool *done) {
  const size_t m = (size_t)market->m;
  collection c = {.market = market,
                  .q = q,
                  .power = power,
                  .near = *near,
                  .money = room,
                  .lock = PTHREAD_MUTEX_INITIALIZER};
  classes k = {0};
  double *next = room + m, moved;
  wal_status status = solve_round(&c, &k, next, &moved);
  *done = status == WAL_OK && 2.0 * moved <= *near;
  if (*done) {
    status = finish(&c, &k, next, room + 2 * m, solution);
  } else if (status == WAL_OK && moved < 1.0) {
    memcpy(q, next, m * sizeof *q);
    *near = fmax(8.0 * *near, 4.0 * moved);
  } else {
    *near *= 64.0; /* from the same prices, with more buyers */
  }
  free_classes(&k);
  free(c.buyers);
  free(c.goods);
  return status;
}

wal_status wal_linear_polish(const wal_market *market, double power, const double *q,
                             wal_solution *solution) {
  enum { ROUNDS = 6 };
  const size_t m = (size_t)market->m;
  double *start = malloc(4 * m * sizeof *start);
  if (!start) return wal_fail(WAL_E_MEMORY, "no memory for %d prices", market->m);
  memcpy(start, q, m * sizeof *q);
  wal_status status = WAL_OK;
  double near = 8.0 / power;
  bool done = false;
  for (int round = 0; status == WAL_OK && !done && round < ROUNDS; round++) {
    if (round + 1 == ROUNDS) near = INFINITY;
    status = polish_round(market, power, start, &near, start + m, solution, &done);
  }
  free(start);
  return status;
}
