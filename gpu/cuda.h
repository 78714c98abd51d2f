/* What gpu/ offers to the rest of the house, callable from C: one device behind models/common/device.h. */
#ifndef WAL_GPU_CUDA_H
#define WAL_GPU_CUDA_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "models/common/device.h"
#include "models/common/status.h"

/* The members for CUDA. Nothing touches the driver before one of them is called. */
extern const wal_device wal_device_cuda;

/* Whether a GPU can be used, asked of the driver in a process of its own (a process that has used CUDA cannot
   be forked). WAL_OK and a line about it into text[size], "NVIDIA H100 80GB HBM3, driver 13.0, CUDA 13.0,
   cuDNN 9.14"; otherwise WAL_E_UNSUPPORTED and the reason in wal_error(). */
wal_status wal_cuda_probe(char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
