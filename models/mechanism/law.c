/* The paper's laws of random instances (17), (18), (19). */
#include <math.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "models/mechanism/instances.h"

/* Uniforms of one entry (k, i, m): value, demand, whether it is demanded, and two perturbations. */
enum { VALUE, DEMAND, DEMANDED, VALUE_NOISE, DEMAND_NOISE, DRAWS = 8 };

wal_law wal_law_default(int n, int m, uint64_t seed) {
  return (wal_law){.kind = WAL_LAW_UNIFORM,
                   .n = n,
                   .m = m,
                   .low = 0.1,
                   .high = 1,
                   .demanded = 0.5,
                   .scale = 0.01,
                   .budget = 0.5,
                   .seed = seed,
                   .stream = WAL_STREAM_HELD_OUT};
}

wal_status wal_law_parse(const char *name, wal_law_kind *kind) {
  static const char *const names[] = {"uniform", "perturbed", "adversarial"};
  for (int k = 0; k < 3; k++)
    if (strcmp(name, names[k]) == 0) return *kind = (wal_law_kind)k, WAL_OK;
  return wal_fail(WAL_E_INPUT, "there is no law \"%.40s\"; expected uniform, perturbed or adversarial", name);
}

static double project(const wal_law *law, double x) { return fmin(fmax(x, law->low), law->high); }

static double noise(const wal_law *law, double uniform) {
  return law->kind == WAL_LAW_PERTURBED ? law->scale * tan(M_PI * (uniform - 0.5)) : 0;
}

/* Entry e = ((k N + i) M + m) of the law's truthful draws. */
static void draw_entry(const wal_law *law, uint64_t e, double *v, double *x) {
  double u[DRAWS];
  wal_rng_uniforms(law->seed, law->stream, e * DRAWS, DRAWS, u);
  const double width = law->high - law->low;
  *v = project(law, law->low + width * u[VALUE] + noise(law, u[VALUE_NOISE]));
  *x = u[DEMANDED] < law->demanded ? project(law, law->low + width * u[DEMAND] + noise(law, u[DEMAND_NOISE]))
                                   : 0;
}

typedef struct {
  const wal_law *law;
  int64_t first;
  wal_owned_instances *out;
} drawing;

static wal_status draw_chunk(void *context, int64_t lo, int64_t hi) {
  const drawing *d = context;
  const int64_t nm = (int64_t)d->out->in.n * d->out->in.m;
  for (int64_t e = lo * nm; e < hi * nm; e++)
    draw_entry(d->law, (uint64_t)(d->first * nm + e), &d->out->v[e], &d->out->x[e]);
  for (int64_t e = lo * d->out->in.m; e < hi * d->out->in.m; e++) d->out->b[e] = d->law->budget * d->law->n;
  for (int64_t e = lo * d->out->in.n; d->out->w && e < hi * d->out->in.n; e++) d->out->w[e] = 1;
  return WAL_OK;
}

wal_status wal_law_draw(const wal_law *law, int64_t first, wal_owned_instances *out) {
  if (law->kind == WAL_LAW_ADVERSARIAL)
    return wal_fail(WAL_E_UNSUPPORTED, "the adversarial law (19) is not there yet");
  drawing d = {law, first, out};
  return wal_for_chunks(out->in.count, draw_chunk, &d);
}
