/* Total variation distance between laws of random instances (rpfnet, Theorem 3), in closed form. */
#ifndef WAL_MECHANISM_LAW_DISTANCE_H
#define WAL_MECHANISM_LAW_DISTANCE_H

#include "models/mechanism/instances.h"

/* d_TV of two laws of kind uniform and one shape, budget and seed aside, where the interval of one lies
   within that of the other; each may have its own probability that a demand is not 0. WAL_E_UNSUPPORTED
   otherwise.

   With e = N M entries, k of them demanded, and q the ratio of the intervals' lengths, the narrow law has
   mass C(e, k) p'^k (1 - p')^(e - k) on instances within its interval and the wide one C(e, k) (p q)^k (1 -
   p)^(e - k) q^e; both are uniform there. d_TV sums what the narrow law has more. */
wal_status wal_law_distance(const wal_law *a, const wal_law *b, double *distance);

#endif
