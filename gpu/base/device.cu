#include "gpu/cuda.h"

/* One row for each seam that gpu/ implements. */
const wal_device wal_device_cuda = {
    .name = "cuda",
    .mlp = nullptr,
    .dual = nullptr,
    .measure = nullptr,
    .descent = nullptr,
    .fc = nullptr,
    .pf = nullptr,
    .search = nullptr,
};
