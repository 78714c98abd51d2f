/* MarketFCNet on the device: a network's use (fc_network.cu) and its training (fc_steps.cu), the member
   wal_fc_cuda of models/market/fc_device.h. Private to gpu/market and to its benchmark. */
#ifndef WAL_GPU_MARKET_FC_H
#define WAL_GPU_MARKET_FC_H

#include "gpu/market/buyers.h"
#include "gpu/market/fc_cuda.h"
#include "gpu/nn/mlp_cuda.h"

extern "C" {
#include "models/market/fc_training.h"
}

/* What a network keeps on the device beside its parameters: wal_fc_network's `room`. */
struct wal_fc_room {
  wal_device_source buyers;
  wal_device_array<float> goods; /* [m, d] as the network reads them */
  /* Of one piece of an inference: */
  int64_t piece = 0;                  /* buyers, a multiple of WAL_CHUNK; 0: not chosen yet */
  wal_device_array<float> b, in, z;   /* [piece, d], [piece * network rows, inputs], [piece, m] */
  wal_device_array<double> budget, x; /* [piece], [piece, m] */
  wal_device_array<double> lambda;    /* [m] */
};

wal_status wal_fc_cuda_open(const wal_mlp_config *config, wal_fc_network *network);
void wal_fc_cuda_close(wal_fc_network *network);
wal_status wal_fc_cuda_fill(const wal_fc_network *network, int64_t lo, int64_t hi, double *x);
wal_status wal_fc_cuda_demand(const wal_fc_network *network, int64_t count, double *total);

/* The parts of a step, in their order. */
enum wal_fc_part {
  WAL_FC_DRAW,       /* buyers, their values, budgets and the network's inputs */
  WAL_FC_FORWARD,    /* the network */
  WAL_FC_ALLOCATION, /* what the buyers receive */
  WAL_FC_EXCESS,     /* means of both minibatches */
  WAL_FC_DERIVATIVE, /* of the loss, and its terms */
  WAL_FC_SUMS,       /* the loss; share output: spending and shares */
  WAL_FC_BACKWARD,   /* the gradient */
  WAL_FC_ADAM,       /* the step */
  WAL_FC_PARTS,
};
/* Queues one part on the session's stream. */
wal_status wal_fc_queue(wal_fc_work *work, wal_fc_part part);

#endif
