/* Trained networks as HDF5 files: `walras train` writes them, `walras show` and `walras apply` read them.

   Root attributes: schema "walras-network-1", walras_version; recipe, m, d, alpha, width, depth, activation,
   seed, steps as wal_trained_network has them, and facts_xxh128 over them; then the provenance (the market,
   the measures after training, commit, machine). Datasets: goods [m, d] float32, lambda [m] and mean [m]
   float64, parameters [count] float32 (layer by layer, W[out, in] then b[out]), each with attributes
   long_name and xxh128. */
#ifndef WAL_EXPERIMENTS_FILES_NETWORK_FILE_H
#define WAL_EXPERIMENTS_FILES_NETWORK_FILE_H

#include "engine/result.h"
#include "models/market/network.h"

#define WAL_NETWORK_SCHEMA "walras-network-1"

/* Writes the file whole or not at all, creating folders. */
wal_status wal_network_file_write(const wal_trained_network *network, const wal_provenance *provenance,
                                  const char *path);
/* Reads it back. `provenance` (may be NULL) receives the other text attributes. WAL_E_INPUT names the path,
   the attribute or dataset, what was found and what was expected; the outputs are then zeroed. */
wal_status wal_network_file_read(const char *path, wal_trained_network *network, wal_provenance *provenance);
#endif
