/* Small things every file of the engine needs: growable text, paths, whole files. */
#ifndef WAL_ENGINE_UTIL_H
#define WAL_ENGINE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/common/status.h"

/* Growable text. Begin with `wal_text text = {0};`. A failed allocation is remembered and reported once, by
   wal_text_steal returning NULL, so the additions in between need no checks. */
typedef struct {
  char *data;    /* [length + 1] NUL-terminated; NULL while empty */
  size_t length; /* bytes, without the NUL */
  size_t capacity;
  bool failed; /* an allocation failed: the text is not to be used */
} wal_text;

void wal_text_add(wal_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void wal_text_add_bytes(wal_text *text, const char *bytes, size_t length);
/* In double quotes, as YAML reads it back. */
void wal_text_add_quoted(wal_text *out, const char *text);
/* The text, malloc'd and handed over ("" when nothing was added); NULL: no memory. `text` is empty again. */
char *wal_text_steal(wal_text *text);
void wal_text_free(wal_text *text); /* accepts NULL and zeroed */

/* "folder/name" + suffix ("" for none), malloc'd, with one slash between; NULL: no memory. */
char *wal_path_join(const char *folder, const char *name, const char *suffix);

/* A path that is relative to `folder` ("" for the working directory), without its "." and "name/..",
   malloc'd; an absolute one stays so. NULL: no memory. */
char *wal_path_resolve(const char *folder, const char *path);

/* Is a regular file at `path`? Its size goes to `bytes` (may be NULL). WAL_E_IO: missing, a folder, or a pipe
   or device, which may wait or never end. */
wal_status wal_regular_file(const char *path, uint64_t *bytes);

/* Reads a regular file of at most `limit` bytes into malloc'd, NUL-terminated bytes. The size is checked
   before anything is read. WAL_E_IO: missing, unreadable, a directory; WAL_E_INPUT: larger than the limit. */
wal_status wal_read_file(const char *path, size_t limit, char **bytes, size_t *length);

/* Offset of the first byte that is not part of valid UTF-8 (or is NUL); `length` when all are. */
size_t wal_utf8_check(const char *bytes, size_t length);

#endif
