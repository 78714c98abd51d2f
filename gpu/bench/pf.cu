/* Proportional fairness in batches: whole calls on the wall, copies to and from the card included, beside the
   CPU's member on one core in the same run. Instances follow the paper's law (17) with budgets `scarcity` N:
   0.5 is the paper's, under which most demands fit; less makes every resource contested. Goal: 10,000
   instances of 10 x 3 to a KKT residual of 1e-8 in under 10 ms. */
#include "gpu/bench/bench.h"
#include "gpu/mechanism/pf.h"

extern "C" {
#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "models/mechanism/attack.h"
}

/* FAST and ADJOINT as in training: to tol; the others polished and certified. */
enum { FAST, CERTIFIED, ADJOINT, EXACT_ADJOINT, WAYS };
static const char *const way_names[WAYS] = {"forward", "forward, certified", "with adjoint",
                                            "with adjoint, certified"};

struct pf_batch {
  wal_owned_instances own;
  std::vector<double> a, u, other_u, kkt, da, dv; /* [K, N, M] but u, other_u [K, N], kkt [K] */
  std::vector<int> steps;                         /* [K] */
};

static pf_batch draw(int n, int m, int64_t count, double scarcity) {
  pf_batch t;
  const size_t agents = static_cast<size_t>(count * n), cells = agents * static_cast<size_t>(m);
  wal_law law = wal_law_default(n, m, 1);
  law.budget = scarcity;
  BENCH_TRY(wal_instances_create(count, n, m, false, &t.own));
  BENCH_TRY(wal_law_draw(&law, 0, &t.own));
  t.a.resize(cells), t.da.resize(cells), t.dv.resize(cells);
  t.u.resize(agents), t.other_u.resize(agents);
  t.kkt.resize(static_cast<size_t>(count)), t.steps.resize(static_cast<size_t>(count));
  wal_rng_normals(1, WAL_STREAM_TEST, 0, static_cast<int64_t>(cells), t.da.data());
  return t;
}

static wal_status run(const wal_pf_ops *ops, pf_batch &t, int way) {
  wal_pf_options options = wal_pf_defaults();
  wal_pf_solution out = {};
  wal_pf_gradient gradient = {};
  options.polish = way == CERTIFIED || way == EXACT_ADJOINT;
  out.a = t.a.data();
  if (options.polish) out.kkt = t.kkt.data();
  gradient.dv = t.dv.data();
  return way < ADJOINT ? ops->solve(&t.own.in, nullptr, &options, &out)
                       : ops->vjp(&t.own.in, nullptr, t.da.data(), &options, &out, &gradient);
}

/* Everything that the answers should be, and the mean number of steps. */
static double check_answers(pf_batch &t, int way, double *worst) {
  wal_pf_options options = wal_pf_defaults();
  wal_pf_solution out = {}, other = {};
  double distance = 0, steps = 0;
  out.a = t.a.data(), out.u = t.u.data(), out.kkt = t.kkt.data(), out.steps = t.steps.data();
  other.u = t.other_u.data();
  BENCH_TRY(wal_pf_cpu.solve(&t.own.in, nullptr, &options, &other));
  options.polish = way == CERTIFIED || way == EXACT_ADJOINT;
  BENCH_TRY(wal_pf_cuda.solve(&t.own.in, nullptr, &options, &out));
  *worst = 0;
  for (double kkt : t.kkt) *worst = !(kkt <= *worst) ? kkt : *worst;
  for (int k : t.steps) steps += k;
  for (size_t r = 0; r < t.u.size(); r++)
    distance = std::max(distance, fabs(t.u[r] - t.other_u[r]) / std::max(t.other_u[r], 1e-300));
  bench_check(*worst <= (options.polish ? 1e-9 : 1e-7), "the KKT residual");
  bench_check(distance <= (options.polish ? 1e-8 : 1e-4), "utilities, against the CPU's");
  return steps / static_cast<double>(t.steps.size());
}

static double seconds_there(pf_batch &t, int way) {
  return bench_wall([&] { return run(&wal_pf_cuda, t, way); }, 11);
}

static void measure(int n, int m, int64_t count, double scarcity) {
  pf_batch t = draw(n, m, count, scarcity);
  for (int way = 0; way < WAYS; way++) {
    char there_text[24], here_text[24];
    double worst;
    const double steps = check_answers(t, way, &worst);
    const int64_t before = wal_pf_cuda_left();
    BENCH_TRY(run(&wal_pf_cuda, t, way));
    const int64_t left = wal_pf_cuda_left() - before;
    const double there = seconds_there(t, way);
    wal_threads_set(1);
    const double here = bench_wall([&] { return run(&wal_pf_cpu, t, way); }, 3);
    wal_threads_set(wal_cores());
    printf("| %dx%d, b = %.2g N | %lld | %s | %s | %.4g | %.1f | %.1e | %lld | %s | %.1f |\n", n, m, scarcity,
           static_cast<long long>(count), way_names[way], bench_seconds_text(there, there_text),
           static_cast<double>(count) / there, steps, worst, static_cast<long long>(left),
           bench_seconds_text(here, here_text), here / there);
    fflush(stdout);
  }
  wal_instances_destroy(&t.own);
}

/* The goal, in the table of bench_open. */
static void measure_goal(double scarcity) {
  pf_batch t = draw(10, 3, bench.smoke ? 20 : 10000, scarcity);
  char size[48];
  snprintf(size, sizeof size, "%lld of 10x3, b = %.2g N", static_cast<long long>(t.own.in.count), scarcity);
  bench_row("PF to a KKT residual of 1e-12 (goal for 10,000 to 1e-8: 10 ms)", size,
            seconds_there(t, CERTIFIED), NAN);
  wal_instances_destroy(&t.own);
}

/* ---- misreports ---- */

/* wal_attack by "candidates" under PF: every report of every agent is an allocation. */
static void measure_search(int n, int m, int64_t count, double scarcity) {
  pf_batch t = draw(n, m, count, scarcity);
  char there_text[24], here_text[24];
  std::vector<double> gain[2];
  double seconds[2], worst = 0;
  int64_t trials = 0;
  wal_mechanism *f = nullptr;
  wal_attack_options options = wal_attack_defaults("candidates");
  if (bench.smoke) options.candidates = 20;
  BENCH_TRY(wal_mechanism_create("pf", n, m, nullptr, &f));
  wal_threads_set(1);
  for (int there = 0; there < 2; there++) {
    gain[there].resize(static_cast<size_t>(count * n));
    wal_attack_result out = {};
    out.gain = gain[there].data(), out.evaluations = &trials;
    wal_device_use(there ? &wal_device_cuda : nullptr);
    seconds[there] = bench_wall([&] { return wal_attack(f, &t.own.in, &options, &out); }, there ? 3 : 1);
  }
  wal_device_use(nullptr);
  wal_threads_set(wal_cores());
  for (size_t r = 0; r < gain[0].size(); r++) worst = std::max(worst, fabs(gain[0][r] - gain[1][r]));
  bench_check(worst < 1e-9, "gains, against the CPU's");
  printf("| %dx%d, b = %.2g N | %lld | %lld | %s | %.4g | %s | %.1f |\n", n, m, scarcity,
         static_cast<long long>(count), static_cast<long long>(trials),
         bench_seconds_text(seconds[1], there_text), static_cast<double>(trials) / seconds[1],
         bench_seconds_text(seconds[0], here_text), seconds[0] / seconds[1]);
  fflush(stdout);
  wal_mechanism_destroy(f);
  wal_instances_destroy(&t.own);
}

int main(int argc, char **argv) {
  static const struct {
    int n, m;
    int64_t count;
    double scarce;
  } sizes[] = {{10, 3, 10000, 0.25}, {2, 2, 100000, 0.25}, {10, 3, 200000, 0.25},
               {50, 10, 4096, 0.1},  {200, 20, 512, 0.1},  {1000, 50, 32, 0.1}};
  const int few = 2; /* sizes of a smoke run */
  bench_open(argc, argv, "Proportional fairness: whole calls, copies included");
  measure_goal(0.5);
  measure_goal(0.25);
  printf(
      "\n| size | instances | what | time | instances/s | steps | worst KKT | left to the CPU | CPU, one "
      "core | "
      "ratio |\n|---|---|---|---|---|---|---|---|---|---|\n");
  int done = 0;
  for (const auto &s : sizes)
    for (int scarce = 0; scarce < 2 && (!bench.smoke || done < 2 * few); scarce++, done++)
      measure(s.n, s.m, bench.smoke ? 10 : s.count, scarce ? s.scarce : 0.5);
  printf(
      "\n| size | instances | reports | time | reports/s | CPU, one core | ratio "
      "|\n|---|---|---|---|---|---|---|\n");
  measure_search(2, 2, bench.smoke ? 2 : 1000, 0.25);
  measure_search(10, 3, bench.smoke ? 1 : 100, 0.5);
  measure_search(10, 3, bench.smoke ? 1 : 100, 0.25);
  return bench_close();
}
