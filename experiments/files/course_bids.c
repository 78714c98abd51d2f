#include "experiments/files/course_bids.h"

#include <stdlib.h>
#include <string.h>

#include "engine/h5.h"
#include "engine/store.h"
#include "experiments/files/nodes.h"
#include "experiments/files/reader.h"
#include "experiments/files/texts.h"

/* ---- reading ---- */

static wal_status no_memory(const char *path) { return wal_fail(WAL_E_MEMORY, "no memory for %s", path); }

/* The map below `key`, with at least one entry. */
static wal_status find_map(const wal_yaml *yaml, const char *key, const wal_node **out) {
  const wal_node *root = wal_yaml_root(yaml);
  if (root->kind != WAL_NODE_MAP)
    return wal_node_fail(yaml, root, "expected {\"valuations\": {...}, \"item_capacities\": {...}}");
  *out = wal_node_get(root, key);
  if (!*out) return wal_node_fail(yaml, root, "no \"%s\"; expected valuations and item_capacities", key);
  if ((*out)->kind != WAL_NODE_MAP || (*out)->count == 0)
    return wal_node_fail(yaml, *out, "\"%s\" has no entries; expected {NAME: ...}", key);
  return WAL_OK;
}

/* Copies of a map's keys. */
static char **copy_keys(const wal_node *map) {
  char **names = calloc((size_t)map->count, sizeof *names);
  for (int k = 0; names && k < map->count; k++)
    if (!(names[k] = strdup(map->keys[k]->text))) {
      wal_names_free(names, k);
      return NULL;
    }
  return names;
}

/* A good's name and its number, sorted by name. */
typedef struct {
  const char *name;
  int good;
} index_entry;

static int compare_entries(const void *a, const void *b) {
  return strcmp(((const index_entry *)a)->name, ((const index_entry *)b)->name);
}

static wal_status read_capacities(const wal_yaml *yaml, const wal_node *map, index_entry *index,
                                  wal_course_bids *out) {
  wal_status status = WAL_OK;
  for (int j = 0; j < out->m && !status; j++) {
    index[j] = (index_entry){out->goods[j], j};
    status = wal_nodes_number(yaml, map->items[j], "the capacity", WAL_ABOVE_0, &out->supply[j]);
  }
  qsort(index, (size_t)out->m, sizeof *index, compare_entries);
  return status;
}

/* One buyer's bids into row[m], zeroed beforehand. */
static wal_status read_bids(const wal_yaml *yaml, const wal_node *bids, const index_entry *index, int m,
                            double *row) {
  if (bids->kind != WAL_NODE_MAP) return wal_node_fail(yaml, bids, "expected a mapping {GOOD: NUMBER}");
  wal_status status = WAL_OK;
  for (int k = 0; k < bids->count && !status; k++) {
    const index_entry wanted = {bids->keys[k]->text, 0};
    const index_entry *found = bsearch(&wanted, index, (size_t)m, sizeof *index, compare_entries);
    if (!found)
      return wal_node_fail(yaml, bids->keys[k], "a bid for \"%.60s\", which item_capacities does not have",
                           wanted.name);
    status = wal_nodes_number(yaml, bids->items[k], "the bid", WAL_NOT_BELOW_0, &row[found->good]);
  }
  return status;
}

static wal_status read_maps(const wal_yaml *yaml, const char *path, wal_course_bids *out) {
  const wal_node *valuations, *capacities;
  wal_status status = find_map(yaml, "valuations", &valuations);
  if (!status) status = find_map(yaml, "item_capacities", &capacities);
  if (status) return status;
  const size_t n = (size_t)valuations->count, m = (size_t)capacities->count;
  index_entry *index = calloc(m, sizeof *index);
  *out = (wal_course_bids){.n = (int)n,
                           .m = (int)m,
                           .buyers = copy_keys(valuations),
                           .goods = copy_keys(capacities),
                           .values = calloc(n * m, sizeof *out->values),
                           .supply = calloc(m, sizeof *out->supply)};
  if (!index || !out->buyers || !out->goods || !out->values || !out->supply)
    status = no_memory(path);
  else
    status = read_capacities(yaml, capacities, index, out);
  for (size_t i = 0; i < n && !status; i++)
    status = read_bids(yaml, valuations->items[i], index, out->m, out->values + i * m);
  free(index);
  return status;
}

static void note_unknown(const wal_yaml *yaml, const char *path, FILE *notes) {
  const wal_node *root = wal_yaml_root(yaml);
  for (int k = 0; k < root->count; k++)
    if (strcmp(root->keys[k]->text, "valuations") != 0 && strcmp(root->keys[k]->text, "item_capacities") != 0)
      fprintf(notes, "%s: \"%.60s\" is ignored: a Fisher market has no such thing\n", path,
              root->keys[k]->text);
}

wal_status wal_course_bids_read(const char *path, FILE *notes, wal_course_bids *out) {
  wal_yaml *yaml = NULL;
  *out = (wal_course_bids){0};
  wal_status status = wal_yaml_load_data(path, &yaml);
  if (status) return status;
  status = read_maps(yaml, path, out);
  if (status)
    wal_course_bids_free(out);
  else
    note_unknown(yaml, path, notes);
  wal_yaml_free(yaml);
  return status;
}

void wal_course_bids_free(wal_course_bids *bids) {
  if (!bids) return;
  wal_names_free(bids->buyers, bids->n);
  wal_names_free(bids->goods, bids->m);
  free(bids->values);
  free(bids->supply);
  *bids = (wal_course_bids){0};
}

/* ---- writing ---- */

/* columns 0: one dimension. */
static wal_status write_numbers(hid_t file, const char *name, int rows, int columns, const double *cells) {
  const hsize_t size[2] = {(hsize_t)rows, (hsize_t)columns};
  hid_t space = H5Screate_simple(columns ? 2 : 1, size, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(creation, false);
  hid_t dataset = H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  const bool written =
      dataset >= 0 && H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, cells) >= 0;
  wal_h5_close(dataset);
  wal_h5_close(creation);
  wal_h5_close(space);
  return written ? WAL_OK : wal_h5_fail(WAL_E_MEMORY, -1, "cannot write %s", name);
}

static wal_status write_content(const wal_course_bids *bids, const char *source, hid_t file) {
  const double alpha = 1.0;
  char hash[33];
  wal_status status = wal_file_hash(source, hash);
  if (!status) status = wal_h5_set_text(file, "schema", "walras-market-1");
  if (!status) status = wal_h5_set_numbers(file, "alpha", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, &alpha);
  if (!status) status = wal_h5_set_text(file, "imported_from", source);
  if (!status) status = wal_h5_set_text(file, "imported_xxh128", hash);
  if (!status) status = write_numbers(file, "values", bids->n, bids->m, bids->values);
  if (!status) status = write_numbers(file, "supply", bids->m, 0, bids->supply);
  if (!status) status = wal_texts_write(file, "buyer_names", bids->n, bids->buyers);
  if (!status) status = wal_texts_write(file, "good_names", bids->m, bids->goods);
  return status;
}

wal_status wal_course_bids_write(const wal_course_bids *bids, const char *source, const char *path) {
  hid_t file = -1;
  wal_status status = wal_h5_create(&file);
  if (!status) status = write_content(bids, source, file);
  if (!status) status = wal_h5_save(file, path);
  wal_h5_close(file);
  return status;
}
