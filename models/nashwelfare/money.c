#include "models/nashwelfare/money.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void wal_money_destroy(wal_money *money) {
  if (!money) return;
  free(money->arc);
  free(money->sink);
  free(money->owner);
  free(money->reach);
  free(money->level);
  free(money->satiation);
  wal_lcp_destroy(&money->lcp);
  *money = (wal_money){0};
}

/* reach[nodes]: the most of one unit at a node that can come to the sink, capacities aside. */
static void network_reach(const wal_network *net, double *reach) {
  memset(reach, 0, (size_t)net->nodes * sizeof(double));
  reach[net->sink] = 1;
  for (int round = 1; round < net->nodes; round++)
    for (int e = 0; e < net->arcs; e++)
      if (net->from[e] != net->sink && net->capacity[e] > 0)
        reach[net->from[e]] = fmax(reach[net->from[e]], net->gain[e] * reach[net->to[e]]);
}

/* fed[nodes]: whether a good's supply can come there. */
static void network_fed(const wal_network *net, bool *fed) {
  for (int v = 0; v < net->nodes; v++) fed[v] = v < net->m;
  for (int round = 1; round < net->nodes; round++)
    for (int e = 0; e < net->arcs; e++)
      if (fed[net->from[e]] && net->from[e] != net->sink && net->capacity[e] > 0) fed[net->to[e]] = true;
}

/* Room for what one more agent's network can need. */
static wal_status money_grow(wal_money *money, const wal_network *net) {
  size_t arcs = (size_t)(money->arcs + net->arcs + net->m), nodes = (size_t)(money->potentials + net->nodes);
  wal_money_arc *arc = realloc(money->arc, arcs * sizeof *arc);
  if (arc) money->arc = arc;
  int *owner = realloc(money->owner, nodes * sizeof *owner);
  if (owner) money->owner = owner;
  double *reach = realloc(money->reach, nodes * sizeof *reach);
  if (reach) money->reach = reach;
  return arc && owner && reach ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for the money flows");
}

static int money_node(wal_money *money, int agent, double reach) {
  money->owner[money->potentials] = agent;
  money->reach[money->potentials] = reach;
  return money->potentials++;
}

/* The agent's useful arcs and nodes. A good that arcs lead into gets an inner node of its own behind it.
   Utility is scaled so that the best unit is worth 1. */
static void money_add(wal_money *money, int agent, const wal_network *net, const double *reach,
                      const bool *fed, int *node) {
  double scale = 0;
  for (int j = 0; j < net->m; j++) scale = fmax(scale, reach[j]);
  for (int v = 0; v < net->nodes; v++) node[v] = v < net->m ? v : -1;
  for (int e = 0; e < net->arcs; e++) {
    int v = net->from[e], w = net->to[e];
    if (v == net->sink || v == w || !fed[v] || reach[w] == 0 || net->capacity[e] == 0) continue;
    if (node[w] == w && w < net->m && w != net->sink) {
      node[w] = money_node(money, agent, reach[w] / scale);
      money->arc[money->arcs++] = (wal_money_arc){agent, w, node[w], 1, INFINITY};
    }
    if (node[w] < 0) node[w] = money_node(money, agent, reach[w] / (w == net->sink ? 1 : scale));
  }
  for (int e = 0; e < net->arcs; e++) {
    int v = net->from[e], w = net->to[e];
    if (v == net->sink || v == w || !fed[v] || reach[w] == 0 || net->capacity[e] == 0) continue;
    double gain = net->gain[e] / (w == net->sink ? scale : 1);
    money->arc[money->arcs++] = (wal_money_arc){agent, node[v], node[w], gain, net->capacity[e]};
  }
  money->sink[agent] = node[net->sink];
  money->satiation[agent] = money->market->utility[agent]->satiation / scale;
}

static wal_status money_agent(wal_money *money, int agent) {
  wal_network net;
  wal_status status = wal_utility_network(money->market->utility[agent], &net);
  if (status) return wal_fail_in(status, "agent %d: ", agent);
  double *reach = malloc((size_t)net.nodes * sizeof(double));
  bool *fed = malloc((size_t)net.nodes * sizeof(bool));
  int *node = malloc((size_t)net.nodes * sizeof(int));
  status = reach && fed && node ? money_grow(money, &net) : wal_fail(WAL_E_MEMORY, "no memory for a network");
  if (!status) {
    network_reach(&net, reach);
    network_fed(&net, fed);
    money_add(money, agent, &net, reach, fed, node);
  }
  free(reach);
  free(fed);
  free(node);
  wal_network_destroy(&net);
  return status;
}

static double *money_entry(wal_money *money, int row, int column) {
  return &money->lcp.m[(size_t)row * (size_t)money->lcp.n + (size_t)column];
}

/* Rows: capacities, potentials (the goods' first), arcs, satiation. */
static int money_row_node(const wal_money *money, int potential) { return money->capped + potential; }
static int money_row_arc(const wal_money *money, int e) { return money->capped + money->potentials + e; }

/* Rows and columns of one arc; rent < 0: no capacity. */
static void money_fill_arc(wal_money *money, int e, int rent) {
  const wal_money_arc *arc = &money->arc[e];
  int f = money_row_arc(money, e), from = money_row_node(money, arc->from);
  int to = money_row_node(money, arc->to), sink = money_row_node(money, money->sink[arc->agent]);
  *money_entry(money, f, from) += 1;
  *money_entry(money, f, to) -= arc->gain;
  *money_entry(money, from, f) -= 1;
  if (to != sink) *money_entry(money, to, f) += 1;
  if (arc->from < money->market->m) *money_entry(money, sink, f) += 1;
  if (rent < 0) return;
  *money_entry(money, f, rent) = 1;
  *money_entry(money, rent, f) = -1;
  *money_entry(money, rent, from) = arc->capacity;
  if (to != sink) *money_entry(money, to, rent) += arc->capacity;
}

static void money_fill_satiation(wal_money *money, int agent, int row) {
  int sink = money_row_node(money, money->sink[agent]), rent = 0;
  *money_entry(money, sink, row) = money->satiation[agent];
  *money_entry(money, row, sink) = money->satiation[agent];
  for (int e = 0; e < money->arcs; e++) {
    const wal_money_arc *arc = &money->arc[e];
    bool capped = isfinite(arc->capacity), arrives = arc->to == money->sink[agent];
    if (arrives) *money_entry(money, row, money_row_arc(money, e)) -= 1;
    if (arrives && capped) *money_entry(money, row, rent) -= arc->capacity;
    rent += capped;
  }
}

static wal_status money_fill(wal_money *money) {
  const wal_nw_market *market = money->market;
  for (int e = 0; e < money->arcs; e++) money->capped += isfinite(money->arc[e].capacity);
  for (int i = 0; i < market->n; i++) money->satiable += isfinite(money->satiation[i]);
  money->level = malloc((size_t)money->potentials * sizeof(double));
  if (!money->level) return wal_fail(WAL_E_MEMORY, "no memory for the money flows");
  int satiation = money_row_arc(money, money->arcs);
  wal_status status = wal_lcp_create(satiation + money->satiable, &money->lcp);
  if (status) return status;
  for (int j = 0; j < market->m; j++)
    *money_entry(money, money_row_node(money, j), money_row_node(money, j)) = 1;
  for (int e = 0, rent = 0; e < money->arcs; e++)
    money_fill_arc(money, e, isfinite(money->arc[e].capacity) ? rent++ : -1);
  for (int i = 0; i < market->n; i++) {
    money->lcp.q[money_row_node(money, money->sink[i])] = -market->budget[i];
    if (isfinite(money->satiation[i])) money_fill_satiation(money, i, satiation++);
  }
  return WAL_OK;
}

wal_status wal_money_create(const wal_nw_market *market, wal_money *out) {
  *out = (wal_money){.market = market};
  size_t n = (size_t)market->n, m = (size_t)market->m;
  out->sink = calloc(n, sizeof(int));
  out->satiation = calloc(n, sizeof(double));
  out->owner = calloc(m, sizeof(int));
  out->reach = calloc(m, sizeof(double));
  wal_status status = out->sink && out->satiation && out->owner && out->reach
                          ? WAL_OK
                          : wal_fail(WAL_E_MEMORY, "no memory for the money flows");
  for (size_t j = 0; !status && j < m; j++) money_node(out, -1, 0);
  for (int i = 0; !status && i < market->n; i++) status = money_agent(out, i);
  if (!status) status = money_fill(out);
  if (status) wal_money_destroy(out);
  return status;
}

/* The floors of the agents' nodes: a share of the most at which no agent buys at the goods' floors. */
static void money_level(wal_money *money, const double *floor, const double *share) {
  int m = money->market->m;
  for (int k = 0; k < money->potentials; k++) money->level[k] = k < m ? floor[k] : INFINITY;
  for (int e = 0; e < money->arcs; e++) {
    const wal_money_arc *arc = &money->arc[e];
    double *most = &money->level[money->sink[arc->agent]];
    if (arc->from < m) *most = fmin(*most, floor[arc->from] / (arc->gain * money->reach[arc->to]));
  }
  for (int i = 0; i < money->market->n; i++) money->level[money->sink[i]] *= share[i];
  for (int k = m; k < money->potentials; k++)
    money->level[k] = money->reach[k] * money->level[money->sink[money->owner[k]]];
}

void wal_money_cover(wal_money *money, const double *floor, const double *share, const double *ebb,
                     double *d) {
  const wal_lcp *lcp = &money->lcp;
  money_level(money, floor, share);
  for (int r = 0; r < lcp->n; r++) {
    const double *row = lcp->m + (size_t)r * (size_t)lcp->n;
    d[r] = 0;
    for (int k = 0; k < money->potentials; k++) d[r] += row[money_row_node(money, k)] * money->level[k];
  }
  for (int i = 0; i < money->market->n; i++) d[money_row_node(money, money->sink[i])] += ebb[i];
}

void wal_money_order(const wal_money *money, const double *key, int *order) {
  int first = money->capped + money->market->m;
  for (int r = 0; r < money->lcp.n; r++) {
    int k = r;
    for (; r < first && k > 0 && key[order[k - 1]] > key[r]; k--) order[k] = order[k - 1];
    order[k] = r;
  }
}

void wal_money_read(const wal_money *money, const wal_lemke_end *end, double *p, double *x) {
  int n = money->market->n, m = money->market->m;
  double total = 0;
  for (int i = 0; i < n; i++) total += money->market->budget[i];
  const double *z = end->z + money_row_node(money, 0), *slope = end->slope + money_row_node(money, 0);
  for (int j = 0; j < m; j++) p[j] = z[j] > 1e-10 * total ? z[j] : 0;
  memset(x, 0, (size_t)n * (size_t)m * sizeof(double));
  for (int e = 0; e < money->arcs; e++) {
    int i = money->arc[e].agent, j = money->arc[e].from, f = money->potentials + e;
    if (j >= m) continue;
    double flow = p[j] > 0 ? z[f] / p[j] : slope[f] / (slope[j] + money->level[j]);
    x[i * m + j] += fmax(0, flow);
  }
}
