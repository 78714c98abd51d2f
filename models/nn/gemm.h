/* The matrix products that the network needs, in float32, on one thread: C = finish(C0 + A B). */
#ifndef WAL_NN_GEMM_H
#define WAL_NN_GEMM_H

#include <stdint.h>

#include "models/nn/mlp.h"
#include "models/nn/simd.h"

enum {
  WAL_PANEL = 2 * WAL_LANES,          /* columns of B that are read together */
  WAL_TILE = WAL_LANES == 16 ? 8 : 4, /* rows of A that are read together */
};

/* n rounded up to whole vectors. */
static inline int64_t wal_pad(int64_t n) { return (n + WAL_LANES - 1) / WAL_LANES * WAL_LANES; }

/* Floats of a packed matrix whose long side is n and whose short side (rows of A, columns of B) is `columns`.
 */
static inline int64_t wal_panels_size(int64_t n, int64_t columns) {
  return (columns + WAL_PANEL - 1) / WAL_PANEL * WAL_PANEL * n;
}

/* Packs panel number `panel` of B[depth, columns], B(k, j) = b[k * b_k + j * b_j], so that the panels of B
   lie one after the other, each [depth, WAL_PANEL] and padded with zeros. */
void wal_panel_pack(int64_t depth, int64_t columns, const float *b, int64_t b_k, int64_t b_j, int64_t panel,
                    float *panels);

/* Packs the transpose of x[depth, rows], row stride x_row, into tiles [rows / WAL_TILE][depth][WAL_TILE]; rows
   beyond the last whole tile follow as tiles of one row. Adds the sum of x over depth to sum[rows]. */
void wal_tiles_pack(int64_t depth, int64_t rows, const float *x, int64_t x_row, float *tiles, float *sum);

/* What happens to an element of C once its sum is complete. */
typedef enum {
  WAL_FINISH_NOTHING,
  WAL_FINISH_ACTIVATE, /* c = activation(c); the argument goes to `kept` if that is given */
  WAL_FINISH_DERIVE, /* c *= activation'(); `kept` holds the argument for SiLU, activation(argument) otherwise
                      */
} wal_finish;

/* Strides are in elements. */
typedef struct {
  int64_t rows, columns,
      depth; /* A [rows, depth], B [depth, columns], C [rows, columns]; columns: whole vectors */
  const float *a;
  int64_t a_row; /* unused for tiles */
  const float *b;
  int64_t b_row; /* unused for panels */
  const float *c0;
  int64_t c0_row; /* 0 repeats one row; c0 may be c */
  float *c;
  int64_t c_row;
  wal_finish finish;
  wal_activation activation;
  float *kept; /* [rows, columns], row stride c_row */
} wal_gemm;

/* A in rows, B in panels: the forward product and the gradient of the input. Every element of C is one chain
   c = fma(A(i, k), B(k, j), c) over k = 0, 1, ... from C0: its bits depend on neither the rows computed
   beside it, nor the tile, nor the width of the vectors. */
void wal_gemm_panels(const wal_gemm *g);

/* A in tiles, B in rows: the gradient of the weights. The same chains. */
void wal_gemm_tiles(const wal_gemm *g);

#endif
