/* Whether a PF solution is the only one. */
#include <math.h>
#include <stdlib.h>

#include "models/mechanism/pf.h"
#include "models/mechanism/pf_forest.h"
#include "models/mechanism/pf_open.h"

/* Amounts nearer to a bound than this share are at it. */
static const double AT_BOUND = 1e-9;

/* Instance k's amounts strictly between their bounds, and resources with something left over. */
static void list_elements(wal_pf_forest *f, const wal_instances *in, int64_t k, const double *a) {
  const int64_t nm = (int64_t)in->n * in->m;
  const double *x = in->x + k * nm, *b = in->b + k * in->m;
  f->count = 0;
  for (int i = 0; i < in->n; i++) {
    if (!wal_pf_takes_part(in, k, i)) continue;
    for (int e = i * in->m; e < (i + 1) * in->m; e++) {
      const double z = f->z ? f->z[e] : 0.0, near = AT_BOUND * fmin(x[e], b[e % in->m]);
      if (wal_pf_open(f->v[e], x[e], b[e % in->m], z) && a[e] > near && x[e] - a[e] > near)
        f->element[f->count++] = e;
    }
  }
  for (int j = 0; j < in->m; j++) {
    double left = b[j];
    for (int i = 0; i < in->n; i++) left -= a[i * in->m + j];
    if (left > AT_BOUND * b[j]) f->element[f->count++] = (int)nm + j;
  }
}

/* Amounts can move when a tree has two extras, or one that closes a circle of ties. */
static bool rigid(const wal_pf_forest *f) {
  if (f->spares > 0) return false;
  for (int t = 0; t < f->trees; t++)
    if (f->extra[t] >= 0 && wal_pf_forest_gain(f, f->extra[t]) == 0.0) return false;
  return true;
}

wal_status wal_pf_unique(const wal_instances *in, const double *z, const double *a, bool *unique) {
  const int64_t nm = (int64_t)in->n * in->m;
  wal_pf_forest f;
  const int nodes = in->n + in->m;
  int *roots = malloc((size_t)nodes * sizeof *roots);
  double *scale = malloc((size_t)nodes * sizeof *scale);
  wal_status status = wal_pf_forest_create(in->n, in->m, &f);
  if (status == WAL_OK && (!roots || !scale))
    status = wal_fail(WAL_E_MEMORY, "no memory for %d agents and resources", nodes);
  for (int r = 0; status == WAL_OK && r < nodes; r++) roots[r] = r, scale[r] = 1.0;
  for (int64_t k = 0; status == WAL_OK && k < in->count; k++) {
    f.v = in->v + k * nm;
    f.z = z ? z + k * nm : NULL;
    list_elements(&f, in, k, a + k * nm);
    wal_pf_forest_explore(&f, roots, scale);
    unique[k] = rigid(&f);
  }
  wal_pf_forest_destroy(&f);
  free(roots);
  free(scale);
  return status;
}
