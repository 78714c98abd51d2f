/* One pass over the buyers (models/market/dual.h). A block of threads sums a run of buyers, the runs' sums
   are added in a fixed tree. Runs depend on the number of buyers alone: chunked, streamed or kept, the same
   bits.

   Up to FEW goods a thread has a buyer and all its sums in registers, and prices come with the launch: a pass
   reads each weight once and nothing else. With more goods a block computes the shares of a tile of buyers
   into shared memory, and its threads hold 4 x 4 squares of the covariance in registers. */
#include <memory>
#include <new>

#include "gpu/base/reduce.h"
#include "gpu/market/buyers.h"
#include "gpu/market/dual.h"
#include "models/market/dual_math.h"

/* FEW goods; threads of a block, and the most blocks of a pass: three on each of an H100's 132
   multiprocessors, two with many goods. */
enum { FEW = 10, FEW_THREADS = 128, FEW_RUNS = 396, MANY_THREADS = 256, MANY_RUNS = 264 };

/* A point for buyers in T. In float32 plain weights are w alone, g = 1, and sums are multiplied with g at the
 * end. */
template <class T>
struct device_point {
  bool power, log_wanted;
  T r;
  const T *g, *c, *q;  /* [m] each */
  const double *clear; /* [m] or NULL */
};

/* The same with the prices themselves. */
template <class T>
struct few_point {
  bool power, log_wanted;
  T r, g[FEW], c[FEW], q[FEW];
};

/* A chunk of buyers: run b is rows [b * run, (b + 1) * run) of it. */
template <class T>
struct device_rows {
  int64_t rows, run, stride;
  const T *w;      /* [m, stride] */
  const T *budget; /* [rows] */
};

__device__ static double exp_down(double x) { return wal_dual_exp(x); }
__device__ static float exp_down(float x) { return wal_exp_downf(x); }
__device__ static double log_of(double x) { return wal_log(x); }
__device__ static float log_of(float x) { return wal_logf(x); }

/* y_j, or its logarithm where the point has a power. */
template <class P, class T>
__device__ static T first_weight(const P &at, int j, T w) {
  return at.power ? at.r * (w - at.q[j]) : at.g[j] * w;
}

template <class T>
__device__ static int64_t run_end(const device_rows<T> &buyers) {
  const int64_t end = (blockIdx.x + 1) * buyers.run;
  return end < buyers.rows ? end : buyers.rows;
}

/* ---- few goods ---- */

/* y_j over e^top of the buyer w[j * stride] into y[M], 0 from m on; returns sum_j c_j y_j. */
template <class T, int M>
__device__ static T weights_of(int m, const T *w, int64_t stride, const few_point<T> &at, T *y, T *top) {
  T sum = 0, most = static_cast<T>(-INFINITY);
#pragma unroll
  for (int j = 0; j < M; j++) {
    y[j] = j < m ? first_weight(at, j, w[j * stride]) : static_cast<T>(0);
    most = j < m && y[j] > most ? y[j] : most;
  }
  *top = at.power ? most : static_cast<T>(0);
#pragma unroll
  for (int j = 0; j < M; j++) {
    if (j < m && at.power) y[j] = exp_down(y[j] - most);
    if (j < m) sum += at.power ? y[j] : at.c[j] * y[j];
  }
  return sum;
}

/* Sums of run blockIdx.x to partial[blockIdx.x, wal_dual_sum_count]; m <= M <= FEW. */
template <class T, int M, bool COVARIANCE>
__global__ void __launch_bounds__(FEW_THREADS, 3)
    wal_dual_few(int m, device_rows<T> buyers, few_point<T> at, double *partial) {
  enum { PAIRS = COVARIANCE ? M * (M + 1) / 2 : 1, WARPS = FEW_THREADS / 32 };
  double share[M], moment[PAIRS], money = 0.0, log_sum = 0.0;
#pragma unroll
  for (int j = 0; j < M; j++) share[j] = 0.0;
#pragma unroll
  for (int k = 0; k < PAIRS; k++) moment[k] = 0.0;
  const int64_t end = run_end(buyers);
  for (int64_t i = blockIdx.x * buyers.run + threadIdx.x; i < end; i += FEW_THREADS) {
    T y[M], top;
    const T sum = weights_of<T, M>(m, buyers.w + i, buyers.stride, at, y, &top),
            inverse = static_cast<T>(1) / sum;
    const double budget = static_cast<double>(buyers.budget[i]);
    money += budget;
    if (at.log_wanted) log_sum += static_cast<double>(top + log_of(sum)) * budget;
    double e[M];
#pragma unroll
    for (int j = 0; j < M; j++) {
      e[j] = static_cast<double>(y[j] * inverse);
      share[j] = fma(budget, e[j], share[j]);
    }
#pragma unroll
    for (int j = 0; j < M; j++)
#pragma unroll
      for (int k = 0; COVARIANCE && k <= j; k++)
        moment[j * (j + 1) / 2 + k] = fma(budget * e[j], e[k], moment[j * (j + 1) / 2 + k]);
  }

  __shared__ double part[WARPS][M + WAL_DUAL_SCALARS + PAIRS];
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
#define KEEP(k, x)                           \
  do {                                       \
    const double warp_sum = wal_warp_sum(x); \
    if (lane == 0) part[warp][k] = warp_sum; \
  } while (0)
#pragma unroll
  for (int j = 0; j < M; j++)
    if (j < m) KEEP(j, share[j]);
  KEEP(m + WAL_DUAL_BUDGET, money);
  KEEP(m + WAL_DUAL_LOG_SUM, log_sum);
  KEEP(m + WAL_DUAL_LINEAR_GAP, 0.0);
#pragma unroll
  for (int k = 0; k < PAIRS; k++)
    if (COVARIANCE && k < m * (m + 1) / 2) KEEP(m + WAL_DUAL_SCALARS + k, moment[k]);
#undef KEEP
  __syncthreads();
  const int count = wal_dual_sum_count(m, COVARIANCE);
  for (int k = static_cast<int>(threadIdx.x); k < count; k += FEW_THREADS) {
    double sum = part[0][k];
    for (int other = 1; other < WARPS; other++) sum += part[other][k];
    partial[static_cast<int64_t>(blockIdx.x) * count + k] = sum;
  }
}

/* ---- many goods ---- */

/* How a block of MANY_THREADS works: buyers in a tile; goods rounded up to squares; squares of the
   covariance's lower triangle, how many a block takes (blockIdx.y tells which), and among how many threads a
   square's buyers are split. */
struct many_plan {
  int tile, pitch, squares, taken, slices;
  size_t shared; /* bytes */
};

/* Doubles of shared memory: e[tile, pitch], a tile's budgets, what threads tell each other, shares. */
static size_t many_doubles(int m, int tile, int pitch) {
  return static_cast<size_t>(tile) * static_cast<size_t>(pitch + 1) + MANY_THREADS + static_cast<size_t>(m);
}

static wal_status plan_many(int m, bool covariance, many_plan *out) {
  const size_t most = size_t(96) << 10; /* what every card since 2020 has */
  const int side = (m + 3) / 4, pitch = 4 * side + 2;
  int tile = 32;
  while (tile > 1 && many_doubles(m, tile, pitch) * sizeof(double) > most) tile /= 2;
  const int squares = covariance ? side * (side + 1) / 2 : 0;
  out->tile = tile, out->pitch = pitch, out->squares = squares;
  out->taken = squares < MANY_THREADS ? squares : MANY_THREADS;
  out->slices = squares > 0 && squares < MANY_THREADS ? MANY_THREADS / squares : 1;
  out->shared = many_doubles(m, tile, pitch) * sizeof(double);
  if (out->shared <= most) return WAL_OK;
  return wal_fail(WAL_E_UNSUPPORTED, "%d goods; a pass on the GPU takes 5000; --device cpu works", m);
}

/* The tile's shares of buyers [i0, i0 + tile) into e[tile, pitch], their budgets into b[tile]; past `end` 0.
   A buyer's goods are split among MANY_THREADS / tile threads, who agree through tell[MANY_THREADS]. */
template <class T>
__device__ static void make_shares(int m, const device_rows<T> &buyers, const device_point<T> &at,
                                   const many_plan &plan, int64_t i0, int64_t end, double *e, double *b,
                                   double *tell, double *log_sum) {
  const int t = static_cast<int>(threadIdx.x) % plan.tile, slot = static_cast<int>(threadIdx.x) / plan.tile;
  const int slots = MANY_THREADS / plan.tile;
  const int64_t i = i0 + t;
  const bool here = i < end;
  const double budget = here ? static_cast<double>(buyers.budget[i]) : 0.0;
  double *row = e + t * plan.pitch;
  T top = 0;
  if (at.power) {
    top = static_cast<T>(-INFINITY);
    for (int j = slot; here && j < m; j += slots) {
      const T y = first_weight(at, j, buyers.w[j * buyers.stride + i]);
      top = y > top ? y : top;
    }
    tell[threadIdx.x] = static_cast<double>(top);
    __syncthreads();
    for (int k = 0; k < slots; k++) {
      const T other = static_cast<T>(tell[k * plan.tile + t]);
      top = other > top ? other : top;
    }
    __syncthreads();
  }
  T sum = 0;
  for (int j = slot; here && j < m; j += slots) {
    T y = first_weight(at, j, buyers.w[j * buyers.stride + i]);
    if (at.power) y = exp_down(y - top);
    row[j] = static_cast<double>(y);
    sum += at.power ? y : at.c[j] * y;
  }
  tell[threadIdx.x] = static_cast<double>(sum);
  __syncthreads();
  sum = static_cast<T>(tell[t]);
  for (int k = 1; k < slots; k++) sum += static_cast<T>(tell[k * plan.tile + t]);
  const T inverse = static_cast<T>(1) / sum;
  for (int j = slot; j < m; j += slots)
    row[j] = here ? static_cast<double>(static_cast<T>(row[j]) * inverse) : 0.0;
  if (slot == 0) b[t] = budget;
  if (slot == 0 && here && at.log_wanted) *log_sum += static_cast<double>(top + log_of(sum)) * budget;
  __syncthreads();
}

/* Which square of the lower triangle number p is: row *a, column *b. */
__device__ static void square_at(int p, int *a, int *b) {
  int row = static_cast<int>((sqrt(8.0 * p + 1.0) - 1.0) / 2.0);
  while (row * (row + 1) / 2 > p) row--;
  while ((row + 1) * (row + 2) / 2 <= p) row++;
  *a = row, *b = p - row * (row + 1) / 2;
}

/* moment[4, 4] += sum over the slice's buyers of b e_j e_k, j from 4 a on, k from 4 b on; what lies past the
   last good is not written later. */
__device__ static void add_square(const many_plan &plan, int slice, const double *e, const double *budget,
                                  int a, int b, double *moment) {
  for (int t = slice; t < plan.tile; t += plan.slices) {
    const double2 *x = reinterpret_cast<const double2 *>(e + t * plan.pitch + 4 * a);
    const double2 *y = reinterpret_cast<const double2 *>(e + t * plan.pitch + 4 * b);
    const double2 x0 = x[0], x1 = x[1], y0 = y[0], y1 = y[1];
    const double left[4] = {budget[t] * x0.x, budget[t] * x0.y, budget[t] * x1.x, budget[t] * x1.y};
    const double right[4] = {y0.x, y0.y, y1.x, y1.y};
#pragma unroll
    for (int j = 0; j < 4; j++)
#pragma unroll
      for (int k = 0; k < 4; k++) moment[4 * j + k] = fma(left[j], right[k], moment[4 * j + k]);
  }
}

__device__ static void write_square(int m, int a, int b, const double *moment, double *triangle) {
  for (int x = 0; x < 4; x++)
    for (int y = 0; y < 4; y++) {
      const int j = 4 * a + x, k = 4 * b + y;
      if (j < m && k <= j) triangle[static_cast<int64_t>(j) * (j + 1) / 2 + k] = moment[4 * x + y];
    }
}

/* The slices' squares added in order in room[taken, 16], then written. */
__device__ static void join_slices(int m, const many_plan &plan, int slice, int number, int a, int b,
                                   double *moment, double *room, double *triangle) {
  for (int s = 0; s < plan.slices; s++) {
    for (int k = 0; slice == s && k < 16; k++)
      room[number * 16 + k] = (s ? room[number * 16 + k] : 0.0) + moment[k];
    __syncthreads();
  }
  if (slice == 0) write_square(m, a, b, room + number * 16, triangle);
}

/* Sums of run blockIdx.x, for the squares that blockIdx.y takes; its first block has all other sums. */
template <class T>
__global__ void __launch_bounds__(MANY_THREADS)
    wal_dual_many(int m, many_plan plan, device_rows<T> buyers, device_point<T> at, double *partial) {
  const int me = static_cast<int>(threadIdx.x);
  double *e = wal_shared<double>(), *tell = e + plan.tile * plan.pitch, *share = tell + MANY_THREADS,
         *b = share + m;
  const int slice = plan.taken ? me / plan.taken : plan.slices, number = plan.taken ? me % plan.taken : 0;
  const int p = static_cast<int>(blockIdx.y) * MANY_THREADS + number;
  const bool works = slice < plan.slices && p < plan.squares;
  int row = 0, column = 0;
  if (works) square_at(p, &row, &column);
  double moment[16] = {0.0}, money = 0.0, log_sum = 0.0;
  for (int j = me; j < m; j += MANY_THREADS) share[j] = 0.0;
  const int64_t end = run_end(buyers);
  for (int64_t i0 = blockIdx.x * buyers.run; i0 < end; i0 += plan.tile) {
    make_shares(m, buyers, at, plan, i0, end, e, b, tell, &log_sum);
    if (me < plan.tile) money += b[me];
    for (int j = me; blockIdx.y == 0 && j < m; j += MANY_THREADS)
      for (int t = 0; t < plan.tile; t++) share[j] = fma(b[t], e[t * plan.pitch + j], share[j]);
    if (works) add_square(plan, slice, e, b, row, column, moment);
    __syncthreads();
  }
  double *to = partial + static_cast<int64_t>(blockIdx.x) * wal_dual_sum_count(m, plan.squares > 0);
  double *triangle = to + m + WAL_DUAL_SCALARS;
  money = wal_block_sum(money);
  log_sum = wal_block_sum(log_sum);
  if (plan.slices > 1)
    join_slices(m, plan, works ? slice : plan.slices, number, row, column, moment, e, triangle);
  else if (works)
    write_square(m, row, column, moment, triangle);
  if (blockIdx.y > 0) return;
  for (int j = me; j < m; j += MANY_THREADS) to[j] = share[j];
  if (me == 0)
    to[m + WAL_DUAL_BUDGET] = money, to[m + WAL_DUAL_LOG_SUM] = log_sum, to[m + WAL_DUAL_LINEAR_GAP] = 0.0;
}

/* ---- the gap of linear utilities ---- */

/* As dual.c's linear_gap, which says what it is; the run's budgets and gaps, all other sums 0. */
template <class T>
__global__ void wal_dual_gap(int m, device_rows<T> buyers, device_point<T> at, double *partial) {
  double money = 0.0, gap = 0.0;
  const int64_t end = run_end(buyers);
  for (int64_t i = blockIdx.x * buyers.run + threadIdx.x; i < end; i += blockDim.x) {
    const T *w = buyers.w + i;
    T top = static_cast<T>(-INFINITY), best = static_cast<T>(-INFINITY), sum = 0;
    for (int j = 0; j < m; j++) {
      const T worth = w[j * buyers.stride] - at.q[j], y = at.r * worth;
      best = worth > best ? worth : best;
      top = y > top ? y : top;
    }
    double had = 0.0;
    for (int j = 0; j < m; j++) {
      const T worth = w[j * buyers.stride] - at.q[j], y = exp_down(at.r * worth - top);
      sum += y;
      had += static_cast<double>(y) * at.clear[j] * wal_exp(static_cast<double>(worth - best));
    }
    const double budget = static_cast<double>(buyers.budget[i]);
    money += budget;
    gap += -wal_log(had / static_cast<double>(sum)) * budget;
  }
  money = wal_block_sum(money);
  gap = wal_block_sum(gap);
  double *to = partial + static_cast<int64_t>(blockIdx.x) * wal_dual_sum_count(m, false);
  for (int j = static_cast<int>(threadIdx.x); j < m; j += static_cast<int>(blockDim.x)) to[j] = 0.0;
  if (threadIdx.x == 0)
    to[m + WAL_DUAL_BUDGET] = money, to[m + WAL_DUAL_LOG_SUM] = 0.0, to[m + WAL_DUAL_LINEAR_GAP] = gap;
}

/* ---- a pass ---- */

namespace {

/* What a pass in T needs. */
template <class T>
struct dual_in {
  wal_device_buyers<T> buyers;
  std::unique_ptr<T[]> prices;       /* [3, m] g, c, q of the point, on the host */
  wal_device_array<T> device_prices; /* [3, m] the same */
};

struct cuda_dual {
  wal_dual base;
  dual_in<double> whole; /* one of the two is open */
  dual_in<float> half;
  wal_device_array<double> clear;   /* [m] */
  wal_device_array<double> partial; /* [runs, sums] */
  wal_device_array<double> sum;     /* [sums] */
};

dual_in<double> &in(cuda_dual *d, double) { return d->whole; }
dual_in<float> &in(cuda_dual *d, float) { return d->half; }

/* g, c and q in T. In float32 the factor g goes into c. */
void set_prices(int m, const wal_dual_point *point, double *to /* [3, m] */) {
  for (int j = 0; j < m; j++) {
    to[j] = point->power ? 1.0 : point->g[j];
    to[m + j] = point->power ? 1.0 : point->c[j];
    to[2 * m + j] = point->power ? point->q[j] : 0.0;
  }
}
void set_prices(int m, const wal_dual_point *point, float *to /* [3, m] */) {
  for (int j = 0; j < m; j++) {
    to[j] = 1.0f;
    to[m + j] = point->power ? 1.0f : static_cast<float>(point->c[j] * point->g[j]);
    to[2 * m + j] = point->power ? static_cast<float>(point->q[j]) : 0.0f;
  }
}

/* The point with its prices on the device. */
template <class T>
wal_status upload_point(cuda_dual *d, const wal_dual_point *point, device_point<T> *out) {
  const int m = d->base.market->m;
  const T *to = in(d, T()).device_prices.data();
  WAL_TRY(wal_upload(in(d, T()).device_prices.data(), in(d, T()).prices.get(), 3 * m));
  if (point->clear) WAL_TRY(wal_upload(d->clear.data(), point->clear, m));
  *out = {point->power,
          point->log_wanted,
          static_cast<T>(point->r),
          to,
          to + m,
          to + 2 * m,
          point->clear ? d->clear.data() : nullptr};
  return WAL_OK;
}

template <class T>
few_point<T> point_of_few(int m, const wal_dual_point *point, const T *prices) {
  few_point<T> at = {};
  at.power = point->power, at.log_wanted = point->log_wanted, at.r = static_cast<T>(point->r);
  for (int j = 0; j < m; j++) at.g[j] = prices[j], at.c[j] = prices[m + j], at.q[j] = prices[2 * m + j];
  return at;
}

/* A chunk's launch: its grid has a run in every block. */
struct dual_launch {
  const wal_session *session;
  dim3 runs;
  int m;
  bool covariance;
  double *partial; /* of the chunk's first run on */
};

template <class T, int M>
wal_status launch_few(const dual_launch &l, const device_rows<T> &rows, const few_point<T> &at) {
  WAL_CUDA_TRY(wal_launch(l.covariance ? wal_dual_few<T, M, true> : wal_dual_few<T, M, false>, l.runs,
                          FEW_THREADS, 0, l.session->stream, l.m, rows, at, l.partial));
  return WAL_OK;
}

template <class T>
wal_status launch_many(const dual_launch &l, const device_rows<T> &rows, const device_point<T> &at) {
  many_plan plan;
  WAL_TRY(plan_many(l.m, l.covariance, &plan));
  const int parts = plan.squares > MANY_THREADS ? (plan.squares + MANY_THREADS - 1) / MANY_THREADS : 1;
  const dim3 grid(l.runs.x, static_cast<unsigned>(parts));
  WAL_CUDA_TRY(wal_launch(wal_dual_many<T>, grid, MANY_THREADS, plan.shared, l.session->stream, l.m, plan,
                          rows, at, l.partial));
  return WAL_OK;
}

/* The sums of one chunk's runs; `at` is read where prices do not come with the launch. */
template <class T>
wal_status launch(const dual_launch &l, const wal_dual_point *point, const T *prices,
                  const device_rows<T> &rows, const device_point<T> &at) {
  if (point->clear) {
    WAL_CUDA_TRY(
        wal_launch(wal_dual_gap<T>, l.runs, FEW_THREADS, 0, l.session->stream, l.m, rows, at, l.partial));
    return WAL_OK;
  }
  if (l.m > FEW) return launch_many(l, rows, at);
  const few_point<T> few = point_of_few(l.m, point, prices);
  return l.m <= FEW / 2 ? launch_few<T, FEW / 2>(l, rows, few) : launch_few<T, FEW>(l, rows, few);
}

/* Buyers in a run: as many runs as keep the card busy, fewer where their sums, of `count` numbers, would take
   more than 64 MiB; a multiple of 128. */
int64_t run_of(int m, int64_t rows, int64_t count) {
  const int64_t most = m <= FEW ? FEW_RUNS : MANY_RUNS, fits = (int64_t(8) << 20) / count;
  const int64_t runs = fits < 8 ? 8 : fits < most ? fits : most;
  const int64_t run = (rows + runs - 1) / runs;
  return (run + FEW_THREADS - 1) / FEW_THREADS * FEW_THREADS;
}

/* Float32: the factors g that plain weights were left without. */
void scale_sums(int m, const wal_dual_point *point, bool covariance, double *sums) {
  double *triangle = sums + m + WAL_DUAL_SCALARS;
  for (int j = 0; j < m; j++) {
    sums[j] *= point->g[j];
    for (int k = 0; covariance && k <= j; k++) *triangle++ *= point->g[j] * point->g[k];
  }
}

template <class T>
wal_status pass_in(cuda_dual *d, int64_t rows, const wal_dual_point *point, bool covariance, double *sums) {
  const int m = d->base.market->m, count = wal_dual_sum_count(m, covariance);
  const int64_t run = run_of(m, rows, count), runs = (rows + run - 1) / run;
  T *prices = in(d, T()).prices.get();
  device_point<T> at = {};
  dual_launch l = {nullptr, dim3(), m, covariance, nullptr};
  WAL_TRY(wal_session_get(&l.session));
  WAL_TRY(d->partial.at_least(runs * count, "sums over the buyers", "a smaller m"));
  WAL_TRY(d->sum.at_least(count, "sums over the buyers", "a smaller m"));
  set_prices(m, point, prices);
  if (m > FEW || point->clear) WAL_TRY(upload_point(d, point, &at));
  wal_buyer_chunk<T> chunk;
  for (int64_t lo = 0; lo < rows; lo = chunk.hi) {
    WAL_TRY(in(d, T()).buyers.chunk(lo, rows, run, &chunk));
    const device_rows<T> here = {chunk.hi - lo, run, chunk.stride, chunk.v, chunk.budget};
    l.runs = dim3(static_cast<unsigned>((here.rows + run - 1) / run));
    l.partial = d->partial.data() + lo / run * count;
    WAL_TRY(launch(l, point, prices, here, at));
  }
  WAL_TRY(wal_sum_partials(runs, count, d->partial.data(), d->sum.data()));
  return wal_download(sums, d->sum.data(), count);
}

wal_status pass(wal_dual *dual, int64_t rows, const wal_dual_point *point, bool covariance, double *sums) {
  cuda_dual *d = reinterpret_cast<cuda_dual *>(dual);
  if (!d->base.single) return pass_in<double>(d, rows, point, covariance, sums);
  WAL_TRY(pass_in<float>(d, rows, point, covariance, sums));
  if (!point->power) scale_sums(d->base.market->m, point, covariance, sums);
  return WAL_OK;
}

/* The population takes up to half of what is free: the other half is for what the solver and its measures
 * need. */
template <class T>
wal_status open(cuda_dual *d, const wal_market *market, wal_weight weight) {
  const int m = market->m;
  dual_in<T> &half = in(d, T());
  size_t room;
  half.prices.reset(new (std::nothrow) T[3 * static_cast<size_t>(m)]);
  if (!half.prices) return wal_fail(WAL_E_MEMORY, "no memory for %d prices", m);
  WAL_TRY(d->clear.allocate(m, "prices", "a smaller m"));
  WAL_TRY(half.device_prices.allocate(3 * m, "prices", "a smaller m"));
  WAL_TRY(wal_device_room(&room));
  return half.buyers.open(market, weight, room / 2);
}

void destroy(wal_dual *dual) { delete reinterpret_cast<cuda_dual *>(dual); }

wal_status create(const wal_market *market, wal_weight weight, bool single, wal_dual **out) {
  cuda_dual *d = new (std::nothrow) cuda_dual();
  *out = nullptr;
  if (!d) return wal_fail(WAL_E_MEMORY, "no memory for the exact solver");
  const wal_status status = single ? open<float>(d, market, weight) : open<double>(d, market, weight);
  if (status != WAL_OK)
    delete d;
  else
    *out = &d->base;
  return status;
}

void stream(wal_dual *dual) {
  cuda_dual *d = reinterpret_cast<cuda_dual *>(dual);
  d->whole.buyers.stream();
  d->half.buyers.stream();
}

}  // namespace

const struct wal_dual_ops wal_dual_cuda = {create, destroy, stream, pass};
