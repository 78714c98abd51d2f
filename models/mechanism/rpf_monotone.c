/* RPF-Net with structure. Most of what lies gain under PF is gained by claiming little value for what one
   gets in any case, so that what is disputed seems worth more. Here each agent's values are warped by
   monotone functions of its own report, which a network bends flat where lies would gain:

     log v~_im = log v_im + alpha_im D_im(c_im),   c_im = log(s_im / (1 - s_im)),
     D(c) = p - beta ramp(c - upper) + beta' ramp(lower - c),

   s_im the share of resource m in agent i's utility (pooled.h), ramp a smooth max(0, .), 0 < beta, beta' < 1,
   alpha_i > 0 with sum 1 over the resources that i wants; then PF of the warped values. p, the limits, beta
   and alpha come from one network for all entries, whose inputs do not depend on v_i (pooled.h).

   log v~_im - log v~_im' increases with v_im, whatever the network is: its slope is at least
   1 - alpha_im - alpha_im' >= 0. Scaling v_i changes nothing. The result is RPF (eq. 9) with
   z_im = v_im / u_i - v~_im / u~_i: both programs have the same KKT system (11). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/vmath.h"
#include "models/mechanism/plain.h"
#include "models/mechanism/pooled.h"

enum { OFFSET, UPPER, LOWER, UPPER_PART, LOWER_PART, WEIGHT, OUTPUTS };

static const double width = 0.1; /* of a ramp's bend */
static const double start = 1.5; /* limits of a network that gives 0 */

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

static double ramp(double x, double *slope) {
  *slope = logistic(x / width);
  return width * wal_softplus(x / width);
}

/* D(c) of the outputs y; its derivatives in them and, [OUTPUTS], in c. derivative may be NULL. */
static double warp(double c, const float *y, double derivative[OUTPUTS + 1]) {
  double dp, dupper, dlower, above, below;
  const double p = bounded(y[OFFSET], &dp);
  const double up = ramp(c - bounded(y[UPPER] + start, &dupper), &above);
  const double low = ramp(bounded(y[LOWER] - start, &dlower) - c, &below);
  const double beta = logistic(y[UPPER_PART]), beta_low = logistic(y[LOWER_PART]);
  if (derivative) {
    derivative[OFFSET] = dp;
    derivative[UPPER] = beta * above * dupper;
    derivative[LOWER] = beta_low * below * dlower;
    derivative[UPPER_PART] = -beta * (1 - beta) * up;
    derivative[LOWER_PART] = beta_low * (1 - beta_low) * low;
    derivative[WEIGHT] = 0;
    derivative[OUTPUTS] = -beta * above - beta_low * below;
  }
  return p - beta * up + beta_low * low;
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

static void encode(const wal_learned *f, const wal_instances *in, float *rows) {
  wal_pooled_encode(in, f->shape.inputs, rows);
}

static void encode_vjp(const wal_learned *f, const wal_instances *in, const float *drows, double *dv,
                       double *dx) {
  wal_pooled_vjp(in, f->shape.inputs, drows, dv, dx);
}

static wal_status no_memory(int64_t count) {
  return wal_fail(WAL_E_MEMORY, "no memory for the values of %lld instances", (long long)count);
}

static wal_status decode(const wal_learned *f, const wal_instances *in, const float *y, double *a) {
  const int64_t agents = in->count * in->n;
  const int m = in->m;
  const wal_pf_options options = wal_plain_pf_options(&f->base);
  double *mapped = malloc((size_t)((agents + 2) * m) * sizeof *mapped),
         *scratch = mapped ? mapped + agents * m : NULL;
  if (!mapped) return no_memory(in->count);
  for (int64_t r = 0; r < agents; r++) {
    const agent q = agent_of(in, y, r);
    map_agent(&q, scratch, scratch + m, mapped + r * m);
  }
  wal_instances warped = *in;
  warped.v = mapped;
  const wal_status status = wal_pf_solve(&warped, NULL, &options, &(wal_pf_solution){.a = a});
  free(mapped);
  return status;
}

static wal_status decode_vjp(const wal_learned *f, const wal_instances *in, const float *y, const double *da,
                             float *dy, double *dv, double *dx) {
  const int64_t agents = in->count * in->n, entries = agents * in->m;
  const int m = in->m;
  const wal_pf_options options = wal_plain_pf_options(&f->base);
  double *mapped = malloc((size_t)(4 * entries) * sizeof *mapped);
  if (!mapped) return no_memory(in->count);
  double *g = mapped + entries, *s = g + entries, *alpha = s + entries;
  for (int64_t r = 0; r < agents; r++) {
    const agent q = agent_of(in, y, r);
    map_agent(&q, s + r * m, alpha + r * m, mapped + r * m);
  }
  wal_instances warped = *in;
  warped.v = mapped;
  const wal_status status =
      wal_pf_vjp(&warped, NULL, da, &options, NULL, &(wal_pf_gradient){.dv = g, .dx = dx});
  if (dv) memset(dv, 0, (size_t)entries * sizeof *dv);
  memset(dy, 0, (size_t)(entries * OUTPUTS) * sizeof *dy);
  for (int64_t r = 0; !status && r < agents; r++) {
    const agent q = agent_of(in, y, r);
    const int64_t e = r * m;
    for (int j = 0; j < m; j++) g[e + j] *= mapped[e + j];
    pull_agent(&q, s + e, alpha + e, g + e, dy + e * OUTPUTS, dv ? dv + e : NULL, dv ? dx + e : NULL);
  }
  free(mapped);
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
