/* The threads of an emulated grid. Private to gpu/emulation. */
#ifndef WAL_EMULATION_FIBERS_H
#define WAL_EMULATION_FIBERS_H

#include <cuda_runtime.h>

/* Runs thread() for every thread of every block, block after block, on this CPU thread. */
void wal_fibers_run(dim3 grid, dim3 block, size_t shared, const std::function<void()> &thread);

#endif
