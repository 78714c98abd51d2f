/* What dual.h computes of one number, as inline code that the CPU and CUDA compile alike. Private to
   models/market and gpu/market. */
#ifndef WAL_MARKET_DUAL_MATH_H
#define WAL_MARKET_DUAL_MATH_H

#include "models/common/vmath.h"
#include "models/market/dual.h"

WAL_HD double wal_dual_weight(wal_weight weight, double v) {
  return weight == WAL_WEIGHT_LOG ? wal_log(v) : weight == WAL_WEIGHT_INVERSE ? 1.0 / v : v;
}

WAL_HD float wal_dual_weight32(wal_weight weight, float v) {
  return weight == WAL_WEIGHT_LOG ? wal_logf(v) : weight == WAL_WEIGHT_INVERSE ? 1.0f / v : v;
}

/* e^x for x <= 0, 0 below the least normal number: subnormal ones would take most of a CPU's time at high
 * powers.
 */
WAL_HD double wal_dual_exp(double x) { return x < -708.0 ? 0.0 : wal_exp_down(x < -708.0 ? -708.0 : x); }

#endif
