#include "models/nn/mlp.h"

#include <math.h>
#include <string.h>

#include "models/common/device.h"
#include "models/common/rng.h"

wal_status wal_mlp_create(const wal_mlp_config *config, wal_mlp **out) {
  const wal_mlp_ops *ops = wal_device_now()->mlp;
  return (ops ? ops : &wal_mlp_cpu)->create(config, out);
}

void wal_mlp_destroy(wal_mlp *net) {
  if (net) net->ops->destroy(net);
}

static const char *const precisions[] = {[WAL_FLOAT32] = "float32", [WAL_TF32] = "tf32", [WAL_BF16] = "bf16"};

wal_status wal_precision_parse(const char *name, wal_precision *out) {
  for (int i = 0; i <= WAL_BF16; i++)
    if (strcmp(name, precisions[i]) == 0) return *out = (wal_precision)i, WAL_OK;
  return wal_fail(WAL_E_INPUT, "precision \"%.40s\"; expected float32, tf32 or bf16", name);
}

const char *wal_precision_name(wal_precision precision) { return precisions[precision]; }

wal_status wal_mlp_check(const wal_mlp_config *config) {
  const struct {
    const char *name;
    int64_t value;
  } sizes[] = {{"inputs", config->inputs},
               {"outputs", config->outputs},
               {"width", config->width},
               {"depth", config->depth},
               {"max_rows", config->max_rows}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    if (sizes[i].value < 1)
      return wal_fail(WAL_E_INPUT, "network %s is %lld; expected at least 1", sizes[i].name,
                      (long long)sizes[i].value);
  if (config->activation > WAL_SILU)
    return wal_fail(WAL_E_INPUT, "activation %d; expected WAL_RELU, WAL_TANH or WAL_SILU",
                    config->activation);
  if (config->precision > WAL_BF16)
    return wal_fail(WAL_E_INPUT, "precision %d; expected WAL_FLOAT32, WAL_TF32 or WAL_BF16",
                    config->precision);
  return WAL_OK;
}

static int64_t layer_inputs(const wal_mlp_config *c, int l) { return l == 0 ? c->inputs : c->width; }
static int64_t layer_outputs(const wal_mlp_config *c, int l) {
  return l == c->depth - 1 ? c->outputs : c->width;
}

int64_t wal_mlp_parameters(const wal_mlp_config *config) {
  int64_t count = 0;
  for (int l = 0; l < config->depth; l++) count += layer_outputs(config, l) * (layer_inputs(config, l) + 1);
  return count;
}

/* U(-1/sqrt(in), 1/sqrt(in)) for W and b; element number k of the seam's order is draw k. */
void wal_mlp_draw(const wal_mlp_config *config, float *out) {
  uint64_t draw = 0;
  for (int l = 0; l < config->depth; l++) {
    const int64_t in = layer_inputs(config, l), count = layer_outputs(config, l) * (in + 1);
    const double bound = 1 / sqrt((double)in);
    for (int64_t i = 0; i < count; i++, draw++)
      *out++ = (float)(bound * (2 * wal_rng_uniform(config->seed, WAL_STREAM_WEIGHTS, draw) - 1));
  }
}
