/* This process's GPU: made at first use, kept until the process ends. Errors of CUDA, cuDNN and cuBLAS become
   the house's status with file, call and text. */
#ifndef WAL_GPU_SESSION_H
#define WAL_GPU_SESSION_H

#include <cuda_runtime.h>
#include <stddef.h>
#include <stdint.h>

extern "C" {
#include "models/common/status.h"
}

struct wal_session {
  int device;          /* number among CUDA's */
  cudaDeviceProp prop; /* name, multiprocessors, shared memory */
  cudaStream_t stream; /* everything runs on this one, in order */
};

/* WAL_E_UNSUPPORTED when there is no usable GPU: says why, and what works (device: cpu). */
wal_status wal_session_get(const wal_session **out);

/* Waits for all work on the session's stream; a kernel's failure comes out here. */
wal_status wal_session_wait(void);

/* Makes the status of a failed call: WAL_E_MEMORY, WAL_E_UNSUPPORTED or WAL_E_INTERNAL; "file:line: call:
 * text". */
wal_status wal_cuda_failed(cudaError_t error, const char *call, const char *file, int line);

#define WAL_CUDA_TRY(call)                                                                        \
  do {                                                                                            \
    const cudaError_t wal_error_ = (call);                                                        \
    if (wal_error_ != cudaSuccess) return wal_cuda_failed(wal_error_, #call, __FILE__, __LINE__); \
  } while (0)

#define WAL_TRY(call)                              \
  do {                                             \
    const wal_status wal_status_ = (call);         \
    if (wal_status_ != WAL_OK) return wal_status_; \
  } while (0)

#endif
