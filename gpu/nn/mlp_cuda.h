/* The network on the device, for code in gpu/ whose batches are there already. The seam's member
   (wal_mlp_cuda) is the same object behind host pointers: create, destroy, get, set, steps and set_steps are
   the seam's.

   All pointers to numbers are device pointers, row-major, 16-byte aligned, float32 whatever the network's
   precision. Everything is queued on the session's stream in order; nothing waits. After
   wal_mlp_device_prepare for its number of rows, no call below allocates either, and all but prepare and
   set_rate can be captured in a graph and replayed:

     wal_mlp_device_prepare(net, rows);
     begin capture
       ... fill x ...
       wal_mlp_device_forward(net, rows, x, z);
       ... dz from z ...
       wal_mlp_device_backward(net, x, dz, NULL);
       ... *wal_mlp_device_rate(net) from a table, if the rate changes from step to step ...
       wal_mlp_device_step(net);
     end capture, replay as often as needed */
#ifndef WAL_GPU_MLP_CUDA_H
#define WAL_GPU_MLP_CUDA_H

#include <stdint.h>

extern "C" {
#include "models/nn/mlp.h"
}

extern "C" const wal_mlp_ops wal_mlp_cuda;

/* Chooses how to compute a batch of `rows` <= max_rows, and makes room: may compile, allocate and wait.
   Outside of a capture forward, backward and infer do it themselves when they meet a new number of rows. */
wal_status wal_mlp_device_prepare(wal_mlp *net, int64_t rows);

/* x[rows, inputs] -> y[rows, outputs], rows <= max_rows. Keeps what backward needs; so must the caller keep
 * x. */
wal_status wal_mlp_device_forward(wal_mlp *net, int64_t rows, const float *x, float *y);

/* dy[rows, outputs] of the last forward; overwrites the gradient; dx[rows, inputs] may be NULL. */
wal_status wal_mlp_device_backward(wal_mlp *net, const float *x, const float *dy, float *dx);

/* One Adam step with the last gradient at the rate that is in *wal_mlp_device_rate(net) when the step runs.
   The step counter is on the device, too: a replayed graph counts on. */
wal_status wal_mlp_device_step(wal_mlp *net);
float *wal_mlp_device_rate(
    wal_mlp *net); /* a device pointer to one float, 0 at first; lives as long as net */
wal_status wal_mlp_device_set_rate(wal_mlp *net, float rate);

/* forward() without keeping anything: a forward before it can still go backward after it. Any rows >= 1; the
   same bits as forward()'s rows. More rows than wal_mlp_device_infer_rows go through in parts of that many.
   Prepare the number of rows, or of a part and the remainder, before a capture. Overwrites what backward()
   uses as scratch: not on two streams at once. */
wal_status wal_mlp_device_infer(wal_mlp *net, int64_t rows, const float *x, float *y);
int64_t wal_mlp_device_infer_rows(const wal_mlp *net);

const wal_mlp_config *wal_mlp_device_config(const wal_mlp *net);

/* The parameters and their gradient, where they are: [parameter_count] in the seam's order. */
const float *wal_mlp_device_parameters(const wal_mlp *net);
const float *wal_mlp_device_gradient(const wal_mlp *net);

#endif
