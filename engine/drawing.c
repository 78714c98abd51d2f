#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "engine/drawing_data.h"

enum { COLOURS = 8 };

/* Makes room for element `count` of an array; capacities are the powers of two, so none is stored. NULL: no
   memory, remembered by the drawing, and the array stays as it was. */
static void *grown(wal_drawing *drawing, void *array, int count, size_t size) {
  bool full = (count & (count - 1)) == 0; /* 0, 1, 2, 4, 8, ... */
  if (!full) return array;
  size_t capacity = count == 0 ? 1 : 2 * (size_t)count;
  void *larger = realloc(array, capacity * size);
  if (!larger) drawing->no_memory = true;
  return larger;
}

static void *zeroed(wal_drawing *drawing, size_t size) {
  void *object = calloc(1, size);
  if (!object) drawing->no_memory = true;
  return object;
}

static char *copied(wal_drawing *drawing, const char *text) {
  char *copy = strdup(text ? text : "");
  if (!copy) drawing->no_memory = true;
  return copy;
}

static void add_note(wal_drawing *drawing, char ***notes, int *count, const char *format, va_list args) {
  char **list = grown(drawing, *notes, *count, sizeof *list);
  if (!list) return;
  *notes = list;
  if (vasprintf(&list[*count], format, args) < 0)
    drawing->no_memory = true;
  else
    ++*count;
}

/* ---- the drawing ---- */

wal_drawing *wal_drawing_new(const wal_result *result) {
  wal_drawing *drawing = calloc(1, sizeof *drawing);
  if (drawing) drawing->result = result;
  return drawing;
}

static void series_free(wal_series *series) {
  if (!series) return;
  free(series->name);
  free(series->dots);
  free(series);
}

static void panel_free(wal_panel *panel) {
  if (!panel) return;
  free(panel->title);
  free(panel->xlabel);
  free(panel->ylabel);
  free(panel->legend);
  for (int i = 0; i < panel->category_count; i++) free(panel->categories[i].label);
  free(panel->categories);
  for (int i = 0; i < panel->series_count; i++) series_free(panel->series[i]);
  free(panel->series);
  wal_text_free(&panel->raw);
  free(panel);
}

static void figure_free(wal_figure *figure) {
  if (!figure) return;
  free(figure->suffix);
  free(figure->title);
  for (int i = 0; i < figure->panel_count; i++) panel_free(figure->panels[i]);
  free(figure->panels);
  for (int i = 0; i < figure->note_count; i++) free(figure->notes[i]);
  free(figure->notes);
  free(figure);
}

static void table_free(wal_table *table) {
  if (!table) return;
  free(table->suffix);
  free(table->caption);
  for (int r = 0; r < table->row_count; r++) {
    for (int c = 0; c < table->column_count; c++) free(table->rows[r][c].text);
    free(table->rows[r]);
  }
  free(table->rows);
  for (int c = 0; c < table->column_count; c++) {
    free(table->columns[c].group);
    free(table->columns[c].header);
    free(table->columns[c].format);
  }
  free(table->columns);
  for (int i = 0; i < table->note_count; i++) free(table->notes[i]);
  free(table->notes);
  free(table);
}

void wal_drawing_free(wal_drawing *drawing) {
  if (!drawing) return;
  for (int i = 0; i < drawing->figure_count; i++) figure_free(drawing->figures[i]);
  free(drawing->figures);
  for (int i = 0; i < drawing->table_count; i++) table_free(drawing->tables[i]);
  free(drawing->tables);
  free(drawing);
}

/* ---- figures ---- */

wal_figure *wal_drawing_figure(wal_drawing *drawing, const char *suffix, const char *title, double width_cm,
                               double height_cm, int rows, int columns) {
  assert(width_cm > 0 && height_cm > 0 && rows > 0 && columns > 0);
  wal_figure **figures = grown(drawing, drawing->figures, drawing->figure_count, sizeof *figures);
  if (!figures) return NULL;
  drawing->figures = figures;
  wal_figure *figure = zeroed(drawing, sizeof *figure);
  if (!figure) return NULL;
  *figure = (wal_figure){.drawing = drawing,
                         .suffix = copied(drawing, suffix),
                         .title = copied(drawing, title),
                         .width_cm = width_cm,
                         .height_cm = height_cm,
                         .rows = rows,
                         .columns = columns};
  figures[drawing->figure_count++] = figure;
  return figure;
}

void wal_figure_note(wal_figure *figure, const char *format, ...) {
  if (!figure) return;
  va_list args;
  va_start(args, format);
  add_note(figure->drawing, &figure->notes, &figure->note_count, format, args);
  va_end(args);
}

wal_panel *wal_figure_panel(wal_figure *figure, const char *title, const char *xlabel, const char *ylabel) {
  if (!figure) return NULL;
  assert(figure->panel_count < figure->rows * figure->columns);
  wal_drawing *drawing = figure->drawing;
  wal_panel **panels = grown(drawing, figure->panels, figure->panel_count, sizeof *panels);
  if (!panels) return NULL;
  figure->panels = panels;
  wal_panel *panel = zeroed(drawing, sizeof *panel);
  if (!panel) return NULL;
  *panel = (wal_panel){.figure = figure,
                       .title = copied(drawing, title),
                       .xlabel = copied(drawing, xlabel),
                       .ylabel = copied(drawing, ylabel),
                       .xmin = NAN,
                       .xmax = NAN,
                       .ymin = NAN,
                       .ymax = NAN,
                       .legend = copied(drawing, "top right")};
  panels[figure->panel_count++] = panel;
  return panel;
}

void wal_panel_log(wal_panel *panel, bool x, bool y) {
  if (!panel) return;
  panel->log_x = x;
  panel->log_y = y;
}

void wal_panel_range(wal_panel *panel, double xmin, double xmax, double ymin, double ymax) {
  if (!panel) return;
  panel->xmin = xmin;
  panel->xmax = xmax;
  panel->ymin = ymin;
  panel->ymax = ymax;
}

void wal_panel_category(wal_panel *panel, double x, const char *label) {
  if (!panel) return;
  wal_drawing *drawing = panel->figure->drawing;
  wal_category *categories = grown(drawing, panel->categories, panel->category_count, sizeof *categories);
  if (!categories) return;
  panel->categories = categories;
  categories[panel->category_count++] = (wal_category){x, copied(drawing, label)};
}

void wal_panel_legend(wal_panel *panel, const char *gnuplot_position) {
  if (!panel) return;
  free(panel->legend);
  panel->legend = gnuplot_position ? copied(panel->figure->drawing, gnuplot_position) : NULL;
}

void wal_panel_raw(wal_panel *panel, const char *gnuplot) {
  if (panel) wal_text_add(&panel->raw, "%s\n", gnuplot);
}

void wal_panel_rawf(wal_panel *panel, const char *format, ...) {
  char line[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  wal_panel_raw(panel, line);
}

/* The colour a name already has in the figure, else the first that no series has, else by turns. */
static int next_colour(const wal_figure *figure, const char *name) {
  bool taken[COLOURS] = {false};
  int count = 0;
  for (int p = 0; p < figure->panel_count; p++) {
    const wal_panel *panel = figure->panels[p];
    for (int s = 0; s < panel->series_count; s++, count++) {
      const wal_series *series = panel->series[s];
      if (series->name && strcmp(series->name, name) == 0) return series->colour;
      taken[series->colour] = true;
    }
  }
  for (int c = 0; c < COLOURS; c++)
    if (!taken[c]) return c;
  return count % COLOURS;
}

wal_series *wal_panel_series(wal_panel *panel, wal_series_kind kind, const char *name, int colour) {
  if (!panel) return NULL;
  assert(colour >= -1 && colour < COLOURS);
  wal_drawing *drawing = panel->figure->drawing;
  wal_series **list = grown(drawing, panel->series, panel->series_count, sizeof *list);
  if (!list) return NULL;
  panel->series = list;
  wal_series *series = zeroed(drawing, sizeof *series);
  if (!series) return NULL;
  *series = (wal_series){.panel = panel,
                         .kind = kind,
                         .name = copied(drawing, name),
                         .colour = colour < 0 ? next_colour(panel->figure, name ? name : "") : colour};
  list[panel->series_count++] = series;
  return series;
}

void wal_series_point(wal_series *series, double x, double y, double low, double high) {
  if (!series) return;
  wal_dot *dots = grown(series->panel->figure->drawing, series->dots, series->count, sizeof *dots);
  if (!dots) return;
  series->dots = dots;
  dots[series->count++] = (wal_dot){x, y, low, high};
}

/* ---- tables ---- */

static void add_table_note(void *table, const char *note) { wal_table_note(table, "%s", note); }

wal_table *wal_drawing_table(wal_drawing *drawing, const char *suffix, const char *caption) {
  wal_table **tables = grown(drawing, drawing->tables, drawing->table_count, sizeof *tables);
  if (!tables) return NULL;
  drawing->tables = tables;
  wal_table *table = zeroed(drawing, sizeof *table);
  if (!table) return NULL;
  *table =
      (wal_table){.drawing = drawing, .suffix = copied(drawing, suffix), .caption = copied(drawing, caption)};
  tables[drawing->table_count++] = table;
  wal_notes_sets(drawing->result, add_table_note, table);
  return table;
}

void wal_table_column(wal_table *table, const char *group, const char *header, const char *format) {
  if (!table) return;
  assert(table->row_count == 0); /* columns first, then rows */
  if (table->row_count > 0) return;
  wal_drawing *drawing = table->drawing;
  wal_table_head *columns = grown(drawing, table->columns, table->column_count, sizeof *columns);
  if (!columns) return;
  table->columns = columns;
  columns[table->column_count++] = (wal_table_head){.group = group ? copied(drawing, group) : NULL,
                                                    .header = copied(drawing, header),
                                                    .format = format ? copied(drawing, format) : NULL};
}

void wal_table_row(wal_table *table) {
  if (!table) return;
  assert(table->column_count > 0);
  wal_cell **rows = grown(table->drawing, table->rows, table->row_count, sizeof *rows);
  if (!rows) return;
  table->rows = rows;
  rows[table->row_count] = zeroed(table->drawing, (size_t)table->column_count * sizeof **rows);
  if (!rows[table->row_count]) return;
  table->row_count++;
  table->next = 0;
}

static void add_cell(wal_table *table, wal_cell cell) {
  bool fits = table->row_count > 0 && table->next < table->column_count;
  assert(fits || table->drawing->no_memory);
  if (fits)
    table->rows[table->row_count - 1][table->next++] = cell;
  else
    free(cell.text);
}

void wal_table_text(wal_table *table, const char *text) {
  if (table) add_cell(table, (wal_cell){.kind = WAL_CELL_TEXT, .text = copied(table->drawing, text)});
}

void wal_table_real(wal_table *table, double mean, double sd, int count) {
  if (table) add_cell(table, (wal_cell){.kind = WAL_CELL_REAL, .mean = mean, .sd = sd, .count = count});
}

void wal_table_failed(wal_table *table, const char *why) {
  if (table) add_cell(table, (wal_cell){.kind = WAL_CELL_FAILED, .text = copied(table->drawing, why)});
}

void wal_table_note(wal_table *table, const char *format, ...) {
  if (!table) return;
  va_list args;
  va_start(args, format);
  add_note(table->drawing, &table->notes, &table->note_count, format, args);
  va_end(args);
}
