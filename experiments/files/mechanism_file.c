#include "experiments/files/mechanism_file.h"

#include <stdlib.h>
#include <string.h>

#include "engine/h5.h"
#include "experiments/files/model_parts.h"
#include "models/common/version.h"

enum { MOST_UNITS = 1 << 16, MOST_LAYERS = 1 << 10 }; /* beyond which a file is not believed */

/* What a file says about a mechanism besides its parameters. */
typedef struct {
  char kind[32];
  int n, m;
  wal_mechanism_options options;
  int64_t steps; /* Adam steps of its training */
  int models;    /* WAL_MODELS_VERSION when it was trained */
} record;

#define OPTION(name, kind, field)                                                   \
  {                                                                                 \
    name, kind, offsetof(record, options) + offsetof(wal_mechanism_options, field), \
        sizeof((record *)0)->options.field                                          \
  }
static const wal_fact fact_list[] = {
    {"kind", WAL_FACT_TEXT, offsetof(record, kind), sizeof((record *)0)->kind},
    {"n", WAL_FACT_INT, offsetof(record, n), 0},
    {"m", WAL_FACT_INT, offsetof(record, m), 0},
    OPTION("rho", WAL_FACT_REAL, rho),
    OPTION("theta", WAL_FACT_REAL, theta),
    OPTION("clip_one", WAL_FACT_REAL, clip_one),
    OPTION("clip_both", WAL_FACT_REAL, clip_both),
    OPTION("width", WAL_FACT_INT, width),
    OPTION("depth", WAL_FACT_INT, depth),
    OPTION("activation", WAL_FACT_TEXT, activation),
    OPTION("seed", WAL_FACT_UINT64, seed),
    {"steps", WAL_FACT_INT64, offsetof(record, steps), 0},
    {"models_version", WAL_FACT_INT, offsetof(record, models), 0},
};
static const wal_facts facts = {fact_list, sizeof fact_list / sizeof *fact_list};

/* The one array; count 0: not known before the file is read. */
static wal_model_array parameter_array(int64_t count, float **parameters) {
  return (wal_model_array){.name = "parameters",
                           .doc = "layer by layer W[out, in], then b[out]",
                           .single = true,
                           .shape = {(hsize_t)count},
                           .rank = 1,
                           .data = (void **)parameters};
}

/* ---- writing ---- */

static wal_status write_file(const wal_mechanism *f, float *parameters, const wal_provenance *provenance,
                             const char *path) {
  record r = {.n = f->n,
              .m = f->m,
              .options = f->options,
              .steps = f->net->ops->steps(f->net),
              .models = WAL_MODELS_VERSION};
  snprintf(r.kind, sizeof r.kind, "%s", f->kind->name);
  const wal_model_array array = parameter_array(f->net->ops->parameter_count(f->net), &parameters);
  hid_t file = -1;
  wal_status status = wal_h5_create(&file);
  if (!status) status = wal_model_write(file, WAL_MECHANISM_SCHEMA, &facts, &r, provenance, &array, 1);
  if (!status) status = wal_h5_save(file, path);
  wal_h5_close(file);
  return status;
}

wal_status wal_mechanism_file_write(const wal_mechanism *f, const wal_provenance *provenance,
                                    const char *path) {
  if (!f->net) return wal_fail(WAL_E_INPUT, "%s has no network to write", f->kind->name);
  const int64_t count = f->net->ops->parameter_count(f->net);
  float *parameters = malloc((size_t)count * sizeof *parameters);
  if (!parameters) return wal_fail(WAL_E_MEMORY, "no memory for %lld parameters", (long long)count);
  wal_status status = f->net->ops->get(f->net, 0, parameters);
  if (!status) status = write_file(f, parameters, provenance, path);
  free(parameters);
  return status;
}

/* ---- reading ---- */

static wal_status check_kind(const record *r) {
  const wal_mechanism_kind *kind = wal_mechanism_find(r->kind);
  if (kind && kind->learned) return WAL_OK;
  return wal_fail(WAL_E_INPUT, "/: attribute 'kind' is '%s'; expected a learned mechanism of this walras%s",
                  r->kind, kind ? "" : " (walras list mechanisms names them)");
}

/* So that no file makes us build a network that its parameters cannot fill. */
static wal_status check_sizes(const record *r, int64_t count) {
  const wal_mechanism_options *o = &r->options;
  const bool sizes = r->n >= 1 && r->n <= MOST_UNITS && r->m >= 1 && r->m <= MOST_UNITS && o->width >= 0 &&
                     o->width <= MOST_UNITS && o->depth >= 0 && o->depth <= MOST_LAYERS;
  if (!sizes)
    return wal_fail(WAL_E_INPUT,
                    "/: n %d, m %d, width %d, depth %d; expected n and m from 1 to %d, width and depth "
                    "from 0 to %d and %d",
                    r->n, r->m, o->width, o->depth, MOST_UNITS, MOST_UNITS, MOST_LAYERS);
  const double hidden = (double)o->width * o->width * (o->depth - 2), cells = (double)r->n * r->m;
  if ((o->depth < 3 || hidden <= (double)count) && cells <= 1 << 24) return WAL_OK;
  return wal_fail(WAL_E_INPUT, "/: n %d, m %d, width %d, depth %d do not fit the %lld parameters of the file",
                  r->n, r->m, o->width, o->depth, (long long)count);
}

static wal_status create(const record *r, const float *parameters, int64_t count, wal_mechanism **out) {
  wal_mechanism_options options = r->options;
  options.polish = true;
  wal_status status = wal_mechanism_create(r->kind, r->n, r->m, &options, out);
  if (status) return status;
  wal_mlp *net = (*out)->net;
  if (net->ops->parameter_count(net) != count)
    return wal_fail(WAL_E_INPUT,
                    "/parameters: %lld numbers; expected %lld of this %s of %d agents and %d resources%s",
                    (long long)count, (long long)net->ops->parameter_count(net), r->kind, r->n, r->m,
                    r->models != WAL_MODELS_VERSION ? " (another walras wrote it: train it again)" : "");
  status = net->ops->set(net, 0, parameters);
  return status ? status : net->ops->set_steps(net, r->steps);
}

static wal_status read_file(hid_t file, record *r, wal_mechanism **out, wal_provenance *provenance) {
  float *parameters = NULL;
  wal_model_array array = parameter_array(0, &parameters);
  wal_status status = wal_model_check_schema(file, WAL_MECHANISM_SCHEMA);
  if (!status) status = wal_facts_read(file, &facts, r);
  if (!status) status = check_kind(r);
  if (!status) status = wal_model_array_read(file, &array);
  if (!status) status = check_sizes(r, (int64_t)array.shape[0]);
  if (!status) status = create(r, parameters, (int64_t)array.shape[0], out);
  if (!status && provenance) status = wal_model_provenance(file, &facts, provenance);
  free(parameters);
  return status;
}

wal_status wal_mechanism_file_read(const char *path, wal_mechanism **out, int *models,
                                   wal_provenance *provenance) {
  *out = NULL;
  if (provenance) *provenance = (wal_provenance){0};
  record r = {.options = wal_mechanism_defaults()};
  hid_t file = -1;
  wal_status status = wal_h5_open(path, &file);
  if (!status && (status = read_file(file, &r, out, provenance))) wal_fail_in(status, "%s:", path);
  wal_h5_close(file);
  if (models) *models = r.models;
  if (!status) return WAL_OK;
  wal_mechanism_destroy(*out);
  *out = NULL;
  if (provenance) wal_provenance_free(provenance);
  return status;
}
