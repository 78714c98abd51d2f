/* Example A.7: an agent with 1/n in the only equilibrium and 1 at maximum Nash welfare. */
#include <math.h>

#include "experiments/nashwelfare/appendix.h"
#include "experiments/registry.h"

static const wal_param params[] = {WAL_APPENDIX_N("3"), WAL_APPENDIX_EPS("0.5")};

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  wal_example_size size = wal_example_defaults(7);
  size.n = (int)wal_point_int(point, "n");
  size.eps = wal_point_real(point, "eps");
  return wal_appendix_run(7, &size, true, sink);
}

/* ---- the picture ---- */

static double u_ce(const wal_grouping *by, int g) { return wal_appendix_mean(by, g, "u_ce"); }
static double u_ce_closed(const wal_grouping *by, int g) { return wal_appendix_mean(by, g, "u_ce_closed"); }
static double u_nw(const wal_grouping *by, int g) { return wal_appendix_mean(by, g, "u_nw"); }
static double u_nw_closed(const wal_grouping *by, int g) { return wal_appendix_mean(by, g, "u_nw_closed"); }
static double ratio(const wal_grouping *by, int g) { return wal_appendix_mean(by, g, "nw_ratio"); }
static double ratio_closed(const wal_grouping *by, int g) {
  return wal_appendix_mean(by, g, "nw_ratio_closed");
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  static const int colours[] = {2, 0, 3, 5};
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 7.5, 1, 2);
  wal_panel *panel = wal_figure_panel(figure, "Agent n + 1", "n", "utility of agent n + 1");
  wal_appendix_add_each_eps(panel, WAL_BAND, NULL, colours, by, "n", u_nw_closed);
  wal_appendix_add_each_eps(panel, WAL_POINTS, "maximum Nash welfare, ", colours, by, "n", u_nw);
  wal_appendix_add(panel, WAL_BAND, "", 1, by, "n", u_ce_closed, NULL);
  wal_appendix_add(panel, WAL_POINTS, "equilibrium (1/n)", 1, by, "n", u_ce, NULL);
  wal_panel_log(panel, true, true);
  wal_panel_legend(panel, "bottom left");
  panel = wal_figure_panel(figure, "All agents", "n", "NW(CE) / NW*");
  wal_appendix_add_each_eps(panel, WAL_BAND, NULL, colours, by, "n", ratio_closed);
  wal_appendix_add_each_eps(panel, WAL_POINTS, "", colours, by, "n", ratio);
  wal_appendix_rule(panel, "(1/e)^(1/e), Theorem 1.1", WAL_NASHWELFARE_ANARCHY);
  wal_panel_log(panel, true, false);
  wal_panel_range(panel, NAN, NAN, 0.6, 1.05);
  wal_panel_legend(panel, "bottom right");
  wal_figure_note(figure, "Points: solved; lines: closed form");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"n", "eps"};
  static const char *const measures[] = {"u_ce",        "u_ce_closed", "u_nw",
                                         "u_nw_closed", "nw_ratio",    "violation"};
  return wal_drawing_groups(result, drawing, keys, 2, measures, 6, draw_figure);
}

const wal_experiment wal_nashwelfare_a7 = {
    .id = "nashwelfare/a7",
    .title = "Utilities at equilibrium do not approximate those of maximum Nash welfare",
    .paper = WAL_NASHWELFARE_PAPER ", Example A.7",
    .doc =
        "The one equilibrium gives agent n + 1 the n-th part of its good, maximum Nash welfare all of it, as "
        "long as eps <= 1/2; above, a part of it goes to the others. Both utilities against n, and the ratio "
        "of Nash welfare.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = wal_appendix_columns,
    .column_count = WAL_APPENDIX_COLUMNS,
    .run_point = run_point,
    .draw = draw,
};
