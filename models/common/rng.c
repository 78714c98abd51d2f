#include "models/common/rng.h"

#include <Random123/philox.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "models/common/vmath.h"

void wal_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  const philox4x32_ctr_t c = {{counter[0], counter[1], counter[2], counter[3]}};
  const philox4x32_key_t k = {{key[0], key[1]}};
  const philox4x32_ctr_t r = philox4x32(c, k);
  for (int i = 0; i < 4; i++) out[i] = r.v[i];
}

void wal_rng_block(uint64_t seed, uint32_t stream, uint64_t index, uint32_t out[4]) {
  const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), stream, 0};
  const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  wal_philox(counter, key, out);
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
      const lanes even = product(b[g].c0, PHILOX_M4x32_0), odd = product(b[g].c2, PHILOX_M4x32_1);
      b[g] = (block){(odd >> 32) ^ b[g].c1 ^ (uint64_t)k0, odd, (even >> 32) ^ b[g].c3 ^ (uint64_t)k1, even};
    }
    k0 += PHILOX_W32_0;
    k1 += PHILOX_W32_1;
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

/* The odd multiples of 2^-53 in (0, 1): 52 random bits and a half. */
static inline double unit(uint64_t word) {
  return wal_from_bits((word >> 12) | 0x3ff0000000000000u) - (1.0 - 0x1p-53);
}

/* Two elements from a block's words. */
typedef enum { UNIFORM, NORMAL, EXPONENTIAL } law;
static inline __attribute__((always_inline)) void pair(law which, uint64_t w0, uint64_t w1, double *a,
                                                       double *b) {
  const double u = unit(w0), v = unit(w1);
  if (which == UNIFORM) {
    *a = u;
    *b = v;
  } else if (which == EXPONENTIAL) {
    *a = -wal_log(u);
    *b = -wal_log(v);
  } else { /* Box and Muller 1958 */
    double s, c;
    wal_sincos2pi(v, &s, &c);
    const double radius = sqrt(-2.0 * wal_log(u));
    *a = radius * c;
    *b = radius * s;
  }
}

static inline __attribute__((always_inline)) double element(law which, uint64_t seed, uint32_t stream,
                                                            uint64_t index) {
  uint32_t w[4];
  double a, b;
  wal_rng_block(seed, stream, index / 2, w);
  pair(which, w[0] | (uint64_t)w[1] << 32, w[2] | (uint64_t)w[3] << 32, &a, &b);
  return index % 2 ? b : a;
}

/* `count` pairs from block `first` on. */
static inline __attribute__((always_inline)) void pairs(law which, uint64_t seed, uint32_t stream,
                                                        uint64_t first, int count, double *out) {
  strip s;
  words(seed, stream, first, 1, count, &s);
#pragma omp simd
  for (int k = 0; k < count; k++) pair(which, s.w0[k], s.w1[k], &out[2 * k], &out[2 * k + 1]);
}

static inline __attribute__((always_inline)) void fill(law which, uint64_t seed, uint32_t stream,
                                                       uint64_t first, int64_t count, double *out) {
  if (count > 0 && first % 2) {
    *out++ = element(which, seed, stream, first++);
    count--;
  }
  for (int64_t at = 0; at < count / 2; at += STRIP)
    pairs(which, seed, stream, first / 2 + (uint64_t)at,
          (int)(count / 2 - at < STRIP ? count / 2 - at : STRIP), out + 2 * at);
  if (count > 0 && count % 2) out[count - 1] = element(which, seed, stream, first + (uint64_t)count - 1);
}

double wal_rng_uniform(uint64_t seed, uint32_t stream, uint64_t index) {
  return element(UNIFORM, seed, stream, index);
}

double wal_rng_normal(uint64_t seed, uint32_t stream, uint64_t index) {
  return element(NORMAL, seed, stream, index);
}

double wal_rng_exponential(uint64_t seed, uint32_t stream, uint64_t index) {
  return element(EXPONENTIAL, seed, stream, index);
}

void wal_rng_uniforms(uint64_t seed, uint32_t stream, uint64_t first, int64_t count, double *out) {
  fill(UNIFORM, seed, stream, first, count, out);
}

void wal_rng_normals(uint64_t seed, uint32_t stream, uint64_t first, int64_t count, double *out) {
  fill(NORMAL, seed, stream, first, count, out);
}

void wal_rng_exponentials(uint64_t seed, uint32_t stream, uint64_t first, int64_t count, double *out) {
  fill(EXPONENTIAL, seed, stream, first, count, out);
}

/* ---- float32 ---- */

/* A strip's four words apart. */
typedef struct {
  uint32_t low0[STRIP], high0[STRIP], low1[STRIP], high1[STRIP];
} strip32 __attribute__((aligned(64)));

/* low1 only for the laws that look at it. */
static inline __attribute__((always_inline)) void words32(law which, uint64_t seed, uint32_t stream,
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
      if (which == EXPONENTIAL)
        *(half_lanes *)(out->low1 + k + g * LANES) = __builtin_convertvector(b[g].c2, half_lanes);
      *(half_lanes *)(out->high1 + k + g * LANES) = __builtin_convertvector(b[g].c3, half_lanes);
    }
  }
}

/* -log of unit(word): the distance of the uniform to the nearer of 0 and 1 rounds to float32, so that both
   tails keep their digits. */
static inline float minus_log_unit32(uint32_t low, uint32_t high) {
  const uint32_t flip = (uint32_t)((int32_t)high >> 31); /* all ones in the upper half */
  const uint32_t digits = ((low ^ flip) >> 11) | 1;      /* the last 21 of 53 */
  const float near = fmaf((float)(int32_t)digits, 0x1p-21f, (float)(int32_t)(high ^ flip)) * 0x1p-32f;
  return wal_minus_log_unitf(near, flip != 0);
}

static inline __attribute__((always_inline)) void pair32(law which, const strip32 *s, int k, float *a,
                                                         float *b) {
  const uint32_t low0 = s->low0[k], high0 = s->high0[k], high1 = s->high1[k];
  if (which == UNIFORM) {
    *a = fmaf((float)(int32_t)(high0 >> 1), 0x1p-31f, 0x1p-32f);
    *b = fmaf((float)(int32_t)(high1 >> 1), 0x1p-31f, 0x1p-32f);
  } else if (which == EXPONENTIAL) {
    *a = minus_log_unit32(low0, high0);
    *b = minus_log_unit32(s->low1[k], high1);
  } else { /* the angle modulo a half turn, and its sign with the radius */
    const uint32_t twice = high1 + high1, sign = (high1 ^ twice) & 0x80000000u;
    const float radius = sqrtf(2.0f * minus_log_unit32(low0, high0));
    const float turned = wal_from_bitsf(wal_bitsf(radius) ^ sign);
    float sine, cosine;
    wal_sincos_halff((float)(int32_t)twice * 0x1p-31f, &sine, &cosine);
    *a = turned * cosine;
    *b = turned * sine;
  }
}

static inline __attribute__((always_inline)) void pairs32(law which, uint64_t seed, uint32_t stream,
                                                          uint64_t first, uint64_t step, int64_t count,
                                                          float *even, float *odd) {
  strip32 s;
  for (int64_t at = 0; at < count; at += STRIP) {
    const int here = (int)(count - at < STRIP ? count - at : STRIP);
    words32(which, seed, stream, first + (uint64_t)at * step, step, here, &s);
#pragma omp simd
    for (int k = 0; k < here; k++) pair32(which, &s, k, &even[at + k], &odd[at + k]);
  }
}

void wal_rng_uniform_pairs32(uint64_t seed, uint32_t stream, uint64_t first, uint64_t step, int64_t count,
                             float *even, float *odd) {
  pairs32(UNIFORM, seed, stream, first, step, count, even, odd);
}

void wal_rng_normal_pairs32(uint64_t seed, uint32_t stream, uint64_t first, uint64_t step, int64_t count,
                            float *even, float *odd) {
  pairs32(NORMAL, seed, stream, first, step, count, even, odd);
}

void wal_rng_exponential_pairs32(uint64_t seed, uint32_t stream, uint64_t first, uint64_t step, int64_t count,
                                 float *even, float *odd) {
  pairs32(EXPONENTIAL, seed, stream, first, step, count, even, odd);
}

uint64_t wal_rng_below(uint64_t seed, uint32_t stream, uint64_t index, uint64_t bound) {
  uint32_t w[4];
  wal_rng_block(seed, stream, index, w);
  const uint64_t w0 = w[0] | (uint64_t)w[1] << 32, w1 = w[2] | (uint64_t)w[3] << 32;
  /* floor(bound * W / 2^128) with the block read as a 128-bit integer W = w0 + 2^64 w1. */
  const unsigned __int128 low = (unsigned __int128)w0 * bound >> 64;
  return (uint64_t)(((unsigned __int128)w1 * bound + low) >> 64);
}
