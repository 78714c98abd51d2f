/* Demand of separable utilities in closed form: segments in order of utility per money. Private to the room.
 */
#ifndef WAL_NASHWELFARE_DEMAND_SEPARABLE_H
#define WAL_NASHWELFARE_DEMAND_SEPARABLE_H

#include "models/nashwelfare/demand.h"

/* u(x) = sum_k slope_k min{length_k, what good_k's segments before k leave of x}; slope > 0. */
typedef struct {
  int count;
  struct wal_piece {
    int good;
    double slope, length;
    double rate; /* utility per money, INFINITY at a price of 0 */
  } * list;      /* [count] owned */
} wal_pieces;
typedef struct wal_piece wal_piece;

/* The segments of a program that falls apart into goods; count -1: it does not. */
wal_status wal_pieces_of(const wal_utility_lp *form, wal_pieces *out);
void wal_pieces_destroy(wal_pieces *pieces); /* accepts zeroed */
/* Sorts them by utility per money at prices p[m]. */
void wal_pieces_sort(wal_pieces *pieces, const double *p);

/* How far the segments are bought, best first: until the money `limit` is spent; until utility `limit`;
   while a segment's rate times `limit` is more than the utility (Gale demand with that budget). */
typedef enum { WAL_UNTIL_MONEY, WAL_UNTIL_UTILITY, WAL_UNTIL_GALE } wal_pieces_until;
wal_demand_set wal_pieces_buy(const wal_pieces *pieces, wal_pieces_until until, double limit);

#endif
