/* Markets in CSV (RFC 4180): commas, quotes where a name needs them, a header, "." in numbers. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/util.h"
#include "experiments/files/reader.h"

enum { BYTES_MAX = 256 << 20 };

typedef struct {
  const char *path;
  const char *at; /* the next byte */
  int line;       /* of the next byte, from 1 */
  const char *line_start;
  bool has_buyers;      /* the first column holds names */
  int budget;           /* column of the budgets; -1: none */
  int columns;          /* of the header */
  int column;           /* cells read of this line */
  int cell_line, place; /* where the last cell begins, from 1 */
  wal_text cell;        /* the last cell */
  int64_t room;         /* buyers that the arrays below hold */
  double *values;       /* [room, m] */
  double *budgets;      /* [room] */
  wal_market_parts *out;
} reader;

static wal_status fail_at(const reader *in, const char *format, ...) __attribute__((format(printf, 2, 3)));
static wal_status fail_at(const reader *in, const char *format, ...) {
  char what[768];
  va_list args;
  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  return wal_fail(WAL_E_INPUT, "%s:%d:%d: %s", in->path, in->cell_line, in->place, what);
}

static wal_status no_memory(const reader *in) { return wal_fail(WAL_E_MEMORY, "no memory for %s", in->path); }

/* ---- cells ---- */

static bool at_line_end(const reader *in) { return *in->at == '\n' || *in->at == '\r' || *in->at == '\0'; }

static void end_line(reader *in) {
  if (*in->at == '\r') in->at++;
  if (*in->at == '\n') in->at++;
  in->line++;
  in->line_start = in->at;
  in->column = 0;
}

static bool blank_line(const reader *in) {
  const char *end = in->at + strspn(in->at, " \t");
  return *end == '\n' || *end == '\r';
}

static void skip_blank_lines(reader *in) {
  while (blank_line(in)) {
    in->at += strspn(in->at, " \t");
    end_line(in);
  }
  if (in->at[strspn(in->at, " \t")] == '\0') in->at += strspn(in->at, " \t");
}

/* The rest of a cell in quotes, "" standing for one. */
static wal_status quoted_cell(reader *in) {
  for (in->at++; *in->at && !(in->at[0] == '"' && in->at[1] != '"'); in->at++) {
    if (in->at[0] == '"') in->at++;
    wal_text_add_bytes(&in->cell, in->at, 1);
    if (*in->at == '\n') in->line++, in->line_start = in->at + 1;
  }
  if (!*in->at) return fail_at(in, "a quote that does not end; expected a closing \"");
  in->at++;
  in->at += strspn(in->at, " \t");
  if (*in->at == ',' || at_line_end(in)) return WAL_OK;
  return fail_at(in, "text after a closing quote; expected a comma or the end of the line");
}

/* Reads the next cell of this line, spaces around it left out, and the comma behind it. */
static wal_status next_cell(reader *in) {
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
  if (in->cell.failed) return no_memory(in);
  return status;
}

/* After a cell: true where another follows on this line. */
static bool more_cells(reader *in) {
  if (*in->at != ',') return false;
  in->at++;
  return true;
}

/* The last cell as a number; what: "the budget", "a value"... */
static wal_status read_number(const reader *in, const char *what, bool zero_works, double *out) {
  char *end = NULL;
  const char *text = in->cell.data;
  if (!*text) return fail_at(in, "%s is empty; expected a number (%d works)", what, zero_works ? 0 : 1);
  *out = strtod(text, &end);
  if (*end || strpbrk(text, "xX"))
    return fail_at(in, "%s is \"%.40s\"; expected a number such as 1.5", what, text);
  if (isfinite(*out) && (*out > 0.0 || (zero_works && *out == 0.0))) return WAL_OK;
  return fail_at(in, "%s is %.40s; expected a %s finite number", what, text,
                 zero_works ? "non-negative" : "positive");
}

/* ---- the header ---- */

static bool is_number(const char *text) {
  char *end;
  strtod(text, &end);
  return *text && !*end;
}

/* "Budget" or "buyers" as a good would mean a default in silence. */
static const char *misspelt(const char *name, bool first) {
  static const char *const near[] = {"budget", "budgets", "buyer", "buyers"};
  const int count = first ? 4 : 2;
  for (int k = 0; k < count; k++)
    if (strcasecmp(name, near[k]) == 0) return k < 2 ? "budget" : "buyer";
  return NULL;
}

/* The last cell as the name of one more good. */
static wal_status add_good(reader *in) {
  wal_market_parts *out = in->out;
  const char *name = in->cell.data;
  if (!*name) return fail_at(in, "a column without a name; expected the name of a good");
  if (is_number(name))
    return fail_at(in, "the first line holds the number %.40s; expected a header with a name for each good",
                   name);
  if (strpbrk(name, ";\t"))
    return fail_at(in, "the name \"%.40s\" has a semicolon or a tab in it; expected commas between columns",
                   name);
  const char *meant = misspelt(name, in->column == 1);
  if (meant) return fail_at(in, "the column \"%.40s\" is no good; did you mean \"%s\"?", name, meant);
  if (out->m == WAL_ARRAY_COLUMNS_MAX) return fail_at(in, "more than %d goods", WAL_ARRAY_COLUMNS_MAX);
  char **names = realloc(out->good_names, ((size_t)out->m + 1) * sizeof *names);
  if (names) out->good_names = names;
  char *copy = names ? strdup(name) : NULL;
  if (!copy) return no_memory(in);
  names[out->m++] = copy;
  return WAL_OK;
}

static int compare_names(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static wal_status check_goods(const reader *in) {
  const size_t m = (size_t)in->out->m;
  if (m == 0)
    return wal_fail(WAL_E_INPUT, "%s:1: no goods; expected a header with a name for each", in->path);
  char **sorted = malloc(m * sizeof *sorted);
  if (!sorted) return no_memory(in);
  memcpy(sorted, in->out->good_names, m * sizeof *sorted);
  qsort(sorted, m, sizeof *sorted, compare_names);
  wal_status status = WAL_OK;
  for (size_t j = 1; j < m && !status; j++)
    if (strcmp(sorted[j - 1], sorted[j]) == 0)
      status = wal_fail(WAL_E_INPUT, "%s:1: two goods are named \"%.60s\"; expected different names",
                        in->path, sorted[j]);
  free(sorted);
  return status;
}

static wal_status read_header(reader *in) {
  wal_status status = WAL_OK;
  bool more = true;
  while (more && !status) {
    status = next_cell(in);
    if (status) return status;
    if (in->column == 1 && strcmp(in->cell.data, "buyer") == 0) {
      in->has_buyers = true;
    } else if (strcmp(in->cell.data, "budget") == 0) {
      if (in->budget >= 0) return fail_at(in, "a second column budget; expected one");
      in->budget = in->column;
    } else {
      status = add_good(in);
    }
    more = more_cells(in);
  }
  in->columns = in->column;
  end_line(in);
  return status ? status : check_goods(in);
}

/* ---- rows ---- */

/* Room for one more buyer. */
static wal_status reserve(reader *in) {
  wal_market_parts *out = in->out;
  if (out->n < in->room) return WAL_OK;
  const int64_t room = in->room ? 2 * in->room : 64;
  double *values = realloc(in->values, (size_t)room * (size_t)out->m * sizeof *values);
  if (values) in->values = values;
  double *budgets = realloc(in->budgets, (size_t)room * sizeof *budgets);
  if (budgets) in->budgets = budgets;
  char **names = in->has_buyers ? realloc(out->buyer_names, (size_t)room * sizeof *names) : NULL;
  if (names) out->buyer_names = names;
  if (!values || !budgets || (in->has_buyers && !names)) return no_memory(in);
  in->room = room;
  return WAL_OK;
}

/* The cells of a line behind its name: m numbers into row, and the budget. */
static wal_status read_cells(reader *in, bool is_supply, double *row /* [m] */, double *budget) {
  int good = 0;
  char what[128];
  for (bool more = in->column == 0 || more_cells(in); more; more = more_cells(in)) {
    wal_status status = next_cell(in);
    if (status) return status;
    if (in->column > in->columns)
      return fail_at(in, "a cell too many; the header has %d columns", in->columns);
    if (in->column == in->budget) {
      if (is_supply && in->cell.length)
        return fail_at(in, "the row supply has no budget; expected an empty cell");
      if (!is_supply) status = read_number(in, "the budget", false, budget);
    } else {
      snprintf(what, sizeof what, "the %s \"%.60s\"", is_supply ? "supply of" : "value of",
               in->out->good_names[good]);
      status = read_number(in, what, !is_supply, &row[good]);
      good++;
    }
    if (status) return status;
  }
  if (in->column == in->columns) return WAL_OK;
  in->place = (int)(in->at - in->line_start) + 1;
  return fail_at(in, "the line ends after %d cells; the header has %d columns", in->column, in->columns);
}

static wal_status read_supply(reader *in) {
  double none;
  if (in->out->supply) return fail_at(in, "a second row supply; expected one");
  in->out->supply = malloc((size_t)in->out->m * sizeof *in->out->supply);
  return in->out->supply ? read_cells(in, true, in->out->supply, &none) : no_memory(in);
}

static wal_status read_buyer(reader *in) {
  wal_market_parts *out = in->out;
  wal_status status = reserve(in);
  if (status) return status;
  double *row = in->values + out->n * out->m, *budget = in->budgets + out->n, most = 0.0;
  if (in->has_buyers && !(out->buyer_names[out->n] = strdup(in->cell.data))) return no_memory(in);
  out->n++;
  status = read_cells(in, false, row, budget);
  for (int j = 0; j < out->m && !status; j++) most = fmax(most, row[j]);
  if (status || most > 0.0) return status;
  in->place = 1;
  return fail_at(in,
                 "a buyer who values nothing; expected a positive value for one good at least (or leave the "
                 "buyer out)");
}

static wal_status read_row(reader *in) {
  wal_status status = WAL_OK;
  in->column = 0;
  if (in->has_buyers) status = next_cell(in);
  if (status) return status;
  const bool is_supply = in->has_buyers && strcmp(in->cell.data, "supply") == 0;
  if (!is_supply && in->has_buyers && strcasecmp(in->cell.data, "supply") == 0)
    return fail_at(in, "a buyer \"%s\"; did you mean the row \"supply\"?", in->cell.data);
  status = is_supply ? read_supply(in) : read_buyer(in);
  end_line(in);
  return status;
}

static wal_status read_rows(reader *in) {
  wal_status status = WAL_OK;
  for (skip_blank_lines(in); *in->at && !status; skip_blank_lines(in)) status = read_row(in);
  if (!status && in->out->n == 0)
    status = wal_fail(WAL_E_INPUT, "%s: no buyers; expected a row of values for each", in->path);
  return status;
}

/* ---- the market ---- */

/* Hands the numbers over; what is not handed over is freed. */
static wal_status give_arrays(reader *in) {
  wal_market_parts *out = in->out;
  wal_status status = wal_array_of("values", out->n, out->m, in->values, &out->values);
  in->values = NULL;
  if (status || in->budget < 0) return status;
  status = wal_array_of("budgets", out->n, 1, in->budgets, &out->budgets);
  in->budgets = NULL;
  return status;
}

static wal_status read_text(reader *in, const char *bytes, size_t length) {
  const size_t valid = wal_utf8_check(bytes, length);
  if (valid < length)
    return wal_fail(WAL_E_INPUT, "%s: byte 0x%02X at %zu is not UTF-8 text; expected HDF5 or CSV", in->path,
                    (unsigned char)bytes[valid], valid);
  in->at = in->line_start = length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? bytes + 3 : bytes;
  skip_blank_lines(in);
  if (!*in->at)
    return wal_fail(WAL_E_INPUT, "%s: is empty; expected a header with a name for each good", in->path);
  wal_status status = read_header(in);
  if (!status) status = read_rows(in);
  return status ? status : give_arrays(in);
}

wal_status wal_market_read_csv(const char *path, wal_market_parts *out) {
  char *bytes = NULL;
  size_t length = 0;
  reader in = {.path = path, .line = 1, .budget = -1, .out = out};
  wal_status status = wal_read_file(path, BYTES_MAX, &bytes, &length);
  if (!status) status = read_text(&in, bytes, length);
  wal_text_free(&in.cell);
  free(in.values);
  free(in.budgets);
  free(bytes);
  return status;
}
