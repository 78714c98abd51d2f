/* Networks as plain data: exported, used again on the same buyers to the same bits, and on others. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/market/contexts.h"
#include "models/market/network.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"
#include "tests/models/market_fixture.h"
#include "tests/suite.h"

enum { N = 1500, GOODS = 3, D = 5, SEED = 5 };

static const char *const recipes[] = {"fc", "fc_share", "tower"};

static wal_context_market market_of(int64_t n, int m, int d, double alpha, uint64_t seed) {
  wal_context_market market;
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, seed, n, m, d, alpha, &market), WAL_OK);
  return market;
}

static void train(const char *recipe, const wal_market *market, wal_solution *solution) {
  wal_solver_options options;
  wal_solver_defaults(&options);
  wal_network_options *all[] = {&options.fc, &options.fc_share, &options.tower};
  for (int i = 0; i < 3; i++) {
    all[i]->width = 12, all[i]->depth = 3, all[i]->batch = 32, all[i]->lr = 1e-2;
    all[i]->epochs = 8, all[i]->inner = 20, all[i]->warmup = 10;
    strcpy(all[i]->activation, "silu");
  }
  options.fc.lambda0 = 1;
  options.seed = SEED;
  const wal_solver *solver = wal_solver_find(recipe);
  ck_assert_msg(solver->solve(market, &options, NULL, solution) == WAL_OK, "%s", wal_error());
}

static wal_trained_network trained(const char *recipe, const wal_market *market) {
  wal_solution solution;
  wal_trained_network network;
  train(recipe, market, &solution);
  ck_assert_int_eq(wal_trained_network_export(solution.allocation, &network), WAL_OK);
  wal_solution_destroy(&solution);
  return network;
}

START_TEST(export_is_complete) {
  wal_context_market market = market_of(N, GOODS, D, 0.5, SEED);
  wal_solution solution;
  wal_trained_network network;
  train(recipes[_i], &market.market, &solution);
  ck_assert_int_eq(wal_trained_network_export(solution.allocation, &network), WAL_OK);
  ck_assert_str_eq(network.recipe, recipes[_i]);
  ck_assert_str_eq(network.activation, "silu");
  ck_assert(network.m == GOODS && network.d == D && network.alpha == 0.5);
  ck_assert(network.width == 12 && network.depth == 3 && network.seed == SEED && network.steps == 160);
  const int inputs = _i == 2 ? D : 2 * D, outputs = _i == 2 ? GOODS : 1;
  ck_assert_int_eq(network.parameter_count, 12 * (inputs + 1) + 12 * (12 + 1) + outputs * (12 + 1));
  ck_assert_mem_eq(network.goods, market.goods, GOODS * D * sizeof(float));
  ck_assert_mem_eq(network.lambda, solution.price, GOODS * sizeof(double));
  for (int j = 0; j < GOODS; j++) ck_assert_double_eq(network.mean[j], 1);
  wal_trained_network_destroy(&network);
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
}
END_TEST

/* The same buyers at the same prices: the same bits. */
START_TEST(reuse_has_the_same_bits) {
  wal_context_market market = market_of(N, GOODS, D, 0.5, SEED);
  wal_solution solution;
  wal_trained_network network;
  wal_allocation *again;
  train(recipes[_i], &market.market, &solution);
  ck_assert_int_eq(wal_trained_network_export(solution.allocation, &network), WAL_OK);
  ck_assert_int_eq(wal_trained_network_allocation(&network, &market.market, solution.price, &again), WAL_OK);
  double *x = malloc(2 * N * GOODS * sizeof *x), *y = x + N * GOODS;
  ck_assert_int_eq(solution.allocation->ops->fill(solution.allocation, 0, N, x), WAL_OK);
  ck_assert_int_eq(again->ops->fill(again, 0, N, y), WAL_OK);
  ck_assert_mem_eq(x, y, N * GOODS * sizeof *x);
  free(x);
  wal_allocation_destroy(again);
  wal_trained_network_destroy(&network);
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
}
END_TEST

/* The exact equilibrium's Nash gap is 0: a trained network's gap on buyers that it never saw is a small part
   of the gap of equal division. */
static double naive_gap(const wal_market *market) {
  wal_solution solution;
  wal_solver_options options;
  wal_measures q;
  wal_solver_defaults(&options);
  ck_assert_int_eq(wal_solver_find("naive")->solve(market, &options, NULL, &solution), WAL_OK);
  ck_assert_int_eq(wal_measure(market, solution.allocation, solution.price, &q), WAL_OK);
  wal_solution_destroy(&solution);
  return q.nash_gap;
}

/* Other buyers before the same goods, supplies not n each: the prices clear the share outputs' demand without
   training, and the budgets buy the supply. */
START_TEST(other_buyers) {
  wal_context_market market = market_of(N, GOODS, D, 0.5, SEED),
                     other = market_of(4 * N, GOODS, D, 0.5, SEED);
  wal_trained_network network = trained(recipes[_i], &market.market);
  for (int j = 0; j < GOODS; j++) other.supply[j] = 100 * (j + 1);
  double price[GOODS], budget[4 * N], worth = 0, money = 0;
  wal_allocation *allocation;
  wal_measures q;
  ck_assert_int_eq(wal_trained_network_prices(&network, &other.market, price), WAL_OK);
  ck_assert_int_eq(other.source->ops->rows(other.source, 0, 4 * N, NULL, budget), WAL_OK);
  for (int i = 0; i < 4 * N; i++) money += budget[i];
  for (int j = 0; j < GOODS; j++) worth += price[j] * other.supply[j];
  ck_assert_double_eq_tol(worth / money, 1, 1e-12);
  ck_assert_int_eq(wal_trained_network_allocation(&network, &other.market, price, &allocation), WAL_OK);
  ck_assert_int_eq(wal_measure(&other.market, allocation, price, &q), WAL_OK);
  ck_assert_double_gt(q.nash_gap, 0);
  ck_assert_double_lt(q.vop, 1e-12);
  if (_i > 0) { /* alpha = 0.5 with a share output: a good's supply scales its price alone */
    ck_assert_double_lt(q.voa, 1e-12);
    ck_assert_double_lt(q.nash_gap, naive_gap(&other.market));
  }
  wal_allocation_destroy(allocation);
  wal_trained_network_destroy(&network);
  wal_context_market_destroy(&other);
  wal_context_market_destroy(&market);
}
END_TEST

static void refused(const wal_trained_network *network, const wal_market *market, wal_status status,
                    const char *message) {
  double price[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  wal_allocation *allocation;
  ck_assert_int_eq(wal_trained_network_allocation(network, market, price, &allocation), status);
  ck_assert_ptr_null(allocation);
  ck_assert_str_eq(wal_error(), message);
  ck_assert_int_eq(wal_trained_network_prices(network, market, price), status);
  ck_assert_str_eq(wal_error(), message);
}

START_TEST(refusals) {
  wal_context_market market = market_of(N, GOODS, D, 0.5, SEED), other = market_of(N, 4, 6, 0.5, SEED),
                     strange = market_of(N, GOODS, D, 0.5, 6);
  wal_trained_network network = trained("tower", &market.market);
  refused(
      &network, &other.market, WAL_E_INPUT,
      "the market has m = 4 goods and contexts of d = 6 elements; the network was trained with m = 3, d = 5");
  strange.goods[0] = network.goods[0], strange.goods[1] = 2, network.goods[1] = 1;
  refused(&network, &strange.market, WAL_E_INPUT,
          "element 1 of good 0 is 2; the network was trained on goods where it is 1");
  network.goods[1] = market.goods[1];
  market.market.alpha = 0.9;
  refused(&network, &market.market, WAL_E_INPUT,
          "the market's alpha is 0.9; the network was trained at alpha = 0.5");
  market.market.alpha = 0.5, network.parameter_count--;
  refused(&network, &market.market, WAL_E_INPUT,
          "the network has 266 parameters; width 12 and depth 3 ask for 267");
  network.parameter_count++, strcpy(network.recipe, "frame");
  refused(&network, &market.market, WAL_E_INPUT,
          "the network's recipe is 'frame'; expected fc, fc_share or tower");
  wal_trained_network_destroy(&network);
  wal_context_market_destroy(&strange);
  wal_context_market_destroy(&other);
  wal_context_market_destroy(&market);
}
END_TEST

START_TEST(only_networks_are_exported) {
  const double x[2] = {1, 1};
  wal_allocation *allocation;
  wal_trained_network network;
  ck_assert_int_eq(wal_allocation_constant(2, x, &allocation), WAL_OK);
  ck_assert_int_eq(wal_trained_network_export(allocation, &network), WAL_E_UNSUPPORTED);
  wal_trained_network_destroy(&network);
  wal_allocation_destroy(allocation);
  test_market dense = test_market_create(1, 4, 3, 0.5, 1);
  wal_context_market market = market_of(N, GOODS, D, 0.5, SEED);
  network = trained("fc_share", &market.market);
  refused(&network, &dense.market, WAL_E_UNSUPPORTED,
          "fc_share needs a market whose buyers and goods have contexts; newton needs none");
  wal_trained_network_destroy(&network);
  wal_context_market_destroy(&market);
  test_market_destroy(&dense);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("models/network");
  TCase *tests = tcase_create("network");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, export_is_complete, 0, 3);
  tcase_add_loop_test(tests, reuse_has_the_same_bits, 0, 3);
  tcase_add_loop_test(tests, other_buyers, 0, 3);
  tcase_add_test(tests, refusals);
  tcase_add_test(tests, only_networks_are_exported);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
