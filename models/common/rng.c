#include "models/common/rng.h"

#include <Random123/philox.h>

#include "models/common/vmath.h"

void wal_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  const philox4x32_ctr_t c = {{counter[0], counter[1], counter[2], counter[3]}};
  const philox4x32_key_t k = {{key[0], key[1]}};
  const philox4x32_ctr_t r = philox4x32(c, k);
  for (int i = 0; i < 4; i++) out[i] = r.v[i];
}

/* wal_rng_block as two 64-bit words; each of the four words in a 64-bit lane, so that loops are vectors. */
static inline __attribute__((always_inline)) void words(uint64_t seed, uint32_t stream, uint64_t index,
                                                        uint64_t *w0, uint64_t *w1) {
  uint64_t c0 = (uint32_t)index, c1 = index >> 32, c2 = stream, c3 = 0;
  uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
  for (int round = 0; round < 10; round++) {
    const uint64_t even = c0 * PHILOX_M4x32_0, odd = c2 * PHILOX_M4x32_1;
    c0 = (odd >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)odd;
    c2 = (even >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)even;
    k0 += PHILOX_W32_0;
    k1 += PHILOX_W32_1;
  }
  *w0 = c0 | c1 << 32;
  *w1 = c2 | c3 << 32;
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
  uint64_t w0, w1;
  double a, b;
  words(seed, stream, index / 2, &w0, &w1);
  pair(which, w0, w1, &a, &b);
  return index % 2 ? b : a;
}

/* `count` pairs from block `first` on. Two loops: each is short enough for its iterations to overlap. */
enum { PAIRS = 128 };
static inline __attribute__((always_inline)) void pairs(law which, uint64_t seed, uint32_t stream,
                                                        uint64_t first, int count, double *out) {
  uint64_t w0[PAIRS], w1[PAIRS];
#pragma omp simd
  for (int k = 0; k < count; k++) words(seed, stream, first + (uint64_t)k, &w0[k], &w1[k]);
#pragma omp simd
  for (int k = 0; k < count; k++) pair(which, w0[k], w1[k], &out[2 * k], &out[2 * k + 1]);
}

static inline __attribute__((always_inline)) void fill(law which, uint64_t seed, uint32_t stream,
                                                       uint64_t first, int64_t count, double *out) {
  if (count > 0 && first % 2) {
    *out++ = element(which, seed, stream, first++);
    count--;
  }
  for (int64_t at = 0; at < count / 2; at += PAIRS)
    pairs(which, seed, stream, first / 2 + (uint64_t)at,
          (int)(count / 2 - at < PAIRS ? count / 2 - at : PAIRS), out + 2 * at);
  if (count > 0 && count % 2) out[count - 1] = element(which, seed, stream, first + (uint64_t)count - 1);
}

void wal_rng_block(uint64_t seed, uint32_t stream, uint64_t index, uint32_t out[4]) {
  const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), stream, 0};
  const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  wal_philox(counter, key, out);
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

uint64_t wal_rng_below(uint64_t seed, uint32_t stream, uint64_t index, uint64_t bound) {
  uint64_t w0, w1;
  words(seed, stream, index, &w0, &w1);
  /* floor(bound * W / 2^128) with the block read as a 128-bit integer W = w0 + 2^64 w1. */
  const unsigned __int128 low = (unsigned __int128)w0 * bound >> 64;
  return (uint64_t)(((unsigned __int128)w1 * bound + low) >> 64);
}
