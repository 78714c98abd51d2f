/* Nash welfare against exploitability of the mechanisms, as ratios to PF's on the same held-out instances:

     bench_frontier [NAME=VALUE ...]

   mechanism=rpf_monotone,clip  n=2 m=2 budget=0.5 gamma=0.035,0.06 seeds=3 instances=20000 sample=1 ascent=1
   and, where the recipe is to be left, steps= batch= lr= candidates= width= depth= objective= welfare=
   samples= around= theta= one= both= Prints, for each, the ratios of mean Nash welfare (of all agents, and of
   those that take part) and of mean exploitability under the strong attack, with standard errors, and under
   one-start ascent. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/clock.h"
#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "models/mechanism/training.h"

typedef struct {
  double *nsw, *active, *expl, *ascent; /* [K] */
} measures;

static const char *argument(int argc, char **argv, const char *name, const char *standard) {
  const size_t length = strlen(name);
  for (int k = 1; k < argc; k++)
    if (strncmp(argv[k], name, length) == 0 && argv[k][length] == '=') return argv[k] + length + 1;
  return standard;
}

static double number(int argc, char **argv, const char *name, double standard) {
  const char *text = argument(argc, argv, name, NULL);
  return text ? atof(text) : standard;
}

static void fail_on(wal_status status) {
  if (!status) return;
  fprintf(stderr, "%s\n", wal_error());
  exit(1);
}

/* Attack, block after block, so that the gains need little room. */
static void attack_all(wal_mechanism *f, const wal_instances *in, const char *method, int candidates,
                       double *expl) {
  wal_attack_options options = wal_attack_defaults(method);
  options.seed = 7;
  if (candidates) options.candidates = candidates;
  double *gain = malloc((size_t)(in->count * in->n) * sizeof *gain);
  fail_on(wal_attack(f, in, &options, &(wal_attack_result){.gain = gain}));
  wal_exploitability(in, gain, expl);
  free(gain);
}

static measures measure(wal_mechanism *f, const wal_instances *in, int candidates, bool ascent) {
  const size_t count = (size_t)in->count, nm = (size_t)(in->n * in->m);
  measures out = {calloc(count, 8), calloc(count, 8), calloc(count, 8), calloc(count, 8)};
  double *a = malloc(count * nm * sizeof *a), *u = malloc(count * (size_t)in->n * sizeof *u);
  fail_on(wal_mechanism_allocate(f, in, a));
  wal_utilities(in, a, u);
  wal_nash_welfare(in, u, false, out.nsw);
  wal_nash_welfare(in, u, true, out.active);
  attack_all(f, in, "strong", candidates, out.expl);
  if (ascent) attack_all(f, in, "ascent", 0, out.ascent);
  free(a), free(u);
  return out;
}

static void forget(measures *q) { free(q->nsw), free(q->active), free(q->expl), free(q->ascent); }

/* The ratio of the means of y and x, paired; *error: its standard error (delta method). */
static double ratio(int64_t count, const double *y, const double *x, double *error) {
  double sum_y = 0, sum_x = 0, square = 0;
  for (int64_t k = 0; k < count; k++) sum_y += y[k], sum_x += x[k];
  const double r = sum_x > 0 ? sum_y / sum_x : NAN;
  for (int64_t k = 0; k < count; k++) square += (y[k] - r * x[k]) * (y[k] - r * x[k]);
  *error = sqrt(square) / sum_x;
  return r;
}

/* The same of gains; NAN where PF leaves none. */
static double gain_ratio(int64_t count, const double *y, const double *x, double *error) {
  double sum = 0;
  for (int64_t k = 0; k < count; k++) sum += x[k];
  const double r = ratio(count, y, x, error);
  if (wal_exploitable(sum / (double)count)) return r;
  return *error = NAN;
}

static void row(const char *name, double gamma, int seed, double seconds, int64_t count, const measures *f,
                const measures *pf) {
  double e_nsw, e_active, e_expl, e_ascent;
  const double nsw = ratio(count, f->nsw, pf->nsw, &e_nsw),
               active = ratio(count, f->active, pf->active, &e_active);
  const double expl = gain_ratio(count, f->expl, pf->expl, &e_expl),
               weak = gain_ratio(count, f->ascent, pf->ascent, &e_ascent);
  printf("%-16s %7.4f %4d %7.1f | %.4f +-%.4f  %.4f +-%.4f | %.3f +-%.3f  %.3f +-%.3f\n", name, gamma, seed,
         seconds, nsw, e_nsw, active, e_active, expl, e_expl, weak, e_ascent);
  fflush(stdout);
}

static wal_training_options recipe(int argc, char **argv, const char *name, int n, int m, double gamma,
                                   int seed) {
  wal_training_options o = wal_training_defaults(name, n, m);
  if (gamma >= 0) o.gamma = gamma;
  o.law.budget = number(argc, argv, "budget", o.law.budget);
  o.law.seed = (uint64_t)seed;
  o.steps = (int64_t)number(argc, argv, "steps", (double)o.steps);
  o.welfare = (int)number(argc, argv, "welfare", o.welfare);
  o.batch = (int)number(argc, argv, "batch", o.batch);
  o.lr = number(argc, argv, "lr", o.lr);
  o.attack.candidates = (int)number(argc, argv, "candidates", o.attack.candidates);
  o.samples = (int64_t)number(argc, argv, "samples", (double)o.samples);
  o.around = (int)number(argc, argv, "around", o.around);
  const char *objective = argument(argc, argv, "objective", NULL);
  if (objective) snprintf(o.objective, sizeof o.objective, "%s", objective);
  o.trace_every = (int64_t)number(argc, argv, "trace", 0);
  return o;
}

static void show(void *context, double fraction, const char *what) {
  (void)context, (void)fraction;
  fprintf(stderr, "  %s\n", what);
}

int main(int argc, char **argv) {
  const int n = (int)number(argc, argv, "n", 2), m = (int)number(argc, argv, "m", 2);
  const int candidates = (int)number(argc, argv, "strong", 0), seeds = (int)number(argc, argv, "seeds", 1);
  const bool ascent = number(argc, argv, "ascent", 1) != 0;
  wal_law law = wal_law_default(n, m, (uint64_t)number(argc, argv, "sample", 1));
  law.budget = number(argc, argv, "budget", law.budget);
  wal_owned_instances held = {0};
  fail_on(wal_instances_create((int64_t)number(argc, argv, "instances", 20000), n, m, false, &held));
  fail_on(wal_law_draw(&law, 0, &held));
  wal_mechanism_options options = wal_mechanism_defaults();
  options.polish = false;
  wal_mechanism *f = NULL;
  fail_on(wal_mechanism_create("pf", n, m, &options, &f));
  measures pf = measure(f, &held.in, candidates, ascent);
  wal_mechanism_destroy(f);
  printf(
      "%dx%d, budget %g N, %lld instances of sample %s, %d threads\n%-16s %7s %4s %7s | %-17s %-17s | %-14s "
      "%s\n",
      n, m, law.budget, (long long)held.in.count, argument(argc, argv, "sample", "1"), wal_threads(),
      "mechanism", "gamma", "seed", "cpu s", "NSW / PF's", "active agents'", "exploitability",
      "one-start ascent");
  char names[256], gammas[256];
  snprintf(names, sizeof names, "%s", argument(argc, argv, "mechanism", "rpf_monotone"));
  for (char *rest = names, *name; (name = strtok_r(rest, ",", &rest));) {
    const wal_mechanism_kind *kind = wal_mechanism_find(name);
    const bool learned = kind && kind->learned;
    snprintf(gammas, sizeof gammas, "%s", learned ? argument(argc, argv, "gamma", "-1") : "0");
    for (char *tail = gammas, *gamma; (gamma = strtok_r(tail, ",", &tail));)
      for (int seed = 1; seed <= (learned ? seeds : 1); seed++) {
        options.width = (int)number(argc, argv, "width", 0),
        options.depth = (int)number(argc, argv, "depth", 0);
        options.theta = number(argc, argv, "theta", options.theta);
        options.clip_one = number(argc, argv, "one", options.clip_one);
        options.clip_both = number(argc, argv, "both", options.clip_both);
        options.seed = (uint64_t)seed;
        const double begun = bench_cpu_seconds();
        fail_on(wal_mechanism_create(name, n, m, &options, &f));
        const wal_training_options o = recipe(argc, argv, name, n, m, atof(gamma), seed);
        const wal_training_hooks hooks = {.progress = show};
        if (learned) fail_on(wal_mechanism_train(f, &o, &hooks, NULL));
        const double seconds = bench_cpu_seconds() - begun;
        measures q = measure(f, &held.in, candidates, ascent);
        row(name, learned ? o.gamma : NAN, seed, seconds, held.in.count, &q, &pf);
        forget(&q);
        wal_mechanism_destroy(f);
      }
  }
  forget(&pf);
  wal_instances_destroy(&held);
  return 0;
}
