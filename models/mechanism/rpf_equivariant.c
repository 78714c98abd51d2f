/* RPF-Net with one network for all entries (pooled.h), so that permuting agents or resources permutes the
   allocation and any N and M have the same network. Beside what a row has of the others it has the agent's
   own share s_im and c_im = log(s_im / (1 - s_im)). Its two outputs shift the logarithm of a tempered value
   and add a cost or a bonus, in units of the value of an equal share:

     v~_im = v_im^(1/2) exp(1.5 tanh(y_1)),   z'_im = 0.3 tanh(y_2) N / b_m,

   then PF(v~, x, z'): eq. 9 with z = v / u - v~ / u~ + z', of either sign. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/vmath.h"
#include "models/mechanism/plain.h"
#include "models/mechanism/pooled.h"

enum { OWN_SHARE = WAL_POOLED_INPUTS, OWN_LOGIT, INPUTS };
enum { SHIFT, COST, OUTPUTS };

static const double power = 0.5, most_shift = 1.5, most_cost = 0.3;

static wal_learned_shape shape(int n, int m) {
  return (wal_learned_shape){
      .rows = n * m, .inputs = INPUTS, .outputs = OUTPUTS, .width = 32, .depth = 3, .activation = WAL_SILU};
}

/* b [M] of the instance that the entry belongs to. */
static const double *budgets(const wal_instances *in, int64_t e) { return in->b + e / in->m / in->n * in->m; }

/* ---- Reports -> inputs ---- */

static bool wants(const wal_instances *in, int64_t e) {
  const int64_t row = e - e % in->m;
  return wal_pooled_wants(in, row, budgets(in, row), (int)(e - row));
}

static wal_status encode(const wal_learned *f, const wal_learned_batch *q, float *rows) {
  const wal_instances *in = &q->in;
  const int m = in->m, stride = f->shape.inputs;
  wal_pooled_encode(in, stride, rows);
  for (int64_t e = 0; e < in->count * in->n * m; e++) {
    const int64_t row = e - e % m;
    double slope;
    const double s = wants(in, e) ? wal_pooled_share(in, row, budgets(in, row), (int)(e - row)) : 0;
    rows[e * stride + OWN_SHARE] = (float)s;
    rows[e * stride + OWN_LOGIT] = wants(in, e) ? (float)(0.5 * wal_pooled_logit(s, &slope)) : 0;
  }
  return WAL_OK;
}

static wal_status encode_vjp(const wal_learned *f, const wal_learned_batch *q, const float *drows, double *dv,
                             double *dx) {
  const wal_instances *in = &q->in;
  const int m = in->m, stride = f->shape.inputs;
  wal_pooled_vjp(in, stride, drows, dv, dx);
  for (int64_t e = 0; e < in->count * in->n * m; e++) {
    if (!wants(in, e)) continue;
    const int64_t row = e - e % m;
    const double *b = budgets(in, row);
    double slope;
    wal_pooled_logit(wal_pooled_share(in, row, b, (int)(e - row)), &slope);
    const double ds = drows[e * stride + OWN_SHARE] + 0.5 * slope * drows[e * stride + OWN_LOGIT];
    wal_pooled_share_vjp(in, row, b, (int)(e - row), ds, dv + row, dx + row);
  }
  return WAL_OK;
}

/* ---- Outputs -> allocation ---- */

/* The program of the outputs: values v~ and costs z' [K, N, M], in one malloc'd piece. */
typedef struct {
  double *v, *z;
} program;

/* The unit of a cost of entry e; 0 where nothing is wanted. */
static double unit(const wal_instances *in, int64_t e) {
  return wants(in, e) ? most_cost * in->n / budgets(in, e)[e % in->m] : 0;
}

static wal_status make_program(const wal_instances *in, const float *y, program *out) {
  const int64_t entries = in->count * in->n * in->m;
  out->v = malloc((size_t)(2 * entries) * sizeof *out->v);
  out->z = out->v ? out->v + entries : NULL;
  if (!out->v)
    return wal_fail(WAL_E_MEMORY, "no memory for the values of %lld instances", (long long)in->count);
  for (int64_t e = 0; e < entries; e++) {
    const double v = in->v[e];
    out->v[e] = v > 0 ? wal_exp(power * wal_log(v) + most_shift * tanh(y[e * OUTPUTS + SHIFT])) : 0;
    out->z[e] = unit(in, e) * tanh(y[e * OUTPUTS + COST]);
  }
  return WAL_OK;
}

static wal_status decode(const wal_learned *f, const wal_learned_batch *q, const float *y, double *a) {
  const wal_instances *in = &q->in;
  const wal_pf_options options = wal_plain_pf_options(&f->base);
  program p;
  wal_status status = make_program(in, y, &p);
  wal_instances changed = *in;
  changed.v = p.v;
  if (!status) status = wal_pf_solve(&changed, p.z, &options, &(wal_pf_solution){.a = a});
  free(p.v);
  return status;
}

static wal_status decode_vjp(const wal_learned *f, const wal_learned_batch *q, const float *y,
                             const double *da, float *dy, double *dv, double *dx) {
  const wal_instances *in = &q->in;
  const int64_t entries = in->count * in->n * in->m;
  const wal_pf_options options = wal_plain_pf_options(&f->base);
  double *g = malloc((size_t)(2 * entries) * sizeof *g);
  program p;
  wal_status status = make_program(in, y, &p);
  if (!status && !g)
    status = wal_fail(WAL_E_MEMORY, "no memory for a gradient of %lld instances", (long long)in->count);
  wal_instances changed = *in;
  changed.v = p.v;
  if (!status)
    status = wal_pf_vjp(&changed, p.z, da, &options, NULL,
                        &(wal_pf_gradient){.dv = g, .dx = dx, .dz = g + entries});
  for (int64_t e = 0; !status && e < entries; e++) {
    const double shift = tanh(y[e * OUTPUTS + SHIFT]), cost = tanh(y[e * OUTPUTS + COST]);
    const double in_log = g[e] * p.v[e];
    dy[e * OUTPUTS + SHIFT] = (float)(most_shift * (1 - shift * shift) * in_log);
    dy[e * OUTPUTS + COST] = (float)(unit(in, e) * (1 - cost * cost) * g[entries + e]);
    if (dv) dv[e] = in->v[e] > 0 ? power * in_log / in->v[e] : 0;
  }
  free(p.v), free(g);
  return status;
}

static const wal_learned_ops ops = {
    .shape = shape,
    .encode = encode,
    .encode_vjp = encode_vjp,
    .decode = decode,
    .decode_vjp = decode_vjp,
};

static wal_status create(int n, int m, const wal_mechanism_options *options, wal_mechanism **out) {
  return wal_learned_create(&wal_mechanism_rpf_equivariant, &ops, n, m, options, out);
}

const wal_mechanism_kind wal_mechanism_rpf_equivariant = {
    .name = "rpf_equivariant",
    .title = "RPF-Net, equivariant",
    .source = "ours: rpfnet, eq. 9, one network for all entries",
    .learned = true,
    .create = create,
    .destroy = wal_learned_destroy,
    .allocate = wal_learned_allocate,
    .vjp = wal_learned_vjp,
};
