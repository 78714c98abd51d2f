#include "experiments/files/nodes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ---- names ---- */

wal_status wal_nodes_name(const wal_yaml *yaml, const wal_node *node, char **out) {
  if (node->kind != WAL_NODE_SCALAR || !*node->text) return wal_node_fail(yaml, node, "expected a name");
  *out = strdup(node->text);
  return *out ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for the names");
}

/* By text, then by place. */
static int compare_names(const void *a, const void *b) {
  const wal_node *one = *(const wal_node *const *)a, *other = *(const wal_node *const *)b;
  const int order = strcmp(one->text, other->text);
  return order ? order : one->line != other->line ? one->line - other->line : one->column - other->column;
}

static wal_status check_different(const wal_yaml *yaml, const wal_node *list, const char *thing) {
  const wal_node **sorted = malloc((size_t)list->count * sizeof *sorted);
  if (!sorted) return wal_fail(WAL_E_MEMORY, "no memory for the names");
  for (int j = 0; j < list->count; j++) sorted[j] = list->items[j];
  qsort(sorted, (size_t)list->count, sizeof *sorted, compare_names);
  wal_status status = WAL_OK;
  for (int j = 1; j < list->count && !status; j++)
    if (!strcmp(sorted[j - 1]->text, sorted[j]->text))
      status = wal_node_fail(yaml, sorted[j], "two %ss are named \"%.60s\"; expected different names", thing,
                             sorted[j]->text);
  free(sorted);
  return status;
}

wal_status wal_nodes_names(const wal_yaml *yaml, const wal_node *list, const char *thing, int count,
                           char ***out) {
  char what[48], of[48];
  snprintf(what, sizeof what, "%s_names", thing);
  snprintf(of, sizeof of, "one name per %s", thing);
  wal_status status = wal_nodes_list(yaml, list, what, count, of);
  if (!status && !(*out = calloc((size_t)list->count, sizeof **out)))
    status = wal_fail(WAL_E_MEMORY, "no memory for the names");
  for (int j = 0; j < count && !status; j++) status = wal_nodes_name(yaml, list->items[j], &(*out)[j]);
  return status ? status : check_different(yaml, list, thing);
}
