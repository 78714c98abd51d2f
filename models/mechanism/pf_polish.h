/* From an interior point's answer to the solution itself: which amounts are at their bounds is read off, and
   the others follow from equations on a forest. Private to models/mechanism.

   With y_i = w_i / u_i the conditions on amounts strictly between their bounds are linear, y_i v_im -
   lambda_m = z_im. In the graph of agents, resources and these amounts they leave each connected component at
   most one free number, and that follows from one monotone equation. */
#ifndef WAL_MECHANISM_PF_POLISH_H
#define WAL_MECHANISM_PF_POLISH_H

#include "models/mechanism/pf.h"

typedef struct wal_pf_polish wal_pf_polish; /* room for instances of one shape; one per thread */
wal_status wal_pf_polish_create(int n, int m, wal_pf_polish **out);
void wal_pf_polish_destroy(wal_pf_polish *room); /* accepts NULL */

/* Improves the point of instance k: a, mu, nu [n, m], lambda [m] are that instance's own (in and out); u
   [n] is written where it is not NULL. Returns the largest residual as wal_pf_kkt has it, of the better one
   of the two points; the other is dropped. z: the instance's own [n, m], or NULL. */
double wal_pf_polish_instance(wal_pf_polish *room, const wal_instances *in, int64_t k, const double *z,
                              const wal_pf_solution *point);

#endif
