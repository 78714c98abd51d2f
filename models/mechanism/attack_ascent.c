/* Projected subgradient ascent (rpfnet, sections 3.1 and 4.2): from the truth, as the paper has it, and from
   more starts where asked. Steps of `rate` times the gradient of the agent's own utility, projected to the
   box; the best report on the way counts. The paper gives no schedule; at 2 x 2 rates from 0.05 to 0.2 find
   the most, and decreasing ones less. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "models/mechanism/attack_search.h"
#include "models/mechanism/pf.h"

/* Some agents, each from every start, that climb together. */
typedef struct {
  wal_search *search;
  wal_trials trials;
  double *da, *dv, *dx; /* [room, N, M] */
} climb;

/* ---- starts ---- */

/* Start number `start` of an agent into v, x [M]: the truth, then random reports of the box. */
static void begin_at(const wal_search *s, int64_t pair, int start, double *v, double *x) {
  const wal_attack_options *o = s->options;
  const int m = s->in->m;
  memcpy(v, s->in->v + pair * m, (size_t)m * sizeof *v);
  memcpy(x, s->in->x + pair * m, (size_t)m * sizeof *x);
  if (start == 0) return;
  const uint64_t first = (uint64_t)(pair % s->in->n * o->starts + start) * 2 * (uint64_t)m;
  const uint64_t seed = o->seed ^ wal_attack_digest(s->in, pair / s->in->n);
  for (int e = 0; e < m; e++) {
    const double uv = wal_rng_uniform(seed, WAL_STREAM_ATTACK, first + 2 * (uint64_t)e);
    const double ux = wal_rng_uniform(seed, WAL_STREAM_ATTACK, first + 2 * (uint64_t)e + 1);
    if (o->lie & WAL_LIE_VALUES) v[e] = o->low + (o->high - o->low) * uv;
    if (o->lie & WAL_LIE_DEMANDS && x[e] > 0) x[e] = o->low + (o->high - o->low) * ux;
  }
}

/* ---- a step ---- */

/* The gradient of every agent's utility in the allocation: its true values where it still wants more. */
static void utility_gradient(climb *q) {
  const wal_instances *truth = q->search->in;
  const int64_t count = q->trials.in.count;
  const int m = truth->m;
  memset(q->da, 0, (size_t)(count * truth->n * m) * sizeof *q->da);
  for (int64_t t = 0; t < count; t++) {
    const double *v = truth->v + q->trials.pair[t] * m, *x = truth->x + q->trials.pair[t] * m;
    const int64_t row = wal_trials_row(&q->trials, t);
    for (int e = 0; e < m; e++) q->da[row + e] = q->trials.a[row + e] <= x[e] * (1 + 1e-9) ? v[e] : 0;
  }
}

static void step(climb *q, double rate) {
  const wal_attack_options *o = q->search->options;
  const int m = q->search->in->m;
  for (int64_t t = 0; t < q->trials.in.count; t++) {
    const int64_t row = wal_trials_row(&q->trials, t);
    for (int e = 0; e < m; e++) {
      double *v = &q->trials.v[row + e], *x = &q->trials.x[row + e];
      if (o->lie & WAL_LIE_VALUES) *v = wal_attack_value(o, *v + rate * q->dv[row + e]);
      if (o->lie & WAL_LIE_DEMANDS) *x = wal_attack_demand(o, *x + rate * q->dx[row + e]);
    }
  }
}

static void offer_all(climb *q) {
  for (int64_t t = 0; t < q->trials.in.count; t++) {
    const int64_t row = wal_trials_row(&q->trials, t);
    wal_search_offer(q->search, q->trials.pair[t], q->trials.u[t], q->trials.v + row, q->trials.x + row);
  }
}

static wal_status ascend(climb *q) {
  wal_search *s = q->search;
  wal_status status = wal_trials_run(&q->trials);
  for (int at = 1; status == WAL_OK && at <= s->options->steps; at++) {
    utility_gradient(q);
    status = s->f->kind->vjp(s->f, &q->trials.in, q->da, q->dv, q->dx);
    if (status != WAL_OK) break;
    step(q, s->options->rate);
    status = wal_trials_run(&q->trials);
    if (status == WAL_OK) offer_all(q);
  }
  return status;
}

/* ---- all agents ---- */

typedef struct {
  wal_search *search;
  int64_t size; /* agents that climb together */
} job;

static wal_status climb_create(wal_search *s, int64_t room, climb *out) {
  const size_t cells = (size_t)room * (size_t)s->in->n * (size_t)s->in->m;
  *out = (climb){.search = s};
  wal_status status = wal_trials_create(s, room, &out->trials);
  out->da = malloc(3 * cells * sizeof *out->da);
  if (status == WAL_OK && !out->da)
    status = wal_fail(WAL_E_MEMORY, "no memory for the gradients of %lld reports of %d x %d", (long long)room,
                      s->in->n, s->in->m);
  if (status != WAL_OK) return status;
  out->dv = out->da + cells;
  out->dx = out->dv + cells;
  return WAL_OK;
}

static wal_status climb_task(void *context, int64_t b) {
  const job *q = context;
  wal_search *s = q->search;
  const int64_t first = b * q->size, left = s->pair_count - first, count = left < q->size ? left : q->size;
  const int m = s->in->m;
  climb c;
  wal_status status = climb_create(s, count * s->options->starts, &c);
  double *report = malloc(2 * (size_t)m * sizeof *report);
  if (status == WAL_OK && !report) status = wal_fail(WAL_E_MEMORY, "no memory for %d resources", m);
  for (int64_t r = 0; status == WAL_OK && r < count * s->options->starts; r++) {
    const int64_t pair = s->pairs[first + r / s->options->starts];
    begin_at(s, pair, (int)(r % s->options->starts), report, report + m);
    wal_trials_put(&c.trials, pair, report, report + m);
  }
  if (status == WAL_OK) status = ascend(&c);
  free(report);
  free(c.da);
  wal_trials_destroy(&c.trials);
  return status;
}

/* A network keeps what its derivative needs in itself: then one block after the other, as large as it takes.
 */
wal_status wal_search_ascent(wal_search *s) {
  if (!s->f->kind->vjp)
    return wal_fail(WAL_E_UNSUPPORTED, "%s has no derivative to climb; expected candidates or strong",
                    s->f->kind->name);
  const int64_t most = s->f->options.max_batch > 0 ? s->f->options.max_batch : 4096;
  const int64_t fit = (s->f->net ? most : wal_pf_batch(s->in->n, s->in->m, 128)) / s->options->starts;
  job q = {s, fit < 1 ? 1 : fit};
  const int64_t blocks = (s->pair_count + q.size - 1) / q.size;
  if (!s->f->net) return wal_for_tasks(blocks, climb_task, &q);
  wal_status status = WAL_OK;
  for (int64_t b = 0; status == WAL_OK && b < blocks; b++) status = climb_task(&q, b);
  return status;
}
