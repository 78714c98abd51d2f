#include "gpu/base/reduce.h"

/* partial[k, d] += partial[k + half, d] for k + half < count: one level of the tree. */
__global__ void wal_fold(int64_t half, int64_t count, int64_t dim, double *partial) {
  const int64_t cells = (count - half) * dim;
  for (int64_t at = wal_thread(); at < cells; at += wal_threads_all())
    partial[at] += partial[half * dim + at];
}

wal_status wal_sum_partials(int64_t count, int64_t dim, double *partial, double *sum) {
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  if (count == 0) {
    WAL_CUDA_TRY(cudaMemsetAsync(sum, 0, static_cast<size_t>(dim) * sizeof *sum, session->stream));
    return WAL_OK;
  }
  while (count > 1) {
    const int64_t half = (count + 1) / 2;
    WAL_CUDA_TRY(wal_launch(wal_fold, wal_grid((count - half) * dim, 256), 256, 0, session->stream, half,
                            count, dim, partial));
    count = half;
  }
  WAL_CUDA_TRY(cudaMemcpyAsync(sum, partial, static_cast<size_t>(dim) * sizeof *sum, cudaMemcpyDeviceToDevice,
                               session->stream));
  return WAL_OK;
}
