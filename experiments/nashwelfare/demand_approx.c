/* Theorem 1.2: maximum Nash welfare with its dual prices as an approximate equilibrium, and envy. */
#include <math.h>

#include "experiments/nashwelfare/study.h"
#include "experiments/registry.h"
#include "models/nashwelfare/verify.h"

static const wal_param params[] = {WAL_STUDY_PARAMS(WAL_STUDY_NETWORKS "|plc")};

static const wal_column columns[] = {
    {.name = "markets", .type = WAL_INT, .unit = "1", .doc = "markets drawn"},
    {.name = "ratio_max",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "largest D_i(q, b_i) / u_i(y), over agents and markets; at most 2 by Theorem 1.2",
     .rtol = 1e-4},
    {.name = "ratio_mean",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "mean over markets of the largest",
     .rtol = 1e-3},
    {.name = "envy_max",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "largest u_i(y_k) / u_i(y_i), over agents and markets with equal budgets; at most 2",
     .rtol = 1e-4},
    {.name = "envy_mean",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "mean over these markets of the largest",
     .rtol = 1e-3},
    {.name = "overspent",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "largest (<q, y_i> - b_i)+ / b_i; 0 by Lemma 4.1",
     .atol = 1e-6},
    {.name = "unsold",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "largest q_j (1 - sum_i y_ij) / sum_i b_i; 0",
     .atol = 1e-6},
};

/* ---- a point ---- */

enum { VALUES = 5 };

static wal_status measure(const wal_study_market *in, double *lines, int *count) {
  wal_ce_report report;
  const wal_status status = wal_ce_check(in->market, in->y, in->q, &report);
  *count = 1;
  lines[1] = report.demand_ratio;
  lines[2] = wal_family_equal_budgets(in->k) ? report.envy : NAN;
  lines[3] = report.overspent;
  lines[4] = report.unsold;
  return status;
}

static wal_status send_row(wal_sink *sink, const wal_study_lines *lines) {
  wal_study_summary ratio, envy, overspent, unsold;
  wal_status status = wal_study_summarise(lines, "ratio", &ratio);
  if (status == WAL_OK) status = wal_study_summarise(lines, "envy", &envy);
  if (status == WAL_OK) status = wal_study_summarise(lines, "overspent", &overspent);
  if (status == WAL_OK) status = wal_study_summarise(lines, "unsold", &unsold);
  if (status != WAL_OK) return status;
  wal_sink_row(sink);
  wal_sink_int(sink, "markets", lines->markets);
  wal_sink_real(sink, "ratio_max", ratio.max);
  wal_sink_real(sink, "ratio_mean", ratio.mean);
  wal_sink_real(sink, "envy_max", envy.max);
  wal_sink_real(sink, "envy_mean", envy.mean);
  wal_sink_real(sink, "overspent", overspent.max);
  wal_sink_real(sink, "unsold", unsold.max);
  return WAL_OK;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  static const char *const names[VALUES] = {"instance", "ratio", "envy", "overspent", "unsold"};
  const wal_study_task task = {names, VALUES, 1, measure, "envy"};
  wal_study_lines lines;
  wal_status status = wal_study_run(point, sink, &task, &lines);
  if (status == WAL_OK) status = send_row(sink, &lines);
  if (status == WAL_OK) status = wal_study_demand(point, &lines, "ratio", 1 - 1e-6, 2 + 1e-6, "Theorem 1.2");
  if (status == WAL_OK) status = wal_study_demand(point, &lines, "envy", 0, 2 + 1e-6, "Theorem 1.2");
  if (status == WAL_OK) status = wal_study_demand(point, &lines, "overspent", 0, 1e-6, "Lemma 4.1");
  if (status == WAL_OK) status = wal_study_demand(point, &lines, "unsold", 0, 1e-6, "Definition 2.10");
  wal_study_lines_free(&lines);
  return status;
}

/* ---- the picture ---- */

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const counts[] = {"markets"};
  const wal_study_table table = {.count_columns = 1,
                                 .counts = counts,
                                 .headers = counts,
                                 .value = "ratio",
                                 .label = "max_i D_i(q, b_i) / u_i(y_i)",
                                 .format = "%.4f",
                                 .bound = 2};
  const wal_study_histogram histogram = {.value = "ratio",
                                         .second = "envy",
                                         .unit = "markets",
                                         .label = "demand D_i / u_i",
                                         .second_label = "envy (equal budgets)",
                                         .xlabel = "max_i D_i(q, b_i) / u_i(y_i)",
                                         .bins = 48,
                                         .low = 0.9,
                                         .high = 2.1,
                                         .bound = 2,
                                         .bound_label = "Theorem 1.2",
                                         .families = "bounded_linear|splc|leontief_free|network|plc"};
  const wal_status status = wal_study_draw_table(result, drawing, &table);
  return status == WAL_OK ? wal_study_draw_histograms(result, drawing, &histogram) : status;
}

const wal_experiment wal_nashwelfare_demand_approx = {
    .id = "nashwelfare/demand-approx",
    .title = "Maximum Nash welfare as an approximate equilibrium",
    .paper = WAL_NASHWELFARE_PAPER ", Theorem 1.2",
    .doc =
        "Random markets of a family: an allocation y of maximum Nash welfare with its dual prices q is a "
        "2-demand "
        "approximate equilibrium, and 2-envy-free where budgets are equal. The best utility that each "
        "agent's "
        "budget buys at q is found anew by a linear program. More than 2 fails the point and names the "
        "market. "
        "Trace `markets`: a line per market.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
