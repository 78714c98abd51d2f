/* Graphs of cuDNN 9's backend interface with one product of matrices in them: tensors, operations, the
   engine, the plan. Compiled out of the emulation. */
#ifndef WAL_GPU_CUDNN_GRAPH_H
#define WAL_GPU_CUDNN_GRAPH_H

#include <cudnn.h>

#include <vector>

#include "gpu/nn/layers.h"

/* Whether cuDNN can plan for a device that is not there: since 9.8. */
#define WAL_CUDNN_DEVICELESS (CUDNN_VERSION >= 90800)

/* "file:line: call: text" as WAL_E_UNSUPPORTED where cuDNN says so, WAL_E_MEMORY, WAL_E_INTERNAL. */
wal_status wal_cudnn_failed(cudnnStatus_t error, const char *call, const char *file, int line);

#define WAL_CUDNN_TRY(call)                                                                                 \
  do {                                                                                                      \
    const cudnnStatus_t wal_error_ = (call);                                                                \
    if (wal_error_ != CUDNN_STATUS_SUCCESS) return wal_cudnn_failed(wal_error_, #call, __FILE__, __LINE__); \
  } while (0)

/* What plans are made for: this machine's device, or one that is described (then nothing can be executed). */
struct wal_cudnn_target {
  cudnnHandle_t handle;                /* NULL: described */
  cudnnBackendDescriptor_t properties; /* finalised CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, or NULL */
};

/* A matrix, or a stack of them: [stack, rows, columns], element (s, i, j) at s * stack_stride + i *
   row_stride + j * column_stride. stack 1 repeats. */
struct wal_cudnn_matrix {
  int64_t stack, rows, columns;
  int64_t stack_stride, row_stride, column_stride;
  cudnnDataType_t type;
};

enum { WAL_CUDNN_TENSORS = 8, WAL_CUDNN_OPERATIONS = 6, WAL_CUDNN_NAME = 16 };

/* An engine's plan: ready to execute, again and again, with any pointers. */
class wal_cudnn_plan {
 public:
  wal_cudnn_plan() = default;
  wal_cudnn_plan(const wal_cudnn_plan &) = delete;
  wal_cudnn_plan &operator=(const wal_cudnn_plan &) = delete;
  ~wal_cudnn_plan();

  bool ready() const { return plan_ != nullptr; }
  int64_t workspace() const { return workspace_; } /* bytes */
  const char *name() const { return name_; }       /* the engine: "eng7"; "" when not ready */

  /* Room for the workspace. Before the first execute(). */
  wal_status allocate();
  /* Device pointers of the graph's real tensors, in their order. Queued on the handle's stream. The first
     call with these pointers makes what the next ones use; no call allocates on the device. */
  wal_status execute(cudnnHandle_t handle, const void *const *pointers);

 private:
  friend class wal_cudnn_graph;
  struct pack { /* pointers that were seen before */
    const void *pointers[WAL_CUDNN_TENSORS];
    cudnnBackendDescriptor_t descriptor;
  };
  enum { MOST_PACKS = 256 };
  void forget();
  wal_status pack_of(const void *const *pointers, cudnnBackendDescriptor_t *out);

  cudnnBackendDescriptor_t plan_ = nullptr;
  std::vector<cudnnBackendDescriptor_t> described_by_; /* what the plan was made from; lives as long */
  std::vector<pack> packs_;
  wal_device_array<unsigned char> room_;
  int64_t workspace_ = 0;
  int tensors_ = 0;
  char name_[WAL_CUDNN_NAME] = "";
};

/* Adds tensors and operations, then makes a plan. Every call after a failed one does nothing: plan() returns
 * the failure. */
class wal_cudnn_graph {
 public:
  wal_cudnn_graph() = default;
  wal_cudnn_graph(const wal_cudnn_graph &) = delete;
  wal_cudnn_graph &operator=(const wal_cudnn_graph &) = delete;
  ~wal_cudnn_graph();

  /* A tensor in memory: real tensors are bound in the order of these calls. Or one that only passes between
   * operations. */
  cudnnBackendDescriptor_t real(const wal_cudnn_matrix &matrix) { return tensor(matrix, false); }
  cudnnBackendDescriptor_t passing(const wal_cudnn_matrix &matrix) { return tensor(matrix, true); }

  void matmul(cudnnBackendDescriptor_t a, cudnnBackendDescriptor_t b, cudnnBackendDescriptor_t c);
  /* y = mode(x), or mode(x, b) where b is given. */
  void pointwise(cudnnPointwiseMode_t mode, cudnnBackendDescriptor_t x, cudnnBackendDescriptor_t b,
                 cudnnBackendDescriptor_t y);
  /* dx = dy mode'(x). */
  void pointwise_backward(cudnnPointwiseMode_t mode, cudnnBackendDescriptor_t dy, cudnnBackendDescriptor_t x,
                          cudnnBackendDescriptor_t dx);

  /* The first engine, as the heuristics order them, that computes in `precision`, gives the same bits every
     time and whose plan can be finalised. WAL_E_UNSUPPORTED: there is none. */
  wal_status plan(const wal_cudnn_target &target, wal_precision precision, wal_cudnn_plan *out);

 private:
  cudnnBackendDescriptor_t tensor(const wal_cudnn_matrix &matrix, bool passing);
  cudnnBackendDescriptor_t create(cudnnBackendDescriptorType_t type);
  void set(cudnnBackendDescriptor_t to, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
           int64_t count, const void *values);
  void finish(cudnnBackendDescriptor_t descriptor);
  void operation(cudnnBackendDescriptor_t descriptor);
  cudnnBackendDescriptor_t mode(cudnnPointwiseMode_t mode);
  wal_status choose(const wal_cudnn_target &target, wal_precision precision,
                    cudnnBackendHeurMode_t heuristics, cudnnBackendDescriptor_t graph, wal_cudnn_plan *out);

  enum { MOST = 64 };
  cudnnBackendDescriptor_t owned_[MOST] = {}, operation_[WAL_CUDNN_OPERATIONS] = {};
  int owned_count_ = 0, operation_count_ = 0, real_ = 0, passing_ = 0;
  wal_status status_ = WAL_OK;
};

#endif
