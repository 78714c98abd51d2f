/* Private to the store: other HDF5 files of walras than results, such as solutions and networks, shown and
   verified by what they say about themselves. */
#ifndef WAL_ENGINE_STORE_OTHER_H
#define WAL_ENGINE_STORE_OTHER_H

#include <stdbool.h>
#include <stdio.h>

#include "models/common/status.h"

/* Has this file a root attribute `schema` that begins with "walras-" and is no result's? false also when it
   cannot be opened. */
bool wal_other_file(const char *path);
/* Attributes, then each dataset with its shape, unit and first values. */
wal_status wal_other_show(const char *path, FILE *out);
/* Numbers that are not finite, and the checksums of datasets that have an attribute xxh128; a line per
 * finding. */
wal_status wal_other_verify(const char *path, FILE *out);

#endif
