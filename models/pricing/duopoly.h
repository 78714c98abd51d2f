/* Competitive duopoly pricing (Definition 5): sellers report prices per value a_i and b_i for each buyer;
   trade is settled at the larger of the two, in the order of the smaller. Example 2 and Appendix D.5. */
#ifndef WAL_PRICING_DUOPOLY_H
#define WAL_PRICING_DUOPOLY_H

#include <stdint.h>

#include "models/pricing/market.h"

typedef struct {
  int n, m;
  double *budget, *value; /* [n], [n, m] owned */
  int *owner;             /* [m] 0 or 1, owned */
} wal_duopoly;
wal_status wal_duopoly_create(int n, int m, wal_duopoly *out); /* zeros */
void wal_duopoly_destroy(wal_duopoly *duopoly);                /* accepts NULL and zeroed */
/* Example 2: two buyers of budget 2, seller 0 owns t of item j1 and s of j2 (Table 2); s, t on [0, 1]. */
wal_status wal_duopoly_example2(double s, double t, wal_duopoly *out);

/* The market at (a, b), a[n], b[n], with natural priorities (prices within 1e-12 of each other tie).
   Preferences are not by what is paid: values are stand-ins, of which price per value is 1 for the better
   seller's items and 2 for the other's, so that cells and stability checks see Definition 5. */
wal_status wal_duopoly_market(const wal_duopoly *duopoly, const double *a, const double *b,
                              wal_pricing_market *out);

/* Least and most revenue of both sellers over stable allocations at (a, b). Two buyers and at most 16 items:
   fast, by polygons; else by cells. */
typedef struct {
  double low[2], high[2];
} wal_duopoly_outcome;
wal_status wal_duopoly_trade(const wal_duopoly *duopoly, const double *a, const double *b,
                             wal_duopoly_outcome *out);

/* The best response found of a seller (0: chooses a; 1: b) of two buyers, to its guaranteed and to its
   hoped-for revenue: a lower bound of the best. For each buyer: below the other, equal to it, above it (a
   geometric grid to 200 times it, and where priorities change), then pattern searches. */
typedef struct {
  double guaranteed, hoped;             /* the most of low, of high */
  double guaranteed_at[2], hoped_at[2]; /* where */
  int64_t tried;
} wal_duopoly_response;
wal_status wal_duopoly_best_response(const wal_duopoly *duopoly, const double *a, const double *b, int seller,
                                     wal_duopoly_response *out);

/* Profiles of D.5 at (s, t), s < 2: as printed, with the two formulas exchanged, and exchanged with idle
   levels a_1 = b_2 = c instead of 1. */
typedef enum { WAL_D5_PRINTED, WAL_D5_EXCHANGED, WAL_D5_REPAIRED } wal_d5_profile;
void wal_duopoly_d5(wal_d5_profile kind, double s, double t, double c, double a[2], double b[2]);
/* The market of D.5 at s = 5/6, t = 1/6 in rationals: on the path (seller 0 earns 2), and where it deviates
   to a = (1, 1/2) (43/21): the hypothesis is false. */
wal_status wal_duopoly_d5_witness(bool deviates, wal_pricing_market *out);

#endif
