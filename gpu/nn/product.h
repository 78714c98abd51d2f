/* A matrix product on the cores that every precision shares: C(i, j) = finish(begin(j) + sum_k A(i, k) B(k,
   j)), each element one chain of fmaf over k = 0, 1, ..., so that its bits depend on nothing beside it. A
   block makes a tile of C with the factors' tiles in shared memory and eight by eight sums in each thread's
   registers; the next tiles are on their way meanwhile. */
#ifndef WAL_GPU_PRODUCT_H
#define WAL_GPU_PRODUCT_H

#include "gpu/base/bf16.h"

extern "C" {
#include "models/nn/mlp.h"
}

enum {
  WAL_PRODUCT_TILE = 128, /* rows and columns of C in a block */
  WAL_PRODUCT_DEPTH = 16, /* k's at a time */
  WAL_PRODUCT_THREADS = 256,
};

/* The blocks for C[rows, columns], `slices` times. */
static inline dim3 wal_product_grid(int64_t rows, int64_t columns, int64_t slices) {
  const dim3 tiles = wal_grid(rows, WAL_PRODUCT_TILE), across = wal_grid(columns, WAL_PRODUCT_TILE);
  return dim3(tiles.x, across.x, static_cast<unsigned>(slices));
}

/* A factor in memory. ALONG_K: element (k, i) lies at i * stride + k, else at k * stride + i, where i is the
   row of A or the column of B. Zero outside of [0, depth) x [0, count). */
template <class T, bool ALONG_K>
struct wal_factor {
  const T *data;
  int64_t stride, count, depth;
  wal_precision precision; /* elements are rounded to it */
};

__device__ static inline float wal_shorten(wal_precision precision, float x) {
  if (precision == WAL_TF32) return wal_round_tf32(x);
  if (precision == WAL_BF16) return wal_widen(wal_to_bf16(x));
  return x;
}

/* Elements (k, i .. i + 3), or (k .. k + 3, i) along k. */
template <class T, bool ALONG_K>
__device__ inline float4 wal_factor_four(const wal_factor<T, ALONG_K> &f, int64_t k, int64_t i) {
  const int64_t inner = ALONG_K ? k : i, outer = ALONG_K ? i : k;
  const int64_t inside = (ALONG_K ? f.depth : f.count) - inner;
  float4 v = make_float4(0, 0, 0, 0);
  if (outer >= (ALONG_K ? f.count : f.depth) || inside <= 0) return v;
  const T *from = f.data + outer * f.stride + inner;
  if (inside >= 4 && f.stride % 4 == 0) { /* tiles begin at multiples of four */
    v = wal_load4(from);
  } else {
    v.x = wal_widen(from[0]);
    if (inside > 1) v.y = wal_widen(from[1]);
    if (inside > 2) v.z = wal_widen(from[2]);
    if (inside > 3) v.w = wal_widen(from[3]);
  }
  v.x = wal_shorten(f.precision, v.x), v.y = wal_shorten(f.precision, v.y);
  v.z = wal_shorten(f.precision, v.z), v.w = wal_shorten(f.precision, v.w);
  return v;
}

typedef float wal_product_tile[WAL_PRODUCT_DEPTH][WAL_PRODUCT_TILE + 4];

/* Two vectors of each thread cover a tile of a factor: this thread's place in part `part`. */
template <bool ALONG_K>
__device__ inline void wal_product_place(int part, int *k, int *i) {
  const int t = static_cast<int>(threadIdx.x) + part * WAL_PRODUCT_THREADS;
  *k = ALONG_K ? t % (WAL_PRODUCT_DEPTH / 4) * 4 : t / (WAL_PRODUCT_TILE / 4);
  *i = ALONG_K ? t / (WAL_PRODUCT_DEPTH / 4) : t % (WAL_PRODUCT_TILE / 4) * 4;
}

template <class T, bool ALONG_K>
__device__ inline void wal_product_fetch(const wal_factor<T, ALONG_K> &f, int64_t k0, int64_t i0,
                                         float4 v[2]) {
  for (int part = 0; part < 2; part++) {
    int k, i;
    wal_product_place<ALONG_K>(part, &k, &i);
    v[part] = wal_factor_four(f, k0 + k, i0 + i);
  }
}

template <bool ALONG_K>
__device__ inline void wal_product_put(const float4 v[2], wal_product_tile tile) {
  for (int part = 0; part < 2; part++) {
    int k, i;
    wal_product_place<ALONG_K>(part, &k, &i);
    if (ALONG_K) {
      tile[k][i] = v[part].x, tile[k + 1][i] = v[part].y;
      tile[k + 2][i] = v[part].z, tile[k + 3][i] = v[part].w;
    } else {
      wal_store4(&tile[k][i], v[part]);
    }
  }
}

/* The eight elements that a thread has of one row of a tile: four at 4 * place, four at 64 + 4 * place. */
__device__ static inline void wal_product_eight(const float *row, int place, float out[8]) {
  const float4 low = wal_load4(row + 4 * place), high = wal_load4(row + WAL_PRODUCT_TILE / 2 + 4 * place);
  out[0] = low.x, out[1] = low.y, out[2] = low.z, out[3] = low.w;
  out[4] = high.x, out[5] = high.y, out[6] = high.z, out[7] = high.w;
}

__device__ static inline int wal_product_offset(int place, int r) {
  return r / 4 * (WAL_PRODUCT_TILE / 2) + 4 * place + r % 4;
}

/* The whole product; blocks of WAL_PRODUCT_THREADS. begin(j) is where column j's sums begin; finish(i, j,
   count, v) takes the elements (i, j .. j + count - 1), count <= 4, j a multiple of 4. */
template <class TA, bool A_ALONG_K, class TB, bool B_ALONG_K, class Begin, class Finish>
__device__ inline void wal_product(const wal_factor<TA, A_ALONG_K> &a, const wal_factor<TB, B_ALONG_K> &b,
                                   const Begin &begin, const Finish &finish) {
  __shared__ __align__(16) wal_product_tile a_tile, b_tile;
  const int row = static_cast<int>(threadIdx.x) / 16, column = static_cast<int>(threadIdx.x) % 16;
  const int64_t i0 = static_cast<int64_t>(blockIdx.x) * WAL_PRODUCT_TILE,
                j0 = static_cast<int64_t>(blockIdx.y) * WAL_PRODUCT_TILE;
  const bool busy = i0 + 4 * row < a.count && j0 + 4 * column < b.count; /* has elements of C */
  float sum[8][8];
  for (int c = 0; c < 8; c++) {
    const int64_t j = j0 + wal_product_offset(column, c);
    const float start = j < b.count ? begin(j) : 0.0f;
    for (int r = 0; r < 8; r++) sum[r][c] = start;
  }
  float4 a_next[2], b_next[2];
  wal_product_fetch(a, 0, i0, a_next);
  wal_product_fetch(b, 0, j0, b_next);
  for (int64_t k0 = 0; k0 < a.depth; k0 += WAL_PRODUCT_DEPTH) {
    __syncthreads(); /* the last tiles have been read */
    wal_product_put<A_ALONG_K>(a_next, a_tile);
    wal_product_put<B_ALONG_K>(b_next, b_tile);
    __syncthreads();
    if (k0 + WAL_PRODUCT_DEPTH < a.depth) {
      wal_product_fetch(a, k0 + WAL_PRODUCT_DEPTH, i0, a_next);
      wal_product_fetch(b, k0 + WAL_PRODUCT_DEPTH, j0, b_next);
    }
    const int depth = a.depth - k0 < WAL_PRODUCT_DEPTH ? static_cast<int>(a.depth - k0) : WAL_PRODUCT_DEPTH;
    WAL_UNROLL_BY(4)
    for (int k = 0; busy && k < depth; k++) {
      float x[8], y[8];
      wal_product_eight(a_tile[k], row, x);
      wal_product_eight(b_tile[k], column, y);
      WAL_UNROLL
      for (int r = 0; r < 8; r++) WAL_UNROLL
      for (int c = 0; c < 8; c++) sum[r][c] = fmaf(x[r], y[c], sum[r][c]);
    }
  }
  WAL_UNROLL
  for (int r = 0; r < 8; r++) {
    const int64_t i = i0 + wal_product_offset(row, r);
    if (i >= a.count) continue;
    WAL_UNROLL
    for (int half = 0; half < 2; half++) {
      const int64_t j = j0 + wal_product_offset(column, 4 * half);
      const int count = b.count - j < 4 ? static_cast<int>(b.count - j) : 4;
      if (count > 0)
        finish(
            i, j, count,
            make_float4(sum[r][4 * half], sum[r][4 * half + 1], sum[r][4 * half + 2], sum[r][4 * half + 3]));
    }
  }
}

/* Elements (i, j .. j + count - 1) of to[, stride]; of from[, stride]. j a multiple of 4. */
template <class T>
__device__ inline void wal_put_four(T *to, int64_t stride, int64_t i, int64_t j, int count, float4 v) {
  T *at = to + i * stride + j;
  if (count == 4 && stride % 4 == 0) {
    wal_store4(at, v);
    return;
  }
  at[0] = wal_narrow<T>(v.x);
  if (count > 1) at[1] = wal_narrow<T>(v.y);
  if (count > 2) at[2] = wal_narrow<T>(v.z);
  if (count > 3) at[3] = wal_narrow<T>(v.w);
}

template <class T>
__device__ inline float4 wal_get_four(const T *from, int64_t stride, int64_t i, int64_t j, int count) {
  const T *at = from + i * stride + j;
  if (count == 4 && stride % 4 == 0) return wal_load4(at);
  float4 v = make_float4(wal_widen(at[0]), 0, 0, 0);
  if (count > 1) v.y = wal_widen(at[1]);
  if (count > 2) v.z = wal_widen(at[2]);
  if (count > 3) v.w = wal_widen(at[3]);
  return v;
}

#endif
