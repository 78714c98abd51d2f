#include "models/mechanism/frontier_sample.h"

#include <math.h>
#include <stdlib.h>

#include "models/common/rng.h"
#include "models/mechanism/pf.h"

/* ---- ratios of values ---- */

double wal_frontier_ratio(double low, double high, double p) {
  if (p < 0.5) return 1 / wal_frontier_ratio(low, high, 1 - p);
  /* P(ratio > r) = (high^2 / (2 r) - low high + low^2 r / 2) / (high - low)^2 for r >= 1 */
  const double q = low * high + (high - low) * (high - low) * (1 - p);
  return high * high / (q + sqrt(fmax(q * q - low * low * high * high, 0)));
}

/* Given the ratio, v_1 has a density proportional to v_1 where both values are in range. */
void wal_frontier_mean_values(double low, double high, double ratio, double v[2]) {
  const double from = fmax(low, low / ratio), to = fmin(high, high / ratio);
  v[1] = 2.0 / 3 * (from * from + from * to + to * to) / (from + to);
  v[0] = ratio * v[1];
}

/* ---- demands ---- */

/* Kinds of contest that lies about values matter for, resource 0 contested: agent 0 wants both resources and
   agent 1 only that one; both want both; both want both, and the other one is contested too. */
enum { ASYMMETRIC, ONE_CONTESTED, BOTH_CONTESTED, KINDS };
/* The first kind has more than half of PF's exploitability and, one agent having one type, small programs: it
   is sampled more often. */
enum { MORE_ASYMMETRIC = 16, DIMENSIONS = 8 };

/* Point k of a Kronecker sequence in the unit cube, shifted at random: powers of the root of phi^9 = phi + 1
   are as far from rational as can be. */
static void cube(uint64_t seed, int kind, int64_t k, double u[DIMENSIONS]) {
  double phi = 1.1;
  for (int j = 0; j < 60; j++) phi = pow(1 + phi, 1.0 / (DIMENSIONS + 1));
  for (int j = 0; j < DIMENSIONS; j++) {
    const double shift = wal_rng_uniform(seed, WAL_STREAM_SAMPLE, (uint64_t)(kind * DIMENSIONS + j));
    u[j] = fmod(shift + (double)(k + 1) * pow(phi, -(j + 1)), 1);
  }
}

/* Two demands whose sum is above 1 (below: at most 1), from two uniforms; their probability density over that
   of the law is returned as a weight. */
static double two_demands(const wal_frontier_options *o, bool contested, const double u[2], double *x,
                          double *y) {
  const double width = o->high - o->low;
  *x = o->low + width * u[0];
  const double split = fmin(fmax(1 - *x, o->low), o->high), from = contested ? split : o->low,
               to = contested ? o->high : split;
  *y = from + (to - from) * u[1];
  return (to - from) / width;
}

/* ---- types ---- */

/* Values of the given ratio: their mean, or the quantile q. */
static void values_at(const wal_frontier_options *o, double ratio, double q, double v[2]) {
  if (!o->scale) {
    wal_frontier_mean_values(o->low, o->high, ratio, v);
    return;
  }
  const double from = fmax(o->low, o->low / ratio), to = fmin(o->high, o->high / ratio);
  v[1] = sqrt(from * from + q * (to * to - from * from));
  v[0] = ratio * v[1];
}

static const double golden = 0.6180339887498949;

/* One type for every cell of the ratio, at the place shift[0] of it; one only where a demand is 0. */
static int add_types(const wal_frontier_options *o, const double x[2], const double shift[2], double weight,
                     wal_frontier_type *out) {
  const bool single = !(x[0] > 0 && x[1] > 0);
  const int count = single ? 1 : o->types;
  for (int g = 0; g < count; g++) {
    const double mean = (o->low + o->high) / 2;
    out[g] = (wal_frontier_type){.v = {mean, mean}, .x = {x[0], x[1]}, .weight = weight / count};
    if (!single)
      values_at(o, wal_frontier_ratio(o->low, o->high, (g + shift[0]) / count),
                fmod(shift[1] + g * golden, 1), out[g].v);
  }
  return count;
}

static void draw_values(const wal_frontier_options *o, int64_t k, wal_frontier_sample *s) {
  const int64_t block = k / o->profiles;
  const int kind = block < MORE_ASYMMETRIC ? ASYMMETRIC : (int)(block - MORE_ASYMMETRIC) + ONE_CONTESTED;
  const int64_t count = (int64_t)o->profiles * (kind == ASYMMETRIC ? MORE_ASYMMETRIC : 1);
  const double d = o->demanded, both = d * d * d * d, width = o->high - o->low;
  double u[DIMENSIONS], x[2][2] = {{0}};
  cube(o->seed, kind, kind == ASYMMETRIC ? k : k % o->profiles, u);
  s->weight = two_demands(o, true, &u[0], &x[0][0], &x[1][0]) / (double)count;
  if (kind == ASYMMETRIC) {
    x[0][1] = o->low + width * u[2];
    s->weight *= 4 * d * d * d * (1 - d); /* either agent, either resource */
  } else {
    s->weight *= two_demands(o, kind == BOTH_CONTESTED, &u[2], &x[0][1], &x[1][1]);
    s->weight *= kind == BOTH_CONTESTED ? both : 2 * both; /* either resource */
  }
  for (int i = 0; i < 2; i++) s->n[i] = add_types(o, x[i], &u[4 + 2 * i], 1, s->types[i]);
}

/* Every pair of demands of an agent from its sampled levels; agents without demand change nothing. */
static void draw_demands(const wal_frontier_options *o, int64_t k, wal_frontier_sample *s) {
  double u[DIMENSIONS];
  cube(o->seed, KINDS, k, u);
  s->weight = 1.0 / o->profiles;
  for (int i = 0; i < 2; i++) {
    const int levels = o->levels;
    for (int at = 1; at < (levels + 1) * (levels + 1); at++) {
      const int level[2] = {at / (levels + 1), at % (levels + 1)};
      double x[2], weight = 1;
      for (int m = 0; m < 2; m++) {
        x[m] = level[m] ? o->low + (o->high - o->low) * (level[m] - 1 + u[2 * i + m]) / levels : 0;
        weight *= level[m] ? o->demanded / levels : 1 - o->demanded;
      }
      const double shift[2] = {fmod(u[4 + 2 * i] + at * golden, 1), fmod(u[5 + 2 * i] + at * golden, 1)};
      s->n[i] += add_types(o, x, shift, weight, &s->types[i][s->n[i]]);
    }
  }
}

int64_t wal_frontier_samples(const wal_frontier_options *o) {
  return (int64_t)o->profiles * (o->levels ? 1 : MORE_ASYMMETRIC + KINDS - 1);
}

wal_status wal_frontier_draw(const wal_frontier_options *o, int64_t k, wal_frontier_sample *out) {
  *out = (wal_frontier_sample){0};
  const int cells = (o->levels + 1) * (o->levels + 1);
  for (int i = 0; i < 2; i++) {
    out->types[i] = malloc((size_t)(cells * o->types) * sizeof **out->types);
    if (!out->types[i]) return wal_fail(WAL_E_MEMORY, "no memory for %d types", cells * o->types);
  }
  if (o->levels)
    draw_demands(o, k, out);
  else
    draw_values(o, k, out);
  return WAL_OK;
}

void wal_frontier_sample_destroy(wal_frontier_sample *s) {
  free(s->types[0]);
  free(s->types[1]);
}

/* ---- PF ---- */

/* Ratios that an agent may report under PF: spread over their range, and just beyond the other's. */
enum { SPREAD = 64, REPORTS = SPREAD + 2 };

/* PF for every report of `agent` with the demands x against the other's type: its allocations a [REPORTS, 2].
 */
static wal_status pf_menu(const wal_frontier_options *o, const double b[2], const wal_frontier_type *own,
                          const wal_frontier_type *other, double a[REPORTS][2]) {
  double v[REPORTS][4], x[REPORTS][4], bs[REPORTS][2], given[REPORTS][4];
  const double cliff = other->v[0] / other->v[1];
  for (int r = 0; r < REPORTS; r++) {
    double ratio = r < SPREAD ? wal_frontier_ratio(o->low, o->high, r / (SPREAD - 1.0))
                              : cliff * (r == SPREAD ? 1 - 1e-6 : 1 + 1e-6);
    ratio = fmin(fmax(ratio, o->low / o->high), o->high / o->low);
    v[r][0] = fmin(1, ratio), v[r][1] = fmin(1, 1 / ratio);
    for (int m = 0; m < 2; m++)
      v[r][2 + m] = other->v[m], x[r][m] = own->x[m], x[r][2 + m] = other->x[m], bs[r][m] = b[m];
  }
  const wal_instances in = {.count = REPORTS, .n = 2, .m = 2, .v = v[0], .x = x[0], .b = bs[0]};
  const wal_pf_options options = wal_pf_defaults();
  const wal_status status = wal_pf_solve(&in, NULL, &options, &(wal_pf_solution){.a = given[0]});
  for (int r = 0; r < REPORTS; r++) a[r][0] = given[r][0], a[r][1] = given[r][1];
  return status;
}

static double best_of_menu(const wal_frontier_type *own, double menu[REPORTS][2], double utility) {
  double gain = 0;
  for (int r = 0; r < REPORTS; r++)
    gain = fmax(gain, own->v[0] * menu[r][0] + own->v[1] * menu[r][1] - utility);
  return gain;
}

/* Mean gain of agent i's value lies under PF, U [n0, n1] its utilities. */
static wal_status pf_gain(const wal_frontier_problem *p, const wal_frontier_options *o, int i,
                          const double *U, double *mean) {
  double menu[REPORTS][2];
  *mean = 0;
  for (int t = 0; t < p->n[1 - i]; t++) {
    const wal_frontier_type *other = &p->types[1 - i][t], *before = NULL;
    for (int s = 0; s < p->n[i]; s++) {
      const wal_frontier_type *own = &p->types[i][s];
      if (!(own->x[0] > 0 && own->x[1] > 0)) continue;
      if (!before || before->x[0] != own->x[0] || before->x[1] != own->x[1]) {
        const wal_status status = pf_menu(o, p->b, own, other, menu);
        if (status != WAL_OK) return status;
      }
      before = own;
      const double u = U[i == 0 ? s * p->n[1] + t : t * p->n[1] + s];
      *mean += own->weight * other->weight * best_of_menu(own, menu, u);
    }
  }
  return WAL_OK;
}

wal_status wal_frontier_pf_level_of(const wal_frontier_problem *p, const wal_frontier_options *o,
                                    wal_frontier_pf_level *out) {
  const int pairs = p->n[0] * p->n[1];
  double *U = malloc((size_t)(2 * pairs) * sizeof *U), gain[2] = {0};
  if (!U) return wal_fail(WAL_E_MEMORY, "no memory for %d pairs of types", pairs);
  *out = (wal_frontier_pf_level){0};
  wal_status status = wal_frontier_pf(p, U, NULL);
  for (int at = 0; at < pairs && status == WAL_OK; at++)
    out->nsw += p->types[0][at / p->n[1]].weight * p->types[1][at % p->n[1]].weight * U[at] * U[pairs + at];
  for (int i = 0; i < 2 && status == WAL_OK; i++) status = pf_gain(p, o, i, &U[i * pairs], &gain[i]);
  out->expl = (gain[0] + gain[1]) / 2;
  free(U);
  return status;
}

/* ---- what is settled ---- */

/* Over two demands x and y for one resource, by the midpoint rule. */
enum { MIDPOINTS = 1000 };
typedef struct {
  double probability, sum, product; /* where x + y <= 1: mean of 1, x + y and x y */
  double split; /* everywhere: mean product of what PF gives where nothing else is at stake */
} moments;

static moments demand_moments(const wal_frontier_options *o) {
  moments m = {0};
  const double step = (o->high - o->low) / MIDPOINTS, weight = 1.0 / ((double)MIDPOINTS * MIDPOINTS);
  for (int i = 0; i < MIDPOINTS; i++)
    for (int j = 0; j < MIDPOINTS; j++) {
      const double x = o->low + (i + 0.5) * step, y = o->low + (j + 0.5) * step;
      const bool fits = x + y <= 1;
      const double first = fits ? x : fmin(fmax(0.5, 1 - y), x), second = fits ? y : 1 - first;
      m.split += weight * first * second;
      m.probability += fits ? weight : 0;
      m.sum += fits ? weight * (x + y) : 0;
      m.product += fits ? weight * x * y : 0;
    }
  return m;
}

double wal_frontier_settled(const wal_frontier_options *o) {
  if (o->levels) return 0;
  const double d = o->demanded, mean = (o->low + o->high) / 2, one = d * (1 - d);
  const moments m = demand_moments(o);
  const double same = 2 * one * one * m.split, apart = 2 * one * one * mean * mean;
  /* (x_0 + z) x_1, z the demand of agent 0 for the other resource */
  const double asymmetric = 4 * d * d * one * (m.product + mean * m.sum / 2);
  /* (x_0 + z_0) (x_1 + z_1), neither contested */
  const double both = d * d * d * d * 2 * (m.product * m.probability + m.sum / 2 * m.sum / 2);
  return mean * mean * (same + apart + asymmetric + both);
}
