/* MarketFCNet's training by the paper's recipe (section C.2): the parts of a step, a step launched and
   replayed, a pass over the population, whole trainings in every precision with the gap that each ends at. */
#include "gpu/bench/bench.h"
#include "gpu/market/fc.h"

extern "C" {
#include "models/market/solvers.h"
#include "models/market/welfare.h"
}

static const int M = 10, D = 5;

static const char *const precisions[] = {"float32", "tf32", "bf16"};

/* The defaults of all recipes, the paper's for fc, in a precision; small ones for a smoke test. */
static wal_solver_options options_of(const char *precision) {
  wal_solver_options options;
  wal_solver_defaults(&options);
  wal_network_options *const all[] = {&options.fc, &options.fc_share, &options.tower};
  for (wal_network_options *o : all) {
    snprintf(o->precision, sizeof o->precision, "%s", precision);
    if (bench.smoke) o->width = 8, o->batch = 4, o->epochs = 2, o->inner = 2, o->lambda0 = 1.0;
  }
  return options;
}

/* Multiply-adds of one row through the network. */
static double row_fmas(const wal_network_options *o) {
  const double w = o->width;
  return 2.0 * D * w + (o->depth - 2) * w * w + w;
}

/* Time that float32 multiply-adds need at least; other precisions use units whose rate is not measured here.
 */
static double fma_floor(const wal_network_options *o, double rows, double times) {
  return strcmp(o->precision, "float32") == 0 ? bench_floor(0, times * rows * row_fmas(o), 0) : NAN;
}

static wal_fc_training begun(const wal_market *market, const wal_network_options *options) {
  static const wal_trace silent = {};
  wal_fc_training t = {};
  t.recipe = &wal_fc_recipe_fc, t.market = market, t.options = options, t.trace = &silent, t.seed = 1;
  BENCH_TRY(wal_fc_training_begin(&t));
  t.epoch = 1;
  wal_fc_begin_epoch(&t);
  return t;
}

static void time_parts(wal_fc_training *t, const char *precision) {
  static const char *const names[] = {"draw",       "forward", "allocation", "excess",
                                      "derivative", "sums",    "backward",   "Adam"};
  const wal_network_options *o = t->options;
  const double rows = 2.0 * o->batch * M;
  char size[64];
  snprintf(size, sizeof size, "2 x %d buyers, %s", o->batch, precision);
  BENCH_TRY(t->network->ops->steps(t, 1, t->loss)); /* sets the dials; parts then run out of turn */
  for (int part = 0; part < WAL_FC_PARTS; part++) {
    if (part == WAL_FC_SUMS) continue; /* moves the dials on: only within steps */
    const double times = part == WAL_FC_FORWARD ? 1 : part == WAL_FC_BACKWARD ? 2 : 0;
    const double seconds =
        bench_time([&] { return wal_fc_queue(t->work, static_cast<wal_fc_part>(part)); }, 101, false);
    bench_row(names[part], size, seconds, times > 0 ? fma_floor(o, rows, times) : NAN);
  }
}

static void time_steps(wal_fc_training *t, const char *precision) {
  const wal_network_options *o = t->options;
  const double rows = 2.0 * o->batch * M;
  char size[64];
  snprintf(size, sizeof size, "2 x %d buyers, %s", o->batch, precision);
  for (int replay = 0; replay < 2; replay++) {
    wal_fc_cuda_replay(replay != 0);
    const double seconds =
        bench_time([&] { return t->network->ops->steps(t, o->inner, t->loss); }, 11, false) / o->inner;
    bench_row(replay ? "step, replayed" : "step, launched", size, seconds, fma_floor(o, rows, 3));
  }
}

static void time_demand(wal_fc_training *t, const char *precision) {
  double demand[M];
  char size[64];
  const int64_t n = t->market->n;
  snprintf(size, sizeof size, "%lld buyers, %s", static_cast<long long>(n), precision);
  const double seconds = bench_time([&] { return wal_fc_network_demand(t->network, n, demand); }, 5, false);
  bench_row("demand of a population", size, seconds, fma_floor(t->options, static_cast<double>(n) * M, 1));
}

/* A whole training and what it reaches. */
static void time_training(const wal_market *market, const char *name, const char *precision,
                          int64_t price_buyers) {
  const wal_solver *solver = wal_solver_find(name);
  wal_solver_options options = options_of(precision);
  options.fc.price_buyers = options.fc_share.price_buyers = options.tower.price_buyers = price_buyers;
  static const wal_trace silent = {};
  wal_solution solution = {};
  const double seconds = bench_wall(
      [&] {
        wal_solution_destroy(&solution);
        return solver->solve(market, &options, &silent, &solution);
      },
      1);
  wal_measures q;
  BENCH_TRY(wal_measure(market, solution.allocation, solution.price, &q));
  bench_check(isfinite(q.nash_gap) && q.nash_gap >= 0, "the gap of a training");
  char text[24];
  printf("| %s | %s | %lld | %s | %.3g | %.3g | %.3g |\n", name, precision,
         static_cast<long long>(price_buyers > 0 ? price_buyers : market->n),
         bench_seconds_text(seconds, text), q.nash_gap, q.voa, q.vop);
  fflush(stdout);
  wal_solution_destroy(&solution);
}

static void time_trainings(const wal_market *market) {
  const int64_t few = bench.smoke ? 8 : 1 << 16;
  printf("\nWhole trainings, n = %lld, m = %d, seconds on the wall\n\n", static_cast<long long>(market->n),
         M);
  printf("| recipe | precision | price_buyers | time | NG | VoA | VoP |\n|---|---|---|---|---|---|---|\n");
  for (const char *precision : precisions) {
    time_training(market, "fc", precision, 0);
    time_training(market, "fc", precision, few);
    time_training(market, "fc_share", precision, 4 * few);
    time_training(market, "tower", precision, 4 * few);
  }
}

int main(int argc, char **argv) {
  wal_context_market market;
  bench_open(argc, argv, "A step of MarketFCNet, the paper's recipe, m = 10");
  const int64_t n = bench.smoke ? 32 : 1 << 20;
  BENCH_TRY(wal_context_market_create(WAL_CONTEXTS_NORMAL, 1, n, M, D, 0.5, &market));
  wal_device_use(&wal_device_cuda);
  for (const char *precision : precisions) {
    const wal_solver_options options = options_of(precision);
    wal_fc_training t = begun(&market.market, &options.fc);
    time_parts(&t, precision);
    time_steps(&t, precision);
    time_demand(&t, precision);
    wal_fc_training_end(&t);
  }
  time_trainings(&market.market);
  wal_context_market_destroy(&market);
  return bench_close();
}
