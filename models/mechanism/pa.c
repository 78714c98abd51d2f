/* Partial allocation (rpfnet, Appendix A): everybody gets the share r_i of its proportionally fair
   allocation, r_i being what its presence leaves of the others' welfare. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/mechanism/pf_open.h"
#include "models/mechanism/plain.h"

static wal_status create(int n, int m, const wal_mechanism_options *options, wal_mechanism **out) {
  return wal_plain_create(&wal_mechanism_pa, n, m, options, out);
}

/* One block of instances and room for it. */
typedef struct {
  wal_instances in;
  wal_pf_options options;
  double *a;       /* [K, N, M] PF of all; then what PA allocates */
  double *without; /* [K, N, M] PF of all but one */
  double *x;       /* [K, N, M] demands without that agent's */
  double *share;   /* [K, N] r_i */
} block;

/* u_j over the value of all that j asks for, so that no scale of values or demands over- or underflows. j
   takes part. */
static double satisfied(const wal_instances *in, int64_t row, const double *a) {
  double top_v = 0, top_x = 0, got = 0, asked = 0;
  for (int m = 0; m < in->m; m++) {
    if (!(in->v[row + m] > 0 && in->x[row + m] > 0)) continue;
    top_v = fmax(top_v, in->v[row + m]);
    top_x = fmax(top_x, in->x[row + m]);
  }
  for (int m = 0; m < in->m; m++) {
    if (!(in->v[row + m] > 0 && in->x[row + m] > 0)) continue;
    const double v = in->v[row + m] / top_v;
    got += v * (fmin(a[row + m], in->x[row + m]) / top_x);
    asked += v * (in->x[row + m] / top_x);
  }
  return got / asked;
}

/* log of prod_{j != i} (u_j(a) / u_j(a without i))^{w_j}, over the agents that take part; one with nothing
   both ways (no budget) says nothing. */
static double log_externality(const block *q, int64_t k, int i) {
  const wal_instances *in = &q->in;
  double sum = 0;
  for (int j = 0; j < in->n; j++) {
    if (j == i || !wal_pf_takes_part(in, k, j)) continue;
    const int64_t row = (k * in->n + j) * in->m;
    const double with = satisfied(in, row, q->a), without = satisfied(in, row, q->without);
    if (without > 0) sum += wal_pf_weight(in, k, j) * log(with / without);
  }
  return sum;
}

/* r_i of every instance. It is at most 1 by optimality: only rounding is cut off. */
static wal_status shares_of(const block *q, int i) {
  const wal_instances *in = &q->in;
  const int64_t nm = (int64_t)in->n * in->m;
  const wal_pf_solution solution = {.a = q->without};
  wal_instances others = *in;
  others.x = q->x;
  memcpy(q->x, in->x, (size_t)(in->count * nm) * sizeof *q->x);
  for (int64_t k = 0; k < in->count; k++) memset(q->x + k * nm + i * in->m, 0, (size_t)in->m * sizeof *q->x);
  const wal_status status = wal_pf_solve(&others, NULL, &q->options, &solution);
  for (int64_t k = 0; status == WAL_OK && k < in->count; k++) {
    const double weight = wal_pf_weight(in, k, i);
    q->share[k * in->n + i] =
        wal_pf_takes_part(in, k, i) ? fmin(exp(log_externality(q, k, i) / weight), 1) : 0;
  }
  return status;
}

static wal_status solve_block(const block *q) {
  const wal_pf_solution solution = {.a = q->a};
  wal_status status = wal_pf_solve(&q->in, NULL, &q->options, &solution);
  for (int i = 0; status == WAL_OK && i < q->in.n; i++) status = shares_of(q, i);
  for (int64_t e = 0; status == WAL_OK && e < q->in.count * q->in.n * q->in.m; e++)
    q->a[e] *= q->share[e / q->in.m];
  return status;
}

typedef struct {
  const wal_mechanism *f;
  const wal_instances *in;
  int64_t size; /* instances in a block */
  double *a;
} job;

static wal_status block_task(void *context, int64_t k) {
  const job *q = context;
  const int64_t first = k * q->size, left = q->in->count - first, nm = (int64_t)q->in->n * q->in->m;
  const int64_t count = left < q->size ? left : q->size;
  double *room = malloc((size_t)(count * (2 * nm + q->in->n)) * sizeof *room);
  if (!room)
    return wal_fail(WAL_E_MEMORY, "no memory for %lld instances of %d x %d", (long long)count, q->in->n,
                    q->in->m);
  const block b = {.in = wal_instances_part(q->in, first, count),
                   .options = wal_plain_pf_options(q->f),
                   .a = q->a + first * nm,
                   .without = room,
                   .x = room + count * nm,
                   .share = room + 2 * count * nm};
  const wal_status status = solve_block(&b);
  free(room);
  return status;
}

static wal_status allocate(const wal_mechanism *f, const wal_instances *in, double *a) {
  enum { CELLS = 1 << 15 }; /* N M of a block: its arrays stay in the second-level cache */
  const int64_t fit = CELLS / ((int64_t)in->n * in->m);
  const int64_t size = wal_pf_batch(in->n, in->m, fit < 8 ? 8 : fit > WAL_CHUNK ? WAL_CHUNK : fit);
  job q = {f, in, size, a};
  return wal_for_tasks((in->count + size - 1) / size, block_task, &q);
}

const wal_mechanism_kind wal_mechanism_pa = {
    .name = "pa",
    .title = "Partial allocation",
    .source = "rpfnet, Appendix A; Cole, Gkatzelis and Goel (2013)",
    .learned = false,
    .create = create,
    .destroy = wal_plain_destroy,
    .allocate = allocate,
};
