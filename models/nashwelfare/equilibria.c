#include "models/nashwelfare/equilibria.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/rng.h"
#include "models/nashwelfare/lemke.h"
#include "models/nashwelfare/money.h"

wal_equilibria_options wal_equilibria_defaults(void) {
  return (wal_equilibria_options){.most = 8, .attempts = 16, .seed = 1, .tol = 1e-7, .same = 1e-5};
}

static void equilibrium_destroy(wal_equilibrium *e) {
  free(e->x);
  free(e->p);
  free(e->u);
  *e = (wal_equilibrium){0};
}

void wal_equilibria_destroy(wal_equilibria *equilibria) {
  if (!equilibria) return;
  for (int k = 0; k < equilibria->count; k++) equilibrium_destroy(&equilibria->list[k]);
  free(equilibria->list);
  *equilibria = (wal_equilibria){0};
}

/* One search: the market as money flows, the covering vector in use, and what was found so far. */
typedef struct {
  const wal_nw_market *market;
  const wal_equilibria_options *options;
  wal_money money;
  wal_lemke *lemke;
  wal_lemke_end end; /* of the last path */
  double *d;         /* [lcp.n] covering vector */
  int *order;        /* [lcp.n] of ties */
  double *draw;      /* [2 m + 2 n + capped] floors, shares, ebbs, keys of ties */
  bool *basis;       /* [most, lcp.n] where the path of list[k] ended */
  wal_equilibria found;
} wal_search;

static void search_end(wal_search *s) {
  wal_money_destroy(&s->money);
  wal_lemke_destroy(s->lemke);
  wal_lemke_end_destroy(&s->end);
  free(s->d);
  free(s->order);
  free(s->draw);
  free(s->basis);
}

static wal_status search_begin(wal_search *s) {
  wal_status status = wal_money_create(s->market, &s->money);
  if (status) return status;
  size_t rows = (size_t)s->money.lcp.n, most = (size_t)s->options->most;
  s->lemke = wal_lemke_create(&s->money.lcp);
  s->d = malloc(rows * sizeof(double));
  s->order = malloc(rows * sizeof(int));
  s->draw = malloc((size_t)(2 * s->market->m + 2 * s->market->n + s->money.capped) * sizeof(double));
  s->basis = malloc(most * rows * sizeof(bool));
  s->found.list = calloc(most, sizeof(wal_equilibrium));
  if (!s->lemke || !s->d || !s->order || !s->draw || !s->basis || !s->found.list)
    return wal_fail(WAL_E_MEMORY, "no memory for a search over %zu rows", rows);
  return wal_lemke_end_create((int)rows, &s->end);
}

/* Covering vector number k: floors on prices that are the further apart the larger k is. Ties favour prices
   (0), free goods (1), or what the draw says. */
static void search_cover(wal_search *s, int k) {
  int n = s->market->n, m = s->market->m, capped = s->money.capped, width = 2 * m + 2 * n + capped;
  double total = 0, spread = fmin(4, 0.25 * (1 + k)), *share = s->draw + m, *ebb = share + n, *key = ebb + n;
  for (int i = 0; i < n; i++) total += s->market->budget[i];
  for (int c = 0; c < width; c++)
    s->draw[c] =
        wal_rng_uniform(s->options->seed, WAL_STREAM_SEARCH, (uint64_t)k * (uint64_t)width + (uint64_t)c);
  for (int j = 0; j < m; j++) s->draw[j] = total / m * exp(spread * (2 * s->draw[j] - 1));
  for (int i = 0; i < n; i++) share[i] = 0.1 + 0.8 * share[i];
  for (int i = 0; i < n; i++) ebb[i] = s->market->budget[i] * (0.5 + ebb[i]);
  for (int r = 0; k < 2 && r < capped + m; r++) key[r] = (r < capped) == (k == 1);
  wal_money_cover(&s->money, s->draw, share, ebb, s->d);
  wal_money_order(&s->money, key, s->order);
}

/* The number of the equilibrium with these prices; -1: a new one. */
static int search_known(const wal_search *s, const double *p) {
  double total = 0;
  for (int i = 0; i < s->market->n; i++) total += s->market->budget[i];
  for (int k = 0; k < s->found.count; k++) {
    double apart = 0;
    for (int j = 0; j < s->market->m; j++) apart = fmax(apart, fabs(p[j] - s->found.list[k].p[j]));
    if (apart <= s->options->same * total) return k;
  }
  return -1;
}

/* Nearly singular ends of paths divide by nothing. */
static bool all_finite(const double *values, int count) {
  for (int k = 0; k < count; k++)
    if (!isfinite(values[k])) return false;
  return true;
}

/* Checks what is in e and keeps it where it is an equilibrium with new prices; *number: which it is, -1 none.
 */
static wal_status search_judge(wal_search *s, wal_equilibrium *e, int *number) {
  *number = search_known(s, e->p);
  if (*number >= 0 || s->found.count == s->options->most) return WAL_OK;
  if (!all_finite(e->p, s->market->m) || !all_finite(e->x, s->market->n * s->market->m)) return WAL_OK;
  wal_status status = wal_ce_check(s->market, e->x, e->p, &e->report);
  if (status) return status;
  if (!wal_ce_holds(&e->report, s->options->tol) || !wal_ce_thrifty(&e->report, s->options->tol))
    return WAL_OK;
  for (int i = 0; i < s->market->n; i++)
    e->u[i] = wal_utility_value(s->market->utility[i], e->x + (size_t)i * (size_t)s->market->m);
  *number = s->found.count++;
  s->found.list[*number] = *e;
  *e = (wal_equilibrium){0};
  size_t rows = (size_t)s->money.lcp.n;
  memcpy(s->basis + (size_t)*number * rows, s->end.basic, rows * sizeof(bool));
  return WAL_OK;
}

/* Follows one path of the covering vector in use, from its ray or from equilibrium number `from`. */
static wal_status search_path(wal_search *s, int from, int *number) {
  size_t rows = (size_t)s->money.lcp.n, n = (size_t)s->market->n, m = (size_t)s->market->m;
  *number = -1;
  int pivots = 1000 + 20 * (int)rows;
  const bool *start = from < 0 ? NULL : s->basis + (size_t)from * rows;
  if (wal_lemke_follow(s->lemke, s->d, s->order, start, pivots, &s->end) != WAL_LEMKE_SOLVED) return WAL_OK;
  wal_equilibrium e = {malloc(n * m * sizeof(double)),
                       malloc(m * sizeof(double)),
                       malloc(n * sizeof(double)),
                       {.worst_agent = 0}};
  wal_status status = e.x && e.p && e.u ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for an equilibrium");
  if (!status) {
    wal_money_read(&s->money, &s->end, e.p, e.x);
    status = search_judge(s, &e, number);
  }
  equilibrium_destroy(&e);
  return status;
}

/* The path of covering vector k from its ray ends in one equilibrium. The others are paired by paths of it,
   so that from each of them found before there is one to another. */
static wal_status search_attempt(wal_search *s, int k) {
  int end, other;
  search_cover(s, k);
  wal_status status = search_path(s, -1, &end);
  for (int from = 0; !status && from < s->found.count && s->found.count < s->options->most; from++)
    if (from != end) status = search_path(s, from, &other);
  return status;
}

static wal_status options_check(const wal_equilibria_options *options) {
  if (options->most < 1)
    return wal_fail(WAL_E_INPUT, "most is %d; expected at least 1 (4 works)", options->most);
  if (options->attempts < 1)
    return wal_fail(WAL_E_INPUT, "attempts is %d; expected at least 1 (8 works)", options->attempts);
  if (!(options->tol > 0))
    return wal_fail(WAL_E_INPUT, "tol is %g; expected above 0 (1e-7 works)", options->tol);
  if (!(options->same > 0))
    return wal_fail(WAL_E_INPUT, "same is %g; expected above 0 (1e-5 works)", options->same);
  return WAL_OK;
}

static void equilibria_sort(wal_equilibria *e, int m) {
  for (int k = 1; k < e->count; k++)
    for (int l = k; l > 0; l--) {
      int j = 0;
      while (j < m - 1 && e->list[l].p[j] == e->list[l - 1].p[j]) j++;
      if (e->list[l].p[j] >= e->list[l - 1].p[j]) break;
      wal_equilibrium swap = e->list[l];
      e->list[l] = e->list[l - 1];
      e->list[l - 1] = swap;
    }
}

wal_status wal_equilibria_find(const wal_nw_market *market, const wal_equilibria_options *options,
                               wal_equilibria *out) {
  wal_equilibria_options defaults = wal_equilibria_defaults();
  *out = (wal_equilibria){0};
  wal_search s = {.market = market, .options = options ? options : &defaults};
  wal_status status = wal_nw_market_check(market);
  if (!status) status = options_check(s.options);
  if (!status) status = search_begin(&s);
  for (int k = 0; !status && k < s.options->attempts && s.found.count < s.options->most; k++)
    status = search_attempt(&s, k);
  search_end(&s);
  if (status) {
    wal_equilibria_destroy(&s.found);
    return status;
  }
  equilibria_sort(&s.found, market->m);
  *out = s.found;
  return WAL_OK;
}

/* The least and the most that one agent's thrifty demand holds of good j; work[2 m]. Where a segment is
   almost as good as the best point the set is too thin for a simplex method, and is widened until a point is
   found.
 */
static wal_status demand_range(const wal_nw_market *market, int agent, const wal_demand_set *set,
                               const double *p, int j, double *work, double range[2]) {
  const wal_utility *u = market->utility[agent];
  double *c = work, *x = work + market->m;
  memset(c, 0, (size_t)market->m * sizeof(double));
  range[1] = INFINITY;
  for (int side = 0; side < (p[j] > 0 ? 2 : 1); side++) {
    bool found = false;
    c[j] = side ? -1 : 1;
    for (double slack = 1e-9; !found && slack < 1e-5; slack *= 10) {
      const wal_demand_set wide = {set->utility * (1 - slack), set->cost * (1 + slack)};
      wal_status status = wal_demand_pick(u, p, &wide, c, NULL, NULL, x, &found);
      if (status) return status;
    }
    if (!found) return wal_fail(WAL_E_DIVERGED, "agent %d: no point in its demand set", agent);
    range[side] = x[j];
  }
  return WAL_OK;
}

static wal_status prices_check(const wal_nw_market *market, const double *p) {
  double most = 0;
  for (int j = 0; j < market->m; j++) {
    if (!(p[j] >= 0) || !isfinite(p[j]))
      return wal_fail(WAL_E_INPUT, "the price of good %d is %g; expected 0 or more (1 works)", j, p[j]);
    most = fmax(most, p[j]);
  }
  return most > 0 ? WAL_OK : wal_fail(WAL_E_INPUT, "every price is 0; expected one above 0 (1 works)");
}

wal_status wal_excess_demand(const wal_nw_market *market, const double *p, double *low, double *high) {
  int m = market->m;
  wal_status status = prices_check(market, p);
  if (status) return status;
  double *work = malloc(2 * (size_t)m * sizeof(double)), range[2];
  if (!work) return wal_fail(WAL_E_MEMORY, "no memory for demands");
  for (int j = 0; j < m; j++) low[j] = high[j] = -1;
  for (int i = 0; !status && i < market->n; i++) {
    wal_demand_set set;
    status = wal_demand_thrifty(market->utility[i], p, market->budget[i], &set);
    bool unbounded = !status && isinf(set.utility);
    for (int j = 0; !status && j < m; j++) {
      range[0] = range[1] = INFINITY;
      if (!unbounded) status = demand_range(market, i, &set, p, j, work, range);
      low[j] += range[0];
      high[j] += range[1];
    }
  }
  free(work);
  return status;
}

wal_status wal_price_scale(const wal_nw_market *market, const double *direction, double *scale) {
  int n = market->n;
  double sum = 0, money = 0;
  wal_status status = prices_check(market, direction);
  double *cost = malloc((size_t)n * sizeof(double));
  if (!status && !cost) status = wal_fail(WAL_E_MEMORY, "no memory for costs");
  for (int j = 0; j < market->m; j++) sum += direction[j];
  for (int i = 0; !status && i < n; i++) {
    cost[i] = INFINITY;
    money += market->budget[i];
    if (isfinite(market->utility[i]->satiation))
      status = wal_demand_cost(market->utility[i], direction, market->utility[i]->satiation, &cost[i]);
  }
  /* sum_i min{b_i, t C_i} / t falls in t to sum_i b_i / t: Newton from above on what is concave and piecewise
     linear in t ends after at most n steps. */
  double t = money / sum, before = INFINITY;
  while (!status && t < before) {
    double fixed = 0, slope = 0;
    for (int i = 0; i < n; i++)
      if (t * cost[i] > market->budget[i])
        fixed += market->budget[i];
      else
        slope += cost[i];
    before = t;
    t = slope < sum ? fixed / (sum - slope) : 0;
  }
  free(cost);
  if (!status) *scale = fmin(t, before);
  return status;
}
