/* The search for misreports under proportional fairness on the device, against the same search on the CPU. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gpu/mechanism/pf.h"
#include "models/mechanism/attack.h"
#include "tests/gpu/gpu_suite.h"
#include "tests/models/mechanism_fixture.h"

enum { MOST = 400 /* entries of a test's instances */ };

typedef struct {
  double gain[MOST], v[MOST], x[MOST];
  int64_t evaluations, searched;
} findings;

static findings search(const wal_device *device, wal_mechanism *f, const wal_instances *in,
                       const wal_attack_options *options) {
  findings found;
  const wal_attack_result out = {found.gain, found.v, found.x, &found.evaluations, &found.searched};
  wal_device_use(device);
  const wal_status status = wal_attack(f, in, options, &out);
  wal_device_use(NULL);
  ck_assert_msg(status == WAL_OK, "%s", wal_error());
  return found;
}

/* What agent i of instance k gains by reporting v, x [M], by the CPU. */
static double gain_of(const wal_mechanism *f, const wal_instances *in, int64_t k, int i, const double *v,
                      const double *x) {
  const int64_t m = in->m, nm = in->n * m, row = (k * in->n + i) * m;
  const wal_instances one = wal_instances_part(in, k, 1);
  double reported_v[MOST], reported_x[MOST], a[MOST], honest[MOST];
  memcpy(reported_v, one.v, (size_t)nm * sizeof *v), memcpy(reported_x, one.x, (size_t)nm * sizeof *x);
  memcpy(reported_v + i * m, v, (size_t)m * sizeof *v), memcpy(reported_x + i * m, x, (size_t)m * sizeof *x);
  const wal_instances lie = {1, in->n, in->m, reported_v, reported_x, one.b, one.w};
  ck_ok(wal_mechanism_allocate(f, &one, honest));
  ck_ok(wal_mechanism_allocate(f, &lie, a));
  return wal_utility(in->m, in->v + row, in->x + row, a + i * m) -
         wal_utility(in->m, in->v + row, in->x + row, honest + i * m);
}

static const struct {
  int n, m;
  int64_t count;
  double budget;
} shapes[] = {{2, 2, 5, 0.5}, {3, 3, 4, 0.25}, {4, 1, 3, 0.3}, {10, 3, 1, 0.25}, {2, 7, 2, 0.2}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* The same gains, by reports that do give them. Reports of equal worth may be taken for each other. */
START_TEST(finds_what_the_cpu_finds) {
  const int shape = _i / 3, n = shapes[shape].n, m = shapes[shape].m;
  wal_owned_instances own = draw_instances(shapes[shape].count, n, m, shapes[shape].budget, 7);
  wal_mechanism *f = make_mechanism("pf", n, m);
  wal_attack_options options = wal_attack_defaults("candidates");
  options.candidates = 70;
  options.lie = (wal_lie)(1 + _i % 3);
  const findings here = search(NULL, f, &own.in, &options);
  const findings there = search(&wal_device_cuda, f, &own.in, &options);
  wal_pf_cuda_limit(5, 0); /* agents in parts */
  const findings parts = search(&wal_device_cuda, f, &own.in, &options);
  wal_pf_cuda_limit(0, 0);
  ck_assert_mem_eq(parts.gain, there.gain, (size_t)(own.in.count * n) * sizeof(double));
  ck_assert_mem_eq(parts.v, there.v, (size_t)(own.in.count * n * m) * sizeof(double));
  double most = 0;
  for (int64_t r = 0; r < own.in.count * n; r++) {
    ck_assert_double_eq_tol(there.gain[r], here.gain[r], 1e-9);
    const double gain = gain_of(f, &own.in, r / n, (int)(r % n), there.v + r * m, there.x + r * m);
    ck_assert_double_eq_tol(there.gain[r], fmax(gain, 0), 1e-9);
    most = fmax(most, there.gain[r]);
  }
  if (n == 3 && options.lie == WAL_LIE_BOTH) ck_assert_double_gt(most, 1e-3);
  ck_assert_int_eq(there.evaluations, here.evaluations);
  ck_assert_int_eq(there.searched, here.searched);
  wal_mechanism_destroy(f);
  wal_instances_destroy(&own);
}
END_TEST

/* Weights count, and an agent's findings do not depend on the other instances. */
START_TEST(weights_and_company) {
  const double w[] = {1, 3, 0.5, 2, 1, 1};
  wal_owned_instances own = draw_instances(2, 3, 2, 0.25, 9);
  wal_mechanism *f = make_mechanism("pf", 3, 2);
  wal_attack_options options = wal_attack_defaults("candidates");
  options.candidates = 40;
  wal_instances in = own.in;
  in.w = w;
  const findings here = search(NULL, f, &in, &options), there = search(&wal_device_cuda, f, &in, &options);
  const wal_instances second = wal_instances_part(&in, 1, 1);
  const findings alone = search(&wal_device_cuda, f, &second, &options);
  for (int r = 0; r < 6; r++) ck_assert_double_eq_tol(there.gain[r], here.gain[r], 1e-9);
  ck_assert_mem_eq(alone.gain, there.gain + 3, 3 * sizeof(double));
  ck_assert_mem_eq(alone.v, there.v + 6, 6 * sizeof(double));
  wal_mechanism_destroy(f);
  wal_instances_destroy(&own);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("gpu pf search");
  TCase *tests = tcase_create("search");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, finds_what_the_cpu_finds, 0, 3 * SHAPES);
  tcase_add_test(tests, weights_and_company);
  suite_add_tcase(suite, tests);
  return gpu_suite_run(suite);
}
