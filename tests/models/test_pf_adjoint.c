/* Derivatives of proportional fairness: against the paper's (3 N M + M)^2 system (13)-(16), whose printed
   signs are checked, and against differences of solutions, at generic points and at kinks. */
#include <gsl/gsl_linalg.h>
#include <string.h>

#include "tests/models/pf_fixture.h"
#include "tests/suite.h"

/* Gradients of sum(da * a), one instance. */
typedef struct {
  double *dv, *dx, *dz, *db, *dw; /* [n, m] x 3, [m], [n]; one array */
  int count;                      /* of all numbers */
} gradient;

static gradient gradient_create(int n, int m) {
  const int nm = n * m;
  gradient g = {.dv = test_pf_zeros(3 * nm + m + n), .count = 3 * nm + m + n};
  g.dx = g.dv + nm, g.dz = g.dx + nm, g.db = g.dz + nm, g.dw = g.db + m;
  return g;
}

static gradient adjoint(const test_pf *t) {
  const wal_pf_options options = wal_pf_defaults();
  gradient g = gradient_create(t->in.n, t->in.m);
  const wal_pf_gradient out = {g.dv, g.dx, g.dz, g.db, g.dw};
  ck_assert_msg(wal_pf_vjp(&t->in, t->z_or_null, t->da, &options, &t->out, &out) == WAL_OK, "%s",
                wal_error());
  return g;
}

/* ---- the paper's system ---- */

/* The transpose of M' (Appendix D), whose columns are da, dmu, dnu, dlambda. */
static gsl_matrix *paper_matrix(const test_pf *t) {
  const int n = t->in.n, m = t->in.m, nm = n * m;
  const wal_pf_solution *s = &t->out;
  gsl_matrix *a = gsl_matrix_calloc((size_t)(3 * nm + m), (size_t)(3 * nm + m));
#define SET(row, column, value) gsl_matrix_set(a, (size_t)(column), (size_t)(row), value)
  for (int e = 0; e < nm; e++) {
    const int i = e / m, j = e % m;
    for (int l = i * m; l < (i + 1) * m; l++)
      SET(e, l, (s->mu[e] - s->nu[e] - s->lambda[j] - t->z[e]) * t->in.v[l]); /* M1' */
    SET(e, nm + e, s->u[i]);                                                  /* M2, -M2, -M3 */
    SET(e, 2 * nm + e, -s->u[i]);
    SET(e, 3 * nm + j, -s->u[i]);
    SET(nm + e, e, s->mu[e]);
    SET(nm + e, nm + e, s->a[e]);
    SET(2 * nm + e, e, s->nu[e]);
    SET(2 * nm + e, 2 * nm + e, s->a[e] - t->in.x[e]);
    SET(3 * nm + j, e, s->lambda[j]);
  }
  for (int j = 0; j < m; j++) {
    double used = 0;
    for (int i = 0; i < n; i++) used += s->a[i * m + j];
    SET(3 * nm + j, 3 * nm + j, used - t->in.b[j]);
  }
#undef SET
  return a;
}

/* The solution of (16) of smallest norm, by singular values. */
static gsl_vector *paper_solve(const test_pf *t) {
  gsl_matrix *u = paper_matrix(t);
  const size_t size = u->size1;
  gsl_matrix *v = gsl_matrix_alloc(size, size);
  gsl_vector *s = gsl_vector_alloc(size), *room = gsl_vector_alloc(size), *g = gsl_vector_alloc(size);
  gsl_vector *rhs = gsl_vector_calloc(size);
  for (int e = 0; e < t->in.n * t->in.m; e++) gsl_vector_set(rhs, (size_t)e, t->da[e]);
  gsl_linalg_SV_decomp(u, v, s, room);
  for (size_t l = 0; l < size; l++)
    if (gsl_vector_get(s, l) < 1e-11 * gsl_vector_get(s, 0)) gsl_vector_set(s, l, 0);
  gsl_linalg_SV_solve(u, v, s, rhs, g);
  gsl_matrix_free(u), gsl_matrix_free(v);
  gsl_vector_free(s), gsl_vector_free(room), gsl_vector_free(rhs);
  return g;
}

/* (15) and Appendix D from g_a and g_nu. As printed, dv_i = ((nu + lambda + z - mu) a' - w I) g_a and dw_i =
   v' g_a; the derivation gives the first matrix transposed and the second sign changed. */
static gradient paper_gradient(const test_pf *t, bool printed) {
  const int n = t->in.n, m = t->in.m, nm = n * m;
  const wal_pf_solution *s = &t->out;
  gradient out = gradient_create(n, m);
  gsl_vector *g = paper_solve(t);
  const double *ga = g->data, *gnu = g->data + 2 * nm;
  for (int i = 0; i < n; i++) {
    double along_a = 0, along_price = 0;
    for (int e = i * m; e < (i + 1) * m; e++) {
      along_a += s->a[e] * ga[e];
      along_price += (s->nu[e] + s->lambda[e % m] + t->z[e] - s->mu[e]) * ga[e];
      out.dw[i] += (printed ? 1 : -1) * t->in.v[e] * ga[e];
    }
    for (int e = i * m; e < (i + 1) * m; e++) {
      const double price = s->nu[e] + s->lambda[e % m] + t->z[e] - s->mu[e];
      out.dv[e] = (printed ? price * along_a : s->a[e] * along_price) - t->in.w[i] * ga[e];
      out.dx[e] = s->nu[e] * gnu[e];
      out.dz[e] = s->u[i] * ga[e];
    }
  }
  gsl_vector_free(g);
  return out;
}

/* ---- points ---- */

static const test_pf_law laws[] = {
    {2, 2, 0.5, 1, 0, 0, 0},    {2, 2, 0.4, 1, 1, 1, 0},  {3, 4, 0.3, 1, 0, 0, 0},
    {3, 4, 0.15, 1, 0.7, 1, 0}, {10, 3, 0.5, 1, 0, 0, 0}, {10, 3, 0.25, 1, 1, 0, 0},
    {10, 3, 0.05, 1, 0, 1, 0},  {1, 3, 0.5, 1, 2, 0, 0},  {5, 1, 0.2, 1, 0, 1, 0},
};
enum { LAWS = sizeof laws / sizeof *laws };

/* Every constraint is clearly tight or clearly not, with a multiplier or room of its own: small changes stay
   on one smooth piece. */
static bool generic(const test_pf *t) {
  const double margin = 0.05;
  const int n = t->in.n, m = t->in.m;
  for (int e = 0; e < n * m; e++) {
    if (t->out.a[e] < margin * t->in.x[e] && t->out.mu[e] < margin) return false;
    if (t->in.x[e] - t->out.a[e] < margin * t->in.x[e] && t->out.nu[e] < margin) return false;
  }
  for (int j = 0; j < m; j++) {
    double left = t->in.b[j];
    for (int i = 0; i < n; i++) left -= t->out.a[i * m + j];
    if (left < margin * t->in.b[j] && t->out.lambda[j] < margin) return false;
  }
  return true;
}

/* The next draw of the law that is generic. */
static test_pf generic_point(test_pf_law law, uint64_t *seed) {
  for (;;) {
    test_pf t = test_pf_random(law, 1, (*seed)++);
    test_pf_solve(&t);
    if (generic(&t)) return t;
    test_pf_destroy(&t);
    ck_assert_uint_lt(*seed, 20000);
  }
}

static double largest(int count, const double *a) {
  double most = 0;
  for (int l = 0; l < count; l++) most = fmax(most, fabs(a[l]));
  return most;
}

/* What the last interior point leaves of precision; typical is 1e-7. */
static const double OURS = 1e-5;

/* Largest difference, relative to the largest entry of either where that is not small. */
static double distance(int count, const double *a, const double *b) {
  double most = 0;
  for (int l = 0; l < count; l++) most = fmax(most, fabs(a[l] - b[l]));
  const double size = fmax(largest(count, a), largest(count, b));
  return most / fmax(size, 0.1);
}

/* Every array of the two, but z's where there is none. */
static double furthest(const test_pf *t, gradient a, gradient b) {
  const int nm = t->in.n * t->in.m;
  const double bounds = fmax(distance(nm, a.dv, b.dv), distance(nm, a.dx, b.dx));
  const double rest = fmax(distance(t->in.m, a.db, b.db), distance(t->in.n, a.dw, b.dw));
  return fmax(fmax(bounds, rest), t->z_or_null ? distance(nm, a.dz, b.dz) : 0);
}

/* ---- differences ---- */

static double objective(test_pf *t) {
  double sum = 0;
  test_pf_solve(t);
  for (int e = 0; e < t->in.n * t->in.m; e++) sum += t->da[e] * t->out.a[e];
  return sum;
}

/* (f(number + up) - f(number - down)) / (up + down) */
static double difference(test_pf *t, double *number, double up, double down) {
  const double was = *number;
  *number = was + up;
  const double high = objective(t);
  *number = was - down;
  const double low = objective(t);
  *number = was;
  return (high - low) / (up + down);
}

static gradient differences(test_pf *t) {
  const int n = t->in.n, m = t->in.m, nm = n * m;
  gradient d = gradient_create(n, m);
  double *const inputs[] = {t->own.v, t->own.x, t->z, t->own.b, t->own.w};
  double *const outputs[] = {d.dv, d.dx, d.dz, d.db, d.dw};
  const int counts[] = {nm, nm, t->z_or_null ? nm : 0, m, n};
  for (int which = 0; which < 5; which++)
    for (int e = 0; e < counts[which]; e++) outputs[which][e] = difference(t, &inputs[which][e], 1e-5, 1e-5);
  return d;
}

/* The mended system gives the slopes of solutions to 1e-7, ours to what the last interior point leaves; as
   printed, dv is off and dw has the wrong sign. */
START_TEST(the_papers_system_with_its_signs_mended) {
  uint64_t seed = 1;
  double worst_printed = 0;
  for (int k = 0; k < (laws[_i].n > 5 ? 2 : 6); k++) {
    test_pf t = generic_point(laws[_i], &seed);
    const int nm = t.in.n * t.in.m;
    gradient mended = paper_gradient(&t, false), printed = paper_gradient(&t, true);
    gradient ours = adjoint(&t), d = differences(&t);
    memcpy(mended.db, d.db, (size_t)t.in.m * sizeof(double)); /* the paper has none */
    ck_assert_double_le(furthest(&t, mended, d), 1e-7);
    ck_assert_double_le(furthest(&t, mended, ours), OURS);
    worst_printed = fmax(worst_printed, distance(nm, printed.dv, mended.dv));
    if (largest(t.in.n, mended.dw) > 0.1)
      ck_assert_double_eq_tol(distance(t.in.n, printed.dw, mended.dw), 2, 1e-9);
    free(ours.dv), free(d.dv), free(mended.dv), free(printed.dv);
    test_pf_destroy(&t);
  }
  if (laws[_i].m > 1) ck_assert_double_gt(worst_printed, 0.01);
}
END_TEST

START_TEST(differences_at_generic_points) {
  uint64_t seed = 1000;
  for (int k = 0; k < (laws[_i].n > 5 ? 3 : 10); k++) {
    test_pf t = generic_point(laws[_i], &seed);
    gradient ours = adjoint(&t), d = differences(&t);
    ck_assert_double_le(furthest(&t, ours, d), OURS);
    free(ours.dv), free(d.dv);
    test_pf_destroy(&t);
  }
}
END_TEST

/* A kink: moving `number` by h to either side gives different slopes, and the gradient is between them. */
static void check_kink(test_pf *t, double *number, double got) {
  const double h = 1e-6, right = difference(t, number, h, 0), left = difference(t, number, 0, h);
  ck_assert_double_gt(fabs(right - left), 0.1);
  ck_assert_double_ge(got, fmin(left, right) - 1e-4);
  ck_assert_double_le(got, fmax(left, right) + 1e-4);
}

/* Two agents want one resource: one's demand is exactly the share that it would get anyway. */
START_TEST(kink_where_a_demand_just_binds) {
  test_pf t = test_pf_create(1, 2, 1, false);
  memcpy(t.own.v, (double[]){1, 3}, 2 * sizeof(double));
  memcpy(t.own.x, (double[]){0.5, 1}, 2 * sizeof(double));
  t.own.b[0] = t.own.w[0] = t.own.w[1] = t.da[0] = 1;
  gradient g = adjoint(&t);
  check_kink(&t, &t.own.x[0], g.dx[0]);
  check_kink(&t, &t.own.w[0], g.dw[0]);
  check_kink(&t, &t.own.b[0], g.db[0]);
  free(g.dv);
  test_pf_destroy(&t);
}
END_TEST

/* The budget is exactly what is demanded. */
START_TEST(kink_where_a_budget_just_binds) {
  test_pf t = test_pf_create(1, 2, 1, false);
  memcpy(t.own.v, (double[]){1, 3}, 2 * sizeof(double));
  memcpy(t.own.x, (double[]){0.5, 0.25}, 2 * sizeof(double));
  t.own.b[0] = 0.75;
  t.own.w[0] = t.own.w[1] = t.da[0] = 1;
  gradient g = adjoint(&t);
  check_kink(&t, &t.own.x[0], g.dx[0]);
  check_kink(&t, &t.own.b[0], g.db[0]);
  free(g.dv);
  test_pf_destroy(&t);
}
END_TEST

/* Agent 2 just does not want resource 2 (Figure 1 where its ratio is agent 1's price ratio). */
START_TEST(kink_where_an_amount_just_vanishes) {
  test_pf t = test_pf_create(1, 2, 2, false);
  memcpy(t.own.v, (double[]){1, 0.5, 1, 0.25}, 4 * sizeof(double));
  for (int e = 0; e < 4; e++) t.own.x[e] = 1;
  memcpy(t.own.b, (double[]){1, 0.5}, 2 * sizeof(double));
  memcpy(t.own.w, (double[]){1, 1}, 2 * sizeof(double));
  memcpy(t.da, (double[]){0, 0, 0, 1}, 4 * sizeof(double));
  /* Raise agent 1's weight until it is indifferent to the first: from there on agent 2 gets some of the
   * second. */
  double low = 0.01, high = 1;
  for (int s = 0; s < 60; s++) {
    t.own.w[0] = 0.5 * (low + high);
    if (objective(&t) > 1e-13)
      low = t.own.w[0];
    else
      high = t.own.w[0];
  }
  gradient g = adjoint(&t);
  check_kink(&t, &t.own.w[0], g.dw[0]);
  free(g.dv);
  test_pf_destroy(&t);
}
END_TEST

/* Closed entries and absent agents have no influence, and the gradient says so. */
START_TEST(closed_entries_have_no_gradient) {
  const test_pf_law law = {6, 3, 0.2, 0.5, 0.5, 0, 0};
  for (uint64_t seed = 1; seed < 20; seed++) {
    test_pf t = test_pf_random(law, 1, seed);
    t.own.w[0] = 0;
    gradient g = adjoint(&t);
    for (int e = 0; e < 18; e++) {
      if (t.own.x[e] > 0 && e >= 3) continue;
      ck_assert_double_eq(g.dv[e], 0);
      ck_assert_double_eq(g.dz[e], 0);
    }
    for (int l = 0; l < g.count; l++) ck_assert(isfinite(g.dv[l]));
    free(g.dv);
    test_pf_destroy(&t);
  }
}
END_TEST

int main(void) {
  Suite *s = suite_create("pf_adjoint");
  TCase *t = tcase_create("derivatives of proportional fairness");
  tcase_set_timeout(t, 120);
  tcase_add_loop_test(t, the_papers_system_with_its_signs_mended, 0, LAWS);
  tcase_add_loop_test(t, differences_at_generic_points, 0, LAWS);
  tcase_add_test(t, kink_where_a_demand_just_binds);
  tcase_add_test(t, kink_where_a_budget_just_binds);
  tcase_add_test(t, kink_where_an_amount_just_vanishes);
  tcase_add_test(t, closed_entries_have_no_gradient);
  suite_add_tcase(s, t);
  return run_suite(s);
}
