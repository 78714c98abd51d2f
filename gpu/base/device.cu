#include "gpu/cuda.h"
#include "gpu/market/descent.h"
#include "gpu/market/dual.h"
#include "gpu/market/fc_cuda.h"
#include "gpu/nn/mlp_cuda.h"
#include "gpu/market/measure.h"

#include "gpu/mechanism/pf.h"

/* One row for each seam that gpu/ implements. */
const wal_device wal_device_cuda = {
    .name = "cuda",
    .mlp = &wal_mlp_cuda,
    .dual = &wal_dual_cuda,
    .measure = &wal_measure_cuda,
    .descent = &wal_descent_cuda,
    .fc = &wal_fc_cuda,
    .pf = &wal_pf_cuda,
    .search = &wal_search_cuda,
};
