#include <check.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "models/mechanism/attack.h"
#include "tests/models/mechanism_fixture.h"
#include "tests/suite.h"

enum { N = 3, M = 2, NM = N * M, K = 4000, BINS = 20 };

static wal_owned_instances draw(const wal_law *law, int64_t first, int64_t count) {
  wal_owned_instances out;
  ck_ok(wal_instances_create(count, law->n, law->m, false, &out));
  ck_ok(wal_law_draw(law, first, &out));
  return out;
}

/* p-value of counts that should be equal. */
static double even_p(const int *counts, int bins) {
  double total = 0, sum = 0;
  for (int b = 0; b < bins; b++) total += counts[b];
  for (int b = 0; b < bins; b++)
    sum += (counts[b] - total / bins) * (counts[b] - total / bins) * bins / total;
  return gsl_cdf_chisq_Q(sum, bins - 1);
}

static int bin_of(double share) { return (int)fmin(fmax(share * BINS, 0), BINS - 1); }

START_TEST(uniform_has_its_frequencies) {
  const wal_law law = wal_law_default(N, M, 5);
  wal_owned_instances in = draw(&law, 0, K);
  int values[BINS] = {0}, demands[BINS] = {0}, demanded = 0;
  for (int e = 0; e < K * NM; e++) {
    ck_assert(in.v[e] >= 0.1 && in.v[e] <= 1);
    values[bin_of((in.v[e] - 0.1) / 0.9)]++;
    if (in.x[e] == 0) continue;
    ck_assert(in.x[e] >= 0.1 && in.x[e] <= 1);
    demands[bin_of((in.x[e] - 0.1) / 0.9)]++;
    demanded++;
  }
  ck_assert_double_gt(even_p(values, BINS), 1e-4);
  ck_assert_double_gt(even_p(demands, BINS), 1e-4);
  const double p = gsl_cdf_binomial_P((unsigned)demanded, 0.5, K * NM);
  ck_assert(p > 1e-4 && p < 1 - 1e-4);
  for (int e = 0; e < K * M; e++) ck_assert_double_eq(in.b[e], 1.5); /* N / 2 */
  wal_instances_destroy(&in);
}
END_TEST

/* The noise of (18) is the difference to (17) with the same seed, where the projection has not cut it off:
   Cauchy(0, 0.01) given that it is small. */
START_TEST(perturbed_has_cauchy_noise) {
  wal_law law = wal_law_default(N, M, 5);
  wal_owned_instances plain = draw(&law, 0, K);
  law.kind = WAL_LAW_PERTURBED;
  wal_owned_instances noisy = draw(&law, 0, K);
  const double edge = 0.25, lowest = gsl_cdf_cauchy_P(-edge, 0.01), width = 1 - 2 * lowest;
  for (int which = 0; which < 2; which++) { /* values, demands */
    const double *before = which ? plain.x : plain.v, *after = which ? noisy.x : noisy.v;
    int counts[BINS] = {0}, outside = 0, lowered = 0, raised = 0;
    for (int e = 0; e < K * NM; e++) {
      ck_assert((after[e] == 0) == (before[e] == 0));
      if (before[e] == 0) continue;
      ck_assert(after[e] >= 0.1 && after[e] <= 1);
      lowered += after[e] == 0.1, raised += after[e] == 1; /* projected */
      if (before[e] < 0.1 + edge || before[e] > 1 - edge) continue;
      const double noise = after[e] - before[e];
      if (fabs(noise) > edge)
        outside++;
      else
        counts[bin_of((gsl_cdf_cauchy_P(noise, 0.01) - lowest) / width)]++;
    }
    ck_assert_double_gt(even_p(counts, BINS), 1e-4);
    ck_assert_int_gt(outside, 20); /* heavy tails */
    ck_assert_int_gt(lowered, 20);
    ck_assert_int_gt(raised, 20);
  }
  wal_instances_destroy(&plain);
  wal_instances_destroy(&noisy);
}
END_TEST

/* Instance k has the same bits in any batch, on any number of threads. */
START_TEST(an_instance_is_a_function_of_its_number) {
  wal_law law = wal_law_default(N, M, 7);
  law.kind = (wal_law_kind)_i;
  const int64_t count = _i == WAL_LAW_ADVERSARIAL ? 150 : 2500, first = count / 2;
  const int threads = wal_threads();
  wal_threads_set(1);
  wal_owned_instances all = draw(&law, 0, count);
  wal_threads_set(8);
  wal_owned_instances part = draw(&law, first, 20);
  wal_threads_set(threads);
  ck_assert_mem_eq(all.v + first * NM, part.v, 20 * NM * sizeof *part.v);
  ck_assert_mem_eq(all.x + first * NM, part.x, 20 * NM * sizeof *part.x);
  wal_instances_destroy(&all);
  wal_instances_destroy(&part);
}
END_TEST

START_TEST(training_and_held_out_differ) {
  wal_law law = wal_law_default(N, M, 7);
  wal_owned_instances held_out = draw(&law, 0, 200);
  law.stream = WAL_STREAM_TRAINING;
  wal_owned_instances training = draw(&law, 0, 200);
  for (int e = 0; e < 200 * NM; e++)
    for (int d = 0; d < NM; d++) ck_assert_double_ne(held_out.v[e], training.v[(e + d) % (200 * NM)]);
  wal_instances_destroy(&held_out);
  wal_instances_destroy(&training);
}
END_TEST

/* (19): everybody demands everything in truth and reports what serves it best under PF against the truth. */
START_TEST(adversarial_reports_pay) {
  enum { COUNT = 60 };
  wal_law law = wal_law_default(N, M, 9);
  law.demanded = 1;
  law.budget = 0.4;
  wal_owned_instances truth = draw(&law, 0, COUNT);
  law.demanded = 0.5; /* does not count */
  law.kind = WAL_LAW_ADVERSARIAL;
  wal_owned_instances lies = draw(&law, 0, COUNT);
  wal_mechanism_options to_tolerance = wal_mechanism_defaults();
  to_tolerance.polish = false; /* as the law has it */
  wal_mechanism *pf = NULL;
  ck_ok(wal_mechanism_create("pf", N, M, &to_tolerance, &pf));
  wal_attack_options options = wal_attack_defaults("candidates");
  options.candidates = 100; /* as the law has it */
  double gain[COUNT * N], v[COUNT * NM], x[COUNT * NM], a[COUNT * NM], u[COUNT * N], u_lie[COUNT * N];
  ck_ok(wal_attack(pf, &truth.in, &options, &(wal_attack_result){.gain = gain}));
  ck_ok(wal_mechanism_allocate(pf, &truth.in, a));
  wal_utilities(&truth.in, a, u);
  int liars = 0;
  for (int i = 0; i < N; i++) { /* all agents i lie alone */
    memcpy(v, truth.v, sizeof v);
    memcpy(x, truth.x, sizeof x);
    for (int e = 0; e < COUNT * NM; e++)
      if (e / M % N == i) v[e] = lies.v[e], x[e] = lies.x[e];
    wal_instances reports = truth.in;
    reports.v = v;
    reports.x = x;
    ck_ok(wal_mechanism_allocate(pf, &reports, a));
    wal_utilities(&truth.in, a, u_lie);
    for (int k = 0; k < COUNT; k++) {
      const int r = k * N + i;
      ck_assert_double_eq_tol(u_lie[r] - u[r], gain[r], 1e-12);
      if (gain[r] == 0) ck_assert_mem_eq(lies.v + r * M, truth.v + r * M, M * sizeof *lies.v);
      liars += gain[r] > 1e-3;
    }
  }
  ck_assert_int_gt(liars, COUNT / 4);
  wal_mechanism_destroy(pf);
  wal_instances_destroy(&truth);
  wal_instances_destroy(&lies);
}
END_TEST

START_TEST(laws_have_names) {
  wal_law_kind kind;
  ck_ok(wal_law_parse("perturbed", &kind));
  ck_assert_int_eq(kind, WAL_LAW_PERTURBED);
  ck_ok(wal_law_parse("adversarial", &kind));
  ck_assert_int_eq(kind, WAL_LAW_ADVERSARIAL);
  ck_assert_int_eq(wal_law_parse("normal", &kind), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), "expected uniform, perturbed or adversarial"));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("law");
  TCase *cases = tcase_create("law");
  tcase_set_timeout(cases, 120);
  tcase_add_test(cases, uniform_has_its_frequencies);
  tcase_add_test(cases, perturbed_has_cauchy_noise);
  tcase_add_loop_test(cases, an_instance_is_a_function_of_its_number, 0, 3);
  tcase_add_test(cases, training_and_held_out_differ);
  tcase_add_test(cases, adversarial_reports_pay);
  tcase_add_test(cases, laws_have_names);
  suite_add_tcase(suite, cases);
  return run_suite(suite);
}
