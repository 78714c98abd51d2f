/* Trained mechanisms as HDF5 files: `walras train --mechanism` writes them, `walras show` and `walras
   allocate` read them.

   Root attributes: schema "walras-mechanism-1", walras_version; kind, n, m, the options of the kind, seed,
   steps, models_version, and facts_xxh128 over them; then the training's settings and the provenance as
   texts. Dataset: parameters [count] float32 (layer by layer, W[out, in] then b[out]), with long_name and
   xxh128. */
#ifndef WAL_EXPERIMENTS_FILES_MECHANISM_FILE_H
#define WAL_EXPERIMENTS_FILES_MECHANISM_FILE_H

#include "engine/result.h"
#include "models/mechanism/mechanism.h"

#define WAL_MECHANISM_SCHEMA "walras-mechanism-1"

/* Writes a learned mechanism whole or not at all, creating folders. */
wal_status wal_mechanism_file_write(const wal_mechanism *f, const wal_provenance *provenance,
                                    const char *path);
/* Reads it back, to solve PF strictly (options.polish). `models` (may be NULL): the version of the numbers it
   was trained with, WAL_MODELS_VERSION unless another walras wrote it. `provenance` (may be NULL) receives
   the text attributes. WAL_E_INPUT names the path, the attribute or dataset, what was found and what was
   expected; the outputs are then zeroed. */
wal_status wal_mechanism_file_read(const char *path, wal_mechanism **out, int *models,
                                   wal_provenance *provenance);

#endif
