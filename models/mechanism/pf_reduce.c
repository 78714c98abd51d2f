#include "models/mechanism/pf_reduce.h"

#include <stdlib.h>
#include <string.h>

wal_status wal_pf_look_create(int n, int m, wal_pf_look *look) {
  const size_t agents = (size_t)n, resources = (size_t)m;
  *look = (wal_pf_look){0};
  look->whole = malloc((2 * agents + 3 * resources) * sizeof(double));
  look->agent = malloc((agents + resources) * sizeof(int));
  look->state = malloc(agents * resources);
  if (!look->whole || !look->agent || !look->state) {
    wal_pf_look_destroy(look);
    return wal_fail(WAL_E_MEMORY, "no memory to allocate %d resources to %d agents", m, n);
  }
  look->scale = look->whole + agents;
  look->demand = look->scale + agents;
  look->supply = look->demand + resources;
  look->budget = look->supply + resources;
  look->resource = look->agent + agents;
  return WAL_OK;
}

void wal_pf_look_destroy(wal_pf_look *look) {
  free(look->whole);
  free(look->agent);
  free(look->state);
  *look = (wal_pf_look){0};
}

/* Open entries (state 1) and what they sum to by agent and resource. No branch on what an entry holds: half
   of the demands of a random instance are 0, and no processor guesses which. */
static void find_open(const wal_instances *in, const double *z, int64_t k, wal_pf_look *look) {
  const int n = in->n, m = in->m;
  const double *b = in->b + k * m;
  memset(look->demand, 0, (size_t)m * sizeof *look->demand);
  for (int i = 0; i < n; i++) {
    const double *v = in->v + (k * n + i) * m, *x = in->x + (k * n + i) * m;
    unsigned char *state = look->state + i * m;
    int takes_part = 0;
    for (int j = 0; j < m; j++) takes_part |= (v[j] > 0) & (x[j] > 0) & (b[j] > 0);
    takes_part &= wal_pf_weight(in, k, i) > 0;
    double whole = 0;
    for (int j = 0; j < m; j++) {
      const int wanted = z ? (v[j] > 0) | (z[(k * n + i) * m + j] < 0) : v[j] > 0;
      const int open = takes_part & (x[j] > 0) & (b[j] > 0) & wanted;
      state[j] = (unsigned char)open;
      whole += open ? v[j] * (x[j] < b[j] ? x[j] : b[j]) : 0.0; /* 1e150 beside 1 would be lost */
      look->demand[j] += open ? x[j] : 0.0;
    }
    look->whole[i] = whole;
  }
}

/* Open entries of resources that do not suffice are left, and of agents that do not want all of one that
   does. Returns whether there are any. */
static bool find_left(const wal_instances *in, const double *z, int64_t k, wal_pf_look *look) {
  const int n = in->n, m = in->m;
  const double *b = in->b + k * m;
  bool contested = false;
  for (int j = 0; j < m; j++) contested |= look->demand[j] > b[j];
  if (!contested && !z) return false;
  unsigned char any = 0;
  for (int i = 0; i < n; i++) {
    const double *v = in->v + (k * n + i) * m, *own_z = z ? z + (k * n + i) * m : NULL;
    const double w = wal_pf_weight(in, k, i);
    unsigned char *state = look->state + i * m;
    for (int j = 0; j < m; j++) {
      const bool spared = own_z && own_z[j] > w * (v[j] / look->whole[i]);
      state[j] = (unsigned char)(state[j] << ((look->demand[j] > b[j]) | spared));
      any |= state[j];
    }
  }
  return any & WAL_PF_LEFT;
}

/* Which agents and resources have an entry that is left, and their units. */
static void list_left(const wal_instances *in, int64_t k, wal_pf_look *look) {
  const int n = in->n, m = in->m;
  double weight = 0;
  for (int i = 0; i < n; i++) {
    if (!memchr(look->state + i * m, WAL_PF_LEFT, (size_t)m)) continue;
    look->agent[look->agents++] = i;
    look->scale[i] = wal_pf_power_below(look->whole[i]);
    const double w = wal_pf_weight(in, k, i);
    weight = w > weight ? w : weight;
  }
  look->weight = wal_pf_power_below(weight);
  for (int j = 0; j < m; j++) {
    bool left = false;
    for (int i = 0; i < n && !left; i++) left = look->state[i * m + j] == WAL_PF_LEFT;
    if (!left) continue;
    const double b = in->b[k * m + j];
    look->resource[look->resources++] = j;
    look->budget[j] = look->demand[j] <= b ? 2 * look->demand[j] : b; /* suffices: far from binding */
    look->supply[j] = wal_pf_power_below(look->budget[j]);
  }
}

void wal_pf_look_at(const wal_instances *in, const double *z, int64_t k, wal_pf_look *look) {
  look->k = k;
  look->agents = look->resources = 0;
  find_open(in, z, k, look);
  if (find_left(in, z, k, look)) list_left(in, k, look);
}

/* Agent `i`, the group's number `p`. Returns the utility of what is decided. */
static void pack_agent(const wal_instances *in, const double *z, const wal_pf_look *look, wal_pf_group *group,
                       int lane, int p) {
  const int i = look->agent[p], m = in->m;
  const int64_t row = (look->k * in->n + i) * m;
  const double w = wal_pf_weight(in, look->k, i) / look->weight;
  double decided = 0;
  for (int j = 0; j < m; j++)
    if (look->state[i * m + j] == WAL_PF_WHOLE) decided += in->v[row + j] * in->x[row + j];
  group->u0[p][lane] = decided / look->scale[i];
  group->w[p][lane] = w;
  for (int q = 0; q < look->resources; q++) {
    const int j = look->resource[q], e = p * group->m + q;
    if (look->state[i * m + j] != WAL_PF_LEFT) continue;
    const double unit = look->supply[j];
    group->v[e][lane] = in->v[row + j] / look->scale[i] * unit;
    group->z[e][lane] = z ? z[row + j] * unit / look->weight : 0;
    group->t[e][lane] = wal_pf_pack_demand(in->x[row + j], in->b[look->k * m + j]) / unit;
    group->mu[e][lane] = 1;
    group->omega[q][lane] =
        !(group->omega[q][lane] > 0) || w < group->omega[q][lane] ? w : group->omega[q][lane];
  }
}

void wal_pf_look_pack(const wal_instances *in, const double *z, const wal_pf_look *look, wal_pf_group *group,
                      int lane) {
  for (int q = 0; q < look->resources; q++) {
    const int j = look->resource[q];
    group->s[q][lane] = look->budget[j] / look->supply[j];
  }
  for (int p = 0; p < look->agents; p++) pack_agent(in, z, look, group, lane, p);
}

void wal_pf_look_unpack(const wal_instances *in, const wal_pf_look *look, const wal_pf_group *group, int lane,
                        double *a, double *lambda) {
  const int n = in->n, m = in->m;
  const double *x = in->x + look->k * n * m;
  for (int e = 0; e < n * m; e++) a[e] = look->state[e] == WAL_PF_WHOLE ? x[e] : 0.0;
  memset(lambda, 0, (size_t)m * sizeof *lambda);
  if (!group) return;
  for (int q = 0; q < look->resources; q++) {
    const int j = look->resource[q];
    const double unit = look->supply[j];
    if (look->demand[j] > in->b[look->k * m + j]) lambda[j] = group->lambda[q][lane] * look->weight / unit;
    for (int p = 0; p < look->agents; p++) {
      const int e = look->agent[p] * m + j, f = p * group->m + q;
      if (look->state[e] != WAL_PF_LEFT) continue;
      const double lower = group->a[f][lane] * unit, upper = group->t[f][lane] * unit;
      a[e] = wal_pf_unpack_amount(x[e], lower, upper);
    }
  }
}

/* Entry f of the group, of agent p: a free amount, or none. */
static void repack_entry(wal_pf_group *group, int lane, int p, int f, bool is_free) {
  const double v = group->v[f][lane], x = group->a[f][lane] + group->t[f][lane];
  const double soft = wal_pf_softness(v, x, group->w[p][lane], group->u[p][lane], group->y[p][lane]);
  group->a[f][lane] = is_free ? 1 : 0;
  group->t[f][lane] = 1;
  group->mu[f][lane] = group->nu[f][lane] = is_free ? 0.5 * soft : 0;
}

void wal_pf_look_repack(const wal_instances *in, const wal_pf_look *look, const wal_pf_solution *point,
                        wal_pf_group *group, int lane) {
  const int n = in->n, m = in->m;
  const double *x = in->x + look->k * n * m;
  for (int q = 0; q < look->resources; q++) {
    const int j = look->resource[q];
    double left = in->b[look->k * m + j];
    for (int i = 0; i < n; i++) left -= point->a[i * m + j];
    const bool tight = point->lambda[j] > 0 || left <= 1e-14 * look->budget[j];
    group->lambda[q][lane] = tight ? 1 : 0;
    group->s[q][lane] = tight ? 0 : 1;
  }
  for (int p = 0; p < look->agents; p++) {
    const int i = look->agent[p];
    group->u[p][lane] = point->u[i] / look->scale[i];
    group->y[p][lane] = group->w[p][lane] / group->u[p][lane];
    for (int q = 0; q < look->resources; q++) {
      const int e = i * m + look->resource[q];
      if (look->state[e] == WAL_PF_LEFT)
        repack_entry(group, lane, p, p * group->m + q, point->a[e] > 0 && point->a[e] < x[e]);
    }
  }
}
