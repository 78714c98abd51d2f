#include "models/market/descent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/device.h"
#include "models/common/parallel.h"
#include "models/market/descent_step.h"

/* ---- what members share ---- */

wal_status wal_descent_diverged(int j) {
  return wal_fail(
      WAL_E_DIVERGED,
      "the allocation of good %d left the finite numbers; a smaller eg.step or eg_scaled.step may work", j);
}

double wal_descent_unit(const wal_descent *s, int j) {
  return s->scaled ? s->market->supply[j] / (double)s->market->n : 1.0;
}

/* The inverse of softplus. */
static double inverse_softplus(double x) { return x > 30.0 ? x : log(expm1(x)); }

/* The naive allocation (eq. 14; the paper does not say it starts there; it hardly matters). */
float wal_descent_start(const wal_descent *s, int j) {
  return (float)inverse_softplus(s->market->supply[j] / (double)s->market->n / wal_descent_unit(s, j));
}

static wal_descent_kind kind_of(double alpha) {
  if (alpha == 1.0) return WAL_DESCENT_LINEAR;
  if (alpha == 0.5) return WAL_DESCENT_ROOT;
  if (alpha == 0.0) return WAL_DESCENT_CONST;
  return alpha == -INFINITY ? WAL_DESCENT_LEAST : WAL_DESCENT_POWER;
}

wal_status wal_descent_create(const wal_market *market, bool scaled, double step, double momentum,
                              wal_descent_rule rule, wal_descent *s) {
  const size_t m = (size_t)market->m;
  *s = (wal_descent){.market = market,
                     .scaled = scaled,
                     .kind = kind_of(market->alpha),
                     .alpha = (float)market->alpha,
                     .step = (float)step,
                     .momentum = (float)momentum,
                     .scale = scaled ? 1.0f : (float)(1.0 / (double)market->n),
                     .rule = rule,
                     .mean = calloc(3 * m, sizeof *s->mean)};
  if (!s->mean) return wal_fail(WAL_E_MEMORY, "no memory for %d prices", market->m);
  s->price = s->mean + m;
  s->lambda = s->price + m;
  const wal_device *device = wal_device_now();
  s->ops = device->descent ? device->descent : &wal_descent_cpu;
  return s->ops->create(s);
}

void wal_descent_destroy(wal_descent *s) {
  if (s->ops) s->ops->destroy(s);
  free(s->mean);
}

wal_status wal_descent_run(wal_descent *s, int steps) { return s->ops->run(s, steps); }
const wal_allocation *wal_descent_allocation_of(const wal_descent *s) { return s->ops->allocation(s); }
wal_allocation *wal_descent_release(wal_descent *s) { return s->ops->release(s); }

/* ---- the CPU's member: tiles of 128 buyers, good by good, [tiles, m, TILE]; buyers past n have no pull and
   do not count ---- */

enum { TILE = 128, LANES = 16 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

static int64_t tiles(int64_t n) { return (n + TILE - 1) / TILE; }

typedef struct {
  wal_allocation base;
  int m;
  float *z, *size; /* [tiles, m, TILE], [tiles, TILE] */
  double unit[];   /* [m] */
} tiled_allocation;

typedef struct {
  tiled_allocation *x; /* owned: z, size, unit */
  float *w;            /* [tiles, m, TILE] */
  float *velocity;     /* [tiles, m, TILE]; NULL without momentum */
  float *pull;         /* [tiles, TILE] */
} tiled;

static wal_status tiled_fill(const wal_allocation *allocation, int64_t lo, int64_t hi, double *x) {
  const tiled_allocation *a = (const tiled_allocation *)allocation;
  for (int64_t i = lo; i < hi; i++) {
    const float *z = a->z + i / TILE * a->m * TILE + i % TILE;
    float slope;
    for (int j = 0; j < a->m; j++)
      x[(i - lo) * a->m + j] = a->unit[j] * (double)(a->size[i] * wal_softplusf(z[j * TILE], &slope));
  }
  return WAL_OK;
}

static void tiled_free(wal_allocation *allocation) {
  tiled_allocation *a = (tiled_allocation *)allocation;
  if (a) free(a->z), free(a->size);
  free(a);
}

static const wal_allocation_ops tiled_ops = {"softplus", tiled_fill, tiled_free};

/* ---- one step ---- */

/* One good's scores y[TILE], and the best so far of every buyer or the sum. One kind, known when compiled. */
static inline __attribute__((always_inline)) void score(wal_descent_kind kind, float alpha, const float *w,
                                                        const float *x, float *y, float *best, float *sum) {
  for (int t = 0; t < TILE; t++) y[t] = wal_descent_score(kind, alpha, w[t], x[t]);
  for (int t = 0; wal_descent_compares(kind) && t < TILE; t++)
    best[t] = wal_descent_better(kind, y[t], best[t]);
  for (int t = 0; !wal_descent_compares(kind) && t < TILE; t++) sum[t] += y[t];
}

static void score_good(const wal_descent *s, const float *w, const float *x, float *y, float *best,
                       float *sum) {
  switch (s->kind) {
    case WAL_DESCENT_LINEAR:
      score(WAL_DESCENT_LINEAR, s->alpha, w, x, y, best, sum);
      break;
    case WAL_DESCENT_ROOT:
      score(WAL_DESCENT_ROOT, s->alpha, w, x, y, best, sum);
      break;
    case WAL_DESCENT_CONST:
      score(WAL_DESCENT_CONST, s->alpha, w, x, y, best, sum);
      break;
    case WAL_DESCENT_POWER:
      score(WAL_DESCENT_POWER, s->alpha, w, x, y, best, sum);
      break;
    case WAL_DESCENT_LEAST:
      score(WAL_DESCENT_LEAST, s->alpha, w, x, y, best, sum);
      break;
  }
}

/* y_j and their sum over goods, up to a factor of the buyer's. x, w, y: [m][TILE]. */
static void weights(const wal_descent *s, const float *x, const float *w, float *y, float *sum) {
  float best[TILE];
  for (int t = 0; t < TILE; t++) best[t] = wal_descent_worst(s->kind), sum[t] = 0.0f;
  for (int j = 0; j < s->market->m; j++) score_good(s, w + j * TILE, x + j * TILE, y + j * TILE, best, sum);
  for (int j = 0; wal_descent_compares(s->kind) && j < s->market->m; j++) {
    float *yj = y + j * TILE;
    if (s->kind == WAL_DESCENT_LEAST)
      for (int t = 0; t < TILE; t++) yj[t] = wal_descent_compared(WAL_DESCENT_LEAST, yj[t], best[t]);
    else
      for (int t = 0; t < TILE; t++) yj[t] = wal_descent_compared(WAL_DESCENT_POWER, yj[t], best[t]);
    for (int t = 0; t < TILE; t++) sum[t] += yj[t];
  }
}

/* Moves one good's z[TILE] down the gradient: (price - pull y / (x sum y)) slope scale. */
static inline void descend(float *z, float *velocity, const float *x, const float *slope, const float *y,
                           const float *spend, float price, float scale, float step, float momentum) {
  if (velocity) {
#pragma omp simd
    for (int t = 0; t < TILE; t++) {
      velocity[t] =
          momentum * velocity[t] + wal_descent_gradient(price, spend[t], y[t], x[t], slope[t], scale);
      z[t] -= step * velocity[t];
    }
  } else {
#pragma omp simd
    for (int t = 0; t < TILE; t++)
      z[t] -= step * wal_descent_gradient(price, spend[t], y[t], x[t], slope[t], scale);
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
  const tiled *own = s->state;
  const int m = s->market->m;
  const size_t cells = (size_t)m * TILE;
  float *room = aligned_alloc(64, (3 * cells + TILE) * sizeof *room);
  if (!room) return wal_fail(WAL_E_MEMORY, "no memory for %d buyers of %d goods", TILE, m);
  float *x = room, *slope = x + cells, *y = slope + cells, *spend = y + cells;
  for (int64_t tile = lo / TILE; tile < tiles(hi); tile++) {
    float *z = own->x->z + (size_t)tile * cells;
    const float *pull = own->pull + tile * TILE, *size = own->x->size + tile * TILE;
    softplus_tile((int64_t)cells, z, x, slope);
    if (p->move) {
      weights(s, x, own->w + (size_t)tile * cells, y, spend);
      for (int t = 0; t < TILE; t++) spend[t] = pull[t] / spend[t];
      for (int j = 0; j < m; j++) {
        const size_t at = (size_t)j * TILE;
        descend(z + at, own->velocity ? own->velocity + (size_t)tile * cells + at : NULL, x + at, slope + at,
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

/* One gradient step (or none), then mean[m]. */
static wal_status pass(wal_descent *s, bool move) {
  const descent_pass p = {s, move};
  const wal_status status =
      wal_sum_chunks(s->market->n, s->market->m, pass_body, (void *)(uintptr_t)&p, s->mean);
  if (status != WAL_OK) return status;
  for (int j = 0; j < s->market->m; j++) {
    s->mean[j] /= (double)s->market->n;
    if (!isfinite(s->mean[j])) return wal_descent_diverged(j);
  }
  return WAL_OK;
}

static wal_status tiled_run(wal_descent *s, int steps) {
  const wal_market *market = s->market;
  for (int k = 0; k < (steps > 0 ? steps : 1); k++) {
    const wal_status status = pass(s, steps > 0);
    if (status != WAL_OK) return status;
    for (int j = 0; j < market->m; j++)
      s->price[j] =
          wal_descent_price(s->rule, s->mean[j], market->supply[j] / (double)market->n, &s->lambda[j]);
  }
  return WAL_OK;
}

/* ---- set-up ---- */

static wal_status load_body(void *context, int64_t lo, int64_t hi, double *total) {
  const wal_descent *s = context;
  const tiled *own = s->state;
  const int m = s->market->m;
  const size_t rows = (size_t)(hi - lo);
  double *v = malloc(rows * ((size_t)m + 1) * sizeof *v), *budget = v ? v + rows * (size_t)m : NULL;
  if (!v) return wal_fail(WAL_E_MEMORY, "no memory for %zu buyers of %d goods", rows, m);
  const wal_status status = s->market->buyers->ops->rows(s->market->buyers, lo, hi, v, budget);
  for (int64_t i = lo; status == WAL_OK && i < hi; i++) {
    const int64_t at = i / TILE * m * TILE + i % TILE;
    own->pull[i] = (float)budget[i - lo];
    total[0] += budget[i - lo];
    for (int j = 0; j < m; j++) /* Cobb-Douglas weights do not depend on the unit */
      own->w[at + j * TILE] = wal_descent_weight(
          s->kind, (s->market->alpha == 0.0 ? 1.0 : own->x->unit[j]) * v[(i - lo) * m + j]);
  }
  free(v);
  return status;
}

static void start(const wal_descent *s) {
  const tiled *own = s->state;
  const int m = s->market->m;
  const int64_t rows = tiles(s->market->n) * TILE;
  for (int64_t k = 0; k < rows / TILE * m; k++) {
    const float z = wal_descent_start(s, (int)(k % m));
    for (int t = 0; t < TILE; t++) own->x->z[k * TILE + t] = z, own->w[k * TILE + t] = 1.0f;
  }
  for (int64_t i = 0; i < rows; i++) own->x->size[i] = 1.0f;
  memset(own->pull, 0, (size_t)rows * sizeof *own->pull);
}

static wal_status allocate(wal_descent *s) {
  const size_t m = (size_t)s->market->m, rows = (size_t)tiles(s->market->n) * TILE,
               bytes = rows * m * sizeof(float);
  const bool moves = s->momentum > 0.0f; /* a velocity is kept */
  tiled *own = s->state = calloc(1, sizeof *own);
  if (own) own->x = calloc(1, sizeof *own->x + m * sizeof(double));
  if (own && own->x) {
    *own->x = (tiled_allocation){{&tiled_ops}, s->market->m, .z = aligned_alloc(64, bytes)};
    own->x->size = aligned_alloc(64, rows * sizeof(float));
    own->w = aligned_alloc(64, bytes);
    own->pull = aligned_alloc(64, rows * sizeof *own->pull);
    if (moves) own->velocity = aligned_alloc(64, bytes);
  }
  if (!own || !own->x || !own->x->z || !own->x->size || !own->w || !own->pull || (moves && !own->velocity))
    return wal_fail(WAL_E_MEMORY, "no memory for the iterate of %lld buyers and %d goods (%.3g GB)",
                    (long long)s->market->n, s->market->m, (moves ? 3e-9 : 2e-9) * (double)bytes);
  if (moves) memset(own->velocity, 0, bytes);
  return WAL_OK;
}

static wal_status tiled_create(wal_descent *s) {
  const wal_market *market = s->market;
  wal_status status = allocate(s);
  if (status != WAL_OK) return status;
  const tiled *own = s->state;
  for (int j = 0; j < market->m; j++) own->x->unit[j] = wal_descent_unit(s, j);
  start(s);
  status = wal_sum_chunks(market->n, 1, load_body, s, &s->budget);
  for (int64_t i = 0; s->scaled && status == WAL_OK && i < market->n; i++) {
    own->x->size[i] = (float)(own->pull[i] * (double)market->n / s->budget);
    own->pull[i] = 1.0f;
  }
  return status;
}

static void tiled_destroy(wal_descent *s) {
  tiled *own = s->state;
  if (!own) return;
  tiled_free(own->x ? &own->x->base : NULL);
  free(own->w);
  free(own->velocity);
  free(own->pull);
  free(own);
}

static const wal_allocation *tiled_allocation_of(const wal_descent *s) {
  return &((const tiled *)s->state)->x->base;
}

static wal_allocation *tiled_release(wal_descent *s) {
  tiled *own = s->state;
  wal_allocation *x = &own->x->base;
  own->x = NULL;
  return x;
}

const struct wal_descent_ops wal_descent_cpu = {"cpu",         tiled_create, tiled_run, tiled_allocation_of,
                                                tiled_release, tiled_destroy};
