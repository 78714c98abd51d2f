/* A typed value, as YAML, flags, columns and HDF5 attributes share it. */
#ifndef WAL_ENGINE_VALUE_H
#define WAL_ENGINE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/common/status.h"

typedef enum { WAL_INT, WAL_REAL, WAL_BOOL, WAL_TEXT } wal_type;
enum { WAL_TEXT_MAX = 256 };

typedef struct {
  wal_type type;
  union {
    int64_t i;
    double r;
    bool b;
    char text[WAL_TEXT_MAX]; /* UTF-8, NUL-terminated */
  };
} wal_value;

const char *wal_type_name(wal_type type); /* "integer", "number", "true/false", "text" */

/* Reads `text` as `type`. Numbers: decimal, 1e-3, .inf, -.inf, inf, -inf; a real may also be written 2^20, an
   integer 2^20 or 1e6 when exact; NaN is refused. WAL_E_INPUT with what was expected. */
wal_status wal_value_parse(wal_type type, const char *text, wal_value *out);

/* Canonical text: shortest decimal that reads back to the same bits (17 digits at most); used in cache keys. */
void wal_value_format(const wal_value *value, char *out, size_t size);
bool wal_value_equal(const wal_value *a, const wal_value *b); /* bitwise for reals */

#endif
