/* Example A.8: utilities that are not Gale-substitutes, where an agent gets far more at equilibrium. */
#include <math.h>

#include "experiments/nashwelfare/appendix.h"
#include "experiments/registry.h"

static const wal_param params[] = {
    {"n", WAL_INT, "3", 1, 1e6, NULL, "1", "size of the example, n^2 + n + 1 agents", NULL, WAL_PARAM_KEY},
    {"solve_up_to", WAL_INT, "10", 0, 30, NULL, "1",
     "largest n whose market is solved; above it the equation in k", NULL, 0},
};

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  wal_example_size size = wal_example_defaults(8);
  size.n = (int)wal_point_int(point, "n");
  if (size.n <= wal_point_int(point, "solve_up_to")) return wal_appendix_run(8, &size, false, sink);
  const double n = size.n;
  wal_sink_row(sink);
  wal_sink_int(sink, "equilibrium", 1);
  wal_sink_real(sink, "u_ce_closed", n + 1);
  wal_sink_real(sink, "u_nw_closed", 1 + n * wal_example_k(size.n) + n / (n + 1));
  return WAL_OK;
}

/* ---- the picture ---- */

static double over(const wal_grouping *by, int g, const char *ce, const char *nw) {
  return wal_appendix_mean(by, g, ce) / wal_appendix_mean(by, g, nw);
}
static double ratio(const wal_grouping *by, int g) { return over(by, g, "u_ce", "u_nw"); }
static double ratio_closed(const wal_grouping *by, int g) {
  return over(by, g, "u_ce_closed", "u_nw_closed");
}
static double stated(const wal_grouping *by, int g) {
  const double n = wal_appendix_key(by, g, "n");
  return (n + 1) / (1 + sqrt(n) + n / (n + 1));
}
/* k sqrt(n), from A's utility 1 + n k + n / (n + 1). */
static double scaled_k(const wal_grouping *by, int g, const char *column) {
  const double n = wal_appendix_key(by, g, "n");
  return (wal_appendix_mean(by, g, column) - 1 - n / (n + 1)) / n * sqrt(n);
}
static double k(const wal_grouping *by, int g) { return scaled_k(by, g, "u_nw"); }
static double k_closed(const wal_grouping *by, int g) { return scaled_k(by, g, "u_nw_closed"); }

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 7.5, 1, 2);
  wal_panel *panel =
      wal_figure_panel(figure, "Agent A", "n", "utility at equilibrium / at maximum Nash welfare");
  wal_appendix_add(panel, WAL_BAND, "equation in k", 0, by, "n", ratio_closed, NULL);
  wal_appendix_add(panel, WAL_POINTS, "market solved", 1, by, "n", ratio, NULL);
  wal_appendix_add(panel, WAL_BAND, "at least, by k ≤ 1/√n", 2, by, "n", stated, NULL);
  wal_appendix_rule(panel, "2, for Gale-substitutes (Theorem 1.3)", 2);
  wal_panel_log(panel, true, true);
  wal_panel_legend(panel, "top left");
  panel = wal_figure_panel(figure, "The part k of a good that changes hands", "n", "k √n");
  wal_appendix_add(panel, WAL_BAND, "equation in k", 0, by, "n", k_closed, NULL);
  wal_appendix_add(panel, WAL_POINTS, "market solved", 1, by, "n", k, NULL);
  wal_appendix_rule(panel, "1: k = 1/√n, the paper's bound", 1);
  wal_panel_log(panel, true, false);
  wal_panel_range(panel, NAN, NAN, 0.2, 1.1);
  wal_panel_legend(panel, "bottom right");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"n"};
  static const char *const measures[] = {"u_ce",        "u_ce_closed", "u_nw",
                                         "u_nw_closed", "nw_ratio",    "violation"};
  return wal_drawing_groups(result, drawing, keys, 1, measures, 6, draw_figure);
}

const wal_experiment wal_nashwelfare_a8 = {
    .id = "nashwelfare/a8",
    .title = "Without Gale-substitutes maximum Nash welfare may give an agent far less",
    .paper = WAL_NASHWELFARE_PAPER ", Example A.8",
    .doc =
        "Agents of type B need two goods together, up to a point: not Gale-substitutes. Agent A gets n + 1 "
        "at "
        "the stated equilibrium and about sqrt(n) at maximum Nash welfare. Markets are solved up to "
        "solve_up_to; above it one equation in k is.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = wal_appendix_columns,
    .column_count = WAL_APPENDIX_COLUMNS,
    .run_point = run_point,
    .draw = draw,
};
