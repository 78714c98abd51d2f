/* One allocation problem in YAML (or JSON): budgets by resource, agents by name, their values and demands by
   resource; what is not listed is 0. */
#include <stdlib.h>
#include <string.h>

#include "experiments/files/instances_reader.h"
#include "experiments/files/nodes.h"
#include "experiments/files/reader.h"

typedef struct {
  const wal_yaml *yaml;
  const wal_node *budgets, *agents; /* maps */
  wal_instance_text text;
  wal_instances_file *out;
} reader;

static int find_resource(const reader *in, const char *name) {
  for (int j = 0; j < in->out->m; j++)
    if (strcmp(in->out->resource_names[j], name) == 0) return j;
  return -1;
}

/* {RESOURCE: NUMBER} into row[m]; missing: not every resource needs a number. */
static wal_status read_row(const reader *in, const wal_node *map, const char *what, wal_number_kind kind,
                           double *row) {
  if (map->kind != WAL_NODE_MAP)
    return wal_node_fail(in->yaml, map, "%s: expected a mapping {RESOURCE: NUMBER}", what);
  wal_status status = WAL_OK;
  for (int k = 0; k < map->count && !status; k++) {
    const char *name = map->keys[k]->text;
    const int j = find_resource(in, name);
    if (j < 0)
      return wal_node_fail(in->yaml, map->keys[k], "%s of \"%.60s\", for which there is no budget", what,
                           name);
    status = wal_nodes_number(in->yaml, map->items[k], what, kind, &row[j]);
  }
  return status;
}

static wal_status read_agent(reader *in, int i) {
  static const char *const keys[] = {"values", "demands", "weight", "z"};
  const wal_node *agent = in->agents->items[i];
  const size_t row = (size_t)i * (size_t)in->out->m;
  if (agent->kind != WAL_NODE_MAP)
    return wal_node_fail(in->yaml, agent, "expected {values: {...}, demands: {...}}");
  wal_status status =
      wal_nodes_check_keys(in->yaml, agent, keys, 4, "values, demands and, optional, weight and z");
  const wal_node *values = wal_node_get(agent, "values"), *demands = wal_node_get(agent, "demands");
  const wal_node *weight = wal_node_get(agent, "weight"), *z = wal_node_get(agent, "z");
  if (!status && (!values || !demands))
    status = wal_node_fail(in->yaml, in->agents->keys[i],
                           "agent \"%.60s\" has no %s; expected {values: {...}, demands: {...}}",
                           in->agents->keys[i]->text, values ? "demands" : "values");
  if (!status) status = read_row(in, values, "the value", WAL_NOT_BELOW_0, in->text.values + row);
  if (!status) status = read_row(in, demands, "the demand", WAL_NOT_BELOW_0, in->text.demands + row);
  if (!status && weight)
    status = wal_nodes_number(in->yaml, weight, "the weight", WAL_NOT_BELOW_0, &in->text.weights[i]);
  if (!status && z) status = read_row(in, z, "z", WAL_ANY_SIGN, in->text.z + row);
  in->text.has_weights |= weight != NULL;
  return status;
}

/* The map below `key` of the root, with at least one entry, and copies of its names. */
static wal_status find_map(const reader *in, const char *key, const wal_node **map, int *count,
                           char ***names) {
  const wal_node *root = wal_yaml_root(in->yaml);
  *map = wal_node_get(root, key);
  if (!*map) return wal_node_fail(in->yaml, root, "no %s; expected budgets and agents", key);
  if ((*map)->kind != WAL_NODE_MAP || (*map)->count == 0)
    return wal_node_fail(in->yaml, *map, "%s: expected a mapping with a name for each", key);
  *names = calloc((size_t)(*map)->count, sizeof **names);
  if (!*names) return wal_fail(WAL_E_MEMORY, "no memory for %s", key);
  for (*count = 0; *count < (*map)->count; ++*count)
    if (!((*names)[*count] = strdup((*map)->keys[*count]->text)))
      return wal_fail(WAL_E_MEMORY, "no memory for %s", key);
  return WAL_OK;
}

static bool any_z(const wal_node *agents) {
  for (int i = 0; i < agents->count; i++)
    if (agents->items[i]->kind == WAL_NODE_MAP && wal_node_get(agents->items[i], "z")) return true;
  return false;
}

static wal_status read_all(reader *in) {
  static const char *const keys[] = {"budgets", "agents"};
  wal_instances_file *out = in->out;
  const wal_node *root = wal_yaml_root(in->yaml);
  if (root->kind != WAL_NODE_MAP)
    return wal_node_fail(in->yaml, root, "expected {budgets: {...}, agents: {...}}");
  wal_status status = wal_nodes_check_keys(in->yaml, root, keys, 2, "budgets and agents");
  if (!status) status = find_map(in, "budgets", &in->budgets, &out->m, &out->resource_names);
  if (!status) status = find_map(in, "agents", &in->agents, &out->n, &out->agent_names);
  if (!status) status = wal_instance_text_create(out->n, out->m, any_z(in->agents), &in->text);
  if (!status) status = read_row(in, in->budgets, "the budget", WAL_NOT_BELOW_0, in->text.budgets);
  for (int i = 0; i < out->n && !status; i++) status = read_agent(in, i);
  return status ? status : wal_instance_text_give(&in->text, out);
}

wal_status wal_instances_read_yaml(const char *path, wal_instances_file *out) {
  wal_yaml *yaml = NULL;
  wal_status status = wal_yaml_load_data(path, &yaml);
  if (status) return status;
  reader in = {.yaml = yaml, .out = out};
  status = read_all(&in);
  wal_instance_text_destroy(&in.text);
  wal_yaml_free(yaml);
  return status;
}
