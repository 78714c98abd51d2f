/* The exact equilibrium from the dual (marketfcnet, corollary 5.7): minimise LFW over prices, m variables
   only.

   CES with r = alpha/(1-alpha): at log prices q the buyers spend S_j = sum_i B_i s_ij on good j, and an
   equilibrium solves F_j(q) = log(S_j / (Y_j p_j)) = 0. Newton's step on F (log-Newton) solves
     [(1 + r) diag(S) - r sum_i B_i s_i s_i^T] dq = S o F,
   positive definite for every alpha < 1. The shares do not see a common factor of the prices, which
   sum_j Y_j p_j = sum_i B_i fixes (proposition 5.4). alpha = 0: the shares do not depend on prices, one step
   is exact. alpha = 1: the limit r -> infinity, each stage starting from the last. alpha = -inf: leontief.c.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/market/dense.h"
#include "models/market/dual.h"
#include "models/market/solvers.h"

typedef struct {
  const wal_market *market;
  const wal_solver_options *options;
  const wal_trace *trace;
  wal_dual *dual;
  double r;         /* of the present stage */
  int64_t rows;     /* buyers that count at present: all, or the first few for a starting point */
  int64_t steps;    /* passes over those buyers so far, all stages */
  double *q;        /* [m] log prices */
  double *trial;    /* [m] */
  double *dq;       /* [m] */
  double *f;        /* [m] F at q */
  double *g, *c;    /* [m] what a plain pass needs */
  double *matrix;   /* [m, m] */
  wal_dual_sums at; /* sums at q (or at the trial point while one is tried) */
  double norm;      /* ||F||_2 */
  double gap;       /* certified Nash gap at q, nats */
} newton;

/* Shares at q, q scaled to sum_j Y_j p_j = sum_i B_i, F and its norm. */
static wal_status evaluate(newton *s, double *q) {
  const int m = s->market->m;
  const bool plain = s->r == 0.0 || s->r == 1.0; /* v_ij or v_ij/p_j as they stand: no powers */
  for (int j = 0; plain && j < m; j++) {
    s->g[j] = s->r == 0.0 ? 1.0 : exp(-q[j]);
    s->c[j] = 1.0;
  }
  const wal_dual_point point = {.power = !plain, .g = s->g, .c = s->c, .r = s->r, .q = q};
  const wal_status status = wal_dual_pass(s->dual, s->rows, &point, &s->at);
  if (status != WAL_OK) return status;
  double worth = 0.0;
  for (int j = 0; j < m; j++) worth += s->market->supply[j] * exp(q[j]);
  const double shift = log(s->at.budget / worth);
  s->norm = 0.0;
  for (int j = 0; j < m; j++) {
    q[j] += shift;
    s->f[j] = log(s->at.share[j] / s->market->supply[j]) - q[j];
    s->norm += s->f[j] * s->f[j];
  }
  s->norm = sqrt(s->norm);
  s->steps++;
  return WAL_OK;
}

/* The Nash gap of the prices and their demand, scaled good by good with a_j = Y_j p_j / S_j = e^{-F_j} (eq.
   12): NG = -1/(alpha B) sum_i B_i log1p(z_i),  z_i = sum_j s_ij (a_j^alpha - 1),  B = sum_i B_i. sum_i B_i
   z_i and sum_i B_i z_i^2 are known from the pass; the rest of the series is at most D^3 / (3 (1 - D)) for
   |z_i| <= D = max_j |a_j^alpha - 1|, and is added. */
static double certified_gap(const newton *s, double alpha) {
  const int m = s->market->m;
  double first = 0.0, second = 0.0, largest = 0.0;
  for (int j = 0; j < m; j++) {
    const double delta = alpha == 0.0 ? -s->f[j] : expm1(-alpha * s->f[j]);
    first += s->at.share[j] * delta;
    largest = fmax(largest, fabs(delta));
    double row = 0.0;
    for (int k = 0; k < m && alpha != 0.0; k++) row += s->at.covariance[j * m + k] * expm1(-alpha * s->f[k]);
    second += delta * row;
  }
  if (alpha == 0.0) return fabs(first / s->at.budget);
  if (!(largest < 0.5)) return INFINITY;
  const double rest = largest * largest * largest / (3.0 * (1.0 - largest));
  return (fabs(first - 0.5 * second) / s->at.budget + rest) / fabs(alpha);
}

static void report(const newton *s) {
  static const char *const names[] = {"step", "buyers", "power", "residual", "gap"};
  const double values[] = {(double)s->steps, (double)s->rows, s->r, s->norm, s->gap};
  wal_trace_row(s->trace, 5, names, values);
}

/* dq of the log-Newton step at q. */
static wal_status newton_direction(newton *s) {
  const int m = s->market->m;
  for (int j = 0; j < m; j++) {
    for (int k = 0; k < m; k++) s->matrix[j * m + k] = -s->r * s->at.covariance[j * m + k];
    s->matrix[j * m + j] += (1.0 + s->r) * s->at.share[j];
    s->dq[j] = s->at.share[j] * s->f[j];
  }
  if (!wal_cholesky_solve(m, s->matrix, s->dq))
    return wal_fail(WAL_E_DIVERGED, "Newton's matrix lost its definiteness at power %g, step %lld", s->r,
                    (long long)s->steps);
  return WAL_OK;
}

/* Takes the longest of the steps 1, 1/2, 1/4... that shortens F; the sums are then those at the new q. */
static wal_status line_search(newton *s) {
  const int m = s->market->m;
  const double before = s->norm;
  for (double t = 1.0; t > 1e-6; t *= 0.5) {
    for (int j = 0; j < m; j++) s->trial[j] = s->q[j] + t * s->dq[j];
    const wal_status status = evaluate(s, s->trial);
    if (status != WAL_OK) return status;
    if (s->norm <= (1.0 - 1e-4 * t) * before) {
      memcpy(s->q, s->trial, (size_t)m * sizeof *s->q);
      return WAL_OK;
    }
    if (s->steps >= s->options->newton.max_steps) break;
  }
  return wal_fail(WAL_E_DIVERGED,
                  "no step shortens the residual %.3g at power %g (%lld passes; newton.max_steps is %d)",
                  before, s->r, (long long)s->steps, s->options->newton.max_steps);
}

/* Newton's steps at the present power and buyers until the certificate is below tol. */
static wal_status converge(newton *s, double tol) {
  const double alpha = s->r / (1.0 + s->r);
  wal_status status = evaluate(s, s->q);
  for (;;) {
    if (status != WAL_OK) return status;
    s->gap = certified_gap(s, alpha);
    if (s->market->alpha < 1.0) report(s); /* solve_linear reports whole stages */
    if (s->gap <= tol) return WAL_OK;
    if (!isfinite(s->norm))
      return wal_fail(WAL_E_DIVERGED, "prices left the finite numbers at power %g, step %lld", s->r,
                      (long long)s->steps);
    if (s->steps >= s->options->newton.max_steps)
      return wal_fail(WAL_E_DIVERGED, "gap %.3g after %lld passes; expected %g (newton.max_steps: %d)",
                      s->gap, (long long)s->steps, tol, s->options->newton.max_steps);
    status = newton_direction(s);
    if (status == WAL_OK) status = line_search(s);
  }
}

/* One more step, whose error is the square of the last: prices then clear to rounding. The certificate stays
   the last pass's. */
static void polish(newton *s) {
  if (newton_direction(s) != WAL_OK) return;
  double worth = 0.0;
  for (int j = 0; j < s->market->m; j++) {
    s->q[j] += s->dq[j];
    worth += s->market->supply[j] * exp(s->q[j]);
  }
  const double shift = log(s->at.budget / worth);
  for (int j = 0; j < s->market->m; j++) s->q[j] += shift;
}

static void start(newton *s) {
  for (int j = 0; j < s->market->m; j++) s->q[j] = -log(s->market->supply[j]);
  s->rows = s->market->n;
}

/* The power rises by a factor of 8 up to the target: Newton's region shrinks like 1/r. */
static wal_status climb(newton *s, double target, double tol) {
  for (s->r = fmin(target, 8.0); s->r < target; s->r = fmin(8.0 * s->r, target)) {
    const wal_status status = converge(s, 1e-6);
    if (status != WAL_OK) return status;
  }
  return converge(s, tol);
}

/* alpha < 1: a start from the first buyers where there are many (any buyers would do: it is only a start). */
static wal_status solve_power(newton *s, double r) {
  const int64_t few = s->market->n / 16 / WAL_CHUNK * WAL_CHUNK;
  if (few > 0 && r != 0.0) {
    s->rows = few;
    const wal_status status = climb(s, r, 1e-9);
    if (status != WAL_OK) start(s);
    s->rows = s->market->n;
    s->steps = 0;
    if (status == WAL_OK) {
      const wal_status warm = converge(s, s->options->newton.tol);
      if (warm == WAL_OK || warm == WAL_E_MEMORY) return warm;
      start(s);
      s->steps = 0;
    }
  }
  return climb(s, r, s->options->newton.tol);
}

/* ---- alpha = 1 ---- */

/* The Nash gap for linear utilities of the present prices and the demand of the present power, scaled to
 * clear. */
static wal_status linear_gap(newton *s, double *clear /* [m] */, double *gap) {
  for (int j = 0; j < s->market->m; j++) clear[j] = exp(-s->f[j]);
  const wal_dual_point point = {.power = true, .r = s->r, .q = s->q, .clear = clear};
  wal_dual_sums sums = {.share = s->g, .covariance = s->matrix};
  const wal_status status = wal_dual_pass(s->dual, s->rows, &point, &sums);
  *gap = sums.linear_gap / sums.budget;
  return status;
}

/* Linear utilities as the limit of CES ones: r rises while the linear gap, about 1/r^2, exceeds the
   tolerance. The best stage is returned, with its demand scaled to clear: shares at power r are a division of
   nearly tied goods. */
static wal_status solve_linear(newton *s, wal_solution *solution) {
  enum { STAGES = 14 };
  const int m = s->market->m;
  double *clear = malloc(2 * (size_t)m * sizeof *clear), *best = clear ? clear + m : NULL, gap = INFINITY;
  if (!clear) return wal_fail(WAL_E_MEMORY, "no memory for %d prices", m);
  wal_status status = WAL_OK;
  solution->certified_gap = INFINITY;
  s->r = 8.0;
  for (int stage = 0; stage < STAGES && solution->certified_gap > s->options->newton.tol;
       stage++, s->r *= 8.0) {
    s->steps = 0;
    memcpy(best, s->q, (size_t)m * sizeof *best);
    status = converge(s, fmax(1e-14, 1e-6 / (s->r * s->r)));
    if (status == WAL_OK) status = linear_gap(s, clear, &gap);
    solution->iterations += s->steps;
    if (status != WAL_OK || !(gap < solution->certified_gap)) break;
    wal_allocation_destroy(solution->allocation);
    solution->allocation = NULL;
    for (int j = 0; j < m; j++) solution->price[j] = exp(s->q[j]);
    status = wal_allocation_demand_scaled(s->market, s->r, solution->price, clear, &solution->allocation);
    if (status != WAL_OK) break;
    solution->certified_gap = fabs(gap);
    s->gap = gap;
    report(s);
  }
  free(clear);
  if (status == WAL_E_DIVERGED && solution->certified_gap <= 1e-6)
    status = WAL_OK; /* the best stage will do */
  return status;
}

/* ---- the solver ---- */

static wal_status solve_ces(newton *s, double alpha, wal_solution *solution) {
  start(s);
  if (alpha == 1.0) return solve_linear(s, solution);
  s->r = alpha / (1.0 - alpha);
  const wal_status status = solve_power(s, s->r);
  solution->iterations = s->steps;
  if (status != WAL_OK) return status;
  polish(s);
  solution->certified_gap = s->gap;
  for (int j = 0; j < s->market->m; j++) solution->price[j] = exp(s->q[j]);
  return wal_allocation_demand(s->market, solution->price, &solution->allocation);
}

static wal_status solve_with_room(newton *s, double *room, wal_solution *solution) {
  const int m = s->market->m;
  const double alpha = s->market->alpha;
  double **vectors[] = {&s->q, &s->trial, &s->dq, &s->f, &s->g, &s->c, &s->at.share};
  for (int k = 0; k < 7; k++) *vectors[k] = room + (size_t)k * (size_t)m;
  s->matrix = room + 7 * (size_t)m;
  s->at.covariance = s->matrix + (size_t)m * (size_t)m;
  const bool plain = alpha == 0.0 || alpha == 0.5;
  wal_status status = wal_dual_create(s->market, plain ? WAL_WEIGHT_VALUE : WAL_WEIGHT_LOG, &s->dual);
  if (status == WAL_OK) status = solve_ces(s, alpha, solution);
  wal_dual_destroy(s->dual);
  return status;
}

static wal_status solve(const wal_market *market, const wal_solver_options *options, const wal_trace *trace,
                        wal_solution *solution) {
  if (market->alpha == -INFINITY) return wal_leontief_solve(market, options, trace, solution);
  *solution = (wal_solution){.certified_gap = NAN};
  const size_t m = (size_t)market->m;
  newton s = {.market = market, .options = options, .trace = trace};
  double *room = malloc((7 * m + 2 * m * m) * sizeof *room);
  solution->price = malloc(m * sizeof *solution->price);
  const wal_status status = room && solution->price
                                ? solve_with_room(&s, room, solution)
                                : wal_fail(WAL_E_MEMORY, "no memory for %d prices", market->m);
  free(room);
  if (status != WAL_OK) wal_solution_destroy(solution);
  return status;
}

const wal_solver wal_solver_newton = {
    "newton", "Exact (dual log-Newton)", "this project, from marketfcnet corollary 5.7 and eq. 34",
    "every alpha from -inf to 1; any n (values are recomputed past 1 GiB)", solve};
