/* The certificate of a PF solution, from the instance and the point alone. */
#include <math.h>
#include <stddef.h>

#include "models/mechanism/pf.h"
#include "models/mechanism/pf_entries.h"

/* Resources are looked at BLOCK by BLOCK, so that no memory is needed. */
enum { BLOCK = 64 };

/* One instance. */
typedef struct {
  int n, m;
  const double *v, *x, *b, *z;        /* [n, m], [n, m], [m], [n, m] or NULL */
  const double *a, *lambda, *mu, *nu; /* [n, m], [m], [n, m], [n, m] */
} point;

/* Agent i's entries of resources [lo, hi); its a_im and p_im go into used and dearest [BLOCK]. */
static double agent_residual(const point *q, int i, double w, bool takes_part, int lo, int hi, double *used,
                             double *dearest) {
  const int64_t row = (int64_t)i * q->m;
  double u = 0.0, worst = 0.0;
  for (int m = 0; m < q->m; m++) u += q->v[row + m] * q->a[row + m];
  if (takes_part && !(u > 0.0)) return INFINITY;
  for (int m = lo; m < hi; m++) {
    const int64_t e = row + m;
    used[m - lo] += q->a[e];
    const double z = q->z ? q->z[e] : 0.0;
    if (takes_part && wal_pf_open(q->v[e], q->x[e], q->b[m], z)) {
      const double share = q->v[e] / u;
      dearest[m - lo] = wal_pf_max(dearest[m - lo], w * share);
      worst = wal_pf_larger(worst, wal_pf_open_residual(z, w, share, q->x[e], q->b[m], q->a[e], q->mu[e],
                                                        q->nu[e], q->lambda[m]));
    } else {
      worst = wal_pf_larger(worst, wal_pf_closed_residual(q->a[e], q->x[e], q->b[m]));
    }
  }
  return worst;
}

/* Of instance k, of which q holds the arrays. */
static double residual(const wal_instances *in, int64_t k, const point *q) {
  double worst = 0.0;
  for (int lo = 0; lo < q->m; lo += BLOCK) {
    const int hi = lo + BLOCK < q->m ? lo + BLOCK : q->m;
    double used[BLOCK] = {0}, dearest[BLOCK] = {0};
    for (int i = 0; i < q->n; i++)
      worst = wal_pf_larger(worst, agent_residual(q, i, wal_pf_weight(in, k, i), wal_pf_takes_part(in, k, i),
                                                  lo, hi, used, dearest));
    for (int m = lo; m < hi; m++)
      worst = wal_pf_larger(worst,
                            wal_pf_resource_residual(q->lambda[m], q->b[m], used[m - lo], dearest[m - lo]));
  }
  return worst;
}

void wal_pf_kkt(const wal_instances *in, const double *z, const wal_pf_solution *s, double *kkt) {
  const int64_t m = in->m, nm = in->n * m;
  for (int64_t k = 0; k < in->count; k++) {
    const point q = {.n = in->n,
                     .m = in->m,
                     .v = in->v + k * nm,
                     .x = in->x + k * nm,
                     .b = in->b + k * m,
                     .z = z ? z + k * nm : NULL,
                     .a = s->a + k * nm,
                     .lambda = s->lambda + k * m,
                     .mu = s->mu + k * nm,
                     .nu = s->nu + k * nm};
    kkt[k] = residual(in, k, &q);
  }
}
