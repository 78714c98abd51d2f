/* Every iterative solver on the same contextual markets, to the same certified gap, in one run: times, steps
   and the ratio to the exact solver. Usage: bench_solvers [log2 n = 16] [threads] [repeats = 3] [paper].
   `paper` adds the paper's EG, minutes at 2^16. The time is the processor's, of the whole solve, values
   generated included; the least of the repeats, methods in turns. Prints text tables; exit status 1 when a
   result is worse than asked for (never for being slow). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/clock.h"
#include "models/common/parallel.h"
#include "models/market/contexts.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"

typedef struct {
  const char *label, *solver;
  double tol;
  int memory;   /* tatonnement's */
  double gamma; /* tatonnement's, in units of 1 - alpha; 0: the default */
} method;

static const method methods[] = {
    {"newton", "newton", 1e-10, 0, 0},
    {"tatonnement + Anderson(8)", "tatonnement", 1e-10, 8, 0},
    {"tatonnement + Anderson(8), gamma = 1 - alpha", "tatonnement", 1e-10, 8, 1},
    {"tatonnement", "tatonnement", 1e-10, 0, 0},
    {"tatonnement, gamma = 1 - alpha", "tatonnement", 1e-10, 0, 1},
    {"proportional response", "pr", 1e-10, 0, 0},
    {"newton to 1e-3", "newton", 1e-3, 0, 0},
    {"EG, well-scaled", "eg_scaled", 1e-3, 0, 0},
    {"EG-m (paper)", "eg_m", 1e-3, 0, 0},
    {"EG (paper)", "eg", 1e-3, 0, 0},
};
enum { METHODS = sizeof methods / sizeof *methods, PAPER = 2 /* the last ones */ };

/* alpha = 1, where first-order methods are slower than linear */
static const method linear_methods[] = {
    {"newton", "newton", 1e-10, 0, 0},
    {"block, to 1e-6", "block", 1e-6, 0, 0},
    {"block, to 1e-3", "block", 1e-3, 0, 0},
    {"proportional response, to 1e-3", "pr", 1e-3, 0, 0},
    {"EG, well-scaled, to 1e-3", "eg_scaled", 1e-3, 0, 0},
};
enum { LINEAR_METHODS = sizeof linear_methods / sizeof *linear_methods };

typedef struct {
  double seconds, gap;
  int64_t steps;
  char failure[160]; /* "" if none */
} result;

/* Of the processor, all threads together: a neighbour on a shared machine counts for less. */
static wal_solver_options options_of(const method *m, double alpha) {
  wal_solver_options o;
  wal_solver_defaults(&o);
  o.newton.tol = o.tatonnement.tol = o.pr.tol = o.block.tol = o.eg_scaled.tol = o.eg.stop_gap = m->tol;
  o.tatonnement.memory = m->memory;
  o.tatonnement.gamma = m->gamma * (1.0 - alpha);
  return o;
}

static void solve_once(const method *way, const wal_market *market, result *out) {
  const wal_solver_options options = options_of(way, market->alpha);
  wal_solution solution;
  wal_measures measures;
  const double start = bench_cpu_seconds();
  wal_status status = wal_solver_solve(wal_solver_find(way->solver), market, &options, NULL, &solution);
  out->seconds = fmin(out->seconds, bench_cpu_seconds() - start);
  if (status == WAL_OK) {
    out->steps = solution.iterations;
    status = wal_measure(market, solution.allocation, solution.price, &measures);
    if (status == WAL_OK) out->gap = measures.nash_gap;
    wal_solution_destroy(&solution);
  }
  if (status != WAL_OK) snprintf(out->failure, sizeof out->failure, "%s", wal_error());
}

/* The paper's EG is the one method that stops after a number of steps, whatever its gap. */
static int print_row(const method *m, const result *r, double newton) {
  if (r->failure[0]) {
    printf("  %-46s %10.1f   %s\n", m->label, 1e3 * r->seconds, r->failure);
    return 0;
  }
  printf("  %-46s %10.1f %8lld %10.1e %10.1f\n", m->label, 1e3 * r->seconds, (long long)r->steps, r->gap,
         r->seconds / newton);
  return strncmp(m->solver, "eg", 3) != 0 && !(fabs(r->gap) <= m->tol);
}

static int table(int64_t n, double alpha, int repeats, const method *ways, int count) {
  wal_context_market drawn;
  if (wal_context_market_create(WAL_CONTEXTS_NORMAL, 1, n, 10, 5, alpha, &drawn) != WAL_OK) return 1;
  result results[METHODS]; /* of `count` */
  for (int k = 0; k < count; k++) results[k] = (result){.seconds = INFINITY, .gap = NAN};
  for (int turn = 0; turn < repeats; turn++)
    for (int k = 0; k < count; k++)
      if (turn == 0 || results[k].seconds < 1.0) solve_once(&ways[k], &drawn.market, &results[k]);
  printf("\nalpha = %g, n = %lld, m = 10\n  %-46s %10s %8s %10s %10s\n", alpha, (long long)n, "", "CPU ms",
         "steps", "NG", "x newton");
  int failed = 0;
  for (int k = 0; k < count; k++) failed |= print_row(&ways[k], &results[k], results[0].seconds);
  wal_context_market_destroy(&drawn);
  return failed;
}

int main(int argc, char **argv) {
  const int64_t n = (int64_t)1 << (argc > 1 ? atoi(argv[1]) : 16);
  if (argc > 2) wal_threads_set(atoi(argv[2]));
  const int repeats = argc > 3 ? atoi(argv[3]) : 3;
  const int count = argc > 4 && strcmp(argv[4], "paper") == 0 ? METHODS : METHODS - PAPER;
  const double alphas[] = {0.5, -1.0, 0.9};
  printf("%d threads, the least of %d solves (of one where it takes over 1 s)\n", wal_threads(), repeats);
  int failed = 0;
  for (int k = 0; k < 3; k++) failed |= table(n, alphas[k], repeats, methods, count);
  failed |= table(n, 1.0, repeats, linear_methods, LINEAR_METHODS);
  return failed;
}
