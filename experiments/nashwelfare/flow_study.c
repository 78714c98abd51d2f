#include "experiments/nashwelfare/flow_study.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/rng.h"
#include "models/nashwelfare/families.h"
#include "models/nashwelfare/flow.h"
#include "models/nashwelfare/nash_welfare.h"

static const double tolerance = 1e-7; /* of violations and disagreements */
/* Of distances: near ties, x from a program is itself off by up to 1e-8, and x' <= x keeps that. */
static const double of_distance = 1e-6;

/* ---- instances ---- */

enum { GOODS = 64, AGENTS = 4, DRAWS = 1 << 16 };

typedef struct {
  wal_utility *u; /* owned, as the next */
  wal_network net;
  double b, b1;                                    /* budget, and the smaller one */
  double q[GOODS], q1[GOODS], x[GOODS], x1[GOODS]; /* prices, lower ones, Gale demand, answer */
  uint64_t seed, next;                             /* its uniforms */
} instance;

static double uniform(instance *it, double low, double high) {
  return low + (high - low) * wal_rng_uniform(it->seed, WAL_STREAM_SEARCH, it->next++);
}

static void add_arc(instance *it, wal_network *net, int from, int to, double bounded) {
  net->from[net->arcs] = from;
  net->to[net->arcs] = to;
  net->gain[net->arcs] = uniform(it, 0.5, 1);
  const double capacity = uniform(it, 0, 0.6);
  net->capacity[net->arcs++] = uniform(it, 0, 1) < bounded ? capacity : INFINITY;
}

/* Goods to two of the inner nodes, these in a row: each to two of the next three (the sink is the last) and,
   with probability 0.3, back to one before. All arcs lose. */
static void add_deep_arcs(instance *it, wal_network *net) {
  const int m = net->m, inner = net->sink - m;
  for (int j = 0; j < m; j++)
    for (int k = 0; k < 2; k++) add_arc(it, net, j, m + (int)uniform(it, 0, inner), 0.4);
  for (int v = m; v < net->sink; v++) {
    for (int k = 0; k < 2; k++) {
      const int to = v + 1 + (int)uniform(it, 0, 3);
      add_arc(it, net, v, to < net->sink ? to : net->sink, k ? 0.5 : 0.9);
    }
    if (uniform(it, 0, 1) < 0.3 && v > m) add_arc(it, net, v, m + (int)uniform(it, 0, v - m), 0.5);
  }
}

static wal_status draw_deep(instance *it, int m, int inner) {
  const size_t most = (size_t)(2 * m + 3 * inner);
  int *ends = malloc(2 * most * sizeof *ends);
  double *sizes = malloc(2 * most * sizeof *sizes);
  wal_status status = WAL_E_MEMORY;
  if (ends && sizes) {
    wal_network net = {.m = m,
                       .nodes = m + inner + 1,
                       .sink = m + inner,
                       .from = ends,
                       .to = ends + most,
                       .gain = sizes,
                       .capacity = sizes + most};
    add_deep_arcs(it, &net);
    status = wal_utility_generalized_network(&net, &it->u);
  } else {
    wal_fail(status, "no memory for a network of %d inner nodes", inner);
  }
  free(ends);
  free(sizes);
  return status;
}

static wal_status draw_utility(const wal_flow_law *law, int64_t k, instance *it) {
  if (!strcmp(law->family, "deep_network")) return draw_deep(it, law->m, law->inner);
  wal_nw_market market;
  const wal_status status = wal_family_find(law->family)->draw(law->seed, k, 1, law->m, &market);
  if (status != WAL_OK) return status;
  it->u = market.utility[0];
  market.utility[0] = NULL;
  wal_nw_market_destroy(&market);
  return WAL_OK;
}

static void draw_prices(const wal_flow_law *law, instance *it) {
  it->b = uniform(it, 0.1, 2);
  for (int j = 0; j < law->m; j++) it->q[j] = exp(uniform(it, log(0.1), 0));
}

/* A smaller budget; half of the prices fall, where utility is bounded one in ten to 0. */
static void draw_less(const wal_flow_law *law, instance *it) {
  const bool satiable = isfinite(it->u->satiation);
  it->b1 = it->b * uniform(it, 0.02, 0.98);
  for (int j = 0; j < law->m; j++) {
    const double part = uniform(it, 0, 2), zero = uniform(it, 0, 1);
    it->q1[j] = part > 1 ? it->q[j] : satiable && zero < 0.1 ? 0 : part * it->q[j];
  }
}

static wal_status draw_demand(const wal_flow_law *law, instance *it) {
  double aim[GOODS];
  wal_demand_set set;
  bool found = false;
  for (int j = 0; j < law->m; j++) aim[j] = uniform(it, -1, 1);
  wal_status status = wal_demand_gale(it->u, it->q, it->b, &set);
  if (status == WAL_OK) status = wal_demand_pick(it->u, it->q, &set, aim, NULL, NULL, it->x, &found);
  if (status == WAL_OK && !found) status = wal_fail(WAL_E_DIVERGED, "no Gale demand was found");
  return status;
}

/* An agent of a market at maximum Nash welfare: its utility, budget and bundle, and the Gale prices. */
static wal_status draw_optimum(const wal_flow_law *law, int64_t k, instance *it) {
  const int agent = (int)(k % AGENTS), m = law->m;
  wal_nw_market market;
  wal_nw_solution optimum = {0};
  wal_status status = wal_family_find(law->family)->draw(law->seed, k, AGENTS, m, &market);
  if (status != WAL_OK) return status;
  status = wal_nw_maximise(&market, NULL, &optimum);
  if (status == WAL_OK) {
    it->b = market.budget[agent];
    memcpy(it->q, optimum.q, (size_t)m * sizeof *it->q);
    memcpy(it->x, optimum.y + agent * m, (size_t)m * sizeof *it->x);
    it->u = market.utility[agent];
    market.utility[agent] = NULL;
  }
  wal_nw_solution_destroy(&optimum);
  wal_nw_market_destroy(&market);
  return status;
}

static wal_status draw_instance(const wal_flow_law *law, int64_t k, instance *it) {
  *it = (instance){.seed = law->seed, .next = (uint64_t)k * DRAWS};
  wal_status status = law->gale ? draw_optimum(law, k, it) : draw_utility(law, k, it);
  if (status == WAL_OK && !law->gale) {
    draw_prices(law, it);
    status = draw_demand(law, it);
  }
  if (status == WAL_OK) draw_less(law, it);
  return status == WAL_OK ? wal_utility_network(it->u, &it->net) : status;
}

static void drop(instance *it) {
  wal_utility_destroy(it->u);
  wal_network_destroy(&it->net);
}

/* ---- claims ---- */

static void claim(wal_flow_measure *out, bool holds, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void claim(wal_flow_measure *out, bool holds, const char *format, ...) {
  if (holds || out->fault[0]) return;
  va_list values;
  va_start(values, format);
  vsnprintf(out->fault, sizeof out->fault, format, values);
  va_end(values);
}

/* What an observer of the algorithms works on. */
typedef struct {
  const wal_network *net;
  wal_flow_measure *out;
  bool *set;    /* [nodes] */
  double *last; /* [nodes] potentials after the last Pullback-Flow */
  double alpha; /* of Algorithm 3; 0: within Lemma 7.8 */
} watch;

static double utility(const watch *w, const wal_fitting_pair *pair) {
  return wal_network_net(w->net, pair->f, w->net->sink);
}

/* Whether a path of the auxiliary network leads from `from` to a supplied good (other than it) or the sink.
 */
static bool leads(const watch *w, const wal_fitting_pair *pair, int from) {
  memset(w->set, 0, (size_t)w->net->nodes * sizeof *w->set);
  w->set[from] = true;
  wal_auxiliary_reach(w->net, pair, false, w->set);
  bool found = from != w->net->sink && w->set[w->net->sink];
  for (int j = 0; j < w->net->m; j++) found |= j != from && w->set[j] && wal_supplied(pair, j);
  return found;
}

static void fits(const watch *w, const wal_fitting_pair *pair, const char *what) {
  const double violation = wal_fitting_violation(w->net, pair);
  w->out->violation = fmax(w->out->violation, violation);
  claim(w->out, violation <= tolerance, "eq. 11 is violated by %.3g after %s", violation, what);
}

static void agree(const watch *w, double difference, const wal_fitting_pair *before, const char *what) {
  const double apart = fabs(difference) / fmax(before->u, 1e-300);
  w->out->disagreement = fmax(w->out->disagreement, apart);
  claim(w->out, apart <= tolerance, "the program and the maximum flow of %s differ by %.3g", what, apart);
}

/* Line 13 as printed: both ratios the other way round, over all arcs, and at most alpha. */
static double printed_delta(const watch *w, const wal_fitting_pair *pair) {
  const wal_network *net = w->net;
  double delta = w->alpha;
  for (int j = 0; j < net->nodes; j++) w->set[j] = j < net->m && wal_supplied(pair, j);
  wal_auxiliary_reach(net, pair, true, w->set);
  for (int e = 0; e < net->arcs; e++) {
    const double tail = pair->pi[net->from[e]], head = net->gain[e] * pair->pi[net->to[e]];
    if (w->set[net->from[e]] == w->set[net->to[e]]) continue;
    delta = fmin(delta, w->set[net->to[e]] ? head / tail : tail / head);
  }
  return delta;
}

/* Follows alpha through Algorithm 3: what potentials rose by since the last call is delta. Supplies with
   potentials flow to the sink, so out of T along full arcs that gain: the printed delta is below 1 then. */
static void follow(watch *w, const wal_fitting_pair *before, const wal_fitting_pair *after) {
  double delta = 1;
  for (int v = 0; v < w->net->nodes; v++)
    if (w->last[v] > 0) delta = fmax(delta, before->pi[v] / w->last[v]);
  w->alpha *= utility(w, after) / utility(w, before) / delta;
  memcpy(w->last, after->pi, (size_t)w->net->nodes * sizeof *w->last);
  if (w->alpha <= 1) return;
  w->out->asked++;
  const double printed = printed_delta(w, after);
  w->out->low += printed <= 1;
  bool supplied = false;
  for (int j = 0; j < w->net->m; j++) supplied |= wal_supplied(after, j);
  claim(w->out, !supplied || printed < 1, "the printed delta is %.9g, above 1 with a supplied good", printed);
}

static wal_status see_pullback(watch *w, const wal_fitting_pair *before, const wal_fitting_pair *after) {
  wal_fitting_pair program;
  wal_status status = wal_fitting_pair_copy(w->net, before, &program);
  if (status != WAL_OK) return status;
  status = wal_pullback_flow(w->net, &program);
  if (status == WAL_OK) {
    agree(w, utility(w, &program) - utility(w, after), before, "Pullback-Flow");
    fits(w, &program, "Pullback-Flow's program");
    fits(w, after, "Pullback-Flow's maximum flow");
    claim(w->out, !leads(w, after, w->net->sink) && !leads(w, &program, w->net->sink),
          "Lemma 7.3: the sink reaches a supplied good");
    w->out->pullbacks++;
    if (w->alpha > 0) follow(w, before, after);
  }
  wal_fitting_pair_destroy(&program);
  return status;
}

static wal_status see_reroute(watch *w, const wal_fitting_pair *before, const wal_fitting_pair *after, int k,
                              bool unlimited) {
  bool program_unlimited;
  wal_fitting_pair program;
  wal_status status = wal_fitting_pair_copy(w->net, before, &program);
  if (status != WAL_OK) return status;
  status = wal_reroute_flow(w->net, k, &program, &program_unlimited);
  if (status == WAL_OK) {
    claim(w->out, unlimited == program_unlimited, "only one form of Reroute-Flow finds a largest x'_%d", k);
    fits(w, after, "Reroute-Flow's maximum flow");
    if (!unlimited) {
      agree(w, (program.x[k] - after->x[k]) * before->pi[k], before, "Reroute-Flow");
      fits(w, &program, "Reroute-Flow's program");
      claim(w->out, !leads(w, after, k) && !leads(w, &program, k),
            "Lemma 7.5: good %d reaches the sink or a supplied good", k);
    }
    *(unlimited ? &w->out->unlimited : &w->out->reroutes) += 1;
  }
  wal_fitting_pair_destroy(&program);
  return status;
}

static wal_status see(void *context, const wal_fitting_pair *before, const wal_fitting_pair *after, int k,
                      bool unlimited) {
  return k < 0 ? see_pullback(context, before, after) : see_reroute(context, before, after, k, unlimited);
}

/* ---- an instance ---- */

static wal_status check_answer(instance *it, const double *q, double b, const char *lemma,
                               wal_flow_measure *out, double *distance) {
  wal_demand_set set;
  const wal_status status = wal_demand_gale(it->u, q, b, &set);
  if (status != WAL_OK) return status;
  *distance = wal_demand_distance(it->u, q, b, &set, it->x1);
  claim(out, *distance <= of_distance, "%s: the answer is %.3g from the Gale demand", lemma, *distance);
  for (int j = 0; j < it->net.m; j++)
    claim(out, it->x1[j] >= 0 && (q[j] < it->q[j] || it->x1[j] <= it->x[j]),
          "%s: supply %d rises from %.9g to %.9g", lemma, j, it->x[j], it->x1[j]);
  return WAL_OK;
}

static wal_status run_both(instance *it, watch *w) {
  const wal_flow_observer observer = {.see = see, .context = w};
  wal_flow_report report;
  w->alpha = it->b / it->b1;
  wal_status status = wal_budget_decrease(&it->net, it->q, it->b, it->b1, it->x, it->x1, &report, &observer);
  if (status == WAL_OK)
    status = check_answer(it, it->q, it->b1, "Lemma 7.7", w->out, &w->out->budget_distance);
  if (status != WAL_OK) return status;
  w->out->budget_iterations = report.iterations;
  w->alpha = 0;
  status = wal_price_decrease(&it->net, it->q, it->q1, it->b, it->x, it->x1, &report, &observer);
  if (status != WAL_OK) return status;
  w->out->price_iterations = report.iterations;
  return check_answer(it, it->q1, it->b, "Lemma 7.8", w->out, &w->out->price_distance);
}

wal_status wal_flow_measure_instance(const wal_flow_law *law, int64_t k, wal_flow_measure *out) {
  *out = (wal_flow_measure){0};
  instance it;
  wal_status status = draw_instance(law, k, &it);
  if (status == WAL_OK) {
    out->nodes = it.net.nodes;
    out->arcs = it.net.arcs;
    watch w = {.net = &it.net, .out = out};
    w.set = calloc((size_t)it.net.nodes, sizeof *w.set);
    w.last = calloc((size_t)it.net.nodes, sizeof *w.last);
    status =
        w.set && w.last ? run_both(&it, &w) : wal_fail(WAL_E_MEMORY, "no memory for %d nodes", out->nodes);
    free(w.set);
    free(w.last);
  }
  drop(&it);
  return status;
}
