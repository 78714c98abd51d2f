/* The one file that knows gpu/, and only where it was built in. */
#include "experiments/devices.h"

#ifdef WAL_HAVE_CUDA
#include "gpu/cuda.h"
static const wal_device_offer cuda = {"cuda", "CUDA", &wal_device_cuda, wal_cuda_probe};
#else
static const wal_device_offer cuda = {"cuda", "CUDA", NULL, NULL};
#endif

const wal_device_offer *const wal_devices[] = {&cuda, NULL};
