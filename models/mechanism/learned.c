#include "models/mechanism/learned.h"

#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/mechanism/pf.h"

enum {
  CHUNK_ROWS = 256,   /* rows of the network in one chunk of the loops, at least ... */
  CHUNK_LEAST = 32,   /* ... and instances: whole vectors for the solver of PF */
  PART_ROWS = 1 << 15 /* rows that go through the network together: what the network keeps for its gradient */
};

static int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }

/* Instances in a chunk of the loops: a number of the kind and the device alone. */
static int64_t chunk_of(const wal_learned *f) {
  return wal_pf_batch(f->base.n, f->base.m, max64(CHUNK_LEAST, CHUNK_ROWS / f->shape.rows));
}
static int64_t chunks_of(const wal_learned *f, int64_t count) {
  return (count + chunk_of(f) - 1) / chunk_of(f);
}

static wal_status encode(const wal_learned *f, const wal_learned_batch *q, float *rows) {
  const wal_status status = f->ops->prepare ? f->ops->prepare(f, q) : WAL_OK;
  return status ? status : f->ops->encode(f, q, rows);
}

/* ---- Values ---- */

typedef struct {
  const wal_learned *f;
  const wal_instances *in;
  double *a; /* [K, N, M] */
} allocation;

static wal_status allocate_part(const wal_learned *f, const wal_instances *in, double *a) {
  const int64_t rows = in->count * f->shape.rows, context = in->count * f->shape.context;
  const wal_learned_batch q = {.in = *in,
                               .context = context ? malloc((size_t)context * sizeof(double)) : NULL};
  float *x = malloc((size_t)(rows * f->shape.inputs) * sizeof *x);
  float *y = malloc((size_t)(rows * f->shape.outputs) * sizeof *y);
  wal_status status = x && y && (q.context || !context)
                          ? WAL_OK
                          : wal_fail(WAL_E_MEMORY, "%s: no memory for %lld rows of a network",
                                     f->base.kind->name, (long long)rows);
  if (!status) status = encode(f, &q, x);
  if (!status) status = f->base.net->ops->infer(f->base.net, rows, x, y);
  if (!status) status = f->ops->decode(f, &q, y, a);
  free(x), free(y), free(q.context);
  return status;
}

static wal_status allocate_chunk(void *context, int64_t k) {
  const allocation *c = context;
  const int64_t lo = k * chunk_of(c->f), count = min64(chunk_of(c->f), c->in->count - lo);
  const wal_instances part = wal_instances_part(c->in, lo, count);
  const wal_status status = allocate_part(c->f, &part, c->a + lo * part.n * part.m);
  return status && lo ? wal_fail_in(status, "instances from %lld on: ", (long long)lo) : status;
}

wal_status wal_learned_allocate(const wal_mechanism *mechanism, const wal_instances *in, double *a) {
  const wal_learned *f = (const wal_learned *)mechanism;
  return wal_for_tasks(chunks_of(f, in->count), allocate_chunk, &(allocation){f, in, a});
}

/* ---- Gradients ---- */

/* A part of the batch on its way back; dv NULL: not wanted. */
typedef struct {
  const wal_learned *f;
  const wal_instances *in;
  const double *da;
  double *dv, *dx; /* [K, N, M] */
} pull_back;

typedef struct {
  wal_learned_batch q;
  int64_t entries, x, y; /* where the chunk begins: in [K, N, M], in the network's inputs and outputs */
} piece;

static piece piece_of(const pull_back *p, int64_t k) {
  const wal_learned *f = p->f;
  const int64_t lo = k * chunk_of(f), rows = lo * f->shape.rows, context = lo * f->shape.context;
  return (piece){.q = {.in = wal_instances_part(p->in, lo, min64(chunk_of(f), p->in->count - lo)),
                       .context = f->context ? f->context + context : NULL,
                       .dcontext = f->context && p->dv ? f->dcontext + context : NULL},
                 .entries = lo * f->base.n * f->base.m,
                 .x = rows * f->shape.inputs,
                 .y = rows * f->shape.outputs};
}

static wal_status encode_chunk(void *context, int64_t k) {
  const pull_back *p = context;
  const piece at = piece_of(p, k);
  return encode(p->f, &at.q, p->f->x + at.x);
}

static wal_status decode_vjp_chunk(void *context, int64_t k) {
  const pull_back *p = context;
  const piece at = piece_of(p, k);
  if (at.q.dcontext)
    memset(at.q.dcontext, 0, (size_t)(at.q.in.count * p->f->shape.context) * sizeof *at.q.dcontext);
  return p->f->ops->decode_vjp(p->f, &at.q, p->f->y + at.y, p->da + at.entries, p->f->dy + at.y,
                               p->dv ? p->dv + at.entries : NULL, p->dv ? p->dx + at.entries : NULL);
}

static wal_status encode_vjp_chunk(void *context, int64_t k) {
  const pull_back *p = context;
  const piece at = piece_of(p, k);
  double *dv = p->dv + at.entries, *dx = p->dx + at.entries;
  const wal_status status = p->f->ops->encode_vjp(p->f, &at.q, p->f->dx + at.x, dv, dx);
  return status || !p->f->ops->prepare_vjp ? status : p->f->ops->prepare_vjp(p->f, &at.q, dv, dx);
}

static wal_status vjp_part(pull_back *p) {
  const wal_learned *f = p->f;
  const wal_mlp_ops *net = f->base.net->ops;
  const int64_t chunks = chunks_of(f, p->in->count), rows = p->in->count * f->shape.rows;
  wal_status status = wal_for_tasks(chunks, encode_chunk, p);
  if (!status) status = net->forward(f->base.net, rows, f->x, f->y);
  if (!status) status = wal_for_tasks(chunks, decode_vjp_chunk, p);
  if (!status) status = net->backward(f->base.net, f->x, f->dy, p->dv ? f->dx : NULL);
  if (!status && p->dv) status = wal_for_tasks(chunks, encode_vjp_chunk, p);
  return status;
}

/* Adds the network's gradient to the sum over parts, or begins it. */
static wal_status add_gradient(wal_learned *f, bool first) {
  const wal_mlp_ops *net = f->base.net->ops;
  const int64_t count = net->parameter_count(f->base.net);
  if (first) return net->get(f->base.net, 1, f->gradient);
  float *part = malloc((size_t)count * sizeof *part);
  wal_status status = part ? net->get(f->base.net, 1, part)
                           : wal_fail(WAL_E_MEMORY, "no memory for a gradient of %lld", (long long)count);
  for (int64_t i = 0; !status && i < count; i++) f->gradient[i] += part[i];
  free(part);
  return status;
}

static wal_status vjp_parts(wal_learned *f, const wal_instances *in, const double *da, double *dv,
                            double *dx) {
  const int64_t nm = (int64_t)f->base.n * f->base.m;
  wal_status status = WAL_OK;
  for (int64_t lo = 0; !status && lo < in->count; lo += f->part) {
    const wal_instances part = wal_instances_part(in, lo, min64(f->part, in->count - lo));
    pull_back p = {f, &part, da + lo * nm, dv ? dv + lo * nm : NULL, dx ? dx + lo * nm : NULL};
    status = vjp_part(&p);
    if (!status && in->count > f->part) status = add_gradient(f, lo == 0);
  }
  if (!status && in->count > f->part) status = f->base.net->ops->set(f->base.net, 1, f->gradient);
  return status;
}

wal_status wal_learned_vjp(wal_mechanism *mechanism, const wal_instances *in, const double *da, double *dv,
                           double *dx) {
  wal_learned *f = (wal_learned *)mechanism;
  if (in->count < 1) return wal_fail(WAL_E_INPUT, "a gradient over no instances; expected at least 1");
  if (!dv == !dx) return vjp_parts(f, in, da, dv, dx);
  /* One of them only: room for the other. */
  double *other = malloc((size_t)(in->count * f->base.n * f->base.m) * sizeof *other);
  const wal_status status =
      other ? vjp_parts(f, in, da, dv ? dv : other, dx ? dx : other)
            : wal_fail(WAL_E_MEMORY, "no memory for a gradient of %lld instances", (long long)in->count);
  free(other);
  return status;
}

/* ---- Life ---- */

wal_status wal_learned_activation(const char *name, wal_activation standard, wal_activation *out) {
  static const char *const names[] = {[WAL_RELU] = "relu", [WAL_TANH] = "tanh", [WAL_SILU] = "silu"};
  *out = standard;
  if (!*name) return WAL_OK;
  for (int k = 0; k < 3; k++)
    if (strcmp(name, names[k]) == 0) return *out = (wal_activation)k, WAL_OK;
  return wal_fail(WAL_E_INPUT, "activation \"%.40s\"; expected relu, tanh or silu", name);
}

static wal_status create_network(wal_learned *f) {
  const wal_learned_shape *s = &f->shape;
  const wal_mlp_config config = {.inputs = s->inputs,
                                 .outputs = s->outputs,
                                 .width = s->width,
                                 .depth = s->depth,
                                 .activation = s->activation,
                                 .max_rows = f->part * s->rows,
                                 .seed = f->base.options.seed,
                                 .precision = f->base.options.precision};
  const wal_status status = wal_mlp_create(&config, &f->base.net);
  if (status) return status;
  const size_t rows = (size_t)config.max_rows;
  const int64_t parameters = f->base.net->ops->parameter_count(f->base.net);
  f->x = malloc(rows * (size_t)s->inputs * sizeof *f->x);
  f->dx = malloc(rows * (size_t)s->inputs * sizeof *f->dx);
  f->y = malloc(rows * (size_t)s->outputs * sizeof *f->y);
  f->dy = malloc(rows * (size_t)s->outputs * sizeof *f->dy);
  f->gradient = malloc((size_t)parameters * sizeof *f->gradient);
  const size_t context = (size_t)f->part * (size_t)s->context;
  f->context = context ? malloc(2 * context * sizeof *f->context) : NULL;
  f->dcontext = f->context ? f->context + context : NULL;
  if (f->x && f->dx && f->y && f->dy && f->gradient && (f->context || !context)) return WAL_OK;
  return wal_fail(WAL_E_MEMORY, "%s: no memory for %lld rows of its network", f->base.kind->name,
                  (long long)config.max_rows);
}

wal_status wal_learned_create(const wal_mechanism_kind *kind, const wal_learned_ops *ops, int n, int m,
                              const wal_mechanism_options *options, wal_mechanism **out) {
  *out = NULL;
  wal_learned *f = calloc(1, sizeof *f);
  if (!f) return wal_fail(WAL_E_MEMORY, "no memory for a mechanism");
  f->base = (wal_mechanism){.kind = kind, .n = n, .m = m, .options = *options};
  f->ops = ops;
  f->shape = ops->shape(n, m);
  if (options->width) f->shape.width = options->width;
  if (options->depth) f->shape.depth = options->depth;
  const int64_t batch = options->max_batch > 0 ? options->max_batch : 4096;
  f->part = min64(batch, max64(1, PART_ROWS / f->shape.rows));
  wal_status status = wal_learned_activation(options->activation, f->shape.activation, &f->shape.activation);
  if (!status) status = create_network(f);
  if (status) return wal_learned_destroy(&f->base), status;
  *out = &f->base;
  return WAL_OK;
}

void wal_learned_destroy(wal_mechanism *mechanism) {
  wal_learned *f = (wal_learned *)mechanism;
  if (!f) return;
  wal_mlp_destroy(f->base.net);
  free(f->x), free(f->dx), free(f->y), free(f->dy), free(f->context), free(f->gradient);
  free(f);
}
