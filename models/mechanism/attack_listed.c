/* A search among listed reports ("candidates", "strong", "grid"), and a pattern search around the best. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/device.h"
#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "models/common/vmath.h"
#include "models/mechanism/attack_report.h"
#include "models/mechanism/attack_search.h"
#include "models/mechanism/plain.h"

/* Steps of the pattern search: of log values, and of demands as a share of [low, high]. */
static const double scales[] = {0.5, 0.15, 0.04, 0.01, 2e-3, 4e-4, 4e-5, 1e-6};
/* Reports around a known one: the least scale is exp(-NARROW) of the largest. */
#define NARROW 8.0
enum { KNOWN = 1 << 20 /* where their random numbers begin */ };
enum { SCALES = sizeof scales / sizeof *scales, STARTS = 6, ROOM = 1024, CELLS = 1 << 15 };

/* A few agents whose reports are tried together. */
typedef struct {
  wal_search *search;
  const int64_t *pair; /* [agents] */
  int64_t agents, listed,
      reports; /* listed: reports of an agent; reports: room for the larger of both lists */
  wal_trials trials;
  double *v, *x, *u;       /* [agents, reports, M], [agents, reports] */
  double *best_v, *best_x; /* [agents, STARTS, M] */
  double *best_u;          /* [agents, STARTS]; -infinity: none */
} block;

static bool is_grid(const wal_search *s) { return strcmp(s->options->method, "grid") == 0; }
static bool refines(const wal_search *s) { return strcmp(s->options->method, "candidates") != 0; }

/* Moves around one report: each coordinate that the agent may lie about, both ways, every scale. */
static int64_t move_count(const wal_search *s) {
  const int kinds = (s->options->lie & WAL_LIE_VALUES ? 1 : 0) + (s->options->lie & WAL_LIE_DEMANDS ? 1 : 0);
  return (int64_t)kinds * s->in->m * 2 * SCALES;
}

/* ---- trying ---- */

static wal_status run_trials(block *q, int64_t *done, double *u) {
  const wal_status status = wal_trials_run(&q->trials);
  memcpy(u + *done, q->trials.u, (size_t)q->trials.in.count * sizeof *u);
  *done += q->trials.in.count;
  wal_trials_clear(&q->trials);
  return status;
}

/* u of the first `count` reports of every agent, packed [agents, count] as v and x are. */
static wal_status try_reports(block *q, int64_t count) {
  const int m = q->search->in->m;
  const int64_t all = q->agents * count;
  int64_t done = 0;
  wal_status status = WAL_OK;
  wal_trials_clear(&q->trials);
  for (int64_t r = 0; status == WAL_OK && r < all; r++) {
    wal_trials_put(&q->trials, q->pair[r / count], q->v + r * m, q->x + r * m);
    if (wal_trials_full(&q->trials) || r == all - 1) status = run_trials(q, &done, q->u);
  }
  return status;
}

/* ---- steps from a report ---- */

double wal_attack_value(const wal_attack_options *options, double v) {
  return fmin(fmax(v, options->low), options->high);
}

double wal_attack_demand(const wal_attack_options *options, double x) {
  return x < options->low / 2 ? 0 : fmin(fmax(x, options->low), options->high);
}

/* A demand after a step: up from 0 it begins at `low`, down from `low` it ends at 0. */
static double step_demand(const wal_attack_options *options, double x, double step) {
  const double to = x + step * (options->high - options->low);
  if (to >= options->low) return fmin(to, options->high);
  return step > 0 ? options->low : x > options->low ? options->low : 0;
}

/* ---- the list ---- */

static int64_t known_count(const wal_search *s) { return s->known ? 1 + s->known->around : 0; }

/* Moves report h around a known one, in place: in values, demands or both, by a step of a random scale. */
static void wander(const wal_search *s, uint64_t seed, int64_t h, double *v, double *x) {
  const int m = s->in->m, lie = s->options->lie == WAL_LIE_BOTH ? 1 + (int)(h % 3) : (int)s->options->lie;
  const uint64_t first = KNOWN + (uint64_t)h * 4 * (uint64_t)m;
  double scale, to[2];
  wal_rng_uniforms(seed, WAL_STREAM_ATTACK, first, 1, &scale);
  scale = scales[0] * wal_exp(-NARROW * scale);
  for (int j = 0; j < m; j++) {
    wal_rng_uniforms(seed, WAL_STREAM_ATTACK, first + 2 + 2 * (uint64_t)j, 2, to);
    if (lie & WAL_LIE_VALUES) v[j] = wal_attack_value(s->options, v[j] * wal_exp(scale * (2 * to[0] - 1)));
    if (lie & WAL_LIE_DEMANDS) x[j] = step_demand(s->options, x[j], scale * (2 * to[1] - 1));
  }
}

/* The known report of agent `pair`, then those around it. */
static void list_known(const wal_search *s, int64_t pair, double *v, double *x) {
  const int m = s->in->m, n = s->in->n;
  const uint64_t seed = s->options->seed ^ wal_attack_digest(s->in, pair / n);
  for (int64_t h = 0; h < known_count(s); h++, v += m, x += m) {
    memcpy(v, s->known->v + pair * m, (size_t)m * sizeof *v);
    memcpy(x, s->known->x + pair * m, (size_t)m * sizeof *x);
    if (h > 0) wander(s, seed, pair % n * known_count(s) + h, v, x);
  }
}

static wal_status list_reports(block *q) {
  const wal_search *s = q->search;
  const int n = s->in->n, m = s->in->m;
  wal_status status = WAL_OK;
  for (int64_t p = 0; status == WAL_OK && p < q->agents; p++) {
    const int64_t k = q->pair[p] / n, first = p * q->listed * m, at = first + known_count(s) * m;
    const int i = (int)(q->pair[p] % n);
    if (s->known) list_known(s, q->pair[p], q->v + first, q->x + first);
    if (is_grid(s))
      wal_attack_grid(s->in, k, i, s->options, q->v + at, q->x + at);
    else
      status = wal_attack_candidates(s->in, k, i, s->options, q->v + at, q->x + at);
  }
  return status;
}

/* Do two reports differ by more than the pattern search will soon walk? */
static bool apart(const wal_search *s, const double *v, const double *x, const double *other_v,
                  const double *other_x) {
  const double reach = 0.05;
  for (int m = 0; m < s->in->m; m++) {
    const double ratio = (v[m] / v[0]) / (other_v[m] / other_v[0]);
    if (!(ratio < 1 + reach && ratio > 1 - reach)) return true;
    if (fabs(x[m] - other_x[m]) > reach * s->options->high) return true;
  }
  return false;
}

/* The best report of agent p that is apart from the `chosen` ones; -1: none. */
static int64_t best_apart(const block *q, int64_t p, int chosen) {
  const int m = q->search->in->m;
  int64_t best = -1;
  for (int64_t h = 0; h < q->listed; h++) {
    const int64_t r = p * q->listed + h;
    if (best >= 0 && !(q->u[r] > q->u[best])) continue;
    bool far = true;
    for (int c = 0; far && c < chosen; c++)
      far = apart(q->search, q->v + r * m, q->x + r * m, q->best_v + (p * STARTS + c) * m,
                  q->best_x + (p * STARTS + c) * m);
    if (far) best = r;
  }
  return best;
}

static void keep_best(block *q, int starts) {
  const int m = q->search->in->m;
  for (int64_t p = 0; p < q->agents; p++)
    for (int c = 0; c < STARTS; c++) {
      const int64_t found = c < starts ? best_apart(q, p, c) : -1, at = p * STARTS + c;
      const int64_t r = found < 0 ? p * q->listed : found;
      q->best_u[at] = found < 0 ? -INFINITY : q->u[r];
      memcpy(q->best_v + at * m, q->v + r * m, (size_t)m * sizeof *q->v);
      memcpy(q->best_x + at * m, q->x + r * m, (size_t)m * sizeof *q->x);
    }
}

/* ---- the pattern search ---- */

/* Move number `move` of a report, in place. */
static void make_move(const wal_search *s, int64_t move, double *v, double *x) {
  const int m = s->in->m;
  const double step = (move % 2 ? -1 : 1) * scales[move / 2 % SCALES];
  const int64_t coordinate = move / (2 * SCALES);
  const bool value = s->options->lie & WAL_LIE_VALUES && coordinate < m;
  const int64_t at = coordinate % m;
  if (value)
    v[at] = wal_attack_value(s->options, v[at] * wal_exp(step));
  else
    x[at] = step_demand(s->options, x[at], step);
}

static void list_moves(block *q, int64_t moves) {
  const int m = q->search->in->m;
  for (int64_t r = 0; r < q->agents * STARTS * moves; r++) {
    const int64_t start = r / moves;
    memcpy(q->v + r * m, q->best_v + start * m, (size_t)m * sizeof *q->v);
    memcpy(q->x + r * m, q->best_x + start * m, (size_t)m * sizeof *q->x);
    make_move(q->search, r % moves, q->v + r * m, q->x + r * m);
  }
}

static void take_moves(block *q, int64_t moves) {
  const int m = q->search->in->m;
  for (int64_t r = 0; r < q->agents * STARTS * moves; r++) {
    const int64_t start = r / moves;
    if (!(q->u[r] > q->best_u[start])) continue;
    q->best_u[start] = q->u[r];
    memcpy(q->best_v + start * m, q->v + r * m, (size_t)m * sizeof *q->v);
    memcpy(q->best_x + start * m, q->x + r * m, (size_t)m * sizeof *q->x);
  }
}

static wal_status refine(block *q) {
  const int64_t moves = move_count(q->search);
  wal_status status = WAL_OK;
  for (int round = 0; status == WAL_OK && round < q->search->options->refine; round++) {
    list_moves(q, moves);
    status = try_reports(q, STARTS * moves);
    if (status == WAL_OK) take_moves(q, moves);
  }
  return status;
}

/* ---- all agents ---- */

static wal_status block_create(wal_search *s, const int64_t *pair, int64_t agents, int64_t listed,
                               block *out) {
  const int64_t around = refines(s) ? STARTS * move_count(s) : 0, m = s->in->m;
  const int64_t reports = listed > around ? listed : around, fit = CELLS / ((int64_t)s->in->n * m);
  const int64_t room = wal_pf_batch(s->in->n, s->in->m, fit < 64 ? 64 : fit > ROOM ? ROOM : fit);
  const int64_t all = agents * reports;
  *out = (block){.search = s, .pair = pair, .agents = agents, .listed = listed, .reports = reports};
  wal_status status = wal_trials_create(s, all < room ? all : room, &out->trials);
  out->v = malloc((size_t)((all + agents * STARTS) * (2 * m + 1)) * sizeof *out->v);
  if (status == WAL_OK && !out->v)
    status = wal_fail(WAL_E_MEMORY, "no memory for %lld reports of %d resources", (long long)all, s->in->m);
  if (status != WAL_OK) return status;
  out->x = out->v + all * m;
  out->u = out->x + all * m;
  out->best_v = out->u + all;
  out->best_x = out->best_v + agents * STARTS * m;
  out->best_u = out->best_x + agents * STARTS * m;
  return WAL_OK;
}

static void block_destroy(block *q) {
  wal_trials_destroy(&q->trials);
  free(q->v);
}

static wal_status search_block(block *q) {
  const int m = q->search->in->m;
  wal_status status = list_reports(q);
  if (status == WAL_OK) status = try_reports(q, q->listed);
  if (status == WAL_OK) keep_best(q, refines(q->search) ? STARTS : 1);
  if (status == WAL_OK && refines(q->search)) status = refine(q);
  for (int64_t at = 0; status == WAL_OK && at < q->agents * STARTS; at++)
    wal_search_offer(q->search, q->pair[at / STARTS], q->best_u[at], q->best_v + at * m, q->best_x + at * m);
  return status;
}

typedef struct {
  wal_search *search;
  int64_t listed, size; /* agents of a block */
} job;

static wal_status block_task(void *context, int64_t b) {
  const job *q = context;
  const int64_t first = b * q->size, left = q->search->pair_count - first;
  block at;
  wal_status status =
      block_create(q->search, q->search->pairs + first, left < q->size ? left : q->size, q->listed, &at);
  if (status == WAL_OK) status = search_block(&at);
  block_destroy(&at);
  return status;
}

/* ---- on a device ---- */

/* The device searches among the candidates under PF; everything else solves its batches. */
static const wal_search_ops *searcher(const wal_search *s) {
  const bool candidates = !is_grid(s) && !refines(s) && !s->known;
  return candidates && s->f->kind == &wal_mechanism_pf ? wal_device_now()->search : NULL;
}

static wal_status search_there(wal_search *s, const wal_search_ops *ops) {
  const int64_t count = s->pair_count, m = s->in->m;
  const wal_pf_options options = wal_plain_pf_options(s->f);
  double *u = malloc((size_t)(count * (2 * m + 1) + 1) * sizeof *u), *v = u + count, *x = v + count * m;
  if (!u) return wal_fail(WAL_E_MEMORY, "no memory for the reports of %lld agents", (long long)count);
  const wal_status status = ops->best_of_candidates(s->in, s->options, &options, s->pairs, count, u, v, x);
  for (int64_t p = 0; status == WAL_OK && p < count; p++)
    wal_search_offer(s, s->pairs[p], u[p], v + p * m, x + p * m);
  atomic_fetch_add(&s->computed, count * s->options->candidates);
  free(u);
  return status;
}

wal_status wal_search_listed(wal_search *s) {
  if (searcher(s)) return search_there(s, searcher(s));
  const int64_t listed =
      is_grid(s) ? wal_attack_grid_count(s->options) : known_count(s) + s->options->candidates;
  const int64_t room = wal_pf_batch(s->in->n, s->in->m, ROOM), size = listed > room ? 1 : room / listed;
  job q = {s, listed, size};
  return wal_for_tasks((s->pair_count + size - 1) / size, block_task, &q);
}
