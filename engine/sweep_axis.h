/* One parameter and the values it takes in a sweep. */
#ifndef WAL_ENGINE_SWEEP_AXIS_H
#define WAL_ENGINE_SWEEP_AXIS_H

#include "engine/config_read.h"

enum { WAL_POINTS_MAX = 1000000 }; /* points of a sweep, and values of an axis */

typedef struct {
  int param;
  int count;
  wal_value *values; /* [count] owned */
} wal_axis;

void wal_axis_free(wal_axis *axis);                        /* frees the members; accepts a zeroed struct */
bool wal_axis_add(wal_axis *axis, const wal_value *value); /* false: no memory */

/* A list, or {from, to, steps, scale: linear|log|pow2}: `steps` values with both ends, evenly spaced on the
   scale and rounded to 12 digits (integers to the nearest); pow2 takes every power of two and no steps. */
wal_status wal_axis_read(const wal_reader *reader, int param, const wal_node *node, wal_axis *out);

/* `count` independent draws from a list, or from {from, to, scale}: elements [first, first + count) of the
   stream WAL_STREAM_SWEEP under `seed`. */
wal_status wal_axis_draw(const wal_reader *reader, int param, const wal_node *node, int count, uint64_t seed,
                         uint64_t first, wal_axis *out);

#endif
