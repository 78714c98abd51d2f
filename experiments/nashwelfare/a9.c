/* Example A.9: the bound of Theorem 1.3, one half, is reached as n grows. */
#include <math.h>

#include "experiments/nashwelfare/appendix.h"
#include "experiments/registry.h"

static const wal_param params[] = {WAL_APPENDIX_N("6")};

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  wal_example_size size = wal_example_defaults(9);
  size.n = (int)wal_point_int(point, "n");
  return wal_appendix_run(9, &size, true, sink);
}

/* ---- the picture ---- */

static double u_ce(const wal_grouping *by, int g) { return wal_appendix_mean(by, g, "u_ce"); }
static double u_ce_closed(const wal_grouping *by, int g) { return wal_appendix_mean(by, g, "u_ce_closed"); }
static double u_nw(const wal_grouping *by, int g) { return wal_appendix_mean(by, g, "u_nw"); }
static double u_nw_closed(const wal_grouping *by, int g) { return wal_appendix_mean(by, g, "u_nw_closed"); }
static double ratio(const wal_grouping *by, int g) { return u_nw(by, g) / u_ce(by, g); }
static double ratio_closed(const wal_grouping *by, int g) { return u_nw_closed(by, g) / u_ce_closed(by, g); }

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 7.5, 1, 2);
  wal_panel *panel = wal_figure_panel(figure, "Agent 1", "n", "utility of agent 1");
  wal_appendix_add(panel, WAL_BAND, "", 1, by, "n", u_ce_closed, NULL);
  wal_appendix_add(panel, WAL_POINTS, "equilibrium (2 − 1/n)", 1, by, "n", u_ce, NULL);
  wal_appendix_add(panel, WAL_BAND, "", 0, by, "n", u_nw_closed, NULL);
  wal_appendix_add(panel, WAL_POINTS, "maximum Nash welfare (1)", 0, by, "n", u_nw, NULL);
  wal_panel_log(panel, true, false);
  wal_panel_range(panel, NAN, NAN, 0.8, 2.1);
  wal_panel_legend(panel, "right center");
  panel = wal_figure_panel(figure, "What maximum Nash welfare keeps", "n", "u₁(NW) / u₁(CE)");
  wal_appendix_add(panel, WAL_BAND, "1 / (2 − 1/n)", 0, by, "n", ratio_closed, NULL);
  wal_appendix_add(panel, WAL_POINTS, "solved", 0, by, "n", ratio, NULL);
  wal_appendix_rule(panel, "1/2, Theorem 1.3", 0.5);
  wal_panel_log(panel, true, false);
  wal_panel_range(panel, NAN, NAN, 0.45, 0.72);
  wal_panel_legend(panel, "top right");
  wal_figure_note(figure, "Points: solved; lines: closed form");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"n"};
  static const char *const measures[] = {"u_ce",        "u_ce_closed", "u_nw",
                                         "least_ratio", "nw_ratio",    "violation"};
  return wal_drawing_groups(result, drawing, keys, 1, measures, 6, draw_figure);
}

const wal_experiment wal_nashwelfare_a9 = {
    .id = "nashwelfare/a9",
    .title = "Maximum Nash welfare keeps half of an equilibrium's utility: Theorem 1.3 is tight",
    .paper = WAL_NASHWELFARE_PAPER ", Example A.9",
    .doc =
        "Bounded linear agents who all want goods 2 to n, and agent 1 also a good that nobody else wants. At "
        "an equilibrium that good is free and agent 1 has 2 - 1/n; maximum Nash welfare gives everybody 1. "
        "With v_11 = 0, as printed, agent 1 would have no use for it (docs/errata.md).",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = wal_appendix_columns,
    .column_count = WAL_APPENDIX_COLUMNS,
    .run_point = run_point,
    .draw = draw,
};
