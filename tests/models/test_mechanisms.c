#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/mechanism/attack.h"
#include "tests/models/mechanism_fixture.h"
#include "tests/suite.h"

static const char *const plain[] = {"pf", "pa", "mixture", "clip", "vtheta", "uniform"};
enum { PLAIN = sizeof plain / sizeof *plain };

/* ---- PF and Figure 1 ---- */

/* True utility of agent 1 of Figure 1, v1 = (1, 1/2), when it reports (1, r); v2 = (1, 1/4), x = b = 1. */
static double figure1(double r) {
  const double v[4] = {1, r, 1, 0.25}, x[4] = {1, 1, 1, 1}, b[2] = {1, 1};
  const wal_instances in = {.count = 1, .n = 2, .m = 2, .v = v, .x = x, .b = b};
  wal_mechanism *f = make_mechanism("pf", 2, 2);
  double a[4];
  ck_ok(wal_mechanism_allocate(f, &in, a));
  wal_mechanism_destroy(f);
  return a[0] + 0.5 * a[1];
}

/* Above the other's ratio agent 1 has resource 2 and (1 - r)/2 of resource 1; below, 5/8 of resource 1. */
START_TEST(figure1_has_its_closed_form) {
  const double above[] = {0.2501, 0.3, 0.5, 0.75, 0.99}, below[] = {0.01, 0.1, 0.2, 0.2499};
  for (int k = 0; k < 5; k++) ck_assert_double_eq_tol(figure1(above[k]), 0.5 + (1 - above[k]) / 2, 1e-8);
  for (int k = 0; k < 4; k++) ck_assert_double_eq_tol(figure1(below[k]), 0.625, 1e-8);
  ck_assert_double_eq_tol(figure1(0.5), 0.75, 1e-8);
  ck_assert_double_eq_tol(figure1(0.25 * (1 + 1e-6)), 0.875, 1e-6);
}
END_TEST

START_TEST(figure1_is_what_the_attack_finds) {
  const double v[4] = {1, 0.5, 1, 0.25}, x[4] = {1, 1, 1, 1}, b[2] = {1, 1};
  const wal_instances in = {.count = 1, .n = 2, .m = 2, .v = v, .x = x, .b = b};
  const wal_attack_options options = wal_attack_defaults("strong");
  wal_mechanism *f = make_mechanism("pf", 2, 2);
  double gain[2];
  ck_ok(wal_attack(f, &in, &options, &(wal_attack_result){.gain = gain}));
  ck_assert_double_gt(gain[0], 0.125 - 1e-5);
  ck_assert_double_le(gain[0], 0.125);
  wal_mechanism_destroy(f);
}
END_TEST

/* ---- PA ---- */

/* One resource that three want: PF shares it by weight, and so it does without one of them. */
START_TEST(pa_has_its_closed_form) {
  const double v[3] = {0.3, 1, 0.7}, x[3] = {1, 1, 1}, b[1] = {1}, w[3] = {1, 2, 1};
  const wal_instances in = {.count = 1, .n = 3, .m = 1, .v = v, .x = x, .b = b};
  wal_instances weighted = in;
  weighted.w = w;
  wal_mechanism *f = make_mechanism("pa", 3, 1);
  double a[3];
  ck_ok(wal_mechanism_allocate(f, &in, a));
  for (int i = 0; i < 3; i++) ck_assert_double_eq_tol(a[i], 4.0 / 27, 1e-8); /* r = (2/3)^2 */
  ck_ok(wal_mechanism_allocate(f, &weighted, a));
  ck_assert_double_eq_tol(a[0], 0.25 * 0.421875, 1e-8); /* r = (3/4)^3 */
  ck_assert_double_eq_tol(a[1], 0.25, 1e-8);            /* r = (1/2 1/2)^(1/2) */
  ck_assert_double_eq_tol(a[2], 0.25 * 0.421875, 1e-8);
  wal_mechanism_destroy(f);
}
END_TEST

/* Appendix A from PF alone, in the plainest way, N = 4 and M = 3 with weights. */
START_TEST(pa_is_what_the_appendix_says) {
  enum { K = 30, N = 4, M = 3 };
  wal_owned_instances in = draw_instances(K, N, M, 0.2, 3);
  double w[K * N], a[K * N * M], pf_a[K * N * M], other[K * N * M], u[K * N], u_other[K * N];
  for (int r = 0; r < K * N; r++) w[r] = 1 + 0.5 * (r % 3);
  in.in.w = w;
  wal_mechanism *pa = make_mechanism("pa", N, M), *pf = make_mechanism("pf", N, M);
  ck_ok(wal_mechanism_allocate(pa, &in.in, a));
  ck_ok(wal_mechanism_allocate(pf, &in.in, pf_a));
  wal_utilities(&in.in, pf_a, u);
  for (int i = 0; i < N; i++) {
    double x[K * N * M];
    wal_instances without = in.in;
    memcpy(x, in.x, sizeof x);
    for (int k = 0; k < K; k++) memset(x + (k * N + i) * M, 0, M * sizeof *x);
    without.x = x;
    ck_ok(wal_mechanism_allocate(pf, &without, other));
    wal_utilities(&in.in, other, u_other);
    for (int k = 0; k < K; k++) {
      double r = 1;
      for (int j = 0; j < N; j++)
        if (j != i && u[k * N + j] > 0) r *= pow(u[k * N + j] / u_other[k * N + j], w[k * N + j]);
      r = pow(r, 1 / w[k * N + i]);
      for (int m = 0; m < M; m++) {
        const int e = (k * N + i) * M + m;
        ck_assert_double_eq_tol(a[e], r * pf_a[e], 1e-7);
      }
    }
  }
  wal_mechanism_destroy(pa);
  wal_mechanism_destroy(pf);
  wal_instances_destroy(&in);
}
END_TEST

static double mean_gain(const char *name, int n, int m, wal_lie lie, double *worst) {
  enum { K = 60 };
  wal_owned_instances in = draw_instances(K, n, m, 0.4, 5);
  wal_attack_options options = wal_attack_defaults("strong");
  options.lie = lie;
  options.candidates = 200;
  wal_mechanism *f = make_mechanism(name, n, m);
  double *gain = malloc((size_t)(K * n) * sizeof *gain), sum = 0;
  ck_ok(wal_attack(f, &in.in, &options, &(wal_attack_result){.gain = gain}));
  *worst = 0;
  for (int r = 0; r < K * n; r++) sum += gain[r], *worst = fmax(*worst, gain[r]);
  free(gain);
  wal_mechanism_destroy(f);
  wal_instances_destroy(&in);
  return sum / (K * n);
}

/* Incentive compatible as long as demands are told truly (Cole et al., Theorem 3.2), not beyond. */
START_TEST(pa_is_truthful_about_values_not_about_demands) {
  const int n[] = {2, 4}, m[] = {2, 3};
  double worst;
  mean_gain("pa", n[_i], m[_i], WAL_LIE_VALUES, &worst);
  ck_assert_double_le(worst, 1e-9);
  ck_assert_double_gt(mean_gain("pa", n[_i], m[_i], WAL_LIE_DEMANDS, &worst), 1e-3);
}
END_TEST

/* With one resource PF is the uniform rule, which no lie beats (Sprumont, 1991). */
START_TEST(one_resource_cannot_be_manipulated) {
  double worst;
  mean_gain("pf", 3, 1, WAL_LIE_BOTH, &worst);
  ck_assert_double_le(worst, 1e-9);
}
END_TEST

/* ---- the controls ---- */

static void same_allocation(wal_mechanism *f, const wal_instances *in, wal_mechanism *g,
                            const wal_instances *other, double tol) {
  const int64_t count = in->count * in->n * in->m;
  double *a = malloc((size_t)count * sizeof *a), *b = malloc((size_t)count * sizeof *b);
  ck_ok(wal_mechanism_allocate(f, in, a));
  ck_ok(wal_mechanism_allocate(g, other, b));
  for (int64_t e = 0; e < count; e++) ck_assert_double_eq_tol(a[e], b[e], tol);
  free(a);
  free(b);
}

START_TEST(controls_without_effect_are_pf) {
  wal_mechanism_options options = wal_mechanism_defaults();
  options.theta = 1;
  options.clip_one = options.clip_both = INFINITY;
  wal_owned_instances in = draw_instances(100, 4, 3, 0.2, 11);
  wal_mechanism *pf = make_mechanism("pf", 4, 3);
  for (int k = 0; k < 2; k++) {
    wal_mechanism *f = NULL;
    ck_ok(wal_mechanism_create(k ? "clip" : "vtheta", 4, 3, &options, &f));
    same_allocation(f, &in.in, pf, &in.in, 1e-6);
    wal_mechanism_destroy(f);
  }
  wal_mechanism_destroy(pf);
  wal_instances_destroy(&in);
}
END_TEST

/* The log ratio of two resources, clipped by hand as clip.c says. */
static void clip_by_hand(const wal_owned_instances *in, double one, double both, double *v) {
  for (int64_t k = 0; k < in->in.count; k++) {
    const double *x = in->x + 4 * k, *b = in->b + 2 * k;
    const bool scarce[2] = {x[0] + x[2] > b[0], x[1] + x[3] > b[1]};
    for (int i = 0; i < 2; i++) {
      const double *truth = in->v + 4 * k + 2 * i;
      double t = log(truth[0] / truth[1]);
      if (scarce[0] && scarce[1])
        t = fmin(fmax(t, -both), both);
      else if (scarce[0])
        t = fmin(t, one);
      else if (scarce[1])
        t = fmax(t, -one);
      v[4 * k + 2 * i] = exp(t / 2);
      v[4 * k + 2 * i + 1] = exp(-t / 2);
    }
  }
}

START_TEST(clip_clips_the_ratio) {
  enum { K = 200 };
  wal_owned_instances in = draw_instances(K, 2, 2, 0.35, 12);
  wal_mechanism *clip = make_mechanism("clip", 2, 2), *pf = make_mechanism("pf", 2, 2);
  double v[4 * K];
  wal_instances by_hand = in.in;
  clip_by_hand(&in, clip->options.clip_one, clip->options.clip_both, v);
  by_hand.v = v;
  same_allocation(clip, &in.in, pf, &by_hand, 1e-6);
  wal_mechanism_destroy(clip);
  wal_mechanism_destroy(pf);
  wal_instances_destroy(&in);
}
END_TEST

/* ---- all of them ---- */

static void assert_feasible(const wal_instances *in, const double *a, const char *who) {
  for (int64_t k = 0; k < in->count; k++)
    for (int m = 0; m < in->m; m++) {
      double used = 0;
      for (int i = 0; i < in->n; i++) {
        const int64_t e = (k * in->n + i) * in->m + m;
        ck_assert_msg(a[e] >= 0 && a[e] <= in->x[e] * (1 + 1e-9), "%s gives %g of %g", who, a[e], in->x[e]);
        used += a[e];
      }
      ck_assert_msg(used <= in->b[k * in->m + m] * (1 + 1e-9), "%s gives %.12g of %g", who, used,
                    in->b[k * in->m + m]);
    }
}

/* Values over many magnitudes, weights 0, agents without demand, resources without budget. */
static void make_extreme(wal_owned_instances *in) {
  const wal_instances *at = &in->in;
  for (int64_t r = 0; r < at->count * at->n; r++) {
    for (int m = 0; m < at->m; m++) in->v[r * at->m + m] *= pow(10, (double)((r * 37) % 9 - 4) * 25);
    in->w[r] = r % 5 ? 1 + (double)(r % 3) : 0;
  }
  for (int64_t e = 0; e < at->count * at->m; e++) in->b[e] *= e % 4 ? 1 : 0;
}

START_TEST(every_kind_is_feasible) {
  const int shapes[][2] = {{1, 1}, {1, 4}, {5, 1}, {2, 2}, {6, 3}};
  for (int s = 0; s < 5; s++)
    for (int extreme = 0; extreme < 2; extreme++) {
      const int n = shapes[s][0], m = shapes[s][1];
      wal_law law = wal_law_default(n, m, 21);
      law.budget = 0.25;
      wal_owned_instances in;
      ck_ok(wal_instances_create(100, n, m, true, &in));
      ck_ok(wal_law_draw(&law, 0, &in));
      if (extreme) make_extreme(&in);
      double *a = malloc((size_t)(100 * n * m) * sizeof *a);
      wal_mechanism *f = make_mechanism(plain[_i], n, m);
      ck_ok(wal_mechanism_allocate(f, &in.in, a));
      assert_feasible(&in.in, a, plain[_i]);
      wal_mechanism_destroy(f);
      free(a);
      wal_instances_destroy(&in);
    }
}
END_TEST

/* An instance's bits depend neither on its neighbours nor on the threads. */
START_TEST(every_kind_allocates_alone_as_in_company) {
  enum { K = 300, N = 3, M = 2 };
  wal_owned_instances in = draw_instances(K, N, M, 0.3, 31);
  wal_mechanism *f = make_mechanism(plain[_i], N, M);
  double all[K * N * M], one[N * M], again[K * N * M];
  const int threads = wal_threads();
  wal_threads_set(1);
  ck_ok(wal_mechanism_allocate(f, &in.in, all));
  wal_threads_set(8);
  ck_ok(wal_mechanism_allocate(f, &in.in, again));
  wal_threads_set(threads);
  ck_assert_mem_eq(all, again, sizeof all);
  for (int k = 0; k < K; k += 37) {
    const wal_instances part = wal_instances_part(&in.in, k, 1);
    ck_ok(wal_mechanism_allocate(f, &part, one));
    ck_assert_mem_eq(all + k * N * M, one, sizeof one);
  }
  wal_mechanism_destroy(f);
  wal_instances_destroy(&in);
}
END_TEST

/* The scale of an agent's values says nothing. */
START_TEST(every_kind_ignores_the_scale_of_values) {
  enum { K = 40, N = 3, M = 2 };
  wal_owned_instances in = draw_instances(K, N, M, 0.3, 41);
  double v[K * N * M];
  for (int e = 0; e < K * N * M; e++) v[e] = in.v[e] * (e / M % N == 1 ? 0x1p60 : 1);
  wal_instances scaled = in.in;
  scaled.v = v;
  wal_mechanism *f = make_mechanism(plain[_i], N, M);
  same_allocation(f, &in.in, f, &scaled, 1e-6);
  wal_mechanism_destroy(f);
  wal_instances_destroy(&in);
}
END_TEST

/* ---- derivatives ---- */

enum { DN = 3, DM = 3, DNM = DN * DM };

static double pulled(wal_mechanism *f, const wal_instances *in, const double *da) {
  double a[DNM], sum = 0;
  ck_ok(wal_mechanism_allocate(f, in, a));
  for (int e = 0; e < DNM; e++) sum += da[e] * a[e];
  return sum;
}

/* Central differences, at points where both one-sided ones agree (the others are kinks). */
static void compare_derivative(wal_mechanism *f, const wal_instances *in, double *entry, const double *da,
                               double found, int *tried, int *right) {
  const double at = *entry, h = 1e-5 * at, middle = pulled(f, in, da);
  *entry = at + h;
  const double up = (pulled(f, in, da) - middle) / h;
  *entry = at - h;
  const double down = (middle - pulled(f, in, da)) / h;
  *entry = at;
  if (fabs(up - down) > 1e-3 * (1 + fabs(up))) return;
  ++*tried;
  *right += fabs(found - (up + down) / 2) < 2e-3 * (1 + fabs(up));
}

START_TEST(derivatives_are_finite_differences) {
  const char *const kinds[] = {"pf", "vtheta", "clip", "uniform"};
  wal_owned_instances in = draw_instances(40, DN, DM, 0.3, 51);
  wal_mechanism *f = make_mechanism(kinds[_i], DN, DM);
  double dv[DNM], dx[DNM], da[DNM];
  int tried = 0, right = 0;
  for (int e = 0; e < DNM; e++) da[e] = cos(e);
  for (int k = 1; k < 40; k += 2)
    in.b[k * DM] = DN; /* what fits beside what does not: clip raises its value */
  for (int k = 0; k < 40; k++) {
    const wal_instances one = wal_instances_part(&in.in, k, 1);
    ck_ok(f->kind->vjp(f, &one, da, dv, dx));
    for (int e = 0; e < DNM; e++) {
      compare_derivative(f, &one, in.v + k * DNM + e, da, dv[e], &tried, &right);
      if (one.x[e] > 0) compare_derivative(f, &one, in.x + k * DNM + e, da, dx[e], &tried, &right);
    }
  }
  ck_assert_int_gt(tried, 400);
  ck_assert_msg(right >= tried * 0.999, "%d of %d derivatives of %s are right", right, tried, kinds[_i]);
  wal_mechanism_destroy(f);
  wal_instances_destroy(&in);
}
END_TEST

/* ---- lots ---- */

START_TEST(mixture_draws_from_pf_and_pa) {
  enum { K = 50, N = 2, M = 2 };
  wal_mechanism_options options = wal_mechanism_defaults();
  options.rho = 0.25;
  wal_owned_instances in = draw_instances(K, N, M, 0.5, 61);
  wal_mechanism *mixture = NULL;
  ck_ok(wal_mechanism_create("mixture", N, M, &options, &mixture));
  const wal_mechanism *part[WAL_LOTS];
  double probability[WAL_LOTS], mean[K * N * M], a[2][K * N * M];
  ck_assert_int_eq(wal_mechanism_lots(mixture, part, probability), 2);
  ck_assert_str_eq(part[0]->kind->name, "pf");
  ck_assert_str_eq(part[1]->kind->name, "pa");
  ck_assert_double_eq(probability[0], 0.25);
  ck_assert_double_eq(probability[0] + probability[1], 1);
  ck_ok(wal_mechanism_allocate(mixture, &in.in, mean));
  for (int p = 0; p < 2; p++) ck_ok(wal_mechanism_allocate(part[p], &in.in, a[p]));
  for (int e = 0; e < K * N * M; e++)
    ck_assert_double_eq_tol(mean[e], 0.25 * a[0][e] + 0.75 * a[1][e], 1e-12);
  wal_mechanism_destroy(mixture);
  wal_instances_destroy(&in);
}
END_TEST

START_TEST(wrong_options_are_named) {
  wal_mechanism_options options = wal_mechanism_defaults();
  wal_mechanism *f = NULL;
  options.rho = 1.5;
  options.theta = -1;
  options.clip_one = NAN;
  ck_assert_int_eq(wal_mechanism_create("mixture", 2, 2, &options, &f), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), "rho is 1.5"));
  ck_assert_int_eq(wal_mechanism_create("vtheta", 2, 2, &options, &f), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), "theta is -1"));
  ck_assert_int_eq(wal_mechanism_create("clip", 2, 2, &options, &f), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), "clip_one is nan"));
  ck_assert_int_eq(wal_mechanism_create("nothing", 2, 2, NULL, &f), WAL_E_INPUT);
  ck_assert_ptr_null(f);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("mechanisms");
  TCase *cases = tcase_create("mechanisms");
  tcase_set_timeout(cases, 120);
  tcase_add_test(cases, figure1_has_its_closed_form);
  tcase_add_test(cases, figure1_is_what_the_attack_finds);
  tcase_add_test(cases, pa_has_its_closed_form);
  tcase_add_test(cases, pa_is_what_the_appendix_says);
  tcase_add_loop_test(cases, pa_is_truthful_about_values_not_about_demands, 0, 2);
  tcase_add_test(cases, one_resource_cannot_be_manipulated);
  tcase_add_test(cases, controls_without_effect_are_pf);
  tcase_add_test(cases, clip_clips_the_ratio);
  tcase_add_loop_test(cases, every_kind_is_feasible, 0, PLAIN);
  tcase_add_loop_test(cases, every_kind_allocates_alone_as_in_company, 0, PLAIN);
  tcase_add_loop_test(cases, every_kind_ignores_the_scale_of_values, 0, PLAIN);
  tcase_add_loop_test(cases, derivatives_are_finite_differences, 0, 4);
  tcase_add_test(cases, mixture_draws_from_pf_and_pa);
  tcase_add_test(cases, wrong_options_are_named);
  suite_add_tcase(suite, cases);
  return run_suite(suite);
}
