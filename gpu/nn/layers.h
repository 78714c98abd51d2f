/* The hidden layers' products, [rows, width] by [width, width]: an internal seam. Members: `plain`, own
   kernels in any precision, the reference; `cudnn`, cuDNN's graphs on tensor cores.

   "Stored" numbers are float32, or bf16 in WAL_BF16 (wal_stored_bytes). Device pointers, rows without
   padding, 16-byte aligned. Everything is queued on the session's stream; only create and prepare allocate or
   wait. */
#ifndef WAL_GPU_LAYERS_H
#define WAL_GPU_LAYERS_H

#include "gpu/base/array.h"
#include "gpu/base/bf16.h"

extern "C" {
#include "models/nn/mlp.h"
}

struct wal_layers_shape {
  int64_t width;
  int64_t most_rows; /* that a batch has: arrays have room for as many */
  wal_activation activation;
  wal_precision precision;
};

static inline size_t wal_stored_bytes(wal_precision precision) { return precision == WAL_BF16 ? 2 : 4; }

/* W[width, width] and b[width] of a layer. */
struct wal_layer_weights {
  const float *w, *b;
  const wal_bf16 *w16; /* W in bf16; NULL but in WAL_BF16 */
};

struct wal_layers;
struct wal_layers_ops {
  const char *name; /* "plain", "cudnn" */
  wal_status (*create)(const wal_layers_shape *shape, wal_layers **out);
  void (*destroy)(wal_layers *layers); /* accepts NULL */
  /* Chooses how to compute batches of `rows`, forward and, where `training`, backward. */
  wal_status (*prepare)(wal_layers *layers, int64_t rows, bool training);
  /* a[rows, width] = activation(z), z = x[rows, width] W^T + b. kept[rows, width] = z where it is not NULL.
   * All stored. */
  wal_status (*forward)(wal_layers *layers, int64_t rows, const void *x, wal_layer_weights weights,
                        void *kept, void *a);
  /* dx[rows, width] = (dz[rows, width] W) o activation'(kept[rows, width]), kept: the argument for SiLU, the
     activation otherwise. All stored. */
  wal_status (*input)(wal_layers *layers, int64_t rows, const void *dz, wal_layer_weights weights,
                      const void *kept, void *dx);
  /* part[slices, width, width]: dz^T x over the slices(rows) parts of the batch; their sum is the gradient of
   * W. */
  wal_status (*weights)(wal_layers *layers, int64_t rows, const void *dz, const void *x, float *part);
  int64_t (*slices)(const wal_layers *layers, int64_t rows);
  /* "plain", "cudnn: forward eng3 (tensor cores), ...". */
  const char *(*engine)(const wal_layers *layers);
};
struct wal_layers {
  const wal_layers_ops *ops;
};

extern const wal_layers_ops wal_layers_plain;
#ifndef WAL_EMULATED
extern const wal_layers_ops wal_layers_cudnn; /* create: WAL_E_UNSUPPORTED where plain is the better choice */
#endif

/* The better member for this shape. */
wal_status wal_layers_create(const wal_layers_shape *shape, wal_layers **out);

/* The plain member's functions, for what another has no engine for. */
wal_status wal_plain_forward(const wal_layers_shape *shape, int64_t rows, const void *x,
                             wal_layer_weights weights, void *kept, void *a);
wal_status wal_plain_input(const wal_layers_shape *shape, int64_t rows, const void *dz,
                           wal_layer_weights weights, const void *kept, void *dx);
wal_status wal_plain_weights(const wal_layers_shape *shape, int64_t rows, int64_t slices, const void *dz,
                             const void *x, float *part);
/* Enough slices to fill a GPU, few enough that their sums are little work beside the products. */
int64_t wal_layer_slices(int64_t rows, int64_t width);

#endif
