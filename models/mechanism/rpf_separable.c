/* RPF-Net resource by resource. Under PF an agent that gets u_i has a_im = w_i / lambda_m - e_im of what is
   contested, e_im = (u_i - v_im a_im) / v_im being what it has elsewhere, in units of resource m. Here o_im
   is what a network says it is taken to have elsewhere, and each resource is shared by itself (uniform.h):

     a_im = min(x_im, max(0, w_i theta_m - o_im)),   sum_i a_im = b_m, or a_im = x_im where all demands fit,

   PF of one resource, max sum_i w_i log(a_im + o_im). With o = 0 it is the uniform rule (equal shares up to
   the demands), under which no lie gains (Sprumont, 1991). The result is RPF (eq. 9) with
   z_im = w_i (v_im / u_i - 1 / (a_im + o_im)). With c_m = 2 b_m / N and, in units of it and at most 4, e^U_im
   what the agent would have elsewhere under the uniform rule and e^F_im under PF itself (eq. 4),

     o_im = c_m (4 tanh(y_1 / 4) + 2 logistic(y_2) ((1 - logistic(y_3)) e^U_im + logistic(y_3) e^F_im)).

   y_1 = y_2 = 0, y_3 = inf is PF where nothing is cut off at 4; y_1 = 0, y_2 = -inf the uniform rule; y = 0
   half way. Where value ratios meet, PF and with it e^F jump. One network for all entries, as in pooled.h;
   its inputs see the own report. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/vmath.h"
#include "models/mechanism/learned.h"
#include "models/mechanism/pf_open.h"
#include "models/mechanism/plain.h"
#include "models/mechanism/uniform.h"

/* What the agents would have: allocations in the context, [RULES, K, N, M]. */
enum { UNIFORM, FAIR, RULES };

/* What a row says of its own entry, SEEN of each rule first; the means of that over the others that want the
   resource; the resource and the instance. Quantities are in units of c_m. */
enum {
  AMOUNT,        /* what the rule gives */
  AMOUNT_BESIDE, /* the sum of that over the other resources */
  WORTH,         /* e_im / c_m, at most 4 */
  SEEN
};
enum {
  DEMAND = RULES * SEEN, /* of resource m */
  DEMAND_BESIDE,         /* its sum over the other resources */
  RATIO,  /* log of the mean value of a unit elsewhere over that of one here, within +-3; uniform rule */
  BESIDE, /* 1: has something elsewhere */
  OWN
};
enum {
  OTHERS = 2 * OWN, /* how many these are, 2 / N */
  EXCESS,           /* asked / b - 1 */
  TIGHT,            /* that seen from near, within +-1 */
  IDLE,             /* agents that take no part, 2 / N */
  ALL,              /* 1: there are none */
  INPUTS
};
enum { OFFSET, GATE, FAIRNESS, OUTPUTS };

static const double most_offset = 4, most_worth = 4, most_ratio = 3;
static const double steep = 10; /* of TIGHT */

static wal_learned_shape shape(int n, int m) {
  return (wal_learned_shape){.rows = n * m,
                             .inputs = INPUTS,
                             .outputs = OUTPUTS,
                             .context = RULES * n * m,
                             .width = n * m > 4 ? 32 : 64,
                             .depth = 3,
                             .activation = WAL_SILU};
}

/* ---- One instance ---- */

/* Arrays are [N, M]; those of the market's own, one malloc'd piece, are set or room. */
typedef struct {
  wal_instances in;
  const double *given[RULES]; /* of the context: what the rules give */
  double *d_given[RULES];     /* its gradient; NULL: not wanted */
  double *unit;               /* [M] c_m */
  double *demand;             /* min(x, b), 0 where nothing is wanted */
  double *value;              /* of a unit c_m; 0 where nothing is wanted, as the two below */
  double *amount[RULES], *worth[RULES];
  double *o, *a, *d_demand; /* room for offsets, an allocation and a gradient */
} market;

enum { ARRAYS = 5 + 2 * RULES };

static wal_status no_memory(int n, int m) {
  return wal_fail(WAL_E_MEMORY, "no memory for an instance of %d x %d", n, m);
}

static wal_status market_create(int n, int m, market *q) {
  const size_t cells = (size_t)n * (size_t)m;
  double *p = malloc((ARRAYS * cells + (size_t)m) * sizeof *p);
  *q = (market){.demand = p};
  if (!p) return no_memory(n, m);
  q->value = p + cells;
  q->o = p + 2 * cells;
  q->a = p + 3 * cells;
  q->d_demand = p + 4 * cells;
  q->unit = p + ARRAYS * cells;
  for (int r = 0; r < RULES; r++) {
    q->amount[r] = p + (5 + (size_t)r) * cells;
    q->worth[r] = p + (5 + RULES + (size_t)r) * cells;
  }
  return WAL_OK;
}

static void market_destroy(market *q) { free(q->demand); }

static bool wants(const market *q, int e) { return q->demand[e] > 0; }

static wal_uniform resource(const market *q, int j) { return wal_uniform_resource(&q->in, 0, j, q->demand); }

/* Instance k of the batch: its demands, and where it is in the context. */
static void market_open(market *q, const wal_learned_batch *batch, int64_t k) {
  const int64_t nm = (int64_t)batch->in.n * batch->in.m;
  q->in = wal_instances_part(&batch->in, k, 1);
  for (int r = 0; r < RULES; r++) {
    const int64_t at = (r * batch->in.count + k) * nm;
    q->given[r] = batch->context + at;
    q->d_given[r] = batch->dcontext ? batch->dcontext + at : NULL;
  }
  for (int j = 0; j < q->in.m; j++) q->unit[j] = 2 * q->in.b[j] / q->in.n;
  wal_uniform_demands(&q->in, 0, q->demand);
}

/* ---- What the rules give ---- */

static wal_status prepare(const wal_learned *f, const wal_learned_batch *batch) {
  const wal_instances *in = &batch->in;
  const int64_t nm = (int64_t)in->n * in->m;
  const wal_pf_options options = wal_plain_pf_options(&f->base);
  market q;
  const wal_status status = market_create(in->n, in->m, &q);
  for (int64_t k = 0; !status && k < in->count; k++) {
    market_open(&q, batch, k);
    for (int j = 0; j < in->m; j++) {
      const wal_uniform r = resource(&q, j);
      wal_uniform_fill(&r, NULL, batch->context + k * nm + j);
    }
  }
  market_destroy(&q);
  return status ? status
                : wal_pf_solve(in, NULL, &options, &(wal_pf_solution){.a = batch->context + in->count * nm});
}

/* Adds what the demands do through the uniform rule to dx [K, N, M]. */
static wal_status uniform_vjp(const wal_learned_batch *batch, double *dx) {
  const wal_instances *in = &batch->in;
  const int nm = in->n * in->m;
  market q;
  const wal_status status = market_create(in->n, in->m, &q);
  for (int64_t k = 0; !status && k < in->count; k++) {
    market_open(&q, batch, k);
    for (int j = 0; j < in->m; j++) {
      const wal_uniform r = resource(&q, j);
      wal_uniform_vjp(&r, q.given[UNIFORM] + j, q.d_given[UNIFORM] + j, NULL, q.d_demand + j);
    }
    for (int e = 0; e < nm; e++)
      if (q.in.x[e] < q.in.b[e % in->m]) dx[k * nm + e] += q.d_demand[e];
  }
  market_destroy(&q);
  return status;
}

static wal_status prepare_vjp(const wal_learned *f, const wal_learned_batch *batch, double *dv, double *dx) {
  const wal_instances *in = &batch->in;
  const int64_t entries = in->count * in->n * in->m;
  const wal_pf_options options = wal_plain_pf_options(&f->base);
  double *g = malloc((size_t)(2 * entries) * sizeof *g);
  wal_status status = g ? uniform_vjp(batch, dx) : no_memory(in->n, in->m);
  if (!status)
    status = wal_pf_vjp(in, NULL, batch->dcontext + entries, &options, NULL,
                        &(wal_pf_gradient){.dv = g, .dx = g + entries});
  for (int64_t e = 0; !status && e < entries; e++) dv[e] += g[e], dx[e] += g[entries + e];
  free(g);
  return status;
}

/* ---- What an agent has elsewhere ---- */

/* Agent i: the value of a unit c_j of each resource, up to a factor of the agent's, and what it would have in
   these units. */
static void look_at_agent(market *q, int i) {
  const int m = q->in.m;
  double v = 0, b = 0;
  for (int j = 0; j < m; j++) {
    if (!wants(q, i * m + j)) continue;
    v = wal_pf_max(v, q->in.v[i * m + j]);
    b = wal_pf_max(b, q->in.b[j]);
  }
  for (int e = i * m; e < (i + 1) * m; e++) {
    const bool wanted = wants(q, e);
    q->value[e] = wanted ? q->in.v[e] / v * (q->in.b[e - i * m] / b) : 0;
    for (int r = 0; r < RULES; r++) q->amount[r][e] = wanted ? q->given[r][e] / q->unit[e - i * m] : 0;
  }
}

typedef struct {
  double utility, quantity;
} elsewhere;

/* What a rule gives the agent of entry e beside it. */
static elsewhere beside(const market *q, int rule, int e) {
  const int m = q->in.m, row = e - e % m;
  elsewhere sum = {0};
  for (int at = row; at < row + m; at++) {
    if (at == e) continue;
    sum.utility += q->value[at] * q->amount[rule][at];
    sum.quantity += q->amount[rule][at];
  }
  return sum;
}

static void look_elsewhere(market *q) {
  for (int i = 0; i < q->in.n; i++) look_at_agent(q, i);
  for (int r = 0; r < RULES; r++)
    for (int e = 0; e < q->in.n * q->in.m; e++) {
      const double utility = wants(q, e) ? beside(q, r, e).utility : 0;
      q->worth[r][e] = utility > 0 ? wal_pf_min(utility / q->value[e], most_worth) : 0;
    }
}

static double ratio(const elsewhere *s, double here) {
  static const double least = 1e-300;
  if (!(s->utility > 0)) return 0;
  const double log = wal_log(fmax(s->utility / s->quantity, least)) - wal_log(fmax(here, least));
  return fmin(fmax(log, -most_ratio), most_ratio);
}

/* g [OWN]: the gradient in what row e says of its own entry. Adds to dv, and to that in what the rule gives.
 */
static void rule_vjp(const market *q, int rule, int e, const double *g, double *dv) {
  const int m = q->in.m, row = e - e % m;
  const double here = q->value[e], *to = g + rule * SEEN;
  const elsewhere s = beside(q, rule, e);
  const bool some = rule == UNIFORM && s.utility > 0 && fabs(ratio(&s, here)) < most_ratio;
  const double in_worth = here > 0 && q->worth[rule][e] < most_worth ? to[WORTH] / here : 0;
  const double in_ratio = some ? g[RATIO] : 0;
  const double in_utility = in_worth + (some ? in_ratio / s.utility : 0);
  const double in_quantity = to[AMOUNT_BESIDE] - (some ? in_ratio / s.quantity : 0);
  q->d_given[rule][e] += to[AMOUNT] / q->unit[e - row];
  dv[e] -= (in_worth * s.utility + in_ratio) / q->in.v[e];
  for (int at = row; at < row + m; at++) {
    if (at == e || !wants(q, at)) continue;
    dv[at] += in_utility * q->value[at] * q->amount[rule][at] / q->in.v[at];
    q->d_given[rule][at] += (in_utility * q->value[at] + in_quantity) / q->unit[at - row];
  }
}

/* g [N, M, OWN]: the gradient in what rows say of their own entries; adds that in the reports to dv, dx, and
   that in the context. */
static void own_vjp(const market *q, const double *g, double *dv, double *dx) {
  const int m = q->in.m;
  for (int e = 0; e < q->in.n * m; e++) {
    const int row = e - e % m;
    if (!wants(q, e)) continue;
    for (int r = 0; r < RULES; r++) rule_vjp(q, r, e, g + e * OWN, dv);
    for (int at = row; at < row + m; at++)
      if (wants(q, at) && q->in.x[at] < q->in.b[at - row])
        dx[at] += g[e * OWN + (at == e ? DEMAND : DEMAND_BESIDE)] / q->unit[at - row];
  }
}

/* ---- Reports -> inputs ---- */

/* Sums of demands and of what the rules give, in units, over the resources that agent i wants. */
typedef struct {
  double demand, given[RULES];
} totals;

static totals sum_up(const market *q, int i) {
  const int m = q->in.m;
  totals sum = {0};
  for (int j = 0; j < m; j++) {
    const int e = i * m + j;
    if (!wants(q, e)) continue;
    sum.demand += q->demand[e] / q->unit[j];
    for (int r = 0; r < RULES; r++) sum.given[r] += q->amount[r][e];
  }
  return sum;
}

static void encode_own(const market *q, int i, float *rows) {
  const int m = q->in.m;
  const totals sum = sum_up(q, i);
  for (int j = 0; j < m; j++) {
    const int e = i * m + j;
    float *row = rows + e * INPUTS;
    memset(row, 0, INPUTS * sizeof *row);
    if (!wants(q, e)) continue;
    const double demand = q->demand[e] / q->unit[j];
    const elsewhere s = beside(q, UNIFORM, e);
    row[DEMAND] = (float)demand;
    row[DEMAND_BESIDE] = (float)(sum.demand - demand);
    row[RATIO] = (float)ratio(&s, q->value[e]);
    row[BESIDE] = q->worth[UNIFORM][e] > 0;
    for (int r = 0; r < RULES; r++) {
      const double amount = q->amount[r][e];
      row[r * SEEN + AMOUNT] = (float)amount;
      row[r * SEEN + AMOUNT_BESIDE] = (float)(sum.given[r] - amount);
      row[r * SEEN + WORTH] = (float)q->worth[r][e];
    }
  }
}

static int wanted_by(const market *q, int j) {
  int count = 0;
  for (int i = 0; i < q->in.n; i++) count += wants(q, i * q->in.m + j);
  return count;
}

static double asked(const market *q, int j) {
  double sum = 0;
  for (int i = 0; i < q->in.n; i++) sum += q->demand[i * q->in.m + j];
  return sum;
}

static int taking_part(const market *q) {
  int count = 0;
  for (int i = 0; i < q->in.n; i++) count += wal_pf_takes_part(&q->in, 0, i);
  return count;
}

static void encode_others(const market *q, int j, int idle, float *rows) {
  const int n = q->in.n, m = q->in.m, others = wanted_by(q, j) - 1;
  double sum[OWN] = {0};
  for (int i = 0; i < n; i++)
    for (int o = 0; o < OWN; o++) sum[o] += rows[(i * m + j) * INPUTS + o];
  const double excess = sum[DEMAND] * 2 / n - 1;
  for (int i = 0; i < n; i++) {
    float *row = rows + (i * m + j) * INPUTS;
    if (!wants(q, i * m + j)) continue;
    for (int o = 0; others > 0 && o < OWN; o++) row[OWN + o] = (float)((sum[o] - row[o]) / others);
    row[OTHERS] = (float)(others * 2.0 / n);
    row[EXCESS] = (float)excess;
    row[TIGHT] = (float)fmin(fmax(excess * steep, -1), 1);
    row[IDLE] = (float)(idle * 2.0 / n);
    row[ALL] = idle == 0;
  }
}

static wal_status encode(const wal_learned *f, const wal_learned_batch *batch, float *rows) {
  const int n = batch->in.n, m = batch->in.m;
  (void)f;
  market q;
  const wal_status status = market_create(n, m, &q);
  for (int64_t k = 0; !status && k < batch->in.count; k++) {
    float *own = rows + k * n * m * INPUTS;
    market_open(&q, batch, k);
    look_elsewhere(&q);
    const int idle = n - taking_part(&q);
    for (int i = 0; i < n; i++) encode_own(&q, i, own);
    for (int j = 0; j < m; j++) encode_others(&q, j, idle, own);
  }
  market_destroy(&q);
  return status;
}

/* Resource j: from drows what rows say of their own entries gets, directly and through the others' rows, into
   g [N, M, OWN]. */
static void others_vjp(const market *q, int j, const float *drows, double *g) {
  const int n = q->in.n, m = q->in.m, others = wanted_by(q, j) - 1;
  double sum[OWN] = {0}, excess = 0;
  const double tight = steep * fabs(asked(q, j) / q->in.b[j] - 1) < 1 ? steep : 0;
  for (int i = 0; i < n; i++) {
    const float *d = drows + (i * m + j) * INPUTS;
    if (!wants(q, i * m + j)) continue;
    for (int o = 0; o < OWN; o++) sum[o] += d[OWN + o];
    excess += d[EXCESS] + tight * d[TIGHT];
  }
  for (int i = 0; i < n; i++) {
    const float *d = drows + (i * m + j) * INPUTS;
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
  const int nm = in->n * in->m;
  (void)f;
  double *g = malloc((size_t)nm * OWN * sizeof *g);
  market q = {0};
  const wal_status status = g ? market_create(in->n, in->m, &q) : no_memory(in->n, in->m);
  for (int64_t k = 0; !status && k < in->count; k++) {
    market_open(&q, batch, k);
    look_elsewhere(&q);
    for (int j = 0; j < in->m; j++) others_vjp(&q, j, drows + k * nm * INPUTS, g);
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
    const double fair = logistic(out[FAIRNESS]);
    const double worth = (1 - fair) * q->worth[UNIFORM][e] + fair * q->worth[FAIR][e];
    q->o[e] = q->unit[e % q->in.m] * (offset(out[OFFSET]) + 2 * logistic(out[GATE]) * worth);
  }
  for (int j = 0; j < q->in.m; j++) {
    const wal_uniform r = resource(q, j);
    wal_uniform_fill(&r, q->o + j, a + j);
  }
}

static wal_status decode(const wal_learned *f, const wal_learned_batch *batch, const float *y, double *a) {
  const int nm = batch->in.n * batch->in.m;
  (void)f;
  market q;
  const wal_status status = market_create(batch->in.n, batch->in.m, &q);
  for (int64_t k = 0; !status && k < batch->in.count; k++) {
    market_open(&q, batch, k);
    look_elsewhere(&q);
    share(&q, y + k * nm * OUTPUTS, a + k * nm);
  }
  market_destroy(&q);
  return status;
}

/* d_o [N, M] back to the outputs' dy and to what they multiply, g [N, M, OWN]. */
static void offsets_vjp(const market *q, const float *y, const double *d_o, float *dy, double *g) {
  memset(g, 0, (size_t)(q->in.n * q->in.m * OWN) * sizeof *g);
  for (int e = 0; e < q->in.n * q->in.m; e++) {
    const float *out = y + e * OUTPUTS;
    const double d = d_o[e] * q->unit[e % q->in.m], part = offset(out[OFFSET]) / most_offset;
    const double gate = logistic(out[GATE]), fair = logistic(out[FAIRNESS]);
    const double uniform_worth = q->worth[UNIFORM][e], fair_worth = q->worth[FAIR][e];
    const double worth = (1 - fair) * uniform_worth + fair * fair_worth;
    dy[e * OUTPUTS + OFFSET] = (float)(d * (1 - part * part));
    dy[e * OUTPUTS + GATE] = (float)(d * 2 * gate * (1 - gate) * worth);
    dy[e * OUTPUTS + FAIRNESS] = (float)(d * 2 * gate * fair * (1 - fair) * (fair_worth - uniform_worth));
    g[e * OWN + UNIFORM * SEEN + WORTH] = d * 2 * gate * (1 - fair);
    g[e * OWN + FAIR * SEEN + WORTH] = d * 2 * gate * fair;
  }
}

/* Of one instance; g: room for [N, M, OWN]. */
static void share_vjp(market *q, const float *y, const double *da, double *g, float *dy, double *dv,
                      double *dx) {
  const int nm = q->in.n * q->in.m, m = q->in.m;
  share(q, y, q->a);
  for (int j = 0; j < m; j++) {
    const wal_uniform r = resource(q, j);
    wal_uniform_vjp(&r, q->a + j, da + j, q->o + j, q->d_demand + j);
  }
  offsets_vjp(q, y, q->o, dy, g);
  if (!dv) return;
  memset(dv, 0, (size_t)nm * sizeof *dv);
  for (int e = 0; e < nm; e++) dx[e] = q->in.x[e] < q->in.b[e % m] ? q->d_demand[e] : 0;
  own_vjp(q, g, dv, dx);
}

static wal_status decode_vjp(const wal_learned *f, const wal_learned_batch *batch, const float *y,
                             const double *da, float *dy, double *dv, double *dx) {
  const int n = batch->in.n, m = batch->in.m, nm = n * m;
  (void)f;
  double *g = malloc((size_t)nm * OWN * sizeof *g);
  market q = {0};
  const wal_status status = g ? market_create(n, m, &q) : no_memory(n, m);
  for (int64_t k = 0; !status && k < batch->in.count; k++) {
    const int64_t at = k * nm;
    market_open(&q, batch, k);
    look_elsewhere(&q);
    share_vjp(&q, y + at * OUTPUTS, da + at, g, dy + at * OUTPUTS, dv ? dv + at : NULL, dv ? dx + at : NULL);
  }
  market_destroy(&q);
  free(g);
  return status;
}

static const wal_learned_ops ops = {
    .shape = shape,
    .prepare = prepare,
    .prepare_vjp = prepare_vjp,
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
