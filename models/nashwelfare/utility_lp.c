/* Linear programs of utilities (eq. 9): building and solving them. */
#include <math.h>
#include <stdlib.h>

#include "models/common/lp.h"
#include "models/nashwelfare/utility_kind.h"

static void sparse_destroy(wal_sparse *s) {
  free(s->start);
  free(s->row);
  free(s->value);
  *s = (wal_sparse){0};
}

static wal_status sparse_create(int rows, int columns, int entries, wal_sparse *out) {
  const size_t count = entries > 0 ? (size_t)entries : 1;
  *out = (wal_sparse){.rows = rows,
                      .columns = columns,
                      .start = calloc((size_t)columns + 1, sizeof *out->start),
                      .row = malloc(count * sizeof *out->row),
                      .value = malloc(count * sizeof *out->value)};
  if (out->start && out->row && out->value) return WAL_OK;
  sparse_destroy(out);
  return wal_fail(WAL_E_MEMORY, "no memory for a matrix of %d entries", entries);
}

/* start[columns] counts the entries so far. */
void wal_sparse_put(wal_sparse *s, int row, double value) {
  const int at = s->start[s->columns]++;
  s->row[at] = row;
  s->value[at] = value;
}

void wal_sparse_end(wal_sparse *s, int column) { s->start[column + 1] = s->start[s->columns]; }

void wal_utility_lp_destroy(wal_utility_lp *lp) {
  if (!lp) return;
  sparse_destroy(&lp->a);
  sparse_destroy(&lp->b);
  free(lp->r);
  free(lp->h);
  free(lp->c);
  *lp = (wal_utility_lp){0};
}

wal_status wal_utility_lp_create(int rows, int columns, int m, int a_entries, int b_entries,
                                 wal_utility_lp *out) {
  *out = (wal_utility_lp){0};
  wal_status status = sparse_create(rows, columns, a_entries, &out->a);
  if (status == WAL_OK) status = sparse_create(rows, m, b_entries, &out->b);
  out->r = calloc((size_t)rows + 1, sizeof *out->r);
  out->h = malloc(((size_t)columns + 1) * sizeof *out->h);
  out->c = calloc((size_t)columns + 1, sizeof *out->c);
  if (status == WAL_OK && !(out->r && out->h && out->c)) status = wal_utility_no_memory(m);
  if (status != WAL_OK) {
    wal_utility_lp_destroy(out);
    return status;
  }
  for (int z = 0; z < columns; z++) out->h[z] = INFINITY;
  return WAL_OK;
}

/* ---- solving ---- */

/* Upper bounds of the rows: (B x)_row + r_row, bound[rows]. */
static void row_bounds(const wal_utility_lp *lp, int m, const double *x, double *bound) {
  for (int row = 0; row < lp->a.rows; row++) bound[row] = lp->r[row];
  for (int j = 0; x && j < m; j++)
    for (int e = lp->b.start[j]; e < lp->b.start[j + 1]; e++) bound[lp->b.row[e]] += lp->b.value[e] * x[j];
}

/* Columns z, then x where it is free. */
static void fill(const wal_utility_lp *lp, int m, const double *x, const double *bound, wal_lp *program) {
  for (int row = 0; row < lp->a.rows; row++) wal_lp_row(program, -INFINITY, bound[row]);
  for (int z = 0; z < lp->a.columns; z++) {
    wal_lp_column(program, 0, lp->h[z], lp->c[z]);
    for (int e = lp->a.start[z]; e < lp->a.start[z + 1]; e++)
      wal_lp_set(program, lp->a.row[e], z, lp->a.value[e]);
  }
  for (int j = 0; !x && j < m; j++) {
    const int column = wal_lp_column(program, 0, INFINITY, 0);
    for (int e = lp->b.start[j]; e < lp->b.start[j + 1]; e++)
      wal_lp_set(program, lp->b.row[e], column, -lp->b.value[e]);
  }
}

/* g = B' (duals of the rows). */
static void price_goods(const wal_utility_lp *lp, int m, const wal_lp *program, double *g) {
  for (int j = 0; j < m; j++) {
    g[j] = 0;
    for (int e = lp->b.start[j]; e < lp->b.start[j + 1]; e++)
      g[j] += lp->b.value[e] * fmax(0, wal_lp_dual(program, lp->b.row[e]));
  }
}

wal_status wal_utility_lp_solve(const wal_utility_lp *lp, int m, const double *x, double *value, double *g) {
  double *bound = malloc(((size_t)lp->a.rows + 1) * sizeof *bound);
  wal_lp *program = wal_lp_create(true);
  wal_lp_outcome outcome = WAL_LP_OPTIMAL;
  wal_status status = bound && program ? WAL_OK : wal_utility_no_memory(m);
  if (status == WAL_OK) {
    row_bounds(lp, m, x, bound);
    fill(lp, m, x, bound, program);
    status = wal_lp_solve(program, &outcome);
  }
  if (status == WAL_OK && outcome == WAL_LP_INFEASIBLE)
    status = wal_fail(WAL_E_INTERNAL, "a utility's linear program is infeasible");
  if (status == WAL_OK) *value = outcome == WAL_LP_OPTIMAL ? wal_lp_objective(program) : INFINITY;
  if (status == WAL_OK && g) price_goods(lp, m, program, g);
  wal_lp_destroy(program);
  free(bound);
  return status;
}
