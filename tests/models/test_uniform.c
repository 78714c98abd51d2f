/* The uniform rule: its closed form by sorting, PF of one resource, that no lie gains, derivatives. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/rng.h"
#include "models/mechanism/attack.h"
#include "models/mechanism/pf.h"
#include "models/mechanism/uniform.h"
#include "tests/models/mechanism_fixture.h"
#include "tests/suite.h"

static double random_in(double lo, double hi, uint64_t at) {
  return lo + (hi - lo) * wal_rng_uniform(77, WAL_STREAM_TEST, at);
}

/* Weights of 0.5 to 2; budgets of some resources 0; some agents that want nothing of what they value, some
   that value nothing of what they want. */
static void make_uneven(wal_owned_instances *in) {
  const wal_instances *at = &in->in;
  for (int64_t r = 0; r < at->count * at->n; r++) {
    in->w[r] = r % 11 ? random_in(0.5, 2, (uint64_t)r) : 0;
    if (r % 7 == 0) in->v[r * at->m] = 0;
    if (r % 5 == 0) in->x[r * at->m + at->m - 1] *= 20; /* more than there is */
  }
  for (int64_t e = 0; e < at->count * at->m; e++) in->b[e] *= e % 13 ? random_in(0.2, 1.8, (uint64_t)e) : 0;
}

static wal_owned_instances draw_uneven(int64_t count, int n, int m) {
  wal_law law = wal_law_default(n, m, 3);
  wal_owned_instances in;
  law.budget = 0.2;
  ck_ok(wal_instances_create(count, n, m, true, &in));
  ck_ok(wal_law_draw(&law, 0, &in));
  make_uneven(&in);
  return in;
}

/* ---- the allocation ---- */

typedef struct {
  double ratio, demand, weight; /* ratio: of the two */
  int agent;
} claim;

static int by_ratio(const void *a, const void *b) {
  const double x = ((const claim *)a)->ratio, y = ((const claim *)b)->ratio;
  return (x > y) - (x < y);
}

/* Who asks for least per weight is served in full as long as it asks for less than its part of what is left;
   the others share that. */
static void by_sorting(const wal_instances *in, int64_t k, int j, double *a) {
  claim claims[16];
  int count = 0;
  double left = in->b[k * in->m + j];
  for (int i = 0; i < in->n; i++) {
    const int64_t e = (k * in->n + i) * in->m + j;
    const double w = in->w ? in->w[k * in->n + i] : 1;
    a[e] = 0;
    if (!(w > 0 && in->v[e] > 0 && in->x[e] > 0)) continue;
    claims[count++] = (claim){in->x[e] / w, in->x[e], w, i};
  }
  qsort(claims, (size_t)count, sizeof *claims, by_ratio);
  for (int c = 0; c < count; c++) {
    double weight = 0;
    for (int d = c; d < count; d++) weight += claims[d].weight;
    const double given = fmin(claims[c].demand, left * claims[c].weight / weight);
    a[(k * in->n + claims[c].agent) * in->m + j] = given;
    left -= given;
  }
}

START_TEST(it_is_the_closed_form) {
  static const int shapes[][2] = {{1, 1}, {2, 2}, {5, 3}, {12, 2}};
  enum { K = 150 };
  const int n = shapes[_i][0], m = shapes[_i][1];
  wal_owned_instances in = draw_uneven(K, n, m);
  double *a = calloc((size_t)(K * n * m), sizeof *a),
         *expected = calloc((size_t)(K * n * m), sizeof *expected);
  wal_mechanism *f = make_mechanism("uniform", n, m);
  for (int weights = 0; weights < 2; weights++) {
    int served = 0, cut = 0;
    wal_instances at = in.in;
    if (!weights) at.w = NULL;
    ck_ok(wal_mechanism_allocate(f, &at, a));
    for (int64_t k = 0; k < K; k++)
      for (int j = 0; j < m; j++) by_sorting(&at, k, j, expected);
    for (int e = 0; e < K * n * m; e++) {
      ck_assert_double_eq_tol(a[e], expected[e], 1e-13);
      served += a[e] > 0 && a[e] == in.x[e], cut += a[e] > 0 && a[e] < in.x[e];
    }
    ck_assert_int_gt(served, 0);
    ck_assert_int_gt(cut, 0);
  }
  free(a), free(expected);
  wal_mechanism_destroy(f);
  wal_instances_destroy(&in);
}
END_TEST

/* The level of an agent of weight 1e-140 is where nobody else looks for it. */
START_TEST(weights_of_all_sizes) {
  enum { K = 300, AGENTS = 5 };
  wal_owned_instances in = draw_uneven(K, AGENTS, 1);
  double a[K * AGENTS], expected[K * AGENTS];
  int cut = 0;
  wal_mechanism *f = make_mechanism("uniform", AGENTS, 1);
  for (int r = 0; r < K * AGENTS; r++) in.w[r] *= pow(10, floor(random_in(-140, 140, 5000 + (uint64_t)r)));
  ck_ok(wal_mechanism_allocate(f, &in.in, a));
  for (int k = 0; k < K; k++) by_sorting(&in.in, k, 0, expected);
  for (int r = 0; r < K * AGENTS; r++) {
    ck_assert_double_eq_tol(a[r], expected[r], 1e-13);
    cut += a[r] > 1e-3 && a[r] < in.x[r];
  }
  ck_assert_int_gt(cut, K / 2);
  wal_mechanism_destroy(f);
  wal_instances_destroy(&in);
}
END_TEST

START_TEST(one_resource_is_shared_as_by_pf) {
  enum { K = 100, N = 6 };
  wal_owned_instances in = draw_uneven(K, N, 1);
  double a[K * N], pf[K * N];
  const wal_pf_options options = wal_pf_defaults();
  wal_mechanism *f = make_mechanism("uniform", N, 1);
  ck_ok(wal_mechanism_allocate(f, &in.in, a));
  ck_ok(wal_pf_solve(&in.in, NULL, &options, &(wal_pf_solution){.a = pf}));
  for (int r = 0; r < K * N; r++) ck_assert_double_eq_tol(a[r], pf[r], 1e-9);
  wal_mechanism_destroy(f);
  wal_instances_destroy(&in);
}
END_TEST

/* ---- lies ---- */

/* Of values, of demands, of both; equal weights and others. The same search finds some under PF. */
START_TEST(no_lie_gains) {
  static const int shapes[][2] = {{2, 2}, {4, 3}, {10, 3}};
  static const wal_lie lies[] = {WAL_LIE_VALUES, WAL_LIE_DEMANDS, WAL_LIE_BOTH};
  enum { K = 12, AGENTS = 10 };
  const int n = shapes[_i][0], m = shapes[_i][1];
  wal_owned_instances in = draw_instances(K, n, m, 0.25, 5), uneven = draw_uneven(K, n, m);
  wal_mechanism *f = make_mechanism("uniform", n, m), *pf = make_mechanism("pf", n, m);
  wal_attack_options options = wal_attack_defaults("strong");
  double gain[K * AGENTS], most = 0;
  options.candidates = 120;
  options.refine = 4;
  for (int l = 0; l < 3; l++) {
    options.lie = lies[l];
    for (int odd = 0; odd < 2; odd++) {
      ck_ok(wal_attack(f, odd ? &uneven.in : &in.in, &options, &(wal_attack_result){.gain = gain}));
      for (int r = 0; r < K * n; r++) ck_assert_double_le(gain[r], 1e-13);
    }
  }
  ck_ok(wal_attack(pf, &in.in, &options, &(wal_attack_result){.gain = gain}));
  for (int r = 0; r < K * n; r++) most = fmax(most, gain[r]);
  ck_assert_double_gt(most, 1e-3);
  wal_mechanism_destroy(f), wal_mechanism_destroy(pf);
  wal_instances_destroy(&in), wal_instances_destroy(&uneven);
}
END_TEST

/* ---- offsets and derivatives ---- */

enum { N = 6, STRIDE = 2 };

/* One resource with offsets of either sign. */
typedef struct {
  double demand[N * STRIDE], offset[N * STRIDE], weight[N], budget;
} example;

static example make_example(int k) {
  example p = {.budget = random_in(0.1, 2, (uint64_t)(1000 * k + 999))};
  for (int i = 0; i < N; i++) {
    const uint64_t at = (uint64_t)(1000 * k + 10 * i);
    p.demand[i * STRIDE] = (i + k) % 5 ? random_in(0.1, 1, at) : 0;
    p.offset[i * STRIDE] = random_in(-1, 1, at + 1);
    p.weight[i] = random_in(0.5, 2, at + 2);
  }
  return p;
}

static wal_uniform resource_of(const example *p) {
  return (wal_uniform){N, STRIDE, p->budget, p->demand, p->weight};
}

/* By bisection on the level. */
static void by_bisection(const example *p, double *a) {
  double lo = -100, hi = 100, asked = 0;
  for (int i = 0; i < N; i++) asked += p->demand[i * STRIDE];
  for (int t = 0; t < 200; t++) {
    const double level = 0.5 * (lo + hi);
    double sum = 0;
    for (int i = 0; i < N; i++) {
      const double x = p->demand[i * STRIDE], y = p->weight[i] * level - p->offset[i * STRIDE];
      sum += a[i * STRIDE] = asked <= p->budget ? x : fmin(x, fmax(0, y));
    }
    *(sum < p->budget ? &lo : &hi) = level;
  }
}

START_TEST(offsets_shift_the_level) {
  int open = 0;
  for (int k = 0; k < 200; k++) {
    const example p = make_example(k);
    const wal_uniform r = resource_of(&p);
    double a[N * STRIDE], expected[N * STRIDE];
    wal_uniform_fill(&r, p.offset, a);
    by_bisection(&p, expected);
    for (int e = 0; e < N * STRIDE; e += STRIDE) {
      ck_assert_double_eq_tol(a[e], expected[e], 1e-13);
      open += a[e] > 0 && a[e] < p.demand[e];
    }
  }
  ck_assert_int_gt(open, 200);
}
END_TEST

static double pulled(const example *p, const double *da) {
  double a[N * STRIDE], sum = 0;
  const wal_uniform r = resource_of(p);
  wal_uniform_fill(&r, p->offset, a);
  for (int e = 0; e < N * STRIDE; e += STRIDE) sum += da[e] * a[e];
  return sum;
}

/* Piecewise linear: where both one-sided differences agree they are the derivative. */
static void compare(example *p, double *entry, const double *da, double found, int *tried) {
  const double h = 1e-6, kept = *entry, middle = pulled(p, da);
  *entry = kept + h;
  const double up = (pulled(p, da) - middle) / h;
  *entry = kept - h;
  const double down = (middle - pulled(p, da)) / h;
  *entry = kept;
  if (fabs(up - down) > 1e-7) return;
  ++*tried;
  ck_assert_double_eq_tol(found, up, 1e-7);
}

START_TEST(derivatives_are_differences) {
  int tried = 0;
  double da[N * STRIDE];
  for (int e = 0; e < N * STRIDE; e++) da[e] = cos(e);
  for (int k = 0; k < 200; k++) {
    example p = make_example(k);
    const wal_uniform r = resource_of(&p);
    double a[N * STRIDE], d_offset[N * STRIDE], d_demand[N * STRIDE];
    wal_uniform_fill(&r, p.offset, a);
    wal_uniform_vjp(&r, a, da, d_offset, d_demand);
    for (int e = 0; e < N * STRIDE; e += STRIDE) {
      if (p.demand[e] == 0) continue;
      compare(&p, p.offset + e, da, d_offset[e], &tried);
      compare(&p, p.demand + e, da, d_demand[e], &tried);
    }
  }
  ck_assert_int_gt(tried, 1800);
}
END_TEST

/* Values count for nothing, a demand for more than there is as one for all of it. */
START_TEST(what_is_not_read_has_no_derivative) {
  const double v[] = {1, 3, 2, 2}, x[] = {2.5, 0.5, 0.2, 1}, b[] = {1, 1}, da[] = {1, 2, 3, 4};
  const wal_instances in = {.count = 1, .n = 2, .m = 2, .v = v, .x = x, .b = b};
  wal_mechanism *f = make_mechanism("uniform", 2, 2);
  double a[4], dv[4], dx[4];
  ck_ok(wal_mechanism_allocate(f, &in, a));
  const double expected[] = {0.8, 0.5, 0.2, 0.5}; /* the second resource: at a kink, half each */
  for (int e = 0; e < 4; e++) ck_assert_double_eq_tol(a[e], expected[e], 1e-15);
  ck_ok(f->kind->vjp(f, &in, da, dv, dx));
  for (int e = 0; e < 4; e++) ck_assert_double_eq(dv[e], 0);
  ck_assert_double_eq(dx[0], 0);
  ck_assert_double_eq(dx[2], 3 - 1); /* what it takes more of the first the other one loses */
  ck_ok(f->kind->vjp(f, &in, da, NULL, NULL));
  wal_mechanism_destroy(f);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("uniform");
  TCase *tests = tcase_create("uniform");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, it_is_the_closed_form, 0, 4);
  tcase_add_test(tests, weights_of_all_sizes);
  tcase_add_test(tests, one_resource_is_shared_as_by_pf);
  tcase_add_loop_test(tests, no_lie_gains, 0, 3);
  tcase_add_test(tests, offsets_shift_the_level);
  tcase_add_test(tests, derivatives_are_differences);
  tcase_add_test(tests, what_is_not_read_has_no_derivative);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
