#include "experiments/files/nodes.h"

#include <math.h>
#include <string.h>

static bool is_null(const wal_node *node) {
  return node->kind == WAL_NODE_SCALAR && !node->quoted &&
         (strcmp(node->text, "null") == 0 || strcmp(node->text, "~") == 0 || !*node->text);
}

/* A quoted number is a text. */
static bool parse(const wal_node *node, wal_type type, wal_value *value) {
  return node->kind == WAL_NODE_SCALAR && !node->quoted && wal_value_parse(type, node->text, value) == WAL_OK;
}

wal_status wal_nodes_number(const wal_yaml *yaml, const wal_node *node, const char *what,
                            wal_number_kind kind, double *out) {
  static const char *const wanted[] = {"", ", 0 or more (0.5 works)", " above 0 (0.5 works)",
                                       ", 0 or more, or null for no limit"};
  wal_value value = {.r = NAN};
  if (kind == WAL_OR_NO_LIMIT && is_null(node))
    value.r = INFINITY;
  else if (!parse(node, WAL_REAL, &value))
    return wal_node_fail(yaml, node, "%s: expected a number such as 0.5%s", what,
                         kind == WAL_OR_NO_LIMIT ? ", or null for no limit" : "");
  *out = value.r;
  const bool fits = kind == WAL_ANY_SIGN || value.r > 0 || (kind != WAL_ABOVE_0 && value.r == 0);
  if (fits && (isfinite(value.r) || kind == WAL_OR_NO_LIMIT)) return WAL_OK;
  return wal_node_fail(yaml, node, "%s is %g; expected a finite number%s", what, value.r, wanted[kind]);
}

wal_status wal_nodes_integer(const wal_yaml *yaml, const wal_node *node, const char *what, int low, int high,
                             int *out) {
  wal_value value = {.i = 0};
  if (!parse(node, WAL_INT, &value))
    return wal_node_fail(yaml, node, "%s: expected an integer such as %d", what, low);
  *out = (int)value.i;
  if (value.i >= low && value.i <= high) return WAL_OK;
  return wal_node_fail(yaml, node, "%s is %lld; expected %d to %d", what, (long long)value.i, low, high);
}

wal_status wal_nodes_list(const wal_yaml *yaml, const wal_node *node, const char *what, int count,
                          const char *of) {
  if (node->kind != WAL_NODE_LIST) return wal_node_fail(yaml, node, "%s: expected a list of %s", what, of);
  if (count < 0 && node->count == 0)
    return wal_node_fail(yaml, node, "%s: an empty list; expected %s", what, of);
  if (count >= 0 && node->count != count)
    return wal_node_fail(yaml, node, "%s: a list of %d; expected %d: %s", what, node->count, count, of);
  return WAL_OK;
}

wal_status wal_nodes_check_keys(const wal_yaml *yaml, const wal_node *map, const char *const known[],
                                int count, const char *expected) {
  for (int k = 0; k < map->count; k++) {
    const char *name = map->keys[k]->text;
    bool found = false;
    for (int j = 0; j < count; j++) found |= strcmp(name, known[j]) == 0;
    const char *close = wal_did_you_mean(name, known, count);
    if (!found)
      return wal_node_fail(yaml, map->keys[k], "unknown key \"%.60s\"; %s%s%sexpected %s", name,
                           close ? "did you mean \"" : "", close ? close : "", close ? "\"? " : "", expected);
  }
  return WAL_OK;
}
