/* Fitting pairs: a flow by a linear program, then the least potentials that fit it.

   Gale demands are the optima of max net_f(t) - beta <q, y> with net_f(t) = u(x), beta = u(x) / b, and eq. 11
   and 12 its optimality conditions. So any optimal (f, y) gives potentials that fit x too, and on tight arcs
   y is moved to x afterwards. This way x needs no more accuracy than it has. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/lp.h"
#include "models/nashwelfare/flow_private.h"

static const double slack = 1e-9;    /* relative: potentials rise by more than this, or stay */
static const double accepted = 1e-6; /* relative: x's own error in worth, and eq. 12 */

/* ---- the flow ---- */

static void fill(const wal_network *net, const double *x, const double *cost, double total, wal_lp *lp) {
  const double unit = wal_flow_unit(net, x);
  for (int v = 0; v < net->nodes; v++) wal_lp_row(lp, v == net->sink ? -INFINITY : 0, INFINITY);
  for (int e = 0; e < net->arcs; e++) {
    const double value = (net->to[e] == net->sink) * net->gain[e] - (net->from[e] == net->sink);
    const int column = wal_lp_column(lp, 0, net->capacity[e] / unit, value);
    if (net->from[e] == net->to[e]) {
      wal_lp_set(lp, net->from[e], column, net->gain[e] - 1);
      continue;
    }
    wal_lp_set(lp, net->to[e], column, net->gain[e]);
    wal_lp_set(lp, net->from[e], column, -1);
  }
  for (int j = 0; j < net->m; j++) {
    const double price = cost ? cost[j] : 0;
    const double most = (x[j] + (price > 0 ? accepted * total / price : 0)) / unit;
    wal_lp_set(lp, j, wal_lp_column(lp, cost ? 0 : most, most, -price), 1);
  }
}

/* max net_f(t) - <cost, y> : y <= x (cost NULL: y = x) into pair->f, pair->x; duals of the nodes into
   pair->pi. total: u(x), where there are costs. */
static wal_status solve_flow(const wal_network *net, const double *x, const double *cost, double total,
                             wal_fitting_pair *pair) {
  wal_lp *lp = wal_lp_create(true);
  if (!lp) return wal_fail(WAL_E_MEMORY, "no memory for a linear program of %d arcs", net->arcs);
  wal_lp_outcome outcome;
  const double unit = wal_flow_unit(net, x);
  fill(net, x, cost, total, lp);
  wal_status status = wal_lp_solve(lp, &outcome);
  if (status == WAL_OK && outcome != WAL_LP_OPTIMAL)
    status = wal_fail(WAL_E_INPUT, "a network of %d arcs makes flow without limit", net->arcs);
  if (status == WAL_OK) {
    for (int e = 0; e < net->arcs; e++)
      pair->f[e] = fmin(fmax(unit * wal_lp_value(lp, e), 0), net->capacity[e]);
    for (int j = 0; j < net->m; j++) pair->x[j] = fmax(unit * wal_lp_value(lp, net->arcs + j), 0);
    for (int v = 0; v < net->nodes; v++) pair->pi[v] = fabs(wal_lp_dual(lp, v));
    pair->pi[net->sink] = 1;
    pair->u = cost ? total : wal_network_net(net, pair->f, net->sink);
  }
  wal_lp_destroy(lp);
  return status;
}

/* ---- the potentials ---- */

static bool raise(double *pi, double to) {
  if (!(to > *pi * (1 + slack))) return false;
  *pi = to;
  return true;
}

/* The least potentials >= those given that leave no residual arc gamma_e pi_w > pi_v: the best gains of
   residual paths, found label by label; relative accuracy, and exactly 0 where there is no path. */
static wal_status raise_labels(const wal_network *net, const wal_arc_state *state, double *pi) {
  for (int round = 0; round <= net->nodes; round++) {
    bool more = false;
    for (int e = 0; e < net->arcs; e++) {
      double *tail = pi + net->from[e], *head = pi + net->to[e];
      if (state[e].rise) more |= raise(tail, net->gain[e] * *head);
      if (state[e].fall) more |= raise(head, *tail / net->gain[e]);
    }
    if (!more) return WAL_OK;
  }
  return wal_fail(WAL_E_DIVERGED, "a flow on %d arcs is not optimal: a cycle gains", net->arcs);
}

/* From the sink alone; then, with (q, b), from the supplied goods at pi_j = beta q_j too, *beta being made
   exact by the first labels where they reach such a good. */
static wal_status find_labels(const wal_network *net, const wal_arc_state *state, const bool *supplied,
                              const double *q, double *beta, double *pi) {
  memset(pi, 0, (size_t)net->nodes * sizeof *pi);
  pi[net->sink] = 1;
  wal_status status = raise_labels(net, state, pi);
  if (status != WAL_OK || !q) return status;
  double most = 0;
  for (int j = 0; j < net->m; j++)
    if (supplied[j] && q[j] > 0) most = fmax(most, pi[j] / q[j]);
  if (fabs(most / *beta - 1) < accepted) *beta = most;
  for (int j = 0; j < net->m; j++)
    if (supplied[j]) raise(pi + j, *beta * q[j]);
  return raise_labels(net, state, pi);
}

static wal_status make_potentials(const wal_network *net, const double *q, double *beta,
                                  wal_fitting_pair *pair) {
  wal_arc_state *state = malloc(((size_t)net->arcs + 1) * sizeof *state);
  bool *supplied = malloc((size_t)net->m * sizeof *supplied);
  wal_status status = WAL_OK;
  if (state && supplied) {
    for (int e = 0; e < net->arcs; e++) state[e] = wal_arc_state_of(net, pair, e);
    for (int j = 0; j < net->m; j++)
      supplied[j] = pair->x[j] * fmax(pair->pi[j], q ? *beta * q[j] : 0) > WAL_FLOW_ZERO * pair->u;
    status = find_labels(net, state, supplied, q, beta, pair->pi);
  } else {
    status = wal_fail(WAL_E_MEMORY, "no memory for potentials of %d nodes", net->nodes);
  }
  free(state);
  free(supplied);
  return status;
}

/* ---- from y to x ---- */

/* Good j's difference as an arc: of supplies that begin (x_j > y_j) or end (y_j > x_j). */
static int add_difference(const wal_fitting_pair *pair, const double *x, int j, wal_relabelled *to) {
  const double more = (x[j] - pair->x[j]) * pair->pi[j];
  if (more > 0) return wal_max_flow_add(&to->graph, to->begins, j, more, 0);
  return wal_max_flow_add(&to->graph, j, to->ends, -more, 0);
}

/* Moves the supplies of goods with pi_j > 0 to x along tight arcs as far as there is a way: between goods,
   from the sink, to the sink. */
static wal_status move_to(const wal_network *net, const double *x, wal_fitting_pair *pair) {
  wal_relabelled to;
  const wal_status status = wal_relabel(net, pair, &to);
  if (status != WAL_OK) return status;
  const int first = to.graph.arcs;
  for (int j = 0; j < net->m; j++) add_difference(pair, x, j, &to);
  wal_max_flow_run(&to.graph, to.begins, to.ends);
  wal_max_flow_run(&to.graph, net->sink, to.ends);
  wal_max_flow_run(&to.graph, to.begins, net->sink);
  for (int j = 0; j < net->m; j++) {
    const double *room = to.graph.room + 2 * (first + j);
    if (pair->pi[j] > 0 && room[1] > 0) {
      const double left = room[0] / pair->pi[j];
      pair->x[j] = pair->x[j] < x[j] ? fmax(x[j] - left, 0) : x[j] + left;
    } else if (pair->pi[j] == 0) {
      pair->x[j] = x[j];
    }
  }
  wal_relabelled_flow(net, &to, pair);
  wal_relabelled_destroy(&to);
  return WAL_OK;
}

/* Lemma 7.6: eq. 12, and that nothing of x was left. */
static wal_status check_gale(const wal_network *net, const double *x, const double *q, double b, double beta,
                             const wal_fitting_pair *pair) {
  for (int j = 0; j < net->m; j++) {
    const double most = beta * q[j], left = fabs(pair->x[j] - x[j]) * most;
    const double short_of = pair->x[j] * (most - pair->pi[j]); /* worth */
    if (pair->pi[j] > most * (1 + accepted) || short_of > accepted * pair->u)
      return wal_fail(WAL_E_INPUT,
                      "good %d has potential %.9g and q u(x) / b = %.9g: x is no Gale demand at budget %g; "
                      "expected one, as wal_demand_pick gives",
                      j, pair->pi[j], most, b);
    if (left > accepted * pair->u)
      return wal_fail(WAL_E_INPUT,
                      "%.3g of good %d's supply %.9g has no use at these prices: x is no Gale demand at "
                      "budget %g; expected one, as wal_demand_pick gives",
                      fabs(pair->x[j] - x[j]), j, x[j], b);
  }
  return WAL_OK;
}

static wal_status find(const wal_network *net, const double *x, const double *q, double b, double *cost,
                       wal_fitting_pair *out) {
  double beta = 0;
  wal_status status = solve_flow(net, x, NULL, 0, out);
  if (status != WAL_OK) return status;
  if (!q) return make_potentials(net, NULL, &beta, out);
  beta = out->u / b;
  for (int j = 0; j < net->m; j++) cost[j] = beta * q[j];
  status = solve_flow(net, x, cost, beta * b, out);
  if (status == WAL_OK) status = make_potentials(net, q, &beta, out);
  if (status == WAL_OK) status = move_to(net, x, out);
  return status == WAL_OK ? check_gale(net, x, q, b, beta, out) : status;
}

wal_status wal_fitting_pair_find(const wal_network *net, const double *x, const double *q, double b,
                                 wal_fitting_pair *out) {
  wal_status status = wal_fitting_pair_create(net, out);
  if (status != WAL_OK) return status;
  double *cost = malloc((size_t)net->m * sizeof *cost);
  if (cost)
    status = find(net, x, q, b, cost, out);
  else
    status = wal_fail(WAL_E_MEMORY, "no memory for %d goods", net->m);
  free(cost);
  if (status != WAL_OK) wal_fitting_pair_destroy(out);
  return status;
}
