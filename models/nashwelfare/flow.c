#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/nashwelfare/flow_private.h"

wal_status wal_fitting_pair_create(const wal_network *net, wal_fitting_pair *out) {
  out->x = calloc((size_t)net->m + 1, sizeof *out->x);
  out->f = calloc((size_t)net->arcs + 1, sizeof *out->f);
  out->pi = calloc((size_t)net->nodes + 1, sizeof *out->pi);
  if (out->x && out->f && out->pi) return WAL_OK;
  wal_fitting_pair_destroy(out);
  return wal_fail(WAL_E_MEMORY, "no memory for a flow on %d arcs", net->arcs);
}

wal_status wal_fitting_pair_copy(const wal_network *net, const wal_fitting_pair *pair,
                                 wal_fitting_pair *out) {
  const wal_status status = wal_fitting_pair_create(net, out);
  if (status != WAL_OK) return status;
  memcpy(out->x, pair->x, (size_t)net->m * sizeof *out->x);
  memcpy(out->f, pair->f, (size_t)net->arcs * sizeof *out->f);
  memcpy(out->pi, pair->pi, (size_t)net->nodes * sizeof *out->pi);
  out->u = pair->u;
  return WAL_OK;
}

void wal_fitting_pair_destroy(wal_fitting_pair *pair) {
  free(pair->x);
  free(pair->f);
  free(pair->pi);
  *pair = (wal_fitting_pair){0};
}

double wal_network_net(const wal_network *net, const double *f, int node) {
  double sum = 0;
  for (int e = 0; e < net->arcs; e++) {
    if (net->to[e] == node) sum += net->gain[e] * f[e];
    if (net->from[e] == node) sum -= f[e];
  }
  return sum;
}

double wal_flow_unit(const wal_network *net, const double *x) {
  double most = 0;
  for (int j = 0; j < net->m; j++) most = fmax(most, x[j]);
  return most > 0 ? ldexp(1, ilogb(most)) : 1;
}

/* ---- the auxiliary network ---- */

/* What a unit entering arc e is worth: at its tail and, arrived, at its head. */
static void worths(const wal_network *net, const wal_fitting_pair *pair, int e, double *tail, double *head) {
  *tail = pair->pi[net->from[e]];
  *head = net->gain[e] * pair->pi[net->to[e]];
}

wal_arc_state wal_arc_state_of(const wal_network *net, const wal_fitting_pair *pair, int e) {
  double tail, head;
  worths(net, pair, e, &tail, &head);
  const double worth = fmax(tail, head), nothing = WAL_FLOW_ZERO * pair->u;
  return (wal_arc_state){.tight = worth > 0 && fabs(head - tail) <= WAL_FLOW_TIGHT * worth,
                         .rise = (net->capacity[e] - pair->f[e]) * worth > nothing,
                         .fall = pair->f[e] * worth > nothing};
}

bool wal_supplied(const wal_fitting_pair *pair, int good) {
  return pair->x[good] * pair->pi[good] > WAL_FLOW_ZERO * pair->u;
}

/* One pass over the arcs; true: a node was added. */
static bool spread(const wal_network *net, const wal_fitting_pair *pair, bool backward, bool *set) {
  bool more = false;
  for (int e = 0; e < net->arcs; e++) {
    const int v = net->from[e], w = net->to[e];
    if (set[v] == set[w]) continue;
    const wal_arc_state arc = wal_arc_state_of(net, pair, e);
    const bool along = set[v] != backward; /* the search would follow the arc itself, not its reverse */
    if (!arc.tight || !(along ? arc.rise : arc.fall)) continue;
    set[v] = set[w] = more = true;
  }
  return more;
}

void wal_auxiliary_reach(const wal_network *net, const wal_fitting_pair *pair, bool backward, bool *set) {
  while (spread(net, pair, backward, set)) {
  }
}

/* ---- eq. 11 ---- */

/* Both a flow off its bound by `off` (worth) and potentials apart by `apart` (relative): the smaller counts.
 */
static double arc_violation(const wal_network *net, const wal_fitting_pair *pair, int e, double total) {
  double tail, head;
  worths(net, pair, e, &tail, &head);
  const double worth = fmax(tail, head), f = pair->f[e], h = net->capacity[e];
  const double outside = fmax(fmax(-f, f - h), 0);
  if (worth == 0) return outside / fmax(1, fmin(f, h));
  const double apart = fabs(head - tail) / worth, off = (head > tail ? h - f : f) * worth / total;
  return fmax(outside * worth / total, fmin(apart, fmax(off, 0)));
}

static double node_violation(const wal_network *net, const wal_fitting_pair *pair, int v, double total) {
  const double x = v < net->m ? pair->x[v] : 0, left = wal_network_net(net, pair->f, v) + x;
  if (pair->pi[v] > 0) return fabs(left) * pair->pi[v] / total;
  return fmax(-left, 0) / (1 + x);
}

double wal_fitting_violation(const wal_network *net, const wal_fitting_pair *pair) {
  const double total = fmax(pair->u, 1e-300);
  double worst = fabs(pair->pi[net->sink] - 1);
  for (int e = 0; e < net->arcs; e++) worst = fmax(worst, arc_violation(net, pair, e, total));
  for (int v = 0; v < net->nodes; v++) {
    worst = fmax(worst, -pair->pi[v]);
    if (v != net->sink) worst = fmax(worst, node_violation(net, pair, v, total));
  }
  return worst;
}
