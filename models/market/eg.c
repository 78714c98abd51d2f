/* The paper's baselines EG and EG-m (marketfcnet C.1, C.2): gradient descent, without and with momentum, on
   the augmented Lagrangian of the Eisenberg-Gale program over x = softplus(z), one free z_ij per buyer and
   good: L(x; lambda) = -(1/n) sum_i B_i log u_i(x_i) + sum_j lambda_j c_j + (rho/2) sum_j c_j^2, c_j = (1/n)
   sum_i x_ij - Y_j/n,                                              (eqs. 62-64) K steps on z, then lambda_j
   += beta_t rho c_j with beta_t = 1/sqrt(t), t the epoch.

   z and its velocity are float32, as in the paper's framework by default; column sums are double. A step is
   one pass over z: the gradient needs only the buyer's own row and the column means, and the means of the new
   x are summed where they are made. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/common/vmath.h"
#include "models/market/solvers.h"
#include "models/market/welfare.h"

enum { TILE = 128, LANES = 16 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

/* How log u's gradient is computed: d log u / d x_j = y_j / (x_j sum_k y_k) for every alpha, with y_j = */
typedef enum {
  Y_LINEAR, /* w x,               w = v:        alpha = 1 */
  Y_ROOT,   /* w sqrt(x),         w = sqrt(v):  alpha = 1/2 */
  Y_CONST,  /* w,                 w = v:        alpha = 0 */
  Y_POWER,  /* exp(alpha(w+log x)), w = log v:  other alpha */
  Y_LEAST,  /* 1 where w x is least, w = v:     alpha = -inf */
} y_kind;

/* The iterate: tiles of TILE buyers, good by good, w[tile][m][TILE]; buyers past n have budget 0 and do not
 * count. */
typedef struct {
  wal_allocation base;
  int64_t n;
  int m;
  float *z; /* [tiles, m, TILE] */
} eg_allocation;

typedef struct {
  const wal_market *market;
  y_kind kind;
  float alpha, step, momentum;
  float *z;        /* [tiles, m, TILE] of the allocation */
  float *w;        /* [tiles, m, TILE] */
  float *velocity; /* [tiles, m, TILE]; NULL without momentum */
  float *budget;   /* [tiles, TILE] B_i */
  double *mean;    /* [m] (1/n) sum_i x_ij */
  double *lambda;  /* [m] */
  double *price;   /* [m] lambda_j + rho c_j: what a unit of x_ij costs in L, times n */
  double rho;
} eg;

static int64_t tiles(int64_t n) { return (n + TILE - 1) / TILE; }

static wal_status eg_fill(const wal_allocation *allocation, int64_t lo, int64_t hi, double *x) {
  const eg_allocation *a = (const eg_allocation *)allocation;
  for (int64_t i = lo; i < hi; i++) {
    const float *z = a->z + i / TILE * a->m * TILE + i % TILE;
    float slope;
    for (int j = 0; j < a->m; j++) x[(i - lo) * a->m + j] = (double)wal_softplusf(z[j * TILE], &slope);
  }
  return WAL_OK;
}

static void eg_destroy(wal_allocation *allocation) {
  if (allocation) free(((eg_allocation *)allocation)->z);
  free(allocation);
}

static const wal_allocation_ops eg_ops = {"softplus", eg_fill, eg_destroy};

/* ---- one step ---- */

/* y_j and their sum over goods, up to a factor of the buyer's. x, w, y: [m][TILE]. */
static void weights(const eg *s, const float *x, const float *w, float *y, float *sum) {
  const int m = s->market->m;
  float best[TILE];
  const bool compare = s->kind == Y_POWER || s->kind == Y_LEAST;
  for (int t = 0; t < TILE; t++) best[t] = s->kind == Y_LEAST ? INFINITY : -INFINITY, sum[t] = 0.0f;
  for (int j = 0; j < m; j++) {
    const float *xj = x + j * TILE, *wj = w + j * TILE;
    float *yj = y + j * TILE;
    for (int t = 0; s->kind == Y_LINEAR && t < TILE; t++) yj[t] = wj[t] * xj[t];
    for (int t = 0; s->kind == Y_ROOT && t < TILE; t++) yj[t] = wj[t] * sqrtf(xj[t]);
    for (int t = 0; s->kind == Y_CONST && t < TILE; t++) yj[t] = wj[t];
    for (int t = 0; s->kind == Y_LEAST && t < TILE; t++) {
      yj[t] = wj[t] * xj[t];
      best[t] = yj[t] < best[t] ? yj[t] : best[t];
    }
    for (int t = 0; s->kind == Y_POWER && t < TILE; t++) {
      yj[t] = s->alpha * (wj[t] + wal_logf(xj[t]));
      best[t] = yj[t] > best[t] ? yj[t] : best[t];
    }
    for (int t = 0; !compare && t < TILE; t++) sum[t] += yj[t];
  }
  for (int j = 0; compare && j < m; j++) {
    float *yj = y + j * TILE;
    for (int t = 0; s->kind == Y_LEAST && t < TILE; t++) yj[t] = yj[t] == best[t] ? 1.0f : 0.0f;
    for (int t = 0; s->kind == Y_POWER && t < TILE; t++) yj[t] = wal_expf(yj[t] - best[t]);
    for (int t = 0; t < TILE; t++) sum[t] += yj[t];
  }
}

/* Moves one good's z[TILE] down the gradient: dL/dz = (price - B y / (x sum y)) slope / n. */
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

static double sum_rows(const float *x, int rows) {
  double total = 0.0;
  if (rows < TILE) { /* the last tile */
    for (int t = 0; t < rows; t++) total += (double)x[t];
    return total;
  }
  lanes sum = *(const lanes *)x;
  for (int t = LANES; t < TILE; t += LANES) sum += *(const lanes *)(x + t);
  for (int k = 0; k < LANES; k++) total += (double)sum[k];
  return total;
}

typedef struct {
  const eg *s;
  bool move; /* false: only sum the columns */
} eg_pass;

static wal_status pass_body(void *context, int64_t lo, int64_t hi, double *sums) {
  const eg_pass *p = context;
  const eg *s = p->s;
  const int m = s->market->m;
  const size_t size = (size_t)m * TILE;
  float *room = aligned_alloc(64, (3 * size + TILE) * sizeof *room);
  if (!room) return wal_fail(WAL_E_MEMORY, "no memory for %d buyers of %d goods", TILE, m);
  float *x = room, *slope = x + size, *y = slope + size, *spend = y + size;
  const float scale = (float)(1.0 / (double)s->market->n);
  for (int64_t tile = lo / TILE; tile < tiles(hi); tile++) {
    float *z = s->z + (size_t)tile * size;
    const float *budget = s->budget + tile * TILE;
    softplus_tile((int64_t)size, z, x, slope);
    if (p->move) {
      weights(s, x, s->w + (size_t)tile * size, y, spend);
      for (int t = 0; t < TILE; t++) spend[t] = budget[t] / spend[t];
      for (int j = 0; j < m; j++) {
        const size_t at = (size_t)j * TILE;
        descend(z + at, s->velocity ? s->velocity + (size_t)tile * size + at : NULL, x + at, slope + at,
                y + at, spend, (float)s->price[j], scale, s->step, s->momentum);
      }
      softplus_tile((int64_t)size, z, x, slope);
    }
    const int rows = hi - tile * TILE < TILE ? (int)(hi - tile * TILE) : TILE;
    for (int j = 0; j < m; j++) sums[j] += sum_rows(x + j * TILE, rows);
  }
  free(room);
  return WAL_OK;
}

/* One gradient step on z (or none), then the means of x, the constraints' violations and the prices they
 * make. */
static wal_status pass(eg *s, bool move) {
  const int m = s->market->m;
  const double n = (double)s->market->n;
  eg_pass p = {s, move};
  const wal_status status = wal_sum_chunks(s->market->n, m, pass_body, &p, s->mean);
  if (status != WAL_OK) return status;
  for (int j = 0; j < m; j++) {
    s->mean[j] /= n;
    s->price[j] = s->lambda[j] + s->rho * (s->mean[j] - s->market->supply[j] / n);
    if (!isfinite(s->mean[j]))
      return wal_fail(WAL_E_DIVERGED,
                      "the allocation of good %d left the finite numbers; a smaller eg.step may work", j);
  }
  return WAL_OK;
}

/* ---- set-up ---- */

static y_kind kind_of(double alpha) {
  if (alpha == 1.0) return Y_LINEAR;
  if (alpha == 0.5) return Y_ROOT;
  if (alpha == 0.0) return Y_CONST;
  return alpha == -INFINITY ? Y_LEAST : Y_POWER;
}

static float weight_of(y_kind kind, double v) {
  if (kind == Y_ROOT) return (float)sqrt(v);
  return kind == Y_POWER ? (float)log(v) : (float)v;
}

static wal_status load_body(void *context, int64_t lo, int64_t hi) {
  const eg *s = context;
  const int m = s->market->m;
  const size_t rows = (size_t)(hi - lo);
  double *v = malloc(rows * ((size_t)m + 1) * sizeof *v), *budget = v ? v + rows * (size_t)m : NULL;
  if (!v) return wal_fail(WAL_E_MEMORY, "no memory for %zu buyers of %d goods", rows, m);
  const wal_status status = s->market->buyers->ops->rows(s->market->buyers, lo, hi, v, budget);
  for (int64_t i = lo; status == WAL_OK && i < hi; i++) {
    const int64_t at = i / TILE * m * TILE + i % TILE;
    s->budget[i] = (float)budget[i - lo];
    for (int j = 0; j < m; j++) s->w[at + j * TILE] = weight_of(s->kind, v[(i - lo) * m + j]);
  }
  free(v);
  return status;
}

/* The inverse of softplus. */
static double inverse_softplus(double x) { return x > 30.0 ? x : log(expm1(x)); }

/* z_ij such that x_ij = Y_j/n, the naive allocation (eq. 14; the paper does not say it starts there; it
 * hardly matters), lambda_j = lambda_0. */
static void start(eg *s, double lambda0) {
  const int m = s->market->m;
  for (int64_t k = 0; k < tiles(s->market->n) * m; k++) {
    const float z = (float)inverse_softplus(s->market->supply[k % m] / (double)s->market->n);
    for (int t = 0; t < TILE; t++) {
      s->z[k * TILE + t] = z;
      s->w[k * TILE + t] = 1.0f;
    }
  }
  memset(s->budget, 0, (size_t)tiles(s->market->n) * TILE * sizeof *s->budget);
  for (int j = 0; j < m; j++) s->lambda[j] = lambda0;
}

/* ---- the method ---- */

/* One row of the trace; *gap is NaN while some lambda is not positive, when the paper's measures do not
 * exist. */
static wal_status report(const eg *s, const wal_trace *trace, const wal_allocation *x, int epoch,
                         double *gap) {
  static const char *const names[] = {"epoch", "nash_gap", "voa", "vop", "lambda_min", "lambda_max"};
  double least = INFINITY, most = -INFINITY;
  for (int j = 0; j < s->market->m; j++) {
    least = fmin(least, s->lambda[j]);
    most = fmax(most, s->lambda[j]);
  }
  wal_measures measures = {.nash_gap = NAN, .voa = NAN, .vop = NAN};
  const wal_status status = least > 0.0 ? wal_measure(s->market, x, s->lambda, &measures) : WAL_OK;
  if (status != WAL_OK && status != WAL_E_DIVERGED) return status;
  const double values[] = {epoch, measures.nash_gap, measures.voa, measures.vop, least, most};
  wal_trace_row(trace, 6, names, values);
  *gap = measures.nash_gap;
  return WAL_OK;
}

/* Appendix C.2: "only return a result when all lambda_j > 0". */
static wal_status check_prices(const eg *s) {
  for (int j = 0; j < s->market->m; j++)
    if (!(s->lambda[j] > 0.0))
      return wal_fail(
          WAL_E_DIVERGED,
          "lambda of good %d ended at %g; a result needs all of them positive (a larger eg.lambda0, more "
          "eg.epochs or a larger eg.step may work)",
          j, s->lambda[j]);
  return WAL_OK;
}

static wal_status iterate(eg *s, const wal_solver_options *options, const wal_trace *trace,
                          wal_solution *solution) {
  const int inner = options->eg.inner ? options->eg.inner : s->market->n > 1000 ? 1000 : 100;
  wal_status status = pass(s, false);
  for (int epoch = 1; status == WAL_OK && epoch <= options->eg.epochs; epoch++) {
    for (int k = 0; status == WAL_OK && k < inner; k++) {
      status = pass(s, true);
      if (k % 100 == 0)
        wal_trace_progress(trace, (epoch - 1 + (double)k / inner) / options->eg.epochs, "gradient steps");
    }
    if (status != WAL_OK) break;
    solution->iterations += inner;
    for (int j = 0; j < s->market->m; j++) { /* price_j - lambda_j = rho c_j */
      s->lambda[j] += (s->price[j] - s->lambda[j]) / sqrt(epoch);
      s->price[j] = s->lambda[j] + s->rho * (s->mean[j] - s->market->supply[j] / (double)s->market->n);
    }
    double gap = NAN;
    status = report(s, trace, solution->allocation, epoch, &gap);
    if (options->eg.early_stop && gap < options->eg.stop_gap) break;
  }
  return status == WAL_OK ? check_prices(s) : status;
}

static void free_state(eg *s) {
  free(s->w);
  free(s->velocity);
  free(s->budget);
  free(s->mean);
}

static wal_status allocate(eg *s, bool with_momentum, wal_solution *solution) {
  const size_t m = (size_t)s->market->m, rows = (size_t)tiles(s->market->n) * TILE,
               bytes = rows * m * sizeof(float);
  eg_allocation *x = calloc(1, sizeof *x);
  if (x) {
    *x = (eg_allocation){.base.ops = &eg_ops, .n = s->market->n, .m = s->market->m};
    x->z = aligned_alloc(64, bytes);
    s->z = x->z;
    solution->allocation = &x->base;
  }
  s->w = aligned_alloc(64, bytes);
  if (with_momentum) s->velocity = aligned_alloc(64, bytes);
  s->budget = aligned_alloc(64, rows * sizeof *s->budget);
  s->mean = malloc(2 * m * sizeof *s->mean);
  solution->price = malloc(m * sizeof *solution->price);
  if (!x || !s->z || !s->w || (with_momentum && !s->velocity) || !s->budget || !s->mean || !solution->price)
    return wal_fail(WAL_E_MEMORY, "no memory for the iterate of %lld buyers and %d goods (%.3g GB)",
                    (long long)s->market->n, s->market->m, (with_momentum ? 3e-9 : 2e-9) * (double)bytes);
  s->price = s->mean + m;
  s->lambda = solution->price;
  if (with_momentum) memset(s->velocity, 0, bytes);
  return WAL_OK;
}

static wal_status solve(const wal_market *market, const wal_solver_options *options, const wal_trace *trace,
                        bool with_momentum, wal_solution *solution) {
  *solution = (wal_solution){.certified_gap = NAN};
  const bool many = (options->eg.as_if_n > 0 ? options->eg.as_if_n : market->n) > 1000; /* C.2's rule */
  const double rule = (many ? 1e3 : 1.0) * (market->alpha == 1.0 ? 0.1 : 1.0);
  eg s = {.market = market,
          .kind = kind_of(market->alpha),
          .alpha = (float)market->alpha,
          .rho = options->eg.rho};
  const double as_if = options->eg.as_if_n > 0 ? (double)market->n / (double)options->eg.as_if_n : 1.0;
  s.step = (float)(as_if * (options->eg.step > 0.0 ? options->eg.step : rule));
  s.momentum = (float)options->eg.momentum;
  wal_status status = allocate(&s, with_momentum, solution);
  if (status == WAL_OK) {
    start(&s, options->eg.lambda0);
    status = wal_for_chunks(market->n, load_body, &s);
  }
  if (status == WAL_OK) status = iterate(&s, options, trace, solution);
  free_state(&s);
  if (status != WAL_OK) wal_solution_destroy(solution);
  return status;
}

static wal_status solve_eg(const wal_market *market, const wal_solver_options *options,
                           const wal_trace *trace, wal_solution *solution) {
  return solve(market, options, trace, false, solution);
}

static wal_status solve_eg_m(const wal_market *market, const wal_solver_options *options,
                             const wal_trace *trace, wal_solution *solution) {
  return solve(market, options, trace, true, solution);
}

const wal_solver wal_solver_eg = {"eg",
                                  "EG",
                                  "marketfcnet, appendices C.1 and C.2",
                                  .alpha = "[-inf, 1]",
                                  .sizes = "8 bytes per buyer and good",
                                  .devices = "cpu",
                                  .solve = solve_eg};
const wal_solver wal_solver_eg_m = {"eg_m",
                                    "EG-m",
                                    "marketfcnet, appendices C.1 and C.2",
                                    .alpha = "[-inf, 1]",
                                    .sizes = "12 bytes per buyer and good",
                                    .devices = "cpu",
                                    .solve = solve_eg_m};
