/* The part of CUDA's runtime that gpu/ uses, on a CPU, so that every kernel is run and tested where there is
   no GPU. A stand-in for <cuda_runtime.h>, found first by the include path; nothing else in gpu/ knows of it.

   It is strict where a GPU is forgiving or merely wrong:
   - A thread is a fiber. Barriers, shuffles and votes wait for every thread that must take part; a barrier
   that not all reach ends the program with the place of every thread. WAL_EMULATION_ORDER=reverse or a number
   runs the threads of a block in another order, =first or =last a warp ahead of the others: a result that
   then changes lacks a barrier. Lanes that meet for different things (a shuffle, a vote, a barrier) end the
   program.
   - Device memory cannot be touched by the host (a signal says so), ends at a guard page, begins as NaN, and
   is all that a kernel's pointer arguments may point to.
   - Streams are queues: what was put there runs when somebody waits, so a host that reads too early reads old
   bytes.
   - Captured launches keep their arguments by value and are replayed, as in a graph.
   Not imitated: more than one device or stream's concurrency, textures, cooperative launches, double's speed.
 */
#ifndef WAL_EMULATION_CUDA_RUNTIME_H
#define WAL_EMULATION_CUDA_RUNTIME_H

#ifndef WAL_EMULATED
#error "gpu/emulation is for builds with -DWAL_EMULATED"
#endif

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <functional>
#include <type_traits>

#define __global__
#define __device__
#define __host__
#define __constant__ static
#define __shared__ static /* the blocks of a grid run one after the other */
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))

/* ---- types ---- */

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
#define WAL_VECTOR2(T, name)           \
  struct alignas(2 * sizeof(T)) name { \
    T x, y;                            \
  };                                   \
  static inline name make_##name(T x, T y) { return name{x, y}; }
#define WAL_VECTOR4(T, name, alignment) \
  struct alignas(alignment) name {      \
    T x, y, z, w;                       \
  };                                    \
  static inline name make_##name(T x, T y, T z, T w) { return name{x, y, z, w}; }
WAL_VECTOR2(float, float2)
WAL_VECTOR2(double, double2)
WAL_VECTOR2(int, int2)
WAL_VECTOR2(unsigned, uint2)
WAL_VECTOR4(float, float4, 16)
WAL_VECTOR4(double, double4, 16)
WAL_VECTOR4(int, int4, 16)
WAL_VECTOR4(unsigned, uint4, 16)
#undef WAL_VECTOR2
#undef WAL_VECTOR4

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInitializationError = 3,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorIllegalAddress = 700,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorStreamCaptureUnsupported = 900,
  cudaErrorStreamCaptureInvalidated = 901,
};
enum cudaMemcpyKind {
  cudaMemcpyHostToHost,
  cudaMemcpyHostToDevice,
  cudaMemcpyDeviceToHost,
  cudaMemcpyDeviceToDevice,
  cudaMemcpyDefault,
};
enum cudaStreamCaptureMode {
  cudaStreamCaptureModeGlobal,
  cudaStreamCaptureModeThreadLocal,
  cudaStreamCaptureModeRelaxed
};
struct cudaDeviceProp {
  char name[256];
  size_t totalGlobalMem, sharedMemPerBlock, sharedMemPerBlockOptin;
  int multiProcessorCount, major, minor, warpSize, maxThreadsPerBlock, l2CacheSize, pageableMemoryAccess;
};
typedef struct wal_emulation_stream *cudaStream_t;
typedef struct wal_emulation_graph *cudaGraph_t;
typedef struct wal_emulation_graph *cudaGraphExec_t;
typedef struct wal_emulation_event *cudaEvent_t;

/* ---- the host's side ---- */

const char *cudaGetErrorName(cudaError_t error);
const char *cudaGetErrorString(cudaError_t error);
cudaError_t cudaGetLastError(void);
cudaError_t cudaPeekAtLastError(void);
cudaError_t cudaGetDeviceCount(int *count);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDevice(int *device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *prop, int device);
cudaError_t cudaDriverGetVersion(int *version);
cudaError_t cudaRuntimeGetVersion(int *version);
cudaError_t cudaDeviceSynchronize(void);
cudaError_t cudaMemGetInfo(size_t *free, size_t *total);
cudaError_t cudaMalloc(void **memory, size_t bytes);
cudaError_t cudaFree(void *memory);
cudaError_t cudaMallocHost(void **memory, size_t bytes);
cudaError_t cudaFreeHost(void *memory);
cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind);
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream = nullptr);
cudaError_t cudaMemset(void *to, int value, size_t bytes);
cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t stream = nullptr);
cudaError_t cudaStreamCreate(cudaStream_t *stream);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long flags = 0);
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec);
cudaError_t cudaEventCreate(cudaEvent_t *event);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream = nullptr);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t begin, cudaEvent_t end);
template <class T>
cudaError_t cudaMalloc(T **memory, size_t bytes) {
  return cudaMalloc(reinterpret_cast<void **>(memory), bytes);
}
template <class T>
cudaError_t cudaMallocHost(T **memory, size_t bytes) {
  return cudaMallocHost(reinterpret_cast<void **>(memory), bytes);
}

/* ---- a thread's side ---- */

extern constinit thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;
enum { warpSize = 32 };

void __syncthreads(void);
void __syncwarp(unsigned mask = 0xffffffffu);
static inline void __threadfence(void) {}
static inline void __threadfence_block(void) {}

/* Each lane of `mask` gives 8 bytes; returns those of lane `from`. Waits for all lanes of the mask. */
uint64_t wal_emulation_exchange(unsigned mask, uint64_t mine, int from);
unsigned wal_emulation_vote(unsigned mask, bool mine);
int wal_emulation_lane(void);

template <class T>
T wal_emulation_shuffle(unsigned mask, T mine, int from) {
  static_assert(sizeof(T) <= 8, "a shuffle carries at most 8 bytes");
  uint64_t bits = 0;
  memcpy(&bits, &mine, sizeof mine);
  bits = wal_emulation_exchange(mask, bits, from);
  memcpy(&mine, &bits, sizeof mine);
  return mine;
}
template <class T>
T __shfl_sync(unsigned mask, T x, int lane, int width = 32) {
  const int me = wal_emulation_lane();
  return wal_emulation_shuffle(mask, x, me / width * width + (lane % width + width) % width);
}
template <class T>
T __shfl_up_sync(unsigned mask, T x, unsigned by, int width = 32) {
  const int me = wal_emulation_lane(), from = me - static_cast<int>(by);
  return wal_emulation_shuffle(mask, x, from < me / width * width ? me : from);
}
template <class T>
T __shfl_down_sync(unsigned mask, T x, unsigned by, int width = 32) {
  const int me = wal_emulation_lane(), from = me + static_cast<int>(by);
  return wal_emulation_shuffle(mask, x, from >= (me / width + 1) * width ? me : from);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T x, int by, int width = 32) {
  const int me = wal_emulation_lane(), from = me ^ by;
  return wal_emulation_shuffle(mask, x, from / width > me / width ? me : from);
}
static inline unsigned __ballot_sync(unsigned mask, int x) { return wal_emulation_vote(mask, x != 0); }
static inline int __any_sync(unsigned mask, int x) { return wal_emulation_vote(mask, x != 0) != 0; }
static inline int __all_sync(unsigned mask, int x) { return wal_emulation_vote(mask, x == 0) == 0; }

template <class T>
T atomicAdd(T *to, T x) {
  static_assert(std::is_integral<T>::value,
                "sums in floating point are in a fixed order here: gpu/base/reduce.h");
  const T old = *to;
  *to += x;
  return old;
}
template <class T>
T atomicMax(T *to, T x) {
  const T old = *to;
  *to = x > old ? x : old;
  return old;
}
template <class T>
T atomicMin(T *to, T x) {
  const T old = *to;
  *to = x < old ? x : old;
  return old;
}
template <class T>
T atomicOr(T *to, T x) {
  const T old = *to;
  *to |= x;
  return old;
}
template <class T>
T atomicCAS(T *to, T expected, T x) {
  const T old = *to;
  if (old == expected) *to = x;
  return old;
}
template <class T>
static inline T __ldg(const T *from) {
  return *from;
}
static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __ffs(int x) { return __builtin_ffs(x); }
static inline int __clz(int x) { return x ? __builtin_clz(static_cast<unsigned>(x)) : 32; }
static inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>((static_cast<uint64_t>(a) * b) >> 32);
}
static inline float __uint_as_float(unsigned x) {
  float y;
  memcpy(&y, &x, sizeof y);
  return y;
}
static inline unsigned __float_as_uint(float x) {
  unsigned y;
  memcpy(&y, &x, sizeof y);
  return y;
}
static inline double rsqrt(double x) { return 1.0 / sqrt(x); }
static inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }

/* ---- launches: gpu/base/launch.h's two functions ---- */

void *wal_emulation_shared(void);
/* Queues the grid; `thread` is the kernel with its arguments. */
cudaError_t wal_emulation_launch(dim3 grid, dim3 block, size_t shared, cudaStream_t stream,
                                 std::function<void()> thread);
/* Ends the program unless a kernel may be given this pointer: NULL or into an allocation on the device. */
void wal_emulation_check(const void *pointer);

template <class T>
T *wal_shared() {
  return static_cast<T *>(wal_emulation_shared());
}

template <class P>
void wal_emulation_check_argument(const P &argument) {
  if constexpr (std::is_pointer<P>::value) wal_emulation_check(static_cast<const void *>(argument));
}

template <class... P, class... A>
cudaError_t wal_launch(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared, cudaStream_t stream,
                       A... args) {
  (wal_emulation_check_argument(static_cast<P>(args)), ...);
  return wal_emulation_launch(grid, block, shared, stream,
                              [kernel, args...] { kernel(static_cast<P>(args)...); });
}

/* ---- for tests ---- */

/* The card's size from now on, and the share of it in use is counted: for tests of what does not fit. */
void wal_emulation_memory(size_t bytes);
/* Kernels started so far. */
int64_t wal_emulation_launches(void);

#endif
