/* Exact Leontief equilibria (alpha = -inf): minimise D(p) = sum_j Y_j p_j - sum_i B_i log sum_j p_j/v_ij over
   p >= 0 (eq. 33), where most prices may be 0. Gradient Y - z with z_j = sum_i B_i (1/v_ij) / sum_k
   (p_k/v_ik), the demand; Hessian H = sum_i B_i a_i a_i^T / (a_i.p)^2, a = 1/v. Sequential quadratic
   programming: since H p = z, the model's minimiser over non-negative prices is argmin_{y >= 0} y^T H y / 2 -
   (2z - Y)^T y, a non-negative least-squares problem in m variables; then a line search on D. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/market/dense.h"
#include "models/market/dual.h"
#include "models/market/solvers.h"

typedef struct {
  const wal_market *market;
  wal_dual *dual;
  double *p, *trial, *target; /* [m] prices, a trial point, the model's minimiser */
  double *ones, *linear;      /* [m] */
  double *sub_matrix, *sub;   /* [m, m], [m]: the free goods' system */
  int *free_goods;            /* [m] */
  wal_dual_sums at;
  double objective;
} leontief;

static wal_status evaluate(leontief *s, const double *p) {
  const wal_dual_point point = {.g = s->ones, .c = p, .log_wanted = true};
  const wal_status status = wal_dual_pass(s->dual, s->market->n, &point, &s->at);
  s->objective = -s->at.log_sum;
  for (int j = 0; j < s->market->m; j++) s->objective += s->market->supply[j] * p[j];
  return status;
}

/* The gap of p (scaled to sum Y p = sum B) with the demand scaled good by good to clear: every buyer's
   utility falls by the same factor min_j Y_j/z_j, so NG = log max_j z_j/Y_j. */
static double leontief_gap(const leontief *s) {
  double most = 0.0;
  for (int j = 0; j < s->market->m; j++) most = fmax(most, s->at.share[j] / s->market->supply[j]);
  return log(most);
}

/* Solves the free goods' equations H_FF y_F = linear_F into target (0 elsewhere). */
static bool solve_free(leontief *s, int count) {
  const int m = s->market->m;
  for (int a = 0; a < count; a++) {
    const int j = s->free_goods[a];
    for (int b = 0; b < count; b++) s->sub_matrix[a * count + b] = s->at.covariance[j * m + s->free_goods[b]];
    s->sub_matrix[a * count + a] *=
        1.0 + 1e-13; /* goods that all buyers value alike: any split of the price will do */
    s->sub[a] = s->linear[j];
  }
  return wal_cholesky_solve(count, s->sub_matrix, s->sub);
}

/* Lawson and Hanson's active-set method on argmin_{y >= 0} y^T H y/2 - linear^T y, started from y = 0. */
static bool nonnegative_model(leontief *s) {
  const int m = s->market->m;
  double *y = s->target;
  int count = 0;
  memset(y, 0, (size_t)m * sizeof *y);
  for (int round = 0; round < 10 * m + 10; round++) {
    int enter = -1;
    double steepest = 0.0;
    for (int j = 0; j < m; j++) { /* the bound good whose increase helps most */
      double slope = s->linear[j];
      bool is_free = false;
      for (int a = 0; a < count; a++) is_free |= s->free_goods[a] == j;
      for (int k = 0; k < m; k++) slope -= s->at.covariance[j * m + k] * y[k];
      const double relative = slope / s->market->supply[j];
      if (!is_free && relative > fmax(steepest, 1e-14)) steepest = relative, enter = j;
    }
    if (enter < 0) return true;
    s->free_goods[count++] = enter;
    while (count > 0) {
      if (!solve_free(s, count)) return false;
      double t = 1.0; /* how far towards the solution before some price is negative */
      for (int a = 0; a < count; a++)
        if (s->sub[a] <= 0.0) {
          const double from = y[s->free_goods[a]];
          t = fmin(t, from / (from - s->sub[a]));
        }
      int kept = 0;
      for (int a = 0; a < count; a++) {
        const int j = s->free_goods[a];
        const bool leaves = s->sub[a] <= 0.0 && y[j] + t * (s->sub[a] - y[j]) <= 1e-15 * fabs(s->sub[a]);
        y[j] = leaves ? 0.0 : y[j] + t * (s->sub[a] - y[j]);
        if (!leaves) s->free_goods[kept++] = j;
      }
      const bool done = kept == count;
      count = kept;
      if (done) break;
    }
  }
  return false;
}

static void normalise(const leontief *s, double *p) {
  double worth = 0.0;
  for (int j = 0; j < s->market->m; j++) worth += s->market->supply[j] * p[j];
  for (int j = 0; j < s->market->m; j++) p[j] *= s->at.budget / worth;
}

/* One SQP step with Armijo's rule; at the end the sums are those at p. */
static wal_status step(leontief *s) {
  const int m = s->market->m;
  for (int j = 0; j < m; j++) s->linear[j] = 2.0 * s->at.share[j] - s->market->supply[j];
  if (!nonnegative_model(s))
    return wal_fail(WAL_E_DIVERGED, "the quadratic model of the Leontief dual is singular");
  double slope = 0.0;
  const double before = s->objective;
  for (int j = 0; j < m; j++) slope += (s->market->supply[j] - s->at.share[j]) * (s->target[j] - s->p[j]);
  for (double t = 1.0; t > 1e-8; t *= 0.5) {
    for (int j = 0; j < m; j++) s->trial[j] = s->p[j] + t * (s->target[j] - s->p[j]);
    const wal_status status = evaluate(s, s->trial);
    if (status != WAL_OK) return status;
    /* close to the minimum the decrease drowns in the objective's rounding */
    if (s->objective <= before + 1e-4 * t * slope + 1e-13 * fabs(before)) break;
  }
  memcpy(s->p, s->trial, (size_t)m * sizeof *s->p);
  return WAL_OK;
}

static wal_status run(leontief *s, const wal_solver_options *options, const wal_trace *trace,
                      wal_solution *solution) {
  static const char *const names[] = {"step", "buyers", "objective", "gap"};
  const int m = s->market->m;
  for (int j = 0; j < m; j++) s->ones[j] = 1.0, s->p[j] = 1.0 / s->market->supply[j];
  wal_status status = evaluate(s, s->p);
  if (status == WAL_OK) normalise(s, s->p), status = evaluate(s, s->p);
  double best = INFINITY;
  for (int64_t k = 0; status == WAL_OK; k++) {
    /* y and z are homogeneous: scaling p by t divides z by t */
    const double gap = leontief_gap(s), values[] = {(double)k, (double)s->market->n, s->objective, gap};
    wal_trace_row(trace, 4, names, values);
    solution->iterations = k;
    if (gap < best) {
      best = gap;
      memcpy(solution->price, s->p, (size_t)m * sizeof *s->p);
      for (int j = 0; j < m; j++) s->linear[j] = s->market->supply[j] / s->at.share[j];
      wal_allocation_destroy(solution->allocation);
      solution->allocation = NULL;
      status = wal_allocation_demand_scaled(s->market, NAN, s->p, s->linear, &solution->allocation);
      solution->certified_gap = fabs(gap);
      if (status != WAL_OK) return status;
    }
    if (gap <= options->newton.tol) return WAL_OK;
    if (k >= options->newton.max_steps)
      return wal_fail(WAL_E_DIVERGED, "gap %.3g after %lld steps; expected %g (newton.max_steps: %d)", gap,
                      (long long)k, options->newton.tol, options->newton.max_steps);
    status = step(s);
    if (status == WAL_OK) normalise(s, s->p), status = evaluate(s, s->p);
  }
  return status;
}

wal_status wal_leontief_solve(const wal_market *market, const wal_solver_options *options,
                              const wal_trace *trace, wal_solution *solution) {
  *solution = (wal_solution){.certified_gap = NAN};
  const size_t m = (size_t)market->m;
  leontief s = {.market = market};
  double *room = malloc((7 * m + 2 * m * m) * sizeof *room);
  s.free_goods = malloc(m * sizeof *s.free_goods);
  solution->price = malloc(m * sizeof *solution->price);
  wal_status status = WAL_OK;
  if (!room || !s.free_goods || !solution->price) {
    status = wal_fail(WAL_E_MEMORY, "no memory for %d prices", market->m);
  } else {
    double **vectors[] = {&s.p, &s.trial, &s.target, &s.ones, &s.linear, &s.sub, &s.at.share};
    for (size_t k = 0; k < 7; k++) *vectors[k] = room + k * m;
    s.sub_matrix = room + 7 * m;
    s.at.covariance = s.sub_matrix + m * m;
    status = wal_dual_create(market, WAL_WEIGHT_INVERSE, false, &s.dual);
    if (status == WAL_OK) status = run(&s, options, trace, solution);
  }
  wal_dual_destroy(s.dual);
  free(s.free_goods);
  free(room);
  if (status != WAL_OK) wal_solution_destroy(solution);
  return status;
}
