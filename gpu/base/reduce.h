/* Sums in a fixed order: the same bits from run to run, whatever the card's scheduling. No floating-point
 * atomics. */
#ifndef WAL_GPU_REDUCE_H
#define WAL_GPU_REDUCE_H

#include "gpu/base/array.h"
#include "gpu/base/launch.h"

#define WAL_FULL_WARP 0xffffffffu

/* The sum over a warp's 32 lanes, in every lane. All lanes must call. */
template <class T>
__device__ static inline T wal_warp_sum(T x) {
  for (int apart = 16; apart > 0; apart /= 2) x += __shfl_xor_sync(WAL_FULL_WARP, x, apart);
  return x;
}

template <class T>
__device__ static inline T wal_warp_max(T x) {
  for (int apart = 16; apart > 0; apart /= 2) {
    const T other = __shfl_xor_sync(WAL_FULL_WARP, x, apart);
    x = other > x ? other : x;
  }
  return x;
}

/* The sum over a block, in every thread. All threads must call; blockDim.x a multiple of 32, at most 1024. */
template <class T>
__device__ static inline T wal_block_sum(T x) {
  __shared__ T part[32];
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  const int warps = static_cast<int>(blockDim.x) / 32;
  x = wal_warp_sum(x);
  __syncthreads(); /* an earlier call's parts have been read */
  if (lane == 0) part[warp] = x;
  __syncthreads();
  T sum = part[0];
  for (int w = 1; w < warps; w++) sum += part[w];
  return sum;
}

/* sum[d] = sum_k partial[k, d] for k < count, d < dim, in a tree with 32 branches that depends on count alone;
   partial is overwritten. Device pointers; queued on the session's stream. */
wal_status wal_sum_partials(int64_t count, int64_t dim, double *partial, double *sum);

#endif
