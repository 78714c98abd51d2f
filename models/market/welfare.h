/* CES utilities and the welfare measures of marketfcnet, section 5. All in double. */
#ifndef WAL_MARKET_WELFARE_H
#define WAL_MARKET_WELFARE_H

#include "models/market/market.h"

/* log u_i(x_i) = (1/alpha) log sum_j (v_j x_j)^alpha; alpha = 0: sum_j (v_j/v_t) log x_j, v_t = sum_j v_j
   (the paper's own case, not the CES limit); alpha = -inf: log min_j v_j x_j. Computed in logs,
   overflow-safe. v, x: [m]. Returns -INFINITY where the utility is 0. */
double wal_ces_log_utility(double alpha, int m, const double *v, const double *x);

/* log of the fixed-price utility (eq. 34) of a buyer with budget B at prices p[m] > 0. */
double wal_ces_log_indirect(double alpha, int m, const double *v, const double *p, double budget);

/* Shares s_j = p_j x_j / B of the demand at prices p: s_j ~ (v_j/p_j)^(alpha/(1-alpha)), sum 1.
   alpha = 0: v_j/v_t; alpha = 1: all on argmax v_j/p_j, equal split among exact ties; alpha = -inf: p_j/v_j.
 */
void wal_ces_shares(double alpha, int m, const double *v, const double *p, double *s);

/* The same for a power r = alpha/(1-alpha) given directly, finite: near alpha = 1, 1 - alpha has too few
 * digits. */
void wal_ces_shares_power(double r, int m, const double *v, const double *p, double *s);

/* The demand of a buyer with budget B: x_j = B s_j / p_j; where p_j = 0 (alpha = -inf), the amount that the
   other goods can use. */
void wal_ces_demand(double alpha, int m, const double *v, const double *p, double budget, double *x);

/* The derivative d log u / d x_j into g[m] at x > 0; alpha = -inf: the gradient averaged over the scarcest
 * goods. */
void wal_ces_log_utility_gradient(double alpha, int m, const double *v, const double *x, double *g);

typedef struct {
  double lnw;      /* log Nash welfare of the projected allocation (eq. 6), nats */
  double lfw;      /* log fixed-price welfare of the projected prices (eq. 8), nats */
  double nash_gap; /* NG(x~, p~) = lfw - lnw (eqs. 9, 12), nats */
  double voa;      /* violation of allocation (eq. 13) */
  double vop;      /* violation of price (eq. 13) */
  double wsw; /* weighted social welfare sum_i B_i/B_total u_i(x~_i) (section 5.1); infinity where utilities,
                 about m^(1/alpha), leave the doubles */
} wal_measures;

/* Of a market with quasilinear utilities, u_i = <v_i, x_i> + d_i with d_i the money left (market.h), the
   fields are those of its Eisenberg-Gale program (Chen, Ye and Zhang 2007; Gao and Kroer 2020)
     max  sum_i B_i log u_i - d_i              over x, d >= 0, sum_i x_ij <= Y_j,
     min  sum_j Y_j p_j + sum_i B_i log(B_i / b_i) - B_i   over p, b_i <= 1, b_i v_ij <= p_j,
   divided by B_total = sum_i B_i:
     lnw       the first at x~ (eq. 12) and its best d_i = max(0, B_i - <v_i, x~_i>);
     lfw       the second at p as it is (money fixes the scale) and its best b_i = min(1, min_j p_j/v_ij);
     nash_gap  lfw - lnw >= 0, and 0 at an equilibrium only;
     vop       |log(B_total / (sum_j Y_j p_j + sum_i d_i))|: whether goods and money left are worth the
   budgets; voa, wsw  as above. */

/* Measures any positive (x, p) after the projection of eq. 12: two streamed passes over the buyers.
   prices: [m]. WAL_E_DIVERGED with the good's index when a price is not positive and finite (except
   alpha = -inf, where zero prices are allowed) or a good is given to nobody. */
wal_status wal_measure(const wal_market *market, const wal_allocation *allocation, const double *prices,
                       wal_measures *out);

/* The seam `measure`: who passes over the buyers. A member's object begins with wal_measuring, whose head
   wal_measure fills in; what it was made of is borrowed until `end`. */
typedef struct {
  const wal_market *market;
  const wal_allocation *allocation;
} wal_measuring;

/* Sums over the buyers of B_i times log u_i(x~_i), log of the fixed-price utility, their difference (summed
   by itself: at an equilibrium its terms vanish while the others do not) and u_i; utilities without the part
   wal_welfare_common. With quasilinear utilities what wal_quasilinear_terms says. */
enum { WAL_WELFARE_LNW, WAL_WELFARE_LFW, WAL_WELFARE_GAP, WAL_WELFARE_WSW, WAL_WELFARE_LEFT, WAL_WELFARES };

struct wal_measure_ops {
  wal_status (*begin)(const wal_market *market, const wal_allocation *allocation, wal_measuring **out);
  /* total[0] = sum_i B_i, total[1 + j] = sum_i x_ij. */
  wal_status (*totals)(wal_measuring *measuring, double *total /* [1 + m] */);
  /* At amounts scale_j x_ij and the projected prices. */
  wal_status (*welfares)(wal_measuring *measuring, const double *scale /* [m] */,
                         const double *price /* [m] */, double *sum /* [WAL_WELFARES] */);
  void (*end)(wal_measuring *measuring);
};
extern const struct wal_measure_ops wal_measure_cpu;

/* Near alpha = 0 log utilities have a part log(m)/alpha that is the same for everybody and would leave the
   rest few digits: members give utilities without it, and wal_measure adds it. 0: none is left out. */
double wal_welfare_common(double alpha, int m);

#endif
