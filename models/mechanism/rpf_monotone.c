/* RPF-Net with structure. Most of what lies gain under PF is gained by claiming little value for what one
   gets in any case, so that what is disputed seems worth more. Here each agent's values are warped by
   monotone functions of its own report, which a network bends flat where lies would gain:

     log v~_im = log v_im + alpha_im D_im(c_im),   c_im = log(s_im / (1 - s_im)),
     D(c) = p - beta ramp(c - upper) + beta' ramp(lower - c) + gamma ramp(c - upper - gap),

   s_im the share of resource m in agent i's utility (pooled.h), ramp a smooth max(0, .), 0 < beta, beta' < 1,
   gamma > 0, alpha_i > 0 with sum 1 over the resources that i wants; then PF of the warped values. Who
   wants one resource only, whose values say nothing, has a cost or a bonus z'_im = tanh(y) N / 2 b_m beside
   them: else the others would drop a demand to be treated so. p, the limits, beta, gamma, alpha and z' come
   from one network for all entries, whose inputs do not depend on v_i (pooled.h).

   log v~_im - log v~_im' increases with v_im, whatever the network is: its slope is at least
   1 - alpha_im - alpha_im' >= 0. Scaling v_i changes nothing. The result is RPF (eq. 9) with
   z_im = v_im / u_i - v~_im / u~_i + z'_im: both programs have the same KKT system (11). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/vmath.h"
#include "models/mechanism/plain.h"
#include "models/mechanism/pooled.h"

enum { OFFSET, UPPER, LOWER, GAP, UPPER_PART, LOWER_PART, AGAIN, WEIGHT, COST, OUTPUTS };

static const double width = 0.1;    /* of a ramp's bend */
static const double start = 1.5;    /* limits of a network that gives 0 */
static const double most_again = 2; /* slope that far values can regain */

static wal_learned_shape shape(int n, int m) {
  return (wal_learned_shape){.rows = n * m,
                             .inputs = WAL_POOLED_INPUTS,
                             .outputs = OUTPUTS,
                             .width = 32,
                             .depth = 3,
                             .activation = WAL_SILU};
}

/* ---- The warp of one entry ---- */

static double logistic(double y) {
  const double e = wal_exp_down(-fabs(y));
  return (y < 0 ? e : 1) / (1 + e);
}

/* About y, within +-4. */
static double bounded(double y, double *slope) {
  const double t = 2 * logistic(y / 2) - 1; /* tanh(y / 4) */
  *slope = 1 - t * t;
  return 4 * t;
}

static double ramp(double x) { return width * wal_softplus(x / width); }
static double ramp_slope(double x) { return logistic(x / width); }

/* D(c) of the outputs y; its derivatives in them and, [OUTPUTS], in c. derivative may be NULL. */
static double warp(double c, const float *y, double derivative[OUTPUTS + 1]) {
  double dp, dupper, dlower;
  const double p = bounded(y[OFFSET], &dp), upper = bounded(y[UPPER] + start, &dupper);
  const double lower = bounded(y[LOWER] - start, &dlower), gap = wal_softplus(y[GAP]);
  const double up = ramp(c - upper), low = ramp(lower - c), far = ramp(c - upper - gap);
  const double beta = logistic(y[UPPER_PART]), beta_low = logistic(y[LOWER_PART]);
  const double again = most_again * logistic(y[AGAIN] - 1);
  if (derivative) {
    const double above = ramp_slope(c - upper), below = ramp_slope(lower - c);
    const double beyond = ramp_slope(c - upper - gap);
    derivative[OFFSET] = dp;
    derivative[UPPER] = (beta * above - again * beyond) * dupper;
    derivative[LOWER] = beta_low * below * dlower;
    derivative[GAP] = -again * beyond * logistic(y[GAP]);
    derivative[UPPER_PART] = -beta * (1 - beta) * up;
    derivative[LOWER_PART] = beta_low * (1 - beta_low) * low;
    derivative[AGAIN] = again * (1 - again / most_again) * far;
    derivative[WEIGHT] = derivative[COST] = 0;
    derivative[OUTPUTS] = -beta * above - beta_low * below + again * beyond;
  }
  return p - beta * up + beta_low * low + again * far;
}

/* ---- The warp of one agent ---- */

/* An agent's entries: where they begin in [K, N, M], its instance's budgets, its part of the outputs. */
typedef struct {
  const wal_instances *in;
  int64_t row;
  const double *b; /* [M] */
  const float *y;  /* [M, OUTPUTS] */
} agent;

static agent agent_of(const wal_instances *in, const float *y, int64_t r) {
  return (agent){in, r * in->m, in->b + r / in->n * in->m, y + r * in->m * OUTPUTS};
}

static bool wants(const agent *q, int m) { return wal_pooled_wants(q->in, q->row, q->b, m); }

/* alpha [M], 0 where nothing is wanted. */
static void weights(const agent *q, double *alpha) {
  double most = -INFINITY, sum = 0;
  for (int m = 0; m < q->in->m; m++)
    if (wants(q, m)) most = fmax(most, q->y[m * OUTPUTS + WEIGHT]);
  for (int m = 0; m < q->in->m; m++)
    sum += alpha[m] = wants(q, m) ? wal_exp_down(q->y[m * OUTPUTS + WEIGHT] - most) : 0;
  for (int m = 0; sum > 0 && m < q->in->m; m++) alpha[m] /= sum;
}

/* v~ [M] up to a factor; s, alpha [M] are scratch. */
static void map_agent(const agent *q, double *s, double *alpha, double *mapped) {
  const double *v = q->in->v + q->row;
  double most = 0, slope;
  wal_pooled_shares(q->in, q->row, q->b, s);
  weights(q, alpha);
  for (int m = 0; m < q->in->m; m++)
    if (wants(q, m)) most = fmax(most, v[m]);
  for (int m = 0; m < q->in->m; m++)
    mapped[m] = !wants(q, m)
                    ? 0
                    : v[m] / most *
                          wal_exp(alpha[m] * warp(wal_pooled_logit(s[m], &slope), q->y + m * OUTPUTS, NULL));
}

/* g [M], the gradient in log v~, back to the outputs into dy [M, OUTPUTS] and, where dv is not NULL, added to
   dv, dx [M]; s, alpha as map_agent leaves them. */
static void pull_agent(const agent *q, const double *s, const double *alpha, double *g, float *dy, double *dv,
                       double *dx) {
  const int M = q->in->m;
  double derivative[OUTPUTS + 1], slope, mean = 0;
  for (int pass = 0; pass < 2; pass++)
    for (int m = 0; m < M; m++) {
      if (!wants(q, m)) continue;
      const double d = warp(wal_pooled_logit(s[m], &slope), q->y + m * OUTPUTS, derivative);
      if (pass == 0) {
        mean += alpha[m] * g[m] * d;
        continue;
      }
      for (int o = 0; o < OUTPUTS; o++) dy[m * OUTPUTS + o] = (float)(alpha[m] * g[m] * derivative[o]);
      dy[m * OUTPUTS + WEIGHT] = (float)(alpha[m] * (g[m] * d - mean));
      if (dv) dv[m] += g[m] / q->in->v[q->row + m];
      g[m] *= alpha[m] * derivative[OUTPUTS] * slope; /* in s */
    }
  if (dv) wal_pooled_shares_vjp(q->in, q->row, q->b, s, g, dv, dx);
}

/* ---- Reports -> inputs, outputs -> allocation ---- */

static wal_status encode(const wal_learned *f, const wal_learned_batch *q, float *rows) {
  const wal_instances *in = &q->in;
  wal_pooled_encode(in, f->shape.inputs, rows);
  return WAL_OK;
}

static wal_status encode_vjp(const wal_learned *f, const wal_learned_batch *q, const float *drows, double *dv,
                             double *dx) {
  const wal_instances *in = &q->in;
  wal_pooled_vjp(in, f->shape.inputs, drows, dv, dx);
  return WAL_OK;
}

/* The unit of a cost of entry e, half the value of an equal share: of agents that want nothing else. */
static double unit(const wal_instances *in, int64_t e) {
  const double *b = in->b + e / in->m / in->n * in->m;
  const int m = (int)(e % in->m);
  const bool alone = wal_pooled_wants(in, e - m, b, m) && wal_pooled_share(in, e - m, b, m) == 1;
  return alone ? 0.5 * in->n / b[m] : 0;
}

/* The program of the outputs, in one malloc'd piece of five [K, N, M]; g: room for a gradient. */
typedef struct {
  double *v, *z, *s, *alpha, *g;
} program;

static wal_status make_program(const wal_instances *in, const float *y, program *out) {
  const int64_t agents = in->count * in->n, entries = agents * in->m;
  double *p = malloc((size_t)(6 * entries) * sizeof *p);
  *out = (program){p, p + entries, p + 2 * entries, p + 3 * entries, p + 4 * entries};
  if (!p) return wal_fail(WAL_E_MEMORY, "no memory for the values of %lld instances", (long long)in->count);
  for (int64_t r = 0; r < agents; r++) {
    const agent q = agent_of(in, y, r);
    map_agent(&q, out->s + r * in->m, out->alpha + r * in->m, out->v + r * in->m);
  }
  for (int64_t e = 0; e < entries; e++) {
    const double most = unit(in, e);
    out->z[e] = most > 0 ? most * tanh(y[e * OUTPUTS + COST]) : 0;
  }
  return WAL_OK;
}

static wal_status decode(const wal_learned *f, const wal_learned_batch *q, const float *y, double *a) {
  const wal_instances *in = &q->in;
  const wal_pf_options options = wal_plain_pf_options(&f->base);
  program p;
  wal_status status = make_program(in, y, &p);
  wal_instances warped = *in;
  warped.v = p.v;
  if (!status) status = wal_pf_solve(&warped, p.z, &options, &(wal_pf_solution){.a = a});
  free(p.v);
  return status;
}

static wal_status decode_vjp(const wal_learned *f, const wal_learned_batch *q, const float *y,
                             const double *da, float *dy, double *dv, double *dx) {
  const wal_instances *in = &q->in;
  const int64_t entries = in->count * in->n * in->m;
  const wal_pf_options options = wal_plain_pf_options(&f->base);
  program p;
  wal_status status = make_program(in, y, &p);
  wal_instances warped = *in;
  warped.v = p.v;
  double *dz = p.g + entries;
  if (!status)
    status = wal_pf_vjp(&warped, p.z, da, &options, NULL, &(wal_pf_gradient){.dv = p.g, .dx = dx, .dz = dz});
  if (dv) memset(dv, 0, (size_t)entries * sizeof *dv);
  memset(dy, 0, (size_t)(entries * OUTPUTS) * sizeof *dy);
  for (int64_t e = 0; !status && e < entries; e++) p.g[e] *= p.v[e];
  for (int64_t e = 0; !status && e < entries; e += in->m) {
    const agent own = agent_of(in, y, e / in->m);
    pull_agent(&own, p.s + e, p.alpha + e, p.g + e, dy + e * OUTPUTS, dv ? dv + e : NULL, dv ? dx + e : NULL);
  }
  for (int64_t e = 0; !status && e < entries; e++) {
    const double cost = tanh(y[e * OUTPUTS + COST]);
    dy[e * OUTPUTS + COST] = (float)(unit(in, e) * (1 - cost * cost) * dz[e]);
  }
  free(p.v);
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
  return wal_learned_create(&wal_mechanism_rpf_monotone, &ops, n, m, options, out);
}

const wal_mechanism_kind wal_mechanism_rpf_monotone = {
    .name = "rpf_monotone",
    .title = "RPF-Net, structured monotone",
    .source = "ours: rpfnet, eq. 9, with monotone functions of the own report",
    .learned = true,
    .create = create,
    .destroy = wal_learned_destroy,
    .allocate = wal_learned_allocate,
    .vjp = wal_learned_vjp,
};
