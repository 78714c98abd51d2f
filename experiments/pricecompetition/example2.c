/* Example 2: where the reports of Propositions 1 and 2 are Nash equilibria. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/pricecompetition/heat_map.h"
#include "experiments/pricecompetition/nash_map.h"
#include "experiments/pricecompetition/pricecompetition.h"
#include "experiments/registry.h"
#include "models/pricing/cells.h"
#include "models/pricing/duopoly.h"

static const wal_param params[] = {
    {"proposition", WAL_INT, "1", 1, 2, NULL, "1",
     "1: all reports 1, over (s, t); 2: a = (1, 4/3), b = (4/3, 1) at (1, 0)", NULL, WAL_PARAM_KEY},
    {"points", WAL_INT, "31", 2, 1001, NULL, "1", "grid points of s and of t, or of seller 1's reports", NULL,
     0},
};

static const wal_column columns[] = {
    WAL_NASH_COLUMNS,
    {.name = "square",
     .type = WAL_INT,
     .unit = "1",
     .doc = "Proposition 1: pairs with s and t on [1/3, 2/3]",
     .flags = WAL_COLUMN_OPTIONAL},
    {.name = "nash_square",
     .type = WAL_INT,
     .unit = "1",
     .doc = "Proposition 1: of these, Nash equilibria",
     .flags = WAL_COLUMN_OPTIONAL},
    {.name = "share_error",
     .type = WAL_REAL,
     .unit = "1",
     .doc =
         "Proposition 2: largest distance from a half of a buyer's share of j1, j2, in any stable allocation",
     .flags = WAL_COLUMN_OPTIONAL,
     .atol = 1e-7},
    {.name = "revenue_error",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "largest distance of a seller's revenue from the stated one (Proposition 1: 2 s + 2 t; 2: 2)",
     .atol = 1e-7},
};

/* ---- Proposition 1 ---- */

static void ones(const void *context, double s, double t, double a[2], double b[2]) {
  (void)context;
  (void)s;
  (void)t;
  a[0] = a[1] = b[0] = b[1] = 1;
}

static bool in_square(const wal_nash_cell *cell) {
  const double low = 1.0 / 3 - 1e-12, high = 2.0 / 3 + 1e-12;
  return cell->s >= low && cell->s <= high && cell->t >= low && cell->t <= high;
}

static wal_status proposition_1(int points, wal_sink *sink) {
  const wal_nash_grid grid = {points, {0, 1}, {0, 1}, ones, NULL};
  const int count = points * points;
  wal_nash_summary summary;
  int square = 0, nash_square = 0;
  double error = 0;
  wal_nash_cell *cells = malloc((size_t)count * sizeof *cells);
  wal_status status = cells ? wal_nash_map(&grid, sink, cells, &summary)
                            : wal_fail(WAL_E_MEMORY, "no memory for a map of %d x %d", points, points);
  for (int k = 0; k < count && status == WAL_OK; k++) {
    square += in_square(&cells[k]);
    nash_square += in_square(&cells[k]) && cells[k].gain <= WAL_NASH_GAIN && cells[k].hope <= WAL_NASH_GAIN;
    error = fmax(error, fabs(cells[k].low[0] - 2 * cells[k].s - 2 * cells[k].t));
  }
  free(cells);
  if (status != WAL_OK) return status;
  wal_sink_row(sink);
  wal_nash_send(sink, count, &summary);
  wal_sink_int(sink, "square", square);
  wal_sink_int(sink, "nash_square", nash_square);
  wal_sink_real(sink, "revenue_error", error);
  if (nash_square < square)
    return wal_fail(WAL_E_DIVERGED,
                    "%d of %d pairs on [1/3, 2/3]^2 have a gain of more than %g, against "
                    "Proposition 1; see the trace `map`",
                    square - nash_square, square, WAL_NASH_GAIN);
  return WAL_OK;
}

/* ---- Proposition 2 ---- */

static void personal(const void *context, double s, double t, double a[2], double b[2]) {
  ones(context, s, t, a, b);
  a[1] = b[0] = 4.0 / 3;
}

/* Largest |x_ij - 1/2| over valued items and all stable allocations. */
static wal_status farthest_share(const wal_duopoly *duopoly, double *farthest) {
  double a[2], b[2];
  wal_pricing_market market;
  personal(NULL, 1, 0, a, b);
  wal_status status = wal_duopoly_market(duopoly, a, b, &market);
  if (status != WAL_OK) return status;
  *farthest = 0;
  for (int k = 0; k < 8 && status == WAL_OK; k++) {
    wal_stable_range range;
    double c[8] = {0};
    c[k] = 1;
    if (!(duopoly->value[k] > 0)) continue;
    status = wal_stable_objective(&market, c, NULL, &range);
    if (status != WAL_OK) break;
    *farthest = fmax(*farthest, fmax(range.high - 0.5, 0.5 - range.low));
    wal_stable_range_destroy(&range);
  }
  wal_pricing_market_destroy(&market);
  return status;
}

/* What seller 1 is guaranteed over its own reports 0.2 ... 5, evenly by ratio: the trace `responses`. */
static wal_status send_responses(const wal_duopoly *duopoly, int points, wal_sink *sink) {
  static const char *const names[] = {"log_a1", "log_a2", "revenue_1"};
  wal_status status = WAL_OK;
  double a[2], b[2];
  personal(NULL, 1, 0, a, b);
  for (int k = 0; k < points * points && status == WAL_OK; k++) {
    wal_duopoly_outcome outcome;
    const double x = log10(0.2) + log10(25) * (k % points) / (points - 1.0),
                 y = log10(0.2) + log10(25) * (k / points) / (points - 1.0);
    status = wal_duopoly_trade(duopoly, (double[]){pow(10, x), pow(10, y)}, b, &outcome);
    if (status == WAL_OK) wal_sink_trace(sink, "responses", 3, names, (double[]){x, y, outcome.low[0]});
  }
  return status;
}

static wal_status proposition_2(int points, wal_sink *sink) {
  const wal_nash_grid grid = {1, {1, 1}, {0, 0}, personal, NULL};
  wal_nash_cell cell;
  wal_nash_summary summary;
  wal_duopoly duopoly;
  double share_error = NAN;
  wal_status status = wal_duopoly_example2(1, 0, &duopoly);
  if (status != WAL_OK) return status;
  status = wal_nash_map(&grid, sink, &cell, &summary);
  if (status == WAL_OK) status = farthest_share(&duopoly, &share_error);
  if (status == WAL_OK) status = send_responses(&duopoly, points, sink);
  wal_duopoly_destroy(&duopoly);
  if (status != WAL_OK) return status;
  const double error = fmax(fabs(cell.low[0] - 2), fabs(cell.low[1] - 2));
  wal_sink_row(sink);
  wal_nash_send(sink, 1, &summary);
  wal_sink_real(sink, "share_error", share_error);
  wal_sink_real(sink, "revenue_error", error);
  if (summary.nash + summary.nash_hoped < 2 || share_error > 1e-7 || error > 1e-7)
    return wal_fail(WAL_E_DIVERGED,
                    "gain %g, shares %g from a half, revenues %g from 2, against Proposition 2",
                    fmax(cell.gain, cell.hope), share_error, error);
  return WAL_OK;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  const int points = (int)wal_point_int(point, "points");
  return wal_point_int(point, "proposition") == 1 ? proposition_1(points, sink) : proposition_2(points, sink);
}

/* ---- the picture ---- */

static const wal_frame *trace_of(const wal_result *result, int proposition, const char *name) {
  for (int k = 0; k < result->config->point_count; k++)
    if (wal_point_int(&result->config->points[k], "proposition") == proposition)
      return wal_result_trace(result, k, name);
  return NULL;
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  static const char *const marks[] = {"nash", "nash_hoped"};
  static const char *const thirds = "(0, '1/3' 1./3, '2/3' 2./3, 1)";
  static const char *const reports =
      "('0.2' log10(.2), '0.5' log10(.5), '1' 0, '4/3' log10(4./3), '2' log10(2), '5' log10(5))";
  const wal_frame *map = trace_of(by->result, 1, "map"), *responses = trace_of(by->result, 2, "responses");
  const wal_heat_map gains = {
      .x = "s",
      .y = "t",
      .value = "gain",
      .marks = marks,
      .xlabel = "s, of j₂ with seller 1",
      .ylabel = "t, of j₁ with seller 1",
      .xtics = thirds,
      .ytics = thirds,
      .ctics = "autofreq",
      .high = wal_heat_map_most(map, "gain"),
      .decoration =
          "set object rectangle from 1./3-0.017,1./3-0.017 to 2./3+0.017,2./3+0.017 front "
          "fillstyle empty border lc rgb '#000000' lw 0.8"};
  const wal_heat_map revenue = {
      .number = 1,
      .x = "log_a1",
      .y = "log_a2",
      .value = "revenue_1",
      .xlabel = "a₁",
      .ylabel = "a₂",
      .xtics = reports,
      .ytics = reports,
      .ctics = "0, 0.5, 2",
      .high = 2,
      .decoration = "set label '' at 0,log10(4./3) point pt 7 ps 0.4 lc rgb '#D55E00' front"};
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 7.6, 1, 2);
  wal_heat_map_draw(figure, "Proposition 1: largest gain by deviating from 1", map, &gains);
  wal_heat_map_draw(figure, "Proposition 2: seller 1's revenue over its reports", responses, &revenue);
  wal_figure_note(figure,
                  "Dots: no deviation found that gains more than 1e-6 of guaranteed revenue, rings: of "
                  "hoped-for revenue. Square: [1/3, 2/3]². Right: s = 1, t = 0, b = (4/3, 1), dot: (1, 4/3)");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"proposition"};
  static const char *const measures[] = {"cells",       "nash",        "nash_hoped",   "square",
                                         "nash_square", "share_error", "revenue_error"};
  return wal_drawing_groups(result, drawing, keys, 1, measures, 7, draw_figure);
}

const wal_experiment wal_pricecompetition_example2 = {
    .id = "pricecompetition/example2",
    .title = "Example 2: Nash equilibria of competitive duopoly pricing",
    .paper = WAL_PRICECOMPETITION_PAPER ", Example 2, Propositions 1 and 2",
    .doc =
        "Two sellers report prices per value to two buyers; seller 1 owns t of item j1 and s of item j2. For "
        "each (s, t) of a grid the best deviation found of either seller from all reports 1 (Proposition 1), "
        "by "
        "the least and by the most revenue over stable allocations. A gain on [1/3, 2/3]^2 fails the point. "
        "At (1, 0), the reports of Proposition 2: shares, revenues and gains, which are checked alike.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
