/* Example A.4: the bound of Theorem 1.1 is reached as eps falls to 0, at budgets of sum e. */
#include <math.h>

#include "experiments/nashwelfare/appendix.h"
#include "experiments/registry.h"

static const wal_param params[] = {
    WAL_APPENDIX_EPS("0.1"),
    {"budget", WAL_REAL, "2.718281828459045", 1.001, 1e6, NULL, "1",
     "sum of both agents' budgets, the first's is 1", NULL, WAL_PARAM_KEY},
};

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  wal_example_size size = wal_example_defaults(4);
  size.eps = wal_point_real(point, "eps");
  size.budget = wal_point_real(point, "budget");
  return wal_appendix_run(4, &size, true, sink);
}

/* ---- the picture ---- */

static bool at_e(const wal_grouping *by, int g) {
  return fabs(wal_appendix_key(by, g, "budget") - M_E) < 1e-9;
}
static bool off_e(const wal_grouping *by, int g) { return wal_appendix_key(by, g, "eps") <= 1e-6; }
static double ratio(const wal_grouping *by, int g) { return wal_appendix_mean(by, g, "nw_ratio"); }
static double closed(const wal_grouping *by, int g) { return wal_appendix_mean(by, g, "nw_ratio_closed"); }
static double limit(const wal_grouping *by, int g) {
  const double budget = wal_appendix_key(by, g, "budget");
  return pow(1 / budget, 1 / budget);
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 7.5, 1, 2);
  wal_panel *panel = wal_figure_panel(figure, "Budgets 1 and e − 1", "ε", "NW(CE) / NW*");
  wal_appendix_add(panel, WAL_BAND, "closed form", 0, by, "eps", closed, at_e);
  wal_appendix_add(panel, WAL_POINTS, "solved", 0, by, "eps", ratio, at_e);
  wal_appendix_rule(panel, "(1/e)^(1/e), Theorem 1.1", WAL_NASHWELFARE_ANARCHY);
  wal_panel_log(panel, true, false);
  wal_panel_range(panel, NAN, NAN, 0.67, 0.85);
  wal_panel_legend(panel, "top left");
  panel = wal_figure_panel(figure, "Budgets 1 and B − 1, ε ≤ 10⁻⁶", "B, sum of the budgets", "NW(CE) / NW*");
  wal_appendix_add(panel, WAL_BAND, "(1/B)^(1/B), the limit", 1, by, "budget", limit, off_e);
  wal_appendix_add(panel, WAL_POINTS, "solved", 1, by, "budget", ratio, off_e);
  wal_appendix_rule(panel, "(1/e)^(1/e), at B = e", WAL_NASHWELFARE_ANARCHY);
  wal_panel_range(panel, NAN, NAN, 0.67, 1);
  wal_panel_legend(panel, "top right");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"eps", "budget"};
  static const char *const measures[] = {"nw_ratio", "nw_ratio_closed", "u_ce", "u_nw", "violation", "gap"};
  return wal_drawing_groups(result, drawing, keys, 2, measures, 6, draw_figure);
}

const wal_experiment wal_nashwelfare_a4 = {
    .id = "nashwelfare/a4",
    .title = "Price of anarchy: the bound of Theorem 1.1 is tight",
    .paper = WAL_NASHWELFARE_PAPER ", Example A.4",
    .doc =
        "Two agents, two goods: in the stated equilibrium the second agent, satiated with a good of price 0, "
        "buys most of the good that the first one needs, for a utility of eps. Nash welfare of the "
        "equilibrium "
        "over the maximum found by the solver, against eps, and against the sum of the budgets, where it is "
        "least at e.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = wal_appendix_columns,
    .column_count = WAL_APPENDIX_COLUMNS,
    .run_point = run_point,
    .draw = draw,
};
