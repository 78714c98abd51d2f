#include <math.h>
#include <stdlib.h>

#include <mutex>

#include "gpu/base/launch.h"
#include "gpu/market/allocations.h"
#include "models/market/welfare_formulas.h"

extern "C" {
#include "models/common/parallel.h"
}

enum { THREADS = 256, REGISTERED_MOST = 16 };

/* ---- what lives on the device ---- */

static struct {
  const wal_allocation_ops *ops;
  wal_device_fill_fn fill;
} registered[REGISTERED_MOST];
static std::mutex registering; /* solvers of several threads begin at once */

wal_status wal_device_fill_register(const wal_allocation_ops *ops, wal_device_fill_fn fill) {
  const std::lock_guard<std::mutex> one(registering);
  for (int k = 0; k < REGISTERED_MOST; k++)
    if (!registered[k].ops || registered[k].ops == ops) {
      registered[k] = {ops, fill};
      return WAL_OK;
    }
  return wal_fail(WAL_E_INTERNAL, "more than %d kinds of allocations on the device", REGISTERED_MOST);
}

static wal_device_fill_fn registered_fill(const wal_allocation_ops *ops) {
  const std::lock_guard<std::mutex> one(registering);
  for (int k = 0; k < REGISTERED_MOST; k++)
    if (registered[k].ops == ops) return registered[k].fill;
  return nullptr;
}

/* ---- demand ---- */

/* Prices p[m], log p[m], scale[m] on the device. */
struct device_demand {
  double alpha, power;
  const double *p, *log_p, *scale;
};

/* One buyer's x[j * next] of v[j * apart], as market.c's power_demand; x is room for the powers in between.
 */
__device__ static void power_demand(int m, const device_demand &at, double r, const double *v, int64_t apart,
                                    double budget, int64_t next, double *x) {
  double top = -INFINITY, sum = 0.0;
  for (int j = 0; j < m; j++) {
    const double y = r * (wal_log(v[j * apart]) - at.log_p[j]);
    x[j * next] = y;
    top = y > top ? y : top;
  }
  for (int j = 0; j < m; j++) {
    const double y = wal_exp_down(x[j * next] - top);
    x[j * next] = y;
    sum += y;
  }
  budget /= sum;
  for (int j = 0; j < m; j++) x[j * next] = at.scale[j] / at.p[j] * budget * x[j * next];
}

/* As ces_formulas.h's demand, for the utilities without powers. */
__device__ static void cobb_douglas_demand(int m, const device_demand &at, const double *v, int64_t apart,
                                           double budget, int64_t next, double *x) {
  double total = 0.0;
  for (int j = 0; j < m; j++) total += v[j * apart];
  for (int j = 0; j < m; j++) x[j * next] = v[j * apart] * (1.0 / total) * (budget / at.p[j]) * at.scale[j];
}

__device__ static void linear_demand(int m, const device_demand &at, const double *v, int64_t apart,
                                     double budget, int64_t next, double *x) {
  double best = 0.0;
  int ties = 0;
  for (int j = 0; j < m; j++) {
    const double ratio = v[j * apart] / at.p[j];
    if (ratio > best) best = ratio, ties = 0;
    ties += ratio == best;
  }
  for (int j = 0; j < m; j++) {
    const double share = v[j * apart] / at.p[j] == best ? 1.0 / ties : 0.0;
    x[j * next] = share * (budget / at.p[j]) * at.scale[j];
  }
}

__device__ static void leontief_demand(int m, const device_demand &at, const double *v, int64_t apart,
                                       double budget, int64_t next, double *x) {
  wal_log_sum terms = {-INFINITY, 0.0};
  for (int j = 0; j < m; j++) wal_log_sum_add(&terms, -1.0 * (wal_log(v[j * apart]) - at.log_p[j]));
  const double log_c = wal_log(budget) + wal_log_sum_value(terms) / -1.0;
  for (int j = 0; j < m; j++) x[j * next] = wal_exp(log_c - wal_log(v[j * apart])) * at.scale[j];
}

__global__ void wal_fill_demand(int m, device_demand at, int64_t rows, int64_t apart, const double *v,
                                const double *budget, int64_t next, double *x) {
  const int64_t t = wal_thread();
  if (t >= rows) return;
  if (!isnan(at.power))
    power_demand(m, at, at.power, v + t, apart, budget[t], next, x + t);
  else if (at.alpha == 0.0)
    cobb_douglas_demand(m, at, v + t, apart, budget[t], next, x + t);
  else if (at.alpha == 1.0)
    linear_demand(m, at, v + t, apart, budget[t], next, x + t);
  else if (at.alpha == -INFINITY)
    leontief_demand(m, at, v + t, apart, budget[t], next, x + t);
  else
    power_demand(m, at, at.alpha / (1.0 - at.alpha), v + t, apart, budget[t], next, x + t);
}

wal_status wal_device_allocation::open_demand(const wal_demand_parts &parts) {
  const int m = market_->m;
  way_ = DEMAND, alpha_ = parts.market->alpha, power_ = parts.power;
  WAL_TRY(factors_.allocate(3 * m, "prices", "a smaller m"));
  double *log_p = static_cast<double *>(malloc(static_cast<size_t>(m) * sizeof *log_p));
  if (!log_p) return wal_fail(WAL_E_MEMORY, "no memory for %d prices", m);
  for (int j = 0; j < m; j++) log_p[j] = wal_log(parts.p[j]);
  wal_status status = wal_upload(factors_.data(), parts.p, m);
  if (status == WAL_OK) status = wal_upload(factors_.data() + m, log_p, m);
  if (status == WAL_OK) status = wal_upload(factors_.data() + 2 * m, parts.scale, m);
  free(log_p);
  return status;
}

/* ---- constants, and what the host fills ---- */

__global__ void wal_fill_constant(int m, int64_t rows, const double *row, int64_t stride, double *x) {
  const int64_t t = wal_thread();
  for (int j = 0; t < rows && j < m; j++) x[j * stride + t] = row[j];
}

/* x[m, stride] of row[rows, m]. */
__global__ void wal_transpose_rows(int m, int64_t rows, const double *row, int64_t stride, double *x) {
  const int64_t t = wal_thread();
  for (int j = 0; t < rows && j < m; j++) x[j * stride + t] = row[t * m + j];
}

namespace {

struct filling {
  const wal_allocation *allocation;
  int64_t first;
  int m;
  double *row; /* [rows, m] */
};

wal_status fill_chunk(void *context, int64_t lo, int64_t hi) {
  const filling *f = static_cast<const filling *>(context);
  return f->allocation->ops->fill(f->allocation, f->first + lo, f->first + hi, f->row + lo * f->m);
}

}  // namespace

wal_status wal_device_allocation::upload(int64_t lo, int64_t hi, int64_t stride, double *x) {
  const int m = market_->m;
  const int64_t piece = wal_uploaded_at_once(hi - lo, static_cast<size_t>(m) * sizeof(double));
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  WAL_TRY(rows_.at_least(piece * m, "amounts of some buyers", "a smaller m"));
  double *row = static_cast<double *>(malloc(static_cast<size_t>(piece * m) * sizeof *row));
  if (!row)
    return wal_fail(WAL_E_MEMORY, "no memory for %lld buyers of %d goods", static_cast<long long>(piece), m);
  wal_status status = WAL_OK;
  for (int64_t at = lo, rows; status == WAL_OK && at < hi; at += rows) {
    rows = hi - at < piece ? hi - at : piece;
    filling work = {allocation_, at, m, row};
    status = wal_for_chunks(rows, fill_chunk, &work);
    if (status == WAL_OK) status = wal_upload(rows_.data(), row, rows * m);
    if (status != WAL_OK) break;
    const cudaError_t error = wal_launch(wal_transpose_rows, wal_grid(rows, THREADS), THREADS, 0,
                                         session->stream, m, rows, rows_.data(), stride, x + (at - lo));
    if (error != cudaSuccess) status = wal_cuda_failed(error, "wal_transpose_rows", __FILE__, __LINE__);
  }
  free(row);
  return status;
}

/* ---- any allocation ---- */

wal_status wal_device_allocation::open(const wal_market *market, const wal_allocation *allocation) {
  const double *constant = wal_allocation_constant_of(allocation);
  wal_demand_parts parts;
  market_ = market, allocation_ = allocation, way_ = UPLOADED;
  registered_ = registered_fill(allocation->ops);
  if (registered_) way_ = REGISTERED;
  if (constant) {
    way_ = CONSTANT;
    WAL_TRY(factors_.allocate(market->m, "amounts", "a smaller m"));
    return wal_upload(factors_.data(), constant, market->m);
  }
  if (!wal_allocation_demand_of(allocation, &parts)) return WAL_OK;
  const bool same = parts.market->buyers == market->buyers && parts.market->m == market->m;
  return same ? open_demand(parts) : WAL_OK;
}

wal_status wal_device_allocation::fill(const wal_buyer_chunk<double> &buyers, int64_t stride, double *x) {
  const int m = market_->m;
  const int64_t rows = buyers.hi - buyers.lo;
  const dim3 grid = wal_grid(rows, THREADS);
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  if (way_ == REGISTERED) return registered_(allocation_, buyers.lo, buyers.hi, stride, x);
  if (way_ == UPLOADED) return upload(buyers.lo, buyers.hi, stride, x);
  if (way_ == CONSTANT) {
    WAL_CUDA_TRY(wal_launch(wal_fill_constant, grid, THREADS, 0, session->stream, m, rows, factors_.data(),
                            stride, x));
    return WAL_OK;
  }
  const double *p = factors_.data();
  const device_demand at = {alpha_, power_, p, p + m, p + 2 * m};
  WAL_CUDA_TRY(wal_launch(wal_fill_demand, grid, THREADS, 0, session->stream, m, at, rows, buyers.stride,
                          buyers.v, buyers.budget, stride, x));
  return WAL_OK;
}
