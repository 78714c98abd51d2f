#include "models/market/welfare.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "models/common/parallel.h"

/* Both passes over the buyers: one chunk's rows, and what the projection of eq. 12 multiplies with. */
typedef struct {
  const wal_market *market;
  const wal_allocation *allocation;
  const double *scale; /* [m] alpha_j; NULL in the first pass */
  const double *price; /* [m] projected */
} measuring;

typedef struct {
  double *v, *x, *budget; /* [rows, m], [rows, m], [rows] in one block */
} chunk_rows;

static wal_status read_rows(const measuring *q, int64_t lo, int64_t hi, chunk_rows *c) {
  const size_t rows = (size_t)(hi - lo), cells = rows * (size_t)q->market->m;
  c->v = malloc((2 * cells + rows) * sizeof *c->v);
  if (!c->v) return wal_fail(WAL_E_MEMORY, "no memory for %zu buyers of %d goods", rows, q->market->m);
  c->x = c->v + cells;
  c->budget = c->x + cells;
  const wal_source *buyers = q->market->buyers;
  const wal_status status = buyers->ops->rows(buyers, lo, hi, q->scale ? c->v : NULL, c->budget);
  return status == WAL_OK ? q->allocation->ops->fill(q->allocation, lo, hi, c->x) : status;
}

/* sum[0] = sum_i B_i, sum[1 + j] = sum_i x_ij. */
static wal_status totals_body(void *context, int64_t lo, int64_t hi, double *sum) {
  const measuring *q = context;
  const int m = q->market->m;
  chunk_rows c = {0};
  const wal_status status = read_rows(q, lo, hi, &c);
  for (int64_t i = 0; status == WAL_OK && i < hi - lo; i++) {
    sum[0] += c.budget[i];
    for (int j = 0; j < m; j++) sum[1 + j] += c.x[i * m + j];
  }
  free(c.v);
  return status;
}

enum { LNW, LFW, GAP, WSW, WELFARES };

/* Eqs. 6 and 8 before the division by B_total. The gap is summed buyer by buyer: at an equilibrium its terms
   vanish while the welfares do not, and their difference would keep only their rounding. */
static wal_status welfare_body(void *context, int64_t lo, int64_t hi, double *sum) {
  const measuring *q = context;
  const int m = q->market->m;
  const double alpha = q->market->alpha;
  chunk_rows c = {0};
  const wal_status status = read_rows(q, lo, hi, &c);
  for (int64_t i = 0; status == WAL_OK && i < hi - lo; i++) {
    double *x = c.x + i * m;
    for (int j = 0; j < m; j++) x[j] *= q->scale[j];
    const double log_u = wal_ces_log_utility(alpha, m, c.v + i * m, x);
    const double log_fixed = wal_ces_log_indirect(alpha, m, c.v + i * m, q->price, c.budget[i]);
    sum[LNW] += c.budget[i] * log_u;
    sum[LFW] += c.budget[i] * log_fixed;
    sum[GAP] += c.budget[i] * (log_fixed - log_u);
    sum[WSW] += c.budget[i] * exp(log_u);
  }
  free(c.v);
  return status;
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
  const double beta = total[0] / worth;
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
  out->lnw = welfare[LNW] / total[0];
  out->lfw = welfare[LFW] / total[0];
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
