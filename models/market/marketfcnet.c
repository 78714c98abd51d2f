/* MarketFCNet (section 4): a network learns the allocation as a function of a buyer's and a good's context,
   trained on minibatches of buyers against the augmented Lagrangian of eq. 3; the multipliers lambda are the
   prices. Two recipes: the paper's (fc) and one with a share output (fc_share). */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "models/market/fc_network.h"
#include "models/market/solvers.h"
#include "models/market/welfare.h"
#include "models/nn/schedule.h"

enum {
  TASK = 16,        /* buyers in one task of the loops over a minibatch */
  GAP_BUYERS = 4096 /* buyers whose Nash gap the trace shows */
};

/* ---- Training ---- */

typedef struct {
  const wal_fc_recipe *recipe;
  const wal_market *market;
  const wal_network_options *options;
  const wal_trace *trace;
  uint64_t seed;
  wal_schedule schedule;
  wal_fc_network *network; /* owned */
  double *lambda;          /* [m] the network's */
  const double *mean;      /* [m] Y_j / n, the network's */
  int64_t draws, steps;    /* buyers drawn and Adam steps made so far */
  double budget;           /* E[B] over all buyers */
  double *demand;          /* [m] E[x_j] at the present lambda, as last estimated */
  double *excess;          /* [2, m] */
  wal_fc_pair pair;
  /* One pair of minibatches, 2M buyers. */
  float *in, *z, *dz;         /* [2M * network rows, inputs], [2M, m] twice */
  double *v, *budgets, *term; /* [2M, m], [2M], [2M] */
  double *x, *dx;             /* [2M, m] */
} training;

typedef wal_status (*buyer_fn)(training *t, int64_t row);
typedef struct {
  training *t;
  buyer_fn body;
} buyer_loop;

static wal_status buyer_task(void *context, int64_t k) {
  const buyer_loop *loop = context;
  const int64_t rows = 2 * loop->t->options->batch, end = (k + 1) * TASK < rows ? (k + 1) * TASK : rows;
  wal_status status = WAL_OK;
  for (int64_t row = k * TASK; !status && row < end; row++) status = loop->body(loop->t, row);
  return status;
}

/* Calls body for every buyer of the pair of minibatches, in parallel. */
static wal_status for_buyers(training *t, buyer_fn body) {
  return wal_for_tasks((2 * t->options->batch + TASK - 1) / TASK, buyer_task, &(buyer_loop){t, body});
}

/* Draws a buyer uniformly and writes the network's inputs for it. */
static wal_status draw_buyer(training *t, int64_t row) {
  const wal_market *market = t->market;
  const wal_source *buyers = market->buyers;
  const int64_t m = market->m, d = market->d;
  const int64_t i =
      (int64_t)wal_rng_below(t->seed, WAL_STREAM_BATCH, (uint64_t)(t->draws + row), (uint64_t)market->n);
  float b[64], *context = d <= 64 ? b : malloc((size_t)d * sizeof *b);
  if (!context) return wal_fail(WAL_E_MEMORY, "no memory for a context of %lld elements", (long long)d);
  wal_status status = buyers->ops->rows(buyers, i, i + 1, t->v + row * m, t->budgets + row);
  if (!status) status = buyers->ops->contexts(buyers, i, i + 1, context);
  if (!status)
    wal_fc_network_read(t->network, context,
                        t->in + row * wal_fc_network_rows(t->network) * wal_fc_network_inputs(t->network));
  if (context != b) free(context);
  return status;
}

static wal_status allocate_buyer(training *t, int64_t row) {
  const int64_t at = row * t->market->m;
  wal_fc_allocate(t->recipe->output, t->market->m, t->z + at, t->budgets[row], t->lambda, t->x + at);
  return WAL_OK;
}

static wal_status differentiate_buyer(training *t, int64_t row) {
  const int64_t at = row * t->market->m;
  t->term[row] = wal_fc_buyer_term(&t->pair, t->excess, row, t->x, t->dx + at);
  wal_fc_pull_back(t->recipe->output, t->market->m, t->z + at, t->x + at, t->dx + at, t->dz + at);
  return WAL_OK;
}

/* One Adam step on a fresh pair of minibatches; *loss is the estimated Lagrangian before it. */
static wal_status train_step(training *t, double *loss) {
  wal_mlp *net = t->network->net;
  const int64_t rows = 2 * t->options->batch;
  wal_status status = for_buyers(t, draw_buyer);
  t->draws += rows;
  if (!status) status = net->ops->forward(net, rows * wal_fc_network_rows(t->network), t->in, t->z);
  if (!status) status = for_buyers(t, allocate_buyer);
  if (status) return status;
  wal_fc_excess(&t->pair, t->x, t->excess);
  status = for_buyers(t, differentiate_buyer);
  if (!status) status = net->ops->backward(net, t->in, t->dz, NULL);
  if (!status) status = net->ops->step(net, (float)wal_schedule_rate(&t->schedule, t->steps));
  t->steps++;
  *loss = wal_fc_shared_term(&t->pair);
  for (int64_t i = 0; i < rows; i++) *loss += t->term[i];
  return status;
}

static wal_status diverged(const training *t, int epoch, const char *what, double value) {
  return wal_fail(WAL_E_DIVERGED,
                  "%s: %s is %g in epoch %d of %d; a lower %s.lr than %g may help (%g works more often)",
                  t->recipe->name, what, value, epoch, t->options->epochs, t->recipe->name, t->options->lr,
                  t->options->lr / 10);
}

static wal_status train_epoch(training *t, int epoch, double *mean_loss) {
  *mean_loss = 0;
  for (int k = 0; k < t->options->inner; k++) {
    double loss;
    const wal_status status = train_step(t, &loss);
    if (status) return status;
    if (!isfinite(loss)) return diverged(t, epoch, "the loss", loss);
    *mean_loss += loss / t->options->inner;
    wal_trace_progress(t->trace, ((epoch - 1) + (k + 1.0) / t->options->inner) / t->options->epochs,
                       "training");
  }
  return WAL_OK;
}

/* ---- Multipliers ---- */

/* demand[m] = E[x_j] over the whole population, or over its first price_buyers. */
static wal_status estimate_demand(training *t) {
  const int64_t asked = t->options->price_buyers, n = t->market->n,
                count = asked > 0 && asked < n ? asked : n;
  const wal_status status = wal_fc_network_demand(t->network, count, t->demand);
  for (int j = 0; j < t->market->m; j++) t->demand[j] /= (double)count;
  return status;
}

/* The paper's update: lambda_j += beta_t rho (E[x_j] - Y_j/n), beta_t = 1/sqrt(t). */
static void move_lambda(training *t, int epoch) {
  for (int j = 0; j < t->market->m; j++)
    t->lambda[j] += t->options->rho / sqrt(epoch) * (t->demand[j] - t->mean[j]);
}

/* 1 - alpha that epoch t trains with. Near alpha = 1 demand is so elastic that goods lose all buyers before
   their price has fallen; so 1 - alpha falls geometrically from 0.5 to 0.01 in the first 7/10 of the epochs.
 */
static double epoch_substitution(const training *t, int epoch) {
  const double target = 1 - t->market->alpha, elapsed = epoch / (0.7 * t->options->epochs);
  const double start = 0.5, end = 0.01;
  return elapsed >= 1 ? target : fmax(target, start * pow(end / start, elapsed));
}

/* The share recipe's update. Spending is fixed, so x_j ~ 1/lambda_j: lambda_j *= (E[x_j] n / Y_j)^(1 - alpha)
   is a damped tatonnement; in the last third of the epochs the exponent is divided by 1, 2, 3, ... to average
   the noise. Then all lambda are scaled to sum_j Y_j lambda_j = sum_i B_i (eq. 10); demand follows. */
static void scale_lambda(training *t, int epoch) {
  const int m = t->market->m, settling = epoch - (t->options->epochs - t->options->epochs / 3);
  const double limit = t->market->alpha > 0.5 ? 0.1 : 1; /* of one change, in logs */
  const double exponent = fmax(epoch_substitution(t, epoch), 0.02) / (settling > 1 ? settling : 1);
  double *lambda = t->lambda, worth = 0;
  for (int j = 0; j < m; j++) {
    const double change = exponent * log(t->demand[j] / t->mean[j]);
    const double factor = exp(fmax(-limit, fmin(limit, change)));
    lambda[j] *= factor;
    t->demand[j] /= factor;
    worth += lambda[j] * t->mean[j];
  }
  for (int j = 0; j < m; j++) {
    lambda[j] *= t->budget / worth;
    t->demand[j] *= worth / t->budget;
  }
}

/* Mean |E[x_j] n/Y_j - 1|. */
static double violation(const training *t) {
  double sum = 0;
  for (int j = 0; j < t->market->m; j++) sum += fabs(t->demand[j] / t->mean[j] - 1);
  return sum / t->market->m;
}

static wal_status update_lambda(training *t, int epoch) {
  const wal_status status = estimate_demand(t);
  if (status) return status;
  for (int j = 0; j < t->market->m; j++)
    if (!isfinite(t->demand[j])) return diverged(t, epoch, "the mean allocation of a good", t->demand[j]);
  if (t->recipe->output == WAL_FC_SHARE)
    scale_lambda(t, epoch);
  else
    move_lambda(t, epoch);
  for (int j = 0; j < t->market->m; j++)
    if (!isfinite(t->lambda[j])) return diverged(t, epoch, "a multiplier", t->lambda[j]);
  return WAL_OK;
}

/* ---- Trace ---- */

/* The Nash gap of some buyers under the projection (eq. 12) that the whole population's demand asks for. */
typedef struct {
  const training *t;
  const double *scale, *price; /* [m] alpha_j, projected prices */
} gap_context;

/* sum[0]: B (log u~ - log u), sum[1]: B. */
static wal_status gap_body(void *context, int64_t lo, int64_t hi, double *sum) {
  const gap_context *g = context;
  const wal_market *market = g->t->market;
  const int m = market->m;
  double *x = malloc((size_t)(hi - lo) * (2 * (size_t)m + 1) * sizeof *x);
  if (!x) return wal_fail(WAL_E_MEMORY, "no memory for %lld buyers", (long long)(hi - lo));
  double *v = x + (hi - lo) * m, *budget = v + (hi - lo) * m;
  const wal_allocation *allocation = &g->t->network->base;
  wal_status status = allocation->ops->fill(allocation, lo, hi, x);
  if (!status) status = market->buyers->ops->rows(market->buyers, lo, hi, v, budget);
  for (int64_t i = 0; !status && i < hi - lo; i++) {
    for (int j = 0; j < m; j++) x[i * m + j] *= g->scale[j];
    sum[0] += budget[i] * (wal_ces_log_indirect(market->alpha, m, v + i * m, g->price, budget[i]) -
                           wal_ces_log_utility(market->alpha, m, v + i * m, x + i * m));
    sum[1] += budget[i];
  }
  free(x);
  return status;
}

/* NaN while a price is not positive: then there is none. Changes demand[m] and excess[m]. */
static wal_status sample_gap(training *t, double *gap) {
  const int m = t->market->m;
  double worth = 0, sum[2], *scale = t->demand, *price = t->excess;
  *gap = NAN;
  for (int j = 0; j < m; j++) {
    if (!(t->lambda[j] > 0)) return WAL_OK;
    worth += t->lambda[j] * t->mean[j];
  }
  for (int j = 0; j < m; j++) {
    scale[j] = t->mean[j] / t->demand[j];
    price[j] = t->lambda[j] * t->budget / worth;
  }
  const int64_t count = t->market->n < GAP_BUYERS ? t->market->n : GAP_BUYERS;
  const wal_status status = wal_sum_chunks(count, 2, gap_body, &(gap_context){t, scale, price}, sum);
  *gap = sum[0] / sum[1];
  return status;
}

static wal_status run_epochs(training *t) {
  for (int epoch = 1; epoch <= t->options->epochs; epoch++) {
    double loss, gap;
    if (t->recipe->output == WAL_FC_SHARE) t->pair.alpha = 1 - epoch_substitution(t, epoch);
    wal_status status = train_epoch(t, epoch, &loss);
    if (!status) status = update_lambda(t, epoch);
    if (status) return status;
    const double clearing = violation(t);
    if ((status = sample_gap(t, &gap))) return status;
    static const char *const names[] = {"epoch", "loss", "nash_gap", "clearing", "lr"};
    wal_trace_row(t->trace, 5, names,
                  (double[]){epoch, loss, gap, clearing, wal_schedule_rate(&t->schedule, t->steps - 1)});
    t->network->about.steps = t->steps;
    wal_trace_state(t->trace, t->steps, &t->network->base, t->lambda);
  }
  return WAL_OK;
}

/* ---- Life ---- */

static void training_destroy(training *t) {
  wal_fc_network_destroy(t->network);
  free(t->demand);
  free(t->excess);
  free(t->in);
  free(t->z);
  free(t->dz);
  free(t->v);
  free(t->budgets);
  free(t->term);
  free(t->x);
  free(t->dx);
}

static bool allocate_buffers(training *t) {
  const size_t m = (size_t)t->market->m, rows = 2 * (size_t)t->options->batch, cells = rows * m;
  const size_t inputs = (size_t)(wal_fc_network_rows(t->network) * wal_fc_network_inputs(t->network));
  t->demand = calloc(m, sizeof *t->demand);
  t->excess = calloc(2 * m, sizeof *t->excess);
  t->in = malloc(rows * inputs * sizeof *t->in);
  t->z = malloc(cells * sizeof *t->z);
  t->dz = malloc(cells * sizeof *t->dz);
  t->v = malloc(cells * sizeof *t->v);
  t->budgets = malloc(rows * sizeof *t->budgets);
  t->term = malloc(rows * sizeof *t->term);
  t->x = malloc(cells * sizeof *t->x);
  t->dx = malloc(cells * sizeof *t->dx);
  return t->demand && t->excess && t->in && t->z && t->dz && t->v && t->budgets && t->term && t->x && t->dx;
}

static wal_status check(const training *t) {
  const wal_network_options *o = t->options;
  const wal_market *market = t->market;
  const wal_status status = wal_fc_network_takes(t->recipe->name, market);
  if (status) return status;
  if (o->batch < 1 || o->epochs < 1 || o->inner < 1)
    return wal_fail(WAL_E_INPUT,
                    "%s: batch %d, epochs %d, inner %d; expected at least 1 each (128, 30, 100 work)",
                    t->recipe->name, o->batch, o->epochs, o->inner);
  if (!(o->lr > 0) || !(o->rho >= 0) || !isfinite(o->lr) || !isfinite(o->rho))
    return wal_fail(WAL_E_INPUT, "%s: lr %g, rho %g; expected lr > 0 and rho >= 0 (1e-4 and 0.2 work)",
                    t->recipe->name, o->lr, o->rho);
  return WAL_OK;
}

/* The network, E[B], the supplies per buyer and the first multipliers: lambda0, or one price for all. */
static wal_status prepare(training *t) {
  const wal_market *market = t->market;
  const wal_network_options *o = t->options;
  wal_network about = {.width = o->width, .depth = o->depth, .seed = t->seed};
  snprintf(about.recipe, sizeof about.recipe, "%s", t->recipe->name);
  snprintf(about.activation, sizeof about.activation, "%s", o->activation);
  wal_fc_estimator estimator;
  wal_status status = wal_fc_estimator_parse(t->recipe->name, o->estimator, &estimator);
  if (!status) status = wal_fc_network_create(&about, market, 2 * (int64_t)o->batch, &t->network);
  if (!status && !allocate_buffers(t))
    status =
        wal_fail(WAL_E_MEMORY, "no memory for minibatches of %d buyers and %d goods", o->batch, market->m);
  if (!status) status = wal_fc_budgets(market, market->n, &t->budget);
  if (status) return status;
  t->lambda = t->network->about.lambda;
  t->mean = t->network->about.mean;
  double supply = 0;
  for (int j = 0; j < market->m; j++) supply += t->mean[j];
  t->budget /= (double)market->n;
  for (int j = 0; j < market->m; j++)
    t->lambda[j] = t->recipe->output == WAL_FC_SHARE ? t->budget / supply : o->lambda0;
  t->pair = (wal_fc_pair){.m = market->m,
                          .batch = o->batch,
                          .estimator = estimator,
                          .alpha = market->alpha,
                          .rho = o->rho,
                          .v = t->v,
                          .budget = t->budgets,
                          .lambda = t->lambda,
                          .mean = t->mean};
  t->schedule = (wal_schedule){
      .peak = o->lr, .warmup = o->warmup, .cosine = o->cosine, .steps = (int64_t)o->epochs * o->inner};
  return WAL_OK;
}

static wal_status train(training *t, wal_solution *solution) {
  *solution = (wal_solution){.certified_gap = NAN};
  wal_status status = check(t);
  if (!status) status = prepare(t);
  if (!status) status = run_epochs(t);
  solution->iterations = t->steps;
  if (!status) {
    const size_t size = (size_t)t->market->m * sizeof *solution->price;
    solution->price = malloc(size);
    if (!solution->price) status = wal_fail(WAL_E_MEMORY, "no memory for %d prices", t->market->m);
    if (!status) {
      memcpy(solution->price, t->lambda, size);
      solution->allocation = &t->network->base;
      t->network = NULL; /* the solution owns it now */
    }
  }
  training_destroy(t);
  return status;
}

static wal_status solve(const wal_fc_recipe *recipe, const wal_network_options *options,
                        const wal_market *market, uint64_t seed, const wal_trace *trace,
                        wal_solution *solution) {
  training t = {.recipe = recipe, .market = market, .options = options, .trace = trace, .seed = seed};
  return train(&t, solution);
}

static wal_status solve_fc(const wal_market *market, const wal_solver_options *options,
                           const wal_trace *trace, wal_solution *solution) {
  return solve(&wal_fc_recipe_fc, &options->fc, market, options->seed, trace, solution);
}

static wal_status solve_fc_share(const wal_market *market, const wal_solver_options *options,
                                 const wal_trace *trace, wal_solution *solution) {
  return solve(&wal_fc_recipe_fc_share, &options->fc_share, market, options->seed, trace, solution);
}

static wal_status solve_tower(const wal_market *market, const wal_solver_options *options,
                              const wal_trace *trace, wal_solution *solution) {
  return solve(&wal_fc_recipe_tower, &options->tower, market, options->seed, trace, solution);
}

const wal_solver wal_solver_fc = {"fc",
                                  "MarketFCNet",
                                  "marketfcnet, section 4 and C.2",
                                  .alpha = "(-inf, 1]",
                                  .sizes = "any; memory independent of n",
                                  .devices = "cpu",
                                  .contexts = true,
                                  .solve = solve_fc};
const wal_solver wal_solver_fc_share = {
    "fc_share",
    "MarketFCNet, share output",
    "this project: marketfcnet's network with x_ij = B_i softmax_j(z_ij)/lambda_j",
    .alpha = "(-inf, 1]",
    .sizes = "any; memory independent of n",
    .devices = "cpu",
    .contexts = true,
    .solve = solve_fc_share};
const wal_solver wal_solver_tower = {"tower",
                                     "MarketFCNet, tower",
                                     "this project: a network of the buyer alone, one output per good",
                                     .alpha = "(-inf, 1]",
                                     .sizes = "any n; goods fixed at training; memory independent of n",
                                     .devices = "cpu",
                                     .contexts = true,
                                     .solve = solve_tower};
