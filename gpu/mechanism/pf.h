/* The CUDA member of proportional fairness (models/mechanism/pf.h). */
#ifndef WAL_GPU_MECHANISM_PF_H
#define WAL_GPU_MECHANISM_PF_H

#ifdef __cplusplus
extern "C" {
#endif

#include "models/mechanism/pf.h"

/* Any number of agents and resources: up to 32 lanes of a warp for an instance that fits shared memory, else
   a block and global memory. The interior point goes to a hundredth of tol where a polish is asked for; what
   is then not certified to 1e-9, or too near to where it has no derivative, or has not converged after 50
   steps, is solved by the CPU's member. Calls from several threads wait for each other. */
extern const wal_pf_ops wal_pf_cuda;

/* Instances that this process's calls have left to the CPU's member so far. */
int64_t wal_pf_cuda_left(void);

#ifdef __cplusplus
}
#endif

#endif
