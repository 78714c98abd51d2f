/* The functions of rng.h one element at a time, as inline code that the CPU and CUDA compile alike: the same
   bits on both. Philox4x32-10 is written out from Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as
   easy as 1, 2, 3" (SC 2011). */
#ifndef WAL_COMMON_PHILOX_H
#define WAL_COMMON_PHILOX_H

#include "models/common/vmath.h"

/* The multipliers of the two halves of a round, and what the key's two words grow by between rounds. */
#define WAL_PHILOX_M0 0xd2511f53u
#define WAL_PHILOX_M1 0xcd9e8d57u
#define WAL_PHILOX_W0 0x9e3779b9u
#define WAL_PHILOX_W1 0xbb67ae85u

/* x[4] = Philox4x32-10(x, key (k0, k1)). */
WAL_HD void wal_philox_rounds(uint32_t k0, uint32_t k1, uint32_t x[4]) {
  for (int round = 0; round < 10; round++) {
    const uint64_t even = (uint64_t)WAL_PHILOX_M0 * x[0], odd = (uint64_t)WAL_PHILOX_M1 * x[2];
    const uint32_t x0 = (uint32_t)(odd >> 32) ^ x[1] ^ k0, x2 = (uint32_t)(even >> 32) ^ x[3] ^ k1;
    x[0] = x0;
    x[1] = (uint32_t)odd;
    x[2] = x2;
    x[3] = (uint32_t)even;
    k0 += WAL_PHILOX_W0;
    k1 += WAL_PHILOX_W1;
  }
}

/* wal_rng_block. */
WAL_HD void wal_philox_block(uint64_t seed, uint32_t stream, uint64_t index, uint32_t out[4]) {
  out[0] = (uint32_t)index;
  out[1] = (uint32_t)(index >> 32);
  out[2] = stream;
  out[3] = 0;
  wal_philox_rounds((uint32_t)seed, (uint32_t)(seed >> 32), out);
}

typedef enum { WAL_VARIATE_NORMAL, WAL_VARIATE_UNIFORM, WAL_VARIATE_EXPONENTIAL } wal_variate;

/* The odd multiples of 2^-53 in (0, 1): 52 random bits and a half. */
WAL_HD double wal_variate_unit(uint64_t word) {
  return wal_from_bits((word >> 12) | 0x3ff0000000000000u) - (1.0 - 0x1p-53);
}

/* Two elements from a block's words, taken as two 64-bit ones. */
WAL_HD void wal_variate_pair(wal_variate law, uint64_t w0, uint64_t w1, double *a, double *b) {
  const double u = wal_variate_unit(w0), v = wal_variate_unit(w1);
  if (law == WAL_VARIATE_UNIFORM) {
    *a = u;
    *b = v;
  } else if (law == WAL_VARIATE_EXPONENTIAL) {
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

/* Elements 2 block and 2 block + 1 of a stream. */
WAL_HD void wal_variate_elements(wal_variate law, uint64_t seed, uint32_t stream, uint64_t block, double *a,
                                 double *b) {
  uint32_t w[4];
  wal_philox_block(seed, stream, block, w);
  wal_variate_pair(law, w[0] | (uint64_t)w[1] << 32, w[2] | (uint64_t)w[3] << 32, a, b);
}

/* Element `index` of a stream: wal_rng_normal, _uniform, _exponential. */
WAL_HD double wal_variate_element(wal_variate law, uint64_t seed, uint32_t stream, uint64_t index) {
  double a, b;
  wal_variate_elements(law, seed, stream, index / 2, &a, &b);
  return index % 2 ? b : a;
}

/* ---- float32 ---- */

/* -log of wal_variate_unit of a word: the distance of the uniform to the nearer of 0 and 1 rounds to float32,
   so that both tails keep their digits. */
WAL_HD float wal_variate_minus_log_unit32(uint32_t low, uint32_t high) {
  const uint32_t flip = (uint32_t)((int32_t)high >> 31); /* all ones in the upper half */
  const uint32_t digits = ((low ^ flip) >> 11) | 1;      /* the last 21 of 53 */
  const float near = fmaf((float)(int32_t)digits, 0x1p-21f, (float)(int32_t)(high ^ flip)) * 0x1p-32f;
  return wal_minus_log_unitf(near, flip != 0);
}

/* Two elements from a block's four words; low1 is read by the exponential law only. */
WAL_HD void wal_variate_pair32(wal_variate law, uint32_t low0, uint32_t high0, uint32_t low1, uint32_t high1,
                               float *a, float *b) {
  if (law == WAL_VARIATE_UNIFORM) {
    *a = fmaf((float)(int32_t)(high0 >> 1), 0x1p-31f, 0x1p-32f);
    *b = fmaf((float)(int32_t)(high1 >> 1), 0x1p-31f, 0x1p-32f);
  } else if (law == WAL_VARIATE_EXPONENTIAL) {
    *a = wal_variate_minus_log_unit32(low0, high0);
    *b = wal_variate_minus_log_unit32(low1, high1);
  } else { /* the angle modulo a half turn, and its sign with the radius */
    const uint32_t twice = high1 + high1, sign = (high1 ^ twice) & 0x80000000u;
    const float radius = sqrtf(2.0f * wal_variate_minus_log_unit32(low0, high0));
    const float turned = wal_from_bitsf(wal_bitsf(radius) ^ sign);
    float sine, cosine;
    wal_sincos_halff((float)(int32_t)twice * 0x1p-31f, &sine, &cosine);
    *a = turned * cosine;
    *b = turned * sine;
  }
}

/* Elements 2 block and 2 block + 1 of a stream: wal_rng_normal_pairs32 and its like. */
WAL_HD void wal_variate_elements32(wal_variate law, uint64_t seed, uint32_t stream, uint64_t block, float *a,
                                   float *b) {
  uint32_t w[4];
  wal_philox_block(seed, stream, block, w);
  wal_variate_pair32(law, w[0], w[1], w[2], w[3], a, b);
}

/* wal_rng_below: floor(bound W / 2^128) with the block read as a 128-bit integer W = w0 + 2^64 w1. */
WAL_HD uint64_t wal_philox_high_product(uint64_t a, uint64_t b) {
#ifdef __CUDA_ARCH__
  return __umul64hi(a, b);
#else
  return (uint64_t)((unsigned __int128)a * b >> 64);
#endif
}

WAL_HD uint64_t wal_philox_below(uint64_t seed, uint32_t stream, uint64_t index, uint64_t bound) {
  uint32_t w[4];
  wal_philox_block(seed, stream, index, w);
  const uint64_t w0 = w[0] | (uint64_t)w[1] << 32, w1 = w[2] | (uint64_t)w[3] << 32;
  const uint64_t product = w1 * bound, sum = product + wal_philox_high_product(w0, bound);
  return wal_philox_high_product(w1, bound) + (sum < product ? 1u : 0u);
}

#endif
