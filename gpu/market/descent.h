/* The seam `descent` (models/market/descent.h) on the device. */
#ifndef WAL_GPU_MARKET_DESCENT_H
#define WAL_GPU_MARKET_DESCENT_H

#ifdef __cplusplus
extern "C" {
#endif

#include "models/market/descent.h"

extern const struct wal_descent_ops wal_descent_cuda;

#ifdef __cplusplus
}
#endif

#endif
