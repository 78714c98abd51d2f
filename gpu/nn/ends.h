/* A network's ends: its first and its last layer, whose thin sides leave tensor cores nothing to do, and the
   sums over rows and slices. Float32 throughout but for what is stored between layers. Device pointers;
   queued on the session's stream. */
#ifndef WAL_GPU_ENDS_H
#define WAL_GPU_ENDS_H

#include "gpu/nn/layers.h"

/* What goes in and out of a layer. */
enum wal_numbers { WAL_IN_FLOAT32, WAL_IN_BF16 };

/* y[rows, out] = activation(z), z = x[rows, in] W[out, in]^T + b[out]; without `activated`: y = z, float32.
   kept[rows, out] = z where it is not NULL, as y is. x is float32 for the first layer. */
struct wal_end {
  int64_t in, out;
  wal_activation activation;
  bool activated;
  wal_numbers x, y;
};
wal_status wal_end_forward(const wal_end *end, int64_t rows, const void *x, const float *w, const float *b,
                           void *kept, void *y);

/* Sums over rows come in slices, each the sum over its rows in their order: of weights' gradients, and of
 * everything else. */
int64_t wal_end_slices(const wal_end *end, int64_t rows);
int64_t wal_row_slices(int64_t rows);

/* Gradient of the first layer: dw[end slices, out, in], db[row slices, out] of dz[rows, out] (as end->y) and
 * x[rows, in] float32. */
wal_status wal_first_backward(const wal_end *end, int64_t rows, const void *dz, const float *x, float *dw,
                              float *db);
/* dx[rows, in] = dz W, float32. */
wal_status wal_first_input(const wal_end *end, int64_t rows, const void *dz, const float *w, float *dx);

/* The last layer, all at once: from dy[rows, out] float32, a[rows, in] and kept[rows, in] (the same array
   unless SiLU; as end->x) dz[rows, in] = (dy W) o activation'(kept), as end->x; dw[end slices, out, in],
   db[row slices, out], and before[row slices, in]: the sums of dz, the gradient of the layer before's b. */
wal_status wal_last_backward(const wal_end *end, int64_t rows, const float *dy, const float *w, const void *a,
                             const void *kept, void *dz, float *dw, float *db, float *before);

/* sum[row slices, columns] of v[rows, columns]. */
wal_status wal_sum_rows(wal_numbers numbers, int64_t rows, int64_t columns, const void *v, float *sum);

/* Where a layer's gradient is to come from: dw[w_slices, weights], db[b_slices, biases]. */
struct wal_gradient_part {
  const float *dw, *db;
  int64_t w_slices, b_slices;
  int64_t weights, biases; /* counts */
};
enum { WAL_GRADIENT_PARTS = 16 };

/* gradient = the slices' sums, layer after layer, W then b; a fixed tree. count <= WAL_GRADIENT_PARTS. */
wal_status wal_sum_slices(int count, const wal_gradient_part *parts, float *gradient);

/* to[count] = from in bf16. */
wal_status wal_shorten_array(int64_t count, const float *from, wal_bf16 *to);

#endif
