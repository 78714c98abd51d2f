#include <string.h>

#include "models/market/contexts.h"
#include "models/market/reduce.h"
#include "models/market/welfare.h"
#include "tests/models/market_fixture.h"
#include "tests/suite.h"

enum { N = 1500, M = 6, KEPT = 4 };
static const int kept[KEPT] = {1, 2, 4, 5};

static void drop_goods(test_market *t) {
  for (int i = 0; i < N; i++) t->values[i * M] = t->values[i * M + 3] = 0;
}

static wal_solution solve(const wal_market *market) {
  wal_solver_options options;
  wal_solver_defaults(&options);
  wal_solution s;
  ck_assert_msg(wal_solver_find("newton")->solve(market, &options, NULL, &s) == WAL_OK, "%s", wal_error());
  return s;
}

/* The same market written down without the two goods, solved on its own. */
START_TEST(unwanted_goods_cost_nothing) {
  static const double alphas[] = {0.9, 0.5, 0};
  test_market t = test_market_create(1, N, M, alphas[_i], 1);
  drop_goods(&t);
  double *values = malloc(N * KEPT * sizeof *values), supply[KEPT];
  for (int k = 0; k < KEPT; k++) {
    for (int i = 0; i < N; i++) values[i * KEPT + k] = t.values[i * M + kept[k]];
    supply[k] = t.supply[kept[k]];
  }
  wal_source *source;
  ck_assert_int_eq(wal_source_dense(N, KEPT, values, t.budget, &source), WAL_OK);
  const wal_market small = {.n = N, .m = KEPT, .alpha = alphas[_i], .buyers = source, .supply = supply};
  wal_solution alone = solve(&small);

  wal_reduced_market reduced;
  ck_assert_int_eq(wal_reduced_market_create(&t.market, &reduced), WAL_OK);
  ck_assert_int_eq(wal_market_check(&t.market), WAL_E_INPUT);
  ck_assert_int_eq(wal_market_check(&reduced.market), WAL_OK);
  ck_assert_int_eq(reduced.market.m, KEPT);
  ck_assert_int_eq(reduced.goods, M);
  ck_assert_mem_eq(reduced.good, kept, sizeof kept);
  wal_solution s = solve(&reduced.market);
  ck_assert_mem_eq(s.price, alone.price, sizeof supply);
  ck_assert_int_eq(wal_reduced_market_restore(&reduced, &s), WAL_OK);
  ck_assert(s.price[0] == 0 && s.price[3] == 0);
  double x[20 * M], y[20 * KEPT];
  ck_assert_int_eq(s.allocation->ops->fill(s.allocation, 1200, 1220, x), WAL_OK);
  ck_assert_int_eq(alone.allocation->ops->fill(alone.allocation, 1200, 1220, y), WAL_OK);
  for (int i = 0; i < 20; i++) {
    ck_assert(x[i * M] == 0 && x[i * M + 3] == 0);
    for (int k = 0; k < KEPT; k++) ck_assert_double_eq(x[i * M + kept[k]], y[i * KEPT + k]);
  }
  for (int k = 0; k < KEPT; k++) ck_assert_double_eq(s.price[kept[k]], alone.price[k]);
  wal_solution_destroy(&s);
  wal_solution_destroy(&alone);
  wal_reduced_market_destroy(&reduced);
  wal_source_destroy(source);
  free(values);
  test_market_destroy(&t);
}
END_TEST

START_TEST(a_market_without_such_goods_stays) {
  test_market t = test_market_create(2, N, M, 0.5, 1);
  wal_reduced_market reduced;
  ck_assert_int_eq(wal_reduced_market_create(&t.market, &reduced), WAL_OK);
  ck_assert_ptr_eq(reduced.market.buyers, t.market.buyers);
  ck_assert_int_eq(reduced.market.m, M);
  for (int j = 0; j < M; j++) ck_assert_int_eq(reduced.good[j], j);
  wal_solution s = solve(&reduced.market);
  const double *price = s.price;
  ck_assert_int_eq(wal_reduced_market_restore(&reduced, &s), WAL_OK);
  ck_assert_ptr_eq(s.price, price);
  wal_solution_destroy(&s);
  wal_reduced_market_destroy(&reduced);
  drop_goods(&t); /* complements: a zero value is for wal_market_check to refuse */
  t.market.alpha = -1;
  ck_assert_int_eq(wal_reduced_market_create(&t.market, &reduced), WAL_OK);
  ck_assert_int_eq(reduced.market.m, M);
  wal_reduced_market_destroy(&reduced);
  memset(t.values, 0, N * M * sizeof *t.values);
  t.market.alpha = 1;
  ck_assert_int_eq(wal_reduced_market_create(&t.market, &reduced), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(), "no buyer values any good; expected at least one positive value");
  wal_reduced_market_destroy(NULL);
  test_market_destroy(&t);
}
END_TEST

/* A contextual source that takes good 1 away from everybody. */
static const wal_source *drawn;
static wal_status without_good_1(const wal_source *source, int64_t lo, int64_t hi, double *v,
                                 double *budget) {
  (void)source;
  const wal_status status = drawn->ops->rows(drawn, lo, hi, v, budget);
  for (int64_t i = 0; v && i < hi - lo; i++) v[i * 3 + 1] = 0;
  return status;
}
static wal_status drawn_contexts(const wal_source *source, int64_t lo, int64_t hi, float *b) {
  (void)source;
  return drawn->ops->contexts(drawn, lo, hi, b);
}

START_TEST(contexts_stay_with_their_goods) {
  const wal_source_ops ops = {.name = "test", .rows = without_good_1, .contexts = drawn_contexts};
  const wal_source source = {&ops};
  wal_context_market c;
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, 1, 10, 3, 2, 0.5, &c), WAL_OK);
  drawn = c.source;
  wal_market market = c.market;
  market.buyers = &source;
  wal_reduced_market reduced;
  ck_assert_int_eq(wal_reduced_market_create(&market, &reduced), WAL_OK);
  ck_assert_int_eq(reduced.market.m, 2);
  ck_assert_mem_eq(reduced.market.goods, c.goods, 2 * sizeof(float));
  ck_assert_mem_eq(reduced.market.goods + 2, c.goods + 4, 2 * sizeof(float));
  float b[20], same[20];
  const wal_source *buyers = reduced.market.buyers;
  ck_assert_int_eq(buyers->ops->contexts(buyers, 0, 10, b), WAL_OK);
  ck_assert_int_eq(drawn->ops->contexts(drawn, 0, 10, same), WAL_OK);
  ck_assert_mem_eq(b, same, sizeof b);
  double v[20], whole[30], budget[10];
  ck_assert_int_eq(buyers->ops->rows(buyers, 0, 10, v, budget), WAL_OK);
  ck_assert_int_eq(drawn->ops->rows(drawn, 0, 10, whole, NULL), WAL_OK);
  for (int i = 0; i < 10; i++)
    ck_assert(v[2 * i] == whole[3 * i] && v[2 * i + 1] == whole[3 * i + 2] && budget[i] > 0);
  wal_reduced_market_destroy(&reduced);
  wal_context_market_destroy(&c);
}
END_TEST

int main(void) {
  Suite *s = suite_create("reduce");
  TCase *t = tcase_create("goods nobody wants");
  tcase_add_loop_test(t, unwanted_goods_cost_nothing, 0, 3);
  tcase_add_test(t, a_market_without_such_goods_stays);
  tcase_add_test(t, contexts_stay_with_their_goods);
  suite_add_tcase(s, t);
  return run_suite(s);
}
