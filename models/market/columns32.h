/* Sums over a buyer's columns in float32, many buyers at a time. Private to models/market. */
#ifndef WAL_MARKET_COLUMNS32_H
#define WAL_MARKET_COLUMNS32_H

#include <math.h>
#include <string.h>

/* sum_t = sum_e b[e * stride + t] w[e], w NULL: of squares, for t < count, count rounded up to
   COLUMNS32_PACK: b and sum have room for it. Four vectors of 16 at a time stay in registers. */
enum { COLUMNS32_PACK = 64 };
static inline void wal_columns32_dot(int count, int d, int stride, const float *b, const float *w,
                                     float *sum) {
  for (int t = 0; t < count; t += COLUMNS32_PACK) {
    float part[COLUMNS32_PACK] = {0.0f};
    for (int e = 0; e < d; e++)
      for (int l = 0; l < COLUMNS32_PACK; l++) {
        const float x = b[e * stride + t + l];
        part[l] = fmaf(x, w ? w[e] : x, part[l]);
      }
    memcpy(sum + t, part, sizeof part);
  }
}

#endif
