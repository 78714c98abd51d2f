/* MarketFCNet on the device against the CPU's: single steps, epochs, whole trainings and networks' use. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gpu/market/fc_cuda.h"
#include "models/common/rng.h"
#include "models/market/contexts.h"
#include "models/market/fc_training.h"
#include "models/market/network.h"
#include "models/market/solvers.h"
#include "models/market/welfare.h"
#include "tests/gpu/gpu_suite.h"

void wal_chunk_limit(int64_t buyers); /* gpu/market/buyers.h */

enum { N = 500, M = 3, D = 5, BATCH = 8, ROWS = 2 * BATCH, INNER = 6 };

static const wal_fc_recipe *const recipes[] = {&wal_fc_recipe_fc, &wal_fc_recipe_fc_share,
                                               &wal_fc_recipe_tower};
static const char *const estimators[] = {"diagonal", "product", "u_statistic"};
static const char *const activations[] = {"relu", "tanh", "silu"};
static const double alphas[] = {1, 0.5, 0, -1};

static void ok(wal_status status) { ck_assert_msg(status == WAL_OK, "%s", wal_error()); }

static wal_context_market market_of(int64_t n, double alpha) {
  wal_context_market market;
  ok(wal_context_market_create(WAL_CONTEXTS_NORMAL, 5, n, M, D, alpha, &market));
  return market;
}

static wal_network_options options_of(int estimator, int activation) {
  wal_network_options options = {.width = 8,
                                 .depth = 3,
                                 .batch = BATCH,
                                 .epochs = 6,
                                 .inner = INNER,
                                 .lr = 1e-2,
                                 .warmup = 4,
                                 .cosine = true,
                                 .rho = 0.2,
                                 .lambda0 = 0.5,
                                 .price_buyers = 100,
                                 .precision = "float32"};
  strcpy(options.estimator, estimators[estimator]);
  strcpy(options.activation, activations[activation]);
  return options;
}

/* A training that is begun on a device, before its first step. */
static wal_fc_training begun(const wal_device *device, int recipe, const wal_market *market,
                             const wal_network_options *options) {
  static const wal_trace silent;
  wal_fc_training t = {
      .recipe = recipes[recipe], .market = market, .options = options, .trace = &silent, .seed = 7};
  wal_device_use(device);
  ok(wal_fc_training_begin(&t));
  t.epoch = 1;
  wal_fc_begin_epoch(&t);
  return t;
}

static void state(const wal_fc_training *t, int which, float *out) {
  ok(t->network->net->ops->get(t->network->net, which, out));
}

/* The largest difference beside the largest number. */
static double distance(int64_t count, const float *a, const float *b) {
  double most = 0, size = 0;
  for (int64_t k = 0; k < count; k++) {
    most = fmax(most, fabs((double)a[k] - b[k]));
    size = fmax(size, fabs(a[k]));
  }
  return most / size;
}

enum { PARAMETERS = 512 }; /* enough for every network here */

/* One step: the loss, and the gradient, which only the same buyers have. Share output: what they spend. */
START_TEST(step_is_the_cpus) {
  const int recipe = _i / 12, estimator = _i / 4 % 3;
  wal_context_market market = market_of(N, alphas[_i % 4]);
  const wal_network_options options = options_of(estimator, (recipe + estimator) % 3);
  wal_fc_training cpu = begun(&wal_device_cpu, recipe, &market.market, &options);
  wal_fc_training gpu = begun(&wal_device_cuda, recipe, &market.market, &options);
  ck_assert_str_eq(gpu.network->ops->name, "cuda");
  const int64_t count = cpu.network->about.parameter_count;
  ck_assert_int_le(count, PARAMETERS);
  float ours[PARAMETERS], theirs[PARAMETERS];
  double loss[2];
  ok(cpu.network->ops->steps(&cpu, 1, &loss[0]));
  ok(gpu.network->ops->steps(&gpu, 1, &loss[1]));
  ck_assert_double_eq_tol(loss[1] / loss[0], 1, 1e-6);
  state(&cpu, 1, ours), state(&gpu, 1, theirs);
  ck_assert_double_lt(distance(count, ours, theirs), 1e-4);
  state(&cpu, 0, ours), state(&gpu, 0, theirs);
  /* fc_share: the last bias shifts all outputs alike, its gradient is rounding, and Adam takes a full step by
   * it */
  if (recipe != 1) ck_assert_double_lt(distance(count, ours, theirs), 1e-4);
  ck_assert(gpu.steps == 1 && gpu.draws == ROWS);
  for (int j = 0; recipe > 0 && j < M; j++) ck_assert_double_eq_tol(gpu.spent[j] / cpu.spent[j], 1, 1e-5);
  wal_fc_training_end(&gpu);
  wal_fc_training_end(&cpu);
  wal_context_market_destroy(&market);
}
END_TEST

/* tf32 and bf16: the loss before the first step to the digits that the factors keep, and another gradient
   than float32's. Unknown formats are refused. */
START_TEST(precisions) {
  static const char *const names[] = {"tf32", "bf16"};
  static const double digits[] = {1e-3, 1e-2};
  wal_context_market market = market_of(N, 0.5);
  wal_network_options options = options_of(1, 1);
  wal_fc_training full = begun(&wal_device_cuda, 0, &market.market, &options);
  strcpy(options.precision, names[_i]);
  wal_fc_training t = begun(&wal_device_cuda, 0, &market.market, &options);
  float gradient[2][PARAMETERS];
  double loss[2];
  ok(full.network->ops->steps(&full, 1, &loss[0]));
  ok(t.network->ops->steps(&t, 1, &loss[1]));
  ck_assert_double_eq_tol(loss[1] / loss[0], 1, digits[_i]);
  state(&full, 1, gradient[0]), state(&t, 1, gradient[1]);
  const double apart = distance(t.network->about.parameter_count, gradient[0], gradient[1]);
  ck_assert_msg(apart > 1e-6 && apart < 10 * digits[_i], "%g", apart);
  wal_fc_training_end(&t);
  wal_fc_training_end(&full);
  strcpy(options.precision, "fp8");
  wal_fc_training none = {
      .recipe = recipes[0], .market = &market.market, .options = &options, .trace = NULL, .seed = 7};
  ck_assert_int_eq(wal_fc_training_begin(&none), WAL_E_INPUT);
  wal_fc_training_end(&none);
  wal_context_market_destroy(&market);
}
END_TEST

/* sum_j sum_i B_i s_ij = sum_i B_i over the buyers that the counter-based draws name, read one by one. */
START_TEST(buyers_are_the_drawn_ones) {
  wal_context_market market = market_of(N, 0.5);
  const wal_network_options options = options_of(1, 0);
  wal_fc_training t = begun(&wal_device_cuda, 1 + _i, &market.market, &options);
  double loss[INNER], money = 0, spent = 0;
  ok(t.network->ops->steps(&t, 2, loss));
  ok(t.network->ops->steps(&t, 1, loss));
  for (uint64_t draw = 0; draw < 3 * ROWS; draw++) {
    const int64_t i = (int64_t)wal_rng_below(t.seed, WAL_STREAM_BATCH, draw, N);
    double budget;
    ok(market.source->ops->rows(market.source, i, i + 1, NULL, &budget));
    money += budget;
  }
  for (int j = 0; j < M; j++) spent += t.spent[j];
  ck_assert_double_eq_tol(spent / money, 1, 1e-12);
  ck_assert_double_eq(t.count, 3 * ROWS);
  wal_fc_training_end(&t);
  wal_context_market_destroy(&market);
}
END_TEST

/* An epoch: its losses, its sums and the multipliers after it. */
START_TEST(epoch_is_the_cpus) {
  const int recipe = _i / 4;
  wal_context_market market = market_of(N, alphas[_i % 4]);
  const wal_network_options options = options_of(1, 1);
  wal_fc_training t[2];
  for (int k = 0; k < 2; k++) {
    t[k] = begun(k ? &wal_device_cuda : &wal_device_cpu, recipe, &market.market, &options);
    ok(t[k].network->ops->steps(&t[k], INNER, t[k].loss));
    ok(wal_fc_update_multipliers(&t[k]));
  }
  for (int s = 0; s < INNER; s++) ck_assert_double_eq_tol(t[1].loss[s] / t[0].loss[s], 1, 1e-4);
  for (int j = 0; j < M; j++) ck_assert_double_eq_tol(t[1].lambda[j] / t[0].lambda[j], 1, 1e-4);
  for (int j = 0; j < M; j++) ck_assert_double_eq_tol(t[1].demand[j] / t[0].demand[j], 1, 1e-4);
  ck_assert_double_eq(t[1].count, t[0].count);
  for (int k = 0; k < 2; k++) wal_fc_training_end(&t[k]);
  wal_context_market_destroy(&market);
}
END_TEST

/* What a training has come to after an epoch. */
typedef struct {
  double loss[INNER], spent[M], shares[M * M];
  float parameters[PARAMETERS];
} outcome;

static outcome after_epoch(int recipe, const wal_market *market, int first) {
  const wal_network_options options = options_of(2, 0);
  outcome o = {0};
  wal_fc_training t = begun(&wal_device_cuda, recipe, market, &options);
  ok(t.network->ops->steps(&t, first, o.loss));
  if (first < INNER) ok(t.network->ops->steps(&t, INNER - first, o.loss + first));
  memcpy(o.spent, t.spent, sizeof o.spent);
  memcpy(o.shares, t.shares, sizeof o.shares);
  state(&t, 0, o.parameters);
  wal_fc_training_end(&t);
  return o;
}

/* The same bits from replayed graphs and from launches one by one. */
START_TEST(replay_equals_launches) {
  wal_context_market market = market_of(N, 0.5);
  wal_fc_cuda_replay(false);
  const outcome launched = after_epoch(_i, &market.market, INNER);
  wal_fc_cuda_replay(true);
  const outcome replayed = after_epoch(_i, &market.market, INNER);
  ck_assert_mem_eq(&launched, &replayed, sizeof launched);
  ck_assert(launched.parameters[0] != 0 && (_i == 0) == (launched.spent[0] == 0));
  const outcome parts = after_epoch(_i, &market.market, 2); /* two calls of steps, which only sums can tell */
  ck_assert_mem_eq(launched.loss, parts.loss, sizeof parts.loss);
  ck_assert_mem_eq(launched.parameters, parts.parameters, sizeof parts.parameters);
  for (int k = 0; _i > 0 && k < M * M; k++)
    if (k % M <= k / M) ck_assert_double_eq_tol(launched.shares[k] / parts.shares[k], 1, 1e-14);
  wal_context_market_destroy(&market);
}
END_TEST

/* A user's file of contexts: here the drawn ones, so that the market is the same. */
static wal_status drawn_rows(const void *given, int64_t lo, int64_t hi, double *b) {
  const wal_context_market *market = given;
  for (int64_t i = lo; i < hi; i++)
    for (int e = 0; e < D; e++)
      b[(i - lo) * D + e] = wal_context_element(WAL_CONTEXTS_NORMAL, 5, WAL_STREAM_BUYERS, i, D, e);
  (void)market;
  return WAL_OK;
}

/* A population that the device cannot draw is uploaded: the same training to the bit. */
START_TEST(given_contexts_train_alike) {
  wal_context_market market = market_of(N, 0.5);
  double goods[M * D];
  for (int k = 0; k < M * D; k++)
    goods[k] = wal_context_element(WAL_CONTEXTS_NORMAL, 5, WAL_STREAM_GOODS, k / D, D, k % D);
  wal_source *given;
  ok(wal_source_given_contexts(M, D, goods, drawn_rows, &market, &given));
  wal_market same = market.market;
  same.buyers = given;
  const outcome drawn = after_epoch(_i, &market.market, INNER), uploaded = after_epoch(_i, &same, INNER);
  ck_assert_mem_eq(&drawn, &uploaded, sizeof drawn);
  wal_source_destroy(given);
  wal_context_market_destroy(&market);
}
END_TEST

/* ---- Whole trainings ---- */

typedef struct {
  int rows, reports, states;
  double gap, fraction, amount; /* the last of each; amount: of buyer 0 and good 0 */
} seen;

static void see_row(void *context, int count, const char *const names[], const double values[]) {
  seen *s = context;
  ck_assert(count == 5 && strcmp(names[2], "nash_gap") == 0 && values[0] == ++s->rows);
  s->gap = values[2];
}

static void see_progress(void *context, double fraction, const char *what) {
  seen *s = context;
  ck_assert(fraction > s->fraction && fraction <= 1 && what);
  s->fraction = fraction;
  s->reports++;
}

static void see_state(void *context, int64_t iteration, const wal_allocation *allocation,
                      const double *price) {
  seen *s = context;
  double x[M];
  ok(allocation->ops->fill(allocation, 0, 1, x));
  ck_assert(iteration > 0 && isfinite(price[0]));
  s->amount = x[0];
  s->states++;
}

static wal_solver_options solver_options(void) {
  wal_solver_options options;
  wal_solver_defaults(&options);
  options.fc = options.fc_share = options.tower = options_of(1, 0);
  wal_network_options *const all[] = {&options.fc, &options.fc_share, &options.tower};
  for (int k = 0; k < 3; k++) all[k]->inner = 15, all[k]->lr = 4e-2;
  options.seed = 7;
  return options;
}

static wal_status train(const wal_device *device, int recipe, const wal_market *market,
                        const wal_solver_options *options, seen *s, wal_solution *solution) {
  const wal_trace trace = {.context = s, .row = see_row, .progress = see_progress, .state = see_state};
  wal_device_use(device);
  return wal_solver_find(recipes[recipe]->name)->solve(market, options, &trace, solution);
}

/* The gap of all buyers, measured on a device. */
static double gap_of(const wal_device *device, const wal_market *market, const wal_solution *solution) {
  wal_measures q;
  wal_device_use(device);
  ok(wal_measure(market, solution->allocation, solution->price, &q));
  return q.nash_gap;
}

/* 90 steps on each device end at the same gap to 1%: roundings differ, and Adam's first steps magnify those
   of gradients near 0. The trace is called as on the CPU; its last gap is of all buyers, who are few. */
START_TEST(training_reaches_the_cpus_gap) {
  wal_context_market market = market_of(N, 0.5);
  wal_solver_options options = solver_options();
  options.fc.price_buyers = options.fc_share.price_buyers = options.tower.price_buyers = 0;
  wal_solution cpu, gpu;
  seen s[2] = {{0}, {0}};
  ok(train(&wal_device_cpu, _i, &market.market, &options, &s[0], &cpu));
  ok(train(&wal_device_cuda, _i, &market.market, &options, &s[1], &gpu));
  ck_assert(s[1].rows == 6 && s[1].states == 6 && s[1].reports > 0 && fabs(s[1].fraction - 1) < 1e-12);
  ck_assert_int_eq(gpu.iterations, 90);
  const double gap = gap_of(&wal_device_cpu, &market.market, &gpu);
  ck_assert(gap > 0 && gap < 0.2); /* equal division: 0.34 */
  ck_assert_double_eq_tol(gap_of(&wal_device_cuda, &market.market, &gpu) / gap, 1, 1e-10);
  wal_chunk_limit(300); /* two chunks */
  ck_assert_double_eq_tol(gap_of(&wal_device_cuda, &market.market, &gpu) / gap, 1, 1e-10);
  wal_chunk_limit(0);
  const double cpus = gap_of(&wal_device_cpu, &market.market, &cpu);
  ck_assert_double_eq_tol(gap_of(&wal_device_cuda, &market.market, &cpu) / cpus, 1, 1e-10);
  ck_assert_double_eq_tol(gap / cpus, 1, 1e-3);
  ck_assert_double_eq_tol(s[1].gap / gap, 1, 1e-10);
  double x[M];
  ok(gpu.allocation->ops->fill(gpu.allocation, 0, 1, x));
  ck_assert_double_eq(s[1].amount, x[0]);
  wal_solution_destroy(&gpu);
  wal_solution_destroy(&cpu);
  wal_context_market_destroy(&market);
}
END_TEST

/* The same message as on the CPU, in the epoch in which the loss stopped being finite. */
START_TEST(divergence_is_reported) {
  wal_context_market market = market_of(N, 0.5);
  wal_solver_options options = solver_options();
  options.fc.lr = 1e12, options.fc.warmup = 0, options.fc.cosine = false;
  wal_solution solution;
  seen s = {0};
  ck_assert_int_eq(train(&wal_device_cuda, 0, &market.market, &options, &s, &solution), WAL_E_DIVERGED);
  ck_assert_msg(strstr(wal_error(), "fc: ") && strstr(wal_error(), " in epoch ") &&
                    strstr(wal_error(), "a lower fc.lr than 1e+12 may help"),
                "%s", wal_error());
  ck_assert_ptr_null(solution.allocation);
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
}
END_TEST

/* ---- A network's use ---- */

enum { MANY = 2500 }; /* more than two chunks of buyers */

static wal_trained_network trained(const wal_device *device, int recipe, const wal_market *market) {
  wal_solver_options options = solver_options();
  options.fc.epochs = options.fc_share.epochs = options.tower.epochs = 1;
  wal_solution solution;
  wal_trained_network network;
  seen s = {0};
  ok(train(device, recipe, market, &options, &s, &solution));
  ok(wal_trained_network_export(solution.allocation, &network));
  wal_solution_destroy(&solution);
  return network;
}

static wal_allocation *applied(const wal_device *device, const wal_trained_network *network,
                               const wal_market *market, double *x /* [MANY, M] */) {
  static const double price[M] = {1.5, 0.5, 2};
  wal_allocation *allocation;
  wal_device_use(device);
  ok(wal_trained_network_allocation(network, market, price, &allocation));
  ok(allocation->ops->fill(allocation, 0, MANY, x));
  return allocation;
}

/* A network goes from one device to the other: the same parameters, allocations and prices to float32. */
START_TEST(networks_travel) {
  const int recipe = _i / 2;
  const wal_device *from = _i % 2 ? &wal_device_cuda : &wal_device_cpu;
  wal_context_market market = market_of(N, 0.5), many = market_of(MANY, 0.5);
  wal_trained_network network = trained(from, recipe, &market.market), back;
  static double x[2][MANY * M];
  double price[2][M];
  wal_allocation *cpu = applied(&wal_device_cpu, &network, &many.market, x[0]);
  ok(wal_trained_network_prices(&network, &many.market, price[0]));
  wal_allocation *gpu = applied(&wal_device_cuda, &network, &many.market, x[1]);
  ok(wal_trained_network_prices(&network, &many.market, price[1]));
  for (int k = 0; k < MANY * M; k++) ck_assert_double_eq_tol(x[1][k] / x[0][k], 1, 1e-4);
  for (int j = 0; j < M; j++) ck_assert_double_eq_tol(price[1][j] / price[0][j], 1, 1e-5);
  ok(wal_trained_network_export(gpu, &back));
  ck_assert_int_eq(back.parameter_count, network.parameter_count);
  ck_assert_mem_eq(back.parameters, network.parameters, (size_t)back.parameter_count * sizeof(float));
  wal_trained_network_destroy(&back);
  wal_trained_network_destroy(&network);
  wal_allocation_destroy(gpu);
  wal_allocation_destroy(cpu);
  wal_context_market_destroy(&many);
  wal_context_market_destroy(&market);
}
END_TEST

/* The demand of all buyers is the sum of what they get; it and the measures do not depend on the pieces that
   buyers go through in: 2048 or 1024. */
START_TEST(demand_is_the_sum) {
  static const double price[M] = {1.5, 0.5, 2};
  wal_measures q[2], cpu;
  wal_context_market many = market_of(MANY, 0.5);
  const wal_network_options options = options_of(1, 2);
  static double x[MANY * M];
  double demand[2][M], sum[M] = {0};
  for (int k = 0; k < 2; k++) {
    wal_chunk_limit(k ? 1 : 0);
    wal_fc_training t = begun(&wal_device_cuda, _i, &many.market, &options);
    ok(wal_fc_network_demand(t.network, MANY, demand[k]));
    ok(t.network->base.ops->fill(&t.network->base, 0, MANY, x));
    wal_chunk_limit(0);
    ok(wal_measure(&many.market, &t.network->base, price, &q[k]));
    wal_device_use(&wal_device_cpu);
    ok(wal_measure(&many.market, &t.network->base, price, &cpu));
    wal_fc_training_end(&t);
  }
  ck_assert_mem_eq(&q[0], &q[1], sizeof q[0]);
  ck_assert_double_eq_tol(q[0].nash_gap, cpu.nash_gap, 1e-12);
  ck_assert_double_eq_tol(q[0].lnw, cpu.lnw, 1e-12);
  ck_assert_double_eq_tol(q[0].voa, cpu.voa, 1e-12);
  for (int k = 0; k < MANY * M; k++) sum[k % M] += x[k];
  for (int j = 0; j < M; j++) ck_assert_double_eq_tol(demand[0][j] / sum[j], 1, 1e-12);
  ck_assert_mem_eq(demand[0], demand[1], sizeof demand[0]);
  wal_context_market_destroy(&many);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("gpu fc");
  TCase *tests = tcase_create("fc");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, step_is_the_cpus, 0, 36);
  tcase_add_loop_test(tests, precisions, 0, 2);
  tcase_add_loop_test(tests, buyers_are_the_drawn_ones, 0, 2);
  tcase_add_loop_test(tests, epoch_is_the_cpus, 0, 12);
  tcase_add_loop_test(tests, replay_equals_launches, 0, 3);
  tcase_add_loop_test(tests, given_contexts_train_alike, 0, 3);
  tcase_add_loop_test(tests, training_reaches_the_cpus_gap, 0, 3);
  tcase_add_test(tests, divergence_is_reported);
  tcase_add_loop_test(tests, networks_travel, 0, 6);
  tcase_add_loop_test(tests, demand_is_the_sum, 0, 3);
  suite_add_tcase(suite, tests);
  return gpu_suite_run(suite);
}
