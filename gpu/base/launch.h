/* Kernels and how they start: the one spelling that nvcc and the CPU emulation (gpu/emulation) both
   understand.

     __global__ void scale(int64_t n, double a, double *x) { ... }
     WAL_CUDA_TRY(wal_launch(scale, wal_grid(n, 256), 256, 0, stream, n, 2.0, x));

   Rules that keep a kernel correct in both: no <<<>>>; barriers (__syncthreads, __syncwarp, shuffles) outside
   of divergent code; shared arrays `__shared__ double x[256];` or wal_shared<double>(); arguments are
   captured by value, pointers among them point to the device. */
#ifndef WAL_GPU_LAUNCH_H
#define WAL_GPU_LAUNCH_H

#include <cuda_runtime.h> /* CUDA's, or gpu/emulation/cuda_runtime.h */
#include <stdint.h>

#ifndef WAL_EMULATED

/* The launch's dynamic shared memory (third number of the configuration), 16-byte aligned. */
template <class T>
__device__ inline T *wal_shared() {
  extern __shared__ __align__(16) unsigned char wal_shared_bytes[];
  return reinterpret_cast<T *>(wal_shared_bytes);
}

/* Starts kernel(args...) on grid x block threads with `shared` bytes of dynamic shared memory. */
template <class... P, class... A>
cudaError_t wal_launch(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared, cudaStream_t stream,
                       A... args) {
  if (shared > 32 * 1024) { /* 48 KiB need no leave, but with them count the kernel's static arrays */
    const cudaError_t error =
        cudaFuncSetAttribute(reinterpret_cast<const void *>(kernel),
                             cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared));
    if (error != cudaSuccess) return error;
  }
  kernel<<<grid, block, shared, stream>>>(static_cast<P>(args)...);
  return cudaGetLastError();
}

#endif

/* Before a loop: the GPU's code has n copies of its body (no n: all of them). */
#ifdef WAL_EMULATED
#define WAL_UNROLL
#define WAL_UNROLL_BY(n)
#else
#define WAL_UNROLL _Pragma("unroll")
#define WAL_UNROLL_BY(n) WAL_PRAGMA(unroll n)
#define WAL_PRAGMA(text) _Pragma(#text)
#endif

/* Blocks of `threads` that cover n items, at least 1. */
static inline dim3 wal_grid(int64_t n, int threads) {
  return dim3(static_cast<unsigned>(n > 0 ? (n + threads - 1) / threads : 1));
}

/* This thread's number in the grid, and how many threads there are: for (i = wal_thread(); i < n; i +=
 * wal_threads_all()). */
__device__ static inline int64_t wal_thread() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ static inline int64_t wal_threads_all() { return static_cast<int64_t>(gridDim.x) * blockDim.x; }

#endif
