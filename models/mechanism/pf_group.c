#include <stdlib.h>
#include <string.h>

#include "models/mechanism/pf_interior.h"

enum { PER_ENTRY = 13, PER_AGENT = 10, PER_RESOURCE = 6 };

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
  wal_vec64 **const per_entry[PER_ENTRY] = {&p->v,  &p->z,  &p->a,     &p->t,    &p->mu,  &p->nu, &p->d,
                                            &p->ia, &p->it, &p->first, &p->step, &p->dmu, &p->dnu};
  wal_vec64 **const per_agent[PER_AGENT] = {&p->u0, &p->w, &p->u,  &p->y,  &p->iu,
                                            &p->iy, &p->k, &p->du, &p->dy, &p->cross};
  wal_vec64 **const per_resource[PER_RESOURCE] = {&p->s,       &p->lambda, &p->omega,
                                                  &p->dlambda, &p->used,   &p->row};
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

/* ---- the start ---- */

static wal_vec64 wanted(const wal_pf_group *p, int e, wal_vec64 value) {
  return wal_vec64_select(p->mu[e] > 0, value, (wal_vec64){0});
}

/* 1/price of resource j if nobody wanted another one: sum_i min(x_ij, w_i theta) = budget, or near it. Newton
   from the left on a concave function. */
static wal_vec64 water_level(const wal_pf_group *p, int j) {
  wal_vec64 theta = {0};
  for (int round = 0; round < WAL_PF_WATER_ROUNDS; round++) {
    wal_vec64 used = {0}, slope = {0};
    for (int i = 0; i < p->n; i++) {
      const int e = i * p->m + j;
      const wal_vec64 share = p->w[i] * theta;
      used += wanted(p, e, wal_vec64_min(share, p->t[e]));
      slope += wanted(p, e, wal_vec64_select(share < p->t[e], p->w[i], (wal_vec64){0}));
    }
    theta += wal_vec64_over(wal_vec64_max(p->s[j] - used, (wal_vec64){0}), slope);
  }
  return theta;
}

/* A part of what each agent wants and could pay for with all of its weight; the price is `spent` of that
   where all weight is. */
static void start_resource(wal_pf_group *p, int j, wal_vec64 spent) {
  const wal_vec64 theta = water_level(p, j);
  wal_vec64 used = {0};
  for (int i = 0; i < p->n; i++) {
    const int e = i * p->m + j;
    p->a[e] = wanted(p, e, wal_pf_start_amount(theta, p->z[e], p->w[i], p->t[e]));
    p->t[e] -= p->a[e];
    used += p->a[e];
  }
  p->s[j] -= used;
  p->lambda[j] = wal_vec64_select(p->s[j] > 0, wal_vec64_over(spent, theta), (wal_vec64){0});
}

/* y_i as near w_i / u_i as the multipliers of demands can follow without products far above w_i. */
static void start_agent(wal_pf_group *p, int i) {
  const wal_vec64 w = p->w[i];
  wal_vec64 u = p->u0[i];
  for (int e = i * p->m; e < (i + 1) * p->m; e++) u = wal_vec64_fma(p->v[e], p->a[e], u);
  wal_vec64 y = w / u;
  for (int j = 0; j < p->m; j++) {
    const int e = i * p->m + j;
    y = wal_pf_start_dual(y, p->v[e], p->z[e], p->t[e], w, p->lambda[j]);
  }
  for (int j = 0; j < p->m; j++) {
    const int e = i * p->m + j;
    wal_vec64 mu, nu;
    wal_pf_start_multipliers(p->lambda[j] + p->z[e] - y * p->v[e], p->a[e], p->t[e], w, &mu, &nu);
    p->nu[e] = wanted(p, e, nu);
    p->mu[e] = wanted(p, e, mu);
  }
  p->u[i] = u;
  p->y[i] = y;
}

void wal_pf_group_start(wal_pf_group *p) {
  wal_vec64 resources = {0};
  for (int j = 0; j < p->m; j++) resources -= __builtin_convertvector(p->s[j] > 0, wal_vec64);
  const wal_vec64 spent = wal_pf_spent(resources);
  for (int j = 0; j < p->m; j++) start_resource(p, j, spent);
  p->weight = (wal_vec64){0};
  for (int j = 0; j < p->m; j++) p->weight += p->omega[j];
  for (int i = 0; i < p->n; i++) {
    start_agent(p, i);
    for (int e = i * p->m; e < (i + 1) * p->m; e++) p->weight += wanted(p, e, p->w[i] + p->w[i]);
  }
}
