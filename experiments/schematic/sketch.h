/* Boxes, arrows and words of a schematic, in the coordinates of one panel: a plane in mm. Words are gnuplot's
   enhanced text (a_i, R^{5}) without single quotes; never a user's. */
#ifndef WAL_EXPERIMENTS_SCHEMATIC_SKETCH_H
#define WAL_EXPERIMENTS_SCHEMATIC_SKETCH_H

#include "engine/drawing.h"

/* The first call on the panel, and the last. */
void wal_sketch_begin(wal_panel *panel, double width, double height);
void wal_sketch_end(wal_panel *panel);

/* With its lower left corner at (x0, y0), behind everything; colour "#0072B2". */
void wal_sketch_box(wal_panel *panel, double x0, double y0, double x1, double y1, const char *colour);
/* Centred at (x, y). */
void wal_sketch_text(wal_panel *panel, double x, double y, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void wal_sketch_heading(wal_panel *panel, double x, double y, const char *words);
void wal_sketch_arrow(wal_panel *panel, double x0, double y0, double x1, double y1);
/* An arrow without head. */
void wal_sketch_leg(wal_panel *panel, double x0, double y0, double x1, double y1);
/* A table of rows x columns cells with its lower left corner at (x, y): a sketch of a matrix. */
void wal_sketch_cells(wal_panel *panel, double x, double y, int rows, int columns, double width,
                      double height, const char *colour);
/* A network of so many linear layers: a column of nodes per layer, more of them where it is wide, `outputs`
   in the last. */
void wal_sketch_net(wal_panel *panel, double x0, double x1, double y, int depth, int outputs);

/* 1048576 as 1,048,576; 3.1e9 as "3.1 G". Return `out`. */
const char *wal_sketch_thousands(int64_t value, char out[32]);
const char *wal_sketch_scaled(double value, char out[32]);

#endif
