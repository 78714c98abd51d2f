#include "models/nn/gemm.h"

#include <stdbool.h>
#include <string.h>

/* Keeps a loaded vector in a register: without it GCC repeats the load as an operand of every multiply-add,
   and the two load ports become the limit. */
#if WAL_LANES > 4
#define IN_REGISTER(vector) __asm__("" : "+x"(vector))
#else
#define IN_REGISTER(vector) (void)(vector)
#endif

/* C's tile of `rows` x `vectors` stays in registers while k runs: at 8 x 2 (AVX-512) or 4 x 2 there are
   enough independent chains to hide the latency of the multiply-add. The last three arguments are constants
   at every call, so that the compiler unrolls everything. */
static inline __attribute__((always_inline)) void tile(const wal_gemm *g, int64_t i, int64_t j,
                                                       const int rows, const int vectors, const bool tiles) {
  const float *a = g->a + i * (tiles ? g->depth : g->a_row);
  const float *b = g->b + (tiles ? j : j * g->depth);
  const int64_t a_row = tiles ? 1 : g->a_row, a_k = tiles ? rows : 1, b_k = tiles ? g->b_row : WAL_PANEL;
  wal_vec sum[WAL_TILE][2];
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++)
      sum[r][v] = wal_vec_load(g->c0 + (i + r) * g->c0_row + j + v * WAL_LANES);
#pragma GCC unroll 4
  for (int64_t k = 0; k < g->depth; k++) {
    wal_vec bk[2];
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
      bk[v] = wal_vec_load(b + v * WAL_LANES);
      IN_REGISTER(bk[v]);
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      wal_vec ark = wal_vec_set(a[r * a_row]);
      IN_REGISTER(ark);
#pragma GCC unroll 2
      for (int v = 0; v < vectors; v++) sum[r][v] = wal_vec_fma(ark, bk[v], sum[r][v]);
    }
    a += a_k;
    b += b_k;
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) wal_vec_store(g->c + (i + r) * g->c_row + j + v * WAL_LANES, sum[r][v]);
}

static inline __attribute__((always_inline)) void product(const wal_gemm *g, const bool tiles) {
  for (int64_t j = 0; j < g->columns; j += WAL_PANEL) { /* a panel of B stays in the first-level cache */
    int64_t i = 0;
    if (g->columns - j >= WAL_PANEL) {
      for (; i + WAL_TILE <= g->rows; i += WAL_TILE) tile(g, i, j, WAL_TILE, 2, tiles);
      for (; i < g->rows; i++) tile(g, i, j, 1, 2, tiles);
    } else {
      for (; i + WAL_TILE <= g->rows; i += WAL_TILE) tile(g, i, j, WAL_TILE, 1, tiles);
      for (; i < g->rows; i++) tile(g, i, j, 1, 1, tiles);
    }
  }
}

void wal_gemm_panels(const wal_gemm *g) { product(g, false); }
void wal_gemm_tiles(const wal_gemm *g) { product(g, true); }

void wal_panel_pack(int64_t depth, int64_t columns, const float *b, int64_t b_k, int64_t b_j, int64_t panel,
                    float *panels) {
  float *out = panels + panel * WAL_PANEL * depth;
  const int64_t first = panel * WAL_PANEL, width = columns - first < WAL_PANEL ? columns - first : WAL_PANEL;
  for (int64_t k = 0; k < depth; k++, out += WAL_PANEL) {
    for (int64_t j = 0; j < width; j++) out[j] = b[k * b_k + (first + j) * b_j];
    for (int64_t j = width; j < WAL_PANEL; j++) out[j] = 0;
  }
}

void wal_tiles_pack(int64_t depth, int64_t rows, const float *x, int64_t x_row, float *tiles) {
  int64_t i = 0;
  for (; i + WAL_TILE <= rows; i += WAL_TILE)
    for (int64_t k = 0; k < depth; k++, tiles += WAL_TILE)
      memcpy(tiles, x + k * x_row + i, WAL_TILE * sizeof *tiles);
  for (; i < rows; i++)
    for (int64_t k = 0; k < depth; k++) *tiles++ = x[k * x_row + i];
}
