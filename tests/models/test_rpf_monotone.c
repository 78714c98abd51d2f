/* The members of RPF-Net that share pooled entries, with networks far from 0: monotone in the own report,
   free of units, equivariant, and of the paper's family. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/rng.h"
#include "models/mechanism/mechanism.h"
#include "models/mechanism/pf.h"
#include "models/mechanism/pooled.h"
#include "tests/suite.h"

enum { K = 40, N = 4, M = 3, NM = N * M };

/* A network whose outputs vary: three times the initial weights. */
static wal_mechanism *make(const char *name, int n, int m) {
  wal_mechanism_options options = wal_mechanism_defaults();
  wal_mechanism *f = NULL;
  options.polish = true;
  options.seed = 9;
  ck_assert_int_eq(wal_mechanism_create(name, n, m, &options, &f), WAL_OK);
  const int64_t count = f->net->ops->parameter_count(f->net);
  float *p = calloc((size_t)count, sizeof *p);
  f->net->ops->get(f->net, 0, p);
  for (int64_t e = 0; e < count; e++) p[e] *= 3;
  f->net->ops->set(f->net, 0, p);
  free(p);
  return f;
}

static wal_owned_instances draw(int64_t count, int n, int m) {
  wal_law law = wal_law_default(n, m, 21);
  wal_owned_instances in;
  law.budget = 0.25;
  law.demanded = 0.8;
  ck_assert_int_eq(wal_instances_create(count, n, m, false, &in), WAL_OK);
  ck_assert_int_eq(wal_law_draw(&law, 0, &in), WAL_OK);
  return in;
}

static void allocate(const wal_mechanism *f, const wal_instances *in, double *a) {
  ck_assert_msg(wal_mechanism_allocate(f, in, a) == WAL_OK, "%s", wal_error());
}

static const char *const kinds[] = {"rpf_monotone", "rpf_equivariant", "rpf_separable"};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* Utilities under the reports are unique, allocations need not be. */
static void assert_same_utilities(const double *v, const double *a, const double *expected_v,
                                  const double *expected, int64_t rows, int m, double tol) {
  for (int64_t r = 0; r < rows; r++) {
    double u = 0, other = 0;
    for (int j = 0; j < m; j++)
      u += v[r * m + j] * a[r * m + j], other += expected_v[r * m + j] * expected[r * m + j];
    ck_assert_msg(fabs(u - other) <= tol * (1 + other), "agent %d: %.12g, expected %.12g", (int)r, u, other);
  }
}

START_TEST(scaling_the_values_changes_nothing) {
  for (int kind = 0; kind < KINDS; kind++) {
    wal_mechanism *f = make(kinds[kind], N, M);
    wal_owned_instances in = draw(K, N, M), scaled = draw(K, N, M);
    double *a = calloc(K * NM, sizeof *a), *b = calloc(K * NM, sizeof *b);
    for (int e = 0; e < K * NM; e++) scaled.v[e] *= e / M % 3 == 0 ? 1e-150 : e / M % 3 == 1 ? 1e150 : 8;
    allocate(f, &in.in, a);
    allocate(f, &scaled.in, b);
    assert_same_utilities(in.v, b, in.v, a, K * N, M, 1e-6);
    free(a), free(b);
    wal_instances_destroy(&in), wal_instances_destroy(&scaled);
    wal_mechanism_destroy(f);
  }
}
END_TEST

/* Agents turned by 1, resources by 2. */
static int turned(int e) { return (e / M + 1) % N * M + (e % M + 2) % M; }

START_TEST(permutations_permute) {
  for (int kind = 0; kind < KINDS; kind++) {
    wal_mechanism *f = make(kinds[kind], N, M);
    wal_owned_instances in = draw(K, N, M), other = draw(K, N, M);
    double *a = calloc(K * NM, sizeof *a), *b = calloc(K * NM, sizeof *b), *back = calloc(K * NM, sizeof *b);
    for (int k = 0; k < K; k++)
      for (int e = 0; e < NM; e++) {
        other.v[k * NM + turned(e)] = in.v[k * NM + e];
        other.x[k * NM + turned(e)] = in.x[k * NM + e];
      }
    allocate(f, &in.in, a);
    allocate(f, &other.in, b);
    for (int e = 0; e < K * NM; e++) back[e] = b[e / NM * NM + turned(e % NM)];
    assert_same_utilities(in.v, back, in.v, a, K * N, M, 1e-5);
    free(a), free(b), free(back);
    wal_instances_destroy(&in), wal_instances_destroy(&other);
    wal_mechanism_destroy(f);
  }
}
END_TEST

/* Takes the network's eyes from what the others would spend, so that the others' rows do not move with the
   values of one. */
static void blind(wal_mechanism *f) {
  static const int inputs[] = {WAL_POOLED_SPENT, WAL_POOLED_MEAN, WAL_POOLED_MOST, WAL_POOLED_SPENT_BESIDE};
  const int64_t count = f->net->ops->parameter_count(f->net);
  float *p = calloc((size_t)count, sizeof *p);
  f->net->ops->get(f->net, 0, p);
  for (int row = 0; row < 32; row++) /* the first layer's W [32, inputs] */
    for (int e = 0; e < 4; e++) p[row * WAL_POOLED_INPUTS + inputs[e]] = 0;
  f->net->ops->set(f->net, 0, p);
  free(p);
}

/* What agent 0 gets of resource 0 of two, the others' functions fixed, does not fall as it values it more. */
START_TEST(more_value_is_not_less_of_it) {
  enum { STEPS = 60 };
  wal_mechanism *f = make("rpf_monotone", 2, 2);
  blind(f);
  wal_owned_instances truth = draw(K, 2, 2), in = draw(STEPS, 2, 2);
  double *a = calloc(STEPS * 4, sizeof *a);
  int moved = 0;
  for (int k = 0; k < K; k++) {
    for (int s = 0; s < STEPS; s++) {
      memcpy(in.v + s * 4, truth.v + k * 4, 4 * sizeof *a);
      memcpy(in.x + s * 4, truth.x + k * 4, 4 * sizeof *a);
      in.v[s * 4] = 0.05 * pow(400, (double)s / (STEPS - 1));
    }
    allocate(f, &in.in, a);
    for (int s = 1; s < STEPS; s++)
      ck_assert_msg(a[s * 4] >= a[(s - 1) * 4] - 1e-6 || in.x[0] == 0, "instance %d, step %d: %g, then %g", k,
                    s, a[(s - 1) * 4], a[s * 4]);
    moved += a[(STEPS - 1) * 4] > a[0] + 1e-3;
  }
  ck_assert_int_ge(moved, K / 10);
  free(a);
  wal_instances_destroy(&truth), wal_instances_destroy(&in);
  wal_mechanism_destroy(f);
}
END_TEST

/* The inputs of an agent's rows do not know its values. */
START_TEST(inputs_do_not_know_the_own_values) {
  wal_owned_instances in = draw(K, N, M), lie = draw(K, N, M);
  static float rows[K * NM * WAL_POOLED_INPUTS], other[K * NM * WAL_POOLED_INPUTS];
  for (int k = 0; k < K; k++)
    for (int m = 0; m < M; m++)
      lie.v[(k * N + 1) * M + m] = wal_rng_uniform(3, WAL_STREAM_TEST, (uint64_t)(k * M + m));
  wal_pooled_encode(&in.in, WAL_POOLED_INPUTS, rows);
  wal_pooled_encode(&lie.in, WAL_POOLED_INPUTS, other);
  int differ = 0;
  for (int e = 0; e < K * NM * WAL_POOLED_INPUTS; e++) {
    const bool own = e / WAL_POOLED_INPUTS / M % N == 1;
    if (own) ck_assert_float_eq_tol(rows[e], other[e], 2e-6f);
    differ += fabsf(rows[e] - other[e]) > 1e-3f;
  }
  ck_assert_int_gt(differ, 0);
  wal_instances_destroy(&in), wal_instances_destroy(&lie);
}
END_TEST

/* Gradient of the pooled rows against differences. */
START_TEST(pooled_rows_are_differentiated) {
  enum { F = WAL_POOLED_INPUTS };
  wal_owned_instances in = draw(6, N, M);
  static float rows[6 * NM * F], drows[6 * NM * F];
  static double dv[6 * NM], dx[6 * NM];
  int wrong = 0, cases = 0;
  for (int e = 0; e < 6 * NM * F; e++) drows[e] = (float)wal_rng_normal(4, WAL_STREAM_TEST, (uint64_t)e);
  for (int e = 0; e < 6 * NM; e++) { /* as the network has it: nothing from entries that are not wanted */
    if (in.x[e] > 0) continue;
    for (int o = 0; o < F; o++) drows[e * F + o] = 0;
  }
  wal_pooled_vjp(&in.in, F, drows, dv, dx);
  for (int e = 0; e < 2 * 6 * NM; e++) {
    double *p = e < 6 * NM ? in.v + e : in.x + (e - 6 * NM), sum[2] = {0};
    const double at = *p, g = e < 6 * NM ? dv[e] : dx[e - 6 * NM], h = 1e-3;
    if (!(in.x[e % (6 * NM)] > 0)) continue;
    for (int side = 0; side < 2; side++) {
      *p = at + (side ? h : -h);
      wal_pooled_encode(&in.in, F, rows);
      for (int q = 0; q < 6 * NM * F; q++) sum[side] += (double)rows[q] * drows[q];
    }
    *p = at;
    cases++;
    wrong += fabs((sum[1] - sum[0]) / (2 * h) - g) > 0.02 * (fabs(g) + 0.5);
  }
  ck_assert_int_ge(cases, 80);
  ck_assert_msg(wrong <= cases / 20, "%d of %d are wrong", wrong, cases); /* the rest: kinks */
  wal_instances_destroy(&in);
}
END_TEST

/* Eq. 9 with z = v / u - v~ / u~: PF of the reports with that z is PF of the warped values. */
START_TEST(warped_values_are_a_regulariser) {
  wal_owned_instances in = draw(K, N, M), warped = draw(K, N, M);
  static double a[K * NM], again[K * NM], z[K * NM];
  for (int e = 0; e < K * NM; e++)
    warped.v[e] = in.v[e] * exp(wal_rng_normal(5, WAL_STREAM_TEST, (uint64_t)e));
  const wal_pf_options options = wal_pf_defaults();
  ck_assert_int_eq(wal_pf_solve(&warped.in, NULL, &options, &(wal_pf_solution){.a = a}), WAL_OK);
  for (int r = 0; r < K * N; r++) {
    double u = 0, u_warped = 0;
    for (int m = 0; m < M; m++)
      u += in.v[r * M + m] * a[r * M + m], u_warped += warped.v[r * M + m] * a[r * M + m];
    for (int m = 0; m < M; m++)
      z[r * M + m] = u > 0 ? in.v[r * M + m] / u - warped.v[r * M + m] / u_warped : 0;
  }
  ck_assert_int_eq(wal_pf_solve(&in.in, z, &options, &(wal_pf_solution){.a = again}), WAL_OK);
  assert_same_utilities(in.v, again, in.v, a, K * N, M, 1e-6);
  wal_instances_destroy(&in), wal_instances_destroy(&warped);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("rpf_monotone");
  TCase *tests = tcase_create("rpf_monotone");
  tcase_add_test(tests, scaling_the_values_changes_nothing);
  tcase_add_test(tests, permutations_permute);
  tcase_add_test(tests, more_value_is_not_less_of_it);
  tcase_add_test(tests, inputs_do_not_know_the_own_values);
  tcase_add_test(tests, pooled_rows_are_differentiated);
  tcase_add_test(tests, warped_values_are_a_regulariser);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
