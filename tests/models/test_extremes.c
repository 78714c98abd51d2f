/* Values over 30 orders of magnitude, budgets and supplies over 12, alpha near 0, 1 and -infinity: the answer
   satisfies the equilibrium's equations, recomputed in long double from prices alone, or the solver says why
   there is none. */
#include <string.h>

#include "models/market/solver.h"
#include "models/market/welfare.h"
#include "tests/models/market_fixture.h"
#include "tests/suite.h"

enum { MOST_GOODS = 12 };
typedef enum { PLAIN, VALUES, BUDGETS, SUPPLIES, ALL, GOODS, KINDS } kind;

static test_market extreme_market(kind which, int n, int m, double alpha) {
  test_market t = test_market_create(11, n, m, alpha, 1);
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++) {
      double *v = t.values + i * m + j;
      if (which == VALUES || which == ALL)
        *v = pow(10, 30 * wal_rng_uniform(1, WAL_STREAM_SWEEP, (uint64_t)(i * m + j)) - 15);
      if (which == GOODS) *v *= pow(10, 30.0 * j / (m - 1) - 15);
    }
  for (int i = 0; (which == BUDGETS || which == ALL) && i < n; i++) t.budget[i] = pow(10, i % 13 - 6);
  for (int j = 0; (which == SUPPLIES || which == ALL) && j < m; j++)
    t.supply[j] = pow(10, 12.0 * j / (m - 1) - 6);
  return t;
}

/* What buyers spend on each good (eqs. 21-24, 27-28), finite alpha < 1. */
static void spending(const test_market *t, const double *p, long double *spent) {
  const int m = t->market.m;
  const long double alpha = t->market.alpha;
  for (int j = 0; j < m; j++) spent[j] = 0;
  for (int64_t i = 0; i < t->market.n; i++) {
    long double share[MOST_GOODS], top = -INFINITY, total = 0;
    for (int j = 0; j < m; j++) {
      const long double log_v = logl(t->values[i * m + j]);
      share[j] = alpha == 0 ? log_v : alpha / (1 - alpha) * (log_v - logl(p[j]));
      top = fmaxl(top, share[j]);
    }
    for (int j = 0; j < m; j++) total += share[j] = expl(share[j] - top);
    for (int j = 0; j < m; j++) spent[j] += t->budget[i] * share[j] / total;
  }
}

static void check(const test_market *t, const wal_solution *s) {
  const double alpha = t->market.alpha;
  wal_measures measures;
  ck_assert_msg(wal_measure(&t->market, s->allocation, s->price, &measures) == WAL_OK, "%s", wal_error());
  ck_assert_double_le(fabs(measures.nash_gap), 2e-12);
  ck_assert_double_le(s->certified_gap, 1e-12);
  ck_assert_double_le(measures.voa, 1e-6);
  ck_assert_double_le(measures.vop, 1e-12);
  if (isinf(alpha) || alpha == 1) return; /* test_newton and test_linear_polish have their conditions */
  long double spent[MOST_GOODS];
  spending(t, s->price, spent);
  for (int j = 0; j < t->market.m; j++)
    ck_assert_double_eq_tol((double)(spent[j] / (t->supply[j] * (long double)s->price[j])), 1, 1e-6);
}

static const double alphas[] = {1,     0.999999, 0.9999, 0.99, 0.5,  1e-3, 1e-6, 1e-12, 0,    -1e-12,
                                -1e-6, -1e-3,    -1,     -10,  -100, -300, -1e3, -1e4,  -1e6, -INFINITY};
enum { ALPHAS = sizeof alphas / sizeof *alphas };

/* Where prices are moderate, or there is a limit program, it must be solved. */
static bool must_succeed(kind which, double alpha) {
  return alpha >= -1 || isinf(alpha) || (alpha >= -10 && which != GOODS) ||
         (alpha >= -100 && (which == PLAIN || which == BUDGETS));
}

START_TEST(solved_or_said_why) {
  const double alpha = alphas[_i];
  for (int which = PLAIN; which < KINDS; which++)
    for (int size = 0; size < 2; size++) {
      test_market t = extreme_market((kind)which, size ? 7 : 400, size ? 12 : 6, alpha);
      wal_solver_options options;
      wal_solver_defaults(&options);
      wal_solution s;
      const wal_status status = wal_solver_find("newton")->solve(&t.market, &options, NULL, &s);
      if (status == WAL_OK) {
        check(&t, &s);
      } else {
        ck_assert_msg(!must_succeed((kind)which, alpha), "kind %d, alpha %g: %s", which, alpha, wal_error());
        ck_assert_int_eq(status, WAL_E_DIVERGED);
        ck_assert_msg(strstr(wal_error(), "expected an alpha nearer 0, or -.inf"), "%s", wal_error());
        ck_assert_ptr_null(s.price);
      }
      wal_solution_destroy(&s);
      test_market_destroy(&t);
    }
}
END_TEST

int main(void) {
  Suite *s = suite_create("extremes");
  TCase *t = tcase_create("newton");
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, solved_or_said_why, 0, ALPHAS);
  suite_add_tcase(s, t);
  return run_suite(s);
}
