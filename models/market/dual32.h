/* A pass of dual.h in float32. Private to models/market. */
#ifndef WAL_MARKET_DUAL32_H
#define WAL_MARKET_DUAL32_H

#include "models/market/dual.h"

/* Adds the contribution of buyers [lo, hi), WAL_CHUNK at most: sum_i B_i e_ij, sum_i B_i e_ij e_ik (j >= k,
   row by row; NULL: not wanted) and, where wanted, the log sum. Weights are values or their logarithms. */
wal_status wal_dual_chunk32(const wal_market *market, wal_weight weight, const wal_dual_point *point,
                            int64_t lo, int64_t hi, double *share /* [m] */,
                            double *triangle /* [m (m + 1)/2] */, double *log_sum);

#endif
