/* The seam `utility`: one agent's concave utility function over m goods (section 2.1): u(0) = 0, concave,
   monotone, somewhere positive. Members: linear, bounded linear, SPLC, Leontief, Leontief-free, generalised
   network, piecewise-linear concave, and the concave quadratic of section 8. */
#ifndef WAL_NASHWELFARE_UTILITY_H
#define WAL_NASHWELFARE_UTILITY_H

#include <stdbool.h>

#include "models/common/status.h"

/* A sparse matrix by columns: entries of column c are [start[c], start[c + 1]). */
typedef struct {
  int rows, columns;
  int *start;    /* [columns + 1] owned, as the next */
  int *row;      /* [start[columns]] */
  double *value; /* [start[columns]] */
} wal_sparse;

/* A piecewise-linear utility as a linear program (Lemma 7.1, eq. 9, with bounds on z):
   u(x) = max <c, z> : A z <= B x + r, 0 <= z <= h. r >= 0, so that z = 0 serves at x = 0. */
typedef struct {
  wal_sparse a; /* [rows, columns] */
  wal_sparse b; /* [rows, m] >= 0 */
  double *r;    /* [rows] >= 0, finite */
  double *h;    /* [columns] > 0; INFINITY: none */
  double *c;    /* [columns] */
} wal_utility_lp;
void wal_utility_lp_destroy(wal_utility_lp *lp); /* accepts NULL and zeroed */

/* A generalised flow instance (section 2.1): supply at the nodes 0..m-1 (the goods), u(x) the most that
   reaches the sink. f_e is what enters arc e, gain_e f_e what arrives. */
typedef struct {
  int m, nodes, sink, arcs;
  int *from, *to;   /* [arcs] owned, as the next; nodes 0..nodes-1 */
  double *gain;     /* [arcs] > 0 */
  double *capacity; /* [arcs] >= 0; INFINITY: none */
} wal_network;
void wal_network_destroy(wal_network *network); /* accepts NULL and zeroed */

typedef struct wal_utility wal_utility;
typedef struct {
  const char *name; /* "splc": as in files */
  /* u(x), x[m] >= 0. */
  double (*value)(const wal_utility *u, const double *x);
  /* One supergradient (Definition 2.1) at x into g[m]. */
  wal_status (*supergradient)(const wal_utility *u, const double *x, double *g);
  /* The program above, newly made. NULL: not piecewise linear. */
  wal_status (*lp)(const wal_utility *u, wal_utility_lp *out);
  /* The network, newly made. NULL: this kind is not one. */
  wal_status (*network)(const wal_utility *u, wal_network *out);
  void (*destroy)(wal_utility *u);
} wal_utility_ops;
struct wal_utility {
  const wal_utility_ops *ops;
  int m;
  double satiation;         /* sup u: INFINITY for a non-satiable one (Definition 2.3) */
  const wal_utility_lp *lp; /* made once at creation, owned; NULL: not piecewise linear */
};

double wal_utility_value(const wal_utility *u, const double *x);
wal_status wal_utility_supergradient(const wal_utility *u, const double *x, double *g);
bool wal_utility_is_network(const wal_utility *u);
wal_status wal_utility_network(const wal_utility *u, wal_network *out);
void wal_utility_destroy(wal_utility *u); /* accepts NULL */

/* ---- members; arrays are copied. WAL_E_INPUT names good, segment or arc, and a value that works; an agent
   that has no use for anything is refused ---- */

/* One segment of a separable utility: slope over a length (INFINITY for the last). */
typedef struct {
  double slope, length;
} wal_segment;

/* sum_j v_j x_j; v[m] >= 0. */
wal_status wal_utility_linear(int m, const double *v, wal_utility **out);
/* sum_j min{v_j x_j, l_j}; l[m] >= 0, INFINITY: none. */
wal_status wal_utility_bounded_linear(int m, const double *v, const double *l, wal_utility **out);
/* sum_j v_j(x_j), v_j with segments [start[j], start[j + 1]), slopes falling (>= 0). */
wal_status wal_utility_splc(int m, const int *start, const wal_segment *segments, wal_utility **out);
/* min_j x_j / a_j over goods with a_j > 0. */
wal_status wal_utility_leontief(int m, const double *a, wal_utility **out);
/* max sum_jk a_jk x_jk : sum_k x_jk <= x_j, sum_j a_jk x_jk <= l_k; a[m, segments], l[segments]. */
wal_status wal_utility_leontief_free(int m, int segments, const double *a, const double *l,
                                     wal_utility **out);
/* Copies the network. Refused: a sink that no good reaches, a cycle that makes flow without limit, arcs from
   or to nodes that are not there, negative capacities, gains that are not positive. */
wal_status wal_utility_generalized_network(const wal_network *network, wal_utility **out);
/* min_k constant_k + <slope_k, x>; slope[pieces, m] >= 0, constant[pieces] >= 0, the smallest 0. */
wal_status wal_utility_plc(int m, int pieces, const double *slope, const double *constant, wal_utility **out);
/* <c, x> - x'Qx/2 where it rises; Q[m, m] symmetric, positive semidefinite. Satiated where the gradient is 0;
   monotone as max over y <= x. No lp. */
wal_status wal_utility_quadratic(int m, const double *c, const double *q, wal_utility **out);

/* ---- a Fisher market with concave utilities, one unit of every good ---- */

typedef struct {
  int n, m;
  double *budget;        /* [n] > 0, owned */
  wal_utility **utility; /* [n] owned */
} wal_nw_market;

/* n agents without utilities yet and budgets of 1. */
wal_status wal_nw_market_create(int n, int m, wal_nw_market *out);
void wal_nw_market_destroy(wal_nw_market *market); /* accepts NULL and zeroed */
/* Sizes, budgets, and that each utility is there and over m goods; the message names the agent. */
wal_status wal_nw_market_check(const wal_nw_market *market);
/* log of Nash welfare (Definition 2.13): sum_i b_i log u_i / sum_i b_i. */
double wal_nw_log_welfare(const wal_nw_market *market, const double *u);

#endif
