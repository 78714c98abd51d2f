/* Small random markets for the tests of models/market. */
#ifndef WAL_TESTS_MARKET_FIXTURE_H
#define WAL_TESTS_MARKET_FIXTURE_H

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/common/rng.h"
#include "models/market/market.h"

typedef struct {
  double *values, *budget, *supply; /* [n, m], [n], [m] */
  wal_source *source;
  wal_market market;
} test_market;

/* Values e^N(0, spread^2), budgets e^N(0, 1), supplies e^N(0, 1). */
static inline test_market test_market_create(uint64_t seed, int n, int m, double alpha, double spread) {
  test_market t;
  t.values = malloc((size_t)(n * m) * sizeof(double));
  t.budget = malloc((size_t)n * sizeof(double));
  t.supply = malloc((size_t)m * sizeof(double));
  uint64_t k = 0;
  for (int i = 0; i < n * m; i++) t.values[i] = exp(spread * wal_rng_normal(seed, WAL_STREAM_TEST, k++));
  for (int i = 0; i < n; i++) t.budget[i] = exp(wal_rng_normal(seed, WAL_STREAM_TEST, k++));
  for (int j = 0; j < m; j++) t.supply[j] = exp(wal_rng_normal(seed, WAL_STREAM_TEST, k++));
  ck_assert_int_eq(wal_source_dense(n, m, t.values, t.budget, &t.source), WAL_OK);
  t.market = (wal_market){.n = n, .m = m, .alpha = alpha, .buyers = t.source, .supply = t.supply};
  return t;
}

static inline void test_market_destroy(test_market *t) {
  wal_source_destroy(t->source);
  free(t->values);
  free(t->budget);
  free(t->supply);
}

#endif
