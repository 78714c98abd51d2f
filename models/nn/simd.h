/* Vectors of float32 as wide as the machine has, through GCC's vector extensions: AVX-512, AVX2 with FMA, or
   four lanes on any other processor. Only the fused multiply-add needs an intrinsic. */
#ifndef WAL_NN_SIMD_H
#define WAL_NN_SIMD_H

#include <stdint.h>

#if defined(__AVX512F__)
#include <immintrin.h>
enum { WAL_LANES = 16 };
#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
enum { WAL_LANES = 8 };
#else
enum { WAL_LANES = 4 };
#endif

typedef float wal_vec __attribute__((vector_size(4 * WAL_LANES)));
typedef int32_t wal_mask __attribute__((vector_size(4 * WAL_LANES)));
/* The same vector at any address. */
typedef float wal_vec_unaligned __attribute__((vector_size(4 * WAL_LANES), aligned(4), may_alias));

static inline wal_vec wal_vec_load(const float *p) { return *(const wal_vec_unaligned *)p; }
static inline void wal_vec_store(float *p, wal_vec v) { *(wal_vec_unaligned *)p = v; }
static inline wal_vec wal_vec_set(float a) { return a - (wal_vec){0}; }

/* a b + c, rounded once where the machine can. */
static inline wal_vec wal_vec_fma(wal_vec a, wal_vec b, wal_vec c) {
#if defined(__AVX512F__)
  return (wal_vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX2__) && defined(__FMA__)
  return (wal_vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
  return a * b + c;
#endif
}

/* mask ? a : b, lane by lane; masks are what vector comparisons return. */
static inline wal_vec wal_vec_select(wal_mask mask, wal_vec a, wal_vec b) {
  return (wal_vec)((mask & (wal_mask)a) | (~mask & (wal_mask)b));
}

/* exp(x) to about 2 units in the last place, x clamped to +-87; NaN stays NaN. */
static inline wal_vec wal_vec_exp(wal_vec x) {
  const wal_vec limit = wal_vec_set(87.0f), round = wal_vec_set(12582912.0f); /* 1.5 * 2^23 */
  x = wal_vec_select(x > limit, limit, x);
  x = wal_vec_select(x < -limit, -limit, x);
  wal_vec n = wal_vec_fma(x, wal_vec_set(1.44269504f), round) - round; /* x = n log 2 + r */
  wal_vec r = wal_vec_fma(n, wal_vec_set(-0.693359375f), x);
  r = wal_vec_fma(n, wal_vec_set(2.12194440e-4f), r);
  wal_vec p = wal_vec_set(1.0f / 5040.0f); /* Taylor to r^7: 1e-9 on |r| <= log(2)/2 */
  p = wal_vec_fma(p, r, wal_vec_set(1.0f / 720.0f));
  p = wal_vec_fma(p, r, wal_vec_set(1.0f / 120.0f));
  p = wal_vec_fma(p, r, wal_vec_set(1.0f / 24.0f));
  p = wal_vec_fma(p, r, wal_vec_set(1.0f / 6.0f));
  p = wal_vec_fma(p, r, wal_vec_set(0.5f));
  p = wal_vec_fma(p, r, wal_vec_set(1.0f));
  p = wal_vec_fma(p, r, wal_vec_set(1.0f));
  wal_mask exponent = (__builtin_convertvector(n, wal_mask) + 127) << 23;
  return p * (wal_vec)exponent;
}

#endif
