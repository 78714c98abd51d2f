/* Algorithm 1 (rpfnet, section 3.2): draw instances, search for every agent's best misreport, one gradient
   through the truth and these reports, Adam, dual variables. */
#include "models/mechanism/training.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "models/common/rng.h"
#include "models/mechanism/training_run.h"
#include "models/nn/schedule.h"

double wal_training_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- A step ---- */

/* The truth is in the first places of the reports, the B instances that were attacked before those of the
   welfare; behind it one instance for every agent whom a lie
   helps. */
static wal_deviations gather_lies(wal_training_run *run, const wal_instances *truth) {
  const int n = truth->n, m = truth->m;
  const int64_t batch = run->o->batch;
  const size_t nm = (size_t)n * (size_t)m, row = (size_t)m * sizeof(double);
  wal_deviations d = {.truth = truth,
                      .importance = run->importance,
                      .instance = run->instance,
                      .agent = run->agent,
                      .attacked = run->o->batch};
  if (run->welfare) d.weight = run->weight, d.reference = run->reference;
  for (int64_t r = 0; r < batch * n; r++) {
    if (!(run->gain[r] > 0)) continue;
    const int64_t k = r / n, to = truth->count + d.lies;
    const int i = (int)(r % n);
    run->instance[d.lies] = k;
    run->agent[d.lies++] = i;
    memcpy(run->reports.v + (size_t)to * nm, truth->v + (size_t)k * nm, (size_t)n * row);
    memcpy(run->reports.x + (size_t)to * nm, truth->x + (size_t)k * nm, (size_t)n * row);
    memcpy(run->reports.b + to * m, truth->b + k * m, row);
    memcpy(run->reports.v + to * (int64_t)nm + i * m, run->best_v + r * m, row);
    memcpy(run->reports.x + to * (int64_t)nm + i * m, run->best_x + r * m, row);
  }
  return d;
}

/* The attack of step t: other stratified candidates than at any other step, so that none are learnt. */
static wal_attack_options attack_at(const wal_training_run *run) {
  wal_attack_options attack = run->o->attack;
  attack.seed += (uint64_t)run->step * 0x9e3779b97f4a7c15u;
  return attack;
}

/* Algorithm 1, step 3: gamma_i = max(0, gamma_i + beta (E[expl_i] - epsilon)). */
static void update_duals(wal_training_run *run) {
  const wal_training_options *o = run->o;
  for (int i = 0; o->dual_rate > 0 && i < run->f->n; i++)
    run->gamma[i] = fmax(0, run->gamma[i] + o->dual_rate * (run->expl[i] - o->epsilon));
}

static wal_status diverged(const wal_training_run *run, double loss) {
  return wal_fail(WAL_E_DIVERGED,
                  "training %s: the loss is %g at step %lld of %lld; a lower rate than %g may help (%g works "
                  "more often)",
                  run->f->kind->name, loss, (long long)run->step, (long long)run->o->steps, run->o->lr,
                  run->o->lr / 10);
}

/* The weighted mean NSW of the truth under the allocations a [B, N, M]. */
static double mean_welfare(wal_training_run *run, const wal_instances *truth, const double *a) {
  double *u = run->scratch, *nsw = run->scratch + truth->count * truth->n, sum = 0;
  wal_utilities(truth, a, u);
  wal_nash_welfare(truth, u, run->active, nsw);
  for (int64_t k = 0; k < truth->count; k++) sum += run->importance[k] * nsw[k] / (double)truth->count;
  return sum;
}

/* Where a mechanism has little of PF's welfare the product of utilities is nearly flat, all the more the more
   agents there are: training for the product begins with its logarithm. */
static const double FLAT = 0.8;

/* What this step minimises, given the truth's allocations a [B, N, M] and room for PF's and utilities. */
static wal_status objective_at(wal_training_run *run, const wal_instances *truth, const double *a,
                               wal_objective *out) {
  const wal_training_options *o = run->o;
  const bool log = strcmp(o->objective, "log") == 0;
  double nsw[2];
  *out = (wal_objective){.log = log,
                         .active = run->active,
                         .gamma = run->gamma,
                         .expl_unit = log ? 1 : 1 / (run->f->n * run->pf_expl),
                         .nsw_scale = run->pf_nsw};
  if (run->welfare) out->log = true; /* what such draws are for */
  if (out->log) return WAL_OK;
  const wal_status status = run->pf->kind->allocate(run->pf, truth, run->da);
  for (int k = 0; !status && k < 2; k++) nsw[k] = mean_welfare(run, truth, k ? run->da : a);
  if (!status) out->log = nsw[0] < FLAT * nsw[1];
  return status;
}

/* The gradient at the truth and the lies, then Adam and the dual variables. */
static wal_status descend(wal_training_run *run, const wal_deviations *d) {
  const wal_training_options *o = run->o;
  wal_mechanism *f = run->f;
  const wal_instances all = wal_instances_part(&run->reports.in, 0, d->truth->count + d->lies);
  wal_objective objective;
  wal_status status = f->kind->allocate(f, &all, run->a);
  if (!status) status = objective_at(run, d->truth, run->a, &objective);
  if (status) return status;
  const wal_objective_value value =
      wal_objective_gradient(&objective, d, run->a, run->scratch, run->expl, run->da);
  if (!isfinite(value.loss)) return diverged(run, value.loss);
  run->sum.loss += value.loss;
  run->sum.nsw += value.nsw + run->rest * run->pf_nsw;
  run->sum.expl += value.expl;
  const wal_schedule schedule = {.peak = o->lr, .warmup = o->warmup, .cosine = o->cosine, .steps = o->steps};
  status = f->kind->vjp(f, &all, run->da, NULL, NULL);
  if (!status) status = f->net->ops->step(f->net, (float)wal_schedule_rate(&schedule, run->step));
  if (!status) update_duals(run);
  return status;
}

static wal_status train_step(wal_training_run *run) {
  const wal_instances truth = wal_instances_part(&run->reports.in, 0, run->o->batch);
  wal_owned_instances batch = run->reports;
  batch.in = truth;
  const wal_attack_options attack = attack_at(run);
  wal_status status = wal_sampler_draw(&run->sampler, &batch, run->importance);
  if (!status) status = wal_training_attack(run, &truth, &attack);
  if (!status && run->welfare) status = wal_training_draw_welfare(run);
  if (status) return status;
  const wal_instances all = wal_instances_part(&run->reports.in, 0, run->o->batch + run->drawn);
  const wal_deviations d = gather_lies(run, &all);
  status = descend(run, &d);
  run->step += !status;
  return status;
}

/* ---- The trace ---- */

enum { FIXED_COLUMNS = 8, MOST_DUALS = 16 };

/* Columns of the dual variables: one for each agent where they move and are few, else their mean. */
static int dual_columns(const wal_training_run *run) {
  return run->o->dual_rate > 0 && run->f->n <= MOST_DUALS ? run->f->n : 1;
}

static void send_row(const wal_training_run *run, const double *values) {
  static const char *const fixed[FIXED_COLUMNS] = {"step",       "loss",     "expl",      "nsw_ratio",
                                                   "expl_ratio", "held_nsw", "held_expl", "held_weak"};
  const char *names[FIXED_COLUMNS + MOST_DUALS];
  char duals[MOST_DUALS][16];
  memcpy(names, fixed, sizeof fixed);
  for (int i = 0; i < dual_columns(run); i++) {
    snprintf(duals[i], sizeof duals[i], dual_columns(run) > 1 ? "gamma_%d" : "gamma", i + 1);
    names[FIXED_COLUMNS + i] = duals[i];
  }
  if (run->hooks->row) run->hooks->row(run->hooks->context, run->columns, names, values);
}

static void report(const wal_training_run *run, const double *row) {
  char what[96];
  snprintf(what, sizeof what, "step %lld/%lld, NSW %.3f, expl %.3f of PF's", (long long)run->step,
           (long long)run->o->steps, row[5], row[6]);
  if (run->hooks->progress)
    run->hooks->progress(run->hooks->context, (double)run->step / (double)run->o->steps, what);
}

/* A row: means over the steps since the last one, as they are and over PF's, and the measures on the
   validation instances. */
static wal_status add_row(wal_training_run *run, int64_t steps) {
  double *row = run->rows + run->row_count * run->columns, mean = 0;
  const double count = (double)steps;
  row[0] = (double)run->step;
  row[1] = run->sum.loss / count;
  row[2] = run->sum.expl / count;
  row[3] = run->sum.nsw / count / run->pf_nsw;
  row[4] = row[2] / run->pf_expl;
  const wal_status status = wal_training_validate(run, &row[5]);
  if (status) return status;
  for (int i = 0; i < run->f->n; i++) mean += run->gamma[i] / run->f->n;
  memcpy(row + FIXED_COLUMNS, dual_columns(run) > 1 ? run->gamma : &mean,
         (size_t)dual_columns(run) * sizeof *row);
  run->sum = (wal_objective_value){0};
  run->row_count++;
  send_row(run, row);
  report(run, row);
  return WAL_OK;
}

/* ---- Life ---- */

static bool has_objective(const wal_training_options *o, const char *name) {
  return strcmp(o->objective, name) == 0;
}

static wal_status check(const wal_mechanism *f, const wal_training_options *o) {
  if (!f->net || !f->kind->vjp)
    return wal_fail(WAL_E_INPUT, "%s has nothing to train; expected exs, softmax or one of the rpf kinds",
                    f->kind->name);
  if (o->law.n != f->n || o->law.m != f->m)
    return wal_fail(WAL_E_INPUT, "instances of %d agents and %d resources to train a %s for %d and %d",
                    o->law.n, o->law.m, f->kind->name, f->n, f->m);
  if (!has_objective(o, "log") && !has_objective(o, "product") && !has_objective(o, "active"))
    return wal_fail(WAL_E_INPUT, "the objective is \"%.15s\"; expected log, product or active", o->objective);
  if (o->steps < 0 || o->batch < 1 || o->welfare < 0 || o->samples < 0 || !(o->lr > 0) || !isfinite(o->lr))
    return wal_fail(
        WAL_E_INPUT,
        "training of %lld steps of %d instances out of %lld at rate %g; expected steps >= 0, batch "
        ">= 1, samples >= 0 (0: fresh ones), rate > 0 (1000, 128, 0, 3e-3 work)",
        (long long)o->steps, o->batch, (long long)o->samples, o->lr);
  if (o->around < 0)
    return wal_fail(WAL_E_INPUT, "%d reports around remembered ones; expected 0 or more (7 work)", o->around);
  if (!(o->gamma >= 0) || !(o->dual_rate >= 0) || !(o->epsilon >= 0) || !isfinite(o->gamma + o->dual_rate))
    return wal_fail(WAL_E_INPUT, "gamma %g, dual_rate %g, epsilon %g; expected 0 or more (0.06, 0, 0 work)",
                    o->gamma, o->dual_rate, o->epsilon);
  return WAL_OK;
}

static void destroy(wal_training_run *run) {
  void *const owned[] = {run->gamma,   run->rows,     run->importance, run->gain,     run->best_v,
                         run->best_x,  run->instance, run->agent,      run->a,        run->da,
                         run->scratch, run->expl,     run->weight,     run->reference};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
  wal_training_memory_destroy(run);
  wal_instances_destroy(&run->reports);
  wal_sampler_destroy(&run->sampler);
  wal_training_forget(run);
  wal_mechanism_destroy(run->pf);
}

static wal_status allocate_buffers(wal_training_run *run) {
  run->welfare = has_objective(run->o, "log") ? 0 : run->o->welfare;
  const size_t n = (size_t)run->f->n, nm = n * (size_t)run->f->m, batch = (size_t)run->o->batch;
  const size_t truth = batch + (size_t)run->welfare, all = truth + batch * n;
  run->columns = FIXED_COLUMNS + dual_columns(run);
  run->row_capacity = run->o->trace_every > 0 ? run->o->steps / run->o->trace_every + 1 : 1;
  run->gamma = malloc(n * sizeof *run->gamma);
  run->expl = malloc(n * sizeof *run->expl);
  run->rows = calloc((size_t)run->row_capacity * (size_t)run->columns, sizeof *run->rows);
  run->importance = malloc(batch * sizeof *run->importance);
  run->weight = calloc(truth, sizeof *run->weight);
  run->reference = calloc(truth, sizeof *run->reference);
  run->gain = calloc(batch * n, sizeof *run->gain);
  run->best_v = malloc(batch * nm * sizeof *run->best_v);
  run->best_x = malloc(batch * nm * sizeof *run->best_x);
  run->instance = malloc(batch * n * sizeof *run->instance);
  run->agent = malloc(batch * n * sizeof *run->agent);
  run->a = malloc(all * nm * sizeof *run->a);
  run->da = malloc(all * nm * sizeof *run->da);
  run->scratch = malloc(2 * truth * n * sizeof *run->scratch);
  if (!run->gamma || !run->expl || !run->weight || !run->reference || !run->rows || !run->importance ||
      !run->gain || !run->best_v || !run->best_x || !run->instance || !run->agent || !run->a || !run->da ||
      !run->scratch)
    return wal_fail(WAL_E_MEMORY,
                    "no memory to train on batches of %d instances of %d agents and %d resources",
                    run->o->batch, run->f->n, run->f->m);
  for (size_t i = 0; i < n; i++) run->gamma[i] = run->o->gamma;
  return wal_instances_create((int64_t)all, run->f->n, run->f->m, false, &run->reports);
}

static bool remembers(const wal_training_options *o) {
  return o->around > 0 && o->samples > 0 && strcmp(o->attack.method, "candidates") == 0;
}

/* Everything before the first step; a checkpoint is gone on from. */
static wal_status prepare(wal_training_run *run) {
  wal_law law = run->o->law;
  law.stream = WAL_STREAM_TRAINING;
  bool found = false;
  wal_mechanism_options options = wal_mechanism_defaults();
  options.polish = false;
  wal_status status = allocate_buffers(run);
  if (!status) status = wal_mechanism_create("pf", law.n, law.m, &options, &run->pf);
  if (!status)
    status = wal_sampler_create(&law, run->o->samples, run->o->contested && run->o->batch > 1, &run->sampler);
  if (!status && remembers(run->o)) status = wal_training_memory_create(run);
  if (!status) status = wal_training_load(run, &found);
  if (!status && run->step < run->o->steps) status = wal_training_reference(run, !found);
  for (int64_t r = 0; !status && r < run->row_count; r++) send_row(run, run->rows + r * run->columns);
  return status;
}

static wal_status run_steps(wal_training_run *run) {
  const wal_training_options *o = run->o;
  wal_status status = WAL_OK;
  while (!status && run->step < o->steps) {
    status = train_step(run);
    const bool last = run->step == o->steps;
    const int64_t since = o->trace_every > 0 ? run->step % o->trace_every : run->step;
    if (!status && o->trace_every > 0 && (since == 0 || last))
      status = add_row(run, since ? since : o->trace_every);
    if (!status && (last || (o->save_every > 0 && run->step % o->save_every == 0)))
      status = wal_training_save(run);
  }
  return status;
}

wal_status wal_mechanism_train(wal_mechanism *f, const wal_training_options *options,
                               const wal_training_hooks *hooks, double *seconds) {
  static const wal_training_hooks none;
  wal_training_run run = {.f = f,
                          .o = options,
                          .hooks = hooks ? hooks : &none,
                          .active = has_objective(options, "active"),
                          .begun = wal_training_clock()};
  const bool polish = f->options.polish;
  f->options.polish = false; /* the gradient needs no more than the solver's tolerance */
  wal_status status = check(f, options);
  if (!status) status = prepare(&run);
  const bool finished = run.step == options->steps;
  if (!status) status = run_steps(&run);
  if (seconds) *seconds = run.seconds + (finished ? 0 : wal_training_clock() - run.begun);
  destroy(&run);
  f->options.polish = polish;
  return status;
}
