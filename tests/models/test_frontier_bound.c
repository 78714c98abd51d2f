/* The linear-programming bound on exploitability at a level of Nash welfare. */
#include <math.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "models/mechanism/frontier_bound.h"
#include "models/mechanism/frontier_sample.h"
#include "models/mechanism/frontier_table.h"
#include "models/mechanism/mechanism.h"
#include "models/mechanism/pf.h"
#include "tests/suite.h"

enum { MOST = 16 };

static double uniform(uint64_t seed, int64_t index) {
  return wal_rng_uniform(seed, WAL_STREAM_TEST, (uint64_t)index);
}

/* `types` cells of the ratio at place `shift`, all with the demands x. */
static void set_types(int types, double shift, const double x[2], wal_frontier_type *out) {
  for (int g = 0; g < types; g++) {
    out[g] = (wal_frontier_type){.x = {x[0], x[1]}, .weight = 1.0 / types};
    wal_frontier_mean_values(0.1, 1, wal_frontier_ratio(0.1, 1, (g + shift) / types), out[g].v);
  }
}

typedef struct {
  wal_frontier_type types[2][MOST];
  wal_frontier_problem problem;
  double U[2 * MOST * MOST], pf[4 * MOST * MOST]; /* PF's utilities and table */
} game;

/* Two agents of n0 and n1 types whose demands conflict in one resource, or in both. */
static void set_game(game *g, int n0, int n1, bool both, double shift0, double shift1, double least) {
  const double x0[2] = {0.8, both ? 0.9 : 0.6}, x1[2] = {0.7, both ? 0.5 : 0.3};
  set_types(n0, shift0, x0, g->types[0]);
  set_types(n1, shift1, x1, g->types[1]);
  g->problem =
      (wal_frontier_problem){.types = {g->types[0], g->types[1]}, .n = {n0, n1}, .b = {1, 1}, .least = least};
  ck_assert_int_eq(wal_frontier_pf(&g->problem, g->U, g->pf), WAL_OK);
}

static wal_frontier_optimum solve(const game *g, double kappa, double *table) {
  wal_frontier_optimum o;
  ck_assert_msg(wal_frontier_solve(&g->problem, &kappa, 1, &o, table) == WAL_OK, "%s", wal_error());
  return o;
}

/* expl - kappa nsw of a table, looked up as Definitions 2 and 3 are written; min(a, x) for over-reports. */
static double literal(const game *g, double kappa, const double *table) {
  const int n0 = g->problem.n[0], n1 = g->problem.n[1];
  double sum = 0;
  for (int s = 0; s < n0; s++)
    for (int t = 0; t < n1; t++) {
      const double *here = &table[4 * (s * n1 + t)];
      double product = 1, gains = 0;
      for (int i = 0; i < 2; i++) {
        const wal_frontier_type *truth = &g->types[i][i ? t : s];
        double best = 0, u = 0;
        for (int m = 0; m < 2; m++) u += truth->v[m] * fmin(here[2 * i + m], truth->x[m]);
        for (int lie = 0; lie < g->problem.n[i]; lie++) {
          const double *there = &table[4 * (i ? s * n1 + lie : lie * n1 + t)];
          double told = 0;
          for (int m = 0; m < 2; m++) told += truth->v[m] * fmin(there[2 * i + m], truth->x[m]);
          best = fmax(best, told - u);
        }
        product *= u;
        gains += best / 2;
      }
      sum += g->types[0][s].weight * g->types[1][t].weight * (gains - kappa * product);
    }
  return sum;
}

/* ---- the law ---- */

START_TEST(ratios_have_their_law) {
  enum { STEPS = 2000 };
  const double low = 0.1, high = 1;
  for (double p = 0.05; p < 1; p += 0.1) {
    const double r = wal_frontier_ratio(low, high, p);
    double below = 0; /* P(v_0 <= r v_1) by the midpoint rule over v_1 */
    for (int k = 0; k < STEPS; k++) {
      const double v1 = low + (high - low) * (k + 0.5) / STEPS;
      below += fmin(fmax((r * v1 - low) / (high - low), 0), 1) / STEPS;
    }
    ck_assert_double_eq_tol(below, p, 1e-6);
  }
  ck_assert_double_eq_tol(wal_frontier_ratio(low, high, 0), 0.1, 1e-12);
  ck_assert_double_eq_tol(wal_frontier_ratio(low, high, 1), 10, 1e-9);
}
END_TEST

/* E v_0 = E v_1 = 0.55, and E v_0^2 = E[v_0 v_1 ratio] needs the ratio and the mean given it to be right. */
START_TEST(values_given_a_ratio_have_their_mean) {
  enum { STEPS = 20000 };
  double mean[2] = {0}, high_ratio = 0;
  for (int k = 0; k < STEPS; k++) {
    double v[2];
    const double p = (k + 0.5) / STEPS, r = wal_frontier_ratio(0.1, 1, p);
    wal_frontier_mean_values(0.1, 1, r, v);
    ck_assert_double_eq_tol(v[0] / v[1], r, 1e-12 * r);
    for (int m = 0; m < 2; m++) mean[m] += v[m] / STEPS;
    if (r > 2) high_ratio += v[0] / STEPS; /* E v_0 1{v_0 > 2 v_1} = int_0.2^1 v (v/2 - 0.1) dv / 0.81 */
  }
  ck_assert_double_eq_tol(mean[0], 0.55, 1e-6);
  ck_assert_double_eq_tol(mean[1], 0.55, 1e-6);
  const double exact = ((1 - 0.008) / 6 - 0.05 * (1 - 0.04)) / 0.81;
  ck_assert_double_eq_tol(high_ratio, exact, 1e-4);
}
END_TEST

/* The strata and what is settled add up to PF's Nash welfare under the law, drawn plainly. */
START_TEST(pf_level_is_that_of_the_law) {
  enum { COUNT = 20000 };
  wal_law law = wal_law_default(2, 2, 5);
  wal_owned_instances drawn;
  ck_assert_int_eq(wal_instances_create(COUNT, 2, 2, false, &drawn), WAL_OK);
  ck_assert_int_eq(wal_law_draw(&law, 0, &drawn), WAL_OK);
  static double u[2 * COUNT], nsw[COUNT];
  const wal_pf_options options = wal_pf_defaults();
  ck_assert_int_eq(wal_pf_solve(&drawn.in, NULL, &options, &(wal_pf_solution){.u = u}), WAL_OK);
  wal_nash_welfare(&drawn.in, u, false, nsw);
  double plain = 0;
  for (int k = 0; k < COUNT; k++) plain += nsw[k] / COUNT;
  wal_instances_destroy(&drawn);
  wal_frontier_options o = wal_frontier_defaults();
  o.types = 4;
  o.profiles = 60;
  double strata = wal_frontier_settled(&o), levels = 0;
  for (int pass = 0; pass < 2; pass++) {
    for (int64_t k = 0; k < wal_frontier_samples(&o); k++) {
      wal_frontier_sample s;
      wal_frontier_pf_level level = {0};
      ck_assert_int_eq(wal_frontier_draw(&o, k, &s), WAL_OK);
      const wal_frontier_problem p = {.types = {s.types[0], s.types[1]}, .n = {s.n[0], s.n[1]}, .b = {1, 1}};
      if (s.weight > 0) ck_assert_int_eq(wal_frontier_pf_level_of(&p, &o, &level), WAL_OK);
      *(pass ? &levels : &strata) += s.weight * level.nsw;
      wal_frontier_sample_destroy(&s);
    }
    o.levels = 2, o.profiles = 40, o.types = 2;
  }
  ck_assert_double_eq_tol(strata / plain, 1, 0.04);
  ck_assert_double_eq_tol(levels / plain, 1, 0.08);
}
END_TEST

/* ---- the program ---- */

START_TEST(measures_are_the_definitions) {
  game g;
  set_game(&g, 3, 2, _i, 0.3, 0.6, 0);
  g.types[0][1].x[0] = 0.55; /* demand lies, too */
  g.types[1][0].x[1] = 0.2;
  ck_assert_int_eq(wal_frontier_pf(&g.problem, g.U, g.pf), WAL_OK);
  wal_frontier_optimum o;
  wal_frontier_measure(&g.problem, g.U, g.pf, 2, &o);
  ck_assert_double_le(o.bound, literal(&g, 2, g.pf) + 1e-12); /* chords count less */
  set_game(&g, 3, 2, _i, 0.3, 0.6, 0);
  wal_frontier_measure(&g.problem, g.U, g.pf, 2, &o);
  ck_assert_double_eq_tol(o.bound, literal(&g, 2, g.pf), 1e-12);
  ck_assert_double_eq_tol(o.least, 2, 1e-6);
}
END_TEST

/* No table is below the bound: PF's, random ones near it, and random ones anywhere (least 0: any waste). */
START_TEST(no_table_is_below) {
  game g;
  set_game(&g, 3, 3, _i, 0.4, 0.7, 0);
  g.types[0][2].x[0] = 0.5;
  ck_assert_int_eq(wal_frontier_pf(&g.problem, g.U, g.pf), WAL_OK);
  for (double kappa = 0.1; kappa < 20; kappa *= 3) {
    double best[4 * MOST * MOST], table[4 * MOST * MOST];
    const wal_frontier_optimum o = solve(&g, kappa, best);
    ck_assert_double_le(o.bound, o.expl - kappa * o.nsw + 1e-9);
    for (int trial = 0; trial < 3000; trial++) {
      const double *around = trial % 2 ? best : g.pf, size = pow(10, -3 * uniform(1, trial));
      for (int at = 0; at < 9; at++)
        for (int m = 0; m < 2; m++) {
          double *a = &table[4 * at + m], sum = 0;
          for (int i = 0; i < 2; i++) {
            const double x = g.types[i][i ? at % 3 : at / 3].x[m];
            const double move = uniform(2, (trial * 9 + at) * 4 + 2 * m + i) - 0.5;
            a[2 * i] = fmin(fmax(around[4 * at + 2 * i + m] + size * move, 0), x);
            sum += a[2 * i];
          }
          for (int i = 0; i < 2 && sum > 1; i++) a[2 * i] /= sum;
        }
      ck_assert_double_le(o.bound, literal(&g, kappa, table) + 1e-9);
    }
  }
}
END_TEST

/* Agent 0 has two types, agent 1 one, one resource is scarce: every split of it on a grid, the rest given. */
START_TEST(brute_force_agrees) {
  enum { STEPS = 400 };
  game g;
  set_game(&g, 2, 1, false, 0.5, 0.5, 2);
  for (double kappa = 0.3; kappa < 30; kappa *= 2) {
    double found[4 * MOST], least = INFINITY;
    const wal_frontier_optimum o = solve(&g, kappa, found);
    for (int k = 0; k < STEPS * STEPS; k++) {
      double table[8];
      memcpy(table, g.pf, sizeof table);
      for (int s = 0; s < 2; s++) {
        table[4 * s] = 0.3 + 0.5 * (s ? k / STEPS : k % STEPS) / (STEPS - 1); /* 1 - x_1 to x_0 */
        table[4 * s + 2] = 1 - table[4 * s];
      }
      least = fmin(least, literal(&g, kappa, table));
    }
    ck_assert_double_eq_tol(o.bound, least, 2e-4);
    ck_assert_double_eq_tol(literal(&g, kappa, found), least, 2e-4); /* the table found is as good */
  }
}
END_TEST

/* kappa 0: nobody need gain. kappa large: PF's own table. Less waste admitted: a higher bound. */
START_TEST(ends_and_order) {
  game g;
  set_game(&g, 5, 4, _i, 0.2, 0.9, 0);
  double table[4 * MOST * MOST];
  ck_assert_double_eq_tol(solve(&g, 0, table).bound, 0, 1e-9);
  wal_frontier_optimum pf;
  wal_frontier_measure(&g.problem, g.U, g.pf, 1, &pf);
  const wal_frontier_optimum far = solve(&g, 1e5, table);
  ck_assert_double_eq_tol(far.nsw, pf.nsw, 1e-6);
  ck_assert_double_le(far.expl, pf.expl + 1e-6);
  double before = -INFINITY;
  for (double least = 0; least <= 2; least += 0.5) {
    g.problem.least = least;
    const double bound = solve(&g, 2, table).bound;
    ck_assert_double_ge(bound, before - 1e-9);
    before = bound;
  }
}
END_TEST

/* Twice the types, at places that hold both halves: never below the mean of the halves. */
START_TEST(more_types_raise_the_bound) {
  game fine, coarse;
  double table[4 * MOST * MOST];
  set_game(&fine, 6, 6, _i, 0.3, 0.8, 0);
  const double bound = solve(&fine, 2, table).bound;
  double halves = 0;
  for (int k = 0; k < 4; k++) {
    set_game(&coarse, 3, 3, _i, (k % 2 + 0.3) / 2, (k / 2 + 0.8) / 2, 0);
    halves += solve(&coarse, 2, table).bound / 4;
  }
  ck_assert_double_ge(bound, halves - 1e-9);
  ck_assert_double_ge(bound, halves + 1e-4); /* and here, above it */
}
END_TEST

/* ---- mechanisms ---- */

/* Tables of mechanisms that read ratios: feasible, and above the bound. */
START_TEST(mechanisms_are_above) {
  static const char *const names[] = {"pf", "pa", "clip", "vtheta"};
  game g;
  set_game(&g, 6, 5, _i, 0.35, 0.55, 0);
  const int pairs = 30;
  double v[120], x[120], b[60], a[120], best[4 * MOST * MOST];
  for (int at = 0; at < pairs; at++)
    for (int k = 0; k < 4; k++) {
      const wal_frontier_type *type = &g.types[k / 2][k / 2 ? at % 5 : at / 5];
      v[4 * at + k] = type->v[k % 2];
      x[4 * at + k] = type->x[k % 2];
      b[2 * at + k % 2] = 1;
    }
  const wal_instances in = {.count = pairs, .n = 2, .m = 2, .v = v, .x = x, .b = b};
  for (int k = 0; k < 4; k++) {
    wal_mechanism *f;
    ck_assert_int_eq(wal_mechanism_create(names[k], 2, 2, NULL, &f), WAL_OK);
    ck_assert_int_eq(wal_mechanism_allocate(f, &in, a), WAL_OK);
    wal_mechanism_destroy(f);
    for (double kappa = 0.1; kappa < 100; kappa *= 4)
      ck_assert_double_ge(literal(&g, kappa, a), solve(&g, kappa, best).bound - 1e-7);
  }
}
END_TEST

/* ---- the whole ---- */

enum { POINTS = 3 };
static const double kappas[POINTS] = {20, 40, 160};

static void whole(const wal_frontier_options *o, wal_frontier_point *points, wal_frontier_pf_level *pf) {
  ck_assert_msg(wal_frontier_bound(o, kappas, POINTS, points, pf) == WAL_OK, "%s", wal_error());
}

START_TEST(same_bits_with_any_threads) {
  wal_frontier_options o = wal_frontier_defaults();
  o.types = 3;
  o.profiles = 3;
  o.levels = _i;
  wal_frontier_point points[2][POINTS];
  wal_frontier_pf_level pf[2];
  for (int k = 0; k < 2; k++) {
    wal_threads_set(k ? 4 : 1);
    whole(&o, points[k], &pf[k]);
  }
  ck_assert_mem_eq(points[0], points[1], sizeof points[0]);
  ck_assert_mem_eq(&pf[0], &pf[1], sizeof pf[0]);
}
END_TEST

START_TEST(whole_is_below_pf_and_orders) {
  wal_frontier_options o = wal_frontier_defaults();
  o.types = 4;
  o.profiles = 6;
  wal_frontier_point any[POINTS], tight[POINTS];
  wal_frontier_pf_level pf;
  whole(&o, any, &pf);
  o.least = 2;
  whole(&o, tight, &pf);
  ck_assert_double_le(wal_frontier_at(tight, POINTS, 1), 1);
  ck_assert_double_gt(wal_frontier_at(tight, POINTS, 1), 0.1);
  double before = 0;
  for (double nsw = 0.98; nsw <= 1; nsw += 0.002) {
    const double at = wal_frontier_at(any, POINTS, nsw);
    ck_assert_double_le(at, wal_frontier_at(tight, POINTS, nsw) + 1e-9);
    ck_assert_double_ge(at, before);
    before = at;
  }
  ck_assert_double_ge(any[POINTS - 1].nsw, 0.99); /* where welfare is dear: nearly PF's */
  for (int k = 0; k < POINTS; k++)                /* the table found lies on or above its own line */
    ck_assert_double_ge(any[k].expl - any[k].kappa * any[k].nsw, any[k].bound - 1e-6 * kappas[k]);
}
END_TEST

START_TEST(refuses) {
  wal_frontier_options o = wal_frontier_defaults();
  wal_frontier_point points[POINTS];
  wal_frontier_pf_level pf;
  o.high = 1.5;
  ck_assert_int_eq(wal_frontier_bound(&o, kappas, POINTS, points, &pf), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), "1.5"));
  o = wal_frontier_defaults();
  o.types = 0;
  ck_assert_int_eq(wal_frontier_bound(&o, kappas, POINTS, points, &pf), WAL_E_INPUT);
  o = wal_frontier_defaults();
  o.least = 3;
  ck_assert_int_eq(wal_frontier_bound(&o, kappas, POINTS, points, &pf), WAL_E_INPUT);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("models/frontier_bound");
  TCase *law = tcase_create("law"), *program = tcase_create("program"), *all = tcase_create("whole");
  tcase_set_timeout(law, 120);
  tcase_set_timeout(program, 120);
  tcase_set_timeout(all, 120);
  tcase_add_test(law, ratios_have_their_law);
  tcase_add_test(law, values_given_a_ratio_have_their_mean);
  tcase_add_test(law, pf_level_is_that_of_the_law);
  tcase_add_loop_test(program, measures_are_the_definitions, 0, 2);
  tcase_add_loop_test(program, no_table_is_below, 0, 2);
  tcase_add_test(program, brute_force_agrees);
  tcase_add_loop_test(program, ends_and_order, 0, 2);
  tcase_add_loop_test(program, more_types_raise_the_bound, 0, 2);
  tcase_add_loop_test(program, mechanisms_are_above, 0, 2);
  tcase_add_loop_test(all, same_bits_with_any_threads, 0, 2);
  tcase_add_test(all, whole_is_below_pf_and_orders);
  tcase_add_test(all, refuses);
  suite_add_tcase(suite, law);
  suite_add_tcase(suite, program);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
