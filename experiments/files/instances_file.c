#include "experiments/files/instances_file.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/util.h"
#include "experiments/files/instances_reader.h"
#include "experiments/files/reader.h"

void wal_instances_file_close(wal_instances_file *file) {
  if (!file) return;
  wal_array_free(file->values);
  wal_array_free(file->demands);
  wal_array_free(file->budgets);
  wal_array_free(file->weights);
  wal_array_free(file->z);
  wal_names_free(file->agent_names, file->n);
  wal_names_free(file->resource_names, file->m);
  *file = (wal_instances_file){0};
}

/* ---- one instance from a text ---- */

wal_status wal_instance_text_create(int n, int m, bool z, wal_instance_text *out) {
  const size_t cells = (size_t)n * (size_t)m;
  *out = (wal_instance_text){0};
  if (cells > WAL_ARRAY_ROW_MAX)
    return wal_fail(WAL_E_INPUT, "%d agents and %d resources; expected at most %d pairs", n, m,
                    WAL_ARRAY_ROW_MAX);
  *out = (wal_instance_text){.values = calloc(cells, sizeof(double)),
                             .demands = calloc(cells, sizeof(double)),
                             .z = z ? calloc(cells, sizeof(double)) : NULL,
                             .budgets = calloc((size_t)m, sizeof(double)),
                             .weights = malloc((size_t)n * sizeof(double))};
  if (!out->values || !out->demands || (z && !out->z) || !out->budgets || !out->weights) {
    wal_instance_text_destroy(out);
    return wal_fail(WAL_E_MEMORY, "no memory for %d agents and %d resources", n, m);
  }
  for (int i = 0; i < n; i++) out->weights[i] = 1;
  return WAL_OK;
}

void wal_instance_text_destroy(wal_instance_text *text) {
  free(text->values);
  free(text->demands);
  free(text->z);
  free(text->budgets);
  free(text->weights);
  *text = (wal_instance_text){0};
}

/* Hands over *cells unless there are none. */
static wal_status give(const char *name, int columns, double **cells, wal_array **out) {
  double *given = *cells;
  *cells = NULL;
  return given ? wal_array_of(name, 1, columns, given, out) : WAL_OK;
}

wal_status wal_instance_text_give(wal_instance_text *text, wal_instances_file *out) {
  if (!text->has_weights) free(text->weights), text->weights = NULL;
  out->count = 1;
  out->single = true;
  wal_status status = give("values", out->n * out->m, &text->values, &out->values);
  if (!status) status = give("demands", out->n * out->m, &text->demands, &out->demands);
  if (!status) status = give("budgets", out->m, &text->budgets, &out->budgets);
  if (!status) status = give("weights", out->n, &text->weights, &out->weights);
  if (!status) status = give("z", out->n * out->m, &text->z, &out->z);
  return status;
}

/* ---- blocks ---- */

wal_status wal_instances_block_create(const wal_instances_file *file, int64_t most,
                                      wal_instances_block *out) {
  enum { CELLS = 1 << 20 }; /* of one array of a block, at least one instance */
  const int64_t nm = (int64_t)file->n * file->m, fit = nm < CELLS ? CELLS / nm : 1;
  if (most > fit) most = fit;
  *out = (wal_instances_block){.room = file->count < most ? file->count : most};
  wal_status status = wal_instances_create(out->room, file->n, file->m, file->weights != NULL, &out->own);
  if (!status && file->z && !(out->z = malloc((size_t)(out->room * nm) * sizeof *out->z)))
    status = wal_fail(WAL_E_MEMORY, "no memory for %lld instances", (long long)out->room);
  if (status) wal_instances_block_destroy(out);
  return status;
}

void wal_instances_block_destroy(wal_instances_block *block) {
  wal_instances_destroy(&block->own);
  free(block->z);
  *block = (wal_instances_block){0};
}

wal_status wal_instances_block_read(const wal_instances_file *file, int64_t first, int64_t count,
                                    wal_instances_block *block) {
  const int64_t end = first + count;
  block->own.in.count = count;
  wal_status status = wal_array_read(file->values, first, end, block->own.v);
  if (!status) status = wal_array_read(file->demands, first, end, block->own.x);
  if (!status) status = wal_array_read(file->budgets, first, end, block->own.b);
  if (!status && file->weights) status = wal_array_read(file->weights, first, end, block->own.w);
  if (!status && file->z) status = wal_array_read(file->z, first, end, block->z);
  return status;
}

/* ---- opening ---- */

static wal_status check_z(const wal_instances_file *file, int64_t first, int64_t count, const double *z) {
  const int64_t nm = (int64_t)file->n * file->m;
  for (int64_t e = 0; z && e < count * nm; e++) {
    if (isfinite(z[e])) continue;
    char instance[32] = "";
    if (!file->single) snprintf(instance, sizeof instance, "%lld,", (long long)(first + e / nm));
    return wal_fail(WAL_E_INPUT, "z[%s%lld,%lld] is %g; expected a finite number (0 works)", instance,
                    (long long)(e % nm / file->m), (long long)(e % file->m), z[e]);
  }
  return WAL_OK;
}

/* Products of a value and an amount, and their sums, stay within the doubles. */
static const double LEAST = 1e-150, MOST = 1e150;

/* Widens the range of positive numbers to these, and refuses such outside LEAST to MOST. */
static wal_status note_range(const wal_instances_file *file, const wal_array *array, int64_t first,
                             int64_t count, const double *numbers, double range[2]) {
  const int64_t row = wal_array_columns(array);
  const int columns = row == (int64_t)file->n * file->m ? file->m : 1;
  for (int64_t e = 0; e < count * row; e++) {
    const double is = numbers[e];
    if (!(is > 0)) continue;
    if (is < LEAST || is > MOST) {
      char instance[32] = "", column[32] = "";
      if (!file->single) snprintf(instance, sizeof instance, "%lld,", (long long)(first + e / row));
      if (columns > 1) snprintf(column, sizeof column, ",%lld", (long long)(e % columns));
      return wal_fail(WAL_E_INPUT, "%s[%s%lld%s] is %g; expected 0, or a number from %g to %g (other units?)",
                      wal_array_name(array), instance, (long long)(e % row / columns), column, is, LEAST,
                      MOST);
    }
    if (!(range[0] > 0) || is < range[0]) range[0] = is;
    range[1] = fmax(range[1], is);
  }
  return WAL_OK;
}

static wal_status check_numbers(wal_instances_file *file) {
  wal_instances_block block;
  double budget[2] = {0, 0}, weight[2] = {0, 0};
  wal_status status = wal_instances_block_create(file, INT64_MAX, &block);
  for (int64_t first = 0; first < file->count && !status; first += block.room) {
    const int64_t left = file->count - first, count = left < block.room ? left : block.room;
    status = wal_instances_block_read(file, first, count, &block);
    if (!status) status = wal_instances_check_part(&block.own.in, file->single ? -1 : first);
    if (!status) status = check_z(file, first, count, block.z);
    if (!status) status = note_range(file, file->values, first, count, block.own.v, file->value);
    if (!status) status = note_range(file, file->demands, first, count, block.own.x, file->demand);
    if (!status) status = note_range(file, file->budgets, first, count, block.own.b, budget);
    if (!status && file->weights) status = note_range(file, file->weights, first, count, block.own.w, weight);
  }
  wal_instances_block_destroy(&block);
  return status;
}

static bool ends_in(const char *path, const char *ending) {
  const char *dot = strrchr(path, '.');
  return dot && strcasecmp(dot, ending) == 0;
}

static wal_status read_file(const char *path, int64_t memory, wal_instances_file *out) {
  const wal_status status = wal_regular_file(path, NULL);
  if (status) return status;
  FILE *file = fopen(path, "rb");
  if (!file) return wal_fail(WAL_E_IO, "%s: cannot be read: %s", path, strerror(errno));
  const bool is_h5 = wal_is_h5(file);
  fclose(file);
  const bool is_yaml = ends_in(path, ".yaml") || ends_in(path, ".yml") || ends_in(path, ".json");
  if (!is_h5 && (ends_in(path, ".h5") || ends_in(path, ".hdf5")))
    return wal_fail(WAL_E_INPUT, "%s: is not an HDF5 file, or its beginning is damaged", path);
  out->format = is_h5 ? "HDF5" : is_yaml ? "YAML" : "CSV";
  if (is_h5) return wal_instances_read_h5(path, memory, out);
  return is_yaml ? wal_instances_read_yaml(path, out) : wal_instances_read_csv(path, out);
}

wal_status wal_instances_file_open(const char *path, int64_t memory, wal_instances_file *out) {
  *out = (wal_instances_file){0};
  wal_status status = read_file(path, memory ? memory : (int64_t)1 << 30, out);
  if (!status && (status = check_numbers(out))) wal_fail_in(status, "%s: ", path);
  if (status) wal_instances_file_close(out);
  return status;
}
