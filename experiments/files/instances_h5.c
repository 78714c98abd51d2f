/* Allocation problems in HDF5: datasets by the names of instances_file.h. */
#include <stdlib.h>
#include <string.h>

#include "engine/h5.h"
#include "experiments/files/instances_reader.h"
#include "experiments/files/texts.h"

static const char *const known[] = {"values", "demands",     "budgets",       "weights",
                                    "z",      "agent_names", "resource_names"};
enum { KNOWN = sizeof known / sizeof *known };
#define EXPECTED                                                                                    \
  "expected values and demands [K, N, M] and budgets [K, M] (and, optional, weights [K, N], z [K, " \
  "N, M]), or all without K"

static const double NUMBERS_MAX = 1099511627776.0; /* 2^40 of one dataset */

static wal_status check_names(hid_t file) {
  wal_status status = wal_array_check_names(file, known, KNOWN, EXPECTED);
  for (int k = 0; k < 3 && !status; k++) {
    char missing[48];
    snprintf(missing, sizeof missing, "no dataset %s", known[k]);
    if (!wal_array_exists(file, known[k])) status = wal_array_fail_missing(file, missing, EXPECTED);
  }
  return status;
}

/* Has `values` two dimensions, and is so a single instance? */
static bool is_single(hid_t file) {
  const hid_t set = H5Dopen2(file, "values", H5P_DEFAULT), space = set < 0 ? -1 : H5Dget_space(set);
  const bool single = space >= 0 && H5Sget_simple_extent_ndims(space) == 2;
  wal_h5_close(space);
  wal_h5_close(set);
  H5Eclear2(H5E_DEFAULT);
  return single;
}

/* ---- one instance ---- */

/* A dataset of a single instance as one row of rows * columns numbers. */
static wal_status read_single(hid_t file, const char *name, const wal_array_shape *shape, int *rows,
                              int *columns, wal_array **out) {
  wal_array *array = NULL;
  wal_status status = wal_array_open(file, name, shape, &array);
  if (status) return status;
  const int64_t count = wal_array_rows(array), cells = count * wal_array_columns(array);
  *columns = wal_array_columns(array);
  *rows = (int)count;
  double *numbers = NULL;
  if ((double)count * *columns > WAL_ARRAY_ROW_MAX)
    status = wal_fail(WAL_E_INPUT, "dataset %s has %lld x %d numbers; expected at most %d of one instance",
                      name, (long long)count, *columns, WAL_ARRAY_ROW_MAX);
  if (!status) status = wal_array_load(array);
  if (!status && !(numbers = malloc((size_t)cells * sizeof *numbers)))
    status = wal_fail(WAL_E_MEMORY, "no memory for dataset %s", name);
  if (!status) status = wal_array_read(array, 0, count, numbers);
  wal_array_free(array);
  if (!status) return wal_array_of(name, 1, (int)cells, numbers, out);
  free(numbers);
  return status;
}

static wal_status read_one(hid_t file, wal_instances_file *out) {
  int rows, columns;
  const wal_array_shape any = {2, -1, -1, 1, "a row per agent, a column per resource, at least one each"};
  wal_status status = read_single(file, "values", &any, &out->n, &out->m, &out->values);
  const wal_array_shape same = {2, out->n, out->m, 1, "one number per value"};
  const wal_array_shape per_resource = {1, out->m, 1, 1, "one budget per resource"};
  const wal_array_shape per_agent = {1, out->n, 1, 1, "one weight per agent"};
  if (!status) status = read_single(file, "demands", &same, &rows, &columns, &out->demands);
  if (!status) status = read_single(file, "budgets", &per_resource, &rows, &columns, &out->budgets);
  if (!status && wal_array_exists(file, "weights"))
    status = read_single(file, "weights", &per_agent, &rows, &columns, &out->weights);
  if (!status && wal_array_exists(file, "z"))
    status = read_single(file, "z", &same, &rows, &columns, &out->z);
  out->count = 1;
  out->single = true;
  return status;
}

/* ---- many ---- */

static wal_status open_many(hid_t file, wal_instances_file *out) {
  const wal_array_shape any = {3, -1, -1, -1, "instances, agents, resources, at least one each"};
  wal_status status = wal_array_open(file, "values", &any, &out->values);
  if (status) return status;
  out->count = wal_array_rows(out->values);
  out->n = wal_array_size(out->values, 1);
  out->m = wal_array_size(out->values, 2);
  if ((double)out->count * out->n * out->m > NUMBERS_MAX)
    return wal_fail(WAL_E_INPUT, "dataset values has %lld x %d x %d numbers; expected at most 2^40",
                    (long long)out->count, out->n, out->m);
  const wal_array_shape same = {3, out->count, out->n, out->m, "one number per value"};
  const wal_array_shape per_resource = {2, out->count, out->m, 1, "one budget per instance and resource"};
  const wal_array_shape per_agent = {2, out->count, out->n, 1, "one weight per instance and agent"};
  status = wal_array_open(file, "demands", &same, &out->demands);
  if (!status) status = wal_array_open(file, "budgets", &per_resource, &out->budgets);
  if (!status && wal_array_exists(file, "weights"))
    status = wal_array_open(file, "weights", &per_agent, &out->weights);
  if (!status && wal_array_exists(file, "z")) status = wal_array_open(file, "z", &same, &out->z);
  return status;
}

/* All in memory, or all streamed. */
static wal_status load_or_stream(const char *path, int64_t memory, wal_instances_file *out) {
  wal_array *const arrays[] = {out->values, out->demands, out->budgets, out->weights, out->z};
  double bytes = 0;
  for (int k = 0; k < 5; k++)
    if (arrays[k]) bytes += 8.0 * (double)out->count * wal_array_columns(arrays[k]);
  out->streamed = bytes > (double)memory;
  wal_status status = WAL_OK;
  for (int k = 0; k < 5 && !status; k++)
    if (arrays[k]) status = out->streamed ? wal_array_stream(arrays[k], path) : wal_array_load(arrays[k]);
  return status;
}

static wal_status read_names(hid_t file, wal_instances_file *out) {
  wal_status status = wal_texts_read(file, "agent_names", out->n, &out->agent_names);
  if (!status) status = wal_texts_read(file, "resource_names", out->m, &out->resource_names);
  return status;
}

wal_status wal_instances_read_h5(const char *path, int64_t memory, wal_instances_file *out) {
  hid_t file = -1;
  wal_status status = wal_h5_open_in_place(path, &file);
  if (status) return status;
  status = check_names(file);
  const bool single = !status && is_single(file);
  if (!status) status = single ? read_one(file, out) : open_many(file, out);
  if (!status && !single) status = load_or_stream(path, memory, out);
  if (!status) status = read_names(file, out);
  if (status) wal_fail_in(status, "%s: ", path);
  wal_h5_close(file);
  return status;
}
