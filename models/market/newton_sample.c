/* Exact prices of a sample of buyers, and the whole population's demand at them.

   The population is cut into as many runs of neighbours as the sample has buyers, and one buyer of each run
   is drawn at random: nobody twice, no list of n numbers, and rows of a file are read in rising order. It
   stands for its run: its budget is multiplied by the run's length, which makes sample sums unbiased
   estimates of the population's. */
#include <math.h>
#include <stdlib.h>

#include "models/common/rng.h"
#include "models/market/solvers.h"

typedef struct {
  wal_source base;
  const wal_market *population; /* borrowed */
  uint64_t seed;
  int64_t buyers; /* in the sample */
} sample_source;

/* First buyer of run k, floor(k n / buyers). */
static int64_t run_start(const sample_source *s, int64_t k) {
  return (int64_t)((__int128)k * s->population->n / s->buyers);
}

static wal_status sample_rows(const wal_source *source, int64_t lo, int64_t hi, double *v, double *budget) {
  const sample_source *s = (const sample_source *)source;
  const wal_source *buyers = s->population->buyers;
  wal_status status = WAL_OK;
  for (int64_t k = lo; status == WAL_OK && k < hi; k++) {
    const int64_t first = run_start(s, k), length = run_start(s, k + 1) - first;
    const int64_t i =
        first + (int64_t)wal_rng_below(s->seed, WAL_STREAM_SAMPLE, (uint64_t)k, (uint64_t)length);
    status = buyers->ops->rows(buyers, i, i + 1, v ? v + (k - lo) * s->population->m : NULL,
                               budget ? budget + (k - lo) : NULL);
    if (budget) budget[k - lo] *= (double)length;
  }
  return status;
}

static const wal_source_ops sample_ops = {.name = "sample", .rows = sample_rows};

/* The prices are the sample's, scaled to the population's budget. */
static wal_status apply(const wal_market *market, wal_solution *solution) {
  double budget, worth = 0.0;
  const wal_status status = wal_total_budget(market, market->n, &budget);
  if (status != WAL_OK) return status;
  for (int j = 0; j < market->m; j++) worth += market->supply[j] * solution->price[j];
  for (int j = 0; j < market->m; j++) solution->price[j] *= budget / worth;
  wal_allocation_destroy(solution->allocation);
  solution->allocation = NULL;
  solution->certified_gap = NAN;
  return wal_allocation_demand(market, solution->price, &solution->allocation);
}

static wal_status solve(const wal_market *market, const wal_solver_options *options, const wal_trace *trace,
                        wal_solution *solution) {
  *solution = (wal_solution){.certified_gap = NAN};
  const int64_t buyers = options->newton_sample.buyers;
  if (buyers < 1)
    return wal_fail(WAL_E_INPUT, "newton_sample.buyers is %lld; expected at least 1 (16384 works)",
                    (long long)buyers);
  if (buyers >= market->n) return wal_solver_newton.solve(market, options, trace, solution);
  const sample_source source = {{&sample_ops}, market, options->seed, buyers};
  wal_market sample = *market;
  sample.n = buyers;
  sample.buyers = &source.base;
  wal_status status = wal_market_check(&sample);
  if (status == WAL_OK) status = wal_solver_newton.solve(&sample, options, trace, solution);
  if (status != WAL_OK)
    return wal_fail_in(status, "in a sample of %lld buyers (newton_sample.buyers): ", (long long)buyers);
  status = apply(market, solution);
  if (status != WAL_OK) wal_solution_destroy(solution);
  return status;
}

const wal_solver wal_solver_newton_sample = {"newton_sample",
                                             "Exact on a sample",
                                             "this project",
                                             .alpha = "[-inf, 1]",
                                             .sizes = "any n, two streamed passes; m as newton",
                                             .seam = "dual",
                                             .solve = solve};
