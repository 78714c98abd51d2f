#include "experiments/files/csv.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_MAX = 256 << 20 };

wal_status wal_csv_fail(const wal_csv *in, const char *format, ...) {
  char what[768];
  va_list args;
  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  return wal_fail(WAL_E_INPUT, "%s:%d:%d: %s", in->path, in->cell_line, in->place, what);
}

wal_status wal_csv_no_memory(const wal_csv *in) {
  return wal_fail(WAL_E_MEMORY, "no memory for %s", in->path);
}

/* ---- cells ---- */

static bool at_line_end(const wal_csv *in) { return *in->at == '\n' || *in->at == '\r' || *in->at == '\0'; }

void wal_csv_end_line(wal_csv *in) {
  if (*in->at == '\r') in->at++;
  if (*in->at == '\n') in->at++;
  in->line++;
  in->line_start = in->at;
  in->column = 0;
}

static bool blank_line(const wal_csv *in) {
  const char *end = in->at + strspn(in->at, " \t");
  return *end == '\n' || *end == '\r';
}

void wal_csv_skip_blank_lines(wal_csv *in) {
  while (blank_line(in)) {
    in->at += strspn(in->at, " \t");
    wal_csv_end_line(in);
  }
  if (in->at[strspn(in->at, " \t")] == '\0') in->at += strspn(in->at, " \t");
}

/* The rest of a cell in quotes, "" standing for one. */
static wal_status quoted_cell(wal_csv *in) {
  for (in->at++; *in->at && !(in->at[0] == '"' && in->at[1] != '"'); in->at++) {
    if (in->at[0] == '"') in->at++;
    wal_text_add_bytes(&in->cell, in->at, 1);
    if (*in->at == '\n') in->line++, in->line_start = in->at + 1;
  }
  if (!*in->at) return wal_csv_fail(in, "a quote that does not end; expected a closing \"");
  in->at++;
  in->at += strspn(in->at, " \t");
  if (*in->at == ',' || at_line_end(in)) return WAL_OK;
  return wal_csv_fail(in, "text after a closing quote; expected a comma or the end of the line");
}

/* Reads the next cell of this line, spaces around it left out, and the comma behind it. */
wal_status wal_csv_cell(wal_csv *in) {
  in->cell.length = 0;
  wal_text_add_bytes(&in->cell, "", 0);
  in->at += strspn(in->at, " \t");
  in->cell_line = in->line;
  in->place = (int)(in->at - in->line_start) + 1;
  in->column++;
  wal_status status = WAL_OK;
  if (*in->at == '"') {
    status = quoted_cell(in);
  } else {
    size_t length = strcspn(in->at, ",\r\n"), kept = length;
    while (kept > 0 && (in->at[kept - 1] == ' ' || in->at[kept - 1] == '\t')) kept--;
    wal_text_add_bytes(&in->cell, in->at, kept);
    in->at += length;
  }
  if (in->cell.failed) return wal_csv_no_memory(in);
  return status;
}

/* After a cell: true where another follows on this line. */
bool wal_csv_more(wal_csv *in) {
  if (*in->at != ',') return false;
  in->at++;
  return true;
}

/* The last cell as a number; what: "the budget", "a value"... */
wal_status wal_csv_number(const wal_csv *in, const char *what, bool zero_works, double *out) {
  char *end = NULL;
  const char *text = in->cell.data;
  if (!*text) return wal_csv_fail(in, "%s is empty; expected a number (%d works)", what, zero_works ? 0 : 1);
  *out = strtod(text, &end);
  if (*end || strpbrk(text, "xX"))
    return wal_csv_fail(in, "%s is \"%.40s\"; expected a number such as 1.5", what, text);
  if (isfinite(*out) && (*out > 0.0 || (zero_works && *out == 0.0))) return WAL_OK;
  return wal_csv_fail(in, "%s is %.40s; expected a %s finite number", what, text,
                      zero_works ? "non-negative" : "positive");
}

bool wal_csv_is_number(const char *text) {
  char *end;
  strtod(text, &end);
  return *text && !*end;
}

/* ---- checks ---- */

static int compare_names(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

wal_status wal_csv_check_names(const wal_csv *in, const char *kind, char *const names[], int count) {
  const size_t m = (size_t)count;
  if (m == 0)
    return wal_fail(WAL_E_INPUT, "%s:1: no %s; expected a header with a name for each", in->path, kind);
  char **sorted = malloc(m * sizeof *sorted);
  if (!sorted) return wal_csv_no_memory(in);
  memcpy(sorted, names, m * sizeof *sorted);
  qsort(sorted, m, sizeof *sorted, compare_names);
  wal_status status = WAL_OK;
  for (size_t j = 1; j < m && !status; j++)
    if (strcmp(sorted[j - 1], sorted[j]) == 0)
      status = wal_fail(WAL_E_INPUT, "%s:1: two %s are named \"%.60s\"; expected different names", in->path,
                        kind, sorted[j]);
  free(sorted);
  return status;
}

wal_status wal_csv_check_end(wal_csv *in, int columns) {
  if (in->column == columns) return WAL_OK;
  in->place = (int)(in->at - in->line_start) + 1;
  return wal_csv_fail(in, "the line ends after %d cells; the header has %d columns", in->column, columns);
}

/* ---- the file ---- */

wal_status wal_csv_open(wal_csv *in, const char *path, const char *header) {
  size_t length = 0;
  *in = (wal_csv){.path = path, .line = 1};
  const wal_status status = wal_read_file(path, BYTES_MAX, &in->bytes, &length);
  if (status) return status;
  const char *bytes = in->bytes;
  const size_t valid = wal_utf8_check(bytes, length);
  if (valid < length)
    return wal_fail(WAL_E_INPUT, "%s: byte 0x%02X at %zu is not UTF-8 text; expected HDF5 or CSV", path,
                    (unsigned char)bytes[valid], valid);
  in->at = in->line_start = length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? bytes + 3 : bytes;
  wal_csv_skip_blank_lines(in);
  return *in->at ? WAL_OK : wal_fail(WAL_E_INPUT, "%s: is empty; expected %s", path, header);
}

void wal_csv_free(wal_csv *in) {
  wal_text_free(&in->cell);
  free(in->bytes);
}
