#include "experiments/files/concave_market_file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/util.h"
#include "experiments/files/concave_reader.h"
#include "experiments/files/nodes.h"
#include "experiments/files/reader.h"

/* ---- which files are such markets ---- */

/* The first character that is no blank and in no comment, "---" or byte order mark. */
static int first_character(FILE *file) {
  bool skipping = false; /* to the end of the line */
  for (int c = getc(file); c != EOF; c = getc(file)) {
    skipping = c == '#' || c == '-' || (skipping && c != '\n');
    if (!skipping && !isspace(c) && c != 0xEF && c != 0xBB && c != 0xBF) return c;
  }
  return EOF;
}

/* "{", or a word and a colon: what no CSV header begins with. */
static bool begins_mapping(FILE *file) {
  int c = first_character(file);
  if (c == '{') return true;
  while (isalnum(c) || c == '_' || c == '"' || c == '\'') c = getc(file);
  while (c == ' ') c = getc(file);
  if (c != ':') return false;
  c = getc(file);
  return c == EOF || isspace(c);
}

bool wal_concave_market_looks_so(const char *path) {
  static const char *const endings[] = {".yaml", ".yml", ".json"};
  FILE *file = wal_regular_file(path, NULL) == WAL_OK ? fopen(path, "rb") : NULL;
  if (!file) return false;
  const bool is_h5 = wal_is_h5(file);
  rewind(file);
  bool is = !is_h5 && begins_mapping(file);
  fclose(file);
  const char *dot = strrchr(path, '.');
  for (int k = 0; k < 3 && dot && !is_h5; k++) is |= strcasecmp(dot, endings[k]) == 0;
  return is;
}

/* ---- reading ---- */

enum { GOODS_MAX = 65536, PAIRS_MAX = 1 << 24 };

static const char shape[] = "{goods: M, agents: [{type: ..., ...}, ...]}";

static wal_status read_goods(const wal_yaml *yaml, const wal_node *root, int *m) {
  const wal_node *goods = wal_node_get(root, "goods");
  if (!goods) return wal_node_fail(yaml, root, "no goods; expected %s", shape);
  return wal_nodes_integer(yaml, goods, "goods, how many there are", 1, GOODS_MAX, m);
}

static wal_status find_agents(const wal_yaml *yaml, const wal_node *root, int m, const wal_node **agents) {
  *agents = wal_node_get(root, "agents");
  if (!*agents) return wal_node_fail(yaml, root, "no agents; expected %s", shape);
  const wal_status status = wal_nodes_list(yaml, *agents, "agents", -1, "{type: ..., ...} for each agent");
  if (status) return status;
  if ((double)(*agents)->count * m > PAIRS_MAX)
    return wal_node_fail(yaml, *agents, "%d agents and %d goods; expected at most %d pairs", (*agents)->count,
                         m, PAIRS_MAX);
  return WAL_OK;
}

static wal_status read_budgets(const wal_yaml *yaml, const wal_node *list, wal_nw_market *market) {
  wal_status status = wal_nodes_list(yaml, list, "budget", market->n, "one number per agent");
  for (int i = 0; i < market->n && !status; i++) {
    char what[48];
    snprintf(what, sizeof what, "the budget of agent %d", i);
    status = wal_nodes_number(yaml, list->items[i], what, WAL_ABOVE_0, &market->budget[i]);
  }
  return status;
}

/* Where one agent has a name, the others have their numbers. */
static wal_status read_agent_names(const wal_yaml *yaml, const wal_node *agents, char ***out) {
  wal_status status = WAL_OK;
  bool any = false;
  for (int i = 0; i < agents->count; i++) any |= wal_node_get(agents->items[i], "name") != NULL;
  if (!any) return WAL_OK;
  *out = calloc((size_t)agents->count, sizeof **out);
  if (!*out) return wal_fail(WAL_E_MEMORY, "no memory for the names");
  for (int i = 0; i < agents->count && !status; i++) {
    const wal_node *name = wal_node_get(agents->items[i], "name");
    if (name)
      status = wal_nodes_name(yaml, name, &(*out)[i]);
    else if (asprintf(&(*out)[i], "%d", i) < 0)
      status = wal_fail(WAL_E_MEMORY, "no memory for the names");
  }
  return status;
}

static wal_status read_all(const wal_yaml *yaml, wal_concave_market_file *out) {
  static const char *const keys[] = {"goods", "agents", "budget", "good_names"};
  const wal_node *root = wal_yaml_root(yaml), *agents = NULL;
  int m = 0;
  if (root->kind != WAL_NODE_MAP) return wal_node_fail(yaml, root, "expected %s", shape);
  wal_status status =
      wal_nodes_check_keys(yaml, root, keys, 4, "goods, agents and, optional, budget and good_names");
  if (!status) status = read_goods(yaml, root, &m);
  if (!status) status = find_agents(yaml, root, m, &agents);
  if (!status) status = wal_nw_market_create(agents->count, m, &out->market);
  for (int i = 0; !status && i < out->market.n; i++)
    status = wal_concave_read_agent(yaml, agents->items[i], i, m, &out->market.utility[i]);
  const wal_node *budget = wal_node_get(root, "budget"), *names = wal_node_get(root, "good_names");
  out->has_budgets = budget != NULL;
  if (!status && budget) status = read_budgets(yaml, budget, &out->market);
  if (!status && names) status = wal_nodes_names(yaml, names, "good", m, &out->good_names);
  if (!status) status = read_agent_names(yaml, agents, &out->agent_names);
  return status;
}

/* Takes over `yaml`. */
static wal_status read_tree(wal_yaml *yaml, wal_concave_market_file *out) {
  const char *text = wal_yaml_text(yaml);
  out->format = text[strspn(text, "\xEF\xBB\xBF \t\r\n")] == '{' ? "JSON" : "YAML";
  const wal_status status = read_all(yaml, out);
  wal_yaml_free(yaml);
  if (status) wal_concave_market_close(out);
  return status;
}

wal_status wal_concave_market_open(const char *path, wal_concave_market_file *out) {
  wal_yaml *yaml = NULL;
  *out = (wal_concave_market_file){0};
  const wal_status status = wal_yaml_load_data(path, &yaml);
  return status ? status : read_tree(yaml, out);
}

wal_status wal_concave_market_parse(const char *text, size_t length, const char *file,
                                    wal_concave_market_file *out) {
  wal_yaml *yaml = NULL;
  *out = (wal_concave_market_file){0};
  const wal_status status = wal_yaml_parse_data(text, length, file, &yaml);
  return status ? status : read_tree(yaml, out);
}

void wal_concave_market_close(wal_concave_market_file *file) {
  if (!file) return;
  wal_names_free(file->agent_names, file->market.n);
  wal_names_free(file->good_names, file->market.m);
  wal_nw_market_destroy(&file->market);
  *file = (wal_concave_market_file){0};
}
