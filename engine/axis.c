#include <math.h>
#include <string.h>

#include "engine/drawing_data.h"

static const wal_span no_span = {INFINITY, -INFINITY};

static bool empty(wal_span span) { return !(span.min <= span.max); }

static void include(wal_span *span, double value, bool log) {
  if (!isfinite(value) || (log && value <= 0)) return;
  span->min = fmin(span->min, value);
  span->max = fmax(span->max, value);
}

/* Ends that are NaN compare false, so they hide nothing. */
static bool fits(double value, bool log, double min, double max) {
  return isfinite(value) && !(log && value <= 0) && !(value < min) && !(value > max);
}

bool wal_dot_visible(const wal_series *series, const wal_dot *dot) {
  const wal_panel *panel = series->panel;
  bool x = series->kind == WAL_RULE || fits(dot->x, panel->log_x, panel->xmin, panel->xmax);
  return x && fits(dot->y, panel->log_y, panel->ymin, panel->ymax);
}

static bool has_bars(const wal_panel *panel) {
  for (int s = 0; s < panel->series_count; s++)
    if (panel->series[s]->kind == WAL_BARS) return true;
  return false;
}

double wal_panel_bar_gap(const wal_panel *panel) {
  double gap = INFINITY;
  for (int s = 0; s < panel->series_count; s++) {
    const wal_series *series = panel->series[s];
    for (int i = 0; i < series->count && series->kind == WAL_BARS; i++)
      for (int j = 0; j < i; j++) {
        double distance = fabs(series->dots[i].x - series->dots[j].x);
        if (distance > 0) gap = fmin(gap, distance);
      }
  }
  return isfinite(gap) ? gap : 1;
}

/* A little air on both sides; from 0 when nothing is negative. */
static wal_span padded_linear(wal_span span, double air) {
  double width = span.max - span.min;
  if (width <= 0) width = span.max != 0 ? fabs(span.max) : 1;
  wal_span out = {span.min - air * width, span.max + air * width};
  if (span.min >= 0 && out.min < 0) out.min = 0;
  return out;
}

/* At least two labelled decades, so that the axis can be read. */
static wal_span padded_log(wal_span span, bool whole_floor) {
  const double air = 1.4; /* factor */
  wal_span out = {span.min / air, span.max * air};
  double floor_decade = floor(log10(out.min)), ceiling_decade = ceil(log10(out.max));
  bool two = floor(log10(out.max)) - ceil(log10(out.min)) >= 1;
  if (whole_floor || !two) out.min = pow(10, floor_decade);
  if (!two) out.max = pow(10, ceiling_decade);
  return out;
}

/* Far from the largest double, beyond which gnuplot's arithmetic overflows. */
static wal_span clipped(wal_span span) {
  const double limit = 1e302;
  return (wal_span){fmax(span.min, -limit), fmin(span.max, limit)};
}

/* The ends asked for win over the computed ones. */
static wal_span overridden(wal_span span, double min, double max) {
  if (!isnan(min)) span.min = min;
  if (!isnan(max)) span.max = max;
  return span;
}

wal_span wal_panel_x_span(const wal_panel *panel) {
  wal_span span = no_span;
  for (int s = 0; s < panel->series_count; s++) {
    const wal_series *series = panel->series[s];
    for (int i = 0; i < series->count && series->kind != WAL_RULE; i++)
      include(&span, series->dots[i].x, panel->log_x);
  }
  for (int i = 0; i < panel->category_count; i++) include(&span, panel->categories[i].x, panel->log_x);
  if (empty(span)) {
    if (panel->series_count == 0) return overridden((wal_span){NAN, NAN}, panel->xmin, panel->xmax);
    span = panel->log_x ? (wal_span){1, 10} : (wal_span){0, 1};
  } else if (panel->log_x) {
    span = padded_log(span, false);
  } else if (panel->category_count > 0 || has_bars(panel)) {
    double half = 0.6 * wal_panel_bar_gap(panel);
    span = (wal_span){span.min - half, span.max + half};
  } else {
    span = padded_linear(span, 0.04);
  }
  return overridden(clipped(span), panel->xmin, panel->xmax);
}

/* Everything a panel shows on its y axis, error bars included. */
static wal_span seen_y(const wal_panel *panel) {
  wal_span span = no_span;
  for (int s = 0; s < panel->series_count; s++) {
    const wal_series *series = panel->series[s];
    for (int i = 0; i < series->count; i++) {
      const wal_dot *dot = &series->dots[i];
      if (!wal_dot_visible(series, dot)) continue;
      include(&span, dot->y, panel->log_y);
      include(&span, dot->low, panel->log_y);
      include(&span, dot->high, panel->log_y);
    }
  }
  return span;
}

/* Moves one end away until a legend of height `legend` (a fraction) stands clear of the data. */
static wal_span with_legend(wal_span span, bool log, double legend, bool bottom) {
  double share = fmin(legend, 0.6);
  double lo = log ? log10(span.min) : span.min, hi = log ? log10(span.max) : span.max;
  double more = (hi - lo) * share / (1 - share);
  if (bottom)
    lo -= more;
  else
    hi += more;
  return log ? (wal_span){pow(10, lo), pow(10, hi)} : (wal_span){lo, hi};
}

wal_span wal_panel_y_span(const wal_panel *panel, double legend) {
  bool bars = has_bars(panel);
  wal_span span = seen_y(panel);
  if (empty(span)) {
    if (panel->series_count == 0) return overridden((wal_span){NAN, NAN}, panel->ymin, panel->ymax);
    span = panel->log_y ? (wal_span){1, 10} : (wal_span){0, 1};
  } else if (panel->log_y) {
    span = padded_log(span, bars);
  } else {
    if (bars) include(&span, 0, false);
    span = padded_linear(span, 0.06);
  }
  bool bottom = panel->legend && strstr(panel->legend, "bottom") != NULL;
  bool bottom_free = isnan(panel->ymin) && !bars, top_free = isnan(panel->ymax);
  if (legend > 0 && (bottom ? bottom_free : top_free))
    span = with_legend(overridden(span, panel->ymin, panel->ymax), panel->log_y, legend, bottom);
  return overridden(clipped(span), panel->ymin, panel->ymax);
}
