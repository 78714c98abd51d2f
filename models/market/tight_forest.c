#include "models/market/tight_forest.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/rng.h"

/* Nodes: goods 0 .. m - 1, then buyers m .. m + n - 1. */
typedef struct {
  const wal_linear_market *market;
  double *q;           /* [m] borrowed */
  int64_t edges;       /* of the market */
  double *value;       /* [edges] w, nudged while edges are chosen */
  bool *tight;         /* [edges] in the forest */
  int *owner;          /* [edges] buyer */
  int64_t *list, *end; /* [edges], [m] the forest's edges good by good, and where each good's end */
  int *roots;          /* [m] goods, those worth most first: a tree's root is its first */
  int *order, *tree;   /* [m + n] nodes from roots to leaves; each node's tree */
  int64_t *up;         /* [m + n] the edge towards the root; -1 at a root */
  int trees;
  double *level;            /* [m] tree by tree: how far log prices are below where its money puts them */
  double *worth, *held;     /* [m] tree by tree: sum Y p, sum B */
  long double *need, *mass; /* [m + n] what goods from a node on cost less the budgets there; sum of sizes */
} forest;

/* w_ij - q_j */
static double bang(const forest *f, int64_t e) { return f->value[e] - f->q[f->market->good[e]]; }

/* ---- the forest as it stands ---- */

static void list_edges(forest *f) {
  int64_t sum = 0;
  memset(f->end, 0, (size_t)f->market->m * sizeof *f->end);
  for (int64_t e = 0; e < f->edges; e++) f->end[f->market->good[e]] += f->tight[e];
  for (int j = 0; j < f->market->m; j++) {
    const int64_t count = f->end[j];
    f->end[j] = sum;
    sum += count;
  }
  for (int64_t e = 0; e < f->edges; e++)
    if (f->tight[e]) f->list[f->end[f->market->good[e]]++] = e;
}

static int visit(forest *f, int node, int64_t up, int count) {
  f->tree[node] = f->trees - 1;
  f->up[node] = up;
  f->order[count] = node;
  return count + 1;
}

/* Visits the node's neighbours away from the root. */
static int expand(forest *f, int node, int count) {
  const wal_linear_market *k = f->market;
  const int64_t up = f->up[node];
  if (node < k->m) {
    for (int64_t l = node > 0 ? f->end[node - 1] : 0; l < f->end[node]; l++)
      if (f->list[l] != up) count = visit(f, k->m + f->owner[f->list[l]], f->list[l], count);
  } else {
    for (int64_t e = k->first[node - k->m]; e < k->first[node - k->m + 1]; e++)
      if (f->tight[e] && e != up) count = visit(f, k->good[e], e, count);
  }
  return count;
}

/* Numbers the trees and orders the nodes, breadth first. */
static void explore(forest *f) {
  int count = 0, next = 0;
  list_edges(f);
  f->trees = 0;
  for (int j = 0; j < f->market->m; j++) f->tree[j] = -1;
  for (int r = 0; r < f->market->m; r++) {
    if (f->tree[f->roots[r]] >= 0) continue;
    f->trees++;
    count = visit(f, f->roots[r], -1, count);
    for (; next < count; next++) count = expand(f, f->order[next], count);
  }
}

/* The node that the edge up from `node` leads to. */
static int parent(const forest *f, int node) {
  return node < f->market->m ? f->market->m + f->owner[f->up[node]] : f->market->good[f->up[node]];
}

/* ---- prices ---- */

/* level[] from q. A tree without money falls until somebody wants it. */
enum { FALL = 60 };
static void measure_levels(forest *f) {
  const wal_linear_market *k = f->market;
  for (int t = 0; t < f->trees; t++) f->worth[t] = f->held[t] = 0.0;
  for (int j = 0; j < k->m; j++) {
    f->worth[f->tree[j]] += k->supply[j] * exp(f->q[j]);
    f->held[f->tree[j]] += k->money[j];
  }
  for (int i = 0; i < k->n; i++) f->held[f->tree[k->m + i]] += k->budget[i];
  for (int t = 0; t < f->trees; t++) f->level[t] = fmax(log(f->held[t] / f->worth[t]), -FALL);
}

/* Buyer i's edge on which its fastest-moving tie with another tree comes first, if sooner than *step. */
static void first_tie(const forest *f, int i, double *step, int64_t *edge) {
  const wal_linear_market *k = f->market;
  const double own = f->level[f->tree[k->m + i]];
  int64_t at = k->first[i];
  while (!f->tight[at]) at++;
  const double best = bang(f, at);
  for (int64_t e = k->first[i]; e < k->first[i + 1]; e++) {
    const double speed = own - f->level[f->tree[k->good[e]]];
    if (!(speed > 0.0)) continue;
    const double s = fmax(best - bang(f, e), 0.0) / speed;
    if (s < *step) *step = s, *edge = e;
  }
}

/* Moves every tree towards its level, until they are there (false) or a buyer ties two trees (true: they are
   joined). */
static bool move(forest *f) {
  int64_t tie = -1;
  double step = 1.0;
  measure_levels(f);
  for (int i = 0; i < f->market->n; i++) first_tie(f, i, &step, &tie);
  for (int j = 0; j < f->market->m; j++) f->q[j] += step * f->level[f->tree[j]];
  if (tie >= 0) f->tight[tie] = true;
  return tie >= 0;
}

/* Price ratios from the values along the forest, then levels: rounding does not add up over the moves. */
static void tighten(forest *f) {
  const wal_linear_market *k = f->market;
  for (int a = 0; a < k->m + k->n; a++) {
    const int node = f->order[a];
    if (node >= k->m || f->up[node] < 0) continue;
    const int64_t bought = f->up[parent(f, node)]; /* the buyer's own edge towards the root */
    f->q[node] = f->q[k->good[bought]] + (f->value[f->up[node]] - f->value[bought]);
  }
  measure_levels(f);
  for (int j = 0; j < k->m; j++) f->q[j] += f->level[f->tree[j]];
}

/* ---- flows ---- */

/* need[] and mass[] of each node alone; edges outside the forest carry what flow[] says. */
static void weigh_nodes(forest *f, const double *flow) {
  const wal_linear_market *k = f->market;
  for (int j = 0; j < k->m; j++) {
    const long double worth = k->supply[j] * expl((long double)f->q[j]);
    f->need[j] = worth - k->money[j];
    f->mass[j] = worth + k->money[j];
  }
  for (int i = 0; i < k->n; i++) f->need[k->m + i] = -(f->mass[k->m + i] = k->budget[i]);
  for (int64_t e = 0; e < f->edges; e++) {
    if (f->tight[e] || flow[e] == 0.0) continue;
    f->need[k->good[e]] -= flow[e];
    f->need[k->m + f->owner[e]] += flow[e];
  }
}

/* Money along the forest's edges, from the leaves inwards; returns the edge with the most negative flow, or
 * -1. */
static int64_t find_flows(forest *f, double *flow) {
  const double rounding = 1e-14;
  int64_t worst = -1;
  weigh_nodes(f, flow);
  for (int a = f->market->m + f->market->n; a-- > 0;) {
    const int node = f->order[a];
    const int64_t up = f->up[node];
    if (up < 0) continue;
    const double money = (double)(node < f->market->m ? f->need[node] : -f->need[node]);
    const bool wrong = money < -rounding * (double)f->mass[node];
    flow[up] = wrong ? money : fmax(money, 0.0);
    if (wrong && (worst < 0 || money < flow[worst])) worst = up;
    f->need[parent(f, node)] += f->need[node];
    f->mass[parent(f, node)] += f->mass[node];
  }
  return worst;
}

/* ---- a guess ---- */

/* Where a CES demand of this power puts the money: flow[e] = B_i (v_ij/p_j)^r / sum_k (v_ik/p_k)^r. */
static void power_flows(const forest *f, double power, double *flow) {
  const wal_linear_market *k = f->market;
  for (int i = 0; i < k->n; i++) {
    double best = -INFINITY, sum = 0.0;
    for (int64_t e = k->first[i]; e < k->first[i + 1]; e++) best = fmax(best, bang(f, e));
    for (int64_t e = k->first[i]; e < k->first[i + 1]; e++) sum += flow[e] = exp(power * (bang(f, e) - best));
    for (int64_t e = k->first[i]; e < k->first[i + 1]; e++) flow[e] *= k->budget[i] / sum;
  }
}

typedef struct {
  double flow;
  int64_t edge;
} weighted_edge;

static int by_flow(const void *left, const void *right) {
  const weighted_edge *a = left, *b = right;
  return a->flow != b->flow ? (a->flow < b->flow) - (a->flow > b->flow)
                            : (a->edge > b->edge) - (a->edge < b->edge);
}

static int set_of(int *set, int a) {
  while (set[a] != a) a = set[a] = set[set[a]];
  return a;
}

/* The forest of the edges that carry most (Kruskal), of those that carry anything to speak of. */
static void heaviest_forest(forest *f, const double *flow, weighted_edge *edges) {
  const wal_linear_market *k = f->market;
  int *set = f->order; /* room */
  for (int a = 0; a < k->m + k->n; a++) set[a] = a;
  size_t count = 0;
  for (int64_t e = 0; e < f->edges; e++) {
    f->tight[e] = false;
    if (flow[e] >= 1e-6 * k->budget[f->owner[e]]) edges[count++] = (weighted_edge){flow[e], e};
  }
  qsort(edges, count, sizeof *edges, by_flow);
  for (size_t l = 0; l < count; l++) {
    const int64_t e = edges[l].edge;
    const int a = set_of(set, k->m + f->owner[e]), b = set_of(set, k->good[e]);
    if (a == b) continue;
    f->tight[e] = true;
    set[a] = b;
  }
}

/* False where some buyer prefers a good that is not tight. Keeps the flows of tight edges that close cycles.
 */
static bool keep_tight_flows(forest *f, double *flow) {
  const double rounding = 1e-12;
  const wal_linear_market *k = f->market;
  for (int i = 0; i < k->n; i++) {
    int64_t at = k->first[i];
    while (!f->tight[at]) at++;
    for (int64_t e = k->first[i]; e < k->first[i + 1]; e++) {
      const double slack = bang(f, at) - bang(f, e);
      if (slack < -rounding) return false;
      if (slack > rounding || f->tree[k->good[e]] != f->tree[k->m + i]) flow[e] = 0.0;
    }
  }
  return true;
}

/* Tries the forest that a CES demand of this power suggests: with many ties and a high power, it is right. */
static bool guess(forest *f, double power, weighted_edge *room, double *flow) {
  power_flows(f, power, flow);
  heaviest_forest(f, flow, room);
  explore(f);
  tighten(f);
  return keep_tight_flows(f, flow) && find_flows(f, flow) < 0;
}

/* ---- the method ---- */

/* Owners of edges, and roots by worth. */
static void prepare(forest *f) {
  const wal_linear_market *k = f->market;
  for (int i = 0; i < k->n; i++)
    for (int64_t e = k->first[i]; e < k->first[i + 1]; e++) f->owner[e] = i;
  for (int j = 0; j < k->m; j++) {
    const double worth = log(k->supply[j]) + f->q[j];
    int r = j;
    for (; r > 0 && log(k->supply[f->roots[r - 1]]) + f->q[f->roots[r - 1]] < worth; r--)
      f->roots[r] = f->roots[r - 1];
    f->roots[r] = j;
  }
}

/* Every buyer's best edge. Exact ties would make steps of length 0, one after another without end: as in
   linear programs, values are nudged, each by its own random amount. A forest that is right for small nudges
   is right for none. */
static void start(forest *f) {
  const double nudge = 1e-10;
  const wal_linear_market *k = f->market;
  memset(f->tight, 0, (size_t)f->edges * sizeof *f->tight);
  for (int64_t e = 0; e < f->edges; e++)
    f->value[e] += nudge * wal_rng_uniform(0, WAL_STREAM_START, (uint64_t)e);
  for (int i = 0; i < k->n; i++) {
    int64_t best = k->first[i];
    for (int64_t e = best; e < k->first[i + 1]; e++)
      if (bang(f, e) > bang(f, best)) best = e;
    f->tight[best] = true;
  }
}

static const int64_t MOST_WORK = 20000000; /* edges and nodes looked at: a few tenths of a second */

static wal_status pivot(forest *f, double *flow) {
  const int64_t limit = MOST_WORK / (f->edges + f->market->m + f->market->n);
  for (int64_t pivots = 0; pivots < limit; pivots++) {
    explore(f);
    if (move(f)) continue;
    tighten(f);
    memset(flow, 0, (size_t)f->edges * sizeof *flow);
    const int64_t wrong = find_flows(f, flow);
    if (wrong < 0) return WAL_OK;
    f->tight[wrong] = false;
  }
  return wal_fail(WAL_E_DIVERGED, "no equilibrium of %d buyers and %d goods after %lld pivots", f->market->n,
                  f->market->m, (long long)limit);
}

/* The guess, or pivots on nudged values and then on the values themselves. */
static wal_status solve(forest *f, double power, weighted_edge *room, double *start_q, double *flow) {
  const wal_linear_market *k = f->market;
  memcpy(start_q, f->q, (size_t)k->m * sizeof *f->q);
  memcpy(f->value, k->value, (size_t)f->edges * sizeof *f->value);
  if (guess(f, power, room, flow)) return WAL_OK;
  memcpy(f->q, start_q, (size_t)k->m * sizeof *f->q);
  start(f);
  wal_status status = pivot(f, flow);
  memcpy(f->value, k->value, (size_t)f->edges * sizeof *f->value);
  if (status != WAL_OK) return status;
  tighten(f);
  return pivot(f, flow);
}

wal_status wal_tight_forest(const wal_linear_market *market, double power, double *q, double *flow) {
  const size_t m = (size_t)market->m, nodes = m + (size_t)market->n, edges = (size_t)market->first[market->n];
  forest f = {.market = market, .q = q, .edges = (int64_t)edges};
  f.tight = calloc(edges + 1, sizeof *f.tight);
  f.owner = malloc((edges + m + 2 * nodes) * sizeof *f.owner);
  f.list = malloc((edges + m + nodes) * sizeof *f.list);
  f.level = malloc((4 * m + edges) * sizeof *f.level);
  f.need = malloc(2 * nodes * sizeof *f.need);
  weighted_edge *room = malloc((edges + 1) * sizeof *room);
  wal_status status = WAL_OK;
  if (!f.tight || !f.owner || !f.list || !f.level || !f.need || !room) {
    status = wal_fail(WAL_E_MEMORY, "no memory for a market of %zu values", edges);
  } else {
    f.roots = f.owner + edges, f.order = f.roots + m, f.tree = f.order + nodes;
    f.end = f.list + edges, f.up = f.end + m;
    f.worth = f.level + m, f.held = f.worth + m, f.value = f.held + 2 * m;
    f.mass = f.need + nodes;
    prepare(&f);
    status = solve(&f, power, room, f.held + m, flow);
  }
  free(f.tight);
  free(f.owner);
  free(f.list);
  free(f.level);
  free(f.need);
  free(room);
  return status;
}
