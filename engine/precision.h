/* What the parameters flagged WAL_PARAM_PRECISION say: the number formats of networks. */
#ifndef WAL_ENGINE_PRECISION_H
#define WAL_ENGINE_PRECISION_H

#include "engine/config.h"
#include "engine/device.h"

/* Refuses a point with another precision than the default on the CPU, before any work. */
wal_status wal_precision_check(const wal_point *point, const wal_device *device);

/* "double precision, networks in float32, tf32": every precision that counts at one of the points[count];
   float32 alone on the CPU. */
void wal_precision_text(const wal_point *points, int count, const wal_device *device, char *out, size_t size);

/* Such a parameter, one row of a schema: NAME a literal ("fc.precision"), WHEN as wal_param.when has it. */
#define WAL_PRECISION_PARAM(NAME, WHEN)                                                   \
  {                                                                                       \
    NAME, WAL_TEXT, "float32", 0, 0, "float32|tf32|bf16", "1",                            \
        "number format of the network's matrix products; tf32 and bf16 need a GPU", WHEN, \
        WAL_PARAM_PRECISION                                                               \
  }

#endif
