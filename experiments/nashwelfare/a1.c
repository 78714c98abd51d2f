/* Example A.1: three thrifty equilibria, each isolated, where the clearing prices of the two goods meet. */
#include <math.h>
#include <string.h>

#include "experiments/nashwelfare/appendix.h"
#include "experiments/registry.h"
#include "models/nashwelfare/equilibria.h"

static const wal_param params[] = {
    {"steps", WAL_INT, "240", 4, 1e5, NULL, "1", "directions of the prices, less one", NULL, 0},
    {"segment", WAL_INT, "48", 2, 1e5, NULL, "1",
     "points on a segment where an agent is indifferent, less one", NULL, 0},
};

static const wal_column columns[] = {
    {"kind", WAL_TEXT, "1",
     "clears_1, clears_2: prices at which this good is sold exactly; equilibrium: found", WAL_COLUMN_KEY, 0,
     0},
    {"which", WAL_INT, "1", "number along the curve or of the equilibrium", WAL_COLUMN_KEY, 0, 0},
    {"p1", WAL_REAL, "1", "price of good 1", 0, 2e-5, 0},
    {"p2", WAL_REAL, "1", "price of good 2", 0, 2e-5, 0},
    {"excess", WAL_REAL, "1", "excess demand of the other good there", WAL_COLUMN_OPTIONAL, 1e-5, 2e-5},
    {"u1", WAL_REAL, "1", "utility of agent 1 at the equilibrium", WAL_COLUMN_OPTIONAL, 1e-6, 0},
    {"u2", WAL_REAL, "1", "utility of agent 2 at the equilibrium", WAL_COLUMN_OPTIONAL, 1e-6, 0},
};

/* ---- curves on which one good clears ---- */

static const double noise = 1e-9; /* of excess demand */

typedef struct {
  const wal_nw_market *market;
  int good; /* that clears */
  double low[2], high[2];
} scan;

/* 1: good `good` is wanted by more than there is at p = total (s, 1 - s), -1 by less, 0 neither. */
static wal_status sign_at(scan *c, double s, double total, int *sign) {
  const double p[] = {s * total, (1 - s) * total};
  const wal_status status = wal_excess_demand(c->market, p, c->low, c->high);
  *sign = c->low[c->good] > noise ? 1 : c->high[c->good] < -noise ? -1 : 0;
  return status;
}

/* Demand falls as all prices rise in proportion: the last total with sign >= `least`. */
static wal_status find_total(scan *c, double s, int least, double *total) {
  double from = 0.05, to = 20;
  wal_status status = WAL_OK;
  for (int step = 0; step < 45 && status == WAL_OK; step++) {
    const double middle = sqrt(from * to);
    int sign;
    status = sign_at(c, s, middle, &sign);
    if (sign >= least)
      from = middle;
    else
      to = middle;
  }
  *total = sqrt(from * to);
  return status;
}

/* Excess of the other good where this one clears: <p, z> is what the agents spend less what the goods cost.
 */
static wal_status other_excess(const scan *c, const double *p, double *excess) {
  double value = -p[0] - p[1];
  for (int i = 0; i < c->market->n; i++) {
    wal_demand_set set;
    const wal_status status = wal_demand_thrifty(c->market->utility[i], p, c->market->budget[i], &set);
    if (status != WAL_OK) return status;
    value += set.cost;
  }
  *excess = value / p[1 - c->good];
  return WAL_OK;
}

static wal_status send_at(const scan *c, double s, double total, int *which, wal_sink *sink) {
  const double p[] = {s * total, (1 - s) * total};
  double excess;
  const wal_status status = other_excess(c, p, &excess);
  if (status != WAL_OK) return status;
  wal_sink_row(sink);
  wal_sink_text(sink, "kind", c->good == 0 ? "clears_1" : "clears_2");
  wal_sink_int(sink, "which", (*which)++);
  wal_sink_real(sink, "p1", p[0]);
  wal_sink_real(sink, "p2", p[1]);
  wal_sink_real(sink, "excess", excess);
  return WAL_OK;
}

/* Directions s = p_1 / (p_1 + p_2): evenly in log s / (1 - s), and the two where an agent is indifferent. */
static double direction(int64_t k, int64_t steps) {
  const double from = -7, to = 2.5;
  return 1 / (1 + exp(-(from + (to - from) * (double)k / (double)steps)));
}

static wal_status follow(scan *c, double s, double *last, int *which, wal_sink *sink) {
  const wal_status status = find_total(c, s, 0, last);
  return status == WAL_OK ? send_at(c, s, *last, which, sink) : status;
}

/* A segment of one direction, where an agent is indifferent, from its end near the last point. */
static wal_status follow_segment(scan *c, double s, int64_t segment, double *last, int *which,
                                 wal_sink *sink) {
  double low, high;
  wal_status status = find_total(c, s, 1, &low);
  if (status == WAL_OK) status = find_total(c, s, 0, &high);
  if (status != WAL_OK) return status;
  const bool down = fabs(log(high / *last)) < fabs(log(low / *last));
  for (int64_t k = 0; status == WAL_OK && k <= segment; k++) {
    const double part = (double)k / (double)segment;
    *last = low * pow(high / low, down ? 1 - part : part);
    status = send_at(c, s, *last, which, sink);
  }
  return status;
}

static wal_status send_curve(const wal_point *point, const wal_nw_market *market, int good, wal_sink *sink) {
  const int64_t steps = wal_point_int(point, "steps"), segment = wal_point_int(point, "segment");
  const double indifferent[] = {0.01 / (0.01 + 2), 1.3 / (1.3 + 0.45)};
  scan c = {.market = market, .good = good};
  double last = 2, before = 0;
  int which = 0;
  wal_status status = WAL_OK;
  for (int64_t k = 0; status == WAL_OK && k <= steps; k++) {
    const double s = direction(k, steps);
    for (int i = 0; status == WAL_OK && i < 2; i++)
      if (before < indifferent[i] && indifferent[i] < s)
        status = follow_segment(&c, indifferent[i], segment, &last, &which, sink);
    if (status == WAL_OK) status = follow(&c, s, &last, &which, sink);
    before = s;
  }
  return status;
}

static wal_status send_equilibria(const wal_nw_market *market, wal_sink *sink) {
  const wal_equilibria_options options = wal_equilibria_defaults();
  wal_equilibria found = {0};
  const wal_status status = wal_equilibria_find(market, &options, &found);
  for (int k = 0; status == WAL_OK && k < found.count; k++) {
    wal_sink_row(sink);
    wal_sink_text(sink, "kind", "equilibrium");
    wal_sink_int(sink, "which", k);
    wal_sink_real(sink, "p1", found.list[k].p[0]);
    wal_sink_real(sink, "p2", found.list[k].p[1]);
    wal_sink_real(sink, "u1", found.list[k].u[0]);
    wal_sink_real(sink, "u2", found.list[k].u[1]);
  }
  wal_equilibria_destroy(&found);
  return status;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  const wal_example_size size = wal_example_defaults(1);
  wal_nw_market market = {0};
  wal_status status = wal_example(1, &size, &market);
  if (status == WAL_OK) status = send_curve(point, &market, 0, sink);
  if (status == WAL_OK) status = send_curve(point, &market, 1, sink);
  if (status == WAL_OK) status = send_equilibria(&market, sink);
  wal_nw_market_destroy(&market);
  return status;
}

/* ---- the picture ---- */

/* Rows of a kind as y against p1 in [from, to]. */
static void add(wal_panel *panel, wal_series_kind kind, const char *label, int colour, const wal_grouping *by,
                const char *rows_of, const char *y, const double range[4]) {
  const wal_frame *rows = by->result->rows;
  wal_series *series = wal_panel_series(panel, kind, label, colour);
  for (int g = 0; g < by->count; g++) {
    const double at = wal_appendix_mean(by, g, "p1"), value = y ? wal_appendix_mean(by, g, y) : 0;
    if (strcmp(wal_frame_text(rows, by->groups[g].row, wal_frame_find(rows, "kind")), rows_of)) continue;
    if (at >= range[0] && at <= range[1] && value >= range[2] && value <= range[3])
      wal_series_point(series, at, value, NAN, NAN);
  }
  wal_panel_range(panel, range[0], range[1], range[2], range[3]);
}

static void draw_excess(wal_figure *figure, const wal_grouping *by, const char *title, const double range[4],
                        const char *legend) {
  wal_panel *panel =
      wal_figure_panel(figure, title, "p₁, with p₂ so that good 2 clears", "excess demand of good 1");
  wal_appendix_rule(panel, "", 0);
  add(panel, WAL_BAND, "excess demand", 0, by, "clears_2", "excess", range);
  add(panel, WAL_POINTS, "equilibrium found", 1, by, "equilibrium", NULL, range);
  wal_panel_legend(panel, legend);
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  static const double near_0[] = {0, 0.02, -0.25, 0.25}, near_1[] = {0.8, 1.6, -0.25, 0.25},
                      plane[] = {0.003, 4, 0, 3};
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 6.5, 1, 3);
  draw_excess(figure, by, "Good 2 cleared, p₁ near 0", near_0, "top right");
  draw_excess(figure, by, "Good 2 cleared, p₁ near 1", near_1, NULL);
  wal_panel *panel = wal_figure_panel(figure, "Clearing prices", "p₁", "p₂");
  add(panel, WAL_BAND, "good 1 clears", 2, by, "clears_1", "p2", plane);
  add(panel, WAL_BAND, "good 2 clears", 0, by, "clears_2", "p2", plane);
  add(panel, WAL_POINTS, "equilibrium found", 1, by, "equilibrium", "p2", plane);
  wal_panel_log(panel, true, false);
  wal_panel_legend(panel, "top right");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"kind", "which"};
  static const char *const measures[] = {"p1", "p2", "excess", "u1", "u2"};
  return wal_drawing_groups(result, drawing, keys, 2, measures, 5, draw_figure);
}

const wal_experiment wal_nashwelfare_a1 = {
    .id = "nashwelfare/a1",
    .title = "Three isolated equilibria of two bounded linear agents",
    .paper = WAL_NASHWELFARE_PAPER ", Example A.1",
    .doc =
        "Prices at which good 2 is sold exactly form a curve; along it the excess demand of good 1 changes "
        "sign "
        "three times, at the two equilibria that the paper states and at a third. Where an agent is "
        "indifferent "
        "between the goods the curve follows its direction. The equilibria are found by search.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
