/* One step of EG, EG-m and the scaled method against its floor: the bytes that a step must move at the card's
   measured bandwidth. A buyer's good is read and written once (z), read once (w), with momentum read and
   written once more (the velocity); a buyer's budget is read once. Small markets stay in the L2 cache and
   may be faster than that. Then whole solves, 30 epochs of 1000 steps
   as in Table 1, without measures. Usage: gpu_bench_descent [--smoke]. */
#include "gpu/bench/bench.h"

extern "C" {
#include "models/market/contexts.h"
#include "models/market/descent.h"
}

struct problem {
  wal_context_market market;
  wal_descent descent;
};

static void open_problem(problem *p, int64_t n, int m, double alpha, bool scaled, double momentum) {
  const wal_descent_rule augmented = {WAL_DESCENT_AUGMENTED, 0.3, 0.0},
                         integral = {WAL_DESCENT_INTEGRAL, 0.9, 0.05};
  BENCH_TRY(wal_context_market_create(WAL_CONTEXTS_NORMAL, 1, n, m, 5, alpha, &p->market));
  BENCH_TRY(wal_descent_create(&p->market.market, scaled, scaled ? 0.1 : 100.0, momentum,
                               scaled ? integral : augmented, &p->descent));
  for (int j = 0; j < m; j++) p->descent.lambda[j] = p->descent.price[j] = scaled ? 1.0 / m : 1.0;
}

static void close_problem(problem *p) {
  wal_descent_destroy(&p->descent);
  wal_context_market_destroy(&p->market);
}

/* Seconds of one step among many: a run of `steps` queues them all and asks the device once. */
static double step_seconds(problem *p, int steps) {
  BENCH_TRY(wal_descent_run(&p->descent, 1));
  return bench_time([=] { return wal_descent_run(&p->descent, steps); }, 9, false) / steps;
}

static double step_bytes(const problem *p) {
  const double cells = static_cast<double>(p->market.market.n) * p->market.market.m;
  return cells * (p->descent.momentum > 0.0f ? 20.0 : 12.0) + 4.0 * static_cast<double>(p->market.market.n);
}

/* Whether the means stayed where a step cannot have lost the allocation. */
static bool is_sane(const problem *p) {
  bool sane = true;
  for (int j = 0; j < p->market.market.m; j++)
    sane = sane && p->descent.mean[j] > 0.0 && p->descent.mean[j] < 1e6;
  return sane;
}

static void measure_steps(const char *name, int log2_n, int m, double alpha, bool scaled, double momentum) {
  if (bench.smoke) log2_n = 8;
  problem p;
  open_problem(&p, int64_t(1) << log2_n, m, alpha, scaled, momentum);
  char size[48], full[64];
  snprintf(size, sizeof size, "2^%d x %d", log2_n, m);
  snprintf(full, sizeof full, "%s step, alpha %g", name, alpha);
  const double seconds = step_seconds(&p, bench.smoke ? 2 : 100);
  bench_row(full, size, seconds, bench_floor(step_bytes(&p), 0.0, 0.0));
  bench_check(is_sane(&p), full);
  close_problem(&p);
}

/* Set-up (contexts drawn on the device) and Table 1's 30 x 1000 steps, a run to an epoch's hundred as the
 * solver does. */
static void measure_whole(const char *name, double momentum) {
  const int log2_n = bench.smoke ? 8 : 20, m = 10, steps = bench.smoke ? 4 : 30 * 1000,
            at_once = bench.smoke ? 2 : 100;
  char size[48], full[64];
  snprintf(size, sizeof size, "2^%d x %d", log2_n, m);
  problem p;
  open_problem(&p, int64_t(1) << log2_n, m, 0.5, false, momentum);
  const double floor = steps * bench_floor(step_bytes(&p), 0.0, 0.0);
  close_problem(&p);
  const double set_up = bench_wall([&]() -> wal_status {
    problem made;
    open_problem(&made, int64_t(1) << log2_n, m, 0.5, false, momentum);
    close_problem(&made);
    return WAL_OK;
  });
  snprintf(full, sizeof full, "%s set-up (wall)", name);
  bench_row(full, size, set_up, NAN);
  open_problem(&p, int64_t(1) << log2_n, m, 0.5, false, momentum);
  const double seconds = bench_wall(
      [&]() -> wal_status {
        for (int k = 0; k < steps; k += at_once) WAL_TRY(wal_descent_run(&p.descent, at_once));
        return WAL_OK;
      },
      1);
  snprintf(full, sizeof full, "%s, 30 x 1000 steps (wall)", name);
  bench_row(full, size, seconds, floor);
  bench_check(is_sane(&p), full);
  close_problem(&p);
}

int main(int argc, char **argv) {
  bench_open(argc, argv, "EG's gradient descent (limit: bytes / measured bandwidth; goal: within 2)");
  wal_device_use(&wal_device_cuda);
  static const double alphas[] = {1.0, 0.5, 0.0, -1.0, -INFINITY};
  for (const double alpha : alphas) measure_steps("EG", 20, 10, alpha, false, 0.0);
  for (const double alpha : alphas) measure_steps("EG-m", 20, 10, alpha, false, 0.9);
  measure_steps("EG, scaled", 20, 10, 0.5, true, 0.9);
  static const int goods[] = {5, 20, 32};
  for (const int m : goods) measure_steps("EG", 20, m, 0.5, false, 0.0);
  static const int sizes[] = {14, 17, 23};
  for (const int log2_n : sizes) measure_steps("EG", log2_n, 10, 0.5, false, 0.0);
  bench_table("Whole solves without measures, alpha 0.5");
  measure_whole("EG", 0.0);
  measure_whole("EG-m", 0.9);
  return bench_close();
}
