/* The summary of walras allocate. */
#include <math.h>

#include "engine/progress.h"
#include "experiments/commands/allocating.h"
#include "models/common/version.h"

enum { AGENTS_SHOWN = 20, RESOURCES_SHOWN = 8, NAME_WIDTH = 30, CELL = 12, GAIN = 13 };

/* ---- one instance: agents x resources ---- */

static int shown_of(int count, int most) { return count < most + 3 ? count : most; } /* not "and 1 more" */

static const char *name_of(char *const *names, int k) { return names ? names[k] : NULL; }

/* The width of the first column. */
static int agent_width(const wal_instances_file *file, int shown) {
  int width = 6;
  for (int i = 0; i < shown && file->agent_names; i++) {
    const int own = wal_name_width(file->agent_names[i]);
    width = own > width ? own : width;
  }
  return width < NAME_WIDTH ? width : NAME_WIDTH;
}

static void print_header(const wal_allocating *w, int width, int resources) {
  printf("\n%-*s  %*s", width, "agent", CELL, "utility");
  if (w->attacked) printf("  %*s", GAIN, "gain by lying");
  for (int m = 0; m < resources; m++) {
    const char *name = name_of(w->file.resource_names, m);
    const int own = name ? wal_name_width(name) : 1 + (m > 9) + (m > 99);
    printf("  %*s", own < CELL ? CELL - own : 0, "");
    wal_print_name(name, m, own < CELL ? own : CELL);
  }
  printf("\n");
}

static void print_row(const char *name, int width, const double *cells, int count, bool attacked) {
  printf("%-*s  %*s", width, name, CELL, "");
  if (attacked) printf("  %*s", GAIN, "");
  for (int m = 0; m < count; m++) printf("  %*.6g", CELL, cells[m]);
  printf("\n");
}

static void print_table(const wal_allocating *w) {
  const wal_instances *in = &w->in.own.in;
  const wal_allocation_block *q = &w->answer;
  const int agents = shown_of(in->n, AGENTS_SHOWN), resources = shown_of(in->m, RESOURCES_SHOWN);
  const int width = agent_width(&w->file, agents);
  print_header(w, width, resources);
  for (int i = 0; i < agents; i++) {
    wal_print_name(name_of(w->file.agent_names, i), i, width);
    printf("  %*.6g", CELL, q->u[i]);
    if (q->gain) printf("  %*.3g", GAIN, q->gain[i] > 1e-12 * q->u[i] ? q->gain[i] : 0);
    for (int m = 0; m < resources; m++) printf("  %*.6g", CELL, q->a[(int64_t)i * in->m + m]);
    printf("\n");
  }
  print_row("budget", width, in->b, resources, w->attacked);
  if (q->lambda) print_row("price", width, q->lambda, resources, w->attacked);
  if (agents < in->n) printf("... and %d more agents\n", in->n - agents);
  if (resources < in->m) printf("... and %d more resources\n", in->m - resources);
}

/* ---- notes ---- */

static const char *s_of(int64_t count) { return count == 1 ? "" : "s"; }

static void note_idle(const wal_allocating *w) {
  const wal_allocation_totals *t = &w->totals;
  if (t->idle == 0) return;
  printf("%-18s%lld agent%s", "note", (long long)t->idle, s_of(t->idle));
  if (w->file.count > 1)
    printf(" (in %lld of %lld instances)", (long long)t->with_idle, (long long)w->file.count);
  printf(" without demand for anything of value%s: allocated nothing",
         t->unweighted ? ", or with a weight of 0" : "");
  printf("\n");
}

static void note_ambiguous(const wal_allocating *w) {
  const wal_allocation_totals *t = &w->totals;
  if (t->ambiguous == 0) return;
  if (w->file.count == 1)
    printf("%-18sthe allocation is not unique (ties): one of several with the same utilities\n", "note");
  else
    printf(
        "%-18sthe allocation of %lld instance%s is not unique (ties; the first is %lld): one of several with "
        "the same utilities\n",
        "note", (long long)t->ambiguous, s_of(t->ambiguous), (long long)t->first_ambiguous);
}

static void print_notes(const wal_allocating *w) {
  const wal_allocation_totals *t = &w->totals;
  if (w->file.streamed)
    printf("%-18s%s\n", "note", "streamed: the instances are read from the file in blocks");
  if (w->file.z) printf("%-18s%s\n", "note", "the file's z enters as the linear term of eq. 9");
  note_idle(w);
  note_ambiguous(w);
  if (t->inexact)
    printf("%-18s%lld instance%s with a KKT residual over 1e-9\n", "note", (long long)t->inexact,
           s_of(t->inexact));
  if (t->empty)
    printf("%-18s%lld budget%s of 0: nothing of the resource to allocate\n", "note", (long long)t->empty,
           s_of(t->empty));
  if (w->model && w->models != WAL_MODELS_VERSION)
    printf(
        "%-18s%s was trained by models version %d; this walras has %d, where its network may mean "
        "something else\n",
        "note", w->model, w->models, WAL_MODELS_VERSION);
}

/* ---- the whole ---- */

static void print_attack(const wal_allocating *w) {
  static const char *const lies[] = {"", "values", "demands", "values and demands"};
  char took[32];
  wal_format_seconds(w->totals.attack_seconds, took, sizeof took);
  printf("%-18s%.6g mean gain, %.6g at most, by %s misreports of %s (a lower bound; in %s)\n",
         "exploitability", w->totals.expl, w->totals.worst_gain, w->attack.method, lies[w->attack.lie], took);
}

void wal_allocating_print(const wal_allocating *w) {
  const wal_allocation_totals *t = &w->totals;
  char took[32];
  wal_format_seconds(t->seconds, took, sizeof took);
  printf("%-18s%s (%s)\n", "instances", w->path, w->file.format);
  if (!w->file.single) printf("%-18s%lld\n", "instances K", (long long)w->file.count);
  printf("%-18s%d\n%-18s%d\n", "agents N", w->file.n, "resources M", w->file.m);
  printf("%-18s%s: %s%s%s\n", "mechanism", w->f->kind->name, w->f->kind->title, w->model ? ", " : "",
         w->model ? w->model : "");
  printf("%-18s%s\n", "time", took);
  wal_print_device(&w->device);
  const char *mean = w->file.count > 1 ? " (mean)" : "";
  if (isfinite(t->nsw)) printf("%-18s%.6g%s: the product of the utilities\n", "Nash welfare", t->nsw, mean);
  printf("%-18s%.6g nats%s%s\n", "log Nash welfare", t->log_nsw, mean,
         t->idle ? ", of the agents that take part" : "");
  printf("%-18s%.4g %% of the budgets%s\n", "efficiency", 100 * t->efficiency, mean);
  if (wal_allocating_pf(w)) {
    printf("%-18s%.2g", "KKT residual", t->worst_kkt);
    if (w->file.count > 1) printf(" at most (instance %lld)", (long long)t->worst_instance);
    printf("\n");
  }
  if (w->attacked) print_attack(w);
  print_notes(w);
  if (w->file.count == 1) print_table(w);
}
