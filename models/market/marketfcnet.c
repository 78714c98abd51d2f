/* MarketFCNet (section 4): a network learns the allocation as a function of a buyer's and a good's context,
   trained on minibatches of buyers against the augmented Lagrangian of eq. 3; the multipliers lambda are the
   prices. Two recipes: the paper's (fc) and one with a share output (fc_share). */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "models/market/fc_loss.h"
#include "models/market/solvers.h"
#include "models/market/welfare.h"
#include "models/nn/mlp.h"
#include "models/nn/schedule.h"

enum {
  TASK = 16,        /* buyers in one task of the loops over a minibatch */
  GAP_BUYERS = 4096 /* buyers whose Nash gap the trace shows */
};

/* ---- The allocation that a network gives ---- */

typedef struct {
  wal_allocation base;
  const wal_market *market; /* borrowed */
  wal_fc_output output;
  wal_mlp *net;    /* owned */
  double lambda[]; /* [m] */
} network_allocation;

/* in[m, 2d]: the rows (b, g_j) of one buyer. */
static void pair_contexts(const wal_market *market, const float *b, float *in) {
  const size_t bytes = (size_t)market->d * sizeof *b;
  for (int j = 0; j < market->m; j++, in += 2 * market->d) {
    memcpy(in, b, bytes);
    memcpy(in + market->d, market->goods + j * market->d, bytes);
  }
}

/* Scratch of one fill(). */
typedef struct {
  float *b, *in, *z; /* [rows, d], [rows * m, 2d], [rows, m] */
  double *budget;    /* [rows] */
} fill_rows;

static wal_status infer_rows(const network_allocation *a, int64_t lo, int64_t rows, const fill_rows *f,
                             double *x) {
  const wal_market *market = a->market;
  const wal_source *buyers = market->buyers;
  const int64_t m = market->m, d = market->d;
  wal_status status = buyers->ops->contexts(buyers, lo, lo + rows, f->b);
  if (!status && a->output == WAL_FC_SHARE)
    status = buyers->ops->rows(buyers, lo, lo + rows, NULL, f->budget);
  if (status) return status;
  for (int64_t i = 0; i < rows; i++) pair_contexts(market, f->b + i * d, f->in + i * m * 2 * d);
  status = wal_mlp_cpu_infer(a->net, rows * m, f->in, f->z);
  for (int64_t i = 0; !status && i < rows; i++)
    wal_fc_allocate(a->output, market->m, f->z + i * m, f->budget[i], a->lambda, x + i * m);
  return status;
}

static wal_status network_fill(const wal_allocation *allocation, int64_t lo, int64_t hi, double *x) {
  const network_allocation *a = (const network_allocation *)allocation;
  const size_t rows = hi - lo < WAL_CHUNK ? (size_t)(hi - lo) : WAL_CHUNK;
  const size_t m = (size_t)a->market->m, d = (size_t)a->market->d;
  fill_rows f = {.b = malloc(rows * d * sizeof *f.b),
                 .in = malloc(rows * m * 2 * d * sizeof *f.in),
                 .z = malloc(rows * m * sizeof *f.z),
                 .budget = calloc(rows, sizeof *f.budget)};
  wal_status status = WAL_OK;
  if (!f.b || !f.in || !f.z || !f.budget)
    status = wal_fail(WAL_E_MEMORY, "no memory for %zu buyers of %zu goods", rows, m);
  for (int64_t at = lo; !status && at < hi; at += WAL_CHUNK)
    status = infer_rows(a, at, hi - at < WAL_CHUNK ? hi - at : WAL_CHUNK, &f, x + (at - lo) * (int64_t)m);
  free(f.b);
  free(f.in);
  free(f.z);
  free(f.budget);
  return status;
}

static void network_destroy(wal_allocation *allocation) {
  network_allocation *a = (network_allocation *)allocation;
  wal_mlp_cpu.destroy(a->net);
  free(a);
}

static const wal_allocation_ops network_ops = {"network", network_fill, network_destroy};

/* ---- Training ---- */

typedef struct {
  const char *name; /* of the solver, also of its options */
  wal_fc_output output;
  const wal_market *market;
  const wal_network_options *options;
  const wal_trace *trace;
  uint64_t seed;
  wal_schedule schedule;
  network_allocation *allocation; /* owned, with the network and lambda */
  int64_t draws, steps;           /* buyers drawn and Adam steps made so far */
  double budget;                  /* E[B] over all buyers */
  double *mean;                   /* [m] Y_j / n */
  double *demand;                 /* [m] E[x_j] at the present lambda, as last estimated */
  double *excess;                 /* [2, m] */
  wal_fc_pair pair;
  /* One pair of minibatches, 2M buyers. */
  float *in, *z, *dz;         /* [2M * m, 2d], [2M, m] twice */
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
  float *in = t->in + row * m * 2 * d, b[64], *context = d <= 64 ? b : malloc((size_t)d * sizeof *b);
  if (!context) return wal_fail(WAL_E_MEMORY, "no memory for a context of %lld elements", (long long)d);
  wal_status status = buyers->ops->rows(buyers, i, i + 1, t->v + row * m, t->budgets + row);
  if (!status) status = buyers->ops->contexts(buyers, i, i + 1, context);
  if (!status) pair_contexts(market, context, in);
  if (context != b) free(context);
  return status;
}

static wal_status allocate_buyer(training *t, int64_t row) {
  const int64_t at = row * t->market->m;
  wal_fc_allocate(t->output, t->market->m, t->z + at, t->budgets[row], t->allocation->lambda, t->x + at);
  return WAL_OK;
}

static wal_status differentiate_buyer(training *t, int64_t row) {
  const int64_t at = row * t->market->m;
  t->term[row] = wal_fc_buyer_term(&t->pair, t->excess, row, t->x, t->dx + at);
  wal_fc_pull_back(t->output, t->market->m, t->z + at, t->x + at, t->dx + at, t->dz + at);
  return WAL_OK;
}

/* One Adam step on a fresh pair of minibatches; *loss is the estimated Lagrangian before it. */
static wal_status train_step(training *t, double *loss) {
  wal_mlp *net = t->allocation->net;
  const int64_t rows = 2 * t->options->batch;
  wal_status status = for_buyers(t, draw_buyer);
  t->draws += rows;
  if (!status) status = net->ops->forward(net, rows * t->market->m, t->in, t->z);
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
  return wal_fail(
      WAL_E_DIVERGED, "%s: %s is %g in epoch %d of %d; a lower %s.lr than %g may help (%g works more often)",
      t->name, what, value, epoch, t->options->epochs, t->name, t->options->lr, t->options->lr / 10);
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

static wal_status demand_body(void *context, int64_t lo, int64_t hi, double *sum) {
  const training *t = context;
  const int64_t m = t->market->m;
  double *x = malloc((size_t)((hi - lo) * m) * sizeof *x);
  if (!x) return wal_fail(WAL_E_MEMORY, "no memory for %lld buyers", (long long)(hi - lo));
  const wal_status status = network_fill(&t->allocation->base, lo, hi, x);
  for (int64_t i = 0; !status && i < (hi - lo) * m; i++) sum[i % m] += x[i];
  free(x);
  return status;
}

/* demand[m] = E[x_j] over the whole population, or over its first price_buyers. */
static wal_status estimate_demand(training *t) {
  const int64_t asked = t->options->price_buyers, n = t->market->n,
                count = asked > 0 && asked < n ? asked : n;
  const wal_status status = wal_sum_chunks(count, t->market->m, demand_body, t, t->demand);
  for (int j = 0; j < t->market->m; j++) t->demand[j] /= (double)count;
  return status;
}

/* The paper's update: lambda_j += beta_t rho (E[x_j] - Y_j/n), beta_t = 1/sqrt(t). */
static void move_lambda(training *t, int epoch) {
  for (int j = 0; j < t->market->m; j++)
    t->allocation->lambda[j] += t->options->rho / sqrt(epoch) * (t->demand[j] - t->mean[j]);
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
  double *lambda = t->allocation->lambda, worth = 0;
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
  if (t->output == WAL_FC_SHARE)
    scale_lambda(t, epoch);
  else
    move_lambda(t, epoch);
  for (int j = 0; j < t->market->m; j++)
    if (!isfinite(t->allocation->lambda[j]))
      return diverged(t, epoch, "a multiplier", t->allocation->lambda[j]);
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
  wal_status status = network_fill(&g->t->allocation->base, lo, hi, x);
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
    if (!(t->allocation->lambda[j] > 0)) return WAL_OK;
    worth += t->allocation->lambda[j] * t->mean[j];
  }
  for (int j = 0; j < m; j++) {
    scale[j] = t->mean[j] / t->demand[j];
    price[j] = t->allocation->lambda[j] * t->budget / worth;
  }
  const int64_t count = t->market->n < GAP_BUYERS ? t->market->n : GAP_BUYERS;
  const wal_status status = wal_sum_chunks(count, 2, gap_body, &(gap_context){t, scale, price}, sum);
  *gap = sum[0] / sum[1];
  return status;
}

static wal_status run_epochs(training *t) {
  for (int epoch = 1; epoch <= t->options->epochs; epoch++) {
    double loss, gap;
    if (t->output == WAL_FC_SHARE) t->pair.alpha = 1 - epoch_substitution(t, epoch);
    wal_status status = train_epoch(t, epoch, &loss);
    if (!status) status = update_lambda(t, epoch);
    if (status) return status;
    const double clearing = violation(t);
    if ((status = sample_gap(t, &gap))) return status;
    static const char *const names[] = {"epoch", "loss", "nash_gap", "clearing", "lr"};
    wal_trace_row(t->trace, 5, names,
                  (double[]){epoch, loss, gap, clearing, wal_schedule_rate(&t->schedule, t->steps - 1)});
    wal_trace_state(t->trace, t->steps, &t->allocation->base, t->allocation->lambda);
  }
  return WAL_OK;
}

/* ---- Life ---- */

static void training_destroy(training *t) {
  if (t->allocation) network_destroy(&t->allocation->base);
  free(t->mean);
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
  t->allocation = calloc(1, sizeof *t->allocation + m * sizeof *t->allocation->lambda);
  t->mean = calloc(m, sizeof *t->mean);
  t->demand = calloc(m, sizeof *t->demand);
  t->excess = calloc(2 * m, sizeof *t->excess);
  t->in = malloc(cells * 2 * (size_t)t->market->d * sizeof *t->in);
  t->z = malloc(cells * sizeof *t->z);
  t->dz = malloc(cells * sizeof *t->dz);
  t->v = malloc(cells * sizeof *t->v);
  t->budgets = malloc(rows * sizeof *t->budgets);
  t->term = malloc(rows * sizeof *t->term);
  t->x = malloc(cells * sizeof *t->x);
  t->dx = malloc(cells * sizeof *t->dx);
  return t->allocation && t->mean && t->demand && t->excess && t->in && t->z && t->dz && t->v && t->budgets &&
         t->term && t->x && t->dx;
}

static wal_status activation_parse(const char *solver, const char *name, wal_activation *activation) {
  static const char *const names[] = {[WAL_RELU] = "relu", [WAL_TANH] = "tanh", [WAL_SILU] = "silu"};
  for (int i = 0; i < 3; i++)
    if (strcmp(name, names[i]) == 0) {
      *activation = (wal_activation)i;
      return WAL_OK;
    }
  return wal_fail(WAL_E_INPUT, "%s.activation is '%s'; expected relu, tanh or silu", solver, name);
}

static wal_status check(const training *t) {
  const wal_network_options *o = t->options;
  const wal_market *market = t->market;
  if (!market->buyers->ops->contexts || !market->goods || market->d < 1)
    return wal_fail(WAL_E_UNSUPPORTED,
                    "%s needs a market whose buyers and goods have contexts; newton needs none", t->name);
  if (market->alpha == -INFINITY)
    return wal_fail(WAL_E_UNSUPPORTED, "%s needs a finite alpha; newton takes -inf", t->name);
  if (o->batch < 1 || o->epochs < 1 || o->inner < 1)
    return wal_fail(WAL_E_INPUT,
                    "%s: batch %d, epochs %d, inner %d; expected at least 1 each (128, 30, 100 work)",
                    t->name, o->batch, o->epochs, o->inner);
  if (!(o->lr > 0) || !(o->rho >= 0) || !isfinite(o->lr) || !isfinite(o->rho))
    return wal_fail(WAL_E_INPUT, "%s: lr %g, rho %g; expected lr > 0 and rho >= 0 (1e-4 and 0.2 work)",
                    t->name, o->lr, o->rho);
  return WAL_OK;
}

static wal_status budget_body(void *context, int64_t lo, int64_t hi, double *sum) {
  const wal_source *buyers = context;
  double budget[WAL_CHUNK];
  const wal_status status = buyers->ops->rows(buyers, lo, hi, NULL, budget);
  for (int64_t i = 0; !status && i < hi - lo; i++) sum[0] += budget[i];
  return status;
}

/* The network, E[B], the supplies per buyer and the first multipliers: lambda0, or one price for all. */
static wal_status prepare(training *t) {
  const wal_market *market = t->market;
  const wal_network_options *o = t->options;
  wal_mlp_config config = {.inputs = 2 * market->d,
                           .outputs = 1,
                           .width = o->width,
                           .depth = o->depth,
                           .max_rows = 2 * (int64_t)o->batch * market->m,
                           .seed = t->seed};
  wal_fc_estimator estimator;
  wal_status status = activation_parse(t->name, o->activation, &config.activation);
  if (!status) status = wal_fc_estimator_parse(t->name, o->estimator, &estimator);
  if (!status && !allocate_buffers(t))
    status =
        wal_fail(WAL_E_MEMORY, "no memory for minibatches of %d buyers and %d goods", o->batch, market->m);
  if (!status) status = wal_mlp_cpu.create(&config, &t->allocation->net);
  if (!status)
    status = wal_sum_chunks(market->n, 1, budget_body, (void *)(uintptr_t)market->buyers, &t->budget);
  if (status) return status;
  double supply = 0;
  for (int j = 0; j < market->m; j++) supply += t->mean[j] = market->supply[j] / (double)market->n;
  t->budget /= (double)market->n;
  t->allocation->base.ops = &network_ops;
  t->allocation->market = market;
  t->allocation->output = t->output;
  for (int j = 0; j < market->m; j++)
    t->allocation->lambda[j] = t->output == WAL_FC_SHARE ? t->budget / supply : o->lambda0;
  t->pair = (wal_fc_pair){.m = market->m,
                          .batch = o->batch,
                          .estimator = estimator,
                          .alpha = market->alpha,
                          .rho = o->rho,
                          .v = t->v,
                          .budget = t->budgets,
                          .lambda = t->allocation->lambda,
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
      memcpy(solution->price, t->allocation->lambda, size);
      solution->allocation = &t->allocation->base;
      t->allocation = NULL; /* the solution owns it now */
    }
  }
  training_destroy(t);
  return status;
}

static wal_status solve_fc(const wal_market *market, const wal_solver_options *options,
                           const wal_trace *trace, wal_solution *solution) {
  training t = {.name = "fc",
                .output = WAL_FC_SOFTPLUS,
                .market = market,
                .options = &options->fc,
                .trace = trace,
                .seed = options->seed};
  return train(&t, solution);
}

static wal_status solve_tower(const wal_market *market, const wal_solver_options *options,
                              const wal_trace *trace, wal_solution *solution) {
  (void)market, (void)options, (void)trace;
  *solution = (wal_solution){.certified_gap = NAN};
  return wal_fail(WAL_E_UNSUPPORTED, "tower is not built yet; expected another solver (fc_share works)");
}

static wal_status solve_fc_share(const wal_market *market, const wal_solver_options *options,
                                 const wal_trace *trace, wal_solution *solution) {
  training t = {.name = "fc_share",
                .output = WAL_FC_SHARE,
                .market = market,
                .options = &options->fc_share,
                .trace = trace,
                .seed = options->seed};
  return train(&t, solution);
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
