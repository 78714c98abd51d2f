#include "models/mechanism/pf_places.h"

#include <stdlib.h>

void wal_pf_add_element(wal_pf_polish *p, int e) {
  p->place[e] = WAL_PF_FREE;
  p->forest.element[p->forest.count++] = e;
}

void wal_pf_remove_element(wal_pf_polish *p, int e, wal_pf_place to) {
  wal_pf_forest *f = &p->forest;
  int l = 0;
  while (f->element[l] != e) l++;
  f->element[l] = f->element[--f->count];
  p->place[e] = (unsigned char)to;
}

wal_pf_place wal_pf_bound(wal_pf_polish *p, int e, bool high) {
  p->amount[e] = high ? p->x[e] : 0.0;
  return high ? WAL_PF_HIGH : WAL_PF_LOW;
}

/* An entry is free where its amount is farther from the bound than its multiplier is from 0. */
static void place_entry(wal_pf_polish *p, int e, int j, double w, double worth, const wal_pf_solution *s,
                        int *count) {
  const double a = s->a[e], left = p->x[e] - a;
  const double size = wal_pf_max(wal_pf_max(worth, fabs(wal_pf_z_of(p, e))), s->lambda[j]);
  const double amounts = wal_pf_min(wal_pf_min(p->x[e], p->b[j]), w / worth);
  const bool low = !(a * size > s->mu[e] * amounts), high = !(left * size > s->nu[e] * amounts);
  if (low || high) {
    p->place[e] = (unsigned char)wal_pf_bound(p, e, high && !(low && a < left));
  } else {
    p->amount[e] = a;
    p->candidates[(*count)++] = (wal_pf_candidate){fmin(a, left) / amounts, e};
  }
}

static int place_agent(wal_pf_polish *p, int i, const wal_pf_solution *s, int count) {
  const int row = i * p->m;
  double u = 0.0;
  for (int j = 0; j < p->m; j++) u += p->v[row + j] * s->a[row + j];
  for (int j = 0; j < p->m; j++) {
    const int e = row + j;
    p->amount[e] = 0.0;
    p->place[e] = WAL_PF_OUT;
    if (!(p->w[i] > 0.0) || !wal_pf_open(p->v[e], p->x[e], p->b[j], wal_pf_z_of(p, e))) continue;
    const double worth = p->w[i] * (p->v[e] / u);
    p->dearest[j] = wal_pf_max(p->dearest[j], worth);
    place_entry(p, e, j, p->w[i], worth, s, &count);
  }
  return count;
}

/* What is left of resource j. */
static int place_rest(wal_pf_polish *p, int j, const wal_pf_solution *s, int count) {
  const int e = wal_pf_entries(p) + j;
  double left = p->b[j];
  for (int i = 0; i < p->n; i++) left -= s->a[i * p->m + j];
  p->amount[e] = 0.0;
  p->place[e] = p->b[j] > 0.0 ? WAL_PF_LOW : WAL_PF_OUT;
  const double size = fmax(s->lambda[j], p->dearest[j]);
  if (p->b[j] > 0.0 && !(left * size <= s->lambda[j] * p->b[j])) {
    p->amount[e] = fmax(left, 0.0);
    p->candidates[count++] = (wal_pf_candidate){left / p->b[j], e};
  }
  return count;
}

static int by_weight(const void *left, const void *right) {
  const wal_pf_candidate *a = left, *b = right;
  return a->weight != b->weight ? (a->weight < b->weight) - (a->weight > b->weight)
                                : (a->element > b->element) - (a->element < b->element);
}

static void sort_candidates(wal_pf_candidate *list, int count) {
  enum { FEW = 32 };
  if (count > FEW) {
    qsort(list, (size_t)count, sizeof *list, by_weight);
    return;
  }
  for (int l = 1; l < count; l++)
    for (int k = l; k > 0 && by_weight(list + k - 1, list + k) > 0; k--) {
      const wal_pf_candidate other = list[k];
      list[k] = list[k - 1];
      list[k - 1] = other;
    }
}

/* Nodes by the money w_i or p_im b_m that passes them: a tree's root takes up the rounding of all its
 * amounts. */
static void sort_roots(wal_pf_polish *p, int count) {
  wal_pf_candidate *nodes = p->candidates + count;
  for (int i = 0; i < p->n; i++) nodes[i] = (wal_pf_candidate){p->w[i], i};
  for (int a = p->n; a < p->n + p->m; a++) nodes[a] = (wal_pf_candidate){0.0, a};
  for (int l = 0; l < count; l++) {
    const int e = p->candidates[l].element, j = wal_pf_forest_resource(&p->forest, e);
    if (e >= wal_pf_entries(p)) continue;
    const double money = p->scale[e / p->m] * p->v[e] * p->b[j];
    nodes[p->n + j].weight = wal_pf_max(nodes[p->n + j].weight, money);
  }
  sort_candidates(nodes, p->n + p->m);
  for (int r = 0; r < p->n + p->m; r++) p->roots[r] = nodes[r].element;
}

static int set_of(int *set, int a) {
  while (set[a] != a) a = set[a] = set[set[a]];
  return a;
}

/* The graph: of the free elements, those farthest from their bounds first (Kruskal), trees with at most one
   extra each. Without z a circle cannot be an extra: its tree's prices would all be 0. */
static void choose_graph(wal_pf_polish *p, int count) {
  sort_candidates(p->candidates, count);
  for (int a = 0; a < p->n + p->m; a++) p->set[a] = a, p->full[a] = false;
  p->forest.count = 0;
  for (int l = 0; l < count; l++) {
    const int e = p->candidates[l].element, i = wal_pf_forest_agent(&p->forest, e);
    const int b = set_of(p->set, p->n + wal_pf_forest_resource(&p->forest, e));
    const int a = i >= 0 ? set_of(p->set, i) : b;
    if (a != b ? p->full[a] && p->full[b] : p->full[b] || (i >= 0 && !p->z)) {
      p->place[e] = WAL_PF_HELD;
      continue;
    }
    wal_pf_add_element(p, e);
    p->full[b] = a == b || p->full[a] || p->full[b];
    p->set[a] = b;
  }
}

/* Prices at the start: 1 where there is none. */
static void read_prices(wal_pf_polish *p, const wal_pf_solution *s) {
  for (int i = 0; i < p->n; i++) {
    double u = 0.0;
    for (int e = i * p->m; e < (i + 1) * p->m; e++) u += p->v[e] * s->a[e];
    p->scale[i] = p->w[i] > 0.0 && u > 0.0 ? p->w[i] / u : 1.0;
  }
  for (int j = 0; j < p->m; j++) {
    p->scale[p->n + j] = s->lambda[j];
    if (p->b[j] > 0.0 && !(s->lambda[j] > 0.0))
      p->scale[p->n + j] = p->dearest[j] > 0.0 ? p->dearest[j] : 1.0;
  }
}

void wal_pf_read_places(wal_pf_polish *p, const wal_pf_solution *s) {
  int count = 0;
  for (int j = 0; j < p->m; j++) p->dearest[j] = 0.0;
  for (int i = 0; i < p->n; i++) count = place_agent(p, i, s, count);
  for (int j = 0; j < p->m; j++) count = place_rest(p, j, s, count);
  read_prices(p, s);
  sort_roots(p, count);
  choose_graph(p, count);
}
