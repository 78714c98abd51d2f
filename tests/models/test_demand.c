/* Demand sets: closed forms, a second linear program, grids, and the lemmas of section 4. */
#include <math.h>

#include "models/common/rng.h"
#include "models/nashwelfare/demand.h"
#include "models/nashwelfare/families.h"
#include "tests/suite.h"

enum { M = 3 };

static double uniform(uint64_t seed, int at) { return wal_rng_uniform(seed, WAL_STREAM_TEST, (uint64_t)at); }

static double dot(int m, const double *p, const double *x) {
  double sum = 0;
  for (int j = 0; j < m; j++) sum += p[j] * x[j];
  return sum;
}

typedef wal_status (*demand_of)(const wal_utility *, const double *, double, wal_demand_set *);
static wal_demand_set ask(demand_of demand, const wal_utility *u, const double *p, double b) {
  wal_demand_set set;
  ck_assert_msg(demand(u, p, b, &set) == WAL_OK, "%s", wal_error());
  return set;
}

static double cost_of(const wal_utility *u, const double *p, double utility) {
  double cost;
  ck_assert_msg(wal_demand_cost(u, p, utility, &cost) == WAL_OK, "%s", wal_error());
  return cost;
}

static bool pick(const wal_utility *u, const double *p, const wal_demand_set *set, const double *c,
                 const double *low, const double *high, double *x) {
  bool found;
  ck_assert_msg(wal_demand_pick(u, p, set, c, low, high, x, &found) == WAL_OK, "%s", wal_error());
  return found;
}

/* ---- utilities ---- */

/* Three segments of falling slopes for each good, the last with or without end. */
static void draw_segments(uint64_t seed, bool satiable, int *start, wal_segment *segments) {
  for (int j = 0; j <= M; j++) start[j] = 3 * j;
  for (int k = 0; k < 3 * M; k++) {
    const double slope = 3 * uniform(seed, 2 * k), before = k % 3 ? segments[k - 1].slope : 3;
    segments[k].slope = fmin(slope, before);
    segments[k].length = satiable || k % 3 < 2 ? uniform(seed, 2 * k + 1) : INFINITY;
  }
}

/* The same as a network j -> segment -> sink: no row for row of the SPLC's program. */
static wal_utility *as_network(const int *start, const wal_segment *segments) {
  enum { ARCS = 6 * M };
  int from[ARCS], to[ARCS];
  double gain[ARCS], capacity[ARCS];
  const int sink = M + 3 * M;
  for (int j = 0; j < M; j++)
    for (int k = start[j]; k < start[j + 1]; k++) {
      from[k] = j, to[k] = M + k, gain[k] = 1, capacity[k] = segments[k].length;
      from[3 * M + k] = M + k, to[3 * M + k] = sink, gain[3 * M + k] = segments[k].slope;
      capacity[3 * M + k] = INFINITY;
    }
  const wal_network net = {M, sink + 1, sink, ARCS, from, to, gain, capacity};
  wal_utility *u = NULL;
  ck_assert_msg(wal_utility_generalized_network(&net, &u) == WAL_OK, "%s", wal_error());
  return u;
}

/* A random utility over two goods of each piecewise-linear kind that is not separable. */
enum { KINDS = 3 };
static wal_utility *draw_joint(int kind, uint64_t seed) {
  double v[8];
  for (int k = 0; k < 8; k++) v[k] = 0.1 + uniform(seed, k);
  wal_utility *u = NULL;
  wal_status status;
  if (kind == 0) {
    status = wal_utility_leontief(2, v, &u);
  } else if (kind == 1) {
    const double a[4] = {v[0], v[1], v[2], v[3]}, l[2] = {v[4], seed % 2 ? 5 * v[5] : INFINITY};
    status = wal_utility_leontief_free(2, 2, a, l, &u);
  } else {
    const double slope[6] = {v[0], v[1], v[2] / 2, v[3] / 2, 0.1 * v[6], 0.1 * v[7]};
    status = wal_utility_plc(2, 3, slope, (double[3]){0, v[4] / 2, v[5]}, &u);
  }
  ck_assert_msg(status == WAL_OK, "%s", wal_error());
  return u;
}

/* ---- closed forms ---- */

START_TEST(linear_spends_on_the_best) {
  const double v[M] = {1, 3, 2}, p[M] = {1, 2, 1}, b = 5;
  wal_utility *u = NULL;
  ck_assert_int_eq(wal_utility_linear(M, v, &u), WAL_OK);
  const wal_demand_set d = ask(wal_demand, u, p, b), t = ask(wal_demand_thrifty, u, p, b),
                       g = ask(wal_demand_gale, u, p, b);
  ck_assert_double_eq_tol(d.utility, 10, 1e-12);
  ck_assert_double_eq(d.cost, b);
  ck_assert_double_eq_tol(t.cost, b, 1e-12);
  ck_assert_double_eq_tol(g.utility, 10, 1e-12); /* b log u - <q, y>: spends all */
  ck_assert_double_eq_tol(g.cost, b, 1e-12);
  double x[M];
  ck_assert(pick(u, p, &d, NULL, NULL, NULL, x));
  ck_assert_double_eq_tol(x[0], 0, 1e-8);
  ck_assert_double_eq_tol(x[1], 0, 1e-8);
  ck_assert_double_eq_tol(x[2], 5, 1e-8);
  wal_utility_destroy(u);
}
END_TEST

/* At equal rates the set is a segment: its ends, and whatever bounds leave of it. */
START_TEST(ties_are_a_segment) {
  const double v[2] = {1, 2}, p[2] = {1, 2};
  wal_utility *u = NULL;
  ck_assert_int_eq(wal_utility_linear(2, v, &u), WAL_OK);
  const wal_demand_set d = ask(wal_demand, u, p, 4);
  double x[2];
  ck_assert(pick(u, p, &d, (double[2]){1, 0}, NULL, NULL, x));
  ck_assert_double_eq_tol(x[1], 2, 1e-7);
  ck_assert(pick(u, p, &d, (double[2]){0, 1}, NULL, NULL, x));
  ck_assert_double_eq_tol(x[0], 4, 1e-7);
  ck_assert(pick(u, p, &d, NULL, (double[2]){1, 0}, (double[2]){1, 10}, x));
  ck_assert_double_eq_tol(x[0], 1, 1e-7);
  ck_assert_double_eq_tol(x[1], 1.5, 1e-7);
  ck_assert(!pick(u, p, &d, NULL, NULL, (double[2]){1, 1.4}, x));
  double excess;
  ck_assert_int_eq(wal_demand_excess(u, p, &d, (double[2]){1, 0.9}, &excess), WAL_OK);
  ck_assert_double_eq_tol(excess, 0.4, 1e-7); /* 1.4 + 2 * 1.3 = 4 */
  ck_assert_int_eq(wal_demand_excess(u, p, &d, (double[2]){1, INFINITY}, &excess), WAL_OK);
  ck_assert_double_eq_tol(excess, 0, 1e-12);
  ck_assert_double_eq_tol(wal_demand_distance(u, p, 4, &d, (double[2]){2, 1}), 0, 1e-12);
  ck_assert_double_eq_tol(wal_demand_distance(u, p, 4, &d, (double[2]){1, 1}), 0.25, 1e-12);
  ck_assert_double_eq_tol(wal_demand_distance(u, p, 4, &d, (double[2]){6, 1}), 1, 1e-12);
  wal_utility_destroy(u);
}
END_TEST

/* Two goods by hand: slopes 4 (length 1), 1 (inf) at price 1; slope 2 (length 2) at price 1. */
START_TEST(splc_by_hand) {
  const wal_segment s[3] = {{4, 1}, {1, INFINITY}, {2, 2}};
  const double p[2] = {1, 1};
  wal_utility *u = NULL;
  ck_assert_int_eq(wal_utility_splc(2, (int[3]){0, 2, 3}, s, &u), WAL_OK);
  const struct {
    double b, utility, gale, gale_cost;
  } cases[] = {
      {0.5, 2, 2, 0.5}, /* all on the first segment: u = 4 b */
      {1.5, 5, 4, 1},   /* rate 2 <= u / b = 4 / 1.5: stops at the kink */
      {2.5, 7, 5, 1.5}, /* on the second: u = 2 b */
      {5, 10, 8, 3},    /* stops at u = 8: the third is worth 1 <= 8 / 5 */
      {20, 25, 20, 15}, /* on the third: u = b */
  };
  for (int k = 0; k < 5; k++) {
    const wal_demand_set d = ask(wal_demand, u, p, cases[k].b), g = ask(wal_demand_gale, u, p, cases[k].b);
    ck_assert_double_eq_tol(d.utility, cases[k].utility, 1e-12);
    ck_assert_double_eq_tol(g.utility, cases[k].gale, 1e-12);
    ck_assert_double_eq_tol(g.cost, cases[k].gale_cost, 1e-12);
  }
  ck_assert_double_eq_tol(cost_of(u, p, 9), 4, 1e-12);
  wal_utility_destroy(u);
}
END_TEST

/* One good, of which a unit of the program's column takes more or less than one. */
START_TEST(one_good_in_other_units) {
  wal_utility *u = NULL;
  const double p[1] = {0.5};
  ck_assert_int_eq(wal_utility_plc(1, 1, (double[1]){3}, (double[1]){0}, &u), WAL_OK);
  ck_assert_double_eq_tol(ask(wal_demand, u, p, 2).utility, 12, 1e-12);
  ck_assert_double_eq_tol(cost_of(u, p, 6), 1, 1e-12);
  wal_utility_destroy(u);
  ck_assert_int_eq(wal_utility_leontief(1, (double[1]){4}, &u), WAL_OK);
  ck_assert_double_eq_tol(ask(wal_demand, u, p, 2).utility, 1, 1e-12);
  ck_assert_double_eq_tol(ask(wal_demand_gale, u, p, 2).cost, 2, 1e-12);
  wal_utility_destroy(u);
}
END_TEST

/* A segment of slope 1e-10 (A.2) still takes the money that is left. */
START_TEST(tiny_slopes_count) {
  const wal_segment s[4] = {{0.01, 0.3}, {0, INFINITY}, {2, 0.8}, {1e-10, INFINITY}};
  const double p[3] = {1.3, 0.45, 1.25};
  wal_utility *u = NULL;
  ck_assert_int_eq(wal_utility_splc(3, (int[4]){0, 2, 3, 4}, s, &u), WAL_OK);
  const wal_demand_set t = ask(wal_demand_thrifty, u, p, 1);
  ck_assert_double_eq_tol(t.utility, 1.603 + 0.25e-10 / 1.25, 1e-14);
  ck_assert_double_eq_tol(t.cost, 1, 1e-5); /* 1e-16 of the utility is 1e-6 of the money */
  wal_utility_destroy(u);
}
END_TEST

/* ---- two ways ---- */

START_TEST(separable_against_its_network) {
  const double free_price[M] = {0, 1, 1};
  for (int k = 0; k < 200; k++) {
    int start[M + 1];
    wal_segment segments[3 * M];
    draw_segments((uint64_t)k, k % 2, start, segments);
    wal_utility *u = NULL, *net = as_network(start, segments);
    ck_assert_int_eq(wal_utility_splc(M, start, segments, &u), WAL_OK);
    double p[M];
    for (int j = 0; j < M; j++) p[j] = (k % 3 ? 1 : free_price[j]) * (0.1 + uniform(1000, M * k + j));
    const double b = 0.1 + 3 * uniform(1001, k);
    const demand_of all[3] = {wal_demand, wal_demand_thrifty, wal_demand_gale};
    for (int a = 0; a < 3; a++) {
      const wal_demand_set one = ask(all[a], u, p, b), two = ask(all[a], net, p, b);
      if (one.utility == INFINITY) {
        ck_assert(two.utility == INFINITY);
        continue;
      }
      ck_assert_double_eq_tol(one.utility, two.utility, 1e-9 * one.utility);
      ck_assert_double_eq_tol(one.cost, two.cost, 1e-8 * b);
    }
    ck_assert_double_eq_tol(cost_of(u, p, 0.4), cost_of(net, p, 0.4), 1e-9);
    wal_utility_destroy(u);
    wal_utility_destroy(net);
  }
}
END_TEST

/* Grids of two goods: no better point, and nearly as good ones. */
/* Every arc into the sink leaves a good, and yet goods take the place of others: good 0 goes on to 1 (at most
   0.25) and 2 (at most 1). By hand, at p = (0.8, 0.8, 1.6): utility is 0.4 a unit up to 2 (node 1), then 0.8
   up to 3 (good 0 through node 2), then 1.6. A budget of 2 buys 2 + 1 + 0.25; Gale stops where 2 / u = 0.8.
 */
START_TEST(goods_that_feed_goods) {
  int from[] = {0, 1, 0, 2}, to[] = {1, 3, 2, 3};
  double gain[] = {1, 2, 1, 1}, capacity[] = {0.25, 1, 1, 2};
  const wal_network net = {
      .m = 3, .nodes = 4, .sink = 3, .arcs = 4, .from = from, .to = to, .gain = gain, .capacity = capacity};
  static const double p[] = {0.8, 0.8, 1.6};
  wal_utility *u;
  ck_assert_msg(wal_utility_generalized_network(&net, &u) == WAL_OK, "%s", wal_error());
  ck_assert_double_eq_tol(ask(wal_demand, u, p, 2).utility, 3.25, 1e-9);
  ck_assert_double_eq_tol(cost_of(u, p, 3.25), 2, 1e-9);
  const wal_demand_set gale = ask(wal_demand_gale, u, p, 2);
  ck_assert_double_eq_tol(gale.utility, 2.5, 1e-9);
  ck_assert_double_eq_tol(gale.cost, 1.2, 1e-9);
  wal_utility_destroy(u);
}
END_TEST

START_TEST(against_grids) {
  enum { STEPS = 60 };
  for (int k = 0; k < 20 * KINDS; k++) {
    wal_utility *u = draw_joint(k % KINDS, (uint64_t)k);
    const double q[2] = {0.2 + uniform(2000, 2 * k), 0.2 + uniform(2000, 2 * k + 1)}, b = 1;
    const wal_demand_set d = ask(wal_demand, u, q, b), g = ask(wal_demand_gale, u, q, b);
    double best = 0, best_gale = -INFINITY;
    for (int s = 0; s <= STEPS; s++)
      for (int t = 0; t <= STEPS - s; t++) {
        const double y[2] = {s * b / q[0] / STEPS, t * b / q[1] / STEPS}, worth = wal_utility_value(u, y);
        best = fmax(best, worth);
        best_gale = fmax(best_gale, b * log(worth) - dot(2, q, y));
      }
    const double gale = b * log(g.utility) - g.cost;
    ck_assert_double_ge(d.utility, best * (1 - 1e-12));
    ck_assert_double_le(d.utility, best * 1.05);
    ck_assert_double_ge(gale, best_gale - 1e-12);
    ck_assert_double_le(gale, best_gale + 0.05);
    wal_utility_destroy(u);
  }
}
END_TEST

/* ---- A.3 ---- */

START_TEST(a3_segments) {
  const double slope[4] = {1, 1, 0.1, 0.2}, d1 = 2 / 0.9 + 0.002, d2 = 0.01 + 2 / 0.85;
  wal_utility *u = NULL;
  ck_assert_int_eq(wal_utility_plc(2, 2, slope, (double[2]){0, 2}, &u), WAL_OK);
  const double q[2] = {0.1 / d1, 0.2 / d1}, q1[2] = {1 / d2, 1 / d2}, printed[2] = {1 / d2, 0.2 / d2};
  const wal_demand_set g = ask(wal_demand_gale, u, q, 1), g1 = ask(wal_demand_gale, u, q1, 1),
                       as_printed = ask(wal_demand_gale, u, printed, 1);
  ck_assert_double_eq_tol(g.utility, d1, 1e-9);
  ck_assert_double_eq_tol(g1.utility, d2, 1e-9);
  ck_assert_double_eq_tol(as_printed.utility, 2.5, 1e-9);
  double low[2], high[2];
  ck_assert(pick(u, q, &g, (double[2]){1, 0}, NULL, NULL, low));
  ck_assert(pick(u, q, &g, (double[2]){-1, 0}, NULL, NULL, high));
  ck_assert_double_gt(high[0] - low[0], 0.01); /* a segment, not a point */
  ck_assert(pick(u, printed, &as_printed, NULL, NULL, NULL, low));
  ck_assert_double_eq_tol(low[0], 0, 1e-7);
  ck_assert_double_eq_tol(low[1], 2.5, 1e-7);
  wal_utility_destroy(u);
}
END_TEST

/* ---- prices of 0, satiation ---- */

START_TEST(prices_of_zero) {
  const double v[2] = {1, 1}, l[2] = {2, INFINITY}, free_first[2] = {0, 1}, free_second[2] = {1, 0};
  wal_utility *u = NULL;
  ck_assert_int_eq(wal_utility_bounded_linear(2, v, l, &u), WAL_OK);
  wal_demand_set d = ask(wal_demand, u, free_first, 1), g = ask(wal_demand_gale, u, free_first, 1);
  ck_assert_double_eq_tol(d.utility, 3, 1e-12);
  ck_assert_double_eq_tol(g.utility, 2, 1e-12); /* u / b = 2 > 1: none of the second */
  ck_assert_double_eq_tol(g.cost, 0, 1e-12);
  double x[2];
  ck_assert(pick(u, free_first, &g, (double[2]){1, 0}, NULL, NULL, x));
  ck_assert_double_eq_tol(x[0], 2, 1e-8);
  ck_assert_double_eq_tol(wal_demand_distance(u, free_first, 1, &g, (double[2]){5, 0}), 0, 1e-12);
  d = ask(wal_demand, u, free_second, 1);
  g = ask(wal_demand_gale, u, free_second, 1);
  ck_assert(d.utility == INFINITY && g.utility == INFINITY);
  ck_assert(wal_demand_distance(u, free_second, 1, &g, x) == INFINITY);
  ck_assert(!pick(u, free_second, &g, NULL, NULL, NULL, x));
  ck_assert_double_eq_tol(cost_of(u, free_second, 100), 0, 1e-12);
  wal_utility_destroy(u);
  ck_assert_int_eq(wal_utility_leontief(2, v, &u), WAL_OK); /* by program */
  ck_assert_double_eq_tol(ask(wal_demand, u, free_first, 1).utility, 1, 1e-9);
  ck_assert_double_eq_tol(ask(wal_demand_gale, u, free_first, 1).utility, 1, 1e-9);
  ck_assert(ask(wal_demand_gale, u, (double[2]){0, 0}, 1).utility == INFINITY);
  wal_utility_destroy(u);
}
END_TEST

START_TEST(satiated_agents_keep_money) {
  const double a[2] = {1, 1}, l[1] = {2}, p[2] = {0.1, 0.2};
  wal_utility *u = NULL;
  ck_assert_int_eq(wal_utility_leontief_free(2, 1, a, l, &u), WAL_OK);
  const wal_demand_set d = ask(wal_demand, u, p, 1), t = ask(wal_demand_thrifty, u, p, 1);
  ck_assert_double_eq_tol(d.utility, 2, 1e-9);
  ck_assert_double_eq(d.cost, 1);
  ck_assert_double_eq_tol(t.cost, 0.2, 1e-9);
  ck_assert(cost_of(u, p, 2.1) == INFINITY);
  ck_assert(cost_of(u, p, 2.00001) == INFINITY);
  ck_assert_double_eq(cost_of(u, p, 0), 0);
  wal_utility_destroy(u);
}
END_TEST

/* ---- units ---- */

/* Money in other units changes no utility; utility in other units changes no cost. */
START_TEST(units_do_not_matter) {
  for (int k = 0; k < 20; k++) {
    const double unit = pow(10, k - 10), p[2] = {0.3, 0.7}, q[2] = {0.3 * unit, 0.7 * unit};
    const double slope[4] = {1, 1, 0.1, 0.2}, other[4] = {unit, unit, 0.1 * unit, 0.2 * unit};
    wal_utility *u = NULL, *scaled = NULL;
    ck_assert_int_eq(wal_utility_plc(2, 2, slope, (double[2]){0, 2}, &u), WAL_OK);
    ck_assert_int_eq(wal_utility_plc(2, 2, other, (double[2]){0, 2 * unit}, &scaled), WAL_OK);
    const demand_of all[3] = {wal_demand, wal_demand_thrifty, wal_demand_gale};
    for (int a = 0; a < 3; a++) {
      const wal_demand_set one = ask(all[a], u, p, 1), two = ask(all[a], u, q, unit),
                           three = ask(all[a], scaled, p, 1);
      ck_assert_double_eq_tol(two.utility / one.utility, 1, 1e-9);
      ck_assert_double_eq_tol(two.cost / unit, one.cost, 1e-9);
      ck_assert_double_eq_tol(three.utility / unit / one.utility, 1, 1e-9);
      ck_assert_double_eq_tol(three.cost, one.cost, 1e-9);
    }
    wal_utility_destroy(u);
    wal_utility_destroy(scaled);
  }
}
END_TEST

/* ---- lemmas ---- */

/* Random prices, and in every other trial those at which a random bundle is a Gale demand: ties, and 0. */
static void draw_prices(const wal_utility *u, int k, double b, double *q) {
  double x[M];
  for (int j = 0; j < M; j++) {
    x[j] = 0.1 + uniform(3000, 2 * M * k + j);
    q[j] = 0.1 + uniform(3000, 2 * M * k + M + j);
  }
  const double worth = wal_utility_value(u, x);
  if (k % 2 == 0 || !(worth > 0)) return;
  ck_assert_int_eq(wal_utility_supergradient(u, x, q), WAL_OK);
  for (int j = 0; j < M; j++) q[j] = q[j] > 1e-12 ? q[j] * b / worth : 0;
}

static void check_lemmas(const wal_utility *u, int k, double b) {
  double q[M], p[M], y[M], c[M];
  draw_prices(u, k, b, q);
  for (int j = 0; j < M; j++) {
    p[j] = q[j] + uniform(3001, M * k + j);
    c[j] = 0.01 + uniform(3002, M * k + j);
  }
  const wal_demand_set g = ask(wal_demand_gale, u, q, b);
  ck_assert_double_le(g.cost, b * (1 + 1e-9)); /* Lemma 4.1 */
  ck_assert(pick(u, q, &g, c, NULL, NULL, y));
  ck_assert_double_eq_tol(wal_demand_distance(u, q, b, &g, y), 0, 1e-8);
  for (int t = 0; t < 20; t++) { /* Lemma 4.3: a supergradient below q u / b that is equal where y_j > 0 */
    double z[M];
    for (int j = 0; j < M; j++) z[j] = 3 * uniform(3003, M * t + j);
    ck_assert_double_le(wal_utility_value(u, z), g.utility * (1 + (dot(M, q, z) - g.cost) / b + 1e-7));
  }
  const double best = ask(wal_demand, u, q, b).utility;
  ck_assert_double_ge(g.utility, 0.5 * ask(wal_demand, u, p, b).utility * (1 - 1e-9)); /* Lemma 4.4 */
  ck_assert_double_le(best, (2 - g.cost / b) * g.utility * (1 + 1e-9)); /* Theorem 1.2's proof */
  const wal_demand_set d = ask(wal_demand_thrifty, u, p, b);
  ck_assert_double_eq_tol(cost_of(u, p, d.utility), d.cost, 1e-9 * b);
  if (d.cost > 0) ck_assert_double_eq_tol(ask(wal_demand, u, p, d.cost).utility, d.utility, 1e-7 * d.utility);
}

START_TEST(lemmas_of_section_4) {
  for (const wal_family *family = wal_families; family->name; family++)
    for (int k = 0; k < 100; k++) {
      wal_nw_market market;
      ck_assert_int_eq(family->draw(3, k, 1, M, &market), WAL_OK);
      check_lemmas(market.utility[0], k, 0.5 + uniform(3004, k));
      wal_nw_market_destroy(&market);
    }
}
END_TEST

START_TEST(quadratics_have_no_program) {
  const double c[2] = {1, 1}, q[4] = {1, 0, 0, 1}, p[2] = {1, 1};
  wal_utility *u = NULL;
  ck_assert_int_eq(wal_utility_quadratic(2, c, q, &u), WAL_OK);
  wal_demand_set set;
  ck_assert_int_eq(wal_demand(u, p, 1, &set), WAL_E_UNSUPPORTED);
  ck_assert_int_eq(wal_demand_thrifty(u, p, 1, &set), WAL_E_UNSUPPORTED);
  ck_assert_int_eq(wal_demand_gale(u, p, 1, &set), WAL_E_UNSUPPORTED);
  wal_utility_destroy(u);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("models/demand");
  TCase *tests = tcase_create("demand");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, linear_spends_on_the_best);
  tcase_add_test(tests, ties_are_a_segment);
  tcase_add_test(tests, splc_by_hand);
  tcase_add_test(tests, one_good_in_other_units);
  tcase_add_test(tests, tiny_slopes_count);
  tcase_add_test(tests, separable_against_its_network);
  tcase_add_test(tests, goods_that_feed_goods);
  tcase_add_test(tests, against_grids);
  tcase_add_test(tests, a3_segments);
  tcase_add_test(tests, prices_of_zero);
  tcase_add_test(tests, satiated_agents_keep_money);
  tcase_add_test(tests, units_do_not_matter);
  tcase_add_test(tests, lemmas_of_section_4);
  tcase_add_test(tests, quadratics_have_no_program);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
