#include <new>

#include "gpu/base/array.h"
#include "gpu/base/capture.h"
#include "gpu/nn/mlp_cuda.h"
#include "gpu/nn/replay.h"

struct wal_mlp_replay {
  wal_mlp *net;
  int64_t rows;
  wal_device_array<float> x, y, dy;
  int64_t outputs; /* of the batch */
  cudaGraphExec_t graph;
};

static wal_status differentiate(wal_mlp_replay *r) {
  WAL_TRY(wal_mlp_device_forward(r->net, r->rows, r->x.data(), r->y.data()));
  return wal_mlp_device_backward(r->net, r->x.data(), r->dy.data(), nullptr);
}

static wal_status train(wal_mlp_replay *r) {
  WAL_TRY(differentiate(r));
  return wal_mlp_device_step(r->net);
}

static wal_status capture(wal_mlp_replay *r) {
  WAL_TRY(wal_mlp_device_prepare(r->net, r->rows));
  WAL_TRY(differentiate(r)); /* cuDNN loads its kernels when they are first executed */
  return wal_session_capture([r] { return train(r); }, &r->graph);
}

static wal_status open(wal_mlp_replay *r, int64_t inputs, const float *x, const float *dy) {
  WAL_TRY(r->x.allocate(inputs, "a network's inputs", "its batch"));
  WAL_TRY(r->y.allocate(r->outputs, "a network's outputs", "its batch"));
  WAL_TRY(r->dy.allocate(r->outputs, "the derivatives of a network's outputs", "its batch"));
  WAL_TRY(wal_upload(r->x.data(), x, inputs));
  WAL_TRY(wal_upload(r->dy.data(), dy, r->outputs));
  return capture(r);
}

wal_status wal_mlp_replay_open(wal_mlp *net, int64_t rows, const float *x, const float *dy,
                               wal_mlp_replay **out) {
  const wal_mlp_config *config = wal_mlp_device_config(net);
  *out = nullptr;
  wal_mlp_replay *r = new (std::nothrow) wal_mlp_replay();
  if (!r) return wal_fail(WAL_E_MEMORY, "no memory for a captured step");
  r->net = net, r->rows = rows, r->outputs = rows * config->outputs;
  const wal_status status = open(r, rows * config->inputs, x, dy);
  if (status) return wal_mlp_replay_close(r), status;
  *out = r;
  return WAL_OK;
}

void wal_mlp_replay_close(wal_mlp_replay *replay) {
  if (!replay) return;
  wal_session_wait();
  if (replay->graph) cudaGraphExecDestroy(replay->graph);
  delete replay;
}

wal_status wal_mlp_replay_queue(wal_mlp_replay *replay) {
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  WAL_CUDA_TRY(cudaGraphLaunch(replay->graph, session->stream));
  return WAL_OK;
}

wal_status wal_mlp_replay_step(wal_mlp_replay *replay, float rate, float *y) {
  WAL_TRY(wal_mlp_device_set_rate(replay->net, rate));
  WAL_TRY(wal_mlp_replay_queue(replay));
  return wal_download(y, replay->y.data(), replay->outputs);
}
