/* HDF5: result files and cache entries. Written whole or not at all: temporary name in the same folder,
   close, fsync, rename, fsync of the folder. A finished file is never reopened for writing. */
#ifndef WAL_ENGINE_STORE_H
#define WAL_ENGINE_STORE_H

#include <stdio.h>

#include "engine/checksum.h"
#include "engine/result.h"

/* results/PAPER/FIG.h5. Layout (docs/results.md): /rows/COLUMN 1-D, each with the dimension scale /rows/row
   and attributes long_name, units, description, _FillValue, xxh128; /traces/point_0003/train/COLUMN with its
   first column as scale; root attributes: Conventions, walras_version, schema, config (verbatim YAML),
   resolved, sets, profile, config_hash, published as they stand in the YAML, and the provenance. Creation
   order tracked; UTF-8 strings; no compound types. Creates folders. WAL_E_IO names the path and the system's
   reason; nothing half written stays behind. */
wal_status wal_store_write(const wal_result *result, const char *path);
/* Reads it back; the config is re-parsed from its verbatim text. */
wal_status wal_store_read(const char *path, wal_registry registry, wal_result **out);

/* Cache entries: PATH holds one outcome and the key text it belongs to. */
wal_status wal_store_write_outcome(const wal_outcome *outcome, const char *key, const char *path);
/* WAL_E_INPUT (corrupt, truncated, foreign, checksum, other key) leaves *out zeroed. `key` NULL: any. */
wal_status wal_store_read_outcome(const char *path, const char *key, wal_outcome *out);
/* The key text alone, malloc'd. */
wal_status wal_store_read_key(const char *path, char **key);

/* `walras show`: readable summary of config, provenance, rows, traces. */
wal_status wal_store_show(const char *path, wal_registry registry, FILE *out);
/* `walras verify`: schema, checksums, missing values, finite numbers; prints one line per finding. */
wal_status wal_store_verify(const char *path, wal_registry registry, FILE *out);
/* `walras diff`: prints only what differs in config, provenance and numbers; *different says whether anything
   but provenance and timings did. */
wal_status wal_store_diff(const char *a, const char *b, wal_registry registry, FILE *out, bool *different);

/* Writes bytes to a file whole or not at all (same protocol), creating folders. */
wal_status wal_write_file(const char *path, const char *bytes, size_t length);
/* The same protocol for a file that is written piece by piece, by HDF5 say: begin makes an empty temporary
   file beside `path`, commit renames it once it is on the disk. A target that is there and no regular file is
   refused. commit, fail and abandon free `file`; unless committed nothing is left of it. */
typedef struct wal_new_file wal_new_file;
wal_status wal_new_file_begin(const char *path, wal_new_file **out);
const char *wal_new_file_temporary(const wal_new_file *file); /* its path, borrowed */
wal_status wal_new_file_commit(wal_new_file *file);
void wal_new_file_abandon(wal_new_file *file);               /* accepts NULL */
wal_status wal_new_file_fail(wal_new_file *file, int error); /* abandons it; WAL_E_IO with an errno's text */
/* Creates the folder of a path and its parents. */
wal_status wal_make_parent(const char *path);

#endif
