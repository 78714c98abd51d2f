#include "models/mechanism/sampler.h"

#include <stdlib.h>
#include <string.h>

#include "models/common/rng.h"
#include "models/mechanism/pf_open.h"

enum {
  WINDOW = 512, /* fresh instances looked at together */
  PROBE = 8192, /* instances that the probability of a contested one is counted on */
  REST = 8      /* one instance in so many is not contested */
};
static const double LEAST = 0.005; /* with fewer contested ones than this, finding them would be the work */

bool wal_instance_contested(const wal_instances *in, int64_t k) {
  for (int m = 0; m < in->m; m++)
    if (wal_pf_contested(in, k, m)) return true;
  return false;
}

/* Copies instance `from` of in to place `to` of the batch. */
static void copy_instance(const wal_instances *in, int64_t from, wal_owned_instances *batch, int64_t to) {
  const size_t m = (size_t)in->m, n = (size_t)in->n, nm = n * m;
  memcpy(batch->v + (size_t)to * nm, in->v + (size_t)from * nm, nm * sizeof(double));
  memcpy(batch->x + (size_t)to * nm, in->x + (size_t)from * nm, nm * sizeof(double));
  memcpy(batch->b + (size_t)to * m, in->b + (size_t)from * m, m * sizeof(double));
  if (batch->w) memcpy(batch->w + (size_t)to * n, in->w + (size_t)from * n, n * sizeof(double));
}

/* ---- Life ---- */

/* Sorts the pool's instances into `order`. */
static wal_status split_pool(wal_sampler *s) {
  const int64_t count = s->pool.in.count;
  s->order = malloc((size_t)count * sizeof *s->order);
  if (!s->order) return wal_fail(WAL_E_MEMORY, "no memory for %lld training instances", (long long)count);
  int64_t rest = count;
  s->split = 0;
  for (int64_t k = 0; k < count; k++)
    if (wal_instance_contested(&s->pool.in, k))
      s->order[s->split++] = k;
    else
      s->order[--rest] = k;
  s->contested = (double)s->split / (double)count;
  return WAL_OK;
}

/* Instances 0, 1, ... of the law, `count` of them, as the pool. */
static wal_status draw_pool(wal_sampler *s, int64_t count) {
  wal_instances_destroy(&s->pool);
  const wal_status status = wal_instances_create(count, s->law.n, s->law.m, false, &s->pool);
  return status ? status : wal_law_draw(&s->law, 0, &s->pool);
}

wal_status wal_sampler_create(const wal_law *law, int64_t samples, bool contested, wal_sampler *out) {
  *out = (wal_sampler){.law = *law, .samples = samples};
  wal_status status = draw_pool(out, samples ? samples : PROBE);
  if (!status) status = split_pool(out);
  if (!status && !samples) {
    free(out->order);
    out->order = NULL;
    wal_instances_destroy(&out->pool);
    status = wal_instances_create(WINDOW, law->n, law->m, false, &out->pool);
  }
  out->stratified = contested && out->contested >= LEAST && out->contested <= 1 - 1.0 / REST;
  return status;
}

void wal_sampler_destroy(wal_sampler *s) {
  wal_instances_destroy(&s->pool);
  free(s->order);
  *s = (wal_sampler){0};
}

/* ---- Draws ---- */

/* Places of a batch that go to contested instances: the first ones. */
static int64_t quota(const wal_sampler *s, int64_t count) {
  return s->stratified ? count - (count + REST - 1) / REST : 0;
}

static void draw_from_pool(wal_sampler *s, wal_owned_instances *batch) {
  const int64_t count = batch->in.count, first = quota(s, count);
  for (int64_t k = 0; k < count; k++) {
    const int64_t lo = s->stratified && k >= first ? s->split : 0;
    const int64_t hi = s->stratified && k < first ? s->split : s->samples;
    const int64_t at =
        (int64_t)wal_rng_below(s->law.seed, WAL_STREAM_BATCH, (uint64_t)(s->next + k), (uint64_t)(hi - lo));
    copy_instance(&s->pool.in, s->order[lo + at], batch, k);
    if (s->drawn) s->drawn[k] = s->order[lo + at];
  }
  s->next += count;
}

/* Goes through the law's instances in order until both kinds have filled their places. */
static wal_status draw_fresh(wal_sampler *s, wal_owned_instances *batch) {
  const int64_t count = batch->in.count, first = quota(s, count);
  int64_t to[2] = {first, 0}, end[2] = {count, first}; /* the others, the contested */
  wal_status status = WAL_OK;
  while (!status && (to[0] < end[0] || to[1] < end[1])) {
    status = wal_law_draw(&s->law, s->next, &s->pool);
    int64_t k = 0;
    for (; !status && k < WINDOW && (to[0] < end[0] || to[1] < end[1]); k++) {
      const int kind = s->stratified && wal_instance_contested(&s->pool.in, k);
      if (to[kind] < end[kind]) copy_instance(&s->pool.in, k, batch, to[kind]++);
    }
    s->next += k;
  }
  return status;
}

wal_status wal_sampler_draw(wal_sampler *s, wal_owned_instances *batch, double *importance) {
  const int64_t count = batch->in.count, first = quota(s, count);
  wal_status status = WAL_OK;
  if (s->order)
    draw_from_pool(s, batch);
  else
    status = draw_fresh(s, batch);
  for (int64_t k = 0; k < count; k++)
    importance[k] = !s->stratified ? 1
                    : k < first    ? s->contested * (double)count / (double)first
                                   : (1 - s->contested) * (double)count / (double)(count - first);
  return status;
}
