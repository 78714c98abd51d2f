/* How methods appear in the figures: names, colours, a series for each, a table and a figure of groups. */
#include <math.h>
#include <string.h>

#include "experiments/marketfcnet/market.h"

/* Colours are those of plots/style.gp: 0 blue, 1 vermilion, 2 green, 3 purple, 4 orange, 5 sky, 6 black, 7
   grey. Methods that share one are never in the same figure. */
static const struct {
  const char *name, *label;
  int colour;
} methods[] = {
    {"naive", "Naive", 7},
    {"eg", "EG", 1},
    {"eg_m", "EG-m", 4},
    {"eg_scaled", "EG scaled", 1},
    {"pr", "Proportional response", 3},
    {"block", "Block-coordinate", 7},
    {"pace", "PACE", 7},
    {"tatonnement", "Tatonnement", 5},
    {"fc", "FC", 0},
    {"fc_share", "FC share", 2},
    {"tower", "Tower", 5},
    {"newton_sample", "Exact on a sample", 1},
    {"closed_form", "Closed form", 3},
    {"newton_cg", "Newton-CG", 5},
    {"newton", "Exact", 6},
};
enum { METHODS = sizeof methods / sizeof *methods };

static int rank_of(const char *solver) {
  int rank = 0;
  while (rank < METHODS && strcmp(methods[rank].name, solver)) rank++;
  return rank;
}

const char *wal_market_label(const char *solver) {
  const int rank = rank_of(solver);
  return rank < METHODS ? methods[rank].label : solver;
}

int wal_market_colour(const char *solver) {
  const int rank = rank_of(solver);
  return rank < METHODS ? methods[rank].colour : 7;
}

void wal_market_add(wal_series *series, double x, wal_stat s) {
  const bool spread = s.count > 1;
  wal_series_point(series, x, s.mean, spread ? s.min : NAN, spread ? s.max : NAN);
}

wal_stat wal_market_at_least(wal_stat s, double floor) {
  if (!(floor > 0) || s.count == 0) return s;
  s.mean = fmax(s.mean, floor);
  s.min = fmax(s.min, floor);
  s.max = fmax(s.max, floor);
  return s;
}

void wal_market_series(wal_panel *panel, wal_series_kind kind, const wal_grouping *by, const char *column,
                       double floor, wal_market_place place, const void *context) {
  const wal_frame *rows = by->result->rows;
  const int solver = wal_frame_find(rows, "solver");
  wal_series *series[METHODS + 1] = {NULL};
  for (int k = 0; k < by->count; k++) {
    const int64_t row = by->groups[k].row;
    const double x = place(context, rows, row);
    if (isnan(x)) continue;
    const char *name = wal_frame_text(rows, row, solver);
    const int rank = rank_of(name);
    if (!series[rank])
      series[rank] = wal_panel_series(panel, kind, wal_market_label(name), wal_market_colour(name));
    wal_market_add(series[rank], x, wal_market_at_least(wal_group_stat(by, k, column), floor));
  }
}
