#include "models/market/market.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/common/vmath.h"
#include "models/market/welfare.h"

/* ---- sources ---- */

typedef struct {
  wal_source base;
  int m;
  const double *values, *budget; /* borrowed: [n, m], [n] or NULL */
} dense_source;

static wal_status dense_rows(const wal_source *source, int64_t lo, int64_t hi, double *v, double *budget) {
  const dense_source *s = (const dense_source *)source;
  const size_t m = (size_t)s->m, rows = (size_t)(hi - lo);
  if (v) memcpy(v, s->values + (size_t)lo * m, rows * m * sizeof *v);
  if (budget && s->budget) memcpy(budget, s->budget + lo, rows * sizeof *budget);
  for (size_t i = 0; budget && !s->budget && i < rows; i++) budget[i] = 1.0;
  return WAL_OK;
}

static void free_source(wal_source *source) { free(source); }

static const wal_source_ops dense_source_ops = {"dense", dense_rows, NULL, free_source, NULL, NULL};

wal_status wal_source_dense(int64_t n, int m, const double *values, const double *budget, wal_source **out) {
  *out = NULL;
  if (n < 1 || m < 1)
    return wal_fail(WAL_E_INPUT, "a market of %lld buyers and %d goods; expected at least 1 of each",
                    (long long)n, m);
  dense_source *s = malloc(sizeof *s);
  if (!s) return wal_fail(WAL_E_MEMORY, "no memory for a source");
  *s = (dense_source){.base.ops = &dense_source_ops, .m = m, .values = values, .budget = budget};
  *out = &s->base;
  return WAL_OK;
}

wal_status wal_source_columns(const wal_source *source, int m, int64_t lo, int64_t hi, int64_t stride,
                              double *v, double *budget) {
  if (source->ops->columns) return source->ops->columns(source, lo, hi, stride, v, budget);
  double *room = malloc((size_t)(hi - lo) * (size_t)m * sizeof *room);
  if (!room) return wal_fail(WAL_E_MEMORY, "no memory for %lld buyers of %d goods", (long long)(hi - lo), m);
  const wal_status status = source->ops->rows(source, lo, hi, room, budget);
  for (int j = 0; status == WAL_OK && j < m; j++)
    for (int64_t t = 0; t < hi - lo; t++) v[j * stride + t] = room[t * m + j];
  free(room);
  return status;
}

wal_status wal_source_columns32(const wal_source *source, int m, int64_t lo, int64_t hi, int64_t stride,
                                float *v, float *budget) {
  if (source->ops->columns32) return source->ops->columns32(source, lo, hi, stride, v, budget);
  const int64_t rows = hi - lo;
  double *room = malloc((size_t)rows * ((size_t)m + 1) * sizeof *room),
         *money = room ? room + rows * m : NULL;
  if (!room) return wal_fail(WAL_E_MEMORY, "no memory for %lld buyers of %d goods", (long long)rows, m);
  const wal_status status =
      wal_source_columns(source, m, lo, hi, rows, v ? room : NULL, budget ? money : NULL);
  for (int64_t t = 0; status == WAL_OK && budget && t < rows; t++) budget[t] = (float)money[t];
  for (int j = 0; status == WAL_OK && v && j < m; j++)
    for (int64_t t = 0; t < rows; t++) v[j * stride + t] = (float)room[j * rows + t];
  free(room);
  return status;
}

void wal_source_destroy(wal_source *source) {
  if (source && source->ops->destroy) source->ops->destroy(source);
}

/* ---- allocations ---- */

void wal_allocation_destroy(wal_allocation *allocation) {
  if (allocation && allocation->ops->destroy) allocation->ops->destroy(allocation);
}

static void free_allocation(wal_allocation *allocation) { free(allocation); }

typedef struct {
  wal_allocation base;
  int m;
  double x[]; /* [m] */
} constant_allocation;

static wal_status constant_fill(const wal_allocation *allocation, int64_t lo, int64_t hi, double *x) {
  const constant_allocation *a = (const constant_allocation *)allocation;
  for (int64_t i = 0; i < hi - lo; i++) memcpy(x + i * a->m, a->x, (size_t)a->m * sizeof *x);
  return WAL_OK;
}

static const wal_allocation_ops constant_ops = {"constant", constant_fill, free_allocation};

wal_status wal_allocation_constant(int m, const double *x, wal_allocation **out) {
  *out = NULL;
  constant_allocation *a = malloc(sizeof *a + (size_t)m * sizeof *x);
  if (!a) return wal_fail(WAL_E_MEMORY, "no memory for an allocation of %d goods", m);
  a->base.ops = &constant_ops;
  a->m = m;
  memcpy(a->x, x, (size_t)m * sizeof *x);
  *out = &a->base;
  return WAL_OK;
}

const double *wal_allocation_constant_of(const wal_allocation *allocation) {
  return allocation->ops == &constant_ops ? ((const constant_allocation *)allocation)->x : NULL;
}

typedef struct {
  wal_allocation base;
  int m;
  double *x; /* [n, m] owned */
} dense_allocation;

static wal_status dense_fill(const wal_allocation *allocation, int64_t lo, int64_t hi, double *x) {
  const dense_allocation *a = (const dense_allocation *)allocation;
  memcpy(x, a->x + lo * a->m, (size_t)(hi - lo) * (size_t)a->m * sizeof *x);
  return WAL_OK;
}

static void dense_destroy(wal_allocation *allocation) {
  free(((dense_allocation *)allocation)->x);
  free(allocation);
}

static const wal_allocation_ops dense_ops = {"dense", dense_fill, dense_destroy};

wal_status wal_allocation_dense(int64_t n, int m, double *x, wal_allocation **out) {
  (void)n;
  *out = NULL;
  dense_allocation *a = malloc(sizeof *a);
  if (!a) {
    free(x);
    return wal_fail(WAL_E_MEMORY, "no memory for an allocation");
  }
  *a = (dense_allocation){.base.ops = &dense_ops, .m = m, .x = x};
  *out = &a->base;
  return WAL_OK;
}

typedef struct {
  wal_allocation base;
  const wal_market *market; /* borrowed */
  double power;             /* r of the shares; NaN: the demand of the market's own alpha */
  double price_scale[];     /* [2m]: prices, then the factor of each good */
} demand_allocation;

/* The market's own demand, where its shares are no powers (or prices may be 0). */
static wal_status demand_rows(const demand_allocation *a, int64_t lo, int64_t hi, double *x) {
  const int m = a->market->m;
  const size_t rows = (size_t)(hi - lo);
  const double *scale = a->price_scale + m;
  double *v = malloc(rows * ((size_t)m + 1) * sizeof *v), *budget = v ? v + rows * (size_t)m : NULL;
  if (!v) return wal_fail(WAL_E_MEMORY, "no memory for %zu buyers of %d goods", rows, m);
  const wal_source *buyers = a->market->buyers;
  const wal_status status = buyers->ops->rows(buyers, lo, hi, v, budget);
  for (size_t i = 0; status == WAL_OK && i < rows; i++) {
    double *row = x + i * (size_t)m;
    wal_ces_demand(a->market->alpha, m, v + i * (size_t)m, a->price_scale, budget[i], row);
    for (int j = 0; j < m; j++) row[j] *= scale[j];
  }
  free(v);
  return status;
}

/* x[rows, m] = scale_j / p_j B_i s_ij, s as wal_ces_shares_power has it, of v[m, TILE]; the same over vectors
   of buyers. Overwrites v and budget. */
enum { TILE = 128 };
static void power_demand(const demand_allocation *a, double r, int rows, double *v, double *budget,
                         double *x) {
  const int m = a->market->m;
  const double *p = a->price_scale, *scale = p + m;
  double top[TILE], sum[TILE] = {0.0};
  for (int t = 0; t < TILE; t++) top[t] = -INFINITY;
  for (int j = 0; j < m; j++) {
    const double log_price = wal_log(p[j]);
    double *y = v + j * TILE;
#pragma omp simd
    for (int t = 0; t < rows; t++) {
      y[t] = r * (wal_log(y[t]) - log_price);
      top[t] = y[t] > top[t] ? y[t] : top[t];
    }
  }
  for (int j = 0; j < m; j++) {
    double *y = v + j * TILE;
#pragma omp simd
    for (int t = 0; t < rows; t++) {
      y[t] = wal_exp_down(y[t] - top[t]);
      sum[t] += y[t];
    }
  }
  for (int t = 0; t < rows; t++) budget[t] /= sum[t];
  for (int t = 0; t < rows; t++)
    for (int j = 0; j < m; j++) x[t * m + j] = scale[j] / p[j] * budget[t] * v[j * TILE + t];
}

static wal_status demand_fill(const wal_allocation *allocation, int64_t lo, int64_t hi, double *x) {
  const demand_allocation *a = (const demand_allocation *)allocation;
  const int m = a->market->m;
  const double alpha = a->market->alpha, r = isnan(a->power) ? alpha / (1.0 - alpha) : a->power;
  if (isnan(a->power) && (alpha == 1.0 || alpha == 0.0 || alpha == -INFINITY))
    return demand_rows(a, lo, hi, x);
  double *v = malloc(((size_t)m + 1) * TILE * sizeof *v), *budget = v ? v + (size_t)m * TILE : NULL;
  if (!v) return wal_fail(WAL_E_MEMORY, "no memory for %d buyers of %d goods", TILE, m);
  wal_status status = WAL_OK;
  for (int64_t at = lo; status == WAL_OK && at < hi; at += TILE) {
    const int rows = (int)(hi - at < TILE ? hi - at : TILE);
    status = wal_source_columns(a->market->buyers, m, at, at + rows, TILE, v, budget);
    if (status == WAL_OK) power_demand(a, r, rows, v, budget, x + (at - lo) * m);
  }
  free(v);
  return status;
}

static const wal_allocation_ops demand_ops = {"demand", demand_fill, free_allocation};

wal_status wal_allocation_demand_scaled(const wal_market *market, double power, const double *p,
                                        const double *scale, wal_allocation **out) {
  *out = NULL;
  const size_t m = (size_t)market->m;
  demand_allocation *a = malloc(sizeof *a + 2 * m * sizeof *p);
  if (!a) return wal_fail(WAL_E_MEMORY, "no memory for an allocation of %d goods", market->m);
  a->base.ops = &demand_ops;
  a->market = market;
  a->power = power;
  memcpy(a->price_scale, p, m * sizeof *p);
  for (size_t j = 0; j < m; j++) a->price_scale[m + j] = scale ? scale[j] : 1.0;
  *out = &a->base;
  return WAL_OK;
}

wal_status wal_allocation_demand(const wal_market *market, const double *p, wal_allocation **out) {
  return wal_allocation_demand_scaled(market, NAN, p, NULL, out);
}

bool wal_allocation_demand_of(const wal_allocation *allocation, wal_demand_parts *out) {
  if (allocation->ops != &demand_ops) return false;
  const demand_allocation *a = (const demand_allocation *)allocation;
  *out = (wal_demand_parts){a->market, a->power, a->price_scale, a->price_scale + a->market->m};
  return true;
}

/* ---- check ---- */

static wal_status check_row(const wal_market *market, int64_t i, const double *v, double budget) {
  if (!(budget > 0.0) || isinf(budget))
    return wal_fail(WAL_E_INPUT,
                    "the budget of buyer %lld is %g; expected a positive finite number (1 works)",
                    (long long)i, budget);
  const bool zero_allowed = market->alpha >= 0.0;
  bool wants = false;
  for (int j = 0; j < market->m; j++) {
    if (v[j] == 0.0 && !zero_allowed)
      return wal_fail(WAL_E_INPUT,
                      "the value of buyer %lld for good %d is 0, and at alpha < 0 a buyer who gets no value "
                      "from one good has no utility; expected a positive finite number (1 works)",
                      (long long)i, j);
    if (!(v[j] >= 0.0) || isinf(v[j]))
      return wal_fail(WAL_E_INPUT,
                      "the value of buyer %lld for good %d is %g; expected a %s finite number (1 works)",
                      (long long)i, j, v[j], zero_allowed ? "non-negative" : "positive");
    wants |= v[j] > 0.0;
  }
  if (!wants)
    return wal_fail(WAL_E_INPUT, "buyer %lld values no good; expected at least one positive value",
                    (long long)i);
  return WAL_OK;
}

/* wanted[j]: how many buyers value good j. */
static wal_status check_body(void *context, int64_t lo, int64_t hi, double *wanted) {
  const wal_market *market = context;
  const int m = market->m;
  const size_t rows = (size_t)(hi - lo);
  double *v = malloc(rows * ((size_t)m + 1) * sizeof *v), *budget = v ? v + rows * (size_t)m : NULL;
  if (!v) return wal_fail(WAL_E_MEMORY, "no memory for %zu buyers of %d goods", rows, m);
  wal_status status = market->buyers->ops->rows(market->buyers, lo, hi, v, budget);
  for (int64_t i = 0; status == WAL_OK && i < hi - lo; i++) {
    status = check_row(market, lo + i, v + i * m, budget[i]);
    for (int j = 0; j < m; j++) wanted[j] += v[i * m + j] > 0.0;
  }
  free(v);
  return status;
}

static wal_status check_sizes(const wal_market *market) {
  if (market->n < 1)
    return wal_fail(WAL_E_INPUT, "n is %lld; expected at least 1 buyer (1048576 works)",
                    (long long)market->n);
  if (market->m < 1) return wal_fail(WAL_E_INPUT, "m is %d; expected at least 1 good (10 works)", market->m);
  if (!(market->alpha <= 1.0))
    return wal_fail(WAL_E_INPUT, "alpha is %g; expected a number from -inf to 1 (0.5 works)", market->alpha);
  if (market->quasilinear && market->alpha != 1.0)
    return wal_fail(WAL_E_INPUT, "quasilinear utilities at alpha = %g; expected alpha 1", market->alpha);
  if (!market->buyers || !market->supply)
    return wal_fail(WAL_E_INTERNAL, "a market without buyers or supplies");
  for (int j = 0; j < market->m; j++)
    if (!(market->supply[j] > 0.0) || isinf(market->supply[j]))
      return wal_fail(WAL_E_INPUT, "the supply of good %d is %g; expected a positive finite number (1 works)",
                      j, market->supply[j]);
  return WAL_OK;
}

wal_status wal_market_check(const wal_market *market) {
  wal_status status = check_sizes(market);
  if (status != WAL_OK) return status;
  double *wanted = malloc((size_t)market->m * sizeof *wanted);
  if (!wanted) return wal_fail(WAL_E_MEMORY, "no memory for %d goods", market->m);
  status = wal_sum_chunks(market->n, market->m, check_body, (void *)(uintptr_t)market, wanted);
  for (int j = 0; status == WAL_OK && j < market->m; j++)
    if (wanted[j] == 0.0)
      status = wal_fail(WAL_E_INPUT,
                        "no buyer values good %d; expected at least one positive value (or leave it out)", j);
  free(wanted);
  return status;
}
