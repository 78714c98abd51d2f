/* Algorithms 1 and 2 as maximum flows on the relabelled auxiliary network. */
#include <math.h>
#include <stdlib.h>

#include "models/nashwelfare/flow_private.h"

wal_status wal_relabel(const wal_network *net, const wal_fitting_pair *pair, wal_relabelled *out) {
  *out = (wal_relabelled){.ends = net->nodes, .begins = net->nodes + 1};
  out->arc = malloc(((size_t)net->arcs + 1) * sizeof *out->arc);
  if (!out->arc) return wal_fail(WAL_E_MEMORY, "no memory for a flow on %d arcs", net->arcs);
  const wal_status status = wal_max_flow_create(net->nodes + 2, net->arcs + 2 * net->m, &out->graph);
  if (status != WAL_OK) {
    wal_relabelled_destroy(out);
    return status;
  }
  for (int e = 0; e < net->arcs; e++) {
    const double worth = pair->pi[net->from[e]], f = pair->f[e];
    out->arc[e] = -1;
    if (!wal_arc_state_of(net, pair, e).tight) continue;
    out->arc[e] = wal_max_flow_add(&out->graph, net->from[e], net->to[e],
                                   fmax(net->capacity[e] - f, 0) * worth, fmax(f, 0) * worth);
  }
  return WAL_OK;
}

void wal_relabelled_destroy(wal_relabelled *relabelled) {
  wal_max_flow_destroy(&relabelled->graph);
  free(relabelled->arc);
  *relabelled = (wal_relabelled){0};
}

void wal_relabelled_flow(const wal_network *net, const wal_relabelled *relabelled, wal_fitting_pair *pair) {
  for (int e = 0; e < net->arcs; e++) {
    if (relabelled->arc[e] < 0) continue;
    const double *room = relabelled->graph.room + 2 * relabelled->arc[e];
    pair->f[e] = room[0] == 0 ? net->capacity[e] : fmin(room[1] / pair->pi[net->from[e]], net->capacity[e]);
  }
}

/* Arcs from the goods, but for `except`, to where supplies end; arc j of place[m], -1: none. */
static void add_ends(const wal_network *net, const wal_fitting_pair *pair, int except,
                     wal_relabelled *relabelled, int *place) {
  for (int j = 0; j < net->m; j++) {
    const double worth = pair->x[j] * pair->pi[j];
    place[j] = -1;
    if (j != except && worth > 0)
      place[j] = wal_max_flow_add(&relabelled->graph, j, relabelled->ends, worth, 0);
  }
}

static void read_ends(const wal_network *net, const wal_relabelled *relabelled, const int *place,
                      wal_fitting_pair *pair) {
  for (int j = 0; j < net->m; j++) {
    const double *room = relabelled->graph.room + 2 * place[j];
    if (place[j] >= 0 && room[1] > 0) pair->x[j] = fmin(room[0] / pair->pi[j], pair->x[j]);
  }
}

/* Every supply may be taken back from the sink, or (k >= 0) by good k, which then sends on to the sink. */
static void send(const wal_network *net, int k, wal_relabelled *relabelled, wal_fitting_pair *pair,
                 bool *unlimited) {
  wal_max_flow *graph = &relabelled->graph;
  const int from = k < 0 ? net->sink : k;
  double sent = wal_max_flow_run(graph, from, relabelled->ends);
  if (k < 0) return;
  const double more = wal_max_flow_run(graph, k, net->sink);
  *unlimited = isinf(more);
  if (!*unlimited) sent += more;
  pair->x[k] += sent / pair->pi[k];
}

static wal_status by_maxflow(const wal_network *net, int k, wal_fitting_pair *pair, bool *unlimited) {
  wal_relabelled relabelled;
  wal_status status = wal_relabel(net, pair, &relabelled);
  if (status != WAL_OK) return status;
  int *place = malloc((size_t)net->m * sizeof *place);
  if (place) {
    add_ends(net, pair, k, &relabelled, place);
    send(net, k, &relabelled, pair, unlimited);
    read_ends(net, &relabelled, place, pair);
    wal_relabelled_flow(net, &relabelled, pair);
  } else {
    status = wal_fail(WAL_E_MEMORY, "no memory for a flow from %d goods", net->m);
  }
  free(place);
  wal_relabelled_destroy(&relabelled);
  return status;
}

wal_status wal_pullback_flow_by_maxflow(const wal_network *net, wal_fitting_pair *pair) {
  bool unlimited = false;
  return by_maxflow(net, -1, pair, &unlimited);
}

wal_status wal_reroute_flow_by_maxflow(const wal_network *net, int k, wal_fitting_pair *pair,
                                       bool *unlimited) {
  return by_maxflow(net, k, pair, unlimited);
}
