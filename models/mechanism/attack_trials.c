/* Reports on trial: one agent's lie among truthful others, allocated in batches. */
#include <stdlib.h>
#include <string.h>

#include "models/mechanism/attack_search.h"

wal_status wal_trials_create(wal_search *search, int64_t room, wal_trials *out) {
  const size_t n = (size_t)search->in->n, m = (size_t)search->in->m, nm = n * m, rows = (size_t)room;
  const size_t weights = search->in->w ? n : 0;
  *out = (wal_trials){.search = search, .room = room, .in = *search->in};
  out->v = malloc(rows * (3 * nm + m + weights + 1) * sizeof *out->v);
  out->pair = malloc(rows * sizeof *out->pair);
  if (!out->v || !out->pair)
    return wal_fail(WAL_E_MEMORY, "no memory for %lld reports of %d x %d", (long long)room, search->in->n,
                    search->in->m);
  out->x = out->v + rows * nm;
  out->a = out->x + rows * nm;
  out->b = out->a + rows * nm;
  out->u = out->b + rows * m;
  out->w = weights ? out->u + rows : NULL;
  out->in = (wal_instances){
      .n = search->in->n, .m = search->in->m, .v = out->v, .x = out->x, .b = out->b, .w = out->w};
  return WAL_OK;
}

void wal_trials_destroy(wal_trials *trials) {
  free(trials->v);
  free(trials->pair);
  *trials = (wal_trials){0};
}

void wal_trials_clear(wal_trials *trials) { trials->in.count = 0; }
bool wal_trials_full(const wal_trials *trials) { return trials->in.count == trials->room; }

int64_t wal_trials_row(const wal_trials *trials, int64_t t) {
  return (t * trials->in.n + trials->pair[t] % trials->in.n) * trials->in.m;
}

void wal_trials_put(wal_trials *trials, int64_t pair, const double *v, const double *x) {
  const wal_instances *truth = trials->search->in;
  const int n = truth->n, m = truth->m;
  const int64_t t = trials->in.count++, k = pair / n, nm = (int64_t)n * m;
  trials->pair[t] = pair;
  memcpy(trials->v + t * nm, truth->v + k * nm, (size_t)nm * sizeof *v);
  memcpy(trials->x + t * nm, truth->x + k * nm, (size_t)nm * sizeof *x);
  memcpy(trials->b + t * m, truth->b + k * m, (size_t)m * sizeof *v);
  if (trials->w) memcpy(trials->w + t * n, truth->w + k * n, (size_t)n * sizeof *v);
  const int64_t row = wal_trials_row(trials, t);
  memcpy(trials->v + row, v, (size_t)m * sizeof *v);
  memcpy(trials->x + row, x, (size_t)m * sizeof *x);
}

/* Adds `probability` times what each report's agent gets to u. */
static void add_utilities(wal_trials *trials, double probability) {
  const wal_instances *truth = trials->search->in;
  for (int64_t t = 0; t < trials->in.count; t++) {
    const double *v = truth->v + trials->pair[t] * truth->m, *x = truth->x + trials->pair[t] * truth->m;
    const double *a = trials->a + wal_trials_row(trials, t);
    trials->u[t] += probability * wal_utility(truth->m, v, x, a);
  }
}

wal_status wal_trials_run(wal_trials *trials) {
  const wal_mechanism *part[WAL_LOTS];
  double probability[WAL_LOTS];
  const int lots = wal_mechanism_lots(trials->search->f, part, probability);
  wal_status status = WAL_OK;
  memset(trials->u, 0, (size_t)trials->in.count * sizeof *trials->u);
  for (int p = 0; status == WAL_OK && p < lots; p++) {
    status = part[p]->kind->allocate(part[p], &trials->in, trials->a);
    if (status == WAL_OK) add_utilities(trials, probability[p]);
  }
  atomic_fetch_add(&trials->search->computed, trials->in.count);
  return status;
}
