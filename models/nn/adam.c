#include "models/nn/adam.h"

#include "models/nn/adam_element.h"

void wal_adam_step(int64_t count, int64_t t, float lr, const float *restrict g, float *restrict m,
                   float *restrict v, float *restrict p) {
  const wal_adam_factors factors = wal_adam_correct(t, lr);
  for (int64_t i = 0; i < count; i++) wal_adam_element(factors, g[i], m + i, v + i, p + i);
}
