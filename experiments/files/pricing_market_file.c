#include "experiments/files/pricing_market_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/files/nodes.h"
#include "experiments/files/rationals.h"
#include "experiments/files/reader.h"

enum { PAIRS_MAX = 1 << 20, RANK_MAX = 1 << 20, SELLERS_MAX = 65536 };

static const char shape[] = "{budget: [n], value: [n][m], price: [n][m], ...}";

static wal_status find(const wal_yaml *yaml, const char *key, const wal_node **out) {
  const wal_node *root = wal_yaml_root(yaml);
  *out = wal_node_get(root, key);
  return *out ? WAL_OK : wal_node_fail(yaml, root, "no %s; expected %s", key, shape);
}

/* n from the budgets, m from the first row of values. */
static wal_status read_sizes(const wal_yaml *yaml, int *n, int *m) {
  const wal_node *budget, *value;
  wal_status status = find(yaml, "budget", &budget);
  if (!status) status = find(yaml, "value", &value);
  if (!status) status = wal_nodes_list(yaml, budget, "budget", -1, "one number per buyer");
  if (status) return status;
  *n = budget->count;
  status = wal_nodes_list(yaml, value, "value", *n, "one list per buyer");
  if (!status)
    status = wal_nodes_list(yaml, value->items[0], "the values of buyer 0", -1, "one number per item");
  if (status) return status;
  *m = value->items[0]->count;
  if ((double)*n * *m > PAIRS_MAX)
    return wal_node_fail(yaml, value, "%d buyers and %d items; expected at most %d pairs", *n, *m, PAIRS_MAX);
  return WAL_OK;
}

static wal_status read_budgets(const wal_yaml *yaml, wal_pricing_market *market) {
  const wal_node *list = wal_node_get(wal_yaml_root(yaml), "budget");
  wal_status status = WAL_OK;
  for (int i = 0; i < market->n && !status; i++) {
    char what[48];
    snprintf(what, sizeof what, "the budget of buyer %d", i);
    status = wal_rational_read(yaml, list->items[i], what, market->exact->budget[i]);
  }
  return status;
}

/* One buyer's values or prices into row[m]. */
static wal_status read_row(const wal_yaml *yaml, const wal_node *list, const char *thing, int i, int m,
                           mpq_t *row) {
  char what[64];
  snprintf(what, sizeof what, "the %ss of buyer %d", thing, i);
  wal_status status = wal_nodes_list(yaml, list, what, m, "one number per item");
  for (int j = 0; j < m && !status; j++) {
    snprintf(what, sizeof what, "the %s of item %d to buyer %d", thing, j, i);
    status = wal_rational_read(yaml, list->items[j], what, row[j]);
  }
  return status;
}

static wal_status read_values(const wal_yaml *yaml, wal_pricing_market *market) {
  const wal_node *list = wal_node_get(wal_yaml_root(yaml), "value");
  wal_status status = WAL_OK;
  for (int i = 0; i < market->n && !status; i++)
    status = read_row(yaml, list->items[i], "value", i, market->m,
                      market->exact->value + (size_t)i * (size_t)market->m);
  for (int j = 0; j < market->m && !status; j++) {
    bool valued = false;
    for (int i = 0; i < market->n; i++)
      valued |= mpq_sgn(market->exact->value[(size_t)i * (size_t)market->m + (size_t)j]) > 0;
    if (!valued)
      status = wal_node_fail(yaml, list, "item %d: no buyer values it; expected one value above 0", j);
  }
  return status;
}

/* One list of numbers: the same prices for every buyer. */
static wal_status read_prices(const wal_yaml *yaml, wal_pricing_market *market) {
  const wal_node *list;
  wal_status status = find(yaml, "price", &list);
  if (status) return status;
  const bool uniform =
      list->kind == WAL_NODE_LIST && list->count > 0 && list->items[0]->kind == WAL_NODE_SCALAR;
  if (uniform && list->count != market->m)
    return wal_node_fail(
        yaml, list,
        "price: a list of %d numbers; expected %d, one per item for every buyer, or %d lists "
        "of %d, one per buyer",
        list->count, market->m, market->n, market->m);
  if (!uniform) status = wal_nodes_list(yaml, list, "price", market->n, "one list per buyer");
  for (int i = 0; i < market->n && !status; i++)
    status = read_row(yaml, uniform ? list : list->items[i], "price", i, market->m,
                      market->exact->price + (size_t)i * (size_t)market->m);
  return status;
}

static wal_status read_ranks(const wal_yaml *yaml, const wal_node *list, wal_pricing_market *market) {
  wal_status status = wal_nodes_list(yaml, list, "rank", market->m, "one list per item, of a rank per buyer");
  for (int j = 0; j < market->m && !status; j++) {
    char what[64];
    snprintf(what, sizeof what, "the ranks of item %d", j);
    status = wal_nodes_list(yaml, list->items[j], what, market->n, "one rank per buyer");
    for (int i = 0; i < market->n && !status; i++) {
      snprintf(what, sizeof what, "the rank of buyer %d for item %d", i, j);
      status = wal_nodes_integer(yaml, list->items[j]->items[i], what, 0, RANK_MAX,
                                 &market->rank[(size_t)j * (size_t)market->n + (size_t)i]);
    }
  }
  return status;
}

/* The sellers are those up to the largest owner, or those with names (named > 0). */
static wal_status read_owners(const wal_yaml *yaml, const wal_node *list, int named,
                              wal_pricing_market *market) {
  const int last = (named > 0 ? named : SELLERS_MAX) - 1;
  wal_status status = wal_nodes_list(yaml, list, "owner", market->m, "one seller per item");
  market->sellers = named > 0 ? named : 1;
  for (int j = 0; j < market->m && !status; j++) {
    char what[48];
    const wal_node *node = list->items[j];
    snprintf(what, sizeof what, "the owner of item %d", j);
    if (node->kind == WAL_NODE_LIST)
      return wal_node_fail(yaml, node, "%s: %d sellers; expected one (0 works)", what, node->count);
    status = wal_nodes_integer(yaml, node, what, 0, last, &market->owner[j]);
    if (market->owner[j] >= market->sellers) market->sellers = market->owner[j] + 1;
  }
  return status;
}

static wal_status read_sellers(const wal_yaml *yaml, wal_pricing_file *out) {
  const wal_node *root = wal_yaml_root(yaml), *owner = wal_node_get(root, "owner"),
                 *names = wal_node_get(root, "seller_names");
  int named = 0;
  if (names && !owner)
    return wal_node_fail(yaml, names, "seller_names without owner; expected owner: [m], 0 the first seller");
  wal_status status = WAL_OK;
  if (names) status = wal_nodes_list(yaml, names, "seller_names", -1, "names");
  if (names && !status) {
    named = names->count;
    if (named > SELLERS_MAX)
      return wal_node_fail(yaml, names, "%d sellers; expected at most %d", named, SELLERS_MAX);
  }
  if (owner && !status) status = read_owners(yaml, owner, named, &out->market);
  return status || !names ? status : wal_nodes_names(yaml, names, "seller", named, &out->seller_names);
}

static wal_status read_names(const wal_yaml *yaml, wal_pricing_file *out) {
  const wal_node *root = wal_yaml_root(yaml), *buyers = wal_node_get(root, "buyer_names"),
                 *items = wal_node_get(root, "item_names");
  wal_status status = WAL_OK;
  if (buyers) status = wal_nodes_names(yaml, buyers, "buyer", out->market.n, &out->buyer_names);
  if (items && !status) status = wal_nodes_names(yaml, items, "item", out->market.m, &out->item_names);
  return status;
}

static wal_status read_all(const wal_yaml *yaml, wal_pricing_file *out) {
  static const char *const keys[] = {"budget", "value",       "price",      "rank",
                                     "owner",  "buyer_names", "item_names", "seller_names"};
  const wal_node *root = wal_yaml_root(yaml);
  int n = 0, m = 0;
  if (root->kind != WAL_NODE_MAP) return wal_node_fail(yaml, root, "expected %s", shape);
  wal_status status = wal_nodes_check_keys(yaml, root, keys, 8,
                                           "budget, value, price and, optional, rank, owner, buyer_names, "
                                           "item_names and seller_names");
  if (!status) status = read_sizes(yaml, &n, &m);
  if (!status) status = wal_pricing_market_create(n, m, &out->market);
  if (!status) status = wal_pricing_lift(&out->market);
  if (!status) status = read_budgets(yaml, &out->market);
  if (!status) status = read_values(yaml, &out->market);
  if (!status) status = read_prices(yaml, &out->market);
  if (status) return status;
  const wal_node *rank = wal_node_get(root, "rank");
  wal_pricing_round(&out->market);
  out->natural = rank == NULL;
  status = rank ? read_ranks(yaml, rank, &out->market) : wal_pricing_natural(&out->market);
  if (!status) status = read_sellers(yaml, out);
  if (!status) status = read_names(yaml, out);
  return status ? status : wal_pricing_market_check(&out->market);
}

/* Takes over `yaml`. */
static wal_status read_tree(wal_yaml *yaml, wal_pricing_file *out) {
  const char *text = wal_yaml_text(yaml);
  out->format = text[strspn(text, "\xEF\xBB\xBF \t\r\n")] == '{' ? "JSON" : "YAML";
  const wal_status status = read_all(yaml, out);
  wal_yaml_free(yaml);
  if (status) wal_pricing_file_close(out);
  return status;
}

wal_status wal_pricing_file_open(const char *path, wal_pricing_file *out) {
  wal_yaml *yaml = NULL;
  *out = (wal_pricing_file){0};
  const wal_status status = wal_yaml_load_data(path, &yaml);
  return status ? status : read_tree(yaml, out);
}

wal_status wal_pricing_file_parse(const char *text, size_t length, const char *file, wal_pricing_file *out) {
  wal_yaml *yaml = NULL;
  *out = (wal_pricing_file){0};
  const wal_status status = wal_yaml_parse_data(text, length, file, &yaml);
  return status ? status : read_tree(yaml, out);
}

void wal_pricing_file_close(wal_pricing_file *file) {
  if (!file) return;
  wal_names_free(file->buyer_names, file->market.n);
  wal_names_free(file->item_names, file->market.m);
  wal_names_free(file->seller_names, file->market.sellers);
  wal_pricing_market_destroy(&file->market);
  *file = (wal_pricing_file){0};
}
