/* Elementary functions in double as short branch-free inline code: the same bits in a scalar call, in a loop
   that gcc vectorises (`#pragma omp simd`), on any processor with correctly rounded fma() and in CUDA.
   Maximum errors against the exact value, checked in tests/models/test_vmath.c (ulp):
     exp 1.2, log 1, log1p 1.5, softplus 2, sin and cos of 2 pi u 1.5;
   in float32: exp 1.5, log 2, softplus and its derivative 3.
   NaN gives NaN everywhere. Each function says what it does at infinities, zeros and subnormals.
   The polynomials are Chebyshev interpolants computed in 200-bit arithmetic, the coefficients rounded to
   double; the figure beside each is its largest relative error. */
#ifndef WAL_COMMON_VMATH_H
#define WAL_COMMON_VMATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __CUDACC__
#define WAL_HD __host__ __device__ static inline
#else
#define WAL_HD static inline __attribute__((always_inline))
#endif

WAL_HD uint64_t wal_bits(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

WAL_HD double wal_from_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* 1.5 * 2^52: adding it rounds to an integer, which then sits in the low bits of the sum. */
#define WAL_ROUNDER 0x1.8p52

/* e^(x - k log 2) for the nearest integer k; *rounded: k + rounder. */
WAL_HD double wal_exp_reduced(double x, double rounder, double *rounded) {
  *rounded = fma(x, 0x1.71547652b82fep+0, rounder);
  const double k = *rounded - rounder;
  double r = fma(k, -0x1.62e42fefa3800p-1, x); /* log 2 in two parts: the product with the first is exact */
  r = fma(k, -0x1.ef35793c76730p-45, r);
  double p = 0x1.af38a9b0ec855p-26; /* (e^r - 1 - r) / r^2, |r| <= log(2)/2: 2^-55.8 */
  p = fma(p, r, 0x1.289185613a3d6p-22);
  p = fma(p, r, 0x1.71de0dae63bb3p-19);
  p = fma(p, r, 0x1.a019b90d2ae7ap-16);
  p = fma(p, r, 0x1.a01a01a7c41d5p-13);
  p = fma(p, r, 0x1.6c16c1788bd90p-10);
  p = fma(p, r, 0x1.11111111109b3p-7);
  p = fma(p, r, 0x1.5555555553d63p-5);
  p = fma(p, r, 0x1.5555555555556p-3);
  p = fma(p, r, 0.5);
  return 1.0 + fma(r * r, p, r);
}

/* e^x; 0 below -745.2, infinity above 709.8, subnormal results correctly graded. */
WAL_HD double wal_exp(double x) {
  double c = x > 710.0 ? 710.0 : x, rounded;
  c = c < -746.0 ? -746.0 : c;
  const double e = wal_exp_reduced(c, WAL_ROUNDER, &rounded);
  /* e * 2^k as two factors, so that neither leaves the normal range: k + 2048 > 0, halves by a logical shift.
   */
  const uint64_t biased = (wal_bits(rounded) - wal_bits(WAL_ROUNDER)) + 2048;
  const uint64_t half = biased >> 1;
  const double scale1 = wal_from_bits((half - 1) << 52); /* 2^(half - 1024) */
  const double scale2 = wal_from_bits((biased - half - 1) << 52);
  return (e * scale1) * scale2;
}

/* wal_exp(x) for x <= 0 only, at two thirds of the cost: 2^(k + 1000) is always normal. */
WAL_HD double wal_exp_down(double x) {
  double rounded;
  const double e = wal_exp_reduced(x < -746.0 ? -746.0 : x, WAL_ROUNDER + (1000 + 1023), &rounded);
  return (e * wal_from_bits(wal_bits(rounded) << 52)) * 0x1p-1000;
}

/* log(2^e (1 + f)) for 1 + f in [sqrt(1/2), sqrt(2)): with s = f/(2+f), log(1+f) = f - f^2/2 + s (f^2/2 +
 * R(s^2)). */
WAL_HD double wal_log_reduced(double f, double e) {
  const double s = f / (2.0 + f), z = s * s;
  double r = 0x1.2b5900de53b32p-3; /* (2 atanh(s)/s - 2) / z, z <= 0.0295: 2^-57.6 */
  r = fma(r, z, 0x1.39fe51a7c18f9p-3);
  r = fma(r, z, 0x1.7462b51cb66b1p-3);
  r = fma(r, z, 0x1.c71c62e3f11e6p-3);
  r = fma(r, z, 0x1.2492492df281ap-2);
  r = fma(r, z, 0x1.99999999952d7p-2);
  r = fma(r, z, 0x1.5555555555558p-1);
  const double half = 0.5 * f * f;
  const double tail = fma(s, fma(r, z, half), e * 0x1.ef35793c76730p-45);
  return fma(e, 0x1.62e42fefa3800p-1, f - (half - tail));
}

/* Splits a positive normal x into m * 2^e with m in [sqrt(1/2), sqrt(2)); returns m. */
WAL_HD double wal_split(double x, double *e) {
  const uint64_t shifted = wal_bits(x) + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
  const uint64_t exponent = shifted >> 52; /* biased by 1023 */
  *e = (wal_from_bits(wal_bits(WAL_ROUNDER) + exponent) - WAL_ROUNDER) - 1023.0;
  return wal_from_bits((shifted & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu);
}

/* log x; -infinity at 0 (either sign), NaN below 0, infinity at infinity; subnormals are exact too. */
WAL_HD double wal_log(double x) {
  const int small = x < 0x1p-1022;
  double e;
  const double m = wal_split(small ? x * 0x1p54 : x, &e);
  double y = wal_log_reduced(m - 1.0, small ? e - 54.0 : e);
  y = x < INFINITY ? y : x; /* infinity, NaN */
  y = x == 0.0 ? -INFINITY : y;
  return x < 0.0 ? NAN : y;
}

/* log(1 + x); -infinity at -1, NaN below -1, infinity at infinity; x itself where |x| is tiny. */
WAL_HD double wal_log1p(double x) {
  const double u = 1.0 + x;
  const double lost = x >= 1.0 ? 1.0 - (u - x) : x - (u - 1.0); /* u + lost = 1 + x exactly */
  double e;
  const double m = wal_split(u, &e);
  const uint64_t power = (uint64_t)0x7fe0000000000000u - ((wal_bits(e + 1023.0 + WAL_ROUNDER) & 0x7ff) << 52);
  const double f = (m - 1.0) + (u < 0x1p1000 ? lost * wal_from_bits(power) : 0.0); /* lost * 2^-e */
  double y = wal_log_reduced(f, e);
  y = u < INFINITY ? y : u;
  y = u == 0.0 ? -INFINITY : y;
  return u < 0.0 ? NAN : y;
}

/* log(1 + x) for x in [0, 1] only, at half the cost: wal_log_reduced for all of it. */
WAL_HD double wal_log1p_unit(double x) {
  const double s = x / (2.0 + x), z = s * s;
  double r =
      0x1.4b0a929661858p-3; /* (2 atanh(s)/s - 2) / z, z <= 1/9: 2^-52.2, and 2^-57.0 of the logarithm */
  r = fma(r, z, 0x1.687a08d2e70b9p-4);
  r = fma(r, z, 0x1.eb90726b6dbc9p-4);
  r = fma(r, z, 0x1.10ac74d0a8775p-3);
  r = fma(r, z, 0x1.3b18b2a511675p-3);
  r = fma(r, z, 0x1.745cf0b04b642p-3);
  r = fma(r, z, 0x1.c71c727146271p-3);
  r = fma(r, z, 0x1.24924923d448ap-2);
  r = fma(r, z, 0x1.999999999a3ddp-2);
  r = fma(r, z, 0x1.5555555555555p-1);
  const double half = 0.5 * x * x;
  return x - (half - s * fma(r, z, half));
}

/* log(1 + e^z) = max(z, 0) + log1p(e^-|z|): no overflow, full relative accuracy for z -> -infinity. */
WAL_HD double wal_softplus(double z) {
  const double positive = z < 0.0 ? 0.0 : z;
  return positive + wal_log1p_unit(wal_exp_down(-fabs(z)));
}

/* sin(2 pi u) and cos(2 pi u) for |u| <= 2^50; exact at multiples of 1/4. NaN at infinities. */
WAL_HD void wal_sincos2pi(double u, double *sine, double *cosine) {
  const double rounded = fma(u, 4.0, WAL_ROUNDER);
  const double t = fma(rounded - WAL_ROUNDER, -0.25, u), w = t * t; /* exact; |t| <= 1/8 */
  const uint64_t quadrant = wal_bits(rounded);
  double s = 0x1.e4a9d9166f052p+1; /* (sin(2 pi t)/t - 2 pi) / w: 2^-56.0 */
  s = fma(s, w, -0x1.e3027dea82bd7p+3);
  s = fma(s, w, 0x1.50783208843ebp+5);
  s = fma(s, w, -0x1.32d2cce500387p+6);
  s = fma(s, w, 0x1.466bc6775a476p+6);
  s = fma(s, w, -0x1.4abbce625be52p+5);
  s = fma(t, 0x1.921fb54442d18p+2, t * fma(s, w, 0x1.1a62633145c07p-52)); /* 2 pi in two parts */
  double c = -0x1.b2f3eb054afcdp+0;                                       /* (cos(2 pi t) - 1) / w: 2^-55.1 */
  c = fma(c, w, 0x1.f9ce245cada0bp+2);
  c = fma(c, w, -0x1.a6d1eef479be1p+4);
  c = fma(c, w, 0x1.e1f5068688d5bp+5);
  c = fma(c, w, -0x1.55d3c7e3cb241p+6);
  c = fma(c, w, 0x1.03c1f081b5ac0p+6);
  c = fma(c, w, -0x1.3bd3cc9be45dep+4);
  c = fma(c, w, 1.0);
  const double first = (quadrant & 1) ? c : s, second = (quadrant & 1) ? s : c;
  *sine = wal_from_bits(wal_bits(first) ^ ((quadrant & 2) << 62));
  *cosine = wal_from_bits(wal_bits(second) ^ (((quadrant + 1) & 2) << 62));
}

/* ---- float32 ---- */

WAL_HD uint32_t wal_bitsf(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

WAL_HD float wal_from_bitsf(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

#define WAL_ROUNDERF 0x1.8p23f

/* e^x; 0 below -104, infinity above 88.8, subnormal results graded. As wal_exp. */
WAL_HD float wal_expf(float x) {
  float c = x > 89.0f ? 89.0f : x;
  c = c < -104.0f ? -104.0f : c;
  const float rounded = fmaf(c, 0x1.715476p+0f, WAL_ROUNDERF), k = rounded - WAL_ROUNDERF;
  const float r = fmaf(k, -0x1.7f7d1cp-20f, fmaf(k, -0x1.62e4p-1f, c));
  float p = 0x1.6d110ap-10f; /* (e^r - 1 - r) / r^2: 2^-26.5 */
  p = fmaf(p, r, 0x1.120b6ep-7f);
  p = fmaf(p, r, 0x1.55551ap-5f);
  p = fmaf(p, r, 0x1.5554dcp-3f);
  p = fmaf(p, r, 0.5f);
  const float e = 1.0f + fmaf(r * r, p, r);
  const uint32_t biased = (wal_bitsf(rounded) - wal_bitsf(WAL_ROUNDERF)) + 256, half = biased >> 1;
  return (e * wal_from_bitsf((half - 1) << 23)) * wal_from_bitsf((biased - half - 1) << 23);
}

/* log x for x >= 2^-126 (smaller positive x: treated as 2^-126); -infinity at 0, infinity at infinity, NaN
 * below 0. */
WAL_HD float wal_logf(float x) {
  const float normal = x < 0x1p-126f ? 0x1p-126f : x;
  const uint32_t shifted = wal_bitsf(normal) + (0x3f800000u - 0x3f3504f3u);
  const float e = (float)(int32_t)(shifted >> 23) - 127.0f;
  const float f = wal_from_bitsf((shifted & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
  float p = 0x1.67ed28p-4f; /* (log(1 + f) - f) / f^2, 1 + f in [sqrt(1/2), sqrt(2)): 2^-24.1 */
  p = fmaf(p, f, -0x1.21fd54p-3f);
  p = fmaf(p, f, 0x1.2fd102p-3f);
  p = fmaf(p, f, -0x1.53bb74p-3f);
  p = fmaf(p, f, 0x1.990710p-3f);
  p = fmaf(p, f, -0x1.000302p-2f);
  p = fmaf(p, f, 0x1.555638p-2f);
  p = fmaf(p, f, -0x1.fffffep-2f);
  float y = fmaf(e, 0x1.62e4p-1f, f + fmaf(f * f, p, e * 0x1.7f7d1cp-20f));
  y = x < INFINITY ? y : x;
  y = x == 0.0f ? -INFINITY : y;
  return x < 0.0f ? NAN : y;
}

/* softplus(z) = log(1 + e^z); *slope: its derivative 1 / (1 + e^-z). */
WAL_HD float wal_softplusf(float z, float *slope) {
  const float t = wal_expf(-fabsf(z));
  float p = -0x1.24b298p-8f; /* (log(1 + t) - t) / t^2, t in [0, 1]: 2^-24.9 */
  p = fmaf(p, t, 0x1.9d455ap-6f);
  p = fmaf(p, t, -0x1.11708cp-4f);
  p = fmaf(p, t, 0x1.d992bcp-4f);
  p = fmaf(p, t, -0x1.448ee2p-3f);
  p = fmaf(p, t, 0x1.969cb2p-3f);
  p = fmaf(p, t, -0x1.ffb95cp-3f);
  p = fmaf(p, t, 0x1.55540cp-2f);
  p = fmaf(p, t, -0x1.fffffep-2f);
  *slope = (z > 0.0f ? 1.0f : t) / (1.0f + t);
  return (z > 0.0f ? z : 0.0f) + fmaf(t * t, p, t);
}

/* e^x for x <= 0 only; e^-87 = 1.6e-38 below -87, so that nothing is subnormal. One constant for log 2: its
   error grows with |x|, but stays a tenth of x's own rounding. */
WAL_HD float wal_exp_downf(float x) {
  const float c = x < -87.0f ? -87.0f : x, rounder = WAL_ROUNDERF + 127.0f;
  const float rounded = fmaf(c, 0x1.715476p+0f, rounder);
  const float r = fmaf(rounded - rounder, -0x1.62e430p-1f, c);
  float p = 0x1.68532cp-10f; /* e^r: 2^-28.0 */
  p = fmaf(p, r, 0x1.123bccp-7f);
  p = fmaf(p, r, 0x1.555b96p-5f);
  p = fmaf(p, r, 0x1.55548ep-3f);
  p = fmaf(p, r, 0x1.fffff8p-2f);
  p = fmaf(p, r, 1.0f);
  p = fmaf(p, r, 1.0f);
  return p * wal_from_bitsf(wal_bitsf(rounded) << 23);
}

/* softplus(z) from t = wal_exp_downf(-|z|), for values: 1.6e-38 below -87. Apart, so that a loop over either
   is short enough for its iterations to overlap. */
WAL_HD float wal_softplus_fromf(float z, float t) {
  float p = -0x1.a6f30ap-9f; /* log(1 + t) / t, t in [0, 1]: 2^-27.3 */
  p = fmaf(p, t, 0x1.443a38p-6f);
  p = fmaf(p, t, -0x1.d1f56ap-5f);
  p = fmaf(p, t, 0x1.b23326p-4f);
  p = fmaf(p, t, -0x1.39818cp-3f);
  p = fmaf(p, t, 0x1.9305f6p-3f);
  p = fmaf(p, t, -0x1.ff160ap-3f);
  p = fmaf(p, t, 0x1.554d22p-2f);
  p = fmaf(p, t, -0x1.ffffccp-2f);
  p = fmaf(p, t, 1.0f);
  return fmaf(t, p, z > 0.0f ? z : 0.0f);
}

WAL_HD float wal_softplus_valuef(float z) { return wal_softplus_fromf(z, wal_exp_downf(-fabsf(z))); }

/* -log u for u = near (upper 0) or u = 1 - near (upper 1), near in [2^-100, 1/2]: u's distance to the nearer
   end of [0, 1] is known to all its bits, and so is the logarithm. */
WAL_HD float wal_minus_log_unitf(float near, int upper) {
  const uint32_t bits = wal_bitsf(near);
  const float m = wal_from_bitsf((bits & 0x007fffffu) | 0x3f000000u); /* near = m 2^e, m in [1/2, 1) */
  const float e = (float)((int32_t)(bits >> 23) - 126);
  const float f = upper ? -near : m - 1.0f, k = upper ? 0.0f : e;
  float p = 0x1.629094p+0f; /* log(1 + f) / f, f in [-1/2, 0]: 2^-25.1 */
  p = fmaf(p, f, 0x1.9502e8p+0f);
  p = fmaf(p, f, 0x1.29daaep+0f);
  p = fmaf(p, f, 0x1.4d05f0p-3f);
  p = fmaf(p, f, 0x1.09dc10p-2f);
  p = fmaf(p, f, -0x1.f40990p-3f);
  p = fmaf(p, f, 0x1.559cd8p-2f);
  p = fmaf(p, f, -0x1.fffedep-2f);
  p = fmaf(p, f, 1.0f);
  return fmaf(k, -0x1.62e430p-1f, -f * p); /* two terms of one sign */
}

/* sin(pi y / 2) and cos(pi y / 2) for |y| <= 1, absolute errors below 3 2^-24. */
WAL_HD void wal_sincos_halff(float y, float *sine, float *cosine) {
  const float w = y * y;
  float s = 0x1.407faap-13f; /* sin(pi y / 2) / y: 2^-25.1 */
  s = fmaf(s, w, -0x1.328054p-8f);
  s = fmaf(s, w, 0x1.466b28p-4f);
  s = fmaf(s, w, -0x1.4abbd8p-1f);
  s = fmaf(s, w, 0x1.921fb6p+0f);
  float c = -0x1.8c0b50p-16f; /* cos(pi y / 2): 2^-29.7 */
  c = fmaf(c, w, 0x1.e0dbdep-11f);
  c = fmaf(c, w, -0x1.55ce5cp-6f);
  c = fmaf(c, w, 0x1.03c1d8p-2f);
  c = fmaf(c, w, -0x1.3bd3ccp+0f);
  c = fmaf(c, w, 1.0f);
  *sine = s * y;
  *cosine = c;
}

#endif
