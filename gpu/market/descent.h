/* The descent's member for CUDA (models/market/descent.h), and its allocation for kernels that read it where
 * it is. */
#ifndef WAL_GPU_MARKET_DESCENT_H
#define WAL_GPU_MARKET_DESCENT_H

#include "gpu/base/array.h"

extern "C" {
#include "models/market/descent_step.h"

extern const struct wal_descent_ops wal_descent_cuda;
}

/* x_ij = unit_j size_i softplus(z_ij) of all buyers; device pointers. */
struct wal_softplus_view {
  int m;
  int64_t stride;     /* between goods */
  const float *z;     /* [m, stride] */
  const float *size;  /* [n], or NULL: 1 */
  const double *unit; /* [m] */
};

/* x_ij, as fill() of the allocation gives it. */
__host__ __device__ static inline double wal_softplus_amount(const wal_softplus_view &a, int64_t i, int j) {
  float slope;
  const float x = wal_softplusf(a.z[j * a.stride + i], &slope);
  return a.unit[j] * static_cast<double>(a.size ? a.size[i] * x : x);
}

/* Whether a descent on the device made `allocation`; *view is then good until its next step or destruction.
 */
bool wal_softplus_on_device(const wal_allocation *allocation, wal_softplus_view *view);

#endif
