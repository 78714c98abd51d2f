#include "models/nashwelfare/examples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

wal_example_size wal_example_defaults(int number) {
  static const int n[] = {2, 2, 1, 2, 5, 2, 3, 4, 6, 3};
  static const double eps[] = {0, 1e-10, 0, 0.1, 0.1, 0, 0.5, 0, 0, 0.1};
  const int k = number >= 1 && number <= WAL_EXAMPLES ? number - 1 : 0;
  return (wal_example_size){.n = n[k], .eps = eps[k], .alpha = 10, .budget = number == 4 ? M_E : 0};
}

static wal_status check_size(int number, const wal_example_size *s) {
  if (number < 1 || number > WAL_EXAMPLES)
    return wal_fail(WAL_E_INPUT, "there is no example A.%d; expected 1 to %d", number, WAL_EXAMPLES);
  if (s->n < (number == 8 ? 1 : 2) && number >= 5 && number != 6)
    return wal_fail(WAL_E_INPUT, "n of A.%d is %d; expected at least 2 (3 works)", number, s->n);
  const bool has_eps = number == 2 || number == 4 || number == 5 || number == 7 || number == 10;
  if (has_eps && !(s->eps > 0 && s->eps < 1))
    return wal_fail(WAL_E_INPUT, "eps of A.%d is %g; expected between 0 and 1 (0.1 works)", number, s->eps);
  if (number == 6 && !(s->alpha > 2))
    return wal_fail(WAL_E_INPUT, "alpha of A.6 is %g; expected more than 2 (10 works)", s->alpha);
  if (number == 4 && !(s->budget > 1))
    return wal_fail(WAL_E_INPUT, "the budgets of A.4 sum to %g; expected more than 1 (e works)", s->budget);
  return WAL_OK;
}

/* ---- what agents are made of ---- */

/* A bounded linear agent made good by good: none liked at first. */
typedef struct {
  int m;
  double *v, *l; /* [m], [m]: one allocation */
} draft;

static wal_status begin(draft *d, int m) {
  d->m = m;
  d->v = calloc(2 * (size_t)m, sizeof *d->v);
  if (!d->v) return wal_fail(WAL_E_MEMORY, "no memory for an agent's %d goods", m);
  d->l = d->v + m;
  return WAL_OK;
}

/* Good j is worth v a unit, up to `length` units. */
static void like(draft *d, int j, double v, double length) {
  d->v[j] = v;
  d->l[j] = v * length;
}

static void clear(draft *d) { memset(d->v, 0, 2 * (size_t)d->m * sizeof *d->v); }

static wal_status finish(draft *d, wal_utility **out) {
  const wal_status status = wal_utility_bounded_linear(d->m, d->v, d->l, out);
  clear(d);
  return status;
}

/* ---- the markets ---- */

/* A.1, and A.2 with its third good and agent. */
static wal_status make_disconnected(int number, const wal_example_size *s, draft *d, wal_nw_market *out) {
  like(d, 0, 1.3, 0.8);
  like(d, 1, 0.45, INFINITY);
  wal_status status = finish(d, &out->utility[0]);
  like(d, 0, 0.01, 0.3);
  like(d, 1, 2, 0.8);
  if (number == 2) like(d, 2, s->eps, INFINITY);
  if (status == WAL_OK) status = finish(d, &out->utility[1]);
  if (number == 1 || status != WAL_OK) return status;
  like(d, 2, 1, INFINITY);
  return finish(d, &out->utility[2]);
}

static wal_status make_a3(wal_nw_market *out) {
  static const double slope[] = {1, 1, 0.1, 0.2}, constant[] = {0, 2};
  return wal_utility_plc(2, 2, slope, constant, &out->utility[0]);
}

void wal_example_a3_prices(int which, double *q) {
  const double lower = 2 / 0.9 + 0.2 * 0.01, higher = 0.01 + 2 / 0.85; /* the utilities */
  q[0] = which == WAL_A3_LOWER ? 0.1 / lower : 1 / higher;
  q[1] = which == WAL_A3_LOWER ? 0.2 / lower : which == WAL_A3_HIGHER ? 1 / higher : 0.2 / higher;
}

static wal_status make_a4(const wal_example_size *s, draft *d, wal_nw_market *out) {
  like(d, 0, 1, INFINITY);
  wal_status status = finish(d, &out->utility[0]);
  like(d, 0, s->eps, INFINITY);
  like(d, 1, 1, 1);
  out->budget[1] = s->budget - 1;
  return status == WAL_OK ? finish(d, &out->utility[1]) : status;
}

static wal_status make_a5(const wal_example_size *s, draft *d, wal_nw_market *out) {
  wal_status status = WAL_OK;
  for (int i = 0; status == WAL_OK && i < s->n; i++) {
    if (i < s->n - 1) like(d, i, 1, 1);
    like(d, s->n - 1, i < s->n - 1 ? s->eps : 1, INFINITY);
    status = finish(d, &out->utility[i]);
  }
  return status;
}

double wal_example_beta(const wal_example_size *s) {
  return s->printed ? (1 - 1 / s->alpha) / (1 - 2 / s->alpha) : 1 / (1 - 1 / s->alpha);
}

static wal_status make_a6(const wal_example_size *s, draft *d, wal_nw_market *out) {
  const int start[] = {0, 2};
  const wal_segment segments[] = {{s->alpha, 1 / s->alpha}, {wal_example_beta(s), INFINITY}};
  like(d, 0, 1, INFINITY);
  const wal_status status = finish(d, &out->utility[0]);
  return status == WAL_OK ? wal_utility_splc(1, start, segments, &out->utility[1]) : status;
}

static wal_status make_a7(const wal_example_size *s, draft *d, wal_nw_market *out) {
  const int n = s->n;
  wal_status status = WAL_OK;
  for (int i = 0; status == WAL_OK && i <= n; i++) {
    if (i < n) like(d, i, 1, 0.5);
    like(d, n, i < n ? s->eps : 1, INFINITY);
    status = finish(d, &out->utility[i]);
  }
  for (int j = 0; j < n; j++) like(d, j, 1, INFINITY);
  return status == WAL_OK ? finish(d, &out->utility[n + 1]) : status;
}

/* Goods of A.8: O, P_1..P_n, R_11..R_nn, S_1..S_n; agents: A, B_11..B_nn, C_1..C_n. */
static int good_p(int s) { return 1 + s; }
static int good_r(int n, int s, int t) { return 1 + n + s * n + t; }
static int good_s(int n, int s) { return 1 + n + n * n + s; }
static int agent_b(int n, int s, int t) { return 1 + s * n + t; }
static int agent_c(int n, int s) { return 1 + n * n + s; }

/* min{x_P + n/(n+1), x_R}; slope[2, m] is zero before and after. */
static wal_status make_type_b(int n, int s, int t, int m, double *slope, wal_utility **out) {
  const double constant[] = {n / (n + 1.0), 0};
  slope[good_p(s)] = slope[m + good_r(n, s, t)] = 1;
  const wal_status status = wal_utility_plc(m, 2, slope, constant, out);
  slope[good_p(s)] = slope[m + good_r(n, s, t)] = 0;
  return status;
}

static wal_status make_a8(const wal_example_size *size, draft *d, wal_nw_market *out) {
  const int n = size->n;
  for (int j = 0; j <= n; j++) like(d, j, 1, 1);
  wal_status status = finish(d, &out->utility[0]);
  for (int s = 0; status == WAL_OK && s < n; s++) {
    for (int t = 0; status == WAL_OK && t < n; t++) /* the draft's [2 m] numbers, all zero, serve as slopes */
      status = make_type_b(n, s, t, d->m, d->v, &out->utility[agent_b(n, s, t)]);
    like(d, good_s(n, s), 1, 1);
    for (int t = 0; t < n; t++) like(d, good_r(n, s, t), 1, 1);
    if (status == WAL_OK) status = finish(d, &out->utility[agent_c(n, s)]);
  }
  return status;
}

static wal_status make_a9(const wal_example_size *s, draft *d, wal_nw_market *out) {
  wal_status status = WAL_OK;
  for (int i = 0; status == WAL_OK && i < s->n; i++) {
    for (int j = i == 0 && !s->printed ? 0 : 1; j < s->n; j++) like(d, j, 1, 1);
    status = finish(d, &out->utility[i]);
  }
  return status;
}

/* What agent n + 1 of A.10 buys in the stated equilibrium costs this. */
static double a10_cost(const wal_example_size *s) { return (s->n - 1) * (1 - s->eps) / s->eps; }

static wal_status make_a10(const wal_example_size *s, draft *d, wal_nw_market *out) {
  const int n = s->n;
  const double limit = (n - 1) * (1 - s->eps);
  wal_status status = WAL_OK;
  for (int i = 0; status == WAL_OK && i < n; i++) {
    like(d, i, 1, INFINITY);
    status = finish(d, &out->utility[i]);
  }
  for (int j = 0; j < n; j++) d->v[j] = 1;
  out->budget[n] = s->budget > 0 ? s->budget : 2 * a10_cost(s);
  return status == WAL_OK ? wal_utility_leontief_free(n, 1, d->v, &limit, &out->utility[n]) : status;
}

static wal_status make(int number, const wal_example_size *s, draft *d, wal_nw_market *out) {
  switch (number) {
    case 3:
      return make_a3(out);
    case 4:
      return make_a4(s, d, out);
    case 5:
      return make_a5(s, d, out);
    case 6:
      return make_a6(s, d, out);
    case 7:
      return make_a7(s, d, out);
    case 8:
      return make_a8(s, d, out);
    case 9:
      return make_a9(s, d, out);
    case 10:
      return make_a10(s, d, out);
    default:
      return make_disconnected(number, s, d, out);
  }
}

/* Numbers of agents and goods. */
static void shape(int number, int n, int *agents, int *goods) {
  const int sizes[WAL_EXAMPLES][2] = {{2, 2}, {3, 3},    {1, 2},         {2, 2},
                                      {n, n}, {2, 1},    {n + 2, n + 1}, {n * n + n + 1, n * n + 2 * n + 1},
                                      {n, n}, {n + 1, n}};
  *agents = sizes[number - 1][0];
  *goods = sizes[number - 1][1];
}

wal_status wal_example(int number, const wal_example_size *size, wal_nw_market *out) {
  wal_status status = check_size(number, size);
  if (status != WAL_OK) return status;
  int agents, goods;
  draft d = {0};
  shape(number, size->n, &agents, &goods);
  if ((status = begin(&d, goods)) != WAL_OK) return status;
  status = wal_nw_market_create(agents, goods, out);
  if (status == WAL_OK && (status = make(number, size, &d, out)) != WAL_OK) wal_nw_market_destroy(out);
  free(d.v);
  return status;
}

int wal_example_agent(int number, const wal_example_size *size) {
  switch (number) {
    case 5:
      return size->n - 1;
    case 6:
      return 1;
    case 7:
      return size->n;
    default:
      return 0;
  }
}

/* ---- equilibria ---- */

int wal_example_equilibria(int number) {
  static const int count[] = {3, 2, 0, 1, 2, 0, 1, 1, 1, 1};
  return number >= 1 && number <= WAL_EXAMPLES ? count[number - 1] : 0;
}

/* A.1's three, then A.2's two, with the third good's column. */
static void equilibrium_a1(int which, double *p, double *x) {
  static const double prices[3][2] = {{1, 1}, {1.3, 0.45}, {2.0 / 201, 400.0 / 201}};
  const double rest = (1 - 0.8 * prices[2][0]) / prices[2][1];
  const double shares[3][4] = {{0.8, 0.2, 0.2, 0.8}, {0.7, 0.2, 0.3, 0.8}, {0.8, rest, 0.2, 1 - rest}};
  memcpy(p, prices[which], sizeof prices[which]);
  memcpy(x, shares[which], sizeof shares[which]);
}

static void equilibrium_a2(int which, double *p, double *x) {
  static const double prices[2][3] = {{1, 1, 1}, {1.3, 0.45, 1.25}};
  static const double shares[2][9] = {{0.8, 0.2, 0, 0.2, 0.8, 0, 0, 0, 1},
                                      {0.7, 0.2, 0, 0.3, 0.8, 0.2, 0, 0, 0.8}};
  memcpy(p, prices[which], sizeof prices[which]);
  memcpy(x, shares[which], sizeof shares[which]);
}

static void equilibrium_a4(const wal_example_size *s, double *p, double *x) {
  p[0] = s->budget;
  x[0] = 1 / s->budget;
  x[2] = 1 - x[0];
  x[3] = 1;
}

static void equilibrium_a5(int n, int which, double *p, double *x) {
  for (int i = 0; i < n; i++) {
    p[i] = which == 0 ? 1 : i == n - 1 ? n : 0;
    x[i * n + i] = 1;
    if (which == 1) x[i * n + n - 1] = 1.0 / n;
  }
}

static void equilibrium_a7(int n, double *p, double *x) {
  const int m = n + 1;
  for (int i = 0; i < n; i++) {
    p[i] = 2.0 / n;
    x[i * m + i] = x[(n + 1) * m + i] = 0.5;
    x[i * m + n] = (n - 1) / ((double)n * n);
  }
  p[n] = n;
  x[n * m + n] = 1.0 / n;
}

static void equilibrium_a8(int n, double *p, double *x) {
  const int m = n * n + 2 * n + 1;
  for (int j = 0; j <= n; j++) x[j] = 1;
  for (int s = 0; s < n; s++) {
    for (int t = 0; t < n; t++) {
      const int r = good_r(n, s, t);
      p[r] = (n + 1.0) / n;
      x[agent_b(n, s, t) * m + r] = n / (n + 1.0);
      x[agent_c(n, s) * m + r] = 1 / (n + 1.0);
    }
    x[agent_c(n, s) * m + good_s(n, s)] = 1;
  }
}

/* The others share what agent 1 leaves. */
static void equilibrium_a9(int n, double *p, double *x) {
  x[0] = 1;
  for (int j = 1; j < n; j++) {
    p[j] = n / (n - 1.0);
    x[j] = j == 1 ? (n - 1.0) / n : 0;
    for (int i = 1; i < n; i++) x[i * n + j] = (1 - x[j]) / (n - 1);
  }
}

static void equilibrium_a10(const wal_example_size *s, double *p, double *x) {
  const int n = s->n;
  for (int j = 0; j < n; j++) {
    p[j] = j == 0 ? 1 : 1 / s->eps;
    x[j * n + j] = j == 0 ? 1 : s->eps;
    x[n * n + j] = j == 0 ? 0 : 1 - s->eps;
  }
}

wal_status wal_example_equilibrium(int number, const wal_example_size *size, int which, double *p,
                                   double *x) {
  const wal_status status = check_size(number, size);
  if (status != WAL_OK) return status;
  if (which < 0 || which >= wal_example_equilibria(number))
    return wal_fail(WAL_E_INPUT, "A.%d has no equilibrium %d in closed form; it has %d", number, which,
                    wal_example_equilibria(number));
  int agents, goods;
  shape(number, size->n, &agents, &goods);
  memset(p, 0, (size_t)goods * sizeof *p);
  memset(x, 0, (size_t)agents * (size_t)goods * sizeof *x);
  switch (number) {
    case 1:
      equilibrium_a1(which, p, x);
      break;
    case 2:
      equilibrium_a2(which, p, x);
      break;
    case 4:
      equilibrium_a4(size, p, x);
      break;
    case 5:
      equilibrium_a5(size->n, which, p, x);
      break;
    case 7:
      equilibrium_a7(size->n, p, x);
      break;
    case 8:
      equilibrium_a8(size->n, p, x);
      break;
    case 9:
      equilibrium_a9(size->n, p, x);
      break;
    default:
      equilibrium_a10(size, p, x);
      break;
  }
  return WAL_OK;
}

/* ---- maximum Nash welfare ---- */

/* The derivative of A.8's log Nash welfare in k: falls from positive to negative over [0, n / (n + 1)]. */
static double a8_slope(double n, double k) {
  return n / (1 + n * k + n / (n + 1)) + n / (1 + k) - n / (1 - k / n);
}

double wal_example_k(int n) {
  double low = 0, high = n / (n + 1.0);
  if (a8_slope(n, high) >= 0) return high;
  for (int step = 0; step < 200; step++) {
    const double k = (low + high) / 2;
    if (a8_slope(n, k) > 0)
      low = k;
    else
      high = k;
  }
  return (low + high) / 2;
}

/* Each of the n small agents gets t of good n + 1: nothing up to eps = 1/2. */
static void nash_a7(const wal_example_size *s, double *u) {
  const int n = s->n;
  const double t = fmax(0, (s->eps - 0.5) / (s->eps * (n + 1)));
  for (int i = 0; i < n; i++) u[i] = 0.5 + s->eps * t;
  u[n] = 1 - n * t;
  u[n + 1] = n / 2.0;
}

static void nash_a8(int n, double *u) {
  const double k = wal_example_k(n);
  u[0] = 1 + n * k + n / (n + 1.0);
  for (int i = 0; i < n * n; i++) u[1 + i] = 1 - k / n;
  for (int s = 0; s < n; s++) u[agent_c(n, s)] = 1 + k;
}

/* Agent 2 gets x = (1 + 1/alpha - 1/beta) / 2, which is 1/alpha with the corrected beta. */
static void nash_a6(const wal_example_size *s, double *u) {
  const double beta = wal_example_beta(s), x = (1 + 1 / s->alpha - 1 / beta) / 2;
  u[0] = 1 - x;
  u[1] = 1 + beta * (x - 1 / s->alpha);
}

static wal_status nash_a10(const wal_example_size *s, double *u) {
  const int n = s->n;
  const double left = s->eps + (1 - s->eps) / n, budget = s->budget > 0 ? s->budget : 2 * a10_cost(s);
  if (budget * left < (n - 1) * (1 - s->eps))
    return wal_fail(WAL_E_UNSUPPORTED,
                    "A.10 with budget %g: expected at least %g, where agent n + 1 is satiated", budget,
                    (n - 1) * (1 - s->eps) / left);
  for (int i = 0; i < n; i++) u[i] = left;
  u[n] = (n - 1) * (1 - s->eps);
  return WAL_OK;
}

wal_status wal_example_nash(int number, const wal_example_size *size, double *u) {
  const wal_status status = check_size(number, size);
  if (status != WAL_OK) return status;
  const int n = size->n;
  switch (number) {
    case 1:
    case 2:
      u[0] = 1.3 * 0.8 + 0.45 * 0.2, u[1] = 0.01 * 0.2 + 2 * 0.8;
      break;
    case 3:
      return wal_fail(WAL_E_UNSUPPORTED, "A.3 has one agent and no closed form here");
    case 4:
      if (size->eps * (size->budget - 1) > 1)
        return wal_fail(WAL_E_UNSUPPORTED, "A.4 with eps %g: expected at most %g", size->eps,
                        1 / (size->budget - 1));
      u[0] = u[1] = 1;
      break;
    case 6:
      nash_a6(size, u);
      break;
    case 7:
      nash_a7(size, u);
      break;
    case 8:
      nash_a8(n, u);
      break;
    case 10:
      return nash_a10(size, u);
    default:
      for (int i = 0; i < n; i++) u[i] = number == 9 && size->printed ? (n - 1.0) / n : 1;
  }
  if (number == 2) u[2] = 1;
  return WAL_OK;
}
