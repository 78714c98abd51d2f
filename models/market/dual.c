#include "models/market/dual.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "models/common/parallel.h"
#include "models/common/vmath.h"
#include "models/market/dual32.h"

/* Buyers lie in tiles of TILE, good by good: w[tile][m][TILE], so that loops over buyers are vectors; the
   last tile is filled up with buyers of no budget. Tiles are kept between passes while they fit in
   CACHE_BYTES. */
enum { TILE = 128, LANES = 8 };
static const double CACHE_BYTES = 1024.0 * 1024 * 1024;
typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));

struct wal_dual {
  const wal_market *market;
  wal_weight weight;
  bool single;
  double *cache;  /* [tiles, m + 1, TILE]: weights, then budgets; NULL: recomputed in every pass */
  int64_t cached; /* buyers [0, cached) are there */
};

static size_t tile_size(const wal_dual *dual) { return ((size_t)dual->market->m + 1) * TILE; }

/* Large arrays on huge pages where the system has them: a fault per 4 KiB would cost a tenth of the solve. */
static double *huge_array(size_t bytes) {
  const size_t page = (size_t)2 << 20, whole = (bytes + page - 1) / page * page;
  if (bytes < page) return aligned_alloc(64, bytes);
  double *array = aligned_alloc(page, whole);
  if (array) madvise(array, whole, MADV_HUGEPAGE); /* only advice: failing is well */
  return array;
}

wal_status wal_dual_create(const wal_market *market, wal_weight weight, bool single, wal_dual **out) {
  *out = NULL;
  if (single && weight == WAL_WEIGHT_INVERSE)
    return wal_fail(WAL_E_UNSUPPORTED,
                    "Leontief utilities are not computed in float32; expected newton.single: false");
  wal_dual *dual = calloc(1, sizeof *dual);
  if (!dual) return wal_fail(WAL_E_MEMORY, "no memory for the exact solver");
  dual->market = market;
  dual->weight = weight;
  dual->single = single;
  const int64_t tiles = (market->n + TILE - 1) / TILE;
  const double bytes = (double)tiles * (double)tile_size(dual) * sizeof(double);
  if (!single && bytes <= CACHE_BYTES) dual->cache = huge_array((size_t)bytes); /* NULL is well: no cache */
  *out = dual;
  return WAL_OK;
}

void wal_dual_destroy(wal_dual *dual) {
  if (dual) free(dual->cache);
  free(dual);
}

void wal_dual_stream(wal_dual *dual) {
  free(dual->cache);
  dual->cache = NULL;
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
    for (size_t k = 0; k < count; k++) w[k] = wal_log(w[k]);
  } else if (weight == WAL_WEIGHT_INVERSE) {
    for (size_t k = 0; k < count; k++) w[k] = 1.0 / w[k];
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

/* e^LEAST is a normal number: subnormal ones would take most of the time at high powers. */
static const double LEAST = -708.0;

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
      const double x = y[t] - top[t];
      y[t] = x < LEAST ? 0.0 : wal_exp_down(x < LEAST ? LEAST : x);
      sum[t] += y[t];
    }
  }
}

/* Partial sums of a pass, as wal_sum_chunks adds them: m shares, budget, log sum, linear gap, lower triangle.
 */
enum { BUDGET, LOG_SUM, LINEAR_GAP, SCALARS };
static int sum_count(int m, bool covariance) { return m + SCALARS + (covariance ? m * (m + 1) / 2 : 0); }

static void add_shares(int m, const double *e, const double *budget, double *sums) {
  for (int j = 0; j < m; j++) sums[j] += dot(budget, e + j * TILE);
}

/* Shares whose products would be subnormal count as 0 where goods are substitutes: near the solution none
   that small matters. Changes e. */
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
    sums[m + LOG_SUM] += dot(scratch, budget);
  }
  for (int t = 0; t < TILE; t++) sum[t] = 1.0 / sum[t];
  for (int j = 0; j < m; j++)
    for (int t = 0; t < TILE; t++) e[j * TILE + t] *= sum[t];
  for (int t = 0; t < TILE; t++) sums[m + BUDGET] += budget[t];
  if (point->clear) {
    sums[m + LINEAR_GAP] += linear_gap(m, point, tile, e);
    return;
  }
  add_shares(m, e, budget, sums);
  if (covariance && point->power && point->r > 1.0) drop_smallest(m, e);
  if (covariance) add_covariance(m, e, budget, scratch, sums + m + SCALARS);
}

/* ---- the pass ---- */

typedef struct {
  const wal_dual *dual;
  const wal_dual_point *point;
  bool covariance; /* wanted */
} pass;

static wal_status pass_body(void *context, int64_t lo, int64_t hi, double *sums) {
  const pass *p = context;
  const wal_dual *dual = p->dual;
  const int m = dual->market->m;
  if (dual->single)
    return wal_dual_chunk32(dual->market, dual->weight, p->point, lo, hi, sums,
                            p->covariance ? sums + m + SCALARS : NULL, sums + m + LOG_SUM);
  const size_t size = tile_size(dual);
  double *room = aligned_alloc(64, 2 * size * sizeof *room), *own = room ? room + size : NULL;
  if (!room) return wal_fail(WAL_E_MEMORY, "no memory for %d buyers of %d goods", TILE, m);
  wal_status status = WAL_OK;
  for (int64_t at = lo; status == WAL_OK && at < hi; at += TILE) {
    double *tile = dual->cache ? dual->cache + (size_t)(at / TILE) * size : own;
    const int64_t end = at + TILE < dual->market->n ? at + TILE : dual->market->n;
    if (!dual->cache || end > dual->cached) status = make_tile(dual, at, end, tile);
    if (status == WAL_OK) add_tile(m, p->point, p->covariance, tile, room, sums);
  }
  free(room);
  return status;
}

/* sum_i B_i as what is spent: shares add up to 1 but for their roundings, which a sum of budgets has not. */
static double spent(int m, const wal_dual_point *point, const double *share) {
  double sum = 0.0;
  for (int j = 0; j < m; j++) sum += (point->power ? 1.0 : point->c[j]) * share[j];
  return sum;
}

wal_status wal_dual_pass(wal_dual *dual, int64_t rows, const wal_dual_point *point, wal_dual_sums *out) {
  const int m = dual->market->m;
  const bool covariance = out->covariance != NULL;
  const int count = sum_count(m, covariance);
  double *sums = malloc((size_t)count * sizeof *sums);
  if (!sums) return wal_fail(WAL_E_MEMORY, "no memory for the sums of %d goods", m);
  pass p = {dual, point, covariance};
  const wal_status status = wal_sum_chunks(rows, count, pass_body, &p, sums);
  if (status == WAL_OK) {
    if (rows > dual->cached) dual->cached = rows;
    memcpy(out->share, sums, (size_t)m * sizeof *sums);
    out->budget = sums[m + BUDGET];
    out->log_sum = sums[m + LOG_SUM];
    out->linear_gap = sums[m + LINEAR_GAP];
    if (dual->single) out->budget = spent(m, point, out->share);
    const double *triangle = sums + m + SCALARS;
    for (int j = 0; covariance && j < m; j++)
      for (int k = 0; k <= j; k++) out->covariance[j * m + k] = out->covariance[k * m + j] = *triangle++;
  }
  free(sums);
  return status;
}
