/* Random markets of the studies: instance k of a family is a function of (seed, k, n, m). */
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

#endif
