#include "engine/golden.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/store.h"
#include "engine/util.h"

/* ---- What a golden file holds ---- */

/* Numbers of points shift when a sweep grows; clocks, memory and messages are no answers. */
static bool belongs(const wal_column *column) {
  static const char *const left_out[] = {"point", "error", "seconds", "peak_mib"};
  if (column->flags & WAL_COLUMN_TIMING) return false;
  for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
    if (strcmp(column->name, left_out[i]) == 0) return false;
  return true;
}

static bool is_key(const wal_column *column) {
  return (column->flags & WAL_COLUMN_KEY) && strcmp(column->name, "status") != 0;
}

/* The columns that belong, borrowed from the rows; *count of them. NULL: no memory. */
static wal_column *golden_columns(const wal_frame *rows, int *count) {
  wal_column *columns = calloc((size_t)wal_frame_columns(rows) + 1, sizeof *columns);
  *count = 0;
  for (int c = 0; columns && c < wal_frame_columns(rows); c++)
    if (belongs(wal_frame_column(rows, c))) columns[(*count)++] = *wal_frame_column(rows, c);
  return columns;
}

/* Only those columns of the rows. NULL: no memory. */
static wal_frame *golden_rows(const wal_frame *rows) {
  int count;
  wal_column *columns = golden_columns(rows, &count);
  wal_frame *out = columns ? wal_frame_new(columns, count) : NULL;
  bool whole = out != NULL;
  for (int64_t r = 0; whole && r < wal_frame_rows(rows); r++) {
    whole = wal_frame_add(out) == r;
    for (int c = 0; whole && c < count; c++) {
      int from = wal_frame_find(rows, columns[c].name);
      wal_value value = wal_frame_get(rows, r, from);
      if (!wal_frame_missing(rows, r, from)) wal_frame_set(out, r, c, &value);
    }
  }
  free(columns);
  if (whole) return out;
  wal_frame_free(out);
  return NULL;
}

/* The device that computed a result; NULL: the CPU. */
static const char *other_device(const wal_result *result) {
  const char *name = wal_provenance_get(&result->provenance, "device");
  return name && strcmp(name, "cpu") != 0 ? name : NULL;
}

wal_status wal_golden_write(const wal_result *result, const char *path) {
  if (other_device(result))
    return wal_fail(
        WAL_E_INPUT,
        "%s was computed on %s; golden rows are the CPU's (walras run ... --device cpu makes them)",
        result->config->name, other_device(result));
  wal_frame *rows = golden_rows(result->rows);
  char *text = NULL;
  size_t length = 0;
  FILE *memory = rows ? open_memstream(&text, &length) : NULL;
  if (memory) wal_frame_print(rows, memory, WAL_FRAME_CSV);
  bool printed = memory && !ferror(memory);
  if (memory && fclose(memory) != 0) printed = false;
  wal_status status = printed ? wal_write_file(path, text, length)
                              : wal_fail(WAL_E_MEMORY, "no memory for the rows of %s", path);
  free(text);
  wal_frame_free(rows);
  return status;
}

/* ---- Matching rows ---- */

/* "solver=eg seed=2" of a row: the keys it has. */
static void row_label(const wal_frame *frame, int64_t row, char *out, size_t size) {
  size_t used = 0;
  out[0] = '\0';
  for (int c = 0; c < wal_frame_columns(frame) && used < size; c++) {
    if (!is_key(wal_frame_column(frame, c)) || wal_frame_missing(frame, row, c)) continue;
    char text[WAL_TEXT_MAX];
    wal_value value = wal_frame_get(frame, row, c);
    wal_value_format(&value, text, sizeof text);
    used += (size_t)snprintf(out + used, size - used, "%s%s=%s", used ? " " : "",
                             wal_frame_column(frame, c)->name, text);
  }
}

static bool same_keys(const wal_frame *a, int64_t i, const wal_frame *b, int64_t j) {
  for (int c = 0; c < wal_frame_columns(a); c++) {
    if (!is_key(wal_frame_column(a, c))) continue;
    wal_value x = wal_frame_get(a, i, c), y = wal_frame_get(b, j, c);
    if (!wal_value_equal(&x, &y)) return false;
  }
  return true;
}

/* partner[i]: the golden row of row i, -1 none. Rows with equal keys are paired in their order. used[j]:
   golden row j is taken. */
static void match_rows(const wal_frame *rows, const wal_frame *golden, int64_t *partner, bool *used) {
  for (int64_t i = 0; i < wal_frame_rows(rows); i++) {
    partner[i] = -1;
    for (int64_t j = 0; j < wal_frame_rows(golden) && partner[i] < 0; j++) {
      if (used[j] || !same_keys(rows, i, golden, j)) continue;
      partner[i] = j;
      used[j] = true;
    }
  }
}

/* ---- Comparing cells ---- */

/* The tolerance of a column at a row of the result. */
static void tolerance(const wal_result *result, int64_t row, const wal_column *column, double *rtol,
                      double *atol) {
  const wal_config *config = result->config;
  *rtol = column->rtol;
  *atol = column->atol;
  int point_column = wal_frame_find(result->rows, "point");
  int64_t point = point_column >= 0 ? wal_frame_get(result->rows, row, point_column).i : -1;
  if (point < 0 || point >= config->point_count) return;
  for (int t = 0; t < config->tolerance_count; t++) {
    const wal_tolerance *given = &config->tolerances[t];
    if (!wal_assignment_holds(&given->where, &config->points[point])) continue;
    for (int c = 0; c < given->count; c++) {
      if (strcmp(config->experiment->columns[given->column[c]].name, column->name) != 0) continue;
      if (!isnan(given->rtol[c])) *rtol = given->rtol[c];
      if (!isnan(given->atol[c])) *atol = given->atol[c];
    }
  }
}

/* The part of its tolerance that a cell used: 0 unmoved, above 1 beyond it, infinite when it has none. */
static double used_fraction(const wal_result *result, int64_t i, const wal_frame *rows,
                            const wal_frame *golden, int64_t j, int c) {
  const wal_column *column = wal_frame_column(rows, c);
  bool missing = wal_frame_missing(rows, i, c), golden_missing = wal_frame_missing(golden, j, c);
  if (missing || golden_missing) return missing && golden_missing ? 0 : INFINITY;
  wal_value a = wal_frame_get(rows, i, c), b = wal_frame_get(golden, j, c);
  if (wal_value_equal(&a, &b)) return 0;
  if (column->type == WAL_TEXT || column->type == WAL_BOOL) return INFINITY;
  double rtol, atol, value = wal_frame_real(rows, i, c), reference = wal_frame_real(golden, j, c);
  if (value == reference) return 0; /* 0 and -0 */
  tolerance(result, i, column, &rtol, &atol);
  double room = atol + rtol * fabs(reference);
  double used = fabs(value - reference) / room;
  return room > 0 && !isnan(used) ? used : INFINITY;
}

/* What one column did over all rows. */
typedef struct {
  int moved, beyond;       /* cells */
  double worst;            /* the largest used fraction */
  int64_t row, golden_row; /* where */
} column_report;

static column_report compare_column(const wal_result *result, const wal_frame *rows, const wal_frame *golden,
                                    const int64_t *partner, int c) {
  column_report report = {.row = -1};
  for (int64_t i = 0; i < wal_frame_rows(rows); i++) {
    if (partner[i] < 0) continue;
    double used = used_fraction(result, i, rows, golden, partner[i], c);
    if (used == 0) continue;
    report.moved++;
    if (used > 1) report.beyond++;
    if (used <= report.worst) continue;
    report.worst = used;
    report.row = i;
    report.golden_row = partner[i];
  }
  return report;
}

/* ---- Printing ---- */

static void cell_text(const wal_frame *frame, int64_t row, int c, char *out, size_t size) {
  wal_value value = wal_frame_get(frame, row, c);
  if (wal_frame_missing(frame, row, c))
    snprintf(out, size, "--");
  else if (value.type == WAL_REAL)
    snprintf(out, size, "%.6g", value.r);
  else
    wal_value_format(&value, out, size);
}

static void print_head(FILE *out) {
  fprintf(out, "%-4s %-14s %7s  %14s %14s %11s %9s  %s\n", "", "column", "moved", "golden", "value",
          "difference", "used", "worst at");
}

static void print_column(const wal_frame *rows, const wal_frame *golden, int c, const column_report *report,
                         FILE *out) {
  char value[WAL_TEXT_MAX], reference[WAL_TEXT_MAX], label[512], used[32] = "any", difference[32] = "";
  cell_text(rows, report->row, c, value, sizeof value);
  cell_text(golden, report->golden_row, c, reference, sizeof reference);
  row_label(rows, report->row, label, sizeof label);
  if (isfinite(report->worst)) snprintf(used, sizeof used, "%.3g%%", 100 * report->worst);
  wal_type type = wal_frame_column(rows, c)->type;
  if (type == WAL_REAL || type == WAL_INT) {
    double change = wal_frame_real(rows, report->row, c) - wal_frame_real(golden, report->golden_row, c);
    if (!isnan(change)) snprintf(difference, sizeof difference, "%+.2e", change);
  }
  fprintf(out, "%-4s %-14s %7d  %14s %14s %11s %9s  %s\n", report->beyond ? "FAIL" : "ok",
          wal_frame_column(rows, c)->name, report->moved, reference, value, difference, used, label);
}

static int print_unmatched(const wal_frame *rows, const wal_frame *golden, const int64_t *partner,
                           const bool *used, FILE *out) {
  int count = 0;
  char label[512];
  for (int64_t j = 0; j < wal_frame_rows(golden); j++) {
    if (used[j]) continue;
    row_label(golden, j, label, sizeof label);
    fprintf(out, "FAIL missing row: %s\n", label);
    count++;
  }
  for (int64_t i = 0; i < wal_frame_rows(rows); i++) {
    if (partner[i] >= 0) continue;
    row_label(rows, i, label, sizeof label);
    fprintf(out, "FAIL extra row, not in the golden file: %s\n", label);
    count++;
  }
  return count;
}

static int compare_rows(const wal_result *result, const wal_frame *rows, const wal_frame *golden,
                        const int64_t *partner, const bool *used, FILE *out) {
  int moved = 0, beyond = 0, compared = 0;
  for (int c = 0; c < wal_frame_columns(rows); c++) {
    if (is_key(wal_frame_column(rows, c))) continue;
    column_report report = compare_column(result, rows, golden, partner, c);
    compared++;
    beyond += report.beyond;
    if (!report.moved) continue;
    if (moved++ == 0) print_head(out);
    print_column(rows, golden, c, &report, out);
  }
  int unmatched = print_unmatched(rows, golden, partner, used, out);
  fprintf(
      out,
      "%s: %lld rows, %d columns compared; %d columns moved, %d cells beyond tolerance, %d rows unmatched\n",
      result->config->name, (long long)wal_frame_rows(rows), compared, moved, beyond, unmatched);
  return beyond + unmatched;
}

wal_status wal_golden_compare(const wal_result *result, const char *path, FILE *out, int *regressions) {
  *regressions = 0;
  wal_frame *rows = golden_rows(result->rows), *golden = NULL;
  if (!rows) return wal_fail(WAL_E_MEMORY, "no memory to compare with %s", path);
  int count;
  wal_column *columns = golden_columns(result->rows, &count);
  wal_status status = columns ? wal_frame_read_csv(path, columns, count, &golden)
                              : wal_fail(WAL_E_MEMORY, "no memory to compare with %s", path);
  if (!status) {
    int64_t *partner = calloc((size_t)wal_frame_rows(rows) + 1, sizeof *partner); /* [rows] */
    bool *used = calloc((size_t)wal_frame_rows(golden) + 1, sizeof *used);        /* [golden rows] */
    if (partner && used) {
      match_rows(rows, golden, partner, used);
      if (other_device(result))
        fprintf(out,
                "%s: computed on %s, golden rows on the CPU: trained networks differ by more than rounding\n",
                result->config->name, other_device(result));
      *regressions = compare_rows(result, rows, golden, partner, used, out);
    } else {
      status = wal_fail(WAL_E_MEMORY, "no memory to compare with %s", path);
    }
    free(partner);
    free(used);
  }
  free(columns);
  wal_frame_free(golden);
  wal_frame_free(rows);
  return status;
}
