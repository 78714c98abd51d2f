/* What an experiment wants drawn: figures (panels of series) and tables, described as data. engine/plot.c
   turns a figure into a standalone gnuplot script; engine/table.c turns a table into csv, md and tex. */
#ifndef WAL_ENGINE_DRAWING_H
#define WAL_ENGINE_DRAWING_H

#include "engine/result.h"

/* Builders take NULL for what could not be made and do nothing: wal_draw reports the missing memory once. */
typedef enum {
  WAL_LINES,  /* line with points, optional error bars */
  WAL_POINTS, /* markers, optional error bars */
  WAL_HOLLOW, /* hollow markers: published values */
  WAL_BARS,   /* bars from the axis's floor (clustered by series), optional error bars */
  WAL_BAND,   /* filled band between low and high, with the middle line */
  WAL_RULE,   /* a horizontal reference line at each y given (x unused) */
} wal_series_kind;

typedef struct wal_series wal_series;
typedef struct wal_panel wal_panel;
typedef struct wal_figure wal_figure;

/* A figure of rows x columns panels; width and height in cm (8.5 single, 17.5 double column). `suffix` ""
   names the files FIG.gp/.svg/.png/.pdf, "a" FIG-a.gp ... The drawing owns what is
   returned; NULL: no memory. */
wal_figure *wal_drawing_figure(wal_drawing *drawing, const char *suffix, const char *title, double width_cm,
                               double height_cm, int rows, int columns);
/* A sentence under the picture, after the config's caption and before the engine's own notes (seeds,
   published settings, points left out): say here what the error bars are. */
void wal_figure_note(wal_figure *figure, const char *format, ...) __attribute__((format(printf, 2, 3)));
wal_panel *wal_figure_panel(wal_figure *figure, const char *title, const char *xlabel, const char *ylabel);
void wal_panel_log(wal_panel *panel, bool x, bool y);
void wal_panel_range(wal_panel *panel, double xmin, double xmax, double ymin,
                     double ymax);                                      /* NaN: automatic */
void wal_panel_category(wal_panel *panel, double x, const char *label); /* a named tick on the x axis */
/* A place inside the panel, "top right" unless told; an automatic y axis is stretched so that data stay clear
 * of it. NULL: none. */
void wal_panel_legend(wal_panel *panel, const char *gnuplot_position);
/* `colour` 0..7 picks from the style's palette, -1 the next. The same method keeps its colour over a figure.
   A WAL_HOLLOW series named as another series of its panel has the common entry "published". */
wal_series *wal_panel_series(wal_panel *panel, wal_series_kind kind, const char *name, int colour);
/* low/high: error bar or band ends; NaN: none. A point with y NaN, y <= 0 on a log axis, or outside the
   range asked for is left out, counted in the figure's note and, over a category, marked in words. */
void wal_series_point(wal_series *series, double x, double y, double low, double high);
/* Lines of gnuplot to add to a panel as they stand, for what the above cannot say (heat maps, schematics).
   Datablocks ($name << END) may be among them; without series they hold the plot command too. Never a
   user's text. */
void wal_panel_raw(wal_panel *panel, const char *gnuplot);
/* The same for one line, formatted. */
void wal_panel_rawf(wal_panel *panel, const char *format, ...) __attribute__((format(printf, 2, 3)));

typedef struct wal_table wal_table;
/* `suffix` as for figures; files FIG.csv/.md/.tex. */
wal_table *wal_drawing_table(wal_drawing *drawing, const char *suffix, const char *caption);
/* `format`: printf format of its numbers ("%.2e"); NULL for text. `group` is printed above neighbouring
 * columns of equal group. */
void wal_table_column(wal_table *table, const char *group, const char *header, const char *format);
void wal_table_row(wal_table *table);
void wal_table_text(wal_table *table, const char *text); /* next cell */
void wal_table_real(wal_table *table, double mean, double sd,
                    int count); /* next cell: mean and, for count > 1, sd; NaN: "--" */
void wal_table_failed(wal_table *table, const char *why); /* next cell: marked "failed" */
void wal_table_note(wal_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Rows that agree on some columns: a mean over seeds is taken over one. */
typedef struct {
  int64_t row;         /* stands for the group: its keys and published values; finished where one is */
  int count, failed;   /* finished rows, failed ones */
  const int64_t *rows; /* [count] the finished ones in order; owned by the grouping */
} wal_group;
typedef struct {
  const wal_result *result; /* borrowed */
  int count;
  wal_group *groups; /* [count] in order of first appearance */
  int64_t *rows;     /* every finished row, group after group */
} wal_grouping;
/* keys: names of result columns, none for one group of all. WAL_E_INTERNAL: a column that is not there. */
wal_status wal_group_rows(const wal_result *result, const char *const keys[], int key_count,
                          wal_grouping *out);
void wal_grouping_free(wal_grouping *grouping); /* frees the members; accepts a zeroed struct */

/* Mean, sd (n - 1), ends and count of a column's numbers over the finished rows of a group; NaN: none. */
typedef struct {
  double mean, sd, min, max;
  int count;
} wal_stat;
wal_stat wal_group_stat(const wal_grouping *grouping, int group, const char *column);

/* The standard table: one row per group (its keys), and for each measure ours (mean +- sd), the paper's value
   and the ratio ours/paper where published, with a note per published setting that differs from ours. */
wal_status wal_drawing_standard_table(wal_drawing *drawing, const wal_result *result, const char *caption,
                                      const char *const keys[], int key_count, const char *const measures[],
                                      int measure_count);

/* The standard table, titled as the config, and the figures that `figure` draws of the same groups. */
typedef void (*wal_group_figure)(wal_drawing *drawing, const wal_grouping *by);
wal_status wal_drawing_groups(const wal_result *result, wal_drawing *drawing, const char *const keys[],
                              int key_count, const char *const measures[], int measure_count,
                              wal_group_figure figure);

/* Runs the experiment's draw and writes everything: plots/NAME.gp + .svg .png .pdf (through gnuplot),
   NAME.csv .md .tex. `style`: path of plots/style.gp, whose text is copied into each script. Prints one line
   per file to `log` (may be NULL). gnuplot's any stderr output, or an empty picture, is WAL_E_IO with its
   text. When gnuplot is not installed: WAL_E_IO naming the package; scripts and tables are still written. */
wal_status wal_draw(const wal_result *result, const char *plots_folder, const char *style, FILE *log);

#endif
