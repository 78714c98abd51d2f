/* Linear and mixed-integer programs by GLPK: min or max c'x, rows and columns between bounds. Made column by
   column, row by row, solved as often as wanted with changed bounds and costs (each from the last basis).
   A program is made, solved and destroyed by one thread, that may have several; programs of different threads
   are independent. */
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
/* Coefficient of a column in a row; each place at most once, zeros are left out. Lack of memory, and numbers
   that are not finite, are told by wal_lp_solve. */
void wal_lp_set(wal_lp *lp, int row, int column, double value);
void wal_lp_cost(wal_lp *lp, int column, double cost);
void wal_lp_bound_column(wal_lp *lp, int column, double low, double high);
void wal_lp_bound_row(wal_lp *lp, int row, double low, double high);
void wal_lp_integer(wal_lp *lp, int column); /* from here a mixed-integer program; bounds {0, 1}: binary */

/* Begin with the primal simplex, not with the dual one: much faster for large programs that a basis of slacks
   satisfies, or of which only costs move. */
void wal_lp_primal_first(wal_lp *lp);

int wal_lp_rows(const wal_lp *lp);
int wal_lp_columns(const wal_lp *lp);

/* Simplex from the last basis, where that fails from new ones, and branch and bound where there are integer
   columns. Tolerances are 1e-11 (GLPK's 1e-7 where those fail): absolute near 0, so bounds are best near 1
   (costs are scaled here). Bounds that cross are WAL_LP_INFEASIBLE. WAL_E_DIVERGED: GLPK gave up. */
wal_status wal_lp_solve(wal_lp *lp, wal_lp_outcome *outcome);
/* Nodes of branch and bound at most; 0: no limit. Stopped with a feasible point it is WAL_LP_FEASIBLE,
   without one WAL_E_DIVERGED. */
void wal_lp_limit(wal_lp *lp, int nodes);

/* Of the last solve, when optimal (feasible). Dual and reduced cost of linear programs only: the derivative
   of the optimum in the row's active bound, and in the column's. */
double wal_lp_objective(const wal_lp *lp);
double wal_lp_value(const wal_lp *lp, int column);
double wal_lp_activity(const wal_lp *lp, int row);
double wal_lp_dual(const wal_lp *lp, int row);
double wal_lp_reduced(const wal_lp *lp, int column);

#endif
