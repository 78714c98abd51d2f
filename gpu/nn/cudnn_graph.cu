#ifndef WAL_EMULATED

#include <stdio.h>
#include <string.h>

#include "gpu/nn/cudnn_graph.h"

wal_status wal_cudnn_failed(cudnnStatus_t error, const char *call, const char *file, int line) {
  char reason[512] = "";
  cudnnGetLastErrorString(reason, sizeof reason);
  const int kind = CUDNN_STATUS_CATEGORY(error);
  const bool memory = error == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED ||
                      error == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED;
  return wal_fail(memory                               ? WAL_E_MEMORY
                  : kind == CUDNN_STATUS_NOT_SUPPORTED ? WAL_E_UNSUPPORTED
                                                       : WAL_E_INTERNAL,
                  "%s:%d: %s: %s%s%s", file, line, call, cudnnGetErrorString(error), *reason ? ": " : "",
                  reason);
}

/* ---- Plans ---- */

void wal_cudnn_plan::forget() {
  for (pack &p : packs_) cudnnBackendDestroyDescriptor(p.descriptor);
  packs_.clear();
}

wal_cudnn_plan::~wal_cudnn_plan() {
  forget();
  if (plan_) cudnnBackendDestroyDescriptor(plan_);
  for (size_t i = described_by_.size(); i > 0; i--) cudnnBackendDestroyDescriptor(described_by_[i - 1]);
}

wal_status wal_cudnn_plan::allocate() {
  return room_.allocate(workspace_, "the workspace of cuDNN", "the network's batch");
}

static wal_status fill_pack(cudnnBackendDescriptor_t pack, int count, const void *const *pointers,
                            const void *workspace) {
  int64_t identity[WAL_CUDNN_TENSORS];
  for (int i = 0; i < count; i++) identity[i] = i + 1;
  WAL_CUDNN_TRY(
      cudnnBackendSetAttribute(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, count, identity));
  WAL_CUDNN_TRY(cudnnBackendSetAttribute(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR,
                                         count, pointers));
  WAL_CUDNN_TRY(
      cudnnBackendSetAttribute(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace));
  WAL_CUDNN_TRY(cudnnBackendFinalize(pack));
  return WAL_OK;
}

wal_status wal_cudnn_plan::pack_of(const void *const *pointers, cudnnBackendDescriptor_t *out) {
  const size_t bytes = static_cast<size_t>(tensors_) * sizeof *pointers;
  for (const pack &p : packs_)
    if (memcmp(p.pointers, pointers, bytes) == 0) return *out = p.descriptor, WAL_OK;
  if (packs_.size() == MOST_PACKS) forget();
  pack made = {};
  memcpy(made.pointers, pointers, bytes);
  WAL_CUDNN_TRY(cudnnBackendCreateDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &made.descriptor));
  const wal_status status = fill_pack(made.descriptor, tensors_, pointers, room_.data());
  if (status) return cudnnBackendDestroyDescriptor(made.descriptor), status;
  packs_.push_back(made);
  *out = made.descriptor;
  return WAL_OK;
}

wal_status wal_cudnn_plan::execute(cudnnHandle_t handle, const void *const *pointers) {
  cudnnBackendDescriptor_t pack;
  WAL_TRY(pack_of(pointers, &pack));
  WAL_CUDNN_TRY(cudnnBackendExecute(handle, plan_, pack));
  return WAL_OK;
}

/* ---- Descriptors ---- */

wal_cudnn_graph::~wal_cudnn_graph() {
  for (int i = owned_count_ - 1; i >= 0; i--) cudnnBackendDestroyDescriptor(owned_[i]);
}

cudnnBackendDescriptor_t wal_cudnn_graph::create(cudnnBackendDescriptorType_t type) {
  cudnnBackendDescriptor_t made = nullptr;
  if (status_) return made;
  if (owned_count_ == MOST) {
    status_ = wal_fail(WAL_E_INTERNAL, "a cuDNN graph of more than %d descriptors", MOST);
    return made;
  }
  const cudnnStatus_t error = cudnnBackendCreateDescriptor(type, &made);
  if (error) status_ = wal_cudnn_failed(error, "cudnnBackendCreateDescriptor", __FILE__, __LINE__);
  if (!error) owned_[owned_count_++] = made;
  return made;
}

void wal_cudnn_graph::set(cudnnBackendDescriptor_t to, cudnnBackendAttributeName_t name,
                          cudnnBackendAttributeType_t type, int64_t count, const void *values) {
  if (status_) return;
  const cudnnStatus_t error = cudnnBackendSetAttribute(to, name, type, count, values);
  if (error) status_ = wal_cudnn_failed(error, "cudnnBackendSetAttribute", __FILE__, __LINE__);
}

void wal_cudnn_graph::finish(cudnnBackendDescriptor_t descriptor) {
  if (status_) return;
  const cudnnStatus_t error = cudnnBackendFinalize(descriptor);
  if (error) status_ = wal_cudnn_failed(error, "cudnnBackendFinalize", __FILE__, __LINE__);
}

cudnnBackendDescriptor_t wal_cudnn_graph::tensor(const wal_cudnn_matrix &m, bool passing) {
  const int64_t sizes[3] = {m.stack, m.rows, m.columns},
                strides[3] = {m.stack_stride, m.row_stride, m.column_stride};
  const int64_t alignment = 16, identity = passing ? 1000 + ++passing_ : ++real_;
  const cudnnBackendDescriptor_t t = create(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  set(t, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &m.type);
  set(t, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 3, sizes);
  set(t, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 3, strides);
  set(t, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &identity);
  set(t, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment);
  set(t, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &passing);
  finish(t);
  return t;
}

/* ---- Operations ---- */

void wal_cudnn_graph::operation(cudnnBackendDescriptor_t descriptor) {
  finish(descriptor);
  if (status_) return;
  if (operation_count_ == WAL_CUDNN_OPERATIONS) {
    status_ = wal_fail(WAL_E_INTERNAL, "a cuDNN graph of more than %d operations", WAL_CUDNN_OPERATIONS);
    return;
  }
  operation_[operation_count_++] = descriptor;
}

static const cudnnDataType_t float32 = CUDNN_DATA_FLOAT; /* sums and pointwise operations */
static const cudnnNanPropagation_t keep_nan = CUDNN_PROPAGATE_NAN;

void wal_cudnn_graph::matmul(cudnnBackendDescriptor_t a, cudnnBackendDescriptor_t b,
                             cudnnBackendDescriptor_t c) {
  const cudnnBackendDescriptor_t product = create(CUDNN_BACKEND_MATMUL_DESCRIPTOR);
  set(product, CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &float32);
  finish(product);
  const cudnnBackendDescriptor_t o = create(CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
  set(o, CUDNN_ATTR_OPERATION_MATMUL_ADESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &a);
  set(o, CUDNN_ATTR_OPERATION_MATMUL_BDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &b);
  set(o, CUDNN_ATTR_OPERATION_MATMUL_CDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &c);
  set(o, CUDNN_ATTR_OPERATION_MATMUL_DESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &product);
  operation(o);
}

cudnnBackendDescriptor_t wal_cudnn_graph::mode(cudnnPointwiseMode_t mode) {
  const cudnnBackendDescriptor_t m = create(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  set(m, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
  set(m, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &float32);
  if (mode == CUDNN_POINTWISE_RELU_FWD) /* a NaN is not to be hidden */
    set(m, CUDNN_ATTR_POINTWISE_NAN_PROPAGATION, CUDNN_TYPE_NAN_PROPOGATION, 1, &keep_nan);
  finish(m);
  return m;
}

void wal_cudnn_graph::pointwise(cudnnPointwiseMode_t name, cudnnBackendDescriptor_t x,
                                cudnnBackendDescriptor_t b, cudnnBackendDescriptor_t y) {
  const cudnnBackendDescriptor_t m = mode(name), o = create(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  set(o, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &m);
  set(o, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &x);
  if (b) set(o, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &b);
  set(o, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &y);
  operation(o);
}

void wal_cudnn_graph::pointwise_backward(cudnnPointwiseMode_t name, cudnnBackendDescriptor_t dy,
                                         cudnnBackendDescriptor_t x, cudnnBackendDescriptor_t dx) {
  const cudnnBackendDescriptor_t m = mode(name), o = create(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  set(o, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &m);
  set(o, CUDNN_ATTR_OPERATION_POINTWISE_DYDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &dy);
  set(o, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &x);
  set(o, CUDNN_ATTR_OPERATION_POINTWISE_DXDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &dx);
  operation(o);
}

/* ---- Engines ---- */

/* What an engine says of its arithmetic. */
struct engine_notes {
  int64_t engine;
  bool note[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
};

static wal_status read_notes(cudnnBackendDescriptor_t config, engine_notes *out) {
  cudnnBackendDescriptor_t engine = nullptr;
  cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
  int64_t count = 0;
  memset(out, 0, sizeof *out);
  WAL_CUDNN_TRY(cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine));
  cudnnStatus_t error = cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE,
                                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &count, &engine);
  if (!error)
    error = cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &count,
                                     &out->engine);
  if (!error)
    error = cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                                     CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &count, notes);
  cudnnBackendDestroyDescriptor(engine);
  WAL_CUDNN_TRY(error);
  for (int64_t i = 0; i < count && i < CUDNN_NUMERICAL_NOTE_TYPE_COUNT; i++)
    if (notes[i] < CUDNN_NUMERICAL_NOTE_TYPE_COUNT) out->note[notes[i]] = true; /* newer ones: not known */
  return WAL_OK;
}

/* True float32 leaves no room for tensor cores, whose inputs are shorter. */
static bool acceptable(const engine_notes &e, wal_precision precision) {
  if (e.note[CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC] ||
      e.note[CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION])
    return false;
  if (e.note[CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS]) return false;
  return precision != WAL_FLOAT32 || !e.note[CUDNN_NUMERICAL_NOTE_TENSOR_CORE];
}

/* The plan of one configuration; WAL_E_UNSUPPORTED when cuDNN refuses it. */
static wal_status finalise(const wal_cudnn_target &target, cudnnBackendDescriptor_t config,
                           cudnnBackendDescriptor_t *out, int64_t *workspace) {
  int64_t count = 0;
  cudnnBackendDescriptor_t plan = nullptr;
  WAL_CUDNN_TRY(cudnnBackendCreateDescriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &plan));
  cudnnStatus_t error = CUDNN_STATUS_SUCCESS;
  if (target.handle)
    error = cudnnBackendSetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1,
                                     &target.handle);
#if WAL_CUDNN_DEVICELESS
  else
    error = cudnnBackendSetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP,
                                     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &target.properties);
#endif
  if (!error)
    error = cudnnBackendSetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG,
                                     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &config);
  if (!error) error = cudnnBackendFinalize(plan);
  if (!error)
    error = cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1,
                                     &count, workspace);
  if (error) cudnnBackendDestroyDescriptor(plan);
  if (error) return wal_cudnn_failed(error, "cudnnBackendFinalize of a plan", __FILE__, __LINE__);
  *out = plan;
  return WAL_OK;
}

enum { MOST_CONFIGS = 16 }; /* that are tried of one mode of the heuristics */

wal_status wal_cudnn_graph::choose(const wal_cudnn_target &target, wal_precision precision,
                                   cudnnBackendHeurMode_t heuristics, cudnnBackendDescriptor_t graph,
                                   wal_cudnn_plan *out) {
  const cudnnBackendDescriptor_t h = create(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  set(h, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &graph);
  set(h, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &heuristics);
#if WAL_CUDNN_DEVICELESS
  if (!target.handle)
    set(h, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &target.properties);
#endif
  finish(h);
  cudnnBackendDescriptor_t config[MOST_CONFIGS];
  for (int i = 0; i < MOST_CONFIGS; i++) config[i] = create(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  if (status_) return status_;
  int64_t count = 0;
  WAL_CUDNN_TRY(cudnnBackendGetAttribute(h, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                         MOST_CONFIGS, &count, config));
  for (int64_t i = 0; i < count && i < MOST_CONFIGS && !out->plan_; i++) {
    engine_notes notes;
    if (read_notes(config[i], &notes) || !acceptable(notes, precision)) continue;
    if (finalise(target, config[i], &out->plan_, &out->workspace_)) continue;
    snprintf(out->name_, sizeof out->name_, "eng%lld", static_cast<long long>(notes.engine));
  }
  return WAL_OK;
}

wal_status wal_cudnn_graph::plan(const wal_cudnn_target &target, wal_precision precision,
                                 wal_cudnn_plan *out) {
  const cudnnBackendDescriptor_t graph = create(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  set(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, operation_count_, operation_);
  if (target.handle) set(graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &target.handle);
  finish(graph);
  if (status_) return status_;
  status_ = choose(target, precision, CUDNN_HEUR_MODE_A, graph, out);
  if (status_ == WAL_E_UNSUPPORTED) status_ = WAL_OK; /* they may know no engine, where the fallback does */
  if (!status_ && !out->plan_) status_ = choose(target, precision, CUDNN_HEUR_MODE_FALLBACK, graph, out);
  if (status_) return status_;
  out->tensors_ = real_;
  if (out->plan_) {
    out->described_by_.assign(owned_, owned_ + owned_count_);
    owned_count_ = 0;
    return WAL_OK;
  }
  return wal_fail(
      WAL_E_UNSUPPORTED,
      "cuDNN %d has no engine for this graph in this precision that gives the same bits every time",
      static_cast<int>(cudnnGetVersion()));
}

#endif
