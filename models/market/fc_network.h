/* A MarketFCNet and the allocation that it gives: what its training (marketfcnet.c), saving and reuse
   (network.c) share. Private to models/market. */
#ifndef WAL_MARKET_FC_NETWORK_H
#define WAL_MARKET_FC_NETWORK_H

#include <stdbool.h>

#include "models/market/fc_loss.h"
#include "models/market/network.h"
#include "models/nn/mlp.h"

/* What distinguishes the solvers: how the network's output becomes an allocation, and what it reads. */
typedef struct {
  const char *name; /* of the solver and of its options */
  wal_fc_output output;
  bool tower; /* reads the buyer alone, one output per good; else reads (buyer, good), one output */
} wal_fc_recipe;

extern const wal_fc_recipe wal_fc_recipe_fc, wal_fc_recipe_fc_share, wal_fc_recipe_tower;

typedef struct wal_fc_ops wal_fc_ops; /* fc_device.h */

typedef struct {
  wal_allocation base;
  const wal_fc_ops *ops; /* the device that it lives on */
  const wal_fc_recipe *recipe;
  const wal_market *market;  /* borrowed */
  wal_trained_network about; /* owned; its parameters are in `net`, its lambda are the prices */
  wal_mlp *net;              /* owned */
  void *room;                /* the device's own, or NULL */
} wal_fc_network;

/* A network as `about` says, with fresh parameters from its seed, for a market's buyers: the goods and
   supplies per buyer are the market's, the prices NaN. `about`'s pointers are not read. forward() may see
   `buyers`. It lives on the process's device (models/common/device.h). `precision` of its matrix products:
   float32 | tf32 | bf16; the CPU has float32 alone. */
wal_status wal_fc_network_create(const wal_trained_network *about, const wal_market *market, int64_t buyers,
                                 const char *precision, wal_fc_network **out);
void wal_fc_network_destroy(wal_fc_network *network); /* accepts NULL */

/* The network behind an allocation; NULL where there is none. */
const wal_fc_network *wal_fc_network_of(const wal_allocation *allocation);
/* WAL_E_UNSUPPORTED unless a market's buyers and goods have contexts and its alpha is finite. */
wal_status wal_fc_network_takes(const char *solver, const wal_market *market);

/* total[m] = sum_i x_ij over the market's first `count` buyers. */
wal_status wal_fc_network_demand(const wal_fc_network *network, int64_t count, double *total);

/* The CPU's part of fc_device.h in this file. */
wal_status wal_fc_cpu_open(const wal_mlp_config *config, wal_fc_network *network);
void wal_fc_cpu_close(wal_fc_network *network);
wal_status wal_fc_cpu_fill(const wal_fc_network *network, int64_t lo, int64_t hi, double *x);
wal_status wal_fc_cpu_demand(const wal_fc_network *network, int64_t count, double *total);

/* Rows of the network's input for one buyer, and elements of each. */
int64_t wal_fc_network_rows(const wal_fc_network *network);
int64_t wal_fc_network_inputs(const wal_fc_network *network);
/* in[rows, inputs] of the buyer with context b[d]: (b, g_j) for every good, or b. */
void wal_fc_network_read(const wal_fc_network *network, const float *b, float *in);

#endif
