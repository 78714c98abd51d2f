/* The stable set by cells: against every allocation of a grid, matchings, a linear program, Algorithm 1, and
   the definition of stability written once more. */
#include <math.h>
#include <string.h>

#include "models/common/lp.h"
#include "models/common/rng.h"
#include "models/pricing/cells.h"
#include "models/pricing/gale_shapley.h"
#include "models/pricing/kinds.h"
#include "tests/suite.h"

#define OK(call) ck_assert_msg((call) == WAL_OK, "%s", wal_error())

enum { MOST = 16 }; /* buyers times items */

static double uniform(uint64_t k) { return wal_rng_uniform(7, WAL_STREAM_TEST, k); }
static int below(uint64_t k, uint64_t bound) { return (int)wal_rng_below(7, WAL_STREAM_TEST, k, bound); }

/* ---- stability by the definition, to tol ---- */

static bool closed(const wal_pricing_market *market, const double *x, int i, int j, double tol) {
  const int *rank = market->rank + j * market->n;
  double sold = 0;
  for (int k = 0; k < market->n; k++) {
    sold += x[k * market->m + j];
    if (k != i && x[k * market->m + j] > tol && rank[k] > rank[i]) return false;
  }
  return sold >= 1 - tol;
}

static bool stable_buyer(const wal_pricing_market *market, const double *x, int i, double tol) {
  const double *own = x + i * market->m, *v = market->value + i * market->m,
               *p = market->price + i * market->m;
  double spent = 0;
  for (int j = 0; j < market->m; j++) {
    if (own[j] < -tol || (own[j] > tol && !(v[j] > 0))) return false;
    spent += p[j] * own[j];
  }
  if (spent > market->budget[i] + tol) return false;
  for (int j = 0; j < market->m; j++) {
    if (!(v[j] > 0) || closed(market, x, i, j, tol)) continue;
    if (spent < market->budget[i] - tol) return false;
    for (int k = 0; k < market->m; k++) /* it holds k, and prefers j */
      if (own[k] > tol && p[j] * v[k] < p[k] * v[j]) return false;
  }
  return true;
}

static bool stable(const wal_pricing_market *market, const double *x, double tol) {
  for (int j = 0; j < market->m; j++) {
    double sold = 0;
    for (int i = 0; i < market->n; i++) sold += x[i * market->m + j];
    if (sold > 1 + tol) return false;
  }
  for (int i = 0; i < market->n; i++)
    if (!stable_buyer(market, x, i, tol)) return false;
  return true;
}

static double inner(const double *c, const double *x, int count) {
  double sum = 0;
  for (int k = 0; k < count; k++) sum += c[k] * x[k];
  return sum;
}

static wal_stable_range range_of(const wal_pricing_market *market, const double *c) {
  wal_stable_range range;
  OK(wal_stable_objective(market, c, NULL, &range));
  const int count = market->n * market->m;
  ck_assert(stable(market, range.at_low.x, 1e-8) && stable(market, range.at_high.x, 1e-8));
  ck_assert_double_eq_tol(inner(c, range.at_low.x, count), range.low, 1e-9);
  ck_assert_double_eq_tol(inner(c, range.at_high.x, count), range.high, 1e-9);
  return range;
}

/* ---- a grid ---- */

/* 2 x 2, budgets and prices 1 or 2, so that all corners of all cells are twelfths. */
static wal_pricing_market small_market(uint64_t k) {
  wal_pricing_market market;
  OK(wal_pricing_market_create(2, 2, &market));
  for (int e = 0; e < 4; e++) {
    market.value[e] = below(32 * k + (uint64_t)e, 4);
    if (market.value[e] == 0 && e % 3 == 0) market.value[e] = 1;
    market.price[e] = 1 + below(32 * k + 4 + (uint64_t)e, 2);
    market.rank[e] = below(32 * k + 8 + (uint64_t)e, 2);
    if (e < 2) market.budget[e] = 1 + below(32 * k + 12 + (uint64_t)e, 2);
  }
  return market;
}

START_TEST(grid) {
  for (uint64_t k = 0; k < 60; k++) {
    wal_pricing_market market = small_market(k);
    double c[4], x[4], low = INFINITY, high = -INFINITY;
    for (int e = 0; e < 4; e++) c[e] = below(32 * k + 16 + (uint64_t)e, 7) - 3;
    for (int p = 0; p < 13 * 13 * 13 * 13; p++) {
      for (int e = 0, rest = p; e < 4; e++, rest /= 13) x[e] = (rest % 13) / 12.0;
      if (x[0] + x[2] > 1.01 || x[1] + x[3] > 1.01 || !stable(&market, x, 1e-9)) continue;
      low = fmin(low, inner(c, x, 4));
      high = fmax(high, inner(c, x, 4));
    }
    wal_stable_range range = range_of(&market, c);
    ck_assert_double_eq_tol(range.low, low, 1e-9);
    ck_assert_double_eq_tol(range.high, high, 1e-9);
    wal_stable_range_destroy(&range);
    wal_pricing_market_destroy(&market);
  }
}
END_TEST

/* ---- random markets ---- */

START_TEST(algorithm_is_inside) {
  for (int64_t k = 0; k < 40; k++) {
    wal_pricing_market market;
    wal_pricing_allocation x;
    wal_gale_shapley_report report;
    double c[MOST];
    OK(wal_pricing_draw((wal_pricing_kind)_i, 5, k, 1 + below((uint64_t)k, 4), 1 + below(99 + (uint64_t)k, 4),
                        false, &market));
    for (int e = 0; e < MOST; e++) c[e] = uniform(1000 + 16 * (uint64_t)k + (uint64_t)e) - 0.5;
    OK(wal_gale_shapley(&market, NULL, &x, &report));
    wal_stable_range range = range_of(&market, c);
    const double value = inner(c, x.x, market.n * market.m);
    ck_assert_double_ge(value, range.low - 1e-9);
    ck_assert_double_le(value, range.high + 1e-9);
    wal_stable_range_destroy(&range);
    wal_pricing_allocation_destroy(&x);
    wal_pricing_market_destroy(&market);
  }
}
END_TEST

/* max sum p x without stability. */
static double most_revenue(const wal_pricing_market *market) {
  const int n = market->n, m = market->m;
  wal_lp *lp = wal_lp_create(true);
  wal_lp_outcome outcome;
  for (int k = 0; k < n * m; k++) wal_lp_column(lp, 0, market->value[k] > 0, market->price[k]);
  for (int j = 0; j < m; j++) wal_lp_row(lp, -INFINITY, 1);
  for (int i = 0; i < n; i++) wal_lp_row(lp, -INFINITY, market->budget[i]);
  for (int k = 0; k < n * m; k++) {
    wal_lp_set(lp, k % m, k, 1);
    wal_lp_set(lp, m + k / m, k, market->price[k]);
  }
  OK(wal_lp_solve(lp, &outcome));
  ck_assert_int_eq(outcome, WAL_LP_OPTIMAL);
  const double most = wal_lp_objective(lp);
  wal_lp_destroy(lp);
  return most;
}

/* Theorem 2: with uniform prices stability costs no revenue. Theorem 8: revenues differ by a factor of 2 at
   most, where prices are uniform or priorities natural. */
START_TEST(revenues) {
  const wal_pricing_kind kinds[] = {WAL_PRICING_UNIFORM, WAL_PRICING_UNIFORM_RANKED, WAL_PRICING_NATURAL};
  for (int64_t k = 0; k < 40; k++) {
    wal_pricing_market market;
    OK(wal_pricing_draw(kinds[_i], 6, k, 4, 3, false, &market));
    wal_stable_range range = range_of(&market, market.price);
    ck_assert_double_le(range.high, 2 * range.low + 1e-9);
    if (kinds[_i] == WAL_PRICING_UNIFORM) ck_assert_double_eq_tol(range.high, most_revenue(&market), 1e-9);
    wal_stable_range_destroy(&range);
    wal_pricing_market_destroy(&market);
  }
}
END_TEST

START_TEST(strict_natural_is_unique) { /* Theorem 5 */
  for (int64_t k = 0; k < 25; k++) {
    wal_pricing_market market;
    bool unique;
    double widest;
    OK(wal_pricing_draw(WAL_PRICING_STRICT, 7, k, 4, 4, false, &market));
    OK(wal_pricing_natural(&market));
    OK(wal_stable_unique(&market, NULL, &unique, &widest));
    ck_assert_msg(unique, "market %d: %g", (int)k, widest);
    wal_pricing_market_destroy(&market);
  }
}
END_TEST

/* ---- the paper's markets ---- */

static wal_pricing_market table(int n, int m, const double *budget, const double *value,
                                const double *price) {
  wal_pricing_market market;
  OK(wal_pricing_market_create(n, m, &market));
  memcpy(market.budget, budget, (size_t)n * sizeof *budget);
  memcpy(market.value, value, (size_t)(n * m) * sizeof *value);
  memcpy(market.price, price, (size_t)(n * m) * sizeof *price);
  return market;
}

START_TEST(section_4) {
  wal_pricing_market market = table(2, 2, (double[]){1, 1}, (double[]){1, 1, 0, 1}, (double[]){1, 1, 1, 1});
  wal_stable_range range = range_of(&market, market.price);
  bool unique;
  double widest;
  ck_assert_double_eq_tol(range.low, 1, 1e-12);
  ck_assert_double_eq_tol(range.high, 2, 1e-12);
  OK(wal_stable_unique(&market, NULL, &unique, &widest));
  ck_assert(!unique);
  ck_assert_double_eq_tol(widest, 1, 1e-9);
  wal_stable_range_destroy(&range);
  OK(wal_stable_objective_at_best(&market, (double[]){0, 1, 0, 0}, NULL, &range));
  ck_assert_double_eq_tol(range.high, 0, 1e-9); /* buyer 1 gets item 1 where revenue is 2 */
  wal_stable_range_destroy(&range);
  wal_pricing_market_destroy(&market);
}
END_TEST

/* Buyer 0 has 1/20 for items 0 or 1, buyer 1 takes the rest of item 1 and, last of all shares, item 2. */
START_TEST(a_narrow_range) {
  const double one[6] = {1, 1, 1, 1, 1, 1};
  wal_pricing_market market = table(2, 3, (double[]){0.05, 3}, (double[]){1, 1, 0, 0, 1, 1}, one);
  bool unique;
  double widest;
  OK(wal_stable_unique(&market, NULL, &unique, &widest));
  ck_assert(!unique);
  ck_assert_double_eq_tol(widest, 0.05, 1e-9);
  wal_pricing_market_destroy(&market);
}
END_TEST

/* Of 2 and 2^12 cells the 2 are searched, whichever way they are cut. */
START_TEST(the_fewer_cells) {
  const double ones[12] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  for (int buyers = 0; buyers < 2; buyers++) {
    wal_pricing_market market = table(buyers ? 12 : 1, buyers ? 1 : 12, ones, ones, ones);
    wal_stable_set *set;
    double low;
    ck_assert_int_eq(wal_stable_cells(&market), 2);
    OK(wal_stable_set_create(&market, NULL, &set));
    OK(wal_stable_set_least(set, ones, &low, NULL));
    ck_assert_double_eq_tol(low, 1, 1e-9);
    ck_assert_int_le(wal_stable_set_programs(set), 4);
    wal_stable_set_destroy(set);
    wal_pricing_market_destroy(&market);
  }
}
END_TEST

/* min <1 + c/10^4, x> over shares of items that are always sold out is their number + min <c, x>/10^4: cells
   that differ in the fifth place only are told apart. */
START_TEST(near_cells) {
  int differ = 0;
  for (uint64_t k = 0; k < 300; k++) {
    wal_pricing_market market;
    double c[9], both[9];
    OK(wal_pricing_draw(WAL_PRICING_TIED, 8, (int64_t)k, 3, 3, false, &market));
    for (int i = 0; i < 3; i++) market.budget[i] += 4;
    for (int e = 0; e < 9; e++) {
      c[e] = uniform(20000 + 9 * k + (uint64_t)e);
      both[e] = 1 + 1e-4 * c[e];
    }
    wal_stable_range range = range_of(&market, c), near = range_of(&market, both);
    const double sold = inner((double[]){1, 1, 1, 1, 1, 1, 1, 1, 1}, near.at_low.x, 9);
    ck_assert_double_eq_tol(sold, 3, 1e-8); /* all have money enough */
    ck_assert_double_eq_tol(near.low, 3 + 1e-4 * range.low, 1e-9);
    ck_assert_double_eq_tol(near.high, 3 + 1e-4 * range.high, 1e-9);
    differ += range.high - range.low > 1e-3;
    wal_stable_range_destroy(&range);
    wal_stable_range_destroy(&near);
    wal_pricing_market_destroy(&market);
  }
  ck_assert_int_gt(differ, 50);
}
END_TEST

START_TEST(factor_100) { /* personalised prices, own priorities: Theorem 8 does not hold */
  wal_pricing_market market = table(2, 1, (double[]){100, 1}, (double[]){1, 1}, (double[]){100, 1});
  wal_stable_range range = range_of(&market, market.price);
  ck_assert_double_eq_tol(range.low, 1, 1e-9);
  ck_assert_double_eq_tol(range.high, 100, 1e-9);
  wal_stable_range_destroy(&range);
  wal_pricing_market_destroy(&market);
}
END_TEST

static bool is_matching(unsigned edges, int n, int m) {
  for (int i = 0; i < n; i++)
    if (__builtin_popcount(edges >> (i * m) & ((1u << m) - 1)) > 1) return false;
  for (int j = 0; j < m; j++) {
    int at = 0;
    for (int i = 0; i < n; i++) at += edges >> (i * m + j) & 1;
    if (at > 1) return false;
  }
  return true;
}

/* The fewest edges of a matching to which none can be added. */
static int minimum_maximal_matching(unsigned graph, int n, int m) {
  int fewest = n;
  for (unsigned edges = graph;; edges = (edges - 1) & graph) {
    bool maximal = is_matching(edges, n, m);
    for (int e = 0; e < n * m && maximal; e++)
      maximal = !(graph >> e & 1) || edges >> e & 1 || !is_matching(edges | 1u << e, n, m);
    if (maximal && __builtin_popcount(edges) < fewest) fewest = __builtin_popcount(edges);
    if (edges == 0) return fewest;
  }
}

START_TEST(lemma_4) {
  for (uint64_t k = 0; k < 30; k++) {
    double ones[MOST], value[MOST];
    unsigned graph = 0;
    for (int e = 0; e < MOST; e++) {
      ones[e] = 1;
      value[e] = e % 5 == 0 || uniform(9000 + 16 * k + (uint64_t)e) < 0.35;
      if (value[e] > 0) graph |= 1u << e;
    }
    wal_pricing_market market = table(4, 4, ones, value, ones);
    wal_stable_range range = range_of(&market, market.price);
    ck_assert_double_eq_tol(range.low, minimum_maximal_matching(graph, 4, 4), 1e-9);
    wal_stable_range_destroy(&range);
    wal_pricing_market_destroy(&market);
  }
}
END_TEST

/* ---- refusal ---- */

START_TEST(too_many_cells) {
  wal_pricing_market market;
  bool unique;
  double widest;
  OK(wal_pricing_draw(WAL_PRICING_STRICT, 1, 0, 10, 10, false, &market));
  for (int e = 0; e < 100; e++) market.value[e] = 1;
  ck_assert_int_eq(wal_stable_cells(&market), 25937424601); /* 11^10 either way */
  ck_assert_int_eq(wal_stable_unique(&market, NULL, &unique, &widest), WAL_E_UNSUPPORTED);
  ck_assert_ptr_nonnull(strstr(wal_error(), "25937424601 cells"));
  const wal_cells_options few = {.most_cells = INT64_MAX, .most_programs = 20};
  ck_assert_int_eq(wal_stable_unique(&market, &few, &unique, &widest), WAL_E_UNSUPPORTED);
  ck_assert_ptr_nonnull(strstr(wal_error(), "20 linear programs"));
  wal_pricing_market_destroy(&market);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("pricing_cells");
  TCase *tests = tcase_create("cells");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, grid);
  tcase_add_loop_test(tests, algorithm_is_inside, 0, WAL_PRICING_KINDS);
  tcase_add_loop_test(tests, revenues, 0, 3);
  tcase_add_test(tests, strict_natural_is_unique);
  tcase_add_test(tests, section_4);
  tcase_add_test(tests, a_narrow_range);
  tcase_add_test(tests, the_fewer_cells);
  tcase_add_test(tests, near_cells);
  tcase_add_test(tests, factor_100);
  tcase_add_test(tests, lemma_4);
  tcase_add_test(tests, too_many_cells);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
