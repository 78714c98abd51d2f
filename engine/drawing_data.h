/* What stands behind the opaque types of engine/drawing.h. For the files that build and write drawings
   (drawing, plot, table, summary, draw) and their tests; experiments use engine/drawing.h. */
#ifndef WAL_ENGINE_DRAWING_DATA_H
#define WAL_ENGINE_DRAWING_DATA_H

#include "engine/drawing.h"
#include "engine/util.h"

typedef struct {
  double x, y;
  double low, high; /* error bar or band; NaN: none */
} wal_dot;

struct wal_series {
  wal_panel *panel; /* borrowed: the owner */
  wal_series_kind kind;
  char *name;
  int colour; /* 0..7 */
  int count;
  wal_dot *dots; /* [count] */
};

typedef struct {
  double x;
  char *label;
} wal_category;

struct wal_panel {
  wal_figure *figure; /* borrowed: the owner */
  char *title, *xlabel, *ylabel;
  bool log_x, log_y;
  double xmin, xmax, ymin, ymax; /* NaN: automatic */
  char *legend;                  /* gnuplot's words for the place; NULL: none */
  int category_count;
  wal_category *categories; /* [category_count] */
  int series_count;
  wal_series **series; /* [series_count] */
  wal_text raw;        /* lines of gnuplot */
};

struct wal_figure {
  wal_drawing *drawing; /* borrowed: the owner */
  char *suffix, *title;
  double width_cm, height_cm; /* of the panels; title and caption are added to the height */
  int rows, columns;
  int panel_count;
  wal_panel **panels; /* [panel_count] row by row */
  int note_count;
  char **notes; /* [note_count] */
};

typedef enum { WAL_CELL_EMPTY, WAL_CELL_TEXT, WAL_CELL_REAL, WAL_CELL_FAILED } wal_cell_kind;

typedef struct {
  wal_cell_kind kind;
  char *text; /* the text, or why it failed; NULL otherwise */
  double mean, sd;
  int count;
} wal_cell;

typedef struct {
  char *group; /* NULL: none */
  char *header;
  char *format; /* NULL: text */
} wal_table_head;

struct wal_table {
  wal_drawing *drawing; /* borrowed: the owner */
  char *suffix, *caption;
  int column_count;
  wal_table_head *columns; /* [column_count] */
  int row_count;
  wal_cell **rows; /* [row_count][column_count] */
  int next;        /* column of the next cell in the last row */
  int note_count;
  char **notes; /* [note_count] */
};

struct wal_drawing {
  const wal_result *result; /* borrowed */
  bool no_memory;           /* an allocation failed: the drawing is not to be used */
  int figure_count;
  wal_figure **figures;
  int table_count;
  wal_table **tables;
};

wal_drawing *wal_drawing_new(const wal_result *result); /* NULL: no memory */
void wal_drawing_free(wal_drawing *drawing);            /* accepts NULL */

/* engine/axis.c: what of a panel is seen, and between which ends. */
typedef struct {
  double min, max; /* NaN: leave it to gnuplot */
} wal_span;
/* Has the dot a place on the panel's axes? Not with a NaN, at or below 0 on a log axis, or outside
   the range that was asked for. */
bool wal_dot_visible(const wal_series *series, const wal_dot *dot);
/* The axis's ends: the panel's own where given, else around every visible dot and category, with room at the
   top (or bottom) for a legend of height `legend` (a fraction of the panel). */
wal_span wal_panel_x_span(const wal_panel *panel);
wal_span wal_panel_y_span(const wal_panel *panel, double legend);
/* The smallest distance between two x of bars; 1 when there are no two. */
double wal_panel_bar_gap(const wal_panel *panel);

/* engine/plot.c: the whole script. `name` is the pictures' base name ("table1-a"), `style` the
   text of plots/style.gp. */
void wal_figure_script(const wal_figure *figure, const char *name, const char *style, wal_text *out);

/* engine/table.c */
void wal_table_csv(const wal_table *table, wal_text *out);
void wal_table_markdown(const wal_table *table, wal_text *out);
void wal_table_latex(const wal_table *table, const char *label, wal_text *out);

/* engine/summary.c: one line per published setting that differs from ours ("EG published at n = 1048576; here
   n = 16384"), on the --set flags, which a caption cannot know of, and on the failed points. Each is handed to `add` with `context`. */
typedef void wal_note_sink(void *context, const char *note);
void wal_notes_published(const wal_result *result, wal_note_sink *add, void *context);
void wal_notes_sets(const wal_result *result, wal_note_sink *add, void *context);
void wal_notes_failed(const wal_result *result, wal_note_sink *add, void *context);
/* How many seeds stand behind one mean: distinct values of `seed` over the points; 0: no such parameter. */
int wal_seed_count(const wal_result *result);

#endif
