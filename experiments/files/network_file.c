#include "experiments/files/network_file.h"

#include <stdlib.h>

#include "engine/h5.h"
#include "experiments/files/model_parts.h"

enum { MOST_UNITS = 1 << 16, MOST_LAYERS = 1 << 10 }; /* beyond which a file is not believed */

static const wal_fact fact_list[] = {
    {"recipe", WAL_FACT_TEXT, offsetof(wal_trained_network, recipe),
     sizeof((wal_trained_network *)0)->recipe},
    {"m", WAL_FACT_INT, offsetof(wal_trained_network, m), 0},
    {"d", WAL_FACT_INT, offsetof(wal_trained_network, d), 0},
    {"alpha", WAL_FACT_REAL, offsetof(wal_trained_network, alpha), 0},
    {"width", WAL_FACT_INT, offsetof(wal_trained_network, width), 0},
    {"depth", WAL_FACT_INT, offsetof(wal_trained_network, depth), 0},
    {"activation", WAL_FACT_TEXT, offsetof(wal_trained_network, activation),
     sizeof((wal_trained_network *)0)->activation},
    {"seed", WAL_FACT_UINT64, offsetof(wal_trained_network, seed), 0},
    {"steps", WAL_FACT_INT64, offsetof(wal_trained_network, steps), 0},
};
static const wal_facts facts = {fact_list, sizeof fact_list / sizeof *fact_list};

static wal_status check_sizes(const wal_trained_network *network) {
  const bool sizes = network->m >= 1 && network->m <= MOST_UNITS && network->d >= 1 &&
                     network->d <= MOST_UNITS && network->width >= 1 && network->width <= MOST_UNITS &&
                     network->depth >= 1 && network->depth <= MOST_LAYERS;
  if (sizes) return WAL_OK;
  return wal_fail(WAL_E_INPUT, "/: m %d, d %d, width %d, depth %d; expected 1 to %d each (depth to %d)",
                  network->m, network->d, network->width, network->depth, MOST_UNITS, MOST_LAYERS);
}

enum { ARRAYS = 4 };

/* The arrays of a network; a shape of 0 elements: not known before the file is read. */
static void list_arrays(wal_trained_network *network, wal_model_array out[ARRAYS]) {
  const hsize_t m = (hsize_t)network->m, d = (hsize_t)network->d;
  out[0] = (wal_model_array){"goods", "contexts of the goods", true, {m, d}, 2, (void **)&network->goods};
  out[1] = (wal_model_array){"lambda", "prices after training", false, {m}, 1, (void **)&network->lambda};
  out[2] = (wal_model_array){
      "mean", "supply of each good per buyer in training", false, {m}, 1, (void **)&network->mean};
  out[3] = (wal_model_array){"parameters",
                             "layer by layer W[out, in], then b[out]",
                             true,
                             {(hsize_t)network->parameter_count},
                             1,
                             (void **)&network->parameters};
}

wal_status wal_network_file_write(const wal_trained_network *network, const wal_provenance *provenance,
                                  const char *path) {
  wal_trained_network copy = *network; /* list_arrays' pointers are for reading too */
  wal_model_array arrays[ARRAYS];
  list_arrays(&copy, arrays);
  hid_t file = -1;
  wal_status status = wal_h5_create(&file);
  if (!status)
    status = wal_model_write(file, WAL_NETWORK_SCHEMA, &facts, network, provenance, arrays, ARRAYS);
  if (!status) status = wal_h5_save(file, path);
  wal_h5_close(file);
  return status;
}

static wal_status read_all(hid_t file, wal_trained_network *network, wal_provenance *provenance) {
  wal_model_array arrays[ARRAYS];
  wal_status status = wal_model_check_schema(file, WAL_NETWORK_SCHEMA);
  if (!status) status = wal_facts_read(file, &facts, network);
  if (!status) status = check_sizes(network);
  list_arrays(network, arrays);
  for (int i = 0; !status && i < ARRAYS; i++) status = wal_model_array_read(file, &arrays[i]);
  network->parameter_count = (int64_t)arrays[3].shape[0];
  if (!status && provenance) status = wal_model_provenance(file, &facts, provenance);
  return status;
}

wal_status wal_network_file_read(const char *path, wal_trained_network *network, wal_provenance *provenance) {
  *network = (wal_trained_network){0};
  if (provenance) *provenance = (wal_provenance){0};
  hid_t file = -1;
  wal_status status = wal_h5_open(path, &file);
  if (!status && (status = read_all(file, network, provenance))) wal_fail_in(status, "%s:", path);
  wal_h5_close(file);
  if (status) {
    wal_trained_network_destroy(network);
    wal_provenance_free(provenance);
  }
  return status;
}
