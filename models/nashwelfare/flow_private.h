/* Between the files of flow.h. */
#ifndef WAL_NASHWELFARE_FLOW_PRIVATE_H
#define WAL_NASHWELFARE_FLOW_PRIVATE_H

#include "models/nashwelfare/flow.h"
#include "models/nashwelfare/max_flow.h"

/* Programs measure amounts in this unit, near the largest supply: their tolerances are absolute. */
double wal_flow_unit(const wal_network *net, const double *x);

/* The auxiliary network relabelled (Remark 7.4): amounts are worth f_e pi_v, gains are 1. Two nodes more than
   the network: `net->nodes` for supplies to end in, `net->nodes + 1` for them to come from. */
typedef struct {
  wal_max_flow graph;
  int *arc;   /* [arcs] arc of the graph, -1: not tight; owned */
  int ends;   /* the node net->nodes */
  int begins; /* the node after it */
} wal_relabelled;
wal_status wal_relabel(const wal_network *net, const wal_fitting_pair *pair, wal_relabelled *out);
void wal_relabelled_destroy(wal_relabelled *relabelled); /* accepts zeroed */
/* The flows of the graph, put back into pair->f. */
void wal_relabelled_flow(const wal_network *net, const wal_relabelled *relabelled, wal_fitting_pair *pair);

#endif
