/* Proportional response: each buyer bids on a good in proportion to what the good contributed to its utility,
     b_ij <- B_i (v_ij x_ij)^alpha / sum_k (v_ik x_ik)^alpha,   x_ij = b_ij / p_j,   p_j = sum_i b_ij / Y_j,
   from equal bids b_ij = B_i/m. alpha = 1: Wu and Zhang (STOC 2007), O(1/t) by Birnbaum, Devanur and Xiao (EC
   2011, mirror descent on Shmyrev's program); 0 < alpha < 1: Zhang (Theor. Comput. Sci. 412, 2011), linear
   rate. For alpha < 0 that rule has factor |alpha| on a buyer's own bids and need not converge; the rule with
   a proof there is Cheung, Cole and Tao's (EC 2018): bids are the demand at the last prices, b_ij ~
   (v_ij/p_j)^r, r = alpha/(1-alpha), which is tatonnement with gamma = 1. alpha = 0: bids do not depend on
   prices; one step.

   No bid is stored. For alpha > 0 all bids that can occur are b_ij ~ (v_ij / e^{q_j})^a with one power a and
   one q_j per good: the update makes a' = alpha (1 + a), q' = (a q + log p) / (1 + a), and equal bids are a =
   0. a tends to r like alpha^t, which is the method's rate; had the first bids been v_ij^r, it would be
   tatonnement with gamma = 1 - alpha, step by step. alpha = 1: a = t, q the mean of all log prices.

   The gap is certified at 8, 16, ... steps, later each time an eighth of the steps so far has been added: for
   alpha < 1 of the prices and their demand (certificate.h, one pass), for alpha = 1 of prices and bids
   (wal_measure, the cost of about eight). For alpha <= 0 every step certifies itself. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "models/market/certificate.h"
#include "models/market/solvers.h"
#include "models/market/welfare.h"

typedef struct {
  const wal_market *market;
  wal_demand demand;
  double power;      /* a of the next bids */
  double *q;         /* [m] of the next bids */
  double *log_p;     /* [m] prices */
  double last_power; /* of the bids that made them */
  double *last_q;    /* [m] */
  double *scale;     /* [m] */
} response;

/* Equal bids spend B/m on every good, so the first bids that depend on values are v_ij / p_j to the power
   alpha with p_j ~ 1/Y_j; a common factor of the prices does not matter. */
static void start(response *s) {
  s->power = s->market->alpha;
  for (int j = 0; j < s->market->m; j++) {
    s->q[j] = s->log_p[j] = -log(s->market->supply[j]);
    s->demand.f[j] = 0.0;
  }
}

/* Prices of the present bids, and the next bids. */
static wal_status respond(response *s) {
  const int m = s->market->m;
  if (s->market->alpha <= 0.0) { /* bids are the demand, which certify() has summed */
    for (int j = 0; j < m; j++) s->log_p[j] += s->demand.f[j];
    return WAL_OK;
  }
  const wal_dual_point point = {.power = true, .r = s->power, .q = s->q};
  wal_dual_sums sums = {.share = s->demand.share};
  const wal_status status = wal_dual_pass(s->demand.dual, s->market->n, &point, &sums);
  if (status != WAL_OK) return status;
  s->last_power = s->power;
  for (int j = 0; j < m; j++) {
    s->log_p[j] = log(fmax(sums.share[j], DBL_MIN) / s->market->supply[j]); /* a share may underflow */
    s->last_q[j] = s->q[j];
    s->q[j] = (s->power * s->q[j] + s->log_p[j]) / (1.0 + s->power);
  }
  s->power = s->market->alpha * (1.0 + s->power);
  return WAL_OK;
}

/* x_ij = b_ij / p_j of the last bids, and p. */
static wal_status bids(response *s, wal_solution *solution) {
  double *price = solution->price;
  for (int j = 0; j < s->market->m; j++) {
    price[j] = exp(s->last_q[j]);
    s->scale[j] = exp(s->last_q[j] - s->log_p[j]);
  }
  const wal_status status =
      wal_allocation_demand_scaled(s->market, s->last_power, price, s->scale, &solution->allocation);
  for (int j = 0; j < s->market->m; j++) price[j] = exp(s->log_p[j]);
  return status;
}

/* The pair that the solver would return now, and its gap. */
static wal_status certify(response *s, wal_solution *solution) {
  wal_status status;
  if (s->market->alpha < 1.0) {
    status = wal_demand_at(&s->demand, s->log_p);
    if (status == WAL_OK) status = wal_demand_pair(&s->demand, s->log_p, solution);
    solution->certified_gap = s->demand.gap;
    return status;
  }
  wal_measures measures = {0};
  status = bids(s, solution);
  if (status == WAL_OK) status = wal_measure(s->market, solution->allocation, solution->price, &measures);
  solution->certified_gap = fmax(measures.nash_gap, 0.0);
  return status;
}

/* Certifies where due, or shows the bids where somebody looks; certified_gap is NaN where it was not due. */
static wal_status show(response *s, bool due, int step, const wal_trace *trace, wal_solution *solution) {
  static const char *const names[] = {"step", "gap"};
  wal_allocation_destroy(solution->allocation);
  solution->allocation = NULL;
  solution->certified_gap = NAN;
  solution->iterations = step;
  wal_status status = WAL_OK;
  if (due)
    status = certify(s, solution);
  else if (trace && trace->state)
    status = bids(s, solution);
  const double values[] = {(double)step, solution->certified_gap};
  if (status == WAL_OK && due) wal_trace_row(trace, 2, names, values);
  if (status == WAL_OK && solution->allocation)
    wal_trace_state(trace, step, solution->allocation, solution->price);
  return status;
}

static wal_status iterate(response *s, const wal_solver_options *options, const wal_trace *trace,
                          wal_solution *solution) {
  const int most = options->pr.max_steps, rest = s->market->alpha <= 0.0 ? 1 : 8;
  for (int step = 1, due = rest;; step++) {
    wal_status status = respond(s);
    if (status == WAL_OK) status = show(s, step >= due || step >= most, step, trace, solution);
    if (status != WAL_OK || solution->certified_gap <= options->pr.tol) return status;
    if (step >= most)
      return wal_fail(WAL_E_DIVERGED, "gap %.3g after %d steps; expected %g (pr.max_steps, pr.tol)",
                      solution->certified_gap, step, options->pr.tol);
    if (step >= due) due = step + (rest > 1 && step > 64 ? step / 8 : rest);
    wal_trace_progress(trace, (double)step / most, "steps");
  }
}

/* Quasilinear utilities (Gao and Kroer 2020): money is one more good, whose price stays 1. block.c's step for
   all buyers at once. */
static wal_status solve_quasilinear(const wal_market *market, const wal_solver_options *options,
                                    const wal_trace *trace, wal_solution *solution) {
  wal_solver_options one_block = *options;
  one_block.block.block = market->n;
  one_block.block.max_steps = options->pr.max_steps;
  one_block.block.tol = options->pr.tol;
  return wal_solver_block.solve(market, &one_block, trace, solution);
}

static wal_status solve(const wal_market *market, const wal_solver_options *options, const wal_trace *trace,
                        wal_solution *solution) {
  if (market->quasilinear) return solve_quasilinear(market, options, trace, solution);
  *solution = (wal_solution){.certified_gap = NAN};
  const size_t m = (size_t)market->m;
  response s = {.market = market};
  double *room = calloc(4 * m, sizeof *room);
  solution->price = malloc(m * sizeof *solution->price);
  wal_status status = WAL_OK;
  if (!room || !solution->price) status = wal_fail(WAL_E_MEMORY, "no memory for %d prices", market->m);
  if (status == WAL_OK) status = wal_demand_create(market, market->alpha > 0.0, &s.demand);
  if (status == WAL_OK) {
    s.q = room;
    s.log_p = room + m;
    s.last_q = room + 2 * m;
    s.scale = room + 3 * m;
    start(&s);
    status = iterate(&s, options, trace, solution);
  }
  wal_demand_destroy(&s.demand);
  free(room);
  if (status != WAL_OK) wal_solution_destroy(solution);
  return status;
}

const wal_solver wal_solver_pr = {
    "pr",
    "Proportional response",
    "Wu and Zhang 2007 (linear), Zhang 2011, Cheung, Cole and Tao 2018 (alpha < 0)",
    .alpha = "[-inf, 1]",
    .sizes = "any n, streamed past 1 GiB; quasilinear: 8 bytes per buyer and good",
    .seam = "dual",
    .quasilinear = true,
    .solve = solve};
