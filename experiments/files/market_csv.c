/* Markets in CSV: a header with the goods' names, a row of values per buyer. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "experiments/files/csv.h"
#include "experiments/files/reader.h"

typedef struct {
  wal_csv csv;
  bool has_buyers; /* the first column holds names */
  int budget;      /* column of the budgets; -1: none */
  int columns;     /* of the header */
  int64_t room;    /* buyers that the arrays below hold */
  double *values;  /* [room, m] */
  double *budgets; /* [room] */
  wal_market_parts *out;
} reader;

/* ---- the header ---- */

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
  const char *name = in->csv.cell.data;
  if (!*name) return wal_csv_fail(&in->csv, "a column without a name; expected the name of a good");
  if (wal_csv_is_number(name))
    return wal_csv_fail(
        &in->csv, "the first line holds the number %.40s; expected a header with a name for each good", name);
  if (strpbrk(name, ";\t"))
    return wal_csv_fail(
        &in->csv, "the name \"%.40s\" has a semicolon or a tab in it; expected commas between columns", name);
  const char *meant = misspelt(name, in->csv.column == 1);
  if (meant)
    return wal_csv_fail(&in->csv, "the column \"%.40s\" is no good; did you mean \"%s\"?", name, meant);
  if (out->m == WAL_ARRAY_COLUMNS_MAX)
    return wal_csv_fail(&in->csv, "more than %d goods", WAL_ARRAY_COLUMNS_MAX);
  char **names = realloc(out->good_names, ((size_t)out->m + 1) * sizeof *names);
  if (names) out->good_names = names;
  char *copy = names ? strdup(name) : NULL;
  if (!copy) return wal_csv_no_memory(&in->csv);
  names[out->m++] = copy;
  return WAL_OK;
}

static wal_status read_header(reader *in) {
  wal_status status = WAL_OK;
  bool more = true;
  while (more && !status) {
    status = wal_csv_cell(&in->csv);
    if (status) return status;
    if (in->csv.column == 1 && strcmp(in->csv.cell.data, "buyer") == 0) {
      in->has_buyers = true;
    } else if (strcmp(in->csv.cell.data, "budget") == 0) {
      if (in->budget >= 0) return wal_csv_fail(&in->csv, "a second column budget; expected one");
      in->budget = in->csv.column;
    } else {
      status = add_good(in);
    }
    more = wal_csv_more(&in->csv);
  }
  in->columns = in->csv.column;
  wal_csv_end_line(&in->csv);
  return status ? status : wal_csv_check_names(&in->csv, "goods", in->out->good_names, in->out->m);
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
  if (!values || !budgets || (in->has_buyers && !names)) return wal_csv_no_memory(&in->csv);
  in->room = room;
  return WAL_OK;
}

/* The cells of a line behind its name: m numbers into row, and the budget. */
static wal_status read_cells(reader *in, bool is_supply, double *row /* [m] */, double *budget) {
  int good = 0;
  char what[128];
  for (bool more = in->csv.column == 0 || wal_csv_more(&in->csv); more; more = wal_csv_more(&in->csv)) {
    wal_status status = wal_csv_cell(&in->csv);
    if (status) return status;
    if (in->csv.column > in->columns)
      return wal_csv_fail(&in->csv, "a cell too many; the header has %d columns", in->columns);
    if (in->csv.column == in->budget) {
      if (is_supply && in->csv.cell.length)
        return wal_csv_fail(&in->csv, "the row supply has no budget; expected an empty cell");
      if (!is_supply) status = wal_csv_number(&in->csv, "the budget", false, budget);
    } else {
      snprintf(what, sizeof what, "the %s \"%.60s\"", is_supply ? "supply of" : "value of",
               in->out->good_names[good]);
      status = wal_csv_number(&in->csv, what, !is_supply, &row[good]);
      good++;
    }
    if (status) return status;
  }
  return wal_csv_check_end(&in->csv, in->columns);
}

static wal_status read_supply(reader *in) {
  double none;
  if (in->out->supply) return wal_csv_fail(&in->csv, "a second row supply; expected one");
  in->out->supply = malloc((size_t)in->out->m * sizeof *in->out->supply);
  return in->out->supply ? read_cells(in, true, in->out->supply, &none) : wal_csv_no_memory(&in->csv);
}

static wal_status read_buyer(reader *in) {
  wal_market_parts *out = in->out;
  wal_status status = reserve(in);
  if (status) return status;
  double *row = in->values + out->n * out->m, *budget = in->budgets + out->n, most = 0.0;
  if (in->has_buyers && !(out->buyer_names[out->n] = strdup(in->csv.cell.data)))
    return wal_csv_no_memory(&in->csv);
  out->n++;
  status = read_cells(in, false, row, budget);
  for (int j = 0; j < out->m && !status; j++) most = fmax(most, row[j]);
  if (status || most > 0.0) return status;
  in->csv.place = 1;
  return wal_csv_fail(
      &in->csv,
      "a buyer who values nothing; expected a positive value for one good at least (or leave the "
      "buyer out)");
}

static wal_status read_row(reader *in) {
  wal_status status = WAL_OK;
  in->csv.column = 0;
  if (in->has_buyers) status = wal_csv_cell(&in->csv);
  if (status) return status;
  const bool is_supply = in->has_buyers && strcmp(in->csv.cell.data, "supply") == 0;
  if (!is_supply && in->has_buyers && strcasecmp(in->csv.cell.data, "supply") == 0)
    return wal_csv_fail(&in->csv, "a buyer \"%s\"; did you mean the row \"supply\"?", in->csv.cell.data);
  status = is_supply ? read_supply(in) : read_buyer(in);
  wal_csv_end_line(&in->csv);
  return status;
}

static wal_status read_rows(reader *in) {
  wal_status status = WAL_OK;
  for (wal_csv_skip_blank_lines(&in->csv); *in->csv.at && !status; wal_csv_skip_blank_lines(&in->csv))
    status = read_row(in);
  if (!status && in->out->n == 0)
    status = wal_fail(WAL_E_INPUT, "%s: no buyers; expected a row of values for each", in->csv.path);
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

wal_status wal_market_read_csv(const char *path, wal_market_parts *out) {
  reader in = {.budget = -1, .out = out};
  wal_status status = wal_csv_open(&in.csv, path, "a header with a name for each good");
  if (!status) status = read_header(&in);
  if (!status) status = read_rows(&in);
  if (!status) status = give_arrays(&in);
  wal_csv_free(&in.csv);
  free(in.values);
  free(in.budgets);
  return status;
}
