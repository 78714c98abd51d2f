/* Gradient descent for EG (marketfcnet C.1) and its well-scaled relative: one free z_ij per buyer and good,
     x_ij = size_i unit_j softplus(z_ij),
     z_ij -= step scale (price_j - pull_i y_ij / (softplus(z_ij) sum_k y_ik)) softplus'(z_ij),
   y as below, with or without momentum. The paper's: size = unit = 1, pull_i = B_i, scale = 1/n, the gradient
   of its Lagrangian. Scaled: amounts in units of what a buyer's money would buy of an equal split, unit_j =
   Y_j/n, size_i = B_i n/B, and pull = scale = 1: every buyer's own problem then has budget 1, whatever n,
   budgets and supplies.

   z and its velocity are float32, as in the paper's framework by default; column sums are double. A step is
   one pass over z: the gradient needs only the buyer's own row and the column means, and the means of the new
   x are summed where they are made. Prices follow the means by a rule that is part of the descent, so that a
   device can take many steps without asking. The formulas are in descent_step.h. Private to models/market and
   to the devices that implement it. */
#ifndef WAL_MARKET_DESCENT_H
#define WAL_MARKET_DESCENT_H

#include <stdbool.h>

#include "models/market/market.h"

/* How log u's gradient is computed: d log u / d x_j = y_j / (x_j sum_k y_k) for every alpha, with y_j = */
typedef enum {
  WAL_DESCENT_LINEAR, /* w x,               w = v:        alpha = 1 */
  WAL_DESCENT_ROOT,   /* w sqrt(x),         w = sqrt(v):  alpha = 1/2 */
  WAL_DESCENT_CONST,  /* w,                 w = v:        alpha = 0 */
  WAL_DESCENT_POWER,  /* exp(alpha(w+log x)), w = log v:  other alpha */
  WAL_DESCENT_LEAST,  /* 1 where w x is least, w = v:     alpha = -inf */
} wal_descent_kind;

/* The prices of the next step, from mean_j of this one and the multipliers lambda_j. */
typedef enum {
  WAL_DESCENT_AUGMENTED, /* lambda_j + weight (mean_j - Y_j/n) (marketfcnet eq. 63) */
  WAL_DESCENT_INTEGRAL,  /* lambda_j <- lambda_j c^integral, then lambda_j c^weight; c: mean_j in [0.1, 2] */
} wal_descent_law;
typedef struct {
  wal_descent_law law;
  double weight, integral;
} wal_descent_rule;

struct wal_descent_ops; /* below: who takes the steps */
typedef struct {
  const wal_market *market; /* borrowed */
  bool scaled;
  wal_descent_kind kind;
  float alpha, step, momentum, scale;
  wal_descent_rule rule;
  double *mean;   /* [m] (1/n) sum_i size_i softplus(z_ij): at equilibrium Y_j/n, or 1 if scaled */
  double *price;  /* [m] of the next step, in the units of the gradient; the caller sets the first */
  double *lambda; /* [m] multipliers; the caller's, between runs */
  double budget;  /* B = sum_i B_i */
  const struct wal_descent_ops *ops;
  void *state; /* the member's: z, w, velocity, pull */
} wal_descent;

/* The seam `descent`. The CPU's member is wal_descent_cpu; what created a descent stays with it. */
struct wal_descent_ops {
  const char *name;
  /* z, velocity 0, w and pull of a descent whose fields above budget are set; sets budget and state. */
  wal_status (*create)(wal_descent *descent);
  /* `steps` gradient steps, each at the prices that the one before left; with 0, means and prices of where z
     is. Updates mean, price and lambda. WAL_E_DIVERGED where a mean is not finite. */
  wal_status (*run)(wal_descent *descent, int steps);
  /* x as it stands, moving with the steps; borrowed. */
  const wal_allocation *(*allocation)(const wal_descent *descent);
  /* The same, from now on the caller's; the state is left without. */
  wal_allocation *(*release)(wal_descent *descent);
  void (*destroy)(wal_descent *descent); /* accepts state NULL or half-built */
};
extern const struct wal_descent_ops wal_descent_cpu;

/* On the device of the process (models/common/device.h). momentum 0: no velocity is kept. price and lambda
   begin at 0. Destroy it also after a failure. */
wal_status wal_descent_create(const wal_market *market, bool scaled, double step, double momentum,
                              wal_descent_rule rule, wal_descent *out);
void wal_descent_destroy(wal_descent *descent); /* accepts a zeroed struct */

wal_status wal_descent_run(wal_descent *descent, int steps);
const wal_allocation *wal_descent_allocation_of(const wal_descent *descent); /* borrowed */
wal_allocation *wal_descent_release(wal_descent *descent);                   /* the caller's */

/* What members share: the message where good j's mean is not finite, and the z of every buyer at the start,
   where x_ij = Y_j/n for size 1. */
wal_status wal_descent_diverged(int j);
double wal_descent_unit(const wal_descent *descent, int j);
float wal_descent_start(const wal_descent *descent, int j);

#endif
