#include "models/pricing/kinds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/rng.h"

const char *wal_pricing_kind_name(wal_pricing_kind kind) {
  static const char *const names[WAL_PRICING_KINDS] = {"strict", "natural", "uniform", "uniform-ranked",
                                                       "tied"};
  return names[kind];
}

wal_pricing_kind wal_pricing_kind_find(const char *name) {
  int kind = 0;
  while (kind < WAL_PRICING_KINDS && strcmp(wal_pricing_kind_name((wal_pricing_kind)kind), name)) kind++;
  return (wal_pricing_kind)kind;
}

/* The uniforms of one market, in order. */
typedef struct {
  uint64_t seed, next;
} stream;

static double uniform(stream *s) { return wal_rng_uniform(s->seed, WAL_STREAM_INSTANCES, s->next++); }
static int below(stream *s, int bound) { return (int)(bound * uniform(s)); }
/* A multiple of 2^-20 on (0, high]. */
static double fine(stream *s, double high) { return ceil(ldexp(high * uniform(s), 20)) / (1 << 20); }

static double draw_budget(wal_pricing_kind kind, stream *s) {
  return kind == WAL_PRICING_TIED ? below(s, 4) : fine(s, 2);
}

static double draw_value(wal_pricing_kind kind, stream *s) {
  if (kind == WAL_PRICING_TIED) return below(s, 3);
  const double value = fine(s, 1);
  return uniform(s) < 0.85 ? value : 0;
}

static double draw_price(wal_pricing_kind kind, stream *s) {
  switch (kind) {
    case WAL_PRICING_NATURAL:
      return (1 + below(s, 4)) / 2.0;
    case WAL_PRICING_TIED:
      return below(s, 3);
    default:
      return fine(s, 2);
  }
}

/* Values and prices of item j, with some buyer who values it. */
static void draw_item(wal_pricing_kind kind, stream *s, int j, wal_pricing_market *market) {
  const bool personalised = kind != WAL_PRICING_UNIFORM && kind != WAL_PRICING_UNIFORM_RANKED;
  const int sure = below(s, market->n);
  double price = draw_price(kind, s);
  for (int i = 0; i < market->n; i++) {
    const size_t e = (size_t)i * (size_t)market->m + (size_t)j;
    market->value[e] = draw_value(kind, s);
    if (i == sure && !(market->value[e] > 0)) market->value[e] = 1;
    if (personalised) price = draw_price(kind, s);
    market->price[e] = price;
  }
}

/* A random permutation into rank[n]; with few classes: a random preorder. */
static void draw_ranks(wal_pricing_kind kind, stream *s, int n, int *rank) {
  if (kind != WAL_PRICING_STRICT) {
    for (int i = 0; i < n; i++) rank[i] = below(s, n > 3 ? 3 : n);
    return;
  }
  for (int i = 0; i < n; i++) {
    const int at = below(s, i + 1);
    rank[i] = rank[at];
    rank[at] = i;
  }
}

wal_status wal_pricing_draw(wal_pricing_kind kind, uint64_t seed, int64_t k, int n, int m, bool exact,
                            wal_pricing_market *out) {
  *out = (wal_pricing_market){0};
  if (kind >= WAL_PRICING_KINDS) return wal_fail(WAL_E_INTERNAL, "no such kind of market: %d", (int)kind);
  wal_status status = wal_pricing_market_create(n, m, out);
  if (status != WAL_OK) return status;
  stream s = {seed, ((uint64_t)k * WAL_PRICING_KINDS + (uint64_t)kind) << 32};
  for (int i = 0; i < n; i++) out->budget[i] = draw_budget(kind, &s);
  for (int j = 0; j < m; j++) {
    draw_item(kind, &s, j, out);
    if (kind != WAL_PRICING_UNIFORM) draw_ranks(kind, &s, n, out->rank + (size_t)j * (size_t)n);
    out->owner[j] = j % 2;
  }
  out->sellers = m > 1 ? 2 : 1;
  if (kind == WAL_PRICING_NATURAL) status = wal_pricing_natural(out);
  if (status == WAL_OK && exact) status = wal_pricing_lift(out);
  if (status != WAL_OK) wal_pricing_market_destroy(out);
  return status;
}
