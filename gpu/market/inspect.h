/* What the device makes of a market's buyers, brought back, and how much it makes at a time: for tests, from
 * C. */
#ifndef WAL_GPU_MARKET_INSPECT_H
#define WAL_GPU_MARKET_INSPECT_H

#ifdef __cplusplus
extern "C" {
#endif

#include "models/market/market.h"

/* As wal_source_columns and wal_source_columns32 with stride hi - lo: v[m, hi - lo], budget[hi - lo]. */
wal_status wal_cuda_columns(const wal_market *market, int64_t lo, int64_t hi, double *v, double *budget);
wal_status wal_cuda_columns32(const wal_market *market, int64_t lo, int64_t hi, float *v, float *budget);
/* As the source's contexts(): b[hi - lo, d]. */
wal_status wal_cuda_contexts(const wal_market *market, int64_t lo, int64_t hi, float *b);

/* Populations that are kept on the device, and chunks of others, have this many buyers at most from now on;
   0: what fits. */
void wal_chunk_limit(int64_t buyers);

#ifdef __cplusplus
}
#endif

#endif
