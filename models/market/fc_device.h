/* The seam `fc`: what a device does of a MarketFCNet's training and use. Members: the CPU (fc_step.c,
   fc_network.c) and, in gpu/, CUDA. Private to models/market and gpu/market. */
#ifndef WAL_MARKET_FC_DEVICE_H
#define WAL_MARKET_FC_DEVICE_H

#include "models/market/fc_network.h"

typedef struct wal_fc_training wal_fc_training; /* fc_training.h */
typedef struct wal_fc_work wal_fc_work;         /* a device's buffers for the minibatches of a training */

struct wal_fc_ops {
  const char *name; /* "cpu", "cuda" */

  /* Creates network->net, and network->room with what else it needs; close frees both, NULL too. */
  wal_status (*open)(const wal_mlp_config *config, wal_fc_network *network);
  void (*close)(wal_fc_network *network);
  /* x[hi-lo, m] of buyers [lo, hi), to the host, from any thread. */
  wal_status (*fill)(const wal_fc_network *network, int64_t lo, int64_t hi, double *x);
  /* total[m] = sum_i x_ij over the market's first `count` buyers. */
  wal_status (*demand)(const wal_fc_network *network, int64_t count, double *total);

  /* Buffers for t's minibatches. `t` has its network, and what it sets before the first epoch. */
  wal_status (*begin)(const wal_fc_training *t, wal_fc_work **out);
  void (*end)(wal_fc_work *work); /* accepts NULL */
  /* `count` Adam steps at the present multipliers and t->pair.alpha, each on a fresh pair of minibatches:
     buyers number wal_rng_below(seed, WAL_STREAM_BATCH, t->draws, n), ... loss[count]: the estimated
     Lagrangian before each. Moves t->draws and t->steps; share output: adds the buyers to t->count, spent and
     shares. */
  wal_status (*steps)(wal_fc_training *t, int count, double *loss);
  int stretch; /* steps that a call should be for; 0: all of an epoch */
};

extern const wal_fc_ops wal_fc_cpu;

#endif
