/* The money flows of a market whose agents are networks, as a linear complementarity problem. Private to this
   folder.

   With potentials P (a good's price, an inner node's worth, an agent's price of utility at its sink), money
   F_e = f_e P(v) into arc e = (v, w) with gain g and capacity h, and rent B_e of a full arc, thrifty demand
   of all agents at prices where goods are sold out is (each row with what it is complementary to)
     good j      P_j >= sum of F_e out of j                                    with P_j >= 0
     inner v     sum over arcs into v of F_e + h_e B_e >= sum out of v of F_e  with P_v >= 0
     sink of i   sum out of goods of F_e + v_i S_i >= b_i                      with P_t >= 0
     arc         P_v - g P_w + B_e >= 0                                        with F_e >= 0
     capacity    h_e P_v - F_e >= 0                                            with B_e >= 0
     satiation   v_i P_t - sum into t of F_e + h_e B_e >= 0                    with S_i >= 0
   where v_i is the agent's utility where it is satiated, S_i v_i the money that it keeps. A node of worth 0
   would let capacity make money of nothing. So potentials are kept above a floor t c(v) and budgets lowered
   by t a_i, and t goes to 0: what a good of price 0 sells is the limit of F / P. */
#ifndef WAL_NASHWELFARE_MONEY_H
#define WAL_NASHWELFARE_MONEY_H

#include "models/nashwelfare/lemke.h"
#include "models/nashwelfare/utility.h"

typedef struct {
  int agent, from, to; /* potentials: 0..m-1 are the goods */
  double gain, capacity;
} wal_money_arc;

typedef struct {
  const wal_nw_market *market; /* borrowed */
  int potentials, arcs, capped, satiable;
  wal_money_arc *arc; /* [arcs] owned, as the next; out of a good, or between nodes of one agent */
  int *sink;          /* [n] potential of the agent's sink */
  int *owner;         /* [potentials] agent; -1: a good */
  double *reach;      /* [potentials] of an agent's node: most utility per unit there; a good: 0 */
  double *level;      /* [potentials] c of the last covering vector */
  double *satiation;  /* [n] */
  wal_lcp lcp;
} wal_money;

/* WAL_E_UNSUPPORTED: an agent without a network. */
wal_status wal_money_create(const wal_nw_market *market, wal_money *out);
void wal_money_destroy(wal_money *money); /* accepts NULL and zeroed */

/* The covering vector of floors floor[j] > 0 of the goods, share[i] in (0, 1) of the most that is right for
   the agents' nodes, and ebb[i] = a_i > 0; d[lcp.n]. The floors are kept for wal_money_read. */
void wal_money_cover(wal_money *money, const double *floor, const double *share, const double *ebb,
                     double *d);
/* How ties are broken (lemke.h), order[lcp.n]: capacities and goods, the one with the smallest of
   key[capped + m] first, then the rest, satiation last. So of capacity and satiation reached at once it is
   satiation that counts, and rents stay finite. Capacities before goods: where a good just suffices it has
   a price. Goods before capacities: it is free. */
void wal_money_order(const wal_money *money, const double *key, int *order);
/* Prices p[m] and allocation x[n, m] at the end of a path of the last covering vector. */
void wal_money_read(const wal_money *money, const wal_lemke_end *end, double *p, double *x);

#endif
