/* The separable member of RPF-Net at outputs where it is known: the uniform rule, and PF of one resource. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/mechanism/attack.h"
#include "models/mechanism/pf.h"
#include "tests/models/mechanism_fixture.h"
#include "tests/suite.h"

enum { OUTPUTS = 2 };

/* Its network gives (offset, gate) whatever it reads. */
static wal_mechanism *constant(int n, int m, float offset, float gate) {
  wal_mechanism *f = make_mechanism("rpf_separable", n, m);
  const int64_t count = f->net->ops->parameter_count(f->net);
  float *p = calloc((size_t)count, sizeof *p);
  p[count - 2] = offset;
  p[count - 1] = gate;
  ck_ok(f->net->ops->set(f->net, 0, p));
  free(p);
  return f;
}

enum { SHUT = -200 }; /* a gate that lets nothing pass */

/* Equal shares up to the demands, by bisection on the share. */
static void uniform_rule(int n, int m, const double *x, double b, double *a) {
  double asked = 0, lo = 0, hi = b;
  for (int i = 0; i < n; i++) asked += x[i * m];
  for (int t = 0; t < 200; t++) {
    const double share = 0.5 * (lo + hi);
    double sum = 0;
    for (int i = 0; i < n; i++) sum += fmin(x[i * m], share);
    *(sum < b ? &lo : &hi) = share;
  }
  for (int i = 0; i < n; i++) a[i * m] = asked <= b ? x[i * m] : fmin(x[i * m], lo);
}

START_TEST(without_offsets_it_is_the_uniform_rule) {
  enum { K = 100, N = 5, M = 3, NM = N * M };
  wal_owned_instances in = draw_instances(K, N, M, 0.15, 3);
  wal_mechanism *f = constant(N, M, 0, SHUT);
  static double a[K * NM], expected[K * NM];
  ck_ok(wal_mechanism_allocate(f, &in.in, a));
  int contested = 0;
  for (int k = 0; k < K; k++)
    for (int j = 0; j < M; j++) {
      uniform_rule(N, M, in.x + k * NM + j, in.b[k * M + j], expected + k * NM + j);
      for (int e = k * NM + j; e < (k + 1) * NM; e += M) contested += a[e] < in.x[e];
    }
  for (int e = 0; e < K * NM; e++) ck_assert_double_eq_tol(a[e], expected[e], 1e-12);
  ck_assert_int_ge(contested, K);
  wal_instances_destroy(&in);
  wal_mechanism_destroy(f);
}
END_TEST

/* Sprumont (1991): no lie about a peak gains; that of values is not read. */
START_TEST(no_lie_beats_the_uniform_rule) {
  static const int shapes[][2] = {{2, 2}, {4, 3}};
  enum { K = 12 };
  const int n = shapes[_i][0], m = shapes[_i][1];
  wal_owned_instances in = draw_instances(K, n, m, 0.3, 5);
  wal_mechanism *f = constant(n, m, 0, SHUT), *open = constant(n, m, 0, 0);
  wal_attack_options options = wal_attack_defaults("strong");
  options.candidates = 60;
  options.refine = 3;
  double gain[K * 4], sum = 0;
  ck_ok(wal_attack(f, &in.in, &options, &(wal_attack_result){.gain = gain}));
  for (int r = 0; r < K * n; r++) ck_assert_double_le(gain[r], 1e-12);
  ck_ok(wal_attack(open, &in.in, &options, &(wal_attack_result){.gain = gain}));
  for (int r = 0; r < K * n; r++) sum += gain[r]; /* the search can find something */
  ck_assert_double_gt(sum / (K * n), 1e-3);
  wal_instances_destroy(&in);
  wal_mechanism_destroy(f);
  wal_mechanism_destroy(open);
}
END_TEST

/* Only the first resource is contested; weights; nobody has more than 4 units elsewhere. */
START_TEST(one_contested_resource_is_shared_as_by_pf) {
  enum { K = 200, N = 4, M = 3, NM = N * M };
  wal_owned_instances in = draw_instances(K, N, M, 0.5, 8);
  static double w[K * N], a[K * NM], expected[K * NM];
  for (int r = 0; r < K * N; r++) w[r] = 0.5 + 0.25 * (r % 7);
  in.in.w = w;
  for (int k = 0; k < K; k++) {
    in.b[k * M] = 0.4;
    in.b[k * M + 1] = in.b[k * M + 2] = N;
    for (int i = 0; i < N; i++) { /* elsewhere at most 3 (0.1 + 0.1) = 0.6, a unit is 0.2 */
      double *x = in.x + k * NM + i * M, *v = in.v + k * NM + i * M;
      x[1] *= 0.1, x[2] *= 0.1;
      v[0] = 0.4 + 0.6 * v[0];
    }
  }
  wal_mechanism *f = constant(N, M, 0, 0);
  const wal_pf_options options = wal_pf_defaults();
  ck_ok(wal_mechanism_allocate(f, &in.in, a));
  ck_ok(wal_pf_solve(&in.in, NULL, &options, &(wal_pf_solution){.a = expected}));
  for (int e = 0; e < K * NM; e++) ck_assert_double_eq_tol(a[e], expected[e], 1e-9);
  wal_instances_destroy(&in);
  wal_mechanism_destroy(f);
}
END_TEST

/* Whoever has the least elsewhere is served first: offsets shift the level and nothing else. */
START_TEST(the_same_offset_for_all_changes_nothing) {
  enum { K = 50, N = 3, M = 2, NM = N * M };
  wal_owned_instances in = draw_instances(K, N, M, 0.2, 9);
  wal_mechanism *f = constant(N, M, 0, 1), *g = constant(N, M, 1.5f, 1);
  double a[K * NM], b[K * NM];
  ck_ok(wal_mechanism_allocate(f, &in.in, a));
  ck_ok(wal_mechanism_allocate(g, &in.in, b));
  for (int e = 0; e < K * NM; e++) ck_assert_double_eq_tol(a[e], b[e], 1e-12);
  wal_instances_destroy(&in);
  wal_mechanism_destroy(f);
  wal_mechanism_destroy(g);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("rpf_separable");
  TCase *tests = tcase_create("rpf_separable");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, without_offsets_it_is_the_uniform_rule);
  tcase_add_loop_test(tests, no_lie_beats_the_uniform_rule, 0, 2);
  tcase_add_test(tests, one_contested_resource_is_shared_as_by_pf);
  tcase_add_test(tests, the_same_offset_for_all_changes_nothing);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
