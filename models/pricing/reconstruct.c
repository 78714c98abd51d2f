/* An exact stable allocation from one in doubles. Every unknown share is in at most two equations, its item's
   and its buyer's, and elimination keeps that so; taking the shortest equation first, supports that are
   nearly forests (the usual ones) are solved without fill. */
#include <stdlib.h>

#include "models/pricing/gale_shapley.h"
#include "models/pricing/rational.h"
#include "models/pricing/stability.h"

static const double TOLERANCE = 1e-9;

typedef struct {
  int n, m, rows, unknowns;
  int *pair;      /* [unknowns] i m + j */
  int *unknown;   /* [n, m] its number, -1: share 0 */
  mpq_t *a;       /* [rows, unknowns + 1] items, then buyers; the last column: right-hand sides */
  int *filled;    /* [rows] how many unknowns, -1: used, or no equation */
  int *pivot_row; /* [unknowns] in the order of elimination, as the next */
  int *pivot_column;
} linear_system;

static mpq_t *at(const linear_system *s, int row, int column) {
  return &s->a[(size_t)row * (size_t)(s->unknowns + 1) + (size_t)column];
}

static void destroy(linear_system *s) {
  wal_rationals_destroy(s->a, (size_t)s->rows * (size_t)(s->unknowns + 1));
  free(s->pair);
  free(s->unknown);
  free(s->filled);
  free(s->pivot_row);
  free(s->pivot_column);
}

static bool allocate(linear_system *s, const double *x) {
  const size_t pairs = (size_t)s->n * (size_t)s->m;
  s->pair = malloc(pairs * sizeof *s->pair);
  s->unknown = malloc(pairs * sizeof *s->unknown);
  s->filled = malloc((size_t)s->rows * sizeof *s->filled);
  s->pivot_row = malloc(pairs * sizeof *s->pivot_row);
  s->pivot_column = malloc(pairs * sizeof *s->pivot_column);
  if (!s->pair || !s->unknown || !s->filled || !s->pivot_row || !s->pivot_column) return false;
  for (size_t e = 0; e < pairs; e++) {
    s->unknown[e] = x[e] > TOLERANCE ? s->unknowns : -1;
    if (x[e] > TOLERANCE) s->pair[s->unknowns++] = (int)e;
  }
  s->a = wal_rationals((size_t)s->rows * (size_t)(s->unknowns + 1));
  return s->a != NULL;
}

/* sum_i x_ij = 1 where item j is sold out. */
static void item_row(linear_system *s, const double *x, int j) {
  double sold = 0;
  s->filled[j] = 0;
  for (int i = 0; i < s->n; i++) {
    const int e = i * s->m + j;
    sold += x[e];
    if (s->unknown[e] < 0) continue;
    mpq_set_ui(*at(s, j, s->unknown[e]), 1, 1);
    s->filled[j]++;
  }
  mpq_set_ui(*at(s, j, s->unknowns), 1, 1);
  if (sold < 1 - TOLERANCE) s->filled[j] = -1;
}

/* sum_j p_ij x_ij = B_i where buyer i spends all. */
static void buyer_row(linear_system *s, const wal_pricing_market *market, const double *x, int i) {
  const int row = s->m + i;
  double spent = 0;
  s->filled[row] = 0;
  for (int j = 0; j < s->m; j++) {
    const int e = i * s->m + j;
    spent += market->price[e] * x[e];
    if (s->unknown[e] < 0 || !mpq_sgn(market->exact->price[e])) continue;
    mpq_set(*at(s, row, s->unknown[e]), market->exact->price[e]);
    s->filled[row]++;
  }
  mpq_set(*at(s, row, s->unknowns), market->exact->budget[i]);
  if (spent < market->budget[i] * (1 - TOLERANCE)) s->filled[row] = -1;
}

static int shortest_row(const linear_system *s) {
  int best = -1;
  for (int r = 0; r < s->rows; r++)
    if (s->filled[r] > 0 && (best < 0 || s->filled[r] < s->filled[best])) best = r;
  return best;
}

/* Takes the column out of `row` by the pivot's row. */
static void eliminate(linear_system *s, int row, int pivot, int column) {
  mpq_t factor, product;
  mpq_inits(factor, product, NULL);
  mpq_div(factor, *at(s, row, column), *at(s, pivot, column));
  s->filled[row] = 0;
  for (int c = 0; c <= s->unknowns; c++) {
    if (mpq_sgn(*at(s, pivot, c))) {
      mpq_mul(product, factor, *at(s, pivot, c));
      mpq_sub(*at(s, row, c), *at(s, row, c), product);
    }
    s->filled[row] += c < s->unknowns && mpq_sgn(*at(s, row, c)) != 0;
  }
  mpq_clears(factor, product, NULL);
}

/* Has the system one solution at most? */
static bool triangulate(linear_system *s) {
  for (int k = 0; k < s->unknowns; k++) {
    const int pivot = shortest_row(s);
    int column = 0;
    if (pivot < 0) return false;
    while (!mpq_sgn(*at(s, pivot, column))) column++;
    s->filled[pivot] = -1;
    for (int r = 0; r < s->rows; r++)
      if (s->filled[r] > 0 && mpq_sgn(*at(s, r, column))) eliminate(s, r, pivot, column);
    s->pivot_row[k] = pivot;
    s->pivot_column[k] = column;
  }
  return true;
}

static void substitute(linear_system *s, mpq_t *x) {
  mpq_t product;
  mpq_init(product);
  for (int k = s->unknowns - 1; k >= 0; k--) {
    const int row = s->pivot_row[k], column = s->pivot_column[k];
    mpq_t *share = &x[s->pair[column]];
    mpq_set(*share, *at(s, row, s->unknowns));
    for (int c = 0; c < s->unknowns; c++) {
      if (c == column || !mpq_sgn(*at(s, row, c))) continue;
      mpq_mul(product, *at(s, row, c), x[s->pair[c]]);
      mpq_sub(*share, *share, product);
    }
    mpq_div(*share, *share, *at(s, row, column));
  }
  mpq_clear(product);
}

static wal_status solve(linear_system *s, const wal_pricing_market *market, const double *x,
                        wal_pricing_allocation *out) {
  wal_stability_report report;
  if (!allocate(s, x)) return wal_fail(WAL_E_MEMORY, "no memory for the shares of %d buyers", s->n);
  for (int j = 0; j < s->m; j++) item_row(s, x, j);
  for (int i = 0; i < s->n; i++) buyer_row(s, market, x, i);
  if (!triangulate(s))
    return wal_fail(WAL_E_UNSUPPORTED,
                    "full items and spent budgets do not determine the %d shares; expected one solution (the "
                    "exact algorithm works)",
                    s->unknowns);
  substitute(s, out->exact);
  if (!wal_stability_check_exact(market, out->exact, WAL_CHECK_STABLE, &report))
    return wal_fail(WAL_E_UNSUPPORTED,
                    "the exact solution on this support is not stable: buyer %d, item %d: %s (the exact "
                    "algorithm works)",
                    report.buyer, report.item, wal_stability_text(report.fault));
  wal_pricing_allocation_round(out);
  return WAL_OK;
}

wal_status wal_pricing_reconstruct(const wal_pricing_market *market, const double *x,
                                   wal_pricing_allocation *out) {
  linear_system s = {.n = market->n, .m = market->m, .rows = market->n + market->m};
  if (!market->exact)
    return wal_fail(WAL_E_INPUT, "the market has no rationals; expected wal_pricing_lift or its own first");
  wal_status status = wal_pricing_allocation_create(s.n, s.m, true, out);
  if (status != WAL_OK) return status;
  status = solve(&s, market, x, out);
  destroy(&s);
  if (status != WAL_OK) wal_pricing_allocation_destroy(out);
  return status;
}
