#include "gpu/nn/adam.h"

extern "C" {
#include "models/nn/adam_element.h"
}

enum { THREADS = 256, EACH = 4 };

/* The last block to finish counts the step: by then every block has read the counter. */
__global__ __launch_bounds__(THREADS) void wal_adam_elements(int64_t count, const float *gradient,
                                                             float *first, float *second, float *parameters,
                                                             wal_bf16 *w16, wal_adam_state *state) {
  __shared__ wal_adam_factors factors;
  if (threadIdx.x == 0) factors = wal_adam_correct(state->steps + 1, state->rate);
  __syncthreads();
  for (int64_t i = wal_thread(); i < count; i += wal_threads_all()) {
    wal_adam_element(factors, gradient[i], first + i, second + i, parameters + i);
    if (w16) w16[i] = wal_to_bf16(parameters[i]);
  }
  if (threadIdx.x == 0 && atomicAdd(&state->arrived, 1u) == gridDim.x - 1) {
    state->arrived = 0;
    state->steps++;
  }
}

wal_status wal_adam_device_step(int64_t count, const float *gradient, float *first, float *second,
                                float *parameters, wal_bf16 *w16, wal_adam_state *state) {
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  WAL_CUDA_TRY(wal_launch(wal_adam_elements, wal_grid(count, THREADS * EACH), THREADS, 0, session->stream,
                          count, gradient, first, second, parameters, w16, state));
  return WAL_OK;
}
