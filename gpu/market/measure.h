/* The seam `measure` (models/market/welfare.h) on the device. */
#ifndef WAL_GPU_MARKET_MEASURE_H
#define WAL_GPU_MARKET_MEASURE_H

#ifdef __cplusplus
extern "C" {
#endif

#include "models/market/welfare.h"

extern const struct wal_measure_ops wal_measure_cuda;

#ifdef __cplusplus
}
#endif

#endif
