#include "experiments/pricecompetition/heat_map.h"

#include <math.h>
#include <stdlib.h>

#include "engine/util.h"

static const char *const marks[2] = {"pt 7 ps 0.22 lc rgb '#D55E00'", "pt 6 ps 0.42 lc rgb '#D55E00'"};

static double most_or_least(const wal_frame *trace, const char *column, double sign) {
  const int c = wal_frame_find(trace, column);
  double most = -INFINITY;
  for (int64_t row = 0; row < wal_frame_rows(trace); row++)
    most = fmax(most, sign * wal_frame_real(trace, row, c));
  return sign * most;
}

double wal_heat_map_most(const wal_frame *trace, const char *column) {
  return trace && wal_frame_rows(trace) > 0 ? most_or_least(trace, column, 1) : 0;
}

/* The rows as a datablock: x, y, value, marks. */
static void add_data(wal_panel *panel, const wal_frame *trace, const wal_heat_map *map) {
  wal_text data = {0};
  wal_text_add(&data, "$map%d << EOD\n", map->number);
  for (int64_t row = 0; row < wal_frame_rows(trace); row++) {
    wal_text_add(&data, "%.6g %.6g %.6g", wal_frame_real(trace, row, wal_frame_find(trace, map->x)),
                 wal_frame_real(trace, row, wal_frame_find(trace, map->y)),
                 wal_frame_real(trace, row, wal_frame_find(trace, map->value)));
    for (int k = 0; k < 2 && map->marks; k++)
      wal_text_add(&data, " %g", wal_frame_real(trace, row, wal_frame_find(trace, map->marks[k])));
    wal_text_add(&data, "\n");
  }
  wal_text_add(&data, "EOD");
  char *lines = wal_text_steal(&data);
  if (lines) wal_panel_raw(panel, lines);
  free(lines);
}

/* Half a cell around the grid, and room for the scale at the right. */
static void set_scale(wal_panel *panel, const wal_frame *trace, const wal_heat_map *map) {
  const double side = fmax(sqrt((double)wal_frame_rows(trace)) - 1, 1);
  const double x0 = most_or_least(trace, map->x, -1), x1 = most_or_least(trace, map->x, 1),
               y0 = most_or_least(trace, map->y, -1), y1 = most_or_least(trace, map->y, 1);
  const double dx = (x1 - x0) / side / 2, dy = (y1 - y0) / side / 2;
  wal_panel_range(panel, x0 - dx, x1 + dx + 0.26 * (x1 - x0), y0 - dy, y1 + dy);
  wal_panel_legend(panel, NULL);
  wal_panel_raw(panel, "unset grid; set border 0; set style fill solid 1 noborder");
  wal_panel_rawf(panel, "set xtics %s; set ytics %s", map->xtics, map->ytics);
  wal_panel_raw(panel, "set colorbox user origin graph 0.85,0.02 size graph 0.035,0.96 noborder");
  wal_panel_rawf(panel, "set cbrange [%g:%g]; set cbtics %s font SMALL offset -0.8,0", map->low, map->high,
                 map->ctics);
  wal_panel_raw(panel,
                "set palette defined (0 '#F7FBFF', 0.25 '#C6DBEF', 0.5 '#6BAED6', 0.75 '#2171B5', 1 "
                "'#08306B')");
}

void wal_heat_map_draw(wal_figure *figure, const char *title, const wal_frame *trace,
                       const wal_heat_map *map) {
  if (!trace || wal_frame_rows(trace) < 1) return;
  wal_panel *panel = wal_figure_panel(figure, title, map->xlabel, map->ylabel);
  add_data(panel, trace, map);
  set_scale(panel, trace, map);
  if (map->decoration) wal_panel_raw(panel, map->decoration);
  wal_text plot = {0};
  wal_text_add(&plot, "plot $map%d using 1:2:3 with image notitle", map->number);
  for (int k = 0; k < 2 && map->marks; k++)
    wal_text_add(&plot, ", $map%d using 1:($%d > 0 ? $2 : NaN) with points %s notitle", map->number, 4 + k,
                 marks[k]);
  char *line = wal_text_steal(&plot);
  if (line) wal_panel_raw(panel, line);
  free(line);
}
