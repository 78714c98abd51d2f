/* The exact solver for many goods. Usage: bench_many_goods [n [m [alpha [threads]]]]. Prints the steps, time,
   memory and the measured gap; exit status 1 when the result is wrong (never for being slow). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/clock.h"
#include "models/common/parallel.h"
#include "models/market/contexts.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"

static void print_row(void *begun, int count, const char *const names[], const double values[]) {
  for (int k = 0; k < count; k++) printf("%s %.3g  ", names[k], values[k]);
  printf("(%.1f s)\n", bench_seconds() - *(double *)begun);
  fflush(stdout);
}

static int fail(void) {
  fprintf(stderr, "bench_many_goods: %s\n", wal_error());
  return 1;
}

int main(int argc, char **argv) {
  const int64_t n = argc > 1 ? atoll(argv[1]) : 10000;
  const int m = argc > 2 ? atoi(argv[2]) : 500;
  const double alpha = argc > 3 ? atof(argv[3]) : 0.5;
  if (argc > 4) wal_threads_set(atoi(argv[4]));
  wal_solver_options options;
  wal_solver_defaults(&options);
  wal_context_market market;
  wal_solution solution;
  wal_measures measures;
  double begun = bench_seconds();
  const wal_trace trace = {.context = &begun, .row = print_row};
  if (wal_context_market_create(WAL_CONTEXTS_NORMAL, 1, n, m, 5, alpha, &market) != WAL_OK) return fail();
  if (wal_solver_solve(wal_solver_find("newton_cg"), &market.market, &options, &trace, &solution) != WAL_OK)
    return fail();
  const double solved = bench_seconds() - begun, cpu = bench_cpu_seconds(), memory = bench_peak_mb();
  begun = bench_seconds();
  if (wal_measure(&market.market, solution.allocation, solution.price, &measures) != WAL_OK) return fail();
  printf(
      "n = %lld, m = %d, alpha = %g, %d threads: %.1f s (%.1f s of processors), %lld passes, %.0f MB; "
      "certified %.1e\n",
      (long long)n, m, alpha, wal_threads(), solved, cpu, (long long)solution.iterations, memory,
      solution.certified_gap);
  printf("measured in %.1f s: NG %.1e, VoA %.1e, VoP %.1e\n", bench_seconds() - begun, measures.nash_gap,
         measures.voa, measures.vop);
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
  return !(fabs(measures.nash_gap) <= 1e-11);
}
