/* Random markets of the studies: instance k of a family is a function of (seed, k, n, m). Every family has
   satiable and non-satiable agents (linear ones are never satiated); budgets are 1 for even k and uniform on
   (0.25, 2) for odd k. "Spread" below is log-uniform on (0.03, 1). */
#ifndef WAL_NASHWELFARE_FAMILIES_H
#define WAL_NASHWELFARE_FAMILIES_H

#include <stdint.h>

#include "models/nashwelfare/utility.h"

typedef struct {
  const char *name; /* "splc": as in configs */
  const char *doc;  /* the law, in a line */
  bool network; /* every utility is a generalised network: equilibria can be searched, Theorem 1.6 holds */
  wal_status (*draw)(uint64_t seed, int64_t k, int n, int m, wal_nw_market *out);
} wal_family;
/* linear, bounded_linear, splc, leontief_free, network, plc; ends with a NULL name. */
extern const wal_family wal_families[];
const wal_family *wal_family_find(const char *name); /* NULL: none */
/* Are the budgets of instance k equal? */
bool wal_family_equal_budgets(int64_t k);

#endif
