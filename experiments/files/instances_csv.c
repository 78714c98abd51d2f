/* One allocation problem in CSV: a column `agent`, optionally `weight`, columns value:NAME and demand:NAME
   for each resource, a row per agent, and a row `budget` with the budgets in the demand columns. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "experiments/files/csv.h"
#include "experiments/files/instances_reader.h"
#include "experiments/files/reader.h"

typedef enum { AGENT, WEIGHT, VALUE, DEMAND } column_kind;
typedef struct {
  column_kind kind;
  int resource; /* of VALUE and DEMAND */
} column;

enum { RESOURCES_MAX = 4096, COLUMNS_MAX = 2 * RESOURCES_MAX + 2 };
#define EXPECTED_COLUMN "expected agent (the first), weight, value:NAME or demand:NAME"

typedef struct {
  wal_csv csv;
  column *columns; /* [count] */
  int count;
  bool has_budgets, has_weights;
  int64_t room; /* agents that the numbers below hold */
  wal_instance_text text;
  wal_instances_file *out;
} reader;

/* ---- the header ---- */

static int find_resource(const wal_instances_file *out, const char *name) {
  for (int j = 0; j < out->m; j++)
    if (strcmp(out->resource_names[j], name) == 0) return j;
  return -1;
}

static wal_status add_resource(reader *in, const char *name, int *number) {
  wal_instances_file *out = in->out;
  *number = find_resource(out, name);
  if (*number >= 0) return WAL_OK;
  if (out->m == RESOURCES_MAX)
    return wal_csv_fail(&in->csv, "more than %d resources; expected HDF5 for so many", RESOURCES_MAX);
  char **names = realloc(out->resource_names, ((size_t)out->m + 1) * sizeof *names);
  if (names) out->resource_names = names;
  char *copy = names ? strdup(name) : NULL;
  if (!copy) return wal_csv_no_memory(&in->csv);
  names[out->m] = copy;
  *number = out->m++;
  return WAL_OK;
}

/* "value:bread" and the like. */
static wal_status read_resource_column(reader *in, const char *name, column *out) {
  const char *colon = strchr(name, ':');
  const size_t length = colon ? (size_t)(colon - name) : 0;
  const char *resource = colon ? colon + 1 + strspn(colon + 1, " \t") : "";
  const bool value = length == 5 && strncmp(name, "value", 5) == 0;
  const bool demand = length == 6 && strncmp(name, "demand", 6) == 0;
  if ((!value && !demand) || !*resource)
    return wal_csv_fail(&in->csv, "the column \"%.60s\"; " EXPECTED_COLUMN, name);
  out->kind = value ? VALUE : DEMAND;
  return add_resource(in, resource, &out->resource);
}

static wal_status read_column(reader *in) {
  const char *name = in->csv.cell.data;
  column found = {0};
  wal_status status = WAL_OK;
  if (in->csv.column > COLUMNS_MAX) return wal_csv_fail(&in->csv, "more than %d columns", COLUMNS_MAX);
  if (in->csv.column == 1 && strcmp(name, "agent") != 0)
    return wal_csv_fail(&in->csv, "the first column is \"%.60s\"; expected agent", name);
  if (in->csv.column == 1)
    found.kind = AGENT;
  else if (strcmp(name, "weight") == 0)
    found.kind = WEIGHT;
  else
    status = read_resource_column(in, name, &found);
  for (int c = 0; c < in->count && !status; c++)
    if (in->columns[c].kind == found.kind && in->columns[c].resource == found.resource)
      status = wal_csv_fail(&in->csv, "a second column \"%.60s\"; expected one", name);
  if (!status) in->columns[in->count++] = found;
  in->has_weights |= !status && found.kind == WEIGHT;
  return status;
}

/* Has every resource a column of both kinds? */
static wal_status check_columns(const reader *in) {
  const wal_instances_file *out = in->out;
  int most = 0;
  for (int c = 0; c < in->count; c++) most += in->columns[c].kind == VALUE || in->columns[c].kind == DEMAND;
  if (out->m == 0)
    return wal_fail(WAL_E_INPUT, "%s:1: no resources; expected columns value:NAME and demand:NAME",
                    in->csv.path);
  for (int j = 0; j < out->m && most < 2 * out->m; j++) {
    bool has[2] = {false, false};
    for (int c = 0; c < in->count; c++)
      if (in->columns[c].kind >= VALUE && in->columns[c].resource == j)
        has[in->columns[c].kind - VALUE] = true;
    if (!has[0] || !has[1])
      return wal_fail(WAL_E_INPUT, "%s:1: no column %s:%.60s; expected value:NAME and demand:NAME of each",
                      in->csv.path, has[0] ? "demand" : "value", out->resource_names[j]);
  }
  return WAL_OK;
}

static wal_status read_header(reader *in) {
  in->columns = calloc(COLUMNS_MAX, sizeof *in->columns);
  wal_status status = in->columns ? WAL_OK : wal_csv_no_memory(&in->csv);
  for (bool more = true; more && !status; more = wal_csv_more(&in->csv)) {
    status = wal_csv_cell(&in->csv);
    if (!status) status = read_column(in);
  }
  if (!status) status = check_columns(in);
  if (!status && !(in->text.budgets = calloc((size_t)in->out->m, sizeof(double))))
    status = wal_csv_no_memory(&in->csv);
  wal_csv_end_line(&in->csv);
  return status;
}

/* ---- rows ---- */

static bool grow(double **numbers, int64_t count) {
  double *more = realloc(*numbers, (size_t)count * sizeof *more);
  if (more) *numbers = more;
  return more != NULL;
}

/* Room for one more agent. */
static wal_status reserve(reader *in) {
  wal_instances_file *out = in->out;
  if (out->n < in->room) return WAL_OK;
  const int64_t room = in->room ? 2 * in->room : 64;
  if ((double)out->n * out->m > WAL_ARRAY_ROW_MAX)
    return wal_csv_fail(&in->csv, "more than %d pairs of agents and resources; expected HDF5 for so many",
                        WAL_ARRAY_ROW_MAX);
  char **names = realloc(out->agent_names, (size_t)room * sizeof *names);
  if (names) out->agent_names = names;
  if (!names || !grow(&in->text.values, room * out->m) || !grow(&in->text.demands, room * out->m) ||
      !grow(&in->text.weights, room))
    return wal_csv_no_memory(&in->csv);
  in->room = room;
  return WAL_OK;
}

/* The cell of the row `budget` in column c. */
static wal_status read_budget_cell(reader *in, const column *c) {
  char what[96];
  if (c->kind != DEMAND && in->csv.cell.length)
    return wal_csv_fail(&in->csv,
                        "the row budget has numbers in the demand columns only; expected an empty cell");
  if (c->kind != DEMAND) return WAL_OK;
  snprintf(what, sizeof what, "the budget of \"%.60s\"", in->out->resource_names[c->resource]);
  return wal_csv_number(&in->csv, what, true, &in->text.budgets[c->resource]);
}

/* The cell of agent i in column c. */
static wal_status read_agent_cell(reader *in, int i, const column *c) {
  char what[96];
  if (c->kind == WEIGHT) return wal_csv_number(&in->csv, "the weight", true, &in->text.weights[i]);
  double *row = (c->kind == VALUE ? in->text.values : in->text.demands) + (size_t)i * (size_t)in->out->m;
  snprintf(what, sizeof what, "the %s of \"%.60s\"", c->kind == VALUE ? "value" : "demand",
           in->out->resource_names[c->resource]);
  return wal_csv_number(&in->csv, what, true, &row[c->resource]);
}

/* The cells behind a name: agent i's, or with i < 0 those of the row budget. */
static wal_status read_cells(reader *in, int i) {
  while (wal_csv_more(&in->csv)) {
    wal_status status = wal_csv_cell(&in->csv);
    if (status) return status;
    if (in->csv.column > in->count)
      return wal_csv_fail(&in->csv, "a cell too many; the header has %d columns", in->count);
    const column *c = &in->columns[in->csv.column - 1];
    status = i < 0 ? read_budget_cell(in, c) : read_agent_cell(in, i, c);
    if (status) return status;
  }
  return wal_csv_check_end(&in->csv, in->count);
}

static wal_status read_agent(reader *in) {
  wal_instances_file *out = in->out;
  wal_status status = reserve(in);
  if (status) return status;
  if (!(out->agent_names[out->n] = strdup(in->csv.cell.data))) return wal_csv_no_memory(&in->csv);
  in->text.weights[out->n] = 1;
  return read_cells(in, out->n++);
}

static wal_status read_row(reader *in) {
  in->csv.column = 0;
  wal_status status = wal_csv_cell(&in->csv);
  if (status) return status;
  const char *name = in->csv.cell.data;
  const bool budget = strcmp(name, "budget") == 0;
  if (!budget && (strcasecmp(name, "budget") == 0 || strcasecmp(name, "budgets") == 0))
    return wal_csv_fail(&in->csv, "an agent \"%s\"; did you mean the row \"budget\"?", name);
  if (budget && in->has_budgets) return wal_csv_fail(&in->csv, "a second row budget; expected one");
  in->has_budgets |= budget;
  status = budget ? read_cells(in, -1) : read_agent(in);
  wal_csv_end_line(&in->csv);
  return status;
}

static wal_status read_rows(reader *in) {
  wal_status status = WAL_OK;
  for (wal_csv_skip_blank_lines(&in->csv); *in->csv.at && !status; wal_csv_skip_blank_lines(&in->csv))
    status = read_row(in);
  if (!status && in->out->n == 0)
    status = wal_fail(WAL_E_INPUT, "%s: no agents; expected a row for each", in->csv.path);
  if (!status && !in->has_budgets)
    status = wal_fail(WAL_E_INPUT,
                      "%s: no row budget; expected one with the budget of each resource in its demand column",
                      in->csv.path);
  return status;
}

wal_status wal_instances_read_csv(const char *path, wal_instances_file *out) {
  reader in = {.out = out};
  wal_status status = wal_csv_open(&in.csv, path, "a header: agent, value:NAME, demand:NAME");
  if (!status) status = read_header(&in);
  if (!status) status = read_rows(&in);
  in.text.has_weights = in.has_weights;
  if (!status) status = wal_instance_text_give(&in.text, out);
  wal_instance_text_destroy(&in.text);
  free(in.columns);
  wal_csv_free(&in.csv);
  return status;
}
