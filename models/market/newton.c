/* The exact equilibrium from the dual (marketfcnet, corollary 5.7): minimise LFW over prices, m variables
   only.

   CES with r = alpha/(1-alpha): at log prices q the buyers spend S_j = sum_i B_i s_ij on good j, and an
   equilibrium solves F_j(q) = log(S_j / (Y_j p_j)) = 0. Newton's step on F (log-Newton) solves
     [(1 + r) diag(S) - r sum_i B_i s_i s_i^T] dq = S o F,
   positive definite for every alpha < 1. The shares do not see a common factor of the prices, which
   sum_j Y_j p_j = sum_i B_i fixes (proposition 5.4). alpha = 0: the shares do not depend on prices, one step
   is exact. alpha = 1: r rises, each stage starting from the last, and linear_polish.h ends it. alpha = -inf:
   leontief.c.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/market/dense.h"
#include "models/market/dual.h"
#include "models/market/linear_polish.h"
#include "models/market/solvers.h"

typedef struct {
  const wal_market *market;
  const wal_solver_options *options;
  const wal_trace *trace;
  wal_dual *dual;
  double r;           /* of the present stage */
  int64_t rows;       /* buyers that count at present: all, or the first few for a starting point */
  int64_t steps;      /* passes over those buyers so far, all stages */
  double *q;          /* [m] log prices */
  double *trial;      /* [m] */
  double *dq;         /* [m] */
  double *f;          /* [m] F at q */
  double *g, *c;      /* [m] what a plain pass needs */
  double *last_q;     /* [m] log prices of the stage before */
  double last_r;      /* its power; 0: there was none */
  double *matrix;     /* [m, m] */
  double *covariance; /* [m, m] at q, or at the point before while keep_covariance */
  bool keep_covariance;
  wal_dual_sums at; /* sums at q (or at the trial point while one is tried) */
  double norm;      /* ||F||_2 */
  double objective; /* D, where objective_wanted */
  bool objective_wanted;
  double gap; /* certified Nash gap at q, nats */
  double tol; /* for it */
} newton;

enum { MOST_FIRST = 1 << 20 };          /* buyers for a start */
static const double SINGLE_TOL = 1e-13; /* sums of float32 shares show no smaller gaps */

/* The nearest price that the pass can take in float32: what it returns is then exact for these prices. */
static void round_price(bool plain, double *g, double *q) {
  if (plain && *g != 1.0) {
    *g = (float)*g;
    *q = -log(*g);
  } else {
    *q = (float)*q;
  }
}

/* Shares at q, q scaled to sum_j Y_j p_j = sum_i B_i, F and its norm; where wanted also the dual objective
     D(q) = sum_j Y_j p_j + (1/r) sum_i B_i log sum_j (v_ij/p_j)^r,
   which is B LFW up to a constant once prices are scaled. */
static wal_status evaluate(newton *s, double *q) {
  const int m = s->market->m;
  const bool plain = s->r == 0.0 || s->r == 1.0; /* v_ij or v_ij/p_j as they stand: no powers */
  for (int j = 0; j < m; j++) {
    s->g[j] = s->r == 0.0 ? 1.0 : exp(-q[j]);
    s->c[j] = 1.0;
    if (s->options->newton.single) round_price(plain, &s->g[j], &q[j]);
  }
  s->at.covariance = s->keep_covariance ? NULL : s->covariance;
  const wal_dual_point point = {
      .power = !plain, .g = s->g, .c = s->c, .r = s->r, .q = q, .log_wanted = s->objective_wanted};
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
  s->objective = s->at.log_sum / s->r - s->at.budget * shift; /* sum_j Y_j p_j is sum_i B_i: left out */
  s->steps++;
  return WAL_OK;
}

/* The Nash gap of the prices and their demand, scaled good by good with a_j = Y_j p_j / S_j = e^{-F_j} (eq.
   12): NG = -1/(alpha B) sum_i B_i log1p(z_i),  z_i = sum_j s_ij (a_j^alpha - 1),  B = sum_i B_i. sum_i B_i
   z_i and sum_i B_i z_i^2 are known from the pass (without its covariance the latter is at most sum_j S_j
   (a_j^alpha - 1)^2, as squares are convex); the rest of the series is at most D^3 / (3 (1 - D)) for
   |z_i| <= D = max_j |a_j^alpha - 1|, and is added. */
static double certified_gap(const newton *s, double alpha) {
  const int m = s->market->m;
  double first = 0.0, second = 0.0, convex = 0.0, largest = 0.0;
  for (int j = 0; j < m; j++) {
    const double delta = alpha == 0.0 ? -s->f[j] : expm1(-alpha * s->f[j]);
    first += s->at.share[j] * delta;
    largest = fmax(largest, fabs(delta));
    double row = 0.0;
    for (int k = 0; k < m && alpha != 0.0; k++) row += s->covariance[j * m + k] * expm1(-alpha * s->f[k]);
    second += delta * row;
    convex += s->at.share[j] * delta * delta;
  }
  if (alpha == 0.0) return fabs(first / s->at.budget);
  if (!(largest < 0.5)) return INFINITY;
  const double rest = largest * largest * largest / (3.0 * (1.0 - largest));
  const double known = s->keep_covariance ? fabs(first) + 0.5 * convex : fabs(first - 0.5 * second);
  return (known / s->at.budget + rest) / fabs(alpha);
}

static void report(const newton *s) {
  static const char *const names[] = {"step", "buyers", "power", "residual", "gap"};
  const double values[] = {(double)s->steps, (double)s->rows, s->r, s->norm, s->gap};
  wal_trace_row(s->trace, 5, names, values);
}

/* dq at q: the log-Newton step or, for D's descent, the same matrix with S - Y p on the right. */
static wal_status newton_direction(newton *s, bool logarithmic) {
  const int m = s->market->m;
  for (int j = 0; j < m; j++) {
    for (int k = 0; k < m; k++) s->matrix[j * m + k] = -s->r * s->covariance[j * m + k];
    s->matrix[j * m + j] += (1.0 + s->r) * s->at.share[j];
    s->dq[j] = s->at.share[j] * (logarithmic ? s->f[j] : -expm1(-s->f[j]));
  }
  if (!wal_cholesky_solve(m, s->matrix, s->dq))
    return wal_fail(WAL_E_DIVERGED, "Newton's matrix lost its definiteness at power %g, step %lld", s->r,
                    (long long)s->steps);
  return WAL_OK;
}

/* Tries q + t dq; the sums are then those of the trial point. */
static wal_status try_step(newton *s, double t) {
  for (int j = 0; j < s->market->m; j++) s->trial[j] = s->q[j] + t * s->dq[j];
  return evaluate(s, s->trial);
}

static void accept(newton *s) { memcpy(s->q, s->trial, (size_t)s->market->m * sizeof *s->q); }

/* The log-Newton step, or a part of it, if that shortens F. */
static wal_status log_step(newton *s, double smallest, bool *taken) {
  const double before = s->norm;
  *taken = false;
  wal_status status = newton_direction(s, true);
  s->keep_covariance = s->options->newton.single && (1.0 + fabs(s->r)) * s->norm < 1e-2;
  for (double t = 1.0; status == WAL_OK && !*taken && t >= smallest; t *= 0.5) {
    status = try_step(s, t);
    *taken = status == WAL_OK && s->norm <= (1.0 - 1e-4 * t) * before;
  }
  if (*taken) accept(s);
  return status;
}

/* Far from the solution: a descent step of D, which no bend of F can stop (the matrix is positive definite
   and the right-hand side is -D's gradient). */
static wal_status descent_step(newton *s, bool *taken) {
  *taken = s->keep_covariance = false;
  s->objective_wanted = true;
  wal_status status = evaluate(s, s->q);
  if (status == WAL_OK) status = newton_direction(s, false);
  double slope = 0.0;
  for (int j = 0; j < s->market->m; j++) slope += s->at.share[j] * expm1(-s->f[j]) * s->dq[j];
  const double before = s->objective;
  for (double t = 1.0; status == WAL_OK && !*taken && t > 1e-9; t *= 0.5) {
    status = try_step(s, t);
    *taken = status == WAL_OK && s->objective < before + 1e-4 * t * slope;
  }
  s->objective_wanted = false;
  if (status == WAL_OK) status = *taken ? (accept(s), WAL_OK) : evaluate(s, s->q);
  return status;
}

/* The first that works: most of a log-Newton step, a descent step, a small log-Newton step (D's differences
   drown in rounding before F's do). */
static wal_status any_step(newton *s) {
  bool taken;
  wal_status status = log_step(s, 0.25, &taken);
  if (status == WAL_OK && !taken) status = descent_step(s, &taken);
  if (status == WAL_OK && !taken) status = log_step(s, 1e-4, &taken);
  if (status != WAL_OK || taken) return status;
  return wal_fail(WAL_E_DIVERGED, "no step improves on gap %.3g at power %g (%lld passes)", s->gap, s->r,
                  (long long)s->steps);
}

/* Near alpha = -inf prices of plentiful goods fall like e^(c alpha), below what a double holds. */
static wal_status left_the_doubles(const newton *s) {
  return wal_fail(WAL_E_DIVERGED, "prices left the finite numbers at power %g, step %lld%s", s->r,
                  (long long)s->steps,
                  s->r < -0.5 ? ": some good is nearly free; expected an alpha nearer 0, or -.inf" : "");
}

/* Newton's steps at the present power and buyers until the certificate is below tol. */
static wal_status converge(newton *s, double tol) {
  const double alpha = s->r / (1.0 + s->r);
  const int64_t begun = s->steps;
  s->keep_covariance = false;
  wal_status status = evaluate(s, s->q);
  for (;;) {
    if (status != WAL_OK) return status;
    s->gap = certified_gap(s, alpha);
    if (s->market->alpha < 1.0) report(s); /* solve_linear reports whole stages */
    if (s->gap <= tol) return WAL_OK;
    if (!isfinite(s->norm)) return left_the_doubles(s);
    if (s->steps - begun >= s->options->newton.max_steps)
      return wal_fail(WAL_E_DIVERGED,
                      "gap %.3g after %lld passes at power %g; expected %g (newton.max_steps: %d)", s->gap,
                      (long long)(s->steps - begun), s->r, tol, s->options->newton.max_steps);
    status = any_step(s);
  }
}

/* One more step, whose error is the square of the last: prices then clear to rounding. The certificate stays
   the last pass's. */
static void polish(newton *s) {
  if (newton_direction(s, true) != WAL_OK) return;
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
  s->last_r = 0.0;
}

/* What log prices are linear in, up to smaller terms, towards the ends: 1/r as ties form (a tied buyer's
   shares keep r (log v_ij/p_j - log v_ik/p_k) bounded), 1/(1 + r) as prices of plentiful goods fall to 0. */
static double stage_variable(double r) { return r > 0.0 ? 1.0 / r : 1.0 / (1.0 + r); }

void wal_next_stage(int m, double last_r, double r, double next_r, double *q, double *last_q) {
  const double at = stage_variable(r);
  const double weight = last_r == 0.0 ? 0.0 : (stage_variable(next_r) - at) / (at - stage_variable(last_r));
  for (int j = 0; j < m; j++) {
    const double here = q[j];
    if (weight != 0.0) q[j] += weight * (here - last_q[j]);
    last_q[j] = here;
  }
}

static void next_stage(newton *s, double r) {
  wal_next_stage(s->market->m, s->last_r, s->r, r, s->q, s->last_q);
  s->last_r = s->r;
  s->r = r;
}

/* The powers on the way to the target: Newton's region shrinks like 1/r, and like 1 + r as r falls to -1. */
double wal_first_power(double target) { return target > 0.0 ? fmin(target, 8.0) : fmax(target, -0.75); }

double wal_next_power(double r, double target) {
  return r > 0.0 ? fmin(4.0 * r, target) : fmax((1.0 + r) / 2.0 - 1.0, target);
}

/* Near enough for the next stage, whose power is 4 times higher. */
static double stage_tolerance(double r) { return r > 8.0 ? fmax(1e-13, 6.4e-5 / (r * r)) : 1e-6; }

static wal_status climb(newton *s, double target, double tol) {
  s->last_r = 0.0;
  for (s->r = wal_first_power(target); s->r != target; next_stage(s, wal_next_power(s->r, target))) {
    const wal_status status = converge(s, stage_tolerance(s->r));
    if (status != WAL_OK) return status;
  }
  return converge(s, tol);
}

/* From the caller's prices. */
static wal_status solve_near(newton *s) {
  for (int j = 0; j < s->market->m; j++) {
    s->q[j] = log(s->options->newton.start[j]);
    if (!isfinite(s->q[j]))
      return wal_fail(WAL_E_INPUT, "newton.start[%d] is %g; expected prices above 0", j,
                      s->options->newton.start[j]);
  }
  return converge(s, s->tol);
}

/* From the first buyers where there are many (any buyers would do: it is only a start), ever more of them:
   prices of k buyers are off by about 1/sqrt(k), and one step at 32 k buyers squares that. */
static wal_status solve_warm(newton *s, double r) {
  const int64_t top = s->market->n / 16 < MOST_FIRST ? s->market->n / 16 : MOST_FIRST;
  int64_t first = top;
  while (first / 32 >= WAL_CHUNK) first /= 32;
  wal_status status = WAL_OK;
  for (int64_t rows = first; status == WAL_OK && rows <= top; rows *= 32) {
    s->rows = rows / WAL_CHUNK * WAL_CHUNK;
    status = rows == first ? climb(s, r, 1e-4) : converge(s, 1e-4);
    if (status == WAL_OK) polish(s);
  }
  s->rows = s->market->n;
  s->steps = 0;
  return status == WAL_OK ? converge(s, s->tol) : status;
}

/* alpha < 1: from the nearest start that leads to the solution. */
static wal_status solve_power(newton *s, double r) {
  const bool given = s->options->newton.start != NULL;
  wal_status status = given ? solve_near(s) : WAL_E_DIVERGED;
  if (status == WAL_E_DIVERGED && r != 0.0 && s->market->n >= 16 * WAL_CHUNK) {
    start(s);
    s->steps = 0;
    status = solve_warm(s, r);
  }
  if (status != WAL_E_DIVERGED) return status;
  start(s);
  s->steps = 0;
  return climb(s, r, s->tol);
}

/* ---- alpha = 1 ---- */

/* The Nash gap for linear utilities of the present prices and the demand of the present power, scaled to
 * clear. */
static wal_status linear_gap(newton *s, double *clear /* [m] */, double *gap) {
  for (int j = 0; j < s->market->m; j++) clear[j] = exp(-s->f[j]);
  const wal_dual_point point = {.power = true, .r = s->r, .q = s->q, .clear = clear};
  wal_dual_sums sums = {.share = s->g};
  const wal_status status = wal_dual_pass(s->dual, s->rows, &point, &sums);
  *gap = sums.linear_gap / sums.budget;
  return status;
}

/* Keeps the present stage's prices and its demand, scaled to clear: shares at power r are a division of
   nearly tied goods. */
static wal_status keep_stage(newton *s, const double *clear /* [m] */, wal_solution *solution) {
  wal_allocation_destroy(solution->allocation);
  solution->allocation = NULL;
  for (int j = 0; j < s->market->m; j++) solution->price[j] = exp(s->q[j]);
  solution->certified_gap = fmax(s->gap, 0.0);
  report(s);
  return wal_allocation_demand_scaled(s->market, s->r, solution->price, clear, &solution->allocation);
}

/* The exact prices from those of the present stage. */
static wal_status polish_linear(newton *s, wal_solution *solution) {
  const wal_status status = wal_linear_polish(s->market, s->r, s->q, solution);
  if (status != WAL_OK) return status;
  s->gap = solution->certified_gap;
  report(s);
  return WAL_OK;
}

/* The prices of the best stage so far: kept, or the last one. */
static void best_stage(newton *s, const wal_solution *solution) {
  if (isfinite(solution->certified_gap))
    for (int j = 0; j < s->market->m; j++) s->q[j] = log(solution->price[j]);
  else if (s->last_r > 0.0)
    memcpy(s->q, s->last_q, (size_t)s->market->m * sizeof *s->q);
  else
    start(s);
}

/* Whether so few buyers are nearly tied at the present power, about n/r, that the polish, whose pivots cost
   the square of that, is cheaper than a stage, which costs n. */
static bool few_ties(const newton *s) { return s->r * s->r >= 4.0 * (double)s->market->n; }

/* Buyers of the stage at power r: prices of the first k are off by about 1/sqrt(k), Newton's region is about
   1/r wide. */
static int64_t stage_buyers(const newton *s, double r) {
  const double enough = 64.0 * r * r;
  return enough < (double)s->market->n ? (int64_t)enough : s->market->n;
}

/* Linear utilities as the limit of CES ones: r rises until few buyers are nearly tied, whom linear_polish.h
   then solves exactly. Should that fail, r rises on while the linear gap, about 1/r^2, exceeds the tolerance,
   and the best stage is returned. sampled: early stages take the first buyers, who need not be like the rest.
 */
static wal_status climb_linear(newton *s, bool sampled, double *clear /* [m] */, wal_solution *solution) {
  enum { STAGES = 18 };
  const double tol = s->options->newton.tol, exact = fmax(tol, 1e-12); /* to rounding */
  wal_status status = WAL_OK;
  s->r = 8.0;
  for (int stage = 0; stage < STAGES && solution->certified_gap > tol; stage++, next_stage(s, 4.0 * s->r)) {
    s->rows = sampled ? stage_buyers(s, s->r) : s->market->n;
    status = converge(s, stage_tolerance(s->r));
    solution->iterations = s->steps;
    if (status == WAL_OK && !few_ties(s)) continue;
    if (status == WAL_OK && polish_linear(s, solution) == WAL_OK && solution->certified_gap <= exact)
      return WAL_OK;
    if (status == WAL_OK) status = linear_gap(s, clear, &s->gap);
    if (status != WAL_OK || !(s->gap < solution->certified_gap)) break;
    if ((status = keep_stage(s, clear, solution)) != WAL_OK) break;
  }
  if (s->rows < s->market->n) return status;
  best_stage(s, solution);
  return polish_linear(s, solution) == WAL_OK ? WAL_OK : status;
}

static wal_status solve_linear(newton *s, wal_solution *solution) {
  const double tol = s->options->newton.tol, good = fmax(tol, 1e-6);
  double *clear = malloc((size_t)s->market->m * sizeof *clear);
  if (!clear) return wal_fail(WAL_E_MEMORY, "no memory for %d prices", s->market->m);
  solution->certified_gap = INFINITY;
  wal_status status = climb_linear(s, true, clear, solution);
  if (status == WAL_E_DIVERGED && !(solution->certified_gap <= good)) {
    start(s);
    status = climb_linear(s, false, clear, solution);
  }
  free(clear);
  if (status == WAL_E_MEMORY || (status == WAL_E_DIVERGED && !(solution->certified_gap <= good)))
    return status;
  if (solution->certified_gap <= good) return WAL_OK; /* the best stage will do */
  return wal_fail(WAL_E_DIVERGED, "gap %.3g at power %g; expected %g", s->gap, s->r, tol);
}

/* ---- the solver ---- */

static wal_status solve_ces(newton *s, double alpha, wal_solution *solution) {
  const bool single = s->options->newton.single;
  s->tol = single ? fmax(s->options->newton.tol, SINGLE_TOL) : s->options->newton.tol;
  start(s);
  if (alpha == 1.0) return solve_linear(s, solution);
  s->r = alpha / (1.0 - alpha);
  const wal_status status = solve_power(s, s->r);
  solution->iterations = s->steps;
  if (status != WAL_OK) return status;
  polish(s);
  solution->certified_gap = s->gap;
  for (int j = 0; j < s->market->m; j++) {
    solution->price[j] = exp(s->q[j]);
    if (!(solution->price[j] > 1e-280)) return left_the_doubles(s); /* 1/p would leave them next */
  }
  return wal_allocation_demand(s->market, solution->price, &solution->allocation);
}

static wal_status solve_with_room(newton *s, double *room, wal_solution *solution) {
  const int m = s->market->m;
  const double alpha = s->market->alpha;
  double **vectors[] = {&s->q, &s->trial, &s->dq, &s->f, &s->g, &s->c, &s->last_q, &s->at.share};
  for (int k = 0; k < 8; k++) *vectors[k] = room + (size_t)k * (size_t)m;
  s->matrix = room + 8 * (size_t)m;
  s->covariance = s->matrix + (size_t)m * (size_t)m;
  const bool plain = alpha == 0.0 || alpha == 0.5;
  wal_status status = wal_dual_create(s->market, plain ? WAL_WEIGHT_VALUE : WAL_WEIGHT_LOG,
                                      s->options->newton.single, &s->dual);
  if (status == WAL_OK) status = solve_ces(s, alpha, solution);
  wal_dual_destroy(s->dual);
  return status;
}

static wal_status solve(const wal_market *market, const wal_solver_options *options, const wal_trace *trace,
                        wal_solution *solution) {
  if (options->newton.single && !(market->alpha >= -10.0 && market->alpha <= 0.95)) {
    *solution = (wal_solution){.certified_gap = NAN};
    return wal_fail(WAL_E_UNSUPPORTED, "newton.single at alpha = %g; expected alpha in [-10, 0.95], or false",
                    market->alpha); /* beyond, powers of float32 roundings leave too little of the shares */
  }
  if (market->alpha == -INFINITY) return wal_leontief_solve(market, options, trace, solution);
  *solution = (wal_solution){.certified_gap = NAN};
  const size_t m = (size_t)market->m;
  newton s = {.market = market, .options = options, .trace = trace};
  double *room = malloc((8 * m + 2 * m * m) * sizeof *room);
  solution->price = malloc(m * sizeof *solution->price);
  const wal_status status = room && solution->price
                                ? solve_with_room(&s, room, solution)
                                : wal_fail(WAL_E_MEMORY, "no memory for %d prices", market->m);
  free(room);
  if (status != WAL_OK) wal_solution_destroy(solution);
  return status;
}

const wal_solver wal_solver_newton = {"newton",
                                      "Exact (dual log-Newton)",
                                      "this project, from marketfcnet corollary 5.7 and eq. 34",
                                      .alpha = "-inf, [-300, 1]",
                                      .sizes = "any n, streamed past 1 GiB; m to a few hundred",
                                      .seam = "dual",
                                      .solve = solve};
