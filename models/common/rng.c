#include "models/common/rng.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "models/common/philox.h"

void wal_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  memcpy(out, counter, 4 * sizeof *out);
  wal_philox_rounds(key[0], key[1], out);
}

void wal_rng_block(uint64_t seed, uint32_t stream, uint64_t index, uint32_t out[4]) {
  wal_philox_block(seed, stream, index, out);
}

/* wal_rng_block over a vector of indices, each of its four words in the low half of a 64-bit lane. What the
   high halves hold does not matter: a product reads the low ones only. */
#if defined(__AVX512F__)
enum { LANES = 8 };
#elif defined(__AVX2__)
enum { LANES = 4 };
#else
enum { LANES = 2 };
#endif
typedef uint64_t lanes __attribute__((vector_size(8 * LANES)));
typedef struct {
  lanes c0, c1, c2, c3;
} block;

static inline lanes product(lanes a, uint64_t b) {
#if defined(__AVX512F__)
  return (lanes)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64((int64_t)b));
#elif defined(__AVX2__)
  return (lanes)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x((int64_t)b));
#else
  return (a & 0xffffffffu) * b;
#endif
}

/* GROUP vectors of blocks at a time, `apart` between them, so that their rounds overlap. */
enum { GROUP = 4 };
static inline __attribute__((always_inline)) void blocks(uint64_t seed, uint32_t stream, lanes index,
                                                         uint64_t apart, block *b /* [GROUP] */) {
  uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
#pragma GCC unroll 4
  for (int g = 0; g < GROUP; g++, index += apart)
    b[g] = (block){index, index >> 32, (lanes){0} + stream, {0}};
#pragma GCC unroll 10
  for (int round = 0; round < 10; round++) {
#pragma GCC unroll 4
    for (int g = 0; g < GROUP; g++) {
      const lanes even = product(b[g].c0, WAL_PHILOX_M0), odd = product(b[g].c2, WAL_PHILOX_M1);
      b[g] = (block){(odd >> 32) ^ b[g].c1 ^ (uint64_t)k0, odd, (even >> 32) ^ b[g].c3 ^ (uint64_t)k1, even};
    }
    k0 += WAL_PHILOX_W0;
    k1 += WAL_PHILOX_W1;
  }
}

/* Blocks first, first + step, ... of a stream, STRIP at most: words 0 and 1, 2 and 3 as 64-bit ones. */
enum { STRIP = 128 };
typedef struct {
  uint64_t w0[STRIP], w1[STRIP];
} strip __attribute__((aligned(64)));

/* first, first + step, ... */
static inline lanes progression(uint64_t first, uint64_t step) {
  lanes index = {0};
  for (int l = 0; l < LANES; l++) index[l] = first + (uint64_t)l * step;
  return index;
}

static void words(uint64_t seed, uint32_t stream, uint64_t first, uint64_t step, int count, strip *out) {
  lanes index = progression(first, step);
  block b[GROUP];
  for (int k = 0; k < count; k += GROUP * LANES, index += step * (GROUP * LANES)) {
    blocks(seed, stream, index, step * LANES, b);
#pragma GCC unroll 4
    for (int g = 0; g < GROUP; g++) {
      *(lanes *)(out->w0 + k + g * LANES) = (b[g].c0 & 0xffffffffu) | b[g].c1 << 32;
      *(lanes *)(out->w1 + k + g * LANES) = (b[g].c2 & 0xffffffffu) | b[g].c3 << 32;
    }
  }
}

/* `count` pairs from block `first` on. */
static inline __attribute__((always_inline)) void pairs(wal_variate law, uint64_t seed, uint32_t stream,
                                                        uint64_t first, int count, double *out) {
  strip s;
  words(seed, stream, first, 1, count, &s);
#pragma omp simd
  for (int k = 0; k < count; k++) wal_variate_pair(law, s.w0[k], s.w1[k], &out[2 * k], &out[2 * k + 1]);
}

static inline __attribute__((always_inline)) void fill(wal_variate law, uint64_t seed, uint32_t stream,
                                                       uint64_t first, int64_t count, double *out) {
  if (count > 0 && first % 2) {
    *out++ = wal_variate_element(law, seed, stream, first++);
    count--;
  }
  for (int64_t at = 0; at < count / 2; at += STRIP)
    pairs(law, seed, stream, first / 2 + (uint64_t)at, (int)(count / 2 - at < STRIP ? count / 2 - at : STRIP),
          out + 2 * at);
  if (count > 0 && count % 2)
    out[count - 1] = wal_variate_element(law, seed, stream, first + (uint64_t)count - 1);
}

double wal_rng_uniform(uint64_t seed, uint32_t stream, uint64_t index) {
  return wal_variate_element(WAL_VARIATE_UNIFORM, seed, stream, index);
}

double wal_rng_normal(uint64_t seed, uint32_t stream, uint64_t index) {
  return wal_variate_element(WAL_VARIATE_NORMAL, seed, stream, index);
}

double wal_rng_exponential(uint64_t seed, uint32_t stream, uint64_t index) {
  return wal_variate_element(WAL_VARIATE_EXPONENTIAL, seed, stream, index);
}

void wal_rng_uniforms(uint64_t seed, uint32_t stream, uint64_t first, int64_t count, double *out) {
  fill(WAL_VARIATE_UNIFORM, seed, stream, first, count, out);
}

void wal_rng_normals(uint64_t seed, uint32_t stream, uint64_t first, int64_t count, double *out) {
  fill(WAL_VARIATE_NORMAL, seed, stream, first, count, out);
}

void wal_rng_exponentials(uint64_t seed, uint32_t stream, uint64_t first, int64_t count, double *out) {
  fill(WAL_VARIATE_EXPONENTIAL, seed, stream, first, count, out);
}

/* ---- float32 ---- */

/* A strip's four words apart. */
typedef struct {
  uint32_t low0[STRIP], high0[STRIP], low1[STRIP], high1[STRIP];
} strip32 __attribute__((aligned(64)));

/* low1 only for the laws that look at it. */
static inline __attribute__((always_inline)) void words32(wal_variate law, uint64_t seed, uint32_t stream,
                                                          uint64_t first, uint64_t step, int count,
                                                          strip32 *out) {
  typedef uint32_t half_lanes __attribute__((vector_size(4 * LANES)));
  lanes index = progression(first, step);
  block b[GROUP];
  for (int k = 0; k < count; k += GROUP * LANES, index += step * (GROUP * LANES)) {
    blocks(seed, stream, index, step * LANES, b);
#pragma GCC unroll 4
    for (int g = 0; g < GROUP; g++) {
      *(half_lanes *)(out->low0 + k + g * LANES) = __builtin_convertvector(b[g].c0, half_lanes);
      *(half_lanes *)(out->high0 + k + g * LANES) = __builtin_convertvector(b[g].c1, half_lanes);
      if (law == WAL_VARIATE_EXPONENTIAL)
        *(half_lanes *)(out->low1 + k + g * LANES) = __builtin_convertvector(b[g].c2, half_lanes);
      *(half_lanes *)(out->high1 + k + g * LANES) = __builtin_convertvector(b[g].c3, half_lanes);
    }
  }
}

static inline __attribute__((always_inline)) void pairs32(wal_variate law, uint64_t seed, uint32_t stream,
                                                          uint64_t first, uint64_t step, int64_t count,
                                                          float *even, float *odd) {
  strip32 s;
  for (int64_t at = 0; at < count; at += STRIP) {
    const int here = (int)(count - at < STRIP ? count - at : STRIP);
    words32(law, seed, stream, first + (uint64_t)at * step, step, here, &s);
#pragma omp simd
    for (int k = 0; k < here; k++)
      wal_variate_pair32(law, s.low0[k], s.high0[k], s.low1[k], s.high1[k], &even[at + k], &odd[at + k]);
  }
}

void wal_rng_uniform_pairs32(uint64_t seed, uint32_t stream, uint64_t first, uint64_t step, int64_t count,
                             float *even, float *odd) {
  pairs32(WAL_VARIATE_UNIFORM, seed, stream, first, step, count, even, odd);
}

void wal_rng_normal_pairs32(uint64_t seed, uint32_t stream, uint64_t first, uint64_t step, int64_t count,
                            float *even, float *odd) {
  pairs32(WAL_VARIATE_NORMAL, seed, stream, first, step, count, even, odd);
}

void wal_rng_exponential_pairs32(uint64_t seed, uint32_t stream, uint64_t first, uint64_t step, int64_t count,
                                 float *even, float *odd) {
  pairs32(WAL_VARIATE_EXPONENTIAL, seed, stream, first, step, count, even, odd);
}

uint64_t wal_rng_below(uint64_t seed, uint32_t stream, uint64_t index, uint64_t bound) {
  return wal_philox_below(seed, stream, index, bound);
}
