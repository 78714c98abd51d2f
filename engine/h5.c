#include "engine/h5.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/store.h"
#include "engine/util.h"

enum {
  IMAGE_STEP = 1 << 16, /* bytes by which a file in memory grows */
  FILE_LIMIT = 1 << 30, /* bytes of a file that is read back */
};

/* HDF5 would print its error stack; we put its innermost reason into our message instead. */
static void quiet(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

void wal_h5_close(hid_t id) {
  if (id >= 0) H5Idec_ref(id);
}

static herr_t keep_reason(unsigned n, const H5E_error2_t *error, void *reason) {
  (void)n;
  snprintf(reason, 256, "%s", error->desc ? error->desc : "");
  return 1; /* stop at the first, which is the innermost */
}

wal_status wal_h5_fail(wal_status status, hid_t object, const char *format, ...) {
  char message[1024], reason[256] = "", where[512] = "";
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_reason, reason);
  if (object >= 0 && H5Iget_name(object, where, sizeof where) < 0) where[0] = '\0';
  H5Eclear2(H5E_DEFAULT);
  return wal_fail(status, "%s%s%s%s%s%s", where, *where ? ": " : "", message, *reason ? " (HDF5: " : "",
                  reason, *reason ? ")" : "");
}

/* File access held in memory, closing whatever is still open in the file with it. */
static hid_t memory_access(void) {
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, IMAGE_STEP, false);
  H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
  return access;
}

/* Creates a file and closes `access`. */
static hid_t create_with(const char *path, hid_t access) {
  quiet();
  hid_t creation = H5Pcreate(H5P_FILE_CREATE);
  H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  H5Pset_attr_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  H5Pset_obj_track_times(creation, false); /* the same result gives the same bytes */
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
  wal_h5_close(creation);
  wal_h5_close(access);
  return file;
}

wal_status wal_h5_create(hid_t *file) {
  *file = create_with("walras-in-memory.h5", memory_access());
  return *file < 0 ? wal_h5_fail(WAL_E_MEMORY, -1, "cannot create a file in memory") : WAL_OK;
}

wal_status wal_h5_fail_write(const char *what) {
  if (errno == 0) return wal_h5_fail(WAL_E_IO, -1, "cannot write %s", what);
  const int reason = errno;
  H5Eclear2(H5E_DEFAULT);
  return wal_fail(WAL_E_IO, "cannot write %s: %s", what, strerror(reason));
}

wal_status wal_h5_create_in_place(const char *path, hid_t *file) {
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
  H5Pset_file_locking(access, false, true); /* the temporary file's writer holds its lock already */
  errno = 0;
  *file = create_with(path, access);
  return *file < 0 ? wal_h5_fail_write(path) : WAL_OK;
}

wal_status wal_h5_save(hid_t file, const char *path) {
  ssize_t length = H5Fflush(file, H5F_SCOPE_GLOBAL) < 0 ? -1 : H5Fget_file_image(file, NULL, 0);
  if (length < 0) return wal_h5_fail(WAL_E_INTERNAL, -1, "cannot finish %s in memory", path);
  char *bytes = malloc((size_t)length + 1);
  if (!bytes) return wal_fail(WAL_E_MEMORY, "no memory for the %zd bytes of %s", length, path);
  wal_status status = WAL_OK;
  if (H5Fget_file_image(file, bytes, (size_t)length) != length)
    status = wal_h5_fail(WAL_E_INTERNAL, -1, "cannot finish %s in memory", path);
  if (!status) status = wal_write_file(path, bytes, (size_t)length);
  free(bytes);
  return status;
}

static wal_status open_image(const char *path, char *bytes, size_t length, hid_t *file) {
  static const char signature[] = "\211HDF\r\n\032\n";
  if (length < sizeof signature || memcmp(bytes, signature, sizeof signature - 1) != 0)
    return wal_fail(WAL_E_INPUT, "%s: not an HDF5 file (%zu bytes, without HDF5's signature)", path, length);
  hid_t access = memory_access();
  H5Pset_file_image(access, bytes, length);
  *file = H5Fopen("walras-in-memory.h5", H5F_ACC_RDONLY, access);
  wal_h5_close(access);
  return *file < 0 ? wal_h5_fail(WAL_E_INPUT, -1, "%s: a damaged or truncated HDF5 file", path) : WAL_OK;
}

wal_status wal_h5_open(const char *path, hid_t *file) {
  quiet();
  *file = -1;
  char *bytes = NULL;
  size_t length = 0;
  wal_status status = wal_read_file(path, FILE_LIMIT, &bytes, &length);
  if (!status) status = open_image(path, bytes, length, file);
  free(bytes);
  return status;
}

wal_status wal_h5_open_in_place(const char *path, hid_t *file) {
  quiet();
  *file = -1;
  const wal_status regular = wal_regular_file(path, NULL);
  if (regular != WAL_OK) return regular;
  if (access(path, R_OK) != 0) return wal_fail(WAL_E_IO, "%s: cannot be read: %s", path, strerror(errno));
  hid_t properties = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_file_locking(properties, true, true); /* refused while another program writes it */
  *file = H5Fopen(path, H5F_ACC_RDONLY, properties);
  wal_status status =
      *file < 0
          ? wal_h5_fail(WAL_E_INPUT, -1,
                        "%s: a damaged or truncated HDF5 file, or one that another program is writing", path)
          : WAL_OK; /* before another call clears the reason */
  wal_h5_close(properties);
  return status;
}

wal_status wal_h5_create_group(hid_t parent, const char *name, hid_t *group) {
  hid_t creation = H5Pcreate(H5P_GROUP_CREATE);
  H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  H5Pset_attr_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  H5Pset_obj_track_times(creation, false);
  *group = H5Gcreate2(parent, name, H5P_DEFAULT, creation, H5P_DEFAULT);
  wal_h5_close(creation);
  return *group < 0 ? wal_h5_fail(WAL_E_INTERNAL, parent, "cannot create group %s", name) : WAL_OK;
}

wal_status wal_h5_open_group(hid_t parent, const char *name, hid_t *group) {
  *group = H5Gopen2(parent, name, H5P_DEFAULT);
  return *group < 0 ? wal_h5_fail(WAL_E_INPUT, parent, "expected a group '%s' here", name) : WAL_OK;
}

void wal_h5_free_names(char **names, int count) {
  for (int i = 0; names && i < count; i++) free(names[i]);
  free(names);
}

/* Files of other programs may not keep the order of creation. */
static H5_index_t link_order(hid_t group) {
  unsigned order = 0;
  hid_t creation = H5Gget_create_plist(group);
  H5Pget_link_creation_order(creation, &order);
  wal_h5_close(creation);
  return order & H5P_CRT_ORDER_INDEXED ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
}

static wal_status link_name(hid_t group, H5_index_t order, int i, char **name) {
  ssize_t length = H5Lget_name_by_idx(group, ".", order, H5_ITER_INC, (hsize_t)i, NULL, 0, H5P_DEFAULT);
  if (length < 0) return wal_h5_fail(WAL_E_INPUT, group, "cannot list this group");
  *name = calloc(1, (size_t)length + 1);
  if (!*name) return wal_fail(WAL_E_MEMORY, "no memory to list a group");
  H5Lget_name_by_idx(group, ".", order, H5_ITER_INC, (hsize_t)i, *name, (size_t)length + 1, H5P_DEFAULT);
  return WAL_OK;
}

wal_status wal_h5_links(hid_t group, char ***names, int *count) {
  H5G_info_t info;
  *names = NULL;
  *count = 0;
  if (H5Gget_info(group, &info) < 0 || info.nlinks > 1000000)
    return wal_h5_fail(WAL_E_INPUT, group, "cannot list this group");
  *names = calloc(info.nlinks + 1, sizeof **names);
  if (!*names) return wal_fail(WAL_E_MEMORY, "no memory to list a group");
  const H5_index_t order = link_order(group);
  wal_status status = WAL_OK;
  while (!status && *count < (int)info.nlinks) {
    status = link_name(group, order, *count, &(*names)[*count]);
    ++*count;
  }
  if (status) {
    wal_h5_free_names(*names, *count);
    *names = NULL;
  }
  return status;
}

wal_status wal_h5_set_text(hid_t object, const char *name, const char *text) {
  hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  H5Tset_size(type, strlen(text) + 1);
  H5Tset_cset(type, H5T_CSET_UTF8);
  hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  bool written = attribute >= 0 && H5Awrite(attribute, type, text) >= 0;
  wal_h5_close(attribute);
  wal_h5_close(space);
  wal_h5_close(type);
  return written ? WAL_OK : wal_h5_fail(WAL_E_INTERNAL, object, "cannot store attribute %s", name);
}

/* Reads an open attribute that must be one fixed-length text. */
static wal_status read_text(hid_t attribute, char **text) {
  hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  bool fits = H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
              H5Sget_simple_extent_npoints(space) == 1;
  size_t size = fits ? H5Tget_size(type) : 0;
  *text = fits ? calloc(1, size + 1) : NULL;
  bool got = *text && H5Aread(attribute, type, *text) >= 0;
  wal_h5_close(space);
  wal_h5_close(type);
  if (got) return WAL_OK;
  bool no_memory = fits && !*text;
  free(*text);
  *text = NULL;
  return no_memory ? wal_fail(WAL_E_MEMORY, "no memory for a text of %zu bytes", size)
                   : wal_fail(WAL_E_INPUT, "expected one fixed-length text");
}

wal_status wal_h5_get_text(hid_t object, const char *name, char **text) {
  *text = NULL;
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  if (attribute < 0) return wal_h5_fail(WAL_E_INPUT, object, "attribute '%s' is missing or unreadable", name);
  wal_status status = read_text(attribute, text);
  wal_h5_close(attribute);
  return status ? wal_h5_fail(status, object, "attribute '%s': %s", name, wal_error()) : WAL_OK;
}

static herr_t append_text(hid_t object, const char *name, const H5A_info_t *info, void *out) {
  (void)info;
  char *text;
  if (wal_h5_get_text(object, name, &text)) return -1;
  wal_status status = wal_provenance_add(out, name, "%s", text);
  free(text);
  return status ? -1 : 0;
}

wal_status wal_h5_get_texts(hid_t object, wal_provenance *out) {
  hsize_t next = 0;
  wal_fail(WAL_OK, "%s", "");
  if (H5Aiterate2(object, H5_INDEX_CRT_ORDER, H5_ITER_INC, &next, append_text, out) >= 0) return WAL_OK;
  return *wal_error() ? WAL_E_INPUT : wal_h5_fail(WAL_E_INPUT, object, "cannot list the attributes");
}

wal_status wal_h5_set_numbers(hid_t object, const char *name, hid_t type, hid_t native, int count,
                              const void *values) {
  hsize_t size = (hsize_t)count;
  hid_t space = count == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &size, NULL);
  hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  bool written = attribute >= 0 && H5Awrite(attribute, native, values) >= 0;
  wal_h5_close(attribute);
  wal_h5_close(space);
  return written ? WAL_OK : wal_h5_fail(WAL_E_INTERNAL, object, "cannot store attribute %s", name);
}

wal_status wal_h5_get_real(hid_t object, const char *name, double *value) {
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  hid_t space = attribute < 0 ? -1 : H5Aget_space(attribute);
  bool got = space >= 0 && H5Sget_simple_extent_npoints(space) == 1 &&
             H5Aread(attribute, H5T_NATIVE_DOUBLE, value) >= 0;
  wal_h5_close(space);
  wal_h5_close(attribute);
  return got ? WAL_OK : wal_h5_fail(WAL_E_INPUT, object, "attribute '%s': expected one number", name);
}
