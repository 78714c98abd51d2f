/* Tatonnement in log prices (Walras 1874, lesson 12): the price of a good rises with its excess demand,
     q_j <- q_j + gamma F_j(q),   F_j = log(S_j / (Y_j p_j)),   q = log p,  S_j what buyers spend at p.
   With r = alpha/(1-alpha), M = diag(S)^-1 sum_i B_i s_i s_i^T (a stochastic matrix with eigenvalues 1 = mu_1
   > mu_2 >=
   ... >= 0) and the common factor of the prices fixed by sum_j Y_j p_j = sum_i B_i, the Jacobian is
     J = (1 - gamma (1 + r)) I + gamma r M   on the rest.
   The default gamma converges from every start:
     alpha >= 0, gamma = 1 - alpha: J = alpha M everywhere, so a step contracts log prices by alpha in the
   maximum norm, and in the end by alpha mu_2 (Codenotti, Pemmaraju and Varadarajan 2005 show tatonnement's
   polynomial time for gross substitutes); alpha < 0, gamma = 1: sum_j Y_j p_j - sum_j S_j log p_j majorises
   the dual objective (corollary 5.7 of marketfcnet), whose second term is concave in q, and the step is its
   minimiser: the objective falls in every step; the rate is |r| (1 - mu_m), at most |r| < 1. At alpha = -inf
   this is the EM algorithm of a mixture's proportions. gamma = 1 - alpha has rate |alpha| mu_2 and is stable
   only while that is below 1. (Cheung, Cole and Devanur, STOC 2013, have linear rates for the linear price
   update and alpha < 0.)

   Anderson's acceleration (Anderson 1965; type II as in Walker and Ni 2011) over the last `memory` steps,
   norms weighted by S. Safeguard: a step that does not lower the certified gap is undone, the memory is
   dropped, and plain steps from the best point follow until they have halved its gap; so it converges where
   the plain iteration does. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/market/certificate.h"
#include "models/market/dense.h"
#include "models/market/solvers.h"

typedef struct {
  const wal_market *market;
  wal_demand demand;
  double gamma;
  int memory, kept;        /* at most, and at present */
  int64_t newest;          /* differences stored so far; the next goes to row newest % memory */
  bool moved;              /* last_q, last_f hold the point before */
  bool plain;              /* after a failed acceleration */
  double best_gap;         /* of best_q */
  double *q;               /* [m] log prices */
  double *best_q, *best_f; /* [m] */
  double *last_q, *last_f; /* [m] */
  double *dq, *df;         /* [memory, m] differences of successive q and F */
  double *gram, *weight;   /* [memory, memory], [memory] */
} tatonnement;

static void remember(tatonnement *s) {
  const int m = s->market->m;
  if (s->moved) {
    double *dq = s->dq + s->newest % s->memory * m, *df = s->df + s->newest % s->memory * m;
    for (int j = 0; j < m; j++) {
      dq[j] = s->q[j] - s->last_q[j];
      df[j] = s->demand.f[j] - s->last_f[j];
    }
    s->newest++;
    s->kept = s->kept < s->memory ? s->kept + 1 : s->memory;
  }
  memcpy(s->last_q, s->q, (size_t)m * sizeof *s->q);
  memcpy(s->last_f, s->demand.f, (size_t)m * sizeof *s->q);
  s->moved = true;
}

static double inner(const tatonnement *s, const double *a, const double *b) {
  double sum = 0.0;
  for (int j = 0; j < s->market->m; j++) sum += s->demand.share[j] * a[j] * b[j];
  return sum;
}

/* weight[kept]: the combination of differences nearest to F. False where they do not determine one. */
static bool combine(tatonnement *s) {
  const int m = s->market->m, k = s->kept;
  for (int a = 0; a < k; a++) {
    for (int b = 0; b <= a; b++) s->gram[a * k + b] = inner(s, s->df + a * m, s->df + b * m);
    s->gram[a * k + a] *= 1.0 + 1e-12;
    s->weight[a] = inner(s, s->df + a * m, s->demand.f);
  }
  return k > 0 && wal_cholesky_solve(k, s->gram, s->weight);
}

/* q + gamma F, less the combination's share of both. */
static void move(tatonnement *s, bool accelerate) {
  const int m = s->market->m;
  const bool combined = accelerate && combine(s);
  for (int j = 0; j < m; j++) {
    double step = s->gamma * s->demand.f[j];
    for (int a = 0; combined && a < s->kept; a++)
      step -= s->weight[a] * (s->dq[a * m + j] + s->gamma * s->df[a * m + j]);
    s->q[j] += step;
  }
}

/* The head's safeguard at a point just evaluated; then the next step. */
static void advance(tatonnement *s) {
  const size_t bytes = (size_t)s->market->m * sizeof *s->q;
  if (s->demand.gap < (s->plain ? 0.5 : 1.0) * s->best_gap) {
    s->best_gap = s->demand.gap;
    memcpy(s->best_q, s->q, bytes);
    memcpy(s->best_f, s->demand.f, bytes);
    s->plain = false;
  } else if (!s->plain) {
    s->plain = true;
    if (s->kept > 0) { /* the step was accelerated */
      memcpy(s->q, s->best_q, bytes);
      memcpy(s->demand.f, s->best_f, bytes);
    }
    s->kept = 0;
    s->moved = false;
  }
  if (!s->plain) remember(s);
  move(s, !s->plain);
}

static wal_status show(const tatonnement *s, const wal_trace *trace, int64_t step, wal_solution *solution) {
  static const char *const names[] = {"step", "gap"};
  const double values[] = {(double)step, s->demand.gap};
  wal_trace_row(trace, 2, names, values);
  if (!trace || !trace->state) return WAL_OK;
  const wal_status status = wal_demand_pair(&s->demand, s->q, solution);
  if (status == WAL_OK) wal_trace_state(trace, step, solution->allocation, solution->price);
  wal_allocation_destroy(solution->allocation);
  solution->allocation = NULL;
  return status;
}

static wal_status iterate(tatonnement *s, const wal_solver_options *options, const wal_trace *trace,
                          wal_solution *solution) {
  const double tol = options->tatonnement.tol;
  const int most = options->tatonnement.max_steps;
  for (int step = 1;; step++) {
    wal_status status = wal_demand_at(&s->demand, s->q);
    if (status == WAL_OK) status = show(s, trace, step, solution);
    if (status != WAL_OK) return status;
    solution->iterations = step;
    solution->certified_gap = s->demand.gap;
    if (s->demand.gap <= tol) return wal_demand_pair(&s->demand, s->q, solution);
    if (step >= most)
      return wal_fail(
          WAL_E_DIVERGED,
          "gap %.3g after %d steps; expected %g (tatonnement.max_steps, .tol; .gamma: 0 always converges)",
          s->demand.gap, step, tol);
    if (s->memory > 0)
      advance(s);
    else
      move(s, false);
    wal_trace_progress(trace, (double)step / most, "steps");
  }
}

static wal_status set_up(tatonnement *s, double **room) {
  const size_t m = (size_t)s->market->m, k = (size_t)s->memory;
  *room = malloc((5 * m + 2 * k * m + k * k + k) * sizeof **room);
  if (!*room) return wal_fail(WAL_E_MEMORY, "no memory for %zu steps of %d prices", k, s->market->m);
  double **vectors[] = {&s->q, &s->best_q, &s->best_f, &s->last_q, &s->last_f};
  for (size_t v = 0; v < 5; v++) *vectors[v] = *room + v * m;
  s->dq = *room + 5 * m;
  s->df = s->dq + k * m;
  s->gram = s->df + k * m;
  s->weight = s->gram + k * k;
  for (size_t j = 0; j < m; j++) s->q[j] = -log(s->market->supply[j]);
  return wal_demand_create(s->market, false, &s->demand);
}

static wal_status solve(const wal_market *market, const wal_solver_options *options, const wal_trace *trace,
                        wal_solution *solution) {
  *solution = (wal_solution){.certified_gap = NAN};
  const double alpha = market->alpha, gamma = options->tatonnement.gamma;
  if (alpha == 1.0)
    return wal_fail(WAL_E_UNSUPPORTED,
                    "tatonnement does not converge at alpha = 1, where demand jumps; pr and newton take it");
  tatonnement s = {.market = market, .best_gap = INFINITY};
  s.gamma = gamma > 0.0 ? gamma : 1.0 - fmax(alpha, 0.0);
  s.memory = options->tatonnement.memory < market->m ? options->tatonnement.memory : market->m - 1;
  double *room = NULL;
  wal_status status = set_up(&s, &room);
  solution->price = malloc((size_t)market->m * sizeof *solution->price);
  if (status == WAL_OK && !solution->price)
    status = wal_fail(WAL_E_MEMORY, "no memory for %d prices", market->m);
  if (status == WAL_OK) status = iterate(&s, options, trace, solution);
  wal_demand_destroy(&s.demand);
  free(room);
  if (status != WAL_OK) wal_solution_destroy(solution);
  return status;
}

const wal_solver wal_solver_tatonnement = {
    "tatonnement",
    "Tatonnement",
    "Walras 1874; Anderson 1965, Walker and Ni 2011 (type II); rates: tatonnement.c",
    .alpha = "[-inf, 1)",
    .sizes = "any n, streamed past 1 GiB",
    .seam = "dual",
    .solve = solve};
