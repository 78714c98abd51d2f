/* PF's measures, which are the scales of training, and those of the mechanism under way. */
#include <stdlib.h>

#include "models/common/rng.h"
#include "models/mechanism/training_run.h"

enum {
  REFERENCE = 512,  /* instances that PF is attacked on */
  WELFARE = 8192,   /* instances that its welfare is measured on: a product of many utilities varies more */
  VALIDATION = 128, /* instances that the mechanism is measured on while it trains */
  STRONGER = 4,     /* times the candidates of training */
  CLIMB = 40        /* steps of the paper's ascent */
};

/* sum_k importance_k y_k / K. */
static double mean_of(const double *importance, const double *y, int64_t count) {
  double sum = 0;
  for (int64_t k = 0; k < count; k++) sum += importance[k] * y[k] / (double)count;
  return sum;
}

/* Means under the law over a weighted batch: the run's NSW of f, then its exploitability by each attack, into
   mean [1 + attacks]. */
static wal_status measure(const wal_training_run *run, wal_mechanism *f, const wal_instances *in,
                          const double *importance, int attacks, const wal_attack_options *attack,
                          double *mean) {
  const int64_t count = in->count, n = in->n;
  double *a = malloc((size_t)(count * n * in->m) * sizeof *a), *u = malloc((size_t)(count * n) * sizeof *u);
  double *each = malloc((size_t)count * sizeof *each);
  wal_status status = a && u && each
                          ? f->kind->allocate(f, in, a)
                          : wal_fail(WAL_E_MEMORY, "no memory to measure %lld instances", (long long)count);
  if (!status) {
    wal_utilities(in, a, u);
    wal_nash_welfare(in, u, run->active, each);
    mean[0] = mean_of(importance, each, count);
  }
  for (int k = 0; !status && k < attacks; k++) {
    status = wal_attack(f, in, &attack[k], &(wal_attack_result){.gain = u});
    if (status) break;
    wal_exploitability(in, u, each);
    mean[1 + k] = mean_of(importance, each, count);
  }
  free(a), free(u), free(each);
  return status;
}

/* A mean that is 0 cannot be a scale: nothing to share. */
static double welfare_scale(double mean) { return mean > 0 ? mean : 1; }

/* Nor can what is left to gain where there is nothing: with one resource PF is the uniform rule. */
static double exploitability_scale(double mean) { return wal_exploitable(mean) ? mean : 1; }

/* PF on `count` instances that are then forgotten. */
static wal_status measure_pf(const wal_training_run *run, wal_sampler *sampler, int64_t count, int attacks,
                             const wal_attack_options *attack, double *mean) {
  wal_owned_instances batch;
  double *importance = malloc((size_t)count * sizeof *importance);
  wal_status status = wal_instances_create(count, sampler->law.n, sampler->law.m, false, &batch);
  if (!status && !importance) status = wal_fail(WAL_E_MEMORY, "no memory for %lld weights", (long long)count);
  if (!status) status = wal_sampler_draw(sampler, &batch, importance);
  if (!status) status = measure(run, run->pf, &batch.in, importance, attacks, attack, mean);
  wal_instances_destroy(&batch);
  free(importance);
  return status;
}

static wal_status prepare_validation(wal_training_run *run, wal_sampler *sampler) {
  wal_validation *v = &run->validation;
  v->attack[0] = run->o->attack;
  v->attack[0].candidates *= STRONGER;
  v->attack[0].starts *= STRONGER;
  v->attack[1] = wal_attack_defaults("ascent");
  v->attack[1].steps = CLIMB;
  v->attack[1].lie = run->o->attack.lie;
  v->importance = malloc(VALIDATION * sizeof *v->importance);
  if (!v->importance) return wal_fail(WAL_E_MEMORY, "no memory for %d weights", VALIDATION);
  wal_status status = wal_instances_create(VALIDATION, run->f->n, run->f->m, false, &v->batch);
  if (!status) status = wal_sampler_draw(sampler, &v->batch, v->importance);
  if (!status) status = measure(run, run->pf, &v->batch.in, v->importance, 2, v->attack, v->pf);
  return status;
}

wal_status wal_training_reference(wal_training_run *run, bool scales) {
  wal_law law = run->o->law; /* truthful whatever is trained on, and other instances than any: its own seed */
  law.kind = WAL_LAW_UNIFORM;
  law.stream = WAL_STREAM_TRAINING;
  law.seed ^= 0x5851f42d4c957f2du;
  wal_sampler plain, stratified = {0};
  double welfare[1] = {0}, attacked[2] = {0};
  wal_status status = wal_sampler_create(&law, 0, false, &plain);
  if (!status) status = wal_sampler_create(&law, 0, true, &stratified);
  if (!status && run->o->trace_every > 0) status = prepare_validation(run, &stratified);
  if (!status && scales) {
    status = measure_pf(run, &plain, WELFARE, 0, NULL, welfare);
    if (!status) status = measure_pf(run, &stratified, REFERENCE, 1, &run->o->attack, attacked);
    run->pf_nsw = welfare_scale(welfare[0]);
    run->pf_expl = exploitability_scale(attacked[1]);
  }
  wal_sampler_destroy(&plain);
  wal_sampler_destroy(&stratified);
  return status;
}

wal_status wal_training_validate(wal_training_run *run, double *ratio) {
  wal_validation *v = &run->validation;
  const wal_status status = measure(run, run->f, &v->batch.in, v->importance, 2, v->attack, ratio);
  if (status) return status;
  ratio[0] /= welfare_scale(v->pf[0]);
  for (int k = 1; k < 3; k++) ratio[k] /= exploitability_scale(v->pf[k]);
  return WAL_OK;
}

void wal_training_forget(wal_training_run *run) {
  wal_instances_destroy(&run->validation.batch);
  free(run->validation.importance);
}
