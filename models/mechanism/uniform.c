/* The uniform rule of each resource by itself: max sum_i w_i log a_im over the allocations of resource m. No
   lie gains: values are not read but for being 0, and for one resource and single-peaked wishes this is, at
   equal weights, the one rule that is strategy-proof, efficient and anonymous (Sprumont, 1991). What it loses
   is the exchange of one resource for another. */
#include "models/mechanism/uniform.h"

#include <math.h>
#include <stdlib.h>

#include "models/common/parallel.h"
#include "models/mechanism/pf_open.h"
#include "models/mechanism/plain.h"

/* ---- One resource ---- */

void wal_uniform_demands(const wal_instances *in, int64_t k, double *demand) {
  for (int e = 0; e < in->n * in->m; e++) {
    const int64_t at = k * in->n * in->m + e;
    const bool wanted = wal_pf_weight(in, k, e / in->m) > 0 && in->v[at] > 0;
    demand[e] = wanted ? wal_pf_min(in->x[at], in->b[k * in->m + e % in->m]) : 0;
  }
}

wal_uniform wal_uniform_resource(const wal_instances *in, int64_t k, int j, const double *demand) {
  return (wal_uniform){.n = in->n,
                       .stride = in->m,
                       .budget = in->b[k * in->m + j],
                       .demand = demand + j,
                       .weight = in->w ? in->w + k * in->n : NULL};
}

static double weight_of(const wal_uniform *r, int i) { return r->weight ? r->weight[i] : 1; }

static double asked(const wal_uniform *r) {
  double sum = 0;
  for (int i = 0; i < r->n; i++) sum += r->demand[i * r->stride];
  return sum;
}

/* Fills to the level theta; returns the sum, *slope: its derivative. */
static double fill_to(const wal_uniform *r, const double *offset, double level, double *a, double *slope) {
  double sum = 0;
  *slope = 0;
  for (int i = 0; i < r->n; i++) {
    const int e = i * r->stride;
    const double x = r->demand[e], y = weight_of(r, i) * level - (offset ? offset[e] : 0);
    a[e] = x > 0 ? fmin(fmax(y, 0), x) : 0;
    sum += a[e];
    if (y > 0 && y < x) *slope += weight_of(r, i);
  }
  return sum;
}

/* Levels at which nobody has anything, and everybody all that is asked for. */
static void bracket(const wal_uniform *r, const double *offset, double *lo, double *hi) {
  *lo = INFINITY, *hi = -INFINITY;
  for (int i = 0; i < r->n; i++) {
    const int e = i * r->stride;
    const double o = offset ? offset[e] : 0;
    if (!(r->demand[e] > 0)) continue;
    *lo = fmin(*lo, o / weight_of(r, i));
    *hi = fmax(*hi, (o + r->demand[e]) / weight_of(r, i));
  }
}

/* Newton steps along a rising piecewise linear function, kept within the bracket, until nothing is between
   its ends: weights of very different sizes need many halvings. */
void wal_uniform_fill(const wal_uniform *r, const double *offset, double *a) {
  const double b = r->budget;
  double lo, hi, slope;
  for (int i = 0; i < r->n; i++) a[i * r->stride] = r->demand[i * r->stride];
  if (asked(r) <= b) return;
  bracket(r, offset, &lo, &hi);
  double level = 0.5 * (lo + hi);
  while (level > lo && level < hi) {
    const double left = b - fill_to(r, offset, level, a, &slope);
    if (fabs(left) <= 1e-14 * b) return;
    *(left > 0 ? &lo : &hi) = level;
    const double next = level + left / slope; /* infinite where the slope is 0 */
    level = next > lo && next < hi ? next : 0.5 * (lo + hi);
  }
  fill_to(r, offset, lo, a, &slope);
}

/* theta moves so that the sum over those strictly between their bounds makes up for everything; where all
   demands fit there are none. */
void wal_uniform_vjp(const wal_uniform *r, const double *a, const double *da, double *d_offset,
                     double *d_demand) {
  double sum = 0, free = 0;
  for (int i = 0; i < r->n; i++) {
    const int e = i * r->stride;
    if (a[e] > 0 && a[e] < r->demand[e]) sum += weight_of(r, i) * da[e], free += weight_of(r, i);
  }
  const double mean = free > 0 ? sum / free : 0;
  for (int i = 0; i < r->n; i++) {
    const int e = i * r->stride;
    if (d_offset) d_offset[e] = a[e] > 0 && a[e] < r->demand[e] ? mean - da[e] : 0;
    d_demand[e] = r->demand[e] > 0 && a[e] == r->demand[e] ? da[e] - mean : 0;
  }
}

/* ---- The mechanism ---- */

static wal_status create(int n, int m, const wal_mechanism_options *options, wal_mechanism **out) {
  return wal_plain_create(&wal_mechanism_uniform, n, m, options, out);
}

typedef struct {
  const wal_instances *in;
  double *a;        /* [K, N, M] */
  const double *da; /* [K, N, M]; NULL: only allocated */
  double *dx;       /* [K, N, M] */
} job;

static void pull(const job *q, int64_t k, int j, const wal_uniform *r) {
  const int64_t at = k * q->in->n * q->in->m + j;
  wal_uniform_vjp(r, q->a + at, q->da + at, NULL, q->dx + at);
  for (int e = 0; e < q->in->n * q->in->m; e += q->in->m)
    if (q->in->x[at + e] >= r->budget) q->dx[at + e] = 0; /* asks for all of it already */
}

static wal_status run_chunk(void *context, int64_t lo, int64_t hi) {
  const job *q = context;
  const wal_instances *in = q->in;
  const int64_t nm = (int64_t)in->n * in->m;
  double *demand = malloc((size_t)nm * sizeof *demand);
  if (!demand) return wal_fail(WAL_E_MEMORY, "no memory for an instance of %d x %d", in->n, in->m);
  for (int64_t k = lo; k < hi; k++) {
    wal_uniform_demands(in, k, demand);
    for (int j = 0; j < in->m; j++) {
      const wal_uniform r = wal_uniform_resource(in, k, j, demand);
      wal_uniform_fill(&r, NULL, q->a + k * nm + j);
      if (q->da) pull(q, k, j, &r);
    }
  }
  free(demand);
  return WAL_OK;
}

static wal_status allocate(const wal_mechanism *f, const wal_instances *in, double *a) {
  (void)f;
  return wal_for_chunks(in->count, run_chunk, &(job){.in = in, .a = a});
}

/* Values count for nothing. */
static wal_status vjp(wal_mechanism *f, const wal_instances *in, const double *da, double *dv, double *dx) {
  (void)f;
  const int64_t cells = in->count * in->n * in->m;
  for (int64_t e = 0; dv && e < cells; e++) dv[e] = 0;
  if (!dx) return WAL_OK;
  double *a = malloc((size_t)(cells > 0 ? cells : 1) * sizeof *a);
  if (!a)
    return wal_fail(WAL_E_MEMORY, "no memory for %lld instances of %d x %d", (long long)in->count, in->n,
                    in->m);
  const wal_status status = wal_for_chunks(in->count, run_chunk, &(job){in, a, da, dx});
  free(a);
  return status;
}

const wal_mechanism_kind wal_mechanism_uniform = {
    .name = "uniform",
    .title = "Uniform rule, resource by resource",
    .source = "Sprumont (1991); Bochet, Ilkilic, Moulin and Sethuraman (2012); a control: no lie gains",
    .learned = false,
    .create = create,
    .destroy = wal_plain_destroy,
    .allocate = allocate,
    .vjp = vjp,
};
