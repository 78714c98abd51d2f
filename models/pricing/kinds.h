/* Random markets of five kinds; instance k of a kind is a function of (seed, k, n, m). All numbers are
   multiples of 2^-20, so that doubles and rationals of them are the same. */
#ifndef WAL_PRICING_KINDS_H
#define WAL_PRICING_KINDS_H

#include <stdint.h>

#include "models/pricing/market.h"

typedef enum {
  WAL_PRICING_STRICT,         /* personalised prices on (0, 2), priorities random permutations */
  WAL_PRICING_NATURAL,        /* personalised prices 1, 2, 3, 4 halves, natural priorities */
  WAL_PRICING_UNIFORM,        /* one price an item, one priority class */
  WAL_PRICING_UNIFORM_RANKED, /* one price an item, random priorities with ties */
  WAL_PRICING_TIED,           /* few different numbers, zero values, prices and budgets, many ties */
  WAL_PRICING_KINDS
} wal_pricing_kind;

const char *wal_pricing_kind_name(wal_pricing_kind kind); /* "strict", "natural", ... */
wal_pricing_kind wal_pricing_kind_find(const char *name); /* WAL_PRICING_KINDS: none */
/* Every second item belongs to seller 1. exact: with rationals. */
wal_status wal_pricing_draw(wal_pricing_kind kind, uint64_t seed, int64_t k, int n, int m, bool exact,
                            wal_pricing_market *out);

#endif
