/* Piecewise-linear concave utilities, min_k constant_k + <slope_k, x>. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/nashwelfare/utility_kind.h"

typedef struct {
  wal_utility base;
  int pieces;
  double data[]; /* constant[pieces], then slope[pieces, m] */
} plc;

static const double *slope_of(const plc *s, int k) { return s->data + s->pieces + (size_t)k * s->base.m; }

static double piece_at(const plc *s, int k, const double *x) {
  double sum = s->data[k];
  for (int j = 0; j < s->base.m; j++) sum += slope_of(s, k)[j] * x[j];
  return sum;
}

/* The smallest piece at x and its value. */
static int smallest_piece(const plc *s, const double *x, double *value) {
  int best = 0;
  *value = piece_at(s, 0, x);
  for (int k = 1; k < s->pieces; k++) {
    const double piece = piece_at(s, k, x);
    if (piece >= *value) continue;
    best = k;
    *value = piece;
  }
  return best;
}

static double value(const wal_utility *u, const double *x) {
  double smallest;
  smallest_piece((const plc *)u, x, &smallest);
  return smallest;
}

static wal_status supergradient(const wal_utility *u, const double *x, double *g) {
  const plc *s = (const plc *)u;
  double smallest;
  memcpy(g, slope_of(s, smallest_piece(s, x, &smallest)), (size_t)u->m * sizeof *g);
  return WAL_OK;
}

/* max z : z <= constant_k + <slope_k, x>. */
static wal_status lp(const wal_utility *u, wal_utility_lp *out) {
  const plc *s = (const plc *)u;
  const wal_status status = wal_utility_lp_create(s->pieces, 1, u->m, s->pieces, s->pieces * u->m, out);
  if (status != WAL_OK) return status;
  for (int k = 0; k < s->pieces; k++) {
    wal_sparse_put(&out->a, k, 1);
    out->r[k] = s->data[k];
  }
  wal_sparse_end(&out->a, 0);
  for (int j = 0; j < u->m; j++) {
    for (int k = 0; k < s->pieces; k++)
      if (slope_of(s, k)[j] > 0) wal_sparse_put(&out->b, k, slope_of(s, k)[j]);
    wal_sparse_end(&out->b, j);
  }
  out->c[0] = 1;
  return WAL_OK;
}

static void destroy(wal_utility *u) { free(u); }

static const wal_utility_ops plc_ops = {
    .name = "plc", .value = value, .supergradient = supergradient, .lp = lp, .destroy = destroy};

static wal_status check(int m, int pieces, const double *slope, const double *constant) {
  if (m < 1) return wal_utility_goods_check(m);
  if (pieces < 1)
    return wal_fail(WAL_E_INPUT, "a utility of %d pieces; expected at least 1 (2 works)", pieces);
  double smallest = INFINITY;
  for (int k = 0; k < pieces; k++) {
    if (!(constant[k] >= 0) || !isfinite(constant[k]))
      return wal_fail(WAL_E_INPUT, "piece %d: the constant is %g; expected at least 0 and finite (0 works)",
                      k, constant[k]);
    const wal_status status = wal_utility_amounts_check(m, slope + (size_t)k * m, "the slope", false);
    if (status != WAL_OK) return wal_fail_in(status, "piece %d, ", k);
    smallest = fmin(smallest, constant[k]);
  }
  if (smallest == 0) return WAL_OK;
  return wal_fail(WAL_E_INPUT,
                  "the smallest constant is %g, which the agent would have of nothing; expected 0 "
                  "(0 for one piece works)",
                  smallest);
}

wal_status wal_utility_plc(int m, int pieces, const double *slope, const double *constant,
                           wal_utility **out) {
  *out = NULL;
  const wal_status status = check(m, pieces, slope, constant);
  if (status != WAL_OK) return status;
  const size_t cells = (size_t)pieces * m;
  plc *s = malloc(sizeof *s + (pieces + cells) * sizeof *s->data);
  if (!s) return wal_utility_no_memory(m);
  s->base = (wal_utility){.ops = &plc_ops, .m = m, .satiation = INFINITY};
  s->pieces = pieces;
  memcpy(s->data, constant, (size_t)pieces * sizeof *constant);
  memcpy(s->data + pieces, slope, cells * sizeof *slope);
  for (int k = 0; k < pieces; k++) {
    double sum = 0;
    for (int j = 0; j < m; j++) sum += slope_of(s, k)[j];
    if (sum == 0) s->base.satiation = fmin(s->base.satiation, constant[k]);
  }
  if (s->base.satiation > 0) return wal_utility_finish(&s->base, out);
  free(s);
  return wal_utility_useless("a slope of 1 for one good in every piece of constant 0 works");
}
