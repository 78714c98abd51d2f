/* The paper's baselines EG and EG-m (marketfcnet C.1, C.2): gradient descent, without and with momentum, on
   the augmented Lagrangian of the Eisenberg-Gale program over x = softplus(z), one free z_ij per buyer and
   good: L(x; lambda) = -(1/n) sum_i B_i log u_i(x_i) + sum_j lambda_j c_j + (rho/2) sum_j c_j^2, c_j = (1/n)
   sum_i x_ij - Y_j/n,                                              (eqs. 62-64) K steps on z, then lambda_j
   += beta_t rho c_j with beta_t = 1/sqrt(t), t the epoch. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/market/descent_step.h"
#include "models/market/solvers.h"
#include "models/market/welfare.h"

/* One row of the trace; *gap is NaN while some lambda is not positive, when the paper's measures do not
 * exist. */
static wal_status report(const wal_descent *s, const wal_trace *trace, int epoch, double *gap) {
  static const char *const names[] = {"epoch", "nash_gap", "voa", "vop", "lambda_min", "lambda_max"};
  const wal_allocation *x = wal_descent_allocation_of(s);
  double least = INFINITY, most = -INFINITY;
  for (int j = 0; j < s->market->m; j++) {
    least = fmin(least, s->lambda[j]);
    most = fmax(most, s->lambda[j]);
  }
  wal_measures measures = {.nash_gap = NAN, .voa = NAN, .vop = NAN};
  const wal_status status = least > 0.0 ? wal_measure(s->market, x, s->lambda, &measures) : WAL_OK;
  if (status != WAL_OK && status != WAL_E_DIVERGED) return status;
  const double values[] = {epoch, measures.nash_gap, measures.voa, measures.vop, least, most};
  wal_trace_row(trace, 6, names, values);
  wal_trace_state(trace, epoch, x, s->lambda);
  *gap = measures.nash_gap;
  return WAL_OK;
}

/* Appendix C.2: "only return a result when all lambda_j > 0". */
static wal_status check_prices(const wal_descent *s) {
  for (int j = 0; j < s->market->m; j++)
    if (!(s->lambda[j] > 0.0))
      return wal_fail(
          WAL_E_DIVERGED,
          "lambda of good %d ended at %g; a result needs all of them positive (a larger eg.lambda0, more "
          "eg.epochs or a larger eg.step may work)",
          j, s->lambda[j]);
  return WAL_OK;
}

/* The end of an epoch: lambda_j += beta_t rho c_j, and the prices of the next step. */
static void raise_multipliers(wal_descent *s, int epoch) {
  for (int j = 0; j < s->market->m; j++) { /* price_j - lambda_j = rho c_j */
    s->lambda[j] += (s->price[j] - s->lambda[j]) / sqrt(epoch);
    s->price[j] =
        wal_descent_price(s->rule, s->mean[j], s->market->supply[j] / (double)s->market->n, &s->lambda[j]);
  }
}

/* The steps of one epoch, with word of them every hundred. */
static wal_status take_steps(wal_descent *s, int inner, int epoch, int epochs, const wal_trace *trace) {
  wal_status status = WAL_OK;
  for (int k = 0; status == WAL_OK && k < inner; k += 100) {
    wal_trace_progress(trace, (epoch - 1 + (double)k / inner) / epochs, "gradient steps");
    status = wal_descent_run(s, inner - k < 100 ? inner - k : 100);
  }
  return status;
}

static wal_status iterate(wal_descent *s, const wal_solver_options *options, const wal_trace *trace,
                          wal_solution *solution) {
  const int inner = options->eg.inner ? options->eg.inner : s->market->n > 1000 ? 1000 : 100;
  wal_status status = wal_descent_run(s, 0);
  for (int epoch = 1; status == WAL_OK && epoch <= options->eg.epochs; epoch++) {
    status = take_steps(s, inner, epoch, options->eg.epochs, trace);
    if (status != WAL_OK) break;
    solution->iterations += inner;
    raise_multipliers(s, epoch);
    double gap = NAN;
    status = report(s, trace, epoch, &gap);
    if (options->eg.early_stop && gap < options->eg.stop_gap) break;
  }
  return status == WAL_OK ? check_prices(s) : status;
}

static wal_status solve(const wal_market *market, const wal_solver_options *options, const wal_trace *trace,
                        double momentum, wal_solution *solution) {
  *solution = (wal_solution){.certified_gap = NAN};
  const int64_t as_if_n = options->eg.as_if_n > 0 ? options->eg.as_if_n : market->n;
  const double rule = (as_if_n > 1000 ? 1e3 : 1.0) * (market->alpha == 1.0 ? 0.1 : 1.0), /* C.2's */
      step = (double)market->n / (double)as_if_n * (options->eg.step > 0.0 ? options->eg.step : rule);
  wal_descent s;
  wal_status status =
      wal_descent_create(market, false, step, momentum,
                         (wal_descent_rule){WAL_DESCENT_AUGMENTED, .weight = options->eg.rho}, &s);
  solution->price = malloc((size_t)market->m * sizeof *solution->price);
  if (status == WAL_OK && !solution->price)
    status = wal_fail(WAL_E_MEMORY, "no memory for %d prices", market->m);
  for (int j = 0; status == WAL_OK && j < market->m; j++) s.lambda[j] = options->eg.lambda0;
  if (status == WAL_OK) status = iterate(&s, options, trace, solution);
  if (status == WAL_OK) {
    memcpy(solution->price, s.lambda, (size_t)market->m * sizeof *solution->price);
    solution->allocation = wal_descent_release(&s);
  }
  wal_descent_destroy(&s);
  if (status != WAL_OK) wal_solution_destroy(solution);
  return status;
}

static wal_status solve_eg(const wal_market *market, const wal_solver_options *options,
                           const wal_trace *trace, wal_solution *solution) {
  return solve(market, options, trace, 0.0, solution);
}

static wal_status solve_eg_m(const wal_market *market, const wal_solver_options *options,
                             const wal_trace *trace, wal_solution *solution) {
  return solve(market, options, trace, options->eg.momentum, solution);
}

const wal_solver wal_solver_eg = {"eg",
                                  "EG",
                                  "marketfcnet, appendices C.1 and C.2",
                                  .alpha = "[-inf, 1]",
                                  .sizes = "8 bytes per buyer and good",
                                  .seam = "descent",
                                  .solve = solve_eg};
const wal_solver wal_solver_eg_m = {"eg_m",
                                    "EG-m",
                                    "marketfcnet, appendices C.1 and C.2",
                                    .alpha = "[-inf, 1]",
                                    .sizes = "12 bytes per buyer and good",
                                    .seam = "descent",
                                    .solve = solve_eg_m};
