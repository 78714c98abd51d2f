/* Checksums: XXH3-128 as 32 hex digits, of bytes, texts and of the files that parameters name. */
#ifndef WAL_ENGINE_CHECKSUM_H
#define WAL_ENGINE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "models/common/status.h"

void wal_bytes_hash(const void *bytes, size_t length, char hex[33]);
void wal_text_hash(const char *text, char hex[33]);

/* Of a file, read in pieces. WAL_E_INPUT: it cannot be read. */
wal_status wal_file_hash(const char *path, char hex[33]);

/* What a file holds. */
typedef struct {
  int64_t bytes;
  char xxh128[33];
} wal_file_id;

/* Is this a regular file that can be read? WAL_E_INPUT: the path and the system's reason. Reads nothing. */
wal_status wal_file_check(const char *path);

/* Size and checksum. The content is read once per process for as long as size, time of change and inode stay
   the same. */
wal_status wal_file_identify(const char *path, wal_file_id *out);

#endif
