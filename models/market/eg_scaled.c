/* EG in units that make it independent of n, budgets and supplies (this project): the paper's gradient
   descent over x = softplus(z) (marketfcnet C.1) in the scaled form of descent.h, where every buyer has
   budget 1 and every good supply 1 per buyer. Prices there are pi_j = p_j Y_j / sum_i B_i, summing to 1, and
   the mean demand is 1.

   Steps: in log x a buyer's own problem has curvature at most max(1, 1 - alpha), and softplus'/softplus <= 1
   carries that over to z; the multipliers' weight below adds at most kappa. Momentum beta is stable below 2
   (1 + beta) over the curvature; our step is 2/max(1, 1 - alpha). Multipliers: pi_j = mu_j xbar_j^kappa, mu_j
   <- mu_j xbar_j^eta in every step, xbar_j the mean demand for good j (within [0.1, 2]): near 1 the augmented
   Lagrangian with weight kappa mu_j (the paper: one rho, and a jump each epoch). Where buyers have no
   curvature of their own (alpha = 1) the linearised motion is a damped oscillator, mass beta/step, friction
   (1 - beta)/step, stiffness kappa mu, integral eta mu; by Routh's rule stable for eta < kappa (1 -
   beta)/beta, of which we take half. Near alpha = 1 goods that a step makes worthless do not come back; with
   few buyers the method may then fail. */
#include <math.h>
#include <stdlib.h>

#include "models/market/descent.h"
#include "models/market/solvers.h"
#include "models/market/welfare.h"

static const double KAPPA = 0.9;

/* The gap of the iterate as it stands, into the solution with its prices. */
static wal_status certify(const wal_descent *s, const wal_trace *trace, int64_t steps,
                          wal_solution *solution) {
  static const char *const names[] = {"step", "nash_gap", "voa", "vop"};
  const wal_allocation *x = wal_descent_allocation_of(s);
  wal_measures measures;
  for (int j = 0; j < s->market->m; j++) solution->price[j] = s->lambda[j] * s->budget / s->market->supply[j];
  const wal_status status = wal_measure(s->market, x, solution->price, &measures);
  if (status != WAL_OK) return status;
  const double values[] = {(double)steps, measures.nash_gap, measures.voa, measures.vop};
  wal_trace_row(trace, 4, names, values);
  wal_trace_state(trace, steps, x, solution->price);
  solution->certified_gap = fmax(measures.nash_gap, 0.0);
  solution->iterations = steps;
  return WAL_OK;
}

/* The gap is certified (wal_measure, the cost of about eight steps) after 64 steps, then each time an eighth
   of the steps so far has been added. */
static wal_status iterate(wal_descent *s, const wal_solver_options *options, const wal_trace *trace,
                          wal_solution *solution) {
  const int most = options->eg_scaled.max_steps, at_once = 16;
  for (int k = 0, due = 64;;) {
    const int next = due < most ? due : most, count = next - k < at_once ? next - k : at_once;
    wal_status status = wal_descent_run(s, count);
    k += count;
    if (status == WAL_OK && (k >= due || k >= most)) {
      status = certify(s, trace, k, solution);
      if (status != WAL_OK || solution->certified_gap <= options->eg_scaled.tol) return status;
      if (k >= most)
        return wal_fail(WAL_E_DIVERGED,
                        "gap %.3g after %d steps; expected %g (eg_scaled.max_steps, eg_scaled.tol)",
                        solution->certified_gap, k, options->eg_scaled.tol);
      due = k + k / 8;
    }
    if (status != WAL_OK) return status;
    wal_trace_progress(trace, (double)k / most, "gradient steps");
  }
}

static wal_status solve(const wal_market *market, const wal_solver_options *options, const wal_trace *trace,
                        wal_solution *solution) {
  *solution = (wal_solution){.certified_gap = NAN};
  if (market->alpha == -INFINITY)
    return wal_fail(WAL_E_UNSUPPORTED,
                    "eg_scaled takes no Leontief utilities, which have no gradient; newton does");
  const size_t m = (size_t)market->m;
  const double own =
      options->eg_scaled.step > 0.0 ? options->eg_scaled.step : 2.0 / fmax(1.0, 1.0 - market->alpha);
  const double beta = options->eg_scaled.momentum;
  const wal_descent_rule rule = {WAL_DESCENT_INTEGRAL, KAPPA, 0.5 * KAPPA * fmin(1.0, 1.0 / beta - 1.0)};
  wal_descent s;
  wal_status status = wal_descent_create(market, true, own, beta, rule, &s);
  solution->price = malloc(m * sizeof *solution->price);
  if (status == WAL_OK && !solution->price)
    status = wal_fail(WAL_E_MEMORY, "no memory for %d prices", market->m);
  for (int j = 0; status == WAL_OK && j < market->m; j++) s.lambda[j] = s.price[j] = 1.0 / market->m;
  if (status == WAL_OK) status = iterate(&s, options, trace, solution);
  if (status == WAL_OK) solution->allocation = wal_descent_release(&s);
  wal_descent_destroy(&s);
  if (status != WAL_OK) wal_solution_destroy(solution);
  return status;
}

const wal_solver wal_solver_eg_scaled = {"eg_scaled",
                                         "EG, well-scaled",
                                         "this project, from marketfcnet C.1 with a step per buyer",
                                         .alpha = "(-inf, 1]",
                                         .sizes = "12 bytes per buyer and good; slow near alpha = 1",
                                         .seam = "descent",
                                         .solve = solve};
