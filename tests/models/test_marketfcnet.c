/* MarketFCNet: gradients of the loss against finite differences, unbiased estimates by enumerating every
   minibatch of a tiny population, and small trainings. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "models/market/contexts.h"
#include "models/market/fc_loss.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"
#include "tests/suite.h"

enum { M = 3, BATCH = 2, ROWS = 2 * BATCH };

static const double alphas[] = {1, 0.5, 0, -1};

/* A pair of minibatches with random positive numbers everywhere. */
typedef struct {
  double v[ROWS * M], budget[ROWS], lambda[M], mean[M];
  float z[ROWS * M];
  wal_fc_pair pair;
} instance;

static double draw(uint64_t *index) { return 0.5 + wal_rng_uniform(3, WAL_STREAM_TEST, (*index)++); }

static void fill(instance *q, double alpha, wal_fc_estimator estimator) {
  uint64_t index = 0;
  for (int i = 0; i < ROWS * M; i++) q->v[i] = draw(&index);
  for (int i = 0; i < ROWS; i++) q->budget[i] = draw(&index);
  for (int j = 0; j < M; j++) q->lambda[j] = draw(&index), q->mean[j] = draw(&index);
  for (int i = 0; i < ROWS * M; i++) q->z[i] = (float)(4 * draw(&index) - 4);
  q->pair = (wal_fc_pair){.m = M,
                          .batch = BATCH,
                          .estimator = estimator,
                          .alpha = alpha,
                          .rho = 0.7,
                          .v = q->v,
                          .budget = q->budget,
                          .lambda = q->lambda,
                          .mean = q->mean};
}

/* The textbook's output in the obvious way. */
static void naive_allocation(wal_fc_output output, const instance *q, const double *z, double *x) {
  for (int i = 0; i < ROWS; i++) {
    double sum = 0;
    for (int j = 0; j < M; j++) sum += exp(z[i * M + j]);
    for (int j = 0; j < M; j++)
      x[i * M + j] = output == WAL_FC_SOFTPLUS ? log(1 + exp(z[i * M + j]))
                                               : q->budget[i] * exp(z[i * M + j]) / sum / q->lambda[j];
  }
}

/* Estimates of the squared mean of y[ROWS], written down from their definitions. */
static double naive_estimate(wal_fc_estimator estimator, const double *y) {
  double first = 0, second = 0, sum = 0, squares = 0, diagonal = 0;
  for (int i = 0; i < ROWS; i++) sum += y[i], squares += y[i] * y[i];
  for (int i = 0; i < BATCH; i++) {
    first += y[i] / BATCH, second += y[BATCH + i] / BATCH;
    diagonal += y[i] * y[BATCH + i] / BATCH;
  }
  if (estimator == WAL_FC_DIAGONAL) return diagonal;
  if (estimator == WAL_FC_PRODUCT) return first * second;
  if (estimator == WAL_FC_U_STATISTIC) return (sum * sum - squares) / (ROWS * (ROWS - 1));
  return sum * sum / (ROWS * ROWS);
}

/* Eq. 3 with one of the estimates, written down from the paper. */
static double naive_lagrangian(wal_fc_output output, const instance *q, const double *z) {
  const wal_fc_pair *p = &q->pair;
  double x[ROWS * M], loss = 0;
  naive_allocation(output, q, z, x);
  for (int i = 0; i < ROWS; i++) {
    double u = 0, total = 0;
    for (int j = 0; j < M; j++) {
      const double v = q->v[i * M + j], xij = x[i * M + j];
      u += p->alpha == 0 ? v * log(xij) : pow(v * xij, p->alpha);
      total += v;
    }
    loss -= q->budget[i] * (p->alpha == 0 ? u / total : log(u) / p->alpha) / ROWS;
  }
  for (int j = 0; j < M; j++) {
    double y[ROWS], total = 0;
    for (int i = 0; i < ROWS; i++) y[i] = x[i * M + j] - q->mean[j], total += y[i];
    loss += q->lambda[j] * total / ROWS + p->rho / 2 * naive_estimate(p->estimator, y);
  }
  return loss;
}

/* The loss that the solver computes; its gradient into dz. */
static double lagrangian(wal_fc_output output, const instance *q, float *dz) {
  double x[ROWS * M], excess[2 * M], dx[M];
  for (int i = 0; i < ROWS; i++) wal_fc_allocate(output, M, q->z + i * M, q->budget[i], q->lambda, x + i * M);
  wal_fc_excess(&q->pair, x, excess);
  double loss = wal_fc_shared_term(&q->pair);
  for (int i = 0; i < ROWS; i++) {
    loss += wal_fc_buyer_term(&q->pair, excess, i, x, dx);
    wal_fc_pull_back(output, M, q->z + i * M, x + i * M, dx, dz + i * M);
  }
  return loss;
}

/* Both outputs, four alphas, four estimators. */
START_TEST(loss_and_gradient) {
  const wal_fc_output output = _i % 2 ? WAL_FC_SHARE : WAL_FC_SOFTPLUS;
  instance q;
  fill(&q, alphas[_i / 2 % 4], (wal_fc_estimator)(_i / 8));
  double z[ROWS * M];
  float dz[ROWS * M];
  for (int i = 0; i < ROWS * M; i++) z[i] = q.z[i];
  ck_assert_double_eq_tol(lagrangian(output, &q, dz), naive_lagrangian(output, &q, z), 1e-12);
  for (int i = 0; i < ROWS * M; i++) {
    const double at = z[i], h = 1e-6;
    z[i] = at + h;
    const double up = naive_lagrangian(output, &q, z);
    z[i] = at - h;
    const double down = naive_lagrangian(output, &q, z);
    z[i] = at;
    ck_assert_double_eq_tol(dz[i], (up - down) / (2 * h), 1e-7);
  }
}
END_TEST

/* Far outputs: softplus and softmax neither overflow nor lose the gradient's sign. */
START_TEST(extreme_outputs) {
  const double lambda[2] = {1, 2}, dx[2] = {-1, 1};
  const float z[2] = {90, -90};
  double x[2];
  float dz[2];
  wal_fc_allocate(WAL_FC_SOFTPLUS, 2, z, 1, lambda, x);
  ck_assert_double_eq_tol(x[0], 90, 1e-12);
  ck_assert_double_eq_tol(x[1] / exp(-90), 1, 1e-12);
  wal_fc_pull_back(WAL_FC_SOFTPLUS, 2, z, x, dx, dz);
  ck_assert_float_eq(dz[0], -1);
  ck_assert_float_eq_tol(dz[1] / (float)exp(-90), 1, 1e-3);
  wal_fc_allocate(WAL_FC_SHARE, 2, z, 3, lambda, x);
  ck_assert_double_eq_tol(x[0], 3, 1e-12);
  ck_assert_double_eq_tol(x[1] / (1.5 * exp(-180)), 1, 1e-10);
}
END_TEST

/* A population of N buyers and one good; every ordered sample of 2M of them with replacement. */
enum { N = 3, SAMPLES = 81 };
static const double population[N] = {0.2, 0.9, 2.5};

static void sample(int number, double *x) {
  for (int i = 0; i < ROWS; i++, number /= N) x[i] = population[number % N];
}

static double square_of_mean(double y) {
  double sum = -y;
  for (int i = 0; i < N; i++) sum += population[i] / N;
  return sum * sum;
}

/* The mean over all samples is the square of the population's mean excess, except for the square of one mean,
   which Var / N biases; the variance falls from eq. 5 to the product to the U-statistic. Two goods, the same
   twice. */
START_TEST(penalty_is_unbiased) {
  const double mean[2] = {0.7, 0.7};
  double truth = square_of_mean(0.7), variance = 0, spread[3];
  for (int i = 0; i < N; i++) variance += (population[i] - 0.7) * (population[i] - 0.7) / N;
  variance -= truth;
  for (int kind = WAL_FC_DIAGONAL; kind <= WAL_FC_SQUARE; kind++) {
    double first = 0, second = 0;
    for (int s = 0; s < SAMPLES; s++) {
      double x[ROWS], pairs[2 * ROWS];
      sample(s, x);
      for (int i = 0; i < 2 * ROWS; i++) pairs[i] = x[i / 2];
      const double estimate = wal_fc_penalty((wal_fc_estimator)kind, 2, BATCH, pairs, mean) / 2;
      first += estimate / SAMPLES, second += estimate * estimate / SAMPLES;
    }
    ck_assert_double_eq_tol(first, truth + (kind == WAL_FC_SQUARE ? variance / ROWS : 0), 1e-14);
    if (kind < 3) spread[kind] = second - first * first;
  }
  ck_assert_double_lt(spread[WAL_FC_PRODUCT], spread[WAL_FC_DIAGONAL]);
  ck_assert_double_lt(spread[WAL_FC_U_STATISTIC], spread[WAL_FC_PRODUCT]);
}
END_TEST

/* The gradient of the whole loss is unbiased too: averaged over all samples, the derivative with respect to a
   common scale of every allocation is the derivative of the population's Lagrangian. alpha = 1: log u = log(v
   x). */
START_TEST(gradient_is_unbiased) {
  const wal_fc_estimator estimator = (wal_fc_estimator)_i;
  const double mean[1] = {0.7}, lambda[1] = {0.3}, v[ROWS] = {1, 1, 1, 1}, budget[ROWS] = {1, 1, 1, 1};
  const wal_fc_pair pair = {.m = 1,
                            .batch = BATCH,
                            .estimator = estimator,
                            .alpha = 1,
                            .rho = 2,
                            .v = v,
                            .budget = budget,
                            .lambda = lambda,
                            .mean = mean};
  double estimate = 0, average = 0;
  for (int s = 0; s < SAMPLES; s++) {
    double x[ROWS], excess[2], dx;
    sample(s, x);
    wal_fc_excess(&pair, x, excess);
    for (int i = 0; i < ROWS; i++) {
      wal_fc_buyer_term(&pair, excess, i, x, &dx);
      estimate += dx * x[i] / SAMPLES;
    }
  }
  for (int i = 0; i < N; i++) average += population[i] / N;
  ck_assert_double_eq_tol(estimate, -1 + 0.3 * average + 2 * (average - 0.7) * average, 1e-13);
}
END_TEST

/* ---- Trainings ---- */

static wal_context_market market_of(int64_t n, int m, double alpha) {
  wal_context_market market;
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, 5, n, m, 5, alpha, &market), WAL_OK);
  return market;
}

static wal_solver_options small_options(void) {
  wal_solver_options options;
  wal_solver_defaults(&options);
  wal_network_options *all[] = {&options.fc, &options.fc_share, &options.tower};
  for (int i = 0; i < 3; i++) {
    all[i]->width = 16;
    all[i]->batch = 32;
    all[i]->epochs = 10;
    all[i]->inner = 25;
    all[i]->lr = 1e-2;
    all[i]->warmup = 20;
  }
  return options;
}

static void solve(const char *name, const wal_market *market, const wal_solver_options *options,
                  wal_solution *solution) {
  const wal_solver *solver = wal_solver_find(name);
  ck_assert_ptr_nonnull(solver);
  ck_assert_msg(solver->solve(market, options, NULL, solution) == WAL_OK, "%s", wal_error());
}

static wal_measures train(const char *name, const wal_market *market, const wal_solver_options *options,
                          wal_solution *solution) {
  wal_measures q;
  solve(name, market, options, solution);
  ck_assert_msg(wal_measure(market, solution->allocation, solution->price, &q) == WAL_OK, "%s", wal_error());
  return q;
}

static double naive_gap(const wal_market *market) {
  wal_solution solution;
  wal_solver_options options = small_options();
  const double gap = train("naive", market, &options, &solution).nash_gap;
  wal_solution_destroy(&solution);
  return gap;
}

/* Both share outputs, four alphas and one far below. */
START_TEST(share_learns) {
  const double alpha = _i / 2 < 4 ? alphas[_i / 2] : -6;
  wal_context_market market = market_of(800, 3, alpha);
  const wal_solver_options options = small_options();
  wal_solution solution;
  const wal_measures q = train(_i % 2 ? "tower" : "fc_share", &market.market, &options, &solution);
  ck_assert_int_eq(solution.iterations, 10 * 25);
  ck_assert_double_ge(q.nash_gap, 0);
  ck_assert_double_lt(q.nash_gap, naive_gap(&market.market) / 20);
  ck_assert_double_lt(q.voa, 1e-12);
  ck_assert_double_lt(q.vop, 1e-12);
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
}
END_TEST

START_TEST(softplus_learns) {
  wal_context_market market = market_of(800, 3, 0.5);
  wal_solver_options options = small_options();
  options.fc.epochs = 30;
  wal_solution solution;
  const wal_measures q = train("fc", &market.market, &options, &solution);
  ck_assert_double_ge(q.nash_gap, 0);
  ck_assert_double_lt(q.nash_gap, naive_gap(&market.market) / 10);
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
}
END_TEST

/* sum_j lambda_j x_ij = B_i for every buyer. */
START_TEST(share_spends_each_budget) {
  enum { BUYERS = 1200, GOODS = 3 };
  wal_context_market market = market_of(BUYERS, GOODS, 0.5);
  wal_solver_options options = small_options();
  options.fc_share.epochs = 2;
  wal_solution solution;
  solve("fc_share", &market.market, &options, &solution);
  double *x = malloc(BUYERS * GOODS * sizeof *x), *budget = malloc(BUYERS * sizeof *budget);
  ck_assert_int_eq(solution.allocation->ops->fill(solution.allocation, 0, BUYERS, x), WAL_OK);
  ck_assert_int_eq(market.source->ops->rows(market.source, 0, BUYERS, NULL, budget), WAL_OK);
  for (int i = 0; i < BUYERS; i++) {
    double spent = 0;
    for (int j = 0; j < GOODS; j++) spent += solution.price[j] * x[i * GOODS + j];
    ck_assert_double_eq_tol(spent / budget[i], 1, 1e-12);
  }
  free(x), free(budget);
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
}
END_TEST

/* The solution of all recipes has the same bits with 1, 2 and 3 threads, and its rows do not depend on the
 * split. */
START_TEST(threads_do_not_matter) {
  enum { BUYERS = 1500, GOODS = 3 };
  wal_context_market market = market_of(BUYERS, GOODS, 0.5);
  wal_solver_options options = small_options();
  options.fc.epochs = options.fc_share.epochs = 2;
  options.fc.inner = options.fc_share.inner = 5;
  options.fc.batch = options.fc_share.batch = 200; /* 1200 rows: more than one slice of the network's batch */
  double price[3][GOODS], *x[3];
  for (int i = 0; i < 3; i++) {
    wal_solution solution;
    wal_threads_set(i + 1);
    solve(_i ? "fc" : "fc_share", &market.market, &options, &solution);
    memcpy(price[i], solution.price, sizeof price[i]);
    x[i] = malloc(BUYERS * GOODS * sizeof **x);
    const int64_t step = i ? 100 : BUYERS;
    for (int64_t lo = 0; lo < BUYERS; lo += step)
      ck_assert_int_eq(solution.allocation->ops->fill(solution.allocation, lo, lo + step, x[i] + lo * GOODS),
                       WAL_OK);
    wal_solution_destroy(&solution);
  }
  for (int i = 1; i < 3; i++) {
    ck_assert_mem_eq(price[0], price[i], sizeof *price);
    ck_assert_mem_eq(x[0], x[i], BUYERS * GOODS * sizeof **x);
  }
  for (int i = 0; i < 3; i++) free(x[i]);
  wal_context_market_destroy(&market);
}
END_TEST

/* price_buyers = 100: E[x] over the first 100 buyers. */
static void sampled_lambda(const wal_market *market) {
  enum { GOODS = 3, FEW = 100 };
  wal_solver_options options = small_options();
  options.fc.epochs = 1, options.fc.inner = 1, options.fc.lr = 1e-30, options.fc.lambda0 = 0.5;
  options.fc.price_buyers = FEW;
  wal_solution solution;
  solve("fc", market, &options, &solution);
  double x[FEW][GOODS], mean[GOODS] = {0};
  ck_assert_int_eq(solution.allocation->ops->fill(solution.allocation, 0, FEW, *x), WAL_OK);
  for (int i = 0; i < FEW * GOODS; i++) mean[i % GOODS] += x[i / GOODS][i % GOODS] / FEW;
  for (int j = 0; j < GOODS; j++)
    ck_assert_double_eq_tol(solution.price[j], 0.5 + 0.2 * (mean[j] - 1), 1e-12);
  wal_solution_destroy(&solution);
}

/* At a rate that moves no parameter the network's mean outputs stand still, and the updates of lambda can be
   followed by hand: lambda += rho/sqrt(t) (E[x] - 1). */
START_TEST(lambda_follows_eq_3) {
  enum { GOODS = 3 };
  wal_context_market market = market_of(600, GOODS, 0.5);
  double lambda[4][GOODS];
  for (int epochs = 1; epochs <= 3; epochs++) {
    wal_solver_options options = small_options();
    options.fc.epochs = epochs, options.fc.inner = 1, options.fc.lr = 1e-30, options.fc.lambda0 = 0.5;
    wal_solution solution;
    solve("fc", &market.market, &options, &solution);
    memcpy(lambda[epochs], solution.price, sizeof *lambda);
    if (epochs == 1) {
      double x[600][GOODS], mean[GOODS] = {0};
      ck_assert_int_eq(solution.allocation->ops->fill(solution.allocation, 0, 600, *x), WAL_OK);
      for (int i = 0; i < 600 * GOODS; i++) mean[i % GOODS] += x[i / GOODS][i % GOODS] / 600;
      for (int j = 0; j < GOODS; j++) ck_assert_double_eq_tol(lambda[1][j], 0.5 + 0.2 * (mean[j] - 1), 1e-12);
    }
    wal_solution_destroy(&solution);
  }
  sampled_lambda(&market.market);
  for (int j = 0; j < GOODS; j++) {
    const double first = lambda[1][j] - 0.5;
    ck_assert_double_gt(fabs(first), 1e-3);
    ck_assert_double_eq_tol(lambda[2][j] - lambda[1][j], first / sqrt(2), 1e-12);
    ck_assert_double_eq_tol(lambda[3][j] - lambda[2][j], first / sqrt(3), 1e-12);
  }
  wal_context_market_destroy(&market);
}
END_TEST

/* The prices after every epoch. */
enum { GOODS = 3, EPOCHS = 7, BUYERS = 600, INNER = 2, PAIR = 64 };
typedef struct {
  int count;
  double price[EPOCHS][GOODS];
} price_path;

static void note_price(void *context, int64_t iteration, const wal_allocation *allocation,
                       const double *price) {
  price_path *path = context;
  (void)iteration, (void)allocation;
  memcpy(path->price[path->count++], price, sizeof *path->price);
}

/* x = a^-1 b by elimination; a[GOODS][GOODS] is overwritten. */
static void eliminate(double a[GOODS][GOODS], double *b) {
  for (int j = 0; j < GOODS; j++)
    for (int i = 0; i < GOODS; i++) {
      const double factor = a[i][j] / a[j][j];
      for (int k = 0; k < GOODS && i != j; k++) a[i][k] -= factor * a[j][k];
      if (i != j) b[i] -= factor * b[j];
    }
  for (int j = 0; j < GOODS; j++) b[j] /= a[j][j];
}

/* One epoch's update written down from its definition: Newton's step on log(S_j / (Y_j lambda_j)) with the
   buyers that the epoch drew, whose budget shares s[BUYERS][GOODS] stand still. */
static void newton_by_hand(double alpha, int epoch, uint64_t seed, double s[BUYERS][GOODS],
                           const double *budget, double *lambda) {
  const double r = alpha / (1 - alpha), buyers = INNER * PAIR;
  const int divisor = epoch <= 5 ? 1 : epoch - 5; /* 7 - 7/3 = 5 */
  double spent[GOODS] = {0}, matrix[GOODS][GOODS] = {{0}}, step[GOODS], money = 0, worth = 0;
  for (uint64_t draw = 0; draw < buyers; draw++) {
    const uint64_t i =
        wal_rng_below(seed, WAL_STREAM_BATCH, (uint64_t)(epoch - 1) * (uint64_t)buyers + draw, BUYERS);
    money += budget[i] / buyers;
    for (int j = 0; j < GOODS; j++) {
      spent[j] += budget[i] * s[i][j] / buyers;
      for (int k = 0; k < GOODS; k++) matrix[j][k] -= r * budget[i] * s[i][j] * s[i][k] / buyers;
    }
  }
  for (int j = 0; j < GOODS; j++) matrix[j][j] += (1 + r) * spent[j];
  for (int j = 0; j < GOODS; j++) step[j] = spent[j] * log(spent[j] / lambda[j]);
  eliminate(matrix, step);
  for (int j = 0; j < GOODS; j++) worth += lambda[j] *= exp(step[j] / divisor);
  for (int j = 0; j < GOODS; j++) lambda[j] *= money / worth;
}

/* The share recipe at a rate that moves no parameter: shares stand still, every epoch but the last is a
   Newton step, the last clears the market for all buyers. */
START_TEST(share_lambda_is_newton) {
  static const double some[] = {0.5, 0.3, -0.4};
  static double x[BUYERS][GOODS], s[BUYERS][GOODS], budget[BUYERS];
  wal_context_market market = market_of(BUYERS, GOODS, some[_i]);
  wal_solver_options options = small_options();
  options.fc_share.epochs = EPOCHS, options.fc_share.inner = INNER, options.fc_share.lr = 1e-30;
  price_path path = {0};
  const wal_trace trace = {.context = &path, .state = note_price};
  wal_solution solution;
  ck_assert_int_eq(wal_solver_find("fc_share")->solve(&market.market, &options, &trace, &solution), WAL_OK);
  ck_assert_int_eq(solution.allocation->ops->fill(solution.allocation, 0, BUYERS, *x), WAL_OK);
  ck_assert_int_eq(market.source->ops->rows(market.source, 0, BUYERS, NULL, budget), WAL_OK);
  double lambda[GOODS], total[GOODS] = {0}, money = 0;
  for (int i = 0; i < BUYERS; i++) money += budget[i] / BUYERS;
  for (int j = 0; j < GOODS; j++) lambda[j] = money / GOODS;
  for (int i = 0; i < BUYERS; i++)
    for (int j = 0; j < GOODS; j++) {
      s[i][j] = solution.price[j] * x[i][j] / budget[i];
      total[j] += x[i][j];
    }
  for (int epoch = 1; epoch < EPOCHS; epoch++) {
    newton_by_hand(some[_i], epoch, options.seed, s, budget, lambda);
    for (int j = 0; j < GOODS; j++) ck_assert_double_eq_tol(path.price[epoch - 1][j], lambda[j], 1e-9);
  }
  ck_assert_double_gt(fabs(lambda[0] - lambda[1]), 1e-3);
  for (int j = 0; j < GOODS; j++) ck_assert_double_eq_tol(total[j] / BUYERS, 1, 1e-12);
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
}
END_TEST

/* price_buyers = 100: the last prices clear the demand of the first 100 buyers. */
START_TEST(share_prices_of_some_buyers) {
  enum { FEW = 100 };
  wal_context_market market = market_of(BUYERS, GOODS, 0.5);
  wal_solver_options options = small_options();
  options.fc_share.epochs = 2, options.fc_share.price_buyers = FEW;
  wal_solution solution;
  solve("fc_share", &market.market, &options, &solution);
  double x[FEW][GOODS], total[GOODS] = {0};
  ck_assert_int_eq(solution.allocation->ops->fill(solution.allocation, 0, FEW, *x), WAL_OK);
  for (int i = 0; i < FEW * GOODS; i++) total[i % GOODS] += x[i / GOODS][i % GOODS];
  for (int j = 0; j < GOODS; j++) ck_assert_double_eq_tol(total[j] / FEW, 1, 1e-12);
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
}
END_TEST

/* A source that notes which single buyers it was asked for. */
typedef struct {
  wal_source base;
  const wal_source *inner;
  int count;
  int64_t asked[64];
} noting_source;

static wal_status noting_rows(const wal_source *source, int64_t lo, int64_t hi, double *v, double *budget) {
  noting_source *s = (noting_source *)(uintptr_t)source;
  if (v && hi == lo + 1 && s->count < 64) s->asked[s->count++] = lo;
  return s->inner->ops->rows(s->inner, lo, hi, v, budget);
}

static wal_status noting_contexts(const wal_source *source, int64_t lo, int64_t hi, float *b) {
  const wal_source *inner = ((const noting_source *)source)->inner;
  return inner->ops->contexts(inner, lo, hi, b);
}

/* Every step takes 2M fresh draws of the stream. */
START_TEST(minibatches_are_fresh) {
  static const wal_source_ops noting_ops = {
      .name = "noting", .rows = noting_rows, .contexts = noting_contexts};
  wal_context_market market = market_of(500, 2, 0.5);
  noting_source noting = {.base.ops = &noting_ops, .inner = market.source};
  market.market.buyers = &noting.base;
  wal_solver_options options = small_options();
  options.fc.batch = 8, options.fc.inner = 2, options.fc.epochs = 2;
  wal_threads_set(1);
  wal_solution solution;
  solve("fc", &market.market, &options, &solution);
  ck_assert_int_eq(noting.count, 64);
  for (uint64_t k = 0; k < 64; k++)
    ck_assert_uint_eq((uint64_t)noting.asked[k], wal_rng_below(options.seed, WAL_STREAM_BATCH, k, 500));
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
}
END_TEST

/* ---- Trace and failures ---- */

typedef struct {
  int rows, reports, states;
  int64_t last_iteration;
  double last_price, last_amount; /* of good 0, and of buyer 0 */
  double last_epoch, last_gap, fraction;
} seen;

static void see_row(void *context, int count, const char *const names[], const double values[]) {
  seen *s = context;
  ck_assert_int_eq(count, 5);
  ck_assert_str_eq(names[0], "epoch");
  ck_assert_str_eq(names[2], "nash_gap");
  s->rows++;
  s->last_epoch = values[0];
  s->last_gap = values[2];
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
  double x[3];
  ck_assert_int_eq(allocation->ops->fill(allocation, 0, 1, x), WAL_OK);
  s->last_amount = x[0], s->last_price = price[0];
  ck_assert_int_gt(iteration, s->last_iteration);
  s->last_iteration = iteration;
  s->states++;
}

START_TEST(trace_has_a_row_per_epoch) {
  wal_context_market market = market_of(300, 3, 0.5);
  wal_solver_options options = small_options();
  options.fc_share.epochs = 4;
  seen s = {0};
  const wal_trace trace = {.context = &s, .row = see_row, .progress = see_progress, .state = see_state};
  wal_solution solution;
  ck_assert_int_eq(wal_solver_find("fc_share")->solve(&market.market, &options, &trace, &solution), WAL_OK);
  ck_assert_int_eq(s.rows, 4);
  ck_assert_double_eq(s.last_epoch, 4);
  ck_assert_double_eq_tol(s.fraction, 1, 1e-12);
  double x[3]; /* the last state is the solution */
  ck_assert_int_eq(solution.allocation->ops->fill(solution.allocation, 0, 1, x), WAL_OK);
  ck_assert(s.states == 4 && s.last_iteration == solution.iterations && s.last_price == solution.price[0] &&
            s.last_amount == x[0]);
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
}
END_TEST

/* Few enough buyers to be traced in full: the last row's gap is the measured gap of what is returned. */
START_TEST(traced_gap_is_the_gap) {
  wal_context_market market = market_of(300, 3, 0.5);
  wal_solver_options options = small_options();
  options.fc.epochs = 5, options.fc_share.epochs = 5;
  seen s = {0};
  wal_solution solution;
  wal_measures q;
  ck_assert_int_eq(
      wal_solver_find(_i ? "fc" : "fc_share")
          ->solve(&market.market, &options, &(wal_trace){.context = &s, .row = see_row}, &solution),
      WAL_OK);
  ck_assert_int_eq(wal_measure(&market.market, solution.allocation, solution.price, &q), WAL_OK);
  ck_assert_double_eq_tol(s.last_gap, q.nash_gap, 1e-12);
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
}
END_TEST

/* An absurd learning rate leaves the finite numbers: the message names the epoch and what to lower, and the
   solution can be destroyed. */
START_TEST(divergence_is_reported) {
  wal_context_market market = market_of(300, 3, 0.5);
  wal_solver_options options = small_options();
  options.fc.lr = 1e12;
  options.fc.warmup = 0;
  seen s = {0};
  wal_solution solution;
  ck_assert_int_eq(wal_solver_find("fc")->solve(&market.market, &options,
                                                &(wal_trace){.context = &s, .row = see_row}, &solution),
                   WAL_E_DIVERGED);
  ck_assert_msg(strstr(wal_error(), " in epoch ") && strstr(wal_error(), "a lower fc.lr than 1e+12 may help"),
                "%s", wal_error());
  ck_assert_ptr_null(solution.allocation);
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
}
END_TEST

/* A share output always clears the market; what it did not learn is found in the gap. */
START_TEST(lost_goods_are_reported) {
  wal_context_market market = market_of(300, 3, 0.5);
  wal_solver_options options = small_options();
  options.tower.lr = 0.4, options.tower.warmup = 100;
  wal_solution solution;
  ck_assert_int_eq(wal_solver_find("tower")->solve(&market.market, &options, NULL, &solution),
                   WAL_E_DIVERGED);
  ck_assert_msg(strstr(wal_error(), "the Nash gap, ") && strstr(wal_error(), " in epoch 10 of 10"), "%s",
                wal_error());
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
}
END_TEST

static void refused(const wal_market *market, const wal_solver_options *options, wal_status status,
                    const char *message) {
  wal_solution solution;
  ck_assert_int_eq(wal_solver_find("fc")->solve(market, options, NULL, &solution), status);
  ck_assert_str_eq(wal_error(), message);
  wal_solution_destroy(&solution);
}

START_TEST(refusals) {
  wal_context_market market = market_of(10, 2, -INFINITY);
  wal_solver_options options = small_options();
  refused(&market.market, &options, WAL_E_UNSUPPORTED, "fc needs a finite alpha; newton takes -inf");
  market.market.alpha = 0.5;
  strcpy(options.fc.activation, "gelu");
  refused(&market.market, &options, WAL_E_INPUT, "fc.activation is 'gelu'; expected relu, tanh or silu");
  strcpy(options.fc.activation, "relu"), strcpy(options.fc.estimator, "square");
  refused(&market.market, &options, WAL_E_INPUT,
          "fc.estimator is 'square'; expected diagonal, product or u_statistic");
  options.fc.batch = 0;
  refused(&market.market, &options, WAL_E_INPUT,
          "fc: batch 0, epochs 10, inner 25; expected at least 1 each (128, 30, 100 work)");
  options.fc.batch = 1, options.fc.lr = NAN;
  refused(&market.market, &options, WAL_E_INPUT,
          "fc: lr nan, rho 0.2; expected lr > 0 and rho >= 0 (1e-4 and 0.2 work)");
  wal_context_market_destroy(&market);
  const double v[2] = {1, 2}, supply[1] = {1};
  wal_source *source;
  ck_assert_int_eq(wal_source_dense(2, 1, v, NULL, &source), WAL_OK);
  const wal_market dense = {.n = 2, .m = 1, .alpha = 0.5, .buyers = source, .supply = supply};
  refused(&dense, &options, WAL_E_UNSUPPORTED,
          "fc needs a market whose buyers and goods have contexts; newton needs none");
  wal_source_destroy(source);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("models/marketfcnet");
  TCase *tests = tcase_create("marketfcnet");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, loss_and_gradient, 0, 32);
  tcase_add_test(tests, extreme_outputs);
  tcase_add_test(tests, penalty_is_unbiased);
  tcase_add_loop_test(tests, gradient_is_unbiased, 0, 3);
  tcase_add_loop_test(tests, share_learns, 0, 10);
  tcase_add_test(tests, softplus_learns);
  tcase_add_test(tests, share_spends_each_budget);
  tcase_add_test(tests, lambda_follows_eq_3);
  tcase_add_loop_test(tests, share_lambda_is_newton, 0, 3);
  tcase_add_test(tests, share_prices_of_some_buyers);
  tcase_add_test(tests, minibatches_are_fresh);
  tcase_add_loop_test(tests, threads_do_not_matter, 0, 2);
  tcase_add_test(tests, trace_has_a_row_per_epoch);
  tcase_add_loop_test(tests, traced_gap_is_the_gap, 0, 2);
  tcase_add_test(tests, divergence_is_reported);
  tcase_add_test(tests, lost_goods_are_reported);
  tcase_add_test(tests, refusals);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
