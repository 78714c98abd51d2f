#include "models/common/lp.h"

#include <glpk.h>
#include <math.h>
#include <stdlib.h>

struct wal_lp {
  glp_prob *problem;
  int *rows, *columns; /* [room] places not yet handed to GLPK, from 1 as it counts */
  double *values;      /* [room] */
  int count, room;
  int loaded; /* of these, how many GLPK has */
  int nodes;  /* limit of branch and bound; 0: none */
  bool integer, failed;
};

wal_lp *wal_lp_create(bool maximise) {
  wal_lp *lp = calloc(1, sizeof *lp);
  if (!lp) return NULL;
  lp->problem = glp_create_prob();
  glp_set_obj_dir(lp->problem, maximise ? GLP_MAX : GLP_MIN);
  return lp;
}

void wal_lp_destroy(wal_lp *lp) {
  if (!lp) return;
  if (lp->problem) glp_delete_prob(lp->problem);
  free(lp->rows);
  free(lp->columns);
  free(lp->values);
  free(lp);
}

static int kind(double low, double high) {
  if (low == high) return GLP_FX;
  if (isfinite(low)) return isfinite(high) ? GLP_DB : GLP_LO;
  return isfinite(high) ? GLP_UP : GLP_FR;
}

void wal_lp_bound_column(wal_lp *lp, int column, double low, double high) {
  glp_set_col_bnds(lp->problem, column + 1, kind(low, high), low, high);
}

void wal_lp_bound_row(wal_lp *lp, int row, double low, double high) {
  glp_set_row_bnds(lp->problem, row + 1, kind(low, high), low, high);
}

void wal_lp_cost(wal_lp *lp, int column, double cost) { glp_set_obj_coef(lp->problem, column + 1, cost); }

int wal_lp_column(wal_lp *lp, double low, double high, double cost) {
  const int column = glp_add_cols(lp->problem, 1) - 1;
  wal_lp_bound_column(lp, column, low, high);
  wal_lp_cost(lp, column, cost);
  return column;
}

int wal_lp_row(wal_lp *lp, double low, double high) {
  const int row = glp_add_rows(lp->problem, 1) - 1;
  wal_lp_bound_row(lp, row, low, high);
  return row;
}

static bool grow(wal_lp *lp) {
  const int room = lp->room ? 2 * lp->room : 64;
  int *rows = realloc(lp->rows, (size_t)(room + 1) * sizeof *rows);
  if (rows) lp->rows = rows;
  int *columns = realloc(lp->columns, (size_t)(room + 1) * sizeof *columns);
  if (columns) lp->columns = columns;
  double *values = realloc(lp->values, (size_t)(room + 1) * sizeof *values);
  if (values) lp->values = values;
  if (!rows || !columns || !values) return false;
  lp->room = room;
  return true;
}

void wal_lp_set(wal_lp *lp, int row, int column, double value) {
  if (value == 0 || lp->failed) return;
  if (lp->count == lp->room && !grow(lp)) {
    lp->failed = true;
    return;
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

void wal_lp_limit(wal_lp *lp, int nodes) { lp->nodes = nodes; }
int wal_lp_rows(const wal_lp *lp) { return glp_get_num_rows(lp->problem); }
int wal_lp_columns(const wal_lp *lp) { return glp_get_num_cols(lp->problem); }

/* ---- solving ---- */

static void load(wal_lp *lp) {
  if (lp->loaded == lp->count) return;
  glp_load_matrix(lp->problem, lp->count, lp->rows, lp->columns, lp->values);
  lp->loaded = lp->count;
}

static int simplex(wal_lp *lp, int method) {
  glp_smcp how;
  glp_init_smcp(&how);
  how.msg_lev = GLP_MSG_OFF;
  how.meth = method;
  return glp_simplex(lp->problem, &how);
}

/* 0: GLPK has an answer. */
static int solve_relaxation(wal_lp *lp) {
  int fault = simplex(lp, GLP_DUALP);
  if (fault == 0 && glp_get_status(lp->problem) != GLP_UNDEF) return 0;
  glp_adv_basis(lp->problem, 0);
  fault = simplex(lp, GLP_PRIMAL);
  if (fault == 0 && glp_get_status(lp->problem) != GLP_UNDEF) return 0;
  glp_scale_prob(lp->problem, GLP_SF_AUTO);
  glp_std_basis(lp->problem);
  return simplex(lp, GLP_PRIMAL);
}

static wal_status read_outcome(int status, wal_lp_outcome *outcome) {
  switch (status) {
    case GLP_OPT:
      *outcome = WAL_LP_OPTIMAL;
      return WAL_OK;
    case GLP_FEAS:
      *outcome = WAL_LP_FEASIBLE;
      return WAL_OK;
    case GLP_NOFEAS:
    case GLP_INFEAS:
      *outcome = WAL_LP_INFEASIBLE;
      return WAL_OK;
    case GLP_UNBND:
      *outcome = WAL_LP_UNBOUNDED;
      return WAL_OK;
    default:
      return wal_fail(WAL_E_DIVERGED, "a linear program ended without an answer (GLPK status %d)", status);
  }
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
  node_count count = {.limit = lp->nodes};
  if (lp->nodes > 0) {
    how.cb_func = count_nodes;
    how.cb_info = &count;
  }
  const int fault = glp_intopt(lp->problem, &how);
  if (fault != 0 && fault != GLP_ESTOP)
    return wal_fail(WAL_E_DIVERGED, "branch and bound stopped (GLPK code %d)", fault);
  const int status = glp_mip_status(lp->problem);
  if (fault == GLP_ESTOP && status == GLP_UNDEF)
    return wal_fail(WAL_E_DIVERGED, "branch and bound found nothing in %d nodes", lp->nodes);
  return read_outcome(status, outcome);
}

wal_status wal_lp_solve(wal_lp *lp, wal_lp_outcome *outcome) {
  if (lp->failed) return wal_fail(WAL_E_MEMORY, "no memory for a linear program of %d entries", lp->count);
  const int messages = glp_term_out(GLP_OFF);
  load(lp);
  const int fault = solve_relaxation(lp);
  glp_term_out(messages);
  if (fault != 0) return wal_fail(WAL_E_DIVERGED, "the simplex method stopped (GLPK code %d)", fault);
  const wal_status status = read_outcome(glp_get_status(lp->problem), outcome);
  if (status != WAL_OK || !lp->integer || *outcome != WAL_LP_OPTIMAL) return status;
  return branch(lp, outcome);
}

/* ---- answers ---- */

double wal_lp_objective(const wal_lp *lp) {
  return lp->integer ? glp_mip_obj_val(lp->problem) : glp_get_obj_val(lp->problem);
}

double wal_lp_value(const wal_lp *lp, int column) {
  return lp->integer ? glp_mip_col_val(lp->problem, column + 1) : glp_get_col_prim(lp->problem, column + 1);
}

double wal_lp_activity(const wal_lp *lp, int row) {
  return lp->integer ? glp_mip_row_val(lp->problem, row + 1) : glp_get_row_prim(lp->problem, row + 1);
}

double wal_lp_dual(const wal_lp *lp, int row) { return glp_get_row_dual(lp->problem, row + 1); }
double wal_lp_reduced(const wal_lp *lp, int column) { return glp_get_col_dual(lp->problem, column + 1); }
