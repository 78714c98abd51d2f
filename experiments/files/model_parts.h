/* What files of trained networks are made of: facts (numbers and names of a struct as attributes, under one
   checksum) and arrays (datasets with a checksum each). Private to experiments/files. */
#ifndef WAL_EXPERIMENTS_FILES_MODEL_PARTS_H
#define WAL_EXPERIMENTS_FILES_MODEL_PARTS_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/result.h"

typedef enum { WAL_FACT_INT, WAL_FACT_INT64, WAL_FACT_UINT64, WAL_FACT_REAL, WAL_FACT_TEXT } wal_fact_kind;

typedef struct {
  const char *name;
  wal_fact_kind kind;
  size_t offset; /* in the struct */
  size_t room;   /* of a text: bytes of its field */
} wal_fact;

typedef struct {
  const wal_fact *facts; /* [count] */
  int count;             /* at most 32 */
} wal_facts;

/* Attributes of the root, and facts_xxh128 over them. */
wal_status wal_facts_write(hid_t file, const wal_facts *facts, const void *object);
/* WAL_E_INPUT names the attribute and what was expected. */
wal_status wal_facts_read(hid_t file, const wal_facts *facts, void *object);

typedef struct {
  const char *name, *doc;
  bool single; /* float32, else float64 */
  hsize_t shape[2];
  int rank;
  void **data; /* where its numbers are, or are put (malloc'd) */
} wal_model_array;

wal_status wal_model_array_write(hid_t file, const wal_model_array *array);
/* Takes an unknown length (shape[0] 0) from the dataset and checks everything else about it: type, shape,
   checksum, finite numbers. */
wal_status wal_model_array_read(hid_t file, wal_model_array *array);

/* Writes schema, walras_version, the facts, the provenance and the arrays. */
wal_status wal_model_write(hid_t file, const char *schema, const wal_facts *facts, const void *object,
                           const wal_provenance *provenance, const wal_model_array arrays[], int count);
/* Refuses a file of another schema. */
wal_status wal_model_check_schema(hid_t file, const char *schema);
/* The text attributes that are no facts. */
wal_status wal_model_provenance(hid_t file, const wal_facts *facts, wal_provenance *out);

#endif
