/* Theorems 1.3 and 1.6: what agents have at maximum Nash welfare against thrifty equilibria. */
#include <math.h>

#include "experiments/nashwelfare/study.h"
#include "experiments/registry.h"

static const wal_param params[] = {WAL_STUDY_PARAMS(WAL_STUDY_NETWORKS)};

static const wal_column columns[] = {
    {.name = "markets", .type = WAL_INT, .unit = "1", .doc = "markets drawn"},
    {.name = "found",
     .type = WAL_INT,
     .unit = "1",
     .doc = "of these, with an equilibrium found",
     .rtol = 0.01},
    {.name = "several", .type = WAL_INT, .unit = "1", .doc = "with more than one found", .atol = 3},
    {.name = "equilibria", .type = WAL_INT, .unit = "1", .doc = "all of them", .rtol = 0.02},
    {.name = "worst_min",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "least u_i(NW) / u_i(CE), over agents and equilibria; at least 1/2 by Theorems 1.3 and 1.6",
     .rtol = 1e-5},
    {.name = "worst_low",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "1 % quantile of each equilibrium's least",
     .rtol = 1e-2},
    {.name = "worst_mean",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "mean of each equilibrium's least",
     .rtol = 1e-3},
    {.name = "best_max",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "largest u_i(NW) / u_i(CE): what an agent may lose by an equilibrium",
     .rtol = 1e-4},
};

/* ---- a point ---- */

static wal_status measure(const wal_study_market *in, double *lines, int *count) {
  const int n = in->market->n;
  *count = in->equilibria;
  for (int e = 0; e < in->equilibria; e++) {
    double *line = lines + 5 * e;
    line[1] = e;
    line[2] = INFINITY;
    line[3] = line[4] = 0;
    for (int i = 0; i < n; i++) {
      const double ratio = in->u[i] / in->utility[e * n + i];
      if (ratio < line[2]) line[4] = i;
      line[2] = fmin(line[2], ratio);
      line[3] = fmax(line[3], ratio);
    }
  }
  return WAL_OK;
}

static wal_status send_row(wal_sink *sink, const wal_study_lines *lines) {
  wal_study_summary worst, best;
  wal_status status = wal_study_summarise(lines, "worst", &worst);
  if (status == WAL_OK) status = wal_study_summarise(lines, "best", &best);
  if (status != WAL_OK) return status;
  wal_sink_row(sink);
  wal_sink_int(sink, "markets", lines->markets);
  wal_sink_int(sink, "found", lines->found);
  wal_sink_int(sink, "several", lines->several);
  wal_sink_int(sink, "equilibria", lines->count);
  wal_sink_real(sink, "worst_min", worst.min);
  wal_sink_real(sink, "worst_low", worst.low);
  wal_sink_real(sink, "worst_mean", worst.mean);
  wal_sink_real(sink, "best_max", best.max);
  return WAL_OK;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  static const char *const names[] = {"instance", "equilibrium", "worst", "best", "worst_agent"};
  const wal_study_task task = {names, 5, (int)wal_point_int(point, "most"), measure, NULL};
  wal_study_lines lines;
  wal_status status = wal_study_run(point, sink, &task, &lines);
  if (status == WAL_OK) status = send_row(sink, &lines);
  if (status == WAL_OK)
    status = wal_study_demand(point, &lines, "worst", 0.5 - 1e-6, INFINITY, "Theorems 1.3 and 1.6");
  wal_study_lines_free(&lines);
  return status;
}

/* ---- the picture ---- */

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const counts[] = {"markets", "found", "several", "equilibria"};
  static const char *const headers[] = {"markets", "CE found", "several", "CE"};
  const wal_study_table table = {.count_columns = 4,
                                 .counts = counts,
                                 .headers = headers,
                                 .value = "worst",
                                 .label = "min_i u_i(NW) / u_i(CE)",
                                 .format = "%.4f",
                                 .bound = 0.5};
  const wal_study_histogram histogram = {.value = "worst",
                                         .unit = "equilibria",
                                         .label = "",
                                         .xlabel = "min_i u_i(NW) / u_i(CE)",
                                         .bins = 44,
                                         .low = 0.45,
                                         .high = 1,
                                         .bound = 0.5,
                                         .bound_label = "Theorems 1.3, 1.6",
                                         .families = WAL_STUDY_NETWORKS};
  const wal_status status = wal_study_draw_table(result, drawing, &table);
  return status == WAL_OK ? wal_study_draw_histograms(result, drawing, &histogram) : status;
}

const wal_experiment wal_nashwelfare_half_utility = {
    .id = "nashwelfare/half-utility",
    .title = "Every agent has at least half of what an equilibrium gives",
    .paper = WAL_NASHWELFARE_PAPER ", Theorems 1.3 and 1.6",
    .doc =
        "Random markets of a family: the utility of each agent at maximum Nash welfare over the one at a "
        "thrifty "
        "competitive equilibrium, the least over the agents. At least 1/2 by Theorem 1.3 (separable, "
        "Leontief-free) and 1.6 (generalised networks); below fails the point and names the market. Trace "
        "`markets`: a line per equilibrium.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
