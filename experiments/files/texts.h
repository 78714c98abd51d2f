/* Lists of names in HDF5. Private to experiments/files. */
#ifndef WAL_EXPERIMENTS_FILES_TEXTS_H
#define WAL_EXPERIMENTS_FILES_TEXTS_H

#include <hdf5.h>
#include <stdint.h>

#include "models/common/status.h"

/* Dataset `name` [count], which may be missing (*out stays NULL): texts of any length or of a fixed one.
 *out: malloc'd, wal_names_free. */
wal_status wal_texts_read(hid_t file, const char *name, int64_t count, char ***out);
/* Writes fixed-length UTF-8 texts; names NULL: nothing. */
wal_status wal_texts_write(hid_t file, const char *name, int64_t count, char *const *names);
/* A table [rows, columns] of texts of any length: one long one costs no room for all. */
wal_status wal_texts_write_table(hid_t file, const char *name, int64_t rows, int64_t columns,
                                 char *const *texts);

#endif
