/* Training steps on one batch, captured once as a CUDA graph and replayed: what benchmarks time and tests
 * compare. For C, too. */
#ifndef WAL_GPU_REPLAY_H
#define WAL_GPU_REPLAY_H

#ifdef __cplusplus
extern "C" {
#endif

#include "models/nn/mlp.h"

typedef struct wal_mlp_replay wal_mlp_replay;

/* Captures forward of x[rows, inputs], backward of dy[rows, outputs] and a step of a network of wal_mlp_cuda;
   x and dy are copied from the host. The network must outlive the graph. */
wal_status wal_mlp_replay_open(wal_mlp *net, int64_t rows, const float *x, const float *dy,
                               wal_mlp_replay **out);
void wal_mlp_replay_close(wal_mlp_replay *replay); /* accepts NULL */

/* Queues the captured step, at the network's present rate on the device. */
wal_status wal_mlp_replay_queue(wal_mlp_replay *replay);
/* The same at this rate, and the outputs before it: y[rows, outputs]. Waits. */
wal_status wal_mlp_replay_step(wal_mlp_replay *replay, float rate, float *y);

#ifdef __cplusplus
}
#endif

#endif
