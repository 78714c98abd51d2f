#include "models/common/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/team.h"

static atomic_int chosen_threads; /* 0: one per processor */

void wal_threads_set(int threads) { atomic_store(&chosen_threads, threads < 1 ? 1 : threads); }

int wal_cores(void) {
  cpu_set_t set;
  const int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  return count > 0 ? count : 1;
}

int wal_threads(void) {
  const int threads = atomic_load(&chosen_threads);
  return threads > 0 ? threads : wal_cores();
}

/* The failure of the lowest chunk so far. Chunks begin in rising order and a chunk that began is finished, so
   the lowest failing chunk is always reached: the same message for any number of threads. */
typedef struct {
  wal_status status;
  int64_t chunk;
  char text[2048];
} failure;

static void note_failure(failure *first, wal_status status, int64_t chunk) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&lock);
  if (first->status == WAL_OK || chunk < first->chunk) {
    first->status = status;
    first->chunk = chunk;
    snprintf(first->text, sizeof first->text, "%s", wal_error()); /* this thread's own message */
  }
  pthread_mutex_unlock(&lock);
}

typedef struct {
  wal_task_fn task;
  void *context;
  int64_t count;
  _Atomic int64_t next; /* first task that nobody has begun */
  atomic_bool stop;
  failure first;
} task_queue;

/* What every thread of the team does: take the next task until there is none. */
static void work_off(void *context) {
  task_queue *q = context;
  for (int64_t k; !atomic_load(&q->stop) && (k = atomic_fetch_add(&q->next, 1)) < q->count;) {
    const wal_status status = q->task(q->context, k);
    if (status == WAL_OK) continue;
    note_failure(&q->first, status, k);
    atomic_store(&q->stop, true);
  }
}

wal_status wal_for_tasks(int64_t count, wal_task_fn task, void *context) {
  task_queue q = {.task = task, .context = context, .count = count};
  const int threads = wal_threads();
  wal_team_run(count < threads ? (int)count : threads, work_off, &q);
  return q.first.status == WAL_OK ? WAL_OK : wal_fail(q.first.status, "%s", q.first.text);
}

static int64_t chunk_end(int64_t n, int64_t chunk) {
  return n - chunk * WAL_CHUNK < WAL_CHUNK ? n : (chunk + 1) * WAL_CHUNK;
}

static int64_t chunk_count(int64_t n) { return n / WAL_CHUNK + (n % WAL_CHUNK != 0); }

typedef struct {
  int64_t n;
  wal_chunk_fn body;
  void *context;
} loop;

static wal_status loop_task(void *context, int64_t k) {
  const loop *l = context;
  return l->body(l->context, k * WAL_CHUNK, chunk_end(l->n, k));
}

wal_status wal_for_chunks(int64_t n, wal_chunk_fn body, void *context) {
  loop l = {n, body, context};
  return n > 0 ? wal_for_tasks(chunk_count(n), loop_task, &l) : WAL_OK;
}

/* Partials are computed WAVE chunks at a time. The tree: a wave is a perfect binary tree over its chunks, and
   the waves' roots meet as the digits of a binary counter do, equal heights first. */
enum { WAVE = 128, LEVELS = 64 };

typedef struct {
  int64_t n, base; /* base: first chunk of the wave */
  int dim;
  size_t stride; /* doubles between partials: whole cache lines, so that threads do not share one */
  wal_sum_fn body;
  void *context;
  double *partial; /* [WAVE, stride] */
} wave;

static wal_status wave_task(void *context, int64_t k) {
  const wave *w = context;
  double *partial = w->partial + (size_t)k * w->stride;
  memset(partial, 0, (size_t)w->dim * sizeof *partial);
  const int64_t chunk = w->base + k;
  return w->body(w->context, chunk * WAL_CHUNK, chunk_end(w->n, chunk), partial);
}

static void add(int dim, double *to, const double *from) {
  for (int i = 0; i < dim; i++) to[i] += from[i];
}

/* Leaves the pairwise sum of the wave's first `count` partials in the first. */
static void fold_wave(const wave *w, int64_t count) {
  for (int64_t step = 1; step < count; step *= 2)
    for (int64_t k = 0; k + step < count; k += 2 * step)
      add(w->dim, w->partial + (size_t)k * w->stride, w->partial + (size_t)(k + step) * w->stride);
}

static wal_status sum_waves(wave *w, double *pending /* [LEVELS, dim] */, double *sum) {
  const int64_t chunks = chunk_count(w->n);
  uint64_t waves = 0;
  for (w->base = 0; w->base < chunks; w->base += WAVE, waves++) {
    const int64_t count = chunks - w->base < WAVE ? chunks - w->base : WAVE;
    const wal_status status = wal_for_tasks(count, wave_task, w);
    if (status != WAL_OK) return status;
    fold_wave(w, count);
    int level = 0;
    for (; waves >> level & 1; level++) { /* carry: the earlier sum stays on the left */
      double *left = pending + (size_t)level * (size_t)w->dim;
      add(w->dim, left, w->partial);
      memcpy(w->partial, left, (size_t)w->dim * sizeof *left);
    }
    memcpy(pending + (size_t)level * (size_t)w->dim, w->partial, (size_t)w->dim * sizeof *sum);
  }
  memset(sum, 0, (size_t)w->dim * sizeof *sum);
  for (int level = 0; level < LEVELS; level++) /* shortest first */
    if (waves >> level & 1) add(w->dim, sum, pending + (size_t)level * (size_t)w->dim);
  return WAL_OK;
}

wal_status wal_sum_chunks(int64_t n, int dim, wal_sum_fn body, void *context, double *sum) {
  memset(sum, 0, (size_t)dim * sizeof *sum);
  if (n <= 0 || dim <= 0) return WAL_OK;
  if (n <= WAL_CHUNK) return body(context, 0, n, sum); /* no room to find, no threads to ask */
  const size_t line = 64 / sizeof(double);
  wave w = {
      .n = n, .dim = dim, .stride = ((size_t)dim + line - 1) / line * line, .body = body, .context = context};
  w.partial = aligned_alloc(64, WAVE * w.stride * sizeof(double));
  double *pending = malloc((size_t)LEVELS * (size_t)dim * sizeof *pending);
  const wal_status status =
      w.partial && pending
          ? sum_waves(&w, pending, sum)
          : wal_fail(WAL_E_MEMORY, "no memory for %d sums over %lld rows", dim, (long long)n);
  free(pending);
  free(w.partial);
  return status;
}
