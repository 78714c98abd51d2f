/* Example A.5: the utility of agent n in two equilibria of one market differs by the factor n. */
#include <math.h>

#include "experiments/nashwelfare/appendix.h"
#include "experiments/registry.h"

static const wal_param params[] = {WAL_APPENDIX_N("5"), WAL_APPENDIX_EPS("0.1")};

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  wal_example_size size = wal_example_defaults(5);
  size.n = (int)wal_point_int(point, "n");
  size.eps = wal_point_real(point, "eps");
  return wal_appendix_run(5, &size, true, sink);
}

/* ---- the picture ---- */

static bool first(const wal_grouping *by, int g) { return wal_appendix_key(by, g, "equilibrium") == 1; }
static bool second(const wal_grouping *by, int g) { return wal_appendix_key(by, g, "equilibrium") == 2; }
static double u_ce(const wal_grouping *by, int g) { return wal_appendix_mean(by, g, "u_ce"); }
static double u_ce_closed(const wal_grouping *by, int g) { return wal_appendix_mean(by, g, "u_ce_closed"); }
static double u_nw(const wal_grouping *by, int g) { return wal_appendix_mean(by, g, "u_nw"); }
static double ratio(const wal_grouping *by, int g) { return wal_appendix_mean(by, g, "nw_ratio"); }
static double ratio_closed(const wal_grouping *by, int g) {
  return wal_appendix_mean(by, g, "nw_ratio_closed");
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 7.5, 1, 2);
  wal_panel *panel = wal_figure_panel(figure, "Agent n", "n", "utility of agent n");
  wal_appendix_add(panel, WAL_BAND, "", 0, by, "n", u_ce_closed, first);
  wal_appendix_add(panel, WAL_POINTS, "maximum Nash welfare", 2, by, "n", u_nw, first);
  wal_appendix_add(panel, WAL_POINTS, "equilibrium 1, all prices 1", 0, by, "n", u_ce, first);
  wal_appendix_add(panel, WAL_BAND, "", 1, by, "n", u_ce_closed, second);
  wal_appendix_add(panel, WAL_POINTS, "equilibrium 2, prices (0, ..., 0, n)", 1, by, "n", u_ce, second);
  wal_panel_log(panel, true, true);
  wal_panel_legend(panel, "bottom left");
  panel = wal_figure_panel(figure, "All agents", "n", "NW(CE) / NW*");
  wal_appendix_add(panel, WAL_BAND, "", 0, by, "n", ratio_closed, first);
  wal_appendix_add(panel, WAL_POINTS, "equilibrium 1", 0, by, "n", ratio, first);
  wal_appendix_add(panel, WAL_BAND, "", 1, by, "n", ratio_closed, second);
  wal_appendix_add(panel, WAL_POINTS, "equilibrium 2", 1, by, "n", ratio, second);
  wal_appendix_rule(panel, "(1/e)^(1/e), Theorem 1.1", WAL_NASHWELFARE_ANARCHY);
  wal_panel_log(panel, true, false);
  wal_panel_range(panel, NAN, NAN, 0.6, 1.05);
  wal_panel_legend(panel, "bottom right");
  wal_figure_note(
      figure,
      "Points: what the demand oracle gives at the equilibrium's prices, and the solver; lines: closed form, "
      "1 and 1/n on the left");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"n", "equilibrium"};
  static const char *const measures[] = {"u_ce",     "u_ce_closed",     "u_nw",
                                         "nw_ratio", "nw_ratio_closed", "violation"};
  return wal_drawing_groups(result, drawing, keys, 2, measures, 6, draw_figure);
}

const wal_experiment wal_nashwelfare_a5 = {
    .id = "nashwelfare/a5",
    .title = "One market, two equilibria, utilities apart by the factor n",
    .paper = WAL_NASHWELFARE_PAPER ", Example A.5",
    .doc =
        "Agents 1 to n - 1 each want one unit of a good of their own, and a little of good n, which agent n "
        "needs. With all prices 1 agent n gets good n whole; with prices (0, ..., 0, n) everybody gets 1/n "
        "of "
        "it. Agent n's utility in both and at maximum Nash welfare, against n.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = wal_appendix_columns,
    .column_count = WAL_APPENDIX_COLUMNS,
    .run_point = run_point,
    .draw = draw,
};
