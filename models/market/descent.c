#include "models/market/descent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/common/vmath.h"

enum { TILE = 128, LANES = 16 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

static int64_t tiles(int64_t n) { return (n + TILE - 1) / TILE; }

/* ---- the allocation ---- */

struct wal_descent_allocation {
  wal_allocation base;
  int m;
  float *z, *size; /* [tiles, m, TILE], [tiles, TILE] */
  double unit[];   /* [m] */
};

static wal_status descent_fill(const wal_allocation *allocation, int64_t lo, int64_t hi, double *x) {
  const wal_descent_allocation *a = (const wal_descent_allocation *)allocation;
  for (int64_t i = lo; i < hi; i++) {
    const float *z = a->z + i / TILE * a->m * TILE + i % TILE;
    float slope;
    for (int j = 0; j < a->m; j++)
      x[(i - lo) * a->m + j] = a->unit[j] * (double)(a->size[i] * wal_softplusf(z[j * TILE], &slope));
  }
  return WAL_OK;
}

static void descent_destroy(wal_allocation *allocation) {
  wal_descent_allocation *a = (wal_descent_allocation *)allocation;
  if (a) free(a->z), free(a->size);
  free(a);
}

static const wal_allocation_ops descent_ops = {"softplus", descent_fill, descent_destroy};

/* ---- one step ---- */

/* y_j and their sum over goods, up to a factor of the buyer's. x, w, y: [m][TILE]. */
static void weights(const wal_descent *s, const float *x, const float *w, float *y, float *sum) {
  const int m = s->market->m;
  float best[TILE];
  const bool compare = s->kind == WAL_DESCENT_POWER || s->kind == WAL_DESCENT_LEAST;
  for (int t = 0; t < TILE; t++) best[t] = s->kind == WAL_DESCENT_LEAST ? INFINITY : -INFINITY, sum[t] = 0.0f;
  for (int j = 0; j < m; j++) {
    const float *xj = x + j * TILE, *wj = w + j * TILE;
    float *yj = y + j * TILE;
    for (int t = 0; s->kind == WAL_DESCENT_LINEAR && t < TILE; t++) yj[t] = wj[t] * xj[t];
    for (int t = 0; s->kind == WAL_DESCENT_ROOT && t < TILE; t++) yj[t] = wj[t] * sqrtf(xj[t]);
    for (int t = 0; s->kind == WAL_DESCENT_CONST && t < TILE; t++) yj[t] = wj[t];
    for (int t = 0; s->kind == WAL_DESCENT_LEAST && t < TILE; t++) {
      yj[t] = wj[t] * xj[t];
      best[t] = yj[t] < best[t] ? yj[t] : best[t];
    }
    for (int t = 0; s->kind == WAL_DESCENT_POWER && t < TILE; t++) {
      yj[t] = s->alpha * (wj[t] + wal_logf(xj[t]));
      best[t] = yj[t] > best[t] ? yj[t] : best[t];
    }
    for (int t = 0; !compare && t < TILE; t++) sum[t] += yj[t];
  }
  for (int j = 0; compare && j < m; j++) {
    float *yj = y + j * TILE;
    for (int t = 0; s->kind == WAL_DESCENT_LEAST && t < TILE; t++) yj[t] = yj[t] == best[t] ? 1.0f : 0.0f;
    for (int t = 0; s->kind == WAL_DESCENT_POWER && t < TILE; t++) yj[t] = wal_expf(yj[t] - best[t]);
    for (int t = 0; t < TILE; t++) sum[t] += yj[t];
  }
}

/* Moves one good's z[TILE] down the gradient: (price - pull y / (x sum y)) slope scale. */
static inline void descend(float *z, float *velocity, const float *x, const float *slope, const float *y,
                           const float *spend, float price, float scale, float step, float momentum) {
  if (velocity) {
#pragma omp simd
    for (int t = 0; t < TILE; t++) {
      velocity[t] = momentum * velocity[t] + (price - spend[t] * y[t] / x[t]) * slope[t] * scale;
      z[t] -= step * velocity[t];
    }
  } else {
#pragma omp simd
    for (int t = 0; t < TILE; t++) z[t] -= step * ((price - spend[t] * y[t] / x[t]) * slope[t] * scale);
  }
}

static void softplus_tile(int64_t count, const float *z, float *x, float *slope) {
#pragma omp simd
  for (int64_t k = 0; k < count; k++) x[k] = wal_softplusf(z[k], &slope[k]);
}

static double sum_rows(const float *x, const float *size, int rows) {
  double total = 0.0;
  if (rows < TILE) { /* the last tile */
    for (int t = 0; t < rows; t++) total += (double)(size[t] * x[t]);
    return total;
  }
  lanes sum = *(const lanes *)size * *(const lanes *)x;
  for (int t = LANES; t < TILE; t += LANES) sum += *(const lanes *)(size + t) * *(const lanes *)(x + t);
  for (int k = 0; k < LANES; k++) total += (double)sum[k];
  return total;
}

typedef struct {
  const wal_descent *s;
  bool move; /* false: only sum the columns */
} descent_pass;

static wal_status pass_body(void *context, int64_t lo, int64_t hi, double *sums) {
  const descent_pass *p = context;
  const wal_descent *s = p->s;
  const int m = s->market->m;
  const size_t cells = (size_t)m * TILE;
  float *room = aligned_alloc(64, (3 * cells + TILE) * sizeof *room);
  if (!room) return wal_fail(WAL_E_MEMORY, "no memory for %d buyers of %d goods", TILE, m);
  float *x = room, *slope = x + cells, *y = slope + cells, *spend = y + cells;
  for (int64_t tile = lo / TILE; tile < tiles(hi); tile++) {
    float *z = s->x->z + (size_t)tile * cells;
    const float *pull = s->pull + tile * TILE, *size = s->x->size + tile * TILE;
    softplus_tile((int64_t)cells, z, x, slope);
    if (p->move) {
      weights(s, x, s->w + (size_t)tile * cells, y, spend);
      for (int t = 0; t < TILE; t++) spend[t] = pull[t] / spend[t];
      for (int j = 0; j < m; j++) {
        const size_t at = (size_t)j * TILE;
        descend(z + at, s->velocity ? s->velocity + (size_t)tile * cells + at : NULL, x + at, slope + at,
                y + at, spend, (float)s->price[j], s->scale, s->step, s->momentum);
      }
      softplus_tile((int64_t)cells, z, x, slope);
    }
    const int rows = hi - tile * TILE < TILE ? (int)(hi - tile * TILE) : TILE;
    for (int j = 0; j < m; j++) sums[j] += sum_rows(x + j * TILE, size, rows);
  }
  free(room);
  return WAL_OK;
}

wal_status wal_descent_pass(wal_descent *s, bool move) {
  const descent_pass p = {s, move};
  const wal_status status =
      wal_sum_chunks(s->market->n, s->market->m, pass_body, (void *)(uintptr_t)&p, s->mean);
  if (status != WAL_OK) return status;
  for (int j = 0; j < s->market->m; j++) {
    s->mean[j] /= (double)s->market->n;
    if (!isfinite(s->mean[j]))
      return wal_fail(
          WAL_E_DIVERGED,
          "the allocation of good %d left the finite numbers; a smaller eg.step or eg_scaled.step may work",
          j);
  }
  return WAL_OK;
}

/* ---- set-up ---- */

static wal_descent_kind kind_of(double alpha) {
  if (alpha == 1.0) return WAL_DESCENT_LINEAR;
  if (alpha == 0.5) return WAL_DESCENT_ROOT;
  if (alpha == 0.0) return WAL_DESCENT_CONST;
  return alpha == -INFINITY ? WAL_DESCENT_LEAST : WAL_DESCENT_POWER;
}

static float weight_of(wal_descent_kind kind, double v) {
  if (kind == WAL_DESCENT_ROOT) return (float)sqrt(v);
  return kind == WAL_DESCENT_POWER ? (float)log(v) : (float)v;
}

static wal_status load_body(void *context, int64_t lo, int64_t hi, double *total) {
  const wal_descent *s = context;
  const int m = s->market->m;
  const size_t rows = (size_t)(hi - lo);
  double *v = malloc(rows * ((size_t)m + 1) * sizeof *v), *budget = v ? v + rows * (size_t)m : NULL;
  if (!v) return wal_fail(WAL_E_MEMORY, "no memory for %zu buyers of %d goods", rows, m);
  const wal_status status = s->market->buyers->ops->rows(s->market->buyers, lo, hi, v, budget);
  for (int64_t i = lo; status == WAL_OK && i < hi; i++) {
    const int64_t at = i / TILE * m * TILE + i % TILE;
    s->pull[i] = (float)budget[i - lo];
    total[0] += budget[i - lo];
    for (int j = 0; j < m; j++) /* Cobb-Douglas weights do not depend on the unit */
      s->w[at + j * TILE] =
          weight_of(s->kind, (s->market->alpha == 0.0 ? 1.0 : s->x->unit[j]) * v[(i - lo) * m + j]);
  }
  free(v);
  return status;
}

/* The inverse of softplus. */
static double inverse_softplus(double x) { return x > 30.0 ? x : log(expm1(x)); }

/* z_ij such that x_ij = Y_j/n for a buyer of size 1, the naive allocation (eq. 14; the paper does not say it
 * starts there; it hardly matters). */
static void start(wal_descent *s) {
  const int m = s->market->m;
  const int64_t rows = tiles(s->market->n) * TILE;
  for (int64_t k = 0; k < rows / TILE * m; k++) {
    const float z =
        (float)inverse_softplus(s->market->supply[k % m] / (double)s->market->n / s->x->unit[k % m]);
    for (int t = 0; t < TILE; t++) {
      s->x->z[k * TILE + t] = z;
      s->w[k * TILE + t] = 1.0f;
    }
  }
  for (int64_t i = 0; i < rows; i++) s->x->size[i] = 1.0f;
  memset(s->pull, 0, (size_t)rows * sizeof *s->pull);
}

static wal_status allocate(wal_descent *s) {
  const size_t m = (size_t)s->market->m, rows = (size_t)tiles(s->market->n) * TILE,
               bytes = rows * m * sizeof(float);
  s->x = calloc(1, sizeof *s->x + m * sizeof(double));
  if (s->x) {
    s->x->base.ops = &descent_ops;
    s->x->m = s->market->m;
    s->x->z = aligned_alloc(64, bytes);
    s->x->size = aligned_alloc(64, rows * sizeof(float));
  }
  s->w = aligned_alloc(64, bytes);
  if (s->momentum > 0.0f) s->velocity = aligned_alloc(64, bytes);
  s->pull = aligned_alloc(64, rows * sizeof *s->pull);
  s->mean = malloc(2 * m * sizeof *s->mean);
  if (!s->x || !s->x->z || !s->x->size || !s->w || (s->momentum > 0.0f && !s->velocity) || !s->pull ||
      !s->mean)
    return wal_fail(WAL_E_MEMORY, "no memory for the iterate of %lld buyers and %d goods (%.3g GB)",
                    (long long)s->market->n, s->market->m, (s->velocity ? 3e-9 : 2e-9) * (double)bytes);
  s->price = s->mean + m;
  if (s->velocity) memset(s->velocity, 0, bytes);
  return WAL_OK;
}

wal_status wal_descent_create(const wal_market *market, bool scaled, double step, double momentum,
                              wal_descent *s) {
  *s = (wal_descent){.market = market,
                     .kind = kind_of(market->alpha),
                     .alpha = (float)market->alpha,
                     .step = (float)step,
                     .momentum = (float)momentum,
                     .scale = scaled ? 1.0f : (float)(1.0 / (double)market->n)};
  wal_status status = allocate(s);
  if (status != WAL_OK) return status;
  for (int j = 0; j < market->m; j++) s->x->unit[j] = scaled ? market->supply[j] / (double)market->n : 1.0;
  start(s);
  status = wal_sum_chunks(market->n, 1, load_body, s, &s->budget);
  for (int64_t i = 0; scaled && status == WAL_OK && i < market->n; i++) {
    s->x->size[i] = (float)(s->pull[i] * (double)market->n / s->budget);
    s->pull[i] = 1.0f;
  }
  return status;
}

void wal_descent_destroy(wal_descent *s) {
  if (s->x) wal_allocation_destroy(&s->x->base);
  free(s->w);
  free(s->velocity);
  free(s->pull);
  free(s->mean);
}

const wal_allocation *wal_descent_allocation_of(const wal_descent *s) { return &s->x->base; }

wal_allocation *wal_descent_release(wal_descent *s) {
  wal_allocation *x = &s->x->base;
  s->x = NULL;
  return x;
}
