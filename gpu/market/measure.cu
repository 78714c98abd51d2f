/* Nash gap, violations and welfare of an allocation (models/market/welfare.h) on the device: one pass for
   what each good's buyers get, one for the welfares, a thread for each buyer. Buyers and amounts stay on the
   device between the passes where they fit; a run of buyers is one block's, and runs depend on n alone. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include <new>

#include "gpu/base/reduce.h"
#include "gpu/market/allocations.h"
#include "gpu/market/measure.h"
#include "models/market/welfare_formulas.h"

enum { THREADS = 256, RUNS = 528 };

/* ---- totals ---- */

/* partial[run, 1 + m]: budgets, then amounts; run blockIdx.x, column blockIdx.y of m + 1, the last the
 * budgets. */
__global__ void wal_add_amounts(int m, int64_t rows, int64_t run, int64_t stride, const double *x,
                                const double *budget, double *partial) {
  const int column = static_cast<int>(blockIdx.y);
  const double *from = column == m ? budget : x + column * stride;
  const int64_t begin = blockIdx.x * run, end = begin + run < rows ? begin + run : rows;
  double sum = 0.0;
  for (int64_t i = begin + threadIdx.x; i < end; i += THREADS) sum += from[i];
  sum = wal_block_sum(sum);
  if (threadIdx.x == 0)
    partial[static_cast<int64_t>(blockIdx.x) * (m + 1) + (column == m ? 0 : 1 + column)] = sum;
}

/* ---- welfares ---- */

/* What the second pass is at; power: r of eq. 25; log_m: log(m) where the utilities come without
 * log(m)/alpha, else 0. */
struct welfare_point {
  double alpha, power, common, log_m;
  const double *scale, *price, *log_price; /* [m] each */
};

/* One buyer: values v[j * apart] and amounts x[j * next]. */
struct welfare_buyer {
  const double *v, *x;
  int64_t apart, next;
  double budget;
};

__device__ static double log_worth(const welfare_point &at, const welfare_buyer &b, int j) {
  return wal_log(at.scale[j] * b.x[j * b.next]) + wal_log(b.v[j * b.apart]);
}

__device__ static double log_ratio(const welfare_point &at, const welfare_buyer &b, int j) {
  return wal_log(b.v[j * b.apart]) - at.log_price[j];
}

/* (1/a) (top + log of the sum of exponentials over e^top); a = -inf: the least, a = inf: the largest. */
__device__ static double power_mean(double a, double top, double sum) {
  const double factor = isinf(a) ? copysign(1.0, a) : a;
  return (top + (isinf(a) || top == INFINITY ? 0.0 : wal_log(sum))) / factor;
}

/* log u_i and the log of the fixed-price utility, as log_power_mean of welfare.c has them. */
__device__ static void power_welfares(int m, const welfare_point &at, const welfare_buyer &b, double *log_u,
                                      double *log_f) {
  const double fu = isinf(at.alpha) ? -1.0 : at.alpha, ff = isinf(at.power) ? 1.0 : at.power;
  double top_u = -INFINITY, top_f = -INFINITY, sum_u = 0.0, sum_f = 0.0;
  for (int j = 0; j < m; j++) {
    const double yu = fu * log_worth(at, b, j), yf = ff * log_ratio(at, b, j);
    top_u = yu > top_u ? yu : top_u;
    top_f = yf > top_f ? yf : top_f;
  }
  const double finite_u = top_u > -DBL_MAX ? top_u : -DBL_MAX, finite_f = top_f > -DBL_MAX ? top_f : -DBL_MAX;
  for (int j = 0; j < m; j++) {
    sum_u += wal_exp_down(fu * log_worth(at, b, j) - finite_u);
    sum_f += wal_exp_down(ff * log_ratio(at, b, j) - finite_f);
  }
  *log_u = power_mean(at.alpha, top_u, sum_u);
  *log_f = power_mean(at.power, top_f, sum_f) + wal_log(b.budget);
}

/* The same without log(m)/alpha, |alpha| small. */
__device__ static void small_welfares(int m, const welfare_point &at, const welfare_buyer &b, double *log_u,
                                      double *log_f) {
  double sum_u = 0.0, sum_f = 0.0;
  for (int j = 0; j < m; j++) {
    sum_u += expm1(at.alpha * log_worth(at, b, j));
    sum_f += expm1(at.power * log_ratio(at, b, j));
  }
  *log_u = log1p(sum_u / m) / at.alpha;
  *log_f = log1p(sum_f / m) / at.power + wal_log(b.budget) - at.log_m;
}

__device__ static void cobb_douglas_welfares(int m, const welfare_point &at, const welfare_buyer &b,
                                             double *log_u, double *log_f) {
  double total = 0.0, sum_u = 0.0, sum_f = 0.0;
  for (int j = 0; j < m; j++) {
    const double v = b.v[j * b.apart];
    total += v;
    sum_u += v > 0.0 ? v * wal_log(at.scale[j] * b.x[j * b.next]) : 0.0;
    sum_f += v > 0.0 ? v * log_ratio(at, b, j) : 0.0;
  }
  *log_u = sum_u / total;
  *log_f = sum_f / total + wal_log(b.budget) - wal_log(total);
}

__device__ static void ces_terms(int m, const welfare_point &at, const welfare_buyer &b, double *term) {
  double log_u, log_f;
  if (at.alpha == 0.0)
    cobb_douglas_welfares(m, at, b, &log_u, &log_f);
  else if (at.common != 0.0)
    small_welfares(m, at, b, &log_u, &log_f);
  else
    power_welfares(m, at, b, &log_u, &log_f);
  term[WAL_WELFARE_LNW] = b.budget * log_u;
  term[WAL_WELFARE_LFW] = b.budget * log_f;
  term[WAL_WELFARE_GAP] = b.budget * (log_f - log_u);
  term[WAL_WELFARE_WSW] = b.budget * wal_exp(log_u + at.common);
  term[WAL_WELFARE_LEFT] = 0.0;
}

__device__ static void quasilinear_terms(int m, const welfare_point &at, const welfare_buyer &b,
                                         double *term) {
  double worth = 0.0, pace = 1.0;
  for (int j = 0; j < m; j++) {
    const double v = b.v[j * b.apart], p = at.price[j];
    worth += v * (at.scale[j] * b.x[j * b.next]);
    pace = p < pace * v ? p / v : pace;
  }
  wal_quasilinear_terms(b.budget, worth, pace, term);
}

/* partial[run, WAL_WELFARES] of run blockIdx.x. */
template <bool QUASILINEAR>
__global__ void wal_add_welfares(int m, welfare_point at, int64_t rows, int64_t run, int64_t apart,
                                 const double *v, const double *budget, int64_t next, const double *x,
                                 double *partial) {
  double sum[WAL_WELFARES] = {0.0};
  const int64_t begin = blockIdx.x * run, end = begin + run < rows ? begin + run : rows;
  for (int64_t i = begin + threadIdx.x; i < end; i += THREADS) {
    const welfare_buyer b = {v + i, x + i, apart, next, budget[i]};
    double term[WAL_WELFARES];
    if (QUASILINEAR)
      quasilinear_terms(m, at, b, term);
    else
      ces_terms(m, at, b, term);
#pragma unroll
    for (int k = 0; k < WAL_WELFARES; k++) sum[k] += term[k];
  }
#pragma unroll
  for (int k = 0; k < WAL_WELFARES; k++) {
    const double all = wal_block_sum(sum[k]);
    if (threadIdx.x == 0) partial[static_cast<int64_t>(blockIdx.x) * WAL_WELFARES + k] = all;
  }
}

/* ---- the passes ---- */

namespace {

struct cuda_measuring {
  wal_measuring base;
  wal_device_buyers<double> buyers;
  wal_device_allocation allocation;
  wal_device_array<double> x;       /* [m, buyers of a chunk] */
  bool x_kept;                      /* all of it is there */
  wal_device_array<double> factors; /* [3, m] */
  wal_device_array<double> partial, sum;
};

int64_t run_of(int64_t n) {
  const int64_t run = (n + RUNS - 1) / RUNS;
  return (run + THREADS - 1) / THREADS * THREADS;
}

/* The chunk that begins at lo, and its amounts in q->x with *stride. */
wal_status next_chunk(cuda_measuring *q, int64_t lo, wal_buyer_chunk<double> *chunk) {
  const wal_market *market = q->base.market;
  WAL_TRY(q->buyers.chunk(lo, market->n, run_of(market->n), chunk));
  if (q->x_kept) return WAL_OK;
  const int64_t rows = chunk->hi - chunk->lo;
  WAL_TRY(q->x.at_least(market->m * rows, "amounts of the buyers", "a smaller n or m"));
  WAL_TRY(q->allocation.fill(*chunk, rows, q->x.data()));
  q->x_kept = rows == market->n;
  return WAL_OK;
}

/* The sums of all runs, `count` of each, to the host. */
wal_status download_sums(cuda_measuring *q, int64_t count, double *sum) {
  const int64_t n = q->base.market->n, run = run_of(n);
  WAL_TRY(wal_sum_partials((n + run - 1) / run, count, q->partial.data(), q->sum.data()));
  return wal_download(sum, q->sum.data(), count);
}

wal_status totals(wal_measuring *work, double *total) {
  cuda_measuring *q = reinterpret_cast<cuda_measuring *>(work);
  const int m = q->base.market->m;
  const int64_t n = q->base.market->n, run = run_of(n);
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  wal_buyer_chunk<double> c;
  for (int64_t lo = 0; lo < n; lo = c.hi) {
    WAL_TRY(next_chunk(q, lo, &c));
    const int64_t rows = c.hi - c.lo;
    const dim3 grid(static_cast<unsigned>((rows + run - 1) / run), static_cast<unsigned>(m + 1));
    WAL_CUDA_TRY(wal_launch(wal_add_amounts, grid, THREADS, 0, session->stream, m, rows, run, rows,
                            q->x.data(), c.budget, q->partial.data() + lo / run * (m + 1)));
  }
  return download_sums(q, m + 1, total);
}

/* scale, price and log price to the device. */
wal_status upload_factors(cuda_measuring *q, const double *scale, const double *price) {
  const int m = q->base.market->m;
  double *log_price = static_cast<double *>(malloc(static_cast<size_t>(m) * sizeof *log_price));
  if (!log_price) return wal_fail(WAL_E_MEMORY, "no memory for %d prices", m);
  for (int j = 0; j < m; j++) log_price[j] = wal_log(price[j]);
  wal_status status = wal_upload(q->factors.data(), scale, m);
  if (status == WAL_OK) status = wal_upload(q->factors.data() + m, price, m);
  if (status == WAL_OK) status = wal_upload(q->factors.data() + 2 * m, log_price, m);
  free(log_price);
  return status;
}

wal_status welfares(wal_measuring *work, const double *scale, const double *price, double *sum) {
  cuda_measuring *q = reinterpret_cast<cuda_measuring *>(work);
  const wal_market *market = q->base.market;
  const int m = market->m;
  const int64_t run = run_of(market->n);
  const double *f = q->factors.data(), common = wal_welfare_common(market->alpha, m);
  const welfare_point at = {
      market->alpha, wal_ces_power(market->alpha), common, common != 0.0 ? wal_log(m) : 0.0, f, f + m,
      f + 2 * m};
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  WAL_TRY(upload_factors(q, scale, price));
  wal_buyer_chunk<double> c;
  for (int64_t lo = 0; lo < market->n; lo = c.hi) {
    WAL_TRY(next_chunk(q, lo, &c));
    const int64_t rows = c.hi - c.lo;
    const dim3 grid(static_cast<unsigned>((rows + run - 1) / run));
    WAL_CUDA_TRY(wal_launch(market->quasilinear ? wal_add_welfares<true> : wal_add_welfares<false>, grid,
                            THREADS, 0, session->stream, m, at, rows, run, c.stride, c.v, c.budget, rows,
                            q->x.data(), q->partial.data() + lo / run * WAL_WELFARES));
  }
  return download_sums(q, WAL_WELFARES, sum);
}

/* Values take up to two fifths of what is free, amounts as much. */
wal_status open(cuda_measuring *q, const wal_market *market, const wal_allocation *allocation) {
  const int64_t run = run_of(market->n), runs = (market->n + run - 1) / run;
  const int64_t count = market->m + 1 > WAL_WELFARES ? market->m + 1 : WAL_WELFARES;
  size_t room;
  WAL_TRY(q->factors.allocate(3 * market->m, "prices", "a smaller m"));
  WAL_TRY(q->partial.allocate(runs * count, "sums over the buyers", "a smaller m"));
  WAL_TRY(q->sum.allocate(count, "sums over the buyers", "a smaller m"));
  WAL_TRY(q->allocation.open(market, allocation));
  WAL_TRY(wal_device_room(&room));
  return q->buyers.open(market, WAL_WEIGHT_VALUE, room / 5 * 2);
}

void end(wal_measuring *work) { delete reinterpret_cast<cuda_measuring *>(work); }

wal_status begin(const wal_market *market, const wal_allocation *allocation, wal_measuring **out) {
  cuda_measuring *q = new (std::nothrow) cuda_measuring();
  *out = nullptr;
  if (!q) return wal_fail(WAL_E_MEMORY, "no memory for a measure");
  const wal_status status = open(q, market, allocation);
  if (status != WAL_OK)
    delete q;
  else
    *out = &q->base;
  return status;
}

}  // namespace

const struct wal_measure_ops wal_measure_cuda = {begin, totals, welfares, end};
