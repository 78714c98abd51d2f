/* The seam `dual` (models/market/dual.h) on the device. */
#ifndef WAL_GPU_MARKET_DUAL_H
#define WAL_GPU_MARKET_DUAL_H

#ifdef __cplusplus
extern "C" {
#endif

#include "models/market/dual.h"

extern const struct wal_dual_ops wal_dual_cuda;

#ifdef __cplusplus
}
#endif

#endif
