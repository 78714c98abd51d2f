/* Derivatives of a proportionally fair allocation through the last matrix of the interior point. Private to
   pf.c. */
#ifndef WAL_MECHANISM_PF_ADJOINT_H
#define WAL_MECHANISM_PF_ADJOINT_H

#include "models/mechanism/pf_reduce.h"

/* da of the look's instance into its lane of the group's dmu, which was cleared. */
void wal_pf_adjoint_pack(const wal_instances *in, const double *da, const wal_pf_look *look,
                         wal_pf_group *group, int lane);
/* The gradients of the look's instance, whose solution is `point`, after wal_pf_group_pull; group NULL:
   nothing was left to decide. */
void wal_pf_adjoint_unpack(const wal_instances *in, const double *z, const double *da,
                           const wal_pf_look *look, const wal_pf_group *group, int lane,
                           const wal_pf_solution *point, const wal_pf_gradient *out);

#endif
