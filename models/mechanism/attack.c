#include "models/mechanism/attack.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/mechanism/attack_search.h"

wal_attack_options wal_attack_defaults(const char *method) {
  wal_attack_options options = {.lie = WAL_LIE_BOTH,
                                .candidates = 600,
                                .starts = 1,
                                .steps = 100,
                                .rate = 0.1,
                                .grid = 64,
                                .refine = 12,
                                .low = 0.1,
                                .high = 1,
                                .seed = 1};
  snprintf(options.method, sizeof options.method, "%s", method);
  return options;
}

/* ---- the front door ---- */

static wal_status check_numbers(const wal_attack_options *o) {
  if (o->lie < WAL_LIE_VALUES || o->lie > WAL_LIE_BOTH)
    return wal_fail(WAL_E_INPUT, "lie %d; expected values (1), demands (2) or both (3)", (int)o->lie);
  if (!(o->low > 0 && o->high > o->low && o->high < INFINITY))
    return wal_fail(WAL_E_INPUT, "reports in [%g, %g]; expected 0 < low < high (0.1 and 1 work)", o->low,
                    o->high);
  if (o->candidates < 1 || o->starts < 1 || o->steps < 0 || o->grid < 8 || o->refine < 0)
    return wal_fail(WAL_E_INPUT,
                    "candidates %d, starts %d, steps %d, grid %d, refine %d; expected at least 1, 1, 0, 8, 0 "
                    "(600, 1, 100, 64, 12 work)",
                    o->candidates, o->starts, o->steps, o->grid, o->refine);
  return WAL_OK;
}

wal_status wal_attack_check(const wal_attack_options *o, int n, int m) {
  static const char *const methods[] = {"ascent", "candidates", "strong", "grid"};
  bool known = false;
  for (int k = 0; k < 4; k++) known |= strcmp(o->method, methods[k]) == 0;
  if (!known)
    return wal_fail(WAL_E_INPUT, "there is no attack \"%.15s\"; expected ascent, candidates, strong or grid",
                    o->method);
  if (strcmp(o->method, "grid") == 0 && (n != 2 || m != 2))
    return wal_fail(WAL_E_INPUT,
                    "a grid of reports for %d agents and %d resources; expected 2 and 2 (strong "
                    "works for any number)",
                    n, m);
  return check_numbers(o);
}

static wal_status check(const wal_mechanism *f, const wal_instances *in, const wal_attack_options *o) {
  if (in->n != f->n || in->m != f->m)
    return wal_fail(WAL_E_INPUT, "instances of %d agents and %d resources; this %s is for %d and %d", in->n,
                    in->m, f->kind->name, f->n, f->m);
  return wal_attack_check(o, in->n, in->m);
}

/* ---- the truth ---- */

static wal_status measure_truth(wal_search *s) {
  const wal_instances *in = s->in;
  const int64_t pairs = in->count * in->n;
  const wal_mechanism *part[WAL_LOTS];
  double probability[WAL_LOTS];
  const int lots = wal_mechanism_lots(s->f, part, probability);
  double *a = malloc((size_t)((pairs + 1) * (in->m + 1)) * sizeof *a), *u = a + pairs * in->m;
  if (!a) return wal_fail(WAL_E_MEMORY, "no memory for %lld allocations", (long long)in->count);
  wal_status status = WAL_OK;
  for (int p = 0; status == WAL_OK && p < lots; p++) {
    status = part[p]->kind->allocate(part[p], in, a);
    if (status == WAL_OK) wal_utilities(in, a, u);
    for (int64_t r = 0; status == WAL_OK && r < pairs; r++) s->truth[r] += probability[p] * u[r];
  }
  free(a);
  s->computed = in->count;
  return status;
}

/* Agents that do not yet get all that they want. */
static void list_pairs(wal_search *s) {
  const wal_instances *in = s->in;
  for (int64_t r = 0; r < in->count * in->n; r++) {
    double all = 0;
    for (int m = 0; m < in->m; m++) all += in->v[r * in->m + m] * in->x[r * in->m + m];
    if (s->truth[r] < all * (1 - 1e-9)) s->pairs[s->pair_count++] = r;
  }
}

void wal_search_offer(wal_search *s, int64_t pair, double u, const double *v, const double *x) {
  const size_t row = (size_t)s->in->m * sizeof *v;
  if (!(u - s->truth[pair] > s->gain[pair])) return;
  s->gain[pair] = u - s->truth[pair];
  if (s->v) memcpy(s->v + pair * s->in->m, v, row);
  if (s->x) memcpy(s->x + pair * s->in->m, x, row);
}

/* ---- the search ---- */

static wal_status search(wal_search *s, const wal_attack_result *out) {
  const wal_instances *in = s->in;
  const size_t pairs = (size_t)(in->count * in->n), cells = pairs * (size_t)in->m;
  if (out->v) memcpy(out->v, in->v, cells * sizeof *out->v);
  if (out->x) memcpy(out->x, in->x, cells * sizeof *out->x);
  wal_status status = measure_truth(s);
  if (status == WAL_OK) list_pairs(s);
  if (status == WAL_OK)
    status = strcmp(s->options->method, "ascent") == 0 ? wal_search_ascent(s) : wal_search_listed(s);
  if (out->gain) memcpy(out->gain, s->gain, pairs * sizeof *out->gain);
  if (out->evaluations) *out->evaluations = s->computed;
  if (out->searched) *out->searched = s->pair_count;
  return status;
}

wal_status wal_attack_from(wal_mechanism *f, const wal_instances *in, const wal_attack_options *options,
                           const wal_attack_known *known, const wal_attack_result *out) {
  wal_status status = check(f, in, options);
  if (status != WAL_OK) return status;
  const size_t pairs = (size_t)(in->count * in->n), room = pairs > 0 ? pairs : 1;
  wal_search s = {.f = f, .in = in, .options = options, .known = known, .v = out->v, .x = out->x};
  s.truth = calloc(2 * room, sizeof *s.truth);
  s.pairs = malloc(room * sizeof *s.pairs);
  if (s.truth && s.pairs) {
    s.gain = s.truth + pairs;
    status = search(&s, out);
  } else {
    status = wal_fail(WAL_E_MEMORY, "no memory for %lld agents", (long long)pairs);
  }
  free(s.truth);
  free(s.pairs);
  return status;
}

wal_status wal_attack(wal_mechanism *f, const wal_instances *in, const wal_attack_options *options,
                      const wal_attack_result *out) {
  return wal_attack_from(f, in, options, NULL, out);
}

void wal_exploitability(const wal_instances *in, const double *gain, double *expl) {
  for (int64_t k = 0; k < in->count; k++) {
    double sum = 0;
    for (int i = 0; i < in->n; i++) sum += gain[k * in->n + i];
    expl[k] = sum / in->n;
  }
}

bool wal_exploitable(double expl) { return expl > 1e-9; }
