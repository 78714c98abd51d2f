/* Batches of instances, their solutions and random ones for the tests of models/mechanism/pf*. */
#ifndef WAL_TESTS_PF_FIXTURE_H
#define WAL_TESTS_PF_FIXTURE_H

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "models/common/rng.h"
#include "models/mechanism/pf.h"

/* Owns its arrays: K = in.count instances, z (0 where `regular` is false), a da and the solution. */
typedef struct {
  wal_owned_instances own;
  wal_instances in;
  const double *z_or_null;
  double *z, *da;
  wal_pf_solution out;
} test_pf;

static inline double *test_pf_zeros(int64_t count) {
  double *array = calloc((size_t)count + 1, sizeof *array);
  ck_assert_ptr_nonnull(array);
  return array;
}

static inline test_pf test_pf_create(int64_t count, int n, int m, bool regular) {
  const int64_t nm = (int64_t)n * m;
  test_pf t = {0};
  ck_assert_int_eq(wal_instances_create(count, n, m, true, &t.own), WAL_OK);
  t.in = t.own.in;
  t.z = test_pf_zeros(count * nm);
  t.da = test_pf_zeros(count * nm);
  t.z_or_null = regular ? t.z : NULL;
  t.out = (wal_pf_solution){.a = test_pf_zeros(count * nm),
                            .u = test_pf_zeros(count * n),
                            .lambda = test_pf_zeros(count * m),
                            .mu = test_pf_zeros(count * nm),
                            .nu = test_pf_zeros(count * nm),
                            .kkt = test_pf_zeros(count)};
  return t;
}

static inline void test_pf_destroy(test_pf *t) {
  wal_instances_destroy(&t->own);
  free(t->z), free(t->da);
  free(t->out.a), free(t->out.u), free(t->out.lambda);
  free(t->out.mu), free(t->out.nu), free(t->out.kkt);
}

/* How random instances are. */
typedef struct {
  int n, m;
  double budget;   /* of each resource, a share of N */
  double demanded; /* probability that a demand is not 0 */
  double z;        /* z ~ U(-z, z); 0: plain PF */
  double spread;   /* weights e^U(-spread, spread) */
  int grid;        /* > 0: values, demands and z are multiples of 1 / grid: ties */
} test_pf_law;

static inline double test_pf_uniform(uint64_t seed, uint64_t *k, double low, double high, int grid) {
  const double x = low + (high - low) * wal_rng_uniform(seed, WAL_STREAM_TEST, (*k)++);
  return grid > 0 ? ceil(x * grid) / grid : x;
}

static inline test_pf test_pf_random(test_pf_law law, int64_t count, uint64_t seed) {
  test_pf t = test_pf_create(count, law.n, law.m, law.z > 0);
  uint64_t k = 0;
  for (int64_t e = 0; e < count * law.n * law.m; e++) {
    t.own.v[e] = test_pf_uniform(seed, &k, 0.1, 1, law.grid);
    t.own.x[e] = test_pf_uniform(seed, &k, 0.1, 1, law.grid);
    if (test_pf_uniform(seed, &k, 0, 1, 0) > law.demanded) t.own.x[e] = 0;
    t.z[e] = law.z > 0 ? test_pf_uniform(seed, &k, -law.z, law.z, law.grid) : 0;
    t.da[e] = test_pf_uniform(seed, &k, -1, 1, 0);
  }
  for (int64_t e = 0; e < count * law.m; e++) t.own.b[e] = law.budget * law.n;
  for (int64_t e = 0; e < count * law.n; e++)
    t.own.w[e] = exp(test_pf_uniform(seed, &k, -law.spread, law.spread, 0));
  return t;
}

static inline void test_pf_solve(test_pf *t) {
  const wal_pf_options options = wal_pf_defaults();
  ck_assert_msg(wal_pf_solve(&t->in, t->z_or_null, &options, &t->out) == WAL_OK, "%s", wal_error());
}

#endif
