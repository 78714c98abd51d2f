#include "gpu/base/array.h"

static const size_t RESERVE = size_t(256) << 20; /* bytes that libraries and their engines may want */
static const double MIB = 1024.0 * 1024.0;

wal_status wal_device_allocate(size_t bytes, const char *what, const char *lower, void **out) {
  *out = nullptr;
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  if (bytes == 0) return WAL_OK;
  const cudaError_t error = cudaMalloc(out, bytes);
  if (error != cudaErrorMemoryAllocation) {
    WAL_CUDA_TRY(error);
    return WAL_OK;
  }
  *out = nullptr;
  cudaGetLastError();
  size_t free = 0, total = 0;
  WAL_CUDA_TRY(cudaMemGetInfo(&free, &total));
  return wal_fail(WAL_E_MEMORY,
                  "%s: %.1f MiB asked of the GPU, %.1f of its %.1f MiB are free; %s or --device cpu works",
                  what, static_cast<double>(bytes) / MIB, static_cast<double>(free) / MIB,
                  static_cast<double>(total) / MIB, lower);
}

void wal_device_free(void *memory) {
  if (memory) cudaFree(memory);
}

wal_status wal_pinned_allocate(size_t bytes, void **out) {
  *out = nullptr;
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  WAL_CUDA_TRY(cudaMallocHost(out, bytes));
  return WAL_OK;
}

void wal_pinned_free(void *memory) {
  if (memory) cudaFreeHost(memory);
}

wal_status wal_device_room(size_t *bytes) {
  *bytes = 0;
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  size_t free = 0, total = 0;
  WAL_CUDA_TRY(cudaMemGetInfo(&free, &total));
  const size_t reserve = RESERVE < total / 8 ? RESERVE : total / 8;
  *bytes = free > reserve ? free - reserve : 0;
  return WAL_OK;
}

wal_status wal_upload_bytes(void *to, const void *from, size_t bytes) {
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  if (bytes) WAL_CUDA_TRY(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, session->stream));
  /* A driver that stages ordinary memory has read it by now; a device that reads it in place has not. */
  if (session->prop.pageableMemoryAccess) WAL_CUDA_TRY(cudaStreamSynchronize(session->stream));
  return WAL_OK;
}

wal_status wal_download_bytes(void *to, const void *from, size_t bytes) {
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  if (bytes) WAL_CUDA_TRY(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, session->stream));
  WAL_CUDA_TRY(cudaStreamSynchronize(session->stream));
  return WAL_OK;
}
