#include "models/mechanism/pf_interior.h"

#include <stdlib.h>
#include <string.h>

#define TINY 1e-290 /* below every divisor that means something */

enum { WATER_ROUNDS = 6 };

enum { PER_ENTRY = 12, PER_AGENT = 8, PER_RESOURCE = 7 };

static size_t vectors(int n, int m) {
  const size_t entries = (size_t)n * (size_t)m, triangle = (size_t)m * ((size_t)m + 1) / 2;
  return PER_ENTRY * entries + PER_AGENT * (size_t)n + PER_RESOURCE * (size_t)m + triangle;
}

wal_status wal_pf_group_create(int n, int m, wal_pf_group *group) {
  const size_t bytes = vectors(n, m) * sizeof(wal_vec64);
  *group = (wal_pf_group){.memory = aligned_alloc(sizeof(wal_vec64), bytes)};
  if (!group->memory)
    return wal_fail(WAL_E_MEMORY, "no memory for %zu bytes to allocate %d resources to %d agents", bytes, m,
                    n);
  return WAL_OK;
}

void wal_pf_group_destroy(wal_pf_group *group) {
  free(group->memory);
  *group = (wal_pf_group){0};
}

void wal_pf_group_clear(wal_pf_group *p, int n, int m) {
  wal_vec64 **const per_entry[PER_ENTRY] = {&p->v, &p->z, &p->a,    &p->t,     &p->mu,  &p->nu,
                                            &p->d, &p->g, &p->step, &p->first, &p->dmu, &p->dnu};
  wal_vec64 **const per_agent[PER_AGENT] = {&p->u0, &p->w, &p->u, &p->y, &p->k, &p->du, &p->dy, &p->cross};
  wal_vec64 **const per_resource[PER_RESOURCE] = {&p->s,       &p->lambda, &p->omega,  &p->r,
                                                  &p->dlambda, &p->used,   &p->cross_s};
  const int entries = n * m;
  wal_vec64 *next = p->memory;
  memset(next, 0, vectors(n, m) * sizeof *next);
  for (int k = 0; k < PER_ENTRY; k++, next += entries) *per_entry[k] = next;
  for (int k = 0; k < PER_AGENT; k++, next += n) *per_agent[k] = next;
  for (int k = 0; k < PER_RESOURCE; k++, next += m) *per_resource[k] = next;
  p->chol = next;
  p->n = n;
  p->m = m;
  p->running = (wal_mask64){0};
  for (int e = 0; e < entries; e++) p->t[e] = wal_vec64_set(1);
  for (int i = 0; i < n; i++) p->u0[i] = wal_vec64_set(1);
}

static wal_vec64 over(wal_vec64 a, wal_vec64 b) { return a / wal_vec64_max(b, wal_vec64_set(TINY)); }

/* ---- the start ---- */

static wal_vec64 wanted(const wal_pf_group *p, int e, wal_vec64 value) {
  return wal_vec64_select(p->mu[e] > 0, value, (wal_vec64){0});
}

/* 1/price of resource j if nobody wanted another one: sum_i min(x_ij, w_i theta) = budget, or near it. Newton
   from the left on a concave function. */
static wal_vec64 water_level(const wal_pf_group *p, int j) {
  wal_vec64 theta = {0};
  for (int round = 0; round < WATER_ROUNDS; round++) {
    wal_vec64 used = {0}, slope = {0};
    for (int i = 0; i < p->n; i++) {
      const int e = i * p->m + j;
      const wal_vec64 share = p->w[i] * theta;
      used += wanted(p, e, wal_vec64_min(share, p->t[e]));
      slope += wanted(p, e, wal_vec64_select(share < p->t[e], p->w[i], (wal_vec64){0}));
    }
    theta += over(wal_vec64_max(p->s[j] - used, (wal_vec64){0}), slope);
  }
  return theta;
}

/* A part of what each agent wants and could pay for with all of its weight; the price is `spent` of that
   where all weight is. */
static void start_resource(wal_pf_group *p, int j, wal_vec64 spent) {
  const wal_vec64 theta = water_level(p, j), part = wal_vec64_set(0.8);
  wal_vec64 used = {0};
  for (int i = 0; i < p->n; i++) {
    const int e = i * p->m + j;
    const wal_vec64 price = wal_vec64_max(over(wal_vec64_set(1), theta), p->z[e]);
    p->a[e] = wanted(p, e, part * wal_vec64_min(p->t[e], over(p->w[i], price)));
    p->t[e] -= p->a[e];
    used += p->a[e];
  }
  p->s[j] -= used;
  p->lambda[j] = wal_vec64_select(p->s[j] > 0, over(spent, theta), (wal_vec64){0});
}

/* y_i as near w_i / u_i as the multipliers of demands can follow without products far above w_i. */
static void start_agent(wal_pf_group *p, int i) {
  const wal_vec64 zero = {0}, w = p->w[i];
  wal_vec64 u = p->u0[i];
  for (int e = i * p->m; e < (i + 1) * p->m; e++) u = wal_vec64_fma(p->v[e], p->a[e], u);
  wal_vec64 y = w / u;
  for (int j = 0; j < p->m; j++) {
    const int e = i * p->m + j;
    const wal_vec64 cost = wal_vec64_max(p->lambda[j] + p->z[e], zero);
    const wal_vec64 most = wal_vec64_set(0.5) * cost + wal_vec64_set(0.3) * w / p->t[e];
    y = wal_vec64_select(y * p->v[e] > most, over(most, p->v[e]), y);
  }
  for (int j = 0; j < p->m; j++) {
    const int e = i * p->m + j;
    const wal_vec64 excess = p->lambda[j] + p->z[e] - y * p->v[e];
    const wal_vec64 centre = wal_vec64_set(0.25) * w / (p->a[e] + p->t[e]);
    p->nu[e] = wanted(p, e, wal_vec64_max(-excess, zero) + centre);
    p->mu[e] = wanted(p, e, wal_vec64_max(excess, zero) + centre);
  }
  p->u[i] = u;
  p->y[i] = y;
}

void wal_pf_group_start(wal_pf_group *p) {
  wal_vec64 resources = {0};
  for (int j = 0; j < p->m; j++) resources -= __builtin_convertvector(p->s[j] > 0, wal_vec64);
  const wal_vec64 spent = wal_vec64_min(over(wal_vec64_set(2), resources), wal_vec64_set(0.7));
  for (int j = 0; j < p->m; j++) start_resource(p, j, spent);
  for (int i = 0; i < p->n; i++) start_agent(p, i);
}

/* ---- the matrix ---- */

/* Row sums, less each agent's rank one, into the lower triangle `chol`. */
static void accumulate(wal_pf_group *p) {
  const int n = p->n, m = p->m;
  const wal_vec64 tiny = wal_vec64_set(TINY);
  memset(p->chol, 0, (size_t)m * ((size_t)m + 1) / 2 * sizeof *p->chol);
  for (int j = 0; j < m; j++) p->chol[j * (j + 1) / 2 + j] = over(p->s[j], p->lambda[j]);
  for (int i = 0; i < n; i++) {
    wal_vec64 *d = p->d + i * m, *others = p->first + i * m, vdv = {0};
    const wal_vec64 *v = p->v + i * m;
    for (int j = 0; j < m; j++) {
      const int e = i * m + j;
      d[j] = p->a[e] * p->t[e] / wal_vec64_max(p->mu[e] * p->t[e] + p->nu[e] * p->a[e], tiny);
      others[j] = vdv;
      vdv = wal_vec64_fma(d[j] * v[j], v[j], vdv);
    }
    p->k[i] = p->y[i] / wal_vec64_fma(p->y[i], vdv, p->u[i]);
    wal_vec64 after = over(p->u[i], p->y[i]);
    for (int j = m - 1; j >= 0; j--) {
      others[j] += after;
      after = wal_vec64_fma(d[j] * v[j], v[j], after);
    }
    wal_vec64 *row = p->chol;
    for (int j = 0; j < m; row += ++j) {
      const wal_vec64 scaled = p->k[i] * d[j];
      for (int l = 0; l < j; l++) row[l] = wal_vec64_fma(-scaled * v[j], d[l] * v[l], row[l]);
      row[j] = wal_vec64_fma(scaled, others[j], row[j]);
    }
  }
}

/* L D L' in place. */
static void decompose(int m, wal_vec64 *chol) {
  wal_vec64 *row = chol;
  for (int j = 0; j < m; row += ++j) {
    const wal_vec64 floor = wal_vec64_max(row[j] * wal_vec64_set(1e-16), wal_vec64_set(TINY));
    wal_vec64 pivot = row[j], *other = chol;
    for (int l = 0; l < j; other += ++l) { /* row[l] holds L_jl D_l until its turn */
      wal_vec64 sum = row[l];
      for (int q = 0; q < l; q++) sum = wal_vec64_fma(-row[q], other[q], sum);
      row[l] = sum;
    }
    other = chol;
    for (int l = 0; l < j; other += ++l) {
      const wal_vec64 scaled = row[l] * other[l];
      pivot = wal_vec64_fma(-scaled, row[l], pivot);
      row[l] = scaled;
    }
    row[j] = wal_vec64_set(1) / wal_vec64_max(pivot, floor);
  }
}

void wal_pf_group_factor(wal_pf_group *p) {
  accumulate(p);
  decompose(p->m, p->chol);
}

static void substitute(int m, const wal_vec64 *chol, wal_vec64 *x) {
  const wal_vec64 *row = chol;
  for (int j = 0; j < m; row += ++j)
    for (int l = 0; l < j; l++) x[j] = wal_vec64_fma(-row[l], x[l], x[j]);
  for (int j = m - 1; j >= 0; j--) {
    row = chol + j * (j + 1) / 2;
    x[j] *= row[j];
    for (int q = j + 1; q < m; q++) x[j] = wal_vec64_fma(-chol[q * (q + 1) / 2 + j], x[q], x[j]);
  }
}

void wal_pf_group_direction(wal_pf_group *p, wal_vec64 *step) {
  const int n = p->n, m = p->m;
  for (int j = 0; j < m; j++) p->dlambda[j] = p->r[j];
  for (int i = 0; i < n; i++) {
    const wal_vec64 *d = p->d + i * m, *v = p->v + i * m, *g = p->g + i * m;
    wal_vec64 beta = {0};
    for (int j = 0; j < m; j++) beta = wal_vec64_fma(d[j] * v[j], g[j], beta);
    beta *= p->k[i];
    for (int j = 0; j < m; j++)
      p->dlambda[j] = wal_vec64_fma(d[j], wal_vec64_fma(-v[j], beta, g[j]), p->dlambda[j]);
  }
  substitute(m, p->chol, p->dlambda);
  for (int j = 0; j < m; j++) p->used[j] = (wal_vec64){0};
  for (int i = 0; i < n; i++) {
    const wal_vec64 *d = p->d + i * m, *v = p->v + i * m, *g = p->g + i * m;
    wal_vec64 beta = {0}, du = {0};
    for (int j = 0; j < m; j++) beta = wal_vec64_fma(d[j] * v[j], g[j] - p->dlambda[j], beta);
    beta *= p->k[i];
    for (int j = 0; j < m; j++) {
      const wal_vec64 da = d[j] * wal_vec64_fma(-v[j], beta, g[j] - p->dlambda[j]);
      step[i * m + j] = da;
      p->used[j] += da;
      du = wal_vec64_fma(v[j], da, du);
    }
    p->du[i] = du;
  }
}

/* ---- steps ---- */

/* The mean product over its weight, and into `running` the lanes where one is above tol times its weight. */
static wal_vec64 measure(wal_pf_group *p, double tol, wal_mask64 *running) {
  const int n = p->n, m = p->m;
  const wal_vec64 limit = wal_vec64_set(tol);
  wal_vec64 gap = {0}, weight = {0};
  *running = (wal_mask64){0};
  for (int j = 0; j < m; j++) {
    const wal_vec64 product = p->s[j] * p->lambda[j];
    gap += product;
    weight += p->omega[j];
    *running |= product > limit * p->omega[j];
  }
  for (int i = 0; i < n; i++) {
    const wal_vec64 w = p->w[i], bound = limit * w, residual = wal_vec64_fma(p->u[i], p->y[i], -w);
    *running |= (residual > bound) | (residual < -bound);
    for (int e = i * m; e < (i + 1) * m; e++) {
      const wal_vec64 lower = p->a[e] * p->mu[e], upper = p->t[e] * p->nu[e];
      gap += lower + upper;
      weight += wal_vec64_select(p->a[e] > 0, w + w, (wal_vec64){0});
      *running |= (lower > bound) | (upper > bound);
    }
  }
  return over(gap, weight);
}

/* Right side of the predictor: the gradient of the agents' objectives less prices. */
static void predictor(wal_pf_group *p) {
  const int n = p->n, m = p->m;
  for (int j = 0; j < m; j++) p->r[j] = -p->s[j];
  for (int i = 0; i < n; i++) {
    const wal_vec64 ratio = p->w[i] / p->u[i];
    for (int j = 0; j < m; j++) {
      const int e = i * m + j;
      p->g[e] = wal_vec64_fma(ratio, p->v[e], -p->z[e] - p->lambda[j]);
    }
  }
}

typedef struct {
  wal_vec64 primal, dual; /* largest relative decreases of a variable; then step lengths */
} reach;

static wal_vec64 length(wal_vec64 fraction, wal_vec64 decrease) {
  const wal_vec64 one = wal_vec64_set(1);
  return wal_vec64_min(one, fraction / wal_vec64_max(decrease, wal_vec64_set(TINY)));
}

/* Budgets and agents: dlambda and du are known, dy and the change of s follow. */
static reach reach_of_sums(wal_pf_group *p) {
  reach out = {{0}, {0}};
  for (int j = 0; j < p->m; j++) {
    out.primal = wal_vec64_max(over(p->used[j], p->s[j]), out.primal);
    out.dual = wal_vec64_max(over(-p->dlambda[j], p->lambda[j]), out.dual);
  }
  for (int i = 0; i < p->n; i++) {
    const wal_vec64 residual = p->w[i] - p->u[i] * p->y[i] - p->cross[i];
    p->dy[i] = (residual - p->y[i] * p->du[i]) / p->u[i];
    out.dual = wal_vec64_max(over(-p->dy[i], p->y[i]), out.dual);
    out.primal = wal_vec64_max(-p->du[i] / p->u[i], out.primal);
  }
  return out;
}

/* How far the predictor goes, and the mean product there. */
static wal_vec64 predicted_gap(const wal_pf_group *p, reach step) {
  const int n = p->n, m = p->m;
  const wal_vec64 zero = {0};
  wal_vec64 gap = zero, weight = zero;
  for (int j = 0; j < m; j++) {
    gap += (p->s[j] - step.primal * p->used[j]) * wal_vec64_fma(step.dual, p->dlambda[j], p->lambda[j]);
    weight += p->omega[j];
  }
  for (int e = 0; e < n * m; e++) {
    const wal_vec64 da = step.primal * p->first[e];
    gap += (p->a[e] + da) * wal_vec64_fma(step.dual, p->dmu[e], p->mu[e]);
    gap += (p->t[e] - da) * wal_vec64_fma(step.dual, p->dnu[e], p->nu[e]);
    weight += wal_vec64_select(p->a[e] > 0, p->w[e / m] + p->w[e / m], zero);
  }
  return over(gap, weight);
}

/* dmu and dnu of the predictor, and its step lengths. */
static reach predict(wal_pf_group *p) {
  for (int i = 0; i < p->n; i++) p->cross[i] = (wal_vec64){0};
  reach most = reach_of_sums(p);
  for (int e = 0; e < p->n * p->m; e++) {
    const wal_vec64 lower = over(p->first[e], p->a[e]), upper = p->first[e] / p->t[e], one = wal_vec64_set(1);
    const wal_mask64 there = p->a[e] > 0;
    most.primal = wal_vec64_max(wal_vec64_max(-lower, upper), most.primal);
    most.dual = wal_vec64_max(wal_vec64_select(there, one + wal_vec64_max(lower, -upper), -one), most.dual);
    p->dmu[e] = -p->mu[e] - p->mu[e] * lower;
    p->dnu[e] = -p->nu[e] + p->nu[e] * upper;
  }
  return (reach){length(wal_vec64_set(1), most.primal), length(wal_vec64_set(1), most.dual)};
}

/* Right side of the corrector, for products `target` times their weights; `trust` in what the predictor's
   direction says about curvature. */
static void corrector(wal_pf_group *p, wal_vec64 target, wal_vec64 trust) {
  const int n = p->n, m = p->m;
  for (int j = 0; j < m; j++) {
    p->cross_s[j] = target * p->omega[j] + trust * p->used[j] * p->dlambda[j];
    p->r[j] += over(p->cross_s[j], p->lambda[j]);
  }
  for (int i = 0; i < n; i++) {
    p->cross[i] = trust * p->du[i] * p->dy[i];
    const wal_vec64 curved = p->cross[i] / p->u[i], centre = target * p->w[i];
    for (int e = i * m; e < (i + 1) * m; e++) {
      const wal_mask64 there = p->a[e] > 0;
      const wal_vec64 c = wal_vec64_select(there, centre, (wal_vec64){0}), da = trust * p->first[e];
      p->dmu[e] = c - da * p->dmu[e]; /* what the products are to reach */
      p->dnu[e] = c + da * p->dnu[e];
      p->g[e] += over(p->dmu[e], p->a[e]) - p->dnu[e] / p->t[e] - p->v[e] * curved;
    }
  }
}

/* dmu and dnu of the whole direction, and its step lengths. */
static reach correct(wal_pf_group *p) {
  reach most = reach_of_sums(p);
  for (int e = 0; e < p->n * p->m; e++) {
    const wal_vec64 da = p->step[e];
    const wal_vec64 lower = over(wal_vec64_set(1), p->a[e]), upper = wal_vec64_set(1) / p->t[e];
    p->dmu[e] = (p->dmu[e] - p->mu[e] * da) * lower - p->mu[e];
    p->dnu[e] = wal_vec64_fma(p->nu[e], da, p->dnu[e]) * upper - p->nu[e];
    most.primal = wal_vec64_max(wal_vec64_max(-da * lower, da * upper), most.primal);
    most.dual = wal_vec64_max(over(-p->dmu[e], p->mu[e]), most.dual);
    most.dual = wal_vec64_max(over(-p->dnu[e], p->nu[e]), most.dual);
  }
  return most;
}

static void advance(wal_pf_group *p, reach step) {
  for (int j = 0; j < p->m; j++) {
    p->s[j] = wal_vec64_fma(-step.primal, p->used[j], p->s[j]);
    p->lambda[j] = wal_vec64_fma(step.dual, p->dlambda[j], p->lambda[j]);
  }
  for (int i = 0; i < p->n; i++) {
    p->u[i] = wal_vec64_fma(step.primal, p->du[i], p->u[i]);
    p->y[i] = wal_vec64_fma(step.dual, p->dy[i], p->y[i]);
  }
  for (int e = 0; e < p->n * p->m; e++) {
    p->a[e] = wal_vec64_fma(step.primal, p->step[e], p->a[e]);
    p->t[e] = wal_vec64_fma(-step.primal, p->step[e], p->t[e]);
    p->mu[e] = wal_vec64_fma(step.dual, p->dmu[e], p->mu[e]);
    p->nu[e] = wal_vec64_fma(step.dual, p->dnu[e], p->nu[e]);
  }
}

/* One step of the lanes that still run, from the mean product `gap`. */
static void take_step(wal_pf_group *p, wal_vec64 gap, double tol) {
  wal_pf_group_factor(p);
  predictor(p);
  wal_pf_group_direction(p, p->first);
  const reach affine = predict(p);
  const wal_vec64 left = predicted_gap(p, affine) / gap;
  const wal_vec64 aim =
      wal_vec64_max(left * left * left * gap, wal_vec64_set(0.1 * tol)); /* not beyond tol */
  const wal_vec64 reached = affine.primal * affine.dual;
  corrector(p, aim, wal_vec64_select(reached < wal_vec64_set(0.1), reached, wal_vec64_set(1)));
  wal_pf_group_direction(p, p->step);
  const reach most = correct(p);
  const wal_vec64 fraction = wal_vec64_max(wal_vec64_set(0.9999) - gap, wal_vec64_set(0.99));
  const wal_vec64 zero = {0};
  advance(p, (reach){wal_vec64_select(p->running, length(fraction, most.primal), zero),
                     wal_vec64_select(p->running, length(fraction, most.dual), zero)});
}

void wal_pf_group_solve(wal_pf_group *p, double tol, int max_steps) {
  for (int lane = 0; lane < WAL_LANES64; lane++) p->steps[lane] = 0;
  for (int step = 0;; step++) {
    const wal_vec64 gap = measure(p, tol, &p->running);
    if (!wal_mask64_any(p->running) || step == max_steps) return;
    for (int lane = 0; lane < WAL_LANES64; lane++) p->steps[lane] += p->running[lane] != 0;
    take_step(p, gap, tol);
  }
}
