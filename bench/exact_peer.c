/* Our side of bench/exact_peer.py. Usage: bench_exact_peer FILE n m alpha [seed]: writes the contextual
   market's values [n, m] and budgets [n] to FILE (doubles), solves it repeatedly for 0.3 s on one thread, and
   prints the least milliseconds of the processor, log Nash welfare and Nash gap. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/clock.h"
#include "models/common/parallel.h"
#include "models/market/contexts.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"

static wal_status write_market(const wal_market *market, const char *path, double *v, double *budget) {
  const size_t cells = (size_t)market->n * (size_t)market->m, n = (size_t)market->n;
  const wal_status status = market->buyers->ops->rows(market->buyers, 0, market->n, v, budget);
  if (status != WAL_OK) return status;
  FILE *file = fopen(path, "wb");
  const int written =
      file && fwrite(v, sizeof *v, cells, file) == cells && fwrite(budget, sizeof *v, n, file) == n;
  if (!file || fclose(file) != 0 || !written) return wal_fail(WAL_E_INPUT, "cannot write %s", path);
  return WAL_OK;
}

/* Solves the values in memory, as the peer does. */
static wal_status solve(const wal_market *drawn, const double *v, const double *budget) {
  wal_source *source;
  wal_status status = wal_source_dense(drawn->n, drawn->m, v, budget, &source);
  if (status != WAL_OK) return status;
  wal_market market = *drawn;
  market.buyers = source;
  wal_solver_options options;
  wal_solver_defaults(&options);
  wal_measures measures = {.nash_gap = NAN};
  double best = INFINITY;
  for (const double begun = bench_cpu_seconds(); status == WAL_OK && bench_cpu_seconds() - begun < 0.3;) {
    wal_solution solution;
    const double start = bench_cpu_seconds();
    status = wal_solver_solve(wal_solver_find("newton"), &market, &options, NULL, &solution);
    best = fmin(best, bench_cpu_seconds() - start);
    if (status != WAL_OK) break;
    if (isnan(measures.nash_gap))
      status = wal_measure(&market, solution.allocation, solution.price, &measures);
    wal_solution_destroy(&solution);
  }
  if (status == WAL_OK) printf("%.6f %.15g %.3g\n", 1e3 * best, measures.lnw, measures.nash_gap);
  wal_source_destroy(source);
  return status;
}

int main(int argc, char **argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: bench_exact_peer FILE n m alpha [seed]\n");
    return 2;
  }
  wal_threads_set(1);
  const int64_t n = atoll(argv[2]);
  const int m = atoi(argv[3]);
  const uint64_t seed = argc > 5 ? (uint64_t)atoll(argv[5]) : 1;
  double *v = malloc((size_t)n * ((size_t)m + 1) * sizeof *v), *budget = v ? v + n * m : NULL;
  wal_context_market drawn = {0};
  wal_status status = v ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for %lld buyers", (long long)n);
  if (status == WAL_OK)
    status = wal_context_market_create(WAL_CONTEXTS_NORMAL, seed, n, m, 5, atof(argv[4]), &drawn);
  if (status == WAL_OK) status = write_market(&drawn.market, argv[1], v, budget);
  if (status == WAL_OK) status = solve(&drawn.market, v, budget);
  if (status != WAL_OK) fprintf(stderr, "bench_exact_peer: %s\n", wal_error());
  wal_context_market_destroy(&drawn);
  free(v);
  return status != WAL_OK;
}
