/* Concave quadratic utilities (section 8): u(x) = max {<c, y> - y'Qy / 2 : 0 <= y <= x}. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/lp.h"
#include "models/nashwelfare/utility_kind.h"

enum { SWEEPS = 100000 };

typedef struct {
  wal_utility base;
  double data[]; /* c[m], then q[m, m] */
} quadratic;

static const double *row_of(const quadratic *s, int j) { return s->data + (size_t)(j + 1) * s->base.m; }

/* c_j - (Qy)_j. */
static double gradient(const quadratic *s, const double *y, int j) {
  double sum = s->data[j];
  for (int k = 0; k < s->base.m; k++) sum -= row_of(s, j)[k] * y[k];
  return sum;
}

/* Coordinate ascent over 0 <= y <= x (x NULL: over y >= 0) until nothing moves, y[m]. */
static void ascend(const quadratic *s, const double *x, double *y) {
  const int m = s->base.m;
  memset(y, 0, (size_t)m * sizeof *y);
  double moved = 1, size = 0;
  for (int sweep = 0; sweep < SWEEPS && moved > 1e-15 * size; sweep++) {
    moved = size = 0;
    for (int j = 0; j < m; j++) {
      const double limit = x ? x[j] : INFINITY, rise = gradient(s, y, j), curve = row_of(s, j)[j];
      const double step = curve > 0 ? rise / curve : rise > 0 ? limit : 0;
      const double next = fmin(fmax(y[j] + step, 0), limit);
      moved = fmax(moved, fabs(next - y[j]));
      size = fmax(size, next);
      y[j] = next;
    }
  }
}

/* <c, y> - y'Qy / 2 = <c + gradient, y> / 2. */
static double worth(const quadratic *s, const double *y) {
  double sum = 0;
  for (int j = 0; j < s->base.m; j++) sum += 0.5 * (s->data[j] + gradient(s, y, j)) * y[j];
  return sum;
}

/* NAN: no memory. */
static double value(const wal_utility *u, const double *x) {
  const quadratic *s = (const quadratic *)u;
  double *y = malloc((size_t)u->m * sizeof *y);
  if (!y) return NAN;
  ascend(s, x, y);
  const double most = worth(s, y);
  free(y);
  return most;
}

/* The multiplier of y <= x. */
static wal_status supergradient(const wal_utility *u, const double *x, double *g) {
  const quadratic *s = (const quadratic *)u;
  double *y = malloc((size_t)u->m * sizeof *y);
  if (!y) return wal_utility_no_memory(u->m);
  ascend(s, x, y);
  for (int j = 0; j < u->m; j++) g[j] = y[j] < x[j] ? 0 : fmax(0, gradient(s, y, j));
  free(y);
  return WAL_OK;
}

static void destroy(wal_utility *u) { free(u); }

static const wal_utility_ops quadratic_ops = {
    .name = "quadratic", .value = value, .supergradient = supergradient, .destroy = destroy};

/* ---- creation ---- */

static wal_status check_symmetric(int m, const double *c, const double *q) {
  for (int j = 0; j < m; j++) {
    if (!isfinite(c[j]))
      return wal_fail(WAL_E_INPUT, "good %d: c is %g; expected a finite number (1 works)", j, c[j]);
    for (int k = 0; k < m; k++) {
      const double jk = q[(size_t)j * m + k], kj = q[(size_t)k * m + j];
      if (!isfinite(jk))
        return wal_fail(WAL_E_INPUT, "Q of goods %d and %d is %g; expected a finite number (0 works)", j, k,
                        jk);
      if (fabs(jk - kj) > 1e-12 * fmax(fabs(jk), fabs(kj)))
        return wal_fail(WAL_E_INPUT,
                        "Q of goods %d and %d is %g, of goods %d and %d %g; expected a symmetric matrix (%g "
                        "for both works)",
                        j, k, jk, k, j, kj, 0.5 * (jk + kj));
    }
  }
  return WAL_OK;
}

/* Symmetric elimination on the largest diagonal entries of a[m, m], which is lost: positive semidefinite when
   none is negative and what is left where all are 0 is 0. */
static bool is_semidefinite(int m, double *a) {
  double size = 0;
  for (int j = 0; j < m; j++) size = fmax(size, fabs(a[(size_t)j * m + j]));
  const double slack = 1e-12 * size * m;
  for (int step = 0; step < m; step++) {
    int p = 0;
    for (int j = 1; j < m; j++)
      if (a[(size_t)j * m + j] > a[(size_t)p * m + p]) p = j;
    const double pivot = a[(size_t)p * m + p];
    if (pivot <= slack) break;
    for (int j = 0; j < m; j++)
      for (int k = 0; j != p && k < m; k++)
        if (k != p) a[(size_t)j * m + k] -= a[(size_t)j * m + p] * a[(size_t)p * m + k] / pivot;
    for (int j = 0; j < m; j++) a[(size_t)j * m + p] = a[(size_t)p * m + j] = 0;
  }
  for (int e = 0; e < m * m; e++)
    if (fabs(a[e]) > slack) return false;
  return true;
}

static wal_status check_semidefinite(int m, const double *q) {
  const size_t cells = (size_t)m * m;
  double *a = malloc(cells * sizeof *a);
  if (!a) return wal_utility_no_memory(m);
  memcpy(a, q, cells * sizeof *a);
  const bool right = is_semidefinite(m, a);
  free(a);
  if (right) return WAL_OK;
  return wal_fail(WAL_E_INPUT,
                  "Q has a negative eigenvalue, so that the utility is not concave; expected a "
                  "positive semidefinite matrix (one with 1 on the diagonal and 0 elsewhere works)");
}

/* Is there d >= 0 with Qd = 0 and <c, d> > 0: utility without limit. */
static wal_status find_ray(const quadratic *s, bool *unlimited) {
  const int m = s->base.m;
  wal_lp *lp = wal_lp_create(true);
  if (!lp) return wal_utility_no_memory(m);
  const int total = wal_lp_row(lp, -INFINITY, 1);
  for (int j = 0; j < m; j++) wal_lp_row(lp, 0, 0);
  for (int j = 0; j < m; j++) {
    wal_lp_column(lp, 0, INFINITY, s->data[j]);
    wal_lp_set(lp, total, j, 1);
    for (int k = 0; k < m; k++) wal_lp_set(lp, 1 + k, j, row_of(s, k)[j]);
  }
  wal_lp_outcome outcome;
  const wal_status status = wal_lp_solve(lp, &outcome);
  double largest = 0;
  for (int j = 0; j < m; j++) largest = fmax(largest, fabs(s->data[j]));
  *unlimited = status == WAL_OK && outcome == WAL_LP_OPTIMAL && wal_lp_objective(lp) > 1e-9 * largest;
  wal_lp_destroy(lp);
  return status;
}

static wal_status set_satiation(quadratic *s) {
  bool unlimited = false;
  wal_status status = find_ray(s, &unlimited);
  if (status != WAL_OK) return status;
  s->base.satiation = INFINITY;
  if (unlimited) return WAL_OK;
  double *y = malloc((size_t)s->base.m * sizeof *y);
  if (!y) return wal_utility_no_memory(s->base.m);
  ascend(s, NULL, y);
  s->base.satiation = worth(s, y);
  free(y);
  return WAL_OK;
}

static wal_status check(int m, const double *c, const double *q) {
  wal_status status = wal_utility_goods_check(m);
  if (status == WAL_OK) status = check_symmetric(m, c, q);
  if (status == WAL_OK) status = check_semidefinite(m, q);
  if (status != WAL_OK) return status;
  for (int j = 0; j < m; j++)
    if (c[j] > 0) return WAL_OK;
  return wal_utility_useless("c = 1 for one good works");
}

wal_status wal_utility_quadratic(int m, const double *c, const double *q, wal_utility **out) {
  *out = NULL;
  wal_status status = check(m, c, q);
  if (status != WAL_OK) return status;
  const size_t cells = (size_t)m * m;
  quadratic *s = malloc(sizeof *s + (m + cells) * sizeof *s->data);
  if (!s) return wal_utility_no_memory(m);
  s->base = (wal_utility){.ops = &quadratic_ops, .m = m};
  memcpy(s->data, c, (size_t)m * sizeof *c);
  memcpy(s->data + m, q, cells * sizeof *q);
  status = set_satiation(s);
  if (status == WAL_OK) return wal_utility_finish(&s->base, out);
  free(s);
  return status;
}
