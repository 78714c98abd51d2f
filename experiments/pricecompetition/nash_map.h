/* Where a profile of reports is a Nash equilibrium of Example 2, over a grid of (s, t). */
#ifndef WAL_EXPERIMENTS_PRICECOMPETITION_NASH_MAP_H
#define WAL_EXPERIMENTS_PRICECOMPETITION_NASH_MAP_H

#include "engine/experiment.h"

/* More than this is a gain. */
#define WAL_NASH_GAIN 1e-6

/* Reports at (s, t). */
typedef void (*wal_reports_fn)(const void *context, double s, double t, double a[2], double b[2]);

typedef struct {
  int points;        /* of each side */
  double s[2], t[2]; /* ends of the grid */
  wal_reports_fn reports;
  const void *context;
} wal_nash_grid;

/* One pair (s, t). Gains: what the better off seller's best deviation found earns more than on the path, by
   its least revenue at both (its own selection against it), and by its most. */
typedef struct {
  double s, t;
  double low[2], high[2]; /* both sellers' revenue on the path */
  double gain, hope;
} wal_nash_cell;

typedef struct {
  int nash, nash_hoped; /* cells without a gain, by either selection */
  double gain_max, hope_max;
  double spread_max; /* largest high - low on the path */
} wal_nash_summary;

/* cells[points, points] row after row of t; a line each into the trace `map`. */
wal_status wal_nash_map(const wal_nash_grid *grid, wal_sink *sink, wal_nash_cell *cells,
                        wal_nash_summary *out);
wal_status wal_nash_cell_of(const wal_nash_grid *grid, double s, double t, wal_nash_cell *out);
void wal_nash_send(wal_sink *sink, int cells, const wal_nash_summary *summary);

#define WAL_NASH_COLUMNS                                                                                \
  {.name = "cells", .type = WAL_INT, .unit = "1", .doc = "pairs (s, t)", .flags = WAL_COLUMN_OPTIONAL}, \
      {.name = "nash",                                                                                  \
       .type = WAL_INT,                                                                                 \
       .unit = "1",                                                                                     \
       .doc = "of these, without a deviation found that gains, by guaranteed revenue",                  \
       .flags = WAL_COLUMN_OPTIONAL},                                                                   \
      {.name = "nash_hoped",                                                                            \
       .type = WAL_INT,                                                                                 \
       .unit = "1",                                                                                     \
       .doc = "the same by hoped-for revenue",                                                          \
       .flags = WAL_COLUMN_OPTIONAL},                                                                   \
      {.name = "gain_max",                                                                              \
       .type = WAL_REAL,                                                                                \
       .unit = "1",                                                                                     \
       .doc = "largest gain found, by guaranteed revenue",                                              \
       .rtol = 1e-4,                                                                                    \
       .atol = 1e-7,                                                                                    \
       .flags = WAL_COLUMN_OPTIONAL},                                                                   \
      {.name = "hope_max",                                                                              \
       .type = WAL_REAL,                                                                                \
       .unit = "1",                                                                                     \
       .doc = "largest gain found, by hoped-for revenue",                                               \
       .rtol = 1e-4,                                                                                    \
       .atol = 1e-7,                                                                                    \
       .flags = WAL_COLUMN_OPTIONAL},                                                                   \
  {                                                                                                     \
    .name = "spread_max", .type = WAL_REAL, .unit = "1",                                                \
    .doc = "largest range of a seller's revenue over stable allocations on the path",                   \
    .flags = WAL_COLUMN_OPTIONAL, .atol = 1e-7                                                          \
  }

#endif
