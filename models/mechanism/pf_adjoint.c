#include "models/mechanism/pf_adjoint.h"

#include <string.h>

void wal_pf_adjoint_pack(const wal_instances *in, const double *da, const wal_pf_look *look,
                         wal_pf_group *group, int lane) {
  const int m = in->m;
  const double *own = da + look->k * in->n * m;
  for (int p = 0; p < look->agents; p++)
    for (int q = 0; q < look->resources; q++) {
      const int j = look->resource[q], e = look->agent[p] * m + j;
      if (look->state[e] == WAL_PF_LEFT) group->dmu[p * group->m + q][lane] = own[e] * look->supply[j];
    }
}

/* The gradients of one instance, zeroed; each may be NULL. */
typedef struct {
  double *dv, *dx, *dz, *db, *dw; /* [n, m], [n, m], [n, m], [m], [n] */
} own_gradient;

static double *own(double *array, int64_t k, int64_t size) {
  if (!array) return NULL;
  memset(array + k * size, 0, (size_t)size * sizeof *array);
  return array + k * size;
}

static void put(double *array, int e, double value) {
  if (array) array[e] = value;
}

/* How much of a change of x the amount of agent i of resource j follows. An entry that is closed because x =
   0 follows if it would be wanted. */
static double following(const wal_instances *in, const double *z, const wal_pf_look *look, int i, int j,
                        const wal_pf_solution *point) {
  const int e = i * in->m + j;
  const int64_t g = look->k * in->n * in->m + e;
  const double x = in->x[g], worth = wal_pf_weight(in, look->k, i) * in->v[g], u = point->u[i];
  if (look->state[e] == WAL_PF_WHOLE) return 1;
  if (look->state[e] == WAL_PF_LEFT)
    return wal_pf_share_high(point->a[e], x - point->a[e], point->mu[e], point->nu[e]);
  return wal_pf_would_follow(x, in->b[look->k * in->m + j], worth, u, z ? z[g] : 0, point->lambda[j]);
}

/* What all entries of agent i have, through its utility alone: `pull` is (y_i / u_i) v_i . q_i. */
static void through_utility(const wal_instances *in, const double *z, const double *da,
                            const wal_pf_look *look, int i, double pull, const wal_pf_solution *point,
                            const own_gradient *out) {
  const int m = in->m;
  for (int j = 0; j < m; j++) {
    const int e = i * m + j;
    const int64_t g = look->k * in->n * m + e;
    const double follows = following(in, z, look, i, j, point);
    put(out->dv, e, -pull * point->a[e]);
    if (follows > 0) put(out->dx, e, follows * (da[g] - pull * in->v[g] - out->db[j]));
  }
}

/* What entries that were left to decide have besides; agent number p of the group. */
static void through_amounts(const wal_instances *in, const wal_pf_look *look, const wal_pf_group *group,
                            int lane, int p, const own_gradient *out) {
  const int i = look->agent[p];
  for (int q = 0; q < look->resources; q++) {
    const int j = look->resource[q], e = i * in->m + j;
    if (look->state[e] != WAL_PF_LEFT) continue;
    const double unit = look->supply[j], step = group->step[p * group->m + q][lane];
    put(out->dz, e, -step * unit / look->weight);
    if (out->dv) out->dv[e] += group->y[p][lane] * step * (unit / look->scale[i]);
  }
}

void wal_pf_adjoint_unpack(const wal_instances *in, const double *z, const double *da,
                           const wal_pf_look *look, const wal_pf_group *group, int lane,
                           const wal_pf_solution *point, const wal_pf_gradient *gradient) {
  const int n = in->n, m = in->m;
  const int64_t k = look->k, nm = (int64_t)n * m;
  const own_gradient out = {.dv = own(gradient->dv, k, nm),
                            .dx = own(gradient->dx, k, nm),
                            .dz = own(gradient->dz, k, nm),
                            .db = own(gradient->db, k, m),
                            .dw = own(gradient->dw, k, n)};
  for (int q = 0; group && q < look->resources; q++) {
    const int j = look->resource[q];
    if (look->demand[j] > in->b[k * m + j]) out.db[j] = group->dlambda[q][lane] / look->supply[j];
  }
  for (int i = 0, p = 0; i < n; i++) {
    const bool left = group && p < look->agents && look->agent[p] == i;
    const double slope = left ? group->du[p][lane] / group->u[p][lane] : 0;
    const double pull = left ? group->y[p][lane] * slope / look->scale[i] : 0;
    through_utility(in, z, da, look, i, pull, point, &out);
    if (left) put(out.dw, i, slope / look->weight);
    if (left) through_amounts(in, look, group, lane, p++, &out);
  }
}
