#include "models/market/welfare.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "models/common/device.h"
#include "models/common/parallel.h"
#include "models/market/welfare_formulas.h"

/* Buyers are measured TILE at a time, good by good ([m, TILE]), so that loops over buyers are vectors. The
   functions of one buyer in ces.c are the reference. */
enum { TILE = 128 };

/* ---- utilities of a tile ---- */

/* log of the power mean, (1/a) log sum_j exp(a w_j), of w[m, TILE]; a = -inf: the least, a = inf: the
   largest. Terms of -infinity count as in ces.c. Overwrites w. */
static void log_power_mean(double a, int m, double *w, double *out) {
  const double factor = isinf(a) ? copysign(1.0, a) : a;
  double top[TILE], finite[TILE], sum[TILE] = {0.0};
  for (int t = 0; t < TILE; t++) top[t] = -INFINITY;
  for (int j = 0; j < m; j++)
    for (int t = 0; t < TILE; t++) {
      const double y = factor * w[j * TILE + t];
      w[j * TILE + t] = y;
      top[t] = y > top[t] ? y : top[t];
    }
  for (int t = 0; t < TILE; t++) finite[t] = top[t] > -DBL_MAX ? top[t] : -DBL_MAX;
  for (int j = 0; j < m && !isinf(a); j++)
#pragma omp simd
    for (int t = 0; t < TILE; t++) sum[t] += wal_exp_down(w[j * TILE + t] - finite[t]);
#pragma omp simd
  for (int t = 0; t < TILE; t++) {
    const double more = isinf(a) || top[t] == INFINITY ? 0.0 : wal_log(sum[t]);
    out[t] = (top[t] + more) / factor;
  }
}

double wal_welfare_common(double alpha, int m) {
  return alpha != 0.0 && fabs(alpha) < 1e-2 ? log(m) / alpha : 0.0;
}

/* log_power_mean less log(m)/a, |a| small: (1/a) log1p of the mean of expm1(a w). */
static void log_mean_power(double a, int m, const double *w, double *out) {
  double sum[TILE] = {0.0};
  for (int j = 0; j < m; j++)
    for (int t = 0; t < TILE; t++) sum[t] += expm1(a * w[j * TILE + t]);
  for (int t = 0; t < TILE; t++) out[t] = log1p(sum[t] / m) / a;
}

/* sum_j v_j w_j / sum_j v_j over the goods with v_j > 0; *total: sum_j v_j. */
static void weighted_mean(int m, const double *v, const double *w, double *total, double *out) {
  double sum[TILE] = {0.0};
  for (int t = 0; t < TILE; t++) total[t] = 0.0;
  for (int j = 0; j < m; j++)
    for (int t = 0; t < TILE; t++) {
      const double weight = v[j * TILE + t];
      total[t] += weight;
      sum[t] += weight > 0.0 ? weight * w[j * TILE + t] : 0.0;
    }
  for (int t = 0; t < TILE; t++) out[t] = sum[t] / total[t];
}

/* wal_ces_log_utility of v, x [m, TILE], log_v as it says. Overwrites x. */
static void log_utilities(double alpha, int m, const double *v, const double *log_v, double *x, double *out) {
  double total[TILE];
  const bool plain = alpha == 0.0;
#pragma omp simd
  for (int k = 0; k < m * TILE; k++) x[k] = wal_log(x[k]) + (plain ? 0.0 : log_v[k]);
  if (alpha == 0.0)
    weighted_mean(m, v, x, total, out);
  else if (wal_welfare_common(alpha, m) != 0.0)
    log_mean_power(alpha, m, x, out);
  else
    log_power_mean(alpha, m, x, out);
}

/* wal_ces_log_indirect of v, log_v [m, TILE], budget[TILE] at prices p[m]. Overwrites log_v. */
static void log_indirects(double alpha, int m, const double *v, double *log_v, const double *p,
                          const double *budget, double *out) {
  double total[TILE];
  const double r = wal_ces_power(alpha);
  for (int j = 0; j < m; j++) {
    const double log_price = wal_log(p[j]);
    for (int t = 0; t < TILE; t++) log_v[j * TILE + t] -= log_price;
  }
  if (alpha == 0.0)
    weighted_mean(m, v, log_v, total, out);
  else if (wal_welfare_common(alpha, m) != 0.0)
    log_mean_power(r, m, log_v, out); /* log(m)/r = log(m)/alpha - log m */
  else
    log_power_mean(r, m, log_v, out);
#pragma omp simd
  for (int t = 0; t < TILE; t++) out[t] += wal_log(budget[t]);
  for (int t = 0; t < TILE && wal_welfare_common(alpha, m) != 0.0; t++) out[t] -= wal_log(m);
  for (int t = 0; t < TILE && alpha == 0.0; t++) out[t] -= wal_log(total[t]);
}

/* ---- passes over the buyers ---- */

/* Both passes over the buyers: one chunk's rows, and what the projection of eq. 12 multiplies with. */
typedef struct {
  wal_measuring base;
  const double *scale; /* [m] alpha_j; NULL in the first pass */
  const double *price; /* [m] projected */
} measuring;

typedef struct {
  double *row;           /* [TILE, m] amounts as the allocation gives them */
  double *v, *x, *log_v; /* [m, TILE] */
  double *budget;        /* [TILE]; past the last buyer 0, with values and amounts of 1 */
} tile;

static wal_status read_tile(const measuring *q, int64_t lo, int count, tile *c) {
  const int m = q->base.market->m;
  const wal_source *buyers = q->base.market->buyers;
  wal_status status = q->scale ? wal_source_columns(buyers, m, lo, lo + count, TILE, c->v, c->budget)
                               : buyers->ops->rows(buyers, lo, lo + count, NULL, c->budget);
  if (status == WAL_OK) status = q->base.allocation->ops->fill(q->base.allocation, lo, lo + count, c->row);
  for (int j = 0; j < m; j++) {
    const double scale = q->scale ? q->scale[j] : 1.0;
    for (int t = 0; t < count; t++) c->x[j * TILE + t] = scale * c->row[t * m + j];
    for (int t = count; t < TILE; t++) c->x[j * TILE + t] = c->v[j * TILE + t] = 1.0;
  }
  for (int t = count; t < TILE; t++) c->budget[t] = 0.0;
  return status;
}

typedef void (*tile_fn)(const measuring *q, int count, tile *c, double *sum);

static wal_status for_tiles(const measuring *q, int64_t lo, int64_t hi, tile_fn body, double *sum) {
  const size_t cells = TILE * (size_t)q->base.market->m;
  double *room = malloc((4 * cells + TILE) * sizeof *room);
  if (!room) return wal_fail(WAL_E_MEMORY, "no memory for %d buyers of %d goods", TILE, q->base.market->m);
  tile c = {room, room + cells, room + 2 * cells, room + 3 * cells, room + 4 * cells};
  wal_status status = WAL_OK;
  for (int64_t at = lo; status == WAL_OK && at < hi; at += TILE) {
    const int count = (int)(hi - at < TILE ? hi - at : TILE);
    status = read_tile(q, at, count, &c);
    if (status == WAL_OK) body(q, count, &c, sum);
  }
  free(room);
  return status;
}

/* sum[0] = sum_i B_i, sum[1 + j] = sum_i x_ij. */
static void add_totals(const measuring *q, int count, tile *c, double *sum) {
  for (int t = 0; t < count; t++) sum[0] += c->budget[t];
  for (int j = 0; j < q->base.market->m; j++)
    for (int t = 0; t < count; t++) sum[1 + j] += c->x[j * TILE + t];
}

/* Eqs. 6 and 8 before the division by B_total. The gap is summed buyer by buyer: at an equilibrium its terms
   vanish while the welfares do not, and their difference would keep only their rounding. */
static void add_welfares(const measuring *q, int count, tile *c, double *sum) {
  double log_u[TILE], log_fixed[TILE], u[TILE];
  const int m = q->base.market->m;
  const double alpha = q->base.market->alpha, common = wal_welfare_common(alpha, m);
#pragma omp simd
  for (int k = 0; k < m * TILE; k++) c->log_v[k] = wal_log(c->v[k]);
  log_utilities(alpha, m, c->v, c->log_v, c->x, log_u);
  log_indirects(alpha, m, c->v, c->log_v, q->price, c->budget, log_fixed);
#pragma omp simd
  for (int t = 0; t < TILE; t++) u[t] = wal_exp(log_u[t] + common);
  for (int t = 0; t < count; t++) {
    sum[WAL_WELFARE_LNW] += c->budget[t] * log_u[t];
    sum[WAL_WELFARE_LFW] += c->budget[t] * log_fixed[t];
    sum[WAL_WELFARE_GAP] += c->budget[t] * (log_fixed[t] - log_u[t]);
    sum[WAL_WELFARE_WSW] += c->budget[t] * u[t];
  }
}

/* The same for quasilinear utilities (welfare.h); the dual's sum_j Y_j p_j is added later. */
static void add_quasilinear(const measuring *q, int count, tile *c, double *sum) {
  double worth[TILE] = {0.0}, pace[TILE];
  for (int t = 0; t < TILE; t++) pace[t] = 1.0;
  for (int j = 0; j < q->base.market->m; j++)
    for (int t = 0; t < TILE; t++) {
      const double v = c->v[j * TILE + t];
      worth[t] += v * c->x[j * TILE + t];
      pace[t] = q->price[j] < pace[t] * v ? q->price[j] / v : pace[t];
    }
  for (int t = 0; t < count; t++) {
    double term[WAL_WELFARES];
    wal_quasilinear_terms(c->budget[t], worth[t], pace[t], term);
    for (int k = 0; k < WAL_WELFARES; k++) sum[k] += term[k];
  }
}

static wal_status totals_body(void *context, int64_t lo, int64_t hi, double *sum) {
  return for_tiles(context, lo, hi, add_totals, sum);
}

static wal_status welfare_body(void *context, int64_t lo, int64_t hi, double *sum) {
  const measuring *q = context;
  return for_tiles(q, lo, hi, q->base.market->quasilinear ? add_quasilinear : add_welfares, sum);
}

static wal_status begin(const wal_market *market, const wal_allocation *allocation, wal_measuring **out) {
  (void)market, (void)allocation;
  measuring *q = calloc(1, sizeof *q);
  *out = q ? &q->base : NULL;
  return q ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for a measure");
}

static wal_status totals(wal_measuring *work, double *total) {
  return wal_sum_chunks(work->market->n, work->market->m + 1, totals_body, work, total);
}

static wal_status welfares(wal_measuring *work, const double *scale, const double *price, double *sum) {
  measuring *q = (measuring *)work;
  q->scale = scale;
  q->price = price;
  return wal_sum_chunks(work->market->n, WAL_WELFARES, welfare_body, q, sum);
}

static void end(wal_measuring *work) { free(work); }

const struct wal_measure_ops wal_measure_cpu = {begin, totals, welfares, end};

/* ---- the measure ---- */

static wal_status check_prices(const wal_market *market, const double *prices) {
  const bool zero_allowed = market->alpha == -INFINITY;
  double worth = 0.0;
  for (int j = 0; j < market->m; j++) {
    if (!isfinite(prices[j]) || prices[j] < 0.0 || (prices[j] == 0.0 && !zero_allowed))
      return wal_fail(WAL_E_DIVERGED, "the price of good %d is %g; a measure needs positive finite prices", j,
                      prices[j]);
    worth += prices[j] * market->supply[j];
  }
  if (!(worth > 0.0) || isinf(worth))
    return wal_fail(WAL_E_DIVERGED, "the supply is worth %g at these prices; expected a positive finite sum",
                    worth);
  return WAL_OK;
}

/* Eq. 12: scale[m], price[m] and, from them, eq. 13. total: B_total, then what each good's buyers got. */
static wal_status project(const wal_market *market, const double *prices, const double *total, double *scale,
                          double *price, wal_measures *out) {
  double worth = 0.0;
  out->voa = 0.0;
  for (int j = 0; j < market->m; j++) {
    if (!(total[1 + j] > 0.0) || isinf(total[1 + j]))
      return wal_fail(WAL_E_DIVERGED,
                      "buyers receive %g of good %d in total; expected a positive finite amount",
                      total[1 + j], j);
    worth += prices[j] * market->supply[j];
    scale[j] = market->supply[j] / total[1 + j];
    out->voa += fabs(log(scale[j])) / market->m;
  }
  const double beta = market->quasilinear ? 1.0 : total[0] / worth;
  out->vop = fabs(log(beta));
  for (int j = 0; j < market->m; j++) price[j] = beta * prices[j];
  return WAL_OK;
}

static wal_status measure_with(const struct wal_measure_ops *ops, wal_measuring *q, const double *prices,
                               double *room /* [3m + 1] */, wal_measures *out) {
  const wal_market *market = q->market;
  const int m = market->m;
  double *total = room, *scale = room + m + 1, *price = scale + m, welfare[WAL_WELFARES];
  wal_status status = ops->totals(q, total);
  if (status == WAL_OK) status = project(market, prices, total, scale, price, out);
  if (status == WAL_OK) status = ops->welfares(q, scale, price, welfare);
  if (status != WAL_OK) return status;
  if (market->quasilinear) {
    double worth = 0.0;
    for (int j = 0; j < m; j++) worth += market->supply[j] * price[j];
    welfare[WAL_WELFARE_LFW] += worth;
    welfare[WAL_WELFARE_GAP] += worth;
    out->vop = fabs(log(total[0] / (worth + welfare[WAL_WELFARE_LEFT])));
  }
  out->lnw = welfare[WAL_WELFARE_LNW] / total[0] + wal_welfare_common(market->alpha, m);
  out->lfw = welfare[WAL_WELFARE_LFW] / total[0] + wal_welfare_common(market->alpha, m);
  out->nash_gap = welfare[WAL_WELFARE_GAP] / total[0];
  out->wsw = welfare[WAL_WELFARE_WSW] / total[0];
  if (!isfinite(out->nash_gap))
    return wal_fail(WAL_E_DIVERGED, "the Nash gap is %g: some buyer's bundle is worth nothing to it",
                    out->nash_gap);
  return WAL_OK;
}

wal_status wal_measure(const wal_market *market, const wal_allocation *allocation, const double *prices,
                       wal_measures *out) {
  const struct wal_measure_ops *ops =
      wal_device_now()->measure ? wal_device_now()->measure : &wal_measure_cpu;
  *out = (wal_measures){NAN, NAN, NAN, NAN, NAN, NAN};
  wal_measures result = *out;
  wal_measuring *q = NULL;
  wal_status status = check_prices(market, prices);
  if (status != WAL_OK) return status;
  double *room = malloc((3 * (size_t)market->m + 1) * sizeof *room);
  if (!room) return wal_fail(WAL_E_MEMORY, "no memory for the totals of %d goods", market->m);
  status = ops->begin(market, allocation, &q);
  if (status == WAL_OK) {
    *q = (wal_measuring){market, allocation};
    status = measure_with(ops, q, prices, room, &result);
    ops->end(q);
  }
  free(room);
  if (status == WAL_OK) *out = result;
  return status;
}
