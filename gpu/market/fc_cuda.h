/* The member of models/market/fc_device.h for CUDA, and a switch that tests and benchmarks turn. */
#ifndef WAL_GPU_MARKET_FC_CUDA_H
#define WAL_GPU_MARKET_FC_CUDA_H

#ifdef __cplusplus
extern "C" {
#endif

#include "models/market/fc_device.h"

extern const wal_fc_ops wal_fc_cuda;

/* Whether steps are replayed as a graph from now on (true at first) or launched kernel by kernel. */
void wal_fc_cuda_replay(bool on);

#ifdef __cplusplus
}
#endif

#endif
