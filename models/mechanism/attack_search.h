/* What the methods of wal_attack share. Private to models/mechanism. */
#ifndef WAL_MECHANISM_ATTACK_SEARCH_H
#define WAL_MECHANISM_ATTACK_SEARCH_H

#include <stdatomic.h>

#include "models/mechanism/attack.h"

/* Reports that did well before, at which "candidates" begins: each is tried, and `around` reports near it. */
typedef struct {
  const double *v, *x; /* [K, N, M] */
  int around;
} wal_attack_known;
/* wal_attack; known may be NULL. */
wal_status wal_attack_from(wal_mechanism *f, const wal_instances *in, const wal_attack_options *options,
                           const wal_attack_known *known, const wal_attack_result *out);

/* One call of wal_attack. */
typedef struct {
  wal_mechanism *f;
  const wal_instances *in;
  const wal_attack_options *options;
  const wal_attack_known *known; /* NULL: none */
  double *truth;                 /* [K, N] utilities when all are truthful */
  int64_t *pairs;                /* [pair_count] k N + i of the agents that might gain */
  int64_t pair_count;
  double *gain;          /* [K, N] best so far */
  double *v, *x;         /* [K, N, M] the reports behind it; NULL: not wanted */
  atomic_llong computed; /* allocations */
} wal_search;

/* Takes the report v, x [M] for agent `pair` if its utility u is the best so far. */
void wal_search_offer(wal_search *s, int64_t pair, double u, const double *v, const double *x);

/* Room for `room` reports, each of one agent among truthful others. */
typedef struct {
  wal_search *search;
  int64_t room;
  wal_instances in;  /* over v, x, b, w: of the reports put so far */
  int64_t *pair;     /* [room] whose report it is */
  double *v, *x, *a; /* [room, N, M] */
  double *b, *w;     /* [room, M], [room, N]; w NULL: all 1 */
  double *u;         /* [room] what it is worth to its agent */
} wal_trials;
wal_status wal_trials_create(wal_search *search, int64_t room, wal_trials *out);
void wal_trials_destroy(wal_trials *trials); /* accepts a zeroed struct */
void wal_trials_clear(wal_trials *trials);
bool wal_trials_full(const wal_trials *trials);
/* Adds agent `pair` reporting v, x [M]; there is room. */
void wal_trials_put(wal_trials *trials, int64_t pair, const double *v, const double *x);
/* Row of the agent of report t in v, x, a. */
int64_t wal_trials_row(const wal_trials *trials, int64_t t);
/* Allocates: u of all reports put, by the truth; expected utility under a mechanism that draws lots. */
wal_status wal_trials_run(wal_trials *trials);

/* A search among listed reports, then around the best of them: candidates, strong, grid. */
wal_status wal_search_listed(wal_search *s);
/* Projected subgradient ascent. */
wal_status wal_search_ascent(wal_search *s);

/* How many reports the grid has, and all of them into v, x [that many, M] (2 x 2). */
int64_t wal_attack_grid_count(const wal_attack_options *options);
void wal_attack_grid(const wal_instances *in, int64_t k, int i, const wal_attack_options *options, double *v,
                     double *x);

/* The content of an instance as a number: what its reports are drawn by. */
uint64_t wal_attack_digest(const wal_instances *in, int64_t k);

/* A demand moved into {0} and [low, high]. */
double wal_attack_demand(const wal_attack_options *options, double x);
double wal_attack_value(const wal_attack_options *options, double v);

#endif
