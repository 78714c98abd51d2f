/* Adam over all parameters of a network in one kernel. */
#ifndef WAL_GPU_ADAM_H
#define WAL_GPU_ADAM_H

#include "gpu/base/array.h"
#include "gpu/base/bf16.h"

/* What a replayed graph must find on the device. */
struct wal_adam_state {
  int64_t steps;
  float rate;       /* of the next step */
  unsigned arrived; /* blocks of the present step that are done */
};

/* Step state->steps + 1: gradient -> first, second moment and parameters, all [count]; w16[count], unless
   NULL: the new parameters in bf16. Counts the step. Device pointers; queued on the session's stream. */
wal_status wal_adam_device_step(int64_t count, const float *gradient, float *first, float *second,
                                float *parameters, wal_bf16 *w16, wal_adam_state *state);

#endif
