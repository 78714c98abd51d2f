/* Table 2 of the RPF-Net paper in one run: what every mechanism takes to allocate, and a learned one for a
   gradient and for a step of training, in units of ExS-Net's.
   Usage: bench_mechanisms [N = 10] [M = 3] [budget over N = 0.5] [threads = 1] [repeats = 9].
   Times are the processor's on one thread, else on the wall; the least of the repeats, mechanisms in turns.
   Networks are untrained (the weights' bits do not change the work, the regulariser's size a little) and PF
   is solved to 1e-9 without the final polish. Goals: RPF <= 3, PF <= 2, PA <= 20, training <= 5. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/clock.h"
#include "models/common/parallel.h"
#include "models/mechanism/training.h"

enum { BATCH = 2048, MOST = 16, STEPS = 12 };

typedef struct {
  const char *name;
  double published[2]; /* Table 2: inference, training; NaN: not in it */
} entry;

static const entry entries[] = {
    {"exs", {1, 1}},
    {"softmax", {NAN, NAN}},
    {"pf", {40.1, NAN}},
    {"pa", {310, NAN}},
    {"rpf", {114.5, 380.2}},
    {"rpf_equivariant", {NAN, NAN}},
    {"rpf_monotone", {NAN, NAN}},
    {"rpf_separable", {NAN, NAN}},
};
enum { ENTRIES = sizeof entries / sizeof *entries };

typedef struct {
  wal_mechanism *f;
  double seconds[4]; /* allocate, allocate with the polish, gradient, step of training; of the whole batch */
  char failure[160];
} subject;

static double now(void) { return wal_threads() > 1 ? bench_seconds() : bench_cpu_seconds(); }

static void keep(subject *s, int what, double seconds, wal_status status) {
  s->seconds[what] = fmin(s->seconds[what], seconds);
  if (status) snprintf(s->failure, sizeof s->failure, "%s", wal_error());
}

/* A checkpoint after every step: when it came. */
typedef struct {
  double last, least;
} stopwatch;

static wal_status on_save(void *context, const void *bytes, int64_t size) {
  stopwatch *w = context;
  (void)bytes, (void)size;
  w->least = fmin(w->least, now() - w->last);
  w->last = now();
  return WAL_OK;
}

/* Steps of Algorithm 1 on batches of 64 instances, 24 candidates an agent: the fastest but the first. Most of
   them are contested, as training draws them. */
static void time_training(subject *s, double budget) {
  wal_training_options o = wal_training_defaults(s->f->kind->name, s->f->n, s->f->m);
  stopwatch watch = {.last = NAN, .least = INFINITY};
  const wal_training_hooks hooks = {.context = &watch, .save = on_save};
  o.law = wal_law_default(s->f->n, s->f->m, 1);
  o.law.budget = budget;
  o.batch = 64;
  o.attack = wal_attack_defaults("candidates");
  o.attack.candidates = 24;
  o.trace_every = 0;
  o.save_every = 1;
  o.steps = STEPS;
  const wal_status status = wal_mechanism_train(s->f, &o, &hooks, NULL);
  keep(s, 3, watch.least * BATCH / o.batch, status);
}

static void time_once(subject *s, const wal_instances *in, double *a, double *da) {
  for (int polish = 0; polish < 2; polish++) {
    s->f->options.polish = polish;
    const double start = now();
    const wal_status status = wal_mechanism_allocate(s->f, in, a);
    keep(s, polish, now() - start, status);
  }
  s->f->options.polish = false;
  if (!s->f->kind->learned) return;
  const double start = now();
  wal_status status = s->f->kind->vjp(s->f, in, da, NULL, NULL);
  if (!status) status = s->f->net->ops->step(s->f->net, 1e-6f);
  keep(s, 2, now() - start, status);
}

static void print(const subject *s, const entry *e, const subject *exs) {
  printf("%-16s", e->name);
  for (int k = 0; k < 4; k++)
    if (isfinite(s->seconds[k]))
      printf("%10.3f%8.2f", 1e6 * s->seconds[k] / BATCH, s->seconds[k] / exs->seconds[k]);
    else
      printf("%10s%8s", "-", "-");
  printf("%10.1f%10.1f  %s\n", e->published[0], e->published[1], s->failure);
}

int main(int argc, char **argv) {
  const int n = argc > 1 ? atoi(argv[1]) : 10, m = argc > 2 ? atoi(argv[2]) : 3;
  const double budget = argc > 3 ? atof(argv[3]) : 0.5;
  wal_threads_set(argc > 4 ? atoi(argv[4]) : 1);
  const int repeats = argc > 5 ? atoi(argv[5]) : 9;
  const size_t cells = (size_t)BATCH * (size_t)n * (size_t)m;
  wal_law law = wal_law_default(n, m, 1);
  wal_owned_instances in;
  subject subjects[ENTRIES];
  law.budget = budget;
  double *a = malloc(cells * sizeof *a), *da = malloc(cells * sizeof *da);
  if (!a || !da || wal_instances_create(BATCH, n, m, false, &in) || wal_law_draw(&law, 0, &in)) return 1;
  for (size_t e = 0; e < cells; e++) da[e] = in.v[e];
  for (int k = 0; k < ENTRIES; k++) {
    subjects[k] = (subject){.seconds = {INFINITY, INFINITY, INFINITY, INFINITY}};
    if (wal_mechanism_create(entries[k].name, n, m, NULL, &subjects[k].f))
      snprintf(subjects[k].failure, sizeof subjects[k].failure, "%s", wal_error());
  }
  for (int turn = 0; turn < repeats; turn++)
    for (int k = 0; k < ENTRIES; k++)
      if (subjects[k].f) time_once(&subjects[k], &in.in, a, da);
  for (int k = 0; k < ENTRIES; k++)
    if (subjects[k].f && subjects[k].f->kind->learned) time_training(&subjects[k], budget);
  printf("%d x %d, budget %g N, %d instances, %d threads: microseconds an instance, and over ExS-Net's\n", n,
         m, budget, BATCH, wal_threads());
  printf("%-16s%18s%18s%18s%18s%20s\n", "", "allocate", "polished", "gradient + Adam", "training step",
         "paper's ratios");
  for (int k = 0; k < ENTRIES; k++) print(&subjects[k], &entries[k], &subjects[0]);
  for (int k = 0; k < ENTRIES; k++) wal_mechanism_destroy(subjects[k].f);
  wal_instances_destroy(&in);
  free(a), free(da);
  return 0;
}
