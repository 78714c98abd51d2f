#include "models/pricing/cells.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/lp.h"

/* A cell is a conjunction of: x_ij = 0, item j is full, the budget of i is spent. Each is counted, as several
   answers may ask for it; the linear program has the bounds of those counted. */
struct wal_stable_set {
  int n, m;
  double *cost;     /* [n, m] prices */
  double *money;    /* [n] 1, of buyers with budget 0: 0 */
  int *level;       /* [n, m] dense from 0, the best; -1: no value */
  int *class_of;    /* [m, n] dense from 0, the highest priority, among who values the item */
  int *levels;      /* [n] how many */
  int *classes;     /* [m] how many */
  bool by_items;    /* which way to cut */
  int *zero;        /* [n, m] counts */
  int *full;        /* [m] */
  int *spent;       /* [n] */
  bool moved;       /* bounds, since the last solve of this branch */
  wal_lp *lp;       /* column i m + j: x_ij; row j: item j; row m + i: buyer i; row m + n: revenue */
  int64_t programs; /* solved */
  int64_t limit;    /* of these; for one question most_programs */
  int64_t most_programs, cells;
  double best; /* the least found in this search */
  double *at;  /* [n, m] where; NULL: not wanted */
};

/* ---- preferences and priorities as dense numbers ---- */

typedef int (*compare_fn)(const wal_pricing_market *market, int line, int a, int b);

static int by_rank(const wal_pricing_market *market, int j, int a, int b) {
  return market->rank[j * market->n + a] - market->rank[j * market->n + b];
}

/* number[k] of count things in a line: how many different ones of those not at -1 come before. Returns how
   many different there are. */
static int number_line(compare_fn compare, const wal_pricing_market *market, int line, int count,
                       int *number) {
  int most = -1, unnumbered = 0;
  for (int k = 0; k < count; k++) unnumbered += number[k] >= 0;
  for (int k = 0; k < count; k++)
    if (number[k] >= 0) number[k] = INT32_MAX; /* not numbered yet */
  while (unnumbered > 0) {
    int first = -1;
    for (int k = 0; k < count; k++)
      if (number[k] == INT32_MAX && (first < 0 || compare(market, line, k, first) < 0)) first = k;
    most++;
    for (int k = 0; k < count; k++)
      if (number[k] == INT32_MAX && k != first && compare(market, line, k, first) == 0) {
        number[k] = most;
        unnumbered--;
      }
    number[first] = most;
    unnumbered--;
  }
  return most + 1;
}

static void number_all(wal_stable_set *set, const wal_pricing_market *market) {
  const int n = set->n, m = set->m;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++)
      set->level[i * m + j] = set->class_of[j * n + i] = market->value[i * m + j] > 0 ? 0 : -1;
  for (int i = 0; i < n; i++)
    set->levels[i] = number_line(wal_pricing_prefers, market, i, m, set->level + i * m);
  for (int j = 0; j < m; j++) set->classes[j] = number_line(by_rank, market, j, n, set->class_of + j * n);
}

static int64_t product(const int *factors, int count) {
  int64_t cells = 1;
  for (int k = 0; k < count; k++)
    if (__builtin_mul_overflow(cells, (int64_t)factors[k] + 1, &cells)) return INT64_MAX;
  return cells;
}

/* ---- making it ---- */

void wal_stable_set_destroy(wal_stable_set *set) {
  if (!set) return;
  wal_lp_destroy(set->lp);
  free(set->cost);
  free(set->money);
  free(set->level);
  free(set->class_of);
  free(set->levels);
  free(set->classes);
  free(set->zero);
  free(set->full);
  free(set->spent);
  free(set);
}

/* Without the program. */
static wal_stable_set *set_alloc(const wal_pricing_market *market) {
  const size_t n = (size_t)market->n, m = (size_t)market->m;
  wal_stable_set *set = calloc(1, sizeof *set);
  if (!set) return NULL;
  set->n = market->n;
  set->m = market->m;
  set->cost = malloc(n * m * sizeof *set->cost);
  set->money = malloc(n * sizeof *set->money);
  set->level = malloc(n * m * sizeof *set->level);
  set->class_of = malloc(n * m * sizeof *set->class_of);
  set->levels = malloc(n * sizeof *set->levels);
  set->classes = malloc(m * sizeof *set->classes);
  set->zero = calloc(n * m, sizeof *set->zero);
  set->full = calloc(m, sizeof *set->full);
  set->spent = calloc(n, sizeof *set->spent);
  if (set->cost && set->money && set->level && set->class_of && set->levels && set->classes && set->zero &&
      set->full && set->spent)
    return set;
  wal_stable_set_destroy(set);
  return NULL;
}

/* What a buyer spends is counted in its budgets: rows near 1. */
static bool make_program(wal_stable_set *set, const wal_pricing_market *market) {
  const int n = set->n, m = set->m;
  if (!(set->lp = wal_lp_create(false))) return false;
  for (int k = 0; k < n * m; k++) wal_lp_column(set->lp, 0, set->level[k] >= 0, 0);
  for (int j = 0; j < m; j++) wal_lp_row(set->lp, -INFINITY, 1);
  for (int i = 0; i < n; i++) {
    set->money[i] = market->budget[i] > 0;
    wal_lp_row(set->lp, -INFINITY, set->money[i]);
  }
  wal_lp_row(set->lp, -INFINITY, INFINITY);
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++) {
      const double unit = market->budget[i] > 0 ? market->budget[i] : 1;
      wal_lp_set(set->lp, j, i * m + j, 1);
      wal_lp_set(set->lp, m + i, i * m + j, market->price[i * m + j] / unit);
      wal_lp_set(set->lp, m + n, i * m + j, market->price[i * m + j]);
    }
  return true;
}

/* Prices in budgets are finite. */
static wal_status check_scale(const wal_pricing_market *market) {
  for (int i = 0; i < market->n; i++)
    for (int j = 0; j < market->m; j++)
      if (market->budget[i] > 0 && !isfinite(market->price[i * market->m + j] / market->budget[i]))
        return wal_fail(WAL_E_UNSUPPORTED,
                        "buyer %d, item %d: price %g and budget %g are too far apart for a linear program; "
                        "numbers nearer to 1 help",
                        i, j, market->price[i * market->m + j], market->budget[i]);
  return WAL_OK;
}

static int64_t fewer_cells(wal_stable_set *set) {
  const int64_t by_buyers = product(set->levels, set->n), by_items = product(set->classes, set->m);
  set->by_items = by_items < by_buyers;
  return set->by_items ? by_items : by_buyers;
}

static wal_status no_memory(const wal_pricing_market *market) {
  return wal_fail(WAL_E_MEMORY, "no memory for the stable set of %d buyers and %d items", market->n,
                  market->m);
}

wal_status wal_stable_set_create(const wal_pricing_market *market, const wal_cells_options *options,
                                 wal_stable_set **out) {
  const int64_t most = options && options->most_cells > 0 ? options->most_cells : 1000000000;
  const wal_status status = check_scale(market);
  *out = NULL;
  if (status != WAL_OK) return status;
  wal_stable_set *set = set_alloc(market);
  if (!set) return no_memory(market);
  number_all(set, market);
  memcpy(set->cost, market->price, (size_t)set->n * (size_t)set->m * sizeof *set->cost);
  const int64_t cells = set->cells = fewer_cells(set);
  set->most_programs = options && options->most_programs > 0 ? options->most_programs : 1000000;
  if (cells > most) {
    wal_stable_set_destroy(set);
    return wal_fail(WAL_E_UNSUPPORTED,
                    "the stable set of %d buyers and %d items has %s%lld cells; expected at most %lld (a "
                    "smaller market, or more ties, has fewer)",
                    market->n, market->m, cells == INT64_MAX ? "more than " : "", (long long)cells,
                    (long long)most);
  }
  if (!make_program(set, market)) {
    wal_stable_set_destroy(set);
    return no_memory(market);
  }
  *out = set;
  return WAL_OK;
}

int64_t wal_stable_cells(const wal_pricing_market *market) {
  wal_stable_set *set = set_alloc(market);
  if (!set) return INT64_MAX;
  number_all(set, market);
  const int64_t cells = fewer_cells(set);
  wal_stable_set_destroy(set);
  return cells;
}

int64_t wal_stable_set_programs(const wal_stable_set *set) { return set->programs; }

/* ---- what an answer asks for; by = 1 puts it in, by = -1 takes it out ---- */

/* Counts; true: it has become or ceased to be asked for. */
static bool count(wal_stable_set *set, int *counter, int by) {
  const bool before = *counter > 0;
  *counter += by;
  if (before == (*counter > 0)) return false;
  set->moved = true;
  return true;
}

static void ask_zero(wal_stable_set *set, int i, int j, int by) {
  const int k = i * set->m + j;
  if (set->level[k] >= 0 && count(set, &set->zero[k], by))
    wal_lp_bound_column(set->lp, k, 0, set->zero[k] > 0 ? 0 : 1);
}

static void ask_full(wal_stable_set *set, int j, int by) {
  if (count(set, &set->full[j], by)) wal_lp_bound_row(set->lp, j, set->full[j] > 0 ? 1 : -INFINITY, 1);
}

static void ask_spent(wal_stable_set *set, int i, int by) {
  const int row = set->m + i;
  if (count(set, &set->spent[i], by))
    wal_lp_bound_row(set->lp, row, set->spent[i] > 0 ? set->money[i] : -INFINITY, set->money[i]);
}

/* Nobody below a priority holds a part of item j. */
static void ask_none_below(wal_stable_set *set, int j, int class_of, int by) {
  for (int k = 0; k < set->n; k++)
    if (set->class_of[j * set->n + k] > class_of) ask_zero(set, k, j, by);
}

static void ask_none_worse(wal_stable_set *set, int i, int level, int by) {
  for (int k = 0; k < set->m; k++)
    if (set->level[i * set->m + k] > level) ask_zero(set, i, k, by);
}

/* Answer of buyer i: `level` is the worst that it may hold; levels[i]: everything is closed to it. */
static void answer_buyer(wal_stable_set *set, int i, int level, int by) {
  for (int j = 0; j < set->m; j++) {
    const int own = set->level[i * set->m + j];
    if (own < 0 || own >= level) continue;
    ask_full(set, j, by);
    ask_none_below(set, j, set->class_of[j * set->n + i], by);
  }
  ask_none_worse(set, i, level, by);
  if (level < set->levels[i]) ask_spent(set, i, by);
}

/* Answer of item j: sold out down to a priority; classes[j]: not sold out. Who comes before it finds the item
   open: has spent its budget, on nothing worse. */
static void answer_item(wal_stable_set *set, int j, int class_of, int by) {
  if (class_of < set->classes[j]) ask_full(set, j, by);
  ask_none_below(set, j, class_of, by);
  for (int i = 0; i < set->n; i++) {
    const int own = set->class_of[j * set->n + i];
    if (own < 0 || own >= class_of) continue;
    ask_spent(set, i, by);
    ask_none_worse(set, i, set->level[i * set->m + j], by);
  }
}

/* ---- the search ---- */

/* The program of the answers so far; *cut: no point, or none better than the best. */
static wal_status bound(wal_stable_set *set, bool *cut) {
  wal_lp_outcome outcome;
  if (set->programs >= set->limit)
    return wal_fail(
        WAL_E_UNSUPPORTED,
        "the stable set of %d buyers and %d items has %lld cells, and %lld linear programs did not "
        "settle them; expected a smaller market, or one with more ties",
        set->n, set->m, (long long)set->cells, (long long)set->most_programs);
  const wal_status status = wal_lp_solve(set->lp, &outcome);
  set->programs++;
  *cut = status != WAL_OK || outcome != WAL_LP_OPTIMAL;
  if (*cut || !isfinite(set->best)) return status;
  *cut = wal_lp_objective(set->lp) >= set->best - 1e-13 * (1 + fabs(set->best));
  return WAL_OK;
}

static void keep(wal_stable_set *set) {
  set->best = wal_lp_objective(set->lp);
  for (int k = 0; set->at && k < set->n * set->m; k++)
    set->at[k] = fmin(fmax(wal_lp_value(set->lp, k), 0), 1);
}

static wal_status search(wal_stable_set *set, int question, bool solved) {
  bool cut = false;
  wal_status status = solved ? WAL_OK : bound(set, &cut);
  if (status != WAL_OK || cut) return status;
  if (question == (set->by_items ? set->m : set->n)) {
    if (solved) status = bound(set, &cut); /* the program holds another branch's answer */
    if (status == WAL_OK && !cut) keep(set);
    return status;
  }
  const int answers = (set->by_items ? set->classes : set->levels)[question];
  void (*answer)(wal_stable_set *, int, int, int) = set->by_items ? answer_item : answer_buyer;
  for (int k = 0; k <= answers && status == WAL_OK; k++) {
    set->moved = false;
    answer(set, question, k, 1);
    status = search(set, question + 1, !set->moved);
    answer(set, question, k, -1);
  }
  return status;
}

/* The least of the program's objective, and where. */
static wal_status least_cost(wal_stable_set *set, double *value, double *x) {
  set->limit = set->programs + set->most_programs;
  set->best = INFINITY;
  set->at = x;
  const wal_status status = search(set, 0, false);
  if (status != WAL_OK) return status;
  if (!isfinite(set->best))
    return wal_fail(WAL_E_DIVERGED,
                    "no cell of the stable set of %d buyers and %d items has a point to rounding; numbers "
                    "nearer to 1 help",
                    set->n, set->m);
  *value = set->best;
  return WAL_OK;
}

static wal_status least(wal_stable_set *set, const double *c, double sign, double *value, double *x) {
  for (int k = 0; k < set->n * set->m; k++) wal_lp_cost(set->lp, k, sign * c[k]);
  const wal_status status = least_cost(set, value, x);
  if (status == WAL_OK) *value *= sign;
  return status;
}

wal_status wal_stable_set_least(wal_stable_set *set, const double *c, double *value, double *x) {
  return least(set, c, 1, value, x);
}

wal_status wal_stable_set_most(wal_stable_set *set, const double *c, double *value, double *x) {
  return least(set, c, -1, value, x);
}

wal_status wal_stable_set_keep_best(wal_stable_set *set) {
  double revenue;
  const wal_status status = wal_stable_set_most(set, set->cost, &revenue, NULL);
  if (status == WAL_OK) wal_lp_bound_row(set->lp, set->m + set->n, revenue - 1e-11 * (1 + revenue), INFINITY);
  return status;
}

/* By a column t >= 0 and rows <c_k, x> + t >= wanted[k]. */
wal_status wal_stable_set_keep_nearest(wal_stable_set *set, int count, const double *c, const double *wanted,
                                       double *shortfall) {
  const int pairs = set->n * set->m, t = wal_lp_column(set->lp, 0, INFINITY, 1), first = wal_lp_rows(set->lp);
  for (int e = 0; e < pairs; e++) wal_lp_cost(set->lp, e, 0);
  for (int k = 0; k < count; k++) {
    wal_lp_row(set->lp, wanted[k], INFINITY);
    for (int e = 0; e < pairs; e++) wal_lp_set(set->lp, first + k, e, c[k * pairs + e]);
    wal_lp_set(set->lp, first + k, t, 1);
  }
  const wal_status status = least_cost(set, shortfall, NULL);
  wal_lp_cost(set->lp, t, 0);
  if (status == WAL_OK) wal_lp_bound_column(set->lp, t, 0, *shortfall + 1e-11 * (1 + *shortfall));
  return status;
}

/* ---- in one call ---- */

void wal_stable_range_destroy(wal_stable_range *range) {
  if (!range) return;
  wal_pricing_allocation_destroy(&range->at_low);
  wal_pricing_allocation_destroy(&range->at_high);
  *range = (wal_stable_range){0};
}

static wal_status objective(const wal_pricing_market *market, const double *c,
                            const wal_cells_options *options, bool at_best, wal_stable_range *out) {
  wal_stable_set *set = NULL;
  *out = (wal_stable_range){0};
  wal_status status = wal_pricing_allocation_create(market->n, market->m, false, &out->at_low);
  if (status == WAL_OK) status = wal_pricing_allocation_create(market->n, market->m, false, &out->at_high);
  if (status == WAL_OK) status = wal_stable_set_create(market, options, &set);
  if (status == WAL_OK && at_best) status = wal_stable_set_keep_best(set);
  if (status == WAL_OK) status = wal_stable_set_least(set, c, &out->low, out->at_low.x);
  if (status == WAL_OK) status = wal_stable_set_most(set, c, &out->high, out->at_high.x);
  wal_stable_set_destroy(set);
  if (status != WAL_OK) wal_stable_range_destroy(out);
  return status;
}

wal_status wal_stable_objective(const wal_pricing_market *market, const double *c,
                                const wal_cells_options *options, wal_stable_range *out) {
  return objective(market, c, options, false, out);
}

wal_status wal_stable_objective_at_best(const wal_pricing_market *market, const double *c,
                                        const wal_cells_options *options, wal_stable_range *out) {
  return objective(market, c, options, true, out);
}

/* The widest share, c[n, m] zeros. */
static wal_status widest_share(wal_stable_set *set, double *c, double *widest) {
  wal_status status = WAL_OK;
  *widest = 0;
  for (int k = 0; k < set->n * set->m && status == WAL_OK; k++) {
    double low = 0, high = 0;
    if (set->level[k] < 0) continue;
    c[k] = 1;
    status = wal_stable_set_least(set, c, &low, NULL);
    if (status == WAL_OK) status = wal_stable_set_most(set, c, &high, NULL);
    c[k] = 0;
    *widest = fmax(*widest, high - low);
  }
  return status;
}

wal_status wal_stable_unique(const wal_pricing_market *market, const wal_cells_options *options, bool *unique,
                             double *widest) {
  wal_stable_set *set;
  wal_status status = wal_stable_set_create(market, options, &set);
  if (status != WAL_OK) return status;
  double *c = calloc((size_t)market->n * (size_t)market->m, sizeof *c);
  status = c ? widest_share(set, c, widest) : no_memory(market);
  if (status == WAL_OK) *unique = *widest <= 1e-7;
  free(c);
  wal_stable_set_destroy(set);
  return status;
}
