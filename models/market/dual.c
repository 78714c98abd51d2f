#include "models/market/dual.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "models/common/device.h"
#include "models/common/parallel.h"
#include "models/market/dual32.h"
#include "models/market/dual_math.h"

/* ---- any device ---- */

wal_status wal_dual_create(const wal_market *market, wal_weight weight, bool single, wal_dual **out) {
  const struct wal_dual_ops *ops = wal_device_now()->dual ? wal_device_now()->dual : &wal_dual_cpu;
  *out = NULL;
  if (single && weight == WAL_WEIGHT_INVERSE)
    return wal_fail(WAL_E_UNSUPPORTED,
                    "Leontief utilities are not computed in float32; expected newton.single: false");
  const wal_status status = ops->create(market, weight, single, out);
  if (status == WAL_OK) **out = (wal_dual){ops, market, weight, single};
  return status;
}

void wal_dual_destroy(wal_dual *dual) {
  if (dual) dual->ops->destroy(dual);
}

void wal_dual_stream(wal_dual *dual) { dual->ops->stream(dual); }

/* sum_i B_i as what is spent: shares add up to 1 but for their roundings, which a sum of budgets has not. */
static double spent(int m, const wal_dual_point *point, const double *share) {
  double sum = 0.0;
  for (int j = 0; j < m; j++) sum += (point->power ? 1.0 : point->c[j]) * share[j];
  return sum;
}

wal_status wal_dual_pass(wal_dual *dual, int64_t rows, const wal_dual_point *point, wal_dual_sums *out) {
  const int m = dual->market->m;
  const bool covariance = out->covariance && !point->clear;
  double *sums = malloc((size_t)wal_dual_sum_count(m, covariance) * sizeof *sums);
  if (!sums) return wal_fail(WAL_E_MEMORY, "no memory for the sums of %d goods", m);
  const wal_status status = dual->ops->pass(dual, rows, point, covariance, sums);
  if (status == WAL_OK) {
    memcpy(out->share, sums, (size_t)m * sizeof *sums);
    out->budget = sums[m + WAL_DUAL_BUDGET];
    out->log_sum = sums[m + WAL_DUAL_LOG_SUM];
    out->linear_gap = sums[m + WAL_DUAL_LINEAR_GAP];
    if (dual->single) out->budget = spent(m, point, out->share);
    const double *triangle = sums + m + WAL_DUAL_SCALARS;
    for (int j = 0; covariance && j < m; j++)
      for (int k = 0; k <= j; k++) out->covariance[j * m + k] = out->covariance[k * m + j] = *triangle++;
  }
  free(sums);
  return status;
}

/* ---- the CPU ---- */

/* Buyers lie in tiles of TILE, good by good: w[tile][m][TILE], so that loops over buyers are vectors; the
   last tile is filled up with buyers of no budget. Tiles are kept between passes while they fit in
   CACHE_BYTES. */
enum { TILE = 128, LANES = 8 };
static const double CACHE_BYTES = 1024.0 * 1024 * 1024;
typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));

typedef struct {
  wal_dual base;
  double *cache;  /* [tiles, m + 1, TILE]: weights, then budgets; NULL: recomputed in every pass */
  int64_t cached; /* buyers [0, cached) are there */
} cpu_dual;

static size_t tile_size(int m) { return ((size_t)m + 1) * TILE; }

/* Large arrays on huge pages where the system has them: a fault per 4 KiB would cost a tenth of the solve. */
static double *huge_array(size_t bytes) {
  const size_t page = (size_t)2 << 20, whole = (bytes + page - 1) / page * page;
  if (bytes < page) return aligned_alloc(64, bytes);
  double *array = aligned_alloc(page, whole);
  if (array) madvise(array, whole, MADV_HUGEPAGE); /* only advice: failing is well */
  return array;
}

static wal_status create(const wal_market *market, wal_weight weight, bool single, wal_dual **out) {
  (void)weight;
  cpu_dual *dual = calloc(1, sizeof *dual);
  if (!dual) return wal_fail(WAL_E_MEMORY, "no memory for the exact solver");
  const int64_t tiles = (market->n + TILE - 1) / TILE;
  const double bytes = (double)tiles * (double)tile_size(market->m) * sizeof(double);
  if (!single && bytes <= CACHE_BYTES) dual->cache = huge_array((size_t)bytes); /* NULL is well: no cache */
  *out = &dual->base;
  return WAL_OK;
}

static void stream(wal_dual *dual) {
  cpu_dual *d = (cpu_dual *)dual;
  free(d->cache);
  d->cache = NULL;
}

static void destroy(wal_dual *dual) {
  stream(dual);
  free(dual);
}

/* sum_t a_t b_t in LANES fixed partial sums: the same bits on every processor. */
static inline double dot(const double *a, const double *b) {
  const lanes *x = (const lanes *)a, *y = (const lanes *)b;
  lanes sum = x[0] * y[0];
  for (int t = 1; t < TILE / LANES; t++) sum += x[t] * y[t];
  return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

/* ---- a tile ---- */

static void transform(wal_weight weight, size_t count, double *w) {
  if (weight == WAL_WEIGHT_LOG) {
#pragma omp simd
    for (size_t k = 0; k < count; k++) w[k] = wal_dual_weight(WAL_WEIGHT_LOG, w[k]);
  } else if (weight == WAL_WEIGHT_INVERSE) {
    for (size_t k = 0; k < count; k++) w[k] = wal_dual_weight(WAL_WEIGHT_INVERSE, w[k]);
  }
}

/* Buyers [lo, hi) -> tile[m + 1][TILE]. */
static wal_status make_tile(const wal_dual *dual, int64_t lo, int64_t hi, double *tile) {
  const int m = dual->market->m, count = (int)(hi - lo);
  double *budget = tile + m * TILE;
  const wal_status status = wal_source_columns(dual->market->buyers, m, lo, hi, TILE, tile, budget);
  for (int j = 0; j < m; j++)
    for (int t = count; t < TILE; t++) tile[j * TILE + t] = 1.0;
  for (int t = count; t < TILE; t++) budget[t] = 0.0;
  transform(dual->weight, (size_t)m * TILE, tile);
  return status;
}

/* ---- one tile's contribution ---- */

/* y[m][TILE] into e, over e^top[TILE], and its sum over goods. */
static void plain_weights(int m, const wal_dual_point *point, const double *tile, double *e, double *sum,
                          double *top) {
  memset(sum, 0, TILE * sizeof *sum);
  memset(top, 0, TILE * sizeof *top);
  for (int j = 0; j < m; j++) {
    const double g = point->g[j], c = point->c[j], *w = tile + j * TILE;
    double *y = e + j * TILE;
#pragma omp simd
    for (int t = 0; t < TILE; t++) {
      y[t] = g * w[t];
      sum[t] += c * y[t];
    }
  }
}

static void power_weights(int m, const wal_dual_point *point, const double *tile, double *e, double *sum,
                          double *top) {
  for (int t = 0; t < TILE; t++) top[t] = -INFINITY, sum[t] = 0.0;
  for (int j = 0; j < m; j++) {
    const double r = point->r, q = point->q[j], *w = tile + j * TILE;
    double *y = e + j * TILE;
#pragma omp simd
    for (int t = 0; t < TILE; t++) {
      y[t] = r * (w[t] - q);
      top[t] = y[t] > top[t] ? y[t] : top[t];
    }
  }
  for (int j = 0; j < m; j++) {
    double *y = e + j * TILE;
#pragma omp simd
    for (int t = 0; t < TILE; t++) {
      y[t] = wal_dual_exp(y[t] - top[t]);
      sum[t] += y[t];
    }
  }
}

static void add_shares(int m, const double *e, const double *budget, double *sums) {
  for (int j = 0; j < m; j++) sums[j] += dot(budget, e + j * TILE);
}

/* Shares whose products would be subnormal, and take most of the time, count as 0 where goods are
   substitutes: near the solution none that small matters. Changes e. */
static void drop_smallest(int m, double *e) {
  for (int k = 0; k < m * TILE; k++) e[k] = e[k] < 1e-150 ? 0.0 : e[k];
}

static void add_covariance(int m, const double *e, const double *budget, double *weighted, double *triangle) {
  for (int j = 0; j < m; j++) {
    const double *ej = e + j * TILE;
#pragma omp simd
    for (int t = 0; t < TILE; t++) weighted[t] = budget[t] * ej[t];
    for (int k = 0; k <= j; k++) *triangle++ += dot(weighted, e + k * TILE);
  }
}

/* With linear utilities u = sum_j v_j x_j, spending shares e, x_j scaled by a_j: log of the best over log of
 * the had. */
static double linear_gap(int m, const wal_dual_point *point, const double *tile, const double *e) {
  double gap[TILE] __attribute__((aligned(64))); /* dot() loads whole vectors */
  for (int t = 0; t < TILE; t++) {
    double best = -INFINITY, had = 0.0;
    for (int j = 0; j < m; j++) best = fmax(best, tile[j * TILE + t] - point->q[j]);
    for (int j = 0; j < m; j++)
      had += e[j * TILE + t] * point->clear[j] * wal_exp(tile[j * TILE + t] - point->q[j] - best);
    gap[t] = -wal_log(had);
  }
  return dot(gap, tile + m * TILE);
}

static void add_tile(int m, const wal_dual_point *point, bool covariance, const double *tile, double *room,
                     double *sums) {
  double *e = room, *sum = room + m * TILE, scratch[TILE] __attribute__((aligned(64))), top[TILE];
  const double *budget = tile + m * TILE;
  if (point->power)
    power_weights(m, point, tile, e, sum, top);
  else
    plain_weights(m, point, tile, e, sum, top);
  if (point->log_wanted) {
#pragma omp simd
    for (int t = 0; t < TILE; t++) scratch[t] = top[t] + wal_log(sum[t]);
    sums[m + WAL_DUAL_LOG_SUM] += dot(scratch, budget);
  }
  for (int t = 0; t < TILE; t++) sum[t] = 1.0 / sum[t];
  for (int j = 0; j < m; j++)
    for (int t = 0; t < TILE; t++) e[j * TILE + t] *= sum[t];
  for (int t = 0; t < TILE; t++) sums[m + WAL_DUAL_BUDGET] += budget[t];
  if (point->clear) {
    sums[m + WAL_DUAL_LINEAR_GAP] += linear_gap(m, point, tile, e);
    return;
  }
  add_shares(m, e, budget, sums);
  if (covariance && point->power && point->r > 1.0) drop_smallest(m, e);
  if (covariance) add_covariance(m, e, budget, scratch, sums + m + WAL_DUAL_SCALARS);
}

/* ---- the pass ---- */

typedef struct {
  const cpu_dual *dual;
  const wal_dual_point *point;
  bool covariance; /* wanted */
} pass_work;

static wal_status pass_body(void *context, int64_t lo, int64_t hi, double *sums) {
  const pass_work *p = context;
  const cpu_dual *dual = p->dual;
  const wal_market *market = dual->base.market;
  const int m = market->m;
  if (dual->base.single)
    return wal_dual_chunk32(market, dual->base.weight, p->point, lo, hi, sums,
                            p->covariance ? sums + m + WAL_DUAL_SCALARS : NULL, sums + m + WAL_DUAL_LOG_SUM);
  const size_t size = tile_size(m);
  double *room = aligned_alloc(64, 2 * size * sizeof *room), *own = room ? room + size : NULL;
  if (!room) return wal_fail(WAL_E_MEMORY, "no memory for %d buyers of %d goods", TILE, m);
  wal_status status = WAL_OK;
  for (int64_t at = lo; status == WAL_OK && at < hi; at += TILE) {
    double *tile = dual->cache ? dual->cache + (size_t)(at / TILE) * size : own;
    const int64_t end = at + TILE < market->n ? at + TILE : market->n;
    if (!dual->cache || end > dual->cached) status = make_tile(&dual->base, at, end, tile);
    if (status == WAL_OK) add_tile(m, p->point, p->covariance, tile, room, sums);
  }
  free(room);
  return status;
}

static wal_status pass(wal_dual *dual, int64_t rows, const wal_dual_point *point, bool covariance,
                       double *sums) {
  cpu_dual *d = (cpu_dual *)dual;
  pass_work p = {d, point, covariance};
  const wal_status status =
      wal_sum_chunks(rows, wal_dual_sum_count(dual->market->m, covariance), pass_body, &p, sums);
  if (status == WAL_OK && rows > d->cached) d->cached = rows;
  return status;
}

const struct wal_dual_ops wal_dual_cpu = {create, destroy, stream, pass};
