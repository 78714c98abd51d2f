/* A frame as an HDF5 group: one dataset per column, packed, checksummed and described. */
#include <hdf5_hl.h>
#include <stdlib.h>
#include <string.h>

#include "engine/checksum.h"
#include "engine/h5.h"

enum {
  CHUNK_ROWS = 16384, /* rows of one compressed chunk */
  COMPRESS_FROM =
      65536, /* bytes below which a column is stored contiguous: chunks would cost more than they save */
  DEFLATE_LEVEL = 4,
};

/* One column as it lies in the file. */
typedef struct {
  char *name;
  hid_t type;    /* file type: I64LE, F64LE, I8LE or fixed-length UTF-8 text */
  size_t size;   /* bytes of one element */
  int64_t count; /* elements */
  char *bytes;   /* [count * size] little endian */
} packed;

static void packed_free(packed *column) {
  free(column->name);
  free(column->bytes);
  wal_h5_close(column->type);
  *column = (packed){.type = -1};
}

static hid_t text_type(size_t size) {
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, size);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

static hid_t file_type(wal_type type, size_t text_size) {
  switch (type) {
    case WAL_INT:
      return H5Tcopy(H5T_STD_I64LE);
    case WAL_REAL:
      return H5Tcopy(H5T_IEEE_F64LE);
    case WAL_BOOL:
      return H5Tcopy(H5T_STD_I8LE);
    case WAL_TEXT:
      return text_type(text_size);
  }
  return -1;
}

/* Converts between the machine's numbers and the file's little-endian ones, in place. */
static bool convert(packed *column, wal_type type, bool to_file) {
  if (type != WAL_INT && type != WAL_REAL) return true;
  hid_t native = type == WAL_INT ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE;
  return H5Tconvert(to_file ? native : column->type, to_file ? column->type : native, (size_t)column->count,
                    column->bytes, NULL, H5P_DEFAULT) >= 0;
}

static void checksum(const packed *column, char hex[33]) {
  wal_bytes_hash(column->bytes, (size_t)column->count * column->size, hex);
}

/* --- writing --- */

/* Bytes of the longest text with its terminator. At least 2: netCDF takes length 1 for a single character. */
static size_t text_width(const wal_frame *frame, int column) {
  size_t width = 2;
  for (int64_t row = 0; row < wal_frame_rows(frame); row++) {
    size_t length = strlen(wal_frame_text(frame, row, column)) + 1;
    if (length > width) width = length;
  }
  return width;
}

static void pack_cell(const wal_frame *frame, int64_t row, int column, char *cell) {
  wal_value value = wal_frame_get(frame, row, column);
  switch (value.type) {
    case WAL_INT:
      memcpy(cell, &value.i, sizeof value.i);
      break;
    case WAL_REAL:
      memcpy(cell, &value.r, sizeof value.r);
      break;
    case WAL_BOOL:
      *cell = value.b ? 1 : 0;
      break;
    case WAL_TEXT:
      memcpy(cell, value.text, strlen(value.text));
      break;
  }
}

static wal_status pack(const wal_frame *frame, int column, packed *out) {
  const wal_column *about = wal_frame_column(frame, column);
  *out = (packed){.count = wal_frame_rows(frame)};
  out->type = file_type(about->type, about->type == WAL_TEXT ? text_width(frame, column) : 0);
  out->size = H5Tget_size(out->type);
  out->name = strdup(about->name);
  out->bytes = calloc((size_t)out->count + 1, out->size);
  if (!out->name || !out->bytes) return wal_fail(WAL_E_MEMORY, "no memory to store column %s", about->name);
  for (int64_t row = 0; row < out->count; row++)
    pack_cell(frame, row, column, out->bytes + (size_t)row * out->size);
  return convert(out, about->type, true) ? WAL_OK
                                         : wal_h5_fail(WAL_E_INTERNAL, -1, "cannot pack %s", about->name);
}

static wal_status pack_row_numbers(int64_t count, packed *out) {
  *out = (packed){.type = H5Tcopy(H5T_STD_I64LE), .size = sizeof(int64_t), .count = count};
  out->name = strdup("row");
  out->bytes = calloc((size_t)count + 1, out->size);
  if (!out->name || !out->bytes)
    return wal_fail(WAL_E_MEMORY, "no memory to store %lld rows", (long long)count);
  for (int64_t row = 0; row < count; row++) memcpy(out->bytes + row * 8, &row, 8);
  return convert(out, WAL_INT, true) ? WAL_OK : wal_h5_fail(WAL_E_INTERNAL, -1, "cannot pack row numbers");
}

static hid_t dataset_creation(const packed *column) {
  hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_attr_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  H5Pset_obj_track_times(creation, false);
  if ((size_t)column->count * column->size >= COMPRESS_FROM) {
    hsize_t chunk = column->count < CHUNK_ROWS ? (hsize_t)column->count : CHUNK_ROWS;
    H5Pset_chunk(creation, 1, &chunk);
    H5Pset_shuffle(creation);
    H5Pset_deflate(creation, DEFLATE_LEVEL);
    H5Pset_fletcher32(creation);
  }
  return creation;
}

static wal_status write_packed(hid_t group, const packed *column, hid_t *dataset) {
  hsize_t count = (hsize_t)column->count;
  hid_t space = H5Screate_simple(1, &count, NULL), creation = dataset_creation(column);
  *dataset = H5Dcreate2(group, column->name, column->type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  bool written = *dataset >= 0 && (count == 0 || H5Dwrite(*dataset, column->type, H5S_ALL, H5S_ALL,
                                                          H5P_DEFAULT, column->bytes) >= 0);
  wal_h5_close(creation);
  wal_h5_close(space);
  if (!written) return wal_h5_fail(WAL_E_INTERNAL, group, "cannot store column %s", column->name);
  char hex[33];
  checksum(column, hex);
  return wal_h5_set_text(*dataset, "xxh128", hex);
}

static bool has_missing(const wal_frame *frame, int column) {
  for (int64_t row = 0; row < wal_frame_rows(frame); row++)
    if (wal_frame_missing(frame, row, column)) return true;
  return false;
}

/* _FillValue of the variable's own type. Integers carry it only when something is missing, because netCDF
   readers turn integers with a fill value into floating point. */
static wal_status set_fill(hid_t dataset, const wal_frame *frame, int column) {
  double real = __builtin_nan("");
  int64_t integer = INT64_MIN;
  wal_type type = wal_frame_column(frame, column)->type;
  if (type == WAL_REAL)
    return wal_h5_set_numbers(dataset, "_FillValue", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, &real);
  if (type == WAL_INT && has_missing(frame, column))
    return wal_h5_set_numbers(dataset, "_FillValue", H5T_STD_I64LE, H5T_NATIVE_INT64, 1, &integer);
  return WAL_OK;
}

static wal_status set_flag_meanings(hid_t dataset) {
  const int8_t values[2] = {0, 1};
  wal_status status = wal_h5_set_numbers(dataset, "flag_values", H5T_STD_I8LE, H5T_NATIVE_INT8, 2, values);
  return status ? status : wal_h5_set_text(dataset, "flag_meanings", "false true");
}

static const char *role_of(unsigned flags) {
  if (flags & WAL_COLUMN_KEY) return "key";
  if (flags & WAL_COLUMN_TIMING) return "timing";
  return flags & WAL_COLUMN_OPTIONAL ? "optional" : "measure";
}

static wal_status set_description(hid_t dataset, const wal_column *about) {
  static const char *const missing[] = {[WAL_INT] = "missing: _FillValue",
                                        [WAL_REAL] = "missing: NaN",
                                        [WAL_BOOL] = "0 false, 1 true",
                                        [WAL_TEXT] = "missing: empty"};
  char text[1024];
  const char *role = about->flags & WAL_COLUMN_KEY      ? "identifies the row"
                     : about->flags & WAL_COLUMN_TIMING ? "a clock or memory reading, differs between runs"
                                                        : "computed, the same in every run";
  snprintf(text, sizeof text, "%s (%s; %s)", about->doc ? about->doc : about->name, role,
           missing[about->type]);
  return wal_h5_set_text(dataset, "description", text);
}

/* The attributes of a column, in the order a reader wants to see them. */
static wal_status describe(hid_t dataset, const wal_frame *frame, int column) {
  const wal_column *about = wal_frame_column(frame, column);
  wal_status status = wal_h5_set_text(dataset, "long_name", about->doc ? about->doc : "");
  if (!status) status = wal_h5_set_text(dataset, "units", about->unit ? about->unit : "1");
  if (!status) status = set_description(dataset, about);
  if (!status) status = wal_h5_set_text(dataset, "role", role_of(about->flags));
  if (!status) status = set_fill(dataset, frame, column);
  if (!status && about->type == WAL_BOOL) status = set_flag_meanings(dataset);
  if (!status && about->rtol != 0)
    status = wal_h5_set_numbers(dataset, "rtol", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, &about->rtol);
  if (!status && about->atol != 0)
    status = wal_h5_set_numbers(dataset, "atol", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, &about->atol);
  return status;
}

static wal_status write_row_scale(hid_t group, int64_t rows, hid_t *scale) {
  packed column;
  wal_status status = pack_row_numbers(rows, &column);
  if (!status) status = write_packed(group, &column, scale);
  if (!status) status = wal_h5_set_text(*scale, "long_name", "row number");
  if (!status) status = wal_h5_set_text(*scale, "units", "1");
  if (!status && H5DSset_scale(*scale, "row") < 0)
    status = wal_h5_fail(WAL_E_INTERNAL, *scale, "not a scale");
  packed_free(&column);
  return status;
}

/* Writes one column; the first without a scale becomes the scale of the others. */
static wal_status write_column(hid_t group, const wal_frame *frame, int column, hid_t *scale) {
  packed data;
  hid_t dataset = -1;
  wal_status status = pack(frame, column, &data);
  if (!status) status = write_packed(group, &data, &dataset);
  if (!status) status = describe(dataset, frame, column);
  bool scaled = true;
  if (!status && *scale >= 0) scaled = H5DSattach_scale(dataset, *scale, 0) >= 0;
  if (!status && *scale < 0) {
    scaled = H5DSset_scale(dataset, data.name) >= 0;
    *scale = dataset;
    H5Iinc_ref(dataset);
  }
  if (!scaled) status = wal_h5_fail(WAL_E_INTERNAL, dataset, "cannot attach the dimension scale");
  wal_h5_close(dataset);
  packed_free(&data);
  return status;
}

wal_status wal_h5_write_frame(hid_t parent, const char *name, const wal_frame *frame, bool row_scale) {
  hid_t group, scale = -1;
  wal_status status = wal_h5_create_group(parent, name, &group);
  if (!status && row_scale) status = write_row_scale(group, wal_frame_rows(frame), &scale);
  for (int column = 0; column < wal_frame_columns(frame) && !status; column++)
    status = write_column(group, frame, column, &scale);
  wal_h5_close(scale);
  wal_h5_close(group);
  return status;
}

/* --- reading --- */

/* A column read from a file: its description and its bytes. */
typedef struct {
  wal_column about; /* borrows the texts below */
  char *doc, *unit, *role;
  packed data;
} stored_column;

static void stored_free(stored_column *column) {
  free(column->doc);
  free(column->unit);
  free(column->role);
  packed_free(&column->data);
}

/* Which of our types an HDF5 type is. */
static wal_status our_type(hid_t dataset, hid_t type, wal_type *out) {
  if (H5Tequal(type, H5T_STD_I64LE) > 0) return *out = WAL_INT, WAL_OK;
  if (H5Tequal(type, H5T_IEEE_F64LE) > 0) return *out = WAL_REAL, WAL_OK;
  if (H5Tequal(type, H5T_STD_I8LE) > 0) return *out = WAL_BOOL, WAL_OK;
  if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 && H5Tget_size(type) <= WAL_TEXT_MAX)
    return *out = WAL_TEXT, WAL_OK;
  return wal_h5_fail(
      WAL_E_INPUT, dataset,
      "has a type walras does not write; expected 64-bit integers, 64-bit floats, 8-bit truth values or "
      "fixed-length text of at most %d bytes",
      WAL_TEXT_MAX);
}

static wal_status read_bytes(hid_t dataset, packed *data) {
  hid_t space = H5Dget_space(dataset);
  hsize_t count = 0;
  bool flat = H5Sget_simple_extent_ndims(space) == 1 && H5Sget_simple_extent_dims(space, &count, NULL) == 1;
  wal_h5_close(space);
  if (!flat || count > INT64_MAX / WAL_TEXT_MAX)
    return wal_h5_fail(WAL_E_INPUT, dataset, "expected one dimension");
  data->count = (int64_t)count;
  data->bytes = calloc(count + 1, data->size);
  if (!data->bytes)
    return wal_h5_fail(WAL_E_INPUT, dataset, "says it has %lld values, more than fit in memory",
                       (long long)count);
  if (count > 0 && H5Dread(dataset, data->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data->bytes) < 0)
    return wal_h5_fail(WAL_E_INPUT, dataset, "cannot be read");
  return WAL_OK;
}

static wal_status check_sum(hid_t dataset, const packed *data) {
  char computed[33], *stored;
  wal_status status = wal_h5_get_text(dataset, "xxh128", &stored);
  if (status) return status;
  checksum(data, computed);
  if (strcmp(stored, computed) != 0)
    status = wal_h5_fail(WAL_E_INPUT, dataset, "checksum differs: xxh128 says %s, the data gives %s", stored,
                         computed);
  free(stored);
  return status;
}

static wal_status read_description(hid_t dataset, stored_column *out) {
  wal_status status = wal_h5_get_text(dataset, "long_name", &out->doc);
  if (!status) status = wal_h5_get_text(dataset, "units", &out->unit);
  if (!status) status = wal_h5_get_text(dataset, "role", &out->role);
  if (!status && H5Aexists(dataset, "rtol") > 0) status = wal_h5_get_real(dataset, "rtol", &out->about.rtol);
  if (!status && H5Aexists(dataset, "atol") > 0) status = wal_h5_get_real(dataset, "atol", &out->about.atol);
  if (status) return status;
  out->about.name = out->data.name;
  out->about.doc = out->doc;
  out->about.unit = out->unit;
  if (strcmp(out->role, "key") == 0) out->about.flags |= WAL_COLUMN_KEY;
  if (strcmp(out->role, "timing") == 0) out->about.flags |= WAL_COLUMN_TIMING;
  if (strcmp(out->role, "optional") == 0) out->about.flags |= WAL_COLUMN_OPTIONAL;
  return WAL_OK;
}

static wal_status read_dataset(hid_t dataset, bool is_row_scale, stored_column *out) {
  packed *data = &out->data;
  data->type = H5Dget_type(dataset);
  data->size = H5Tget_size(data->type);
  wal_status status = our_type(dataset, data->type, &out->about.type);
  if (!status) status = read_bytes(dataset, data);
  if (!status) status = check_sum(dataset, data);
  if (!status && !is_row_scale) status = read_description(dataset, out);
  if (!status && !convert(data, out->about.type, false))
    status = wal_h5_fail(WAL_E_INPUT, dataset, "cannot convert");
  return status;
}

static wal_status read_column(hid_t group, const char *name, bool is_row_scale, stored_column *out) {
  *out = (stored_column){.data.type = -1};
  out->data.name = strdup(name);
  if (!out->data.name) return wal_fail(WAL_E_MEMORY, "no memory to read column %s", name);
  hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT);
  if (dataset < 0) return wal_h5_fail(WAL_E_INPUT, group, "cannot open column '%s'", name);
  wal_status status = read_dataset(dataset, is_row_scale, out);
  wal_h5_close(dataset);
  return status;
}

static void unpack_cell(const stored_column *column, int64_t row, wal_value *value) {
  const char *cell = column->data.bytes + (size_t)row * column->data.size;
  *value = (wal_value){.type = column->about.type};
  switch (value->type) {
    case WAL_INT:
      memcpy(&value->i, cell, sizeof value->i);
      break;
    case WAL_REAL:
      memcpy(&value->r, cell, sizeof value->r);
      break;
    case WAL_BOOL:
      value->b = *cell != 0;
      break;
    case WAL_TEXT:
      memcpy(value->text, cell,
             strnlen(cell, column->data.size < WAL_TEXT_MAX ? column->data.size : WAL_TEXT_MAX - 1));
      break;
  }
}

/* Joins columns of equal length into a frame. */
static wal_status join(const stored_column *columns, int count, int64_t rows, wal_frame **out) {
  wal_column *abouts = calloc((size_t)count + 1, sizeof *abouts);
  wal_frame *frame = NULL;
  if (abouts) {
    for (int c = 0; c < count; c++) abouts[c] = columns[c].about;
    frame = wal_frame_new(abouts, count);
  }
  free(abouts);
  bool grown = frame != NULL;
  for (int64_t row = 0; row < rows && grown; row++) grown = wal_frame_add(frame) >= 0;
  if (!grown) {
    wal_frame_free(frame);
    return wal_fail(WAL_E_MEMORY, "no memory for %lld rows", (long long)rows);
  }
  for (int c = 0; c < count; c++)
    for (int64_t row = 0; row < rows; row++) {
      wal_value value;
      unpack_cell(&columns[c], row, &value);
      wal_frame_set(frame, row, c, &value);
    }
  *out = frame;
  return WAL_OK;
}

/* What is read of one group, and where bad columns are told. */
typedef struct {
  hid_t group;
  char **names; /* [count] of the datasets, in creation order */
  int count;
  stored_column *columns; /* [kept] */
  int kept;
  int64_t rows; /* -1 before the first column */
  FILE *findings;
  int *finding_count;
} reading;

static wal_status read_next(reading *r, const char *name, bool is_row_scale) {
  stored_column *column = &r->columns[r->kept];
  wal_status status = read_column(r->group, name, is_row_scale, column);
  if (!status && r->rows >= 0 && column->data.count != r->rows)
    status = wal_h5_fail(WAL_E_INPUT, r->group, "column '%s' has %lld rows, the ones before it %lld", name,
                         (long long)column->data.count, (long long)r->rows);
  if (!status) r->rows = column->data.count;
  if (!status && !is_row_scale) {
    r->kept++;
  } else {
    stored_free(column);
  }
  return status;
}

/* Reads every column; one that cannot be read is the failure, or a finding. */
static wal_status read_columns(reading *r, bool row_scale) {
  for (int i = 0; i < r->count; i++) {
    wal_status status = read_next(r, r->names[i], row_scale && strcmp(r->names[i], "row") == 0);
    if (status && (status != WAL_E_INPUT || !r->findings)) return status;
    if (status) {
      fprintf(r->findings, "%s\n", wal_error());
      ++*r->finding_count;
    }
  }
  return WAL_OK;
}

wal_status wal_h5_read_frame(hid_t parent, const char *name, bool row_scale, FILE *findings,
                             int *finding_count, wal_frame **out) {
  *out = NULL;
  reading r = {.rows = -1, .findings = findings, .finding_count = finding_count};
  wal_status status = wal_h5_open_group(parent, name, &r.group);
  if (!status) status = wal_h5_links(r.group, &r.names, &r.count);
  r.columns = calloc((size_t)r.count + 1, sizeof *r.columns);
  if (!r.columns) status = wal_fail(WAL_E_MEMORY, "no memory for %d columns", r.count);
  if (!status) status = read_columns(&r, row_scale);
  if (!status) status = join(r.columns, r.kept, r.rows < 0 ? 0 : r.rows, out);
  for (int i = 0; i < r.kept; i++) stored_free(&r.columns[i]);
  free(r.columns);
  wal_h5_free_names(r.names, r.count);
  wal_h5_close(r.group);
  return status;
}
