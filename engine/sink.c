#include "engine/sink.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/params.h"

struct wal_sink {
  const wal_experiment *experiment; /* borrowed */
  wal_sink_listener listener;
  void *context;
  wal_blobs blobs;    /* folder NULL: nothing is kept */
  double last_report; /* s on the monotonic clock */
  int64_t row;        /* index of the row being built; -1: none */
  bool no_memory;
  char not_a_number[64]; /* name of the first column given NaN, "" when none */
  wal_frame *rows;
  int trace_count;
  char **trace_names;
  wal_frame **traces;
};

/* The columns that a point may fill. NULL: no memory. */
static wal_frame *new_rows(const wal_experiment *experiment) {
  size_t most = (size_t)(experiment->column_count + experiment->param_count) + 1;
  wal_column *columns = calloc(most, sizeof *columns);
  if (!columns) return NULL;
  int count = 0;
  for (int p = 0; p < experiment->param_count; p++) {
    const wal_param *param = &experiment->params[p];
    if ((param->flags & WAL_PARAM_KEY) && param->when) columns[count++] = wal_param_column(param);
  }
  for (int c = 0; c < experiment->column_count; c++) columns[count++] = experiment->columns[c];
  wal_frame *rows = wal_frame_new(columns, count);
  free(columns);
  return rows;
}

wal_sink *wal_sink_new(const wal_experiment *experiment, wal_sink_listener listener, void *context) {
  wal_sink *sink = calloc(1, sizeof *sink);
  if (!sink) return NULL;
  *sink = (wal_sink){.experiment = experiment,
                     .listener = listener,
                     .context = context,
                     .row = -1,
                     .last_report = -INFINITY};
  sink->rows = new_rows(experiment);
  if (sink->rows) return sink;
  wal_sink_free(sink);
  return NULL;
}

void wal_sink_free(wal_sink *sink) {
  if (!sink) return;
  wal_frame_free(sink->rows);
  for (int t = 0; t < sink->trace_count; t++) {
    free(sink->trace_names[t]);
    wal_frame_free(sink->traces[t]);
  }
  free(sink->trace_names);
  free(sink->traces);
  free(sink);
}

/* ---- Rows ---- */

void wal_sink_row(wal_sink *sink) {
  sink->row = wal_frame_add(sink->rows);
  if (sink->row < 0) sink->no_memory = true;
}

static void set_cell(wal_sink *sink, const char *column, const wal_value *value) {
  int c = wal_frame_find(sink->rows, column);
  assert(c >= 0 && "neither a column of the experiment nor a key parameter with a `when`");
  if (c >= 0 && sink->row >= 0) wal_frame_set(sink->rows, sink->row, c, value);
}

void wal_sink_real(wal_sink *sink, const char *column, double value) {
  if (isnan(value) && !sink->not_a_number[0])
    snprintf(sink->not_a_number, sizeof sink->not_a_number, "%s", column);
  set_cell(sink, column, &(wal_value){.type = WAL_REAL, .r = value});
}

void wal_sink_int(wal_sink *sink, const char *column, int64_t value) {
  set_cell(sink, column, &(wal_value){.type = WAL_INT, .i = value});
}

void wal_sink_text(wal_sink *sink, const char *column, const char *value) {
  wal_value text = {.type = WAL_TEXT};
  snprintf(text.text, sizeof text.text, "%s", value);
  set_cell(sink, column, &text);
}

/* ---- Traces ---- */

/* Adds an empty trace named `series`; NULL: no memory. */
static wal_frame *new_trace(wal_sink *sink, const char *series, int count, const char *const names[]) {
  size_t size = (size_t)sink->trace_count + 1;
  char **trace_names = realloc(sink->trace_names, size * sizeof *trace_names);
  if (trace_names) sink->trace_names = trace_names;
  wal_frame **traces = realloc(sink->traces, size * sizeof *traces);
  if (traces) sink->traces = traces;
  wal_column *columns = calloc((size_t)count, sizeof *columns);
  char *name = strdup(series);
  wal_frame *frame = NULL;
  if (trace_names && traces && columns && name) {
    for (int c = 0; c < count; c++)
      columns[c] = (wal_column){.name = names[c], .type = WAL_REAL, .unit = "1", .doc = names[c]};
    frame = wal_frame_new(columns, count);
  }
  free(columns);
  if (!frame) {
    free(name);
    return NULL;
  }
  sink->trace_names[sink->trace_count] = name;
  sink->traces[sink->trace_count++] = frame;
  return frame;
}

void wal_sink_trace(wal_sink *sink, const char *series, int count, const char *const names[],
                    const double values[]) {
  wal_frame *frame = NULL;
  for (int t = 0; t < sink->trace_count; t++)
    if (strcmp(sink->trace_names[t], series) == 0) frame = sink->traces[t];
  if (!frame) frame = new_trace(sink, series, count, names);
  int64_t row = frame ? wal_frame_add(frame) : -1;
  if (row < 0) {
    sink->no_memory = true;
    return;
  }
  assert(count == wal_frame_columns(frame) && "a trace's names are fixed by its first line");
  for (int c = 0; c < count; c++)
    wal_frame_set(frame, row, c, &(wal_value){.type = WAL_REAL, .r = values[c]});
}

/* ---- What outlives the run ---- */

void wal_sink_keep_in(wal_sink *sink, const wal_blobs *blobs) { sink->blobs = *blobs; }

wal_status wal_sink_save(wal_sink *sink, const char *key, const void *bytes, int64_t size) {
  return wal_blob_save(&sink->blobs, key, bytes, size);
}

wal_status wal_sink_load(wal_sink *sink, const char *key, void **bytes, int64_t *size) {
  return wal_blob_load(&sink->blobs, key, bytes, size);
}

/* ---- Progress and the end ---- */

void wal_sink_progress(wal_sink *sink, double fraction, const char *what) {
  if (!sink->listener) return;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  double seconds = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
  if (seconds - sink->last_report < 0.1) return;
  sink->last_report = seconds;
  sink->listener(sink->context, fraction, what ? what : "");
}

/* What the point's own verdict becomes after a look at what it sent. The message is in wal_error(). */
static wal_status verdict(const wal_sink *sink, wal_status status) {
  if (status) return status;
  if (sink->no_memory) return wal_fail(WAL_E_MEMORY, "no memory for the rows or traces of this point");
  if (sink->not_a_number[0])
    return wal_fail(WAL_E_DIVERGED, "column %s is NaN; a number was expected (a missing cell is left unset)",
                    sink->not_a_number);
  if (wal_frame_rows(sink->rows) == 0)
    return wal_fail(WAL_E_INTERNAL, "%s reported success but sent no row", sink->experiment->id);
  return WAL_OK;
}

wal_status wal_sink_finish(wal_sink *sink, wal_status status, wal_outcome *outcome) {
  status = verdict(sink, status);
  const char *message = "";
  if (status) message = wal_error()[0] ? wal_error() : wal_status_text(status);
  outcome->error = strdup(message);
  if (!outcome->error) return wal_fail(WAL_E_MEMORY, "no memory for the message of a point");
  outcome->status = status;
  outcome->rows = sink->rows;
  outcome->trace_count = sink->trace_count;
  outcome->trace_names = sink->trace_names;
  outcome->traces = sink->traces;
  sink->rows = NULL;
  sink->trace_names = NULL;
  sink->traces = NULL;
  sink->trace_count = 0;
  return WAL_OK;
}
