/* MarketFCNet's recipes on fresh markets: NG, VoA, VoP, seconds and training operations, one line per seed.
   usage: bench_marketfcnet [--n 65536] [--m 10] [--alpha 0.5] [--contexts normal] [--seeds 3] [--trace]
            [--solver fc|fc_share|tower] [--threads t] [--lr x] [--width w] [--depth l] [--batch M]
            [--epochs e] [--inner k] [--price-buyers p]
          bench_marketfcnet --speed ...
   Options from --lr on apply to every recipe alike. --speed: time of a training step against n, and measuring
   streamed buyers against buyers in memory; the smallest of several runs. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/clock.h"
#include "models/common/parallel.h"
#include "models/market/contexts.h"
#include "models/market/network.h"
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
  if (strcmp(name, "--threads") == 0) return wal_threads_set((int)number), number >= 1;
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
 * 1e12. The tower has one row per buyer, the others one per buyer and good. */
static double training_tflop(const settings *s, const char *solver, const wal_network_options *o) {
  const bool tower = strcmp(solver, "tower") == 0;
  const double first = (tower ? 5.0 : 10.0) * o->width, last = (tower ? s->m : 1.0) * o->width;
  const double weights = first + (o->depth - 2.0) * o->width * o->width + last;
  return 1e-12 * 2.0 * o->batch * (tower ? 1 : s->m) * o->epochs * o->inner * (6 * weights - 2 * first);
}

static int report(const settings *s, const wal_solver *solver, const wal_network_options *recipe,
                  uint64_t seed) {
  wal_context_market market;
  wal_solution solution = {0};
  wal_measures q;
  wal_solver_options options = s->options;
  options.seed = seed;
  wal_status status = wal_context_market_create(s->law, seed, s->n, s->m, 5, s->alpha, &market);
  const double start = bench_seconds();
  if (!status) status = wal_solver_solve(solver, &market.market, &options, &s->trace, &solution);
  const double trained = bench_seconds();
  if (!status) status = wal_measure(&market.market, solution.allocation, solution.price, &q);
  if (status)
    printf("%-9s seed %d: %s: %s\n", solver->name, (int)seed, wal_status_text(status), wal_error());
  else
    printf("%-9s seed %d  NG %.2e  VoA %.2e  VoP %.2e  train %.1f s (%.2f TFLOP)  measure %.1f s\n",
           solver->name, (int)seed, q.nash_gap, q.voa, q.vop, trained - start,
           training_tflop(s, solver->name, recipe), bench_seconds() - trained);
  fflush(stdout);
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
  return status != WAL_OK;
}

/* ---- Speed ---- */

enum { ROUNDS = 5 };

/* When the first and the latest step of a training ended, s. */
typedef struct {
  double first, last;
} step_clock;

static void see_step(void *context, double fraction, const char *what) {
  step_clock *c = context;
  (void)fraction, (void)what;
  c->last = bench_seconds();
  if (c->first == 0) c->first = c->last;
}

/* Seconds of one step on a market of n buyers; negative: failed. */
static double step_seconds(const settings *s, const char *solver, int64_t n) {
  wal_context_market market;
  wal_solution solution = {0};
  wal_solver_options options = s->options;
  step_clock clock = {0, 0};
  options.fc_share.epochs = options.tower.epochs = 1, options.fc_share.inner = options.tower.inner = 100;
  options.fc_share.price_buyers = options.tower.price_buyers = 4096;
  wal_status status = wal_context_market_create(s->law, 1, n, s->m, 5, s->alpha, &market);
  const wal_trace trace = {.context = &clock, .progress = see_step};
  if (!status)
    status = wal_solver_solve(wal_solver_find(solver), &market.market, &options, &trace, &solution);
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
  return status ? -1 : (clock.last - clock.first) / 99;
}

static void print_step_times(const settings *s, const char *solver) {
  static const int powers[] = {12, 16, 20, 26, 30};
  double best[5] = {INFINITY, INFINITY, INFINITY, INFINITY, INFINITY};
  for (int round = 0; round < ROUNDS; round++)
    for (int i = 0; i < 5; i++) best[i] = fmin(best[i], step_seconds(s, solver, (int64_t)1 << powers[i]));
  for (int i = 0; i < 5; i++)
    printf("%-9s n = 2^%d  %.3f ms per step  (%.3f of n = 2^12)\n", solver, powers[i], 1e3 * best[i],
           best[i] / best[0]);
}

/* Buyers in memory. */
typedef struct {
  wal_source base;
  int m, d;
  double *v, *budget; /* [n, m], [n] */
  float *b;           /* [n, d] */
} memory_source;

static wal_status memory_rows(const wal_source *source, int64_t lo, int64_t hi, double *v, double *budget) {
  const memory_source *s = (const memory_source *)source;
  const size_t count = (size_t)(hi - lo);
  if (v) memcpy(v, s->v + lo * s->m, count * (size_t)s->m * sizeof *v);
  if (budget) memcpy(budget, s->budget + lo, count * sizeof *budget);
  return WAL_OK;
}

static wal_status memory_contexts(const wal_source *source, int64_t lo, int64_t hi, float *b) {
  const memory_source *s = (const memory_source *)source;
  memcpy(b, s->b + lo * s->d, (size_t)(hi - lo) * (size_t)s->d * sizeof *b);
  return WAL_OK;
}

static const wal_source_ops memory_ops = {.name = "memory", .rows = memory_rows, .contexts = memory_contexts};

/* Measures a network's allocation of the market; the seconds, and NG in *gap. */
static double measure_seconds(const wal_trained_network *network, const wal_market *market, double *gap) {
  wal_allocation *allocation;
  wal_measures q = {.nash_gap = NAN};
  wal_status status = wal_trained_network_allocation(network, market, network->lambda, &allocation);
  const double begun = bench_seconds();
  if (!status) status = wal_measure(market, allocation, network->lambda, &q);
  const double took = bench_seconds() - begun;
  wal_allocation_destroy(allocation);
  *gap = q.nash_gap;
  return took;
}

static void compare_evaluations(const char *solver, const wal_trained_network *network,
                                const wal_market *streamed, const wal_market *stored) {
  double best[2] = {INFINITY, INFINITY}, gap[2];
  for (int round = 0; round < ROUNDS; round++) {
    best[0] = fmin(best[0], measure_seconds(network, streamed, &gap[0]));
    best[1] = fmin(best[1], measure_seconds(network, stored, &gap[1]));
  }
  printf("%-9s n = %lld  measuring streamed %.3f s, in memory %.3f s, ratio %.2f; %s\n", solver,
         (long long)streamed->n, best[0], best[1], best[0] / best[1],
         gap[0] == gap[1] ? "the same bits" : "NOT THE SAME BITS");
}

static wal_status print_evaluation_times(const settings *s, const char *solver) {
  wal_context_market market;
  wal_solution solution = {0};
  wal_trained_network network = {0};
  wal_solver_options options = s->options;
  options.fc_share.epochs = options.tower.epochs = 1;
  const size_t n = (size_t)s->n, m = (size_t)s->m;
  wal_status status = wal_context_market_create(s->law, 1, s->n, s->m, 5, s->alpha, &market);
  if (!status) status = wal_solver_solve(wal_solver_find(solver), &market.market, &options, NULL, &solution);
  if (!status) status = wal_trained_network_export(solution.allocation, &network);
  memory_source memory = {.base.ops = &memory_ops, .m = s->m, .d = 5};
  memory.v = malloc(n * m * sizeof *memory.v), memory.budget = malloc(n * sizeof *memory.budget);
  memory.b = malloc(n * 5 * sizeof *memory.b);
  if (!status && (!memory.v || !memory.budget || !memory.b)) status = WAL_E_MEMORY;
  if (!status) status = market.source->ops->rows(market.source, 0, s->n, memory.v, memory.budget);
  if (!status) status = market.source->ops->contexts(market.source, 0, s->n, memory.b);
  wal_market stored = market.market;
  stored.buyers = &memory.base;
  if (!status) compare_evaluations(solver, &network, &market.market, &stored);
  free(memory.v), free(memory.budget), free(memory.b);
  wal_trained_network_destroy(&network);
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
  return status;
}

static int speed(const settings *s) {
  static const char *const names[] = {"fc_share", "tower"};
  int failed = 0;
  for (int i = 0; i < 2; i++) print_step_times(s, names[i]);
  for (int i = 0; i < 2; i++) failed += print_evaluation_times(s, names[i]) != WAL_OK;
  return failed ? 1 : 0;
}

int main(int argc, char **argv) {
  settings s = {.n = 65536, .m = 10, .seeds = 3, .alpha = 0.5};
  wal_solver_defaults(&s.options);
  bool timing = false;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--trace") == 0) {
      s.trace.row = print_row;
    } else if (strcmp(argv[i], "--speed") == 0) {
      timing = true;
    } else if (i + 1 < argc && apply(&s, argv[i], argv[i + 1])) {
      i++;
    } else {
      fprintf(stderr, "unknown option or value: %s (the options are at the top of bench/marketfcnet.c)\n",
              argv[i]);
      return 2;
    }
  }
  printf("n = %lld, m = %d, alpha = %g, %d threads\n", (long long)s.n, s.m, s.alpha, wal_threads());
  if (timing) return speed(&s);
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
