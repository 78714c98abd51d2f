/* PACE, pacing according to current estimated utility (Gao, Peysakhovich and Kroer 2021): items arrive one at
   a time and are sold at once, in a first-price auction with paced bids. Here an item is a unit of good j
   with probability Y_j / Y, Y = sum_j Y_j, drawn independently. After t items of which buyer i won some, of
   utility U_i together, it expects Y U_i / t of the whole supply and bids b_i v_ij with b_i = min(h_i, B_i t
   / (Y U_i)),   h_i = 1.05 sum_k B_k / sum_j v_ij Y_j;   quasilinear: h_i <= 1 too. This is dual averaging on
   the dual of the Eisenberg-Gale program. h_i bounds its solution, because u_i is at least a share B_i /
   sum_k B_k of all goods. (The paper's lower bound on b_i, which matters only while a buyer has won more than
   the supply of its goods, is left out.) Proven: E |b - b*|^2 = O(log t / t), the same for mean utilities and
   spending, hence for the gap, which is of second order in these.

   The answer is what buyers have won, scaled to the supply good by good, and the winning bids for one more
   item of each good; its gap is certified at n items and whenever their number has doubled.

   An item changes one U_i, and all other b_i below h_i grow like t. So two tournaments per good hold its best
   bids: of the buyers below h_i by b_i v_ij / t, of those at h_i by h_i v_ij; and one more tells who reaches
   h_i next. An item costs O(m log n). */
#include <math.h>
#include <stdlib.h>

#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "models/market/solvers.h"
#include "models/market/welfare.h"

/* ---- tournaments: the largest of n keys >= 0, and whose it is ---- */

/* key[2n]: node k in [1, n) holds the larger of nodes 2k and 2k + 1, node n + i the key of i. */
static void tournament_set(double *key, int64_t n, int64_t i, double value) {
  int64_t k = n + i;
  key[k] = value;
  for (k /= 2; k > 0; k /= 2) {
    const double larger = key[2 * k] > key[2 * k + 1] ? key[2 * k] : key[2 * k + 1];
    if (key[k] == larger) return;
    key[k] = larger;
  }
}

static double tournament_best(const double *key) { return key[1]; }

static int64_t tournament_winner(const double *key, int64_t n) {
  int64_t k = 1;
  while (k < n) k = key[2 * k] == key[k] ? 2 * k : 2 * k + 1;
  return k - n;
}

/* ---- what buyers have won ---- */

typedef struct {
  wal_allocation base;
  const wal_market *market; /* borrowed */
  double *won;              /* [n, m] items */
  double *arrived;          /* [m] items */
} won_items;

static wal_status won_fill(const wal_allocation *allocation, int64_t lo, int64_t hi, double *x) {
  const won_items *a = (const won_items *)allocation;
  const int m = a->market->m;
  for (int64_t k = 0; k < (hi - lo) * m; k++) {
    const int j = (int)(k % m);
    x[k] = a->arrived[j] > 0.0 ? a->won[lo * m + k] * (a->market->supply[j] / a->arrived[j]) : 0.0;
  }
  return WAL_OK;
}

static void won_destroy(wal_allocation *allocation) {
  free(((won_items *)allocation)->won);
  free(((won_items *)allocation)->arrived);
  free(allocation);
}

static const wal_allocation_ops won_ops = {"won items", won_fill, won_destroy};

/* ---- one item ---- */

typedef struct {
  const wal_market *market;
  const wal_solver_options *options;
  const wal_trace *trace;
  won_items *items;
  int64_t t;          /* items so far */
  double total;       /* Y */
  double *cumulative; /* [m] Y_0 + ... + Y_j */
  double *v;          /* [n, m] */
  double *budget;     /* [n] */
  double *bound;      /* [n] h_i */
  double *utility;    /* [n] U_i */
  double *below;      /* [m, 2n] tournaments of buyers below h_i: b_i v_ij / t */
  double *at_bound;   /* [m, 2n] of buyers at h_i: h_i v_ij */
  double *next;       /* [2n] of buyers below h_i: 1 / (the t where they reach it) */
} pace;

/* Enters buyer i where its present b_i belongs. */
static void enter(pace *s, int64_t i) {
  const int64_t n = s->market->n;
  const int m = s->market->m;
  const double rate = s->budget[i] / (s->total * s->utility[i]); /* b_i / t; infinite where U_i is 0 */
  const double soon = rate / s->bound[i];                        /* 1 / (the t where it is h_i) */
  const bool bounded = s->utility[i] == 0.0 || soon * (double)s->t >= 1.0;
  for (int j = 0; j < m; j++) {
    const double v = s->v[i * m + j];
    tournament_set(s->below + 2 * n * j, n, i, bounded ? 0.0 : rate * v);
    tournament_set(s->at_bound + 2 * n * j, n, i, bounded ? s->bound[i] * v : 0.0);
  }
  tournament_set(s->next, n, i, bounded ? 0.0 : soon);
}

/* The highest bid for good j, and whose it is. */
static double highest_bid(const pace *s, int j, int64_t *winner) {
  const int64_t n = s->market->n;
  const double *below = s->below + 2 * n * j, *at_bound = s->at_bound + 2 * n * j;
  const double free_bid = tournament_best(below) * (double)s->t, bound_bid = tournament_best(at_bound);
  *winner = tournament_winner(free_bid > bound_bid ? below : at_bound, n);
  return fmax(free_bid, bound_bid);
}

static void sell(pace *s, int j) {
  int64_t i;
  highest_bid(s, j, &i);
  const int64_t at = i * s->market->m + j;
  s->t++;
  s->utility[i] += s->v[at];
  s->items->won[at] += 1.0;
  s->items->arrived[j] += 1.0;
  enter(s, i);
  while (tournament_best(s->next) * (double)s->t >= 1.0) enter(s, tournament_winner(s->next, s->market->n));
}

/* The good of the next item. */
static int arrival(const pace *s) {
  const double at = s->total * wal_rng_uniform(s->options->seed, WAL_STREAM_ITEMS, (uint64_t)s->t);
  int lo = 0, hi = s->market->m - 1;
  while (lo < hi) {
    const int middle = (lo + hi) / 2;
    if (s->cumulative[middle] < at)
      lo = middle + 1;
    else
      hi = middle;
  }
  return lo;
}

/* ---- the method ---- */

static wal_status load_body(void *context, int64_t lo, int64_t hi, double *money) {
  pace *s = context;
  const wal_status status =
      s->market->buyers->ops->rows(s->market->buyers, lo, hi, s->v + lo * s->market->m, s->budget + lo);
  for (int64_t i = lo; status == WAL_OK && i < hi; i++) money[0] += s->budget[i];
  return status;
}

/* Before the first item everybody bids h_i v_ij. */
static wal_status start(pace *s) {
  const int m = s->market->m;
  double money;
  const wal_status status = wal_sum_chunks(s->market->n, 1, load_body, s, &money);
  if (status != WAL_OK) return status;
  for (int j = 0; j < m; j++) s->cumulative[j] = s->total += s->market->supply[j];
  for (int64_t i = 0; i < s->market->n; i++) {
    double worth = 0.0;
    for (int j = 0; j < m; j++) worth += s->v[i * m + j] * s->market->supply[j];
    s->bound[i] = 1.05 * money / worth;
    if (s->market->quasilinear) s->bound[i] = fmin(s->bound[i], 1.0);
    enter(s, i);
  }
  int64_t winner;
  for (int j = 0; j < m; j++)
    if (highest_bid(s, j, &winner) == 0.0)
      return wal_fail(WAL_E_INPUT,
                      "no buyer values good %d; expected at least one positive value (or leave it out)", j);
  return WAL_OK;
}

/* The gap of the present answer; infinite while some buyer has won nothing or some good has not come. */
static wal_status certify(pace *s, wal_solution *solution) {
  int64_t winner;
  for (int j = 0; j < s->market->m; j++) solution->price[j] = highest_bid(s, j, &winner);
  wal_measures measures;
  const wal_status status = wal_measure(s->market, solution->allocation, solution->price, &measures);
  if (status != WAL_OK && status != WAL_E_DIVERGED) return status;
  solution->certified_gap = status == WAL_OK ? fmax(measures.nash_gap, 0.0) : INFINITY;
  solution->iterations = s->t;
  static const char *const names[] = {"items", "gap"};
  const double values[] = {(double)s->t, solution->certified_gap};
  wal_trace_row(s->trace, 2, names, values);
  wal_trace_state(s->trace, s->t, solution->allocation, solution->price);
  return WAL_OK;
}

static wal_status iterate(pace *s, wal_solution *solution) {
  const int64_t asked = s->options->pace.items, most = asked > 0 ? asked : (int64_t)1 << 30;
  const double tol = s->options->pace.tol;
  for (int64_t due = s->market->n;; due *= 2) {
    while (s->t < due && s->t < most) sell(s, arrival(s));
    const wal_status status = certify(s, solution);
    if (status != WAL_OK || (asked == 0 && solution->certified_gap <= tol)) return status;
    wal_trace_progress(s->trace, asked > 0 ? (double)s->t / (double)most : tol / solution->certified_gap,
                       "items");
    if (s->t == most) break;
  }
  if (isinf(solution->certified_gap)) return wal_fail_in(WAL_E_DIVERGED, "%lld items: ", (long long)s->t);
  if (asked > 0) return WAL_OK;
  return wal_fail(WAL_E_DIVERGED, "gap %.3g after %lld items; expected %g (pace.tol)",
                  solution->certified_gap, (long long)s->t, tol);
}

/* ---- the solver ---- */

static wal_status allocate(pace *s, wal_solution *solution) {
  const size_t n = (size_t)s->market->n, m = (size_t)s->market->m;
  s->items->won = calloc(n * m, sizeof *s->items->won);
  s->items->arrived = calloc(m, sizeof *s->items->arrived);
  solution->price = malloc(m * sizeof *solution->price);
  s->v = calloc(5 * n * m + 5 * n + m, sizeof *s->v);
  if (!s->items->won || !s->items->arrived || !solution->price || !s->v)
    return wal_fail(WAL_E_MEMORY, "no memory for bids of %zu buyers for %zu goods (%.3g GB)", n, m,
                    48e-9 * (double)n * (double)m);
  s->below = s->v + n * m;
  s->at_bound = s->below + 2 * n * m;
  s->next = s->at_bound + 2 * n * m;
  s->budget = s->next + 2 * n;
  s->bound = s->budget + n;
  s->utility = s->bound + n;
  s->cumulative = s->utility + n;
  return WAL_OK;
}

static wal_status solve(const wal_market *market, const wal_solver_options *options, const wal_trace *trace,
                        wal_solution *solution) {
  *solution = (wal_solution){.certified_gap = NAN};
  won_items *items = calloc(1, sizeof *items);
  if (!items) return wal_fail(WAL_E_MEMORY, "no memory for items");
  items->base.ops = &won_ops;
  items->market = market;
  solution->allocation = &items->base;
  pace s = {.market = market, .options = options, .trace = trace, .items = items};
  wal_status status = allocate(&s, solution);
  if (status == WAL_OK) status = start(&s);
  if (status == WAL_OK) status = iterate(&s, solution);
  free(s.v);
  if (status != WAL_OK) wal_solution_destroy(solution);
  return status;
}

const wal_solver wal_solver_pace = {"pace",
                                    "PACE",
                                    "Gao, Peysakhovich and Kroer 2021",
                                    .alpha = "1",
                                    .sizes = "48 bytes per buyer and good",
                                    .seam = "",
                                    .quasilinear = true,
                                    .solve = solve};
