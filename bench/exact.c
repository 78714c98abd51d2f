/* The exact solver against its floor: what the same operations and bytes would take at this machine's
   measured rates. Usage: bench_exact [threads]. Prints text tables; exit status 1 when a result is wrong
   (never for being slow). */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/clock.h"
#include "models/common/parallel.h"
#include "models/market/contexts.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"

/* ---- the machine ---- */

enum { LANES = 8, CHAINS = 12, FMA_ROUNDS = 20000, REPEATS = 5 };
typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));

/* LANES x CHAINS x FMA_ROUNDS independent fused multiply-adds per chunk. */
static wal_status fma_body(void *context, int64_t lo, int64_t hi, double *sum) {
  (void)lo, (void)hi;
  const double *seed = context;
  double x[CHAINS][LANES];
  for (int c = 0; c < CHAINS; c++)
    for (int l = 0; l < LANES; l++) x[c][l] = seed[0] + c + l;
  for (int r = 0; r < FMA_ROUNDS; r++)
    for (int c = 0; c < CHAINS; c++)
      for (int l = 0; l < LANES; l++) x[c][l] = fma(x[c][l], seed[1], seed[2]);
  for (int c = 0; c < CHAINS; c++)
    for (int l = 0; l < LANES; l++) sum[0] += x[c][l];
  return WAL_OK;
}

/* Fused multiply-adds of doubles per second, all threads. */
static double fma_rate(void) {
  enum { CHUNKS = 32 };
  double seed[3] = {1.0, 0.999, 1e-3}, sum, best = 0.0;
  for (int k = 0; k < REPEATS; k++) {
    const double start = bench_seconds();
    wal_sum_chunks((int64_t)CHUNKS * WAL_CHUNK, 1, fma_body, seed, &sum);
    best = fmax(best, (double)CHUNKS * FMA_ROUNDS * CHAINS * LANES / (bench_seconds() - start));
  }
  return best;
}

typedef struct {
  double *a, *b;
} arrays;

static wal_status copy_body(void *context, int64_t lo, int64_t hi) {
  const arrays *p = context;
  memcpy(p->b + lo, p->a + lo, (size_t)(hi - lo) * sizeof(double));
  return WAL_OK;
}

/* Bytes per second of a large copy, reads and writes counted, all threads. */
static double bandwidth(void) {
  const int64_t count = (int64_t)1 << 23;
  arrays p = {malloc((size_t)count * sizeof(double)), malloc((size_t)count * sizeof(double))};
  double best = 0.0;
  if (p.a && p.b) {
    memset(p.a, 1, (size_t)count * sizeof(double));
    for (int k = 0; k < REPEATS; k++) {
      const double start = bench_seconds();
      wal_for_chunks(count, copy_body, &p);
      best = fmax(best, 2.0 * (double)count * sizeof(double) / (bench_seconds() - start));
    }
  }
  free(p.a);
  free(p.b);
  return best;
}

/* ---- the floor ---- */

/* Vector operations per buyer at alpha = 1/2, counted in the source, each as one slot of the FMA rate
   (integer operations, divisions and square roots too, which flatters the floor). */
static double operations(int m, int d, int passes) {
  const double philox = 10 * 6 / 2.0; /* per uniform: 10 rounds of 2 products, 2 shifts, 2 exclusive ors */
  const double normal =
      philox + 3 + 60 / 2;              /* Box-Muller pair: log 25, sine and cosine 30, root and products 5 */
  const double value = d + 20 + 18 + 4; /* inner product; softplus: exp, log1p on one side, the rest */
  const double pass = 4.0 * m + m + m * (m + 1) / 2.0 + 1; /* weights, normalisation, S, H */
  return d * normal + d + 1 + m * value + passes * pass;
}

/* The same in float32, of twice as many lanes: values made anew in every pass, H in all but the last. A
   64-bit operation of Philox takes the place of two. */
static double operations32(int m, int d, int passes) {
  const double philox = 2 * 10 * 6 + 6;     /* per pair of elements; 6: words to 32 bits */
  const double pair = philox + 8 + 18 + 21; /* distance to the nearer end, its log, root, sine and cosine */
  const double value = d + 24;              /* inner product; softplus */
  const double pass = d * pair / 2 + d + d + 1 + m * value + 2 * m + 2; /* interleaved; budget; weights, S */
  const double covariance = 2 * m + m * (m + 1) / 2.0;
  return passes * pass + (passes - 1) * covariance;
}

/* Bytes per buyer: values and budget written once, read in every later pass. */
static double bytes(int m, int passes) { return (m + 1) * 8.0 * passes; }

/* ---- the solver ---- */

typedef struct {
  double solve_s, cpu_s, gap; /* the least, the least, the largest */
  int64_t steps;
} timing;

static int solve_once(bool single, int64_t n, int m, double alpha, timing *out) {
  wal_solver_options options;
  wal_solver_defaults(&options);
  options.newton.single = single;
  wal_context_market market;
  wal_solution solution;
  wal_measures measures = {.nash_gap = NAN};
  const double start = bench_seconds(), cpu = bench_cpu_seconds();
  if (wal_context_market_create(WAL_CONTEXTS_NORMAL, 1, n, m, 5, alpha, &market) != WAL_OK) return 1;
  int failed =
      wal_solver_solve(wal_solver_find("newton"), &market.market, &options, NULL, &solution) != WAL_OK;
  out->solve_s = fmin(out->solve_s, bench_seconds() - start);
  out->cpu_s = fmin(out->cpu_s, bench_cpu_seconds() - cpu);
  if (!failed) {
    failed = wal_measure(&market.market, solution.allocation, solution.price, &measures) != WAL_OK;
    out->gap = fmax(out->gap, fabs(measures.nash_gap));
    out->steps = solution.iterations;
    wal_solution_destroy(&solution);
  }
  wal_context_market_destroy(&market);
  if (failed) fprintf(stderr, "bench_exact: %s\n", wal_error());
  return failed || !(out->gap <= 1e-12);
}

static int best_of(int repeats, bool single, int64_t n, int m, double alpha, timing *out) {
  int failed = 0;
  *out = (timing){INFINITY, INFINITY, 0.0, 0};
  for (int k = 0; k < repeats; k++) failed |= solve_once(single, n, m, alpha, out);
  return failed;
}

static int floor_table(bool single, double fma, double speed) {
  const int64_t n = (int64_t)1 << 20;
  const int m = 10, d = 5;
  timing t;
  const int failed = best_of(7, single, n, m, 0.5, &t), passes = (int)t.steps;
  const double compute =
      (double)n * (single ? operations32(m, d, passes) / 2 : operations(m, d, passes)) / fma;
  const double memory = single ? 0.0 : (double)n * bytes(m, passes) / speed;
  const double floor = fmax(compute, memory);
  printf("whole solve in %s, n = 2^20, m = 10, alpha = 0.5 (contexts, values, %d full passes):\n",
         single ? "float32, nothing kept" : "double", passes);
  printf("  floor: operations %.1f ms, bytes %.1f ms, the larger %.1f ms (their sum %.1f ms)\n",
         1e3 * compute, 1e3 * memory, 1e3 * floor, 1e3 * (compute + memory));
  printf(
      "  measured %.1f ms (CPU %.1f ms) = %.2f x floor (%.2f x the sum); peak memory %.0f MB; |NG| %.1e\n\n",
      1e3 * t.solve_s, 1e3 * t.cpu_s, t.solve_s / floor, t.solve_s / (compute + memory), bench_peak_mb(),
      t.gap);
  return failed;
}

static int linearity_table(bool single) {
  int failed = 0;
  printf("%8s %10s %14s %6s %10s\n", "n", "solve, ms", "ns per buyer", "steps", "|NG|");
  for (int k = 16; k <= 22; k++) {
    timing t;
    failed |= best_of(k < 20 ? 5 : 2, single, (int64_t)1 << k, 10, 0.5, &t);
    printf("    2^%02d %10.2f %14.2f %6lld %10.1e\n", k, 1e3 * t.solve_s,
           1e9 * t.solve_s / (double)((int64_t)1 << k), (long long)t.steps, t.gap);
  }
  return failed;
}

static int alpha_table(bool single) {
  const double alphas[] = {0.9, 0.25, 0.0, -1.0, -4.0, -INFINITY}; /* the last not in float32 */
  int failed = 0;
  printf("\n%8s %10s %6s %10s   (n = 2^18, m = 10)\n", "alpha", "solve, ms", "steps", "|NG|");
  for (int k = 0; k < (single ? 5 : 6); k++) {
    timing t;
    failed |= best_of(3, single, (int64_t)1 << 18, 10, alphas[k], &t);
    printf("%8g %10.2f %6lld %10.1e\n", alphas[k], 1e3 * t.solve_s, (long long)t.steps, t.gap);
  }
  return failed;
}

int main(int argc, char **argv) {
  if (argc > 1) wal_threads_set(atoi(argv[1]));
  const double fma = fma_rate(), speed = bandwidth();
  printf("%d threads: %.1f G FMA/s (double), %.1f GB/s (copy)\n\n", wal_threads(), 1e-9 * fma, 1e-9 * speed);
  int failed = floor_table(true, fma, speed) | floor_table(false, fma, speed);
  for (int single = 1; single >= 0; single--) {
    printf("in %s:\n", single ? "float32" : "double");
    failed |= linearity_table(single) | alpha_table(single);
  }
  return failed;
}
