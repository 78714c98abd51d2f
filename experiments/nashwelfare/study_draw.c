/* Pictures of the random study: histograms by family with the theorem's bound. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/nashwelfare/study.h"

enum { BINS = 64, STEPS = 200 }; /* at most; of a distribution function */

/* ---- values of a family ---- */

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

const wal_frame *wal_study_trace(const wal_result *result, int64_t row, const char *family) {
  const wal_frame *rows = result->rows;
  if (strcmp(wal_frame_text(rows, row, wal_frame_find(rows, "family")), family)) return NULL;
  if (strcmp(wal_frame_text(rows, row, wal_frame_find(rows, "status")), "ok")) return NULL;
  const int point = (int)wal_frame_real(rows, row, wal_frame_find(rows, "point"));
  return wal_result_trace(result, point, "markets");
}

wal_status wal_study_sample_of(const wal_result *result, const char *family, const char *name,
                               wal_study_sample *out) {
  *out = (wal_study_sample){0};
  int64_t room = 0;
  for (int64_t row = 0; row < wal_frame_rows(result->rows); row++) {
    const wal_frame *trace = wal_study_trace(result, row, family);
    room += trace ? wal_frame_rows(trace) : 0;
  }
  out->values = malloc(((size_t)room + 1) * sizeof *out->values);
  if (!out->values) return wal_fail(WAL_E_MEMORY, "no memory for %lld values", (long long)room);
  for (int64_t row = 0; row < wal_frame_rows(result->rows); row++) {
    const wal_frame *trace = wal_study_trace(result, row, family);
    const int column = trace ? wal_frame_find(trace, name) : -1;
    for (int64_t line = 0; column >= 0 && line < wal_frame_rows(trace); line++) {
      const double value = wal_frame_real(trace, line, column);
      if (!isnan(value)) out->values[out->count++] = value;
    }
  }
  qsort(out->values, (size_t)out->count, sizeof *out->values, compare);
  return WAL_OK;
}

/* ---- panels ---- */

/* Counts per bin; what is outside of [low, high] is in the last bins. Returns the largest. */
static int64_t count_bins(const wal_study_sample *sample, const wal_study_histogram *what, int64_t *counts) {
  const double width = (what->high - what->low) / what->bins;
  int64_t most = 0;
  memset(counts, 0, BINS * sizeof *counts);
  for (int64_t k = 0; k < sample->count; k++) {
    const int bin = (int)floor((sample->values[k] - what->low) / width + 1e-6);
    const int64_t count = ++counts[bin < 0 ? 0 : bin >= what->bins ? what->bins - 1 : bin];
    if (count > most) most = count;
  }
  return most;
}

/* Steps on a logarithmic axis whose floor, 0.5, is none. */
static void add_steps(wal_panel *panel, const int64_t *counts, const wal_study_histogram *what,
                      const char *label, int colour, bool filled) {
  wal_series *steps = wal_panel_series(panel, WAL_BAND, label, colour);
  const double width = (what->high - what->low) / what->bins;
  for (int bin = 0; bin < what->bins; bin++)
    for (int side = 0; side < 2; side++) {
      const double y = fmax((double)counts[bin], 0.5);
      wal_series_point(steps, fmin(what->low + (bin + side) * width, what->high), y, filled ? 0.5 : NAN,
                       filled ? y : NAN);
    }
}

static void add_bound(wal_panel *panel, const wal_study_histogram *what, double low, double high) {
  wal_series *line = wal_panel_series(panel, WAL_BAND, what->bound_label, 6);
  wal_series_point(line, what->bound, low, NAN, NAN);
  wal_series_point(line, what->bound, high, NAN, NAN);
}

static wal_status draw_family(const wal_result *result, const wal_study_histogram *what, int family,
                              wal_figure *figure, bool legend) {
  wal_study_sample sample, second = {0};
  wal_status status = wal_study_sample_of(result, wal_nashwelfare_kinds[family].name, what->value, &sample);
  if (status == WAL_OK && what->second)
    status = wal_study_sample_of(result, wal_nashwelfare_kinds[family].name, what->second, &second);
  if (status == WAL_OK) {
    char title[80];
    snprintf(title, sizeof title, "%s: %lld %s", wal_nashwelfare_kinds[family].label, (long long)sample.count,
             what->unit);
    wal_panel *panel =
        wal_figure_panel(figure, title, what->second ? "largest ratio of an agent" : what->xlabel, "count");
    int64_t counts[BINS], others[BINS];
    const int64_t most = count_bins(&sample, what, counts), more = count_bins(&second, what, others);
    double top = 10;
    while (top < fmax((double)most, (double)more)) top *= 10;
    wal_panel_log(panel, false, true);
    wal_panel_range(panel, what->low, what->high, 0.5, top);
    add_steps(panel, counts, what, what->label, family, true);
    if (what->second) add_steps(panel, others, what, what->second_label, 7, false);
    add_bound(panel, what, 0.5, top);
    wal_panel_legend(panel, legend ? "top center" : NULL);
  }
  free(sample.values);
  free(second.values);
  return status;
}

/* The share of a family's values as near to the bound's side as x. */
static wal_status add_distribution(const wal_result *result, const wal_study_histogram *what, int family,
                                   wal_panel *panel) {
  wal_study_sample sample;
  const wal_status status =
      wal_study_sample_of(result, wal_nashwelfare_kinds[family].name, what->value, &sample);
  const bool above = what->bound > 0.5 * (what->low + what->high);
  if (status == WAL_OK && sample.count > 0) {
    wal_series *line = wal_panel_series(panel, WAL_BAND, wal_nashwelfare_kinds[family].label, family);
    int64_t at = 0;
    for (int step = 0; step <= STEPS; step++) {
      const double x = fmin(what->low + (what->high - what->low) * step / STEPS, what->high);
      while (at < sample.count && (above ? sample.values[at] < x : sample.values[at] <= x)) at++;
      const int64_t count = above ? sample.count - at : at;
      if (count > 0) wal_series_point(line, x, (double)count / (double)sample.count, NAN, NAN);
    }
  }
  free(sample.values);
  return status;
}

wal_status wal_study_draw_distributions(const wal_result *result, wal_figure *figure,
                                        const wal_study_histogram *what) {
  const bool above = what->bound > 0.5 * (what->low + what->high);
  wal_panel *panel = wal_figure_panel(figure, "All families", what->xlabel,
                                      above ? "share that is at least this" : "share that is at most this");
  wal_status status = WAL_OK;
  wal_panel_log(panel, false, true);
  wal_panel_range(panel, what->low, what->high, 1e-4, 1);
  for (int family = 0; status == WAL_OK && family < WAL_NASHWELFARE_FAMILIES; family++)
    status = add_distribution(result, what, family, panel);
  add_bound(panel, what, 1e-4, 1);
  wal_panel_legend(panel, NULL);
  wal_figure_note(figure, "Last panel: colours as in the others, every line to the family's extreme value");
  return status;
}

bool wal_study_names(const char *families, int family) {
  const char *name = wal_nashwelfare_kinds[family].name, *at = families;
  const size_t length = strlen(name);
  while (at && !(strncmp(at, name, length) == 0 && (at[length] == '|' || !at[length]))) {
    at = strchr(at, '|');
    if (at) at++;
  }
  return at != NULL;
}

wal_status wal_study_draw_histograms(const wal_result *result, wal_drawing *drawing,
                                     const wal_study_histogram *what) {
  wal_figure *figure = wal_drawing_figure(drawing, "", result->config->title, 17.5, 10.5, 2, 3);
  wal_status status = WAL_OK;
  bool first = true;
  for (int family = 0; status == WAL_OK && family < WAL_NASHWELFARE_FAMILIES; family++) {
    if (!wal_study_names(what->families, family)) continue;
    status = draw_family(result, what, family, figure, first);
    first = false;
  }
  return status == WAL_OK ? wal_study_draw_distributions(result, figure, what) : status;
}

/* ---- the table ---- */

static double sum_of(const wal_result *result, const char *family, const char *column) {
  double sum = 0;
  for (int64_t row = 0; row < wal_frame_rows(result->rows); row++)
    if (wal_study_trace(result, row, family))
      sum += wal_frame_real(result->rows, row, wal_frame_find(result->rows, column));
  return sum;
}

static wal_status add_row(const wal_result *result, wal_table *table, const wal_study_table *what,
                          int family) {
  const char *name = wal_nashwelfare_kinds[family].name;
  wal_study_sample sample;
  const wal_status status = wal_study_sample_of(result, name, what->value, &sample);
  if (status == WAL_OK && sample.count > 0) {
    const int64_t last = sample.count - 1;
    double sum = 0;
    for (int64_t k = 0; k < sample.count; k++) sum += sample.values[k];
    wal_table_row(table);
    wal_table_text(table, wal_nashwelfare_kinds[family].label);
    for (int c = 0; c < what->count_columns; c++)
      wal_table_real(table, sum_of(result, name, what->counts[c]), NAN, 1);
    const double shown[] = {sample.values[0],           sample.values[last / 100],
                            sum / (double)sample.count, sample.values[last - last / 100],
                            sample.values[last],        what->bound};
    for (int k = 0; k < 6; k++) wal_table_real(table, shown[k], NAN, 1);
  }
  free(sample.values);
  return status;
}

wal_status wal_study_draw_table(const wal_result *result, wal_drawing *drawing, const wal_study_table *what) {
  static const char *const ends[] = {"least", "1 %", "mean", "99 %", "most"};
  wal_table *table = wal_drawing_table(drawing, "", result->config->title);
  wal_table_column(table, NULL, "family", NULL);
  for (int c = 0; c < what->count_columns; c++) wal_table_column(table, NULL, what->headers[c], "%.0f");
  for (int k = 0; k < 5; k++) wal_table_column(table, what->label, ends[k], what->format);
  wal_table_column(table, NULL, "bound", what->format);
  wal_status status = WAL_OK;
  for (int family = 0; status == WAL_OK && family < WAL_NASHWELFARE_FAMILIES; family++)
    status = add_row(result, table, what, family);
  if (what->note) wal_table_note(table, "%s", what->note);
  return status;
}
