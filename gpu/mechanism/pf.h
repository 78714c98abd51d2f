/* The CUDA members for mechanisms: proportional fairness (models/mechanism/pf.h) and the search for
   misreports under it (models/mechanism/attack_report.h). */
#ifndef WAL_GPU_MECHANISM_PF_H
#define WAL_GPU_MECHANISM_PF_H

#ifdef __cplusplus
extern "C" {
#endif

#include "models/common/device.h"
#include "models/mechanism/pf.h"

/* Up to 32 lanes of a warp for an instance that fits shared memory, else a block and global memory; instances
   of more than 256 resources, or that need more than 1 GiB, go to the CPU's member as they are. Where a
   polish is asked for, the interior point goes to a hundredth of tol, what is at a bound is put there and
   Newton steps find the rest. What then has a residual above 1e-12, or derivatives wanted and none (within
   1e-9), or has not converged after 50 steps, is solved by the CPU's member. Calls from several threads wait
   for each other. */
extern const wal_pf_ops wal_pf_cuda;

/* The search among the "candidates" under PF: reports are made, tried and compared on the device. */
extern const struct wal_search_ops wal_search_cuda;

/* Instances that this process's calls of both have left to the CPU's member so far. */
int64_t wal_pf_cuda_left(void);
void wal_pf_cuda_leave(int64_t count); /* count more */

/* For tests: from now on so many instances (agents of a search) are on the device at once, and large ones go
   to so many blocks, at most; 0: what fits. */
void wal_pf_cuda_limit(int64_t instances, int64_t blocks);
int64_t wal_pf_cuda_at_once(int64_t instances); /* of these, within the limit */

#ifdef __cplusplus
}
#endif

#endif
