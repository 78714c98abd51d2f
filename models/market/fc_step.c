/* One step of MarketFCNet's training: a pair of minibatches, the loss (eq. 3), its gradient, Adam. */
#include <stdlib.h>

#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "models/market/fc_training.h"

wal_status wal_fc_diverged(const wal_fc_training *t, const char *what, double value) {
  return wal_fail(WAL_E_DIVERGED,
                  "%s: %s is %g in epoch %d of %d; a lower %s.lr than %g may help (%g works more often)",
                  t->recipe->name, what, value, t->epoch, t->options->epochs, t->recipe->name, t->options->lr,
                  t->options->lr / 10);
}

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
  wal_status status = buyers->ops->rows(buyers, i, i + 1, t->batch.v + row * m, t->batch.budgets + row);
  if (!status) status = buyers->ops->contexts(buyers, i, i + 1, context);
  if (!status) wal_fc_network_read(t->network, context, t->batch.in + row * cells);
  if (context != b) free(context);
  return status;
}

static wal_status allocate_buyer(wal_fc_training *t, int64_t row) {
  const int64_t at = row * t->market->m;
  wal_fc_allocate(t->recipe->output, t->market->m, t->batch.z + at, t->batch.budgets[row], t->lambda,
                  t->batch.x + at);
  return WAL_OK;
}

static wal_status differentiate_buyer(wal_fc_training *t, int64_t row) {
  wal_fc_batch *b = &t->batch;
  const int64_t at = row * t->market->m;
  b->term[row] = wal_fc_buyer_term(&t->pair, b->excess, row, b->x, b->dx + at);
  wal_fc_pull_back(t->recipe->output, t->market->m, b->z + at, b->x + at, b->dx + at, b->dz + at);
  return WAL_OK;
}

/* Share output: adds what the minibatches' buyers spend to the epoch's sums. */
static void add_shares(wal_fc_training *t) {
  const int64_t m = t->market->m, rows = 2 * t->options->batch;
  for (int64_t i = 0; i < rows; i++) {
    const double *x = t->batch.x + i * m, budget = t->batch.budgets[i];
    for (int64_t j = 0; j < m; j++) {
      const double share = t->lambda[j] * x[j] / budget;
      for (int64_t k = 0; k <= j; k++) t->shares[j * m + k] += share * t->lambda[k] * x[k];
      t->spent[j] += t->lambda[j] * x[j];
    }
  }
  t->count += (double)rows;
}

wal_status wal_fc_step(wal_fc_training *t, double *loss) {
  wal_mlp *net = t->network->net;
  wal_fc_batch *b = &t->batch;
  const int64_t rows = 2 * t->options->batch;
  wal_status status = for_buyers(t, draw_buyer);
  t->draws += rows;
  if (!status) status = net->ops->forward(net, rows * wal_fc_network_rows(t->network), b->in, b->z);
  if (!status) status = for_buyers(t, allocate_buyer);
  if (status) return status;
  wal_fc_excess(&t->pair, b->x, b->excess);
  status = for_buyers(t, differentiate_buyer);
  if (!status && t->recipe->output == WAL_FC_SHARE) add_shares(t);
  if (!status) status = net->ops->backward(net, b->in, b->dz, NULL);
  if (!status) status = net->ops->step(net, (float)wal_schedule_rate(&t->schedule, t->steps));
  t->steps++;
  *loss = wal_fc_shared_term(&t->pair);
  for (int64_t i = 0; i < rows; i++) *loss += b->term[i];
  return status;
}
