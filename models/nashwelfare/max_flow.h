/* Maximum flow with capacities in doubles (Dinic: Soviet Math. Dokl. 11, 1970). An arc that is filled has
   room exactly 0, so the number of steps does not depend on rounding. */
#ifndef WAL_NASHWELFARE_MAX_FLOW_H
#define WAL_NASHWELFARE_MAX_FLOW_H

#include "models/common/status.h"

/* Arc a is the pair of half-arcs 2a (there) and 2a + 1 (back). */
typedef struct {
  int nodes, arcs, space;
  int *head;    /* [nodes] a node's first half-arc, -1: none; owned, as the next */
  int *next;    /* [2 space] the next half-arc from the same node, -1: none */
  int *to;      /* [2 space] */
  double *room; /* [2 space] what can still be sent; INFINITY: no limit */
  int *level;   /* [nodes] of the search, as the next two */
  int *current; /* [nodes] */
  int *queue;   /* [nodes] */
} wal_max_flow;

/* No arcs yet, place for `space` of them. */
wal_status wal_max_flow_create(int nodes, int space, wal_max_flow *out);
void wal_max_flow_destroy(wal_max_flow *graph); /* accepts zeroed */
/* A new arc; returns its index a. there, back >= 0: room in the two directions. */
int wal_max_flow_add(wal_max_flow *graph, int from, int to, double there, double back);
/* Sends as much as goes from one node to another and returns how much. INFINITY: there is no limit, and
   nothing was sent. */
double wal_max_flow_run(wal_max_flow *graph, int from, int to);

#endif
