#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "gpu/mechanism/instance.cuh"
#include "gpu/mechanism/pf.h"

/* ---- kernels ---- */

enum { WARPS_PER_PROCESSOR = 16, BLOCK_THREADS = 128, BLOCKS_PER_PROCESSOR = 4 };

/* Teams of `size` lanes, an instance each; `doubles` of shared memory for a team. */
__global__ static void __launch_bounds__(32, WARPS_PER_PROCESSOR)
    wal_pf_by_lanes(wal_pf_task task, int size, int64_t doubles) {
  const int lane = static_cast<int>(threadIdx.x), number = lane / size;
  const int64_t k = static_cast<int64_t>(blockIdx.x) * (32 / size) + number;
  const wal_team_lanes team = {lane % size, size};
  wal_pf_serve(team, task, wal_shared<double>() + number * doubles, k, k < task.in.count);
}

/* A block per instance, then the next one: rooms [gridDim, doubles]. */
__global__ static void __launch_bounds__(BLOCK_THREADS, BLOCKS_PER_PROCESSOR)
    wal_pf_by_blocks(wal_pf_task task, double *rooms, int64_t doubles) {
  const wal_team_block team = {static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x)};
  for (int64_t k = blockIdx.x; k < task.in.count; k += gridDim.x)
    wal_pf_serve(team, task, rooms + blockIdx.x * doubles, k, true);
}

enum { MOST_STEPS = 50 };
static const int64_t WARP_BYTES = 32 << 10;   /* of shared memory: 7 warps or more on a multiprocessor */
static const int64_t CHUNK_BYTES = 256 << 20; /* of instances and answers on the device at once */
static const int64_t ROOMS_BYTES = 1ll << 30; /* of large instances' rooms */
static const double FINER = 1e-2;             /* tolerance for a certificate, over tol */

static int64_t most_instances = INT64_MAX, most_blocks = INT64_MAX;

void wal_pf_cuda_limit(int64_t instances, int64_t blocks) {
  most_instances = instances > 0 ? instances : INT64_MAX;
  most_blocks = blocks > 0 ? blocks : INT64_MAX;
}

int64_t wal_pf_cuda_at_once(int64_t instances) { return std::min(instances, most_instances); }

/* A matrix of so many prices is one warp's work for too long, and a room must fit the card. */
static bool suits_cpu(const wal_instances *in) {
  enum { MOST_RESOURCES = 256 };
  const int64_t bytes = wal_pf_room_doubles(in->n, in->m) * static_cast<int64_t>(sizeof(double));
  return in->m > MOST_RESOURCES || bytes > ROOMS_BYTES;
}

/* Lanes of an instance's team, a number of its shape alone; 0: a block, as it is too large. */
static int team_size(int64_t n, int64_t m) {
  const int64_t bytes = wal_pf_room_doubles(n, m) * static_cast<int64_t>(sizeof(double));
  int size = 4;
  while (size < 32 && (size < n || bytes * (32 / size) > WARP_BYTES)) size *= 2;
  return bytes * (32 / size) > WARP_BYTES ? 0 : size;
}

void wal_pf_task_options(const wal_pf_options *options, wal_pf_task *task) {
  task->strict = options->polish;
  task->tol = options->tol * (task->strict ? FINER : 1.0);
  task->max_steps = std::min<int>(options->max_steps, MOST_STEPS);
}

wal_status wal_pf_launch(const wal_pf_task &task, wal_device_array<double> *rooms) {
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  const int64_t count = task.in.count, doubles = wal_pf_room_doubles(task.in.n, task.in.m);
  const int64_t bytes = doubles * static_cast<int64_t>(sizeof(double));
  const int size = team_size(task.in.n, task.in.m);
  if (size > 0) {
    const int teams = 32 / size;
    WAL_CUDA_TRY(wal_launch(wal_pf_by_lanes, wal_grid(count, teams), 32, static_cast<size_t>(teams * bytes),
                            session->stream, task, size, doubles));
    return WAL_OK;
  }
  const int64_t most = std::min<int64_t>(BLOCKS_PER_PROCESSOR * session->prop.multiProcessorCount,
                                         std::max<int64_t>(1, ROOMS_BYTES / bytes));
  const int64_t blocks = std::min(count, std::min(most, most_blocks));
  WAL_TRY(rooms->at_least(blocks * doubles, "what an instance's solution keeps",
                          "the number of agents or resources"));
  WAL_CUDA_TRY(wal_launch(wal_pf_by_blocks, dim3(static_cast<unsigned>(blocks)), BLOCK_THREADS, 0,
                          session->stream, task, rooms->data(), doubles));
  return WAL_OK;
}

/* ---- a call ---- */

/* The caller's arrays by instance, and their places on the device. */
enum { V, X, B, W, Z, DA, A, MU, NU, U, LAMBDA, KKT, DV, DX, DZ, DB, DW, ARRAYS };
struct wal_pf_call {
  const wal_instances *in;
  const wal_pf_options *options;
  const double *from[ARRAYS]; /* NULL: no input */
  double *to[ARRAYS];         /* NULL: not wanted */
  int64_t size[ARRAYS];       /* numbers of an instance; 0: the array is not there */
  double *at[ARRAYS];         /* the chunk's, on the device */
  int *steps, *steps_at;
  unsigned char *doubt, *doubt_at; /* [K] the host's; the chunk's */
  int64_t chunk;                   /* instances that are on the device together */
};

static void describe(wal_pf_call *c, const double *z, const double *da, const wal_pf_solution *out,
                     const wal_pf_gradient *gradient) {
  const wal_instances *in = c->in;
  const int64_t n = in->n, m = in->m, nm = n * m;
  const double *const from[ARRAYS] = {in->v, in->x, in->b, in->w, z, da};
  double *const to[ARRAYS] = {nullptr,      nullptr,      nullptr,      nullptr,      nullptr,     nullptr,
                              out->a,       out->mu,      out->nu,      out->u,       out->lambda, out->kkt,
                              gradient->dv, gradient->dx, gradient->dz, gradient->db, gradient->dw};
  const int64_t size[ARRAYS] = {nm, nm, m, n, nm, nm, nm, nm, nm, n, m, 1, nm, nm, nm, m, n};
  for (int k = 0; k < ARRAYS; k++) {
    c->from[k] = from[k];
    c->to[k] = to[k];
    c->size[k] = from[k] || to[k] || k == A ? size[k] : 0; /* the amounts are always computed */
  }
  c->steps = out->steps;
}

/* Device memory of the calls, kept; under the lock of wal_pf_cuda's calls. */
struct wal_pf_memory {
  wal_device_array<unsigned char> arrays;
  wal_device_array<double> rooms; /* of large instances: a card's worth, whatever the number of instances */
};

static wal_status make_room(wal_pf_call *c, wal_pf_memory *memory) {
  int64_t bytes = sizeof(int) + 1, used = 0;
  for (int k = 0; k < ARRAYS; k++) bytes += c->size[k] * static_cast<int64_t>(sizeof(double));
  size_t is_free;
  WAL_TRY(wal_device_room(&is_free));
  const int64_t most =
      std::min<int64_t>(CHUNK_BYTES, static_cast<int64_t>(is_free / 2) + memory->arrays.count());
  c->chunk = wal_pf_cuda_at_once(std::min(c->in->count, std::max<int64_t>(1, most / bytes)));
  WAL_TRY(memory->arrays.at_least(c->chunk * bytes, "instances to allocate and their answers",
                                  "the number of agents or resources"));
  for (int k = 0; k < ARRAYS; k++) {
    c->at[k] = c->size[k] ? reinterpret_cast<double *>(memory->arrays.data() + used) : nullptr;
    used += c->chunk * c->size[k] * static_cast<int64_t>(sizeof(double));
  }
  c->steps_at = reinterpret_cast<int *>(memory->arrays.data() + used);
  c->doubt_at = memory->arrays.data() + used + c->chunk * static_cast<int64_t>(sizeof(int));
  return WAL_OK;
}

static wal_pf_task task_of(const wal_pf_call *c, int64_t count) {
  wal_pf_task task = {};
  task.in = {count, c->in->n, c->in->m, c->at[V], c->at[X], c->at[B], c->at[W]};
  task.z = c->at[Z];
  task.da = c->at[DA];
  task.out.a = c->at[A];
  task.out.mu = c->at[MU];
  task.out.nu = c->at[NU];
  task.out.u = c->at[U];
  task.out.lambda = c->at[LAMBDA];
  task.out.kkt = c->at[KKT];
  task.out.steps = c->steps ? c->steps_at : nullptr;
  task.gradient = {c->at[DV], c->at[DX], c->at[DZ], c->at[DB], c->at[DW]};
  wal_pf_task_options(c->options, &task);
  task.doubt = c->doubt_at;
  return task;
}

/* Instances [first, first + count). */
static wal_status run_chunk(const wal_pf_call *c, int64_t first, int64_t count,
                            wal_device_array<double> *rooms) {
  for (int k = 0; k < ARRAYS; k++)
    if (c->from[k]) WAL_TRY(wal_upload(c->at[k], c->from[k] + first * c->size[k], count * c->size[k]));
  WAL_TRY(wal_pf_launch(task_of(c, count), rooms));
  for (int k = 0; k < ARRAYS; k++)
    if (c->to[k]) WAL_TRY(wal_download(c->to[k] + first * c->size[k], c->at[k], count * c->size[k]));
  if (c->steps) WAL_TRY(wal_download(c->steps + first, c->steps_at, count));
  return wal_download(c->doubt + first, c->doubt_at, count);
}

/* One call at a time. */
static wal_status run_call(wal_pf_call *c) {
  static std::mutex calling;
  static wal_pf_memory *memory = new wal_pf_memory; /* as long as the process: freed with the session */
  const std::lock_guard<std::mutex> one(calling);
  WAL_TRY(make_room(c, memory));
  for (int64_t first = 0; first < c->in->count; first += c->chunk)
    WAL_TRY(run_chunk(c, first, std::min(c->chunk, c->in->count - first), &memory->rooms));
  return wal_session_wait();
}

/* ---- the member ---- */

static std::atomic<int64_t> left_to_cpu;

int64_t wal_pf_cuda_left(void) { return left_to_cpu; }
void wal_pf_cuda_leave(int64_t count) { left_to_cpu += count; }

/* The instances that the device has not solved, by the CPU. */
static wal_status finish(const wal_pf_call *c, const double *z, const double *da, const wal_pf_solution *out,
                         const wal_pf_gradient *gradient) {
  int64_t count = 0;
  for (int64_t k = 0; k < c->in->count; k++) count += c->doubt[k];
  if (!count) return WAL_OK;
  wal_pf_cuda_leave(count);
  int64_t *list = static_cast<int64_t *>(malloc(static_cast<size_t>(count) * sizeof *list));
  if (!list)
    return wal_fail(WAL_E_MEMORY, "no memory for a list of %lld instances", static_cast<long long>(count));
  for (int64_t k = 0, l = 0; k < c->in->count; k++)
    if (c->doubt[k]) list[l++] = k;
  const wal_status status = wal_pf_cpu_some(c->in, z, da, c->options, out, gradient, list, count);
  free(list);
  return status;
}

static wal_status vjp(const wal_instances *in, const double *z, const double *da,
                      const wal_pf_options *options, const wal_pf_solution *out,
                      const wal_pf_gradient *gradient) {
  const wal_pf_solution nowhere = {};
  if (!out) out = &nowhere;
  if (in->count == 0) return WAL_OK;
  if (suits_cpu(in)) return wal_pf_cpu_some(in, z, da, options, out, gradient, nullptr, in->count);
  wal_pf_call c = {};
  c.in = in;
  c.options = options;
  describe(&c, z, da, out, gradient);
  c.doubt = static_cast<unsigned char *>(malloc(static_cast<size_t>(in->count)));
  if (!c.doubt)
    return wal_fail(WAL_E_MEMORY, "no memory for %lld instances", static_cast<long long>(in->count));
  wal_status status = run_call(&c);
  if (status == WAL_OK) status = finish(&c, z, da, out, gradient);
  free(c.doubt);
  return status;
}

static wal_status solve(const wal_instances *in, const double *z, const wal_pf_options *options,
                        const wal_pf_solution *out) {
  const wal_pf_gradient none = {};
  return vjp(in, z, nullptr, options, out, &none);
}

/* A launch and its copies take as long as the CPU for some thousand entries. 16 warps on each of 132
   multiprocessors, two instances of 10 x 3 each, are 127 thousand at once; more would only keep the callers'
   other threads waiting. */
const wal_pf_ops wal_pf_cuda = {.least = 1 << 13, .busy = 1 << 17, .solve = solve, .vjp = vjp};
