/* What is left to decide of an instance, and its place in a lane of the interior point. Private to pf.c and
   pf_adjoint.c. */
#ifndef WAL_MECHANISM_PF_REDUCE_H
#define WAL_MECHANISM_PF_REDUCE_H

#include "models/mechanism/pf.h"
#include "models/mechanism/pf_entries.h"
#include "models/mechanism/pf_interior.h"

/* One instance, looked at. Units are powers of 2, so that scaling rounds nothing: resource m in units of
   supply[m], agent i's utility in units of scale[i], weights in units of `weight`. */
typedef struct {
  int64_t k;                        /* the instance */
  int agents, resources;            /* with an entry that is left */
  int *agent, *resource;            /* [n], [m] which they are */
  unsigned char *state;             /* [n, m] wal_pf_state */
  double *whole, *scale;            /* [n] v . x over open entries, the power of 2 below */
  double *demand, *supply, *budget; /* [m] sum of open x, the unit, b (a larger one where demand fits) */
  double weight;
} wal_pf_look;

wal_status wal_pf_look_create(int n, int m, wal_pf_look *look);
void wal_pf_look_destroy(wal_pf_look *look); /* accepts a zeroed struct */

/* z: the batch's, or NULL. */
void wal_pf_look_at(const wal_instances *in, const double *z, int64_t k, wal_pf_look *look);
/* Into lane `lane` of a group that is large enough: what wal_pf_group_start needs. */
void wal_pf_look_pack(const wal_instances *in, const double *z, const wal_pf_look *look, wal_pf_group *group,
                      int lane);
/* The allocation and prices of the instance out of its lane (group NULL: nothing was left to decide). */
void wal_pf_look_unpack(const wal_instances *in, const wal_pf_look *look, const wal_pf_group *group, int lane,
                        double *a /* [n, m] */, double *lambda /* [m] */);
/* Puts a polished point into the lane, for wal_pf_group_factor: amounts at a bound cannot move, the others
   are as good as free. */
void wal_pf_look_repack(const wal_instances *in, const wal_pf_look *look, const wal_pf_solution *point,
                        wal_pf_group *group, int lane);

#endif
