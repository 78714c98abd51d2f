/* Linear and mixed-integer programs by GLPK: min or max c'x, rows and columns between bounds. Made column by
   column, row by row, solved as often as wanted with changed bounds and costs (each from the last basis).
   One program per thread; programs of different threads are independent. */
#ifndef WAL_COMMON_LP_H
#define WAL_COMMON_LP_H

#include <stdbool.h>

#include "models/common/status.h"

typedef struct wal_lp wal_lp;

/* How a solve ended. wal_lp_solve returns WAL_OK for these four: they are answers. */
typedef enum { WAL_LP_OPTIMAL, WAL_LP_INFEASIBLE, WAL_LP_UNBOUNDED, WAL_LP_FEASIBLE } wal_lp_outcome;

wal_lp *wal_lp_create(bool maximise); /* NULL: no memory */
void wal_lp_destroy(wal_lp *lp);      /* accepts NULL */

/* A new column or row; returns its index (0, 1, ...). Bounds may be -INFINITY, INFINITY, and equal. */
int wal_lp_column(wal_lp *lp, double low, double high, double cost);
int wal_lp_row(wal_lp *lp, double low, double high);
/* Coefficient of a column in a row; each place at most once, zeros are left out. WAL_E_MEMORY is kept until
   wal_lp_solve. */
void wal_lp_set(wal_lp *lp, int row, int column, double value);
void wal_lp_cost(wal_lp *lp, int column, double cost);
void wal_lp_bound_column(wal_lp *lp, int column, double low, double high);
void wal_lp_bound_row(wal_lp *lp, int row, double low, double high);
void wal_lp_integer(wal_lp *lp, int column); /* from here a mixed-integer program; bounds {0, 1}: binary */

int wal_lp_rows(const wal_lp *lp);
int wal_lp_columns(const wal_lp *lp);

/* Simplex (dual, then primal, then once more from scratch without presolve where the numbers were bad), and
   branch and bound where there are integer columns. limit_nodes: 0 none; a mixed-integer program stopped by
   it with a feasible point is WAL_LP_FEASIBLE. WAL_E_DIVERGED: GLPK gave up, with its reason. */
wal_status wal_lp_solve(wal_lp *lp, wal_lp_outcome *outcome);
void wal_lp_limit(wal_lp *lp, int nodes);

/* Of the last solve, when optimal (feasible). dual and reduced cost of linear programs only; a row's dual is
   the derivative of the optimum in its active bound. */
double wal_lp_objective(const wal_lp *lp);
double wal_lp_value(const wal_lp *lp, int column);
double wal_lp_activity(const wal_lp *lp, int row);
double wal_lp_dual(const wal_lp *lp, int row);
double wal_lp_reduced(const wal_lp *lp, int column);

#endif
