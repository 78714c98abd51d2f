/* Pictures of the random study: histograms by kind with the theorem's bound, growth with the size. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/pricecompetition/study.h"

const wal_price_kind wal_price_kinds[WAL_PRICE_KINDS] = {
    {"strict-natural", "strict, natural"},
    {"natural", "natural, with ties"},
    {"uniform", "non-personalised"},
    {"uniform-ranked", "one price, ranked"},
    {"strict", "strict, ranked"},
    {"tied", "ties and zeros"},
    {"example3", "Example 3"},
    {"example3-outside", "one item, prices 100 and 1"},
    {"graph", "bipartite graphs"},
    {"equilibrium", "equilibria"},
};

enum { BINS = 64 };

/* ---- values of a kind ---- */

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static const wal_frame *trace_of(const wal_result *result, int64_t row, const char *kind) {
  const wal_frame *rows = result->rows;
  if (strcmp(wal_frame_text(rows, row, wal_frame_find(rows, "kind")), kind)) return NULL;
  return wal_result_trace(result, (int)wal_frame_real(rows, row, wal_frame_find(rows, "point")), "markets");
}

wal_status wal_price_sample_of(const wal_result *result, const char *kind, const char *value,
                               wal_price_sample *out) {
  *out = (wal_price_sample){0};
  int64_t room = 0;
  for (int64_t row = 0; row < wal_frame_rows(result->rows); row++) {
    const wal_frame *trace = trace_of(result, row, kind);
    room += trace ? wal_frame_rows(trace) : 0;
  }
  out->values = malloc(((size_t)room + 1) * sizeof *out->values);
  if (!out->values) return wal_fail(WAL_E_MEMORY, "no memory for %lld values", (long long)room);
  for (int64_t row = 0; row < wal_frame_rows(result->rows); row++) {
    const wal_frame *trace = trace_of(result, row, kind);
    const int column = trace ? wal_frame_find(trace, value) : -1;
    for (int64_t line = 0; column >= 0 && line < wal_frame_rows(trace); line++) {
      const double number = wal_frame_real(trace, line, column);
      if (!isnan(number)) out->values[out->count++] = number;
    }
  }
  qsort(out->values, (size_t)out->count, sizeof *out->values, compare);
  return WAL_OK;
}

/* ---- histograms ---- */

/* Steps on a logarithmic axis whose floor, 0.5, is none; returns the top of the axis. */
static double add_steps(wal_panel *panel, const wal_price_sample *sample, const wal_price_histogram *what,
                        int colour) {
  const double width = (what->high - what->low) / what->bins;
  double counts[BINS] = {0}, top = 10;
  for (int64_t k = 0; k < sample->count; k++) {
    const double bin = floor((sample->values[k] - what->low) / width + 1e-6);
    counts[(int)fmin(fmax(bin, 0), what->bins - 1)]++;
  }
  wal_series *steps = wal_panel_series(panel, WAL_BAND, "", colour % 8);
  for (int bin = 0; bin < what->bins; bin++) {
    while (top < counts[bin]) top *= 10;
    for (int side = 0; side < 2; side++) {
      const double y = fmax(counts[bin], 0.5);
      wal_series_point(steps, what->low + (bin + side) * width, y, 0.5, y);
    }
  }
  return top;
}

wal_status wal_price_histograms(const wal_result *result, wal_figure *figure,
                                const wal_price_histogram *what) {
  wal_status status = WAL_OK;
  for (int kind = 0; kind < WAL_PRICE_KINDS && status == WAL_OK; kind++) {
    wal_price_sample sample;
    status = wal_price_sample_of(result, wal_price_kinds[kind].name, what->value, &sample);
    if (status == WAL_OK && sample.count > 1) {
      char title[96];
      snprintf(title, sizeof title, "%s: %lld %s", wal_price_kinds[kind].label, (long long)sample.count,
               what->unit);
      wal_panel *panel = wal_figure_panel(figure, title, what->xlabel, "count");
      wal_panel_log(panel, false, true);
      const double top = add_steps(panel, &sample, what, kind);
      wal_panel_range(panel, what->low, what->high, 0.5, top);
      if (what->bound_label) {
        wal_series *line = wal_panel_series(panel, WAL_BAND, what->bound_label, 6);
        wal_series_point(line, what->bound, 0.5, NAN, NAN);
        wal_series_point(line, what->bound, top, NAN, NAN);
      }
      wal_panel_legend(panel, what->bound_label ? "top center" : NULL);
    }
    free(sample.values);
  }
  return status;
}

/* ---- growth ---- */

static double cell(const wal_grouping *by, int g, const char *column) {
  return wal_frame_real(by->result->rows, by->groups[g].row, wal_frame_find(by->result->rows, column));
}

/* The size of group g on the axis where it is of the kind and of the line; NaN: it is not. */
static double size_of(const wal_grouping *by, int g, const char *kind, int buyers) {
  const int column = wal_frame_find(by->result->rows, "kind");
  const double n = cell(by, g, "n"), m = cell(by, g, "m");
  if (strcmp(wal_frame_text(by->result->rows, by->groups[g].row, column), kind)) return NAN;
  return n == (buyers > 0 ? buyers : m) ? m : NAN;
}

/* p of column ~ size^p, least squares in logarithms over the larger half of a line's sizes; NaN: fewer than
   two. */
static double exponent(const wal_grouping *by, const char *kind, const char *column, int buyers) {
  double least = INFINITY, most = 0, count = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (int g = 0; g < by->count; g++) {
    const double size = size_of(by, g, kind, buyers);
    least = fmin(least, size), most = fmax(most, size);
  }
  for (int g = 0; g < by->count; g++) {
    const double size = size_of(by, g, kind, buyers), value = wal_group_stat(by, g, column).mean;
    if (!(size >= sqrt(least * most) * (1 - 1e-9) && value > 0)) continue;
    const double s = log(size), t = log(value);
    count++, x += s, y += t, xx += s * s, xy += s * t;
  }
  return count > 1 ? (xy - x * y / count) / (xx - x * x / count) : NAN;
}

/* A series is drawn in the order of its points: by size, though a sweep may give them in another. */
static int next_size(const wal_grouping *by, const char *kind, int buyers, double after) {
  int next = -1;
  for (int g = 0; g < by->count; g++) {
    const double size = size_of(by, g, kind, buyers);
    if (size > after && (next < 0 || size < size_of(by, next, kind, buyers))) next = g;
  }
  return next;
}

void wal_price_lines(wal_panel *panel, const wal_grouping *by, const char *column, int buyers,
                     bool exponents) {
  wal_panel_log(panel, true, true);
  for (int k = 0; k < WAL_PRICE_KINDS; k++) {
    const char *kind = wal_price_kinds[k].name;
    wal_series *line = NULL;
    char name[96];
    const double p = exponents ? exponent(by, kind, column, buyers) : NAN;
    snprintf(name, sizeof name, isnan(p) ? "%s" : "%s, %c^%.1f", wal_price_kinds[k].label,
             buyers > 0 ? 'm' : 'n', p);
    for (int g = next_size(by, kind, buyers, 0); g >= 0;) {
      const double size = size_of(by, g, kind, buyers), value = wal_group_stat(by, g, column).mean;
      if (value > 0 && !line) line = wal_panel_series(panel, WAL_LINES, name, k % 8);
      if (value > 0) wal_series_point(line, size, value, NAN, NAN);
      g = next_size(by, kind, buyers, size);
    }
  }
}
