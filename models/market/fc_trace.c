/* What a training of MarketFCNet reports after every epoch. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/common/parallel.h"
#include "models/market/fc_training.h"
#include "models/market/solvers.h"
#include "models/market/welfare.h"

enum { GAP_BUYERS = 4096 }; /* whose Nash gap the trace shows */

/* Mean |E[x_j] n/Y_j - 1|. */
static double violation(const wal_fc_training *t) {
  double sum = 0;
  for (int j = 0; j < t->market->m; j++) sum += fabs(t->demand[j] / t->mean[j] - 1);
  return sum / t->market->m;
}

/* The Nash gap of some buyers under the projection (eq. 12) that the whole population's demand asks for. */
typedef struct {
  const wal_fc_training *t;
  const double *scale, *price; /* [m] alpha_j, projected prices */
} gap_context;

/* sum[0]: B (log u~ - log u), sum[1]: B. */
static wal_status gap_body(void *context, int64_t lo, int64_t hi, double *sum) {
  const gap_context *g = context;
  const wal_market *market = g->t->market;
  const int m = market->m;
  double *x = malloc((size_t)(hi - lo) * (2 * (size_t)m + 1) * sizeof *x);
  if (!x) return wal_fail(WAL_E_MEMORY, "no memory for %lld buyers", (long long)(hi - lo));
  double *v = x + (hi - lo) * m, *budget = v + (hi - lo) * m;
  const wal_allocation *allocation = &g->t->network->base;
  wal_status status = allocation->ops->fill(allocation, lo, hi, x);
  if (!status) status = market->buyers->ops->rows(market->buyers, lo, hi, v, budget);
  for (int64_t i = 0; !status && i < hi - lo; i++) {
    for (int j = 0; j < m; j++) x[i * m + j] *= g->scale[j];
    sum[0] += budget[i] * (wal_ces_log_indirect(market->alpha, m, v + i * m, g->price, budget[i]) -
                           wal_ces_log_utility(market->alpha, m, v + i * m, x + i * m));
    sum[1] += budget[i];
  }
  free(x);
  return status;
}

/* NaN while a price is not positive: then there is none. Changes demand[m] and step[m]. */
static wal_status sample_gap(wal_fc_training *t, double *gap) {
  const int m = t->market->m;
  double worth = 0, sum[2], *scale = t->demand, *price = t->step;
  *gap = NAN;
  for (int j = 0; j < m; j++) {
    if (!(t->lambda[j] > 0)) return WAL_OK;
    worth += t->lambda[j] * t->mean[j];
  }
  for (int j = 0; j < m; j++) {
    scale[j] = t->mean[j] / t->demand[j];
    price[j] = t->lambda[j] * t->budget / worth;
  }
  const int64_t count = t->market->n < GAP_BUYERS ? t->market->n : GAP_BUYERS;
  const wal_status status = wal_sum_chunks(count, 2, gap_body, &(gap_context){t, scale, price}, sum);
  *gap = sum[0] / sum[1];
  return status;
}

/* Share outputs clear the market whatever they learnt: a good that lost all its buyers shows in the gap
   alone. The first epoch's is noisy, since its demand is that of the minibatches: 0 or less at times. */
static wal_status check_gap(const wal_fc_training *t, double gap) {
  const bool last = t->recipe->output == WAL_FC_SHARE && t->epoch == t->options->epochs;
  if (!last || gap <= fmax(2 * t->first_gap, 1e-2)) return WAL_OK;
  char what[96];
  snprintf(what, sizeof what, "the Nash gap, %.3g after the first epoch,", t->first_gap);
  return wal_fc_diverged(t, what, gap);
}

wal_status wal_fc_report(wal_fc_training *t, double loss) {
  static const char *const names[] = {"epoch", "loss", "nash_gap", "clearing", "lr"};
  const double clearing = violation(t);
  double gap;
  wal_status status = sample_gap(t, &gap);
  if (status) return status;
  if (t->epoch == 1) t->first_gap = gap;
  wal_trace_row(t->trace, 5, names,
                (double[]){t->epoch, loss, gap, clearing, wal_schedule_rate(&t->schedule, t->steps - 1)});
  wal_trace_state(t->trace, t->steps, &t->network->base, t->lambda);
  return check_gap(t, gap);
}
