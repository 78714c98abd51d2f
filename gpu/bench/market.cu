/* Markets on the device: drawing buyers, the dual pass, measures, and the exact solver whole.
   usage: gpu_bench_market [--smoke]

   Limits are what the card was measured to give: bytes that must move once, or multiply-adds in double
   counted from the formulas (an operation that is no multiply-add counts as one). A pass ends with its sums
   on the host, so that of few buyers is bounded by launches and the way back, not by the limit. */
#include <math.h>

#include "gpu/bench/bench.h"
#include "gpu/market/allocations.h"
#include "gpu/market/dual.h"
#include "gpu/market/measure.h"

extern "C" {
#include "models/market/contexts.h"
#include "models/market/solver.h"
}

enum { SEED = 1, MOST = 64 };
static const int D = 5; /* elements of a context */

/* Operations in double, each about a multiply-add: models/common/vmath.h counted by hand, a division or root
 * as 10. */
static const double EXP = 20, LOG = 32, SOFTPLUS = 48, PAIR = 70 /* of normals */;

/* log2 of the buyers; the smoke run's are few. */
static int64_t buyers_of(int bits) { return int64_t(1) << (bench.smoke ? 9 : bits); }

static const char *size_text(int64_t n, int m) {
  static char text[48];
  snprintf(text, sizeof text, "%lld x %d", static_cast<long long>(n), m);
  return text;
}

static void open_market(int64_t n, int m, double alpha, wal_context_market *out) {
  BENCH_TRY(wal_context_market_create(WAL_CONTEXTS_NORMAL, SEED, n, m, D, alpha, out));
}

/* ---- buyers ---- */

template <class T>
static void bench_draw(const char *name, int64_t n, int m, double double_fmas) {
  wal_context_market market;
  wal_device_source source;
  wal_device_array<T> room;
  open_market(n, m, 0.5, &market);
  BENCH_TRY(source.open(&market.market));
  BENCH_TRY(room.allocate(n * (m + 1), "values of the buyers", "a smaller n"));
  T *v = room.data();
  const double seconds = bench_time([&] { return source.fill(0, n, n, v, v + n * m); });
  const double bytes = static_cast<double>(n) * (m + 1 + 2 * D) * sizeof(T);
  bench_row(name, size_text(n, m), seconds, bench_floor(bytes, 0, double_fmas * static_cast<double>(n)));
  wal_context_market_destroy(&market);
}

/* ---- the dual pass ---- */

static struct { double g[MOST], c[MOST], q[MOST], share[MOST], covariance[MOST * MOST]; } at;

/* alpha = 0.5 by values, another one by powers of logarithms. */
static void bench_pass(const char *name, int64_t n, int m, double alpha, bool single, bool covariance,
                       bool stream) {
  wal_context_market market;
  wal_dual *dual;
  const bool power = alpha != 0.5;
  open_market(n, m, alpha, &market);
  BENCH_TRY(wal_dual_create(&market.market, power ? WAL_WEIGHT_LOG : WAL_WEIGHT_VALUE, single, &dual));
  if (stream) wal_dual_stream(dual);
  for (int j = 0; j < m; j++)
    at.q[j] = 0.1 * sin(j), at.g[j] = static_cast<float>(exp(-at.q[j])), at.c[j] = 1.0;
  const wal_dual_point point = {power, at.g, at.c, alpha / (1.0 - alpha), at.q, nullptr, false};
  wal_dual_sums sums = {at.share, covariance ? at.covariance : nullptr, 0, 0, 0};
  const double seconds = bench_time([&] { return wal_dual_pass(dual, n, &point, &sums); });
  double spent = 0.0;
  for (int j = 0; j < m; j++) spent += at.share[j];
  bench_check(fabs(spent / sums.budget - 1.0) < 1e-9, "what the buyers spend");
  const double pairs = covariance ? m * (m + 1) / 2.0 : 0.0, sums_fmas = 2.0 * m + pairs;
  const double shares = m * (power ? EXP + 5.0 : 3.0) + 10.0;
  const double make = stream ? PAIR * (D + 1) / 2 + m * (D + SOFTPLUS + (power ? LOG : 0)) : 0.0;
  const double bytes =
      static_cast<double>(m + 1) * (single ? sizeof(float) : sizeof(double)) * (stream ? 2 : 1);
  const double buyers = static_cast<double>(n), in_double = sums_fmas + (single ? 0.0 : shares + make);
  bench_row(name, size_text(n, m), seconds,
            bench_floor(bytes * buyers, single ? shares * buyers : 0.0, in_double * buyers));
  wal_dual_destroy(dual);
  wal_context_market_destroy(&market);
}

static void bench_passes(void) {
  const int64_t n = buyers_of(20);
  bench_table("The dual pass, sums on the host");
  bench_pass("double, alpha 0.5", n, 10, 0.5, false, true, false);
  bench_pass("double, alpha -1", n, 10, -1, false, true, false);
  bench_pass("double, alpha -1, no covariance", n, 10, -1, false, false, false);
  bench_pass("double, alpha -1, made anew", n, 10, -1, false, true, true);
  bench_pass("float32, alpha 0.5", n, 10, 0.5, true, true, false);
  bench_pass("float32, alpha -1", n, 10, -1, true, true, false);
  bench_pass("double, alpha -1", n, 5, -1, false, true, false);
  bench_pass("double, alpha -1", n, 20, -1, false, true, false);
  bench_pass("double, alpha -1", buyers_of(18), 64, -1, false, true, false);
  bench_pass("double, alpha -1", buyers_of(24), 10, -1, false, true, false);
}

/* ---- measures ---- */

/* Both passes, demand made there. */
static void bench_measure(const char *name, int64_t n, int m, double alpha) {
  wal_context_market market;
  wal_allocation *allocation;
  wal_measures measures;
  double p[MOST];
  open_market(n, m, alpha, &market);
  for (int j = 0; j < m; j++) p[j] = exp(0.1 * sin(j));
  BENCH_TRY(wal_allocation_demand(&market.market, p, &allocation));
  const double seconds = bench_time([&] { return wal_measure(&market.market, allocation, p, &measures); });
  bench_check(measures.nash_gap > -1e-9, "a Nash gap");
  const double make = PAIR * (D + 1) / 2 + m * (D + SOFTPLUS), demand = m * (LOG + EXP + 15.0);
  const double welfares = m * (2.0 * LOG + 2.0 * EXP + 12.0) + 3.0 * LOG + EXP;
  const double bytes =
      8.0 * (2.0 * (m + 1) + 3.0 * m); /* values written and read, amounts written, read twice */
  const double buyers = static_cast<double>(n);
  bench_row(name, size_text(n, m), seconds,
            bench_floor(bytes * buyers, 0, (make + demand + welfares) * buyers));
  wal_allocation_destroy(allocation);
  wal_context_market_destroy(&market);
}

static void bench_measures(void) {
  bench_table("NG, VoA, VoP, welfare of a demand, its buyers drawn");
  bench_measure("alpha 0.5", buyers_of(20), 10, 0.5);
  bench_measure("alpha -1", buyers_of(20), 10, -1);
  bench_measure("alpha 0.5", buyers_of(24), 10, 0.5);
}

/* ---- the exact solver ---- */

static wal_status solve_once(const wal_market *market, bool single, wal_solution *solution) {
  wal_solver_options options;
  wal_solver_defaults(&options);
  options.newton.single = single;
  return wal_solver_solve(wal_solver_find("newton"), market, &options, nullptr, solution);
}

/* The device's prices against the CPU's. */
static void check_prices(const wal_market *market, const wal_solution *solution) {
  wal_solution cpu;
  wal_device_use(&wal_device_cpu);
  BENCH_TRY(solve_once(market, false, &cpu));
  wal_device_use(&wal_device_cuda);
  double worst = 0.0;
  for (int j = 0; j < market->m; j++) worst = fmax(worst, fabs(solution->price[j] / cpu.price[j] - 1.0));
  bench_check(worst < 1e-10, "prices within 1e-10 of the CPU's");
  wal_solution_destroy(&cpu);
}

/* On the wall, buyers drawn anew each time; as callers see it. */
static void bench_newton(const char *name, int64_t n, int m, double alpha, bool single, bool check) {
  wal_context_market market;
  wal_solution solution = {};
  open_market(n, m, alpha, &market);
  const double seconds = bench_wall([&] {
    wal_solution_destroy(&solution);
    return solve_once(&market.market, single, &solution);
  });
  bench_check(solution.certified_gap < 1e-6, "a certified gap");
  if (check) check_prices(&market.market, &solution);
  bench_row(name, size_text(n, m), seconds, NAN);
  wal_solution_destroy(&solution);
  wal_context_market_destroy(&market);
}

static void bench_solver(void) {
  const int64_t n = buyers_of(20);
  bench_table("Exact prices (newton), on the wall; the goal at 1048576 x 10 and alpha 0.5 is 20 ms");
  bench_newton("alpha 0.5", n, 10, 0.5, false, true);
  bench_newton("alpha 0.5, float32", n, 10, 0.5, true, false);
  bench_newton("alpha 0", n, 10, 0, false, false);
  bench_newton("alpha -1", n, 10, -1, false, false);
  bench_newton("alpha 0.9", n, 10, 0.9, false, false);
  bench_newton("alpha 1 (its last step on the CPU)", n, 10, 1, false, false);
  bench_newton("alpha -inf", n, 10, -INFINITY, false, false);
  bench_newton("alpha 0.5", n, 50, 0.5, false, false);
}

int main(int argc, char **argv) {
  bench_open(argc, argv, "Buyers drawn: contexts, values, budgets");
  wal_device_use(&wal_device_cuda);
  const double fmas = PAIR * (D + 1) / 2;
  bench_draw<double>("double", buyers_of(20), 10, fmas + 10 * (D + SOFTPLUS));
  bench_draw<float>("float32", buyers_of(20), 10, 0);
  bench_passes();
  bench_measures();
  bench_solver();
  return bench_close();
}
