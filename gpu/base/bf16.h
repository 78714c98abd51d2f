/* Shorter formats of float32, as bits: the same on a GPU and in the emulation. */
#ifndef WAL_GPU_BF16_H
#define WAL_GPU_BF16_H

#include "gpu/base/launch.h"

/* The upper half of a float32: 8 bits of exponent, 7 after the point. */
struct wal_bf16 {
  uint16_t bits;
};

__host__ __device__ static inline unsigned wal_float_bits(float x) {
  unsigned bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

__host__ __device__ static inline float wal_bits_float(unsigned bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

__host__ __device__ static inline float wal_widen(float x) { return x; }
__host__ __device__ static inline float wal_widen(wal_bf16 x) {
  return wal_bits_float(static_cast<unsigned>(x.bits) << 16);
}

/* To the nearest, ties to even; NaN stays NaN. */
__host__ __device__ static inline wal_bf16 wal_to_bf16(float x) {
#ifdef __CUDA_ARCH__
  wal_bf16 y;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
  return y;
#else
  const unsigned bits = wal_float_bits(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return wal_bf16{0x7fff};
  return wal_bf16{static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16)};
#endif
}

template <class T>
__host__ __device__ inline T wal_narrow(float x);
template <>
__host__ __device__ inline float wal_narrow<float>(float x) {
  return x;
}
template <>
__host__ __device__ inline wal_bf16 wal_narrow<wal_bf16>(float x) {
  return wal_to_bf16(x);
}

/* TF32 as tensor cores take it: 10 bits after the point, to the nearest, ties away from zero. */
__host__ __device__ static inline float wal_round_tf32(float x) {
  const unsigned bits = wal_float_bits(x);
  if ((bits & 0x7f800000u) == 0x7f800000u) return x; /* infinite or NaN */
  return wal_bits_float((bits + 0x1000u) & 0xffffe000u);
}

/* Four neighbours; `from` and `to` aligned to four elements. */
__device__ static inline float4 wal_load4(const float *from) {
  return *reinterpret_cast<const float4 *>(from);
}
__device__ static inline float4 wal_load4(const wal_bf16 *from) {
  const uint2 w = *reinterpret_cast<const uint2 *>(from);
  return make_float4(wal_bits_float(w.x << 16), wal_bits_float(w.x & 0xffff0000u), wal_bits_float(w.y << 16),
                     wal_bits_float(w.y & 0xffff0000u));
}
__device__ static inline void wal_store4(float *to, float4 v) { *reinterpret_cast<float4 *>(to) = v; }
__device__ static inline void wal_store4(wal_bf16 *to, float4 v) {
  const unsigned a = wal_to_bf16(v.x).bits, b = wal_to_bf16(v.y).bits, c = wal_to_bf16(v.z).bits,
                 d = wal_to_bf16(v.w).bits;
  *reinterpret_cast<uint2 *>(to) = make_uint2(a | b << 16, c | d << 16);
}

#endif
