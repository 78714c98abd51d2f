/* Markets in HDF5: datasets and attributes by the names of market_file.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/h5.h"
#include "experiments/files/reader.h"
#include "experiments/files/texts.h"

enum { NAMES_MAX = 1000000, CONTEXT_MAX = 4096 };

static const char *const known[] = {"values", "buyers",      "goods",     "budgets",
                                    "supply", "buyer_names", "good_names"};
enum { KNOWN = sizeof known / sizeof *known };
#define EXPECTED \
  "expected values [n, m], or buyers [n, d] and goods [m, d] (and, optional, budgets [n], supply [m])"

bool wal_is_h5(FILE *file) {
  static const char signature[8] = {'\211', 'H', 'D', 'F', '\r', '\n', '\032', '\n'};
  char found[8];
  for (off_t at = 0; fseeko(file, at, SEEK_SET) == 0; at = at ? 2 * at : 512) {
    if (fread(found, 1, sizeof found, file) < sizeof found) return false;
    if (memcmp(found, signature, sizeof found) == 0) return true;
  }
  return false;
}

/* ---- what is there ---- */

static wal_status check_names(hid_t file) {
  const bool values = wal_array_exists(file, "values"),
             contexts = wal_array_exists(file, "buyers") && wal_array_exists(file, "goods");
  const wal_status status = wal_array_check_names(file, known, KNOWN, EXPECTED);
  if (status) return status;
  if (values && (wal_array_exists(file, "buyers") || wal_array_exists(file, "goods")))
    return wal_fail(WAL_E_INPUT, "has both values and buyers or goods; " EXPECTED);
  return values || contexts ? WAL_OK : wal_array_fail_missing(file, "no market", EXPECTED);
}

/* ---- small parts ---- */

static wal_status read_alpha(hid_t file, double *alpha) {
  if (H5Aexists(file, "alpha") <= 0) return WAL_OK;
  wal_status status = wal_h5_get_real(file, "alpha", alpha);
  if (!status && isnan(*alpha))
    status = wal_fail(WAL_E_INPUT, "attribute alpha is NaN; expected a number from -inf to 1 (0.5 works)");
  return status;
}

/* A dataset that stays in memory, as plain cells[rows * columns]. */
static wal_status read_cells(hid_t file, const char *name, const wal_array_shape *shape, int64_t memory,
                             int64_t *rows, int *columns, double **cells) {
  wal_array *array = NULL;
  wal_status status = wal_array_open(file, name, shape, &array);
  if (status) return status;
  *rows = wal_array_rows(array);
  *columns = wal_array_columns(array);
  const double bytes = 8.0 * (double)*rows * *columns;
  if (bytes > (double)memory)
    status = wal_fail(WAL_E_INPUT, "dataset %s has %lld x %d numbers; expected goods that fit in the memory",
                      name, (long long)*rows, *columns);
  if (!status) status = wal_array_load(array);
  *cells = status ? NULL : malloc((size_t)bytes);
  if (!status && !*cells) status = wal_fail(WAL_E_MEMORY, "no memory for dataset %s", name);
  if (!status) status = wal_array_read(array, 0, *rows, *cells);
  wal_array_free(array);
  return status;
}

static wal_status read_supply(hid_t file, wal_market_parts *out) {
  const wal_array_shape shape = {.rank = 1, .rows = out->m, .why = "one supply per good"};
  int64_t rows;
  int columns;
  if (!wal_array_exists(file, "supply")) return WAL_OK;
  return read_cells(file, "supply", &shape, INT64_MAX, &rows, &columns, &out->supply);
}

/* ---- the market ---- */

static wal_status open_values(hid_t file, wal_market_parts *out) {
  const wal_array_shape shape = {2, -1, -1, 1, "a row per buyer, a column per good"};
  wal_status status = wal_array_open(file, "values", &shape, &out->values);
  if (status) return status;
  out->n = wal_array_rows(out->values);
  out->m = wal_array_columns(out->values);
  return WAL_OK;
}

static wal_status open_contexts(hid_t file, int64_t memory, wal_market_parts *out) {
  const wal_array_shape buyers = {2, -1, -1, 1, "a row per buyer, a column per element of the context"};
  wal_status status = wal_array_open(file, "buyers", &buyers, &out->buyers);
  if (status) return status;
  const wal_array_shape goods = {2, -1, wal_array_columns(out->buyers), 1,
                                 "a row per good, as many columns as buyers"};
  int64_t m;
  status = read_cells(file, "goods", &goods, memory, &m, &out->d, &out->goods);
  if (status) return status;
  if (m > WAL_ARRAY_COLUMNS_MAX || out->d > CONTEXT_MAX)
    return wal_fail(WAL_E_INPUT,
                    "dataset goods has shape [%lld, %d]; expected at most %d goods of %d elements",
                    (long long)m, out->d, WAL_ARRAY_COLUMNS_MAX, CONTEXT_MAX);
  out->n = wal_array_rows(out->buyers);
  out->m = (int)m;
  return WAL_OK;
}

static wal_status open_budgets(hid_t file, wal_market_parts *out) {
  const wal_array_shape shape = {1, out->n, 1, 1, "one budget per buyer"};
  return wal_array_exists(file, "budgets") ? wal_array_open(file, "budgets", &shape, &out->budgets) : WAL_OK;
}

/* What depends on n: all in memory, or all streamed. */
static wal_status load_or_stream(const char *path, int64_t memory, wal_market_parts *out) {
  wal_array *const arrays[] = {out->values, out->buyers, out->budgets};
  double bytes = 0.0;
  for (int k = 0; k < 3; k++)
    if (arrays[k]) bytes += 8.0 * (double)out->n * wal_array_columns(arrays[k]);
  out->streamed = bytes > (double)memory;
  wal_status status = WAL_OK;
  for (int k = 0; k < 3 && !status; k++)
    if (arrays[k]) status = out->streamed ? wal_array_stream(arrays[k], path) : wal_array_load(arrays[k]);
  return status;
}

static wal_status read_market(hid_t file, const char *path, int64_t memory, wal_market_parts *out) {
  wal_status status = check_names(file);
  if (!status) status = read_alpha(file, &out->alpha);
  if (!status)
    status = wal_array_exists(file, "values") ? open_values(file, out) : open_contexts(file, memory, out);
  if (!status) status = open_budgets(file, out);
  if (!status) status = read_supply(file, out);
  if (!status) status = load_or_stream(path, memory, out);
  if (!status) status = wal_texts_read(file, "good_names", out->m, &out->good_names);
  if (!status && out->n <= NAMES_MAX) status = wal_texts_read(file, "buyer_names", out->n, &out->buyer_names);
  return status;
}

wal_status wal_market_read_h5(const char *path, int64_t memory, wal_market_parts *out) {
  hid_t file = -1;
  wal_status status = wal_h5_open_in_place(path, &file);
  if (status) return status;
  status = read_market(file, path, memory, out);
  if (status) wal_fail_in(status, "%s: ", path);
  wal_h5_close(file);
  return status;
}
