/* The multipliers of MarketFCNet, which are the prices: the paper's update, and that of the share outputs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/market/dense.h"
#include "models/market/fc_training.h"
#include "models/market/solvers.h"

/* Buyers that a pass over the population looks at: the first price_buyers, or all. */
static int64_t passed_buyers(const wal_fc_training *t) {
  const int64_t asked = t->options->price_buyers, n = t->market->n;
  return asked > 0 && asked < n ? asked : n;
}

wal_status wal_fc_first_multipliers(wal_fc_training *t) {
  const int64_t count = passed_buyers(t);
  const wal_status status = wal_total_budget(t->market, count, &t->budget);
  double supply = 0;
  t->budget /= (double)count;
  for (int j = 0; j < t->market->m; j++) supply += t->mean[j];
  for (int j = 0; j < t->market->m; j++)
    t->lambda[j] = t->recipe->output == WAL_FC_SHARE ? t->budget / supply : t->options->lambda0;
  return status;
}

/* demand[m] = E[x_j] over the buyers of a pass. */
static wal_status estimate_demand(wal_fc_training *t) {
  const int64_t count = passed_buyers(t);
  const wal_status status = wal_fc_network_demand(t->network, count, t->demand);
  for (int j = 0; j < t->market->m; j++) t->demand[j] /= (double)count;
  return status;
}

/* The paper's update: lambda_j += beta_t rho (E[x_j] - Y_j/n), beta_t = 1/sqrt(t). */
static wal_status move_multipliers(wal_fc_training *t) {
  const wal_status status = estimate_demand(t);
  for (int j = 0; !status && j < t->market->m; j++)
    t->lambda[j] += t->options->rho / sqrt(t->epoch) * (t->demand[j] - t->mean[j]);
  return status;
}

/* ---- Share outputs ---- */

/* 1 - alpha that the present epoch trains with: the market's where that is moderate. Near alpha = 1 demand is
   so elastic that goods lose all buyers before their price has fallen, and far below -1 a buyer's gradient is
   that of the scarcest good alone; so 1 - alpha starts from 0.5 or 2 and moves geometrically, to no less than
   0.01, in the first 7/10 of the epochs. */
static double epoch_substitution(const wal_fc_training *t) {
  const double target = 1 - t->market->alpha, elapsed = t->epoch / (0.7 * t->options->epochs);
  const double start = fmin(fmax(target, 0.5), 2), end = fmax(target, 0.01);
  return elapsed >= 1 ? target : start * pow(end / start, elapsed);
}

void wal_fc_begin_epoch(wal_fc_training *t) {
  const size_t m = (size_t)t->market->m;
  if (t->recipe->output != WAL_FC_SHARE) return;
  t->pair.alpha = 1 - epoch_substitution(t);
  t->count = 0;
  memset(t->spent, 0, m * sizeof *t->spent);
  memset(t->shares, 0, m * m * sizeof *t->shares);
}

/* Newton's step for log lambda on F_j = log(S_j / (Y_j lambda_j)) (newton.c), with S and sum B s s^T from the
   network's shares in the epoch; in the last third of the epochs divided by 1, 2, 3, ... to average the
   noise. The power is capped: near alpha = 1 the network's demand is less elastic than the buyers'. */
static wal_status newton_step(wal_fc_training *t) {
  const int m = t->market->m, settling = t->epoch - (t->options->epochs - t->options->epochs / 3);
  const double substitution = epoch_substitution(t), r = fmin((1 - substitution) / substitution, 50);
  const double limit = 1 / fmax(1, r); /* of one change, in logs: spending moves by a factor of about e */
  for (int j = 0; j < m; j++) {
    if (!(t->spent[j] > 0)) return wal_fc_diverged(t, "the spending on a good", t->spent[j]);
    for (int k = 0; k <= j; k++) t->shares[j * m + k] *= -r;
    t->shares[j * m + j] += (1 + r) * t->spent[j];
    t->step[j] = t->spent[j] * log(t->spent[j] / t->count / (t->mean[j] * t->lambda[j]));
  }
  if (!wal_cholesky_solve(m, t->shares, t->step)) return wal_fc_diverged(t, "Newton's matrix", NAN);
  for (int j = 0; j < m; j++)
    t->lambda[j] *= exp(fmax(-limit, fmin(limit, t->step[j] / (settling > 1 ? settling : 1))));
  return WAL_OK;
}

/* Scales all multipliers to sum_j Y_j lambda_j = sum_i B_i (eq. 10), B_i = sum_j B_i s_ij; spending is what
   it was. */
static void renormalise(wal_fc_training *t) {
  double worth = 0;
  t->budget = 0;
  for (int j = 0; j < t->market->m; j++) {
    t->budget += t->spent[j] / t->count;
    worth += t->lambda[j] * t->mean[j];
  }
  for (int j = 0; j < t->market->m; j++) {
    t->lambda[j] *= t->budget / worth;
    t->demand[j] = t->spent[j] / t->count / t->lambda[j];
  }
}

/* The prices at which the shares, as they are, clear the market: lambda_j = E[B s_j] n / Y_j. */
static wal_status clear_market(wal_fc_training *t) {
  const wal_status status = estimate_demand(t);
  t->budget = 0;
  for (int j = 0; !status && j < t->market->m; j++) {
    t->lambda[j] *= t->demand[j] / t->mean[j];
    t->demand[j] = t->mean[j];
    t->budget += t->lambda[j] * t->mean[j];
  }
  return status;
}

wal_status wal_fc_update_multipliers(wal_fc_training *t) {
  wal_status status;
  if (t->recipe->output != WAL_FC_SHARE) {
    status = move_multipliers(t);
  } else if (t->epoch == t->options->epochs) {
    status = clear_market(t);
  } else {
    status = newton_step(t);
    if (!status) renormalise(t);
  }
  for (int j = 0; !status && j < t->market->m; j++) {
    if (!isfinite(t->demand[j])) status = wal_fc_diverged(t, "the mean allocation of a good", t->demand[j]);
    if (!isfinite(t->lambda[j])) status = wal_fc_diverged(t, "a multiplier", t->lambda[j]);
  }
  return status;
}
