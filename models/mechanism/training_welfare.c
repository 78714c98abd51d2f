/* The instances that a step's welfare is measured on. A product of many utilities varies by orders of
   magnitude between instances, so that the few of a batch say next to nothing about its mean. PF is cheap:
   many instances are looked at, and a few drawn with probabilities that grow as PF's NSW does. For them

     E[NSW] / E[NSW(PF)] = 1 + E_PF[log NSW / NSW(PF)] + ...,

   the mean over such draws, of which every one counts alike, to first order in what a mechanism loses.
   Instances whose demands fit are left out: nothing can be lost there. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/rng.h"
#include "models/mechanism/training_run.h"

enum { LOOKED_AT = 2048 }; /* instances for one step */

/* Those looked at in this step: of a finite training set only its own. */
static wal_status look(const wal_training_run *run, wal_owned_instances *pool) {
  const wal_training_options *o = run->o;
  wal_law law = o->law;
  law.stream = WAL_STREAM_TRAINING;
  const int64_t count = o->samples > 0 && o->samples < LOOKED_AT ? o->samples : LOOKED_AT;
  const int64_t turns = o->samples > 0 ? o->samples / count : INT64_MAX;
  const wal_status status = wal_instances_create(count, law.n, law.m, false, pool);
  return status ? status : wal_law_draw(&law, run->step % turns * count, pool);
}

/* Each instance's share of PF's welfare into weight [count], 0 where nothing is contested; returns the sum.
 */
static double weigh(wal_training_run *run, const wal_instances *in, const double *a, double *u,
                    double *weight) {
  double sum = 0;
  run->rest = 0;
  wal_utilities(in, a, u);
  wal_nash_welfare(in, u, run->active, weight);
  for (int64_t k = 0; k < in->count; k++) {
    const double share = weight[k] / run->pf_nsw / (double)in->count;
    const bool contested = wal_instance_contested(in, k);
    *(contested ? &sum : &run->rest) += share;
    weight[k] = contested ? share : 0;
  }
  return sum;
}

/* Systematic draws by weight to the places after the batch. */
static void draw(wal_training_run *run, const wal_instances *in, const double *weight, double sum) {
  const int welfare = run->welfare, batch = run->o->batch;
  const size_t m = (size_t)in->m, nm = (size_t)in->n * m;
  double offset, passed = 0;
  int64_t to = 0;
  wal_rng_uniforms(run->o->law.seed, WAL_STREAM_BATCH, (uint64_t)run->step, 1, &offset);
  for (int64_t k = 0; k < in->count; k++) {
    passed += weight[k];
    for (; to < welfare && passed > sum * ((double)to + offset) / welfare; to++) {
      const size_t at = (size_t)(batch + to);
      memcpy(run->reports.v + at * nm, in->v + (size_t)k * nm, nm * sizeof(double));
      memcpy(run->reports.x + at * nm, in->x + (size_t)k * nm, nm * sizeof(double));
      memcpy(run->reports.b + at * m, in->b + (size_t)k * m, m * sizeof(double));
      run->weight[at] = sum / welfare;
      run->reference[at] = weight[k] * (double)in->count * run->pf_nsw;
    }
  }
  run->drawn = to;
}

wal_status wal_training_draw_welfare(wal_training_run *run) {
  wal_owned_instances pool = {0};
  wal_status status = look(run, &pool);
  const size_t count = (size_t)pool.in.count, n = (size_t)run->f->n, m = (size_t)run->f->m;
  double *a = status ? NULL : malloc(count * (n * m + n + 1) * sizeof *a);
  if (!status && !a)
    status = wal_fail(WAL_E_MEMORY, "no memory to measure the welfare of %lld instances", (long long)count);
  if (!status) status = run->pf->kind->allocate(run->pf, &pool.in, a);
  run->drawn = 0;
  if (!status) {
    double *u = a + count * n * m, *weight = u + count * n;
    const double sum = weigh(run, &pool.in, a, u, weight);
    if (sum > 0) draw(run, &pool.in, weight, sum);
    for (int64_t k = 0; k < run->o->batch; k++) run->weight[k] = 0;
  }
  free(a);
  wal_instances_destroy(&pool);
  return status;
}
