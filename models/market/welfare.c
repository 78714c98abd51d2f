#include "models/market/welfare.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "models/common/parallel.h"
#include "models/common/vmath.h"

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

/* Near alpha = 0 log utilities have a part log(m)/alpha that is the same for everybody and would leave the
   rest few digits: below, utilities come without it, and this is added at the end. 0: none is left out. */
static double common_part(double alpha, int m) {
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
  else if (common_part(alpha, m) != 0.0)
    log_mean_power(alpha, m, x, out);
  else
    log_power_mean(alpha, m, x, out);
}

/* wal_ces_log_indirect of v, log_v [m, TILE], budget[TILE] at prices p[m]. Overwrites log_v. */
static void log_indirects(double alpha, int m, const double *v, double *log_v, const double *p,
                          const double *budget, double *out) {
  double total[TILE];
  const double r = alpha == -INFINITY ? -1.0 : alpha / (1.0 - alpha);
  for (int j = 0; j < m; j++) {
    const double log_price = wal_log(p[j]);
    for (int t = 0; t < TILE; t++) log_v[j * TILE + t] -= log_price;
  }
  if (alpha == 0.0)
    weighted_mean(m, v, log_v, total, out);
  else if (common_part(alpha, m) != 0.0)
    log_mean_power(r, m, log_v, out); /* log(m)/r = log(m)/alpha - log m */
  else
    log_power_mean(r, m, log_v, out);
#pragma omp simd
  for (int t = 0; t < TILE; t++) out[t] += wal_log(budget[t]);
  for (int t = 0; t < TILE && common_part(alpha, m) != 0.0; t++) out[t] -= wal_log(m);
  for (int t = 0; t < TILE && alpha == 0.0; t++) out[t] -= wal_log(total[t]);
}

/* ---- passes over the buyers ---- */

/* Both passes over the buyers: one chunk's rows, and what the projection of eq. 12 multiplies with. */
typedef struct {
  const wal_market *market;
  const wal_allocation *allocation;
  const double *scale; /* [m] alpha_j; NULL in the first pass */
  const double *price; /* [m] projected */
} measuring;

typedef struct {
  double *row;           /* [TILE, m] amounts as the allocation gives them */
  double *v, *x, *log_v; /* [m, TILE] */
  double *budget;        /* [TILE]; past the last buyer 0, with values and amounts of 1 */
} tile;

static wal_status read_tile(const measuring *q, int64_t lo, int count, tile *c) {
  const int m = q->market->m;
  const wal_source *buyers = q->market->buyers;
  wal_status status = q->scale ? wal_source_columns(buyers, m, lo, lo + count, TILE, c->v, c->budget)
                               : buyers->ops->rows(buyers, lo, lo + count, NULL, c->budget);
  if (status == WAL_OK) status = q->allocation->ops->fill(q->allocation, lo, lo + count, c->row);
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
  const size_t cells = TILE * (size_t)q->market->m;
  double *room = malloc((4 * cells + TILE) * sizeof *room);
  if (!room) return wal_fail(WAL_E_MEMORY, "no memory for %d buyers of %d goods", TILE, q->market->m);
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
  for (int j = 0; j < q->market->m; j++)
    for (int t = 0; t < count; t++) sum[1 + j] += c->x[j * TILE + t];
}

enum { LNW, LFW, GAP, WSW, LEFT, WELFARES };

/* Eqs. 6 and 8 before the division by B_total. The gap is summed buyer by buyer: at an equilibrium its terms
   vanish while the welfares do not, and their difference would keep only their rounding. */
static void add_welfares(const measuring *q, int count, tile *c, double *sum) {
  double log_u[TILE], log_fixed[TILE], u[TILE];
  const int m = q->market->m;
  const double alpha = q->market->alpha, common = common_part(alpha, m);
#pragma omp simd
  for (int k = 0; k < m * TILE; k++) c->log_v[k] = wal_log(c->v[k]);
  log_utilities(alpha, m, c->v, c->log_v, c->x, log_u);
  log_indirects(alpha, m, c->v, c->log_v, q->price, c->budget, log_fixed);
#pragma omp simd
  for (int t = 0; t < TILE; t++) u[t] = wal_exp(log_u[t] + common);
  for (int t = 0; t < count; t++) {
    sum[LNW] += c->budget[t] * log_u[t];
    sum[LFW] += c->budget[t] * log_fixed[t];
    sum[GAP] += c->budget[t] * (log_fixed[t] - log_u[t]);
    sum[WSW] += c->budget[t] * u[t];
  }
}

/* The same for quasilinear utilities (welfare.h); the dual's sum_j Y_j p_j is added later. */
static void add_quasilinear(const measuring *q, int count, tile *c, double *sum) {
  double worth[TILE] = {0.0}, pace[TILE];
  for (int t = 0; t < TILE; t++) pace[t] = 1.0;
  for (int j = 0; j < q->market->m; j++)
    for (int t = 0; t < TILE; t++) {
      const double v = c->v[j * TILE + t];
      worth[t] += v * c->x[j * TILE + t];
      pace[t] = q->price[j] < pace[t] * v ? q->price[j] / v : pace[t];
    }
  for (int t = 0; t < count; t++) {
    const double budget = c->budget[t], left = fmax(0.0, budget - worth[t]), u = worth[t] + left;
    sum[LNW] += budget * wal_log(u) - left;
    sum[LFW] += budget * wal_log(budget / pace[t]) - budget;
    sum[GAP] += budget * wal_log(budget / (pace[t] * u)) - budget + left;
    sum[WSW] += budget * u;
    sum[LEFT] += left;
  }
}

static wal_status totals_body(void *context, int64_t lo, int64_t hi, double *sum) {
  return for_tiles(context, lo, hi, add_totals, sum);
}

static wal_status welfare_body(void *context, int64_t lo, int64_t hi, double *sum) {
  const measuring *q = context;
  return for_tiles(q, lo, hi, q->market->quasilinear ? add_quasilinear : add_welfares, sum);
}

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

static wal_status measure_with(measuring *q, const double *prices, double *room /* [3m + 1] */,
                               wal_measures *out) {
  const int m = q->market->m;
  double *total = room, *scale = room + m + 1, *price = scale + m, welfare[WELFARES];
  wal_status status = wal_sum_chunks(q->market->n, m + 1, totals_body, q, total);
  if (status == WAL_OK) status = project(q->market, prices, total, scale, price, out);
  if (status != WAL_OK) return status;
  q->scale = scale;
  q->price = price;
  status = wal_sum_chunks(q->market->n, WELFARES, welfare_body, q, welfare);
  if (status != WAL_OK) return status;
  if (q->market->quasilinear) {
    double worth = 0.0;
    for (int j = 0; j < m; j++) worth += q->market->supply[j] * price[j];
    welfare[LFW] += worth;
    welfare[GAP] += worth;
    out->vop = fabs(log(total[0] / (worth + welfare[LEFT])));
  }
  out->lnw = welfare[LNW] / total[0] + common_part(q->market->alpha, m);
  out->lfw = welfare[LFW] / total[0] + common_part(q->market->alpha, m);
  out->nash_gap = welfare[GAP] / total[0];
  out->wsw = welfare[WSW] / total[0];
  if (!isfinite(out->nash_gap))
    return wal_fail(WAL_E_DIVERGED, "the Nash gap is %g: some buyer's bundle is worth nothing to it",
                    out->nash_gap);
  return WAL_OK;
}

wal_status wal_measure(const wal_market *market, const wal_allocation *allocation, const double *prices,
                       wal_measures *out) {
  *out = (wal_measures){NAN, NAN, NAN, NAN, NAN, NAN};
  wal_measures result = *out;
  wal_status status = check_prices(market, prices);
  if (status != WAL_OK) return status;
  double *room = malloc((3 * (size_t)market->m + 1) * sizeof *room);
  if (!room) return wal_fail(WAL_E_MEMORY, "no memory for the totals of %d goods", market->m);
  measuring q = {.market = market, .allocation = allocation};
  status = measure_with(&q, prices, room, &result);
  free(room);
  if (status == WAL_OK) *out = result;
  return status;
}
