/* What the MarketFCNet experiments share: the parameters of a contextual market and its solvers, the measures
   of section 5, one solved market as a point, and how results are drawn. */
#ifndef WAL_EXPERIMENTS_MARKETFCNET_MARKET_H
#define WAL_EXPERIMENTS_MARKETFCNET_MARKET_H

#include "engine/drawing.h"
#include "engine/experiment.h"

#define WAL_MARKETFCNET_PAPER \
  "Large-Scale Contextual Market Equilibrium Computation through Deep Learning (anonymous submission, 2024)"

enum { WAL_MARKET_PARAMS = 40, WAL_MARKET_COLUMNS = 9 };
extern const wal_param wal_market_params[WAL_MARKET_PARAMS];
extern const wal_column wal_market_columns[WAL_MARKET_COLUMNS];

/* Draws the market, solves it with the point's solver, measures (x, p): one row, one trace "solve". */
wal_status wal_market_run_point(const wal_point *point, wal_sink *sink);

/* The table of NG, VoA, VoP and time by solver and every swept parameter, and a figure of the same: by solver
   when nothing else is swept, else lines against the swept number with most values. */
wal_status wal_market_draw(const wal_result *result, wal_drawing *drawing);

#endif
