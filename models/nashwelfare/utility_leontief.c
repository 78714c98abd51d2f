/* Leontief utilities, min_j x_j / a_j over the goods with a_j > 0. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/nashwelfare/utility_kind.h"

typedef struct {
  wal_utility base;
  double a[]; /* [m] */
} leontief;

static int scarcest(const leontief *s, const double *x) {
  int best = -1;
  for (int j = 0; j < s->base.m; j++)
    if (s->a[j] > 0 && (best < 0 || x[j] / s->a[j] < x[best] / s->a[best])) best = j;
  return best;
}

static double value(const wal_utility *u, const double *x) {
  const leontief *s = (const leontief *)u;
  const int j = scarcest(s, x);
  return x[j] / s->a[j];
}

static wal_status supergradient(const wal_utility *u, const double *x, double *g) {
  const leontief *s = (const leontief *)u;
  const int least = scarcest(s, x);
  for (int j = 0; j < u->m; j++) g[j] = j == least ? 1 / s->a[j] : 0;
  return WAL_OK;
}

/* max z : a_j z <= x_j. */
static wal_status lp(const wal_utility *u, wal_utility_lp *out) {
  const leontief *s = (const leontief *)u;
  int rows = 0;
  for (int j = 0; j < u->m; j++) rows += s->a[j] > 0;
  const wal_status status = wal_utility_lp_create(rows, 1, u->m, rows, rows, out);
  if (status != WAL_OK) return status;
  for (int j = 0, row = 0; j < u->m; j++) {
    if (s->a[j] > 0) {
      wal_sparse_put(&out->a, row, s->a[j]);
      wal_sparse_put(&out->b, row++, 1);
    }
    wal_sparse_end(&out->b, j);
  }
  wal_sparse_end(&out->a, 0);
  out->c[0] = 1;
  return WAL_OK;
}

static void destroy(wal_utility *u) { free(u); }

static const wal_utility_ops leontief_ops = {
    .name = "leontief", .value = value, .supergradient = supergradient, .lp = lp, .destroy = destroy};

wal_status wal_utility_leontief(int m, const double *a, wal_utility **out) {
  *out = NULL;
  wal_status status = wal_utility_goods_check(m);
  if (status == WAL_OK) status = wal_utility_amounts_check(m, a, "the amount a", false);
  if (status != WAL_OK) return status;
  bool any = false;
  for (int j = 0; j < m; j++) any = any || a[j] > 0;
  if (!any)
    return wal_fail(WAL_E_INPUT,
                    "every amount a is 0, so that the utility has no limit; expected a good that "
                    "is needed (a = 1 for one good works)");
  leontief *s = malloc(sizeof *s + (size_t)m * sizeof *s->a);
  if (!s) return wal_utility_no_memory(m);
  s->base = (wal_utility){.ops = &leontief_ops, .m = m, .satiation = INFINITY};
  memcpy(s->a, a, (size_t)m * sizeof *a);
  return wal_utility_finish(&s->base, out);
}
