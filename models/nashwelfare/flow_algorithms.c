/* Algorithm 3 and Lemma 7.8: flows and potentials in turn. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/nashwelfare/flow_private.h"

/* What the loops work on. */
typedef struct {
  const wal_network *net;
  const wal_flow_observer *observer;
  wal_fitting_pair pair, before; /* owned, as the next */
  bool *set;                     /* [nodes] whose potentials change */
  wal_flow_report report;
} walk;

static wal_status walk_begin(walk *w, const double *x, const double *q, double b) {
  wal_status status = wal_fitting_pair_find(w->net, x, q, b, &w->pair);
  if (status == WAL_OK) status = wal_fitting_pair_create(w->net, &w->before);
  if (status == WAL_OK && !(w->set = malloc((size_t)w->net->nodes * sizeof *w->set)))
    status = wal_fail(WAL_E_MEMORY, "no memory for a set of %d nodes", w->net->nodes);
  return status;
}

static void walk_end(walk *w) {
  wal_fitting_pair_destroy(&w->pair);
  wal_fitting_pair_destroy(&w->before);
  free(w->set);
}

static double utility(const walk *w) { return wal_network_net(w->net, w->pair.f, w->net->sink); }

/* Algorithm 1 (k < 0) or 2, counted and shown. */
static wal_status change_flow(walk *w, int k, bool *unlimited) {
  const wal_network *net = w->net;
  memcpy(w->before.x, w->pair.x, (size_t)net->m * sizeof *w->pair.x);
  memcpy(w->before.f, w->pair.f, (size_t)net->arcs * sizeof *w->pair.f);
  memcpy(w->before.pi, w->pair.pi, (size_t)net->nodes * sizeof *w->pair.pi);
  w->before.u = w->pair.u = fmax(utility(w), 0);
  *unlimited = false;
  if (++w->report.iterations > 100 + 20 * (net->arcs + net->m))
    return wal_fail(WAL_E_DIVERGED, "no end after %d changes of a flow on %d arcs", w->report.iterations,
                    net->arcs);
  const wal_status status = k < 0 ? wal_pullback_flow_by_maxflow(net, &w->pair)
                                  : wal_reroute_flow_by_maxflow(net, k, &w->pair, unlimited);
  if (status != WAL_OK || !w->observer) return status;
  return w->observer->see(w->observer->context, &w->before, &w->pair, k, *unlimited);
}

/* beta of eq. 12, pi_j = beta q_j for supplied goods: u / b, but for what x lacks in accuracy. */
static double beta_of(const walk *w, const double *q, double b) {
  double beta = 0;
  for (int j = 0; j < w->net->m; j++)
    if (q[j] > 0 && wal_supplied(&w->pair, j)) beta = fmax(beta, w->pair.pi[j] / q[j]);
  return beta > 0 ? beta : utility(w) / b;
}

/* ---- potentials ---- */

/* w->set: all nodes that reach a supplied good other than `except` (-1: none). */
static void reach_supplied(walk *w, int except) {
  for (int v = 0; v < w->net->nodes; v++)
    w->set[v] = v < w->net->m && v != except && wal_supplied(&w->pair, v);
  wal_auxiliary_reach(w->net, &w->pair, true, w->set);
}

/* The largest factor, up to `most`, by which the set's potentials can rise with eq. 11 kept: of the arcs that
   enter it those that could rise must not come to gain, of those that leave it those that could fall not to
   lose. */
static double largest_factor(const walk *w, double most) {
  const wal_network *net = w->net;
  double factor = most;
  for (int e = 0; e < net->arcs; e++) {
    const int v = net->from[e], to = net->to[e];
    if (w->set[v] == w->set[to]) continue;
    const wal_arc_state arc = wal_arc_state_of(net, &w->pair, e);
    const double tail = w->pair.pi[v], head = net->gain[e] * w->pair.pi[to];
    if (w->set[to] && arc.rise) factor = fmin(factor, tail / head);
    if (w->set[v] && arc.fall) factor = fmin(factor, head / tail);
  }
  return factor >= most * (1 - WAL_FLOW_TIGHT) ? most : factor;
}

static void scale(walk *w, double factor) {
  for (int v = 0; v < w->net->nodes; v++)
    if (w->set[v]) w->pair.pi[v] *= factor;
}

/* ---- Algorithm 3 ---- */

/* lambda of this pair and the rest of the one before. */
static void mix(walk *w, double lambda) {
  for (int j = 0; j < w->net->m; j++) w->pair.x[j] = lambda * w->pair.x[j] + (1 - lambda) * w->before.x[j];
  for (int e = 0; e < w->net->arcs; e++) w->pair.f[e] = lambda * w->pair.f[e] + (1 - lambda) * w->before.f[e];
}

/* From right-hand sides of eq. 12 that are alpha times too large for the supplied goods to equality. */
static wal_status decrease(walk *w, double alpha) {
  while (alpha > 1 + WAL_FLOW_ZERO && utility(w) > 0) {
    bool unlimited;
    const double u = utility(w);
    const wal_status status = change_flow(w, -1, &unlimited);
    if (status != WAL_OK) return status;
    const double less = alpha * utility(w) / u;
    if (less <= 1) {
      mix(w, (alpha - 1) / (alpha - less));
      return WAL_OK;
    }
    reach_supplied(w, -1);
    const double factor = largest_factor(w, less);
    scale(w, factor);
    alpha = less / factor;
  }
  return WAL_OK;
}

static wal_status check_prices(const wal_network *net, const double *q, double b) {
  if (!(b > 0) || isinf(b)) return wal_fail(WAL_E_INPUT, "the budget is %g; expected above 0 (1 works)", b);
  for (int j = 0; j < net->m; j++)
    if (!(q[j] >= 0) || isinf(q[j]))
      return wal_fail(WAL_E_INPUT, "good %d has price %g; expected 0 or more (1 works)", j, q[j]);
  return WAL_OK;
}

/* At most x_j where `bound` allows no more (rounding of 1e-8 x_j). */
static void give(walk *w, const double *x, const double *q, const double *q1, double *x1,
                 wal_flow_report *report) {
  for (int j = 0; j < w->net->m; j++) x1[j] = q[j] == q1[j] ? fmin(w->pair.x[j], x[j]) : w->pair.x[j];
  w->report.violation = wal_fitting_violation(w->net, &w->pair);
  *report = w->report;
}

wal_status wal_budget_decrease(const wal_network *net, const double *q, double b, double b1, const double *x,
                               double *x1, wal_flow_report *report, const wal_flow_observer *observer) {
  wal_status status = check_prices(net, q, b1);
  if (status == WAL_OK && !(b1 <= b))
    status = wal_fail(WAL_E_INPUT, "the new budget is %g; expected at most the old, %g", b1, b);
  if (status != WAL_OK) return status;
  walk w = {.net = net, .observer = observer};
  status = walk_begin(&w, x, q, b);
  if (status == WAL_OK) status = decrease(&w, utility(&w) / (b1 * beta_of(&w, q, b)));
  if (status == WAL_OK) give(&w, x, q, q, x1, report);
  walk_end(&w);
  return status;
}

/* ---- Lemma 7.8 ---- */

/* Where k is tied to the sink without limit, pi_k cannot fall: beta rises by `factor` instead. The other
   supplied goods' potentials follow, k taking their place where they cannot. */
static wal_status raise_others(walk *w, int k, double factor) {
  for (;;) {
    reach_supplied(w, k);
    const double step = largest_factor(w, factor);
    scale(w, step);
    factor /= step;
    if (factor <= 1) return WAL_OK;
    bool unlimited;
    const wal_status status = change_flow(w, k, &unlimited);
    if (status != WAL_OK) return status;
  }
}

/* More of good k, worth `more`, to the sink. */
static wal_status send_to_sink(walk *w, int k, double more) {
  wal_relabelled relabelled;
  const wal_status status = wal_relabel(w->net, &w->pair, &relabelled);
  if (status != WAL_OK) return status;
  wal_max_flow_add(&relabelled.graph, relabelled.begins, k, more, 0);
  const double sent = wal_max_flow_run(&relabelled.graph, relabelled.begins, w->net->sink);
  w->pair.x[k] += sent / w->pair.pi[k];
  wal_relabelled_flow(w->net, &relabelled, &w->pair);
  wal_relabelled_destroy(&relabelled);
  return WAL_OK;
}

static wal_status finish_unlimited(walk *w, int k, double price, double b, double beta) {
  w->report.unlimited = true;
  if (price == 0)
    return wal_fail(WAL_E_INPUT, "good %d at price 0 gives utility without limit; expected a price above 0",
                    k);
  const double larger = w->pair.pi[k] / price;
  const wal_status status = raise_others(w, k, larger / beta);
  if (status != WAL_OK) return status;
  const double u = utility(w);
  return u < larger * b ? send_to_sink(w, k, larger * b - u) : decrease(w, u / (larger * b));
}

/* Good k's price falls to `price`; q[m], the prices, follows. */
static wal_status lower_price(walk *w, int k, double price, double b, double *q) {
  const double beta = beta_of(w, q, b);
  q[k] = price;
  while (w->pair.pi[k] > beta * price * (1 + WAL_FLOW_TIGHT)) {
    bool unlimited;
    const wal_status status = change_flow(w, k, &unlimited);
    if (status != WAL_OK) return status;
    if (unlimited) return finish_unlimited(w, k, price, b, beta);
    for (int v = 0; v < w->net->nodes; v++) w->set[v] = v == k;
    wal_auxiliary_reach(w->net, &w->pair, false, w->set);
    for (int v = 0; v < w->net->nodes; v++) w->set[v] = !w->set[v]; /* to lower a set is to raise the rest */
    const double factor = largest_factor(w, w->pair.pi[k] / (beta * price));
    for (int v = 0; v < w->net->nodes; v++)
      if (!w->set[v]) w->pair.pi[v] /= factor;
  }
  return beta > 0 ? decrease(w, utility(w) / (b * beta)) : WAL_OK;
}

static wal_status lower_prices(walk *w, const double *q, const double *q1, double b) {
  double *now = malloc((size_t)w->net->m * sizeof *now);
  if (!now) return wal_fail(WAL_E_MEMORY, "no memory for %d prices", w->net->m);
  memcpy(now, q, (size_t)w->net->m * sizeof *now);
  wal_status status = WAL_OK;
  for (int k = 0; k < w->net->m && status == WAL_OK; k++)
    if (q1[k] < q[k]) status = lower_price(w, k, q1[k], b, now);
  free(now);
  return status;
}

wal_status wal_price_decrease(const wal_network *net, const double *q, const double *q1, double b,
                              const double *x, double *x1, wal_flow_report *report,
                              const wal_flow_observer *observer) {
  wal_status status = check_prices(net, q1, b);
  for (int j = 0; j < net->m && status == WAL_OK; j++)
    if (!(q1[j] <= q[j]))
      status =
          wal_fail(WAL_E_INPUT, "good %d's new price is %g; expected at most the old, %g", j, q1[j], q[j]);
  if (status != WAL_OK) return status;
  walk w = {.net = net, .observer = observer};
  status = walk_begin(&w, x, q, b);
  if (status == WAL_OK) status = lower_prices(&w, q, q1, b);
  if (status == WAL_OK) give(&w, x, q, q1, x1, report);
  walk_end(&w);
  return status;
}
