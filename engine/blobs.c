#include "engine/blobs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/checksum.h"
#include "engine/device.h"
#include "engine/store.h"
#include "engine/util.h"
#include "models/common/version.h"

/* A file is this header, the key text and the bytes, in the machine's own byte order: another one reads no
   magic number and finds none. */
typedef struct {
  char magic[16]; /* "walras-blob-1" */
  uint64_t order; /* byte order: BYTE_ORDER_MARK */
  uint64_t key;   /* bytes of the key text */
  uint64_t size;  /* bytes after it */
  char session[WAL_BLOB_SESSION];
  char xxh128[32]; /* of all of the file with this field zeroed */
} header;

static const char magic[16] = "walras-blob-1";
static const uint64_t BYTE_ORDER_MARK = 0x0102030405060708;
static const int64_t SIZE_MAX_BLOB = (int64_t)1 << 30; /* bytes */

void wal_blob_session(char session[WAL_BLOB_SESSION]) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  memset(session, 0, WAL_BLOB_SESSION);
  snprintf(session, WAL_BLOB_SESSION, "%lld.%09ld-%ld", (long long)now.tv_sec, now.tv_nsec, (long)getpid());
}

/* The key with the version of the numbers and the device unless it is the CPU, and the path of its file; both
 * malloc'd. */
static wal_status locate(const wal_blobs *blobs, const char *key, char **text, char **path) {
  char hash[33];
  *path = NULL;
  const wal_device *device = wal_device_now();
  const bool cpu = wal_device_is_cpu(device);
  const char *on = cpu ? "" : "device ", *name = cpu ? "" : device->name, *end = cpu ? "" : "\n";
  if (asprintf(text, "models %d\n%s%s%s%s", WAL_MODELS_VERSION, on, name, end, key) < 0) *text = NULL;
  if (*text) {
    wal_text_hash(*text, hash);
    *path = wal_path_join(blobs->folder, hash, ".blob");
  }
  if (*path) return WAL_OK;
  free(*text);
  *text = NULL;
  return wal_fail(WAL_E_MEMORY, "no memory for the name of a blob");
}

/* Fills in the checksum of a whole file's bytes. */
static void seal(char *file, size_t length) {
  char hex[33];
  memset(file + offsetof(header, xxh128), 0, 32);
  wal_bytes_hash(file, length, hex);
  memcpy(file + offsetof(header, xxh128), hex, 32);
}

static wal_status write_blob(const wal_blobs *blobs, const char *text, const char *path, const void *bytes,
                             size_t size) {
  const size_t key = strlen(text), length = sizeof(header) + key + size;
  char *file = malloc(length);
  if (!file) return wal_fail(WAL_E_MEMORY, "no memory to write %s", path);
  header head = {.order = BYTE_ORDER_MARK, .key = key, .size = size};
  memcpy(head.magic, magic, sizeof magic);
  snprintf(head.session, sizeof head.session, "%s", blobs->session);
  memcpy(file, &head, sizeof head);
  memcpy(file + sizeof head, text, key);
  if (size) memcpy(file + sizeof head + key, bytes, size);
  seal(file, length);
  wal_status status = wal_write_file(path, file, length);
  free(file);
  return status;
}

wal_status wal_blob_save(const wal_blobs *blobs, const char *key, const void *bytes, int64_t size) {
  if (!blobs->folder) return WAL_OK;
  if (size < 0 || size > SIZE_MAX_BLOB)
    return wal_fail(WAL_E_INPUT, "%" PRId64 " bytes to keep between runs; expected at most %" PRId64, size,
                    SIZE_MAX_BLOB);
  char *text = NULL, *path = NULL;
  wal_status status = locate(blobs, key, &text, &path);
  if (!status) status = write_blob(blobs, text, path, bytes, (size_t)size);
  free(text);
  free(path);
  return status;
}

/* Is this the whole and undamaged file of the key, and does its writer count? */
static bool is_blob(const wal_blobs *blobs, const char *text, char *file, size_t length) {
  header head;
  if (length < sizeof head) return false;
  memcpy(&head, file, sizeof head);
  const size_t key = strlen(text);
  if (memcmp(head.magic, magic, sizeof magic) != 0 || head.order != BYTE_ORDER_MARK) return false;
  if (head.key != key || length - sizeof head < key || head.size != length - sizeof head - key) return false;
  if (memcmp(file + sizeof head, text, key) != 0) return false;
  if (blobs->fresh && strncmp(head.session, blobs->session, WAL_BLOB_SESSION) != 0) return false;
  seal(file, length);
  return memcmp(file, &head, sizeof head) == 0;
}

/* The bytes behind the key, moved to the front; NULL when the file is none. Takes `file` over. */
static char *take_bytes(const wal_blobs *blobs, const char *text, char *file, size_t length, int64_t *size) {
  if (!is_blob(blobs, text, file, length)) {
    free(file);
    return NULL;
  }
  const size_t before = sizeof(header) + strlen(text);
  *size = (int64_t)(length - before);
  memmove(file, file + before, length - before);
  return file;
}

wal_status wal_blob_load(const wal_blobs *blobs, const char *key, void **bytes, int64_t *size) {
  *bytes = NULL;
  *size = 0;
  if (!blobs->folder) return WAL_OK;
  char *text = NULL, *path = NULL, *file = NULL;
  size_t length = 0;
  wal_status status = locate(blobs, key, &text, &path);
  if (!status) {
    const size_t limit = (size_t)SIZE_MAX_BLOB + sizeof(header) + strlen(text);
    status = wal_read_file(path, limit, &file, &length);
    if (!status) *bytes = take_bytes(blobs, text, file, length, size);
    if (status != WAL_E_MEMORY) status = WAL_OK; /* missing, unreadable, too large: none */
  }
  free(text);
  free(path);
  return status;
}
