/* Example A.10: an equilibrium that is not thrifty, and beyond the bound of Theorem 1.6. */
#include <math.h>

#include "experiments/nashwelfare/appendix.h"
#include "experiments/registry.h"

static const wal_param params[] = {WAL_APPENDIX_N("3"), WAL_APPENDIX_EPS("0.1")};

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  wal_example_size size = wal_example_defaults(10);
  size.n = (int)wal_point_int(point, "n");
  size.eps = wal_point_real(point, "eps");
  return wal_appendix_run(10, &size, false, sink);
}

/* ---- the picture ---- */

static double ratio(const wal_grouping *by, int g) {
  return wal_appendix_mean(by, g, "u_nw") / wal_appendix_mean(by, g, "u_ce");
}
static double ratio_closed(const wal_grouping *by, int g) {
  return wal_appendix_mean(by, g, "u_nw_closed") / wal_appendix_mean(by, g, "u_ce_closed");
}
/* What agent n + 1 spends, half of its budget, and the least that its utility costs. */
static double spent(const wal_grouping *by, int g) {
  const double eps = wal_appendix_key(by, g, "eps");
  return (wal_appendix_key(by, g, "n") - 1) * (1 - eps) / eps;
}
static double least(const wal_grouping *by, int g) {
  return spent(by, g) * (1 - 2 * wal_appendix_mean(by, g, "waste"));
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  static const int colours[] = {0, 1, 3, 5}, others[] = {2, 4, 6, 7};
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 7.5, 1, 2);
  wal_panel *panel = wal_figure_panel(figure, "Agent 1", "n", "u₁(NW) / u₁(CE)");
  wal_appendix_add_each_eps(panel, WAL_BAND, NULL, colours, by, "n", ratio_closed);
  wal_appendix_add_each_eps(panel, WAL_POINTS, "", colours, by, "n", ratio);
  wal_appendix_rule(panel, "1/2, Theorem 1.6 (thrifty equilibria)", 0.5);
  wal_panel_log(panel, true, false);
  wal_panel_range(panel, NAN, NAN, 0, 0.75);
  wal_panel_legend(panel, "top right");
  panel = wal_figure_panel(figure, "The equilibrium is not thrifty", "n", "money of agent n + 1");
  wal_appendix_add_each_eps(panel, WAL_LINES, "spent, ", colours, by, "n", spent);
  wal_appendix_add_each_eps(panel, WAL_LINES, "least for its utility, ", others, by, "n", least);
  wal_panel_log(panel, true, true);
  wal_panel_legend(panel, "top left");
  wal_figure_note(figure, "Points left: solved; lines: closed form, ε + (1 − ε)/n");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"n", "eps"};
  static const char *const measures[] = {"u_ce", "u_nw", "u_nw_closed", "waste", "nw_ratio", "violation"};
  return wal_drawing_groups(result, drawing, keys, 2, measures, 6, draw_figure);
}

const wal_experiment wal_nashwelfare_a10 = {
    .id = "nashwelfare/a10",
    .title = "Satiated agents who do not save: below one half",
    .paper = WAL_NASHWELFARE_PAPER ", Example A.10",
    .doc =
        "A Leontief-free agent with a large budget is satiated by a bundle that is not the cheapest of its "
        "utility. Agent 1 gets 1 at this equilibrium and eps + (1 - eps)/n at maximum Nash welfare: the half "
        "of "
        "Theorem 1.6 holds for thrifty equilibria only.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = wal_appendix_columns,
    .column_count = WAL_APPENDIX_COLUMNS,
    .run_point = run_point,
    .draw = draw,
};
