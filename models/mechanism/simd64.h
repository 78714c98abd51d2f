/* Vectors of double as wide as the machine has, through GCC's vector extensions: AVX-512, AVX2 with FMA, or
   two lanes on any other processor. A lane here is one instance of a batch, so that no operation mixes lanes.
   In C++, which is what a device's code is written in: a double, the same names. */
#ifndef WAL_MECHANISM_SIMD64_H
#define WAL_MECHANISM_SIMD64_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus

#include "models/common/vmath.h"

typedef double wal_vec64;
typedef bool wal_mask64;

WAL_HD wal_vec64 wal_vec64_set(double a) { return a; }
WAL_HD wal_vec64 wal_vec64_fma(wal_vec64 a, wal_vec64 b, wal_vec64 c) { return fma(a, b, c); }
WAL_HD wal_vec64 wal_vec64_select(wal_mask64 mask, wal_vec64 a, wal_vec64 b) { return mask ? a : b; }
WAL_HD wal_vec64 wal_vec64_max(wal_vec64 a, wal_vec64 b) { return a > b ? a : b; }
WAL_HD wal_vec64 wal_vec64_min(wal_vec64 a, wal_vec64 b) { return a < b ? a : b; }

#else

#if defined(__AVX512F__)
#include <immintrin.h>
enum { WAL_LANES64 = 8 };
#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
enum { WAL_LANES64 = 4 };
#else
enum { WAL_LANES64 = 2 };
#endif

typedef double wal_vec64 __attribute__((vector_size(8 * WAL_LANES64)));
typedef int64_t wal_mask64 __attribute__((vector_size(8 * WAL_LANES64)));

static inline wal_vec64 wal_vec64_set(double a) { return a - (wal_vec64){0}; }

/* a b + c, rounded once where the machine can. */
static inline wal_vec64 wal_vec64_fma(wal_vec64 a, wal_vec64 b, wal_vec64 c) {
#if defined(__AVX512F__)
  return (wal_vec64)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(__AVX2__) && defined(__FMA__)
  return (wal_vec64)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#else
  return a * b + c;
#endif
}

/* mask ? a : b, lane by lane; masks are what vector comparisons return. */
static inline wal_vec64 wal_vec64_select(wal_mask64 mask, wal_vec64 a, wal_vec64 b) {
  return (wal_vec64)((mask & (wal_mask64)a) | (~mask & (wal_mask64)b));
}
/* The larger and the smaller of two; b where either is NaN. */
#if defined(__AVX512F__)
static inline wal_vec64 wal_vec64_max(wal_vec64 a, wal_vec64 b) {
  return (wal_vec64)_mm512_max_pd((__m512d)a, (__m512d)b);
}
static inline wal_vec64 wal_vec64_min(wal_vec64 a, wal_vec64 b) {
  return (wal_vec64)_mm512_min_pd((__m512d)a, (__m512d)b);
}
#else
static inline wal_vec64 wal_vec64_max(wal_vec64 a, wal_vec64 b) { return wal_vec64_select(a > b, a, b); }
static inline wal_vec64 wal_vec64_min(wal_vec64 a, wal_vec64 b) { return wal_vec64_select(a < b, a, b); }
#endif

static inline bool wal_mask64_any(wal_mask64 mask) {
  int64_t any = 0;
  for (int lane = 0; lane < WAL_LANES64; lane++) any |= mask[lane];
  return any != 0;
}

#endif

#endif
