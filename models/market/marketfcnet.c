/* MarketFCNet (section 4): a network learns the allocation as a function of a buyer's and a good's context,
   trained on minibatches of buyers against the augmented Lagrangian of eq. 3; the multipliers lambda are the
   prices. The paper's recipe (fc); one with a share output (fc_share); a share output from a network of the
   buyer alone (tower). */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/market/fc_training.h"
#include "models/market/solvers.h"

wal_status wal_fc_diverged(const wal_fc_training *t, const char *what, double value) {
  return wal_fail(WAL_E_DIVERGED,
                  "%s: %s is %g in epoch %d of %d; a lower %s.lr than %g may help (%g works more often)",
                  t->recipe->name, what, value, t->epoch, t->options->epochs, t->recipe->name, t->options->lr,
                  t->options->lr / 10);
}

/* An epoch's steps, in as many calls as the device wants. */
static wal_status run_steps(wal_fc_training *t, double *mean_loss) {
  const wal_fc_ops *ops = t->network->ops;
  const int inner = t->options->inner, stretch = ops->stretch ? ops->stretch : inner;
  *mean_loss = 0;
  for (int k = 0, count; k < inner; k += count) {
    count = inner - k < stretch ? inner - k : stretch;
    const wal_status status = ops->steps(t, count, t->loss + k);
    if (status) return status;
    for (int i = k; i < k + count; i++) {
      if (!isfinite(t->loss[i])) return wal_fc_diverged(t, "the loss", t->loss[i]);
      *mean_loss += t->loss[i] / inner;
    }
    wal_trace_progress(t->trace, (t->epoch - 1 + (k + (double)count) / inner) / t->options->epochs,
                       "training");
  }
  t->network->about.steps = t->steps;
  return WAL_OK;
}

static wal_status run_epochs(wal_fc_training *t) {
  wal_status status = WAL_OK;
  for (t->epoch = 1; !status && t->epoch <= t->options->epochs; t->epoch++) {
    double loss;
    wal_fc_begin_epoch(t);
    status = run_steps(t, &loss);
    if (!status) status = wal_fc_update_multipliers(t);
    if (!status) status = wal_fc_report(t, loss);
  }
  return status;
}

/* ---- Life ---- */

void wal_fc_training_end(wal_fc_training *t) {
  if (t->network) t->network->ops->end(t->work);
  free(t->loss);
  free(t->demand);
  free(t->spent);
  free(t->shares);
  free(t->step);
  wal_fc_network_destroy(t->network);
}

static wal_status allocate(wal_fc_training *t) {
  const size_t m = (size_t)t->market->m;
  t->loss = calloc((size_t)t->options->inner, sizeof *t->loss);
  t->demand = calloc(m, sizeof *t->demand);
  t->spent = calloc(m, sizeof *t->spent);
  t->shares = calloc(m * m, sizeof *t->shares);
  t->step = calloc(m, sizeof *t->step);
  if (t->loss && t->demand && t->spent && t->shares && t->step) return WAL_OK;
  return wal_fail(WAL_E_MEMORY, "no memory for sums over %d goods and %d losses", t->market->m,
                  t->options->inner);
}

static wal_status check(const wal_fc_training *t) {
  const wal_network_options *o = t->options;
  const char *name = t->recipe->name;
  const wal_status status = wal_fc_network_takes(name, t->market);
  if (status) return status;
  if (o->batch < 1 || o->epochs < 1 || o->inner < 1)
    return wal_fail(WAL_E_INPUT,
                    "%s: batch %d, epochs %d, inner %d; expected at least 1 each (128, 30, 100 work)", name,
                    o->batch, o->epochs, o->inner);
  if (!(o->lr > 0) || !(o->rho >= 0) || !isfinite(o->lr) || !isfinite(o->rho))
    return wal_fail(WAL_E_INPUT, "%s: lr %g, rho %g; expected lr > 0 and rho >= 0 (1e-4 and 0.2 work)", name,
                    o->lr, o->rho);
  return WAL_OK;
}

static wal_status create_network(wal_fc_training *t) {
  const wal_network_options *o = t->options;
  wal_trained_network about = {.width = o->width, .depth = o->depth, .seed = t->seed};
  snprintf(about.recipe, sizeof about.recipe, "%s", t->recipe->name);
  snprintf(about.activation, sizeof about.activation, "%s", o->activation);
  const wal_status status =
      wal_fc_network_create(&about, t->market, 2 * (int64_t)o->batch, o->precision, &t->network);
  if (status) return status;
  t->lambda = t->network->about.lambda;
  t->mean = t->network->about.mean;
  return WAL_OK;
}

wal_status wal_fc_training_begin(wal_fc_training *t) {
  const wal_network_options *o = t->options;
  wal_fc_estimator estimator;
  wal_status status = check(t);
  if (!status) status = wal_fc_estimator_parse(t->recipe->name, o->estimator, &estimator);
  if (!status) status = create_network(t);
  if (!status) status = allocate(t);
  if (!status) status = wal_fc_first_multipliers(t);
  if (status) return status;
  t->pair = (wal_fc_pair){.m = t->market->m,
                          .batch = o->batch,
                          .estimator = estimator,
                          .alpha = t->market->alpha,
                          .rho = o->rho,
                          .lambda = t->lambda,
                          .mean = t->mean};
  t->schedule = (wal_schedule){
      .peak = o->lr, .warmup = o->warmup, .cosine = o->cosine, .steps = (int64_t)o->epochs * o->inner};
  return t->network->ops->begin(t, &t->work);
}

/* Hands the network over as the solution's allocation. */
static wal_status hand_over(wal_fc_training *t, wal_solution *solution) {
  const size_t size = (size_t)t->market->m * sizeof *solution->price;
  solution->price = malloc(size);
  if (!solution->price) return wal_fail(WAL_E_MEMORY, "no memory for %d prices", t->market->m);
  memcpy(solution->price, t->lambda, size);
  solution->allocation = &t->network->base;
  t->network->ops->end(t->work);
  t->work = NULL;
  t->network = NULL;
  return WAL_OK;
}

static wal_status solve(const wal_fc_recipe *recipe, const wal_network_options *options,
                        const wal_market *market, uint64_t seed, const wal_trace *trace,
                        wal_solution *solution) {
  wal_fc_training t = {.recipe = recipe, .market = market, .options = options, .trace = trace, .seed = seed};
  *solution = (wal_solution){.certified_gap = NAN};
  wal_status status = wal_fc_training_begin(&t);
  if (!status) status = run_epochs(&t);
  solution->iterations = t.steps;
  if (!status) status = hand_over(&t, solution);
  wal_fc_training_end(&t);
  return status;
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
                                  .seam = "fc",
                                  .contexts = true,
                                  .solve = solve_fc};
const wal_solver wal_solver_fc_share = {
    "fc_share",
    "MarketFCNet, share output",
    "this project: marketfcnet's network with x_ij = B_i softmax_j(z_ij)/lambda_j",
    .alpha = "(-inf, 1]",
    .sizes = "any; memory independent of n",
    .seam = "fc",
    .contexts = true,
    .solve = solve_fc_share};
const wal_solver wal_solver_tower = {"tower",
                                     "MarketFCNet, tower",
                                     "this project: a network of the buyer alone, one output per good",
                                     .alpha = "(-inf, 1]",
                                     .sizes = "any n; goods fixed at training; memory independent of n",
                                     .seam = "fc",
                                     .contexts = true,
                                     .solve = solve_tower};
