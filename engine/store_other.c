#include "engine/store_other.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "engine/h5.h"
#include "engine/store_file.h"

enum { RANK_MAX = 8, SHOWN = 6, PIECE = 1 << 18 /* numbers read at a time */ };

typedef struct {
  hid_t set;
  const char *path; /* inside the file */
  hid_t type;       /* as stored */
  int rank;
  hsize_t size[RANK_MAX]; /* [rank] */
  hsize_t row;            /* numbers of one step along the first dimension */
} dataset;

/* What is done with every dataset. */
typedef struct visitor visitor;
struct visitor {
  FILE *out;
  wal_status (*visit)(visitor *v, const dataset *d);
  int datasets, findings, checksums;
  int64_t numbers;
};

static bool is_number(hid_t type) {
  H5T_class_t class = H5Tget_class(type);
  return class == H5T_INTEGER || class == H5T_FLOAT;
}

static wal_status open_dataset(hid_t set, const char *path, dataset *d) {
  *d = (dataset){.set = set, .path = path, .type = H5Dget_type(set), .row = 1};
  hid_t space = H5Dget_space(set);
  d->rank = H5Sget_simple_extent_ndims(space);
  bool fits = d->rank >= 0 && d->rank <= RANK_MAX && d->type >= 0;
  if (fits) H5Sget_simple_extent_dims(space, d->size, NULL);
  H5Sclose(space);
  for (int k = 1; k < d->rank && fits; k++) d->row *= d->size[k];
  return fits ? WAL_OK : wal_fail(WAL_E_INPUT, "%s: a dataset that cannot be read", path);
}

/* Reads steps [lo, lo + count) of the first dimension. */
static wal_status read_steps(const dataset *d, hsize_t lo, hsize_t count, hid_t type, void *out) {
  hsize_t begin[RANK_MAX] = {lo}, block[RANK_MAX], length = count * d->row;
  for (int k = 0; k < d->rank; k++) block[k] = k ? d->size[k] : count;
  hid_t file = H5Dget_space(d->set), memory = H5Screate_simple(1, &length, NULL);
  if (d->rank > 0) H5Sselect_hyperslab(file, H5S_SELECT_SET, begin, NULL, block, NULL);
  herr_t error = H5Dread(d->set, type, memory, file, H5P_DEFAULT, out);
  H5Sclose(memory);
  H5Sclose(file);
  return error < 0 ? wal_h5_fail(WAL_E_INPUT, d->set, "cannot be read") : WAL_OK;
}

/* ---- The walk ---- */

static wal_status walk(hid_t group, const char *path, visitor *v);

static wal_status walk_entry(hid_t group, const char *path, const char *name, visitor *v) {
  char below[1024];
  snprintf(below, sizeof below, "%s/%s", path, name);
  hid_t object = H5Oopen(group, name, H5P_DEFAULT);
  if (object < 0) return wal_h5_fail(WAL_E_INPUT, group, "'%s' cannot be opened", name);
  wal_status status = WAL_OK;
  if (H5Iget_type(object) == H5I_GROUP) status = walk(object, below, v);
  if (H5Iget_type(object) == H5I_DATASET) {
    dataset d;
    status = open_dataset(object, below, &d);
    v->datasets++;
    if (!status) status = v->visit(v, &d);
    if (d.type >= 0) H5Tclose(d.type);
  }
  H5Oclose(object);
  return status;
}

static wal_status walk(hid_t group, const char *path, visitor *v) {
  char **names = NULL;
  int count = 0;
  wal_status status = wal_h5_links(group, &names, &count);
  for (int i = 0; i < count && !status; i++) status = walk_entry(group, path, names[i], v);
  wal_h5_free_names(names, count);
  return status;
}

/* ---- Show ---- */

/* The first numbers of what was read, "..." when there are more. */
static void print_numbers(const double *values, hsize_t count, hsize_t all, FILE *out) {
  for (hsize_t i = 0; i < count; i++) fprintf(out, "%s%.6g", i ? ", " : "", values[i]);
  fprintf(out, "%s\n", all > count ? ", ..." : "");
}

/* A text of several lines keeps its indent. */
static void print_text(const char *text, FILE *out) {
  for (; *text; text++) {
    fputc(*text != '\n' && iscntrl((unsigned char)*text) ? ' ' : *text, out);
    if (*text == '\n' && text[1]) fprintf(out, "%27s", "");
  }
  if (text[-1] != '\n') fputc('\n', out);
}

static herr_t show_attribute(hid_t object, const char *name, const H5A_info_t *info, void *context) {
  (void)info;
  FILE *out = context;
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(attribute);
  hid_t space = H5Aget_space(attribute);
  hssize_t count = H5Sget_simple_extent_npoints(space);
  char *text = NULL;
  double *values = is_number(type) && count > 0 ? calloc((size_t)count, sizeof *values) : NULL;
  fprintf(out, "  %-24s ", name);
  if (values && H5Aread(attribute, H5T_NATIVE_DOUBLE, values) >= 0)
    print_numbers(values, (hsize_t)(count < SHOWN ? count : SHOWN), (hsize_t)count, out);
  else
    print_text(wal_h5_get_text(object, name, &text) == WAL_OK && *text ? text : "-", out);
  free(text);
  free(values);
  H5Sclose(space);
  H5Tclose(type);
  H5Aclose(attribute);
  return 0;
}

/* The first of a list of names, all of one length in bytes. */
static wal_status show_names(const dataset *d, FILE *out) {
  const size_t size = H5Tget_size(d->type);
  const hsize_t count = d->size[0] < SHOWN ? d->size[0] : SHOWN;
  char *names = calloc(count + 1, size);
  if (!names) return wal_fail(WAL_E_MEMORY, "no memory for the names of %s", d->path);
  const wal_status status = read_steps(d, 0, count, d->type, names);
  for (hsize_t i = 0; i < count && !status; i++) {
    fprintf(out, "%s", i ? ", " : "  ");
    for (size_t k = 0; k < size && names[i * size + k]; k++)
      fputc(iscntrl((unsigned char)names[i * size + k]) ? ' ' : names[i * size + k], out);
  }
  fprintf(out, "%s\n", d->size[0] > count ? ", ..." : "");
  free(names);
  return status;
}

static wal_status show_values(const dataset *d, FILE *out) {
  hsize_t steps = d->rank ? d->size[0] : 1, all = steps * d->row;
  const bool text =
      H5Tget_class(d->type) == H5T_STRING && H5Tis_variable_str(d->type) <= 0 && H5Tget_size(d->type) <= 4096;
  if (text && d->rank == 1 && all > 0) return show_names(d, out);
  if (!is_number(d->type) || all == 0 || d->row > PIECE) {
    fprintf(out, "\n");
    return WAL_OK;
  }
  hsize_t wanted = (SHOWN + d->row - 1) / d->row;
  if (wanted > steps) wanted = steps;
  double *values = calloc((size_t)(wanted * d->row), sizeof *values);
  if (!values) return wal_fail(WAL_E_MEMORY, "no memory for the values of %s", d->path);
  wal_status status = read_steps(d, 0, wanted, H5T_NATIVE_DOUBLE, values);
  fprintf(out, "  ");
  if (!status) print_numbers(values, all < SHOWN ? all : SHOWN, all, out);
  free(values);
  return status;
}

static wal_status show_dataset(visitor *v, const dataset *d) {
  char shape[128] = "", *unit = NULL;
  for (int k = 0, used = 0; k < d->rank && used < 100; k++)
    used += snprintf(shape + used, sizeof shape - (size_t)used, "%s%" PRIuHSIZE, k ? ", " : "", d->size[k]);
  bool known = H5Aexists(d->set, "units") > 0 && wal_h5_get_text(d->set, "units", &unit) == WAL_OK;
  fprintf(v->out, "  %-20s [%s] ", d->path, shape);
  if (is_number(d->type))
    fprintf(v->out, "%s%zu", H5Tget_class(d->type) == H5T_FLOAT ? "float" : "int", 8 * H5Tget_size(d->type));
  else
    fprintf(v->out, "text");
  if (known && strcmp(unit, "1") != 0) fprintf(v->out, " %s", unit);
  free(unit);
  return show_values(d, v->out);
}

wal_status wal_other_show(const char *path, FILE *out) {
  hid_t file = -1;
  visitor v = {.out = out, .visit = show_dataset};
  wal_status status = wal_h5_open_in_place(path, &file);
  if (status) return status;
  fprintf(out, "%s\n\nattributes\n", path);
  H5Aiterate2(file, H5_INDEX_CRT_ORDER, H5_ITER_INC, NULL, show_attribute, out);
  fprintf(out, "\ndatasets\n");
  status = walk(file, "", &v);
  wal_h5_close(file);
  return status ? wal_fail_in(status, "%s:", path) : status;
}

/* ---- Verify ---- */

/* Counts what is not finite among `count` numbers that begin at `first`. */
static void check_finite(visitor *v, const dataset *d, const double *values, hsize_t first, hsize_t count,
                         int64_t *bad) {
  for (hsize_t i = 0; i < count; i++)
    if (!isfinite(values[i]) && (*bad)++ == 0)
      fprintf(v->out, "%s: %g at row %" PRIuHSIZE ", column %" PRIuHSIZE "; expected finite numbers\n",
              d->path, values[i], (first + i) / d->row, (first + i) % d->row);
}

/* Reads every number once as a double and, for the checksum, once as it is stored. */
static wal_status scan(visitor *v, const dataset *d, void *piece, hsize_t steps, XXH3_state_t *hash) {
  hsize_t all = d->rank ? d->size[0] : 1;
  int64_t bad = 0;
  for (hsize_t lo = 0; lo < all; lo += steps) {
    hsize_t count = lo + steps < all ? steps : all - lo;
    wal_status status = is_number(d->type) ? read_steps(d, lo, count, H5T_NATIVE_DOUBLE, piece) : WAL_OK;
    if (!status && is_number(d->type)) check_finite(v, d, piece, lo * d->row, count * d->row, &bad);
    if (!status && hash) status = read_steps(d, lo, count, d->type, piece);
    if (status) return status;
    if (hash) XXH3_128bits_update(hash, piece, (size_t)(count * d->row) * H5Tget_size(d->type));
  }
  v->findings += bad > 0;
  if (is_number(d->type)) v->numbers += (int64_t)(all * d->row);
  return WAL_OK;
}

static void check_checksum(visitor *v, const dataset *d, const XXH3_state_t *hash) {
  XXH128_hash_t found = XXH3_128bits_digest(hash);
  char hex[33], *stored = NULL;
  snprintf(hex, sizeof hex, "%016" PRIx64 "%016" PRIx64, (uint64_t)found.high64, (uint64_t)found.low64);
  bool same = wal_h5_get_text(d->set, "xxh128", &stored) == WAL_OK && strcmp(stored, hex) == 0;
  if (!same) fprintf(v->out, "%s: the checksum differs: the data give %s\n", d->path, hex);
  v->findings += !same;
  v->checksums++;
  free(stored);
}

static wal_status verify_dataset(visitor *v, const dataset *d) {
  size_t width = H5Tget_size(d->type) > sizeof(double) ? H5Tget_size(d->type) : sizeof(double);
  hsize_t steps = d->row > 0 && d->row < PIECE ? PIECE / d->row : 1;
  if (d->row == 0 || (d->rank && d->size[0] == 0)) return WAL_OK;
  bool has_hash = H5Aexists(d->set, "xxh128") > 0;
  void *piece = malloc((size_t)(steps * d->row) * width);
  XXH3_state_t *hash = has_hash ? XXH3_createState() : NULL;
  bool complete = piece && (hash || !has_hash);
  if (hash) XXH3_128bits_reset(hash);
  wal_status status =
      complete ? scan(v, d, piece, steps, hash) : wal_fail(WAL_E_MEMORY, "no memory to read %s", d->path);
  if (!status && hash) check_checksum(v, d, hash);
  XXH3_freeState(hash);
  free(piece);
  return status;
}

wal_status wal_other_verify(const char *path, FILE *out) {
  hid_t file = -1;
  char *schema = NULL;
  visitor v = {.out = out, .visit = verify_dataset};
  wal_status status = wal_h5_open_in_place(path, &file);
  if (!status) status = wal_h5_get_text(file, "schema", &schema);
  if (!status) status = walk(file, "", &v);
  if (status)
    wal_fail_in(status, "%s:", path);
  else if (v.findings)
    status = wal_fail(WAL_E_INPUT, "%s: %d finding%s", path, v.findings, v.findings == 1 ? "" : "s");
  else
    fprintf(out,
            "%s: ok (%s, no result: %d datasets, %" PRId64
            " numbers, all finite; %d of %d checksums given, all agree)\n",
            path, schema, v.datasets, v.numbers, v.checksums, v.datasets);
  free(schema);
  wal_h5_close(file);
  return status;
}

/* ---- Which files ---- */

bool wal_other_file(const char *path) {
  hid_t file = -1;
  char *schema = NULL;
  bool other = wal_h5_open_in_place(path, &file) == WAL_OK && H5Aexists(file, "schema") > 0 &&
               wal_h5_get_text(file, "schema", &schema) == WAL_OK && strncmp(schema, "walras-", 7) == 0 &&
               strcmp(schema, WAL_RESULT_SCHEMA) != 0;
  free(schema);
  wal_h5_close(file);
  return other;
}
