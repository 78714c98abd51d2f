/* alpha = 0 in closed form (marketfcnet, eqs. 28-30): a buyer spends the fraction v_ij/v_t of its budget on
   good j at any prices, v_t = sum_k v_ik, so that p_j = (1/Y_j) sum_i B_i v_ij/v_t clears the market. */
#include <math.h>
#include <stdlib.h>

#include "models/common/parallel.h"
#include "models/market/solvers.h"

enum { TILE = 128 };

/* spent[j] += sum_i B_i v_ij/v_t of `count` buyers, v[m, TILE]. */
static void add_spending(int m, int count, const double *v, const double *budget, double *spent) {
  double total[TILE] = {0.0};
  for (int j = 0; j < m; j++)
    for (int t = 0; t < count; t++) total[t] += v[j * TILE + t];
  for (int t = 0; t < count; t++) total[t] = budget[t] / total[t];
  for (int j = 0; j < m; j++)
    for (int t = 0; t < count; t++) spent[j] += total[t] * v[j * TILE + t];
}

static wal_status spending_body(void *context, int64_t lo, int64_t hi, double *spent) {
  const wal_market *market = context;
  const int m = market->m;
  double *v = malloc((size_t)m * TILE * sizeof *v), budget[TILE];
  if (!v) return wal_fail(WAL_E_MEMORY, "no memory for %d buyers of %d goods", TILE, m);
  wal_status status = WAL_OK;
  for (int64_t at = lo; status == WAL_OK && at < hi; at += TILE) {
    const int count = (int)(hi - at < TILE ? hi - at : TILE);
    status = wal_source_columns(market->buyers, m, at, at + count, TILE, v, budget);
    if (status == WAL_OK) add_spending(m, count, v, budget, spent);
  }
  free(v);
  return status;
}

static wal_status prices(const wal_market *market, double *price) {
  const wal_status status =
      wal_sum_chunks(market->n, market->m, spending_body, (void *)(uintptr_t)market, price);
  for (int j = 0; status == WAL_OK && j < market->m; j++) {
    price[j] /= market->supply[j];
    if (!isfinite(price[j]) || price[j] <= 0.0)
      return wal_fail(WAL_E_DIVERGED,
                      "the price of good %d is %g; a buyer or a good has no value, or values add up to more "
                      "than a double holds",
                      j, price[j]);
  }
  return status;
}

static wal_status solve(const wal_market *market, const wal_solver_options *options, const wal_trace *trace,
                        wal_solution *solution) {
  (void)options, (void)trace;
  *solution = (wal_solution){.iterations = 1, .certified_gap = 0.0};
  if (market->alpha != 0.0)
    return wal_fail(WAL_E_UNSUPPORTED, "closed_form takes alpha = 0, not %g; newton takes any alpha",
                    market->alpha);
  solution->price = malloc((size_t)market->m * sizeof *solution->price);
  wal_status status = solution->price ? prices(market, solution->price)
                                      : wal_fail(WAL_E_MEMORY, "no memory for %d prices", market->m);
  if (status == WAL_OK) status = wal_allocation_demand(market, solution->price, &solution->allocation);
  if (status != WAL_OK) wal_solution_destroy(solution);
  return status;
}

const wal_solver wal_solver_closed_form = {"closed_form",
                                           "Closed form",
                                           "marketfcnet, eqs. 28-30; Eisenberg 1961",
                                           .alpha = "0",
                                           .sizes = "any; one streamed pass",
                                           .seam = "",
                                           .solve = solve};
