#include "models/mechanism/frontier_table.h"

#include <glpk.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "models/mechanism/pf.h"

/* Columns of a pair of types: its allocation, minus (d/2)^2, and the two gains. */
enum { ALLOCATION = 0, SPREAD = 4, GAIN = 5, COLUMNS = 7 };
/* A round adds every lie and tangent that is violated by more; the bound holds after any of them. */
static const double tolerance = 1e-6;
enum { ROUNDS = 60 };

typedef struct {
  const wal_frontier_problem *p;
  const double *U; /* [2, n0, n1] */
  glp_prob *lp;
} program;

static int pairs(const wal_frontier_problem *p) { return p->n[0] * p->n[1]; }
/* Types s of agent 0 and t of agent 1; for `agent` itself: own and other's. */
static int pair(const wal_frontier_problem *p, int s, int t) { return s * p->n[1] + t; }
static int pair_of(const wal_frontier_problem *p, int agent, int own, int other) {
  return agent == 0 ? pair(p, own, other) : pair(p, other, own);
}
static int column(int at, int what) { return 1 + COLUMNS * at + what; }

/* Probability of a pair, times their number: near 1, whatever the number of types. */
static double pair_weight(const wal_frontier_problem *p, int at) {
  return p->types[0][at / p->n[1]].weight * p->types[1][at % p->n[1]].weight * pairs(p);
}

static const wal_frontier_type *type_of(const wal_frontier_problem *p, int agent, int at) {
  return &p->types[agent][agent == 0 ? at / p->n[1] : at % p->n[1]];
}

/* PF's product; 0: an agent has no demand, and nothing is at stake. */
static double pf_product(const program *g, int at) { return g->U[at] * g->U[pairs(g->p) + at]; }

wal_status wal_frontier_pf(const wal_frontier_problem *p, double *U, double *a) {
  const size_t cells = (size_t)pairs(p);
  double *v = malloc((4 + 4 + 2 + 2) * cells * sizeof *v), *x = v + 4 * cells, *b = x + 4 * cells,
         *u = b + 2 * cells;
  if (!v) return wal_fail(WAL_E_MEMORY, "no memory for tables of %d x %d types", p->n[0], p->n[1]);
  for (int at = 0; at < pairs(p); at++)
    for (int k = 0; k < 4; k++) {
      v[4 * at + k] = type_of(p, k / 2, at)->v[k % 2];
      x[4 * at + k] = type_of(p, k / 2, at)->x[k % 2];
      b[2 * at + k % 2] = p->b[k % 2];
    }
  const wal_instances in = {.count = pairs(p), .n = 2, .m = 2, .v = v, .x = x, .b = b};
  const wal_pf_options options = wal_pf_defaults();
  const wal_status status = wal_pf_solve(&in, NULL, &options, &(wal_pf_solution){.a = a, .u = u});
  for (int at = 0; at < pairs(p); at++)
    for (int i = 0; i < 2; i++) U[i * pairs(p) + at] = u[2 * at + i];
  free(v);
  return status;
}

/* ---- utilities of a table ---- */

/* Of `true_type`, from the allocation that the pair `at` of reports leads to: chords of min(a, x). */
static double worth(const wal_frontier_type *truth, const wal_frontier_type *report, int m) {
  return truth->x[m] >= report->x[m] ? truth->v[m] : truth->v[m] * truth->x[m] / report->x[m];
}

static double utility(const wal_frontier_type *truth, const wal_frontier_type *report, const double *a) {
  return worth(truth, report, 0) * a[0] + worth(truth, report, 1) * a[1];
}

/* The best lie of `agent` of type own against other, and what it gains (0: own itself). */
static double best_lie(const wal_frontier_problem *p, const double *table, int agent, int own, int other,
                       int *lie) {
  const wal_frontier_type *types = p->types[agent], *truth = &types[own];
  const double now = utility(truth, truth, &table[4 * pair_of(p, agent, own, other) + 2 * agent]);
  double gain = 0;
  *lie = own;
  for (int s = 0; s < p->n[agent]; s++) {
    const double more = utility(truth, &types[s], &table[4 * pair_of(p, agent, s, other) + 2 * agent]) - now;
    if (more > gain) gain = more, *lie = s;
  }
  return gain;
}

/* u_1 / U_1 and u_2 / U_2 at a pair. */
static void shares(const wal_frontier_problem *p, const double *U, const double *table, int at,
                   double share[2]) {
  for (int i = 0; i < 2; i++) {
    const wal_frontier_type *type = type_of(p, i, at);
    share[i] = utility(type, type, &table[4 * at + 2 * i]) / U[i * pairs(p) + at];
  }
}

void wal_frontier_measure(const wal_frontier_problem *p, const double *U, const double *table, double kappa,
                          wal_frontier_optimum *out) {
  double expl = 0, nsw = 0;
  out->least = 2;
  for (int at = 0; at < pairs(p); at++) {
    const double weight = pair_weight(p, at) / pairs(p);
    const double product = U[at] * U[pairs(p) + at];
    const int s = at / p->n[1], t = at % p->n[1];
    int lie;
    expl += weight * 0.5 * (best_lie(p, table, 0, s, t, &lie) + best_lie(p, table, 1, t, s, &lie));
    if (!(product > 0)) continue;
    double share[2];
    shares(p, U, table, at, share);
    nsw += weight * product * share[0] * share[1];
    out->least = fmin(out->least, share[0] + share[1]);
  }
  out->expl = expl;
  out->nsw = nsw;
  out->bound = expl - kappa * nsw;
}

/* ---- the program ---- */

/* index, value [1 + count]: GLPK counts from 1. */
static void row(program *g, int count, const int *index, const double *value, int kind, double bound) {
  const int at = glp_add_rows(g->lp, 1);
  glp_set_row_bnds(g->lp, at, kind, bound, bound);
  glp_set_mat_row(g->lp, at, count, index, value);
}

/* gain >= u(truth; a(lie)) - u(truth; a(truth)) */
static void lie_row(program *g, int agent, int own, int other, int lie) {
  const wal_frontier_problem *p = g->p;
  const wal_frontier_type *truth = &p->types[agent][own], *report = &p->types[agent][lie];
  const int here = pair_of(p, agent, own, other), there = pair_of(p, agent, lie, other);
  int index[6] = {0, column(here, GAIN + agent)}, count = 1;
  double value[6] = {0, 1};
  for (int m = 0; m < 2; m++) {
    if (truth->x[m] > 0) index[++count] = column(here, 2 * agent + m), value[count] = truth->v[m];
    const double c = worth(truth, report, m);
    if (report->x[m] > 0 && c > 0) index[++count] = column(there, 2 * agent + m), value[count] = -c;
  }
  row(g, count, index, value, GLP_LO, 0);
}

/* spread <= -(d/2)^2, by its tangent at d0. */
static void tangent_row(program *g, int at, double d0) {
  int index[6] = {0, column(at, SPREAD)}, count = 1;
  double value[6] = {0, 1};
  for (int i = 0; i < 2; i++)
    for (int m = 0; m < 2; m++) {
      const wal_frontier_type *type = type_of(g->p, i, at);
      if (type->x[m] <= 0) continue;
      index[++count] = column(at, 2 * i + m);
      value[count] = (i == 0 ? 0.5 : -0.5) * d0 * type->v[m] / g->U[i * pairs(g->p) + at];
    }
  row(g, count, index, value, GLP_UP, 0.25 * d0 * d0);
}

static void set_pair(program *g, int at) {
  const wal_frontier_problem *p = g->p;
  for (int i = 0; i < 2; i++)
    for (int m = 0; m < 2; m++) {
      const double most = fmin(type_of(p, i, at)->x[m], p->b[m]);
      glp_set_col_bnds(g->lp, column(at, 2 * i + m), most > 0 ? GLP_DB : GLP_FX, 0, most);
    }
  glp_set_col_bnds(g->lp, column(at, SPREAD), pf_product(g, at) > 0 ? GLP_UP : GLP_FX, 0, 0);
  for (int i = 0; i < 2; i++) {
    glp_set_col_bnds(g->lp, column(at, GAIN + i), p->n[i] > 1 ? GLP_LO : GLP_FX, 0, 0);
    glp_set_obj_coef(g->lp, column(at, GAIN + i), 0.5 * pair_weight(p, at));
  }
  for (int m = 0; m < 2; m++) {
    const double wanted = type_of(p, 0, at)->x[m] + type_of(p, 1, at)->x[m];
    if (wanted <= p->b[m]) continue;
    const int index[3] = {0, column(at, m), column(at, 2 + m)};
    row(g, 2, index, (const double[3]){0, 1, 1}, GLP_UP, p->b[m]);
  }
}

/* The terms that kappa multiplies. */
static void set_kappa(program *g, double kappa) {
  const wal_frontier_problem *p = g->p;
  const double slope = (2 + p->least) / 4;
  double constant = 0;
  for (int at = 0; at < pairs(p); at++) {
    const double stake = kappa * pair_weight(p, at) * pf_product(g, at);
    if (!(stake > 0)) continue;
    constant += stake * p->least / 2;
    glp_set_obj_coef(g->lp, column(at, SPREAD), -stake);
    for (int i = 0; i < 2; i++)
      for (int m = 0; m < 2; m++)
        glp_set_obj_coef(g->lp, column(at, 2 * i + m),
                         -stake * slope * type_of(p, i, at)->v[m] / g->U[i * pairs(p) + at]);
  }
  glp_set_obj_coef(g->lp, 0, constant);
}

/* Adds the most violated lie of every agent and type, and the tangents that miss; how many. */
static int add_rows(program *g, const double *table, const double *gain, const double *spread) {
  const wal_frontier_problem *p = g->p;
  int added = 0;
  for (int at = 0; at < pairs(p); at++) {
    const int own[2] = {at / p->n[1], at % p->n[1]};
    for (int i = 0; i < 2; i++) {
      int lie;
      const double best = best_lie(p, table, i, own[i], own[1 - i], &lie);
      if (best > gain[2 * at + i] + tolerance) lie_row(g, i, own[i], own[1 - i], lie), added++;
    }
    if (!(pf_product(g, at) > 0)) continue;
    double share[2];
    shares(p, g->U, table, at, share);
    const double d = share[0] - share[1];
    if (spread[at] > -0.25 * d * d + tolerance) tangent_row(g, at, d), added++;
  }
  return added;
}

static void read_table(const program *g, double *table, double *gain, double *spread) {
  for (int at = 0; at < pairs(g->p); at++) {
    for (int k = 0; k < 4; k++) table[4 * at + k] = glp_get_col_prim(g->lp, column(at, ALLOCATION + k));
    for (int i = 0; i < 2; i++) gain[2 * at + i] = glp_get_col_prim(g->lp, column(at, GAIN + i));
    spread[at] = glp_get_col_prim(g->lp, column(at, SPREAD));
  }
}

static wal_status simplex(program *g, int method) {
  glp_smcp options;
  glp_init_smcp(&options);
  options.msg_lev = GLP_MSG_OFF;
  options.meth = method;
  const int failed = glp_simplex(g->lp, &options);
  if (failed || glp_get_status(g->lp) != GLP_OPT)
    return wal_fail(WAL_E_DIVERGED,
                    "the simplex method stopped with code %d, status %d, on a table of %d x %d types", failed,
                    glp_get_status(g->lp), g->p->n[0], g->p->n[1]);
  return WAL_OK;
}

/* Rounds of the simplex method until no lie is missing. */
static wal_status minimise(program *g, double kappa, double *work, wal_frontier_optimum *out, double *table) {
  double *gain = work, *spread = gain + 2 * pairs(g->p);
  set_kappa(g, kappa);
  wal_status status = simplex(g, GLP_PRIMAL);
  for (int k = 0; status == WAL_OK && k < ROUNDS; k++) {
    read_table(g, table, gain, spread);
    if (add_rows(g, table, gain, spread) == 0) break;
    status = simplex(g, GLP_DUALP);
  }
  if (status != WAL_OK) return status;
  read_table(g, table, gain, spread);
  wal_frontier_measure(g->p, g->U, table, kappa, out);
  out->bound = glp_get_obj_val(g->lp) / pairs(g->p);
  return WAL_OK;
}

wal_status wal_frontier_solve(const wal_frontier_problem *p, const double *kappa, int count,
                              wal_frontier_optimum *out, double *tables) {
  const size_t cells = (size_t)pairs(p);
  double *U = malloc((2 + 4 + 3) * cells * sizeof *U);
  if (!U) return wal_fail(WAL_E_MEMORY, "no memory for tables of %d x %d types", p->n[0], p->n[1]);
  double *table = U + 2 * cells, *work = table + 4 * cells;
  wal_status status = wal_frontier_pf(p, U, NULL);
  program g = {.p = p, .U = U, .lp = glp_create_prob()};
  glp_add_cols(g.lp, COLUMNS * pairs(p));
  for (int at = 0; at < pairs(p); at++) set_pair(&g, at);
  for (int k = 0; status == WAL_OK && k < count; k++)
    status = minimise(&g, kappa[k], work, &out[k], tables ? &tables[4 * cells * (size_t)k] : table);
  glp_delete_prob(g.lp);
  glp_free_env(); /* of this thread */
  free(U);
  return status;
}
