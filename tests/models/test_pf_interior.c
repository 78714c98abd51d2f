/* The interior point: closed forms, and what must not change an instance's bits. */
#include <math.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "models/mechanism/pf.h"
#include "tests/suite.h"

static wal_instances single(int n, int m, const double *v, const double *x, const double *b,
                            const double *w) {
  return (wal_instances){.count = 1, .n = n, .m = m, .v = v, .x = x, .b = b, .w = w};
}

static void solve(const wal_instances *in, const double *z, bool polish, const wal_pf_solution *out) {
  wal_pf_options options = wal_pf_defaults();
  options.polish = polish;
  ck_assert_msg(wal_pf_solve(in, z, &options, out) == WAL_OK, "%s", wal_error());
}

START_TEST(one_resource) {
  /* Weights 1, 2, 3 share 1.2; the first wants no more than .1, so the others get 2/5 and 3/5 of 1.1. */
  const double v[] = {7, 0.2, 1e100}, x[] = {0.1, 1, 1}, b[] = {1.2}, w[] = {1, 2, 3};
  const double truth[] = {0.1, 0.44, 0.66};
  const wal_instances in = single(3, 1, v, x, b, w);
  double a[3], lambda, nu[3], mu[3], u[3];
  for (int polish = 0; polish < 2; polish++) {
    solve(&in, NULL, polish, &(wal_pf_solution){.a = a, .lambda = &lambda, .nu = nu, .mu = mu, .u = u});
    for (int i = 0; i < 3; i++) {
      ck_assert_double_eq_tol(a[i], truth[i], 1e-8);
      ck_assert_double_eq_tol(u[i] / (v[i] * truth[i]), 1, 1e-7);
      ck_assert_double_eq_tol(mu[i], 0, 1e-7);
    }
    ck_assert_double_eq_tol(lambda, 5 / 1.1, 1e-7);
    ck_assert_double_eq_tol(nu[0], 1 / 0.1 - 5 / 1.1, 1e-6);
  }
}
END_TEST

START_TEST(misreports_of_figure_1) {
  /* Agent 1 with values (1, 1/2) beside agent 2 with (1, 1/4): 0.75 at the truth; just above agent 2's ratio
     it gets 3/4 of resource 1, just below none of resource 2. */
  const double ratio[] = {0.5, 0.25 * (1 + 1e-6), 0.25 * (1 - 1e-6)}, utility[] = {0.75, 0.875, 0.625};
  const double x[] = {1, 1, 1, 1}, b[] = {1, 1};
  for (int k = 0; k < 3; k++) {
    const double v[] = {1, ratio[k], 1, 0.25};
    const wal_instances in = single(2, 2, v, x, b, NULL);
    double a[4];
    solve(&in, NULL, true, &(wal_pf_solution){.a = a});
    ck_assert_double_eq_tol(a[0] + 0.5 * a[1], utility[k], 2e-6);
  }
}
END_TEST

START_TEST(z_stops_and_pulls) {
  /* One agent, plenty: w v / u = z where it stops; a value of 0 with z < 0 takes all of x, with z >= 0 none.
   */
  const double v[] = {2, 0, 0}, x[] = {4, 3, 5}, b[] = {9, 9, 9}, z[] = {0.5, -0.1, 0};
  const wal_instances in = single(1, 3, v, x, b, NULL);
  double a[3], u, kkt;
  solve(&in, z, true, &(wal_pf_solution){.a = a, .u = &u, .kkt = &kkt});
  ck_assert_double_eq_tol(a[0], 2, 1e-8); /* 2 / (2 a) = 0.5 */
  ck_assert_double_eq_tol(a[1], 3, 1e-8);
  ck_assert(a[2] == 0);
  ck_assert_double_eq_tol(u, 4, 1e-8);
  ck_assert_double_le(kkt, 1e-9);
}
END_TEST

START_TEST(nothing_to_give_or_to_want) {
  /* Agent 0 weighs nothing, agent 1 wants nothing, agent 2 only what there is none of; resource 1 has a
     budget of 0. Agents 3 and 4 share resource 0. */
  const double v[] = {1, 1, 1, 1, 0, 1, 1, 1, 2, 0}, x[] = {1, 1, 0, 0, 1, 1, 1, 1, 1, 1}, b[] = {1, 0};
  const double w[] = {0, 1, 1, 1, 1};
  const wal_instances in = single(5, 2, v, x, b, w);
  double a[10], u[5], lambda[2], kkt;
  int steps;
  solve(&in, NULL, true, &(wal_pf_solution){.a = a, .u = u, .lambda = lambda, .kkt = &kkt, .steps = &steps});
  for (int e = 0; e < 10; e++) ck_assert_double_eq_tol(a[e], e == 6 || e == 8 ? 0.5 : 0, 1e-9);
  ck_assert(u[0] == 0 && u[1] == 0 && u[2] == 0);
  ck_assert_double_eq_tol(lambda[0], 2, 1e-8);
  ck_assert_double_le(kkt, 1e-9);
  ck_assert_int_gt(steps, 0);
}
END_TEST

START_TEST(demands_that_fit) {
  const double v[] = {1, 2, 3, 4}, x[] = {0.25, 1, 0.75, 2}, b[] = {1, 3};
  const wal_instances in = single(2, 2, v, x, b, NULL);
  double a[4], lambda[2], nu[4];
  int steps;
  solve(&in, NULL, true, &(wal_pf_solution){.a = a, .lambda = lambda, .nu = nu, .steps = &steps});
  ck_assert_int_eq(steps, 0);
  ck_assert(memcmp(a, x, sizeof a) == 0);
  ck_assert(lambda[0] == 0 && lambda[1] == 0);
  ck_assert_double_eq_tol(nu[3], 4 / (3 * 0.75 + 4 * 2), 1e-15);
  /* A hair less of resource 0: the long way leads to nearly the same. */
  const double scarce[] = {1 - 1e-7, 3};
  const wal_instances less = single(2, 2, v, x, scarce, NULL);
  double other[4];
  solve(&less, NULL, true, &(wal_pf_solution){.a = other, .steps = &steps});
  ck_assert_int_gt(steps, 0);
  for (int e = 0; e < 4; e++) ck_assert_double_eq_tol(other[e], a[e], 1.1e-7);
}
END_TEST

/* ---- random batches ---- */

enum { COUNT = 90, N = 6, M = 4, NM = N * M };

typedef struct {
  double v[COUNT * NM], x[COUNT * NM], z[COUNT * NM], b[COUNT * M], w[COUNT * N], da[COUNT * NM];
} batch;

typedef struct {
  double a[COUNT * NM], u[COUNT * N], lambda[COUNT * M], mu[COUNT * NM], nu[COUNT * NM], kkt[COUNT];
  double dv[COUNT * NM], dx[COUNT * NM], dz[COUNT * NM], db[COUNT * M], dw[COUNT * N];
  int steps[COUNT];
} answers;

static double uniform(uint64_t k) { return wal_rng_uniform(5, WAL_STREAM_TEST, k); }

/* Some instances have no contest, some are scarce; half of the demands are 0. */
static void draw(batch *t) {
  for (uint64_t e = 0; e < COUNT * NM; e++) {
    t->v[e] = 0.1 + 0.9 * uniform(5 * e);
    t->x[e] = uniform(5 * e + 1) < 0.5 ? 0 : 0.1 + 0.9 * uniform(5 * e + 2);
    t->z[e] = uniform(5 * e + 3) - 0.5;
    t->da[e] = uniform(5 * e + 4) - 0.5;
  }
  for (uint64_t e = 0; e < COUNT * M; e++) t->b[e] = N * uniform(1000000 + e / 4) / 2;
  for (uint64_t e = 0; e < COUNT * N; e++) t->w[e] = 0.5 + uniform(2000000 + e);
}

/* Instances [first, first + count) into the same places of `out`. */
static void pull(const batch *t, bool with_z, bool polish, int first, int count, answers *out) {
  const wal_instances all = {COUNT, N, M, t->v, t->x, t->b, t->w};
  const wal_instances in = wal_instances_part(&all, first, count);
  const int nm = first * NM, n = first * N, m = first * M;
  const wal_pf_solution s = {out->a + nm,  out->u + n,       out->lambda + m,   out->mu + nm,
                             out->nu + nm, out->kkt + first, out->steps + first};
  const wal_pf_gradient g = {out->dv + nm, out->dx + nm, out->dz + nm, out->db + m, out->dw + n};
  wal_pf_options options = wal_pf_defaults();
  options.polish = polish;
  ck_assert_msg(wal_pf_vjp(&in, with_z ? t->z + nm : NULL, t->da + nm, &options, &s, &g) == WAL_OK, "%s",
                wal_error());
}

START_TEST(neighbours_and_threads) {
  batch *t = calloc(1, sizeof *t);
  answers *all = calloc(1, sizeof *all), *parts = calloc(1, sizeof *parts);
  draw(t);
  for (int kind = 0; kind < 4; kind++) {
    const bool with_z = kind & 1, polish = kind & 2;
    wal_threads_set(1);
    pull(t, with_z, polish, 0, COUNT, all);
    wal_threads_set(4);
    for (int first = 0, count = 1; first < COUNT; first += count, count = count % 5 + 1)
      pull(t, with_z, polish, first, first + count > COUNT ? COUNT - first : count, parts);
    ck_assert(memcmp(all, parts, sizeof *all) == 0);
  }
  free(t);
  free(all);
  free(parts);
}
END_TEST

START_TEST(threads_of_a_long_batch) {
  enum { LONG = 20000 };
  double *v = malloc(2 * LONG * sizeof *v), *b = malloc(LONG * sizeof *b), *a[2];
  for (uint64_t e = 0; e < 2 * LONG; e++) v[e] = uniform(e);
  for (int k = 0; k < LONG; k++) b[k] = 0.7;
  const wal_instances in = {LONG, 2, 1, v, v, b, NULL};
  for (int run = 0; run < 2; run++) {
    a[run] = malloc(2 * LONG * sizeof *v);
    wal_threads_set(run ? 8 : 1);
    solve(&in, NULL, false, &(wal_pf_solution){.a = a[run]});
  }
  ck_assert(memcmp(a[0], a[1], 2 * LONG * sizeof *v) == 0);
  free(v);
  free(b);
  free(a[0]);
  free(a[1]);
}
END_TEST

START_TEST(feasible_and_certified) {
  batch *t = calloc(1, sizeof *t);
  answers *s = calloc(1, sizeof *s);
  draw(t);
  for (int with_z = 0; with_z < 2; with_z++) {
    pull(t, with_z, true, 0, COUNT, s);
    for (int k = 0; k < COUNT; k++) {
      ck_assert_double_le(s->kkt[k], 1e-9);
      for (int m = 0; m < M; m++) {
        double used = 0;
        for (int i = 0; i < N; i++) used += s->a[k * NM + i * M + m];
        ck_assert_double_le(used, t->b[k * M + m] * (1 + 1e-12));
      }
      for (int e = k * NM; e < (k + 1) * NM; e++) ck_assert(s->a[e] >= 0 && s->a[e] <= t->x[e]);
    }
  }
  free(t);
  free(s);
}
END_TEST

START_TEST(units_do_not_matter) {
  /* Powers of 2 on an agent's values or a resource's amounts are exact: so are the answers. */
  batch *t = calloc(1, sizeof *t), *scaled = calloc(1, sizeof *t);
  answers *s = calloc(1, sizeof *s), *other = calloc(1, sizeof *s);
  draw(t);
  *scaled = *t;
  for (int e = 0; e < COUNT * NM; e++) {
    const int agent = e / M % N, unit = 100 * (e % M);
    scaled->v[e] = ldexp(t->v[e], 90 * agent - 300 - unit);
    scaled->x[e] = ldexp(t->x[e], unit);
    scaled->z[e] = ldexp(t->z[e], -unit);
  }
  for (int e = 0; e < COUNT * M; e++) scaled->b[e] = ldexp(t->b[e], 100 * (e % M));
  pull(t, true, false, 0, COUNT, s);
  pull(scaled, true, false, 0, COUNT, other);
  for (int e = 0; e < COUNT * NM; e++) ck_assert(ldexp(s->a[e], 100 * (e % M)) == other->a[e]);
  free(t);
  free(scaled);
  free(s);
  free(other);
}
END_TEST

START_TEST(weights_over_twelve_orders) {
  batch *t = calloc(1, sizeof *t);
  answers *s = calloc(1, sizeof *s);
  draw(t);
  for (uint64_t e = 0; e < COUNT * N; e++) t->w[e] = pow(10, 12 * uniform(3000000 + e) - 6);
  pull(t, false, true, 0, COUNT, s);
  for (int k = 0; k < COUNT; k++) ck_assert_double_le(s->kkt[k], 1e-9);
  free(t);
  free(s);
}
END_TEST

/* ---- gradients ---- */

START_TEST(gradient_of_shares) {
  /* a_i = w_i b / (w_1 + w_2) of the amounts that agent 0, who gets all that it wants, leaves. */
  const double v[] = {1, 5, 1}, x[] = {0.1, 1, 1}, b[] = {1}, w[] = {1, 1, 3}, da[] = {0, 1, 0};
  const wal_instances in = single(3, 1, v, x, b, w);
  double dv[3], dx[3], dw[3], db, a[3];
  wal_pf_options options = wal_pf_defaults();
  for (int polish = 0; polish < 2; polish++) {
    options.polish = polish;
    const wal_pf_gradient g = {.dv = dv, .dx = dx, .db = &db, .dw = dw};
    ck_assert_int_eq(wal_pf_vjp(&in, NULL, da, &options, &(wal_pf_solution){.a = a}, &g), WAL_OK);
    ck_assert_double_eq_tol(a[1], 0.225, 1e-8);
    ck_assert_double_eq_tol(db, 0.25, 1e-6);
    ck_assert_double_eq_tol(dx[0], -0.25, 1e-6);
    ck_assert_double_eq_tol(dx[1], 0, 1e-6);
    ck_assert_double_eq_tol(dw[0], 0, 1e-6);
    ck_assert_double_eq_tol(dw[1], 0.9 * 3 / 16, 1e-6);
    ck_assert_double_eq_tol(dw[2], -0.9 * 1 / 16, 1e-6);
    for (int i = 0; i < 3; i++) ck_assert_double_eq_tol(dv[i], 0, 1e-6);
  }
}
END_TEST

START_TEST(gradient_where_demands_fit) {
  const double v[] = {1, 2}, x[] = {0.5, 0}, b[] = {1, 1}, da[] = {3, 4};
  const wal_instances in = single(1, 2, v, x, b, NULL);
  double dv[2], dx[2], db[2], dw;
  const wal_pf_options options = wal_pf_defaults();
  const wal_pf_gradient g = {.dv = dv, .dx = dx, .db = db, .dw = &dw};
  ck_assert_int_eq(wal_pf_vjp(&in, NULL, da, &options, NULL, &g), WAL_OK);
  ck_assert(dx[0] == 3 && dx[1] == 4); /* a demand of 0 that rises is met */
  ck_assert(dv[0] == 0 && dv[1] == 0 && db[0] == 0 && db[1] == 0 && dw == 0);
}
END_TEST

/* z of either sign, as a network gives: products far apart once stopped the steps here for good. */
START_TEST(signed_z_converges) {
  const double v[] = {0.3833, 0.1454, 0.4818, 0.695,  0.7313, 0.7334, 0.7762, 0.8663, 0.4488, 0.9495,
                      0.2763, 0.1597, 0.8949, 0.5763, 0.1684, 0.4104, 0.444,  0.9968, 0.1778, 0.1126,
                      0.2136, 0.3642, 0.6278, 0.3384, 0.1296, 0.3005, 0.4659, 0.6294, 0.7767, 0.9969};
  const double x[] = {0,      0.9719, 0.3168, 0.6581, 0.1637, 0,      0,      0.1213, 0.1526, 0,
                      0,      0.4121, 0.9463, 0.2303, 0.3129, 0.3683, 0.1214, 0,      0.5134, 0,
                      0.9461, 0,      0.9406, 0,      0,      0,      0,      0.637,  0.1841, 0};
  const double z[] = {0.005736, -0.643,   0.4819,  0.155,   -0.51,    -0.1498, 0.1794,   -0.1593,
                      -0.2824,  -0.01347, -0.8076, 0.1312,  -0.06534, 0.2206,  -1.162,   -0.219,
                      0.1275,   0.19,     0.1619,  0.04483, -0.4248,  -0.3007, -0.07365, -0.03941,
                      -0.2266,  -0.05929, -0.5119, -0.1581, -0.172,   0.4044};
  const double b[] = {2.5, 2.5, 2.5};
  const wal_instances in = single(10, 3, v, x, b, NULL);
  const wal_pf_options options = {.tol = 1e-9, .max_steps = 100, .polish = false};
  double a[30], kkt;
  int steps;
  const wal_pf_solution out = {.a = a, .kkt = &kkt, .steps = &steps};
  ck_assert_msg(wal_pf_solve(&in, z, &options, &out) == WAL_OK, "%s", wal_error());
  ck_assert_int_le(steps, 30);
  ck_assert_double_le(kkt, 1e-6);
}
END_TEST

START_TEST(too_few_steps) {
  /* What has not converged is polished, wanted or not. */
  const double v[] = {1, 0.5, 1, 0.25}, x[] = {1, 1, 1, 1}, b[] = {1, 1};
  const wal_instances in = single(2, 2, v, x, b, NULL);
  double a[4], kkt;
  const wal_pf_options options = {.tol = 1e-9, .max_steps = 2, .polish = false};
  ck_assert_int_eq(wal_pf_solve(&in, NULL, &options, &(wal_pf_solution){.a = a, .kkt = &kkt}), WAL_OK);
  ck_assert_double_le(kkt, 1e-9);
  ck_assert_double_eq_tol(a[0] + 0.5 * a[1], 0.75, 1e-9);
}
END_TEST

/* Unpolished, as in training: what stops early is an answer if its residual is small, and only then. */
START_TEST(stopped_early) {
  enum { K = 256, AGENTS = 10, GOODS = 3, CELLS = AGENTS * GOODS };
  wal_law law = wal_law_default(AGENTS, GOODS, 3);
  law.budget = 0.25;
  wal_owned_instances own;
  static double z[K * CELLS], a[K * CELLS], kkt[K], u[K * AGENTS], truth[K * AGENTS];
  ck_assert_int_eq(wal_instances_create(K, AGENTS, GOODS, false, &own), WAL_OK);
  ck_assert_int_eq(wal_law_draw(&law, 0, &own), WAL_OK);
  for (int e = 0; e < K * CELLS; e++) z[e] = 2.4 * wal_rng_uniform(5, WAL_STREAM_TEST, (uint64_t)e) - 1.2;
  solve(&own.in, z, true, &(wal_pf_solution){.u = truth});
  int answered = 0;
  for (int k = 0; k < K; k++) {
    const wal_instances one = wal_instances_part(&own.in, k, 1);
    const wal_pf_options options = {.tol = 1e-9, .max_steps = 6, .polish = false};
    const wal_pf_solution out = {.a = a + k * CELLS, .kkt = kkt + k, .u = u + k * AGENTS};
    const wal_status status = wal_pf_solve(&one, z + k * CELLS, &options, &out);
    ck_assert(status == WAL_OK || status == WAL_E_DIVERGED);
    if (status != WAL_OK) continue;
    answered++;
    ck_assert_double_le(kkt[k], 1e-6);
    for (int i = 0; i < AGENTS; i++) ck_assert_double_eq_tol(u[k * AGENTS + i], truth[k * AGENTS + i], 1e-4);
  }
  ck_assert_int_gt(answered, K / 2);
  wal_instances_destroy(&own);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("pf_interior");
  TCase *tests = tcase_create("pf_interior");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, one_resource);
  tcase_add_test(tests, misreports_of_figure_1);
  tcase_add_test(tests, z_stops_and_pulls);
  tcase_add_test(tests, nothing_to_give_or_to_want);
  tcase_add_test(tests, demands_that_fit);
  tcase_add_test(tests, neighbours_and_threads);
  tcase_add_test(tests, threads_of_a_long_batch);
  tcase_add_test(tests, feasible_and_certified);
  tcase_add_test(tests, units_do_not_matter);
  tcase_add_test(tests, weights_over_twelve_orders);
  tcase_add_test(tests, gradient_of_shares);
  tcase_add_test(tests, gradient_where_demands_fit);
  tcase_add_test(tests, signed_z_converges);
  tcase_add_test(tests, too_few_steps);
  tcase_add_test(tests, stopped_early);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
