#include "models/nashwelfare/substitutes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/rng.h"
#include "models/nashwelfare/demand_quadratic.h"

/* One trial: its uniforms in order, and its arrays. */
typedef struct {
  const wal_substitutes_agent *agent;
  uint64_t seed, next;
  int m;
  double *q, *q1, *y, *high, *work; /* [m] */
} trial;

static double uniform(trial *t) { return wal_rng_uniform(t->seed, WAL_STREAM_SEARCH, t->next++); }
static double spread(trial *t) { return exp(log(0.03) * uniform(t)); }
static bool chance(trial *t, double probability) { return uniform(t) < probability; }

/* ---- Gale demand of either kind ---- */

/* The program of a set that is not empty found it so: no counterexample, a failure. */
static wal_status lost(const wal_demand_set *set) {
  return wal_fail(WAL_E_DIVERGED, "no point of a Gale demand of utility %g and cost %g was found",
                  set->utility, set->cost);
}

/* A point y[m] of GD(q, b) that minimises a random <c, y>, c > 0; *found false: q is outside of FQ. */
static wal_status draw_demand(trial *t, const double *q, double b, double *y, bool *found) {
  const wal_substitutes_agent *a = t->agent;
  *found = true;
  if (a->c) return wal_demand_gale_quadratic(t->m, a->c, a->q, q, b, y);
  wal_demand_set set;
  for (int j = 0; j < t->m; j++) t->work[j] = spread(t);
  wal_status status = wal_demand_gale(a->u, q, b, &set);
  if (status == WAL_OK) status = wal_demand_pick(a->u, q, &set, t->work, NULL, NULL, y, found);
  return status == WAL_OK && !*found && set.utility < INFINITY ? lost(&set) : status;
}

/* The least e >= 0 with a point of GD(q, b) below high + e; INFINITY: q is outside of FQ. */
static wal_status excess_over(trial *t, const double *q, double b, const double *high, double *e) {
  const wal_substitutes_agent *a = t->agent;
  if (!a->c) {
    wal_demand_set set;
    wal_status status = wal_demand_gale(a->u, q, b, &set);
    if (status == WAL_OK) status = wal_demand_excess(a->u, q, &set, high, e);
    return status == WAL_OK && *e == INFINITY && set.utility < INFINITY ? lost(&set) : status;
  }
  *e = 0;
  const wal_status status = wal_demand_gale_quadratic(t->m, a->c, a->q, q, b, t->work);
  for (int j = 0; j < t->m; j++) *e = fmax(*e, t->work[j] - high[j]);
  return status;
}

/* ---- prices ---- */

/* At random, or those at which a random bundle is a Gale demand (Lemma 4.3): there ties are usual. */
static wal_status draw_prices(trial *t, bool tied, double b, double *q) {
  wal_status status = WAL_OK;
  double worth = 0, most = 0;
  if (tied) {
    for (int j = 0; j < t->m; j++) t->work[j] = chance(t, 0.8) ? uniform(t) : 0;
    worth = wal_utility_value(t->agent->u, t->work);
    status = wal_utility_supergradient(t->agent->u, t->work, q);
    for (int j = 0; j < t->m; j++) most = fmax(most, q[j]);
  }
  const bool priced = worth > 0 && most > 0;
  for (int j = 0; j < t->m; j++) q[j] = !priced ? spread(t) : q[j] > 1e-12 * most ? q[j] * b / worth : 0;
  return status;
}

/* q1 <= q: one good lowered or several, in places to 0; or to where q1 has ties too. */
static wal_status lower_prices(trial *t, bool tied, double b) {
  const int sure = (int)(t->m * uniform(t));
  const wal_status status = tied ? draw_prices(t, true, b, t->q1) : WAL_OK;
  for (int j = 0; j < t->m; j++) {
    const bool chosen = chance(t, 0.4), lowered = chosen || j == sure;
    const double factor = chance(t, 0.1) ? 0 : uniform(t);
    t->q1[j] = tied ? fmin(t->q1[j], t->q[j]) : lowered ? factor * t->q[j] : t->q[j];
  }
  return status;
}

/* ---- the properties ---- */

static wal_status try_demands(trial *t, wal_substitutes_property property, bool tied, bool twice,
                              wal_substitutes_trial *out) {
  const double b = 0.25 + 1.75 * uniform(t);
  double b1 = b, most = 0, e;
  bool found = false;
  wal_status status = draw_prices(t, tied, b, t->q);
  memcpy(t->q1, t->q, (size_t)t->m * sizeof *t->q);
  if (property == WAL_SUBSTITUTES_SIGMA) memset(t->q, 0, (size_t)t->m * sizeof *t->q);
  if (property == WAL_SUBSTITUTES_BUDGET) b1 *= uniform(t);
  if (status == WAL_OK && property == WAL_SUBSTITUTES_PRICES) status = lower_prices(t, twice, b);
  if (status == WAL_OK) status = draw_demand(t, t->q, b, t->y, &found);
  if (status != WAL_OK || !found) return status;
  for (int j = 0; j < t->m; j++) {
    most = fmax(most, t->y[j]);
    t->high[j] = property == WAL_SUBSTITUTES_PRICES && t->q1[j] < t->q[j] ? INFINITY : t->y[j];
  }
  status = excess_over(t, t->q1, b1, t->high, &e);
  out->tried = status == WAL_OK && e < INFINITY;
  if (out->tried) out->excess = e / most;
  return status;
}

static void try_submodular(trial *t, wal_substitutes_trial *out) {
  const wal_utility *u = t->agent->u;
  double *x = t->q, *y = t->q1, *join = t->y, *meet = t->high;
  for (int j = 0; j < t->m; j++) {
    x[j] = uniform(t);
    y[j] = uniform(t);
    join[j] = fmax(x[j], y[j]);
    meet[j] = fmin(x[j], y[j]);
  }
  const double apart = wal_utility_value(u, x) + wal_utility_value(u, y);
  const double together = wal_utility_value(u, join) + wal_utility_value(u, meet);
  *out = (wal_substitutes_trial){.tried = true, .excess = apart > 0 ? fmax(0, together / apart - 1) : 0};
}

wal_status wal_substitutes_try(const wal_substitutes_agent *agent, wal_substitutes_property property,
                               uint64_t seed, int64_t k, wal_substitutes_trial *out) {
  *out = (wal_substitutes_trial){0};
  const int m = agent->u->m;
  trial t = {.agent = agent, .seed = seed, .next = (uint64_t)k << 16, .m = m};
  t.q = malloc(5 * (size_t)m * sizeof *t.q);
  if (!t.q) return wal_fail(WAL_E_MEMORY, "no memory for %d goods", m);
  t.q1 = t.q + m, t.y = t.q1 + m, t.high = t.y + m, t.work = t.high + m;
  wal_status status = WAL_OK;
  if (property == WAL_SUBSTITUTES_SUBMODULAR)
    try_submodular(&t, out);
  else
    status = try_demands(&t, property, k % 2, k % 4 == 3, out);
  free(t.q);
  return status;
}
