#include "experiments/pricecompetition/nash_map.h"

#include <math.h>

#include "models/common/parallel.h"
#include "models/pricing/duopoly.h"

wal_status wal_nash_cell_of(const wal_nash_grid *grid, double s, double t, wal_nash_cell *out) {
  wal_duopoly duopoly;
  wal_duopoly_outcome path = {{0}, {0}};
  double a[2], b[2];
  *out = (wal_nash_cell){.s = s, .t = t, .gain = -INFINITY, .hope = -INFINITY};
  wal_status status = wal_duopoly_example2(s, t, &duopoly);
  if (status != WAL_OK) return status;
  grid->reports(grid->context, s, t, a, b);
  status = wal_duopoly_trade(&duopoly, a, b, &path);
  for (int k = 0; k < 2 && status == WAL_OK; k++) {
    wal_duopoly_response best = {0};
    status = wal_duopoly_best_response(&duopoly, a, b, k, &best);
    out->low[k] = path.low[k];
    out->high[k] = path.high[k];
    out->gain = fmax(out->gain, best.guaranteed - path.low[k]);
    out->hope = fmax(out->hope, best.hoped - path.high[k]);
  }
  wal_duopoly_destroy(&duopoly);
  return status;
}

typedef struct {
  const wal_nash_grid *grid;
  wal_nash_cell *cells;
} grid_task;

static double place(const double ends[2], int64_t k, int points) {
  return k == points - 1 ? ends[1] : ends[0] + (ends[1] - ends[0]) * (double)k / (points - 1);
}

static wal_status solve_cell(void *context, int64_t k) {
  const grid_task *task = context;
  const wal_nash_grid *grid = task->grid;
  return wal_nash_cell_of(grid, place(grid->s, k % grid->points, grid->points),
                          place(grid->t, k / grid->points, grid->points), &task->cells[k]);
}

static void add_cell(const wal_nash_cell *cell, wal_sink *sink, wal_nash_summary *out) {
  static const char *const names[] = {"s",    "t",    "revenue_1", "revenue_2",
                                      "gain", "hope", "nash",      "nash_hoped"};
  const bool nash = cell->gain <= WAL_NASH_GAIN, hoped = cell->hope <= WAL_NASH_GAIN;
  wal_sink_trace(
      sink, "map", 8, names,
      (double[]){cell->s, cell->t, cell->low[0], cell->low[1], cell->gain, cell->hope, nash, hoped});
  out->nash += nash;
  out->nash_hoped += hoped;
  out->gain_max = fmax(out->gain_max, cell->gain);
  out->hope_max = fmax(out->hope_max, cell->hope);
  for (int k = 0; k < 2; k++) out->spread_max = fmax(out->spread_max, cell->high[k] - cell->low[k]);
}

wal_status wal_nash_map(const wal_nash_grid *grid, wal_sink *sink, wal_nash_cell *cells,
                        wal_nash_summary *out) {
  const int64_t count = (int64_t)grid->points * grid->points;
  grid_task task = {grid, cells};
  *out = (wal_nash_summary){.gain_max = -INFINITY, .hope_max = -INFINITY};
  const wal_status status = wal_for_tasks(count, solve_cell, &task);
  for (int64_t k = 0; k < count && status == WAL_OK; k++) add_cell(&cells[k], sink, out);
  return status;
}

void wal_nash_send(wal_sink *sink, int cells, const wal_nash_summary *summary) {
  wal_sink_int(sink, "cells", cells);
  wal_sink_int(sink, "nash", summary->nash);
  wal_sink_int(sink, "nash_hoped", summary->nash_hoped);
  wal_sink_real(sink, "gain_max", summary->gain_max);
  wal_sink_real(sink, "hope_max", summary->hope_max);
  wal_sink_real(sink, "spread_max", summary->spread_max);
}
