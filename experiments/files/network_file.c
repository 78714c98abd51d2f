#include "experiments/files/network_file.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/h5.h"
#include "engine/store.h"
#include "models/common/version.h"

enum { MOST_UNITS = 1 << 16, MOST_LAYERS = 1 << 10 }; /* beyond which a file is not believed */

/* ---- Facts: the numbers and names of a network ---- */

typedef enum { FACT_INT, FACT_INT64, FACT_UINT64, FACT_REAL, FACT_TEXT } fact_kind;

typedef struct {
  const char *name;
  fact_kind kind;
  size_t offset; /* in wal_network */
} fact;

static const fact facts[] = {
    {"recipe", FACT_TEXT, offsetof(wal_network, recipe)},
    {"m", FACT_INT, offsetof(wal_network, m)},
    {"d", FACT_INT, offsetof(wal_network, d)},
    {"alpha", FACT_REAL, offsetof(wal_network, alpha)},
    {"width", FACT_INT, offsetof(wal_network, width)},
    {"depth", FACT_INT, offsetof(wal_network, depth)},
    {"activation", FACT_TEXT, offsetof(wal_network, activation)},
    {"seed", FACT_UINT64, offsetof(wal_network, seed)},
    {"steps", FACT_INT64, offsetof(wal_network, steps)},
};
enum { FACTS = sizeof facts / sizeof *facts, TEXT_SIZE = sizeof((wal_network *)0)->recipe };

static const void *fact_at(const fact *f, const wal_network *network) {
  return (const char *)network + f->offset;
}

/* HDF5's types of a number: in the file, in memory. */
static hid_t file_type(fact_kind kind) {
  return kind == FACT_REAL ? H5T_IEEE_F64LE : kind == FACT_UINT64 ? H5T_STD_U64LE : H5T_STD_I64LE;
}

static hid_t native_type(fact_kind kind) {
  return kind == FACT_REAL     ? H5T_NATIVE_DOUBLE
         : kind == FACT_UINT64 ? H5T_NATIVE_UINT64
         : kind == FACT_INT64  ? H5T_NATIVE_INT64
                               : H5T_NATIVE_INT;
}

/* "NAME=VALUE\n": the line of a fact in the text that is hashed. */
static void fact_line(const fact *f, const wal_network *network, char *out, size_t size) {
  const void *at = fact_at(f, network);
  switch (f->kind) {
    case FACT_INT:
      snprintf(out, size, "%s=%d\n", f->name, *(const int *)at);
      break;
    case FACT_INT64:
      snprintf(out, size, "%s=%lld\n", f->name, (long long)*(const int64_t *)at);
      break;
    case FACT_UINT64:
      snprintf(out, size, "%s=%llu\n", f->name, (unsigned long long)*(const uint64_t *)at);
      break;
    case FACT_REAL:
      snprintf(out, size, "%s=%.17g\n", f->name, *(const double *)at);
      break;
    case FACT_TEXT:
      snprintf(out, size, "%s=%.*s\n", f->name, TEXT_SIZE, (const char *)at);
      break;
  }
}

static void hash_facts(const wal_network *network, char hex[33]) {
  char text[64 * FACTS] = "";
  size_t used = 0;
  for (int i = 0; i < FACTS; i++, used += strlen(text + used))
    fact_line(&facts[i], network, text + used, sizeof text - used);
  wal_bytes_hash(text, used, hex);
}

static wal_status write_facts(hid_t file, const wal_network *network) {
  wal_status status = WAL_OK;
  for (const fact *f = facts; !status && f < facts + FACTS; f++)
    status = f->kind == FACT_TEXT ? wal_h5_set_text(file, f->name, fact_at(f, network))
                                  : wal_h5_set_numbers(file, f->name, file_type(f->kind),
                                                       native_type(f->kind), 1, fact_at(f, network));
  char hex[33];
  hash_facts(network, hex);
  return status ? status : wal_h5_set_text(file, "facts_xxh128", hex);
}

static wal_status read_text(hid_t file, const fact *f, char *to) {
  char *text;
  wal_status status = wal_h5_get_text(file, f->name, &text);
  if (!status && strlen(text) >= TEXT_SIZE)
    status = wal_fail(WAL_E_INPUT, "/: attribute '%s' is '%.64s'; expected at most %d letters", f->name, text,
                      TEXT_SIZE - 1);
  if (!status) snprintf(to, TEXT_SIZE, "%s", text);
  free(text);
  return status;
}

static wal_status read_number(hid_t file, const fact *f, void *to) {
  const hid_t attribute = H5Aopen(file, f->name, H5P_DEFAULT);
  const hid_t space = attribute < 0 ? -1 : H5Aget_space(attribute);
  const bool got = space >= 0 && H5Sget_simple_extent_npoints(space) == 1 &&
                   H5Aread(attribute, native_type(f->kind), to) >= 0;
  wal_h5_close(space);
  wal_h5_close(attribute);
  return got ? WAL_OK : wal_h5_fail(WAL_E_INPUT, file, "attribute '%s': expected one number", f->name);
}

static wal_status check_facts(hid_t file, const wal_network *network) {
  char hex[33], *stored;
  wal_status status = wal_h5_get_text(file, "facts_xxh128", &stored);
  if (status) return status;
  hash_facts(network, hex);
  if (strcmp(hex, stored) != 0)
    status = wal_fail(WAL_E_INPUT, "/: the checksum of the attributes recipe to steps is %s; expected %.32s",
                      hex, stored);
  free(stored);
  const bool sizes = network->m >= 1 && network->m <= MOST_UNITS && network->d >= 1 &&
                     network->d <= MOST_UNITS && network->width >= 1 && network->width <= MOST_UNITS &&
                     network->depth >= 1 && network->depth <= MOST_LAYERS;
  if (!status && !sizes)
    status = wal_fail(WAL_E_INPUT, "/: m %d, d %d, width %d, depth %d; expected 1 to %d each (depth to %d)",
                      network->m, network->d, network->width, network->depth, MOST_UNITS, MOST_LAYERS);
  return status;
}

static wal_status read_facts(hid_t file, wal_network *network) {
  wal_status status = WAL_OK;
  for (const fact *f = facts; !status && f < facts + FACTS; f++) {
    void *to = (char *)network + f->offset;
    status = f->kind == FACT_TEXT ? read_text(file, f, to) : read_number(file, f, to);
  }
  return status ? status : check_facts(file, network);
}

/* ---- Arrays ---- */

typedef struct {
  const char *name, *doc;
  bool single; /* float32, else float64 */
  hsize_t shape[2];
  int rank;
  void **data; /* the network's pointer */
} array;

enum { ARRAYS = 4 };

/* The arrays of a network; a shape of 0 elements: not known before the file is read. */
static void list_arrays(wal_network *network, array out[ARRAYS]) {
  const hsize_t m = (hsize_t)network->m, d = (hsize_t)network->d;
  out[0] = (array){"goods", "contexts of the goods", true, {m, d}, 2, (void **)&network->goods};
  out[1] = (array){"lambda", "prices after training", false, {m}, 1, (void **)&network->lambda};
  out[2] =
      (array){"mean", "supply of each good per buyer in training", false, {m}, 1, (void **)&network->mean};
  out[3] = (array){"parameters",
                   "layer by layer W[out, in], then b[out]",
                   true,
                   {(hsize_t)network->parameter_count},
                   1,
                   (void **)&network->parameters};
}

static size_t element_size(const array *a) { return a->single ? sizeof(float) : sizeof(double); }
static size_t elements(const array *a) { return (size_t)(a->shape[0] * (a->rank == 2 ? a->shape[1] : 1)); }

/* The numbers as they lie in the file, little endian, and back. */
static bool convert(const array *a, void *data, bool to_file) {
  const hid_t file = a->single ? H5T_IEEE_F32LE : H5T_IEEE_F64LE;
  const hid_t native = a->single ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE;
  return H5Tconvert(to_file ? native : file, to_file ? file : native, elements(a), data, NULL, H5P_DEFAULT) >=
         0;
}

static wal_status write_bytes(hid_t file, const array *a, const void *bytes) {
  const hid_t type = a->single ? H5T_IEEE_F32LE : H5T_IEEE_F64LE;
  const hid_t space = H5Screate_simple(a->rank, a->shape, NULL);
  const hid_t set = H5Dcreate2(file, a->name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  char hex[33];
  wal_status status = WAL_OK;
  if (set < 0 || H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) < 0)
    status = wal_h5_fail(WAL_E_INTERNAL, file, "cannot store %s", a->name);
  wal_bytes_hash(bytes, elements(a) * element_size(a), hex);
  if (!status) status = wal_h5_set_text(set, "long_name", a->doc);
  if (!status) status = wal_h5_set_text(set, "xxh128", hex);
  wal_h5_close(set);
  wal_h5_close(space);
  return status;
}

static wal_status write_array(hid_t file, const array *a) {
  const size_t size = elements(a) * element_size(a);
  void *bytes = malloc(size);
  if (!bytes) return wal_fail(WAL_E_MEMORY, "no memory to store %s", a->name);
  memcpy(bytes, *a->data, size);
  const wal_status status = convert(a, bytes, true)
                                ? write_bytes(file, a, bytes)
                                : wal_h5_fail(WAL_E_INTERNAL, file, "cannot convert %s", a->name);
  free(bytes);
  return status;
}

/* Takes an unknown length from the dataset and checks everything else about it. */
static wal_status check_shape(hid_t set, array *a) {
  const hid_t space = H5Dget_space(set), type = H5Dget_type(set);
  const int rank = H5Sget_simple_extent_ndims(space);
  hsize_t shape[2] = {0, 0};
  if (rank == a->rank) H5Sget_simple_extent_dims(space, shape, NULL);
  if (a->shape[0] == 0) a->shape[0] = shape[0];
  const bool fits = rank == a->rank && shape[0] == a->shape[0] && shape[0] > 0 &&
                    (rank < 2 || shape[1] == a->shape[1]) && H5Tget_class(type) == H5T_FLOAT &&
                    H5Tget_size(type) == element_size(a) &&
                    H5Dget_storage_size(set) == elements(a) * element_size(a);
  wal_h5_close(type);
  wal_h5_close(space);
  if (fits) return WAL_OK;
  return wal_h5_fail(WAL_E_INPUT, set, "expected float%zu numbers of shape [%llu%s%.0llu]",
                     8 * element_size(a), (unsigned long long)a->shape[0], a->rank == 2 ? ", " : "",
                     a->rank == 2 ? (unsigned long long)a->shape[1] : 0);
}

static wal_status check_numbers(hid_t set, const array *a, const char *stored) {
  char hex[33];
  wal_bytes_hash(*a->data, elements(a) * element_size(a), hex);
  if (strcmp(hex, stored) != 0)
    return wal_h5_fail(WAL_E_INPUT, set, "the checksum of the numbers is %s; expected %.32s", hex, stored);
  if (!convert(a, *a->data, false)) return wal_h5_fail(WAL_E_INTERNAL, set, "cannot convert the numbers");
  for (size_t k = 0; k < elements(a); k++)
    if (!isfinite(a->single ? ((const float *)*a->data)[k] : ((const double *)*a->data)[k]))
      return wal_h5_fail(WAL_E_INPUT, set, "number %zu is not finite", k);
  return WAL_OK;
}

static wal_status read_array(hid_t file, array *a) {
  const hid_t set = H5Dopen2(file, a->name, H5P_DEFAULT);
  char *stored = NULL;
  wal_status status = set < 0 ? wal_h5_fail(WAL_E_INPUT, file, "dataset '%s' is missing", a->name) : WAL_OK;
  if (!status) status = check_shape(set, a);
  if (!status) status = wal_h5_get_text(set, "xxh128", &stored);
  if (!status && !(*a->data = malloc(elements(a) * element_size(a))))
    status = wal_fail(WAL_E_MEMORY, "no memory for %s", a->name);
  if (!status &&
      H5Dread(set, a->single ? H5T_IEEE_F32LE : H5T_IEEE_F64LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, *a->data) < 0)
    status = wal_h5_fail(WAL_E_INPUT, set, "cannot be read");
  if (!status) status = check_numbers(set, a, stored);
  free(stored);
  wal_h5_close(set);
  return status;
}

/* ---- Files ---- */

static wal_status write_all(hid_t file, const wal_network *network, const wal_provenance *provenance) {
  wal_status status = wal_h5_set_text(file, "schema", WAL_NETWORK_SCHEMA);
  if (!status) status = wal_h5_set_text(file, "walras_version", WAL_VERSION);
  if (!status) status = write_facts(file, network);
  for (int i = 0; !status && i < provenance->count; i++)
    status = wal_h5_set_text(file, provenance->names[i], provenance->values[i]);
  wal_network copy = *network; /* list_arrays' pointers are for reading too */
  array arrays[ARRAYS];
  list_arrays(&copy, arrays);
  for (int i = 0; !status && i < ARRAYS; i++) status = write_array(file, &arrays[i]);
  return status;
}

wal_status wal_network_file_write(const wal_network *network, const wal_provenance *provenance,
                                  const char *path) {
  hid_t file = -1;
  wal_status status = wal_h5_create(&file);
  if (!status) status = write_all(file, network, provenance);
  if (!status) status = wal_h5_save(file, path);
  wal_h5_close(file);
  return status;
}

static wal_status check_schema(hid_t file) {
  char *found;
  if (wal_h5_get_text(file, "schema", &found))
    return wal_fail(WAL_E_INPUT, "/: no text attribute 'schema'; expected a file that walras train wrote");
  const bool ours = strcmp(found, WAL_NETWORK_SCHEMA) == 0;
  const wal_status status = ours ? WAL_OK
                                 : wal_fail(WAL_E_INPUT,
                                            "/: attribute 'schema' is '%.64s'; expected " WAL_NETWORK_SCHEMA
                                            ", a file that walras train wrote",
                                            found);
  free(found);
  return status;
}

static herr_t append_text(hid_t file, const char *name, const H5A_info_t *info, void *out) {
  (void)info;
  char *text;
  for (int i = 0; i < FACTS; i++)
    if (strcmp(name, facts[i].name) == 0) return 0;
  if (wal_h5_get_text(file, name, &text)) return -1;
  const wal_status status = wal_provenance_add(out, name, "%s", text);
  free(text);
  return status ? -1 : 0;
}

static wal_status read_provenance(hid_t file, wal_provenance *out) {
  hsize_t next = 0;
  return H5Aiterate2(file, H5_INDEX_CRT_ORDER, H5_ITER_INC, &next, append_text, out) >= 0
             ? WAL_OK
             : wal_h5_fail(WAL_E_INPUT, file, "cannot list the attributes");
}

static wal_status read_all(hid_t file, wal_network *network, wal_provenance *provenance) {
  array arrays[ARRAYS];
  wal_status status = check_schema(file);
  if (!status) status = read_facts(file, network);
  list_arrays(network, arrays);
  for (int i = 0; !status && i < ARRAYS; i++) status = read_array(file, &arrays[i]);
  network->parameter_count = (int64_t)arrays[3].shape[0];
  if (!status && provenance) status = read_provenance(file, provenance);
  return status;
}

wal_status wal_network_file_read(const char *path, wal_network *network, wal_provenance *provenance) {
  *network = (wal_network){0};
  if (provenance) *provenance = (wal_provenance){0};
  hid_t file = -1;
  wal_status status = wal_h5_open(path, &file);
  if (!status && (status = read_all(file, network, provenance))) wal_fail_in(status, "%s:", path);
  wal_h5_close(file);
  if (status) {
    wal_network_destroy(network);
    wal_provenance_free(provenance);
  }
  return status;
}
