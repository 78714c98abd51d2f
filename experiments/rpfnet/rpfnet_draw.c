/* How mechanisms appear in the figures: names, colours, a mean with its bar. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "experiments/rpfnet/rpfnet.h"

/* Colours are those of plots/style.gp: 0 blue, 1 vermilion, 2 green, 3 purple, 4 orange, 5 sky, 6 black, 7
   grey. What shares one is of one family: PF is v^theta at 1, PA and PF are the ends of the mixture. */
static const struct {
  const char *name, *label;
  int colour;
} mechanisms[] = {
    {"pf", "PF", 6},
    {"pa", "PA", 7},
    {"mixture", "Mixture", 7},
    {"clip", "Clip", 4},
    {"vtheta", "PF on v^θ", 6},
    {"exs", "ExS-Net", 1},
    {"softmax", "Softmax net", 3},
    {"rpf", "RPF-Net", 2},
    {"rpf_equivariant", "RPF equivariant", 5},
    {"rpf_monotone", "RPF monotone", 0},
};
enum { MECHANISMS = sizeof mechanisms / sizeof *mechanisms };

static int rank_of(const char *mechanism) {
  int rank = 0;
  while (rank < MECHANISMS && strcmp(mechanisms[rank].name, mechanism)) rank++;
  return rank;
}

const char *wal_rpfnet_label(const char *mechanism) {
  const int rank = rank_of(mechanism);
  return rank < MECHANISMS ? mechanisms[rank].label : mechanism;
}

int wal_rpfnet_colour(const char *mechanism) {
  const int rank = rank_of(mechanism);
  return rank < MECHANISMS ? mechanisms[rank].colour : 7;
}

void wal_rpfnet_add(wal_series *series, double x, wal_stat mean, wal_stat se) {
  const bool spread = mean.count > 1;
  const double half = se.count > 0 ? se.mean : NAN;
  wal_series_point(series, x, mean.mean, spread ? mean.min : mean.mean - half,
                   spread ? mean.max : mean.mean + half);
}

void wal_rpfnet_raw(wal_panel *panel, const char *format, ...) {
  char line[512];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  wal_panel_raw(panel, line);
}
