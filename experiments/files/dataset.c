#include "experiments/files/dataset.h"

#include <errno.h>
#include <math.h>

#include "engine/h5.h"
#include "models/common/version.h"

wal_status wal_dataset_create(hid_t file, wal_dataset *set) {
  hid_t space = H5Screate_simple(set->rank, set->size, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(creation, false); /* the same solution gives the same bytes */
  errno = 0;
  const hid_t type = set->flag ? H5T_STD_U8LE : H5T_IEEE_F64LE;
  set->id = H5Dcreate2(file, set->name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  wal_h5_close(creation);
  wal_h5_close(space);
  if (set->id < 0) return wal_h5_fail_write(set->name);
  wal_status status = wal_h5_set_text(set->id, "units", set->unit);
  if (!status) status = wal_h5_set_text(set->id, "long_name", set->doc);
  return status;
}

wal_status wal_dataset_write(const wal_dataset *set, int64_t from, int64_t rows, const double *cells) {
  const hsize_t start[3] = {(hsize_t)from, 0, 0}, count[3] = {(hsize_t)rows, set->size[1], set->size[2]};
  hid_t space = H5Dget_space(set->id), memory = H5Screate_simple(set->rank, count, NULL);
  errno = 0;
  const bool written = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                       H5Dwrite(set->id, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, cells) >= 0;
  wal_h5_close(memory);
  wal_h5_close(space);
  return written ? WAL_OK : wal_h5_fail_write(set->name);
}

wal_status wal_dataset_close(wal_dataset *set) {
  const hid_t id = set->id;
  set->id = -1;
  errno = 0;
  return id < 0 || H5Dclose(id) >= 0 ? WAL_OK : wal_h5_fail_write(set->name);
}

wal_status wal_dataset_put(hid_t file, wal_dataset set, const double *cells) {
  wal_status status = wal_dataset_create(file, &set);
  if (!status) status = wal_dataset_write(&set, 0, (int64_t)set.size[0], cells);
  return status ? status : wal_dataset_close(&set);
}

wal_status wal_attributes_write(hid_t file, const char *schema, const wal_number_attribute numbers[],
                                int count, const wal_provenance *texts) {
  wal_status status = wal_h5_set_text(file, "schema", schema);
  if (!status) status = wal_h5_set_text(file, "walras_version", WAL_VERSION);
  for (int k = 0; k < count && !status; k++)
    if (!isnan(numbers[k].value))
      status =
          wal_h5_set_numbers(file, numbers[k].name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, &numbers[k].value);
  for (int k = 0; k < texts->count && !status; k++)
    status = wal_h5_set_text(file, texts->names[k], texts->values[k]);
  return status;
}

wal_status wal_dataset_end(hid_t file, wal_status status) {
  errno = 0;
  if (!status && H5Fflush(file, H5F_SCOPE_GLOBAL) < 0) status = wal_h5_fail_write("the file's end");
  if (H5Fclose(file) < 0 && !status) status = wal_h5_fail_write("the file's end");
  return status;
}
