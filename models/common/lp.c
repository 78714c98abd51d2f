#include "models/common/lp.h"

#include <glpk.h>
#include <math.h>
#include <stdlib.h>

struct wal_lp {
  glp_prob *problem;
  int *rows, *columns; /* [1 + room] places, from 1 as GLPK counts */
  double *values;      /* [1 + room] */
  int count, room;
  int loaded;           /* of these, how many GLPK has */
  double *cost;         /* [cost_room] of the columns */
  double scale;         /* GLPK has cost / scale: its tolerances are absolute near 0 */
  int cost_room, limit; /* limit of branch and bound; 0: none */
  bool integer, primal_first;
  bool costs_moved; /* since the last solve */
  wal_status fault; /* kept until the solve: no memory, or a number that is not finite */
};

/* GLPK keeps its state by thread; the last program of a thread frees it. */
static _Thread_local int alive;

wal_lp *wal_lp_create(bool maximise) {
  wal_lp *lp = calloc(1, sizeof *lp);
  if (!lp) return NULL;
  glp_term_out(GLP_OFF);
  alive++;
  lp->problem = glp_create_prob();
  lp->scale = 1;
  glp_set_obj_dir(lp->problem, maximise ? GLP_MAX : GLP_MIN);
  return lp;
}

void wal_lp_destroy(wal_lp *lp) {
  if (!lp) return;
  glp_delete_prob(lp->problem);
  if (--alive == 0) glp_free_env();
  free(lp->rows);
  free(lp->columns);
  free(lp->values);
  free(lp->cost);
  free(lp);
}

/* ---- making it ---- */

static int kind(double low, double high) {
  if (low == high) return GLP_FX;
  if (isfinite(low)) return isfinite(high) ? GLP_DB : GLP_LO;
  return isfinite(high) ? GLP_UP : GLP_FR;
}

static void check(wal_lp *lp, bool good) {
  if (!good && lp->fault == WAL_OK) lp->fault = WAL_E_INPUT;
}

void wal_lp_bound_column(wal_lp *lp, int column, double low, double high) {
  check(lp, !isnan(low) && !isnan(high));
  glp_set_col_bnds(lp->problem, column + 1, kind(low, high), low, high);
}

void wal_lp_bound_row(wal_lp *lp, int row, double low, double high) {
  check(lp, !isnan(low) && !isnan(high));
  glp_set_row_bnds(lp->problem, row + 1, kind(low, high), low, high);
}

void wal_lp_cost(wal_lp *lp, int column, double cost) {
  check(lp, isfinite(cost));
  if (column >= lp->cost_room) return; /* no memory: fault says so */
  lp->cost[column] = cost;
  lp->costs_moved = true;
}

/* Room for `wanted` in an array of `size` bytes each; false: no memory, array as it was. */
static bool grow(wal_lp *lp, void *array, int wanted, size_t size) {
  void *more = realloc(*(void **)array, (size_t)wanted * size);
  if (more) *(void **)array = more;
  if (!more) lp->fault = WAL_E_MEMORY;
  return more != NULL;
}

int wal_lp_column(wal_lp *lp, double low, double high, double cost) {
  const int column = glp_add_cols(lp->problem, 1) - 1, room = 2 * column + 64;
  if (column >= lp->cost_room && grow(lp, &lp->cost, room, sizeof *lp->cost)) lp->cost_room = room;
  wal_lp_bound_column(lp, column, low, high);
  wal_lp_cost(lp, column, cost);
  return column;
}

int wal_lp_row(wal_lp *lp, double low, double high) {
  const int row = glp_add_rows(lp->problem, 1) - 1;
  wal_lp_bound_row(lp, row, low, high);
  return row;
}

void wal_lp_set(wal_lp *lp, int row, int column, double value) {
  check(lp, isfinite(value));
  if (value == 0) return;
  if (lp->count == lp->room) {
    const int room = 2 * lp->room + 64;
    if (!grow(lp, &lp->rows, room + 1, sizeof *lp->rows) ||
        !grow(lp, &lp->columns, room + 1, sizeof *lp->columns) ||
        !grow(lp, &lp->values, room + 1, sizeof *lp->values))
      return;
    lp->room = room;
  }
  lp->count++;
  lp->rows[lp->count] = row + 1;
  lp->columns[lp->count] = column + 1;
  lp->values[lp->count] = value;
}

void wal_lp_integer(wal_lp *lp, int column) {
  glp_set_col_kind(lp->problem, column + 1, GLP_IV);
  lp->integer = true;
}

void wal_lp_limit(wal_lp *lp, int nodes) { lp->limit = nodes; }
void wal_lp_primal_first(wal_lp *lp) { lp->primal_first = true; }
int wal_lp_rows(const wal_lp *lp) { return glp_get_num_rows(lp->problem); }
int wal_lp_columns(const wal_lp *lp) { return glp_get_num_cols(lp->problem); }

/* ---- handing it to GLPK ---- */

static wal_status load_matrix(wal_lp *lp) {
  if (lp->loaded == lp->count) return WAL_OK;
  const int twice = glp_check_dup(wal_lp_rows(lp), wal_lp_columns(lp), lp->count, lp->rows, lp->columns);
  if (twice != 0)
    return wal_fail(WAL_E_INTERNAL, "row %d, column %d of a linear program is set %s",
                    lp->rows[abs(twice)] - 1, lp->columns[abs(twice)] - 1,
                    twice > 0 ? "twice" : "but not there");
  glp_load_matrix(lp->problem, lp->count, lp->rows, lp->columns, lp->values);
  if (lp->loaded == 0) glp_scale_prob(lp->problem, GLP_SF_AUTO);
  lp->loaded = lp->count;
  return WAL_OK;
}

static void load_costs(wal_lp *lp) {
  if (!lp->costs_moved) return;
  double most = 0;
  for (int j = 0; j < wal_lp_columns(lp); j++) most = fmax(most, fabs(lp->cost[j]));
  lp->scale = most > 0 ? exp2(ilogb(most)) : 1; /* a power of 2 rounds nothing */
  for (int j = 0; j < wal_lp_columns(lp); j++) glp_set_obj_coef(lp->problem, j + 1, lp->cost[j] / lp->scale);
  lp->costs_moved = false;
}

static bool bounds_cross(const wal_lp *lp) {
  for (int j = 1; j <= wal_lp_columns(lp); j++)
    if (glp_get_col_lb(lp->problem, j) > glp_get_col_ub(lp->problem, j)) return true;
  for (int i = 1; i <= wal_lp_rows(lp); i++)
    if (glp_get_row_lb(lp->problem, i) > glp_get_row_ub(lp->problem, i)) return true;
  return false;
}

/* ---- solving ---- */

static bool outcome_of(int status, wal_lp_outcome *outcome) {
  *outcome = status == GLP_OPT ? WAL_LP_OPTIMAL : status == GLP_NOFEAS ? WAL_LP_INFEASIBLE : WAL_LP_UNBOUNDED;
  return status == GLP_OPT || status == GLP_NOFEAS || status == GLP_UNBND;
}

/* true: GLPK has an answer. */
static bool simplex(wal_lp *lp, const glp_smcp *how, wal_lp_outcome *outcome) {
  const int fault = glp_simplex(lp->problem, how);
  if (fault == GLP_ENOPFS || fault == GLP_ENODFS) {
    *outcome = fault == GLP_ENOPFS ? WAL_LP_INFEASIBLE : WAL_LP_UNBOUNDED;
    return true;
  }
  return fault == 0 && outcome_of(glp_get_status(lp->problem), outcome);
}

/* From the last basis to tight tolerances, then from none to GLPK's own: to have no point is believed of
   these only. */
static const struct attempt {
  int method, presolve;
  double tolerance;
} attempts[] = {{GLP_DUALP, GLP_OFF, 1e-11},
                {GLP_PRIMAL, GLP_OFF, 1e-9},
                {GLP_DUALP, GLP_OFF, 1e-7},
                {GLP_PRIMAL, GLP_OFF, 1e-7},
                {GLP_PRIMAL, GLP_ON, 1e-7}};
enum { ATTEMPTS = sizeof attempts / sizeof *attempts, TIGHT = 2 };

static wal_status solve_relaxation(wal_lp *lp, wal_lp_outcome *outcome) {
  glp_smcp how;
  glp_init_smcp(&how);
  how.msg_lev = GLP_MSG_OFF;
  how.it_lim = 1000 + 100 * (wal_lp_rows(lp) + wal_lp_columns(lp)); /* against cycles */
  for (int k = 0; k < ATTEMPTS; k++) {
    if (k >= TIGHT) glp_std_basis(lp->problem);
    how.meth = k == 0 && lp->primal_first ? GLP_PRIMAL : attempts[k].method;
    how.presolve = attempts[k].presolve;
    how.tol_bnd = how.tol_dj = attempts[k].tolerance;
    if (simplex(lp, &how, outcome) && (k >= TIGHT || *outcome != WAL_LP_INFEASIBLE)) return WAL_OK;
  }
  return wal_fail(WAL_E_DIVERGED,
                  "the simplex method found no answer to a linear program of %d rows and %d columns (GLPK "
                  "status %d); numbers nearer to 1 help",
                  wal_lp_rows(lp), wal_lp_columns(lp), glp_get_status(lp->problem));
}

/* What a callback needs to stop branch and bound. */
typedef struct {
  int nodes, limit;
} node_count;

static void count_nodes(glp_tree *tree, void *context) {
  node_count *count = context;
  if (glp_ios_reason(tree) == GLP_ISELECT && ++count->nodes > count->limit) glp_ios_terminate(tree);
}

static wal_status branch(wal_lp *lp, wal_lp_outcome *outcome) {
  glp_iocp how;
  glp_init_iocp(&how);
  how.msg_lev = GLP_MSG_OFF;
  how.tol_int = 1e-9; /* times a large bound this is what a 0 lets through */
  node_count count = {.limit = lp->limit};
  if (lp->limit > 0) {
    how.cb_func = count_nodes;
    how.cb_info = &count;
  }
  const int fault = glp_intopt(lp->problem, &how);
  if (fault != 0 && fault != GLP_ESTOP)
    return wal_fail(WAL_E_DIVERGED, "branch and bound stopped (GLPK code %d)", fault);
  const int status = glp_mip_status(lp->problem);
  *outcome = WAL_LP_FEASIBLE;
  if (status == GLP_FEAS || outcome_of(status, outcome)) return WAL_OK;
  return wal_fail(WAL_E_DIVERGED, "branch and bound found nothing in %d nodes", lp->limit);
}

wal_status wal_lp_solve(wal_lp *lp, wal_lp_outcome *outcome) {
  *outcome = WAL_LP_INFEASIBLE;
  if (lp->fault == WAL_E_MEMORY)
    return wal_fail(WAL_E_MEMORY, "no memory for a linear program of %d rows and %d columns", wal_lp_rows(lp),
                    wal_lp_columns(lp));
  if (lp->fault != WAL_OK)
    return wal_fail(lp->fault, "a linear program has a coefficient or bound that is no number");
  wal_status status = load_matrix(lp);
  if (status != WAL_OK) return status;
  load_costs(lp);
  if (bounds_cross(lp)) return WAL_OK;
  status = solve_relaxation(lp, outcome);
  if (status != WAL_OK || !lp->integer || *outcome != WAL_LP_OPTIMAL) return status;
  return branch(lp, outcome);
}

/* ---- answers ---- */

double wal_lp_objective(const wal_lp *lp) {
  return lp->scale * (lp->integer ? glp_mip_obj_val(lp->problem) : glp_get_obj_val(lp->problem));
}

double wal_lp_value(const wal_lp *lp, int column) {
  return lp->integer ? glp_mip_col_val(lp->problem, column + 1) : glp_get_col_prim(lp->problem, column + 1);
}

double wal_lp_activity(const wal_lp *lp, int row) {
  return lp->integer ? glp_mip_row_val(lp->problem, row + 1) : glp_get_row_prim(lp->problem, row + 1);
}

double wal_lp_dual(const wal_lp *lp, int row) { return lp->scale * glp_get_row_dual(lp->problem, row + 1); }
double wal_lp_reduced(const wal_lp *lp, int column) {
  return lp->scale * glp_get_col_dual(lp->problem, column + 1);
}
