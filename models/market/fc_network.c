#include "models/market/fc_network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/device.h"
#include "models/common/parallel.h"
#include "models/market/fc_device.h"

const wal_fc_recipe wal_fc_recipe_fc = {"fc", WAL_FC_SOFTPLUS, false};
const wal_fc_recipe wal_fc_recipe_fc_share = {"fc_share", WAL_FC_SHARE, false};
const wal_fc_recipe wal_fc_recipe_tower = {"tower", WAL_FC_SHARE, true};

int64_t wal_fc_network_rows(const wal_fc_network *network) {
  return network->recipe->tower ? 1 : network->about.m;
}

int64_t wal_fc_network_inputs(const wal_fc_network *network) {
  return network->recipe->tower ? network->about.d : 2 * (int64_t)network->about.d;
}

void wal_fc_network_read(const wal_fc_network *network, const float *b, float *in) {
  const int m = network->about.m, d = network->about.d;
  const size_t bytes = (size_t)d * sizeof *b;
  if (network->recipe->tower) {
    memcpy(in, b, bytes);
    return;
  }
  for (int j = 0; j < m; j++, in += 2 * d) {
    memcpy(in, b, bytes);
    memcpy(in + d, network->about.goods + (int64_t)j * d, bytes);
  }
}

/* ---- The allocation ---- */

/* Scratch of one wal_fc_cpu_fill(). */
typedef struct {
  float *b, *in, *z; /* [rows, d], [rows * network rows, inputs], [rows, m] */
  double *budget;    /* [rows] */
} fill_rows;

static wal_status infer_rows(const wal_fc_network *a, int64_t lo, int64_t count, const fill_rows *f,
                             double *x) {
  const wal_source *buyers = a->market->buyers;
  const int64_t m = a->about.m, d = a->about.d, rows = wal_fc_network_rows(a);
  wal_status status = buyers->ops->contexts(buyers, lo, lo + count, f->b);
  if (!status && a->recipe->output == WAL_FC_SHARE)
    status = buyers->ops->rows(buyers, lo, lo + count, NULL, f->budget);
  if (status) return status;
  for (int64_t i = 0; i < count; i++)
    wal_fc_network_read(a, f->b + i * d, f->in + i * rows * wal_fc_network_inputs(a));
  status = a->net->ops->infer(a->net, count * rows, f->in, f->z);
  for (int64_t i = 0; !status && i < count; i++)
    wal_fc_allocate(a->recipe->output, a->about.m, f->z + i * m, f->budget[i], a->about.lambda, x + i * m);
  return status;
}

wal_status wal_fc_cpu_fill(const wal_fc_network *a, int64_t lo, int64_t hi, double *x) {
  const size_t count = hi - lo < WAL_CHUNK ? (size_t)(hi - lo) : WAL_CHUNK;
  const size_t m = (size_t)a->about.m, d = (size_t)a->about.d;
  const size_t cells = (size_t)(wal_fc_network_rows(a) * wal_fc_network_inputs(a));
  fill_rows f = {.b = malloc(count * d * sizeof *f.b),
                 .in = malloc(count * cells * sizeof *f.in),
                 .z = malloc(count * m * sizeof *f.z),
                 .budget = calloc(count, sizeof *f.budget)};
  wal_status status = WAL_OK;
  if (!f.b || !f.in || !f.z || !f.budget)
    status = wal_fail(WAL_E_MEMORY, "no memory for %zu buyers of %zu goods", count, m);
  for (int64_t at = lo; !status && at < hi; at += WAL_CHUNK)
    status = infer_rows(a, at, hi - at < WAL_CHUNK ? hi - at : WAL_CHUNK, &f, x + (at - lo) * (int64_t)m);
  free(f.b);
  free(f.in);
  free(f.z);
  free(f.budget);
  return status;
}

static wal_status fill(const wal_allocation *allocation, int64_t lo, int64_t hi, double *x) {
  const wal_fc_network *network = (const wal_fc_network *)allocation;
  return network->ops->fill(network, lo, hi, x);
}

static void destroy(wal_allocation *allocation) { wal_fc_network_destroy((wal_fc_network *)allocation); }

/* Two, so that a device knows its own. */
static const wal_allocation_ops cpu_ops = {"network", fill, destroy}, device_ops = {"network", fill, destroy};

const wal_fc_network *wal_fc_network_of(const wal_allocation *allocation) {
  const bool is_network = allocation->ops == &cpu_ops || allocation->ops == &device_ops;
  return is_network ? (const wal_fc_network *)allocation : NULL;
}

/* ---- Sums over buyers ---- */

static wal_status demand_body(void *context, int64_t lo, int64_t hi, double *sum) {
  const wal_fc_network *network = context;
  const int64_t m = network->about.m;
  double *x = malloc((size_t)((hi - lo) * m) * sizeof *x);
  if (!x) return wal_fail(WAL_E_MEMORY, "no memory for %lld buyers", (long long)(hi - lo));
  const wal_status status = wal_fc_cpu_fill(network, lo, hi, x);
  for (int64_t i = 0; !status && i < (hi - lo) * m; i++) sum[i % m] += x[i];
  free(x);
  return status;
}

wal_status wal_fc_cpu_demand(const wal_fc_network *network, int64_t count, double *total) {
  return wal_sum_chunks(count, network->about.m, demand_body, (void *)(uintptr_t)network, total);
}

wal_status wal_fc_network_demand(const wal_fc_network *network, int64_t count, double *total) {
  return network->ops->demand(network, count, total);
}

/* ---- Life ---- */

wal_status wal_fc_network_takes(const char *solver, const wal_market *market) {
  if (!market->buyers->ops->contexts || !market->goods || market->d < 1)
    return wal_fail(WAL_E_UNSUPPORTED,
                    "%s needs a market whose buyers and goods have contexts; newton needs none", solver);
  if (market->alpha == -INFINITY)
    return wal_fail(WAL_E_UNSUPPORTED, "%s needs a finite alpha; newton takes -inf", solver);
  return WAL_OK;
}

static wal_status activation_parse(const wal_trained_network *about, wal_activation *activation) {
  static const char *const names[] = {[WAL_RELU] = "relu", [WAL_TANH] = "tanh", [WAL_SILU] = "silu"};
  for (int i = 0; i < 3; i++)
    if (strcmp(about->activation, names[i]) == 0) {
      *activation = (wal_activation)i;
      return WAL_OK;
    }
  return wal_fail(WAL_E_INPUT, "%s.activation is '%s'; expected relu, tanh or silu", about->recipe,
                  about->activation);
}

static wal_status recipe_parse(const char *name, const wal_fc_recipe **recipe) {
  const wal_fc_recipe *const recipes[] = {&wal_fc_recipe_fc, &wal_fc_recipe_fc_share, &wal_fc_recipe_tower};
  for (int i = 0; i < 3; i++)
    if (strcmp(name, recipes[i]->name) == 0) {
      *recipe = recipes[i];
      return WAL_OK;
    }
  return wal_fail(WAL_E_INPUT, "the network's recipe is '%s'; expected fc, fc_share or tower", name);
}

/* The market's part of `about`, copied. */
static wal_status know_market(wal_fc_network *network, const wal_market *market) {
  wal_trained_network *about = &network->about;
  const size_t m = (size_t)market->m, cells = m * (size_t)market->d;
  network->market = market;
  about->m = market->m;
  about->d = market->d;
  about->alpha = market->alpha;
  about->goods = malloc(cells * sizeof *about->goods);
  about->lambda = malloc(m * sizeof *about->lambda);
  about->mean = malloc(m * sizeof *about->mean);
  if (!about->goods || !about->lambda || !about->mean)
    return wal_fail(WAL_E_MEMORY, "no memory for %d goods of %d elements", market->m, market->d);
  memcpy(about->goods, market->goods, cells * sizeof *about->goods);
  for (size_t j = 0; j < m; j++) {
    about->lambda[j] = NAN;
    about->mean[j] = market->supply[j] / (double)market->n;
  }
  return WAL_OK;
}

wal_status wal_fc_cpu_open(const wal_mlp_config *config, wal_fc_network *network) {
  return wal_mlp_create(config, &network->net);
}

void wal_fc_cpu_close(wal_fc_network *network) { wal_mlp_destroy(network->net); }

static wal_status create_mlp(wal_fc_network *network, int64_t buyers, const char *precision) {
  wal_trained_network *about = &network->about;
  wal_mlp_config config = {.inputs = (int)wal_fc_network_inputs(network),
                           .outputs = network->recipe->tower ? about->m : 1,
                           .width = about->width,
                           .depth = about->depth,
                           .max_rows = buyers * wal_fc_network_rows(network),
                           .seed = about->seed};
  wal_status status = activation_parse(about, &config.activation);
  if (!status) status = wal_precision_parse(precision, &config.precision);
  if (!status) status = network->ops->open(&config, network);
  if (!status) about->parameter_count = network->net->ops->parameter_count(network->net);
  return status;
}

wal_status wal_fc_network_create(const wal_trained_network *about, const wal_market *market, int64_t buyers,
                                 const char *precision, wal_fc_network **out) {
  *out = NULL;
  wal_fc_network *network = calloc(1, sizeof *network);
  if (!network) return wal_fail(WAL_E_MEMORY, "no memory for a network");
  network->ops = wal_device_now()->fc ? wal_device_now()->fc : &wal_fc_cpu;
  network->base.ops = network->ops == &wal_fc_cpu ? &cpu_ops : &device_ops;
  network->about = *about;
  network->about.goods = network->about.parameters = NULL;
  network->about.lambda = network->about.mean = NULL;
  wal_status status = recipe_parse(about->recipe, &network->recipe);
  if (!status) status = know_market(network, market);
  if (!status) status = create_mlp(network, buyers, precision);
  if (status)
    wal_fc_network_destroy(network);
  else
    *out = network;
  return status;
}

void wal_fc_network_destroy(wal_fc_network *network) {
  if (!network) return;
  network->ops->close(network);
  wal_trained_network_destroy(&network->about);
  free(network);
}
