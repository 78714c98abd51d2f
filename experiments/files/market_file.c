#include "experiments/files/market_file.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/util.h"
#include "experiments/files/reader.h"
#include "models/common/parallel.h"
#include "models/market/contexts.h"

void wal_names_free(char **names, int64_t count) {
  for (int64_t k = 0; names && k < count; k++) free(names[k]);
  free(names);
}

void wal_market_parts_free(wal_market_parts *parts) {
  wal_array_free(parts->values);
  wal_array_free(parts->buyers);
  wal_array_free(parts->budgets);
  free(parts->goods);
  free(parts->supply);
  wal_names_free(parts->buyer_names, parts->n);
  wal_names_free(parts->good_names, parts->m);
  *parts = (wal_market_parts){0};
}

/* ---- the source `file` ---- */

struct wal_market_rows {
  wal_source base;
  wal_market_parts parts;
  wal_source *contexts; /* owned; NULL: the file gives values */
};

static wal_status read_budgets(const struct wal_market_rows *s, int64_t lo, int64_t hi, double *budget) {
  if (s->parts.budgets) return wal_array_read(s->parts.budgets, lo, hi, budget);
  for (int64_t i = 0; i < hi - lo; i++) budget[i] = 1.0;
  return WAL_OK;
}

static wal_status value_rows(const wal_source *source, int64_t lo, int64_t hi, double *v, double *budget) {
  const struct wal_market_rows *s = (const struct wal_market_rows *)source;
  wal_status status = v ? wal_array_read(s->parts.values, lo, hi, v) : WAL_OK;
  if (status == WAL_OK && budget) status = read_budgets(s, lo, hi, budget);
  return status;
}

/* Budgets are ||b_i||_2 unless the file gives them. */
static wal_status context_rows(const wal_source *source, int64_t lo, int64_t hi, double *v, double *budget) {
  const struct wal_market_rows *s = (const struct wal_market_rows *)source;
  const bool own = s->parts.budgets != NULL;
  const wal_status status = s->contexts->ops->rows(s->contexts, lo, hi, v, own ? NULL : budget);
  return status == WAL_OK && own && budget ? read_budgets(s, lo, hi, budget) : status;
}

static wal_status context_columns(const wal_source *source, int64_t lo, int64_t hi, int64_t stride, double *v,
                                  double *budget) {
  const struct wal_market_rows *s = (const struct wal_market_rows *)source;
  const bool own = s->parts.budgets != NULL;
  const wal_status status =
      wal_source_columns(s->contexts, s->parts.m, lo, hi, stride, v, own ? NULL : budget);
  return status == WAL_OK && own && budget ? read_budgets(s, lo, hi, budget) : status;
}

static wal_status contexts(const wal_source *source, int64_t lo, int64_t hi, float *b) {
  const struct wal_market_rows *s = (const struct wal_market_rows *)source;
  return s->contexts->ops->contexts(s->contexts, lo, hi, b);
}

static const wal_source_ops value_ops = {.name = "file", .rows = value_rows},
                            context_ops = {.name = "file",
                                           .rows = context_rows,
                                           .contexts = contexts,
                                           .columns = context_columns};

static wal_status read_contexts(const void *buyers, int64_t lo, int64_t hi, double *b) {
  return wal_array_read(buyers, lo, hi, b);
}

static void rows_free(struct wal_market_rows *rows) {
  if (!rows) return;
  wal_source_destroy(rows->contexts);
  wal_market_parts_free(&rows->parts);
  free(rows);
}

/* ---- checks ---- */

static wal_status check_vector(const char *name, const double *values, int count) {
  for (int j = 0; j < count; j++)
    if (!(values[j] > 0.0) || isinf(values[j]))
      return wal_fail(WAL_E_INPUT, "%s[%d] is %g; expected a positive finite number (1 works)", name, j,
                      values[j]);
  return WAL_OK;
}

static wal_status check_goods(const wal_market_parts *parts) {
  for (int64_t k = 0; parts->goods && k < (int64_t)parts->m * parts->d; k++)
    if (!isfinite(parts->goods[k]))
      return wal_fail(WAL_E_INPUT, "goods[%lld, %lld] is %g; expected a finite number",
                      (long long)k / parts->d, (long long)k % parts->d, parts->goods[k]);
  return WAL_OK;
}

typedef struct {
  const wal_market_parts *parts;
  double alpha;
} checking;

static wal_status check_values(const checking *c, int64_t i, const double *v) {
  bool wants = false;
  for (int j = 0; j < c->parts->m; j++) {
    if (!(v[j] >= 0.0) || isinf(v[j]))
      return wal_fail(WAL_E_INPUT, "values[%lld, %d] is %g; expected a finite number of at least 0",
                      (long long)i, j, v[j]);
    if (v[j] == 0.0 && c->alpha < 0.0)
      return wal_fail(WAL_E_INPUT,
                      "values[%lld, %d] is 0; at alpha = %g, where every good is indispensable, expected a "
                      "positive number (alpha of at least 0 takes zeros)",
                      (long long)i, j, c->alpha);
    wants |= v[j] > 0.0;
  }
  if (wants) return WAL_OK;
  return wal_fail(WAL_E_INPUT,
                  "values[%lld] is 0 for every good: a buyer who values nothing; expected a positive value "
                  "for one good at least (or leave the buyer out)",
                  (long long)i);
}

static wal_status check_context(const checking *c, int64_t i, const double *b) {
  bool is_zero = true;
  for (int e = 0; e < c->parts->d; e++) {
    if (!isfinite(b[e]))
      return wal_fail(WAL_E_INPUT, "buyers[%lld, %d] is %g; expected a finite number", (long long)i, e, b[e]);
    is_zero &= b[e] == 0.0;
  }
  if (!is_zero || c->parts->budgets) return WAL_OK;
  return wal_fail(
      WAL_E_INPUT,
      "buyers[%lld] is all zeros, so that its budget ||b|| would be 0; expected another context, or "
      "a dataset budgets",
      (long long)i);
}

/* Buyers [lo, hi) through room[hi-lo, width]. */
static wal_status check_tile(const checking *c, int64_t lo, int64_t hi, int width, double *room) {
  const wal_market_parts *parts = c->parts;
  const wal_array *array = parts->values ? parts->values : parts->buyers;
  wal_status status = wal_array_read(array, lo, hi, room);
  for (int64_t i = lo; status == WAL_OK && i < hi; i++) {
    const double *row = room + (i - lo) * width;
    status = parts->values ? check_values(c, i, row) : check_context(c, i, row);
  }
  if (status != WAL_OK || !parts->budgets) return status;
  status = wal_array_read(parts->budgets, lo, hi, room);
  for (int64_t i = lo; status == WAL_OK && i < hi; i++)
    if (!(room[i - lo] > 0.0) || isinf(room[i - lo]))
      status = wal_fail(WAL_E_INPUT, "budgets[%lld] is %g; expected a positive finite number (1 works)",
                        (long long)i, room[i - lo]);
  return status;
}

static wal_status check_body(void *context, int64_t lo, int64_t hi) {
  enum { CELLS = 1 << 17 }; /* at a time, at least one row */
  const checking *c = context;
  const int width = c->parts->values ? c->parts->m : c->parts->d;
  const int64_t tile = width < CELLS ? CELLS / width : 1;
  double *room = malloc((size_t)tile * (size_t)width * sizeof *room);
  if (!room) return wal_fail(WAL_E_MEMORY, "no memory for %lld buyers", (long long)tile);
  wal_status status = WAL_OK;
  for (int64_t at = lo; status == WAL_OK && at < hi; at += tile)
    status = check_tile(c, at, hi - at < tile ? hi : at + tile, width, room);
  free(room);
  return status;
}

static wal_status check_parts(const wal_market_parts *parts, double alpha) {
  checking c = {parts, alpha};
  wal_status status = parts->supply ? check_vector("supply", parts->supply, parts->m) : WAL_OK;
  if (status == WAL_OK) status = check_goods(parts);
  if (status == WAL_OK) status = wal_for_chunks(parts->n, check_body, &c);
  return status;
}

/* The alpha that counts: the caller's, else the file's. */
static wal_status find_alpha(const wal_market_file_options *options, double in_file, double *alpha) {
  *alpha = isnan(options->alpha) ? in_file : options->alpha;
  if (isnan(*alpha))
    return wal_fail(WAL_E_INPUT,
                    "no alpha: the file does not say which CES utilities the buyers have; give --alpha 1 "
                    "(linear), 0.5, 0 (Cobb-Douglas), -1 or -inf (Leontief), or an HDF5 attribute alpha");
  if (*alpha <= 1.0) return WAL_OK;
  return wal_fail(WAL_E_INPUT, "alpha is %g; expected a number from -inf to 1 (0.5 works)", *alpha);
}

/* ---- opening ---- */

static wal_status read_parts(const char *path, int64_t memory, wal_market_file *out,
                             wal_market_parts *parts) {
  const wal_status status = wal_regular_file(path, NULL);
  if (status != WAL_OK) return status;
  FILE *file = fopen(path, "rb");
  if (!file) return wal_fail(WAL_E_IO, "%s: cannot be read: %s", path, strerror(errno));
  const bool is_h5 = wal_is_h5(file);
  fclose(file);
  out->format = is_h5 ? "HDF5" : "CSV";
  return is_h5 ? wal_market_read_h5(path, memory, parts) : wal_market_read_csv(path, parts);
}

/* Turns rows->parts into the market. */
static wal_status fill_market(const wal_market_file_options *options, double alpha,
                              struct wal_market_rows *rows, wal_market_file *out) {
  wal_market_parts *parts = &rows->parts;
  const size_t m = (size_t)parts->m, cells = m * (size_t)parts->d;
  wal_status status = WAL_OK;
  out->supply = malloc(m * sizeof *out->supply);
  if (parts->goods) out->contexts = malloc(cells * sizeof *out->contexts);
  if (!out->supply || (parts->goods && !out->contexts))
    return wal_fail(WAL_E_MEMORY, "no memory for %d goods", parts->m);
  for (size_t j = 0; j < m; j++) out->supply[j] = parts->supply ? parts->supply[j] : 1.0;
  for (size_t k = 0; parts->goods && k < cells; k++) out->contexts[k] = (float)parts->goods[k];
  rows->base.ops = parts->goods ? &context_ops : &value_ops;
  if (parts->goods)
    status = wal_source_given_contexts(parts->m, parts->d, parts->goods, read_contexts, parts->buyers,
                                       &rows->contexts);
  out->market = (wal_market){.n = parts->n,
                             .m = parts->m,
                             .d = parts->d,
                             .alpha = alpha,
                             .quasilinear = options->quasilinear,
                             .buyers = &rows->base,
                             .supply = out->supply,
                             .goods = out->contexts};
  out->streamed = parts->streamed;
  out->has_budgets = parts->budgets != NULL;
  out->has_supply = parts->supply != NULL;
  out->buyer_names = parts->buyer_names;
  out->good_names = parts->good_names;
  return status;
}

wal_status wal_market_file_open(const char *path, const wal_market_file_options *options,
                                wal_market_file *out) {
  double alpha = NAN;
  *out = (wal_market_file){0};
  out->rows = calloc(1, sizeof *out->rows);
  if (!out->rows) return wal_fail(WAL_E_MEMORY, "no memory to open %s", path);
  wal_market_parts *parts = &out->rows->parts;
  parts->alpha = NAN;
  wal_status status = read_parts(path, options->memory ? options->memory : (int64_t)1 << 30, out, parts);
  if (status == WAL_OK) {
    status = find_alpha(options, parts->alpha, &alpha);
    if (status == WAL_OK) status = check_parts(parts, alpha);
    if (status == WAL_OK) status = fill_market(options, alpha, out->rows, out);
    if (status != WAL_OK) wal_fail_in(status, "%s: ", path);
  }
  if (status != WAL_OK) wal_market_file_close(out);
  return status;
}

void wal_market_file_close(wal_market_file *file) {
  if (!file) return;
  rows_free(file->rows);
  free(file->supply);
  free(file->contexts);
  *file = (wal_market_file){0};
}
