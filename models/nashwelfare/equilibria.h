/* Competitive equilibria of small markets whose utilities are networks (finding one is PPAD-hard already for
   SPLC). */
#ifndef WAL_NASHWELFARE_EQUILIBRIA_H
#define WAL_NASHWELFARE_EQUILIBRIA_H

#include <stdint.h>

#include "models/nashwelfare/verify.h"

typedef struct {
  int most;      /* stop at this many equilibria with different prices; 8 */
  int attempts;  /* searches from different starts; 16 */
  uint64_t seed; /* of the starts */
  double tol;    /* of the check that each passes; 1e-7 */
  double same;   /* prices closer than this, relative to sum_i b_i, are one equilibrium; 1e-5 */
} wal_equilibria_options;
wal_equilibria_options wal_equilibria_defaults(void);

typedef struct {
  double *x;            /* [n, m] owned, as the next */
  double *p;            /* [m] */
  double *u;            /* [n] */
  wal_ce_report report; /* it passed wal_ce_check and is thrifty */
} wal_equilibrium;

typedef struct {
  int count;
  wal_equilibrium *list; /* [count] owned, in order of p[0], then p[1], ... */
} wal_equilibria;
void wal_equilibria_destroy(wal_equilibria *equilibria); /* accepts NULL and zeroed */

/* options NULL: the defaults. Thrifty equilibria found; count 0: none found (there is one, Lemma 2.9).
   Deterministic. WAL_E_UNSUPPORTED: an agent's utility is not a network. */
wal_status wal_equilibria_find(const wal_nw_market *market, const wal_equilibria_options *options,
                               wal_equilibria *out);

/* Thrifty excess demand at prices p[m] >= 0, not all 0, a set: low[m], high[m] of sum_i x_ij - 1. INFINITY: a
   good of price 0, of which any amount may be taken, and demand without limit. */
wal_status wal_excess_demand(const wal_nw_market *market, const double *p, double *low, double *high);
/* The prices scale * direction at which all goods together cost what the agents spend on thrifty demand:
   every equilibrium with these relative prices has them, so that two goods leave one unknown. 0: there are
   none. */
wal_status wal_price_scale(const wal_nw_market *market, const double *direction, double *scale);

#endif
