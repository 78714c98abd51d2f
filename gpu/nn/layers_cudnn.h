/* The graphs of a hidden layer, apart from the member that executes them: a program can plan them for a GPU
 * that is not there. */
#ifndef WAL_GPU_LAYERS_CUDNN_H
#define WAL_GPU_LAYERS_CUDNN_H

#include "gpu/nn/cudnn_graph.h"

enum wal_layer_form {
  WAL_FORM_INFER,   /* x, W, b -> a */
  WAL_FORM_FORWARD, /* x, W, b -> kept, a: SiLU, which keeps its argument */
  WAL_FORM_INPUT,   /* dz, W, kept -> dx */
  WAL_FORM_WEIGHTS, /* dz, x -> parts of the gradient */
};
enum { WAL_LAYER_FORMS = 4 };
const char *wal_layer_form_name(wal_layer_form form);

/* The plan for a batch of `rows`; WAL_E_UNSUPPORTED where no engine takes the graph. The real tensors are
 * bound in the order above. */
wal_status wal_layer_plan(const wal_cudnn_target *target, const wal_layers_shape *shape, wal_layer_form form,
                          int64_t rows, wal_cudnn_plan *out);

/* The parts that a batch's gradient is made in: a divisor of rows, as close to wal_layer_slices as there is.
 */
int64_t wal_cudnn_slices(int64_t rows, int64_t width);

#endif
