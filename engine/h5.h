/* The few HDF5 calls that we need, with our statuses and messages. The store builds a file in memory and
   hands it to wal_write_file whole, and reads it whole into memory before HDF5 looks at it; so system errors
   are the system's, and HDF5's can only mean a damaged or foreign file. Markets, which may exceed the memory,
   are read and written in place. */
#ifndef WAL_ENGINE_H5_H
#define WAL_ENGINE_H5_H

#include <hdf5.h>

#include "engine/frame.h"
#include "engine/result.h"

/* An empty file in memory, with link and attribute creation order tracked. Nothing is on disk yet. */
wal_status wal_h5_create(hid_t *file);
/* Writes the file to `path` whole or not at all. The file stays open. */
wal_status wal_h5_save(hid_t file, const char *path);
/* Opens a file for reading. WAL_E_IO: the system could not read it; WAL_E_INPUT: not HDF5, or damaged.
   Both messages begin with the path; those of the functions below with the path inside the file. */
wal_status wal_h5_open(const char *path, hid_t *file);
/* The same for a file of any size, which stays on the disk; its datasets may outlive `file`. */
wal_status wal_h5_open_in_place(const char *path, hid_t *file);
/* An empty file at `path`, on the disk at once: for the temporary name of a wal_new_file. */
wal_status wal_h5_create_in_place(const char *path, hid_t *file);
/* Closes any identifier; accepts a negative one. */
void wal_h5_close(hid_t id);

/* A write failed: says errno's reason, where there is one. Set errno to 0 before the write. */
wal_status wal_h5_fail_write(const char *what);

/* Fails with "PATH OF THE OBJECT: MESSAGE (HDF5: its innermost reason)". */
wal_status wal_h5_fail(wal_status status, hid_t object, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

wal_status wal_h5_create_group(hid_t parent, const char *name, hid_t *group);
wal_status wal_h5_open_group(hid_t parent, const char *name, hid_t *group);
/* Names of the links of a group in creation order, by name where the file does not keep it: malloc'd array of
 * malloc'd strings. */
wal_status wal_h5_links(hid_t group, char ***names, int *count);
void wal_h5_free_names(char **names, int count);

/* Text attributes: scalar, fixed length, UTF-8. */
wal_status wal_h5_set_text(hid_t object, const char *name, const char *text);
wal_status wal_h5_get_text(hid_t object, const char *name, char **text); /* malloc'd */
/* All text attributes in creation order, appended to `out`. */
wal_status wal_h5_get_texts(hid_t object, wal_provenance *out);
/* One number, or `count` of them, of an HDF5 file type; `native` gives their type in memory. */
wal_status wal_h5_set_numbers(hid_t object, const char *name, hid_t type, hid_t native, int count,
                              const void *values);
wal_status wal_h5_get_real(hid_t object, const char *name, double *value);

/* Writes a frame as group `name`: a 1-D dataset per column and a dimension scale attached to each. The scale
   is the first column, or with `row_scale` an extra dataset "row" with the coordinates 0, 1, 2... */
wal_status wal_h5_write_frame(hid_t parent, const char *name, const wal_frame *frame, bool row_scale);
/* Reads it back and checks every column's xxh128. With `findings` NULL the first bad column is the failure;
   else it is printed there, counted in *finding_count, and left out of the frame. */
wal_status wal_h5_read_frame(hid_t parent, const char *name, bool row_scale, FILE *findings,
                             int *finding_count, wal_frame **out);

#endif
