/* MarketFCNet, Figure 2: Nash gap and time over the laws of contexts (a, b) and over alpha (c, d). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiments/marketfcnet/market.h"
#include "experiments/registry.h"

/* The clusters of a panel: the values of `key` in order of appearance, among rows whose `other` has its most
   common value. */
typedef struct {
  const char *key, *other;
  int count;
  char names[16][WAL_TEXT_MAX];
  char kept[WAL_TEXT_MAX]; /* of `other` */
} clusters;

static void value_text(const wal_frame *rows, int64_t row, const char *column, char *out) {
  const wal_value value = wal_frame_get(rows, row, wal_frame_find(rows, column));
  wal_value_format(&value, out, WAL_TEXT_MAX);
}

static double place(const void *context, const wal_frame *rows, int64_t row) {
  const clusters *c = context;
  char text[WAL_TEXT_MAX];
  value_text(rows, row, c->other, text);
  if (strcmp(text, c->kept)) return NAN;
  value_text(rows, row, c->key, text);
  for (int k = 0; k < c->count; k++)
    if (!strcmp(c->names[k], text)) return k;
  return NAN;
}

/* The value of `column` that most groups have. */
static void most_common(const wal_grouping *by, const char *column, char *out) {
  const wal_frame *rows = by->result->rows;
  char text[WAL_TEXT_MAX], other[WAL_TEXT_MAX];
  out[0] = '\0';
  for (int k = 0, most = 0; k < by->count; k++) {
    int count = 0;
    value_text(rows, by->groups[k].row, column, text);
    for (int l = 0; l < by->count; l++) {
      value_text(rows, by->groups[l].row, column, other);
      count += !strcmp(text, other);
    }
    if (count > most) most = count, memcpy(out, text, sizeof text);
  }
}

static clusters find_clusters(const wal_grouping *by, const char *key, const char *other) {
  const wal_frame *rows = by->result->rows;
  clusters c = {.key = key, .other = other};
  most_common(by, other, c.kept);
  for (int k = 0; k < by->count; k++) {
    char text[WAL_TEXT_MAX];
    value_text(rows, by->groups[k].row, other, text);
    if (strcmp(text, c.kept) || c.count == 16 || !isnan(place(&c, rows, by->groups[k].row))) continue;
    value_text(rows, by->groups[k].row, key, c.names[c.count++]);
  }
  return c;
}

static void draw_panel(wal_figure *figure, const wal_grouping *by, const clusters *c, const char *title,
                       const char *column, const char *axis, double floor, bool legend) {
  wal_panel *panel = wal_figure_panel(figure, title, "", axis);
  for (int k = 0; k < c->count; k++) {
    char label[WAL_TEXT_MAX + 16];
    snprintf(label, sizeof label, strcmp(c->key, "alpha") ? "%s%s" : "%s = %s",
             strcmp(c->key, "alpha") ? "" : "alpha", c->names[k]);
    wal_panel_category(panel, k, label);
  }
  wal_market_series(panel, WAL_BARS, by, column, NAN, place, c);
  wal_panel_range(panel, NAN, NAN, floor, NAN);
  wal_panel_log(panel, false, true);
  wal_panel_legend(panel, legend ? "top left" : NULL);
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  const clusters law = find_clusters(by, "contexts", "alpha"), alpha = find_clusters(by, "alpha", "contexts");
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 12.5, 2, 2);
  wal_figure_note(figure, "Bars: means; lines on them: smallest and largest over the seeds");
  draw_panel(figure, by, &law, "(a) Nash gap by law of contexts", "nash_gap", "NG (nats)", 1e-7, false);
  draw_panel(figure, by, &law, "(b) Time by law of contexts", "solve_s", "seconds", NAN, true);
  draw_panel(figure, by, &alpha, "(c) Nash gap by alpha", "nash_gap", "NG (nats)", 1e-7, false);
  draw_panel(figure, by, &alpha, "(d) Time by alpha", "solve_s", "seconds", NAN, false);
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"contexts", "alpha", "solver"};
  static const char *const measures[] = {"nash_gap", "voa", "vop", "solve_s", "measure_s"};
  return wal_drawing_groups(result, drawing, keys, 3, measures, 5, draw_figure);
}

const wal_experiment wal_marketfcnet_fig2 = {
    .id = "marketfcnet/fig2",
    .title = "MarketFCNet by law of contexts and by alpha",
    .paper = WAL_MARKETFCNET_PAPER ", Figure 2",
    .doc =
        "The Nash gap and the time of the paper's methods, of the share output and of the exact solver over "
        "the law of the contexts (normal, uniform, exponential) at alpha = 0.5, and over alpha (1, 0.5, 0, "
        "-1) with normal contexts. The paper prints bars without numbers, for n = 2^22 and m = 10.",
    .version = 1,
    .devices = true,
    .params = wal_market_params,
    .param_count = WAL_MARKET_PARAMS,
    .columns = wal_market_columns,
    .column_count = WAL_MARKET_COLUMNS,
    .run_point = wal_market_run_point,
    .draw = draw,
};
