/* PF's measures, which are the scales of training, and those of the mechanism under way. */
#include <stdlib.h>

#include "models/common/rng.h"
#include "models/mechanism/training_run.h"

enum {
  REFERENCE = 512,  /* instances that PF is attacked on */
  WELFARE = 8192,   /* instances that its welfare is measured on: a product of many utilities varies more */
  VALIDATION = 128, /* instances that the mechanism is measured on while it trains */
  STRONGER = 4      /* times the candidates of training */
};

/* Means of NSW and of exploitability of f under the law, over a weighted batch; attack NULL: none. */
static wal_status measure(wal_mechanism *f, const wal_instances *in, const double *importance,
                          const wal_attack_options *attack, double *nsw, double *expl) {
  const int64_t count = in->count, n = in->n;
  double *a = malloc((size_t)(count * n * in->m) * sizeof *a), *u = malloc((size_t)(count * n) * sizeof *u);
  double *gain = calloc((size_t)(count * n), sizeof *gain), *each = malloc((size_t)count * sizeof *each);
  wal_status status = a && u && gain && each
                          ? f->kind->allocate(f, in, a)
                          : wal_fail(WAL_E_MEMORY, "no memory to measure %lld instances", (long long)count);
  if (!status && attack) status = wal_attack(f, in, attack, &(wal_attack_result){.gain = gain});
  *nsw = *expl = 0;
  if (!status) {
    wal_utilities(in, a, u);
    wal_nash_welfare(in, u, false, each);
    for (int64_t k = 0; k < count; k++) *nsw += importance[k] * each[k] / (double)count;
    wal_exploitability(in, gain, each);
    for (int64_t k = 0; k < count; k++) *expl += importance[k] * each[k] / (double)count;
  }
  free(a), free(u), free(gain), free(each);
  return status;
}

/* A mean that is 0 cannot be a scale: nothing to gain or to share. */
static double scale_of(double mean) { return mean > 0 ? mean : 1; }

/* PF on weighted instances of the sampler's law. */
static wal_status measure_pf(wal_sampler *sampler, const wal_attack_options *attack,
                             wal_owned_instances *batch, double *importance, double *nsw, double *expl) {
  wal_mechanism_options options = wal_mechanism_defaults();
  options.polish = false;
  wal_mechanism *pf = NULL;
  wal_status status = wal_sampler_draw(sampler, batch, importance);
  if (!status) status = wal_mechanism_create("pf", sampler->law.n, sampler->law.m, &options, &pf);
  if (!status) status = measure(pf, &batch->in, importance, attack, nsw, expl);
  wal_mechanism_destroy(pf);
  return status;
}

/* The same on `count` instances that are then forgotten; attack NULL: welfare only. */
static wal_status measure_pf_once(wal_sampler *sampler, int64_t count, const wal_attack_options *attack,
                                  double *nsw, double *expl) {
  wal_owned_instances batch;
  double *importance = malloc((size_t)count * sizeof *importance);
  wal_status status = wal_instances_create(count, sampler->law.n, sampler->law.m, false, &batch);
  if (!status && !importance) status = wal_fail(WAL_E_MEMORY, "no memory for %lld weights", (long long)count);
  if (!status) status = measure_pf(sampler, attack, &batch, importance, nsw, expl);
  wal_instances_destroy(&batch);
  free(importance);
  return status;
}

static wal_status prepare_validation(wal_training_run *run, wal_sampler *sampler) {
  wal_validation *v = &run->validation;
  v->attack = run->o->attack;
  v->attack.candidates *= STRONGER;
  v->attack.starts *= STRONGER;
  v->importance = malloc(VALIDATION * sizeof *v->importance);
  if (!v->importance) return wal_fail(WAL_E_MEMORY, "no memory for %d weights", VALIDATION);
  const wal_status status = wal_instances_create(VALIDATION, run->f->n, run->f->m, false, &v->batch);
  if (status) return status;
  return measure_pf(sampler, &v->attack, &v->batch, v->importance, &v->pf_nsw, &v->pf_expl);
}

wal_status wal_training_reference(wal_training_run *run, bool scales) {
  wal_law law = run->o->law;
  law.stream =
      WAL_STREAM_TRAINING; /* other instances than any that are trained or measured on: its own seed */
  law.seed ^= 0x5851f42d4c957f2du;
  wal_sampler plain, stratified = {0};
  double unused;
  wal_status status = wal_sampler_create(&law, 0, false, &plain);
  if (!status) status = wal_sampler_create(&law, 0, true, &stratified);
  if (!status && run->o->trace_every > 0) status = prepare_validation(run, &stratified);
  if (!status && scales) {
    status = measure_pf_once(&plain, WELFARE, NULL, &run->pf_nsw, &unused);
    if (!status) status = measure_pf_once(&stratified, REFERENCE, &run->o->attack, &unused, &run->pf_expl);
    run->pf_nsw = scale_of(run->pf_nsw);
    run->pf_expl = scale_of(run->pf_expl);
  }
  wal_sampler_destroy(&plain);
  wal_sampler_destroy(&stratified);
  return status;
}

wal_status wal_training_validate(wal_training_run *run, double *nsw, double *expl) {
  wal_validation *v = &run->validation;
  const wal_status status = measure(run->f, &v->batch.in, v->importance, &v->attack, nsw, expl);
  *nsw /= scale_of(v->pf_nsw);
  *expl /= scale_of(v->pf_expl);
  return status;
}

void wal_training_forget(wal_training_run *run) {
  wal_instances_destroy(&run->validation.batch);
  free(run->validation.importance);
}
