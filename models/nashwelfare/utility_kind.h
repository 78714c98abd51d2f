/* What the kinds of utilities share. Private to models/nashwelfare/utility*.c. */
#ifndef WAL_NASHWELFARE_UTILITY_KIND_H
#define WAL_NASHWELFARE_UTILITY_KIND_H

#include "models/nashwelfare/utility.h"

/* Columns are filled in order: put every entry of column c, then end it. */
void wal_sparse_put(wal_sparse *s, int row, double value);
void wal_sparse_end(wal_sparse *s, int column);

/* r = 0, h = INFINITY, c = 0; a and b with room for so many entries, ready to be filled. */
wal_status wal_utility_lp_create(int rows, int columns, int m, int a_entries, int b_entries,
                                 wal_utility_lp *out);

/* The program solved at x[m]: its value (INFINITY: none), and one supergradient g[m] where g is not NULL.
   x NULL: over all x >= 0, that is sup u. */
wal_status wal_utility_lp_solve(const wal_utility_lp *lp, int m, const double *x, double *value, double *g);

wal_status wal_network_create(int m, int nodes, int sink, int arcs, wal_network *out);
void wal_network_arc(wal_network *net, int arc, int from, int to, double gain, double capacity);
wal_status wal_network_copy(const wal_network *net, wal_network *out);

/* The end of every constructor: makes u->lp where the kind has one. On failure u is destroyed. */
wal_status wal_utility_finish(wal_utility *u, wal_utility **out);

wal_status wal_utility_goods_check(int m);
/* values[m] finite and >= 0, or also INFINITY; `what` and the good name the place. */
wal_status wal_utility_amounts_check(int m, const double *values, const char *what, bool infinite);
wal_status wal_utility_no_memory(int m);
/* The refusal of an agent with no use for anything. */
wal_status wal_utility_useless(const char *works);

#endif
