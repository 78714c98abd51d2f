#include <math.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/nashwelfare/equilibria.h"
#include "models/nashwelfare/equilibria_program.h"
#include "models/nashwelfare/examples.h"
#include "models/nashwelfare/families.h"
#include "models/nashwelfare/lemke.h"
#include "tests/models/utility_fixture.h"

static void find(const wal_nw_market *market, int attempts, wal_equilibria *out) {
  wal_equilibria_options options = wal_equilibria_defaults();
  options.attempts = attempts;
  options.most = 16;
  ck_assert_msg(wal_equilibria_find(market, &options, out) == WAL_OK, "%s", wal_error());
}

static double apart(const double *p, const double *q, int m) {
  double most = 0;
  for (int j = 0; j < m; j++) most = fmax(most, fabs(p[j] - q[j]));
  return most;
}

/* The number of the equilibrium with these prices, or -1. */
static int at_prices(const wal_equilibria *e, const double *p, int m, double tol) {
  for (int k = 0; k < e->count; k++)
    if (apart(e->list[k].p, p, m) <= tol) return k;
  return -1;
}

/* Every one is a thrifty equilibrium, in order, and no two have the same prices. */
static void check_all(const wal_nw_market *market, const wal_equilibria *e) {
  ck_assert_int_ge(e->count, 1);
  for (int k = 0; k < e->count; k++) {
    wal_ce_report report;
    ck_assert_int_eq(wal_ce_check(market, e->list[k].x, e->list[k].p, &report), WAL_OK);
    ck_assert(wal_ce_holds(&report, 1e-9));
    ck_assert(wal_ce_thrifty(&report, 1e-9));
    ck_assert_int_eq(at_prices(e, e->list[k].p, market->m, 1e-6), k);
    if (k) ck_assert_double_le(e->list[k - 1].p[0], e->list[k].p[0]);
  }
}

/* ---- the paper's examples ---- */

/* Each wants one good, and one has next to no money: its good's price is not 0. */
START_TEST(finds_small_prices) {
  const double v[2][2] = {{1, 0}, {0, 1}}, p[2] = {1, 1e-6};
  wal_nw_market market;
  wal_equilibria e;
  ck_assert_int_eq(wal_nw_market_create(2, 2, &market), WAL_OK);
  market.budget[1] = 1e-6;
  for (int i = 0; i < 2; i++) ck_assert_int_eq(wal_utility_linear(2, v[i], &market.utility[i]), WAL_OK);
  find(&market, 4, &e);
  ck_assert_int_eq(at_prices(&e, p, 2, 1e-12), 0);
  wal_equilibria_destroy(&e);
  wal_nw_market_destroy(&market);
}
END_TEST

/* Every equilibrium of an example that is known in closed form and thrifty is found, its prices to 1e-10. */
START_TEST(finds_the_examples) {
  static const int numbers[] = {1, 2, 4, 5, 7, 9};
  const int number = numbers[_i];
  wal_example_size size = wal_example_defaults(number);
  wal_nw_market market;
  wal_equilibria e;
  ck_assert_int_eq(wal_example(number, &size, &market), WAL_OK);
  find(&market, 16, &e);
  check_all(&market, &e);
  double p[64], x[64 * 64];
  for (int k = 0; k < wal_example_equilibria(number); k++) {
    ck_assert_int_eq(wal_example_equilibrium(number, &size, k, p, x), WAL_OK);
    const int which = at_prices(&e, p, market.m, 1e-10);
    ck_assert_msg(which >= 0, "A.%d: equilibrium %d is not found", number, k);
    for (int i = 0; i < market.n; i++)
      ck_assert_double_eq_tol(e.list[which].u[i], wal_utility_value(market.utility[i], x + i * market.m),
                              1e-9);
  }
  if (number == 1) ck_assert_int_eq(e.count, 3);
  if (number == 7) ck_assert_int_eq(e.count, 1);
  wal_equilibria_destroy(&e);
  wal_nw_market_destroy(&market);
}
END_TEST

/* A.5: p_j may be any number of [0, 1], j < n: the corners of a box. */
START_TEST(finds_corners_of_a_set_of_prices) {
  wal_example_size size = wal_example_defaults(5);
  size.n = 3;
  wal_nw_market market;
  wal_equilibria e;
  ck_assert_int_eq(wal_example(5, &size, &market), WAL_OK);
  find(&market, 32, &e);
  ck_assert_int_eq(e.count, 4);
  const double corners[4][3] = {{0, 0, 3}, {0, 1, 2}, {1, 0, 2}, {1, 1, 1}};
  for (int k = 0; k < 4; k++) ck_assert_double_le(apart(e.list[k].p, corners[k], 3), 1e-10);
  wal_equilibria_destroy(&e);
  wal_nw_market_destroy(&market);
}
END_TEST

/* A.10: the stated equilibrium is not thrifty; the thrifty one has p_j = 1 / (eps + (1 - eps) / n). */
START_TEST(finds_only_thrifty_ones) {
  wal_example_size size = wal_example_defaults(10);
  wal_nw_market market;
  wal_equilibria e;
  ck_assert_int_eq(wal_example(10, &size, &market), WAL_OK);
  find(&market, 16, &e);
  check_all(&market, &e);
  ck_assert_int_eq(e.count, 1);
  for (int j = 0; j < market.m; j++)
    ck_assert_double_eq_tol(e.list[0].p[j], 1 / (size.eps + (1 - size.eps) / size.n), 1e-10);
  wal_equilibria_destroy(&e);
  wal_nw_market_destroy(&market);
}
END_TEST

/* ---- random markets ---- */

static const char *const families[] = {"linear", "bounded_linear", "splc", "leontief_free", "network"};
enum { FAMILIES = sizeof families / sizeof *families };

START_TEST(finds_one_in_every_random_market) {
  const int sizes[][3] = {{2, 2, 60}, {3, 3, 30}, {4, 2, 20}, {2, 5, 10}, {5, 5, 3}};
  const wal_family *family = wal_family_find(families[_i]);
  for (int s = 0; s < 5; s++)
    for (int k = 0; k < sizes[s][2]; k++) {
      wal_nw_market market;
      wal_equilibria e;
      ck_assert_int_eq(family->draw(11, k, sizes[s][0], sizes[s][1], &market), WAL_OK);
      find(&market, 2, &e);
      check_all(&market, &e);
      wal_equilibria_destroy(&e);
      wal_nw_market_destroy(&market);
    }
}
END_TEST

/* Equilibria of linear markets are those of Eisenberg and Gale: one vector of prices. */
START_TEST(agrees_with_eisenberg_gale) {
  for (int k = 0; k < 40; k++) {
    wal_nw_market market;
    wal_equilibria e;
    double distance;
    ck_assert_int_eq(wal_family_find("linear")->draw(3, k, 3, 4, &market), WAL_OK);
    find(&market, 8, &e);
    ck_assert_int_eq(e.count, 1);
    ck_assert_int_eq(wal_nw_gale_check(&market, e.list[0].x, e.list[0].p, &distance), WAL_OK);
    ck_assert_double_le(distance, 1e-9);
    wal_equilibria_destroy(&e);
    wal_nw_market_destroy(&market);
  }
}
END_TEST

/* ---- two goods: a scan of prices finds the same ---- */

/* 1, -1: good 0 is wanted by more, less, than there is at logit(p_0 / (p_0 + p_1)) = at; 0: neither. The
   prices into p. */
static int scan_sign(const wal_nw_market *market, double at, double *p) {
  const double share = 1 / (1 + exp(-at)), direction[] = {share, 1 - share};
  double scale, low[2], high[2];
  ck_assert_int_eq(wal_price_scale(market, direction, &scale), WAL_OK);
  if (scale == 0) return 2;
  for (int j = 0; j < 2; j++) p[j] = scale * direction[j];
  ck_assert_msg(wal_excess_demand(market, p, low, high) == WAL_OK, "%s", wal_error());
  return low[0] > 1e-7 ? 1 : high[0] < -1e-7 ? -1 : 0;
}

static int scan(const wal_nw_market *market, double (*p)[2], int most) {
  const double from = -9, to = 9;
  const int steps = 120;
  int count = 0, last = scan_sign(market, from, p[0]);
  for (int k = 1; k <= steps && count < most; k++) {
    double low = from + (to - from) * (k - 1) / steps, high = from + (to - from) * k / steps;
    const int sign = scan_sign(market, high, p[count]);
    for (int step = 0; sign * last == -1 && step < 45; step++) {
      const double middle = (low + high) / 2;
      if (scan_sign(market, middle, p[count]) == last)
        low = middle;
      else
        high = middle;
    }
    if (sign * last == -1) scan_sign(market, high, p[count]);
    count += sign * last == -1 || sign == 0;
    last = sign;
  }
  return count;
}

START_TEST(agrees_with_a_scan_of_prices) {
  const wal_family *family = wal_family_find(families[_i]);
  for (int k = 0; k < 25; k++) {
    wal_nw_market market;
    wal_equilibria e;
    double p[8][2];
    ck_assert_int_eq(family->draw(12, k, 2 + k % 2, 2, &market), WAL_OK);
    find(&market, 16, &e);
    const int count = scan(&market, p, 8);
    for (int l = 0; l < count; l++)
      ck_assert_msg(at_prices(&e, p[l], 2, 1e-4) >= 0, "%s %d: (%g, %g) is not found", family->name, k,
                    p[l][0], p[l][1]);
    for (int l = 0; l < e.count; l++) {
      const double *q = e.list[l].p;
      bool there = q[0] < 2e-4 * q[1] || q[1] < 2e-4 * q[0] || q[0] + q[1] == 0;
      for (int c = 0; c < count; c++) there = there || apart(q, p[c], 2) < 1e-4;
      ck_assert_msg(there, "%s %d: (%g, %g) is not in the scan", family->name, k, q[0], q[1]);
    }
    wal_equilibria_destroy(&e);
    wal_nw_market_destroy(&market);
  }
}
END_TEST

/* ---- mixed-integer programs: the least and the most price of good 0 ---- */

static void check_extreme(const wal_nw_market *market, const wal_equilibria *e, double sign) {
  const int m = market->m;
  double cost[8] = {sign}, p[8], x[64], extreme = INFINITY;
  wal_program_outcome outcome;
  ck_assert_msg(wal_equilibrium_program(market, cost, 1e-4, 20000, p, x, &outcome) == WAL_OK, "%s",
                wal_error());
  ck_assert_int_eq(outcome, WAL_PROGRAM_FOUND);
  ck_assert_int_ge(at_prices(e, p, m, 1e-6), 0);
  for (int l = 0; l < e->count; l++) extreme = fmin(extreme, sign * e->list[l].p[0]);
  ck_assert_double_eq_tol(sign * p[0], extreme, 1e-6);
}

START_TEST(agrees_with_mixed_integer_programs) {
  const struct {
    const char *family;
    int n, m, count;
  } sets[] = {{"linear", 3, 3, 8}, {"splc", 2, 2, 12}, {"bounded_linear", 2, 2, 20}};
  for (int k = 0; k < sets[_i].count; k++) {
    wal_nw_market market;
    wal_equilibria e;
    ck_assert_int_eq(wal_family_find(sets[_i].family)->draw(1, k, sets[_i].n, sets[_i].m, &market), WAL_OK);
    find(&market, 16, &e);
    bool priced = true; /* the program holds prices above 0 */
    for (int l = 0; l < e.count; l++)
      for (int j = 0; j < market.m; j++) priced = priced && e.list[l].p[j] > 0.01;
    for (int sign = -1; priced && sign <= 1; sign += 2) check_extreme(&market, &e, sign);
    wal_equilibria_destroy(&e);
    wal_nw_market_destroy(&market);
  }
}
END_TEST

/* A.1: at each of the three the scale is 1 and 0 is an excess demand; elsewhere it is not. */
START_TEST(excess_demand_holds_zero_at_equilibria) {
  const double prices[][2] = {{2.0 / 201, 400.0 / 201}, {1, 1}, {1.3, 0.45}, {0.5, 1}, {1.1, 0.9}, {2, 2}};
  wal_example_size size = wal_example_defaults(1);
  wal_nw_market market;
  ck_assert_int_eq(wal_example(1, &size, &market), WAL_OK);
  for (int k = 0; k < 6; k++) {
    double scale, low[2], high[2];
    ck_assert_int_eq(wal_price_scale(&market, prices[k], &scale), WAL_OK);
    ck_assert_int_eq(wal_excess_demand(&market, prices[k], low, high), WAL_OK);
    if (k < 3) ck_assert_double_eq_tol(scale, 1, 1e-12);
    bool inside = true;
    for (int j = 0; j < 2; j++) inside = inside && low[j] < 1e-6 && high[j] > -1e-6;
    ck_assert_int_eq(inside, k < 3);
  }
  /* Agent 1 buys .7 of good 1 at (1.3, .45) or goes to good 2 alone; agent 2 is satiated with (.3, .8). */
  double low[2], high[2];
  ck_assert_int_eq(wal_excess_demand(&market, prices[2], low, high), WAL_OK);
  ck_assert_double_eq_tol(low[0], 0.3 - 1, 1e-6);
  ck_assert_double_eq_tol(high[0], 1 / 1.3 + 0.3 - 1, 1e-6);
  ck_assert_double_eq_tol(high[1], 1 / 0.45 + 0.8 - 1, 1e-6);
  wal_nw_market_destroy(&market);
}
END_TEST

/* ---- ties, zeros, sizes ---- */

static wal_nw_market market_of(int n, int m) {
  wal_nw_market market;
  ck_assert_int_eq(wal_nw_market_create(n, m, &market), WAL_OK);
  return market;
}

static void find_and_check(wal_nw_market *market, wal_equilibria *e) {
  find(market, 16, e);
  check_all(market, e);
}

static void let_go(wal_nw_market *market, wal_equilibria *e) {
  wal_equilibria_destroy(e);
  wal_nw_market_destroy(market);
}

/* Four agents alike: every number is a tie. */
START_TEST(agents_alike) {
  wal_nw_market market = market_of(4, 3);
  wal_equilibria e;
  const double v[] = {1, 1, 1}, l[] = {0.25, 0.25, 0.5};
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(wal_utility_bounded_linear(3, v, l, &market.utility[i]), WAL_OK);
  find_and_check(&market, &e);
  let_go(&market, &e);
}
END_TEST

/* There is enough for all to be satiated: everything is free. */
START_TEST(enough_for_all) {
  wal_nw_market market = market_of(2, 2);
  wal_equilibria e;
  const double v[] = {1, 2}, l[] = {0.3, 0.4};
  for (int i = 0; i < 2; i++)
    ck_assert_int_eq(wal_utility_bounded_linear(2, v, l, &market.utility[i]), WAL_OK);
  find_and_check(&market, &e);
  ck_assert_int_eq(e.count, 1);
  for (int j = 0; j < 2; j++) ck_assert_double_eq(e.list[0].p[j], 0);
  for (int i = 0; i < 2; i++) ck_assert_double_eq_tol(e.list[0].u[i], 0.7, 1e-9);
  let_go(&market, &e);
}
END_TEST

/* Good 1 is made of good 0 at .5, good 2 is of no use; a cycle that gains and loses nothing, two arcs alike,
   arcs of no capacity, out of the sink, and to a node that leads nowhere. The other agent wants good 1 alone.
   Both spend 1: p_0 = p_1 / 2, and so p = (2/3, 4/3, 0). */
START_TEST(odd_networks) {
  wal_nw_market market = market_of(2, 3);
  wal_equilibria e;
  const test_arc arcs[] = {{0, 1, 0.5, INFINITY}, {1, 3, 1, INFINITY}, {3, 4, 1, INFINITY},
                           {4, 3, 1, INFINITY},   {4, 5, 1, 0.3},      {4, 5, 1, INFINITY},
                           {2, 5, 1, 0},          {5, 3, 1, 1},        {0, 6, 1, 2}};
  ck_assert_int_eq(test_network(3, 7, 5, 9, arcs, &market.utility[0]), WAL_OK);
  const double v[] = {0, 1, 0};
  ck_assert_int_eq(wal_utility_linear(3, v, &market.utility[1]), WAL_OK);
  find_and_check(&market, &e);
  ck_assert_int_eq(e.count, 1);
  const double p[] = {2.0 / 3, 4.0 / 3, 0};
  ck_assert_double_le(apart(e.list[0].p, p, 3), 1e-10);
  let_go(&market, &e);
}
END_TEST

/* Slopes of 1e-9, where the ends of some paths are singular to rounding: what is found is right, or nothing
   is, but the search does not fail. */
START_TEST(slopes_far_apart) {
  const double tiny = 1e-9, v[4][3] = {{0.42188706630568434, tiny, 0.22503464901707196},
                                       {0.14944051624654642, tiny, 0.26862907033856653},
                                       {0.32108540270043395, tiny, 0.15627261924100078},
                                       {0.6768348121638258, 0.7107146220402021, tiny}};
  const double l[4][3] = {{0.2655616790699832, 2.414591204758051e-10, 0.060633138734757085},
                          {0.09576680634297799, INFINITY, 0.12580500702186867},
                          {0.24163643263917733, 2.4669330459409275e-10, 0.04270618025199933},
                          {0.20781967175335325, 0.42521412741257286, INFINITY}};
  wal_nw_market market = market_of(4, 3);
  wal_equilibria e;
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(wal_utility_bounded_linear(3, v[i], l[i], &market.utility[i]), WAL_OK);
  find(&market, 16, &e);
  if (e.count > 0) check_all(&market, &e);
  let_go(&market, &e);
}
END_TEST

/* Prices are in the unit of the budgets, and do not depend on that of utilities. */
START_TEST(units_do_not_matter) {
  for (int k = 0; k < 10; k++) {
    wal_nw_market market;
    wal_equilibria e, scaled;
    ck_assert_int_eq(wal_family_find("network")->draw(5, k, 3, 3, &market), WAL_OK);
    find(&market, 4, &e);
    for (int i = 0; i < 3; i++) market.budget[i] *= 1e6;
    find(&market, 4, &scaled);
    ck_assert_int_eq(scaled.count, e.count);
    for (int l = 0; l < e.count; l++)
      for (int j = 0; j < 3; j++) ck_assert_double_eq_tol(scaled.list[l].p[j], 1e6 * e.list[l].p[j], 1e-3);
    wal_equilibria_destroy(&scaled);
    let_go(&market, &e);
  }
}
END_TEST

/* ---- the same bits from any thread ---- */

enum { TASKS = 24 };
static wal_status find_task(void *context, int64_t k) {
  wal_nw_market market;
  wal_status status = wal_family_find(families[k % FAMILIES])->draw(6, k, 3, 3, &market);
  if (!status) status = wal_equilibria_find(&market, NULL, (wal_equilibria *)context + k);
  wal_nw_market_destroy(&market);
  return status;
}

START_TEST(same_bits_on_any_number_of_threads) {
  wal_equilibria one[TASKS], four[TASKS];
  const int before = wal_threads();
  wal_threads_set(1);
  ck_assert_int_eq(wal_for_tasks(TASKS, find_task, one), WAL_OK);
  wal_threads_set(4);
  ck_assert_int_eq(wal_for_tasks(TASKS, find_task, four), WAL_OK);
  wal_threads_set(before);
  for (int k = 0; k < TASKS; k++) {
    ck_assert_int_eq(one[k].count, four[k].count);
    for (int l = 0; l < one[k].count; l++) {
      ck_assert_mem_eq(one[k].list[l].p, four[k].list[l].p, 3 * sizeof(double));
      ck_assert_mem_eq(one[k].list[l].x, four[k].list[l].x, 9 * sizeof(double));
    }
    wal_equilibria_destroy(&one[k]);
    wal_equilibria_destroy(&four[k]);
  }
}
END_TEST

START_TEST(refuses) {
  wal_nw_market market = market_of(2, 2);
  wal_equilibria e;
  const double v[] = {1, 2}, constant[] = {0, 0}, slopes[] = {1, 2, 2, 1};
  ck_assert_int_eq(wal_utility_linear(2, v, &market.utility[0]), WAL_OK);
  ck_assert_int_eq(wal_equilibria_find(&market, NULL, &e), WAL_E_INPUT);
  ck_assert_int_eq(wal_utility_plc(2, 2, slopes, constant, &market.utility[1]), WAL_OK);
  ck_assert_int_eq(wal_equilibria_find(&market, NULL, &e), WAL_E_UNSUPPORTED);
  ck_assert_ptr_nonnull(strstr(wal_error(), "agent 1"));
  ck_assert_int_eq(e.count, 0);
  wal_equilibria_options options = wal_equilibria_defaults();
  options.attempts = 0;
  ck_assert_int_eq(wal_equilibria_find(&market, &options, &e), WAL_E_INPUT);
  const double none[] = {0, 0}, negative[] = {1, -1};
  double low[2], high[2], scale;
  ck_assert_int_eq(wal_excess_demand(&market, none, low, high), WAL_E_INPUT);
  ck_assert_int_eq(wal_price_scale(&market, negative, &scale), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), "good 1"));
  let_go(&market, &e);
  wal_equilibria_destroy(NULL);
}
END_TEST

/* ---- complementary pivoting alone ---- */

/* M = A A' + I: one solution, of index 1, by checking w, z >= 0 and w'z = 0. */
START_TEST(pivoting_solves_definite_problems) {
  enum { N = 12 };
  for (uint64_t k = 0; k < 40; k++) {
    wal_lcp lcp;
    wal_lemke_end end;
    double a[N][N], d[N];
    int order[N];
    ck_assert_int_eq(wal_lcp_create(N, &lcp), WAL_OK);
    ck_assert_int_eq(wal_lemke_end_create(N, &end), WAL_OK);
    for (int r = 0; r < N; r++)
      for (int c = 0; c < N; c++) a[r][c] = test_uniform(k * 1000 + (uint64_t)(r * N + c)) - 0.5;
    for (int r = 0; r < N; r++) {
      for (int c = 0; c < N; c++) {
        lcp.m[r * N + c] = r == c;
        for (int l = 0; l < N; l++) lcp.m[r * N + c] += a[r][l] * a[c][l];
      }
      lcp.q[r] = test_uniform(k * 1000 + 500 + (uint64_t)r) - 0.7;
      d[r] = 1;
      order[r] = r;
    }
    wal_lemke *lemke = wal_lemke_create(&lcp);
    ck_assert_ptr_nonnull(lemke);
    ck_assert_int_eq(wal_lemke_follow(lemke, d, order, NULL, 1000, &end), WAL_LEMKE_SOLVED);
    ck_assert_int_eq(end.index, 1);
    for (int r = 0; r < N; r++) {
      double w = lcp.q[r];
      for (int c = 0; c < N; c++) w += lcp.m[r * N + c] * end.z[c];
      ck_assert_double_ge(w, -1e-12);
      ck_assert_double_ge(end.z[r], -1e-12);
      ck_assert_double_eq_tol(w * end.z[r], 0, 1e-12);
    }
    wal_lemke_destroy(lemke);
    wal_lemke_end_destroy(&end);
    wal_lcp_destroy(&lcp);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("equilibria");
  TCase *examples = tcase_create("examples");
  tcase_set_timeout(examples, 60);
  tcase_add_loop_test(examples, finds_the_examples, 0, 6);
  tcase_add_test(examples, finds_corners_of_a_set_of_prices);
  tcase_add_test(examples, finds_only_thrifty_ones);
  tcase_add_test(examples, finds_small_prices);
  suite_add_tcase(suite, examples);
  TCase *markets = tcase_create("random markets");
  tcase_set_timeout(markets, 120);
  tcase_add_loop_test(markets, finds_one_in_every_random_market, 0, FAMILIES);
  tcase_add_test(markets, agrees_with_eisenberg_gale);
  tcase_add_loop_test(markets, agrees_with_a_scan_of_prices, 0, FAMILIES);
  tcase_add_loop_test(markets, agrees_with_mixed_integer_programs, 0, 3);
  tcase_add_test(markets, excess_demand_holds_zero_at_equilibria);
  suite_add_tcase(suite, markets);
  TCase *odd = tcase_create("ties, zeros, sizes");
  tcase_set_timeout(odd, 60);
  tcase_add_test(odd, agents_alike);
  tcase_add_test(odd, enough_for_all);
  tcase_add_test(odd, odd_networks);
  tcase_add_test(odd, slopes_far_apart);
  tcase_add_test(odd, units_do_not_matter);
  tcase_add_test(odd, same_bits_on_any_number_of_threads);
  tcase_add_test(odd, refuses);
  tcase_add_test(odd, pivoting_solves_definite_problems);
  suite_add_tcase(suite, odd);
  return run_suite(suite);
}
