/* Flow algorithms on generalised networks: closed forms, the two forms of Algorithms 1 and 2 against each
   other, their lemmas by a search of its own, and Gale demands by linear programs that know no flow. */
#include <stdio.h>
#include <string.h>

#include "models/nashwelfare/flow.h"
#include "models/nashwelfare/max_flow.h"
#include "tests/models/utility_fixture.h"

#define OK(call) ck_assert_msg((call) == WAL_OK, "%s", wal_error())

/* ---- instances: k mod 4 is an SPLC utility, a Leontief-free one, a network, a network with ties ---- */

enum { MOST = 8, KINDS = 4 };

static double draw(uint64_t k, uint64_t at) { return wal_rng_uniform(5, WAL_STREAM_TEST, k * 4096 + at); }

/* Up to three segments a good, every third good without an end. */
static wal_status draw_splc(uint64_t k, int m, wal_utility **out) {
  int start[MOST + 1];
  wal_segment segments[3 * MOST];
  int count = 0;
  for (int j = 0; j < m; j++) {
    start[j] = count;
    double slope = 0.5 + 2 * draw(k, 100 + (uint64_t)j);
    for (int s = 0; s < 3; s++) {
      const uint64_t at = 200 + 8 * (uint64_t)(3 * j + s);
      const double length = s == 2 && draw(k, at) < 0.4 ? INFINITY : 0.1 + draw(k, at + 1);
      segments[count++] = (wal_segment){slope, length};
      slope *= 0.2 + 0.7 * draw(k, at + 2);
    }
  }
  start[m] = count;
  return wal_utility_splc(m, start, segments, out);
}

static wal_status draw_leontief_free(uint64_t k, int m, wal_utility **out) {
  double a[MOST * 3], l[3];
  for (int s = 0; s < 3; s++) l[s] = 0.2 + draw(k, 90 + (uint64_t)s);
  for (int e = 0; e < 3 * m; e++)
    a[e] = draw(k, 100 + (uint64_t)e) < 0.7 ? 0.2 + draw(k, 200 + (uint64_t)e) : 0;
  a[0] = 1;
  return wal_utility_leontief_free(m, 3, a, l, out);
}

/* Inner nodes, arcs forward and one back, around which at most as much arrives as left (exactly as much, with
   ties: gains of 1 and 2, capacities in quarters). */
static wal_status draw_network(uint64_t k, int m, bool ties, wal_utility **out) {
  const int inner = (int)(5 * draw(k, 2)), nodes = m + inner + 1, sink = nodes - 1;
  test_arc arcs[64];
  int count = 0;
  uint64_t at = 100;
  for (int v = 0; v < sink; v++)
    for (int w = v + 1 < m ? m : v + 1, first = w; w < nodes && count < 60; w++, at += 4) {
      if (w > first && w < sink && draw(k, at) < 0.4) continue;
      const double gain = ties ? 1 + floor(2 * draw(k, at + 1)) : 0.3 + 1.7 * draw(k, at + 1);
      const double size = ties ? (1 + floor(4 * draw(k, at + 2))) / 4 : 0.1 + draw(k, at + 2);
      arcs[count++] = (test_arc){v, w, gain, draw(k, at + 3) < 0.3 ? INFINITY : size};
    }
  if (inner > 1) arcs[count++] = (test_arc){sink - 1, m, 0.125, 0.5};
  return test_network(m, nodes, sink, count, arcs, out);
}

static const char *const kinds[KINDS] = {"splc", "leontief-free", "network", "network with ties"};

static wal_utility *draw_utility(uint64_t k) {
  const int m = 2 + (int)(4 * draw(k, 1));
  wal_utility *u = NULL;
  switch (k % KINDS) {
    case 0:
      OK(draw_splc(k, m, &u));
      break;
    case 1:
      OK(draw_leontief_free(k, m, &u));
      break;
    default:
      OK(draw_network(k, m, k % KINDS == 3, &u));
  }
  return u;
}

/* A Gale demand: random positive prices (in quarters, with ties), any corner of the set. */
typedef struct {
  wal_utility *u;
  wal_network net;
  double q[MOST], x[MOST], b;
} instance;

static instance draw_instance(uint64_t k) {
  instance it = {.u = draw_utility(k), .b = 0.5 + draw(k, 10)};
  double aim[MOST];
  const bool ties = k % KINDS == 3;
  for (int j = 0; j < it.u->m; j++) {
    it.q[j] = ties ? (1 + floor(3 * draw(k, 20 + (uint64_t)j))) / 4 : 0.1 + draw(k, 20 + (uint64_t)j);
    aim[j] = draw(k, 30 + (uint64_t)j) - 0.5;
  }
  if (ties) it.b = 1;
  wal_demand_set set;
  bool found;
  OK(wal_demand_gale(it.u, it.q, it.b, &set));
  OK(wal_demand_pick(it.u, it.q, &set, aim, NULL, NULL, it.x, &found));
  ck_assert_msg(found, "instance %d (%s) has no Gale demand", (int)k, kinds[k % KINDS]);
  OK(wal_utility_network(it.u, &it.net));
  return it;
}

static void drop(instance *it) {
  wal_utility_destroy(it->u);
  wal_network_destroy(&it->net);
}

static double distance(const instance *it, const double *q, double b, const double *x) {
  wal_demand_set set;
  OK(wal_demand_gale(it->u, q, b, &set));
  return wal_demand_distance(it->u, q, b, &set, x);
}

/* ---- maximum flow ---- */

/* The smallest cut over all sets with the source and without the sink. */
static double smallest_cut(int nodes, int arcs, const int *from, const int *to, const double *size) {
  double best = INFINITY;
  for (unsigned set = 0; set < 1u << nodes; set++) {
    if (!(set & 1) || set >> (nodes - 1) & 1) continue;
    double cut = 0;
    for (int a = 0; a < arcs; a++)
      if (set >> from[a] & 1 && !(set >> to[a] & 1)) cut += size[a];
    best = fmin(best, cut);
  }
  return best;
}

START_TEST(maximum_flow_is_the_smallest_cut) {
  for (uint64_t k = 0; k < 300; k++) {
    const int nodes = 2 + (int)(7 * draw(k, 1)), arcs = (int)(24 * draw(k, 2));
    int from[24], to[24];
    double size[24];
    wal_max_flow graph;
    OK(wal_max_flow_create(nodes, arcs, &graph));
    for (int a = 0; a < arcs; a++) {
      const uint64_t at = 10 + 4 * (uint64_t)a;
      from[a] = (int)(nodes * draw(k, at));
      to[a] = (int)(nodes * draw(k, at + 1));
      size[a] = draw(k, at + 2) < 0.2 ? INFINITY : draw(k, at + 3);
      wal_max_flow_add(&graph, from[a], to[a], size[a], 0);
    }
    const double flow = wal_max_flow_run(&graph, 0, nodes - 1),
                 cut = smallest_cut(nodes, arcs, from, to, size);
    if (isinf(cut))
      ck_assert(isinf(flow));
    else
      ck_assert_double_eq_tol(flow, cut, 1e-12);
    wal_max_flow_destroy(&graph);
  }
}
END_TEST

/* ---- closed forms ---- */

static void expect_decrease(const wal_network *net, const double *q, double b, const double *x, double b1,
                            const double *expected) {
  double x1[MOST];
  wal_flow_report report;
  OK(wal_budget_decrease(net, q, b, b1, x, x1, &report, NULL));
  for (int j = 0; j < net->m; j++) ck_assert_double_eq_tol(x1[j], expected[j], 1e-12);
  ck_assert_double_le(report.violation, 1e-12);
}

/* min{2 x, 1.4} at price 1: x = min{b, .7}. */
START_TEST(one_arc) {
  wal_utility *u;
  wal_network net;
  OK(test_network(1, 2, 1, 1, (test_arc[]){{0, 1, 2, 0.7}}, &u));
  OK(wal_utility_network(u, &net));
  const double q[] = {1};
  expect_decrease(&net, q, 1, (double[]){0.7}, 0.8, (double[]){0.7});
  expect_decrease(&net, q, 1, (double[]){0.7}, 0.35, (double[]){0.35});
  expect_decrease(&net, q, 0.5, (double[]){0.5}, 0.5, (double[]){0.5});
  expect_decrease(&net, q, 0.5, (double[]){0.5}, 1e-6, (double[]){1e-6});
  wal_network_destroy(&net);
  wal_utility_destroy(u);
}
END_TEST

/* Slope 2 over 1, then 1 for ever, at price 1: x = b up to 1, 1 up to b = 2, then b - 1. */
START_TEST(two_segments) {
  wal_utility *u;
  wal_network net;
  OK(test_network(1, 2, 1, 2, (test_arc[]){{0, 1, 2, 1}, {0, 1, 1, INFINITY}}, &u));
  OK(wal_utility_network(u, &net));
  const double q[] = {1}, budgets[] = {2.5, 2, 1.5, 1, 0.25}, supplies[] = {1.5, 1, 1, 1, 0.25};
  for (int k = 0; k < 5; k++) expect_decrease(&net, q, 3, (double[]){2}, budgets[k], supplies + k);
  wal_network_destroy(&net);
  wal_utility_destroy(u);
}
END_TEST

/* x_1 + x_2 at (1, 2), good 2 then at 1/2: all of the budget goes to it, although Algorithm 2 has no largest
   x'_2 here. At 0 there is no Gale demand. */
START_TEST(a_price_falls_where_supply_has_no_limit) {
  wal_utility *u;
  wal_network net;
  OK(test_network(2, 3, 2, 2, (test_arc[]){{0, 2, 1, INFINITY}, {1, 2, 1, INFINITY}}, &u));
  OK(wal_utility_network(u, &net));
  const double q[] = {1, 2}, x[] = {1, 0};
  double x1[2];
  wal_flow_report report;
  OK(wal_price_decrease(&net, q, (double[]){1, 0.5}, 1, x, x1, &report, NULL));
  ck_assert(report.unlimited);
  ck_assert_double_eq_tol(x1[0], 0, 1e-12);
  ck_assert_double_eq_tol(x1[1], 2, 1e-12);
  OK(wal_price_decrease(&net, q, (double[]){1, 1.5}, 1, x, x1, &report, NULL));
  ck_assert(!report.unlimited);
  ck_assert_double_eq_tol(x1[0], 1, 1e-12);
  ck_assert_int_eq(wal_price_decrease(&net, q, (double[]){1, 0}, 1, x, x1, &report, NULL), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), "good 1"));
  wal_network_destroy(&net);
  wal_utility_destroy(u);
}
END_TEST

/* Potentials that differ by a millionth are two, by a billionth one. */
START_TEST(arcs_are_tight_or_not) {
  wal_network net;
  wal_utility *u;
  wal_fitting_pair pair;
  OK(test_network(1, 2, 1, 1, (test_arc[]){{0, 1, 2, 1}}, &u));
  OK(wal_utility_network(u, &net));
  OK(wal_fitting_pair_create(&net, &pair));
  pair.x[0] = pair.f[0] = 0.5;
  pair.pi[1] = pair.u = 1;
  for (int k = 0; k < 2; k++) {
    pair.pi[0] = 2 * (1 + (k ? 1e-9 : 1e-6));
    const wal_arc_state arc = wal_arc_state_of(&net, &pair, 0);
    ck_assert(arc.tight == (k == 1) && arc.rise && arc.fall);
  }
  wal_fitting_pair_destroy(&pair);
  wal_network_destroy(&net);
  wal_utility_destroy(u);
}
END_TEST

START_TEST(what_is_no_gale_demand_is_refused) {
  wal_utility *u;
  wal_network net;
  OK(test_network(1, 2, 1, 1, (test_arc[]){{0, 1, 2, 0.7}}, &u));
  OK(wal_utility_network(u, &net));
  const double q[] = {1};
  double x1[1];
  wal_flow_report report;
  wal_fitting_pair pair = {0};
  ck_assert_int_eq(wal_fitting_pair_find(&net, (double[]){0.4}, q, 0.5, &pair), WAL_E_INPUT);
  ck_assert_int_eq(wal_fitting_pair_find(&net, (double[]){0.6}, q, 0.5, &pair), WAL_E_INPUT);
  ck_assert_int_eq(wal_fitting_pair_find(&net, (double[]){0.8}, q, 2, &pair), WAL_E_INPUT);
  ck_assert_int_eq(wal_budget_decrease(&net, q, 0.5, 1, (double[]){0.5}, x1, &report, NULL), WAL_E_INPUT);
  ck_assert_int_eq(wal_budget_decrease(&net, q, 0.5, 0, (double[]){0.5}, x1, &report, NULL), WAL_E_INPUT);
  ck_assert_int_eq(wal_price_decrease(&net, q, (double[]){2}, 0.5, (double[]){0.5}, x1, &report, NULL),
                   WAL_E_INPUT);
  wal_network_destroy(&net);
  wal_utility_destroy(u);
}
END_TEST

/* ---- Algorithms 1 and 2 ---- */

/* The auxiliary network's nodes from `set`, by exchanging nothing with flow.c: both directions of each arc
   that is tight to 1e-7, with room worth 1e-9 of the utility. */
static void reach(const wal_network *net, const wal_fitting_pair *p, bool *set) {
  const double nothing = 1e-9 * p->u;
  for (int round = 0; round < net->nodes; round++)
    for (int e = 0; e < net->arcs; e++) {
      const int v = net->from[e], w = net->to[e];
      if (!(p->pi[v] > 0) || fabs(net->gain[e] * p->pi[w] / p->pi[v] - 1) > 1e-7) continue;
      if (set[v] && (net->capacity[e] - p->f[e]) * p->pi[v] > nothing) set[w] = true;
      if (set[w] && p->f[e] * p->pi[v] > nothing) set[v] = true;
    }
}

/* Lemma 7.3: no path from the sink to supplied goods. */
static bool sink_reaches_goods(const wal_network *net, const wal_fitting_pair *p) {
  bool set[64] = {false}, found = false;
  const double nothing = 1e-9 * p->u;
  set[net->sink] = true;
  reach(net, p, set);
  for (int j = 0; j < net->m; j++) found |= set[j] && p->x[j] * p->pi[j] > nothing;
  return found;
}

/* Lemma 7.5: none from k to other supplied goods or the sink. */
static bool good_reaches(const wal_network *net, const wal_fitting_pair *p, int k) {
  bool set[64] = {false};
  const double nothing = 1e-9 * p->u;
  set[k] = true;
  reach(net, p, set);
  bool found = set[net->sink];
  for (int j = 0; j < net->m; j++) found |= j != k && set[j] && p->x[j] * p->pi[j] > nothing;
  return found;
}

START_TEST(both_forms_of_pullback_agree) {
  for (uint64_t k = 0; k < 400; k++) {
    instance it = draw_instance(k);
    wal_fitting_pair start, lp, flow;
    OK(wal_fitting_pair_find(&it.net, it.x, it.q, it.b, &start));
    ck_assert_double_le(wal_fitting_violation(&it.net, &start), 1e-9);
    OK(wal_fitting_pair_copy(&it.net, &start, &lp));
    OK(wal_fitting_pair_copy(&it.net, &start, &flow));
    OK(wal_pullback_flow(&it.net, &lp));
    OK(wal_pullback_flow_by_maxflow(&it.net, &flow));
    const double before = wal_network_net(&it.net, start.f, it.net.sink);
    ck_assert_double_eq_tol(wal_network_net(&it.net, lp.f, it.net.sink) / before,
                            wal_network_net(&it.net, flow.f, it.net.sink) / before, 1e-9);
    for (int j = 0; j < it.net.m; j++) ck_assert(flow.x[j] <= start.x[j] && lp.x[j] <= start.x[j]);
    ck_assert_double_le(wal_fitting_violation(&it.net, &lp), 1e-8);
    ck_assert_double_le(wal_fitting_violation(&it.net, &flow), 1e-9);
    ck_assert(!sink_reaches_goods(&it.net, &lp) && !sink_reaches_goods(&it.net, &flow));
    wal_fitting_pair_destroy(&start);
    wal_fitting_pair_destroy(&lp);
    wal_fitting_pair_destroy(&flow);
    drop(&it);
  }
}
END_TEST

static void check_reroute(const instance *it, int k, const wal_fitting_pair *start, int *unlimited) {
  wal_fitting_pair lp, flow;
  bool lp_unlimited, flow_unlimited;
  OK(wal_fitting_pair_copy(&it->net, start, &lp));
  OK(wal_fitting_pair_copy(&it->net, start, &flow));
  OK(wal_reroute_flow(&it->net, k, &lp, &lp_unlimited));
  OK(wal_reroute_flow_by_maxflow(&it->net, k, &flow, &flow_unlimited));
  ck_assert_int_eq(lp_unlimited, flow_unlimited);
  ck_assert_double_le(wal_fitting_violation(&it->net, &flow), 1e-9);
  const double u = wal_network_net(&it->net, start->f, it->net.sink);
  ck_assert_double_ge(wal_network_net(&it->net, flow.f, it->net.sink), u * (1 - 1e-12));
  *unlimited += flow_unlimited;
  if (!flow_unlimited) {
    ck_assert_double_le(fabs(lp.x[k] - flow.x[k]) * start->pi[k], 1e-8 * u);
    ck_assert_double_le(wal_fitting_violation(&it->net, &lp), 1e-8);
    ck_assert(!good_reaches(&it->net, &lp, k) && !good_reaches(&it->net, &flow, k));
  }
  wal_fitting_pair_destroy(&lp);
  wal_fitting_pair_destroy(&flow);
}

START_TEST(both_forms_of_reroute_agree) {
  int calls = 0, unlimited = 0;
  for (uint64_t k = 0; k < 400; k++) {
    instance it = draw_instance(k);
    wal_fitting_pair start;
    OK(wal_fitting_pair_find(&it.net, it.x, it.q, it.b, &start));
    for (int j = 0; j < it.net.m; j++) {
      if (!(start.pi[j] > 0)) continue;
      calls++;
      check_reroute(&it, j, &start, &unlimited);
    }
    wal_fitting_pair_destroy(&start);
    drop(&it);
  }
  ck_assert_int_gt(unlimited, 0); /* what Lemma 7.5 leaves out happens */
  ck_assert_int_gt(calls, 2 * unlimited);
}
END_TEST

/* ---- Algorithm 3 ---- */

START_TEST(budgets_decrease) {
  int more_than_one = 0;
  for (uint64_t k = 0; k < 800; k++) {
    instance it = draw_instance(k);
    const double b1 = it.b * (0.02 + 0.97 * draw(k, 50));
    double x1[MOST];
    wal_flow_report report;
    OK(wal_budget_decrease(&it.net, it.q, it.b, b1, it.x, x1, &report, NULL));
    for (int j = 0; j < it.net.m; j++) ck_assert(x1[j] >= 0 && x1[j] <= it.x[j]);
    ck_assert_double_le(report.violation, 1e-9);
    const double far = distance(&it, it.q, b1, x1);
    ck_assert_msg(far <= 1e-7, "instance %d (%s): distance %g", (int)k, kinds[k % KINDS], far);
    more_than_one += report.iterations > 1;
    drop(&it);
  }
  ck_assert_int_gt(more_than_one, 20);
}
END_TEST

/* Amounts in another unit, utility in a third: the same answer. */
START_TEST(units_do_not_matter) {
  static const double units[] = {1e-5, 1e5};
  for (uint64_t k = 0; k < 200; k++) {
    instance it = draw_instance(k);
    const double unit = units[k / KINDS % 2];
    double q[MOST], x[MOST], plain[MOST], scaled[MOST];
    wal_flow_report report;
    OK(wal_budget_decrease(&it.net, it.q, it.b, 0.3 * it.b, it.x, plain, &report, NULL));
    for (int e = 0; e < it.net.arcs; e++) {
      it.net.capacity[e] *= unit;
      if (it.net.to[e] == it.net.sink) it.net.gain[e] *= unit;
    }
    for (int j = 0; j < it.net.m; j++) x[j] = unit * it.x[j], q[j] = it.q[j] / unit;
    OK(wal_budget_decrease(&it.net, q, it.b, 0.3 * it.b, x, scaled, &report, NULL));
    double far = distance(&it, it.q, 0.3 * it.b, plain);
    for (int j = 0; j < it.net.m; j++) scaled[j] /= unit;
    far = fmax(far, distance(&it, it.q, 0.3 * it.b, scaled));
    ck_assert_msg(far <= 1e-7, "instance %d (%s): distance %g", (int)k, kinds[k % KINDS], far);
    drop(&it);
  }
}
END_TEST

/* The delta of Algorithm 3 as printed (line 13), after each Pullback-Flow that is not the last. */
typedef struct {
  const wal_network *net;
  int calls, useless;
} printed;

static wal_status see_printed(void *context, const wal_fitting_pair *before, const wal_fitting_pair *after,
                              int k, bool unlimited) {
  printed *seen = context;
  const wal_network *net = seen->net;
  bool set[64] = {false};
  double delta = INFINITY;
  for (int j = 0; j < net->m; j++) set[j] = wal_supplied(after, j);
  wal_auxiliary_reach(net, after, true, set);
  for (int e = 0; e < net->arcs; e++) {
    const double ratio = net->gain[e] * after->pi[net->to[e]] / after->pi[net->from[e]];
    if (set[net->from[e]] == set[net->to[e]]) continue;
    delta = fmin(delta, set[net->to[e]] ? ratio : 1 / ratio);
  }
  (void)before;
  (void)k;
  (void)unlimited;
  seen->calls++;
  seen->useless += delta <= 1; /* potentials that must rise would not */
  return WAL_OK;
}

START_TEST(the_printed_delta_does_not_rise) {
  printed seen = {0};
  for (uint64_t k = 0; k < 200; k++) {
    instance it = draw_instance(k);
    seen.net = &it.net;
    double x1[MOST];
    wal_flow_report report;
    const wal_flow_observer observer = {.see = see_printed, .context = &seen};
    OK(wal_budget_decrease(&it.net, it.q, it.b, 0.1 * it.b, it.x, x1, &report, &observer));
    drop(&it);
  }
  ck_assert_int_gt(2 * seen.useless, seen.calls);
}
END_TEST

/* ---- Lemma 7.8 ---- */

START_TEST(prices_decrease) {
  int unlimited = 0, zero = 0;
  for (uint64_t k = 0; k < 800; k++) {
    instance it = draw_instance(k);
    double q1[MOST], x1[MOST];
    wal_flow_report report;
    const bool free_good = isfinite(it.u->satiation) && draw(k, 60) < 0.3;
    for (int j = 0; j < it.net.m; j++) {
      const double part = draw(k, 70 + (uint64_t)j);
      q1[j] = part < 0.4 ? it.q[j] : free_good && part < 0.6 ? 0 : part * it.q[j];
      zero += q1[j] == 0;
    }
    OK(wal_price_decrease(&it.net, it.q, q1, it.b, it.x, x1, &report, NULL));
    for (int j = 0; j < it.net.m; j++) ck_assert(x1[j] >= 0 && (q1[j] < it.q[j] || x1[j] <= it.x[j]));
    ck_assert_double_le(report.violation, 1e-8);
    const double far = distance(&it, q1, it.b, x1);
    ck_assert_msg(far <= 1e-7, "instance %d (%s): distance %g", (int)k, kinds[k % KINDS], far);
    unlimited += report.unlimited;
    drop(&it);
  }
  ck_assert_int_gt(unlimited, 20);
  ck_assert_int_gt(zero, 20);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("flow");
  TCase *forms = tcase_create("closed forms");
  tcase_add_test(forms, maximum_flow_is_the_smallest_cut);
  tcase_add_test(forms, one_arc);
  tcase_add_test(forms, two_segments);
  tcase_add_test(forms, a_price_falls_where_supply_has_no_limit);
  tcase_add_test(forms, arcs_are_tight_or_not);
  tcase_add_test(forms, what_is_no_gale_demand_is_refused);
  suite_add_tcase(suite, forms);
  TCase *random = tcase_create("random instances");
  tcase_set_timeout(random, 120);
  tcase_add_test(random, both_forms_of_pullback_agree);
  tcase_add_test(random, both_forms_of_reroute_agree);
  tcase_add_test(random, budgets_decrease);
  tcase_add_test(random, units_do_not_matter);
  tcase_add_test(random, the_printed_delta_does_not_rise);
  tcase_add_test(random, prices_decrease);
  suite_add_tcase(suite, random);
  return run_suite(suite);
}
