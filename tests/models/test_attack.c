#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/mechanism/attack.h"
#include "tests/models/mechanism_fixture.h"
#include "tests/suite.h"

/* Gains and reports of an attack on K instances of N x M. */
typedef struct {
  wal_owned_instances in;
  int64_t evaluations;
  double *gain, *v, *x;
} found;

static found attack_in(wal_owned_instances in, wal_mechanism *f, const wal_attack_options *options) {
  const size_t rows = (size_t)(in.in.count * in.in.n), cells = rows * (size_t)in.in.m;
  found out = {.in = in,
               .gain = malloc(rows * sizeof(double)),
               .v = malloc(cells * sizeof(double)),
               .x = malloc(cells * sizeof(double))};
  ck_ok(wal_attack(
      f, &in.in, options,
      &(wal_attack_result){.gain = out.gain, .v = out.v, .x = out.x, .evaluations = &out.evaluations}));
  return out;
}

static void found_free(found *q) {
  free(q->gain);
  free(q->v);
  free(q->x);
  wal_instances_destroy(&q->in);
}

static double mean_gain(const found *q) {
  const int64_t rows = q->in.in.count * q->in.in.n;
  double sum = 0;
  for (int64_t r = 0; r < rows; r++) sum += q->gain[r];
  return sum / (double)rows;
}

static double mean_of(wal_mechanism *f, const wal_attack_options *options, int64_t count) {
  found q = attack_in(draw_instances(count, f->n, f->m, 0.5, 17), f, options);
  const double mean = mean_gain(&q);
  found_free(&q);
  return mean;
}

/* ---- a gain is what its report gains ---- */

/* Utility of agent i of instance k when it alone reports v, x [M], by the definition. */
static double utility(const wal_mechanism *f, const wal_instances *in, int64_t k, int i, const double *v,
                      const double *x) {
  const int nm = in->n * in->m;
  const wal_instances truth = wal_instances_part(in, k, 1);
  double rv[32], rx[32], a[32], u[16], sum = 0, probability[WAL_LOTS];
  const wal_mechanism *part[WAL_LOTS];
  ck_assert_int_le(nm, 32);
  memcpy(rv, truth.v, (size_t)nm * sizeof *rv);
  memcpy(rx, truth.x, (size_t)nm * sizeof *rx);
  memcpy(rv + i * in->m, v, (size_t)in->m * sizeof *v);
  memcpy(rx + i * in->m, x, (size_t)in->m * sizeof *x);
  wal_instances report = truth;
  report.v = rv;
  report.x = rx;
  const int lots = wal_mechanism_lots(f, part, probability);
  for (int p = 0; p < lots; p++) {
    ck_ok(wal_mechanism_allocate(part[p], &report, a));
    wal_utilities(&truth, a, u);
    sum += probability[p] * u[i];
  }
  return sum;
}

static void assert_in_the_box(const wal_attack_options *options, double v, double x) {
  ck_assert(v >= options->low && v <= options->high);
  ck_assert(x == 0 || (x >= options->low && x <= options->high));
}

static void assert_reports(const found *q, const wal_mechanism *f, const wal_attack_options *options) {
  const wal_instances *in = &q->in.in;
  for (int64_t r = 0; r < in->count * in->n; r++) {
    const int64_t k = r / in->n, e = r * in->m;
    const int i = (int)(r % in->n);
    const double before = utility(f, in, k, i, in->v + e, in->x + e);
    ck_assert_double_ge(q->gain[r], 0);
    ck_assert_double_eq_tol(utility(f, in, k, i, q->v + e, q->x + e) - before, q->gain[r], 1e-12);
    for (int m = 0; m < in->m; m++) {
      assert_in_the_box(options, q->v[e + m], q->x[e + m]);
      if (!(options->lie & WAL_LIE_VALUES)) ck_assert_double_eq(q->v[e + m], in->v[e + m]);
      if (!(options->lie & WAL_LIE_DEMANDS)) ck_assert_double_eq(q->x[e + m], in->x[e + m]);
    }
  }
}

START_TEST(a_gain_is_what_its_report_gains) {
  const char *const methods[] = {"candidates", "strong", "grid", "ascent"};
  const char *const kinds[] = {"pf", "mixture", "pa", "clip"};
  wal_attack_options options = wal_attack_defaults(methods[_i % 4]);
  const char *kind = _i % 4 == 3 ? "pf" : kinds[_i / 4 % 4];
  options.lie = (wal_lie)(1 + _i / 4);
  options.candidates = 60;
  options.grid = 8;
  options.steps = 20;
  options.starts = 2;
  const int n = _i % 4 == 2 ? 2 : 4, m = _i % 4 == 2 ? 2 : 3;
  wal_mechanism *f = make_mechanism(kind, n, m);
  found q = attack_in(draw_instances(12, n, m, 0.3, 5), f, &options);
  assert_reports(&q, f, &options);
  if (options.lie == WAL_LIE_BOTH) ck_assert_double_gt(mean_gain(&q), 1e-4);
  found_free(&q);
  wal_mechanism_destroy(f);
}
END_TEST

/* ---- the methods against each other ---- */

/* 600 reports and a pattern search lose next to nothing against the exhaustive grid, which tries other ones.
 */
START_TEST(strong_reaches_the_exhaustive_optimum) {
  const char *const kinds[] = {"pf", "clip", "vtheta"};
  wal_attack_options strong = wal_attack_defaults("strong"), grid = wal_attack_defaults("grid");
  grid.grid = 24;
  wal_mechanism *f = make_mechanism(kinds[_i], 2, 2);
  const double by_strong = mean_of(f, &strong, 60), by_grid = mean_of(f, &grid, 60);
  ck_assert_double_gt(by_grid, 1e-4);
  ck_assert_msg(by_strong >= 0.99 * by_grid, "%s: strong %g, grid %g", kinds[_i], by_strong, by_grid);
  ck_assert_msg(by_grid >= 0.97 * by_strong, "%s: strong %g, grid %g", kinds[_i], by_strong, by_grid);
  wal_mechanism_destroy(f);
}
END_TEST

START_TEST(more_effort_finds_more) {
  wal_mechanism *f = make_mechanism("pf", 2, 2);
  wal_attack_options ascent = wal_attack_defaults("ascent"), candidates = wal_attack_defaults("candidates");
  const wal_attack_options strong = wal_attack_defaults("strong");
  const double one = mean_of(f, &ascent, 300), all = mean_of(f, &strong, 300);
  ascent.starts = 4;
  const double four = mean_of(f, &ascent, 300);
  candidates.candidates = 24;
  const double few = mean_of(f, &candidates, 300);
  ck_assert_double_gt(one, 0.3 * all); /* the paper's attack finds about half */
  ck_assert_double_lt(one, 0.75 * all);
  ck_assert_double_gt(four, 1.2 * one);
  ck_assert_double_le(four, all * (1 + 1e-6));
  ck_assert_double_gt(few, 0.9 * all);
  ck_assert_double_le(few, all);
  wal_mechanism_destroy(f);
}
END_TEST

/* Of few reports on an optimum that is not at a cliff, the local search makes more, round by round. */
START_TEST(refinement_climbs) {
  wal_mechanism *f = make_mechanism("vtheta", 2, 2);
  wal_attack_options o = wal_attack_defaults("strong");
  double gain[3];
  o.candidates = 12;
  for (int k = 0; k < 3; k++) {
    o.refine = 3 * k;
    gain[k] = mean_of(f, &o, 200);
  }
  ck_assert_double_gt(gain[1], 1.02 * gain[0]);
  ck_assert_double_gt(gain[2], gain[1]);
  wal_mechanism_destroy(f);
}
END_TEST

/* ---- determinism ---- */

START_TEST(bits_depend_on_nothing_but_the_instance) {
  const char *const methods[] = {"candidates", "strong", "ascent"};
  wal_attack_options options = wal_attack_defaults(methods[_i]);
  options.candidates = 50;
  options.steps = 10;
  options.starts = 2;
  wal_mechanism *f = make_mechanism("pf", 3, 3);
  const int threads = wal_threads();
  wal_threads_set(1);
  found q = attack_in(draw_instances(90, 3, 3, 0.3, 9), f, &options);
  wal_threads_set(8);
  found again = attack_in(draw_instances(90, 3, 3, 0.3, 9), f, &options);
  wal_threads_set(threads);
  ck_assert_mem_eq(q.gain, again.gain, 90 * 3 * sizeof *q.gain);
  ck_assert_mem_eq(q.v, again.v, 90 * 9 * sizeof *q.v);
  ck_assert_int_eq(q.evaluations, again.evaluations);
  for (int k = 0; k < 90; k += 13) {
    const wal_instances one = wal_instances_part(&q.in.in, k, 1);
    double gain[3];
    ck_ok(wal_attack(f, &one, &options, &(wal_attack_result){.gain = gain}));
    ck_assert_mem_eq(gain, q.gain + 3 * k, sizeof gain);
  }
  found_free(&q);
  found_free(&again);
  wal_mechanism_destroy(f);
}
END_TEST

/* ---- the reports ---- */

START_TEST(candidates_of_any_shape_are_in_the_box) {
  const int shapes[][2] = {{1, 1}, {1, 3}, {4, 1}, {2, 2}, {3, 6}, {3, 20}};
  const int counts[] = {1, 2, 7, 24, 600};
  const int n = shapes[_i][0], m = shapes[_i][1];
  wal_owned_instances in = draw_instances(3, n, m, 0.3, 3);
  double *v = malloc(600 * (size_t)m * sizeof *v), *x = malloc(600 * (size_t)m * sizeof *x);
  for (int c = 0; c < 5; c++)
    for (int lie = 1; lie <= 3; lie++) {
      wal_attack_options options = wal_attack_defaults("candidates");
      options.candidates = counts[c];
      options.lie = (wal_lie)lie;
      for (int r = 0; r < 3 * n; r++) {
        ck_ok(wal_attack_candidates(&in.in, r / n, r % n, &options, v, x));
        for (int e = 0; e < counts[c] * m; e++) assert_in_the_box(&options, v[e], x[e]);
      }
    }
  free(v);
  free(x);
  wal_instances_destroy(&in);
}
END_TEST

/* Two resources: both extreme ratios are there, the rival's ratio on both sides, and no gap of the others. */
START_TEST(candidates_cover_the_ratios) {
  wal_owned_instances in = draw_instances(1, 2, 2, 0.5, 3);
  wal_attack_options options = wal_attack_defaults("candidates");
  options.lie = WAL_LIE_VALUES;
  options.candidates = 100;
  double v[200], x[200], highest = 0, lowest = 1, gap = 0;
  int above = 0, below = 0;
  const double rival = in.v[2] / in.v[3];
  ck_ok(wal_attack_candidates(&in.in, 0, 0, &options, v, x));
  for (int h = 0; h < 100; h++) {
    const double ratio = v[2 * h] / v[2 * h + 1], off = ratio / rival - 1;
    highest = fmax(highest, ratio);
    lowest = fmin(lowest, ratio);
    above += off > 0 && off < 2e-6;
    below += off < 0 && off > -2e-6;
    double next = INFINITY;
    for (int g = 0; g < 100; g++) {
      const double other = v[2 * g] / v[2 * g + 1];
      if (other > ratio) next = fmin(next, other);
    }
    if (next < INFINITY) gap = fmax(gap, log(next / ratio));
  }
  ck_assert_double_eq_tol(highest, 10, 1e-9);
  ck_assert_double_eq_tol(lowest, 0.1, 1e-9);
  ck_assert_int_ge(above, 1);
  ck_assert_int_ge(below, 1);
  ck_assert_double_lt(gap, 2 * log(10) / 60);
  wal_instances_destroy(&in);
}
END_TEST

/* One agent, and demands that all fit: nothing to gain and nothing searched. */
START_TEST(the_satisfied_are_not_searched) {
  const wal_attack_options options = wal_attack_defaults("strong");
  wal_mechanism *f = make_mechanism("pf", 3, 2);
  found q = attack_in(draw_instances(20, 3, 2, 1, 3), f, &options);
  ck_assert_double_eq(mean_gain(&q), 0);
  ck_assert_int_eq(q.evaluations, 20);
  ck_assert_mem_eq(q.v, q.in.v, 20 * 6 * sizeof *q.v);
  found_free(&q);
  wal_mechanism_destroy(f);
}
END_TEST

/* ---- refusals ---- */

static void refused(const char *kind, int n, int m, wal_attack_options options, wal_status want,
                    const char *text) {
  wal_owned_instances in = draw_instances(2, 2, 2, 0.3, 3);
  wal_mechanism *f = make_mechanism(kind, n, m);
  double gain[4];
  ck_assert_int_eq(wal_attack(f, &in.in, &options, &(wal_attack_result){.gain = gain}), want);
  ck_assert_msg(strstr(wal_error(), text) != NULL, "\"%s\" lacks \"%s\"", wal_error(), text);
  wal_mechanism_destroy(f);
  wal_instances_destroy(&in);
}

START_TEST(what_cannot_be_is_refused) {
  wal_attack_options options = wal_attack_defaults("magic");
  refused("pf", 2, 2, options, WAL_E_INPUT, "no attack \"magic\"");
  options = wal_attack_defaults("strong");
  refused("pf", 3, 2, options, WAL_E_INPUT, "this pf is for 3 and 2");
  options.low = 0;
  refused("pf", 2, 2, options, WAL_E_INPUT, "reports in [0, 1]");
  options = wal_attack_defaults("candidates");
  options.candidates = 0;
  refused("pf", 2, 2, options, WAL_E_INPUT, "candidates 0");
  refused("pa", 2, 2, wal_attack_defaults("ascent"), WAL_E_UNSUPPORTED, "pa has no derivative");
}
END_TEST

START_TEST(the_grid_is_for_two_by_two) {
  wal_owned_instances in = draw_instances(2, 3, 2, 0.3, 3);
  wal_mechanism *f = make_mechanism("pf", 3, 2);
  const wal_attack_options options = wal_attack_defaults("grid");
  ck_assert_int_eq(wal_attack(f, &in.in, &options, &(wal_attack_result){0}), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), "expected 2 and 2"));
  ck_assert_int_eq(wal_attack_check(&options, 3, 2), WAL_E_INPUT);
  ck_assert_int_eq(wal_attack_check(&options, 2, 2), WAL_OK);
  wal_mechanism_destroy(f);
  wal_instances_destroy(&in);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("attack");
  TCase *cases = tcase_create("attack");
  tcase_set_timeout(cases, 120);
  tcase_add_loop_test(cases, a_gain_is_what_its_report_gains, 0, 12);
  tcase_add_loop_test(cases, strong_reaches_the_exhaustive_optimum, 0, 3);
  tcase_add_test(cases, more_effort_finds_more);
  tcase_add_test(cases, refinement_climbs);
  tcase_add_loop_test(cases, bits_depend_on_nothing_but_the_instance, 0, 3);
  tcase_add_loop_test(cases, candidates_of_any_shape_are_in_the_box, 0, 6);
  tcase_add_test(cases, candidates_cover_the_ratios);
  tcase_add_test(cases, the_satisfied_are_not_searched);
  tcase_add_test(cases, what_cannot_be_is_refused);
  tcase_add_test(cases, the_grid_is_for_two_by_two);
  suite_add_tcase(suite, cases);
  return run_suite(suite);
}
