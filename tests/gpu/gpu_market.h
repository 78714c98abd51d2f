/* Small markets for the tests of gpu/market, and what of them runs on the device. */
#ifndef WAL_TESTS_GPU_MARKET_H
#define WAL_TESTS_GPU_MARKET_H

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "gpu/cuda.h"
#include "gpu/market/inspect.h"
#include "models/common/rng.h"
#include "models/market/market.h"

typedef struct {
  double *values, *budget, *supply; /* [n, m], [n], [m] */
  wal_source *source;
  wal_market market;
} gpu_market;

/* Values e^N(0, 1), every `zeros`-th 0 (0: none; never a buyer's only good), budgets e^N(0, 1), supplies
 * e^N(0, 1). */
static inline gpu_market gpu_market_create(int n, int m, double alpha, int zeros) {
  gpu_market t;
  uint64_t k = 0;
  t.values = malloc((size_t)(n * m) * sizeof(double));
  t.budget = malloc((size_t)n * sizeof(double));
  t.supply = malloc((size_t)m * sizeof(double));
  for (int i = 0; i < n * m; i++, k++)
    t.values[i] = zeros && m > 1 && i % zeros == 1 ? 0 : exp(wal_rng_normal(5, WAL_STREAM_TEST, k));
  for (int i = 0; i < n; i++) t.budget[i] = exp(wal_rng_normal(5, WAL_STREAM_TEST, k++));
  for (int j = 0; j < m; j++) t.supply[j] = exp(wal_rng_normal(5, WAL_STREAM_TEST, k++));
  ck_assert_int_eq(wal_source_dense(n, m, t.values, t.budget, &t.source), WAL_OK);
  t.market = (wal_market){.n = n, .m = m, .alpha = alpha, .buyers = t.source, .supply = t.supply};
  return t;
}

static inline void gpu_market_destroy(gpu_market *t) {
  wal_source_destroy(t->source);
  free(t->values);
  free(t->budget);
  free(t->supply);
}

/* What is made from here on is made on the device, or on the CPU again. */
static inline void on_device(bool yes) { wal_device_use(yes ? &wal_device_cuda : &wal_device_cpu); }

#endif
