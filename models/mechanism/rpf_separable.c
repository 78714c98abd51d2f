/* RPF-Net resource by resource. Under PF an agent that gets u_i has a_im = w_i / lambda_m - o_im of what is
   contested, o_im = (u_i - v_im a_im) / v_im being what it has elsewhere, in units of resource m. Here o_im
   is what a network says it is taken to have elsewhere, and each resource is shared by itself:

     a_im = min(x_im, max(0, w_i theta_m - o_im)),   sum_i a_im = b_m where more is asked for, else a_im =
   x_im,

   PF of one resource, max sum_i w_i log(a_im + o_im). With o = 0 it is the uniform rule (equal shares up to
   the demands), under which no lie gains (Sprumont, 1991); nothing jumps where value ratios meet, as PF does.
   The result is RPF (eq. 9) with z_im = v_im / u_i - w_i / (a_im + o_im). With e_im what the agent would have
   elsewhere under the uniform rule,

     o_im = c_m (4 tanh(y_1 / 4) + 2 logistic(y_2) min(4, e_im / c_m)),   c_m = 2 b_m / N,

   which is PF at y = 0 where only one resource is contested, and the uniform rule where y_1 = 0, y_2 = -inf.
   One network for all entries, as in pooled.h; its inputs see the own report. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/vmath.h"
#include "models/mechanism/learned.h"
#include "models/mechanism/pf_open.h"
#include "models/mechanism/plain.h"

/* What a row says of its own entry; the means of that over the others that want the resource; the resource.
   Quantities are in units of c_m. */
enum {
  DEMAND,        /* of resource m */
  EQUAL,         /* what the uniform rule gives */
  DEMAND_BESIDE, /* sums of both over the other resources */
  EQUAL_BESIDE,
  WORTH,  /* min(4, e_im / c_m) */
  RATIO,  /* log of the mean value of a unit elsewhere over that of one here, within +-3 */
  BESIDE, /* 1: has something elsewhere */
  OWN
};
enum { OTHERS = 2 * OWN /* how many these are, 2 / N */, EXCESS /* asked / b - 1 */, TIGHT, INPUTS };
enum { OFFSET, GATE, OUTPUTS };

static const double most_offset = 4, most_worth = 4, most_ratio = 3;
static const double steep = 10; /* of TIGHT, EXCESS seen from near, within +-1 */

static wal_learned_shape shape(int n, int m) {
  return (wal_learned_shape){.rows = n * m,
                             .inputs = INPUTS,
                             .outputs = OUTPUTS,
                             .width = n * m > 4 ? 32 : 64,
                             .depth = 3,
                             .activation = WAL_SILU};
}

/* ---- One instance ---- */

/* Of one instance, one malloc'd piece of [N, M] each. */
typedef struct {
  wal_instances in;
  double *demand; /* min(x, b), 0 where nothing is wanted */
  double *equal;  /* the uniform rule's allocation */
  double *value;  /* of a unit c_m */
  double *worth, *ratio;
  double *o, *a; /* room for offsets and an allocation ... */
  double *g;     /* ... and for a gradient */
} market;

enum { ARRAYS = 8 };

static bool wants(const market *q, int e) { return q->demand[e] > 0; }

static double weight(const market *q, int i) { return wal_pf_weight(&q->in, 0, i); }

static double unit(const market *q, int j) { return 2 * q->in.b[j] / q->in.n; }

/* sum_i a_ij at level theta, o NULL: 0; *slope: its derivative. */
static double fill_at(const market *q, const double *o, int j, double level, double *a, double *slope) {
  double sum = 0;
  *slope = 0;
  for (int i = 0; i < q->in.n; i++) {
    const int e = i * q->in.m + j;
    const double y = weight(q, i) * level - (o ? o[e] : 0);
    a[e] = wants(q, e) ? fmin(fmax(y, 0), q->demand[e]) : 0;
    sum += a[e];
    if (wants(q, e) && y > 0 && y < q->demand[e]) *slope += weight(q, i);
  }
  return sum;
}

static double asked(const market *q, int j) {
  double sum = 0;
  for (int i = 0; i < q->in.n; i++) sum += q->demand[i * q->in.m + j];
  return sum;
}

/* Resource j into a [N, M]: Newton steps along a rising piecewise linear function, kept within a bracket. */
static void fill(const market *q, const double *o, int j, double *a) {
  enum { STEPS = 200 };
  const double b = q->in.b[j];
  double lo = INFINITY, hi = -INFINITY, slope;
  for (int i = 0; i < q->in.n; i++) {
    const int e = i * q->in.m + j;
    const double at = o ? o[e] : 0;
    a[e] = q->demand[e];
    if (!wants(q, e)) continue;
    lo = fmin(lo, at / weight(q, i));
    hi = fmax(hi, (at + q->demand[e]) / weight(q, i));
  }
  if (asked(q, j) <= b) return;
  double level = 0.5 * (lo + hi);
  for (int t = 0; t < STEPS; t++) {
    const double left = b - fill_at(q, o, j, level, a, &slope);
    if (fabs(left) <= 1e-14 * b) return;
    *(left > 0 ? &lo : &hi) = level;
    const double next = level + left / slope; /* infinite where the slope is 0 */
    level = next > lo && next < hi ? next : 0.5 * (lo + hi);
  }
  fill_at(q, o, j, lo, a, &slope);
}

/* Of the filled a: from da [N, M] the gradients in o and the demands, of resource j into d_o, d_demand [N,
   M]. theta moves so that the sum over those strictly between their bounds makes up for everything. */
static void fill_vjp(const market *q, const double *a, int j, const double *da, double *d_o,
                     double *d_demand) {
  const bool fits = asked(q, j) <= q->in.b[j];
  double sum = 0, free = 0;
  for (int i = 0; i < q->in.n; i++) {
    const int e = i * q->in.m + j;
    if (a[e] > 0 && a[e] < q->demand[e]) sum += weight(q, i) * da[e], free += weight(q, i);
  }
  const double mean = free > 0 ? sum / free : 0;
  for (int i = 0; i < q->in.n; i++) {
    const int e = i * q->in.m + j;
    d_o[e] = a[e] > 0 && a[e] < q->demand[e] ? mean - da[e] : 0;
    d_demand[e] = wants(q, e) && a[e] == q->demand[e] ? da[e] - (fits ? 0 : mean) : 0;
  }
}

/* ---- What an agent has elsewhere ---- */

/* The value to agent i of a unit c_j of each resource, up to a factor of the agent's, into q->value. */
static void look_at_values(market *q, int i) {
  const int m = q->in.m;
  double v = 0, b = 0;
  for (int j = 0; j < m; j++) {
    if (!wants(q, i * m + j)) continue;
    v = fmax(v, q->in.v[i * m + j]);
    b = fmax(b, q->in.b[j]);
  }
  for (int j = 0; j < m; j++)
    q->value[i * m + j] = wants(q, i * m + j) ? q->in.v[i * m + j] / v * (q->in.b[j] / b) : 0;
}

/* Beside resource j: utility and quantity under the uniform rule. */
static void beside(const market *q, int i, int j, double *utility, double *quantity) {
  *utility = *quantity = 0;
  for (int l = 0; l < q->in.m; l++) {
    if (l == j || !wants(q, i * q->in.m + l)) continue;
    const double amount = q->equal[i * q->in.m + l] / unit(q, l);
    *utility += q->value[i * q->in.m + l] * amount;
    *quantity += amount;
  }
}

static void look_elsewhere(market *q) {
  static const double least = 1e-300;
  for (int e = 0; e < q->in.n * q->in.m; e++) {
    double utility, quantity;
    q->worth[e] = q->ratio[e] = 0;
    beside(q, e / q->in.m, e % q->in.m, &utility, &quantity);
    if (!wants(q, e) || !(utility > 0)) continue;
    const double here = q->value[e];
    const double ratio = wal_log(fmax(utility / quantity, least)) - wal_log(fmax(here, least));
    q->worth[e] = fmin(utility / here, most_worth);
    q->ratio[e] = fmin(fmax(ratio, -most_ratio), most_ratio);
  }
}

/* g [OWN]: the gradient in what row e says of its own entry; but for EQUAL, adds that in the reports to dv,
   dx [N, M] and that in the uniform rule's allocation to d_equal [N, M]. */
static void entry_vjp(const market *q, int e, const double *g, double *d_equal, double *dv, double *dx) {
  const int m = q->in.m, i = e / m, j = e % m;
  const double here = q->value[e];
  double utility, quantity;
  beside(q, i, j, &utility, &quantity);
  const bool some = utility > 0, free = here > 0 && q->worth[e] < most_worth;
  const double in_worth = free ? g[WORTH] / here : 0;
  const double in_ratio = some && fabs(q->ratio[e]) < most_ratio ? g[RATIO] : 0;
  const double in_utility = in_worth + (some ? in_ratio / utility : 0);
  const double in_quantity = g[EQUAL_BESIDE] - (some ? in_ratio / quantity : 0);
  dv[e] -= (in_worth * utility + in_ratio) / q->in.v[e];
  if (q->in.x[e] < q->in.b[j]) dx[e] += g[DEMAND] / unit(q, j);
  for (int l = 0; l < m; l++) {
    const int at = i * m + l;
    if (l == j || !wants(q, at)) continue;
    dv[at] += in_utility * q->value[at] * (q->equal[at] / unit(q, l)) / q->in.v[at];
    d_equal[at] += (in_utility * q->value[at] + in_quantity) / unit(q, l);
    if (q->in.x[at] < q->in.b[l]) dx[at] += g[DEMAND_BESIDE] / unit(q, l);
  }
}

/* g [N, M, OWN]: the gradient in what rows say of their own entries; adds that in the reports to dv, dx [N,
   M]. q->a, q->o, q->g are overwritten. */
static void own_vjp(market *q, const double *g, double *dv, double *dx) {
  const int nm = q->in.n * q->in.m, m = q->in.m;
  double *d_equal = q->a, *d_o = q->o, *d_demand = q->g;
  for (int e = 0; e < nm; e++) d_equal[e] = wants(q, e) ? g[e * OWN + EQUAL] / unit(q, e % m) : 0;
  for (int e = 0; e < nm; e++)
    if (wants(q, e)) entry_vjp(q, e, g + e * OWN, d_equal, dv, dx);
  for (int j = 0; j < m; j++) fill_vjp(q, q->equal, j, d_equal, d_o, d_demand);
  for (int e = 0; e < nm; e++)
    if (q->in.x[e] < q->in.b[e % m]) dx[e] += d_demand[e];
}

/* ---- Life of a market ---- */

static wal_status market_create(int n, int m, market *q) {
  const size_t cells = (size_t)n * (size_t)m;
  double *p = malloc(ARRAYS * cells * sizeof *p);
  if (!p) return wal_fail(WAL_E_MEMORY, "no memory for an instance of %d x %d", n, m);
  *q = (market){.demand = p,
                .equal = p + cells,
                .worth = p + 2 * cells,
                .ratio = p + 3 * cells,
                .o = p + 4 * cells,
                .a = p + 5 * cells,
                .g = p + 6 * cells,
                .value = p + 7 * cells};
  return WAL_OK;
}

static void market_destroy(market *q) { free(q->demand); }

/* Instance k of the batch. */
static void market_open(market *q, const wal_instances *in, int64_t k) {
  q->in = wal_instances_part(in, k, 1);
  for (int i = 0; i < in->n; i++)
    for (int j = 0; j < in->m; j++) {
      const int e = i * in->m + j;
      const bool open = weight(q, i) > 0 && q->in.v[e] > 0;
      q->demand[e] = open ? fmin(q->in.x[e], q->in.b[j]) : 0;
    }
  for (int j = 0; j < in->m; j++) fill(q, NULL, j, q->equal);
  for (int i = 0; i < in->n; i++) look_at_values(q, i);
  look_elsewhere(q);
}

/* ---- Reports -> inputs ---- */

static void encode_own(const market *q, int i, int stride, float *rows) {
  const int m = q->in.m;
  double demand = 0, equal = 0;
  for (int j = 0; j < m; j++) {
    if (!wants(q, i * m + j)) continue;
    demand += q->demand[i * m + j] / unit(q, j);
    equal += q->equal[i * m + j] / unit(q, j);
  }
  for (int j = 0; j < m; j++) {
    const int e = i * m + j;
    float *row = rows + e * stride;
    memset(row, 0, (size_t)stride * sizeof *row);
    if (!wants(q, e)) continue;
    const double own_demand = q->demand[e] / unit(q, j), own_equal = q->equal[e] / unit(q, j);
    row[DEMAND] = (float)own_demand;
    row[EQUAL] = (float)own_equal;
    row[DEMAND_BESIDE] = (float)(demand - own_demand);
    row[EQUAL_BESIDE] = (float)(equal - own_equal);
    row[WORTH] = (float)q->worth[e];
    row[RATIO] = (float)q->ratio[e];
    row[BESIDE] = q->worth[e] > 0;
  }
}

static int wanted_by(const market *q, int j) {
  int count = 0;
  for (int i = 0; i < q->in.n; i++) count += wants(q, i * q->in.m + j);
  return count;
}

static void encode_others(const market *q, int j, int stride, float *rows) {
  const int n = q->in.n, m = q->in.m, others = wanted_by(q, j) - 1;
  double sum[OWN] = {0};
  for (int i = 0; i < n; i++)
    for (int o = 0; o < OWN; o++) sum[o] += rows[(i * m + j) * stride + o];
  const double excess = sum[DEMAND] * 2 / n - 1;
  for (int i = 0; i < n; i++) {
    float *row = rows + (i * m + j) * stride;
    if (!wants(q, i * m + j)) continue;
    for (int o = 0; others > 0 && o < OWN; o++) row[OWN + o] = (float)((sum[o] - row[o]) / others);
    row[OTHERS] = (float)(others * 2.0 / n);
    row[EXCESS] = (float)excess;
    row[TIGHT] = (float)fmin(fmax(excess * steep, -1), 1);
  }
}

static wal_status encode(const wal_learned *f, const wal_learned_batch *batch, float *rows) {
  const wal_instances *in = &batch->in;
  const int stride = f->shape.inputs;
  market q;
  const wal_status status = market_create(in->n, in->m, &q);
  if (status) return status;
  for (int64_t k = 0; k < in->count; k++) {
    float *own = rows + k * in->n * in->m * stride;
    market_open(&q, in, k);
    for (int i = 0; i < in->n; i++) encode_own(&q, i, stride, own);
    for (int j = 0; j < in->m; j++) encode_others(&q, j, stride, own);
  }
  market_destroy(&q);
  return WAL_OK;
}

/* Resource j: from drows what rows say of their own entries gets, directly and through the others' rows, into
   g [N, M, OWN]. */
static void others_vjp(const market *q, int j, int stride, const float *drows, double *g) {
  const int n = q->in.n, m = q->in.m, others = wanted_by(q, j) - 1;
  double sum[OWN] = {0}, excess = 0;
  const double tight = steep * fabs(asked(q, j) / q->in.b[j] - 1) < 1 ? steep : 0;
  for (int i = 0; i < n; i++) {
    const float *d = drows + (i * m + j) * stride;
    if (!wants(q, i * m + j)) continue;
    for (int o = 0; o < OWN; o++) sum[o] += d[OWN + o];
    excess += d[EXCESS] + tight * d[TIGHT];
  }
  for (int i = 0; i < n; i++) {
    const float *d = drows + (i * m + j) * stride;
    double *to = g + (i * m + j) * OWN;
    const bool wanted = wants(q, i * m + j);
    for (int o = 0; o < OWN; o++)
      to[o] = wanted ? d[o] + (others > 0 ? (sum[o] - d[OWN + o]) / others : 0) : 0;
    if (wanted) to[DEMAND] += excess * 2 / n;
  }
}

static wal_status encode_vjp(const wal_learned *f, const wal_learned_batch *batch, const float *drows,
                             double *dv, double *dx) {
  const wal_instances *in = &batch->in;
  const int stride = f->shape.inputs, nm = in->n * in->m;
  double *g = malloc((size_t)nm * OWN * sizeof *g);
  market q = {0};
  wal_status status = g ? market_create(in->n, in->m, &q)
                        : wal_fail(WAL_E_MEMORY, "no memory for an instance of %d x %d", in->n, in->m);
  for (int64_t k = 0; !status && k < in->count; k++) {
    market_open(&q, in, k);
    for (int j = 0; j < in->m; j++) others_vjp(&q, j, stride, drows + k * nm * stride, g);
    own_vjp(&q, g, dv + k * nm, dx + k * nm);
  }
  market_destroy(&q);
  free(g);
  return status;
}

/* ---- Outputs -> allocation ---- */

static double logistic(double y) {
  const double e = wal_exp_down(-fabs(y));
  return (y < 0 ? e : 1) / (1 + e);
}

/* 4 tanh(y / 4). */
static double offset(double y) { return most_offset * (2 * logistic(2 * y / most_offset) - 1); }

/* Offsets and allocation of the outputs y [N, M, OUTPUTS] into q->o and a. */
static void share(market *q, const float *y, double *a) {
  for (int e = 0; e < q->in.n * q->in.m; e++) {
    const float *out = y + e * OUTPUTS;
    q->o[e] = unit(q, e % q->in.m) * (offset(out[OFFSET]) + 2 * logistic(out[GATE]) * q->worth[e]);
  }
  for (int j = 0; j < q->in.m; j++) fill(q, q->o, j, a);
}

static wal_status decode(const wal_learned *f, const wal_learned_batch *batch, const float *y, double *a) {
  const wal_instances *in = &batch->in;
  (void)f;
  const int nm = in->n * in->m;
  market q;
  const wal_status status = market_create(in->n, in->m, &q);
  if (status) return status;
  for (int64_t k = 0; k < in->count; k++) {
    market_open(&q, in, k);
    share(&q, y + k * nm * OUTPUTS, a + k * nm);
  }
  market_destroy(&q);
  return WAL_OK;
}

/* d_o [N, M] back to the outputs' dy and to what they multiply, g [N, M, OWN]. */
static void offsets_vjp(const market *q, const float *y, const double *d_o, float *dy, double *g) {
  for (int e = 0; e < q->in.n * q->in.m; e++) {
    const float *out = y + e * OUTPUTS;
    const double d = d_o[e] * unit(q, e % q->in.m), part = offset(out[OFFSET]) / most_offset;
    const double gate = logistic(out[GATE]);
    dy[e * OUTPUTS + OFFSET] = (float)(d * (1 - part * part));
    dy[e * OUTPUTS + GATE] = (float)(d * 2 * gate * (1 - gate) * q->worth[e]);
    memset(g + e * OWN, 0, OWN * sizeof *g);
    g[e * OWN + WORTH] = 2 * gate * d;
  }
}

static wal_status decode_vjp(const wal_learned *f, const wal_learned_batch *batch, const float *y,
                             const double *da, float *dy, double *dv, double *dx) {
  const wal_instances *in = &batch->in;
  (void)f;
  const int nm = in->n * in->m;
  double *g = malloc((size_t)nm * (OWN + 1) * sizeof *g), *d_demand = g ? g + nm * OWN : NULL;
  market q = {0};
  wal_status status = g ? market_create(in->n, in->m, &q)
                        : wal_fail(WAL_E_MEMORY, "no memory for an instance of %d x %d", in->n, in->m);
  for (int64_t k = 0; !status && k < in->count; k++) {
    const int64_t at = k * nm;
    market_open(&q, in, k);
    share(&q, y + at * OUTPUTS, q.a);
    for (int j = 0; j < in->m; j++) fill_vjp(&q, q.a, j, da + at, q.o, d_demand);
    offsets_vjp(&q, y + at * OUTPUTS, q.o, dy + at * OUTPUTS, g);
    if (!dv) continue;
    memset(dv + at, 0, (size_t)nm * sizeof *dv);
    for (int e = 0; e < nm; e++) dx[at + e] = q.in.x[e] < q.in.b[e % in->m] ? d_demand[e] : 0;
    own_vjp(&q, g, dv + at, dx + at);
  }
  market_destroy(&q);
  free(g);
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
  return wal_learned_create(&wal_mechanism_rpf_separable, &ops, n, m, options, out);
}

const wal_mechanism_kind wal_mechanism_rpf_separable = {
    .name = "rpf_separable",
    .title = "RPF-Net, separable",
    .source = "ours: rpfnet, eq. 9, resource by resource",
    .learned = true,
    .create = create,
    .destroy = wal_learned_destroy,
    .allocate = wal_learned_allocate,
    .vjp = wal_learned_vjp,
};
