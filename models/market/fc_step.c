/* One step of MarketFCNet's training on the CPU: a pair of minibatches, the loss (eq. 3), its gradient, Adam.
 */
#include <stdlib.h>

#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "models/market/fc_training.h"

/* A pair of minibatches, 2M buyers, and the network's work on them. */
struct wal_fc_work {
  wal_fc_pair pair;           /* the training's, with these values and budgets */
  float *in, *z, *dz;         /* [2M * network rows, inputs], [2M, m] twice */
  double *v, *budgets, *term; /* [2M, m], [2M], [2M] */
  double *x, *dx;             /* [2M, m] */
  double *excess;             /* [2, m] */
};

enum { TASK = 16 }; /* buyers in one task of the loops over a minibatch */

typedef wal_status (*buyer_fn)(wal_fc_training *t, int64_t row);
typedef struct {
  wal_fc_training *t;
  buyer_fn body;
} buyer_loop;

static wal_status buyer_task(void *context, int64_t k) {
  const buyer_loop *loop = context;
  const int64_t rows = 2 * loop->t->options->batch, end = (k + 1) * TASK < rows ? (k + 1) * TASK : rows;
  wal_status status = WAL_OK;
  for (int64_t row = k * TASK; !status && row < end; row++) status = loop->body(loop->t, row);
  return status;
}

/* Calls body for every buyer of the pair of minibatches, in parallel. */
static wal_status for_buyers(wal_fc_training *t, buyer_fn body) {
  return wal_for_tasks((2 * t->options->batch + TASK - 1) / TASK, buyer_task, &(buyer_loop){t, body});
}

/* Draws a buyer uniformly and writes the network's inputs for it. */
static wal_status draw_buyer(wal_fc_training *t, int64_t row) {
  const wal_source *buyers = t->market->buyers;
  const int64_t m = t->market->m, d = t->market->d;
  const int64_t cells = wal_fc_network_rows(t->network) * wal_fc_network_inputs(t->network);
  const int64_t i =
      (int64_t)wal_rng_below(t->seed, WAL_STREAM_BATCH, (uint64_t)(t->draws + row), (uint64_t)t->market->n);
  float b[64], *context = d <= 64 ? b : malloc((size_t)d * sizeof *b);
  if (!context) return wal_fail(WAL_E_MEMORY, "no memory for a context of %lld elements", (long long)d);
  wal_status status = buyers->ops->rows(buyers, i, i + 1, t->work->v + row * m, t->work->budgets + row);
  if (!status) status = buyers->ops->contexts(buyers, i, i + 1, context);
  if (!status) wal_fc_network_read(t->network, context, t->work->in + row * cells);
  if (context != b) free(context);
  return status;
}

static wal_status allocate_buyer(wal_fc_training *t, int64_t row) {
  const int64_t at = row * t->market->m;
  wal_fc_allocate(t->recipe->output, t->market->m, t->work->z + at, t->work->budgets[row], t->lambda,
                  t->work->x + at);
  return WAL_OK;
}

static wal_status differentiate_buyer(wal_fc_training *t, int64_t row) {
  wal_fc_work *b = t->work;
  const int64_t at = row * t->market->m;
  b->term[row] = wal_fc_buyer_term(&b->pair, b->excess, row, b->x, b->dx + at);
  wal_fc_pull_back(t->recipe->output, t->market->m, b->z + at, b->x + at, b->dx + at, b->dz + at);
  return WAL_OK;
}

/* Share output: adds what the minibatches' buyers spend to the epoch's sums. */
static void add_shares(wal_fc_training *t) {
  const int64_t m = t->market->m, rows = 2 * t->options->batch;
  for (int64_t i = 0; i < rows; i++) {
    const double *x = t->work->x + i * m, budget = t->work->budgets[i];
    for (int64_t j = 0; j < m; j++) {
      const double share = t->lambda[j] * x[j] / budget;
      for (int64_t k = 0; k <= j; k++) t->shares[j * m + k] += share * t->lambda[k] * x[k];
      t->spent[j] += t->lambda[j] * x[j];
    }
  }
  t->count += (double)rows;
}

/* One step; *loss is the estimated Lagrangian before it. */
static wal_status step(wal_fc_training *t, double *loss) {
  wal_mlp *net = t->network->net;
  wal_fc_work *b = t->work;
  const int64_t rows = 2 * t->options->batch;
  b->pair = t->pair;
  b->pair.v = b->v;
  b->pair.budget = b->budgets;
  wal_status status = for_buyers(t, draw_buyer);
  t->draws += rows;
  if (!status) status = net->ops->forward(net, rows * wal_fc_network_rows(t->network), b->in, b->z);
  if (!status) status = for_buyers(t, allocate_buyer);
  if (status) return status;
  wal_fc_excess(&b->pair, b->x, b->excess);
  status = for_buyers(t, differentiate_buyer);
  if (!status && t->recipe->output == WAL_FC_SHARE) add_shares(t);
  if (!status) status = net->ops->backward(net, b->in, b->dz, NULL);
  if (!status) status = net->ops->step(net, (float)wal_schedule_rate(&t->schedule, t->steps));
  t->steps++;
  *loss = wal_fc_shared_term(&b->pair);
  for (int64_t i = 0; i < rows; i++) *loss += b->term[i];
  return status;
}

static wal_status steps(wal_fc_training *t, int count, double *loss) {
  wal_status status = WAL_OK;
  for (int k = 0; !status && k < count; k++) status = step(t, loss + k);
  return status;
}

/* ---- Life ---- */

static void end(wal_fc_work *b) {
  if (!b) return;
  void *const owned[] = {b->in, b->z, b->dz, b->v, b->budgets, b->term, b->x, b->dx, b->excess, b};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
}

static wal_status begin(const wal_fc_training *t, wal_fc_work **out) {
  const size_t m = (size_t)t->market->m, rows = 2 * (size_t)t->options->batch, cells = rows * m;
  const size_t inputs = (size_t)(wal_fc_network_rows(t->network) * wal_fc_network_inputs(t->network));
  wal_fc_work *b = *out = calloc(1, sizeof *b);
  if (b)
    *b = (wal_fc_work){.in = malloc(rows * inputs * sizeof *b->in),
                       .z = malloc(cells * sizeof *b->z),
                       .dz = malloc(cells * sizeof *b->dz),
                       .v = malloc(cells * sizeof *b->v),
                       .budgets = malloc(rows * sizeof *b->budgets),
                       .term = malloc(rows * sizeof *b->term),
                       .x = malloc(cells * sizeof *b->x),
                       .dx = malloc(cells * sizeof *b->dx),
                       .excess = calloc(2 * m, sizeof *b->excess)};
  if (b && b->in && b->z && b->dz && b->v && b->budgets && b->term && b->x && b->dx && b->excess)
    return WAL_OK;
  return wal_fail(WAL_E_MEMORY, "no memory for minibatches of %d buyers and %d goods", t->options->batch,
                  t->market->m);
}

const wal_fc_ops wal_fc_cpu = {.name = "cpu",
                               .open = wal_fc_cpu_open,
                               .close = wal_fc_cpu_close,
                               .fill = wal_fc_cpu_fill,
                               .demand = wal_fc_cpu_demand,
                               .begin = begin,
                               .end = end,
                               .steps = steps,
                               .stretch = 1};
