/* The networks' activations and their derivatives, for kernels. NaN stays NaN. */
#ifndef WAL_GPU_ACTIVATION_H
#define WAL_GPU_ACTIVATION_H

#include "gpu/base/launch.h"

extern "C" {
#include "models/common/vmath.h"
#include "models/nn/mlp.h"
}

__device__ static inline float wal_sigmoid(float z) { return 1.0f / (1.0f + wal_expf(-z)); }

__device__ static inline float wal_activate(wal_activation activation, float z) {
  if (activation == WAL_RELU) return z <= 0.0f ? 0.0f : z;
  if (activation == WAL_TANH) return 1.0f - 2.0f / (wal_expf(z + z) + 1.0f);
  return z * wal_sigmoid(z);
}

/* From what forward kept: the argument for SiLU, the activation itself otherwise. */
__device__ static inline float wal_derivative(wal_activation activation, float kept) {
  if (activation == WAL_RELU) return kept > 0.0f ? 1.0f : 0.0f;
  if (activation == WAL_TANH) return 1.0f - kept * kept;
  const float s = wal_sigmoid(kept);
  return s * (1.0f + kept * (1.0f - s));
}

#endif
