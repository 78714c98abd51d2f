/* Sweeps: from the `sweep:` block to the list of points. */
#ifndef WAL_ENGINE_SWEEP_H
#define WAL_ENGINE_SWEEP_H

#include "engine/sweep_axis.h"

/* What takes `count` positions, each setting some parameters: an axis of `grid`, or a
   whole `zip`, `list` or `random`. */
typedef struct {
  int count;
  wal_assignment *entries; /* [count] owned */
} wal_factor;

/* One mapping of the union: its factors multiply, the last one varying fastest. */
typedef struct {
  int factor_count;
  wal_factor *factors; /* [factor_count] owned */
  int exclude_count;
  wal_assignment *exclude; /* [exclude_count] owned */
} wal_block;

typedef struct {
  int block_count;
  wal_block *blocks; /* [block_count] owned */
} wal_sweep;

/* Reads a `sweep:` node; NULL is the sweep of one point. */
wal_status wal_sweep_read(const wal_reader *reader, const wal_node *node, wal_sweep *out);
void wal_sweep_free(wal_sweep *sweep); /* frees the members; accepts a zeroed struct */

/* Replaces a parameter's axis wherever it stands. With several values the new axis takes the place of the old
   one in `grid`, or comes last; with one value (a constant) it only goes. */
wal_status wal_sweep_set(wal_sweep *sweep, const wal_axis *axis);

/* Points in sweep order without duplicates; parameters not swept come from base[param_count]. WAL_E_INPUT,
   without a place: more than WAL_POINTS_MAX (fewer for
   an experiment of many parameters: 3 GiB of values), or none left. */
wal_status wal_sweep_expand(const wal_sweep *sweep, const wal_experiment *experiment, const wal_value *base,
                            wal_point **points, int *count);
void wal_points_free(wal_point *points, int count);

#endif
