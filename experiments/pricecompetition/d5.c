/* Appendix D.5: where the hypothesised reports are a Nash equilibrium, as printed, exchanged and repaired. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/pricecompetition/heat_map.h"
#include "experiments/pricecompetition/nash_map.h"
#include "experiments/pricecompetition/pricecompetition.h"
#include "experiments/registry.h"
#include "models/pricing/cells.h"
#include "models/pricing/duopoly.h"
#include "models/pricing/gale_shapley.h"
#include "models/pricing/stability.h"

static const wal_param params[] = {
    {"profile", WAL_TEXT, "printed", 0, 0, "printed|exchanged|repaired|witness", "1",
     "the reports: as printed; a_2 and b_1 exchanged; and idle reports; witness: one deviation in rationals",
     NULL, WAL_PARAM_KEY},
    {"idle", WAL_REAL, "0.85", 0, 10, NULL, "1", "idle reports a_1 = b_2, where 1 is printed",
     "profile=repaired", WAL_PARAM_KEY},
    {"points", WAL_INT, "31", 2, 1001, NULL, "1", "grid points of s and of t, or of a deviation a_2", NULL,
     0},
};

static const wal_column columns[] = {
    WAL_NASH_COLUMNS,
    {.name = "revenue_error",
     .type = WAL_REAL,
     .unit = "1",
     .doc =
         "largest distance of seller 1's revenue on the path from 2 + 4/3 (u/w - w/u), u = 1 + t, w = 2 - s",
     .flags = WAL_COLUMN_OPTIONAL,
     .atol = 1e-7},
    {.name = "path",
     .type = WAL_TEXT,
     .unit = "1",
     .doc = "witness: seller 1's revenue on the path, exact",
     .flags = WAL_COLUMN_OPTIONAL},
    {.name = "deviation",
     .type = WAL_TEXT,
     .unit = "1",
     .doc = "witness: its revenue with a = (1, 1/2), exact",
     .flags = WAL_COLUMN_OPTIONAL},
};

/* ---- maps ---- */

typedef struct {
  wal_d5_profile kind;
  double idle;
} d5_reports;

static void reports(const void *context, double s, double t, double a[2], double b[2]) {
  const d5_reports *d5 = context;
  wal_duopoly_d5(d5->kind, s, t, d5->idle, a, b);
}

static d5_reports reports_of(const wal_point *point) {
  const char *profile = wal_point_text(point, "profile");
  if (strcmp(profile, "printed") == 0) return (d5_reports){WAL_D5_PRINTED, 1};
  if (strcmp(profile, "exchanged") == 0) return (d5_reports){WAL_D5_EXCHANGED, 1};
  return (d5_reports){WAL_D5_REPAIRED, wal_point_real(point, "idle")};
}

/* Largest distance from the closed form. */
static double revenue_error(const wal_nash_cell *cells, int count) {
  double error = 0;
  for (int k = 0; k < count; k++) {
    const double ratio = (1 + cells[k].t) / (2 - cells[k].s), stated = 2 + 4.0 / 3 * (ratio - 1 / ratio);
    error = fmax(error, fmax(fabs(cells[k].low[0] - stated), fabs(cells[k].high[0] - stated)));
  }
  return error;
}

static wal_status run_map(const wal_point *point, wal_sink *sink) {
  const int points = (int)wal_point_int(point, "points"), count = points * points;
  const d5_reports d5 = reports_of(point);
  const wal_nash_grid grid = {points, {2.0 / 3, 1}, {0, 1.0 / 3}, reports, &d5};
  wal_nash_summary summary;
  wal_nash_cell *cells = malloc((size_t)count * sizeof *cells);
  wal_status status = cells ? wal_nash_map(&grid, sink, cells, &summary)
                            : wal_fail(WAL_E_MEMORY, "no memory for a map of %d x %d", points, points);
  if (status == WAL_OK) {
    wal_sink_row(sink);
    wal_nash_send(sink, count, &summary);
    wal_sink_real(sink, "revenue_error", revenue_error(cells, count));
  }
  free(cells);
  return status;
}

/* ---- the witness: s = 5/6, t = 1/6 ---- */

static void revenue_of_first(const wal_pricing_market *market, mpq_t *x, mpq_t out) {
  mpq_t term;
  mpq_init(term);
  mpq_set_si(out, 0, 1);
  for (int k = 0; k < market->n * market->m; k++) {
    if (market->owner[k % market->m] != 0) continue;
    mpq_mul(term, market->exact->price[k], x[k]);
    mpq_add(out, out, term);
  }
  mpq_clear(term);
}

/* The least and the most that seller 1 earns, over all stable allocations, agree with `revenue`. */
static wal_status check_all(const wal_pricing_market *market, double revenue) {
  wal_stable_range range;
  double c[8];
  for (int k = 0; k < 8; k++) c[k] = market->owner[k % 4] == 0 ? market->price[k] : 0;
  const wal_status status = wal_stable_objective(market, c, NULL, &range);
  if (status != WAL_OK) return status;
  const bool same = fabs(range.low - revenue) < 1e-9 && fabs(range.high - revenue) < 1e-9;
  wal_stable_range_destroy(&range);
  return same ? WAL_OK
              : wal_fail(WAL_E_DIVERGED, "seller 1's revenue at D.5's witness is not %.12g in all", revenue);
}

/* Seller 1's revenue in rationals, by Algorithm 1, the allocation checked to be stable. */
static wal_status exact_revenue(bool deviates, mpq_t revenue) {
  wal_pricing_market market;
  wal_pricing_allocation x = {0};
  wal_stability_report fault;
  wal_status status = wal_duopoly_d5_witness(deviates, &market);
  if (status != WAL_OK) return status;
  status = wal_gale_shapley_exact(&market, NULL, &x, NULL);
  if (status == WAL_OK && !wal_stability_check_exact(&market, x.exact, WAL_CHECK_STABLE, &fault))
    status = wal_fail(WAL_E_DIVERGED, "D.5's witness: %s", wal_stability_text(fault.fault));
  if (status == WAL_OK) revenue_of_first(&market, x.exact, revenue);
  if (status == WAL_OK) status = check_all(&market, mpq_get_d(revenue));
  wal_pricing_allocation_destroy(&x);
  wal_pricing_market_destroy(&market);
  return status;
}

static void send_rational(wal_sink *sink, const char *column, mpq_t value) {
  char text[64];
  gmp_snprintf(text, sizeof text, "%Qd", value);
  wal_sink_text(sink, column, text);
}

/* Seller 1's revenue over a_2 from 0.25 to 2 with a_1 = 1: the trace `deviations`. */
static wal_status send_deviations(int points, wal_sink *sink) {
  static const char *const names[] = {"a2", "low", "high"};
  double a[2], b[2];
  wal_duopoly duopoly;
  wal_status status = wal_duopoly_example2(5.0 / 6, 1.0 / 6, &duopoly);
  if (status != WAL_OK) return status;
  wal_duopoly_d5(WAL_D5_PRINTED, 5.0 / 6, 1.0 / 6, 1, a, b);
  for (int k = 0; k < 8 * points && status == WAL_OK; k++) {
    wal_duopoly_outcome outcome;
    a[1] = 0.25 + 1.75 * k / (8 * points - 1);
    status = wal_duopoly_trade(&duopoly, a, b, &outcome);
    if (status == WAL_OK)
      wal_sink_trace(sink, "deviations", 3, names, (double[]){a[1], outcome.low[0], outcome.high[0]});
  }
  wal_duopoly_destroy(&duopoly);
  return status;
}

static wal_status run_witness(int points, wal_sink *sink) {
  mpq_t path, deviation;
  mpq_inits(path, deviation, NULL);
  wal_status status = exact_revenue(false, path);
  if (status == WAL_OK) status = exact_revenue(true, deviation);
  if (status == WAL_OK) status = send_deviations(points, sink);
  if (status == WAL_OK) {
    wal_sink_row(sink);
    send_rational(sink, "path", path);
    send_rational(sink, "deviation", deviation);
  }
  mpq_clears(path, deviation, NULL);
  return status;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  if (strcmp(wal_point_text(point, "profile"), "witness") == 0)
    return run_witness((int)wal_point_int(point, "points"), sink);
  return run_map(point, sink);
}

/* ---- the picture ---- */

static bool is_witness(const wal_result *result, int k) {
  return strcmp(wal_point_text(&result->config->points[k], "profile"), "witness") == 0;
}

static void draw_map(wal_figure *figure, const wal_result *result, int k, double high) {
  static const char *const marks[] = {"nash", "nash_hoped"};
  const wal_heat_map map = {.number = k,
                            .x = "s",
                            .y = "t",
                            .value = "gain",
                            .marks = marks,
                            .xlabel = "s, of j₂ with seller 1",
                            .ylabel = "t, of j₁ with seller 1",
                            .xtics = "('2/3' 2./3, '5/6' 5./6, 1)",
                            .ytics = "(0, '1/6' 1./6, '1/3' 1./3)",
                            .ctics = "autofreq",
                            .high = high};
  const d5_reports d5 = reports_of(&result->config->points[k]);
  char title[96];
  snprintf(title, sizeof title, "Repaired, idle reports %.4g", d5.idle);
  wal_heat_map_draw(figure,
                    d5.kind == WAL_D5_PRINTED     ? "As printed"
                    : d5.kind == WAL_D5_EXCHANGED ? "a₂ and b₁ exchanged"
                                                  : title,
                    wal_result_trace(result, k, "map"), &map);
}

static void draw_witness(wal_figure *figure, const wal_frame *trace) {
  if (!trace) return;
  wal_panel *panel = wal_figure_panel(figure, "s = 5/6, t = 1/6: seller 1 deviates", "a₂, with a₁ = 1",
                                      "revenue of seller 1");
  wal_series *series = wal_panel_series(panel, WAL_BAND, "all stable allocations", 0);
  for (int64_t row = 0; row < wal_frame_rows(trace); row++)
    wal_series_point(series, wal_frame_real(trace, row, 0), wal_frame_real(trace, row, 1),
                     wal_frame_real(trace, row, 1), wal_frame_real(trace, row, 2));
  wal_series_point(wal_panel_series(panel, WAL_RULE, "43/21", 1), 0, 43.0 / 21, NAN, NAN);
  wal_series_point(wal_panel_series(panel, WAL_RULE, "2, on the path", 2), 0, 2, NAN, NAN);
  wal_series_point(wal_panel_series(panel, WAL_POINTS, "a₂ = 8/7, the profile", 3), 8.0 / 7, 2, NAN, NAN);
  wal_panel_range(panel, 0.25, 2, NAN, NAN);
  wal_panel_legend(panel, "bottom left");
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  const wal_result *result = by->result;
  const int count = result->config->point_count;
  double high = 0;
  for (int k = 0; k < count; k++)
    high = fmax(high, wal_heat_map_most(wal_result_trace(result, k, "map"), "gain"));
  const int rows = (count + 2) / 3;
  wal_figure *figure = wal_drawing_figure(drawing, "", result->config->title, 17.5, 2 + 5.4 * rows, rows, 3);
  for (int k = 0; k < count; k++) {
    if (is_witness(result, k))
      draw_witness(figure, wal_result_trace(result, k, "deviations"));
    else
      draw_map(figure, result, k, high);
  }
  wal_figure_note(
      figure,
      "Colours: the largest gain found by deviating, of guaranteed revenue. Dots: none of more than "
      "1e-6; rings: none of hoped-for revenue either");
}

/* Seller 1's revenue in rationals, on and off the path. */
static void draw_witness_table(const wal_result *result, wal_drawing *drawing) {
  const wal_frame *rows = result->rows;
  const int path = wal_frame_find(rows, "path"), deviation = wal_frame_find(rows, "deviation");
  wal_table *table = wal_drawing_table(drawing, "witness", "Seller 1's revenue at s = 5/6, t = 1/6, exact");
  wal_table_column(table, NULL, "reports a", NULL);
  wal_table_column(table, NULL, "revenue", NULL);
  for (int64_t row = 0; row < wal_frame_rows(rows); row++) {
    if (wal_frame_missing(rows, row, path)) continue;
    wal_table_row(table);
    wal_table_text(table, "(1, 8/7), the profile");
    wal_table_text(table, wal_frame_text(rows, row, path));
    wal_table_row(table);
    wal_table_text(table, "(1, 1/2)");
    wal_table_text(table, wal_frame_text(rows, row, deviation));
  }
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"profile", "idle"};
  static const char *const measures[] = {"cells",    "nash",     "nash_hoped",
                                         "gain_max", "hope_max", "revenue_error"};
  draw_witness_table(result, drawing);
  return wal_drawing_groups(result, drawing, keys, 2, measures, 6, draw_figure);
}

const wal_experiment wal_pricecompetition_d5 = {
    .id = "pricecompetition/d5",
    .title = "Appendix D.5: the hypothesised Nash equilibrium",
    .paper = WAL_PRICECOMPETITION_PAPER ", Appendix D.5",
    .doc =
        "The paper hypothesises that certain reports are a Nash equilibrium of Example 2 for s > 2/3, t < "
        "1/3. "
        "They are not: two of the formulas are exchanged, and even so a seller gains by undercutting down to "
        "the "
        "other's idle report, 1. With lower idle reports the corrected ones are. Maps of the best deviation "
        "found "
        "over (s, t), by the least and by the most revenue over stable allocations; profile `witness`: the "
        "deviation at s = 5/6, t = 1/6 in rationals, the allocation checked, the revenue the same in every "
        "stable "
        "allocation.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
