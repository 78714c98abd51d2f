/* Cost of maximum Nash welfare against the size of the market. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/drawing.h"
#include "experiments/nashwelfare/nashwelfare.h"
#include "experiments/registry.h"
#include "models/nashwelfare/families.h"
#include "models/nashwelfare/nash_welfare.h"

static const wal_param params[] = {
    {"family", WAL_TEXT, "splc", 0, 0, "linear|bounded_linear|splc|leontief_free|network|plc", "1",
     "law of the utilities", NULL, WAL_PARAM_KEY},
    {"n", WAL_INT, "10", 1, 2000, NULL, "1", "agents, and goods", NULL, WAL_PARAM_KEY},
    {"instances", WAL_INT, "5", 1, 1e6, NULL, "1", "markets", NULL, 0},
    {"seed", WAL_INT, "1", 0, 9007199254740992.0, NULL, "1", "key of every random number of the point", NULL,
     WAL_PARAM_KEY},
};

static const wal_column columns[] = {
    {"log_welfare", WAL_REAL, "1", "mean over markets of sum_i b_i log u_i / sum_i b_i", 0, 1e-8, 1e-9},
    {"iterations", WAL_REAL, "1", "mean over markets", 0, 0.1, 1},
    {"gap", WAL_REAL, "1", "largest certified gap in log welfare", 0, 0, 1e-10},
    {"solve_ms", WAL_REAL, "ms", "processor time of a market, mean", WAL_COLUMN_TIMING, 0, 0},
};

static double cpu_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static wal_status solve(const wal_family *family, uint64_t seed, int64_t k, int n, wal_nw_solution *out,
                        double *ms) {
  wal_nw_market market;
  wal_status status = family->draw(seed, k, n, n, &market);
  if (status != WAL_OK) return status;
  const double begun = cpu_ms();
  status = wal_nw_maximise(&market, NULL, out);
  *ms += cpu_ms() - begun;
  wal_nw_market_destroy(&market);
  return status;
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  const wal_family *family = wal_family_find(wal_point_text(point, "family"));
  const int64_t count = wal_point_int(point, "instances");
  const int n = (int)wal_point_int(point, "n");
  double welfare = 0, iterations = 0, gap = 0, ms = 0;
  for (int64_t k = 0; k < count; k++) {
    wal_nw_solution s = {0};
    const wal_status status = solve(family, (uint64_t)wal_point_int(point, "seed"), k, n, &s, &ms);
    if (status != WAL_OK) return status;
    welfare += s.log_welfare, iterations += s.iterations, gap = fmax(gap, s.gap);
    wal_nw_solution_destroy(&s);
  }
  wal_sink_row(sink);
  wal_sink_real(sink, "log_welfare", welfare / (double)count);
  wal_sink_real(sink, "iterations", iterations / (double)count);
  wal_sink_real(sink, "gap", gap);
  wal_sink_real(sink, "solve_ms", ms / (double)count);
  return WAL_OK;
}

/* ---- the picture ---- */

static bool is_family(const wal_grouping *by, int g, const char *name) {
  const int column = wal_frame_find(by->result->rows, "family");
  return strcmp(wal_frame_text(by->result->rows, by->groups[g].row, column), name) == 0;
}

static double size_of(const wal_grouping *by, int g) {
  return wal_frame_real(by->result->rows, by->groups[g].row, wal_frame_find(by->result->rows, "n"));
}

/* p of time ~ n^p, least squares in logarithms over the larger half of a family's sizes; NaN: fewer than two.
 */
static double exponent(const wal_grouping *by, const char *family) {
  double least = INFINITY, most = 0, count = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (int g = 0; g < by->count; g++)
    if (is_family(by, g, family)) least = fmin(least, size_of(by, g)), most = fmax(most, size_of(by, g));
  for (int g = 0; g < by->count; g++) {
    const double ms = wal_group_stat(by, g, "solve_ms").mean;
    if (!is_family(by, g, family) || size_of(by, g) < sqrt(least * most) * (1 - 1e-9) || !(ms > 0)) continue;
    const double s = log(size_of(by, g)), t = log(ms);
    count++, x += s, y += t, xx += s * s, xy += s * t;
  }
  return count > 1 ? (xy - x * y / count) / (xx - x * x / count) : NAN;
}

static void draw_lines(wal_panel *panel, const wal_grouping *by, const char *column, bool exponents) {
  for (int f = 0; f < WAL_NASHWELFARE_FAMILIES; f++) {
    wal_series *line = NULL;
    char name[64];
    const double p = exponents ? exponent(by, wal_nashwelfare_kinds[f].name) : NAN;
    snprintf(name, sizeof name, isnan(p) ? "%s" : "%s, n^%.1f", wal_nashwelfare_kinds[f].label, p);
    for (int g = 0; g < by->count; g++) {
      if (!is_family(by, g, wal_nashwelfare_kinds[f].name)) continue;
      if (!line) line = wal_panel_series(panel, WAL_LINES, name, f);
      wal_series_point(line, size_of(by, g), wal_group_stat(by, g, column).mean, NAN, NAN);
    }
  }
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 7.5, 1, 3);
  wal_panel *panel = wal_figure_panel(figure, "Time", "agents = goods n", "ms per market");
  draw_lines(panel, by, "solve_ms", true);
  wal_panel_log(panel, true, true);
  wal_panel_legend(panel, "top left");
  panel = wal_figure_panel(figure, "Iterations", "agents = goods n", "iterations");
  draw_lines(panel, by, "iterations", false);
  wal_panel_log(panel, true, false);
  wal_panel_range(panel, NAN, NAN, 0, NAN);
  wal_panel_legend(panel, NULL);
  panel = wal_figure_panel(figure, "Largest certified gap", "agents = goods n", "gap in log welfare");
  draw_lines(panel, by, "gap", false);
  wal_panel_log(panel, true, true);
  wal_panel_range(panel, NAN, NAN, 1e-17, 1e-8);
  wal_series_point(wal_panel_series(panel, WAL_RULE, "asked for", 7), 0, 1e-9, NAN, NAN);
  wal_panel_legend(panel, NULL);
  wal_figure_note(
      figure,
      "Exponents: least squares in logarithms over the larger half of the sizes. Dashed: 1e-9, the most "
      "that is asked for; gaps below 1e-15 are rounding");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"family", "n"};
  static const char *const measures[] = {"solve_ms", "iterations", "gap", "log_welfare"};
  return wal_drawing_groups(result, drawing, keys, 2, measures, 4, draw_figure);
}

const wal_experiment wal_nashwelfare_scaling = {
    .id = "nashwelfare/scaling",
    .title = "Cost of maximum Nash welfare against the size of the market",
    .paper = WAL_NASHWELFARE_PAPER ", program (EG), section 2.3",
    .doc =
        "Processor time, iterations and certified gap of the interior-point method on program (EG), for "
        "random markets of each family with as many agents as goods, and the exponent with which time "
        "grows.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
