#include "models/market/dual32.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/vmath.h"
#include "models/market/columns32.h"
#include "models/nn/simd.h"

/* Buyers are made and consumed in tiles that stay in the first cache, good by good: w[m][TILE]. Sums run in
   float32 over SUMS partial sums, TILE / SUMS terms of each tile, and leave for double at the chunk's end: 64
   terms at most. The same partial sums with any width of vectors. */
enum { TILE = 256, SUMS = 16 };
typedef struct {
  float s[SUMS];
} sums32;

/* One chunk at work. */
typedef struct {
  const wal_market *market;
  const wal_dual_point *point;
  wal_weight weight;
  float *tile;     /* [m + 1, TILE] weights, then budgets */
  float *y;        /* [m + 1, TILE] e_ij / scale_j; the last row is 0 */
  float *cg;       /* [m] plain: c_j g_j */
  double *scale;   /* [m] plain: g_j; power: 1 */
  sums32 *share;   /* [m + 1] */
  sums32 *moment;  /* [m + 1, m + 1], j >= k; NULL: not wanted */
  sums32 *log_sum; /* [2] the second stays 0 */
} chunk;

static inline wal_vec load(const float *p) { return wal_vec_load(p); }

/* sum_t x_t y_t and the same of x's next row onto a[0], a[1]. */
static inline void add_two(const float *x, const float *y, sums32 *a) {
  for (int l = 0; l < SUMS; l += WAL_LANES) {
    wal_vec s0 = load(a[0].s + l), s1 = load(a[1].s + l);
    for (int t = l; t < TILE; t += SUMS) {
      s0 = wal_vec_fma(load(x + t), load(y + t), s0);
      s1 = wal_vec_fma(load(x + TILE + t), load(y + t), s1);
    }
    wal_vec_store(a[0].s + l, s0);
    wal_vec_store(a[1].s + l, s1);
  }
}

/* Rows j, j + 1 by rows k, k + 1 of y: four sums at a time hide a product's latency. */
static inline void add_four(const float *x, const float *y, sums32 *row0, sums32 *row1) {
  for (int l = 0; l < SUMS; l += WAL_LANES) {
    wal_vec s00 = load(row0[0].s + l), s01 = load(row0[1].s + l);
    wal_vec s10 = load(row1[0].s + l), s11 = load(row1[1].s + l);
    for (int t = l; t < TILE; t += SUMS) {
      const wal_vec x0 = load(x + t), x1 = load(x + TILE + t), y0 = load(y + t), y1 = load(y + TILE + t);
      s00 = wal_vec_fma(x0, y0, s00);
      s01 = wal_vec_fma(x0, y1, s01);
      s10 = wal_vec_fma(x1, y0, s10);
      s11 = wal_vec_fma(x1, y1, s11);
    }
    wal_vec_store(row0[0].s + l, s00);
    wal_vec_store(row0[1].s + l, s01);
    wal_vec_store(row1[0].s + l, s10);
    wal_vec_store(row1[1].s + l, s11);
  }
}

/* ---- a tile ---- */

/* Buyers [lo, hi) into the tile, filled up with buyers of no budget. */
static wal_status make_tile(const chunk *c, int64_t lo, int64_t hi) {
  const int m = c->market->m, count = (int)(hi - lo);
  const wal_status status =
      wal_source_columns32(c->market->buyers, m, lo, hi, TILE, c->tile, c->tile + m * TILE);
  for (int j = 0; count < TILE && j <= m; j++)
    for (int t = count; t < TILE; t++) c->tile[j * TILE + t] = j < m ? 1.0f : 0.0f;
  if (c->weight == WAL_WEIGHT_LOG) {
#pragma omp simd
    for (int k = 0; k < m * TILE; k++) c->tile[k] = wal_logf(c->tile[k]);
  }
  return status;
}

/* y of the point's power, over e^top, into y; and its sum over goods. */
static void power_weights(const chunk *c, float *sum, float *top) {
  const int m = c->market->m;
  const float r = (float)c->point->r;
  for (int t = 0; t < TILE; t++) top[t] = -INFINITY, sum[t] = 0.0f;
  for (int j = 0; j < m; j++) {
    const float q = (float)c->point->q[j], *w = c->tile + j * TILE;
    float *y = c->y + j * TILE;
#pragma omp simd
    for (int t = 0; t < TILE; t++) {
      y[t] = r * (w[t] - q);
      top[t] = y[t] > top[t] ? y[t] : top[t];
    }
  }
  for (int j = 0; j < m; j++) {
    float *y = c->y + j * TILE;
#pragma omp simd
    for (int t = 0; t < TILE; t++) {
      y[t] = wal_exp_downf(y[t] - top[t]);
      sum[t] += y[t];
    }
  }
}

/* y_j = e_j / scale_j, and from it and x_j = B y_j the moments. */
static void add_moments(const chunk *c, const float *w, const float *inverse, const float *budget) {
  const int m = c->market->m;
  float x[2 * TILE];
  for (int j = 0; j < m; j++)
    for (int t = 0; t < TILE; t++) c->y[j * TILE + t] = w[j * TILE + t] * inverse[t];
  for (int j = 0; j < m; j += 2) {
    for (int t = 0; t < TILE; t++) {
      x[t] = budget[t] * c->y[j * TILE + t];
      x[TILE + t] = budget[t] * c->y[(j + 1) * TILE + t];
    }
    for (int k = 0; k <= j; k += 2)
      add_four(x, c->y + k * TILE, c->moment + j * (m + 1) + k, c->moment + (j + 1) * (m + 1) + k);
  }
}

static void add_tile(const chunk *c) {
  const int m = c->market->m;
  const float *budget = c->tile + m * TILE, *w = c->point->power ? c->y : c->tile;
  float sum[TILE], top[TILE], paid[TILE];
  if (c->point->power)
    power_weights(c, sum, top);
  else
    wal_columns32_dot(TILE, m, TILE, c->tile, c->cg, sum);
  if (c->point->log_wanted) {
    float log_sum[2 * TILE] = {0.0f};
#pragma omp simd
    for (int t = 0; t < TILE; t++) log_sum[t] = (c->point->power ? top[t] : 0.0f) + wal_logf(sum[t]);
    add_two(log_sum, budget, c->log_sum);
  }
  for (int t = 0; t < TILE; t++) {
    sum[t] = 1.0f / sum[t];
    paid[t] = budget[t] * sum[t];
  }
  for (int j = 0; j < m; j += 2) add_two(w + j * TILE, paid, &c->share[j]);
  if (c->moment) add_moments(c, w, sum, budget);
}

/* ---- a chunk ---- */

static double total(const sums32 *a) {
  double s[SUMS];
  for (int l = 0; l < SUMS; l++) s[l] = (double)a->s[l];
  for (int half = SUMS / 2; half > 0; half /= 2)
    for (int l = 0; l < half; l++) s[l] += s[l + half];
  return s[0];
}

static void add_sums(const chunk *c, double *share, double *triangle, double *log_sum) {
  const int m = c->market->m;
  for (int j = 0; j < m; j++) share[j] += c->scale[j] * total(&c->share[j]);
  for (int j = 0; c->moment && j < m; j++)
    for (int k = 0; k <= j; k++)
      *triangle++ += c->scale[j] * c->scale[k] * total(&c->moment[j * (m + 1) + k]);
  *log_sum += total(c->log_sum);
}

static wal_status sum_tiles(chunk *c, int64_t lo, int64_t hi) {
  for (int j = 0; j < c->market->m; j++) {
    c->scale[j] = c->point->power ? 1.0 : c->point->g[j];
    c->cg[j] = c->point->power ? 1.0f : (float)(c->point->c[j] * c->point->g[j]);
  }
  wal_status status = WAL_OK;
  for (int64_t at = lo; status == WAL_OK && at < hi; at += TILE) {
    status = make_tile(c, at, at + TILE < hi ? at + TILE : hi);
    if (status == WAL_OK) add_tile(c);
  }
  return status;
}

wal_status wal_dual_chunk32(const wal_market *market, wal_weight weight, const wal_dual_point *point,
                            int64_t lo, int64_t hi, double *share, double *triangle, double *log_sum) {
  const size_t m = (size_t)market->m, moments = triangle ? (m + 1) * (m + 1) : 0;
  const size_t sums = (m + 3 + moments) * sizeof(sums32), tiles = (2 * m + 2) * TILE * sizeof(float);
  const size_t small = m * (sizeof(double) + sizeof(float)), bytes = (sums + tiles + small + 63) / 64 * 64;
  char *room = aligned_alloc(64, bytes);
  if (!room) return wal_fail(WAL_E_MEMORY, "no memory for %d buyers of %d goods", TILE, market->m);
  chunk c = {.market = market, .point = point, .weight = weight, .share = (sums32 *)room};
  c.log_sum = c.share + m + 1;
  c.moment = triangle ? c.log_sum + 2 : NULL;
  c.tile = (float *)(room + sums);
  c.y = c.tile + (m + 1) * TILE;
  memset(room, 0, sums);
  memset(c.y + m * TILE, 0, TILE * sizeof(float));
  c.scale = (double *)(room + sums + tiles);
  c.cg = (float *)(c.scale + m);
  const wal_status status = sum_tiles(&c, lo, hi);
  if (status == WAL_OK) add_sums(&c, share, triangle, log_sum);
  free(room);
  return status;
}
