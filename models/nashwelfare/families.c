/* Random markets, agent by agent from a run of uniforms of its own. */
#include "models/nashwelfare/families.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/rng.h"

enum { SEGMENTS = 3, INNER = 3, PIECES = 4 };
/* Room for the uniforms of an agent, for agents, for sizes either way, and for families. */
static const uint64_t DRAWS = 1 << 14, AGENTS = 1 << 12, SIDE = 1 << 8, FAMILIES = 16;

/* The uniforms of one agent, in order. */
typedef struct {
  uint64_t seed, next;
} stream;

static double uniform(stream *s, double low, double high) {
  return low + (high - low) * wal_rng_uniform(s->seed, WAL_STREAM_INSTANCES, s->next++);
}

static bool chance(stream *s, double probability) { return uniform(s, 0, 1) < probability; }
static int below(stream *s, int bound) { return (int)uniform(s, 0, bound); }
static double spread(stream *s) { return exp(uniform(s, log(0.03), 0)); }

/* Spread values over count places, each with the probability given, and surely over one. */
static void sparse_values(stream *s, int count, double probability, double *values) {
  const int sure = below(s, count);
  for (int j = 0; j < count; j++) {
    const bool present = chance(s, probability);
    const double value = spread(s);
    values[j] = present || j == sure ? value : 0;
  }
}

typedef wal_status (*draw_agent)(stream *s, int m, double *room, wal_utility **out);

static wal_status draw_linear(stream *s, int m, double *room, wal_utility **out) {
  sparse_values(s, m, 0.8, room);
  return wal_utility_linear(m, room, out);
}

/* A bound for each good, or, in half of the agents, for seven of ten. */
static wal_status draw_bounded_linear(stream *s, int m, double *room, wal_utility **out) {
  double *v = room, *l = room + m;
  const double bounded = chance(s, 0.5) ? 1 : 0.7;
  sparse_values(s, m, 0.8, v);
  for (int j = 0; j < m; j++) {
    const double length = uniform(s, 0, 1);
    l[j] = chance(s, bounded) ? v[j] * length : INFINITY;
  }
  return wal_utility_bounded_linear(m, v, l, out);
}

/* Good j's segments: falling slopes; the last has no end where the agent is not satiable. */
static int draw_segments(stream *s, bool satiable, wal_segment *segments) {
  const int count = 1 + below(s, SEGMENTS);
  double slope = spread(s);
  for (int k = 0; k < count; k++, slope *= uniform(s, 0.05, 0.8))
    segments[k] = (wal_segment){slope, uniform(s, 0, 0.6)};
  if (!satiable) segments[count - 1].length = INFINITY;
  return count;
}

static wal_status draw_splc(stream *s, int m, double *room, wal_utility **out) {
  (void)room;
  int *start = calloc((size_t)m + 1, sizeof *start);
  wal_segment *segments = malloc((size_t)m * SEGMENTS * sizeof *segments);
  wal_status status = WAL_E_MEMORY;
  if (start && segments) {
    const bool satiable = chance(s, 0.5);
    for (int j = 0; j < m; j++) start[j + 1] = start[j] + draw_segments(s, satiable, segments + start[j]);
    status = wal_utility_splc(m, start, segments, out);
  }
  free(start);
  free(segments);
  return status;
}

/* A limit for every segment; for all but the last where the agent is not satiable. */
static wal_status draw_leontief_free(stream *s, int m, double *room, wal_utility **out) {
  double *a = room, *l = room + m * SEGMENTS, *column = l + SEGMENTS;
  const bool satiable = chance(s, 0.5);
  for (int k = 0; k < SEGMENTS; k++) {
    sparse_values(s, m, 0.6, column);
    for (int j = 0; j < m; j++) a[j * SEGMENTS + k] = column[j];
    l[k] = uniform(s, 0, 0.4);
  }
  if (!satiable) l[SEGMENTS - 1] = INFINITY;
  return wal_utility_leontief_free(m, SEGMENTS, a, l, out);
}

/* An arc by the law: a capacity with the probability given. */
static void draw_arc(stream *s, wal_network *net, int from, int to, double low, double high, double bounded) {
  const double gain = uniform(s, low, high), capacity = uniform(s, 0, 0.6);
  net->from[net->arcs] = from;
  net->to[net->arcs] = to;
  net->gain[net->arcs] = gain;
  net->capacity[net->arcs++] = chance(s, bounded) ? capacity : INFINITY;
}

/* Every good to one or two inner nodes, arcs among these that lose, and one or two arcs to the sink from
   each: all of these have capacities where the agent is satiable. */
static void draw_arcs(stream *s, wal_network *net) {
  const bool satiable = chance(s, 0.5);
  const int m = net->m;
  for (int j = 0; j < m; j++) {
    const int first = below(s, INNER), count = 1 + chance(s, 0.5);
    for (int k = 0; k < count; k++) draw_arc(s, net, j, m + (first + k) % INNER, 0.1, 1.5, 0.4);
  }
  for (int v = 0; v < INNER; v++)
    for (int w = 0; w < INNER; w++)
      if (v != w && chance(s, 0.5)) draw_arc(s, net, m + v, m + w, 0.2, 1, 0.5);
  for (int v = 0; v < INNER; v++) {
    draw_arc(s, net, m + v, net->sink, 0.2, 1.5, 1);
    if (chance(s, 0.6)) draw_arc(s, net, m + v, net->sink, 0.05, 0.8, satiable ? 1 : 0);
  }
}

static wal_status draw_network(stream *s, int m, double *room, wal_utility **out) {
  const size_t most = (size_t)(2 * m + INNER * INNER + INNER);
  wal_network net = {
      .m = m, .nodes = m + INNER + 1, .sink = m + INNER, .gain = room, .capacity = room + most};
  net.from = malloc(2 * most * sizeof *net.from);
  if (!net.from) return WAL_E_MEMORY;
  net.to = net.from + most;
  draw_arcs(s, &net);
  const wal_status status = wal_utility_generalized_network(&net, out);
  free(net.from);
  return status;
}

/* The first piece without a constant, and the last a constant alone where the agent is satiable. */
static wal_status draw_plc(stream *s, int m, double *room, wal_utility **out) {
  double *slope = room, *constant = room + PIECES * m;
  const bool satiable = chance(s, 0.5);
  const int pieces = 2 + below(s, PIECES - 1);
  for (int k = 0; k < pieces; k++) {
    sparse_values(s, m, 0.6, slope + k * m);
    constant[k] = uniform(s, 0, 0.4);
    if (k == 0 || chance(s, 0.3)) constant[k] = 0;
  }
  if (satiable) {
    memset(slope + (pieces - 1) * m, 0, (size_t)m * sizeof *slope);
    constant[pieces - 1] = uniform(s, 0.05, 0.5);
  }
  return wal_utility_plc(m, pieces, slope, constant, out);
}

/* ---- markets ---- */

bool wal_family_equal_budgets(int64_t k) { return k % 2 == 0; }

static wal_status draw_market(uint64_t seed, int64_t k, int family, int n, int m, draw_agent draw,
                              wal_nw_market *out) {
  wal_status status = wal_nw_market_create(n, m, out);
  if (status != WAL_OK) return status;
  double *room = malloc((size_t)(8 * m + 64) * sizeof *room);
  if (!room) status = WAL_E_MEMORY;
  const uint64_t size = (uint64_t)n % SIDE * SIDE + (uint64_t)m % SIDE;
  const uint64_t instance = ((uint64_t)k * FAMILIES + (uint64_t)family) * SIDE * SIDE + size;
  for (int i = 0; status == WAL_OK && i < n; i++) {
    stream s = {seed, (instance * AGENTS + (uint64_t)i) * DRAWS};
    const double budget = uniform(&s, 0.25, 2);
    if (!wal_family_equal_budgets(k)) out->budget[i] = budget;
    status = draw(&s, m, room, &out->utility[i]);
  }
  free(room);
  if (status == WAL_OK) return WAL_OK;
  if (status == WAL_E_MEMORY) wal_fail(status, "no memory for a random market of %d agents", n);
  wal_nw_market_destroy(out);
  return status;
}

#define FAMILY(number, kind)                                                                       \
  static wal_status market_of_##kind(uint64_t seed, int64_t k, int n, int m, wal_nw_market *out) { \
    return draw_market(seed, k, number, n, m, draw_##kind, out);                                   \
  }
FAMILY(0, linear)
FAMILY(1, bounded_linear)
FAMILY(2, splc)
FAMILY(3, leontief_free)
FAMILY(4, network)
FAMILY(5, plc)

const wal_family wal_families[] = {
    {"linear", "values spread, 1 of 5 is 0", true, market_of_linear},
    {"bounded_linear", "values spread, 1 of 5 is 0; up to an amount uniform on (0, 1), or without a bound",
     true, market_of_bounded_linear},
    {"splc",
     "1 to 3 segments per good, first slope spread, then times a uniform of (0.05, 0.8), lengths uniform "
     "on (0, 0.6)",
     true, market_of_splc},
    {"leontief_free", "3 segments, values spread, 2 of 5 are 0; limits uniform on (0, 0.4)", true,
     market_of_leontief_free},
    {"network",
     "3 inner nodes: from each good to 1 or 2 of them, among them with losses, to the sink; "
     "capacities uniform on (0, 0.6) or none",
     true, market_of_network},
    {"plc", "the least of 2 to 4 pieces, slopes spread, 2 of 5 are 0; constants 0 or uniform on (0, 0.4)",
     false, market_of_plc},
    {0}};

const wal_family *wal_family_find(const char *name) {
  for (const wal_family *family = wal_families; family->name; family++)
    if (strcmp(family->name, name) == 0) return family;
  return NULL;
}
