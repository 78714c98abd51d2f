/* Datasets and attributes for tests that need HDF5 files of their own. */
#ifndef WAL_TESTS_H5_PUT_H
#define WAL_TESTS_H5_PUT_H

#include <check.h>
#include <hdf5.h>
#include <string.h>

#include "tests/scratch.h"

/* An empty file in the scratch folder. */
static inline hid_t h5_create(const char *name) {
  hid_t file = H5Fcreate(scratch_path(name), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  ck_assert_int_ge(file, 0);
  return file;
}

/* Doubles stored as `stored` (NULL cells: only the dataset); chunk 0: contiguous, else that many rows a
   chunk, compressed. */
static inline void h5_put_as(hid_t file, const char *name, int rank, const hsize_t *size, hid_t stored,
                             const double *cells, hsize_t chunk) {
  hid_t space = H5Screate_simple(rank, size, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
  const hsize_t chunks[3] = {chunk, rank > 1 ? size[1] : 1, rank > 2 ? size[2] : 1};
  if (chunk) H5Pset_chunk(creation, rank, chunks);
  if (chunk) H5Pset_deflate(creation, 1);
  hid_t dataset = H5Dcreate2(file, name, stored, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  ck_assert_int_ge(dataset, 0);
  if (cells) ck_assert_int_ge(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, cells), 0);
  H5Dclose(dataset);
  H5Pclose(creation);
  H5Sclose(space);
}

static inline void h5_put(hid_t file, const char *name, int rank, const hsize_t *size, const double *cells) {
  h5_put_as(file, name, rank, size, H5T_NATIVE_DOUBLE, cells, 0);
}

/* Fixed-length texts of 16 bytes. */
static inline void h5_put_texts(hid_t file, const char *name, hsize_t count, const char (*texts)[16]) {
  hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &count, NULL);
  H5Tset_size(type, 16);
  hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  ck_assert_int_ge(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts), 0);
  H5Dclose(dataset);
  H5Sclose(space);
  H5Tclose(type);
}

/* All numbers of a dataset, which must be `count`. */
static inline void h5_get(const char *file_name, const char *name, int count, double *cells) {
  hid_t file = H5Fopen(scratch_path(file_name), H5F_ACC_RDONLY, H5P_DEFAULT);
  ck_assert_int_ge(file, 0);
  hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(dataset);
  ck_assert_int_eq(H5Sget_simple_extent_npoints(space), count);
  ck_assert_int_ge(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, cells), 0);
  H5Sclose(space);
  H5Dclose(dataset);
  H5Fclose(file);
}

/* A number among the file's attributes. */
static inline double h5_attribute(const char *file_name, const char *name) {
  double value = 0;
  hid_t file = H5Fopen(scratch_path(file_name), H5F_ACC_RDONLY, H5P_DEFAULT);
  ck_assert_int_ge(file, 0);
  hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
  ck_assert_msg(attribute >= 0, "no attribute %s", name);
  ck_assert_int_ge(H5Aread(attribute, H5T_NATIVE_DOUBLE, &value), 0);
  H5Aclose(attribute);
  H5Fclose(file);
  return value;
}

static inline bool h5_has(const char *file_name, const char *name) {
  hid_t file = H5Fopen(scratch_path(file_name), H5F_ACC_RDONLY, H5P_DEFAULT);
  ck_assert_int_ge(file, 0);
  const bool has = H5Lexists(file, name, H5P_DEFAULT) > 0;
  H5Fclose(file);
  return has;
}

#endif
