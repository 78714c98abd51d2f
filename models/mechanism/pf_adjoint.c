#include "models/mechanism/pf_adjoint.h"

#include <string.h>

#include "models/mechanism/pf_open.h"

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

/* Entries that are at x whatever happens, or at x = 0 and would like more: the agent's utility moves with x,
   and so does the budget that is left to the others. `pull` is (y_i / u_i) v_i . q_i. */
static void at_demand(const wal_instances *in, const double *z, const double *da, const wal_pf_look *look,
                      int i, double pull, const double *lambda, double u, const double *db,
                      const own_gradient *out) {
  const int m = in->m;
  const int64_t row = (look->k * in->n + i) * m;
  const double w = wal_pf_weight(in, look->k, i);
  for (int j = 0; j < m; j++) {
    const int e = i * m + j;
    const double v = in->v[row + j], x = in->x[row + j];
    const bool whole = look->state[e] == WAL_PF_WHOLE;
    const bool wants = x == 0 && in->b[look->k * m + j] > 0 && w * v > 0 &&
                       (u == 0 || w * (v / u) > (z ? z[row + j] : 0) + lambda[j]);
    if (whole) put(out->dv, e, -pull * x);
    if (whole || wants) put(out->dx, e, da[row + j] - pull * v - db[j]);
  }
}

/* Group number p, with its own entries that were left to decide. Returns `pull`. */
static double left(const wal_instances *in, const wal_pf_look *look, const wal_pf_group *group, int lane,
                   int p, const own_gradient *out) {
  const int i = look->agent[p];
  const double y = group->y[p][lane], slope = group->du[p][lane] / group->u[p][lane];
  put(out->dw, i, slope / look->weight);
  for (int q = 0; q < look->resources; q++) {
    const int j = look->resource[q], e = i * in->m + j, f = p * group->m + q;
    if (look->state[e] != WAL_PF_LEFT) continue;
    const double unit = look->supply[j], step = group->step[f][lane];
    put(out->dz, e, -step * unit / look->weight);
    put(out->dx, e, group->nu[f][lane] / group->t[f][lane] * step / unit);
    put(out->dv, e, y * (step - slope * group->a[f][lane]) * (unit / look->scale[i]));
  }
  return y * slope / look->scale[i];
}

void wal_pf_adjoint_unpack(const wal_instances *in, const double *z, const double *da,
                           const wal_pf_look *look, const wal_pf_group *group, int lane, const double *lambda,
                           const double *u, const wal_pf_gradient *gradient) {
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
    const bool decided = group && p < look->agents && look->agent[p] == i;
    const double pull = decided ? left(in, look, group, lane, p++, &out) : 0;
    at_demand(in, z, da, look, i, pull, lambda, u[i], out.db, &out);
  }
}
