#ifndef WAL_EMULATED

#include <stdio.h>

#include <memory>
#include <mutex>
#include <new>

#include "gpu/nn/layers_cudnn.h"

/* ---- graphs ---- */

const char *wal_layer_form_name(wal_layer_form form) {
  static const char *const names[WAL_LAYER_FORMS] = {"infer", "forward", "input", "weights"};
  return names[form];
}

static cudnnDataType_t stored_type(wal_precision precision) {
  return precision == WAL_BF16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

/* [rows, width] of a batch, as stored or as float32. */
static wal_cudnn_matrix batch_matrix(const wal_layers_shape *shape, int64_t rows, cudnnDataType_t type) {
  return wal_cudnn_matrix{1, rows, shape->width, rows * shape->width, shape->width, 1, type};
}

/* a = activation(x W^T + b); the argument is kept where `keep` says so. */
static void forward_graph(const wal_layers_shape *shape, int64_t rows, bool keep, wal_cudnn_graph *graph) {
  static const cudnnPointwiseMode_t modes[] = {CUDNN_POINTWISE_RELU_FWD, CUDNN_POINTWISE_TANH_FWD,
                                               CUDNN_POINTWISE_SWISH_FWD};
  const int64_t width = shape->width;
  const wal_cudnn_matrix stored = batch_matrix(shape, rows, stored_type(shape->precision));
  const wal_cudnn_matrix passing = batch_matrix(shape, rows, CUDNN_DATA_FLOAT);
  const auto x = graph->real(stored);
  const auto w = graph->real({1, width, width, width * width, 1, width, stored.type}); /* W^T */
  const auto b = graph->real({1, 1, width, width, width, 1, CUDNN_DATA_FLOAT});
  const auto kept = keep ? graph->real(stored) : graph->passing(passing);
  const auto a = graph->real(stored), product = graph->passing(passing);
  graph->matmul(x, w, product);
  graph->pointwise(CUDNN_POINTWISE_ADD, product, b, kept);
  graph->pointwise(modes[shape->activation], kept, nullptr, a);
}

/* dx = (dz W) o activation'(kept). Tanh is kept itself: its derivative is 1 - kept^2. */
static void input_graph(const wal_layers_shape *shape, int64_t rows, wal_cudnn_graph *graph) {
  const int64_t width = shape->width;
  const wal_cudnn_matrix stored = batch_matrix(shape, rows, stored_type(shape->precision));
  const wal_cudnn_matrix passing = batch_matrix(shape, rows, CUDNN_DATA_FLOAT);
  const auto dz = graph->real(stored),
             w = graph->real({1, width, width, width * width, width, 1, stored.type});
  const auto kept = graph->real(stored), dx = graph->real(stored), product = graph->passing(passing);
  graph->matmul(dz, w, product);
  if (shape->activation == WAL_TANH) {
    const auto once = graph->passing(passing), twice = graph->passing(passing);
    graph->pointwise(CUDNN_POINTWISE_MUL, product, kept, once);
    graph->pointwise(CUDNN_POINTWISE_MUL, once, kept, twice);
    graph->pointwise(CUDNN_POINTWISE_SUB, product, twice, dx);
  } else {
    graph->pointwise_backward(
        shape->activation == WAL_RELU ? CUDNN_POINTWISE_RELU_BWD : CUDNN_POINTWISE_SWISH_BWD, product, kept,
        dx);
  }
}

/* Slice by slice of the batch: dz^T x. */
static void weights_graph(const wal_layers_shape *shape, int64_t rows, wal_cudnn_graph *graph) {
  const int64_t width = shape->width, slices = wal_cudnn_slices(rows, width), each = rows / slices;
  const cudnnDataType_t type = stored_type(shape->precision);
  const auto dz = graph->real({slices, width, each, each * width, 1, width, type}); /* transposed */
  const auto x = graph->real({slices, each, width, each * width, width, 1, type});
  const auto part = graph->real({slices, width, width, width * width, width, 1, CUDNN_DATA_FLOAT});
  graph->matmul(dz, x, part);
}

wal_status wal_layer_plan(const wal_cudnn_target *target, const wal_layers_shape *shape, wal_layer_form form,
                          int64_t rows, wal_cudnn_plan *out) {
  wal_cudnn_graph graph;
  switch (form) {
    case WAL_FORM_INFER:
      forward_graph(shape, rows, false, &graph);
      break;
    case WAL_FORM_FORWARD:
      forward_graph(shape, rows, true, &graph);
      break;
    case WAL_FORM_INPUT:
      input_graph(shape, rows, &graph);
      break;
    case WAL_FORM_WEIGHTS:
      weights_graph(shape, rows, &graph);
      break;
  }
  return graph.plan(*target, shape->precision, out);
}

int64_t wal_cudnn_slices(int64_t rows, int64_t width) {
  const int64_t most = 32; /* whose sums take a tenth of the products' time */
  int64_t slices = wal_layer_slices(rows, width) < most ? wal_layer_slices(rows, width) : most;
  while (rows % slices != 0) slices--;
  return slices;
}

/* ---- the process's handle ---- */

static cudnnHandle_t the_handle;
static std::mutex opening;

static wal_status handle_get(cudnnHandle_t *out) {
  const std::lock_guard<std::mutex> one(opening);
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  if (!the_handle) {
    cudnnHandle_t made;
    WAL_CUDNN_TRY(cudnnCreate(&made));
    WAL_CUDNN_TRY(cudnnSetStream(made, session->stream));
    the_handle = made;
  }
  *out = the_handle;
  return WAL_OK;
}

/* ---- the member ---- */

namespace {

/* The plans of a layer for one number of rows; those that are not ready are the plain member's work. */
struct batch_plans {
  wal_layers_shape shape;
  int64_t rows;
  bool training;
  wal_cudnn_plan plan[WAL_LAYER_FORMS];
};

/* All plans of the process: compiling takes seconds, and networks of one shape are many. Never freed: at the
   end of the process the driver may leave first. */
std::vector<std::unique_ptr<batch_plans>> &plans = *new std::vector<std::unique_ptr<batch_plans>>();
std::mutex planning; /* held while plans are looked for, made or executed */

struct cudnn_layers {
  wal_layers base;
  wal_layers_shape shape;
  cudnnHandle_t handle;
  const batch_plans *described; /* by `engine` */
  char engine[128];
};

cudnn_layers *of(wal_layers *layers) { return reinterpret_cast<cudnn_layers *>(layers); }

/* Inference has plans for few numbers of rows: the next power of two, what is beyond `rows` is computed in
 * vain. */
int64_t bucket(const cudnn_layers *layers, int64_t rows) {
  int64_t size = 128;
  while (size < rows) size *= 2;
  return size < layers->shape.most_rows ? size : layers->shape.most_rows;
}

batch_plans *find(const cudnn_layers *layers, int64_t rows, bool training) {
  const wal_layers_shape &shape = layers->shape;
  for (const auto &b : plans)
    if (b->rows == rows && b->shape.width == shape.width && b->shape.activation == shape.activation &&
        b->shape.precision == shape.precision && (b->training || !training))
      return b.get();
  return nullptr;
}

/* The plan that makes a batch; NULL: there is none. */
wal_cudnn_plan *plan_of(const cudnn_layers *layers, int64_t rows, wal_layer_form form) {
  batch_plans *b = find(layers, rows, form != WAL_FORM_INFER);
  if (!b && form == WAL_FORM_INFER) b = find(layers, bucket(layers, rows), false);
  return b && b->plan[form].ready() ? &b->plan[form] : nullptr;
}

bool needed(const cudnn_layers *layers, wal_layer_form form, bool training) {
  if (form == WAL_FORM_INFER) return true;
  return training && (form != WAL_FORM_FORWARD || layers->shape.activation == WAL_SILU);
}

void describe(cudnn_layers *layers, const batch_plans *b) {
  const size_t version = cudnnGetVersion();
  layers->described = b;
  char *text = layers->engine, *end = text + sizeof layers->engine;
  text +=
      snprintf(text, static_cast<size_t>(end - text), "cudnn %d.%d.%d:", static_cast<int>(version / 10000),
               static_cast<int>(version / 100 % 100), static_cast<int>(version % 100));
  for (int form = 0; form < WAL_LAYER_FORMS; form++)
    if (needed(layers, static_cast<wal_layer_form>(form), b->training))
      text += snprintf(text, static_cast<size_t>(end - text), " %s %s",
                       wal_layer_form_name(static_cast<wal_layer_form>(form)),
                       b->plan[form].ready() ? b->plan[form].name() : "plain");
}

wal_status make_plans(const cudnn_layers *layers, batch_plans *b) {
  const wal_cudnn_target target = {layers->handle, nullptr};
  for (int k = 0; k < WAL_LAYER_FORMS; k++) {
    const wal_layer_form form = static_cast<wal_layer_form>(k);
    if (!needed(layers, form, b->training)) continue;
    const wal_status status = wal_layer_plan(&target, &layers->shape, form, b->rows, &b->plan[k]);
    if (status == WAL_E_UNSUPPORTED) continue;
    WAL_TRY(status);
    WAL_TRY(b->plan[k].allocate());
  }
  return WAL_OK;
}

/* The plans for a batch, made when there are none. Those for training come first, so that inference of as
   many rows has the same engine. */
wal_status plans_for(const cudnn_layers *layers, int64_t rows, bool training, batch_plans **out) {
  if ((*out = find(layers, rows, training))) return WAL_OK;
  if (!training) rows = bucket(layers, rows);
  if ((*out = find(layers, rows, training))) return WAL_OK;
  std::unique_ptr<batch_plans> made(new (std::nothrow) batch_plans());
  if (!made) return wal_fail(WAL_E_MEMORY, "no memory for the plans of a network");
  made->shape = layers->shape, made->rows = rows, made->training = training;
  WAL_TRY(make_plans(layers, made.get()));
  *out = made.get();
  plans.insert(training ? plans.begin() : plans.end(), std::move(made));
  return WAL_OK;
}

wal_status prepare(wal_layers *base, int64_t rows, bool training) {
  const std::lock_guard<std::mutex> one(planning);
  batch_plans *found;
  WAL_TRY(plans_for(of(base), rows, training, &found));
  if (training && found != of(base)->described) describe(of(base), found);
  return WAL_OK;
}

wal_status forward(wal_layers *base, int64_t rows, const void *x, wal_layer_weights weights, void *kept,
                   void *a) {
  const std::lock_guard<std::mutex> one(planning);
  cudnn_layers *layers = of(base);
  const void *w = weights.w16 ? static_cast<const void *>(weights.w16) : weights.w;
  wal_cudnn_plan *plan = plan_of(layers, rows, kept ? WAL_FORM_FORWARD : WAL_FORM_INFER);
  if (!plan) return wal_plain_forward(&layers->shape, rows, x, weights, kept, a);
  const void *with[] = {x, w, weights.b, kept, a}, *without[] = {x, w, weights.b, a};
  return plan->execute(layers->handle, kept ? with : without);
}

wal_status input(wal_layers *base, int64_t rows, const void *dz, wal_layer_weights weights, const void *kept,
                 void *dx) {
  const std::lock_guard<std::mutex> one(planning);
  cudnn_layers *layers = of(base);
  wal_cudnn_plan *plan = plan_of(layers, rows, WAL_FORM_INPUT);
  if (!plan) return wal_plain_input(&layers->shape, rows, dz, weights, kept, dx);
  const void *pointers[] = {dz, weights.w16 ? static_cast<const void *>(weights.w16) : weights.w, kept, dx};
  return plan->execute(layers->handle, pointers);
}

int64_t slices(const wal_layers *base, int64_t rows) {
  return wal_cudnn_slices(rows, reinterpret_cast<const cudnn_layers *>(base)->shape.width);
}

wal_status weights(wal_layers *base, int64_t rows, const void *dz, const void *x, float *part) {
  const std::lock_guard<std::mutex> one(planning);
  cudnn_layers *layers = of(base);
  wal_cudnn_plan *plan = plan_of(layers, rows, WAL_FORM_WEIGHTS);
  if (!plan) return wal_plain_weights(&layers->shape, rows, slices(base, rows), dz, x, part);
  const void *pointers[] = {dz, x, part};
  return plan->execute(layers->handle, pointers);
}

const char *engine(const wal_layers *base) { return reinterpret_cast<const cudnn_layers *>(base)->engine; }

void destroy(wal_layers *base) { delete of(base); }

/* Float32 has no engine without tensor cores, whose factors are shorter; 16 bytes are 8 numbers in bf16. */
wal_status create(const wal_layers_shape *shape, wal_layers **out) {
  *out = nullptr;
  if (shape->precision == WAL_FLOAT32 || shape->width % 8 != 0)
    return wal_fail(WAL_E_UNSUPPORTED,
                    "cuDNN's engines are for tf32 and bf16 and widths that are multiples of 8");
  cudnn_layers *made = new (std::nothrow) cudnn_layers();
  if (!made) return wal_fail(WAL_E_MEMORY, "no memory for a network's layers");
  made->base.ops = &wal_layers_cudnn;
  made->shape = *shape;
  snprintf(made->engine, sizeof made->engine, "cudnn");
  const wal_status status = handle_get(&made->handle);
  if (status) return delete made, status;
  *out = &made->base;
  return WAL_OK;
}

}  // namespace

const wal_layers_ops wal_layers_cudnn = {"cudnn", create,  destroy, prepare, forward,
                                         input,   weights, slices,  engine};

#endif
