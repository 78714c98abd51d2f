/* Exploitability (rpfnet, Definition 3): what an agent gains at most by misreporting, found by search. Every
   figure is a lower bound; the methods differ in effort. Values only: no gradient is needed but for "ascent".
 */
#ifndef WAL_MECHANISM_ATTACK_H
#define WAL_MECHANISM_ATTACK_H

#include "models/mechanism/mechanism.h"

typedef enum { WAL_LIE_VALUES = 1, WAL_LIE_DEMANDS = 2, WAL_LIE_BOTH = 3 } wal_lie;

typedef struct {
  /* ascent: projected (sub)gradient ascent from `starts` points, the first the truth (the paper's has one);
     candidates: `candidates` reports per agent, structured (ratios of the others, cliffs beside them, extreme
     and stratified ratios, changed demands), the same for every mechanism; strong: candidates, then a local
     search from the best ones; grid: every report on a grid of `grid` points per free number (2 x 2 only):
     the exhaustive reference.
     At 2 x 2 strong finds all that grid does under PF, where the best lie is beside a cliff; on contested
     instances under a monotone network of 600 steps 0.98 of the most that any method found (with three rounds
     of the local search instead of twelve 0.966 +- 0.011, candidates alone 0.77, grid 0.99). */
  char method[16];
  wal_lie lie;
  int candidates;
  int starts, steps; /* of the ascent */
  double rate;       /* of the ascent: constant */
  int grid;
  int refine; /* strong, grid: rounds of the local search */
  /* Reports lie in [low, high] = [0.1, 1], a demand may also be 0: the support of the paper's law, so that
     every report could be somebody's truth. Values from 0.01 raise what PF loses at 2 x 2 by 14 %, from 0.001
     by 15 %: most of it is a smaller claim for what is not scarce. */
  double low, high;
  uint64_t seed; /* of where the even candidates begin and of the starts, with the instance's content */
} wal_attack_options;
wal_attack_options wal_attack_defaults(const char *method);
/* Can instances of n agents and m resources be attacked so? wal_attack asks it first; ask before long work.
 */
wal_status wal_attack_check(const wal_attack_options *options, int n, int m);

/* Where results go; each may be NULL. Caller-owned. */
typedef struct {
  double *gain;  /* [K, N] u_i(best misreport) - u_i(truth) >= 0, others truthful, with the true demand */
  double *v, *x; /* [K, N, M] the report of each agent behind it; the truth where nothing gains */
  int64_t *evaluations; /* one number: allocations computed */
  int64_t *searched;    /* one number: agents that the truth leaves something to gain */
} wal_attack_result;

wal_status wal_attack(wal_mechanism *f, const wal_instances *in, const wal_attack_options *options,
                      const wal_attack_result *out);

/* The reports of `candidates` for agent i of instance k into v, x [candidates, M]: what training uses too.
   The truth is not among them. */
wal_status wal_attack_candidates(const wal_instances *in, int64_t k, int i, const wal_attack_options *options,
                                 double *v, double *x);

/* expl(f) = (1/N) sum_i gain_i of each instance into expl [K] (section 6). */
void wal_exploitability(const wal_instances *in, const double *gain, double *expl);
/* Whether a mean of expl is more than what the solver's tolerance leaves, so that others may be measured by
   it. Utilities under the laws are of order 1. */
bool wal_exploitable(double expl);

#endif
