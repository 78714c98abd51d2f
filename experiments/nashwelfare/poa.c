/* Theorem 1.1: Nash welfare at competitive equilibria against the most there is. */
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
    {.name = "ratio_min",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "least NW(CE) / NW*, over equilibria; at least 0.6922 by Theorem 1.1",
     .rtol = 1e-5},
    {.name = "ratio_low", .type = WAL_REAL, .unit = "1", .doc = "its 1 % quantile", .rtol = 1e-2},
    {.name = "ratio_mean", .type = WAL_REAL, .unit = "1", .doc = "its mean", .rtol = 1e-3},
    {.name = "ratio_max", .type = WAL_REAL, .unit = "1", .doc = "its largest; at most 1", .rtol = 1e-6},
    {.name = "gap",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "largest gap of log NW*, of markets with an equilibrium",
     .atol = 1e-8},
};

/* ---- a point ---- */

static wal_status measure(const wal_study_market *in, double *lines, int *count) {
  const int n = in->market->n;
  *count = in->equilibria;
  for (int e = 0; e < in->equilibria; e++) {
    lines[4 * e + 1] = e;
    lines[4 * e + 2] = exp(wal_nw_log_welfare(in->market, in->utility + e * n) - in->log_welfare);
    lines[4 * e + 3] = in->gap;
  }
  return WAL_OK;
}

static wal_status send_row(wal_sink *sink, const wal_study_lines *lines) {
  wal_study_summary ratio, gap;
  wal_status status = wal_study_summarise(lines, "ratio", &ratio);
  if (status == WAL_OK) status = wal_study_summarise(lines, "gap", &gap);
  if (status != WAL_OK) return status;
  wal_sink_row(sink);
  wal_sink_int(sink, "markets", lines->markets);
  wal_sink_int(sink, "found", lines->found);
  wal_sink_int(sink, "several", lines->several);
  wal_sink_int(sink, "equilibria", lines->count);
  wal_sink_real(sink, "ratio_min", ratio.min);
  wal_sink_real(sink, "ratio_low", ratio.low);
  wal_sink_real(sink, "ratio_mean", ratio.mean);
  wal_sink_real(sink, "ratio_max", ratio.max);
  wal_sink_real(sink, "gap", gap.max);
  return WAL_OK;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  static const char *const names[] = {"instance", "equilibrium", "ratio", "gap"};
  const wal_study_task task = {names, 4, (int)wal_point_int(point, "most"), measure, NULL};
  wal_study_lines lines;
  wal_status status = wal_study_run(point, sink, &task, &lines);
  if (status == WAL_OK) status = send_row(sink, &lines);
  if (status == WAL_OK)
    status =
        wal_study_demand(point, &lines, "ratio", WAL_NASHWELFARE_ANARCHY - 1e-6, 1 + 1e-6, "Theorem 1.1");
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
                                 .value = "ratio",
                                 .label = "NW(CE) / NW*",
                                 .format = "%.4f",
                                 .bound = WAL_NASHWELFARE_ANARCHY};
  const wal_study_histogram histogram = {.value = "ratio",
                                         .unit = "equilibria",
                                         .label = "",
                                         .xlabel = "NW(CE) / NW*",
                                         .bins = 35,
                                         .low = 0.65,
                                         .high = 1,
                                         .bound = WAL_NASHWELFARE_ANARCHY,
                                         .bound_label = "Theorem 1.1",
                                         .families = WAL_STUDY_NETWORKS};
  const wal_status status = wal_study_draw_table(result, drawing, &table);
  return status == WAL_OK ? wal_study_draw_histograms(result, drawing, &histogram) : status;
}

const wal_experiment wal_nashwelfare_poa = {
    .id = "nashwelfare/poa",
    .title = "Nash welfare at competitive equilibria",
    .paper = WAL_NASHWELFARE_PAPER ", Theorem 1.1",
    .doc =
        "Random markets of a family: maximum Nash welfare NW*, thrifty competitive equilibria, and the ratio "
        "NW(CE) / NW* of each, at least (1/e)^(1/e) = 0.6922 by Theorem 1.1. A ratio below fails the point "
        "and "
        "names the market. Trace `markets`: a line per equilibrium.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
