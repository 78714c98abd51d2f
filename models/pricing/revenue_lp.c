/* Algorithm 2. */
#include <math.h>
#include <stdlib.h>

#include "models/common/lp.h"
#include "models/pricing/revenue.h"

/* In the second program revenue is at least this part of the first one's. */
static const double KEPT = 1 - 1e-12;

typedef struct {
  const wal_pricing_market *market;
  wal_lp *lp;
  int *pair;    /* [columns] i m + j of a valued pair */
  int revenue;  /* the row that keeps it */
  double scale; /* of its coefficients: the largest price */
} program;

/* Items, budgets (in parts of B_i, or of the largest price where B_i = 0), and revenue, free for now. */
static void make_rows(program *p) {
  const wal_pricing_market *market = p->market;
  for (int e = 0; e < market->n * market->m; e++) p->scale = fmax(p->scale, market->price[e]);
  if (!(p->scale > 0)) p->scale = 1;
  for (int j = 0; j < market->m; j++) wal_lp_row(p->lp, -INFINITY, 1);
  for (int i = 0; i < market->n; i++) wal_lp_row(p->lp, -INFINITY, market->budget[i] > 0);
  p->revenue = wal_lp_row(p->lp, -INFINITY, INFINITY);
}

static void make_columns(program *p) {
  const wal_pricing_market *market = p->market;
  for (int i = 0; i < market->n; i++) {
    const double unit = market->budget[i] > 0 ? market->budget[i] : p->scale;
    for (int j = 0; j < market->m; j++) {
      const int e = i * market->m + j;
      if (!(market->value[e] > 0)) continue;
      const int column = wal_lp_column(p->lp, 0, INFINITY, market->price[e] / p->scale);
      p->pair[column] = e;
      wal_lp_set(p->lp, j, column, 1);
      wal_lp_set(p->lp, market->m + i, column, market->price[e] / unit);
      wal_lp_set(p->lp, p->revenue, column, market->price[e] / p->scale);
    }
  }
}

static wal_status solve(program *p) {
  wal_lp_outcome outcome;
  const wal_status status = wal_lp_solve(p->lp, &outcome);
  if (status != WAL_OK || outcome == WAL_LP_OPTIMAL) return status;
  return wal_fail(WAL_E_INTERNAL, "a program of Algorithm 2 ended with outcome %d; expected an optimum",
                  (int)outcome);
}

static wal_status run(program *p, double *x, double *revenue) {
  wal_lp_primal_first(p->lp);
  make_rows(p);
  make_columns(p);
  wal_status status = solve(p);
  if (status != WAL_OK) return status;
  const double best = wal_lp_objective(p->lp);
  *revenue = best * p->scale;
  wal_lp_bound_row(p->lp, p->revenue, best * KEPT, INFINITY);
  for (int c = 0; c < wal_lp_columns(p->lp); c++) wal_lp_cost(p->lp, c, p->market->value[p->pair[c]]);
  status = solve(p);
  for (int c = 0; c < wal_lp_columns(p->lp) && status == WAL_OK; c++) x[p->pair[c]] = wal_lp_value(p->lp, c);
  return status;
}

wal_status wal_revenue_by_lp(const wal_pricing_market *market, wal_pricing_allocation *out, double *revenue) {
  if (!wal_pricing_is_uniform(market))
    return wal_fail(WAL_E_UNSUPPORTED,
                    "prices or priorities of an item differ between buyers; Algorithm 2 is for fully "
                    "non-personalised markets (Algorithm 1 takes all)");
  program p = {.market = market, .lp = wal_lp_create(true)};
  p.pair = malloc((size_t)market->n * (size_t)market->m * sizeof *p.pair);
  wal_status status = wal_pricing_allocation_create(market->n, market->m, false, out);
  if (status == WAL_OK && (!p.lp || !p.pair))
    status = wal_fail(WAL_E_MEMORY, "no memory for a linear program");
  if (status == WAL_OK) status = run(&p, out->x, revenue);
  wal_lp_destroy(p.lp);
  free(p.pair);
  if (status != WAL_OK) wal_pricing_allocation_destroy(out);
  return status;
}
