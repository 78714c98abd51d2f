/* Maximum Nash welfare: milliseconds of the processor per market on one core, iterations and certified gaps.
   usage: bench_nashwelfare [rounds]                           the table; medians over the rounds
          bench_nashwelfare scale [largest]                    n = m = 25, 50, ... up to 200
          bench_nashwelfare certify N M COUNT                  every family: largest gap of COUNT markets
          bench_nashwelfare write FILE FAMILY N M COUNT        markets for bench/nashwelfare_peer.py
          bench_nashwelfare judge FILE FAMILY N M COUNT        log-welfare that allocations in FILE lack
   Market k of a family is models/nashwelfare/families.c's with seed 1. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/clock.h"
#include "models/common/parallel.h"
#include "models/nashwelfare/families.h"
#include "models/nashwelfare/nash_welfare.h"

static void check(wal_status status) {
  if (status == WAL_OK) return;
  fprintf(stderr, "%s\n", wal_error());
  exit(1);
}

static wal_nw_market draw(const char *family, int64_t k, int n, int m) {
  const wal_family *f = wal_family_find(family);
  wal_nw_market market;
  if (!f) {
    fprintf(stderr, "no family %s\n", family);
    exit(1);
  }
  check(f->draw(1, k, n, m, &market));
  return market;
}

/* Seconds of the processor. */
static double solve(const wal_nw_market *market, wal_nw_solution *out) {
  const double start = bench_cpu_seconds();
  check(wal_nw_maximise(market, NULL, out));
  return bench_cpu_seconds() - start;
}

static int by_value(const void *a, const void *b) {
  return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

/* ---- the table ---- */

static void time_size(const char *family, int n, int m, int count, int rounds) {
  enum { ROUNDS = 101 };
  double times[ROUNDS] = {0}, gap = 0, iterations = 0;
  if (rounds > ROUNDS) rounds = ROUNDS;
  for (int k = 0; k < count; k++) {
    wal_nw_market market = draw(family, k, n, m);
    for (int r = 0; r < rounds; r++) {
      wal_nw_solution s;
      times[r] += solve(&market, &s) / count;
      gap = fmax(gap, s.gap);
      iterations += (double)s.iterations / count / rounds;
      wal_nw_solution_destroy(&s);
    }
    wal_nw_market_destroy(&market);
  }
  qsort(times, (size_t)rounds, sizeof *times, by_value);
  printf("%-15s %4dx%-4d %10.3f ms   %5.1f iterations   largest gap %.1e\n", family, n, m,
         1e3 * times[rounds / 2], iterations, gap);
  fflush(stdout);
}

static void table(int rounds) {
  printf("one core, milliseconds of the processor per market, medians of %d rounds\n", rounds);
  for (const wal_family *f = wal_families; f->name; f++) {
    time_size(f->name, 2, 2, 200, rounds);
    time_size(f->name, 10, 10, 50, rounds);
    time_size(f->name, 50, 50, 3, rounds);
  }
  time_size("splc", 200, 200, 1, rounds);
}

static void scale(int largest) {
  for (const wal_family *f = wal_families; f->name; f++)
    for (int n = 25; n <= largest; n *= 2) time_size(f->name, n, n, n > 50 ? 1 : 3, 1);
}

static void certify(int n, int m, int count) {
  for (const wal_family *f = wal_families; f->name; f++) time_size(f->name, n, m, count, 1);
}

/* ---- for the peer ---- */

static void put(FILE *file, double value) {
  if (fwrite(&value, sizeof value, 1, file) == 1) return;
  fprintf(stderr, "cannot write\n");
  exit(1);
}

/* Entries of a matrix: how many, then (row, column, value) of each. */
static void put_matrix(FILE *file, const wal_sparse *a) {
  put(file, a->start[a->columns]);
  for (int c = 0; c < a->columns; c++)
    for (int e = a->start[c]; e < a->start[c + 1]; e++) {
      put(file, a->row[e]);
      put(file, c);
      put(file, a->value[e]);
    }
}

/* budget[n]; per agent: rows, columns, A, B, r, h, c (wal_utility_lp); our log-welfare, gap and seconds. */
static void write_market(FILE *file, const wal_nw_market *market) {
  wal_nw_solution s;
  solve(market, &s);
  wal_nw_solution_destroy(&s);
  const double seconds = solve(market, &s);
  for (int i = 0; i < market->n; i++) put(file, market->budget[i]);
  for (int i = 0; i < market->n; i++) {
    const wal_utility_lp *lp = market->utility[i]->lp;
    put(file, lp->a.rows);
    put(file, lp->a.columns);
    put_matrix(file, &lp->a);
    put_matrix(file, &lp->b);
    for (int row = 0; row < lp->a.rows; row++) put(file, lp->r[row]);
    for (int c = 0; c < lp->a.columns; c++) put(file, lp->h[c]);
    for (int c = 0; c < lp->a.columns; c++) put(file, lp->c[c]);
  }
  put(file, s.log_welfare);
  put(file, s.gap);
  put(file, seconds);
  wal_nw_solution_destroy(&s);
}

/* How far allocation y[n, m] is from the optimum, at most; goods oversold are scaled down first. */
static double lacks(const wal_nw_market *market, double *y) {
  wal_nw_solution s;
  double *u = malloc((size_t)market->n * sizeof *u);
  check(u ? wal_nw_maximise(market, NULL, &s) : wal_fail(WAL_E_MEMORY, "no memory"));
  for (int j = 0; j < market->m; j++) {
    double sum = 0;
    for (int i = 0; i < market->n; i++) sum += y[i * market->m + j] = fmax(0, y[i * market->m + j]);
    for (int i = 0; i < market->n; i++) y[i * market->m + j] /= fmax(1, sum);
  }
  for (int i = 0; i < market->n; i++) u[i] = wal_utility_value(market->utility[i], y + i * market->m);
  const double gap = s.log_welfare + s.gap - wal_nw_log_welfare(market, u);
  wal_nw_solution_destroy(&s);
  free(u);
  return gap;
}

static void judge_market(FILE *file, const wal_nw_market *market) {
  const size_t nm = (size_t)market->n * (size_t)market->m;
  double *y = malloc(nm * sizeof *y);
  if (!y || fread(y, sizeof *y, nm, file) != nm) {
    fprintf(stderr, "cannot read allocations\n");
    exit(1);
  }
  printf("%.6e\n", lacks(market, y));
  free(y);
}

static void exchange(bool writes, char **arguments) {
  FILE *file = fopen(arguments[0], writes ? "wb" : "rb");
  if (!file) {
    fprintf(stderr, "cannot open %s\n", arguments[0]);
    exit(1);
  }
  for (int k = 0; k < atoi(arguments[4]); k++) {
    wal_nw_market market = draw(arguments[1], k, atoi(arguments[2]), atoi(arguments[3]));
    (writes ? write_market : judge_market)(file, &market);
    wal_nw_market_destroy(&market);
  }
  fclose(file);
}

int main(int argc, char **argv) {
  wal_threads_set(1);
  const char *what = argc > 1 ? argv[1] : "5";
  if (argc == 7 && (strcmp(what, "write") == 0 || strcmp(what, "judge") == 0))
    exchange(what[0] == 'w', argv + 2);
  else if (argc == 5 && strcmp(what, "certify") == 0)
    certify(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
  else if (strcmp(what, "scale") == 0)
    scale(argc > 2 ? atoi(argv[2]) : 200);
  else
    table(atoi(what) > 0 ? atoi(what) : 5);
  return 0;
}
