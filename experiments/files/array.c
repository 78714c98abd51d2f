#include "experiments/files/array.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/h5.h"
#include "engine/util.h"
#include "engine/yaml.h"
#include "models/common/parallel.h"

static const double CHUNK_BYTES_MAX = 1024.0 * 1024 * 1024; /* of one chunk, which the library reads whole */
static const double BAND_BYTES_MAX = 256.0 * 1024 * 1024;   /* of the chunks that share a row */

struct wal_array {
  char name[64];
  int64_t rows;
  int columns;   /* numbers of a row */
  int size[3];   /* its dimensions; [0] unused */
  double *cells; /* [rows, columns] owned; NULL: streamed */
  hid_t dataset; /* -1: none */
  int rank;
  int file;     /* descriptor for pread; -1: through the library */
  off_t offset; /* bytes: where the cells begin in the file */
  int number;   /* index into numbers[] */
};

/* ---- number types that are read without the library ---- */

#define NUMBER_LIST(X)           \
  X(float, H5T_NATIVE_FLOAT)     \
  X(double, H5T_NATIVE_DOUBLE)   \
  X(int8_t, H5T_NATIVE_INT8)     \
  X(int16_t, H5T_NATIVE_INT16)   \
  X(int32_t, H5T_NATIVE_INT32)   \
  X(int64_t, H5T_NATIVE_INT64)   \
  X(uint8_t, H5T_NATIVE_UINT8)   \
  X(uint16_t, H5T_NATIVE_UINT16) \
  X(uint32_t, H5T_NATIVE_UINT32) \
  X(uint64_t, H5T_NATIVE_UINT64)

#define X(type, native)                                                  \
  static void widen_##type(const void *from, size_t count, double *to) { \
    const type *cell = from;                                             \
    for (size_t k = 0; k < count; k++) to[k] = (double)cell[k];          \
  }
NUMBER_LIST(X)
#undef X

static const struct {
  size_t size;
  void (*widen)(const void *from, size_t count, double *to);
} numbers[] = {
#define X(type, native) {sizeof(type), widen_##type},
    NUMBER_LIST(X)
#undef X
};

/* Index into numbers[]; -1: another type, such as big-endian. */
static int find_number(hid_t type) {
  int index = 0, found = -1;
#define X(ctype, native)                                      \
  if (found < 0 && H5Tequal(type, native) > 0) found = index; \
  index++;
  NUMBER_LIST(X)
#undef X
  return found;
}

/* ---- opening ---- */

static const char *class_name(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_STRING:
      return "text";
    case H5T_COMPOUND:
      return "a compound type";
    case H5T_ENUM:
      return "an enumeration (such as true/false)";
    case H5T_BITFIELD:
      return "bit fields";
    case H5T_OPAQUE:
      return "opaque bytes";
    case H5T_REFERENCE:
      return "references";
    case H5T_VLEN:
      return "lists of varying length";
    case H5T_ARRAY:
      return "arrays in each cell";
    default:
      return "an unknown type";
  }
}

static wal_status check_type(const wal_array *array) {
  hid_t type = H5Dget_type(array->dataset);
  H5T_class_t class = H5Tget_class(type);
  wal_status status = WAL_OK;
  if (class != H5T_INTEGER && class != H5T_FLOAT)
    status = wal_fail(WAL_E_INPUT, "dataset %s holds %s; expected numbers (float64, float32 or integers)",
                      array->name, class_name(type));
  wal_h5_close(type);
  return status;
}

/* "[26, 10]"; a dimension of -1 is "any". */
static void format_shape(int rank, const int64_t *size, char *out, size_t room) {
  size_t used = (size_t)snprintf(out, room, "[");
  for (int k = 0; k < rank && used < room; k++) {
    const char *comma = k ? ", " : "";
    used += (size_t)(size[k] < 0 ? snprintf(out + used, room - used, "%sany", comma)
                                 : snprintf(out + used, room - used, "%s%lld", comma, (long long)size[k]));
  }
  if (used < room) snprintf(out + used, room - used, "]");
}

static wal_status check_shape(wal_array *array, const wal_array_shape *shape) {
  int64_t size[H5S_MAX_RANK] = {0}, wanted[3] = {shape->rows, shape->columns, shape->third};
  hsize_t found[H5S_MAX_RANK] = {0};
  char is[256], should[64];
  hid_t space = H5Dget_space(array->dataset);
  array->rank = H5Sget_simple_extent_dims(space, found, NULL);
  bool empty = H5Sget_simple_extent_type(space) == H5S_NULL;
  wal_h5_close(space);
  bool fits = array->rank == shape->rank && !empty;
  for (int k = 0; k < array->rank; k++) {
    size[k] = found[k] > INT64_MAX ? INT64_MAX : (int64_t)found[k];
    fits = fits && size[k] > 0 && (wanted[k] < 0 || size[k] == wanted[k]);
  }
  format_shape(array->rank < 0 ? 0 : array->rank, size, is, sizeof is);
  format_shape(shape->rank, wanted, should, sizeof should);
  if (!fits)
    return wal_fail(WAL_E_INPUT, "dataset %s has shape %s; expected %s: %s", array->name, empty ? "none" : is,
                    should, shape->why);
  if (array->rank == 2 && size[1] > WAL_ARRAY_COLUMNS_MAX)
    return wal_fail(WAL_E_INPUT, "dataset %s has %lld columns; expected at most %d: %s", array->name,
                    (long long)size[1], WAL_ARRAY_COLUMNS_MAX, shape->why);
  if (array->rank == 3 && (double)size[1] * (double)size[2] > WAL_ARRAY_ROW_MAX)
    return wal_fail(WAL_E_INPUT, "dataset %s has shape %s; expected at most %d numbers behind each index: %s",
                    array->name, is, WAL_ARRAY_ROW_MAX, shape->why);
  array->rows = size[0];
  for (int k = 1; k < 3; k++) array->size[k] = k < array->rank ? (int)size[k] : 1;
  array->columns = array->size[1] * array->size[2];
  return WAL_OK;
}

/* The shape of the dataset's chunks into chunk[3]; false: it has none. */
static bool chunk_shape(const wal_array *array, hsize_t *chunk) {
  hid_t creation = H5Dget_create_plist(array->dataset);
  bool chunked = H5Pget_layout(creation) == H5D_CHUNKED;
  chunk[0] = chunk[1] = chunk[2] = 1;
  if (chunked) H5Pget_chunk(creation, 3, chunk);
  wal_h5_close(creation);
  return chunked;
}

/* Bytes of the chunks that share a row: what the library has to keep while rows are read in order. */
static double band_bytes(const wal_array *array, const hsize_t *chunk, double *one) {
  hid_t type = H5Dget_type(array->dataset);
  *one = (double)chunk[0] * (double)chunk[1] * (double)chunk[2] * (double)H5Tget_size(type);
  wal_h5_close(type);
  double across = 1;
  for (int k = 1; k < 3; k++) across *= (double)(((hsize_t)array->size[k] + chunk[k] - 1) / chunk[k]);
  return *one * across;
}

/* "values:CHUNK=1024x10": what h5repack -l takes to store this dataset in small chunks of whole rows. */
static void small_chunks(const wal_array *array, char out[128]) {
  const int rows = array->columns <= 1024 ? 1024 : 1;
  const size_t used = (size_t)snprintf(out, 128, "%s:CHUNK=%d", array->name, rows);
  if (array->rank == 2) snprintf(out + used, 128 - used, "x%d", array->size[1]);
  if (array->rank == 3) snprintf(out + used, 128 - used, "x%dx%d", array->size[1], array->size[2]);
}

static wal_status check_chunks(const wal_array *array) {
  hsize_t chunk[3];
  double one;
  if (!chunk_shape(array, chunk)) return WAL_OK;
  band_bytes(array, chunk, &one);
  if (one <= CHUNK_BYTES_MAX) return WAL_OK;
  char small[128];
  small_chunks(array, small);
  return wal_fail(WAL_E_INPUT,
                  "dataset %s is stored in chunks of %.2f GiB; expected at most 1 GiB (h5repack -l %s makes "
                  "smaller ones)",
                  array->name, one / (1024.0 * 1024 * 1024), small);
}

static wal_array *new_array(const char *name) {
  wal_array *array = calloc(1, sizeof *array);
  if (!array) return NULL;
  snprintf(array->name, sizeof array->name, "%s", name);
  array->dataset = -1;
  array->file = -1;
  return array;
}

wal_status wal_array_open(hid_t file, const char *name, const wal_array_shape *shape, wal_array **out) {
  *out = NULL;
  wal_array *array = new_array(name);
  if (!array) return wal_fail(WAL_E_MEMORY, "no memory to open dataset %s", name);
  array->dataset = H5Dopen2(file, name, H5P_DEFAULT);
  wal_status status =
      array->dataset < 0 ? wal_h5_fail(WAL_E_INPUT, -1, "cannot open dataset %s", name) : WAL_OK;
  if (!status) status = check_type(array);
  if (!status) status = check_shape(array, shape);
  if (!status) status = check_chunks(array);
  if (status) {
    wal_array_free(array);
    return status;
  }
  *out = array;
  return WAL_OK;
}

wal_status wal_array_of(const char *name, int64_t rows, int columns, double *cells, wal_array **out) {
  *out = new_array(name);
  if (!*out) {
    free(cells);
    return wal_fail(WAL_E_MEMORY, "no memory for %s", name);
  }
  (*out)->rows = rows;
  (*out)->columns = columns;
  (*out)->cells = cells;
  return WAL_OK;
}

void wal_array_free(wal_array *array) {
  if (!array) return;
  if (array->file >= 0) close(array->file);
  wal_h5_close(array->dataset);
  free(array->cells);
  free(array);
}

int64_t wal_array_rows(const wal_array *array) { return array->rows; }
int wal_array_columns(const wal_array *array) { return array->columns; }
int wal_array_size(const wal_array *array, int k) { return array->size[k]; }
const char *wal_array_name(const wal_array *array) { return array->name; }

/* After a failed read: the library's reason, or the compression that it does not know (h5py's lzf, say). */
static wal_status fail_read(const wal_array *array, const char *what) {
  const wal_status status = wal_h5_fail(WAL_E_INPUT, -1, "cannot read %s of dataset %s", what, array->name);
  hid_t creation = H5Dget_create_plist(array->dataset);
  for (unsigned k = 0; (int)k < H5Pget_nfilters(creation); k++) {
    char name[64] = "";
    size_t none = 0;
    unsigned flags;
    H5Z_filter_t filter = H5Pget_filter2(creation, k, &flags, &none, NULL, sizeof name, name, NULL);
    if (filter >= 0 && H5Zfilter_avail(filter) <= 0)
      wal_fail(
          WAL_E_INPUT,
          "dataset %s is compressed with %s (filter %d), which this HDF5 does not have; expected gzip or "
          "none",
          array->name, *name ? name : "a plugin", (int)filter);
  }
  H5Eclear2(H5E_DEFAULT);
  wal_h5_close(creation);
  return status;
}

/* ---- what is there ---- */

bool wal_array_exists(hid_t file, const char *name) { return H5Lexists(file, name, H5P_DEFAULT) > 0; }

static wal_status check_name(hid_t file, const char *name, const char *const known[], int count,
                             const char *expected) {
  for (int k = 0; k < count; k++)
    if (strcmp(name, known[k]) == 0) return WAL_OK;
  const char *close = wal_did_you_mean(name, known, count);
  if (!close || wal_array_exists(file, close)) return WAL_OK;
  return wal_fail(WAL_E_INPUT, "unknown dataset %.60s; did you mean %s? (%s)", name, close, expected);
}

wal_status wal_array_check_names(hid_t file, const char *const known[], int count, const char *expected) {
  char **names = NULL;
  int found = 0;
  wal_status status = wal_h5_links(file, &names, &found);
  for (int k = 0; k < found && !status; k++) status = check_name(file, names[k], known, count, expected);
  wal_h5_free_names(names, found);
  return status;
}

wal_status wal_array_fail_missing(hid_t file, const char *what, const char *expected) {
  char **names = NULL;
  int found = 0;
  wal_text list = {0};
  wal_status status = wal_h5_links(file, &names, &found);
  for (int k = 0; k < found && k < 20; k++) wal_text_add(&list, "%s%.60s", k ? ", " : "", names[k]);
  if (!status)
    status = wal_fail(WAL_E_INPUT, "%s: found %s; %s", what, list.data ? list.data : "nothing", expected);
  wal_text_free(&list);
  wal_h5_free_names(names, found);
  return status;
}

/* ---- into memory ---- */

wal_status wal_array_load(wal_array *array) {
  const size_t cells = (size_t)array->rows * (size_t)array->columns;
  array->cells = malloc(cells * sizeof *array->cells);
  if (!array->cells)
    return wal_fail(WAL_E_MEMORY, "no memory for the %zu numbers of dataset %s", cells, array->name);
  wal_status status = WAL_OK;
  if (H5Dread(array->dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, array->cells) < 0)
    status = fail_read(array, "the numbers");
  wal_h5_close(array->dataset);
  array->dataset = -1;
  return status;
}

/* ---- out of the file ---- */

/* Reopens a chunked dataset with a cache in which each thread finds the chunks of its rows again. */
static wal_status cache_chunks(wal_array *array) {
  hsize_t chunk[3];
  double one;
  if (!chunk_shape(array, chunk)) return WAL_OK;
  const double band = band_bytes(array, chunk, &one);
  char small[128];
  small_chunks(array, small);
  if (band > BAND_BYTES_MAX)
    return wal_fail(WAL_E_INPUT,
                    "dataset %s is too large for the memory and stored in chunks of which a row touches %.2f "
                    "GiB; expected at most 0.25 (h5repack -l %s works)",
                    array->name, band / (1024.0 * 1024 * 1024), small);
  const double bytes = band * (wal_threads() + 1);
  hid_t file = H5Iget_file_id(array->dataset), access = H5Pcreate(H5P_DATASET_ACCESS);
  H5Pset_chunk_cache(access, (size_t)(100.0 * bytes / one) + 1, (size_t)bytes, 1.0);
  wal_h5_close(array->dataset);
  array->dataset = H5Dopen2(file, array->name, access);
  wal_h5_close(access);
  wal_h5_close(file);
  return array->dataset < 0 ? wal_h5_fail(WAL_E_INPUT, -1, "cannot open dataset %s", array->name) : WAL_OK;
}

wal_status wal_array_stream(wal_array *array, const char *path) {
  hid_t type = H5Dget_type(array->dataset);
  array->number = find_number(type);
  wal_h5_close(type);
  const haddr_t offset = H5Dget_offset(array->dataset);
  H5Eclear2(H5E_DEFAULT); /* a chunked dataset has no one place */
  if (offset == HADDR_UNDEF || array->number < 0) return cache_chunks(array);
  array->offset = (off_t)offset;
  array->file = open(path, O_RDONLY | O_CLOEXEC);
  return array->file < 0 ? wal_fail(WAL_E_IO, "%s: cannot be read: %s", path, strerror(errno)) : WAL_OK;
}

static wal_status read_all(const wal_array *array, char *bytes, size_t length, off_t at) {
  while (length > 0) {
    const ssize_t got = pread(array->file, bytes, length, at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return wal_fail(WAL_E_IO, "dataset %s cannot be read at byte %lld of the file: %s", array->name,
                      (long long)at, got < 0 ? strerror(errno) : "the file ends there");
    bytes += got;
    length -= (size_t)got;
    at += got;
  }
  return WAL_OK;
}

/* Doubles are read into their place. */
static wal_status read_place(const wal_array *array, int64_t lo, int64_t hi, double *out) {
  const size_t cells = (size_t)(hi - lo) * (size_t)array->columns, size = numbers[array->number].size;
  const off_t at = array->offset + (off_t)lo * array->columns * (off_t)size;
  const bool wide = numbers[array->number].widen == widen_double;
  char *bytes = wide ? (char *)out : malloc(cells * size);
  if (!bytes) return wal_fail(WAL_E_MEMORY, "no memory for %zu numbers of dataset %s", cells, array->name);
  const wal_status status = read_all(array, bytes, cells * size, at);
  if (wide) return status;
  if (status == WAL_OK) numbers[array->number].widen(bytes, cells, out);
  free(bytes);
  return status;
}

static wal_status read_library(const wal_array *array, int64_t lo, int64_t hi, double *out) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  const hsize_t start[3] = {(hsize_t)lo, 0, 0};
  const hsize_t count[3] = {(hsize_t)(hi - lo), (hsize_t)array->size[1], (hsize_t)array->size[2]};
  pthread_mutex_lock(&lock);
  hid_t space = H5Dget_space(array->dataset), memory = H5Screate_simple(array->rank, count, NULL);
  wal_status status = WAL_OK;
  if (H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
      H5Dread(array->dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, out) < 0) {
    char rows[64];
    snprintf(rows, sizeof rows, "rows %lld to %lld", (long long)lo, (long long)hi - 1);
    status = fail_read(array, rows);
  }
  wal_h5_close(memory);
  wal_h5_close(space);
  pthread_mutex_unlock(&lock);
  return status;
}

wal_status wal_array_read(const wal_array *array, int64_t lo, int64_t hi, double *out) {
  const size_t columns = (size_t)array->columns;
  if (!array->cells)
    return array->file >= 0 ? read_place(array, lo, hi, out) : read_library(array, lo, hi, out);
  memcpy(out, array->cells + (size_t)lo * columns, (size_t)(hi - lo) * columns * sizeof *out);
  return WAL_OK;
}
