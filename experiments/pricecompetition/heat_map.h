/* A heat map of a trace: one value over two. */
#ifndef WAL_EXPERIMENTS_PRICECOMPETITION_HEAT_MAP_H
#define WAL_EXPERIMENTS_PRICECOMPETITION_HEAT_MAP_H

#include "engine/drawing.h"

typedef struct {
  const char *x, *y, *value; /* columns of the trace, over an even grid */
  const char *const *marks;  /* [2] columns or NULL: where not 0, a dot, and a ring */
  const char *xlabel, *ylabel;
  const char *xtics, *ytics, *ctics; /* gnuplot's: "0, 0.5, 1", or a list in brackets */
  double low, high;                  /* of the colours, light to dark */
  const char *decoration;            /* more gnuplot, NULL: none */
  int number;                        /* of the map, another for each of a drawing */
} wal_heat_map;

/* Adds the panel. Nothing where there is no trace. */
void wal_heat_map_draw(wal_figure *figure, const char *title, const wal_frame *trace,
                       const wal_heat_map *map);
/* The largest number of a column of a trace; 0 where there is none. */
double wal_heat_map_most(const wal_frame *trace, const char *column);

#endif
