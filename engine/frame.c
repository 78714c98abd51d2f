#include "engine/frame.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/util.h"

enum { CSV_LIMIT = 256 << 20 }; /* bytes of a CSV file that is read back */

struct wal_frame {
  int column_count;
  wal_column *columns; /* [column_count]; names, units and docs owned */
  int64_t rows;
  int64_t capacity; /* rows that fit */
  char **cells;     /* [column_count][capacity * cell_size(type)] */
};

/* Text cells are stored in place, so that setting one cannot fail. */
static size_t cell_size(wal_type type) {
  static const size_t sizes[] = {[WAL_INT] = sizeof(int64_t),
                                 [WAL_REAL] = sizeof(double),
                                 [WAL_BOOL] = sizeof(bool),
                                 [WAL_TEXT] = WAL_TEXT_MAX};
  return sizes[type];
}

static void *cell(const wal_frame *frame, int64_t row, int column) {
  assert(row >= 0 && row < frame->rows && column >= 0 && column < frame->column_count);
  return frame->cells[column] + (size_t)row * cell_size(frame->columns[column].type);
}

/* Copies one description; false: no memory (what was copied is freed with the frame). */
static bool copy_column(const wal_column *from, wal_column *to) {
  *to = *from;
  to->name = strdup(from->name);
  to->unit = strdup(from->unit ? from->unit : "1");
  to->doc = strdup(from->doc ? from->doc : "");
  return to->name && to->unit && to->doc;
}

wal_frame *wal_frame_new(const wal_column *columns, int count) {
  wal_frame *frame = calloc(1, sizeof *frame);
  if (!frame) return NULL;
  frame->columns = calloc((size_t)count + 1, sizeof *frame->columns);
  frame->cells = calloc((size_t)count + 1, sizeof *frame->cells);
  bool complete = frame->columns && frame->cells;
  if (complete) frame->column_count = count;
  for (int c = 0; complete && c < count; c++) complete = copy_column(&columns[c], &frame->columns[c]);
  if (complete) return frame;
  wal_frame_free(frame);
  return NULL;
}

void wal_frame_free(wal_frame *frame) {
  if (!frame) return;
  for (int c = 0; c < frame->column_count; c++) {
    free((void *)frame->columns[c].name);
    free((void *)frame->columns[c].unit);
    free((void *)frame->columns[c].doc);
    free(frame->cells[c]);
  }
  free(frame->columns);
  free(frame->cells);
  free(frame);
}

int wal_frame_columns(const wal_frame *frame) { return frame->column_count; }

int64_t wal_frame_rows(const wal_frame *frame) { return frame->rows; }

const wal_column *wal_frame_column(const wal_frame *frame, int column) {
  assert(column >= 0 && column < frame->column_count);
  return &frame->columns[column];
}

int wal_frame_find(const wal_frame *frame, const char *name) {
  for (int c = 0; c < frame->column_count; c++) {
    if (strcmp(frame->columns[c].name, name) == 0) return c;
  }
  return -1;
}

static bool grow(wal_frame *frame) {
  int64_t capacity = frame->capacity ? 2 * frame->capacity : 16;
  for (int c = 0; c < frame->column_count; c++) {
    char *cells = realloc(frame->cells[c], (size_t)capacity * cell_size(frame->columns[c].type));
    if (!cells) return false; /* the columns already grown are merely larger than they need be */
    frame->cells[c] = cells;
  }
  frame->capacity = capacity;
  return true;
}

static wal_value missing_value(wal_type type) {
  wal_value value = {.type = type};
  if (type == WAL_INT) value.i = INT64_MIN;
  if (type == WAL_REAL) value.r = NAN;
  return value;
}

int64_t wal_frame_add(wal_frame *frame) {
  if (frame->rows == frame->capacity && !grow(frame)) return -1;
  int64_t row = frame->rows++;
  for (int c = 0; c < frame->column_count; c++) {
    wal_value missing = missing_value(frame->columns[c].type);
    wal_frame_set(frame, row, c, &missing);
  }
  return row;
}

void wal_frame_set(wal_frame *frame, int64_t row, int column, const wal_value *value) {
  void *at = cell(frame, row, column);
  wal_type type = frame->columns[column].type;
  if (type == WAL_REAL && value->type == WAL_INT) {
    *(double *)at = value->i == INT64_MIN ? NAN : (double)value->i;
    return;
  }
  assert(type == value->type);
  if (type == WAL_TEXT) {
    snprintf(at, WAL_TEXT_MAX, "%s", value->text);
  } else {
    memcpy(at, &value->i, cell_size(type)); /* i, r and b begin at the same address */
  }
}

wal_value wal_frame_get(const wal_frame *frame, int64_t row, int column) {
  wal_type type = frame->columns[column].type;
  wal_value value = {.type = type};
  memcpy(value.text, cell(frame, row, column),
         cell_size(type)); /* the members of the union share one address */
  return value;
}

double wal_frame_real(const wal_frame *frame, int64_t row, int column) {
  wal_type type = frame->columns[column].type;
  assert(type == WAL_REAL || type == WAL_INT);
  if (type == WAL_REAL) return *(double *)cell(frame, row, column);
  int64_t i = *(int64_t *)cell(frame, row, column);
  return i == INT64_MIN ? NAN : (double)i;
}

const char *wal_frame_text(const wal_frame *frame, int64_t row, int column) {
  assert(frame->columns[column].type == WAL_TEXT);
  return cell(frame, row, column);
}

bool wal_frame_missing(const wal_frame *frame, int64_t row, int column) {
  switch (frame->columns[column].type) {
    case WAL_INT:
    case WAL_REAL:
      return isnan(wal_frame_real(frame, row, column));
    case WAL_TEXT:
      return *wal_frame_text(frame, row, column) == '\0';
    case WAL_BOOL:
      return false;
  }
  return false;
}

/* The text of a cell: "" when missing; exact in CSV, six digits for the eye. */
static void cell_text(const wal_frame *frame, int64_t row, int column, wal_frame_format format,
                      char out[WAL_TEXT_MAX]) {
  out[0] = '\0';
  if (wal_frame_missing(frame, row, column)) return;
  wal_value value = wal_frame_get(frame, row, column);
  if (value.type == WAL_REAL && format == WAL_FRAME_ALIGNED) {
    snprintf(out, WAL_TEXT_MAX, "%.6g", value.r);
  } else {
    wal_value_format(&value, out, WAL_TEXT_MAX);
  }
}

/* Characters of UTF-8 text: bytes that do not continue one. */
static int display_width(const char *text) {
  int width = 0;
  for (; *text; text++) width += (*text & 0xC0) != 0x80;
  return width;
}

static void print_padded(FILE *out, const char *text, int width, bool left, bool last) {
  int pad = width - display_width(text);
  if (pad < 0) pad = 0;
  if (left) {
    fprintf(out, "%s%*s", text, last ? 0 : pad, "");
  } else {
    fprintf(out, "%*s%s", pad, "", text);
  }
  fputs(last ? "\n" : "  ", out);
}

/* Numbers to the right, texts to the left, a dash for what is missing. */
static void print_aligned_column(const wal_frame *frame, FILE *out, int64_t row, int column, int width) {
  char text[WAL_TEXT_MAX];
  if (row < 0) {
    snprintf(text, sizeof text, "%s", frame->columns[column].name);
  } else {
    cell_text(frame, row, column, WAL_FRAME_ALIGNED, text);
  }
  bool left = frame->columns[column].type == WAL_TEXT;
  print_padded(out, *text ? text : "-", width, left, column == frame->column_count - 1);
}

static int aligned_width(const wal_frame *frame, int column) {
  int width = display_width(frame->columns[column].name);
  for (int64_t row = 0; row < frame->rows; row++) {
    char text[WAL_TEXT_MAX];
    cell_text(frame, row, column, WAL_FRAME_ALIGNED, text);
    int cell_width = display_width(text);
    if (cell_width > width) width = cell_width;
  }
  return width;
}

static void print_csv_text(FILE *out, const char *text) {
  if (!strpbrk(text, ",\"\r\n")) {
    fputs(text, out);
    return;
  }
  fputc('"', out);
  for (; *text; text++) {
    if (*text == '"') fputc('"', out);
    fputc(*text, out);
  }
  fputc('"', out);
}

static void print_csv_cell(const wal_frame *frame, FILE *out, int64_t row, int column) {
  char text[WAL_TEXT_MAX];
  if (column > 0) fputc(',', out);
  if (row < 0) {
    fputs(frame->columns[column].name, out);
  } else {
    cell_text(frame, row, column, WAL_FRAME_CSV, text);
    print_csv_text(out, text);
  }
  if (column == frame->column_count - 1) fputc('\n', out);
}

void wal_frame_print(const wal_frame *frame, FILE *out, wal_frame_format format) {
  int *widths = format == WAL_FRAME_ALIGNED ? calloc((size_t)frame->column_count + 1, sizeof *widths) : NULL;
  /* Without memory for the widths the columns are merely not aligned. */
  for (int c = 0; widths && c < frame->column_count; c++) widths[c] = aligned_width(frame, c);
  for (int64_t row = -1; row < frame->rows; row++) { /* row -1 is the header */
    for (int c = 0; c < frame->column_count; c++) {
      if (format == WAL_FRAME_CSV) {
        print_csv_cell(frame, out, row, c);
      } else {
        print_aligned_column(frame, out, row, c, widths ? widths[c] : 0);
      }
    }
  }
  free(widths);
}

/* Where the CSV reader stands. */
typedef struct {
  const char *path;
  char *at; /* next byte */
  int line; /* of `at`, from 1 */
} csv;

/* Cuts the next field out of the text, in place (quotes undone), and moves on. *last: it ended its line.
   NULL: a quote is not closed. */
static char *csv_field(csv *in, bool *last) {
  char *field = in->at, *to = in->at, *from = in->at;
  bool quoted = *from == '"';
  if (quoted) from++;
  for (; *from; from++) {
    if (quoted && from[0] == '"' && from[1] == '"') {
      from++;
    } else if (quoted && from[0] == '"') {
      quoted = false;
      continue;
    } else if (!quoted && (*from == ',' || *from == '\n')) {
      break;
    }
    if (*from == '\n') in->line++;
    *to++ = *from;
  }
  *last = *from != ',';
  if (*from == '\n') in->line++;
  in->at = *from ? from + 1 : from;
  if (*last && to > field && to[-1] == '\r') to--;
  *to = '\0';
  return quoted ? NULL : field;
}

static wal_status csv_unclosed(const csv *in, int line) {
  return wal_fail(WAL_E_INPUT, "%s:%d: a quote is opened and never closed", in->path, line);
}

/* Reads the header: map[k] is the frame's column of the file's column k. */
static wal_status csv_header(csv *in, const wal_frame *frame, int *map, int *count) {
  bool last = false;
  for (*count = 0; !last; (*count)++) {
    const char *name = csv_field(in, &last);
    if (!name) return csv_unclosed(in, 1);
    int column = wal_frame_find(frame, name);
    if (column < 0) return wal_fail(WAL_E_INPUT, "%s:1: unknown column \"%.60s\"", in->path, name);
    for (int k = 0; k < *count; k++) {
      if (map[k] == column)
        return wal_fail(WAL_E_INPUT, "%s:1: column \"%s\" is given twice", in->path, name);
    }
    map[*count] = column; /* fits: every column of the frame comes at most once */
  }
  return WAL_OK;
}

static wal_status csv_cell(const csv *in, int line, const char *text, wal_frame *frame, int64_t row,
                           int column) {
  if (*text == '\0') return WAL_OK; /* missing */
  const wal_column *as = &frame->columns[column];
  wal_value value = {.type = as->type};
  if (as->type == WAL_TEXT) {
    snprintf(value.text, sizeof value.text, "%s", text);
  } else if (wal_value_parse(as->type, text, &value) != WAL_OK) {
    return wal_fail(WAL_E_INPUT, "%s:%d: column \"%s\": %s", in->path, line, as->name, wal_error());
  }
  wal_frame_set(frame, row, column, &value);
  return WAL_OK;
}

static wal_status csv_row(csv *in, wal_frame *frame, const int *map, int count) {
  int line = in->line;
  int64_t row = wal_frame_add(frame);
  if (row < 0) return wal_fail(WAL_E_MEMORY, "%s:%d: no memory for another row", in->path, line);
  bool last = false;
  int k = 0;
  for (; !last; k++) {
    const char *text = csv_field(in, &last);
    if (!text) return csv_unclosed(in, line);
    if (k >= count) continue;
    wal_status status = csv_cell(in, line, text, frame, row, map[k]);
    if (status != WAL_OK) return status;
  }
  if (k == count) return WAL_OK;
  return wal_fail(WAL_E_INPUT, "%s:%d: %d cells; the header names %d columns", in->path, line, k, count);
}

static wal_status csv_rows(csv *in, wal_frame *frame) {
  if (*in->at == '\0') {
    return wal_fail(WAL_E_INPUT, "%s: the file is empty; expected a line with the names of the columns",
                    in->path);
  }
  int *map = calloc((size_t)frame->column_count + 1, sizeof *map);
  if (!map) return wal_fail(WAL_E_MEMORY, "%s: no memory to read it", in->path);
  int count = 0;
  wal_status status = csv_header(in, frame, map, &count);
  while (status == WAL_OK && *in->at) status = csv_row(in, frame, map, count);
  free(map);
  return status;
}

wal_status wal_frame_read_csv(const char *path, const wal_column *columns, int count, wal_frame **out) {
  *out = NULL;
  char *text;
  size_t length;
  wal_status status = wal_read_file(path, CSV_LIMIT, &text, &length);
  if (status != WAL_OK) return status;
  csv in = {.path = path, .at = text, .line = 1};
  wal_frame *frame = wal_frame_new(columns, count);
  status = frame ? csv_rows(&in, frame) : wal_fail(WAL_E_MEMORY, "%s: no memory for its columns", path);
  free(text);
  if (status == WAL_OK) {
    *out = frame;
  } else {
    wal_frame_free(frame);
  }
  return status;
}
