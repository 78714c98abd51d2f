/* Contextual markets (marketfcnet, section C.2) one buyer at a time, as inline code that the CPU and CUDA
   compile alike. contexts.c does the same operations on vectors of buyers: the same bits. */
#ifndef WAL_MARKET_CONTEXT_MATH_H
#define WAL_MARKET_CONTEXT_MATH_H

#include "models/common/philox.h"

/* A buyer's context elements b[e * stride], e < d, of row `row`: elements row d + e of the stream. */
WAL_HD void wal_context_draw(wal_variate law, uint64_t seed, uint32_t stream, int64_t row, int d,
                             int64_t stride, double *b) {
  const uint64_t first = (uint64_t)row * (uint64_t)d, end = first + (uint64_t)d;
  for (uint64_t block = first / 2; 2 * block < end; block++) {
    double even, odd;
    wal_variate_elements(law, seed, stream, block, &even, &odd);
    if (2 * block >= first) b[(int64_t)(2 * block - first) * stride] = even;
    if (2 * block + 1 < end) b[(int64_t)(2 * block + 1 - first) * stride] = odd;
  }
}

WAL_HD void wal_context_draw32(wal_variate law, uint64_t seed, uint32_t stream, int64_t row, int d,
                               int64_t stride, float *b) {
  const uint64_t first = (uint64_t)row * (uint64_t)d, end = first + (uint64_t)d;
  for (uint64_t block = first / 2; 2 * block < end; block++) {
    float even, odd;
    wal_variate_elements32(law, seed, stream, block, &even, &odd);
    if (2 * block >= first) b[(int64_t)(2 * block - first) * stride] = even;
    if (2 * block + 1 < end) b[(int64_t)(2 * block + 1 - first) * stride] = odd;
  }
}

/* B = ||b||_2 of b[e * stride], e < d. */
WAL_HD double wal_context_budget(int d, int64_t stride, const double *b) {
  double sum = 0.0;
  for (int e = 0; e < d; e++) sum = fma(b[e * stride], b[e * stride], sum);
  return sqrt(sum);
}

WAL_HD float wal_context_budget32(int d, int64_t stride, const float *b) {
  float sum = 0.0f;
  for (int e = 0; e < d; e++) sum = fmaf(b[e * stride], b[e * stride], sum);
  return sqrtf(sum);
}

/* v = softplus(<b, g>) of b[e * stride] and one good's g[d]. */
WAL_HD double wal_context_value(int d, int64_t stride, const double *b, const double *g) {
  double z = 0.0;
  for (int e = 0; e < d; e++) z = fma(b[e * stride], g[e], z);
  return wal_softplus(z);
}

WAL_HD float wal_context_value32(int d, int64_t stride, const float *b, const float *g) {
  float z = 0.0f;
  for (int e = 0; e < d; e++) z = fmaf(b[e * stride], g[e], z);
  return wal_softplus_valuef(z);
}

#endif
