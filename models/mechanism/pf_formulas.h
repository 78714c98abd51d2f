/* The interior point's formulas of one entry, agent or resource (pf_interior.h says what they are about): one
   source for the CPU, where a wal_vec64 is a vector of instances, and for a device, where it is a double.
   Private to models/mechanism and gpu/mechanism. */
#ifndef WAL_MECHANISM_PF_FORMULAS_H
#define WAL_MECHANISM_PF_FORMULAS_H

#include "models/common/vmath.h"
#include "models/mechanism/simd64.h"

#define WAL_PF_TINY 1e-290 /* below every divisor that means something */

/* a / b; finite where b is 0. */
WAL_HD wal_vec64 wal_vec64_over(wal_vec64 a, wal_vec64 b) {
  return a / wal_vec64_max(b, wal_vec64_set(WAL_PF_TINY));
}

/* ---- the start ---- */

enum { WAL_PF_WATER_ROUNDS = 6 };

/* The price of a resource is this part of 1/theta, `resources` being left to decide. */
WAL_HD wal_vec64 wal_pf_spent(wal_vec64 resources) {
  return wal_vec64_min(wal_vec64_over(wal_vec64_set(2), resources), wal_vec64_set(0.7));
}

/* A part of what an agent wants and could pay for with all of its weight, at the water level theta. */
WAL_HD wal_vec64 wal_pf_start_amount(wal_vec64 theta, wal_vec64 z, wal_vec64 w, wal_vec64 x) {
  const wal_vec64 price = wal_vec64_max(wal_vec64_over(wal_vec64_set(1), theta), z),
                  part = wal_vec64_set(0.8);
  return part * wal_vec64_min(x, wal_vec64_over(w, price));
}

/* y, less where entry (v, z, t) could not follow it without a product far above w. */
WAL_HD wal_vec64 wal_pf_start_dual(wal_vec64 y, wal_vec64 v, wal_vec64 z, wal_vec64 t, wal_vec64 w,
                                   wal_vec64 lambda) {
  const wal_vec64 zero = {0};
  const wal_vec64 cost = wal_vec64_max(lambda + z, zero);
  const wal_vec64 most = wal_vec64_set(0.5) * cost + wal_vec64_set(0.3) * w / t;
  return wal_vec64_select(y * v > most, wal_vec64_over(most, v), y);
}

/* The multipliers of an entry of excess cost lambda + z - y v. */
WAL_HD void wal_pf_start_multipliers(wal_vec64 excess, wal_vec64 a, wal_vec64 t, wal_vec64 w, wal_vec64 *mu,
                                     wal_vec64 *nu) {
  const wal_vec64 zero = {0};
  const wal_vec64 centre = wal_vec64_set(0.25) * w / (a + t);
  *nu = wal_vec64_max(-excess, zero) + centre;
  *mu = wal_vec64_max(excess, zero) + centre;
}

/* ---- the matrix ---- */

/* 1/a, 1/t and d = 1 / (mu/a + nu/t) of an entry; 0 where there is none. */
WAL_HD void wal_pf_invert_entry(wal_vec64 a, wal_vec64 t, wal_vec64 mu, wal_vec64 nu, wal_vec64 *ia,
                                wal_vec64 *it, wal_vec64 *d) {
  const wal_vec64 zero = {0};
  const wal_vec64 inverse = wal_vec64_select(a > 0, 1 / (a * t), zero);
  *ia = t * inverse;
  *it = a * inverse;
  *d = wal_vec64_select(a > 0, 1 / wal_vec64_fma(mu, *ia, nu * *it), zero);
}

/* 1/u and 1/y of an agent. */
WAL_HD void wal_pf_invert_agent(wal_vec64 u, wal_vec64 y, wal_vec64 *iu, wal_vec64 *iy) {
  const wal_vec64 inverse = 1 / wal_vec64_max(u * y, wal_vec64_set(WAL_PF_TINY));
  *iu = y * inverse;
  *iy = u * inverse;
}

/* ---- right sides ---- */

/* The gradient of an agent's objective less prices; ratio = w/u. */
WAL_HD wal_vec64 wal_pf_predictor_side(wal_vec64 ratio, wal_vec64 v, wal_vec64 z, wal_vec64 lambda) {
  return wal_vec64_fma(ratio, v, -z - lambda);
}

/* What the products of an entry are to reach: the aim, less the predictor's da dmu and -da dnu. */
WAL_HD void wal_pf_targets(wal_vec64 da, wal_vec64 mu, wal_vec64 nu, wal_vec64 ia, wal_vec64 it,
                           wal_vec64 centre, wal_vec64 trust, wal_vec64 *lower, wal_vec64 *upper) {
  const wal_vec64 curved = trust * da;
  *lower = wal_vec64_fma(curved * mu, wal_vec64_fma(da, ia, wal_vec64_set(1)), centre);
  *upper = wal_vec64_fma(curved * nu, wal_vec64_fma(da, it, wal_vec64_set(-1)), centre);
}

/* The same with an entry's targets; ratio = (w - cross) / u. */
WAL_HD wal_vec64 wal_pf_corrector_side(wal_vec64 ratio, wal_vec64 v, wal_vec64 z, wal_vec64 lambda,
                                       wal_vec64 ia, wal_vec64 it, wal_vec64 lower, wal_vec64 upper) {
  const wal_vec64 pushed = wal_vec64_fma(lower, ia, -upper * it);
  return wal_vec64_fma(ratio, v, pushed - z - lambda);
}

/* ---- how far a direction may go: largest relative decreases, then lengths ---- */

WAL_HD wal_vec64 wal_pf_length(wal_vec64 fraction, wal_vec64 decrease) {
  return wal_vec64_min(wal_vec64_set(1), fraction / wal_vec64_max(decrease, wal_vec64_set(WAL_PF_TINY)));
}

/* dy of a direction of which du is known, and how far u and y let it go. */
WAL_HD wal_vec64 wal_pf_bound_agent(wal_vec64 w, wal_vec64 u, wal_vec64 y, wal_vec64 iu, wal_vec64 iy,
                                    wal_vec64 du, wal_vec64 cross, wal_vec64 *primal, wal_vec64 *dual) {
  const wal_vec64 residual = w - u * y - cross;
  const wal_vec64 dy = (residual - y * du) * iu;
  *primal = wal_vec64_max(-du * iu, *primal);
  *dual = wal_vec64_max(-dy * iy, *dual);
  return dy;
}

WAL_HD void wal_pf_bound_resource(wal_vec64 s, wal_vec64 lambda, wal_vec64 used, wal_vec64 dlambda,
                                  wal_vec64 *primal, wal_vec64 *dual) {
  *primal = wal_vec64_max(wal_vec64_over(used, s), *primal);
  *dual = wal_vec64_max(wal_vec64_over(-dlambda, lambda), *dual);
}

/* dmu = -mu (1 + da/a), dnu = -nu (1 - da/t): how far the predictor goes, and how products change. */
WAL_HD void wal_pf_predict_entry(wal_vec64 da, wal_vec64 mu, wal_vec64 nu, wal_vec64 ia, wal_vec64 it,
                                 wal_vec64 *primal, wal_vec64 *dual, wal_vec64 *cross, wal_vec64 *curve) {
  const wal_vec64 lower = da * ia, upper = da * it;
  *primal = wal_vec64_max(wal_vec64_max(-lower, upper), *primal);
  *dual = wal_vec64_max(1 + wal_vec64_max(lower, -upper), *dual);
  const wal_vec64 change = da * (mu - nu);
  *cross += change;
  *curve -= change + da * wal_vec64_fma(mu, lower, nu * upper);
}

/* What the corrector is to aim at, the products being `left` of what they are after the predictor, and the
   trust in what the predictor says about curvature; primal and dual: its relative decreases. */
WAL_HD void wal_pf_choose_aim(wal_vec64 left, wal_vec64 gap, wal_vec64 primal, wal_vec64 dual,
                              wal_mask64 stuck, double tol, wal_vec64 *aim, wal_vec64 *trust) {
  const wal_vec64 zero = {0};
  *aim = wal_vec64_max(left * left * left * gap, wal_vec64_set(0.1 * tol)); /* not beyond tol */
  const wal_vec64 reached = wal_pf_length(wal_vec64_set(1), primal) * wal_pf_length(wal_vec64_set(1), dual);
  *trust = wal_vec64_select(reached < 0.1, reached, wal_vec64_set(1));
  *aim = wal_vec64_select(stuck, 0.5 * gap, *aim); /* back to where they are alike */
  *trust = wal_vec64_select(stuck, zero, *trust);
}

/* dmu and dnu of the whole direction, and how far it may go. */
WAL_HD void wal_pf_correct_entry(wal_vec64 da, wal_vec64 mu, wal_vec64 nu, wal_vec64 ia, wal_vec64 it,
                                 wal_vec64 lower, wal_vec64 upper, wal_vec64 *dmu, wal_vec64 *dnu,
                                 wal_vec64 *primal, wal_vec64 *dual) {
  *dmu = (lower - mu * da) * ia - mu;
  *dnu = wal_vec64_fma(nu, da, upper) * it - nu;
  *primal = wal_vec64_max(wal_vec64_max(-da * ia, da * it), *primal);
  const wal_mask64 first = *dmu * nu < *dnu * mu; /* -dmu/mu > -dnu/nu */
  const wal_vec64 decrease = wal_vec64_select(first, -*dmu, -*dnu), from = wal_vec64_select(first, mu, nu);
  *dual = wal_vec64_max(decrease / wal_vec64_max(from, wal_vec64_set(WAL_PF_TINY)), *dual);
}

/* The part of the way to the nearest bound that a step goes. */
WAL_HD wal_vec64 wal_pf_fraction(wal_vec64 gap) { return wal_vec64_max(0.9999 - gap, wal_vec64_set(0.99)); }

#endif
