#include "models/nashwelfare/max_flow.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

wal_status wal_max_flow_create(int nodes, int space, wal_max_flow *out) {
  const size_t n = (size_t)nodes, halves = 2 * (size_t)space + 1;
  *out = (wal_max_flow){.nodes = nodes, .space = space};
  out->head = malloc(n * sizeof *out->head);
  out->level = malloc(n * sizeof *out->level);
  out->current = malloc(n * sizeof *out->current);
  out->queue = malloc(n * sizeof *out->queue);
  out->next = malloc(halves * sizeof *out->next);
  out->to = malloc(halves * sizeof *out->to);
  out->room = malloc(halves * sizeof *out->room);
  if (!out->head || !out->level || !out->current || !out->queue || !out->next || !out->to || !out->room) {
    wal_max_flow_destroy(out);
    return wal_fail(WAL_E_MEMORY, "no memory for a flow problem of %d nodes and %d arcs", nodes, space);
  }
  for (int v = 0; v < nodes; v++) out->head[v] = -1;
  return WAL_OK;
}

void wal_max_flow_destroy(wal_max_flow *graph) {
  free(graph->head);
  free(graph->level);
  free(graph->current);
  free(graph->queue);
  free(graph->next);
  free(graph->to);
  free(graph->room);
  *graph = (wal_max_flow){0};
}

static void add_half(wal_max_flow *graph, int half, int from, int to, double room) {
  graph->to[half] = to;
  graph->room[half] = room;
  graph->next[half] = graph->head[from];
  graph->head[from] = half;
}

int wal_max_flow_add(wal_max_flow *graph, int from, int to, double there, double back) {
  const int arc = graph->arcs++;
  add_half(graph, 2 * arc, from, to, there);
  add_half(graph, 2 * arc + 1, to, from, back);
  return arc;
}

/* Levels by breadth-first search along half-arcs with more room than `least`; false: `to` is not reached. */
static bool find_levels(wal_max_flow *graph, int from, int to, double least) {
  for (int v = 0; v < graph->nodes; v++) graph->level[v] = -1;
  graph->level[from] = 0;
  graph->queue[0] = from;
  for (int first = 0, count = 1; first < count; first++) {
    const int v = graph->queue[first];
    for (int half = graph->head[v]; half >= 0; half = graph->next[half]) {
      const int w = graph->to[half];
      if (graph->level[w] >= 0 || graph->room[half] <= least) continue;
      graph->level[w] = graph->level[v] + 1;
      graph->queue[count++] = w;
    }
  }
  return graph->level[to] >= 0;
}

/* Sends at most `limit` from v along one path of rising levels; returns how much. */
static double push(wal_max_flow *graph, int v, int to, double limit) {
  if (v == to) return limit;
  for (; graph->current[v] >= 0; graph->current[v] = graph->next[graph->current[v]]) {
    const int half = graph->current[v], w = graph->to[half];
    if (graph->level[w] != graph->level[v] + 1 || graph->room[half] == 0) continue;
    const double sent = push(graph, w, to, fmin(limit, graph->room[half]));
    if (sent == 0) continue;
    graph->room[half] -= sent;
    graph->room[half ^ 1] += sent;
    return sent;
  }
  return 0;
}

double wal_max_flow_run(wal_max_flow *graph, int from, int to) {
  if (find_levels(graph, from, to, DBL_MAX)) return INFINITY; /* by room without limit alone */
  double total = 0;
  while (find_levels(graph, from, to, 0)) {
    for (int v = 0; v < graph->nodes; v++) graph->current[v] = graph->head[v];
    for (double sent; (sent = push(graph, from, to, INFINITY)) > 0;) total += sent;
  }
  return total;
}
