#include "models/mechanism/pf_forest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

wal_status wal_pf_forest_create(int n, int m, wal_pf_forest *out) {
  const size_t nodes = (size_t)n + (size_t)m, elements = (size_t)n * (size_t)m + (size_t)m;
  *out = (wal_pf_forest){.n = n, .m = m};
  out->element = malloc((4 * elements + 6 * nodes + 2) * sizeof *out->element);
  out->shift = malloc(3 * nodes * sizeof *out->shift);
  if (!out->element || !out->shift) {
    wal_pf_forest_destroy(out);
    return wal_fail(WAL_E_MEMORY, "no memory for a graph of %d agents and %d resources", n, m);
  }
  out->link = out->element + elements;
  out->spare = out->link + 2 * elements;
  out->order = out->spare + elements;
  out->up = out->order + nodes;
  out->tree = out->up + nodes;
  out->extra = out->tree + nodes;
  out->first = out->extra + nodes;
  out->head = out->first + nodes + 1;
  out->slope = out->shift + nodes;
  out->need = out->slope + nodes;
  return WAL_OK;
}

void wal_pf_forest_destroy(wal_pf_forest *f) {
  free(f->element);
  free(f->shift);
  f->element = NULL;
  f->shift = NULL;
}

static double z_of(const wal_pf_forest *f, int e) { return f->z && e < f->n * f->m ? f->z[e] : 0.0; }

/* ---- trees ---- */

/* Elements with two ends, node by node: link[head[a]] .. link[head[a + 1] - 1]. */
static void list_links(wal_pf_forest *f) {
  const int nodes = f->n + f->m;
  memset(f->head, 0, ((size_t)nodes + 1) * sizeof *f->head);
  for (int l = 0; l < f->count; l++) {
    const int i = wal_pf_forest_agent(f, f->element[l]), j = wal_pf_forest_resource(f, f->element[l]);
    if (i >= 0) f->head[i]++, f->head[f->n + j]++;
  }
  for (int a = 0, sum = 0; a <= nodes; a++) f->head[a] = sum += f->head[a];
  for (int l = f->count; l-- > 0;) {
    const int e = f->element[l], i = wal_pf_forest_agent(f, e);
    if (i >= 0) f->link[--f->head[i]] = f->link[--f->head[f->n + wal_pf_forest_resource(f, e)]] = e;
  }
}

static void visit(wal_pf_forest *f, int node, int up, int *count) {
  f->tree[node] = f->trees - 1;
  f->up[node] = up;
  f->order[(*count)++] = node;
}

static void add_extra(wal_pf_forest *f, int tree, int e) {
  if (f->extra[tree] < 0)
    f->extra[tree] = e;
  else
    f->spare[f->spares++] = e;
}

/* Agent i's resources away from the root: lambda_j = y_i v_ij - z_ij. */
static void expand_agent(wal_pf_forest *f, int i, int *count) {
  for (int l = f->head[i]; l < f->head[i + 1]; l++) {
    const int e = f->link[l], node = f->n + wal_pf_forest_resource(f, e);
    if (e == f->up[i]) continue;
    if (f->tree[node] >= 0) {
      add_extra(f, f->tree[i], e);
      continue;
    }
    visit(f, node, e, count);
    f->shift[node] = f->shift[i] * f->v[e] - z_of(f, e);
    f->slope[node] = f->slope[i] * f->v[e];
  }
}

/* Resource j's agents away from the root: y_i = (lambda_j + z_ij) / v_ij. */
static void expand_resource(wal_pf_forest *f, int j, int *count) {
  const int node = f->n + j;
  for (int l = f->head[node]; l < f->head[node + 1]; l++) {
    const int e = f->link[l], i = wal_pf_forest_agent(f, e);
    if (f->tree[i] >= 0) continue; /* its tree's extra, found from the agent */
    visit(f, i, e, count);
    f->shift[i] = (f->shift[node] + z_of(f, e)) / f->v[e];
    f->slope[i] = f->slope[node] / f->v[e];
  }
}

/* The tree of a root that no tree has yet, breadth first. */
static void grow(wal_pf_forest *f, int root, double scale, int *count) {
  if (f->tree[root] >= 0) return;
  int next = *count;
  f->first[f->trees] = next;
  f->extra[f->trees++] = -1;
  visit(f, root, -1, count);
  f->shift[root] = 0.0;
  f->slope[root] = scale;
  for (; next < *count; next++) {
    const int node = f->order[next];
    if (node < f->n)
      expand_agent(f, node, count);
    else
      expand_resource(f, node - f->n, count);
  }
}

void wal_pf_forest_explore(wal_pf_forest *f, const int *roots, const double *scale) {
  const int nodes = f->n + f->m;
  int count = 0;
  list_links(f);
  f->trees = f->spares = 0;
  for (int a = 0; a < nodes; a++) f->tree[a] = -1;
  for (int r = 0; r < nodes; r++) grow(f, roots[r], scale[roots[r]], &count);
  f->first[f->trees] = count;
  for (int l = 0; l < f->count; l++) {
    const int e = f->element[l];
    if (wal_pf_forest_agent(f, e) < 0) add_extra(f, f->tree[f->n + wal_pf_forest_resource(f, e)], e);
  }
}

/* ---- prices ---- */

long double wal_pf_forest_gain(const wal_pf_forest *f, int e) {
  const int i = wal_pf_forest_agent(f, e), j = wal_pf_forest_resource(f, e);
  const long double asked = f->slope[f->n + j];
  if (i < 0) return -asked;
  const long double given = f->slope[i] * f->v[e], rounding = 1e-9L * (fabsl(given) + fabsl(asked));
  return fabsl(given - asked) > rounding ? given - asked : 0.0L;
}

/* The t at which element e, the extra of its tree, has its condition. */
static long double extra_level(const wal_pf_forest *f, int e) {
  const int i = wal_pf_forest_agent(f, e), j = wal_pf_forest_resource(f, e);
  const long double given = i < 0 ? 0.0L : f->shift[i] * f->v[e];
  return (z_of(f, e) - given + f->shift[f->n + j]) / wal_pf_forest_gain(f, e);
}

bool wal_pf_forest_closes(const wal_pf_forest *f, int e) {
  const int tree = f->tree[f->n + wal_pf_forest_resource(f, e)];
  if (wal_pf_forest_gain(f, e) == 0.0) return false;
  const long double t = extra_level(f, e);
  for (int a = f->first[tree]; a < f->first[tree + 1]; a++) {
    const int node = f->order[a];
    if (node < f->n && !(f->shift[node] + f->slope[node] * t > 0.0)) return false;
  }
  return true;
}

/* sum_i slope_i w_i / (shift_i + slope_i t) over a tree's agents, and its derivative. */
static long double utility_at(const wal_pf_forest *f, int tree, const double *w, long double t,
                              long double *derivative) {
  long double sum = 0.0L;
  *derivative = 0.0L;
  for (int a = f->first[tree]; a < f->first[tree + 1]; a++) {
    const int node = f->order[a];
    if (node >= f->n) continue;
    const long double share = f->slope[node] / (f->shift[node] + f->slope[node] * t);
    sum += w[node] * share;
    *derivative -= w[node] * share * share;
  }
  return sum;
}

/* The balance of a tree without an extra: Newton from the left of the root, where it cannot overshoot. */
static long double balance_level(const wal_pf_forest *f, int tree, const double *w, const double *have) {
  enum { STEPS = 100 };
  long double low = 0.0L, goal = 0.0L, t = 1.0L, slope;
  for (int a = f->first[tree]; a < f->first[tree + 1]; a++) {
    const int node = f->order[a];
    goal += f->slope[node] * have[node];
    if (node < f->n) low = fmaxl(low, -f->shift[node] / f->slope[node]);
  }
  if (!(goal > 0.0)) return NAN;
  if (!f->z) return utility_at(f, tree, w, t, &slope) / goal; /* no shifts: the sum is proportional to 1/t */
  if (t <= low) t = 2.0L * low;
  for (int s = 0; s < STEPS; s++) {
    const long double step = (utility_at(f, tree, w, t, &slope) - goal) / slope;
    const long double next = t - step > low ? t - step : 0.5L * (low + t);
    if (fabsl(next - t) <= 4e-19L * t) return next;
    t = next;
  }
  return t;
}

bool wal_pf_forest_prices(const wal_pf_forest *f, const double *w, const double *have, double *price) {
  for (int tree = 0; tree < f->trees; tree++) {
    const int first = f->first[tree], last = f->first[tree + 1], e = f->extra[tree];
    const bool alone = last - first == 1 && (f->order[first] >= f->n || w[f->order[first]] == 0.0);
    const long double t = e >= 0 ? extra_level(f, e) : alone ? 1.0L : balance_level(f, tree, w, have);
    for (int a = first; a < last; a++) {
      const int node = f->order[a];
      price[node] = (double)(f->shift[node] + f->slope[node] * t);
      if (!isfinite(price[node]) || (node < f->n && w[node] > 0.0 && !(price[node] > 0.0))) return false;
    }
    if (e >= f->n * f->m) price[f->n + e - f->n * f->m] = 0.0;
  }
  return true;
}

/* ---- amounts ---- */

/* Amounts that meet the tree's need[], from the leaves inwards. */
static void drain(wal_pf_forest *f, int tree, double *amount) {
  for (int a = f->first[tree + 1]; --a > f->first[tree];) {
    const int node = f->order[a], e = f->up[node];
    if (node < f->n) {
      const long double taken = f->need[node] / f->v[e];
      amount[e] = (double)taken;
      f->need[f->n + wal_pf_forest_resource(f, e)] -= taken;
    } else {
      amount[e] = (double)f->need[node];
      f->need[wal_pf_forest_agent(f, e)] -= f->v[e] * f->need[node];
    }
  }
}

/* Takes amounts of element e from the need of its ends. */
static void take(wal_pf_forest *f, int e, long double amount) {
  const int i = wal_pf_forest_agent(f, e);
  if (i >= 0) f->need[i] -= f->v[e] * amount;
  f->need[f->n + wal_pf_forest_resource(f, e)] -= amount;
}

/* By how much agents' needs exceed resources' at the tree's own prices: what its extra has to carry, times
   its gain. */
static long double excess(const wal_pf_forest *f, int tree) {
  long double sum = 0.0L;
  for (int a = f->first[tree]; a < f->first[tree + 1]; a++) {
    const int node = f->order[a];
    sum += (node < f->n ? f->slope[node] : -f->slope[node]) * f->need[node];
  }
  return sum;
}

static void carry_excess(wal_pf_forest *f, int tree, double *amount) {
  const int e = f->extra[tree];
  if (e < 0) return;
  const long double a = excess(f, tree) / wal_pf_forest_gain(f, e);
  amount[e] = (double)a;
  take(f, e, a);
}

void wal_pf_forest_amounts(wal_pf_forest *f, const double *w, const double *have, const double *price,
                           double *amount) {
  for (int i = 0; i < f->n; i++) f->need[i] = w[i] > 0.0 ? (long double)w[i] / price[i] - have[i] : 0.0L;
  for (int j = 0; j < f->m; j++) f->need[f->n + j] = have[f->n + j];
  for (int tree = 0; tree < f->trees; tree++) {
    carry_excess(f, tree, amount);
    drain(f, tree, amount);
  }
}

void wal_pf_forest_change(wal_pf_forest *f, const double *w, const double *price, int e, double *change) {
  const int i = wal_pf_forest_agent(f, e), j = wal_pf_forest_resource(f, e);
  const int ends[2] = {f->tree[f->n + j], i >= 0 ? f->tree[i] : f->tree[f->n + j]};
  for (int l = 0; l < f->count; l++) change[f->element[l]] = 0.0;
  memset(f->need, 0, (size_t)(f->n + f->m) * sizeof *f->need);
  take(f, e, 1.0);
  for (int side = 0; side < (ends[0] == ends[1] ? 1 : 2); side++) {
    const int tree = ends[side];
    long double curvature = 0.0L; /* of the balance: -sum slope^2 w / y^2 */
    for (int a = f->first[tree]; f->extra[tree] < 0 && a < f->first[tree + 1]; a++) {
      const int node = f->order[a];
      if (node < f->n) curvature -= f->slope[node] / price[node] * (f->slope[node] / price[node]) * w[node];
    }
    const long double dt = curvature < 0.0L ? -excess(f, tree) / curvature : 0.0L;
    for (int a = f->first[tree]; dt != 0.0L && a < f->first[tree + 1]; a++) {
      const int node = f->order[a];
      if (node < f->n) f->need[node] -= w[node] * f->slope[node] / (price[node] * price[node]) * dt;
    }
    carry_excess(f, tree, change);
    drain(f, tree, change);
  }
}
