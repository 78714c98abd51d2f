/* The search among the "candidates" under proportional fairness: reports are made, tried and compared on the
   device. A trial is one report of one agent among truthful others. */
#include <stdlib.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <vector>

#include "gpu/base/reduce.h"
#include "gpu/mechanism/task.h"

extern "C" {
#include "models/mechanism/attack_report.h"
#include "models/mechanism/pf_open.h"
}

/* ---- kernels ---- */

/* What they share: arrays on the device. */
struct wal_search_task {
  wal_instances truth;          /* all instances */
  const int64_t *pair;          /* [P] k N + i */
  const wal_attack_liar *liar;  /* [P] its arrays are the host's: see liar_of */
  const double *numbers, *step; /* [P, 4 M + 2], [M] */
  const int *rival;             /* [P, N] */
  int candidates;               /* reports of an agent; trials are [P, candidates] */
  double *v, *x, *b, *w, *a;    /* [trials, N, M] but b [trials, M] and w [trials, N] or NULL */
  unsigned char *doubt;         /* [trials] */
  double *best_u;               /* [P] -infinity: none */
  int *best;                    /* [P] its report */
};

/* The liar of pair p with arrays on the device. */
__device__ static inline wal_attack_liar liar_of(const wal_search_task &q, int64_t p) {
  const int64_t n = q.truth.n, m = q.truth.m, k = q.pair[p] / n;
  wal_attack_liar liar = q.liar[p];
  double *numbers = const_cast<double *>(q.numbers) + p * (4 * m + 2);
  liar.v = q.truth.v + k * n * m;
  liar.x = q.truth.x + k * n * m;
  liar.shift = numbers;
  liar.log_v = numbers + m + 2;
  liar.is_free = numbers + 2 * m + 2;
  liar.left = numbers + 3 * m + 2;
  liar.step = const_cast<double *>(q.step);
  liar.rival = const_cast<int *>(q.rival) + p * n;
  return liar;
}

/* Copies size numbers of each trial's instance. */
__device__ static inline void copy_truth(const wal_search_task &q, int64_t trials, int64_t size,
                                         const double *from, double *to) {
  for (int64_t e = wal_thread(); to && e < trials * size; e += wal_threads_all())
    to[e] = from[q.pair[e / size / q.candidates] / q.truth.n * size + e % size];
}

__global__ static void wal_search_copy(wal_search_task q, int64_t trials) {
  const int64_t n = q.truth.n, m = q.truth.m;
  copy_truth(q, trials, n * m, q.truth.v, q.v);
  copy_truth(q, trials, n * m, q.truth.x, q.x);
  copy_truth(q, trials, m, q.truth.b, q.b);
  copy_truth(q, trials, n, q.truth.w, q.w);
}

/* A thread per trial; a [trials, N, M] is scratch. */
__global__ static void wal_search_report(wal_search_task q, int64_t trials) {
  const int64_t t = wal_thread(), m = q.truth.m, nm = q.truth.n * m;
  if (t >= trials) return;
  const wal_attack_liar liar = liar_of(q, t / q.candidates);
  const int64_t row = t * nm + liar.i * m;
  wal_attack_report(&liar, static_cast<int>(t % q.candidates), q.a + t * nm, q.v + row, q.x + row);
}

/* A warp per pair: the first of its best reports that are not in doubt. */
__global__ static void wal_search_compare(wal_search_task q) {
  const int64_t p = blockIdx.x, n = q.truth.n, m = q.truth.m, pair = q.pair[p];
  const double *v = q.truth.v + pair * m, *x = q.truth.x + pair * m;
  double best_u = -INFINITY;
  int best = 0;
  for (int h = static_cast<int>(threadIdx.x); h < q.candidates; h += 32) {
    const int64_t t = p * q.candidates + h;
    const double u = q.doubt[t] ? -INFINITY : wal_utility_of(q.truth.m, v, x, q.a + (t * n + pair % n) * m);
    if (u > best_u) best_u = u, best = h;
  }
  for (int apart = 16; apart > 0; apart /= 2) {
    const double u = __shfl_xor_sync(WAL_FULL_WARP, best_u, apart);
    const int h = __shfl_xor_sync(WAL_FULL_WARP, best, apart);
    if (u > best_u || (u == best_u && h < best)) best_u = u, best = h;
  }
  if (threadIdx.x == 0) q.best_u[p] = best_u, q.best[p] = best;
}

/* ---- a call ---- */

static const int64_t CHUNK_BYTES = 256 << 20; /* of trials on the device at once */

struct wal_search_call {
  const wal_instances *in;
  const wal_attack_options *attack;
  const wal_pf_options *pf;
  const int64_t *pair; /* [count] */
  double *u, *v, *x;   /* [count], [count, M] */
};

/* Some pairs on the host: what is sent, and what comes back. */
struct wal_search_part {
  std::vector<wal_attack_liar> liar;
  std::vector<double> numbers, step, best_u;
  std::vector<int> rival, best;
  std::vector<unsigned char> doubt;
};

/* Device memory of a call. */
struct wal_search_memory {
  wal_device_array<double> truth, numbers, trials, best_u, rooms;
  wal_device_array<int64_t> pair;
  wal_device_array<wal_attack_liar> liar;
  wal_device_array<int> rival, best;
  wal_device_array<unsigned char> doubt;
};

static wal_status upload_truth(const wal_search_call *c, wal_search_memory *memory, wal_search_task *task) {
  const wal_instances *in = c->in;
  const int64_t k = in->count, n = in->n, m = in->m;
  WAL_TRY(
      memory->truth.allocate(k * (2 * n * m + m + n), "the instances to search", "the number of instances"));
  double *v = memory->truth.data(), *x = v + k * n * m, *b = x + k * n * m, *w = b + k * m;
  task->truth = {k, in->n, in->m, v, x, b, in->w ? w : nullptr};
  WAL_TRY(wal_upload(v, in->v, k * n * m));
  WAL_TRY(wal_upload(x, in->x, k * n * m));
  WAL_TRY(wal_upload(b, in->b, k * m));
  return in->w ? wal_upload(w, in->w, k * n) : WAL_OK;
}

/* Room for the trials of `pairs` agents. */
static wal_status make_room(const wal_search_call *c, int64_t pairs, wal_search_memory *memory,
                            wal_search_task *task) {
  const char *what = "reports on trial", *lower = "the number of candidates";
  const int64_t n = c->in->n, m = c->in->m, trials = pairs * c->attack->candidates;
  WAL_TRY(memory->pair.allocate(pairs, what, lower));
  WAL_TRY(memory->liar.allocate(pairs, what, lower));
  WAL_TRY(memory->numbers.allocate(pairs * (4 * m + 2) + m, what, lower));
  WAL_TRY(memory->rival.allocate(pairs * n, what, lower));
  WAL_TRY(memory->best_u.allocate(pairs, what, lower));
  WAL_TRY(memory->best.allocate(pairs, what, lower));
  WAL_TRY(memory->doubt.allocate(trials, what, lower));
  WAL_TRY(memory->trials.allocate(trials * (3 * n * m + m + n), what, lower));
  task->pair = memory->pair.data();
  task->liar = memory->liar.data();
  task->numbers = memory->numbers.data();
  task->step = task->numbers + pairs * (4 * m + 2);
  task->rival = memory->rival.data();
  task->candidates = c->attack->candidates;
  task->v = memory->trials.data();
  task->x = task->v + trials * n * m;
  task->a = task->x + trials * n * m;
  task->b = task->a + trials * n * m;
  task->w = c->in->w ? task->b + trials * m : nullptr;
  task->doubt = memory->doubt.data();
  task->best_u = memory->best_u.data();
  task->best = memory->best.data();
  return WAL_OK;
}

static void look(const wal_search_call *c, int64_t first, int64_t pairs, wal_search_part *part) {
  const size_t count = static_cast<size_t>(pairs), n = static_cast<size_t>(c->in->n),
               m = static_cast<size_t>(c->in->m);
  part->liar.resize(count), part->numbers.resize(count * (4 * m + 2)), part->step.resize(m);
  part->rival.resize(count * n), part->best_u.resize(count), part->best.resize(count);
  part->doubt.resize(count * static_cast<size_t>(c->attack->candidates));
  for (size_t p = 0; p < count; p++) {
    const int64_t pair = c->pair[first + static_cast<int64_t>(p)];
    wal_attack_look(c->in, pair / c->in->n, static_cast<int>(pair % c->in->n), c->attack,
                    part->numbers.data() + p * (4 * m + 2), part->step.data(), part->rival.data() + p * n,
                    &part->liar[p]);
  }
}

/* Makes, tries and compares the reports of the part's agents. */
static wal_status try_part(const wal_search_call *c, const wal_search_task &q, int64_t first, int64_t pairs,
                           wal_search_memory *memory, wal_search_part *part) {
  const wal_session *session;
  const int64_t trials = pairs * q.candidates;
  WAL_TRY(wal_session_get(&session));
  WAL_TRY(wal_upload(memory->pair.data(), c->pair + first, pairs));
  WAL_TRY(wal_upload(memory->liar.data(), part->liar.data(), pairs));
  WAL_TRY(
      wal_upload(memory->numbers.data(), part->numbers.data(), static_cast<int64_t>(part->numbers.size())));
  WAL_TRY(wal_upload(const_cast<double *>(q.step), part->step.data(), c->in->m));
  WAL_TRY(wal_upload(memory->rival.data(), part->rival.data(), pairs * c->in->n));
  WAL_CUDA_TRY(wal_launch(wal_search_copy, wal_grid(trials * c->in->n * c->in->m, 4 * 256), 256, 0,
                          session->stream, q, trials));
  WAL_CUDA_TRY(wal_launch(wal_search_report, wal_grid(trials, 128), 128, 0, session->stream, q, trials));
  wal_pf_task task = {};
  task.in = {trials, c->in->n, c->in->m, q.v, q.x, q.b, q.w};
  task.out.a = q.a;
  task.doubt = q.doubt;
  wal_pf_task_options(c->pf, &task);
  WAL_TRY(wal_pf_launch(task, &memory->rooms));
  WAL_CUDA_TRY(wal_launch(wal_search_compare, dim3(static_cast<unsigned>(pairs)), 32, 0, session->stream, q));
  WAL_TRY(wal_download(part->best_u.data(), q.best_u, pairs));
  WAL_TRY(wal_download(part->best.data(), q.best, pairs));
  return wal_download(part->doubt.data(), q.doubt, trials);
}

/* What report h of a pair is worth, by the CPU. */
static wal_status try_here(const wal_search_call *c, const wal_attack_liar &liar, int64_t pair, int h,
                           double *u) {
  const int64_t n = c->in->n, m = c->in->m, k = pair / n;
  wal_instances one = wal_instances_part(c->in, k, 1);
  std::vector<double> v(one.v, one.v + n * m), x(one.x, one.x + n * m), a(static_cast<size_t>(n * m));
  double *const row_v = v.data() + liar.i * m, *const row_x = x.data() + liar.i * m;
  wal_attack_report(&liar, h, a.data(), row_v, row_x);
  one.v = v.data(), one.x = x.data();
  wal_pf_solution out = {};
  out.a = a.data();
  WAL_TRY(wal_pf_cpu.solve(&one, nullptr, c->pf, &out));
  *u = wal_utility(c->in->m, c->in->v + pair * m, c->in->x + pair * m, a.data() + liar.i * m);
  return WAL_OK;
}

/* Reports in doubt join the comparison; then the best of each agent to the caller. */
static wal_status finish(const wal_search_call *c, int64_t first, int64_t pairs, wal_search_part *part) {
  const int64_t m = c->in->m, candidates = c->attack->candidates;
  std::vector<double> draft(static_cast<size_t>(m));
  for (int64_t t = 0; t < pairs * candidates; t++) {
    if (!part->doubt[static_cast<size_t>(t)]) continue;
    const size_t p = static_cast<size_t>(t / candidates);
    const int h = static_cast<int>(t % candidates);
    double u = -INFINITY;
    wal_pf_cuda_leave(1);
    WAL_TRY(try_here(c, part->liar[p], c->pair[first + t / candidates], h, &u));
    if (u > part->best_u[p] || (u == part->best_u[p] && h < part->best[p]))
      part->best_u[p] = u, part->best[p] = h;
  }
  for (int64_t p = 0; p < pairs; p++) {
    const size_t at = static_cast<size_t>(p);
    c->u[first + p] = part->best_u[at];
    wal_attack_report(&part->liar[at], part->best[at], draft.data(), c->v + (first + p) * m,
                      c->x + (first + p) * m);
  }
  return WAL_OK;
}

static wal_status run_call(const wal_search_call *c, int64_t count) {
  static std::mutex calling;
  const std::lock_guard<std::mutex> one(calling);
  const int64_t n = c->in->n, m = c->in->m;
  const int64_t bytes = c->attack->candidates * (3 * n * m + m + n) * static_cast<int64_t>(sizeof(double));
  wal_search_memory memory;
  wal_search_task task = {};
  wal_search_part part;
  size_t is_free;
  WAL_TRY(upload_truth(c, &memory, &task));
  WAL_TRY(wal_device_room(&is_free));
  const int64_t most = std::min<int64_t>(CHUNK_BYTES, static_cast<int64_t>(is_free / 2)) / bytes;
  const int64_t size = wal_pf_cuda_at_once(std::min(count, std::max<int64_t>(1, most)));
  WAL_TRY(make_room(c, size, &memory, &task));
  for (int64_t first = 0; first < count; first += size) {
    const int64_t pairs = std::min(size, count - first);
    look(c, first, pairs, &part);
    WAL_TRY(try_part(c, task, first, pairs, &memory, &part));
    WAL_TRY(finish(c, first, pairs, &part));
  }
  return WAL_OK;
}

static wal_status best_of_candidates(const wal_instances *in, const wal_attack_options *attack,
                                     const wal_pf_options *pf, const int64_t *pair, int64_t count, double *u,
                                     double *v, double *x) {
  const wal_search_call c = {in, attack, pf, pair, u, v, x};
  try {
    return count > 0 ? run_call(&c, count) : WAL_OK;
  } catch (const std::bad_alloc &) {
    return wal_fail(WAL_E_MEMORY, "no memory for the reports of %lld agents", static_cast<long long>(count));
  }
}

const wal_search_ops wal_search_cuda = {best_of_candidates};
