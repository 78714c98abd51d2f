#include "experiments/schematic/sketch.h"

#include <stdarg.h>
#include <stdio.h>

void wal_sketch_begin(wal_panel *panel, double width, double height) {
  wal_panel_range(panel, 0, width, 0, height);
  wal_panel_raw(panel, "unset border; unset tics; unset grid; unset key");
}

void wal_sketch_end(wal_panel *panel) {
  wal_panel_raw(panel, "plot NaN notitle\nset border 3 ls 20; set tics");
}

const char *wal_sketch_thousands(int64_t value, char out[32]) {
  char digits[24];
  const int length = snprintf(digits, sizeof digits, "%lld", (long long)value);
  char *at = out;
  for (int k = 0; k < length; k++) {
    if (k > 0 && (length - k) % 3 == 0) *at++ = ',';
    *at++ = digits[k];
  }
  *at = '\0';
  return out;
}

const char *wal_sketch_scaled(double value, char out[32]) {
  static const char *const prefix[] = {"", "k", "M", "G", "T", "P", "E"};
  int k = 0;
  while (value >= 999.5 && k < 6) value /= 1000, k++;
  snprintf(out, 32, "%.3g %s", value, prefix[k]);
  return out;
}

void wal_sketch_box(wal_panel *panel, double x0, double y0, double x1, double y1, const char *colour) {
  wal_panel_rawf(
      panel, "set object rect from %g,%g to %g,%g fc rgb '%s' fs solid 0.18 border rgb '%s' lw 0.9 behind",
      x0, y0, x1, y1, colour, colour);
}

void wal_sketch_text(wal_panel *panel, double x, double y, const char *format, ...) {
  char words[256];
  va_list args;
  va_start(args, format);
  vsnprintf(words, sizeof words, format, args);
  va_end(args);
  wal_panel_rawf(panel, "set label '%s' at %g,%g center enhanced font SMALL", words, x, y);
}

void wal_sketch_heading(wal_panel *panel, double x, double y, const char *words) {
  wal_panel_rawf(panel, "set label '%s' at %g,%g center enhanced font ':Bold'", words, x, y);
}

void wal_sketch_arrow(wal_panel *panel, double x0, double y0, double x1, double y1) {
  wal_panel_rawf(panel, "set arrow from %g,%g to %g,%g size 1.6,22 filled lw 1.1 lc rgb '#404040'", x0, y0,
                 x1, y1);
}

void wal_sketch_leg(wal_panel *panel, double x0, double y0, double x1, double y1) {
  wal_panel_rawf(panel, "set arrow from %g,%g to %g,%g nohead lw 1.1 lc rgb '#404040'", x0, y0, x1, y1);
}

void wal_sketch_cells(wal_panel *panel, double x, double y, int rows, int columns_, double width,
                      double height, const char *colour) {
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < columns_; c++)
      wal_panel_rawf(
          panel, "set object rect from %g,%g to %g,%g fc rgb '%s' fs solid 0.55 border rgb 'white' lw 0.8",
          x + c * width / columns_, y + r * height / rows, x + (c + 1) * width / columns_,
          y + (r + 1) * height / rows, colour);
}

void wal_sketch_net(wal_panel *panel, double x0, double x1, double y, int depth, int outputs) {
  const int hidden = depth - 1 < 4 ? depth - 1 : 4, layers = hidden + 2;
  double last_x = 0;
  int last_nodes = 0;
  for (int l = 0; l < layers; l++) {
    const int nodes = l == 0 ? 4 : l == layers - 1 ? outputs : 6;
    const double x = x0 + (x1 - x0) * l / (layers - 1), step = 3.2;
    for (int k = 0; k < nodes; k++) {
      const double at = y + (k - 0.5 * (nodes - 1)) * step;
      for (int p = 0; p < last_nodes; p++)
        wal_panel_rawf(panel, "set arrow from %g,%g to %g,%g nohead lw 0.25 lc rgb '#8FB8D8' back", last_x,
                       y + (p - 0.5 * (last_nodes - 1)) * step, x, at);
      wal_panel_rawf(panel, "set object circle at %g,%g size 1.05 fc rgb '#0072B2' fs solid 1 noborder front",
                     x, at);
    }
    last_x = x;
    last_nodes = nodes;
  }
}
