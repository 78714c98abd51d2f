/* One entry of an instance, scalar: its amount and multipliers into the interior point's units and back, its
   residuals, its derivatives. One source for the CPU and for a device. Private to models/mechanism and
   gpu/mechanism. */
#ifndef WAL_MECHANISM_PF_ENTRIES_H
#define WAL_MECHANISM_PF_ENTRIES_H

#include <float.h>

#include "models/mechanism/pf_open.h"

typedef enum {
  WAL_PF_CLOSED, /* 0: nothing demanded, no budget, no use for it, or an agent that does not take part */
  WAL_PF_WHOLE,  /* a = x: the resource suffices for all, and even with all of its demands the agent wants it
                  */
  WAL_PF_LEFT    /* to decide */
} wal_pf_state;

/* The power of 2 at or below a positive number. */
WAL_HD double wal_pf_power_below(double x) {
  x = x < DBL_MIN ? DBL_MIN : x;
  return wal_from_bits(wal_bits(x) & 0x7ff0000000000000u);
}

/* A demand in the interior point: far beyond the budget it never binds. */
WAL_HD double wal_pf_pack_demand(double x, double b) { return x < 4 * b ? x : 4 * b; }

/* The amount of which `lower` is given and `upper` is not; NaN stays: it is refused. */
WAL_HD double wal_pf_unpack_amount(double x, double lower, double upper) {
  return upper < lower ? x - upper : x < lower ? x : lower;
}

/* The multipliers of the bounds by (11a), excess = p - z - lambda: the nearer bound has the multiplier. */
WAL_HD void wal_pf_bound_multipliers(double excess, double a, double x, double *mu, double *nu) {
  const bool low = 2 * a <= x;
  *nu = !low && excess > 0 ? excess : 0;
  *mu = low && excess < 0 ? -excess : 0;
}

/* ---- residuals (pf.h, wal_pf_kkt) ---- */

/* A NaN on either side stays. */
WAL_HD double wal_pf_larger(double a, double b) { return b > a || b != b ? b : a; }

/* What a closed entry holds. */
WAL_HD double wal_pf_closed_residual(double a, double x, double b) {
  const double most = fmin(x, b);
  return a == 0.0 ? 0.0 : most > 0.0 ? fabs(a) / most : INFINITY;
}

/* The residuals of an open entry; share = v / u. */
WAL_HD double wal_pf_open_residual(double z, double w, double share, double x, double b, double a, double mu,
                                   double nu, double lambda) {
  const double left = x - a;
  const double size = 1.0 / wal_pf_max(wal_pf_max(w * share, fabs(z)), lambda); /* 1 / d_im */
  const double most = wal_pf_max(1.0 / wal_pf_min(x, b), share);                /* 1 / k_im */
  double worst = fabs(z - w * share - mu + nu + lambda) * size;
  worst = wal_pf_larger(worst, fabs(mu * size * (a * most)));
  worst = wal_pf_larger(worst, fabs(nu * size * (left * most)));
  worst = wal_pf_larger(worst, wal_pf_larger(-a * most, -left * most));
  return wal_pf_larger(worst, wal_pf_larger(-mu * size, -nu * size));
}

/* A resource of which `used` is given and that is worth at most `dearest` to anybody. */
WAL_HD double wal_pf_resource_residual(double lambda, double b, double used, double dearest) {
  if (!(lambda >= 0.0)) return INFINITY;
  if (b == 0.0) return 0.0;
  const double left = (b - used) / b, share = lambda > 0.0 ? lambda / fmax(lambda, dearest) : 0.0;
  return wal_pf_larger(fabs(share * left), -left);
}

/* ---- derivatives ---- */

/* mu/a + nu/t of an amount between its bounds, over the curvature (y/u) v^2 of its agent's objective: small
   for the truth, large against the rounding of the matrix. */
#define WAL_PF_SOFT 1e-8
WAL_HD double wal_pf_softness(double v, double x, double w, double u, double y) {
  return WAL_PF_SOFT * (v > 0 ? y / u * v * v : w / (x * x));
}

/* Share of the multiplier of a <= x in what holds an entry: 1 at x, 0 at 0 and between. */
WAL_HD double wal_pf_share_high(double a, double t, double mu, double nu) {
  const double high = nu * a, low = mu * t;
  return high > 0 ? high / (high + low) : 0;
}

/* An entry that is closed because x = 0 follows a change of x if it would be wanted. */
WAL_HD bool wal_pf_would_follow(double x, double b, double worth, double u, double z, double lambda) {
  return x == 0 && b > 0 && worth > 0 && (u == 0 || worth / u > z + lambda);
}

#endif
