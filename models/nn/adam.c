#include "models/nn/adam.h"

#include <math.h>

void wal_adam_step(int64_t count, int64_t t, float lr, const float *restrict g, float *restrict m,
                   float *restrict v, float *restrict p) {
  const float b1 = 0.9f, b2 = 0.999f, eps = 1e-8f;
  const float rate = (float)(lr / (1 - pow(0.9, (double)t)));       /* corrects the bias of m */
  const float scale = (float)(1 / sqrt(1 - pow(0.999, (double)t))); /* and of v */
  for (int64_t i = 0; i < count; i++) {
    m[i] = b1 * m[i] + (1 - b1) * g[i];
    v[i] = b2 * v[i] + (1 - b2) * (g[i] * g[i]);
    p[i] -= rate * m[i] / (sqrtf(v[i]) * scale + eps);
  }
}
