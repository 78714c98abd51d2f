/* EG's gradient descent on the device. z, w and the velocity lie good by good, [m, stride], a buyer to a
   thread: every load is a whole line. A step is two launches: one reads and writes z (and the velocity) once
   and leaves the sums of each warp's buyers, the other adds those in a fixed order and makes the next prices.
   Nothing waits for the host between steps.

   w is kept, not computed from contexts in every step. At m = 10, d = 5 that would move 108 instead of 128
   bytes per buyer (188 instead of 208 with momentum), but add some 30 instructions to the 150 or so of a
   cell, which already keep an H100 as busy as the bytes do without momentum (counted, not measured). */
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <vector>

#include "gpu/base/launch.h"
#include "gpu/base/reduce.h"
#include "gpu/market/allocations.h"
#include "gpu/market/buyers.h"
#include "gpu/market/descent.h"

extern "C" {
#include "models/common/parallel.h"
#include "models/market/descent_step.h"
}

namespace {

enum { THREADS = 128 };

/* ---- one step ---- */

struct step_arguments {
  int64_t n, stride, warps; /* warps: sums of one good */
  int m, batches;           /* a thread takes this many buyers, blockDim.x apart */
  bool move;                /* false: only the sums */
  float alpha, step, momentum, scale;
  float *z, *velocity;          /* [m, stride]; velocity: NULL without momentum */
  const float *w, *pull, *size; /* [m, stride], [n], [n]; pull, size: NULL is 1 */
  const float *price;           /* [m] */
  double *partial;              /* [m, warps] */
};

/* One good of one buyer: x = softplus(z), its derivative, the score. */
struct cell {
  float z, velocity, x, slope, y;
};

template <wal_descent_kind K>
__device__ cell cell_at(const step_arguments &s, int64_t at) {
  cell c;
  c.z = s.z[at];
  c.velocity = s.velocity ? s.velocity[at] : 0.0f;
  c.x = wal_softplusf(c.z, &c.slope);
  c.y = wal_descent_score(K, s.alpha, s.w[at], c.x);
  return c;
}

/* Moves a good down the gradient; the new x. */
__device__ float descend(const step_arguments &s, int64_t at, float price, float spend, const cell &c) {
  float by = wal_descent_gradient(price, spend, c.y, c.x, c.slope, s.scale), slope;
  if (s.velocity) s.velocity[at] = by = s.momentum * c.velocity + by;
  const float z = c.z - s.step * by;
  s.z[at] = z;
  return wal_softplusf(z, &slope);
}

/* A buyer's cells in registers, for at most M goods. */
template <wal_descent_kind K, int M>
struct near_row {
  cell c[M];
  __device__ void load(const step_arguments &s, int64_t i) {
#pragma unroll
    for (int j = 0; j < M; j++)
      if (j < s.m) c[j] = cell_at<K>(s, j * s.stride + i);
  }
  __device__ const cell &at(const step_arguments &, int64_t, int j) const { return c[j]; }
};

/* The same for any number of goods: made again from memory whenever asked for. */
template <wal_descent_kind K>
struct near_row<K, 0> {
  __device__ void load(const step_arguments &, int64_t) {}
  __device__ cell at(const step_arguments &s, int64_t i, int j) const {
    return cell_at<K>(s, j * s.stride + i);
  }
};

/* pull_i / sum_k y_ik; *best: what scores are compared with. */
template <wal_descent_kind K, int M>
__device__ float spend_of(const step_arguments &s, int64_t i, const near_row<K, M> &row, float *best) {
  float sum = 0.0f;
  *best = wal_descent_worst(K);
#pragma unroll
  for (int j = 0; j < (M ? M : s.m); j++) {
    if (j >= s.m) continue;
    const float y = row.at(s, i, j).y;
    if (wal_descent_compares(K))
      *best = wal_descent_better(K, y, *best);
    else
      sum += y;
  }
#pragma unroll
  for (int j = 0; j < (M ? M : s.m); j++)
    if (wal_descent_compares(K) && j < s.m) sum += wal_descent_compared(K, row.at(s, i, j).y, *best);
  return (s.pull ? s.pull[i] : 1.0f) / sum;
}

/* size_i x_ij after the step, good j. */
template <wal_descent_kind K, int M>
__device__ double stepped(const step_arguments &s, int64_t i, int j, const near_row<K, M> &row, float spend,
                          float best) {
  cell c = row.at(s, i, j);
  if (s.move) {
    if (wal_descent_compares(K)) c.y = wal_descent_compared(K, c.y, best);
    c.x = descend(s, j * s.stride + i, s.price[j], spend, c);
  }
  return static_cast<double>(s.size ? s.size[i] * c.x : c.x);
}

/* The number of this thread's warp in the grid. */
__device__ int64_t warp_number(void) { return wal_thread() / 32; }

/* One step of `batches` buyers to a thread, at most M goods. */
template <wal_descent_kind K, int M>
__global__ void __launch_bounds__(THREADS) step_near(const step_arguments s) {
  double sums[M];
#pragma unroll
  for (int j = 0; j < M; j++) sums[j] = 0.0;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * s.batches * THREADS + threadIdx.x;
  for (int b = 0; b < s.batches; b++) {
    const int64_t i = first + static_cast<int64_t>(b) * THREADS;
    if (i >= s.n) break;
    near_row<K, M> row;
    float best;
    row.load(s, i);
    const float spend = spend_of(s, i, row, &best);
#pragma unroll
    for (int j = 0; j < M; j++)
      if (j < s.m) sums[j] += stepped(s, i, j, row, spend, best);
  }
#pragma unroll
  for (int j = 0; j < M; j++) {
    if (j >= s.m) break;
    const double sum = wal_warp_sum(sums[j]);
    if (threadIdx.x % 32 == 0) s.partial[j * s.warps + warp_number()] = sum;
  }
}

/* The same for any number of goods; one buyer to a thread. */
template <wal_descent_kind K>
__global__ void __launch_bounds__(THREADS) step_far(const step_arguments s) {
  const int64_t i = wal_thread();
  const near_row<K, 0> row;
  float best = 0.0f;
  const float spend = i < s.n ? spend_of(s, i, row, &best) : 0.0f;
  for (int j = 0; j < s.m; j++) {
    const double sum = wal_warp_sum(i < s.n ? stepped(s, i, j, row, spend, best) : 0.0);
    if (threadIdx.x % 32 == 0) s.partial[j * s.warps + warp_number()] = sum;
  }
}

/* What the steps share with the host, in one array of doubles [4, m]: price, lambda, mean, and 1 where a mean
   was not finite after some step. */
enum { PRICE, LAMBDA, MEAN, LOST, NUMBERS };

struct prices_arguments {
  int64_t n, warps;
  int m;
  wal_descent_rule rule;
  const double *partial; /* [m, warps] */
  const double *target;  /* [m] Y_j/n */
  double *numbers;       /* [NUMBERS, m] */
  float *price;          /* [m] what the steps read */
};

/* Means and the next prices; a block for each good. */
__global__ void next_prices(const prices_arguments p) {
  const int j = static_cast<int>(blockIdx.x);
  double sum = 0.0;
  for (int64_t k = threadIdx.x; k < p.warps; k += blockDim.x) sum += p.partial[j * p.warps + k];
  sum = wal_block_sum(sum);
  if (threadIdx.x != 0) return;
  const double mean = sum / static_cast<double>(p.n);
  const double price = wal_descent_price(p.rule, mean, p.target[j], &p.numbers[LAMBDA * p.m + j]);
  p.numbers[PRICE * p.m + j] = price;
  p.numbers[MEAN * p.m + j] = mean;
  p.price[j] = static_cast<float>(price);
  if (!isfinite(mean)) p.numbers[LOST * p.m + j] = 1.0;
}

/* ---- set-up ---- */

/* w of buyers [lo, lo + rows) from their values v[m, rows], and z; the goods along blockIdx.y. */
__global__ void begin_cells(wal_descent_kind kind, int64_t rows, const double *v, const double *unit,
                            const float *start, int64_t lo, int64_t stride, float *w, float *z) {
  const int j = static_cast<int>(blockIdx.y);
  for (int64_t t = wal_thread(); t < rows; t += wal_threads_all()) {
    const int64_t at = j * stride + lo + t;
    w[at] = wal_descent_weight(kind, unit[j] * v[j * rows + t]);
    z[at] = start[j];
  }
}

/* size_i = B_i n/B. */
__global__ void begin_sizes(int64_t n, double budget, float *size) {
  for (int64_t i = wal_thread(); i < n; i += wal_threads_all())
    size[i] = static_cast<float>(size[i] * static_cast<double>(n) / budget);
}

/* pull or size as they come: B_i rounded. */
__global__ void begin_budgets(int64_t rows, const double *budget, float *rounded) {
  for (int64_t t = wal_thread(); t < rows; t += wal_threads_all()) rounded[t] = static_cast<float>(budget[t]);
}

/* ---- the allocation ---- */

/* x_ij = unit_j size_i softplus(z_ij) of all buyers, where the numbers are: on the device or the host. */
struct softplus_view {
  int m;
  int64_t stride;     /* between goods */
  const float *z;     /* [m, stride] */
  const float *size;  /* [n], or NULL: 1 */
  const double *unit; /* [m] */
};

__host__ __device__ double amount(const softplus_view &a, int64_t i, int j) {
  float slope;
  const float x = wal_softplusf(a.z[j * a.stride + i], &slope);
  return a.unit[j] * static_cast<double>(a.size ? a.size[i] * x : x);
}

/* x[m, stride] of buyers [lo, lo + rows); the goods along blockIdx.y. */
__global__ void spread_amounts(const softplus_view a, int64_t lo, int64_t rows, int64_t stride, double *x) {
  const int j = static_cast<int>(blockIdx.y);
  for (int64_t t = wal_thread(); t < rows; t += wal_threads_all()) x[j * stride + t] = amount(a, lo + t, j);
}

struct softplus_allocation : wal_allocation {
  int m;
  int64_t n, stride;
  wal_device_array<float> z, size; /* [m, stride]; [n] when scaled, none otherwise: 1 */
  wal_device_array<double> unit;   /* [m] */
  /* What fill() reads: a copy on the host, made when it is first asked for after a step. */
  std::mutex copying;
  bool copied = false;
  std::vector<float> host_z, host_size; /* [m, stride], [n] or none */
  std::vector<double> host_unit;        /* [m] */
};

wal_status copy_to_host(softplus_allocation *a) {
  const std::lock_guard<std::mutex> one(a->copying);
  if (a->copied) return WAL_OK;
  try {
    a->host_z.resize(static_cast<size_t>(a->z.count()));
    a->host_size.resize(static_cast<size_t>(a->size.count()));
  } catch (const std::bad_alloc &) {
    return wal_fail(WAL_E_MEMORY, "no memory for a copy of %lld buyers' %d goods",
                    static_cast<long long>(a->n), a->m);
  }
  WAL_TRY(wal_download(a->host_z.data(), a->z.data(), a->z.count()));
  WAL_TRY(wal_download(a->host_size.data(), a->size.data(), a->size.count()));
  a->copied = true;
  return WAL_OK;
}

wal_status softplus_fill(const wal_allocation *allocation, int64_t lo, int64_t hi, double *x) {
  softplus_allocation *a =
      const_cast<softplus_allocation *>(static_cast<const softplus_allocation *>(allocation));
  WAL_TRY(copy_to_host(a));
  const softplus_view view = {a->m, a->stride, a->host_z.data(),
                              a->size.count() ? a->host_size.data() : nullptr, a->host_unit.data()};
  for (int64_t i = lo; i < hi; i++)
    for (int j = 0; j < a->m; j++) x[(i - lo) * a->m + j] = amount(view, i, j);
  return WAL_OK;
}

/* For kernels, such as the measures': from where z is. */
wal_status softplus_fill_device(const wal_allocation *allocation, int64_t lo, int64_t hi, int64_t stride,
                                double *x) {
  const softplus_allocation *a = static_cast<const softplus_allocation *>(allocation);
  const softplus_view view = {a->m, a->stride, a->z.data(), a->size.data(), a->unit.data()};
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  const dim3 grid(wal_grid(hi - lo, THREADS).x, static_cast<unsigned>(a->m));
  WAL_CUDA_TRY(wal_launch(spread_amounts, grid, THREADS, 0, session->stream, view, lo, hi - lo, stride, x));
  return WAL_OK;
}

void softplus_destroy(wal_allocation *allocation) { delete static_cast<softplus_allocation *>(allocation); }

const wal_allocation_ops softplus_ops = {"softplus on the device", softplus_fill, softplus_destroy};

/* ---- the member ---- */

enum { NEAREST = 5, NEAR = 10, NEARLY = 20 }; /* goods that kernels keep in registers; more: step_far */

struct resident {
  softplus_allocation *x = nullptr;          /* owned until released */
  wal_device_array<float> w, velocity, pull; /* [m, stride], the same with momentum, [n] unless scaled: 1 */
  wal_device_array<float> price;             /* [m] */
  wal_device_array<double> numbers, target;  /* [NUMBERS, m], [m] */
  wal_device_array<double> partial;          /* [m, warps] */
  std::vector<double> host;                  /* [NUMBERS, m] */
  int64_t blocks = 0;
  int batches = 1;
  ~resident() { delete x; }
};

resident *of(const wal_descent *s) { return static_cast<resident *>(s->state); }

template <wal_descent_kind K>
wal_status launch(const resident *r, const step_arguments &a, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(r->blocks));
  if (a.m <= NEAREST)
    WAL_CUDA_TRY(wal_launch(step_near<K, NEAREST>, grid, THREADS, 0, stream, a));
  else if (a.m <= NEAR)
    WAL_CUDA_TRY(wal_launch(step_near<K, NEAR>, grid, THREADS, 0, stream, a));
  else if (a.m <= NEARLY)
    WAL_CUDA_TRY(wal_launch(step_near<K, NEARLY>, grid, THREADS, 0, stream, a));
  else
    WAL_CUDA_TRY(wal_launch(step_far<K>, grid, THREADS, 0, stream, a));
  return WAL_OK;
}

wal_status launch_kind(wal_descent_kind kind, const resident *r, const step_arguments &a,
                       cudaStream_t stream) {
  switch (kind) {
    case WAL_DESCENT_LINEAR:
      return launch<WAL_DESCENT_LINEAR>(r, a, stream);
    case WAL_DESCENT_ROOT:
      return launch<WAL_DESCENT_ROOT>(r, a, stream);
    case WAL_DESCENT_CONST:
      return launch<WAL_DESCENT_CONST>(r, a, stream);
    case WAL_DESCENT_POWER:
      return launch<WAL_DESCENT_POWER>(r, a, stream);
    default:
      return launch<WAL_DESCENT_LEAST>(r, a, stream);
  }
}

/* Queues one step (or none) and the prices after it. */
wal_status queue_step(const wal_descent *s, bool move, cudaStream_t stream) {
  const resident *r = of(s);
  const softplus_allocation *x = r->x;
  const int64_t warps = r->blocks * (THREADS / 32);
  const step_arguments a = {x->n,
                            x->stride,
                            warps,
                            x->m,
                            r->batches,
                            move,
                            s->alpha,
                            s->step,
                            s->momentum,
                            s->scale,
                            x->z.data(),
                            r->velocity.data(),
                            r->w.data(),
                            r->pull.data(),
                            x->size.data(),
                            r->price.data(),
                            r->partial.data()};
  WAL_TRY(launch_kind(s->kind, r, a, stream));
  const prices_arguments p = {
      x->n, warps, x->m, s->rule, r->partial.data(), r->target.data(), r->numbers.data(), r->price.data()};
  const int threads = warps >= 1024 ? 1024 : static_cast<int>((warps + 31) / 32 * 32);
  WAL_CUDA_TRY(wal_launch(next_prices, dim3(static_cast<unsigned>(x->m)), threads, 0, stream, p));
  return WAL_OK;
}

/* price and lambda to the device. */
wal_status upload_prices(const wal_descent *s) {
  resident *r = of(s);
  const int m = r->x->m;
  std::vector<float> price(s->price, s->price + m);
  std::fill(r->host.begin(), r->host.end(), 0.0);
  std::copy(s->price, s->price + m, r->host.begin() + PRICE * m);
  std::copy(s->lambda, s->lambda + m, r->host.begin() + LAMBDA * m);
  WAL_TRY(wal_upload(r->numbers.data(), r->host.data(), NUMBERS * m));
  return wal_upload(r->price.data(), price.data(), m);
}

wal_status download_prices(const wal_descent *s) {
  resident *r = of(s);
  const int m = r->x->m;
  WAL_TRY(wal_download(r->host.data(), r->numbers.data(), NUMBERS * m));
  for (int j = 0; j < m; j++) {
    s->price[j] = r->host[static_cast<size_t>(PRICE * m + j)];
    s->lambda[j] = r->host[static_cast<size_t>(LAMBDA * m + j)];
    s->mean[j] = r->host[static_cast<size_t>(MEAN * m + j)];
  }
  for (int j = 0; j < m; j++)
    if (r->host[static_cast<size_t>(LOST * m + j)] != 0.0) return wal_descent_diverged(j);
  return WAL_OK;
}

wal_status run(wal_descent *s, int steps) {
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  of(s)->x->copied = false;
  WAL_TRY(upload_prices(s));
  for (int k = 0; k < (steps > 0 ? steps : 1); k++) WAL_TRY(queue_step(s, steps > 0, session->stream));
  return download_prices(s);
}

/* Room for all, in proportion to n m: z, w, a velocity with momentum. */
wal_status allocate(const wal_descent *s) {
  resident *r = of(s);
  softplus_allocation *x = r->x;
  const int m = s->market->m;
  const int64_t n = x->n = s->market->n, cells = m * (x->stride = (n + 31) / 32 * 32);
  x->m = m;
  r->batches = m > NEARLY || n <= int64_t(1) << 18 ? 1 : 2; /* small markets use the whole card so */
  r->blocks = wal_grid(n, THREADS * r->batches).x;
  WAL_TRY(x->z.allocate(cells, "the iterate of EG", "a smaller n"));
  WAL_TRY(r->w.allocate(cells, "the values of EG", "a smaller n"));
  if (s->momentum > 0.0f)
    WAL_TRY(r->velocity.allocate(cells, "the velocity of EG", "a smaller n or solver: eg"));
  WAL_TRY((s->scaled ? x->size : r->pull).allocate(n, "budgets", "a smaller n"));
  WAL_TRY(x->unit.allocate(m, "units", "a smaller m"));
  WAL_TRY(r->price.allocate(m, "prices", "a smaller m"));
  WAL_TRY(r->target.allocate(m, "supplies", "a smaller m"));
  WAL_TRY(r->numbers.allocate(NUMBERS * m, "prices", "a smaller m"));
  return r->partial.allocate(m * r->blocks * (THREADS / 32), "sums", "a smaller n or m");
}

/* unit, target and the start of every good. */
wal_status begin_goods(const wal_descent *s, wal_device_array<double> *weight_unit,
                       wal_device_array<float> *start) {
  resident *r = of(s);
  const int m = r->x->m;
  std::vector<double> target, unit_of_w;
  std::vector<float> z;
  for (int j = 0; j < m; j++) {
    r->x->host_unit.push_back(wal_descent_unit(s, j));
    target.push_back(s->market->supply[j] / static_cast<double>(s->market->n));
    unit_of_w.push_back(s->market->alpha == 0.0 ? 1.0 : wal_descent_unit(s, j));
    z.push_back(wal_descent_start(s, j));
  }
  r->host.resize(static_cast<size_t>(NUMBERS * m));
  WAL_TRY(weight_unit->allocate(m, "units", "a smaller m"));
  WAL_TRY(start->allocate(m, "the start", "a smaller m"));
  WAL_TRY(wal_upload(r->x->unit.data(), r->x->host_unit.data(), m));
  WAL_TRY(wal_upload(r->target.data(), target.data(), m));
  WAL_TRY(wal_upload(weight_unit->data(), unit_of_w.data(), m));
  return wal_upload(start->data(), z.data(), m);
}

/* Adds up budgets[n] as the CPU's member does. */
wal_status add_budgets(void *context, int64_t lo, int64_t hi, double *total) {
  const double *budget = static_cast<const double *>(context);
  for (int64_t i = lo; i < hi; i++) total[0] += budget[i];
  return WAL_OK;
}

/* Values and budgets of all buyers, some at a time, into w, z and pull or size; their budgets also to the
 * host. */
wal_status begin_buyers(const wal_descent *s, double *budget /* [n] */) {
  resident *r = of(s);
  softplus_allocation *x = r->x;
  const int64_t n = x->n, at_once = std::min(n, int64_t(1) << 18);
  float *rounded = s->scaled ? x->size.data() : r->pull.data();
  wal_device_array<double> v, money, unit;
  wal_device_array<float> start;
  wal_device_source source;
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  WAL_TRY(begin_goods(s, &unit, &start));
  WAL_TRY(v.allocate(at_once * x->m, "values of some buyers", "a smaller m"));
  WAL_TRY(money.allocate(at_once, "budgets of some buyers", "a smaller n"));
  WAL_TRY(source.open(s->market));
  for (int64_t lo = 0, rows; lo < n; lo += rows) {
    rows = std::min(at_once, n - lo);
    WAL_TRY(source.fill(lo, lo + rows, rows, v.data(), money.data()));
    const dim3 grid(wal_grid(rows, THREADS).x, static_cast<unsigned>(x->m));
    WAL_CUDA_TRY(wal_launch(begin_cells, grid, THREADS, 0, session->stream, s->kind, rows, v.data(),
                            unit.data(), start.data(), lo, x->stride, r->w.data(), x->z.data()));
    WAL_CUDA_TRY(wal_launch(begin_budgets, wal_grid(rows, THREADS), THREADS, 0, session->stream, rows,
                            money.data(), rounded + lo));
    WAL_TRY(wal_download(budget + lo, money.data(), rows));
  }
  return WAL_OK;
}

wal_status begin(wal_descent *s) {
  resident *r = of(s);
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  WAL_TRY(allocate(s));
  WAL_TRY(wal_device_fill_register(&softplus_ops, softplus_fill_device));
  std::vector<double> budget(static_cast<size_t>(r->x->n));
  WAL_TRY(begin_buyers(s, budget.data()));
  WAL_TRY(wal_sum_chunks(r->x->n, 1, add_budgets, budget.data(), &s->budget));
  if (s->scaled)
    WAL_CUDA_TRY(wal_launch(begin_sizes, wal_grid(r->x->n, THREADS), THREADS, 0, session->stream, r->x->n,
                            s->budget, r->x->size.data()));
  if (r->velocity.count())
    WAL_CUDA_TRY(cudaMemsetAsync(r->velocity.data(), 0,
                                 static_cast<size_t>(r->velocity.count()) * sizeof(float), session->stream));
  return WAL_OK;
}

wal_status create(wal_descent *s) {
  resident *r = new (std::nothrow) resident;
  s->state = r;
  if (r) r->x = new (std::nothrow) softplus_allocation{};
  if (!r || !r->x) return wal_fail(WAL_E_MEMORY, "no memory for the iterate of %d goods", s->market->m);
  r->x->ops = &softplus_ops;
  try {
    return begin(s);
  } catch (const std::bad_alloc &) {
    return wal_fail(WAL_E_MEMORY, "no memory for the budgets of %lld buyers",
                    static_cast<long long>(s->market->n));
  }
}

const wal_allocation *allocation(const wal_descent *s) { return of(s)->x; }

wal_allocation *release(wal_descent *s) {
  wal_allocation *x = of(s)->x;
  of(s)->x = nullptr;
  return x;
}

void destroy(wal_descent *s) { delete of(s); }

}  // namespace

const struct wal_descent_ops wal_descent_cuda = {"cuda", create, run, allocation, release, destroy};
