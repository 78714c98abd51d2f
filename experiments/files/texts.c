#include "experiments/files/texts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/h5.h"
#include "experiments/files/reader.h"

enum { NAME_BYTES_MAX = 4096 };

/* Texts of any length, or of `size` bytes each: into names[count]. */
static wal_status read_texts(hid_t dataset, hid_t type, int64_t count, char **names) {
  const bool any = H5Tis_variable_str(type) > 0;
  const size_t size = any ? sizeof(char *) : H5Tget_size(type);
  char *bytes = calloc((size_t)count, size + 1);
  if (!bytes) return wal_fail(WAL_E_MEMORY, "no memory for %lld names", (long long)count);
  const bool read = H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0;
  wal_status status = read ? WAL_OK : wal_h5_fail(WAL_E_INPUT, dataset, "cannot be read");
  for (int64_t k = 0; k < count && !status; k++) {
    const char *text = any ? ((char **)bytes)[k] : bytes + (size_t)k * size;
    names[k] = text ? strndup(text, any ? NAME_BYTES_MAX : size) : strdup("");
    if (!names[k]) status = wal_fail(WAL_E_MEMORY, "no memory for %lld names", (long long)count);
  }
  hid_t space = H5Dget_space(dataset);
  if (any && read) H5Dvlen_reclaim(type, space, H5P_DEFAULT, bytes);
  wal_h5_close(space);
  free(bytes);
  return status;
}

static wal_status check_text(hid_t dataset, hid_t type, const char *name, int64_t count) {
  hid_t space = H5Dget_space(dataset);
  const bool fits = H5Sget_simple_extent_ndims(space) == 1 && H5Sget_simple_extent_npoints(space) == count;
  wal_h5_close(space);
  if (H5Tget_class(type) != H5T_STRING)
    return wal_fail(WAL_E_INPUT, "dataset %s holds no text; expected names", name);
  if (!fits)
    return wal_fail(WAL_E_INPUT, "dataset %s has another shape than [%lld]; expected one name each", name,
                    (long long)count);
  if (H5Tis_variable_str(type) <= 0 && H5Tget_size(type) > NAME_BYTES_MAX)
    return wal_fail(WAL_E_INPUT, "dataset %s has names of %zu bytes; expected at most %d", name,
                    H5Tget_size(type), NAME_BYTES_MAX);
  return WAL_OK;
}

wal_status wal_texts_read(hid_t file, const char *name, int64_t count, char ***out) {
  if (H5Lexists(file, name, H5P_DEFAULT) <= 0) return WAL_OK;
  hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
  if (dataset < 0) return wal_h5_fail(WAL_E_INPUT, -1, "cannot open dataset %s", name);
  hid_t type = H5Dget_type(dataset);
  wal_status status = check_text(dataset, type, name, count);
  if (!status && !(*out = calloc((size_t)count, sizeof **out)))
    status = wal_fail(WAL_E_MEMORY, "no memory for %lld names", (long long)count);
  if (!status) status = read_texts(dataset, type, count, *out);
  wal_h5_close(type);
  wal_h5_close(dataset);
  return status;
}

static wal_status write_texts(hid_t file, const char *name, int rank, const hsize_t size[2], hid_t type,
                              const void *bytes) {
  hid_t space = H5Screate_simple(rank, size, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  H5Pset_obj_track_times(creation, false);
  errno = 0;
  hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  const bool written = dataset >= 0 && H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0 &&
                       H5Dclose(dataset) >= 0; /* the file closes what failed */
  wal_h5_close(creation);
  wal_h5_close(space);
  return written ? WAL_OK : wal_h5_fail_write(name);
}

wal_status wal_texts_write(hid_t file, const char *name, int64_t count, char *const *names) {
  size_t longest = 1;
  for (int64_t k = 0; names && k < count; k++)
    longest = strlen(names[k]) > longest ? strlen(names[k]) : longest;
  char *bytes = names ? calloc((size_t)count, longest) : NULL;
  if (!names) return WAL_OK;
  if (!bytes) return wal_fail(WAL_E_MEMORY, "no memory for %lld names", (long long)count);
  for (int64_t k = 0; k < count; k++) memcpy(bytes + (size_t)k * longest, names[k], strlen(names[k]));
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, longest);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  const wal_status status = write_texts(file, name, 1, (const hsize_t[2]){(hsize_t)count}, type, bytes);
  wal_h5_close(type);
  free(bytes);
  return status;
}

wal_status wal_texts_write_table(hid_t file, const char *name, int64_t rows, int64_t columns,
                                 char *const *texts) {
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  const wal_status status =
      write_texts(file, name, 2, (const hsize_t[2]){(hsize_t)rows, (hsize_t)columns}, type, texts);
  wal_h5_close(type);
  return status;
}
