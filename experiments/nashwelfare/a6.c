/* Example A.6: the bound of Theorem 1.2 is reached as alpha grows, with beta as printed and corrected. */
#include <math.h>

#include "experiments/nashwelfare/appendix.h"
#include "experiments/registry.h"

static const wal_param params[] = {
    {"alpha", WAL_REAL, "10", 2.01, 1e6, NULL, "1",
     "slope of the second agent's first segment, which has length 1/alpha", NULL, WAL_PARAM_KEY},
    {"beta", WAL_TEXT, "corrected", 0, 0, "corrected|printed", "1",
     "slope after it: 1 / (1 - 1/alpha), or (1 - 1/alpha) / (1 - 2/alpha)", NULL, WAL_PARAM_KEY},
};

static const wal_column columns[] = {
    {"x2", WAL_REAL, "1", "the second agent's share at maximum Nash welfare", 0, 1e-5, 1e-5},
    {"x2_closed", WAL_REAL, "1", "the same, closed form", 0, 1e-9, 0},
    {"q", WAL_REAL, "1", "Gale price of the good", 0, 1e-5, 0},
    {"u_nw", WAL_REAL, "1", "the second agent's utility at maximum Nash welfare", 0, 1e-5, 0},
    {"u_best", WAL_REAL, "1", "its best utility at price q with its budget (demand oracle)", 0, 1e-5, 0},
    {"ratio", WAL_REAL, "1", "u_best / u_nw: at most 2 by Theorem 1.2", 0, 1e-5, 0},
    {"ratio_closed", WAL_REAL, "1", "the same, closed form", 0, 1e-9, 0},
    {"gap", WAL_REAL, "1", "bound on what log Nash welfare may be short of its maximum", 0, 0, 1e-9},
};

/* With x the second agent's share: q = 1 / (1 - x), for which its budget of 1 buys 1 - x. */
static wal_status send_closed(const wal_example_size *size, wal_sink *sink) {
  double u[2];
  const wal_status status = wal_example_nash(6, size, u);
  const double best = 1 + wal_example_beta(size) * (u[0] - 1 / size->alpha);
  wal_sink_real(sink, "x2_closed", 1 - u[0]);
  wal_sink_real(sink, "ratio_closed", best / u[1]);
  return status;
}

static wal_status send_measured(const wal_nw_market *market, const wal_nw_solution *best, wal_sink *sink) {
  wal_demand_set demand;
  const wal_status status = wal_demand(market->utility[1], best->q, 1, &demand);
  if (status != WAL_OK) return status;
  const double ratio = demand.utility / best->u[1];
  wal_sink_real(sink, "x2", best->y[1]);
  wal_sink_real(sink, "q", best->q[0]);
  wal_sink_real(sink, "u_nw", best->u[1]);
  wal_sink_real(sink, "u_best", demand.utility);
  wal_sink_real(sink, "ratio", ratio);
  wal_sink_real(sink, "gap", best->gap);
  if (ratio <= 2 + 1e-7) return WAL_OK;
  return wal_fail(WAL_E_INTERNAL,
                  "A.6: best utility over that of maximum Nash welfare is %.9g: against Theorem 1.2", ratio);
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  wal_example_size size = wal_example_defaults(6);
  size.alpha = wal_point_real(point, "alpha");
  size.printed = wal_point_text(point, "beta")[0] == 'p';
  wal_nw_market market = {0};
  wal_nw_solution best = {0};
  wal_status status = wal_example(6, &size, &market);
  if (status == WAL_OK) status = wal_appendix_maximise(&market, &best);
  if (status == WAL_OK) {
    wal_sink_row(sink);
    status = send_closed(&size, sink);
  }
  if (status == WAL_OK) status = send_measured(&market, &best, sink);
  wal_nw_solution_destroy(&best);
  wal_nw_market_destroy(&market);
  return status;
}

/* ---- the picture ---- */

static bool printed(const wal_grouping *by, int g) {
  const wal_frame *rows = by->result->rows;
  return wal_frame_text(rows, by->groups[g].row, wal_frame_find(rows, "beta"))[0] == 'p';
}
static bool corrected(const wal_grouping *by, int g) { return !printed(by, g); }
static double ratio(const wal_grouping *by, int g) { return wal_appendix_mean(by, g, "ratio"); }
static double ratio_closed(const wal_grouping *by, int g) { return wal_appendix_mean(by, g, "ratio_closed"); }
static double share(const wal_grouping *by, int g) {
  return wal_appendix_mean(by, g, "x2") * wal_appendix_key(by, g, "alpha");
}
static double share_closed(const wal_grouping *by, int g) {
  return wal_appendix_mean(by, g, "x2_closed") * wal_appendix_key(by, g, "alpha");
}

static void draw_pair(wal_panel *panel, const wal_grouping *by, wal_appendix_value solved,
                      wal_appendix_value closed) {
  wal_appendix_add(panel, WAL_BAND, "", 0, by, "alpha", closed, corrected);
  wal_appendix_add(panel, WAL_POINTS, "β = 1 / (1 − 1/α), corrected", 0, by, "alpha", solved, corrected);
  wal_appendix_add(panel, WAL_BAND, "", 1, by, "alpha", closed, printed);
  wal_appendix_add(panel, WAL_POINTS, "β as printed", 1, by, "alpha", solved, printed);
  wal_panel_log(panel, true, false);
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 7.5, 1, 2);
  wal_panel *panel =
      wal_figure_panel(figure, "Agent 2 at Gale prices", "α", "best utility for the budget / u₂(NW)");
  draw_pair(panel, by, ratio, ratio_closed);
  wal_appendix_rule(panel, "2, Theorem 1.2", 2);
  wal_panel_range(panel, NAN, NAN, 1.3, 2.1);
  wal_panel_legend(panel, "bottom right");
  panel = wal_figure_panel(figure, "Share of agent 2", "α", "α x₂: the paper says 1");
  draw_pair(panel, by, share, share_closed);
  wal_panel_legend(panel, "top right");
  wal_figure_note(figure,
                  "Points: solved; lines: closed form, on the left 2 − 1/(α − 1) for the corrected β");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"alpha", "beta"};
  static const char *const measures[] = {"x2", "x2_closed", "q", "ratio", "ratio_closed", "gap"};
  return wal_drawing_groups(result, drawing, keys, 2, measures, 6, draw_figure);
}

const wal_experiment wal_nashwelfare_a6 = {
    .id = "nashwelfare/a6",
    .title = "Demand at Gale prices: the bound of Theorem 1.2 is tight",
    .paper = WAL_NASHWELFARE_PAPER ", Example A.6",
    .doc =
        "One good, two agents, the second with slope alpha up to 1/alpha and beta after it: what the second "
        "could buy at the Gale price over what maximum Nash welfare gives it, against alpha. With the "
        "printed "
        "beta the share 1/alpha is not the optimum's; with 1 / (1 - 1/alpha) it is. The bound is 2.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
