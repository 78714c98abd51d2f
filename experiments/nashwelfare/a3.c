/* Example A.3: prices rise, and so does the utility of the Gale demand. */
#include <math.h>
#include <string.h>

#include "experiments/nashwelfare/appendix.h"
#include "experiments/registry.h"

static const wal_param params[] = {
    {"path", WAL_TEXT, "rising", 0, 0, "rising|across", "1",
     "rising: from q to the corrected q' = (1, 1) / D2 in a straight line; across: (1, t) / D2, printed t = "
     "0.2",
     NULL, WAL_PARAM_KEY},
    {"t", WAL_REAL, "0", 0, 10, NULL, "1", "where on the path", NULL, WAL_PARAM_KEY},
};

static const wal_column columns[] = {
    {"q1", WAL_REAL, "1", "price of good 1", 0, 1e-9, 0},
    {"q2", WAL_REAL, "1", "price of good 2", 0, 1e-9, 0},
    {"u_gale", WAL_REAL, "1", "utility of the Gale demand", 0, 1e-6, 0},
    {"u_demand", WAL_REAL, "1", "utility of the standard demand", 0, 1e-6, 0},
    {"least_y1", WAL_REAL, "1", "least of good 1 over the Gale demand", 0, 1e-5, 1e-6},
    {"most_y1", WAL_REAL, "1", "most of good 1 over the Gale demand", 0, 1e-5, 1e-6},
};

/* ---- a point ---- */

/* The least and the most of good 1 in the Gale demand. */
static wal_status find_extent(const wal_utility *u, const double *q, const wal_demand_set *set, double *least,
                              double *most) {
  double y[2];
  const double up[] = {1, 0}, down[] = {-1, 0};
  bool found;
  wal_status status = wal_demand_pick(u, q, set, up, NULL, NULL, y, &found);
  *least = found ? y[0] : NAN;
  if (status == WAL_OK) status = wal_demand_pick(u, q, set, down, NULL, NULL, y, &found);
  *most = found ? y[0] : NAN;
  return status;
}

static wal_status send(const wal_utility *u, const double *q, wal_sink *sink) {
  wal_demand_set gale, demand;
  double least = NAN, most = NAN;
  wal_status status = wal_demand_gale(u, q, 1, &gale);
  if (status == WAL_OK) status = find_extent(u, q, &gale, &least, &most);
  if (status == WAL_OK) status = wal_demand(u, q, 1, &demand);
  if (status != WAL_OK) return status;
  wal_sink_row(sink);
  wal_sink_real(sink, "q1", q[0]);
  wal_sink_real(sink, "q2", q[1]);
  wal_sink_real(sink, "u_gale", gale.utility);
  wal_sink_real(sink, "u_demand", demand.utility);
  wal_sink_real(sink, "least_y1", least);
  wal_sink_real(sink, "most_y1", most);
  return WAL_OK;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  const wal_example_size size = wal_example_defaults(3);
  const double t = wal_point_real(point, "t");
  double from[2], to[2];
  wal_example_a3_prices(WAL_A3_LOWER, from);
  wal_example_a3_prices(WAL_A3_HIGHER, to);
  const double rising[] = {(1 - t) * from[0] + t * to[0], (1 - t) * from[1] + t * to[1]};
  const double across[] = {to[0], t * to[1]};
  wal_nw_market market = {0};
  wal_status status = wal_example(3, &size, &market);
  if (status == WAL_OK)
    status = send(market.utility[0], strcmp(wal_point_text(point, "path"), "rising") ? across : rising, sink);
  wal_nw_market_destroy(&market);
  return status;
}

/* ---- the picture ---- */

static bool is(const wal_grouping *by, int g, const char *path) {
  const wal_frame *rows = by->result->rows;
  return strcmp(wal_frame_text(rows, by->groups[g].row, wal_frame_find(rows, "path")), path) == 0;
}
static bool rising(const wal_grouping *by, int g) { return is(by, g, "rising"); }
static bool across(const wal_grouping *by, int g) { return is(by, g, "across"); }
static double u_gale(const wal_grouping *by, int g) { return wal_appendix_mean(by, g, "u_gale"); }
static double u_demand(const wal_grouping *by, int g) { return wal_appendix_mean(by, g, "u_demand"); }

static double published(const wal_grouping *by, int g) {
  return wal_result_published(by->result, by->groups[g].row, "u_gale");
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 7.5, 1, 2);
  wal_panel *panel = wal_figure_panel(figure, "Both prices rise, from q to q′ corrected",
                                      "t: prices q + t (q′ − q)", "utility of the demand");
  wal_appendix_add(panel, WAL_BAND, "standard demand", 1, by, "t", u_demand, rising);
  wal_appendix_add(panel, WAL_BAND, "Gale demand", 0, by, "t", u_gale, rising);
  wal_appendix_add(panel, WAL_HOLLOW, "Gale demand", 0, by, "t", published, rising);
  wal_panel_range(panel, -0.04, 1.04, 2, NAN);
  wal_panel_legend(panel, "top right");
  panel = wal_figure_panel(figure, "Prices (1, r) / D₂", "r: 0.2 as printed, 1 corrected",
                           "utility of the demand");
  wal_appendix_add(panel, WAL_BAND, "Gale demand", 0, by, "t", u_gale, across);
  wal_appendix_add(panel, WAL_HOLLOW, "Gale demand", 0, by, "t", published, across);
  wal_panel_range(panel, 0, 1.1, 2.1, 2.9);
  wal_panel_legend(panel, "top right");
  wal_figure_note(figure, "D₂ = 0.01 + 2/0.85. At the printed q′ = (1, 0.2)/D₂ the Gale demand is (0, 2.5)");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"path", "t"};
  static const char *const measures[] = {"q1", "q2", "u_gale", "least_y1", "most_y1", "u_demand"};
  return wal_drawing_groups(result, drawing, keys, 2, measures, 6, draw_figure);
}

const wal_experiment wal_nashwelfare_a3 = {
    .id = "nashwelfare/a3",
    .title = "Gale demand is not monotone in the prices",
    .paper = WAL_NASHWELFARE_PAPER ", Example A.3",
    .doc =
        "One agent with u = min{x_1 + x_2, 2 + 0.1 x_1 + 0.2 x_2} and budget 1: utility of its Gale demand "
        "and "
        "of its standard demand while both prices rise from q to q', and across the printed and the "
        "corrected "
        "q'.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
