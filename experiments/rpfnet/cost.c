#include "experiments/rpfnet/cost.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "engine/pool.h"
#include "models/common/parallel.h"

enum { MOST_KINDS = 4, LEAST_TURNS = 3, STEPS = 6 };

/* Processor time of this process, s. */
static double cpu_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct {
  wal_mechanism *f;
  const wal_instances *in;
  double *a, *da; /* [K, N, M] */
  int threads;    /* of the point */
  wal_rpfnet_cost *cost;
} subject;

/* *least becomes the smaller of it and what began at `begun` by the given clock, in us per instance. */
static void note(double *least, double begun, double (*clock_of)(void), int64_t count) {
  *least = fmin(*least, 1e6 * (clock_of() - begun) / (double)count);
}

static wal_status time_gradient(subject *s) {
  const double begun = cpu_now();
  wal_status status = s->f->kind->vjp(s->f, s->in, s->da, NULL, NULL);
  if (status == WAL_OK) status = s->f->net->ops->step(s->f->net, 1e-6f);
  note(&s->cost->gradient, begun, cpu_now, s->in->count);
  return status;
}

static wal_status time_turn(subject *s) {
  wal_status status = WAL_OK;
  wal_threads_set(1);
  for (int polish = 0; status == WAL_OK && polish < 2; polish++) {
    s->f->options.polish = polish;
    const double begun = cpu_now();
    status = wal_mechanism_allocate(s->f, s->in, s->a);
    note(polish ? &s->cost->polished : &s->cost->allocate, begun, cpu_now, s->in->count);
  }
  s->f->options.polish = false;
  if (status == WAL_OK && s->f->kind->learned) status = time_gradient(s);
  wal_threads_set(s->threads);
  const double begun = wal_now();
  if (status == WAL_OK) status = wal_mechanism_allocate(s->f, s->in, s->a);
  note(&s->cost->all, begun, wal_now, s->in->count);
  return status;
}

/* A checkpoint after every step says when it came. */
typedef struct {
  double last, least;
} stopwatch;

static wal_status on_save(void *context, const void *bytes, int64_t size) {
  stopwatch *w = context;
  const double now = cpu_now();
  (void)bytes, (void)size;
  w->least = fmin(w->least, now - w->last);
  w->last = now;
  return WAL_OK;
}

static wal_status time_steps(const wal_point *point, subject *s) {
  wal_training_options o = wal_training_defaults(s->f->kind->name, s->f->n, s->f->m);
  stopwatch watch = {.last = NAN, .least = INFINITY};
  const wal_training_hooks hooks = {.context = &watch, .save = on_save};
  o.law = wal_rpfnet_law(point);
  o.batch = (int)wal_point_int(point, "cost.batch");
  o.attack = wal_attack_defaults("candidates");
  o.attack.candidates = (int)wal_point_int(point, "cost.candidates");
  o.trace_every = 0;
  o.save_every = 1;
  o.steps = STEPS;
  wal_threads_set(1);
  const wal_status status = wal_mechanism_train(s->f, &o, &hooks, NULL);
  wal_threads_set(s->threads);
  s->cost->step = 1e6 * watch.least / o.batch;
  return status;
}

static wal_status run_turns(const wal_point *point, int count, subject *subjects) {
  const double begun = cpu_now(), seconds = wal_point_real(point, "cost.seconds");
  wal_status status = WAL_OK;
  for (int turn = 0; turn < LEAST_TURNS || cpu_now() - begun < 4 * seconds * count; turn++)
    for (int k = 0; k < count; k++) {
      status = time_turn(&subjects[k]);
      if (status != WAL_OK) return status;
    }
  return status;
}

/* What was not measured. */
static double measured(double least) { return isfinite(least) ? least : NAN; }

wal_status wal_rpfnet_costs(const wal_point *point, int count, const char *const kinds[], bool steps,
                            wal_rpfnet_cost *out) {
  const wal_law law = wal_rpfnet_law(point);
  const int64_t instances = wal_point_int(point, "cost.instances");
  const size_t cells = (size_t)instances * (size_t)law.n * (size_t)law.m;
  wal_owned_instances in;
  subject subjects[MOST_KINDS] = {{0}};
  double *a = malloc(2 * cells * sizeof *a);
  wal_status status = wal_instances_create(instances, law.n, law.m, false, &in);
  if (status == WAL_OK && !a) status = wal_fail(WAL_E_MEMORY, "no memory for %zu entries", cells);
  if (status == WAL_OK) status = wal_law_draw(&law, 0, &in);
  for (size_t e = 0; status == WAL_OK && e < cells; e++) a[cells + e] = in.v[e];
  for (int k = 0; status == WAL_OK && k < count; k++) {
    out[k] = (wal_rpfnet_cost){INFINITY, INFINITY, INFINITY, INFINITY, INFINITY};
    subjects[k] = (subject){.in = &in.in, .a = a, .da = a + cells, .threads = wal_threads(), .cost = &out[k]};
    status = wal_mechanism_create(kinds[k], law.n, law.m, NULL, &subjects[k].f);
  }
  if (status == WAL_OK) status = run_turns(point, count, subjects);
  for (int k = 0; status == WAL_OK && k < count; k++) {
    if (steps && subjects[k].f->kind->learned) status = time_steps(point, &subjects[k]);
    out[k] = (wal_rpfnet_cost){measured(out[k].allocate), measured(out[k].polished), measured(out[k].all),
                               measured(out[k].gradient), measured(out[k].step)};
  }
  for (int k = 0; k < count; k++) wal_mechanism_destroy(subjects[k].f);
  wal_instances_destroy(&in);
  free(a);
  return status;
}

wal_status wal_rpfnet_parameters(const char *kind, int n, int m, int64_t *out) {
  wal_mechanism *f = NULL;
  const wal_status status = wal_mechanism_create(kind, n, m, NULL, &f);
  *out = status == WAL_OK && f->net ? f->net->ops->parameter_count(f->net) : 0;
  wal_mechanism_destroy(f);
  return status;
}
