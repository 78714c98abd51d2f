#include "models/mechanism/feedforward.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/vmath.h"

/* ---- Inputs ---- */

/* The first of the largest of v_j b_j, the values of whole budgets; v, b [M]. */
static int largest(int m, const double *v, const double *b) {
  int at = 0;
  for (int j = 1; j < m; j++)
    if (v[j] * b[j] > v[at] * b[at]) at = j;
  return at;
}

/* 1 / x; 0 for what has none. */
static double inverse(double x) { return x >= DBL_MIN ? 1 / x : 0; }

/* One instance's inputs. */
static void encode_one(const wal_instances *in, float *row) {
  const int n = in->n, m = in->m;
  const double *b = in->b;
  float *values = row, *shares = row + n * m, *scarcity = row + 2 * n * m;
  for (int i = 0; i < n; i++) {
    const double *v = in->v + i * m;
    const int l = largest(m, v, b);
    const double scale = inverse(v[l] * b[l]);
    for (int j = 0; j < m; j++) values[i * m + j] = (float)(v[j] * b[j] * scale);
  }
  for (int j = 0; j < m; j++) {
    const double scale = inverse(b[j]);
    double sum = -1;
    for (int i = 0; i < n; i++) {
      const double x = in->x[i * m + j], part = x < b[j] ? x * scale : scale > 0;
      shares[i * m + j] = (float)(n * part);
      sum += part;
    }
    scarcity[j] = (float)sum;
  }
}

wal_status wal_feedforward_encode(const wal_learned *f, const wal_learned_batch *q, float *rows) {
  const wal_instances *in = &q->in;
  for (int64_t k = 0; k < in->count; k++) {
    const wal_instances one = wal_instances_part(in, k, 1);
    encode_one(&one, rows + k * f->shape.inputs);
  }
  return WAL_OK;
}

/* Adds the gradient of sum_j d_j v_j b_j / (v_l b_l), l the largest, to dv [M]. */
static void values_vjp(int m, const double *v, const double *b, const float *d, double *dv) {
  const int l = largest(m, v, b);
  const double most = v[l] * b[l];
  if (!(most >= DBL_MIN)) return;
  for (int j = 0; j < m; j++) {
    if (j == l) continue;
    dv[j] += d[j] * (b[j] / most);
    dv[l] -= d[j] * (v[j] * b[j] / most) / v[l];
  }
}

static void encode_vjp_one(const wal_instances *in, const float *drow, double *dv, double *dx) {
  const int n = in->n, m = in->m;
  const float *dshares = drow + n * m, *dscarcity = drow + 2 * n * m;
  for (int i = 0; i < n; i++) {
    values_vjp(m, in->v + i * m, in->b, drow + i * m, dv + i * m);
    for (int j = 0; j < m; j++)
      if (in->b[j] >= DBL_MIN && in->x[i * m + j] < in->b[j])
        dx[i * m + j] += (n * (double)dshares[i * m + j] + dscarcity[j]) / in->b[j];
  }
}

wal_status wal_feedforward_encode_vjp(const wal_learned *f, const wal_learned_batch *q, const float *drows,
                                      double *dv, double *dx) {
  const wal_instances *in = &q->in;
  const int64_t nm = (int64_t)in->n * in->m;
  for (int64_t k = 0; k < in->count; k++) {
    const wal_instances one = wal_instances_part(in, k, 1);
    encode_vjp_one(&one, drows + k * f->shape.inputs, dv + k * nm, dx + k * nm);
  }
  return WAL_OK;
}

/* ---- Shares ---- */

/* One instance's softmax: p [slots, M], columns summing to 1; sum [M] is scratch. */
static void softmax(int slots, int m, const float *y, double *p, double *sum) {
  for (int j = 0; j < m; j++) sum[j] = y[j];
  for (int s = 1; s < slots; s++)
    for (int j = 0; j < m; j++) sum[j] = y[s * m + j] > sum[j] ? y[s * m + j] : sum[j];
  for (int s = 0; s < slots; s++)
    for (int j = 0; j < m; j++) p[s * m + j] = y[s * m + j] - sum[j];
#pragma omp simd
  for (int e = 0; e < slots * m; e++) p[e] = wal_exp_down(p[e]);
  for (int j = 0; j < m; j++) sum[j] = 0;
  for (int s = 0; s < slots; s++)
    for (int j = 0; j < m; j++) sum[j] += p[s * m + j];
  for (int j = 0; j < m; j++) sum[j] = 1 / sum[j];
  for (int s = 0; s < slots; s++)
    for (int j = 0; j < m; j++) p[s * m + j] *= sum[j];
}

static wal_status scratch(int slots, int m, double **p, double **sum) {
  *p = malloc((size_t)(slots + 1) * (size_t)m * sizeof **p);
  *sum = *p ? *p + slots * m : NULL;
  return *p ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for the shares of %d resources", m);
}

wal_status wal_shares_decode(int slots, const wal_instances *in, const float *y, double *a) {
  const int n = in->n, m = in->m;
  double *p, *sum;
  const wal_status status = scratch(slots, m, &p, &sum);
  for (int64_t k = 0; !status && k < in->count; k++) {
    const wal_instances one = wal_instances_part(in, k, 1);
    softmax(slots, m, y + k * slots * m, p, sum);
    for (int i = 0; i < n; i++)
      for (int j = 0; j < m; j++) {
        const double x = one.x[i * m + j], share = one.b[j] * p[i * m + j];
        a[(k * n + i) * m + j] = x < share ? x : share;
      }
  }
  free(p);
  return status;
}

/* g [slots, M]: the gradient in the shares p; through the softmax into dy. sum [M] is scratch. */
static void softmax_vjp(int slots, int m, const double *p, const double *g, double *sum, float *dy) {
  for (int j = 0; j < m; j++) sum[j] = 0;
  for (int s = 0; s < slots; s++)
    for (int j = 0; j < m; j++) sum[j] += p[s * m + j] * g[s * m + j];
  for (int s = 0; s < slots; s++)
    for (int j = 0; j < m; j++) dy[s * m + j] = (float)(p[s * m + j] * (g[s * m + j] - sum[j]));
}

/* Where the demand is less than the share it is what counts. */
static void shares_vjp_one(int slots, const wal_instances *in, const double *p, const double *da, double *g,
                           double *dx) {
  const int n = in->n, m = in->m;
  for (int e = n * m; e < slots * m; e++) g[e] = 0;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++) {
      const int e = i * m + j;
      const bool capped = in->x[e] < in->b[j] * p[e];
      g[e] = capped ? 0 : da[e] * in->b[j];
      if (dx) dx[e] = capped ? da[e] : 0;
    }
}

wal_status wal_shares_vjp(int slots, const wal_instances *in, const float *y, const double *da, float *dy,
                          double *dv, double *dx) {
  const int m = in->m;
  const int64_t nm = (int64_t)in->n * m, outputs = (int64_t)slots * m;
  double *p, *sum, *g = malloc((size_t)outputs * sizeof *g);
  wal_status status = scratch(slots, m, &p, &sum);
  if (!status && !g) status = wal_fail(WAL_E_MEMORY, "no memory for the shares of %d resources", m);
  for (int64_t k = 0; !status && k < in->count; k++) {
    const wal_instances one = wal_instances_part(in, k, 1);
    softmax(slots, m, y + k * outputs, p, sum);
    shares_vjp_one(slots, &one, p, da + k * nm, g, dx ? dx + k * nm : NULL);
    softmax_vjp(slots, m, p, g, sum, dy + k * outputs);
  }
  if (dv) memset(dv, 0, (size_t)(in->count * nm) * sizeof *dv);
  free(p), free(g);
  return status;
}
