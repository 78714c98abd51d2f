/* Agents of a concave market: a type per utility function, its numbers with their places. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/files/concave_reader.h"
#include "experiments/files/nodes.h"

typedef struct {
  const wal_yaml *yaml;
  const wal_node *agent; /* its map */
  int m;                 /* goods */
  char who[96];          /* "agent 1 (Ada)" */
  char what[192];        /* the last at() */
} reader;

static const char *at(reader *in, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "agent 1 (Ada), arc 2: the gain": what the next message is about. */
static const char *at(reader *in, const char *format, ...) {
  va_list args;
  const size_t used = (size_t)sprintf(in->what, "%s, ", in->who);
  va_start(args, format);
  vsnprintf(in->what + used, sizeof in->what - used, format, args);
  va_end(args);
  return in->what;
}

static wal_status no_memory(const reader *in) { return wal_fail(WAL_E_MEMORY, "no memory for %s", in->who); }

/* What the agent has below a key. */
static wal_status find(const reader *in, const char *key, const wal_node **out) {
  *out = wal_node_get(in->agent, key);
  return *out ? WAL_OK : wal_node_fail(in->yaml, in->agent, "%s has no %s", in->who, key);
}

/* A list of numbers into row[count]. */
static wal_status numbers(reader *in, const wal_node *list, const char *what, int count, const char *of,
                          wal_number_kind kind, double *row) {
  wal_status status = wal_nodes_list(in->yaml, list, at(in, "%s", what), count, of);
  for (int k = 0; k < count && !status; k++)
    status = wal_nodes_number(in->yaml, list->items[k], at(in, "%s[%d]", what, k), kind, &row[k]);
  return status;
}

/* The list below a key, a number per good, into malloc'd *out [m]. */
static wal_status per_good(reader *in, const char *key, wal_number_kind kind, double **out) {
  const wal_node *list;
  wal_status status = find(in, key, &list);
  if (!status && !(*out = malloc((size_t)in->m * sizeof **out))) status = no_memory(in);
  return status ? status : numbers(in, list, key, in->m, "one number per good", kind, *out);
}

static const wal_node *item_of(const wal_node *list, int k) {
  return list->kind == WAL_NODE_LIST && k >= 0 && k < list->count ? list->items[k] : list;
}

/* A refusal of the utility itself: at the entry of the list below `key` that its message begins with ("arc
   2", "good 1, segment 0"), or at the list. */
static wal_status placed(const reader *in, wal_status status, const char *key) {
  int k = -1, segment = -1;
  const wal_node *node = wal_node_get(in->agent, key);
  if (status != WAL_E_INPUT) return status;
  sscanf(wal_error(), "%*[a-z] %d, segment %d", &k, &segment);
  return wal_node_fail(in->yaml, item_of(item_of(node, k), segment), "%s: %s", in->who, wal_error());
}

/* ---- the types ---- */

static wal_status read_linear(reader *in, wal_utility **out) {
  double *v = NULL;
  wal_status status = per_good(in, "values", WAL_NOT_BELOW_0, &v);
  if (!status) status = placed(in, wal_utility_linear(in->m, v, out), "values");
  free(v);
  return status;
}

static wal_status read_bounded_linear(reader *in, wal_utility **out) {
  double *v = NULL, *limit = NULL;
  wal_status status = per_good(in, "values", WAL_NOT_BELOW_0, &v);
  if (!status) status = per_good(in, "limits", WAL_OR_NO_LIMIT, &limit);
  if (!status) status = placed(in, wal_utility_bounded_linear(in->m, v, limit, out), "values");
  free(v);
  free(limit);
  return status;
}

static wal_status read_leontief(reader *in, wal_utility **out) {
  double *a = NULL;
  wal_status status = per_good(in, "a", WAL_NOT_BELOW_0, &a);
  if (!status) status = placed(in, wal_utility_leontief(in->m, a, out), "a");
  free(a);
  return status;
}

/* Segment k of good j: [slope, length]. */
static wal_status read_segment(reader *in, const wal_node *node, int j, int k, wal_segment *out) {
  wal_status status = wal_nodes_list(in->yaml, node, at(in, "good %d, segment %d", j, k), 2,
                                     "[slope, length], the length null where there is no end");
  if (!status)
    status = wal_nodes_number(in->yaml, node->items[0], at(in, "good %d, segment %d: the slope", j, k),
                              WAL_NOT_BELOW_0, &out->slope);
  if (!status)
    status = wal_nodes_number(in->yaml, node->items[1], at(in, "good %d, segment %d: the length", j, k),
                              WAL_OR_NO_LIMIT, &out->length);
  return status;
}

static wal_status read_segments(reader *in, const wal_node *goods, int *start, wal_segment **segments) {
  wal_status status = WAL_OK;
  for (int j = 0; j < in->m; j++) {
    if (goods->items[j]->kind != WAL_NODE_LIST)
      return wal_node_fail(in->yaml, goods->items[j],
                           "%s: expected a list of segments [slope, length]; [] where it is of no use",
                           at(in, "good %d", j));
    start[j + 1] = start[j] + goods->items[j]->count;
  }
  *segments = malloc(((size_t)start[in->m] + 1) * sizeof **segments);
  if (!*segments) return no_memory(in);
  for (int j = 0; j < in->m; j++)
    for (int k = 0; k < goods->items[j]->count && !status; k++)
      status = read_segment(in, goods->items[j]->items[k], j, k, *segments + start[j] + k);
  return status;
}

static wal_status read_splc(reader *in, wal_utility **out) {
  const wal_node *goods;
  wal_segment *segments = NULL;
  int *start = calloc((size_t)in->m + 1, sizeof *start);
  wal_status status = start ? find(in, "segments", &goods) : no_memory(in);
  if (!status)
    status = wal_nodes_list(in->yaml, goods, at(in, "segments"), in->m, "one list of segments per good");
  if (!status) status = read_segments(in, goods, start, &segments);
  if (!status) status = placed(in, wal_utility_splc(in->m, start, segments, out), "segments");
  free(start);
  free(segments);
  return status;
}

static wal_status read_leontief_free(reader *in, wal_utility **out) {
  const wal_node *goods, *ell;
  double *a = NULL, *l = NULL;
  wal_status status = find(in, "a", &goods);
  if (!status) status = find(in, "ell", &ell);
  if (!status) status = wal_nodes_list(in->yaml, ell, at(in, "ell"), -1, "one number per segment");
  if (!status)
    status =
        wal_nodes_list(in->yaml, goods, at(in, "a"), in->m, "one list per good, of a number per segment");
  const int segments = status ? 0 : ell->count;
  if (!status) a = malloc((size_t)in->m * (size_t)segments * sizeof *a);
  if (!status) l = malloc((size_t)segments * sizeof *l);
  if (!status && (!a || !l)) status = no_memory(in);
  if (!status) status = numbers(in, ell, "ell", segments, "one number per segment", WAL_OR_NO_LIMIT, l);
  for (int j = 0; j < in->m && !status; j++) {
    char what[32];
    snprintf(what, sizeof what, "a[%d]", j);
    status = numbers(in, goods->items[j], what, segments, "one number per segment of ell", WAL_NOT_BELOW_0,
                     a + (size_t)j * (size_t)segments);
  }
  if (!status) status = placed(in, wal_utility_leontief_free(in->m, segments, a, l, out), "a");
  free(a);
  free(l);
  return status;
}

enum { NODES_MAX = 65536 };

/* Arc e: [from, to, gain, capacity], the capacity null or left out where there is none. */
static wal_status read_arc(reader *in, const wal_node *node, int e, wal_network *net) {
  const bool limited = node->kind != WAL_NODE_LIST || node->count != 3;
  wal_status status = wal_nodes_list(in->yaml, node, at(in, "arc %d", e), limited ? 4 : 3,
                                     "[from, to, gain, capacity], the capacity null where there is no limit");
  if (status) return status;
  wal_node *const *is = node->items;
  const int last = net->nodes - 1;
  status = wal_nodes_integer(in->yaml, is[0], at(in, "arc %d: from", e), 0, last, &net->from[e]);
  if (!status) status = wal_nodes_integer(in->yaml, is[1], at(in, "arc %d: to", e), 0, last, &net->to[e]);
  if (!status)
    status = wal_nodes_number(in->yaml, is[2], at(in, "arc %d: the gain", e), WAL_ABOVE_0, &net->gain[e]);
  net->capacity[e] = INFINITY;
  if (!status && limited)
    status = wal_nodes_number(in->yaml, is[3], at(in, "arc %d: the capacity", e), WAL_OR_NO_LIMIT,
                              &net->capacity[e]);
  return status;
}

static wal_status create_network(const reader *in, wal_network *net) {
  const size_t arcs = (size_t)net->arcs;
  net->from = malloc(arcs * sizeof *net->from);
  net->to = malloc(arcs * sizeof *net->to);
  net->gain = malloc(arcs * sizeof *net->gain);
  net->capacity = malloc(arcs * sizeof *net->capacity);
  return net->from && net->to && net->gain && net->capacity ? WAL_OK : no_memory(in);
}

static wal_status read_network(reader *in, wal_utility **out) {
  const wal_node *nodes, *sink, *arcs;
  wal_network net = {.m = in->m};
  wal_status status = find(in, "nodes", &nodes);
  if (!status) status = find(in, "sink", &sink);
  if (!status) status = find(in, "arcs", &arcs);
  if (!status)
    status = wal_nodes_integer(in->yaml, nodes, at(in, "nodes (goods and sink included)"), in->m + 1,
                               NODES_MAX, &net.nodes);
  if (!status)
    status = wal_nodes_integer(in->yaml, sink, at(in, "sink (a node that is no good)"), in->m, net.nodes - 1,
                               &net.sink);
  if (!status) status = wal_nodes_list(in->yaml, arcs, at(in, "arcs"), -1, "arcs [from, to, gain, capacity]");
  if (!status) net.arcs = arcs->count;
  if (!status) status = create_network(in, &net);
  for (int e = 0; e < net.arcs && !status; e++) status = read_arc(in, arcs->items[e], e, &net);
  if (!status) status = placed(in, wal_utility_generalized_network(&net, out), "arcs");
  wal_network_destroy(&net);
  return status;
}

static wal_status read_plc(reader *in, wal_utility **out) {
  const wal_node *pieces;
  wal_status status = find(in, "pieces", &pieces);
  if (!status)
    status = wal_nodes_list(in->yaml, pieces, at(in, "pieces"), -1, "pieces [constant, slope of each good]");
  if (status) return status;
  const size_t count = (size_t)pieces->count, m = (size_t)in->m;
  double *piece = malloc((m + 1) * sizeof *piece), *slope = malloc(count * m * sizeof *slope),
         *constant = malloc(count * sizeof *constant);
  if (!piece || !slope || !constant) status = no_memory(in);
  for (size_t k = 0; k < count && !status; k++) {
    char what[32];
    snprintf(what, sizeof what, "piece %zu", k);
    status = numbers(in, pieces->items[k], what, in->m + 1, "a constant, then a slope for each good",
                     WAL_NOT_BELOW_0, piece);
    if (status) break;
    constant[k] = piece[0];
    memcpy(slope + k * m, piece + 1, m * sizeof *slope);
  }
  if (!status) status = placed(in, wal_utility_plc(in->m, (int)count, slope, constant, out), "pieces");
  free(piece);
  free(slope);
  free(constant);
  return status;
}

static const struct {
  const char *name;
  const char *keys[3]; /* beside type and name */
  const char *expected;
  wal_status (*read)(reader *in, wal_utility **out);
} types[] = {
    {"linear", {"values"}, "values: [NUMBER per good]", read_linear},
    {"bounded_linear",
     {"values", "limits"},
     "values and limits, each a list of a number per good",
     read_bounded_linear},
    {"splc", {"segments"}, "segments: [[[SLOPE, LENGTH], ...] per good]", read_splc},
    {"leontief", {"a"}, "a: [NUMBER per good], what one unit of utility takes", read_leontief},
    {"leontief_free",
     {"a", "ell"},
     "a: [[NUMBER per segment] per good] and ell: [NUMBER per segment]",
     read_leontief_free},
    {"generalized_network",
     {"nodes", "sink", "arcs"},
     "nodes: N, sink: NODE and arcs: [[FROM, TO, GAIN, CAPACITY], ...]",
     read_network},
    {"plc", {"pieces"}, "pieces: [[CONSTANT, SLOPE per good], ...]", read_plc},
};
enum { TYPES = sizeof types / sizeof *types };

static wal_status find_type(const reader *in, int *out) {
  const char *names[TYPES];
  const wal_node *type = wal_node_get(in->agent, "type");
  static const char list[] =
      "linear, bounded_linear, splc, leontief, leontief_free, generalized_network or plc";
  if (!type) return wal_node_fail(in->yaml, in->agent, "%s has no type; expected %s", in->who, list);
  if (type->kind != WAL_NODE_SCALAR)
    return wal_node_fail(in->yaml, type, "%s, type: expected %s", in->who, list);
  for (*out = 0; *out < TYPES; ++*out) {
    if (strcmp(type->text, types[*out].name) == 0) return WAL_OK;
    names[*out] = types[*out].name;
  }
  const char *close = wal_did_you_mean(type->text, names, TYPES);
  return wal_node_fail(in->yaml, type, "%s: unknown type \"%.60s\"; %s%s%sexpected %s", in->who, type->text,
                       close ? "did you mean \"" : "", close ? close : "", close ? "\"? " : "", list);
}

static wal_status check_keys(const reader *in, int t) {
  const char *known[5] = {"type", "name"};
  int count = 2;
  for (int k = 0; k < 3 && types[t].keys[k]; k++) known[count++] = types[t].keys[k];
  char expected[192];
  snprintf(expected, sizeof expected, "%s of %s: %s", "the keys", types[t].name, types[t].expected);
  return wal_nodes_check_keys(in->yaml, in->agent, known, count, expected);
}

wal_status wal_concave_read_agent(const wal_yaml *yaml, const wal_node *agent, int i, int m,
                                  wal_utility **out) {
  reader in = {.yaml = yaml, .agent = agent, .m = m};
  const wal_node *name = wal_node_get(agent, "name");
  const bool named = name && name->kind == WAL_NODE_SCALAR;
  snprintf(in.who, sizeof in.who, "agent %d%s%.60s%s", i, named ? " (" : "", named ? name->text : "",
           named ? ")" : "");
  if (agent->kind != WAL_NODE_MAP)
    return wal_node_fail(yaml, agent, "%s: expected a mapping such as {type: linear, values: [1, 2]}",
                         in.who);
  int t = 0;
  wal_status status = find_type(&in, &t);
  if (!status) status = check_keys(&in, t);
  return status ? status : types[t].read(&in, out);
}
