#include "models/mechanism/pf.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/device.h"
#include "models/common/parallel.h"
#include "models/mechanism/pf_adjoint.h"
#include "models/mechanism/pf_entries.h"
#include "models/mechanism/pf_polish.h"

wal_pf_options wal_pf_defaults(void) {
  return (wal_pf_options){.tol = 1e-9, .max_steps = 100, .polish = true};
}

/* What a call is asked. */
typedef struct {
  const wal_instances *in;
  const double *z, *da; /* [K, N, M] or NULL */
  const wal_pf_options *options;
  wal_pf_solution out;
  wal_pf_gradient gradient; /* da not NULL: db is there */
  const int64_t *list;      /* [count] the instances; NULL: the first `count` */
  int64_t count;
  int64_t block;          /* instances of one task */
  _Atomic int64_t failed; /* the first that did not converge; in->count: none */
} job;

/* An instance of the block that has entries to decide. */
typedef struct {
  int64_t k;
  int agents, resources;
  int steps;  /* so far */
  double kkt; /* of its answer so far where anybody looks at it, or 0; INFINITY: there is none */
  bool converged;
} pending;

/* A polish that finds the wrong amounts at their bounds is tried again from a point nearer to the solution,
   and what does not converge is polished even where that was not wanted. */
static const double finer[] = {1.0, 1e-3, 1e-6};
enum { ATTEMPTS = 3 };
static const double certified = 1e-9;
/* What did not converge is kept with a residual up to this where no polish was asked for: no gradient is
   better there, and a training does not end for the sake of one report. */
static const double tolerable = 1e-6;

/* What one task holds; serves its instances group by group. */
typedef struct {
  job *job;
  wal_pf_group group;
  wal_pf_polish *polish; /* NULL: not wanted, or not yet */
  wal_pf_look look[WAL_LANES64];
  pending *pending; /* [block] */
  double *own; /* [lanes] a, mu, nu [n, m], lambda [m], u [n]: points that are not the caller's, or not yet */
} worker;

static void destroy_worker(worker *w) {
  wal_pf_group_destroy(&w->group);
  wal_pf_polish_destroy(w->polish);
  for (int lane = 0; lane < WAL_LANES64; lane++) wal_pf_look_destroy(&w->look[lane]);
  free(w->pending);
  free(w->own);
}

static wal_status create_worker(job *j, worker *w) {
  const int n = j->in->n, m = j->in->m;
  *w = (worker){.job = j};
  wal_status status = WAL_OK;
  for (int lane = 0; lane < WAL_LANES64 && lane < j->in->count && status == WAL_OK; lane++)
    status = wal_pf_look_create(n, m, &w->look[lane]);
  w->pending = malloc((size_t)j->block * sizeof *w->pending);
  const size_t own = (size_t)n * (size_t)m * 3 + (size_t)m + (size_t)n;
  w->own = malloc(WAL_LANES64 * own * sizeof *w->own);
  if (status == WAL_OK && (!w->pending || !w->own))
    status = wal_fail(WAL_E_MEMORY, "no memory to allocate %d resources to %d agents", m, n);
  if (status == WAL_OK && j->options->polish) status = wal_pf_polish_create(n, m, &w->polish);
  if (status != WAL_OK) destroy_worker(w);
  return status;
}

/* Room of the worker for the point of a lane. */
static wal_pf_solution own_point(const worker *w, int lane) {
  const int64_t n = w->job->in->n, m = w->job->in->m, nm = n * m;
  double *own = w->own + lane * (3 * nm + m + n);
  return (wal_pf_solution){
      .a = own, .mu = own + nm, .nu = own + 2 * nm, .lambda = own + 3 * nm, .u = own + 3 * nm + m};
}

/* The arrays of instance k: the caller's where there are any. */
static wal_pf_solution point_of(const worker *w, int64_t k, int lane) {
  const wal_pf_solution *out = &w->job->out;
  const int64_t n = w->job->in->n, m = w->job->in->m, nm = n * m;
  wal_pf_solution point = own_point(w, lane);
  if (out->a) point.a = out->a + k * nm;
  if (out->mu) point.mu = out->mu + k * nm;
  if (out->nu) point.nu = out->nu + k * nm;
  if (out->lambda) point.lambda = out->lambda + k * m;
  if (out->u) point.u = out->u + k * n;
  return point;
}

/* The caller's arrays of instance k become those of the lane. */
static void keep_own(const worker *w, int64_t k, int lane) {
  const wal_pf_solution from = own_point(w, lane), to = point_of(w, k, lane);
  const size_t n = (size_t)w->job->in->n, m = (size_t)w->job->in->m, size = sizeof(double);
  if (to.a != from.a) memcpy(to.a, from.a, n * m * size);
  if (to.mu != from.mu) memcpy(to.mu, from.mu, n * m * size);
  if (to.nu != from.nu) memcpy(to.nu, from.nu, n * m * size);
  if (to.lambda != from.lambda) memcpy(to.lambda, from.lambda, m * size);
  if (to.u != from.u) memcpy(to.u, from.u, n * size);
}

/* The multipliers of the bounds of instance k's agent i, by (11a), from a, lambda and u. */
static void bound_multipliers(const job *j, const wal_pf_look *look, int i, const wal_pf_solution *point) {
  const int m = j->in->m;
  const int64_t row = (look->k * j->in->n + i) * m;
  const double w = wal_pf_weight(j->in, look->k, i), u = point->u[i];
  for (int q = 0; q < m; q++) {
    const int e = i * m + q;
    double excess = 0;
    if (look->state[e] != WAL_PF_CLOSED)
      excess = w * (j->in->v[row + q] / u) - (j->z ? j->z[row + q] : 0) - point->lambda[q];
    wal_pf_bound_multipliers(excess, point->a[e], j->in->x[row + q], &point->mu[e], &point->nu[e]);
  }
}

/* u, and mu and nu where anybody looks at them. */
static void complete(const job *j, const wal_pf_look *look, const wal_pf_solution *point) {
  const int n = j->in->n, m = j->in->m;
  const bool wanted =
      j->out.mu || j->out.nu || j->out.kkt || (look->agents > 0 && (j->options->polish || j->da));
  const double *v = j->in->v + look->k * n * m;
  for (int i = 0; i < n; i++) {
    double u = 0;
    for (int e = i * m; e < (i + 1) * m; e++) u += v[e] * point->a[e];
    point->u[i] = u;
    if (wanted) bound_multipliers(j, look, i, point);
  }
}

static bool all_finite(const double *values, int count) {
  double sum = 0;
  for (int k = 0; k < count; k++) sum += 0 * values[k];
  return sum == 0;
}

/* The others are solved all the same. */
static void note_failure(job *j, int64_t k) {
  int64_t first = atomic_load(&j->failed);
  while (k < first && !atomic_compare_exchange_weak(&j->failed, &first, k)) continue;
}

static double residual(const job *j, int64_t k, const wal_pf_solution *point) {
  const wal_instances one = wal_instances_part(j->in, k, 1);
  double kkt;
  wal_pf_kkt(&one, j->z ? j->z + k * j->in->n * j->in->m : NULL, point, &kkt);
  return kkt;
}

/* The residual of a point, which is polished where that is wanted. */
static double certify(const worker *w, int64_t k, const wal_pf_solution *point) {
  const job *j = w->job;
  const double *z = j->z ? j->z + k * j->in->n * j->in->m : NULL;
  return w->polish ? wal_pf_polish_instance(w->polish, j->in, k, z, point) : residual(j, k, point);
}

/* An instance without anything to decide. */
static void answer_whole(worker *w, const wal_pf_look *look) {
  const job *j = w->job;
  const wal_pf_solution point = point_of(w, look->k, 0);
  wal_pf_look_unpack(j->in, look, NULL, 0, point.a, point.lambda);
  complete(j, look, &point);
  if (j->out.kkt) j->out.kkt[look->k] = residual(j, look->k, &point);
  if (j->out.steps) j->out.steps[look->k] = 0;
  if (j->da) wal_pf_adjoint_unpack(j->in, j->z, j->da, look, NULL, 0, &point, &j->gradient);
  if (!all_finite(point.u, j->in->n)) note_failure(w->job, look->k);
}

/* The answer out of a lane, of the last attempt or not. False: there is a better one already. */
static bool answer(worker *w, pending *some, const wal_pf_look *look, int lane, bool last) {
  const job *j = w->job;
  const bool again = some->steps > 0;
  const wal_pf_solution point = again ? own_point(w, lane) : point_of(w, some->k, lane);
  wal_pf_look_unpack(j->in, look, &w->group, lane, point.a, point.lambda);
  complete(j, look, &point);
  some->steps += w->group.steps[lane];
  if (j->out.steps) j->out.steps[some->k] = some->steps;
  const bool reached = !w->group.running[lane] && all_finite(point.u, j->in->n);
  const double kkt = j->out.kkt || w->polish ? certify(w, some->k, &point) : reached ? 0 : INFINITY;
  const double enough = last && !j->options->polish ? tolerable : certified;
  some->converged |= reached || (w->polish && fmin(kkt, some->kkt) <= enough);
  if (last && !some->converged) note_failure(w->job, some->k);
  if (again && !(kkt < some->kkt)) return false;
  some->kkt = kkt;
  if (again) keep_own(w, some->k, lane);
  if (j->out.kkt) j->out.kkt[some->k] = kkt;
  return true;
}

/* Gradients of the lanes in `wanted`, at the polished points where there are any. */
static void pull_group(worker *w, const pending *some, int count, const bool *wanted) {
  const job *j = w->job;
  wal_pf_group *group = &w->group;
  wal_pf_solution point[WAL_LANES64];
  for (int lane = 0; lane < count; lane++) point[lane] = point_of(w, some[lane].k, lane);
  for (int lane = 0; lane < count && w->polish; lane++)
    if (some[lane].kkt <= certified) wal_pf_look_repack(j->in, &w->look[lane], &point[lane], group, lane);
  if (w->polish) wal_pf_group_factor(group);
  memset(group->dmu, 0, (size_t)group->n * (size_t)group->m * sizeof *group->dmu);
  for (int lane = 0; lane < count; lane++) wal_pf_adjoint_pack(j->in, j->da, &w->look[lane], group, lane);
  wal_pf_group_pull(group);
  for (int lane = 0; lane < count; lane++)
    if (wanted[lane])
      wal_pf_adjoint_unpack(j->in, j->z, j->da, &w->look[lane], group, lane, &point[lane], &j->gradient);
}

static void solve_group(worker *w, pending *some, int count, double tol, bool last) {
  const job *j = w->job;
  wal_pf_group *group = &w->group;
  int agents = 0, resources = 0;
  for (int lane = 0; lane < count; lane++) {
    agents = some[lane].agents > agents ? some[lane].agents : agents;
    resources = some[lane].resources > resources ? some[lane].resources : resources;
  }
  wal_pf_group_clear(group, agents, resources);
  for (int lane = 0; lane < count; lane++) {
    wal_pf_look_at(j->in, j->z, some[lane].k, &w->look[lane]);
    wal_pf_look_pack(j->in, j->z, &w->look[lane], group, lane);
  }
  wal_pf_group_start(group);
  wal_pf_group_solve(group, tol, j->options->max_steps);
  bool better[WAL_LANES64];
  for (int lane = 0; lane < count; lane++) better[lane] = answer(w, &some[lane], &w->look[lane], lane, last);
  if (j->da) pull_group(w, some, count, better);
}

static int by_size(const void *left, const void *right) {
  const pending *a = left, *b = right;
  if (a->resources != b->resources) return a->resources - b->resources;
  if (a->agents != b->agents) return a->agents - b->agents;
  return (a->k > b->k) - (a->k < b->k);
}

/* Answers those of the job's instances [lo, hi) that have nothing to decide, and lists the others by size. */
static int64_t list_pending(worker *w, int64_t lo, int64_t hi) {
  int64_t count = 0;
  for (int64_t l = lo; l < hi; l++) {
    const int64_t k = w->job->list ? w->job->list[l] : l;
    wal_pf_look *look = &w->look[0];
    wal_pf_look_at(w->job->in, w->job->z, k, look);
    if (look->agents)
      w->pending[count++] =
          (pending){.k = k, .agents = look->agents, .resources = look->resources, .kkt = INFINITY};
    else
      answer_whole(w, look);
  }
  qsort(w->pending, (size_t)count, sizeof *w->pending, by_size);
  return count;
}

/* Those that are to be tried again, in their order, to the front: not certified, or without a polish not even
   converged. */
static int64_t list_doubtful(worker *w, int64_t count) {
  const bool polished = w->job->options->polish;
  int64_t left = 0;
  for (int64_t k = 0; k < count; k++)
    if (polished ? !(w->pending[k].kkt <= certified) : !w->pending[k].converged)
      w->pending[left++] = w->pending[k];
  return left;
}

/* The first `count` of the list, group by group. */
static void attempt_all(worker *w, int64_t count, int attempt) {
  const double tol = w->job->options->tol * finer[attempt];
  for (int64_t first = 0; first < count; first += WAL_LANES64)
    solve_group(w, w->pending + first, (int)(count - first < WAL_LANES64 ? count - first : WAL_LANES64), tol,
                attempt == ATTEMPTS - 1);
}

static wal_status serve(worker *w, int64_t lo, int64_t hi) {
  int64_t count = list_pending(w, lo, hi);
  if (!count) return WAL_OK;
  int agents = 0;
  for (int64_t k = 0; k < count; k++) agents = w->pending[k].agents > agents ? w->pending[k].agents : agents;
  wal_status status = wal_pf_group_create(agents, w->pending[count - 1].resources, &w->group);
  for (int attempt = 0; attempt < ATTEMPTS && count && status == WAL_OK; attempt++) {
    if (attempt > 0 && !w->polish) status = wal_pf_polish_create(w->job->in->n, w->job->in->m, &w->polish);
    if (status == WAL_OK) attempt_all(w, count, attempt);
    count = list_doubtful(w, count);
  }
  return status;
}

static wal_status solve_block(void *context, int64_t block) {
  job *j = context;
  const int64_t lo = block * j->block, hi = lo + j->block < j->count ? lo + j->block : j->count;
  worker w;
  wal_status status = create_worker(j, &w);
  if (status != WAL_OK) return status;
  status = serve(&w, lo, hi);
  destroy_worker(&w);
  return status;
}

/* Blocks of about 32 thousand entries, so that a group finds its like and threads have work. */
static wal_status solve(job *j) {
  const int64_t size = 32768 / ((int64_t)j->in->n * j->in->m);
  j->block = size < WAL_LANES64 ? WAL_LANES64 : size > 1024 ? 1024 : size;
  j->failed = j->in->count;
  const wal_status status = wal_for_tasks((j->count + j->block - 1) / j->block, solve_block, j);
  if (status != WAL_OK || j->failed == j->in->count) return status;
  return wal_fail(WAL_E_DIVERGED, "instance %lld of %lld is not solved to %g after %d steps",
                  (long long)j->failed, (long long)j->in->count, j->options->tol, j->options->max_steps);
}

wal_status wal_pf_cpu_some(const wal_instances *in, const double *z, const double *da,
                           const wal_pf_options *options, const wal_pf_solution *out,
                           const wal_pf_gradient *gradient, const int64_t *list, int64_t count) {
  job j = {.in = in, .z = z, .da = da, .options = options, .list = list, .count = count};
  if (out) j.out = *out;
  if (!da) return solve(&j);
  j.gradient = *gradient;
  double *db = NULL;
  if (!gradient->db) {
    db = malloc((size_t)(in->count > 0 ? in->count * in->m : 1) * sizeof *db);
    if (!db)
      return wal_fail(WAL_E_MEMORY, "no memory for the budgets of %lld instances", (long long)in->count);
    j.gradient.db = db;
  }
  const wal_status status = solve(&j);
  free(db);
  return status;
}

static wal_status cpu_solve(const wal_instances *in, const double *z, const wal_pf_options *options,
                            const wal_pf_solution *out) {
  return wal_pf_cpu_some(in, z, NULL, options, out, NULL, NULL, in->count);
}

static wal_status cpu_vjp(const wal_instances *in, const double *z, const double *da,
                          const wal_pf_options *options, const wal_pf_solution *out,
                          const wal_pf_gradient *gradient) {
  return wal_pf_cpu_some(in, z, da, options, out, gradient, NULL, in->count);
}

const wal_pf_ops wal_pf_cpu = {.solve = cpu_solve, .vjp = cpu_vjp};

/* ---- the seam ---- */

static const wal_pf_ops *processor(const wal_instances *in) {
  const wal_pf_ops *device = wal_device_now()->pf;
  return device && in->count * in->n * in->m >= device->least ? device : &wal_pf_cpu;
}

wal_status wal_pf_solve(const wal_instances *in, const double *z, const wal_pf_options *options,
                        const wal_pf_solution *out) {
  return processor(in)->solve(in, z, options, out);
}

wal_status wal_pf_vjp(const wal_instances *in, const double *z, const double *da,
                      const wal_pf_options *options, const wal_pf_solution *out,
                      const wal_pf_gradient *gradient) {
  return processor(in)->vjp(in, z, da, options, out, gradient);
}

int64_t wal_pf_batch(int n, int m, int64_t cpu) {
  const wal_pf_ops *device = wal_device_now()->pf;
  const int64_t wanted = device ? device->busy / ((int64_t)n * m) : 0;
  return wanted > cpu ? wanted : cpu;
}
