/* What the MarketFCNet experiments share: the parameters of a contextual market and its solvers, the measures
   of section 5, one solved market as a point, and how results are drawn. */
#ifndef WAL_EXPERIMENTS_MARKETFCNET_MARKET_H
#define WAL_EXPERIMENTS_MARKETFCNET_MARKET_H

#include "engine/drawing.h"
#include "engine/experiment.h"
#include "models/market/contexts.h"
#include "models/market/solver.h"

#define WAL_MARKETFCNET_PAPER \
  "Large-Scale Contextual Market Equilibrium Computation through Deep Learning (anonymous submission, 2024)"

enum { WAL_MARKET_PARAMS = 80, WAL_MARKET_COLUMNS = 11 };
extern const wal_param wal_market_params[WAL_MARKET_PARAMS];
extern const wal_column wal_market_columns[WAL_MARKET_COLUMNS];

/* Every solver's name, as the choices of the parameter `solver`. */
#define WAL_SOLVER_CHOICES                                                                         \
  "naive|eg|eg_m|eg_scaled|pr|block|pace|tatonnement|fc|fc_share|tower|newton_sample|closed_form|" \
  "newton_cg|newton"

/* The solvers' options of a point whose experiment has every parameter of wal_market_params. */
void wal_market_solver_options(const wal_point *point, wal_solver_options *options);

/* The market that the point's n, m, alpha, contexts, d and seed ask for. */
wal_status wal_market_drawn(const wal_point *point, wal_context_market *out);

/* A solver's rows go to the sink's trace "solve", its progress to the sink's. */
wal_trace wal_market_trace(wal_sink *sink);

/* Draws the market, solves it with the point's solver, measures (x, p): one row, one trace "solve". Where EG
   or EG-m ends without a result (C.2: "only when all lambda_j > 0"), that is a finding: a row without
   measures. */
wal_status wal_market_run_point(const wal_point *point, wal_sink *sink);

/* The options of a solver that trains a network; NULL: it has none. */
const wal_network_options *wal_market_recipe(const wal_solver_options *options, const char *solver);
/* Weights of a recipe's network (biases not counted), and the floating-point operations of its training: 3 x
   2 a weight and row of the minibatches, 2 a weight and row of the passes that move the multipliers. */
int64_t wal_market_weights(const wal_network_options *options, int inputs, int outputs);
/* Passes over price_buyers buyers: after every epoch (fc) or the last (share outputs). */
int wal_market_price_passes(const wal_network_options *options, const char *recipe);
double wal_market_training_flop(const wal_network_options *options, const char *recipe, int64_t n, int m,
                                int d);

/* A method's name and colour of the palette, the same in every figure. */
const char *wal_market_label(const char *solver);
int wal_market_colour(const char *solver);

/* A mean with its smallest and largest value, where there are several. */
void wal_market_add(wal_series *series, double x, wal_stat s);
/* Raised to the floor (NAN: none), so that an exact method stays on a log axis. */
wal_stat wal_market_at_least(wal_stat s, double floor);

/* Where a group stands in a panel; NAN: not there. `row` stands for the group. */
typedef double (*wal_market_place)(const void *context, const wal_frame *rows, int64_t row);
/* A series per solver in order of appearance: mean of `column`, bars from the smallest to the largest of the
   seeds; means below `floor` stand at it (NAN: no floor). */
void wal_market_series(wal_panel *panel, wal_series_kind kind, const wal_grouping *by, const char *column,
                       double floor, wal_market_place place, const void *context);

/* The table of NG, VoA, VoP and time by solver and every swept parameter, and a figure of the same: by solver
   when nothing else is swept, else lines against the swept number with most values. */
wal_status wal_market_draw(const wal_result *result, wal_drawing *drawing);

#endif
