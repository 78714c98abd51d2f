#include "models/mechanism/pf_polish.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/mechanism/pf_places.h"

/* Below it, a difference of p_im - z_im and lambda_m is rounding. */
static const double ROUNDING = 1e-13;
/* A residual that no interior point has by chance. */
static const double GOOD = 1e-12;

wal_status wal_pf_polish_create(int n, int m, wal_pf_polish **out) {
  const size_t nodes = (size_t)n + (size_t)m, entries = (size_t)n * (size_t)m, elements = entries + (size_t)m;
  wal_pf_polish *p = *out = calloc(1, sizeof *p);
  if (!p) return wal_fail(WAL_E_MEMORY, "no memory for a polish of %d x %d", n, m);
  p->n = n, p->m = m;
  wal_status status = wal_pf_forest_create(n, m, &p->forest);
  p->w = malloc((4 * nodes + 2 * elements + 2 * entries) * sizeof *p->w);
  p->place = malloc((elements + nodes) * sizeof *p->place);
  p->roots = malloc(2 * nodes * sizeof *p->roots);
  p->candidates = malloc((elements + nodes) * sizeof *p->candidates);
  if (status == WAL_OK && !(p->w && p->place && p->roots && p->candidates))
    status = wal_fail(WAL_E_MEMORY, "no memory for a polish of %d x %d", n, m);
  if (status != WAL_OK) {
    wal_pf_polish_destroy(p);
    *out = NULL;
    return status;
  }
  p->have = p->w + n, p->price = p->have + nodes;
  p->scale = p->price + nodes, p->dearest = p->scale + nodes;
  p->amount = p->dearest + m, p->goal = p->amount + elements;
  p->mu = p->goal + elements, p->nu = p->mu + entries;
  p->full = (bool *)(p->place + elements);
  p->set = p->roots + nodes;
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

/* ---- pivots ---- */

/* What amounts outside of the graph leave to it. */
static void measure_rest(wal_pf_polish *p) {
  for (int j = 0; j < p->m; j++) {
    const int e = wal_pf_entries(p) + j;
    p->have[p->n + j] = p->b[j] - (p->place[e] == WAL_PF_FREE ? 0.0 : p->amount[e]);
  }
  for (int i = 0; i < p->n; i++) {
    double u = 0.0;
    for (int j = 0; j < p->m; j++) {
      const int e = i * p->m + j;
      const double a = p->place[e] == WAL_PF_FREE ? 0.0 : p->amount[e];
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
    for (int l = 0; l < f->spares; l++) wal_pf_remove_element(p, f->spare[l], WAL_PF_HELD);
    for (int t = 0; t < f->trees; t++) {
      const int e = f->extra[t];
      if (e < 0 || (wal_pf_forest_closes(f, e) && (p->z || wal_pf_forest_agent(f, e) < 0))) continue;
      wal_pf_remove_element(p, e, WAL_PF_HELD);
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
    const double speed = fabs(change[e]), rounding = 1e-14 * wal_pf_unit(p, e);
    const double room = change[e] < 0.0 ? p->amount[e] : wal_pf_most(p, e) - p->amount[e];
    if (!(speed > noise * wal_pf_unit(p, e)) || !(room + rounding < *step * speed)) continue;
    *step = room / speed;
    blocked = e;
  }
  if (*step == INFINITY) return -1;
  for (int l = 0; l < f->count; l++) {
    const int e = f->element[l];
    p->amount[e] = wal_pf_min(wal_pf_max(p->amount[e] + *step * change[e], 0.0), wal_pf_most(p, e));
  }
  if (blocked >= 0) wal_pf_remove_element(p, blocked, wal_pf_bound(p, blocked, change[blocked] > 0.0));
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
  return e < wal_pf_entries(p) ? p->price[e / p->m] * p->v[e] - wal_pf_z_of(p, e) - lambda : -lambda;
}

/* A resource without free elements has any price between what those who get nothing would give and what those
   who get all they want would. Returns an element whose amount has to change first, or -1. */
static int price_alone(wal_pf_polish *p, int j) {
  double low = 0.0, high = INFINITY;
  int last = -1;
  p->price[p->n + j] = 0.0;
  for (int i = 0; i < p->n; i++) {
    const int e = i * p->m + j;
    const double gain = p->place[e] == WAL_PF_OUT ? 0.0 : gain_of(p, e);
    if (p->place[e] == WAL_PF_LOW) low = fmax(low, gain);
    if (p->place[e] == WAL_PF_HIGH && gain < high) high = gain, last = e;
  }
  p->price[p->n + j] = fmax(fmin(fmax(p->scale[p->n + j], low), high), 0.0);
  const double left = p->have[p->n + j], rounding = 1e-14 * p->b[j];
  return left > rounding ? wal_pf_entries(p) + j : left < -rounding ? last : -1;
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

/* By how much the multiplier of an element that is not in the graph has the wrong sign, for a gain of its
   amount; 0: it is right. */
static double wrong_sign(unsigned char place, double gain) {
  return place == WAL_PF_LOW ? gain : place == WAL_PF_HIGH ? -gain : place == WAL_PF_HELD ? fabs(gain) : 0.0;
}

/* The element outside of the graph whose multiplier has the wrong sign most, or -1. */
static int worst_element(const wal_pf_polish *p) {
  const double *lambda = p->price + p->n;
  double worst = ROUNDING;
  int element = -1;
  for (int i = 0; i < p->n; i++) {
    for (int j = 0; j < p->m; j++) {
      const int e = i * p->m + j;
      const double z = wal_pf_z_of(p, e), worth = p->price[i] * p->v[e];
      const double size = wal_pf_max(wal_pf_max(worth, fabs(lambda[j])), fabs(z));
      const double wrong = wrong_sign(p->place[e], worth - z - lambda[j]);
      if (wrong > worst * size) worst = wrong / size, element = e;
    }
  }
  for (int j = 0; j < p->m; j++) {
    const int e = wal_pf_entries(p) + j;
    const double size = wal_pf_max(p->dearest[j], fabs(lambda[j])),
                 wrong = wrong_sign(p->place[e], -lambda[j]);
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
  const bool more = p->place[e] == WAL_PF_LOW || (p->place[e] == WAL_PF_HELD && gain > 0.0);
  double step = more ? wal_pf_most(p, e) - p->amount[e] : p->amount[e];
  if (fits(p, e)) {
    wal_pf_add_element(p, e);
    return true;
  }
  wal_pf_forest_change(&p->forest, p->w, p->price, e, p->goal);
  if (!more)
    for (int l = 0; l < p->forest.count; l++) p->goal[p->forest.element[l]] *= -1.0;
  const int blocked = advance(p, p->goal, 1e-12 / wal_pf_unit(p, e), &step);
  if (step == INFINITY) return false;
  if (blocked < 0) {
    p->place[e] = (unsigned char)wal_pf_bound(p, e, more);
  } else {
    p->amount[e] = fmin(fmax(p->amount[e] + (more ? step : -step), 0.0), wal_pf_most(p, e));
    wal_pf_add_element(p, e);
  }
  return true;
}

/* Where those who have all they want of a resource leave nothing to those whose amounts are free, there are
   no prices: whoever gains least there becomes free too. False: there is nobody. */
static bool relieve(wal_pf_polish *p) {
  double least = INFINITY;
  int element = -1;
  for (int j = 0; j < p->m; j++) {
    const int tree = p->forest.tree[p->n + j];
    if (p->forest.first[tree + 1] - p->forest.first[tree] == 1 || p->have[p->n + j] > 1e-9 * p->b[j])
      continue;
    for (int i = 0; i < p->n; i++) {
      const int e = i * p->m + j;
      const double worth = p->scale[i] * p->v[e], gain = worth - wal_pf_z_of(p, e) - p->scale[p->n + j];
      if (p->place[e] == WAL_PF_HIGH && gain < least * worth) least = gain / worth, element = e;
    }
  }
  if (element >= 0) wal_pf_add_element(p, element);
  return element >= 0;
}

/* From graph to graph until every amount and multiplier has its sign. */
static bool pivot(wal_pf_polish *p) {
  enum { PIVOTS = 60 };
  for (int s = 0; s < PIVOTS; s++) {
    explore(p);
    measure_rest(p);
    if (!wal_pf_forest_prices(&p->forest, p->w, p->have, p->price)) {
      if (!relieve(p)) return false;
      continue;
    }
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
  double *lambda = p->price + p->n;
  for (int j = 0; j < p->m; j++) lambda[j] = wal_pf_max(lambda[j], 0.0); /* below it by rounding */
  for (int i = 0; i < p->n; i++) {
    double u = 0.0;
    for (int j = 0; j < p->m; j++) u += p->v[i * p->m + j] * p->amount[i * p->m + j];
    for (int j = 0; j < p->m; j++) {
      const int e = i * p->m + j;
      const double gain = p->w[i] * (p->v[e] / u) - wal_pf_z_of(p, e) - lambda[j];
      p->mu[e] = p->place[e] == WAL_PF_LOW ? wal_pf_max(-gain, 0.0) : 0.0;
      p->nu[e] = p->place[e] == WAL_PF_HIGH ? wal_pf_max(gain, 0.0) : 0.0;
    }
  }
}

static void copy_answer(const wal_pf_polish *p, const wal_pf_solution *s) {
  const size_t nm = (size_t)wal_pf_entries(p);
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
  const int64_t nm = wal_pf_entries(p);
  p->v = in->v + k * nm, p->x = in->x + k * nm, p->b = in->b + k * p->m, p->z = z;
  p->forest.v = p->v, p->forest.z = z;
  for (int i = 0; i < p->n; i++) p->w[i] = wal_pf_takes_part(in, k, i) ? wal_pf_weight(in, k, i) : 0.0;
}

double wal_pf_polish_instance(wal_pf_polish *p, const wal_instances *in, int64_t k, const double *z,
                              const wal_pf_solution *point) {
  const wal_instances one = wal_instances_part(in, k, 1);
  const wal_pf_solution mine = {.a = p->amount, .lambda = p->price + p->n, .mu = p->mu, .nu = p->nu};
  double kkt, polished = INFINITY;
  borrow_instance(p, in, k, z);
  wal_pf_read_places(p, point);
  if (pivot(p)) {
    read_multipliers(p);
    wal_pf_kkt(&one, z, &mine, &polished);
  }
  if (!(polished <= GOOD)) wal_pf_kkt(&one, z, point, &kkt);
  if (!(polished <= GOOD) && !(polished < kkt)) return kkt;
  copy_answer(p, point);
  return polished;
}
