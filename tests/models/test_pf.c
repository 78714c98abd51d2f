/* Proportional fairness: by hand, the certificate, ties, ends of the range. Solvers that share nothing with
   it are in test_pf_oracle.c, derivatives in test_pf_adjoint.c. */
#include <string.h>

#include "models/common/parallel.h"
#include "models/mechanism/pf.h"
#include "tests/models/pf_fixture.h"
#include "tests/suite.h"

/* One instance from literals. */
static test_pf instance(int n, int m, const double *v, const double *x, const double *b, const double *w,
                        const double *z) {
  test_pf t = test_pf_create(1, n, m, z != NULL);
  memcpy(t.own.v, v, (size_t)(n * m) * sizeof *v);
  memcpy(t.own.x, x, (size_t)(n * m) * sizeof *x);
  memcpy(t.own.b, b, (size_t)m * sizeof *b);
  for (int i = 0; i < n; i++) t.own.w[i] = w ? w[i] : 1;
  if (z) memcpy(t.z, z, (size_t)(n * m) * sizeof *z);
  test_pf_solve(&t);
  return t;
}

static bool is_unique(const test_pf *t) {
  bool unique;
  ck_assert_int_eq(wal_pf_unique(&t->in, t->z_or_null, t->out.a, &unique), WAL_OK);
  return unique;
}

static void check_row(const double *got, int count, const double *expected, double within) {
  for (int e = 0; e < count; e++) ck_assert_double_eq_tol(got[e], expected[e], within);
}

/* ---- by hand ---- */

/* Figure 1 at the truth: agent 1 gets 3/4 (both its resources are cheaper to it). */
START_TEST(figure_one) {
  test_pf t =
      instance(2, 2, (double[]){1, 0.5, 1, 0.25}, (double[]){1, 1, 1, 1}, (double[]){1, 1}, NULL, NULL);
  check_row(t.out.a, 4, (double[]){0.25, 1, 0.75, 0}, 1e-15);
  check_row(t.out.u, 2, (double[]){0.75, 0.75}, 1e-15);
  ck_assert_double_eq_tol(t.out.lambda[0], 4.0 / 3, 1e-14);
  ck_assert_double_eq_tol(t.out.lambda[1] + t.out.nu[1], 2.0 / 3, 1e-14); /* a_12 = x_12 = b_2: any split */
  ck_assert_double_eq_tol(t.out.lambda[1] - t.out.mu[3], 1.0 / 3, 1e-14);
  ck_assert_double_le(t.out.kkt[0], 1e-15);
  ck_assert(is_unique(&t));
  test_pf_destroy(&t);
}
END_TEST

/* One resource, shares in proportion to weights where demands allow: 3 wants only 1, the rest is split 1 : 2.
 */
START_TEST(weights_share_a_resource) {
  test_pf t =
      instance(3, 1, (double[]){7, 0.1, 3}, (double[]){9, 9, 1}, (double[]){4}, (double[]){1, 2, 5}, NULL);
  check_row(t.out.a, 3, (double[]){1, 2, 1}, 1e-14);
  check_row(t.out.nu, 3, (double[]){0, 0, 4}, 1e-13);
  ck_assert_double_eq_tol(t.out.lambda[0], 1, 1e-14);
  test_pf_destroy(&t);
}
END_TEST

/* w / a = z + lambda alone: z = 2 lets an agent take a half of a resource that has more. A negative z makes
   it take what it has no value for. */
START_TEST(z_of_either_sign) {
  test_pf t = instance(1, 2, (double[]){1, 0}, (double[]){1, 1}, (double[]){1, 0.5}, NULL, (double[]){2, -3});
  check_row(t.out.a, 2, (double[]){0.5, 0.5}, 1e-14);
  check_row(t.out.lambda, 2, (double[]){0, 3}, 1e-13);
  ck_assert_double_le(t.out.kkt[0], 1e-14);
  ck_assert(is_unique(&t));
  test_pf_destroy(&t);
}
END_TEST

/* ---- the certificate ---- */

static double kkt_of(const test_pf *t) {
  double kkt;
  wal_pf_kkt(&t->in, t->z_or_null, &t->out, &kkt);
  return kkt;
}

/* Each number of an exact solution, moved: the residual is as large as the header says. */
START_TEST(residual_tells_every_error) {
  test_pf t =
      instance(2, 2, (double[]){1, 0.5, 1, 0.25}, (double[]){1, 1, 1, 1}, (double[]){1, 1}, NULL, NULL);
  double *const numbers[] = {t.out.a,  t.out.a + 1,  t.out.a + 3, t.out.mu + 3,
                             t.out.mu, t.out.nu + 1, t.out.lambda};
  const double moved[] = {1e-6, -1e-6, 1e-6, 1e-6, -1e-6, 1e-6, 1e-6};
  /* a_11 up: the first budget is exceeded by 1e-6 and u_1 = 0.750001 makes its row's prices 4/3 e-6 too low;
     a_12 down: both by half; a_22 up: exceeded; multipliers: over d = 4/3, 4/3, 4/3, 2/3, and lambda_1 4/3.
   */
  const double least[] = {1e-6, 5e-7, 1e-6, 1e-6, 7e-7, 1e-6, 7e-7};
  for (int l = 0; l < 7; l++) {
    const double was = *numbers[l];
    *numbers[l] += moved[l];
    const double kkt = kkt_of(&t);
    ck_assert_msg(kkt >= 0.999 * least[l] && kkt <= 3e-6, "number %d: %g", l, kkt);
    *numbers[l] = was;
  }
  ck_assert_double_le(kkt_of(&t), 1e-15);
  t.out.lambda[1] = -1e-30;
  ck_assert(isinf(kkt_of(&t)));
  t.out.lambda[1] = NAN;
  ck_assert(!(kkt_of(&t) < INFINITY));
  test_pf_destroy(&t);
}
END_TEST

/* Other units of values (agent by agent), of amounts (resource by resource) and of weights: the same
 * residual. */
START_TEST(residual_has_no_unit) {
  for (int k = 0; k < 3; k++) {
    const test_pf_law law = {3, 4, 0.2, 0.8, 0.5, 1, 0};
    test_pf t = test_pf_random(law, 1, 5);
    test_pf_solve(&t);
    for (int e = 0; e < 12; e++) t.out.a[e] *= 1 + 1e-4 * (e % 3), t.out.mu[e] *= 1.001;
    const double before = kkt_of(&t), weight = k == 2 ? 0x1p400 : 1;
    for (int e = 0; e < 12; e++) {
      const double value = k == 0 ? ldexp(1, 400 - 300 * (e / 4)) : 1,
                   amount = k == 1 ? ldexp(1, 100 * (e % 4) - 200) : 1;
      t.own.v[e] *= value / amount, t.own.x[e] *= amount, t.out.a[e] *= amount;
      t.z[e] *= weight / amount, t.out.mu[e] *= weight / amount, t.out.nu[e] *= weight / amount;
      if (e < 4) t.own.b[e] *= amount, t.out.lambda[e] *= weight / amount;
    }
    for (int i = 0; i < 3; i++) t.own.w[i] *= weight;
    ck_assert_double_gt(before, 1e-6);
    ck_assert_double_eq_tol(kkt_of(&t) / before, 1, 1e-12);
    test_pf_destroy(&t);
  }
}
END_TEST

static const test_pf_law laws[] = {
    {2, 2, 0.5, 0.5, 0, 0, 0},     {2, 2, 0.5, 1, 0.5, 0, 0},    {3, 4, 0.15, 0.7, 0, 2, 0},
    {10, 3, 0.5, 0.5, 0, 0, 0},    {10, 3, 0.25, 0.5, 1, 1, 0},  {10, 3, 0.1, 1, 0, 0, 0},
    {2, 2, 0.5, 1, 0, 0, 3},       {3, 3, 0.3, 0.7, 0, 0, 2},    {10, 3, 0.25, 0.5, 0, 0, 3},
    {3, 3, 0.3, 0.7, 1, 0, 4},     {10, 3, 0.25, 0.5, 1, 0, 4},  {1, 1, 0.5, 1, 0, 0, 0},
    {1, 6, 0.5, 0.8, 2, 0, 0},     {9, 1, 0.2, 0.8, 0.5, 1, 0},  {50, 10, 0.05, 1, 0, 1, 0},
    {50, 10, 0.1, 0.5, 0.3, 0, 5}, {200, 20, 0.1, 0.5, 0, 0, 0},
};
enum { LAWS = sizeof laws / sizeof *laws };

/* Strictly below 1e-9, and a wide margin below it: amounts within their bounds exactly, budgets to rounding.
 */
START_TEST(certified) {
  const test_pf_law law = laws[_i];
  const int64_t nm = (int64_t)law.n * law.m, count = nm > 1000 ? 4 : 60000 / (20 * nm + 100) + 8;
  test_pf t = test_pf_random(law, count, 11);
  test_pf_solve(&t);
  for (int64_t k = 0; k < count; k++) ck_assert_double_le(t.out.kkt[k], 1e-12);
  for (int64_t e = 0; e < count * nm; e++) ck_assert(t.out.a[e] >= 0 && t.out.a[e] <= t.own.x[e]);
  double *again = test_pf_zeros(count);
  wal_pf_kkt(&t.in, t.z_or_null, &t.out, again);
  ck_assert_mem_eq(again, t.out.kkt, (size_t)count * sizeof *again);
  free(again);
  test_pf_destroy(&t);
}
END_TEST

/* ---- ties ---- */

/* Two agents of the same taste: any split that gives each a half of everything's worth. */
START_TEST(ties_are_told) {
  const double v[] = {1, 2, 2, 4, 3, 1}, x[] = {1, 1, 1, 1, 1, 1}, b[] = {1, 1};
  test_pf same = instance(2, 2, v, x, b, NULL, NULL);
  ck_assert(!is_unique(&same));
  check_row(same.out.u, 2, (double[]){1.5, 3}, 1e-14);
  test_pf_destroy(&same);
  const double other[] = {1, 2, 2, 4.001};
  test_pf near = instance(2, 2, other, x, b, NULL, NULL);
  ck_assert(is_unique(&near));
  test_pf_destroy(&near);
}
END_TEST

/* A circle without ties in values is rigid when z makes all four amounts strictly positive, and what is left
   of two resources that cost an agent the same can be exchanged. */
START_TEST(circles_with_z) {
  const double one[] = {1, 1, 1, 1}, b[] = {1, 1};
  test_pf rigid = instance(2, 2, (double[]){1, 2, 2, 1}, one, b, NULL, (double[]){0, 2.0 / 3, 2.0 / 3, 0});
  bool inside = true;
  for (int e = 0; e < 4; e++) inside &= rigid.out.a[e] > 0.01 && rigid.out.a[e] < 0.99;
  ck_assert(inside);
  ck_assert(is_unique(&rigid));
  test_pf_destroy(&rigid);
  test_pf slack = instance(1, 2, one, one, b, NULL, (double[]){2, 2});
  ck_assert(!is_unique(&slack));
  ck_assert_double_eq_tol(slack.out.u[0], 0.5, 1e-14);
  test_pf_destroy(&slack);
}
END_TEST

/* Random ties: what is said is what a brute search says. Amounts can move iff the matrix of utilities and
   tight budgets, over entries strictly inside, has a kernel: its rank by elimination in long double. */
static int rank_of(int rows, int columns, long double *a) {
  int rank = 0;
  for (int c = 0; c < columns && rank < rows; c++) {
    int best = rank;
    for (int r = rank; r < rows; r++)
      if (fabsl(a[r * columns + c]) > fabsl(a[best * columns + c])) best = r;
    if (fabsl(a[best * columns + c]) < 1e-9L) continue;
    for (int l = 0; l < columns; l++) {
      const long double other = a[rank * columns + l];
      a[rank * columns + l] = a[best * columns + l];
      a[best * columns + l] = other;
    }
    for (int r = rank + 1; r < rows; r++) {
      const long double factor = a[r * columns + c] / a[rank * columns + c];
      for (int l = c; l < columns; l++) a[r * columns + l] -= factor * a[rank * columns + l];
    }
    rank++;
  }
  return rank;
}

static bool movable(const test_pf *t, int64_t k) {
  const int n = t->in.n, m = t->in.m, columns = n * m;
  long double *matrix = calloc((size_t)((n + m) * columns), sizeof *matrix);
  int inside = 0;
  for (int e = 0; e < n * m; e++) {
    const int64_t at = k * n * m + e;
    if (!(t->out.a[at] > 1e-7 && t->in.x[at] - t->out.a[at] > 1e-7)) continue;
    double left = t->in.b[k * m + e % m];
    for (int i = 0; i < n; i++) left -= t->out.a[(k * n + i) * m + e % m];
    matrix[e / m * columns + inside] = t->in.v[at];
    matrix[(n + e % m) * columns + inside] = left < 1e-9;
    inside++;
  }
  const int rank = rank_of(n + m, columns, matrix);
  free(matrix);
  return rank < inside;
}

START_TEST(uniqueness_is_a_rank) {
  const test_pf_law tied[] = {{2, 2, 0.5, 1, 0, 0, 3},
                              {3, 3, 0.3, 0.9, 0, 0, 2},
                              {4, 3, 0.25, 0.8, 1, 0, 4},
                              {10, 3, 0.25, 0.5, 0, 0, 3},
                              {3, 3, 0.3, 0.9, 1, 0, 0}};
  enum { COUNT = 300 };
  test_pf t = test_pf_random(tied[_i], COUNT, 21);
  test_pf_solve(&t);
  bool unique[COUNT];
  int several = 0;
  ck_assert_int_eq(wal_pf_unique(&t.in, t.z_or_null, t.out.a, unique), WAL_OK);
  for (int k = 0; k < COUNT; k++) {
    ck_assert_msg(unique[k] == !movable(&t, k), "instance %d", k);
    several += !unique[k];
  }
  if (_i < 4) ck_assert_int_gt(several, 3);
  if (_i == 4) ck_assert_int_eq(several, 0);
  test_pf_destroy(&t);
}
END_TEST

/* The polish takes the answer to the solution next to it, also where there are many. */
START_TEST(polish_stays_near) {
  const test_pf_law tied[] = {
      {2, 2, 0.5, 1, 0, 0, 3}, {4, 3, 0.25, 0.8, 1, 0, 4}, {10, 3, 0.25, 0.5, 0, 0, 3}};
  test_pf rough = test_pf_random(tied[_i], 200, 61), polished = test_pf_random(tied[_i], 200, 61);
  wal_pf_options options = wal_pf_defaults();
  options.polish = false;
  ck_assert_int_eq(wal_pf_solve(&rough.in, rough.z_or_null, &options, &rough.out), WAL_OK);
  test_pf_solve(&polished);
  for (int e = 0; e < 200 * rough.in.n * rough.in.m; e++)
    ck_assert_double_eq_tol(rough.out.a[e], polished.out.a[e], 1e-3);
  test_pf_destroy(&rough);
  test_pf_destroy(&polished);
}
END_TEST

/* ---- ends of the range ---- */

START_TEST(agents_without_a_part) {
  const double v[] = {1, 1, 0, 0, 1, 1, 1, 1, 1, 0}, x[] = {1, 1, 1, 1, 0, 0, 1, 1, 0, 1};
  test_pf t = instance(5, 2, v, x, (double[]){1, 1}, (double[]){1, 1, 1, 0, 1}, NULL);
  check_row(t.out.a, 10, (double[]){1, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 1e-300);
  ck_assert_double_eq(t.out.kkt[0], 0);
  ck_assert(is_unique(&t));
  test_pf_destroy(&t);
}
END_TEST

/* A resource without budget is given to nobody; an agent that wants only it gets nothing and does not stop
   the others. */
START_TEST(zero_budgets) {
  test_pf t = instance(2, 2, (double[]){1, 0, 1, 1}, (double[]){1, 1, 1, 1}, (double[]){0, 0.5}, NULL, NULL);
  check_row(t.out.a, 4, (double[]){0, 0, 0, 0.5}, 1e-15);
  ck_assert_double_le(t.out.kkt[0], 1e-14);
  test_pf none = instance(2, 1, (double[]){1, 2}, (double[]){1, 2}, (double[]){0}, NULL, NULL);
  check_row(none.out.a, 2, (double[]){0, 0}, 1e-300);
  ck_assert_double_eq(none.out.kkt[0], 0);
  test_pf_destroy(&t);
  test_pf_destroy(&none);
}
END_TEST

/* Values 1e-150 to 1e150, amounts 1e-140 to 1e140, in any mixture: shares are those of the plain numbers. */
START_TEST(huge_and_tiny) {
  const test_pf_law law = {4, 3, 0.2, 1, 0, 0, 0};
  test_pf plain = test_pf_random(law, 20, 31), scaled = test_pf_random(law, 20, 31);
  const double values[] = {1e-150, 1, 1e150, 1e-3}, amounts[] = {1e-140, 1, 1e140};
  for (int64_t e = 0; e < 20 * 12; e++) {
    const double value = values[(e / 3 + e / 12) % 4], amount = amounts[(e + _i) % 3];
    scaled.own.v[e] *= value * (1 / amount);
    scaled.own.x[e] *= amount;
    if (e < 20 * 3) scaled.own.b[e] *= amount;
  }
  test_pf_solve(&plain);
  test_pf_solve(&scaled);
  for (int64_t k = 0; k < 20; k++) ck_assert_double_le(scaled.out.kkt[k], 1e-12);
  for (int64_t e = 0; e < 20 * 12; e++)
    ck_assert_double_eq_tol(scaled.out.a[e] / amounts[(e + _i) % 3], plain.out.a[e], 1e-12);
  test_pf_destroy(&plain);
  test_pf_destroy(&scaled);
}
END_TEST

/* One agent weighs a million times the others; it takes all it wants of what they share. */
START_TEST(weights_far_apart) {
  test_pf t =
      instance(3, 1, (double[]){1, 1, 1}, (double[]){2, 2, 2}, (double[]){2}, (double[]){1e6, 1, 0}, NULL);
  check_row(t.out.a, 3, (double[]){2e6 / 1000001, 2.0 / 1000001, 0}, 1e-15);
  ck_assert_double_le(t.out.kkt[0], 1e-13);
  test_pf_destroy(&t);
}
END_TEST

/* The same where the light one shares a resource that the heavy one wants exactly all of. */
START_TEST(light_agent_beside_a_sated_one) {
  test_pf t = instance(2, 3, (double[]){1, 2, 2, 2, 2, 2}, (double[]){1, 2, 2, 2, 1, 1}, (double[]){1, 1, 1},
                       (double[]){1e6, 1e-5}, (double[]){-1, 1, -1, -1, 0, -1});
  ck_assert_double_le(t.out.kkt[0], 1e-12);
  ck_assert_double_eq_tol(t.out.u[0], 5, 1e-9);
  ck_assert_double_gt(t.out.u[1], 0);
  test_pf_destroy(&t);
}
END_TEST

/* Values, demands and budgets of one instance over 12 orders of magnitude each: the residual must not be
   rounding of the largest amounts in the smallest ones. */
START_TEST(ranges_within_an_instance) {
  test_pf t = test_pf_create(300, 5, 4, false);
  uint64_t k = 0;
  for (int e = 0; e < 300 * 20; e++) {
    t.own.v[e] = pow(10, test_pf_uniform(71, &k, -6, 6, 0));
    t.own.x[e] = test_pf_uniform(71, &k, 0, 1, 0) < 0.2 ? 0 : pow(10, test_pf_uniform(71, &k, -6, 6, 0));
  }
  for (int e = 0; e < 300 * 4; e++) t.own.b[e] = pow(10, test_pf_uniform(71, &k, -6, 6, 0));
  for (int e = 0; e < 300 * 5; e++) t.own.w[e] = pow(10, test_pf_uniform(71, &k, -1, 1, 0));
  test_pf_solve(&t);
  for (int e = 0; e < 300; e++) ck_assert_double_le(t.out.kkt[e], 1e-11);
  test_pf_destroy(&t);
}
END_TEST

START_TEST(empty_batch) {
  test_pf t = test_pf_create(0, 3, 2, false);
  test_pf_solve(&t);
  wal_pf_kkt(&t.in, NULL, &t.out, t.out.kkt);
  bool unique;
  ck_assert_int_eq(wal_pf_unique(&t.in, NULL, t.out.a, &unique), WAL_OK);
  test_pf_destroy(&t);
}
END_TEST

/* The same bits alone, in a batch, with 1 thread and with 3. */
START_TEST(bits_do_not_depend_on_neighbours) {
  const test_pf_law law = {5, 3, 0.25, 0.7, 0.5, 1, 0};
  test_pf all = test_pf_random(law, 100, 41), part = test_pf_random(law, 100, 41);
  wal_threads_set(3);
  test_pf_solve(&all);
  wal_threads_set(1);
  part.in = wal_instances_part(&all.in, 37, 11);
  part.z_or_null = all.z + 37 * 15;
  test_pf_solve(&part);
  ck_assert_mem_eq(part.out.a, all.out.a + 37 * 15, 11 * 15 * sizeof(double));
  ck_assert_mem_eq(part.out.nu, all.out.nu + 37 * 15, 11 * 15 * sizeof(double));
  ck_assert_mem_eq(part.out.lambda, all.out.lambda + 37 * 3, 11 * 3 * sizeof(double));
  test_pf_destroy(&all);
  test_pf_destroy(&part);
}
END_TEST

int main(void) {
  Suite *s = suite_create("pf");
  TCase *t = tcase_create("proportional fairness");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, figure_one);
  tcase_add_test(t, weights_share_a_resource);
  tcase_add_test(t, z_of_either_sign);
  tcase_add_test(t, residual_tells_every_error);
  tcase_add_test(t, residual_has_no_unit);
  tcase_add_loop_test(t, certified, 0, LAWS);
  tcase_add_test(t, ties_are_told);
  tcase_add_test(t, circles_with_z);
  tcase_add_loop_test(t, uniqueness_is_a_rank, 0, 5);
  tcase_add_loop_test(t, polish_stays_near, 0, 3);
  tcase_add_test(t, agents_without_a_part);
  tcase_add_test(t, zero_budgets);
  tcase_add_loop_test(t, huge_and_tiny, 0, 3);
  tcase_add_test(t, weights_far_apart);
  tcase_add_test(t, light_agent_beside_a_sated_one);
  tcase_add_test(t, ranges_within_an_instance);
  tcase_add_test(t, empty_batch);
  tcase_add_test(t, bits_do_not_depend_on_neighbours);
  suite_add_tcase(s, t);
  return run_suite(s);
}
