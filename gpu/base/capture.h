/* Work that is queued again and again, recorded once as a graph. */
#ifndef WAL_GPU_CAPTURE_H
#define WAL_GPU_CAPTURE_H

#include "gpu/base/session.h"

/* Records what queue() puts on the session's stream as *out, to be replayed by cudaGraphLaunch; nothing runs
   yet. queue() returns a wal_status and must neither wait nor copy from or to ordinary memory. Relaxed: a
   kernel's first launch may load its code on the way. The stream is no longer recorded at the end, whatever
   fails; a failure of queue() is the one that is reported. */
template <class F>
wal_status wal_session_capture(F queue, cudaGraphExec_t *out) {
  const wal_session *session;
  cudaGraph_t graph = nullptr;
  *out = nullptr;
  WAL_TRY(wal_session_get(&session));
  WAL_CUDA_TRY(cudaStreamBeginCapture(session->stream, cudaStreamCaptureModeRelaxed));
  const wal_status status = queue();
  cudaError_t error = cudaStreamEndCapture(session->stream, &graph);
  if (!status && error == cudaSuccess) error = cudaGraphInstantiate(out, graph, 0);
  if (graph) cudaGraphDestroy(graph);
  if (status) return cudaGetLastError(), status;
  WAL_CUDA_TRY(error);
  return WAL_OK;
}

#endif
