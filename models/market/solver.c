#include "models/market/solver.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/market/solvers.h"

const wal_solver *const wal_solvers[] = {
    /* the paper's baselines, first-order methods, networks, the truth */
    &wal_solver_naive,       &wal_solver_eg,        &wal_solver_eg_m,   &wal_solver_eg_scaled,
    &wal_solver_pr,          &wal_solver_block,     &wal_solver_pace,   &wal_solver_tatonnement,
    &wal_solver_fc,          &wal_solver_fc_share,  &wal_solver_tower,  &wal_solver_newton_sample,
    &wal_solver_closed_form, &wal_solver_newton_cg, &wal_solver_newton, NULL,
};

const wal_solver *wal_solver_find(const char *name) {
  for (const wal_solver *const *s = wal_solvers; *s; s++)
    if (strcmp((*s)->name, name) == 0) return *s;
  return NULL;
}

/* ---- the front door ---- */

/* Whether alpha is in a row's text of numbers and intervals. */
static bool in_ranges(const char *text, double alpha) {
  bool found = false;
  while (*text && !found) {
    const bool interval = *text == '[' || *text == '(', without_low = *text == '(';
    char *end;
    const double low = strtod(text + interval, &end), high = interval ? strtod(end + 1, &end) : low;
    if (end == text) return false;
    found = alpha == low ? !without_low : alpha > low && (alpha < high || (alpha == high && *end != ')'));
    text = end + interval;
    text += strspn(text, ", ");
  }
  return found;
}

/* Why a market is refused, as words after the solver's name; NULL: it is taken. */
static const char *refusal(const wal_solver *solver, const wal_market *market) {
  if (market->quasilinear && !solver->quasilinear) return "takes no quasilinear utilities";
  if (market->quasilinear && market->alpha != 1.0) return "takes quasilinear utilities at alpha = 1 only";
  if (solver->contexts && market->d == 0) return "needs buyers and goods with contexts";
  return in_ranges(solver->alpha, market->alpha) ? NULL : "does not take this alpha";
}

bool wal_solver_takes(const wal_solver *solver, const wal_market *market) {
  return refusal(solver, market) == NULL;
}

wal_status wal_solver_solve(const wal_solver *solver, const wal_market *market,
                            const wal_solver_options *options, const wal_trace *trace,
                            wal_solution *solution) {
  const char *why = refusal(solver, market);
  if (!why) return solver->solve(market, options, trace, solution);
  *solution = (wal_solution){.certified_gap = NAN};
  char takers[256] = "";
  size_t used = 0;
  for (const wal_solver *const *s = wal_solvers; *s; s++)
    if (wal_solver_takes(*s, market) && used < sizeof takers)
      used += (size_t)snprintf(takers + used, sizeof takers - used, "%s%s", used ? ", " : "", (*s)->name);
  return wal_fail(WAL_E_UNSUPPORTED,
                  "%s %s: a %smarket with alpha = %g%s; expected a solver that takes it (%s)", solver->name,
                  why, market->quasilinear ? "quasilinear " : "", market->alpha,
                  market->d ? "" : " and no contexts", used ? takers : "there is none");
}

/* ---- defaults ---- */

/* [C.2], [6.1]: stated there in the paper. [ours]: the paper is silent; a choice of this project, to be
   said wherever results are shown. */
void wal_solver_defaults(wal_solver_options *options) {
  *options = (wal_solver_options){
      .seed = 1,
      .newton = {.max_steps = 100, .tol = 1e-12}, /* [ours] below every printed digit */
      .newton_cg = {.max_steps = 100, .max_inner = 200, .tol = 1e-12},
      .newton_sample = {.buyers = 1 << 14},
      .pr = {.max_steps = 100000, .tol = 1e-8},
      .tatonnement = {.max_steps = 10000, .tol = 1e-10, .gamma = 0.0, .memory = 8},
      .block = {.max_steps = 10000, .tol = 1e-8, .block = 0},
      .pace = {.items = 0, .tol = 1e-3},
      .eg_scaled = {.max_steps = 30000, .tol = 1e-6, .step = 0.0, .momentum = 0.9},
      .eg =
          {
              .epochs = 30,       /* [C.2] */
              .inner = 0,         /* [C.2] 1000 if n > 1000, else 100 */
              .step = 0.0,        /* [C.2] 1e3 (alpha < 1) or 1e2 (alpha = 1) if n > 1000, else 1 or 0.1 */
              .momentum = 0.9,    /* [6.1] beta */
              .rho = 0.2,         /* [C.2] gives it for MarketFCNet; the same here */
              .lambda0 = 0.0,     /* [ours] the paper does not say; VoA and VoP depend on it */
              .early_stop = true, /* [C.2] */
              .stop_gap = 1e-3,   /* [C.2] */
          },
      .fc =
          {
              .width = 256,      /* [C.2] */
              .depth = 5,        /* [C.2] says depth 5; [ours] five linear layers, three of them 256 x 256 */
              .batch = 128,      /* [ours] */
              .epochs = 30,      /* [C.2] */
              .inner = 100,      /* [C.2] K */
              .lr = 1e-4,        /* [C.2] Adam */
              .warmup = 0,       /* [C.2] names none */
              .cosine = false,   /* [C.2] names none */
              .rho = 0.2,        /* [C.2] */
              .lambda0 = 0.0,    /* [ours] */
              .price_buyers = 0, /* [C.2] all buyers */
              .activation = "relu",   /* [ours] */
              .estimator = "product", /* [ours] eq. 5 prints diagonal; the same mean, a tenth of the spread */
              .precision = "float32", /* [ours] */
          },
  };
  /* [ours] the share output x_ij = B_i softmax_j(z_ij) / lambda_j needs less network and takes larger steps.
   */
  options->fc_share = options->fc;
  options->fc_share.width = 64;
  options->fc_share.lr = 1e-2;
  options->fc_share.warmup = 100;
  options->fc_share.cosine = true;
  options->fc_share.rho = 0.0;
  options->fc_share.price_buyers = 1 << 18; /* once, at the end: prices of all buyers to about 2e-3 */
  options->tower = options->fc_share;
  options->tower.inner = 200; /* a step costs a tenth */
}

void wal_solution_destroy(wal_solution *solution) {
  if (!solution) return;
  free(solution->price);
  wal_allocation_destroy(solution->allocation);
  *solution = (wal_solution){0};
}

static wal_status budget_body(void *context, int64_t lo, int64_t hi, double *sum) {
  const wal_source *buyers = context;
  double budget[WAL_CHUNK];
  const wal_status status = buyers->ops->rows(buyers, lo, hi, NULL, budget);
  for (int64_t i = 0; status == WAL_OK && i < hi - lo; i++) sum[0] += budget[i];
  return status;
}

wal_status wal_total_budget(const wal_market *market, int64_t count, double *budget) {
  return wal_sum_chunks(count, 1, budget_body, (void *)(uintptr_t)market->buyers, budget);
}

void wal_trace_row(const wal_trace *trace, int count, const char *const names[], const double values[]) {
  if (trace && trace->row) trace->row(trace->context, count, names, values);
}

void wal_trace_progress(const wal_trace *trace, double fraction, const char *what) {
  if (trace && trace->progress) trace->progress(trace->context, fraction, what);
}

void wal_trace_state(const wal_trace *trace, int64_t iteration, const wal_allocation *allocation,
                     const double *price) {
  if (trace && trace->state) trace->state(trace->context, iteration, allocation, price);
}
