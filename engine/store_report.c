/* `walras show` and `walras verify`: what a result file says, and whether it can be trusted. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/store.h"
#include "engine/store_file.h"
#include "engine/store_other.h"

static const char *attribute(const wal_stored *file, const char *name) {
  const char *text = wal_provenance_get(&file->attributes, name);
  return text ? text : "";
}

/* "solver=eg seed=2": the keys of a row without its point number. */
void wal_row_label(const wal_frame *rows, int64_t row, char *out, size_t size) {
  size_t used = 0;
  out[0] = '\0';
  for (int c = 0; c < wal_frame_columns(rows) && used < size; c++) {
    const wal_column *about = wal_frame_column(rows, c);
    bool is_key = about->flags & WAL_COLUMN_KEY && strcmp(about->name, "point") != 0;
    if (!is_key || wal_frame_missing(rows, row, c)) continue;
    char text[WAL_TEXT_MAX];
    wal_value value = wal_frame_get(rows, row, c);
    wal_value_format(&value, text, sizeof text);
    used += (size_t)snprintf(out + used, size - used, "%s%s=%s", used ? " " : "", about->name, text);
  }
}

/* --- show --- */

static void show_config(const wal_stored *file, FILE *out) {
  const char *profile = attribute(file, "profile"), *sets = attribute(file, "sets");
  fprintf(out, "\nconfig: %s, profile %s\n", attribute(file, "config_path"), *profile ? profile : "none");
  fprintf(out, "  experiment %s, version %s; models version %s; config hash %s\n",
          attribute(file, "experiment"), attribute(file, "experiment_version"),
          attribute(file, "models_version"), attribute(file, "config_hash"));
  while (*sets) {
    int length = (int)strcspn(sets, "\n");
    fprintf(out, "  --set %.*s\n", length, sets);
    sets += length + (sets[length] == '\n');
  }
}

static void show_files(const wal_stored *file, FILE *out) {
  const char *files = attribute(file, "files");
  if (*files) fprintf(out, "\nfiles\n%s", files);
}

/* The resolved parameters, indented; the swept ones are in the rows. */
static void show_params(const wal_stored *file, FILE *out) {
  const char *line = strstr(attribute(file, "resolved"), "params:\n");
  if (!line) return;
  fprintf(out, "\nparameters\n");
  for (line += strlen("params:\n"); *line == ' ';) {
    int length = (int)strcspn(line, "\n");
    fprintf(out, "%.*s\n", length, line);
    line += length + (line[length] == '\n');
  }
}

static void show_provenance(const wal_stored *file, FILE *out) {
  fprintf(out, "\nprovenance\n");
  for (int i = 0; i < file->attributes.count; i++)
    if (wal_stored_is_provenance(file->attributes.names[i]))
      fprintf(out, "  %-14s %s\n", file->attributes.names[i], file->attributes.values[i]);
}

static int64_t row_of_point(const wal_frame *rows, int point) {
  int column = wal_frame_find(rows, "point");
  for (int64_t row = 0; column >= 0 && row < wal_frame_rows(rows); row++)
    if (wal_frame_real(rows, row, column) == point) return row;
  return -1;
}

static void show_trace(const wal_stored *file, int t, FILE *out) {
  const wal_frame *trace = file->traces[t];
  int64_t row = row_of_point(file->rows, file->trace_point[t]);
  char label[512] = "";
  if (row >= 0) wal_row_label(file->rows, row, label, sizeof label);
  fprintf(out, "  point %d (%s) %s: %" PRId64 " lines of", file->trace_point[t], label, file->trace_name[t],
          wal_frame_rows(trace));
  for (int c = 0; c < wal_frame_columns(trace); c++)
    fprintf(out, "%s %s", c ? "," : "", wal_frame_column(trace, c)->name);
  fprintf(out, "\n");
}

wal_status wal_store_show(const char *path, wal_registry registry, FILE *out) {
  (void)registry; /* a file describes itself */
  if (wal_other_file(path)) return wal_other_show(path, out);
  wal_stored file;
  wal_status status = wal_stored_read(path, WAL_RESULT_SCHEMA, NULL, NULL, &file);
  if (status) return status;
  fprintf(out, "%s\n%s\n", attribute(&file, "title"), path);
  if (*attribute(&file, "caption")) fprintf(out, "%s\n", attribute(&file, "caption"));
  show_config(&file, out);
  show_params(&file, out);
  show_files(&file, out);
  show_provenance(&file, out);
  fprintf(out, "\nrows: %" PRId64 "\n", wal_frame_rows(file.rows));
  wal_frame_print(file.rows, out, WAL_FRAME_ALIGNED);
  fprintf(out, "\ntraces: %d\n", file.trace_count);
  for (int t = 0; t < file.trace_count; t++) show_trace(&file, t, out);
  wal_stored_free(&file);
  return WAL_OK;
}

/* --- verify --- */

static bool is_failed(const wal_frame *rows, int64_t row) {
  int column = wal_frame_find(rows, "status");
  return column >= 0 && strcmp(wal_frame_text(rows, row, column), "ok") != 0;
}

/* One finding per column for missing values and one for infinite ones; the first row is named. */
static int verify_column(const wal_frame *rows, int column, FILE *out) {
  int64_t missing = 0, infinite = 0, first_missing = -1, first_infinite = -1;
  const char *name = wal_frame_column(rows, column)->name;
  const bool needed = !(wal_frame_column(rows, column)->flags & (WAL_COLUMN_TIMING | WAL_COLUMN_OPTIONAL));
  char label[512];
  for (int64_t row = 0; row < wal_frame_rows(rows); row++) {
    if (is_failed(rows, row)) continue;
    if (needed && wal_frame_missing(rows, row, column) && missing++ == 0) first_missing = row;
    if (isinf(wal_frame_real(rows, row, column)) && infinite++ == 0) first_infinite = row;
  }
  if (missing) {
    wal_row_label(rows, first_missing, label, sizeof label);
    fprintf(out, "/rows/%s: missing in %" PRId64 " rows not marked failed, first in row %" PRId64 " (%s)\n",
            name, missing, first_missing, label);
  }
  if (infinite) {
    wal_row_label(rows, first_infinite, label, sizeof label);
    fprintf(out, "/rows/%s: infinite in %" PRId64 " rows not marked failed, first in row %" PRId64 " (%s)\n",
            name, infinite, first_infinite, label);
  }
  return (missing > 0) + (infinite > 0);
}

/* Keys may be missing where a parameter does not count, and so may texts, clocks and optional measures; other
   numbers may not. */
static int verify_rows(const wal_frame *rows, FILE *out) {
  int findings = 0;
  for (int c = 0; c < wal_frame_columns(rows); c++) {
    const wal_column *about = wal_frame_column(rows, c);
    bool is_number = about->type == WAL_INT || about->type == WAL_REAL;
    if (is_number && !(about->flags & WAL_COLUMN_KEY)) findings += verify_column(rows, c, out);
  }
  return findings;
}

/* The columns every result has, with their types, and the two words of `status`. */
static int verify_layout(const wal_frame *rows, FILE *out) {
  static const wal_column expected[] = {{.name = "point", .type = WAL_INT},
                                        {.name = "status", .type = WAL_TEXT},
                                        {.name = "seconds", .type = WAL_REAL},
                                        {.name = "error", .type = WAL_TEXT}};
  int findings = 0;
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    int column = wal_frame_find(rows, expected[i].name);
    if (column >= 0 && wal_frame_column(rows, column)->type == expected[i].type) continue;
    fprintf(out, "/rows/%s: expected a column of type %s\n", expected[i].name,
            wal_type_name(expected[i].type));
    findings++;
  }
  for (int64_t row = 0; row < wal_frame_rows(rows) && !findings; row++) {
    const char *status = wal_frame_text(rows, row, wal_frame_find(rows, "status"));
    if (strcmp(status, "ok") == 0 || strcmp(status, "failed") == 0) continue;
    fprintf(out, "/rows/status: row %" PRId64 " says '%s'; expected ok or failed\n", row, status);
    findings++;
  }
  return findings;
}

/* The rest of what is there, when it is readable at all. Returns the number of findings. */
static int verify_contents(const wal_stored *file, FILE *out) {
  if (!file->rows) return 0; /* already a finding */
  int findings = verify_layout(file->rows, out);
  if (!findings) findings = verify_rows(file->rows, out);
  for (int t = 0; t < file->trace_count; t++) {
    if (row_of_point(file->rows, file->trace_point[t]) >= 0) continue;
    fprintf(out, "/traces/point_%04d/%s: no row has this point\n", file->trace_point[t], file->trace_name[t]);
    findings++;
  }
  return findings;
}

static int64_t count_failed(const wal_frame *rows) {
  int64_t failed = 0;
  for (int64_t row = 0; row < wal_frame_rows(rows); row++) failed += is_failed(rows, row);
  return failed;
}

wal_status wal_store_verify(const char *path, wal_registry registry, FILE *out) {
  if (wal_other_file(path)) return wal_other_verify(path, out);
  int findings = 0;
  wal_stored file;
  wal_status status = wal_stored_read(path, WAL_RESULT_SCHEMA, out, &findings, &file);
  if (status) return status;
  findings += verify_contents(&file, out);
  int columns = file.rows ? wal_frame_columns(file.rows) : 0;
  int64_t rows = file.rows ? wal_frame_rows(file.rows) : 0;
  wal_result *result = NULL;
  if (!findings && wal_store_read(path, registry, &result) != WAL_OK) {
    fprintf(out, "%s\n", wal_error()); /* whole, but this program cannot rerun or draw it */
    findings++;
  }
  wal_result_free(result);
  if (findings) {
    status = wal_fail(WAL_E_INPUT, "%s: %d finding%s; `walras run %s` makes the file again", path, findings,
                      findings == 1 ? "" : "s",
                      *attribute(&file, "config_path") ? attribute(&file, "config_path") : "CONFIG");
    fprintf(out, "%s\n", wal_error());
  } else {
    fprintf(out,
            "%s: ok (%" PRId64 " rows, %" PRId64
            " of them failed, %d columns, %d traces; every checksum agrees)\n",
            path, rows, count_failed(file.rows), columns, file.trace_count);
  }
  wal_stored_free(&file);
  return status;
}
