/* Generalised network utilities (section 2.1), and Leontief-free ones, which become networks. */
#include <math.h>
#include <stdlib.h>

#include "models/nashwelfare/utility_kind.h"

typedef struct {
  wal_utility base;
  wal_network net; /* as given */
  bool *counts;    /* [arcs] flow over it can come from a good and reach the sink */
} network;

/* ---- which arcs count ---- */

/* Nodes that `marked` reaches over arcs with capacity (all of them, or those without limit alone), along the
   arcs or against them; marked[nodes]. */
static void spread(const wal_network *net, bool forward, bool unlimited, bool *marked) {
  for (bool grew = true; grew;) {
    grew = false;
    for (int e = 0; e < net->arcs; e++) {
      const int tail = forward ? net->from[e] : net->to[e], head = forward ? net->to[e] : net->from[e];
      if (!marked[tail] || marked[head]) continue;
      if (unlimited ? net->capacity[e] < INFINITY : net->capacity[e] == 0) continue;
      marked[head] = grew = true;
    }
  }
}

/* ahead[nodes]: the sink can be reached from there. */
static void mark_ahead(const wal_network *net, bool *ahead) {
  for (int v = 0; v < net->nodes; v++) ahead[v] = v == net->sink;
  spread(net, false, false, ahead);
}

/* behind[nodes]: some good reaches there, over arcs without limit only or over all. */
static void mark_behind(const wal_network *net, bool unlimited, bool *behind) {
  for (int v = 0; v < net->nodes; v++) behind[v] = v < net->m;
  spread(net, true, unlimited, behind);
}

/* What leaves the sink, or circles at a node, is of no use: no cycle makes flow. */
static bool counts(const wal_network *net, int e, const bool *ahead, const bool *behind) {
  return net->capacity[e] > 0 && net->from[e] != net->sink && net->from[e] != net->to[e] &&
         behind[net->from[e]] && ahead[net->to[e]];
}

/* ---- the kind ---- */

/* NAN: the linear program failed. */
static double value(const wal_utility *u, const double *x) {
  double most;
  return wal_utility_lp_solve(u->lp, u->m, x, &most, NULL) == WAL_OK ? most : NAN;
}

static wal_status supergradient(const wal_utility *u, const double *x, double *g) {
  double most;
  return wal_utility_lp_solve(u->lp, u->m, x, &most, g);
}

/* Rows of the program: nodes that arcs leave. Returns how many; row[nodes]. */
static int number_rows(const network *s, int *row) {
  int rows = 0;
  for (int v = 0; v < s->net.nodes; v++) row[v] = -1;
  for (int e = 0; e < s->net.arcs; e++)
    if (s->counts[e] && row[s->net.from[e]] < 0) row[s->net.from[e]] = rows++;
  return rows;
}

/* f_e leaves its tail's row and gain_e f_e enters its head's: out - in <= x_v or 0. */
static void fill(const network *s, const int *row, wal_utility_lp *out) {
  const wal_network *net = &s->net;
  for (int e = 0, column = 0; e < net->arcs; e++) {
    if (!s->counts[e]) continue;
    wal_sparse_put(&out->a, row[net->from[e]], 1);
    if (net->to[e] != net->sink) wal_sparse_put(&out->a, row[net->to[e]], -net->gain[e]);
    if (net->to[e] == net->sink) out->c[column] = net->gain[e];
    out->h[column] = net->capacity[e];
    wal_sparse_end(&out->a, column++);
  }
  for (int j = 0; j < net->m; j++) {
    if (row[j] >= 0) wal_sparse_put(&out->b, row[j], 1);
    wal_sparse_end(&out->b, j);
  }
}

/* GenflowLP(x), f by arcs that count. */
static wal_status lp(const wal_utility *u, wal_utility_lp *out) {
  const network *s = (const network *)u;
  int *row = malloc((size_t)s->net.nodes * sizeof *row), columns = 0;
  if (!row) return wal_utility_no_memory(u->m);
  for (int e = 0; e < s->net.arcs; e++) columns += s->counts[e];
  const int rows = number_rows(s, row);
  const wal_status status = wal_utility_lp_create(rows, columns, u->m, 2 * columns, u->m, out);
  if (status == WAL_OK) fill(s, row, out);
  free(row);
  return status;
}

static wal_status copy(const wal_utility *u, wal_network *out) {
  return wal_network_copy(&((const network *)u)->net, out);
}

static void destroy(wal_utility *u) {
  network *s = (network *)u;
  wal_network_destroy(&s->net);
  free(s->counts);
  free(s);
}

static const wal_utility_ops generalized_network = {.name = "generalized_network",
                                                    .value = value,
                                                    .supergradient = supergradient,
                                                    .lp = lp,
                                                    .network = copy,
                                                    .destroy = destroy};
static const wal_utility_ops leontief_free = {.name = "leontief_free",
                                              .value = value,
                                              .supergradient = supergradient,
                                              .lp = lp,
                                              .network = copy,
                                              .destroy = destroy};

/* sup u: without limit where a path of arcs without capacity leads from a good to the sink. */
static wal_status set_satiation(network *s, bool *marked) {
  mark_behind(&s->net, true, marked);
  if (!marked[s->net.sink])
    return wal_utility_lp_solve(s->base.lp, s->base.m, NULL, &s->base.satiation, NULL);
  s->base.satiation = INFINITY;
  return WAL_OK;
}

/* Takes the checked network; ahead and behind [nodes] are its marks. */
static wal_status create(const wal_utility_ops *ops, const wal_network *net, const bool *ahead, bool *behind,
                         wal_utility **out) {
  network *s = calloc(1, sizeof *s);
  if (!s) return wal_utility_no_memory(net->m);
  s->base = (wal_utility){.ops = ops, .m = net->m};
  s->counts = malloc(((size_t)net->arcs + 1) * sizeof *s->counts);
  wal_status status = s->counts ? wal_network_copy(net, &s->net) : wal_utility_no_memory(net->m);
  if (status != WAL_OK) {
    destroy(&s->base);
    return status;
  }
  for (int e = 0; e < net->arcs; e++) s->counts[e] = counts(net, e, ahead, behind);
  status = wal_utility_finish(&s->base, out);
  if (status == WAL_OK) status = set_satiation(s, behind);
  if (status == WAL_OK) return WAL_OK;
  wal_utility_destroy(*out);
  *out = NULL;
  return status;
}

/* ---- checks ---- */

static wal_status check_sizes(const wal_network *net) {
  if (net->m < 1) return wal_utility_goods_check(net->m);
  if (net->nodes <= net->m)
    return wal_fail(WAL_E_INPUT,
                    "a network of %d nodes over %d goods; expected more, nodes 0 to %d are the "
                    "goods (nodes: %d works)",
                    net->nodes, net->m, net->m - 1, net->m + 1);
  if (net->sink < net->m || net->sink >= net->nodes)
    return wal_fail(WAL_E_INPUT, "the sink is node %d; expected one of the nodes %d to %d (%d works)",
                    net->sink, net->m, net->nodes - 1, net->nodes - 1);
  if (net->arcs < 1) return wal_utility_useless("an arc from node 0 to the sink works");
  return WAL_OK;
}

static wal_status check_arc(const wal_network *net, int e) {
  const int from = net->from[e], to = net->to[e];
  if (from < 0 || from >= net->nodes || to < 0 || to >= net->nodes)
    return wal_fail(WAL_E_INPUT,
                    "arc %d goes from node %d to node %d; expected nodes 0 to %d (from 0 to %d works)", e,
                    from, to, net->nodes - 1, net->sink);
  if (!(net->gain[e] > 0) || !isfinite(net->gain[e]))
    return wal_fail(
        WAL_E_INPUT,
        "arc %d, from node %d to node %d: the gain is %g; expected more than 0 and finite (1 works)", e, from,
        to, net->gain[e]);
  if (!(net->capacity[e] >= 0))
    return wal_fail(WAL_E_INPUT,
                    "arc %d, from node %d to node %d: the capacity is %g; expected at least 0 (1 works)", e,
                    from, to, net->capacity[e]);
  return WAL_OK;
}

/* The best paths' gains by Bellman and Ford, in logarithms, over arcs from where the sink can be reached;
   best[nodes] zeroed, last[nodes]: the arc by which a node's grew. Returns a node that still grows after
   `nodes` rounds, which is a cycle that makes flow, or -1. Gains of 1 + 1e-12 are taken for 1. */
static int best_gains(const wal_network *net, const bool *ahead, double *best, int *last) {
  const double slack = 1e-12 / net->nodes;
  int grew = 0;
  for (int round = 0; round <= net->nodes && grew >= 0; round++) {
    grew = -1;
    for (int e = 0; e < net->arcs; e++) {
      const double gain = best[net->from[e]] + log(net->gain[e]);
      if (net->capacity[e] == 0 || !ahead[net->to[e]] || gain <= best[net->to[e]] + slack) continue;
      best[net->to[e]] = gain;
      last[net->to[e]] = e;
      grew = net->to[e];
    }
  }
  return grew;
}

/* The refusal of the cycle that `last` leads back to from node v. */
static wal_status name_cycle(const wal_network *net, const int *last, int v) {
  for (int step = 0; step < net->nodes; step++) v = net->from[last[v]];
  const int first = v;
  double gain = 1;
  int length = 0;
  do {
    gain *= net->gain[last[v]];
    length++;
    v = net->from[last[v]];
  } while (v != first);
  const int e = last[first];
  return wal_fail(
      WAL_E_INPUT,
      "arc %d, from node %d to node %d, is in a cycle of %d arc%s with gain %g, which makes flow of "
      "nothing; expected gains whose product around it is at most 1 (%g for arc %d works)",
      e, net->from[e], net->to[e], length, length == 1 ? "" : "s", gain, net->gain[e] / gain, e);
}

static wal_status check_cycles(const wal_network *net, const bool *ahead) {
  double *best = calloc((size_t)net->nodes, sizeof *best);
  int *last = malloc((size_t)net->nodes * sizeof *last);
  wal_status status = WAL_OK;
  if (best && last) {
    for (int v = 0; v < net->nodes; v++) last[v] = -1;
    const int grows = best_gains(net, ahead, best, last);
    if (grows >= 0) status = name_cycle(net, last, grows);
  } else {
    status = wal_utility_no_memory(net->m);
  }
  free(best);
  free(last);
  return status;
}

wal_status wal_utility_generalized_network(const wal_network *net, wal_utility **out) {
  *out = NULL;
  wal_status status = check_sizes(net);
  for (int e = 0; status == WAL_OK && e < net->arcs; e++) status = check_arc(net, e);
  if (status != WAL_OK) return status;
  bool *ahead = malloc(2 * (size_t)net->nodes * sizeof *ahead), *behind = ahead + net->nodes;
  if (!ahead) return wal_utility_no_memory(net->m);
  mark_ahead(net, ahead);
  mark_behind(net, false, behind);
  if (!behind[net->sink])
    status = wal_fail(WAL_E_INPUT,
                      "no good reaches the sink, node %d, over arcs with capacity; expected a path (an arc "
                      "from node 0 to node %d works)",
                      net->sink, net->sink);
  if (status == WAL_OK) status = check_cycles(net, ahead);
  if (status == WAL_OK) status = create(&generalized_network, net, ahead, behind, out);
  free(ahead);
  return status;
}

/* ---- Leontief-free ---- */

static wal_status check_segments(int m, int segments, const double *a, const double *l) {
  if (m < 1) return wal_utility_goods_check(m);
  if (segments < 1)
    return wal_fail(WAL_E_INPUT, "a utility of %d segments; expected at least 1 (2 works)", segments);
  bool useful = false;
  for (int k = 0; k < segments; k++) {
    if (!(l[k] >= 0))
      return wal_fail(WAL_E_INPUT, "segment %d: the limit is %g; expected at least 0 (1 works)", k, l[k]);
    for (int j = 0; j < m; j++) {
      const double a_jk = a[(size_t)j * segments + k];
      if (!(a_jk >= 0) || !isfinite(a_jk))
        return wal_fail(WAL_E_INPUT, "good %d, segment %d: a is %g; expected at least 0 and finite (1 works)",
                        j, k, a_jk);
      useful = useful || (a_jk > 0 && l[k] > 0);
    }
  }
  return useful ? WAL_OK : wal_utility_useless("a = 1 for one good in a segment with a limit of 1 works");
}

/* Section 2.1: goods, a node per segment, and the sink. */
static wal_status segments_network(int m, int segments, const double *a, const double *l, wal_network *out) {
  int arcs = segments;
  for (int e = 0; e < m * segments; e++) arcs += a[e] > 0;
  const int sink = m + segments;
  const wal_status status = wal_network_create(m, sink + 1, sink, arcs, out);
  if (status != WAL_OK) return status;
  int arc = 0;
  for (int e = 0; e < m * segments; e++)
    if (a[e] > 0) wal_network_arc(out, arc++, e / segments, m + e % segments, a[e], INFINITY);
  for (int k = 0; k < segments; k++) wal_network_arc(out, arc++, m + k, sink, 1, l[k]);
  return WAL_OK;
}

wal_status wal_utility_leontief_free(int m, int segments, const double *a, const double *l,
                                     wal_utility **out) {
  *out = NULL;
  wal_network net;
  wal_status status = check_segments(m, segments, a, l);
  if (status == WAL_OK) status = segments_network(m, segments, a, l, &net);
  if (status != WAL_OK) return status;
  bool *ahead = malloc(2 * (size_t)net.nodes * sizeof *ahead), *behind = ahead + net.nodes;
  if (ahead) {
    mark_ahead(&net, ahead);
    mark_behind(&net, false, behind);
    status = create(&leontief_free, &net, ahead, behind, out);
  } else {
    status = wal_utility_no_memory(m);
  }
  free(ahead);
  wal_network_destroy(&net);
  return status;
}
