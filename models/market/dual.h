/* One pass over the buyers for the exact solvers: demand in money and its covariance at given prices. Private
   to models/market.

   Each buyer has weights w_ij, a transform of its values fixed at creation; at a point, buyer i's normalised
   weights e_ij = y_ij / sum_k c_k y_ik,   y_ij = g_j w_ij (plain), or (e^{w_ij - q_j})^r (power), and the
   pass returns sum_i B_i e_ij and sum_i B_i e_ij e_ik. CES shares are e with c = 1. */
#ifndef WAL_MARKET_DUAL_H
#define WAL_MARKET_DUAL_H

#include <stdbool.h>

#include "models/common/vmath.h"
#include "models/market/market.h"

typedef enum { WAL_WEIGHT_VALUE, WAL_WEIGHT_LOG, WAL_WEIGHT_INVERSE } wal_weight; /* w = v, log v, 1/v */

typedef struct {
  bool power;      /* which y */
  const double *g; /* [m] plain */
  const double *c; /* [m] plain */
  double r;        /* power */
  const double *q; /* [m] power: log prices */
  const double
      *clear; /* [m] power, or NULL: factors a_j; then the pass returns the linear utility's gap only */
  bool log_wanted;
} wal_dual_point;

typedef struct {
  double *share;      /* [m] sum_i B_i e_ij */
  double *covariance; /* [m, m] sum_i B_i e_ij e_ik, symmetric; NULL: not wanted (it costs m^2/2 a buyer) */
  double budget;      /* sum_i B_i */
  double log_sum;     /* sum_i B_i log sum_k c_k y_ik, where log_wanted */
  double linear_gap;  /* sum_i B_i (max_j log w - log sum_j e_ij a_j w_j), w = v/p, where clear is given */
} wal_dual_sums;

typedef struct wal_dual wal_dual;
/* single: values as columns32 gives them and shares in float32, sums over the buyers in double; nothing is
   kept between passes on the CPU. Not for WAL_WEIGHT_INVERSE, nor for points with `clear`. The pass stays on
   the device that wal_device_now() was when it was made. */
wal_status wal_dual_create(const wal_market *market, wal_weight weight, bool single, wal_dual **out);
void wal_dual_destroy(wal_dual *dual); /* accepts NULL */

/* Keeps nothing between passes from now on, as populations of more than 1 GiB do; the same bits. */
void wal_dual_stream(wal_dual *dual);

/* Sums over buyers [0, rows), rows <= n. sums->share and ->covariance are the caller's, set before the call.
 */
wal_status wal_dual_pass(wal_dual *dual, int64_t rows, const wal_dual_point *point, wal_dual_sums *sums);

/* The seam `dual`: who passes over the buyers. A member's object begins with wal_dual. */
struct wal_dual {
  const struct wal_dual_ops *ops;
  const wal_market *market; /* borrowed */
  wal_weight weight;
  bool single;
};

/* What a member sums: m shares, these scalars, and where wanted the covariance's lower triangle, row by row.
   A sum that the point does not ask for may be anything finite. In single, the budget is not read. */
enum { WAL_DUAL_BUDGET, WAL_DUAL_LOG_SUM, WAL_DUAL_LINEAR_GAP, WAL_DUAL_SCALARS };
WAL_HD int wal_dual_sum_count(int m, bool covariance) {
  return m + WAL_DUAL_SCALARS + (covariance ? m * (m + 1) / 2 : 0);
}

struct wal_dual_ops {
  /* The head of *out is filled in by wal_dual_create; arguments are checked. */
  wal_status (*create)(const wal_market *market, wal_weight weight, bool single, wal_dual **out);
  void (*destroy)(wal_dual *dual);
  void (*stream)(wal_dual *dual);
  wal_status (*pass)(wal_dual *dual, int64_t rows, const wal_dual_point *point, bool covariance,
                     double *sums /* [wal_dual_sum_count] */);
};
extern const struct wal_dual_ops wal_dual_cpu;

#endif
