/* Random utilities of every kind, and their values by linear programs written down anew. */
#ifndef WAL_TESTS_UTILITY_FIXTURE_H
#define WAL_TESTS_UTILITY_FIXTURE_H

#include <math.h>

#include "models/common/lp.h"
#include "models/common/rng.h"
#include "models/nashwelfare/utility.h"
#include "tests/suite.h"

/* Draw k of (0, 1). */
static inline double test_uniform(uint64_t k) { return wal_rng_uniform(77, WAL_STREAM_TEST, k); }

static inline void test_point(uint64_t k, int m, double most, double *x) {
  for (int j = 0; j < m; j++) x[j] = most * test_uniform(1000000 + k * 64 + (uint64_t)j);
}

/* What the tests' networks are made of. */
typedef struct {
  int from, to;
  double gain, capacity;
} test_arc;

static inline wal_status test_network(int m, int nodes, int sink, int count, const test_arc *arcs,
                                      wal_utility **out) {
  int from[64], to[64];
  double gain[64], capacity[64];
  for (int e = 0; e < count; e++) {
    from[e] = arcs[e].from;
    to[e] = arcs[e].to;
    gain[e] = arcs[e].gain;
    capacity[e] = arcs[e].capacity;
  }
  const wal_network net = {.m = m,
                           .nodes = nodes,
                           .sink = sink,
                           .arcs = count,
                           .from = from,
                           .to = to,
                           .gain = gain,
                           .capacity = capacity};
  return wal_utility_generalized_network(&net, out);
}

static inline double test_optimum(wal_lp *lp) {
  wal_lp_outcome outcome;
  ck_assert_int_eq(wal_lp_solve(lp, &outcome), WAL_OK);
  ck_assert_int_eq(outcome, WAL_LP_OPTIMAL);
  const double most = wal_lp_objective(lp);
  wal_lp_destroy(lp);
  return most;
}

/* u->lp at x. */
static inline double test_lp_value(const wal_utility *u, const double *x) {
  const wal_utility_lp *p = u->lp;
  wal_lp *lp = wal_lp_create(true);
  double bound[256];
  ck_assert_int_le(p->a.rows, 256);
  for (int row = 0; row < p->a.rows; row++) {
    ck_assert_double_ge(p->r[row], 0);
    bound[row] = p->r[row];
  }
  for (int j = 0; j < u->m; j++)
    for (int e = p->b.start[j]; e < p->b.start[j + 1]; e++) bound[p->b.row[e]] += p->b.value[e] * x[j];
  for (int row = 0; row < p->a.rows; row++) wal_lp_row(lp, -INFINITY, bound[row]);
  for (int z = 0; z < p->a.columns; z++) {
    ck_assert_double_gt(p->h[z], 0);
    wal_lp_column(lp, 0, p->h[z], p->c[z]);
    for (int e = p->a.start[z]; e < p->a.start[z + 1]; e++) wal_lp_set(lp, p->a.row[e], z, p->a.value[e]);
  }
  return test_optimum(lp);
}

/* GenflowLP(x) with every arc and every node. */
static inline double test_flow_value(const wal_network *net, const double *x) {
  wal_lp *lp = wal_lp_create(true);
  for (int v = 0; v < net->nodes; v++)
    wal_lp_row(lp, v == net->sink ? -INFINITY : v < net->m ? -x[v] : 0, INFINITY);
  for (int e = 0; e < net->arcs; e++) {
    const bool loop = net->from[e] == net->to[e];
    wal_lp_column(lp, 0, net->capacity[e],
                  (net->to[e] == net->sink) * net->gain[e] - (net->from[e] == net->sink));
    wal_lp_set(lp, net->to[e], e, net->gain[e] - loop);
    if (!loop) wal_lp_set(lp, net->from[e], e, -1);
  }
  return test_optimum(lp);
}

#endif
