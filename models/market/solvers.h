/* The solvers behind the table in solver.c, one file each. Private to models/market. */
#ifndef WAL_MARKET_SOLVERS_H
#define WAL_MARKET_SOLVERS_H

#include "models/market/solver.h"

extern const wal_solver wal_solver_newton, wal_solver_naive, wal_solver_eg, wal_solver_eg_m;
extern const wal_solver wal_solver_eg_scaled, wal_solver_pr, wal_solver_tatonnement, wal_solver_block,
    wal_solver_pace, wal_solver_closed_form, wal_solver_newton_cg, wal_solver_newton_sample;
extern const wal_solver wal_solver_fc, wal_solver_fc_share, wal_solver_tower;

/* newton.c's part for alpha = -inf. */
wal_status wal_leontief_solve(const wal_market *market, const wal_solver_options *options,
                              const wal_trace *trace, wal_solution *solution);

/* The powers r = alpha/(1-alpha) by which Newton's methods go to a target: the first, and the next. */
double wal_first_power(double target);
double wal_next_power(double r, double target);
/* From the log prices q[m] at power r to a start at the next, extrapolated from last_q[m] at last_r (0: there
   was none); last_q becomes those at r. */
void wal_next_stage(int m, double last_r, double r, double next_r, double *q, double *last_q);

/* sum_i B_i over the market's first `count` buyers, one streamed pass. */
wal_status wal_total_budget(const wal_market *market, int64_t count, double *budget);

/* Calls the trace's callbacks where there are any. */
void wal_trace_row(const wal_trace *trace, int count, const char *const names[], const double values[]);
void wal_trace_progress(const wal_trace *trace, double fraction, const char *what);
void wal_trace_state(const wal_trace *trace, int64_t iteration, const wal_allocation *allocation,
                     const double *price);

#endif
