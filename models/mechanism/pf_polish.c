#include "models/mechanism/pf_polish.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/mechanism/pf_forest.h"
#include "models/mechanism/pf_open.h"

/* Where an element is: not in the program, at 0, at x_im, in the graph, or between its bounds but not in the
   graph, as it closes a circle of ties: its amount stays what it is. */
typedef enum { CLOSED, LOW, HIGH, FREE, HELD } place;

typedef struct {
  double weight; /* distance from its bounds, as a share of the entry's amounts */
  int element;
} candidate;

struct wal_pf_polish {
  wal_pf_forest forest;
  int n, m;
  const double *v, *x, *b, *z; /* one instance, borrowed; z NULL: 0 */
  double *w, *have, *price;    /* [n] 0 where the agent has no part, [n + m], [n + m] */
  double *scale, *dearest;     /* [m] lambda of the start; largest p_im */
  double *amount, *goal;       /* [n m + m] now; where the graph's equations put them */
  double *mu, *nu;             /* [n m] */
  unsigned char *place;        /* [n m + m] */
  int *roots, *set;            /* [m] resources, those worth most first; [n + m] union-find */
  bool *full;                  /* [n + m] the set has its extra */
  candidate *candidates;       /* [n m + m] */
};

/* Below it, a difference of p_im - z_im and lambda_m is rounding. */
static const double ROUNDING = 1e-13;

wal_status wal_pf_polish_create(int n, int m, wal_pf_polish **out) {
  const size_t nodes = (size_t)n + (size_t)m, entries = (size_t)n * (size_t)m, elements = entries + (size_t)m;
  wal_pf_polish *p = *out = calloc(1, sizeof *p);
  if (!p) return wal_fail(WAL_E_MEMORY, "no memory for a polish of %d x %d", n, m);
  p->n = n, p->m = m;
  wal_status status = wal_pf_forest_create(n, m, &p->forest);
  p->w = malloc((3 * nodes + 2 * (size_t)m + 2 * elements + 2 * entries) * sizeof *p->w);
  p->place = malloc((elements + nodes) * sizeof *p->place);
  p->roots = malloc((nodes + (size_t)m) * sizeof *p->roots);
  p->candidates = malloc(elements * sizeof *p->candidates);
  if (status == WAL_OK && !(p->w && p->place && p->roots && p->candidates))
    status = wal_fail(WAL_E_MEMORY, "no memory for a polish of %d x %d", n, m);
  if (status != WAL_OK) {
    wal_pf_polish_destroy(p);
    *out = NULL;
    return status;
  }
  p->have = p->w + n, p->price = p->have + nodes;
  p->scale = p->price + nodes, p->dearest = p->scale + m;
  p->amount = p->dearest + m, p->goal = p->amount + elements;
  p->mu = p->goal + elements, p->nu = p->mu + entries;
  p->full = (bool *)(p->place + elements);
  p->set = p->roots + m;
  return WAL_OK;
}

void wal_pf_polish_destroy(wal_pf_polish *p) {
  if (!p) return;
  wal_pf_forest_destroy(&p->forest);
  free(p->w);
  free(p->place);
  free(p->roots);
  free(p->candidates);
  free(p);
}

static double z_of(const wal_pf_polish *p, int e) { return p->z ? p->z[e] : 0.0; }

static int entries(const wal_pf_polish *p) { return p->n * p->m; }

/* The largest amount of element e. */
static double most(const wal_pf_polish *p, int e) { return e < entries(p) ? p->x[e] : INFINITY; }

/* What amounts of element e are measured by. */
static double unit(const wal_pf_polish *p, int e) {
  const double b = p->b[wal_pf_forest_resource(&p->forest, e)];
  return e < entries(p) ? fmin(p->x[e], b) : b;
}

static void add_element(wal_pf_polish *p, int e) {
  p->place[e] = FREE;
  p->forest.element[p->forest.count++] = e;
}

static void remove_element(wal_pf_polish *p, int e, place to) {
  wal_pf_forest *f = &p->forest;
  int l = 0;
  while (f->element[l] != e) l++;
  f->element[l] = f->element[--f->count];
  p->place[e] = (unsigned char)to;
}

/* Puts element e at the bound that it met. */
static place bound(wal_pf_polish *p, int e, bool high) {
  p->amount[e] = high ? p->x[e] : 0.0;
  return high ? HIGH : LOW;
}

/* ---- the interior point's places ---- */

/* An entry is free where its amount is farther from the bound than its multiplier is from 0. */
static void place_entry(wal_pf_polish *p, int e, double worth, double u, const wal_pf_solution *s,
                        int *count) {
  const int j = e % p->m;
  const double a = s->a[e], left = p->x[e] - a;
  const double size = fmax(fmax(worth, fabs(z_of(p, e))), s->lambda[j]);
  const double amounts = fmin(unit(p, e), u / p->v[e]);
  const bool low = !(a * size > s->mu[e] * amounts), high = !(left * size > s->nu[e] * amounts);
  if (low || high) {
    p->place[e] = (unsigned char)bound(p, e, high && !(low && a < left));
  } else {
    p->amount[e] = a;
    p->candidates[(*count)++] = (candidate){fmin(a, left) / amounts, e};
  }
}

static int place_agent(wal_pf_polish *p, int i, const wal_pf_solution *s, int count) {
  const int row = i * p->m;
  double u = 0.0;
  for (int j = 0; j < p->m; j++) u += p->v[row + j] * s->a[row + j];
  for (int j = 0; j < p->m; j++) {
    const int e = row + j;
    p->amount[e] = 0.0;
    p->place[e] = CLOSED;
    if (!(p->w[i] > 0.0) || !wal_pf_open(p->v[e], p->x[e], p->b[j], z_of(p, e))) continue;
    const double worth = p->w[i] * (p->v[e] / u);
    p->dearest[j] = fmax(p->dearest[j], worth);
    place_entry(p, e, worth, u, s, &count);
  }
  return count;
}

/* What is left of resource j. */
static int place_rest(wal_pf_polish *p, int j, const wal_pf_solution *s, int count) {
  const int e = entries(p) + j;
  double left = p->b[j];
  for (int i = 0; i < p->n; i++) left -= s->a[i * p->m + j];
  p->amount[e] = 0.0;
  p->place[e] = p->b[j] > 0.0 ? LOW : CLOSED;
  const double size = fmax(s->lambda[j], p->dearest[j]);
  if (p->b[j] > 0.0 && !(left * size <= s->lambda[j] * p->b[j])) {
    p->amount[e] = fmax(left, 0.0);
    p->candidates[count++] = (candidate){left / p->b[j], e};
  }
  return count;
}

static int by_weight(const void *left, const void *right) {
  const candidate *a = left, *b = right;
  return a->weight != b->weight ? (a->weight < b->weight) - (a->weight > b->weight)
                                : (a->element > b->element) - (a->element < b->element);
}

static void sort_candidates(candidate *list, int count) {
  enum { FEW = 32 };
  if (count > FEW) {
    qsort(list, (size_t)count, sizeof *list, by_weight);
    return;
  }
  for (int l = 1; l < count; l++)
    for (int k = l; k > 0 && by_weight(list + k - 1, list + k) > 0; k--) {
      const candidate other = list[k];
      list[k] = list[k - 1];
      list[k - 1] = other;
    }
}

/* Resources by what they are worth: a tree's root takes up the rounding of all its amounts. */
static void sort_roots(wal_pf_polish *p) {
  for (int j = 0; j < p->m; j++) {
    const double worth = p->scale[j] * p->b[j];
    int r = j;
    for (; r > 0 && p->scale[p->roots[r - 1]] * p->b[p->roots[r - 1]] < worth; r--)
      p->roots[r] = p->roots[r - 1];
    p->roots[r] = j;
  }
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
      p->place[e] = HELD;
      continue;
    }
    add_element(p, e);
    p->full[b] = a == b || p->full[a] || p->full[b];
    p->set[a] = b;
  }
}

static void read_places(wal_pf_polish *p, const wal_pf_solution *s) {
  int count = 0;
  for (int j = 0; j < p->m; j++) p->dearest[j] = 0.0;
  for (int i = 0; i < p->n; i++) count = place_agent(p, i, s, count);
  for (int j = 0; j < p->m; j++) {
    count = place_rest(p, j, s, count);
    p->scale[j] = s->lambda[j];
    if (p->b[j] > 0.0 && !(s->lambda[j] > 0.0)) p->scale[j] = p->dearest[j] > 0.0 ? p->dearest[j] : 1.0;
  }
  sort_roots(p);
  choose_graph(p, count);
}

/* ---- pivots ---- */

/* What amounts outside of the graph leave to it. */
static void measure_rest(wal_pf_polish *p) {
  for (int j = 0; j < p->m; j++) {
    const int e = entries(p) + j;
    p->have[p->n + j] = p->b[j] - (p->place[e] == FREE ? 0.0 : p->amount[e]);
  }
  for (int i = 0; i < p->n; i++) {
    double u = 0.0;
    for (int j = 0; j < p->m; j++) {
      const int e = i * p->m + j;
      const double a = p->place[e] == FREE ? 0.0 : p->amount[e];
      u += p->v[e] * a;
      p->have[p->n + j] -= a;
    }
    p->have[i] = u;
  }
}

/* The graph's trees; elements that can be no tree's extra are held where they are. */
static void explore(wal_pf_polish *p) {
  wal_pf_forest *f = &p->forest;
  for (bool again = true; again;) {
    wal_pf_forest_explore(f, p->roots, p->scale);
    again = f->spares > 0;
    for (int l = 0; l < f->spares; l++) remove_element(p, f->spare[l], HELD);
    for (int t = 0; t < f->trees; t++) {
      const int e = f->extra[t];
      if (e < 0 || (wal_pf_forest_closes(f, e) && (p->z || wal_pf_forest_agent(f, e) < 0))) continue;
      remove_element(p, e, HELD);
      again = true;
    }
  }
}

/* Moves the graph's amounts by *step times change[n m + m], less where one of them comes to a bound: it
   leaves the graph and is returned, and *step is how far it was. Changes up to `noise` units are none. -1: no
   bound. */
static int advance(wal_pf_polish *p, const double *change, double noise, double *step) {
  const wal_pf_forest *f = &p->forest;
  int blocked = -1;
  for (int l = 0; l < f->count; l++) {
    const int e = f->element[l];
    const double speed = fabs(change[e]), rounding = 1e-14 * unit(p, e);
    const double room = change[e] < 0.0 ? p->amount[e] : most(p, e) - p->amount[e];
    if (!(speed > noise * unit(p, e)) || !(room + rounding < *step * speed)) continue;
    *step = room / speed;
    blocked = e;
  }
  if (*step == INFINITY) return -1;
  for (int l = 0; l < f->count; l++) {
    const int e = f->element[l];
    p->amount[e] = fmin(fmax(p->amount[e] + *step * change[e], 0.0), most(p, e));
  }
  if (blocked >= 0) remove_element(p, blocked, bound(p, blocked, change[blocked] > 0.0));
  return blocked;
}

/* Moves amounts to where the graph's equations put them; an element that leaves the graph on the way, or -1.
 */
static int go_to_goal(wal_pf_polish *p) {
  const wal_pf_forest *f = &p->forest;
  double step = 1.0;
  for (int l = 0; l < f->count; l++) p->goal[f->element[l]] -= p->amount[f->element[l]];
  return advance(p, p->goal, 0.0, &step);
}

/* p_im - z_im - lambda_m: what a little more of element e is worth. */
static double gain_of(const wal_pf_polish *p, int e) {
  const double lambda = p->price[p->n + e % p->m];
  return e < entries(p) ? p->price[e / p->m] * p->v[e] - z_of(p, e) - lambda : -lambda;
}

/* A resource without free elements has any price between what those who get nothing would give and what those
   who get all they want would. Returns an element whose amount has to change first, or -1. */
static int price_alone(wal_pf_polish *p, int j) {
  double low = 0.0, high = INFINITY;
  int last = -1;
  p->price[p->n + j] = 0.0;
  for (int i = 0; i < p->n; i++) {
    const int e = i * p->m + j;
    const double gain = p->place[e] == CLOSED ? 0.0 : gain_of(p, e);
    if (p->place[e] == LOW) low = fmax(low, gain);
    if (p->place[e] == HIGH && gain < high) high = gain, last = e;
  }
  p->price[p->n + j] = fmax(fmin(fmax(p->scale[j], low), high), 0.0);
  const double left = p->have[p->n + j], rounding = 1e-14 * p->b[j];
  return left > rounding ? entries(p) + j : left < -rounding ? last : -1;
}

static int price_lonely(wal_pf_polish *p) {
  const wal_pf_forest *f = &p->forest;
  for (int t = 0; t < f->trees; t++) {
    const int node = f->order[f->first[t]];
    if (f->first[t + 1] - f->first[t] > 1 || f->extra[t] >= 0 || node < p->n || p->b[node - p->n] == 0.0)
      continue;
    const int e = price_alone(p, node - p->n);
    if (e >= 0) return e;
  }
  return -1;
}

/* The element outside of the graph whose multiplier has the wrong sign most, or -1. */
static int worst_element(const wal_pf_polish *p) {
  double worst = ROUNDING;
  int element = -1;
  for (int e = 0; e < entries(p) + p->m; e++) {
    if (p->place[e] == CLOSED || p->place[e] == FREE) continue;
    const double lambda = p->price[p->n + e % p->m], gain = gain_of(p, e);
    const double worth = e < entries(p) ? p->price[e / p->m] * p->v[e] : p->dearest[e % p->m];
    const double size = fmax(fmax(worth, fabs(lambda)), e < entries(p) ? fabs(z_of(p, e)) : 0.0);
    const double wrong = p->place[e] == LOW ? gain : p->place[e] == HIGH ? -gain : fabs(gain);
    if (wrong > worst * size) worst = wrong / size, element = e;
  }
  return element;
}

/* Whether element e can join the graph as it is: no tree would get a second extra. */
static bool fits(const wal_pf_polish *p, int e) {
  const wal_pf_forest *f = &p->forest;
  const int i = wal_pf_forest_agent(f, e), tree = f->tree[p->n + e % p->m];
  if (i >= 0 && f->tree[i] != tree) return f->extra[tree] < 0 || f->extra[f->tree[i]] < 0;
  return f->extra[tree] < 0 && (p->z || i < 0) && wal_pf_forest_closes(f, e);
}

/* Brings element e to a better amount: into the graph, or as far as the graph's amounts allow. */
static bool enter(wal_pf_polish *p, int e) {
  const double gain = gain_of(p, e);
  const bool more = p->place[e] == LOW || (p->place[e] == HELD && gain > 0.0);
  double step = more ? most(p, e) - p->amount[e] : p->amount[e];
  if (fits(p, e)) {
    add_element(p, e);
    return true;
  }
  wal_pf_forest_change(&p->forest, p->w, p->price, e, p->goal);
  if (!more)
    for (int l = 0; l < p->forest.count; l++) p->goal[p->forest.element[l]] *= -1.0;
  const int blocked = advance(p, p->goal, 1e-12 / unit(p, e), &step);
  if (step == INFINITY) return false;
  if (blocked < 0) {
    p->place[e] = (unsigned char)bound(p, e, more);
  } else {
    p->amount[e] = fmin(fmax(p->amount[e] + (more ? step : -step), 0.0), most(p, e));
    add_element(p, e);
  }
  return true;
}

/* From graph to graph until every amount and multiplier has its sign. */
static bool pivot(wal_pf_polish *p) {
  enum { PIVOTS = 60 };
  for (int s = 0; s < PIVOTS; s++) {
    explore(p);
    measure_rest(p);
    if (!wal_pf_forest_prices(&p->forest, p->w, p->have, p->price)) return false;
    wal_pf_forest_amounts(&p->forest, p->w, p->have, p->price, p->goal);
    if (go_to_goal(p) >= 0) continue;
    int e = price_lonely(p);
    if (e < 0) e = worst_element(p);
    if (e < 0) return true;
    if (!enter(p, e)) return false;
  }
  return false;
}

/* ---- the answer ---- */

/* mu and nu from amounts and resources' prices. */
static void read_multipliers(wal_pf_polish *p) {
  for (int i = 0; i < p->n; i++) {
    double u = 0.0;
    for (int j = 0; j < p->m; j++) u += p->v[i * p->m + j] * p->amount[i * p->m + j];
    for (int e = i * p->m; e < (i + 1) * p->m; e++) {
      p->mu[e] = p->nu[e] = 0.0;
      if (p->place[e] != LOW && p->place[e] != HIGH) continue;
      const double gain = p->w[i] * (p->v[e] / u) - z_of(p, e) - p->price[p->n + e % p->m];
      if (p->place[e] == LOW) p->mu[e] = fmax(-gain, 0.0);
      if (p->place[e] == HIGH) p->nu[e] = fmax(gain, 0.0);
    }
  }
}

static void copy_answer(const wal_pf_polish *p, const wal_pf_solution *s) {
  const size_t nm = (size_t)entries(p);
  for (int i = 0; i < p->n && s->u; i++) {
    s->u[i] = 0.0;
    for (int e = i * p->m; e < (i + 1) * p->m; e++) s->u[i] += p->v[e] * p->amount[e];
  }
  memcpy(s->a, p->amount, nm * sizeof *s->a);
  memcpy(s->lambda, p->price + p->n, (size_t)p->m * sizeof *s->lambda);
  memcpy(s->mu, p->mu, nm * sizeof *s->mu);
  memcpy(s->nu, p->nu, nm * sizeof *s->nu);
}

static void borrow_instance(wal_pf_polish *p, const wal_instances *in, int64_t k, const double *z) {
  const int64_t nm = entries(p);
  p->v = in->v + k * nm, p->x = in->x + k * nm, p->b = in->b + k * p->m, p->z = z;
  p->forest.v = p->v, p->forest.z = z;
  for (int i = 0; i < p->n; i++) p->w[i] = wal_pf_takes_part(in, k, i) ? wal_pf_weight(in, k, i) : 0.0;
}

double wal_pf_polish_instance(wal_pf_polish *p, const wal_instances *in, int64_t k, const double *z,
                              const wal_pf_solution *point) {
  const wal_instances one = wal_instances_part(in, k, 1);
  const wal_pf_solution mine = {.a = p->amount, .lambda = p->price + p->n, .mu = p->mu, .nu = p->nu};
  double kkt, polished = INFINITY;
  wal_pf_kkt(&one, z, point, &kkt);
  borrow_instance(p, in, k, z);
  read_places(p, point);
  if (pivot(p)) {
    read_multipliers(p);
    wal_pf_kkt(&one, z, &mine, &polished);
  }
  if (polished < kkt) copy_answer(p, point);
  return polished < kkt ? polished : kkt;
}
