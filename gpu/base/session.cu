#include <mutex>

#include "gpu/base/session.h"

static wal_session the_session;
static bool is_open;
static std::mutex opening;

wal_status wal_cuda_failed(cudaError_t error, const char *call, const char *file, int line) {
  cudaGetLastError(); /* the next call begins clean */
  const char *text = cudaGetErrorString(error);
  switch (error) {
    case cudaErrorMemoryAllocation:
      return wal_fail(WAL_E_MEMORY, "%s:%d: %s: %s", file, line, call, text);
    case cudaErrorNoDevice:
    case cudaErrorInsufficientDriver:
      return wal_fail(WAL_E_UNSUPPORTED, "no GPU can be used: %s", text);
    default:
      return wal_fail(WAL_E_INTERNAL, "%s:%d: %s: %s", file, line, call, text);
  }
}

static wal_status open_session(void) {
  int count = 0, driver = 0;
  WAL_CUDA_TRY(cudaDriverGetVersion(&driver));
  if (driver == 0) return wal_fail(WAL_E_UNSUPPORTED, "there is no NVIDIA driver");
  WAL_CUDA_TRY(cudaGetDeviceCount(&count));
  if (count < 1) return wal_fail(WAL_E_UNSUPPORTED, "the driver finds no GPU");
  WAL_CUDA_TRY(cudaSetDevice(0)); /* CUDA_VISIBLE_DEVICES chooses which that is */
  WAL_CUDA_TRY(cudaGetDeviceProperties(&the_session.prop, 0));
  if (the_session.prop.major < 8)
    return wal_fail(WAL_E_UNSUPPORTED, "%s has compute capability %d.%d; expected 8.0 or more",
                    the_session.prop.name, the_session.prop.major, the_session.prop.minor);
  WAL_CUDA_TRY(cudaStreamCreate(&the_session.stream));
  is_open = true;
  return WAL_OK;
}

wal_status wal_session_get(const wal_session **out) {
  const std::lock_guard<std::mutex> one(opening);
  *out = nullptr;
  if (is_open)
    WAL_CUDA_TRY(cudaSetDevice(0)); /* the current device is each thread's own */
  else
    WAL_TRY(open_session());
  *out = &the_session;
  return WAL_OK;
}

wal_status wal_session_wait(void) {
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  WAL_CUDA_TRY(cudaStreamSynchronize(session->stream));
  return WAL_OK;
}
