/* The misreports that training remembers: what paid last time an instance was met mostly pays again, so that
   a few reports tried around it do what many fresh ones would. */
#include <stdlib.h>
#include <string.h>

#include "models/mechanism/training_run.h"

int64_t wal_training_memory_size(const wal_training_run *run) {
  return run->memory_v ? 2 * run->o->samples * run->f->n * run->f->m : 0;
}

wal_status wal_training_memory_create(wal_training_run *run) {
  const wal_instances *pool = &run->sampler.pool.in;
  const size_t batch = (size_t)run->o->batch, nm = (size_t)pool->n * (size_t)pool->m;
  const size_t entries = (size_t)pool->count * nm;
  run->memory_v = malloc(2 * entries * sizeof *run->memory_v);
  run->known_v = malloc(2 * batch * nm * sizeof *run->known_v);
  run->origin = malloc(batch * sizeof *run->origin);
  if (!run->memory_v || !run->known_v || !run->origin)
    return wal_fail(WAL_E_MEMORY, "no memory for the misreports of %lld training instances",
                    (long long)pool->count);
  run->memory_x = run->memory_v + entries;
  run->known_x = run->known_v + batch * nm;
  run->sampler.drawn = run->origin;
  memcpy(run->memory_v, pool->v, entries * sizeof *pool->v);
  memcpy(run->memory_x, pool->x, entries * sizeof *pool->x);
  return WAL_OK;
}

void wal_training_memory_destroy(wal_training_run *run) {
  free(run->memory_v), free(run->known_v), free(run->origin);
}

/* The remembered misreports of the batch into known_v, known_x. */
static void recall(wal_training_run *run) {
  const int64_t nm = (int64_t)run->f->n * run->f->m;
  for (int64_t k = 0; k < run->o->batch; k++) {
    memcpy(run->known_v + k * nm, run->memory_v + run->origin[k] * nm, (size_t)nm * sizeof *run->known_v);
    memcpy(run->known_x + k * nm, run->memory_x + run->origin[k] * nm, (size_t)nm * sizeof *run->known_x);
  }
}

/* What gains replaces what was remembered. */
static void remember(wal_training_run *run) {
  const int64_t n = run->f->n, m = run->f->m;
  for (int64_t r = 0; r < run->o->batch * n; r++) {
    if (!(run->gain[r] > 0)) continue;
    const int64_t to = (run->origin[r / n] * n + r % n) * m;
    memcpy(run->memory_v + to, run->best_v + r * m, (size_t)m * sizeof *run->memory_v);
    memcpy(run->memory_x + to, run->best_x + r * m, (size_t)m * sizeof *run->memory_x);
  }
}

wal_status wal_training_attack(wal_training_run *run, const wal_instances *truth,
                               const wal_attack_options *attack) {
  const wal_attack_result out = {.gain = run->gain, .v = run->best_v, .x = run->best_x};
  if (!run->memory_v) return wal_attack(run->f, truth, attack, &out);
  const wal_attack_known known = {run->known_v, run->known_x, run->o->around};
  recall(run);
  const wal_status status = wal_attack_from(run->f, truth, attack, &known, &out);
  if (!status) remember(run);
  return status;
}
