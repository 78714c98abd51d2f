/* The blocks that hold numbers per column: `published:` and `regression:`. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/config_read.h"
#include "engine/params.h"

static wal_status no_memory(void) { return wal_fail(WAL_E_MEMORY, "no memory for the config"); }

static wal_status find_column(const wal_reader *reader, const wal_node *key, int *out) {
  const wal_experiment *experiment = reader->experiment;
  for (int c = 0; c < experiment->column_count; c++) {
    const wal_column *column = &experiment->columns[c];
    *out = c;
    if (strcmp(column->name, key->text) != 0) continue;
    if (column->type == WAL_REAL || column->type == WAL_INT) return WAL_OK;
    return wal_node_fail(reader->yaml, key, "column %s holds %s, not a number", column->name,
                         wal_type_name(column->type));
  }
  const char **names = calloc((size_t)experiment->column_count + 1, sizeof *names);
  if (!names) return no_memory();
  for (int c = 0; c < experiment->column_count; c++) names[c] = experiment->columns[c].name;
  wal_fail_unknown("column", key->text, experiment->id, names, experiment->column_count);
  free(names);
  return wal_fail_at(reader, key, WAL_E_INPUT);
}

/* Reads {COLUMN: NUMBER} into by_column[column_count]; columns not named stay as they are. */
static wal_status read_by_column(const wal_reader *reader, const wal_node *map, const char *what, double min,
                                 double *by_column) {
  wal_status status = wal_expect(reader, map, WAL_NODE_MAP, what, "{gap: 1e-3}");
  for (int i = 0; status == WAL_OK && i < map->count; i++) {
    int column = 0;
    status = find_column(reader, map->keys[i], &column);
    if (status == WAL_OK) {
      status = wal_read_real(reader, map->items[i], map->keys[i]->text, min, INFINITY, &by_column[column]);
    }
  }
  return status;
}

/* [column_count] NaN, malloc'd. */
static double *new_by_column(const wal_experiment *experiment) {
  double *values = malloc(((size_t)experiment->column_count + 1) * sizeof *values);
  for (int c = 0; values && c < experiment->column_count; c++) values[c] = NAN;
  return values;
}

/* Keeps the columns that were named, in the experiment's order. */
static wal_status pack_published(const wal_experiment *experiment, double *values, wal_published *out) {
  out->column = calloc((size_t)experiment->column_count + 1, sizeof *out->column);
  if (!out->column) return no_memory();
  for (int c = 0; c < experiment->column_count; c++) {
    if (isnan(values[c])) continue;
    out->column[out->count] = c;
    values[out->count++] = values[c]; /* never ahead of c */
  }
  return WAL_OK;
}

static wal_status read_published_entry(const wal_reader *reader, const wal_node *node, wal_published *out) {
  static const char *const keys[] = {"where", "setting", "values", "source"};
  wal_status status =
      wal_expect_keys(reader, node, "published", "{values: {gap: 1e-3}, source: Table 1}", keys, 4);
  if (status != WAL_OK) return status;
  const wal_node *where = wal_node_get(node, "where"), *setting = wal_node_get(node, "setting");
  const wal_node *values = wal_node_get(node, "values"), *source = wal_node_get(node, "source");
  if (!values)
    return wal_node_fail(reader->yaml, node, "published has no \"values\"; expected {gap: 1e-3} for example");
  out->value = new_by_column(reader->experiment);
  out->source = strdup("");
  if (!out->value || !out->source) return no_memory();
  if (where) status = wal_read_assignment(reader, where, "where", &out->where);
  if (status == WAL_OK && setting) status = wal_read_assignment(reader, setting, "setting", &out->setting);
  if (status == WAL_OK) status = read_by_column(reader, values, "values", -INFINITY, out->value);
  if (status == WAL_OK && source) status = wal_read_text(reader, source, "source", "Table 1", &out->source);
  return status == WAL_OK ? pack_published(reader->experiment, out->value, out) : status;
}

/* Keeps the columns that either map named. */
static wal_status pack_tolerance(const wal_experiment *experiment, wal_tolerance *out) {
  out->column = calloc((size_t)experiment->column_count + 1, sizeof *out->column);
  if (!out->column) return no_memory();
  for (int c = 0; c < experiment->column_count; c++) {
    if (isnan(out->rtol[c]) && isnan(out->atol[c])) continue;
    out->column[out->count] = c;
    out->rtol[out->count] = out->rtol[c];
    out->atol[out->count++] = out->atol[c];
  }
  return WAL_OK;
}

static wal_status read_tolerance_entry(const wal_reader *reader, const wal_node *node, wal_tolerance *out) {
  static const char *const keys[] = {"where", "rtol", "atol"};
  wal_status status = wal_expect_keys(reader, node, "regression", "{rtol: {gap: 0.1}}", keys, 3);
  if (status != WAL_OK) return status;
  const wal_node *where = wal_node_get(node, "where");
  const wal_node *rtol = wal_node_get(node, "rtol"), *atol = wal_node_get(node, "atol");
  if (!rtol && !atol) {
    return wal_node_fail(
        reader->yaml, node,
        "regression has neither \"rtol\" nor \"atol\"; expected {rtol: {gap: 0.1}} for example");
  }
  out->rtol = new_by_column(reader->experiment);
  out->atol = new_by_column(reader->experiment);
  if (!out->rtol || !out->atol) return no_memory();
  if (where) status = wal_read_assignment(reader, where, "where", &out->where);
  if (status == WAL_OK && rtol) status = read_by_column(reader, rtol, "rtol", 0, out->rtol);
  if (status == WAL_OK && atol) status = read_by_column(reader, atol, "atol", 0, out->atol);
  return status == WAL_OK ? pack_tolerance(reader->experiment, out) : status;
}

wal_status wal_read_published(const wal_reader *reader, const wal_node *root, wal_config *config) {
  const wal_node *node = wal_node_get(root, "published");
  if (!node) return WAL_OK;
  wal_status status = wal_expect(reader, node, WAL_NODE_LIST, "published", "[{values: {gap: 1e-3}}]");
  if (status != WAL_OK) return status;
  config->published = calloc((size_t)node->count + 1, sizeof *config->published);
  if (!config->published) return no_memory();
  for (int i = 0; status == WAL_OK && i < node->count; i++) {
    config->published_count = i + 1;
    status = read_published_entry(reader, node->items[i], &config->published[i]);
  }
  return status;
}

wal_status wal_read_regression(const wal_reader *reader, const wal_node *root, wal_config *config) {
  const wal_node *node = wal_node_get(root, "regression");
  if (!node) return WAL_OK;
  wal_status status = wal_expect(reader, node, WAL_NODE_LIST, "regression", "[{rtol: {gap: 0.1}}]");
  if (status != WAL_OK) return status;
  config->tolerances = calloc((size_t)node->count + 1, sizeof *config->tolerances);
  if (!config->tolerances) return no_memory();
  for (int i = 0; status == WAL_OK && i < node->count; i++) {
    config->tolerance_count = i + 1;
    status = read_tolerance_entry(reader, node->items[i], &config->tolerances[i]);
  }
  return status;
}

void wal_published_free(wal_published *published, int count) {
  for (int i = 0; i < count; i++) {
    wal_assignment_free(&published[i].where);
    wal_assignment_free(&published[i].setting);
    free(published[i].column);
    free(published[i].value);
    free(published[i].source);
  }
  free(published);
}

void wal_tolerances_free(wal_tolerance *tolerances, int count) {
  for (int i = 0; i < count; i++) {
    wal_assignment_free(&tolerances[i].where);
    free(tolerances[i].column);
    free(tolerances[i].rtol);
    free(tolerances[i].atol);
  }
  free(tolerances);
}
