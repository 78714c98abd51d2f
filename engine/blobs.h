/* Named bytes kept between runs, beside the cached points: checkpoints of long computations, trained
   networks. docs/results.md describes the files. */
#ifndef WAL_ENGINE_BLOBS_H
#define WAL_ENGINE_BLOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "models/common/status.h"

enum { WAL_BLOB_SESSION = 48 };

/* Where blobs are kept, and for whom. */
typedef struct {
  const char *folder;             /* RESULTS/cache/blobs, borrowed; NULL: nothing is kept, nothing is found */
  char session[WAL_BLOB_SESSION]; /* the run that writes, wal_blob_session */
  bool fresh;                     /* --force: blobs of other runs count as none */
} wal_blobs;

/* A name that no other run of any process has. */
void wal_blob_session(char session[WAL_BLOB_SESSION]);

/* Keeps bytes under `key`, whole or not at all: of two writers the last whole one wins. The file is
   FOLDER/HASH.blob with the hash of the key, WAL_MODELS_VERSION and this process's device unless it is the
   CPU. WAL_E_IO (disk full, no permission): what was kept before stays. */
wal_status wal_blob_save(const wal_blobs *blobs, const char *key, const void *bytes, int64_t size);
/* The bytes last kept, malloc'd; *bytes NULL: none, or cut off, damaged, of another key or models version. */
wal_status wal_blob_load(const wal_blobs *blobs, const char *key, void **bytes, int64_t *size);

#endif
