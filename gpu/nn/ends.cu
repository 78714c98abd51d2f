#include "gpu/base/reduce.h"
#include "gpu/nn/activation.h"
#include "gpu/nn/ends.h"
#include "gpu/nn/product.h"

enum {
  COLUMN_THREADS = 128, /* of a block that goes down rows: each has one or two columns */
  MOST_INPUTS = 16,     /* of a first layer whose gradient is made column by column */
  MOST_OUTPUTS = 8,     /* of a last layer that is made row by row */
  ROW_THREADS = 256,
  SUM_GROUPS = 16, /* threads that share a parameter's slices */
};

static bool thin_first(const wal_end *end) { return end->in <= MOST_INPUTS; }
static bool thin_last(const wal_end *end) {
  return end->out <= MOST_OUTPUTS && end->in * end->out * 4 <= 48 * 1024;
}

int64_t wal_row_slices(int64_t rows) {
  const int64_t rows_each = 32, most = 512;
  const int64_t slices = rows / rows_each;
  return slices < 1 ? 1 : slices > most ? most : slices;
}

int64_t wal_end_slices(const wal_end *end, int64_t rows) {
  if (end->activated ? thin_first(end) : thin_last(end) || thin_first(end)) return wal_row_slices(rows);
  return wal_layer_slices(rows, end->in > end->out ? end->in : end->out);
}

/* ---- forward ---- */

template <class X, class Y>
__global__ __launch_bounds__(WAL_PRODUCT_THREADS, 2) void wal_end_product(wal_end end, int64_t rows,
                                                                          const X *x, const float *w,
                                                                          const float *b, Y *kept, Y *y) {
  const wal_factor<X, true> left = {x, end.in, rows, end.in, WAL_FLOAT32};
  const wal_factor<float, true> right = {w, end.in, end.out, end.in, WAL_FLOAT32};
  wal_product(
      left, right, [=](int64_t j) { return b[j]; },
      [=](int64_t i, int64_t j, int count, float4 z) {
        if (kept) wal_put_four(kept, end.out, i, j, count, z);
        if (end.activated)
          z = make_float4(wal_activate(end.activation, z.x), wal_activate(end.activation, z.y),
                          wal_activate(end.activation, z.z), wal_activate(end.activation, z.w));
        wal_put_four(y, end.out, i, j, count, z);
      });
}

/* A warp for each row: y[rows, OUT or less] = x W^T + b with W in shared memory. */
template <class X, int OUT>
__global__ __launch_bounds__(ROW_THREADS) void wal_end_rows(wal_end end, int64_t rows, const X *x,
                                                            const float *w, const float *b, float *y) {
  float *weights = wal_shared<float>();
  const int in = static_cast<int>(end.in), out = static_cast<int>(end.out),
            lane = static_cast<int>(threadIdx.x) % 32;
  for (int k = static_cast<int>(threadIdx.x); k < in * out; k += ROW_THREADS) weights[k] = w[k];
  __syncthreads();
  const bool whole = in % 4 == 0; /* vectors of four */
  for (int64_t row = wal_thread() / 32; row < rows; row += wal_threads_all() / 32) {
    const X *from = x + row * in;
    float sum[OUT] = {};
    for (int k = lane * 4; k < in; k += 128) {
      const float4 v = wal_get_four(from, whole ? 4 : 1, 0, k, in - k < 4 ? in - k : 4);
      WAL_UNROLL
      for (int o = 0; o < OUT; o++)
        if (o < out) {
          const float4 u = wal_get_four(weights + o * in, whole ? 4 : 1, 0, k, in - k < 4 ? in - k : 4);
          sum[o] = fmaf(v.w, u.w, fmaf(v.z, u.z, fmaf(v.y, u.y, fmaf(v.x, u.x, sum[o]))));
        }
    }
    WAL_UNROLL
    for (int o = 0; o < OUT; o++) {
      const float all = wal_warp_sum(sum[o]);
      if (lane == 0 && o < out) y[row * out + o] = all + b[o];
    }
  }
}

template <class X, class Y>
static wal_status product_as(const wal_end *end, int64_t rows, const void *x, const float *w, const float *b,
                             void *kept, void *y, cudaStream_t stream) {
  WAL_CUDA_TRY(wal_launch(wal_end_product<X, Y>, wal_product_grid(rows, end->out, 1), WAL_PRODUCT_THREADS, 0,
                          stream, *end, rows, static_cast<const X *>(x), w, b, static_cast<Y *>(kept),
                          static_cast<Y *>(y)));
  return WAL_OK;
}

template <class X, int OUT>
static wal_status rows_as(const wal_end *end, int64_t rows, const void *x, const float *w, const float *b,
                          void *y, cudaStream_t stream) {
  const int64_t warps = rows < (1 << 15) ? rows : 1 << 15;
  WAL_CUDA_TRY(wal_launch(wal_end_rows<X, OUT>, wal_grid(warps, ROW_THREADS / 32), ROW_THREADS,
                          static_cast<size_t>(end->in * end->out) * sizeof(float), stream, *end, rows,
                          static_cast<const X *>(x), w, b, static_cast<float *>(y)));
  return WAL_OK;
}

template <class X>
static wal_status rows_of(const wal_end *end, int64_t rows, const void *x, const float *w, const float *b,
                          void *y, cudaStream_t stream) {
  if (end->out == 1) return rows_as<X, 1>(end, rows, x, w, b, y, stream);
  if (end->out == 2) return rows_as<X, 2>(end, rows, x, w, b, y, stream);
  if (end->out <= 4) return rows_as<X, 4>(end, rows, x, w, b, y, stream);
  return rows_as<X, MOST_OUTPUTS>(end, rows, x, w, b, y, stream);
}

wal_status wal_end_forward(const wal_end *end, int64_t rows, const void *x, const float *w, const float *b,
                           void *kept, void *y) {
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  const cudaStream_t stream = session->stream;
  if (!end->activated && thin_last(end))
    return end->x == WAL_IN_BF16 ? rows_of<wal_bf16>(end, rows, x, w, b, y, stream)
                                 : rows_of<float>(end, rows, x, w, b, y, stream);
  if (end->x == WAL_IN_BF16) return product_as<wal_bf16, float>(end, rows, x, w, b, kept, y, stream);
  if (end->y == WAL_IN_BF16) return product_as<float, wal_bf16>(end, rows, x, w, b, kept, y, stream);
  return product_as<float, float>(end, rows, x, w, b, kept, y, stream);
}

/* ---- backward: column by column ---- */

/* The thread's C neighbouring columns of a row. */
template <int C, class T>
__device__ inline void load_columns(const T *from, float v[C]) {
  for (int c = 0; c < C; c++) v[c] = wal_widen(from[c]);
}
template <>
__device__ inline void load_columns<2, float>(const float *from, float v[2]) {
  const float2 both = *reinterpret_cast<const float2 *>(from);
  v[0] = both.x, v[1] = both.y;
}
template <>
__device__ inline void load_columns<2, wal_bf16>(const wal_bf16 *from, float v[2]) {
  const unsigned both = *reinterpret_cast<const unsigned *>(from);
  v[0] = wal_bits_float(both << 16), v[1] = wal_bits_float(both & 0xffff0000u);
}

template <int C, class T>
__device__ inline void store_columns(T *to, const float v[C]) {
  for (int c = 0; c < C; c++) to[c] = wal_narrow<T>(v[c]);
}
template <>
__device__ inline void store_columns<2, float>(float *to, const float v[2]) {
  *reinterpret_cast<float2 *>(to) = make_float2(v[0], v[1]);
}
template <>
__device__ inline void store_columns<2, wal_bf16>(wal_bf16 *to, const float v[2]) {
  const unsigned low = wal_to_bf16(v[0]).bits, high = wal_to_bf16(v[1]).bits;
  *reinterpret_cast<unsigned *>(to) = low | high << 16;
}

/* The first of this thread's columns; slice blockIdx.x has rows [*lo, *hi). */
template <int C>
__device__ inline int64_t my_columns(int64_t rows, int64_t *lo, int64_t *hi) {
  const int64_t slice = blockIdx.x, slices = gridDim.x;
  *lo = rows * slice / slices, *hi = rows * (slice + 1) / slices;
  return (static_cast<int64_t>(blockIdx.y) * blockDim.x + threadIdx.x) * C;
}

static dim3 column_grid(int64_t rows, int64_t columns, int each) {
  return dim3(static_cast<unsigned>(wal_row_slices(rows)), wal_grid(columns, COLUMN_THREADS * each).x);
}

/* Per slice: db[columns] = sum of v[rows, columns], dw[columns, inputs] = sum of v^T x, x[rows, inputs],
 * inputs <= S. */
template <class T, int C, int S>
__global__ __launch_bounds__(COLUMN_THREADS) void wal_columns(int64_t rows, int64_t columns, const T *v,
                                                              int inputs, const float *x, float *dw,
                                                              float *db) {
  int64_t lo, hi;
  const int64_t j = my_columns<C>(rows, &lo, &hi), slice = blockIdx.x;
  if (j >= columns) return;
  float bias[C] = {}, sum[S ? S : 1][C] = {};
  WAL_UNROLL_BY(4)
  for (int64_t r = lo; r < hi; r++) {
    float d[C];
    load_columns<C>(v + r * columns + j, d);
    for (int c = 0; c < C; c++) bias[c] += d[c];
    WAL_UNROLL
    for (int s = 0; s < S; s++)
      if (s < inputs) {
        const float xs = x[r * inputs + s];
        for (int c = 0; c < C; c++) sum[s][c] = fmaf(d[c], xs, sum[s][c]);
      }
  }
  for (int c = 0; c < C; c++) {
    db[slice * columns + j + c] = bias[c];
    WAL_UNROLL
    for (int s = 0; s < S; s++)
      if (s < inputs) dw[(slice * columns + j + c) * inputs + s] = sum[s][c];
  }
}

template <class T, int S>
static wal_status columns_as(int64_t rows, int64_t columns, const void *v, int64_t inputs, const float *x,
                             float *dw, float *db, cudaStream_t stream) {
  const int each = columns % 2 == 0 ? 2 : 1;
  WAL_CUDA_TRY(wal_launch(each == 2 ? wal_columns<T, 2, S> : wal_columns<T, 1, S>,
                          column_grid(rows, columns, each), COLUMN_THREADS, 0, stream, rows, columns,
                          static_cast<const T *>(v), inputs, x, dw, db));
  return WAL_OK;
}

template <class T>
static wal_status columns_of(int64_t rows, int64_t columns, const void *v, int64_t inputs, const float *x,
                             float *dw, float *db) {
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  const cudaStream_t stream = session->stream;
  if (inputs == 0) return columns_as<T, 0>(rows, columns, v, inputs, x, dw, db, stream);
  if (inputs <= 4) return columns_as<T, 4>(rows, columns, v, inputs, x, dw, db, stream);
  if (inputs <= 8) return columns_as<T, 8>(rows, columns, v, inputs, x, dw, db, stream);
  if (inputs <= 12) return columns_as<T, 12>(rows, columns, v, inputs, x, dw, db, stream);
  return columns_as<T, MOST_INPUTS>(rows, columns, v, inputs, x, dw, db, stream);
}

wal_status wal_sum_rows(wal_numbers numbers, int64_t rows, int64_t columns, const void *v, float *sum) {
  return numbers == WAL_IN_BF16 ? columns_of<wal_bf16>(rows, columns, v, 0, nullptr, nullptr, sum)
                                : columns_of<float>(rows, columns, v, 0, nullptr, nullptr, sum);
}

/* As wal_columns, for the last layer, whose dz is made on the way. Per slice: dw[out, in], db[out],
 * before[in]; out <= S. */
template <class T, int C, int S>
__global__ __launch_bounds__(COLUMN_THREADS) void wal_last_columns(wal_end end, int64_t rows, const float *dy,
                                                                   const float *w, const T *a, const T *kept,
                                                                   T *dz, float *dw, float *db,
                                                                   float *before) {
  int64_t lo, hi;
  const int64_t j = my_columns<C>(rows, &lo, &hi), slice = blockIdx.x, in = end.in;
  const int out = static_cast<int>(end.out);
  if (j >= in) return;
  float weight[S][C] = {}, sum[S][C] = {}, bias[C] = {}, total[S] = {};
  for (int s = 0; s < out; s++)
    for (int c = 0; c < C; c++) weight[s][c] = w[s * in + j + c];
  WAL_UNROLL_BY(4)
  for (int64_t r = lo; r < hi; r++) {
    float active[C], slope[C], d[C] = {};
    load_columns<C>(kept + r * in + j, slope);
    for (int c = 0; c < C; c++) active[c] = slope[c];
    if (a != kept) load_columns<C>(a + r * in + j, active);
    WAL_UNROLL
    for (int s = 0; s < S; s++)
      if (s < out) {
        const float dys = dy[r * out + s];
        total[s] += dys;
        for (int c = 0; c < C; c++) {
          d[c] = fmaf(dys, weight[s][c], d[c]);
          sum[s][c] = fmaf(dys, active[c], sum[s][c]);
        }
      }
    for (int c = 0; c < C; c++) {
      d[c] *= wal_derivative(end.activation, slope[c]);
      bias[c] += d[c];
    }
    store_columns<C>(dz + r * in + j, d);
  }
  for (int c = 0; c < C; c++) before[slice * in + j + c] = bias[c];
  for (int s = 0; s < out; s++) {
    for (int c = 0; c < C; c++) dw[(slice * out + s) * in + j + c] = sum[s][c];
    if (j == 0) db[slice * out + s] = total[s];
  }
}

template <class T, int S>
static wal_status last_columns_as(const wal_end *end, int64_t rows, const float *dy, const float *w,
                                  const void *a, const void *kept, void *dz, float *dw, float *db,
                                  float *before, cudaStream_t stream) {
  const int each = end->in % 2 == 0 ? 2 : 1;
  WAL_CUDA_TRY(wal_launch(each == 2 ? wal_last_columns<T, 2, S> : wal_last_columns<T, 1, S>,
                          column_grid(rows, end->in, each), COLUMN_THREADS, 0, stream, *end, rows, dy, w,
                          static_cast<const T *>(a), static_cast<const T *>(kept), static_cast<T *>(dz), dw,
                          db, before));
  return WAL_OK;
}

/* ---- backward: products ---- */

/* dw[slices, out, in] of dz[rows, out] and x[rows, in]; slice blockIdx.z. */
template <class Z, class X>
__global__ __launch_bounds__(WAL_PRODUCT_THREADS, 2) void wal_end_weights(wal_end end, int64_t rows,
                                                                          const Z *dz, const X *x,
                                                                          float *dw) {
  const int64_t slices = gridDim.z, slice = blockIdx.z, in = end.in;
  const int64_t lo = rows * slice / slices, hi = rows * (slice + 1) / slices;
  const wal_factor<Z, false> left = {dz + lo * end.out, end.out, end.out, hi - lo, WAL_FLOAT32};
  const wal_factor<X, false> right = {x + lo * in, in, in, hi - lo, WAL_FLOAT32};
  float *part = dw + slice * end.out * in;
  wal_product(
      left, right, [](int64_t) { return 0.0f; },
      [=](int64_t i, int64_t j, int count, float4 v) { wal_put_four(part, in, i, j, count, v); });
}

/* dx[rows, in] = dz[rows, out] W, times activation'(kept) where kept is not NULL. */
template <class Z, class X>
__global__ __launch_bounds__(WAL_PRODUCT_THREADS, 2) void wal_end_input(wal_end end, int64_t rows,
                                                                        const Z *dz, const float *w,
                                                                        const X *kept, X *dx) {
  const int64_t in = end.in;
  const wal_factor<Z, true> left = {dz, end.out, rows, end.out, WAL_FLOAT32};
  const wal_factor<float, false> right = {w, in, in, end.out, WAL_FLOAT32};
  wal_product(
      left, right, [](int64_t) { return 0.0f; },
      [=](int64_t i, int64_t j, int count, float4 d) {
        if (kept) {
          const float4 k = wal_get_four(kept, in, i, j, count);
          d.x *= wal_derivative(end.activation, k.x), d.y *= wal_derivative(end.activation, k.y);
          d.z *= wal_derivative(end.activation, k.z), d.w *= wal_derivative(end.activation, k.w);
        }
        wal_put_four(dx, in, i, j, count, d);
      });
}

template <class Z, class X>
static wal_status weights_as(const wal_end *end, int64_t rows, const void *dz, const void *x, float *dw) {
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  WAL_CUDA_TRY(wal_launch(wal_end_weights<Z, X>,
                          wal_product_grid(end->out, end->in, wal_end_slices(end, rows)), WAL_PRODUCT_THREADS,
                          0, session->stream, *end, rows, static_cast<const Z *>(dz),
                          static_cast<const X *>(x), dw));
  return WAL_OK;
}

template <class Z, class X>
static wal_status input_as(const wal_end *end, int64_t rows, const void *dz, const float *w, const void *kept,
                           void *dx) {
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  WAL_CUDA_TRY(wal_launch(wal_end_input<Z, X>, wal_product_grid(rows, end->in, 1), WAL_PRODUCT_THREADS, 0,
                          session->stream, *end, rows, static_cast<const Z *>(dz), w,
                          static_cast<const X *>(kept), static_cast<X *>(dx)));
  return WAL_OK;
}

/* ---- backward ---- */

wal_status wal_first_backward(const wal_end *end, int64_t rows, const void *dz, const float *x, float *dw,
                              float *db) {
  const bool short_dz = end->y == WAL_IN_BF16;
  if (thin_first(end))
    return short_dz ? columns_of<wal_bf16>(rows, end->out, dz, end->in, x, dw, db)
                    : columns_of<float>(rows, end->out, dz, end->in, x, dw, db);
  WAL_TRY(wal_sum_rows(end->y, rows, end->out, dz, db));
  return short_dz ? weights_as<wal_bf16, float>(end, rows, dz, x, dw)
                  : weights_as<float, float>(end, rows, dz, x, dw);
}

wal_status wal_first_input(const wal_end *end, int64_t rows, const void *dz, const float *w, float *dx) {
  return end->y == WAL_IN_BF16 ? input_as<wal_bf16, float>(end, rows, dz, w, nullptr, dx)
                               : input_as<float, float>(end, rows, dz, w, nullptr, dx);
}

/* Where the outputs are not few. */
template <class T>
static wal_status last_products(const wal_end *end, int64_t rows, const float *dy, const float *w,
                                const void *a, const void *kept, void *dz, float *dw, float *db,
                                float *before) {
  WAL_TRY((input_as<float, T>(end, rows, dy, w, kept, dz)));
  WAL_TRY((weights_as<float, T>(end, rows, dy, a, dw)));
  WAL_TRY(wal_sum_rows(WAL_IN_FLOAT32, rows, end->out, dy, db));
  return wal_sum_rows(end->x, rows, end->in, dz, before);
}

template <class T>
static wal_status last_as(const wal_end *end, int64_t rows, const float *dy, const float *w, const void *a,
                          const void *kept, void *dz, float *dw, float *db, float *before) {
  const wal_session *session;
  if (!thin_last(end)) return last_products<T>(end, rows, dy, w, a, kept, dz, dw, db, before);
  WAL_TRY(wal_session_get(&session));
  const cudaStream_t stream = session->stream;
  if (end->out == 1) return last_columns_as<T, 1>(end, rows, dy, w, a, kept, dz, dw, db, before, stream);
  if (end->out <= 4) return last_columns_as<T, 4>(end, rows, dy, w, a, kept, dz, dw, db, before, stream);
  return last_columns_as<T, MOST_OUTPUTS>(end, rows, dy, w, a, kept, dz, dw, db, before, stream);
}

wal_status wal_last_backward(const wal_end *end, int64_t rows, const float *dy, const float *w, const void *a,
                             const void *kept, void *dz, float *dw, float *db, float *before) {
  return end->x == WAL_IN_BF16 ? last_as<wal_bf16>(end, rows, dy, w, a, kept, dz, dw, db, before)
                               : last_as<float>(end, rows, dy, w, a, kept, dz, dw, db, before);
}

/* ---- slices ---- */

struct gradient_parts {
  int count;
  wal_gradient_part part[WAL_GRADIENT_PARTS];
};

/* A block has 32 neighbouring parameters; SUM_GROUPS threads share the slices of each. */
__global__ __launch_bounds__(32 * SUM_GROUPS) void wal_add_slices(gradient_parts parts, int64_t total,
                                                                  float *gradient) {
  __shared__ float group_sum[SUM_GROUPS][33];
  const int lane = static_cast<int>(threadIdx.x) % 32, group = static_cast<int>(threadIdx.x) / 32;
  const int64_t i = static_cast<int64_t>(blockIdx.x) * 32 + lane;
  int64_t at = i;
  int layer = 0;
  while (layer < parts.count - 1 && at >= parts.part[layer].weights + parts.part[layer].biases)
    at -= parts.part[layer].weights + parts.part[layer].biases, layer++;
  const wal_gradient_part &p = parts.part[layer];
  const bool weight = at < p.weights;
  const float *from = weight ? p.dw + at : p.db + (at - p.weights);
  const int64_t stride = weight ? p.weights : p.biases, slices = weight ? p.w_slices : p.b_slices;
  float sum = 0.0f;
  if (i < total) {
    WAL_UNROLL_BY(4)
    for (int64_t s = group; s < slices; s += SUM_GROUPS) sum += from[s * stride];
  }
  group_sum[group][lane] = sum;
  for (int apart = SUM_GROUPS / 2; apart > 0; apart /= 2) {
    __syncthreads();
    if (group < apart) group_sum[group][lane] += group_sum[group + apart][lane];
  }
  if (group == 0 && i < total) gradient[i] = group_sum[0][lane];
}

wal_status wal_sum_slices(int count, const wal_gradient_part *parts, float *gradient) {
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  gradient_parts all = {};
  int64_t total = 0;
  all.count = count;
  for (int l = 0; l < count; l++) {
    all.part[l] = parts[l];
    total += parts[l].weights + parts[l].biases;
  }
  WAL_CUDA_TRY(wal_launch(wal_add_slices, wal_grid(total, 32), 32 * SUM_GROUPS, 0, session->stream, all,
                          total, gradient));
  return WAL_OK;
}

__global__ void wal_shorten_elements(int64_t count, const float *from, wal_bf16 *to) {
  const int64_t i = wal_thread();
  if (i < count) to[i] = wal_to_bf16(from[i]);
}

wal_status wal_shorten_array(int64_t count, const float *from, wal_bf16 *to) {
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  WAL_CUDA_TRY(
      wal_launch(wal_shorten_elements, wal_grid(count, 256), 256, 0, session->stream, count, from, to));
  return WAL_OK;
}
