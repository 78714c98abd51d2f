/* Every learned kind of the table: feasible, differentiated right in its parameters and in the reports, the
   same bits however the batch is cut. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "models/mechanism/mechanism.h"
#include "models/mechanism/pf.h"
#include "tests/suite.h"

enum { MOST_KINDS = 32 };

/* The learned kinds, in the table's order; returns how many. */
static int learned_kinds(const wal_mechanism_kind *kinds[MOST_KINDS]) {
  int count = 0;
  for (int k = 0; wal_mechanism_kinds[k]; k++)
    if (wal_mechanism_kinds[k]->learned) kinds[count++] = wal_mechanism_kinds[k];
  return count;
}

/* NULL: the kind cannot be made for this shape, and says so. Smooth, so that differences mean something. */
static wal_mechanism *make(const char *kind, int n, int m, int64_t max_batch) {
  wal_mechanism_options options = wal_mechanism_defaults();
  wal_mechanism *f = NULL;
  options.polish = false;
  options.max_batch = max_batch;
  options.seed = 5;
  strcpy(options.activation, "silu");
  const wal_status status = wal_mechanism_create(kind, n, m, &options, &f);
  ck_assert_msg(status == WAL_OK || status == WAL_E_UNSUPPORTED, "%s %d x %d: %s", kind, n, m, wal_error());
  return f;
}

/* Law (17) with little to share. */
static wal_owned_instances draw(int64_t count, int n, int m, uint64_t seed) {
  wal_law law = wal_law_default(n, m, seed);
  wal_owned_instances in;
  law.budget = 0.2;
  law.demanded = 0.8;
  ck_assert_int_eq(wal_instances_create(count, n, m, false, &in), WAL_OK);
  ck_assert_int_eq(wal_law_draw(&law, 0, &in), WAL_OK);
  return in;
}

static double *doubles(int64_t count) {
  double *p = calloc((size_t)count, sizeof *p);
  ck_assert_ptr_nonnull(p);
  return p;
}

static double *normals(int64_t count, uint64_t seed) {
  double *p = doubles(count);
  wal_rng_normals(seed, WAL_STREAM_TEST, 0, count, p);
  return p;
}

/* ---- feasibility ---- */

static void assert_feasible(const char *kind, const wal_instances *in, const double *a) {
  const int n = in->n, m = in->m;
  for (int64_t k = 0; k < in->count; k++)
    for (int j = 0; j < m; j++) {
      const double b = in->b[k * m + j];
      double sum = 0;
      for (int i = 0; i < n; i++) {
        const int64_t e = (k * n + i) * m + j;
        ck_assert_msg(a[e] >= 0 && a[e] <= in->x[e], "%s: a[%d,%d,%d] = %g of %g", kind, (int)k, i, j, a[e],
                      in->x[e]);
        sum += a[e];
      }
      ck_assert_msg(sum <= b * (1 + 1e-12), "%s: instance %d gives %.17g of %.17g", kind, (int)k, sum, b);
    }
}

START_TEST(allocations_are_feasible) {
  static const int shapes[][2] = {{2, 2}, {1, 1}, {1, 3}, {3, 1}, {5, 4}};
  const wal_mechanism_kind *kinds[MOST_KINDS];
  const int count = learned_kinds(kinds);
  for (int k = 0; k < count; k++)
    for (int s = 0; s < 5; s++) {
      wal_mechanism *f = make(kinds[k]->name, shapes[s][0], shapes[s][1], 64);
      if (!f) continue;
      wal_owned_instances in = draw(200, f->n, f->m, 3);
      double *a = doubles(200 * f->n * f->m);
      ck_assert_msg(wal_mechanism_allocate(f, &in.in, a) == WAL_OK, "%s: %s", kinds[k]->name, wal_error());
      assert_feasible(kinds[k]->name, &in.in, a);
      free(a);
      wal_instances_destroy(&in);
      wal_mechanism_destroy(f);
    }
}
END_TEST

/* Values, demands and budgets of very different sizes. */
START_TEST(extremes_are_feasible) {
  static const double scales[] = {0, 1e-150, 1e-8, 1, 1e8, 1e150};
  enum { COUNT = 128 };
  const wal_mechanism_kind *kinds[MOST_KINDS];
  const int count = learned_kinds(kinds);
  for (int k = 0; k < count; k++) {
    wal_mechanism *f = make(kinds[k]->name, 3, 2, 64);
    if (!f) continue;
    wal_owned_instances in = draw(COUNT, 3, 2, 4);
    double *a = doubles(COUNT * 6);
    for (int64_t e = 0; e < COUNT * 6; e++) {
      in.v[e] *= scales[wal_rng_below(1, WAL_STREAM_TEST, (uint64_t)(e / 6), 6)];
      in.x[e] *= scales[wal_rng_below(2, WAL_STREAM_TEST, (uint64_t)(e / 6), 6)];
    }
    for (int64_t e = 0; e < COUNT * 2; e++)
      in.b[e] *= scales[wal_rng_below(3, WAL_STREAM_TEST, (uint64_t)(e / 2), 6)];
    for (int64_t i = 0; i < COUNT; i++) { /* one by one: a refusal is allowed, a wrong answer is not */
      const wal_instances one = wal_instances_part(&in.in, i, 1);
      const wal_status status = wal_mechanism_allocate(f, &one, a + i * 6);
      if (status == WAL_OK)
        assert_feasible(kinds[k]->name, &one, a + i * 6);
      else
        ck_assert_msg(status == WAL_E_DIVERGED && *wal_error(), "%s: %s", kinds[k]->name, wal_error());
    }
    free(a);
    wal_instances_destroy(&in);
    wal_mechanism_destroy(f);
  }
}
END_TEST

/* ---- gradients ---- */

static double dot(int64_t count, const double *a, const double *b) {
  double sum = 0;
  for (int64_t e = 0; e < count; e++) sum += a[e] * b[e];
  return sum;
}

static double projected(const wal_mechanism *f, const wal_instances *in, const double *da) {
  const int64_t cells = in->count * f->n * f->m;
  double *a = doubles(cells);
  ck_assert_msg(wal_mechanism_allocate(f, in, a) == WAL_OK, "%s", wal_error());
  const double sum = dot(cells, da, a);
  free(a);
  return sum;
}

/* sum(da a) with the parameters moved by step along `direction`, both [parameters]. */
static double moved_parameters(wal_mechanism *f, const wal_instances *in, const double *da,
                               const float *parameters, const double *direction, double step) {
  const int64_t count = f->net->ops->parameter_count(f->net);
  float *moved = malloc((size_t)count * sizeof *moved);
  for (int64_t p = 0; p < count; p++) moved[p] = (float)(parameters[p] + step * direction[p]);
  ck_assert_int_eq(f->net->ops->set(f->net, 0, moved), WAL_OK);
  const double value = projected(f, in, da);
  ck_assert_int_eq(f->net->ops->set(f->net, 0, parameters), WAL_OK);
  free(moved);
  return value;
}

/* y [5]: the function at -2h, -h, 0, h, 2h. Where central differences of both steps agree, and both sides,
   it is smooth, and the slope must be right. (Beside a kink, where a demand just binds, both steps may agree
   on the mean of two slopes.) */
typedef struct {
  int smooth, wrong;
  double worst;
} tally;

static void compare(tally *t, double slope, const double y[5], double h, double noise) {
  const double coarse = (y[4] - y[0]) / (4 * h), fine = (y[3] - y[1]) / (2 * h);
  const double sides = (y[3] - 2 * y[2] + y[1]) / h, size = fmax(fabs(fine), fabs(slope));
  if (fabs(coarse - fine) > 5e-3 * size + noise || fabs(sides) > 0.1 * size + 5 * noise) return;
  const double error = fabs(slope - fine) / (size + noise);
  t->smooth++;
  t->wrong += fabs(slope - fine) > 2e-2 * size + 2 * noise;
  t->worst = fmax(t->worst, error);
}

static void assert_tally(const char *kind, const char *what, const tally *t, int cases) {
  ck_assert_msg(2 * t->smooth >= cases, "%s, %s: %d of %d cases are smooth", kind, what, t->smooth, cases);
  ck_assert_msg(t->wrong == 0, "%s, %s: %d of %d gradients are wrong, worst %g", kind, what, t->wrong,
                t->smooth, t->worst);
}

START_TEST(gradients_in_parameters) {
  enum { CASES = 40, N = 3, M = 2 };
  const wal_mechanism_kind *kinds[MOST_KINDS];
  const int count = learned_kinds(kinds);
  for (int k = 0; k < count; k++) {
    wal_mechanism *f = make(kinds[k]->name, N, M, 64);
    if (!f) continue;
    const int64_t parameters = f->net->ops->parameter_count(f->net);
    float *at = malloc((size_t)parameters * sizeof *at), *g = malloc((size_t)parameters * sizeof *g);
    double *da = normals(CASES * N * M, 11), *direction = doubles(parameters);
    wal_owned_instances in = draw(CASES, N, M, 6);
    f->net->ops->get(f->net, 0, at);
    tally t = {0};
    int cases = 0;
    for (int c = 0; c < CASES; c++) {
      const wal_instances one = wal_instances_part(&in.in, c, 1);
      const double *d = da + c * N * M;
      ck_assert_msg(f->kind->vjp(f, &one, d, NULL, NULL) == WAL_OK, "%s", wal_error());
      f->net->ops->get(f->net, 1, g);
      double norm = 0, slope = 0;
      wal_rng_normals(20 + (uint64_t)c, WAL_STREAM_TEST, 0, parameters, direction);
      for (int64_t p = 0; p < parameters; p++) norm += (double)g[p] * g[p];
      if (norm == 0) continue; /* nothing is contested: checked by the values themselves elsewhere */
      for (int64_t p = 0; p < parameters; p++) { /* half along the gradient, half anywhere */
        direction[p] = g[p] / sqrt(norm) + direction[p] / sqrt((double)parameters);
        slope += g[p] * direction[p];
      }
      const double h = 4e-3;
      double y[5];
      for (int s = 0; s < 5; s++) y[s] = moved_parameters(f, &one, d, at, direction, (s - 2) * h);
      compare(&t, slope, y, h, 1e-4);
      cases++;
    }
    if (getenv("WAL_TEST_VERBOSE"))
      printf("%-16s parameters %d/%d smooth, %d wrong, worst %.2g\n", kinds[k]->name, t.smooth, cases,
             t.wrong, t.worst);
    ck_assert_msg(cases >= CASES / 4, "%s: only %d gradients are not 0", kinds[k]->name, cases);
    assert_tally(kinds[k]->name, "parameters", &t, cases);
    free(at), free(g), free(da), free(direction);
    wal_instances_destroy(&in);
    wal_mechanism_destroy(f);
  }
}
END_TEST

/* One number of the reports at a time: value or demand of entry e. */
static double moved_report(const wal_mechanism *f, const wal_instances *in, const double *da, double *number,
                           double step) {
  const double kept = *number;
  *number = kept + step;
  const double value = projected(f, in, da);
  *number = kept;
  return value;
}

START_TEST(gradients_in_reports) {
  enum { CASES = 24, N = 3, M = 2, NM = N * M };
  const wal_mechanism_kind *kinds[MOST_KINDS];
  const int count = learned_kinds(kinds);
  for (int k = 0; k < count; k++) {
    wal_mechanism *f = make(kinds[k]->name, N, M, 64);
    if (!f) continue;
    wal_owned_instances in = draw(CASES, N, M, 7);
    double *da = normals(CASES * NM, 12), *dv = doubles(NM), *dx = doubles(NM);
    tally t = {0};
    int cases = 0, moving = 0;
    for (int c = 0; c < CASES; c++) {
      const wal_instances one = wal_instances_part(&in.in, c, 1);
      const double *d = da + c * NM;
      ck_assert_msg(f->kind->vjp(f, &one, d, dv, dx) == WAL_OK, "%s", wal_error());
      for (int e = 0; e < 2 * NM; e++) {
        double *number = e < NM ? in.v + c * NM + e : in.x + c * NM + e - NM;
        const double slope = e < NM ? dv[e] : dx[e - NM], h = 2e-3;
        if (*number < 5 * h) continue;
        double y[5];
        for (int s = 0; s < 5; s++) y[s] = moved_report(f, &one, d, number, (s - 2) * h);
        compare(&t, slope, y, h, 1e-3);
        cases++;
        moving += fabs(y[3] - y[1]) > 2e-2 * h;
      }
    }
    if (getenv("WAL_TEST_VERBOSE"))
      printf("%-16s reports    %d/%d smooth, %d moving, %d wrong, worst %.2g\n", kinds[k]->name, t.smooth,
             cases, moving, t.wrong, t.worst);
    ck_assert_int_ge(moving, cases / 10);
    assert_tally(kinds[k]->name, "reports", &t, cases);
    free(da), free(dv), free(dx);
    wal_instances_destroy(&in);
    wal_mechanism_destroy(f);
  }
}
END_TEST

/* ---- the same bits ---- */

START_TEST(bits_do_not_depend_on_threads_or_neighbours) { /* loop: unpolished, polished */
  enum { COUNT = 700, N = 3, M = 2, NM = N * M };
  const wal_mechanism_kind *kinds[MOST_KINDS];
  const int count = learned_kinds(kinds);
  for (int k = 0; k < count; k++) {
    wal_mechanism *f = make(kinds[k]->name, N, M, COUNT);
    if (!f) continue;
    f->options.polish = _i;
    wal_owned_instances in = draw(COUNT, N, M, 8);
    const int64_t parameters = f->net->ops->parameter_count(f->net);
    double *da = normals(COUNT * NM, 13), *a = doubles(COUNT * NM), *dv[2], *dx[2];
    float *g[2];
    for (int run = 0; run < 2; run++) {
      wal_threads_set(run ? 4 : 1);
      dv[run] = doubles(COUNT * NM), dx[run] = doubles(COUNT * NM);
      g[run] = malloc((size_t)parameters * sizeof **g);
      ck_assert_int_eq(f->kind->vjp(f, &in.in, da, dv[run], dx[run]), WAL_OK);
      f->net->ops->get(f->net, 1, g[run]);
    }
    ck_assert_mem_eq(dv[0], dv[1], COUNT * NM * sizeof(double));
    ck_assert_mem_eq(dx[0], dx[1], COUNT * NM * sizeof(double));
    ck_assert_mem_eq(g[0], g[1], (size_t)parameters * sizeof **g);
    ck_assert_int_eq(wal_mechanism_allocate(f, &in.in, a), WAL_OK);
    for (int64_t i = 0; i < COUNT; i += 37) {
      double alone[NM], alone_dv[NM], alone_dx[NM];
      const wal_instances one = wal_instances_part(&in.in, i, 1);
      ck_assert_int_eq(wal_mechanism_allocate(f, &one, alone), WAL_OK);
      ck_assert_mem_eq(alone, a + i * NM, sizeof alone);
      ck_assert_int_eq(f->kind->vjp(f, &one, da + i * NM, alone_dv, alone_dx), WAL_OK);
      ck_assert_mem_eq(alone_dv, dv[0] + i * NM, sizeof alone_dv);
      ck_assert_mem_eq(alone_dx, dx[0] + i * NM, sizeof alone_dx);
    }
    for (int run = 0; run < 2; run++) free(dv[run]), free(dx[run]), free(g[run]);
    free(da), free(a);
    wal_instances_destroy(&in);
    wal_mechanism_destroy(f);
  }
}
END_TEST

/* A batch that goes through the network in parts has the gradient of the whole. */
START_TEST(parts_add_up) {
  enum { COUNT = 100, N = 2, M = 2, NM = N * M };
  const wal_mechanism_kind *kinds[MOST_KINDS];
  const int count = learned_kinds(kinds);
  for (int k = 0; k < count; k++) {
    wal_owned_instances in = draw(COUNT, N, M, 9);
    double *da = normals(COUNT * NM, 14);
    float *g[2] = {NULL, NULL};
    int64_t parameters = 0;
    for (int run = 0; run < 2; run++) {
      wal_mechanism *f = make(kinds[k]->name, N, M, run ? 33 : COUNT);
      if (!f) break;
      parameters = f->net->ops->parameter_count(f->net);
      g[run] = malloc((size_t)parameters * sizeof **g);
      ck_assert_int_eq(f->kind->vjp(f, &in.in, da, NULL, NULL), WAL_OK);
      f->net->ops->get(f->net, 1, g[run]);
      wal_mechanism_destroy(f);
    }
    double most = 0;
    for (int64_t p = 0; p < parameters; p++) most = fmax(most, fabs((double)g[0][p]));
    for (int64_t p = 0; p < parameters; p++)
      ck_assert_msg(fabs((double)g[0][p] - g[1][p]) <= 1e-5 * most, "%s: parameter %d", kinds[k]->name,
                    (int)p);
    free(g[0]), free(g[1]), free(da);
    wal_instances_destroy(&in);
  }
}
END_TEST

/* ---- what each kind is, at parameters where it is known ---- */

/* All parameters 0, but for the biases of the last layer, which are the last `outputs` ones. */
static wal_mechanism *with_biases(const char *kind, int n, int m, int outputs, const float *biases) {
  wal_mechanism *f = make(kind, n, m, 64);
  const int64_t count = f->net->ops->parameter_count(f->net);
  float *p = calloc((size_t)count, sizeof *p);
  memcpy(p + count - outputs, biases, (size_t)outputs * sizeof *p);
  ck_assert_int_eq(f->net->ops->set(f->net, 0, p), WAL_OK);
  free(p);
  return f;
}

START_TEST(shares_by_hand) {
  const double v[] = {1, 1, 1, 1}, x[] = {1, 0.1, 0.2, 3}, b[] = {0.9, 6};
  const wal_instances in = {.count = 1, .n = 2, .m = 2, .v = v, .x = x, .b = b};
  const float logs[] = {logf(2), 0, logf(4), 0, logf(3), logf(2)}; /* [slot, resource] */
  double a[4];
  wal_mechanism *f = with_biases("exs", 2, 2, 6, logs);
  ck_assert_int_eq(wal_mechanism_allocate(f, &in, a), WAL_OK); /* shares 2/9, 4/9, 3/9 and 1/4, 1/4, 2/4 */
  const double expected[] = {0.9 * 2 / 9, 0.1, 0.2, 1.5};
  for (int e = 0; e < 4; e++) ck_assert_double_eq_tol(a[e], expected[e], 1e-6);
  wal_mechanism_destroy(f);
  f = with_biases("softmax", 2, 2, 4, logs);
  ck_assert_int_eq(wal_mechanism_allocate(f, &in, a), WAL_OK); /* 1/3, 2/3 and 1/2, 1/2 */
  const double standard[] = {0.3, 0.1, 0.2, 3};
  for (int e = 0; e < 4; e++) ck_assert_double_eq_tol(a[e], standard[e], 1e-6);
  wal_mechanism_destroy(f);
}
END_TEST

/* Without a regulariser the paper's network is PF; with one it is what the solver makes of it. */
START_TEST(rpf_is_regularised_pf) {
  enum { COUNT = 50, N = 3, M = 2, NM = N * M };
  wal_owned_instances in = draw(COUNT, N, M, 10);
  double *z = doubles(COUNT * NM), *a = doubles(COUNT * NM), *expected = doubles(COUNT * NM);
  const wal_pf_options options = wal_pf_defaults();
  for (int run = 0; run < 2; run++) {
    float biases[NM] = {0};
    for (int e = 0; run && e < NM; e++) biases[e] = 0.3f * (float)(e - 2);
    for (int64_t e = 0; e < COUNT * NM; e++) z[e] = biases[e % NM] * N / in.b[e / NM * M + e % M];
    wal_mechanism *f = with_biases("rpf", N, M, NM, biases);
    ck_assert_int_eq(wal_pf_solve(&in.in, z, &options, &(wal_pf_solution){.a = expected}), WAL_OK);
    ck_assert_int_eq(wal_mechanism_allocate(f, &in.in, a), WAL_OK);
    double u[COUNT * N], w[COUNT * N];
    wal_utilities(&in.in, a, u);
    wal_utilities(&in.in, expected, w);
    for (int r = 0; r < COUNT * N; r++) ck_assert_double_eq_tol(u[r], w[r], 1e-5);
    wal_mechanism_destroy(f);
  }
  free(z), free(a), free(expected);
  wal_instances_destroy(&in);
}
END_TEST

/* Reports in other units: all values of an agent times a constant, a resource in another measure. */
START_TEST(units_do_not_matter) {
  enum { COUNT = 40, N = 3, M = 2, NM = N * M };
  static const char *const kinds[] = {"exs", "softmax", "rpf", "rpf_separable"};
  for (int k = 0; k < 4; k++) {
    wal_mechanism *f = make(kinds[k], N, M, 64);
    wal_owned_instances in = draw(COUNT, N, M, 15);
    double *a = doubles(COUNT * NM), *other = doubles(COUNT * NM);
    ck_assert_int_eq(wal_mechanism_allocate(f, &in.in, a), WAL_OK);
    for (int64_t e = 0; e < COUNT * NM; e++) { /* powers of 2 */
      in.v[e] *= (e / M % N == 1 ? 64 : 0.5) / (e % M ? 1024 : 0.25);
      in.x[e] *= e % M ? 1024 : 0.25;
    }
    for (int64_t e = 0; e < COUNT * M; e++) in.b[e] *= e % M ? 1024 : 0.25;
    ck_assert_int_eq(wal_mechanism_allocate(f, &in.in, other), WAL_OK);
    for (int64_t e = 0; e < COUNT * NM; e++)
      ck_assert_double_eq_tol(other[e] / (e % M ? 1024 : 0.25), a[e], 1e-5);
    free(a), free(other);
    wal_instances_destroy(&in);
    wal_mechanism_destroy(f);
  }
}
END_TEST

START_TEST(bad_options) {
  wal_mechanism_options options = wal_mechanism_defaults();
  wal_mechanism *f = NULL;
  strcpy(options.activation, "sigmoid");
  ck_assert_int_eq(wal_mechanism_create("exs", 2, 2, &options, &f), WAL_E_INPUT);
  ck_assert_ptr_null(f);
  ck_assert_ptr_nonnull(strstr(wal_error(), "relu, tanh or silu"));
  options = wal_mechanism_defaults();
  options.width = -3;
  ck_assert_int_eq(wal_mechanism_create("softmax", 2, 2, &options, &f), WAL_E_INPUT);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("models/learned");
  TCase *tests = tcase_create("learned");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, allocations_are_feasible);
  tcase_add_test(tests, extremes_are_feasible);
  tcase_add_test(tests, gradients_in_parameters);
  tcase_add_test(tests, gradients_in_reports);
  tcase_add_loop_test(tests, bits_do_not_depend_on_threads_or_neighbours, 0, 2);
  tcase_add_test(tests, parts_add_up);
  tcase_add_test(tests, shares_by_hand);
  tcase_add_test(tests, rpf_is_regularised_pf);
  tcase_add_test(tests, units_do_not_matter);
  tcase_add_test(tests, bad_options);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
