/* Proportional fairness on the device, against the CPU's member, the certificate recomputed from the answer,
   and differences of solutions. */
#include <pthread.h>
#include <string.h>

#include "gpu/mechanism/pf.h"
#include "tests/gpu/gpu_suite.h"
#include "tests/models/pf_fixture.h"

/* From one lane's instance to a block's: 3 x 7 is wider than tall, 40 x 5 takes a whole warp, 50 x 10 a
 * block. */
static const test_pf_law laws[] = {
    {1, 1, 0.5, 1, 0, 0, 0},      {1, 6, 0.5, 0.8, 2, 0, 0},    {2, 2, 0.5, 1, 0.5, 0, 0},
    {3, 7, 0.15, 0.7, 0, 2, 0},   {10, 3, 0.25, 0.5, 1, 1, 0},  {10, 3, 0.1, 1, 0, 0, 0},
    {9, 1, 0.2, 0.8, 0.5, 1, 0},  {40, 5, 0.1, 0.7, 0.3, 0, 0}, {50, 10, 0.1, 0.5, 0, 1, 0},
    {2, 2, 0.5, 1, 0, 0, 3},      {3, 3, 0.3, 0.7, 1, 0, 4},    {10, 3, 0.25, 0.5, 0, 0, 3},
    {2, 40, 0.3, 0.7, 0.1, 0, 0}, {10, 3, 0.5, 0.5, 0.2, 0, 0}, {6, 4, 2, 0.8, 1, 1, 0},
};
enum { LAWS = sizeof laws / sizeof *laws };

static bool has_ties(test_pf_law law) { return law.grid > 0; }

/* Every tenth number 0, in demands, budgets, weights and values: agents without a part, resources of no use.
 */
static void punch_holes(test_pf *t, uint64_t seed) {
  const int64_t count = t->in.count, n = t->in.n, m = t->in.m;
  double *const arrays[] = {t->own.v, t->own.x, t->own.b, t->own.w};
  const int64_t sizes[] = {count * n * m, count * n * m, count * m, count * n};
  uint64_t k = 0;
  for (int which = 0; which < 4; which++)
    for (int64_t e = 0; e < sizes[which]; e++)
      if (test_pf_uniform(seed, &k, 0, 1, 0) < 0.1) arrays[which][e] = 0;
}

static test_pf instances(test_pf_law law, int64_t count, bool holes) {
  test_pf t = test_pf_random(law, count, 11);
  if (holes) punch_holes(&t, 12);
  return t;
}

static void solve_there(test_pf *t, bool polish, wal_pf_solution out) {
  wal_pf_options options = wal_pf_defaults();
  options.polish = polish;
  ck_assert_msg(wal_pf_cuda.solve(&t->in, t->z_or_null, &options, &out) == WAL_OK, "%s", wal_error());
}

/* Utilities as the CPU has them polished; a certificate that the header's formula confirms. */
static void check_against_cpu(test_pf *t, bool polish, double within) {
  const int64_t count = t->in.count, cells = count * t->in.n * t->in.m, agents = count * t->in.n;
  double *u = test_pf_zeros(agents), *kkt = test_pf_zeros(count);
  test_pf_solve(t); /* the CPU's */
  memcpy(u, t->out.u, (size_t)agents * sizeof *u);
  solve_there(t, polish, t->out);
  wal_pf_kkt(&t->in, t->z_or_null, &t->out, kkt);
  for (int64_t r = 0; r < agents; r++) ck_assert_double_eq_tol(t->out.u[r], u[r], within);
  for (int64_t k = 0; k < count; k++) {
    ck_assert_double_le(kkt[k], polish ? 1e-9 : 1e-7);
    ck_assert_double_eq_tol(kkt[k], t->out.kkt[k], 1e-14);
  }
  for (int64_t e = 0; e < cells; e++) ck_assert(t->out.a[e] >= 0 && t->out.a[e] <= t->own.x[e]);
  free(u), free(kkt);
}

static int64_t batch_of(test_pf_law law) { return law.n * law.m > 100 ? 3 : 21; }

START_TEST(agrees_with_the_cpu) {
  const test_pf_law law = laws[_i / 4];
  const int64_t count = batch_of(law), before = wal_pf_cuda_left();
  test_pf t = instances(law, count, _i / 2 % 2);
  /* Where an amount just meets its bound, a product of tol lets both sides be as large as its root. */
  check_against_cpu(&t, _i % 2, _i % 2 ? 1e-8 : has_ties(law) ? 2e-4 : 2e-6);
  if (!has_ties(law)) ck_assert_int_le(wal_pf_cuda_left() - before, 1); /* the device did it */
  test_pf_destroy(&t);
}
END_TEST

/* Values and demands over twelve orders: what the device does not certify the CPU does. */
START_TEST(certified_at_the_ends_of_the_range) {
  const test_pf_law law = laws[_i];
  const int64_t count = law.n * law.m > 100 ? 2 : 16, cells = count * law.n * law.m;
  test_pf t = test_pf_random(law, count, 11);
  uint64_t k = 0;
  for (int64_t e = 0; e < cells; e++) {
    t.own.v[e] = pow(10, test_pf_uniform(13, &k, -6, 6, 0));
    t.own.x[e] *= pow(10, test_pf_uniform(13, &k, -6, 6, 0));
  }
  double *u = test_pf_zeros(count * law.n), *kkt = test_pf_zeros(count);
  test_pf_solve(&t);
  memcpy(u, t.out.u, (size_t)(count * law.n) * sizeof *u);
  solve_there(&t, true, t.out);
  wal_pf_kkt(&t.in, t.z_or_null, &t.out, kkt);
  for (int64_t i = 0; i < count; i++) ck_assert_double_le(kkt[i], 1e-9);
  for (int64_t r = 0; r < count * law.n; r++) ck_assert_double_le(fabs(t.out.u[r] - u[r]), 1e-8 * u[r]);
  free(u), free(kkt);
  test_pf_destroy(&t);
}
END_TEST

/* Prices alone, without a certificate: what comes with one, to the bit. */
START_TEST(prices_without_a_certificate) {
  const test_pf_law law = laws[_i];
  const int64_t count = batch_of(law);
  test_pf t = instances(law, count, false);
  double *lambda = test_pf_zeros(count * law.m);
  solve_there(&t, false, t.out);
  solve_there(&t, false, (wal_pf_solution){.lambda = lambda});
  ck_assert_mem_eq(lambda, t.out.lambda, (size_t)(count * law.m) * sizeof *lambda);
  free(lambda);
  test_pf_destroy(&t);
}
END_TEST

/* Figure 1 of rpfnet at the truth. */
START_TEST(figure_one) {
  test_pf t = test_pf_create(1, 2, 2, false);
  memcpy(t.own.v, (double[]){1, 0.5, 1, 0.25}, 4 * sizeof(double));
  for (int e = 0; e < 4; e++) t.own.x[e] = t.own.b[e / 2] = t.own.w[e / 2] = 1;
  const double a[] = {0.25, 1, 0.75, 0};
  solve_there(&t, true, t.out);
  for (int e = 0; e < 4; e++) ck_assert_double_eq_tol(t.out.a[e], a[e], 1e-9);
  ck_assert_double_eq_tol(t.out.lambda[0], 4.0 / 3, 1e-9);
  test_pf_destroy(&t);
}
END_TEST

/* ---- derivatives ---- */

/* Of one batch: dv, dx, dz, db, dw one after the other. */
typedef struct {
  double *numbers;
  wal_pf_gradient out;
  int64_t count;
} gradient;

static gradient gradient_create(const wal_instances *in) {
  const int64_t nm = in->count * in->n * in->m, m = in->count * in->m, n = in->count * in->n;
  gradient g = {.numbers = test_pf_zeros(3 * nm + m + n), .count = 3 * nm + m + n};
  g.out = (wal_pf_gradient){g.numbers, g.numbers + nm, g.numbers + 2 * nm, g.numbers + 3 * nm,
                            g.numbers + 3 * nm + m};
  return g;
}

static gradient pull(const wal_pf_ops *ops, const test_pf *t) {
  const wal_pf_options options = wal_pf_defaults();
  gradient g = gradient_create(&t->in);
  ck_assert_msg(ops->vjp(&t->in, t->z_or_null, t->da, &options, NULL, &g.out) == WAL_OK, "%s", wal_error());
  return g;
}

/* Where there is one solution there is one derivative: both find it, as exactly as a matrix that takes
   amounts between bounds for a little stiff allows. Where there is none, as at ties, it is the CPU's. */
START_TEST(derivatives_as_the_cpus) {
  const test_pf_law law = laws[_i];
  test_pf t = instances(law, batch_of(law), true);
  gradient there = pull(&wal_pf_cuda, &t), here = pull(&wal_pf_cpu, &t);
  for (int64_t e = 0; e < there.count; e++)
    ck_assert_double_eq_tol(there.numbers[e], here.numbers[e], 1e-4 * (1 + fabs(here.numbers[e])));
  free(there.numbers), free(here.numbers);
  test_pf_destroy(&t);
}
END_TEST

static double objective(test_pf *t) {
  double sum = 0;
  solve_there(t, true, (wal_pf_solution){.a = t->out.a});
  for (int e = 0; e < t->in.n * t->in.m; e++) sum += t->da[e] * t->out.a[e];
  return sum;
}

/* Central differences of one instance in every input; a kink within h shows in a second one of h / 2. */
START_TEST(derivatives_as_differences) {
  const test_pf_law law = {4, 3, 0.2, 0.9, 0.4, 0.5, 0};
  test_pf t = test_pf_random(law, 1, 100 + (uint64_t)_i);
  gradient g = pull(&wal_pf_cuda, &t);
  double *const inputs[] = {t.own.v, t.own.x, t.z, t.own.b, t.own.w};
  const double *const slopes[] = {g.out.dv, g.out.dx, g.out.dz, g.out.db, g.out.dw};
  const int counts[] = {12, 12, 12, 3, 4};
  int compared = 0;
  for (int which = 0; which < 5; which++)
    for (int e = 0; e < counts[which]; e++) {
      double *number = &inputs[which][e], was = *number, d[2];
      if (which == 1 && was == 0) continue; /* only one side */
      for (int fine = 0; fine < 2; fine++) {
        const double h = fine ? 5e-5 : 1e-4;
        *number = was + h;
        d[fine] = objective(&t);
        *number = was - h;
        d[fine] = (d[fine] - objective(&t)) / (2 * h);
      }
      *number = was;
      if (fabs(d[0] - d[1]) > 1e-4) continue;
      ck_assert_double_eq_tol(slopes[which][e], d[1], 1e-4);
      compared++;
    }
  ck_assert_int_ge(compared, 30);
  free(g.numbers);
  test_pf_destroy(&t);
}
END_TEST

/* ---- company ---- */

/* An instance alone, or in a batch of any size and place: the same bits. */
START_TEST(bits_do_not_depend_on_company) {
  const test_pf_law law = laws[_i];
  const int64_t nm = law.n * law.m, count = batch_of(law);
  test_pf t = instances(law, count, true);
  gradient all = pull(&wal_pf_cuda, &t);
  wal_pf_cuda_limit(count - 1, 1); /* in two calls of the kernel; a block takes one instance after another */
  gradient parts = pull(&wal_pf_cuda, &t);
  wal_pf_cuda_limit(0, 0);
  ck_assert_mem_eq(parts.numbers, all.numbers, (size_t)all.count * sizeof(double));
  free(parts.numbers);
  solve_there(&t, false, t.out);
  for (int64_t k = 0; k < count; k += 4) {
    const int64_t part = k + 3 <= count ? 3 : 1;
    test_pf one = t;
    one.in = wal_instances_part(&t.in, k, part);
    one.z_or_null = t.z_or_null ? t.z + k * nm : NULL;
    one.da = t.da + k * nm;
    gradient own = pull(&wal_pf_cuda, &one);
    ck_assert_mem_eq(own.out.dv, all.out.dv + k * nm, (size_t)(part * nm) * sizeof(double));
    ck_assert_mem_eq(own.out.dw, all.out.dw + k * law.n, (size_t)(part * law.n) * sizeof(double));
    double *a = test_pf_zeros(part * nm);
    solve_there(&one, false, (wal_pf_solution){.a = a});
    ck_assert_mem_eq(a, t.out.a + k * nm, (size_t)(part * nm) * sizeof *a);
    free(a), free(own.numbers);
  }
  free(all.numbers);
  test_pf_destroy(&t);
}
END_TEST

/* More resources than the device takes. */
START_TEST(wide_instances_are_the_cpus) {
  const test_pf_law law = {2, 300, 0.3, 0.7, 0, 0, 0};
  test_pf here = test_pf_random(law, 2, 3), there = test_pf_random(law, 2, 3);
  test_pf_solve(&here);
  solve_there(&there, true, there.out);
  ck_assert_mem_eq(there.out.a, here.out.a, (size_t)(2 * law.n * law.m) * sizeof(double));
  test_pf_destroy(&here), test_pf_destroy(&there);
}
END_TEST

START_TEST(nothing_to_do) {
  test_pf t = test_pf_create(0, 2, 2, false);
  solve_there(&t, true, t.out);
  test_pf_destroy(&t);
}
END_TEST

static void *solve_in_a_thread(void *context) {
  test_pf *t = context;
  const wal_pf_options options = wal_pf_defaults();
  const wal_status status = wal_pf_cuda.solve(&t->in, t->z_or_null, &options, &t->out);
  return status == WAL_OK ? context : NULL;
}

START_TEST(threads_call_at_once) {
  enum { THREADS = 4 };
  test_pf t[THREADS], same[THREADS];
  pthread_t thread[THREADS];
  for (int k = 0; k < THREADS; k++) {
    t[k] = test_pf_random(laws[2 + k], 9, 5);
    same[k] = test_pf_random(laws[2 + k], 9, 5);
    ck_assert_int_eq(pthread_create(&thread[k], NULL, solve_in_a_thread, &t[k]), 0);
  }
  for (int k = 0; k < THREADS; k++) {
    void *done = NULL;
    pthread_join(thread[k], &done);
    ck_assert_ptr_nonnull(done);
    solve_there(&same[k], true, same[k].out);
    ck_assert_mem_eq(t[k].out.a, same[k].out.a, (size_t)(9 * t[k].in.n * t[k].in.m) * sizeof(double));
    test_pf_destroy(&t[k]), test_pf_destroy(&same[k]);
  }
}
END_TEST

/* ---- what the device leaves to the CPU ---- */

/* No step at all is not enough for either: the same instance is named. Instance 0 has nothing to decide. */
START_TEST(failures_name_the_instance) {
  char here[256];
  test_pf t = test_pf_random(laws[5], 5, 3);
  for (int j = 0; j < 3; j++) t.own.b[j] = 100;
  const wal_pf_options options = {.tol = 1e-9, .max_steps = 0, .polish = _i};
  ck_assert_int_eq(wal_pf_cpu.solve(&t.in, NULL, &options, &t.out), WAL_E_DIVERGED);
  snprintf(here, sizeof here, "%s", wal_error());
  ck_assert_int_eq(wal_pf_cuda.solve(&t.in, NULL, &options, &t.out), WAL_E_DIVERGED);
  ck_assert_str_eq(wal_error(), here);
  test_pf_destroy(&t);
}
END_TEST

/* Only the listed instances are touched, and are what they are in the whole batch. */
START_TEST(some_on_the_cpu) {
  const int64_t list[] = {1, 4, 5};
  test_pf all = test_pf_random(laws[4], 7, 3), some = test_pf_random(laws[4], 7, 3);
  const wal_pf_options options = wal_pf_defaults();
  test_pf_solve(&all);
  ck_assert_int_eq(wal_pf_cpu_some(&some.in, some.z, NULL, &options, &some.out, NULL, list, 3), WAL_OK);
  for (int64_t k = 0; k < 7; k++) {
    const bool listed = k == 1 || k == 4 || k == 5;
    for (int64_t e = k * 30; e < (k + 1) * 30; e++)
      ck_assert_double_eq(some.out.a[e], listed ? all.out.a[e] : 0);
  }
  test_pf_destroy(&all), test_pf_destroy(&some);
}
END_TEST

/* wal_pf_solve asks the device for what is large, the CPU for the rest. */
START_TEST(dispatch_by_size) {
  const int64_t large = wal_pf_cuda.least / 4;
  test_pf t = test_pf_random(laws[2], large, 3);
  double *a = test_pf_zeros(4 * large);
  const wal_pf_options options = wal_pf_defaults();
  for (int small = 0; small < 2; small++) {
    test_pf part = t;
    part.in = wal_instances_part(&t.in, 0, large - small);
    wal_device_use(&wal_device_cuda);
    ck_assert_int_eq(wal_pf_solve(&part.in, t.z, &options, &t.out), WAL_OK);
    wal_device_use(NULL);
    const wal_pf_ops *ops = small ? &wal_pf_cpu : &wal_pf_cuda;
    ck_assert_int_eq(ops->solve(&part.in, t.z, &options, &(wal_pf_solution){.a = a}), WAL_OK);
    ck_assert_mem_eq(a, t.out.a, (size_t)(4 * part.in.count) * sizeof *a);
  }
  ck_assert_int_eq(wal_pf_batch(2, 2, 128), 128);
  wal_device_use(&wal_device_cuda);
  ck_assert_int_eq(wal_pf_batch(2, 2, 128), wal_pf_cuda.busy / 4);
  wal_device_use(NULL);
  free(a);
  test_pf_destroy(&t);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("gpu pf");
  TCase *tests = tcase_create("solver");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, agrees_with_the_cpu, 0, 4 * LAWS);
  tcase_add_loop_test(tests, certified_at_the_ends_of_the_range, 0, LAWS);
  tcase_add_loop_test(tests, prices_without_a_certificate, 0, LAWS);
  tcase_add_test(tests, figure_one);
  tcase_add_loop_test(tests, derivatives_as_the_cpus, 0, LAWS);
  tcase_add_loop_test(tests, derivatives_as_differences, 0, 6);
  tcase_add_loop_test(tests, bits_do_not_depend_on_company, 0, LAWS);
  tcase_add_test(tests, wide_instances_are_the_cpus);
  tcase_add_test(tests, nothing_to_do);
  tcase_add_test(tests, threads_call_at_once);
  tcase_add_loop_test(tests, failures_name_the_instance, 0, 2);
  tcase_add_test(tests, some_on_the_cpu);
  tcase_add_test(tests, dispatch_by_size);
  suite_add_tcase(suite, tests);
  return gpu_suite_run(suite);
}
