#include <new>

#include "gpu/nn/activation.h"
#include "gpu/nn/layers.h"
#include "gpu/nn/product.h"

template <class T>
__global__ __launch_bounds__(WAL_PRODUCT_THREADS,
                             2) void wal_layer_forward(wal_layers_shape shape, int64_t rows, const T *x,
                                                       const float *w, const float *bias, T *kept, T *a) {
  const int64_t width = shape.width;
  const wal_factor<T, true> left = {x, width, rows, width, shape.precision};
  const wal_factor<float, true> right = {w, width, width, width, shape.precision};
  wal_product(
      left, right, [=](int64_t j) { return bias[j]; },
      [=](int64_t i, int64_t j, int count, float4 z) {
        if (kept) wal_put_four(kept, width, i, j, count, z);
        const float4 y =
            make_float4(wal_activate(shape.activation, z.x), wal_activate(shape.activation, z.y),
                        wal_activate(shape.activation, z.z), wal_activate(shape.activation, z.w));
        wal_put_four(a, width, i, j, count, y);
      });
}

template <class T>
__global__ __launch_bounds__(WAL_PRODUCT_THREADS,
                             2) void wal_layer_input(wal_layers_shape shape, int64_t rows, const T *dz,
                                                     const float *w, const T *kept, T *dx) {
  const int64_t width = shape.width;
  const wal_factor<T, true> left = {dz, width, rows, width, shape.precision};
  const wal_factor<float, false> right = {w, width, width, width, shape.precision};
  wal_product(
      left, right, [](int64_t) { return 0.0f; },
      [=](int64_t i, int64_t j, int count, float4 d) {
        const float4 k = wal_get_four(kept, width, i, j, count);
        d.x *= wal_derivative(shape.activation, k.x), d.y *= wal_derivative(shape.activation, k.y);
        d.z *= wal_derivative(shape.activation, k.z), d.w *= wal_derivative(shape.activation, k.w);
        wal_put_four(dx, width, i, j, count, d);
      });
}

/* Slice blockIdx.z of the batch. */
template <class T>
__global__ __launch_bounds__(WAL_PRODUCT_THREADS, 2) void wal_layer_weights_part(wal_layers_shape shape,
                                                                                 int64_t rows, const T *dz,
                                                                                 const T *x, float *part) {
  const int64_t width = shape.width, slices = gridDim.z, slice = blockIdx.z;
  const int64_t lo = rows * slice / slices, hi = rows * (slice + 1) / slices;
  const wal_factor<T, false> left = {dz + lo * width, width, width, hi - lo, shape.precision};
  const wal_factor<T, false> right = {x + lo * width, width, width, hi - lo, shape.precision};
  float *out = part + slice * width * width;
  wal_product(
      left, right, [](int64_t) { return 0.0f; },
      [=](int64_t i, int64_t j, int count, float4 v) { wal_put_four(out, width, i, j, count, v); });
}

template <class T>
static wal_status forward_as(const wal_layers_shape *shape, int64_t rows, const void *x,
                             wal_layer_weights weights, void *kept, void *a) {
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  WAL_CUDA_TRY(wal_launch(wal_layer_forward<T>, wal_product_grid(rows, shape->width, 1), WAL_PRODUCT_THREADS,
                          0, session->stream, *shape, rows, static_cast<const T *>(x), weights.w, weights.b,
                          static_cast<T *>(kept), static_cast<T *>(a)));
  return WAL_OK;
}

template <class T>
static wal_status input_as(const wal_layers_shape *shape, int64_t rows, const void *dz,
                           wal_layer_weights weights, const void *kept, void *dx) {
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  WAL_CUDA_TRY(wal_launch(wal_layer_input<T>, wal_product_grid(rows, shape->width, 1), WAL_PRODUCT_THREADS, 0,
                          session->stream, *shape, rows, static_cast<const T *>(dz), weights.w,
                          static_cast<const T *>(kept), static_cast<T *>(dx)));
  return WAL_OK;
}

template <class T>
static wal_status weights_as(const wal_layers_shape *shape, int64_t rows, int64_t slices, const void *dz,
                             const void *x, float *part) {
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  WAL_CUDA_TRY(wal_launch(wal_layer_weights_part<T>, wal_product_grid(shape->width, shape->width, slices),
                          WAL_PRODUCT_THREADS, 0, session->stream, *shape, rows, static_cast<const T *>(dz),
                          static_cast<const T *>(x), part));
  return WAL_OK;
}

wal_status wal_plain_forward(const wal_layers_shape *shape, int64_t rows, const void *x,
                             wal_layer_weights weights, void *kept, void *a) {
  return shape->precision == WAL_BF16 ? forward_as<wal_bf16>(shape, rows, x, weights, kept, a)
                                      : forward_as<float>(shape, rows, x, weights, kept, a);
}

wal_status wal_plain_input(const wal_layers_shape *shape, int64_t rows, const void *dz,
                           wal_layer_weights weights, const void *kept, void *dx) {
  return shape->precision == WAL_BF16 ? input_as<wal_bf16>(shape, rows, dz, weights, kept, dx)
                                      : input_as<float>(shape, rows, dz, weights, kept, dx);
}

wal_status wal_plain_weights(const wal_layers_shape *shape, int64_t rows, int64_t slices, const void *dz,
                             const void *x, float *part) {
  return shape->precision == WAL_BF16 ? weights_as<wal_bf16>(shape, rows, slices, dz, x, part)
                                      : weights_as<float>(shape, rows, slices, dz, x, part);
}

int64_t wal_layer_slices(int64_t rows, int64_t width) {
  const int64_t rows_each = 512, most = 64, elements = int64_t(1) << 22; /* of all parts together */
  int64_t slices = rows / rows_each;
  if (slices > most) slices = most;
  if (slices > elements / (width * width)) slices = elements / (width * width);
  return slices < 1 ? 1 : slices;
}

/* ---- the member ---- */

struct plain_layers {
  wal_layers base;
  wal_layers_shape shape;
};

static const wal_layers_shape *shape_of(const wal_layers *layers) {
  return &reinterpret_cast<const plain_layers *>(layers)->shape;
}

static wal_status create(const wal_layers_shape *shape, wal_layers **out) {
  plain_layers *made = new (std::nothrow) plain_layers{{&wal_layers_plain}, *shape};
  *out = made ? &made->base : nullptr;
  return made ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for a network's layers");
}

static void destroy(wal_layers *layers) { delete reinterpret_cast<plain_layers *>(layers); }
static wal_status prepare(wal_layers *, int64_t, bool) { return WAL_OK; }

static wal_status forward(wal_layers *layers, int64_t rows, const void *x, wal_layer_weights weights,
                          void *kept, void *a) {
  return wal_plain_forward(shape_of(layers), rows, x, weights, kept, a);
}

static wal_status input(wal_layers *layers, int64_t rows, const void *dz, wal_layer_weights weights,
                        const void *kept, void *dx) {
  return wal_plain_input(shape_of(layers), rows, dz, weights, kept, dx);
}

static int64_t slices(const wal_layers *layers, int64_t rows) {
  return wal_layer_slices(rows, shape_of(layers)->width);
}

static wal_status weights(wal_layers *layers, int64_t rows, const void *dz, const void *x, float *part) {
  return wal_plain_weights(shape_of(layers), rows, slices(layers, rows), dz, x, part);
}

static const char *engine(const wal_layers *) { return "plain"; }

const wal_layers_ops wal_layers_plain = {"plain", create,  destroy, prepare, forward,
                                         input,   weights, slices,  engine};

/* Tensor cores where they can be used, own kernels elsewhere. */
wal_status wal_layers_create(const wal_layers_shape *shape, wal_layers **out) {
#ifndef WAL_EMULATED
  const wal_status status = wal_layers_cudnn.create(shape, out);
  if (status != WAL_E_UNSUPPORTED) return status;
#endif
  return wal_layers_plain.create(shape, out);
}
