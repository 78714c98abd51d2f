/* The paper's laws of random instances (17), (18), (19). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "models/mechanism/attack.h"

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
  const double demanded = law->kind == WAL_LAW_ADVERSARIAL ? 1 : law->demanded;
  *x = u[DEMANDED] < demanded ? project(law, law->low + width * u[DEMAND] + noise(law, u[DEMAND_NOISE])) : 0;
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

/* (19): the truths in `out` become every agent's best misreport under PF, found alone against the others'
   truths; an agent that nothing helps stays truthful. */
static wal_status misreport(const wal_law *law, wal_owned_instances *out) {
  const size_t cells = (size_t)(out->in.count * out->in.n * out->in.m);
  wal_attack_options attack = wal_attack_defaults("candidates");
  attack.candidates = 100; /* find at 2 x 2 what 600 do, to 4 digits, and training draws many */
  attack.low = law->low;
  attack.high = law->high;
  wal_mechanism_options options = wal_mechanism_defaults();
  options.polish = false; /* a lie is as good to the solver's tolerance */
  wal_mechanism *pf = NULL;
  double *v = malloc(2 * cells * sizeof *v), *x = v + cells;
  wal_status status =
      v ? wal_mechanism_create("pf", out->in.n, out->in.m, &options, &pf)
        : wal_fail(WAL_E_MEMORY, "no memory for the misreports of %lld instances", (long long)out->in.count);
  if (status == WAL_OK) status = wal_attack(pf, &out->in, &attack, &(wal_attack_result){.v = v, .x = x});
  if (status == WAL_OK) {
    memcpy(out->v, v, cells * sizeof *v);
    memcpy(out->x, x, cells * sizeof *x);
  }
  free(v);
  wal_mechanism_destroy(pf);
  return status;
}

wal_status wal_law_draw(const wal_law *law, int64_t first, wal_owned_instances *out) {
  drawing d = {law, first, out};
  const wal_status status = wal_for_chunks(out->in.count, draw_chunk, &d);
  return status == WAL_OK && law->kind == WAL_LAW_ADVERSARIAL && out->in.count > 0 ? misreport(law, out)
                                                                                   : status;
}
