/* Linear complementarity: z >= 0, w = q + M z >= 0, w'z = 0, by Lemke's complementary pivoting along
   w = q + M z + t d, from a large t down to 0. Private to this folder. */
#ifndef WAL_NASHWELFARE_LEMKE_H
#define WAL_NASHWELFARE_LEMKE_H

#include <stdbool.h>

#include "models/common/status.h"

typedef struct {
  int n;
  double *m, *q; /* [n, n], [n], owned */
} wal_lcp;
wal_status wal_lcp_create(int n, wal_lcp *out); /* zeros */
void wal_lcp_destroy(wal_lcp *lcp);             /* accepts NULL and zeroed */

typedef enum {
  WAL_LEMKE_SOLVED, /* t came to 0 */
  WAL_LEMKE_RAY,    /* t, or z at a t > 0, grows without limit */
  WAL_LEMKE_LOST,   /* the limit of pivots, or numbers too bad to go on */
} wal_lemke_outcome;

/* Where a path ended: z(t) = z + t slope for all small t >= 0. */
typedef struct {
  bool *basic;       /* [n] z_k is basic, w_k is 0; owned, as the next */
  double *z, *slope; /* [n] */
  int index;         /* +1 or -1, the sign of the basis; they sum to 1 where every equilibrium is regular */
  int pivots;
} wal_lemke_end;
wal_status wal_lemke_end_create(int n, wal_lemke_end *out);
void wal_lemke_end_destroy(wal_lemke_end *end); /* accepts NULL and zeroed */

typedef struct wal_lemke wal_lemke;
wal_lemke *wal_lemke_create(const wal_lcp *lcp); /* NULL: no memory. Borrows lcp */
void wal_lemke_destroy(wal_lemke *lemke);        /* accepts NULL */

/* Follows the path of d[n], d_k > 0 where q_k < 0, from its ray where z = 0 (start NULL), or from a solution:
   start[n] as `basic` above, leaving t = 0. A path that leaves a solution ends in another one or in the ray
   that it would have come from. Ties are broken as if every row had a little more slack, row order[0] the
   most and order[n - 1] the least, each next one vanishingly less. */
wal_lemke_outcome wal_lemke_follow(wal_lemke *lemke, const double *d, const int *order, const bool *start,
                                   int pivots, wal_lemke_end *end);

#endif
