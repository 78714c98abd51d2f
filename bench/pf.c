/* Proportional fairness: microseconds per instance on one core, forward and with derivatives, and how exact
   the answers are. usage: bench_pf [rounds]                            the table; medians over the rounds
          bench_pf certify N M COUNT [scarcity]        the largest residuals of COUNT instances
          bench_pf write FILE N M COUNT [scarcity]     instances and our answers for bench/pf_peer.py
   Instances follow the paper's law (17) with budgets `scarcity` N: 0.5 is the paper's, most of whose
   resources are uncontested; 0.1 makes all of them scarce. */
#include "models/mechanism/pf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/clock.h"
#include "models/common/parallel.h"
#include "models/common/rng.h"

typedef struct {
  wal_owned_instances own;
  double *da, *a, *u, *lambda, *mu, *nu, *kkt, *dv; /* [K, N, M] but u [K, N], lambda [K, M], kkt [K] */
} batch;

static double *room(int64_t count) {
  double *array = malloc(((size_t)count + 1) * sizeof *array);
  if (array) return array;
  fprintf(stderr, "no memory for %lld numbers\n", (long long)count);
  exit(1);
}

static void check(wal_status status) {
  if (status == WAL_OK) return;
  fprintf(stderr, "%s\n", wal_error());
  exit(1);
}

static batch draw(int n, int m, int64_t count, double scarcity, int64_t first) {
  const int64_t nm = (int64_t)n * m;
  batch t;
  wal_law law = wal_law_default(n, m, 1);
  law.budget = scarcity;
  check(wal_instances_create(count, n, m, false, &t.own));
  check(wal_law_draw(&law, first, &t.own));
  t.da = room(count * nm), t.a = room(count * nm), t.mu = room(count * nm), t.nu = room(count * nm);
  t.dv = room(count * nm), t.u = room(count * n), t.lambda = room(count * m), t.kkt = room(count);
  wal_rng_normals(1, WAL_STREAM_TEST, 0, count * nm, t.da);
  return t;
}

static void destroy(batch *t) {
  wal_instances_destroy(&t->own);
  free(t->da), free(t->a), free(t->mu), free(t->nu);
  free(t->dv), free(t->u), free(t->lambda), free(t->kkt);
}

static int by_value(const void *a, const void *b) {
  return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

/* ---- times ---- */

typedef enum { FAST, POLISHED, ADJOINT, WAYS } way;

/* Microseconds per instance, of the processor. FAST and ADJOINT as in training: allocation alone, not
 * polished. */
static double run(const batch *t, way how) {
  wal_pf_options options = wal_pf_defaults();
  options.polish = how == POLISHED;
  const wal_pf_solution small = {.a = t->a};
  const wal_pf_solution whole = {
      .a = t->a, .u = t->u, .lambda = t->lambda, .mu = t->mu, .nu = t->nu, .kkt = t->kkt};
  const wal_pf_gradient gradient = {.dv = t->dv};
  const double start = bench_cpu_seconds();
  if (how == ADJOINT)
    check(wal_pf_vjp(&t->own.in, NULL, t->da, &options, &small, &gradient));
  else
    check(wal_pf_solve(&t->own.in, NULL, &options, how == POLISHED ? &whole : &small));
  return 1e6 * (bench_cpu_seconds() - start) / (double)t->own.in.count;
}

static void time_size(int n, int m, int64_t count, double scarcity, int rounds) {
  batch t = draw(n, m, count, scarcity, 0);
  double *times = room((int64_t)WAYS * rounds), worst = 0;
  for (int r = 0; r < rounds; r++)
    for (int how = 0; how < WAYS; how++) times[how * rounds + r] = run(&t, (way)how);
  for (int64_t k = 0; k < count; k++) worst = fmax(worst, t.kkt[k]);
  for (int how = 0; how < WAYS; how++) qsort(times + how * rounds, (size_t)rounds, sizeof *times, by_value);
  printf(
      "%4dx%-3d b = %.2g N   forward %9.3f us   polished %9.3f us   with adjoint %9.3f us   KKT max %.1e\n",
      n, m, scarcity, times[rounds / 2], times[rounds + rounds / 2], times[2 * rounds + rounds / 2], worst);
  fflush(stdout);
  free(times);
  destroy(&t);
}

static void table(int rounds) {
  static const struct {
    int n, m;
    int64_t count;
  } sizes[] = {{2, 2, 50000}, {10, 3, 20000}, {50, 10, 1000}, {200, 20, 64}, {1000, 50, 8}};
  printf("law (17), one core, microseconds of the processor per instance, medians of %d rounds\n", rounds);
  for (int s = 0; s < 5; s++)
    for (int scarce = 0; scarce < 2; scarce++)
      time_size(sizes[s].n, sizes[s].m, sizes[s].count, scarce ? sizes[s].n > 10 ? 0.1 : 0.25 : 0.5, rounds);
}

/* ---- residuals ---- */

static void certify(int n, int m, int64_t count, double scarcity) {
  const int64_t part = count < 10000 ? count : 10000;
  for (int polished = 0; polished < 2; polished++) {
    double *kkt = room(count);
    for (int64_t first = 0; first < count; first += part) {
      batch t = draw(n, m, count - first < part ? count - first : part, scarcity, first);
      wal_pf_options options = wal_pf_defaults();
      options.polish = polished;
      check(wal_pf_solve(&t.own.in, NULL, &options, &(wal_pf_solution){.a = t.a, .kkt = t.kkt}));
      memcpy(kkt + first, t.kkt, (size_t)t.own.in.count * sizeof *kkt);
      destroy(&t);
    }
    qsort(kkt, (size_t)count, sizeof *kkt, by_value);
    printf("%dx%d, b = %.2g N, %lld instances, %-12s KKT median %.1e   99.9%% %.1e   max %.1e\n", n, m,
           scarcity, (long long)count, polished ? "polished" : "not polished", kkt[count / 2],
           kkt[count - 1 - count / 1000], kkt[count - 1]);
    free(kkt);
  }
}

/* ---- for the peer ---- */

/* v, x [K, N, M], b [K, M], our u [K, N], da and dv [K, N, M]; prints the times of the three ways. */
static void write_batch(const char *path, int n, int m, int64_t count, double scarcity) {
  batch t = draw(n, m, count, scarcity, 0);
  const size_t nm = (size_t)count * (size_t)n * (size_t)m;
  double times[WAYS];
  for (int how = 0; how < WAYS; how++) {
    run(&t, (way)how);
    times[how] = run(&t, (way)how);
  }
  run(&t, POLISHED);
  FILE *file = fopen(path, "wb");
  const struct {
    const double *array;
    size_t count;
  } parts[] = {
      {t.own.v, nm}, {t.own.x, nm}, {t.own.b, (size_t)count * (size_t)m}, {t.u, (size_t)count * (size_t)n},
      {t.da, nm},    {t.dv, nm}};
  for (int p = 0; p < 6; p++)
    if (!file || fwrite(parts[p].array, sizeof(double), parts[p].count, file) != parts[p].count) {
      fprintf(stderr, "cannot write %s\n", path);
      exit(1);
    }
  fclose(file);
  printf("%.6g %.6g %.6g\n", times[FAST], times[POLISHED], times[ADJOINT]);
  destroy(&t);
}

int main(int argc, char **argv) {
  wal_threads_set(1);
  const bool certifies = argc >= 5 && strcmp(argv[1], "certify") == 0;
  const bool writes = argc >= 6 && strcmp(argv[1], "write") == 0;
  char **size = argv + (writes ? 3 : 2);
  const double scarcity = (certifies || writes) && size[3] ? atof(size[3]) : 0.5;
  if (certifies)
    certify(atoi(size[0]), atoi(size[1]), atoll(size[2]), scarcity);
  else if (writes)
    write_batch(argv[2], atoi(size[0]), atoi(size[1]), atoll(size[2]), scarcity);
  else
    table(argc > 1 && atoi(argv[1]) > 0 ? atoi(argv[1]) : 11);
  return 0;
}
