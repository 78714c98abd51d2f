/* `walras diff`: only what differs between two result files. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "engine/index.h"
#include "engine/store.h"
#include "engine/store_file.h"
#include "engine/yaml.h"

/* One of the two files. */
typedef struct {
  const char *path;
  wal_stored file;
  wal_provenance config; /* the resolved config, flat: "params.n" -> "16384" */
  char **labels;         /* [rows] keys of each row, with "#2" where they repeat */
} side;

typedef struct {
  side a, b;
  int64_t *match; /* [rows of a] the row of b with the same keys, -1: none */
  FILE *out;
  const char *section; /* heading under which the last line was printed */
  int64_t differences; /* lines that count */
} diffing;

__attribute__((format(printf, 3, 4))) static void say(diffing *d, const char *section, const char *format,
                                                      ...) {
  if (!d->section || strcmp(d->section, section) != 0) fprintf(d->out, "%s\n", section);
  d->section = section;
  va_list args;
  va_start(args, format);
  fprintf(d->out, "  ");
  vfprintf(d->out, format, args);
  fprintf(d->out, "\n");
  va_end(args);
}

static const char *const config_section = "config";
static const char *const provenance_section = "provenance (not counted)";
static const char *const number_section = "numbers";
static const char *const trace_section = "traces";
static const char *const timing_section = "timings (not counted)";

/* --- config and provenance --- */

/* Adds the scalars below a node under their dotted path. */
static wal_status flatten(const wal_node *node, const char *path, wal_provenance *out) {
  if (node->kind == WAL_NODE_SCALAR) return wal_provenance_add(out, path, "%s", node->text);
  wal_status status = WAL_OK;
  for (int i = 0; i < node->count && !status; i++) {
    char name[512];
    if (node->kind == WAL_NODE_MAP) {
      snprintf(name, sizeof name, "%s%s%s", path, *path ? "." : "", node->keys[i]->text);
    } else {
      snprintf(name, sizeof name, "%s[%d]", path, i);
    }
    status = flatten(node->items[i], name, out);
  }
  return status;
}

/* The YAML of one attribute. Beyond the YAML reader's limits it is compared as one text. */
static wal_status flatten_text(side *s, const char *attribute) {
  const char *text = wal_provenance_get(&s->file.attributes, attribute);
  if (!text || !*text) return WAL_OK;
  wal_yaml *yaml = NULL;
  wal_status status = wal_yaml_parse(text, strlen(text), s->path, &yaml);
  status = status ? wal_provenance_add(&s->config, attribute, "%s", text)
                  : flatten(wal_yaml_root(yaml), "", &s->config);
  wal_yaml_free(yaml);
  return status;
}

static wal_status flatten_config(side *s) {
  wal_status status = flatten_text(s, "resolved");
  return status ? status : flatten_text(s, "files");
}

/* Lines "NAME: a -> b" of two lists; returns their number. */
static int64_t diff_lists(diffing *d, const char *section, const wal_provenance *a, const wal_provenance *b,
                          bool (*counts)(const char *name)) {
  int64_t lines = 0;
  for (int i = 0; i < a->count; i++) {
    if (counts && !counts(a->names[i])) continue;
    const char *other = wal_provenance_get(b, a->names[i]);
    if (other && strcmp(other, a->values[i]) == 0) continue;
    say(d, section, "%s: %s -> %s", a->names[i], a->values[i], other ? other : "(none)");
    lines++;
  }
  for (int i = 0; i < b->count; i++) {
    if ((counts && !counts(b->names[i])) || wal_provenance_get(a, b->names[i])) continue;
    say(d, section, "%s: (none) -> %s", b->names[i], b->values[i]);
    lines++;
  }
  return lines;
}

/* --- rows --- */

/* The keys of every row, numbered where they repeat. */
static wal_status label_rows(side *s) {
  int64_t rows = wal_frame_rows(s->file.rows);
  s->labels = calloc((size_t)rows + 1, sizeof *s->labels);
  int *repeats = calloc((size_t)rows + 1, sizeof *repeats);
  bool complete = s->labels && repeats;
  wal_index known = {0};
  char label[1024];
  for (int64_t row = 0; complete && row < rows; row++) {
    wal_row_label(s->file.rows, row, label, sizeof label - 16);
    int number = wal_index_add(&known, label);
    complete = number >= 0;
    if (complete && ++repeats[number] > 1) snprintf(label + strlen(label), 16, "#%d", repeats[number]);
    if (complete) s->labels[row] = strdup(label);
    complete = complete && s->labels[row];
  }
  wal_index_free(&known);
  free(repeats);
  return complete ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory to compare rows");
}

/* The row of b with this label; the one at the same place is tried first. */
static int64_t find_row(const side *b, const char *label, int64_t hint) {
  int64_t rows = wal_frame_rows(b->file.rows);
  if (hint < rows && strcmp(b->labels[hint], label) == 0) return hint;
  for (int64_t row = 0; row < rows; row++)
    if (strcmp(b->labels[row], label) == 0) return row;
  return -1;
}

static wal_status match_rows(diffing *d) {
  int64_t a_rows = wal_frame_rows(d->a.file.rows), b_rows = wal_frame_rows(d->b.file.rows);
  wal_status status = label_rows(&d->a);
  if (!status) status = label_rows(&d->b);
  if (status) return status;
  d->match = calloc((size_t)a_rows + 1, sizeof *d->match);
  bool *taken = calloc((size_t)b_rows + 1, sizeof *taken);
  if (!d->match || !taken) status = wal_fail(WAL_E_MEMORY, "no memory to compare rows");
  for (int64_t row = 0; row < a_rows && !status; row++) {
    int64_t other = d->match[row] = find_row(&d->b, d->a.labels[row], row);
    if (other >= 0) taken[other] = true;
    if (other < 0) d->differences++, say(d, number_section, "%s: only in %s", d->a.labels[row], d->a.path);
  }
  for (int64_t row = 0; row < b_rows && !status; row++)
    if (!taken[row]) d->differences++, say(d, number_section, "%s: only in %s", d->b.labels[row], d->b.path);
  free(taken);
  return status;
}

static void cell_text(const wal_frame *frame, int64_t row, int column, char out[WAL_TEXT_MAX]) {
  wal_value value = wal_frame_get(frame, row, column);
  if (wal_frame_missing(frame, row, column)) {
    snprintf(out, WAL_TEXT_MAX, "(missing)");
  } else {
    wal_value_format(&value, out, WAL_TEXT_MAX);
  }
}

static bool same_cell(const wal_frame *a, int64_t a_row, int a_column, const wal_frame *b, int64_t b_row,
                      int b_column) {
  bool a_missing = wal_frame_missing(a, a_row, a_column), b_missing = wal_frame_missing(b, b_row, b_column);
  if (a_missing || b_missing) return a_missing == b_missing;
  wal_value x = wal_frame_get(a, a_row, a_column), y = wal_frame_get(b, b_row, b_column);
  return wal_value_equal(&x, &y);
}

static bool is_number(const wal_frame *frame, int column) {
  wal_type type = wal_frame_column(frame, column)->type;
  return type == WAL_INT || type == WAL_REAL;
}

static void diff_cell(diffing *d, int64_t row, int a_column, int b_column) {
  const wal_frame *a = d->a.file.rows, *b = d->b.file.rows;
  int64_t other = d->match[row];
  if (same_cell(a, row, a_column, b, other, b_column)) return;
  char left[WAL_TEXT_MAX], right[WAL_TEXT_MAX], by[96] = "";
  cell_text(a, row, a_column, left);
  cell_text(b, other, b_column, right);
  double x = is_number(a, a_column) ? wal_frame_real(a, row, a_column) : NAN;
  double y = is_number(b, b_column) ? wal_frame_real(b, other, b_column) : NAN;
  if (isfinite(x) && isfinite(y)) /* relative to the larger, so that a and b are alike */
    snprintf(by, sizeof by, " (absolute %.3g, relative %.3g)", fabs(y - x),
             fabs(y - x) / fmax(fabs(x), fabs(y)));
  const char *label = d->a.labels[row], *name = wal_frame_column(a, a_column)->name;
  say(d, number_section, "%s%s%s: %s -> %s%s", label, *label ? " " : "", name, left, right, by);
  d->differences++;
}

static void diff_timing(diffing *d, int a_column, int b_column) {
  double a = 0, b = 0;
  int64_t rows = 0;
  const wal_column *about = wal_frame_column(d->a.file.rows, a_column);
  for (int64_t row = 0; row < wal_frame_rows(d->a.file.rows); row++) {
    if (d->match[row] < 0) continue;
    double x = wal_frame_real(d->a.file.rows, row, a_column),
           y = wal_frame_real(d->b.file.rows, d->match[row], b_column);
    if (isnan(x) || isnan(y)) continue;
    a += x;
    b += y;
    rows++;
  }
  if (a != b)
    say(d, timing_section, "%s: %.4g -> %.4g %s, summed over %" PRId64 " rows (ratio %.3g)", about->name, a,
        b, about->unit, rows, b / a);
}

/* The columns of b that a lacks. */
static void diff_new_columns(diffing *d) {
  for (int c = 0; c < wal_frame_columns(d->b.file.rows); c++) {
    const char *name = wal_frame_column(d->b.file.rows, c)->name;
    if (wal_frame_find(d->a.file.rows, name) >= 0) continue;
    say(d, number_section, "column %s: only in %s", name, d->b.path);
    d->differences++;
  }
}

static void diff_numbers(diffing *d) {
  const wal_frame *a = d->a.file.rows, *b = d->b.file.rows;
  for (int c = 0; c < wal_frame_columns(a); c++) {
    const wal_column *about = wal_frame_column(a, c);
    int other = wal_frame_find(b, about->name);
    if (other < 0 || wal_frame_column(b, other)->type != about->type) {
      say(d, number_section, "column %s: %s", about->name,
          other < 0 ? "missing in the second file" : "another type");
      d->differences++;
      continue;
    }
    if (about->flags & (WAL_COLUMN_KEY | WAL_COLUMN_TIMING)) continue;
    for (int64_t row = 0; row < wal_frame_rows(a); row++)
      if (d->match[row] >= 0) diff_cell(d, row, c, other);
  }
  diff_new_columns(d);
}

static void diff_timings(diffing *d) {
  for (int c = 0; c < wal_frame_columns(d->a.file.rows); c++) {
    const wal_column *about = wal_frame_column(d->a.file.rows, c);
    int other = wal_frame_find(d->b.file.rows, about->name);
    if (about->flags & WAL_COLUMN_TIMING && other >= 0 && is_number(d->b.file.rows, other))
      diff_timing(d, c, other);
  }
}

/* --- traces --- */

/* The point of b whose rows match those of a's point, -1: none. */
static int matching_point(const diffing *d, int point) {
  int a_column = wal_frame_find(d->a.file.rows, "point"), b_column = wal_frame_find(d->b.file.rows, "point");
  for (int64_t row = 0; row < wal_frame_rows(d->a.file.rows); row++)
    if (d->match[row] >= 0 && wal_frame_real(d->a.file.rows, row, a_column) == point)
      return (int)wal_frame_real(d->b.file.rows, d->match[row], b_column);
  return -1;
}

static const wal_frame *find_trace(const wal_stored *file, int point, const char *name) {
  for (int t = 0; t < file->trace_count; t++)
    if (file->trace_point[t] == point && strcmp(file->trace_name[t], name) == 0) return file->traces[t];
  return NULL;
}

/* One line per column that differs: in how many lines, and by how much at most. */
static void diff_trace_column(diffing *d, const char *where, const wal_frame *a, int c, const wal_frame *b,
                              int other) {
  int64_t lines = wal_frame_rows(a), differ = 0;
  double largest = 0;
  for (int64_t line = 0; line < lines; line++) {
    if (same_cell(a, line, c, b, line, other)) continue;
    differ++;
    if (is_number(a, c))
      largest = fmax(largest, fabs(wal_frame_real(a, line, c) - wal_frame_real(b, line, other)));
  }
  if (!differ) return;
  say(d, trace_section, "%s %s: %" PRId64 " of %" PRId64 " lines differ, by at most %.3g", where,
      wal_frame_column(a, c)->name, differ, lines, largest);
  d->differences++;
}

static void diff_trace(diffing *d, const char *where, const wal_frame *a, const wal_frame *b) {
  if (wal_frame_rows(a) != wal_frame_rows(b) || wal_frame_columns(a) != wal_frame_columns(b)) {
    say(d, trace_section, "%s: %" PRId64 " lines of %d columns -> %" PRId64 " lines of %d columns", where,
        wal_frame_rows(a), wal_frame_columns(a), wal_frame_rows(b), wal_frame_columns(b));
    d->differences++;
    return;
  }
  for (int c = 0; c < wal_frame_columns(a); c++) {
    const wal_column *about = wal_frame_column(a, c);
    int other = wal_frame_find(b, about->name);
    if (about->flags & WAL_COLUMN_TIMING) continue;
    if (other >= 0 && wal_frame_column(b, other)->type == about->type) {
      diff_trace_column(d, where, a, c, b, other);
    } else {
      say(d, trace_section, "%s %s: not in the second file", where, about->name);
      d->differences++;
    }
  }
}

static void diff_traces(diffing *d) {
  const wal_stored *a = &d->a.file, *b = &d->b.file;
  for (int t = 0; t < a->trace_count; t++) {
    int point = matching_point(d, a->trace_point[t]);
    if (point < 0) continue; /* its rows are already said to be in one file only */
    const wal_frame *other = find_trace(b, point, a->trace_name[t]);
    char where[128];
    snprintf(where, sizeof where, "point %d %s", a->trace_point[t], a->trace_name[t]);
    if (other) {
      diff_trace(d, where, a->traces[t], other);
    } else {
      say(d, trace_section, "%s: only in %s", where, d->a.path);
      d->differences++;
    }
  }
}

/* --- both files --- */

static wal_status open_side(const char *path, side *s) {
  s->path = path;
  wal_status status = wal_stored_read(path, WAL_RESULT_SCHEMA, NULL, NULL, &s->file);
  if (!status && (wal_frame_find(s->file.rows, "point") < 0 ||
                  !is_number(s->file.rows, wal_frame_find(s->file.rows, "point"))))
    status = wal_fail(WAL_E_INPUT, "%s:/rows/point: expected a column of integers", path);
  return status ? status : flatten_config(s);
}

static void close_side(side *s) {
  for (int64_t row = 0; s->labels && row < wal_frame_rows(s->file.rows); row++) free(s->labels[row]);
  free(s->labels);
  wal_provenance_free(&s->config);
  wal_stored_free(&s->file);
}

static wal_status compare(diffing *d) {
  d->differences += diff_lists(d, config_section, &d->a.config, &d->b.config, NULL);
  diff_lists(d, provenance_section, &d->a.file.attributes, &d->b.file.attributes, wal_stored_is_provenance);
  wal_status status = match_rows(d);
  if (status) return status;
  diff_numbers(d);
  diff_traces(d);
  diff_timings(d);
  if (d->differences) {
    fprintf(d->out, "%" PRId64 " difference%s\n", d->differences, d->differences == 1 ? "" : "s");
  } else {
    fprintf(d->out, "identical config and numbers: %s and %s\n", d->a.path, d->b.path);
  }
  return WAL_OK;
}

wal_status wal_store_diff(const char *a, const char *b, wal_registry registry, FILE *out, bool *different) {
  (void)registry; /* files describe themselves */
  diffing d = {.out = out};
  wal_status status = open_side(a, &d.a);
  if (!status) status = open_side(b, &d.b);
  if (!status) status = compare(&d);
  *different = d.differences > 0;
  free(d.match);
  close_side(&d.b);
  close_side(&d.a);
  return status;
}
