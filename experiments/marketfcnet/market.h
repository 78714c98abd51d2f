/* What the MarketFCNet experiments share: the parameters of a contextual market and its solvers, the measures
   of section 5, one solved market as a point, and how results are drawn. */
#ifndef WAL_EXPERIMENTS_MARKETFCNET_MARKET_H
#define WAL_EXPERIMENTS_MARKETFCNET_MARKET_H

#include "engine/drawing.h"
#include "engine/experiment.h"
#include "models/market/solver.h"

#define WAL_MARKETFCNET_PAPER \
  "Large-Scale Contextual Market Equilibrium Computation through Deep Learning (anonymous submission, 2024)"

enum { WAL_MARKET_PARAMS = 77, WAL_MARKET_COLUMNS = 9 };
extern const wal_param wal_market_params[WAL_MARKET_PARAMS];
extern const wal_column wal_market_columns[WAL_MARKET_COLUMNS];

/* Every solver's name, as the choices of the parameter `solver`. */
#define WAL_SOLVER_CHOICES                                                                         \
  "naive|eg|eg_m|eg_scaled|pr|block|pace|tatonnement|fc|fc_share|tower|newton_sample|closed_form|" \
  "newton_cg|newton"

/* The solvers' options of a point whose experiment has every parameter of wal_market_params. */
void wal_market_solver_options(const wal_point *point, wal_solver_options *options);

/* Draws the market, solves it with the point's solver, measures (x, p): one row, one trace "solve". */
wal_status wal_market_run_point(const wal_point *point, wal_sink *sink);

/* The table of NG, VoA, VoP and time by solver and every swept parameter, and a figure of the same: by solver
   when nothing else is swept, else lines against the swept number with most values. */
wal_status wal_market_draw(const wal_result *result, wal_drawing *drawing);

#endif
