#include "gpu/base/reduce.h"

enum { BRANCHES = 32 };

/* One level of the tree: partial[k, d] = sum_b partial[k + b rows, d] for k < rows, k + b rows < count. */
__global__ void wal_fold(int64_t rows, int64_t count, int64_t dim, double *partial) {
  const int64_t at = wal_thread(), row = at / dim;
  if (row >= rows) return;
  double sum = 0.0;
#pragma unroll
  for (int b = 0; b < BRANCHES; b++)
    if (row + b * rows < count) sum += partial[b * rows * dim + at];
  partial[at] = sum;
}

wal_status wal_sum_partials(int64_t count, int64_t dim, double *partial, double *sum) {
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  if (count == 0) {
    WAL_CUDA_TRY(cudaMemsetAsync(sum, 0, static_cast<size_t>(dim) * sizeof *sum, session->stream));
    return WAL_OK;
  }
  while (count > 1) {
    const int64_t rows = (count + BRANCHES - 1) / BRANCHES;
    WAL_CUDA_TRY(
        wal_launch(wal_fold, wal_grid(rows * dim, 256), 256, 0, session->stream, rows, count, dim, partial));
    count = rows;
  }
  WAL_CUDA_TRY(cudaMemcpyAsync(sum, partial, static_cast<size_t>(dim) * sizeof *sum, cudaMemcpyDeviceToDevice,
                               session->stream));
  return WAL_OK;
}
