/* A finished run in memory: outcomes of the points joined into one table, with their traces. */
#include "engine/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/params.h"

void wal_outcome_free(wal_outcome *outcome) {
  if (!outcome) return;
  for (int t = 0; t < outcome->trace_count; t++) {
    if (outcome->trace_names) free(outcome->trace_names[t]);
    if (outcome->traces) wal_frame_free(outcome->traces[t]);
  }
  free(outcome->trace_names);
  free(outcome->traces);
  wal_frame_free(outcome->rows);
  free(outcome->error);
  *outcome = (wal_outcome){0};
}

void wal_result_free(wal_result *result) {
  if (!result) return;
  for (int t = 0; t < result->trace_count; t++) {
    if (result->trace_name) free(result->trace_name[t]);
    if (result->traces) wal_frame_free(result->traces[t]);
  }
  free(result->trace_point);
  free(result->trace_name);
  free(result->traces);
  wal_frame_free(result->rows);
  wal_provenance_free(&result->provenance);
  wal_config_free(result->config);
  free(result);
}

static const wal_column point_column = {"point",        WAL_INT, "1", "index of the point in sweep order",
                                        WAL_COLUMN_KEY, 0,       0};
static const wal_column status_column = {"status", WAL_TEXT, "1", "ok, or failed: see error", 0, 0, 0};
static const wal_column seconds_column = {"seconds",         WAL_REAL, "s", "wall time of the whole point",
                                          WAL_COLUMN_TIMING, 0,        0};
static const wal_column memory_column = {
    "peak_mib", WAL_REAL, "MiB", "peak resident memory of the point's process", WAL_COLUMN_TIMING, 0, 0};
static const wal_column error_column = {"error", WAL_TEXT, "1", "why the point failed", 0, 0, 0};

static bool is_shown(const wal_config *config, int param) {
  return (config->experiment->params[param].flags & WAL_PARAM_KEY) || config->swept[param];
}

/* The columns of /rows, malloc'd; *count of them. */
static wal_column *all_columns(const wal_config *config, int *count) {
  const wal_experiment *experiment = config->experiment;
  wal_column *columns =
      calloc((size_t)(experiment->param_count + experiment->column_count + 5), sizeof *columns);
  if (!columns) return NULL;
  int c = 0;
  columns[c++] = point_column;
  columns[c++] = status_column;
  for (int p = 0; p < experiment->param_count; p++) {
    if (is_shown(config, p)) columns[c++] = wal_param_column(&experiment->params[p]);
  }
  for (int e = 0; e < experiment->column_count; e++) columns[c++] = experiment->columns[e];
  columns[c++] = seconds_column;
  columns[c++] = memory_column;
  columns[c++] = error_column;
  *count = c;
  return columns;
}

static wal_status check_names(const wal_column *columns, int count) {
  for (int a = 0; a < count; a++)
    for (int b = 0; b < a; b++)
      if (strcmp(columns[a].name, columns[b].name) == 0)
        return wal_fail(WAL_E_INTERNAL, "two columns are named '%s'; rename the experiment's",
                        columns[a].name);
  return WAL_OK;
}

static wal_status new_rows(const wal_config *config, wal_frame **rows) {
  int count = 0;
  wal_column *columns = all_columns(config, &count);
  wal_status status = columns ? check_names(columns, count) : WAL_OK;
  if (columns && !status) *rows = wal_frame_new(columns, count);
  free(columns);
  return status || *rows ? status : wal_fail(WAL_E_MEMORY, "no memory for the rows of %s", config->name);
}

static void set_int(wal_frame *rows, int64_t row, const char *name, int64_t i) {
  wal_frame_set(rows, row, wal_frame_find(rows, name), &(wal_value){.type = WAL_INT, .i = i});
}

static void set_real(wal_frame *rows, int64_t row, const char *name, double r) {
  wal_frame_set(rows, row, wal_frame_find(rows, name), &(wal_value){.type = WAL_REAL, .r = r});
}

/* A text longer than a cell is cut before the character that does not fit, so that it stays UTF-8. */
static void set_text(wal_frame *rows, int64_t row, const char *name, const char *text) {
  wal_value value = {.type = WAL_TEXT};
  size_t length = strlen(text);
  if (length >= WAL_TEXT_MAX) {
    length = WAL_TEXT_MAX - 1;
    while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80) length--;
  }
  memcpy(value.text, text, length);
  wal_frame_set(rows, row, wal_frame_find(rows, name), &value);
}

/* A row with how the point ended. Returns its index, -1 without memory. */
static int64_t add_row(wal_frame *rows, int point, const wal_outcome *outcome) {
  int64_t row = wal_frame_add(rows);
  if (row < 0) return row;
  set_int(rows, row, "point", point);
  if (outcome->status == WAL_OK) {
    set_text(rows, row, "status", "ok");
  } else {
    bool told = outcome->error && *outcome->error;
    set_text(rows, row, "status", "failed");
    set_text(rows, row, "error", told ? outcome->error : wal_status_text(outcome->status));
  }
  set_real(rows, row, "seconds", outcome->seconds);
  set_real(rows, row, "peak_mib", outcome->peak_mib);
  return row;
}

/* After what the point sent: a parameter that counts says its own value. */
static void set_parameters(wal_frame *rows, int64_t row, const wal_config *config, int point) {
  for (int p = 0; p < config->experiment->param_count; p++) {
    if (!is_shown(config, p) || !wal_point_counts(&config->points[point], p)) continue;
    int column = wal_frame_find(rows, config->experiment->params[p].name);
    wal_frame_set(rows, row, column, &config->points[point].values[p]);
  }
}

static void copy_measures(const wal_frame *from, int64_t from_row, wal_frame *rows, int64_t row) {
  for (int c = 0; c < wal_frame_columns(from); c++) {
    int column = wal_frame_find(rows, wal_frame_column(from, c)->name);
    wal_value value = wal_frame_get(from, from_row, c);
    if (column >= 0 && !wal_frame_missing(from, from_row, c)) wal_frame_set(rows, row, column, &value);
  }
}

/* The rows a point sent and, when it failed, one more whose measures are missing. */
static wal_status add_point(wal_frame *rows, const wal_config *config, int point,
                            const wal_outcome *outcome) {
  int64_t sent = outcome->rows ? wal_frame_rows(outcome->rows) : 0;
  int64_t count = sent + (outcome->status != WAL_OK);
  for (int64_t i = 0; i < count; i++) {
    int64_t row = add_row(rows, point, outcome);
    if (row < 0) return wal_fail(WAL_E_MEMORY, "no memory for the rows of %s", config->name);
    if (i < sent) copy_measures(outcome->rows, i, rows, row);
    set_parameters(rows, row, config, point);
  }
  return WAL_OK;
}

static wal_frame *copy_frame(const wal_frame *from) {
  int count = wal_frame_columns(from);
  wal_column *columns = calloc((size_t)count + 1, sizeof *columns);
  if (!columns) return NULL;
  for (int c = 0; c < count; c++) columns[c] = *wal_frame_column(from, c);
  wal_frame *copy = wal_frame_new(columns, count);
  free(columns);
  for (int64_t row = 0; copy && row < wal_frame_rows(from); row++) {
    if (wal_frame_add(copy) < 0) {
      wal_frame_free(copy);
      return NULL;
    }
    copy_measures(from, row, copy, row);
  }
  return copy;
}

static wal_status add_traces(wal_result *result, int point, const wal_outcome *outcome) {
  for (int t = 0; t < outcome->trace_count; t++) {
    int i = result->trace_count++;
    result->trace_point[i] = point;
    result->trace_name[i] = strdup(outcome->trace_names[t]);
    result->traces[i] = copy_frame(outcome->traces[t]);
    if (!result->trace_name[i] || !result->traces[i])
      return wal_fail(WAL_E_MEMORY, "no memory for trace %s of point %d", outcome->trace_names[t], point);
  }
  return WAL_OK;
}

static wal_status make_room_for_traces(wal_result *result, int points, const wal_outcome *outcomes) {
  size_t count = 1;
  for (int p = 0; p < points; p++) count += (size_t)outcomes[p].trace_count;
  result->trace_point = calloc(count, sizeof *result->trace_point);
  result->trace_name = calloc(count, sizeof *result->trace_name);
  result->traces = calloc(count, sizeof *result->traces);
  return result->trace_point && result->trace_name && result->traces
             ? WAL_OK
             : wal_fail(WAL_E_MEMORY, "no memory for %zu traces", count);
}

static wal_status copy_provenance(const wal_provenance *from, wal_provenance *to) {
  wal_status status = WAL_OK;
  for (int i = 0; i < from->count && !status; i++)
    status = wal_provenance_add(to, from->names[i], "%s", from->values[i]);
  return status || wal_provenance_get(to, "end") ? status : wal_provenance_now(to, "end");
}

wal_status wal_result_build(wal_config *config, const wal_outcome *outcomes, const wal_provenance *provenance,
                            wal_result **out) {
  *out = NULL;
  wal_result *result = calloc(1, sizeof *result);
  if (!result) return wal_fail(WAL_E_MEMORY, "no memory for the result of %s", config->name);
  wal_status status = make_room_for_traces(result, config->point_count, outcomes);
  if (!status) status = copy_provenance(provenance, &result->provenance);
  if (!status) status = new_rows(config, &result->rows);
  for (int p = 0; p < config->point_count && !status; p++) {
    status = add_point(result->rows, config, p, &outcomes[p]);
    if (!status) status = add_traces(result, p, &outcomes[p]);
  }
  if (status) {
    wal_result_free(result);
    return status;
  }
  result->config = config;
  *out = result;
  return WAL_OK;
}

const wal_frame *wal_result_trace(const wal_result *result, int point, const char *name) {
  for (int t = 0; t < result->trace_count; t++)
    if (result->trace_point[t] == point && strcmp(result->trace_name[t], name) == 0) return result->traces[t];
  return NULL;
}

/* The paper's value of an experiment column in one published entry; NaN: none. */
static double published_value(const wal_config *config, const wal_published *entry, const char *column) {
  for (int v = 0; v < entry->count; v++)
    if (strcmp(config->experiment->columns[entry->column[v]].name, column) == 0) return entry->value[v];
  return NAN;
}

const wal_point *wal_result_point(const wal_result *result, int64_t row) {
  int64_t point = wal_frame_get(result->rows, row, wal_frame_find(result->rows, "point")).i;
  return point >= 0 && point < result->config->point_count ? &result->config->points[point] : NULL;
}

const wal_published *wal_result_entry(const wal_result *result, int64_t row, const char *column) {
  const wal_config *config = result->config;
  const wal_point *point = wal_result_point(result, row);
  for (int e = 0; point && e < config->published_count; e++) {
    const wal_published *entry = &config->published[e];
    if (wal_assignment_holds(&entry->where, point) && !isnan(published_value(config, entry, column)))
      return entry;
  }
  return NULL;
}

double wal_result_published(const wal_result *result, int64_t row, const char *column) {
  const wal_published *entry = wal_result_entry(result, row, column);
  return entry ? published_value(result->config, entry, column) : NAN;
}
