/* The check of stability in either kind of number (number.h): wal_stability_check(_exact) in stability.c and
   stability_exact.c are all that differs. */
#include <limits.h>

#include "models/pricing/number.h"
#include "models/pricing/stability.h"

typedef struct {
  const wal_pricing_market *market;
  number *x; /* [n, m] */
  wal_stability_notion notion;
  number one, tol; /* tol 0 for rationals */
  bool *full;      /* [m] is item j sold out? */
  int *lowest;     /* [m] largest rank of a holder of j */
  wal_stability_report *report;
} check;

static bool fault(check *c, wal_stability_fault fault, int buyer, int item) {
  *c->report = (wal_stability_report){fault, buyer, item};
  return false;
}

/* a > b + tol unit. */
static bool exceeds(check *c, number a, number b, number unit) {
  number room;
  num_init(room);
  num_mul(room, c->tol, unit);
  num_add(room, room, b);
  const bool more = num_cmp(a, room) > 0;
  num_clear(room);
  return more;
}

static bool holds(check *c, size_t pair) { return num_cmp(c->x[pair], c->tol) > 0; }

/* Is item k strictly worse for buyer i than j: p_ij v_ik < p_ik v_ij? */
static bool worse(check *c, size_t pair_k, size_t pair_j) {
  number *price = NUM_MARKET(c->market, price), *value = NUM_MARKET(c->market, value);
  number left, right;
  num_init(left);
  num_init(right);
  num_mul(left, price[pair_j], value[pair_k]);
  num_mul(right, price[pair_k], value[pair_j]);
  const bool is = exceeds(c, right, left, right);
  num_clear(left);
  num_clear(right);
  return is;
}

/* Shares of item j: signs, their sum, who holds it. */
static bool check_item(check *c, int j) {
  const int n = c->market->n;
  const size_t m = (size_t)c->market->m;
  number sum, zero;
  num_init(sum);
  num_init(zero);
  int bad = -1;
  c->lowest[j] = -1;
  for (int i = 0; i < n && bad < 0; i++) {
    const size_t pair = (size_t)i * m + (size_t)j;
    const int rank = c->market->rank[(size_t)j * (size_t)n + (size_t)i];
    if (exceeds(c, zero, c->x[pair], c->one)) bad = i;
    num_add(sum, sum, c->x[pair]);
    if (holds(c, pair) && rank > c->lowest[j]) c->lowest[j] = rank;
  }
  const bool oversold = exceeds(c, sum, c->one, c->one);
  c->full[j] = !exceeds(c, c->one, sum, c->one);
  num_clear(sum);
  num_clear(zero);
  if (bad >= 0) return fault(c, WAL_UNSTABLE_SHARE, bad, j);
  return !oversold || fault(c, WAL_UNSTABLE_OVERSOLD, -1, j);
}

/* Conditions 1 and 2 for buyer i; is there money left? Into worst: its worst item, -1: none held. */
static bool check_bundle(check *c, int i, bool *money, int *worst) {
  const int m = c->market->m;
  const size_t row = (size_t)i * (size_t)m;
  number *price = NUM_MARKET(c->market, price), *budget = NUM_MARKET(c->market, budget);
  int worthless = -1;
  number spent, paid;
  num_init(spent);
  num_init(paid);
  *worst = -1;
  for (int j = 0; j < m; j++) {
    const size_t pair = row + (size_t)j;
    if (!holds(c, pair)) continue;
    num_mul(paid, price[pair], c->x[pair]);
    num_add(spent, spent, paid);
    if (!num_sgn(NUM_MARKET(c->market, value)[pair])) worthless = j;
    if (*worst < 0 || worse(c, pair, row + (size_t)*worst)) *worst = j;
  }
  const bool over = exceeds(c, spent, budget[i], budget[i]);
  *money = exceeds(c, budget[i], spent, budget[i]);
  num_clear(spent);
  num_clear(paid);
  if (over) return fault(c, WAL_UNSTABLE_BUDGET, i, -1);
  return worthless < 0 || fault(c, WAL_UNSTABLE_WORTHLESS, i, worthless);
}

/* Condition 3: every valued item of which buyer i lacks a part is closed to it (3.b), or no better than what
   it holds, with the budget spent (3.a). */
static bool check_buyer(check *c, int i) {
  const int n = c->market->n, m = c->market->m;
  const size_t row = (size_t)i * (size_t)m;
  bool money;
  int worst;
  if (!check_bundle(c, i, &money, &worst)) return false;
  for (int j = 0; j < m; j++) {
    const size_t pair = row + (size_t)j;
    const int rank = c->market->rank[(size_t)j * (size_t)n + (size_t)i];
    const bool closed = c->full[j] && c->lowest[j] <= rank;
    if (!num_sgn(NUM_MARKET(c->market, value)[pair]) || closed || !exceeds(c, c->one, c->x[pair], c->one))
      continue;
    if (money && c->notion == WAL_CHECK_STABLE) return fault(c, WAL_UNSTABLE_MONEY, i, j);
    if (worst >= 0 && worse(c, row + (size_t)worst, pair)) return fault(c, WAL_UNSTABLE_ENVY, i, j);
  }
  return true;
}

static bool run_check(check *c) {
  bool good = true;
  *c->report = (wal_stability_report){WAL_STABLE, -1, -1};
  c->full = malloc((size_t)c->market->m * sizeof *c->full);
  c->lowest = malloc((size_t)c->market->m * sizeof *c->lowest);
  if (!c->full || !c->lowest) good = fault(c, WAL_UNSTABLE_MEMORY, -1, -1);
  for (int j = 0; j < c->market->m && good; j++) good = check_item(c, j);
  for (int i = 0; i < c->market->n && good; i++) good = check_buyer(c, i);
  free(c->full);
  free(c->lowest);
  return good;
}
