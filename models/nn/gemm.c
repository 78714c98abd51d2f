#include "models/nn/gemm.h"

#include <stdbool.h>
#include <string.h>

/* Keeps a loaded vector in a register: without it GCC repeats the load as an operand of every multiply-add,
   and the two load ports become the limit. */
#if WAL_LANES > 4
#define IN_REGISTER(vector) __asm__("" : "+v"(vector))
#else
#define IN_REGISTER(vector) (void)(vector)
#endif

static inline wal_vec sigmoid(wal_vec z) { return wal_vec_set(1) / (wal_vec_set(1) + wal_vec_exp(-z)); }

/* NaN stays NaN in all three. */
static inline wal_vec activate(wal_activation activation, wal_vec z) {
  const wal_vec one = wal_vec_set(1);
  if (activation == WAL_RELU) return (wal_vec)(~(z <= 0) & (wal_mask)z);
  if (activation == WAL_TANH) return one - (one + one) / (wal_vec_exp(z + z) + one);
  return z * sigmoid(z);
}

/* The derivative from what forward() kept: z for SiLU, the activation itself otherwise. */
static inline wal_vec derivative(wal_activation activation, wal_vec kept) {
  const wal_vec one = wal_vec_set(1);
  if (activation == WAL_RELU) return (wal_vec)((kept > 0) & (wal_mask)one);
  if (activation == WAL_TANH) return one - kept * kept;
  const wal_vec s = sigmoid(kept);
  return s * (one + kept * (one - s));
}

/* The vector c of C's elements `at`, finished. */
static inline __attribute__((always_inline)) wal_vec finished(const wal_gemm *g, const wal_finish finish,
                                                              const wal_activation activation, wal_vec c,
                                                              int64_t at) {
  if (finish == WAL_FINISH_DERIVE) return c * derivative(activation, wal_vec_load(g->kept + at));
  if (finish == WAL_FINISH_NOTHING) return c;
  if (g->kept) wal_vec_store(g->kept + at, c);
  return activate(activation, c);
}

/* Stores a tile of C. */
static inline __attribute__((always_inline)) void store(const wal_gemm *g, int64_t i, int64_t j,
                                                        const int rows, const int vectors,
                                                        const wal_finish finish,
                                                        const wal_activation activation,
                                                        wal_vec sum[WAL_TILE][2]) {
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
      const int64_t at = (i + r) * g->c_row + j + v * WAL_LANES;
      wal_vec_store(g->c + at, finished(g, finish, activation, sum[r][v], at));
    }
}

/* Asks for memory before it is needed, where the processor cannot guess: the tile of C and what is kept
   beside it, which are used when the sums are done (where C is accumulated: the next tile), and, for A in
   tiles, this tile's part of the next panel of B. Addresses past the end are harmless. */
static inline __attribute__((always_inline)) void prefetch(const wal_gemm *g, int64_t i, int64_t j,
                                                           const int rows, const bool tiles) {
  const float *c = g->c + (i + (tiles ? rows : 0)) * g->c_row + j;
  for (int r = 0; r < rows; r++, c += g->c_row) {
    __builtin_prefetch(c, 1);
    __builtin_prefetch(c + WAL_LANES, 1);
  }
  if (!tiles && g->kept) {
    const float *kept = g->kept + i * g->c_row + j;
    for (int r = 0; r < rows; r++, kept += g->c_row) {
      __builtin_prefetch(kept);
      __builtin_prefetch(kept + WAL_LANES);
    }
  }
  if (tiles) {
    const int64_t first = i * g->depth / g->rows, last = (i + rows) * g->depth / g->rows;
    const float *b = g->b + j + WAL_PANEL + first * g->b_row;
    for (int64_t k = first; k < last; k++, b += g->b_row) {
      __builtin_prefetch(b);
      __builtin_prefetch(b + WAL_LANES);
    }
  }
}

/* C's tile of `rows` x `vectors` stays in registers while k runs: at 8 x 2 (AVX-512) or 4 x 2 there are
   enough independent chains to hide the latency of the multiply-add. The last three arguments are constants
   at every call, so that the compiler unrolls everything. */
static inline __attribute__((always_inline)) void tile(const wal_gemm *g, int64_t i, int64_t j,
                                                       const int rows, const int vectors, const bool tiles) {
  const float *a = g->a + i * (tiles ? g->depth : g->a_row);
  const float *b = g->b + (tiles ? j : j * g->depth);
  const int64_t a_row = tiles ? 1 : g->a_row, a_k = tiles ? rows : 1, b_k = tiles ? g->b_row : WAL_PANEL;
  wal_vec sum[WAL_TILE][2];
  prefetch(g, i, j, rows, tiles);
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
  if (g->finish == WAL_FINISH_NOTHING)
    store(g, i, j, rows, vectors, WAL_FINISH_NOTHING, WAL_RELU, sum);
  else if (g->activation != WAL_RELU)
    store(g, i, j, rows, vectors, g->finish, g->activation, sum);
  else if (g->finish == WAL_FINISH_ACTIVATE)
    store(g, i, j, rows, vectors, WAL_FINISH_ACTIVATE, WAL_RELU, sum);
  else
    store(g, i, j, rows, vectors, WAL_FINISH_DERIVE, WAL_RELU, sum);
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

void wal_tiles_pack(int64_t depth, int64_t rows, const float *x, int64_t x_row, float *tiles, float *sum) {
  int64_t i = 0;
  for (; i + WAL_PANEL <= rows; i += WAL_PANEL) { /* whole cache lines of x */
    wal_vec sum0 = wal_vec_load(sum + i), sum1 = wal_vec_load(sum + i + WAL_LANES);
    float *to = tiles + i * depth;
    for (int64_t k = 0; k < depth; k++, to += WAL_TILE) {
      const float *from = x + k * x_row + i;
      sum0 += wal_vec_load(from);
      sum1 += wal_vec_load(from + WAL_LANES);
      for (int t = 0; t < WAL_PANEL / WAL_TILE; t++)
        memcpy(to + t * WAL_TILE * depth, from + t * WAL_TILE, WAL_TILE * sizeof *to);
    }
    wal_vec_store(sum + i, sum0);
    wal_vec_store(sum + i + WAL_LANES, sum1);
  }
  while (i < rows) {
    const int64_t width = rows - i >= WAL_TILE ? WAL_TILE : 1;
    float *to = tiles + i * depth;
    for (int64_t k = 0; k < depth; k++)
      for (int64_t r = 0; r < width; r++) {
        *to++ = x[k * x_row + i + r];
        sum[i + r] += x[k * x_row + i + r];
      }
    i += width;
  }
}
