/* Fitting pairs and Algorithms 1 and 2 by linear programs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/lp.h"
#include "models/nashwelfare/flow_private.h"

/* ---- Algorithms 1 and 2 ---- */

/* Both as changes of the pair: d_e of the tight arcs' flows, s_j >= 0 by which supplies fall (rises, for k),
   z of net(t). No change is feasible to the last bit, whatever the pair's own rounding: as programs in f'
   and x' they are infeasible by it. */
typedef struct {
  wal_lp *lp;
  int *arc;    /* [arcs] column of d_e, -1: fixed; owned */
  int *supply; /* [m] column of s_j, -1: fixed; owned */
} change_program;

static void change_destroy(change_program *program) {
  wal_lp_destroy(program->lp);
  free(program->arc);
  free(program->supply);
}

static wal_status change_create(const wal_network *net, change_program *out) {
  out->lp = wal_lp_create(true);
  out->arc = malloc(((size_t)net->arcs + 1) * sizeof *out->arc);
  out->supply = malloc((size_t)net->m * sizeof *out->supply);
  if (out->lp && out->arc && out->supply) return WAL_OK;
  return wal_fail(WAL_E_MEMORY, "no memory for a linear program of %d arcs", net->arcs);
}

/* Row v is node v: what arrives less what leaves. */
static void change_fill(const wal_network *net, const wal_fitting_pair *pair, int k,
                        change_program *program) {
  wal_lp *lp = program->lp;
  const double unit = wal_flow_unit(net, pair->x);
  for (int v = 0; v < net->nodes; v++) wal_lp_row(lp, 0, 0);
  for (int e = 0; e < net->arcs; e++) {
    program->arc[e] = -1;
    if (net->from[e] == net->to[e] || !wal_arc_state_of(net, pair, e).tight) continue;
    program->arc[e] =
        wal_lp_column(lp, -fmax(pair->f[e], 0) / unit, fmax(net->capacity[e] - pair->f[e], 0) / unit, 0);
    wal_lp_set(lp, net->to[e], program->arc[e], net->gain[e]);
    wal_lp_set(lp, net->from[e], program->arc[e], -1);
  }
  for (int j = 0; j < net->m; j++) {
    program->supply[j] = -1;
    if (!(pair->pi[j] > 0)) continue;
    program->supply[j] = wal_lp_column(lp, 0, j == k ? INFINITY : pair->x[j] / unit, j == k ? 1 : 0);
    wal_lp_set(lp, j, program->supply[j], j == k ? 1 : -1);
  }
  const int z = wal_lp_column(lp, k < 0 ? -INFINITY : 0, INFINITY, k < 0 ? -1 : 0);
  wal_lp_set(lp, net->sink, z, -1);
}

static void change_apply(const wal_network *net, int k, const change_program *program,
                         wal_fitting_pair *pair) {
  const double unit = wal_flow_unit(net, pair->x);
  for (int e = 0; e < net->arcs; e++)
    if (program->arc[e] >= 0)
      pair->f[e] =
          fmin(fmax(pair->f[e] + unit * wal_lp_value(program->lp, program->arc[e]), 0), net->capacity[e]);
  for (int j = 0; j < net->m; j++) {
    if (program->supply[j] < 0) continue;
    const double change = unit * wal_lp_value(program->lp, program->supply[j]);
    pair->x[j] = j == k ? pair->x[j] + change : fmin(fmax(pair->x[j] - change, 0), pair->x[j]);
  }
}

static wal_status change(const wal_network *net, int k, wal_fitting_pair *pair, bool *unlimited) {
  change_program program = {0};
  wal_lp_outcome outcome = WAL_LP_INFEASIBLE;
  wal_status status = change_create(net, &program);
  if (status == WAL_OK) {
    change_fill(net, pair, k, &program);
    status = wal_lp_solve(program.lp, &outcome);
  }
  *unlimited = status == WAL_OK && outcome == WAL_LP_UNBOUNDED;
  if (status == WAL_OK && outcome == WAL_LP_OPTIMAL)
    change_apply(net, k, &program, pair);
  else if (status == WAL_OK && !*unlimited)
    status = wal_fail(WAL_E_DIVERGED, "no change of a flow on %d arcs is not feasible", net->arcs);
  change_destroy(&program);
  return status;
}

wal_status wal_pullback_flow(const wal_network *net, wal_fitting_pair *pair) {
  bool unlimited;
  const wal_status status = change(net, -1, pair, &unlimited);
  if (status == WAL_OK && unlimited)
    return wal_fail(WAL_E_DIVERGED, "a flow on %d arcs could be pulled back without limit", net->arcs);
  return status;
}

wal_status wal_reroute_flow(const wal_network *net, int k, wal_fitting_pair *pair, bool *unlimited) {
  return change(net, k, pair, unlimited);
}
