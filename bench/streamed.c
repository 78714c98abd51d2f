/* The exact solver on a population that no memory holds: buyers are generated, used and forgotten in every
   pass. Usage: bench_streamed [log2 n, default 26]. Prints a text table for one thread and for two; exit
   status 1 when a result is wrong (never for being slow). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/clock.h"
#include "models/common/parallel.h"
#include "models/market/contexts.h"
#include "models/market/solver.h"

/* Buyers seen by all passes, from the rows of the trace. */
static void add_buyers(void *context, int count, const char *const names[], const double values[]) {
  for (int k = 0; k < count; k++)
    if (strcmp(names[k], "buyers") == 0) *(double *)context += values[k];
}

static int solve(int64_t n, int threads) {
  wal_threads_set(threads);
  wal_solver_options options;
  wal_solver_defaults(&options);
  options.newton.single = true;
  wal_context_market market;
  wal_solution solution;
  double buyers = 0.0;
  const wal_trace trace = {.context = &buyers, .row = add_buyers};
  if (wal_context_market_create(WAL_CONTEXTS_NORMAL, 1, n, 10, 5, 0.5, &market) != WAL_OK) return 1;
  const double clock = bench_seconds(), cpu = bench_cpu_seconds();
  const wal_status status =
      wal_solver_solve(wal_solver_find("newton"), &market.market, &options, &trace, &solution);
  const double s = bench_seconds() - clock, cpu_s = bench_cpu_seconds() - cpu;
  wal_context_market_destroy(&market);
  if (status != WAL_OK) {
    fprintf(stderr, "bench_streamed: %s\n", wal_error());
    return 1;
  }
  printf("%7d %10.3f %10.3f %14.2f %14.2f %7lld %9.3f %14.1e %11.0f\n", threads, s, cpu_s,
         1e9 * s / (double)n, 1e9 * cpu_s / buyers, (long long)solution.iterations, buyers / (double)n,
         solution.certified_gap, bench_peak_mb());
  const int failed = !(solution.certified_gap <= 1e-12);
  wal_solution_destroy(&solution);
  return failed;
}

int main(int argc, char **argv) {
  const int k = argc > 1 ? atoi(argv[1]) : 26;
  if (k < 0 || k > 40) {
    fprintf(stderr, "bench_streamed: log2 n is '%s'; expected 0 to 40 (26 works)\n", argv[1]);
    return 2;
  }
  printf("n = 2^%d, m = 10, alpha = 0.5, float32 (passes: over all buyers; all: with those for the start)\n",
         k);
  printf("%7s %10s %10s %14s %14s %7s %9s %14s %11s\n", "threads", "clock, s", "CPU, s", "ns per buyer",
         "CPU ns, a pass", "passes", "all", "certified gap", "memory, MB");
  int failed = 0;
  for (int threads = 1; threads <= 2; threads++) failed |= solve((int64_t)1 << k, threads);
  return failed;
}
