#include "experiments/files/model_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/checksum.h"
#include "engine/h5.h"
#include "models/common/version.h"

/* ---- Facts ---- */

static const void *fact_at(const wal_fact *f, const void *object) { return (const char *)object + f->offset; }

/* HDF5's types of a number: in the file, in memory. */
static hid_t file_type(wal_fact_kind kind) {
  return kind == WAL_FACT_REAL ? H5T_IEEE_F64LE : kind == WAL_FACT_UINT64 ? H5T_STD_U64LE : H5T_STD_I64LE;
}

static hid_t native_type(wal_fact_kind kind) {
  return kind == WAL_FACT_REAL     ? H5T_NATIVE_DOUBLE
         : kind == WAL_FACT_UINT64 ? H5T_NATIVE_UINT64
         : kind == WAL_FACT_INT64  ? H5T_NATIVE_INT64
                                   : H5T_NATIVE_INT;
}

/* "NAME=VALUE\n": the line of a fact in the text that is hashed. */
static void fact_line(const wal_fact *f, const void *object, char *out, size_t size) {
  const void *at = fact_at(f, object);
  switch (f->kind) {
    case WAL_FACT_INT:
      snprintf(out, size, "%s=%d\n", f->name, *(const int *)at);
      break;
    case WAL_FACT_INT64:
      snprintf(out, size, "%s=%lld\n", f->name, (long long)*(const int64_t *)at);
      break;
    case WAL_FACT_UINT64:
      snprintf(out, size, "%s=%llu\n", f->name, (unsigned long long)*(const uint64_t *)at);
      break;
    case WAL_FACT_REAL:
      snprintf(out, size, "%s=%.17g\n", f->name, *(const double *)at);
      break;
    case WAL_FACT_TEXT:
      snprintf(out, size, "%s=%.*s\n", f->name, (int)f->room, (const char *)at);
      break;
  }
}

static void hash_facts(const wal_facts *facts, const void *object, char hex[33]) {
  char text[32 * 96] = "";
  size_t used = 0;
  for (int i = 0; i < facts->count; i++, used += strlen(text + used))
    fact_line(&facts->facts[i], object, text + used, sizeof text - used);
  wal_bytes_hash(text, used, hex);
}

wal_status wal_facts_write(hid_t file, const wal_facts *facts, const void *object) {
  wal_status status = WAL_OK;
  for (const wal_fact *f = facts->facts; !status && f < facts->facts + facts->count; f++)
    status = f->kind == WAL_FACT_TEXT ? wal_h5_set_text(file, f->name, fact_at(f, object))
                                      : wal_h5_set_numbers(file, f->name, file_type(f->kind),
                                                           native_type(f->kind), 1, fact_at(f, object));
  char hex[33];
  hash_facts(facts, object, hex);
  return status ? status : wal_h5_set_text(file, "facts_xxh128", hex);
}

static wal_status read_text(hid_t file, const wal_fact *f, char *to) {
  char *text;
  wal_status status = wal_h5_get_text(file, f->name, &text);
  if (!status && strlen(text) >= f->room)
    status = wal_fail(WAL_E_INPUT, "/: attribute '%s' is '%.64s'; expected at most %zu letters", f->name,
                      text, f->room - 1);
  if (!status) snprintf(to, f->room, "%s", text);
  free(text);
  return status;
}

static wal_status read_number(hid_t file, const wal_fact *f, void *to) {
  const hid_t attribute = H5Aopen(file, f->name, H5P_DEFAULT);
  const hid_t space = attribute < 0 ? -1 : H5Aget_space(attribute);
  const bool got = space >= 0 && H5Sget_simple_extent_npoints(space) == 1 &&
                   H5Aread(attribute, native_type(f->kind), to) >= 0;
  wal_h5_close(space);
  wal_h5_close(attribute);
  return got ? WAL_OK : wal_h5_fail(WAL_E_INPUT, file, "attribute '%s': expected one number", f->name);
}

static wal_status check_hash(hid_t file, const wal_facts *facts, const void *object) {
  char hex[33], *stored;
  wal_status status = wal_h5_get_text(file, "facts_xxh128", &stored);
  if (status) return status;
  hash_facts(facts, object, hex);
  if (strcmp(hex, stored) != 0)
    status = wal_fail(WAL_E_INPUT, "/: the checksum of the attributes %s to %s is %s; expected %.32s",
                      facts->facts[0].name, facts->facts[facts->count - 1].name, hex, stored);
  free(stored);
  return status;
}

wal_status wal_facts_read(hid_t file, const wal_facts *facts, void *object) {
  wal_status status = WAL_OK;
  for (const wal_fact *f = facts->facts; !status && f < facts->facts + facts->count; f++) {
    void *to = (char *)object + f->offset;
    status = f->kind == WAL_FACT_TEXT ? read_text(file, f, to) : read_number(file, f, to);
  }
  return status ? status : check_hash(file, facts, object);
}

/* ---- Arrays ---- */

static size_t element_size(const wal_model_array *a) { return a->single ? sizeof(float) : sizeof(double); }
static size_t elements(const wal_model_array *a) {
  return (size_t)(a->shape[0] * (a->rank == 2 ? a->shape[1] : 1));
}

/* The numbers as they lie in the file, little endian, and back. */
static bool convert(const wal_model_array *a, void *data, bool to_file) {
  const hid_t file = a->single ? H5T_IEEE_F32LE : H5T_IEEE_F64LE;
  const hid_t native = a->single ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE;
  return H5Tconvert(to_file ? native : file, to_file ? file : native, elements(a), data, NULL, H5P_DEFAULT) >=
         0;
}

static wal_status write_bytes(hid_t file, const wal_model_array *a, const void *bytes) {
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

wal_status wal_model_array_write(hid_t file, const wal_model_array *a) {
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
static wal_status check_shape(hid_t set, wal_model_array *a) {
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

static wal_status check_numbers(hid_t set, const wal_model_array *a, const char *stored) {
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

wal_status wal_model_array_read(hid_t file, wal_model_array *a) {
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

wal_status wal_model_write(hid_t file, const char *schema, const wal_facts *facts, const void *object,
                           const wal_provenance *provenance, const wal_model_array arrays[], int count) {
  wal_status status = wal_h5_set_text(file, "schema", schema);
  if (!status) status = wal_h5_set_text(file, "walras_version", WAL_VERSION);
  if (!status) status = wal_facts_write(file, facts, object);
  for (int i = 0; !status && i < provenance->count; i++)
    status = wal_h5_set_text(file, provenance->names[i], provenance->values[i]);
  for (int i = 0; !status && i < count; i++) status = wal_model_array_write(file, &arrays[i]);
  return status;
}

wal_status wal_model_check_schema(hid_t file, const char *schema) {
  char *found;
  if (wal_h5_get_text(file, "schema", &found))
    return wal_fail(WAL_E_INPUT, "/: no text attribute 'schema'; expected a file that walras train wrote");
  const bool ours = strcmp(found, schema) == 0;
  const wal_status status =
      ours ? WAL_OK
           : wal_fail(WAL_E_INPUT,
                      "/: attribute 'schema' is '%.64s'; expected %s, a file that walras train wrote", found,
                      schema);
  free(found);
  return status;
}

/* Where the texts go, and what is left out. */
typedef struct {
  const wal_facts *facts;
  wal_provenance *out;
} texts;

static herr_t append_text(hid_t file, const char *name, const H5A_info_t *info, void *context) {
  (void)info;
  const texts *t = context;
  char *text;
  for (int i = 0; i < t->facts->count; i++)
    if (strcmp(name, t->facts->facts[i].name) == 0) return 0;
  if (wal_h5_get_text(file, name, &text)) return -1;
  const wal_status status = wal_provenance_add(t->out, name, "%s", text);
  free(text);
  return status ? -1 : 0;
}

wal_status wal_model_provenance(hid_t file, const wal_facts *facts, wal_provenance *out) {
  hsize_t next = 0;
  texts t = {facts, out};
  return H5Aiterate2(file, H5_INDEX_CRT_ORDER, H5_ITER_INC, &next, append_text, &t) >= 0
             ? WAL_OK
             : wal_h5_fail(WAL_E_INPUT, file, "cannot list the attributes");
}
