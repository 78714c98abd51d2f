/* MarketFCNet's two recipes on fresh markets: NG, VoA, VoP, seconds and training operations, one line per
   seed. usage: bench_marketfcnet [--n 65536] [--m 10] [--alpha 0.5] [--contexts normal] [--seeds 3] [--solver
   fc|fc_share]
                            [--lr x] [--width w] [--epochs e] [--inner k] [--price-buyers p] [--trace]
   Options after --solver apply to both recipes alike. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "models/common/parallel.h"
#include "models/market/contexts.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"

typedef struct {
  int64_t n;
  int m, seeds;
  double alpha;
  wal_context_law law;
  const char *solver; /* NULL: both */
  wal_solver_options options;
  wal_trace trace;
} settings;

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void print_row(void *context, int count, const char *const names[], const double values[]) {
  (void)context;
  for (int i = 0; i < count; i++) printf("%s%s %.3g", i ? "  " : "    ", names[i], values[i]);
  puts("");
}

/* Applies one option; false when it is unknown. */
static bool apply(settings *s, const char *name, const char *value) {
  wal_network_options *all[] = {&s->options.fc, &s->options.fc_share, &s->options.tower};
  const double number = atof(value);
  if (strcmp(name, "--n") == 0) return (s->n = (int64_t)number) > 0;
  if (strcmp(name, "--m") == 0) return (s->m = (int)number) > 0;
  if (strcmp(name, "--seeds") == 0) return (s->seeds = (int)number) > 0;
  if (strcmp(name, "--alpha") == 0) return s->alpha = number, true;
  if (strcmp(name, "--contexts") == 0) return wal_context_law_parse(value, &s->law) == WAL_OK;
  if (strcmp(name, "--solver") == 0) return s->solver = value, true;
  for (int i = 0; i < 3; i++) {
    if (strcmp(name, "--lr") == 0)
      all[i]->lr = number;
    else if (strcmp(name, "--width") == 0)
      all[i]->width = (int)number;
    else if (strcmp(name, "--batch") == 0)
      all[i]->batch = (int)number;
    else if (strcmp(name, "--depth") == 0)
      all[i]->depth = (int)number;
    else if (strcmp(name, "--epochs") == 0)
      all[i]->epochs = (int)number;
    else if (strcmp(name, "--inner") == 0)
      all[i]->inner = (int)number;
    else if (strcmp(name, "--price-buyers") == 0)
      all[i]->price_buyers = (int64_t)number;
    else
      return false;
  }
  return true;
}

/* Operations of the training steps, 6 per weight and row (the first layer's inputs need no gradient), in
 * 1e12. */
static double training_tflop(const settings *s, const wal_network_options *o) {
  const double inputs = 10.0 * o->width, weights = inputs + (o->depth - 2.0) * o->width * o->width + o->width;
  return 1e-12 * 2.0 * o->batch * s->m * o->epochs * o->inner * (6 * weights - 2 * inputs);
}

static int report(const settings *s, const wal_solver *solver, const wal_network_options *recipe,
                  uint64_t seed) {
  wal_context_market market;
  wal_solution solution = {0};
  wal_measures q;
  wal_solver_options options = s->options;
  options.seed = seed;
  wal_status status = wal_context_market_create(s->law, seed, s->n, s->m, 5, s->alpha, &market);
  const double start = seconds();
  if (!status) status = wal_solver_solve(solver, &market.market, &options, &s->trace, &solution);
  const double trained = seconds();
  if (!status) status = wal_measure(&market.market, solution.allocation, solution.price, &q);
  if (status)
    printf("%-9s seed %d: %s: %s\n", solver->name, (int)seed, wal_status_text(status), wal_error());
  else
    printf("%-9s seed %d  NG %.2e  VoA %.2e  VoP %.2e  train %.1f s (%.2f TFLOP)  measure %.1f s\n",
           solver->name, (int)seed, q.nash_gap, q.voa, q.vop, trained - start, training_tflop(s, recipe),
           seconds() - trained);
  fflush(stdout);
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
  return status != WAL_OK;
}

int main(int argc, char **argv) {
  settings s = {.n = 65536, .m = 10, .seeds = 3, .alpha = 0.5};
  wal_solver_defaults(&s.options);
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--trace") == 0) {
      s.trace.row = print_row;
    } else if (i + 1 < argc && apply(&s, argv[i], argv[i + 1])) {
      i++;
    } else {
      fprintf(stderr, "unknown option or value: %s (the options are at the top of bench/marketfcnet.c)\n",
              argv[i]);
      return 2;
    }
  }
  printf("n = %lld, m = %d, alpha = %g, %d threads\n", (long long)s.n, s.m, s.alpha, wal_threads());
  int failed = 0;
  for (int seed = 1; seed <= s.seeds; seed++) {
    const wal_network_options *recipes[] = {&s.options.fc_share, &s.options.tower, &s.options.fc};
    static const char *const names[] = {"fc_share", "tower", "fc"};
    for (int i = 0; i < 3; i++)
      if (!s.solver || strcmp(s.solver, names[i]) == 0)
        failed += report(&s, wal_solver_find(names[i]), recipes[i], (uint64_t)seed);
  }
  return failed ? 1 : 0;
}
