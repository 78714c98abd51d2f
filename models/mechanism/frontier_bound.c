#include "models/mechanism/frontier_bound.h"

#include <math.h>
#include <stdlib.h>

#include "models/common/parallel.h"
#include "models/mechanism/frontier_sample.h"
#include "models/mechanism/frontier_table.h"

wal_frontier_options wal_frontier_defaults(void) {
  return (wal_frontier_options){
      .low = 0.1, .high = 1, .demanded = 0.5, .types = 8, .profiles = 64, .seed = 1};
}

static wal_status check(const wal_frontier_options *o) {
  if (!(o->low > 0 && o->low < o->high && o->high <= 1))
    return wal_fail(WAL_E_INPUT,
                    "values and demands from %g to %g; expected 0 < low < high <= 1 (0.1, 1 works)", o->low,
                    o->high);
  if (!(o->demanded > 0 && o->demanded <= 1))
    return wal_fail(WAL_E_INPUT, "demands are kept with probability %g; expected (0, 1] (0.5 works)",
                    o->demanded);
  if (o->types < 1 || o->profiles < 1 || o->levels < 0)
    return wal_fail(WAL_E_INPUT,
                    "%d types, %d profiles, %d levels; expected at least 1, 1 and 0 (8, 64, 0 works)",
                    o->types, o->profiles, o->levels);
  if (!(o->least >= 0 && o->least <= 2))
    return wal_fail(WAL_E_INPUT, "least is %g; expected 0 to 2 (0 works)", o->least);
  return WAL_OK;
}

/* What every sample adds, times its weight. */
typedef struct {
  const wal_frontier_options *options;
  const double *kappa; /* [count] in absolute units */
  int count;
  wal_frontier_pf_level *pf;    /* [samples] */
  wal_frontier_optimum *optima; /* [samples, count] */
} integral;

static wal_frontier_problem problem_of(const wal_frontier_options *o, const wal_frontier_sample *s) {
  return (wal_frontier_problem){
      .types = {s->types[0], s->types[1]}, .n = {s->n[0], s->n[1]}, .b = {1, 1}, .least = o->least};
}

static wal_status pf_of_sample(void *context, int64_t k) {
  integral *g = context;
  wal_frontier_sample sample;
  wal_status status = wal_frontier_draw(g->options, k, &sample);
  if (status == WAL_OK && sample.weight > 0) {
    const wal_frontier_problem p = problem_of(g->options, &sample);
    status = wal_frontier_pf_level_of(&p, g->options, &g->pf[k]);
    g->pf[k].nsw *= sample.weight;
    g->pf[k].expl *= sample.weight;
  }
  wal_frontier_sample_destroy(&sample);
  return status;
}

static wal_status optimum_of_sample(void *context, int64_t k) {
  integral *g = context;
  wal_frontier_sample sample;
  wal_frontier_optimum *out = &g->optima[k * g->count];
  for (int c = 0; c < g->count; c++) out[c] = (wal_frontier_optimum){.least = 2};
  wal_status status = wal_frontier_draw(g->options, k, &sample);
  if (status == WAL_OK && sample.weight > 0) {
    const wal_frontier_problem p = problem_of(g->options, &sample);
    status = wal_frontier_solve(&p, g->kappa, g->count, out, NULL);
    for (int c = 0; c < g->count; c++) {
      out[c].bound *= sample.weight;
      out[c].expl *= sample.weight;
      out[c].nsw *= sample.weight;
    }
  }
  wal_frontier_sample_destroy(&sample);
  return status;
}

static void sum_pf(const integral *g, int64_t samples, double fixed, wal_frontier_pf_level *pf) {
  *pf = (wal_frontier_pf_level){.nsw = fixed};
  for (int64_t k = 0; k < samples; k++) {
    pf->nsw += g->pf[k].nsw;
    pf->expl += g->pf[k].expl;
  }
}

/* Sums over samples in order, as shares of PF's. */
static void sum_point(const integral *g, int64_t samples, int c, double fixed,
                      const wal_frontier_pf_level *pf, wal_frontier_point *out) {
  wal_frontier_optimum sum = {.nsw = fixed, .least = 2, .bound = -g->kappa[c] * fixed};
  for (int64_t k = 0; k < samples; k++) {
    const wal_frontier_optimum *one = &g->optima[k * g->count + c];
    sum.bound += one->bound;
    sum.expl += one->expl;
    sum.nsw += one->nsw;
    sum.least = fmin(sum.least, one->least);
  }
  *out = (wal_frontier_point){.kappa = g->kappa[c] * pf->nsw / pf->expl,
                              .bound = sum.bound / pf->expl,
                              .nsw = sum.nsw / pf->nsw,
                              .expl = sum.expl / pf->expl,
                              .least = sum.least};
}

wal_status wal_frontier_bound(const wal_frontier_options *options, const double *kappa, int count,
                              wal_frontier_point *points, wal_frontier_pf_level *pf) {
  wal_status status = check(options);
  if (status != WAL_OK) return status;
  const int64_t samples = wal_frontier_samples(options);
  double *scaled = malloc((size_t)count * sizeof *scaled);
  integral g = {.options = options,
                .kappa = scaled,
                .count = count,
                .pf = calloc((size_t)samples, sizeof *g.pf),
                .optima = calloc((size_t)(samples * count), sizeof *g.optima)};
  if (!scaled || !g.pf || !g.optima)
    status = wal_fail(WAL_E_MEMORY, "no memory for %lld samples", (long long)samples);
  if (status == WAL_OK) status = wal_for_tasks(samples, pf_of_sample, &g);
  if (status == WAL_OK) {
    const double fixed = wal_frontier_settled(options);
    sum_pf(&g, samples, fixed, pf);
    for (int c = 0; c < count; c++) scaled[c] = kappa[c] * pf->expl / pf->nsw;
    status = wal_for_tasks(samples, optimum_of_sample, &g);
    for (int c = 0; c < count && status == WAL_OK; c++) sum_point(&g, samples, c, fixed, pf, &points[c]);
  }
  free(g.pf);
  free(g.optima);
  free(scaled);
  return status;
}

double wal_frontier_at(const wal_frontier_point *points, int count, double nsw) {
  double most = 0;
  for (int c = 0; c < count; c++) most = fmax(most, points[c].bound + points[c].kappa * nsw);
  return most;
}
